//! Amounts in Stripe's units, which aren't always the minor units of ISO 4217: <https://docs.stripe.com/currencies>.

use haat_shared::{Currency, Money, money::scaled};

/// Currencies that Stripe counts in whole units. It keeps two decimals for ISK and UGX, which ISO 4217 has
/// none for, and knows none for MGA, which ISO 4217 has two for. HUF and TWD have two, as in ISO 4217: Stripe
/// counts them in whole units for payouts only.
const WHOLE: &str = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF";
/// Currencies that Stripe counts in thousandths, the last digit of which must be zero.
const THOUSANDTHS: &str = "BHD JOD KWD OMR TND";

pub(crate) fn decimals(currency: Currency) -> u32 {
    match currency.code() {
        code if WHOLE.contains(code) => 0,
        code if THOUSANDTHS.contains(code) => 3,
        _ => 2,
    }
}

/// An amount in Stripe's units. None if Stripe cannot charge exactly this amount: rounding it would charge
/// something else than the shopper saw.
pub(crate) fn to_stripe(amount: Money) -> Option<i64> {
    let currency = amount.currency();
    let units = scaled(amount.amount(), currency.decimals(), decimals(currency))?;
    (!THOUSANDTHS.contains(currency.code()) || units % 10 == 0).then_some(units)
}

/// An amount of Stripe in a currency with this code, in lower or upper case. None if we cannot express it.
pub(crate) fn from_stripe(units: i64, currency: &str) -> Option<Money> {
    let currency: Currency = currency.to_ascii_uppercase().parse().ok()?;
    Some(Money::new(scaled(units, decimals(currency), currency.decimals())?, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: i64, code: &str) -> Money {
        Money::new(amount, code.parse().unwrap())
    }

    #[test]
    fn amounts_are_in_stripes_units() {
        for (amount, code, units) in [
            (124_900, "INR", Some(124_900)),
            (1_099, "USD", Some(1_099)),
            (500, "JPY", Some(500)),
            // Two decimals at Stripe, for compatibility, which must be 00.
            (5, "ISK", Some(500)),
            (3_500, "UGX", Some(350_000)),
            // No decimals at Stripe.
            (1_000, "MGA", Some(10)),
            (1_050, "MGA", None),
            // Whole units for payouts only.
            (1_045, "HUF", Some(1_045)),
            (80_045, "TWD", Some(80_045)),
            // Thousandths, of which the last digit must be zero.
            (5_120, "KWD", Some(5_120)),
            (5_124, "KWD", None),
            (10, "BHD", Some(10)),
            (1, "TND", None),
            // Four decimals, which Stripe does not know.
            (10_001, "CLF", None),
            (i64::MAX, "ISK", None),
        ] {
            assert_eq!(to_stripe(money(amount, code)), units, "{amount} {code}");
        }
    }

    #[test]
    fn what_was_charged_is_what_was_asked_for() {
        for code in "INR USD EUR JPY KRW ISK UGX MGA HUF TWD KWD BHD JOD OMR TND CLP XOF".split(' ') {
            for amount in [0, 10, 100, 1_230, 9_999_900, -500] {
                let Some(units) = to_stripe(money(amount, code)) else { continue };
                assert_eq!(from_stripe(units, &code.to_lowercase()), Some(money(amount, code)), "{code}");
            }
        }
        assert_eq!(from_stripe(350_001, "ugx"), None, "a fraction of a shilling");
        assert_eq!(from_stripe(1, "zzz"), None);
        assert_eq!(from_stripe(i64::MAX, "mga"), None);
    }
}
