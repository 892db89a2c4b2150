//! Failures during a transaction affect only that transaction; the next one is written.

use haat_engine::{TxError, params, statements};

use crate::{both, support::*};

statements! {
    COUNT = "UPDATE shops SET version = version + 1 WHERE handle = 'no-such-shop'";
}

/// Panics when dropped, which the writer does between two transactions.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "what a write was given could not be let go");
    }
}

fn broken() -> Result<(), TxError> {
    panic!("in a write")
}

async fn write(market: &Market) -> Result<u64, TxError> {
    let db = &market.engine.db;
    db.write("t", (), |tx, ()| Box::pin(async move { Ok(tx.exec(&COUNT, params![]).await?) })).await
}

both! {
    async fn a_panic_outside_a_transaction_stops_nothing(market) {
        for _ in 0..3 {
            // The result doesn't matter: it may have been sent before the panic.
            let _ = market.engine.db.write("fragile", Fragile, |_, _| Box::pin(async { Ok(()) })).await;
            let panicked: Result<(), _> = market.engine.db.write("t", (), |_, ()| Box::pin(async { broken() })).await;
            assert!(matches!(panicked, Err(TxError::Bug(_))), "{panicked:?}");
            assert_eq!(write(market).await, Ok(0));
        }
        // Writes in the same commit get the true result.
        let fragile = (0..8).map(|_| market.engine.db.write("fragile", Fragile, |_, _| Box::pin(async { Ok(()) })));
        let whole = (0..8).map(|_| write(market));
        let (_, whole) = futures::join!(futures::future::join_all(fragile), futures::future::join_all(whole));
        assert!(whole.iter().all(|written| *written == Ok(0)), "{whole:?}");
    }

    async fn readiness_is_written(market) {
        let db = &market.engine.db;
        let (_, before) = db.counts();
        for now in [1, 2] {
            db.check_writes(now).await.unwrap();
        }
        assert_eq!(db.counts().1, before + 2);
    }
}
