//! Parts of the world, as a shop's zones name them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{addresses, field::FieldCode, text};

/// A part of the world. Its text is what sellers type, what is stored, and what the REST API sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Area {
    /// Everywhere else: `*`.
    Everywhere,
    /// A country: `IN`.
    Country(String),
    /// A state or province of a country: `IN-MH`.
    Region(String, String),
    /// The postal codes of a country from one to another, without spaces: `IN 400001-400104`. What begins with the last
    /// one belongs to it, so `IN 56-56` (written `IN 56*`) is all that begin with 56.
    PostalCodes(String, String, String),
}

/// Where something is shipped to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    country: String,
    region: String,
    postal_code: String,
}

/// A postal code as it is compared.
fn bare(postal_code: &str) -> String {
    let plain = postal_code.chars().map(text::plain).filter(|c| c.is_ascii_alphanumeric());
    plain.map(|c| c.to_ascii_uppercase()).collect()
}

/// The code of a region where there is a table of them, or else its name as it is compared.
fn region(country: &str, typed: &str) -> Result<String, FieldCode> {
    #[cfg(not(target_family = "wasm"))]
    if addresses::regions::known(country) {
        return addresses::regions::code(country, typed).map(str::to_owned).ok_or(FieldCode::NotAChoice);
    }
    let _ = country;
    Ok(text::fold(typed).to_uppercase())
}

impl Place {
    /// A place, from the parts of an address as they were typed.
    pub fn new(country: &str, typed_region: &str, postal_code: &str) -> Self {
        let country = addresses::country_code(country).unwrap_or_default();
        #[cfg(not(target_family = "wasm"))]
        if let Some(code) = addresses::regions::of(&country, typed_region.trim(), postal_code.trim()) {
            return Self { country, region: code.to_owned(), postal_code: bare(postal_code) };
        }
        let region = region(&country, typed_region).unwrap_or_default();
        Self { country, region, postal_code: bare(postal_code) }
    }

    /// Whether only the country is known so far.
    pub fn is_country(&self) -> bool {
        self.region.is_empty() && self.postal_code.is_empty()
    }

    /// The country's code.
    pub fn country(&self) -> &str {
        &self.country
    }

    /// The region: its code where there is a table of them. Empty if it is not known.
    pub fn region(&self) -> &str {
        &self.region
    }
}

impl Area {
    /// An area from its text.
    pub fn parse(typed: &str) -> Result<Self, FieldCode> {
        let typed = typed.trim();
        if typed == "*" {
            return Ok(Self::Everywhere);
        }
        // `IN`, `IN-MH`, `IN 400001`: codes of countries have two letters.
        let (country, rest) = typed.split_at_checked(2).ok_or(FieldCode::NotAChoice)?;
        let country = addresses::country_code(country).ok_or(FieldCode::NotAChoice)?;
        if rest.is_empty() {
            return Ok(Self::Country(country));
        }
        if let Some(name) = rest.strip_prefix('-') {
            let region = region(&country, name.trim())?;
            return if region.is_empty() {
                Err(FieldCode::NotAChoice)
            } else {
                Ok(Self::Region(country, region))
            };
        }
        let codes = rest.strip_prefix(' ').ok_or(FieldCode::NotAChoice)?.trim();
        let (from, to) = ends(codes);
        let (from, to) = (bare(from), bare(to));
        if reversed(codes) {
            return Err(FieldCode::NotAfterStart);
        }
        let fits = |code: &str| (1..=10).contains(&code.len());
        if !fits(&from) || !fits(&to) || from.len() != to.len() || from > to {
            return Err(FieldCode::NotPostalCode);
        }
        Ok(Self::PostalCodes(country, from, to))
    }

    /// The code of its country. None if it is everywhere.
    pub fn country(&self) -> Option<&str> {
        match self {
            Self::Everywhere => None,
            Self::Country(country) | Self::Region(country, _) | Self::PostalCodes(country, _, _) => {
                Some(country)
            }
        }
    }

    /// Whether a place lies in it.
    pub fn contains(&self, place: &Place) -> bool {
        if self.country().is_some_and(|country| country != place.country) {
            return false;
        }
        match self {
            Self::Everywhere | Self::Country(_) => true,
            Self::Region(_, region) => *region == place.region,
            Self::PostalCodes(_, from, to) => {
                let code = place.postal_code.as_str();
                code >= from.as_str() && (code <= to.as_str() || code.starts_with(to.as_str()))
            }
        }
    }

    /// How exact it is. Of two areas that contain a place, the more exact one wins, so they don't overlap.
    pub fn exactness(&self) -> u8 {
        match self {
            Self::Everywhere => 0,
            Self::Country(_) => 1,
            Self::Region(..) => 2,
            Self::PostalCodes(..) => 3,
        }
    }

    /// Whether a place could lie in both, and neither is more exact.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::PostalCodes(country, from, to),
                Self::PostalCodes(other_country, other_from, other_to),
            ) => {
                let before = |to: &str, from: &str| to < from && !from.starts_with(to);
                country == other_country && !before(to, other_from) && !before(other_to, from)
            }
            _ => self == other,
        }
    }
}

/// What is written between the ends of a range.
const MARKS: [&str; 4] = ["–", "..", " - ", "-"];

/// Whether this is a range whose end comes before its beginning. Parts with letters, or of few digits, can be those of one code:
/// `K1A-0B1`.
fn reversed(codes: &str) -> bool {
    let range = MARKS.iter().find_map(|mark| codes.split_once(mark));
    range.is_some_and(|(from, to)| {
        let (from, to) = (bare(from), bare(to));
        let code = |part: &str| part.len() >= 4 && part.bytes().all(|c| c.is_ascii_digit());
        code(&from) && code(&to) && from.len() == to.len() && from > to
    })
}

/// The first and the last of a range of postal codes: `400001-400104`, `400001 – 400104`, `56*`. A hyphen within a code
/// (`00-950`) is part of it, because the parts of a range have the same length.
fn ends(codes: &str) -> (&str, &str) {
    if let Some(begin) = codes.strip_suffix('*') {
        return (begin, begin);
    }
    for mark in MARKS {
        if let Some((from, to)) = codes.split_once(mark) {
            let (from, to) = (from.trim(), to.trim());
            if from.len() == to.len() && from <= to && !from.is_empty() {
                return (from, to);
            }
        }
    }
    (codes, codes)
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => f.write_str("*"),
            Self::Country(country) => f.write_str(country),
            Self::Region(country, region) => write!(f, "{country}-{region}"),
            Self::PostalCodes(country, from, to) if from == to => write!(f, "{country} {from}*"),
            Self::PostalCodes(country, from, to) => write!(f, "{country} {from}-{to}"),
        }
    }
}

impl Serialize for Area {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Area {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(|_| D::Error::custom("not an area"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn area(text: &str) -> Area {
        Area::parse(text).unwrap_or_else(|code| panic!("{text}: {code:?}"))
    }

    #[test]
    fn areas_are_read_as_sellers_write_them() {
        for (typed, stored) in [
            ("*", "*"),
            (" in ", "IN"),
            ("UK", "GB"),
            ("XK", "XK"),
            ("IN-MH", "IN-MH"),
            ("IN-Maharashtra", "IN-MH"),
            ("in-महाराष्ट्र", "IN-MH"),
            ("DE-Bayern", "DE-BAYERN"),
            ("IN 400001-400104", "IN 400001-400104"),
            ("IN 400001 – 400104", "IN 400001-400104"),
            ("IN 400 001", "IN 400001*"),
            ("IN 56*", "IN 56*"),
            ("PL 00-950", "PL 00950*"),
            ("PL 00-950..00-999", "PL 00950-00999"),
            ("JP 100-0001", "JP 1000001*"),
            ("CA K1A-0B1", "CA K1A0B1*"),
            ("CA M4B-M9W", "CA M4B-M9W"),
            ("GB SW1A", "GB SW1A*"),
            ("IN ४००००१", "IN 400001*"),
        ] {
            assert_eq!(area(typed).to_string(), stored, "{typed}");
            assert_eq!(area(stored), area(typed), "{typed}");
        }
        for (typed, code) in [
            ("", FieldCode::NotAChoice),
            ("I", FieldCode::NotAChoice),
            ("India", FieldCode::NotAChoice),
            ("ZZ", FieldCode::NotAChoice),
            ("QQ 1", FieldCode::NotAChoice),
            ("IN-Bavaria", FieldCode::NotAChoice),
            ("IN-", FieldCode::NotAChoice),
            ("IN400001", FieldCode::NotAChoice),
            ("IN 400104..400001", FieldCode::NotAfterStart),
            ("IN *", FieldCode::NotPostalCode),
            ("IN 12345678901", FieldCode::NotPostalCode),
            ("é", FieldCode::NotAChoice),
        ] {
            assert_eq!(Area::parse(typed), Err(code), "{typed}");
        }
    }

    #[test]
    fn places_lie_in_areas() {
        let pune = Place::new("in", "Maharashtra", "411 001");
        let no_state = Place::new("IN", "", "411001");
        let london = Place::new("UK", "", "sw1a 1aa");
        for (text, place, inside) in [
            ("*", &pune, true),
            ("IN", &pune, true),
            ("GB", &pune, false),
            ("IN-MH", &pune, true),
            // The postal code tells the state.
            ("IN-MH", &no_state, true),
            ("IN-KA", &no_state, false),
            ("IN 411001", &pune, true),
            ("IN 41*", &pune, true),
            ("IN 410-411", &pune, true),
            ("IN 410-410", &pune, false),
            ("IN 400001-411000", &pune, false),
            ("IN 400001-411001", &pune, true),
            ("GB SW1A", &london, true),
            ("GB SW1B", &london, false),
        ] {
            assert_eq!(area(text).contains(place), inside, "{text} {place:?}");
        }
        assert!(!area("IN 0-9").contains(&Place::new("IN", "", "")), "a code is needed");
        assert!(Place::new("IN", "", "").is_country());
    }

    #[test]
    fn overlaps_are_between_areas_of_one_kind() {
        for (a, b, overlap) in [
            ("*", "*", true),
            ("*", "IN", false),
            ("IN", "IN", true),
            ("IN", "IN-MH", false),
            ("IN-MH", "IN-Maharashtra", true),
            ("IN-MH", "IN-KA", false),
            ("IN 400001-400104", "IN 400104-400200", true),
            ("IN 400001-400104", "IN 400105-400200", false),
            ("IN 40*", "IN 400105", true),
            ("IN 40*", "IN 41*", false),
            ("IN 4*", "GB 4*", false),
            ("IN 399999-400000", "IN 4*", true),
            ("IN 1-3", "IN 40*", false),
            ("IN 1-3", "IN 399999", true),
        ] {
            assert_eq!(area(a).overlaps(&area(b)), overlap, "{a}, {b}");
            assert_eq!(area(b).overlaps(&area(a)), overlap, "{b}, {a}");
        }
    }

    proptest! {
        /// Ranges overlap exactly if some code lies in both: the ends of the ranges are enough to tell.
        #[test]
        fn codes_in_two_ranges_make_them_overlap(a in "[0-3]{1,3}", b in "[0-3]{1,3}", c in "[0-3]{1,3}", d in "[0-3]{1,3}") {
            let range = |from: &str, to: &str| {
                let n = from.len().min(to.len());
                let (from, to) = (&from[..n], &to[..n]);
                area(&format!("IN {}..{}", from.min(to), from.max(to)))
            };
            let (x, y) = (range(&a, &b), range(&c, &d));
            let codes = (0..256).map(|n: u32| format!("{}{}{}{}", n / 64, n / 16 % 4, n / 4 % 4, n % 4));
            let both = codes.map(|code| Place::new("IN", "X", &code)).any(|p| x.contains(&p) && y.contains(&p));
            prop_assert_eq!(x.overlaps(&y), both, "{} {}", x, y);
        }
    }
}
