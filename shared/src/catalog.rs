//! Products and their variants, as shoppers see them. [`edit`] contains the seller's form, [`imports`]
//! product files, [`attributes`] the typed attributes of categories.

use serde::{Deserialize, Serialize};

pub mod attributes;
pub mod edit;
pub mod facets;
pub mod imports;
pub mod synonyms;

use crate::{
    appointments::ServiceFacts,
    id::kinds::{ProductId, VariantId},
    media::Picture,
    money::Money,
    page::Page,
    shops::{ShopCard, ShopView},
};

/// The maximum number of characters of a product's title.
pub const TITLE_MAX: usize = 500;
/// The number of products per page of a list.
pub const PAGE_SIZE: usize = 24;
/// The maximum number of characters of a search.
pub const QUERY_MAX: usize = 100;

/// A product in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductCard {
    /// The product's ID.
    pub id: ProductId,
    /// The slug used in the product's URL: `/p/fountain-pen-8f3k2m`.
    pub slug: String,
    /// The ID of its cheapest variant, whose price is `price`.
    pub variant_id: VariantId,
    /// The product's title.
    pub title: String,
    /// The product's brand. May be empty.
    pub brand: String,
    /// The lowest price of its variants.
    pub price: Money,
    /// The compare-at price of that variant.
    pub compare_at: Option<Money>,
    /// Whether the prices of its variants differ.
    pub price_varies: bool,
    /// Whether any variant is in stock.
    pub in_stock: bool,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// The product's first image.
    #[serde(rename = "image")]
    pub picture: Option<Picture>,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductView {
    /// The product's ID.
    pub id: ProductId,
    /// The slug used in the product's URL.
    pub slug: String,
    /// The product's title.
    pub title: String,
    /// The product's brand. May be empty.
    pub brand: String,
    /// The product's description.
    pub description: String,
    /// The values of the attributes of the product's category, in display order.
    pub typed_attributes: Vec<attributes::TypedAttribute>,
    /// The product's specifications, in display order.
    pub attributes: Vec<Attribute>,
    /// The names of the product's options, such as "Colour" and "Size". Empty for a product without options.
    pub options: Vec<String>,
    /// The product's variants, in display order. Never empty.
    pub variants: Vec<VariantView>,
    /// How long an appointment takes, and where, if the product is a service. Null for goods.
    #[serde(default)]
    pub service: Option<ServiceFacts>,
    /// The product's category and its ancestors, root first. Empty if it has no category.
    pub trail: Vec<CategoryLink>,
    /// Whether the prices include tax. Otherwise it is added at checkout.
    pub tax_included: bool,
    /// The shop that sells the product.
    pub shop: ShopView,
    /// How the product is rated.
    #[serde(default)]
    pub rating: Rating,
    /// The product's images, in display order.
    #[serde(rename = "images")]
    pub pictures: Vec<Picture>,
}

/// How a product is rated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rating {
    /// The average with one decimal: `4.3`. Null without reviews.
    pub average: Option<String>,
    /// The number of reviews.
    pub count: i64,
}

impl Rating {
    /// The rating by this many reviews, whose ratings add up to `sum`.
    pub fn new(sum: i64, count: i64) -> Self {
        let tenths = (count > 0).then(|| (sum * 20 + count) / (count * 2));
        Self { average: tenths.map(|tenths| format!("{}.{}", tenths / 10, tenths % 10)), count }
    }
}

/// A specification of a product, such as "Weight": "3.4 kg".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attribute {
    /// The name of the specification.
    pub name: String,
    /// The value of the specification.
    pub value: String,
}

/// The options of a variant as text: `Colour: Red, Size: M`.
pub fn options_text(options: &[Attribute]) -> String {
    let options: Vec<_> = options.iter().map(|option| format!("{}: {}", option.name, option.value)).collect();
    options.join(", ")
}

/// A variant of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VariantView {
    /// The variant's ID.
    pub id: VariantId,
    /// The variant's title, such as "Blue, fine nib". Empty if it is the only one.
    pub title: String,
    /// The price.
    pub price: Money,
    /// The compare-at price, if it is higher than the price. In a sale, that is the ordinary price.
    pub compare_at: Option<Money>,
    /// The lowest price of the 30 days before the reduction (Directive 98/6/EC, Article 6a). Null without one.
    pub lowest_price: Option<Money>,
    /// When the sale ends that the variant is in: RFC 3339, UTC. Null if it isn't in any.
    pub sale_ends_at: Option<String>,
    /// How many units are left at the price of the event that the sale is part of; none if there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale_left: Option<i64>,
    /// The quantity available for sale; `null` if it is sold without limit.
    pub available: Option<i64>,
}

impl VariantView {
    /// Whether it can be bought.
    pub fn is_available(&self) -> bool {
        self.available.is_none_or(|available| available > 0)
    }
}

/// How many of a variant are available, as an open page is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantStock {
    /// The variant.
    pub id: VariantId,
    /// The quantity available for sale; `null` if it is sold without limit.
    pub available: Option<i64>,
}

/// Which products to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListProducts {
    /// Only products that contain these words; empty for all.
    pub q: String,
    /// Only products of the shop with this handle; empty for all.
    pub shop: String,
    /// Only products in the category with this slug or below it; empty for all.
    pub category: String,
    /// Only products in one of these categories, or below one.
    pub categories: Vec<String>,
    /// Only products of one of these brands.
    pub brands: Vec<String>,
    /// Only products of one of the shops with these handles.
    pub shops: Vec<String>,
    /// Only products with one of these values of each attribute named: `Colour:Red`.
    pub facts: Vec<String>,
    /// Only products with this many stars at least; 0 for all.
    pub rating: u8,
    /// Only products in stock.
    pub in_stock: bool,
    /// Only products at this price at least, in whole units or with decimals; empty for all.
    pub min_price: String,
    /// Only products at this price at most.
    pub max_price: String,
    /// One of [`SORTS`]; empty for the first, or for `relevance` if there is a query.
    pub sort: String,
    /// The `next` cursor of the previous page; empty for the first page.
    pub after: String,
    /// The maximum number of rows; `None` for the default.
    pub limit: Option<usize>,
}

/// The sort orders of product lists.
pub const SORTS: [&str; 5] = ["newest", "price_low", "price_high", "rating", "relevance"];

/// A reference to a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryLink {
    /// The slug used in the category's URL: `/c/tableware`.
    pub slug: String,
    /// The category's name.
    pub name: String,
}

/// A category with its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryCard {
    /// The slug used in the category's URL.
    pub slug: String,
    /// The category's name.
    pub name: String,
    /// The category's image, if any.
    #[serde(rename = "image")]
    pub picture: Option<Picture>,
}

/// A category with its ancestors and subcategories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryView {
    /// The slug used in the category's URL.
    pub slug: String,
    /// The category's name.
    pub name: String,
    /// The category's ancestors, root first.
    pub trail: Vec<CategoryLink>,
    /// The category's direct subcategories.
    pub children: Vec<CategoryLink>,
}

/// The contents of the home page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeView {
    /// The top-level categories.
    pub categories: Vec<CategoryCard>,
    /// Recent best sellers; empty if there are few.
    pub popular: Vec<ProductCard>,
    /// The newest products.
    pub newest: Vec<ProductCard>,
    /// Some of the shops.
    pub shops: Vec<ShopCard>,
}

/// A page of products.
pub type ProductPage = Page<ProductCard>;
