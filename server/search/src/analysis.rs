//! Analysis: what the words of a text are, alike for products and for queries.
//!
//! A text is folded first (compatibility forms, case, accents), then cut into words. Numbers and their units are one word
//! (`2 TB` is `2tb`), and parts that are joined by a hyphen are found apart and together (`Wi-Fi`, `wifi`).

use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The maximum number of characters of a word; the rest of it is ignored.
const WORD_MAX: usize = 40;
/// The maximum number of parts that are also found together.
const PARTS_MAX: usize = 4;

static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::new(Algorithm::English));
static HINDI: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::new(Algorithm::Hindi));

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// The word, folded.
    pub(crate) text: String,
    /// Its place in the text.
    pub(crate) place: usize,
    /// Whether it is another reading of the words from this place on: parts as one word, or a number without its unit.
    pub(crate) other: bool,
    /// How many words it stands for.
    pub(crate) parts: usize,
}

/// The text as it is compared: without differences of case, accents, width and presentation.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    // Lower case first: some letters gain a mark by it (`İ`).
    for c in text.nfkd().flat_map(char::to_lowercase).nfkd() {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            // Devanagari: both are written for the same nasal, and the dot below only marks loan words.
            'ँ' => folded.push('ं'),
            '\u{93c}' | '\u{9bc}' | '\u{a3c}' | '\u{abc}' => {}
            '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' => {
            }
            '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{fe20}'..='\u{fe2f}' => {}
            // Soft hyphens, joiners, direction marks and the like.
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => {}
            '\u{fe00}'..='\u{fe0f}' => {}
            '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-'),
            '’' | '‘' | 'ʼ' | '`' => folded.push('\''),
            '″' | '”' | '“' | '„' | '«' | '»' => folded.push('"'),
            c => folded.push(digit(c).unwrap_or(c)),
        }
    }
    folded.nfc().collect()
}

/// The digit 0–9 for those of the scripts of India.
fn digit(c: char) -> Option<char> {
    let zero = [0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66];
    let n = zero.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|n| *n < 10))?;
    char::from_digit(n, 10)
}

/// The stem of a folded word, by its script.
pub(crate) fn stem(word: &str) -> String {
    if word.bytes().all(|b| b.is_ascii_lowercase()) {
        return ENGLISH.stem(word).into_owned();
    }
    let hindi = |c: char| matches!(c, '\u{900}'..='\u{97f}');
    if word.chars().all(hindi) { HINDI.stem(word).into_owned() } else { word.to_owned() }
}

/// Letters and digits only, folded: how SKUs and barcodes are compared.
pub fn code(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).take(WORD_MAX).collect()
}

/// A unit by any of its spellings, attached to its number or not.
fn unit(word: &str, attached: bool) -> Option<&'static str> {
    Some(match word {
        "tb" | "terabyte" | "terabytes" => "tb",
        "gb" | "gigabyte" | "gigabytes" => "gb",
        "mb" | "megabyte" | "megabytes" => "mb",
        "kb" => "kb",
        "ghz" => "ghz",
        "mhz" => "mhz",
        "khz" => "khz",
        "hz" | "hertz" => "hz",
        "kg" | "kgs" | "kilo" | "kilos" | "kilogram" | "kilograms" => "kg",
        "g" | "gm" | "gms" | "gram" | "grams" => "g",
        "mg" => "mg",
        "l" | "lt" | "ltr" | "litre" | "litres" | "liter" | "liters" => "l",
        "ml" | "millilitre" | "millilitres" | "milliliter" | "milliliters" => "ml",
        "cl" => "cl",
        "mm" | "millimetre" | "millimetres" => "mm",
        "cm" | "cms" | "centimetre" | "centimetres" => "cm",
        "m" | "metre" | "metres" | "meter" | "meters" => "m",
        "km" => "km",
        "inch" | "inches" | "\"" => "in",
        "in" if attached => "in",
        "ft" | "feet" | "foot" => "ft",
        "w" | "watt" | "watts" => "w",
        "kw" => "kw",
        "v" | "volt" | "volts" => "v",
        "mah" => "mah",
        "ah" => "ah",
        "wh" => "wh",
        "dpi" => "dpi",
        "rpm" => "rpm",
        "mp" | "megapixel" | "megapixels" => "mp",
        "mbps" => "mbps",
        "gbps" => "gbps",
        "oz" | "ounce" | "ounces" => "oz",
        "lb" | "lbs" | "pound" | "pounds" => "lb",
        "px" | "pixel" | "pixels" => "px",
        _ => return None,
    })
}

/// A run of letters and digits, with what is between it and the one before.
struct Run {
    text: String,
    before: String,
    /// Whether a quotation mark follows at once.
    quoted: bool,
}

fn runs(folded: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut between = String::new();
    let mut inside = false;
    for c in folded.chars() {
        if c.is_alphanumeric() || (inside && is_combining_mark(c)) {
            if !inside {
                runs.push(Run { text: String::new(), before: std::mem::take(&mut between), quoted: false });
                inside = true;
            }
            if let Some(run) = runs.last_mut().filter(|run| run.text.len() < WORD_MAX * 4) {
                run.text.push(c);
            }
            continue;
        }
        if let Some(run) = runs.last_mut().filter(|_| inside) {
            run.quoted = c == '"';
        }
        inside = false;
        between.push(c);
    }
    for run in &mut runs {
        if let Some((end, _)) = run.text.char_indices().nth(WORD_MAX) {
            run.text.truncate(end);
        }
    }
    runs
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Joins digits around a decimal point, drops those that group thousands, and apostrophes.
fn join(runs: Vec<Run>) -> Vec<Run> {
    let mut joined: Vec<Run> = Vec::new();
    for run in runs {
        let digits = run.text.bytes().take_while(u8::is_ascii_digit).count();
        let Some(last) = joined.last_mut() else {
            joined.push(run);
            continue;
        };
        let number = is_number(last.text.split('.').next().unwrap_or_default())
            && last.text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        match run.before.as_str() {
            // 1,440 but 15,6
            "," if number && !last.text.contains('.') && digits == 3 && run.text.len() == 3 => {
                last.text.push_str(&run.text);
                last.quoted = run.quoted;
            }
            "." | "," if number && !last.text.contains('.') && digits > 0 => {
                last.text.push('.');
                last.text.push_str(&run.text);
                last.quoted = run.quoted;
            }
            // men's, l'oreal
            "'" if run.text == "s" => last.quoted = run.quoted,
            "'" => {
                last.text.push_str(&run.text);
                last.quoted = run.quoted;
            }
            _ => joined.push(run),
        }
    }
    joined
}

/// The number at the beginning of a word, and the rest.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// 2.0 is 2.
fn plain(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// The words of a text, in its order.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let runs = join(runs(&fold(text)));
    let mut words: Vec<Word> = Vec::new();
    let mut place = 0;
    let mut at = 0;
    while at < runs.len() {
        // Parts that are joined: `wi-fi`, `dv7-1211ea`, `h&m`.
        let is_joint = |run: &Run| matches!(run.before.as_str(), "-" | "_" | "." | "&" | "+" | "/-");
        let end = (at + 1..runs.len()).find(|next| !is_joint(&runs[*next])).unwrap_or(runs.len());
        let (first, group) = (place, &runs[at..end]);
        let mut n = 0;
        while n < group.len() {
            let run = &group[n];
            let following =
                group.get(n + 1).or_else(|| (n + 1 == group.len()).then(|| runs.get(end)).flatten());
            let spaced = |run: &Run| run.before == " " || run.before == "-";
            let next = following.filter(|run| spaced(run)).and_then(|run| unit(&run.text, false));
            match split_number(&run.text) {
                // 2tb, 2 tb, 15.6-inch, 15.6"
                Some((number, rest)) if unit(rest, true).is_some() || rest.is_empty() => {
                    let number = plain(number);
                    let attached = unit(rest, true).or_else(|| run.quoted.then_some("in"));
                    let after = if attached.is_none() && rest.is_empty() { next } else { None };
                    match attached.or(after) {
                        Some(unit) => {
                            push(&mut words, [number, unit].concat(), place, false, 1);
                            if number.len() > 1 {
                                push(&mut words, number.to_owned(), place, true, 1);
                            }
                        }
                        None => push(&mut words, number.to_owned(), place, false, 1),
                    }
                    if after.is_some() {
                        if n + 1 == group.len() {
                            // The unit is the first part of what follows; it is not a word of its own.
                            at = end + 1;
                            place += 1;
                            break;
                        }
                        n += 1;
                    }
                }
                _ => push(&mut words, run.text.clone(), place, false, 1),
            }
            place += 1;
            n += 1;
        }
        let taken = place - first;
        if taken > 1 && taken <= PARTS_MAX && taken == group.len() {
            let whole: String = group.iter().map(|run| run.text.as_str()).collect();
            let whole = whole.replace('.', "");
            if whole.chars().count() <= WORD_MAX {
                push(&mut words, whole, first, true, taken);
            }
        }
        at = at.max(end);
    }
    words
}

fn push(words: &mut Vec<Word>, text: String, place: usize, other: bool, parts: usize) {
    words.push(Word { text, place, other, parts });
}

/// Whether a word says little: it need not occur.
pub(crate) fn is_stop_word(word: &str) -> bool {
    matches!(
        word,
        "a" | "an"
            | "and"
            | "at"
            | "by"
            | "for"
            | "from"
            | "in"
            | "is"
            | "it"
            | "of"
            | "on"
            | "or"
            | "the"
            | "to"
            | "with"
            | "का"
            | "की"
            | "के"
            | "को"
            | "में"
            | "से"
            | "और"
            | "पर"
            | "लिए"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_their_form_only_are_the_same() {
        for (text, expected) in [
            ("Crème Brûlée", "creme brulee"),
            ("CAFE\u{301}", "cafe"),
            ("İstanbul", "istanbul"),
            ("Iğdır", "igdir"),
            ("Straße", "strasse"),
            ("STRASSE", "strasse"),
            ("Ołówek", "olowek"),
            ("Smørrebrød", "smorrebrod"),
            ("ﬁne ＡＢＣ", "fine abc"),
            ("co\u{ad}operate\u{200b}", "cooperate"),
            ("ज़मीन", "जमीन"),
            ("साड़ी", "साडी"),
            ("चाँद", "चांद"),
            ("१२ किलो", "12 किलो"),
            ("ΌΔΟΣ", "οδοσ"),
        ] {
            assert_eq!(fold(text), expected, "{text}");
            assert_eq!(fold(&fold(text)), expected, "{text}");
        }
    }

    fn said(text: &str) -> String {
        let words = words(text).into_iter();
        let words = words.map(|w| format!("{}{}@{}", if w.other { "|" } else { "" }, w.text, w.place));
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_text_is_cut_into_words() {
        for (text, expected) in [
            ("", ""),
            ("  -- \" ", ""),
            ("Fountain pen, blue", "fountain@0 pen@1 blue@2"),
            ("Wi-Fi router", "wi@0 fi@1 |wifi@0 router@2"),
            ("HP dv7-1211ea", "hp@0 dv7@1 1211ea@2 |dv71211ea@1"),
            ("2 TB", "2tb@0"),
            ("2TB", "2tb@0"),
            ("2 TB disk", "2tb@0 disk@1"),
            ("2.0 TB", "2tb@0"),
            ("15.6\"", "15.6in@0 |15.6@0"),
            ("15.6 inch laptop", "15.6in@0 |15.6@0 laptop@1"),
            ("15,6-inch laptop", "15.6in@0 |15.6@0 laptop@1"),
            ("15.6in", "15.6in@0 |15.6@0"),
            ("43.2 cm (17\") screen", "43.2cm@0 |43.2@0 17in@1 |17@1 screen@2"),
            ("1,440 x 900", "1440@0 x@1 900@2"),
            ("men's shoes", "men@0 shoes@1"),
            ("L'Oréal", "loreal@0"),
            ("AT&T", "at@0 t@1 |att@0"),
            ("2 in 1", "2@0 in@1 1@2"),
            ("चाय की पत्ती", "चाय@0 की@1 पत्ती@2"),
            ("क्षमा", "क्षमा@0"),
            ("a-b-c-d-e", "a@0 b@1 c@2 d@3 e@4"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn words_have_stems_by_their_script() {
        for (one, other) in [
            ("speaker", "speakers"),
            ("battery", "batteries"),
            ("printing", "printed"),
            ("लड़का", "लड़के"),
            ("किताब", "किताबें"),
            ("किताबों", "किताब"),
        ] {
            assert_eq!(stem(&fold(one)), stem(&fold(other)), "{one}");
        }
        for word in ["2tb", "006r90321", "köy", "15.6in"] {
            assert_eq!(stem(word), word);
        }
        assert_ne!(stem("printer"), stem("print"));
    }

    #[test]
    fn codes_are_letters_and_digits() {
        assert_eq!(code("006R-90321 "), "006r90321");
        assert_eq!(code("HAAT/PEN.01_b"), "haatpen01b");
        assert_eq!(code("--"), "");
    }
}
