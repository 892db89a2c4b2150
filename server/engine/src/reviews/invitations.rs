//! Asks customers for reviews, some days after their orders arrived.

use crate::{
    Engine, TxError, TxResult,
    db::Scalar,
    outbox::{self, OutboxMessage},
    params, statements,
};
use haat_shared::id::kinds::OrderId;

const DAY_MS: i64 = 24 * 3_600_000;
/// For how long after its day an order is still worth asking about: longer than the market is ever stopped.
const LATEST_MS: i64 = 7 * DAY_MS;
/// How many orders are asked about at once.
const ORDERS: i64 = 200;

statements! {
    // Only accounts write reviews, and members of the shop don't. Whoever has written one needs no reminder.
    DUE = "INSERT INTO review_invitations (order_id, created_at)
        SELECT o.id, $3 FROM order_events e JOIN orders o ON o.id = e.order_id JOIN purchases p ON p.id = o.purchase_id
        WHERE e.kind = 'delivered' AND e.created_at > $1 AND e.created_at <= $2 AND o.state = 'delivered'
            AND o.replaces IS NULL AND p.user_id IS NOT NULL
            AND EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.id AND l.quantity > l.refunded)
            AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.order_id = o.id)
            AND NOT EXISTS (SELECT 1 FROM shop_members m WHERE m.shop_id = o.shop_id AND m.user_id = p.user_id)
            AND NOT EXISTS (SELECT 1 FROM review_invitations i WHERE i.order_id = o.id)
        ORDER BY o.id LIMIT $4 ON CONFLICT (order_id) DO NOTHING RETURNING order_id AS value";
}

/// Asks the customers of orders that arrived as many days ago as the operator has set, each once.
pub(crate) async fn invite_due(engine: &Engine) -> TxResult<()> {
    let days = engine.reviews.invite_days;
    if days == 0 {
        return Ok(());
    }
    let now = engine.clock.now_ms();
    let invited = engine
        .db
        .write("reviews::invite_due", (now, now - days * DAY_MS), |tx, (now, until)| {
            Box::pin(async move {
                let due: Vec<Scalar<OrderId>> =
                    tx.all(&DUE, params![*until - LATEST_MS, *until, *now, ORDERS]).await?;
                let message =
                    |Scalar(id): &Scalar<OrderId>| outbox::row(OutboxMessage::ReviewInvited, *id, *now);
                tx.exec_many(&outbox::WRITE, &due.iter().map(message).collect::<Vec<_>>()).await?;
                Ok::<_, TxError>(due.len())
            })
        })
        .await?;
    if invited > 0 {
        engine.bus.publish(crate::bus::Topic::Outbox, "");
    }
    Ok(())
}
