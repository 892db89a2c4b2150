//! The throughput of the whole program over HTTP, on both databases: purchases, adding to the cart, start,
//! memory.
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

use program::{BOTH, Program, Shopper, details, location};

const CLIENTS: usize = 16;
const SECONDS: u64 = 8;

fn percentile(sorted: &[Duration], of_hundred: usize) -> Duration {
    sorted[(sorted.len() - 1) * of_hundred / 100]
}

/// Cart, checkout and payment, each with its own cart. Returns how many purchases were acknowledged.
async fn purchases(program: &Program, variants: &Arc<Vec<String>>, method: &'static str) -> u64 {
    let done = Arc::new(AtomicU64::new(0));
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (shopper, variants, done) = (Shopper::new(program), variants.clone(), done.clone());
            tokio::spawn(async move {
                while Instant::now() < until {
                    let variant = &variants[haat_engine::random::small(variants.len() as u32) as usize];
                    shopper.add(variant, "1").await;
                    let checkout = shopper.post("/checkout", &[]).await;
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

/// Waits until no job and no outbox message is pending.
async fn drained(program: &Program) {
    let scout = Shopper::new(program);
    let mut quiet = 0;
    while quiet < 2 {
        let (_, metrics) = scout.get("/metrics").await;
        let left = |gauge| metrics.lines().find_map(|l| l.strip_prefix(gauge)).expect(gauge).trim() != "0";
        let busy = left("haat_jobs{state=\"queued\"}") || left("haat_outbox{state=\"pending\"}");
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

#[tokio::main]
async fn main() {
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
        for method in ["cash", "sandbox"] {
            let begun = Instant::now();
            let count = purchases(&program, &variants, method).await;
            drained(&program).await;
            let rate = count as f64 / begun.elapsed().as_secs_f64();
            println!("{on:?}: {rate:.0} purchases/s in {method}, jobs drained ({count} of one line each)");
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
