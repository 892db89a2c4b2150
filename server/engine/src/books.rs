//! The books: the trial balance of the market, and the statement of a shop.

use crate::{
    Caller, Engine, currencies,
    db::Scalar,
    params, rows,
    spreadsheet::{Exported, table},
    statements,
};
use haat_shared::{
    Currency, Error, Money, Result,
    id::kinds::{PostingId, ShopId},
    ledger::{Account, AccountBalance, PostingKind, TrialBalance},
    money::convert,
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
    SHOP_NAME = "SELECT name AS value FROM shops WHERE id = $1";
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
        exchange_difference: exchange_difference(engine, &accounts).await?,
        accounts,
        batch: seal.as_ref().map(|seal| seal.number),
        seal: seal.as_ref().map(|seal| crate::seals::hex(&seal.seal)),
        sealed_at: seal.map(|seal| caller.time(engine, seal.sealed_at)),
        unsealed,
    })
}

/// What the account `exchange` would bring at today's rates.
async fn exchange_difference(engine: &Engine, accounts: &[AccountBalance]) -> Result<Option<Money>> {
    let exchanged: Vec<_> = accounts.iter().filter(|each| each.account == Account::Exchange).collect();
    if exchanged.is_empty() {
        return Ok(None);
    }
    let rates = currencies::list(engine, &Caller::system()).await?;
    let mut difference = Money::zero(engine.currency);
    for AccountBalance { balance, .. } in exchanged {
        let rate = rates.iter().find(|card| card.currency == balance.currency()).and_then(|card| card.rate);
        let worth = rate.and_then(|rate| convert(*balance, rate.inverse(), engine.currency));
        let Some(worth) = worth else { return Ok(None) };
        difference = difference.minus(worth)?;
    }
    Ok(Some(difference))
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
    let Part { before, lines, next } = part(engine, shop, (from, to), after).await?;
    let text = table(|table| {
        if begins {
            table.write_record(COLUMNS)?;
        }
        if begins && period.is_custom() {
            for total in &before {
                let (currency, total) = (total.currency(), total.plain());
                table.write_record([
                    "",
                    &engine.zone.cell(from),
                    "opening_balance",
                    "",
                    currency.code(),
                    "",
                    &total,
                ])?;
            }
        }
        for (row, balance) in lines {
            table.write_record([
                row.id.to_string().as_str(),
                &engine.zone.cell(row.created_at),
                row.kind.as_str(),
                row.number.as_deref().unwrap_or_default(),
                row.currency.code(),
                &Money::new(row.total, row.currency).plain(),
                &balance.plain(),
            ])?;
        }
        Ok(())
    })?;
    Ok(Exported { text, next })
}

/// A part of a statement.
struct Part {
    /// The balances before it.
    before: Vec<Money>,
    /// Its transactions, each with the balance after it.
    lines: Vec<(LineRow, Money)>,
    next: Option<After>,
}

async fn part(engine: &Engine, shop: ShopId, (from, to): (i64, i64), after: Option<After>) -> Result<Part> {
    let After { posting, mut balances } = match after {
        Some(after) => after,
        None => {
            After { posting: PostingId::from_uuid(Uuid::nil()), balances: opening(engine, shop, from).await? }
        }
    };
    let of = |(code, total): (&String, &i64)| code.parse().ok().map(|currency| Money::new(*total, currency));
    let before = balances.iter().filter_map(of).collect();
    let rows: Vec<LineRow> = engine.db.all(&LINES, params![shop, posting, from, to, PART as i64 + 1]).await?;
    let more = rows.len() > PART;
    // A posting in two currencies would be cut in two; postings have one.
    let rows: Vec<_> = rows.into_iter().take(PART).collect();
    let last = rows.last().map(|row| row.id).filter(|_| more);
    let mut lines = Vec::new();
    for row in rows {
        let balance = balances.entry(row.currency.code().to_owned()).or_default();
        *balance += row.total;
        let balance = Money::new(*balance, row.currency);
        lines.push((row, balance));
    }
    Ok(Part { before, lines, next: last.map(|posting| After { posting, balances }) })
}

/// The maximum number of transactions of a whole statement.
pub const STATEMENT_MAX: usize = 5_000;

/// A shop's statement as a whole.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The shop's name.
    pub shop_name: String,
    /// The first and the last day, at their beginning; `None` for everything.
    pub period: Option<(String, String)>,
    /// The balances before it, by currency. Empty for everything.
    pub opening: Vec<Money>,
    /// The transactions, oldest first.
    pub lines: Vec<StatementLine>,
    /// Whether there are more than [`STATEMENT_MAX`], which are left out.
    pub cut: bool,
}

/// A transaction of a statement.
#[derive(Debug, Clone)]
pub struct StatementLine {
    /// When: RFC 3339.
    pub at: String,
    /// What it was.
    pub kind: PostingKind,
    /// The number of its order. May be empty.
    pub order: String,
    /// The change of the balance.
    pub amount: Money,
    /// The balance after it.
    pub balance: Money,
}

/// The statement that [`statement`] returns in parts, for members who may see the shop's money.
pub async fn whole_statement(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    period: &AskedPeriod,
) -> Result<Statement> {
    let shop = caller.shop(handle, Permission::SeeMoney)?;
    let span = span(engine, period)?;
    let name: Option<Scalar<String>> = engine.db.opt(&SHOP_NAME, params![shop]).await?;
    let mut statement = Statement {
        shop_name: name.ok_or(Error::NotFound)?.0,
        period: period.is_custom().then(|| (caller.time(engine, span.0), caller.time(engine, span.1 - 1))),
        opening: Vec::new(),
        lines: Vec::new(),
        cut: false,
    };
    let mut after = None;
    loop {
        let begins = after.is_none();
        let Part { before, lines, next } = part(engine, shop, span, after).await?;
        if begins && period.is_custom() {
            statement.opening = before;
        }
        statement.lines.extend(lines.into_iter().map(|(row, balance)| StatementLine {
            at: caller.time(engine, row.created_at),
            kind: row.kind,
            order: row.number.unwrap_or_default(),
            amount: Money::new(row.total, row.currency),
            balance,
        }));
        after = next;
        if after.is_none() {
            return Ok(statement);
        }
        if statement.lines.len() >= STATEMENT_MAX {
            return Ok(Statement { cut: true, ..statement });
        }
    }
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
