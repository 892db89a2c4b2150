//! Payments: money requested through gateways, and the status that they report.
//!
//! The browser's return, a webhook, reconciliation and the response to our own call all end in one
//! function, `apply_status`. `checkout::complete` then does what follows from it.

mod gateway;
mod refund;

use futures::future::join_all;
use tracing::Instrument;

pub use gateway::{
    GatewayError, GatewayPayment, GatewayStatus, PaymentGateway, PaymentRequest, PaymentSession,
    ReportOutcome, WebhookEvent,
};
pub use refund::refund;
pub(crate) use refund::{OrderRefund, queue_orphaned_in_tx, reserve_refund_in_tx};
use refund::{Stray, stray};

use crate::{Caller, Engine, TxResult, checkout, insert, jobs, params, rows, statements};
use haat_shared::{
    Conflict, Currency, Error, Money, Result,
    id::kinds::{CheckoutId, PaymentId},
    payments::{PaymentMethod, PaymentState, PurchaseLink},
    routes,
};

/// The first reconciliation happens this long after a payment was created.
pub(crate) const FIRST_CHECK_MS: i64 = 10_000;
/// A payment that is still pending after this time is abandoned. If it is captured later, it is honoured
/// or refunded.
const GIVE_UP_MS: i64 = 24 * 3_600_000;

statements! {
    FIND = "SELECT id, checkout_id, method, gateway_ref, state, currency, amount_minor, checks, created_at
        FROM payments WHERE id = $1";
    PENDING = "UPDATE payments SET state = 'pending', gateway_ref = $2, next_url = $3, updated_at = $4
        WHERE id = $1 AND state = 'created'";
    FAILED = "UPDATE payments SET state = 'failed', check_at = NULL, updated_at = $2
        WHERE id = $1 AND state IN ('created', 'pending', 'superseded')";
    REOPEN = "UPDATE checkouts SET state = 'open', updated_at = $2 WHERE id = $1 AND state = 'paying'
        AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.checkout_id = $1 AND p.state IN ('created', 'pending'))";
    CLAIM_DUE = "UPDATE payments SET check_at = $2 WHERE check_at <= $1 AND id IN
            (SELECT id FROM payments WHERE check_at <= $1 ORDER BY check_at LIMIT $3)
        RETURNING id, checkout_id, method, gateway_ref, state, currency, amount_minor, checks, created_at";
    CHECKED = "UPDATE payments SET checks = checks + 1, check_at = $2 WHERE id = $1 AND check_at = $3";
}

insert! {
    struct AddEvent<'a> into webhook_events {
        gateway: &'a str,
        event_id: &'a str,
        gateway_ref: &'a str,
        body: &'a [u8],
        received_at: i64,
    } "ON CONFLICT (gateway, event_id) DO NOTHING"
}

rows! {
    #[derive(Debug, Clone)]
    pub(crate) struct PaymentRow {
        pub(crate) id: PaymentId,
        pub(crate) checkout_id: CheckoutId,
        pub(crate) method: PaymentMethod,
        pub(crate) gateway_ref: Option<String>,
        pub(crate) state: PaymentState,
        pub(crate) currency: Currency,
        pub(crate) amount_minor: i64,
        pub(crate) checks: i64,
        pub(crate) created_at: i64,
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
        let token = self.secret.sign("return", &payment.to_string());
        format!("{}{}", self.public_url, routes::with(&routes::payment_return(payment), &[("token", &token)]))
    }
}

/// Requests an inserted payment from its gateway and applies the status. Also returns the URL of the
/// gateway's page.
pub(crate) async fn start(engine: &Engine, payment: &PaymentRow) -> Result<(ReportOutcome, String)> {
    let gateway = engine.gateway(payment.method)?;
    let request = PaymentRequest {
        attempt: payment.id,
        amount: Money::new(payment.amount_minor, payment.currency),
        return_url: engine.return_url(payment.id),
    };
    let span = gateway::call(payment.method, "create", payment.id);
    let session = match gateway.create(&request).instrument(span).await {
        Ok(session) => session,
        Err(GatewayError::Refused(why)) => {
            tracing::warn!(payment.id = %payment.id, why, "payment refused");
            return Ok((apply_status(engine, payment.id, "", GatewayStatus::Declined).await?, String::new()));
        }
        Err(error) => {
            tracing::warn!(payment.id = %payment.id, %error, "payment could not be started");
            return Err(Error::Busy { retry_after_s: 2 });
        }
    };
    if session.status == GatewayStatus::Waiting {
        let input = (payment.id, session.clone(), engine.clock.now_ms());
        engine
            .db
            .write(("payments::pending", payment.id), input, |tx, (id, session, now)| {
                Box::pin(async move {
                    tx.exec(&PENDING, params![*id, &session.gateway_ref, &session.next_url, *now]).await?;
                    Ok(())
                })
            })
            .await?;
    }
    let reported = apply_status(engine, payment.id, &session.gateway_ref, session.status).await?;
    Ok((reported, session.next_url))
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
        GatewayStatus::Waiting => Ok(ReportOutcome::Waiting),
        GatewayStatus::Declined | GatewayStatus::Cancelled => {
            engine
                .db
                .write(("payments::failed", id), (id, engine.clock.now_ms()), |tx, (id, now)| {
                    Box::pin(async move {
                        let checkout = checkout::lock_checkout_in_tx(tx, *id).await?;
                        tx.exec(&FAILED, params![*id, *now]).await?;
                        tx.exec(&REOPEN, params![checkout, *now]).await?;
                        Ok(())
                    })
                })
                .await?;
            Ok(match status {
                GatewayStatus::Cancelled => ReportOutcome::Cancelled,
                _ => ReportOutcome::Declined,
            })
        }
        GatewayStatus::Captured(_) | GatewayStatus::Accepted => {
            checkout::complete(engine, id, gateway_ref, status).await
        }
    }
}

/// Reads a payment from its gateway again and applies the status. A gateway's payment belongs to the
/// attempt that it was created for and to no other, whatever a webhook says.
async fn refresh(engine: &Engine, payment: &PaymentRow, reported: Option<&str>) -> Result<ReportOutcome> {
    let own = payment.gateway_ref.as_deref();
    let Some(gateway_ref) = reported.or(own) else {
        // The process died before the response was stored. Repeating the request repeats the same attempt.
        return Ok(start(engine, payment).await?.0);
    };
    let retrieve = engine.gateway(payment.method)?.retrieve(gateway_ref);
    let found = retrieve.instrument(gateway::call(payment.method, "retrieve", payment.id)).await.map_err(
        |error| {
            tracing::warn!(payment.id = %payment.id, %error, "payment could not be read");
            Error::Busy { retry_after_s: 2 }
        },
    )?;
    if found.attempt != payment.id {
        tracing::error!(payment.id = %payment.id, gateway_ref, made_for = %found.attempt, "a gateway reported a payment for another attempt");
        return Err(Error::Denied);
    }
    match (own, found.status) {
        (Some(own), GatewayStatus::Captured(amount)) if own != gateway_ref => {
            tracing::error!(payment.id = %payment.id, gateway_ref, own, "a gateway captured a payment attempt twice");
            let (checkout, method) = (payment.checkout_id, payment.method);
            stray(engine, Stray { checkout, method, gateway_ref: gateway_ref.to_owned(), amount }).await?;
            Ok(ReportOutcome::Orphaned)
        }
        (Some(own), _) if own != gateway_ref => Ok(ReportOutcome::Waiting),
        (_, status) => apply_status(engine, payment.id, gateway_ref, status).await,
    }
}

/// Handles the shopper's return from the gateway's page, authorised by the token in the return URL.
/// Returns where to redirect them.
pub async fn returned(engine: &Engine, _: &Caller, id: PaymentId, token: &str) -> Result<Return> {
    if !engine.secret.verify("return", &id.to_string(), token) {
        return Err(Error::NotFound);
    }
    let payment: PaymentRow = engine.db.opt(&FIND, params![id]).await?.ok_or(Error::NotFound)?;
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

/// Handles a webhook. Returns an error if it was not processed, so that the gateway delivers it again.
pub async fn webhook(engine: &Engine, _: &Caller, gateway: &str, signature: &str, body: &[u8]) -> Result<()> {
    let method = PaymentMethod::parse(gateway).ok_or(Error::NotFound)?;
    let now = engine.clock.now_ms();
    let event = engine.gateway(method)?.verify(signature, body, now).ok_or(Error::Denied)?;
    let input = (gateway.to_owned(), event.clone(), body.to_vec(), now);
    engine
        .db
        .write(("payments::webhook", event.attempt), input, |tx, (gateway, event, body, now)| {
            Box::pin(async move {
                let WebhookEvent { event_id, gateway_ref, .. } = event;
                tx.insert(AddEvent { gateway, event_id, gateway_ref, body, received_at: *now }).await?;
                Ok(())
            })
        })
        .await?;
    let payment: PaymentRow = engine.db.opt(&FIND, params![event.attempt]).await?.ok_or(Error::NotFound)?;
    if payment.method != method {
        return Err(Error::Denied);
    }
    refresh(engine, &payment, Some(&event.gateway_ref)).await.map(drop)
}

/// The header with the signature of a gateway's webhooks.
pub fn signature_header(engine: &Engine, gateway: &str) -> Result<&'static str> {
    Ok(engine.gateway(PaymentMethod::parse(gateway).ok_or(Error::NotFound)?)?.signature_header())
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
    match refresh(engine, payment, None).await {
        Ok(ReportOutcome::Waiting) if now - payment.created_at > GIVE_UP_MS => {
            apply_status(engine, payment.id, "", GatewayStatus::Declined).await?;
        }
        // Failures were logged where they occurred.
        reported => tracing::debug!(payment.id = %payment.id, ?reported, "reconciled"),
    }
    // Final payments aren't checked again; superseded ones are, as long as they can be captured.
    let next = FIRST_CHECK_MS.max(jobs::backoff_ms(payment.checks + 4));
    let over = payment.state == PaymentState::Superseded && now - payment.created_at > GIVE_UP_MS;
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
