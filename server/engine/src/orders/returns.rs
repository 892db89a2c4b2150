//! Returns: parts of an order that come back, or that never arrived. The customer asks, the shop answers; an operator
//! may answer what the shop has left for too long. [`haat_shared::returns::STEPS`] are the steps and who may take them;
//! each is a guarded change of the return's row, after the order's row was locked. What is refunded for a return is a
//! refund like any other ([`refunds`](super::refunds)).

use super::{
    exchange_options, moved_in_tx,
    refunds::{RefundOf, refund_in_tx},
    shipments::take_in_tx,
    timeline::{self, By},
};
use crate::{
    Caller, Clock, Engine, TxResult, audit, bug,
    bus::Topic,
    db::{Scalar, Tx},
    idempotency::{self, Claim, IdempotencyKey},
    insert,
    inventory::holds,
    media,
    outbox::{self, OutboxMessage},
    params, random, rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    id::kinds::*,
    orders::{Actor, LineQuantity, NewRefund, OrderEventData, OrderEventKind, OrderState, lines, reason},
    permissions::{AdminPermission, Permission},
    returns::{
        ExchangeWish, NewReturnRequest, RETURNS_MAX, ReturnApproval, ReturnReason, ReturnReceipt,
        ReturnState, reasons,
    },
    shipping::ShippingMethod,
};

statements! {
    LOCK = "UPDATE orders SET updated_at = CASE WHEN updated_at < $3 THEN $3 ELSE updated_at + 1 END
        WHERE number = $1 AND shop_id = COALESCE($2, shop_id)
            AND (state IN ('shipped', 'delivered') OR partly_shipped AND state = 'confirmed')
        RETURNING id, updated_at, shop_id, state, delivery, release_at,
            COALESCE((SELECT x.collected_minor FROM orders x WHERE x.id = orders.paid_order_id), collected_minor) AS collected_minor";
    COUNT = "SELECT COUNT(*) AS value FROM returns WHERE order_id = $1";
    // Only what was shipped comes back, and once.
    TAKE = "UPDATE order_lines SET returned = returned + given.column3 FROM (VALUES [($1, $2, $3)]) AS given
        WHERE order_lines.order_id = given.column1 AND order_lines.position = given.column2
            AND order_lines.shipped >= order_lines.returned + given.column3
        RETURNING position, quantity, total_minor - discount_minor + added_tax_minor AS paid_minor,
            commission_minor, market_discount_minor, returned AS taken";
    // Customers don't ask again for what was refunded.
    TAKE_UNREFUNDED = "UPDATE order_lines SET returned = returned + given.column3 FROM (VALUES [($1, $2, $3)]) AS given
        WHERE order_lines.order_id = given.column1 AND order_lines.position = given.column2
            AND order_lines.shipped >= order_lines.returned + given.column3
            AND order_lines.quantity >= order_lines.refunded + given.column3
        RETURNING position, quantity, total_minor - discount_minor + added_tax_minor AS paid_minor,
            commission_minor, market_discount_minor, returned AS taken";
    GIVE_BACK = "UPDATE order_lines SET returned = returned - l.quantity FROM return_lines AS l
        WHERE l.return_id = $1 AND order_lines.order_id = $2 AND order_lines.position = l.position";
    FIND = "SELECT state, reason, answer, restocked FROM returns WHERE id = $1 AND order_id = $2";
    LINES = "SELECT position, quantity FROM return_lines WHERE return_id = $1 ORDER BY position";
    ANSWER = "UPDATE returns SET state = $3, answer = $4 WHERE id = $1 AND order_id = $2 AND state = 'requested' AND created_at < $5";
    ANSWERED = "UPDATE returns SET answer = $3 WHERE id = $1 AND order_id = $2 AND state = 'requested' AND created_at < $4";
    WITHDRAW = "UPDATE returns SET state = 'withdrawn' WHERE id = $1 AND order_id = $2 AND state IN ('requested', 'approved')";
    RECEIVE = "UPDATE returns SET state = 'received', restocked = $3, received_at = $4
        WHERE id = $1 AND order_id = $2 AND state = 'approved'";
    REFUNDED = "UPDATE returns SET state = 'refunded', refund_id = $2
        WHERE id = $1 AND state IN ('requested', 'approved', 'received')";
}

insert! {
    struct AddReturn<'a> into returns {
        id: ReturnId,
        order_id: OrderId,
        state: ReturnState,
        reason: ReturnReason,
        note: &'a str,
        created_at: i64;
        restocked = "FALSE",
    }

    struct AddLine into return_lines {
        return_id: ReturnId,
        position: i64,
        quantity: i64,
        wished_variant_id: Option<VariantId>,
    }
}

rows! {
    pub(super) struct Locked {
        pub(super) id: OrderId,
        pub(super) updated_at: i64,
        pub(super) shop_id: ShopId,
        state: OrderState,
        delivery: ShippingMethod,
        collected_minor: i64,
        release_at: Option<i64>,
    }

    pub(super) struct ReturnRow {
        pub(super) state: ReturnState,
        reason: ReturnReason,
        answer: String,
        restocked: bool,
    }

    struct LineRow {
        position: i64,
        quantity: i64,
    }
}

/// A change of the returns of an order.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) number: String,
    /// The shop that the order must belong to; `None` if access was checked otherwise.
    shop: Option<ShopId>,
    pub(super) by: By,
    /// Requests from before this time can be answered.
    before: i64,
    pub(super) clock: Clock,
}

pub(super) fn by_shop(engine: &Engine, caller: &Caller, handle: &str, number: &str) -> Result<Change> {
    let shop = caller.shop(handle, Permission::FulfilOrders)?;
    let by = By { actor: Actor::Shop, user: caller.user_id() };
    let clock = engine.clock.clone();
    Ok(Change { number: number.to_owned(), shop: Some(shop), by, before: i64::MAX, clock })
}

/// Operators decide only on what a shop has left unanswered for too long.
fn by_operator(engine: &Engine, caller: &Caller, number: &str) -> Result<Change> {
    caller.admin(AdminPermission::DecideReturns)?;
    let by = By { actor: Actor::Market, user: caller.user_id() };
    let (before, clock) = (engine.unanswered_since(), engine.clock.clone());
    Ok(Change { number: number.to_owned(), shop: None, by, before, clock })
}

/// For those who may see the purchase.
async fn by_customer(
    engine: &Engine,
    caller: &Caller,
    purchase: &str,
    key: &str,
    number: &str,
) -> Result<Change> {
    super::find(engine, caller, purchase, key).await?;
    // An order's number is the purchase's number and a position.
    if number.rsplit_once('-').map(|(of, _)| of) != Some(purchase) {
        return Err(Error::NotFound);
    }
    let by = By { actor: Actor::Shopper, user: caller.user_id() };
    let clock = engine.clock.clone();
    Ok(Change { number: number.to_owned(), shop: None, by, before: i64::MAX, clock })
}

pub(super) async fn lock_in_tx(tx: &mut Tx, change: &Change) -> TxResult<Locked> {
    let Change { number, shop, clock, .. } = change;
    if let Some(order) = tx.opt(&LOCK, params![number, *shop, clock.now_ms()]).await? {
        return Ok(order);
    }
    moved_in_tx(tx, number, *shop).await
}

pub(super) async fn find_in_tx(tx: &mut Tx, id: ReturnId, order: OrderId) -> TxResult<ReturnRow> {
    let row: Option<ReturnRow> = tx.opt(&FIND, params![id, order]).await?;
    Ok(row.ok_or(Error::NotFound)?)
}

pub(super) async fn lines_in_tx(tx: &mut Tx, id: ReturnId) -> TxResult<Vec<LineQuantity>> {
    let lines: Vec<LineRow> = tx.all(&LINES, params![id]).await?;
    Ok(lines.into_iter().map(|LineRow { position, quantity }| LineQuantity { position, quantity }).collect())
}

/// Writes an entry of the order's timeline and a message about the return.
pub(super) async fn tell_in_tx(
    tx: &mut Tx,
    order: &Locked,
    id: ReturnId,
    change: &Change,
    what: (OrderEventKind, Option<OutboxMessage>),
    data: OrderEventData,
) -> TxResult<()> {
    let data = OrderEventData { return_id: Some(id), ..data };
    timeline::add_in_tx(tx, order.id, what.0, change.by, &data, order.updated_at).await?;
    if let Some(message) = what.1 {
        tx.exec_many(&outbox::WRITE, &[outbox::row(message, id, order.updated_at)]).await?;
    }
    Ok(())
}

async fn add_in_tx(
    tx: &mut Tx,
    order: &Locked,
    state: ReturnState,
    reason: ReturnReason,
    note: &str,
    (part, wishes): (&[LineQuantity], &[ExchangeWish]),
) -> TxResult<ReturnId> {
    let (order_id, created_at) = (order.id, order.updated_at);
    let id: ReturnId = random::id(created_at);
    tx.insert(AddReturn { id, order_id, state, reason, note, created_at }).await?;
    let rows = part.iter().map(|&LineQuantity { position, quantity }| {
        let wish = wishes.iter().find(|wish| wish.position == position);
        AddLine { return_id: id, position, quantity, wished_variant_id: wish.map(|wish| wish.variant_id) }
    });
    tx.insert_all(rows).await?;
    Ok(id)
}

/// Refunds what is returned, and ends the return.
async fn refund_lines_in_tx(
    tx: &mut Tx,
    change: &Change,
    order: &Locked,
    id: ReturnId,
    (lines, shipping): (Vec<LineQuantity>, bool),
) -> TxResult<()> {
    let refund = NewRefund { lines, shipping, ..NewRefund::default() };
    let refund = refund_in_tx(
        tx,
        &change.number,
        order.shop_id,
        change.by,
        &refund,
        RefundOf::Return(id),
        &change.clock,
    )
    .await?;
    match tx.exec(&REFUNDED, params![id, refund]).await? {
        0 => Err(Error::NotFound.into()),
        _ => Ok(()),
    }
}

/// The customer asks to return a part of an order, or reports that it never arrived. Repeating the request with the
/// same `once` changes nothing. For those who may see the purchase.
pub async fn request_return(
    engine: &Engine,
    caller: &Caller,
    (purchase, key): (&str, &str),
    number: &str,
    request: NewReturnRequest,
    once: &str,
) -> Result<ReturnId> {
    let change = by_customer(engine, caller, purchase, key, number).await?;
    let request = request.check().map_err(Error::Invalid)?;
    let body = serde_json::to_string(&request).map_err(|_| Error::Internal)?;
    let once = IdempotencyKey::new(number, "orders::request_return", once, &body);
    let about = ("orders::request_return", change.number.clone());
    let id = engine
        .db
        .write(about, (change, request, once), |tx, (change, request, once)| {
            Box::pin(request_in_tx(tx, change, request, once))
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(id)
}

async fn request_in_tx(
    tx: &mut Tx,
    change: &Change,
    request: &NewReturnRequest,
    once: &IdempotencyKey,
) -> TxResult<ReturnId> {
    if let Claim::Done(id) = idempotency::begin_in_tx::<Return>(tx, once, change.clock.now_ms()).await? {
        return id.parse().map_err(|_| bug("a stored response is not an ID"));
    }
    let order = lock_in_tx(tx, change).await?;
    let returnable = order.release_at.is_some_and(|until| until > change.clock.now_ms());
    let (pickup, by_market) = (!order.delivery.is_carried(), order.collected_minor > 0);
    let allowed = reasons(order.state, returnable, pickup, by_market);
    let count: Option<Scalar<i64>> = tx.opt(&COUNT, params![order.id]).await?;
    if allowed.is_empty() || count.is_some_and(|count| count.0 >= RETURNS_MAX) {
        return Err(Conflict::NotReturnable.into());
    }
    if !allowed.contains(&request.reason) {
        return Err(Error::field("reason", FieldCode::NotAChoice).into());
    }
    take_in_tx(tx, &TAKE_UNREFUNDED, order.id, &request.lines).await?;
    let NewReturnRequest { lines, reason, note, exchange, images } = request;
    exchange_options::check_in_tx(tx, order.id, *reason, exchange).await?;
    let id = add_in_tx(tx, &order, ReturnState::Requested, *reason, note, (lines, exchange)).await?;
    if !images.is_empty() {
        media::show_return_in_tx(tx, id, order.id, images).await?;
    }
    let data = OrderEventData {
        note: note.clone(),
        lines: lines.clone(),
        return_reason: Some(*reason),
        ..OrderEventData::default()
    };
    let what = (OrderEventKind::ReturnRequested, Some(OutboxMessage::OrderReturnRequested));
    tell_in_tx(tx, &order, id, change, what, data).await?;
    idempotency::end_in_tx(tx, once, &id.to_string()).await?;
    Ok(id)
}

/// The customer withdraws a return before the shop has received it. Repeating it changes nothing. For those who may see
/// the purchase.
pub async fn withdraw_return(
    engine: &Engine,
    caller: &Caller,
    (purchase, key): (&str, &str),
    number: &str,
    id: ReturnId,
) -> Result<()> {
    let change = by_customer(engine, caller, purchase, key, number).await?;
    let about = ("orders::withdraw_return", change.number.clone());
    engine
        .db
        .write(about, (change, id), |tx, (change, id)| {
            Box::pin(async move {
                let order = lock_in_tx(tx, change).await?;
                if tx.exec(&WITHDRAW, params![*id, order.id]).await? == 0 {
                    return match find_in_tx(tx, *id, order.id).await?.state {
                        ReturnState::Withdrawn => Ok(()),
                        state => Err(Conflict::ReturnMoved(state).into()),
                    };
                }
                tx.exec(&GIVE_BACK, params![*id, order.id]).await?;
                media::clear_return_in_tx(tx, *id, change.clock.now_ms()).await?;
                let lines = lines_in_tx(tx, *id).await?;
                let data = OrderEventData { lines, ..OrderEventData::default() };
                let what = (OrderEventKind::ReturnWithdrawn, Some(OutboxMessage::OrderReturnWithdrawn));
                tell_in_tx(tx, &order, *id, change, what, data).await
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

/// The shop approves a request: it expects the items back, or refunds at once. Repeating it changes nothing.
pub async fn approve_return(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    id: ReturnId,
    approval: ReturnApproval,
) -> Result<()> {
    let change = by_shop(engine, caller, handle, number)?;
    answer(engine, change, id, Ok(approval)).await
}

/// The shop rejects a request. Repeating it with the same reason changes nothing.
pub async fn reject_return(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    id: ReturnId,
    why: &str,
) -> Result<()> {
    let change = by_shop(engine, caller, handle, number)?;
    let why = reason(why).map_err(|fault| Error::Invalid(vec![fault]))?;
    answer(engine, change, id, Err(why)).await
}

/// An operator approves a request that the shop has left unanswered for too long.
pub async fn approve_as_operator(
    engine: &Engine,
    caller: &Caller,
    number: &str,
    id: ReturnId,
    approval: ReturnApproval,
) -> Result<()> {
    let change = by_operator(engine, caller, number)?;
    answer(engine, change, id, Ok(approval)).await
}

/// An operator rejects a request that the shop has left unanswered for too long.
pub async fn reject_as_operator(
    engine: &Engine,
    caller: &Caller,
    number: &str,
    id: ReturnId,
    why: &str,
) -> Result<()> {
    let change = by_operator(engine, caller, number)?;
    let why = reason(why).map_err(|fault| Error::Invalid(vec![fault]))?;
    answer(engine, change, id, Err(why)).await
}

/// The approval of a request, or the reason why it is rejected.
type Answer = std::result::Result<ReturnApproval, String>;

async fn answer(engine: &Engine, change: Change, id: ReturnId, answer: Answer) -> Result<()> {
    let about = ("orders::answer_return", change.number.clone());
    engine
        .db
        .write(about, (change, id, answer), |tx, (change, id, answer)| {
            Box::pin(answer_in_tx(tx, change, *id, answer))
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

async fn answer_in_tx(tx: &mut Tx, change: &Change, id: ReturnId, answer: &Answer) -> TxResult<()> {
    let order = lock_in_tx(tx, change).await?;
    let row = find_in_tx(tx, id, order.id).await?;
    let (to, note, approval) = match answer {
        Err(why) => (ReturnState::Rejected, why.clone(), None),
        Ok(approval) => {
            let approval = approval.clone().check(row.reason).map_err(|fault| Error::Invalid(vec![fault]))?;
            let to = if approval.refund_now { ReturnState::Refunded } else { ReturnState::Approved };
            (to, approval.note.clone(), Some(approval))
        }
    };
    if (row.state, &row.answer) == (to, &note) {
        return Ok(());
    }
    // The row can't have changed since it was read, because the order is locked; the statements are guarded all the same.
    let answered = match to {
        ReturnState::Refunded => tx.exec(&ANSWERED, params![id, order.id, &note, change.before]).await?,
        _ => tx.exec(&ANSWER, params![id, order.id, to, &note, change.before]).await?,
    };
    if answered == 0 {
        return Err(Conflict::ReturnMoved(row.state).into());
    }
    let lines = lines_in_tx(tx, id).await?;
    let data = OrderEventData { note: note.clone(), lines: lines.clone(), ..OrderEventData::default() };
    let (action, what) = match to {
        ReturnState::Rejected => {
            tx.exec(&GIVE_BACK, params![id, order.id]).await?;
            let message = OutboxMessage::OrderReturnRejected;
            ("orders::reject_return", (OrderEventKind::ReturnRejected, Some(message)))
        }
        // The email about the refund says so.
        ReturnState::Refunded => ("orders::approve_return", (OrderEventKind::ReturnApproved, None)),
        _ => {
            let message = OutboxMessage::OrderReturnApproved;
            ("orders::approve_return", (OrderEventKind::ReturnApproved, Some(message)))
        }
    };
    tell_in_tx(tx, &order, id, change, what, data).await?;
    if change.by.actor == Actor::Market {
        audit::write(tx, change.by.user, action, order.id, &note, order.updated_at).await?;
    }
    match approval.filter(|approval| approval.refund_now) {
        Some(approval) => refund_lines_in_tx(tx, change, &order, id, (lines, approval.shipping)).await,
        None => Ok(()),
    }
}

/// The shop expects a part of a shipped order back, without having been asked here.
pub async fn open_return(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    part: &[LineQuantity],
    why: &str,
) -> Result<ReturnId> {
    let change = by_shop(engine, caller, handle, number)?;
    lines(part).map_err(Error::Invalid)?;
    let why = reason(why).map_err(|fault| Error::Invalid(vec![fault]))?;
    let about = ("orders::open_return", change.number.clone());
    let input = (change, part.to_vec(), why);
    let id = engine
        .db
        .write(about, input, |tx, (change, part, why)| {
            Box::pin(async move {
                let order = lock_in_tx(tx, change).await?;
                take_in_tx(tx, &TAKE, order.id, part).await?;
                let (state, other) = (ReturnState::Approved, ReturnReason::Other);
                let id = add_in_tx(tx, &order, state, other, why, (part, &[])).await?;
                let data = OrderEventData {
                    note: why.clone(),
                    lines: part.clone(),
                    return_id: Some(id),
                    ..OrderEventData::default()
                };
                let now = order.updated_at;
                timeline::add_in_tx(tx, order.id, OrderEventKind::ReturnOpened, change.by, &data, now)
                    .await?;
                let message = outbox::row(OutboxMessage::OrderReturnOpened, order.id, now);
                tx.exec_many(&outbox::WRITE, &[message]).await?;
                Ok(id)
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(id)
}

/// The shop received a return; it may return its items to stock, and refund them in the same step. Repeating it changes
/// nothing. The first decision about the stock stands, because some of it may have been sold since: another one is refused.
pub async fn receive_return(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    id: ReturnId,
    receipt: ReturnReceipt,
) -> Result<()> {
    let change = by_shop(engine, caller, handle, number)?;
    if receipt.shipping && !receipt.refund {
        return Err(Error::field("shipping", FieldCode::NotAChoice));
    }
    let about = ("orders::receive_return", change.number.clone());
    engine
        .db
        .write(about, (change, id, receipt), |tx, (change, id, receipt)| {
            Box::pin(receive_in_tx(tx, change, *id, *receipt))
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

async fn receive_in_tx(tx: &mut Tx, change: &Change, id: ReturnId, receipt: ReturnReceipt) -> TxResult<()> {
    let ReturnReceipt { restock, refund, shipping } = receipt;
    let order = lock_in_tx(tx, change).await?;
    let now = order.updated_at;
    if tx.exec(&RECEIVE, params![id, order.id, restock, now]).await? == 0 {
        let row = find_in_tx(tx, id, order.id).await?;
        let same = row.restocked == restock;
        return match row.state {
            ReturnState::Received if same && !refund => Ok(()),
            ReturnState::Received if same => {
                let lines = lines_in_tx(tx, id).await?;
                refund_lines_in_tx(tx, change, &order, id, (lines, shipping)).await
            }
            ReturnState::Refunded if same && refund => Ok(()),
            ReturnState::Received => Err(Conflict::ReturnReceived.into()),
            state => Err(Conflict::ReturnMoved(state).into()),
        };
    }
    let lines = lines_in_tx(tx, id).await?;
    let data = OrderEventData { lines: lines.clone(), return_id: Some(id), ..OrderEventData::default() };
    timeline::add_in_tx(tx, order.id, OrderEventKind::ReturnReceived, change.by, &data, now).await?;
    let message = outbox::row(OutboxMessage::OrderReturnReceived, order.id, now);
    tx.exec_many(&outbox::WRITE, &[message]).await?;
    if refund {
        refund_lines_in_tx(tx, change, &order, id, (lines.clone(), shipping)).await?;
    }
    if restock {
        // Last, because other transactions wait for these rows.
        holds::return_part_in_tx(tx, order.id, &lines, id, now).await?;
    }
    Ok(())
}

/// The shop refunds a return: one that it received, or one that it no longer expects back. Repeating it changes nothing.
pub async fn refund_return(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    id: ReturnId,
    shipping: bool,
) -> Result<()> {
    let change = by_shop(engine, caller, handle, number)?;
    let about = ("orders::refund_return", change.number.clone());
    engine
        .db
        .write(about, (change, id, shipping), |tx, (change, id, shipping)| {
            Box::pin(async move {
                let order = lock_in_tx(tx, change).await?;
                match find_in_tx(tx, *id, order.id).await?.state {
                    ReturnState::Refunded => Ok(()),
                    ReturnState::Approved | ReturnState::Received => {
                        let lines = lines_in_tx(tx, *id).await?;
                        refund_lines_in_tx(tx, change, &order, *id, (lines, *shipping)).await
                    }
                    state => Err(Conflict::ReturnMoved(state).into()),
                }
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}
