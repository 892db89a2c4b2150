//! How a phone number is dialled: as an international number (E.164) and as a link (RFC 3966).
//!
//! Addresses keep the number as it was entered, with everything that a person may need. What follows is only derived
//! from it, so a number that can't be read this way is still there.

/// How to dial the first number of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// The international number, `+919845012345`, if it can be told.
    pub e164: Option<String>,
    /// The link: `tel:+919845012345;ext=8`; without the country if it can't be told.
    pub uri: String,
}

/// How a country numbers its telephones.
#[derive(Debug, Clone, Copy)]
struct Plan {
    calling_code: &'static str,
    /// The prefix of national numbers. May be empty.
    trunk: &'static str,
    shortest: usize,
    longest: usize,
    /// The prefix of international calls besides 00. May be empty.
    abroad: &'static str,
}

const PLANS: &str = include_str!("phones.txt");

fn plans() -> impl Iterator<Item = (&'static str, Plan)> {
    PLANS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut words = line.split(' ');
        let (country, calling_code, trunk, digits) =
            (words.next()?, words.next()?, words.next()?, words.next()?);
        let (shortest, longest) = digits.split_once('-').unwrap_or((digits, digits));
        let plan = Plan {
            calling_code,
            trunk: if trunk == "-" { "" } else { trunk },
            shortest: shortest.parse().ok()?,
            longest: longest.parse().ok()?,
            abroad: words.next().unwrap_or_default(),
        };
        Some((country, plan))
    })
}

/// The digits of a number and its extension.
struct Parts<'a> {
    /// With an international prefix `+`.
    plus: bool,
    /// What was written, without what is behind it.
    body: &'a str,
    extension: &'a str,
}

impl Plan {
    /// The national number without the trunk prefix, if it has as many digits as those of the country.
    fn national<'a>(&self, digits: &'a str) -> Option<&'a str> {
        let fits = |number: &&str| (self.shortest..=self.longest).contains(&number.len());
        let bare = digits.strip_prefix(self.trunk).filter(|_| !self.trunk.is_empty());
        // Behind the zero, no number begins with one.
        bare.filter(fits).or_else(|| {
            let trunked = self.trunk.starts_with('0') && digits.starts_with('0');
            Some(digits).filter(fits).filter(|_| !trunked)
        })
    }

    /// The international number with this national one.
    fn international(&self, national: &str) -> Option<String> {
        let number = format!("+{}{national}", self.calling_code);
        (8..=16).contains(&number.len()).then_some(number)
    }
}

/// How to dial the first number of a text that has been validated, in an address of this country, unless it has fewer digits
/// than this.
pub fn dial(text: &str, country: &str, digits_min: usize) -> Option<Dial> {
    let parts = parts(text)?;
    let digits: String = parts.body.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < digits_min {
        return None;
    }
    let e164 = international(&parts, &digits, country);
    let plus = if parts.plus { "+" } else { "" };
    let mut uri = format!("tel:{}", e164.clone().unwrap_or_else(|| format!("{plus}{digits}")));
    if !parts.extension.is_empty() {
        uri += ";ext=";
        uri += parts.extension;
    }
    Some(Dial { e164, uri })
}

fn international(parts: &Parts<'_>, digits: &str, country: &str) -> Option<String> {
    let own = plans().find(|(code, _)| *code == country).map(|(_, plan)| plan);
    // Where the number says its country. Those who share a calling code share the rest of the plan.
    let named = |digits: &str| {
        let of = |plan: &Plan| digits.starts_with(plan.calling_code);
        let plan = own.filter(of).or_else(|| plans().map(|(_, plan)| plan).find(of))?;
        // `+44 (0)20`: the zero is for calls within the country.
        let bracketed = parts.body.contains("(0)") && plan.trunk == "0";
        let rest = digits.strip_prefix(plan.calling_code)?;
        let rest = if bracketed { rest.strip_prefix('0').unwrap_or(rest) } else { rest };
        plan.international(plan.national(rest).unwrap_or(rest))
    };
    if parts.plus {
        return named(digits);
    }
    let abroad = own.map(|plan| plan.abroad).filter(|abroad| !abroad.is_empty());
    let abroad = abroad.and_then(|abroad| digits.strip_prefix(abroad)).filter(|rest| rest.len() >= 8);
    if let Some(rest) = abroad.or_else(|| digits.strip_prefix("00")) {
        return named(rest);
    }
    let own = own?;
    // Perhaps with the calling code, but without a plus.
    let behind_code = || own.national(digits.strip_prefix(own.calling_code)?);
    own.national(digits).or_else(behind_code).and_then(|national| own.international(national))
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let text = text.get(text.find(|c: char| c == '+' || c.is_ascii_digit())?..)?;
    let (plus, digits) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
    let mut seen = 0;
    let end = digits.find(|c: char| {
        seen += usize::from(c.is_ascii_digit());
        // `98450 12345 / 080 2345 6789` is two numbers, `030/901820` one.
        !(c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | '-' | '.') || (c == '/' && seen < 7))
    });
    let (body, behind) = digits.split_at(end.unwrap_or(digits.len()));
    // `1-800-FLOWERS`: dialled by the letters.
    if body.ends_with('-') && behind.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    Some(Parts { plus, body, extension: extension(behind) })
}

/// The extension behind a number: `x8`, `ext. 8`, `;ext=8`, `#8`, `,,8`.
fn extension(behind: &str) -> &str {
    let marks: &[_] = &[' ', ';', ',', '#', '.', '=', ':'];
    let marked = behind.trim_start_matches(marks);
    let words = ["extension", "extn", "ext", "x"];
    let after_word = words.iter().find_map(|word| {
        let (head, rest) = marked.split_at_checked(word.len())?;
        head.eq_ignore_ascii_case(word).then(|| rest.trim_start_matches(marks))
    });
    let is_marked = behind.trim_start().starts_with(['#', ',', ';']);
    let found = after_word.or(is_marked.then_some(marked)).unwrap_or_default();
    let (extension, rest) = found.split_at(found.find(|c: char| !c.is_ascii_digit()).unwrap_or(found.len()));
    // A second number, or a word, is no extension.
    if extension.len() > 6 || rest.starts_with(char::is_alphanumeric) { "" } else { extension }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_country_has_a_plan() {
        let countries: Vec<_> = super::super::countries().collect();
        let planned: Vec<_> = plans().map(|(country, _)| country).collect();
        assert_eq!(planned, countries);
        for (country, plan) in plans() {
            let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
            assert!((1..=3).contains(&plan.calling_code.len()) && digits(plan.calling_code), "{country}");
            assert!(digits(plan.trunk) && digits(plan.abroad), "{country}");
            assert!(4 <= plan.shortest && plan.shortest <= plan.longest && plan.longest <= 15, "{country}");
        }
        let lines = PLANS.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines, countries.len(), "each line can be read");
    }

    #[test]
    fn numbers_are_dialled_as_in_their_country() {
        for (country, typed, e164, uri) in [
            ("IN", "98450 12345", Some("+919845012345"), "tel:+919845012345"),
            ("IN", "098450 12345", Some("+919845012345"), "tel:+919845012345"),
            ("IN", "+91 98450 12345", Some("+919845012345"), "tel:+919845012345"),
            ("IN", "0091 98450 12345", Some("+919845012345"), "tel:+919845012345"),
            ("IN", "919845012345", Some("+919845012345"), "tel:+919845012345"),
            ("IN", "98450 12345 / 080 2345 6789 (घर)", Some("+919845012345"), "tel:+919845012345"),
            ("IN", "mob. 98450 12345", Some("+919845012345"), "tel:+919845012345"),
            ("IN", "98450", None, "tel:98450"),
            ("IN", "0984501234", None, "tel:0984501234"),
            ("BE", "016/12 34 56", Some("+3216123456"), "tel:+3216123456"),
            ("BE", "016/12.34.56", Some("+3216123456"), "tel:+3216123456"),
            ("DE", "030/901820-44", Some("+493090182044"), "tel:+493090182044"),
            ("DE", "0044 20 7946 0000", Some("+442079460000"), "tel:+442079460000"),
            ("GB", "(0)20 7946 0000", Some("+442079460000"), "tel:+442079460000"),
            ("GB", "+44 (0)20 7946 0000", Some("+442079460000"), "tel:+442079460000"),
            ("IN", "+44 (0)20 7946 0000", Some("+442079460000"), "tel:+442079460000"),
            ("IN", "+44 020 7946 0000", Some("+442079460000"), "tel:+442079460000"),
            ("US", "+1-212-555-0123;ext=8", Some("+12125550123"), "tel:+12125550123;ext=8"),
            ("US", "(212) 555-0123 x8", Some("+12125550123"), "tel:+12125550123;ext=8"),
            ("US", "1 212 555 0123 ext. 42", Some("+12125550123"), "tel:+12125550123;ext=42"),
            ("US", "011 91 98450 12345", Some("+919845012345"), "tel:+919845012345"),
            ("US", "+1 212 555 0123,,8", Some("+12125550123"), "tel:+12125550123;ext=8"),
            ("GB", "(+44) 1234 2553-421 #8", Some("+4412342553421"), "tel:+4412342553421;ext=8"),
            ("US", "tel:+1-212-555-0123", Some("+12125550123"), "tel:+12125550123"),
            ("IT", "+39 06 6982", Some("+39066982"), "tel:+39066982"),
            ("IT", "06 698 12345", Some("+390669812345"), "tel:+390669812345"),
            ("HU", "06 1 234 5678", Some("+3612345678"), "tel:+3612345678"),
            ("RU", "8 (495) 123-45-67", Some("+74951234567"), "tel:+74951234567"),
            ("JP", "+81(3)1234-5678", Some("+81312345678"), "tel:+81312345678"),
            ("JP", "03-1234-5678", Some("+81312345678"), "tel:+81312345678"),
            ("NU", "4567", Some("+6834567"), "tel:+6834567"),
            ("AU", "0011 91 98450 12345", Some("+919845012345"), "tel:+919845012345"),
            ("XK", "+383 44 123 456", Some("+38344123456"), "tel:+38344123456"),
            ("", "+91 98450 12345", Some("+919845012345"), "tel:+919845012345"),
            ("", "98450 12345", None, "tel:9845012345"),
            ("US", "+999 12345", None, "tel:+99912345"),
        ] {
            let expected = Dial { e164: e164.map(str::to_owned), uri: uri.to_owned() };
            assert_eq!(dial(typed, country, 4), Some(expected), "{country} {typed}");
        }
        for typed in ["", "call me", "---", "12", "1-800-FLOWERS-2026"] {
            assert_eq!(dial(typed, "US", 4), None, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_kept_can_be_dialled_or_read(typed in "[-+0-9 ()/.,;x#a-zé]{0,30}", at in 0usize..250) {
            let country = super::super::countries().nth(at).unwrap();
            if let Some(Dial { e164, uri }) = dial(&typed, country, 4) {
                let number = uri.strip_prefix("tel:").unwrap();
                prop_assert!(number.chars().filter(char::is_ascii_digit).count() >= 4, "{}", uri);
                prop_assert!(number.split(";ext=").all(|part| part.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit())));
                if let Some(e164) = e164 {
                    prop_assert!((8..=16).contains(&e164.len()) && e164.starts_with('+'), "{}", e164);
                }
            }
        }
    }
}
