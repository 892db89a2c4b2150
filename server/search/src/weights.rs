//! All weights of the ranking.
//!
//! A product's score is the sum of its words' scores (BM25 of the field where a word counts most), times what its
//! popularity and its availability are worth.

/// What a word is worth where it is found.
pub(crate) struct Fields {
    pub(crate) title: f32,
    pub(crate) brand: f32,
    pub(crate) category: f32,
    pub(crate) attributes: f32,
    pub(crate) description: f32,
}

pub(crate) const FIELDS: Fields =
    Fields { title: 4.0, brand: 2.5, category: 2.5, attributes: 1.0, description: 0.8 };

/// How much a word counts where it is found besides the field where it counts most.
pub(crate) const ELSEWHERE: f32 = 0.3;
/// The words of a query in the title, one after the other.
pub(crate) const TOGETHER: f32 = 1.0;
/// What a word is worth that only begins like the last word of the query.
pub(crate) const PREFIX: f32 = 0.7;
/// What a word is worth that differs from one of the query in one character, or in two.
pub(crate) const TYPO: [f32; 2] = [0.7, 0.5];
/// What a word is worth that means the same.
pub(crate) const SYNONYM: f32 = 0.8;
/// What similar words are worth besides the most frequent one.
pub(crate) const ALSO_SIMILAR: f32 = 0.5;

/// A SKU or barcode: as it is, its beginning, and its middle. Far above all words.
pub(crate) const CODE: [f32; 3] = [1_000.0, 300.0, 100.0];

/// How much more the best-selling products count than those without any sale.
pub(crate) const POPULARITY: f32 = 0.4;
/// How many sales are as good as any.
pub(crate) const POPULAR: f32 = 1_000.0;
/// How much more a product with five stars counts than one without reviews; one with one star counts as much less.
pub(crate) const RATING: f32 = 0.1;
/// What a product counts that is out of stock.
pub(crate) const SOLD_OUT: f32 = 0.6;

/// What a product's popularity, rating and stock are worth.
pub(crate) fn product(sold: u64, rating: u64, in_stock: bool) -> f32 {
    let popularity = (1.0 + sold as f32).ln() / (1.0 + POPULAR).ln();
    let rating = if rating == 0 { 0.0 } else { (rating as f32 / 10.0 - 3.0) / 2.0 };
    let stock = if in_stock { 1.0 } else { SOLD_OUT };
    (1.0 + POPULARITY * popularity.min(1.0)) * (1.0 + RATING * rating) * stock
}
