//! The sales of the whole market by day. Those of a shop are in `shops`.

use crate::{Caller, Engine, orders, params, rows, statements};
use haat_shared::{
    Currency, Error, Money, Result,
    money::{MoneyError, Rate, convert},
    orders::ListOrders,
    permissions::AdminPermission,
    sales::{AskedPeriod, MarketFigures, MarketHome},
};

/// The figures of sales, in each currency, with the rate to show one amount: gross, and net of what was refunded or charged back
/// since. An open dispute takes nothing yet. Replacements of what was bought before are no sales (`replaces IS NULL`).
macro_rules! sales_columns {
    () => {
        "CAST(SUM(total_minor) AS BIGINT) AS sold_minor, COUNT(*) AS orders, CAST(SUM(units) AS BIGINT) AS units,
            CAST(SUM(total_minor - refunded_minor - CASE WHEN disputed_minor = 0 THEN 0
                ELSE (SELECT COALESCE(SUM(d.amount_minor), 0) FROM dispute_orders d JOIN disputes q ON q.id = d.dispute_id
                    WHERE d.order_id = orders.id AND q.state = 'lost') END) AS BIGINT) AS net_minor,
            currency, rate_numerator, rate_denominator"
    };
}
pub(crate) use sales_columns;

statements! {
    SALES = concat!("SELECT (created_at + $3) / 86400000 AS day, ", sales_columns!(), "
        FROM orders WHERE created_at >= $1 AND created_at < $2 AND state <> 'cancelled' AND replaces IS NULL
        GROUP BY (created_at + $3) / 86400000, currency, rate_numerator, rate_denominator");
    JOINED = "SELECT (created_at + $3) / 86400000 AS day, COUNT(*) AS joined FROM users
        WHERE created_at >= $1 AND created_at < $2 GROUP BY (created_at + $3) / 86400000";
}

rows! {
    struct SalesRow {
        day: i64,
        sold_minor: i64,
        net_minor: i64,
        orders: i64,
        currency: Currency,
        rate_numerator: i64,
        rate_denominator: i64,
    }

    struct JoinedRow {
        day: i64,
        joined: i64,
    }
}

/// The market's figures of the last 30 days, and its latest orders. Days are those of the market's time zone. Operators
/// only.
pub async fn of_market(engine: &Engine, caller: &Caller) -> Result<MarketHome> {
    const LATEST_SHOWN: usize = 10;
    caller.admin(AdminPermission::SeeOrders)?;
    let (zone, currency) = (&engine.zone, engine.currency);
    let (first, last) =
        AskedPeriod::default().check(zone.day(engine.clock.now_ms())).map_err(Error::Invalid)?;
    let before = first - (last - first + 1);
    let end = zone.begins(last + 1);
    let zero = Money::zero(currency);
    let none = MarketFigures { sold: zero, net: zero, orders: 0, joined: 0 };
    let mut days = vec![none; usize::try_from(last - before + 1).unwrap_or_default()];
    let index = |day: i64| usize::try_from(day - before).unwrap_or(usize::MAX);
    // One range, or more if the clocks changed in between: that day is then part of both.
    for (from, until, offset) in zone.stretches(zone.begins(before), end) {
        let until = until.min(end);
        let sales: Vec<SalesRow> = engine.db.all(&SALES, params![from, until, offset]).await?;
        for row in sales {
            let Some(day) = days.get_mut(index(row.day)) else { continue };
            let rate = Rate { numerator: row.rate_numerator, denominator: row.rate_denominator };
            let here = |minor| {
                convert(Money::new(minor, row.currency), rate.inverse(), currency).ok_or(MoneyError::Overflow)
            };
            day.sold = day.sold.plus(here(row.sold_minor)?)?;
            day.net = day.net.plus(here(row.net_minor)?)?;
            day.orders += row.orders;
        }
        if caller.admin(AdminPermission::SeeUsers).is_ok() {
            let joined: Vec<JoinedRow> = engine.db.all(&JOINED, params![from, until, offset]).await?;
            for row in joined {
                let Some(day) = days.get_mut(index(row.day)) else { continue };
                day.joined += row.joined;
            }
        }
    }
    let days_now = days.split_off(days.len() / 2);
    let sum = |days: &[MarketFigures]| {
        Result::Ok(MarketFigures {
            sold: Money::sum(currency, days.iter().map(|day| day.sold))?,
            net: Money::sum(currency, days.iter().map(|day| day.net))?,
            orders: days.iter().map(|day| day.orders).sum(),
            joined: days.iter().map(|day| day.joined).sum(),
        })
    };
    let latest = ListOrders { limit: Some(LATEST_SHOWN), ..ListOrders::default() };
    Ok(MarketHome {
        now: sum(&days_now)?,
        before: sum(&days)?,
        days: days_now,
        latest: orders::list_all(engine, caller, latest).await?.items,
    })
}
