//! Giving money back.

use crate::{Engine, Tried, fault, ledger, params, rows, statements};
use haat_shared::{
    Currency, Money,
    id::kinds::{PaymentId, RefundId},
    ledger::unwanted_refund,
    payments::Method,
};

statements! {
    pub(crate) QUEUE = "INSERT INTO refunds (id, payment_id, amount_minor, reason, state, created_at)
        VALUES ($1, $2, $3, 'unwanted', 'queued', $4)";
    FIND = "SELECT r.id, r.payment_id, r.amount_minor, p.currency, p.method, p.gateway_ref
        FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.id = $1 AND r.state = 'queued'";
    DONE = "UPDATE refunds SET state = 'done', done_at = $2 WHERE id = $1 AND state = 'queued'";
    GIVEN_BACK = "UPDATE payments SET refunded_minor = refunded_minor + $2, state = 'refunded', updated_at = $3
        WHERE id = $1 AND refunded_minor + $2 <= captured_minor";
}

rows! {
    #[derive(Debug, Clone)]
    struct RefundRow {
        id: RefundId,
        payment_id: PaymentId,
        amount_minor: i64,
        currency: Currency,
        method: Method,
        gateway_ref: Option<String>,
    }
}

/// Gives a queued refund back through its gateway and books it. Done twice, it is given back once.
pub async fn refund(engine: &Engine, id: RefundId) -> Tried<()> {
    let Some(row) = engine.db.opt::<RefundRow>(&FIND, params![id]).await? else { return Ok(()) };
    let gateway_ref =
        row.gateway_ref.as_deref().ok_or_else(|| fault("a captured payment without a reference"))?;
    let amount = Money::new(row.amount_minor, row.currency);
    engine
        .gateway(row.method)?
        .refund(gateway_ref, row.id, amount)
        .await
        .map_err(|error| fault(format!("refund {id}: {error}")))?;
    engine
        .db
        .write("payments::refunded", (row, amount, engine.clock.now_ms()), |tx, (row, amount, now)| {
            Box::pin(async move {
                if tx.exec(&DONE, params![row.id, *now]).await? == 0 {
                    return Ok(());
                }
                ledger::post(tx, &[(unwanted_refund(*amount)?, row.id)], *now).await?;
                if tx.exec(&GIVEN_BACK, params![row.payment_id, row.amount_minor, *now]).await? == 0 {
                    return Err(fault("more would be given back than was captured"));
                }
                Ok(())
            })
        })
        .await
}
