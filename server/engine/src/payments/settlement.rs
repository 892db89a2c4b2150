//! Settlements: transfers of gateways to the market's bank account. Posted once the gateway reports that the money arrived.

use tracing::Instrument;

use super::{error::GatewayError, gateway};
use crate::{Engine, TxResult, db::Tx, insert, ledger, params, random, rows, statements};
use haat_shared::{
    Currency, Error, Money, Result,
    id::kinds::SettlementId,
    ledger::{settled, settlement_failed},
};

statements! {
    // Locks it for the rest of the transaction.
    LOCK = "UPDATE settlements SET currency = currency WHERE gateway_ref = $1 AND gateway = $2 RETURNING id, state";
    MOVE = "UPDATE settlements SET state = $2 WHERE id = $1";
}

insert! {
    struct AddSettlement<'a> into settlements {
        id: SettlementId,
        gateway: &'a str,
        gateway_ref: &'a str,
        currency: Currency,
        amount_minor: i64,
        created_at: i64;
        state = "'pending'",
    } "ON CONFLICT (gateway_ref, gateway) DO NOTHING"
}

rows! {
    struct SettlementRow {
        id: SettlementId,
        state: String,
    }
}

/// A gateway reports that it transfers money to the bank, or that the transfer changed.
pub(super) async fn reported(engine: &Engine, name: &str, gateway_ref: &str) -> Result<()> {
    let span = gateway::call(name, "payout", gateway_ref);
    let found = match engine.gateway(name)?.payout(gateway_ref).instrument(span).await {
        Ok(found) => found,
        Err(GatewayError::Unreachable(why)) => {
            tracing::warn!(gateway = name, error = why, "a payout could not be read");
            return Err(Error::Busy { retry_after_s: 2 });
        }
        Err(error) => {
            tracing::info!(gateway = name, gateway_ref, %error, "a payout that the gateway does not show");
            return Ok(());
        }
    };
    let Some(paid) = found.paid else { return Ok(()) };
    let about = (name.to_owned(), gateway_ref.to_owned());
    let input = (about, found.amount, paid, engine.clock.now_ms());
    engine
        .db
        .write("payments::settlement", input, |tx, ((gateway, gateway_ref), amount, paid, now)| {
            Box::pin(apply_in_tx(tx, gateway, gateway_ref, *amount, *paid, *now))
        })
        .await?;
    Ok(())
}

async fn apply_in_tx(
    tx: &mut Tx,
    gateway: &str,
    gateway_ref: &str,
    amount: Money,
    paid: bool,
    now: i64,
) -> TxResult<()> {
    let (id, currency, amount_minor) = (random::id(now), amount.currency(), amount.amount());
    tx.insert(AddSettlement { id, gateway, gateway_ref, currency, amount_minor, created_at: now }).await?;
    let Some(row) = tx.opt::<SettlementRow>(&LOCK, params![gateway_ref, gateway]).await? else {
        return Ok(());
    };
    // A transfer may fail after it was reported as paid, but never the other way round.
    let (state, posting) = match (row.state.as_str(), paid) {
        ("pending", true) => ("paid", Some(settled(amount)?)),
        ("pending", false) => ("failed", None),
        ("paid", false) => ("failed", Some(settlement_failed(amount)?)),
        _ => return Ok(()),
    };
    tx.exec(&MOVE, params![row.id, state]).await?;
    match posting {
        Some(posting) => ledger::post(tx, &[(posting, row.id)], now).await,
        None => Ok(()),
    }
}

impl From<SettlementId> for ledger::Reference {
    fn from(settlement: SettlementId) -> Self {
        Self::new(settlement.uuid(), None)
    }
}
