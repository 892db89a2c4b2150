//! Payouts that a gateway transfers to the shop's account there.
//!
//! A transfer is requested under the payout's ID, and looked for before, so it is made once, whatever gets lost. From the
//! moment before a request until its outcome is known, `transfer_open` says that the money may be gone; until
//! then, the payout can't be rejected. What is refused for good goes back to the shop's balance; what is refused for now stays
//! approved, and is tried again.

use futures::future::join_all;
use tracing::Instrument;

use super::connect;
use crate::{
    Caller, Engine, TxResult, audit,
    bus::Topic,
    db::{Scalar, Tx},
    ledger,
    outbox::{self, OutboxMessage},
    params,
    payments::{GatewayError, Transfer, TransferOutcome, TransferRequest, call},
    rows, statements,
};
use haat_shared::{
    Conflict, Currency, Error, Money, Result,
    id::kinds::{PayoutId, PayoutMethodId, ShopId, UserId},
    ledger::{payout_rejected, payout_reversed, payout_transferred},
    payouts::{PayoutProblem, PayoutState},
    permissions::AdminPermission,
};

/// When a transfer is tried again after the approval, and how much longer it takes each time after that.
pub(super) const CHECK_MS: i64 = 60_000;
/// How often, and for how long, a transfer that was made is read again, in case the webhook of its reversal was lost.
const WATCH_MS: i64 = 24 * 3_600_000;
const WATCHED_MS: i64 = 30 * WATCH_MS;
/// The maximum length of what is kept of a gateway's words.
const NOTE_MAX: usize = 300;

statements! {
    FIND = "SELECT state, gateway, reference, currency, amount_minor FROM payouts WHERE id = $1 AND gateway IS NOT NULL";
    BEGIN = "UPDATE payouts SET transfer_open = TRUE WHERE id = $1 AND state = 'approved' AND gateway = $2
        RETURNING method_id, currency, amount_minor, transfer_refusals";
    ACCOUNT = "SELECT account_ref AS value FROM payout_methods WHERE id = $1 AND account_ref IS NOT NULL";
    MADE = "UPDATE payouts SET state = 'paid', reference = $3, reason = '', gateway_note = '', transfer_open = FALSE,
            sent_at = $2, paid_at = $2, transfer_at = $4
        WHERE id = $1 AND state = 'approved' AND gateway IS NOT NULL
        RETURNING shop_id, currency, amount_minor, ended_by, reason";
    // Unless another request has brought it further in the meantime.
    WAITS = "UPDATE payouts SET transfer_open = $3, transfer_refusals = transfer_refusals + $4, reason = $5, gateway_note = $6
        WHERE id = $1 AND state = 'approved' AND transfer_refusals = $2 AND gateway IS NOT NULL";
    REFUSED = "UPDATE payouts SET state = 'rejected', transfer_open = FALSE, transfer_at = NULL, reason = $3, gateway_note = $4,
            ended_at = $5
        WHERE id = $1 AND state = 'approved' AND transfer_refusals = $2 AND gateway IS NOT NULL
        RETURNING shop_id, currency, amount_minor, ended_by, reason";
    INTEND = "UPDATE payouts SET reason = $2, ended_by = $3, gateway_note = $4 WHERE id = $1 AND state = 'paid' AND gateway IS NOT NULL";
    REVERSED = "UPDATE payouts SET state = 'returned', transfer_at = NULL, ended_at = $2,
            reason = CASE WHEN reason = '' THEN $3 ELSE reason END
        WHERE id = $1 AND state = 'paid' AND gateway IS NOT NULL
        RETURNING shop_id, currency, amount_minor, ended_by, reason";
    EXISTS = "SELECT id AS value FROM payouts WHERE id = $1";
    RETRY = "UPDATE payouts SET transfer_at = $2 WHERE id = $1 AND state = 'approved' AND gateway IS NOT NULL";
    CLAIM_DUE = "UPDATE payouts SET transfer_checks = transfer_checks + 1,
            transfer_at = CASE WHEN state = 'approved' THEN $1 + $2 * (transfer_checks + 2)
                WHEN paid_at < $1 - $3 THEN NULL ELSE $1 + $4 END
        WHERE transfer_at <= $1 AND id IN (SELECT id FROM payouts WHERE transfer_at <= $1 ORDER BY transfer_at LIMIT $5)
        RETURNING id AS value";
}

rows! {
    struct FoundRow {
        state: PayoutState,
        gateway: String,
        reference: String,
        currency: Currency,
        amount_minor: i64,
    }

    struct BegunRow {
        method_id: PayoutMethodId,
        currency: Currency,
        amount_minor: i64,
        transfer_refusals: i64,
    }

    struct MovedRow {
        shop_id: ShopId,
        currency: Currency,
        amount_minor: i64,
        ended_by: Option<UserId>,
        reason: String,
    }
}

/// Makes the transfer of an approved payout, or finds out what became of one that was made. Repeating it does nothing twice.
pub async fn follow_transfer(engine: &Engine, id: PayoutId) -> TxResult<()> {
    let Some(found) = engine.db.opt::<FoundRow>(&FIND, params![id]).await? else { return Ok(()) };
    match found.state {
        PayoutState::Approved => attempt(engine, id, &found.gateway).await,
        PayoutState::Paid => {
            let Some((name, gateway)) = engine.connect().filter(|(name, _)| *name == found.gateway) else {
                return Ok(());
            };
            let read = gateway.read_transfer(&found.reference).instrument(call(name, "transfer", id));
            match read.await {
                Ok(transfer) => settle(engine, id, &transfer).await,
                Err(error) => {
                    tracing::warn!(payout.id = %id, %error, "a transfer could not be read");
                    Ok(())
                }
            }
        }
        _ => Ok(()),
    }
}

/// Tries transfers again that were not made, and reads those that were. Returns how many.
pub async fn follow_transfers(engine: &Engine) -> TxResult<usize> {
    const BATCH: i64 = 16;
    let due: Vec<Scalar<PayoutId>> = engine
        .db
        .write("payouts::claim_due", engine.clock.now_ms(), |tx, now| {
            Box::pin(async move {
                Ok(tx.all(&CLAIM_DUE, params![*now, CHECK_MS, WATCHED_MS, WATCH_MS, BATCH]).await?)
            })
        })
        .await?;
    join_all(due.iter().map(|due| follow_transfer(engine, due.0)))
        .await
        .into_iter()
        .collect::<TxResult<()>>()?;
    Ok(due.len())
}

/// A gateway reports that a transfer was made or changed.
pub(crate) async fn transfer_reported(engine: &Engine, reporter: &str, transfer: &str) -> Result<()> {
    let Some((name, gateway)) = engine.connect().filter(|(name, _)| *name == reporter) else { return Ok(()) };
    let read = gateway.read_transfer(transfer).instrument(call(name, "transfer", transfer));
    match read.await {
        Ok(transfer) => match transfer.payout {
            Some(id) => Ok(settle(engine, id, &transfer).await?),
            // The account may be used for other sales than those of this market.
            None => Ok(()),
        },
        Err(GatewayError::Unreachable(why)) => {
            tracing::warn!(gateway = name, error = why, "a transfer could not be read");
            Err(Error::Busy { retry_after_s: 2 })
        }
        Err(error) => {
            tracing::error!(gateway = name, transfer, %error, "a transfer that the gateway does not show: see there");
            Ok(())
        }
    }
}

/// Tries a transfer now that has not been made.
pub async fn retry_transfer(engine: &Engine, caller: &Caller, id: PayoutId) -> Result<()> {
    caller.admin(AdminPermission::ManagePayouts)?;
    let input = (id, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("payouts::retry", id), input, |tx, (id, by, now)| {
            Box::pin(async move {
                if tx.exec(&RETRY, params![*id, *now + CHECK_MS]).await? == 0 {
                    let found: Option<Scalar<PayoutId>> = tx.opt(&EXISTS, params![*id]).await?;
                    return Err(found.map_or(Error::NotFound, |_| Conflict::PayoutMoved.into()).into());
                }
                audit::write(tx, *by, "payouts::retry", *id, "", *now).await?;
                let message = outbox::row(OutboxMessage::PayoutApproved, *id, *now);
                tx.exec_many(&outbox::WRITE, &[message]).await?;
                TxResult::Ok(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

/// Takes a transfer back, if the payout was made by one; returns whether it was. The reason is stored before, so that it is
/// kept whoever learns first that the transfer was reversed. If the gateway refuses, its words are stored instead.
pub(super) async fn take_back(
    engine: &Engine,
    by: Option<UserId>,
    id: PayoutId,
    reason: &str,
) -> Result<bool> {
    let Some(found) = engine.db.opt::<FoundRow>(&FIND, params![id]).await? else { return Ok(false) };
    if found.state != PayoutState::Paid {
        return Err(Conflict::PayoutMoved.into());
    }
    let connect = engine.connect().filter(|(name, _)| *name == found.gateway);
    let (name, gateway) = connect.ok_or(Conflict::PayoutMoved)?;
    intend(engine, id, (reason, ""), by).await?;
    let mut refusal = String::new();
    let reverse = gateway.reverse(&found.reference).instrument(call(name, "reverse", id));
    let transfer = match reverse.await {
        // Perhaps it was reversed before.
        Err(GatewayError::Refused(why)) => {
            tracing::warn!(payout.id = %id, why, "a transfer was not reversed");
            refusal = clip(&why);
            gateway.read_transfer(&found.reference).await
        }
        reversed => reversed,
    };
    match transfer {
        Ok(transfer) if transfer.is_reversed() => {
            settle(engine, id, &transfer).await?;
            Ok(true)
        }
        Ok(_) => {
            intend(engine, id, ("", &refusal), None).await?;
            Err(Conflict::PayoutMoved.into())
        }
        Err(error) => {
            tracing::warn!(payout.id = %id, %error, "it is unknown whether a transfer was reversed");
            Err(Error::Busy { retry_after_s: 2 })
        }
    }
}

async fn intend(
    engine: &Engine,
    id: PayoutId,
    (reason, note): (&str, &str),
    by: Option<UserId>,
) -> TxResult<()> {
    let input = (id, reason.to_owned(), by, note.to_owned());
    engine
        .db
        .write(("payouts::intend", id), input, |tx, (id, reason, by, note)| {
            Box::pin(async move {
                tx.exec(&INTEND, params![*id, reason, *by, note]).await?;
                Ok(())
            })
        })
        .await
}

/// Requests the transfer of an approved payout.
async fn attempt(engine: &Engine, id: PayoutId, gateway: &str) -> TxResult<()> {
    let Some((name, connect)) = engine.connect().filter(|(name, _)| *name == gateway) else {
        tracing::error!(payout.id = %id, gateway, "a payout can't be transferred: its gateway is not enabled");
        return Ok(());
    };
    let begun = engine
        .db
        .write(("payouts::begin_transfer", id), (id, name), |tx, (id, name)| {
            Box::pin(async move {
                let Some(begun) = tx.opt::<BegunRow>(&BEGIN, params![*id, *name]).await? else {
                    return Ok(None);
                };
                let account: Option<Scalar<String>> = tx.opt(&ACCOUNT, params![begun.method_id]).await?;
                let account = account.ok_or_else(|| crate::bug("a payout to no account"))?.0;
                TxResult::Ok(Some((begun, account)))
            })
        })
        .await?;
    let Some((begun, account)) = begun else { return Ok(()) };
    let (refusals, amount) = (begun.transfer_refusals, Money::new(begun.amount_minor, begun.currency));
    let request = TransferRequest { payout: id, refusals, account: account.clone(), amount };
    let outcome = connect.transfer(&request).instrument(call(name, "transfer", id)).await;
    match outcome {
        Ok(TransferOutcome::Made(transfer)) => settle(engine, id, &transfer).await,
        Ok(TransferOutcome::NoFunds(why)) => {
            tracing::warn!(payout.id = %id, why, "a transfer waits for the balance at the gateway");
            waits(engine, id, refusals, PayoutProblem::Funds, &why).await
        }
        Ok(TransferOutcome::Refused(problem, why)) => {
            tracing::error!(payout.id = %id, why, "a transfer was refused");
            refused(engine, id, refusals, problem, &why).await?;
            connect::doubt(engine, &account).await;
            Ok(())
        }
        Err(error) => {
            tracing::warn!(payout.id = %id, %error, "it is unknown whether a transfer was made");
            waits(engine, id, refusals, PayoutProblem::Unreachable, &error.to_string()).await
        }
    }
}

async fn waits(
    engine: &Engine,
    id: PayoutId,
    refusals: i64,
    problem: PayoutProblem,
    why: &str,
) -> TxResult<()> {
    let open = problem == PayoutProblem::Unreachable;
    engine
        .db
        .write(
            ("payouts::waits", id),
            (id, refusals, open, problem, clip(why)),
            |tx, (id, refusals, open, problem, why)| {
                Box::pin(async move {
                    let more = i64::from(!*open);
                    tx.exec(&WAITS, params![*id, *refusals, *open, more, problem.as_str(), why]).await?;
                    Ok(())
                })
            },
        )
        .await
}

async fn refused(
    engine: &Engine,
    id: PayoutId,
    refusals: i64,
    problem: PayoutProblem,
    why: &str,
) -> TxResult<()> {
    let input = (id, refusals, problem, clip(why), engine.clock.now_ms());
    engine
        .db
        .write(("payouts::refused", id), input, |tx, (id, refusals, problem, why, now)| {
            Box::pin(async move {
                let moved: Option<MovedRow> =
                    tx.opt(&REFUSED, params![*id, *refusals, problem.as_str(), why, *now]).await?;
                let Some(moved) = moved else { return Ok(()) };
                let posting = payout_rejected(moved.shop_id, moved.amount())?;
                let step = ("payouts::reject", why.as_str(), OutboxMessage::PayoutRejected);
                note_in_tx(tx, *id, None, step, *now).await?;
                ledger::post(tx, &[(posting, *id)], *now).await
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

/// Books what a gateway says of a transfer: it was made, and perhaps reversed.
async fn settle(engine: &Engine, id: PayoutId, transfer: &Transfer) -> TxResult<()> {
    let Some(found) = engine.db.opt::<FoundRow>(&FIND, params![id]).await? else { return Ok(()) };
    let amount = Money::new(found.amount_minor, found.currency);
    let known = found.reference.is_empty() || found.reference == transfer.id;
    if transfer.amount != amount || !known {
        tracing::error!(payout.id = %id, transfer = transfer.id, amount = %transfer.amount, "a transfer that is not the payout's: see there");
        return Ok(());
    }
    let is_reversed = transfer.is_reversed();
    if !is_reversed && transfer.reversed.amount() > 0 {
        tracing::error!(payout.id = %id, reversed = %transfer.reversed, "a transfer was reversed in part: book it by hand");
    }
    let done = match found.state {
        PayoutState::Approved | PayoutState::Paid => (found.state == PayoutState::Approved, is_reversed),
        PayoutState::Returned => return Ok(()),
        state => {
            tracing::error!(payout.id = %id, transfer = transfer.id, state = state.as_str(), "a payout was transferred that shouldn't have been");
            return Ok(());
        }
    };
    let input = (id, transfer.id.clone(), done, engine.clock.now_ms());
    engine
        .db
        .write(("payouts::settle", id), input, |tx, (id, transfer, (made, reversed), now)| {
            Box::pin(async move {
                if *made {
                    made_in_tx(tx, *id, transfer, *now).await?;
                }
                if *reversed {
                    reversed_in_tx(tx, *id, *now).await?;
                }
                Ok(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

async fn made_in_tx(tx: &mut Tx, id: PayoutId, transfer: &str, now: i64) -> TxResult<()> {
    let moved: Option<MovedRow> = tx.opt(&MADE, params![id, now, transfer, now + WATCH_MS]).await?;
    let Some(moved) = moved else { return Ok(()) };
    note_in_tx(tx, id, None, ("payouts::transfer", transfer, OutboxMessage::PayoutSent), now).await?;
    ledger::post(tx, &[(payout_transferred(moved.amount())?, id)], now).await
}

async fn reversed_in_tx(tx: &mut Tx, id: PayoutId, now: i64) -> TxResult<()> {
    let moved: Option<MovedRow> =
        tx.opt(&REVERSED, params![id, now, PayoutProblem::Reversed.as_str()]).await?;
    let Some(moved) = moved else { return Ok(()) };
    let step = ("payouts::return", moved.reason.as_str(), OutboxMessage::PayoutReturned);
    note_in_tx(tx, id, moved.ended_by, step, now).await?;
    ledger::post(tx, &[(payout_reversed(moved.shop_id, moved.amount())?, id)], now).await
}

/// A step of a payout in the audit log, and the email about it.
async fn note_in_tx(
    tx: &mut Tx,
    id: PayoutId,
    by: Option<UserId>,
    (action, note, message): (&'static str, &str, OutboxMessage),
    now: i64,
) -> TxResult<()> {
    audit::write(tx, by, action, id, note, now).await?;
    tx.exec_many(&outbox::WRITE, &[outbox::row(message, id, now)]).await?;
    Ok(())
}

impl MovedRow {
    fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }
}

fn clip(why: &str) -> String {
    why.chars().take(NOTE_MAX).collect()
}
