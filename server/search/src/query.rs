//! What is asked, and what a text that people type means.

use std::{cmp::Reverse, collections::HashMap, fmt, sync::Arc};

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
    /// Words that mean the same.
    pub synonyms: Arc<Synonyms>,
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
    /// Names and values of attributes: one of the values of each.
    pub facts: Vec<(String, Vec<String>)>,
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
    /// Words that mean the same, by [`Synonyms`], in the same form.
    pub(crate) synonyms: Vec<Vec<String>>,
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
            _ => parts.push(Part {
                ways: vec![words],
                synonyms: Vec::new(),
                code: String::new(),
                phrase: true,
            }),
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

/// Words that mean the same. What is typed is also found as what is listed with it; nothing in the index depends on them.
#[derive(Clone, Default)]
pub struct Synonyms {
    /// By the stem of its first word, what is replaced: its stems, and the words that mean the same.
    by_first: HashMap<String, Vec<(Vec<String>, Vec<Vec<String>>)>>,
}

impl fmt::Debug for Synonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} synonyms", self.by_first.len())
    }
}

impl Synonyms {
    /// Reads groups of words or phrases that mean the same. Those without letters and digits count as not there.
    pub fn of<'a>(groups: impl IntoIterator<Item = Vec<&'a str>>) -> Self {
        let mut synonyms = Self::default();
        for group in groups {
            let read = |text: &str| parts(text).0.iter().flat_map(|part| part.ways[0].clone()).collect();
            let ways: Vec<Vec<String>> = group.into_iter().map(read).collect();
            for way in ways.iter().filter(|way| !way.is_empty()) {
                let others = ways
                    .iter()
                    .filter(|other| !other.is_empty() && *other != way)
                    .cloned()
                    .collect::<Vec<_>>();
                let stems: Vec<String> = way.iter().map(|word| analysis::stem(word)).collect();
                let known = synonyms.by_first.entry(stems[0].clone()).or_default();
                match known.iter_mut().find(|(own, _)| *own == stems) {
                    Some((_, all)) => all.extend(others),
                    None => known.push((stems, others)),
                }
            }
        }
        // Longest first.
        synonyms.by_first.values_mut().for_each(|known| known.sort_by_key(|(own, _)| Reverse(own.len())));
        synonyms
    }

    /// Gives the parts their synonyms; parts that have one together become one.
    pub(crate) fn give(&self, parts: Vec<Part>) -> Vec<Part> {
        let mut given = Vec::with_capacity(parts.len());
        let mut rest = parts.as_slice();
        while let Some((part, after)) = rest.split_first() {
            match self.at(rest) {
                Some((taken, ways, synonyms)) => {
                    let code = if taken == 1 { part.code.clone() } else { String::new() };
                    let ways = if taken == 1 { part.ways.clone() } else { vec![ways] };
                    given.push(Part { ways, synonyms: synonyms.to_vec(), code, phrase: false });
                    rest = &rest[taken..];
                }
                None => {
                    given.push(part.clone());
                    rest = after;
                }
            }
        }
        given
    }

    /// The longest one that these parts begin with: of how many parts, their words, and what means the same.
    fn at(&self, parts: &[Part]) -> Option<(usize, Vec<String>, &[Vec<String>])> {
        let first = analysis::stem(parts.first().filter(|part| !part.phrase)?.ways.first()?.first()?);
        let known = self.by_first.get(&first)?;
        known.iter().find_map(|(own, others)| {
            let mut words: Vec<String> = Vec::new();
            for (at, part) in parts.iter().take_while(|part| !part.phrase).enumerate() {
                words.extend(part.ways[0].iter().cloned());
                if words.len() >= own.len() {
                    let same = words.iter().map(|word| analysis::stem(word)).eq(own.iter().cloned());
                    return same.then(|| (at + 1, words, others.as_slice()));
                }
            }
            None
        })
    }
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
        parts.push(Part { ways, synonyms: Vec::new(), code, phrase: false });
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
    fn words_that_mean_the_same_are_found_for_each_other() {
        let synonyms = Synonyms::of([
            vec!["sofa", "couch", "Settee "],
            vec!["mobile phone", "smartphone", "Cell-Phone"],
            vec!["phone", "telephone"],
            vec!["", "--", "alone"],
        ]);
        let given = |text: &str| {
            let (parts, _) = parts(text);
            let said = |part: &Part| {
                let ways = |ways: &[Vec<String>]| ways.iter().map(|way| way.join("+")).collect::<Vec<_>>();
                [ways(&part.ways).join("|"), ways(&part.synonyms).join("|")].join("=")
            };
            synonyms.give(parts).iter().map(said).collect::<Vec<_>>().join(" ")
        };
        for (text, expected) in [
            ("red sofas", "red= sofas=couch|settee"),
            ("Mobile phones cheap", "mobile+phones=smartphone|cell+phone cheap="),
            ("cell-phone", "cell+phone|cellphone=mobile+phone|smartphone"),
            ("smartphone case", "smartphone=mobile+phone|cell+phone case="),
            ("phone mobile", "phone=telephone mobile="),
            ("\"mobile phone\"", "mobile+phone="),
            ("alone", "alone="),
            ("", ""),
        ] {
            assert_eq!(given(text), expected, "{text:?}");
        }
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
