//! Middleware for every request: log spans, metrics, security headers, and the response to a panic.

use std::{any::Any, collections::HashSet, net::Ipv6Addr, sync::LazyLock, time::Instant};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State as Extract},
    http::{HeaderName, HeaderValue, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use haat_app::cookies;
use haat_engine::random;
use haat_shared::{
    Error,
    routes::{REST, ROUTES},
};
use tracing::Span;

/// The lifetime of the cookie whose change evicts frozen pages, which are not kept longer themselves.
const TURN_S: i64 = 600;
/// The maximum length of a request ID that is accepted from a client.
const REQUEST_ID_MAX: usize = 64;

/// Removes request IDs that could forge or flood the log; the request then gets one of ours.
pub(super) async fn bound_request_id(mut request: Request, next: Next) -> Response {
    const ID: &str = "x-request-id";
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let ids: Vec<&HeaderValue> = request.headers().get_all(ID).iter().collect();
    let fits = matches!(ids[..], [id] if (1..=REQUEST_ID_MAX).contains(&id.len()) && id.as_bytes().iter().all(plain));
    if !fits {
        request.headers_mut().remove(ID);
    }
    next.run(request).await
}

/// Rejects requests without exactly one host (RFC 9112, section 3.2), because a proxy in front may have
/// read another one. If the request's target is a whole URL, its host must be the same.
pub(super) async fn one_host(request: Request, next: Next) -> Response {
    let hosts: Vec<&HeaderValue> = request.headers().get_all(header::HOST).iter().collect();
    let target = request.uri().authority().map(Authority::as_str);
    let fits = match hosts[..] {
        [host] => host
            .to_str()
            .is_ok_and(|host| is_host(host) && target.is_none_or(|target| target.eq_ignore_ascii_case(host))),
        _ => false,
    };
    if fits { next.run(request).await } else { StatusCode::BAD_REQUEST.into_response() }
}

/// Whether this is a name or an IP address, with or without a port. Everything else that RFC 3986 allows,
/// such as commas, occurs in no name.
fn is_host(host: &str) -> bool {
    let digits = |port: &str| port.parse::<u16>().is_ok() && port.bytes().all(|b| b.is_ascii_digit());
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if let Some((address, port)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = port.is_empty() || port.strip_prefix(':').is_some_and(digits);
        return port && address.parse::<Ipv6Addr>().is_ok();
    }
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    !name.is_empty() && name.bytes().all(plain) && port.is_none_or(digits)
}

/// The log span of a request.
pub(super) fn span(request: &Request<Body>) -> Span {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    // Without the query, which may contain tokens.
    tracing::info_span!("request", id, method = %request.method(), path = request.uri().path())
}

/// Logs every response; errors on our side are warnings.
pub(super) fn answered(response: &Response, elapsed: std::time::Duration, _: &Span) {
    let (status, elapsed_us) = (response.status().as_u16(), elapsed.as_micros() as u64);
    match status {
        500.. => tracing::warn!(status, elapsed_us, "answered"),
        _ => tracing::debug!(status, elapsed_us, "answered"),
    }
}

/// Counts and times requests by route, for `/metrics`.
pub(super) async fn measure(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", |path| path.as_str()).to_owned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("haat_requests_total", "route" => route.clone(), "status" => status).increment(1);
    metrics::histogram!("haat_request_seconds", "route" => route).record(begun.elapsed());
    response
}

/// The paths with personal responses.
static PRIVATE: LazyLock<HashSet<&str>> =
    LazyLock::new(|| ROUTES.iter().chain(REST).filter(|r| r.is_private()).map(|r| r.path).collect());

/// Forbids storing personal responses, unless the response has stricter headers.
pub(super) async fn keep_private(request: Request, next: Next) -> Response {
    let private =
        request.extensions().get::<MatchedPath>().is_some_and(|path| PRIVATE.contains(path.as_str()));
    let mut response = next.run(request).await;
    if private {
        let headers = response.headers_mut();
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

/// Evicts pages from the back-forward cache, because after paying and signing out they are outdated, and
/// without scripts nothing on them requests them again. `Clear-Site-Data` evicts all but the page that
/// sent the form. Chromium evicts that one too, as a `no-store` page, once an `HttpOnly` cookie has
/// changed.
pub(super) async fn forget_frozen(Extract(tls): Extract<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    // Every change is answered with a redirect.
    if !response.status().is_redirection() {
        return response;
    }
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\""));
    headers.append(header::SET_COOKIE, cookies::set(tls, "turn", &random::token(), TURN_S));
    response
}

const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(self)",
    ),
];

/// The policy of responses without a policy of their own.
const NOTHING_LOADS: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Sets the security headers.
pub(super) async fn secure(Extract(tls): Extract<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let unread = response.status() == StatusCode::PAYLOAD_TOO_LARGE;
    let headers = response.headers_mut();
    if unread {
        // The rest of the body is left unread, so the connection can't be reused; tell the client.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING_LOADS));
    if tls {
        let always = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(always);
    }
    response
}

/// The response of a handler that panicked.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let what = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = what.unwrap_or("?"), "a handler panicked");
    plain(&Error::Internal)
}

/// A response without a body, which `outage::cover` fills in for browsers.
pub(super) fn plain(error: &Error) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = status.into_response();
    if let Some(seconds) = error.retry_after_s() {
        response.headers_mut().insert(super::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for good in
            ["localhost", "market.example:443", "192.0.2.1:3000", "[::1]", "[2001:db8::1]:80", "a_b-c.d"]
        {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            ":80",
            "localhost,evil.example",
            "me@localhost",
            "localhost:",
            "localhost:99999",
            "localhost:+1",
            "localhost:80:80",
            "[::1",
            "::1",
            "[::1]80",
            "[evil.example]",
            "a b",
            "a/b",
            "a;b",
            "a$b",
            "a'b",
            "a%41",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
