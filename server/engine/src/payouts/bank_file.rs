//! Files of the approved payouts, for the bank. Only they contain whole accounts, so each download is in the audit log.

use crate::{
    Caller, Engine, TxResult, audit, bug,
    clock::rfc3339,
    params, rows,
    spreadsheet::{escaped, table},
    statements,
};
use haat_shared::{
    Currency, Error, Money, Result,
    id::kinds::PayoutId,
    payouts::{
        PayoutAccount,
        bank_file::{Transfer, end_to_end_id, pain_001},
    },
    permissions::AdminPermission,
};

/// The most payouts of a file. The others are in the next one, once these were sent.
const TRANSFERS_MAX: i64 = 1_000;

statements! {
    APPROVED = "SELECT p.id, p.number, p.currency, p.amount_minor, m.holder, m.details, s.handle
        FROM payouts p JOIN payout_methods m ON m.id = p.method_id JOIN shops s ON s.id = p.shop_id
        WHERE p.state = 'approved' AND p.gateway IS NULL ORDER BY p.id LIMIT $1";
}

rows! {
    struct ApprovedRow {
        id: PayoutId,
        number: String,
        currency: Currency,
        amount_minor: i64,
        holder: String,
        details: String,
        handle: String,
    }
}

const COLUMNS: [&str; 8] = ["payout", "shop", "type", "holder", "account", "ifsc", "amount", "currency"];

/// The approved payouts as a table.
pub async fn as_csv(engine: &Engine, caller: &Caller) -> Result<Vec<u8>> {
    let transfers = approved(engine, caller, "csv").await?;
    table(|table| {
        table.write_record(COLUMNS)?;
        transfers.iter().try_for_each(|(handle, transfer)| {
            let (account, ifsc) = match &transfer.account {
                PayoutAccount::Iban { iban } => (iban.as_str(), ""),
                PayoutAccount::India { number, ifsc } => (number.as_str(), ifsc.as_str()),
                PayoutAccount::Paypal { email } => (email.as_str(), ""),
                PayoutAccount::Stripe { account } => (account.as_str(), ""),
            };
            table.write_record([
                end_to_end_id(transfer.payout).as_str(),
                handle,
                transfer.account.kind().as_str(),
                &escaped(&transfer.holder),
                &escaped(account),
                ifsc,
                &transfer.amount.plain(),
                transfer.amount.currency().code(),
            ])
        })
    })
}

/// The approved payouts to bank accounts as a `pain.001` file. Not found if no account to pay from is configured.
pub async fn as_pain_001(engine: &Engine, caller: &Caller) -> Result<Vec<u8>> {
    caller.admin(AdminPermission::ManagePayouts)?;
    let payer = engine.payouts.payer.as_ref().ok_or(Error::NotFound)?;
    let transfers = approved(engine, caller, "pain.001").await?;
    let transfers: Vec<Transfer> = transfers.into_iter().map(|(_, transfer)| transfer).collect();
    Ok(pain_001(payer, &transfers, &rfc3339(engine.clock.now_ms())).into_bytes())
}

/// The approved payouts, each with the handle of its shop.
async fn approved(engine: &Engine, caller: &Caller, format: &'static str) -> Result<Vec<(String, Transfer)>> {
    caller.admin(AdminPermission::ManagePayouts)?;
    let rows: Vec<ApprovedRow> = engine.db.all(&APPROVED, params![TRANSFERS_MAX]).await?;
    let ids: Vec<PayoutId> = rows.iter().map(|row| row.id).collect();
    let input = (ids, caller.user_id(), format, engine.clock.now_ms());
    engine
        .db
        .write("payouts::bank_file", input, |tx, (ids, by, format, now)| {
            Box::pin(async move { audit::write_each(tx, *by, "payouts::bank_file", ids, format, *now).await })
        })
        .await?;
    let transfer = |row: ApprovedRow| -> TxResult<(String, Transfer)> {
        let account =
            serde_json::from_str(&row.details).map_err(|e| bug(format!("the account of {}: {e}", row.id)))?;
        let amount = Money::new(row.amount_minor, row.currency);
        // What the seller reads on their statement; banks take no more than ASCII.
        let about = format!("Payout {} {}", row.number, row.handle);
        Ok((row.handle, Transfer { payout: row.id, amount, holder: row.holder, account, about }))
    };
    Ok(rows.into_iter().map(transfer).collect::<TxResult<Vec<_>>>()?)
}
