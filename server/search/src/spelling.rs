//! Words like those that were typed: with the same beginning, or with another character or two.

use std::sync::LazyLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::{Searcher, Term, schema::Field};
use tantivy_fst::Automaton;

use crate::SearchError;

/// From how many characters on a word may have one edit, and two.
const ONE_EDIT: usize = 4;
const TWO_EDITS: usize = 8;

/// Their tables take a while to compute.
static BUILDERS: LazyLock<[LevenshteinAutomatonBuilder; 2]> = LazyLock::new(|| {
    // Two characters in the wrong order are one edit.
    [LevenshteinAutomatonBuilder::new(1, true), LevenshteinAutomatonBuilder::new(2, true)]
});

/// Computes what is needed for the first query.
pub(crate) fn prepare() {
    LazyLock::force(&BUILDERS);
}

struct Similar(DFA);

impl Automaton for Similar {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}

/// A word of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) word: String,
    /// In how many products it occurs.
    pub(crate) products: u64,
    /// How many edits it is away.
    pub(crate) edits: u8,
}

/// In how many products a word occurs.
pub(crate) fn frequency(searcher: &Searcher, field: Field, word: &str) -> Result<u64, SearchError> {
    Ok(searcher.doc_freq(&Term::from_field_text(field, word))?)
}

/// The most frequent words that begin like this.
pub(crate) fn beginning(
    searcher: &Searcher,
    field: Field,
    beginning: &str,
    most: usize,
) -> Result<Vec<Known>, SearchError> {
    // The first string after all that begin so: no UTF-8 text has this byte.
    let mut end = beginning.as_bytes().to_vec();
    end.push(0xff);
    let mut known = Gathered::default();
    for segment in searcher.segment_readers() {
        let terms = segment.inverted_index(field)?;
        let mut stream = terms.terms().range().ge(beginning.as_bytes()).lt(&end).into_stream()?;
        while stream.advance() {
            known.add(stream.key(), stream.value().doc_freq, 0);
        }
    }
    let mut words = known.words();
    words.sort_unstable_by(|a, b| b.products.cmp(&a.products).then_with(|| a.word.cmp(&b.word)));
    words.truncate(most);
    Ok(words)
}

/// Words that differ in as many characters as a typing error would, the fewest first, then the most frequent ones.
pub(crate) fn similar(
    searcher: &Searcher,
    field: Field,
    word: &str,
    most: usize,
) -> Result<Vec<Known>, SearchError> {
    // Numbers and codes are never meant to be others.
    if word.chars().any(|c| c.is_numeric()) {
        return Ok(Vec::new());
    }
    let allowed: usize = match word.chars().count() {
        ..ONE_EDIT => return Ok(Vec::new()),
        ONE_EDIT..TWO_EDITS => 1,
        TWO_EDITS.. => 2,
    };
    let automaton = Similar(BUILDERS[allowed - 1].build_dfa(word));
    let mut known = Gathered::default();
    for segment in searcher.segment_readers() {
        let terms = segment.inverted_index(field)?;
        let mut stream = terms.terms().search(&automaton).into_stream()?;
        while stream.advance() {
            if let Distance::Exact(edits) = automaton.0.eval(stream.key()) {
                known.add(stream.key(), stream.value().doc_freq, edits);
            }
        }
    }
    let mut words = known.words();
    words.retain(|known| known.edits > 0 && !known.word.chars().any(|c| c.is_numeric()));
    // Hardly anyone errs in the first character.
    let first = word.chars().next();
    let key = |known: &Known| (known.edits, known.word.chars().next() != first);
    words.sort_unstable_by(|a, b| {
        key(a).cmp(&key(b)).then(b.products.cmp(&a.products)).then_with(|| a.word.cmp(&b.word))
    });
    words.truncate(most);
    Ok(words)
}

/// Words of several segments.
#[derive(Default)]
struct Gathered(std::collections::HashMap<Vec<u8>, (u64, u8)>);

impl Gathered {
    fn add(&mut self, word: &[u8], products: u32, edits: u8) {
        match self.0.get_mut(word) {
            Some((count, _)) => *count += u64::from(products),
            None => drop(self.0.insert(word.to_vec(), (u64::from(products), edits))),
        }
    }

    fn words(self) -> Vec<Known> {
        let known = |(word, (products, edits)): (Vec<u8>, (u64, u8))| {
            Some(Known { word: String::from_utf8(word).ok()?, products, edits })
        };
        self.0.into_iter().filter_map(known).collect()
    }
}
