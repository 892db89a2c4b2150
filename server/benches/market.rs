//! The throughput of the whole program over HTTP, on both databases: purchases, adding to the cart, start,
//! memory; and how soon other nodes and customers learn of a purchase.
//!
//! `make bench`. Clients run on the same machine, so the figures are lower bounds.

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

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use haat_shared::{
    Currency, Money,
    id::kinds::ZoneId,
    pricing::Benefit,
    promotions::Terms,
    shipping::{Area, ShippingRules, Zone},
};
use program::{BOTH, NatsServer, On, Program, Shopper, details, free_port, location};

const CLIENTS: usize = 16;
const SECONDS: u64 = 8;

fn percentile(sorted: &[Duration], of_hundred: usize) -> Duration {
    sorted[(sorted.len() - 1) * of_hundred / 100]
}

/// Cart, checkout and payment, each with its own cart, and with a coupon if there is a code. Returns how many purchases were
/// acknowledged.
async fn purchases(
    program: &Program,
    variants: &Arc<Vec<String>>,
    method: &'static str,
    code: Option<&'static str>,
) -> u64 {
    let done = Arc::new(AtomicU64::new(0));
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (shopper, variants, done) = (Shopper::new(program), variants.clone(), done.clone());
            tokio::spawn(async move {
                while Instant::now() < until {
                    let variant = &variants[haat_engine::random::small(variants.len() as u32) as usize];
                    shopper.add(variant, "1").await;
                    let checkout = shopper.post("/checkout", &[("code", code.unwrap_or_default())]).await;
                    let mut next = shopper.post(&checkout, &details(method, "k")).await;
                    if next.contains("/sandbox/") {
                        let back = shopper.post(&next, &[("card", "4242424242424242")]).await;
                        next = location(&shopper.client.get(&back).send().await.unwrap());
                    }
                    assert!(next.starts_with("/purchases/"), "{next}");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    done.load(Ordering::Relaxed)
}

/// Waits until no job, no outbox message and no email is pending.
async fn drained(program: &Program) {
    let scout = Shopper::new(program);
    let mut quiet = 0;
    while quiet < 2 {
        let (_, metrics) = scout.get("/metrics").await;
        let left = |gauge| metrics.lines().find_map(|l| l.strip_prefix(gauge)).expect(gauge).trim() != "0";
        let busy = [
            "haat_jobs{state=\"queued\"}",
            "haat_outbox{state=\"pending\"}",
            "haat_emails{state=\"queued\"}",
        ];
        let busy = busy.into_iter().any(left);
        quiet = if busy { 0 } else { quiet + 1 };
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Adds to carts at a steady 200 a second, each request on its own schedule. Returns the sorted times.
async fn adding(program: &Program, variants: &Arc<Vec<String>>) -> Vec<Duration> {
    let mut requests = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let shoppers: Vec<Shopper> = (0..50).map(|_| Shopper::new(program)).collect();
    for i in 0..1_200 {
        ticks.tick().await;
        let (shopper, variant) = (shoppers[i % shoppers.len()].clone(), variants[i % variants.len()].clone());
        requests.push(tokio::spawn(async move {
            let begun = Instant::now();
            shopper.add(&variant, "1").await;
            begun.elapsed()
        }));
    }
    let mut times = Vec::new();
    for request in requests {
        times.push(request.await.unwrap());
    }
    times.sort();
    times
}

/// How long after a purchase at one node a message on the bus has woken the other, as its metrics show.
async fn waking() {
    let port = free_port();
    let _server = NatsServer::start(port);
    let mut one = Program::prepare(On::Postgres).await;
    one.fill("meena-crafts");
    one.set("HAAT__BUS__NATS", &format!("nats://127.0.0.1:{port}"));
    let mut other = one.another_node();
    one.start().await;
    other.start().await;
    let variant = Shopper::new(&one).variant("meena-crafts", 0).await;
    let mut times = Vec::new();
    for round in 0..60 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = other.woken().await;
        Shopper::new(&one).buy_in_cash(&variant).await;
        let begun = Instant::now();
        while other.woken().await == before && begun.elapsed() < Duration::from_secs(5) {}
        // The nodes connect during the first rounds.
        if round >= 10 {
            times.push(begun.elapsed());
        }
    }
    times.sort();
    let [p50, worst] = [50, 100].map(|of_hundred| percentile(&times, of_hundred).as_secs_f64() * 1e3);
    println!(
        "two nodes and NATS: the other node is woken after {p50:.1} ms (median), {worst:.1} ms (worst of 50)"
    );
    other.close();
    one.close();
}

/// How long a confirmation takes while 200 refunds wait for a gateway that takes ten seconds for each.
async fn confirming(on: On) {
    let mut program = Program::prepare(on).await;
    program.start_with_refunds(40, Duration::from_secs(10)).await;
    let reader = Shopper::new(&program);
    let variant = reader.variant("meena-crafts", 1).await;
    let mut worst = Duration::ZERO;
    for _ in 0..10 {
        let number = Shopper::new(&program).buy_in_cash(&variant).await;
        let begun = Instant::now();
        while !reader.get("/dev/mail").await.1.contains(&format!("Thank you for your order {number}")) {}
        worst = worst.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    println!(
        "{on:?}: 200 refunds at a slow gateway: emails follow within {} ms (worst of 10)",
        worst.as_millis()
    );
    program.close();
}

/// 504 zones of six shops, 5,000 coupons, and 20 offers that apply by themselves.
async fn crowd(program: &Program) {
    let mut rules = ShippingRules::flat(
        ZoneId::from_uuid(Default::default()),
        "Everywhere",
        Money::new(4_900, Currency::INR),
        None,
        (2, 5),
    );
    let everywhere = rules.zones[0].clone();
    for zone in 0..83 {
        let codes = format!("IN {}-{}", 500_000 + zone * 100, 500_099 + zone * 100);
        let areas = vec![Area::parse(&codes).unwrap()];
        rules.zones.push(Zone { name: format!("Zone {zone}"), areas, ..everywhere.clone() });
    }
    let rules = serde_json::to_string(&rules).unwrap();
    program.sql(&format!("UPDATE shop_shipping SET rules = '{rules}'")).await;
    for (count, code) in [(5_000, "'CODE' || i"), (20, "NULL")] {
        promotions(program, count, code, Some(Money::new(90_000_000, Currency::INR))).await;
    }
    program.sql("ANALYZE").await;
}

/// The code of a coupon that every purchase has, whether the market is crowded or not.
const CODE: &str = "MINE";

/// Adds promotions; one in ten is the market's, the others are a shop's. `code` is in SQL, of their number `i`.
async fn promotions(program: &Program, count: usize, code: &str, minimum: Option<Money>) {
    let terms = Terms {
        label: "Sale".into(),
        benefit: Benefit::Percent(500),
        products: Vec::new(),
        categories: Vec::new(),
        shops: Vec::new(),
        minimum,
        maximum: None,
        cap: None,
        combines: true,
        market_bp: 0,
    };
    let terms = serde_json::to_string(&terms).unwrap();
    let id = if program.url.starts_with("sqlite:") { "randomblob(16)" } else { "gen_random_uuid()" };
    program
        .sql(&format!(
            "WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count})
            INSERT INTO promotions (id, shop_id, code, code_folded, currency, terms, form, starts_at, created_at, updated_at)
            SELECT {id}, CASE WHEN i % 10 = 0 THEN NULL ELSE (SELECT id FROM shops WHERE handle = 'meena-crafts') END,
                {code}, LOWER({code}), 'INR', '{terms}', '{{}}', 0, 0, 0 FROM numbers"
        ))
        .await;
}

/// What many zones and promotions cost: purchases with a coupon at two markets, of which one has them, in turns.
async fn crowded(on: On) {
    let mut markets = Vec::new();
    for is_crowded in [false, true] {
        let mut program = Program::prepare(on).await;
        for round in 0..40 {
            program.stock("meena-crafts", round);
        }
        promotions(&program, 1, &format!("'{CODE}'"), None).await;
        if is_crowded {
            crowd(&program).await;
        }
        program.start().await;
        let (scout, mut variants) = (Shopper::new(&program), Vec::new());
        // Each of these has a stock of a hundred.
        for slug in scout.slugs("/products", 1_000).await.iter().filter(|slug| slug.starts_with("lamp-")) {
            variants.push(scout.variant_at(slug).await);
        }
        markets.push((program, Arc::new(variants), 0));
    }
    for round in 0..4 {
        for (program, variants, count) in &mut markets {
            let bought = purchases(program, variants, "cash", Some(CODE)).await;
            // The first round warms up.
            *count += if round > 0 { bought } else { 0 };
            drained(program).await;
        }
    }
    let [plain, crowded] = [0, 1].map(|market: usize| markets[market].2);
    println!(
        "{on:?}: with 504 zones, 5,000 coupons and 20 offers {crowded} purchases, without {plain}: {:.2}",
        crowded as f64 / plain as f64
    );
    for (program, ..) in markets {
        program.close();
    }
}

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "crowded") {
        for on in BOTH {
            crowded(on).await;
        }
        return;
    }
    for on in BOTH {
        crowded(on).await;
    }
    waking().await;
    for on in BOTH {
        confirming(on).await;
    }
    println!("{CLIENTS} clients, {SECONDS} s each; clients and server on one machine");
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        for round in 0..40 {
            program.stock("meena-crafts", round);
        }
        let start = program.start().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        println!(
            "{on:?}: start to first answer {} ms, idle {} MB",
            start.as_millis(),
            program.memory_mb("VmRSS")
        );
        let scout = Shopper::new(&program);
        let mut variants = Vec::new();
        // Each of these has a stock of a hundred.
        for slug in scout.slugs("/products", 1_000).await.iter().filter(|slug| slug.starts_with("lamp-")) {
            variants.push(scout.variant_at(slug).await);
        }
        let variants = Arc::new(variants);
        // What the database knows of its tables is that of a market with orders, as it is within a minute of the first ones.
        for shopper in 0..200 {
            Shopper::new(&program).buy_in_cash(&variants[shopper % variants.len()]).await;
        }
        if let On::Postgres = on {
            program.sql("ANALYZE").await;
        }
        for method in ["cash", "sandbox"] {
            let begun = Instant::now();
            let count = purchases(&program, &variants, method, None).await;
            let rate = count as f64 / begun.elapsed().as_secs_f64();
            let bought = Instant::now();
            drained(&program).await;
            let all = count as f64 / begun.elapsed().as_secs_f64();
            println!(
                "{on:?}: {rate:.0} purchases/s in {method} ({count} of one line each); jobs and emails done {:.1} s later: {all:.0}/s",
                bought.elapsed().as_secs_f64()
            );
        }
        let times = adding(&program, &variants).await;
        let (p50, p95) = (percentile(&times, 50), percentile(&times, 95));
        println!(
            "{on:?}: add to basket at 200/s: p50 {:.1} ms, p95 {:.1} ms",
            p50.as_secs_f64() * 1e3,
            p95.as_secs_f64() * 1e3
        );
        println!("{on:?}: {} MB after all that", program.memory_mb("VmRSS"));
        program.close();
    }
}
