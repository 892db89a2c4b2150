//! Taxes: which rates apply to a sale, by the places of its seller and buyer, the tax category and the date. How they are
//! calculated is in [`pricing`](crate::pricing).
//!
//! ```text
//! place    = the buyer's, or the seller's if the market taxes by origin
//! category = the product's, or else `standard` if the place has no rate of that category
//! taxes    = the region's rate, or else the country's; and what the region adds on top of it
//! GST      = CGST and SGST, half each, within a state; IGST between states (IGST Act, sections 7 and 8)
//! ```
//!
//! Business customers of the EU whose seller is in another country of the EU owe the tax themselves (Directive 2006/112/EC,
//! articles 138 and 196): with the VAT number of another country, they are **exempt**. A GSTIN exempts nobody.

use serde::{Deserialize, Serialize};

#[cfg(not(target_family = "wasm"))]
use crate::addresses::regions;
use crate::{
    addresses::country_code,
    field::{FieldCode, FieldError},
    id::kinds::TaxRateId,
    money::{Money, MoneyError},
    number::{self, DecimalMark, Notation},
    pricing::{EXEMPTION, TAXES_MAX, TaxRule},
    text,
};

/// The tax category of most products, and the one whose rates are used where another one has none.
pub const STANDARD: &str = "standard";

/// The maximum length of a tax category, of the name of a tax, and of a tax ID.
pub const CATEGORY_MAX: usize = 40;
/// See [`CATEGORY_MAX`].
pub const NAME_MAX: usize = 40;
/// See [`CATEGORY_MAX`].
pub const TAX_ID_MAX: usize = 20;

text_enum! {
    /// How a rate applies.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum TaxKind {
        /// One tax. A region's replaces that of its country.
        Plain = "plain",
        /// A tax of a region in addition to that of its country.
        OnTop = "on_top",
        /// The GST of India, which is split by state.
        Gst = "gst",
    }
}

text_enum! {
    /// Whose place decides on the rates.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum TaxBasis {
        /// The address that is shipped to. For local pickup, the shop's.
        Destination = "destination",
        /// The address of the shop.
        Origin = "origin",
    }
}

/// How the market taxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaxSettings {
    /// Whether prices include tax, in shops that don't say otherwise.
    pub prices_include_tax: bool,
    /// Whose place decides on the rates.
    pub based_on: TaxBasis,
    /// The tax category of shipping. Empty if shipping isn't taxed.
    #[cfg_attr(feature = "openapi", schema(format = "line", max_length = 40))]
    pub shipping_category: String,
}

impl Default for TaxSettings {
    fn default() -> Self {
        Self { prices_include_tax: true, based_on: TaxBasis::Destination, shipping_category: String::new() }
    }
}

/// A country and one of its regions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The country's code. Empty if it is not known.
    pub country: String,
    /// The region's code. Empty if it is not known.
    pub region: String,
}

/// A tax rate of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRate {
    /// The country's code.
    pub country: String,
    /// The region's code. Empty for the whole country.
    pub region: String,
    /// The category of the products that it is for.
    pub tax_category: String,
    /// The name that shoppers see: `VAT`.
    pub name: String,
    /// How it applies.
    pub kind: TaxKind,
    /// The rate in millionths.
    pub rate_ppm: i64,
    /// When it begins.
    pub starts_at: i64,
    /// When it ends, if it does.
    pub ends_at: Option<i64>,
}

/// All rates, and how the market taxes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxTable {
    /// The market's country (ISO 3166-1), which is that of shops and shoppers who name none.
    pub home: String,
    /// How the market taxes.
    pub settings: TaxSettings,
    rates: Vec<TaxRate>,
}

/// Who sells to whom, and when.
#[derive(Debug, Clone, Copy)]
pub struct Sale<'a> {
    /// Where the shop is.
    pub seller: &'a Place,
    /// Whether its prices include tax; `None` if as in the market.
    pub included: Option<bool>,
    /// Where the buyer gets it.
    pub buyer: &'a Place,
    /// The buyer's tax ID. May be empty.
    pub tax_id: &'a str,
    /// When.
    pub at: i64,
}

/// The taxes of a line, or of shipping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxes {
    /// How they are calculated.
    pub rule: TaxRule,
    /// Their names, in the order of the rule's rates.
    names: Vec<String>,
}

/// What is due of one tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaxLine {
    /// The name: `CGST`.
    pub name: String,
    /// The rate in millionths: 90000 is 9 %.
    pub rate_ppm: i64,
    /// What is due.
    pub amount: Money,
    /// Whether prices include it. Otherwise it is added to them.
    pub included: bool,
}

impl TaxTable {
    /// A table of these rates, of a market whose country isn't known.
    pub fn new(settings: TaxSettings, mut rates: Vec<TaxRate>) -> Self {
        // Stable, so that the rates of one country are next to each other.
        rates.sort_by(|a, b| a.country.cmp(&b.country));
        Self { home: String::new(), settings, rates }
    }

    /// The same table with another rate, which applies at once and instead of that which it would replace.
    pub fn with(&self, rate: TaxRateDraft) -> Self {
        let TaxRateDraft { country, region, tax_category, name, kind, rate_ppm, .. } = rate;
        let new = TaxRate {
            country,
            region,
            tax_category,
            name,
            kind,
            rate_ppm,
            starts_at: i64::MIN,
            ends_at: None,
        };
        let on_top = |rate: &TaxRate| rate.kind == TaxKind::OnTop;
        let place = |rate: &TaxRate| (rate.country.clone(), rate.region.clone(), rate.tax_category.clone());
        let others =
            self.rates.iter().filter(|rate| on_top(rate) != on_top(&new) || place(rate) != place(&new));
        let rates = others.cloned().chain([new.clone()]).collect();
        Self { home: self.home.clone(), ..Self::new(self.settings.clone(), rates) }
    }

    /// Whether the prices of a shop include tax.
    pub fn includes(&self, shop: Option<bool>) -> bool {
        shop.unwrap_or(self.settings.prices_include_tax)
    }

    /// The taxes on what is of a category.
    pub fn on(&self, sale: &Sale, category: &str) -> Taxes {
        let place = match self.settings.based_on {
            TaxBasis::Destination => sale.buyer,
            TaxBasis::Origin => sale.seller,
        };
        let found = match self.of(place, category, sale.at) {
            none if none.is_empty() => self.of(place, STANDARD, sale.at),
            found => found,
        };
        let mut parts: Vec<(String, i64)> = Vec::new();
        for (name, ppm) in found.into_iter().flat_map(|rate| split(rate, sale.seller, place)) {
            // Two of the same name are one to whoever reads it, so it has the rate of both.
            match parts.iter().position(|(known, _)| *known == name) {
                Some(at) => parts[at].1 += ppm,
                None => parts.push((name, ppm)),
            }
        }
        parts.truncate(TAXES_MAX);
        let mut rates_ppm = [0; TAXES_MAX];
        for (rate, (_, ppm)) in rates_ppm.iter_mut().zip(&parts) {
            *rate = *ppm;
        }
        let rule = TaxRule {
            rates_ppm,
            included: self.includes(sale.included),
            exempt: reverse_charged(sale.seller, sale.buyer, sale.tax_id),
        };
        Taxes { rule, names: parts.into_iter().map(|(name, _)| name).collect() }
    }

    /// The taxes on shipping.
    pub fn on_shipping(&self, sale: &Sale) -> Taxes {
        match self.settings.shipping_category.as_str() {
            "" => Taxes {
                rule: TaxRule { included: self.includes(sale.included), ..TaxRule::NONE },
                names: Vec::new(),
            },
            category => self.on(sale, category),
        }
    }

    /// The rates of a category at a place: at most one that stands by itself, and one on top of it.
    fn of(&self, place: &Place, category: &str, at: i64) -> Vec<&TaxRate> {
        let first = self.rates.partition_point(|rate| rate.country < place.country);
        let of_country = self.rates[first..].iter().take_while(|rate| rate.country == place.country);
        let mut found: [Option<&TaxRate>; 3] = [None; 3];
        for rate in of_country {
            let applies = rate.tax_category == category
                && rate.starts_at <= at
                && rate.ends_at.is_none_or(|end| end > at);
            let slot = match (rate.region.as_str(), rate.kind) {
                _ if !applies => continue,
                ("", _) => 0,
                (region, _) if region != place.region => continue,
                (_, TaxKind::OnTop) => 2,
                _ => 1,
            };
            found[slot] = Some(rate);
        }
        let [country, region, on_top] = found;
        region.or(country).into_iter().chain(on_top).collect()
    }
}

/// The taxes that a rate consists of.
fn split(rate: &TaxRate, seller: &Place, place: &Place) -> Vec<(String, i64)> {
    let whole = |name: &str| vec![(name.to_owned(), rate.rate_ppm)];
    let known = !place.region.is_empty() && (seller.country != rate.country || !seller.region.is_empty());
    match rate.kind {
        TaxKind::Plain | TaxKind::OnTop => whole(&rate.name),
        // Until both states are known, it is one tax of the same amount.
        TaxKind::Gst if !known => whole(&rate.name),
        TaxKind::Gst if seller != place => whole("IGST"),
        TaxKind::Gst => {
            // Union territories without a legislature.
            let of_state = match place.region.as_str() {
                "AN" | "CH" | "DH" | "LA" | "LD" => "UTGST",
                _ => "SGST",
            };
            let half = rate.rate_ppm / 2;
            vec![("CGST".to_owned(), half), (of_state.to_owned(), rate.rate_ppm - half)]
        }
    }
}

impl Taxes {
    /// What is due on a price after discounts.
    pub fn lines(&self, price: Money) -> Result<Vec<TaxLine>, MoneyError> {
        let TaxRule { rates_ppm, included, exempt } = self.rule;
        if exempt && rates_ppm.iter().any(|rate| *rate > 0) {
            let amount = Money::zero(price.currency());
            return Ok(vec![TaxLine { name: EXEMPTION.to_owned(), rate_ppm: 0, amount, included }]);
        }
        let parts = self.names.iter().zip(rates_ppm).zip(self.rule.on(price)?);
        let line = |((name, rate_ppm), amount): ((&String, i64), Money)| TaxLine {
            name: name.clone(),
            rate_ppm,
            amount,
            included,
        };
        Ok(parts.map(line).collect())
    }
}

/// The sums of taxes by name and rate, the highest rate first.
pub fn sums(lines: impl IntoIterator<Item = TaxLine>) -> Result<Vec<TaxLine>, MoneyError> {
    let mut sums: Vec<TaxLine> = Vec::new();
    for line in lines {
        let same = |sum: &&mut TaxLine| {
            (&sum.name, sum.rate_ppm, sum.included) == (&line.name, line.rate_ppm, line.included)
        };
        match sums.iter_mut().find(same) {
            Some(sum) => sum.amount = sum.amount.plus(line.amount)?,
            None => sums.push(line),
        }
    }
    sums.sort_by(|a, b| b.rate_ppm.cmp(&a.rate_ppm).then_with(|| a.name.cmp(&b.name)));
    Ok(sums)
}

/// A percentage as text, without trailing zeros: `9.975`.
pub fn percent(rate_ppm: i64) -> String {
    let text = format!("{}.{:04}", rate_ppm / 10_000, rate_ppm % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The VAT numbers of the EU: the prefix, the country if it is another one, and the patterns of the rest. `#` is a digit, `@` a
/// letter, `*` either.
const EU: [(&str, &str); 27] = [
    ("AT", "U########"),
    ("BE", "##########"),
    ("BG", "######### ##########"),
    ("CY", "########@"),
    ("CZ", "######## ######### ##########"),
    ("DE", "#########"),
    ("DK", "########"),
    ("EE", "#########"),
    ("EL", "#########"),
    ("ES", "@#######* #*######@"),
    ("FI", "########"),
    ("FR", "**#########"),
    ("HR", "###########"),
    ("HU", "########"),
    ("IE", "#######@ #######@@ #@#####@"),
    ("IT", "###########"),
    ("LT", "######### ############"),
    ("LU", "########"),
    ("LV", "###########"),
    ("MT", "########"),
    ("NL", "#########B##"),
    ("PL", "##########"),
    ("PT", "#########"),
    ("RO", "## ### #### ##### ###### ####### ######## ######### ##########"),
    ("SE", "##########01"),
    ("SI", "########"),
    ("SK", "##########"),
];

/// The prefix of a country's VAT numbers, if it is in the EU.
fn vat_prefix(country: &str) -> Option<&'static str> {
    let prefix = if country == "GR" { "EL" } else { country };
    EU.iter().find(|(known, _)| *known == prefix).map(|(known, _)| *known)
}

/// Whether a country is in the EU.
pub fn in_eu(country: &str) -> bool {
    country != "EL" && vat_prefix(country).is_some()
}

/// A tax ID as it is stored: without spaces, dots and hyphens, in capitals.
fn compact(typed: &str) -> String {
    let text = text::normalized(typed);
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-' | '/'))
        .collect::<String>()
        .to_uppercase()
}

/// The prefix of a well-formed VAT number of the EU.
fn eu_vat(id: &str) -> Option<&'static str> {
    let (prefix, rest) = id.split_at_checked(2)?;
    let (prefix, patterns) = EU.iter().find(|(known, _)| *known == prefix)?;
    let fits = |pattern: &str| {
        pattern.len() == rest.len()
            && pattern.bytes().zip(rest.bytes()).all(|(wanted, c)| match wanted {
                b'#' => c.is_ascii_digit(),
                b'@' => c.is_ascii_uppercase(),
                b'*' => c.is_ascii_digit() || c.is_ascii_uppercase(),
                other => c == other,
            })
    };
    patterns.split(' ').any(fits).then_some(*prefix)
}

/// Whether this is a GSTIN: a state, a PAN, the number of the registration, and a check character.
fn is_gstin(id: &str) -> bool {
    let bytes = id.as_bytes();
    let shaped = bytes.len() == 15
        && bytes.iter().enumerate().all(|(at, c)| match at {
            0 | 1 | 7..=10 => c.is_ascii_digit(),
            2..=6 | 11 => c.is_ascii_uppercase(),
            12 => c.is_ascii_uppercase() || (b'1'..=b'9').contains(c),
            _ => c.is_ascii_digit() || c.is_ascii_uppercase(),
        });
    shaped
        && matches!(id[..2].parse::<u8>(), Ok(1..=38 | 97 | 99))
        && check_character(&id[..14]) == Some(bytes[14])
}

/// The last character of the GSTIN that begins with these: the digits' sums to base 36, every second one doubled.
fn check_character(id: &str) -> Option<u8> {
    const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut sum = 0;
    for (at, c) in id.bytes().enumerate() {
        let product = DIGITS.iter().position(|digit| *digit == c)? * (1 + at % 2);
        sum += product / 36 + product % 36;
    }
    DIGITS.get((36 - sum % 36) % 36).copied()
}

/// A customer's tax ID: a VAT number of the EU, or a GSTIN. May be empty.
pub fn tax_id(field: &str, typed: &str) -> Result<String, FieldError> {
    let id = compact(typed);
    let known = id.is_empty() || eu_vat(&id).is_some() || is_gstin(&id);
    if known { Ok(id) } else { Err(FieldError::new(field, FieldCode::NotTaxId)) }
}

/// The tax ID of a shop, whose form is known in India and the EU. May be empty.
pub fn shop_tax_id(field: &str, country: &str, typed: &str) -> Result<String, FieldError> {
    let typed = text::optional_line(field, typed, CATEGORY_MAX)?;
    let id = compact(&typed);
    let fits = match vat_prefix(country) {
        _ if id.is_empty() => true,
        Some(prefix) => eu_vat(&id) == Some(prefix),
        None if country == "IN" => is_gstin(&id),
        None => return Ok(typed),
    };
    if fits { Ok(id) } else { Err(FieldError::new(field, FieldCode::NotTaxId)) }
}

/// Whether the buyer owes the tax: a business of the EU that buys from another of its countries.
fn reverse_charged(seller: &Place, buyer: &Place, tax_id: &str) -> bool {
    let abroad = in_eu(&seller.country) && in_eu(&buyer.country) && seller.country != buyer.country;
    abroad && eu_vat(&compact(tax_id)).is_some_and(|prefix| Some(prefix) != vat_prefix(&seller.country))
}

/// What is asked of a preview: a basket of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPreview {
    /// The shop's country.
    pub from_country: String,
    /// The shop's region.
    pub from_region: String,
    /// The buyer's country.
    pub country: String,
    /// The buyer's region.
    pub region: String,
    /// The buyer's tax ID. May be empty.
    pub tax_id: String,
    /// The tax category.
    pub tax_category: String,
    /// The price.
    pub price: Money,
    /// A rate that is being typed, as if it was saved already.
    #[serde(default)]
    pub unsaved: Option<TaxRateForm>,
}

text_enum! {
    /// What to look at twice before a rate is added.
    pub enum TaxNote {
        /// Nothing is charged at 0 %.
        Zero = "zero",
        /// Its last day is over.
        Over = "over",
        /// No category of products has its tax category.
        UnknownCategory = "unknown_category",
    }
}

/// A rate as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaxRateForm {
    /// The country's code.
    pub country: String,
    /// The region: its code or name. Empty for the whole country.
    pub region: String,
    /// The tax category.
    pub tax_category: String,
    /// The name that shoppers see.
    pub name: String,
    /// How it applies.
    pub kind: String,
    /// The rate in percent.
    pub percent: String,
    /// The first day: `2026-12-01`. Empty for now.
    pub starts_on: String,
    /// The last day. Empty for no end.
    pub ends_on: String,
}

/// A valid [`TaxRateForm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRateDraft {
    /// The country's code.
    pub country: String,
    /// The region's code. Empty for the whole country.
    pub region: String,
    /// The tax category.
    pub tax_category: String,
    /// The name.
    pub name: String,
    /// How it applies.
    pub kind: TaxKind,
    /// The rate in millionths.
    pub rate_ppm: i64,
    /// The first day, counted from 1970-01-01.
    pub starts_on: Option<i64>,
    /// The last day.
    pub ends_on: Option<i64>,
}

/// The code of a region of a country, from its code or name. May be empty.
pub fn region(field: &str, country: &str, typed: &str) -> Result<String, FieldError> {
    let typed = typed.trim();
    // Browsers don't have the tables, so that the server decides.
    #[cfg(not(target_family = "wasm"))]
    if !typed.is_empty() && regions::known(country) {
        let code = regions::code(country, typed);
        return code.map(str::to_owned).ok_or_else(|| FieldError::new(field, FieldCode::NotAChoice));
    }
    #[cfg(target_family = "wasm")]
    let _ = country;
    match typed {
        "" => Ok(String::new()),
        typed => text::code(field, typed, CATEGORY_MAX).map(|region| region.to_uppercase()),
    }
}

/// A tax category: a word of small letters, digits and hyphens. Capital letters are read as small ones.
pub fn category(field: &str, typed: &str) -> Result<String, FieldError> {
    let typed = typed.trim().to_lowercase();
    match typed.as_str() {
        "" => Err(FieldError::new(field, FieldCode::Missing)),
        _ if typed.len() > CATEGORY_MAX => Err(FieldError::new(field, FieldCode::TooLong(CATEGORY_MAX))),
        _ if typed != text::slug(&typed, CATEGORY_MAX) => {
            Err(FieldError::new(field, FieldCode::BadCharacters))
        }
        _ => Ok(typed),
    }
}

/// A percentage with up to four decimals, in millionths.
fn ppm(field: &str, typed: &str) -> Result<i64, FieldError> {
    let typed = typed.trim().trim_end_matches('%').trim_end();
    if typed.is_empty() {
        return Err(FieldError::new(field, FieldCode::Missing));
    }
    if text::is_negative(typed) {
        return Err(FieldError::new(field, FieldCode::TooSmall));
    }
    // No rate has thousands, so that either mark is the decimal one.
    match number::exact(&typed.replace(',', "."), 4, Notation::Said(DecimalMark::Point)).map_err(|code| {
        match code {
            // Of a currency or a whole number, says the message of these.
            FieldCode::TooManyDecimals | FieldCode::NotNumber => {
                FieldError::new(field, FieldCode::NotDecimal(4))
            }
            code => FieldError::new(field, code),
        }
    })? {
        ppm if ppm > 500_000 => Err(FieldError::new(field, FieldCode::TooBig)),
        ppm => Ok(ppm),
    }
}

impl TaxRateForm {
    /// Reads the form from its fields.
    pub fn read(field: impl Fn(&str) -> String) -> Self {
        Self {
            country: field("country"),
            region: field("region"),
            tax_category: field("tax_category"),
            name: field("name"),
            kind: field("kind"),
            percent: field("percent"),
            starts_on: field("starts_on"),
            ends_on: field("ends_on"),
        }
    }

    /// The valid rate, or all errors.
    pub fn check(&self) -> Result<TaxRateDraft, Vec<FieldError>> {
        let mut faults = Vec::new();
        let mut keep = |result: Result<String, FieldError>| match result {
            Ok(text) => text,
            Err(fault) => {
                faults.push(fault);
                String::new()
            }
        };
        let country = match self.country.trim() {
            "" => Err(FieldError::new("country", FieldCode::Missing)),
            typed => country_code(typed).ok_or(FieldError::new("country", FieldCode::NotAChoice)),
        };
        let country = keep(country);
        let region = keep(region("region", &country, &self.region));
        let tax_category = keep(category("tax_category", &self.tax_category));
        let name = keep(text::line("name", &self.name, NAME_MAX));
        let rate_ppm = ppm("percent", &self.percent).unwrap_or_else(|fault| {
            faults.push(fault);
            0
        });
        let kind = match TaxKind::parse(&self.kind) {
            Some(TaxKind::Gst) if country != "IN" || !region.is_empty() => None,
            Some(TaxKind::OnTop) if region.is_empty() => None,
            kind => kind,
        };
        if kind.is_none() {
            faults.push(FieldError::new("kind", FieldCode::NotAChoice));
        }
        let mut day = |name: &str, typed: &str| {
            let read = text::day(typed.trim());
            if read.is_none() && !typed.trim().is_empty() {
                faults.push(FieldError::new(name, FieldCode::NotDate));
            }
            read
        };
        let (starts_on, ends_on) = (day("starts_on", &self.starts_on), day("ends_on", &self.ends_on));
        if starts_on.zip(ends_on).is_some_and(|(start, end)| end < start) {
            faults.push(FieldError::new("ends_on", FieldCode::NotAfterStart));
        }
        match kind {
            Some(kind) if faults.is_empty() => {
                Ok(TaxRateDraft { country, region, tax_category, name, kind, rate_ppm, starts_on, ends_on })
            }
            _ => Err(faults),
        }
    }
}

text_enum! {
    /// Whether a rate applies.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum TaxRateState {
        /// It will apply.
        Scheduled = "scheduled",
        /// It applies.
        Active = "active",
        /// It applied.
        Ended = "ended",
    }
}

/// A rate, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaxRateCard {
    /// Its ID.
    pub id: TaxRateId,
    /// The country's code.
    pub country: String,
    /// The region's code. Empty for the whole country.
    pub region: String,
    /// The tax category.
    pub tax_category: String,
    /// The name that shoppers see.
    pub name: String,
    /// How it applies.
    pub kind: TaxKind,
    /// The rate in millionths: 180000 is 18 %.
    pub rate_ppm: i64,
    /// Whether it applies.
    pub status: TaxRateState,
    /// When it begins: RFC 3339, UTC.
    pub starts_at: String,
    /// When it ends: RFC 3339, UTC. Null if it doesn't.
    pub ends_at: Option<String>,
}

#[cfg(test)]
mod tests;
