//! The books: the trial balance of the market, and the statement of a shop.

use crate::{
    Caller, Engine,
    db::Scalar,
    params, rows,
    spreadsheet::{Exported, table},
    statements,
};
use haat_shared::{
    Currency, Error, Money, Result,
    id::kinds::{PostingId, ShopId},
    ledger::{Account, AccountBalance, PostingKind, TrialBalance},
    permissions::{AdminPermission, Permission},
    sales::AskedPeriod,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The number of rows of a statement that are read at a time.
const PART: usize = 100;

const COLUMNS: [&str; 7] = ["posting", "time", "type", "order", "currency", "amount", "balance"];

statements! {
    BALANCES = "SELECT currency, account, CAST(SUM(amount_minor) AS BIGINT) AS total FROM ledger_entries
        GROUP BY currency, account";
    LAST_SEAL = "SELECT number, seal, sealed_at FROM ledger_batches ORDER BY number DESC LIMIT 1";
    UNSEALED = "SELECT COUNT(*) AS value FROM ledger_postings WHERE batch IS NULL";
    // Releases move earnings between a shop's accounts, so they do not change its balance. What is held for a dispute is no part
    // of it.
    OPENING = "SELECT e.currency, CAST(-SUM(e.amount_minor) AS BIGINT) AS total
        FROM ledger_entries e JOIN ledger_postings p ON p.id = e.posting_id
        WHERE e.shop_id = $1 AND p.created_at < $2 AND p.kind <> 'released' AND e.account <> 'seller_disputed'
        GROUP BY e.currency";
    LINES = "SELECT p.id, p.created_at, p.kind, o.number, e.currency, CAST(-SUM(e.amount_minor) AS BIGINT) AS total
        FROM ledger_entries e JOIN ledger_postings p ON p.id = e.posting_id LEFT JOIN orders o ON o.id = p.order_id
        WHERE e.shop_id = $1 AND e.posting_id > $2 AND p.created_at >= $3 AND p.created_at < $4 AND p.kind <> 'released'
            AND e.account <> 'seller_disputed'
        GROUP BY p.id, p.created_at, p.kind, o.number, e.currency ORDER BY p.id, e.currency LIMIT $5";
}

rows! {
    struct BalanceRow {
        currency: Currency,
        account: Account,
        total: i64,
    }

    struct SealRow {
        number: i64,
        seal: Vec<u8>,
        sealed_at: i64,
    }

    struct OpeningRow {
        currency: Currency,
        total: i64,
    }

    struct LineRow {
        id: PostingId,
        created_at: i64,
        kind: PostingKind,
        number: Option<String>,
        currency: Currency,
        total: i64,
    }
}

/// The balance of every account. The debits and credits of each currency are equal.
pub async fn trial_balance(engine: &Engine, caller: &Caller) -> Result<TrialBalance> {
    caller.admin(AdminPermission::SeeBalances)?;
    let rows: Vec<BalanceRow> = engine.db.all(&BALANCES, params![]).await?;
    let mut accounts: Vec<_> = rows
        .into_iter()
        .map(|row| AccountBalance { account: row.account, balance: Money::new(row.total, row.currency) })
        .collect();
    let own = |currency: Currency| currency != engine.currency;
    // The market's own currency comes first.
    accounts.sort_by_key(|each| {
        let currency = each.balance.currency();
        (own(currency), currency.code().to_owned(), each.account)
    });
    let seal: Option<SealRow> = engine.db.opt(&LAST_SEAL, params![]).await?;
    let unsealed = engine.db.one::<Scalar<i64>>(&UNSEALED, params![]).await?.0;
    Ok(TrialBalance {
        accounts,
        batch: seal.as_ref().map(|seal| seal.number),
        seal: seal.as_ref().map(|seal| crate::seals::hex(&seal.seal)),
        sealed_at: seal.map(|seal| caller.time(engine, seal.sealed_at)),
        unsealed,
    })
}

/// The trial balance as a table.
pub async fn trial_balance_table(engine: &Engine, caller: &Caller) -> Result<Vec<u8>> {
    let TrialBalance { accounts, .. } = trial_balance(engine, caller).await?;
    table(|table| {
        table.write_record(["currency", "account", "debit", "credit"])?;
        for AccountBalance { account, balance } in &accounts {
            let (debit, credit) = sides(*balance);
            table.write_record([balance.currency().code(), account.as_str(), &debit, &credit])?;
        }
        Ok(())
    })
}

/// An amount in the column for debits or for credits.
fn sides(balance: Money) -> (String, String) {
    match balance.amount() {
        1.. => (balance.plain(), String::new()),
        0 => (String::new(), String::new()),
        amount => (String::new(), Money::new(-amount, balance.currency()).plain()),
    }
}

/// Where the next part of a statement begins: after a posting, with these balances.
#[derive(Debug, Clone)]
pub struct After {
    posting: PostingId,
    balances: BTreeMap<String, i64>,
}

/// A part of a shop's statement as a table, oldest first, for members who may see its money: each transaction with the
/// balance after it, by currency. The period is everything unless dates are given; then it begins with the balances
/// before it. Times are those of the market.
pub async fn statement(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    period: &AskedPeriod,
    after: Option<After>,
) -> Result<Exported<After>> {
    let shop = caller.shop(handle, Permission::SeeMoney)?;
    let (from, to) = span(engine, period)?;
    let begins = after.is_none();
    let After { posting, mut balances } = match after {
        Some(after) => after,
        None => {
            After { posting: PostingId::from_uuid(Uuid::nil()), balances: opening(engine, shop, from).await? }
        }
    };
    let before = balances.clone();
    let rows: Vec<LineRow> = engine.db.all(&LINES, params![shop, posting, from, to, PART as i64 + 1]).await?;
    let more = rows.len() > PART;
    // A posting in two currencies would be cut in two; postings have one.
    let rows: Vec<_> = rows.into_iter().take(PART).collect();
    let next = rows.last().map(|row| row.id).filter(|_| more);
    let money = |amount: i64, currency| Money::new(amount, currency).plain();
    let text = table(|table| {
        if begins {
            table.write_record(COLUMNS)?;
        }
        if begins && period.is_custom() {
            for (code, total) in &before {
                let total = code.parse().map_or(String::new(), |currency| money(*total, currency));
                table.write_record(["", &engine.zone.cell(from), "opening_balance", "", code, "", &total])?;
            }
        }
        for row in rows {
            let balance = balances.entry(row.currency.code().to_owned()).or_default();
            *balance += row.total;
            table.write_record([
                row.id.to_string().as_str(),
                &engine.zone.cell(row.created_at),
                row.kind.as_str(),
                row.number.as_deref().unwrap_or_default(),
                row.currency.code(),
                &money(row.total, row.currency),
                &money(*balance, row.currency),
            ])?;
        }
        Ok(())
    })?;
    Ok(Exported { text, next: next.map(|posting| After { posting, balances }) })
}

async fn opening(engine: &Engine, shop: ShopId, from: i64) -> Result<BTreeMap<String, i64>> {
    let rows: Vec<OpeningRow> = engine.db.all(&OPENING, params![shop, from]).await?;
    Ok(rows.into_iter().map(|row| (row.currency.code().to_owned(), row.total)).collect())
}

/// The first and the last millisecond of a period, the last one exclusive.
fn span(engine: &Engine, period: &AskedPeriod) -> Result<(i64, i64)> {
    if !period.is_custom() {
        return Ok((0, i64::MAX));
    }
    let (from, to) = period.check(engine.zone.day(engine.clock.now_ms())).map_err(Error::Invalid)?;
    Ok((engine.zone.begins(from), engine.zone.begins(to + 1)))
}
