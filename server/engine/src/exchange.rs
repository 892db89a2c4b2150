//! Exchange: what shops have earned in other currencies becomes earnings in their own.
//!
//! An order is converted at the rate of its checkout, which the shopper paid at, once its earnings are released; what is refunded
//! or disputed later, at the same rate. So shops earn what they saw when they sold, whatever currencies do meanwhile, and the
//! marketplace bears the difference: the account `exchange` has what it took in the one currency and gave in the other.

use crate::{
    Engine, TxResult,
    db::Tx,
    ledger::{self, Reference},
    params, random, rows, statements,
};
use haat_shared::{
    Currency, Money,
    id::kinds::{OrderId, PostingId, ShopId},
    ledger::{Account, converted},
    money::{MoneyError, Rate, convert},
};

/// The number of orders converted in one transaction.
const BATCH: i64 = 200;

statements! {
    DUE = "SELECT b.shop_id, b.currency FROM shop_balances b JOIN shops s ON s.id = b.shop_id
        WHERE b.currency <> s.currency AND b.available_minor <> 0 ORDER BY b.shop_id, b.currency";
    // Nobody else converts or takes from the balance meanwhile.
    LOCK = "UPDATE shop_balances SET available_minor = available_minor WHERE shop_id = $1 AND currency = $2";
    // What is left of each order, and what was converted of it before: `gone` in its currency, `received` in the shop's.
    LEFT = "SELECT o.id, o.rate_numerator, o.rate_denominator, s.currency AS own, e.account,
            CAST(-SUM(CASE WHEN e.currency = o.currency THEN e.amount_minor ELSE 0 END) AS BIGINT) AS remaining,
            CAST(SUM(CASE WHEN p.kind = 'converted_from' THEN e.amount_minor ELSE 0 END) AS BIGINT) AS gone,
            CAST(-SUM(CASE WHEN p.kind = 'converted_to' THEN e.amount_minor ELSE 0 END) AS BIGINT) AS received
        FROM orders o JOIN shops s ON s.id = o.shop_id JOIN ledger_postings p ON p.order_id = o.id
        JOIN ledger_entries e ON e.posting_id = p.id AND e.account IN ('seller_payable', 'seller_receivable')
        WHERE o.shop_id = $1 AND o.currency = $2 AND o.released_at IS NOT NULL
        GROUP BY o.id, o.rate_numerator, o.rate_denominator, s.currency, e.account
        HAVING SUM(CASE WHEN e.currency = o.currency THEN e.amount_minor ELSE 0 END) <> 0 ORDER BY o.id LIMIT $3";
}

rows! {
    struct DueRow {
        shop_id: ShopId,
        currency: Currency,
    }

    struct LeftRow {
        id: OrderId,
        rate_numerator: i64,
        rate_denominator: i64,
        own: Currency,
        account: Account,
        remaining: i64,
        gone: i64,
        received: i64,
    }
}

/// Converts everything that shops have available in other currencies than their own; returns how often something of an order.
pub async fn convert_due(engine: &Engine) -> TxResult<usize> {
    let due: Vec<DueRow> = engine.db.all(&DUE, params![]).await?;
    let mut total = 0;
    for DueRow { shop_id, currency } in due {
        let input = (shop_id, currency, engine.clock.now_ms());
        total += engine
            .db
            .write("exchange::convert", input, |tx, (shop, currency, now)| {
                Box::pin(convert_in_tx(tx, *shop, *currency, *now))
            })
            .await?;
    }
    Ok(total)
}

async fn convert_in_tx(tx: &mut Tx, shop: ShopId, currency: Currency, now: i64) -> TxResult<usize> {
    tx.exec(&LOCK, params![shop, currency]).await?;
    let rows: Vec<LeftRow> = tx.all(&LEFT, params![shop, currency, BATCH]).await?;
    let mut postings = Vec::new();
    for row in &rows {
        // From the sum of all, so that what is refunded in full leaves no fraction behind.
        let rate = Rate { numerator: row.rate_numerator, denominator: row.rate_denominator }.inverse();
        let all = Money::new(row.gone.checked_add(row.remaining).ok_or(MoneyError::Overflow)?, currency);
        let worth = convert(all, rate, row.own).ok_or(MoneyError::Overflow)?;
        let to = worth.minus(Money::new(row.received, row.own))?;
        let from = Money::new(row.remaining, currency);
        // Both have an ID of this conversion: an order is converted again after each refund.
        let conversion: PostingId = random::id(now);
        let about = Reference::new(conversion.uuid(), Some(row.id));
        let by_market = row.account == Account::SellerPayable;
        postings.extend(converted(shop, from, to, by_market)?.map(|posting| (posting, about)));
    }
    ledger::post(tx, &postings, now).await?;
    Ok(rows.len())
}
