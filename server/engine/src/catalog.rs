//! The catalogue: product lists and product pages.

mod attributes;
mod categories;
mod edit;
pub mod imports;
mod map;
mod seller;
mod upsert;

pub use attributes::{
    AskedAttribute, attribute_values, category_attributes, define_attribute, set_attribute_values,
    set_category_attributes,
};
pub(crate) use categories::spread_rates_in_tx;
pub use categories::{NewCategory, category, category_ids, put_categories, roots, tree};
pub use edit::{archive, create, delete, duplicate, publish, set_each_state, set_states, states, update};
pub use map::{map_categories, map_files, map_products, map_shops};
pub use seller::{seller_list, seller_product, seller_table};
pub use upsert::{NewProduct, NewVariant, upsert_products};

use crate::{
    Caller, Engine, currencies,
    db::{ListQuery, Scalar, Value, list::like},
    lists, media, params, rows,
    sale_prices::{self, SaleNow, join_sale, listed_price, on_sale},
    shops, statements, taxes,
};
use haat_shared::{
    Currency, Error, FieldCode, Id, Money, Result,
    appointments::{ServiceFacts, ServicePlace},
    catalog::{
        Attribute, HomeView, ListProducts, PAGE_SIZE, ProductCard, ProductPage, ProductView, QUERY_MAX,
        SORTS, VariantStock, VariantView,
    },
    id::kinds::{CategoryId, ProductId, VariantId},
    media::Picture,
    page::{self, Page},
    reviews::Rating,
    text,
};

/// The columns of a product card. Stock is counted rather than tested with EXISTS, which PostgreSQL would
/// evaluate for all products of the market before returning the first page.
macro_rules! cards {
    () => {
        concat!("SELECT p.id, p.slug, p.title, p.brand, p.price_min_minor, p.price_max_minor, p.rating_score, s.currency,
        s.name AS shop_name, s.handle AS shop_handle,
        (SELECT v.id FROM variants v WHERE v.product_id = p.id AND NOT v.archived AND ", listed_price!(), " = p.price_min_minor
            ORDER BY v.position, v.id LIMIT 1) AS variant_id,
        (SELECT MAX(CASE WHEN v.sale_minor < v.price_minor THEN v.price_minor ELSE v.compare_at_minor END) FROM variants v
            WHERE v.product_id = p.id AND NOT v.archived AND ", listed_price!(), " = p.price_min_minor) AS compare_at_minor,
        (SELECT COUNT(*) FROM variants v LEFT JOIN capacities c ON c.id = v.capacity_id
            WHERE v.product_id = p.id AND NOT v.archived AND (v.capacity_id IS NULL OR c.on_hand > c.held)) > 0 AS in_stock,
        m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM products p JOIN shops s ON s.id = p.shop_id
        LEFT JOIN product_pictures pp ON pp.product_id = p.id AND pp.position = 0 LEFT JOIN media m ON m.id = pp.media_id")
    };
}

lists! {
    PRODUCTS {
        select: cards!(),
        base_filter: "p.state = 'published'",
        filters: &[
            ("shop", "p.shop_id = (SELECT id FROM shops WHERE handle = {})"),
            (
                "category",
                "p.category_id IN (SELECT d.id FROM categories c JOIN categories d ON d.path LIKE c.path || '%'
                    WHERE c.slug = {})",
            ),
            ("word", r"p.search_folded LIKE {} ESCAPE '\'"),
        ],
        // The values of `haat_shared::catalog::SORTS`.
        sorts: &[
            ("newest", "p.id < {}", "p.id DESC"),
            ("price_low", "(p.price_min_minor, p.id) > ({}, {})", "p.price_min_minor, p.id"),
            ("price_high", "(p.price_min_minor, p.id) < ({}, {})", "p.price_min_minor DESC, p.id DESC"),
            ("rating", "(p.rating_score, p.id) < ({}, {})", "p.rating_score DESC, p.id DESC"),
        ],
    }
}

/// The sort order of the search index alone.
pub(crate) const RELEVANCE: &str = SORTS[4];
/// How long a sale counts towards a product's popularity.
const POPULAR_FOR_MS: i64 = 30 * 24 * 3_600_000;
/// How many popular products are stored; more than are shown, since some may be archived in the meantime.
const POPULAR_KEPT: i64 = 48;
/// How many of each the home page shows.
const POPULAR_SHOWN: i64 = 8;
const NEWEST_SHOWN: usize = 12;
const SHOPS_SHOWN: usize = 6;

statements! {
    POPULAR = concat!(cards!(), " JOIN popular_products o ON o.product_id = p.id
        WHERE p.state = 'published' ORDER BY o.units DESC, p.id DESC LIMIT $1");
    CARDS = concat!(cards!(), " JOIN (VALUES [($1)]) AS given ON p.id = given.column1 WHERE p.state = 'published'");
    FORGET_POPULAR = "DELETE FROM popular_products";
    COUNT_POPULAR = "INSERT INTO popular_products (product_id, units)
        SELECT l.product_id, CAST(SUM(l.quantity) AS BIGINT) FROM orders o JOIN order_lines l ON l.order_id = o.id
        WHERE o.created_at > $1 AND o.state <> 'cancelled' GROUP BY l.product_id ORDER BY 2 DESC LIMIT $2";
    FIND = "SELECT p.id, p.slug, p.title, p.brand, p.description, p.attributes, p.options, p.category_id, p.rating_sum, p.rating_count, s.handle AS shop_handle,
            s.prices_include_tax, b.minutes AS service_minutes, b.place AS service_place
        FROM products p JOIN shops s ON s.id = p.shop_id LEFT JOIN services b ON b.product_id = p.id WHERE p.slug = $1 AND p.state = 'published'";
    PUBLISHED = "SELECT id AS value FROM products WHERE slug = $1 AND state = 'published'";
    STOCK = "SELECT v.id, c.on_hand - c.held AS available
        FROM products p JOIN variants v ON v.product_id = p.id LEFT JOIN capacities c ON c.id = v.capacity_id
        WHERE p.id = $1 AND p.state = 'published' AND NOT v.archived ORDER BY v.position, v.id";
    VARIANTS = concat!("SELECT v.id, v.title, v.price_minor, v.compare_at_minor, c.on_hand - c.held AS available, ", on_sale!(), "
        FROM variants v LEFT JOIN capacities c ON c.id = v.capacity_id ", join_sale!("v.id", "$2"), "
        WHERE v.product_id = $1 AND NOT v.archived ORDER BY v.position, v.id");
}

rows! {
    struct CardRow {
        id: ProductId,
        slug: String,
        variant_id: VariantId,
        title: String,
        brand: String,
        compare_at_minor: Option<i64>,
        price_min_minor: i64,
        price_max_minor: i64,
        rating_score: i64,
        currency: Currency,
        shop_name: String,
        shop_handle: String,
        in_stock: bool;
        picture: Option<Picture>
    }

    struct ProductRow {
        id: ProductId,
        slug: String,
        title: String,
        brand: String,
        description: String,
        attributes: String,
        options: String,
        category_id: Option<CategoryId>,
        rating_sum: i64,
        rating_count: i64,
        shop_handle: String,
        prices_include_tax: Option<bool>,
        service_minutes: Option<i64>,
        service_place: Option<String>,
    }

    struct StockRow {
        id: VariantId,
        available: Option<i64>,
    }

    struct VariantRow {
        id: VariantId,
        title: String,
        price_minor: i64,
        compare_at_minor: Option<i64>,
        available: Option<i64>;
        sale: SaleNow
    }
}

/// Products, page by page: all, of a shop, in a category or below it, or those that contain all words of a search. Shoppers
/// look for them with `finding`.
pub async fn list(engine: &Engine, caller: &Caller, ask: ListProducts) -> Result<ProductPage> {
    read(engine, caller, &ask).await
}

/// Products as the database has them: those that contain all words of a search. What only the search index knows is not
/// asked for.
pub(crate) async fn read(engine: &Engine, caller: &Caller, ask: &ListProducts) -> Result<ProductPage> {
    let q = text::optional_line("q", &ask.q, QUERY_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    let mut filters: Vec<(&str, Value)> = Vec::new();
    if !ask.shop.is_empty() {
        filters.push(("shop", ask.shop.as_str().into()));
    }
    if !ask.category.is_empty() {
        filters.push(("category", ask.category.as_str().into()));
    }
    let folded = text::fold(&q);
    for word in folded.split_whitespace().take(8) {
        filters.push(("word", like(word).into()));
    }
    let sort = if ask.sort.is_empty() || ask.sort == RELEVANCE { SORTS[0] } else { &ask.sort };
    // A page of the search index begins at a number.
    let after = if ask.after.starts_with('@') { "" } else { &ask.after };
    let after = behind(&PRODUCTS, sort, after)?;
    let size = page::rows(ask.limit, PAGE_SIZE);
    let rows: Vec<CardRow> = engine.db.list(PRODUCTS.bind(filters, sort, after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| match sort {
        "newest" => row.id.to_string(),
        "rating" => format!("{}.{}", row.id, row.rating_score),
        _ => format!("{}.{}", row.id, row.price_min_minor),
    });
    let mut page: ProductPage = page.map(Into::into);
    currencies::show_cards(engine, caller, &mut page.items).await?;
    Ok(page)
}

/// Products by their IDs, in this order, if they are published.
pub(crate) async fn cards(engine: &Engine, caller: &Caller, ids: &[ProductId]) -> Result<Vec<ProductCard>> {
    let given: Vec<[Value; 1]> = ids.iter().map(|id| [(*id).into()]).collect();
    let rows: Vec<CardRow> = engine.db.all_many(&CARDS, &given).await?;
    let mut cards: Vec<ProductCard> = rows.into_iter().map(Into::into).collect();
    cards.sort_by_key(|card| ids.iter().position(|id| *id == card.id));
    currencies::show_cards(engine, caller, &mut cards).await?;
    Ok(cards)
}

/// The contents of the home page.
pub async fn home(engine: &Engine, caller: &Caller) -> Result<HomeView> {
    let popular: Vec<CardRow> = engine.db.all(&POPULAR, params![POPULAR_SHOWN]).await?;
    let mut popular: Vec<ProductCard> = popular.into_iter().map(Into::into).collect();
    currencies::show_cards(engine, caller, &mut popular).await?;
    let mut newest = list(engine, caller, ListProducts::default()).await?.items;
    newest.truncate(NEWEST_SHOWN);
    let mut shops = shops::list(engine, caller, "").await?.items;
    shops.truncate(SHOPS_SHOWN);
    Ok(HomeView { categories: roots(engine, caller).await?, popular, newest, shops })
}

/// Counts recent best sellers. The worker does so every few minutes.
pub async fn count_popular(engine: &Engine) -> crate::TxResult<()> {
    let since = engine.clock.now_ms() - POPULAR_FOR_MS;
    engine
        .db
        .write("catalog::count_popular", since, |tx, since| {
            Box::pin(async move {
                tx.exec(&FORGET_POPULAR, params![]).await?;
                tx.exec(&COUNT_POPULAR, params![*since, POPULAR_KEPT]).await?;
                Ok(())
            })
        })
        .await
}

impl From<CardRow> for ProductCard {
    fn from(row: CardRow) -> Self {
        let money = |minor| Money::new(minor, row.currency);
        Self {
            price: money(row.price_min_minor),
            compare_at: row.compare_at_minor.map(money),
            price_varies: row.price_max_minor > row.price_min_minor,
            id: row.id,
            slug: row.slug,
            variant_id: row.variant_id,
            title: row.title,
            brand: row.brand,
            in_stock: row.in_stock,
            shop_name: row.shop_name,
            shop_handle: row.shop_handle,
            picture: row.picture,
        }
    }
}

/// The key from which a page continues: the ID, and the value that the list is sorted by.
fn behind(list: &ListQuery, sort: &str, after: &str) -> Result<Vec<Value>> {
    let bad = || Error::field("after", FieldCode::BadCursor);
    if !list.sorts.iter().any(|(name, ..)| *name == sort) {
        return Err(Error::field("sort", FieldCode::NotAChoice));
    }
    if after.is_empty() {
        return Ok(Vec::new());
    }
    let (id, key) = after.split_once('.').unwrap_or((after, ""));
    let id = id.parse::<ProductId>().map_err(|_| bad())?;
    Ok(match sort.trim_start_matches('-') {
        "newest" => vec![id.into()],
        "title" => vec![key.into(), id.into()],
        _ => vec![key.parse::<i64>().map_err(|_| bad())?.into(), id.into()],
    })
}

/// The ID of a published product.
pub(crate) async fn published(engine: &Engine, slug: &str) -> Result<ProductId> {
    let found: Option<Scalar<ProductId>> = engine.db.opt(&PUBLISHED, params![slug]).await?;
    Ok(found.ok_or(Error::NotFound)?.0)
}

/// How many of each variant of a product are available; none if it isn't for sale.
pub async fn stock(engine: &Engine, product: ProductId) -> Result<Vec<VariantStock>> {
    let rows: Vec<StockRow> = engine.db.all(&STOCK, params![product]).await?;
    Ok(rows.into_iter().map(|StockRow { id, available }| VariantStock { id, available }).collect())
}

/// A product by its slug.
pub async fn product(engine: &Engine, caller: &Caller, slug: &str) -> Result<ProductView> {
    let row: ProductRow = engine.db.opt(&FIND, params![slug]).await?.ok_or(Error::NotFound)?;
    let shop = shops::read(engine, &row.shop_handle, false).await?;
    let now = engine.clock.now_ms();
    let variants: Vec<VariantRow> = engine.db.all(&VARIANTS, params![row.id, now]).await?;
    let priced: Vec<_> = variants
        .into_iter()
        .map(|v| {
            let prices = v.sale.price(v.price_minor, v.compare_at_minor, now);
            (v, prices)
        })
        .collect();
    // Only beside a reduction.
    let past = match priced.iter().any(|(_, prices)| prices.compare_at.is_some()) {
        true => sale_prices::past(engine, row.id, now).await?,
        false => Vec::new(),
    };
    let money = |minor| Money::new(minor, shop.currency);
    let variants = priced.into_iter().map(|(v, prices)| {
        let past = past.iter().find(|(of, _)| *of == v.id);
        // The ordinary price may have fallen below that of the sale.
        let ends_at = v.sale.ends_at().filter(|_| prices.price < v.price_minor);
        VariantView {
            id: v.id,
            title: v.title,
            price: money(prices.price),
            compare_at: prices.compare_at.map(money),
            lowest_price: past.and_then(|(_, past)| past.lowest_before(now)).map(money),
            sale_ends_at: ends_at.map(|end| caller.time(engine, end)),
            // What there is less of is the stock, which the page shows anyway.
            sale_left: ends_at
                .and_then(|_| v.sale.left())
                .filter(|left| v.available.is_none_or(|stock| *left <= stock)),
            available: v.available,
        }
    });
    let variants = variants.collect();
    let trail = match row.category_id {
        Some(category) => categories::trail(engine, caller, category).await?,
        None => Vec::new(),
    };
    let mut view = ProductView {
        trail,
        tax_included: taxes::table(engine).await?.includes(row.prices_include_tax),
        id: row.id,
        slug: row.slug,
        title: row.title,
        brand: row.brand,
        description: row.description,
        typed_attributes: attributes::typed(engine, row.id).await?,
        attributes: details(&row.attributes),
        options: serde_json::from_str(&row.options).unwrap_or_default(),
        variants,
        service: row
            .service_minutes
            .zip(row.service_place)
            .and_then(|(minutes, place)| Some(ServiceFacts { minutes, place: ServicePlace::parse(&place)? })),
        shop,
        rating: Rating::new(row.rating_sum, row.rating_count),
        pictures: media::of_product(engine, row.id).await?,
    };
    currencies::show_product(engine, caller, &mut view).await?;
    Ok(view)
}

fn details(json: &str) -> Vec<Attribute> {
    serde_json::from_str(json).unwrap_or_default()
}

/// The slug of a product: its title, and enough of its ID to be unique.
fn slug_of(title: &str, id: Id<haat_shared::id::kinds::Product>) -> String {
    let slug = text::slug(title, 60);
    let tail = id.tail(7);
    if slug.is_empty() { tail } else { format!("{slug}-{tail}") }
}

/// The key by which lists are sorted by title.
fn title_key(title: &str) -> String {
    text::fold(title).chars().take(60).collect()
}
