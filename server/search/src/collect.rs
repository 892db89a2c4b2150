//! Goes through the products that match the words: filters, counts facets, and keeps the best.
//!
//! One pass does it all. A facet counts what all *other* filters let through, so that its own values remain to be chosen.

use std::{cmp::Ordering, collections::HashMap};

use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::{Column, StrColumn},
};

use crate::{
    Facets,
    index::{column, id_of},
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
            ratings: self.ratings,
            in_stock: self.in_stock,
            price: self.price,
        }
    }
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
        let has = |ord: u64| self.ords.contains(&ord);
        self.wanted && !self.column.as_ref().is_some_and(|c| c.ords().values_for_doc(doc).any(has))
    }

    fn count(&mut self, doc: DocId) {
        let Some(column) = &self.column else { return };
        for ord in column.ords().values_for_doc(doc) {
            if let Some(count) = self.counts.get_mut(ord as usize) {
                *count += 1;
            }
        }
    }

    fn counted(self) -> HashMap<String, u64> {
        let mut counted = HashMap::new();
        let Some(column) = self.column else { return counted };
        for (ord, count) in self.counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            let mut text = String::new();
            if column.ord_to_str(ord as u64, &mut text).unwrap_or(false) {
                counted.insert(text, u64::from(count));
            }
        }
        counted
    }
}

pub(crate) struct Segment {
    categories: Texts,
    brands: Texts,
    shops: Texts,
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
        bit(self.categories.fails(doc), CATEGORY)
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
