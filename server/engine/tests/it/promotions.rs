//! Discounts, from the cart to the ledger: one that the shops bear and one that the market bears.

use haat_engine::{carts, checkout, db::Statement, ledger, oracle, orders, sandbox, statements};
use haat_shared::{
    Money,
    ledger::PostingKind,
    orders::{LineQuantity, NewRefund, SellerOrder},
    pricing::{Benefit, Promotion, Scope, Totals},
    shipping::ShippingMethod,
};

use crate::{both, notifications::change, orders::shipment, support::*};

const MEENA: &str = "meena-crafts";

statements! {
    LESS_DISCOUNT = "UPDATE order_adjustments SET amount_minor = amount_minor - 1 WHERE position IS NOT NULL";
    MORE_DISCOUNT = "UPDATE order_adjustments SET amount_minor = amount_minor + 1 WHERE position IS NOT NULL";
    BY_SHOP = "UPDATE orders SET market_discount_minor = market_discount_minor - 1 WHERE market_discount_minor > 0";
    BY_MARKET = "UPDATE orders SET market_discount_minor = market_discount_minor + 1 WHERE market_discount_minor > 0";
}

fn rupees(amount: i64) -> Money {
    Money::new(amount * 100, haat_shared::Currency::INR)
}

/// Ten per cent that the shops bear, then 100 rupees of purchases from 500 rupees that the market bears.
fn festival(market: &Market) -> Market {
    let promotion = |code: &str, market_bp, benefit, minimum| Promotion {
        id: None,
        code: code.into(),
        label: code.to_lowercase().into(),
        market_bp,
        combines: true,
        scope: Scope::Market,
        benefit,
        minimum,
        cap: None,
    };
    let dollars = Money::new(100, "USD".parse().unwrap());
    market.promoting(vec![
        promotion("TEN", 0, Benefit::Percent(1_000), None),
        promotion("HUNDRED", 10_000, Benefit::Amount(rupees(100)), Some(rupees(500))),
        promotion("DOLLAR", 10_000, Benefit::Amount(dollars), None),
    ])
}

fn figures(totals: Totals) -> [i64; 4] {
    [totals.subtotal, totals.discount, totals.shipping, totals.total].map(Money::amount)
}

async fn sold(market: &Market, handle: &str, number: &str) -> SellerOrder {
    let owner = market.owner(handle).await;
    orders::seller_order(&market.engine, &owner, handle, number).await.unwrap()
}

/// Pending and available.
async fn balance(market: &Market, handle: &str) -> (i64, i64) {
    let owner = market.owner(handle).await;
    let balance = ledger::balance(&market.engine, &owner, handle, "").await.unwrap();
    (balance.pending.amount(), balance.available.amount())
}

both! {
    async fn a_discount_is_the_same_from_the_cart_to_the_order(market) {
        let market = &festival(market);
        let engine = &market.engine;
        let tea = market.generous_shop().await;
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        let guest = market.guest_with(&[(bowl, 3), (tea, 2)]).await;
        let cart = carts::view(engine, &guest).await.unwrap().totals.unwrap();
        // 10 % of 1,000.05 and 1,180 is 218.005, half up; the tea ships for free.
        assert_eq!(figures(cart), [218_005, 21_801 + 10_000, 4_900, 218_005 - 31_801 + 4_900]);
        let id = checkout::begin(engine, &guest).await.unwrap();
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!((view.quote.totals, view.quote.version), (cart, 1));
        let mut typed = form("sandbox");
        typed.shipping_methods.insert(view.groups[1].shop_id, ShippingMethod::Express);
        let express = checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
        assert_eq!(figures(express.totals), [218_005, 31_801, 14_800, 218_005 - 31_801 + 14_800]);
        typed.shipping_methods.clear();
        let back = checkout::update(engine, &guest, id, typed).await.unwrap();
        assert_eq!((figures(back.totals), back.version), (figures(cart), 3));

        let guest = market.guest_with(&[(bowl, 3), (tea, 2)]).await;
        let number = market.buy_by_card(&guest).await;
        let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
        assert_eq!(purchase.totals, cart);
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, cart.total.amount());
        let discounts: Vec<i64> = purchase.orders.iter().map(|order| order.totals.discount.amount()).collect();
        // The market's 100 rupees are shared by what the items cost after the shops' own discount.
        assert_eq!(discounts, [10_001 + 4_587, 11_800 + 5_413]);
        // The shop earns what the items cost after its own discount, and delivery, less commission on both.
        let order = sold(market, MEENA, &format!("{number}-1")).await;
        assert_eq!(order.order.commission.amount(), 9_000);
        assert_eq!(order.earned.amount(), 100_005 - 10_001 + 4_900 - 9_000);
        assert_eq!(balance(market, MEENA).await, (order.earned.amount(), 0));
        let owner = market.owner(MEENA).await;
        let entries = ledger::balance(engine, &owner, MEENA, "").await.unwrap().entries.items;
        let of = |kind| entries.iter().find(|entry| entry.kind == kind).map(|entry| entry.amount.amount());
        assert_eq!(of(PostingKind::Promotion), Some(4_587));
    }

    /// A promotion of some variants names them alike in a cart and in its checkout.
    async fn a_discount_on_one_line_is_the_same_in_the_checkout(market) {
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        let jug = market.product(MEENA, "Clay jug", 65_000, 9).await;
        let market = &market.promoting(vec![Promotion {
            id: None,
            code: "BOWLS".into(),
            label: "bowls".into(),
            market_bp: 0,
            combines: true,
            scope: Scope::Lines(vec![bowl.uuid()]),
            benefit: Benefit::Percent(5_000),
            minimum: None,
            cap: None,
        }]);
        let guest = market.guest_with(&[(jug, 1), (bowl, 2)]).await;
        let cart = carts::view(&market.engine, &guest).await.unwrap().totals.unwrap();
        assert_eq!(figures(cart), [131_670, 33_335, 4_900, 103_235]);
        let id = checkout::begin(&market.engine, &guest).await.unwrap();
        assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().quote.totals, cart);
    }

    /// What was offered stands while the shopper fills in the form. Another shipping method is another quote,
    /// with the promotions of today, and is not paid at the version before.
    async fn a_promotion_that_ended_counts_until_the_checkout_is_quoted_again(market) {
        let promoting = &festival(market);
        let tea = market.generous_shop().await;
        let guest = market.guest_with(&[(tea, 1)]).await;
        let id = checkout::begin(&promoting.engine, &guest).await.unwrap();
        let view = checkout::view(&promoting.engine, &guest, id).await.unwrap();
        assert_eq!(figures(view.quote.totals), [59_000, 15_900, 4_900, 48_000]);
        let mut typed = form("sandbox");
        for engine in [&promoting.engine, &market.engine] {
            // First its address is known, and then it stays the same.
            let same = checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
            assert_eq!((same.totals, same.version), (view.quote.totals, 1));
        }
        let one_left = market.promoting(promoting.engine.promotions[..1].to_vec());
        typed.shipping_methods.insert(view.groups[0].shop_id, ShippingMethod::Express);
        let express = checkout::update(&one_left.engine, &guest, id, typed.clone()).await.unwrap();
        assert_eq!(figures(express.totals), [59_000, 5_900, 9_900, 63_000], "one of the two stays");
        typed.shipping_methods.clear();
        let plain = checkout::update(&market.engine, &guest, id, typed.clone()).await.unwrap();
        assert_eq!((figures(plain.totals), plain.version), ([59_000, 0, 4_900, 63_900], 3));
        checkout::pay(&market.engine, &guest, id, typed.clone(), 2, "early").await.unwrap_err();
        checkout::pay(&market.engine, &guest, id, typed, 3, "k").await.unwrap();
    }

    async fn what_was_paid_is_refunded_and_no_more(market) {
        let market = &festival(market);
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 3)]).await).await;
        let (number, owner) = (format!("{number}-1"), market.owner(MEENA).await);
        let paid = 100_005 - 10_001 - 10_000;
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, paid + 4_900);
        orders::confirm(engine, &owner, MEENA, &number).await.unwrap();
        orders::ship(engine, &owner, MEENA, &number, shipment()).await.unwrap();
        orders::deliver(engine, &owner, MEENA, &number).await.unwrap();
        let part = |quantity, shipping| NewRefund {
            lines: vec![LineQuantity { position: 0, quantity }],
            shipping,
            reason: "Chipped".into(),
            ..NewRefund::default()
        };
        orders::refund(engine, &owner, MEENA, &number, part(1, true)).await.unwrap();
        let order = sold(market, MEENA, &number).await;
        assert_eq!(order.order.order.refunds[0].amount.amount(), paid / 3 + 4_900);
        assert_eq!(balance(market, MEENA).await, (order.earned.amount(), 0));
        orders::release_due(engine).await.unwrap();
        orders::refund(engine, &owner, MEENA, &number, part(2, false)).await.unwrap();
        assert_eq!(balance(market, MEENA).await, (0, 0));
        assert_eq!(sold(market, MEENA, &number).await.earned.amount(), 0);
        market.settle().await;
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 0);
    }

    async fn a_cancelled_order_gives_back_the_markets_discount(market) {
        let market = &festival(market);
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        let owner = market.owner(MEENA).await;
        let by_card = market.buy_by_card(&market.guest_with(&[(bowl, 3)]).await).await;
        let in_cash = market.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        // In cash: the discount of the market less the commission.
        assert_eq!(sold(market, MEENA, &format!("{in_cash}-1")).await.earned.amount(), 10_000 - 6_000);
        for number in [by_card, in_cash] {
            let number = format!("{number}-1");
            assert!(balance(market, MEENA).await.0 > 0);
            orders::cancel(engine, &owner, MEENA, &number, "The kiln broke").await.unwrap();
            assert_eq!(sold(market, MEENA, &number).await.earned.amount(), 0);
        }
        assert_eq!(balance(market, MEENA).await, (0, 0));
        market.settle().await;
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 0);
    }

    async fn the_shop_refunds_cash_after_the_discount(market) {
        let market = &festival(market);
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        let owner = market.owner(MEENA).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        let number = format!("{number}-1");
        orders::confirm(engine, &owner, MEENA, &number).await.unwrap();
        orders::ship(engine, &owner, MEENA, &number, shipment()).await.unwrap();
        orders::deliver(engine, &owner, MEENA, &number).await.unwrap();
        orders::release_due(engine).await.unwrap();
        assert_eq!(balance(market, MEENA).await, (0, 10_000 - 6_000));
        let refund = NewRefund {
            lines: vec![LineQuantity { position: 0, quantity: 1 }],
            reason: "Chipped".into(),
            ..NewRefund::default()
        };
        orders::refund(engine, &owner, MEENA, &number, refund).await.unwrap();
        let order = sold(market, MEENA, &number).await;
        assert_eq!(order.order.order.refunds[0].amount.amount(), (66_670 - 6_667 - 10_000) / 2);
        assert_eq!(balance(market, MEENA).await, (0, order.earned.amount()));
    }

    async fn the_oracle_sees_discounts_that_were_changed(market) {
        let festival = &festival(market);
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        festival.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        let cases: [(&'static Statement, &'static Statement, &[&str]); 2] = [
            (&LESS_DISCOUNT, &MORE_DISCOUNT, &["the adjustments of order", "the adjustments of a line"]),
            (&BY_SHOP, &BY_MARKET, &["the adjustments of order", "differs from its quote", "the entries of order"]),
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
}
