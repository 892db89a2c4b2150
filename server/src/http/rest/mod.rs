//! The REST API. A handler declares its parameters, calls a use case and returns the response; router,
//! OpenAPI document and checks are generated from that.
//!
//! Cookies are ignored: callers authenticate with a token or a key, guests with the token of their cart.

mod access;
mod addresses;
mod api_docs_page;
mod appointments;
mod attributes;
mod cards;
mod carts;
mod catalog;
mod categories;
mod checkout;
mod commission;
mod conversations;
mod countries;
mod currencies;
mod export;
mod extract;
mod gift_cards;
mod imports;
mod notifications;
mod openapi;
mod operator;
mod orders;
mod payouts;
mod problem;
mod promotions;
mod reply;
mod reviews;
mod sale_events;
mod sale_prices;
mod schema;
mod services;
mod shipping;
mod shops;
mod staff;
mod strict_json;
mod taxes;
mod wishlist;

use std::time::Duration;

use axum::{
    Router,
    extract::{RawPathParams, Request, State as Extract},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodFilter, any, get, on},
};
use haat_engine::{
    Caller, Engine,
    accounts::api_auth,
    idempotency::{self, Claim, IdempotencyKey},
};
use haat_shared::{
    Error, FieldCode, Result,
    catalog::edit::SAVE_BYTES_MAX,
    id::kinds::Job,
    media::Uploader,
    permissions::Permission,
    routes::{API, API_CREATE_PRODUCT, API_DOCS, API_DOCUMENT, API_UPDATE_PRODUCT, Audience, Route},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

pub(super) use self::problem::into_problem;
use self::{
    extract::{RequestPart, Sent},
    openapi::Document,
    problem::Problem,
    reply::{IntoReply, Reply},
};
use super::{
    State,
    imports::{FORM_TIME, Pace, Ticket, whole},
    limits::Origin,
    media, timeout,
};

/// The header with the token of a guest's cart.
const CART: HeaderName = HeaderName::from_static("haat-cart");

/// A request's caller, and the state.
struct RequestContext {
    state: State,
    caller: Caller,
    /// The token or key of the request.
    credential: Option<String>,
    /// The client address.
    origin: Origin,
}

impl RequestContext {
    fn engine(&self) -> &Engine {
        &self.state.runtime.engine
    }

    /// The owner of idempotency keys.
    fn who(&self) -> String {
        match (self.caller.user_id(), self.caller.cart) {
            (Some(user), _) => user.to_string(),
            (None, Some(token)) => token.iter().map(|b| format!("{b:02x}")).collect(),
            (None, None) => self.origin.to_string(),
        }
    }
}

/// Collects the routes of the API.
#[derive(Default)]
struct Api {
    router: Router<State>,
    /// Routes with large request bodies and a longer timeout.
    uploads: Router<State>,
    /// Routes whose uploads are written to disk.
    files: Router<State>,
    document: Document,
}

impl Api {
    /// Registers the handler of a route and its description.
    fn on<P, A, F, Fut>(mut self, route: Route, says: &str, handler: F) -> Self
    where
        P: RequestPart,
        A: IntoReply,
        F: Fn(RequestContext, P) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<A>> + Send + 'static,
    {
        self.document.add::<P, A>(route, says);
        let serve = move |Extract(state): Extract<State>, request: Request| {
            let handler = handler.clone();
            async move { serve(state, route, request, handler).await.unwrap_or_else(IntoResponse::into_response) }
        };
        let method = match route.method {
            "GET" => MethodFilter::GET,
            "POST" => MethodFilter::POST,
            "PUT" => MethodFilter::PUT,
            "PATCH" => MethodFilter::PATCH,
            _ => MethodFilter::DELETE,
        };
        let router = match (P::FILE, P::UPLOAD) {
            (true, _) => &mut self.files,
            (_, Some(_)) => &mut self.uploads,
            _ => &mut self.router,
        };
        *router = std::mem::take(router).route(route.path, on(method, serve));
        self
    }
}

/// The whole API.
fn api() -> Api {
    let api = Api::default();
    let api = access::routes(api);
    let api = catalog::routes(api);
    let api = attributes::routes(api);
    let api = export::routes(api);
    let api = imports::routes(api);
    let api = addresses::routes(api);
    let api = cards::routes(api);
    let api = services::routes(api);
    let api = carts::routes(api);
    let api = wishlist::routes(api);
    let api = checkout::routes(api);
    let api = countries::routes(api);
    let api = currencies::routes(api);
    let api = orders::routes(api);
    let api = appointments::routes(api);
    let api = shops::routes(api);
    let api = staff::routes(api);
    let api = shipping::routes(api);
    let api = payouts::routes(api);
    let api = notifications::routes(api);
    let api = conversations::routes(api);
    let api = reviews::routes(api);
    let api = promotions::routes(api);
    let api = sale_prices::routes(api);
    let api = sale_events::routes(api);
    let api = taxes::routes(api);
    let api = commission::routes(api);
    let api = categories::routes(api);
    let api = gift_cards::routes(api);
    operator::routes(api)
}

/// The routes of the API and of its documentation.
pub(super) fn router(state: &State) -> Router<State> {
    let Api { router, uploads, files, document } = api();
    let (document, operations) =
        document.finish(&state.runtime.engine.public_url, state.runtime.engine.currency);
    let page = api_docs_page::page(&document, &operations);
    let document = document.to_string();
    let nothing = any(async || Problem::from(StatusCode::NOT_FOUND));
    let router = router.route(API, nothing.clone()).route(&format!("{API}/{{*rest}}"), nothing);
    let server = &state.runtime.config.server;
    let router = router
        .layer(timeout(Duration::from_secs(server.timeout_s)))
        .merge(uploads.layer(timeout(media::FORM_TIME)))
        .merge(files.layer(timeout(FORM_TIME)));
    let router = match cors(&server.cors_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    let json = [(header::CONTENT_TYPE, "application/json")];
    router
        .route(API_DOCUMENT, get(async move || (json, document.clone())))
        .route(API_DOCS, get(async move || api_docs_page::show(&page)))
}

/// CORS for the configured origins, without cookies: clients send a token.
fn cors(origins: &str) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = origins.split_whitespace().filter_map(|o| o.parse().ok()).collect();
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::IF_MATCH,
                header::ACCEPT_LANGUAGE,
                CART,
                HeaderName::from_static(extract::IDEMPOTENCY_KEY),
            ])
            .expose_headers([header::ETAG, header::RETRY_AFTER])
            .max_age(Duration::from_secs(3600))
    })
}

/// The token of `Authorization: Bearer …`. Other schemes are ignored.
fn bearer(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let (scheme, token) = value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or(Error::SignInNeeded)?;
    let known = scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty();
    if known { Ok(Some(token.trim().to_owned())) } else { Err(Error::SignInNeeded) }
}

/// The token of a guest's cart, if it is well-formed.
fn cart_token(headers: &HeaderMap) -> Result<Option<&str>> {
    let Some(value) = headers.get(CART) else { return Ok(None) };
    let ours = |token: &&str| {
        token.len() == 43 && token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let token = value.to_str().ok().filter(ours);
    token.map(Some).ok_or_else(|| Error::field("Haat-Cart", FieldCode::BadCharacters))
}

/// Determines the caller, and whether they may call this route at all. The use case decides which objects
/// they may see.
async fn identify(
    state: State,
    route: &Route,
    headers: &HeaderMap,
    origin: Origin,
) -> Result<RequestContext> {
    let credential = bearer(headers)?;
    let cart = cart_token(headers)?;
    let engine = &state.runtime.engine;
    let mut caller = api_auth::caller(engine, credential.as_deref(), cart, route.scope).await?;
    caller.locale = problem::language(&state, headers).tag();
    caller.origin = origin.hashed(&engine.secret);
    match route.audience {
        Audience::SignedIn | Audience::Party | Audience::Member => drop(caller.signed_in()?),
        Audience::Operator(permission) => caller.admin(permission)?,
        _ => {}
    }
    Ok(RequestContext { state, caller, credential, origin })
}

/// Handles a request.
async fn serve<P, A, F, Fut>(
    state: State,
    route: Route,
    request: Request,
    handler: F,
) -> std::result::Result<Response, Problem>
where
    P: RequestPart,
    A: IntoReply,
    F: Fn(RequestContext, P) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A>> + Send + 'static,
{
    let origin = state.limits.origin(request.headers(), request.extensions());
    let context = identify(state, &route, request.headers(), origin).await?;
    let left = match route.method {
        "GET" => None,
        _ => Some(context.state.limits.change(&context.caller, context.origin)?),
    };
    let (sent, _ticket) = receive::<P>(&context, &route, request).await?;
    let reply = match P::ONCE && sent.headers.contains_key(extract::IDEMPOTENCY_KEY) {
        // The client may disconnect; the key must not stay claimed.
        true => haat_engine::to_its_end(once(route, context, sent, handler)).await??,
        false => handler(context, P::read(&sent)?).await?.reply()?,
    };
    let mut response = answer(reply);
    if let Some(left) = left {
        left.write(response.headers_mut());
    }
    Ok(response)
}

fn too_large(error: Error) -> Problem {
    match error {
        Error::TooLarge => StatusCode::PAYLOAD_TOO_LARGE.into(),
        error => error.into(),
    }
}

async fn receive<P: RequestPart>(
    context: &RequestContext,
    route: &Route,
    request: Request,
) -> std::result::Result<(Sent, Option<Ticket>), Problem> {
    let (mut parts, body) = request.into_parts();
    let path = axum::RequestPartsExt::extract::<RawPathParams>(&mut parts)
        .await
        .map_err(|_| StatusCode::NOT_FOUND)?;
    let path: Vec<String> = path.iter().map(|(_, value)| value.to_owned()).collect();
    let mut ticket = None;
    if let Some(purpose) = P::UPLOAD {
        // Checked before megabytes are read, not after.
        let (engine, caller) = (context.engine(), &context.caller);
        let owner = match (purpose.upload().may, path.as_slice()) {
            (Uploader::Customer, [purchase, order, ..]) => {
                let key = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
                    .find_map(|(name, key)| (name == "key").then_some(key))
                    .unwrap_or_default();
                let of = (purchase.as_str(), key.as_ref());
                haat_engine::orders::picture_owner(engine, caller, of, order).await?
            }
            (Uploader::Party, path @ [.., id]) => {
                let shop = match path {
                    [shop, _] => {
                        // An empty handle would be the shopper's seat.
                        caller.shop(shop, Permission::AnswerCustomers)?;
                        shop
                    }
                    _ => "",
                };
                let id = id.parse().map_err(|_| Error::NotFound)?;
                haat_engine::chat::picture_owner(engine, caller, shop, id).await?
            }
            (_, path) => {
                let shop = path.first().map(String::as_str);
                haat_engine::media::owner(engine, caller, purpose, shop).await?
            }
        };
        ticket = Some(media::enter(&context.state, &context.origin.to_string(), &context.caller, owner)?);
    }
    let usual = context.state.runtime.config.server.body_bytes_max;
    let limit = match [API_CREATE_PRODUCT, API_UPDATE_PRODUCT].contains(route) {
        true => {
            context.caller.shop(path.first().map_or("", String::as_str), Permission::ManageCatalog)?;
            SAVE_BYTES_MAX.max(usual)
        }
        false => P::UPLOAD.map_or(usual, |purpose| purpose.upload().bytes_max),
    };
    let (body, unread) = match P::BODY {
        true => {
            let whole = whole(body.into_data_stream(), Pace::default(), limit, |_| Error::TooLarge).await;
            (whole.map_err(too_large)?.into(), Default::default())
        }
        false => (Default::default(), body),
    };
    let query = parts.uri.query().unwrap_or_default().to_owned();
    Ok((Sent { path, query, headers: parts.headers, body, unread: unread.into() }, ticket))
}

/// Executes a command once per key: repeating it returns the first response. Errors are not stored, since
/// nothing happened; if a gateway was called, the use case stores its response under the same key.
async fn once<P, A, F, Fut>(
    route: Route,
    context: RequestContext,
    sent: Sent,
    handler: F,
) -> std::result::Result<Reply, Problem>
where
    P: RequestPart,
    A: IntoReply,
    F: Fn(RequestContext, P) -> Fut + Send + Sync,
    Fut: Future<Output = Result<A>> + Send,
{
    let parts = P::read(&sent)?;
    let extract::Once(key) = extract::Once::read(&sent)?;
    let body = format!("{}\n{}", sent.path.join("/"), strict_json::canonical(&sent.body));
    let key = IdempotencyKey::new(context.who(), route.path, &key, &body);
    let engine = context.engine().clone();
    let attempt = match idempotency::claim::<Job>(&engine, &key).await.map_err(Error::from)? {
        Claim::Mine(attempt) => attempt,
        Claim::Done(answer) => return Ok(serde_json::from_str(&answer).map_err(|_| Error::Internal)?),
    };
    let reply = match handler(context, parts).await {
        Ok(answer) => answer.reply(),
        Err(error) => Err(error.into()),
    };
    let kept = reply.as_ref().ok().and_then(|reply| serde_json::to_string(reply).ok());
    idempotency::settle(&engine, key, attempt, kept).await.map_err(Error::from)?;
    reply
}

fn answer(reply: Reply) -> Response {
    let (kind, mut response) = match reply.stream {
        Some((kind, body)) => (kind, body.into_response()),
        None => ("application/json", reply.body.into_response()),
    };
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if reply.status != 204 {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(version) = reply.version
        && let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\""))
    {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use haat_shared::routes::REST;
    use serde_json::Value;

    fn document() -> Value {
        api().document.finish("http://localhost", haat_shared::Currency::INR).0
    }

    /// What is documented is what is on the list, and the other way round: it is served from the same place.
    #[test]
    fn every_route_is_documented_and_nothing_else() {
        let document = document();
        let mut documented = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            documented.extend(methods.as_object().unwrap().keys().map(|m| (m.to_uppercase(), path.clone())));
        }
        let mut listed: Vec<_> = REST.iter().map(|r| (r.method.to_owned(), r.path.to_owned())).collect();
        documented.sort();
        listed.sort();
        assert_eq!(documented, listed);
    }

    /// A change of the API is a change of this file.
    #[test]
    fn the_document_is_the_one_that_was_published() {
        let mut document = document();
        document["info"]["version"] = "[version]".into();
        let _in = crate::snapshots();
        insta::assert_json_snapshot!("openapi", document);
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_its_name() {
        let document = document();
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    fields.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100, "{}", found.len());
        for reference in found {
            let there = document.pointer(reference.trim_start_matches('#'));
            assert!(there.is_some_and(|schema| !schema.is_null()), "{reference}");
        }
        let mut names: Vec<&str> = Vec::new();
        for methods in document["paths"].as_object().unwrap().values() {
            names.extend(methods.as_object().unwrap().values().map(|op| op["operationId"].as_str().unwrap()));
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_command_says_whether_it_takes_a_body() {
        let document = document();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let says_none =
                    operation["description"].as_str().is_some_and(|about| about.contains("no request body"));
                let command = ["post", "put", "patch"].contains(&method.as_str());
                assert_eq!(says_none, command && operation["requestBody"].is_null(), "{method} {path}");
            }
        }
    }

    /// Cursors are text, but numbers in the feed of events; `after` takes what `next` gives.
    #[test]
    fn a_cursor_is_of_one_type() {
        let document = document();
        let about = document["info"]["description"].as_str().unwrap();
        assert!(about.contains("In the event feed, `next` is a sequence number, an integer"), "{about}");
        for (path, methods) in document["paths"].as_object().unwrap() {
            let operation = &methods["get"];
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            let properties_of = |schema: &Value| {
                let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
                name.map(|name| document["components"]["schemas"][name]["properties"].clone())
            };
            let Some(properties) = properties_of(schema) else { continue };
            // The page is the answer, or one part of it, as a balance's transactions are.
            let part = |value: &Value| properties_of(value).filter(|inner| inner["next"].is_object());
            let inner = properties.as_object().unwrap().values().find_map(part);
            let next = &inner.unwrap_or(properties)["next"]["type"];
            let parameters = operation["parameters"].as_array().unwrap();
            let Some(after) = parameters.iter().find(|parameter| parameter["name"] == "after") else {
                continue;
            };
            let expected = if path.ends_with("/events") { "integer" } else { "string" };
            assert_eq!(after["schema"]["type"], expected, "{path}");
            assert_eq!(next.as_str().or(next[0].as_str()), Some(expected), "{path}");
        }
    }

    #[test]
    fn only_bearer_tokens_are_accepted() {
        let headers = |value: &str| HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(bearer(&HeaderMap::new()), Ok(None));
        assert_eq!(bearer(&headers("bearer abc")), Ok(Some("abc".into())));
        for other in ["", "abc", "Bearer ", "Basic abc"] {
            assert_eq!(bearer(&headers(other)), Err(Error::SignInNeeded), "{other}");
        }
    }
}
