//! Shops ship by zones: what it costs and when it arrives depends on the address.

use haat_engine::{
    Caller, carts, catalog, checkout, currencies, orders,
    shipping::{self, Change},
    shops,
};
use haat_shared::{
    Conflict, Error, FieldCode, Money,
    checkout::{CheckoutUpdate, taken},
    id::kinds::ZoneId,
    money::Rate,
    payments::PaymentMethod,
    shipping::{BasketForm, CalendarForm, MethodForm, ShippingMethod, ZoneForm},
};

use crate::{both, support::*};

const MEENA: &str = "meena-crafts";

/// A zone with standard shipping at a flat price.
fn zone(name: &str, areas: &str, price: &str) -> ZoneForm {
    let mut form = ZoneForm { name: name.into(), areas: areas.into(), ..ZoneForm::new() };
    form.methods[0].rates = price.into();
    form
}

fn working(cutoff: &str) -> CalendarForm {
    CalendarForm {
        handling_days: "1".into(),
        cutoff: cutoff.into(),
        works: [true, true, true, true, true, true, false],
        holidays: String::new(),
        time_zone: "Asia/Kolkata".into(),
    }
}

/// The shop ships only with these zones.
async fn ships(market: &Market, handle: &str, zones: &[ZoneForm]) {
    let zones = zones.iter().cloned().map(|zone| (None, zone)).collect();
    shops::set_shipping(&market.engine, &Caller::system(), handle, &Change::All(working(""), zones, None))
        .await
        .unwrap();
}

fn to(country: &str, region: &str, postal_code: &str) -> CheckoutUpdate {
    CheckoutUpdate {
        country: country.into(),
        region: region.into(),
        postal_code: postal_code.into(),
        ..form("cash")
    }
}

fn shipped(quote: &haat_shared::checkout::CheckoutQuote) -> i64 {
    quote.totals.shipping.amount()
}

both! {
    async fn cash_is_taken_where_and_up_to_what_the_shop_says(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let limited = ZoneForm { cash_max: "1000".into(), ..zone("India", "IN", "49") };
        let none = ZoneForm { no_cash: true, ..zone("Mumbai", "IN 400001-400104", "29") };
        ships(market, MEENA, &[limited.clone(), none]).await;
        for (bowls, postal_code, cash) in [(2, "560001", true), (3, "560001", false), (1, "400050", false)] {
            let guest = market.guest_with(&[(bowl, bowls)]).await;
            let id = checkout::begin(engine, &guest).await.unwrap();
            let typed = CheckoutUpdate { payment_method: Some(PaymentMethod::Cash), ..to("IN", "Karnataka", postal_code) };
            checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
            let view = checkout::view(engine, &guest, id).await.unwrap();
            let methods = taken(&view.payment_methods, &view.groups);
            assert_eq!(methods.contains(&PaymentMethod::Cash), cash, "{bowls} {postal_code}");
            assert!(methods.contains(&PaymentMethod::Sandbox));
            let paid = checkout::pay(engine, &guest, id, typed, view.quote.version, "k").await;
            match cash {
                true => assert!(paid.is_ok(), "{paid:?}"),
                false => assert_eq!(paid.unwrap_err().at("payment_method"), Some(FieldCode::NotAChoice)),
            }
        }
        let meena = market.owner(MEENA).await;
        let version = shipping::settings(engine, &meena, MEENA).await.unwrap().version;
        for (typed, code) in [("0", FieldCode::TooSmall), ("much", FieldCode::NotMoney)] {
            let form = ZoneForm { cash_max: typed.into(), ..zone("Nepal", "NP", "49") };
            let refused = shipping::save(engine, &meena, MEENA, version, &Change::Zone(None, Box::new(form))).await;
            assert_eq!(refused.unwrap_err().at("cash_max"), Some(code), "{typed}");
        }
        market.settle().await;
    }

    async fn zones_are_managed_by_the_shop(market) {
        let (engine, meena) = (&market.engine, market.owner(MEENA).await);
        let opened = shipping::settings(engine, &meena, MEENA).await.unwrap();
        let mumbai = zone("Mumbai", "IN 400001-400104", "29");
        let add = |form: &ZoneForm| Change::Zone(None, Box::new(form.clone()));
        let version = shipping::save(engine, &meena, MEENA, opened.version, &add(&mumbai)).await.unwrap();
        assert_eq!(version, opened.version + 1);
        // The version is that of all settings of the shop.
        let late = shipping::save(engine, &meena, MEENA, opened.version, &add(&zone("Nepal", "NP", "99"))).await;
        assert_eq!(late, Err(Conflict::Edited(vec!["zones".into()]).into()));
        for (form, field, code) in [
            (zone("Colaba", "IN 400005", "9"), "areas", FieldCode::Overlaps),
            (zone("Rest", "*", "9"), "areas", FieldCode::Overlaps),
            (zone(" mumbai ", "NP", "9"), "name", FieldCode::NotUnique),
            (zone("Nepal", "NP", "soon"), "standard.rates", FieldCode::NotMoney),
        ] {
            let refused = shipping::save(engine, &meena, MEENA, version, &add(&form)).await.unwrap_err();
            assert_eq!(refused.at(field), Some(code), "{form:?}");
        }
        let id = shipping::settings(engine, &meena, MEENA).await.unwrap().rules.zones[1].id;
        let wider = zone("Mumbai", "IN 400001-400199", "29");
        let version = shipping::save(engine, &meena, MEENA, version, &Change::Zone(Some(id), Box::new(wider))).await.unwrap();
        let bad = CalendarForm { time_zone: "Asia/Pune".into(), ..working("14:00") };
        let refused = shipping::save(engine, &meena, MEENA, version, &Change::Calendar(bad)).await.unwrap_err();
        assert_eq!(refused.at("time_zone"), Some(FieldCode::NotAChoice));
        let version = shipping::save(engine, &meena, MEENA, version, &Change::Calendar(working("14:00"))).await.unwrap();
        assert_eq!(shipping::save(engine, &meena, MEENA, version, &Change::Calendar(working("14:00"))).await, Ok(version));
        let rules = shipping::settings(engine, &meena, MEENA).await.unwrap().rules;
        assert_eq!((rules.calendar.cutoff, rules.zones[1].areas[0].to_string().as_str()), (Some(840), "IN 400001-400199"));
        let version = shipping::save(engine, &meena, MEENA, version, &Change::RemoveZone(id)).await.unwrap();
        let unknown: ZoneId = haat_engine::random::id(0);
        for change in [Change::RemoveZone(id), Change::Zone(Some(unknown), Box::new(mumbai))] {
            assert_eq!(shipping::save(engine, &meena, MEENA, version, &change).await, Err(Error::NotFound));
        }
        assert_eq!(shipping::settings(engine, &meena, MEENA).await.unwrap().rules.zones.len(), 1);
        let delta = market.owner("delta-electronics").await;
        assert_eq!(shipping::settings(engine, &delta, MEENA).await.err(), Some(Error::NotFound));
        let foreign = shipping::save(engine, &delta, MEENA, version, &Change::RemoveZone(id)).await;
        assert_eq!(foreign, Err(Error::NotFound));
    }

    async fn shipping_depends_on_the_address(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let express = MethodForm { offered: true, rates: "199".into(), name: "Courier".into(), ..ZoneForm::new().methods[1].clone() };
        let mut mumbai = zone("Mumbai", "IN 400001-400104", "29");
        mumbai.methods[1] = express;
        ships(market, MEENA, &[zone("India", "IN", "49"), zone("South", "IN-KA, IN-TN", "69"), mumbai, zone("Nepal", "NP", "499")]).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(engine, &guest).await.unwrap();
        let begun = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!(shipped(&begun.quote), 4_900, "the market's country");
        let mut last = begun.quote.version;
        for (address, price, same) in [
            (to("IN", "MH", "411001"), 4_900, true),
            (to("IN", "", "560001"), 6_900, false),
            (to("IN", "Tamil Nadu", "600041"), 6_900, true),
            (to("IN", "MH", "400 005"), 2_900, false),
            (to("NP", "", "44600"), 49_900, false),
            (to("IN", "MH", "411001"), 4_900, false),
        ] {
            let quote = checkout::update(engine, &guest, id, address.clone()).await.unwrap();
            assert_eq!((shipped(&quote), quote.version == last), (price, same), "{address:?}");
            last = quote.version;
        }
        let colaba = to("IN", "MH", "400005");
        checkout::update(engine, &guest, id, colaba.clone()).await.unwrap();
        let view = checkout::view(engine, &guest, id).await.unwrap();
        let options = &view.groups[0].shipping_options;
        let ways: Vec<_> = options.iter().map(|o| (o.shipping_method, o.name.as_str(), o.price.amount())).collect();
        assert_eq!(ways, [(ShippingMethod::Standard, "", 2_900), (ShippingMethod::Express, "Courier", 19_900)]);
        let methods = [(view.groups[0].shop_id, ShippingMethod::Express)].into();
        let typed = CheckoutUpdate { shipping_methods: methods, ..colaba };
        let quote = checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
        assert_eq!(shipped(&quote), 19_900);
        // There is no express elsewhere: it becomes standard, which the new total says.
        let elsewhere = CheckoutUpdate { postal_code: "411001".into(), ..typed.clone() };
        assert_eq!(shipped(&checkout::update(engine, &guest, id, elsewhere.clone()).await.unwrap()), 4_900);
        let seen = checkout::pay(engine, &guest, id, typed.clone(), quote.version, "k").await;
        assert!(matches!(seen, Err(Error::Conflict(Conflict::TotalChanged { .. }))), "{seen:?}");
        let quote = checkout::stored(engine, &guest, id).await.unwrap().1;
        let promised = options[1].arrives.clone();
        let number = number_of(&checkout::pay(engine, &guest, id, typed, quote.version, "k").await.unwrap());
        let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
        let order = &purchase.orders[0];
        assert_eq!((order.shipping_name.as_str(), order.totals.shipping.amount()), ("Courier", 19_900));
        assert_eq!(order.arrives, promised, "the order keeps the promise");
    }

    async fn what_is_not_shipped_there_can_be_removed(market) {
        let engine = &market.engine;
        let (bowl, tea) = (market.product(MEENA, "Clay bowl", 45_000, 9).await, market.generous_shop().await);
        ships(market, MEENA, &[zone("India", "IN", "49")]).await;
        let guest = market.guest_with(&[(bowl, 1), (tea, 1)]).await;
        let id = checkout::begin(engine, &guest).await.unwrap();
        let typed = to("DE", "", "10115");
        let quote = checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
        let view = checkout::view(engine, &guest, id).await.unwrap();
        let meena = view.groups.iter().find(|group| group.shipping_options.is_empty()).unwrap();
        assert_eq!((view.groups.len(), shipped(&quote)), (2, 4_900), "the other shop ships there");
        let refused = checkout::pay(engine, &guest, id, typed.clone(), quote.version, "k").await;
        let conflict = Conflict::NotShipped(vec![format!("{} (Clay bowl)", meena.shop_name)]);
        assert_eq!(refused, Err(conflict.into()));
        // Its methods can't be selected, but what was selected before doesn't stop the shopper from typing.
        let methods = [(meena.shop_id, ShippingMethod::Express)].into();
        let chosen = CheckoutUpdate { shipping_methods: methods, ..typed.clone() };
        assert_eq!(checkout::update(engine, &guest, id, chosen).await.unwrap().totals, quote.totals);
        // The basket says so, too.
        let cart = carts::view(engine, &guest).await.unwrap();
        let offered: Vec<_> = cart.groups.iter().map(|group| group.shipping.as_ref().map(|o| o.price.amount())).collect();
        assert_eq!(offered, [None, Some(4_900)]);
        checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
        carts::remove_shop(engine, &guest, meena.shop_id).await.unwrap();
        carts::remove_shop(engine, &guest, meena.shop_id).await.unwrap();
        let again = checkout::renew(engine, &guest, id).await.unwrap();
        let now = checkout::view(engine, &guest, again).await.unwrap();
        assert_eq!((now.form, now.groups.len(), shipped(&now.quote)), (typed.clone(), 1, 4_900), "nothing typed is lost");
        let paid = checkout::pay(engine, &guest, again, typed, now.quote.version, "k2").await.unwrap();
        number_of(&paid);
        // A basket without the market's country begins, too.
        ships(market, MEENA, &[zone("Nepal", "NP", "49")]).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(engine, &guest).await.unwrap();
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!((view.groups[0].shipping_options.len(), shipped(&view.quote)), (0, 0));
        let quote = checkout::update(engine, &guest, id, to("NP", "", "44600")).await.unwrap();
        assert_eq!(shipped(&quote), 4_900);
        let shop = shops::shop(engine, &Caller::guest(), MEENA).await.unwrap();
        assert_eq!(shop.shipping_price, None);
    }

    async fn checkouts_keep_their_prices_until_the_address_changes(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        ships(market, MEENA, &[zone("India", "IN", "49"), zone("Rest", "*", "99")]).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(engine, &guest).await.unwrap();
        let typed = to("IN", "MH", "411001");
        let before = checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
        ships(market, MEENA, &[zone("India", "IN", "79"), zone("Rest", "*", "99")]).await;
        let named = CheckoutUpdate { name: "Asha R".into(), ..typed.clone() };
        assert_eq!(checkout::update(engine, &guest, id, named).await, Ok(before));
        let moved = to("IN", "MH", "411002");
        assert_eq!(shipped(&checkout::update(engine, &guest, id, moved).await.unwrap()), 7_900);
    }

    async fn shipping_by_value_and_items_is_converted(market) {
        let market = &market.on(&market.selling_in(&["USD"]));
        let (engine, rate) = (&market.engine, Rate { numerator: 1, denominator: 90 });
        currencies::set_rate(engine, &Caller::system(), "USD".parse().unwrap(), rate, "The test bank", true).await.unwrap();
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let mut by_value = zone("India", "IN", "500: 90\n*: 0");
        by_value.methods[0].by = "value".into();
        let mut by_items = zone("Rest", "*", "1: 180\n2: 270");
        by_items.methods[0].by = "items".into();
        ships(market, MEENA, &[by_value, by_items]).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin_in(engine, &guest, Some("USD".parse().unwrap())).await.unwrap();
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!(view.quote.totals.shipping, Money::new(100, "USD".parse().unwrap()), "₹90");
        let abroad = checkout::update(engine, &guest, id, to("US", "CA", "94105")).await.unwrap();
        assert_eq!(shipped(&abroad), 200, "₹180");
        let guest = market.guest_with(&[(bowl, 3)]).await;
        let id = checkout::begin(engine, &guest).await.unwrap();
        assert_eq!(shipped(&checkout::view(engine, &guest, id).await.unwrap().quote), 0, "over ₹500");
        checkout::update(engine, &guest, id, to("US", "CA", "94105")).await.unwrap();
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert!(view.groups[0].shipping_options.is_empty(), "three are too many");
    }

    async fn heavy_parcels_cost_more(market) {
        let (engine, system) = (&market.engine, Caller::system());
        let variant = catalog::NewVariant { sku: "ANVIL".into(), price_minor: 45_000, stock: 9, weight_g: 400, ..Default::default() };
        let product = catalog::NewProduct { title: "Anvil".into(), variants: vec![variant], ..Default::default() };
        catalog::upsert_products(engine, &system, MEENA, vec![product]).await.unwrap();
        let of = haat_shared::catalog::ListProducts { shop: MEENA.into(), ..Default::default() };
        let page = catalog::list(engine, &Caller::guest(), of).await.unwrap();
        let anvil = catalog::product(engine, &Caller::guest(), &page.items[0].slug).await.unwrap().variants[0].id;
        let by_weight = |name: &str, areas: &str, rates: &str| {
            let mut zone = zone(name, areas, rates);
            zone.methods[0].by = "weight".into();
            zone
        };
        ships(market, MEENA, &[by_weight("India", "IN", "0.5: 40\n1: 70\n*: 120"), by_weight("Nepal", "NP", "1: 500")]).await;
        for (quantity, price) in [(1, 4_000), (2, 7_000), (3, 12_000)] {
            let guest = market.guest_with(&[(anvil, quantity)]).await;
            let cart = carts::view(engine, &guest).await.unwrap();
            assert_eq!(cart.totals.unwrap().shipping.amount(), price);
            let id = checkout::begin(engine, &guest).await.unwrap();
            assert_eq!(shipped(&checkout::view(engine, &guest, id).await.unwrap().quote), price);
            let typed = to("NP", "", "44600");
            let quote = checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
            let paid = checkout::pay(engine, &guest, id, typed, quote.version, "k").await;
            match quantity {
                3 => assert!(matches!(paid, Err(Error::Conflict(Conflict::NotShipped(_)))), "{paid:?}"),
                _ => assert_eq!((shipped(&quote), paid.is_ok()), (50_000, true), "{quantity}"),
            }
        }
        // The seller corrects the weight.
        let meena = market.owner(MEENA).await;
        let id = page.items[0].id;
        let mut product = catalog::seller_product(engine, &meena, MEENA, id).await.unwrap();
        assert_eq!((product.form.variants[0].weight_g.as_str(), product.form.variants[0].length_mm.as_str()), ("400", ""));
        product.form.variants[0].weight_g = "1001".into();
        product.form.variants[0].length_mm = "300".into();
        catalog::update(engine, &meena, MEENA, id, product.version, &product.form, "k").await.unwrap();
        let refused = catalog::update(engine, &meena, MEENA, id, product.version, &product.form, "late").await;
        let fields = ["variants.ANVIL.weight_g", "variants.ANVIL.length_mm"].map(String::from).to_vec();
        assert_eq!(refused, Err(Conflict::Edited(fields).into()));
        let guest = market.guest_with(&[(anvil, 1)]).await;
        assert_eq!(carts::view(engine, &guest).await.unwrap().totals.unwrap().shipping.amount(), 12_000);
    }

    async fn a_preview_is_what_a_checkout_would_cost(market) {
        let (engine, meena) = (&market.engine, market.owner(MEENA).await);
        ships(market, MEENA, &[zone("India", "IN", "49")]).await;
        let basket = |country: &str| BasketForm { country: country.into(), value: "450".into(), ..BasketForm::default() };
        let there = shipping::preview(engine, &meena, MEENA, &basket("IN"), None).await.unwrap();
        assert_eq!((there.zone.as_deref(), there.options[0].price.amount()), (Some("India"), 4_900));
        let abroad = shipping::preview(engine, &meena, MEENA, &basket("DE"), None).await.unwrap();
        assert_eq!((abroad.zone, abroad.options.len()), (None, 0));
        // With a zone that is being typed.
        let edited = Some((None, zone("Europe", "DE", "999")));
        let abroad = shipping::preview(engine, &meena, MEENA, &basket("DE"), edited).await.unwrap();
        assert_eq!((abroad.zone.as_deref(), abroad.options[0].price.amount()), (Some("Europe"), 99_900));
        let wrong = shipping::preview(engine, &meena, MEENA, &basket("Germany"), None).await.unwrap_err();
        assert_eq!(wrong.at("country"), Some(FieldCode::NotAChoice));
        let overlapping = Some((None, zone("Home", "IN", "1")));
        let wrong = shipping::preview(engine, &meena, MEENA, &basket("DE"), overlapping).await.unwrap_err();
        assert_eq!(wrong.at("areas"), Some(FieldCode::Overlaps));
        let delta = market.owner("delta-electronics").await;
        assert_eq!(shipping::preview(engine, &delta, MEENA, &basket("IN"), None).await.err(), Some(Error::NotFound));
    }
}
