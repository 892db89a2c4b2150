//! Attacks on money and stock: against two processes of a market on PostgreSQL, and one on SQLite. `make attack` runs them
//! in the sizes that docs/reliability.md names, `make test` a part of each.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use haat_engine::random::{small, token};
use haat_fakes::{
    common::{Books, Fake},
    paypal::PayPal,
    razorpay::Razorpay,
    stripe::Stripe,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect::Policy};
use serde_json::{Value, json};

use crate::{paying::SHOPS, program::*};

/// As much of the whole as `HAAT_ATTACK_SCALE` says, in percent; but so much that something can go wrong.
pub fn scaled(whole: usize, least: usize) -> usize {
    let percent = std::env::var("HAAT_ATTACK_SCALE").map_or(Ok(1), |percent| percent.parse::<usize>());
    (whole * percent.expect("HAAT_ATTACK_SCALE is a number of percent") / 100).max(least)
}

/// All processes of a market that is not yet running: two on PostgreSQL.
async fn prepared(on: On, settings: &[(&str, &str)]) -> Vec<Program> {
    let mut first = Program::prepare(on).await;
    settings.iter().for_each(|(name, value)| first.set(name, value));
    match on {
        On::Sqlite => vec![first],
        On::Postgres => {
            // Both are behind one name.
            let mut other = first.another_node();
            other.set("HAAT__SERVER__PUBLIC_URL", &first.at(""));
            vec![other, first]
        }
    }
}

/// The oracle wants no process at work.
fn close(mut nodes: Vec<Program>) {
    nodes.iter_mut().for_each(Program::kill);
    nodes.into_iter().for_each(Program::close);
}

/// Starts a market in which Meena sells something; its variant.
async fn start(nodes: &mut [Program], title: &str, stock: usize) -> String {
    let node = nodes.last().unwrap();
    let variant = json!({"sku": title, "price": "333.33", "stock": stock.to_string()});
    let file = node.folder.join("sold.jsonl");
    std::fs::write(&file, json!({"title": title, "state": "published", "variants": [variant]}).to_string())
        .unwrap();
    node.run_ok(&["import", "products", file.to_str().unwrap(), "--shop", SHOPS[0]]);
    for node in &mut *nodes {
        node.start().await;
    }
    let address = nodes[0].at(&format!("/api/v1/products?shop={}&q={title}", SHOPS[0]));
    let listed: Value = Client::new().get(address).send().await.unwrap().json().await.unwrap();
    listed["items"][0]["variant_id"].as_str().unwrap().to_owned()
}

/// A client of the REST API that asks one process after the other.
#[derive(Clone)]
struct Api {
    client: Client,
    nodes: Arc<[String]>,
    turn: Arc<AtomicUsize>,
}

/// Who holds a cart, and their checkout.
#[derive(Clone)]
struct Held {
    cart: String,
    checkout: String,
}

type Answer = (u16, Value);

impl Api {
    fn of(nodes: &[Program]) -> Self {
        let client = Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(90));
        let nodes = nodes.iter().map(|node| node.at("")).collect();
        Self { client: client.build().unwrap(), nodes, turn: Arc::default() }
    }

    /// The next process.
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.nodes[self.turn.fetch_add(1, Relaxed) % self.nodes.len()])
    }

    /// Sends a request once. Nothing if there was no answer, or one that says to try again.
    async fn once(&self, headers: &[(&str, &str)], path: &str, body: &Value) -> Option<Answer> {
        let request = self.client.post(self.at(&format!("/api/v1{path}"))).json(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().await.ok()?;
        let (status, again) = (response.status().as_u16(), response.headers().contains_key("retry-after"));
        let body = response.text().await.ok()?;
        let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
        (status < 500 && !again).then_some((status, body))
    }

    /// Sends a request with the same key until it is answered.
    async fn ask(&self, holder: (&str, &str), key: &str, path: &str, body: &Value) -> Answer {
        let begun = Instant::now();
        loop {
            if let Some(answer) = self.once(&[holder, ("idempotency-key", key)], path, body).await {
                return answer;
            }
            assert!(begun.elapsed().as_secs() < 240, "no answer to {path}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A checkout of some of a variant; nothing if there is no more.
    async fn begin(&self, variant: &str, quantity: usize, method: &str) -> Option<Held> {
        // Adding again would add more: a cart whose line got no answer is left.
        let cart = loop {
            if let Some((201, cart)) = self.once(&[], "/carts", &json!({})).await {
                let token = cart["token"].as_str().unwrap().to_owned();
                let path = format!("/carts/{}/lines", cart["id"].as_str().unwrap());
                let line = json!({"variant_id": variant, "quantity": quantity});
                match self.once(&[("haat-cart", &token)], &path, &line).await {
                    Some((201, view)) => break (token, view["id"].clone()),
                    Some(refused) => return none_left(refused),
                    None => {}
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let input = json!({
            "cart_id": cart.1, "email": "asha@example.com", "payment_method": method,
            "address": {"name": "Asha Rao", "line1": "12 Lake Road", "city": "Pune", "postal_code": "411001",
                "country": "IN"},
        });
        match self.ask(("haat-cart", &cart.0), "begin", "/checkouts", &input).await {
            (201, view) => Some(Held { cart: cart.0, checkout: view["id"].as_str().unwrap().to_owned() }),
            refused => none_left(refused),
        }
    }

    async fn pay(&self, held: &Held, key: &str) -> Value {
        let path = format!("/checkouts/{}/pay", held.checkout);
        let (status, next) = self.ask(("haat-cart", &held.cart), key, &path, &json!({})).await;
        assert_eq!(status, 200, "{next}");
        next
    }

    /// Submits the page of a gateway; the URL that the shopper is sent back to, if it answered.
    async fn enter_card(&self, page: &str) -> Option<String> {
        let sent = self.client.post(page).form(&[("card", "4242424242424242")]).send().await.ok()?;
        Some(location(&sent)).filter(|back| !back.is_empty())
    }

    /// The shopper comes back to one of the processes; the page that it leads to.
    async fn come_back(&self, back: &str) -> Option<String> {
        let response = self.client.get(self.at(path_of(back))).send().await.ok()?;
        Some(location(&response))
    }

    /// The number of the checkout's purchase, once there is one.
    async fn purchase(&self, held: &Held) -> Option<String> {
        let address = self.at(&format!("/api/v1/checkouts/{}", held.checkout));
        let view: Value =
            self.client.get(address).header("haat-cart", &held.cart).send().await.ok()?.json().await.ok()?;
        view["purchase"]["number"].as_str().map(str::to_owned)
    }

    /// A paid purchase by card; its number.
    async fn buy_by_card(&self, variant: &str, quantity: usize) -> String {
        let held = self.begin(variant, quantity, "card").await.unwrap();
        let page = self.pay(&held, "k").await["url"].as_str().unwrap().to_owned();
        let back = self.enter_card(&page).await.unwrap();
        sent(|| self.client.get(self.at(path_of(&back)))).await;
        let address = || self.at(&format!("/api/v1/checkouts/{}", held.checkout));
        let view = sent(|| self.client.get(address()).header("haat-cart", &held.cart)).await;
        let view: Value = view.json().await.unwrap();
        view["purchase"]["number"].as_str().expect("a purchase").to_owned()
    }
}

/// Sends a request that may be repeated, until it is answered: a connection that is idle makes room for others when
/// there are too many, and that may be just when the client uses it again.
async fn sent(request: impl Fn() -> RequestBuilder) -> Response {
    let begun = Instant::now();
    loop {
        match request().send().await {
            Ok(response) => return response,
            Err(error) => assert!(begun.elapsed().as_secs() < 60, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn none_left((status, body): Answer) -> Option<Held> {
    // A basket doesn't take more than there is; a checkout says that it is gone.
    assert!((status == 409 && body["code"] == "out_of_stock") || status == 422, "{status} {body}");
    None
}

/// The path of a URL of the market.
fn path_of(url: &str) -> &str {
    let from = url.find("//").map_or(0, |at| at + 2);
    url[from..].find('/').map_or("/", |at| &url[from + at..])
}

fn total(objects: &[Value], name: &str) -> i64 {
    objects.iter().map(|object| object[name].as_i64().unwrap()).sum()
}

/// A market that takes cards at a fake of Stripe, not yet running.
async fn with_stripe(on: On, authorizes: bool) -> (Vec<Program>, Stripe) {
    let stripe = Stripe::start("sk_test_fake", "whsec_now", 0).await;
    let nodes = prepared(
        on,
        &[
            ("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_fake"),
            ("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_now"),
            ("HAAT__PAYMENTS__STRIPE_URL", &stripe.url),
            ("HAAT__PAYMENTS__STRIPE_AUTHORIZES", if authorizes { "true" } else { "false" }),
        ],
    )
    .await;
    (nodes, stripe)
}

/// How one of those who want the last units fares: the number of their purchase, if they get one.
async fn buy_while_killed(api: &Api, variant: &str, by_card: bool, sold: &AtomicUsize) -> Option<String> {
    let held = api.begin(variant, 1, if by_card { "sandbox" } else { "cash" }).await?;
    let next = api.pay(&held, "pay").await;
    let number = match next["url"].as_str() {
        None => next["purchase"]["number"].as_str().unwrap().to_owned(),
        // Until the card was entered and its shopper is back, from one process or the other.
        Some(page) => loop {
            if let Some(back) = api.enter_card(page).await {
                api.come_back(&back).await;
            }
            if let Some(number) = api.purchase(&held).await {
                break number;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        },
    };
    sold.fetch_add(1, Relaxed);
    Some(number)
}

async fn kills(on: On) {
    let (buyers, units) = (scaled(10_000, 400), scaled(100, 20));
    let mut nodes = prepared(on, &[]).await;
    let variant = start(&mut nodes, "Zunheboto", units).await;
    let (api, sold) = (Api::of(&nodes), Arc::new(AtomicUsize::new(0)));
    let buying = tokio::spawn({
        let (api, sold) = (api.clone(), sold.clone());
        async move {
            let buy = |n| {
                let (api, variant, sold) = (api.clone(), variant.clone(), sold.clone());
                async move { buy_while_killed(&api, &variant, n % 2 == 0, &sold).await }
            };
            let numbers: Vec<_> = stream::iter(0..buyers).map(buy).buffer_unordered(64).collect().await;
            numbers.into_iter().flatten().collect::<Vec<_>>()
        }
    });
    // Whenever some more were sold, and every two seconds. In short runs more seldom, because a request that was killed may be
    // repeated only after its lease.
    let (mut kills, pause) = (0, if buyers == 10_000 { 2 } else { 15 });
    while !buying.is_finished() {
        let (begun, before) = (Instant::now(), sold.load(Relaxed));
        while begun.elapsed().as_secs() < pause && sold.load(Relaxed) < before + 4 && !buying.is_finished() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let victim = kills % nodes.len();
        nodes[victim].kill();
        nodes[victim].start().await;
        kills += 1;
    }
    let mut numbers = buying.await.unwrap();
    println!("{on:?}: {buyers} checkouts of {units} units, {kills} kills: {} sold", numbers.len());
    assert!(kills > 2, "{kills}");
    assert_eq!(numbers.len(), units);
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), units, "each its own purchase");
    close(nodes);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_the_last_units_while_a_process_is_killed() {
    kills(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_the_last_units_while_two_processes_are_killed() {
    kills(On::Postgres).await;
}

/// Pays 32 times at once, half of them with the same key, and comes back as often. The market captures what was authorized.
async fn pay_in_many_tabs(api: &Api, variant: &str, answers: &AtomicUsize) -> Held {
    let held = api.begin(variant, 1, "card").await.expect("there is enough");
    let keys = (0..32).map(|n| if n % 2 == 0 { "k".to_owned() } else { format!("k{n}") });
    let pays = keys.map(|key| {
        let held = held.clone();
        async move { api.pay(&held, &key).await }
    });
    let mut pages: Vec<String> = futures::future::join_all(pays).await.iter().map(Value::to_string).collect();
    answers.fetch_add(pages.len(), Relaxed);
    pages.dedup();
    assert_eq!(pages.len(), 1, "one payment, whatever the key");
    let page: Value = serde_json::from_str(&pages[0]).unwrap();
    let back = api.enter_card(page["url"].as_str().unwrap()).await.unwrap();
    futures::future::join_all((0..32).map(|_| api.come_back(&back))).await;
    held
}

/// Waits until each of the checkouts is a purchase; the numbers.
async fn all_bought(api: &Api, held: Vec<Held>) -> Vec<String> {
    let (begun, count) = (Instant::now(), held.len());
    let wait = |held: Held| async move {
        loop {
            if let Some(number) = api.purchase(&held).await {
                return number;
            }
            assert!(begun.elapsed().as_secs() < 300, "{} was never bought", held.checkout);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let mut numbers: Vec<_> = stream::iter(held).map(wait).buffer_unordered(16).collect().await;
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), count, "each its own purchase");
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_pay_in_many_tabs_while_the_gateway_fails() {
    let checkouts = scaled(1_000, 12);
    for on in BOTH {
        let (mut nodes, stripe) = with_stripe(on, true).await;
        let variant = start(&mut nodes, "Zunheboto", 100_000).await;
        let (api, answers) = (Api::of(&nodes), AtomicUsize::new(0));
        stripe.webhooks_to(&nodes[0].at("/webhooks/stripe"));
        stripe.deliver_automatically();
        stripe.fail_often(30);
        let paying = stream::iter(0..checkouts).map(|_| pay_in_many_tabs(&api, &variant, &answers));
        let held: Vec<Held> = paying.buffer_unordered(16).collect().await;
        all_bought(&api, held).await;
        stripe.fail_often(0);
        let payments = stripe.objects("payment_intent");
        let captured = payments.iter().filter(|payment| payment["status"] == "succeeded").count();
        let answers = answers.into_inner();
        println!("{on:?}: {checkouts} checkouts, {answers} payments: {captured} captures");
        assert_eq!((captured, payments.len(), answers), (checkouts, checkouts, 32 * checkouts));
        assert_eq!(stripe.objects("checkout.session").len(), checkouts);
        assert_eq!(stripe.objects("refund").len(), 0);
        assert_eq!(total(&payments, "amount_received"), total(&payments, "amount"));
        close(nodes);
    }
}

/// Meena, signed in.
async fn meena(api: &Api) -> String {
    let login = json!({"email": "meena@haat.example", "password": "market-day-2026"});
    let (status, tokens) = api.once(&[], "/tokens", &login).await.unwrap();
    assert_eq!(status, 201);
    format!("Bearer {}", tokens["access_token"].as_str().unwrap())
}

/// What one of many refunds of an order asks for: one or two of nine, or the delivery.
fn part(line: &Value) -> Value {
    match small(8) {
        0 => json!({"shipping": true, "reason": "Late"}),
        n => json!({"lines": [{"position": line, "quantity": 1 + n % 2}], "reason": "Chipped"}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_refund_more_than_was_captured() {
    let orders = scaled(500, 8);
    for on in BOTH {
        let (mut nodes, stripe) = with_stripe(on, false).await;
        let variant = start(&mut nodes, "Zunheboto", 100_000).await;
        let api = Api::of(&nodes);
        stripe.webhooks_to(&nodes[0].at("/webhooks/stripe"));
        stripe.deliver_automatically();
        let bearer = meena(&api).await;
        let bought = stream::iter(0..orders).map(|_| api.buy_by_card(&variant, 9)).buffer_unordered(8);
        let numbers: Vec<String> = bought.collect().await;
        // A chargeback arrives meanwhile. From then on, nothing of that order is refunded.
        stripe.dispute();
        let (done, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let attack = |number: String| {
            let (api, bearer, done, refused) = (&api, ("authorization", bearer.as_str()), &done, &refused);
            async move {
                let number = &number;
                let order = format!("/shops/{}/orders/{number}-1", SHOPS[0]);
                let (status, said) = api.ask(bearer, &token(), &format!("{order}/confirm"), &json!({})).await;
                assert!(status < 300, "{status} {said}");
                let address = || api.at(&format!("/api/v1{order}"));
                let seen = sent(|| api.client.get(address()).header(bearer.0, bearer.1)).await;
                let seen: Value = seen.json().await.unwrap();
                let line = seen["order"]["order"]["lines"][0]["position"].clone();
                let refunds = (0..64).map(|n| {
                    let (body, path) = (part(&line), format!("{order}/refunds"));
                    async move {
                        let answer = api.ask(bearer, &format!("{number}{n}"), &path, &body).await;
                        // Again, as if the answer had been lost.
                        if n % 8 == 0 {
                            assert_eq!(
                                api.ask(bearer, &format!("{number}{n}"), &path, &body).await.0,
                                answer.0
                            );
                        }
                        answer
                    }
                });
                for (status, answer) in futures::future::join_all(refunds).await {
                    let kind = if status == 201 { done } else { refused };
                    kind.fetch_add(1, Relaxed);
                    assert!([201, 422].contains(&status), "{number}: {status} {answer}");
                }
            }
        };
        stream::iter(numbers.clone()).map(attack).buffer_unordered(8).collect::<Vec<_>>().await;
        let (done, refused) = (done.into_inner(), refused.into_inner());
        println!("{on:?}: {orders} orders, {} refunds: {done} made, {refused} refused", done + refused);
        assert_eq!(done + refused, 64 * orders);
        // Each is refunded at the gateway, once and in the background.
        let begun = Instant::now();
        while stripe.objects("refund").len() < done {
            assert!(begun.elapsed().as_secs() < 300, "{} of {done}", stripe.objects("refund").len());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(stripe.objects("refund").len(), done);
        let (mut captured, mut refunded) = (0, 0);
        for charge in stripe.objects("charge") {
            let of = |name: &str| charge[name].as_i64().unwrap();
            assert!(of("amount_refunded") <= of("amount_captured"), "{charge}");
            captured += of("amount_captured");
            refunded += of("amount_refunded");
            // All nine were asked for, and delivery is free.
            assert!(charge["disputed"] == true || of("amount_refunded") == of("amount_captured"), "{charge}");
        }
        println!("{on:?}: {refunded} of {captured} refunded");
        close(nodes);
    }
}

/// The headers and the body.
type Webhook = (Vec<(&'static str, String)>, Vec<u8>);

/// The payment that an event of Stripe is about.
fn attempt(event: &Value) -> String {
    event["data"]["object"]["metadata"]["haat_attempt"].as_str().unwrap_or_default().to_owned()
}

/// Delivers the events of Stripe while `buying` goes on: each twice, in any order, to any process; of a tenth of the
/// payments none. Returns how many payments these are.
async fn deliver<T>(api: &Api, stripe: &Stripe, buying: &tokio::task::JoinHandle<T>) -> usize {
    let mut lost = std::collections::BTreeMap::<String, bool>::new();
    let mut pool: Vec<Value> = Vec::new();
    loop {
        let over = buying.is_finished();
        for event in stripe.take_events() {
            if !*lost.entry(attempt(&event)).or_insert_with(|| small(10) == 0) {
                pool.extend([event.clone(), event]);
            }
        }
        if over && pool.is_empty() {
            return lost.values().filter(|lost| **lost).count();
        }
        // Some stay for later, until nobody buys any more.
        let count = if over { pool.len() } else { pool.len() / 2 }.min(64);
        let any = |_| pool.swap_remove(small(pool.len() as u32) as usize);
        let batch: Vec<Value> = (0..count).map(any).collect();
        let send = |event: Value| async move {
            let status = post_webhook(api, "stripe", stripe.signed(&event, 0, None)).await;
            assert!(status == StatusCode::NO_CONTENT || status.is_server_error(), "{status} {event}");
            // Stripe sends again what was not accepted.
            (status != StatusCode::NO_CONTENT).then_some(event)
        };
        let again: Vec<_> = stream::iter(batch).map(send).buffer_unordered(8).collect().await;
        pool.extend(again.into_iter().flatten());
        if count == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn post_webhook(api: &Api, gateway: &str, (headers, body): Webhook) -> StatusCode {
    let request = || {
        let address = api.at(&format!("/webhooks/{gateway}"));
        let request = api.client.post(address).header("content-type", "application/json").body(body.clone());
        headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    };
    sent(request).await.status()
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_webhooks_twice_in_any_order_and_lost() {
    let payments = scaled(10_000, 150);
    for on in BOTH {
        let (mut nodes, stripe) = with_stripe(on, false).await;
        let variant = start(&mut nodes, "Zunheboto", 100_000).await;
        let api = Api::of(&nodes);
        let late = Arc::new(Mutex::new(Vec::new()));
        let buying = tokio::spawn({
            let (api, late) = (api.clone(), late.clone());
            async move {
                let (api, variant, late) = (&api, &variant, &late);
                let buy = |n: usize| async move {
                    let held = api.begin(variant, 1, "card").await.expect("there is enough");
                    let page = api.pay(&held, "k").await["url"].as_str().unwrap().to_owned();
                    let back = api.enter_card(&page).await.unwrap();
                    match n % 4 {
                        // At once, or in two tabs at once: before the webhooks, or with them.
                        0 => drop(api.come_back(&back).await),
                        1 => drop(tokio::join!(api.come_back(&back), api.come_back(&back))),
                        // After the webhooks.
                        2 => late.lock().unwrap().push(back),
                        // Never.
                        _ => {}
                    }
                    held
                };
                stream::iter(0..payments).map(buy).buffer_unordered(16).collect::<Vec<Held>>().await
            }
        });
        let lost = deliver(&api, &stripe, &buying).await;
        let (held, late) = (buying.await.unwrap(), std::mem::take(&mut *late.lock().unwrap()));
        for back in late {
            let to = api.come_back(&back).await.unwrap();
            assert!(path_of(&to).starts_with("/purchases/"), "{to}");
        }
        // What nobody reported is reconciled.
        let begun = Instant::now();
        let missing = {
            let state = held.iter().map(|held| api.purchase(held));
            stream::iter(state)
                .buffer_unordered(16)
                .filter(|found| std::future::ready(found.is_none()))
                .count()
        };
        let missing = missing.await;
        let numbers = all_bought(&api, held).await;
        println!(
            "{on:?}: {} of {payments} bought; the webhooks of {lost} were lost, {missing} reconciled in {} s",
            numbers.len(),
            begun.elapsed().as_secs()
        );
        assert!(lost > 0);
        let intents = stripe.objects("payment_intent");
        assert_eq!((intents.len(), stripe.objects("refund").len()), (payments, 0));
        assert!(intents.iter().all(|intent| intent["status"] == "succeeded"));
        close(nodes);
    }
}

/// The n-th of what a forger makes of a genuine webhook.
fn forged<B: Books>(fake: &Fake<B>, event: &Value, another: &Value, n: usize, dated: bool) -> Webhook {
    let guess = token();
    let (mut headers, mut body) = fake.signed(event, 0, None);
    let signature = |headers: &mut Vec<(&'static str, String)>, change: &dyn Fn(&mut String)| {
        let signed =
            headers.iter_mut().find(|(name, _)| name.ends_with("signature") || name.ends_with("-sig"));
        change(&mut signed.unwrap().1);
    };
    match n % 12 {
        // With another secret: a guess, none, and those of other accounts.
        0 => return fake.signed(event, 0, Some(&guess)),
        1 => return fake.signed(event, 0, Some("")),
        2 => {
            return fake.signed(
                event,
                0,
                Some(["whsec_now ", "hush-hush", "1webhook", "sk_test_fake"][n / 12 % 4]),
            );
        }
        // Too old, or from the future; where only the event has a time, a body of another time.
        3 | 4 if dated => {
            let age = 301 + i64::from(small(1_000_000));
            return fake.signed(event, if n % 12 == 3 { age } else { -age }, None);
        }
        // Unsigned, or with an empty signature.
        3 | 5 => headers.clear(),
        6 => signature(&mut headers, &String::clear),
        // A digit of the signature, or of its time, is another one; or it is cut off.
        7 => signature(&mut headers, &|value| {
            let at = value.len() - 1 - small(8) as usize;
            let digit = if value[at..].starts_with('0') { "1" } else { "0" };
            value.replace_range(at..=at, digit);
        }),
        8 => signature(&mut headers, &|value| value.truncate(value.len() - 1 - small(20) as usize)),
        // Of another event.
        9 => headers = fake.signed(another, 0, None).0,
        // One bit of the body is another one.
        10 => {
            let at = small(body.len() as u32) as usize;
            body[at] ^= 1 << small(7);
        }
        // The same JSON, written otherwise; or more than was signed.
        11 => body = event.to_string().into_bytes(),
        _ => body.push(b' '),
    }
    (headers, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_forge_webhooks() {
    let count = scaled(100_000, 4_000);
    for on in BOTH {
        let (stripe, paypal, razorpay) = (
            Stripe::start("sk_test_fake", "whsec_now", 0).await,
            PayPal::start("app", "hush-hush", "1WEBHOOK", 0).await,
            Razorpay::start("rzp_test_fake", "hush-hush", "webhook-now", 0).await,
        );
        let mut nodes = prepared(
            on,
            &[
                ("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_fake"),
                ("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_now"),
                ("HAAT__PAYMENTS__STRIPE_URL", &stripe.url),
                ("HAAT__PAYMENTS__PAYPAL_CLIENT_ID", "app"),
                ("HAAT__PAYMENTS__PAYPAL_SECRET", "hush-hush"),
                ("HAAT__PAYMENTS__PAYPAL_WEBHOOK_ID", "1WEBHOOK"),
                ("HAAT__PAYMENTS__PAYPAL_URL", &paypal.url),
                ("HAAT__PAYMENTS__RAZORPAY_KEY_ID", "rzp_test_fake"),
                ("HAAT__PAYMENTS__RAZORPAY_KEY_SECRET", "hush-hush"),
                ("HAAT__PAYMENTS__RAZORPAY_WEBHOOK_SECRETS", "webhook-now"),
                ("HAAT__PAYMENTS__RAZORPAY_URL", &razorpay.url),
            ],
        )
        .await;
        let variant = start(&mut nodes, "Zunheboto", 100_000).await;
        let api = Api::of(&nodes);
        // Somebody is at the page of Stripe and pays nothing.
        let held = api.begin(&variant, 1, "card").await.unwrap();
        api.pay(&held, "k").await;
        let session = stripe.objects("checkout.session").remove(0);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let of_stripe = |n: usize| {
            json!({"id": format!("evt_{n}"), "object": "event", "created": now, "type": "checkout.session.completed",
                "data": {"object": session}})
        };
        let of_paypal = |n: usize| {
            json!({"id": format!("WH-{n}"), "event_type": "CHECKOUT.ORDER.APPROVED",
                "resource": {"id": format!("ORDER{n}"), "status": "APPROVED"}})
        };
        let of_razorpay = |n: usize| {
            json!({"entity": "event", "event": "payment_link.paid", "created_at": now, "account_id": format!("acc_{n}"),
                "payload": {"payment_link": {"entity": {"id": format!("plink_{n}"), "status": "paid"}}}})
        };
        let forge = |n: usize| match n % 4 {
            0 => ("stripe", forged(&stripe, &of_stripe(n), &of_stripe(n + 1), n / 4, true)),
            1 => ("paypal", forged(&paypal, &of_paypal(n), &of_paypal(n + 1), n / 4, true)),
            2 => ("razorpay", forged(&razorpay, &of_razorpay(n), &of_razorpay(n + 1), n / 4, false)),
            _ => {
                let event = json!({"events": [{"id": format!("e{n}"), "payment": "sandbox", "attempt": held.checkout}]});
                let signature = format!("t={now}000,v1={}", hex(&token()));
                ("sandbox", (vec![("haat-sandbox-signature", signature)], event.to_string().into_bytes()))
            }
        };
        let (accepted, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let send = |n: usize| {
            let ((gateway, webhook), api) = (forge(n), &api);
            let (accepted, refused) = (&accepted, &refused);
            async move {
                let status = post_webhook(api, gateway, webhook).await;
                let kind = if status == StatusCode::FORBIDDEN { refused } else { accepted };
                kind.fetch_add(1, Relaxed);
                assert_eq!(status, StatusCode::FORBIDDEN, "{gateway} {n} {}", n / 4 % 12);
            }
        };
        stream::iter(0..count).map(send).buffer_unordered(16).collect::<Vec<_>>().await;
        let (accepted, refused) = (accepted.into_inner(), refused.into_inner());
        println!("{on:?}: {count} forged webhooks: {accepted} accepted, {refused} refused");
        assert_eq!((accepted, refused), (0, count));
        assert_eq!(api.purchase(&held).await, None);
        // And a genuine one is accepted: it is the signature that decides.
        let genuine = stripe.signed(&of_stripe(0), 0, None);
        assert_eq!(post_webhook(&api, "stripe", genuine).await, StatusCode::NO_CONTENT);
        close(nodes);
    }
}

/// Sixty-four hexadecimal digits.
fn hex(text: &str) -> String {
    text.bytes().cycle().take(32).map(|byte| format!("{byte:02x}")).collect()
}

/// The postings of a purchase.
macro_rules! postings_of {
    () => {
        "(order_id IN (SELECT id FROM orders WHERE purchase_id = ?1)
            OR reference IN (SELECT id FROM payments WHERE purchase_id = ?1))"
    };
}

/// What belongs to a purchase: the rows of each table, and the columns of which every copy has values of its own.
const COPIED: [(&str, &str, &[&str]); 13] = [
    ("checkouts", "purchase_id = ?1", &["id", "purchase_id"]),
    ("checkout_orders", "checkout_id = ?2", &["checkout_id", "order_id"]),
    ("checkout_lines", "checkout_id = ?2", &["checkout_id", "order_id"]),
    ("holds", "checkout_id = ?2", &["checkout_id"]),
    ("purchases", "id = ?1", &["id", "number", "checkout_id"]),
    ("orders", "purchase_id = ?1", &["id", "number", "purchase_id"]),
    ("order_lines", "order_id IN (SELECT id FROM orders WHERE purchase_id = ?1)", &["order_id"]),
    ("order_events", "order_id IN (SELECT id FROM orders WHERE purchase_id = ?1)", &["order_id"]),
    ("stock_movements", "reason = 'sold' AND reference = ?1", &["reference"]),
    ("payments", "purchase_id = ?1", &["id", "checkout_id", "purchase_id", "gateway_ref"]),
    (
        "sandbox_payments",
        "attempt_id IN (SELECT id FROM payments WHERE purchase_id = ?1)",
        &["gateway_ref", "attempt_id"],
    ),
    (
        "ledger_entries",
        concat!("posting_id IN (SELECT id FROM ledger_postings WHERE ", postings_of!(), ")"),
        &["posting_id"],
    ),
    ("ledger_postings", postings_of!(), &["id", "reference", "order_id", "batch", "seal"]),
];

/// Copies a purchase until the ledger has this many entries.
fn multiply(db: &rusqlite::Connection, entries: i64) {
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let (purchase, checkout) = (
        one("SELECT id FROM purchases ORDER BY created_at DESC, id DESC LIMIT 1"),
        one("SELECT checkout_id FROM purchases ORDER BY created_at DESC, id DESC LIMIT 1"),
    );
    let counted = format!("SELECT COUNT(*) FROM ledger_entries WHERE {} AND ?2 = ?2", COPIED[11].1);
    let each: i64 = db.query_row(&counted, (&purchase, &checkout), |row| row.get(0)).unwrap();
    let there: i64 = db.query_row("SELECT COUNT(*) FROM ledger_entries", [], |row| row.get(0)).unwrap();
    let copies = (entries - there) / each + 1;
    db.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA cache_size = -200000; BEGIN").unwrap();
    // What the copies sell was delivered before.
    let delivered = "INSERT INTO stock_movements (capacity_id, reason, reference, delta, created_at)
        SELECT capacity_id, 'received', randomblob(16), -delta * ?3, created_at FROM stock_movements
        WHERE reason = 'sold' AND reference = ?1 AND ?2 = ?2";
    db.execute(delivered, (&purchase, &checkout, copies)).unwrap();
    for (table, rows, own) in COPIED {
        let mut columns = db.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
        let columns: Vec<String> =
            columns.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let value = |name: &String| match name.as_str() {
            "batch" | "seal" => "NULL".to_owned(),
            name if own.contains(&name) => format!(
                "CASE typeof({name}) WHEN 'blob' THEN unhex(substr(hex({name}), 1, 24) || printf('%08x', n))
                    WHEN 'text' THEN {name} || '-' || n END"
            ),
            name => name.to_owned(),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let copy = format!(
            "INSERT INTO {table} ({}) WITH RECURSIVE copies (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ?3)
            SELECT {} FROM (SELECT * FROM {table} WHERE {rows} AND ?2 = ?2) CROSS JOIN copies",
            columns.join(", "),
            values.join(", ")
        );
        db.execute(&copy, (&purchase, &checkout, copies)).unwrap();
    }
    db.execute_batch("COMMIT; ANALYZE").unwrap();
}

/// One byte of a large ledger is changed: `haat ledger verify` finds it, and says in which posting.
#[tokio::test(flavor = "multi_thread")]
async fn attack_a_byte_of_a_large_ledger() {
    let entries = scaled(1_000_000, 10_000).try_into().unwrap();
    let mut program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    let mut variants = Vec::new();
    for shop in SHOPS {
        variants.push(shopper.variant(shop, 0).await);
    }
    shopper.buy_by_card(&variants).await;
    program.kill();
    let db = rusqlite::Connection::open(program.folder.join("haat.db")).unwrap();
    multiply(&db, entries);
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    program.start().await;
    let begun = Instant::now();
    while count("SELECT COUNT(*) FROM ledger_postings WHERE batch IS NULL") > 0 {
        assert!(begun.elapsed().as_secs() < 600, "{}", program.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    program.kill();
    let (begun, said) = (Instant::now(), program.run_ok(&["ledger", "verify"]));
    let (took, there) = (begun.elapsed(), count("SELECT COUNT(*) FROM ledger_entries"));
    println!("{there} entries verified in {} ms: {}", took.as_millis(), said.trim());
    for change in [
        // The last bit of an amount, of a time, and a letter.
        ("ledger_entries", "amount_minor = amount_minor + 1 - (amount_minor & 1) * 2", "posting_id"),
        ("ledger_postings", "created_at = created_at + 1 - (created_at & 1) * 2", "id"),
        ("ledger_entries", "account = substr(account, 1, 3) || 'x' || substr(account, 5)", "posting_id"),
    ] {
        let (table, set, key) = change;
        let posting: Vec<u8> = db
            .query_row(
                "SELECT id FROM ledger_postings LIMIT 1 OFFSET abs(random()) % (SELECT COUNT(*) FROM ledger_postings)",
                [],
                |row| row.get(0),
            )
            .unwrap();
        let row = format!("(SELECT rowid FROM {table} WHERE {key} = ?1 LIMIT 1)");
        assert_eq!(
            db.execute(&format!("UPDATE {table} SET {set} WHERE rowid = {row}"), [&posting]).unwrap(),
            1
        );
        let found = program.run(&["ledger", "verify"]);
        let said = String::from_utf8(found.stdout).unwrap();
        let named: Vec<&str> =
            said.lines().filter(|line| line.contains("was changed after it was sealed")).collect();
        assert!(!found.status.success() && named.len() == 1, "{set}: {said}");
        let id = named[0].split_whitespace().find(|word| word.starts_with("post_")).unwrap();
        let id: haat_shared::id::kinds::PostingId = id.parse().unwrap();
        assert_eq!(id.uuid().as_bytes(), &posting[..], "{said}");
        // The lowest bit again. What was changed by a letter stays.
        if !set.starts_with("account") {
            db.execute(&format!("UPDATE {table} SET {set} WHERE rowid = {row}"), [&posting]).unwrap();
        }
    }
    std::fs::remove_dir_all(&program.folder).unwrap();
}
