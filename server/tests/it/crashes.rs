//! `kill -9` during a stream of checkouts. This covers crashes of the program, not power failures, which
//! need a disk that loses what was not synced.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::StatusCode;

use crate::program::*;

const KILLS: usize = 20;
const BUYERS: usize = 4;

/// Buys repeatedly until stopped, and records every purchase that was acknowledged.
async fn buy(
    shopper: Shopper,
    variants: Vec<[String; 2]>,
    method: &'static str,
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
    stop: Arc<AtomicBool>,
) {
    while !stop.load(Ordering::Relaxed) {
        let bought = async {
            for variant in &variants[haat_engine::random::small(24) as usize] {
                shopper
                    .try_post("/cart/lines", &[("variant", variant), ("quantity", "1"), ("back", "/")])
                    .await
                    .ok()?;
            }
            let checkout = location(&shopper.try_post("/checkout", &[]).await.ok()?);
            let mut next = location(&shopper.try_post(&checkout, &details(method, "k")).await.ok()?);
            if next.contains("/sandbox/pay/") {
                let back = location(&shopper.try_post(&next, &[("card", "4242424242424242")]).await.ok()?);
                next = location(&shopper.client.get(&back).send().await.ok()?);
            }
            next.starts_with("/purchases/").then_some(next)
        };
        match bought.await {
            Some(url) => drop(acknowledged.lock().unwrap().insert(url)),
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Waits until `count` more purchases have been acknowledged.
async fn more(acknowledged: &Mutex<BTreeSet<String>>, count: usize) {
    let have = || acknowledged.lock().unwrap().len();
    let (wanted, begun) = (have() + count, Instant::now());
    while have() < wanted {
        assert!(begun.elapsed() < Duration::from_secs(120), "nobody could buy anything for two minutes");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn killed_again_and_again(on: On) {
    let mut program = Program::prepare(on).await;
    // Enough stock never to run out.
    program.fill("meena-crafts");
    program.fill("delta-electronics");
    program.start().await;
    let scout = Shopper::new(&program);
    let mut variants = Vec::new();
    for i in 0..24 {
        variants.push([scout.variant("meena-crafts", i).await, scout.variant("delta-electronics", i).await]);
    }
    let (acknowledged, stop) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(AtomicBool::new(false)));
    let buyers: Vec<_> = (0..BUYERS)
        .map(|i| {
            let method = if i % 2 == 0 { "cash" } else { "sandbox" };
            tokio::spawn(buy(
                Shopper::new(&program),
                variants.clone(),
                method,
                acknowledged.clone(),
                stop.clone(),
            ))
        })
        .collect();
    for round in 0..KILLS {
        // On any machine: each run sells something and is killed at a different point of what follows.
        more(&acknowledged, 1 + round % 3).await;
        tokio::time::sleep(Duration::from_millis((round as u64 * 7) % 40)).await;
        program.kill();
        program.verify();
        program.start().await;
    }
    more(&acknowledged, 1).await;
    stop.store(true, Ordering::Relaxed);
    for buyer in buyers {
        buyer.await.unwrap();
    }
    let acknowledged: Vec<String> = acknowledged.lock().unwrap().iter().cloned().collect();
    println!("{on:?}: {} purchases acknowledged over {KILLS} kills", acknowledged.len());
    for url in &acknowledged {
        assert_eq!(scout.get(url).await.0, StatusCode::OK, "{url} was acknowledged but is lost");
    }
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_sqlite() {
    killed_again_and_again(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_postgres() {
    killed_again_and_again(On::Postgres).await;
}

/// The disk fills up during purchases: clients are told to retry, and nothing is half written.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_loses_nothing() {
    let mut program = Program::prepare(On::Sqlite).await;
    program.fill("meena-crafts");
    let pages = std::fs::metadata(program.folder.join("haat.db")).unwrap().len() / 4096;
    program.set("HAAT_TEST_MAX_PAGES", &(pages + 12).to_string());
    program.start().await;
    let shopper = Shopper::new(&program);
    let variant = shopper.variant("meena-crafts", 0).await;
    let (mut sold, mut refused) = (Vec::new(), 0);
    for _ in 0..200 {
        let shopper = Shopper::new(&program);
        let added = shopper
            .try_post("/cart/lines", &[("variant", &variant), ("quantity", "1"), ("back", "/")])
            .await
            .unwrap();
        if added.status() == StatusCode::SERVICE_UNAVAILABLE {
            assert!(added.headers().contains_key("retry-after"));
            refused += 1;
            if refused > 20 {
                break;
            }
            continue;
        }
        let begun = shopper.try_post("/checkout", &[]).await.unwrap();
        let paid = if location(&begun).starts_with("/checkout/") {
            location(&shopper.try_post(&location(&begun), &details("cash", "k")).await.unwrap())
        } else {
            String::new()
        };
        if paid.starts_with("/purchases/") {
            sold.push(paid)
        } else {
            refused += 1
        }
        if refused > 20 {
            break;
        }
    }
    assert!(refused > 20, "the disk never filled up");
    program.kill();
    program.verify();
    // There is space again.
    program.set("HAAT_TEST_MAX_PAGES", "1000000");
    program.start().await;
    for url in &sold {
        assert_eq!(shopper.get(url).await.0, StatusCode::OK, "{url}");
    }
    let shopper = Shopper::new(&program);
    shopper.add(&variant, "1").await;
    let checkout = shopper.post("/checkout", &[]).await;
    assert!(shopper.post(&checkout, &details("cash", "k")).await.starts_with("/purchases/"));
    program.close();
}

/// Buys one item in cash. Returns the redirect's target, or nothing if any request was told to retry later.
async fn try_to_buy(program: &Program, variant: &str) -> Option<String> {
    let shopper = Shopper::new(program);
    let mut path = "/cart/lines".to_owned();
    let line = [("variant", variant), ("quantity", "1"), ("back", "/")];
    let form = details("cash", "k");
    for fields in [&line[..], &[], &form[..]] {
        let answer = shopper.try_post(&path, fields).await.unwrap();
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
            assert!(answer.headers().contains_key("retry-after"), "{path}");
            return None;
        }
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        let to = location(&answer);
        if to.ends_with("error=busy") {
            return None;
        }
        path = if to == "/cart" { "/checkout".into() } else { to };
    }
    assert!(path.starts_with("/purchases/"), "{path}");
    Some(path)
}

/// PostgreSQL runs out of space during a purchase, becomes read-only, or closes all connections: shoppers are
/// told to retry, earlier sales are kept, and selling resumes by itself afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_in_trouble_refuses_and_loses_nothing() {
    let program = Program::serve(On::Postgres).await;
    let scout = Shopper::new(&program);
    let variant = scout.variant("meena-crafts", 0).await;
    let sold = try_to_buy(&program, &variant).await.unwrap();
    let name = program.url.rsplit('/').next().unwrap();
    let troubles = [
        // The error of a full disk, at the last table that a purchase writes to.
        (
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$; \
             CREATE TRIGGER no_room BEFORE INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION no_room()"
                .to_owned(),
            "DROP TRIGGER no_room ON ledger_entries".to_owned(),
        ),
        (
            format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
            format!("ALTER DATABASE {name} RESET default_transaction_read_only"),
        ),
        (
            format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
            format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"),
        ),
    ];
    for (begin, end) in troubles {
        program.sql(&begin).await;
        program.disconnect_everyone().await;
        for _ in 0..12 {
            assert_eq!(try_to_buy(&program, &variant).await, None, "{begin}");
        }
        program.sql(&end).await;
        program.disconnect_everyone().await;
        // A closed connection is only noticed by the next request that uses it.
        let mut again = None;
        for _ in 0..50 {
            again = try_to_buy(&program, &variant).await;
            if again.is_some() {
                break;
            }
        }
        assert!(again.is_some(), "after {begin}");
    }
    assert_eq!(scout.get(&sold).await.0, StatusCode::OK);
    program.close();
}
