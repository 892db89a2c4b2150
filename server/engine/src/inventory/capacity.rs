//! Capacities: how much there is of something, and how much of that is held.

use uuid::Uuid;

use crate::{
    TxResult,
    db::{Scalar, Tx, Value},
    insert, statements,
};
use haat_shared::id::kinds::*;

statements! {
    // The only statement that changes capacities. An upsert locks rows in the order in which they are
    // given. An UPDATE would lock them in any order, and PostgreSQL's transactions could deadlock.
    CHANGE = "INSERT INTO capacities (id, kind, on_hand, held)
        SELECT c.id, 'change', given.column2, given.column3
        FROM (VALUES [($1, $2, $3)]) AS given JOIN capacities c ON c.id = given.column1 ORDER BY c.id
        ON CONFLICT (id) DO UPDATE SET on_hand = capacities.on_hand + excluded.on_hand,
            held = capacities.held + excluded.held
        WHERE capacities.held + excluded.held <= capacities.on_hand + excluded.on_hand
        RETURNING id AS value";
}

insert! {
    pub(super) struct AddCapacity into capacities {
        pub(super) id: CapacityId,
        pub(super) owner: ShopId,
        pub(super) on_hand: i64;
        kind = "'stock'",
        held = "0",
    }

    /// How many units of a product are sold at the prices of an event.
    pub(super) struct AddAllotment into capacities {
        pub(super) id: CapacityId,
        pub(super) owner: ShopId,
        pub(super) on_hand: i64;
        kind = "'allotment'",
        held = "0",
    }

    /// How many orders can be delivered in a slot.
    pub(super) struct AddPlaces into capacities {
        pub(super) id: CapacityId,
        pub(super) owner: ShopId,
        pub(super) on_hand: i64;
        kind = "'slot'",
        held = "0",
    } "ON CONFLICT (id) DO NOTHING RETURNING id AS value"

    /// The uses of a coupon: all of them, or those of one person.
    pub(super) struct AddUses into capacities {
        pub(super) id: CapacityId,
        pub(super) kind: &'static str,
        pub(super) promotion_id: PromotionId,
        pub(super) on_hand: i64;
        held = "0",
    } "ON CONFLICT (id) DO NOTHING RETURNING id AS value"

    /// Explains a change of the quantity on hand.
    pub(super) struct AddMovement into stock_movements {
        pub(super) capacity_id: CapacityId,
        pub(super) reason: &'static str,
        pub(super) reference: Uuid,
        pub(super) delta: i64,
        pub(super) created_at: i64,
    }
}

/// A change of a capacity: differences of what is on hand and of what is held.
pub(super) struct Change {
    pub(super) capacity: CapacityId,
    pub(super) on_hand: i64,
    pub(super) held: i64,
}

/// Makes changes, each of another capacity. Returns the capacities that have too little: if there are any,
/// the caller must roll back.
pub(super) async fn change_in_tx(tx: &mut Tx, changes: &[Change]) -> TxResult<Vec<CapacityId>> {
    let rows: Vec<[Value; 3]> =
        changes.iter().map(|c| [c.capacity.into(), c.on_hand.into(), c.held.into()]).collect();
    let changed: Vec<Scalar<CapacityId>> = tx.all_many(&CHANGE, &rows).await?;
    let short = changes.iter().map(|c| c.capacity).filter(|id| !changed.iter().any(|c| c.0 == *id));
    Ok(short.collect())
}
