//! Amounts as PayPal writes them: decimal numbers, for its own list of currencies
//! (<https://developer.paypal.com/reports/reference/supported-currencies>).

use haat_shared::{Currency, Money, money::scaled};

/// Currencies that PayPal counts in whole units. ISO 4217 has two decimals for HUF and TWD.
const WHOLE: &str = "HUF JPY TWD";
/// Currencies with two decimals. BRL, CNY and MYR are for accounts in their country.
const HUNDREDTHS: &str =
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN SEK SGD THB USD";

/// The decimals of a currency. None if PayPal doesn't take it.
fn decimals(currency: Currency) -> Option<u32> {
    let is_in = |list: &str| list.split(' ').any(|code| code == currency.code());
    if is_in(WHOLE) { Some(0) } else { is_in(HUNDREDTHS).then_some(2) }
}

/// Whether PayPal takes a currency.
pub fn supports(currency: Currency) -> bool {
    decimals(currency).is_some()
}

/// An amount as PayPal writes it. None if PayPal cannot charge exactly this amount.
pub(super) fn to_paypal(amount: Money) -> Option<String> {
    let currency = amount.currency();
    let decimals = decimals(currency)?;
    let units = scaled(amount.amount(), currency.decimals(), decimals).filter(|units| *units > 0)?;
    Some(match decimals {
        0 => units.to_string(),
        _ => format!("{}.{:02}", units / 100, units % 100),
    })
}

/// An amount of PayPal. None if it is none, or we cannot express it.
pub(super) fn from_paypal(value: &str, currency: &str) -> Option<Money> {
    let currency: Currency = currency.parse().ok()?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let units = format!("{whole}{fraction}").parse().ok()?;
    let decimals = fraction.len().try_into().ok()?;
    Some(Money::new(scaled(units, decimals, currency.decimals())?, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: i64, code: &str) -> Money {
        Money::new(amount, code.parse().unwrap())
    }

    #[test]
    fn amounts_are_written_as_paypal_reads_them() {
        for (amount, code, value) in [
            (1_099, "USD", Some("10.99")),
            (100, "EUR", Some("1.00")),
            (5, "GBP", Some("0.05")),
            (1_234_567_890, "THB", Some("12345678.90")),
            (500, "JPY", Some("500")),
            // Whole units, which ISO 4217 divides.
            (1_000, "HUF", Some("10")),
            (1_045, "HUF", None),
            (80_000, "TWD", Some("800")),
            (80_001, "TWD", None),
            // Not taken by PayPal.
            (124_900, "INR", None),
            (5_120, "KWD", None),
            (100, "KRW", None),
            // Nothing to pay.
            (0, "USD", None),
            (-100, "USD", None),
        ] {
            assert_eq!(to_paypal(money(amount, code)).as_deref(), value, "{amount} {code}");
        }
    }

    #[test]
    fn what_was_charged_is_what_was_asked_for() {
        for code in WHOLE.split(' ').chain(HUNDREDTHS.split(' ')) {
            assert!(supports(code.parse().unwrap()), "{code}");
            for amount in [1, 10, 100, 1_230, 9_999_900, i64::MAX] {
                let Some(value) = to_paypal(money(amount, code)) else { continue };
                assert_eq!(from_paypal(&value, code), Some(money(amount, code)), "{amount} {code}");
            }
        }
        assert!(!supports(Currency::INR));
    }

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (value, code, amount) in [
            ("10", "USD", Some(1_000)),
            ("10.9", "USD", Some(1_090)),
            ("10.990", "USD", Some(1_099)),
            ("10.999", "USD", None),
            ("500.00", "JPY", Some(500)),
            ("500.50", "JPY", None),
            ("10", "HUF", Some(1_000)),
            ("0.00", "USD", Some(0)),
            ("", "USD", None),
            (".5", "USD", None),
            ("-1.00", "USD", None),
            ("+1.00", "USD", None),
            ("1,000.00", "USD", None),
            ("1e3", "USD", None),
            ("٣", "USD", None),
            ("10.00", "usd", None),
            ("10.00", "ZZZ", None),
            ("99999999999999999999.00", "USD", None),
        ] {
            assert_eq!(from_paypal(value, code), amount.map(|amount| money(amount, code)), "{value} {code}");
        }
    }
}
