//! The fallback error page: for maintenance, an unavailable database, an unreadable request or an internal
//! error. It is self-contained: it needs no file, no script and no database.

use askama::Template;
use axum::{
    extract::{Request, State as Extract},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use haat_app::i18n::{Locale, t, tn};
use haat_engine::random;
use haat_shared::routes::{HEALTHZ, METRICS, READYZ};

use super::{State, caller, limits::Refused};

/// The `Retry-After` of the maintenance page, in seconds.
const MAINTENANCE_S: u32 = 120;

#[derive(Template)]
#[template(path = "page/outage.html")]
struct Outage {
    locale: Locale,
    nonce: String,
    title: &'static str,
    note: String,
    /// The URL to try again, if that may help.
    retry: Option<String>,
    /// A form to submit again.
    form: Option<Refused>,
    /// Whether the market is reachable, so that the page can link to it.
    home: bool,
}

/// Responds in place of the market during maintenance, and adds a page to failed responses without one,
/// if the client is a browser.
pub(super) async fn maintenance_page(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if [HEALTHZ, READYZ, METRICS].contains(&path) {
        return next.run(request).await;
    }
    let closed = state.runtime.config.server.maintenance;
    let reads_pages = accepts_html(request.headers());
    let locale = caller::language(&state, request.headers());
    let again = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let again = (request.method() == Method::GET).then_some(again);
    let answer = if closed {
        (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, HeaderValue::from(MAINTENANCE_S))])
            .into_response()
    } else {
        next.run(request).await
    };
    if !reads_pages || answer.status().as_u16() < 400 || is_page(&answer) {
        return answer;
    }
    page(answer, locale, again, closed)
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|a| a.contains("text/html"))
}

fn is_page(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html") || kind.starts_with("application/json"))
}

fn page(mut answer: Response, locale: Locale, again: Option<String>, closed: bool) -> Response {
    let form = answer.extensions_mut().remove::<Refused>();
    let wait =
        answer.headers().get(header::RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse::<u32>().ok());
    let (title, note) = match answer.status() {
        _ if closed => (t!(locale, outage.maintenance), t!(locale, outage.maintenance_note)),
        StatusCode::NOT_FOUND => (t!(locale, outage.missing), t!(locale, failure.missing_note)),
        StatusCode::PAYLOAD_TOO_LARGE => (t!(locale, outage.large), t!(locale, outage.large_note)),
        StatusCode::SERVICE_UNAVAILABLE => (t!(locale, outage.busy), t!(locale, outage.busy_note)),
        StatusCode::TOO_MANY_REQUESTS => (t!(locale, outage.often), t!(locale, outage.often_note)),
        status if status.is_client_error() => (t!(locale, outage.refused), t!(locale, outage.refused_note)),
        _ => (t!(locale, outage.broken), t!(locale, outage.broken_note)),
    };
    let note = match (answer.status(), wait) {
        (StatusCode::TOO_MANY_REQUESTS, Some(n)) => tn!(locale, outage.often_wait, n),
        _ => note.to_owned(),
    };
    let retry = again
        .filter(|_| answer.status() == StatusCode::TOO_MANY_REQUESTS || answer.status().is_server_error());
    let nonce = random::token();
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; form-action {}; \
         frame-ancestors 'none'",
        if form.is_some() { "'self'" } else { "'none'" }
    );
    let Ok(html) = (Outage { locale, nonce, title, note, retry, form, home: !closed }).render() else {
        return answer;
    };
    let (mut parts, _) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        parts.headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    (parts.status, parts.headers, Html(html)).into_response()
}
