//! How a form ended, as its redirect says to the page: `?done=confirm`, `?error=out_of_stock`.
//!
//! The redirect also sets a cookie with the signature of its URL, which the page takes away. Without that cookie, the
//! outcome is taken off the URL and not shown. So no link can claim that something happened, and reloading a page
//! doesn't show it again.

use axum::{
    extract::Request,
    http::{HeaderValue, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use haat_app::cookies;
use haat_shared::routes::{with, without_outcome};

use super::{State, back};

const COOKIE: &str = "outcome";
/// How long the browser has to follow the redirect.
const AGE_S: i64 = 60;

/// Redirects to the page, which shows the outcome once.
pub(super) fn redirect(state: &State, page: &str, outcome: &[(&str, &str)]) -> Response {
    let url = back::local(&with(page, outcome));
    let cookie = cookies::set(
        state.runtime.config.secure(),
        COOKIE,
        &state.runtime.engine.secret.sign(COOKIE, &url),
        AGE_S,
    );
    (AppendHeaders([(header::SET_COOKIE, cookie)]), back::to(&url)).into_response()
}

/// The cookie to set with a page that shows an outcome, if it does. Fails with the redirect to the page without it, if
/// no form led there just now.
pub(super) fn once(state: &State, request: &Request) -> Result<Option<HeaderValue>, Box<Response>> {
    let url = request.uri().path_and_query().map_or("", |url| url.as_str());
    let plain = without_outcome(url);
    if plain == url {
        return Ok(None);
    }
    let secure = state.runtime.config.secure();
    match cookies::get(request.headers(), secure, COOKIE) {
        Some(signature) if state.runtime.engine.secret.verify(COOKIE, url, signature) => {
            Ok(Some(cookies::remove(secure, COOKIE)))
        }
        _ => Err(Box::new(back::to(&plain).into_response())),
    }
}
