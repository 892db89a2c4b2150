//! Money: minor units and an ISO 4217 code. Checked arithmetic only, no floats, explicit rounding.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The maximum of a price or fee, in minor units, so that the totals of full carts fit into 64 bits.
pub const PRICE_MAX: i64 = 1_000_000_000_000;

/// Active ISO 4217 codes by their number of decimals (list of 2026-01; codes without a minor unit, such
/// as gold, are left out).
const DECIMALS: [(u32, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF \
         CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
         HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU \
         MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR \
         SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED \
         VES WST XAD XCD XCG YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// The smallest amount that is paid in cash, in minor units, of the currencies where it is more than one of them (CLDR 48.2,
/// `cashRounding` and `cashDigits`; those of the forint count whole forints).
const CASH_UNITS: [(i64, &str); 4] =
    [(5, "CAD CHF"), (50, "DKK"), (100, "AMD CRC CZK GYD MNT MUR NOK RSD SEK TWD TZS UZS"), (500, "HUF")];

/// The currencies that have a symbol here.
const SYMBOLS: [(&str, &str); 6] =
    [("INR", "₹"), ("USD", "$"), ("EUR", "€"), ("GBP", "£"), ("JPY", "¥"), ("BDT", "৳")];

/// Why an amount is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency of ISO 4217.
    #[error("not a currency of ISO 4217")]
    UnknownCurrency,
    /// Two different currencies in one calculation.
    #[error("two currencies in one sum")]
    MixedCurrencies,
    /// The result does not fit 64 bits.
    #[error("amount out of range")]
    Overflow,
    /// Nothing to allocate to: no weights, or none above zero.
    #[error("nothing to share among")]
    NoWeights,
    /// A price, quantity or rate that cannot be, such as one below zero.
    #[error("out of bounds")]
    OutOfBounds,
}

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The Indian rupee, the currency of the demo market.
    pub const INR: Self = Self(*b"INR");
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");

    /// The three-letter code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// The code, as the list of currencies has it: for choices of a form.
    pub fn listed(&self) -> &'static str {
        let mut codes = DECIMALS.iter().flat_map(|(_, codes)| codes.split(' '));
        codes.find(|code| *code == self.code()).unwrap_or_default()
    }

    /// How many decimals its amounts are written with: 2 for INR, 0 for JPY, 3 for KWD.
    pub fn decimals(&self) -> u32 {
        DECIMALS.iter().find(|(_, codes)| codes.contains(self.code())).map_or(2, |(decimals, _)| *decimals)
    }

    /// The smallest amount that is paid in cash, in minor units: 5 for CHF, 1 for INR.
    pub fn cash_unit(&self) -> i64 {
        CASH_UNITS.iter().find(|(_, codes)| codes.contains(self.code())).map_or(1, |(unit, _)| *unit)
    }

    /// The currency symbol, if there is a known one: `₹` for INR.
    pub fn symbol(&self) -> Option<&'static str> {
        SYMBOLS.iter().find(|(code, _)| *code == self.code()).map(|(_, symbol)| *symbol)
    }

    /// The currency with this code or symbol.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let code = SYMBOLS.iter().find(|(_, symbol)| *symbol == name).map_or(name, |(code, _)| *code);
        code.parse().ok()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some("A currency of ISO 4217."))
            .enum_values(Some(DECIMALS.iter().flat_map(|(_, codes)| codes.split(' ')).map(str::to_owned)))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Currency {}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Self, MoneyError> {
        let known = DECIMALS.iter().any(|(_, codes)| codes.split(' ').any(|c| c == code));
        match (known, code.as_bytes().try_into()) {
            (true, Ok(bytes)) => Ok(Self(bytes)),
            _ => Err(MoneyError::UnknownCurrency),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How a fraction of a minor unit is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Towards zero, in the payer's favour.
    Down,
    /// Half away from zero, as tax offices round.
    HalfUp,
}

/// An amount in a currency. On the wire `{"amount": 124900, "currency": "INR"}`, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Money {
    amount: i64,
    currency: Currency,
}

impl Money {
    /// The nearest amount that can be paid in cash; of two, the one farther from zero.
    pub fn in_cash(self) -> Self {
        let unit = self.currency.cash_unit();
        let over = self.amount % unit;
        let away = if over.abs() * 2 >= unit { unit * over.signum() } else { 0 };
        // As good as never: within a unit of the largest amount.
        Self { amount: (self.amount - over).checked_add(away).unwrap_or(self.amount), ..self }
    }

    /// `amount` minor units: `Money::new(124_900, Currency::INR)` is ₹1,249.00.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Zero in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The minor units.
    pub const fn amount(self) -> i64 {
        self.amount
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount for a form field: `1249.50`, without currency and thousands separators.
    pub fn plain(self) -> String {
        let decimals = self.currency.decimals() as usize;
        let digits = format!("{:0>width$}", self.amount.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let sign = if self.amount < 0 { "-" } else { "" };
        if decimals > 0 { format!("{sign}{whole}.{fraction}") } else { format!("{sign}{whole}") }
    }

    /// The sum. Fails if the currencies differ or the result exceeds 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies);
        }
        self.amount.checked_add(other.amount).map(|a| Self::new(a, self.currency)).ok_or(MoneyError::Overflow)
    }

    /// The difference. Fails if the currencies differ or the result exceeds 64 bits.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies);
        }
        self.amount.checked_sub(other.amount).map(|a| Self::new(a, self.currency)).ok_or(MoneyError::Overflow)
    }

    /// The amount multiplied by a quantity.
    pub fn times(self, quantity: i64) -> Result<Self, MoneyError> {
        self.amount.checked_mul(quantity).map(|a| Self::new(a, self.currency)).ok_or(MoneyError::Overflow)
    }

    /// A share of the amount, at a rate in basis points (1/100 of a percent).
    pub fn rate_bp(self, rate_bp: i64, rounding: Rounding) -> Result<Self, MoneyError> {
        self.fraction(rate_bp, 10_000, rounding)
    }

    /// A fraction of the amount. `whole` is above zero.
    pub fn fraction(self, part: i64, whole: i64, rounding: Rounding) -> Result<Self, MoneyError> {
        let (exact, whole) = (i128::from(self.amount) * i128::from(part), i128::from(whole.max(1)));
        let rounded = match rounding {
            Rounding::Down => exact / whole,
            Rounding::HalfUp => (exact.abs() * 2 + whole) / (whole * 2) * exact.signum(),
        };
        i64::try_from(rounded).map(|a| Self::new(a, self.currency)).map_err(|_| MoneyError::Overflow)
    }

    /// Allocates the amount by weights so that the parts add up exactly. Leftover units go to the largest
    /// remainders, the first of equals first. Negative weights count as zero.
    pub fn allocate(self, weights: &[i64]) -> Result<Vec<Self>, MoneyError> {
        let weights: Vec<i128> = weights.iter().map(|w| i128::from(*w.max(&0))).collect();
        let total: i128 = weights.iter().sum();
        if total == 0 {
            return Err(MoneyError::NoWeights);
        }
        let amount = i128::from(self.amount);
        // Most products fit into 64 bits, which are divided several times faster.
        let divided = |exact: i128| match (i64::try_from(exact), i64::try_from(total)) {
            (Ok(exact), Ok(total)) => (i128::from(exact / total), i128::from(exact % total)),
            _ => (exact / total, exact % total),
        };
        let mut parts: Vec<(i128, i128)> = weights.iter().map(|w| divided(amount * w)).collect();
        let left = amount - parts.iter().map(|(part, _)| part).sum::<i128>();
        if left != 0 {
            let mut order: Vec<usize> = (0..parts.len()).collect();
            order.sort_by_key(|i| std::cmp::Reverse(parts[*i].1.abs()));
            for i in order.into_iter().take(usize::try_from(left.abs()).unwrap_or(0)) {
                parts[i].0 += left.signum();
            }
        }
        parts
            .into_iter()
            .map(|(p, _)| {
                i64::try_from(p).map(|a| Self::new(a, self.currency)).map_err(|_| MoneyError::Overflow)
            })
            .collect()
    }

    /// The part of the amount for the units from `before` to `after` out of `whole`. However the units are
    /// divided, the parts of all add up to the amount. Rounded down for the first ones; nothing of no units.
    pub fn part(self, whole: i64, before: i64, after: i64) -> Result<Self, MoneyError> {
        if whole <= 0 {
            return Ok(Self::zero(self.currency));
        }
        let until = |units: i64| i128::from(self.amount) * i128::from(units) / i128::from(whole);
        let part = i64::try_from(until(after) - until(before)).map_err(|_| MoneyError::Overflow)?;
        Ok(Self::new(part, self.currency))
    }

    /// The sum of amounts in one currency; zero in `currency` if there are none.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }
}

/// What one unit of a currency costs in another one, as a fraction: 5/3 of a yen for a rupee. Between units that
/// people name, not minor ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rate {
    /// The numerator.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000000000000i64))]
    pub numerator: i64,
    /// The denominator.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000000000000i64))]
    pub denominator: i64,
}

impl Rate {
    /// The rate of a currency to itself.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// The maximum of both parts of a rate that is set.
    pub const PART_MAX: i64 = 1_000_000_000_000;

    /// The rate back.
    pub const fn inverse(self) -> Self {
        Self { numerator: self.denominator, denominator: self.numerator }
    }
}

/// The amount in another currency, rounded half away from zero. `None` if the rate is not above zero, or the
/// result exceeds 64 bits.
pub fn convert(amount: Money, rate: Rate, to: Currency) -> Option<Money> {
    let Rate { numerator: 1.., denominator: 1.. } = rate else { return None };
    let unit = |currency: Currency| 10i128.pow(currency.decimals());
    // Only the last product can exceed 128 bits.
    let over = i128::from(amount.amount) * i128::from(rate.numerator);
    let over = over.checked_mul(unit(to))?;
    let under = i128::from(rate.denominator) * unit(amount.currency);
    let (whole, rest) = (over / under, over % under);
    let away = if rest.abs() >= under - rest.abs() { over.signum() } else { 0 };
    i64::try_from(whole + away).ok().map(|minor| Money::new(minor, to))
}

/// A price in another currency, rounded to the unit that is paid in cash there, half up. `None` if it exceeds the bounds of
/// prices, within which all totals fit into 64 bits. Nothing becomes free because the units there are larger.
pub fn convert_price(price: Money, rate: Rate, to: Currency) -> Option<Money> {
    let converted = convert(price, rate, to)?.in_cash().amount();
    let amount = converted.max(to.cash_unit() * price.amount.signum());
    (amount <= PRICE_MAX).then(|| Money::new(amount, to))
}

/// An amount with `from` decimals as one with `to` decimals, if it is a whole number. Payment providers count
/// some currencies in other units than ISO 4217.
pub fn scaled(amount: i64, from: u32, to: u32) -> Option<i64> {
    let factor = 10i64.checked_pow(from.abs_diff(to))?;
    if to >= from { amount.checked_mul(factor) } else { (amount % factor == 0).then(|| amount / factor) }
}

/// For logs and terminals, independent of language: `INR 124900.00`. The app formats amounts for users in
/// their language.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.plain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn inr(amount: i64) -> Money {
        Money::new(amount, Currency::INR)
    }

    fn of(code: &str, amount: i64) -> Money {
        Money::new(amount, code.parse().unwrap())
    }

    #[test]
    fn display_is_independent_of_the_language() {
        let cases = [
            (inr(0), "INR 0.00"),
            (inr(5), "INR 0.05"),
            (inr(12_490_000), "INR 124900.00"),
            (inr(-124_900), "INR -1249.00"),
            (inr(i64::MIN), "INR -92233720368547758.08"),
            (of("JPY", 1_249), "JPY 1249"),
            (of("KWD", 1_249_000), "KWD 1249.000"),
        ];
        for (money, text) in cases {
            assert_eq!(money.to_string(), text);
        }
    }

    #[test]
    fn sums_refuse_to_mix_or_overflow() {
        assert_eq!(inr(1).plus(of("USD", 1)), Err(MoneyError::MixedCurrencies));
        assert_eq!(inr(i64::MAX).plus(inr(1)), Err(MoneyError::Overflow));
        assert_eq!(inr(i64::MIN).minus(inr(1)), Err(MoneyError::Overflow));
        assert_eq!(inr(i64::MAX).times(2), Err(MoneyError::Overflow));
        assert_eq!(inr(i64::MAX).rate_bp(10_001, Rounding::Down), Err(MoneyError::Overflow));
    }

    #[test]
    fn rates_round_as_named() {
        let cases = [
            (1_005, 1_000, Rounding::Down, 100),
            (1_005, 1_000, Rounding::HalfUp, 101),
            (-1_005, 1_000, Rounding::HalfUp, -101),
            (1, 4_999, Rounding::HalfUp, 0),
            (1, 5_000, Rounding::HalfUp, 1),
        ];
        for (amount, bp, rounding, expected) in cases {
            assert_eq!(
                inr(amount).rate_bp(bp, rounding),
                Ok(inr(expected)),
                "{amount} at {bp} bp {rounding:?}"
            );
        }
    }

    #[test]
    fn the_tax_in_a_price() {
        let cases =
            [(11_800, 1_800, 1_800), (10_500, 500, 500), (100, 0, 0), (99_900, 1_200, 10_704), (1, 1_800, 0)];
        for (price, bp, tax) in cases {
            assert_eq!(
                inr(price).fraction(bp, 10_000 + bp, Rounding::HalfUp),
                Ok(inr(tax)),
                "{price} at {bp} bp"
            );
        }
    }

    #[test]
    fn parts_add_up_however_they_are_divided() {
        for cuts in [vec![0, 3], vec![0, 1, 3], vec![0, 1, 2, 3]] {
            let parts = cuts.windows(2).map(|cut| inr(100).part(3, cut[0], cut[1]).unwrap());
            assert_eq!(Money::sum(Currency::INR, parts), Ok(inr(100)), "{cuts:?}");
        }
        let each = [(0, 1), (1, 2), (2, 3)].map(|(before, after)| inr(100).part(3, before, after).unwrap());
        assert_eq!(each, [inr(33), inr(33), inr(34)]);
        assert_eq!(inr(i64::MAX).part(999, 0, 999), Ok(inr(i64::MAX)));
        assert_eq!(inr(0).part(0, 0, 0), Ok(inr(0)));
    }

    #[test]
    fn codes_are_checked() {
        for bad in ["", "inr", "RUPEE", "XXX", "IN", "INR ", "₹"] {
            assert_eq!(bad.parse::<Currency>(), Err(MoneyError::UnknownCurrency), "{bad}");
        }
        assert_eq!(serde_json::to_string(&inr(124_900)).unwrap(), r#"{"amount":124900,"currency":"INR"}"#);
    }

    #[test]
    fn amounts_are_converted_between_minor_units() {
        let cases = [
            // 124,900 paise are ₹1,249.00; at 1.8 yen for a rupee, ¥2,248.2.
            (inr(124_900), (9, 5), "JPY", Some(2_248)),
            (of("JPY", 2_248), (5, 9), "INR", Some(124_889)),
            // Three decimals: 0.0036 dinars for a rupee.
            (inr(124_900), (36, 10_000), "KWD", Some(4_496)),
            (of("KWD", 1), (277, 1), "INR", Some(28)),
            (inr(10_000), (1, 1), "USD", Some(10_000)),
            (inr(10_000), (1, 1), "JPY", Some(100)),
            // Half away from zero.
            (inr(50), (1, 1), "JPY", Some(1)),
            (inr(49), (1, 1), "JPY", Some(0)),
            (inr(-50), (1, 1), "JPY", Some(-1)),
            (inr(-49), (1, 1), "JPY", Some(0)),
            (inr(0), (9, 5), "JPY", Some(0)),
            // Nothing that does not fit, or is no rate.
            (of("JPY", i64::MAX), (1, 1), "INR", None),
            (of("JPY", i64::MAX), (i64::MAX, 1), "KWD", None),
            (inr(i64::MAX), (1, i64::MAX), "INR", Some(1)),
            (inr(i64::MIN), (1, 1), "USD", Some(i64::MIN)),
            (inr(1), (0, 1), "USD", None),
            (inr(1), (1, 0), "USD", None),
            (inr(1), (-1, 1), "USD", None),
        ];
        for (amount, (numerator, denominator), to, expected) in cases {
            let rate = Rate { numerator, denominator };
            let converted = convert(amount, rate, to.parse().unwrap());
            assert_eq!(converted, expected.map(|minor| of(to, minor)), "{amount} at {rate:?} in {to}");
        }
    }

    #[test]
    fn prices_and_cash_are_rounded_to_what_there_is_in_coins() {
        let cases = [
            ("INR", 101, 101),
            ("CHF", 1_002, 1_000),
            ("CHF", 1_003, 1_005),
            ("CAD", 1_007, 1_005),
            ("CAD", 1_008, 1_010),
            ("DKK", 1_024, 1_000),
            ("DKK", 1_025, 1_050),
            ("SEK", 1_049, 1_000),
            ("SEK", 1_050, 1_100),
            ("SEK", -1_050, -1_100),
            ("HUF", 125_250, 125_500),
            ("JPY", 7, 7),
            ("KWD", 1_001, 1_001),
            ("HUF", i64::MAX, i64::MAX),
        ];
        for (currency, amount, cash) in cases {
            assert_eq!(of(currency, amount).in_cash(), of(currency, cash), "{amount} {currency}");
        }
        let of_rupees = |minor, rate: (i64, i64), to: &str| {
            let rate = Rate { numerator: rate.0, denominator: rate.1 };
            convert_price(inr(minor), rate, to.parse().unwrap()).map(Money::amount)
        };
        assert_eq!(of_rupees(124_950, (94, 10_000), "CHF"), Some(1_175), "of 11.7453");
        assert_eq!(of_rupees(100, (1, 1_000), "CHF"), Some(5), "not free");
        assert_eq!(of_rupees(0, (1, 1_000), "CHF"), Some(0));
        assert_eq!(of_rupees(PRICE_MAX, (2, 1), "USD"), None);
    }

    fn currencies() -> impl Strategy<Value = Currency> {
        prop::sample::select(vec!["INR", "JPY", "KWD", "USD"]).prop_map(|code| code.parse().unwrap())
    }

    proptest! {
        /// Twice the distance to the exact value is at most one minor unit, and signs are kept apart.
        #[test]
        fn conversions_are_the_nearest_amount(
            amount in -1_000_000_000_000i64..1_000_000_000_000,
            numerator in 1i64..1_000_000,
            denominator in 1i64..1_000_000,
            from in currencies(),
            to in currencies(),
        ) {
            let rate = Rate { numerator, denominator };
            let converted = convert(Money::new(amount, from), rate, to);
            let negative = convert(Money::new(-amount, from), rate, to);
            prop_assert_eq!(negative.map(Money::amount), converted.map(|money| -money.amount()));
            if let Some(converted) = converted {
                let over = i128::from(amount) * i128::from(numerator) * 10i128.pow(to.decimals());
                let under = i128::from(denominator) * 10i128.pow(from.decimals());
                let off = (i128::from(converted.amount()) * under - over).abs();
                prop_assert!(off * 2 <= under);
                prop_assert_eq!(converted.currency(), to);
            }
        }

        #[test]
        fn no_amount_is_too_large_to_be_refused(
            amount in any::<i64>(),
            numerator in any::<i64>(),
            denominator in any::<i64>(),
            from in currencies(),
            to in currencies(),
        ) {
            let _ = convert(Money::new(amount, from), Rate { numerator, denominator }, to);
        }

        #[test]
        fn the_rate_of_a_currency_to_itself_changes_nothing(amount in any::<i64>(), of in currencies()) {
            let money = Money::new(amount, of);
            prop_assert_eq!(convert(money, Rate::ONE, of), Some(money));
        }

        #[test]
        fn shares_always_sum_to_the_whole(amount in -1_000_000_000_000i64..1_000_000_000_000, weights in prop::collection::vec(0i64..1_000_000, 1..20)) {
            let whole = inr(amount);
            match whole.allocate(&weights) {
                Ok(parts) => {
                    prop_assert_eq!(Money::sum(Currency::INR, parts.clone()), Ok(whole));
                    let total: i64 = weights.iter().sum();
                    for (part, weight) in parts.iter().zip(&weights) {
                        let exact = i128::from(amount) * i128::from(*weight) / i128::from(total);
                        prop_assert!((i128::from(part.amount()) - exact).abs() <= 1);
                    }
                }
                Err(e) => prop_assert!(e == MoneyError::NoWeights && weights.iter().all(|w| *w == 0)),
            }
        }
    }
}
