use haat_engine::{accounts, db::Scalar, dispatch, idempotency, jobs, params, sandbox::Card, statements};

use crate::{both, support::*};

statements! {
    NOTIFIED = "SELECT kind || ' ' || recipient AS value FROM notifications ORDER BY kind, recipient";
    BREAK_PAYMENT = "UPDATE sandbox_payments SET state = 'waiting'";
    MEND_PAYMENT = "UPDATE sandbox_payments SET state = 'captured'";
    REQUEUE = "UPDATE jobs SET state = 'queued', run_at = 0, attempts = 0 WHERE state = 'dead'";
    LEFT = "SELECT (SELECT COUNT(*) FROM jobs) + (SELECT COUNT(*) FROM outbox) + (SELECT COUNT(*) FROM idempotency_keys) AS value";
}

both! {
    async fn outbox_messages_become_notifications_once(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 3).await;
        market.buy_in_cash(&market.guest_with(&[(bowl, 1), (lamp, 1)]).await).await.unwrap();
        // Four workers at once.
        let workers: Vec<_> = (0..4).map(|_| { let engine = market.engine.clone(); tokio::spawn(async move { dispatch::drain(&engine).await.unwrap() }) }).collect();
        for worker in workers { worker.await.unwrap(); }
        let notified: Vec<Scalar<String>> = market.engine.db.all(&NOTIFIED, params![]).await.unwrap();
        let notified: Vec<_> = notified.into_iter().map(|n| n.0).collect();
        assert_eq!(notified, [
            "order_placed delta-electronics@haat.example",
            "order_placed meena-crafts@haat.example",
            "purchase_made asha@example.com",
        ]);
    }

    async fn a_refund_that_fails_is_retried_and_then_given_up(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        let key = haat_engine::checkout::view(&market.engine, &guest, id).await.unwrap().key;
        haat_engine::checkout::pay(&market.engine, &guest, id, form("cash"), &key).await.unwrap();
        market.enter(&gateway_ref, Card::Approve).await;
        market.come_back(payment).await.unwrap();
        // The gateway refuses: it says that it never captured this.
        market.engine.db.write("t", (), |tx, ()| Box::pin(async move { tx.exec(&BREAK_PAYMENT, params![]).await?; Ok(()) })).await.unwrap();
        for _ in 0..20 {
            dispatch::drain(&market.engine).await.unwrap();
            market.clock.advance_ms(3_600_000);
        }
        let backlog = jobs::backlog(&market.engine).await.unwrap();
        assert_eq!((backlog.queued, backlog.dead), (0, 1));
        market.engine.db.write("t", (), |tx, ()| Box::pin(async move {
            tx.exec(&MEND_PAYMENT, params![]).await?;
            tx.exec(&REQUEUE, params![]).await?;
            Ok(())
        })).await.unwrap();
        market.settle().await;
        assert_eq!(haat_engine::sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 0);
    }

    async fn what_is_over_is_forgotten(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        market.settle().await;
        market.clock.advance_ms(8 * 24 * 3_600_000);
        dispatch::purge(&market.engine).await.unwrap();
        idempotency::purge(&market.engine).await.unwrap();
        accounts::purge(&market.engine).await.unwrap();
        let left: Scalar<i64> = market.engine.db.one(&LEFT, params![]).await.unwrap();
        assert_eq!(left.0, 0);
    }
}
