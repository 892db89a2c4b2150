//! Postal addresses: the countries, the required parts and postal codes of each, and the layout of address
//! labels.
//!
//! The facts are those of Google's address data set (the one behind libaddressinput), simplified:
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

/// A postal address.
// Stored with checkouts and purchases as JSON: a field that is added needs a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The state or province. May be empty.
    pub region: String,
    /// The postal code. May be empty.
    pub postal_code: String,
    /// The two-letter country code (ISO 3166-1 alpha-2).
    pub country: String,
    /// A phone number for the courier. May be empty.
    pub phone: String,
}

/// The maximum number of characters of a postal code.
const POSTAL_CODE_MAX: usize = 20;

/// One country per line: its ISO 3166-1 code (and XK for Kosovo, which has none yet), the letter of its
/// label layout, that of what it calls its states ([`StateName`]; none if addresses have no states) and that of what
/// it calls its postal codes ([`PostalName`]; none for the usual name), what it requires (`z` a postal code, `s` a state, `e` a town or a state) or doesn't (`c` a
/// town), and the patterns of its postal codes: `#` is a digit, `@` a letter, `*` either, `[12]` one of
/// these, `[^IO]` a letter but these, the code may end at `?`, anything else is literal. Spaces and hyphens
/// may be omitted when entering a code.
const COUNTRIES: &str = "\
AD br AD[1234567]0#
AE ae e
AF c ####
AG a c
AI cC AI-2640|2640
AL m ####
AM mp ####|37####
AO a
AQ a
AR bp [^IO]####?@@@|####?@@@
AS ssZ z 96799?-####
AT b z ####
AU ssC sz ####
AW a
AX b z 22###
AZ b AZ ####|####
BA b #####
BB ar BB#####
BD o ####
BE b z ####
BF a
BG b ####
BH d [123456789]##|1[012]##
BI a
BJ a
BL b z 9[78][01]##
BM d @@ **
BN d @@####
BO a
BQ a
BR gs sz #####-###
BS ai
BT d #####
BV a
BW a
BY bp ######
BZ a
CA sp sz [^DFIOQUWZ]#[^DFIOQU] #[^DFIOQU]#
CC spC 6799
CD a
CF a
CG a
CH b z ####
CI a
CK a
CL bp #######
CM a
CN jp sz ######
CO ad sc ######
CR qp s ####?#|###-####
CU cp #####
CV bi ####
CW a
CX spC 6798
CY b ####
CZ b z ### ##
DE b z #####
DJ a
DK b z ####
DM a
DO b #####
DZ b #####
EC m ######
EE fp z #####
EG cp #####
EH b #####
ER a
ES fp sz #####
ET b ####
FI b z #####
FJ a
FK cC z FIQQ 1ZZ
FM ssZ z 9694[1234]?-####
FO b ###
FR b z #####
GA a
GB cC z [BEGLMNSW]# #[^CIKMV][^CIKMV]|[BEGLMNSW]## #[^CIKMV][^CIKMV]|[BEGLMNSW]#@ #[^CIKMV][^CIKMV]|[^QVX][^IJZ]# #[^CIKMV][^CIKMV]|[^QVX][^IJZ]## #[^CIKMV][^CIKMV]|[^QVX][^IJZ]#@ #[^CIKMV][^CIKMV]|GIR 0AA|BFPO #?#?#?#
GD a
GE b ####
GF b z 9[78]3##
GG cC z GY# #[^CIKMV][^CIKMV]|GY## #[^CIKMV][^CIKMV]
GH a
GI cC c GX11 1AA
GL b z 39##
GM a
GN b ###
GP b z 9[78][01]##
GQ a
GR b z ### ##
GS cC z SIQQ 1ZZ
GT b #####
GU sZ z 969[12]#?-####|9693[12]?-####
GW b ####
GY a
HK la e
HM spC ####
HN cd #####
HR b #####
HT b ####
HU n z ####
ID hp sc #####
IE ccE *** ****
IL d #####?##
IM cC z IM# #[^CIKMV][^CIKMV]|IM## #[^CIKMV][^CIKMV]
IN dsP z ######
IO cC z BBND 1ZZ
IQ ap #####
IR pp #####-#####
IS b ###
IT fp sz #####
JE cC z JE# #[^CIKMV][^CIKMV]|JE## #[^CIKMV][^CIKMV]
JM hr
JO d #####
JP if szc ###-####
KE c #####
KG b ######
KH d #####?#
KI qi
KM a
KN ai
KP ap
KR kk z #####
KW b #####
KY hi e KY#-####
KZ tp ######
LA b #####
LB d ####? ####
LC a
LI b z 948[56789]|949[012345678]
LK c #####
LR b ####
LS d ###
LT bp z LT-#####|#####
LU b z ####
LV bp z LV-####|####
LY a
MA b #####
MC b 980##
MD b MD-####|####
ME b 8####
MF b z 9[78][01]##
MG b ###
MH ssZ z 969[67]#?-####
MK b ####
ML a
MM a #####
MN hp #####
MO a c
MP ssZ z 9695[012]?-####
MQ b z 9[78]2##
MR a
MS a
MT d @@@ ##?#?#
MU m #####|###@@###
MV d #####
MW a
MX es sz #####
MY bsC z #####
MZ bp ####
NA c #####
NC b z 988##
NE b ####
NF spC 2899
NG ds ######
NI md #####
NL b z [123456789]### [^S]@|[123456789]### S[^ADS]
NO b z ####
NP d #####
NR at e
NU a
NZ dC z ####
OM m ###|PC ###
PA cp ####
PE dp [012]####|LIMA #?#|CALLAO #|CALLAO 0#
PF fi z 987##
PG dp ###
PH vp ####
PK o #####
PL b z ##-###
PM b z 9[78]5##
PN cC z PCRN 1ZZ
PR sZ z 00[679]##?-####
PS a
PT b z ####-###
PW ssZ z 96939?-####|96940?-####
PY b ####
QA a
RE b z 9[78]4##
RO bp z ######
RS b #####?#
RU co z ######
RW a
SA d #####?-####
SB a
SC ai
SD c #####
SE b z ### ##
SG d zc ######
SH cC z ASCN 1ZZ|STHL 1ZZ|TDCU 1ZZ
SI b ####
SJ b z ####
SK b z ### ##
SL a
SM b zc 4789#
SN b #####
SO dp @@ #####
SR ap
SS a
ST a
SV bp [123][1234567][012]#|CP [123][1234567][012]#
SX a
SY a
SZ c [HLMS]###
TC cC z TKCA 1ZZ
TD a
TF a
TG a
TH hp #####
TJ b ######
TK a
TL a
TM b ######
TN b ####
TO a
TR xp z #####
TT a
TV ai
TW jc z ###?##?#
TZ b ####?#
UA co z #####
UG a
UM ssZ 96898
US asZ sz #####?-####
UY fp #####
UZ bp ######
VA b 00120
VC d VC####
VE ds s ####
VG c c VG####
VI ssZ z 008[01234]#?-####|0085[01]?-####
VN hp #####?#
VU a
WF b z 986##
WS a
XK b [1234567]####
YE a
YT b z 976##
ZA c z ####
ZM b #####
ZW a";

/// A country's line of the table.
#[derive(Debug, Clone, Copy)]
struct Country {
    code: &'static str,
    layout: &'static str,
    names: &'static str,
    needs: &'static str,
    shapes: &'static str,
}

/// The codes of all countries.
pub fn countries() -> impl Iterator<Item = &'static str> {
    COUNTRIES.lines().filter_map(|line| line.get(..2))
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
    Some(Country { code, layout, names, needs, shapes: shapes.trim_start() })
}

/// Which parts of an address may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionalParts {
    /// The town or city.
    pub city: bool,
    /// The state or province.
    pub region: bool,
    /// The postal code.
    pub postal_code: bool,
}

/// The parts that may be left out of every address in the country with this code.
pub fn optional_parts(code: &str) -> OptionalParts {
    let needs = find(code).map_or("", |country| country.needs);
    OptionalParts {
        city: needs.contains('c'),
        region: !needs.contains(['s', 'e']),
        postal_code: !needs.contains('z'),
    }
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
        region: take(part(needs('s'), "region", &typed.region)),
        postal_code: take(postal_code("postal_code", &typed.postal_code, country.as_ref().ok())),
        country: take(country.map(|country| country.code.to_owned())),
        phone: take(phone("phone", &typed.phone)),
    };
    (address, faults)
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
fn phone(field: &str, typed: &str) -> Result<String, FieldError> {
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

impl Address {
    /// The address in the format of its country, line by line, followed by the country and the phone
    /// number. In countries whose labels begin with the largest part, addresses in Latin letters begin
    /// with the smallest.
    pub fn label(&self, country: &str) -> Vec<String> {
        // In Chinese, Japanese or Korean.
        let local = |text: &String| {
            text.chars().any(|c| matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}'))
        };
        let local = local(&self.line1) || local(&self.city);
        let letter = find(&self.country).map_or("a", |country| country.layout);
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
                    'S' => &self.region,
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
        lines.extend([country.to_owned(), self.phone.clone()]);
        lines.retain(|line| !line.is_empty());
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    fn faults(typed: Address) -> Vec<(String, FieldCode)> {
        check(typed).1.into_iter().map(|fault| (fault.field, fault.code)).collect()
    }

    /// What was typed in the field, with the right verdict beside it.
    #[test]
    fn what_may_be_left_out_depends_on_the_country() {
        let of = |code| {
            let OptionalParts { city, region, postal_code } = optional_parts(code);
            [city, region, postal_code]
        };
        assert_eq!(of("IN"), [false, true, false]);
        assert_eq!(of("US"), [false, false, false]);
        assert_eq!(of("AE"), [false, false, true], "a town or a state");
        assert_eq!(of("SG"), [true, true, false]);
        assert_eq!(of("??"), [false, true, true]);
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
            let (written_as, faults) = check(address(country, "X", typed));
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
            let refused = faults(address(country, "X", typed));
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
            for part in [city, region, code] {
                prop_assert!(label.contains(&part), "{} lacks {}", label, part);
            }
        }
    }
}
