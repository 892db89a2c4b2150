//! Sales that sellers plan: what each place says a variant costs, while time goes by.

use haat_engine::{
    Caller, Engine, carts, catalog, checkout, clock::rfc3339, currencies, orders, sale_prices,
};
use haat_shared::{
    Currency, Error, FieldCode, Money,
    catalog::{ListProducts, VariantView},
    id::kinds::{PlannedSaleId, ProductId, VariantId},
    money::Rate,
    sale_prices::{PlannedSaleState, SaleForm, price_field},
};

use crate::{both, products, support::*};

const MEENA: &str = "meena-crafts";
const HOUR: i64 = 3_600_000;

/// A sale that begins and ends so many hours from now.
fn sale(market: &Market, (from, until): (i64, i64), percent: &str) -> SaleForm {
    let now = market.clock.now_ms();
    SaleForm {
        starts_at: rfc3339(now + from * HOUR),
        ends_at: rfc3339(now + until * HOUR),
        percent: percent.into(),
        prices: Vec::new(),
    }
}

async fn made(market: &Market, title: &str) -> (Caller, ProductId, String) {
    let (engine, owner) = (&market.engine, market.owner(MEENA).await);
    let id = catalog::create(engine, &owner, MEENA, &products::form(title), title).await.unwrap();
    catalog::publish(engine, &owner, MEENA, id).await.unwrap();
    let slug = catalog::seller_product(engine, &owner, MEENA, id).await.unwrap().slug;
    (owner, id, slug)
}

async fn plan(
    market: &Market,
    owner: &Caller,
    id: ProductId,
    form: &SaleForm,
) -> haat_shared::Result<PlannedSaleId> {
    sale_prices::plan(&market.engine, owner, MEENA, id, form).await
}

async fn shown(engine: &Engine, slug: &str) -> Vec<VariantView> {
    catalog::product(engine, &Caller::guest(), slug).await.unwrap().variants
}

/// Price, compare-at price and lowest price before, of each variant.
async fn prices(engine: &Engine, slug: &str) -> Vec<(i64, Option<i64>, Option<i64>)> {
    let amount = |money: Option<Money>| money.map(Money::amount);
    let shown = shown(engine, slug).await;
    shown.into_iter().map(|v| (v.price.amount(), amount(v.compare_at), amount(v.lowest_price))).collect()
}

/// What a list says of each product, the cheapest first.
async fn listed(engine: &Engine) -> Vec<(String, i64, Option<i64>)> {
    let of = ListProducts { sort: "price_low".into(), ..ListProducts::default() };
    let page = catalog::list(engine, &Caller::guest(), of).await.unwrap();
    page.items.into_iter().map(|p| (p.title, p.price.amount(), p.compare_at.map(Money::amount))).collect()
}

async fn total(market: &Market, guest: &Caller) -> i64 {
    carts::view(&market.engine, guest).await.unwrap().totals.unwrap().subtotal.amount()
}

both! {
    async fn a_sale_begins_and_ends_everywhere(market) {
        let engine = &market.engine;
        let (owner, jug, slug) = made(market, "Jug").await;
        made(market, "Bowl").await;
        let before = ("Bowl".to_owned(), 45_000, None);
        let plain = [(45_000, None, None), (124_950, None, None)];
        let variants = shown(engine, &slug).await;
        let guest = market.guest_with(&[(variants[0].id, 1)]).await;
        let form = sale(market, (1, 3), "20");
        let id = plan(market, &owner, jug, &form).await.unwrap();
        let card = || async { sale_prices::list(engine, &owner, MEENA, jug).await.unwrap() };
        let sales = card().await;
        assert_eq!((sales.title.as_str(), sales.sales.len(), sales.variants.len()), ("Jug", 1, 2));
        assert_eq!((sales.sales[0].id, sales.sales[0].status), (id, PlannedSaleState::Scheduled));
        let planned: Vec<_> = sales.sales[0].prices.iter().map(|p| (p.title.as_str(), p.sale_price.amount())).collect();
        assert_eq!(planned, [("Small", 36_000), ("Large", 99_960)]);
        assert_eq!(prices(engine, &slug).await, plain);

        market.clock.advance_ms(HOUR);
        // Lists follow within seconds; everything else at once.
        assert_eq!(prices(engine, &slug).await, [(36_000, Some(45_000), Some(45_000)), (99_960, Some(124_950), Some(124_950))]);
        let ends = shown(engine, &slug).await[0].sale_ends_at.clone();
        assert_eq!(ends, Some(form.ends_at));
        let view = carts::view(engine, &guest).await.unwrap();
        let line = &view.groups[0].lines[0];
        assert_eq!((line.unit_price.amount(), line.price_was.map(Money::amount)), (36_000, Some(45_000)));
        assert_eq!(listed(engine).await, [("Jug".to_owned(), 45_000, None), before.clone()]);
        sale_prices::apply_due(engine).await.unwrap();
        assert_eq!(listed(engine).await, [("Jug".to_owned(), 36_000, Some(45_000)), before.clone()]);
        assert_eq!(card().await.sales[0].status, PlannedSaleState::Active);
        let of = ListProducts { sort: "price_high".into(), ..ListProducts::default() };
        let page = catalog::list(engine, &Caller::guest(), of).await.unwrap();
        assert_eq!(page.items.last().map(|p| (p.title.as_str(), p.variant_id)), Some(("Jug", variants[0].id)));

        // What is put into a cart now has the price that was seen.
        let other = market.guest_with(&[(variants[1].id, 2)]).await;
        let view = carts::view(engine, &other).await.unwrap();
        assert_eq!((view.groups[0].lines[0].price_was, total(market, &other).await), (None, 2 * 99_960));
        let checkout = checkout::begin(engine, &other).await.unwrap();
        let quoted = checkout::view(engine, &other, checkout).await.unwrap().quote.totals;
        assert_eq!(quoted.subtotal.amount(), 2 * 99_960);

        // The sale ends during the checkout, whose total stays what was seen.
        market.clock.advance_ms(2 * HOUR);
        sale_prices::apply_due(engine).await.unwrap();
        assert_eq!(prices(engine, &slug).await, plain);
        assert_eq!(total(market, &other).await, 2 * 124_950);
        assert_eq!(card().await.sales[0].status, PlannedSaleState::Ended);
        let all: Vec<_> = listed(engine).await.into_iter().map(|(_, price, was)| (price, was)).collect();
        assert_eq!(all, [(45_000, None), (45_000, None)]);
        sale_prices::apply_due(engine).await.unwrap();
    }

    async fn a_checkout_keeps_the_price_of_a_sale_that_ends(market) {
        let engine = &market.engine;
        let (owner, jug, slug) = made(market, "Jug").await;
        let small = shown(engine, &slug).await[0].id;
        let id = plan(market, &owner, jug, &SaleForm { starts_at: String::new(), ..sale(market, (0, 3), "20") }).await.unwrap();
        let guest = market.guest_with(&[(small, 1)]).await;
        let checkout = checkout::begin(engine, &guest).await.unwrap();
        let seen = checkout::view(engine, &guest, checkout).await.unwrap();
        sale_prices::end(engine, &owner, MEENA, jug, id).await.unwrap();
        assert_eq!(prices(engine, &slug).await[0].0, 45_000);
        assert_eq!(listed(engine).await[0].1, 45_000, "at once");
        let next = checkout::pay(engine, &guest, checkout, form("cash"), 1, "k").await.unwrap();
        let number = number_of(&next);
        let purchase = orders::purchase(engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap();
        assert_eq!((purchase.totals.total, purchase.totals.subtotal.amount()), (seen.quote.totals.total, 36_000));
    }

    async fn what_a_sale_cannot_be_is_said_where_it_is_typed(market) {
        let (engine, guest) = (&market.engine, Caller::guest());
        let (owner, jug, slug) = made(market, "Jug").await;
        let variants = shown(engine, &slug).await;
        let (small, large) = (variants[0].id, variants[1].id);
        let typed = |prices: &[(VariantId, &str)], of: SaleForm| SaleForm {
            percent: String::new(),
            prices: prices.iter().map(|(id, typed)| (*id, (*typed).into())).collect(),
            ..of
        };
        let hours = |from, until| sale(market, (from, until), "20");
        let of_small = price_field(small);
        for (form, field, code) in [
            (hours(3, 3), "ends_at", FieldCode::NotAfterStart),
            (hours(3, 2), "ends_at", FieldCode::NotAfterStart),
            (hours(-3, -2), "ends_at", FieldCode::Past),
            (hours(1, 24 * 732), "ends_at", FieldCode::TooBig),
            (SaleForm { ends_at: "2199-12-31T10:00".into(), ..hours(1, 2) }, "ends_at", FieldCode::TooBig),
            (SaleForm { percent: "ten".into(), ..hours(1, 2) }, "percent", FieldCode::NotDecimal(2)),
            (SaleForm { ends_at: String::new(), ..hours(1, 2) }, "ends_at", FieldCode::Missing),
            (SaleForm { ends_at: "Friday".into(), ..hours(1, 2) }, "ends_at", FieldCode::NotDate),
            (SaleForm { starts_at: "2026-12-01".into(), ..hours(1, 2) }, "starts_at", FieldCode::NotDate),
            (SaleForm { percent: "100".into(), ..hours(1, 2) }, "percent", FieldCode::TooBig),
            (typed(&[(small, "450")], hours(1, 2)), of_small.as_str(), FieldCode::NotReduced),
            (typed(&[(small, "460")], hours(1, 2)), of_small.as_str(), FieldCode::NotReduced),
            (typed(&[], hours(1, 2)), "percent", FieldCode::Missing),
        ] {
            assert_eq!(plan(market, &owner, jug, &form).await.unwrap_err().at(field), Some(code), "{form:?}");
        }
        let all = SaleForm { percent: "0".into(), ..hours(3, 2) };
        let all = plan(market, &owner, jug, &all).await.unwrap_err();
        assert_eq!((all.at("percent"), all.at("ends_at")), (Some(FieldCode::TooSmall), Some(FieldCode::NotAfterStart)));

        let first = plan(market, &owner, jug, &typed(&[(small, "400")], hours(1, 3))).await.unwrap();
        for (from, until) in [(1, 3), (0, 2), (2, 4), (0, 9), (2, 3)] {
            let both = plan(market, &owner, jug, &hours(from, until)).await.unwrap_err();
            assert_eq!(both.at(&of_small), Some(FieldCode::SaleExists), "{from} {until}");
            let one = plan(market, &owner, jug, &typed(&[(small, "300")], hours(from, until))).await.unwrap_err();
            assert_eq!(one.at("starts_at"), Some(FieldCode::SaleExists));
        }
        // Another variant, and one that begins when the other ends.
        plan(market, &owner, jug, &typed(&[(large, "1000")], hours(1, 3))).await.unwrap();
        let next = plan(market, &owner, jug, &typed(&[(small, "300")], hours(3, 4))).await.unwrap();

        // Others see nothing of it, and can't change it.
        let delta = market.owner("delta-electronics").await;
        for caller in [&guest, &delta] {
            assert!(plan(market, caller, jug, &hours(5, 6)).await.is_err());
            assert!(sale_prices::list(engine, caller, MEENA, jug).await.is_err());
            assert!(sale_prices::end(engine, caller, MEENA, jug, first).await.is_err());
        }
        for refused in [
            sale_prices::plan(engine, &delta, "delta-electronics", jug, &hours(5, 6)).await.map(drop),
            sale_prices::list(engine, &delta, "delta-electronics", jug).await.map(drop),
            sale_prices::remove(engine, &delta, "delta-electronics", jug, next).await,
            sale_prices::end(engine, &owner, MEENA, jug, first).await,
        ] {
            assert_eq!(refused, Err(Error::NotFound));
        }
        sale_prices::remove(engine, &owner, MEENA, jug, next).await.unwrap();
        market.clock.advance_ms(2 * HOUR);
        assert_eq!(sale_prices::remove(engine, &owner, MEENA, jug, first).await, Err(Error::NotFound), "it has begun");
        sale_prices::apply_due(engine).await.unwrap();
        assert_eq!(prices(engine, &slug).await[0], (40_000, Some(45_000), Some(45_000)));
        sale_prices::end(engine, &owner, MEENA, jug, first).await.unwrap();
        assert_eq!(sale_prices::end(engine, &owner, MEENA, jug, first).await, Err(Error::NotFound), "it is over");
        // A product with sales can be deleted as before.
        catalog::delete(engine, &owner, MEENA, jug).await.unwrap();
    }

    async fn two_overlapping_sales_at_once_are_one(market) {
        let (owner, jug, slug) = made(market, "Jug").await;
        let form = sale(market, (0, 1), "10");
        let planned = (0..8).map(|_| {
            let (engine, owner, form) = (market.engine.clone(), owner.clone(), form.clone());
            async move { sale_prices::plan(&engine, &owner, MEENA, jug, &form).await }
        });
        let both = crate::races::at_once(planned.collect()).await;
        assert_eq!(both.iter().filter(|planned| planned.is_ok()).count(), 1);
        assert_eq!(prices(&market.engine, &slug).await[0].0, 40_500);
    }

    async fn prices_are_edited_during_a_sale(market) {
        let engine = &market.engine;
        let (owner, jug, slug) = made(market, "Jug").await;
        plan(market, &owner, jug, &sale(market, (0, 9), "20")).await.unwrap();
        let lowest_now = async || sale_prices::list(engine, &owner, MEENA, jug).await.unwrap().variants[0].lowest.amount();
        // Ordinary price of the small one, what it costs, what is struck through, the lowest price before.
        for (typed, price, compare_at, lowest) in [
            ("500", 36_000, Some(50_000), Some(45_000)),
            ("360", 36_000, None, None),
            ("300", 30_000, None, None),
            ("450", 36_000, Some(45_000), Some(30_000)),
        ] {
            market.clock.advance_ms(HOUR);
            let mut product = catalog::seller_product(engine, &owner, MEENA, jug).await.unwrap();
            product.form.variants[0].price = typed.into();
            catalog::update(engine, &owner, MEENA, jug, product.version, &product.form, typed).await.unwrap();
            assert_eq!(prices(engine, &slug).await[0], (price, compare_at, lowest), "{typed}");
            assert_eq!(listed(engine).await, [("Jug".to_owned(), price, compare_at)], "{typed}");
        }
        assert_eq!(lowest_now().await, 30_000);
        // A title changes nothing about the price.
        let mut product = catalog::seller_product(engine, &owner, MEENA, jug).await.unwrap();
        product.form.title = "Tall jug".into();
        catalog::update(engine, &owner, MEENA, jug, product.version, &product.form, "t").await.unwrap();
        assert_eq!(listed(engine).await, [("Tall jug".to_owned(), 36_000, Some(45_000))]);
        // A new variant is not in the sale.
        product = catalog::seller_product(engine, &owner, MEENA, jug).await.unwrap();
        product.form.variants.push(products::variant("Tiny", "TINY", "100", "1"));
        catalog::update(engine, &owner, MEENA, jug, product.version, &product.form, "v").await.unwrap();
        assert_eq!(listed(engine).await, [("Tall jug".to_owned(), 10_000, None)]);
        market.clock.advance_ms(31 * 24 * HOUR);
        sale_prices::apply_due(engine).await.unwrap();
        assert_eq!(lowest_now().await, 45_000, "all of it is long ago");
    }

    async fn a_product_file_changes_prices_during_a_sale(market) {
        let engine = &market.engine;
        let variant = |sku: &str, price_minor| catalog::NewVariant { sku: sku.into(), title: sku.into(), price_minor, stock: 5, ..Default::default() };
        let put = async |price| {
            let variants = vec![variant("A", price), variant("B", 90_000)];
            let product = catalog::NewProduct { title: "Cup".into(), option: "Size".into(), variants, ..Default::default() };
            catalog::upsert_products(engine, &Caller::system(), MEENA, vec![product]).await.unwrap();
        };
        put(50_000).await;
        let owner = market.owner(MEENA).await;
        let id = catalog::list(engine, &owner, ListProducts::default()).await.unwrap().items[0].id;
        plan(market, &owner, id, &sale(market, (0, 9), "10")).await.unwrap();
        market.clock.advance_ms(HOUR);
        put(60_000).await;
        assert_eq!(listed(engine).await, [("Cup".to_owned(), 45_000, Some(60_000))]);
        let slug = catalog::list(engine, &owner, ListProducts::default()).await.unwrap().items[0].slug.clone();
        assert_eq!(prices(engine, &slug).await[0], (45_000, Some(60_000), Some(50_000)));
        put(40_000).await;
        assert_eq!(listed(engine).await, [("Cup".to_owned(), 40_000, None)]);
    }

    async fn own_prices_of_a_currency_fall_in_proportion(market) {
        let market = &market.on(&market.selling_in(&["JPY"]));
        let (engine, jpy) = (&market.engine, "JPY".parse::<Currency>().unwrap());
        currencies::set_rate(engine, &Caller::system(), jpy, Rate { numerator: 2, denominator: 1 }, "", true).await.unwrap();
        let (owner, jug, slug) = made(market, "Jug").await;
        let variants = shown(engine, &slug).await;
        currencies::set_variant_price(engine, &owner, MEENA, variants[0].id, jpy, Some(1_001)).await.unwrap();
        plan(market, &owner, jug, &sale(market, (0, 9), "50")).await.unwrap();
        for (variant, expected) in [(variants[0].id, 501), (variants[1].id, 1_250)] {
            let guest = market.guest_with(&[(variant, 1)]).await;
            let id = checkout::begin_in(engine, &guest, Some(jpy)).await.unwrap();
            assert_eq!(checkout::view(engine, &guest, id).await.unwrap().quote.totals.subtotal.amount(), expected);
        }
    }
}
