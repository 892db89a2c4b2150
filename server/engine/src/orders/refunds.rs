//! Refunds of orders by line. Each refund has postings of its own, and commission follows it: the shop gets
//! back the part of the commission that belongs to the refunded items.

use super::{
    moved_in_tx,
    shipments::take_in_tx,
    timeline::{self, By},
};
use crate::{
    Caller, Clock, Engine, TxError, TxResult, audit, bookings, bug,
    bus::Topic,
    db::{Scalar, Tx, Value},
    insert,
    inventory::holds,
    ledger::{self, Reference},
    outbox::{self, OutboxMessage},
    params, payments, random, rows, statements,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    disputes::Disputable,
    id::kinds::*,
    ledger::{Earnings, cash_commission_reversed, commission_reversed, promotion_reversed, sale_reversed},
    orders::{Actor, LineQuantity, NewRefund, OrderEventData, OrderEventKind, OrderState, RefundReason},
    permissions::{AdminPermission, Permission},
    refunds::{RefundQuote, Refundable, RefundableLine, is_refundable},
};

statements! {
    GIVE_UP = "UPDATE order_lines SET exchanged = exchanged - given.column3 FROM (VALUES [($1, $2, $3)]) AS given
        WHERE order_lines.order_id = given.column1 AND order_lines.position = given.column2
            AND order_lines.exchanged >= given.column3
        RETURNING position, quantity, total_minor - discount_minor + added_tax_minor AS paid_minor,
            commission_minor, market_discount_minor, exchanged AS taken";
    // An order is locked before its lines.
    LOCK_PAID = "UPDATE orders SET updated_at = updated_at WHERE id = $1";
    EXCHANGED_ORDER = "SELECT number, collected_minor, total_minor - refunded_minor - disputed_minor AS rest_minor FROM orders WHERE id = $1";
    PAID_LINES = "SELECT position, paid_position, quantity - refunded - exchanged AS rest FROM order_lines WHERE order_id = $1
        ORDER BY position";
    PAID_ORDER = "SELECT o.shop_id, COALESCE(x.collected_minor, o.collected_minor) AS collected_minor
        FROM orders o LEFT JOIN orders x ON x.id = o.paid_order_id WHERE o.number = $1";
    LOCK = "UPDATE orders SET updated_at = CASE WHEN updated_at < $3 THEN $3 ELSE updated_at + 1 END
        WHERE number = $1 AND shop_id = $2 AND state IN ('placed', 'confirmed', 'shipped', 'delivered')
        RETURNING id, updated_at, state, shop_id, purchase_id, paid_order_id, currency, total_minor, items_minor, commission_minor,
            market_discount_minor, collected_minor, refunded_minor, delivery_refunded_minor, disputed_minor,
            disputed_commission_minor, disputed_discount_minor, released_at,
            (SELECT CAST(COALESCE(SUM(r.commission_minor), 0) AS BIGINT) FROM refunds r WHERE r.order_id = orders.id) AS commission_back,
            (SELECT CAST(COALESCE(SUM(r.market_discount_minor), 0) AS BIGINT) FROM refunds r WHERE r.order_id = orders.id)
                AS discount_back,
            market_discount_minor - (SELECT CAST(SUM(l.market_discount_minor) AS BIGINT) FROM order_lines l
                WHERE l.order_id = orders.id) AS delivery_discount_minor";
    // Until all is shipped, only what has not been shipped.
    pub(super) TAKE_UNSHIPPED = "UPDATE order_lines SET refunded = refunded + given.column3 FROM (VALUES [($1, $2, $3)]) AS given
        WHERE order_lines.order_id = given.column1 AND order_lines.position = given.column2
            AND order_lines.quantity >= order_lines.shipped + order_lines.refunded + given.column3
            AND order_lines.quantity >= order_lines.refunded + order_lines.exchanged + given.column3
        RETURNING position, quantity, total_minor - discount_minor + added_tax_minor AS paid_minor,
            commission_minor, market_discount_minor, refunded AS taken";
    pub(super) TAKE = "UPDATE order_lines SET refunded = refunded + given.column3 FROM (VALUES [($1, $2, $3)]) AS given
        WHERE order_lines.order_id = given.column1 AND order_lines.position = given.column2
            AND order_lines.quantity >= order_lines.refunded + order_lines.exchanged + given.column3
        RETURNING position, quantity, total_minor - discount_minor + added_tax_minor AS paid_minor,
            commission_minor, market_discount_minor, refunded AS taken";
    TAKE_AMOUNT = "UPDATE orders SET refunded_minor = refunded_minor + $2, delivery_refunded_minor = delivery_refunded_minor + $3
        WHERE id = $1 AND refunded_minor + disputed_minor + $2 <= total_minor AND delivery_refunded_minor + $3 <= total_minor - items_minor";
    ADD_REST = "INSERT INTO refund_lines (refund_id, position, quantity, amount_minor)
        SELECT $1, position, quantity - refunded, paid_minor - returned
        FROM (SELECT o.position, o.quantity, o.refunded, o.total_minor - o.discount_minor + o.added_tax_minor AS paid_minor,
                (SELECT CAST(COALESCE(SUM(x.amount_minor), 0) AS BIGINT) FROM refund_lines x JOIN refunds r ON r.id = x.refund_id
                    WHERE r.order_id = o.order_id AND x.position = o.position) AS returned
            FROM order_lines o WHERE o.order_id = $2) AS l
        WHERE quantity > refunded OR paid_minor > returned";
    // Of an order of several things, this line is not all that is left; nor is it of one of which a fee was kept.
    LEFT = "SELECT (SELECT COUNT(*) FROM order_lines l WHERE l.order_id = $1 AND l.position <> $2 AND l.quantity > l.refunded + l.exchanged)
            + (SELECT COUNT(*) FROM appointments a WHERE a.order_id = $1 AND a.fee_minor > 0) AS value";
}

insert! {
    /// The shop itself gave back what it had collected.
    struct AddByShop<'a> into refunds {
        id: RefundId,
        order_id: OrderId,
        amount_minor: i64,
        delivery_minor: i64,
        commission_minor: i64,
        market_discount_minor: i64,
        restocked: bool,
        reason: RefundReason,
        note: &'a str,
        created_at: i64,
        done_at: i64;
        payment_id = "p.id",
        state = "'done'",
        checks = "0",
    } => [purchase: PurchaseId] "given JOIN payments p ON p.purchase_id = given.purchase AND p.collected_by = 'shop'"

    struct AddLine into refund_lines {
        refund_id: RefundId,
        position: i64,
        quantity: i64,
        amount_minor: i64,
    }
}

rows! {
    struct ExchangedOrder {
        number: String,
        collected_minor: i64,
        rest_minor: i64,
    }

    struct PaidLine {
        position: i64,
        paid_position: Option<i64>,
        rest: i64,
    }

    pub(super) struct RefundedOrder {
        pub(super) id: OrderId,
        pub(super) updated_at: i64,
        pub(super) state: OrderState,
        pub(super) shop_id: ShopId,
        purchase_id: PurchaseId,
        paid_order_id: Option<OrderId>,
        currency: Currency,
        total_minor: i64,
        items_minor: i64,
        commission_minor: i64,
        market_discount_minor: i64,
        collected_minor: i64,
        refunded_minor: i64,
        delivery_refunded_minor: i64,
        disputed_minor: i64,
        disputed_commission_minor: i64,
        disputed_discount_minor: i64,
        released_at: Option<i64>,
        /// What refunds have returned of its commission and of the market's discount.
        commission_back: i64,
        discount_back: i64,
        /// The market's discount on its delivery.
        delivery_discount_minor: i64,
    }

    struct PaidOrder {
        shop_id: ShopId,
        collected_minor: i64,
    }
}

/// Refunds a part of an order that is not cancelled. Of a cash order, the shop gives back the money itself,
/// after delivery; before, items that were not shipped are taken off what it collects. It gets back the commission in both
/// cases.
pub async fn refund(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    refund: NewRefund,
) -> Result<RefundId> {
    let shop = caller.shop(handle, Permission::FulfilOrders)?;
    let refund = refund.check().map_err(Error::Invalid)?;
    let by = By { actor: Actor::Shop, user: caller.user_id() };
    let input = (number.to_owned(), shop, by, refund, engine.clock.clone());
    let id = engine
        .db
        .write(("orders::refund", number.to_owned()), input, |tx, (number, shop, by, refund, clock)| {
            Box::pin(refund_in_tx(tx, number, *shop, *by, refund, RefundOf::Order, clock))
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(id)
}

/// An admin refunds a part of an order that was paid to the market, as its shop could. The shop's owners get an email.
pub async fn refund_as_operator(
    engine: &Engine,
    caller: &Caller,
    number: &str,
    refund: NewRefund,
) -> Result<RefundId> {
    caller.admin(AdminPermission::RefundOrders)?;
    let refund = refund.check().map_err(Error::Invalid)?;
    let paid: Option<PaidOrder> = engine.db.opt(&PAID_ORDER, params![number]).await?;
    let paid = paid.ok_or(Error::NotFound)?;
    if paid.collected_minor == 0 {
        // Only the shop can give back cash.
        return Err(Error::Denied);
    }
    let by = By { actor: Actor::Market, user: caller.user_id() };
    let input = (number.to_owned(), paid.shop_id, by, refund, engine.clock.clone());
    let about = ("orders::refund_as_operator", number.to_owned());
    let id = engine
        .db
        .write(about, input, |tx, (number, shop, by, refund, clock)| {
            Box::pin(async move {
                let id = refund_in_tx(tx, number, *shop, *by, refund, RefundOf::Order, clock).await?;
                audit::write(tx, by.user, "orders::refund", id, &refund.reason, clock.now_ms()).await?;
                Ok::<_, TxError>(id)
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(id)
}

/// What is refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundOf {
    /// A part of an order.
    Order,
    /// What was returned.
    Return(ReturnId),
    /// An appointment that doesn't take place, of whose price the shop keeps so many percent. Before the order is confirmed, too.
    Appointment(i64),
}

impl RefundOf {
    fn returned(self) -> Option<ReturnId> {
        match self {
            Self::Return(id) => Some(id),
            Self::Order | Self::Appointment(_) => None,
        }
    }
}

/// Whether a line is all that is left of an order, and nothing was kept of the others.
pub(crate) async fn is_all_in_tx(tx: &mut Tx, order: OrderId, position: i64) -> TxResult<bool> {
    let left: Option<Scalar<i64>> = tx.opt(&LEFT, params![order, position]).await?;
    Ok(left.is_some_and(|Scalar(left)| left == 0))
}

/// Refunds a part of an order, or what was returned of it.
pub(crate) async fn refund_in_tx(
    tx: &mut Tx,
    number: &str,
    shop: ShopId,
    by: By,
    refund: &NewRefund,
    of: RefundOf,
    clock: &Clock,
) -> TxResult<RefundId> {
    let Some(order) = tx.opt::<RefundedOrder>(&LOCK, params![number, shop, clock.now_ms()]).await? else {
        return moved_in_tx(tx, number, Some(shop)).await;
    };
    if let Some(paid) = order.paid_order_id {
        return Box::pin(refund_exchange_in_tx(tx, &order, paid, by, refund, of, clock)).await;
    }
    let by_market = order.collected_minor > 0;
    let placed = matches!(of, RefundOf::Appointment(_)) && order.state == OrderState::Placed;
    if !placed && !is_refundable(order.state, by_market) {
        return Err(Conflict::OrderMoved(order.state).into());
    }
    let reason = match by.actor {
        Actor::Market => RefundReason::ByMarket,
        Actor::Shop | Actor::Shopper => RefundReason::ByShop,
    };
    let unshipped = matches!(order.state, OrderState::Placed | OrderState::Confirmed);
    if refund.restock && !unshipped {
        return Err(Error::field("restock", FieldCode::NotAChoice).into());
    }
    let (now, money) = (order.updated_at, |amount| Money::new(amount, order.currency));
    let take = if unshipped { &TAKE_UNSHIPPED } else { &TAKE };
    let taken = take_in_tx(tx, take, order.id, &refund.lines).await?;
    let id: RefundId = random::id(now);
    // What is taken was left, so that is what can be refunded.
    let lines = refund.lines.iter().filter_map(|part| {
        let line = taken.iter().find(|line| line.position == part.position)?;
        Some(RefundableLine {
            position: line.position,
            quantity: line.quantity,
            refunded: line.taken - part.quantity,
            refundable: part.quantity,
            paid: money(line.paid_minor),
            commission: money(line.commission_minor),
            marketplace_discount: money(line.market_discount_minor),
        })
    });
    let left = Refundable {
        lines: lines.collect(),
        shipping: money(order.total_minor - order.items_minor - order.delivery_refunded_minor),
        restock: unshipped,
        by_marketplace: by_market,
        items_total: money(order.items_minor),
        items_refunded: money(order.refunded_minor - order.delivery_refunded_minor),
        commission: money(order.commission_minor - order.commission_back),
        marketplace_discount: money(order.market_discount_minor - order.discount_back),
        shipping_marketplace_discount: money(order.delivery_discount_minor),
        in_proportion: false,
        limit: money(order.total_minor - order.refunded_minor - order.disputed_minor),
    };
    let left = match order.disputed_minor {
        0 => left,
        _ => {
            let commission = order.commission_minor - order.disputed_commission_minor - order.commission_back;
            let discount = order.market_discount_minor - order.disputed_discount_minor - order.discount_back;
            let (amount, commission, market_discount) = (left.limit, money(commission), money(discount));
            left.less_disputed(Disputable { amount, commission, market_discount })?
        }
    };
    let mut quote = left.quote(&refund.lines, refund.shipping)?;
    if let RefundOf::Appointment(percent) = of {
        quote = quote.keeping(percent)?;
    }
    let RefundQuote { amount, shipping: delivery, commission, marketplace_discount: market_discount, .. } =
        quote;
    if refund.amount.is_some_and(|expected| expected != amount) {
        return Err(Error::field("amount", FieldCode::NotAChoice).into());
    }
    let row = params![order.id, amount.amount(), delivery.amount()];
    if tx.exec(&TAKE_AMOUNT, row).await? == 0 {
        return Err(bug("more would be refunded than the order cost"));
    }
    let rows: Vec<AddLine> = quote
        .lines
        .iter()
        .map(|(LineQuantity { position, quantity }, share)| AddLine {
            refund_id: id,
            position: *position,
            quantity: *quantity,
            amount_minor: share.amount(),
        })
        .collect();
    let earnings = if order.released_at.is_some() { Earnings::Released } else { Earnings::Pending };
    let about = (id, Some(order.id));
    let mut messages = vec![outbox::row(OutboxMessage::OrderRefunded, id, now)];
    if by_market {
        let refund = payments::OrderRefund {
            id,
            order: order.id,
            amount,
            delivery,
            commission,
            market_discount,
            restocked: refund.restock,
            reason,
            note: refund.reason.clone(),
        };
        messages.extend(payments::reserve_refund_in_tx(tx, order.purchase_id, refund, now).await?);
        let mut postings = vec![
            (sale_reversed(order.shop_id, amount, earnings)?, about),
            (commission_reversed(order.shop_id, commission, earnings)?, about),
        ];
        if market_discount.amount() > 0 {
            postings.push((promotion_reversed(order.shop_id, market_discount, earnings, true)?, about));
        }
        ledger::post(tx, &postings, now).await?;
    } else {
        let row = AddByShop {
            id,
            order_id: order.id,
            amount_minor: amount.amount(),
            delivery_minor: delivery.amount(),
            commission_minor: commission.amount(),
            market_discount_minor: market_discount.amount(),
            restocked: refund.restock,
            reason: if unshipped { RefundReason::Unshipped } else { reason },
            note: &refund.reason,
            created_at: now,
            done_at: now,
            purchase: order.purchase_id,
        };
        if !tx.insert(row).await? {
            return Err(bug("an order that the shop collects has no payment"));
        }
        let mut postings = vec![(cash_commission_reversed(order.shop_id, commission, earnings)?, about)];
        if market_discount.amount() > 0 {
            postings.push((promotion_reversed(order.shop_id, market_discount, earnings, false)?, about));
        }
        ledger::post(tx, &postings, now).await?;
    }
    tx.insert_all(rows).await?;
    bookings::cancel_refunded_in_tx(tx, order.id, now).await?;
    tx.exec_many(&outbox::WRITE, &messages).await?;
    let data = OrderEventData {
        note: refund.reason.clone(),
        lines: refund.lines.clone(),
        amount: Some(amount),
        return_id: of.returned(),
        ..OrderEventData::default()
    };
    let kind = match unshipped && !by_market {
        true => OrderEventKind::ItemsCancelled,
        false => OrderEventKind::Refunded,
    };
    timeline::add_in_tx(tx, order.id, kind, by, &data, now).await?;
    if refund.restock {
        holds::return_part_in_tx(tx, order.id, &refund.lines, id, now).await?;
    }
    Ok(id)
}

/// A cancelled order, which is refunded.
pub(super) struct Cancelled {
    pub(super) id: OrderId,
    pub(super) shop: ShopId,
    pub(super) purchase: PurchaseId,
    /// What was paid for delivery.
    pub(super) delivery: Money,
    /// What the market has collected of its total.
    pub(super) collected: Money,
    /// What is left of the commission.
    pub(super) commission: Money,
    /// What is left of the part of its discount that the market bears.
    pub(super) market_discount: Money,
    /// What was refunded before.
    pub(super) refunded: Money,
    /// The part of it that was paid for delivery.
    pub(super) delivery_refunded: Money,
}

/// Refunds what is left of a cancelled order. Of a cash order, nothing was collected. Returns rows of the
/// outbox, which the caller writes.
pub(super) async fn refund_rest_in_tx(
    tx: &mut Tx,
    order: &Cancelled,
    note: &str,
    now: i64,
) -> TxResult<Vec<[Value; 4]>> {
    let earnings = Earnings::Pending;
    let by_market = order.collected.amount() > 0;
    let (commission, market_discount) = (order.commission, order.market_discount);
    let amount = match by_market {
        true => order.collected.minus(order.refunded)?,
        false => Money::zero(order.collected.currency()),
    };
    let mut reversed = match by_market {
        false => vec![cash_commission_reversed(order.shop, commission, earnings)?],
        true => vec![
            sale_reversed(order.shop, amount, earnings)?,
            commission_reversed(order.shop, commission, earnings)?,
        ],
    };
    if market_discount.amount() > 0 {
        reversed.push(promotion_reversed(order.shop, market_discount, earnings, by_market)?);
    }
    let posted = |about: Reference| reversed.into_iter().map(|posting| (posting, about)).collect::<Vec<_>>();
    if amount.amount() == 0 {
        ledger::post(tx, &posted(order.id.into()), now).await?;
        return Ok(vec![]);
    }
    let id: RefundId = random::id(now);
    let refund = payments::OrderRefund {
        id,
        order: order.id,
        amount,
        delivery: order.delivery.minus(order.delivery_refunded)?,
        commission,
        market_discount,
        restocked: false,
        reason: RefundReason::Cancelled,
        note: note.to_owned(),
    };
    let messages = payments::reserve_refund_in_tx(tx, order.purchase, refund, now).await?;
    tx.exec(&ADD_REST, params![id, order.id]).await?;
    ledger::post(tx, &posted((id, Some(order.id)).into()), now).await?;
    Ok(messages)
}

/// Refunds a part of an exchange: what was paid for it at first.
async fn refund_exchange_in_tx(
    tx: &mut Tx,
    order: &RefundedOrder,
    paid: OrderId,
    by: By,
    refund: &NewRefund,
    of: RefundOf,
    clock: &Clock,
) -> TxResult<RefundId> {
    let first = paid_order_in_tx(tx, paid).await?;
    if !is_refundable(order.state, first.collected_minor > 0) {
        return Err(Conflict::OrderMoved(order.state).into());
    }
    let unshipped = order.state == OrderState::Confirmed;
    if refund.restock && !unshipped {
        return Err(Error::field("restock", FieldCode::NotAChoice).into());
    }
    let take = if unshipped { &TAKE_UNSHIPPED } else { &TAKE };
    take_in_tx(tx, take, order.id, &refund.lines).await?;
    let lines: Vec<PaidLine> = tx.all(&PAID_LINES, params![order.id]).await?;
    let lines = refund.lines.iter().filter_map(|part| {
        let line = lines.iter().find(|line| line.position == part.position)?;
        Some(LineQuantity { position: line.paid_position?, quantity: part.quantity })
    });
    let of_paid = NewRefund { lines: lines.collect(), restock: false, ..refund.clone() };
    let id = refund_paid_in_tx(tx, (paid, &first.number), order.shop_id, by, &of_paid, of, clock).await?;
    let (now, number) = (order.updated_at, first.number);
    let data = OrderEventData {
        note: refund.reason.clone(),
        lines: refund.lines.clone(),
        return_id: of.returned(),
        other_order: Some(number),
        ..OrderEventData::default()
    };
    timeline::add_in_tx(tx, order.id, OrderEventKind::Refunded, by, &data, now).await?;
    if refund.restock {
        holds::return_part_in_tx(tx, order.id, &refund.lines, id, now).await?;
    }
    Ok(id)
}

/// Refunds what was paid for an exchange that has been cancelled.
pub(super) async fn refund_exchanged_in_tx(
    tx: &mut Tx,
    (order, shop): (OrderId, ShopId),
    paid: OrderId,
    by: By,
    note: &str,
    clock: &Clock,
) -> TxResult<()> {
    let first = paid_order_in_tx(tx, paid).await?;
    let lines: Vec<PaidLine> = tx.all(&PAID_LINES, params![order]).await?;
    let rest = lines
        .iter()
        .filter(|line| line.rest > 0)
        .filter_map(|line| Some(LineQuantity { position: line.paid_position?, quantity: line.rest }));
    let rest: Vec<LineQuantity> = rest.collect();
    if rest.is_empty() {
        return Ok(());
    }
    if first.rest_minor == 0 {
        // It was charged back.
        tx.exec(&LOCK_PAID, params![paid]).await?;
        return take_in_tx(tx, &GIVE_UP, paid, &rest).await.map(drop);
    }
    let refund = NewRefund { lines: rest, reason: note.to_owned(), ..NewRefund::default() };
    refund_paid_in_tx(tx, (paid, &first.number), shop, by, &refund, RefundOf::Order, clock).await.map(drop)
}

async fn paid_order_in_tx(tx: &mut Tx, id: OrderId) -> TxResult<ExchangedOrder> {
    let paid: Option<ExchangedOrder> = tx.opt(&EXCHANGED_ORDER, params![id]).await?;
    paid.ok_or_else(|| bug("an exchange of an order that is not there"))
}

/// Refunds lines of the order that was paid, which are exchanged no longer.
async fn refund_paid_in_tx(
    tx: &mut Tx,
    (paid, number): (OrderId, &str),
    shop: ShopId,
    by: By,
    refund: &NewRefund,
    of: RefundOf,
    clock: &Clock,
) -> TxResult<RefundId> {
    tx.exec(&LOCK_PAID, params![paid]).await?;
    take_in_tx(tx, &GIVE_UP, paid, &refund.lines).await?;
    refund_in_tx(tx, number, shop, by, refund, of, clock).await
}
