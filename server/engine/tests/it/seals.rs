//! The seals of the ledger: what was sealed can't be changed, added or removed unnoticed.

use haat_engine::{db::Scalar, orders, params, schedules, seals, statements};

use crate::{both, races::at_once, support::*};

const MEENA: &str = "meena-crafts";

statements! {
    CHANGE_AMOUNTS = "UPDATE ledger_entries SET amount_minor = amount_minor + CASE WHEN amount_minor > 0 THEN 1 ELSE -1 END
        WHERE posting_id = (SELECT id FROM ledger_postings WHERE kind = 'sale' ORDER BY id LIMIT 1)";
    CHANGE_BACK = "UPDATE ledger_entries SET amount_minor = amount_minor - CASE WHEN amount_minor > 0 THEN 1 ELSE -1 END
        WHERE posting_id = (SELECT id FROM ledger_postings WHERE kind = 'sale' ORDER BY id LIMIT 1)";
    CHANGE_TIME = "UPDATE ledger_postings SET created_at = created_at + $1 WHERE kind = 'sale'";
    MOVE = "UPDATE ledger_postings SET batch = $1 WHERE id = (SELECT id FROM ledger_postings WHERE batch = $2 ORDER BY id LIMIT 1)";
    CHANGE_SEAL = "UPDATE ledger_batches SET sealed_at = sealed_at + $1 WHERE number = 1";
    COUNT = "SELECT COUNT(*) AS value FROM ledger_postings WHERE batch IS NOT NULL";
    BATCHES = "SELECT COUNT(*) AS value FROM ledger_batches";
    DROP_SHOP_SEALS = "DELETE FROM ledger_shop_seals WHERE batch = 2";
}

async fn change(
    market: &Market,
    statement: &'static haat_engine::db::Statement,
    by: Vec<haat_engine::db::Value>,
) {
    market
        .engine
        .db
        .write("test", (statement, by), |tx, (statement, by)| {
            Box::pin(async move { Ok(tx.exec(statement, by).await?) })
        })
        .await
        .unwrap();
}

async fn broken(market: &Market) -> Vec<String> {
    seals::verify(&market.engine).await.unwrap().broken
}

both! {
    async fn what_is_sealed_cannot_change_unnoticed(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        assert_eq!(seals::seal(engine).await.unwrap(), 0, "nothing to seal");
        assert_eq!(seals::verify(engine).await.unwrap(), seals::Verified::default());
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        assert_eq!(seals::verify(engine).await.unwrap().unsealed, 3, "capture, sale, commission");
        assert_eq!(seals::seal(engine).await.unwrap(), 3);
        let first = seals::verify(engine).await.unwrap();
        assert_eq!((first.sealed, first.unsealed, first.broken.len()), (3, 0, 0));
        assert_eq!(first.last.as_ref().map(|(batch, seal)| (*batch, seal.len())), Some((1, 64)));
        let owner = market.owner(MEENA).await;
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "No").await.unwrap();
        market.settle().await;
        assert_eq!(seals::seal(engine).await.unwrap(), 3, "sale, commission and payment reversed");
        assert_eq!(seals::verify(engine).await.unwrap().last.unwrap().0, 2);
        assert!(broken(market).await.is_empty());

        // One unit more on both sides, so that all sums are right.
        change(market, &CHANGE_AMOUNTS, params![].to_vec()).await;
        let faults = broken(market).await;
        assert!(faults[0].starts_with("the sale post_") && faults[0].ends_with("changed after it was sealed in batch 1"), "{faults:?}");
        assert_eq!(faults.len(), 2, "and the shop's seal: {faults:?}");
        change(market, &CHANGE_BACK, params![].to_vec()).await;
        assert!(broken(market).await.is_empty());
        change(market, &CHANGE_TIME, params![1].to_vec()).await;
        assert_eq!(broken(market).await.len(), 2);
        change(market, &CHANGE_TIME, params![-1].to_vec()).await;
        change(market, &MOVE, params![2, 1].to_vec()).await;
        let faults = broken(market).await;
        assert!(faults.contains(&"batch 1 of the ledger has 2 postings instead of 3".to_owned()), "{faults:?}");
        assert!(faults.contains(&"batch 2 of the ledger has 4 postings instead of 3".to_owned()), "{faults:?}");
        change(market, &MOVE, params![1, 2].to_vec()).await;
        assert!(broken(market).await.is_empty());
        change(market, &CHANGE_SEAL, params![1].to_vec()).await;
        assert_eq!(broken(market).await, ["batch 1 of the ledger does not match its seal"]);
        change(market, &CHANGE_SEAL, params![-1].to_vec()).await;
        change(market, &DROP_SHOP_SEALS, params![].to_vec()).await;
        assert_eq!(broken(market).await.len(), 1);
    }

    /// Ledgers of several nodes are sealed by one of them, and by several at once in one chain.
    async fn several_nodes_seal_one_chain(market) {
        let [one, other] = market.two_nodes().await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 30).await;
        for _ in 0..6 {
            market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
            let nodes = [one.clone(), other.clone(), one.clone(), other.clone()];
            at_once(nodes.into_iter().map(|node| async move { seals::seal(&node).await.unwrap() }).collect()).await;
        }
        seals::seal(&one).await.unwrap();
        let count = async |of| market.engine.db.one::<Scalar<i64>>(of, params![]).await.unwrap().0;
        assert_eq!((count(&COUNT).await, count(&BATCHES).await >= 6), (18, true));
        let verified = seals::verify(&other).await.unwrap();
        assert_eq!((verified.sealed, verified.unsealed, verified.broken), (18, 0, vec![]));
        let schedule = schedules::SCHEDULES.iter().find(|schedule| schedule.name == "seal").unwrap();
        assert!(schedules::run_if_due(&one, schedule).await.unwrap());
    }
}
