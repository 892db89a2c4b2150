//! The currencies of a market, and their rates as people type them and as files have them.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError},
    money::{Currency, Rate},
    number::{self, DecimalMark, Notation},
};

/// A rate older than this is shown as such: seven days, in milliseconds.
pub const STALE_MS: i64 = 7 * 24 * 3_600_000;

/// The maximum length of a file of rates, in bytes.
pub const FILE_MAX: usize = 10_000;

/// The decimals of a typed rate.
const DECIMALS: u32 = 9;

/// A currency that shoppers can pay in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CurrencyCard {
    /// The currency.
    pub currency: Currency,
    /// What one unit of the marketplace's currency costs in it. Without a rate, it can't be chosen yet.
    pub rate: Option<Rate>,
    /// Where the rate is from. Empty if not known.
    pub source: String,
    /// Since when it applies, RFC 3339.
    pub since: Option<String>,
    /// Whether it was set more than a week ago.
    pub stale: bool,
}

/// A rate as typed: `0.0113`.
pub fn read_rate(field: &str, typed: &str) -> Result<Rate, FieldError> {
    rate(typed).map_err(|code| FieldError::new(field, code))
}

fn rate(typed: &str) -> Result<Rate, FieldCode> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(FieldCode::Missing);
    }
    // Nobody groups the digits of a rate: a comma is a decimal separator, as in `0,0113`.
    let parts = number::exact(&typed.replace(',', "."), DECIMALS, Notation::Said(DecimalMark::Point))?;
    match parts {
        ..1 => Err(FieldCode::TooSmall),
        _ => reduced(i128::from(parts), 10i128.pow(DECIMALS)).ok_or(FieldCode::TooBig),
    }
}

/// The fraction in lowest terms, if it fits. `None` if one part exceeds [`Rate::PART_MAX`].
fn reduced(numerator: i128, denominator: i128) -> Option<Rate> {
    let (mut a, mut b) = (numerator, denominator);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let part = |part: i128| i64::try_from(part / a).ok().filter(|part| (1..=Rate::PART_MAX).contains(part));
    Some(Rate { numerator: part(numerator)?, denominator: part(denominator)? })
}

/// A rate as people read it, rounded down to nine decimals at the most: `0.0113`.
pub fn decimal(rate: Rate) -> String {
    let unit = 10i128.pow(DECIMALS);
    let parts = i128::from(rate.numerator) * unit / i128::from(rate.denominator.max(1));
    let text = format!("{}.{:09}", parts / unit, parts % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Rates from a file: the currencies of `wanted` that it has, in its order. It is either a list with a code and a rate in each
/// line, or the daily table of the European Central Bank, whose first line has the codes and whose second line has the
/// rates to the euro. If the file has the market's own currency, all rates are divided by its rate.
///
/// An error is at the field `rates`, and names the line.
pub fn read_file(
    text: &str,
    base: Currency,
    wanted: &[Currency],
) -> Result<Vec<(Currency, Rate)>, FieldError> {
    let fault = |code| FieldError::new("rates", code);
    if text.len() > FILE_MAX {
        return Err(fault(FieldCode::TooBig));
    }
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let lines: Vec<(u32, &str)> = (1..).zip(lines).filter(|(_, line)| !line.is_empty()).collect();
    let table = lines.first().is_some_and(|(_, line)| line.starts_with("Date,"));
    let rates = if table { of_the_bank(&lines) } else { listed(&lines) };
    let mut rates = rates.map_err(|line| fault(FieldCode::RateLine(line)))?;
    if table {
        rates.push((Currency::EUR, Rate::ONE));
    }
    let own = rates.iter().find(|(currency, _)| *currency == base).map(|(_, rate)| *rate);
    let own = match own {
        None if table => return Err(fault(FieldCode::NoRateOf(base))),
        own => own.unwrap_or(Rate::ONE),
    };
    let of_market = |(currency, rate): (Currency, Rate)| {
        let numerator = i128::from(rate.numerator) * i128::from(own.denominator);
        let denominator = i128::from(rate.denominator) * i128::from(own.numerator);
        reduced(numerator, denominator).map(|rate| (currency, rate)).ok_or_else(|| fault(FieldCode::TooBig))
    };
    let found = rates.into_iter().filter(|(currency, _)| *currency != base && wanted.contains(currency));
    let found = found.map(of_market).collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() { Err(fault(FieldCode::Missing)) } else { Ok(found) }
}

/// `Date, USD, JPY, …` above `27 November 2026, 1.16, 180.5, …`. Currencies without a rate have `N/A`.
fn of_the_bank(lines: &[(u32, &str)]) -> Result<Vec<(Currency, Rate)>, u32> {
    let [(_, codes), (at, rates), ..] = lines else { return Err(2) };
    let cells = codes.split(',').zip(rates.split(',')).skip(1).map(|(code, rate)| (code.trim(), rate.trim()));
    let cells = cells.filter(|(code, typed)| !code.is_empty() && *typed != "N/A");
    let known = cells.filter_map(|(code, typed)| Some((code.parse::<Currency>().ok()?, typed)));
    known.map(|(currency, typed)| Ok((currency, rate(typed).map_err(|_| *at)?))).collect()
}

/// A code and a rate in each line, with a comma, a semicolon, a tab or spaces between them. The first line can be a header.
fn listed(lines: &[(u32, &str)]) -> Result<Vec<(Currency, Rate)>, u32> {
    let mut rates: Vec<(Currency, Rate)> = Vec::new();
    for (number, line) in lines {
        let (code, typed) = line.split_once([',', ';', '\t', ' ', '=']).ok_or(*number)?;
        let code = code.trim_matches(['"', ' ']);
        let typed = typed.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | ';' | '='));
        if *number == 1 && line.to_lowercase().contains("rate") {
            continue;
        }
        let currency: Currency = code.parse().map_err(|_| *number)?;
        let rate = rate(typed).map_err(|_| *number)?;
        if rates.iter().any(|(known, _)| *known == currency) {
            return Err(*number);
        }
        rates.push((currency, rate));
    }
    Ok(rates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn rates_are_read_exactly_and_shown_as_typed() {
        let read = |typed: &str| {
            read_rate("rate", typed).map(|Rate { numerator, denominator }| (numerator, denominator))
        };
        for (typed, rate, shown) in [
            ("0.0113", (113, 10_000), "0.0113"),
            ("0,0113", (113, 10_000), "0.0113"),
            (" 1.8 ", (9, 5), "1.8"),
            ("1,125", (9, 8), "1.125"),
            ("150", (150, 1), "150"),
            ("1.000000001", (1_000_000_001, 1_000_000_000), "1.000000001"),
            ("0.000000001", (1, 1_000_000_000), "0.000000001"),
        ] {
            assert_eq!(read(typed), Ok(rate), "{typed}");
            assert_eq!(decimal(Rate { numerator: rate.0, denominator: rate.1 }), shown);
        }
        assert_eq!(decimal(Rate { numerator: 1, denominator: 3 }), "0.333333333");
        for (typed, code) in [
            ("", FieldCode::Missing),
            ("0", FieldCode::TooSmall),
            ("0.0", FieldCode::TooSmall),
            ("-1", FieldCode::NotNumber),
            ("ten", FieldCode::NotNumber),
            ("0.0000000001", FieldCode::TooManyDecimals),
        ] {
            assert_eq!(read(typed), Err(FieldError::new("rate", code)), "{typed}");
        }
    }

    #[test]
    fn files_are_read_as_lists_and_as_the_banks_table() {
        let wanted = [of("INR"), of("USD"), of("JPY"), of("EUR")];
        let read = |text: &str| {
            let rates = read_file(text, of("INR"), &wanted).map_err(|fault| fault.code)?;
            let rates = rates.iter().map(|(currency, rate)| format!("{currency} {}", decimal(*rate)));
            Ok::<_, FieldCode>(rates.collect::<Vec<_>>().join(", "))
        };
        let bank = "Date, USD, JPY, BGN, XXQ, INR, \n27 November 2026, 1.16, 180.5, N/A, 3, 100.0, \n";
        for (text, rates) in [
            ("currency,rate\nUSD,0.0116\nJPY,1.805\n", "USD 0.0116, JPY 1.805"),
            ("\u{feff}\"USD\";\"0,0116\"\r\n\r\nJPY\t1.805\r\n", "USD 0.0116, JPY 1.805"),
            ("USD = 0.0116\nCHF 0.0093", "USD 0.0116"),
            // To another currency than the market's.
            ("EUR,1\nUSD,1.16\nINR,100\nJPY,180.5", "EUR 0.01, USD 0.0116, JPY 1.805"),
            (bank, "USD 0.0116, JPY 1.805, EUR 0.01"),
        ] {
            assert_eq!(read(text), Ok(rates.to_owned()), "{text}");
        }
        for (text, code) in [
            ("", FieldCode::Missing),
            ("CHF,0.9", FieldCode::Missing),
            ("USD,0.01\nnothing", FieldCode::RateLine(2)),
            ("USD,0.01\n\nJPY,0", FieldCode::RateLine(3)),
            ("USD,0.01\nUSD,0.02", FieldCode::RateLine(2)),
            ("USD,1.2.3", FieldCode::RateLine(1)),
            ("rupees 3", FieldCode::RateLine(1)),
            ("garbage line\nUSD 0.01", FieldCode::RateLine(1)),
            ("Date, USD\n27 November 2026, 1.16", FieldCode::NoRateOf(of("INR"))),
            ("Date, USD", FieldCode::RateLine(2)),
        ] {
            assert_eq!(read(text), Err(code), "{text}");
        }
        assert_eq!(read(&"USD,0.01\n".repeat(9_000)), Err(FieldCode::TooBig));
    }
}
