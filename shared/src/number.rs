//! Numbers, as entered by people and as written in files. A number that can be read two ways is never read
//! one way without a reason.

use crate::field::FieldCode;

text_enum! {
    /// The decimal separator of a number.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum DecimalMark {
        /// `1,249.50`
        Point = "point",
        /// `1.249,50`
        Comma = "comma",
    }
}

impl DecimalMark {
    /// The other separator.
    pub fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }
}

/// The source of a number, which decides about `12,500` and `12.500`: twelve and a half, or twelve
/// thousand five hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// A form, which shows how it read the number. A comma separates thousands as in the prices around
    /// it, unless the currency has three decimals or more.
    Form,
    /// A comma-separated file, or text from a program. A point is probably the decimal separator, but nobody
    /// sees how a number was read: another reading has to be impossible.
    Program,
    /// A file without an indication.
    Unknown,
    /// The separator was chosen explicitly.
    Said(DecimalMark),
}

/// The digits before and after the decimal separator.
#[derive(Debug, PartialEq, Eq)]
struct Digits {
    whole: String,
    fraction: String,
}

impl Digits {
    /// The number, if `mark` is its decimal separator.
    fn read(text: &str, mark: char) -> Option<Self> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let (whole, fraction) = match text.split_once(mark) {
            Some((whole, fraction)) if digits(fraction) => (whole, fraction.trim_end_matches('0')),
            Some(_) => return None,
            None => (text, ""),
        };
        let whole = if digits(whole) { whole.to_owned() } else { ungrouped(whole, mark)? };
        Some(Self { whole, fraction: fraction.to_owned() })
    }

    /// The number in minor units, if that is exact.
    fn exact(&self, decimals: usize) -> Result<i64, FieldCode> {
        let Self { whole, fraction } = self;
        if fraction.len() > decimals {
            return Err(FieldCode::TooManyDecimals);
        }
        format!("{whole}{fraction:0<decimals$}").parse().map_err(|_| FieldCode::TooBig)
    }
}

/// The digits without separators, if these are at thousands, or at lakhs and crores. A leading zero is
/// never followed by a separator.
fn ungrouped(text: &str, mark: char) -> Option<String> {
    let found = text.chars().find(|c| !c.is_ascii_digit())?;
    let separator = |c: char| match found {
        '\'' | '’' => matches!(c, '\'' | '’'),
        ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' => matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}'),
        '.' | ',' => c == found && c != mark,
        _ => false,
    };
    let groups: Vec<&str> = text.split(separator).collect();
    let [first, middle @ .., last] = groups.as_slice() else { return None };
    let sized = |size: usize| middle.iter().all(|g| g.len() == size) && (1..=size).contains(&first.len());
    let all_digits = groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_digit()));
    let fits = last.len() == 3 && (sized(3) || (found == ',' && sized(2)));
    (all_digits && fits && !first.starts_with('0')).then(|| groups.concat())
}

/// An unsigned number in units of its `decimals`-th decimal. Trailing zeros beyond that are ignored.
pub fn exact(text: &str, decimals: u32, notation: Notation) -> Result<i64, FieldCode> {
    let decimals = decimals as usize;
    // The marks of Arabic and Persian numbers have one meaning each.
    if text.contains(['\u{66b}', '\u{66c}']) {
        let text = text.replace('\u{66b}', ".").replace('\u{66c}', ",");
        return Digits::read(&text, '.').ok_or(FieldCode::NotNumber)?.exact(decimals);
    }
    let (point, comma) = match (Digits::read(text, '.'), Digits::read(text, ',')) {
        (None, None) => return Err(FieldCode::NotNumber),
        (Some(only), None) | (None, Some(only)) => return only.exact(decimals),
        (Some(same), Some(other)) if same == other => return same.exact(decimals),
        (Some(point), Some(comma)) => (point.exact(decimals), comma.exact(decimals)),
    };
    let with_point = text.contains('.');
    match notation {
        Notation::Said(DecimalMark::Point) => point,
        Notation::Said(DecimalMark::Comma) => comma,
        Notation::Unknown => Err(FieldCode::AmbiguousNumber),
        // The notation that the market itself uses.
        Notation::Form if with_point && decimals == 3 => point,
        Notation::Form if !with_point && decimals < 3 => point,
        Notation::Form | Notation::Program => match (point, comma) {
            (Ok(_), Ok(_)) => Err(FieldCode::AmbiguousNumber),
            (point, _) => point,
        },
    }
}

/// What a number says about the decimal separator of the file that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// It can only be read with a decimal comma: `12,50`, `1.249,50`.
    DecimalComma,
    /// Its comma is taken to separate thousands because it would have too many decimals otherwise: `1,249` in
    /// rupees. A decimal comma elsewhere in the file makes that doubtful.
    Thousands,
}

/// What an unsigned number with up to `decimals` decimals says about its file, if anything.
pub fn hint(text: &str, decimals: u32) -> Option<Hint> {
    match (Digits::read(text, '.'), Digits::read(text, ',')) {
        (None, Some(_)) => Some(Hint::DecimalComma),
        (Some(point), Some(comma)) if point != comma && text.contains(',') => {
            comma.exact(decimals as usize).is_err().then_some(Hint::Thousands)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FieldCode::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_says_which_decimal_separator_its_file_has() {
        let cases = [
            ("12,50", 2, Some(Hint::DecimalComma)),
            ("1.249,50", 2, Some(Hint::DecimalComma)),
            ("1.249.500", 2, Some(Hint::DecimalComma)),
            ("1,249", 2, Some(Hint::Thousands)),
            ("1,249", 3, None),
            ("1,24,900", 2, None),
            ("1,249.50", 2, None),
            ("1249.50", 2, None),
            ("1249", 2, None),
            ("cheap", 2, None),
        ];
        for (text, decimals, said) in cases {
            assert_eq!(hint(text, decimals), said, "{text}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_read_in_none() {
        use Notation::{Form, Program, Unknown};
        const SAID_POINT: Notation = Notation::Said(DecimalMark::Point);
        const SAID_COMMA: Notation = Notation::Said(DecimalMark::Comma);
        // The input and the currency's decimals; then the results in a form, in a comma-delimited
        // table, in any other table, and if the separator is specified as point or comma.
        type Row = (&'static str, u32, [Result<i64, FieldCode>; 5]);
        let (two, big) = (Err(AmbiguousNumber), Err(TooManyDecimals));
        let table: [Row; 32] = [
            ("12,500", 3, [two, two, two, Ok(12_500_000), Ok(12_500)]),
            // In a file, a point before three digits may separate thousands in every currency: beside `9,5`
            // and `1.250,000` it does. Exports have a fourth decimal, so that they aren't asked about.
            ("12.500", 3, [Ok(12_500), two, two, Ok(12_500), Ok(12_500_000)]),
            ("12.5000", 3, [Ok(12_500); 5]),
            ("1.250,000", 3, [Ok(1_250_000); 5]),
            ("9,5", 3, [Ok(9_500); 5]),
            ("0,750", 3, [Ok(750); 5]),
            ("0,750", 2, [Ok(75); 5]),
            ("0.750", 2, [Ok(75); 5]),
            ("-0,750", 2, [Err(NotNumber); 5]),
            ("1,249", 2, [Ok(124_900), Ok(124_900), two, Ok(124_900), big]),
            ("1.249", 2, [big, big, two, big, Ok(124_900)]),
            ("1,000", 2, [Ok(100_000), two, two, Ok(100_000), Ok(100)]),
            ("2.500", 2, [two, two, two, Ok(250), Ok(250_000)]),
            ("1,000", 0, [Ok(1_000), two, two, Ok(1_000), Ok(1)]),
            ("1.000", 0, [two, two, two, Ok(1), Ok(1_000)]),
            ("12,345", 4, [two, two, two, Ok(123_450_000), Ok(123_450)]),
            ("1,249.00", 2, [Ok(124_900); 5]),
            ("1.249,00", 2, [Ok(124_900); 5]),
            ("1 249,00", 2, [Ok(124_900); 5]),
            ("1\u{202f}250,000", 3, [Ok(1_250_000); 5]),
            ("1'249.50", 2, [Ok(124_950); 5]),
            ("1,24,900", 2, [Ok(12_490_000); 5]),
            ("1.249.500", 2, [Ok(124_950_000); 5]),
            ("12,50", 2, [Ok(1_250); 5]),
            ("34.0000", 2, [Ok(3_400); 5]),
            ("1000.00", 0, [Ok(1_000); 5]),
            ("0.3333", 2, [big; 5]),
            ("12\u{66b}500", 3, [Ok(12_500); 5]),
            ("12\u{66c}500", 3, [Ok(12_500_000); 5]),
            ("1\u{66c}250\u{66b}5", 2, [Ok(125_050); 5]),
            ("1,250\u{66b}5", 2, [Ok(125_050); 5]),
            ("12\u{66b}345", 2, [big; 5]),
        ];
        for (text, decimals, expected) in table {
            let read = [Form, Program, Unknown, SAID_POINT, SAID_COMMA].map(|n| exact(text, decimals, n));
            assert_eq!(read, expected, "{text:?} of {decimals} decimals");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            ".",
            ",",
            ".5",
            "5.",
            ",5",
            "1,24,",
            "1,2,345",
            "12,34,567,890",
            "1.2.3",
            "1,2,3",
            "1 24",
            "1 2345",
            "1.24.900",
            "1,249.500,00",
            "1.249,500.00",
            "1 249.500,00",
            "0,750,000",
            "00,750.00",
            "1e3",
            "+1",
            "１２",
            "१२",
            "12 ",
            "1,,000",
            "1'24",
            "1_000",
            "\u{66b}5",
            "5\u{66b}",
            "12\u{66c}50",
            "1.250\u{66b}5",
            "1\u{66b}250,5",
            "1\u{66b}250\u{66b}5",
        ] {
            assert_eq!(exact(text, 2, Notation::Form), Err(NotNumber), "{text:?}");
        }
    }

    proptest! {
        /// With the separator specified, numbers are read as written; without it, never as a different
        /// number.
        #[test]
        fn what_is_written_with_a_mark_is_read_with_it(minor in 0i64..100_000_000_000, decimals in 0u32..=4, grouped: bool, comma: bool) {
            let (digits, places) = (format!("{minor:0>width$}", width = decimals as usize + 1), decimals as usize);
            let (whole, fraction) = digits.split_at(digits.len() - places);
            let (mark, group) = if comma { (',', ".") } else { ('.', ",") };
            let mut text = String::new();
            for (i, digit) in whole.chars().enumerate() {
                if grouped && i > 0 && (whole.len() - i).is_multiple_of(3) {
                    text.push_str(group);
                }
                text.push(digit);
            }
            if decimals > 0 {
                text.push(mark);
                text.push_str(fraction);
            }
            let mark = if comma { DecimalMark::Comma } else { DecimalMark::Point };
            prop_assert_eq!(exact(&text, decimals, Notation::Said(mark)), Ok(minor), "{}", text);
            let unasked = exact(&text, decimals, Notation::Unknown);
            prop_assert!(unasked == Ok(minor) || unasked == Err(AmbiguousNumber), "{} as {:?}", text, unasked);
        }
    }
}
