//! The server functions: how pages call the engine. One file per domain, no logic.
#![allow(
    missing_docs,
    reason = "the server macro makes a struct of the arguments, whose fields cannot be documented"
)]

pub mod accounts;
pub mod admin;
pub mod audit;
pub mod carts;
pub mod catalog;
pub mod checkout;
pub mod inventory;
pub mod jobs;
pub mod ledger;
pub mod media;
pub mod notifications;
pub mod orders;
pub mod outbox;
pub mod search;
pub mod shops;

use leptos::{
    prelude::Resource,
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
pub type ApiResource<T> = Resource<Result<T, ApiError>, Wire>;

/// Calls `fetch` with the value of `of`, and again whenever that changes.
pub fn find<S, T, F>(
    of: impl Fn() -> S + Send + Sync + 'static,
    fetch: impl Fn(S) -> F + Send + Sync + 'static,
) -> ApiResource<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    Resource::new_with_options(of, fetch, false)
}

/// Reads JSON from bytes in the same way as server functions, so that browsers load one deserializer per
/// type.
#[derive(Debug)]
pub struct Wire;

impl<T: Serialize> Encoder<T> for Wire {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, Self::Error> {
        serde_json::to_string(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for Wire {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, Self::Error> {
        serde_json::from_slice(text.as_bytes())
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

/// Sets the status 404; does nothing in the browser.
pub fn page_not_found() {
    #[cfg(feature = "ssr")]
    answer_with(&Error::NotFound);
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
