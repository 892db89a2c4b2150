//! How a shop, or the market, did in a period: sales as they were booked, the way from looking to buying, products, customers and
//! where people came from. Pages, files and the API show what these functions return.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Caller, Engine,
    activity::MARKET,
    db::{Scalar, Value},
    params, random, rows, sales,
    spreadsheet::{escaped, table},
    statements,
};
use haat_shared::{
    Currency, Error, Money, Result,
    analytics::{
        CustomerFigures, Funnel, MarketAnalytics, MethodFigures, PRODUCTS_SHOWN, ProductFigures, SHOPS_SHOWN,
        SLOW_SHOWN, ShopAnalytics, ShopFigures, SlowProduct, Source, SourceFigures, days_left,
    },
    id::kinds::{PaymentId, PostingId, ProductId, ShopId},
    payments::PaymentMethod,
    permissions::{AdminPermission, Permission},
    sales::{AskedPeriod, average},
};

/// How many customers there were, and how many of them came again.
macro_rules! customers {
    ($of:literal, $before:literal) => {
        concat!(
            "SELECT COUNT(*) AS customers, CAST(COALESCE(SUM(CASE WHEN t.orders > 1 OR EXISTS (SELECT 1 FROM purchases q
                    JOIN orders x ON x.purchase_id = q.id
                    WHERE q.email = t.email AND x.created_at < $1",
            $before,
            ") THEN 1 ELSE 0 END), 0) AS BIGINT) AS returning_customers
            FROM (SELECT p.email, COUNT(DISTINCT p.id) AS orders FROM orders o JOIN purchases p ON p.id = o.purchase_id
                WHERE ",
            $of,
            "o.created_at >= $1 AND o.created_at < $2 AND o.replaces IS NULL GROUP BY p.email) AS t"
        )
    };
}

statements! {
    CURRENCY = "SELECT currency AS value FROM shops WHERE id = $1";
    STEPS = "SELECT hour, CAST(SUM(views) AS BIGINT) AS views, CAST(SUM(adds) AS BIGINT) AS adds,
            CAST(SUM(checkouts) AS BIGINT) AS checkouts
        FROM activity_hours WHERE shop_id = $1 AND day >= $2 AND day <= $3 GROUP BY hour ORDER BY hour";
    SOURCES = "SELECT source, CAST(SUM(views) AS BIGINT) AS views FROM activity_sources
        WHERE shop_id = $1 AND day >= $2 AND day <= $3 GROUP BY source ORDER BY 2 DESC, source";
    SEEN = "SELECT product_id, CAST(SUM(views) AS BIGINT) AS views, CAST(SUM(adds) AS BIGINT) AS adds,
            CAST(SUM(checkouts) AS BIGINT) AS checkouts
        FROM product_activity WHERE shop_id = $1 AND day >= $2 AND day <= $3 GROUP BY product_id";
    // A row for each rate.
    SOLD = "SELECT l.product_id, COUNT(*) AS lines, CAST(SUM(l.quantity) AS BIGINT) AS units,
            CAST(SUM(l.total_minor - l.discount_minor) AS BIGINT) AS sold_minor, o.currency, o.rate_numerator, o.rate_denominator
        FROM orders o JOIN order_lines l ON l.order_id = o.id
        WHERE o.shop_id = $1 AND o.created_at >= $2 AND o.created_at < $3 AND o.replaces IS NULL
        GROUP BY l.product_id, o.currency, o.rate_numerator, o.rate_denominator";
    LINES = "SELECT COUNT(*) AS value FROM orders o JOIN order_lines l ON l.order_id = o.id
        WHERE o.shop_id = $1 AND o.created_at >= $2 AND o.created_at < $3 AND o.replaces IS NULL";
    REFUNDED = "SELECT l.product_id, CAST(SUM(x.quantity) AS BIGINT) AS units
        FROM refunds r JOIN orders o ON o.id = r.order_id JOIN refund_lines x ON x.refund_id = r.id
        JOIN order_lines l ON l.order_id = o.id AND l.position = x.position
        WHERE o.shop_id = $1 AND r.created_at >= $2 AND r.created_at < $3 AND r.retry_of IS NULL GROUP BY l.product_id";
    // NULL if a variant is not counted.
    SHELF = "SELECT p.id, p.title, CASE WHEN COUNT(*) = COUNT(c.id) THEN CAST(SUM(c.on_hand - c.held) AS BIGINT) END AS available
        FROM products p JOIN (VALUES [($1)]) AS given ON p.id = given.column1
        LEFT JOIN variants v ON v.product_id = p.id AND NOT v.archived LEFT JOIN capacities c ON c.id = v.capacity_id
        GROUP BY p.id, p.title";
    SLOW = "SELECT p.id, p.title, CAST(SUM(c.on_hand - c.held) AS BIGINT) AS available, COALESCE(MAX(a.views), 0) AS views
        FROM products p JOIN variants v ON v.product_id = p.id AND NOT v.archived JOIN capacities c ON c.id = v.capacity_id
        LEFT JOIN (SELECT product_id, CAST(SUM(views) AS BIGINT) AS views FROM product_activity
            WHERE shop_id = $1 AND day >= $4 AND day <= $5 GROUP BY product_id) a ON a.product_id = p.id
        WHERE p.shop_id = $1 AND p.state = 'published' AND NOT EXISTS (SELECT 1 FROM orders o JOIN order_lines l ON l.order_id = o.id
            WHERE o.shop_id = $1 AND o.created_at >= $2 AND o.created_at < $3 AND o.replaces IS NULL AND l.product_id = p.id)
        GROUP BY p.id, p.title HAVING SUM(c.on_hand - c.held) > 0 ORDER BY 4 DESC, 3 DESC, p.id LIMIT $6";
    CUSTOMERS = customers!("", "");
    ALL_LINES = "SELECT COUNT(*) AS value FROM orders o JOIN order_lines l ON l.order_id = o.id
        WHERE o.created_at >= $1 AND o.created_at < $2 AND o.replaces IS NULL";
    // By the time in the ID of the posting.
    COMMISSION = "SELECT CAST(-SUM(e.amount_minor) AS BIGINT) AS minor, e.currency, COALESCE(o.rate_numerator, 1) AS rate_numerator,
            COALESCE(o.rate_denominator, 1) AS rate_denominator
        FROM ledger_entries e JOIN ledger_postings p ON p.id = e.posting_id LEFT JOIN orders o ON o.id = p.order_id
        WHERE e.account = 'marketplace_commission' AND e.posting_id >= $1 AND e.posting_id < $2
        GROUP BY e.currency, o.rate_numerator, o.rate_denominator";
    // A row for each rate.
    SHOPS = "SELECT s.id, s.handle, s.name, t.orders, t.gross, t.cancelled, t.refunded, t.waiting, t.currency, t.rate_numerator, t.rate_denominator
        FROM (SELECT shop_id, COUNT(*) AS orders, CAST(SUM(total_minor) AS BIGINT) AS gross,
                CAST(SUM(CASE WHEN state = 'cancelled' THEN 1 ELSE 0 END) AS BIGINT) AS cancelled,
                CAST(SUM(CASE WHEN state = 'placed' THEN 1 ELSE 0 END) AS BIGINT) AS waiting,
                CAST(SUM(refunded_minor) AS BIGINT) AS refunded, currency, rate_numerator, rate_denominator
            FROM orders WHERE created_at >= $1 AND created_at < $2 AND replaces IS NULL
            GROUP BY shop_id, currency, rate_numerator, rate_denominator) AS t JOIN shops s ON s.id = t.shop_id";
    RATINGS = "SELECT p.shop_id, CAST(SUM(p.rating_sum) AS BIGINT) AS stars, CAST(SUM(p.rating_count) AS BIGINT) AS reviews
        FROM products p JOIN (VALUES [($1)]) AS given ON p.shop_id = given.column1 GROUP BY p.shop_id";
    METHODS = "SELECT p.method, COUNT(*) AS begun,
            CAST(SUM(CASE WHEN p.state IN ('captured', 'accepted', 'refunded') THEN 1 ELSE 0 END) AS BIGINT) AS paid,
            CAST(SUM(CASE WHEN p.state = 'failed' THEN 1 ELSE 0 END) AS BIGINT) AS failed,
            CAST(SUM(CASE WHEN p.state IN ('captured', 'accepted', 'refunded') THEN p.amount_minor ELSE 0 END) AS BIGINT) AS amount,
            p.currency, c.rate_numerator, c.rate_denominator
        FROM payments p JOIN checkouts c ON c.id = p.checkout_id WHERE p.id >= $1 AND p.id < $2
        GROUP BY p.method, p.currency, c.rate_numerator, c.rate_denominator ORDER BY p.method";
    CUSTOMERS_OF_SHOP = customers!("o.shop_id = $3 AND ", " AND x.shop_id = $3");
}

rows! {
    struct StepsRow {
        hour: i64,
        views: i64,
        adds: i64,
        checkouts: i64,
    }

    struct SourceRow {
        source: String,
        views: i64,
    }

    struct SeenRow {
        product_id: ProductId,
        views: i64,
        adds: i64,
        checkouts: i64,
    }

    struct SoldRow {
        product_id: ProductId,
        lines: i64,
        units: i64,
        sold_minor: i64,
        currency: Currency,
        rate_numerator: i64,
        rate_denominator: i64,
    }

    struct RefundedRow {
        product_id: ProductId,
        units: i64,
    }

    struct ShelfRow {
        id: ProductId,
        title: String,
        available: Option<i64>,
    }

    struct SlowRow {
        id: ProductId,
        title: String,
        available: i64,
        views: i64,
    }

    struct CommissionRow {
        minor: i64,
        currency: Currency,
        rate_numerator: i64,
        rate_denominator: i64,
    }

    struct ShopRow {
        id: ShopId,
        handle: String,
        name: String,
        orders: i64,
        gross: i64,
        cancelled: i64,
        refunded: i64,
        waiting: i64,
        currency: Currency,
        rate_numerator: i64,
        rate_denominator: i64,
    }

    struct RatingRow {
        shop_id: ShopId,
        stars: i64,
        reviews: i64,
    }

    struct MethodRow {
        method: PaymentMethod,
        begun: i64,
        paid: i64,
        failed: i64,
        amount: i64,
        currency: Currency,
        rate_numerator: i64,
        rate_denominator: i64,
    }

    struct CustomersRow {
        customers: i64,
        returning_customers: i64,
    }
}

/// A period: its first and its last day, counted from 1970-01-01, and when it begins and ends.
#[derive(Debug, Clone, Copy)]
struct Period {
    first: i64,
    last: i64,
    begin: i64,
    end: i64,
}

impl Period {
    fn of(engine: &Engine, (first, last): (i64, i64)) -> Self {
        Self { first, last, begin: engine.zone.begins(first), end: engine.zone.begins(last + 1) }
    }

    /// The one that was asked for, and the one before, which has the same number of days.
    fn asked(engine: &Engine, of: &AskedPeriod) -> Result<(Self, Self)> {
        let (first, last) = of.check(engine.zone.day(engine.clock.now_ms())).map_err(Error::Invalid)?;
        Ok((Self::of(engine, (first, last)), Self::of(engine, (first - (last - first + 1), first - 1))))
    }

    fn days(&self) -> i64 {
        self.last - self.first + 1
    }
}

/// How a shop did in a period, for members who see its orders.
pub async fn of_shop(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    of: &AskedPeriod,
) -> Result<ShopAnalytics> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    let (period, before) = Period::asked(engine, of)?;
    let currency = currency(engine, shop).await?;
    let mut days = sales::booked(engine, Some(shop), currency, (before.first, period.last)).await?;
    let days_now = days.split_off(days.len() / 2);
    let (funnel, hours) = funnel(engine, shop, &period).await?;
    let (funnel_before, _) = self::funnel(engine, shop, &before).await?;
    let mut products = products(engine, shop, currency, &period).await?;
    products.truncate(PRODUCTS_SHOWN);
    let slow: Vec<SlowRow> = engine
        .db
        .all(&SLOW, params![shop, period.begin, period.end, period.first, period.last, SLOW_SHOWN as i64])
        .await?;
    Ok(ShopAnalytics {
        now: sales::sum(currency, &days_now)?,
        before: sales::sum(currency, &days)?,
        days: days_now,
        days_before: days,
        funnel,
        funnel_before,
        products: on_shelf(engine, products, period.days()).await?,
        slow: slow
            .into_iter()
            .map(|SlowRow { id, title, available, views }| SlowProduct {
                product_id: id,
                title,
                available,
                views,
            })
            .collect(),
        customers: customers(engine, shop, &period).await?,
        customers_before: customers(engine, shop, &before).await?,
        sources: sources(engine, shop.uuid(), &period).await?,
        hours,
    })
}

/// How the market did in a period. Operators only.
pub async fn of_market(engine: &Engine, caller: &Caller, of: &AskedPeriod) -> Result<MarketAnalytics> {
    caller.admin(AdminPermission::SeeOrders)?;
    let (period, before) = Period::asked(engine, of)?;
    let mut days = sales::booked(engine, None, engine.currency, (before.first, period.last)).await?;
    let days_now = days.split_off(days.len() / 2);
    let (funnel, hours) = market_funnel(engine, &period).await?;
    let (funnel_before, _) = market_funnel(engine, &before).await?;
    let joined: Vec<i64> = match caller.admin(AdminPermission::SeeUsers) {
        Ok(()) => sales::joined(engine, (before.first, period.last)).await?,
        Err(_) => Vec::new(),
    };
    let (joined_before, joined) = joined.split_at(joined.len() / 2);
    let methods = match caller.admin(AdminPermission::SeePayments) {
        Ok(()) => methods(engine, &period).await?,
        Err(_) => Vec::new(),
    };
    Ok(MarketAnalytics {
        now: sales::sum(engine.currency, &days_now)?,
        before: sales::sum(engine.currency, &days)?,
        days: days_now,
        days_before: days,
        commission: commission(engine, &period).await?,
        commission_before: commission(engine, &before).await?,
        funnel,
        funnel_before,
        customers: market_customers(engine, &period).await?,
        customers_before: market_customers(engine, &before).await?,
        joined: joined.iter().sum(),
        joined_before: joined_before.iter().sum(),
        shops: best_shops(engine, &period).await?,
        methods,
        sources: sources(engine, MARKET, &period).await?,
        hours,
    })
}

async fn market_funnel(engine: &Engine, period: &Period) -> Result<(Funnel, Vec<i64>)> {
    let (mut funnel, hours) = steps(engine, MARKET, period).await?;
    let lines: Scalar<i64> = engine.db.one(&ALL_LINES, params![period.begin, period.end]).await?;
    funnel.orders = lines.0;
    Ok((funnel, hours))
}

async fn market_customers(engine: &Engine, period: &Period) -> Result<CustomerFigures> {
    let row: CustomersRow = engine.db.one(&CUSTOMERS, params![period.begin, period.end]).await?;
    Ok(CustomerFigures { customers: row.customers, returning: row.returning_customers })
}

async fn commission(engine: &Engine, period: &Period) -> Result<Money> {
    let (from, until): (PostingId, PostingId) =
        (random::first_id(period.begin), random::first_id(period.end));
    let rows: Vec<CommissionRow> = engine.db.all(&COMMISSION, params![from, until]).await?;
    let mut sum = Money::zero(engine.currency);
    for row in rows {
        let rate = (row.rate_numerator, row.rate_denominator);
        sum = sum.plus(sales::in_currency(engine.currency, row.minor, row.currency, rate)?)?;
    }
    Ok(sum)
}

/// The shops that sold most.
async fn best_shops(engine: &Engine, period: &Period) -> Result<Vec<ShopFigures>> {
    let rows: Vec<ShopRow> = engine.db.all(&SHOPS, params![period.begin, period.end]).await?;
    let zero = Money::zero(engine.currency);
    let mut shops: HashMap<ShopId, ShopFigures> = HashMap::new();
    for row in rows {
        let rate = (row.rate_numerator, row.rate_denominator);
        let here = |minor| sales::in_currency(engine.currency, minor, row.currency, rate);
        let of = shops.entry(row.id).or_insert_with(|| ShopFigures {
            handle: row.handle.clone(),
            name: row.name.clone(),
            orders: 0,
            gross: zero,
            cancelled_orders: 0,
            refunded: zero,
            waiting: 0,
            rating: None,
        });
        of.orders += row.orders;
        of.gross = of.gross.plus(here(row.gross)?)?;
        of.cancelled_orders += row.cancelled;
        of.refunded = of.refunded.plus(here(row.refunded)?)?;
        of.waiting += row.waiting;
    }
    let mut shops: Vec<(ShopId, ShopFigures)> = shops.into_iter().collect();
    shops.sort_by_key(|(id, of)| (std::cmp::Reverse((of.gross.amount(), of.orders)), *id));
    shops.truncate(SHOPS_SHOWN);
    let ids: Vec<[Value; 1]> = shops.iter().map(|(id, _)| [(*id).into()]).collect();
    let ratings: Vec<RatingRow> = engine.db.all_many(&RATINGS, &ids).await?;
    let rated = shops.into_iter().map(|(id, of)| {
        let rating = ratings.iter().find(|row| row.shop_id == id && row.reviews > 0);
        ShopFigures { rating: rating.map(|row| average(row.stars * 10, row.reviews)), ..of }
    });
    Ok(rated.collect())
}

async fn methods(engine: &Engine, period: &Period) -> Result<Vec<MethodFigures>> {
    let (from, until): (PaymentId, PaymentId) =
        (random::first_id(period.begin), random::first_id(period.end));
    let rows: Vec<MethodRow> = engine.db.all(&METHODS, params![from, until]).await?;
    let mut methods: Vec<MethodFigures> = Vec::new();
    for row in rows {
        let rate = (row.rate_numerator, row.rate_denominator);
        let amount = sales::in_currency(engine.currency, row.amount, row.currency, rate)?;
        match methods.last_mut().filter(|of| of.method == row.method) {
            Some(of) => {
                of.begun += row.begun;
                of.paid += row.paid;
                of.failed += row.failed;
                of.amount = of.amount.plus(amount)?;
            }
            None => methods.push(MethodFigures {
                method: row.method,
                begun: row.begun,
                paid: row.paid,
                failed: row.failed,
                amount,
            }),
        }
    }
    Ok(methods)
}

async fn currency(engine: &Engine, shop: ShopId) -> Result<Currency> {
    let row: Scalar<Currency> = engine.db.one(&CURRENCY, params![shop]).await?;
    Ok(row.0)
}

/// From looking to buying in a shop, and its views by the hour of the day.
async fn funnel(engine: &Engine, shop: ShopId, period: &Period) -> Result<(Funnel, Vec<i64>)> {
    let (mut funnel, hours) = steps(engine, shop.uuid(), period).await?;
    let lines: Scalar<i64> = engine.db.one(&LINES, params![shop, period.begin, period.end]).await?;
    funnel.orders = lines.0;
    Ok((funnel, hours))
}

/// The steps before an order, and the views by the hour of the day.
async fn steps(engine: &Engine, shop: Uuid, period: &Period) -> Result<(Funnel, Vec<i64>)> {
    let rows: Vec<StepsRow> = engine.db.all(&STEPS, params![shop, period.first, period.last]).await?;
    let (mut funnel, mut hours) = (Funnel::default(), vec![0; 24]);
    for row in rows {
        funnel.views += row.views;
        funnel.adds += row.adds;
        funnel.checkouts += row.checkouts;
        if let Some(hour) = usize::try_from(row.hour).ok().and_then(|hour| hours.get_mut(hour)) {
            *hour = row.views;
        }
    }
    Ok((funnel, hours))
}

async fn sources(engine: &Engine, shop: Uuid, period: &Period) -> Result<Vec<SourceFigures>> {
    let rows: Vec<SourceRow> = engine.db.all(&SOURCES, params![shop, period.first, period.last]).await?;
    let figures = rows.into_iter().map(|row| SourceFigures {
        source: Source::parse(&row.source).unwrap_or(Source::Other),
        views: row.views,
    });
    Ok(figures.collect())
}

async fn customers(engine: &Engine, shop: ShopId, period: &Period) -> Result<CustomerFigures> {
    let row: CustomersRow =
        engine.db.one(&CUSTOMERS_OF_SHOP, params![period.begin, period.end, shop]).await?;
    Ok(CustomerFigures { customers: row.customers, returning: row.returning_customers })
}

/// The products of which anything was counted or sold, without their titles and stock: those that sold best first, then those that were looked at most.
async fn products(
    engine: &Engine,
    shop: ShopId,
    currency: Currency,
    period: &Period,
) -> Result<Vec<ProductFigures>> {
    let none = |product_id| ProductFigures {
        product_id,
        title: String::new(),
        funnel: Funnel::default(),
        units: 0,
        sold: Money::zero(currency),
        refunded_units: 0,
        available: None,
        days_left: None,
    };
    let mut products: HashMap<ProductId, ProductFigures> = HashMap::new();
    let seen: Vec<SeenRow> = engine.db.all(&SEEN, params![shop, period.first, period.last]).await?;
    for SeenRow { product_id, views, adds, checkouts } in seen {
        let of = products.entry(product_id).or_insert_with(|| none(product_id));
        of.funnel = Funnel { views, adds, checkouts, orders: 0 };
    }
    let sold: Vec<SoldRow> = engine.db.all(&SOLD, params![shop, period.begin, period.end]).await?;
    for row in sold {
        let of = products.entry(row.product_id).or_insert_with(|| none(row.product_id));
        let rate = (row.rate_numerator, row.rate_denominator);
        of.sold = of.sold.plus(sales::in_currency(currency, row.sold_minor, row.currency, rate)?)?;
        of.funnel.orders += row.lines;
        of.units += row.units;
    }
    let refunded: Vec<RefundedRow> =
        engine.db.all(&REFUNDED, params![shop, period.begin, period.end]).await?;
    for row in refunded {
        products.entry(row.product_id).or_insert_with(|| none(row.product_id)).refunded_units = row.units;
    }
    let mut products: Vec<ProductFigures> = products.into_values().collect();
    let key = |of: &ProductFigures| (of.sold.amount(), of.units, of.funnel.views, of.product_id);
    products.sort_by_key(|of| std::cmp::Reverse(key(of)));
    Ok(products)
}

/// The same products with their titles and stock. What was deleted since has neither, and is left out.
async fn on_shelf(engine: &Engine, products: Vec<ProductFigures>, days: i64) -> Result<Vec<ProductFigures>> {
    let ids: Vec<[Value; 1]> = products.iter().map(|of| [of.product_id.into()]).collect();
    let rows: Vec<ShelfRow> = engine.db.all_many(&SHELF, &ids).await?;
    let mut shelf: HashMap<ProductId, ShelfRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    let stocked = products.into_iter().filter_map(|of| {
        let ShelfRow { title, available, .. } = shelf.remove(&of.product_id)?;
        let days_left = available.and_then(|available| days_left(available, of.units, days));
        Some(ProductFigures { title, available, days_left, ..of })
    });
    Ok(stocked.collect())
}

const DAY_COLUMNS: [&str; 12] = [
    "day",
    "currency",
    "orders",
    "units",
    "gross",
    "discounts",
    "shipping",
    "taxes",
    "cancelled",
    "refunded",
    "lost",
    "net",
];

const PRODUCT_COLUMNS: [&str; 12] = [
    "product_id",
    "title",
    "views",
    "added",
    "checkouts",
    "order_lines",
    "units",
    "currency",
    "sold",
    "units_refunded",
    "available",
    "days_left",
];

/// The sales of a shop in a period as a table with a row for each day, for members who see its orders.
pub async fn days_of_shop(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    of: &AskedPeriod,
) -> Result<Vec<u8>> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    let currency = currency(engine, shop).await?;
    days_table(engine, Some(shop), currency, of).await
}

/// The same of the market. Operators only.
pub async fn days_of_market(engine: &Engine, caller: &Caller, of: &AskedPeriod) -> Result<Vec<u8>> {
    caller.admin(AdminPermission::SeeOrders)?;
    days_table(engine, None, engine.currency, of).await
}

async fn days_table(
    engine: &Engine,
    shop: Option<ShopId>,
    currency: Currency,
    of: &AskedPeriod,
) -> Result<Vec<u8>> {
    let (period, _) = Period::asked(engine, of)?;
    let days = sales::booked(engine, shop, currency, (period.first, period.last)).await?;
    table(|table| {
        table.write_record(DAY_COLUMNS)?;
        days.iter().try_for_each(|of| {
            let sales = &of.sales;
            let money = [
                sales.gross,
                sales.discounts,
                sales.shipping,
                sales.taxes,
                sales.cancelled,
                sales.refunded,
                sales.lost,
                sales.net,
            ];
            let first =
                [of.day.clone(), currency.to_string(), sales.orders.to_string(), sales.units.to_string()];
            table.write_record(first.into_iter().chain(money.map(Money::plain)))
        })
    })
}

/// What the products of a shop did in a period as a table, for members who see its orders.
pub async fn products_of_shop(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    of: &AskedPeriod,
) -> Result<Vec<u8>> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    let (period, _) = Period::asked(engine, of)?;
    let currency = currency(engine, shop).await?;
    let products = products(engine, shop, currency, &period).await?;
    let products = on_shelf(engine, products, period.days()).await?;
    let number = |n: Option<i64>| n.map_or_else(String::new, |n| n.to_string());
    table(|table| {
        table.write_record(PRODUCT_COLUMNS)?;
        products.iter().try_for_each(|of| {
            table.write_record([
                of.product_id.to_string(),
                escaped(&of.title),
                of.funnel.views.to_string(),
                of.funnel.adds.to_string(),
                of.funnel.checkouts.to_string(),
                of.funnel.orders.to_string(),
                of.units.to_string(),
                currency.to_string(),
                of.sold.plain(),
                of.refunded_units.to_string(),
                number(of.available),
                number(of.days_left),
            ])
        })
    })
}
