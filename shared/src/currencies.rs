//! The currencies of a market, and their rates as people type them and as files have them.

use serde::{Deserialize, Serialize};

use crate::{
    amounts,
    field::{FieldCode, FieldError},
    id::kinds::VariantId,
    money::{Currency, Money, PRICE_MAX, Rate},
    number::{self, DecimalMark, Notation},
    text,
};

/// A rate older than this is shown as such: seven days, in milliseconds.
pub const STALE_MS: i64 = 7 * 24 * 3_600_000;

/// The maximum length of a file of rates, in bytes.
pub const FILE_MAX: usize = 10_000;

/// How many times as high or as low as the current rate a new one may be without being confirmed.
const USUAL: i128 = 3;

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
    /// Since when it applies, or of which day it is if the file that it is from says so, RFC 3339.
    pub since: Option<String>,
    /// Whether that is more than a week ago.
    pub stale: bool,
}

/// A variant, and what it costs in another currency than the market's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantPrice {
    /// The variant's ID.
    pub id: VariantId,
    /// Its title. Empty if it is the only one.
    pub title: String,
    /// Its price in the market's currency.
    pub price: Money,
    /// That price converted at today's rate. `None` without a rate.
    pub converted: Option<Money>,
    /// The price that the seller set in the currency, which counts instead.
    pub own: Option<Money>,
}

/// The prices of a product in another currency than the market's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    /// The product's title.
    pub title: String,
    /// The currencies in which prices can be set. Empty if the market has no other one, or the shop's isn't the market's.
    pub currencies: Vec<Currency>,
    /// The one of these prices.
    pub currency: Currency,
    /// The variants.
    pub variants: Vec<VariantPrice>,
}

/// The price that was typed in a currency, or `None` if nothing was.
pub fn read_price(field: &str, typed: &str, currency: Currency) -> Result<Option<Money>, FieldError> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    let price = amounts::read(field, typed, currency)?;
    match price.amount() {
        ..1 => Err(FieldError::new(field, FieldCode::TooSmall)),
        1..=PRICE_MAX => Ok(Some(price)),
        _ => Err(FieldError::new(field, FieldCode::AmountTooBig(Money::new(PRICE_MAX, currency)))),
    }
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

/// Whether a rate is so different from the current one that it is rather a mistake: a decimal separator at another place, or the
/// rate the other way round.
pub fn is_unusual(now: Rate, before: Rate) -> bool {
    let product = |a: i64, b: i64| i128::from(a) * i128::from(b);
    let (now, before) =
        (product(now.numerator, before.denominator), product(before.numerator, now.denominator));
    now > before * USUAL || before > now * USUAL
}

/// The rates of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateFile {
    /// The rates, in the order of the file.
    pub rates: Vec<(Currency, Rate)>,
    /// The day of which the file says that they are, counted from 1970-01-01.
    pub day: Option<i64>,
}

/// Rates from a file: the currencies of `wanted` that it has, in its order. It is either a list with a code and a rate in each
/// line, or the daily table of the European Central Bank: as CSV, whose first line has the codes and whose second line has the
/// rates to the euro, or as XML. If the file has the market's own currency, all rates are divided by its rate.
///
/// An error is at the field `rates`, and names the line.
pub fn read_file(text: &str, base: Currency, wanted: &[Currency]) -> Result<RateFile, FieldError> {
    let fault = |code| FieldError::new("rates", code);
    if text.len() > FILE_MAX {
        return Err(fault(FieldCode::TooBig));
    }
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let lines: Vec<(u32, &str)> = (1..).zip(lines).filter(|(_, line)| !line.is_empty()).collect();
    let first = lines.first().map_or("", |(_, line)| line);
    let (csv, xml) = (first.starts_with("Date,"), first.starts_with('<'));
    let table = csv || xml;
    let read = match () {
        () if csv => of_the_bank(&lines).map_err(FieldCode::RateLine),
        () if xml => of_the_banks_xml(&lines).map_err(FieldCode::RateLine),
        () => listed(&lines).map(|rates| (rates, None)),
    };
    let (mut rates, day) = read.map_err(fault)?;
    let any = !rates.is_empty();
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
    let rates = found.map(of_market).collect::<Result<Vec<_>, _>>()?;
    match rates.is_empty() {
        false => Ok(RateFile { rates, day }),
        true => Err(fault(if any { FieldCode::NoRateOffered } else { FieldCode::Missing })),
    }
}

type OfTheBank = Result<(Vec<(Currency, Rate)>, Option<i64>), u32>;

/// `Date, USD, JPY, …` above `27 November 2026, 1.16, 180.5, …`. Currencies without a rate have `N/A`.
fn of_the_bank(lines: &[(u32, &str)]) -> OfTheBank {
    let [(_, codes), (at, rates), ..] = lines else { return Err(2) };
    let day = rates.split(',').next().and_then(english_day).ok_or(*at)?;
    let cells = codes.split(',').zip(rates.split(',')).skip(1).map(|(code, rate)| (code.trim(), rate.trim()));
    let cells = cells.filter(|(code, typed)| !code.is_empty() && *typed != "N/A");
    let known = cells.filter_map(|(code, typed)| Some((code.parse::<Currency>().ok()?, typed)));
    let rates = known.map(|(currency, typed)| Ok((currency, rate(typed).map_err(|_| *at)?)));
    Ok((rates.collect::<Result<_, u32>>()?, Some(day)))
}

/// `27 November 2026`.
fn english_day(written: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let mut parts = written.split_whitespace();
    let (day, month, year) = (parts.next()?, parts.next()?.get(..3)?.to_lowercase(), parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    text::day(&format!("{year:0>4}-{month:02}-{day:0>2}"))
}

/// `<Cube time='2026-11-27'>` around `<Cube currency='USD' rate='1.16'/>`, …. Of everything else in the file, nothing is read.
fn of_the_banks_xml(lines: &[(u32, &str)]) -> OfTheBank {
    let (mut rates, mut day) = (Vec::<(Currency, Rate)>::new(), None);
    for (number, line) in lines {
        for element in line.split("<Cube").skip(1) {
            // An element that goes on in the next line isn't of the bank's file.
            let (inside, _) = element.split_once('>').ok_or(*number)?;
            let attribute = |name: &str| {
                let (_, rest) = inside.split_once(&format!(" {name}="))?;
                let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
                rest[1..].split_once(quote).map(|(value, _)| value)
            };
            if let Some(time) = attribute("time") {
                // A file of several days isn't that of a day.
                if day.is_some() {
                    return Err(*number);
                }
                day = Some(text::day(time).ok_or(*number)?);
            }
            let Some(code) = attribute("currency") else { continue };
            let rate = rate(attribute("rate").ok_or(*number)?).map_err(|_| *number)?;
            let Ok(currency) = code.parse::<Currency>() else { continue };
            if rates.iter().any(|(known, _)| *known == currency) {
                return Err(*number);
            }
            rates.push((currency, rate));
        }
    }
    let day = day.ok_or(lines.last().map_or(1, |(number, _)| *number))?;
    Ok((rates, Some(day)))
}

/// A code and a rate in each line, with a comma, a semicolon, a tab or spaces between them. The first line can be a header.
fn listed(lines: &[(u32, &str)]) -> Result<Vec<(Currency, Rate)>, FieldCode> {
    let mut rates: Vec<(Currency, Rate)> = Vec::new();
    for (number, line) in lines {
        let unread = FieldCode::RateLine(*number);
        let (code, typed) = line.split_once([',', ';', '\t', ' ', '=']).ok_or(unread)?;
        let code = code.trim_matches(['"', ' ']);
        let typed = typed.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | ';' | '='));
        if *number == 1 && line.to_lowercase().contains("rate") {
            continue;
        }
        let currency: Currency = code.parse().map_err(|_| unread)?;
        let rate = rate(typed).map_err(|_| unread)?;
        if rates.iter().any(|(known, _)| *known == currency) {
            return Err(FieldCode::RateTwice(*number));
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
            let RateFile { rates, day } = read_file(text, of("INR"), &wanted).map_err(|fault| fault.code)?;
            assert_eq!(day.is_some(), text.contains("2026"), "{text}");
            assert!(day.is_none_or(|day| Some(day) == text::day("2026-11-27")));
            let rates = rates.iter().map(|(currency, rate)| format!("{currency} {}", decimal(*rate)));
            Ok::<_, FieldCode>(rates.collect::<Vec<_>>().join(", "))
        };
        let bank = "Date, USD, JPY, BGN, XXQ, INR, \n27 November 2026, 1.16, 180.5, N/A, 3, 100.0, \n";
        let xml = r#"<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
	<Cube>
		<Cube time='2026-11-27'>
			<Cube currency='USD' rate='1.16'/>
			<Cube currency="JPY" rate="180.5"/><Cube currency='XXQ' rate='3'/>
			<Cube currency='INR' rate='100.0'/></Cube>
	</Cube>
</gesmes:Envelope>
"#;
        for (text, rates) in [
            ("currency,rate\nUSD,0.0116\nJPY,1.805\n", "USD 0.0116, JPY 1.805"),
            ("\u{feff}\"USD\";\"0,0116\"\r\n\r\nJPY\t1.805\r\n", "USD 0.0116, JPY 1.805"),
            ("USD = 0.0116\nCHF 0.0093", "USD 0.0116"),
            // To another currency than the market's.
            ("EUR,1\nUSD,1.16\nINR,100\nJPY,180.5", "EUR 0.01, USD 0.0116, JPY 1.805"),
            (bank, "USD 0.0116, JPY 1.805, EUR 0.01"),
            (xml, "USD 0.0116, JPY 1.805, EUR 0.01"),
        ] {
            assert_eq!(read(text), Ok(rates.to_owned()), "{text}");
        }
        for (text, code) in [
            ("", FieldCode::Missing),
            ("CHF,0.9", FieldCode::NoRateOffered),
            ("INR,1", FieldCode::NoRateOffered),
            ("USD,0.01\nnothing", FieldCode::RateLine(2)),
            ("USD,0.01\n\nJPY,0", FieldCode::RateLine(3)),
            ("USD,0.01\nUSD,0.02", FieldCode::RateTwice(2)),
            ("USD,1.2.3", FieldCode::RateLine(1)),
            ("rupees 3", FieldCode::RateLine(1)),
            ("garbage line\nUSD 0.01", FieldCode::RateLine(1)),
            ("Date, USD\n27 November 2026, 1.16", FieldCode::NoRateOf(of("INR"))),
            ("Date, USD", FieldCode::RateLine(2)),
            ("Date, USD, INR\nyesterday, 1.16, 100", FieldCode::RateLine(2)),
            ("<html>\n<body>Not found</body>", FieldCode::RateLine(2)),
            ("<Cube time='2026-11-27'>\n<Cube currency='INR' rate='1'", FieldCode::RateLine(2)),
            ("<Cube time='2026-11-27'>\n<Cube currency='INR' rate=1>", FieldCode::RateLine(2)),
            ("<Cube time='2026-11-27'>\n<Cube currency='INR' rate='0'/>", FieldCode::RateLine(2)),
            ("<Cube time='2026-11-27'>\n<Cube time='2026-11-26'>", FieldCode::RateLine(2)),
            ("<Cube time='2026-11-31'>", FieldCode::RateLine(1)),
            ("<Cube time='2026-11-27'><Cube currency='USD' rate='1'/>", FieldCode::NoRateOf(of("INR"))),
        ] {
            assert_eq!(read(text), Err(code), "{text}");
        }
        assert_eq!(read(&"USD,0.01\n".repeat(9_000)), Err(FieldCode::TooBig));
    }

    #[test]
    fn rates_that_are_rather_mistakes_are_noticed() {
        let rate = |typed: &str| read_rate("rate", typed).unwrap();
        for (now, before, unusual) in [
            ("0.011", "0.011", false),
            ("0.033", "0.011", false),
            ("0.0331", "0.011", true),
            ("0.003667", "0.011", false),
            ("0.003666", "0.011", true),
            ("11", "0.011", true),
            ("90", "0.011", true),
            ("999999999999", "0.000000001", true),
        ] {
            let big = Rate { numerator: Rate::PART_MAX, denominator: 1 };
            let now = if now.len() > 9 { big } else { rate(now) };
            assert_eq!(is_unusual(now, rate(before)), unusual, "{now:?} after {before}");
        }
    }
}
