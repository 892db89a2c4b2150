//! The REST API, as a client uses it.

use std::process::Command;

use haat_shared::{
    access::Scope,
    routes::{API_ADD_PICTURE, API_SEND_IMPORT, Audience, REST, Route},
};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

use crate::program::*;

/// A program that asks the market.
#[derive(Clone)]
pub struct Robot {
    client: Client,
    home: String,
    headers: Vec<(&'static str, String)>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self, pointer: &str) -> String {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer}: {self:?}"))
            .into()
    }

    /// The answer, which must have this status.
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The refusal, which must have this status and code.
    pub fn refuses(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:?}");
        self
    }
}

impl Robot {
    pub fn new(program: &Program) -> Self {
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

    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.answer(self.request(method, path), body).await
    }

    /// Sends a file.
    pub async fn bring(&self, path: &str, kind: &str, bytes: Vec<u8>) -> Answer {
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

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    /// The same with a key that nobody used before.
    pub async fn once(&self, path: &str, body: Value) -> Answer {
        self.with("idempotency-key", haat_engine::random::token()).post(path, body).await
    }

    pub async fn signed_in(&self, email: &str) -> Self {
        let tokens = self.post("/tokens", json!({"email": email, "password": PASSWORD})).await.is(201);
        self.bearing(&tokens.text("/access_token"))
    }

    async fn variant(&self, shop: &str) -> String {
        self.get(&format!("/products?shop={shop}&limit=1")).await.is(200).text("/items/0/variant")
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
        let line = json!({"variant": variant, "quantity": 1});
        holder.post(&format!("/carts/{cart}/lines"), line).await.is(201);
        (holder, cart)
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

fn input(cart: &str) -> Value {
    json!({
        "cart": cart, "email": "asha@example.com", "method": "cash",
        "address": {"name": "Asha Rao", "line1": "12 Lake Road", "city": "Pune", "postal_code": "411001", "country": "IN"},
    })
}

fn product(title: &str) -> Value {
    let price = json!({"amount": 64_900, "currency": "INR"});
    json!({"title": title, "variants": [{"price": price, "stock": 5}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn five_calls_buy_once() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let listed = guest.get("/products?shop=meena-crafts&limit=2").await.is(200);
        assert_eq!(listed.body["items"].as_array().unwrap().len(), 2);
        assert_eq!(listed.body["items"][0]["price"]["currency"], "INR");
        let (slug, variant) = (listed.text("/items/0/slug"), listed.text("/items/0/variant"));
        let available = async || {
            let view = guest.get(&format!("/products/{slug}")).await.is(200).body;
            let variants = view["variants"].as_array().unwrap().clone();
            variants.into_iter().find(|v| v["id"] == variant.as_str()).unwrap()["available"].as_i64().unwrap()
        };
        let before = available().await;

        let opened = guest.post("/carts", json!({})).await.is(201);
        let (cart, token) = (opened.text("/id"), opened.text("/token"));
        let holder = guest.with("haat-cart", &token);
        let line = json!({"variant": variant, "quantity": 2});
        let view = holder.post(&format!("/carts/{cart}/lines"), line.clone()).await.is(201);
        assert_eq!((view.body["id"].as_str(), &view.body["pieces"]), (Some(cart.as_str()), &json!(2)));
        // Without the token there is no such cart.
        guest.get(&format!("/carts/{cart}")).await.refuses(404, "not_found");
        guest.post(&format!("/carts/{cart}/lines"), line).await.refuses(404, "not_found");
        guest.once("/checkouts", input(&cart)).await.refuses(404, "not_found");

        let begin = holder.with("idempotency-key", "begin");
        let begun = begin.post("/checkouts", input(&cart)).await.is(201);
        let again = begin.post("/checkouts", input(&cart)).await.is(201);
        assert_eq!(begun.body, again.body, "the same key, the same answer");
        let mut other = input(&cart);
        other["email"] = json!("other@example.com");
        begin.post("/checkouts", other).await.refuses(409, "key_reused");
        assert_eq!(available().await, before - 2, "held once");

        let (checkout, total) = (begun.text("/id"), begun.body["sums"]["total"].clone());
        let address = format!("/checkouts/{checkout}/pay");
        guest.once(&address, json!({})).await.refuses(404, "not_found");
        let cheaper = json!({"total": {"amount": 1, "currency": "INR"}});
        let changed = holder.once(&address, cheaper).await.refuses(409, "total_changed");
        assert_eq!(changed.body["total"], total);
        let pay = holder.with("idempotency-key", "pay");
        let confirmation = json!({"total": total});
        // A click, and an impatient one at the same time.
        let (first, second) =
            tokio::join!(pay.post(&address, confirmation.clone()), pay.post(&address, confirmation.clone()));
        let (first, second) = (first.is(200), second.is(200));
        assert_eq!(first.body, second.body);
        assert_eq!((first.text("/type").as_str(), &first.body["purchase"]["total"]), ("done", &total));
        let totals = |of: &Value| {
            let fields = ["subtotal", "discount", "delivery", "tax", "total"];
            fields.map(|field| of[field]["amount"].as_i64().unwrap())
        };
        let (cart_view, purchase) = (&view.body, &first.body["purchase"]);
        for shown in [cart_view, &cart_view["groups"][0], purchase, &purchase["orders"][0]] {
            assert_eq!(totals(shown), totals(&begun.body["sums"]), "{shown}");
        }
        assert_eq!(pay.post(&address, confirmation).await.is(200).body, first.body);
        pay.post(&address, json!({})).await.refuses(409, "key_reused");

        let number = first.text("/purchase/number");
        let kept = holder.get(&format!("/purchases/{number}")).await.is(200);
        assert_eq!(kept.body, first.body["purchase"]);
        guest.get(&format!("/purchases/{number}")).await.refuses(404, "not_found");
        guest.get(&format!("/purchases/{number}?key={}", first.text("/key"))).await.is(200);
        let done = holder.get(&format!("/checkouts/{checkout}")).await.is(200);
        assert_eq!((done.text("/state"), done.text("/purchase/number")), ("completed".into(), number));
        assert_eq!(holder.get(&format!("/carts/{cart}")).await.is(200).body["pieces"], 0);
        assert_eq!(available().await, before - 2, "sold once");
        program.close();
    }
}

/// Whoever pays hangs up while the gateway takes its time; asked again, the market answers with what came of that try.
#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_while_paying_is_answered_when_they_ask_again() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.set("HAAT__PAYMENTS__SANDBOX_DELAY_MS", "1500");
        program.start().await;
        let (holder, cart) = Robot::new(&program).fill_cart("meena-crafts").await;
        let mut input = input(&cart);
        input["method"] = json!("sandbox");
        let checkout = holder.once("/checkouts", input).await.is(201).text("/id");
        let pay = format!("/checkouts/{checkout}/pay");
        let paying = holder.with("idempotency-key", "pay");
        let first = tokio::spawn({
            let (paying, pay) = (paying.clone(), pay.clone());
            async move { paying.post(&pay, json!({})).await }
        });
        while holder.get(&format!("/checkouts/{checkout}")).await.is(200).body["payment"] != "under_way" {
            assert!(!first.is_finished());
        }
        // The connection goes with it.
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let begun = std::time::Instant::now();
        let again = paying.post(&pay, json!({})).await.is(200);
        assert!(begun.elapsed().as_secs() < 15, "it waits for the try, not for the lease of the key");
        let page = again.text("/url");
        let shopper = Shopper::new(&program);
        let back = shopper.post(&page, &[("card", "4242 4242 4242 4242")]).await;
        let purchase = location(&shopper.client.get(&back).send().await.unwrap());
        let number = purchase.strip_prefix("/purchases/").unwrap().split('?').next().unwrap().to_owned();
        // Late ones, with the same key and others, at once: the same purchase.
        let late = (0..8).map(|i| {
            let asks =
                if i % 2 == 0 { paying.clone() } else { holder.with("idempotency-key", format!("late-{i}")) };
            let pay = pay.clone();
            async move { (i, asks.post(&pay, json!({})).await.is(200)) }
        });
        for (i, answer) in futures::future::join_all(late).await {
            match i % 2 {
                0 => assert_eq!(answer.body, again.body, "the answer that there was"),
                _ => assert_eq!(answer.text("/purchase/number"), number),
            }
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_who_pay_at_once_get_one_purchase() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let (holder, cart) = Robot::new(&program).fill_cart("meena-crafts").await;
        let checkout = holder.once("/checkouts", input(&cart)).await.is(201).text("/id");
        let pay = format!("/checkouts/{checkout}/pay");
        let clicks = (0..32).map(|i| {
            let key = if i % 2 == 0 { "\"pay\"".to_owned() } else { format!("pay-{i}") };
            let (asks, pay) = (holder.with("idempotency-key", key), pay.clone());
            tokio::spawn(async move { asks.post(&pay, json!({})).await.is(200).text("/purchase/number") })
        });
        let mut numbers: Vec<String> =
            futures::future::join_all(clicks).await.into_iter().map(Result::unwrap).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), 1, "{numbers:?}");

        // The same by the plain form, as an impatient shopper without scripts sends it.
        let shopper = Shopper::new(&program);
        shopper.add(&shopper.variant("meena-crafts", 0).await, "1").await;
        let checkout = shopper.post("/checkout", &[]).await;
        let clicks = (0..8).map(|_| {
            let (shopper, checkout) = (shopper.clone(), checkout.clone());
            tokio::spawn(async move { shopper.post(&checkout, &details("cash", "k")).await })
        });
        let mut pages: Vec<String> =
            futures::future::join_all(clicks).await.into_iter().map(Result::unwrap).collect();
        pages.dedup();
        assert!(pages.len() == 1 && pages[0].starts_with("/purchases/"), "{pages:?}");
        program.close();
    }
}

/// A key is for a request by what it says, and for lines too.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_good_for_what_a_request_says() {
    let program = Program::serve(On::Sqlite).await;
    let guest = Robot::new(&program);
    let (holder, cart) = guest.fill_cart("meena-crafts").await;
    let variant = guest.variant("meena-crafts").await;
    let lines = format!("/carts/{cart}/lines");
    let raw = async |key: &str, body: String| {
        let request = holder.with("idempotency-key", key).request("POST", &lines);
        holder.answer(request.header("content-type", "application/json").body(body), None).await
    };
    let first = raw("K1", format!(r#"{{"variant":"{variant}","quantity":2}}"#)).await.is(201);
    assert_eq!(first.body["pieces"], 3);
    for (key, body) in [
        ("K1", format!(r#"{{"variant":"{variant}","quantity":2}}"#)),
        ("K1", format!("{{\n  \"quantity\" : 2.0,\n  \"variant\" : \"{variant}\"\n}}")),
        ("\"K1\"", format!(r#"{{"quantity":2,"variant":"{variant}"}}"#)),
    ] {
        assert_eq!(raw(key, body).await.is(201).body, first.body);
    }
    let other =
        raw("K1", format!(r#"{{"variant":"{variant}","quantity":3}}"#)).await.refuses(409, "key_reused");
    assert!(
        other.text("/detail").contains("Idempotency-Key") && !other.text("/detail").contains("page"),
        "{other:?}"
    );
    for malformed in ["\"K1", "K 1"] {
        raw(malformed, format!(r#"{{"variant":"{variant}","quantity":2}}"#))
            .await
            .refuses(400, "idempotency_key_missing");
    }
    assert_eq!(holder.get(&format!("/carts/{cart}")).await.is(200).body["pieces"], 3);
    // Without a key each request counts.
    holder.post(&lines, json!({"variant": variant, "quantity": 1})).await.is(201);
    assert_eq!(holder.get(&format!("/carts/{cart}")).await.is(200).body["pieces"], 4);
    let document = guest.get(&program.at("/api/openapi.json")).await.is(200);
    let parameters = document.body.pointer("/paths/~1api~1v1~1carts~1{id}~1lines/post/parameters").unwrap();
    let key = parameters.as_array().unwrap().iter().find(|p| p["name"] == "Idempotency-Key").unwrap();
    assert_eq!(key["required"], false);
    program.close();
}

/// A program that polls for what happens to a shop's orders.
#[tokio::test(flavor = "multi_thread")]
async fn programs_poll_the_feed_of_events() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let meena = guest.signed_in("meena@haat.example").await;
        let (_, number, _) = guest.buy("meena-crafts").await;
        guest.buy("delta-electronics").await;
        let path = format!("/shops/meena-crafts/orders/{number}-1");
        meena.once(&format!("{path}/confirm"), json!({})).await.is(204);
        for tracking in ["RX1", "RX2", "RX2"] {
            let parcel = json!({"carrier": "India Post", "tracking_number": tracking});
            meena.once(&format!("{path}/ship"), parcel).await.is(204);
        }
        let order = meena.get(&path).await.is(200);
        let steps: Vec<_> = order.body["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["shipment"]["tracking_number"])
            .collect();
        assert_eq!(steps, [&Value::Null, &Value::Null, &json!("RX1"), &json!("RX2")]);
        // By and by, as it is published.
        let (mut after, mut seen) = (0, Vec::new());
        while seen.len() < 4 {
            let page = meena.get(&format!("/shops/meena-crafts/events?after={after}&limit=2")).await.is(200);
            after = page.body["next"].as_i64().unwrap();
            seen.extend(page.body["items"].as_array().unwrap().clone());
        }
        let kinds: Vec<_> = seen.iter().map(|event| event["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["order.placed", "order.confirmed", "order.shipped", "order.shipment_updated"]);
        assert!(
            seen.iter().all(|e| e["number"] == format!("{number}-1") && e["shop"] == "meena-crafts"),
            "{seen:?}"
        );
        for (query, field) in [
            ("after=-1", "after"),
            ("after=99999", "after"),
            ("after=x", "after"),
            ("limit=0", "limit"),
            ("before=1", "before"),
        ] {
            let refused =
                meena.get(&format!("/shops/meena-crafts/events?{query}")).await.refuses(422, "invalid");
            assert_eq!(refused.text("/fields/0/field"), field, "{query}");
        }
        meena.get("/events").await.refuses(404, "not_found");
        let reason = json!({"reason": "Lost"});
        let moved = meena.once(&format!("{path}/cancel"), reason).await.refuses(409, "order_moved");
        assert_eq!(moved.text("/state"), "shipped");

        let (_, number, key) = guest.buy("meena-crafts").await;
        let path = format!("/shops/meena-crafts/orders/{number}-1");
        for _ in 0..2 {
            meena.once(&format!("{path}/cancel"), json!({"reason": "The kiln broke"})).await.is(204);
        }
        let own = format!("/purchases/{number}/orders/{number}-1/cancel?key={key}");
        for late in [
            meena.once(&format!("{path}/cancel"), json!({"reason": "Out of clay"})).await,
            guest.once(&own, json!({"reason": "Changed my mind"})).await,
        ] {
            let late = late.refuses(409, "already_cancelled");
            assert_eq!(
                (late.text("/cancelled_by"), late.text("/reason")),
                ("shop".into(), "The kiln broke".into())
            );
            assert!(late.text("/detail").contains("The kiln broke"), "{late:?}");
        }
        program.close();
    }
}

/// What the README tells, done by the README's own text.
#[tokio::test(flavor = "multi_thread")]
async fn the_readme_buys_with_curl_alone() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("SKIPPED: there is no curl on this machine");
        return;
    }
    let readme = include_str!("../../../README.md");
    let script = readme.split("<!-- five calls -->\n```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(script.matches("curl -s").count(), 5);
    let program = Program::serve(On::Sqlite).await;
    let script = script.replace("http://localhost:3000", &program.at(""));
    let run = || {
        let output = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let said = run();
    assert!(said.contains(r#"{"type":"done","#) && said.contains(r#""number":"H"#), "{said}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_invalid_request_is_answered_with_a_problem() {
    let program = Program::serve(On::Sqlite).await;
    let guest = Robot::new(&program);
    let (holder, cart) = guest.fill_cart("meena-crafts").await;
    let lines = format!("{}/carts/{cart}/lines", holder.home);
    let raw = async |kind: &str, body: &str| {
        let mut request = holder.client.post(&lines).header("content-type", kind).body(body.to_owned());
        for (name, value) in &holder.headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    for (kind, body, status, code, field) in [
        ("application/json", "{", 400, "bad_request", None),
        ("application/json", "", 400, "bad_request", None),
        ("application/json", "{} {}", 400, "bad_request", None),
        ("text/plain", "{}", 415, "unsupported_media_type", None),
        ("application/x-www-form-urlencoded", "a=b", 415, "unsupported_media_type", None),
        ("application/json", r#"{"variant": "prod_1", "quantity": 1}"#, 422, "invalid", Some("variant")),
        ("application/json", r#"{"variant": 1, "quantity": 1}"#, 422, "invalid", Some("variant")),
        (
            "application/json; charset=utf-8",
            r#"{"variant": "var_00000000000000000000000000", "quantity": "1"}"#,
            422,
            "invalid",
            Some("quantity"),
        ),
        (
            "application/json",
            r#"{"variant": "var_00000000000000000000000000", "quantity": 0}"#,
            422,
            "invalid",
            Some("quantity"),
        ),
        (
            "application/json",
            r#"{"variant": "var_00000000000000000000000000", "quantity": 1, "price": 1}"#,
            422,
            "invalid",
            Some("price"),
        ),
        (
            "application/json",
            r#"{"variant": "var_00000000000000000000000000", "quantity": 1}"#,
            422,
            "invalid",
            Some("variant"),
        ),
    ] {
        let (answered, problem) = raw(kind, body).await;
        assert_eq!((answered, problem["code"].as_str()), (status, Some(code)), "{body}: {problem}");
        if let Some(field) = field {
            assert_eq!(problem["fields"][0]["field"], field, "{body}: {problem}");
        }
    }
    let huge = json!({"variant": "x".repeat(300_000), "quantity": 1});
    // By somebody else: the server closes a connection that it has not read to its end.
    let stranger = Robot { client: Client::new(), ..holder.clone() };
    stranger.post(&format!("/carts/{cart}/lines"), huge).await.refuses(413, "too_large");

    let made_up = guest.with("haat-cart", "nonsense").get(&format!("/carts/{cart}")).await;
    assert_eq!(made_up.refuses(422, "invalid").text("/fields/0/field"), "Haat-Cart");
    guest.get("/no/such/thing").await.refuses(404, "not_found");
    guest.get("").await.refuses(404, "not_found");
    guest.get("/products/no-such-thing").await.refuses(404, "not_found");
    guest.get("/carts/nonsense").await.refuses(404, "not_found");
    let refused = guest.send("PATCH", "/products", None).await.refuses(405, "method_not_allowed");
    assert!(refused.header("allow").contains("GET"), "{refused:?}");
    for query in [
        "limit=0",
        "limit=101",
        "limit=many",
        "sort=dear",
        "colour=red",
        "after=x",
        "q=%00",
        "limit=1&limit=2",
    ] {
        let refused = guest.get(&format!("/products?{query}")).await.refuses(422, "invalid");
        assert_eq!(refused.body["fields"].as_array().unwrap().len(), 1, "{query}");
    }
    holder.post("/checkouts", input(&cart)).await.refuses(400, "idempotency_key_missing");
    let mut empty = input(&cart);
    (empty["email"], empty["address"]["city"]) = (json!("nowhere"), json!(""));
    let refused = holder.once("/checkouts", empty).await.refuses(422, "invalid");
    let fields: Vec<_> =
        refused.body["fields"].as_array().unwrap().iter().map(|f| f["field"].clone()).collect();
    assert_eq!(fields, ["email", "address.city"]);

    let hindi = guest.with("accept-language", "hi").get("/products/no-such-thing").await;
    assert_eq!(hindi.text("/title"), "यह नहीं मिला या आपके पास इसका एक्सेस नहीं है।");
    // Whoever reads pages gets a problem here too.
    guest.with("accept", "text/html").get("/products/no-such-thing").await.refuses(404, "not_found");
    program.close();
}

/// What was typed in the field, with the right verdict beside it, and then some.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_those_of_their_country() {
    let program = Program::serve(On::Sqlite).await;
    let (holder, cart) = Robot::new(&program).fill_cart("meena-crafts").await;
    let begin = async |address: Value| {
        let mut input = input(&cart);
        for (part, value) in address.as_object().unwrap() {
            input["address"][part] = value.clone();
        }
        holder.once("/checkouts", input).await
    };
    for (address, field, code) in [
        (json!({"country": "ZZ"}), "address.country", "not_a_choice"),
        (json!({"country": "EU"}), "address.country", "not_a_choice"),
        (json!({"postal_code": ""}), "address.postal_code", "missing"),
        (json!({"postal_code": "!!!!"}), "address.postal_code", "not_postal_code"),
        (json!({"country": "US", "postal_code": "94043"}), "address.region", "missing"),
        (json!({"phone": "call me"}), "address.phone", "not_phone"),
        (json!({"phone": "---"}), "address.phone", "not_phone"),
        (json!({"phone": "98450@12345"}), "address.phone", "bad_character"),
    ] {
        let refused = begin(address.clone()).await.refuses(422, "invalid");
        assert_eq!(
            (refused.text("/fields/0/field"), refused.text("/fields/0/code")),
            (field.into(), code.into())
        );
        assert_eq!(refused.body["fields"].as_array().unwrap().len(), 1, "{address}");
        if code == "bad_character" {
            assert!(refused.text("/fields/0/message").contains('@'), "{refused:?}");
        }
    }
    for (address, part, kept) in [
        (json!({"country": "in"}), "country", "IN"),
        (json!({"country": "UK", "postal_code": "ls11aa"}), "country", "GB"),
        (json!({"country": "UK", "postal_code": "ls11aa"}), "postal_code", "LS1 1AA"),
        (json!({"country": "XK", "postal_code": "10000"}), "country", "XK"),
        (json!({"country": "IE", "postal_code": ""}), "postal_code", ""),
        (json!({"country": "SG", "city": "", "postal_code": "238857"}), "city", ""),
        (json!({"phone": "९८४५०\u{a0}१२३४५"}), "phone", "98450 12345"),
        (json!({"phone": "(+44) 1234 2553-421 #8"}), "phone", "(+44) 1234 2553-421 #8"),
    ] {
        let begun = begin(address.clone()).await.is(201);
        assert_eq!(begun.text(&format!("/address/{part}")), kept, "{address}");
    }
    let (mut input, begun) =
        (input(&cart), begin(json!({"country": "UK", "postal_code": "ls11aa"})).await.is(201));
    input["email"] = "asha@bücher.example\u{200b}".into();
    input["address"] = begun.body["address"].clone();
    input.as_object_mut().unwrap().remove("cart");
    let checkout = begun.text("/id");
    let saved = holder.send("PUT", &format!("/checkouts/{checkout}"), Some(input)).await.is(200);
    assert_eq!(saved.text("/email"), "asha@xn--bcher-kva.example");
    let paid = holder.once(&format!("/checkouts/{checkout}/pay"), json!({})).await.is(200);
    assert_eq!(
        (paid.text("/purchase/address/country"), paid.text("/purchase/email")),
        ("GB".into(), "asha@xn--bcher-kva.example".into())
    );
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_may_have_as_much_text_as_a_file_may_bring() {
    let program = Program::serve(On::Sqlite).await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let with = |details: usize| {
        let value = "क".repeat(10_000);
        let mut long = product("Long story");
        long["details"] =
            (0..details).map(|i| json!({"name": format!("Part {i}"), "value": value})).collect();
        long
    };
    let made = meena.once("/shops/meena-crafts/products", with(10)).await.is(201);
    let path = format!("/shops/meena-crafts/products/{}", made.text("/id"));
    let tag = made.header("etag").to_owned();
    let tag = if tag.is_empty() { meena.get(&path).await.header("etag").to_owned() } else { tag };
    meena.with("if-match", tag).send("PUT", &path, Some(with(30))).await.is(200);
    let refused = meena.once("/shops/meena-crafts/products", with(40)).await.refuses(422, "invalid");
    assert!(refused.text("/fields/0/message").contains("1 MB"), "{refused:?}");
    let mut many = product("Many");
    many["variants"] =
        (0..101).map(|i| json!({"title": i.to_string(), "price": many["variants"][0]["price"]})).collect();
    let refused = meena.once("/shops/meena-crafts/products", many).await.refuses(422, "invalid");
    assert!(refused.text("/fields/0/message").contains("up to 100 variants"), "{refused:?}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_edit_is_saved_by_one() {
    let program = Program::serve(On::Sqlite).await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let made = meena.once("/shops/meena-crafts/products", product("Clay jug")).await.is(201);
    let id = made.text("/id");
    for path in [format!("/shops/meena-crafts/products/{id}"), "/shops/meena-crafts/settings".to_owned()] {
        let read = meena.get(&path).await.is(200);
        let (tag, inner) =
            (read.header("etag").to_owned(), if path.ends_with("settings") { "settings" } else { "product" });
        let name = if inner == "settings" { "name" } else { "title" };
        let mut form = read.body[inner].clone();
        let as_read = form.clone();
        form[name] = json!("Another name");
        meena.send("PUT", &path, Some(form.clone())).await.refuses(428, "precondition_required");
        for old in ["\"0\"", "\"99\"", "\"nonsense\"", "W/\"1\""] {
            meena
                .with("if-match", old)
                .send("PUT", &path, Some(form.clone()))
                .await
                .refuses(412, "precondition_failed");
        }
        let saved = meena.with("if-match", &tag).send("PUT", &path, Some(form)).await.is(200);
        assert_eq!(saved.body[inner][name], "Another name");
        assert_ne!(saved.header("etag"), tag);
        let mut theirs = as_read;
        theirs[name] = json!("A third name");
        let late = meena.with("if-match", &tag).send("PUT", &path, Some(theirs)).await;
        assert_eq!(late.refuses(412, "precondition_failed").body["changed"], json!([name]));
    }
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_lists_sells_and_sends() {
    let program = Program::serve(On::Sqlite).await;
    let guest = Robot::new(&program);
    let meena = guest.signed_in("meena@haat.example").await;
    let create = meena.with("idempotency-key", "jug");
    let made = create.post("/shops/meena-crafts/products", product("Clay jug")).await.is(201);
    assert_eq!(
        create.post("/shops/meena-crafts/products", product("Clay jug")).await.is(201).body,
        made.body
    );
    create.post("/shops/meena-crafts/products", product("Clay pot")).await.refuses(409, "key_reused");
    assert_eq!(
        (made.text("/state"), &made.body["product"]["variants"][0]["stock"]),
        ("draft".into(), &json!(5))
    );
    let (id, slug) = (made.text("/id"), made.text("/slug"));
    let variant = made.text("/product/variants/0/id");
    guest.get(&format!("/products/{slug}")).await.refuses(404, "not_found");
    meena.post(&format!("/shops/meena-crafts/products/{id}/publish"), json!({})).await.is(204);
    guest.get(&format!("/products/{slug}")).await.is(200);

    let stock = format!("/shops/meena-crafts/variants/{variant}/stock");
    let more = meena.with("idempotency-key", "delivery-7");
    for _ in 0..2 {
        more.post(&stock, json!({"change": 3})).await.is(204);
    }
    more.post(&stock, json!({"change": 4})).await.refuses(409, "key_reused");
    let few = meena.once(&stock, json!({"change": -9})).await.refuses(422, "invalid");
    assert_eq!(few.body["fields"][0]["field"], "change");
    assert_eq!(guest.get(&format!("/products/{slug}")).await.body["variants"][0]["available"], 8);

    let mut dollars = product("Clay cup");
    dollars["variants"][0]["price"]["currency"] = json!("USD");
    let refused = meena.once("/shops/meena-crafts/products", dollars).await.refuses(422, "invalid");
    assert_eq!(refused.body["fields"][0]["field"], "variants.0.price");

    let (_, number, key) = guest.buy("meena-crafts").await;
    let order = format!("{number}-1");
    let listed = meena.get(&format!("/shops/meena-crafts/orders?q={number}&state=placed")).await.is(200);
    assert_eq!(listed.text("/items/0/number"), order);
    let path = format!("/shops/meena-crafts/orders/{order}");
    let parcel = json!({"carrier": "India Post", "tracking_number": "RX1"});
    let early = meena.once(&format!("{path}/ship"), parcel.clone()).await.refuses(409, "order_moved");
    assert_eq!(early.text("/state"), "placed");
    meena.once(&format!("{path}/confirm"), json!({})).await.is(204);
    let ship = meena.with("idempotency-key", "parcel");
    ship.post(&format!("{path}/ship"), parcel.clone()).await.is(204);
    ship.post(&format!("{path}/ship"), parcel).await.is(204);
    let other = json!({"carrier": "India Post", "tracking_number": "RX2"});
    ship.post(&format!("{path}/ship"), other).await.refuses(409, "key_reused");
    meena.once(&format!("{path}/deliver"), json!({})).await.is(204);
    let delivered = guest.get(&format!("/purchases/{number}?key={key}")).await.is(200);
    assert_eq!(delivered.text("/orders/0/state"), "delivered");
    assert_eq!(delivered.text("/orders/0/shipment/tracking_number"), "RX1");
    program.close();
}

/// A picture of one colour.
fn png(red: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(90, 60, image::Rgb([red, 0, 0]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_a_product_come_and_go() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let meena = guest.signed_in("meena@haat.example").await;
        let made = meena.once("/shops/meena-crafts/products", product("Clay bowl")).await.is(201);
        let path = format!("/shops/meena-crafts/products/{}/pictures", made.text("/id"));
        let front = meena.bring(&path, "image/png", png(1)).await.is(201);
        assert_eq!((&front.body["width"], front.text("/alt")), (&json!(90), String::new()));
        let again = meena.bring(&format!("{path}?alt=The%20front"), "image/png", png(1)).await.is(201);
        assert_eq!((again.text("/id"), again.text("/alt")), (front.text("/id"), "The front".into()));
        let back = meena.bring(&path, "application/octet-stream", png(2)).await.is(201);
        let (front, back) = (format!("{path}/{}", front.text("/id")), format!("{path}/{}", back.text("/id")));
        meena.send("PATCH", &back, Some(json!({"alt": "The back"}))).await.is(204);
        let shown = meena.get(&path).await.is(200);
        assert_eq!(
            (shown.text("/items/0/alt"), shown.text("/items/1/alt")),
            ("The front".into(), "The back".into())
        );
        let file = program.at(&format!("/media/{}-320.webp", shown.text("/items/0/id")));
        assert_eq!(guest.client.get(file).send().await.unwrap().status(), 200);
        meena.send("DELETE", &front, None).await.is(204);
        meena.send("DELETE", &front, None).await.refuses(404, "not_found");
        meena.send("PATCH", &front, Some(json!({"alt": ""}))).await.refuses(404, "not_found");
        assert_eq!(meena.get(&path).await.is(200).text("/items/0/alt"), "The back");

        for (bytes, code) in [
            (b"GIF89a".to_vec(), "not_a_picture"),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), "not_a_picture"),
            (png(3)[..60].to_vec(), "picture_broken"),
            (Vec::new(), "missing"),
        ] {
            let refused = meena.bring(&path, "image/png", bytes).await.refuses(422, "invalid");
            assert_eq!(
                (refused.text("/fields/0/field"), refused.text("/fields/0/code")),
                ("picture".into(), code.into())
            );
        }
        let long = format!("{path}?alt={}", "x".repeat(301));
        let refused = meena.bring(&long, "image/png", png(4)).await.refuses(422, "invalid");
        assert_eq!(refused.text("/fields/0/field"), "alt");
        for kind in ["application/json", "image/gif", "multipart/form-data; boundary=x"] {
            meena.bring(&path, kind, png(4)).await.refuses(415, "unsupported_media_type");
        }
        let heic = include_bytes!("../../gateways/fixtures/phone.heic").to_vec();
        for (kind, bytes, says) in [
            ("image/gif", b"GIF89a".to_vec(), "JPEG, PNG or WebP"),
            ("image/heic", heic.clone(), "Most Compatible"),
            ("image/whatever", heic.clone(), "Most Compatible"),
        ] {
            let refused = meena.bring(&path, kind, bytes).await.refuses(415, "unsupported_media_type");
            assert!(refused.text("/detail").contains(says), "{refused:?}");
            assert!(refused.text("/title").contains("image/webp"), "{refused:?}");
        }
        let refused = meena.bring(&path, "image/jpeg", heic).await.refuses(422, "invalid");
        assert_eq!(refused.text("/fields/0/code"), "picture_heic");
        let moves = include_bytes!("../../gateways/fixtures/animated.webp").to_vec();
        let first = meena.bring(&path, "image/webp", moves).await.is(201);
        assert_eq!(first.body["animated"], true, "{first:?}");
        let front = format!("{path}/{}", first.text("/id"));
        assert_eq!(meena.get(&path).await.is(200).body["items"][0].get("animated"), None);
        meena.send("DELETE", &front, None).await.is(204);
        // More than any other route takes is fine here, up to what a picture may weigh.
        let padded = |size: usize| [png(5), vec![0; size]].concat();
        meena.bring(&path, "image/png", padded(1_000_000)).await.is(201);
        meena
            .bring(&path, "image/png", padded(haat_shared::media::BYTES_MAX))
            .await
            .refuses(413, "too_large");
        for red in 10..16 {
            meena.bring(&path, "image/png", png(red)).await.is(201);
        }
        let full = meena.bring(&path, "image/png", png(99)).await.refuses(422, "invalid");
        assert_eq!(
            (full.text("/fields/0/field"), full.text("/fields/0/code")),
            ("pictures".into(), "too_many".into())
        );
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_products_of_a_shop_go_out_as_they_are_asked_for() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let meena = Robot::new(&program).signed_in("meena@haat.example").await;
        let hostile = "</title>]]><!-- & \u{fffe}=1+1";
        meena.once("/shops/meena-crafts/products", product(hostile)).await.is(201);
        // More than are read at once.
        program.import("meena-crafts", 0, 450);
        let path = "/shops/meena-crafts/products/export";
        let table = meena.get(path).await.is(200);
        assert_eq!(table.header("content-type"), "text/csv");
        let lines = meena.with("accept", "application/x-ndjson").get(path).await.is(200);
        assert_eq!(lines.header("content-type"), "application/x-ndjson");
        let lines = lines.text("");
        let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(records.len() > 450 && records.iter().any(|record| record["title"] == hostile), "{lines}");
        let variants: usize = records.iter().map(|record| record["variants"].as_array().unwrap().len()).sum();
        assert!(table.text("").starts_with("product,sku,title") && table.text("").lines().count() > variants);

        let xml = meena.with("accept", "text/html, application/xml;q=0.9").get(path).await.is(200);
        assert_eq!(xml.header("content-type"), "application/xml");
        let xml = xml.text("");
        assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<products>\n"), "{xml}");
        assert!(xml.ends_with("</product>\n</products>\n"), "{xml}");
        let count = |what: &str| xml.matches(what).count();
        assert_eq!((count("<product>"), count("<variant>"), count("<?xml")), (records.len(), variants, 1));
        assert!(xml.contains("<title>&lt;/title&gt;]]&gt;&lt;!-- &amp; \u{fffd}=1+1</title>"), "{xml}");
        assert_eq!(xml, program.run_ok(&["export", "products", "--shop", "meena-crafts", "--format", "xml"]));

        meena.with("accept", "application/json").get(path).await.refuses(406, "not_acceptable");
        let delta = Robot::new(&program).signed_in("delta@haat.example").await;
        delta.with("accept", "application/json").get(path).await.refuses(406, "not_acceptable");
        delta.get(path).await.refuses(404, "not_found");
        program.close();
    }
}

/// A file with one product.
const TABLE: &str = "sku,title,price\nT-1,Clay lamp,450\n";

/// Everyone there is, asking.
struct Cast {
    guest: Robot,
    shopper: Robot,
    meena: Robot,
    delta: Robot,
    operator: Robot,
}

impl Cast {
    async fn meet(program: &mut Program) -> Self {
        program.set("HAAT_ADMIN_PASSWORD", PASSWORD);
        program.run_ok(&["admin", "create", "--email", "boss@haat.example"]);
        program.start().await;
        let guest = Robot::new(program);
        let form = [("name", "Asha"), ("email", "asha@haat.example"), ("password", PASSWORD)];
        Shopper::new(program).post("/sign-up", &form).await;
        Self {
            shopper: guest.signed_in("asha@haat.example").await,
            meena: guest.signed_in("meena@haat.example").await,
            delta: guest.signed_in("delta@haat.example").await,
            operator: guest.signed_in("boss@haat.example").await,
            guest,
        }
    }

    /// Who may ask this.
    fn owner(&self, route: &Route) -> &Robot {
        match route.audience {
            Audience::Member => &self.meena,
            Audience::Operator => &self.operator,
            _ => &self.shopper,
        }
    }

    /// A request for this route that does what its owner wants, about something of theirs that is there: method, path,
    /// body and, where it is asked for, the version.
    async fn request(&self, route: &Route) -> (String, Option<Value>, Option<String>) {
        let path = route.path.trim_start_matches("/api/v1").to_owned();
        let owner = self.owner(route);
        let mut tag = None;
        let (path, body) = match path.as_str() {
            "/keys/{id}" => {
                let key = json!({"name": "Books", "scopes": ["buy"]});
                (path.replace("{id}", &owner.post("/keys", key).await.is(201).text("/key/id")), None)
            }
            "/keys" => (path, Some(json!({"name": "Books", "scopes": ["buy"]}))),
            p if p.starts_with("/carts/") => {
                let (_, cart) = owner.fill_cart("meena-crafts").await;
                let view = owner.get(&format!("/carts/{cart}")).await.is(200);
                let path = path.replace("{id}", &cart).replace("{line}", &view.text("/groups/0/lines/0/id"));
                let body = match route.method {
                    "POST" => Some(json!({"variant": view.text("/groups/0/lines/0/variant"), "quantity": 1})),
                    "PATCH" => Some(json!({"quantity": 3})),
                    _ => None,
                };
                (path, body)
            }
            "/checkouts" => (path, Some(input(&owner.fill_cart("meena-crafts").await.1))),
            p if p.starts_with("/checkouts/") => {
                let mut input = input(&owner.fill_cart("meena-crafts").await.1);
                let checkout = owner.once("/checkouts", input.clone()).await.is(201).text("/id");
                input.as_object_mut().unwrap().remove("cart");
                let body = if p.ends_with("/pay") { json!({}) } else { input };
                (path.replace("{id}", &checkout), Some(body))
            }
            p if p.starts_with("/purchases/") => {
                let (_, number, _) = owner.buy("meena-crafts").await;
                let path = path.replace("{number}", &number).replace("{order}", &format!("{number}-1"));
                (path, Some(json!({"reason": "Too late"})))
            }
            "/shops" => {
                let handle = format!("stall-{}", haat_engine::random::number().to_lowercase());
                let settings =
                    self.meena.get("/shops/meena-crafts/settings").await.is(200).body["settings"].clone();
                (path, Some(json!({"handle": handle, "settings": settings})))
            }
            p if p.contains("{number}") => {
                let (_, number, _) = self.guest.buy("meena-crafts").await;
                let path =
                    path.replace("{handle}", "meena-crafts").replace("{number}", &format!("{number}-1"));
                let at = path.rsplit_once('/').unwrap();
                if ["ship", "deliver"].contains(&at.1) {
                    self.meena.once(&format!("{}/confirm", at.0), json!({})).await.is(204);
                }
                if at.1 == "deliver" {
                    let parcel = json!({"carrier": "India Post", "tracking_number": "RX1"});
                    self.meena.once(&format!("{}/ship", at.0), parcel).await.is(204);
                }
                let body = match at.1 {
                    "ship" => json!({"carrier": "India Post", "tracking_number": "RX1"}),
                    _ => json!({"reason": "Broken"}),
                };
                (path.clone(), Some(body))
            }
            p if p.contains("/variants/{id}") => {
                let variant = self.guest.variant("meena-crafts").await;
                let path = path.replace("{handle}", "meena-crafts").replace("{id}", &variant);
                (path, Some(json!({"change": 1})))
            }
            p if p.contains("/products/{id}/pictures") && route.method != "GET" && route.method != "PUT" => {
                let made = self.meena.once("/shops/meena-crafts/products", product("Clay jug")).await.is(201);
                let pictures = format!("/shops/meena-crafts/products/{}/pictures", made.text("/id"));
                let picture = self.meena.bring(&pictures, "image/png", png(7)).await.is(201).text("/id");
                match route.method {
                    "POST" => (pictures, None),
                    _ => (format!("{pictures}/{picture}"), Some(json!({"alt": "A jug"}))),
                }
            }
            p if p.contains("/products/{id}") => {
                let made = self.meena.once("/shops/meena-crafts/products", product("Clay jug")).await.is(201);
                let pictures = p.ends_with("/pictures");
                let path = path.replace("{handle}", "meena-crafts").replace("{id}", &made.text("/id"));
                if route.method == "PUT" && !pictures {
                    tag = Some(self.meena.get(&path).await.is(200).header("etag").to_owned());
                }
                (path, Some(if pictures { json!({"items": []}) } else { made.body["product"].clone() }))
            }
            p if p.ends_with("/settings") => {
                let path = path.replace("{handle}", "meena-crafts");
                let read = self.meena.get(&path).await.is(200);
                tag = Some(read.header("etag").to_owned());
                (path, Some(read.body["settings"].clone()))
            }
            "/shops/{handle}/products" => ("/shops/meena-crafts/products".into(), Some(product("Clay jug"))),
            p if p.contains("/imports/{id}") => {
                let path = path.replace("{handle}", "meena-crafts");
                let sent = self.meena.bring("/shops/meena-crafts/imports", "text/csv", TABLE.into()).await;
                (path.replace("{id}", &sent.is(201).text("/id")), Some(json!({})))
            }
            // No work is given up in this market: to everyone there is no such job.
            p if p.contains("/jobs/{id}") => (path.replace("{id}", "job_00000000000000000000000000"), None),
            "/products/{slug}" => {
                let slug = self.guest.get("/products?limit=1").await.is(200).text("/items/0/slug");
                (path.replace("{slug}", &slug), None)
            }
            "/categories/{slug}" => (path.replace("{slug}", "tableware"), None),
            _ => (path.replace("{handle}", "meena-crafts"), None),
        };
        (path, body.filter(|_| route.method != "GET"), tag)
    }
}

/// Every route, about real things of one seller, shopper or operator, asked by everyone else, and with keys.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_at_what_is_not_theirs() {
    let mut program = Program::prepare(On::Sqlite).await;
    let cast = Cast::meet(&mut program).await;
    let mut asked = 0;
    for route in REST.iter().filter(|r| !r.path.contains("/tokens")) {
        let (path, body, tag) = cast.request(route).await;
        let ask = async |who: &Robot| {
            asked += 1;
            let mut who = who.with("idempotency-key", haat_engine::random::token());
            if let Some(tag) = &tag {
                who = who.with("if-match", tag);
            }
            match *route {
                route if route == API_ADD_PICTURE => who.bring(&path, "image/png", png(7)).await,
                route if route == API_SEND_IMPORT => who.bring(&path, "text/csv", TABLE.into()).await,
                route => who.send(route.method, &path, body.clone()).await,
            }
        };
        let mut ask = ask;
        let owner = cast.owner(route).clone();
        let describe = |answer: &Answer, who: &str| format!("{who}: {} {path}: {answer:?}", route.method);
        let others: Vec<(&str, &Robot, u16)> = match route.audience {
            Audience::Anyone => vec![],
            Audience::SignedIn => vec![("a guest", &cast.guest, 401)],
            Audience::Holder => vec![
                ("a guest", &cast.guest, 404),
                ("a seller", &cast.meena, 404),
                ("an operator", &cast.operator, 404),
            ],
            Audience::Member => vec![
                ("a guest", &cast.guest, 401),
                ("a shopper", &cast.shopper, 404),
                ("another seller", &cast.delta, 404),
                ("an operator", &cast.operator, 404),
            ],
            Audience::Operator => vec![
                ("a guest", &cast.guest, 401),
                ("a shopper", &cast.shopper, 404),
                ("a seller", &cast.meena, 404),
            ],
            Audience::Signed => unreachable!(),
        };
        for (name, who, status) in others {
            let answer = ask(who).await;
            assert_eq!(answer.status, status, "{}", describe(&answer, name));
        }
        for token in ["made-up", "haat_key_made-up", "eyJhbGciOiJub25lIn0.e30."] {
            let answer = ask(&cast.guest.bearing(token)).await;
            assert_eq!(answer.status, 401, "{}", describe(&answer, token));
        }
        let key = async |scopes: Vec<Scope>| {
            let made = owner.post("/keys", json!({"name": "Test", "scopes": scopes})).await.is(201);
            (owner.bearing(&made.text("/secret")), made.text("/key/id"))
        };
        let (rest, rest_id) = key(Scope::ALL.into_iter().filter(|s| Some(*s) != route.scope).collect()).await;
        if route.scope.is_some() {
            let answer = ask(&rest).await;
            assert_eq!(answer.status, 403, "{}", describe(&answer, "a key without the scope"));
        }
        let may = match route.scope {
            Some(Scope::Account) | None => owner.clone(),
            Some(scope) => key(vec![scope]).await.0,
        };
        let answer = ask(&may).await;
        let expected = if path.contains("job_000") { 404..=404 } else { 200..=299 };
        assert!(expected.contains(&answer.status), "{}", describe(&answer, "whose it is"));
        owner.send("DELETE", &format!("/keys/{rest_id}"), None).await.is(204);
        let kept = owner.get("/keys").await.is(200);
        for key in kept.body["items"].as_array().unwrap() {
            owner.send("DELETE", &format!("/keys/{}", key["id"].as_str().unwrap()), None).await.is(204);
        }
    }
    assert!(asked > 250, "{asked}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_sign_in_and_out() {
    let mut program = Program::prepare(On::Sqlite).await;
    let cast = Cast::meet(&mut program).await;
    let guest = &cast.guest;
    let wrong =
        guest.post("/tokens", json!({"email": "meena@haat.example", "password": "wrong-wrong"})).await;
    assert_eq!(wrong.refuses(422, "invalid").text("/fields/0/code"), "wrong_credentials");
    let tokens =
        guest.post("/tokens", json!({"email": "MEENA@haat.example", "password": PASSWORD})).await.is(201);
    assert_eq!((tokens.text("/token_type").as_str(), &tokens.body["expires_in"]), ("Bearer", &json!(900)));
    let old = json!({"refresh_token": tokens.text("/refresh_token")});
    let next = guest.post("/tokens/refresh", old.clone()).await.is(201);
    let meena = guest.bearing(&next.text("/access_token"));
    assert_eq!(meena.get("/me").await.is(200).text("/shops/0/handle"), "meena-crafts");
    // Someone brings the old one: both are out.
    let replayed = guest.post("/tokens/refresh", old).await.refuses(401, "sign_in_needed");
    assert_eq!(replayed.header("www-authenticate"), "Bearer");
    meena.get("/me").await.refuses(401, "sign_in_needed");
    guest
        .post("/tokens/refresh", json!({"refresh_token": next.text("/refresh_token")}))
        .await
        .refuses(401, "sign_in_needed");
    cast.delta.send("DELETE", "/tokens", None).await.is(204);
    cast.delta.get("/me").await.refuses(401, "sign_in_needed");

    // A cookie that signs a browser in is nothing here.
    let browser = Shopper::new(&program);
    browser
        .post("/sign-in", &[("email", "meena@haat.example"), ("password", PASSWORD), ("next", "/account")])
        .await;
    assert_eq!(browser.get("/account").await.0, 200);
    assert_eq!(browser.client.get(program.at("/api/v1/me")).send().await.unwrap().status(), 401);
    // And a token is nothing to the pages.
    let account = cast.shopper.client.get(program.at("/account")).bearer_auth("x").send().await.unwrap();
    assert_eq!(account.status(), 401);
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_learns_when_to_retry() {
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT__LIMITS__CHANGES_A_MINUTE", "3");
    program.set("HAAT__LIMITS__SIGN_INS_A_MINUTE", "2");
    program.set("HAAT__LIMITS__SIGN_INS_OF_ACCOUNT_A_MINUTE", "3");
    program.set("HAAT__LIMITS__SCALE", "1");
    program.set("HAAT__LIMITS__ADDRESS_HEADER", "x-forwarded-for");
    program.start().await;
    let from = |address: &str| Robot::new(&program).with("x-forwarded-for", address);
    let guest = from("192.0.2.1");
    for left in [2, 1, 0] {
        let opened = guest.post("/carts", json!({})).await.is(201);
        assert_eq!(opened.header("ratelimit"), format!("\"changes\";r={left}"));
        assert_eq!(opened.header("ratelimit-policy"), "\"changes\";q=3;w=60");
    }
    let refused = guest.post("/carts", json!({})).await.refuses(429, "rate_limited");
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    guest.get("/products").await.is(200);
    // What the client itself says in front of the proxy's word is not believed.
    from("203.0.113.9, 192.0.2.1").post("/carts", json!({})).await.refuses(429, "rate_limited");
    from("192.0.2.2").post("/carts", json!({})).await.is(201);

    // The form and the API count the same tries.
    let wrong = json!({"email": "meena@haat.example", "password": "wrong-wrong"});
    from("192.0.2.3").post("/tokens", wrong.clone()).await.refuses(422, "invalid");
    let form = [("email", "meena@haat.example"), ("password", "wrong-wrong")];
    let typed = Shopper::new(&program).client.post(program.at("/sign-in")).form(&form);
    let typed = typed.header("x-forwarded-for", "192.0.2.3").send().await.unwrap();
    assert!(location(&typed).starts_with("/sign-in?draft="), "{typed:?}");
    from("192.0.2.3").post("/tokens", wrong.clone()).await.refuses(429, "rate_limited");
    // From elsewhere there is one more, and then none to this account.
    from("192.0.2.4").post("/tokens", wrong.clone()).await.refuses(422, "invalid");
    from("192.0.2.5").post("/tokens", wrong).await.refuses(429, "rate_limited");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_may_ask_only_where_they_are_named() {
    let mut program = Program::prepare(On::Sqlite).await;
    let allowed = |answer: &Answer| answer.header("access-control-allow-origin").to_owned();
    program.start().await;
    let elsewhere =
        Robot::new(&program).with("origin", "https://books.example").with("sec-fetch-site", "cross-site");
    assert_eq!(allowed(&elsewhere.get("/products").await.is(200)), "");
    elsewhere.send("OPTIONS", "/products", None).await.refuses(405, "method_not_allowed");
    program.kill();
    program.set("HAAT__SERVER__CORS_ORIGINS", "https://ledger.example https://books.example");
    program.start().await;
    let listed = elsewhere.get("/products").await.is(200);
    assert_eq!(allowed(&listed), "https://books.example");
    assert_eq!(listed.header("access-control-allow-credentials"), "");
    let preflight =
        elsewhere.with("access-control-request-method", "POST").send("OPTIONS", "/carts", None).await;
    assert_eq!(allowed(&preflight.is(200)), "https://books.example");
    elsewhere.post("/carts", json!({})).await.is(201);
    let other = elsewhere.with("origin", "https://evil.example");
    assert_eq!(allowed(&other.get("/products").await), "");
    // The pages' forms stay closed to it.
    let form = Shopper::new(&program)
        .client
        .post(program.at("/cart/lines"))
        .header("origin", "https://books.example");
    assert_eq!(form.header("sec-fetch-site", "cross-site").send().await.unwrap().status(), 403);
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_documented_without_anything_from_elsewhere() {
    let program = Program::serve(On::Sqlite).await;
    let robot = Robot::new(&program);
    let document = robot.get(&program.at("/api/openapi.json")).await.is(200);
    assert_eq!(document.text("/openapi"), "3.1.0");
    let response = robot.client.get(program.at("/api/docs")).send().await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script"), "{policy}");
    let page = response.text().await.unwrap();
    for route in REST {
        assert!(page.contains(&format!("<code>{} {}</code>", route.method, route.path)), "{}", route.path);
    }
    for code in
        ["not_found", "idempotency_key_missing", "precondition_failed", "out_of_stock", "rate_limited"]
    {
        assert!(page.contains(&format!("id=\"{code}\"")), "{code}");
    }
    for outside in ["<script", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    program.close();
}
