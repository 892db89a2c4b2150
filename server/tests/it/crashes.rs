//! `kill -9` in a stream of checkouts. It shows what a crash of the program does; a power cut is another matter, which
//! needs a disk that loses what was not synced.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::StatusCode;

use crate::program::*;

const KILLS: usize = 20;
const BUYERS: usize = 4;

/// Buys again and again until told to stop; notes each purchase that was acknowledged.
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
                    .try_post("/basket/lines", &[("variant", variant), ("quantity", "1"), ("back", "/")])
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

async fn killed_again_and_again(on: On) {
    let mut program = Program::prepare(on).await;
    // Enough of everything that it never runs out.
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
        tokio::time::sleep(Duration::from_millis(60 + (round as u64 * 37) % 140)).await;
        program.kill();
        program.verify();
        program.start().await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    for buyer in buyers {
        buyer.await.unwrap();
    }
    let acknowledged: Vec<String> = acknowledged.lock().unwrap().iter().cloned().collect();
    println!("{on:?}: {} purchases acknowledged over {KILLS} kills", acknowledged.len());
    assert!(acknowledged.len() > KILLS, "too few to show anything: {}", acknowledged.len());
    for url in &acknowledged {
        assert_eq!(scout.get(url).await.0, StatusCode::OK, "{url} was acknowledged and is gone");
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

/// The disk fills up in the middle of everything: whoever asks is told to come back, and nothing is half there.
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
            .try_post("/basket/lines", &[("variant", &variant), ("quantity", "1"), ("back", "/")])
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
    // There is room again.
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
