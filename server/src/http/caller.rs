//! Determines the caller from the cookies, once per request.

use axum::{
    extract::{Request, State as Extract},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};
use haat_app::{cookies, i18n::Locale};
use haat_engine::accounts;
use haat_shared::analytics::Source;

use super::{State, layers};
use crate::config::Mode;

/// The language of a request.
pub(super) fn language(state: &State, headers: &HeaderMap) -> Locale {
    let chosen = cookies::get(headers, state.runtime.config.secure(), "language");
    language_or(state, headers, chosen)
}

/// The language that was chosen elsewhere; without one, a language that the browser asks for.
pub(super) fn language_or(state: &State, headers: &HeaderMap, chosen: Option<&str>) -> Locale {
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let development = state.runtime.config.mode == Mode::Development;
    Locale::of_request(chosen, asked.unwrap_or_default(), development)
}

/// Determines the caller and passes it on with the request.
pub(super) async fn identify(Extract(state): Extract<State>, mut request: Request, next: Next) -> Response {
    let secure = state.runtime.config.secure();
    let headers = request.headers();
    let (session, cart) = (cookies::get(headers, secure, "session"), cookies::get(headers, secure, "cart"));
    match accounts::caller(&state.runtime.engine, session, cart).await {
        Ok(mut caller) => {
            caller.locale = language(&state, request.headers()).tag();
            let chosen = cookies::get(request.headers(), secure, "language");
            caller.locale_chosen = chosen.is_some_and(|tag| tag.eq_ignore_ascii_case(caller.locale));
            let currency = cookies::get(request.headers(), secure, "currency");
            // What was chosen in this browser goes before what is kept with the account.
            caller.currency = currency.and_then(|code| code.parse().ok()).or(caller.currency);
            let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
            caller.device = agent.unwrap_or_default().to_owned();
            let referer = request.headers().get(header::REFERER).and_then(|referer| referer.to_str().ok());
            caller.source = Source::of(referer.unwrap_or_default(), &state.runtime.engine.public_url);
            let origin = state.limits.origin(request.headers(), request.extensions());
            caller.origin = origin.hashed(&state.runtime.engine.secret);
            caller.reads = true;
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => layers::plain(&error),
    }
}
