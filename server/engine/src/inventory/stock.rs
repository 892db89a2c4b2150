//! The stock of variants, and the movements that explain it.

use uuid::Uuid;

use super::capacity::{AddAllotment, AddCapacity, AddMovement, AddPlaces, AddUses, Change, change_in_tx};
use crate::{
    Caller, Engine, TxResult, Who,
    db::{Scalar, Tx, Value},
    idempotency::{self, Claim, IdempotencyKey},
    insert, params, random, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Id, Result,
    catalog::edit::STOCK_MAX,
    id::{IdKind, kinds::*},
    permissions::Permission,
};

statements! {
    VARIANTS = "SELECT id AS value FROM variants WHERE capacity_id IN (VALUES [($1)])";
    DELETE_MOVEMENTS = "DELETE FROM stock_movements WHERE capacity_id IN (VALUES [($1)])";
    DELETE = "DELETE FROM capacities WHERE id IN (VALUES [($1)])";
    SHOP_OF = "SELECT s.handle AS value FROM variants v JOIN shops s ON s.id = v.shop_id WHERE v.id = $1";
}

insert! {
    /// A movement of the stock of a variant, unless it is sold without limit.
    struct Move<'a> into stock_movements {
        reason: &'a str,
        reference: Uuid,
        delta: i64,
        created_at: i64;
        capacity_id = "v.capacity_id",
    } => [variant: VariantId] "given JOIN variants v ON v.id = given.variant WHERE v.capacity_id IS NOT NULL
        RETURNING capacity_id, delta"
}

rows! {
    struct Moved {
        capacity_id: CapacityId,
        delta: i64,
    }
}

/// The number of rows per statement: SQLite accepts 32,766 parameters, PostgreSQL 65,535.
const ROWS_MAX: usize = 500;

/// The stock of a new variant.
pub(crate) struct NewStock {
    /// Its capacity.
    pub(crate) id: CapacityId,
    /// The product that it is received with.
    pub(crate) product: ProductId,
    /// How much there is.
    pub(crate) quantity: i64,
}

impl NewStock {
    /// The stock of a product's new variant.
    pub(crate) fn of(product: ProductId, quantity: i64, now: i64) -> Self {
        Self { id: random::id(now), product, quantity }
    }
}

/// Adds the stock of new variants of a shop, which are inserted afterwards.
pub(crate) async fn open_in_tx(tx: &mut Tx, shop: ShopId, stock: &[NewStock], now: i64) -> TxResult<()> {
    for stock in stock.chunks(ROWS_MAX) {
        let capacities = stock.iter().map(|s| AddCapacity { id: s.id, owner: shop, on_hand: s.quantity });
        tx.insert_all(capacities.collect::<Vec<_>>()).await?;
        let received = stock.iter().filter(|s| s.quantity != 0).map(|s| AddMovement {
            capacity_id: s.id,
            reason: "received",
            reference: s.product.uuid(),
            delta: s.quantity,
            created_at: now,
        });
        tx.insert_all(received.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// Deletes the stock of deleted variants. Refused by the database if a checkout has ever held any of it.
pub(crate) async fn delete_in_tx(tx: &mut Tx, capacities: &[CapacityId]) -> TxResult<()> {
    let given: Vec<[Value; 1]> = capacities.iter().map(|id| [(*id).into()]).collect();
    tx.exec_many(&DELETE_MOVEMENTS, &given).await?;
    tx.exec_many(&DELETE, &given).await?;
    Ok(())
}

/// The allotment of a sale, which is inserted afterwards.
pub(crate) async fn open_allotment_in_tx(
    tx: &mut Tx,
    id: CapacityId,
    (owner, sale): (ShopId, PlannedSaleId),
    count: i64,
    now: i64,
) -> TxResult<()> {
    tx.insert(AddAllotment { id, owner, on_hand: count }).await?;
    let (reason, reference) = ("received", sale.uuid());
    tx.insert(AddMovement { capacity_id: id, reason, reference, delta: count, created_at: now }).await?;
    Ok(())
}

/// The uses of a new coupon, which is inserted afterwards.
pub(crate) async fn open_uses_in_tx(
    tx: &mut Tx,
    id: CapacityId,
    promotion: PromotionId,
    count: i64,
    now: i64,
) -> TxResult<()> {
    let uses = AddUses { id, kind: "uses", promotion_id: promotion, on_hand: count };
    let _: Option<Scalar<CapacityId>> = tx.insert_returning(uses).await?;
    let (reason, reference) = ("received", promotion.uuid());
    tx.insert(AddMovement { capacity_id: id, reason, reference, delta: count, created_at: now }).await?;
    Ok(())
}

/// Deletes the uses of a coupon that was deleted before it was used.
pub(crate) async fn drop_uses_in_tx(tx: &mut Tx, id: Option<CapacityId>) -> TxResult<()> {
    delete_in_tx(tx, id.as_slice()).await
}

/// The places of a slot that nobody has held before. Returns false if somebody has.
pub(crate) async fn open_slot_in_tx(
    tx: &mut Tx,
    id: CapacityId,
    owner: ShopId,
    count: i64,
    now: i64,
) -> TxResult<bool> {
    let opened: Option<Scalar<CapacityId>> =
        tx.insert_returning(AddPlaces { id, owner, on_hand: count }).await?;
    if opened.is_none() {
        return Ok(false);
    }
    let (reason, reference) = ("received", owner.uuid());
    tx.insert(AddMovement { capacity_id: id, reason, reference, delta: count, created_at: now }).await?;
    Ok(true)
}

/// Changes the number of uses of a coupon, or of places of a slot. Returns false, and the caller must roll back, if more are
/// in use.
pub(crate) async fn recount_in_tx(tx: &mut Tx, id: CapacityId, by: i64, now: i64) -> TxResult<bool> {
    let reference = random::id::<()>(now).uuid();
    let movement = AddMovement { capacity_id: id, reason: "counted", reference, delta: by, created_at: now };
    tx.insert(movement).await?;
    Ok(change_in_tx(tx, &[Change { capacity: id, on_hand: by, held: 0 }]).await?.is_empty())
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
    change(engine, caller, variant, quantity, ("inventory::receive", "received"), key).await
}

/// Adjusts stock by a counted difference, never below what is held. Repeating it with the same `key`
/// changes nothing and returns the same result.
pub async fn adjust(
    engine: &Engine,
    caller: &Caller,
    variant: VariantId,
    change_by: i64,
    key: &str,
) -> Result<()> {
    if !(-STOCK_MAX..=STOCK_MAX).contains(&change_by) {
        let code = if change_by < 0 { FieldCode::TooSmall } else { FieldCode::TooBig };
        return Err(Error::field("stock", code));
    }
    change(engine, caller, variant, change_by, ("inventory::adjust", "counted"), key).await
}

async fn change(
    engine: &Engine,
    caller: &Caller,
    variant: VariantId,
    by: i64,
    (operation, reason): (&'static str, &'static str),
    key: &str,
) -> Result<()> {
    may_manage(engine, caller, variant).await?;
    let key = IdempotencyKey::new(variant, operation, key, &by.to_string());
    let input = (key, variant, by, reason, engine.clock.now_ms());
    engine
        .db
        .write((operation, variant), input, |tx, (key, variant, by, reason, now)| {
            Box::pin(async move {
                let Claim::Mine(reference) = idempotency::begin_in_tx::<Job>(tx, key, *now).await? else {
                    return Ok(());
                };
                idempotency::end_in_tx(tx, key, reason).await?;
                let moved = move_in_tx(tx, &[(*variant, *by)], reason, reference, *now).await?;
                // It does not exist, or it is sold without limit.
                if moved.is_empty() && *by != 0 {
                    return Err(Error::NotFound.into());
                }
                match apply_in_tx(tx, moved).await?.as_slice() {
                    [] => Ok(()),
                    _ => Err(Error::field("stock", FieldCode::TooSmall).into()),
                }
            })
        })
        .await?;
    Ok(())
}

/// Members with the permission, and the program itself. Operators do not manage the stock of shops.
async fn may_manage(engine: &Engine, caller: &Caller, variant: VariantId) -> Result<()> {
    if matches!(caller.who, Who::System) {
        return Ok(());
    }
    caller.signed_in()?;
    let shop: Option<Scalar<String>> = engine.db.opt(&SHOP_OF, params![variant]).await?;
    caller.shop(&shop.ok_or(Error::NotFound)?.0, Permission::ManageCatalog).map(drop)
}

/// Adjusts the quantity on hand of several variants, except those sold without limit; `reference` is a new ID
/// for each adjustment. Returns the variants whose stock would fall below what is held: the caller must then
/// roll back.
pub(crate) async fn count_in_tx<K: IdKind>(
    tx: &mut Tx,
    changes: &[(VariantId, i64)],
    reference: Id<K>,
    now: i64,
) -> TxResult<Vec<VariantId>> {
    let moved = move_in_tx(tx, changes, "counted", reference, now).await?;
    let short = apply_in_tx(tx, moved).await?;
    let short: Vec<[Value; 1]> = short.into_iter().map(|id| [id.into()]).collect();
    let variants: Vec<Scalar<VariantId>> = tx.all_many(&VARIANTS, &short).await?;
    Ok(variants.into_iter().map(|variant| variant.0).collect())
}

/// Records the stock movements of variants whose stock is counted.
async fn move_in_tx<K: IdKind>(
    tx: &mut Tx,
    changes: &[(VariantId, i64)],
    reason: &str,
    reference: Id<K>,
    now: i64,
) -> TxResult<Vec<Moved>> {
    let reference: Uuid = reference.uuid();
    let changes = changes.iter().filter(|(_, change)| *change != 0);
    let moves: Vec<Move> = changes
        .map(|(variant, delta)| Move { reason, reference, delta: *delta, created_at: now, variant: *variant })
        .collect();
    Ok(tx.insert_all_returning(moves).await?)
}

/// Applies the changes. Returns the capacities that have too little.
async fn apply_in_tx(tx: &mut Tx, moved: Vec<Moved>) -> TxResult<Vec<CapacityId>> {
    let change = |m: &Moved| Change { capacity: m.capacity_id, on_hand: m.delta, held: 0 };
    change_in_tx(tx, &moved.iter().map(change).collect::<Vec<_>>()).await
}
