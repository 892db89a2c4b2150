//! Payments: money requested through gateways, and the status that they report.
//!
//! The browser's return, a webhook, reconciliation and the response to our own call all end in one
//! function, `apply_status`. `checkout::complete` then does what follows from it.

mod admin;
mod connect;
mod dispute;
mod error;
mod gateway;
mod patience;
mod refund;
mod settlement;

use std::collections::HashMap;

use futures::future::join_all;
use tracing::Instrument;

pub(crate) use admin::of_purchase;
pub use admin::{details, follow_up, list};
pub use connect::{Connect, Transfer, TransferOutcome, TransferRequest};
pub use error::{GatewayError, GatewayResult};
pub use gateway::{
    Capabilities, CardVault, DisputeStatus, EventSubject, GatewayCard, GatewayDispute, GatewayEvent,
    GatewayPayment, GatewayPayout, GatewayStatus, NextStep, Origins, PaymentGateway, PaymentRequest,
    PaymentSession, RefundRequest, RefundStatus, ReportOutcome, Webhook, origins,
};
pub(crate) use gateway::{call, check_gateways, methods_of};
pub use patience::{Patience, REQUEST_LIMIT, repeated};
pub(crate) use refund::{
    OrderRefund, queue_orphaned_in_tx, release_cards_in_tx, reserve_gift_refund_in_tx, reserve_refund_in_tx,
};
use refund::{Stray, stray};
pub use refund::{payment_of_refund, reconcile_refunds, refund, retry_refund, settle_refund};

use crate::{
    Caller, Engine, TxResult, cards, checkout, db::Scalar, jobs, ledger, params, payouts, rows, statements,
};
use haat_shared::{
    Conflict, Currency, Error, Money, Result,
    checkout::CheckoutState,
    id::kinds::{CheckoutId, PaymentId},
    ledger::gateway_fee,
    payments::{NextAction, PaymentFailure, PaymentMethod, PaymentState, PurchaseLink},
    routes,
};

/// The parameter of the return URL that authorises it. PayPal adds a `token` of its own.
const RETURN_KEY: &str = "key";
/// The first reconciliation happens this long after a payment was created.
pub(crate) const FIRST_CHECK_MS: i64 = 10_000;
/// As long as shoppers usually take to pay, payments are checked this often at least, so that what no webhook has told is known
/// within a minute.
const OPEN_CHECK_MS: i64 = 40_000;
const OPEN_MS: i64 = 30 * 60_000;
/// A payment that is still pending after this time is abandoned. If it is captured later, it is honoured
/// or refunded.
const GIVE_UP_MS: i64 = 24 * 3_600_000;
/// The maximum length of what is kept of a gateway's words about a failed payment.
const FAILURE_NOTE_MAX: usize = 200;

/// The columns of a `PaymentRow`.
macro_rules! payment_columns {
    () => {
        "id, checkout_id, method, gateway, gateway_ref, paid_ref, quote_version, state, currency, amount_minor, on_page, checks, created_at, customer_ref"
    };
}
pub(crate) use payment_columns;

statements! {
    FIND = concat!("SELECT ", payment_columns!(), " FROM payments WHERE id = $1");
    FIND_BY_REF = concat!("SELECT ", payment_columns!(), " FROM payments WHERE gateway = $1 AND gateway_ref = $2");
    OF_CHECKOUT = concat!("SELECT ", payment_columns!(), " FROM payments WHERE checkout_id = $1 ORDER BY id");
    PENDING = "UPDATE payments SET state = 'pending', gateway_ref = $2, next_action = $3, updated_at = $4
        WHERE id = $1 AND state = 'created'";
    AUTHORIZED = "UPDATE payments SET state = 'authorized', gateway_ref = COALESCE(gateway_ref, $2), updated_at = $3,
            check_at = COALESCE(check_at, $3)
        WHERE id = $1 AND state IN ('created', 'pending', 'failed') AND COALESCE(gateway_ref, $2) = $2";
    DUE_OF = "SELECT state, quote_version, total_minor FROM checkouts WHERE id = $1";
    REOPEN = "UPDATE checkouts SET state = 'open', updated_at = $2 WHERE id = $1 AND state = 'paying'
        AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.checkout_id = $1 AND p.state IN ('created', 'pending', 'authorized'))
        RETURNING gift_minor AS value";
    FEE = "UPDATE payments SET fee_minor = $2, updated_at = $3
        WHERE id = $1 AND fee_minor = 0 AND captured_minor > 0 AND currency = $4";
    KNOWN_AS = "UPDATE payments SET paid_ref = $2, updated_at = $3 WHERE id = $1";
    CLAIM_DUE = concat!("UPDATE payments SET check_at = $2 WHERE check_at <= $1 AND id IN
            (SELECT id FROM payments WHERE check_at <= $1 ORDER BY check_at LIMIT $3)
        RETURNING ", payment_columns!());
    CHECKED = "UPDATE payments SET checks = checks + 1, check_at = $2 WHERE id = $1 AND check_at = $3";
}

rows! {
    #[derive(Debug, Clone)]
    pub(crate) struct PaymentRow {
        pub(crate) id: PaymentId,
        pub(crate) checkout_id: CheckoutId,
        pub(crate) method: PaymentMethod,
        pub(crate) gateway: String,
        pub(crate) gateway_ref: Option<String>,
        pub(crate) paid_ref: Option<String>,
        pub(crate) quote_version: i64,
        pub(crate) state: PaymentState,
        pub(crate) currency: Currency,
        pub(crate) amount_minor: i64,
        pub(crate) on_page: bool,
        pub(crate) checks: i64,
        pub(crate) created_at: i64,
        pub(crate) customer_ref: Option<String>,
    }

    struct DueRow {
        state: CheckoutState,
        quote_version: i64,
        total_minor: i64,
    }
}

/// Where to redirect a shopper who returns from the gateway's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Return {
    /// To the purchase.
    Purchase(PurchaseLink),
    /// To the checkout, with the reason if the payment failed; none while its outcome is unknown.
    Checkout(CheckoutId, Option<Conflict>),
}

impl Engine {
    fn return_url(&self, payment: PaymentId) -> String {
        let key = self.secret.sign("return", &payment.to_string());
        format!(
            "{}{}",
            self.public_url,
            routes::with(&routes::payment_return(payment), &[(RETURN_KEY, &key)])
        )
    }
}

impl PaymentRow {
    fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }

    /// A call for this payment failed, and may succeed later.
    fn failed(&self, call: &'static str, error: &GatewayError) -> Error {
        tracing::warn!(payment.id = %self.id, call, %error, "a call to a gateway failed");
        Error::Busy { retry_after_s: 2 }
    }
}

/// Requests an inserted payment from its gateway and applies the status. Also returns what the shopper does
/// next, if anything.
pub(crate) async fn start(
    engine: &Engine,
    payment: &PaymentRow,
    locale: &'static str,
) -> Result<(ReportOutcome, Option<NextAction>)> {
    let gateway = engine.gateway(&payment.gateway)?;
    let request = PaymentRequest {
        attempt: payment.id,
        method: payment.method,
        amount: payment.amount(),
        return_url: engine.return_url(payment.id),
        on_page: payment.on_page,
        customer: payment.customer_ref.clone(),
        gateway_ref: payment.gateway_ref.clone(),
        locale,
    };
    let span = gateway::call(&payment.gateway, "create", payment.id);
    let session = match gateway.create(&request).instrument(span).await {
        Ok(session) => session,
        Err(GatewayError::Refused(why)) => {
            tracing::warn!(payment.id = %payment.id, error = why, "payment refused");
            failed(engine, payment.id, PaymentFailure::Refused, &why).await?;
            return Ok((ReportOutcome::Declined, None));
        }
        // The next attempt is made for a new customer.
        Err(GatewayError::Gone(why)) if payment.customer_ref.is_some() => {
            let customer = payment.customer_ref.as_deref().unwrap_or_default();
            cards::forget(engine, &payment.gateway, customer).await?;
            failed(engine, payment.id, PaymentFailure::Refused, &why).await?;
            return Ok((ReportOutcome::Declined, None));
        }
        Err(error) => return Err(payment.failed("create", &error)),
    };
    let next = session.next.action(&payment.gateway);
    if session.status == GatewayStatus::Waiting {
        let json = next.as_ref().map(serde_json::to_string).transpose().map_err(|_| Error::Internal)?;
        let input = (payment.id, session.gateway_ref.clone(), json, engine.clock.now_ms());
        let stored: bool = engine
            .db
            .write(("payments::pending", payment.id), input, |tx, (id, gateway_ref, next, now)| {
                Box::pin(async move {
                    Ok(tx.exec(&PENDING, params![*id, gateway_ref, next.clone(), *now]).await? == 1)
                })
            })
            .await?;
        if !stored && payment.gateway_ref.is_none() {
            // Another request for it was faster. A gateway that keeps no idempotency keys has made two payments,
            // and only the first one is known to the market: the shopper pays that one.
            let now: PaymentRow = engine.db.one(&FIND, params![payment.id]).await?;
            if now.gateway_ref.as_ref().is_some_and(|first| *first != session.gateway_ref) {
                return Box::pin(start(engine, &now, locale)).await;
            }
        }
    }
    let reported = apply_status(engine, payment.id, &session.gateway_ref, session.status).await?;
    Ok((reported, next))
}

/// The only function that acts on the status of a payment. It may be called any number of times, by any
/// source, in any order.
pub async fn apply_status(
    engine: &Engine,
    id: PaymentId,
    gateway_ref: &str,
    status: GatewayStatus,
) -> Result<ReportOutcome> {
    match status {
        GatewayStatus::Authorized(amount) => authorized(engine, id, gateway_ref, amount).await,
        status => settle(engine, id, gateway_ref, status).await,
    }
}

/// Applies every status but `Authorized`, which another call to the gateway follows.
async fn settle(
    engine: &Engine,
    id: PaymentId,
    gateway_ref: &str,
    status: GatewayStatus,
) -> Result<ReportOutcome> {
    match status {
        GatewayStatus::Waiting | GatewayStatus::Authorized(_) => Ok(ReportOutcome::Waiting),
        GatewayStatus::Declined => {
            failed(engine, id, PaymentFailure::Declined, "").await?;
            Ok(ReportOutcome::Declined)
        }
        GatewayStatus::Cancelled => {
            failed(engine, id, PaymentFailure::Cancelled, "").await?;
            Ok(ReportOutcome::Cancelled)
        }
        GatewayStatus::Captured(_) | GatewayStatus::Accepted => {
            checkout::complete(engine, id, gateway_ref, status).await
        }
    }
}

/// Nothing was charged: the shopper may pay in another way. `note` is what the gateway said about it.
async fn failed(engine: &Engine, id: PaymentId, why: PaymentFailure, note: &str) -> Result<()> {
    let note: String = note.chars().take(FAILURE_NOTE_MAX).collect();
    let input = (id, why, note, engine.clock.now_ms());
    engine
        .db
        .write(("payments::failed", id), input, |tx, (id, why, note, now)| {
            Box::pin(async move {
                let checkout = checkout::lock_checkout_in_tx(tx, *id).await?;
                tx.exec(&checkout::FAILED, params![*id, *now, why.as_str(), note.as_str()]).await?;
                let reopened: Option<Scalar<i64>> = tx.opt(&REOPEN, params![checkout, *now]).await?;
                if reopened.is_some_and(|gift| gift.0 > 0) {
                    release_cards_in_tx(tx, checkout, *now).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(())
}

/// Buys a checkout that gift cards have paid completely: `payment` is that of one of them, so there is no gateway to ask.
pub(crate) async fn buy_with_cards(engine: &Engine, payment: PaymentId) -> Result<ReportOutcome> {
    let payment: PaymentRow = engine.db.one(&FIND, params![payment]).await?;
    refresh(engine, &payment, None).await
}

/// What follows from an authorized payment.
enum Authorization {
    /// The checkout can be bought: capture every authorized payment of it.
    Capture(Vec<PaymentRow>),
    /// Part of the total is still unpaid.
    Wait,
    /// It pays for nothing.
    Cancel(PaymentRow),
    /// The report is late: the payment has already been captured.
    Past(CheckoutId),
}

/// A payment is authorized: captures it once the checkout can be bought, and cancels it if it cannot.
async fn authorized(
    engine: &Engine,
    id: PaymentId,
    gateway_ref: &str,
    amount: Money,
) -> Result<ReportOutcome> {
    let input = (id, gateway_ref.to_owned(), engine.clock.now_ms());
    let (checkout, payments) = engine
        .db
        .write(("payments::authorized", id), input, |tx, (id, gateway_ref, now)| {
            Box::pin(async move {
                let checkout = checkout::lock_checkout_in_tx(tx, *id).await?;
                tx.exec(&AUTHORIZED, params![*id, gateway_ref, *now]).await?;
                let due: DueRow = tx.opt(&DUE_OF, params![checkout]).await?.ok_or(Error::NotFound)?;
                Ok((due, tx.all::<PaymentRow>(&OF_CHECKOUT, params![checkout]).await?))
            })
        })
        .await?;
    match what_follows(id, amount, &checkout, payments).ok_or(Error::NotFound)? {
        Authorization::Wait => Ok(ReportOutcome::Waiting),
        Authorization::Past(checkout) => {
            let bought = checkout::bought(engine, checkout).await?;
            Ok(bought.map_or(ReportOutcome::Orphaned, |purchase| ReportOutcome::Paid(purchase.number)))
        }
        Authorization::Cancel(payment) => {
            let cancel = engine.gateway(&payment.gateway)?.cancel(gateway_ref);
            let span = gateway::call(&payment.gateway, "cancel", id);
            let status = cancel.instrument(span).await.map_err(|error| payment.failed("cancel", &error))?;
            match settle(engine, id, gateway_ref, status).await? {
                ReportOutcome::Cancelled => Ok(ReportOutcome::Orphaned),
                outcome => Ok(outcome),
            }
        }
        Authorization::Capture(payments) => {
            let mut outcome = ReportOutcome::Waiting;
            for payment in payments {
                let gateway_ref = payment.gateway_ref.as_deref().unwrap_or(gateway_ref);
                let capture = engine.gateway(&payment.gateway)?.capture(gateway_ref);
                let span = gateway::call(&payment.gateway, "capture", payment.id);
                let status =
                    capture.instrument(span).await.map_err(|error| payment.failed("capture", &error))?;
                outcome = settle(engine, payment.id, gateway_ref, status).await?;
                // Without this one, the checkout can't be bought.
                if matches!(outcome, ReportOutcome::Declined | ReportOutcome::Cancelled) {
                    break;
                }
            }
            Ok(outcome)
        }
    }
}

/// What follows from the authorization of `amount` for a payment, one of all `payments` of its checkout.
fn what_follows(
    id: PaymentId,
    amount: Money,
    checkout: &DueRow,
    payments: Vec<PaymentRow>,
) -> Option<Authorization> {
    let own = payments.iter().find(|payment| payment.id == id)?.clone();
    match own.state {
        PaymentState::Authorized if own.amount() == amount => {}
        PaymentState::Captured | PaymentState::Accepted | PaymentState::Orphaned | PaymentState::Refunded => {
            return Some(Authorization::Past(own.checkout_id));
        }
        _ => return Some(Authorization::Cancel(own)),
    }
    let counts = |payment: &PaymentRow| {
        payment.id == id
            || (payment.quote_version == checkout.quote_version
                && matches!(payment.state, PaymentState::Authorized | PaymentState::Captured))
    };
    let counted: Vec<_> = payments.into_iter().filter(counts).collect();
    let covered: i64 = counted.iter().map(|payment| payment.amount_minor).sum();
    let open = matches!(checkout.state, CheckoutState::Open | CheckoutState::Paying);
    if covered == checkout.total_minor && (open || checkout.state == CheckoutState::Expired) {
        let authorized = |payment: &PaymentRow| payment.state == PaymentState::Authorized;
        return Some(Authorization::Capture(counted.into_iter().filter(authorized).collect()));
    }
    if covered < checkout.total_minor && open && own.quote_version == checkout.quote_version {
        return Some(Authorization::Wait);
    }
    Some(Authorization::Cancel(own))
}

/// Reads a payment from its gateway again and applies the status. A gateway's payment belongs to the
/// attempt that it was created for and to no other, whatever a webhook says.
async fn refresh(engine: &Engine, payment: &PaymentRow, reported: Option<&str>) -> Result<ReportOutcome> {
    let own = payment.gateway_ref.as_deref();
    // It was captured when it was made: what is open is whether its checkout was bought.
    if payment.gateway == refund::GIFT_CARD {
        let status = GatewayStatus::Captured(payment.amount());
        return apply_status(engine, payment.id, own.unwrap_or_default(), status).await;
    }
    let Some(gateway_ref) = reported.or(own) else {
        // The process died before the response was stored. Repeating the request repeats the same attempt. The
        // gateway knows the shopper's language from the first request; otherwise, it is that of their browser.
        return Ok(start(engine, payment, "").await?.0);
    };
    let retrieve = engine.gateway(&payment.gateway)?.retrieve(gateway_ref);
    let span = gateway::call(&payment.gateway, "retrieve", payment.id);
    let found = match retrieve.instrument(span).await {
        Err(GatewayError::Gone(why)) if own == Some(gateway_ref) => {
            tracing::info!(payment.id = %payment.id, why, "a gateway has forgotten an unpaid payment");
            failed(engine, payment.id, PaymentFailure::Abandoned, "").await?;
            return Ok(ReportOutcome::Cancelled);
        }
        found => found.map_err(|error| payment.failed("retrieve", &error))?,
    };
    if found.attempt != payment.id {
        tracing::error!(payment.id = %payment.id, gateway_ref, made_for = %found.attempt, "a gateway reported a payment for another attempt");
        return Err(Error::Denied);
    }
    match (own, found.status) {
        (Some(own), GatewayStatus::Captured(amount)) if own != gateway_ref => {
            tracing::error!(payment.id = %payment.id, gateway_ref, own, "a gateway captured a payment attempt twice");
            let (checkout, method) = (payment.checkout_id, payment.method);
            stray(engine, Stray { checkout, method, gateway_ref: gateway_ref.to_owned(), amount }).await?;
            return Ok(ReportOutcome::Orphaned);
        }
        (Some(own), _) if own != gateway_ref => return Ok(ReportOutcome::Waiting),
        _ => {}
    }
    let outcome = apply_status(engine, payment.id, gateway_ref, found.status).await?;
    if let Some(paid_ref) = found.paid_ref.filter(|paid_ref| payment.paid_ref.as_ref() != Some(paid_ref)) {
        known_as(engine, payment.id, paid_ref).await?;
    }
    if let Some(fee) = found.fee.filter(|fee| fee.amount() > 0) {
        charge_fee(engine, payment.id, fee).await?;
    }
    Ok(outcome)
}

/// Stores what a gateway's own pages call a payment, so that admins find it by that as well.
async fn known_as(engine: &Engine, id: PaymentId, paid_ref: String) -> TxResult<()> {
    engine
        .db
        .write(
            ("payments::known_as", id),
            (id, paid_ref, engine.clock.now_ms()),
            |tx, (id, paid_ref, now)| {
                Box::pin(async move {
                    tx.exec(&KNOWN_AS, params![*id, &*paid_ref, *now]).await?;
                    Ok(())
                })
            },
        )
        .await
}

/// Posts a gateway's fee for a captured payment, once.
async fn charge_fee(engine: &Engine, id: PaymentId, fee: Money) -> TxResult<()> {
    engine
        .db
        .write(("payments::fee", id), (id, fee, engine.clock.now_ms()), |tx, (id, fee, now)| {
            Box::pin(async move {
                if tx.exec(&FEE, params![*id, fee.amount(), *now, fee.currency()]).await? == 1 {
                    ledger::post(tx, &[(gateway_fee(*fee)?, *id)], *now).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Handles the shopper's return from the gateway's page, authorised by the key in the query of the return URL.
/// Returns where to redirect them.
pub async fn returned(
    engine: &Engine,
    _: &Caller,
    id: PaymentId,
    query: &HashMap<String, String>,
) -> Result<Return> {
    let key = query.get(RETURN_KEY).map(String::as_str).unwrap_or_default();
    if !engine.secret.verify("return", &id.to_string(), key) {
        return Err(Error::NotFound);
    }
    let payment: PaymentRow = engine.db.opt(&FIND, params![id]).await?.ok_or(Error::NotFound)?;
    if !engine.gateway(&payment.gateway)?.genuine_return(id, payment.gateway_ref.as_deref(), query) {
        tracing::warn!(payment.id = %id, "a return that the gateway didn't sign");
        return Err(Error::NotFound);
    }
    let checkout = payment.checkout_id;
    let why = match refresh(engine, &payment, None).await {
        Ok(ReportOutcome::Paid(number)) => return Ok(Return::Purchase(checkout::link(engine, number))),
        Ok(ReportOutcome::Declined) => Conflict::PaymentDeclined,
        Ok(ReportOutcome::Cancelled) => Conflict::PaymentCancelled,
        Ok(ReportOutcome::Orphaned) => Conflict::CheckoutEnded,
        // The webhook or reconciliation will settle it; until then, the page shows the payment as pending.
        Ok(ReportOutcome::Waiting) | Err(_) => return Ok(Return::Checkout(checkout, None)),
    };
    // The checkout may have been paid by another payment.
    let bought = checkout::bought(engine, checkout).await?;
    Ok(bought.map_or(Return::Checkout(checkout, Some(why)), Return::Purchase))
}

/// The events of a webhook that the gateway signed.
pub(crate) async fn events_of(
    engine: &Engine,
    gateway: &str,
    received: Webhook<'_>,
    now: i64,
) -> Result<Vec<GatewayEvent>> {
    engine.gateway(gateway)?.webhook(received, now).await.map_err(|error| match error {
        GatewayError::Refused(_) | GatewayError::Gone(_) => Error::Denied,
        GatewayError::Unreachable(why) => {
            tracing::warn!(gateway, error = why, "a webhook could not be verified");
            Error::Busy { retry_after_s: 2 }
        }
    })
}

/// Does what follows from an event: reads what it is about from the gateway, and applies its status.
pub(crate) async fn act_on(engine: &Engine, gateway: &str, about: &EventSubject) -> Result<()> {
    match about {
        EventSubject::Payment(gateway_ref, attempt) => {
            let payment: Option<PaymentRow> = match attempt {
                Some(id) => engine.db.opt(&FIND, params![*id]).await?,
                None => engine.db.opt(&FIND_BY_REF, params![gateway, gateway_ref]).await?,
            };
            let payment = payment.ok_or(Error::NotFound)?;
            if payment.gateway != gateway {
                return Err(Error::Denied);
            }
            refresh(engine, &payment, Some(gateway_ref)).await.map(drop)
        }
        EventSubject::Refund(gateway_ref, id) => {
            Ok(refund::reported(engine, gateway, gateway_ref, *id).await?)
        }
        EventSubject::Dispute(gateway_ref) => disputed(engine, gateway, gateway_ref).await,
        EventSubject::Payout(gateway_ref) => settlement::reported(engine, gateway, gateway_ref).await,
        EventSubject::Account(gateway_ref) => payouts::account_reported(engine, gateway, gateway_ref).await,
        EventSubject::Transfer(gateway_ref) => payouts::transfer_reported(engine, gateway, gateway_ref).await,
    }
}

/// A gateway reports that a dispute was opened or changed.
async fn disputed(engine: &Engine, name: &str, gateway_ref: &str) -> Result<()> {
    let span = gateway::call(name, "dispute", gateway_ref);
    let found = match engine.gateway(name)?.dispute(gateway_ref).instrument(span).await {
        Ok(found) => found,
        Err(GatewayError::Unreachable(why)) => {
            tracing::warn!(gateway = name, error = why, "a dispute could not be read");
            return Err(Error::Busy { retry_after_s: 2 });
        }
        Err(error) => {
            tracing::error!(gateway = name, gateway_ref, %error, "a dispute that the gateway does not show: see there");
            return Ok(());
        }
    };
    let payment: Option<PaymentRow> = match (found.attempt, &found.payment_ref) {
        (Some(id), _) => engine.db.opt(&FIND, params![id]).await?,
        (None, Some(of)) => engine.db.opt(&FIND_BY_REF, params![name, of]).await?,
        (None, None) => None,
    };
    // The account may be used for other sales than those of this market.
    let Some(payment) = payment.filter(|payment| payment.gateway == name) else {
        tracing::warn!(gateway = name, gateway_ref, "a dispute of a payment that the market doesn't know");
        return Ok(());
    };
    let id = payment.id;
    if found.amount.currency() != payment.currency || found.amount.amount() <= 0 {
        tracing::error!(payment.id = %id, gateway_ref, amount = %found.amount, "a dispute of another currency: book it by hand");
        return Ok(());
    }
    // A dispute may be reported before the capture.
    if is_unsettled(payment.state) {
        refresh(engine, &payment, None).await?;
        let now: Option<PaymentRow> = engine.db.opt(&FIND, params![id]).await?;
        if now.is_none_or(|now| is_unsettled(now.state)) {
            // The gateway reports it again.
            return Err(Error::Busy { retry_after_s: 2 });
        }
    }
    tracing::warn!(payment.id = %id, gateway_ref, status = ?found.status, "a payment is disputed");
    Ok(dispute::apply(engine, (id, name), gateway_ref, found).await?)
}

/// Reconciliation: reads undecided disputes from their gateways, in case webhooks were lost. Returns how many.
pub async fn reconcile_disputes(engine: &Engine) -> TxResult<usize> {
    let due = dispute::claim_due(engine).await?;
    for (gateway, gateway_ref) in &due {
        if let Err(error) = disputed(engine, gateway, gateway_ref).await {
            tracing::warn!(gateway, %error, "an open dispute could not be read");
        }
    }
    Ok(due.len())
}

/// Whether we don't know of a capture.
fn is_unsettled(state: PaymentState) -> bool {
    use PaymentState::*;
    matches!(state, Created | Pending | Authorized | Failed | Superseded)
}

/// Reconciliation: reads payments without a reported outcome from their gateways, in case webhooks were
/// lost. Returns the number of payments read.
///
/// A few payments at a time are claimed by moving their next check beyond the time limit of a request, so
/// that no other node checks them in the meantime.
pub async fn reconcile(engine: &Engine) -> TxResult<usize> {
    const BATCH: i64 = 16;
    const LEASE_MS: i64 = 60_000;
    let mut total = 0;
    loop {
        let now = engine.clock.now_ms();
        let lease_until = now + LEASE_MS;
        let due: Vec<PaymentRow> = engine
            .db
            .write("payments::claim_due", (now, lease_until), |tx, (now, lease_until)| {
                Box::pin(async move { Ok(tx.all(&CLAIM_DUE, params![*now, *lease_until, BATCH]).await?) })
            })
            .await?;
        if due.is_empty() {
            return Ok(total);
        }
        total += due.len();
        let checks = due.iter().map(|payment| check(engine, payment, lease_until));
        join_all(checks).await.into_iter().collect::<TxResult<()>>()?;
    }
}

/// Reads a claimed payment from its gateway, applies its status and sets the time of the next check.
async fn check(engine: &Engine, payment: &PaymentRow, lease_until: i64) -> TxResult<()> {
    let now = engine.clock.now_ms();
    let age = now - payment.created_at;
    match refresh(engine, payment, None).await {
        Ok(ReportOutcome::Waiting) if age > GIVE_UP_MS => {
            failed(engine, payment.id, PaymentFailure::Abandoned, "").await?;
        }
        // Failures were logged where they occurred.
        reported => tracing::debug!(payment.id = %payment.id, ?reported, "reconciled"),
    }
    // Final payments aren't checked again; superseded ones are, as long as they can be captured.
    let next = FIRST_CHECK_MS.max(jobs::backoff_ms(payment.checks + 4));
    let next = if age < OPEN_MS { next.min(OPEN_CHECK_MS) } else { next };
    let over = payment.state == PaymentState::Superseded && age > GIVE_UP_MS;
    let next = (!over).then_some(now + next);
    let input = (payment.id, next, lease_until);
    engine
        .db
        .write(("payments::checked", payment.id), input, |tx, (id, next, lease_until)| {
            Box::pin(async move {
                tx.exec(&CHECKED, params![*id, *next, *lease_until]).await?;
                Ok(())
            })
        })
        .await
}
