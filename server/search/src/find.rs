//! Answers queries.

use std::sync::PoisonError;

use tantivy::{
    Searcher, Term,
    query::{
        AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, PhraseQuery,
        Query as Matcher, TermQuery,
    },
    schema::{Field, IndexRecordOption},
};

use crate::{
    SearchError, analysis,
    collect::{Collect, Found},
    index::{Index, pieces},
    query::{Part, Query, parts},
    spelling::{self, Known},
    weights,
};

/// How many words stand for the beginning of one, and for one with a typing error.
const BEGINNINGS: usize = 8;
const SIMILAR: usize = 5;
/// A similar word is suggested if it occurs in this many products at least, and this many times as often.
const SUGGESTED_FROM: u64 = 5;
const SUGGESTED_TIMES: u64 = 30;
/// From how many characters on a code is found by its middle.
const MIDDLE_FROM: usize = 4;

/// How many counts are kept.
const COUNTED_MAX: usize = 256;

/// The answer to a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The products of the page, in order.
    pub ids: Vec<u128>,
    /// How many there are on all pages.
    pub total: u64,
    /// Counts by kinds of filters, if asked for.
    pub facets: Facets,
    /// Nothing matches all words: these match some.
    pub some_words: bool,
    /// Another spelling of the query, and whether the results are already those of it.
    pub spelling: Option<(String, bool)>,
}

/// How many products have each value of a filter, among those that all other filters let through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// By slug, each with what is below it.
    pub categories: Vec<(String, u64)>,
    /// By brand.
    pub brands: Vec<(String, u64)>,
    /// By handle.
    pub shops: Vec<(String, u64)>,
    /// By attribute, most frequent first: its name, and the counts of its values.
    pub facts: Vec<(String, Vec<(String, u64)>)>,
    /// With 4, 3, 2 and 1 stars at least.
    pub ratings: [u64; 4],
    /// That can be bought.
    pub in_stock: u64,
    /// The lowest and the highest price.
    pub price: Option<(i64, i64)>,
}

/// What a part of the query is looked for as.
struct Sought {
    matcher: Box<dyn Matcher>,
    /// How it should be spelt: with whether this was done.
    spelling: Option<(String, bool)>,
}

impl Index {
    /// Finds products.
    pub fn search(&self, query: &Query) -> Result<Answer, SearchError> {
        let searcher = self.reader.searcher();
        let (parts, open) = parts(&query.text);
        let parts = query.synonyms.give(parts);
        if parts.is_empty() {
            // Nothing that could be a word was typed.
            if !query.text.trim().is_empty() {
                return Ok(Answer::default());
            }
            return self.listed(&searcher, query);
        }
        let mut sought = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            let last = at + 1 == parts.len() && open;
            sought.push(self.sought(&searcher, part, last, query.typing)?);
        }
        let spelling = spelling_of(&parts, &sought);
        let extra = self.extra(&searcher, &query.text, &parts)?;
        let mut found = searcher.search(&self.all_of(&sought, &extra, sought.len()), &Collect(query))?;
        let mut wanted = sought.len();
        while found.total == 0 && wanted > 1 && !query.typing {
            // With filters, nothing may be left although the words are there.
            wanted = if wanted > 4 { wanted / 2 } else { wanted - 1 };
            found = searcher.search(&self.all_of(&sought, &extra, wanted), &Collect(query))?;
        }
        Ok(answer(found, wanted < parts.len(), spelling))
    }

    /// Without words. What is only counted, and will be counted for each visitor of a category, is kept until products change.
    fn listed(&self, searcher: &Searcher, query: &Query) -> Result<Answer, SearchError> {
        let key = (query.limit == 0).then(|| format!("{query:?}"));
        let kept = || self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = key.as_ref().and_then(|key| kept().get(key).cloned()) {
            return Ok(answer);
        }
        let found = answer(searcher.search(&AllQuery, &Collect(query))?, false, None);
        if let Some(key) = key {
            let mut kept = kept();
            if kept.len() >= COUNTED_MAX {
                kept.clear();
            }
            kept.insert(key, found.clone());
        }
        Ok(found)
    }

    /// All parts, or as many of them as `wanted`; besides, what only improves the order.
    fn all_of(&self, sought: &[Sought], extra: &Extra, wanted: usize) -> BooleanQuery {
        let parts = sought.iter().map(|part| (Occur::Should, part.matcher.box_clone())).collect();
        let words = BooleanQuery::with_minimum_required_clauses(parts, wanted);
        let mut clauses: Vec<(Occur, Box<dyn Matcher>)> = Vec::new();
        let codes = extra.codes.iter().map(|code| (Occur::Should, code.box_clone()));
        let either: Vec<_> =
            std::iter::once((Occur::Should, Box::new(words) as Box<dyn Matcher>)).chain(codes).collect();
        clauses.push((Occur::Must, Box::new(BooleanQuery::new(either))));
        clauses.extend(extra.order.iter().map(|order| (Occur::Should, order.box_clone())));
        BooleanQuery::new(clauses)
    }

    /// What a part is found as.
    fn sought(
        &self,
        searcher: &Searcher,
        part: &Part,
        last: bool,
        typing: bool,
    ) -> Result<Sought, SearchError> {
        let mut ways: Vec<Box<dyn Matcher>> = Vec::new();
        let mut spelling = None;
        if part.phrase {
            let words: Vec<String> = part.ways.concat().iter().map(|word| analysis::stem(word)).collect();
            for (field, weight) in self.text_fields() {
                let terms = words.iter().map(|word| Term::from_field_text(field, word)).collect();
                ways.push(boosted(PhraseQuery::new(terms), weight * words.len() as f32));
            }
        } else if let Some(word) = part.word() {
            let known = !part.synonyms.is_empty();
            let (terms, suggested) = self.readings(searcher, word, last, typing, known)?;
            for (term, weight) in &terms {
                self.in_fields(searcher, &analysis::stem(term), *weight, &mut ways)?;
            }
            spelling = suggested;
        } else {
            for way in &part.ways {
                ways.push(self.together(searcher, way, 1.0)?);
            }
        }
        for way in &part.synonyms {
            ways.push(self.together(searcher, way, weights::SYNONYM)?);
        }
        ways.extend(self.as_code(searcher, &part.code, part.ways[0].len() > 1)?);
        Ok(Sought { matcher: best_of(ways), spelling })
    }

    /// All of these words.
    fn together(
        &self,
        searcher: &Searcher,
        words: &[String],
        weight: f32,
    ) -> Result<Box<dyn Matcher>, SearchError> {
        let mut all: Vec<Box<dyn Matcher>> = Vec::new();
        for word in words {
            let mut fields = Vec::new();
            self.in_fields(searcher, &analysis::stem(word), weight, &mut fields)?;
            all.push(best_of(fields));
        }
        Ok(Box::new(BooleanQuery::intersection(all)))
    }

    /// The words that a word is looked for as, with their weights, and how it should be spelt. A word that has synonyms is
    /// `known` to be spelt right.
    fn readings(
        &self,
        searcher: &Searcher,
        word: &str,
        last: bool,
        typing: bool,
        known: bool,
    ) -> Result<(Vec<(String, f32)>, Option<(String, bool)>), SearchError> {
        let words = self.fields.words;
        let mut own = spelling::frequency(searcher, words, word)?;
        if own == 0 {
            // Another form of it may be there.
            let stem = analysis::stem(word);
            for (field, _) in self.text_fields() {
                own = own.max(spelling::frequency(searcher, field, &stem)?);
            }
        }
        let mut terms: Vec<(String, f32)> = Vec::new();
        if own > 0 {
            terms.push((word.to_owned(), 1.0));
        }
        if last && (typing || own == 0) {
            let begun = spelling::beginning(searcher, words, word, BEGINNINGS)?;
            terms.extend(
                begun
                    .into_iter()
                    .filter(|known| known.word != word)
                    .map(|known| (known.word, weights::PREFIX)),
            );
        }
        if known || (!terms.is_empty() && own > SUGGESTED_FROM) {
            return Ok((terms, None));
        }
        let similar = spelling::similar(searcher, words, word, SIMILAR)?;
        let best =
            similar.iter().filter(|known| known.edits == similar[0].edits).max_by_key(|known| known.products);
        let Some(best) = best.cloned() else { return Ok((terms, None)) };
        if terms.is_empty() {
            let weight = |known: &Known| {
                let also = if known.word == best.word { 1.0 } else { weights::ALSO_SIMILAR };
                also * weights::TYPO[usize::from(known.edits.clamp(1, 2)) - 1]
            };
            terms.extend(similar.iter().map(|known| (known.word.clone(), weight(known))));
            return Ok((terms, Some((best.word, true))));
        }
        let better = best.products >= SUGGESTED_FROM && best.products >= own.saturating_mul(SUGGESTED_TIMES);
        Ok((terms, better.then_some((best.word, false))))
    }

    fn text_fields(&self) -> [(Field, f32); 5] {
        let weights = &weights::FIELDS;
        [
            (self.fields.title, weights.title),
            (self.fields.brand, weights.brand),
            (self.fields.category, weights.category),
            (self.fields.attributes, weights.attributes),
            (self.fields.description, weights.description),
        ]
    }

    /// A stem in each field where it occurs at all.
    fn in_fields(
        &self,
        searcher: &Searcher,
        stem: &str,
        weight: f32,
        to: &mut Vec<Box<dyn Matcher>>,
    ) -> Result<(), SearchError> {
        for (field, of_field) in self.text_fields() {
            let term = Term::from_field_text(field, stem);
            if searcher.doc_freq(&term)? > 0 {
                to.push(boosted(TermQuery::new(term, IndexRecordOption::WithFreqs), of_field * weight));
            }
        }
        Ok(())
    }

    /// A SKU or barcode: as it is, and by its beginning or middle if it has a digit or is one for sure.
    fn as_code(
        &self,
        searcher: &Searcher,
        code: &str,
        joined: bool,
    ) -> Result<Vec<Box<dyn Matcher>>, SearchError> {
        let mut ways: Vec<Box<dyn Matcher>> = Vec::new();
        let fixed = |matcher: Box<dyn Matcher>, score| {
            Box::new(ConstScoreQuery::new(matcher, score)) as Box<dyn Matcher>
        };
        if code.chars().count() < 3 {
            return Ok(ways);
        }
        let [whole, beginning, middle] = weights::CODE;
        let exact = Term::from_field_text(self.fields.codes, code);
        if searcher.doc_freq(&exact)? > 0 {
            ways.push(fixed(Box::new(TermQuery::new(exact, IndexRecordOption::Basic)), whole));
        }
        let like_a_code = code.chars().any(|c| c.is_numeric()) || joined;
        if code.chars().count() < MIDDLE_FROM || !like_a_code {
            return Ok(ways);
        }
        for (from_start, score) in [(true, beginning), (false, middle)] {
            let pieces = pieces(code, from_start);
            let terms: Vec<Term> =
                pieces.iter().map(|piece| Term::from_field_text(self.fields.pieces, piece)).collect();
            let mut known = true;
            for term in &terms {
                known &= searcher.doc_freq(term)? > 0;
            }
            if known && terms.len() > 1 {
                ways.push(fixed(Box::new(PhraseQuery::new(terms)), score));
            }
        }
        Ok(ways)
    }

    /// What is looked for besides the parts.
    fn extra(&self, searcher: &Searcher, text: &str, parts: &[Part]) -> Result<Extra, SearchError> {
        let mut extra = Extra { codes: Vec::new(), order: Vec::new() };
        if parts.len() > 1 {
            // The whole text may be one code: `006R 90321`.
            let whole = analysis::code(text);
            let digits = whole.chars().any(|c| c.is_numeric());
            extra.codes = if digits { self.as_code(searcher, &whole, true)? } else { Vec::new() };
            let words: Vec<String> =
                parts.iter().flat_map(|part| &part.ways[0]).map(|word| analysis::stem(word)).collect();
            for pair in words.windows(2) {
                let terms: Vec<Term> =
                    pair.iter().map(|word| Term::from_field_text(self.fields.title, word)).collect();
                let mut phrase = PhraseQuery::new(terms);
                phrase.set_slop(1);
                extra.order.push(boosted(phrase, weights::TOGETHER));
            }
        }
        Ok(extra)
    }

    /// How the query that is being typed could go on: its words with the last one completed, most frequent first.
    pub fn complete(&self, text: &str, most: usize) -> Result<Vec<String>, SearchError> {
        let searcher = self.reader.searcher();
        let (parts, open) = parts(text);
        let Some((last, before)) = parts.split_last() else { return Ok(Vec::new()) };
        let Some(word) = last.word().filter(|_| open) else { return Ok(Vec::new()) };
        let begun = spelling::beginning(&searcher, self.fields.words, word, BEGINNINGS * 4)?;
        // What is written in titles is what is looked for.
        let mut titled = Vec::new();
        for known in begun {
            let term = Term::from_field_text(self.fields.title, &analysis::stem(&known.word));
            let products = searcher.doc_freq(&term)?;
            if products > 0 && !titled.iter().any(|(_, other, _)| *other == term) {
                titled.push((known.word, term, products));
            }
        }
        titled.sort_by_key(|(_, _, products)| std::cmp::Reverse(*products));
        let words: Vec<String> = before.iter().map(|part| part.ways[0].join(" ")).collect();
        let mut completed = Vec::new();
        for (word, ..) in titled.into_iter().take(most + 2) {
            let whole = [words.as_slice(), &[word]].concat().join(" ");
            let any = before.is_empty() || {
                let query = Query { text: format!("{whole} "), typing: true, ..Query::default() };
                self.search(&query)?.total > 0
            };
            if any && completed.len() < most {
                completed.push(whole);
            }
        }
        Ok(completed)
    }
}

/// What is looked for besides the parts: the whole text as a code, and what only improves the order.
struct Extra {
    codes: Vec<Box<dyn Matcher>>,
    order: Vec<Box<dyn Matcher>>,
}

fn answer(found: Found, some_words: bool, spelling: Option<(String, bool)>) -> Answer {
    Answer {
        ids: found.hits.iter().map(|hit| hit.id).collect(),
        total: found.total,
        some_words: some_words && found.total > 0,
        spelling,
        facets: found.facets(),
    }
}

/// The query as it should be spelt. If a word of it isn't known at all, that was done.
fn spelling_of(parts: &[Part], sought: &[Sought]) -> Option<(String, bool)> {
    if sought.iter().all(|part| part.spelling.is_none()) {
        return None;
    }
    let done = sought.iter().filter_map(|part| part.spelling.as_ref()).any(|(_, done)| *done);
    let word = |(part, sought): (&Part, &Sought)| match &sought.spelling {
        Some((word, corrected)) if *corrected == done => word.clone(),
        _ => part.ways[0].join(if part.phrase { " " } else { "-" }),
    };
    Some((parts.iter().zip(sought).map(word).collect::<Vec<_>>().join(" "), done))
}

fn boosted(matcher: impl Matcher, weight: f32) -> Box<dyn Matcher> {
    Box::new(BoostQuery::new(Box::new(matcher), weight))
}

/// Whichever counts most. Without any, nothing matches.
fn best_of(mut ways: Vec<Box<dyn Matcher>>) -> Box<dyn Matcher> {
    match ways.len() {
        0 => Box::new(tantivy::query::EmptyQuery),
        1 => ways.remove(0),
        _ => Box::new(DisjunctionMaxQuery::with_tie_breaker(ways, weights::ELSEWHERE)),
    }
}
