//! The server functions: how pages call the engine. One file per domain, no logic.
#![allow(
    missing_docs,
    reason = "the server macro makes a struct of the arguments, whose fields cannot be documented"
)]

pub mod accounts;
pub mod addresses;
pub mod admin;
pub mod analytics;
pub mod announcements;
pub mod audit;
pub mod cards;
pub mod carts;
pub mod catalog;
pub mod chat;
pub mod checkout;
pub mod contact;
pub mod currencies;
pub mod gift_cards;
pub mod inbox;
pub mod inventory;
pub mod jobs;
pub mod ledger;
pub mod media;
pub mod notifications;
pub mod orders;
pub mod outbox;
pub mod payments;
pub mod payouts;
pub mod promotions;
pub mod recommendations;
pub mod reviews;
pub mod sale_events;
pub mod sale_prices;
pub mod sales;
pub mod search;
pub mod services;
pub mod shipping;
pub mod shops;
pub mod staff;
pub mod taxes;
pub mod wishlist;

use std::{any::Any, future, marker::PhantomData, pin::Pin, sync::Arc};

use leptos::{
    prelude::{Resource, Set},
    server::codee::{Decoder, Encoder},
    server_fn::{
        codec::JsonEncoding,
        error::{FromServerFnError, ServerFnErrorErr},
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use haat_shared::Error;

/// An [`Error`], passed to the browser unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error(transparent)]
#[serde(transparent)]
pub struct ApiError(pub Error);

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(fault: ServerFnErrorErr) -> Self {
        let error = match fault {
            ServerFnErrorErr::Request(_) => Error::Offline,
            ServerFnErrorErr::Response(_) => Error::Busy { retry_after_s: 2 },
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Error::Invalid(Vec::new()),
            // On the server, the client's request could not be decoded; in the browser, our response.
            ServerFnErrorErr::Deserialization(_) if cfg!(feature = "ssr") => Error::Invalid(Vec::new()),
            _ => Error::Internal,
        };
        #[cfg(feature = "ssr")]
        answer_with(&error);
        Self(error)
    }
}

/// The data of a page. When the server renders the page, it embeds the data in it.
///
/// All resources are of one kind inside, so that browsers load the code of one.
pub struct ApiResource<T> {
    found: Resource<Fetched, Wire>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for ApiResource<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ApiResource<T> {}

impl<T> ApiResource<T> {
    /// Calls the server function again.
    pub fn refetch(self) {
        self.found.refetch();
    }

    /// The contents, of whatever type.
    pub(crate) fn found(self) -> Resource<Fetched, Wire> {
        self.found
    }
}

impl<T: Data> ApiResource<T> {
    /// Replaces the data by what the server has just returned.
    pub fn set(self, data: T) {
        self.found.set(Some(Fetched::new(Ok(data))));
    }
}

impl<T: Data> IntoFuture for ApiResource<T> {
    type Output = Result<T, ApiError>;
    type IntoFuture = Later<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.found.await.read() })
    }
}

/// What a resource may contain.
pub trait Data: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Data for T {}

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Calls `fetch` with the value of `of`, and again whenever that changes.
///
/// For what a page sets up, not for what it shows once something else is loaded: the browser finds what the server sent by the
/// order of these calls, and in the browser, what was sent is there at once.
pub fn find<S, T, F>(
    of: impl Fn() -> S + Send + Sync + 'static,
    fetch: impl Fn(S) -> F + Send + Sync + 'static,
) -> ApiResource<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Data,
    F: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    let fetch = move |Key(of): Key| -> Later<Fetched> {
        match (&*of as &dyn Any).downcast_ref::<S>() {
            Some(of) => {
                let found = fetch(of.clone());
                Box::pin(async { Fetched::new(found.await) })
            }
            None => Box::pin(future::pending()),
        }
    };
    let found = resource(Box::new(move || Key(Arc::new(of()))), Box::new(fetch));
    ApiResource { found, of: PhantomData }
}

fn resource(
    of: Box<dyn Fn() -> Key + Send + Sync>,
    fetch: Box<dyn Fn(Key) -> Later<Fetched> + Send + Sync>,
) -> Resource<Fetched, Wire> {
    Resource::new_with_options(of, fetch, false)
}

/// What a resource depends on.
#[derive(Clone)]
struct Key(Arc<dyn Comparable>);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&*other.0)
    }
}

trait Comparable: Any + Send + Sync {
    fn equals(&self, other: &dyn Any) -> bool;
}

impl<S: PartialEq + Send + Sync + 'static> Comparable for S {
    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }
}

/// The contents of a resource: a `Result<T, ApiError>`.
#[derive(Clone)]
pub(crate) enum Fetched {
    /// As embedded in the page.
    Text(Arc<str>),
    /// As returned by a server function.
    Value(Arc<dyn Held>),
}

impl Fetched {
    fn new<T: Data>(result: Result<T, ApiError>) -> Self {
        Self::Value(Arc::new(result))
    }

    /// The result, if it is of this type.
    pub(crate) fn read<T: Data>(&self) -> Result<T, ApiError> {
        let result = match self {
            Self::Text(text) => serde_json::from_slice(text.as_bytes()).ok(),
            Self::Value(value) => (&**value as &dyn Any).downcast_ref().cloned(),
        };
        result.unwrap_or(Err(ApiError(Error::Internal)))
    }
}

/// A value that the server can embed in a page.
pub(crate) trait Held: Any + Send + Sync {
    #[cfg(feature = "ssr")]
    fn json(&self) -> serde_json::Result<String>;
}

impl<T: Serialize + Send + Sync + 'static> Held for T {
    #[cfg(feature = "ssr")]
    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// Embeds the contents of resources. Browsers read them when they show them, and in the same way as the
/// responses of server functions, so that they load one deserializer per type.
#[derive(Debug)]
pub(crate) struct Wire;

impl Encoder<Fetched> for Wire {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(found: &Fetched) -> Result<String, Self::Error> {
        match found {
            Fetched::Text(text) => Ok(text.to_string()),
            #[cfg(feature = "ssr")]
            Fetched::Value(value) => (**value).json(),
            #[cfg(not(feature = "ssr"))]
            Fetched::Value(_) => Ok(String::new()),
        }
    }
}

impl Decoder<Fetched> for Wire {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<Fetched, Self::Error> {
        Ok(Fetched::Text(text.into()))
    }
}

/// What the server provides to pages and server functions.
#[cfg(feature = "ssr")]
#[derive(Clone)]
pub struct Ctx {
    /// The engine.
    pub engine: haat_engine::Engine,
    /// The caller.
    pub caller: haat_engine::Caller,
    /// Whether the site is served over TLS, so that cookies require it.
    pub secure: bool,
    /// Whether the sign-in page offers the demo's accounts.
    pub demo: bool,
}

/// Calls a use case for the caller, and sets the HTTP status of its result. The only function that uses
/// the context.
#[cfg(feature = "ssr")]
async fn call<T>(
    run: impl AsyncFnOnce(haat_engine::Engine, haat_engine::Caller) -> haat_shared::Result<T>,
) -> Result<T, ApiError> {
    let result = match leptos::prelude::use_context::<Ctx>() {
        Some(ctx) => run(ctx.engine, ctx.caller).await,
        None => Err(Error::Internal),
    };
    result.map_err(|error| {
        answer_with(&error);
        ApiError(error)
    })
}

/// Sets the status and headers of an error, because Leptos would respond with 500.
#[cfg(feature = "ssr")]
fn answer_with(error: &Error) {
    use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
    let Some(response) = leptos::prelude::use_context::<leptos_axum::ResponseOptions>() else { return };
    response.set_status(StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    if let Some(seconds) = error.retry_after_s() {
        response.insert_header(RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// The ID in the address of a page. If it is none, there is no such page.
pub(crate) fn id<T: std::str::FromStr>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| {
        page_not_found();
        ApiError(Error::NotFound)
    })
}

/// Sets the status 404; does nothing in the browser.
pub fn page_not_found() {
    #[cfg(feature = "ssr")]
    answer_with(&Error::NotFound);
}

/// The token of the session that calls. Empty if there is none.
#[cfg(feature = "ssr")]
fn session() -> String {
    use leptos::prelude::use_context;
    let (Some(ctx), Some(request)) = (use_context::<Ctx>(), use_context::<http::request::Parts>()) else {
        return String::new();
    };
    crate::cookies::get(&request.headers, ctx.secure, "session").unwrap_or_default().to_owned()
}

/// Sets the cookie with the token of a newly created cart.
#[cfg(feature = "ssr")]
fn keep_cart(token: Option<String>) {
    use leptos::prelude::use_context;
    let (Some(token), Some(ctx)) = (token, use_context::<Ctx>()) else { return };
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.append_header(http::header::SET_COOKIE, crate::cookies::cart(ctx.secure, &token));
    }
}
