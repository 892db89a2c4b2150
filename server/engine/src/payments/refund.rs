//! Refunds: queued in the transaction that decides on them, carried out by a job, and posted to the ledger
//! once they are done.

use tracing::Instrument;

use crate::{
    Engine, TxResult, bug,
    bus::Topic,
    db::Tx,
    insert, ledger,
    outbox::{self, OutboxMessage},
    params, random, rows, statements,
};
use haat_shared::{
    Currency, Money,
    id::kinds::{CheckoutId, OrderId, PaymentId, PurchaseId, RefundId},
    ledger::{orphaned_capture, orphaned_refund, refund as booked},
    orders::RefundReason,
    payments::PaymentMethod,
};

statements! {
    RESERVE = "UPDATE payments SET refund_pending_minor = refund_pending_minor + $2, updated_at = $3
        WHERE purchase_id = $1 AND state = 'captured' AND refunded_minor + refund_pending_minor + $2 <= captured_minor
        RETURNING id AS value";
    FIND = "SELECT r.id, r.payment_id, r.order_id, r.amount_minor, p.currency, p.method, p.gateway_ref
        FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.id = $1 AND r.state = 'queued'";
    DONE = "UPDATE refunds SET state = 'done', done_at = $2 WHERE id = $1 AND state = 'queued'";
    GIVEN_BACK = "UPDATE payments SET refunded_minor = refunded_minor + $2, refund_pending_minor = refund_pending_minor - $2,
            state = CASE WHEN refunded_minor + $2 = captured_minor THEN 'refunded' ELSE state END, updated_at = $3
        WHERE id = $1 AND refund_pending_minor >= $2";
}

insert! {
    struct AddRefund into refunds {
        id: RefundId,
        payment_id: PaymentId,
        order_id: Option<OrderId>,
        amount_minor: i64,
        delivery_minor: i64,
        commission_minor: i64,
        restocked: bool,
        reason: RefundReason,
        note: String,
        created_at: i64;
        state = "'queued'",
    }

    struct AddStray<'a> into payments {
        id: PaymentId,
        checkout_id: CheckoutId,
        method: PaymentMethod,
        gateway_ref: &'a str,
        currency: Currency,
        amount_minor: i64,
        captured_minor: i64,
        refund_pending_minor: i64,
        created_at: i64,
        updated_at: i64;
        state = "'orphaned'",
        refunded_minor = "0",
        next_url = "''",
        checks = "0",
    } "ON CONFLICT (method, gateway_ref) DO NOTHING"
}

rows! {
    #[derive(Debug, Clone)]
    struct RefundRow {
        id: RefundId,
        payment_id: PaymentId,
        order_id: Option<OrderId>,
        amount_minor: i64,
        currency: Currency,
        method: PaymentMethod,
        gateway_ref: Option<String>,
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
    let nothing = Money::zero(amount.currency());
    let refund = OrderRefund {
        id,
        order: None,
        amount,
        delivery: nothing,
        commission: nothing,
        restocked: false,
        reason: RefundReason::Orphaned,
        note: String::new(),
    };
    queue_in_tx(tx, payment, refund, now).await
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
                let row = AddStray {
                    id: *payment,
                    checkout_id: *checkout,
                    method: *method,
                    gateway_ref,
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
                ledger::post(tx, &[(orphaned_capture(*amount)?, *payment)], *now).await?;
                queue_orphaned_in_tx(tx, *refund, *payment, *amount, *now).await
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

/// A refund to queue.
#[derive(Debug, Clone)]
pub(crate) struct OrderRefund {
    pub(crate) id: RefundId,
    /// `None` for money that no order wants.
    pub(crate) order: Option<OrderId>,
    pub(crate) amount: Money,
    /// The part of it that was paid for delivery.
    pub(crate) delivery: Money,
    /// The commission that the shop gets back.
    pub(crate) commission: Money,
    pub(crate) restocked: bool,
    pub(crate) reason: RefundReason,
    pub(crate) note: String,
}

/// Queues a refund of an order: never more than what was captured and is not reserved for other refunds.
pub(crate) async fn reserve_refund_in_tx(
    tx: &mut Tx,
    purchase: PurchaseId,
    refund: OrderRefund,
    now: i64,
) -> TxResult<()> {
    let payment: Option<crate::db::Scalar<PaymentId>> =
        tx.opt(&RESERVE, params![purchase, refund.amount.amount(), now]).await?;
    let payment = payment.ok_or_else(|| bug("more would be refunded than was captured"))?.0;
    queue_in_tx(tx, payment, refund, now).await
}

async fn queue_in_tx(tx: &mut Tx, payment_id: PaymentId, refund: OrderRefund, now: i64) -> TxResult<()> {
    let OrderRefund { id, order, amount, delivery, commission, restocked, reason, note } = refund;
    let row = AddRefund {
        id,
        payment_id,
        order_id: order,
        amount_minor: amount.amount(),
        delivery_minor: delivery.amount(),
        commission_minor: commission.amount(),
        restocked,
        reason,
        note,
        created_at: now,
    };
    tx.insert(row).await?;
    tx.exec_many(&outbox::WRITE, &[outbox::row(OutboxMessage::RefundQueued, id, now)]).await?;
    Ok(())
}

/// Executes a queued refund through its gateway and posts it. Repeating it refunds once.
pub async fn refund(engine: &Engine, id: RefundId) -> TxResult<()> {
    let Some(row) = engine.db.opt::<RefundRow>(&FIND, params![id]).await? else { return Ok(()) };
    let gateway_ref =
        row.gateway_ref.as_deref().ok_or_else(|| bug("a captured payment without a reference"))?;
    let amount = Money::new(row.amount_minor, row.currency);
    engine
        .gateway(row.method)?
        .refund(gateway_ref, row.id, amount)
        .instrument(super::gateway::call(row.method, "refund", row.id))
        .await
        .map_err(|error| bug(format!("refund {id}: {error}")))?;
    engine
        .db
        .write(("payments::refunded", id), (row, amount, engine.clock.now_ms()), |tx, (row, amount, now)| {
            Box::pin(async move {
                if tx.exec(&DONE, params![row.id, *now]).await? == 0 {
                    return Ok(());
                }
                let posting =
                    if row.order_id.is_some() { booked(*amount)? } else { orphaned_refund(*amount)? };
                ledger::post(tx, &[(posting, (row.id, row.order_id))], *now).await?;
                if tx.exec(&GIVEN_BACK, params![row.payment_id, row.amount_minor, *now]).await? == 0 {
                    return Err(bug("more would be refunded than was reserved"));
                }
                Ok(())
            })
        })
        .await
}
