//! Earnings from delivered orders become available to their shops, once the orders can no longer be returned and neither a
//! return nor a dispute of them is open.

use crate::{
    Engine, TxResult,
    db::{Scalar, Tx, Value},
    ledger, params, rows, statements,
};
use haat_shared::{
    Currency, Money,
    id::kinds::{OrderId, ShopId},
    ledger::released,
};

/// The number of orders released in one transaction.
const BATCH: i64 = 200;

/// How long earnings wait for items that a shop expects back. Without an end, a customer who never sends them would hold them
/// for ever.
const RETURN_MS: i64 = 60 * 24 * 3_600_000;

/// Orders whose earnings are due at `$1`: nothing of them is disputed, and no return is under way; `$2` is the time from which
/// on returns that were approved still count.
macro_rules! is_due {
    () => {
        "released_at IS NULL AND release_at <= $1 AND open_disputes = 0 AND NOT EXISTS (SELECT 1 FROM returns b
            WHERE b.order_id = orders.id
                AND (b.state IN ('requested', 'received') OR (b.state = 'approved' AND b.created_at > $2)))"
    };
}

statements! {
    DUE = concat!("SELECT id AS value FROM orders WHERE ", is_due!(), " LIMIT 1");
    CLAIM = concat!("UPDATE orders SET released_at = $1 WHERE ", is_due!(), " AND id IN
            (SELECT id FROM orders WHERE ", is_due!(), " ORDER BY release_at LIMIT $3)
        RETURNING id AS value");
    // Read after the orders were claimed: refunds change the order's row before they post.
    PENDING = "SELECT o.id, o.shop_id, o.currency, o.collected_minor, CAST(COALESCE(-SUM(e.amount_minor), 0) AS BIGINT) AS earned
        FROM (VALUES [($1)]) AS given JOIN orders o ON o.id = given.column1
        LEFT JOIN ledger_postings p ON p.order_id = o.id
        LEFT JOIN ledger_entries e ON e.posting_id = p.id AND e.account = 'seller_pending'
        GROUP BY o.id, o.shop_id, o.currency, o.collected_minor";
}

rows! {
    struct PendingRow {
        id: OrderId,
        shop_id: ShopId,
        currency: Currency,
        collected_minor: i64,
        earned: i64,
    }
}

/// Releases all earnings that are due; returns from how many orders.
pub async fn release_due(engine: &Engine) -> TxResult<usize> {
    let mut total = 0;
    loop {
        let now = engine.clock.now_ms();
        if engine.db.opt::<Scalar<OrderId>>(&DUE, params![now, now - RETURN_MS]).await?.is_none() {
            return Ok(total);
        }
        total += engine.db.write("orders::release", now, |tx, now| Box::pin(release_in_tx(tx, *now))).await?;
    }
}

async fn release_in_tx(tx: &mut Tx, now: i64) -> TxResult<usize> {
    let orders: Vec<Scalar<OrderId>> = tx.all(&CLAIM, params![now, now - RETURN_MS, BATCH]).await?;
    let orders: Vec<[Value; 1]> = orders.into_iter().map(|order| [order.0.into()]).collect();
    let rows: Vec<PendingRow> = tx.all_many(&PENDING, &orders).await?;
    let postings = rows.into_iter().map(|row| {
        let earned = Money::new(row.earned, row.currency);
        Ok((released(row.shop_id, earned, row.collected_minor > 0)?, row.id))
    });
    let postings = postings.collect::<TxResult<Vec<_>>>()?;
    ledger::post(tx, &postings, now).await?;
    Ok(orders.len())
}
