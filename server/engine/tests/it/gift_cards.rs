//! Gift cards: issued, spent, given back, and never spent twice.

use haat_engine::{
    Bounds, Caller,
    admin::{self, Grantee},
    audit, checkout, gift_cards, orders,
    sandbox::{self, Card},
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money,
    checkout::{CheckoutUpdate, CheckoutView, HOLD_MS},
    gift_cards::{GiftCardRefusal, GiftCardView, IssuedGiftCard},
    id::kinds::CheckoutId,
    orders::{LineQuantity, NewRefund},
    payments::{NextAction, PaymentMethod},
    permissions::AdminRole,
    shipping::ShippingMethod,
};

use crate::{both, races::at_once, support::*};

const MEENA: &str = "meena-crafts";

fn inr(minor: i64) -> Money {
    Money::new(minor, Currency::INR)
}

async fn card(market: &Market, minor: i64) -> IssuedGiftCard {
    gift_cards::issue(&market.engine, &Caller::system(), inr(minor), "A late parcel", None).await.unwrap()
}

async fn state(market: &Market, code: &str) -> GiftCardView {
    gift_cards::balance(&market.engine, &Caller::system(), code).await.unwrap()
}

async fn left(market: &Market, code: &str) -> i64 {
    state(market, code).await.balance.amount()
}

async fn apply(market: &Market, guest: &Caller, code: &str) -> Result<CheckoutId, Error> {
    let id = checkout::begin(&market.engine, guest).await.unwrap();
    gift_cards::apply(&market.engine, guest, id, code).await.map(|()| id)
}

fn refusal(error: Error) -> GiftCardRefusal {
    match error {
        Error::Conflict(Conflict::GiftCard(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn pay(market: &Market, guest: &Caller, id: CheckoutId, method: &str) -> Result<NextAction, Error> {
    let view = checkout::view(&market.engine, guest, id).await.unwrap();
    checkout::pay(&market.engine, guest, id, form(method), view.quote.version, &view.key).await
}

/// A guest's checkout of two bowls, and its total.
async fn bowl(market: &Market) -> (Caller, CheckoutId, i64) {
    let bowl = market.product(MEENA, "Clay bowl", 15_000, 9).await;
    let guest = market.guest_with(&[(bowl, 2)]).await;
    let id = checkout::begin(&market.engine, &guest).await.unwrap();
    let total = view(market, &guest, id).await.quote.totals.total.amount();
    (guest, id, total)
}

async fn view(market: &Market, guest: &Caller, id: CheckoutId) -> CheckoutView {
    checkout::view(&market.engine, guest, id).await.unwrap()
}

async fn paid_by_cards(market: &Market, guest: &Caller, id: CheckoutId) -> (Vec<i64>, i64) {
    let view = view(market, guest, id).await;
    (view.gift_cards.iter().map(|card| card.amount.amount()).collect(), view.quote.to_pay.amount())
}

async fn cancel(market: &Market, number: &str) {
    let owner = market.owner(MEENA).await;
    orders::cancel(&market.engine, &owner, MEENA, &format!("{number}-1"), "The kiln broke").await.unwrap();
    market.settle().await;
}

/// Issues a card of ₹500 and buys two bowls with it.
pub async fn bought(market: &Market) {
    let card = card(market, 50_000).await;
    let (guest, id, _) = bowl(market).await;
    apply(market, &guest, &card.code).await.unwrap();
    number_of(&pay(market, &guest, id, "sandbox").await.unwrap());
    market.settle().await;
}

both! {
    async fn a_card_pays_all_without_a_method_and_gets_refunds_back(market) {
        let card = card(market, 50_000).await;
        let (guest, id, total) = bowl(market).await;
        // As people type it.
        apply(market, &guest, &card.code.to_lowercase().replace('-', " ")).await.unwrap();
        assert_eq!(paid_by_cards(market, &guest, id).await, (vec![total], 0));
        assert_eq!(left(market, &card.code).await, 50_000, "nothing is spent before paying");
        let seen = view(market, &guest, id).await.quote.version;
        let typed = CheckoutUpdate { payment_method: None, ..form("cash") };
        let next = checkout::pay(&market.engine, &guest, id, typed, seen, "k").await.unwrap();
        let number = number_of(&next);
        assert_eq!(left(market, &card.code).await, 50_000 - total);
        let purchase = orders::purchase(&market.engine, &guest, &number, &market.key(&number)).await.unwrap();
        assert_eq!(purchase.payment_method, PaymentMethod::GiftCard);
        assert_eq!(purchase.gift_cards.iter().map(|card| card.amount.amount()).collect::<Vec<_>>(), [total]);
        market.settle().await;
        cancel(market, &number).await;
        assert_eq!(left(market, &card.code).await, 50_000);
    }

    async fn a_card_pays_a_part_and_is_refunded_first(market) {
        let engine = &market.engine;
        let card = card(market, 10_000).await;
        let (guest, id, total) = bowl(market).await;
        apply(market, &guest, &card.code).await.unwrap();
        assert_eq!(paid_by_cards(market, &guest, id).await, (vec![10_000], total - 10_000));
        // The shop would collect the rest.
        assert_eq!(refusal(pay(market, &guest, id, "cash").await.unwrap_err()), GiftCardRefusal::WithCash);
        assert_eq!(left(market, &card.code).await, 10_000);
        let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        assert_eq!(left(market, &card.code).await, 0);
        market.enter(&gateway_ref, Card::Approve).await;
        let number = number_in(&market.come_back(payment).await.unwrap());
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, total - 10_000);
        market.settle().await;
        let back = async || {
            let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
            let order = &purchase.orders[0];
            let refunds = order.refunds.iter().map(|refund| [refund.to_gift_cards, refund.amount]);
            (refunds.map(|of| of.map(Money::amount)).collect::<Vec<_>>(), purchase.if_cancelled(order))
        };
        let amounts = |amounts: [i64; 2]| Some(amounts.map(|minor| Money::new(minor, Currency::INR)));
        assert_eq!(back().await, (Vec::new(), amounts([10_000, total - 10_000])));
        let owner = market.owner(MEENA).await;
        let order = format!("{number}-1");
        orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
        let position = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap().order.order.lines[0].position;
        let lines = vec![LineQuantity { position, quantity: 1 }];
        let one = NewRefund { lines, reason: "Chipped".into(), ..NewRefund::default() };
        orders::refund(engine, &owner, MEENA, &order, one.clone()).await.unwrap();
        market.settle().await;
        assert_eq!(left(market, &card.code).await, 10_000, "the card first");
        assert_eq!(back().await, (vec![[10_000, 15_000]], amounts([0, total - 15_000])));
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, total - 15_000);
        let purchase = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap();
        assert_eq!(purchase.payment_method, PaymentMethod::Sandbox);
        let rest = NewRefund { shipping: true, ..one };
        orders::refund(engine, &owner, MEENA, &order, rest).await.unwrap();
        market.settle().await;
        assert_eq!(left(market, &card.code).await, 10_000);
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 0);
    }

    async fn a_failed_payment_gives_the_cards_part_back(market) {
        let card = card(market, 10_000).await;
        let (guest, id, total) = bowl(market).await;
        apply(market, &guest, &card.code).await.unwrap();
        for _ in 0..2 {
            let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
            assert_eq!(left(market, &card.code).await, 0);
            let removed = gift_cards::remove(&market.engine, &guest, id, card.id).await;
            assert_eq!(removed, Err(Conflict::PaymentInProgress.into()));
            market.enter(&gateway_ref, Card::Decline).await;
            market.come_back(payment).await.unwrap();
            assert_eq!(left(market, &card.code).await, 10_000);
            assert_eq!(paid_by_cards(market, &guest, id).await, (vec![10_000], total - 10_000), "it stays entered");
        }
        let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, Card::Approve).await;
        number_in(&market.come_back(payment).await.unwrap());
        assert_eq!(left(market, &card.code).await, 0);
        market.settle().await;
    }

    async fn an_abandoned_checkout_gives_the_cards_part_back(market) {
        let engine = &market.engine;
        let card = card(market, 10_000).await;
        let (guest, _, _) = bowl(market).await;
        apply(market, &guest, &card.code).await.unwrap();
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        assert_eq!(left(market, &card.code).await, 0);
        // Paying once more continues the same payment, and spends nothing more.
        assert!(matches!(pay(market, &guest, id, "sandbox").await, Ok(NextAction::Redirect { .. })));
        assert_eq!(left(market, &card.code).await, 0);
        market.clock.advance_ms(2 * HOLD_MS);
        checkout::sweep(engine).await.unwrap();
        assert_eq!(left(market, &card.code).await, 10_000);
        // Paid late, it is only a part of the total, and is refunded.
        market.enter(&gateway_ref, Card::Approve).await;
        market.come_back(payment).await.unwrap();
        market.settle().await;
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 0);
        assert_eq!(left(market, &card.code).await, 10_000);
    }

    async fn a_checkout_that_is_replaced_gives_back_and_keeps_its_cards(market) {
        let engine = &market.engine;
        let card = card(market, 10_000).await;
        let (mut guest, id, _) = bowl(market).await;
        apply(market, &guest, &card.code).await.unwrap();
        market.go_to_sandbox(&guest).await;
        let jug = market.product(MEENA, "Clay jug", 20_000, 9).await;
        market.add(&mut guest, jug, 1).await.unwrap();
        let next = checkout::begin(engine, &guest).await.unwrap();
        assert_ne!(next, id);
        assert_eq!(left(market, &card.code).await, 10_000);
        let (cards, to_pay) = paid_by_cards(market, &guest, next).await;
        let total = view(market, &guest, next).await.quote.totals.total.amount();
        assert_eq!((cards, to_pay), (vec![10_000], total - 10_000));
        gift_cards::remove(engine, &guest, next, card.id).await.unwrap();
        assert_eq!(paid_by_cards(market, &guest, next).await, (vec![], total));
    }

    async fn several_cards_pay_in_turn_and_what_was_seen_is_what_is_paid(market) {
        let engine = &market.engine;
        let (guest, id, total) = bowl(market).await;
        let cards = [card(market, 10_000).await, card(market, 7_000).await, card(market, 90_000).await];
        let mut seen = vec![1];
        for card in &cards {
            market.clock.advance_ms(1);
            apply(market, &guest, &card.code).await.unwrap();
            seen.push(view(market, &guest, id).await.quote.version);
        }
        assert_eq!(seen, [1, 2, 3, 4], "a page that was opened before must show it first");
        assert_eq!(paid_by_cards(market, &guest, id).await, (vec![10_000, 7_000, total - 17_000], 0));
        let stale = checkout::pay(engine, &guest, id, form("sandbox"), 3, "old").await.unwrap_err();
        assert!(matches!(stale, Error::Conflict(Conflict::TotalChanged { .. })), "{stale:?}");
        let again = apply(market, &guest, &cards[0].code).await.unwrap_err();
        assert_eq!(refusal(again), GiftCardRefusal::Unneeded);
        // The first card pays for something else in the meantime.
        let (other, its_id, _) = bowl(market).await;
        apply(market, &other, &cards[0].code).await.unwrap();
        let (_, payment, gateway_ref) = market.go_to_sandbox(&other).await;
        assert_eq!(refusal(pay(market, &guest, id, "sandbox").await.unwrap_err()), GiftCardRefusal::UsedUp);
        assert_eq!(paid_by_cards(market, &guest, id).await, (vec![7_000, total - 7_000], 0));
        assert_eq!(left(market, &cards[1].code).await, 7_000, "all or nothing");
        let number = number_of(&pay(market, &guest, id, "sandbox").await.unwrap());
        market.enter(&gateway_ref, Card::Decline).await;
        market.come_back(payment).await.unwrap();
        assert!(view(market, &other, its_id).await.purchase.is_none());
        cancel(market, &number).await;
        for (card, whole) in cards.iter().zip([10_000, 7_000, 90_000]) {
            assert_eq!(left(market, &card.code).await, whole);
        }
    }

    async fn another_total_changes_what_cards_pay(market) {
        let engine = &market.engine;
        let card = card(market, 90_000).await;
        let tea = market.generous_shop().await;
        let guest = market.guest_with(&[(tea, 1)]).await;
        let id = apply(market, &guest, &card.code).await.unwrap();
        let group = view(market, &guest, id).await.groups.remove(0);
        let total = view(market, &guest, id).await.quote.totals.total.amount();
        let shipping_methods = [(group.shop_id, ShippingMethod::Express)].into();
        let quote = checkout::update(engine, &guest, id, CheckoutUpdate { shipping_methods, ..form("cash") }).await.unwrap();
        assert_eq!(quote.to_pay.amount(), 0);
        let now = view(market, &guest, id).await.quote.totals.total.amount();
        assert_ne!(now, total);
        assert_eq!(paid_by_cards(market, &guest, id).await, (vec![now], 0));
    }

    async fn each_refusal_keeps_the_checkout(market) {
        let engine = &market.engine;
        let (guest, id, total) = bowl(market).await;
        let [disabled, soon] = [card(market, 10_000).await, card(market, 20_000).await];
        gift_cards::disable(engine, &Caller::system(), disabled.id, true).await.unwrap();
        assert_eq!(refusal(apply(market, &guest, &disabled.code).await.unwrap_err()), GiftCardRefusal::Disabled);
        assert_eq!(refusal(apply(market, &guest, "ABCD-EFGH").await.unwrap_err()), GiftCardRefusal::Unknown);
        assert_eq!(apply(market, &guest, " - ").await.unwrap_err().at("code"), Some(FieldCode::Missing));
        let expiring = engine.clock.now_ms() + 60_000;
        let expiring = gift_cards::issue(engine, &Caller::system(), inr(500), "Sorry", Some(expiring)).await.unwrap();
        apply(market, &guest, &expiring.code).await.unwrap();
        apply(market, &guest, &soon.code).await.unwrap();
        // It expires while the shopper types.
        market.clock.advance_ms(60_000);
        assert_eq!(refusal(pay(market, &guest, id, "sandbox").await.unwrap_err()), GiftCardRefusal::Expired);
        assert_eq!(refusal(apply(market, &guest, &expiring.code).await.unwrap_err()), GiftCardRefusal::Expired);
        assert_eq!(left(market, &soon.code).await, 20_000);
        assert_eq!(paid_by_cards(market, &guest, id).await, (vec![20_000], total - 20_000));
        for _ in 0..4 {
            market.clock.advance_ms(1);
            apply(market, &guest, &card(market, 100).await.code).await.unwrap();
        }
        let one_more = card(market, 100).await;
        assert_eq!(refusal(apply(market, &guest, &one_more.code).await.unwrap_err()), GiftCardRefusal::TooMany);
        assert_eq!(view(market, &guest, id).await.gift_cards.len(), 5);
        let stranger = market.guest_with(&[]).await;
        assert_eq!(gift_cards::apply(engine, &stranger, id, &soon.code).await, Err(Error::NotFound));
        assert_eq!(gift_cards::remove(engine, &stranger, id, soon.id).await, Err(Error::NotFound));
    }

    async fn only_admins_issue_cards_in_currencies_of_the_market(market) {
        let engine = &market.selling_in(&["EUR"]);
        let euros = Money::new(5_000, "EUR".parse().unwrap());
        let [owner, guest] = [market.owner(MEENA).await, market.guest_with(&[]).await];
        for caller in [&owner, &guest] {
            assert!(gift_cards::issue(engine, caller, euros, "Thanks", None).await.is_err());
            assert!(gift_cards::list(engine, caller).await.is_err());
        }
        let issue = async |amount, reason, until| gift_cards::issue(engine, &Caller::system(), amount, reason, until).await;
        let yen = Money::new(5_000, "JPY".parse().unwrap());
        let now = engine.clock.now_ms();
        for (amount, reason, until, field) in [
            (yen, "Thanks", None, "currency"),
            (inr(0), "Thanks", None, "amount"),
            (inr(-1), "Thanks", None, "amount"),
            (inr(i64::MAX), "Thanks", None, "amount"),
            (inr(1), " ", None, "reason"),
            (inr(1), "Thanks", Some(now), "expires_on"),
        ] {
            assert!(issue(amount, reason, until).await.unwrap_err().at(field).is_some(), "{field}");
        }
        let card = issue(euros, "Thanks", None).await.unwrap();
        let (guest, ..) = bowl(market).await;
        assert_eq!(refusal(apply(market, &guest, &card.code).await.unwrap_err()), GiftCardRefusal::OtherCurrency);
        let listed = gift_cards::list(engine, &Caller::system()).await.unwrap();
        assert_eq!(listed.iter().map(|card| (card.balance, card.reason.as_str())).collect::<Vec<_>>(), [(euros, "Thanks")]);
        let held = state(market, &card.code).await;
        assert_eq!((held.balance, held.reason.as_str()), (euros, ""), "what admins wrote is theirs");
        let (id, key) = gift_cards::link(engine, &guest, &card.code).await.unwrap();
        assert_eq!(gift_cards::by_link(engine, &guest, id, &key).await, Ok(held));
        assert_eq!(gift_cards::by_link(engine, &guest, id, &key[1..]).await, Err(Error::NotFound));
        let actions = audit::list(engine, &Caller::system(), "").await.unwrap();
        assert_eq!(actions.items.iter().filter(|row| row.action == "gift_cards::issue").count(), 1);
    }

    async fn codes_can_be_read_for_ten_minutes_by_who_issued_them(market) {
        let engine = &market.engine;
        let an_admin = async |name: &str| {
            let user = market.signed_up(&Caller::guest(), name).await.user_id().unwrap();
            admin::grant_role(engine, &Caller::system(), Grantee::Id(user), AdminRole::Finance).await.unwrap();
            market.owner(name).await
        };
        let [first, second] = [an_admin("first").await, an_admin("second").await];
        let card = gift_cards::issue(engine, &first, inr(500), "Sorry", None).await.unwrap();
        assert_eq!(gift_cards::issued(engine, &first, card.id).await, Ok(card.code.clone()));
        assert_eq!(gift_cards::issued(engine, &second, card.id).await, Err(Error::NotFound));
        assert_eq!(left(market, &card.code).await, 500);
        market.clock.advance_ms(600_000);
        assert_eq!(gift_cards::issued(engine, &first, card.id).await, Err(Error::NotFound));
    }

    async fn attack_codes_are_tried_out(market) {
        let engine = market.bounded(Bounds { codes_per_hour: 5, ..Bounds::NONE });
        let (guest, id, _) = bowl(market).await;
        let card = card(market, 500).await;
        let robot = Caller { origin: Some([7; 32]), ..guest };
        for _ in 0..5 {
            let wrong = gift_cards::balance(&engine, &robot, "0000-0000-0000-0000").await.unwrap_err();
            assert_eq!(refusal(wrong), GiftCardRefusal::Unknown);
        }
        // Even a right guess is of no use now, wherever it is entered.
        assert_eq!(gift_cards::balance(&engine, &robot, &card.code).await.unwrap_err().code(), "rate_limited");
        assert_eq!(gift_cards::link(&engine, &robot, &card.code).await.unwrap_err().code(), "rate_limited");
        assert_eq!(gift_cards::apply(&engine, &robot, id, &card.code).await.unwrap_err().code(), "rate_limited");
    }

    async fn two_hundred_spends_never_exceed_the_balance(market) {
        let engine = &market.engine;
        let pin = market.product(MEENA, "Clay pin", 1_000, 900).await;
        let card = card(market, 100_000).await;
        let mut checkouts = Vec::new();
        for _ in 0..200 {
            let guest = market.guest_with(&[(pin, 1)]).await;
            let id = apply(market, &guest, &card.code).await.unwrap();
            checkouts.push((guest, id));
        }
        let total = view(market, &checkouts[0].0, checkouts[0].1).await.quote.totals.total.amount();
        let pay = |(guest, id): (Caller, CheckoutId)| {
            let engine = engine.clone();
            async move { checkout::pay(&engine, &guest, id, form("sandbox"), 2, "k").await }
        };
        let paid = at_once(checkouts.into_iter().map(pay).collect()).await;
        let done = paid.iter().filter(|paid| matches!(paid, Ok(NextAction::Done { .. }))).count() as i64;
        let refused = paid.iter().filter(|paid| matches!(paid, Err(Error::Conflict(Conflict::GiftCard(_))))).count() as i64;
        assert_eq!((done, refused), (100_000 / total, 200 - 100_000 / total), "{:?}", paid.iter().find(|p| p.is_err()));
        assert_eq!(left(market, &card.code).await, 100_000 % total);
        market.settle().await;
    }
}
