//! The worked examples of `taxed.txt`.

use uuid::Uuid;

use super::*;
use crate::amounts;

/// `9+9`, in percent, as rates in millionths.
fn rates(text: &str) -> [i64; TAXES_MAX] {
    let mut rates = [0; TAXES_MAX];
    for (rate, percent) in rates.iter_mut().zip(text.split('+').filter(|percent| !percent.is_empty())) {
        let (whole, rest) = percent.split_once('.').unwrap_or((percent, ""));
        *rate = format!("{whole}{rest:0<4}").parse().unwrap();
    }
    rates
}

fn price(text: &str, included: bool, currency: Currency) -> (Money, TaxRule) {
    let (amount, percents) = text.split_once(' ').unwrap_or((text, ""));
    let rule = TaxRule { rates_ppm: rates(percents), included, exempt: false };
    (amounts::read("price", amount, currency).unwrap(), rule)
}

#[test]
fn taxes_are_those_of_the_worked_examples() {
    let (mut worked, mut named) = (0, 0);
    for row in include_str!("taxed.txt").lines().filter(|row| !row.starts_with('#')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [source, code, prices, lines, shipping, discount, expected] = cells[..] else { panic!("{row}") };
        let currency: Currency = code.parse().unwrap();
        let included = prices == "included";
        let line = |(id, text): (u128, &str)| {
            let (quantity, text) = text.split_once('x').unwrap();
            let (unit_price, tax) = price(text, included, currency);
            let (id, quantity) = (Uuid::from_u128(id), quantity.parse().unwrap());
            LineItem { id, kind: LineKind::Goods, quantity, unit_price, tax, commission_bp: 0 }
        };
        let shipping = (!shipping.is_empty()).then(|| {
            let (price, tax) = price(shipping, included, currency);
            Shipping { price, tax }
        });
        let shop = ShopId::from_uuid(Uuid::nil());
        let items = ShopItems { shop, lines: (1..).zip(lines.split(", ")).map(line).collect(), shipping };
        let benefit = match discount.strip_suffix('%') {
            Some(percent) => Some(Benefit::Percent(percent.parse::<i64>().unwrap() * 100)),
            None if discount.is_empty() => None,
            None => Some(Benefit::Amount(amounts::read("discount", discount, currency).unwrap())),
        };
        let promotions: Vec<Promotion> = benefit
            .map(|benefit| Promotion {
                code: std::sync::Arc::default(),
                label: "Sale".into(),
                id: None,
                market_bp: 0,
                combines: true,
                scope: Scope::Market,
                benefit,
                minimum: None,
                cap: None,
            })
            .into_iter()
            .collect();
        let Totals { subtotal, discount, shipping, tax, total } =
            quote(currency, &[items], &promotions).unwrap().price.totals;
        let found = [subtotal, discount, shipping, tax, total].map(Money::plain).join(" ");
        assert_eq!(found, expected, "{row}");
        worked += 1;
        named += usize::from(
            ["Shopify", "Magento", "WooCommerce", "Avalara"].iter().any(|name| source.starts_with(name)),
        );
    }
    assert!(worked >= 60 && named >= 12, "{worked} cases, {named} of them published");
}
