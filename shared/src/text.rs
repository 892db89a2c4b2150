//! Text input: normalised, trimmed, limited in length, and free of invalid characters.

use std::borrow::Cow;

use crate::{
    field::{FieldCode, FieldError},
    number::{self, Notation},
};

/// The text in Unicode's composed form (NFC), in which everything is stored and compared: `é` as one
/// character or two, and both spellings of `ड़`, are the same text.
///
/// The tables for this are large, so browsers do without them: their input is normalised on the server.
#[cfg(not(target_family = "wasm"))]
pub fn nfc(text: &str) -> Cow<'_, str> {
    use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    }
}

/// Unchanged: see the server's version.
#[cfg(target_family = "wasm")]
pub fn nfc(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

/// A name in the form in which it is stored: NFC, without invisible characters, except for those that
/// change how another character looks. Direction overrides stay, because they are rejected later.
pub fn normalized(text: &str) -> Cow<'_, str> {
    let text = nfc(text);
    if !text.contains(is_invisible) {
        return text;
    }
    let (mut kept, mut chars) = (String::with_capacity(text.len()), text.chars().peekable());
    while let Some(c) = chars.next() {
        let (before, after) = (kept.chars().next_back(), chars.peek().copied());
        if !is_unmarked(c) || changes(c, before, after) {
            kept.push(c);
        }
    }
    // Removing a character may bring together two that compose.
    Cow::Owned(nfc(&kept).into_owned())
}

/// Whether an invisible character changes how the one before it looks.
fn changes(c: char, before: Option<char>, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    let joins = |c: char| c >= '\u{590}' && !c.is_whitespace() && !is_invisible(c);
    let ideograph =
        matches!(before, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}');
    match c {
        // Joiners: between letters of scripts that use them, and in emoji sequences, even after a selector.
        '\u{200C}' | '\u{200D}' => (joins(before) || before == '\u{FE0F}') && after.is_some_and(joins),
        // Variation selectors for emoji, and keycaps: `1️⃣`.
        '\u{FE0E}' | '\u{FE0F}' => {
            (!before.is_ascii() && !before.is_alphanumeric() && !is_invisible(before))
                || after == Some('\u{20E3}')
        }
        // Variants of ideographs, and of Mongolian letters.
        '\u{FE00}'..='\u{FE02}' | '\u{E0100}'..='\u{E01EF}' => ideograph,
        '\u{180B}'..='\u{180D}' | '\u{180F}' => matches!(before, '\u{1820}'..='\u{18AA}'),
        // The flags of England, Scotland and Wales.
        '\u{E0020}'..='\u{E007F}' => matches!(before, '\u{1F3F4}' | '\u{E0020}'..='\u{E007E}'),
        // The blank Braille pattern.
        '\u{2800}' => matches!(before, '\u{2801}'..='\u{28FF}'),
        _ => false,
    }
}

/// Text that programs compare, such as SKUs and handles: NFC, without any invisible characters.
pub fn normalized_code(text: &str) -> Cow<'_, str> {
    let text = nfc(text);
    if text.contains(is_unmarked) {
        let marked: String = text.chars().filter(|c| !is_unmarked(*c)).collect();
        Cow::Owned(nfc(&marked).into_owned())
    } else {
        text
    }
}

/// One line that programs compare character by character. May be empty.
pub fn code(field: &str, text: &str, max: usize) -> Result<String, FieldError> {
    optional_line(field, &normalized_code(text), max)
}

/// The maximum number of characters of a person's name.
pub const PERSON_MAX: usize = 100;

/// The trimmed text, if it has visible content, fits, and contains no control characters.
///
/// `max` counts characters, not bytes, and includes surrounding white space, as browsers and schemas do.
/// Line breaks count as control characters; tabs, which come from spreadsheets, become spaces.
pub fn line(field: &str, text: &str, max: usize) -> Result<String, FieldError> {
    if text.chars().all(is_unseen) {
        return Err(FieldError::new(field, FieldCode::Missing));
    }
    optional_line(field, text, max)
}

/// Like [`line()`], but may be empty.
pub fn optional_line(field: &str, text: &str, max: usize) -> Result<String, FieldError> {
    let text = normalized(text).replace('\t', " ");
    if text.chars().any(|c| c.is_control() || is_direction_override(c)) {
        return Err(FieldError::new(field, FieldCode::BadCharacters));
    }
    if text.chars().count() > max {
        return Err(FieldError::new(field, FieldCode::TooLong(max)));
    }
    Ok(text.trim().to_owned())
}

/// Text of several lines, with uniform line breaks. May be empty.
pub fn paragraphs(field: &str, text: &str, max: usize) -> Result<String, FieldError> {
    let text = nfc(text).replace("\r\n", "\n");
    if text.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || is_direction_override(c)) {
        return Err(FieldError::new(field, FieldCode::BadCharacters));
    }
    if text.chars().count() > max {
        return Err(FieldError::new(field, FieldCode::TooLong(max)));
    }
    Ok(text.trim().to_owned())
}

/// An https URL without credentials, safe to use as a link.
pub fn https_url(field: &str, text: &str, max: usize) -> Result<String, FieldError> {
    let url = line(field, text, max)?;
    let host = url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or("");
    let labels = || host.split(':').next().unwrap_or("").split('.');
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    let whole = labels().count() > 1 && labels().all(|label| !label.is_empty());
    let clean = !url.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\\'));
    if plain && whole && clean { Ok(url) } else { Err(FieldError::new(field, FieldCode::NotUrl)) }
}

/// Characters that override the direction of the surrounding text and can make one thing look like
/// another.
pub fn is_direction_override(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// White space and invisible characters: text that consists only of these is empty.
fn is_unseen(c: char) -> bool {
    c.is_whitespace() || is_unmarked(c)
}

/// Invisible characters that are not rejected.
fn is_unmarked(c: char) -> bool {
    is_invisible(c) && !is_direction_override(c)
}

/// Whether there is nothing to see: spaces of any kind and invisible characters.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Invisible characters: zero-width characters, fillers, selectors, tags, direction marks, soft hyphens,
/// byte order marks. Pasted text contains them, but no address, code or number does.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// The plain form of a character of a number or code: the digits 0–9 for those of other scripts, spaces
/// for spaces of other widths, hyphens for dashes, ASCII for the full-width forms of East Asia.
pub(crate) fn plain(c: char) -> char {
    /// The zero of each script with decimal digits (general category Nd, without mathematical ones).
    const NOUGHTS: [u32; 36] = [
        0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50,
        0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
        0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    ];
    match c {
        c if c.is_ascii() => c,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' => '-',
        c if c.is_whitespace() && !c.is_control() => ' ',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => {
            let digit =
                NOUGHTS.iter().find_map(|nought| u32::from(c).checked_sub(*nought).filter(|n| *n < 10));
            digit.and_then(|n| char::from_digit(n, 10)).unwrap_or(c)
        }
    }
}

/// As much of the text as fits on a line, without invalid characters: for searches, which are never
/// rejected.
pub fn clip(text: &str, max: usize) -> String {
    let text = normalized(text);
    let clean = text.chars().filter(|c| !is_direction_override(*c));
    let clean: String = clean.map(|c| if c.is_control() { ' ' } else { c }).take(max).collect();
    clean.trim().to_owned()
}

/// Cuts a text off after this number of characters.
pub(crate) fn truncate(text: &mut String, most: usize) {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
    }
}

/// A whole number from a form, in ASCII digits between `min` and `max`. `100.00` is accepted too.
pub fn whole_number(field: &str, text: &str, min: i64, max: i64) -> Result<i64, FieldError> {
    whole_number_in(text, Notation::Form)
        .and_then(|n| match n {
            n if n < min => Err(FieldCode::TooSmall),
            n if n > max => Err(FieldCode::TooBig),
            n => Ok(n),
        })
        .map_err(|code| FieldError::new(field, code))
}

/// A whole number from a source with its own number notation.
pub fn whole_number_in(text: &str, notation: Notation) -> Result<i64, FieldCode> {
    // In files, whole columns may be in another script's digits; whoever fills in a form has the other ones,
    // too.
    let text: String = match notation {
        Notation::Form => text.into(),
        _ => text.chars().map(plain).collect(),
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(FieldCode::Missing);
    }
    let (below_zero, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    match number::exact(digits, 0, notation) {
        Ok(n) => Ok(if below_zero { -n } else { n }),
        Err(FieldCode::TooBig) if below_zero => Err(FieldCode::TooSmall),
        Err(FieldCode::TooManyDecimals) => Err(FieldCode::NotNumber),
        Err(code) => Err(code),
    }
}

/// The text as searches compare it: in lower case by Unicode's rules, without characters that only change
/// how others look. The databases' own `lower` functions differ.
pub fn fold(text: &str) -> String {
    compared(text).trim().to_lowercase()
}

/// A name as it is compared with others: without variation selectors, which fonts may ignore.
pub fn compared(text: &str) -> Cow<'_, str> {
    let text = normalized(text);
    let selector = |c: char| matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}');
    if text.contains(selector) { Cow::Owned(text.replace(selector, "")) } else { text }
}

/// Whether a number begins with a minus sign or a dash.
pub fn is_negative(typed: &str) -> bool {
    typed.trim_start().starts_with(['-', '\u{2212}', '\u{2013}'])
}

/// The day of a date such as `2026-11-21`, counted from 1970-01-01. By Howard Hinnant's algorithm
/// ("chrono-Compatible Low-Level Date Algorithms").
pub fn day(date: &str) -> Option<i64> {
    let digits = |part: &str, length| {
        (part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i64>().ok())?
    };
    let mut parts = date.split('-');
    let (year, month, day) =
        (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || !(1..=length).contains(&day) || year < 1970 {
        return None;
    }
    // Years begin in March here, so that leap days come last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year / 400, year % 400);
    Some(era * 146_097 + year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// The text as part of a URL: `Fountain pen, blue` becomes `fountain-pen-blue`. May be empty.
pub fn slug(text: &str, max: usize) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= max {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn surrounding_whitespace_is_trimmed_but_counts() {
        let line = |text| optional_line("q", text, 3).map_err(|e| e.code);
        for (text, expected) in [
            (" a ", Ok("a".to_owned())),
            ("\ta\t", Ok("a".to_owned())),
            ("a\tb", Ok("a b".to_owned())),
            ("ab  ", Err(FieldCode::TooLong(3))),
            ("a\n", Err(FieldCode::BadCharacters)),
            ("\u{b}a", Err(FieldCode::BadCharacters)),
        ] {
            assert_eq!(line(text), expected, "{text:?}");
        }
        assert_eq!(paragraphs("about", "\r\na\n", 3).as_deref(), Ok("a"));
        assert_eq!(paragraphs("about", "a\u{85}", 3).map_err(|e| e.code), Err(FieldCode::BadCharacters));
    }

    #[test]
    fn texts_that_look_the_same_are_the_same() {
        for (typed, stored) in [
            // Canonically equivalent: Hindi, Latin, Korean, Vietnamese, Bengali, Tamil, ångström and ohm signs.
            ("सा\u{95C}ी", "सा\u{921}\u{93C}ी"),
            ("cafe\u{301}", "caf\u{e9}"),
            ("\u{1112}\u{1161}\u{11ab}", "\u{d55c}"),
            ("Vie\u{323}\u{302}t", "Vi\u{1ec7}t"),
            ("Vie\u{302}\u{323}t", "Vi\u{1ec7}t"),
            ("\u{9a1}\u{9bc}", "\u{9a1}\u{9bc}"),
            ("\u{9dc}", "\u{9a1}\u{9bc}"),
            ("\u{bc6}\u{bbe}", "\u{bca}"),
            ("5 \u{212b}", "5 \u{c5}"),
            ("1 k\u{2126}", "1 k\u{3a9}"),
            // Invisible characters without a meaning.
            ("Cup\u{200b}", "Cup"),
            ("\u{feff}Cup", "Cup"),
            ("C\u{ad}up\u{2060}", "Cup"),
            ("Cup\u{200d}", "Cup"),
            ("C\u{200d}up", "Cup"),
            ("चाय\u{200d}", "चाय"),
            ("C\u{34f}u\u{61c}p\u{e0041}\u{e007f}", "Cup"),
            ("\u{115f}C\u{1160}u\u{3164}p\u{ffa0}\u{2800}", "Cup"),
            ("Cu\u{fe0f}p\u{fe00}\u{e0100}", "Cup"),
            ("1\u{fe0f} kg", "1 kg"),
            ("cafe\u{34f}\u{301}", "caf\u{e9}"),
            ("😀\u{e0041}", "😀"),
            // Joiners that scripts and emoji need.
            ("क\u{94d}\u{200d}ष", "क\u{94d}\u{200d}ष"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("👩\u{200d}🎨 set", "👩\u{200d}🎨 set"),
            ("❤\u{fe0f}\u{200d}🔥", "❤\u{fe0f}\u{200d}🔥"),
            ("1\u{fe0f}\u{20e3}", "1\u{fe0f}\u{20e3}"),
            ("葛\u{e0100}", "葛\u{e0100}"),
            ("⠓⠊\u{2800}⠞", "⠓⠊\u{2800}⠞"),
            (
                "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
                "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            ),
            // Compatibility characters are kept: no visible difference is lost.
            ("m² ① ﬁ", "m² ① ﬁ"),
        ] {
            assert_eq!(line("f", typed, 20).as_deref(), Ok(stored), "{typed:?}");
            assert_eq!(clip(typed, 20), stored, "{typed:?}");
        }
        assert_eq!(
            paragraphs("f", "cafe\u{301}\nसा\u{95C}ी", 20).as_deref(),
            Ok("caf\u{e9}\nसा\u{921}\u{93C}ी")
        );
        assert_eq!(fold("CAFE\u{301}"), fold("caf\u{e9}"));
        assert_eq!(fold("\u{e0041}❤\u{fe0f} Cup\u{2800}"), fold("❤ cup"));
        // Codes may contain none of them.
        for typed in [
            "\u{200b}",
            "\u{200d}",
            "\u{feff}",
            "\u{ad}",
            "\u{fe0f}",
            "\u{200e}",
            "\u{e0041}",
            "\u{e0100}",
            "\u{34f}",
            "\u{115f}",
            "\u{1160}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{2800}",
            "\u{206a}",
            "\u{180b}",
        ] {
            let typed = format!("A{typed}B-1{typed}");
            assert_eq!(code("sku", &typed, 9).as_deref(), Ok("AB-1"), "{typed:?}");
        }
        assert_eq!(code("sku", "\u{200b}", 9).as_deref(), Ok(""));
    }

    #[test]
    fn numbers_are_read_strictly() {
        let cases = [
            ("1", Ok(1)),
            (" 7 ", Ok(7)),
            ("999", Ok(999)),
            ("", Err(FieldCode::Missing)),
            ("0", Err(FieldCode::TooSmall)),
            ("-1", Err(FieldCode::TooSmall)),
            ("-99999999999999999999", Err(FieldCode::TooSmall)),
            ("1000", Err(FieldCode::TooBig)),
            ("9223372036854775808", Err(FieldCode::TooBig)),
            ("1e3", Err(FieldCode::NotNumber)),
            ("1.5", Err(FieldCode::NotNumber)),
            ("100.0000", Ok(100)),
            ("5,0", Ok(5)),
            ("1.000", Err(FieldCode::AmbiguousNumber)),
            ("+1", Err(FieldCode::NotNumber)),
            ("0x10", Err(FieldCode::NotNumber)),
            ("NaN", Err(FieldCode::NotNumber)),
            ("-", Err(FieldCode::NotNumber)),
            ("٣", Err(FieldCode::NotNumber)),
            ("१", Err(FieldCode::NotNumber)),
        ];
        for (text, expected) in cases {
            assert_eq!(whole_number("q", text, 1, 999).map_err(|e| e.code), expected, "{text:?}");
        }
        assert_eq!(whole_number_in(" १२", Notation::Program), Ok(12));
    }

    #[test]
    fn lines_are_bounded_and_clean() {
        assert_eq!(line("f", "  Asha  ", 10).as_deref(), Ok("Asha"));
        for blank in ["", "   ", "\u{200b}", " \u{2060}\u{3164} "] {
            assert_eq!(line("f", blank, 10).unwrap_err().code, FieldCode::Missing, "{blank:?}");
        }
        // Needed within words in scripts that use joiners.
        assert_eq!(line("f", "क\u{94d}\u{200d}ष", 10).as_deref(), Ok("क\u{94d}\u{200d}ष"));
        assert_eq!(line("f", "éééé", 3).unwrap_err().code, FieldCode::TooLong(3));
        assert_eq!(line("f", "éééé", 4).as_deref(), Ok("éééé"));
        assert_eq!(line("f", "a\0b", 10).unwrap_err().code, FieldCode::BadCharacters);
        assert_eq!(line("f", "a\u{202e}b", 10).unwrap_err().code, FieldCode::BadCharacters);
    }

    #[test]
    fn only_whole_addresses_over_tls_are_links() {
        for good in ["https://a.example", "https://a.example:8443/x?y=z#t", "https://a.b-c.example/ä"] {
            assert_eq!(https_url("f", good, 100).as_deref(), Ok(good));
        }
        for bad in [
            "http://a.example",
            "HTTPS//a.example",
            "https://",
            "https://localhost",
            "https://a..b",
            "https://user:secret@a.example",
            "https://a.example/a b",
            "https://a.example/\"x",
            "https://a.example\\@b.example",
            "javascript:https://a.example",
            "//a.example",
        ] {
            assert_eq!(https_url("f", bad, 100).unwrap_err().code, FieldCode::NotUrl, "{bad}");
        }
    }

    #[test]
    fn search_terms_are_shortened_to_fit() {
        assert_eq!(clip(" a\u{202e}b\nc ", 10), "ab c");
        assert_eq!(clip(&"é".repeat(200), 100), "é".repeat(100));
        assert_eq!(optional_line("q", &clip("\0\u{2066}x", 5), 5).as_deref(), Ok("x"));
    }

    #[test]
    fn slugs_are_plain() {
        let cases = [("Fountain pen, blue", "fountain-pen-blue"), ("  --A  ", "a"), ("चाय", ""), ("", "")];
        for (text, expected) in cases {
            assert_eq!(slug(text, 60), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_typed_makes_it_panic(text in ".{0,50}", max in 0usize..20) {
            let _ = line("f", &text, max);
            let _ = whole_number("f", &text, 1, 99);
            prop_assert!(slug(&text, max).len() <= max.max(1));
        }
    }
}
