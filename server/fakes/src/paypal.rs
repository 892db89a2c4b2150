//! The part of PayPal that the market uses: tokens, orders with their page, captures, refunds, idempotency keys,
//! and webhooks with the endpoint that confirms their signatures. Written from PayPal's documentation.

mod books;
mod page;

use std::time::{Duration, Instant};

use axum::{
    Router,
    extract::State as Extract,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};

pub use crate::faults::Fault;
use crate::{
    common::{self, Common, Fake, hmac, now_s},
    faults::lost,
};
use books::{Answer, moment, refused};

/// How long a token is valid.
const TOKEN_S: u64 = 32_400;

/// How the account behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Behaviour {
    /// Refunds are pending until [`PayPal::end_refunds`].
    pub refunds_later: bool,
    /// Captures are pending until [`PayPal::end_captures`].
    pub captures_later: bool,
    /// The bank of whoever pays declines every capture.
    pub captures_decline: bool,
    /// PayPal captures one less, of the last digit.
    pub captures_less: bool,
    /// PayPal captures in another currency.
    pub captures_euros: bool,
    /// Tokens are valid for this many seconds, unless it is 0.
    pub token_s: u64,
}

/// A fake of PayPal.
pub type PayPal = Fake<Books>;

/// The books of an account.
#[derive(Default)]
pub struct Books {
    url: String,
    credentials: String,
    webhook_id: String,
    tokens: Vec<(String, Instant)>,
    behaviour: Behaviour,
    common: Common,
}

impl common::Books for Books {
    fn common(&mut self) -> &mut Common {
        &mut self.common
    }

    /// `secret` is the ID of the webhook that is signed for.
    fn signed(&mut self, body: &[u8], age_s: i64, secret: Option<&str>) -> Vec<(&'static str, String)> {
        let (id, time) = (format!("transmission-{}", self.common.next()), moment(now_s() - age_s));
        let signature =
            hmac(secret.unwrap_or(&self.webhook_id), &[id.as_bytes(), b"|", time.as_bytes(), body]);
        vec![
            ("paypal-transmission-id", id),
            ("paypal-transmission-time", time),
            ("paypal-transmission-sig", signature),
            ("paypal-auth-algo", "SHA256withRSA".into()),
            ("paypal-cert-url", format!("{}/v1/notifications/certs/CERT-fake", self.url)),
        ]
    }
}

impl PayPal {
    /// Starts an account with an app and a webhook, on a free port if it is 0.
    pub async fn start(client_id: &str, secret: &str, webhook_id: &str, port: u16) -> Self {
        let credentials = format!("{client_id}:{secret}");
        let books = Books { credentials, webhook_id: webhook_id.into(), ..Books::default() };
        let (paypal, listener) = Self::listen(port, books).await;
        paypal.books().url.clone_from(&paypal.url);
        let router = Router::new().route("/checkoutnow", get(page::page).post(page::answer)).fallback(api);
        paypal.serve(listener, router);
        paypal
    }

    /// How the account behaves from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.books().behaviour = behaviour;
    }

    /// The orders.
    pub fn orders(&self) -> Vec<Value> {
        self.of_kind("ORDER")
    }

    /// The captures that were made.
    pub fn captures(&self) -> Vec<Value> {
        self.of_kind("CAPTURE")
    }

    /// The refunds that were made.
    pub fn refunds(&self) -> Vec<Value> {
        self.of_kind("REFUND")
    }

    fn of_kind(&self, prefix: &str) -> Vec<Value> {
        let books = self.books();
        let objects = books.common.objects.iter().filter(|(id, _)| id.starts_with(prefix));
        objects.map(|(_, object)| object.clone()).collect()
    }

    /// Ends the pending captures.
    pub fn end_captures(&self, succeed: bool) {
        self.books().end_captures(succeed);
    }

    /// Ends the pending refunds.
    pub fn end_refunds(&self, succeed: bool) {
        self.books().end_refunds(succeed);
    }

    /// Orders that were not captured are forgotten, as after some hours.
    pub fn expire(&self) {
        let mut books = self.books();
        books.common.objects.retain(|id, order| !id.starts_with("ORDER") || order["status"] == "COMPLETED");
        books.common.answered.forget();
    }

    /// No token is valid any more.
    pub fn revoke_tokens(&self) {
        self.books().tokens.clear();
    }

    /// Somebody disputes the latest capture. Returns the ID of the dispute.
    pub fn dispute(&self) -> String {
        self.books().dispute()
    }

    /// PayPal decides about a dispute.
    pub fn decide(&self, dispute: &str, won: bool) {
        self.books().decide(dispute, won);
    }

    /// PayPal takes the latest capture back.
    pub fn reverse(&self) {
        self.books().reverse();
    }
}

/// The API.
async fn api(
    Extract(paypal): Extract<PayPal>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let answer =
        |(status, body): Answer| (status, [("paypal-debug-id", "fake")], axum::Json(body)).into_response();
    let path = uri.path();
    let fault = paypal.books().common.faults.of(format!("{method} {path}"));
    match fault {
        Some(Fault::Silent) => return std::future::pending().await,
        Some(Fault::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap();
            return answer(refused(status, "INTERNAL_SERVER_ERROR", ""));
        }
        Some(Fault::Lost) | None => {}
    }
    let authorization = header("authorization");
    let done = if (&method, path) == (&Method::POST, "/v1/oauth2/token") {
        paypal.books().grant(authorization, header("content-type"), &body)
    } else if !paypal.books().knows(authorization) {
        refused(StatusCode::UNAUTHORIZED, "AUTHENTICATION_FAILURE", "")
    } else if method == Method::POST && header("content-type") != "application/json" {
        refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", "")
    } else {
        let key = headers.get("paypal-request-id").and_then(|key| key.to_str().ok());
        paypal.books().answer_once(&method, path, &body, key)
    };
    paypal.deliver_if_automatic();
    if fault == Some(Fault::Lost) { lost() } else { answer(done) }
}

impl Books {
    fn knows(&self, authorization: &str) -> bool {
        let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
        self.tokens.iter().any(|(known, until)| known == token && Instant::now() < *until)
    }

    fn grant(&mut self, authorization: &str, content_type: &str, body: &[u8]) -> Answer {
        let known = authorization
            .strip_prefix("Basic ")
            .is_some_and(|given| given == BASE64_STANDARD.encode(&self.credentials));
        if !known {
            let error =
                json!({ "error": "invalid_client", "error_description": "Client Authentication failed" });
            return (StatusCode::UNAUTHORIZED, error);
        }
        if content_type != "application/x-www-form-urlencoded" || body != b"grant_type=client_credentials" {
            return (StatusCode::BAD_REQUEST, json!({ "error": "unsupported_grant_type" }));
        }
        let (token, lasts) = (format!("A21AA{}", self.common.next()), self.behaviour.token_s);
        let lasts = if lasts == 0 { TOKEN_S } else { lasts };
        self.tokens.push((token.clone(), Instant::now() + Duration::from_secs(lasts)));
        let granted = json!({
            "scope": "https://uri.paypal.com/services/payments/payment",
            "access_token": token,
            "token_type": "Bearer",
            "app_id": "APP-fake",
            "expires_in": lasts,
            "nonce": "fake",
        });
        (StatusCode::OK, granted)
    }
}
