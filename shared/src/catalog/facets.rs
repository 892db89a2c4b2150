//! The results of a search for products: facets, and what they say about the query.

use serde::{Deserialize, Serialize};

use super::{CategoryLink, ListProducts, ProductCard};
use crate::{money::Money, page::Page};

/// A value by which products can be narrowed down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetValue {
    /// The value, as the filter takes it.
    pub value: String,
    /// Its name.
    pub name: String,
    /// The number of products.
    pub count: i64,
}

/// How many products there are of each value of a filter, among those that pass all other filters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductFacets {
    /// By category. Only the top level, and what is directly below chosen categories.
    pub categories: Vec<FacetValue>,
    /// By brand, most frequent first.
    pub brands: Vec<FacetValue>,
    /// By shop, most frequent first.
    pub shops: Vec<FacetValue>,
    /// By attributes that some of the products have, most frequent first.
    pub facts: Vec<FactFacet>,
    /// With at least 4, 3, 2 and 1 stars.
    pub ratings: Vec<FacetValue>,
    /// The number of products in stock.
    pub in_stock: i64,
    /// The lowest and the highest price. Null if no product has one in the currency that is shown.
    pub prices: Option<PriceSpan>,
}

/// How many products have each value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FactFacet {
    /// The name of the attribute.
    pub name: String,
    /// Its values, most frequent first.
    pub values: Vec<FacetValue>,
}

/// The lowest and the highest price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceSpan {
    /// The lowest price.
    pub lowest: Money,
    /// The highest price.
    pub highest: Money,
}

/// Another spelling of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Spelling {
    /// The query, spelt differently.
    pub q: String,
    /// Whether the results are already those of this spelling.
    pub applied: bool,
}

/// Products that were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductResults {
    /// A page of them.
    pub page: Page<ProductCard>,
    /// How they can be narrowed down. None while the search index is being built.
    pub found: Option<Found>,
}

/// What the search index knows of the results.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Found {
    /// The number of products on all pages.
    pub total: i64,
    /// Counts by filters.
    pub facets: ProductFacets,
    /// Whether no product matches all words, so that these match some.
    pub some_words: bool,
    /// Another spelling of the query.
    pub spelling: Option<Spelling>,
}

/// What could be meant by what is being typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Suggestions {
    /// Queries that begin like it.
    pub queries: Vec<String>,
    /// Products.
    pub products: Vec<ProductCard>,
    /// Categories.
    pub categories: Vec<CategoryLink>,
    /// Shops.
    pub shops: Vec<ShopLink>,
}

/// A reference to a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShopLink {
    /// The shop's handle.
    pub handle: String,
    /// The shop's name.
    pub name: String,
}

impl ListProducts {
    /// Whether any filter is set besides those of the page.
    pub fn is_narrowed(&self) -> bool {
        !(self.categories.is_empty()
            && self.brands.is_empty()
            && self.shops.is_empty()
            && self.facts.is_empty())
            || self.rating > 0
            || self.in_stock
            || !self.min_price.is_empty()
            || !self.max_price.is_empty()
    }

    /// The same products without filters.
    pub fn widened(&self) -> Self {
        Self {
            q: self.q.clone(),
            shop: self.shop.clone(),
            category: self.category.clone(),
            sort: self.sort.clone(),
            limit: self.limit,
            ..Self::default()
        }
    }

    /// The filters as parameters of a URL, with the query and the sort order, but without the page.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![("q", self.q.clone())];
        let several =
            [("in", &self.categories), ("brand", &self.brands), ("shop", &self.shops), ("fact", &self.facts)];
        for (name, values) in several {
            all.extend(values.iter().map(|value| (name, value.clone())));
        }
        if self.rating > 0 {
            all.push(("rating", self.rating.to_string()));
        }
        if self.in_stock {
            all.push(("stock", "1".to_owned()));
        }
        all.push(("min", self.min_price.clone()));
        all.push(("max", self.max_price.clone()));
        all.push(("sort", self.sort.clone()));
        all.retain(|(_, value)| !value.is_empty());
        all
    }
}
