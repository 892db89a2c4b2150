//! Delivery slots: each slot of a shop on a day is a capacity, which a checkout holds, a payment takes and a cancellation
//! gives back like stock. When there are slots, and until when they can be booked, is decided by
//! `haat_shared::shipping::ShippingRules`.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    Engine, TxResult,
    db::{Tx, Value},
    insert,
    inventory::{self, holds},
    rows,
    shipping::{self, Rules},
    statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    checkout::{CheckoutUpdate, SLOT},
    id::kinds::{CapacityId, CheckoutId, ShopId},
    money::Rate,
    shipping::{ShippingMethod, ShippingOption, Slot, SlotState, SlotView},
};

statements! {
    LEFT = "SELECT id, on_hand - held AS available FROM capacities WHERE id IN (VALUES [($1)])";
}

insert! {
    struct AddSlot into delivery_slots {
        capacity_id: CapacityId,
        shop_id: ShopId,
        slot: Slot,
        day: i64,
    }
}

rows! {
    struct Left {
        id: CapacityId,
        available: i64,
    }
}

/// The slot that an order of a checkout holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) slot: Slot,
    pub(crate) capacity: CapacityId,
    /// Until when it can be paid for.
    pub(crate) closes_at: i64,
    /// What it costs besides the shipping method.
    pub(crate) extra: i64,
}

impl Held {
    /// The slot in these columns of an order of a checkout.
    pub(crate) fn of(
        slot: Option<Slot>,
        capacity: Option<CapacityId>,
        closes_at: Option<i64>,
        extra: i64,
    ) -> Option<Self> {
        Some(Self { slot: slot?, capacity: capacity?, closes_at: closes_at?, extra })
    }
}

/// A slot that a checkout begins to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewSlot {
    pub(crate) shop: ShopId,
    pub(crate) held: Held,
    /// How many orders can be delivered in it.
    orders: i64,
}

/// The capacity of a slot: whoever is first to hold it makes it, so all must give it the same ID.
fn capacity(shop: ShopId, slot: Slot) -> CapacityId {
    let mut hash = Sha256::new();
    hash.update(b"slot\0");
    hash.update(shop.uuid().as_bytes());
    hash.update(slot.to_string());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    CapacityId::from_uuid(Uuid::from_bytes(id))
}

/// The slot is not available any more.
pub(crate) fn gone(shop: ShopId) -> Error {
    Error::field(format!("{SLOT}{shop}"), FieldCode::SlotGone)
}

/// What a shop offers of a slot, if it can be booked.
pub(crate) fn offer(rules: &Rules, shop: ShopId, slot: Slot) -> Option<NewSlot> {
    let (offer, closes_at) = rules.slot(shop, slot)?;
    let held = Held { slot, capacity: capacity(shop, slot), closes_at, extra: offer.extra.amount() };
    Some(NewSlot { shop, held, orders: offer.orders })
}

/// A shipping method with the slot that is chosen for it.
pub(crate) fn option(of: ShippingOption, held: Option<&Held>) -> Result<ShippingOption> {
    let Some(held) = held else { return Ok(of) };
    let price = of.price.plus(Money::new(held.extra, of.price.currency()))?;
    let date = held.slot.date();
    Ok(ShippingOption { price, arrives: (date.clone(), date), ..of })
}

/// The slots that a new checkout can take from the one before: those that still can be booked and are not full. The others
/// are removed from the input, so that they are chosen anew.
pub(crate) async fn carry_in_tx(
    tx: &mut Tx,
    typed: &mut CheckoutUpdate,
    rules: &Rules,
    released: &holds::Released,
) -> TxResult<Vec<NewSlot>> {
    if typed.slots.is_empty() {
        return Ok(Vec::new());
    }
    let offers = typed.slots.iter().filter_map(|(shop, slot)| offer(rules, *shop, *slot));
    let mut offers: Vec<NewSlot> = offers.collect();
    let ids: Vec<[Value; 1]> = offers.iter().map(|new| [new.held.capacity.into()]).collect();
    let left: Vec<Left> = tx.all_many(&LEFT, &ids).await?;
    offers.retain(|new| {
        let left = left.iter().find(|left| left.id == new.held.capacity);
        left.is_none_or(|left| left.available + released.of(left.id) > 0)
    });
    typed.slots.retain(|shop, _| offers.iter().any(|new| new.shop == *shop));
    Ok(offers)
}

/// Makes the capacities of slots that nobody has held before.
pub(crate) async fn open_in_tx(tx: &mut Tx, slots: &[NewSlot], now: i64) -> TxResult<()> {
    let mut slots: Vec<&NewSlot> = slots.iter().collect();
    slots.sort_by_key(|new| new.held.capacity);
    for new in slots {
        let Held { slot, capacity, .. } = new.held;
        if inventory::open_slot_in_tx(tx, capacity, new.shop, new.orders, now).await? {
            let row = AddSlot { capacity_id: capacity, shop_id: new.shop, slot, day: slot.day };
            tx.insert(row).await?;
        }
    }
    Ok(())
}

/// Holds slots, which are open, instead of others that a checkout held. Others wait for these rows, so this comes last in a transaction.
pub(crate) async fn swap_in_tx(
    tx: &mut Tx,
    checkout: CheckoutId,
    old: &[CapacityId],
    new: &[NewSlot],
) -> TxResult<()> {
    if old.is_empty() && new.is_empty() {
        return Ok(());
    }
    let capacities: Vec<CapacityId> = new.iter().map(|new| new.held.capacity).collect();
    let short = holds::swap_in_tx(tx, checkout, old, &capacities).await?;
    match new.iter().find(|new| short.contains(&new.held.capacity)) {
        Some(full) => Err(gone(full.shop).into()),
        None => Ok(()),
    }
}

/// The slots that each of these shops offers to a checkout, with their prices in its currency; and the one that it holds
/// itself, which is not full for it, and can be paid even if the shop has withdrawn it since.
pub(crate) async fn offered(
    engine: &Engine,
    checkout: CheckoutId,
    (rate, currency): (Rate, Currency),
    shops: &[(ShopId, Option<Held>)],
) -> Result<HashMap<ShopId, Vec<SlotView>>> {
    if shops.is_empty() {
        return Ok(HashMap::new());
    }
    let rules = shipping::of_checkout(engine, checkout).await?;
    let rules = if rate == Rate::ONE { rules } else { rules.exchanged(rate, currency)? };
    let now = engine.clock.now_ms();
    let offers = shops.iter().map(|(shop, own)| (*shop, *own, rules.slots(*shop)));
    let offers: Vec<_> = offers.collect();
    let ids = offers.iter().flat_map(|(shop, _, offers)| offers.iter().map(|o| capacity(*shop, o.slot)));
    let ids: Vec<[Value; 1]> = ids.map(|id| [id.into()]).collect();
    let left: Vec<Left> = engine.db.all_many(&LEFT, &ids).await?;
    let left: BTreeMap<CapacityId, i64> = left.into_iter().map(|left| (left.id, left.available)).collect();
    let views = offers.into_iter().map(|(shop, own, offers)| {
        let view = |offer: haat_shared::shipping::SlotOffer| {
            let full = left.get(&capacity(shop, offer.slot)).is_some_and(|left| *left <= 0);
            let state = match (offer.closed, full && own.is_none_or(|own| own.slot != offer.slot)) {
                (true, _) => SlotState::Closed,
                (_, true) => SlotState::Full,
                _ => SlotState::Open,
            };
            SlotView { slot: offer.slot, extra: offer.extra, state }
        };
        let mut views: Vec<SlotView> = offers.into_iter().map(view).collect();
        if let Some(own) = own.filter(|own| views.iter().all(|view| view.slot != own.slot)) {
            let state = if own.closes_at <= now { SlotState::Closed } else { SlotState::Open };
            views.insert(0, SlotView { slot: own.slot, extra: Money::new(own.extra, currency), state });
        }
        (shop, views)
    });
    Ok(views.collect())
}

/// Whether a shop offers delivery in slots.
pub(crate) fn among(options: &[ShippingOption]) -> bool {
    options.iter().any(|option| option.shipping_method == ShippingMethod::Slot)
}
