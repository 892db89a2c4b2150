//! Disputes (chargebacks): reported by gateways, which take the money until they are decided, and posted so that books and
//! gateway agree. A dispute is always read from its gateway, so reports may be repeated, late or out of order.

use super::gateway::{DisputeStatus, GatewayDispute};
use crate::{
    Engine, TxResult, bug,
    bus::Topic,
    db::{Scalar, Tx, Value},
    insert, ledger,
    orders::disputed_in_tx,
    outbox::{self, OutboxMessage},
    params, random, rows, statements,
};
use haat_shared::{
    Currency, Money,
    disputes::{Disputable, DisputeState, DisputedPart, allocate},
    id::kinds::*,
    ledger::{
        Earnings, Posting, chargeback, commission_reversed, dispute_fee, dispute_fee_returned, dispute_held,
        dispute_loss, dispute_opened, dispute_released, dispute_won, promotion_reversed,
    },
    orders::OrderEventKind,
};

/// How often an undecided dispute is read from its gateway, in case webhooks were lost.
const CHECK_MS: i64 = 6 * 3_600_000;

statements! {
    // Locks the dispute for the rest of the transaction.
    LOCK = "UPDATE disputes SET reason = $3, evidence_due_at = $4, check_at = CASE WHEN closed_at IS NULL THEN CAST($5 AS BIGINT) END
        WHERE gateway_ref = $1 AND gateway = $2 RETURNING id, payment_id, state, currency, amount_minor, fee_minor, fee_returned,
            unallocated_minor";
    // What a gateway takes back because of a dispute is not reported as another one.
    TAKEN_BACK = "SELECT id AS value FROM disputes WHERE payment_id = $1 AND gateway_ref <> $2 AND state IN ('open', 'lost') LIMIT 1";
    PURCHASE = "SELECT p.purchase_id, (SELECT CAST(COALESCE(SUM(g.amount_minor), 0) AS BIGINT) FROM checkout_gifts g
            JOIN gift_cards k ON k.gift_id = g.id WHERE g.checkout_id = p.checkout_id AND k.refunded_at IS NULL) AS gifts_minor
        FROM payments p WHERE p.id = $1";
    // In the order in which all transactions lock them. Nothing is left of cancelled orders.
    LOCK_ORDERS = "UPDATE orders SET updated_at = CASE WHEN updated_at < $2 THEN $2 ELSE updated_at + 1 END
        WHERE purchase_id = $1 AND state <> 'cancelled' AND collected_minor > refunded_minor + disputed_minor RETURNING id AS value";
    ORDERS = "SELECT o.id, o.shop_id, o.updated_at, o.released_at, o.collected_minor - o.refunded_minor - o.disputed_minor AS left_minor,
            CAST(o.commission_minor - o.disputed_commission_minor - COALESCE(SUM(r.commission_minor), 0) AS BIGINT) AS commission_minor,
            CAST(o.market_discount_minor - o.disputed_discount_minor - COALESCE(SUM(r.market_discount_minor), 0) AS BIGINT)
                AS market_discount_minor
        FROM orders o LEFT JOIN refunds r ON r.order_id = o.id
        WHERE o.purchase_id = $1 AND o.state <> 'cancelled' AND o.collected_minor > o.refunded_minor + o.disputed_minor
        GROUP BY o.id, o.number, o.shop_id, o.updated_at, o.released_at, o.collected_minor, o.refunded_minor, o.disputed_minor,
            o.commission_minor, o.disputed_commission_minor, o.market_discount_minor, o.disputed_discount_minor
        ORDER BY o.number";
    LEFT = "UPDATE payments SET updated_at = $2 WHERE id = $1
        RETURNING captured_minor - refunded_minor - refund_pending_minor - disputed_minor AS value";
    TAKE = "UPDATE payments SET disputed_minor = disputed_minor + $2 WHERE id = $1
        AND refunded_minor + refund_pending_minor + disputed_minor + $2 <= captured_minor";
    GIVE_BACK = "UPDATE payments SET disputed_minor = disputed_minor - $2, updated_at = $3 WHERE id = $1 AND disputed_minor >= $2";
    TAKE_ORDERS = "UPDATE orders SET disputed_minor = disputed_minor + given.column2,
            disputed_commission_minor = disputed_commission_minor + given.column3,
            disputed_discount_minor = disputed_discount_minor + given.column4, open_disputes = open_disputes + 1
        FROM (VALUES [($1, $2, $3, $4)]) AS given WHERE orders.id = given.column1
            AND orders.refunded_minor + orders.disputed_minor + given.column2 <= orders.collected_minor";
    OPENED = "UPDATE disputes SET state = 'open', unallocated_minor = $2 WHERE id = $1 AND state = 'inquiry'";
    CLOSED = "UPDATE disputes SET state = $2, closed_at = $3, check_at = NULL WHERE id = $1 AND state IN ('inquiry', 'open')";
    // Won: the orders' parts are theirs again. Lost: the money is gone, and the parts stay disputed.
    CLOSE_ORDERS = "UPDATE orders SET open_disputes = open_disputes - 1,
            updated_at = CASE WHEN updated_at < $3 THEN $3 ELSE updated_at + 1 END,
            disputed_minor = disputed_minor - CASE WHEN $2 = 'won' THEN d.amount_minor ELSE 0 END,
            disputed_commission_minor = disputed_commission_minor - CASE WHEN $2 = 'won' THEN d.commission_minor ELSE 0 END,
            disputed_discount_minor = disputed_discount_minor - CASE WHEN $2 = 'won' THEN d.market_discount_minor ELSE 0 END
        FROM dispute_orders AS d WHERE d.dispute_id = $1 AND orders.id = d.order_id AND orders.open_disputes > 0";
    PARTS = "SELECT o.id, o.shop_id, o.updated_at, o.released_at, d.id AS part_id, d.amount_minor, d.commission_minor,
            d.market_discount_minor
        FROM dispute_orders d JOIN orders o ON o.id = d.order_id WHERE d.dispute_id = $1 ORDER BY d.id";
    CHARGED = "UPDATE disputes SET fee_minor = $2 WHERE id = $1";
    RETURNED = "UPDATE disputes SET fee_returned = TRUE WHERE id = $1";
    CLAIM_DUE = "UPDATE disputes SET check_at = $1 + $2 WHERE check_at <= $1
            AND id IN (SELECT id FROM disputes WHERE check_at <= $1 ORDER BY check_at LIMIT $3)
        RETURNING gateway, gateway_ref";
}

insert! {
    struct AddDispute<'a> into disputes {
        id: DisputeId,
        payment_id: PaymentId,
        gateway: &'a str,
        gateway_ref: &'a str,
        reason: &'a str,
        currency: Currency,
        amount_minor: i64,
        opened_at: i64;
        state = "'inquiry'",
        unallocated_minor = "0",
        fee_minor = "0",
        fee_returned = "FALSE",
    } "ON CONFLICT (gateway_ref, gateway) DO NOTHING"

    struct AddPart into dispute_orders {
        id: DisputedOrderId,
        dispute_id: DisputeId,
        order_id: OrderId,
        amount_minor: i64,
        commission_minor: i64,
        market_discount_minor: i64,
    }
}

rows! {
    struct DisputeRow {
        id: DisputeId,
        payment_id: PaymentId,
        state: DisputeState,
        currency: Currency,
        amount_minor: i64,
        fee_minor: i64,
        fee_returned: bool,
        unallocated_minor: i64,
    }

    struct PaidRow {
        purchase_id: Option<PurchaseId>,
        gifts_minor: i64,
    }

    struct OrderRow {
        id: OrderId,
        shop_id: ShopId,
        updated_at: i64,
        released_at: Option<i64>,
        left_minor: i64,
        commission_minor: i64,
        market_discount_minor: i64,
    }

    struct PartRow {
        id: OrderId,
        shop_id: ShopId,
        updated_at: i64,
        released_at: Option<i64>,
        part_id: DisputedOrderId,
        amount_minor: i64,
        commission_minor: i64,
        market_discount_minor: i64,
    }

    struct DueRow {
        gateway: String,
        gateway_ref: String,
    }
}

/// Brings a dispute of a payment to what its gateway reports.
pub(super) async fn apply(
    engine: &Engine,
    (payment, gateway): (PaymentId, &str),
    gateway_ref: &str,
    found: GatewayDispute,
) -> TxResult<()> {
    let of = (payment, gateway.to_owned(), gateway_ref.to_owned());
    engine
        .db
        .write(("payments::dispute", payment), (of, found, engine.clock.now_ms()), |tx, (of, found, now)| {
            Box::pin(apply_in_tx(tx, of, found, *now))
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

/// The undecided disputes that are due to be read again: gateways, and their IDs of them.
pub(super) async fn claim_due(engine: &Engine) -> TxResult<Vec<(String, String)>> {
    const BATCH: i64 = 16;
    let due: Vec<DueRow> = engine
        .db
        .write("payments::claim_due_disputes", engine.clock.now_ms(), |tx, now| {
            Box::pin(async move { Ok(tx.all(&CLAIM_DUE, params![*now, CHECK_MS, BATCH]).await?) })
        })
        .await?;
    Ok(due.into_iter().map(|due| (due.gateway, due.gateway_ref)).collect())
}

/// Brings a dispute to the status that its gateway reports.
async fn apply_in_tx(
    tx: &mut Tx,
    (payment, gateway, gateway_ref): &(PaymentId, String, String),
    found: &GatewayDispute,
    now: i64,
) -> TxResult<()> {
    if found.reversal {
        let because: Option<Scalar<DisputeId>> = tx.opt(&TAKEN_BACK, params![*payment, gateway_ref]).await?;
        if because.is_some() {
            return Ok(());
        }
    }
    let dispute = AddDispute {
        id: random::id(now),
        payment_id: *payment,
        gateway,
        gateway_ref,
        reason: &found.reason,
        currency: found.amount.currency(),
        amount_minor: found.amount.amount(),
        opened_at: found.opened_ms.unwrap_or(now),
    };
    tx.insert(dispute).await?;
    let row = params![gateway_ref, gateway, &found.reason, found.evidence_due_ms, now + CHECK_MS];
    let mut row: DisputeRow =
        tx.opt(&LOCK, row).await?.ok_or_else(|| bug("a dispute that was just stored"))?;
    if row.payment_id != *payment {
        return Err(bug(format!("dispute {} of another payment", row.id)));
    }
    if row.amount_minor != found.amount.amount() {
        tracing::error!(dispute.id = %row.id, amount = %found.amount, "the amount of a dispute changed: book the difference by hand");
    }
    if row.state == DisputeState::Inquiry && matches!(found.status, DisputeStatus::Open | DisputeStatus::Lost)
    {
        row.unallocated_minor = open_in_tx(tx, &row, now).await?;
        row.state = DisputeState::Open;
    }
    let decided = match found.status {
        DisputeStatus::Won => Some(DisputeState::Won),
        DisputeStatus::Lost => Some(DisputeState::Lost),
        DisputeStatus::Inquiry | DisputeStatus::Open => None,
    };
    match decided {
        Some(decided) if row.state.is_open() => close_in_tx(tx, &row, decided, now).await?,
        Some(decided) if decided != row.state => {
            tracing::error!(dispute.id = %row.id, status = ?found.status, "a dispute was decided anew: book it by hand");
            return Ok(());
        }
        // Read before the report of the decision.
        None if !row.state.is_open() => return Ok(()),
        _ => {}
    }
    fee_in_tx(tx, &row, found, now).await
}

/// The gateway has taken the money: the shops' shares are held. Returns what no order bears.
async fn open_in_tx(tx: &mut Tx, dispute: &DisputeRow, now: i64) -> TxResult<i64> {
    let amount = Money::new(dispute.amount_minor, dispute.currency);
    let money = |minor| Money::new(minor, dispute.currency);
    let paid: Option<PaidRow> = tx.opt(&PURCHASE, params![dispute.payment_id]).await?;
    let mut orders: Vec<OrderRow> = Vec::new();
    let gifts_minor = paid.as_ref().map_or(0, |paid| paid.gifts_minor);
    if let Some(purchase) = paid.and_then(|paid| paid.purchase_id) {
        let locked: Vec<Scalar<OrderId>> = tx.all(&LOCK_ORDERS, params![purchase, now]).await?;
        if !locked.is_empty() {
            orders = tx.all(&ORDERS, params![purchase]).await?;
        }
    }
    let left: Option<Scalar<i64>> = tx.opt(&LEFT, params![dispute.payment_id, now]).await?;
    let bearable = money(dispute.amount_minor.min(left.map_or(0, |left| left.0)).max(0));
    // The marketplace bears the share of the gift cards that it sold.
    let gifts = Disputable { amount: money(gifts_minor), commission: money(0), market_discount: money(0) };
    let disputable: Vec<Disputable> = orders
        .iter()
        .map(|order| Disputable {
            amount: money(order.left_minor),
            commission: money(order.commission_minor),
            market_discount: money(order.market_discount_minor),
        })
        .chain((gifts_minor > 0).then_some(gifts))
        .collect();
    let mut parts = allocate(bearable, &disputable)?;
    parts.truncate(orders.len());
    let allocated: i64 = parts.iter().map(|part| part.amount.amount()).sum();
    let unallocated = dispute.amount_minor - allocated;
    if tx.exec(&OPENED, params![dispute.id, unallocated]).await? == 0 {
        return Err(bug("a dispute was opened twice"));
    }
    if allocated > 0 && tx.exec(&TAKE, params![dispute.payment_id, allocated]).await? == 0 {
        return Err(bug("more would be disputed than was captured"));
    }
    ledger::post(tx, &[(dispute_opened(amount)?, dispute.id)], now).await?;
    let parts: Vec<(&OrderRow, DisputedPart)> =
        orders.iter().zip(parts).filter(|(_, part)| part.amount.amount() > 0).collect();
    let taken: Vec<[Value; 4]> = parts
        .iter()
        .map(|(order, part)| {
            let [amount, commission, discount] =
                [part.amount, part.commission, part.market_discount].map(|minor| minor.amount().into());
            [order.id.into(), amount, commission, discount]
        })
        .collect();
    if tx.exec_many(&TAKE_ORDERS, &taken).await? as usize != parts.len() {
        return Err(bug("more would be disputed than an order cost"));
    }
    let (mut rows, mut held, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    for (order, part) in &parts {
        let id: DisputedOrderId = random::id(now);
        rows.push(AddPart {
            id,
            dispute_id: dispute.id,
            order_id: order.id,
            amount_minor: part.amount.amount(),
            commission_minor: part.commission.amount(),
            market_discount_minor: part.market_discount.amount(),
        });
        held.push((
            dispute_held(order.shop_id, part.earned()?, earnings(order.released_at))?,
            (id, order.id),
        ));
        messages.push(outbox::row(OutboxMessage::OrderDisputed, order.id, now));
    }
    tx.insert_all(rows).await?;
    ledger::post(tx, &held, now).await?;
    for (order, part) in &parts {
        disputed_in_tx(tx, order.id, OrderEventKind::Disputed, part.amount, order.updated_at).await?;
    }
    tx.exec_many(&outbox::WRITE, &messages).await?;
    Ok(unallocated)
}

/// The dispute was decided: what was held is released, and taken back if it was lost.
async fn close_in_tx(tx: &mut Tx, dispute: &DisputeRow, decided: DisputeState, now: i64) -> TxResult<()> {
    let money = |minor| Money::new(minor, dispute.currency);
    if tx.exec(&CLOSED, params![dispute.id, decided, now]).await? == 0 {
        return Err(bug("a dispute was decided twice"));
    }
    if dispute.state == DisputeState::Inquiry {
        // No money was taken.
        return Ok(());
    }
    let lost = decided == DisputeState::Lost;
    tx.exec(&CLOSE_ORDERS, params![dispute.id, decided, now]).await?;
    let orders: Vec<PartRow> = tx.all(&PARTS, params![dispute.id]).await?;
    let allocated = dispute.amount_minor - dispute.unallocated_minor;
    if !lost && allocated > 0 && tx.exec(&GIVE_BACK, params![dispute.payment_id, allocated, now]).await? == 0
    {
        return Err(bug("more would be given back than was disputed"));
    }
    let (message, kind) = match lost {
        false => (OutboxMessage::OrderDisputeWon, OrderEventKind::DisputeWon),
        true => (OutboxMessage::OrderDisputeLost, OrderEventKind::DisputeLost),
    };
    let (mut postings, mut messages): (Vec<(Posting, (DisputedOrderId, OrderId))>, Vec<_>) =
        Default::default();
    for order in &orders {
        let part = DisputedPart {
            amount: money(order.amount_minor),
            commission: money(order.commission_minor),
            market_discount: money(order.market_discount_minor),
        };
        let (shop, earnings) = (order.shop_id, earnings(order.released_at));
        let mut steps = vec![dispute_released(shop, part.earned()?, earnings)?];
        if lost {
            steps.push(chargeback(shop, part.amount, earnings)?);
            steps.push(commission_reversed(shop, part.commission, earnings)?);
            steps.push(promotion_reversed(shop, part.market_discount, earnings, true)?);
        }
        postings.extend(steps.into_iter().map(|posting| (posting, (order.part_id, order.id))));
        messages.push(outbox::row(message, order.id, now));
    }
    let unallocated = money(dispute.unallocated_minor);
    let whole = match lost {
        false => dispute_won(money(dispute.amount_minor))?,
        true => dispute_loss(unallocated)?,
    };
    ledger::post(tx, &[(whole, dispute.id)], now).await?;
    ledger::post(tx, &postings, now).await?;
    for order in &orders {
        disputed_in_tx(tx, order.id, kind, money(order.amount_minor), order.updated_at).await?;
    }
    tx.exec_many(&outbox::WRITE, &messages).await?;
    Ok(())
}

/// Posts the gateway's fee for a dispute once it is known, and that it was given back when the dispute was won.
async fn fee_in_tx(tx: &mut Tx, dispute: &DisputeRow, found: &GatewayDispute, now: i64) -> TxResult<()> {
    let Some(fee) = found.fee.filter(|fee| fee.currency() == dispute.currency) else { return Ok(()) };
    let posting = match (fee.amount(), dispute.fee_minor) {
        (1.., 0) => {
            tx.exec(&CHARGED, params![dispute.id, fee.amount()]).await?;
            dispute_fee(fee)?
        }
        (0, 1..) if !dispute.fee_returned => {
            tx.exec(&RETURNED, params![dispute.id]).await?;
            dispute_fee_returned(Money::new(dispute.fee_minor, dispute.currency))?
        }
        _ => return Ok(()),
    };
    ledger::post(tx, &[(posting, dispute.id)], now).await
}

fn earnings(released_at: Option<i64>) -> Earnings {
    if released_at.is_some() { Earnings::Released } else { Earnings::Pending }
}

/// The ID of what a posting is about.
impl From<DisputeId> for ledger::Reference {
    fn from(dispute: DisputeId) -> Self {
        Self::new(dispute.uuid(), None)
    }
}

impl From<(DisputedOrderId, OrderId)> for ledger::Reference {
    fn from((part, order): (DisputedOrderId, OrderId)) -> Self {
        Self::new(part.uuid(), Some(order))
    }
}
