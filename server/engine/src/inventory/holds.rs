//! Holds: what a checkout reserves of capacities, for each of its lines. A hold is active until it is taken
//! by the purchase, or released. The sweeper, a newer checkout and a payment may compete for the same holds;
//! each changes the checkout's row first, so exactly one wins.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::capacity::{AddMovement, AddUses, Change, change_in_tx};
use crate::{
    TxResult, bug,
    db::{Scalar, Tx, Value},
    insert, params, rows, statements,
};
use haat_shared::{
    Id,
    id::{IdKind, kinds::*},
    orders::LineQuantity,
};

statements! {
    NEEDS = "SELECT l.variant_id, c.id AS capacity_id, CAST(1 AS BIGINT) AS per_unit, l.quantity,
            c.on_hand - c.held AS available
        FROM cart_lines l JOIN variants v ON v.id = l.variant_id JOIN capacities c ON c.id = v.capacity_id
        WHERE l.cart_id = $1 AND NOT EXISTS (SELECT 1 FROM services s WHERE s.product_id = v.product_id)
        UNION ALL
        SELECT l.variant_id, c.id AS capacity_id, n.quantity AS per_unit, l.quantity * n.quantity AS quantity,
            c.on_hand - c.held AS available
        FROM cart_lines l JOIN line_capacities n ON n.line_id = l.id JOIN capacities c ON c.id = n.capacity_id
        WHERE l.cart_id = $1";
    MERGE_NEEDS = "INSERT INTO line_capacities (line_id, capacity_id, quantity)
        SELECT l.id, n.capacity_id, n.quantity FROM cart_lines l
        JOIN cart_lines guest ON guest.variant_id = l.variant_id
        JOIN line_capacities n ON n.line_id = guest.id
        WHERE l.cart_id = $1 AND guest.cart_id = $2 ON CONFLICT (line_id, capacity_id) DO NOTHING";
    LEFT = "SELECT id AS capacity_id, on_hand - held AS available FROM capacities
        WHERE id IN (VALUES [($1)])";
    RELEASE = "UPDATE holds SET state = 'released' WHERE checkout_id = $1 AND state = 'active'
        RETURNING capacity_id, quantity";
    TAKE = "UPDATE holds SET state = 'taken' WHERE checkout_id = $1 AND state = $2
        RETURNING capacity_id, quantity";
    // A line takes of each of its capacities the same for each unit, so its units return that.
    // What was refunded before has been returned already, or is not fit for sale.
    RETURN_REST = "INSERT INTO stock_movements (capacity_id, reason, reference, delta, created_at)
        SELECT h.capacity_id, 'returned', l.order_id, CAST(SUM(h.quantity * (l.quantity - l.refunded) / l.quantity) AS BIGINT),
            CAST($2 AS BIGINT)
        FROM checkout_orders o JOIN order_lines l ON l.order_id = o.order_id AND l.refunded < l.quantity
        JOIN holds h ON h.checkout_id = o.checkout_id AND h.position = l.position AND h.state = 'taken'
        WHERE o.order_id = $1 GROUP BY h.capacity_id, l.order_id RETURNING capacity_id, delta AS quantity";
    // A use is given back when the last order that the coupon has lowered is cancelled.
    RETURN_USES = "INSERT INTO stock_movements (capacity_id, reason, reference, delta, created_at)
        SELECT h.capacity_id, 'unused', h.checkout_id, h.quantity, CAST($2 AS BIGINT)
        FROM orders o JOIN purchases p ON p.id = o.purchase_id
        JOIN holds h ON h.checkout_id = p.checkout_id AND h.position IS NULL AND h.state = 'taken'
        JOIN capacities c ON c.id = h.capacity_id AND c.promotion_id IS NOT NULL
        WHERE o.id = $1
            AND EXISTS (SELECT 1 FROM order_adjustments a WHERE a.order_id = o.id AND a.promotion_id = c.promotion_id)
            AND NOT EXISTS (SELECT 1 FROM orders x JOIN order_adjustments a ON a.order_id = x.id
                WHERE x.purchase_id = o.purchase_id AND x.state <> 'cancelled' AND a.promotion_id = c.promotion_id)
        ON CONFLICT (capacity_id, reason, reference) DO NOTHING RETURNING capacity_id, delta AS quantity";
    // The place of a cancelled order in its slot.
    RETURN_SLOT = "INSERT INTO stock_movements (capacity_id, reason, reference, delta, created_at)
        SELECT o.slot_id, 'unused', o.id, CAST(1 AS BIGINT), CAST($2 AS BIGINT) FROM orders o WHERE o.id = $1 AND o.slot_id IS NOT NULL
        RETURNING capacity_id, delta AS quantity";
    PERSON_USES = "SELECT h.capacity_id AS value FROM holds h JOIN capacities c ON c.id = h.capacity_id
        WHERE h.checkout_id = $1 AND h.position IS NULL AND h.state = 'active' AND c.kind = 'uses_of_person'";
    DROP_WHOLE = "DELETE FROM holds WHERE position IS NULL AND (checkout_id, capacity_id) IN (VALUES [($1, $2)])";
    COUNT_HOLDS = "UPDATE checkouts SET holds = holds + $2 WHERE id = $1";
    OF_ORIGIN = "SELECT h.capacity_id, c.on_hand, CAST(SUM(h.quantity) AS BIGINT) AS held,
            (SELECT COUNT(*) FROM checkouts o WHERE o.origin = $2 AND o.state IN ('open', 'paying'))
            AS checkouts
        FROM checkouts k
        LEFT JOIN holds h ON h.checkout_id = k.id AND h.state = 'active'
            AND h.capacity_id IN (SELECT mine.capacity_id FROM holds mine WHERE mine.checkout_id = $1 AND mine.position IS NOT NULL)
        LEFT JOIN capacities c ON c.id = h.capacity_id
        WHERE k.origin = $2 AND k.state IN ('open', 'paying') GROUP BY h.capacity_id, c.on_hand";
}

insert! {
    /// What a checkout claims of a capacity, for one of its lines or as a whole.
    pub(crate) struct Claim into holds {
        pub(crate) checkout_id: CheckoutId,
        pub(crate) position: Option<i64>,
        pub(crate) capacity_id: CapacityId,
        pub(crate) quantity: i64;
        state = "'active'",
    }

    /// What an exchange takes, without having held it.
    struct Taken into holds {
        checkout_id: CheckoutId,
        position: Option<i64>,
        capacity_id: CapacityId,
        quantity: i64;
        state = "'taken'",
    }

    /// What a part of a line of an order took, in proportion to its quantity.
    struct ReturnPart into stock_movements {
        reference: Uuid,
        created_at: i64;
        capacity_id = "h.capacity_id",
        reason = "'returned'",
        delta = "CAST(SUM(h.quantity * given.quantity / l.quantity) AS BIGINT)",
    } => [order_id: OrderId, position: i64, quantity: i64] "given JOIN checkout_orders o ON o.order_id = given.order_id
        JOIN checkout_lines l ON l.checkout_id = o.checkout_id AND l.order_id = o.order_id AND l.position = given.position
        JOIN holds h ON h.checkout_id = l.checkout_id AND h.position = l.position AND h.state = 'taken'
        GROUP BY h.capacity_id, given.reference, given.created_at RETURNING capacity_id, delta AS quantity"
}

rows! {
    /// What a line of a cart needs of a capacity.
    pub(crate) struct Need {
        pub(crate) variant_id: VariantId,
        pub(crate) capacity_id: CapacityId,
        pub(crate) per_unit: i64,
        /// For the whole line.
        pub(crate) quantity: i64,
        pub(crate) available: i64,
    }

    /// How much is left of a capacity.
    #[derive(Clone, Copy)]
    pub(crate) struct Left {
        pub(crate) capacity_id: CapacityId,
        pub(crate) available: i64,
    }

    /// What the open checkouts of one origin hold of a capacity. The row of checkouts that hold nothing in
    /// question has no capacity.
    pub(crate) struct OfOrigin {
        pub(crate) capacity_id: Option<CapacityId>,
        pub(crate) on_hand: Option<i64>,
        pub(crate) held: Option<i64>,
        pub(crate) checkouts: i64,
    }

    struct Held {
        capacity_id: CapacityId,
        quantity: i64,
    }
}

/// Quantities of released holds that their capacities still count as held.
#[derive(Default)]
pub(crate) struct Released(BTreeMap<CapacityId, i64>);

impl Released {
    /// Marks the holds of a checkout that the caller has just ended as released.
    pub(crate) async fn add_in_tx(&mut self, tx: &mut Tx, checkout: CheckoutId) -> TxResult<()> {
        for (capacity, quantity) in held(tx.all(&RELEASE, params![checkout]).await?) {
            *self.0.entry(capacity).or_default() += quantity;
        }
        Ok(())
    }

    /// How much of a capacity.
    pub(crate) fn of(&self, capacity: CapacityId) -> i64 {
        self.0.get(&capacity).copied().unwrap_or_default()
    }
}

/// What the lines of a cart need: the stock of their variants, and what else is listed for them. A line that
/// needs nothing is sold without limit. What was `released` is available.
pub(crate) async fn needs_in_tx(tx: &mut Tx, cart: CartId, released: &Released) -> TxResult<Vec<Need>> {
    let mut needs: Vec<Need> = tx.all(&NEEDS, params![cart]).await?;
    for need in &mut needs {
        need.available += released.of(need.capacity_id);
    }
    Ok(needs)
}

/// Lines that are in both carts need what the guest's lines need.
pub(crate) async fn merge_needs_in_tx(tx: &mut Tx, own: CartId, guest: CartId) -> TxResult<()> {
    tx.exec(&MERGE_NEEDS, params![own, guest]).await?;
    Ok(())
}

/// Holds what a checkout claims, and returns what was `released`: together, since capacities are locked
/// in the order of their IDs. Returns the capacities that have too little: if there are any, nothing may be
/// held, and the caller must roll back.
pub(crate) async fn hold_in_tx(
    tx: &mut Tx,
    mut claims: Vec<Claim>,
    released: &Released,
) -> TxResult<Vec<Left>> {
    claims.sort_by_key(|claim| claim.capacity_id);
    let claimed = claims.iter().map(|claim| (claim.capacity_id, claim.quantity));
    let more = sums(claimed.chain(released.0.iter().map(|(id, quantity)| (*id, -quantity))));
    tx.insert_all(claims).await?;
    let short = change_in_tx(tx, &changes(more, |quantity| (0, quantity))).await?;
    let short: Vec<[Value; 1]> = short.into_iter().map(|id| [id.into()]).collect();
    let mut left: Vec<Left> = tx.all_many(&LEFT, &short).await?;
    for left in &mut left {
        left.available += released.of(left.capacity_id);
    }
    Ok(left)
}

/// Releases all holds of a checkout that the caller has just ended in the same transaction.
pub(crate) async fn release_in_tx(tx: &mut Tx, checkout: CheckoutId) -> TxResult<()> {
    let released = held(tx.all(&RELEASE, params![checkout]).await?);
    change_in_tx(tx, &changes(released, |quantity| (0, -quantity))).await?;
    Ok(())
}

/// The capacities from which taken holds are still to be sold.
pub(crate) struct Sale(Vec<Change>);

/// Takes the holds of a checkout for its purchase: the active ones or, if time ran out, the released ones.
pub(crate) async fn take_in_tx(
    tx: &mut Tx,
    checkout: CheckoutId,
    holds: i64,
    purchase: PurchaseId,
    now: i64,
) -> TxResult<Sale> {
    if holds == 0 {
        return Ok(Sale(Vec::new()));
    }
    let mut taken: Vec<Held> = tx.all(&TAKE, params![checkout, "active"]).await?;
    let is_held = taken.len() as i64 == holds;
    if !is_held {
        taken = tx.all(&TAKE, params![checkout, "released"]).await?;
        if taken.len() as i64 != holds {
            return Err(bug("a checkout holds a part of what it wants"));
        }
    }
    let taken = held(taken);
    let movements = taken.iter().map(|(id, quantity)| AddMovement {
        capacity_id: *id,
        reason: "sold",
        reference: purchase.uuid(),
        delta: -quantity,
        created_at: now,
    });
    tx.insert_all(movements.collect::<Vec<_>>()).await?;
    Ok(Sale(changes(taken, |quantity| (-quantity, if is_held { -quantity } else { 0 }))))
}

/// Takes what an exchange claims at once, without holding it first. Returns the capacities that have too little: if there are
/// any, the caller must roll back. Others wait for these rows, so this comes last in a transaction.
pub(crate) async fn take_at_once_in_tx(
    tx: &mut Tx,
    mut claims: Vec<Claim>,
    order: OrderId,
    now: i64,
) -> TxResult<Vec<Left>> {
    claims.sort_by_key(|claim| claim.capacity_id);
    let taken = sums(claims.iter().map(|claim| (claim.capacity_id, claim.quantity)));
    let claims = claims.into_iter().map(|Claim { checkout_id, position, capacity_id, quantity }| Taken {
        checkout_id,
        position,
        capacity_id,
        quantity,
    });
    tx.insert_all(claims.collect::<Vec<_>>()).await?;
    let movements = taken.iter().map(|(id, quantity)| AddMovement {
        capacity_id: *id,
        reason: "sold",
        reference: order.uuid(),
        delta: -quantity,
        created_at: now,
    });
    tx.insert_all(movements.collect::<Vec<_>>()).await?;
    let short = change_in_tx(tx, &changes(taken, |quantity| (-quantity, 0))).await?;
    let short: Vec<[Value; 1]> = short.into_iter().map(|id| [id.into()]).collect();
    Ok(tx.all_many(&LEFT, &short).await?)
}

/// Sells what was taken; returns false if released holds are no longer available, and the caller must roll
/// back. Others wait for these rows, so this comes last in a transaction.
pub(crate) async fn sell_in_tx(tx: &mut Tx, Sale(changes): Sale) -> TxResult<bool> {
    Ok(change_in_tx(tx, &changes).await?.is_empty())
}

/// Returns what was taken for parts of the lines of an order, because of a refund or a return. Others wait
/// for these rows, so this comes last in a transaction.
pub(crate) async fn return_part_in_tx<K: IdKind>(
    tx: &mut Tx,
    order: OrderId,
    part: &[LineQuantity],
    reference: Id<K>,
    now: i64,
) -> TxResult<()> {
    let reference: Uuid = reference.uuid();
    let part: Vec<ReturnPart> = part
        .iter()
        .map(|&LineQuantity { position, quantity }| ReturnPart {
            reference,
            created_at: now,
            order_id: order,
            position,
            quantity,
        })
        .collect();
    let returned = tx.insert_all_returning(part).await?;
    give_back_in_tx(tx, returned).await
}

/// What a person uses of a coupon that each can use so often.
pub(crate) struct PersonUse {
    pub(crate) capacity: CapacityId,
    pub(crate) promotion: PromotionId,
    pub(crate) limit: i64,
}

/// Holds one use of each of these capacities for a checkout that is about to be paid, and gives back those of whoever was
/// to pay before. Returns whether there is one of each; if not, the caller must roll back.
pub(crate) async fn hold_uses_in_tx(
    tx: &mut Tx,
    checkout: CheckoutId,
    uses: Vec<PersonUse>,
    now: i64,
) -> TxResult<bool> {
    let held: Vec<Scalar<CapacityId>> = tx.all(&PERSON_USES, params![checkout]).await?;
    let new: Vec<&PersonUse> = uses.iter().filter(|u| !held.iter().any(|h| h.0 == u.capacity)).collect();
    let old: Vec<CapacityId> =
        held.iter().map(|h| h.0).filter(|id| !uses.iter().any(|u| u.capacity == *id)).collect();
    if new.is_empty() && old.is_empty() {
        return Ok(true);
    }
    let capacities = new.iter().map(|u| AddUses {
        id: u.capacity,
        kind: "uses_of_person",
        promotion_id: u.promotion,
        on_hand: u.limit,
    });
    let mut capacities: Vec<AddUses> = capacities.collect();
    capacities.sort_by_key(|capacity| capacity.id);
    let opened: Vec<Scalar<CapacityId>> = tx.insert_all_returning(capacities).await?;
    let opened = new.iter().filter(|u| opened.iter().any(|id| id.0 == u.capacity)).map(|u| AddMovement {
        capacity_id: u.capacity,
        reason: "received",
        reference: u.promotion.uuid(),
        delta: u.limit,
        created_at: now,
    });
    tx.insert_all(opened.collect::<Vec<_>>()).await?;
    let new: Vec<CapacityId> = new.iter().map(|u| u.capacity).collect();
    Ok(swap_in_tx(tx, checkout, &old, &new).await?.is_empty())
}

/// Holds one of each of the `new` capacities for a checkout as a whole, and gives back the `old` ones. Returns those that have
/// none: if there are any, the caller must roll back. Others wait for these rows, so this comes last in a transaction.
pub(crate) async fn swap_in_tx(
    tx: &mut Tx,
    checkout: CheckoutId,
    old: &[CapacityId],
    new: &[CapacityId],
) -> TxResult<Vec<CapacityId>> {
    let dropped: Vec<[Value; 2]> = old.iter().map(|id| [checkout.into(), (*id).into()]).collect();
    tx.exec_many(&DROP_WHOLE, &dropped).await?;
    let claim =
        |id: &CapacityId| Claim { checkout_id: checkout, position: None, capacity_id: *id, quantity: 1 };
    tx.insert_all(new.iter().map(claim).collect::<Vec<_>>()).await?;
    tx.exec(&COUNT_HOLDS, params![checkout, new.len() as i64 - old.len() as i64]).await?;
    let more = new.iter().map(|id| (*id, 1)).chain(old.iter().map(|id| (*id, -1)));
    change_in_tx(tx, &changes(sums(more), |quantity| (0, quantity))).await
}

/// Returns what was taken for an order that was cancelled, except for what was refunded before; and the uses of coupons, if
/// it was `discounted`, and its place `in_slot`. Others wait for these rows, so this comes last in a transaction.
pub(crate) async fn return_rest_in_tx(
    tx: &mut Tx,
    order: OrderId,
    (discounted, in_slot): (bool, bool),
    now: i64,
) -> TxResult<()> {
    let mut returned: Vec<Held> = tx.all(&RETURN_REST, params![order, now]).await?;
    if in_slot {
        returned.extend(tx.all::<Held>(&RETURN_SLOT, params![order, now]).await?);
    }
    if discounted {
        returned.extend(tx.all::<Held>(&RETURN_USES, params![order, now]).await?);
    }
    give_back_in_tx(tx, returned).await
}

async fn give_back_in_tx(tx: &mut Tx, returned: Vec<Held>) -> TxResult<()> {
    change_in_tx(tx, &changes(held(returned), |quantity| (quantity, 0))).await?;
    Ok(())
}

/// What the open checkouts of one origin hold of the capacities that this one holds.
pub(crate) async fn of_origin_in_tx(
    tx: &mut Tx,
    checkout: CheckoutId,
    origin: [u8; 32],
) -> TxResult<Vec<OfOrigin>> {
    Ok(tx.all(&OF_ORIGIN, params![checkout, origin]).await?)
}

/// Quantities by capacity, since several lines may hold the same.
fn sums(held: impl Iterator<Item = (CapacityId, i64)>) -> BTreeMap<CapacityId, i64> {
    let mut sums = BTreeMap::new();
    for (capacity, quantity) in held {
        *sums.entry(capacity).or_default() += quantity;
    }
    sums
}

fn held(rows: Vec<Held>) -> BTreeMap<CapacityId, i64> {
    sums(rows.into_iter().map(|row| (row.capacity_id, row.quantity)))
}

/// A change of each capacity: the differences of what is on hand and of what is held.
fn changes(sums: BTreeMap<CapacityId, i64>, change: impl Fn(i64) -> (i64, i64)) -> Vec<Change> {
    let changes = sums.into_iter().map(|(capacity, quantity)| {
        let (on_hand, held) = change(quantity);
        Change { capacity, on_hand, held }
    });
    changes.collect()
}
