//! Products in the seller dashboard: the list, and the product form.

use super::{behind, details};
use crate::{
    Caller, Engine,
    db::{CountRow, Value, list::like},
    lists, params, rows, statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    catalog::{
        QUERY_MAX,
        edit::{
            ListSellerProducts, Measures, ProductForm, ProductState, SellerProduct, SellerProductCard,
            VariantForm,
        },
    },
    id::kinds::*,
    media::Picture,
    page::{self, Counted, Page},
    permissions::Permission,
    text,
};

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

lists! {
    SELLER_PRODUCTS {
        select: "SELECT p.id, p.slug, p.title, p.title_key, p.state, p.price_min_minor, p.price_max_minor, p.updated_at, s.currency,
            m.id AS media_id, m.width, m.height, m.color, pp.alt,
            (SELECT COUNT(*) FROM variants v WHERE v.product_id = p.id AND NOT v.archived) AS variants,
            (SELECT CAST(COALESCE(SUM(c.on_hand - c.held), 0) AS BIGINT) FROM variants v JOIN capacities c ON c.id = v.capacity_id
                WHERE v.product_id = p.id AND NOT v.archived) AS stock,
            (SELECT COUNT(*) FROM variants v JOIN capacities c ON c.id = v.capacity_id
                WHERE v.product_id = p.id AND NOT v.archived AND c.on_hand - c.held <= v.low_stock) AS low
            FROM products p JOIN shops s ON s.id = p.shop_id
            LEFT JOIN product_pictures pp ON pp.product_id = p.id AND pp.position = 0 LEFT JOIN media m ON m.id = pp.media_id",
        base_filter: "TRUE",
        filters: &[
            ("shop", "p.shop_id = {}"),
            ("state", "p.state = {}"),
            ("word", r"p.search_folded LIKE {} ESCAPE '\'"),
        ],
        sorts: &[
            ("newest", "p.id < {}", "p.id DESC"),
            ("title", "(p.title_key, p.id) > ({}, {})", "p.title_key, p.id"),
            ("price", "(p.price_min_minor, p.id) > ({}, {})", "p.price_min_minor, p.id"),
            ("-title", "(p.title_key, p.id) < ({}, {})", "p.title_key DESC, p.id DESC"),
            ("-price", "(p.price_min_minor, p.id) < ({}, {})", "p.price_min_minor DESC, p.id DESC"),
        ],
    }
}

// The same list, for filters that need the stock of all products: aggregated once, not per product.
lists! {
    BY_STOCK {
        select: "SELECT p.id, p.slug, p.title, p.title_key, p.state, p.price_min_minor, p.price_max_minor, p.updated_at, s.currency,
            m.id AS media_id, m.width, m.height, m.color, pp.alt, k.variants, k.stock, k.low
            FROM (SELECT v.shop_id, v.product_id, COUNT(*) AS variants, CAST(SUM(COALESCE(c.on_hand - c.held, 0)) AS BIGINT) AS stock,
                    CAST(SUM(CASE WHEN c.on_hand - c.held <= v.low_stock THEN 1 ELSE 0 END) AS BIGINT) AS low
                FROM variants v LEFT JOIN capacities c ON c.id = v.capacity_id WHERE NOT v.archived GROUP BY v.shop_id, v.product_id) AS k
            JOIN products p ON p.id = k.product_id JOIN shops s ON s.id = p.shop_id
            LEFT JOIN product_pictures pp ON pp.product_id = p.id AND pp.position = 0 LEFT JOIN media m ON m.id = pp.media_id",
        base_filter: "TRUE",
        filters: &[
            ("shop", "k.shop_id = {}"),
            ("low", "k.low >= {}"),
            ("state", "p.state = {}"),
            ("word", r"p.search_folded LIKE {} ESCAPE '\'"),
        ],
        sorts: &[
            ("newest", "p.id < {}", "p.id DESC"),
            ("title", "(p.title_key, p.id) > ({}, {})", "p.title_key, p.id"),
            ("price", "(p.price_min_minor, p.id) > ({}, {})", "p.price_min_minor, p.id"),
            ("-title", "(p.title_key, p.id) < ({}, {})", "p.title_key DESC, p.id DESC"),
            ("-price", "(p.price_min_minor, p.id) < ({}, {})", "p.price_min_minor DESC, p.id DESC"),
            ("stock", "(k.stock, p.id) > ({}, {})", "k.stock, p.id"),
            ("-stock", "(k.stock, p.id) < ({}, {})", "k.stock DESC, p.id DESC"),
        ],
    }
}

/// The query of [`SellerProductRow`] without its conditions; `$wanted` is the last column.
macro_rules! seller_products_sql {
    ($wanted:literal) => {
        concat!(
            "SELECT p.id, p.slug, p.state, p.version, p.title, p.brand, p.description, p.attributes, p.options, s.currency,
            COALESCE((SELECT g.slug FROM categories g WHERE g.id = p.category_id), '') AS category, ",
            $wanted,
            " AS wanted FROM products p JOIN shops s ON s.id = p.shop_id "
        )
    };
}
/// What [`SellerVariantRow`] reads.
macro_rules! seller_variants_sql {
    () => {
        "SELECT v.product_id, v.id, v.sku, v.title, v.options, v.price_minor, v.compare_at_minor, v.low_stock,
            v.weight_g, v.length_mm, v.width_mm, v.height_mm, c.on_hand, c.held
        FROM variants v LEFT JOIN capacities c ON c.id = v.capacity_id "
    };
}
pub(super) use {seller_products_sql, seller_variants_sql};

statements! {
    pub(super) FIND = concat!(
        seller_products_sql!("EXISTS (SELECT 1 FROM checkout_lines l WHERE l.product_id = p.id)"),
        "WHERE p.id = $1 AND p.shop_id = $2"
    );
    pub(super) VARIANTS = concat!(seller_variants_sql!(), "WHERE v.product_id = $1 AND NOT v.archived ORDER BY v.position, v.id");
}

rows! {
    struct CardRow {
        id: ProductId,
        slug: String,
        title: String,
        title_key: String,
        state: ProductState,
        price_min_minor: i64,
        price_max_minor: i64,
        updated_at: i64,
        currency: Currency,
        variants: i64,
        stock: i64,
        low: i64;
        picture: Option<Picture>
    }

    pub(super) struct SellerProductRow {
        id: ProductId,
        slug: String,
        state: ProductState,
        pub(super) version: i64,
        title: String,
        brand: String,
        description: String,
        attributes: String,
        options: String,
        category: String,
        pub(super) currency: Currency,
        wanted: bool,
    }

    pub(super) struct SellerVariantRow {
        pub(super) id: VariantId,
        sku: String,
        title: String,
        options: String,
        price_minor: i64,
        compare_at_minor: Option<i64>,
        low_stock: i64,
        weight_g: i64,
        length_mm: i64,
        width_mm: i64,
        height_mm: i64,
        /// `None` if it is sold without limit, as is `held`.
        on_hand: Option<i64>,
        held: Option<i64>,
    }
}

/// A shop's products, filtered and sorted, for its members.
pub async fn seller_list(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    ask: ListSellerProducts,
) -> Result<Page<SellerProductCard>> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let filters = filtered(shop, &ask)?;
    let sort = if ask.sort.is_empty() { "newest" } else { &ask.sort };
    let key = sort.trim_start_matches('-');
    let list = if ask.low || key == "stock" { &BY_STOCK } else { &SELLER_PRODUCTS };
    let after = behind(list, sort, &ask.after)?;
    let size = page::rows(ask.limit, PAGE_SIZE);
    let rows: Vec<CardRow> = engine.db.list(list.bind(filters, sort, after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| match key {
        "title" => format!("{}.{}", row.id, row.title_key),
        "price" => format!("{}.{}", row.id, row.price_min_minor),
        "stock" => format!("{}.{}", row.id, row.stock),
        _ => row.id.to_string(),
    });
    Ok(page.map(|row| SellerProductCard {
        id: row.id,
        slug: row.slug,
        title: row.title,
        state: row.state,
        picture: row.picture,
        price: Money::new(row.price_min_minor, row.currency),
        price_varies: row.price_max_minor > row.price_min_minor,
        variants: row.variants,
        stock: row.stock,
        low: row.low > 0,
        updated_at: caller.time(engine, row.updated_at),
    }))
}

/// The same with the number of the shop's products in each state, among those that match the search and, if asked
/// for, are low on stock.
pub async fn seller_table(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    ask: ListSellerProducts,
) -> Result<Counted<SellerProductCard>> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let mut filters = searched(shop, &ask.q)?;
    let list = if ask.low { &BY_STOCK } else { &SELLER_PRODUCTS };
    if ask.low {
        filters.push(("low", 1i64.into()));
    }
    let counts = engine.db.list(list.count_by("state", filters)).await?;
    let page = seller_list(engine, caller, handle, ask).await?;
    Ok(CountRow::with(counts, page))
}

/// The products of a shop that its list shows.
pub(super) fn filtered(shop: ShopId, ask: &ListSellerProducts) -> Result<Vec<(&'static str, Value)>> {
    let mut filters = searched(shop, &ask.q)?;
    if !ask.state.is_empty() {
        let state = ProductState::parse(&ask.state).ok_or(Error::field("state", FieldCode::NotAChoice))?;
        filters.push(("state", state.as_str().into()));
    }
    if ask.low {
        filters.push(("low", 1i64.into()));
    }
    Ok(filters)
}

/// The products of a shop that match a search.
fn searched(shop: ShopId, q: &str) -> Result<Vec<(&'static str, Value)>> {
    let q = text::optional_line("q", q, QUERY_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    let folded = text::fold(&q);
    let words = folded.split_whitespace().take(8).map(|word| ("word", like(word).into()));
    Ok(std::iter::once(("shop", shop.into())).chain(words).collect())
}

/// A product as its seller edits it.
pub async fn seller_product(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: ProductId,
) -> Result<SellerProduct> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let product: SellerProductRow = engine.db.opt(&FIND, params![id, shop]).await?.ok_or(Error::NotFound)?;
    let variants = engine.db.all(&VARIANTS, params![id]).await?;
    Ok(editable(product, variants))
}

impl SellerProductRow {
    pub(super) fn id(&self) -> ProductId {
        self.id
    }
}

/// Converts the rows of a product to its form.
pub(super) fn editable(row: SellerProductRow, variants: Vec<SellerVariantRow>) -> SellerProduct {
    let held = variants.iter().map(|v| v.held.unwrap_or_default()).collect();
    let money = |minor| Money::new(minor, row.currency).plain();
    let variants = variants.into_iter().map(|v| VariantForm {
        id: Some(v.id),
        sku: v.sku,
        options: strings(&v.options),
        title: v.title,
        price: money(v.price_minor),
        compare_at: v.compare_at_minor.map(money).unwrap_or_default(),
        stock: v.on_hand.map(|stock| stock.to_string()).unwrap_or_default(),
        stock_was: v.on_hand.unwrap_or_default(),
        unlimited: v.on_hand.is_none(),
        low_stock: v.low_stock.to_string(),
        weight_g: Measures::typed(v.weight_g),
        length_mm: Measures::typed(v.length_mm),
        width_mm: Measures::typed(v.width_mm),
        height_mm: Measures::typed(v.height_mm),
    });
    SellerProduct {
        id: row.id,
        slug: row.slug,
        state: row.state,
        version: row.version,
        currency: row.currency,
        form: ProductForm {
            title: row.title,
            brand: row.brand,
            category: row.category,
            description: row.description,
            attributes: details(&row.attributes),
            options: strings(&row.options),
            variants: variants.collect(),
        },
        held,
        deletable: !row.wanted,
    }
}

fn strings(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}
