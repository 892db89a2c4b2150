//! The states, provinces and other regions of countries whose addresses name them, and their codes.
//!
//! Addresses store the code, because taxes and shipping depend on it; labels and forms show the name.

use std::{collections::BTreeMap, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;

use crate::text;

/// The regions of a country.
struct Table {
    on_label: OnLabel,
    /// The language of the names in local letters.
    language: &'static str,
    regions: Vec<Region>,
    /// The beginnings of postal codes, and the region that they mean, if it is one.
    postal: Vec<(&'static str, Option<usize>)>,
    /// All spellings, as they are compared, and the region that they mean.
    spellings: BTreeMap<String, usize>,
}

/// What the labels of a country show of a region.
#[derive(Clone, Copy)]
enum OnLabel {
    Code,
    Name,
    Short,
}

struct Region {
    code: &'static str,
    name: &'static str,
    /// The name in local letters. May be empty.
    local: &'static str,
    /// Further spellings.
    others: Vec<&'static str>,
}

static TABLES: LazyLock<BTreeMap<&str, Table>> = LazyLock::new(|| read(include_str!("regions.txt")));

fn read(text: &'static str) -> BTreeMap<&'static str, Table> {
    let mut tables = BTreeMap::new();
    let mut current = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some(line) = line.strip_prefix(' ') else {
            let mut words = line.split(' ');
            current = words.next().unwrap_or_default();
            let on_label = match words.next() {
                Some("code") => OnLabel::Code,
                Some("short") => OnLabel::Short,
                _ => OnLabel::Name,
            };
            let language = words.next().unwrap_or_default();
            let (regions, postal, spellings) = (Vec::new(), Vec::new(), BTreeMap::new());
            tables.insert(current, Table { on_label, language, regions, postal, spellings });
            continue;
        };
        if let Some(table) = tables.get_mut(current) {
            table.add(line);
        }
    }
    tables
}

impl Table {
    fn add(&mut self, line: &'static str) {
        let (line, postal) = line.split_once(" @").unwrap_or((line, ""));
        let begins = postal.split(',').filter(|begin| !begin.is_empty());
        if line == "?" {
            self.postal.extend(begins.map(|begin| (begin, None)));
            return;
        }
        let at = self.regions.len();
        self.postal.extend(begins.map(|begin| (begin, Some(at))));
        let (code, names) = line.split_once(' ').unwrap_or((line, line));
        let mut names = names.split('=');
        let (name, local) = names.next().map_or(("", ""), |name| name.split_once('~').unwrap_or((name, "")));
        let others: Vec<_> = names.collect();
        for spelling in [code, name, local].into_iter().chain(others.iter().copied()) {
            let key = compared(spelling);
            if !key.is_empty() {
                self.spellings.entry(key).or_insert(at);
            }
        }
        self.regions.push(Region { code, name, local, others });
    }

    fn find(&self, typed: &str) -> Option<&Region> {
        self.spellings.get(&compared(typed)).and_then(|at| self.regions.get(*at))
    }
}

/// A spelling as it is compared: without accents, punctuation, case and the word for the kind of region.
fn compared(spelling: &str) -> String {
    let plain: String = text::fold(spelling)
        .nfd()
        .filter(|c| !matches!(c, '\u{300}'..='\u{36F}'))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let mut words: Vec<&str> = plain.split_whitespace().collect();
    const KINDS: [&str; 10] = [
        "co",
        "county",
        "state",
        "province",
        "provincia",
        "prefecture",
        "emirate",
        "governorate",
        "estado",
        "departamento",
    ];
    let kind = |word: Option<&&str>| word.is_some_and(|word| KINDS.contains(word));
    if words.len() > 1 && kind(words.first()) {
        words.remove(0);
        if words.len() > 1 && matches!(words.first(), Some(&("of" | "de"))) {
            words.remove(0);
        }
    }
    if words.len() > 1 && kind(words.last()) {
        words.pop();
    }
    words.retain(|word| *word != "and");
    words.join(" ")
}

/// Whether there is a table of the country's regions.
pub fn known(country: &str) -> bool {
    TABLES.contains_key(country)
}

/// The code of a region of the country, from its code or any of its names.
pub fn code(country: &str, typed: &str) -> Option<&'static str> {
    let table = TABLES.get(country)?;
    let typed = typed.trim();
    // `US-CA` is ISO 3166-2 in full.
    let bare = typed.get(..3).filter(|head| head.trim_end_matches('-').eq_ignore_ascii_case(country));
    let bare = bare.and_then(|head| typed.get(head.len()..)).and_then(|rest| table.find(rest));
    table.find(typed).or(bare).map(|region| region.code)
}

/// The code and name of each of the country's regions, by name, for a form in this language. None if there is no table.
pub fn choices(country: &str, language: &str) -> Vec<(String, String)> {
    let Some(table) = TABLES.get(country) else { return Vec::new() };
    let mut choices: Vec<_> = table
        .regions
        .iter()
        .map(|Region { code, name, local, .. }| {
            let shown = match local {
                _ if local.is_empty() => (*name).to_owned(),
                _ if table.language == language => (*local).to_owned(),
                // Whoever reads Hindi can have the page in Hindi.
                _ if table.language == "hi" => (*name).to_owned(),
                _ => format!("{name} ({local})"),
            };
            ((*code).to_owned(), shown)
        })
        .collect();
    if table.language == language {
        choices.sort_by(|a, b| a.1.cmp(&b.1));
    }
    choices
}

/// The code of the region that a postal code lies in, if it lies in one.
fn of_postal_code(table: &Table, postal_code: &str) -> Option<&'static str> {
    let fitting = table.postal.iter().filter(|(begin, _)| postal_code.starts_with(begin));
    let (_, at) = fitting.max_by_key(|(begin, _)| begin.len())?;
    table.regions.get((*at)?).map(|region| region.code)
}

/// The code of the region, where there is a table: of the one that is named, or else of the one that the postal code lies in.
pub fn of(country: &str, region: &str, postal_code: &str) -> Option<&'static str> {
    let table = TABLES.get(country)?;
    match region.is_empty() {
        true => of_postal_code(table, postal_code),
        false => code(country, region),
    }
}

/// A region as labels show it: in local letters if the address has such letters.
pub fn on_label<'a>(country: &str, region: &'a str, mut letters: impl Iterator<Item = char>) -> &'a str {
    let table = TABLES.get(country);
    let Some((table, found)) = table.and_then(|table| Some((table, table.find(region)?))) else {
        return region;
    };
    // It isn't enough that the letters aren't Latin: an address in Tamil doesn't name its state in Hindi.
    let mut is_written_like = |text: &str| {
        let own = text.chars().next().map(script);
        letters.any(|c| c.is_alphabetic() && own == Some(script(c)))
    };
    match table.on_label {
        OnLabel::Code => found.code,
        OnLabel::Short => found.others.first().unwrap_or(&found.name),
        OnLabel::Name if !found.local.is_empty() && is_written_like(found.local) => found.local,
        OnLabel::Name => found.name,
    }
}

/// Something that is the same for letters of one script, and different for others: Unicode's half blocks, with those of
/// East Asia as one.
fn script(c: char) -> u32 {
    match c {
        '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' => 0x2E80,
        c => u32::from(c) >> 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addresses::Address;

    fn address(country: &str, region: &str, postal_code: &str) -> Address {
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

    #[test]
    fn every_line_of_the_table_is_well_formed() {
        for must in ["AE", "AU", "BR", "CA", "CN", "ES", "IN", "IT", "JP", "MX", "MY", "US"] {
            assert!(known(must), "{must}");
        }
        for (country, table) in TABLES.iter() {
            assert!(super::super::countries().any(|code| code == *country), "{country}");
            let (state, _) = super::super::part_names(country);
            assert!(state.is_some(), "{country} has no word for its regions");
            assert!(table.regions.len() > 2, "{country}");
            for region in &table.regions {
                let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
                assert!(
                    (1..=3).contains(&region.code.len()) && region.code.chars().all(fits),
                    "{country} {}",
                    region.code
                );
                assert!(
                    !region.name.is_empty() && region.name.trim() == region.name,
                    "{country} {}",
                    region.code
                );
                assert!(region.name.chars().all(|c| c < '\u{2E80}'), "{country} {}", region.name);
                // Each spelling means this region and no other.
                for spelling in
                    [region.code, region.name, region.local].into_iter().chain(region.others.clone())
                {
                    if !spelling.is_empty() {
                        assert_eq!(code(country, spelling), Some(region.code), "{country} {spelling}");
                    }
                }
                assert_eq!(code(country, &format!("{country}-{}", region.code)), Some(region.code));
            }
            let mut begins: Vec<_> = table.postal.iter().map(|(begin, _)| *begin).collect();
            begins.sort_unstable();
            begins.dedup();
            assert_eq!(begins.len(), table.postal.len(), "{country}");
            assert!(matches!(table.on_label, OnLabel::Code | OnLabel::Name) || *country == "MX");
        }
        let count = |country: &str| TABLES[country].regions.len();
        assert_eq!(
            ["IN", "US", "CA", "AU", "JP", "BR", "MX", "IT"].map(count),
            [36, 62, 13, 9, 47, 27, 32, 107]
        );
    }

    #[test]
    fn regions_are_known_by_code_and_by_every_name() {
        for (country, typed, expected) in [
            ("IN", "Maharashtra", Some("MH")),
            ("IN", " maharashtra ", Some("MH")),
            ("IN", "mh", Some("MH")),
            ("IN", "IN-MH", Some("MH")),
            ("IN", "महाराष्ट्र", Some("MH")),
            ("IN", "Orissa", Some("OD")),
            ("IN", "Jammu & Kashmir", Some("JK")),
            ("IN", "Jammu and Kashmir", Some("JK")),
            ("IN", "Maharashtra State", Some("MH")),
            ("IN", "Bavaria", None),
            ("IN", "", None),
            ("US", "california", Some("CA")),
            ("US", "D.C.", Some("DC")),
            ("US", "Us-ny", Some("NY")),
            ("US", "State of New York", Some("NY")),
            ("CA", "Québec", Some("QC")),
            ("CA", "Quebec", Some("QC")),
            ("IT", "CA", Some("CA")),
            ("IE", "Co. Galway", Some("G")),
            ("IE", "County Galway", Some("G")),
            ("IE", "Galway", Some("G")),
            ("JP", "東京都", Some("13")),
            ("JP", "Tokyo", Some("13")),
            ("BR", "Sao Paulo", Some("SP")),
            ("MX", "N.L.", Some("NLE")),
            ("AE", "دبي", Some("DU")),
            ("ES", "A Coruña", Some("C")),
            ("NG", "Ogun", Some("OG")),
            ("CN", "陕西省", Some("SN")),
            ("CN", "山西省", Some("SX")),
            ("DE", "Bayern", None),
        ] {
            assert_eq!(code(country, typed), expected, "{country} {typed}");
        }
    }

    #[test]
    fn labels_show_regions_as_their_country_does() {
        let label = |country: &str, region: &str, line1: &str| {
            Address { line1: line1.into(), ..address(country, region, "") }.region_on_label().to_owned()
        };
        for (country, region, line1, expected) in [
            ("IN", "MH", "12 Lake Road", "Maharashtra"),
            ("IN", "MH", "१२ लेक रोड", "महाराष्ट्र"),
            ("IN", "TN", "12 ஏரி சாலை", "Tamil Nadu"),
            ("US", "CA", "1 Main Street", "CA"),
            ("US", "California", "1 Main Street", "CA"),
            ("US", "Bavaria", "1 Main Street", "Bavaria"),
            ("MX", "NLE", "Av. Hidalgo 1", "N.L."),
            ("MX", "CMX", "Av. Hidalgo 1", "CDMX"),
            ("JP", "13", "霞が関1-3-2", "東京都"),
            ("JP", "13", "1-3-2 Kasumigaseki", "Tokyo"),
            ("AE", "DU", "12 Lake Road", "Dubai"),
            ("AE", "DU", "شارع الشيخ زايد", "دبي"),
            ("DE", "BY", "Hauptstraße 1", "BY"),
        ] {
            assert_eq!(label(country, region, line1), expected, "{country} {region} {line1}");
        }
    }

    #[test]
    fn indian_pin_codes_tell_the_state_where_they_lie_in_one() {
        for (pin, state) in [
            ("411001", Some("MH")),
            ("403001", Some("GA")),
            ("560001", Some("KA")),
            ("500001", Some("TS")),
            ("520001", Some("AP")),
            ("110001", Some("DL")),
            ("600001", Some("TN")),
            ("682001", Some("KL")),
            ("700001", Some("WB")),
            ("744101", Some("AN")),
            ("737101", Some("SK")),
            ("194101", Some("LA")),
            ("190001", Some("JK")),
            ("248001", Some("UK")),
            ("226001", Some("UP")),
            ("834001", Some("JH")),
            ("800001", Some("BR")),
            // Chandigarh or Mohali; Puducherry or Tamil Nadu; Lakshadweep or Kochi; Yanam.
            ("160055", None),
            ("605001", None),
            ("682555", None),
            ("533464", Some("AP")),
            ("", None),
        ] {
            let expected = if pin == "533464" { None } else { state };
            assert_eq!(address("IN", "", pin).region_code(), expected, "{pin}");
        }
        assert_eq!(address("IN", "Goa", "411001").region_code(), Some("GA"), "what was chosen counts");
        assert_eq!(address("US", "", "94043").region_code(), None);
        assert_eq!(address("DE", "Bayern", "80331").region_code(), None);
    }

    #[test]
    fn forms_offer_regions_in_the_language_of_the_page() {
        let of = |country: &str, language: &str, code: &str| {
            choices(country, language).into_iter().find(|(c, _)| c == code).map(|(_, name)| name).unwrap()
        };
        assert_eq!(of("IN", "en", "MH"), "Maharashtra");
        assert_eq!(of("IN", "hi", "MH"), "महाराष्ट्र");
        assert_eq!(of("JP", "en", "13"), "Tokyo (東京都)");
        assert_eq!(of("US", "hi", "CA"), "California");
        assert!(choices("DE", "en").is_empty());
    }
}
