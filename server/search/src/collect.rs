//! Goes through the products that match the words: filters, counts facets, and keeps the best.
//!
//! One pass does it all. A facet counts what all *other* filters let through, so that its own values remain to be chosen.

use std::{cmp::Ordering, collections::HashMap, ops::Range};

use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::{Column, StrColumn},
};

use crate::{
    Facets,
    index::{column, fact, id_of},
    query::{Query, Sort},
    weights,
};

/// The facets by their bits.
const CATEGORY: u32 = 1;
const BRAND: u32 = 2;
const SHOP: u32 = 4;
const RATING: u32 = 8;
const STOCK: u32 = 16;
const PRICE: u32 = 32;
/// The first attribute that products are filtered by; the others follow.
const FACT: u32 = 64;
/// How many attributes products can be filtered by at once.
const FACTS_MAX: usize = 20;

/// From how many different values on those of a single product are left out.
const MANY: usize = 2_000;

/// A product that was found, in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hit {
    key: f64,
    pub(crate) id: u128,
}

impl Hit {
    fn order(&self, other: &Self) -> Ordering {
        other.key.total_cmp(&self.key).then(other.id.cmp(&self.id))
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) hits: Vec<Hit>,
    pub(crate) total: u64,
    categories: HashMap<String, u64>,
    brands: HashMap<String, u64>,
    shops: HashMap<String, u64>,
    facts: HashMap<String, u64>,
    ratings: [u64; 4],
    in_stock: u64,
    price: Option<(i64, i64)>,
}

impl Found {
    /// Its facets, most frequent values first.
    pub(crate) fn facets(self) -> Facets {
        let sorted = |counts: HashMap<String, u64>| {
            let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
            counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            counts
        };
        Facets {
            categories: sorted(self.categories),
            brands: sorted(self.brands),
            shops: sorted(self.shops),
            facts: grouped(sorted(self.facts)),
            ratings: self.ratings,
            in_stock: self.in_stock,
            price: self.price,
        }
    }
}

/// Counts of values, most frequent first, by their attributes, in the order of how many products have one.
fn grouped(counts: Vec<(String, u64)>) -> Vec<(String, Vec<(String, u64)>)> {
    let mut by_name: HashMap<String, Vec<(String, u64)>> = HashMap::new();
    for (fact, count) in counts {
        if let Some((name, value)) = fact.split_once('\n') {
            by_name.entry(name.to_owned()).or_default().push((value.to_owned(), count));
        }
    }
    let mut grouped: Vec<_> = by_name.into_iter().collect();
    let sum = |values: &[(String, u64)]| values.iter().map(|(_, count)| count).sum::<u64>();
    grouped.sort_by(|a, b| sum(&b.1).cmp(&sum(&a.1)).then_with(|| a.0.cmp(&b.0)));
    grouped
}

pub(crate) struct Collect<'a>(pub(crate) &'a Query);

impl Collector for Collect<'_> {
    type Fruit = Found;
    type Child = Segment;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<Segment> {
        let query = self.0;
        let columns = segment.fast_fields();
        let ords = |name: &str, wanted: &[String]| -> tantivy::Result<Texts> {
            let Some(column) = columns.str(name)? else { return Ok(Texts::default()) };
            let mut ords = Vec::new();
            for text in wanted {
                ords.extend(column.dictionary().term_ord(text.as_bytes())?);
            }
            let counts = if query.facets { vec![0; column.num_terms()] } else { Vec::new() };
            Ok(Texts { column: Some(column), wanted: !wanted.is_empty(), ords, counts })
        };
        let facts = ords(column::FACTS, &[])?;
        let mut by_fact = Vec::new();
        for (name, values) in query.filters.facts.iter().take(FACTS_MAX) {
            by_fact.push(OfFact::new(&facts, name, values)?);
        }
        let currencies = ords(column::CURRENCY, &[])?.column;
        let mut rates = vec![None; currencies.as_ref().map_or(0, |column| column.num_terms())];
        for (currency, numerator, denominator) in &query.rates {
            let ord =
                currencies.as_ref().map(|c| c.dictionary().term_ord(currency.as_bytes())).transpose()?;
            if let Some(rate) = ord.flatten().and_then(|ord| rates.get_mut(ord as usize)) {
                *rate = Some((i128::from(*numerator), i128::from((*denominator).max(1))));
            }
        }
        Ok(Segment {
            categories: ords(column::CATEGORIES, &query.filters.categories)?,
            brands: ords(column::BRANDS, &query.filters.brands)?,
            shops: ords(column::SHOP, &query.filters.shops)?,
            facts,
            by_fact,
            high: columns.u64(column::HIGH)?,
            low: columns.u64(column::LOW)?,
            price: columns.i64(column::PRICE)?,
            in_stock: columns.bool(column::IN_STOCK)?,
            rating: columns.u64(column::RATING)?,
            sold: columns.u64(column::SOLD)?,
            currencies,
            rates,
            min_rating: query.filters.rating,
            only_in_stock: query.filters.in_stock,
            bounds: query.filters.price,
            sort: query.sort,
            facets: query.facets,
            keep: query.offset.saturating_add(query.limit),
            found: Found::default(),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.0.sort == Sort::Relevance && !self.0.text.is_empty()
    }

    fn merge_fruits(&self, segments: Vec<Found>) -> tantivy::Result<Found> {
        let mut all = Found::default();
        for found in segments {
            all.hits.extend(found.hits);
            all.total += found.total;
            let add = |to: &mut HashMap<String, u64>, from: HashMap<String, u64>| {
                from.into_iter().for_each(|(value, count)| *to.entry(value).or_default() += count);
            };
            add(&mut all.categories, found.categories);
            add(&mut all.brands, found.brands);
            add(&mut all.shops, found.shops);
            add(&mut all.facts, found.facts);
            all.ratings.iter_mut().zip(found.ratings).for_each(|(to, from)| *to += from);
            all.in_stock += found.in_stock;
            all.price = match (all.price, found.price) {
                (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                (one, other) => one.or(other),
            };
        }
        all.hits.sort_unstable_by(Hit::order);
        let first = self.0.offset.min(all.hits.len());
        all.hits.drain(..first);
        all.hits.truncate(self.0.limit);
        Ok(all)
    }
}

/// A column of texts: which are wanted, and how often each is counted.
#[derive(Default)]
struct Texts {
    column: Option<StrColumn>,
    wanted: bool,
    ords: Vec<u64>,
    counts: Vec<u32>,
}

impl Texts {
    fn fails(&self, doc: DocId) -> bool {
        self.wanted && !self.has(doc, &self.ords)
    }

    fn has(&self, doc: DocId, wanted: &[u64]) -> bool {
        let is_wanted = |ord: u64| wanted.contains(&ord);
        self.column.as_ref().is_some_and(|column| column.ords().values_for_doc(doc).any(is_wanted))
    }

    fn count(&mut self, doc: DocId) {
        self.count_in(doc, &(0..u64::MAX));
    }

    /// Counts the values that are among these.
    fn count_in(&mut self, doc: DocId, among: &Range<u64>) {
        let Some(column) = &self.column else { return };
        for ord in column.ords().values_for_doc(doc).filter(|ord| among.contains(ord)) {
            if let Some(count) = self.counts.get_mut(ord as usize) {
                *count += 1;
            }
        }
    }

    fn counted(self) -> HashMap<String, u64> {
        let mut counted = HashMap::new();
        let Some(column) = self.column else { return counted };
        let distinct = self.counts.iter().filter(|count| **count > 0).count();
        // Of many values, those of one product each are never among the shown ones.
        let least = if distinct > MANY { 2 } else { 1 };
        let some = (0u64..).zip(self.counts).filter(|(_, count)| *count >= least);
        let (ords, counts): (Vec<u64>, Vec<u32>) = some.unzip();
        let mut counts = counts.into_iter();
        // In their order, each block of the dictionary is read once. What can't be read isn't counted.
        let read = column.dictionary().sorted_ords_to_term_cb(&ords, |text| {
            if let (Some(count), Ok(text)) = (counts.next(), std::str::from_utf8(text)) {
                counted.insert(text.to_owned(), u64::from(count));
            }
        });
        if let Err(error) = read {
            tracing::warn!(%error, "values of a facet can't be read");
        }
        counted
    }
}

/// A filter by an attribute.
struct OfFact {
    /// Which values are wanted.
    ords: Vec<u64>,
    /// All values of the attribute.
    all: Range<u64>,
}

impl OfFact {
    fn new(facts: &Texts, name: &str, values: &[String]) -> tantivy::Result<Self> {
        let (mut ords, mut all) = (Vec::new(), 0..0);
        if let Some(column) = &facts.column {
            for value in values {
                ords.extend(column.dictionary().term_ord(fact(name, value).as_bytes())?);
            }
            // Values of one attribute are next to each other.
            let mut values = column.dictionary().prefix_range(fact(name, "")).into_stream()?;
            while values.advance() {
                let ord = values.term_ord();
                all = if all.is_empty() { ord..ord + 1 } else { all.start..ord + 1 };
            }
        }
        Ok(Self { ords, all })
    }
}

pub(crate) struct Segment {
    categories: Texts,
    brands: Texts,
    shops: Texts,
    facts: Texts,
    by_fact: Vec<OfFact>,
    high: Column<u64>,
    low: Column<u64>,
    price: Column<i64>,
    in_stock: Column<bool>,
    rating: Column<u64>,
    sold: Column<u64>,
    currencies: Option<StrColumn>,
    rates: Vec<Option<(i128, i128)>>,
    min_rating: u64,
    only_in_stock: bool,
    bounds: (Option<i64>, Option<i64>),
    sort: Sort,
    facets: bool,
    keep: usize,
    found: Found,
}

impl Segment {
    /// The price in the currency of prices.
    fn price(&self, doc: DocId) -> Option<i64> {
        let price = self.price.first(doc)?;
        let currency = self.currencies.as_ref()?.ords().first(doc)?;
        let (numerator, denominator) = (*self.rates.get(currency as usize)?)?;
        i64::try_from(i128::from(price) * numerator / denominator).ok()
    }

    fn failed(&self, doc: DocId, rating: u64, in_stock: bool, price: Option<i64>) -> u32 {
        let (from, to) = self.bounds;
        let dear = from.is_some_and(|from| price.is_none_or(|price| price < from))
            || to.is_some_and(|to| price.is_none_or(|price| price > to));
        let bit = |fails: bool, bit: u32| if fails { bit } else { 0 };
        let mut of_facts = 0;
        for (at, fact) in self.by_fact.iter().enumerate() {
            of_facts |= bit(!self.facts.has(doc, &fact.ords), FACT << at);
        }
        of_facts
            | bit(self.categories.fails(doc), CATEGORY)
            | bit(self.brands.fails(doc), BRAND)
            | bit(self.shops.fails(doc), SHOP)
            | bit(rating < self.min_rating, RATING)
            | bit(self.only_in_stock && !in_stock, STOCK)
            | bit(dear, PRICE)
    }

    fn count(&mut self, doc: DocId, failed: u32, rating: u64, in_stock: bool, price: Option<i64>) {
        // Whether nothing else than this facet's own filter keeps the product out.
        let but = |facet: u32| failed & !facet == 0;
        if but(CATEGORY) {
            self.categories.count(doc);
        }
        if but(BRAND) {
            self.brands.count(doc);
        }
        if but(SHOP) {
            self.shops.count(doc);
        }
        if failed == 0 {
            self.facts.count(doc);
        } else if failed >= FACT {
            // Only one filter failed: that by this attribute, whose values are counted all the same.
            let own = &self.by_fact[(failed / FACT).trailing_zeros() as usize];
            self.facts.count_in(doc, &own.all);
        }
        if but(RATING) {
            for (count, least) in self.found.ratings.iter_mut().zip([40, 30, 20, 10]) {
                *count += u64::from(rating >= least);
            }
        }
        if but(STOCK) {
            self.found.in_stock += u64::from(in_stock);
        }
        if let Some(price) = price.filter(|_| but(PRICE)) {
            let (low, high) = self.found.price.unwrap_or((price, price));
            self.found.price = Some((low.min(price), high.max(price)));
        }
    }
}

impl SegmentCollector for Segment {
    type Fruit = Found;

    fn collect(&mut self, doc: DocId, score: Score) {
        let rating = self.rating.first(doc).unwrap_or_default();
        let in_stock = self.in_stock.first(doc).unwrap_or_default();
        let priced = self.facets
            || self.bounds != (None, None)
            || matches!(self.sort, Sort::PriceLow | Sort::PriceHigh);
        let price = if priced { self.price(doc) } else { None };
        let failed = self.failed(doc, rating, in_stock, price);
        if self.facets && failed.count_ones() < 2 {
            self.count(doc, failed, rating, in_stock, price);
        }
        if failed != 0 {
            return;
        }
        self.found.total += 1;
        if self.keep == 0 {
            return;
        }
        let key = match self.sort {
            Sort::Newest => 0.0,
            Sort::Rating => rating as f64,
            // What has no price comes last.
            Sort::PriceLow => price.map_or(f64::MIN, |price| -(price as f64)),
            Sort::PriceHigh => price.map_or(f64::MIN, |price| price as f64),
            Sort::Relevance => {
                let sold = self.sold.first(doc).unwrap_or_default();
                // Without words, all match equally.
                let score = if score == 0.0 { 1.0 } else { score };
                f64::from(score * weights::product(sold, rating, in_stock))
            }
        };
        let part = |column: &Column<u64>| column.first(doc).unwrap_or_default();
        let hit = Hit { key, id: id_of(part(&self.high), part(&self.low)) };
        self.found.hits.push(hit);
        if self.found.hits.len() >= self.keep.saturating_mul(2).max(256) {
            self.cut();
        }
    }

    fn harvest(mut self) -> Found {
        self.cut();
        self.found.categories = self.categories.counted();
        self.found.brands = self.brands.counted();
        self.found.shops = self.shops.counted();
        self.found.facts = self.facts.counted();
        self.found
    }
}

impl Segment {
    /// Forgets all but the best.
    fn cut(&mut self) {
        let hits = &mut self.found.hits;
        if hits.len() > self.keep && self.keep > 0 {
            hits.select_nth_unstable_by(self.keep - 1, Hit::order);
            hits.truncate(self.keep);
        }
    }
}
