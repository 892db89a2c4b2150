//! The part of Stripe that the market uses: sessions of Checkout with their page, customers with their cards, payments, charges, fees, refunds,
//! accounts of shops with their pages, transfers, idempotency keys and signed webhooks. The bodies are those of version 2026-09-30.endive of
//! the API; that the SDK can read them is tested by everything that uses them.

mod books;
mod cards;
mod connect;
mod element;
mod page;

use std::ops::{Deref, DerefMut};

use axum::{
    Router,
    extract::State as Extract,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};

pub use crate::faults::Fault;
use crate::{
    common::{self, Common, Fake, hmac, now_s},
    faults::lost,
};
use books::refused;

/// Card numbers with an outcome of their own; all others succeed.
pub const DECLINED: &str = "4000000000000002";
/// A card that needs 3-D Secure.
pub const CHALLENGED: &str = "4000002500003155";

/// How the account behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Behaviour {
    /// Refunds are pending until [`Stripe::end_refunds`].
    pub refunds_later: bool,
    /// Charges are booked, with their fees, by [`Stripe::book`].
    pub books_later: bool,
}

/// A fake of Stripe.
pub type Stripe = Fake<Books>;

/// The books of an account.
#[derive(Default)]
pub struct Books {
    key: String,
    secrets: Vec<String>,
    behaviour: Behaviour,
    poor: bool,
    spent: bool,
    common: Common,
}

type Answer = Result<Value, (StatusCode, Value)>;

impl Deref for Books {
    type Target = Common;
    fn deref(&self) -> &Common {
        &self.common
    }
}

impl DerefMut for Books {
    fn deref_mut(&mut self) -> &mut Common {
        &mut self.common
    }
}

impl common::Books for Books {
    fn common(&mut self) -> &mut Common {
        &mut self.common
    }

    fn signed(&mut self, body: &[u8], age_s: i64, secret: Option<&str>) -> Vec<(&'static str, String)> {
        let at_s = now_s() - age_s;
        let secrets = secret.map_or_else(|| self.secrets.clone(), |secret| vec![secret.to_owned()]);
        let sign = |secret: &String| format!(",v1={}", hmac(secret, &[format!("{at_s}.").as_bytes(), body]));
        vec![("stripe-signature", format!("t={at_s}{}", secrets.iter().map(sign).collect::<String>()))]
    }
}

impl Books {
    fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}_{:0>24}", self.next())
    }

    /// The objects of a kind.
    fn ids(&self, kind: &str) -> Vec<String> {
        let fits = |object: &&Value| object["object"] == kind;
        self.objects.values().filter(fits).map(|object| object["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The objects of a kind in which `name` is `value`, newest first.
    fn with(&self, kind: &str, name: &str, value: &str) -> Vec<String> {
        let fits = |object: &&Value| object["object"] == kind && object[name] == value;
        let ids = self.objects.values().filter(fits).map(|object| object["id"].as_str().unwrap().to_owned());
        ids.rev().collect()
    }
}

impl Stripe {
    /// Starts an account with this secret key, on a free port if it is 0.
    pub async fn start(key: &str, secret: &str, port: u16) -> Self {
        let (key, secrets) = (format!("Bearer {key}"), vec![secret.to_owned()]);
        let (stripe, listener) = Self::listen(port, Books { key, secrets, ..Books::default() }).await;
        let router = Router::new()
            .route("/c/pay/{session}", get(page::page).post(page::pay))
            .route("/c/pay/{session}/challenge", get(page::page).post(page::challenge))
            .route("/setup/e/{link}", get(connect::page).post(connect::submit))
            .route("/v3/", get(element::script))
            .route("/element", get(element::fields))
            .route("/element/confirm", post(element::confirm))
            .fallback(api);
        stripe.serve(listener, router);
        stripe
    }

    /// The secrets that webhooks are signed with.
    pub fn sign_with(&self, secrets: &[&str]) {
        self.books().secrets = secrets.iter().map(|&secret| secret.to_owned()).collect();
    }

    /// How the account behaves from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.books().behaviour = behaviour;
    }

    /// The objects of a kind: `checkout.session`, `refund`.
    pub fn objects(&self, kind: &str) -> Vec<Value> {
        self.books().objects.values().filter(|object| object["object"] == kind).cloned().collect()
    }

    /// Ends the pending refunds.
    pub fn end_refunds(&self, succeed: bool) {
        let mut books = self.books();
        for id in books.with("refund", "status", "pending") {
            books.end_refund(&id, succeed);
        }
    }

    /// Books the charges that were not booked yet.
    pub fn book(&self) {
        let mut books = self.books();
        let charges = books.objects.values().filter(|object| {
            object["object"] == "charge"
                && object["captured"] == true
                && object["balance_transaction"].is_null()
        });
        for id in charges.map(|charge| charge["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>() {
            books.book(&id);
        }
    }

    /// The saved cards expire at the end of this month.
    pub fn cards_expire(&self, year: i64, month: i64) {
        let mut books = self.books();
        for id in books.ids("payment_method") {
            let mut card = books.objects[&id]["card"].clone();
            (card["exp_year"], card["exp_month"]) = (year.into(), month.into());
            books.set(&id, "card", card);
        }
    }

    /// Somebody deletes all customers in the dashboard, with what they saved.
    pub fn delete_customers(&self) {
        let mut books = self.books();
        for id in books.ids("customer").into_iter().chain(books.ids("payment_method")) {
            books.objects.remove(&id);
        }
    }

    /// Open sessions expire.
    pub fn expire(&self) {
        let mut books = self.books();
        for id in books.with("checkout.session", "status", "open") {
            books.expire(&id).unwrap();
        }
    }

    /// The payments on pages of the shop were created earlier than they were.
    pub fn age(&self, seconds: i64) {
        let mut books = self.books();
        for id in books.with("payment_intent", "status", "requires_payment_method") {
            let created = books.objects[&id]["created"].as_i64().unwrap();
            books.set(&id, "created", created - seconds);
        }
    }

    /// Somebody captures or cancels every authorized payment in the dashboard.
    pub fn in_dashboard(&self, capture: bool) {
        let mut books = self.books();
        for id in books.with("payment_intent", "status", "requires_capture") {
            if capture { books.capture(&id) } else { books.cancel(&id) }.unwrap();
        }
    }

    /// The holder of the card disputes the latest charge, which Stripe takes back. Returns the ID of the dispute.
    pub fn dispute(&self) -> String {
        self.books().dispute()
    }

    /// The bank decides about a dispute.
    pub fn decide(&self, dispute: &str, won: bool) {
        self.books().decide(dispute, won);
    }

    /// Refunds that were done come back, as from closed cards.
    pub fn fail_refunds(&self) {
        let mut books = self.books();
        for id in books.with("refund", "status", "succeeded") {
            books.end_refund(&id, false);
        }
    }

    /// An amount is transferred to the bank, and the account changes.
    pub fn pay_out(&self, amount: i64, currency: &str) -> String {
        let mut books = self.books();
        let account = books.id("acct");
        books.objects.insert(account.clone(), json!({ "id": account, "object": "account" }));
        books.event("account.updated", &account);
        books.pay_out(amount, currency)
    }
}

/// The API.
async fn api(
    Extract(stripe): Extract<Stripe>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let answer = |(status, body): (StatusCode, Value)| {
        (status, [("request-id", "req_fake")], axum::Json(body)).into_response()
    };
    if header("authorization") != Some(&stripe.books().key) {
        let (_, error) = refused("invalid_request_error", "", "Invalid API Key provided: sk_test_****fake");
        return answer((StatusCode::UNAUTHORIZED, error));
    }
    let fault = stripe.books().faults.of(format!("{method} {}", uri.path()));
    match fault {
        Some(Fault::Silent) => return std::future::pending().await,
        Some(Fault::Status(status)) => {
            let (_, error) = refused("api_error", "", "An error occurred.");
            return answer((StatusCode::from_u16(status).unwrap(), error));
        }
        Some(Fault::Lost) | None => {}
    }
    let raw = if method == Method::GET {
        uri.query().unwrap_or_default().to_owned()
    } else {
        String::from_utf8(body.to_vec()).unwrap()
    };
    let key = header("idempotency-key");
    let done = stripe.books().answer_once(&method, uri.path(), &raw, key, &stripe.url);
    stripe.deliver_if_automatic();
    if fault == Some(Fault::Lost) { lost() } else { answer(done) }
}
