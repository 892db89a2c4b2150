//! The catalogue: lists and pages of products, and putting products into it.

mod desk;
mod edit;
mod put;

pub use desk::{seller_list, seller_product};
pub use edit::{archive, create, delete, duplicate, publish, update};
pub use put::{NewProduct, NewVariant, Put, put_products};

use crate::{
    Caller, Engine,
    db::{ListQuery, RegisteredList, Value, list::like},
    params, rows, shops, statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Id, Money, Result,
    catalog::{
        Attribute, ListProducts, PAGE_SIZE, ProductCard, ProductPage, ProductView, QUERY_MAX, VariantView,
    },
    id::kinds::{ProductId, VariantId},
    page::Page,
    text,
};

static PRODUCTS: ListQuery = ListQuery {
    name: "catalog::PRODUCTS",
    select:
        "SELECT p.id, p.slug, p.title, p.brand, p.picture, p.price_min_minor, p.price_max_minor, s.currency,
        s.name AS shop_name, s.handle AS shop_handle,
        EXISTS (SELECT 1 FROM variants v JOIN capacities c ON c.id = v.id
            WHERE v.product_id = p.id AND NOT v.archived AND c.on_hand > c.held) AS in_stock
        FROM products p JOIN shops s ON s.id = p.shop_id",
    always: "p.state = 'published'",
    filters: &[
        ("shop", "p.shop_id = (SELECT id FROM shops WHERE handle = {})"),
        ("word", r"p.search_folded LIKE {} ESCAPE '\'"),
    ],
    sorts: &[("newest", "p.id < {}", "p.id DESC")],
};
::inventory::submit! { RegisteredList(&PRODUCTS) }

statements! {
    FIND = "SELECT p.id, p.slug, p.title, p.brand, p.description, p.attributes, p.picture, s.handle AS shop_handle
        FROM products p JOIN shops s ON s.id = p.shop_id WHERE p.slug = $1 AND p.state = 'published'";
    VARIANTS = "SELECT v.id, v.title, v.price_minor, v.compare_at_minor, c.on_hand - c.held AS available
        FROM variants v JOIN capacities c ON c.id = v.id
        WHERE v.product_id = $1 AND NOT v.archived ORDER BY v.position, v.id";
}

rows! {
    struct CardRow {
        id: ProductId,
        slug: String,
        title: String,
        brand: String,
        picture: String,
        price_min_minor: i64,
        price_max_minor: i64,
        currency: Currency,
        shop_name: String,
        shop_handle: String,
        in_stock: bool,
    }

    struct ProductRow {
        id: ProductId,
        slug: String,
        title: String,
        brand: String,
        description: String,
        attributes: String,
        picture: String,
        shop_handle: String,
    }

    struct VariantRow {
        id: VariantId,
        title: String,
        price_minor: i64,
        compare_at_minor: Option<i64>,
        available: i64,
    }
}

/// Products, newest first, page by page: all, of a shop, or those that have all words of a search.
pub async fn list(engine: &Engine, _: &Caller, ask: ListProducts) -> Result<ProductPage> {
    let q = text::optional_line("q", &ask.q, QUERY_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    let mut filters: Vec<(&str, Value)> = Vec::new();
    if !ask.shop.is_empty() {
        filters.push(("shop", ask.shop.as_str().into()));
    }
    let folded = text::fold(&q);
    for word in folded.split_whitespace().take(8) {
        filters.push(("word", like(word).into()));
    }
    let after = match ask.after.as_str() {
        "" => None,
        after => {
            Some(after.parse::<ProductId>().map_err(|_| Error::field("after", FieldCode::NotAChoice))?.into())
        }
    };
    let rows: Vec<CardRow> = engine.db.list(PRODUCTS.ask(filters, "newest", after, PAGE_SIZE + 1)).await?;
    let page = Page::cut(rows, PAGE_SIZE, |row| row.id.to_string());
    Ok(page.map(|row| ProductCard {
        id: row.id,
        slug: row.slug,
        title: row.title,
        brand: row.brand,
        price: Money::new(row.price_min_minor, row.currency),
        price_varies: row.price_max_minor > row.price_min_minor,
        in_stock: row.in_stock,
        shop_name: row.shop_name,
        shop_handle: row.shop_handle,
        picture: row.picture,
    }))
}

/// A product by its name in addresses.
pub async fn product(engine: &Engine, caller: &Caller, slug: &str) -> Result<ProductView> {
    let row: ProductRow = engine.db.opt(&FIND, params![slug]).await?.ok_or(Error::NotFound)?;
    let shop = shops::shop(engine, caller, &row.shop_handle).await?;
    let variants: Vec<VariantRow> = engine.db.all(&VARIANTS, params![row.id]).await?;
    Ok(ProductView {
        id: row.id,
        slug: row.slug,
        title: row.title,
        brand: row.brand,
        description: row.description,
        attributes: attributes(&row.attributes),
        variants: variants
            .into_iter()
            .map(|v| VariantView {
                id: v.id,
                title: v.title,
                price: Money::new(v.price_minor, shop.delivery.currency()),
                compare_at: v.compare_at_minor.map(|before| Money::new(before, shop.delivery.currency())),
                available: v.available,
            })
            .collect(),
        shop,
        picture: row.picture,
    })
}

fn attributes(json: &str) -> Vec<Attribute> {
    serde_json::from_str(json).unwrap_or_default()
}

/// The name of a product in addresses: its title, and enough of its id to be the only one.
fn slug_of(title: &str, id: Id<haat_shared::id::kinds::Product>) -> String {
    let slug = text::slug(title, 60);
    let tail = id.tail(7);
    if slug.is_empty() { tail } else { format!("{slug}-{tail}") }
}

/// What lists are sorted by title with.
fn title_key(title: &str) -> String {
    text::fold(title).chars().take(60).collect()
}
