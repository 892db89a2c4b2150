//! The demo market. Its products are in `server/demo/market.toml`.

use futures::future::try_join_all;
use haat_engine::{
    Caller, Engine, accounts,
    catalog::{self, NewCategory, NewProduct, NewVariant, put_categories, upsert_products},
    media,
    shops::{self, NewShop, Terms},
};
use haat_shared::{
    Currency, Error, Money, Result,
    accounts::SignUp,
    catalog::{Attribute, ListProducts, ProductCard},
    id::kinds::CategoryId,
};
use serde::Deserialize;

use crate::demo_images;

/// The password of the demo's accounts; `haat seed` prints it.
pub(crate) const PASSWORD: &str = "market-day-2026";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoMarket {
    category: Vec<Category>,
    shop: Vec<Shop>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    slug: String,
    name: String,
    name_hi: String,
    parent: Option<String>,
    picture: Option<String>,
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
    picture: Option<String>,
    #[serde(default)]
    pictures: Vec<String>,
    /// The name of the option.
    #[serde(default)]
    option: String,
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    title: String,
    price_minor: i64,
    stock: i64,
}

fn read() -> Result<DemoMarket> {
    toml::from_str(include_str!("../demo/market.toml")).map_err(|error| {
        tracing::error!(%error, "the demo market cannot be read");
        Error::Internal
    })
}

fn product(item: Product, category: CategoryId) -> NewProduct {
    let Product { sku, compare_at_minor, .. } = item;
    // This is the old price of the largest size, which costs the most. The smaller ones never cost that much.
    let dearest = item.variants.iter().map(|variant| variant.price_minor).max();
    let variants = item.variants.into_iter().enumerate().map(|(i, variant)| NewVariant {
        sku: if i == 0 { sku.clone() } else { format!("{sku}-{}", i + 1) },
        title: variant.title,
        price_minor: variant.price_minor,
        compare_at_minor: compare_at_minor.filter(|_| Some(variant.price_minor) == dearest),
        stock: variant.stock,
    });
    NewProduct {
        title: item.title,
        brand: item.brand,
        description: item.description,
        category: Some(category),
        attributes: item.details.into_iter().map(|(name, value)| Attribute { name, value }).collect(),
        pictures: Vec::new(),
        option: item.option,
        variants: variants.collect(),
    }
}

fn categories(market: &DemoMarket) -> impl Iterator<Item = NewCategory> {
    market.category.iter().map(|c| NewCategory {
        slug: c.slug.clone(),
        name: c.name.clone(),
        names: vec![("hi".into(), c.name_hi.clone())],
        parent: c.parent.clone(),
        tax_bp: c.tax_bp,
        picture: None,
    })
}

/// Opens the demo's shops with their products, which have no pictures yet. Returns the addresses of their
/// owners.
pub(crate) async fn seed(engine: &Engine) -> Result<Vec<String>> {
    let system = Caller::system();
    let market = read()?;
    put_categories(engine, &system, categories(&market).collect()).await?;
    let categories = catalog::category_ids(engine).await?;
    let (mut owners, mut shelves) = (Vec::new(), Vec::new());
    for shop in market.shop {
        let form = SignUp { name: shop.owner, email: shop.email.clone(), password: PASSWORD.into() };
        let owner = accounts::create(engine, &system, form).await?;
        let new = NewShop {
            handle: shop.handle.clone(),
            name: shop.name,
            description: shop.description,
            shipping_price: Money::new(shop.delivery_minor, Currency::INR),
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
        let mut goods = Vec::new();
        for item in shop.product {
            let category = categories.get(&item.category).copied().ok_or(Error::Internal)?;
            goods.push(product(item, category));
        }
        shelves.push((shop.handle, goods));
        owners.push(shop.email);
    }
    // Lists show the newest products first, so each shop's products are added from last to first, taking
    // turns with the other shops. The first products of every shop then end up at the top.
    while shelves.iter().any(|(_, goods)| !goods.is_empty()) {
        for (handle, goods) in &mut shelves {
            if let Some(item) = goods.pop() {
                upsert_products(engine, &system, handle, vec![item]).await?;
            }
        }
    }
    Ok(owners)
}

/// How many products are drawn at a time: most have one picture.
const AT_ONCE: usize = 2;

/// Draws the demo market's missing pictures, starting with those that are seen first. Drawing takes much
/// longer than [`seed`], so the market may run in the meantime; pictures drawn before an interruption are
/// kept.
pub(crate) async fn draw(engine: &Engine) -> Result<()> {
    let system = Caller::system();
    let market = read()?;
    let mut bare = Vec::new();
    let mut ask = ListProducts::default();
    loop {
        let page = catalog::list(engine, &system, ask).await?;
        bare.extend(page.items.into_iter().filter(|card| card.picture.is_none()));
        let Some(after) = page.next else { break };
        ask = ListProducts { after, ..ListProducts::default() };
    }
    if bare.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = market.category.iter().filter_map(|c| c.picture.as_deref()).collect();
    let mut drawn = demo_images::add(engine, None, &names).await?.into_iter();
    let tree = categories(&market).zip(&market.category).map(|(new, c)| NewCategory {
        picture: c.picture.as_ref().and_then(|_| drawn.next()).map(|drawn| drawn.media),
        ..new
    });
    put_categories(engine, &system, tree.collect()).await?;
    for some in bare.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|card| draw_product(engine, &market, card))).await?;
    }
    for shop in &market.shop {
        let logo = format!("shop-{}", shop.handle);
        for drawn in demo_images::add(engine, Some(&shop.handle), &[&logo]).await? {
            shops::set_logo(engine, &system, &shop.handle, drawn.media).await?;
        }
    }
    Ok(())
}

/// Draws the pictures of a product, if it is one of the demo's.
async fn draw_product(engine: &Engine, market: &DemoMarket, card: &ProductCard) -> Result<()> {
    let shop = market.shop.iter().find(|shop| shop.handle == card.shop_handle);
    let Some(item) = shop.and_then(|shop| shop.product.iter().find(|item| item.title == card.title)) else {
        return Ok(());
    };
    let names: Vec<&str> = item.picture.iter().chain(&item.pictures).map(String::as_str).collect();
    let drawn = demo_images::add(engine, Some(&card.shop_handle), &names).await?;
    media::set_pictures(engine, &Caller::system(), &card.shop_handle, card.id, drawn).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_dearest_variant_has_the_old_price() {
        let products = read().unwrap().shop.into_iter().flat_map(|shop| shop.product);
        for item in products {
            let (sku, has_one) = (item.sku.clone(), item.compare_at_minor.is_some());
            let made = product(item, haat_shared::Id::from_uuid(Default::default()));
            assert!(
                made.variants.iter().all(|v| v.compare_at_minor.is_none_or(|old| old > v.price_minor)),
                "{sku}"
            );
            let old: Vec<_> = made.variants.into_iter().map(|v| v.compare_at_minor).collect();
            assert_eq!(old.iter().any(Option::is_some), has_one, "{sku}");
            if sku == "SH-CLEAN" {
                assert_eq!(old, [None, None, Some(699_900)]);
            }
        }
    }
}
