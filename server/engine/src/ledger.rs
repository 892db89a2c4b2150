//! The ledger: writes the postings that `haat_shared::ledger` determines, and shows shops their own.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    Caller, Engine, TxResult, cursor,
    db::{Scalar, Tx},
    insert, params, random, rows, statements,
};
use haat_shared::{
    Currency, Error, Money, Result,
    id::kinds::{OrderId, PaymentId, PayoutId, PostingId, RefundId, ShopId},
    ledger::{Account, Balance, BalanceEntry, CurrencyBalance, Posting, PostingKind},
    page::{self, Page, PageRequest},
    permissions::Permission,
};

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

statements! {
    // A row per currency; one at least, in the shop's own if it has no entries.
    TOTALS = "SELECT s.currency AS own_currency, COALESCE(e.currency, s.currency) AS currency,
            CAST(COALESCE(-SUM(e.amount_minor), 0) AS BIGINT) AS total,
            CAST(COALESCE(-SUM(CASE WHEN e.account = 'seller_pending' THEN e.amount_minor END), 0) AS BIGINT) AS pending,
            CAST(COALESCE(-SUM(CASE WHEN e.account = 'seller_disputed' THEN e.amount_minor END), 0) AS BIGINT) AS disputed,
            CAST(COALESCE((SELECT SUM(p.amount_minor) FROM payouts p WHERE p.shop_id = $1
                AND p.currency = COALESCE(e.currency, s.currency) AND p.state IN ('requested', 'approved', 'sent')), 0) AS BIGINT)
                AS in_transit
        FROM shops s LEFT JOIN ledger_entries e ON e.shop_id = s.id
        WHERE s.id = $1 GROUP BY s.currency, e.currency ORDER BY e.currency";
    // Releases move earnings between a shop's accounts, so they do not change its balance. What is held for a dispute is no part
    // of it.
    ENTRIES = "SELECT e.posting_id, e.currency, -e.amount_minor AS amount_minor, p.kind, p.created_at, o.number
        FROM ledger_entries e JOIN ledger_postings p ON p.id = e.posting_id LEFT JOIN orders o ON o.id = p.order_id
        WHERE e.shop_id = $1 AND e.posting_id < $2 AND p.kind <> 'released' AND e.account <> 'seller_disputed' ORDER BY e.posting_id DESC LIMIT $3";
    TAKE = "UPDATE shop_balances SET available_minor = available_minor - $3
        WHERE shop_id = $1 AND currency = $2 AND available_minor >= $3";
    AVAILABLE = "SELECT available_minor AS value FROM shop_balances WHERE shop_id = $1 AND currency = $2";
}

insert! {
    struct AddPosting into ledger_postings {
        id: PostingId,
        kind: PostingKind,
        reference: Uuid,
        order_id: Option<OrderId>,
        created_at: i64,
    }

    struct AddEntry into ledger_entries {
        posting_id: PostingId,
        line: i64,
        account: Account,
        shop_id: Option<ShopId>,
        currency: Currency,
        amount_minor: i64,
    }

    struct AddBalance into shop_balances {
        shop_id: ShopId,
        currency: Currency,
        available_minor: i64,
    } "ON CONFLICT (shop_id, currency) DO UPDATE
        SET available_minor = shop_balances.available_minor + excluded.available_minor"
}

rows! {
    struct TotalRow {
        own_currency: Currency,
        currency: Currency,
        total: i64,
        pending: i64,
        disputed: i64,
        in_transit: i64,
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

/// A shop's balance, for members who may see its money. The earnings from an order are pending until they
/// are released, by a schedule, whoever collected the money.
pub async fn balance(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    of: impl Into<PageRequest<'_>>,
) -> Result<Balance> {
    let (shop, of) = (caller.shop(handle, Permission::SeeMoney)?, of.into());
    let before = cursor(of.after)?.unwrap_or(PostingId::from_uuid(Uuid::max()));
    let size = page::rows(of.limit, PAGE_SIZE);
    let mut totals = totals(engine, shop).await?.into_iter();
    let own = totals.next().ok_or(Error::NotFound)?;
    let entries: Vec<EntryRow> = engine.db.all(&ENTRIES, params![shop, before, size as i64 + 1]).await?;
    let entries = Page::cut(entries, size, |entry| entry.posting_id.to_string());
    Ok(Balance {
        pending: own.pending,
        available: own.available,
        in_transit: own.in_transit,
        disputed: own.disputed,
        other_currencies: totals.collect(),
        entries: entries.map(|entry| BalanceEntry {
            kind: entry.kind,
            created_at: caller.time(engine, entry.created_at),
            order_number: entry.number,
            amount: Money::new(entry.amount_minor, entry.currency),
        }),
    })
}

/// A shop's balances: in its own currency, then in the others in which it has sold.
pub(crate) async fn totals(engine: &Engine, shop: ShopId) -> Result<Vec<CurrencyBalance>> {
    let rows: Vec<TotalRow> = engine.db.all(&TOTALS, params![shop]).await?;
    let own = rows.first().ok_or(Error::NotFound)?.own_currency;
    let total = |row: &TotalRow| {
        let [pending, disputed] = [row.pending, row.disputed].map(|minor| Money::new(minor, row.currency));
        Result::Ok(CurrencyBalance {
            pending,
            disputed,
            available: Money::new(row.total, row.currency).minus(pending)?.minus(disputed)?,
            in_transit: Money::new(row.in_transit, row.currency),
        })
    };
    let none = Money::zero(own);
    let none = CurrencyBalance { pending: none, available: none, in_transit: none, disputed: none };
    let in_own = rows.iter().find(|row| row.currency == own).map_or(Ok(none), total);
    let others = rows.iter().filter(|row| row.currency != own).map(total);
    let all: Result<Vec<_>> = std::iter::once(in_own).chain(others).collect();
    // Nothing is left of what was converted.
    let left =
        |of: &CurrencyBalance| [of.pending, of.available, of.disputed].iter().any(|part| part.amount() != 0);
    all.map(|all| all.into_iter().filter(|of| of.pending.currency() == own || left(of)).collect())
}

/// What a posting is about: the action on this object is posted once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference {
    id: Uuid,
    order: Option<OrderId>,
}

impl Reference {
    pub(crate) fn new(id: Uuid, order: Option<OrderId>) -> Self {
        Self { id, order }
    }
}

impl From<OrderId> for Reference {
    fn from(order: OrderId) -> Self {
        Self { id: order.uuid(), order: Some(order) }
    }
}

impl From<PaymentId> for Reference {
    fn from(payment: PaymentId) -> Self {
        Self { id: payment.uuid(), order: None }
    }
}

/// A refund, of an order or of a payment without one.
impl From<(RefundId, Option<OrderId>)> for Reference {
    fn from((refund, order): (RefundId, Option<OrderId>)) -> Self {
        Self { id: refund.uuid(), order }
    }
}

impl From<PayoutId> for Reference {
    fn from(payout: PayoutId) -> Self {
        Self { id: payout.uuid(), order: None }
    }
}

/// Takes an amount from what a shop can withdraw, if there is as much. The caller posts the payout.
pub(crate) async fn take_in_tx(tx: &mut Tx, shop: ShopId, amount: Money) -> TxResult<bool> {
    Ok(tx.exec(&TAKE, params![shop, amount.currency(), amount.amount()]).await? == 1)
}

/// What a shop can withdraw in a currency. Negative if it owes more than it is owed.
pub(crate) async fn available_in_tx(tx: &mut Tx, shop: ShopId, currency: Currency) -> TxResult<Money> {
    let row: Option<Scalar<i64>> = tx.opt(&AVAILABLE, params![shop, currency]).await?;
    Ok(Money::new(row.map_or(0, |row| row.0), currency))
}

/// Writes postings, each about the object with the given ID, and adds what they change to the balances of shops. The
/// same action on the same object a second time violates a unique key, which rejects the whole transaction.
pub(crate) async fn post<R: Into<Reference> + Copy>(
    tx: &mut Tx,
    postings: &[(Posting, R)],
    now: i64,
) -> TxResult<()> {
    let mut rows = Vec::new();
    let mut entries = Vec::new();
    // In the order in which all transactions lock them.
    let mut balances = BTreeMap::new();
    for (posting, about) in postings {
        // Nothing moves: for example the commission on refunded shipping.
        if posting.entries.iter().all(|entry| entry.amount.amount() == 0) {
            continue;
        }
        let id: PostingId = random::id(now);
        let Reference { id: reference, order } = (*about).into();
        rows.push(AddPosting { id, kind: posting.kind, reference, order_id: order, created_at: now });
        for (line, entry) in (1i64..).zip(&posting.entries) {
            // What a payout takes was taken under the guard of its row.
            let counts = entry.account.can_be_withdrawn() && posting.kind != PostingKind::PayoutRequested;
            if let Some(shop) = entry.shop.filter(|_| counts) {
                let currency = entry.amount.currency();
                let sum = balances.entry((shop, currency)).or_insert(Money::zero(currency));
                *sum = sum.minus(entry.amount)?;
            }
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
    tx.insert_all(rows).await?;
    tx.insert_all(entries).await?;
    let balances = balances.into_iter().filter(|(_, sum)| sum.amount() != 0);
    let balances = balances.map(|((shop_id, currency), sum)| AddBalance {
        shop_id,
        currency,
        available_minor: sum.amount(),
    });
    tx.insert_all(balances.collect::<Vec<_>>()).await?;
    Ok(())
}
