//! Timed events of shops: products at prices of their own for some time, and as many units of each as the shop allots. Each
//! product of an event is a planned sale of it (`sale_prices`), so that carts, checkouts and lists need not know about events.

use crate::{
    Caller, Engine, TxResult, currencies,
    db::{Scalar, Tx},
    insert,
    inventory::delete_in_tx,
    params, random, rows,
    sale_prices::{self, NewSale},
    shops, statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    id::kinds::{CapacityId, PlannedSaleId, ProductId, SaleEventId, ShopId, VariantId},
    media::Picture,
    permissions::Permission,
    sale_events::{EventCard, EventForm, EventItem, EventProductForm, EventView, ShopEvent},
    sale_prices::PlannedSaleState,
};

/// So many events are listed.
const LISTED: i64 = 60;
/// So many products of a shop are offered for an event.
const OFFERED: i64 = 500;

macro_rules! cards {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.title, e.description, e.starts_at, e.ends_at, s.name AS shop_name, s.handle AS shop_handle, s.currency,
            (SELECT COUNT(*) FROM planned_sales x JOIN products p ON p.id = x.product_id AND p.state = 'published'
                WHERE x.event_id = e.id) AS products,
            m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM sale_events e JOIN shops s ON s.id = e.shop_id
        LEFT JOIN product_pictures pp ON pp.position = 0 AND pp.product_id = (SELECT f.product_id FROM planned_sales f
            WHERE f.event_id = e.id ORDER BY f.created_at, f.id LIMIT 1)
        LEFT JOIN media m ON m.id = pp.media_id ",
            $rest
        )
    };
}

statements! {
    LIST = cards!("WHERE e.ends_at > $1 ORDER BY e.starts_at, e.id LIMIT $2");
    OF_SHOP = cards!("WHERE e.shop_id = $1 ORDER BY e.starts_at DESC, e.id DESC LIMIT $2");
    FIND = cards!("WHERE e.id = $1");
    ITEMS = "SELECT x.id AS sale_id, p.id AS product_id, p.slug, p.title, p.state = 'published' AS published, x.allotment, x.ends_at,
            (SELECT MIN(y.price_minor) FROM sale_prices y WHERE y.sale_id = x.id) AS price_minor,
            (SELECT MIN(v.price_minor) FROM sale_prices y JOIN variants v ON v.id = y.variant_id WHERE y.sale_id = x.id) AS was_minor,
            c.on_hand - c.held AS left_over,
            (SELECT CASE WHEN COUNT(*) = COUNT(k.id) THEN CAST(SUM(k.on_hand - k.held) AS BIGINT) END FROM sale_prices y
                JOIN variants v ON v.id = y.variant_id LEFT JOIN capacities k ON k.id = v.capacity_id WHERE y.sale_id = x.id) AS stock,
            m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM planned_sales x JOIN products p ON p.id = x.product_id LEFT JOIN capacities c ON c.id = x.capacity_id
        LEFT JOIN product_pictures pp ON pp.product_id = p.id AND pp.position = 0 LEFT JOIN media m ON m.id = pp.media_id
        WHERE x.event_id = $1 ORDER BY x.created_at, x.id";
    OFFER = "SELECT p.id, p.title FROM products p WHERE p.shop_id = $1 AND p.state = 'published'
            AND NOT EXISTS (SELECT 1 FROM planned_sales x WHERE x.event_id = $2 AND x.product_id = p.id)
        ORDER BY p.title_key, p.id LIMIT $3";
    TITLE = "SELECT p.title AS value FROM products p WHERE p.id = $1 AND p.shop_id = $2 AND p.state <> 'archived'";
    // From here on, changes of this event wait for each other.
    LOCK = "UPDATE sale_events SET title = $3, description = $4 WHERE id = $1 AND shop_id = $2 RETURNING starts_at, ends_at";
    HOLD_STILL = "UPDATE sale_events SET title = title WHERE id = $1 AND shop_id = $2 RETURNING starts_at, ends_at";
    MOVE = "UPDATE sale_events SET starts_at = $2, ends_at = $3 WHERE id = $1";
    MOVE_SALES = "UPDATE planned_sales SET starts_at = $2, ends_at = $3, next_at = $2 WHERE event_id = $1";
    MOVE_PRICES = "UPDATE sale_prices SET starts_at = $2, ends_at = $3 WHERE sale_id IN (SELECT x.id FROM planned_sales x WHERE x.event_id = $1)";
    CLASHES = "SELECT COUNT(*) AS value FROM planned_sales x JOIN sale_prices y ON y.sale_id = x.id
        JOIN sale_prices o ON o.variant_id = y.variant_id AND o.sale_id <> y.sale_id AND o.starts_at < $3 AND o.ends_at > $2
        WHERE x.event_id = $1";
    PRODUCTS = "SELECT DISTINCT product_id AS value FROM planned_sales WHERE event_id = $1 ORDER BY value";
    END = "UPDATE sale_events SET ends_at = $2 WHERE id = $1";
    END_SALES = "UPDATE planned_sales SET ends_at = $2, next_at = NULL WHERE event_id = $1 AND ends_at > $2";
    END_PRICES = "UPDATE sale_prices SET ends_at = $2 WHERE ends_at > $2
        AND sale_id IN (SELECT x.id FROM planned_sales x WHERE x.event_id = $1)";
    ALLOTMENTS = "SELECT capacity_id AS value FROM planned_sales WHERE event_id = $1 AND capacity_id IS NOT NULL ORDER BY value";
    DELETE = "DELETE FROM sale_events WHERE id = $1";
}

insert! {
    struct AddEvent<'a> into sale_events {
        id: SaleEventId,
        shop_id: ShopId,
        title: &'a str,
        description: &'a str,
        starts_at: i64,
        ends_at: i64,
        created_at: i64,
    }
}

rows! {
    struct CardRow {
        id: SaleEventId,
        title: String,
        description: String,
        starts_at: i64,
        ends_at: i64,
        shop_name: String,
        shop_handle: String,
        currency: Currency,
        products: i64;
        picture: Option<Picture>
    }

    struct ItemRow {
        sale_id: PlannedSaleId,
        product_id: ProductId,
        slug: String,
        title: String,
        published: bool,
        allotment: Option<i64>,
        ends_at: i64,
        price_minor: i64,
        was_minor: i64,
        left_over: Option<i64>,
        stock: Option<i64>;
        picture: Option<Picture>
    }

    struct OfferRow {
        id: ProductId,
        title: String,
    }

    struct Times {
        starts_at: i64,
        ends_at: i64,
    }
}

/// The events of all shops that are on or will be, the first to begin first.
pub async fn list(engine: &Engine, caller: &Caller) -> Result<Vec<EventCard>> {
    let now = engine.clock.now_ms();
    let rows: Vec<CardRow> = engine.db.all(&LIST, params![now, LISTED]).await?;
    // One that a shop still prepares is nobody else's business.
    let ready = rows.into_iter().filter(|row| row.products > 0);
    Ok(ready.map(|row| card(engine, caller, row, now)).collect())
}

/// An event with its products.
pub async fn view(engine: &Engine, caller: &Caller, id: SaleEventId) -> Result<EventView> {
    let mut view = read(engine, caller, id).await?;
    view.items.retain(|item| item.published && !item.ended);
    if view.card.products == 0 {
        return Err(Error::NotFound);
    }
    let shown = currencies::shown(engine, caller).await?;
    for item in &mut view.items {
        for price in [&mut item.price, &mut item.was] {
            if let Some(shown) = shown.filter(|shown| shown.from() == price.currency()) {
                *price = shown.price(*price);
            }
        }
    }
    Ok(view)
}

/// The events of a shop, the latest first. For its staff.
pub async fn of_shop(engine: &Engine, caller: &Caller, handle: &str) -> Result<Vec<EventCard>> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let now = engine.clock.now_ms();
    let rows: Vec<CardRow> = engine.db.all(&OF_SHOP, params![shop, LISTED]).await?;
    Ok(rows.into_iter().map(|row| card(engine, caller, row, now)).collect())
}

/// An event of a shop as its staff edits it, and the product that they are about to put into it.
pub async fn edit(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: SaleEventId,
    adding: Option<ProductId>,
) -> Result<ShopEvent> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let row: CardRow = engine.db.opt(&FIND, params![id]).await?.ok_or(Error::NotFound)?;
    if row.shop_handle != handle {
        return Err(Error::NotFound);
    }
    let now = engine.clock.now_ms();
    let local = |ms: i64| engine.zone.local(ms).chars().take("2026-12-01T10:00".len()).collect();
    let form = EventForm {
        title: row.title.clone(),
        description: row.description.clone(),
        starts_at: local(row.starts_at),
        ends_at: local(row.ends_at),
    };
    let currency = row.currency;
    let event = with_items(engine, caller, row, now).await?;
    let offered: Vec<OfferRow> = engine.db.all(&OFFER, params![shop, id, OFFERED]).await?;
    let adding = match adding {
        None => None,
        Some(product) => {
            let title: Option<Scalar<String>> = engine.db.opt(&TITLE, params![product, shop]).await?;
            let Scalar(title) = title.ok_or(Error::NotFound)?;
            Some((product, title, sale_prices::variants(engine, product, currency, now).await?))
        }
    };
    let products = offered.into_iter().map(|row| (row.title, row.id)).collect();
    Ok(ShopEvent { event, form, products, adding })
}

async fn read(engine: &Engine, caller: &Caller, id: SaleEventId) -> Result<EventView> {
    let row: CardRow = engine.db.opt(&FIND, params![id]).await?.ok_or(Error::NotFound)?;
    with_items(engine, caller, row, engine.clock.now_ms()).await
}

async fn with_items(engine: &Engine, caller: &Caller, row: CardRow, now: i64) -> Result<EventView> {
    let items: Vec<ItemRow> = engine.db.all(&ITEMS, params![row.id]).await?;
    let currency = row.currency;
    let over = row.ends_at <= now;
    let items = items.into_iter().map(|item| EventItem {
        sale: item.sale_id,
        product: item.product_id,
        slug: item.slug,
        title: item.title,
        published: item.published,
        price: Money::new(item.price_minor, currency),
        was: Money::new(item.was_minor, currency),
        allotment: item.allotment,
        left: left(item.left_over, item.stock),
        ended: item.ends_at <= now && !over,
        picture: item.picture,
    });
    let items = items.collect();
    let until = if row.starts_at > now { row.starts_at } else { row.ends_at };
    let seconds = (until.saturating_sub(now).max(0).saturating_add(999)) / 1_000;
    let description = row.description.clone();
    Ok(EventView { card: card(engine, caller, row, now), description, seconds, items })
}

/// How many units are left at the price: of the allotment, but never more than there are.
fn left(allotment: Option<i64>, stock: Option<i64>) -> Option<i64> {
    match (allotment, stock) {
        (Some(allotment), Some(stock)) => Some(allotment.min(stock)),
        (None, Some(..=0)) => Some(0),
        (allotment, _) => allotment,
    }
}

fn card(engine: &Engine, caller: &Caller, row: CardRow, now: i64) -> EventCard {
    EventCard {
        id: row.id,
        title: row.title,
        shop_name: row.shop_name,
        shop_handle: row.shop_handle,
        status: PlannedSaleState::of(row.starts_at, row.ends_at, now),
        starts_at: caller.time(engine, row.starts_at),
        ends_at: caller.time(engine, row.ends_at),
        products: row.products,
        picture: row.picture,
    }
}

/// Creates an event without products.
pub async fn create(engine: &Engine, caller: &Caller, handle: &str, form: &EventForm) -> Result<SaleEventId> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let now = engine.clock.now_ms();
    let (title, description, (starts_at, ends_at)) = checked(engine, form, now)?;
    let id: SaleEventId = random::id(now);
    let input = (id, shop, title, description, (starts_at, ends_at), now);
    engine
        .db
        .write(("sale_events::create", id), input, |tx, (id, shop_id, title, description, times, now)| {
            Box::pin(async move {
                let (id, shop_id, (starts_at, ends_at), created_at) = (*id, *shop_id, *times, *now);
                tx.insert(AddEvent { id, shop_id, title, description, starts_at, ends_at, created_at })
                    .await?;
                Ok(())
            })
        })
        .await?;
    Ok(id)
}

/// The title, the description and the times of a form.
fn checked(engine: &Engine, form: &EventForm, now: i64) -> Result<(String, String, (i64, i64))> {
    match (form.check(), sale_prices::times(engine, &form.starts_at, &form.ends_at, now)) {
        (Ok((title, description)), Ok(times)) => Ok((title, description, times)),
        (texts, times) => Err(Error::Invalid(texts.err().into_iter().chain(times.err()).flatten().collect())),
    }
}

/// Changes an event: its title and description at any time, and when it begins and ends until it has begun.
pub async fn save(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: SaleEventId,
    form: &EventForm,
) -> Result<()> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let now = engine.clock.now_ms();
    let (title, description) = form.check().map_err(Error::Invalid)?;
    let times = sale_prices::times(engine, &form.starts_at, &form.ends_at, now).map_err(Error::Invalid);
    let input = ((id, shop), title, description, times, now);
    engine
        .db
        .write(("sale_events::save", id), input, |tx, ((id, shop), title, description, times, now)| {
            Box::pin(async move {
                let (id, now) = (*id, *now);
                let old: Option<Times> = tx.opt(&LOCK, params![id, *shop, title, description]).await?;
                let old = old.ok_or(Error::NotFound)?;
                if old.starts_at <= now {
                    return Ok(());
                }
                let (starts_at, ends_at) = times.clone()?;
                let Scalar(clashes) = tx
                    .opt::<Scalar<i64>>(&CLASHES, params![id, starts_at, ends_at])
                    .await?
                    .unwrap_or(Scalar(0));
                if clashes > 0 {
                    return Err(Error::field("starts_at", FieldCode::SaleExists).into());
                }
                let products = products_in_tx(tx, id, now).await?;
                for statement in [&MOVE, &MOVE_SALES, &MOVE_PRICES] {
                    tx.exec(statement, params![id, starts_at, ends_at]).await?;
                }
                sale_prices::apply_in_tx(tx, &products, now).await
            })
        })
        .await?;
    Ok(())
}

/// The products of an event, locked.
async fn products_in_tx(tx: &mut Tx, id: SaleEventId, now: i64) -> TxResult<Vec<ProductId>> {
    let products: Vec<Scalar<ProductId>> = tx.all(&PRODUCTS, params![id]).await?;
    let products: Vec<ProductId> = products.into_iter().map(|product| product.0).collect();
    sale_prices::lock_in_tx(tx, &products, now).await?;
    Ok(products)
}

/// Puts a product into an event that is not over: from its beginning or, if it is on, from now.
pub async fn add(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: SaleEventId,
    product: ProductId,
    form: &EventProductForm,
) -> Result<()> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let event = edit(engine, caller, handle, id, Some(product)).await?;
    let (_, _, variants) = event.adding.ok_or(Error::NotFound)?;
    // When it ends is decided by the event.
    let sale = haat_shared::sale_prices::SaleForm { ends_at: event.form.ends_at, ..form.sale.clone() };
    let (prices, allotment): (Vec<(VariantId, Money)>, _) = match (sale.check(&variants), form.units()) {
        (Ok(prices), Ok(units)) => (prices, units),
        (prices, units) => {
            let faults = prices.err().into_iter().flatten().chain(units.err());
            return Err(Error::Invalid(faults.collect()));
        }
    };
    let now = engine.clock.now_ms();
    let sale: PlannedSaleId = random::id(now);
    let input = ((id, sale, product, shop), prices, allotment, now);
    engine
        .db
        .write(
            ("sale_events::add", sale),
            input,
            |tx, ((event, id, product, shop), prices, allotment, now)| {
                Box::pin(async move {
                    let times: Option<Times> = tx.opt(&HOLD_STILL, params![*event, *shop]).await?;
                    let Times { starts_at, ends_at } = times.ok_or(Error::NotFound)?;
                    if ends_at <= *now {
                        return Err(Error::field("product", FieldCode::NotAChoice).into());
                    }
                    let sale = NewSale {
                        id: *id,
                        product: *product,
                        shop: *shop,
                        prices: prices.clone(),
                        times: (starts_at.max(*now), ends_at),
                        event: Some(*event),
                        allotment: *allotment,
                    };
                    sale_prices::plan_in_tx(tx, &sale, *now).await
                })
            },
        )
        .await?;
    Ok(())
}

/// Ends an event that is on.
pub async fn end(engine: &Engine, caller: &Caller, handle: &str, id: SaleEventId) -> Result<()> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let input = (id, shop, engine.clock.now_ms());
    engine
        .db
        .write(("sale_events::end", id), input, |tx, (id, shop, now)| {
            Box::pin(async move {
                let times: Option<Times> = tx.opt(&HOLD_STILL, params![*id, *shop]).await?;
                if times.is_none_or(|times| times.starts_at > *now || times.ends_at <= *now) {
                    return Err(Error::NotFound.into());
                }
                let products = products_in_tx(tx, *id, *now).await?;
                for statement in [&END, &END_SALES, &END_PRICES] {
                    tx.exec(statement, params![*id, *now]).await?;
                }
                sale_prices::apply_in_tx(tx, &products, *now).await
            })
        })
        .await?;
    Ok(())
}

/// Deletes an event that has not begun, with its allotments.
pub async fn delete(engine: &Engine, caller: &Caller, handle: &str, id: SaleEventId) -> Result<()> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let input = (id, shop, engine.clock.now_ms());
    engine
        .db
        .write(("sale_events::delete", id), input, |tx, (id, shop, now)| {
            Box::pin(async move {
                let times: Option<Times> = tx.opt(&HOLD_STILL, params![*id, *shop]).await?;
                if times.is_none_or(|times| times.starts_at <= *now) {
                    return Err(Error::NotFound.into());
                }
                products_in_tx(tx, *id, *now).await?;
                let allotments: Vec<Scalar<CapacityId>> = tx.all(&ALLOTMENTS, params![*id]).await?;
                let allotments: Vec<CapacityId> = allotments.into_iter().map(|id| id.0).collect();
                tx.exec(&DELETE, params![*id]).await?;
                delete_in_tx(tx, &allotments).await
            })
        })
        .await?;
    Ok(())
}

/// Takes a product out of an event: as if it had never been in it, or from now on.
pub async fn remove(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: SaleEventId,
    product: ProductId,
    sale: PlannedSaleId,
) -> Result<()> {
    let event = edit(engine, caller, handle, id, None).await?.event;
    match event.card.status {
        PlannedSaleState::Scheduled => sale_prices::remove(engine, caller, handle, product, sale).await,
        _ => sale_prices::end(engine, caller, handle, product, sale).await,
    }
}
