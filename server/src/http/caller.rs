//! Who asks: read from the cookies, once a request.

use axum::{
    extract::{Request, State as Extract},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use haat_app::i18n::Locale;
use haat_engine::accounts;

use super::{State, layers};
use crate::config::Mode;

/// The names of our cookies. With `__Host-` a browser keeps them to this host, over TLS only.
pub(super) fn name(secure: bool, name: &str) -> String {
    if secure { format!("__Host-haat_{name}") } else { format!("haat_{name}") }
}

pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(n, _)| *n == name).map(|(_, value)| value))
        .filter(|value| !value.is_empty())
}

/// The token of the session, if the request carries one.
pub(super) fn session_token(headers: &HeaderMap, secure: bool) -> Option<String> {
    cookie(headers, &name(secure, "session")).map(str::to_owned)
}

/// The cookie that keeps someone signed in; without a token, the one that ends it.
pub(super) fn session_cookie(secure: bool, token: Option<&str>) -> HeaderValue {
    let (value, age) = token.map_or(("", 0), |token| (token, accounts::SESSION_MS / 1000));
    let tail = if secure { "; Secure" } else { "" };
    let text =
        format!("{}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={age}{tail}", name(secure, "session"));
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The cookie that remembers a chosen language.
pub(super) fn language_cookie(secure: bool, locale: Locale) -> HeaderValue {
    let tail = if secure { "; Secure" } else { "" };
    let (name, tag) = (name(secure, "language"), locale.tag());
    let text = format!("{name}={tag}; HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000{tail}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The language of a request.
pub(super) fn language(state: &State, headers: &HeaderMap) -> Locale {
    let chosen = cookie(headers, &name(state.booted.config.secure(), "language"));
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let development = state.booted.config.mode == Mode::Development;
    Locale::of_request(chosen, asked.unwrap_or_default(), development)
}

/// Finds out who asks and hands it on with the request.
pub(super) async fn identify(Extract(state): Extract<State>, mut request: Request, next: Next) -> Response {
    let secure = state.booted.config.secure();
    let headers = request.headers();
    let session = session_token(headers, secure);
    let cart = cookie(headers, &name(secure, "cart")).map(str::to_owned);
    match accounts::caller(&state.booted.engine, session.as_deref(), cart.as_deref()).await {
        Ok(mut caller) => {
            caller.locale = language(&state, request.headers()).tag();
            let origin = state.limits.origin(request.headers(), request.extensions());
            caller.origin = origin.hashed(&state.booted.engine.secret);
            caller.reads = true;
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => layers::plain(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; haat_cart=token; haat_session="));
        assert_eq!(cookie(&headers, "haat_cart"), Some("token"));
        assert_eq!(cookie(&headers, "cart"), None);
        assert_eq!(session_token(&headers, false), None);
        assert_eq!(
            session_cookie(true, Some("t")).to_str().unwrap(),
            "__Host-haat_session=t; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000; Secure"
        );
    }
}
