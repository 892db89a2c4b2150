//! Sales by the day on which they were booked, of a shop or of the whole market. Every figure of sales comes from here, so that
//! pages, files and the API agree.

use crate::{
    Caller, Engine,
    clock::{DAY_MS, rfc3339},
    orders, params, rows, statements,
};
use haat_shared::{
    Currency, Error, Money, Result,
    analytics::{DayFigures, SalesFigures},
    id::kinds::ShopId,
    money::{MoneyError, Rate, convert},
    orders::ListOrders,
    permissions::AdminPermission,
    sales::{AskedPeriod, MarketFigures, MarketHome},
};

/// The orders that were placed, by day, currency and rate. Replacements of what was bought before are no sales
/// (`replaces IS NULL`).
macro_rules! placed {
    ($of:literal) => {
        concat!(
            "SELECT (created_at + $3) / 86400000 AS day, CAST(SUM(total_minor) AS BIGINT) AS gross,
            CAST(SUM(discount_minor) AS BIGINT) AS discounts, CAST(SUM(delivery_minor) AS BIGINT) AS shipping,
            CAST(SUM(tax_minor) AS BIGINT) AS taxes, COUNT(*) AS orders, CAST(SUM(units) AS BIGINT) AS units,
            currency, rate_numerator, rate_denominator
            FROM orders WHERE ",
            $of,
            "created_at >= $1 AND created_at < $2 AND replaces IS NULL
            GROUP BY (created_at + $3) / 86400000, currency, rate_numerator, rate_denominator"
        )
    };
}

/// What was given back, by day, kind, currency and rate. A refund counts when it was decided, which is when it is posted, and what
/// replaces one that failed is no other. Of an order that the shop was to be paid for, nothing is refunded when it is cancelled.
macro_rules! given_back {
    ($of:literal) => {
        concat!(
            "SELECT (at + $3) / 86400000 AS day, kind, CAST(SUM(amount_minor) AS BIGINT) AS amount,
            currency, rate_numerator, rate_denominator
            FROM (SELECT r.created_at AS at, CASE WHEN r.reason = 'cancelled' THEN 'cancelled' ELSE 'refunded' END AS kind,
                    r.amount_minor, o.currency, o.rate_numerator, o.rate_denominator
                FROM refunds r JOIN orders o ON o.id = r.order_id
                WHERE ",
            $of,
            "r.created_at >= $1 AND r.created_at < $2 AND r.retry_of IS NULL
                UNION ALL
                SELECT e.created_at AS at, 'cancelled' AS kind, o.total_minor
                    - (SELECT CAST(COALESCE(SUM(x.amount_minor), 0) AS BIGINT) FROM refunds x
                        WHERE x.order_id = o.id AND x.retry_of IS NULL)
                    - (SELECT CAST(COALESCE(SUM(b.amount_minor), 0) AS BIGINT) FROM dispute_orders b
                        JOIN disputes d ON d.id = b.dispute_id WHERE b.order_id = o.id AND d.state = 'lost') AS amount_minor,
                    o.currency, o.rate_numerator, o.rate_denominator
                FROM order_events e JOIN orders o ON o.id = e.order_id
                WHERE ",
            $of,
            "e.kind = 'cancelled' AND e.created_at >= $1 AND e.created_at < $2
                UNION ALL
                SELECT d.closed_at AS at, 'lost' AS kind, b.amount_minor, o.currency, o.rate_numerator, o.rate_denominator
                FROM disputes d JOIN dispute_orders b ON b.dispute_id = d.id JOIN orders o ON o.id = b.order_id
                WHERE ",
            $of,
            "d.closed_at >= $1 AND d.closed_at < $2 AND d.state = 'lost') AS given
            GROUP BY (at + $3) / 86400000, kind, currency, rate_numerator, rate_denominator"
        )
    };
}

statements! {
    PLACED = placed!("");
    PLACED_IN_SHOP = placed!("shop_id = $4 AND ");
    GIVEN_BACK = given_back!("");
    GIVEN_BACK_BY_SHOP = given_back!("o.shop_id = $4 AND ");
    JOINED = "SELECT (created_at + $3) / 86400000 AS day, COUNT(*) AS joined FROM users
        WHERE created_at >= $1 AND created_at < $2 GROUP BY (created_at + $3) / 86400000";
}

rows! {
    struct PlacedRow {
        day: i64,
        gross: i64,
        discounts: i64,
        shipping: i64,
        taxes: i64,
        orders: i64,
        units: i64,
        currency: Currency,
        rate_numerator: i64,
        rate_denominator: i64,
    }

    struct GivenBackRow {
        day: i64,
        kind: String,
        amount: i64,
        currency: Currency,
        rate_numerator: i64,
        rate_denominator: i64,
    }

    struct JoinedRow {
        day: i64,
        joined: i64,
    }
}

/// An amount of an order in the currency of figures, at the order's rate.
pub(crate) fn in_currency(
    currency: Currency,
    minor: i64,
    of: Currency,
    (numerator, denominator): (i64, i64),
) -> Result<Money> {
    let rate = Rate { numerator, denominator };
    Ok(convert(Money::new(minor, of), rate.inverse(), currency).ok_or(MoneyError::Overflow)?)
}

/// The figures of each day from the first to the last, in a currency: those of a shop, or of all. Days are those of the market's
/// time zone.
pub(crate) async fn booked(
    engine: &Engine,
    shop: Option<ShopId>,
    currency: Currency,
    (first, last): (i64, i64),
) -> Result<Vec<DayFigures>> {
    let zone = &engine.zone;
    let mut days = vec![SalesFigures::none(currency); usize::try_from(last - first + 1).unwrap_or_default()];
    let end = zone.begins(last + 1);
    // One range, or more if the clocks changed in between: that day is then part of both.
    for (from, until, offset) in zone.stretches(zone.begins(first), end) {
        let until = until.min(end);
        let (placed, back): (Vec<PlacedRow>, Vec<GivenBackRow>) = match shop {
            Some(shop) => (
                engine.db.all(&PLACED_IN_SHOP, params![from, until, offset, shop]).await?,
                engine.db.all(&GIVEN_BACK_BY_SHOP, params![from, until, offset, shop]).await?,
            ),
            None => (
                engine.db.all(&PLACED, params![from, until, offset]).await?,
                engine.db.all(&GIVEN_BACK, params![from, until, offset]).await?,
            ),
        };
        for row in placed {
            let Some(day) = at(&mut days, row.day - first) else { continue };
            let rate = (row.rate_numerator, row.rate_denominator);
            for (to, minor) in [
                (&mut day.gross, row.gross),
                (&mut day.discounts, row.discounts),
                (&mut day.shipping, row.shipping),
                (&mut day.taxes, row.taxes),
            ] {
                *to = to.plus(in_currency(currency, minor, row.currency, rate)?)?;
            }
            day.orders += row.orders;
            day.units += row.units;
        }
        for row in back {
            let Some(day) = at(&mut days, row.day - first) else { continue };
            let to = match row.kind.as_str() {
                "cancelled" => &mut day.cancelled,
                "lost" => &mut day.lost,
                _ => &mut day.refunded,
            };
            let rate = (row.rate_numerator, row.rate_denominator);
            *to = to.plus(in_currency(currency, row.amount, row.currency, rate)?)?;
        }
    }
    let day = |(day, sales): (i64, SalesFigures)| {
        let sales = SalesFigures::sum(currency, [&sales])?;
        Ok(DayFigures { day: rfc3339(day * DAY_MS)[..10].to_owned(), sales })
    };
    (first..).zip(days).map(day).collect()
}

fn at<T>(days: &mut [T], index: i64) -> Option<&mut T> {
    days.get_mut(usize::try_from(index).ok()?)
}

/// The sum of days.
pub(crate) fn sum(currency: Currency, days: &[DayFigures]) -> Result<SalesFigures> {
    Ok(SalesFigures::sum(currency, days.iter().map(|day| &day.sales))?)
}

/// How many users joined on each day from the first to the last. Days are those of the market's time zone.
pub(crate) async fn joined(engine: &Engine, (first, last): (i64, i64)) -> Result<Vec<i64>> {
    let zone = &engine.zone;
    let mut days = vec![0; usize::try_from(last - first + 1).unwrap_or_default()];
    let end = zone.begins(last + 1);
    for (from, until, offset) in zone.stretches(zone.begins(first), end) {
        let rows: Vec<JoinedRow> = engine.db.all(&JOINED, params![from, until.min(end), offset]).await?;
        for row in rows {
            if let Some(day) = at(&mut days, row.day - first) {
                *day += row.joined;
            }
        }
    }
    Ok(days)
}

/// The market's figures of the last 30 days, and its latest orders. Days are those of the market's time zone. Operators
/// only.
pub async fn of_market(engine: &Engine, caller: &Caller) -> Result<MarketHome> {
    const LATEST_SHOWN: usize = 10;
    caller.admin(AdminPermission::SeeOrders)?;
    let (first, last) =
        AskedPeriod::default().check(engine.zone.day(engine.clock.now_ms())).map_err(Error::Invalid)?;
    let before = first - (last - first + 1);
    let days = booked(engine, None, engine.currency, (before, last)).await?;
    let joined = match caller.admin(AdminPermission::SeeUsers) {
        Ok(()) => joined(engine, (before, last)).await?,
        Err(_) => vec![0; days.len()],
    };
    let figures = |(day, joined): (DayFigures, i64)| MarketFigures {
        sold: day.sales.gross,
        net: day.sales.net,
        orders: day.sales.orders,
        joined,
    };
    let mut days: Vec<MarketFigures> = days.into_iter().zip(joined).map(figures).collect();
    let days_now = days.split_off(days.len() / 2);
    let sum = |days: &[MarketFigures]| {
        Result::Ok(MarketFigures {
            sold: Money::sum(engine.currency, days.iter().map(|day| day.sold))?,
            net: Money::sum(engine.currency, days.iter().map(|day| day.net))?,
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
