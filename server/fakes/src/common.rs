//! What all fakes have in common: they listen, keep books, fail on demand, and send signed webhooks.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::Router;
use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;

use crate::{
    faults::{Fault, Faults},
    idempotency::Answered,
};

/// The fields of a form or a query.
pub(crate) type Fields = HashMap<String, String>;

pub(crate) fn fields(raw: &str) -> Fields {
    form_urlencoded::parse(raw.as_bytes()).into_owned().collect()
}

pub(crate) fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs().cast_signed()
}

/// HMAC-SHA-256 in hexadecimal digits.
pub(crate) fn hmac(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    })
}

/// The part of the books that every provider keeps.
#[derive(Default)]
pub struct Common {
    /// Objects by ID.
    pub(crate) objects: BTreeMap<String, Value>,
    /// Events that were not delivered.
    pub(crate) events: Vec<Value>,
    pub(crate) answered: Answered,
    pub(crate) faults: Faults,
    webhook: String,
    automatic: bool,
    last: usize,
}

impl Common {
    /// A number for a new object.
    pub(crate) fn next(&mut self) -> usize {
        self.last += 1;
        self.last
    }

    pub(crate) fn set(&mut self, id: &str, name: &str, value: impl Into<Value>) {
        self.objects.get_mut(id).unwrap()[name] = value.into();
    }

    pub(crate) fn text(&self, id: &str, name: &str) -> String {
        self.objects[id][name].as_str().unwrap_or_default().to_owned()
    }
}

/// The books of a provider.
pub trait Books: Send + 'static {
    /// The part that every provider keeps.
    fn common(&mut self) -> &mut Common;
    /// The headers of a webhook that is signed `age_s` seconds ago: with this secret, or with the account's.
    fn signed(&mut self, body: &[u8], age_s: i64, secret: Option<&str>) -> Vec<(&'static str, String)>;
}

/// A fake of a provider, which serves until its runtime ends.
pub struct Fake<B> {
    account: Arc<Account<B>>,
    /// Its URL, of API and page.
    pub url: String,
}

struct Account<B> {
    client: reqwest::Client,
    books: Mutex<B>,
}

impl<B> Clone for Fake<B> {
    fn clone(&self) -> Self {
        Self { account: self.account.clone(), url: self.url.clone() }
    }
}

impl<B: Books> Fake<B> {
    /// Listens on a port, a free one if it is 0.
    pub(crate) async fn listen(port: u16, books: B) -> (Self, TcpListener) {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        let account = Arc::new(Account { client, books: Mutex::new(books) });
        (Self { account, url }, listener)
    }

    pub(crate) fn serve(&self, listener: TcpListener, router: Router<Self>) {
        let router = router.with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, B> {
        self.account.books.lock().unwrap()
    }

    /// Where webhooks go.
    pub fn webhooks_to(&self, url: &str) {
        url.clone_into(&mut self.books().common().webhook);
    }

    /// Webhooks are delivered at once, rather than when a test says so.
    pub fn deliver_automatically(&self) {
        self.books().common().automatic = true;
    }

    /// What goes wrong with the next request that begins like this: `POST /v1/refunds`.
    pub fn fail(&self, request: &str, fault: Fault) {
        self.books().common().faults.add(request, fault);
    }

    /// From now on, as many of a hundred requests get no response, most of them after they were done.
    pub fn fail_often(&self, percent: u64) {
        self.books().common().faults.often(percent);
    }

    /// How many requests began like this.
    pub fn requests(&self, like: &str) -> usize {
        self.books().common().faults.requests(like)
    }

    /// How many faults haven't happened yet.
    pub fn faults_left(&self) -> usize {
        self.books().common().faults.left()
    }

    /// Takes the events that have not been delivered, oldest first. They are lost unless [`Self::send`] sends them.
    pub fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut self.books().common().events)
    }

    /// Sends an event, and returns the status of the response.
    pub async fn send(&self, event: &Value) -> StatusCode {
        self.send_signed(event, 0, None).await
    }

    /// Sends an event that was signed `age_s` ago, with this secret.
    pub async fn send_old(&self, event: &Value, age_s: i64, secret: &str) -> StatusCode {
        self.send_signed(event, age_s, Some(secret)).await
    }

    /// The headers and the body of a webhook that was signed `age_s` ago: with this secret, or with the account's.
    pub fn signed(
        &self,
        event: &Value,
        age_s: i64,
        secret: Option<&str>,
    ) -> (Vec<(&'static str, String)>, Vec<u8>) {
        let body = serde_json::to_vec_pretty(event).unwrap();
        (self.books().signed(&body, age_s, secret), body)
    }

    async fn send_signed(&self, event: &Value, age_s: i64, secret: Option<&str>) -> StatusCode {
        let (headers, body) = self.signed(event, age_s, secret);
        let webhook = self.books().common().webhook.clone();
        let request = self.account.client.post(webhook).header("content-type", "application/json");
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        request.body(body).send().await.map_or(StatusCode::BAD_GATEWAY, |response| response.status())
    }

    /// Delivers all events in the order in which they happened. Each must be accepted, and the market has handled it
    /// before the next one is delivered.
    pub async fn deliver(&self) {
        for event in self.take_events() {
            let status = self.send(&event).await;
            assert!(status.is_success(), "{status} {event}");
            self.handled().await;
        }
    }

    /// Waits until the market handles no webhook, however that ends.
    pub async fn handled(&self) {
        let mut metrics = reqwest::Url::parse(&self.books().common().webhook).unwrap();
        metrics.set_path("/metrics");
        let begun = Instant::now();
        loop {
            let page = self.account.client.get(metrics.clone()).send().await.unwrap().text().await.unwrap();
            if page.lines().any(|line| line == "haat_webhooks_in_progress 0") {
                return;
            }
            assert!(begun.elapsed().as_secs() < 60, "a webhook is handled for too long");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// In the background, each a few times.
    pub(crate) fn deliver_if_automatic(&self) {
        if !self.books().common().automatic {
            return;
        }
        for event in self.take_events() {
            let this = self.clone();
            tokio::spawn(async move {
                for pause in [1, 2, 5] {
                    if this.send(&event).await.is_success() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_secs(pause)).await;
                }
            });
        }
    }
}
