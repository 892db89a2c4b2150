//! The demo market. Its products are in `server/demo/market.toml`, its customers in `customers.toml`.

mod customers;
mod dice;
mod events;
mod life;
mod reviews;
mod services;

use std::path::Path;

use futures::future::try_join_all;
use haat_engine::{
    Caller, Clock, Db, Engine, accounts,
    catalog::{self, NewCategory, NewProduct, NewVariant, put_categories, upsert_products},
    commissions, currencies, media,
    shipping::Change,
    shops::{self, NewShop, Terms},
    taxes,
};
use haat_shared::{
    Currency, Error, Money, Result,
    accounts::{DEMO_PASSWORD, SignUp},
    catalog::{Attribute, ListProducts, ProductCard},
    commissions::RateFor,
    id::kinds::CategoryId,
    shipping::{CalendarForm, MethodForm, SlotForm, ZoneForm},
    taxes::TaxRateForm,
};
use serde::Deserialize;

use crate::{boot, config::Config, demo_images};

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
    tax_category: String,
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
    address: String,
    delivery_minor: i64,
    free_delivery_from_minor: Option<i64>,
    delivery_days: (i64, i64),
    express_minor: Option<i64>,
    express_days: Option<(i64, i64)>,
    region: String,
    tax_id: String,
    #[serde(default)]
    pickup: bool,
    /// If it isn't the usual one.
    commission_bp: Option<i64>,
    returns_days: i64,
    /// Its zones and working days, if it doesn't ship everywhere at one price.
    shipping: Option<Shipping>,
    product: Vec<Product>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shipping {
    handling_days: i64,
    cutoff: String,
    /// From 1 for Monday.
    working_days: Vec<usize>,
    holidays: Vec<String>,
    zone: Vec<DemoZone>,
    /// When it delivers what is ordered for a slot.
    #[serde(default)]
    slot: Vec<DemoSlot>,
}

/// A window of slots as sellers type it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoSlot {
    /// From 1 for Monday.
    days: Vec<usize>,
    hours: (String, String),
    orders: i64,
    closes: i64,
    #[serde(default)]
    extra: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoZone {
    name: String,
    areas: Vec<String>,
    standard: DemoMethod,
    express: Option<DemoMethod>,
    pickup: Option<DemoMethod>,
    slot: Option<DemoMethod>,
}

/// A method as sellers type it, in rupees.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoMethod {
    #[serde(default)]
    name: String,
    #[serde(default)]
    by: String,
    rates: String,
    #[serde(default)]
    free_from: String,
    days: (i64, i64),
}

impl Shipping {
    fn change(self) -> Change {
        let method = |method: DemoMethod| MethodForm {
            offered: true,
            name: method.name,
            by: method.by,
            rates: method.rates,
            free_from: method.free_from,
            days_min: method.days.0.to_string(),
            days_max: method.days.1.to_string(),
        };
        let zone = |zone: DemoZone| {
            let maybe = |of: Option<DemoMethod>| of.map(method).unwrap_or_default();
            let methods = [method(zone.standard), maybe(zone.express), maybe(zone.pickup), maybe(zone.slot)];
            let areas = zone.areas.join("\n");
            (None, ZoneForm { name: zone.name, areas, methods, ..ZoneForm::default() })
        };
        let calendar = CalendarForm {
            handling_days: self.handling_days.to_string(),
            cutoff: self.cutoff,
            works: std::array::from_fn(|day| self.working_days.contains(&(day + 1))),
            holidays: self.holidays.join("\n"),
            time_zone: String::new(),
        };
        let slot = |slot: DemoSlot| SlotForm {
            days: std::array::from_fn(|day| slot.days.contains(&(day + 1))),
            from: slot.hours.0,
            to: slot.hours.1,
            orders: slot.orders.to_string(),
            closes: slot.closes.to_string(),
            extra: slot.extra,
        };
        let slots = self.slot.into_iter().map(slot).collect();
        Change::All(calendar, self.zone.into_iter().map(zone).collect(), Some(slots))
    }
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
    /// Of each variant.
    #[serde(default)]
    weight_g: i64,
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
        weight_g: item.weight_g,
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
        tax_category: c.tax_category.clone(),
        picture: None,
    })
}

/// A configuration for seeding: no limits, no real emails, and no other nodes.
fn quiet(config: &Config) -> Config {
    let mut config = config.clone();
    config.limits.scale = u32::MAX;
    config.mail.smtp_url = Default::default();
    config.bus.nats = Default::default();
    config
}

/// Adds the demo's shops and products and, unless they are `new`, the orders of the ninety days up to the clock's
/// time, a customer and an admin. Returns the addresses of the shops' owners.
pub(crate) async fn add(
    config: &Config,
    db: Db,
    clock: Clock,
    new: bool,
) -> std::result::Result<Vec<String>, String> {
    let engine = boot::wire(quiet(config), db, clock.clone()).await?.engine;
    if !new {
        life::rewind(&clock);
    }
    let owners = seed(&engine).await.map_err(|e| match e.at("email") {
        Some(_) => "the demo data already exists".to_owned(),
        None => e.to_string(),
    })?;
    if !new {
        life::live(&engine, &clock).await.map_err(|e| e.to_string())?;
        services::add(&engine).await.map_err(|e| e.to_string())?;
        events::add(&engine).await.map_err(|e| e.to_string())?;
    }
    // Of today, so that they aren't shown as old.
    if engine.currency == Currency::INR && engine.currencies.len() > 1 {
        let system = Caller::system();
        let set = currencies::import(&engine, &system, EXCHANGE_RATES, "Demo", true).await;
        set.map_err(|e| e.to_string())?;
    }
    Ok(owners)
}

/// Creates the embedded database `file` with the demo in it. It is filled as a draft beside it, so that it's soon done,
/// and an interruption leaves no half of a demo.
pub(crate) async fn create(config: &Config, file: &Path, clock: Clock) -> std::result::Result<(), String> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let said = |e: std::io::Error| format!("{}: {e}", folder.display());
    std::fs::create_dir_all(folder).map_err(said)?;
    let draft = tempfile::tempdir_in(folder).map_err(said)?;
    let db = Db::draft(&draft.path().join("draft.db")).map_err(|e| e.to_string())?;
    db.migrate(clock.now_ms()).await.map_err(|e| e.to_string())?;
    add(config, db.clone(), clock, false).await?;
    let whole = draft.path().join("whole.db");
    db.copy(&whole).map_err(|e| e.to_string())?;
    std::fs::rename(&whole, file).and_then(|()| std::fs::File::open(folder)?.sync_all()).map_err(said)
}

/// The demo's prices are in rupees. In dollars, a hundredth of the number is what such a thing may cost.
fn priced_in(currency: Currency, mut market: DemoMarket) -> DemoMarket {
    if currency.code() != "USD" {
        return market;
    }
    for shop in &mut market.shop {
        let variants = shop.product.iter_mut().flat_map(|product| {
            let prices = product.variants.iter_mut().map(|variant| &mut variant.price_minor);
            prices.chain(&mut product.compare_at_minor)
        });
        let shipping = [&mut shop.delivery_minor].into_iter();
        let shipping = shipping.chain(&mut shop.free_delivery_from_minor).chain(&mut shop.express_minor);
        shipping.chain(variants).for_each(|minor| *minor /= 100);
    }
    market
}

/// The tax rates of the demo: the GST of India since 22 September 2025, and the VAT of the countries of the EU, as published
/// by the European Commission. Each line has a country, the name and kind of its tax, and the rates by category.
const RATES: &str = include_str!("../demo/taxes.txt");

/// What a rupee costs in other currencies, about the rates of the end of November 2026. They are set for those that the market has.
const EXCHANGE_RATES: &str = "EUR 0.0098\nUSD 0.0113\n";

async fn add_rates(engine: &Engine, system: &Caller) -> Result<()> {
    for line in RATES.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (country, name, kind) = (word(), word(), word());
        for (tax_category, percent) in
            std::iter::from_fn(|| Some((word(), word()))).take_while(|(c, _)| !c.is_empty())
        {
            let (country, name, kind) = (country.clone(), name.clone(), kind.clone());
            let form = TaxRateForm { country, name, kind, tax_category, percent, ..TaxRateForm::default() };
            taxes::add(engine, system, &form).await?;
        }
    }
    Ok(())
}

/// Opens the demo's shops with their products, which have no pictures yet. Returns the addresses of their
/// owners.
async fn seed(engine: &Engine) -> Result<Vec<String>> {
    let system = Caller::system();
    let market = priced_in(engine.currency, read()?);
    put_categories(engine, &system, categories(&market).collect()).await?;
    commissions::set(engine, &system, &RateFor::Category("books".into()), Some(600)).await?;
    let categories = catalog::category_ids(engine).await?;
    let (mut owners, mut shelves) = (Vec::new(), Vec::new());
    for shop in market.shop {
        let form = SignUp { name: shop.owner, email: shop.email.clone(), password: DEMO_PASSWORD.into() };
        let owner = accounts::create(engine, &system, form).await?;
        let new = NewShop {
            handle: shop.handle.clone(),
            name: shop.name,
            description: shop.description,
            shipping_price: Money::new(shop.delivery_minor, engine.currency),
            commission_bp: shop.commission_bp,
            terms: Terms {
                town: shop.town,
                address: shop.address,
                country: "IN".into(),
                region: shop.region,
                prices_include_tax: None,
                tax_id: shop.tax_id,
                free_delivery_from_minor: shop.free_delivery_from_minor,
                delivery_days: shop.delivery_days,
                express: shop.express_minor.zip(shop.express_days),
                pickup: shop.pickup,
                returns_days: shop.returns_days,
            },
            owner,
        };
        shops::open(engine, &system, new).await?;
        // The amounts are in rupees.
        if let Some(rules) = shop.shipping.filter(|_| engine.currency == Currency::INR) {
            shops::set_shipping(engine, &system, &shop.handle, &rules.change()).await?;
        }
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
    add_rates(engine, &system).await?;
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
    let item = shop.and_then(|shop| shop.product.iter().find(|item| item.title == card.title));
    let offered = services::read()?;
    let names: Vec<&str> = match item {
        Some(item) => item.picture.iter().chain(&item.pictures).map(String::as_str).collect(),
        None if card.shop_handle == offered.shop => {
            let of = offered.service.iter().filter(|service| service.title == card.title);
            of.map(|service| service.picture.as_str()).collect()
        }
        None => Vec::new(),
    };
    if names.is_empty() {
        return Ok(());
    }
    let drawn = demo_images::add(engine, Some(&card.shop_handle), &names).await?;
    media::set_pictures(engine, &Caller::system(), &card.shop_handle, card.id, drawn).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use haat_engine::{oracle, orders};
    use haat_shared::orders::{ListOrders, OrderState};

    use super::*;

    /// Half past eight in the evening of 27 November 2026, in India.
    const EVENING: i64 = 1_795_791_600_000;

    /// A market that has lived for ninety days: its engine, and the folder of its database.
    async fn lived() -> (Engine, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.demo(folder.path()).unwrap();
        let clock = Clock::default();
        clock.advance_ms(EVENING - clock.now_ms());
        create(&config, boot::embedded(&config).unwrap(), clock.clone()).await.unwrap();
        let db = boot::database(&config).await.unwrap();
        (boot::wire(config, db, clock).await.unwrap().engine, folder)
    }

    /// The number and the total of the orders, by shop, status and payment method.
    async fn totals(engine: &Engine) -> BTreeMap<(String, &'static str, &'static str), (i64, i64)> {
        let (mut totals, mut ask) = (BTreeMap::new(), ListOrders::default());
        loop {
            let page = orders::list_all(engine, &Caller::system(), ask).await.unwrap();
            for order in page.items {
                let key = (order.shop_handle, order.state.as_str(), order.payment_method.as_str());
                let (count, total) = totals.entry(key).or_insert((0, 0));
                *count += 1;
                *total += order.total.amount();
            }
            let Some(after) = page.next else { return totals };
            ask = ListOrders { after, ..ListOrders::default() };
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn ninety_days_are_the_same_each_time_and_add_up() {
        let (engine, _folder) = lived().await;
        let first = totals(&engine).await;
        let count = |of: &dyn Fn(&(String, &str, &str)) -> bool| -> i64 {
            first.iter().filter(|(key, _)| of(key)).map(|(_, (count, _))| count).sum()
        };
        assert!(count(&|_| true) >= 400, "{first:?}");
        for state in OrderState::ALL {
            assert!(count(&|(_, s, _)| *s == state.as_str()) > 0, "{state:?}: {first:?}");
        }
        for method in ["cash", "sandbox"] {
            assert!(count(&|(_, _, m)| *m == method) >= 100, "{method}: {first:?}");
        }
        for shop in read().unwrap().shop {
            assert!(count(&|(handle, _, _)| *handle == shop.handle) > 0, "{}: {first:?}", shop.handle);
        }
        assert_eq!(oracle::consult(&engine).await.unwrap(), Vec::<String>::new());
        // Nothing is left for the worker: the emails of ninety days were sent at their time.
        assert_eq!(haat_engine::dispatch::drain(&engine).await.unwrap(), 0);
        let (again, _folder) = lived().await;
        assert_eq!(totals(&again).await, first);
    }

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
