//! The part of Razorpay that the market uses: payment links with their page, orders with the window of Checkout, payments,
//! refunds with idempotency keys, and signed webhooks. Written from Razorpay's documentation.

mod books;
mod page;
mod window;

use axum::{
    Router,
    extract::State as Extract,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::Value;

pub use crate::faults::Fault;
use crate::{
    common::{self, Common, Fake, hmac},
    faults::lost,
};
use books::{Answer, refused};

/// How the account behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Behaviour {
    /// Refunds are pending until [`Razorpay::end_refunds`].
    pub refunds_later: bool,
    /// Shoppers are charged one less, of the smallest unit.
    pub charges_less: bool,
    /// Shoppers are charged in another currency.
    pub charges_dollars: bool,
    /// Links don't name their payments.
    pub hides_payments: bool,
}

/// A fake of Razorpay.
pub type Razorpay = Fake<Books>;

/// The books of an account.
#[derive(Default)]
pub struct Books {
    url: String,
    credentials: String,
    key_id: String,
    key_secret: String,
    webhook_secret: String,
    behaviour: Behaviour,
    common: Common,
}

impl common::Books for Books {
    fn common(&mut self) -> &mut Common {
        &mut self.common
    }

    /// The time is in the body.
    fn signed(&mut self, body: &[u8], _: i64, secret: Option<&str>) -> Vec<(&'static str, String)> {
        let signature = hmac(secret.unwrap_or(&self.webhook_secret), &[body]);
        vec![
            ("x-razorpay-signature", signature),
            ("x-razorpay-event-id", format!("event{}", self.common.next())),
        ]
    }
}

impl Razorpay {
    /// Starts an account with a key and the secret of its webhook, on a free port if it is 0.
    pub async fn start(key_id: &str, key_secret: &str, webhook_secret: &str, port: u16) -> Self {
        let credentials = format!("Basic {}", BASE64_STANDARD.encode(format!("{key_id}:{key_secret}")));
        let [key_id, key_secret, webhook_secret] = [key_id, key_secret, webhook_secret].map(str::to_owned);
        let books = Books { credentials, key_id, key_secret, webhook_secret, ..Books::default() };
        let (razorpay, listener) = Self::listen(port, books).await;
        razorpay.books().url.clone_from(&razorpay.url);
        let router = Router::new()
            .route("/i/{link}", get(page::page).post(page::answer))
            .route("/v1/checkout.js", get(window::script))
            .route("/window", get(window::page))
            .route("/window/pay", post(window::answer))
            .fallback(api);
        razorpay.serve(listener, router);
        razorpay
    }

    /// The secret that webhooks are signed with.
    pub fn sign_with(&self, secret: &str) {
        secret.clone_into(&mut self.books().webhook_secret);
    }

    /// How the account behaves from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.books().behaviour = behaviour;
    }

    /// The objects whose IDs begin like this: `plink_`, `order_`, `pay_`, `rfnd_`.
    pub fn objects(&self, prefix: &str) -> Vec<Value> {
        let books = self.books();
        let objects = books.common.objects.iter().filter(|(id, _)| id.starts_with(prefix));
        objects.map(|(_, object)| object.clone()).collect()
    }

    /// Ends the pending refunds.
    pub fn end_refunds(&self, succeed: bool) {
        self.books().end_refunds(succeed);
    }

    /// As if all orders had been made so much earlier.
    pub fn age(&self, seconds: i64) {
        self.books().age(seconds);
    }

    /// Open links expire.
    pub fn expire(&self) {
        self.books().end_links("expired");
    }

    /// Somebody disputes the latest payment. Returns the ID of the dispute.
    pub fn dispute(&self) -> String {
        self.books().dispute()
    }

    /// The bank decides about a dispute.
    pub fn decide(&self, dispute: &str, won: bool) {
        self.books().decide(dispute, won);
    }

    /// An amount is transferred to the bank.
    pub fn settle(&self, amount: i64) {
        self.books().settle(amount);
    }
}

/// The API.
async fn api(
    Extract(razorpay): Extract<Razorpay>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let answer = |(status, body): Answer| (status, axum::Json(body)).into_response();
    let path = uri.path();
    let fault = razorpay.books().common.faults.of(format!("{method} {path}"));
    match fault {
        Some(Fault::Silent) => return std::future::pending().await,
        Some(Fault::Status(status)) => {
            return answer(refused(StatusCode::from_u16(status).unwrap(), "SERVER_ERROR", "server_error"));
        }
        Some(Fault::Lost) | None => {}
    }
    let done = if header("authorization") != Some(&razorpay.books().credentials) {
        refused(StatusCode::UNAUTHORIZED, "BAD_REQUEST_ERROR", "authentication_failed")
    } else {
        let (query, key) = (uri.query().unwrap_or_default(), header("x-refund-idempotency"));
        razorpay.books().answer_once(&method, path, query, &body, key)
    };
    razorpay.deliver_if_automatic();
    if fault == Some(Fault::Lost) { lost() } else { answer(done) }
}
