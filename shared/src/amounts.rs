//! Amounts of money, as entered by people and as written in files.

use crate::{
    field::{FieldCode, FieldError},
    money::{Currency, Money, PRICE_MAX},
    number::{self, Hint, Notation},
    text,
};

/// An amount from a form: `1249.5`, `1,249.50`, `1,24,900`, `1.249,50`, with or without the currency. Not
/// negative, never rounded, at most [`PRICE_MAX`].
pub fn read(field: &str, typed: &str, currency: Currency) -> Result<Money, FieldError> {
    read_as(typed, currency, Notation::Form).map_err(|code| FieldError::new(field, code))
}

/// An amount from a source with its own number notation.
pub fn read_as(typed: &str, currency: Currency, notation: Notation) -> Result<Money, FieldCode> {
    let text = bare(typed, currency);
    let text = text.as_str();
    if text.is_empty() {
        return Err(FieldCode::Missing);
    }
    if let Some(rest) = text.strip_prefix('-') {
        let number = rest.starts_with(|c: char| c.is_ascii_digit());
        return Err(if number { FieldCode::TooSmall } else { FieldCode::NotMoney });
    }
    match number::exact(text, currency.decimals(), notation) {
        Ok(minor) if minor <= PRICE_MAX => Ok(Money::new(minor, currency)),
        Ok(_) | Err(FieldCode::TooBig) => Err(FieldCode::AmountTooBig(Money::new(PRICE_MAX, currency))),
        Err(FieldCode::NotNumber) if names_another(text, currency) => Err(FieldCode::OtherCurrency(currency)),
        Err(FieldCode::NotNumber) => Err(FieldCode::NotMoney),
        Err(code) => Err(code),
    }
}

/// What an amount says about the decimal separator of its file.
pub fn hint(typed: &str, currency: Currency) -> Option<Hint> {
    number::hint(&bare(typed, currency), currency.decimals())
}

/// Whether what is not a number is an amount in another currency: `€ 7,90`, `USD 5`.
fn names_another(text: &str, currency: Currency) -> bool {
    let another = |name: &str| Currency::named(name).is_some_and(|named| named != currency);
    let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | ' ');
    let name = text.trim_matches(number);
    let at_the_end = text.starts_with(name) || text.ends_with(name);
    at_the_end && text.contains(|c: char| c.is_ascii_digit()) && another(name)
}

/// The input in ASCII digits, without a currency at either end, and without marks for "no decimals": `99,-`,
/// `₹1,200/-`.
fn bare(typed: &str, currency: Currency) -> String {
    let plain: String = typed.chars().map(text::plain).collect();
    let mut text = plain.trim();
    let abbreviated = if currency == Currency::INR { ["Rs.", "Rs"].as_slice() } else { &[] };
    let names = [currency.code()].into_iter().chain(currency.symbol()).chain(abbreviated.iter().copied());
    for name in names {
        text = text.strip_prefix(name).or_else(|| text.strip_suffix(name)).unwrap_or(text).trim();
    }
    let round = [",-", ".-", ",--", "/-"];
    let whole = round.iter().find_map(|end| text.strip_suffix(end));
    whole.filter(|whole| whole.ends_with(|c: char| c.is_ascii_digit())).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inr(minor: i64) -> Money {
        Money::new(minor, Currency::INR)
    }

    #[test]
    fn amounts_are_read_as_people_type_them() {
        use FieldCode::*;
        let cases = [
            ("INR", "1249.5", Ok(124_950)),
            ("INR", " 1,249.50 ", Ok(124_950)),
            ("INR", "₹1,24,900", Ok(12_490_000)),
            ("INR", "INR 1,23,45,678.90", Ok(1_234_567_890)),
            ("INR", "124,900", Ok(12_490_000)),
            ("INR", "0", Ok(0)),
            ("INR", "007", Ok(700)),
            ("INR", "10,000,000,000.00", Ok(PRICE_MAX)),
            ("JPY", "¥1,249", Ok(1_249)),
            ("KWD", "1.249", Ok(1_249)),
            ("INR", "", Err(Missing)),
            ("INR", "₹", Err(Missing)),
            ("INR", "-1", Err(TooSmall)),
            ("INR", "−1", Err(TooSmall)),
            ("INR", "-", Err(NotMoney)),
            ("INR", "1.234", Err(TooManyDecimals)),
            ("JPY", "1.0", Ok(1)),
            ("JPY", "1.5", Err(TooManyDecimals)),
            ("INR", "34.0000", Ok(3_400)),
            ("INR", "1249,50", Ok(124_950)),
            ("INR", "0,750", Ok(75)),
            ("TND", "0,750", Ok(750)),
            ("TND", "12,500", Err(AmbiguousNumber)),
            ("TND", "12.500", Ok(12_500)),
            ("TND", "1 250,000", Ok(1_250_000)),
            ("EUR", "€ 7,90", Ok(790)),
            ("EUR", "7,90 €", Ok(790)),
            ("EUR", "1.249,00\u{a0}EUR", Ok(124_900)),
            ("EUR", "99,-", Ok(9_900)),
            ("EUR", "2.500", Err(AmbiguousNumber)),
            ("CHF", "CHF 1'249.50", Ok(124_950)),
            ("CHF", "99.-", Ok(9_900)),
            ("INR", "₹1,200/-", Ok(120_000)),
            ("INR", "Rs. 1,200", Ok(120_000)),
            ("INR", ",-", Err(NotMoney)),
            ("INR", "1,2,345", Err(NotMoney)),
            ("INR", "12,34,567,890", Err(NotMoney)),
            ("INR", ",249", Err(NotMoney)),
            ("INR", "1,249,", Err(NotMoney)),
            ("INR", ".5", Err(NotMoney)),
            ("INR", "5.", Err(NotMoney)),
            ("INR", "1.2.3", Err(NotMoney)),
            ("INR", "1e3", Err(NotMoney)),
            ("INR", "+1", Err(NotMoney)),
            ("INR", "1 249", Ok(124_900)),
            ("INR", "1 24", Err(NotMoney)),
            ("INR", "१२५", Ok(12_500)),
            ("INR", "₹ १,२५०.५०", Ok(125_050)),
            ("INR", "१,२,३४५", Err(NotMoney)),
            ("KWD", "١٢٫٥٠٠", Ok(12_500)),
            ("KWD", "12٫500", Ok(12_500)),
            ("INR", "۱٬۲۵۰٫۵", Ok(125_050)),
            ("INR", "$5", Err(OtherCurrency(Currency::INR))),
            ("INR", "€ 7,90", Err(OtherCurrency(Currency::INR))),
            ("INR", "1.249,00 EUR", Err(OtherCurrency(Currency::INR))),
            ("INR", "5 apples", Err(NotMoney)),
            ("INR", "€", Err(NotMoney)),
            ("INR", "5 € 7", Err(NotMoney)),
            ("CHF", "$5", Err(OtherCurrency("CHF".parse().unwrap()))),
            ("INR", "10,000,000,000.01", Err(AmountTooBig(inr(PRICE_MAX)))),
            ("INR", "99999999999999999999", Err(AmountTooBig(inr(PRICE_MAX)))),
        ];
        for (code, typed, expected) in cases {
            let found = read("price", typed, code.parse().unwrap()).map(Money::amount).map_err(|e| e.code);
            assert_eq!(found, expected, "{code} {typed:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(minor in 0i64..=PRICE_MAX, code in prop::sample::select(vec!["INR", "USD", "JPY", "KWD"])) {
            let money = Money::new(minor, code.parse().unwrap());
            prop_assert_eq!(read("f", &money.plain(), money.currency()), Ok(money));
            prop_assert_eq!(read("f", &money.to_string(), money.currency()), Ok(money));
        }

        #[test]
        fn nothing_typed_makes_amounts_panic(typed in ".{0,30}") {
            let _ = read("f", &typed, Currency::INR);
        }
    }
}
