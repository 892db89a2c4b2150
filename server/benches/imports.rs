//! How long it takes to import the Icecat catalogue on both databases while shoppers buy, and how much it
//! slows them down. Fails above 15 s on SQLite and 30 s on PostgreSQL, or if the 95th percentile of a
//! purchase is more than twice the one without an import. Run it on an otherwise idle machine.
//!
//! `make bench`. If the catalogue is missing (`HAAT_TEST_DATA`, or `shared/data` beside the project), it
//! says so.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a benchmark"
)]

#[path = "../tests/it/program.rs"]
mod program;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use program::{BOTH, On, Program, Shopper, details};
use tokio::task::JoinSet;

/// The interval at which purchases start, whether or not earlier ones have finished.
const PACE: Duration = Duration::from_millis(50);
const QUIET: Duration = Duration::from_secs(10);

fn catalogue() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var("HAAT_TEST_DATA").map_or(beside, PathBuf::from);
    folder.join("icecat-products.jsonl.gz")
}

async fn buy(shopper: Shopper, variant: String) -> Duration {
    let begun = Instant::now();
    shopper.add(&variant, "1").await;
    let checkout = shopper.post("/checkout", &[]).await;
    let next = shopper.post(&checkout, &details("cash", "k")).await;
    assert!(next.starts_with("/purchases/"), "{next}");
    begun.elapsed()
}

/// Buys at a steady pace while `going` returns true. Returns the sorted times.
async fn purchases(program: &Program, variants: &[String], mut going: impl FnMut() -> bool) -> Vec<Duration> {
    let (mut buyers, mut ticks) = (JoinSet::new(), tokio::time::interval(PACE));
    while going() {
        ticks.tick().await;
        let variant = &variants[haat_engine::random::small(variants.len() as u32) as usize];
        buyers.spawn(buy(Shopper::new(program), variant.clone()));
    }
    let mut times = buyers.join_all().await;
    times.sort();
    times
}

fn percentile(sorted: &[Duration], of_hundred: usize) -> f64 {
    sorted[(sorted.len() - 1) * of_hundred / 100].as_secs_f64() * 1e3
}

#[tokio::main]
async fn main() {
    let file = catalogue();
    if !file.exists() {
        println!("{} is not here: nothing is measured", file.display());
        return;
    }
    let mut good = true;
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        for round in 0..20 {
            program.stock("delta-electronics", round);
        }
        program.start().await;
        let scout = Shopper::new(&program);
        let mut variants = Vec::new();
        for slug in
            scout.slugs("/shops/delta-electronics", 480).await.iter().filter(|s| s.starts_with("lamp-"))
        {
            variants.push(scout.variant_at(slug).await);
        }
        let begun = Instant::now();
        purchases(&program, &variants, || begun.elapsed() < QUIET / 4).await;
        let begun = Instant::now();
        let quiet = purchases(&program, &variants, || begun.elapsed() < QUIET).await;
        let import = ["import", "products", file.to_str().unwrap(), "--shop", "meena-crafts"];
        let begun = Instant::now();
        let mut command = program.command(&import).stdout(Stdio::null()).spawn().unwrap();
        let mut took = None;
        let beside = purchases(&program, &variants, || {
            if command.try_wait().unwrap().is_some() {
                took = Some(begun.elapsed());
            }
            took.is_none()
        })
        .await;
        assert!(command.wait().unwrap().success());
        let took = took.unwrap().as_secs_f64();
        let begun = Instant::now();
        program.run_ok(&import);
        let again = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        let table = program.run_ok(&["export", "products", "--shop", "meena-crafts"]);
        assert!(table.lines().count() > 19_406);
        println!(
            "{on:?}: 19,406 products in {took:.1} s; the same again {again:.1} s; out as a table {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        let [before, after] = [&quiet, &beside].map(|times| (percentile(times, 50), percentile(times, 95)));
        println!(
            "{on:?}: a purchase takes p50 {:.1} ms, p95 {:.1} ms ({}); beside the import p50 {:.1} ms, p95 {:.1} ms ({})",
            before.0,
            before.1,
            quiet.len(),
            after.0,
            after.1,
            beside.len()
        );
        good &= took <= if on == On::Sqlite { 15.0 } else { 30.0 } && after.1 <= 2.0 * before.1;
        program.close();
    }
    assert!(good, "slower than it may be");
}
