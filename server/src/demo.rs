//! The demo market: what a newcomer sees first. Its goods are in `server/demo/market.toml`.

use haat_engine::{
    Caller, Engine, accounts,
    catalog::{self, NewCategory, NewProduct, NewVariant, put_categories, put_products},
    shops::{self, NewShop, Terms},
};
use haat_shared::{Currency, Error, Money, Result, accounts::SignUp, catalog::Attribute};
use serde::Deserialize;

/// The password of the demo's accounts; `haat seed` prints it.
pub(crate) const PASSWORD: &str = "market-day-2026";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Market {
    category: Vec<Category>,
    shop: Vec<Shop>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    slug: String,
    name: String,
    parent: Option<String>,
    #[serde(rename = "picture")]
    _picture: Option<String>,
    tax_bp: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shop {
    handle: String,
    name: String,
    owner: String,
    email: String,
    description: String,
    town: String,
    delivery_minor: i64,
    free_delivery_from_minor: Option<i64>,
    delivery_days: (i64, i64),
    express_minor: Option<i64>,
    express_days: Option<(i64, i64)>,
    #[serde(default)]
    pickup: bool,
    commission_bp: i64,
    returns_days: i64,
    product: Vec<Product>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Product {
    sku: String,
    title: String,
    brand: String,
    category: String,
    description: String,
    details: Vec<(String, String)>,
    compare_at_minor: Option<i64>,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(rename = "picture")]
    _picture: Option<String>,
    #[serde(default, rename = "pictures")]
    _pictures: Vec<String>,
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    title: String,
    price_minor: i64,
    stock: i64,
}

fn read() -> Result<Market> {
    toml::from_str(include_str!("../demo/market.toml")).map_err(|error| {
        tracing::error!(%error, "the demo market cannot be read");
        Error::Internal
    })
}

fn product(item: Product, category: haat_shared::id::kinds::CategoryId) -> NewProduct {
    let Product { sku, compare_at_minor, .. } = item;
    let variants = item.variants.into_iter().enumerate().map(|(i, variant)| NewVariant {
        sku: if i == 0 { sku.clone() } else { format!("{sku}-{}", i + 1) },
        title: variant.title,
        price_minor: variant.price_minor,
        compare_at_minor,
        stock: variant.stock,
    });
    NewProduct {
        title: item.title,
        brand: item.brand,
        description: item.description,
        category: Some(category),
        attributes: item.details.into_iter().map(|(name, value)| Attribute { name, value }).collect(),
        picture: String::new(),
        variants: variants.collect(),
    }
}

/// Opens the demo's shops and fills them. Answers the addresses of their owners.
pub(crate) async fn seed(engine: &Engine) -> Result<Vec<String>> {
    let system = Caller::system();
    let market = read()?;
    let tree = market.category.into_iter().map(|c| NewCategory {
        slug: c.slug,
        name: c.name,
        parent: c.parent,
        tax_bp: c.tax_bp,
    });
    put_categories(engine, &system, tree.collect()).await?;
    let categories = catalog::category_ids(engine).await?;
    let mut owners = Vec::new();
    for shop in market.shop {
        let form = SignUp { name: shop.owner, email: shop.email.clone(), password: PASSWORD.into() };
        let owner = accounts::create(engine, &system, form).await?;
        let new = NewShop {
            handle: shop.handle.clone(),
            name: shop.name,
            description: shop.description,
            delivery: Money::new(shop.delivery_minor, Currency::INR),
            commission_bp: shop.commission_bp,
            terms: Terms {
                town: shop.town,
                free_delivery_from_minor: shop.free_delivery_from_minor,
                delivery_days: shop.delivery_days,
                express: shop.express_minor.zip(shop.express_days),
                pickup: shop.pickup,
                returns_days: shop.returns_days,
                ..Terms::default()
            },
            owner,
        };
        shops::open(engine, &system, new).await?;
        // Lists begin with what came last: the first of a shop's goods is what it shows first.
        let goods = shop.product.into_iter().rev().map(|item| {
            let category = categories.get(&item.category).copied().ok_or(Error::Internal)?;
            Ok(product(item, category))
        });
        put_products(engine, &system, &shop.handle, goods.collect::<Result<_>>()?).await?;
        owners.push(shop.email);
    }
    Ok(owners)
}
