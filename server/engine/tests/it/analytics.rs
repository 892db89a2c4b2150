//! How a shop and the market are doing: figures that agree with the rows that they count.

use haat_engine::{
    Caller, Engine, activity, analytics, catalog, checkout, db::Scalar, orders, params, shops, statements,
};
use haat_shared::{
    Error, FieldCode,
    analytics::{CustomerFigures, Funnel, SalesFigures, Source, SourceFigures},
    checkout::CheckoutUpdate,
    id::kinds::ProductId,
    orders::{LineQuantity, ListOrders, NewRefund},
    payments::PaymentMethod,
    sales::AskedPeriod,
};

use crate::{
    both, disputes,
    products::form,
    support::{form as form_of, *},
};

statements! {
    OF_VARIANT = "SELECT product_id AS value FROM variants WHERE id = $1";
    LEDGER = "SELECT CAST(-SUM(CASE WHEN p.kind IN ('sale', 'sale_reversed', 'chargeback') THEN e.amount_minor ELSE 0 END) AS BIGINT) AS value
        FROM ledger_entries e JOIN ledger_postings p ON p.id = e.posting_id JOIN shops s ON s.id = e.shop_id WHERE s.handle = $1";
    EARNED = "SELECT CAST(-SUM(amount_minor) AS BIGINT) AS value FROM ledger_entries WHERE account = 'marketplace_commission'";
}

const MEENA: &str = "meena-crafts";
const DELTA: &str = "delta-electronics";
const DAY_MS: i64 = 86_400_000;

async fn product_of(engine: &Engine, variant: haat_shared::id::kinds::VariantId) -> ProductId {
    let row: Scalar<ProductId> = engine.db.one(&OF_VARIANT, params![variant]).await.unwrap();
    row.0
}

/// Buys in cash, under an email address.
async fn buy(market: &Market, caller: &Caller, email: &str) {
    let id = checkout::begin(&market.engine, caller).await.unwrap();
    let form = CheckoutUpdate { email: email.into(), ..form_of("cash") };
    checkout::pay(&market.engine, caller, id, form, 1, "a key").await.unwrap();
}

/// A person with a browser.
fn person() -> Caller {
    Caller { device: "Mozilla/5.0 Firefox/145.0".into(), ..Caller::guest() }
}

async fn of_meena(market: &Market, of: AskedPeriod) -> haat_shared::analytics::ShopAnalytics {
    let owner = market.owner(MEENA).await;
    analytics::of_shop(&market.engine, &owner, MEENA, &of).await.unwrap()
}

fn amounts(of: &SalesFigures) -> [i64; 5] {
    [of.gross, of.cancelled, of.refunded, of.lost, of.net].map(haat_shared::Money::amount)
}

async fn refund(market: &Market, number: &str) {
    let owner = market.owner(MEENA).await;
    let order = orders::seller_order(&market.engine, &owner, MEENA, number).await.unwrap();
    let refund = NewRefund {
        lines: vec![LineQuantity { position: order.order.order.lines[0].position, quantity: 1 }],
        reason: "Chipped".into(),
        ..NewRefund::default()
    };
    orders::refund(&market.engine, &owner, MEENA, number, refund).await.unwrap();
}

both! {
    /// A bowl is 450, and shipping 49. Each amount counts on the day on which it came in or was given back.
    async fn sales_are_booked_on_their_days_and_agree_with_the_ledger(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 30).await;
        let cable = market.product(DELTA, "Cable", 9_900, 9).await;
        let owner = market.owner(MEENA).await;
        let first = market.buy_by_card(&market.guest_with(&[(bowl, 2)]).await).await;
        let by_cash = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        let (_, _, gateway_ref) = disputes::bought(market, &market.guest_with(&[(bowl, 1)]).await).await;
        let by_card = market.buy_by_card(&market.guest_with(&[(bowl, 3)]).await).await;
        market.buy_by_card(&market.guest_with(&[(cable, 1)]).await).await;
        market.settle().await;
        market.clock.advance_ms(DAY_MS);
        orders::confirm(engine, &owner, MEENA, &format!("{first}-1")).await.unwrap();
        refund(market, &format!("{first}-1")).await;
        orders::cancel(engine, &owner, MEENA, &format!("{by_cash}-1"), "No").await.unwrap();
        market.settle().await;
        market.clock.advance_ms(DAY_MS);
        orders::cancel(engine, &owner, MEENA, &format!("{by_card}-1"), "No").await.unwrap();
        let dispute = disputes::disputed(market, &gateway_ref, None, 0).await;
        market.settle().await;
        market.clock.advance_ms(DAY_MS);
        disputes::decide(market, &dispute, "lost").await;
        market.settle().await;

        let found = of_meena(market, AskedPeriod { days: "7".into(), ..AskedPeriod::default() }).await;
        let days: Vec<_> = found.days[3..].iter().map(|day| amounts(&day.sales)).collect();
        let gross = 94_900 + 49_900 + 49_900 + 139_900;
        let expected = [
            [gross, 0, 0, 0, gross],
            [0, 49_900, 45_000, 0, -94_900],
            [0, 139_900, 0, 0, -139_900],
            [0, 0, 0, 49_900, -49_900],
        ];
        assert_eq!(days, expected);
        assert_eq!(amounts(&found.now), [gross, 189_800, 45_000, 49_900, 49_900]);
        assert_eq!((found.now.orders, found.now.units), (4, 7));
        assert_eq!(found.before, SalesFigures::none(engine.currency));
        // Nothing of the cash order went through the market.
        let ledger: Scalar<i64> = engine.db.one(&LEDGER, params![MEENA]).await.unwrap();
        assert_eq!(ledger.0, found.now.net.amount());
        // The dashboard says the same.
        let home = shops::home(engine, &owner, MEENA, &AskedPeriod { days: "7".into(), ..AskedPeriod::default() }).await.unwrap();
        assert_eq!((home.sold, home.net, home.orders), (found.now.gross, found.now.net, found.now.orders));
        // So does the file.
        let week = AskedPeriod { days: "7".into(), ..AskedPeriod::default() };
        let file = analytics::days_of_shop(engine, &owner, MEENA, &week).await.unwrap();
        let lines: Vec<Vec<String>> = String::from_utf8(file).unwrap().lines()
            .map(|line| line.split(',').map(str::to_owned).collect()).collect();
        assert_eq!(lines.len(), 8);
        assert_eq!(lines[0][8..], ["cancelled", "refunded", "lost", "net"]);
        assert_eq!(lines[4][2..5], ["4", "7", "3346.00"]);
        assert_eq!(lines[5][8..], ["499.00", "450.00", "0.00", "-949.00"]);
        // And the orders behind the number.
        let (from, to) = (found.days[0].day.clone(), found.days[3].day.clone());
        let ask = ListOrders { from, to: to.clone(), ..ListOrders::default() };
        let listed = orders::seller_table(engine, &owner, MEENA, ask.clone()).await.unwrap();
        assert_eq!(listed.page.items.iter().map(|order| order.total.amount()).sum::<i64>(), gross);
        let later = ListOrders { from: found.days[4].day.clone(), ..ListOrders::default() };
        assert!(orders::seller_list(engine, &owner, MEENA, later).await.unwrap().items.is_empty());
        let wrong = orders::seller_list(engine, &owner, MEENA, ListOrders { to: "soon".into(), ..ask }).await;
        assert_eq!(wrong.err(), Some(Error::field("to", FieldCode::NotDate)));

        // The market has the other shop too, and its commission is that of the ledger.
        let all = analytics::of_market(engine, &Caller::system(), &week).await.unwrap();
        let earned: Scalar<i64> = engine.db.one(&EARNED, params![]).await.unwrap();
        assert_eq!((all.commission.amount(), all.commission_before.amount()), (earned.0, 0));
        assert_eq!(all.now.orders, 5);
        assert_eq!(all.now.gross.amount() - gross, all.now.net.amount() - found.now.net.amount());
        let shops: Vec<_> = all.shops.iter().map(|shop| (shop.handle.as_str(), shop.orders, shop.cancelled_orders)).collect();
        assert_eq!(shops, [(MEENA, 4, 2), (DELTA, 1, 0)]);
        assert_eq!(all.shops[0].gross.amount(), gross);
        let methods: Vec<_> = all.methods.iter().map(|of| (of.method, of.begun, of.paid, of.failed)).collect();
        assert_eq!(methods, [(PaymentMethod::Cash, 1, 1, 0), (PaymentMethod::Sandbox, 4, 4, 0)]);
        let file = analytics::days_of_market(engine, &Caller::system(), &week).await.unwrap();
        assert_eq!(String::from_utf8(file).unwrap().lines().count(), 8);
    }

    async fn steps_are_counted_on_all_nodes_but_not_those_of_robots(market) {
        let nodes = market.two_nodes().await;
        let engine = &market.engine;
        let mut things = Vec::new();
        for (shop, title) in [(MEENA, "Clay bowl"), (MEENA, "Clay jug"), (DELTA, "Cable")] {
            let variant = market.product(shop, title, 45_000, 100).await;
            things.push((shop, variant, product_of(engine, variant).await));
        }
        let mut seed = 7_u64;
        let mut dice = |n: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % n
        };
        let mut counted = [[0; 3]; 3];
        let sources = [Source::Direct, Source::Market, Source::Google, Source::Other];
        let mut by_source = [0; 4];
        for step in 0..200 {
            let node = &nodes[dice(2) as usize];
            let of = dice(3) as usize;
            let (_, variant, product) = things[of];
            match dice(8) {
                0 => {
                    market.on(node).add(&mut Caller::guest(), variant, 1).await.unwrap();
                    counted[of][1] += 1;
                }
                1 if step < 100 => {
                    let guest = market.on(node).guest_with(&[(variant, 1)]).await;
                    counted[of][1] += 1;
                    let begun = checkout::begin(node, &guest).await.unwrap();
                    assert_eq!(checkout::begin(node, &guest).await.unwrap(), begun, "the same");
                    counted[of][2] += 1;
                }
                2 => activity::viewed(node, &Caller { device: "Googlebot/2.1".into(), ..person() }, product),
                _ => {
                    let source = dice(4) as usize;
                    activity::viewed(node, &Caller { source: sources[source], ..person() }, product);
                    counted[of][0] += 1;
                    if things[of].0 == MEENA {
                        by_source[source] += 1;
                    }
                }
            }
            if dice(10) == 0 {
                activity::flush(node).await.unwrap();
            }
        }
        for node in &nodes {
            activity::flush(node).await.unwrap();
            activity::flush(node).await.unwrap();
        }
        let found = of_meena(market, AskedPeriod::default()).await;
        let sum = |of: &[usize]| {
            let [views, adds, checkouts] = [0, 1, 2].map(|step| of.iter().map(|of| counted[*of][step]).sum());
            Funnel { views, adds, checkouts, orders: 0 }
        };
        assert_eq!((found.funnel, found.funnel_before), (sum(&[0, 1]), Funnel::default()));
        for (of, (shop, _, product)) in things.iter().enumerate().filter(|(_, (shop, ..))| *shop == MEENA) {
            let figures = found.products.iter().find(|figures| figures.product_id == *product);
            assert_eq!(figures.map(|figures| figures.funnel), Some(sum(&[of])), "{shop}");
        }
        let mut expected: Vec<_> = sources.into_iter().zip(by_source).filter(|(_, views)| *views > 0).collect();
        expected.sort_by_key(|(source, views)| (-views, source.as_str()));
        let expected: Vec<_> = expected.into_iter().map(|(source, views)| SourceFigures { source, views }).collect();
        assert_eq!(found.sources, expected);
        assert_eq!(found.hours.iter().sum::<i64>(), found.funnel.views);
        let all = analytics::of_market(engine, &Caller::system(), &AskedPeriod::default()).await.unwrap();
        assert_eq!(all.funnel, sum(&[0, 1, 2]));
        assert_eq!(all.hours.iter().sum::<i64>(), all.funnel.views);
    }

    async fn products_are_compared_and_those_that_nobody_buys_are_named(market) {
        let engine = &market.engine;
        let owner = market.owner(MEENA).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 32).await;
        let jug = market.product(MEENA, "Clay jug", 20_000, 9).await;
        let lamp = market.product(MEENA, "=Brass lamp", 90_000, 5).await;
        market.product(MEENA, "Sold out", 90_000, 0).await;
        catalog::create(engine, &owner, MEENA, &form("Draft"), "k1").await.unwrap();
        let [bowl_id, jug_id, lamp_id] = [bowl, jug, lamp].map(|variant| async move { product_of(engine, variant).await });
        let (bowl_id, jug_id, lamp_id) = (bowl_id.await, jug_id.await, lamp_id.await);
        for (product, times) in [(bowl_id, 3), (lamp_id, 2)] {
            (0..times).for_each(|_| activity::viewed(engine, &person(), product));
        }
        let asha = market.signed_up(&market.guest_with(&[(bowl, 2), (jug, 1)]).await, "asha").await;
        market.buy_in_cash(&asha).await.unwrap();
        let bought = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        orders::confirm(engine, &owner, MEENA, &format!("{bought}-1")).await.unwrap();
        refund(market, &format!("{bought}-1")).await;
        market.settle().await;
        activity::flush(engine).await.unwrap();
        let found = of_meena(market, AskedPeriod::default()).await;
        let products: Vec<_> = found.products.iter().map(|of| {
            (of.title.as_str(), of.sold.amount(), of.units, of.refunded_units, of.funnel.steps(), of.available, of.days_left)
        }).collect();
        assert_eq!(products, [
            ("Clay bowl", 135_000, 3, 1, [3, 2, 2, 2], Some(29), Some(290)),
            ("Clay jug", 20_000, 1, 0, [0, 1, 1, 1], Some(8), Some(240)),
            ("=Brass lamp", 0, 0, 0, [2, 0, 0, 0], Some(5), None),
        ]);
        let slow: Vec<_> = found.slow.iter().map(|of| (of.title.as_str(), of.available, of.views)).collect();
        assert_eq!(slow, [("=Brass lamp", 5, 2)]);
        assert_eq!((found.funnel.orders, found.products[0].product_id, found.products[1].product_id), (3, bowl_id, jug_id));
        let file = analytics::products_of_shop(engine, &owner, MEENA, &AskedPeriod::default()).await.unwrap();
        let file = String::from_utf8(file).unwrap();
        let lines: Vec<&str> = file.lines().collect();
        assert_eq!(lines[1], format!("{bowl_id},Clay bowl,3,2,2,2,3,INR,1350.00,1,29,290"));
        assert_eq!(lines[3], format!("{lamp_id},'=Brass lamp,2,0,0,0,0,INR,0.00,0,5,"), "no formula");
    }

    async fn customers_who_come_again_are_counted(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 30).await;
        let mut asha = market.signed_up(&market.guest_with(&[(bowl, 1)]).await, "asha").await;
        buy(market, &asha, "asha@example.com").await;
        market.clock.advance_ms(40 * DAY_MS);
        let of = |found: CustomerFigures| (found.customers, found.returning);
        assert_eq!(of(of_meena(market, AskedPeriod::default()).await.customers_before), (1, 0));
        market.add(&mut asha, bowl, 1).await.unwrap();
        buy(market, &asha, "asha@example.com").await;
        assert_eq!(of(of_meena(market, AskedPeriod::default()).await.customers), (1, 1));
        let mut ravi = market.signed_up(&market.guest_with(&[(bowl, 1)]).await, "ravi").await;
        buy(market, &ravi, "ravi@example.com").await;
        let all = analytics::of_market(engine, &Caller::system(), &AskedPeriod::default()).await.unwrap();
        assert_eq!((of(all.customers), of(all.customers_before)), ((2, 1), (1, 0)));
        market.add(&mut ravi, bowl, 1).await.unwrap();
        buy(market, &ravi, "ravi@example.com").await;
        assert_eq!(of(of_meena(market, AskedPeriod::default()).await.customers), (2, 2), "twice in the period");
    }

    async fn only_those_who_see_orders_see_figures(market) {
        let engine = &market.engine;
        let delta = market.owner(DELTA).await;
        let asked = AskedPeriod::default();
        for (who, refused) in [(delta.clone(), Error::NotFound), (Caller::guest(), Error::SignInNeeded)] {
            assert_eq!(analytics::of_shop(engine, &who, MEENA, &asked).await.err(), Some(refused.clone()));
            assert_eq!(analytics::days_of_shop(engine, &who, MEENA, &asked).await.err(), Some(refused.clone()));
            assert_eq!(analytics::products_of_shop(engine, &who, MEENA, &asked).await.err(), Some(refused.clone()));
            assert_eq!(analytics::of_market(engine, &who, &asked).await.err(), Some(refused.clone()));
            assert_eq!(analytics::days_of_market(engine, &who, &asked).await.err(), Some(refused));
        }
        let wrong = AskedPeriod { days: "8".into(), ..asked };
        let fault = Error::field("days", FieldCode::NotAChoice);
        assert_eq!(analytics::of_shop(engine, &delta, DELTA, &wrong).await.err(), Some(fault));
    }
}
