//! Coupons and automatic offers: entered, held, paid, given back, and managed.

use std::time::Duration;

use haat_engine::{Bounds, Caller, cart_codes, carts, catalog, checkout, orders, promotions, sandbox};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money,
    catalog::ListProducts,
    checkout::{CheckoutUpdate, HOLD_MS},
    id::kinds::PromotionId,
    orders::{LineQuantity, NewRefund},
    payments::NextAction,
    promotions::{CouponsImported, PromotionForm, PromotionState, Refusal},
    shipping::ShippingMethod,
};

use crate::{both, orders::shipment, races::at_once, support::*};

const MEENA: &str = "meena-crafts";
const DELTA: &str = "delta-electronics";

fn percent(code: &str, percent: &str) -> PromotionForm {
    PromotionForm {
        label: format!("{percent} % off"),
        code: code.into(),
        kind: "percent".into(),
        percent: percent.into(),
        combines: "1".into(),
        ..PromotionForm::default()
    }
}

fn amount(code: &str, amount: &str) -> PromotionForm {
    PromotionForm { kind: "amount".into(), amount: amount.into(), ..percent(code, "1") }
}

async fn coupon(market: &Market, form: &PromotionForm) -> PromotionId {
    let owner = market.owner(MEENA).await;
    promotions::create(&market.engine, &owner, MEENA, form).await.unwrap()
}

async fn of_market(market: &Market, form: &PromotionForm) -> PromotionId {
    promotions::create_of_market(&market.engine, &Caller::system(), form).await.unwrap()
}

fn refused(error: Error) -> Refusal {
    match error {
        Error::Conflict(Conflict::Code(refusal) | Conflict::CodeLimit(refusal, _)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn enter(market: &Market, guest: &Caller, code: &str) -> Result<i64, Error> {
    let cart = cart_codes::add_code(&market.engine, guest, code).await?;
    Ok(cart.totals.unwrap().total.amount())
}

/// Checks out with this email address, in cash or by card.
async fn pay(market: &Market, guest: &Caller, email: &str, method: &str) -> Result<NextAction, Error> {
    let id = checkout::begin(&market.engine, guest).await?;
    let form = CheckoutUpdate { email: email.into(), ..form(method) };
    checkout::pay(&market.engine, guest, id, form, 1, "k").await
}

async fn uses(market: &Market, id: PromotionId) -> i64 {
    let owner = market.owner(MEENA).await;
    promotions::find(&market.engine, &owner, MEENA, id).await.unwrap().uses
}

both! {
    async fn a_coupon_is_entered_held_paid_and_seen_on_the_order(market) {
        let engine = &market.engine;
        let id = coupon(market, &PromotionForm { uses: "1".into(), ..percent("Diwali20", "20") }).await;
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        let guest = market.guest_with(&[(bowl, 3)]).await;
        let other = market.guest_with(&[(bowl, 1)]).await;
        assert_eq!(enter(market, &guest, " diwali20 ").await.unwrap(), 100_005 - 20_001 + 4_900);
        let cart = carts::view(engine, &guest).await.unwrap();
        let [discount] = &cart.discounts[..] else { panic!("{:?}", cart.discounts) };
        assert_eq!((discount.name().as_str(), discount.amount.amount()), ("20 % off (Diwali20)", 20_001));
        // Whoever begins to pay first holds it.
        enter(market, &other, "DIWALI20").await.unwrap();
        let checkout = checkout::begin(engine, &guest).await.unwrap();
        let view = checkout::view(engine, &guest, checkout).await.unwrap();
        assert_eq!((view.quote.totals, view.discounts), (cart.totals.unwrap(), cart.discounts.clone()));
        assert_eq!(refused(checkout::begin(engine, &other).await.unwrap_err()), Refusal::UsedUp);
        let there = carts::view(engine, &other).await.unwrap();
        assert_eq!((there.groups.len(), there.discounts[0].refusal), (1, Some(Refusal::UsedUp)));
        // Time runs out, and it is free again.
        market.clock.advance_ms(HOLD_MS + 1);
        checkout::sweep(engine).await.unwrap();
        assert_eq!(carts::view(engine, &other).await.unwrap().discounts[0].refusal, None);
        let number = market.buy_by_card(&guest).await;
        assert_eq!(refused(checkout::begin(engine, &other).await.unwrap_err()), Refusal::UsedUp);
        let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
        assert_eq!(purchase.discounts(), cart.discounts);
        assert_eq!(purchase.totals, cart.totals.unwrap());
        assert_eq!(uses(market, id).await, 1);
        // It was used with the basket.
        assert_eq!(carts::view(engine, &guest).await.unwrap().discounts, []);
        market.settle().await;
        // A cancelled order gives the use back.
        let owner = market.owner(MEENA).await;
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "The kiln broke").await.unwrap();
        assert_eq!(uses(market, id).await, 0);
        checkout::begin(engine, &other).await.unwrap();
        market.settle().await;
    }

    async fn an_offer_that_a_code_displaces_is_said(market) {
        let engine = &market.engine;
        let offer = of_market(market, &PromotionForm { label: "Festival".into(), ..percent("", "10") }).await;
        let code = coupon(market, &PromotionForm { combines: String::new(), ..percent("ALONE", "20") }).await;
        let bowl = market.product(MEENA, "Clay bowl", 30_000, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let said = |discounts: &[haat_shared::promotions::Discount]| -> Vec<_> {
            discounts.iter().map(|of| (of.promotion_id.unwrap(), of.amount.amount(), of.refusal)).collect()
        };
        assert_eq!(said(&carts::view(engine, &guest).await.unwrap().discounts), [(offer, 3_000, None)]);
        enter(market, &guest, "ALONE").await.unwrap();
        let expected = [(code, 6_000, None), (offer, 0, Some(Refusal::NotCombinable))];
        assert_eq!(said(&carts::view(engine, &guest).await.unwrap().discounts), expected);
        let id = checkout::begin(engine, &guest).await.unwrap();
        let of_checkout = async || said(&checkout::view(engine, &guest, id).await.unwrap().discounts);
        assert_eq!(of_checkout().await, expected);
        // Nothing that the price depends on changes, and then the address does.
        let typed = CheckoutUpdate { email: "a@example.com".into(), ..CheckoutUpdate::default() };
        checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
        assert_eq!(of_checkout().await, expected);
        let there = CheckoutUpdate { country: "IN".into(), region: "Kerala".into(), ..typed };
        checkout::update(engine, &guest, id, there.clone()).await.unwrap();
        assert_eq!(of_checkout().await, expected);
        promotions::end_of_market(engine, &Caller::system(), offer).await.unwrap();
        let elsewhere = CheckoutUpdate { region: "Goa".into(), ..there };
        checkout::update(engine, &guest, id, elsewhere).await.unwrap();
        assert_eq!(of_checkout().await, expected[..1]);
    }

    async fn discounts_are_listed_in_the_order_in_which_they_apply(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 30_000, 9).await;
        let lamp = market.product(DELTA, "Desk lamp", 50_000, 9).await;
        // Neither the names nor the times of creation are in the order in which they apply.
        of_market(market, &PromotionForm { shops: DELTA.into(), ..percent("", "5") }).await;
        coupon(market, &percent("BOWLS", "10")).await;
        of_market(market, &percent("ZEST", "20")).await;
        let guest = market.guest_with(&[(lamp, 1), (bowl, 1)]).await;
        for code in ["ZEST", "BOWLS"] {
            enter(market, &guest, code).await.unwrap();
        }
        let cart = carts::view(engine, &guest).await.unwrap();
        let said = |discounts: &[haat_shared::promotions::Discount]| -> Vec<_> {
            discounts.iter().map(|of| (of.code.clone(), of.amount.amount(), of.after_others)).collect()
        };
        let expected = [
            ("ZEST".to_owned(), 16_000, false),
            ("BOWLS".to_owned(), 2_400, true),
            (String::new(), 2_000, true),
        ];
        assert_eq!(said(&cart.discounts), expected);
        let id = checkout::begin(engine, &guest).await.unwrap();
        assert_eq!(said(&checkout::view(engine, &guest, id).await.unwrap().discounts), expected);
        let number = market.buy_by_card(&guest).await;
        let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
        let of_shops: Vec<_> = purchase.orders.iter().map(|order| said(&order.discounts)).collect();
        let zest = |amount| ("ZEST".to_owned(), amount, false);
        assert!(of_shops.contains(&vec![zest(6_000), expected[1].clone()]), "{of_shops:?}");
        assert!(of_shops.contains(&vec![zest(10_000), expected[2].clone()]), "{of_shops:?}");
        // Neither of the two that apply to one shop each comes before the other.
        let mut all = said(&purchase.discounts());
        all[1..].sort_by(|a, b| b.cmp(a));
        assert_eq!(all, expected);
        market.settle().await;
    }

    async fn each_refusal_keeps_the_basket(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 30_000, 9).await;
        let jug = market.product(MEENA, "Clay jug", 50_000, 9).await;
        let lamp = market.product(DELTA, "Desk lamp", 99_900, 9).await;
        let slug = {
            let guest = market.guest_with(&[(jug, 1)]).await;
            carts::view(engine, &guest).await.unwrap().groups[0].lines[0].slug.clone()
        };
        let of = |code: &str| percent(code, "10");
        coupon(market, &PromotionForm { starts_on: "2999-01-01".into(), ..of("LATER") }).await;
        let over = coupon(market, &of("OVER")).await;
        coupon(market, &PromotionForm { minimum: "500".into(), ..of("MANY") }).await;
        coupon(market, &PromotionForm { maximum: "100".into(), ..of("FEW") }).await;
        coupon(market, &PromotionForm { products: slug, ..of("JUGS") }).await;
        coupon(market, &PromotionForm { combines: String::new(), ..of("ALONE") }).await;
        coupon(market, &of("TEN")).await;
        let owner = market.owner(MEENA).await;
        promotions::end(engine, &owner, MEENA, over).await.unwrap();
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let before = carts::view(engine, &guest).await.unwrap();
        for (code, refusal) in [
            ("NONE", Refusal::Unknown),
            ("LATER", Refusal::NotStarted),
            ("OVER", Refusal::Ended),
            ("MANY", Refusal::BelowMinimum),
            ("FEW", Refusal::AboveMaximum),
            ("JUGS", Refusal::OtherItems),
        ] {
            assert_eq!(refused(enter(market, &guest, code).await.unwrap_err()), refusal, "{code}");
            assert_eq!(carts::view(engine, &guest).await.unwrap(), before, "{code}");
        }
        assert_eq!(enter(market, &guest, "").await.unwrap_err().at("code"), Some(FieldCode::Missing));
        // A shop's coupon is for its own items.
        let elsewhere = market.guest_with(&[(lamp, 1)]).await;
        assert_eq!(refused(enter(market, &elsewhere, "TEN").await.unwrap_err()), Refusal::OtherItems);
        assert_eq!(enter(market, &guest, "TEN").await.unwrap(), 27_000 + 4_900);
        assert_eq!(refused(enter(market, &guest, "ALONE").await.unwrap_err()), Refusal::NotCombinable);
        // What would be the price is told without entering it.
        let asked = cart_codes::check_code(engine, &guest, "ALONE").await.unwrap();
        let refusals: Vec<_> = asked.discounts.iter().map(|discount| discount.refusal).collect();
        assert_eq!(refusals, [None, Some(Refusal::NotCombinable)]);
        let cart = carts::view(engine, &guest).await.unwrap();
        assert_eq!(cart.discounts.len(), 1);
        // Taken away, and as it was.
        let id = cart.discounts[0].promotion_id.unwrap();
        let cart = cart_codes::remove_code(engine, &guest, id).await.unwrap();
        assert_eq!(cart.totals, before.totals);
        assert_eq!(refused_codes(market, &guest).await, ["rate_limited"]);
    }

    async fn a_coupon_that_no_longer_applies_is_told_before_paying(market) {
        let engine = &market.engine;
        coupon(market, &PromotionForm { minimum: "500".into(), ..percent("MANY", "10") }).await;
        let bowl = market.product(MEENA, "Clay bowl", 30_000, 9).await;
        let guest = market.guest_with(&[(bowl, 2)]).await;
        assert_eq!(enter(market, &guest, "MANY").await.unwrap(), 54_000 + 4_900);
        let line = carts::view(engine, &guest).await.unwrap().groups[0].lines[0].id;
        let set = haat_shared::carts::SetQuantity { line, quantity: "1".into() };
        let cart = carts::set_quantity(engine, &guest, set).await.unwrap();
        let limit = Money::new(50_000, Currency::INR);
        assert_eq!((cart.discounts[0].refusal, cart.discounts[0].limit), (Some(Refusal::BelowMinimum), Some(limit)));
        assert_eq!(cart.totals.unwrap().total.amount(), 34_900);
        let told = Error::from(Conflict::CodeLimit(Refusal::BelowMinimum, limit));
        assert_eq!(checkout::begin(engine, &guest).await.unwrap_err(), told);
    }

    /// What was begun with it can be paid with it, also after another shipping method.
    async fn a_coupon_that_ends_during_payment_still_counts(market) {
        let engine = &market.engine;
        let id = coupon(market, &percent("TEN", "10")).await;
        let tea = market.product(MEENA, "Clay bowl", 50_000, 9).await;
        let guest = market.guest_with(&[(tea, 1)]).await;
        enter(market, &guest, "TEN").await.unwrap();
        let checkout = checkout::begin(engine, &guest).await.unwrap();
        let view = checkout::view(engine, &guest, checkout).await.unwrap();
        let owner = market.owner(MEENA).await;
        promotions::end(engine, &owner, MEENA, id).await.unwrap();
        let state = promotions::find(engine, &owner, MEENA, id).await.unwrap().state;
        assert_eq!(state, PromotionState::Ended);
        let mut typed = form("cash");
        for option in &view.groups[0].shipping_options {
            typed.shipping_methods.insert(view.groups[0].shop_id, option.shipping_method);
            let quote = checkout::update(engine, &guest, checkout, typed.clone()).await.unwrap();
            assert_eq!(quote.totals.discount.amount(), 5_000, "{:?}", option.shipping_method);
        }
        typed.shipping_methods.insert(view.groups[0].shop_id, ShippingMethod::Standard);
        let version = checkout::update(engine, &guest, checkout, typed.clone()).await.unwrap().version;
        let next = checkout::pay(engine, &guest, checkout, typed, version, "k").await.unwrap();
        let number = number_of(&next);
        let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
        assert_eq!(purchase.totals.discount.amount(), 5_000);
        let late = market.guest_with(&[(tea, 1)]).await;
        assert_eq!(refused(enter(market, &late, "TEN").await.unwrap_err()), Refusal::Ended);
        market.settle().await;
    }

    async fn a_person_is_an_account_or_an_email_address(market) {
        let engine = &market.engine;
        coupon(market, &PromotionForm { uses_per_person: "1".into(), ..percent("ONCE", "10") }).await;
        let bowl = market.product(MEENA, "Clay bowl", 50_000, 99).await;
        let entered = async || {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            enter(market, &guest, "ONCE").await.unwrap();
            guest
        };
        pay(market, &entered().await, "asha@example.com", "cash").await.unwrap();
        let again = ["asha@example.com", "ASHA@Example.com", "asha+diwali@example.com"];
        for (i, email) in again.into_iter().enumerate() {
            let guest = entered().await;
            assert_eq!(refused(pay(market, &guest, email, "cash").await.unwrap_err()), Refusal::UsedByYou, "{email}");
            // Another address is another person, and the same checkout continues.
            let id = checkout::current(engine, &guest).await.unwrap().unwrap();
            let typed = CheckoutUpdate { email: format!("other{i}@example.com"), ..form("cash") };
            checkout::pay(engine, &guest, id, typed, 1, "again").await.unwrap();
        }
        // Who is signed in is known when the code is entered, whatever address they used.
        let guest = entered().await;
        let user = market.signed_up(&guest, "Ravi").await;
        pay(market, &user, "first@example.com", "cash").await.unwrap();
        market.add(&mut user.clone(), bowl, 1).await.unwrap();
        assert_eq!(refused(enter(market, &user, "ONCE").await.unwrap_err()), Refusal::UsedByYou);
        market.settle().await;
    }

    async fn a_failed_payment_gives_the_use_back(market) {
        let engine = &market.engine;
        coupon(market, &PromotionForm { uses: "1".into(), uses_per_person: "1".into(), ..percent("ONE", "10") }).await;
        let bowl = market.product(MEENA, "Clay bowl", 50_000, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        enter(market, &guest, "ONE").await.unwrap();
        let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, sandbox::Card::Decline).await;
        market.come_back(payment).await.unwrap();
        market.clock.advance_ms(2 * HOLD_MS + 1);
        checkout::sweep(engine).await.unwrap();
        market.settle().await;
        // Now it is anyone's, also the same person's.
        assert_eq!(carts::view(engine, &guest).await.unwrap().discounts[0].refusal, None);
        market.buy_by_card(&guest).await;
        market.settle().await;
    }

    async fn who_pays_after_another_persons_card_was_declined_gives_their_use_back(market) {
        let engine = &market.engine;
        let id = coupon(market, &PromotionForm { uses_per_person: "1".into(), ..percent("ONCE", "10") }).await;
        let bowl = market.product(MEENA, "Clay bowl", 50_000, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        enter(market, &guest, "ONCE").await.unwrap();
        let (checkout, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, sandbox::Card::Decline).await;
        market.come_back(payment).await.unwrap();
        let typed = CheckoutUpdate { email: "ravi@example.com".into(), ..form("cash") };
        checkout::pay(engine, &guest, checkout, typed, 1, "again").await.unwrap();
        assert_eq!(uses(market, id).await, 1);
        market.settle().await;
        let first = market.guest_with(&[(bowl, 1)]).await;
        enter(market, &first, "ONCE").await.unwrap();
        pay(market, &first, &form("cash").email, "cash").await.unwrap();
        market.settle().await;
    }

    /// Each line gives back its own share of what the market bears, to the unit.
    async fn refunds_give_each_its_share_back(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 33_333, 9).await;
        let jug = market.product(MEENA, "Clay jug", 65_000, 9).await;
        let slug = {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            carts::view(engine, &guest).await.unwrap().groups[0].lines[0].slug.clone()
        };
        // A third of the bowls, of which the market bears a third.
        of_market(market, &PromotionForm { products: slug, market_percent: "33.33".into(), ..percent("BOWLS", "33.33") }).await;
        let guest = market.guest_with(&[(bowl, 3), (jug, 1)]).await;
        enter(market, &guest, "BOWLS").await.unwrap();
        let number = format!("{}-1", market.buy_by_card(&guest).await);
        let owner = market.owner(MEENA).await;
        orders::confirm(engine, &owner, MEENA, &number).await.unwrap();
        orders::ship(engine, &owner, MEENA, &number, shipment()).await.unwrap();
        orders::deliver(engine, &owner, MEENA, &number).await.unwrap();
        let order = orders::seller_order(engine, &owner, MEENA, &number).await.unwrap();
        // 33.33 % of 999.99 is 333.30; the market's third of it 111.09.
        assert_eq!(order.order.order.totals.discount.amount(), 33_330);
        assert_eq!(order.refundable.unwrap().marketplace_discount.amount(), 11_109);
        let refund = async |position, quantity, shipping| {
            let lines = vec![LineQuantity { position, quantity }];
            let refund = NewRefund { lines, shipping, reason: "Chipped".into(), ..NewRefund::default() };
            orders::refund(engine, &owner, MEENA, &number, refund).await.unwrap();
            market.settle().await;
            let left = orders::seller_order(engine, &owner, MEENA, &number).await.unwrap().refundable;
            left.map_or((0, 0), |left| (left.marketplace_discount.amount(), left.commission.amount()))
        };
        // The jug has no part in the discount, and its own commission.
        let commission = order.commission.amount();
        assert_eq!(refund(1, 1, false).await, (11_109, commission - 6_500));
        assert_eq!(refund(0, 1, false).await.0, 11_109 - 3_703);
        assert_eq!(refund(0, 2, true).await, (0, 0));
        let order = orders::seller_order(engine, &owner, MEENA, &number).await.unwrap();
        assert_eq!((order.earned.amount(), order.commission.amount()), (0, 0));
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 0);
    }

    async fn free_shipping_and_offers_apply_by_themselves(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 50_000, 9).await;
        let lamp = market.product(DELTA, "Desk lamp", 99_900, 9).await;
        let offer = PromotionForm { kind: "free_shipping".into(), minimum: "1000".into(), ..percent("", "1") };
        coupon(market, &offer).await;
        of_market(market, &PromotionForm { shops: DELTA.into(), categories: String::new(), ..amount("", "99") }).await;
        let guest = market.guest_with(&[(bowl, 1), (lamp, 1)]).await;
        let before = carts::view(engine, &guest).await.unwrap();
        let discounts: Vec<i64> = before.groups.iter().map(|group| group.totals.discount.amount()).collect();
        assert_eq!(discounts, [0, 9_900]);
        market.add(&mut guest.clone(), bowl, 1).await.unwrap();
        let after = carts::view(engine, &guest).await.unwrap();
        let discounts: Vec<i64> = after.groups.iter().map(|group| group.totals.discount.amount()).collect();
        assert_eq!(discounts, [4_900, 9_900]);
        assert!(after.discounts.iter().all(|discount| discount.code.is_empty()));
        let number = market.buy_by_card(&guest).await;
        let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
        assert_eq!(purchase.totals, after.totals.unwrap());
        market.settle().await;
    }

    async fn codes_of_a_guest_stay_at_sign_in(market) {
        coupon(market, &percent("TEN", "10")).await;
        let bowl = market.product(MEENA, "Clay bowl", 50_000, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        enter(market, &guest, "TEN").await.unwrap();
        let user = market.signed_up(&guest, "Ravi").await;
        let cart = carts::view(&market.engine, &user).await.unwrap();
        assert_eq!(cart.totals.unwrap().discount.amount(), 5_000);
        // A second guest's basket is merged into this one.
        let again = market.guest_with(&[(bowl, 1)]).await;
        enter(market, &again, "TEN").await.unwrap();
        let signed_in = haat_engine::accounts::sign_in(&market.engine, &again, haat_shared::accounts::SignIn {
            email: user.user().unwrap().email.clone(),
            password: sign_up("Ravi").password,
        });
        signed_in.await.unwrap();
        let cart = carts::view(&market.engine, &user).await.unwrap();
        assert_eq!((cart.item_count, cart.totals.unwrap().discount.amount()), (2, 10_000));
    }

    async fn promotions_are_changed_ended_and_deleted(market) {
        let (engine, owner) = (&market.engine, &market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 50_000, 9).await;
        let id = coupon(market, &PromotionForm { uses: "2".into(), ..percent("TEN", "10") }).await;
        let twice = promotions::create(engine, owner, MEENA, &percent("ten", "20")).await.unwrap_err();
        assert_eq!(twice.at("code"), Some(FieldCode::NotUnique));
        // Another shop, and the market, may use the same code.
        let delta = market.owner(DELTA).await;
        promotions::create(engine, &delta, DELTA, &percent("TEN", "20")).await.unwrap();
        let card = promotions::find(engine, owner, MEENA, id).await.unwrap();
        assert_eq!((card.state, card.unused, card.uses_max), (PromotionState::Active, true, Some(2)));
        let save = async |version, form: PromotionForm| promotions::save(engine, owner, MEENA, id, Some(version), &form).await;
        save(card.version, PromotionForm { uses: "1".into(), ..percent("TEN", "15") }).await.unwrap();
        let stale = save(card.version, percent("TEN", "50")).await.unwrap_err();
        assert_eq!(stale.code(), "edited");
        let guest = market.guest_with(&[(bowl, 1)]).await;
        enter(market, &guest, "TEN").await.unwrap();
        assert_eq!(carts::view(engine, &guest).await.unwrap().totals.unwrap().discount.amount(), 7_500);
        market.buy_by_card(&guest).await;
        let card = promotions::find(engine, owner, MEENA, id).await.unwrap();
        assert_eq!((card.state, card.uses, card.given, card.unused), (PromotionState::UsedUp, 1, vec![Money::new(7_500, haat_shared::Currency::INR)], false));
        // More uses, then no limit, then a limit again.
        save(card.version, PromotionForm { uses: "3".into(), ..percent("TEN", "15") }).await.unwrap();
        save(card.version + 1, percent("TEN", "15")).await.unwrap();
        save(card.version + 2, PromotionForm { uses: "1".into(), ..percent("TEN", "15") }).await.unwrap();
        assert_eq!(promotions::delete(engine, owner, MEENA, id).await.unwrap_err().code(), "promotion_used");
        let unused = coupon(market, &PromotionForm { uses: "5".into(), ..percent("NEVER", "10") }).await;
        promotions::delete(engine, owner, MEENA, unused).await.unwrap();
        assert_eq!(promotions::find(engine, owner, MEENA, unused).await.unwrap_err(), Error::NotFound);
        // Nobody else's.
        for done in [
            promotions::end(engine, &delta, DELTA, id).await,
            promotions::delete(engine, &delta, DELTA, id).await,
            promotions::save(engine, &delta, DELTA, id, None, &percent("X", "1")).await,
            promotions::end_of_market(engine, &Caller::system(), id).await,
        ] {
            assert_eq!(done.unwrap_err(), Error::NotFound);
        }
        for (form, field) in [
            (PromotionForm { products: "nothing".into(), ..percent("A", "1") }, "products"),
            (PromotionForm { categories: "nowhere".into(), ..percent("A", "1") }, "categories"),
            (PromotionForm { ends_on: "2020-01-01".into(), ..percent("A", "1") }, "ends_on"),
        ] {
            let error = promotions::create(engine, owner, MEENA, &form).await.unwrap_err();
            assert!(error.at(field).is_some(), "{field}: {error:?}");
        }
        let list = promotions::list(engine, owner, MEENA, "").await.unwrap().page;
        assert_eq!(list.items.len(), 1);
        let of_all = of_market(market, &PromotionForm { uses: "9".into(), ..percent("ALL", "5") }).await;
        assert_eq!(promotions::list_of_market(engine, &Caller::system(), "").await.unwrap().page.items.len(), 1);
        promotions::save_of_market(engine, &Caller::system(), of_all, None, &percent("ALL", "6")).await.unwrap();
        promotions::end_of_market(engine, &Caller::system(), of_all).await.unwrap();
        promotions::delete_of_market(engine, &Caller::system(), of_all).await.unwrap();
        market.settle().await;
    }

    async fn coupons_are_exported_and_imported_again(market) {
        let engine = &market.engine;
        let owner = market.owner(MEENA).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let slug = {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            carts::view(engine, &guest).await.unwrap().groups[0].lines[0].slug.clone()
        };
        let sale = PromotionForm {
            label: "=Sale, \"now\"".into(), products: format!("/p/{slug}"), minimum: "1,000".into(),
            starts_on: "2999-01-01".into(), ends_on: "2999-01-31".into(), uses: "100".into(), uses_per_person: "1".into(),
            ..percent("Sale", "12.50 %")
        };
        coupon(market, &sale).await;
        coupon(market, &PromotionForm { kind: "buy_get".into(), buy: "2".into(), get: "1".into(), percent: String::new(), combines: String::new(), ..percent("BUY2", "1") }).await;
        // An offer without a code is in no file.
        coupon(market, &percent("", "1")).await;
        let over = coupon(market, &amount("OVER", "99.50")).await;
        market.clock.advance_ms(60_000);
        promotions::end(engine, &owner, MEENA, over).await.unwrap();
        let table = String::from_utf8(promotions::export(engine, &owner, MEENA).await.unwrap()).unwrap();
        let today = engine.zone.local(market.clock.now_ms())[..10].to_owned();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines, [
            "code,label,kind,percent,amount,buy,get,products,categories,minimum,maximum,cap,starts_on,ends_on,uses,uses_per_person,combines",
            &format!("Sale,\"'=Sale, \"\"now\"\"\",percent,12.5,,,,{slug},,1000.00,,,2999-01-01,2999-01-31,100,1,yes"),
            &format!("BUY2,1 % off,buy_get,100,,2,1,,,,,,{today},,,,no"),
            &format!("OVER,1 % off,amount,,99.50,,,,,,,,{today},{today},,,yes"),
        ]);
        let import = async |file: &str| promotions::import(engine, &owner, MEENA, file.as_bytes()).await;
        let counts = |created, updated, unchanged| CouponsImported { created, updated, unchanged };
        // The same file changes nothing: not even what has ended.
        assert_eq!(import(&format!("\u{feff}{table}")).await.unwrap(), counts(0, 0, 3));
        assert_eq!(promotions::find(engine, &owner, MEENA, over).await.unwrap().state, PromotionState::Ended);
        // As another spreadsheet writes it: other columns and delimiters, the codes in lower case, an empty line.
        let changed = "label;code;kind;percent;uses;combines;\r\nNew;sale;PERCENT;20;50;no;\r\n;;;;;;\r\nDiwali;DIWALI;free_shipping;;;TRUE;\r\n";
        assert_eq!(import(changed).await.unwrap(), counts(1, 1, 0));
        let list = promotions::list(engine, &owner, MEENA, "").await.unwrap().page.items;
        let find = |code: &str| list.iter().find(|card| card.code.as_deref() == Some(code)).unwrap();
        assert_eq!((find("sale").uses_max, find("sale").form.percent.as_str(), find("DIWALI").state), (Some(50), "20", PromotionState::Active));
        assert_eq!(import(changed).await.unwrap(), counts(0, 0, 2));
        let guest = market.guest_with(&[(bowl, 3)]).await;
        enter(market, &guest, "diwali").await.unwrap();
        // The market's have columns of their own.
        of_market(market, &PromotionForm { shops: MEENA.into(), market_percent: "40".into(), ..amount("ALL", "5") }).await;
        let table = String::from_utf8(promotions::export_of_market(engine, &Caller::system()).await.unwrap()).unwrap();
        assert!(table.contains("ALL,1 % off,amount,,5.00,,,,,meena-crafts,,,,"), "{table}");
        assert!(table.ends_with(",yes,40\r\n"), "{table}");
        let file = table.replace(",40", ",60") + "MORE,More,percent,5,,,,,,,,,,,,,,,\r\n";
        let done = promotions::import_of_market(engine, &Caller::system(), file.as_bytes()).await.unwrap();
        assert_eq!(done, counts(1, 1, 0));
        assert_eq!(import(&table).await.unwrap_err().at("lines.1.shops"), Some(FieldCode::UnknownColumn));
        assert_eq!(promotions::import(engine, &market.owner(DELTA).await, MEENA, b"").await.unwrap_err(), Error::NotFound);
        market.settle().await;
    }

    async fn a_file_of_coupons_with_an_error_changes_nothing(market) {
        let engine = &market.engine;
        let owner = market.owner(MEENA).await;
        coupon(market, &PromotionForm { uses: "2".into(), ..percent("TEN", "10") }).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        for _ in 0..2 {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            enter(market, &guest, "TEN").await.unwrap();
            checkout::begin(engine, &guest).await.unwrap();
        }
        let before = promotions::export(engine, &owner, MEENA).await.unwrap();
        let import = async |file: &[u8]| promotions::import(engine, &owner, MEENA, file).await.unwrap_err();
        let rows = "code,label,kind,percent,uses,starts_on,products\n";
        let good = "GOOD,Good,percent,5,,,\n";
        for (line, fields) in [
            ("A,A,percent,150,,,", &[("lines.3.percent", FieldCode::TooBig)][..]),
            ("A,A,percent,5.125,,,", &[("lines.3.percent", FieldCode::NotDecimal(2))]),
            ("A,A,half,5,,,", &[("lines.3.kind", FieldCode::NotAChoice)]),
            ("A,,percent,5,,1/2/2027,", &[("lines.3.label", FieldCode::Missing), ("lines.3.starts_on", FieldCode::NotDate)]),
            ("\r\n\r\nA,A,half,5,,,", &[("lines.5.kind", FieldCode::NotAChoice)]),
            ("\n\ngood,Again,percent,5,,,", &[("lines.5.code", FieldCode::NotUnique)]),
            (",A,percent,5,,,", &[("lines.3.code", FieldCode::Missing)]),
            ("A,A,percent,5,,,no-such-thing", &[("lines.3.products", FieldCode::NotAChoice)]),
            ("A,A,percent,5,,", &[("lines.3.", FieldCode::CellCount)]),
            // Two are held.
            ("TEN,Ten,percent,10,1,,", &[("lines.3.uses", FieldCode::TooSmall)]),
        ] {
            let error = import(format!("{rows}{good}{line}").as_bytes()).await;
            for (field, code) in fields {
                assert_eq!(error.at(field), Some(*code), "{line}: {error:?}");
            }
            assert_eq!(promotions::export(engine, &owner, MEENA).await.unwrap(), before, "{line}");
        }
        let many = format!("{rows}{}", (0..1_001).map(|i| format!("C{i},C,percent,5,,,\n")).collect::<String>());
        for (file, field, code) in [
            (&b""[..], "coupons", FieldCode::NoRows),
            (rows.as_bytes(), "coupons", FieldCode::NoRows),
            (b"code,label,kind\nA\xff,B,percent", "coupons", FieldCode::NotUtf8),
            (b"code,label\nA,B", "lines.1.kind", FieldCode::Missing),
            (b"code,code,label,kind\nA,A,B,percent", "lines.1.code", FieldCode::DuplicateColumn),
            (b"code,label,kind,colour\nA,B,percent,red", "lines.1.colour", FieldCode::UnknownColumn),
            (many.as_bytes(), "coupons", FieldCode::TooMany),
            (&[b' '; 200_001], "coupons", FieldCode::TooMany),
        ] {
            assert_eq!(import(file).await.at(field), Some(code), "{:?}", String::from_utf8_lossy(&file[..file.len().min(40)]));
        }
        assert_eq!(promotions::export(engine, &owner, MEENA).await.unwrap(), before);
    }

    /// Two hundred for a coupon of 20, or, at the size of an attack, 5,000 for one of 100.
    async fn attack_buyers_race_for_the_last_uses_of_a_coupon(market) {
        let whole = std::env::var("HAAT_ATTACK_SCALE").is_ok_and(|percent| percent == "100");
        let (wanted, uses_left) = if whole { (5_000, 100) } else { (200, 20) };
        let id = coupon(market, &PromotionForm { uses: uses_left.to_string(), ..percent("FAST", "10") }).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, wanted as i64).await;
        let mut buyers = Vec::new();
        for i in 0..wanted {
            let (engine, guest) = (market.engine.clone(), market.guest_with(&[(bowl, 1)]).await);
            cart_codes::add_code(&engine, &guest, "FAST").await.unwrap();
            buyers.push(async move {
                let buy = async || {
                    let id = checkout::begin(&engine, &guest).await?;
                    let form = CheckoutUpdate { email: format!("b{i}@example.com"), ..form("cash") };
                    checkout::pay(&engine, &guest, id, form, 1, "k").await
                };
                loop {
                    match buy().await {
                        // Clients come again, as they are told.
                        Err(Error::Busy { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
                        outcome => break outcome,
                    }
                }
            });
        }
        let outcomes = at_once(buyers).await;
        let bought = outcomes.iter().filter(|o| matches!(o, Ok(NextAction::Done { .. }))).count();
        let refused = outcomes.iter().filter(|o| matches!(o, Err(Error::Conflict(Conflict::Code(Refusal::UsedUp))))).count();
        assert_eq!((bought, refused), (uses_left, wanted - uses_left), "{:?}", outcomes.iter().find(|o| matches!(o, Err(e) if e.code() != "code_used_up")));
        assert_eq!(uses(market, id).await, uses_left as i64);
        market.settle().await;
    }

    async fn a_product_shows_the_offers_that_apply_by_themselves(market) {
        let engine = &market.engine;
        market.product(MEENA, "Clay bowl", 45_000, 9).await;
        market.product(DELTA, "Radio", 90_000, 9).await;
        let of = ListProducts { sort: "price_low".into(), ..ListProducts::default() };
        let listed = catalog::list(engine, &Caller::guest(), of).await.unwrap().items;
        let (bowl, radio) = (&listed[0], &listed[1]);
        for form in [percent("", "10"), PromotionForm { minimum: "500".into(), ..amount("", "50") }, percent("SECRET", "50")] {
            coupon(market, &form).await;
        }
        let later = PromotionForm { starts_on: "2999-01-01".into(), ..percent("", "20") };
        let others = PromotionForm { label: "Other things".into(), products: radio.slug.clone(), ..percent("", "30") };
        for form in [PromotionForm { label: "Everywhere".into(), ..percent("", "5") }, later, others] {
            of_market(market, &form).await;
        }
        let shown = async |caller: &Caller, id| {
            let offers = promotions::of_product(engine, caller, id).await.unwrap();
            offers.into_iter().map(|offer| (offer.label, offer.minimum)).collect::<Vec<_>>()
        };
        let least = Some(Money::new(50_000, haat_shared::Currency::INR));
        let guest = Caller::guest();
        let of_bowl = [("10 % off".to_owned(), None), ("1 % off".to_owned(), least), ("Everywhere".to_owned(), None)];
        assert_eq!(shown(&guest, bowl.id).await, of_bowl);
        let of_radio = ["Everywhere", "Other things"].map(|label| (label.to_owned(), None));
        assert_eq!(shown(&guest, radio.id).await, of_radio);
        let by_slug = promotions::of_product_by_slug(engine, &guest, &radio.slug).await.unwrap();
        assert_eq!(by_slug, promotions::of_product(engine, &guest, radio.id).await.unwrap());
        assert_eq!(promotions::of_product_by_slug(engine, &guest, "none").await.err(), Some(Error::NotFound));
    }

    async fn one_person_with_fifty_tabs_uses_a_coupon_once(market) {
        let id = coupon(market, &PromotionForm { uses_per_person: "1".into(), ..percent("ONCE", "10") }).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 500).await;
        let mut tabs = Vec::new();
        for i in 0..50 {
            let (engine, guest) = (market.engine.clone(), market.guest_with(&[(bowl, 1)]).await);
            cart_codes::add_code(&engine, &guest, "ONCE").await.unwrap();
            tabs.push(async move {
                let id = checkout::begin(&engine, &guest).await?;
                let form = CheckoutUpdate { email: format!("Asha+{i}@example.com"), ..form("cash") };
                checkout::pay(&engine, &guest, id, form, 1, "k").await
            });
        }
        let outcomes = at_once(tabs).await;
        let bought = outcomes.iter().filter(|o| o.is_ok()).count();
        assert_eq!(bought, 1, "{:?}", outcomes.iter().find(|o| matches!(o, Err(e) if e.code() != "code_used_by_you")));
        assert_eq!(uses(market, id).await, 1);
        market.settle().await;
    }
}

/// What someone learns who tries out codes.
async fn refused_codes(market: &Market, guest: &Caller) -> Vec<&'static str> {
    let engine = market.bounded(Bounds { codes_per_hour: 5, ..Bounds::NONE });
    let guest = Caller { origin: Some([9; 32]), ..guest.clone() };
    let mut codes = Vec::new();
    for i in 0..8 {
        let error = cart_codes::add_code(&engine, &guest, &format!("GUESS{i}")).await.unwrap_err();
        codes.push(error.code());
    }
    codes.retain(|code| *code != "code_unknown");
    codes.dedup();
    codes
}
