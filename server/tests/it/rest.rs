//! The REST API, as a client uses it; one file per resource.

mod access;
mod catalog;
mod checkout;
mod conversations;
mod imports;
mod openapi;
mod orders;
mod payments;
mod problem;
mod sale_events;
mod services;

use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

use crate::program::*;

/// A program that asks the market.
#[derive(Clone)]
struct Robot {
    client: Client,
    home: String,
    headers: Vec<(&'static str, String)>,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self, pointer: &str) -> String {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer}: {self:?}"))
            .into()
    }

    /// The answer, which must have this status.
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The refusal, which must have this status and code.
    fn refuses(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:?}");
        self
    }
}

impl Robot {
    fn new(program: &Program) -> Self {
        Self { client: Client::new(), home: program.at("/api/v1"), headers: Vec::new() }
    }

    fn with(&self, name: &'static str, value: impl ToString) -> Self {
        let mut headers = self.headers.clone();
        headers.retain(|(n, _)| *n != name);
        headers.push((name, value.to_string()));
        Self { headers, ..self.clone() }
    }

    fn bearing(&self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.answer(self.request(method, path), body).await
    }

    /// Sends a file.
    async fn bring(&self, path: &str, kind: &str, bytes: Vec<u8>) -> Answer {
        self.answer(self.request("POST", path).header("content-type", kind).body(bytes), None).await
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.home) };
        let mut request = self.client.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request
    }

    async fn answer(&self, mut request: RequestBuilder, body: Option<Value>) -> Answer {
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let answer = Answer { status, headers, body };
        if status >= 400 {
            assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
            assert_eq!(answer.body["status"], status, "{answer:?}");
            assert_eq!(answer.body["request_id"], answer.header("x-request-id"), "{answer:?}");
            assert!(answer.body["fields"].is_array() && !answer.text("/title").is_empty(), "{answer:?}");
        }
        answer
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    /// The same with a key that nobody used before.
    async fn once(&self, path: &str, body: Value) -> Answer {
        self.with("idempotency-key", haat_engine::random::token()).post(path, body).await
    }

    async fn signed_in(&self, email: &str) -> Self {
        let tokens = self.post("/tokens", json!({"email": email, "password": PASSWORD})).await.is(201);
        self.bearing(&tokens.text("/access_token"))
    }

    async fn variant(&self, shop: &str) -> String {
        self.get(&format!("/products?shop={shop}&limit=1")).await.is(200).text("/items/0/variant_id")
    }

    /// Puts one of a shop's things into a cart of its own; answers who holds it, and the cart.
    async fn fill_cart(&self, shop: &str) -> (Self, String) {
        let variant = self.variant(shop).await;
        let opened = self.post("/carts", json!({})).await.is(201);
        let holder = match opened.body["token"].as_str() {
            Some(token) => self.with("haat-cart", token),
            None => self.clone(),
        };
        let cart = opened.text("/id");
        let line = json!({"variant_id": variant, "quantity": 1});
        holder.post(&format!("/carts/{cart}/lines"), line).await.is(201);
        (holder, cart)
    }

    /// Puts an appointment into a cart of its own; answers who holds it, and the cart.
    async fn fill_cart_with(&self, service: &str, time: &Value) -> (Self, String) {
        let opened = self.post("/carts", json!({})).await.is(201);
        let holder = match opened.body["token"].as_str() {
            Some(token) => self.with("haat-cart", token),
            None => self.clone(),
        };
        let cart = opened.text("/id");
        let new = json!({
            "service_slug": service, "provider_id": time["provider_id"], "starts_at": time["starts_at"],
        });
        holder.post(&format!("/carts/{cart}/appointments"), new).await.is(201);
        (holder, cart)
    }

    /// Books an appointment that is paid in cash; answers the number of the purchase and its key.
    async fn book(&self, service: &str, time: &Value) -> (String, String) {
        let (holder, cart) = self.fill_cart_with(service, time).await;
        let checkout = holder.once("/checkouts", input(&cart)).await.is(201).text("/id");
        let paid = holder.once(&format!("/checkouts/{checkout}/pay"), json!({})).await.is(200);
        (paid.text("/purchase/number"), paid.text("/key"))
    }

    /// Buys one of a shop's things in cash; answers who bought it, the number of the purchase and its key.
    async fn buy(&self, shop: &str) -> (Self, String, String) {
        let (holder, cart) = self.fill_cart(shop).await;
        let checkout = holder.once("/checkouts", input(&cart)).await.is(201).text("/id");
        let paid = holder.once(&format!("/checkouts/{checkout}/pay"), json!({})).await.is(200);
        (holder, paid.text("/purchase/number"), paid.text("/key"))
    }
}

const PASSWORD: &str = "market-day-2026";
const MEENA: &str = "meena-crafts";

fn input(cart: &str) -> Value {
    json!({
        "cart_id": cart, "email": "asha@example.com", "payment_method": "cash",
        "address": {"name": "Asha Rao", "line1": "12 Lake Road", "city": "Pune", "postal_code": "411001", "country": "IN"},
    })
}

fn product(title: &str) -> Value {
    let price = json!({"amount": 64_900, "currency": "INR"});
    json!({"title": title, "variants": [{"price": price, "stock": 5}]})
}

/// Makes a new product of Meena's a service of an hour, which is done at any time of day; answers its slug.
async fn offer_service(program: &Program, title: &str) -> String {
    let meena = Robot::new(program).signed_in("meena@haat.example").await;
    let made = meena.once(&format!("/shops/{MEENA}/products"), product(title)).await.is(201);
    let (id, slug) = (made.text("/id"), made.text("/slug"));
    meena.post(&format!("/shops/{MEENA}/products/{id}/publish"), json!({})).await.is(204);
    let browser = Shopper::new(program);
    let account = [("email", "meena@haat.example"), ("password", PASSWORD), ("next", "/account")];
    browser.post("/sign-in", &account).await;
    let page = format!("/seller/{MEENA}/services");
    let mut form = vec![
        ("action", "provider"),
        ("name", "Asha Rao"),
        ("town", "Nashik"),
        ("zone", "Asia/Kolkata"),
        ("active", "true"),
    ];
    form.extend(haat_shared::availability::WEEKDAY_FIELDS.map(|day| (day, "0:00-24:00")));
    let done = browser.post(&page, &form).await;
    assert!(done.contains("done="), "{done}");
    let (_, shown) = browser.get(&format!("{page}?edit=service")).await;
    let provider = shown.split("name=\"provider.").nth(1).unwrap().split('"').next().unwrap();
    let provider = format!("provider.{provider}");
    let form = [
        ("action", "service"),
        ("product", &id),
        ("place", "provider"),
        ("minutes", "60"),
        ("before", "0"),
        ("after", "0"),
        ("notice_hours", "0"),
        ("window_days", "60"),
        ("step", "30"),
        ("change_hours", "24"),
        ("fee_percent", "50"),
        (&provider, "true"),
    ];
    let done = browser.post(&page, &form).await;
    assert!(done.contains("done="), "{done}");
    slug
}

/// A picture of one colour.
pub(crate) fn png(red: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(90, 60, image::Rgb([red, 0, 0]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}
