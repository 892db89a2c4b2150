//! Refunds: queued in the transaction that decides on them, carried out by a job, and posted to the ledger
//! once they are done. A gateway may take days: then a webhook or reconciliation reports the outcome.

use tracing::Instrument;

use super::gateway::{self, RefundRequest, RefundStatus};
use crate::{
    Caller, Engine, TxResult, audit, bug,
    bus::Topic,
    db::{Scalar, Tx, Value},
    gift_cards, insert, ledger,
    outbox::{self, OutboxMessage},
    params, random, rows, statements,
};
use haat_shared::{
    Conflict, Currency, Error, Money, Result,
    id::kinds::{CheckoutId, OrderId, PaymentId, PurchaseId, RefundId},
    ledger::{capture, gift_card_returned, refund as refunded, refund_failed, refund_paid_otherwise},
    orders::{NOTE_MAX, RefundReason},
    payments::{CollectedBy, MethodDeclaration, PaymentMethod},
    permissions::AdminPermission,
    text,
};

/// How long after a request, or after the previous check, a pending refund is checked; the n-th time, after n
/// times as long.
const CHECK_MS: i64 = 60_000;
/// What payments by gift card have in place of a gateway.
pub(super) const GIFT_CARD: &str = PaymentMethod::GiftCard.declared().gateway;

statements! {
    LEFT = "UPDATE payments SET updated_at = $2 WHERE purchase_id = $1 AND captured_minor > 0
        RETURNING id, gift_card_id IS NOT NULL AS by_card, captured_minor - refunded_minor - refund_pending_minor - disputed_minor AS left_minor";
    RESERVE = "UPDATE payments SET refund_pending_minor = refund_pending_minor + given.column2
        FROM (VALUES [($1, $2)]) AS given WHERE payments.id = given.column1
            AND refunded_minor + refund_pending_minor + disputed_minor + given.column2 <= captured_minor";
    FIND = "SELECT r.id, r.payment_id, r.order_id, r.gateway_ref AS refund_ref, r.state, r.amount_minor, p.currency, p.gateway, p.gateway_ref
        FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.id = $1 AND r.state IN ('queued', 'pending', 'done')";
    REPORTED = "SELECT r.id AS value FROM refunds r JOIN payments p ON p.id = r.payment_id
        WHERE (r.id = $1 OR r.gateway_ref = $2) AND p.gateway = $3";
    PENDING = "UPDATE refunds SET state = 'pending', gateway_ref = $2, check_at = COALESCE(check_at, $3)
        WHERE id = $1 AND state IN ('queued', 'pending')";
    FAILED = "UPDATE refunds SET state = 'queued', check_at = NULL WHERE id = $1 AND state = 'pending'";
    DONE = "UPDATE refunds SET state = 'done', gateway_ref = $2, check_at = NULL, done_at = $3
        WHERE id = $1 AND state IN ('queued', 'pending')";
    CAME_BACK = "UPDATE refunds SET state = 'failed', done_at = NULL WHERE id = $1 AND state = 'done'";
    OWED_AGAIN = "UPDATE payments SET refunded_minor = refunded_minor - $2, refund_pending_minor = refund_pending_minor + $2,
            state = CASE WHEN state <> 'refunded' THEN state WHEN purchase_id IS NULL THEN 'orphaned' ELSE 'captured' END,
            updated_at = $3
        WHERE id = $1 AND refunded_minor >= $2";
    REPLACED = "UPDATE refunds SET state = 'replaced' WHERE id = $1 AND state = 'failed'
        RETURNING payment_id, order_id, part_of, amount_minor, reason";
    PAID_OTHERWISE = "UPDATE refunds SET state = 'paid_otherwise', settled_note = $2, done_at = $3 WHERE id = $1 AND state = 'failed'
        RETURNING payment_id, order_id, part_of, amount_minor, reason";
    CURRENCY = "SELECT currency AS value FROM payments WHERE id = $1";
    PAYMENT_OF = "SELECT payment_id AS value FROM refunds WHERE id = $1";
    EXISTS = "SELECT id AS value FROM refunds WHERE id = $1";
    GIVEN_BACK = "UPDATE payments SET refunded_minor = refunded_minor + $2, refund_pending_minor = refund_pending_minor - $2,
            state = CASE WHEN refunded_minor + $2 = captured_minor THEN 'refunded' ELSE state END, updated_at = $3
        WHERE id = $1 AND refund_pending_minor >= $2";
    // What gift cards have paid of a checkout that has no purchase.
    RELEASE = "UPDATE payments SET state = 'orphaned', refund_pending_minor = captured_minor, check_at = NULL, updated_at = $2
        WHERE checkout_id = $1 AND gift_card_id IS NOT NULL AND purchase_id IS NULL AND state = 'captured'
        RETURNING id, currency, captured_minor";
    CLAIM_DUE = "UPDATE refunds SET checks = checks + 1, check_at = $1 + $2 * (checks + 2) WHERE check_at <= $1
            AND id IN (SELECT id FROM refunds WHERE check_at <= $1 ORDER BY check_at LIMIT $3)
        RETURNING id AS value";
}

insert! {
    struct AddRefund into refunds {
        id: RefundId,
        part_of: Option<RefundId>,
        payment_id: PaymentId,
        order_id: Option<OrderId>,
        amount_minor: i64,
        delivery_minor: i64,
        commission_minor: i64,
        market_discount_minor: i64,
        restocked: bool,
        reason: RefundReason,
        note: String,
        created_at: i64;
        state = "'queued'",
        checks = "0",
    }

    /// In place of one that failed, which keeps its lines and postings.
    struct AddRetry into refunds {
        id: RefundId,
        retry_of: RefundId,
        part_of: RefundId,
        payment_id: PaymentId,
        order_id: Option<OrderId>,
        amount_minor: i64,
        reason: RefundReason,
        created_at: i64;
        state = "'queued'",
        checks = "0",
    }

    struct AddStray<'a> into payments {
        id: PaymentId,
        checkout_id: CheckoutId,
        method: PaymentMethod,
        gateway: &'static str,
        gateway_ref: &'a str,
        collected_by: CollectedBy,
        currency: Currency,
        amount_minor: i64,
        captured_minor: i64,
        refund_pending_minor: i64,
        created_at: i64,
        updated_at: i64;
        state = "'orphaned'",
        on_page = "FALSE",
        quote_version = "0",
        refunded_minor = "0",
        fee_minor = "0",
        checks = "0",
    } "ON CONFLICT (gateway, gateway_ref) DO NOTHING"
}

rows! {
    struct Released {
        id: PaymentId,
        currency: Currency,
        captured_minor: i64,
    }

    struct Left {
        id: PaymentId,
        by_card: bool,
        left_minor: i64,
    }

    #[derive(Debug, Clone)]
    struct RefundRow {
        id: RefundId,
        payment_id: PaymentId,
        order_id: Option<OrderId>,
        refund_ref: Option<String>,
        state: String,
        amount_minor: i64,
        currency: Currency,
        gateway: String,
        gateway_ref: Option<String>,
    }

    struct FailedRow {
        payment_id: PaymentId,
        order_id: Option<OrderId>,
        part_of: Option<RefundId>,
        amount_minor: i64,
        reason: RefundReason,
    }
}

/// Queues the refund of a payment whose checkout could not be completed. The caller has reserved the
/// amount.
pub(crate) async fn queue_orphaned_in_tx(
    tx: &mut Tx,
    id: RefundId,
    payment: PaymentId,
    amount: Money,
    now: i64,
) -> TxResult<()> {
    let refund = orphaned(id, payment, amount, now);
    let messages = queue_in_tx(tx, vec![refund], now).await?;
    tx.exec_many(&outbox::WRITE, &messages).await?;
    Ok(())
}

/// Gives back what the cards of a checkout have paid: its payment failed, or it ended. The caller has locked the checkout.
pub(crate) async fn release_cards_in_tx(tx: &mut Tx, id: CheckoutId, now: i64) -> TxResult<()> {
    let released: Vec<Released> = tx.all(&RELEASE, params![id, now]).await?;
    for payment in released {
        let amount = Money::new(payment.captured_minor, payment.currency);
        give_back_in_tx(tx, payment.id, amount, now).await?;
    }
    Ok(())
}

/// Gives a payment by gift card back that bought nothing. The caller has reserved the amount.
async fn give_back_in_tx(tx: &mut Tx, payment: PaymentId, amount: Money, now: i64) -> TxResult<()> {
    let id: RefundId = random::id(now);
    queue_in_tx(tx, vec![orphaned(id, payment, amount, now)], now).await?;
    let row = RefundRow {
        id,
        payment_id: payment,
        order_id: None,
        refund_ref: None,
        state: "queued".into(),
        amount_minor: amount.amount(),
        currency: amount.currency(),
        gateway: GIFT_CARD.into(),
        gateway_ref: None,
    };
    apply_in_tx(tx, &row, amount, &RefundStatus::Done(id.to_string()), now).await
}

fn orphaned(id: RefundId, payment: PaymentId, amount: Money, now: i64) -> AddRefund {
    AddRefund {
        id,
        part_of: None,
        payment_id: payment,
        order_id: None,
        amount_minor: amount.amount(),
        delivery_minor: 0,
        commission_minor: 0,
        market_discount_minor: 0,
        restocked: false,
        reason: RefundReason::Orphaned,
        note: String::new(),
        created_at: now,
    }
}

/// Money that a gateway captured in addition to the requested payment.
#[derive(Debug, Clone)]
pub(super) struct Stray {
    pub(super) checkout: CheckoutId,
    pub(super) method: PaymentMethod,
    pub(super) gateway_ref: String,
    pub(super) amount: Money,
}

/// Records unexpected money, once, and queues its refund.
pub(super) async fn stray(engine: &Engine, stray: Stray) -> TxResult<()> {
    if stray.amount.amount() <= 0 {
        return Ok(());
    }
    let now = engine.clock.now_ms();
    let (payment, refund): (PaymentId, RefundId) = (random::id(now), random::id(now));
    let about = ("payments::stray", payment);
    engine
        .db
        .write(about, (stray, payment, refund, now), |tx, (stray, payment, refund, now)| {
            Box::pin(async move {
                let Stray { checkout, method, gateway_ref, amount } = stray;
                let MethodDeclaration { code, gateway, collected_by } = method.declared();
                let row = AddStray {
                    id: *payment,
                    checkout_id: *checkout,
                    method: code,
                    gateway,
                    gateway_ref,
                    collected_by,
                    currency: amount.currency(),
                    amount_minor: amount.amount(),
                    captured_minor: amount.amount(),
                    refund_pending_minor: amount.amount(),
                    created_at: *now,
                    updated_at: *now,
                };
                if !tx.insert(row).await? {
                    return Ok(());
                }
                ledger::post(tx, &[(capture(*amount)?, *payment)], *now).await?;
                queue_orphaned_in_tx(tx, *refund, *payment, *amount, *now).await
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

/// A refund of an order, or of a part of it.
#[derive(Debug, Clone)]
pub(crate) struct OrderRefund {
    pub(crate) id: RefundId,
    pub(crate) order: OrderId,
    pub(crate) amount: Money,
    /// The part of it that was paid for delivery.
    pub(crate) delivery: Money,
    /// The commission that the shop gets back.
    pub(crate) commission: Money,
    /// The part of the market's discount that the shop gives back.
    pub(crate) market_discount: Money,
    pub(crate) restocked: bool,
    pub(crate) reason: RefundReason,
    pub(crate) note: String,
}

/// Queues a refund of an order, from the payments of its purchase in the order in which they were made: never
/// more than was captured and is not reserved for other refunds. If it takes from several payments, each part
/// is refunded separately; the first one has the refund's ID and all of its data but the amount.
/// Returns the rows of the outbox that execute them, which the caller writes.
pub(crate) async fn reserve_refund_in_tx(
    tx: &mut Tx,
    purchase: PurchaseId,
    refund: OrderRefund,
    now: i64,
) -> TxResult<Vec<[Value; 4]>> {
    let OrderRefund { id, order, amount, delivery, commission, market_discount, restocked, reason, note } =
        refund;
    // Locks the payments, so that what is left of them cannot change.
    let mut payments: Vec<Left> = tx.all(&LEFT, params![purchase, now]).await?;
    // What gift cards paid goes back first.
    payments.sort_by_key(|payment| (!payment.by_card, payment.id));
    let (mut rest, mut refunds) = (amount.amount(), Vec::new());
    for Left { id: payment_id, left_minor, .. } in payments {
        let amount_minor = rest.min(left_minor);
        if amount_minor > 0 {
            rest -= amount_minor;
            let first = refunds.is_empty();
            refunds.push(AddRefund {
                id: if first { id } else { random::id(now) },
                part_of: (!first).then_some(id),
                payment_id,
                order_id: Some(order),
                amount_minor,
                delivery_minor: if first { delivery.amount() } else { 0 },
                commission_minor: if first { commission.amount() } else { 0 },
                market_discount_minor: if first { market_discount.amount() } else { 0 },
                restocked: first && restocked,
                reason,
                note: if first { note.clone() } else { String::new() },
                created_at: now,
            });
        }
    }
    let reserved: Vec<[Value; 2]> =
        refunds.iter().map(|refund| [refund.payment_id.into(), refund.amount_minor.into()]).collect();
    if rest > 0 || tx.exec_many(&RESERVE, &reserved).await? as usize != refunds.len() {
        return Err(bug("more would be refunded than was captured"));
    }
    queue_in_tx(tx, refunds, now).await
}

/// Queues the refund of a bought gift card, from what its purchase was paid with other than gift cards. Returns the rows of the outbox
/// that execute it, which the caller writes.
pub(crate) async fn reserve_gift_refund_in_tx(
    tx: &mut Tx,
    purchase: PurchaseId,
    amount: Money,
    now: i64,
) -> TxResult<Vec<[Value; 4]>> {
    let mut payments: Vec<Left> = tx.all(&LEFT, params![purchase, now]).await?;
    payments.retain(|payment| !payment.by_card);
    payments.sort_by_key(|payment| payment.id);
    let (mut rest, mut refunds) = (amount.amount(), Vec::new());
    for Left { id, left_minor, .. } in payments {
        let part = rest.min(left_minor);
        if part > 0 {
            rest -= part;
            let refund = orphaned(random::id(now), id, Money::new(part, amount.currency()), now);
            refunds.push(AddRefund { reason: RefundReason::GiftCard, ..refund });
        }
    }
    let reserved: Vec<[Value; 2]> =
        refunds.iter().map(|refund| [refund.payment_id.into(), refund.amount_minor.into()]).collect();
    if rest > 0 || tx.exec_many(&RESERVE, &reserved).await? as usize != refunds.len() {
        return Err(bug("more would be refunded than was captured"));
    }
    queue_in_tx(tx, refunds, now).await
}

/// Returns the rows of the outbox that execute them.
async fn queue_in_tx(tx: &mut Tx, refunds: Vec<AddRefund>, now: i64) -> TxResult<Vec<[Value; 4]>> {
    let messages =
        refunds.iter().map(|refund| outbox::row(OutboxMessage::RefundQueued, refund.id, now)).collect();
    tx.insert_all(refunds).await?;
    Ok(messages)
}

/// Executes a queued refund through its gateway. Repeating it refunds once.
pub async fn refund(engine: &Engine, id: RefundId) -> TxResult<()> {
    match advance(engine, id, false).await? {
        Some(why) => Err(bug(format!("refund {id} failed: {why}"))),
        None => Ok(()),
    }
}

/// A gateway reports that one of its refunds changed. Refunds that we did not request are
/// left to an admin.
pub(super) async fn reported(
    engine: &Engine,
    gateway: &str,
    refund_ref: &str,
    id: Option<RefundId>,
) -> TxResult<()> {
    let ours: Option<Scalar<RefundId>> = engine.db.opt(&REPORTED, params![id, refund_ref, gateway]).await?;
    match ours {
        // What was done may have come back, for example from a closed card.
        Some(Scalar(id)) => advance(engine, id, true).await.map(drop),
        None => {
            tracing::warn!(gateway, "a refund that the market did not request");
            Ok(())
        }
    }
}

/// Reconciliation: reads refunds that are pending from their gateways, in case webhooks were lost. Returns
/// the number of refunds read.
pub async fn reconcile_refunds(engine: &Engine) -> TxResult<usize> {
    const BATCH: i64 = 16;
    let due: Vec<Scalar<RefundId>> = engine
        .db
        .write("payments::claim_due_refunds", engine.clock.now_ms(), |tx, now| {
            Box::pin(async move { Ok(tx.all(&CLAIM_DUE, params![*now, CHECK_MS, BATCH]).await?) })
        })
        .await?;
    for Scalar(id) in &due {
        if let Err(error) = advance(engine, *id, false).await {
            tracing::warn!(refund.id = %id, %error, "a pending refund could not be read");
        }
    }
    Ok(due.len())
}

/// Requests a refund from its gateway, or reads its status, and applies it. Returns why it failed, if so. What is done is read
/// only if `again`.
async fn advance(engine: &Engine, id: RefundId, again: bool) -> TxResult<Option<String>> {
    let Some(row) = engine.db.opt::<RefundRow>(&FIND, params![id]).await? else { return Ok(None) };
    let done = row.state == "done";
    if done && (!again || row.refund_ref.is_none()) {
        return Ok(None);
    }
    let payment_ref = row.gateway_ref.clone().ok_or_else(|| bug("a captured payment without a reference"))?;
    let amount = Money::new(row.amount_minor, row.currency);
    let request = RefundRequest { payment_ref, refund: row.id, refund_ref: row.refund_ref.clone(), amount };
    let status = match row.gateway == GIFT_CARD {
        // The transaction below gives it back.
        true => RefundStatus::Done(id.to_string()),
        false => engine
            .gateway(&row.gateway)?
            .refund(&request)
            .instrument(gateway::call(&row.gateway, "refund", row.id))
            .await
            .map_err(|error| bug(format!("refund {id}: {error}")))?,
    };
    let why = match &status {
        RefundStatus::Failed(why) => Some(why.clone()),
        _ => None,
    };
    match (&why, row.state.as_str()) {
        (Some(why), "pending") => tracing::error!(refund.id = %id, error = why, "a pending refund failed"),
        (Some(why), "done") => {
            tracing::error!(refund.id = %id, error = why, "a refund that was done came back")
        }
        _ => {}
    }
    let input = (row, amount, status, engine.clock.now_ms());
    engine
        .db
        .write(("payments::refunded", id), input, |tx, (row, amount, status, now)| {
            Box::pin(apply_in_tx(tx, row, *amount, status, *now))
        })
        .await?;
    Ok(why)
}

async fn apply_in_tx(
    tx: &mut Tx,
    row: &RefundRow,
    amount: Money,
    status: &RefundStatus,
    now: i64,
) -> TxResult<()> {
    match status {
        RefundStatus::Pending(refund_ref) => {
            tx.exec(&PENDING, params![row.id, refund_ref, now + CHECK_MS]).await?;
        }
        // It came back: the money is with the gateway, and still owed. Operators decide how it is paid.
        RefundStatus::Failed(_) if row.state == "done" => {
            if tx.exec(&CAME_BACK, params![row.id]).await? == 0 {
                return Ok(());
            }
            ledger::post(tx, &[(refund_failed(amount)?, (row.id, row.order_id))], now).await?;
            if tx.exec(&OWED_AGAIN, params![row.payment_id, row.amount_minor, now]).await? == 0 {
                return Err(bug("more would be owed again than was refunded"));
            }
        }
        // Its job requests it again. If that fails too, operators see the failed job.
        RefundStatus::Failed(_) => {
            if tx.exec(&FAILED, params![row.id]).await? == 1 {
                tx.exec_many(&outbox::WRITE, &[outbox::row(OutboxMessage::RefundQueued, row.id, now)])
                    .await?;
            }
        }
        RefundStatus::Done(refund_ref) => {
            if tx.exec(&DONE, params![row.id, refund_ref, now]).await? == 0 {
                return Ok(());
            }
            let posting = match row.gateway == GIFT_CARD {
                true => {
                    gift_cards::give_back_in_tx(tx, row.payment_id, row.amount_minor, now).await?;
                    gift_card_returned(amount)?
                }
                false => refunded(amount)?,
            };
            ledger::post(tx, &[(posting, (row.id, row.order_id))], now).await?;
            if tx.exec(&GIVEN_BACK, params![row.payment_id, row.amount_minor, now]).await? == 0 {
                return Err(bug("more would be refunded than was reserved"));
            }
        }
    }
    Ok(())
}

/// Requests a refund again that came back after its gateway had reported it as done.
pub async fn retry_refund(engine: &Engine, caller: &Caller, id: RefundId) -> Result<()> {
    caller.admin(AdminPermission::ManagePayments)?;
    let now = engine.clock.now_ms();
    let retry: RefundId = random::id(now);
    let input = (id, retry, caller.user_id(), now);
    engine
        .db
        .write(("payments::retry_refund", id), input, |tx, (id, retry, user, now)| {
            Box::pin(async move {
                let Some(failed) = tx.opt::<FailedRow>(&REPLACED, params![*id]).await? else {
                    return moved_in_tx(tx, *id).await;
                };
                let FailedRow { payment_id, order_id, part_of, amount_minor, reason } = failed;
                tx.insert(AddRetry {
                    id: *retry,
                    retry_of: *id,
                    part_of: part_of.unwrap_or(*id),
                    payment_id,
                    order_id,
                    amount_minor,
                    reason,
                    created_at: *now,
                })
                .await?;
                audit::write(tx, *user, "payments::retry_refund", payment_id, "", *now).await?;
                tx.exec_many(&outbox::WRITE, &[outbox::row(OutboxMessage::RefundQueued, *retry, *now)])
                    .await?;
                Ok(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

/// Records that a refund that came back was paid in another way: from the market's bank account.
pub async fn settle_refund(engine: &Engine, caller: &Caller, id: RefundId, note: &str) -> Result<()> {
    caller.admin(AdminPermission::ManagePayments)?;
    let note = text::line("note", note, NOTE_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    let input = (id, note, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("payments::settle_refund", id), input, |tx, (id, note, user, now)| {
            Box::pin(async move {
                let Some(failed) = tx.opt::<FailedRow>(&PAID_OTHERWISE, params![*id, note, *now]).await?
                else {
                    return moved_in_tx(tx, *id).await;
                };
                let FailedRow { payment_id, order_id, amount_minor, .. } = failed;
                let currency: Option<Scalar<Currency>> = tx.opt(&CURRENCY, params![payment_id]).await?;
                let currency = currency.ok_or_else(|| bug("a refund without a payment"))?.0;
                let paid = refund_paid_otherwise(Money::new(amount_minor, currency))?;
                ledger::post(tx, &[(paid, (*id, order_id))], *now).await?;
                if tx.exec(&GIVEN_BACK, params![payment_id, amount_minor, *now]).await? == 0 {
                    return Err(bug("more would be paid than was owed"));
                }
                audit::write(tx, *user, "payments::settle_refund", payment_id, note, *now).await
            })
        })
        .await?;
    Ok(())
}

/// The payment of a refund, for admins.
pub async fn payment_of_refund(engine: &Engine, caller: &Caller, id: RefundId) -> Result<PaymentId> {
    caller.admin(AdminPermission::SeePayments)?;
    let found: Option<Scalar<PaymentId>> = engine.db.opt(&PAYMENT_OF, params![id]).await?;
    Ok(found.ok_or(Error::NotFound)?.0)
}

/// Fails because a refund is not one that came back.
async fn moved_in_tx(tx: &mut Tx, id: RefundId) -> TxResult<()> {
    match tx.opt::<Scalar<RefundId>>(&EXISTS, params![id]).await? {
        Some(_) => Err(Conflict::RefundMoved.into()),
        None => Err(Error::NotFound.into()),
    }
}
