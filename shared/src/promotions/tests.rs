//! Which promotions apply, worked out by hand. The cases follow examples that shop systems publish; each names where.

use super::*;
use crate::pricing::{LineItem, LineKind, Shipping, TaxRule};

const NOW: i64 = 1_000_000;

fn inr(amount: i64) -> Money {
    Money::new(amount, Currency::INR)
}

fn shop(number: u128) -> ShopId {
    ShopId::from_uuid(Uuid::from_u128(number))
}

fn product(number: u128) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(number))
}

/// A line: its number is also that of its product. Prices are in whole rupees.
#[derive(Clone, Copy)]
struct Line {
    number: u128,
    shop: u128,
    category: &'static str,
    quantity: i64,
    price: i64,
}

fn line(number: u128, quantity: i64, price: i64) -> Line {
    Line { number, shop: 1, category: "", quantity, price }
}

fn basket(lines: &[Line], shipping: i64) -> (Vec<ShopItems>, Vec<LineFacts>) {
    let mut shops: Vec<ShopItems> = Vec::new();
    let mut facts = Vec::new();
    for line in lines {
        let (id, of) = (Uuid::from_u128(line.number), shop(line.shop));
        let item = LineItem {
            id,
            kind: LineKind::Goods,
            quantity: line.quantity,
            unit_price: inr(line.price * 100),
            tax: TaxRule::NONE,
            commission_bp: 0,
        };
        let list = item.list_price().unwrap();
        facts.push(LineFacts {
            id,
            shop: of,
            product: product(line.number),
            category: line.category.into(),
            list,
        });
        match shops.iter_mut().find(|items| items.shop == of) {
            Some(items) => items.lines.push(item),
            None => shops.push(ShopItems {
                shop: of,
                lines: vec![item],
                shipping: Some(Shipping::untaxed(inr(shipping * 100))),
            }),
        }
    }
    (shops, facts)
}

fn terms(benefit: Benefit) -> Terms {
    Terms {
        label: "Sale".into(),
        benefit,
        products: Vec::new(),
        categories: Vec::new(),
        shops: Vec::new(),
        minimum: None,
        maximum: None,
        cap: None,
        combines: true,
        market_bp: 0,
    }
}

fn percent(percent: i64) -> Terms {
    terms(Benefit::Percent(percent * 100))
}

fn amount(rupees: i64) -> Terms {
    terms(Benefit::Amount(inr(rupees * 100)))
}

fn buy_get(buy: i64, get: i64, off: i64) -> Terms {
    terms(Benefit::BuyGet { buy, get, off_bp: off * 100 })
}

fn coupon(number: u128, terms: Terms) -> Offer {
    Offer {
        id: PromotionId::from_uuid(Uuid::from_u128(number)),
        shop: None,
        code: Some(format!("CODE{number}")),
        starts_at: 0,
        ends_at: None,
        left: None,
        left_for_person: None,
        terms,
    }
}

fn automatic(number: u128, terms: Terms) -> Offer {
    Offer { code: None, ..coupon(number, terms) }
}

/// The total in paise, and the refusals.
fn outcome(lines: &[Line], shipping: i64, offers: Vec<Offer>) -> (i64, Vec<Option<Refusal>>) {
    let (shops, facts) = basket(lines, shipping);
    let choice = choose(Currency::INR, &shops, &facts, &[], offers, NOW).unwrap();
    let quote = pricing::quote(Currency::INR, &shops, &choice.promotions).unwrap();
    (quote.price.totals.total.amount(), choice.codes.into_iter().map(|code| code.refusal).collect())
}

#[test]
fn a_displaced_offer_is_said() {
    let displaced = |offers: Vec<Offer>, lines: &[Line]| {
        let (shops, facts) = basket(lines, 50);
        let choice = choose(Currency::INR, &shops, &facts, &[], offers, NOW).unwrap();
        choice.displaced.into_iter().map(|(id, label)| (id.uuid().as_u128(), label)).collect::<Vec<_>>()
    };
    let alone = |terms: Terms| Terms { combines: false, ..terms };
    let sale = || (9, "Sale".to_owned());
    let (one, two) = ([line(1, 1, 100)], [line(1, 1, 100), line(2, 1, 100)]);
    let of_one = |terms: Terms| Terms { products: vec![product(1)], ..terms };
    // A coupon that can't be combined displaces an offer, and an offer that can't be gives way to a coupon.
    assert_eq!(displaced(vec![coupon(1, alone(percent(20))), automatic(9, percent(10))], &one), [sale()]);
    assert_eq!(displaced(vec![coupon(1, percent(20)), automatic(9, alone(percent(10)))], &one), [sale()]);
    // Those that apply together, to other lines or to nothing, are not displaced.
    assert_eq!(displaced(vec![coupon(1, percent(20)), automatic(9, percent(10))], &one), []);
    assert_eq!(displaced(vec![automatic(9, alone(percent(10)))], &one), []);
    assert_eq!(displaced(vec![coupon(1, of_one(alone(percent(50)))), automatic(9, percent(10))], &two), []);
    assert_eq!(displaced(vec![coupon(1, alone(percent(5))), automatic(9, alone(percent(10)))], &one), []);
    let high = Terms { minimum: Some(inr(99_900)), ..percent(10) };
    assert_eq!(displaced(vec![coupon(1, alone(percent(20))), automatic(9, high)], &one), []);
    // An offer displaces another one, too.
    assert_eq!(displaced(vec![automatic(1, alone(percent(20))), automatic(9, percent(10))], &one), [sale()]);
    let free = terms(Benefit::FreeShipping);
    assert_eq!(displaced(vec![coupon(1, alone(percent(20))), automatic(9, free)], &one), []);
}

#[test]
fn published_examples() {
    let on = |products: &[u128], terms: Terms| Terms {
        products: products.iter().map(|n| product(*n)).collect(),
        ..terms
    };
    let minimum = |rupees: i64, terms: Terms| Terms { minimum: Some(inr(rupees * 100)), ..terms };
    let maximum = |rupees: i64, terms: Terms| Terms { maximum: Some(inr(rupees * 100)), ..terms };
    let cap = |rupees: i64, terms: Terms| Terms { cap: Some(inr(rupees * 100)), ..terms };
    let alone = |terms: Terms| Terms { combines: false, ..terms };
    let ok: &[Option<Refusal>] = &[None];
    // Name and source, lines, shipping in rupees, offers, total in paise, refusals.
    type Case<'a> = (&'a str, Vec<Line>, i64, Vec<Offer>, i64, &'a [Option<Refusal>]);
    let cases: Vec<Case> = vec![
        // WooCommerce, "Coupon management": three T-shirts at 20 with 10 % off the cart: a discount of 6.
        (
            "WooCommerce, percentage discount",
            vec![line(1, 3, 20)],
            0,
            vec![coupon(1, percent(10))],
            5_400,
            ok,
        ),
        // The same with 10 off the cart: a discount of 10.
        ("WooCommerce, fixed cart discount", vec![line(1, 3, 20)], 0, vec![coupon(1, amount(10))], 5_000, ok),
        // A cart is never below zero, however large the coupon.
        ("WooCommerce, never below zero", vec![line(1, 1, 5)], 0, vec![coupon(1, amount(10))], 0, ok),
        // YayPricing (WooCommerce), "How the rules are applied": a Beanie of 20 less 5, then less 20 %: 12.
        (
            "YayPricing, one rule after another",
            vec![line(1, 3, 20)],
            0,
            vec![coupon(1, amount(15)), coupon(2, percent(20))],
            3_600,
            &[None, None],
        ),
        // Usage restrictions, minimum spend: the subtotal that is needed to use the coupon.
        (
            "WooCommerce, minimum spend met",
            vec![line(1, 1, 100)],
            0,
            vec![coupon(1, minimum(100, percent(10)))],
            9_000,
            ok,
        ),
        (
            "WooCommerce, minimum spend missed",
            vec![line(1, 1, 99)],
            0,
            vec![coupon(1, minimum(100, percent(10)))],
            9_900,
            &[Some(Refusal::BelowMinimum)],
        ),
        // Maximum spend: the maximum subtotal allowed.
        (
            "WooCommerce, maximum spend kept",
            vec![line(1, 1, 200)],
            0,
            vec![coupon(1, maximum(200, percent(10)))],
            18_000,
            ok,
        ),
        (
            "WooCommerce, maximum spend exceeded",
            vec![line(1, 1, 201)],
            0,
            vec![coupon(1, maximum(200, percent(10)))],
            20_100,
            &[Some(Refusal::AboveMaximum)],
        ),
        // Individual use only: the coupon cannot be used in conjunction with other coupons.
        (
            "WooCommerce, individual use only",
            vec![line(1, 1, 100)],
            0,
            vec![coupon(1, percent(10)), coupon(2, alone(percent(5)))],
            9_000,
            &[None, Some(Refusal::NotCombinable)],
        ),
        // Products: the coupon applies to these only.
        (
            "WooCommerce, products",
            vec![line(1, 1, 100), line(2, 1, 50)],
            0,
            vec![coupon(1, on(&[1], percent(50)))],
            10_000,
            ok,
        ),
        (
            "WooCommerce, product not in the cart",
            vec![line(2, 1, 50)],
            0,
            vec![coupon(1, on(&[1], percent(50)))],
            5_000,
            &[Some(Refusal::OtherItems)],
        ),
        // Allow free shipping.
        (
            "WooCommerce, free shipping",
            vec![line(1, 1, 100)],
            10,
            vec![coupon(1, terms(Benefit::FreeShipping))],
            10_000,
            ok,
        ),
        // The setting to calculate discounts sequentially: 10 % and then 20 % of 100 leave 72.
        (
            "WooCommerce, sequential discounts",
            vec![line(1, 1, 100)],
            0,
            vec![coupon(1, percent(10)), coupon(2, percent(20))],
            7_200,
            &[None, None],
        ),
        // Shopify Help, "Buy X get Y discounts": buy two, get one free; it is the cheapest eligible one.
        (
            "Shopify, buy 2 get 1 free",
            vec![line(1, 3, 30)],
            0,
            vec![coupon(1, buy_get(2, 1, 100))],
            6_000,
            ok,
        ),
        (
            "Shopify, the cheapest item is free",
            vec![line(1, 2, 30), line(2, 1, 10)],
            0,
            vec![coupon(1, buy_get(2, 1, 100))],
            6_000,
            ok,
        ),
        (
            "Shopify, buy 1 get 1 at 50 %",
            vec![line(1, 2, 40)],
            0,
            vec![automatic(1, buy_get(1, 1, 50))],
            6_000,
            &[],
        ),
        // It applies once for each set: six items are two.
        ("Shopify, two sets", vec![line(1, 6, 10)], 0, vec![automatic(1, buy_get(2, 1, 100))], 4_000, &[]),
        (
            "Shopify, too few items",
            vec![line(1, 2, 10)],
            0,
            vec![automatic(1, buy_get(2, 1, 100))],
            2_000,
            &[],
        ),
        // Function Studio (Shopify), "Quantity logic": every second item at 50 %, of five items: two are reduced.
        (
            "Function Studio, every second item",
            vec![line(1, 5, 10)],
            0,
            vec![automatic(1, buy_get(1, 1, 50))],
            4_000,
            &[],
        ),
        // Kite (Shopify), "Buy X Get Y": buy two, get two at 50 %.
        (
            "Kite, buy 2 get 2 at 50 %",
            vec![line(1, 4, 10)],
            0,
            vec![automatic(1, buy_get(2, 2, 50))],
            3_000,
            &[],
        ),
        // Acendy, "Buy X for Y": 75 % off the cheapest of every three.
        (
            "Acendy, 75 % off the cheapest of three",
            vec![line(1, 2, 40), line(2, 1, 20)],
            0,
            vec![automatic(1, buy_get(2, 1, 75))],
            8_500,
            &[],
        ),
        // Smilehouse Workspace, "Buy X get Y": buy three, pay for two.
        (
            "Workspace, buy 3 pay 2",
            vec![line(1, 3, 12)],
            0,
            vec![automatic(1, buy_get(2, 1, 100))],
            2_400,
            &[],
        ),
        // Shopify Help, "Amount off order": the amount is shared by the items in proportion to their prices.
        (
            "Shopify, amount off order",
            vec![line(1, 1, 75), line(2, 1, 25)],
            0,
            vec![coupon(1, amount(20))],
            8_000,
            ok,
        ),
        // Shopify Help, "Combining discounts": a product discount and free shipping can be combined.
        (
            "Shopify, product discount with free shipping",
            vec![line(1, 1, 100)],
            15,
            vec![coupon(1, percent(10)), automatic(2, terms(Benefit::FreeShipping))],
            9_000,
            ok,
        ),
        // The same page: if discounts can't be combined, the better one is kept.
        (
            "Shopify, the better of two that don't combine",
            vec![line(1, 1, 100)],
            0,
            vec![coupon(1, alone(percent(5))), automatic(2, alone(percent(20)))],
            8_000,
            &[Some(Refusal::NotCombinable)],
        ),
        // Adobe Commerce (Magento), "Cart price rules": 10 in percent of the product price is 10 % less.
        (
            "Magento, percent of product price",
            vec![line(1, 1, 50)],
            0,
            vec![automatic(1, percent(10))],
            4_500,
            &[],
        ),
        // A fixed amount of 10 for the whole cart.
        (
            "Magento, fixed amount for the whole cart",
            vec![line(1, 1, 50), line(2, 1, 30)],
            0,
            vec![automatic(1, amount(10))],
            7_000,
            &[],
        ),
        // A rule that discards subsequent ones is alone.
        (
            "Magento, discard subsequent rules",
            vec![line(1, 1, 100)],
            0,
            vec![coupon(1, alone(percent(25))), automatic(2, percent(10))],
            7_500,
            ok,
        ),
        // "Buy this, get that free", its example: a step of 3, an amount of 1.
        (
            "Magento, buy 3 get 1 free",
            vec![line(1, 4, 25)],
            0,
            vec![coupon(1, buy_get(3, 1, 100))],
            7_500,
            ok,
        ),
        // Free shipping for matching items, from a minimum.
        (
            "Magento, free shipping from a minimum",
            vec![line(1, 1, 100)],
            12,
            vec![automatic(1, minimum(100, terms(Benefit::FreeShipping)))],
            10_000,
            &[],
        ),
        (
            "Magento, free shipping below the minimum",
            vec![line(1, 1, 99)],
            12,
            vec![automatic(1, minimum(100, terms(Benefit::FreeShipping)))],
            11_100,
            &[],
        ),
        // Razorpay, "Offers": a percentage up to a maximum.
        (
            "Razorpay, percentage up to a maximum",
            vec![line(1, 1, 2_000)],
            0,
            vec![coupon(1, cap(150, percent(10)))],
            185_000,
            ok,
        ),
        // vendurehq/vendure#4660 and macrozheng/mall#1003: two coupons together go below zero.
        (
            "Vendure, two coupons are never below zero",
            vec![line(1, 1, 15)],
            0,
            vec![coupon(1, amount(10)), coupon(2, amount(10))],
            0,
            &[None, None],
        ),
        // A third of 100.00 and of 0.01: rounded once, half up.
        ("rounded once", vec![line(1, 3, 333)], 0, vec![coupon(1, percent(33))], 66_933, ok),
        // Free shipping where it is free has no effect, and is not used up.
        (
            "no effect",
            vec![line(1, 1, 100)],
            0,
            vec![coupon(1, terms(Benefit::FreeShipping))],
            10_000,
            &[Some(Refusal::NoEffect)],
        ),
    ];
    assert!(cases.len() >= 20);
    for (name, lines, shipping, offers, total, refusals) in cases {
        let (actual, refused) = outcome(&lines, shipping, offers);
        assert_eq!((actual, refused.as_slice()), (total, refusals), "{name}");
    }
}

#[test]
fn each_refusal_has_its_reason() {
    let one = || coupon(1, percent(10));
    let of_shop = |number| Offer { shop: Some(shop(number)), ..one() };
    let in_dollars = terms(Benefit::Amount(Money::new(100, "USD".parse().unwrap())));
    let pots = |category: &str| Terms { categories: vec![category.into()], ..percent(10) };
    let cases = [
        (one(), None),
        (Offer { starts_at: NOW + 1, ..one() }, Some(Refusal::NotStarted)),
        (Offer { starts_at: NOW, ..one() }, None),
        (Offer { ends_at: Some(NOW), ..one() }, Some(Refusal::Ended)),
        (Offer { ends_at: Some(NOW + 1), ..one() }, None),
        (Offer { left: Some(0), ..one() }, Some(Refusal::UsedUp)),
        (Offer { left: Some(1), ..one() }, None),
        (Offer { left_for_person: Some(0), ..one() }, Some(Refusal::UsedByYou)),
        (of_shop(1), None),
        (of_shop(2), Some(Refusal::OtherItems)),
        (coupon(1, in_dollars), Some(Refusal::OtherItems)),
        (coupon(1, pots("home/")), None),
        (coupon(1, pots("home/pots/")), None),
        (coupon(1, pots("home/pots/clay/")), Some(Refusal::OtherItems)),
        (coupon(1, Terms { shops: vec![shop(1)], ..percent(10) }), None),
        (coupon(1, Terms { shops: vec![shop(2)], ..percent(10) }), Some(Refusal::OtherItems)),
    ];
    for (offer, refusal) in cases {
        let bowl = Line { category: "home/pots/", ..line(1, 1, 100) };
        let total = if refusal.is_some() { 10_000 } else { 9_000 };
        assert_eq!(outcome(&[bowl], 0, vec![offer.clone()]), (total, vec![refusal]), "{offer:?}");
    }
}

#[test]
fn a_coupon_never_makes_a_basket_dearer() {
    // On the first line, the coupon would displace the better offer.
    let offers = vec![
        coupon(1, Terms { combines: false, products: vec![product(1)], ..percent(5) }),
        automatic(2, Terms { combines: false, ..percent(10) }),
    ];
    let (total, refused) = outcome(&[line(1, 1, 100), line(2, 1, 100)], 0, offers);
    assert_eq!((total, refused), (18_000, vec![Some(Refusal::NotCombinable)]));
    // A better coupon takes the place of the offer on its line, and only there.
    let offers = vec![
        coupon(1, Terms { combines: false, products: vec![product(1)], ..percent(50) }),
        automatic(2, percent(10)),
    ];
    assert_eq!(outcome(&[line(1, 1, 100), line(2, 1, 100)], 0, offers), (14_000, vec![None]));
}

#[test]
fn the_cost_is_shared_to_the_unit() {
    let (shops, facts) = basket(&[line(1, 1, 100), line(2, 3, 33), Line { shop: 2, ..line(3, 1, 77) }], 0);
    let shared = coupon(1, Terms { market_bp: 3_333, ..percent(10) });
    let choice = choose(Currency::INR, &shops, &facts, &[], vec![shared], NOW).unwrap();
    let quote = pricing::quote(Currency::INR, &shops, &choice.promotions).unwrap();
    let of = |bearer| -> i64 {
        let adjustments = quote.price.adjustments.iter().filter(|a| a.borne_by == bearer);
        -adjustments.map(|a| a.amount.amount()).sum::<i64>()
    };
    // 10 % of 276; 33.33 % of it, half up.
    assert_eq!((of(pricing::Bearer::Market), of(pricing::Bearer::Shop)), (920, 1_840));
    let [discount] = &Discount::of(&quote.price.adjustments)[..] else { panic!("one discount") };
    assert_eq!((discount.amount, discount.name().as_str()), (inr(2_760), "Sale (CODE1)"));
}

#[test]
fn codes_are_compared_without_case_and_spaces() {
    for typed in ["diwali20", " DIWALI20 ", "Diwali20", "diwali\u{200B}20"] {
        assert_eq!(fold_code(typed), "diwali20", "{typed:?}");
    }
    assert_eq!(fold_code("दिवाली"), "दिवाली");
    assert_eq!(fold_code("  "), "");
}

#[test]
fn forms_are_checked_field_by_field() {
    let form = PromotionForm {
        label: "Diwali".into(),
        code: "DIWALI20".into(),
        kind: "percent".into(),
        percent: "20 %".into(),
        uses: "100".into(),
        ends_on: "2026-12-01".into(),
        ..PromotionForm::default()
    };
    let draft = form.check(Currency::INR, false).unwrap();
    assert_eq!((draft.terms.benefit, draft.terms.market_bp), (Benefit::Percent(2_000), 0));
    assert_eq!((draft.code.as_deref(), draft.uses), (Some("DIWALI20"), Some(100)));
    assert_eq!(form.check(Currency::INR, true).unwrap().terms.market_bp, 10_000);
    let wrong = |form: PromotionForm, field: &str, code| {
        let faults = form.check(Currency::INR, true).unwrap_err();
        assert_eq!(faults, [FieldError::new(field, code)], "{form:?}");
    };
    wrong(PromotionForm { label: " ".into(), ..form.clone() }, "label", FieldCode::Missing);
    wrong(PromotionForm { percent: "-5".into(), ..form.clone() }, "percent", FieldCode::TooSmall);
    wrong(PromotionForm { code: "TWO WORDS".into(), ..form.clone() }, "code", FieldCode::BadCharacter(' '));
    wrong(PromotionForm { code: String::new(), ..form.clone() }, "code", FieldCode::Missing);
    wrong(PromotionForm { kind: "gift".into(), ..form.clone() }, "kind", FieldCode::NotAChoice);
    wrong(PromotionForm { percent: "101".into(), ..form.clone() }, "percent", FieldCode::TooBig);
    wrong(PromotionForm { percent: "0".into(), ..form.clone() }, "percent", FieldCode::TooSmall);
    wrong(PromotionForm { percent: "1.234".into(), ..form.clone() }, "percent", FieldCode::NotDecimal(2));
    wrong(PromotionForm { percent: "abc".into(), ..form.clone() }, "percent", FieldCode::NotDecimal(2));
    wrong(PromotionForm { kind: "amount".into(), ..form.clone() }, "amount", FieldCode::Missing);
    wrong(PromotionForm { uses: "0".into(), ..form.clone() }, "uses", FieldCode::TooSmall);
    wrong(PromotionForm { ends_on: "2026-02-30".into(), ..form.clone() }, "ends_on", FieldCode::NotDate);
    wrong(
        PromotionForm { starts_on: "2026-12-02".into(), ..form.clone() },
        "ends_on",
        FieldCode::NotAfterStart,
    );
    wrong(
        PromotionForm { minimum: "200".into(), maximum: "100".into(), ..form.clone() },
        "maximum",
        FieldCode::TooSmall,
    );
}

#[test]
fn a_shop_names_no_other_shops_and_bears_its_cost() {
    let form =
        PromotionForm { label: "Ours".into(), kind: "free_shipping".into(), ..PromotionForm::default() };
    let faults = |form: PromotionForm| {
        let faults = form.check(Currency::INR, false).err().unwrap_or_default();
        faults.into_iter().map(|fault| (fault.field, fault.code)).collect::<Vec<_>>()
    };
    let others = PromotionForm { shops: "kiran-tea".into(), ..form.clone() };
    assert_eq!(others.check(Currency::INR, true).unwrap().shops, ["kiran-tea"]);
    assert_eq!(faults(others), [("shops".to_owned(), FieldCode::NotAChoice)]);
    let shared = PromotionForm { market_percent: "50".into(), ..form.clone() };
    assert_eq!(faults(shared), [("market_percent".to_owned(), FieldCode::TooBig)]);
    for own in ["", " 0 ", "0.00", "0%"] {
        assert_eq!(faults(PromotionForm { market_percent: own.into(), ..form.clone() }), [], "{own}");
    }
}

#[test]
fn a_preview_costs_what_the_basket_would() {
    let form = PromotionForm {
        label: "Three for two".into(),
        kind: "buy_get".into(),
        buy: "2".into(),
        get: "1".into(),
        ..PromotionForm::default()
    };
    let draft = form.check(Currency::INR, false).unwrap();
    let basket = |quantity, shipping| PreviewBasket { price: inr(10_000), quantity, shipping: inr(shipping) };
    let cost = |quantity| preview(&draft, &basket(quantity, 0), 0).unwrap().totals.total.amount();
    assert_eq!([cost(2), cost(3), cost(7)], [20_000, 20_000, 50_000]);
    // Of what has no effect on a basket, it says why.
    let form = PromotionForm {
        label: "Free from 300".into(),
        kind: "free_shipping".into(),
        minimum: "300".into(),
        maximum: "500".into(),
        starts_on: "2026-12-05".into(),
        ends_on: "2026-12-24".into(),
        ..PromotionForm::default()
    };
    let draft = form.check(Currency::INR, false).unwrap();
    let on = |day: &str, quantity| {
        let BasketPreview { totals, refusal, .. } =
            preview(&draft, &basket(quantity, 4_900), crate::text::day(day).unwrap()).unwrap();
        (totals.total.amount() - totals.subtotal.amount(), refusal)
    };
    for (day, quantity, expected) in [
        ("2026-12-05", 3, (0, None)),
        ("2026-12-24", 5, (0, None)),
        ("2026-12-04", 3, (0, Some(Refusal::NotStarted))),
        ("2026-12-04", 2, (4_900, Some(Refusal::BelowMinimum))),
        ("2026-12-05", 2, (4_900, Some(Refusal::BelowMinimum))),
        ("2026-12-05", 6, (4_900, Some(Refusal::AboveMaximum))),
        ("2026-12-25", 3, (4_900, Some(Refusal::Ended))),
    ] {
        assert_eq!(on(day, quantity), expected, "{day} {quantity}");
    }
    // And who bears the cost: half up, of the whole discount.
    for (percent, by_market) in [("", 3_001), ("50", 1_501), ("33.34", 1_001), ("0", 0)] {
        let form = PromotionForm {
            label: "Market day".into(),
            kind: "percent".into(),
            percent: "10".into(),
            market_percent: percent.into(),
            ..PromotionForm::default()
        };
        let draft = form.check(Currency::INR, true).unwrap();
        let basket = PreviewBasket { price: inr(10_003), quantity: 3, shipping: inr(0) };
        let BasketPreview { totals, by_market: borne, .. } = preview(&draft, &basket, 0).unwrap();
        assert_eq!((totals.discount.amount(), borne.amount()), (3_001, by_market), "{percent}");
    }
}

#[test]
fn links_are_read_as_slugs() {
    let cases: [(&str, &[&str]); 6] = [
        ("", &[]),
        (" , ", &[]),
        ("clay-bowl", &["clay-bowl"]),
        ("clay-bowl,tea  pens", &["clay-bowl", "tea", "pens"]),
        ("https://haat.example/p/clay-bowl?ref=a/b#top\n/c/tea/", &["clay-bowl", "tea"]),
        ("https://haat.example/shops/meena-crafts/", &["meena-crafts"]),
    ];
    for (typed, expected) in cases {
        assert_eq!(slugs(typed), expected, "{typed}");
    }
}

/// As in an exported file.
#[test]
fn a_form_of_a_draft_is_read_as_the_same_draft() {
    let form = PromotionForm {
        label: "Diwali".into(),
        code: "DIWALI20".into(),
        kind: "percent".into(),
        percent: "12,5 %".replace(',', "."),
        products: "/p/clay-bowl, jug".into(),
        categories: "tableware".into(),
        shops: "meena-crafts".into(),
        minimum: "₹1,249.5".into(),
        cap: "100".into(),
        starts_on: "2026-12-01".into(),
        ends_on: "2026-12-31".into(),
        uses: "100".into(),
        uses_per_person: "1".into(),
        combines: "on".into(),
        market_percent: "33.33".into(),
        ..PromotionForm::default()
    };
    for form in [
        form.clone(),
        PromotionForm { kind: "amount".into(), amount: "99".into(), maximum: "5000".into(), ..form.clone() },
        PromotionForm { kind: "free_shipping".into(), combines: String::new(), ..form.clone() },
        PromotionForm { kind: "buy_get".into(), buy: "2".into(), get: "1".into(), ..form.clone() },
    ] {
        let draft = form.check(Currency::INR, true).unwrap();
        let written = draft.form(&form.starts_on, &form.ends_on);
        assert_eq!(written.check(Currency::INR, true).as_ref(), Ok(&draft), "{written:?}");
        assert_eq!(written.fields().map(|(name, _)| name).len(), 19);
        assert_eq!(
            PromotionForm::read(|name| written
                .fields()
                .iter()
                .find(|(known, _)| *known == name)
                .unwrap()
                .1
                .to_owned()),
            written
        );
    }
}
