//! The transitions of an order: confirm, ship, deliver, cancel. Each begins with a guarded change of the
//! order's row, so that one of several concurrent callers wins. Repeating a transition changes nothing;
//! repeating it with different content changes what may be changed (the tracking of a shipped order), or is
//! rejected. Shipping repeated after the delivery changes nothing either: a client may have missed the
//! response.

use super::{
    refunds::{Cancelled, refund_exchanged_in_tx, refund_rest_in_tx},
    shipments,
    timeline::{self, By},
};
use crate::{
    Caller, Clock, Engine, TxResult, bookings, bug,
    bus::Topic,
    db::{Tx, Value},
    inventory::holds,
    outbox::{self, OutboxMessage},
    params, rows, statements,
};
use haat_shared::{
    Conflict, Currency, Error, Money, Result,
    id::kinds::*,
    orders::{Actor, OrderEventData, OrderEventKind, OrderState, Shipment, optional_reason, reason},
    permissions::Permission,
    shipping::ShippingMethod,
};

statements! {
    // A transition has at most two source states; if there is only one, it is passed twice.
    TRANSITION = "UPDATE orders SET state = $3, updated_at = CASE WHEN updated_at < $6 THEN $6 ELSE updated_at + 1 END,
            release_at = CASE WHEN $3 = 'delivered' THEN $6 + 86400000 * (SELECT CASE WHEN s.returns_days > $7 THEN s.returns_days
                ELSE $7 END FROM shops s WHERE s.id = orders.shop_id) ELSE release_at END
        WHERE number = $1 AND shop_id = COALESCE($2, shop_id) AND state IN ($4, $5)
            AND ($3 <> 'cancelled' OR (NOT partly_shipped AND open_disputes = 0
                AND (disputed_minor = 0 OR refunded_minor + disputed_minor = collected_minor)))
            AND ($3 NOT IN ('shipped', 'delivered') OR delivery <> 'appointment'
                OR NOT EXISTS (SELECT 1 FROM appointments a WHERE a.order_id = orders.id AND a.state = 'booked'))
        RETURNING id, updated_at, shop_id, purchase_id, currency, total_minor, items_minor, collected_minor,
            commission_minor, discount_minor, market_discount_minor, refunded_minor, delivery_refunded_minor, disputed_minor,
            paid_order_id, delivery,
            (SELECT COUNT(*) FROM appointments a WHERE a.order_id = orders.id AND a.state = 'booked') AS appointments,
            (SELECT COUNT(*) FROM appointments a WHERE a.order_id = orders.id AND (a.fee_minor > 0
                OR (a.state = 'booked' AND (a.starts_at - a.change_minutes * 60000 < $6 OR a.starts_at <= $6)))) AS late,
            orders.slot_id IS NOT NULL AS in_slot,
            (SELECT CAST(COALESCE(SUM(r.commission_minor), 0) AS BIGINT) FROM refunds r WHERE r.order_id = orders.id) AS commission_back,
            (SELECT CAST(COALESCE(SUM(r.market_discount_minor), 0) AS BIGINT) FROM refunds r WHERE r.order_id = orders.id)
                AS discount_back";
    // Nothing is left to ship, or was left when the order became shipped.
    WAY = "SELECT o.delivery, CASE WHEN o.state = 'confirmed' THEN NOT EXISTS (SELECT 1 FROM order_lines l
            WHERE l.order_id = o.id AND l.quantity > l.shipped + l.refunded)
            ELSE o.state IN ('shipped', 'delivered') AND NOT EXISTS (SELECT 1 FROM shipments h WHERE h.order_id = o.id
                AND h.created_at = (SELECT MAX(e.created_at) FROM order_events e WHERE e.order_id = o.id AND e.kind = 'shipped'))
            END AS nothing_left
        FROM orders o WHERE o.number = $1 AND o.shop_id = $2";
    STATUS = "SELECT o.state, o.partly_shipped, o.disputed_minor, COALESCE(h.carrier, '') AS carrier,
            COALESCE(h.tracking_number, '') AS tracking_number, COALESCE(h.tracking_url, '') AS tracking_url, e.actor, e.data
        FROM orders o LEFT JOIN order_events e ON e.order_id = o.id AND e.kind = 'cancelled'
        LEFT JOIN shipments h ON h.id = (SELECT x.id FROM shipments x WHERE x.order_id = o.id
            ORDER BY x.created_at DESC, x.id DESC LIMIT 1)
        WHERE o.number = $1 AND o.shop_id = COALESCE($2, o.shop_id)";
}

rows! {
    struct WayRow {
        delivery: ShippingMethod,
        nothing_left: bool,
    }

    struct ChangedOrder {
        id: OrderId,
        updated_at: i64,
        shop_id: ShopId,
        purchase_id: PurchaseId,
        currency: Currency,
        total_minor: i64,
        items_minor: i64,
        collected_minor: i64,
        commission_minor: i64,
        discount_minor: i64,
        market_discount_minor: i64,
        refunded_minor: i64,
        delivery_refunded_minor: i64,
        disputed_minor: i64,
        paid_order_id: Option<OrderId>,
        delivery: ShippingMethod,
        appointments: i64,
        late: i64,
        in_slot: bool,
        commission_back: i64,
        discount_back: i64,
    }

    struct StatusRow {
        state: OrderState,
        partly_shipped: bool,
        disputed_minor: i64,
        carrier: String,
        tracking_number: String,
        tracking_url: String,
        actor: Option<String>,
        data: Option<String>,
    }
}

/// A requested transition.
#[derive(Clone)]
struct Transition {
    number: String,
    /// The shop that the order must belong to; `None` if access was checked through the purchase.
    shop: Option<ShopId>,
    to: OrderState,
    /// From which states.
    from: Vec<OrderState>,
    by: By,
    note: String,
    shipment: Option<Shipment>,
    /// How many days after its delivery the market lets an order be returned, at least.
    return_days: i64,
    clock: Clock,
}

/// The shop confirms the order.
pub async fn confirm(engine: &Engine, caller: &Caller, handle: &str, number: &str) -> Result<()> {
    let transition = by_shop(engine, caller, handle, number, OrderState::Confirmed)?;
    apply(engine, transition).await
}

/// The same for one of several orders that were selected: one that is confirmed already fails like any other that the
/// shop can't confirm any more.
pub async fn confirm_pending(engine: &Engine, caller: &Caller, handle: &str, number: &str) -> Result<()> {
    let transition = by_shop(engine, caller, handle, number, OrderState::Confirmed)?;
    match apply_once(engine, transition).await? {
        true => Ok(()),
        false => Err(Conflict::OrderMoved(OrderState::Confirmed).into()),
    }
}

/// What is left of the order is shipped. Afterwards its tracking can be corrected. A pickup order has no
/// tracking: it is ready for pickup. Nor has an order of which nothing is left.
pub async fn ship(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    shipment: Shipment,
) -> Result<()> {
    let transition = by_shop(engine, caller, handle, number, OrderState::Shipped)?;
    let way: Option<WayRow> = engine.db.opt(&WAY, params![number, transition.shop]).await?;
    let shipment = match way {
        Some(way) if way.nothing_left || !way.delivery.is_carried() => None,
        _ => Some(shipment.check().map_err(Error::Invalid)?),
    };
    apply(engine, Transition { shipment, ..transition }).await
}

/// The order is delivered, and any cash has been collected by the shop.
pub async fn deliver(engine: &Engine, caller: &Caller, handle: &str, number: &str) -> Result<()> {
    let transition = by_shop(engine, caller, handle, number, OrderState::Delivered)?;
    apply(engine, transition).await
}

/// The shop cancels the order: stock and money are returned.
pub async fn cancel(engine: &Engine, caller: &Caller, handle: &str, number: &str, why: &str) -> Result<()> {
    let transition = by_shop(engine, caller, handle, number, OrderState::Cancelled)?;
    let note = reason(why).map_err(|f| Error::Invalid(vec![f]))?;
    apply(engine, Transition { note, ..transition }).await
}

/// The customer cancels the order before the shop has confirmed it, and may say why. For those who may see
/// the purchase.
pub async fn cancel_by_customer(
    engine: &Engine,
    caller: &Caller,
    purchase: &str,
    key: &str,
    number: &str,
    why: &str,
) -> Result<()> {
    super::find(engine, caller, purchase, key).await?;
    // An order's number is the purchase's number and a position.
    if number.rsplit_once('-').map(|(of, _)| of) != Some(purchase) {
        return Err(Error::NotFound);
    }
    let note = optional_reason(why).map_err(|f| Error::Invalid(vec![f]))?;
    let transition = Transition {
        number: number.to_owned(),
        shop: None,
        to: OrderState::Cancelled,
        from: OrderState::Cancelled.reached_from(Actor::Shopper),
        by: By { actor: Actor::Shopper, user: caller.user_id() },
        note,
        shipment: None,
        return_days: engine.return_days,
        clock: engine.clock.clone(),
    };
    apply(engine, transition).await
}

fn by_shop(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    to: OrderState,
) -> Result<Transition> {
    let shop = caller.shop(handle, Permission::FulfilOrders)?;
    Ok(Transition {
        number: number.to_owned(),
        shop: Some(shop),
        to,
        from: to.reached_from(Actor::Shop),
        by: By { actor: Actor::Shop, user: caller.user_id() },
        note: String::new(),
        shipment: None,
        return_days: engine.return_days,
        clock: engine.clock.clone(),
    })
}

/// Cancels an order of which an appointment that was cancelled in time was all that was left, before or after the shop has confirmed it.
pub(crate) async fn cancel_all_in_tx(tx: &mut Tx, number: &str, by: By, clock: &Clock) -> TxResult<bool> {
    let transition = Transition {
        number: number.to_owned(),
        shop: None,
        to: OrderState::Cancelled,
        from: vec![OrderState::Placed, OrderState::Confirmed],
        by,
        note: String::new(),
        shipment: None,
        // Only deliveries need it.
        return_days: 0,
        clock: clock.clone(),
    };
    apply_in_tx(tx, &transition).await
}

/// All appointments of an order of nothing else are over or cancelled, so it is delivered.
pub(crate) async fn end(engine: &Engine, number: &str, at: OrderState, by: By) -> Result<()> {
    for to in [OrderState::Confirmed, OrderState::Shipped, OrderState::Delivered] {
        if to <= at {
            continue;
        }
        let transition = Transition {
            number: number.to_owned(),
            shop: None,
            to,
            from: to.reached_from(by.actor),
            by,
            note: String::new(),
            shipment: None,
            return_days: engine.return_days,
            clock: engine.clock.clone(),
        };
        apply(engine, transition).await?;
    }
    Ok(())
}

async fn apply(engine: &Engine, transition: Transition) -> Result<()> {
    apply_once(engine, transition).await.map(drop)
}

/// Makes a transition; returns whether it was made now, and not before.
async fn apply_once(engine: &Engine, transition: Transition) -> Result<bool> {
    let about = ("orders::transition", transition.number.clone());
    let made =
        engine.db.write(about, transition, |tx, transition| Box::pin(apply_in_tx(tx, transition))).await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(made)
}

async fn apply_in_tx(tx: &mut Tx, transition: &Transition) -> TxResult<bool> {
    let (Some(first), Some(last)) = (transition.from.first(), transition.from.last()) else {
        return Err(bug("a transition that the actor can't make"));
    };
    // Read here, not when the transition was requested, because the write may have waited in a queue.
    let now = transition.clock.now_ms();
    let row = params![
        &transition.number,
        transition.shop,
        transition.to.as_str(),
        first.as_str(),
        last.as_str(),
        now,
        transition.return_days,
    ];
    let Some(order) = tx.opt::<ChangedOrder>(&TRANSITION, row).await? else {
        return repeat_in_tx(tx, transition).await.map(|()| false);
    };
    // Appointments that are cancelled so late cost a fee, so they are cancelled one by one.
    if transition.by.actor == Actor::Shopper && transition.to == OrderState::Cancelled && order.late > 0 {
        return Err(Conflict::TooLate.into());
    }
    let now = order.updated_at;
    let mut data = OrderEventData { note: transition.note.clone(), ..OrderEventData::default() };
    let message = match transition.to {
        OrderState::Confirmed => Some(outbox::row(OutboxMessage::OrderConfirmed, order.id, now)),
        OrderState::Shipped => {
            let tracking = transition.shipment.as_ref();
            data.shipment_id =
                shipments::ship_rest_in_tx(tx, order.id, (order.delivery, tracking), now).await?;
            // Nothing was shipped now if parts of the order were shipped before and the others refunded.
            data.shipment = tracking.cloned().filter(|_| data.shipment_id.is_some());
            Some(match data.shipment_id {
                Some(shipment) => outbox::row(OutboxMessage::OrderShipped, shipment, now),
                // No email says so, but the event feed does.
                None => outbox::row(OutboxMessage::OrderShipped, order.id, now),
            })
        }
        OrderState::Delivered => {
            shipments::delivered_in_tx(tx, order.id, now).await?;
            Some(outbox::row(OutboxMessage::OrderDelivered, order.id, now))
        }
        OrderState::Cancelled => Some(outbox::row(OutboxMessage::OrderCancelled, order.id, now)),
        OrderState::Placed => return Err(bug("no transition leads back to the first state")),
    };
    let kind = OrderEventKind::of(transition.to);
    timeline::add_in_tx(tx, order.id, kind, transition.by, &data, now).await?;
    let mut messages = Vec::from_iter(message);
    // Of what was charged back, nothing is left to refund.
    if transition.to == OrderState::Cancelled && order.disputed_minor == 0 {
        match order.paid_order_id {
            Some(paid) => {
                let Transition { by, note, clock, .. } = transition;
                refund_exchanged_in_tx(tx, (order.id, order.shop_id), paid, *by, note, clock).await?;
            }
            None => messages.extend(refund_all_in_tx(tx, &order, &transition.note, now).await?),
        }
    }
    tx.exec_many(&outbox::WRITE, &messages).await?;
    if transition.to == OrderState::Cancelled {
        if order.appointments > 0 {
            bookings::cancel_in_tx(tx, order.id, now).await?;
        }
        // Last, because other transactions wait for these rows.
        holds::return_rest_in_tx(tx, order.id, (order.discount_minor > 0, order.in_slot), now).await?;
    }
    Ok(true)
}

/// The transition is not possible now. That is fine if it has already happened; its tracking may be
/// corrected.
async fn repeat_in_tx(tx: &mut Tx, transition: &Transition) -> TxResult<()> {
    if let (Some(shipment), Some(shop)) = (&transition.shipment, transition.shop) {
        let Transition { number, by, clock, .. } = transition;
        if shipments::track_latest_in_tx(tx, number, shop, *by, shipment, clock).await? {
            return Ok(());
        }
    }
    let status: Option<StatusRow> = tx.opt(&STATUS, params![&transition.number, transition.shop]).await?;
    let status = status.ok_or(Error::NotFound)?;
    // Shipped so, and delivered since.
    let StatusRow { carrier, tracking_number, tracking_url, .. } = &status;
    let same = |s: &Shipment| {
        (&s.carrier, &s.tracking_number, &s.tracking_url) == (carrier, tracking_number, tracking_url)
    };
    if (transition.to, status.state) == (OrderState::Shipped, OrderState::Delivered)
        && transition.shipment.as_ref().is_none_or(same)
    {
        return Ok(());
    }
    if status.state != transition.to {
        return Err(match (status.state, transition.to) {
            (OrderState::Confirmed, OrderState::Cancelled) if status.partly_shipped => {
                Conflict::PartlyShipped.into()
            }
            (OrderState::Placed | OrderState::Confirmed, OrderState::Cancelled)
                if status.disputed_minor > 0 =>
            {
                Conflict::Disputed.into()
            }
            (state, _) => Conflict::OrderMoved(state).into(),
        });
    }
    // The reason given by whoever cancelled first is kept, so a different reason would be lost.
    let by = status.actor.as_deref().and_then(Actor::parse);
    match (by, status.data) {
        (Some(by), Some(data)) => {
            let reason = timeline::read(&data)?.note;
            if by == transition.by.actor && reason == transition.note {
                return Ok(());
            }
            Err(Conflict::AlreadyCancelled { by, reason }.into())
        }
        _ => Ok(()),
    }
}

/// Returns the money of an order that was just cancelled.
async fn refund_all_in_tx(
    tx: &mut Tx,
    order: &ChangedOrder,
    note: &str,
    now: i64,
) -> TxResult<Vec<[Value; 4]>> {
    let money = |amount| Money::new(amount, order.currency);
    let cancelled = Cancelled {
        id: order.id,
        shop: order.shop_id,
        purchase: order.purchase_id,
        delivery: money(order.total_minor - order.items_minor),
        collected: money(order.collected_minor),
        commission: money(order.commission_minor - order.commission_back),
        market_discount: money(order.market_discount_minor - order.discount_back),
        refunded: money(order.refunded_minor),
        delivery_refunded: money(order.delivery_refunded_minor),
    };
    refund_rest_in_tx(tx, &cancelled, note, now).await
}
