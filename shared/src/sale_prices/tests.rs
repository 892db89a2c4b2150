//! Prices in sales and before them, as tables.

use super::*;
use crate::Currency;
use uuid::Uuid;

const DAY: i64 = 24 * 3_600_000;

fn sale(price: i64, from: i64, until: i64) -> SalePrice {
    SalePrice { price, starts_at: from * DAY, ends_at: until * DAY }
}

fn plain(price: i64) -> Prices {
    Prices { price, compare_at: None }
}

fn reduced(price: i64, compare_at: i64) -> Prices {
    Prices { price, compare_at: Some(compare_at) }
}

#[test]
fn a_sale_counts_from_its_beginning_until_before_its_end() {
    let sales = [sale(80, 10, 20), sale(70, 20, 30)];
    for (ordinary, at, expected) in [
        (plain(100), 10 * DAY - 1, plain(100)),
        (plain(100), 10 * DAY, reduced(80, 100)),
        (plain(100), 20 * DAY - 1, reduced(80, 100)),
        // One that begins when another ends does not overlap it.
        (plain(100), 20 * DAY, reduced(70, 100)),
        (plain(100), 30 * DAY, plain(100)),
        // The ordinary price is struck through, not what was compared with before.
        (reduced(100, 150), 15 * DAY, reduced(80, 100)),
        (reduced(100, 150), 5 * DAY, reduced(100, 150)),
        // The ordinary price has fallen below that of the sale in the meantime, or to it.
        (plain(75), 15 * DAY, plain(75)),
        (plain(80), 15 * DAY, plain(80)),
    ] {
        assert_eq!(ordinary.at(&sales, at), expected, "{ordinary:?} at {at}");
    }
}

#[test]
fn prices_of_other_currencies_fall_in_proportion() {
    for (own, ordinary, now, expected) in [
        (1_000, 10_000, 8_000, 800),
        // A third of 10.00, and half a unit, which is rounded up.
        (1_000, 3, 1, 333),
        (15, 10, 5, 8),
        (1_000, 10_000, 10_000, 1_000),
        (1_000, 10_000, 12_000, 1_000),
        (1_000, 0, 0, 1_000),
        (i64::MAX, i64::MAX, 1, 1),
    ] {
        assert_eq!(in_proportion(own, ordinary, now), expected, "{own} × {now} / {ordinary}");
    }
}

/// Days on which the ordinary price changed, sales by day, the day that is asked about, the lowest price.
type Case = (&'static str, Vec<(i64, Prices)>, Vec<SalePrice>, i64, Option<i64>);

#[test]
fn the_lowest_price_is_that_of_the_30_days_before_the_reduction() {
    let cases: Vec<Case> = vec![
        ("no reduction", vec![(0, plain(100))], vec![], 50, None),
        ("nothing is known", vec![], vec![sale(80, 1, 60)], 50, None),
        // European Commission, Guidance on Article 6a (2021/C 526/02), 2.1: the prior price is the lowest of at least the
        // 30 days before the reduction, not of those before today.
        ("a sale", vec![(0, plain(100))], vec![sale(80, 40, 60)], 50, Some(100)),
        ("on its last day", vec![(0, plain(100))], vec![sale(80, 40, 90)], 89, Some(100)),
        ("before it begins", vec![(0, plain(100))], vec![sale(80, 40, 60)], 39, None),
        ("after it", vec![(0, plain(100))], vec![sale(80, 40, 60)], 60, None),
        // The ordinary price was raised just before.
        ("raised before", vec![(0, plain(70)), (30, plain(100))], vec![sale(80, 40, 60)], 50, Some(70)),
        ("raised long before", vec![(0, plain(70)), (10, plain(100))], vec![sale(80, 40, 60)], 50, Some(100)),
        (
            "raised 30 days and a bit before",
            vec![(0, plain(70)), (9, plain(100))],
            vec![sale(80, 40, 60)],
            50,
            Some(100),
        ),
        (
            "raised within 30 days",
            vec![(0, plain(70)), (11, plain(100))],
            vec![sale(80, 40, 60)],
            50,
            Some(70),
        ),
        // A sale within the 30 days before another one counts, also one of a day.
        ("an earlier sale", vec![(0, plain(100))], vec![sale(60, 20, 21), sale(80, 40, 60)], 50, Some(60)),
        (
            "an earlier sale, long over",
            vec![(0, plain(100))],
            vec![sale(60, 5, 10), sale(80, 40, 60)],
            50,
            Some(100),
        ),
        // Progressive reductions without a break (Article 6a (5)): the price before the first of them.
        ("progressive", vec![(0, plain(100))], vec![sale(80, 40, 50), sale(70, 50, 60)], 55, Some(100)),
        (
            "progressive in three steps",
            vec![(0, plain(100))],
            vec![sale(90, 40, 45), sale(80, 45, 50), sale(70, 50, 60)],
            59,
            Some(100),
        ),
        ("with a break", vec![(0, plain(100))], vec![sale(80, 40, 49), sale(70, 50, 60)], 55, Some(80)),
        // A reduction that is smaller than the one before it begins anew.
        (
            "smaller than before",
            vec![(0, plain(100))],
            vec![sale(70, 40, 50), sale(80, 50, 60)],
            55,
            Some(70),
        ),
        // A lower price that was not announced as a reduction is a price like any other.
        ("a plain cut before", vec![(0, plain(100)), (35, plain(90))], vec![sale(80, 40, 60)], 50, Some(90)),
        // A compare-at price announces a reduction, too.
        ("compare-at", vec![(0, plain(100)), (40, reduced(80, 100))], vec![], 50, Some(100)),
        ("compare-at that was never charged", vec![(0, reduced(80, 100))], vec![], 50, Some(80)),
        (
            "compare-at, then a sale",
            vec![(0, plain(100)), (40, reduced(90, 100))],
            vec![sale(80, 45, 60)],
            50,
            Some(100),
        ),
        (
            "compare-at, changed",
            vec![(0, plain(100)), (40, reduced(90, 100)), (45, reduced(90, 120))],
            vec![],
            50,
            Some(100),
        ),
        // The goods are new: the days since there are any.
        ("new goods", vec![(35, plain(100))], vec![sale(80, 40, 60)], 50, Some(100)),
        ("new goods in a sale", vec![(40, plain(100))], vec![sale(80, 40, 60)], 50, Some(80)),
        // A sale above the price does not begin.
        ("no effect", vec![(0, plain(75))], vec![sale(80, 40, 60)], 50, None),
        // The ordinary price is raised during the sale.
        ("raised meanwhile", vec![(0, plain(100)), (45, plain(120))], vec![sale(80, 40, 60)], 50, Some(100)),
    ];
    assert!(cases.len() >= 20);
    for (name, history, sales, day, expected) in cases {
        let history: Vec<_> = history.into_iter().map(|(day, prices)| (day * DAY, prices)).collect();
        assert_eq!(lowest_before(&history, &sales, day * DAY), expected, "{name}");
    }
}

#[test]
fn a_sale_that_would_begin_now_is_compared_with_the_past() {
    let history = [(0, plain(100)), (20 * DAY, plain(120))];
    let sales = [sale(90, 40, 45), sale(110, 80, 90)];
    for (day, expected) in
        [(10, 100), (39, 100), (46, 90), (51, 90), (60, 90), (79, 120), (85, 120), (100, 110)]
    {
        assert_eq!(lowest_if_reduced(&history, &sales, day * DAY), Some(expected), "day {day}");
    }
    assert_eq!(lowest_if_reduced(&[], &[], DAY), None);
    assert_eq!(lowest_if_reduced(&history, &[], 0), None);
}

fn variant(number: u128, price: i64) -> SaleVariant {
    let price = Money::new(price, Currency::INR);
    SaleVariant {
        id: VariantId::from_uuid(Uuid::from_u128(number)),
        title: String::new(),
        price,
        lowest: price,
    }
}

#[test]
fn a_sale_is_below_the_ordinary_prices() {
    use FieldCode::*;
    let variants = [variant(1, 10_000), variant(2, 20_050)];
    let (one, two) = (variants[0].id, variants[1].id);
    let form = |percent: &str, prices: &[(VariantId, &str)]| SaleForm {
        ends_at: "2026-12-01T10:00".into(),
        percent: percent.into(),
        prices: prices.iter().map(|(id, typed)| (*id, (*typed).to_owned())).collect(),
        ..SaleForm::default()
    };
    type Prices = Vec<(VariantId, i64)>;
    let cases: Vec<(SaleForm, Result<Prices, Vec<(String, FieldCode)>>)> = vec![
        (form("20", &[]), Ok(vec![(one, 8_000), (two, 16_040)])),
        // 99.5 % of 200.50 are 199.4975.
        (form("0.5 %", &[]), Ok(vec![(one, 9_950), (two, 19_950)])),
        (form("", &[(two, "150"), (one, " ")]), Ok(vec![(two, 15_000)])),
        (form("20", &[(two, "150")]), Ok(vec![(one, 8_000), (two, 15_000)])),
        (form("", &[]), Err(vec![("percent".into(), Missing)])),
        (form("0", &[]), Err(vec![("percent".into(), TooSmall)])),
        (form("-5", &[]), Err(vec![("percent".into(), TooSmall)])),
        (form("100", &[]), Err(vec![("percent".into(), TooBig)])),
        (form("", &[(one, "100")]), Err(vec![(price_field(one), NotReduced)])),
        (form("10", &[(one, "100.01")]), Err(vec![(price_field(one), NotReduced)])),
        (form("", &[(one, "cheap")]), Err(vec![(price_field(one), NotMoney)])),
        (SaleForm { ends_at: " ".into(), ..form("10", &[]) }, Err(vec![("ends_at".into(), Missing)])),
    ];
    for (form, expected) in cases {
        let checked = form.check(&variants);
        let checked =
            checked.map(|prices| prices.into_iter().map(|(id, price)| (id, price.amount())).collect());
        let checked =
            checked.map_err(|faults| faults.into_iter().map(|f| (f.field, f.code)).collect::<Vec<_>>());
        assert_eq!(checked, expected, "{form:?}");
    }
    let foreign = form("10", &[(variant(3, 1).id, "1")]).check(&variants).unwrap_err();
    assert_eq!(foreign[0].code, NotAChoice);
}
