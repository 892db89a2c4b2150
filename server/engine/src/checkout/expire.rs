//! Ends checkouts whose time has run out, and releases what they hold.

use crate::{Engine, TxResult, bookings, db::Scalar, inventory::holds, params, payments, rows, statements};
use haat_shared::id::kinds::CheckoutId;

statements! {
    EXPIRED = "SELECT id FROM checkouts WHERE state IN ('open', 'paying') AND hold_until <= $1
        ORDER BY hold_until LIMIT $2";
    EXPIRE = "UPDATE checkouts SET state = 'expired', updated_at = $2
        WHERE id = $1 AND state IN ('open', 'paying') AND hold_until <= $2 RETURNING gift_minor AS value";
}

rows! {
    struct Expired {
        id: CheckoutId,
    }
}

/// Ends an expired checkout; returns false if another caller was faster.
pub async fn free(engine: &Engine, id: CheckoutId) -> TxResult<bool> {
    engine
        .db
        .write(("checkout::free", id), (id, engine.clock.now_ms()), |tx, (id, now)| {
            Box::pin(async move {
                let Some(Scalar(gift)) = tx.opt::<Scalar<i64>>(&EXPIRE, params![*id, *now]).await? else {
                    return Ok(false);
                };
                holds::release_in_tx(tx, *id).await?;
                bookings::release_in_tx(tx, *id).await?;
                if gift > 0 {
                    payments::release_cards_in_tx(tx, *id, *now).await?;
                }
                Ok(true)
            })
        })
        .await
}

/// Ends expired checkouts, one per transaction; returns how many.
pub async fn sweep(engine: &Engine) -> TxResult<usize> {
    const BATCH: i64 = 200;
    let expired: Vec<Expired> = engine.db.all(&EXPIRED, params![engine.clock.now_ms(), BATCH]).await?;
    let mut ended = 0;
    for checkout in expired {
        ended += usize::from(free(engine, checkout.id).await?);
    }
    Ok(ended)
}
