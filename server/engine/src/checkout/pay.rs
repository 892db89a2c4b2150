//! Paying: what was typed is kept, a payment is written down, the gateway is asked, its answer is reported.

use super::{find, offered, purchase_url};
use crate::{
    Caller, Engine, Tried,
    db::Tx,
    idempotency::{self, Claim, Key},
    params,
    payments::{self, FIRST_CHECK_MS, PaymentRow, Reported},
    statements,
};
use haat_shared::{
    Conflict, Error, Result,
    checkout::{CheckoutForm, CheckoutState, Details, HOLD_MS},
    id::kinds::{CheckoutId, PaymentId},
    payments::{Method, NextAction},
};

statements! {
    SAVE = "UPDATE checkouts SET form = $2, updated_at = $3 WHERE id = $1";
    PAYING = "UPDATE checkouts SET state = 'paying', details = $2, updated_at = $3, locale = $5, extended = TRUE,
            hold_until = CASE WHEN extended THEN hold_until ELSE $4 END
        WHERE id = $1 AND state IN ('open', 'paying') AND hold_until > $3";
    OPEN_ONE = "SELECT id, checkout_id, method, gateway_ref, state, currency, amount_minor, checks, created_at
        FROM payments WHERE checkout_id = $1 AND state IN ('created', 'pending')";
    SUPERSEDE = "UPDATE payments SET state = 'superseded', updated_at = $2
        WHERE id = $1 AND state IN ('created', 'pending')";
    ADD = "INSERT INTO payments (id, checkout_id, method, state, currency, amount_minor, captured_minor, refunded_minor,
            next_url, check_at, checks, created_at, updated_at)
        SELECT $1, id, $3, 'created', currency, total_minor, 0, 0, '', $4, 0, $5, $5 FROM checkouts WHERE id = $2
        RETURNING id, checkout_id, method, gateway_ref, state, currency, amount_minor, checks, created_at";
}

/// Keeps what was typed into the caller's checkout, whatever it is, without paying.
pub async fn save(engine: &Engine, caller: &Caller, id: CheckoutId, form: CheckoutForm) -> Result<()> {
    find(engine, caller, id).await?;
    store(engine, id, &form.bounded()).await
}

async fn store(engine: &Engine, id: CheckoutId, form: &CheckoutForm) -> Result<()> {
    let json = serde_json::to_string(form).map_err(|_| Error::Internal)?;
    engine
        .db
        .write("checkout::save", (id, json, engine.clock.now_ms()), |tx, (id, json, now)| {
            Box::pin(async move {
                tx.exec(&SAVE, params![*id, json, *now]).await?;
                Ok(())
            })
        })
        .await?;
    Ok(())
}

/// Pays the caller's checkout with what was typed. The same `key` a second time is the same try, with the same answer.
pub async fn pay(
    engine: &Engine,
    caller: &Caller,
    id: CheckoutId,
    form: CheckoutForm,
    key: &str,
) -> Result<NextAction> {
    let checkout = find(engine, caller, id).await?;
    match (checkout.state, checkout.purchase_number) {
        (_, Some(number)) => return Ok(NextAction::Done { url: purchase_url(engine, &number) }),
        (CheckoutState::Open | CheckoutState::Paying, None) => {}
        _ => return Err(Conflict::CheckoutEnded.into()),
    }
    let form = form.bounded();
    store(engine, id, &form).await?;
    let details = form.check(&offered(engine)).map_err(Error::Invalid)?;
    let body = serde_json::to_string(&form).map_err(|_| Error::Internal)?;
    let key = Key::new(id, "checkout::pay", key, &body);
    let attempt = match idempotency::claim::<haat_shared::id::kinds::Payment>(engine, &key).await? {
        Claim::Mine(attempt) => attempt,
        Claim::Done(answer) => return serde_json::from_str(&answer).unwrap_or(Err(Error::Internal)),
    };
    let answer = attempt_payment(engine, caller.locale, id, attempt, details).await;
    // What may succeed later is not an answer to keep.
    let keep = !matches!(
        answer,
        Err(Error::Busy { .. } | Error::Internal | Error::Conflict(Conflict::PaymentInProgress))
    );
    let stored = if keep { serde_json::to_string(&answer).ok() } else { None };
    idempotency::settle(engine, key, attempt, stored).await?;
    answer
}

async fn attempt_payment(
    engine: &Engine,
    locale: &'static str,
    id: CheckoutId,
    attempt: PaymentId,
    details: Details,
) -> Result<NextAction> {
    let method = details.method;
    let details = serde_json::to_string(&details).map_err(|_| Error::Internal)?;
    let payment = engine
        .db
        .write(
            "checkout::pay",
            (id, attempt, method, details, locale, engine.clock.now_ms()),
            |tx, (id, attempt, method, details, locale, now)| {
                Box::pin(open_in_tx(tx, *id, *attempt, *method, details, locale, *now))
            },
        )
        .await?;
    let (reported, next_url) = payments::start(engine, &payment).await?;
    match reported {
        Reported::Paid(number) => Ok(NextAction::Done { url: purchase_url(engine, &number) }),
        Reported::Waiting => Ok(NextAction::Redirect { url: next_url }),
        Reported::Declined => Err(payments::declined()),
        Reported::Unwanted => Err(Conflict::CheckoutEnded.into()),
    }
}

/// Writes the payment down, or finds the one that is under way with the same method. One with another method is
/// superseded: should it be captured all the same, it goes back.
async fn open_in_tx(
    tx: &mut Tx,
    checkout: CheckoutId,
    attempt: PaymentId,
    method: Method,
    details: &str,
    locale: &str,
    now: i64,
) -> Tried<PaymentRow> {
    // From here on, payments of this checkout wait for each other.
    if tx.exec(&PAYING, params![checkout, details, now, now + HOLD_MS, locale]).await? == 0 {
        return Err(Conflict::CheckoutEnded.into());
    }
    let open: Option<PaymentRow> = tx.opt(&OPEN_ONE, params![checkout]).await?;
    match open {
        Some(payment) if payment.method == method => return Ok(payment),
        Some(payment) => {
            tx.exec(&SUPERSEDE, params![payment.id, now]).await?;
        }
        None => {}
    }
    let row = params![attempt, checkout, method.as_str(), now + FIRST_CHECK_MS, now];
    Ok(tx.opt(&ADD, row).await?.ok_or(Error::NotFound)?)
}
