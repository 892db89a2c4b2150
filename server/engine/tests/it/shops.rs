//! Sellers open shops and edit their settings.

use haat_engine::{Caller, Who, catalog, ledger, orders, search, shipping, shops};
use haat_shared::{
    Conflict, Error, FieldCode, ledger::PostingKind, permissions::Role, sales::AskedPeriod, shipping::Area,
    shops::ShopForm,
};

use crate::{both, orders::shipment, products::form as product_form, races::at_once};

const MEENA: &str = "meena-crafts";
const DAY_MS: i64 = 86_400_000;

fn form(handle: &str) -> ShopForm {
    ShopForm {
        handle: handle.into(),
        name: "Asha's Loom".into(),
        town: "Pune".into(),
        address: "12 Lake Road\nPune".into(),
        shipping_price: "49".into(),
        free_shipping_from: "999".into(),
        ..ShopForm::default()
    }
}

both! {
    async fn a_seller_opens_shops_of_their_own(market) {
        let engine = &market.engine;
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        assert_eq!(shops::open_as_seller(engine, &Caller::guest(), &form("loom")).await, Err(Error::SignInNeeded));
        let bad = shops::open_as_seller(engine, &asha, &ShopForm::default()).await.unwrap_err();
        assert_eq!((bad.at("handle"), bad.at("shipping_price")), (Some(FieldCode::Missing), Some(FieldCode::Missing)));
        for (handle, code) in [("admin", FieldCode::Reserved), ("Meena-Crafts", FieldCode::NotUnique)] {
            assert_eq!(shops::open_as_seller(engine, &asha, &form(handle)).await.unwrap_err().at("handle"), Some(code));
        }
        let opened = shops::open_as_seller(engine, &asha, &form(" \u{200b}Lo\u{e0041}om\u{2800} ")).await;
        assert_eq!(opened.as_deref(), Ok("loom"), "the normalised handle");
        shops::open_as_seller(engine, &asha, &form("second-loom")).await.unwrap();
        let asha = market.owner("asha").await;
        let view = shops::shop(engine, &Caller::guest(), "loom").await.unwrap();
        assert_eq!((view.town.as_str(), view.free_shipping_from.unwrap().amount()), ("Pune", 99_900));
        let settings = shops::settings(engine, &asha, "loom").await.unwrap();
        assert_eq!((settings.commission_bp, settings.form.shipping_price.as_str()), (1_000, ""), "it has zones");
        let shipping = shipping::settings(engine, &asha, "loom").await.unwrap();
        let [zone] = &shipping.rules.zones[..] else { panic!("{shipping:?}") };
        assert_eq!((zone.areas.as_slice(), zone.methods[0].steps[0].price.amount()), (&[Area::Everywhere][..], 4_900));
        assert_eq!(settings.members.iter().map(|m| m.role).collect::<Vec<_>>(), [Role::Owner]);
        // Each of their shops has its own products, and they can buy there like anyone else.
        let id = catalog::create(engine, &asha, "loom", &product_form("Shawl"), "k").await.unwrap();
        catalog::publish(engine, &asha, "loom", id).await.unwrap();
        assert_eq!(catalog::publish(engine, &asha, "second-loom", id).await, Err(Error::NotFound));
        let shawl = catalog::seller_product(engine, &asha, "loom", id).await.unwrap().form.variants[0].id.unwrap();
        let number = market.buy_by_card(&market.guest_with(&[(shawl, 1)]).await).await;
        orders::confirm(engine, &asha, "loom", &format!("{number}-1")).await.unwrap();
    }

    async fn eight_open_one_handle_at_once(market) {
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let opened = (0..8).map(|_| {
            let (engine, asha) = (market.engine.clone(), asha.clone());
            async move { shops::open_as_seller(&engine, &asha, &form("loom")).await }
        });
        let outcomes = at_once(opened.collect()).await;
        assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
        let refused = Error::field("handle", FieldCode::NotUnique);
        assert!(outcomes.iter().flat_map(|o| o.as_ref().err()).all(|e| *e == refused), "{outcomes:?}");
    }

    async fn settings_saved_by_one_are_shown_to_the_other(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let opened = shops::settings(engine, &owner, MEENA).await.unwrap();
        let full = ShopForm { name: "Meena".into(), tax_id: "GST-1".into(), town: "Jaipur".into(), ..opened.form.clone() };
        assert_eq!(shops::save_settings(engine, &owner, MEENA, opened.version, &full).await, Ok(2));
        assert_eq!(shops::save_settings(engine, &owner, MEENA, opened.version, &full).await, Ok(2), "a double click");
        let late = ShopForm { town: "Ajmer".into(), ..opened.form };
        let refused = shops::save_settings(engine, &owner, MEENA, opened.version, &late).await;
        let fields = ["name", "town", "tax_id"].map(String::from).to_vec();
        assert_eq!(refused, Err(Conflict::Edited(fields).into()));
        let bad = ShopForm { returns_days: "-1".into(), ..full.clone() };
        let bad = shops::save_settings(engine, &owner, MEENA, 2, &bad).await.unwrap_err();
        assert_eq!(bad.at("returns_days"), Some(FieldCode::TooSmall));
        let renamed = ShopForm { handle: "other".into(), returns_days: "9".into(), ..full };
        assert_eq!(shops::save_settings(engine, &owner, MEENA, 2, &renamed).await, Ok(3));
        let now = shops::settings(engine, &owner, MEENA).await.unwrap().form;
        assert_eq!((now.handle.as_str(), now.tax_id.as_str(), now.returns_days.as_str()), (MEENA, "GST-1", "9"));
        let delta = market.owner("delta-electronics").await;
        assert_eq!(shops::settings(engine, &delta, MEENA).await.err(), Some(Error::NotFound));
        assert_eq!(shops::save_settings(engine, &delta, MEENA, 3, &now).await, Err(Error::NotFound));
        assert_eq!(shops::home(engine, &delta, MEENA, &AskedPeriod::default()).await.err(), Some(Error::NotFound));
        assert_eq!(ledger::balance(engine, &delta, MEENA, "").await.err(), Some(Error::NotFound));
    }

    async fn the_dashboard_shows_tasks_and_sales(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 8).await;
        market.product(MEENA, "Clay jug", 45_000, 50).await;
        let sell = || async { market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap() };
        sell().await;
        market.clock.advance_ms(40 * DAY_MS);
        let (yesterday, cancelled) = (sell().await, sell().await);
        market.clock.advance_ms(DAY_MS);
        sell().await;
        sell().await;
        let owner = market.owner(MEENA).await;
        orders::confirm(engine, &owner, MEENA, &format!("{yesterday}-1")).await.unwrap();
        orders::cancel(engine, &owner, MEENA, &format!("{cancelled}-1"), "No").await.unwrap();
        let home = shops::home(engine, &owner, MEENA, &AskedPeriod::default()).await.unwrap();
        assert_eq!((home.to_confirm, home.to_ship), (3, 1));
        assert_eq!((home.sold.amount(), home.orders), (4 * 49_900, 4), "what was cancelled was sold before");
        assert_eq!(home.net.amount(), 3 * 49_900);
        let net: Vec<_> = home.days[28..].iter().map(|day| day.net.amount()).collect();
        assert_eq!(net, [2 * 49_900, 49_900], "and is taken off on the day on which it was cancelled");
        assert_eq!((home.sold_before.amount(), home.orders_before), (49_900, 1));
        assert_eq!(home.days.len(), 30);
        assert_eq!(home.days[28..].iter().map(|d| d.orders).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(home.days[..28].iter().map(|d| d.sold.amount()).sum::<i64>(), 0);
        assert_eq!(home.days[29].day, engine.zone.local(market.clock.now_ms())[..10]);
        assert_eq!((home.low_count, home.low.len()), (0, 0), "four are left, the alert is at three");
        sell().await;
        let home = shops::home(engine, &owner, MEENA, &AskedPeriod::default()).await.unwrap();
        assert_eq!((home.low_count, home.low[0].title.as_str(), home.low[0].available), (1, "Clay bowl", 3));
    }

    async fn members_search_their_shop(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 8).await;
        market.product("delta-electronics", "Clay lamp", 45_000, 8).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        let (owner, delta) = (market.owner(MEENA).await, market.owner("delta-electronics").await);
        let found = async |caller: &Caller, q: &str| {
            let found = search::of_shop(engine, caller, MEENA, q).await.unwrap();
            let orders: Vec<_> = found.orders.into_iter().map(|order| order.number).collect();
            (orders, found.products.into_iter().map(|product| product.title).collect::<Vec<_>>())
        };
        let (order, nothing) = (format!("{number}-1"), (Vec::new(), Vec::new()));
        assert_eq!(found(&owner, "clay").await, (vec![], vec!["Clay bowl".to_owned()]));
        assert_eq!(found(&owner, &order.to_lowercase()).await, (vec![order.clone()], vec![]));
        assert_eq!(found(&owner, " asha ").await.0, std::slice::from_ref(&order), "by the customer's name");
        assert_eq!(found(&owner, "lamp").await, nothing, "what another shop sells");
        let before = engine.db.counts().0;
        for q in ["", " ", "c", " c "] {
            assert_eq!(found(&owner, q).await, nothing, "{q:?}");
        }
        assert_eq!(engine.db.counts().0, before, "too few characters are not searched for");
        assert_eq!(shops::to_do(engine, &owner, MEENA).await.map(|to_do| (to_do.to_confirm, to_do.to_ship)), Ok((1, 0)));
        let mut packer = owner.clone();
        if let Who::User(user) = &mut packer.who {
            user.shops[0].role = Role::Fulfilment;
        }
        assert_eq!(found(&packer, "clay").await, nothing, "products are for those who manage them");
        assert_eq!(found(&packer, &order).await.0, [order]);
        for (stranger, refused) in [(delta, Error::NotFound), (Caller::guest(), Error::SignInNeeded)] {
            assert_eq!(search::of_shop(engine, &stranger, MEENA, "clay").await.err(), Some(refused.clone()));
            assert_eq!(shops::to_do(engine, &stranger, MEENA).await.err(), Some(refused));
        }
    }

    async fn days_are_those_of_the_markets_time_zone(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 8).await;
        let sell = || async { market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap() };
        // In India, midnight is at 18:30 UTC.
        let evening = 18 * 3_600_000 + 29 * 60_000;
        market.clock.advance_ms((evening - market.clock.now_ms()).rem_euclid(DAY_MS));
        sell().await;
        market.clock.advance_ms(31 * 60_000);
        let late = sell().await;
        let owner = market.owner(MEENA).await;
        let home = shops::home(engine, &owner, MEENA, &AskedPeriod::default()).await.unwrap();
        let utc = haat_engine::clock::rfc3339(market.clock.now_ms());
        let local = engine.zone.local(market.clock.now_ms());
        assert!(utc[11..].starts_with("19:0") && local[11..].starts_with("00:3") && utc[..10] < local[..10], "{utc} {local}");
        let days: Vec<_> = home.days[28..].iter().map(|d| (d.day.as_str(), d.sold.amount(), d.orders)).collect();
        assert_eq!(days, [(&utc[..10], 49_900, 1), (&local[..10], 49_900, 1)]);
        // People see the time in the shop's zone, with its name; API clients get UTC.
        let number = format!("{late}-1");
        let read = Caller { reads: true, ..owner.clone() };
        let order = orders::seller_order(engine, &read, MEENA, &number).await.unwrap();
        let placed = &order.order.placed_at;
        assert!(placed.starts_with(&local[..10]) && placed.ends_with("+05:30[IST]"), "{placed}");
        assert!(order.order.order.estimated_delivery.0.ends_with("+05:30[IST]"), "{:?}", order.order.order.estimated_delivery);
        let order = orders::seller_order(engine, &owner, MEENA, &number).await.unwrap();
        assert!(order.order.placed_at.starts_with(&utc[..10]) && order.order.placed_at.ends_with('Z'));
    }

    async fn a_home_compares_two_periods_to_the_minute(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 50).await;
        let jug = market.product(MEENA, "Clay jug", 20_000, 50).await;
        let sell = |lines: Vec<_>| async move { market.buy_in_cash(&market.guest_with(&lines).await).await.unwrap() };
        // In India, midnight is at 18:30 UTC: the last minute of a day, then the first of the next.
        let evening = 18 * 3_600_000 + 29 * 60_000;
        market.clock.advance_ms((evening - market.clock.now_ms()).rem_euclid(DAY_MS));
        sell(vec![(bowl, 2)]).await;
        let owner = market.owner(MEENA).await;
        let day = |ms| engine.zone.local(ms)[..10].to_owned();
        let first = day(market.clock.now_ms());
        market.clock.advance_ms(2 * 60_000);
        sell(vec![(bowl, 1), (jug, 3)]).await;
        let second = day(market.clock.now_ms());
        let home = |from: &str, to: &str| {
            let of = AskedPeriod { from: from.into(), to: to.into(), ..AskedPeriod::default() };
            let owner = owner.clone();
            async move { shops::home(engine, &owner, MEENA, &of).await }
        };
        let now = home(&second, &second).await.unwrap();
        assert_eq!((now.days.len(), now.days[0].day.as_str(), now.days_before[0].day.as_str()), (1, &*second, &*first));
        assert_eq!((now.orders, now.units, now.orders_before, now.units_before), (1, 4, 1, 2));
        assert!(now.sold.amount() >= 105_000 && now.sold_before.amount() >= 90_000, "{now:?}");
        let best: Vec<_> = now.best.iter().map(|p| (p.title.as_str(), p.units, p.sold.amount())).collect();
        assert_eq!(best, [("Clay jug", 3, 60_000), ("Clay bowl", 1, 45_000)]);
        assert_eq!((now.latest.len(), now.latest[0].item_count, now.has_products), (2, 4, true));
        // Both days in one period.
        let both = home(&first, &second).await.unwrap();
        assert_eq!((both.orders, both.units, both.orders_before), (2, 6, 0));
        assert_eq!(both.best.iter().map(|p| p.units).collect::<Vec<_>>(), [3, 3]);
        let tomorrow = day(market.clock.now_ms() + DAY_MS);
        assert_eq!(home(&first, &tomorrow).await.unwrap_err().at("to"), Some(FieldCode::TooBig));
        assert_eq!(home("2020-01-01", &first).await.unwrap_err().at("to"), Some(FieldCode::TooMany));
        assert_eq!(home(&second, &first).await.unwrap_err().at("to"), Some(FieldCode::TooSmall));
    }

    async fn earnings_are_pending_until_delivery(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 20).await;
        let by_card = market.buy_by_card(&market.guest_with(&[(bowl, 2)]).await).await;
        let in_cash = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        let gone = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        orders::cancel(engine, &owner, MEENA, &format!("{gone}-1"), "No").await.unwrap();
        let balance = || async {
            let balance = ledger::balance(engine, &owner, MEENA, "").await.unwrap();
            (balance.pending.amount(), balance.available.amount())
        };
        // ₹949 less ₹90 by card, and the market takes ₹45 of the cash.
        assert_eq!(balance().await, (94_900 - 9_000 - 4_500, 0));
        for number in [&by_card, &in_cash] {
            let order = format!("{number}-1");
            orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
            orders::ship(engine, &owner, MEENA, &order, shipment()).await.unwrap();
        }
        assert_eq!(balance().await, (81_400, 0));
        for (number, after) in [(&by_card, (-4_500, 85_900)), (&in_cash, (0, 81_400))] {
            let before = balance().await;
            orders::deliver(engine, &owner, MEENA, &format!("{number}-1")).await.unwrap();
            assert_eq!(balance().await, before, "until the schedule releases it");
            assert_eq!(orders::release_due(engine).await, Ok(1));
            assert_eq!(balance().await, after);
        }
        let entries = ledger::balance(engine, &owner, MEENA, "").await.unwrap().entries;
        let lines: Vec<_> = entries.items.iter().map(|e| (e.kind, e.amount.amount())).collect();
        assert_eq!(lines, [
            (PostingKind::CommissionReversed, 4_500),
            (PostingKind::SaleReversed, -49_900),
            (PostingKind::Commission, -4_500),
            (PostingKind::Sale, 49_900),
            (PostingKind::CashCommission, -4_500),
            (PostingKind::Commission, -9_000),
            (PostingKind::Sale, 94_900),
        ]);
        assert_eq!(entries.items[6].order_number, Some(format!("{by_card}-1")));
        let bad = ledger::balance(engine, &owner, MEENA, "nonsense").await.unwrap_err();
        assert_eq!(bad.at("after"), Some(FieldCode::BadCursor));
    }
}
