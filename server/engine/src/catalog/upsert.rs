//! Creates or updates many products of a shop at once. Products are identified by the SKU of their first
//! variant.

use std::collections::HashMap;

use super::{
    edit::{AddProduct, AddVariant},
    slug_of, title_key,
};
use crate::{
    Caller, Engine, audit, bug,
    db::{Tx, Value},
    inventory::{self, NewStock},
    media, random, rows, sale_prices, shops, statements, update,
};
use haat_shared::{
    Error, Result,
    audit::Upserted,
    catalog::{
        Attribute, TITLE_MAX,
        edit::{LOW_STOCK, ProductState},
    },
    id::kinds::*,
    media::NewPicture,
    permissions::{AdminPermission, Permission},
    text,
};

/// A new or updated product.
#[derive(Debug, Clone, Default)]
pub struct NewProduct {
    /// The title.
    pub title: String,
    /// The brand. May be empty.
    pub brand: String,
    /// The description.
    pub description: String,
    /// The category; only used for new products.
    pub category: Option<CategoryId>,
    /// The specifications, in order.
    pub attributes: Vec<Attribute>,
    /// Pictures of the same shop; only used for new products.
    pub pictures: Vec<NewPicture>,
    /// The name of the option: "Colour". May be empty; only used for new products.
    pub option: String,
    /// The variants; at least one.
    pub variants: Vec<NewVariant>,
}

/// A new or updated variant.
#[derive(Debug, Clone, Default)]
pub struct NewVariant {
    /// The SKU, unique in the shop.
    pub sku: String,
    /// The title; empty for the only variant.
    pub title: String,
    /// The price, in minor units of the shop's currency.
    pub price_minor: i64,
    /// The compare-at price, higher than the price.
    pub compare_at_minor: Option<i64>,
    /// The stock; only used for new variants.
    pub stock: i64,
    /// The weight in grams; only used for new variants. 0 if unknown.
    pub weight_g: i64,
}

/// The number of rows per statement: SQLite accepts 32,766 parameters, PostgreSQL 65,535.
const ROWS_MAX: usize = 500;

statements! {
    KNOWN = "SELECT v.sku, v.product_id FROM variants v JOIN (VALUES [($1, $2)]) AS given
        ON v.shop_id = given.column1 AND v.sku = given.column2 AND NOT v.archived";
}

update! {
    struct UpdateProduct<'a> {
        id: ProductId,
        title: &'a str,
        brand: &'a str,
        description: &'a str,
        attributes: String,
        search_folded: String,
        updated_at: i64,
        title_key: String,
    } => "UPDATE products SET title = given.title, brand = given.brand, description = given.description,
            attributes = given.attributes, search_folded = given.search_folded,
            updated_at = given.updated_at, title_key = given.title_key, version = products.version + 1
        FROM given WHERE products.id = given.id"

    #[derive(Clone)]
    struct UpdateVariant<'a> {
        shop_id: ShopId,
        sku: &'a str,
        title: &'a str,
        price_minor: i64,
    } => "UPDATE variants SET title = given.title, price_minor = given.price_minor,
            compare_at_minor = CASE WHEN variants.compare_at_minor > given.price_minor THEN variants.compare_at_minor END
        FROM given
        WHERE variants.shop_id = given.shop_id AND variants.sku = given.sku AND NOT variants.archived"
}

rows! {
    struct KnownRow {
        sku: String,
        product_id: ProductId,
    }
}

/// Creates or updates a batch of products, all or none. Only for the program itself.
pub async fn upsert_products(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    products: Vec<NewProduct>,
) -> Result<Upserted> {
    caller.admin(AdminPermission::ManageCatalog)?;
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let mut checked = Vec::with_capacity(products.len());
    for product in products {
        let title = text::line("title", &product.title, TITLE_MAX).map_err(|f| Error::Invalid(vec![f]))?;
        if product.variants.is_empty() {
            return Err(Error::field("variants", haat_shared::FieldCode::Missing));
        }
        let pictures = media::checked(product.pictures)?;
        checked.push(NewProduct { title, pictures, ..product });
    }
    let put = engine
        .db
        .write(
            "catalog::upsert_products",
            (shop, checked, caller.user_id(), engine.clock.now_ms()),
            |tx, (shop, products, user, now)| {
                Box::pin(async move {
                    let put = put_in_tx(tx, *shop, products, *now).await?;
                    let note = serde_json::to_string(&put).map_err(|e| bug(e.to_string()))?;
                    audit::write(tx, *user, audit::UPSERT, *shop, &note, *now).await?;
                    Ok(put)
                })
            },
        )
        .await?;
    Ok(put)
}

async fn put_in_tx(
    tx: &mut Tx,
    shop: ShopId,
    products: &[NewProduct],
    now: i64,
) -> crate::TxResult<Upserted> {
    let mut put = Upserted::default();
    for products in products.chunks(ROWS_MAX) {
        let skus: Vec<[Value; 2]> =
            products.iter().map(|p| [shop.into(), p.variants[0].sku.as_str().into()]).collect();
        let known: Vec<KnownRow> = tx.all_many(&KNOWN, &skus).await?;
        let known: HashMap<String, ProductId> = known.into_iter().map(|k| (k.sku, k.product_id)).collect();
        let (old, new): (Vec<_>, Vec<_>) =
            products.iter().partition(|p| known.contains_key(&p.variants[0].sku));
        add(tx, shop, &new, now).await?;
        update(tx, shop, &old, &known, now).await?;
        put.added += new.len() as i64;
        put.updated += old.len() as i64;
    }
    Ok(put)
}

async fn add(tx: &mut Tx, shop: ShopId, products: &[&NewProduct], now: i64) -> crate::TxResult<()> {
    let (mut rows, mut stock, mut variants, mut pictures) = (vec![], vec![], vec![], vec![]);
    let mut ids = vec![];
    for product in products {
        let id: ProductId = random::id(now);
        ids.push(id);
        let (price_min_minor, price_max_minor) = span(product);
        rows.push(AddProduct {
            id,
            shop_id: shop,
            state: ProductState::Published,
            slug: slug_of(&product.title, id),
            category_id: product.category,
            price_min_minor,
            price_max_minor,
            search_folded: searched(product),
            title_key: title_key(&product.title),
            created_at: now,
            updated_at: now,
            title: &product.title,
            brand: &product.brand,
            description: &product.description,
            attributes: json(&product.attributes),
            options: one(product, &product.option),
        });
        for (position, variant) in (0i64..).zip(&product.variants) {
            let received = NewStock::of(id, variant.stock, now);
            variants.push(AddVariant {
                id: random::id(now),
                product_id: id,
                shop_id: shop,
                capacity_id: Some(received.id),
                sku: &variant.sku,
                title: &variant.title,
                options: one(product, &variant.title),
                price_minor: variant.price_minor,
                compare_at_minor: variant.compare_at_minor,
                low_stock: LOW_STOCK,
                weight_g: variant.weight_g,
                length_mm: 0,
                width_mm: 0,
                height_mm: 0,
                position,
            });
            stock.push(received);
        }
        pictures.extend(media::rows(id, shop, &product.pictures));
    }
    tx.insert_all(rows).await?;
    inventory::open_in_tx(tx, shop, &stock, now).await?;
    for variants in variants.chunks(ROWS_MAX) {
        tx.insert_all(variants.to_vec()).await?;
    }
    for pictures in pictures.chunks(ROWS_MAX) {
        media::attach_in_tx(tx, pictures.to_vec()).await?;
    }
    sale_prices::record_in_tx(tx, &ids, now).await
}

async fn update(
    tx: &mut Tx,
    shop: ShopId,
    products: &[&NewProduct],
    known: &HashMap<String, ProductId>,
    now: i64,
) -> crate::TxResult<()> {
    let (mut rows, mut variants, mut ids) = (vec![], vec![], vec![]);
    for product in products {
        let Some(id) = known.get(&product.variants[0].sku) else { continue };
        rows.push(UpdateProduct {
            id: *id,
            title: &product.title,
            brand: &product.brand,
            description: &product.description,
            attributes: json(&product.attributes),
            search_folded: searched(product),
            updated_at: now,
            title_key: title_key(&product.title),
        });
        ids.push(*id);
        variants.extend(product.variants.iter().map(|variant| UpdateVariant {
            shop_id: shop,
            sku: &variant.sku,
            title: &variant.title,
            price_minor: variant.price_minor,
        }));
    }
    tx.update_all(rows).await?;
    for variants in variants.chunks(ROWS_MAX) {
        tx.update_all(variants.to_vec()).await?;
    }
    sale_prices::span_in_tx(tx, &ids).await?;
    sale_prices::record_in_tx(tx, &ids, now).await
}

/// The text for searches: title, brand, and SKU, which people copy from invoices.
fn searched(product: &NewProduct) -> String {
    text::fold(&format!("{} {} {}", product.title, product.brand, product.variants[0].sku))
}

fn span(product: &NewProduct) -> (i64, i64) {
    let prices = product.variants.iter().map(|v| v.price_minor);
    (prices.clone().min().unwrap_or(0), prices.max().unwrap_or(0))
}

/// The one text of a list, as JSON; no text where the product has no option.
fn one(product: &NewProduct, text: &str) -> String {
    let texts: &[&str] = if product.option.is_empty() { &[] } else { &[text] };
    serde_json::to_string(texts).unwrap_or_else(|_| "[]".into())
}

fn json(attributes: &[Attribute]) -> String {
    serde_json::to_string(attributes).unwrap_or_else(|_| "[]".into())
}
