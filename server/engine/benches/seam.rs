//! The throughput of the database layer: transactions of ten statements and a full sync, with 1, 16 and 64
//! clients; and of reservations that all want the same item.
//!
//! `cargo bench -p haat-engine --bench seam`, under `scripts/with-postgres` for PostgreSQL too.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a benchmark"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use haat_engine::{Clock, Db, db::Scalar, params, random, statements};
use haat_shared::id::kinds::*;

statements! {
    INSERT_CAPACITY = "INSERT INTO capacities (id, kind, on_hand, held) VALUES ($1, 'stock', 1000000000, 0)";
    HOLD = "UPDATE capacities SET held = held + $2 WHERE id = $1 AND on_hand - held >= $2";
    MOVE = "INSERT INTO stock_movements (capacity_id, reason, reference, delta, created_at)
        VALUES ($1, 'received', $2, $3, $4)";
    DISPATCH = "INSERT INTO outbox (id, kind, subject, created_at) VALUES ($1, $2, $3, $4)";
    READ = "SELECT held AS value FROM capacities WHERE id = $1";
}

#[derive(Clone, Copy)]
struct Work {
    rows: [CapacityId; 4],
    now: i64,
}

/// Four guarded updates, four inserts, two reads.
async fn ten_statements(db: &Db, work: Work) {
    db.write("bench", work, |tx, work| {
        Box::pin(async move {
            for row in work.rows {
                tx.exec(&HOLD, params![row, 1]).await?;
            }
            for row in &work.rows[..2] {
                let _: Option<Scalar<i64>> = tx.opt(&READ, params![*row]).await?;
                let id: OutboxMessageId = random::id(work.now);
                tx.exec(&MOVE, params![*row, id, 0, work.now]).await?;
                let id: OutboxMessageId = random::id(work.now);
                tx.exec(&DISPATCH, params![id, "bench", *row, work.now]).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
}

async fn measure(db: &Db, rows: &Arc<Vec<CapacityId>>, clients: usize) -> f64 {
    let done = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (db, rows, done) = (db.clone(), rows.clone(), done.clone());
            tokio::spawn(async move {
                while begun.elapsed() < Duration::from_secs(3) {
                    let mut four = [0; 4].map(|_| rows[random::small(rows.len() as u32) as usize]);
                    four.sort();
                    ten_statements(&db, Work { rows: four, now: Clock::default().now_ms() }).await;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

/// Many who want the same item, a unit each: a record, then the guarded update, in one transaction with a full sync.
async fn hot(db: &Db, capacity: CapacityId, clients: usize) -> f64 {
    let done = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let reserve = move |(db, done): (Db, Arc<AtomicU64>)| async move {
        while begun.elapsed() < Duration::from_secs(3) {
            let input = (capacity, random::id::<OutboxMessage>(0));
            let held = db.write("hot", input, |tx, (capacity, id)| {
                Box::pin(async move {
                    tx.exec(&MOVE, params![*capacity, *id, -1, 0]).await?;
                    Ok(tx.exec(&HOLD, params![*capacity, 1]).await?)
                })
            });
            assert_eq!(held.await.unwrap(), 1);
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    let tasks: Vec<_> = (0..clients).map(|_| tokio::spawn(reserve((db.clone(), done.clone())))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let mut urls = vec![format!("sqlite:{}", folder.path().join("seam.db").display())];
    urls.extend(std::env::var("HAAT_TEST_POSTGRES"));
    for url in urls {
        let db = Db::open(&url, 32).await.unwrap();
        db.migrate(0).await.unwrap();
        let ids: Vec<CapacityId> = (0..1000).map(|_| random::id(0)).collect();
        for id in ids.clone() {
            db.write("seed", id, |tx, id| {
                Box::pin(async move { Ok(tx.exec(&INSERT_CAPACITY, params![*id]).await?) })
            })
            .await
            .unwrap();
        }
        let ids = Arc::new(ids);
        for clients in [1, 16, 64] {
            let rate = measure(&db, &ids, clients).await;
            println!("{:<11} {clients:>3} clients  {rate:>8.0} transactions/s", db.engine());
        }
        for clients in [1, 16, 64, 256] {
            let rate = hot(&db, ids[0], clients).await;
            println!("{:<11} {clients:>3} clients  {rate:>8.0} reservations/s of one item", db.engine());
        }
    }
}
