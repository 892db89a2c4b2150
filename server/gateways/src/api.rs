//! The HTTP client for the APIs of payment providers: TLS, JSON, time limits and retries.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use haat_engine::payments::{GatewayError, GatewayResult, REQUEST_LIMIT, repeated};
use http::{Method, Request, request::Builder};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The most that is read of a response.
const BODY_MAX: usize = 1_048_576;

/// A client that keeps connections open.
pub(crate) struct Client(Pool<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// A request, which can be sent more than once.
pub(crate) type Outgoing = Request<Full<Bytes>>;

/// A response, unless it was one that promises a better one.
pub(crate) struct Answer {
    status: u16,
    body: Bytes,
}

/// A request to an address. The headers and the body follow.
pub(crate) fn request(method: Method, url: &str) -> Builder {
    Request::builder().method(method).uri(url).header("accept", "application/json")
}

/// A request with a body in JSON.
pub(crate) fn with_json(request: Builder, body: &Value) -> GatewayResult<Outgoing> {
    with_body(request.header("content-type", "application/json"), body.to_string())
}

/// A request with a body.
pub(crate) fn with_body(request: Builder, body: impl Into<Bytes>) -> GatewayResult<Outgoing> {
    request.body(Full::new(body.into())).map_err(|e| GatewayError::Refused(e.to_string()))
}

/// The value of the header `authorization` for a user and a password.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// An ID as a segment of a path. IDs that webhooks name become a part of addresses.
pub(crate) fn segment(id: &str) -> GatewayResult<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !id.is_empty() && id.chars().all(plain) {
        return Ok(id);
    }
    Err(GatewayError::Refused("not an ID of the gateway".into()))
}

impl Client {
    pub(crate) fn new() -> Self {
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        Self(Pool::builder(TokioExecutor::new()).build(connector))
    }

    /// Sends a request that may be sent again: one that only reads, that has an idempotency key, or that is refused
    /// the second time.
    pub(crate) async fn send(&self, request: &Outgoing) -> GatewayResult<Answer> {
        repeated(|| self.send_once(request.clone()), |_| true).await
    }

    /// Sends the request of a library once, and again only if it reads.
    pub(crate) async fn pass(&self, request: Request<Vec<u8>>) -> GatewayResult<http::Response<Vec<u8>>> {
        let reads = request.method() == Method::GET;
        let request = request.map(|body| Full::new(body.into()));
        let answer = if reads { self.send(&request).await? } else { self.send_once(request).await? };
        let response = http::Response::builder().status(answer.status).body(answer.body.to_vec());
        response.map_err(|e| GatewayError::Unreachable(e.to_string()))
    }

    async fn send_once(&self, request: Outgoing) -> GatewayResult<Answer> {
        let answered = async {
            let response = self.0.request(request).await.map_err(|e| lost(&e))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), BODY_MAX).collect().await.map_err(|e| lost(&*e))?;
            Ok(Answer { status, body: body.to_bytes() })
        };
        let late = |_| Err(GatewayError::Unreachable("no response in time".into()));
        let answer = tokio::time::timeout(REQUEST_LIMIT, answered).await.unwrap_or_else(late)?;
        // It works on the same request, has too many, or has failed itself.
        match answer.status {
            409 | 425 | 429 | 500..=599 => {
                Err(GatewayError::Unreachable(format!("status {}", answer.status)))
            }
            _ => Ok(answer),
        }
    }
}

/// No response: the cause is at the end of the chain.
fn lost(error: &(dyn std::error::Error + 'static)) -> GatewayError {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    GatewayError::Unreachable(cause.to_string())
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The body, if it is JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What a successful response says. Otherwise the error, with the reason that `why` finds in the body: the
    /// whole body would put the payment into the log.
    pub(crate) fn read<T: DeserializeOwned>(&self, why: fn(&Value) -> String) -> GatewayResult<T> {
        if !self.is_success() {
            return Err(self.failure(why));
        }
        // The request has succeeded, although we don't know how.
        serde_json::from_slice(&self.body).map_err(|e| GatewayError::Unreachable(format!("unreadable: {e}")))
    }

    /// The error of an unsuccessful response.
    pub(crate) fn failure(&self, why: fn(&Value) -> String) -> GatewayError {
        let text = format!("status {}: {}", self.status, why(&self.json()));
        // Wrong credentials are the operator's mistake, and no refusal of this payment.
        match self.status {
            401 | 403 | 408 => GatewayError::Unreachable(text),
            404 | 410 => GatewayError::Gone(text),
            _ => GatewayError::Refused(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_become_a_part_of_an_address() {
        assert_eq!(segment("5O190127TN364715T"), Ok("5O190127TN364715T"));
        assert_eq!(segment("plink_ExjpAUN3gVHrPJ"), Ok("plink_ExjpAUN3gVHrPJ"));
        for id in ["", "..", "a/b", "a?b", "a#b", "a b", "é", "%2e"] {
            assert!(segment(id).is_err(), "{id}");
        }
    }

    #[test]
    fn an_unsuccessful_response_is_refused_gone_or_the_operators_mistake() {
        let failure = |status: u16| {
            Answer { status, body: Bytes::from_static(b"{\"name\":\"NO\"}") }
                .failure(|body| body["name"].as_str().unwrap_or_default().to_owned())
        };
        let text = |status| format!("status {status}: NO");
        assert_eq!(failure(400), GatewayError::Refused(text(400)));
        assert_eq!(failure(422), GatewayError::Refused(text(422)));
        assert_eq!(failure(404), GatewayError::Gone(text(404)));
        assert_eq!(failure(401), GatewayError::Unreachable(text(401)));
        assert_eq!(failure(403), GatewayError::Unreachable(text(403)));
    }

    #[test]
    fn credentials_are_encoded() {
        // The example of RFC 7617.
        assert_eq!(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
