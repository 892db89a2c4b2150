//! Pages and server functions: the user interface, with the caller in its context.

use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{Path, Request, State as Extract},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use haat_app::{api::Ctx, i18n};
use haat_engine::Caller;
use haat_shared::Error;
use leptos::{
    IntoView,
    prelude::{LeptosOptions, provide_context},
};
use tracing::Instrument;

use super::{State, back, forms, layers, outcome};

pub(super) fn context(state: &State, caller: Caller) -> impl Fn() + Clone + Send + Sync + 'static {
    let config = &state.runtime.config;
    let (secure, demo) = (config.secure(), config.market.demo);
    let ctx = Ctx { engine: state.runtime.engine.clone(), caller, secure, demo };
    move || provide_context(ctx.clone())
}

/// Renders a complete page, including the data that it waits for.
pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    if let Some(page) = forms::beyond_sign_in(&caller, request.uri()) {
        return back::to(&page).into_response();
    }
    let cookie = match outcome::once(&state, &request) {
        Ok(cookie) => cookie,
        Err(redirect) => return *redirect,
    };
    let unfiltered = unfiltered(request.uri());
    let mut response = render(&state, caller, haat_app::shell, request).await;
    // A link or bookmark may have a filter that doesn't exist any more, or a page of a list that never did.
    if let (StatusCode::UNPROCESSABLE_ENTITY, Some(page)) = (response.status(), unfiltered) {
        return back::to(&page).into_response();
    }
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// The page without its filters, but with the words that it searches for unless these are all. None if it has no filters, or
/// shows what was entered in a form: what a draft has kept, or the dates of a period.
fn unfiltered(uri: &Uri) -> Option<String> {
    let query = uri.query()?;
    let entered = |part: &str| ["draft=", "from=", "to="].iter().any(|name| part.starts_with(name));
    if query.split('&').any(entered) {
        return None;
    }
    let searched = query.split('&').find(|part| part.starts_with("q=")).filter(|part| *part != query);
    let searched = searched.map(|part| format!("?{part}")).unwrap_or_default();
    Some(format!("{}{searched}", uri.path()))
}

/// Renders `shell` for the caller.
///
/// This runs to its end in a task of its own: if a connection is dropped, its request is too, and with it
/// the owner of everything being rendered. Leptos' own tasks would then find their context and signals
/// gone, and log errors (docs/decisions/0004-leptos.md).
#[expect(clippy::disallowed_methods, reason = "it is waited for here, in the span of the request")]
pub(super) async fn render<V: IntoView + 'static>(
    state: &State,
    caller: Caller,
    shell: fn(LeptosOptions) -> V,
    request: Request,
) -> Response {
    let options = state.leptos.clone();
    let render =
        leptos_axum::render_app_async_with_context(context(state, caller), move || shell(options.clone()));
    let whole = async move {
        let (parts, body) = render(request).await.into_parts();
        let html = to_bytes(body, usize::MAX).await.map_err(|_| Error::Internal)?;
        let html = match nonce(&parts.headers) {
            Some(nonce) => Body::from(hidden(&html, nonce)),
            None => Body::from(html),
        };
        Ok::<_, Error>(Response::from_parts(parts, html))
    };
    let mut response = match tokio::spawn(whole.in_current_span()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => layers::plain(&error),
        Err(end) if end.is_panic() => std::panic::resume_unwind(end.into_panic()),
        // The server is shutting down.
        Err(_) => layers::plain(&Error::Busy { retry_after_s: 1 }),
    };
    // Every page shows who is signed in and what is in the cart. A cached page would still be shown after
    // signing out or paying, when the user goes back.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The nonce that a page's policy requires of its scripts.
fn nonce(headers: &HeaderMap) -> Option<&str> {
    let policy = headers.get(header::CONTENT_SECURITY_POLICY)?.to_str().ok()?;
    Some(policy.split_once("'nonce-")?.1.split_once('\'')?.0)
}

/// Removes the nonce from `crossorigin`, where Leptos writes it too. Browsers hide a nonce from styles
/// and scripts only in the attribute `nonce`.
fn hidden(html: &[u8], nonce: &str) -> String {
    String::from_utf8_lossy(html).replace(&format!("crossorigin=\"{nonce}\""), "crossorigin=\"anonymous\"")
}

/// The page for addresses that do not exist.
pub(super) async fn not_found(
    state: Extract<State>,
    caller: Extension<Caller>,
    request: Request,
) -> Response {
    let mut response = page(state, caller, request).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// The texts of a language, for its pages. The file name changes with the texts, so they may be cached
/// for good.
pub(super) async fn words(Path(file): Path<String>) -> Response {
    let locale = file.split('.').next().and_then(|tag| tag.parse().ok()).unwrap_or_default();
    let sheet = i18n::sheet(locale);
    if !sheet.path.ends_with(&file) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, sheet.text.as_str()).into_response()
}

/// A server function, called by a hydrated page.
pub(super) async fn function(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Response {
    let answer = leptos_axum::handle_server_fns_with_context(context(&state, caller), request).await;
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_taken_off_a_url() {
        for (url, kept) in [
            ("/admin/orders", None),
            ("/admin/orders?state=pending", Some("/admin/orders")),
            ("/admin/orders?q=a%26b&state=pending&rows=50", Some("/admin/orders?q=a%26b")),
            ("/products?sort=oldest&q=pen", Some("/products?q=pen")),
            ("/products?q=pen", Some("/products")),
            ("/admin/team?draft=d&state=x", None),
        ] {
            assert_eq!(unfiltered(&url.parse().unwrap()).as_deref(), kept, "{url}");
        }
    }

    #[test]
    fn only_the_attribute_nonce_carries_the_nonce() {
        let mut headers = HeaderMap::new();
        let policy =
            HeaderValue::from_static("default-src 'self'; script-src 'self' 'nonce-a+/=' 'wasm-unsafe-eval'");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        let page = r#"<link rel="preload" as="fetch" crossorigin="a+/="><link rel="modulepreload" crossorigin="a+/=" nonce="a+/=">"#;
        let kept = hidden(page.as_bytes(), nonce(&headers).unwrap());
        assert_eq!(kept.matches("a+/=").count(), kept.matches(r#"nonce="a+/=""#).count());
        assert_eq!(kept.matches(r#"crossorigin="anonymous""#).count(), 2);
    }
}
