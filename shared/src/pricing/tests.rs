//! Prices worked out by hand, and sums that hold for any basket.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// The rates of some taxes, in millionths.
const RATES: [[i64; TAXES_MAX]; 7] = [
    [0, 0, 0],
    [50_000, 0, 0],
    [90_000, 90_000, 0],
    [50_000, 99_750, 0],
    [275_000, 0, 0],
    [60_000, 12_500, 22_500],
    [333_333, 333_333, 333_334],
];

const CURRENCIES: [&str; 4] = ["INR", "USD", "JPY", "KWD"];

fn inr(amount: i64) -> Money {
    Money::new(amount, Currency::INR)
}

fn shop(number: u128) -> ShopId {
    ShopId::from_uuid(Uuid::from_u128(number))
}

fn line(id: u128, quantity: i64, unit: i64, tax: TaxRule) -> LineItem {
    let (id, unit_price) = (Uuid::from_u128(id), inr(unit));
    LineItem { id, kind: LineKind::Goods, quantity, unit_price, tax, commission_bp: 1_000 }
}

fn of_shop(number: u128, lines: &[LineItem], shipping: i64) -> ShopItems {
    let shipping = Some(Shipping::untaxed(inr(shipping)));
    ShopItems { shop: shop(number), lines: lines.to_vec(), shipping }
}

fn promotion(benefit: Benefit) -> Promotion {
    Promotion {
        code: "SALE".into(),
        label: "Sale".into(),
        id: None,
        market_bp: 0,
        combines: true,
        scope: Scope::Market,
        benefit,
        minimum: None,
        cap: None,
    }
}

fn percent(bp: i64) -> Promotion {
    promotion(Benefit::Percent(bp))
}

fn amount(minor: i64) -> Promotion {
    promotion(Benefit::Amount(inr(minor)))
}

/// Subtotal, discount, shipping, tax and total.
fn figures(price: &Breakdown) -> [i64; 5] {
    let Totals { subtotal, discount, shipping, tax, total } = price.totals;
    [subtotal, discount, shipping, tax, total].map(Money::amount)
}

#[test]
fn quotes_worked_out_by_hand() {
    let (in_18, on_18) = (TaxRule::included(180_000), TaxRule::added(180_000));
    let [bowl, lamp] = [line(1, 2, 45_000, in_18), line(2, 1, 129_900, on_18)];
    let two_shops = vec![of_shop(1, &[bowl], 4_900), of_shop(2, &[lamp], 4_900)];
    let coins =
        |tax| vec![of_shop(1, &[line(1, 1, 100, tax), line(2, 1, 100, tax), line(3, 1, 100, tax)], 0)];
    let gift = LineItem { kind: LineKind::GiftCard, commission_bp: 0, ..line(9, 1, 50_000, TaxRule::NONE) };
    let cap = |promotion: Promotion, cap| Promotion { cap: Some(inr(cap)), ..promotion };
    let minimum = |promotion: Promotion, minimum| Promotion { minimum: Some(inr(minimum)), ..promotion };
    let scoped = |scope, promotion: Promotion| Promotion { scope, ..promotion };
    let by_market = |promotion: Promotion| Promotion { market_bp: WHOLE_BP, ..promotion };
    let taxed_shipping = |tax| {
        let shipping = Some(Shipping { price: inr(4_900), tax });
        vec![ShopItems { shipping, ..of_shop(1, &[bowl], 0) }]
    };
    let free = || promotion(Benefit::FreeShipping);
    // Items, promotions; subtotal, discount, shipping, tax, total; commission base and commission.
    let cases: Vec<(&str, Vec<ShopItems>, Vec<Promotion>, [i64; 5], [i64; 2])> = vec![
        ("nothing", vec![], vec![percent(1_000)], [0, 0, 0, 0, 0], [0, 0]),
        ("no lines", vec![of_shop(1, &[], 100)], vec![free()], [0, 0, 100, 0, 100], [0, 0]),
        // 90,000 × 18 ÷ 118 = 13,728.8
        (
            "tax in the price",
            two_shops[..1].into(),
            vec![],
            [90_000, 0, 4_900, 13_729, 94_900],
            [90_000, 9_000],
        ),
        // 129,900 × 18 % = 23,382
        (
            "tax on top",
            two_shops[1..].into(),
            vec![],
            [129_900, 0, 4_900, 23_382, 158_182],
            [129_900, 12_990],
        ),
        ("both", two_shops.clone(), vec![], [219_900, 0, 9_800, 37_111, 253_082], [219_900, 21_990]),
        // 4,900 × 18 ÷ 118 = 747.5, and × 18 % = 882
        (
            "tax in shipping",
            taxed_shipping(in_18),
            vec![],
            [90_000, 0, 4_900, 14_476, 94_900],
            [90_000, 9_000],
        ),
        (
            "tax on shipping",
            taxed_shipping(on_18),
            vec![],
            [90_000, 0, 4_900, 14_611, 95_782],
            [90_000, 9_000],
        ),
        // 9,000 and 12,990 off: 81,000 × 18 ÷ 118 = 12,355.9, and 116,910 × 18 % = 21,043.8
        (
            "a tenth off",
            two_shops.clone(),
            vec![percent(1_000)],
            [219_900, 21_990, 9_800, 33_400, 228_754],
            [197_910, 19_791],
        ),
        (
            "borne by the market",
            two_shops.clone(),
            vec![by_market(percent(1_000))],
            [219_900, 21_990, 9_800, 33_400, 228_754],
            [219_900, 21_990],
        ),
        (
            "one shop's",
            two_shops.clone(),
            vec![scoped(Scope::Shop(shop(1)), percent(1_000))],
            [219_900, 9_000, 9_800, 35_738, 244_082],
            [210_900, 21_090],
        ),
        // A tenth of a tenth less: 90,000 − 9,000 − 8,100
        (
            "one on another",
            two_shops[..1].into(),
            vec![percent(1_000), percent(1_000)],
            [90_000, 17_100, 4_900, 11_120, 77_800],
            [72_900, 7_290],
        ),
        (
            "up to a cap",
            two_shops[..1].into(),
            vec![cap(percent(5_000), 10_000)],
            [90_000, 10_000, 4_900, 12_203, 84_900],
            [80_000, 8_000],
        ),
        (
            "below the minimum",
            two_shops[..1].into(),
            vec![minimum(amount(5_000), 90_001)],
            [90_000, 0, 4_900, 13_729, 94_900],
            [90_000, 9_000],
        ),
        (
            "from the minimum on",
            two_shops[..1].into(),
            vec![minimum(amount(5_000), 90_000)],
            [90_000, 5_000, 4_900, 12_966, 89_900],
            [85_000, 8_500],
        ),
        // 100 among 3: 34, 33 and 33 off, so 66, 67 and 67 are left, each with 10 of tax in it
        ("a hundred among three", coins(in_18), vec![amount(100)], [300, 100, 0, 30, 200], [200, 20]),
        ("all off, and no more", coins(on_18), vec![amount(301)], [300, 300, 0, 0, 0], [0, 0]),
        (
            "some lines",
            coins(TaxRule::NONE),
            vec![scoped(Scope::Lines(vec![Uuid::from_u128(2)]), percent(1_500))],
            [300, 15, 0, 0, 285],
            [285, 28],
        ),
        (
            "free shipping",
            two_shops.clone(),
            vec![free()],
            [219_900, 9_800, 9_800, 37_111, 243_282],
            [219_900, 21_990],
        ),
        (
            "free shipping of one shop",
            two_shops.clone(),
            vec![scoped(Scope::Lines(vec![lamp.id]), free())],
            [219_900, 4_900, 9_800, 37_111, 248_182],
            [219_900, 21_990],
        ),
        (
            "shipping up to a cap",
            two_shops.clone(),
            vec![cap(free(), 5_000)],
            [219_900, 5_000, 9_800, 37_111, 248_082],
            [219_900, 21_990],
        ),
        (
            "gift cards are money",
            vec![of_shop(1, &[gift, line(1, 1, 100, in_18)], 0)],
            vec![percent(5_000)],
            [50_100, 50, 0, 8, 50_050],
            [50_050, 5],
        ),
    ];
    for (name, shops, promotions, expected, commission) in cases {
        let quote = quote(Currency::INR, &shops, &promotions).unwrap();
        assert_eq!(figures(&quote.price), expected, "{name}");
        let Breakdown { commission_base, commission: part, .. } = quote.price;
        assert_eq!([commission_base, part].map(Money::amount), commission, "{name}");
        holds(&quote);
    }
}

#[test]
fn adjustments_say_what_changed_where() {
    let shops = [
        of_shop(1, &[line(1, 1, 100, TaxRule::NONE), line(2, 1, 300, TaxRule::NONE)], 50),
        of_shop(2, &[line(3, 1, 600, TaxRule::NONE)], 0),
    ];
    let market = Promotion { code: "ALL".into(), market_bp: WHOLE_BP, ..percent(1_000) };
    let promotions = [percent(5_000), market, promotion(Benefit::FreeShipping)];
    let quote = quote(Currency::INR, &shops, &promotions).unwrap();
    let changes = |price: &Breakdown| -> Vec<(String, Bearer, i64)> {
        price.adjustments.iter().map(|a| (a.code.to_string(), a.borne_by, a.amount.amount())).collect()
    };
    let sale = |amount| ("SALE".to_owned(), Bearer::Shop, amount);
    let both = |first, all| vec![sale(first), ("ALL".into(), Bearer::Market, all)];
    let all = |first, all| [both(first, all), vec![sale(-50)]].concat();
    assert_eq!(changes(&quote.shops[0].lines[0].price), both(-50, -5));
    assert_eq!(changes(&quote.shops[0].lines[1].price), both(-150, -15));
    assert_eq!(changes(&quote.shops[0].shipping), [sale(-50)]);
    assert_eq!(changes(&quote.shops[0].price), all(-200, -20));
    assert_eq!(changes(&quote.shops[1].price), both(-300, -30));
    assert_eq!(changes(&quote.price), all(-500, -50));
    let after_others: Vec<bool> = quote.price.adjustments.iter().map(|a| a.after_others).collect();
    assert_eq!(after_others, [false, true, false]);
}

#[test]
fn what_cannot_be_is_refused() {
    let good = line(1, 1, 100, TaxRule::NONE);
    let usd = Money::new(1, "USD".parse().unwrap());
    let bad_lines = [
        (LineItem { quantity: -1, ..good }, MoneyError::OutOfBounds),
        (LineItem { unit_price: inr(-1), ..good }, MoneyError::OutOfBounds),
        (LineItem { tax: TaxRule::added(-1), ..good }, MoneyError::OutOfBounds),
        (LineItem { commission_bp: 10_001, ..good }, MoneyError::OutOfBounds),
        (LineItem { unit_price: usd, ..good }, MoneyError::MixedCurrencies),
        (LineItem { unit_price: inr(i64::MAX), quantity: 2, ..good }, MoneyError::Overflow),
    ];
    for (bad, error) in bad_lines {
        assert_eq!(quote(Currency::INR, &[of_shop(1, &[bad], 0)], &[]), Err(error), "{bad:?}");
    }
    let bad_promotions = [
        (percent(10_001), MoneyError::OutOfBounds),
        (amount(-1), MoneyError::OutOfBounds),
        (promotion(Benefit::Amount(usd)), MoneyError::MixedCurrencies),
        (Promotion { cap: Some(inr(-1)), ..percent(1) }, MoneyError::OutOfBounds),
        (Promotion { minimum: Some(usd), ..percent(1) }, MoneyError::MixedCurrencies),
    ];
    for (bad, error) in bad_promotions {
        let shops = [of_shop(1, &[good], 0)];
        assert_eq!(quote(Currency::INR, &shops, std::slice::from_ref(&bad)), Err(error), "{bad:?}");
    }
    assert_eq!(quote(Currency::INR, &[of_shop(1, &[good], -1)], &[]), Err(MoneyError::OutOfBounds));
}

/// The sums of every level, worked out again from the level below.
fn holds(quote: &Quote) {
    fn sum<'a>(parts: impl IntoIterator<Item = &'a Breakdown>, of: impl Fn(&Breakdown) -> i64) -> i64 {
        parts.into_iter().map(of).sum()
    }
    let kept = |price: &Breakdown, level: &str| {
        let [subtotal, discount, shipping, tax, total] = figures(price);
        let added = price.totals.added_tax().unwrap().amount();
        assert_eq!(total, subtotal - discount + shipping + added, "{level}");
        assert!(figures(price).iter().all(|figure| *figure >= 0), "{level}: {price:?}");
        assert!(discount <= subtotal + shipping, "{level}: {price:?}");
        assert!((0..=tax).contains(&added), "{level}: {price:?}");
        let adjusted: i64 = price.adjustments.iter().map(|a| a.amount.amount()).sum();
        assert!(price.adjustments.iter().all(|a| a.amount.amount() < 0), "{level}: {price:?}");
        assert_eq!(adjusted, -discount, "{level}");
        let (base, commission) = (price.commission_base.amount(), price.commission.amount());
        assert!(0 <= commission && commission <= base && base <= subtotal, "{level}: {price:?}");
    };
    let sums = |whole: &Breakdown, parts: &[&Breakdown], level: &str| {
        kept(whole, level);
        for i in 0..5 {
            assert_eq!(figures(whole)[i], sum(parts.iter().copied(), |p| figures(p)[i]), "{level}: {i}");
        }
        let base = sum(parts.iter().copied(), |p| p.commission_base.amount());
        let commission = sum(parts.iter().copied(), |p| p.commission.amount());
        assert_eq!(
            [whole.commission_base, whole.commission].map(Money::amount),
            [base, commission],
            "{level}"
        );
        for adjustment in &whole.adjustments {
            let parts = parts.iter().flat_map(|p| &p.adjustments).filter(|a| a.key() == adjustment.key());
            let amount: i64 = parts.map(|a| a.amount.amount()).sum();
            assert_eq!(adjustment.amount.amount(), amount, "{level}");
        }
    };
    for shop in &quote.shops {
        for LineQuote { line, price } in &shop.lines {
            kept(price, "line");
            let [subtotal, discount, shipping, tax, total] = figures(price);
            assert_eq!((subtotal, shipping), (line.unit_price.amount() * line.quantity, 0));
            let left = subtotal - discount;
            match line.tax.included {
                true => assert!(total == left && tax <= left, "{line:?}: {price:?}"),
                false => assert_eq!(total, left + tax, "{line:?}"),
            }
        }
        kept(&shop.shipping, "shipping");
        let mut parts: Vec<&Breakdown> = shop.lines.iter().map(|line| &line.price).collect();
        parts.push(&shop.shipping);
        sums(&shop.price, &parts, "shop");
    }
    let parts: Vec<&Breakdown> = quote.shops.iter().map(|shop| &shop.price).collect();
    sums(&quote.price, &parts, "whole");
}

/// The same, given in another order.
fn shuffled(shops: &[ShopItems], seed: u128) -> Vec<ShopItems> {
    let place = |id: Uuid| (id.as_u128() ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let mut shops = shops.to_vec();
    shops.sort_by_key(|items| place(items.shop.uuid()));
    for items in &mut shops {
        items.lines.sort_by_key(|line| place(line.id));
    }
    shops
}

/// Each shop and line by its ID, and the whole.
fn by_id(quote: Quote) -> (BTreeMap<ShopId, Breakdown>, BTreeMap<Uuid, LineQuote>, Breakdown) {
    let shops = quote.shops.iter().map(|shop| (shop.shop, shop.price.clone())).collect();
    let lines = quote.shops.into_iter().flat_map(|shop| shop.lines);
    (shops, lines.map(|line| (line.line.id, line)).collect(), quote.price)
}

prop_compose! {
    fn tax_rules()(rates in prop::sample::select(RATES.to_vec()), included: bool) -> TaxRule {
        TaxRule { rates_ppm: rates, included, exempt: false }
    }
}

/// Prices from nothing to the most that there may be, mostly small: there the rounding shows.
fn prices() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0..200i64, 4 => 0..1_000_000i64, 1 => 0..=crate::money::PRICE_MAX]
}

prop_compose! {
    fn lines()(
        kind in prop::sample::select(LineKind::ALL.to_vec()), quantity in 0..12i64, unit in prices(), tax in tax_rules(),
        commission_bp in prop::sample::select(vec![0, 333, 800, 10_000]),
    ) -> (LineKind, i64, i64, TaxRule, i64) {
        (kind, quantity, unit, tax, commission_bp)
    }
}

prop_compose! {
    fn baskets()(
        code in prop::sample::select(CURRENCIES.to_vec()),
        shops in prop::collection::vec((0..9_000i64, tax_rules(), any::<bool>()), 1..=5),
        lines in prop::collection::vec((lines(), 0..5usize), 1..=40),
    ) -> (Currency, Vec<ShopItems>) {
        let currency: Currency = code.parse().unwrap();
        let mut shops: Vec<ShopItems> = (1..).zip(shops).map(|(number, (price, tax, ships))| {
            let shipping = ships.then_some(Shipping { price: Money::new(price, currency), tax });
            ShopItems { shop: shop(number), lines: Vec::new(), shipping }
        }).collect();
        let count = shops.len();
        for (id, ((kind, quantity, unit, tax, commission_bp), of)) in (1u128..).zip(lines) {
            let (id, unit_price) = (Uuid::from_u128(id), Money::new(unit, currency));
            shops[of % count].lines.push(LineItem { id, kind, quantity, unit_price, tax, commission_bp });
        }
        (currency, shops)
    }
}

prop_compose! {
    fn promotions()(
        code in 0..4u8, market: bool, scope in 0..8u128, benefit in 0..5u8, size in 0..=WHOLE_BP,
        minimum in prop::option::weighted(0.3, prices()), cap in prop::option::weighted(0.3, prices()),
    ) -> (Promotion, Option<i64>, Option<i64>) {
        let scope = match scope {
            0..3 => Scope::Market,
            3..6 => Scope::Shop(shop(scope - 2)),
            every => Scope::Lines((0..=40).step_by(every as usize - 4).map(Uuid::from_u128).collect()),
        };
        let benefit = match benefit {
            0 => Benefit::FreeShipping,
            1..3 => Benefit::Amount(inr(size)),
            _ => Benefit::Percent(size),
        };
        let market_bp = if market { WHOLE_BP } else { 0 };
        (Promotion { code: code.to_string().into(), market_bp, scope, ..promotion(benefit) }, minimum, cap)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn parts_sum_to_the_whole_in_any_order(
        (currency, shops) in baskets(), given in prop::collection::vec(promotions(), 0..=6), seed: u128,
    ) {
        let promotions: Vec<Promotion> = given.into_iter().map(|(promotion, minimum, cap)| {
            let money = |amount| Money::new(amount, currency);
            let benefit = match promotion.benefit {
                Benefit::Amount(amount) => Benefit::Amount(money(amount.amount())),
                other => other,
            };
            Promotion { benefit, minimum: minimum.map(money), cap: cap.map(money), ..promotion }
        }).collect();
        let priced = quote(currency, &shops, &promotions).unwrap();
        holds(&priced);

        let plain = quote(currency, &shops, &[]).unwrap();
        holds(&plain);
        prop_assert!(plain.price.adjustments.is_empty());
        for (items, (plain, priced)) in shops.iter().zip(plain.shops.iter().zip(&priced.shops)) {
            prop_assert_eq!(plain.price.totals.subtotal, items.subtotal(currency).unwrap());
            prop_assert_eq!(plain.price.totals.subtotal, priced.price.totals.subtotal);
            prop_assert_eq!(plain.price.totals.shipping, priced.price.totals.shipping);
            prop_assert_eq!(plain.price.totals.discount.amount(), 0);
            prop_assert!(priced.price.totals.total.amount() <= plain.price.totals.total.amount());
        }

        // Without the last promotion, everything costs what it did before that one was applied.
        if let Some((last, earlier)) = promotions.split_last() {
            let before = quote(currency, &shops, earlier).unwrap();
            holds(&before);
            let others = |quote: &Quote| -> Vec<Vec<Adjustment>> {
                let of_shop = |shop: &ShopQuote| -> Vec<Breakdown> {
                    shop.lines.iter().map(|line| line.price.clone()).chain([shop.shipping.clone()]).collect()
                };
                let kept = |price: Breakdown| price.adjustments.into_iter().filter(|a| a.code != last.code).collect();
                quote.shops.iter().flat_map(of_shop).map(kept).collect()
            };
            prop_assert_eq!(others(&before), others(&priced));
            prop_assert!(priced.price.totals.discount.amount() >= before.price.totals.discount.amount());
        }

        let again = quote(currency, &shuffled(&shops, seed), &promotions).unwrap();
        prop_assert_eq!(by_id(again), by_id(priced));
    }

    /// What a shop's order costs without promotions: the sums that the first orders were charged.
    #[test]
    fn plain_orders_cost_simple_sums((currency, shops) in baskets()) {
        let mut shops = shops;
        for items in &mut shops {
            items.lines.iter_mut().for_each(|line| (line.tax.included, line.commission_bp) = (true, 800));
            items.shipping = items.shipping.map(|shipping| Shipping::untaxed(shipping.price));
        }
        let list = |line: &LineItem| i128::from(line.unit_price.amount()) * i128::from(line.quantity);
        let tax = |line: &LineItem| -> i128 {
            let rates = line.tax.rates_ppm.map(i128::from);
            let whole = 1_000_000 + rates.iter().sum::<i128>();
            // Half up: twice the tax and one, divided by two.
            rates.iter().map(|rate| (2 * list(line) * rate + whole) / (2 * whole)).sum()
        };
        let priced = quote(currency, &shops, &[]).unwrap();
        for (items, priced) in shops.iter().zip(&priced.shops) {
            let subtotal: i128 = items.lines.iter().map(list).sum();
            let shipping = items.shipping.map_or(0, |shipping| i128::from(shipping.price.amount()));
            let expected = [subtotal, 0, shipping, items.lines.iter().map(tax).sum(), subtotal + shipping];
            prop_assert_eq!(figures(&priced.price).map(i128::from), expected);
            prop_assert_eq!(i128::from(priced.price.commission.amount()), subtotal * 800 / 10_000);
        }
    }

    /// Those who are exempt pay the price without the tax, whether it is included or would be added.
    #[test]
    fn exempt_customers_pay_the_net_price((currency, shops) in baskets(), given in prop::collection::vec(promotions(), 0..=3)) {
        let promotions: Vec<Promotion> = given.into_iter().map(|(promotion, ..)| promotion)
            .filter(|promotion| !matches!(promotion.benefit, Benefit::Amount(_))).collect();
        let mut exempt = shops.clone();
        for items in &mut exempt {
            items.lines.iter_mut().for_each(|line| line.tax.exempt = true);
            items.shipping = items.shipping.map(|shipping| Shipping { tax: TaxRule { exempt: true, ..shipping.tax }, ..shipping });
        }
        let (taxed, exempt) = (quote(currency, &shops, &promotions).unwrap(), quote(currency, &exempt, &promotions).unwrap());
        holds(&exempt);
        prop_assert_eq!(exempt.price.totals.tax.amount(), 0);
        for (taxed, exempt) in taxed.shops.iter().zip(&exempt.shops) {
            for (taxed, exempt) in taxed.lines.iter().zip(&exempt.lines) {
                let (total, tax) = (taxed.price.totals.total.amount(), taxed.price.totals.tax.amount());
                // The tax is rounded for each rate, the net price once.
                prop_assert!((exempt.price.totals.total.amount() - (total - tax)).abs() <= 1, "{taxed:?} {exempt:?}");
            }
        }
    }
}
