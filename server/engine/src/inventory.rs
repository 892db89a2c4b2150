//! Stock, and the movements that explain it.

use uuid::Uuid;

use crate::{
    Caller, Engine, TxResult, Who,
    db::{Scalar, Tx, Value},
    idempotency::{self, Claim, IdempotencyKey},
    insert, params, statements,
};
use haat_shared::{
    Error, FieldCode, Id, Result,
    catalog::edit::STOCK_MAX,
    id::{IdKind, kinds::*},
};

statements! {
    pub(crate) OPEN = "INSERT INTO capacities (id, kind, on_hand, held) VALUES [($1, 'stock', $2, 0)]";
    COUNT = "UPDATE capacities SET on_hand = on_hand + given.column2 FROM (VALUES [($1, $2)]) AS given
        WHERE capacities.id = given.column1 AND on_hand + given.column2 >= held RETURNING id AS value";
    RECEIVE = "UPDATE capacities SET on_hand = on_hand + $2 WHERE id = $1";
    MEMBER_OF = "SELECT CAST(1 AS BIGINT) AS value FROM variants v JOIN shop_members m ON m.shop_id = v.shop_id
        WHERE v.id = $1 AND m.user_id = $2 AND m.role IN ('owner', 'manager')";
}

insert! {
    #[derive(Clone)]
    pub(crate) struct AddMovement into stock_movements {
        capacity_id: VariantId,
        reason: &'static str,
        reference: Uuid,
        delta: i64,
        created_at: i64,
    }
}

/// A stock movement, for any reason.
pub(crate) fn movement<K: IdKind>(
    capacity_id: VariantId,
    reason: &'static str,
    reference: Id<K>,
    delta: i64,
    now: i64,
) -> AddMovement {
    AddMovement { capacity_id, reason, reference: reference.uuid(), delta, created_at: now }
}

/// Receives stock: adds to the quantity on hand. Repeating it with the same `key` changes nothing and
/// returns the same result.
pub async fn receive(
    engine: &Engine,
    caller: &Caller,
    variant: VariantId,
    quantity: i64,
    key: &str,
) -> Result<()> {
    if !(1..=STOCK_MAX).contains(&quantity) {
        let code = if quantity < 1 { FieldCode::TooSmall } else { FieldCode::TooBig };
        return Err(Error::field("quantity", code));
    }
    may_manage(engine, caller, variant).await?;
    let key = IdempotencyKey::new(variant, "inventory::receive", key, &quantity.to_string());
    engine
        .db
        .write(
            ("inventory::receive", variant),
            (key, variant, quantity, engine.clock.now_ms()),
            |tx, (key, variant, quantity, now)| Box::pin(receive_in_tx(tx, key, *variant, *quantity, *now)),
        )
        .await?;
    Ok(())
}

async fn receive_in_tx(
    tx: &mut Tx,
    key: &IdempotencyKey,
    variant: VariantId,
    quantity: i64,
    now: i64,
) -> crate::TxResult<()> {
    let Claim::Mine(delivery) = idempotency::begin_in_tx::<Job>(tx, key, now).await? else { return Ok(()) };
    idempotency::end_in_tx(tx, key, "received").await?;
    if tx.exec(&RECEIVE, params![variant, quantity]).await? == 0 {
        return Err(Error::NotFound.into());
    }
    tx.insert(movement(variant, "received", delivery, quantity, now)).await?;
    Ok(())
}

/// Members with the permission, and the program itself. Operators do not manage the stock of shops.
async fn may_manage(engine: &Engine, caller: &Caller, variant: VariantId) -> Result<()> {
    if !matches!(caller.who, Who::System) {
        let user = caller.signed_in()?.id;
        engine.db.opt::<Scalar<i64>>(&MEMBER_OF, params![variant, user]).await?.ok_or(Error::NotFound)?;
    }
    Ok(())
}

/// Adjusts stock by a counted difference, never below what is held. Repeating it with the same `key`
/// changes nothing and returns the same result.
pub async fn adjust(
    engine: &Engine,
    caller: &Caller,
    variant: VariantId,
    change: i64,
    key: &str,
) -> Result<()> {
    if !(-STOCK_MAX..=STOCK_MAX).contains(&change) {
        let code = if change < 0 { FieldCode::TooSmall } else { FieldCode::TooBig };
        return Err(Error::field("stock", code));
    }
    may_manage(engine, caller, variant).await?;
    let key = IdempotencyKey::new(variant, "inventory::adjust", key, &change.to_string());
    engine
        .db
        .write(("inventory::adjust", variant), (key, variant, change, engine.clock.now_ms()), |tx, input| {
            Box::pin(async move {
                let (key, variant, change, now) = input;
                let Claim::Mine(count) = idempotency::begin_in_tx::<Job>(tx, key, *now).await? else {
                    return Ok(());
                };
                idempotency::end_in_tx(tx, key, "counted").await?;
                match count_in_tx(tx, &[(*variant, *change)], count, *now).await?.as_slice() {
                    [] => Ok(()),
                    _ => Err(Error::field("stock", FieldCode::TooSmall).into()),
                }
            })
        })
        .await?;
    Ok(())
}

/// Adjusts the quantity on hand of several variants; `reference` is a new ID for each adjustment. Returns
/// the variants whose stock would fall below what is held: the caller must then roll back.
pub(crate) async fn count_in_tx<K: IdKind>(
    tx: &mut Tx,
    changes: &[(VariantId, i64)],
    reference: Id<K>,
    now: i64,
) -> TxResult<Vec<VariantId>> {
    let changes: Vec<_> = changes.iter().filter(|(_, change)| *change != 0).collect();
    let rows: Vec<AddMovement> =
        changes.iter().map(|(id, change)| movement(*id, "counted", reference, *change, now)).collect();
    tx.insert_all(rows).await?;
    let given: Vec<[Value; 2]> =
        changes.iter().map(|(id, change)| [(*id).into(), (*change).into()]).collect();
    let done: Vec<Scalar<VariantId>> = tx.all_many(&COUNT, &given).await?;
    Ok(changes.iter().map(|(id, _)| *id).filter(|id| !done.iter().any(|d| d.0 == *id)).collect())
}
