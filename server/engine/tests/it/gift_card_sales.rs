//! Gift cards that are bought: each is issued once, mailed on its day, and refunded only while nothing was spent.

use haat_engine::{
    Caller, cart_codes, carts, checkout, gift_cards,
    notifications::{Mail, mailbox},
    orders,
    payments::GatewayStatus,
    promotions, random,
    sandbox::{self, Card},
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money,
    checkout::{CheckoutUpdate, HOLD_MS},
    gift_cards::{GiftCardForm, GiftCardRefusal, IN_CART_MAX},
    id::kinds::{CheckoutId, GiftCardId},
    orders::{LineQuantity, NewRefund, PurchaseView},
    payments::{NextAction, PaymentMethod},
    promotions::{PromotionForm, Refusal},
};

use crate::{both, disputes, races::at_once, support::*};

const MEENA: &str = "meena-crafts";
const DAY_MS: i64 = 86_400_000;

fn inr(minor: i64) -> Money {
    Money::new(minor, Currency::INR)
}

fn gift(amount: &str) -> GiftCardForm {
    GiftCardForm {
        amount: amount.into(),
        recipient_name: "Ravi".into(),
        recipient_email: "ravi@example.com".into(),
        sender_name: "Asha".into(),
        message: "Happy birthday!\nYours, Asha".into(),
        locale: "hi".into(),
        ..GiftCardForm::default()
    }
}

/// Puts a gift card into a cart.
async fn put(market: &Market, caller: &mut Caller, form: &GiftCardForm) -> Result<(), Error> {
    let changed = gift_cards::add_to_cart(&market.engine, caller, form).await?;
    if let Some(token) = changed.token {
        caller.cart = Some(random::token_hash(&token));
    }
    market.clock.advance_ms(1);
    Ok(())
}

async fn giver(market: &Market, form: &GiftCardForm) -> Caller {
    let mut guest = Caller::guest();
    put(market, &mut guest, form).await.unwrap();
    guest
}

/// Only what a purchase of gift cards needs.
fn brief(method: &str) -> CheckoutUpdate {
    CheckoutUpdate {
        payment_method: PaymentMethod::parse(method),
        email: "asha@example.com".into(),
        ..CheckoutUpdate::default()
    }
}

async fn pay(
    market: &Market,
    guest: &Caller,
    id: CheckoutId,
    typed: CheckoutUpdate,
) -> Result<NextAction, Error> {
    let view = checkout::view(&market.engine, guest, id).await.unwrap();
    checkout::pay(&market.engine, guest, id, typed, view.quote.version, &view.key).await
}

/// Sells a gift card of ₹500 to a guest, and returns the number of the purchase.
pub async fn sold(market: &Market) -> (Caller, String) {
    let guest = giver(market, &gift("500")).await;
    let number = market.buy_by_card(&guest).await;
    market.settle().await;
    (guest, number)
}

async fn purchase(market: &Market, number: &str) -> PurchaseView {
    orders::purchase(&market.engine, &Caller::guest(), number, &market.key(number)).await.unwrap()
}

/// The emails with gift cards, oldest first.
async fn cards(market: &Market) -> Vec<Mail> {
    let mut mails = Vec::new();
    for card in mailbox::latest(&market.engine.db).await.unwrap() {
        if card.subject.starts_with("gift card") {
            mails.push(mailbox::find(&market.engine.db, card.id).await.unwrap());
        }
    }
    mails.reverse();
    mails
}

fn code_in(mail: &Mail) -> String {
    mail.text.split_once(' ').unwrap().1.to_owned()
}

async fn left(market: &Market, code: &str) -> i64 {
    gift_cards::balance(&market.engine, &Caller::system(), code).await.unwrap().balance.amount()
}

fn refusal<T: std::fmt::Debug>(done: Result<T, Error>) -> GiftCardRefusal {
    match done.unwrap_err() {
        Error::Conflict(Conflict::GiftCard(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn kept(market: &Market) -> i64 {
    sandbox::captures(&market.engine.db).await.unwrap().kept_minor
}

both! {
    async fn codes_never_discount_cards_nor_stop_their_purchase(market) {
        let engine = &market.engine;
        let all = PromotionForm {
            label: "For all".into(),
            code: "ALL10".into(),
            kind: "percent".into(),
            percent: "10".into(),
            ..PromotionForm::default()
        };
        promotions::create_of_market(engine, &Caller::system(), &all).await.unwrap();
        let guest = giver(market, &gift("500")).await;
        let refused = Err(Conflict::Code(Refusal::OtherItems).into());
        assert_eq!(cart_codes::add_code(engine, &guest, "ALL10").await.map(drop), refused);
        checkout::begin(engine, &guest).await.unwrap();
        assert_eq!(cart_codes::add_code(engine, &guest, "ALL10").await.map(drop), refused);
        checkout::begin(engine, &guest).await.unwrap();
        // A code of items that were removed is said, and can be removed, too.
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let mut both = market.guest_with(&[(bowl, 1)]).await;
        cart_codes::add_code(engine, &both, "ALL10").await.unwrap();
        put(market, &mut both, &gift("500")).await.unwrap();
        let cart = carts::view(engine, &both).await.unwrap();
        carts::remove_line(engine, &both, cart.groups[0].lines[0].id).await.unwrap();
        let cart = carts::view(engine, &both).await.unwrap();
        let said = cart.discounts.iter().map(|of| (of.code.as_str(), of.refusal)).collect::<Vec<_>>();
        assert_eq!((cart.groups.len(), said), (0, vec![("ALL10", Some(Refusal::OtherItems))]));
        cart_codes::remove_code(engine, &both, cart.discounts[0].promotion_id.unwrap()).await.unwrap();
        checkout::begin(engine, &both).await.unwrap();
    }

    async fn a_card_is_bought_without_an_address_mailed_and_spent(market) {
        let engine = &market.engine;
        let guest = giver(market, &gift("500")).await;
        let cart = carts::view(engine, &guest).await.unwrap();
        assert_eq!((cart.item_count, cart.totals.unwrap().total, cart.gifts.len()), (1, inr(50_000), 1));
        let id = checkout::begin(engine, &guest).await.unwrap();
        assert_eq!(checkout::begin(engine, &guest).await.unwrap(), id, "it continues");
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!((view.groups.len(), view.gifts[0].amount, view.quote.to_pay), (0, inr(50_000), inr(50_000)));
        assert!(view.payment_methods.iter().all(|method| method.collected_by_market()));
        assert_eq!(checkout::page(engine, &guest, id).await.unwrap().faults.len(), 1, "only the email address");
        assert_eq!(checkout::update(engine, &guest, id, brief("sandbox")).await.unwrap().to_pay, inr(50_000));
        let next = pay(market, &guest, id, brief("sandbox")).await.unwrap();
        let NextAction::Redirect { url } = next else { panic!("{next:?}") };
        let gateway_ref = url.rsplit('/').next().unwrap().to_owned();
        let payment = sandbox::find(&engine.db, &gateway_ref).await.unwrap().attempt_id;
        assert!(cards(market).await.is_empty());
        market.enter(&gateway_ref, Card::Approve).await;
        let number = number_in(&market.come_back(payment).await.unwrap());
        market.settle().await;
        let bought = purchase(market, &number).await;
        assert_eq!((bought.totals.total, bought.orders.len(), bought.gifts.len()), (inr(50_000), 0, 1));
        assert_eq!(bought.address.parts.name, "Asha");
        assert!(bought.gifts[0].sent_at.is_some() && !bought.is_pickup());
        let mails = cards(market).await;
        assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["ravi@example.com"]);
        assert!(mails[0].html.starts_with("hi ") && mails[0].html.contains("Happy birthday!"), "{}", mails[0].html);
        let code = code_in(&mails[0]);
        assert_eq!(left(market, &code).await, 50_000);
        // The buyer's confirmation says for whom it is, but not the code.
        let told: Vec<_> = mailbox::latest(&engine.db).await.unwrap().into_iter().filter(|mail| mail.recipient == "asha@example.com").collect();
        let told = mailbox::find(&engine.db, told[0].id).await.unwrap();
        assert!(told.html.contains("Ravi") && !told.html.contains(&code) && !told.text.contains(&code));
        assert!(carts::view(engine, &guest).await.unwrap().is_empty());
        // The recipient spends it.
        let bowl = market.product(MEENA, "Clay bowl", 15_000, 9).await;
        let ravi = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(engine, &ravi).await.unwrap();
        gift_cards::apply(engine, &ravi, id, &code).await.unwrap();
        number_of(&pay(market, &ravi, id, form("sandbox")).await.unwrap());
        assert!(left(market, &code).await < 50_000);
        market.settle().await;
        let listed = gift_cards::list(engine, &Caller::system()).await.unwrap();
        assert_eq!((listed.len(), listed[0].purchase.as_deref(), listed[0].refunded), (1, Some(number.as_str()), false));
    }

    async fn a_card_to_oneself_goes_to_the_buyers_address(market) {
        let form = GiftCardForm { own_amount: "1,234.50".into(), ..GiftCardForm::default() };
        let guest = giver(market, &form).await;
        let number = market.buy_by_card(&guest).await;
        market.settle().await;
        let mails = cards(market).await;
        assert_eq!((mails.len(), mails[0].to.as_str()), (1, "asha@example.com"));
        assert!(mails[0].html.starts_with("en "), "the language of the buyer");
        assert_eq!(purchase(market, &number).await.gifts[0].gift.amount, inr(123_450));
    }

    async fn a_card_is_sent_on_its_day_and_again_on_request(market) {
        let engine = &market.engine;
        let today = engine.zone.day(market.clock.now_ms());
        let in_days = |days| haat_shared::shipping::date(today + days);
        let guest = giver(market, &GiftCardForm { send_on: in_days(10), ..gift("500") }).await;
        let number = market.buy_by_card(&guest).await;
        market.settle().await;
        let bought = purchase(market, &number).await.gifts.remove(0);
        assert_eq!((bought.gift.send_on, bought.sent_at), (in_days(10), None));
        let again = async || gift_cards::resend(engine, &guest, &number, "", bought.id).await;
        assert_eq!(refusal(again().await), GiftCardRefusal::NotSentAgain);
        market.clock.advance_ms(9 * DAY_MS);
        gift_cards::send_due(engine).await.unwrap();
        market.settle().await;
        assert!(cards(market).await.is_empty());
        market.clock.advance_ms(DAY_MS + DAY_MS / 2);
        // On several nodes at once.
        let due = (0..4).map(|_| { let engine = engine.clone(); async move { gift_cards::send_due(&engine).await } });
        at_once(due.collect()).await.into_iter().for_each(|sent| sent.unwrap());
        market.settle().await;
        let mails = cards(market).await;
        assert_eq!(mails.len(), 1);
        assert!(purchase(market, &number).await.gifts[0].sent_at.is_some());
        assert_eq!(refusal(again().await), GiftCardRefusal::NotSentAgain, "not at once");
        for n in 2..=6 {
            market.clock.advance_ms(60_000);
            again().await.unwrap();
            market.settle().await;
            assert_eq!(cards(market).await.len(), n);
        }
        market.clock.advance_ms(60_000);
        assert_eq!(refusal(again().await), GiftCardRefusal::NotSentAgain, "five times");
        let mails = cards(market).await;
        assert!(mails.iter().all(|mail| code_in(mail) == code_in(&mails[0])));
        let stranger = market.guest_with(&[]).await;
        assert_eq!(gift_cards::resend(engine, &stranger, &number, "", bought.id).await, Err(Error::NotFound));
        let (_, other) = sold(market).await;
        let key = market.key(&other);
        assert_eq!(gift_cards::resend(engine, &stranger, &other, &key, bought.id).await, Err(Error::NotFound));
    }

    async fn a_mixed_basket_is_paid_partly_by_a_card_but_not_for_the_card(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 15_000, 9).await;
        let card = gift_cards::issue(engine, &Caller::system(), inr(100_000), "Thanks", None).await.unwrap();
        let mut guest = market.guest_with(&[(bowl, 2)]).await;
        put(market, &mut guest, &gift("500")).await.unwrap();
        let id = checkout::begin(engine, &guest).await.unwrap();
        let total = checkout::view(engine, &guest, id).await.unwrap().quote.totals.total.amount();
        let paid = pay(market, &guest, id, form("cash")).await;
        assert_eq!(refusal(paid), GiftCardRefusal::BoughtInCash);
        gift_cards::apply(engine, &guest, id, &card.code).await.unwrap();
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!((view.quote.to_pay, view.gift_cards[0].amount.amount()), (inr(50_000), total - 50_000));
        assert_eq!(refusal(gift_cards::apply(engine, &guest, id, &card.code).await), GiftCardRefusal::ForGiftCards);
        let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, Card::Approve).await;
        let number = number_in(&market.come_back(payment).await.unwrap());
        market.settle().await;
        let bought = purchase(market, &number).await;
        assert_eq!((bought.totals.total.amount(), bought.orders.len(), bought.gifts.len()), (total, 1, 1));
        assert_eq!((kept(market).await, left(market, &card.code).await), (50_000, 150_000 - total));
        // The order's refund goes to the card that paid it; that of the gift card to the payment.
        let owner = market.owner(MEENA).await;
        let position = bought.orders[0].lines[0].position;
        let one = NewRefund { lines: vec![LineQuantity { position, quantity: 1 }], reason: "Chipped".into(), ..NewRefund::default() };
        orders::confirm(engine, &owner, MEENA, &format!("{number}-1")).await.unwrap();
        orders::refund(engine, &owner, MEENA, &format!("{number}-1"), one).await.unwrap();
        market.settle().await;
        assert_eq!((kept(market).await, left(market, &card.code).await), (50_000, 165_000 - total));
        gift_cards::refund(engine, &Caller::system(), bought.gifts[0].id).await.unwrap();
        market.settle().await;
        assert_eq!((kept(market).await, left(market, &card.code).await), (0, 165_000 - total));
    }

    async fn gift_cards_cannot_be_paid_with_gift_cards_or_in_cash(market) {
        let engine = &market.engine;
        let card = gift_cards::issue(engine, &Caller::system(), inr(100_000), "Thanks", None).await.unwrap();
        let guest = giver(market, &gift("500")).await;
        let id = checkout::begin(engine, &guest).await.unwrap();
        assert_eq!(refusal(gift_cards::apply(engine, &guest, id, &card.code).await), GiftCardRefusal::ForGiftCards);
        assert_eq!(refusal(pay(market, &guest, id, brief("cash")).await), GiftCardRefusal::BoughtInCash);
        let next = pay(market, &guest, id, brief("gift_card")).await;
        assert_eq!(next.unwrap_err().at("payment_method"), Some(FieldCode::NotAChoice));
        assert_eq!(carts::view(engine, &guest).await.unwrap().gifts.len(), 1, "nothing is lost");
    }

    async fn a_card_is_refunded_only_while_nothing_was_spent(market) {
        let engine = &market.engine;
        let (guest, number) = sold(market).await;
        let id = purchase(market, &number).await.gifts[0].id;
        let code = code_in(&cards(market).await[0]);
        let owner = market.owner(MEENA).await;
        assert!(gift_cards::refund(engine, &owner, id).await.is_err());
        assert!(gift_cards::refund(engine, &guest, id).await.is_err());
        // A part of it is spent, and comes back.
        let bowl = market.product(MEENA, "Clay bowl", 15_000, 9).await;
        let ravi = market.guest_with(&[(bowl, 1)]).await;
        let checkout = checkout::begin(engine, &ravi).await.unwrap();
        gift_cards::apply(engine, &ravi, checkout, &code).await.unwrap();
        let order = number_of(&pay(market, &ravi, checkout, form("sandbox")).await.unwrap());
        assert_eq!(refusal(gift_cards::refund(engine, &Caller::system(), id).await), GiftCardRefusal::NotRefundable);
        orders::cancel(engine, &owner, MEENA, &format!("{order}-1"), "The kiln broke").await.unwrap();
        market.settle().await;
        let open = market.guest_with(&[(bowl, 1)]).await;
        let checkout = checkout::begin(engine, &open).await.unwrap();
        gift_cards::apply(engine, &open, checkout, &code).await.unwrap();
        assert_eq!(kept(market).await, 50_000);
        gift_cards::refund(engine, &Caller::system(), id).await.unwrap();
        market.settle().await;
        assert_eq!((kept(market).await, left(market, &code).await), (0, 0));
        assert!(purchase(market, &number).await.gifts[0].refunded);
        assert_eq!(refusal(pay(market, &open, checkout, form("sandbox")).await), GiftCardRefusal::Disabled);
        assert_eq!(refusal(gift_cards::refund(engine, &Caller::system(), id).await), GiftCardRefusal::NotRefundable, "once");
        market.clock.advance_ms(DAY_MS);
        let again = gift_cards::resend(engine, &guest, &number, "", id).await;
        assert_eq!(refusal(again), GiftCardRefusal::NotSentAgain);
        // Cards that were given away have no buyer.
        let given = gift_cards::issue(engine, &Caller::system(), inr(500), "Thanks", None).await.unwrap();
        assert_eq!(refusal(gift_cards::refund(engine, &Caller::system(), given.id).await), GiftCardRefusal::NotRefundable);
        let none: GiftCardId = random::id(0);
        assert_eq!(gift_cards::refund(engine, &Caller::system(), none).await, Err(Error::NotFound));
    }

    async fn spending_and_refunding_at_once_is_one_of_them(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 15_000, 90).await;
        for _ in 0..5 {
            let (_, number) = sold(market).await;
            let id = purchase(market, &number).await.gifts[0].id;
            let code = code_in(cards(market).await.last().unwrap());
            let ravi = market.guest_with(&[(bowl, 1)]).await;
            let checkout = checkout::begin(engine, &ravi).await.unwrap();
            gift_cards::apply(engine, &ravi, checkout, &code).await.unwrap();
            let spend = { let (engine, ravi) = (engine.clone(), ravi.clone()); Box::pin(async move {
                checkout::pay(&engine, &ravi, checkout, form("sandbox"), 2, "k").await.map(drop)
            }) as std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> };
            let mut all = vec![spend];
            for _ in 0..3 {
                let engine = engine.clone();
                all.push(Box::pin(async move { gift_cards::refund(&engine, &Caller::system(), id).await }));
            }
            let done = at_once(all).await;
            assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
            market.settle().await;
        }
    }

    async fn completing_a_payment_many_times_at_once_issues_one_card(market) {
        let engine = &market.engine;
        for n in 1..=5 {
            let guest = giver(market, &gift("500")).await;
            let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
            market.enter(&gateway_ref, Card::Approve).await;
            let captured = GatewayStatus::Captured(inr(50_000));
            let nodes = market.two_nodes().await;
            let complete = (0..12).map(|at| {
                let (engine, gateway_ref) = (nodes[at % 2].clone(), gateway_ref.clone());
                async move { checkout::complete(&engine, payment, &gateway_ref, captured).await }
            });
            for done in at_once(complete.collect()).await {
                done.unwrap();
            }
            number_in(&market.come_back(payment).await.unwrap());
            market.settle().await;
            assert_eq!(gift_cards::list(engine, &Caller::system()).await.unwrap().len(), n);
            assert_eq!(cards(market).await.len(), n);
        }
    }

    async fn a_payment_after_the_checkout_expired_still_buys_the_card(market) {
        let guest = giver(market, &gift("500")).await;
        let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.clock.advance_ms(2 * HOLD_MS);
        checkout::sweep(&market.engine).await.unwrap();
        market.enter(&gateway_ref, Card::Approve).await;
        let number = number_in(&market.come_back(payment).await.unwrap());
        market.settle().await;
        assert_eq!((purchase(market, &number).await.gifts.len(), cards(market).await.len()), (1, 1));
    }

    async fn what_is_in_the_basket_can_be_removed_and_follows_its_owner(market) {
        let engine = &market.engine;
        let mut guest = giver(market, &gift("500")).await;
        put(market, &mut guest, &gift("1000")).await.unwrap();
        let id = carts::view(engine, &guest).await.unwrap().gifts[0].id;
        let other = giver(market, &gift("500")).await;
        assert_eq!(gift_cards::remove_from_cart(engine, &other, id).await, Err(Error::NotFound));
        gift_cards::remove_from_cart(engine, &guest, id).await.unwrap();
        assert_eq!(gift_cards::remove_from_cart(engine, &guest, id).await, Err(Error::NotFound));
        // Another checkout replaces the one before.
        let before = checkout::begin(engine, &guest).await.unwrap();
        put(market, &mut guest, &gift("500")).await.unwrap();
        let after = checkout::begin(engine, &guest).await.unwrap();
        assert_ne!(before, after);
        assert_eq!(checkout::view(engine, &guest, after).await.unwrap().quote.totals.total, inr(150_000));
        let lines = market.product(MEENA, "Clay bowl", 15_000, 9).await;
        let mut asha = market.signed_up(&Caller::guest(), "asha").await;
        market.add(&mut asha, lines, 1).await.unwrap();
        let token = guest.cart.unwrap();
        let joined = haat_shared::accounts::SignIn { email: sign_up("asha").email, password: PASSWORD.into() };
        haat_engine::accounts::sign_in(engine, &Caller { cart: Some(token), ..Caller::guest() }, joined).await.unwrap();
        let cart = carts::view(engine, &asha).await.unwrap();
        assert_eq!((cart.gifts.len(), cart.groups.len(), cart.item_count), (2, 1, 3));
        assert_eq!(carts::item_count(engine, &asha).await, Ok(3));
        let number = market.buy_by_card(&asha).await;
        market.settle().await;
        let history = orders::history(engine, &asha, "").await.unwrap().items;
        assert_eq!((history[0].number.as_str(), history[0].gifts, history[0].orders), (number.as_str(), 2, 1));
        for _ in 0..IN_CART_MAX {
            put(market, &mut asha, &gift("500")).await.unwrap();
        }
        assert_eq!(refusal(put(market, &mut asha, &gift("500")).await), GiftCardRefusal::TooManyInCart);
        market.buy_by_card(&asha).await;
        market.settle().await;
        let history = orders::history(engine, &asha, "").await.unwrap().items;
        assert_eq!((history[0].gifts, history[0].orders, history[0].shipping_method), (IN_CART_MAX, 0, None));
        assert!(checkout::last_address(engine, &asha).await.unwrap().is_some(), "that of the order before");
    }

    async fn cards_are_in_the_markets_currency_and_sold_only_if_they_can_be(market) {
        let engine = &market.selling_in(&["EUR"]);
        let market_too = &market.on(engine);
        let guest = giver(market_too, &gift("500")).await;
        let chosen = Caller { currency: Some("EUR".parse().unwrap()), ..guest };
        let cart = carts::view(engine, &chosen).await.unwrap();
        assert_eq!(cart.totals.unwrap().total, inr(50_000));
        let in_euros = checkout::begin_in(engine, &chosen, chosen.currency).await.unwrap_err();
        assert_eq!(in_euros, Conflict::MixedCurrencies.into());
        let id = checkout::begin(engine, &chosen).await.unwrap();
        assert_eq!(checkout::view(engine, &chosen, id).await.unwrap().quote.to_pay, inr(50_000));
        let (terms, days) = gift_cards::offer(engine).await.unwrap().unwrap();
        assert_eq!((terms.least, days[0].len()), (inr(10_000), 10));
        for (form, field) in [
            (GiftCardForm { amount: "99".into(), ..gift("") }, "amount"),
            (GiftCardForm { send_on: "2020-01-01".into(), ..gift("500") }, "send_on"),
        ] {
            assert!(gift_cards::add_to_cart(engine, &Caller::guest(), &form).await.unwrap_err().at(field).is_some());
        }
        let none = market.without_gift_cards();
        assert_eq!(gift_cards::offer(&none).await, Ok(None));
        assert_eq!(refusal(gift_cards::add_to_cart(&none, &Caller::guest(), &gift("500")).await), GiftCardRefusal::NotSold);
    }

    async fn a_dispute_of_a_mixed_purchase_leaves_the_cards_share_to_the_market(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_100, 9).await;
        let mut guest = market.guest_with(&[(bowl, 1)]).await;
        put(market, &mut guest, &gift("500")).await.unwrap();
        let (number, _, gateway_ref) = disputes::bought(market, &guest).await;
        let bought = purchase(market, &number).await;
        let dispute = disputes::disputed(market, &gateway_ref, None, 0).await;
        market.settle().await;
        let owner = market.owner(MEENA).await;
        let order = orders::seller_order(engine, &owner, MEENA, &format!("{number}-1")).await.unwrap();
        let held: i64 = order.disputes.iter().map(|dispute| dispute.amount.amount()).sum();
        assert_eq!(held, bought.orders[0].totals.total.amount());
        let id = bought.gifts[0].id;
        assert_eq!(refusal(gift_cards::refund(engine, &Caller::system(), id).await), GiftCardRefusal::NotRefundable);
        disputes::decide(market, &dispute, "won").await;
        market.settle().await;
        gift_cards::refund(engine, &Caller::system(), id).await.unwrap();
    }
}
