//! Paying on the page of a provider: what the tests of all of them do.

use std::time::Instant;

use serde_json::{Value, json};
use sqlx_core::{connection::Connection, query::query, row::Row, sql_str::AssertSqlSafe};
use sqlx_postgres::{PgConnection, PgRow};

use crate::program::*;

pub const SHOPS: [&str; 3] = ["meena-crafts", "delta-electronics", "malabar-pantry"];

/// A checkout with one product of each shop.
pub async fn checkout(program: &Program, shops: &[&str]) -> (Shopper, String) {
    let shopper = Shopper::new(program);
    for shop in shops {
        shopper.add(&shopper.variant(shop, 0).await, "1").await;
    }
    let checkout = shopper.post("/checkout", &[]).await;
    (shopper, checkout)
}

/// Where the market sends the shopper who comes back.
pub async fn come_back(shopper: &Shopper, back: &str) -> String {
    location(&shopper.client.get(back).send().await.unwrap())
}

/// Pays as a page with JavaScript does: asks for a payment in fields or a window on it. Returns the next step.
pub async fn pay_on_page(shopper: &Shopper, checkout: &str, method: &str, key: &str) -> Value {
    let update: serde_json::Map<String, Value> = details(method, key)
        .into_iter()
        .filter(|(name, _)| !["key", "quote_version"].contains(name))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    let id = checkout.rsplit('/').next().unwrap();
    let body = json!({"id": id, "update": update, "quote_version": 1, "key": key, "on_page": true});
    let answer = shopper.client.post(shopper.url("/api/checkout/pay")).json(&body).send().await.unwrap();
    answer.json().await.unwrap()
}

/// Where the script of such a page sends the shopper once they have paid.
pub fn back(next: &Value) -> &str {
    next["parameters"]["return_url"].as_str().unwrap()
}

/// What the program has written: its log, and its database if that is in files.
pub fn kept(program: &Program) -> Vec<(String, String)> {
    let files = std::fs::read_dir(&program.folder).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.is_file());
    let text = |path: std::path::PathBuf| {
        let bytes = std::fs::read(&path).unwrap();
        (path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned())
    };
    files.map(text).collect()
}

/// The same, and what it has written into PostgreSQL.
pub async fn kept_anywhere(program: &Program) -> Vec<(String, String)> {
    let mut kept = kept(program);
    if program.url.starts_with("postgres") {
        let mut connection = PgConnection::connect(&program.url).await.unwrap();
        let name = |row: PgRow| row.get::<String, _>(0);
        let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
        for table in query(tables).fetch_all(&mut connection).await.unwrap().into_iter().map(name) {
            let rows = AssertSqlSafe(format!("SELECT t::text FROM \"{table}\" t"));
            let rows = query(rows).fetch_all(&mut connection).await.unwrap().into_iter().map(name);
            kept.push((table.clone(), rows.collect::<Vec<_>>().join("\n")));
        }
    }
    kept
}

pub fn number(purchase: &str) -> &str {
    purchase.strip_prefix("/purchases/").unwrap().split('?').next().unwrap()
}

pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed().as_secs() < 120, "{what}");
        pause().await;
    }
}

/// Waits until the checkout has become a purchase without the shopper's doing.
pub async fn until_bought(shopper: &Shopper, checkout: &str) {
    until("bought", async || shopper.get(checkout).await.1.contains("You’ve already placed this order"))
        .await;
}

/// The customer cancels the n-th order of a purchase.
pub async fn cancel(shopper: &Shopper, purchase: &str, n: usize) {
    let (path, key) = purchase.split_once("?key=").unwrap();
    let order = format!("{}-{n}", number(purchase));
    let done = shopper.post(path, &[("key", key), ("order", &order), ("reason", "Too late")]).await;
    assert!(done.contains("done="), "{done}");
}

/// Meena, over REST: asks about her order of a purchase, or acts on it.
pub async fn meena(program: &Program, purchase: &str, step: &str, body: Option<Value>) -> Value {
    let client = reqwest::Client::new();
    let at = |path: &str| program.at(&format!("/api/v1{path}"));
    let login = json!({"email": "meena@haat.example", "password": "market-day-2026"});
    let tokens: Value = client.post(at("/tokens")).json(&login).send().await.unwrap().json().await.unwrap();
    let path = at(&format!("/shops/meena-crafts/orders/{}-1{step}", number(purchase)));
    let request = match body {
        Some(body) => client.post(path).json(&body).header("idempotency-key", haat_engine::random::token()),
        None => client.get(path),
    };
    let response = request.bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert!(status.is_success(), "{step}: {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

/// The refunds of Meena's order: the amounts, and whether each is done.
pub async fn refunds(program: &Program, purchase: &str) -> Vec<(i64, bool)> {
    let seen = meena(program, purchase, "", None).await;
    let refunds = seen["order"]["order"]["refunds"].as_array().unwrap().clone();
    let amount = |refund: &Value| refund["amount"]["amount"].as_i64().unwrap();
    refunds.iter().map(|refund| (amount(refund), refund["completed_at"].is_string())).collect()
}
