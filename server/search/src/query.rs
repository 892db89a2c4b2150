//! What is asked, and what a text that people type means.

use crate::analysis::{self, Word};

/// The maximum number of characters of a query that are read.
const READ_MAX: usize = 200;
/// The maximum number of words; the rest of them is ignored.
const WORDS_MAX: usize = 12;

/// A search.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// What was typed; empty for all products.
    pub text: String,
    /// Which products count.
    pub filters: Filters,
    /// In which order.
    pub sort: Sort,
    /// How many of the first are left out.
    pub offset: usize,
    /// How many are returned.
    pub limit: usize,
    /// Whether facets are counted.
    pub facets: bool,
    /// Whether the last word may only be the beginning of one, as while typing.
    pub typing: bool,
    /// What one minor unit of each currency is in the currency of prices: a numerator and a denominator. Products in other
    /// currencies have no price.
    pub rates: Vec<(String, i64, i64)>,
}

/// Which products count. Several values of one kind are alternatives.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Slugs of categories; those below them count as well.
    pub categories: Vec<String>,
    /// Brands.
    pub brands: Vec<String>,
    /// Handles of shops.
    pub shops: Vec<String>,
    /// The lowest average rating, in tenths of stars; 0 for any.
    pub rating: u64,
    /// Only what can be bought.
    pub in_stock: bool,
    /// The lowest and the highest price, in the currency of prices.
    pub price: (Option<i64>, Option<i64>),
}

/// The order of results. Ties are in the order of creation, newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// By score, best first.
    #[default]
    Relevance,
    /// Newest first.
    Newest,
    /// Cheapest first.
    PriceLow,
    /// Dearest first.
    PriceHigh,
    /// Best rated first.
    Rating,
}

/// A part of a query that is found as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Ways to write it, the usual first: each is found if all of its words are.
    pub(crate) ways: Vec<Vec<String>>,
    /// Its letters and digits: it may be a SKU.
    pub(crate) code: String,
    /// Whether the words follow each other, as in quotation marks.
    pub(crate) phrase: bool,
}

impl Part {
    /// Its only word, unless it is made of several.
    pub(crate) fn word(&self) -> Option<&str> {
        match self.ways.as_slice() {
            [way] if !self.phrase => match way.as_slice() {
                [word] => Some(word),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The parts of a typed text, and whether it ends within its last word. Nothing in it is an operator except for quotation marks
/// around several words.
pub(crate) fn parts(text: &str) -> (Vec<Part>, bool) {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(READ_MAX).collect();
    let open = text.chars().last().is_some_and(char::is_alphanumeric);
    let folded = analysis::fold(&text);
    let mut parts = Vec::new();
    let mut rest = folded.as_str();
    while let Some((before, phrase, after)) = quoted(rest) {
        plain(before, &mut parts);
        let words: Vec<String> =
            analysis::words(phrase).into_iter().filter(|word| !word.other).map(|word| word.text).collect();
        match words.len() {
            0 => {}
            1 => plain(phrase, &mut parts),
            _ => parts.push(Part { code: String::new(), ways: vec![words], phrase: true }),
        }
        rest = after;
    }
    plain(rest, &mut parts);
    parts.truncate(WORDS_MAX);
    // Words that say little need not occur, unless there are no others.
    let says = |part: &Part| part.word().is_none_or(|word| !analysis::is_stop_word(word));
    if parts.iter().any(says) {
        parts.retain(says);
    }
    (parts, open)
}

/// The first text in quotation marks, with what is before and after it. A quotation mark behind a digit is an inch mark.
fn quoted(text: &str) -> Option<(&str, &str, &str)> {
    let opens = |at: usize| text[..at].chars().last().is_none_or(char::is_whitespace);
    let start = text.match_indices('"').map(|(at, _)| at).find(|at| opens(*at))?;
    let length = text[start + 1..].find('"')?;
    Some((&text[..start], &text[start + 1..start + 1 + length], &text[start + length + 2..]))
}

fn plain(text: &str, parts: &mut Vec<Part>) {
    let words = analysis::words(text);
    let mut at = 0;
    while at < words.len() && parts.len() <= WORDS_MAX {
        let Word { text, place, .. } = &words[at];
        // A compound comes after its parts.
        let whole = words.iter().find(|word| word.other && word.parts > 1 && word.place == *place);
        let span = whole.map_or(1, |word| word.parts);
        let inside = |word: &&Word| !word.other && (*place..*place + span).contains(&word.place);
        let way: Vec<String> = words.iter().filter(inside).map(|word| word.text.clone()).collect();
        let code = whole.map_or_else(|| analysis::code(text), |word| analysis::code(&word.text));
        let ways = std::iter::once(way).chain(whole.map(|word| vec![word.text.clone()])).collect();
        parts.push(Part { ways, code, phrase: false });
        at = words.iter().position(|word| !word.other && word.place >= *place + span).unwrap_or(words.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let part = |part: &Part| {
            let ways: Vec<_> = part.ways.iter().map(|way| way.join("+")).collect();
            if part.phrase { format!("\"{}\"", ways.join("|")) } else { ways.join("|") }
        };
        parts(text).0.iter().map(part).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_typed_is_read() {
        for (text, expected) in [
            ("", ""),
            ("Fountain pen", "fountain pen"),
            ("wi-fi router", "wi+fi|wifi router"),
            ("laptop 15.6\" 2 tb", "laptop 15.6in 2tb"),
            ("15.6\" laptop 17\"", "15.6in laptop 17in"),
            ("\"fountain pen\" blue", "\"fountain+pen\" blue"),
            ("blue \"pen\"", "blue pen"),
            ("\"fountain pen", "fountain pen"),
            ("\"\" \"", ""),
            ("pen for the office", "pen office"),
            ("the", "the"),
            ("* ? ~ ^ + - && || ! ( ) { } [ ] : \\ /", ""),
            ("title:pen OR *", "title pen"),
            ("a\0b\u{202e}c", "bc"),
        ] {
            assert_eq!(said(text), expected, "{text:?}");
        }
        assert!(parts(&"x y ".repeat(5_000)).0.len() <= WORDS_MAX);
        assert!(parts("pe").1 && !parts("pen ").1);
    }
}
