//! Postal addresses: the countries, the required parts and postal codes of each, their [regions](mod@regions), and the
//! layout of address labels.
//!
//! The facts are those of Google's address data set (the one behind libaddressinput, under CC BY 4.0), simplified:
//!
//! - Required parts: a state is required only if neither the town nor the postal code implies it (not in
//!   India, where the PIN code does). Places whose labels have only one of town and state accept either.
//! - Postal codes: British ones have the letters that can occur, whatever the area. The prefixes of `AZ`, `LT`,
//!   `LV`, `MD` and Salvadoran codes may be there or not; Panama, Saudi Arabia (with four more digits) and
//!   Tristan da Cunha have patterns that the data set lacks.
//! - Names: what a country calls its states and postal codes. Those that say "postcode" in English are added.
//! - Labels: layouts that differ little share one (by a comma, a line break, or the place of a state that is
//!   rarely written), and constant text (`SE-` before a code, `GUERNSEY`) is left out.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError},
    text,
};

// Browsers get what they need of these tables from the server.
#[cfg(not(target_family = "wasm"))]
pub mod phone;
#[cfg(not(target_family = "wasm"))]
pub mod regions;

/// A postal address.
// Stored with checkouts and purchases as JSON: a field that is added needs a default. All are empty where nothing is shipped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Address {
    /// The recipient's full name.
    pub name: String,
    /// The street address.
    pub line1: String,
    /// Flat, floor or landmark. May be empty.
    pub line2: String,
    /// The town or city.
    pub city: String,
    /// The state or province: its code (ISO 3166-2 without the country, `MH`) where there is a table of them, or else its
    /// name. May be empty.
    pub region: String,
    /// The postal code. May be empty.
    pub postal_code: String,
    /// The two-letter country code (ISO 3166-1 alpha-2).
    pub country: String,
    /// A phone number for the courier. May be empty.
    pub phone: String,
}

impl Address {
    /// The address in a form, whose fields have names that begin with `prefix`. Without JavaScript, the region may still be
    /// one of the country before; `foreign` tells whether it can be one of the new country.
    pub fn read(field: &impl Fn(&str) -> String, prefix: &str, foreign: impl Fn(&str, &str) -> bool) -> Self {
        let field = |name: &str| field(&format!("{prefix}{name}"));
        let (country, before) = (field("country"), field("fields_of"));
        let other = !before.is_empty() && before != country && foreign(&before, &country);
        Self {
            name: field("name"),
            line1: field("line1"),
            line2: field("line2"),
            city: field("city"),
            region: if other { String::new() } else { field("region") },
            postal_code: field("postal_code"),
            country,
            phone: field("phone"),
        }
    }

    /// The same without its phone number: nothing is brought there.
    pub fn without_phone(self) -> Self {
        Self { phone: String::new(), ..self }
    }

    /// The same with every part truncated to this number of characters, for a draft.
    pub(crate) fn bounded(mut self, most: usize) -> Self {
        let Self { name, line1, line2, city, region, postal_code, country, phone } = &mut self;
        for part in [name, line1, line2, city, region, postal_code, country, phone] {
            text::truncate(part, most);
        }
        self
    }
}

/// The maximum number of characters of a postal code.
const POSTAL_CODE_MAX: usize = 20;

/// One country per line: its ISO 3166-1 code (and XK for Kosovo, which has none yet), the letter of its
/// label layout, that of what it calls its states ([`StateName`]; none if addresses have no states) and that of what
/// it calls its postal codes ([`PostalName`]; none for the usual name), what it requires (`z` a postal code, `s` a state,
/// `e` a town or a state) or doesn't (`c` a town), the patterns of its postal codes (none if it has no postal codes), and
/// behind `~` a postal code as an example.
///
/// In patterns, `#` is a digit, `@` a letter, `*` either, `[12]` one of these, `[^IO]` a letter but these, the code may end
/// at `?`, anything else is literal. Spaces and hyphens may be omitted when entering a code.
const COUNTRIES: &str = include_str!("addresses/countries.txt");

/// A country's line of the table.
#[derive(Debug, Clone, Copy)]
struct Country {
    code: &'static str,
    #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "labels are made on the server"))]
    layout: &'static str,
    names: &'static str,
    needs: &'static str,
    shapes: &'static str,
    example: &'static str,
}

/// The codes of all countries.
pub fn countries() -> impl Iterator<Item = &'static str> {
    COUNTRIES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.get(..2))
}

fn find(code: &str) -> Option<Country> {
    let line = COUNTRIES.lines().find(|line| line.get(..2) == Some(code))?;
    let mut parts = line.splitn(3, ' ');
    let code = parts.next()?;
    let (layout, names) = parts.next()?.split_at_checked(1)?;
    let rest = parts.next().unwrap_or_default();
    // Required fields are lowercase letters; shapes are not.
    let end = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
    let (needs, shapes) = rest.split_at(end);
    let (shapes, example) = shapes.trim_start().split_once(" ~").unwrap_or((shapes, ""));
    Some(Country { code, layout, names, needs, shapes: shapes.trim_start(), example })
}

/// Whether the addresses of a country have a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Every address has it.
    Required,
    /// It may be left out.
    Optional,
    /// No address has it, so forms don't ask for it.
    Absent,
}

/// Which parts the addresses of a country have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The town or city.
    pub city: Need,
    /// The state or province.
    pub region: Need,
    /// The postal code.
    pub postal_code: Need,
}

/// Which parts the addresses of the country with this code have.
pub fn needs(code: &str) -> Needs {
    let need = |required: bool, exists: bool| match (required, exists) {
        (true, _) => Need::Required,
        (false, true) => Need::Optional,
        (false, false) => Need::Absent,
    };
    let country = find(code);
    let letters = country.map_or("", |country| country.needs);
    let codes = country.is_none_or(|country| !country.shapes.is_empty());
    Needs {
        city: need(!letters.contains('c'), true),
        region: need(letters.contains(['s', 'e']), part_names(code).0.is_some()),
        postal_code: need(letters.contains('z'), codes),
    }
}

/// A postal code of the country with this code, as an example. Empty if it has none.
pub fn postal_code_example(code: &str) -> &'static str {
    find(code).map_or("", |country| country.example)
}

/// What a country calls its states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum StateName {
    Area,
    County,
    Department,
    District,
    /// Korean provinces and metropolitan cities.
    DoSi,
    Emirate,
    Island,
    Oblast,
    Parish,
    Prefecture,
    Province,
    State,
}

/// What a country calls its postal codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum PostalName {
    Eircode,
    Pin,
    Postal,
    Postcode,
    Zip,
}

/// What the country with this code calls its states, if its addresses have any, and its postal codes.
pub fn part_names(code: &str) -> (Option<StateName>, PostalName) {
    let Some(country) = find(code) else { return (Some(StateName::Province), PostalName::Postal) };
    let (mut state, mut postal) = (None, PostalName::Postal);
    for letter in country.names.bytes() {
        match letter {
            b'a' => state = Some(StateName::Area),
            b'c' => state = Some(StateName::County),
            b'd' => state = Some(StateName::Department),
            b't' => state = Some(StateName::District),
            b'k' => state = Some(StateName::DoSi),
            b'e' => state = Some(StateName::Emirate),
            b'i' => state = Some(StateName::Island),
            b'o' => state = Some(StateName::Oblast),
            b'r' => state = Some(StateName::Parish),
            b'f' => state = Some(StateName::Prefecture),
            b'p' => state = Some(StateName::Province),
            b's' => state = Some(StateName::State),
            b'E' => postal = PostalName::Eircode,
            b'P' => postal = PostalName::Pin,
            b'C' => postal = PostalName::Postcode,
            _ => postal = PostalName::Zip,
        }
    }
    (state, postal)
}

/// The code of a country in capitals, if there is such a country.
pub fn country_code(typed: &str) -> Option<String> {
    country("country", typed).ok().map(|country| country.code.to_owned())
}

/// A country code in capitals. `UK` is read as `GB`.
fn country(field: &str, typed: &str) -> Result<Country, FieldError> {
    let code = match text::line(field, typed, 2)?.to_ascii_uppercase() {
        uk if uk == "UK" => "GB".to_owned(),
        code => code,
    };
    find(&code).ok_or(FieldError::new(field, FieldCode::NotAChoice))
}

/// Validates an address by the rules of its country. If there is no such country, only lengths are
/// checked.
pub(crate) fn check(typed: Address) -> (Address, Vec<FieldError>) {
    let mut faults = Vec::new();
    let mut take = |result: Result<String, FieldError>| {
        result.unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        })
    };
    let country = country("country", &typed.country);
    let needs = |part: char| country.as_ref().is_ok_and(|country| country.needs.contains(part));
    let no_town = needs('c') || (needs('e') && !text::is_blank(&typed.region));
    let part = |needed: bool, field: &str, typed: &str| match needed {
        true => text::line(field, typed, 100),
        false => text::optional_line(field, typed, 100),
    };
    let address = Address {
        name: take(text::line("name", &typed.name, text::PERSON_MAX)),
        line1: take(text::line("line1", &typed.line1, 200)),
        line2: take(text::optional_line("line2", &typed.line2, 200)),
        city: take(part(!no_town, "city", &typed.city)),
        region: take(
            part(needs('s'), "region", &typed.region).and_then(|typed| region(typed, country.as_ref().ok())),
        ),
        postal_code: take(postal_code("postal_code", &typed.postal_code, country.as_ref().ok())),
        country: take(country.map(|country| country.code.to_owned())),
        phone: take(phone("phone", &typed.phone)),
    };
    (address, faults)
}

/// The code of a region, where there is a table of them. Browsers have none, and leave it to the server.
fn region(typed: String, country: Option<&Country>) -> Result<String, FieldError> {
    #[cfg(not(target_family = "wasm"))]
    if let Some(country) = country.filter(|country| !typed.is_empty() && regions::known(country.code)) {
        let code = regions::code(country.code, &typed);
        return code.map(str::to_owned).ok_or(FieldError::new("region", FieldCode::NotAChoice));
    }
    #[cfg(target_family = "wasm")]
    let _ = country;
    Ok(typed)
}

/// A postal code in the country's format: with its spaces and hyphens, in capitals and the digits 0–9.
fn postal_code(field: &str, typed: &str, country: Option<&Country>) -> Result<String, FieldError> {
    let plain: String = typed.chars().filter(|c| !text::is_invisible(*c)).map(text::plain).collect();
    let plain = text::optional_line(field, &plain, POSTAL_CODE_MAX)?;
    let Some(country) = country else { return Ok(plain) };
    if plain.is_empty() {
        return match country.needs.contains('z') {
            true => Err(FieldError::new(field, FieldCode::Missing)),
            false => Ok(plain),
        };
    }
    let bad = || FieldError::new(field, FieldCode::NotPostalCode);
    if country.shapes.is_empty() {
        return if plain.chars().any(char::is_alphanumeric) { Ok(plain) } else { Err(bad()) };
    }
    let mut code = plain.to_uppercase();
    code.retain(|c| !matches!(c, ' ' | '-' | '.' | '〒'));
    // `D-10115`, `SE-114 55`: a country prefix, as used on international mail.
    let bare = code.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let prefixed = code.len() - bare.len() <= 3 && bare.bytes().all(|b| b.is_ascii_digit());
    let fitting = |code: &str| country.shapes.split('|').find_map(|shape| fit(shape, code));
    fitting(&code).or_else(|| fitting(bare).filter(|_| prefixed)).ok_or_else(bad)
}

/// The code in this pattern, if it matches.
fn fit(shape: &str, code: &str) -> Option<String> {
    let (mut shape, mut code, mut fitted) = (shape.chars(), code.chars(), String::new());
    while let Some(wanted) = shape.next() {
        match wanted {
            ' ' | '-' => {
                fitted.push(wanted);
                continue;
            }
            '?' if code.as_str().is_empty() => break,
            '?' => continue,
            _ => {}
        }
        let c = code.next()?;
        let fits = match wanted {
            '#' => c.is_ascii_digit(),
            '@' => c.is_ascii_uppercase(),
            '*' => c.is_ascii_digit() || c.is_ascii_uppercase(),
            '[' => {
                let (set, rest) = shape.as_str().split_once(']')?;
                shape = rest.chars();
                match set.strip_prefix('^') {
                    Some(never) => c.is_ascii_uppercase() && !never.contains(c),
                    None => set.contains(c),
                }
            }
            literal => c == literal,
        };
        if !fits {
            return None;
        }
        fitted.push(c);
    }
    code.next().is_none().then_some(fitted)
}

/// The maximum number of characters of a phone number: two numbers and an extension fit.
pub const PHONE_MAX: usize = 60;

/// The minimum number of digits of a phone number. The shortest in the world, in Niue and Tokelau, have
/// four; anything shorter reaches a service (`*123#`, `112`), or was entered by mistake.
const PHONE_DIGITS_MIN: usize = 4;

/// A phone number as entered, in the digits 0–9; may be empty. Whatever can be dialled is kept, with
/// extensions (`x8`, `;ext=8`, `#8`) and words around it.
pub(crate) fn phone(field: &str, typed: &str) -> Result<String, FieldError> {
    let plain: String = typed.chars().filter(|c| !text::is_invisible(*c)).map(text::plain).collect();
    let number = text::optional_line(field, &plain, PHONE_MAX)?;
    if let Some(c) = number.chars().find(|c| PHONE_NEVER.contains(*c)) {
        return Err(FieldError::new(field, FieldCode::BadCharacter(c)));
    }
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    if number.is_empty() || digits >= PHONE_DIGITS_MIN {
        return Ok(number);
    }
    Err(FieldError::new(field, FieldCode::NotPhone))
}

/// Characters that no phone number contains: something else was entered.
const PHONE_NEVER: &str = "@<>\"\\{}|^~$%!?_`";

/// The layout of a label: `N` is the name, `A` the street lines, `C` the town, `S` the state, `Z` the
/// postal code; `|` ends a line. Other characters between the parts are literal.
#[cfg(not(target_family = "wasm"))]
fn layout(letter: &str, local: bool) -> &'static str {
    match letter {
        "b" => "N|A|Z C|S",
        "c" => "N|A|C|S|Z",
        "d" => "N|A|C Z|S",
        "e" => "N|A|Z C, S",
        "f" => "N|A|Z C S",
        "g" => "N|A|C-S|Z",
        "h" => "N|A|C|S Z",
        "i" if local => "〒Z|SC|A|N",
        "j" if local => "Z|SC|A|N",
        "k" if local => "S C|A|N|Z",
        "l" if local => "S|C Z|A|N",
        "l" => "N|A|C|S|Z",
        "m" => "N|A|Z|C|S",
        "n" => "N|C|A|Z|S",
        "o" => "N|A|C - Z|S",
        "p" => "N|S|C|A|Z",
        "q" => "N|A|S, C|Z",
        "s" => "N|A|C S Z",
        "t" => "Z|S|C|A|N",
        "v" => "N|A|C|Z S",
        "x" => "N|A|Z C/S",
        _ => "N|A|C, S Z",
    }
}

#[cfg(not(target_family = "wasm"))]
impl Address {
    /// The code of the region, where there is a table: of the one that is named, or else of the one that the postal code
    /// lies in.
    pub fn region_code(&self) -> Option<&'static str> {
        regions::of(&self.country, &self.region, &self.postal_code)
    }

    /// The address with its region as a code, if it is known. Earlier versions stored it as it was typed.
    #[must_use]
    pub fn with_region_code(mut self) -> Self {
        if let Some(code) = regions::code(&self.country, &self.region) {
            code.clone_into(&mut self.region);
        }
        self
    }

    /// The region as labels show it: in local letters if the address has such letters.
    pub fn region_on_label(&self) -> &str {
        regions::on_label(&self.country, &self.region, self.line1.chars().chain(self.city.chars()))
    }

    /// The address in the format of its country, line by line, followed by the country and the phone
    /// number.
    pub fn label(&self, country: &str) -> Vec<String> {
        let mut lines = self.formatted();
        lines.extend([country.to_owned(), self.phone.clone()]);
        lines.retain(|line| !line.is_empty());
        lines
    }

    /// The address in the format of its country, line by line. In countries whose labels begin with the largest part,
    /// addresses in Latin letters begin with the smallest.
    pub fn formatted(&self) -> Vec<String> {
        // In Chinese, Japanese or Korean.
        let local = |text: &String| {
            text.chars().any(|c| matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}'))
        };
        let local = local(&self.line1) || local(&self.city);
        let letter = find(&self.country).map_or("a", |country| country.layout);
        // `28013 Madrid`, not `28013 Madrid Madrid`.
        let region = Some(self.region_on_label()).filter(|region| *region != self.city).unwrap_or_default();
        let mut lines = Vec::new();
        for parts in layout(letter, local).split('|') {
            if parts == "A" {
                lines.extend([self.line1.clone(), self.line2.clone()]);
                continue;
            }
            let (mut line, mut between) = (String::new(), String::new());
            for part in parts.chars() {
                let value = match part {
                    'N' => &self.name,
                    'C' => &self.city,
                    'S' => region,
                    'Z' => &self.postal_code,
                    other => {
                        between.push(other);
                        continue;
                    }
                };
                if !value.is_empty() {
                    if !line.is_empty() || between == "〒" {
                        line += &between;
                    }
                    line += value;
                }
                between.clear();
            }
            lines.push(line);
        }
        lines.retain(|line| !line.is_empty());
        lines
    }
}

/// An address with its label, as orders and purchases show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddressView {
    /// The address.
    #[serde(flatten)]
    pub parts: Address,
    /// The lines of its label, in the order of its country: without the country and the phone number.
    pub formatted: Vec<String>,
    /// The code of the state or province (ISO 3166-2 without the country, `MH`), where there is a table of them: also if only
    /// the postal code tells it.
    pub region_code: Option<String>,
    /// The phone number as an international one (E.164, `+919845012345`), if it can be told.
    pub phone_e164: Option<String>,
    /// The link that dials the phone number (RFC 3966, `tel:+919845012345;ext=8`), if it has one.
    pub phone_uri: Option<String>,
}

#[cfg(not(target_family = "wasm"))]
impl From<Address> for AddressView {
    fn from(address: Address) -> Self {
        let parts = address.with_region_code();
        let dial = phone::dial(&parts.phone, &parts.country, PHONE_DIGITS_MIN);
        let (phone_e164, phone_uri) = dial.map_or((None, None), |dial| (dial.e164, Some(dial.uri)));
        let region_code = parts.region_code().map(str::to_owned);
        Self { formatted: parts.formatted(), region_code, phone_e164, phone_uri, parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(country: &str, region: impl Into<String>, postal_code: &str) -> Address {
        Address {
            name: "Asha Rao".into(),
            line1: "12 Lake Road".into(),
            line2: String::new(),
            city: "Town".into(),
            region: region.into(),
            postal_code: postal_code.into(),
            country: country.into(),
            phone: String::new(),
        }
    }

    /// A region of the country, by its code where codes are known.
    fn any_region(country: &str) -> String {
        regions::choices(country, "en").into_iter().next().map_or("X".to_owned(), |(code, _)| code)
    }

    fn faults(typed: Address) -> Vec<(String, FieldCode)> {
        check(typed).1.into_iter().map(|fault| (fault.field, fault.code)).collect()
    }

    #[test]
    fn what_may_be_left_out_depends_on_the_country() {
        use Need::*;
        let of = |code| {
            let Needs { city, region, postal_code } = needs(code);
            [city, region, postal_code]
        };
        assert_eq!(of("IN"), [Required, Optional, Required]);
        assert_eq!(of("US"), [Required, Required, Required]);
        assert_eq!(of("AE"), [Required, Required, Absent], "a town or a state");
        assert_eq!(of("HK"), [Required, Required, Absent]);
        assert_eq!(of("SG"), [Optional, Absent, Required]);
        assert_eq!(of("DE"), [Required, Absent, Required]);
        assert_eq!(of("IE"), [Required, Optional, Optional]);
        assert_eq!(of("??"), [Required, Optional, Optional]);
    }

    #[test]
    fn states_and_postal_codes_have_the_names_of_the_country() {
        for (code, state, postal) in [
            ("IN", Some(StateName::State), PostalName::Pin),
            ("US", Some(StateName::State), PostalName::Zip),
            ("GB", None, PostalName::Postcode),
            ("AU", Some(StateName::State), PostalName::Postcode),
            ("IE", Some(StateName::County), PostalName::Eircode),
            ("CA", Some(StateName::Province), PostalName::Postal),
            ("AE", Some(StateName::Emirate), PostalName::Postal),
            ("JP", Some(StateName::Prefecture), PostalName::Postal),
            ("KR", Some(StateName::DoSi), PostalName::Postal),
            ("HK", Some(StateName::Area), PostalName::Postal),
            ("CO", Some(StateName::Department), PostalName::Postal),
            ("DE", None, PostalName::Postal),
            ("SG", None, PostalName::Postal),
            ("??", Some(StateName::Province), PostalName::Postal),
        ] {
            assert_eq!(part_names(code), (state, postal), "{code}");
        }
        for code in countries() {
            // Letters that stand for nothing would be read as a zip code, and a required state must have a name.
            let (country, (state, _)) = (find(code).unwrap(), part_names(code));
            assert!(country.names.chars().all(|c| "acdtkeiorfpsEPCZ".contains(c)), "{country:?}");
            assert!(!country.needs.contains(['s', 'e']) || state.is_some(), "{country:?}");
        }
    }

    #[test]
    fn regions_become_codes_where_there_is_a_table() {
        for (country, typed, stored) in [
            ("US", "California", Ok("CA")),
            ("US", "ca", Ok("CA")),
            ("IN", "महाराष्ट्र", Ok("MH")),
            ("IN", "", Ok("")),
            ("DE", "Bayern", Ok("Bayern")),
            ("CR", "San José", Ok("San José")),
            ("US", "Bavaria", Err(FieldCode::NotAChoice)),
            ("IN", "CA", Err(FieldCode::NotAChoice)),
        ] {
            let code = postal_code_example(country);
            let (checked, faults) = check(address(country, typed, code));
            match stored {
                Ok(stored) => {
                    assert_eq!((checked.region.as_str(), faults), (stored, Vec::new()), "{country} {typed}")
                }
                Err(code) => assert_eq!(faults, [FieldError::new("region", code)], "{country} {typed}"),
            }
        }
    }

    #[test]
    fn a_view_has_the_label_and_what_programs_need() {
        let typed = Address { phone: "098450 12345".into(), ..address("IN", "Maharashtra", "411001") };
        let view = AddressView::from(typed);
        assert_eq!(view.formatted, ["Asha Rao", "12 Lake Road", "Town 411001", "Maharashtra"]);
        assert_eq!((view.parts.region.as_str(), view.region_code.as_deref()), ("MH", Some("MH")));
        assert_eq!(view.phone_e164.as_deref(), Some("+919845012345"));
        assert_eq!(view.phone_uri.as_deref(), Some("tel:+919845012345"));
        // The stored forms of both versions are read.
        let json = serde_json::to_value(&view).unwrap();
        assert_eq!((&json["city"], &json["region"]), (&"Town".into(), &"MH".into()));
        assert_eq!(serde_json::from_value::<AddressView>(json).unwrap(), view);
        let by_pin = AddressView::from(address("IN", "", "411001"));
        assert_eq!((by_pin.parts.region.as_str(), by_pin.region_code.as_deref()), ("", Some("MH")));
        assert_eq!((by_pin.phone_e164, by_pin.phone_uri), (None, None));
    }

    #[test]
    fn addresses_of_the_field() {
        #[derive(serde::Deserialize)]
        struct Case {
            what: String,
            right: String,
            address: crate::checkout::CheckoutUpdate,
        }
        let cases: Vec<Case> = serde_json::from_str(include_str!("../tests/field/addresses.json")).unwrap();
        assert!(cases.len() >= 10);
        for Case { what, right, address: form } in cases {
            let (address, faults) = check(form.address());
            let at: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
            match right.as_str() {
                "hold" => assert_eq!(at, [""; 0], "{what}"),
                "ask" => assert!(at.contains(&"postal_code") && !at.contains(&"country"), "{what}: {at:?}"),
                right if right.starts_with("either GB") => assert_eq!(address.country, "GB", "{what}"),
                "refuse at address.country" => assert_eq!(at, ["country"], "{what}"),
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn countries_are_those_of_iso_3166() {
        let codes: Vec<_> = countries().collect();
        assert_eq!(codes.len(), 250);
        assert!(codes.is_sorted());
        for (typed, code) in [("in", "IN"), ("Gb", "GB"), ("uk", "GB"), ("XK", "XK"), ("aX", "AX")] {
            assert_eq!(country("country", typed).map(|c| c.code), Ok(code), "{typed}");
        }
        for wrong in ["ZZ", "QQ", "EU", "XX", "EL", "AN", "SU", "I", "ÎN", "1N", "--"] {
            let refused = country("country", wrong).map(|c| c.code);
            assert_eq!(refused, Err(FieldError::new("country", FieldCode::NotAChoice)), "{wrong}");
        }
        // Every line of the data is well-formed.
        for code in codes {
            let country = find(code).unwrap();
            assert!(country.needs.chars().all(|c| "zsce".contains(c)), "{country:?}");
            let brackets = |c: char| country.shapes.matches(c).count();
            assert_eq!(brackets('['), brackets(']'), "{country:?}");
            assert!(!country.needs.contains('z') || !country.shapes.is_empty(), "{country:?}");
            // Each pattern has an example, which is a code as it is stored.
            assert_eq!(country.example.is_empty(), country.shapes.is_empty(), "{country:?}");
            let example = postal_code("", country.example, Some(&country));
            assert_eq!(example.as_deref(), Ok(country.example), "{country:?}");
            assert!("abcdefghijklmnopqstvx".contains(country.layout), "{country:?}");
            for local in [true, false] {
                let layout = layout(country.layout, local);
                assert!("NACSZ".chars().all(|part| layout.matches(part).count() == 1), "{layout}");
            }
        }
    }

    #[test]
    fn each_country_asks_for_its_own_parts() {
        let missing = |field: &str| (field.to_owned(), FieldCode::Missing);
        assert_eq!(faults(address("US", "", "")), [missing("region"), missing("postal_code")]);
        assert_eq!(faults(address("DE", "", "")), [missing("postal_code")]);
        assert_eq!(faults(address("IN", "", "")), [missing("postal_code")]);
        assert_eq!(faults(address("AE", "", "")), []);
        let no_town =
            |country: &str, code: &str| faults(Address { city: String::new(), ..address(country, "", code) });
        assert_eq!(no_town("SG", "238857"), []);
        assert_eq!(no_town("GI", ""), []);
        assert_eq!(no_town("DE", "10115"), [missing("city")]);
        for (country, region) in [
            ("AE", "Dubai"),
            ("HK", "Kowloon"),
            ("KY", "Grand Cayman"),
            ("NR", "Yaren District"),
            ("CO", "Bogotá"),
            ("ID", "Bali"),
            ("AG", ""),
            ("VG", ""),
        ] {
            let there =
                |region: &str| faults(Address { city: String::new(), ..address(country, region, "") });
            assert_eq!(there(region), [], "{country}");
            let nothing = match country {
                "AE" | "HK" | "KY" | "NR" => vec![missing("city")],
                "CO" | "ID" => vec![missing("region")],
                _ => vec![],
            };
            assert_eq!(there(" "), nothing, "{country}");
        }
        // The town alone is as good as the emirate.
        assert_eq!(faults(address("HK", "", "")), []);
    }

    #[test]
    fn postal_codes_have_the_shape_of_their_country() {
        for (country, typed, written) in [
            ("IN", "411001", "411001"),
            ("IN", "411 001", "411001"),
            ("IN", "४११००१", "411001"),
            ("IN", "４１１００１", "411001"),
            ("IN", "411\u{a0}001\u{200b}", "411001"),
            ("GB", "sw1a1aa", "SW1A 1AA"),
            ("GB", "m1 1ae", "M1 1AE"),
            ("GB", "BFPO 57", "BFPO 57"),
            ("US", "94043-1351", "94043-1351"),
            ("US", "940431351", "94043-1351"),
            ("CA", "k1a0b1", "K1A 0B1"),
            ("DE", "D-10115", "10115"),
            ("SE", "SE-11455", "114 55"),
            ("CH", "ch 8001", "8001"),
            ("LV", "1010", "1010"),
            ("LV", "lv1010", "LV-1010"),
            ("JP", "〒1008798", "100-8798"),
            ("JP", "１００－８７９８", "100-8798"),
            ("NL", "1012nx", "1012 NX"),
            ("PT", "1100148", "1100-148"),
            ("BR", "01310930", "01310-930"),
            ("IE", "d02x285", "D02 X285"),
            ("KY", "ky11001", "KY1-1001"),
            ("MT", "vlt1117", "VLT 1117"),
            ("AX", "22100", "22100"),
            ("HK", "999077", "999077"),
            ("IE", "", ""),
            ("US", "94043", "94043"),
            ("MC", "98000", "98000"),
            ("VA", "00120", "00120"),
            ("PR", "009071234", "00907-1234"),
            ("CA", "v8x3x4", "V8X 3X4"),
            ("NL", "2490sb", "2490 SB"),
            ("GB", "ze29aa", "ZE2 9AA"),
            ("GB", "w1a4zz", "W1A 4ZZ"),
            ("GB", "n17aa", "N1 7AA"),
            ("GB", "BFPO1234", "BFPO 1234"),
            ("AR", "c1070aam", "C1070AAM"),
            ("AR", "b1640", "B1640"),
            ("AR", "1640", "1640"),
            ("PE", "lima 23", "LIMA 23"),
            ("MT", "ZTN 05", "ZTN 05"),
            ("LB", "20383054", "2038 3054"),
            ("LB", "1000", "1000"),
            ("RE", "97400", "97400"),
            ("LI", "FL-9490", "9490"),
            ("VI", "00802-1222", "00802-1222"),
        ] {
            let (written_as, faults) = check(address(country, any_region(country), typed));
            assert_eq!((written_as.postal_code.as_str(), faults), (written, Vec::new()), "{country} {typed}");
        }
        for (country, typed) in [
            ("IN", "!!!!"),
            ("IN", "41100"),
            ("IN", "4110011"),
            ("IN", "41100A"),
            ("IN", "ABCDEF411001"),
            ("US", "9404"),
            ("DE", "1011"),
            ("GB", "12345"),
            ("GB", "SW1A1A"),
            ("CA", "K1A 0BB"),
            ("AX", "10115"),
            ("HK", "!!!!"),
            ("IE", "Galway"),
            ("MC", "75001"),
            ("VA", "99999"),
            ("PR", "94043"),
            ("PR", "00907-12"),
            ("CA", "D1D 1D1"),
            ("CA", "W1A 1A1"),
            ("CA", "K1A 0O1"),
            ("NL", "0123 AB"),
            ("NL", "1234 SS"),
            ("GB", "ZZ1 1ZZ"),
            ("GB", "Q1 1AA"),
            ("GB", "SW1A 1CA"),
            ("JE", "JE2 3KA"),
            ("GP", "75001"),
            ("WF", "98000"),
            ("GU", "96950"),
            ("MP", "96910"),
            ("VI", "00860"),
            ("LI", "8001"),
            ("GL", "8000"),
            ("AD", "AD900"),
            ("SM", "00120"),
            ("ME", "11000"),
            ("XK", "81000"),
            ("SZ", "A100"),
            ("CX", "6799"),
            ("PE", "30000"),
            ("AR", "I1070AAM"),
        ] {
            let refused = faults(address(country, any_region(country), typed));
            assert_eq!(refused, [("postal_code".into(), FieldCode::NotPostalCode)], "{country} {typed}");
        }
        let long = faults(address("HK", "", &"9".repeat(21)));
        assert_eq!(long, [("postal_code".into(), FieldCode::TooLong(20))]);
    }

    #[test]
    fn what_a_courier_can_dial_is_kept() {
        // Numbers as typed in practice, each preceded by the expected verdict.
        for line in include_str!("../tests/field/phones.txt").lines() {
            match line.split_once('\t').unwrap() {
                ("hold", number) => assert!(phone("phone", number).is_ok(), "{number}"),
                ("refuse", number) => {
                    let code = phone("phone", number).map_err(|fault| fault.code);
                    assert_eq!(code, Err(FieldCode::NotPhone), "{number}");
                }
                other => panic!("{other:?}"),
            }
        }
        for (typed, kept) in [
            ("", ""),
            ("  ", ""),
            ("९८४५०१२३४५", "9845012345"),
            ("٠١٢٣٤٥٦٧٨٩", "0123456789"),
            ("۰۱۲۳۴۵۶۷۸۹", "0123456789"),
            ("＋８１（３）１２３４－５６７８", "+81(3)1234-5678"),
            ("+91\u{a0}98450\u{202f}12345", "+91 98450 12345"),
            ("\u{202a}+91 98450 12345\u{202c}", "+91 98450 12345"),
            ("98450\u{200b}12345", "9845012345"),
            ("020 7946\u{2011}0000", "020 7946-0000"),
            ("020 7946 0000 x8", "020 7946 0000 x8"),
            ("020 7946 0000 ext. 8", "020 7946 0000 ext. 8"),
            ("+1 212 555 0123,,8", "+1 212 555 0123,,8"),
            ("1-800-FLOWERS-2026", "1-800-FLOWERS-2026"),
            ("tel:+1-212-555-0123", "tel:+1-212-555-0123"),
            ("98450 12345 / 080 2345 6789 (घर)", "98450 12345 / 080 2345 6789 (घर)"),
            ("016/12.34.56", "016/12.34.56"),
            ("4567", "4567"),
        ] {
            assert_eq!(phone("phone", typed).as_deref(), Ok(kept), "{typed:?}");
        }
        for (typed, code) in [
            (".", FieldCode::NotPhone),
            ("+", FieldCode::NotPhone),
            ("not at home", FieldCode::NotPhone),
            ("1", FieldCode::NotPhone),
            ("12", FieldCode::NotPhone),
            ("*123#", FieldCode::NotPhone),
            ("flat 7, floor 2", FieldCode::NotPhone),
            ("asha2026@example.com", FieldCode::BadCharacter('@')),
            ("98450 12345?", FieldCode::BadCharacter('?')),
            ("<98450 12345>", FieldCode::BadCharacter('<')),
            ("98450\u{0}12345", FieldCode::BadCharacters),
        ] {
            assert_eq!(phone("phone", typed).map_err(|fault| fault.code), Err(code), "{typed:?}");
        }
        assert_eq!(phone("phone", &"9".repeat(61)).map_err(|f| f.code), Err(FieldCode::TooLong(60)));
    }

    #[test]
    fn labels_are_those_of_their_country() {
        let label = |country: &str, city: &str, region: &str, code: &str| {
            let address = Address { city: city.into(), ..address(country, region, code) };
            address.label("").join(" / ")
        };
        for (country, city, region, code, expected) in [
            ("IN", "Pune", "Maharashtra", "411001", "Asha Rao / 12 Lake Road / Pune 411001 / Maharashtra"),
            ("US", "Springfield", "IL", "62704", "Asha Rao / 12 Lake Road / Springfield, IL 62704"),
            ("CA", "Ottawa", "ON", "K1A 0B1", "Asha Rao / 12 Lake Road / Ottawa ON K1A 0B1"),
            ("GB", "Sheffield", "", "S9 1XX", "Asha Rao / 12 Lake Road / Sheffield / S9 1XX"),
            ("DE", "Berlin", "", "10115", "Asha Rao / 12 Lake Road / 10115 Berlin"),
            ("IT", "Milano", "MI", "20121", "Asha Rao / 12 Lake Road / 20121 Milano MI"),
            ("BR", "São Paulo", "SP", "01310-930", "Asha Rao / 12 Lake Road / São Paulo-SP / 01310-930"),
            ("HU", "Budapest", "", "1051", "Asha Rao / Budapest / 12 Lake Road / 1051"),
            ("TR", "Çankaya", "Ankara", "06420", "Asha Rao / 12 Lake Road / 06420 Çankaya/Ankara"),
            ("SG", "Singapore", "", "238857", "Asha Rao / 12 Lake Road / Singapore 238857"),
            ("SG", "", "", "238857", "Asha Rao / 12 Lake Road / 238857"),
            ("JP", "Chiyoda", "Tokyo", "100-8798", "Asha Rao / 12 Lake Road / Chiyoda, Tokyo 100-8798"),
            ("US", "Springfield", "", "62704", "Asha Rao / 12 Lake Road / Springfield 62704"),
            // Codes, as they are stored.
            ("IN", "Pune", "MH", "411001", "Asha Rao / 12 Lake Road / Pune 411001 / Maharashtra"),
            ("AU", "Sydney", "NSW", "2000", "Asha Rao / 12 Lake Road / Sydney NSW 2000"),
            ("AE", "Deira", "DU", "", "Asha Rao / 12 Lake Road / Deira, Dubai"),
            ("ES", "Getafe", "M", "28901", "Asha Rao / 12 Lake Road / 28901 Getafe Madrid"),
            ("ES", "Madrid", "M", "28013", "Asha Rao / 12 Lake Road / 28013 Madrid"),
            ("MX", "Monterrey", "NLE", "64000", "Asha Rao / 12 Lake Road / 64000 Monterrey, N.L."),
            (
                "MY",
                "George Town",
                "07",
                "10000",
                "Asha Rao / 12 Lake Road / 10000 George Town / Pulau Pinang",
            ),
            ("IE", "Clifden", "G", "H71 X285", "Asha Rao / 12 Lake Road / Clifden / Co. Galway / H71 X285"),
            ("CN", "Xi'an", "SN", "710000", "Asha Rao / 12 Lake Road / Xi'an, Shaanxi 710000"),
            ("ZZ", "Nowhere", "", "1", "Asha Rao / 12 Lake Road / Nowhere 1"),
        ] {
            assert_eq!(label(country, city, region, code), expected);
        }
        let big_before_small = Address {
            name: "山田 花子".into(),
            line1: "霞が関1-3-2".into(),
            city: "千代田区".into(),
            phone: "03-1234-5678".into(),
            ..address("JP", "東京都", "100-8798")
        };
        let lines = ["〒100-8798", "東京都千代田区", "霞が関1-3-2", "山田 花子", "日本", "03-1234-5678"];
        assert_eq!(big_before_small.label("日本"), lines);
    }

    proptest! {
        #[test]
        fn nothing_typed_makes_it_panic_and_no_part_of_a_label_is_lost(
            at in 0usize..250, city in "\\PC{1,8}", region in "\\PC{0,8}", code in "\\PC{0,12}", phone_typed in ".{0,20}",
        ) {
            let country = countries().nth(at).unwrap();
            let typed = Address { city: city.clone(), phone: phone_typed, ..address(country, &region, &code) };
            let (checked, _) = check(typed.clone());
            // A valid address stays valid and unchanged when it is checked again.
            let (again, faults) = check(checked.clone());
            if faults.is_empty() {
                prop_assert_eq!(&again, &checked);
            }
            let label = typed.label("").join("\n");
            for part in [city.as_str(), typed.region_on_label(), code.as_str()] {
                prop_assert!(label.contains(part), "{} lacks {}", label, part);
            }
            let view = AddressView::from(typed);
            let label = view.parts.label("").join("\n");
            let formatted = view.formatted.join("\n");
            prop_assert_eq!(formatted.trim_end(), label.trim_end_matches(&view.parts.phone).trim_end());
        }
    }
}
