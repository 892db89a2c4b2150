//! Amounts in Razorpay's units, which are the minor units of ISO 4217, for its own list of currencies
//! (<https://razorpay.com/docs/payments/international-payments/currency-conversion>).

use haat_shared::{Currency, Money};

/// The currencies that Razorpay takes. For all but INR, international payments must be enabled for the account.
const TAKEN: &str = "AED ALL AMD ARS AUD AWG BBD BDT BHD BMD BND BOB BSD BWP BZD CAD CHF CNY COP CRC CUP CZK DKK \
     DOP DZD EGP ETB EUR FJD GBP GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD JPY KES KGS KHR KWD KYD KZT \
     LAK LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR NAD NGN NIO NOK NPR NZD OMR PEN PGK PHP QAR RUB \
     SAR SCR SEK SGD SOS SSP SVC SZL THB TTD TZS USD UYU UZS YER ZAR";

/// Whether Razorpay takes a currency.
pub fn supports(currency: Currency) -> bool {
    TAKEN.split(' ').any(|code| code == currency.code())
}

/// An amount in Razorpay's units. None if Razorpay cannot charge exactly this amount: of thousandths, the last
/// digit must be zero.
pub(super) fn to_razorpay(amount: Money) -> Option<i64> {
    let currency = amount.currency();
    let units = amount.amount();
    let is_exact = currency.decimals() < 3 || units % 10 == 0;
    (supports(currency) && units > 0 && is_exact).then_some(units)
}

/// An amount of Razorpay in a currency with this code. None if we don't know the currency.
pub(super) fn from_razorpay(units: i64, currency: &str) -> Option<Money> {
    Some(Money::new(units, currency.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: i64, code: &str) -> Money {
        Money::new(amount, code.parse().unwrap())
    }

    #[test]
    fn amounts_are_in_minor_units() {
        for (amount, code, units) in [
            (124_900, "INR", Some(124_900)),
            (1_099, "USD", Some(1_099)),
            (295, "JPY", Some(295)),
            (1_045, "HUF", Some(1_045)),
            // Thousandths, of which the last digit must be zero.
            (295_990, "KWD", Some(295_990)),
            (295_991, "KWD", None),
            (10, "BHD", Some(10)),
            (99_991, "OMR", None),
            // Not taken by Razorpay.
            (5_120, "TND", None),
            (500, "KRW", None),
            // Nothing to pay.
            (0, "INR", None),
            (-100, "INR", None),
        ] {
            assert_eq!(to_razorpay(money(amount, code)), units, "{amount} {code}");
        }
    }

    #[test]
    fn what_was_charged_is_what_was_asked_for() {
        for code in TAKEN.split(' ') {
            for amount in [10, 100, 1_230, 9_999_900] {
                let units = to_razorpay(money(amount, code)).unwrap();
                assert_eq!(from_razorpay(units, code), Some(money(amount, code)), "{code}");
            }
        }
        assert_eq!(from_razorpay(1, "ZZZ"), None);
        assert_eq!(from_razorpay(1, "inr"), None);
    }
}
