//! Sales that sellers plan, and the history of prices. What a variant costs at a time is decided by
//! `haat_shared::sale_prices`, from its ordinary price and its sales. Only lists, which are sorted by price, show what was
//! written when a sale began or ended ([`apply_due`]).

use std::collections::BTreeMap;

use crate::{
    Caller, Engine, TxResult,
    db::{DbError, FromRow, Row, Scalar, Tx, Value},
    group_by, insert,
    inventory::{delete_in_tx, open_allotment_in_tx},
    params, random, rows, statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    catalog::edit::ProductState,
    field::FieldError,
    id::kinds::{CapacityId, PlannedSaleId, ProductId, SaleEventId, ShopId, VariantId},
    permissions::Permission,
    sale_prices::{
        PlannedPrice, PlannedSale, PlannedSaleState, Prices, ProductSales, SaleForm, SalePrice, SaleVariant,
        lowest_before, lowest_if_reduced, price_field,
    },
};

/// How many products the worker changes in a transaction.
const BATCH: i64 = 100;
/// How far ahead a sale may end: two years. Of what ends later, a typing error is more likely.
const AHEAD_MAX_MS: i64 = 731 * 24 * 3_600_000;
/// How many sales of a product are listed.
const LISTED: i64 = 100;

/// The price that lists show.
macro_rules! listed_price {
    () => {
        "CASE WHEN v.sale_minor < v.price_minor THEN v.sale_minor ELSE v.price_minor END"
    };
}
/// What [`SaleNow`] reads, of the sale `x` of a variant.
macro_rules! on_sale {
    () => {
        "x.price_minor AS sale_minor, x.starts_at AS sale_starts_at, x.ends_at AS sale_ends_at, x.capacity_id AS allotment_id,
            (SELECT a.on_hand - a.held FROM capacities a WHERE a.id = x.capacity_id) AS allotment_left"
    };
}
/// The sale `x` of a variant at the time that is a parameter.
macro_rules! join_sale {
    ($variant:literal, $now:literal) => {
        concat!(
            "LEFT JOIN sale_prices x ON x.variant_id = ",
            $variant,
            " AND x.starts_at <= ",
            $now,
            " AND x.ends_at > ",
            $now,
            " "
        )
    };
}
pub(crate) use {join_sale, listed_price, on_sale};

statements! {
    PRODUCT = "SELECT p.title, p.slug, p.state, s.currency FROM products p JOIN shops s ON s.id = p.shop_id
        WHERE p.id = $1 AND p.shop_id = $2";
    VARIANTS = "SELECT id, title, price_minor FROM variants WHERE product_id = $1 AND NOT archived ORDER BY position, id";
    SALES = "SELECT s.id, s.starts_at, s.ends_at, v.id AS variant_id, v.title, x.price_minor
        FROM (SELECT id, starts_at, ends_at FROM planned_sales WHERE product_id = $1 ORDER BY starts_at DESC, id DESC LIMIT $2) AS s
        JOIN sale_prices x ON x.sale_id = s.id JOIN variants v ON v.id = x.variant_id
        ORDER BY s.starts_at DESC, s.id DESC, v.position, v.id";
    // Everything that decided on prices until now: ordinary ones have no end.
    PAST = "SELECT v.id AS variant_id, h.from_at, CAST(NULL AS BIGINT) AS until, h.price_minor, h.compare_at_minor
        FROM variants v JOIN price_history h ON h.variant_id = v.id WHERE v.product_id = $1 AND NOT v.archived AND h.from_at <= $2
        UNION ALL
        SELECT v.id AS variant_id, x.starts_at AS from_at, x.ends_at AS until, x.price_minor, CAST(NULL AS BIGINT) AS compare_at_minor
        FROM variants v JOIN sale_prices x ON x.variant_id = v.id WHERE v.product_id = $1 AND NOT v.archived AND x.starts_at <= $2
        ORDER BY variant_id";
    // Whatever changes a product's prices waits here. Sitemaps say that its page has changed.
    LOCK = "UPDATE products SET updated_at = $3 WHERE id = $1 AND shop_id = $2";
    LOCK_DUE = "UPDATE products SET updated_at = given.column2 FROM (VALUES [($1, $2)]) AS given WHERE products.id = given.column1";
    OVERLAPPING = "SELECT x.variant_id AS value FROM sale_prices x JOIN (VALUES [($1, $2, $3)]) AS given
        ON x.variant_id = given.column1 AND x.starts_at < given.column3 AND x.ends_at > given.column2";
    // Sales that begin or end, and those whose last unit was taken or came back.
    DUE = "SELECT product_id AS value FROM planned_sales WHERE next_at <= $1
        UNION
        SELECT v.product_id AS value FROM sale_prices x JOIN capacities a ON a.id = x.capacity_id JOIN variants v ON v.id = x.variant_id
        WHERE x.capacity_id IS NOT NULL AND x.starts_at <= $1 AND x.ends_at > $1 AND NOT v.archived
            AND (v.sale_minor IS NOT NULL) <> (a.on_hand > a.held)
        ORDER BY value LIMIT $2";
    APPLY = "UPDATE variants SET sale_minor = (SELECT x.price_minor FROM sale_prices x LEFT JOIN capacities a ON a.id = x.capacity_id
            WHERE x.variant_id = variants.id AND x.starts_at <= given.column2 AND x.ends_at > given.column2
                AND COALESCE(a.on_hand > a.held, TRUE))
        FROM (VALUES [($1, $2)]) AS given WHERE variants.product_id = given.column1";
    SPAN = concat!("UPDATE products SET price_min_minor = span.low, price_max_minor = span.high
        FROM (SELECT v.product_id, MIN(", listed_price!(), ") AS low, MAX(", listed_price!(), ") AS high FROM variants v
            WHERE NOT v.archived AND v.product_id IN (VALUES [($1)]) GROUP BY v.product_id) AS span
        WHERE products.id = span.product_id");
    STEP = "UPDATE planned_sales SET next_at = CASE WHEN starts_at > given.column2 THEN starts_at
            WHEN ends_at > given.column2 THEN ends_at END
        FROM (VALUES [($1, $2)]) AS given WHERE planned_sales.product_id = given.column1 AND planned_sales.next_at IS NOT NULL";
    // Of two changes in a millisecond, nobody saw the first one.
    RECORD = "INSERT INTO price_history (variant_id, from_at, price_minor, compare_at_minor)
        SELECT v.id, given.column2, v.price_minor, v.compare_at_minor
        FROM (VALUES [($1, $2)]) AS given JOIN variants v ON v.product_id = given.column1 AND NOT v.archived
        LEFT JOIN price_history h ON h.variant_id = v.id
            AND h.from_at = (SELECT MAX(l.from_at) FROM price_history l WHERE l.variant_id = v.id)
        WHERE h.price_minor IS DISTINCT FROM v.price_minor OR h.compare_at_minor IS DISTINCT FROM v.compare_at_minor
        ON CONFLICT (variant_id, from_at) DO UPDATE SET price_minor = excluded.price_minor,
            compare_at_minor = excluded.compare_at_minor";
    END = "UPDATE planned_sales SET ends_at = $3, next_at = NULL WHERE id = $1 AND product_id = $2 AND starts_at <= $3 AND ends_at > $3";
    END_PRICES = "UPDATE sale_prices SET ends_at = $2 WHERE sale_id = $1";
    REMOVE = "DELETE FROM planned_sales WHERE id = $1 AND product_id = $2 AND starts_at > $3 RETURNING capacity_id AS value";
}

insert! {
    struct AddSale into planned_sales {
        id: PlannedSaleId,
        product_id: ProductId,
        starts_at: i64,
        ends_at: i64,
        next_at: Option<i64>,
        event_id: Option<SaleEventId>,
        allotment: Option<i64>,
        capacity_id: Option<CapacityId>,
        created_at: i64,
    }

    struct AddPrice into sale_prices {
        variant_id: VariantId,
        sale_id: PlannedSaleId,
        price_minor: i64,
        starts_at: i64,
        ends_at: i64,
        capacity_id: Option<CapacityId>,
    }
}

rows! {
    struct ProductRow {
        title: String,
        slug: String,
        state: ProductState,
        currency: Currency,
    }

    struct VariantRow {
        id: VariantId,
        title: String,
        price_minor: i64,
    }

    struct SaleRow {
        id: PlannedSaleId,
        starts_at: i64,
        ends_at: i64,
        variant_id: VariantId,
        title: String,
        price_minor: i64,
    }

    struct PastRow {
        variant_id: VariantId,
        from_at: i64,
        until: Option<i64>,
        price_minor: i64,
        compare_at_minor: Option<i64>,
    }
}

/// The sale of a variant at the time that was asked for, as part of a row; with the allotment of its product in an event, and
/// how much of it is left.
pub(crate) struct SaleNow(Option<SalePrice>, Option<(CapacityId, i64)>);

impl FromRow for SaleNow {
    fn from_row(row: &Row<'_>) -> std::result::Result<Self, DbError> {
        let price: Option<i64> = row.get("sale_minor")?;
        let Some(price) = price else { return Ok(Self(None, None)) };
        let allotment: Option<CapacityId> = row.get("allotment_id")?;
        let left: Option<i64> = row.get("allotment_left")?;
        let sale =
            SalePrice { price, starts_at: row.get("sale_starts_at")?, ends_at: row.get("sale_ends_at")? };
        Ok(Self(Some(sale), allotment.map(|id| (id, left.unwrap_or_default()))))
    }
}

impl SaleNow {
    /// What one unit of a variant with this ordinary price costs at a time.
    pub(crate) fn price(&self, price: i64, compare_at: Option<i64>, at: i64) -> Prices {
        let prices = Prices { price, compare_at };
        if self.left().is_some_and(|left| left <= 0) { prices } else { prices.at(self.0.as_slice(), at) }
    }

    /// What each unit of a line costs: the sale's price only if there are as many of its allotment.
    pub(crate) fn price_of_line(
        &self,
        ordinary: i64,
        at: i64,
        line: LineAllotment,
        allotments: &mut Allotments,
    ) -> i64 {
        let reduced = Prices { price: ordinary, compare_at: None }.at(self.0.as_slice(), at).price;
        match self.1 {
            Some((id, left)) if reduced < ordinary => {
                let left = allotments.left.entry(id).or_insert(left + line.own);
                if *left < line.quantity {
                    return ordinary;
                }
                *left -= line.quantity;
                allotments.needs.push((line.variant, id, line.quantity));
                reduced
            }
            _ => reduced,
        }
    }

    /// The allotment of the sale.
    pub(crate) fn allotment(&self) -> Option<CapacityId> {
        self.1.map(|(id, _)| id)
    }

    /// How many units are left at the sale's price; `None` for any number.
    pub(crate) fn left(&self) -> Option<i64> {
        self.1.map(|(_, left)| left)
    }

    /// When the sale ends, if it is on at a time.
    pub(crate) fn ends_at(&self) -> Option<i64> {
        self.0.map(|sale| sale.ends_at)
    }
}

/// A line that wants units of an allotment.
#[derive(Clone, Copy)]
pub(crate) struct LineAllotment {
    pub(crate) variant: VariantId,
    pub(crate) quantity: i64,
    /// What its cart holds of the allotment already.
    pub(crate) own: i64,
}

/// What is left of allotments while the lines of a cart are priced one after the other, and what they need.
#[derive(Default)]
pub(crate) struct Allotments {
    left: BTreeMap<CapacityId, i64>,
    pub(crate) needs: Vec<(VariantId, CapacityId, i64)>,
}

/// What decided on the prices of a variant: its ordinary prices, from when on, and its sales.
#[derive(Default)]
pub(crate) struct Past {
    history: Vec<(i64, Prices)>,
    sales: Vec<SalePrice>,
}

impl Past {
    /// The lowest price of the 30 days before the reduction at a time.
    pub(crate) fn lowest_before(&self, at: i64) -> Option<i64> {
        lowest_before(&self.history, &self.sales, at)
    }
}

/// The past prices of a product's variants.
pub(crate) async fn past(engine: &Engine, product: ProductId, now: i64) -> Result<Vec<(VariantId, Past)>> {
    let rows: Vec<PastRow> = engine.db.all(&PAST, params![product, now]).await?;
    let of = |(variant, rows): (VariantId, Vec<PastRow>)| {
        let mut past = Past::default();
        for PastRow { from_at, until, price_minor: price, compare_at_minor: compare_at, .. } in rows {
            match until {
                None => past.history.push((from_at, Prices { price, compare_at })),
                Some(ends_at) => past.sales.push(SalePrice { price, starts_at: from_at, ends_at }),
            }
        }
        (variant, past)
    };
    Ok(group_by(rows, |row| row.variant_id).into_iter().map(of).collect())
}

/// A product's sales, the latest first, and its variants for another one.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
) -> Result<ProductSales> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let of: ProductRow = engine.db.opt(&PRODUCT, params![product, shop]).await?.ok_or(Error::NotFound)?;
    let now = engine.clock.now_ms();
    let rows: Vec<SaleRow> = engine.db.all(&SALES, params![product, LISTED]).await?;
    let sales = group_by(rows, |row| row.id).into_iter().map(|(id, rows)| PlannedSale {
        id,
        status: PlannedSaleState::of(rows[0].starts_at, rows[0].ends_at, now),
        starts_at: caller.time(engine, rows[0].starts_at),
        ends_at: caller.time(engine, rows[0].ends_at),
        prices: rows
            .into_iter()
            .map(|row| PlannedPrice {
                variant_id: row.variant_id,
                title: row.title,
                sale_price: Money::new(row.price_minor, of.currency),
            })
            .collect(),
    });
    let sales = sales.collect();
    let variants = variants(engine, product, of.currency, now).await?;
    let slug = (of.state == ProductState::Published).then_some(of.slug);
    Ok(ProductSales { title: of.title, slug, variants, sales })
}

/// The variants of a product for another sale.
pub(crate) async fn variants(
    engine: &Engine,
    product: ProductId,
    currency: Currency,
    now: i64,
) -> Result<Vec<SaleVariant>> {
    let rows: Vec<VariantRow> = engine.db.all(&VARIANTS, params![product]).await?;
    let past = past(engine, product, now).await?;
    let variant = |VariantRow { id, title, price_minor }| {
        let past = past.iter().find(|(of, _)| *of == id);
        let lowest = past.and_then(|(_, past)| lowest_if_reduced(&past.history, &past.sales, now));
        let money = |minor| Money::new(minor, currency);
        SaleVariant { id, title, price: money(price_minor), lowest: money(lowest.unwrap_or(price_minor)) }
    };
    Ok(rows.into_iter().map(variant).collect())
}

/// Plans a sale of a product. Refused if a variant is in another sale meanwhile.
pub async fn plan(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
    form: &SaleForm,
) -> Result<PlannedSaleId> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let of: ProductRow = engine.db.opt(&PRODUCT, params![product, shop]).await?.ok_or(Error::NotFound)?;
    let now = engine.clock.now_ms();
    let prices = form.check(&variants(engine, product, of.currency, now).await?);
    let times = times(engine, &form.starts_at, &form.ends_at, now);
    let (prices, times) = match (prices, times) {
        (Ok(prices), Ok(times)) => (prices, times),
        (prices, times) => {
            let faults = prices.err().into_iter().chain(times.err());
            return Err(Error::Invalid(faults.flatten().collect()));
        }
    };
    let id: PlannedSaleId = random::id(now);
    let sale = NewSale { id, product, shop, prices, times, event: None, allotment: None };
    engine
        .db
        .write(("sale_prices::plan", id), (sale, now), |tx, (sale, now)| Box::pin(plan_in_tx(tx, sale, *now)))
        .await?;
    Ok(id)
}

/// When a sale begins and ends: now if no beginning was entered, and never if no end was.
pub(crate) fn times(
    engine: &Engine,
    starts_at: &str,
    ends_at: &str,
    now: i64,
) -> std::result::Result<(i64, i64), Vec<FieldError>> {
    let mut faults = Vec::new();
    let mut time = |field: &str, typed: &str, otherwise: i64| match typed.trim() {
        "" => otherwise,
        typed => engine.zone.read(typed).unwrap_or_else(|| {
            faults.push(FieldError::new(field, FieldCode::NotDate));
            otherwise
        }),
    };
    // The past is what it was.
    let starts_at = time("starts_at", starts_at, now).max(now);
    let ends_at = time("ends_at", ends_at, i64::MAX);
    if faults.is_empty() && ends_at <= starts_at {
        let code = if ends_at <= now { FieldCode::Past } else { FieldCode::NotAfterStart };
        faults.push(FieldError::new("ends_at", code));
    }
    if faults.is_empty() && ends_at < i64::MAX && ends_at > now + AHEAD_MAX_MS {
        faults.push(FieldError::new("ends_at", FieldCode::TooBig));
    }
    if faults.is_empty() { Ok((starts_at, ends_at)) } else { Err(faults) }
}

/// A sale that is about to be planned.
pub(crate) struct NewSale {
    pub(crate) id: PlannedSaleId,
    pub(crate) product: ProductId,
    pub(crate) shop: ShopId,
    pub(crate) prices: Vec<(VariantId, Money)>,
    /// When it begins and ends.
    pub(crate) times: (i64, i64),
    pub(crate) event: Option<SaleEventId>,
    /// How many units are sold at its prices.
    pub(crate) allotment: Option<i64>,
}

pub(crate) async fn plan_in_tx(tx: &mut Tx, sale: &NewSale, now: i64) -> TxResult<()> {
    let NewSale { id, product, shop, ref prices, times: (starts_at, ends_at), event, allotment } = *sale;
    if tx.exec(&LOCK, params![product, shop, now]).await? == 0 {
        return Err(Error::NotFound.into());
    }
    let wanted: Vec<[Value; 3]> =
        prices.iter().map(|(variant, _)| [(*variant).into(), starts_at.into(), ends_at.into()]).collect();
    if let Some(Scalar(taken)) = tx.all_many::<Scalar<VariantId>, 3>(&OVERLAPPING, &wanted).await?.first() {
        let field = match (event, prices.len()) {
            (Some(_), _) => "product".to_owned(),
            (None, 1) => "starts_at".to_owned(),
            _ => price_field(*taken),
        };
        return Err(Error::field(field, FieldCode::SaleExists).into());
    }
    let capacity_id: Option<CapacityId> = allotment.map(|_| random::id(now));
    if let (Some(capacity), Some(count)) = (capacity_id, allotment) {
        open_allotment_in_tx(tx, capacity, (shop, id), count, now).await?;
    }
    tx.insert(AddSale {
        id,
        product_id: product,
        starts_at,
        ends_at,
        next_at: Some(starts_at),
        event_id: event,
        allotment,
        capacity_id,
        created_at: now,
    })
    .await?;
    let rows = prices.iter().map(|(variant, price)| AddPrice {
        variant_id: *variant,
        sale_id: id,
        price_minor: price.amount(),
        starts_at,
        ends_at,
        capacity_id,
    });
    tx.insert_all(rows).await?;
    apply_in_tx(tx, &[product], now).await
}

/// Ends a sale that is on.
pub async fn end(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
    id: PlannedSaleId,
) -> Result<()> {
    change(engine, caller, handle, product, (id, false)).await
}

/// Removes a sale that has not begun.
pub async fn remove(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
    id: PlannedSaleId,
) -> Result<()> {
    change(engine, caller, handle, product, (id, true)).await
}

async fn change(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
    of: (PlannedSaleId, bool),
) -> Result<()> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let input = (product, of, shop, engine.clock.now_ms());
    engine
        .db
        .write(("sale_prices::change", of.0), input, |tx, (product, (id, remove), shop, now)| {
            Box::pin(async move {
                if tx.exec(&LOCK, params![*product, *shop, *now]).await? == 0 {
                    return Err(Error::NotFound.into());
                }
                if *remove {
                    let removed: Option<Scalar<Option<CapacityId>>> =
                        tx.opt(&REMOVE, params![*id, *product, *now]).await?;
                    let Scalar(allotment) = removed.ok_or(Error::NotFound)?;
                    delete_in_tx(tx, allotment.as_slice()).await?;
                } else {
                    if tx.exec(&END, params![*id, *product, *now]).await? == 0 {
                        return Err(Error::NotFound.into());
                    }
                    tx.exec(&END_PRICES, params![*id, *now]).await?;
                }
                apply_in_tx(tx, &[*product], *now).await
            })
        })
        .await?;
    Ok(())
}

/// Writes for lists what sales that have begun or ended changed. The worker does so every few seconds.
pub async fn apply_due(engine: &Engine) -> TxResult<()> {
    loop {
        let now = engine.clock.now_ms();
        let due: Vec<Scalar<ProductId>> = engine.db.all(&DUE, params![now, BATCH]).await?;
        let products: Vec<ProductId> = due.into_iter().map(|product| product.0).collect();
        let last = products.len() < usize::try_from(BATCH).unwrap_or_default();
        if !products.is_empty() {
            engine
                .db
                .write("sale_prices::apply_due", (products, now), |tx, (products, now)| {
                    Box::pin(async move {
                        lock_in_tx(tx, products, *now).await?;
                        apply_in_tx(tx, products, *now).await
                    })
                })
                .await?;
        }
        if last {
            return Ok(());
        }
    }
}

fn at(products: &[ProductId], now: i64) -> Vec<[Value; 2]> {
    products.iter().map(|product| [(*product).into(), now.into()]).collect()
}

/// Locks products whose prices are about to change.
pub(crate) async fn lock_in_tx(tx: &mut Tx, products: &[ProductId], now: i64) -> TxResult<()> {
    tx.exec_many(&LOCK_DUE, &at(products, now)).await?;
    Ok(())
}

/// Writes for lists what products cost from now on.
pub(crate) async fn apply_in_tx(tx: &mut Tx, products: &[ProductId], now: i64) -> TxResult<()> {
    tx.exec_many(&APPLY, &at(products, now)).await?;
    tx.exec_many(&STEP, &at(products, now)).await?;
    span_in_tx(tx, products).await
}

/// The lowest and the highest price of products, for lists.
pub(crate) async fn span_in_tx(tx: &mut Tx, products: &[ProductId]) -> TxResult<()> {
    let products: Vec<[Value; 1]> = products.iter().map(|product| [(*product).into()]).collect();
    tx.exec_many(&SPAN, &products).await?;
    Ok(())
}

/// Adds to the history what the ordinary prices of products are now, where they have changed.
pub(crate) async fn record_in_tx(tx: &mut Tx, products: &[ProductId], now: i64) -> TxResult<()> {
    tx.exec_many(&RECORD, &at(products, now)).await?;
    Ok(())
}
