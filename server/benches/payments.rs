//! How soon payments are known: the time until a webhook is accepted, until it has become a purchase, and of
//! looking a payment up, on both databases. Webhooks are those of a fake of Stripe in this process, and come at a
//! limited rate, each on its own schedule.
//!
//! `make bench`. The gateway and its shoppers run on the same machine, so the figures are upper bounds.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a benchmark"
)]

#[path = "../tests/it/program.rs"]
mod program;

use std::time::{Duration, Instant};

use haat_fakes::stripe::Stripe;
use program::{BOTH, On, Program, Shopper, details};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

/// How many payments are made.
const PAYMENTS: usize = 400;

/// How many webhooks come in a second, at most.
const RATE: u64 = 25;

fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |of_hundred: usize| times[(times.len() - 1) * of_hundred / 100].as_secs_f64() * 1e3;
    format!("p50 {:.1} ms, p95 {:.1} ms, worst {:.1} ms", ms(50), ms(95), ms(100))
}

/// Buys with a card, and never comes back from the gateway's page.
async fn pay(program: &Program, variant: &str) -> (Shopper, String) {
    let shopper = Shopper::new(program);
    shopper.add(variant, "1").await;
    let checkout = shopper.post("/checkout", &[]).await;
    let page = shopper.post(&checkout, &details("card", "k")).await;
    let entered = shopper.client.post(&page).form(&[("card", "4242424242424242")]).send().await.unwrap();
    assert!(entered.status().is_redirection(), "{}", entered.status());
    (shopper, checkout)
}

/// Sends a webhook; returns the times until it was accepted, and from then until its checkout was a purchase.
async fn report(
    (client, url): (Client, String),
    (headers, body): (Vec<(&'static str, String)>, Vec<u8>),
    (shopper, checkout): (Shopper, String),
) -> (Duration, Duration) {
    let request = client.post(url).header("content-type", "application/json");
    let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let begun = Instant::now();
    assert_eq!(request.body(body).send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let (accepted, begun) = (begun.elapsed(), Instant::now());
    while !shopper.get(&checkout).await.1.contains("You’ve already placed this order") {
        assert!(begun.elapsed().as_secs() < 30, "{checkout} was never bought");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (accepted, begun.elapsed())
}

/// Looks payments up one after another, by the gateway's ID of each.
async fn look_up(program: &Program, payments: &[Value]) {
    let client = Client::new();
    let at = |path: &str| program.at(&format!("/api/v1{path}"));
    let login = json!({"email": "olga@haat.example", "password": "market-day-2026"});
    let tokens: Value = client.post(at("/tokens")).json(&login).send().await.unwrap().json().await.unwrap();
    let token = tokens["access_token"].as_str().expect("an admin's token");
    let mut times = Vec::new();
    for payment in payments {
        let address = at(&format!("/admin/payments?q={}", payment["id"].as_str().unwrap()));
        let begun = Instant::now();
        let found = client.get(address).bearer_auth(token).send().await.unwrap();
        let found = found.text().await.unwrap();
        times.push(begun.elapsed());
        assert!(found.contains("captured"), "{found}");
    }
    println!("  a payment by the gateway’s ID: {}", spread(times));
}

async fn measure(on: On) {
    let stripe = Stripe::start("sk_test_fake", "whsec_now", 0).await;
    let mut program = Program::prepare(on).await;
    program.set("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_fake");
    program.set("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_now");
    program.set("HAAT__PAYMENTS__STRIPE_URL", &stripe.url);
    program.set("HAAT_ADMIN_PASSWORD", "market-day-2026");
    program.run_ok(&["admin", "create", "--email", "olga@haat.example", "--name", "Olga"]);
    let lamp = json!({"title": "Lamp", "state": "published", "variants": [{"sku": "LAMP", "price": "333.33", "stock": "100000"}]});
    let file = program.folder.join("lamp.jsonl");
    std::fs::write(&file, lamp.to_string()).unwrap();
    program.run_ok(&["import", "products", file.to_str().unwrap(), "--shop", "meena-crafts"]);
    program.start().await;
    let listed =
        Client::new().get(program.at("/api/v1/products?shop=meena-crafts&q=Lamp")).send().await.unwrap();
    let listed: Value = listed.json().await.unwrap();
    let variant = listed["items"][0]["variant_id"].as_str().expect("a lamp").to_owned();
    let mut ticks = tokio::time::interval(Duration::from_millis(1000 / RATE));
    let (client, url) = (Client::new(), program.at("/webhooks/stripe"));
    let mut reports = Vec::new();
    for _ in 0..PAYMENTS {
        let paid = pay(&program, &variant).await;
        let mut events = stripe.take_events();
        events.retain(|event| event["type"] == "payment_intent.succeeded");
        let [event] = events.as_slice() else { panic!("one event: {events:?}") };
        let webhook = stripe.signed(event, 0, None);
        ticks.tick().await;
        reports.push(tokio::spawn(report((client.clone(), url.clone()), webhook, paid)));
    }
    let mut times = Vec::new();
    for report in reports {
        times.push(report.await.unwrap());
    }
    let (accepted, completed): (Vec<_>, Vec<_>) = times.into_iter().unzip();
    println!("{on:?}, {PAYMENTS} payments:");
    println!("  a webhook is accepted: {}", spread(accepted));
    println!("  then it is a purchase: {}", spread(completed));
    look_up(&program, &stripe.objects("checkout.session")).await;
    program.close();
}

#[tokio::main]
async fn main() {
    for on in BOTH {
        measure(on).await;
    }
}
