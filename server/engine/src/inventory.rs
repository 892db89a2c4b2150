//! Stock: what is there, and why.

use crate::{
    Caller, Engine,
    db::{Tx, Value},
    idempotency::{self, Claim, Key},
    params, statements,
};
use haat_shared::{
    Error, FieldCode, Id, Result,
    id::{Kind, kinds::*},
};

statements! {
    pub(crate) OPEN = "INSERT INTO capacities (id, kind, on_hand, held) VALUES [($1, 'stock', $2, 0)]";
    pub(crate) MOVE = "INSERT INTO stock_movements (capacity_id, reason, reference, delta, created_at)
        VALUES [($1, $2, $3, $4, $5)]";
    RECEIVE = "UPDATE capacities SET on_hand = on_hand + $2 WHERE id = $1";
    MEMBER_OF = "SELECT CAST(1 AS BIGINT) AS value FROM variants v JOIN shop_members m ON m.shop_id = v.shop_id
        WHERE v.id = $1 AND m.user_id = $2 AND m.role IN ('owner', 'manager')";
}

/// The row of a movement, for [`MOVE`].
pub(crate) fn movement<K: Kind>(
    capacity: VariantId,
    reason: &str,
    reference: Id<K>,
    delta: i64,
    now: i64,
) -> [Value; 5] {
    [capacity.into(), reason.into(), reference.into(), delta.into(), now.into()]
}

/// Goods have come in: so many more are on hand. The same `key` a second time changes nothing and answers the same.
pub async fn receive(
    engine: &Engine,
    caller: &Caller,
    variant: VariantId,
    quantity: i64,
    key: &str,
) -> Result<()> {
    if !(1..=1_000_000_000).contains(&quantity) {
        let code = if quantity < 1 { FieldCode::TooSmall } else { FieldCode::TooBig };
        return Err(Error::field("quantity", code));
    }
    if caller.operator().is_err() {
        let user = caller.signed_in()?.id;
        engine
            .db
            .opt::<crate::db::One<i64>>(&MEMBER_OF, params![variant, user])
            .await?
            .ok_or(Error::NotFound)?;
    }
    let key = Key::new(variant, "inventory::receive", key, &quantity.to_string());
    engine
        .db
        .write(
            "inventory::receive",
            (key, variant, quantity, engine.clock.now_ms()),
            |tx, (key, variant, quantity, now)| Box::pin(receive_in_tx(tx, key, *variant, *quantity, *now)),
        )
        .await?;
    Ok(())
}

async fn receive_in_tx(
    tx: &mut Tx,
    key: &Key,
    variant: VariantId,
    quantity: i64,
    now: i64,
) -> crate::Tried<()> {
    let Claim::Mine(delivery) = idempotency::begin_in_tx::<Job>(tx, key, now).await? else { return Ok(()) };
    idempotency::end_in_tx(tx, key, "received").await?;
    let row = [movement(variant, "received", delivery, quantity, now)];
    if tx.exec(&RECEIVE, params![variant, quantity]).await? == 0 {
        return Err(Error::NotFound.into());
    }
    tx.exec_many(&MOVE, &row).await?;
    Ok(())
}
