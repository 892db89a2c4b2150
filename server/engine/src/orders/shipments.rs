//! Shipments: the parts in which an order reaches the customer.

use super::{
    moved_in_tx,
    timeline::{self, By},
};
use crate::{
    Caller, Clock, Engine, TxResult,
    bus::Topic,
    db::{Scalar, Statement, Tx, Value},
    insert,
    outbox::{self, OutboxMessage},
    params, random, rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, FieldError, Result,
    id::kinds::*,
    orders::{
        Actor, LineQuantity, OrderEventData, OrderEventKind, OrderState, Shipment, ShipmentKind, lines,
    },
    permissions::Permission,
    shipping::ShippingMethod,
};

statements! {
    ADD_REST_LINES = "INSERT INTO shipment_lines (shipment_id, position, quantity)
        SELECT $1, position, quantity - shipped - refunded FROM order_lines WHERE order_id = $2 AND quantity > shipped + refunded";
    SHIP_LINES = "UPDATE order_lines SET shipped = shipped + s.quantity FROM shipment_lines AS s
        WHERE s.shipment_id = $1 AND order_lines.order_id = $2 AND order_lines.position = s.position";
    SHIP_PART = "UPDATE order_lines SET shipped = shipped + given.column3 FROM (VALUES [($1, $2, $3)]) AS given
        WHERE order_lines.order_id = given.column1 AND order_lines.position = given.column2
            AND order_lines.quantity >= order_lines.shipped + order_lines.refunded + given.column3
        RETURNING position, quantity, total_minor - discount_minor + added_tax_minor AS paid_minor,
            commission_minor, market_discount_minor, shipped AS taken";
    LEFT = "SELECT position AS value FROM order_lines WHERE order_id = $1 AND quantity > shipped + refunded LIMIT 1";
    DELIVERED = "UPDATE shipments SET state = 'delivered', delivered_at = $2 WHERE order_id = $1";
    LOCK = "UPDATE orders SET updated_at = updated_at WHERE number = $1 AND shop_id = $2 AND state IN ('confirmed', 'shipped')
        RETURNING id, state, delivery, updated_at";
    CHANGED = "UPDATE orders SET state = $2, updated_at = $3, partly_shipped = TRUE WHERE id = $1";
    TRACK = "UPDATE shipments SET carrier = $3, tracking_number = $4, tracking_url = $5
        WHERE order_id = $1 AND id = COALESCE($2, (SELECT h.id FROM shipments h WHERE h.order_id = $1 AND h.created_at =
                (SELECT MAX(e.created_at) FROM order_events e WHERE e.order_id = $1 AND e.kind = 'shipped')))
            AND kind = 'parcel' AND (carrier <> $3 OR tracking_number <> $4 OR tracking_url <> $5)
        RETURNING id AS value";
    POSITIONS = "SELECT position AS value FROM order_lines WHERE order_id = $1";
    KIND = "SELECT kind AS value FROM shipments WHERE id = $1 AND order_id = $2";
}

insert! {
    struct AddShipment<'a> into shipments {
        id: ShipmentId,
        order_id: OrderId,
        kind: ShipmentKind,
        carrier: &'a str,
        tracking_number: &'a str,
        tracking_url: &'a str,
        created_at: i64;
        state = "'shipped'",
    }

    /// What is neither shipped nor refunded. Nothing is inserted if that is nothing.
    struct AddRest<'a> into shipments {
        id: ShipmentId,
        order_id: OrderId,
        kind: ShipmentKind,
        carrier: &'a str,
        tracking_number: &'a str,
        tracking_url: &'a str,
        created_at: i64;
        state = "'shipped'",
    } => "given WHERE EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = given.order_id
            AND l.quantity > l.shipped + l.refunded)"

    struct AddLine into shipment_lines {
        shipment_id: ShipmentId,
        position: i64,
        quantity: i64,
    }
}

rows! {
    struct Locked {
        id: OrderId,
        state: OrderState,
        delivery: ShippingMethod,
        updated_at: i64,
    }

    /// A line of which a quantity was taken: shipped, refunded or returned.
    pub(super) struct TakenLine {
        pub(super) position: i64,
        pub(super) quantity: i64,
        pub(super) paid_minor: i64,
        pub(super) commission_minor: i64,
        pub(super) market_discount_minor: i64,
        /// The sum, including what was taken now.
        pub(super) taken: i64,
    }
}

/// Takes quantities of an order's lines with a guarded statement, all or none.
pub(super) async fn take_in_tx(
    tx: &mut Tx,
    statement: &'static Statement,
    order: OrderId,
    part: &[LineQuantity],
) -> TxResult<Vec<TakenLine>> {
    let given: Vec<[Value; 3]> =
        part.iter().map(|line| [order.into(), line.position.into(), line.quantity.into()]).collect();
    let taken: Vec<TakenLine> = tx.all_many(statement, &given).await?;
    if taken.len() == part.len() {
        return Ok(taken);
    }
    let positions: Vec<Scalar<i64>> = tx.all(&POSITIONS, params![order]).await?;
    let missing = |line: &LineQuantity| !taken.iter().any(|taken| taken.position == line.position);
    let faults = part.iter().enumerate().filter(|(_, line)| missing(line)).map(|(i, line)| {
        match positions.iter().any(|known| known.0 == line.position) {
            true => FieldError::new(format!("lines.{i}.quantity"), FieldCode::TooBig),
            false => FieldError::new(format!("lines.{i}.position"), FieldCode::NotAChoice),
        }
    });
    Err(Error::Invalid(faults.collect()).into())
}

/// Ships what is left of an order that has just become `shipped`. There is no shipment if nothing is left.
pub(super) async fn ship_rest_in_tx(
    tx: &mut Tx,
    order: OrderId,
    (method, tracking): (ShippingMethod, Option<&Shipment>),
    now: i64,
) -> TxResult<Option<ShipmentId>> {
    let id: ShipmentId = random::id(now);
    let kind = match (tracking, method) {
        (Some(_), _) => ShipmentKind::Parcel,
        (None, ShippingMethod::Appointment) => ShipmentKind::Appointment,
        (None, _) => ShipmentKind::Pickup,
    };
    let Shipment { carrier, tracking_number, tracking_url } = &tracking.cloned().unwrap_or_default();
    let (order_id, created_at) = (order, now);
    let rest = AddRest { id, order_id, kind, carrier, tracking_number, tracking_url, created_at };
    if !tx.insert(rest).await? {
        return Ok(None);
    }
    tx.exec(&ADD_REST_LINES, params![id, order]).await?;
    tx.exec(&SHIP_LINES, params![id, order]).await?;
    Ok(Some(id))
}

/// Marks the shipments of an order as delivered.
pub(super) async fn delivered_in_tx(tx: &mut Tx, order: OrderId, now: i64) -> TxResult<()> {
    tx.exec(&DELIVERED, params![order, now]).await?;
    Ok(())
}

/// A change of the shipments of an order by its shop.
#[derive(Clone)]
struct Change {
    number: String,
    shop: ShopId,
    by: By,
    tracking: Shipment,
    clock: Clock,
}

fn by_shop(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    tracking: Shipment,
) -> Result<Change> {
    let shop = caller.shop(handle, Permission::FulfilOrders)?;
    Ok(Change {
        number: number.to_owned(),
        shop,
        by: By { actor: Actor::Shop, user: caller.user_id() },
        tracking,
        clock: engine.clock.clone(),
    })
}

/// Ships a part of a confirmed order. With its last part, the order is shipped.
pub async fn ship_part(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    part: &[LineQuantity],
    tracking: Shipment,
) -> Result<ShipmentId> {
    let change = by_shop(engine, caller, handle, number, tracking)?;
    lines(part).map_err(Error::Invalid)?;
    let about = ("orders::ship_part", change.number.clone());
    let id = engine
        .db
        .write(about, (change, part.to_vec()), |tx, (change, part)| {
            Box::pin(ship_part_in_tx(tx, change, part))
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(id)
}

async fn ship_part_in_tx(tx: &mut Tx, change: &Change, part: &[LineQuantity]) -> TxResult<ShipmentId> {
    let order = lock_in_tx(tx, change).await?;
    if order.state != OrderState::Confirmed {
        return Err(Conflict::OrderMoved(order.state).into());
    }
    let (kind, tracking) = match order.delivery {
        ShippingMethod::Pickup => (ShipmentKind::Pickup, Shipment::default()),
        // An appointment is not shipped, so no part of it is.
        ShippingMethod::Appointment => return Err(Conflict::OrderMoved(order.state).into()),
        ShippingMethod::Standard | ShippingMethod::Express | ShippingMethod::Slot => {
            (ShipmentKind::Parcel, change.tracking.check().map_err(Error::Invalid)?)
        }
    };
    let now = order.later(&change.clock);
    take_in_tx(tx, &SHIP_PART, order.id, part).await?;
    let id: ShipmentId = random::id(now);
    let Shipment { carrier, tracking_number, tracking_url } = &tracking;
    let (order_id, created_at) = (order.id, now);
    tx.insert(AddShipment { id, order_id, kind, carrier, tracking_number, tracking_url, created_at }).await?;
    let rows = part.iter().map(|&LineQuantity { position, quantity }| AddLine {
        shipment_id: id,
        position,
        quantity,
    });
    tx.insert_all(rows).await?;
    let left: Option<Scalar<i64>> = tx.opt(&LEFT, params![order.id]).await?;
    let state = if left.is_some() { OrderState::Confirmed } else { OrderState::Shipped };
    tx.exec(&CHANGED, params![order.id, state, now]).await?;
    let data = OrderEventData {
        shipment: (kind == ShipmentKind::Parcel).then_some(tracking),
        shipment_id: Some(id),
        lines: part.to_vec(),
        ..OrderEventData::default()
    };
    timeline::add_in_tx(tx, order.id, OrderEventKind::Shipped, change.by, &data, now).await?;
    tx.exec_many(&outbox::WRITE, &[outbox::row(OutboxMessage::OrderShipped, id, now)]).await?;
    Ok(id)
}

/// Corrects the tracking details of a shipment that is on its way.
pub async fn track(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    shipment: ShipmentId,
    tracking: Shipment,
) -> Result<()> {
    let tracking = tracking.check().map_err(Error::Invalid)?;
    let change = by_shop(engine, caller, handle, number, tracking)?;
    let about = ("orders::track", change.number.clone());
    engine
        .db
        .write(about, (change, shipment), |tx, (change, shipment)| {
            Box::pin(async move {
                let order = lock_in_tx(tx, change).await?;
                let kind: Option<Scalar<ShipmentKind>> = tx.opt(&KIND, params![*shipment, order.id]).await?;
                if kind.ok_or(Error::NotFound)?.0 != ShipmentKind::Parcel {
                    return Err(Error::field("tracking_number", FieldCode::NotAChoice).into());
                }
                correct_in_tx(tx, &order, change, Some(*shipment)).await
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

/// Corrects the tracking details of the latest shipment of a shipped order; returns whether the order is
/// shipped.
pub(super) async fn track_latest_in_tx(
    tx: &mut Tx,
    number: &str,
    shop: ShopId,
    by: By,
    tracking: &Shipment,
    clock: &Clock,
) -> TxResult<bool> {
    let Some(order) = tx.opt::<Locked>(&LOCK, params![number, shop]).await? else { return Ok(false) };
    let change =
        Change { number: number.to_owned(), shop, by, tracking: tracking.clone(), clock: clock.clone() };
    correct_in_tx(tx, &order, &change, None).await?;
    Ok(true)
}

/// Stores the tracking of a shipment. If none is given, that is the one with which the order became shipped; there
/// is none if nothing was left to ship. The same tracking changes nothing.
async fn correct_in_tx(
    tx: &mut Tx,
    order: &Locked,
    change: &Change,
    shipment: Option<ShipmentId>,
) -> TxResult<()> {
    let Shipment { carrier, tracking_number, tracking_url } = &change.tracking;
    let row = params![order.id, shipment, carrier, tracking_number, tracking_url];
    let Some(Scalar(id)) = tx.opt::<Scalar<ShipmentId>>(&TRACK, row).await? else { return Ok(()) };
    let now = order.later(&change.clock);
    tx.exec(&CHANGED, params![order.id, order.state, now]).await?;
    let data = OrderEventData {
        shipment: Some(change.tracking.clone()),
        shipment_id: Some(id),
        ..OrderEventData::default()
    };
    timeline::add_in_tx(tx, order.id, OrderEventKind::TrackingUpdated, change.by, &data, now).await?;
    tx.exec_many(&outbox::WRITE, &[outbox::row(OutboxMessage::OrderShipmentUpdated, id, now)]).await?;
    Ok(())
}

/// Locks an order with shipments that can change. Fails with its state if they cannot.
async fn lock_in_tx(tx: &mut Tx, change: &Change) -> TxResult<Locked> {
    if let Some(order) = tx.opt(&LOCK, params![&change.number, change.shop]).await? {
        return Ok(order);
    }
    moved_in_tx(tx, &change.number, Some(change.shop)).await
}

impl Locked {
    /// The time of its next change.
    fn later(&self, clock: &Clock) -> i64 {
        clock.now_ms().max(self.updated_at + 1)
    }
}
