//! Ends checkouts whose time has run out, and releases what they hold.

use crate::{
    Engine, TxResult, bookings,
    db::{Scalar, Tx},
    inventory::holds,
    params, payments, rows, statements,
};
use haat_shared::id::kinds::{CheckoutId, UserId};

statements! {
    EXPIRED = "SELECT id FROM checkouts WHERE state IN ('open', 'paying') AND hold_until <= $1
        ORDER BY hold_until LIMIT $2";
    EXPIRE = "UPDATE checkouts SET state = 'expired', updated_at = $2
        WHERE id = $1 AND state IN ('open', 'paying') AND hold_until <= $2 RETURNING gift_minor AS value";
    // What is paid for them after all is given back.
    END_OF_USER = "UPDATE checkouts SET state = 'superseded', updated_at = $2
        WHERE state = 'open' AND cart_id IN (SELECT c.id FROM carts c WHERE c.user_id = $1) RETURNING id, gift_minor";
    CLOSE_OF_USER = "UPDATE checkouts SET state = 'superseded', updated_at = $2
        WHERE state = 'expired' AND cart_id IN (SELECT c.id FROM carts c WHERE c.user_id = $1)";
}

rows! {
    struct Expired {
        id: CheckoutId,
    }

    struct Ended {
        id: CheckoutId,
        gift_minor: i64,
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
                release_in_tx(tx, *id, gift, *now).await?;
                Ok(true)
            })
        })
        .await
}

async fn release_in_tx(tx: &mut Tx, id: CheckoutId, gift_minor: i64, now: i64) -> TxResult<()> {
    holds::release_in_tx(tx, id).await?;
    bookings::release_in_tx(tx, id).await?;
    if gift_minor > 0 {
        payments::release_cards_in_tx(tx, id, now).await?;
    }
    Ok(())
}

/// Ends the checkouts of a user that nobody is paying and that aren't paid.
pub(crate) async fn end_of_user_in_tx(tx: &mut Tx, user: UserId, now: i64) -> TxResult<()> {
    let ended: Vec<Ended> = tx.all(&END_OF_USER, params![user, now]).await?;
    for checkout in ended {
        release_in_tx(tx, checkout.id, checkout.gift_minor, now).await?;
    }
    tx.exec(&CLOSE_OF_USER, params![user, now]).await?;
    Ok(())
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
