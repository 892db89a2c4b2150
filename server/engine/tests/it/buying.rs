use haat_engine::{
    Caller, carts, catalog, checkout, db::Statement, dispatch, oracle, orders, params, sandbox::Card,
    statements,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money,
    carts::{CartView, SetQuantity},
    checkout::{CheckoutState, CheckoutUpdate},
    id::kinds::CheckoutId,
    orders::{ListOrders, OrderState},
    payments::PaymentMethod,
    pricing::{self, LineItem, LineKind, Quote, Shipping, ShopItems, TaxRule},
    shipping::ShippingMethod,
};

use crate::{both, notifications::change, support::*};

statements! {
    QUOTE_MORE_TAX = "UPDATE checkout_orders SET tax_minor = tax_minor + 1";
    QUOTE_LESS_TAX = "UPDATE checkout_orders SET tax_minor = tax_minor - 1";
    QUOTE_MORE = "UPDATE checkout_orders SET delivery_minor = delivery_minor + 1, total_minor = total_minor + 1";
    QUOTE_LESS = "UPDATE checkout_orders SET delivery_minor = delivery_minor - 1, total_minor = total_minor - 1";
    CHECK_OUT_MORE = "UPDATE checkouts SET delivery_minor = delivery_minor + 1, total_minor = total_minor + 1";
    CHECK_OUT_LESS = "UPDATE checkouts SET delivery_minor = delivery_minor - 1, total_minor = total_minor - 1";
    ORDER_MORE = "UPDATE orders SET delivery_minor = delivery_minor + 1, total_minor = total_minor + 1";
    ORDER_LESS = "UPDATE orders SET delivery_minor = delivery_minor - 1, total_minor = total_minor - 1";
    ORDER_MORE_TAX = "UPDATE orders SET tax_minor = tax_minor + 1";
    ORDER_LESS_TAX = "UPDATE orders SET tax_minor = tax_minor - 1";
    LINE_MORE_TAX = "UPDATE order_lines SET tax_minor = tax_minor + 1";
    LINE_LESS_TAX = "UPDATE order_lines SET tax_minor = tax_minor - 1";
    STORED_EARLIER = "UPDATE checkouts SET form = $2, details = COALESCE($3, details), quote_version = 1 WHERE id = $1";
}

both! {
    async fn an_order_is_ordered_again_as_far_as_the_shop_has_it(market) {
        let engine = &market.engine;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let jug = market.product("meena-crafts", "Clay jug", 60_000, 5).await;
        let guest = market.guest_with(&[(bowl, 2), (jug, 1)]).await;
        let number = market.buy_by_card(&guest).await;
        let (key, order) = (market.key(&number), format!("{number}-1"));
        let again = async |caller: &Caller, key: &str| orders::order_again(engine, caller, &number, key, &order).await;
        let quantities = |view: &CartView| {
            let lines = view.groups.iter().flat_map(|group| &group.lines);
            lines.map(|line| (line.title.clone(), line.quantity)).collect::<std::collections::BTreeMap<_, _>>()
        };
        let expected = |bowls, jugs| [("Clay bowl".to_owned(), bowls), ("Clay jug".to_owned(), jugs)].into();
        let (changed, missing) = again(&guest, &key).await.unwrap();
        assert_eq!((quantities(&changed.view), missing), (expected(2, 1), 0));
        // Three bowls are left.
        let (changed, missing) = again(&guest, &key).await.unwrap();
        assert_eq!((quantities(&changed.view), missing), (expected(3, 2), 1));
        // Whoever has the link orders for themselves; others can't.
        let stranger = Caller::guest();
        assert_eq!(again(&stranger, "no key").await.map(drop).unwrap_err(), Error::NotFound);
        let (changed, missing) = again(&stranger, &key).await.unwrap();
        assert!(changed.token.is_some());
        assert_eq!((quantities(&changed.view), missing), (expected(2, 1), 0));
        market.settle().await;
    }

    async fn the_shipping_method_is_chosen_before_paying(market) {
        let engine = &market.engine;
        let tea = market.generous_shop().await;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(tea, 1), (bowl, 1)]).await;
        assert_eq!(checkout::current(engine, &guest).await, Ok(None));
        let id = checkout::begin(engine, &guest).await.unwrap();
        assert_eq!(checkout::current(engine, &guest).await, Ok(Some(id)));
        let view = checkout::view(engine, &guest, id).await.unwrap();
        let group = view.groups.iter().find(|g| g.town == "Ooty").unwrap();
        let ways: Vec<_> = group.shipping_options.iter().map(|o| (o.shipping_method, o.price.amount())).collect();
        assert_eq!(ways, [(ShippingMethod::Standard, 4_900), (ShippingMethod::Express, 9_900), (ShippingMethod::Pickup, 0)]);
        let totals = view.quote.totals;
        assert_eq!((totals.total.amount(), totals.tax.amount()), (59_000 + 45_000 + 2 * 4_900, 9_000));
        let shop = group.shop_id;

        let mut typed = form("cash");
        typed.shipping_methods.insert(shop, ShippingMethod::Express);
        // One shop doesn't offer it, and the other isn't part of the checkout.
        for other in [view.groups.iter().find(|g| g.shop_id != shop).unwrap().shop_id, haat_engine::random::id(0)] {
            let mut wrong = typed.clone();
            wrong.shipping_methods.insert(other, ShippingMethod::Express);
            let refused = checkout::update(engine, &guest, id, wrong).await.unwrap_err();
            assert_eq!(refused.at(&format!("shipping_methods.{other}")), Some(FieldCode::NotAChoice));
        }
        let quote = checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
        assert_eq!((quote.totals.shipping.amount(), quote.totals.total.amount()), (14_800, 118_800));
        let changed: Error = Conflict::TotalChanged { total: quote.totals.total, quote_version: quote.version }.into();
        for seen in [view.quote.version, 0, quote.version + 1] {
            let stale = checkout::pay(engine, &guest, id, typed.clone(), seen, "k").await;
            assert_eq!(stale, Err(changed.clone()), "they saw another total");
        }
        assert_eq!(checkout::view(engine, &guest, id).await.unwrap().state, CheckoutState::Open);
        let paid = checkout::pay(engine, &guest, id, typed, quote.version, "k").await;
        let number = number_of(&paid.expect("the key was not used up"));
        assert_eq!(checkout::current(engine, &guest).await, Ok(None), "it is bought");
        let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
        assert_eq!(purchase.totals, quote.totals);
        let order = purchase.orders.iter().find(|o| o.shop_handle == "generous").unwrap();
        assert_eq!((order.shipping_method, order.totals.shipping.amount(), order.totals.tax.amount()), (ShippingMethod::Express, 9_900, 9_000));
        let other = purchase.orders.iter().find(|o| o.shop_handle != "generous").unwrap();
        assert_eq!((other.shipping_method, other.totals.shipping.amount(), other.totals.tax.amount()), (ShippingMethod::Standard, 4_900, 0));
    }

    async fn a_checkout_cannot_be_changed_while_a_payment_is_in_progress(market) {
        let engine = &market.engine;
        let tea = market.generous_shop().await;
        let guest = market.guest_with(&[(tea, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        let before = checkout::view(engine, &guest, id).await.unwrap();
        let mut typed = form("sandbox");
        typed.shipping_methods.insert(before.groups[0].shop_id, ShippingMethod::Pickup);
        let moved = CheckoutUpdate { city: "Ooty".into(), ..form("sandbox") };
        for late in [typed.clone(), moved] {
            let refused = checkout::update(engine, &guest, id, late).await;
            assert_eq!(refused, Err(Conflict::PaymentInProgress.into()));
        }
        let late = checkout::pay(engine, &guest, id, typed.clone(), 1, "other").await;
        assert_eq!(late, Err(Conflict::PaymentInProgress.into()));
        let after = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!((after.quote, after.form), (before.quote, form("sandbox")));
        market.enter(&gateway_ref, Card::Decline).await;
        market.come_back(payment).await.unwrap();
        // Now it can be chosen again, and is free.
        let quote = checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
        assert_eq!((quote.totals.shipping.amount(), quote.totals.total.amount()), (0, 59_000));
        typed.payment_method = Some(PaymentMethod::Cash);
        checkout::pay(engine, &guest, id, typed.clone(), quote.version, "k").await.unwrap();
        assert_eq!(checkout::update(engine, &guest, id, typed).await, Err(Conflict::CheckoutEnded.into()));
    }

    async fn a_quote_has_a_new_version_when_its_totals_change(market) {
        let engine = &market.engine;
        let tea = market.generous_shop().await;
        // For two, standard shipping is as free as pickup.
        for (quantity, versions) in [(1, [1, 1, 2, 3, 4]), (2, [1, 1, 1, 2, 3])] {
            let guest = market.guest_with(&[(tea, quantity)]).await;
            let id = checkout::begin(engine, &guest).await.unwrap();
            let view = checkout::view(engine, &guest, id).await.unwrap();
            let mut found = vec![view.quote.version];
            let mut typed = form("cash");
            for method in [
                ShippingMethod::Standard,
                ShippingMethod::Pickup,
                ShippingMethod::Express,
                ShippingMethod::Standard,
            ] {
                typed.shipping_methods.insert(view.groups[0].shop_id, method);
                let quote = checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
                let (stored, now) = checkout::stored(engine, &guest, id).await.unwrap();
                assert_eq!((&stored, &now), (&typed, &quote));
                // The address doesn't change the price.
                typed.city.push('!');
                assert_eq!(checkout::update(engine, &guest, id, typed.clone()).await, Ok(quote.clone()));
                found.push(quote.version);
            }
            assert_eq!(found, versions, "{quantity}");
        }
    }

    /// What the version without `quote_version` has stored can be paid, and completed.
    async fn a_checkout_stored_by_an_earlier_version_is_bought(market) {
        let engine = &market.engine;
        let tea = market.generous_shop().await;
        let label = ["Asha Rao", "12 Lake Road", "Pune 411001", "India"];
        let store = async |id: CheckoutId, method: &str, delivery: String, details: Option<String>| {
            let form = format!(
                r#"{{"email":"asha@example.com","name":"Asha Rao","line1":"12 Lake Road","line2":"","city":"Pune",
                    "region":"","postal_code":"411001","country":"IN","phone":"","method":"{method}",
                    "delivery":{{{delivery}}},"seen":"63900"}}"#
            );
            let stored = engine.db.write("test", (id, form, details), |tx, (id, form, details)| {
                Box::pin(async move { Ok(tx.exec(&STORED_EARLIER, params![*id, form, details.clone()]).await?) })
            });
            assert_eq!(stored.await.unwrap(), 1);
        };

        let guest = market.guest_with(&[(tea, 1)]).await;
        let id = checkout::begin(engine, &guest).await.unwrap();
        let shop = checkout::view(engine, &guest, id).await.unwrap().groups[0].shop_id;
        let express = CheckoutUpdate { shipping_methods: [(shop, ShippingMethod::Express)].into(), ..form("cash") };
        let quote = checkout::update(engine, &guest, id, express.clone()).await.unwrap();
        store(id, "cash", format!(r#""{shop}":"express","shop_nobody":"pickup""#), None).await;
        let (stored, now) = checkout::stored(engine, &guest, id).await.unwrap();
        assert_eq!((&stored, now.version, now.totals), (&express, 1, quote.totals));
        let number = number_of(&checkout::pay(engine, &guest, id, stored, now.version, "k").await.unwrap());
        let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
        assert_eq!((purchase.totals, purchase.orders[0].shipping_method), (quote.totals, ShippingMethod::Express));
        assert_eq!(purchase.address.parts.label("India"), label);

        // While its payment is in progress.
        let guest = market.guest_with(&[(tea, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        let details = r#"{"email":"asha@example.com","address":{"name":"Asha Rao","line1":"12 Lake Road","line2":"",
            "city":"Pune","region":"","postal_code":"411001","country":"IN","phone":""},"method":"sandbox"}"#;
        store(id, "sandbox", String::new(), Some(details.into())).await;
        market.enter(&gateway_ref, Card::WebhookNever).await;
        let number = number_in(&market.come_back(payment).await.unwrap());
        let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
        assert_eq!(purchase.address.parts.label("India"), label);
    }

    async fn a_rate_that_changes_reaches_carts_and_no_checkout_that_was_begun(market) {
        let engine = &market.engine;
        let tea = market.generous_shop().await;
        let guest = market.guest_with(&[(tea, 1)]).await;
        let id = checkout::begin(engine, &guest).await.unwrap();
        let lower = catalog::NewCategory {
            slug: "tea".into(), name: "Tea".into(), parent: None, tax_category: "t500".into(), ..Default::default()
        };
        market.taxed("t500", "5").await;
        catalog::put_categories(engine, &Caller::system(), vec![lower]).await.unwrap();
        let cart = carts::view(engine, &guest).await.unwrap();
        assert_eq!((cart.totals.unwrap().tax.amount(), cart.groups[0].totals.tax.amount()), (2_810, 2_810));
        let mut typed = form("cash");
        let shop = checkout::view(engine, &guest, id).await.unwrap().groups[0].shop_id;
        typed.shipping_methods.insert(shop, ShippingMethod::Express);
        let quoted = checkout::update(engine, &guest, id, typed).await.unwrap().totals;
        assert_eq!((quoted.shipping.amount(), quoted.tax.amount(), quoted.total.amount()), (9_900, 9_000, 68_900));
        assert_eq!(checkout::view(engine, &guest, id).await.unwrap().quote.totals, quoted, "as it was stored");
    }

    async fn shipping_is_free_from_a_threshold(market) {
        let tea = market.generous_shop().await;
        let guest = market.guest_with(&[(tea, 2)]).await;
        let cart = carts::view(&market.engine, &guest).await.unwrap();
        assert_eq!((cart.totals.unwrap().shipping.amount(), cart.totals.unwrap().total.amount()), (0, 118_000));
        let id = checkout::begin(&market.engine, &guest).await.unwrap();
        let sums = checkout::view(&market.engine, &guest, id).await.unwrap().quote.totals;
        assert_eq!((sums.shipping.amount(), sums.total.amount(), sums.tax.amount()), (0, 118_000, 18_000));
        market.buy_in_cash(&guest).await.unwrap();
    }

    /// The cart, the checkout and the orders show the quoted prices, in currencies with two, no and three
    /// decimals: one shop charges for shipping, the other ships for free.
    async fn everything_shows_the_same_quote(market) {
        let engine = &market.engine;
        let mut last = None;
        for code in ["INR", "JPY", "KWD"] {
            let currency: Currency = code.parse().unwrap();
            let handles = ["first", "second"].map(|name| format!("{name}-{}", code.to_lowercase()));
            let teas = [
                market.generous_shop_in(currency, &handles[0]).await,
                market.generous_shop_in(currency, &handles[1]).await,
            ];
            let quantities = [1, 2];
            let guest = market.guest_with(&[(teas[0], quantities[0]), (teas[1], quantities[1])]).await;
            let cart = carts::view(engine, &guest).await.unwrap();
            let shops = [cart.groups[0].shop_id, cart.groups[1].shop_id];
            let quote = |shipping: [i64; 2]| -> Quote {
                let items = [0, 1].map(|i| ShopItems {
                    shop: shops[i],
                    lines: vec![LineItem {
                        id: teas[i].uuid(),
                        kind: LineKind::Goods,
                        quantity: quantities[i],
                        unit_price: Money::new(59_000, currency),
                        tax: TaxRule::included(180_000),
                        commission_bp: 1_000,
                    }],
                    shipping: Some(Shipping::untaxed(Money::new(shipping[i], currency))),
                });
                pricing::quote(currency, &items, &[]).unwrap()
            };
            let standard = quote([4_900, 0]);
            let figures = standard.price.totals;
            assert_eq!([figures.subtotal, figures.shipping, figures.tax, figures.total].map(Money::amount),
                [177_000, 4_900, 27_000, 181_900], "{code}");
            assert_eq!(cart.totals, Some(standard.price.totals), "{code}");
            for (group, of) in cart.groups.iter().zip(&standard.shops) {
                assert_eq!(group.totals, of.price.totals, "{code}");
            }
            let id = checkout::begin(engine, &guest).await.unwrap();
            let view = checkout::view(engine, &guest, id).await.unwrap();
            assert_eq!(view.quote.totals, standard.price.totals, "{code}");

            let mut typed = form("cash");
            typed.shipping_methods.insert(shops[1], ShippingMethod::Express);
            let express = quote([4_900, 9_900]);
            let saved = checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
            assert_eq!(saved.totals, express.price.totals, "{code}");
            assert_eq!(checkout::view(engine, &guest, id).await.unwrap().quote, saved, "{code}");

            let paid = checkout::pay(engine, &guest, id, typed, saved.version, "k").await;
            let number = number_of(&paid.unwrap());
            let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
            assert_eq!(purchase.totals, express.price.totals, "{code}");
            for ((handle, order), of) in handles.iter().zip(&purchase.orders).zip(&express.shops) {
                assert_eq!((&order.shop_handle, order.totals), (handle, of.price.totals), "{code}");
                let owner = market.owner(handle).await;
                let sold = orders::seller_order(engine, &owner, handle, &order.number).await.unwrap().order;
                assert_eq!((sold.order.totals, sold.commission), (order.totals, of.price.commission), "{code}");
            }

            // Prices in two currencies are shown, each in its shop's own, but can't be paid together.
            if let Some(other) = last.replace(teas[0]) {
                let guest = market.guest_with(&[(other, 1), (teas[0], 1)]).await;
                let mixed = carts::view(engine, &guest).await.unwrap();
                assert_eq!((mixed.totals, mixed.groups[1].totals), (None, standard.shops[0].price.totals), "{code}");
                assert_eq!(checkout::begin(engine, &guest).await, Err(Conflict::MixedCurrencies.into()), "{code}");
            }
        }
    }

    async fn the_oracle_sees_prices_that_were_changed(market) {
        let tea = market.generous_shop().await;
        market.buy_in_cash(&market.guest_with(&[(tea, 1)]).await).await.unwrap();
        market.settle().await;
        let (checkout, order, lines) =
            ("the orders of a checkout of", "differs from its quote", "the lines of order");
        let cases: [(&'static Statement, &'static Statement, &[&str]); 6] = [
            (&QUOTE_MORE_TAX, &QUOTE_LESS_TAX, &[checkout, order]),
            (&QUOTE_MORE, &QUOTE_LESS, &[checkout, order]),
            (&CHECK_OUT_MORE, &CHECK_OUT_LESS, &[checkout]),
            (&ORDER_MORE, &ORDER_LESS, &[order, "the orders of purchase"]),
            (&ORDER_MORE_TAX, &ORDER_LESS_TAX, &[order, lines]),
            (&LINE_MORE_TAX, &LINE_LESS_TAX, &[lines]),
        ];
        for (harm, mend, said) in cases {
            change(market, harm).await;
            let broken = oracle::consult(&market.engine).await.unwrap();
            for said in said {
                assert!(broken.iter().any(|line| line.contains(said)), "{said}: {broken:?}");
            }
            change(market, mend).await;
            assert_eq!(oracle::consult(&market.engine).await.unwrap(), Vec::<String>::new());
        }
    }

    /// Two shops, one cart, one payment, two orders; each shop sees only its own lines.
    async fn a_guest_buys_from_two_shops_in_cash(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 3).await;
        let guest = market.guest_with(&[(bowl, 2), (lamp, 1)]).await;

        let cart = carts::view(&market.engine, &guest).await.unwrap();
        assert_eq!(cart.item_count, 3);
        assert_eq!(cart.totals.unwrap().total.amount(), 2 * 45_000 + 129_900 + 2 * 4_900);

        let id = checkout::begin(&market.engine, &guest).await.unwrap();
        assert_eq!((market.available(bowl).await, market.available(lamp).await), (8, 2), "held");
        let view = checkout::view(&market.engine, &guest, id).await.unwrap();
        assert_eq!((view.state, view.groups.len()), (CheckoutState::Open, 2));
        assert_eq!(view.payment_methods, [PaymentMethod::Sandbox, PaymentMethod::Cash]);

        let next = checkout::pay(&market.engine, &guest, id, form("cash"), 1, &view.key).await.unwrap();
        let haat_shared::payments::NextAction::Done { purchase: link } = &next else { panic!() };
        let number = number_of(&next);
        let purchase = orders::purchase(&market.engine, &Caller::guest(), &number, &link.key).await.unwrap();
        assert_eq!(purchase.totals, view.quote.totals);
        assert_eq!(purchase.address.parts.label("India"), ["Asha Rao", "12 Lake Road", "Pune 411001", "India"]);
        let numbers: Vec<_> = purchase.orders.iter().map(|o| o.number.clone()).collect();
        assert_eq!(numbers, [format!("{number}-1"), format!("{number}-2")]);
        assert!(purchase.orders.iter().all(|o| o.state == OrderState::Placed));

        for (handle, title, commission) in [("meena-crafts", "Clay bowl", 9_000), ("delta-electronics", "Desk lamp", 10_392)] {
            let owner = market.owner(handle).await;
            let page = orders::seller_list(&market.engine, &owner, handle, ListOrders::default()).await.unwrap();
            assert_eq!(page.items.len(), 1);
            let order = orders::seller_order(&market.engine, &owner, handle, &page.items[0].number).await.unwrap().order;
            assert_eq!(order.order.lines.iter().map(|l| l.title.as_str()).collect::<Vec<_>>(), [title]);
            assert_eq!(order.commission.amount(), commission);
            let other = if handle == "meena-crafts" { "delta-electronics" } else { "meena-crafts" };
            assert_eq!(orders::seller_list(&market.engine, &owner, other, ListOrders::default()).await, Err(Error::NotFound));
        }
        assert!(carts::view(&market.engine, &guest).await.unwrap().is_empty(), "the basket is empty");
        assert!(dispatch::drain(&market.engine).await.unwrap() > 0);
    }

    async fn a_purchase_is_shown_to_its_owner_and_to_holders_of_the_link(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let mut shopper = asha.clone();
        market.add(&mut shopper, bowl, 1).await.unwrap();
        let number = market.buy_in_cash(&shopper).await.unwrap();
        assert!(orders::purchase(&market.engine, &asha, &number, "").await.is_ok());
        for (who, key) in [(Caller::guest(), ""), (Caller::guest(), "AAAAAAAAAAAAAAAAAAAAAA"), (market.owner("meena-crafts").await, "")] {
            assert_eq!(orders::purchase(&market.engine, &who, &number, key).await, Err(Error::NotFound));
        }
        assert_eq!(orders::purchase(&market.engine, &asha, "H00000000", "").await, Err(Error::NotFound));
        let history = orders::history(&market.engine, &asha, "").await.unwrap();
        let seen: Vec<_> = history.items.iter().map(|p| (p.number.as_str(), p.state, p.shipping_method)).collect();
        assert_eq!(seen, [(number.as_str(), Some(OrderState::Placed), Some(ShippingMethod::Standard))]);
        let items: Vec<_> = history.items[0].items.iter().map(|item| item.title.as_str()).collect();
        assert_eq!((items, history.items[0].items_total), (vec!["Clay bowl"], 1));
        assert_eq!(orders::history(&market.engine, &Caller::guest(), "").await, Err(Error::SignInNeeded));
    }

    async fn what_is_typed_is_kept_and_every_fault_is_named(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(&market.engine, &guest).await.unwrap();
        let half = CheckoutUpdate { email: "nowhere".into(), line1: "12 Lake Road".into(), ..CheckoutUpdate::default() };
        let fault = checkout::pay(&market.engine, &guest, id, half.clone(), 1, "k").await.unwrap_err();
        for field in ["email", "name", "city", "country", "payment_method"] {
            assert!(fault.at(field).is_some(), "{field}");
        }
        assert!(fault.at("line1").is_none());
        assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().form, half);
        assert!(checkout::pay(&market.engine, &guest, id, form("cash"), 1, "k").await.is_ok(), "the key was not used up");
    }

    async fn beginning_again_continues_the_checkout_until_the_cart_changes(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let mut guest = market.guest_with(&[(bowl, 2)]).await;
        let first = checkout::begin(&market.engine, &guest).await.unwrap();
        assert_eq!(checkout::begin(&market.engine, &guest).await.unwrap(), first);
        let typed = CheckoutUpdate { city: "Pune".into(), ..CheckoutUpdate::default() };
        checkout::pay(&market.engine, &guest, first, typed.clone(), 1, "k").await.unwrap_err();
        market.add(&mut guest, bowl, 3).await.unwrap();
        let second = checkout::begin(&market.engine, &guest).await.unwrap();
        assert_ne!(second, first);
        assert_eq!(market.available(bowl).await, 0, "five are held, not seven");
        assert_eq!(checkout::view(&market.engine, &guest, second).await.unwrap().form, typed, "the form input is carried over");
        assert_eq!(checkout::view(&market.engine, &guest, first).await.unwrap().state, CheckoutState::Superseded);
        let refused = checkout::pay(&market.engine, &guest, first, form("cash"), 1, "k").await;
        assert_eq!(refused, Err(Conflict::CheckoutEnded.into()));
    }

    async fn a_checkout_holds_everything_or_nothing(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 1).await;
        let guest = market.guest_with(&[(bowl, 2), (lamp, 1)]).await;
        let line = carts::view(&market.engine, &guest).await.unwrap().groups[1].lines[0].id;
        carts::set_quantity(&market.engine, &guest, SetQuantity { line, quantity: "2".into() }).await.unwrap();
        let Err(Error::Conflict(Conflict::OutOfStock(short))) = checkout::begin(&market.engine, &guest).await else { panic!() };
        assert_eq!(short.iter().map(|s| (s.variant, s.left)).collect::<Vec<_>>(), [(lamp, 1)]);
        assert_eq!((market.available(bowl).await, market.available(lamp).await), (5, 1));
        assert_eq!(checkout::begin(&market.engine, &Caller::guest()).await, Err(Conflict::CartEmpty.into()));
    }

    async fn others_checkouts_do_not_exist(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(&market.engine, &guest).await.unwrap();
        for who in [Caller::guest(), market.guest_with(&[(bowl, 1)]).await, market.owner("meena-crafts").await] {
            assert_eq!(checkout::view(&market.engine, &who, id).await, Err(Error::NotFound));
            assert_eq!(checkout::pay(&market.engine, &who, id, form("cash"), 1, "k").await, Err(Error::NotFound));
        }
    }

    async fn an_expired_checkout_releases_its_stock(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 5)]).await;
        let id = checkout::begin(&market.engine, &guest).await.unwrap();
        assert_eq!(checkout::sweep(&market.engine).await.unwrap(), 0);
        market.clock.advance_ms(haat_shared::checkout::HOLD_MS + 1);
        assert_eq!(market.available(bowl).await, 0);
        let refused = checkout::pay(&market.engine, &guest, id, form("cash"), 1, "k").await;
        assert_eq!(refused, Err(Conflict::CheckoutEnded.into()));
        assert_eq!(checkout::sweep(&market.engine).await.unwrap(), 1);
        assert_eq!(market.available(bowl).await, 5);
        let again = checkout::begin(&market.engine, &guest).await.unwrap();
        assert_ne!(again, id);
    }

    async fn the_price_is_the_servers_and_the_one_that_was_shown(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(&market.engine, &guest).await.unwrap();
        // The same SKU at a different price.
        market.product("meena-crafts", "Clay bowl", 99_000, 0).await;
        let cart = carts::view(&market.engine, &guest).await.unwrap();
        let line = &cart.groups[0].lines[0];
        assert_eq!((line.unit_price.amount(), line.price_was.unwrap().amount()), (99_000, 45_000));
        let view = checkout::view(&market.engine, &guest, id).await.unwrap();
        assert_eq!(view.quote.totals.total.amount(), 45_000 + 4_900);
        checkout::pay(&market.engine, &guest, id, form("cash"), 1, "k").await.unwrap();
    }
}
