//! The ledger: writes the postings that `haat_shared::ledger` determines, and shows shops their own.

use uuid::Uuid;

use crate::{
    Caller, Engine, cursor,
    db::{Tx, Value},
    insert, params, random, rows, statements,
};
use haat_shared::{
    Currency, Id, Money, Result,
    id::kinds::{PostingId, ShopId},
    ledger::{Account, Balance, BalanceEntry, Posting, PostingKind},
    page::{self, Page, PageRequest},
    permissions::Permission,
};

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

statements! {
    POST = "INSERT INTO ledger_postings (id, kind, reference, created_at) VALUES [($1, $2, $3, $4)]";
    TOTAL = "SELECT s.currency, (SELECT CAST(COALESCE(-SUM(e.amount_minor), 0) AS BIGINT) FROM ledger_entries e
            WHERE e.shop_id = $1 AND e.currency = s.currency) AS total,
        (SELECT CAST(COALESCE(SUM(CASE WHEN p.method = 'cash' THEN -o.commission_minor
                ELSE o.total_minor - o.commission_minor END), 0) AS BIGINT)
            FROM orders o JOIN purchases p ON p.id = o.purchase_id
            WHERE o.shop_id = $1 AND o.state IN ('placed', 'confirmed', 'shipped')) AS pending
        FROM shops s WHERE s.id = $1";
    ENTRIES = "SELECT e.posting_id, e.currency, -e.amount_minor AS amount_minor, p.kind, p.created_at, o.number
        FROM ledger_entries e JOIN ledger_postings p ON p.id = e.posting_id LEFT JOIN orders o ON o.id = p.reference
        WHERE e.shop_id = $1 AND e.posting_id < $2 ORDER BY e.posting_id DESC LIMIT $3";
}

insert! {
    struct AddEntry into ledger_entries {
        posting_id: PostingId,
        line: i64,
        account: Account,
        shop_id: Option<ShopId>,
        currency: Currency,
        amount_minor: i64,
    }
}

rows! {
    struct TotalRow {
        currency: Currency,
        total: i64,
        pending: i64,
    }

    struct EntryRow {
        posting_id: PostingId,
        currency: Currency,
        amount_minor: i64,
        kind: PostingKind,
        created_at: i64,
        number: Option<String>,
    }
}

/// A shop's balance, for members who may see its money. An order counts as pending until it is delivered,
/// whoever collected the money.
pub async fn balance(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    of: impl Into<PageRequest<'_>>,
) -> Result<Balance> {
    let (shop, of) = (caller.shop(handle, Permission::SeeMoney)?, of.into());
    let before = cursor(of.after)?.unwrap_or(PostingId::from_uuid(Uuid::max()));
    let size = page::rows(of.limit, PAGE_SIZE);
    let row: TotalRow = engine.db.one(&TOTAL, params![shop]).await?;
    let entries: Vec<EntryRow> = engine.db.all(&ENTRIES, params![shop, before, size as i64 + 1]).await?;
    let entries = Page::cut(entries, size, |entry| entry.posting_id.to_string());
    let pending = Money::new(row.pending, row.currency);
    Ok(Balance {
        pending,
        available: Money::new(row.total, row.currency).minus(pending)?,
        entries: entries.map(|entry| BalanceEntry {
            kind: entry.kind,
            created_at: caller.time(engine, entry.created_at),
            order_number: entry.number,
            amount: Money::new(entry.amount_minor, entry.currency),
        }),
    })
}

/// Writes postings, each about the object with the given ID. The same action on the same object a second
/// time violates a unique key, which rejects the whole transaction.
pub(crate) async fn post<K>(tx: &mut Tx, postings: &[(Posting, Id<K>)], now: i64) -> crate::TxResult<()> {
    let mut rows: Vec<[Value; 4]> = Vec::new();
    let mut entries = Vec::new();
    for (posting, reference) in postings {
        let id: PostingId = random::id(now);
        rows.push([id.into(), posting.kind.as_str().into(), (*reference).into(), now.into()]);
        for (line, entry) in (1i64..).zip(&posting.entries) {
            entries.push(AddEntry {
                posting_id: id,
                line,
                account: entry.account,
                shop_id: entry.shop,
                currency: entry.amount.currency(),
                amount_minor: entry.amount.amount(),
            });
        }
    }
    tx.exec_many(&POST, &rows).await?;
    tx.insert_all(entries).await?;
    Ok(())
}
