//! Payments as admins see them: found by the gateway's ID, the purchase, the order, the email address or the amount,
//! and followed up when neither webhooks nor reconciliation settled them.

use tracing::Instrument;

use super::{PaymentRow, gateway, refresh, settle};
use crate::{
    Caller, Engine, TxResult, audit, cursor,
    db::{CountRow, Value},
    lists, params, rows, statements,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    addresses::Address,
    admin::{
        DISPUTED, PAYMENT_SORTS, PaidOrder, PaymentAction, PaymentCard, PaymentDetails, PaymentRefund,
        PaymentReport, RefundState,
    },
    amounts,
    checkout::ValidCheckout,
    disputes::{DisputeState, PaymentDispute},
    id::kinds::{DisputeId, Payment, PaymentId, PurchaseId, RefundId, UserId},
    orders::{OrderState, RefundReason},
    page::{self, Counted, ListRequest, Page},
    payments::{CashState, PaymentFailure, PaymentMethod, PaymentState},
    permissions::AdminPermission,
    text,
};

/// The number of rows per page.
const PAGE_SIZE: usize = 50;
/// The maximum length of a search: a gateway's ID.
const SEARCH_MAX: usize = 255;

/// The columns of a [`CardRow`].
macro_rules! card_columns {
    () => {
        "SELECT p.id, p.method, p.gateway, p.gateway_ref, p.paid_ref, p.state, p.cash, COALESCE(p.cash, p.state) AS status, p.failure,
            p.currency, p.amount_minor, p.captured_minor, p.refunded_minor, p.refund_pending_minor, p.fee_minor,
            p.created_at, u.number AS purchase_number, u.email, CASE WHEN u.id IS NULL THEN c.details END AS details,
            EXISTS (SELECT 1 FROM disputes d WHERE d.payment_id = p.id AND d.closed_at IS NULL) AS disputed
        FROM (SELECT x.*, CASE WHEN x.state <> 'accepted' THEN NULL
                WHEN EXISTS (SELECT 1 FROM orders o WHERE o.purchase_id = x.purchase_id AND o.state = 'delivered') THEN
                    CASE WHEN EXISTS (SELECT 1 FROM orders o WHERE o.purchase_id = x.purchase_id
                        AND o.state IN ('placed', 'confirmed', 'shipped')) THEN 'partly_collected' ELSE 'collected' END
                WHEN EXISTS (SELECT 1 FROM orders o WHERE o.purchase_id = x.purchase_id AND o.state <> 'cancelled')
                    THEN 'to_collect' ELSE 'nothing_to_collect' END AS cash FROM payments x) AS p
            LEFT JOIN purchases u ON u.id = p.purchase_id LEFT JOIN checkouts c ON c.id = p.checkout_id"
    };
}

lists! {
    PAYMENTS {
        select: card_columns!(),
        base_filter: "TRUE",
        filters: &[
            ("state", "p.state = {}"),
            ("cash", "p.cash = {}"),
            ("amount", "p.amount_minor = {}"),
            // Each has an index.
            ("word", "p.id IN (WITH asked AS (SELECT CAST({} AS TEXT) AS q)
                SELECT x.id FROM asked a JOIN payments x ON x.gateway_ref = a.q
                UNION SELECT x.id FROM asked a JOIN payments x ON x.paid_ref = a.q
                UNION SELECT x.id FROM asked a JOIN purchases y ON y.number = UPPER(a.q) OR y.email = a.q
                    JOIN payments x ON x.purchase_id = y.id
                UNION SELECT x.id FROM asked a JOIN orders o ON o.number = UPPER(a.q)
                    JOIN payments x ON x.purchase_id = o.purchase_id
                UNION SELECT r.payment_id FROM asked a JOIN refunds r ON r.gateway_ref = a.q
                UNION SELECT d.payment_id FROM asked a JOIN disputes d ON d.gateway_ref = a.q)"),
            ("id", "p.id = {}"),
            ("disputed", "EXISTS (SELECT 1 FROM disputes d WHERE d.payment_id = p.id) = {}"),
        ],
        // The values of `haat_shared::admin::PAYMENT_SORTS`.
        sorts: &[("-created", "p.id < {}", "p.id DESC"), ("created", "p.id > {}", "p.id")],
    }
}

statements! {
    OF_CHECKOUT = concat!(card_columns!(), " WHERE p.checkout_id = $1 ORDER BY p.id");
    OF_PURCHASE = concat!(card_columns!(), " WHERE p.purchase_id = $1 ORDER BY p.id");
    FOLLOWED = "SELECT p.checkout_id, p.updated_at, p.check_at, p.checks, p.failure_note,
            COALESCE(u.address, c.details) AS customer, CASE WHEN u.id IS NULL THEN t.user_id ELSE u.user_id END AS customer_id
        FROM payments p JOIN checkouts c ON c.id = p.checkout_id JOIN carts t ON t.id = c.cart_id
        LEFT JOIN purchases u ON u.id = p.purchase_id WHERE p.id = $1";
    ORDERS = "SELECT o.number, o.shop_name, o.state, o.currency, o.total_minor, o.created_at,
            (SELECT MIN(e.created_at) FROM order_events e WHERE e.order_id = o.id AND e.kind = 'delivered') AS delivered_at,
            (SELECT MIN(e.created_at) FROM order_events e WHERE e.order_id = o.id AND e.kind = 'cancelled') AS cancelled_at
        FROM orders o JOIN payments p ON p.purchase_id = o.purchase_id WHERE p.id = $1 ORDER BY o.number";
    REFUNDS = "SELECT r.id, r.gateway_ref, r.amount_minor, r.state, r.reason, r.settled_note, r.created_at, r.done_at, o.number
        FROM refunds r LEFT JOIN orders o ON o.id = r.order_id WHERE r.payment_id = $1 ORDER BY r.id";
    REPORTS = "SELECT w.kind, w.event_id, w.received_at FROM payments p
            JOIN webhook_events w ON w.gateway = p.gateway AND w.gateway_ref = p.gateway_ref WHERE p.id = $1
        UNION SELECT w.kind, w.event_id, w.received_at FROM payments p JOIN refunds r ON r.payment_id = p.id
            JOIN webhook_events w ON w.gateway = p.gateway AND w.gateway_ref = r.gateway_ref WHERE p.id = $1
        UNION SELECT w.kind, w.event_id, w.received_at FROM disputes d
            JOIN webhook_events w ON w.gateway = d.gateway AND w.gateway_ref = d.gateway_ref WHERE d.payment_id = $1
        ORDER BY received_at, event_id";
    DISPUTES = "SELECT id, gateway_ref, state, currency, amount_minor, fee_minor, fee_returned, unallocated_minor, reason,
            evidence_due_at, opened_at, closed_at
        FROM disputes WHERE payment_id = $1 ORDER BY opened_at, id";
}

rows! {
    struct CardRow {
        id: PaymentId,
        method: PaymentMethod,
        gateway: String,
        gateway_ref: Option<String>,
        paid_ref: Option<String>,
        state: PaymentState,
        cash: Option<String>,
        failure: Option<String>,
        currency: Currency,
        amount_minor: i64,
        captured_minor: i64,
        refunded_minor: i64,
        refund_pending_minor: i64,
        fee_minor: i64,
        created_at: i64,
        purchase_number: Option<String>,
        email: Option<String>,
        details: Option<String>,
        disputed: bool,
    }

    struct FollowedRow {
        checkout_id: haat_shared::id::kinds::CheckoutId,
        updated_at: i64,
        check_at: Option<i64>,
        checks: i64,
        failure_note: String,
        customer: Option<String>,
        customer_id: Option<UserId>,
    }

    struct OrderRow {
        number: String,
        shop_name: String,
        state: OrderState,
        currency: Currency,
        total_minor: i64,
        created_at: i64,
        delivered_at: Option<i64>,
        cancelled_at: Option<i64>,
    }

    struct RefundRow {
        id: RefundId,
        gateway_ref: Option<String>,
        amount_minor: i64,
        state: RefundState,
        reason: RefundReason,
        settled_note: String,
        created_at: i64,
        done_at: Option<i64>,
        number: Option<String>,
    }

    struct DisputeRow {
        id: DisputeId,
        gateway_ref: String,
        state: DisputeState,
        currency: Currency,
        amount_minor: i64,
        fee_minor: i64,
        fee_returned: bool,
        unallocated_minor: i64,
        reason: String,
        evidence_due_at: Option<i64>,
        opened_at: i64,
        closed_at: Option<i64>,
    }

    struct ReportRow {
        kind: String,
        event_id: String,
        received_at: i64,
    }
}

/// All payments in one of [`PAYMENT_SORTS`], with the number in each state among those found. Of cash that shops collect, the
/// state is a [`CashState`].
pub async fn list(engine: &Engine, caller: &Caller, ask: &ListRequest) -> Result<Counted<PaymentCard>> {
    caller.admin(AdminPermission::SeePayments)?;
    let sort = if ask.sort.is_empty() { PAYMENT_SORTS[0] } else { &ask.sort };
    if !PAYMENT_SORTS.contains(&sort) {
        return Err(Error::field("sort", FieldCode::NotAChoice));
    }
    let found = searched(engine, &ask.q)?;
    let (mut disputed, mut filters) = (found.clone(), found.clone());
    disputed.push(("disputed", true.into()));
    match (PaymentState::parse(&ask.state), CashState::parse(&ask.state)) {
        _ if ask.state.is_empty() => {}
        _ if ask.state == DISPUTED => filters.clone_from(&disputed),
        (Some(state), _) => filters.push(("state", state.as_str().into())),
        (_, Some(cash)) => filters.push(("cash", cash.as_str().into())),
        _ => return Err(Error::field("state", FieldCode::NotAChoice)),
    }
    let (after, size) = (cursor::<Payment>(&ask.after)?.map(Value::from), page::rows(ask.limit, PAGE_SIZE));
    // At once: looking up a payment takes as long as the slowest of them, not as all together.
    let (mut counts, of_disputed, rows) = tokio::try_join!(
        engine.db.list(PAYMENTS.count_by("status", found)),
        engine.db.list::<CountRow>(PAYMENTS.count_by("status", disputed)),
        engine.db.list::<CardRow>(PAYMENTS.bind(filters, sort, after, size + 1)),
    )?;
    counts.extend(CountRow::sum(DISPUTED, of_disputed));
    let page = Page::cut(rows, size, |row| row.id.to_string());
    Ok(CountRow::with(counts, page.map(|row| card(engine, caller, row))))
}

/// The filter for a search: our ID of a payment, an amount in the market's currency, or else the gateway's ID of a
/// payment or refund, the number of a purchase or order, or an email address.
fn searched(engine: &Engine, q: &str) -> Result<Vec<(&'static str, Value)>> {
    let q = text::optional_line("q", q, SEARCH_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    if q.is_empty() {
        return Ok(Vec::new());
    }
    if let Ok(id) = q.parse::<PaymentId>() {
        return Ok(vec![("id", id.into())]);
    }
    if let Ok(amount) = amounts::read("q", &q, engine.currency) {
        return Ok(vec![("amount", amount.amount().into())]);
    }
    Ok(vec![("word", q.as_str().into())])
}

fn card(engine: &Engine, caller: &Caller, row: CardRow) -> PaymentCard {
    let money = |amount| Money::new(amount, row.currency);
    let entered: Option<ValidCheckout> =
        row.details.as_deref().and_then(|details| serde_json::from_str(details).ok());
    PaymentCard {
        id: row.id,
        method: row.method,
        gateway: row.gateway,
        gateway_ref: row.gateway_ref,
        paid_ref: row.paid_ref,
        state: row.state,
        cash: row.cash.as_deref().and_then(CashState::parse),
        failure: row
            .failure
            .as_deref()
            .and_then(PaymentFailure::parse)
            .filter(|_| row.state == PaymentState::Failed),
        amount: money(row.amount_minor),
        captured: money(row.captured_minor),
        refunded: money(row.refunded_minor),
        being_refunded: money(row.refund_pending_minor),
        fee: money(row.fee_minor),
        purchase_number: row.purchase_number,
        email: row.email.or_else(|| entered.map(|entered| entered.email.as_str().to_owned())),
        created_at: caller.time(engine, row.created_at),
        disputed: row.disputed,
    }
}

/// A payment with its refunds, the webhooks about it, and what can be done about it.
pub async fn details(engine: &Engine, caller: &Caller, id: PaymentId) -> Result<PaymentDetails> {
    caller.admin(AdminPermission::SeePayments)?;
    let row: FollowedRow = engine.db.opt(&FOLLOWED, params![id]).await?.ok_or(Error::NotFound)?;
    let cards: Vec<CardRow> = engine.db.all(&OF_CHECKOUT, params![row.checkout_id]).await?;
    let (own, others): (Vec<_>, Vec<_>) =
        cards.into_iter().map(|row| card(engine, caller, row)).partition(|card| card.id == id);
    let payment = own.into_iter().next().ok_or(Error::NotFound)?;
    let orders: Vec<OrderRow> = engine.db.all(&ORDERS, params![id]).await?;
    let refunds: Vec<RefundRow> = engine.db.all(&REFUNDS, params![id]).await?;
    let disputes: Vec<DisputeRow> = engine.db.all(&DISPUTES, params![id]).await?;
    let page_of = |gateway_ref: &str| engine.gateway(&payment.gateway).ok()?.dispute_page(gateway_ref);
    let reports: Vec<ReportRow> = engine.db.all(&REPORTS, params![id]).await?;
    let manages = caller.admin(AdminPermission::ManagePayments).is_ok();
    let can = |action: &PaymentAction| {
        manages && action.suits(payment.state) && engine.gateway(&payment.gateway).is_ok()
    };
    Ok(PaymentDetails {
        actions: PaymentAction::ALL.into_iter().filter(can).collect(),
        updated_at: caller.time(engine, row.updated_at),
        check_at: row.check_at.map(|at| caller.time(engine, at)),
        checks: row.checks,
        failure_note: row.failure_note,
        name: row.customer.as_deref().and_then(name),
        customer_id: row.customer_id.filter(|_| caller.admin(AdminPermission::SeeUsers).is_ok()),
        orders: orders
            .into_iter()
            .map(|order| PaidOrder {
                number: order.number,
                shop_name: order.shop_name,
                state: order.state,
                total: Money::new(order.total_minor, order.currency),
                placed_at: caller.time(engine, order.created_at),
                delivered_at: order.delivered_at.map(|at| caller.time(engine, at)),
                cancelled_at: order.cancelled_at.map(|at| caller.time(engine, at)),
            })
            .collect(),
        refunds: refunds
            .into_iter()
            .map(|refund| PaymentRefund {
                id: refund.id,
                gateway_ref: refund.gateway_ref,
                amount: Money::new(refund.amount_minor, payment.amount.currency()),
                state: refund.state,
                reason: refund.reason,
                note: refund.settled_note,
                order_number: refund.number,
                created_at: caller.time(engine, refund.created_at),
                completed_at: refund.done_at.map(|at| caller.time(engine, at)),
            })
            .collect(),
        disputes: disputes
            .into_iter()
            .map(|row| {
                let money = |minor| Money::new(minor, row.currency);
                PaymentDispute {
                    id: row.id,
                    respond_url: page_of(&row.gateway_ref).filter(|_| row.state.is_open()),
                    gateway_ref: row.gateway_ref,
                    state: row.state,
                    amount: money(row.amount_minor),
                    fee: money(if row.fee_returned { 0 } else { row.fee_minor }),
                    unallocated: money(row.unallocated_minor),
                    reason: row.reason,
                    evidence_due_at: row.evidence_due_at.map(|at| caller.time(engine, at)),
                    opened_at: caller.time(engine, row.opened_at),
                    closed_at: row.closed_at.map(|at| caller.time(engine, at)),
                }
            })
            .collect(),
        manages_refunds: manages,
        reports: reports
            .into_iter()
            .map(|report| PaymentReport {
                kind: report.kind,
                event: report.event_id,
                received_at: caller.time(engine, report.received_at),
            })
            .collect(),
        others,
        payment,
    })
}

/// The customer's name: in the address of a purchase, or in the details of a checkout.
fn name(customer: &str) -> Option<String> {
    let of_checkout =
        serde_json::from_str::<ValidCheckout>(customer).ok().map(|entered| entered.address.name);
    of_checkout.or_else(|| serde_json::from_str::<Address>(customer).ok().map(|address| address.name))
}

/// The payments of a purchase, oldest first, for admins who may see them.
pub(crate) async fn of_purchase(
    engine: &Engine,
    caller: &Caller,
    purchase: PurchaseId,
) -> Result<Vec<PaymentCard>> {
    caller.admin(AdminPermission::SeePayments)?;
    let rows: Vec<CardRow> = engine.db.all(&OF_PURCHASE, params![purchase]).await?;
    Ok(rows.into_iter().map(|row| card(engine, caller, row)).collect())
}

/// Follows up a payment at its gateway, whose answer is acted on like a webhook: money that has nothing to pay for goes
/// back. The audit log has what was asked for, even if the gateway then refuses.
pub async fn follow_up(engine: &Engine, caller: &Caller, id: PaymentId, action: PaymentAction) -> Result<()> {
    caller.admin(AdminPermission::ManagePayments)?;
    let payment: PaymentRow = engine.db.opt(&super::FIND, params![id]).await?.ok_or(Error::NotFound)?;
    // Nobody has to be asked about a gift card.
    if payment.method == PaymentMethod::GiftCard || !action.suits(payment.state) {
        return Err(Conflict::PaymentMoved.into());
    }
    let gateway = engine.gateway(&payment.gateway)?;
    asked(engine, caller, id, action).await?;
    let Some(gateway_ref) = payment.gateway_ref.as_deref().filter(|_| action != PaymentAction::Check) else {
        refresh(engine, &payment, None).await?;
        return Ok(());
    };
    let (call, name) = match action {
        PaymentAction::Capture => (gateway.capture(gateway_ref), "capture"),
        _ => (gateway.cancel(gateway_ref), "cancel"),
    };
    let span = gateway::call(&payment.gateway, name, id);
    let status = call.instrument(span).await.map_err(|error| payment.failed(name, &error))?;
    settle(engine, id, gateway_ref, status).await?;
    Ok(())
}

async fn asked(engine: &Engine, caller: &Caller, id: PaymentId, action: PaymentAction) -> TxResult<()> {
    let done = match action {
        PaymentAction::Check => "payments::check",
        PaymentAction::Capture => "payments::capture",
        PaymentAction::Cancel => "payments::cancel",
    };
    let input = (id, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("payments::follow_up", id), input, move |tx, (id, user, now)| {
            Box::pin(audit::write(tx, *user, done, *id, "", *now))
        })
        .await
}
