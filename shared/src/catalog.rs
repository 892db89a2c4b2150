//! Products and their variants, as shoppers see them; what sellers type is in [`edit`], what they send
//! in files in [`imports`].

use serde::{Deserialize, Serialize};

pub mod edit;
pub mod imports;

use crate::{
    id::kinds::{ProductId, VariantId},
    media::Picture,
    money::Money,
    page::Page,
    shops::{ShopCard, ShopView},
};

/// Most characters of a product's title.
pub const TITLE_MAX: usize = 500;
/// Products on a page of a list.
pub const PAGE_SIZE: usize = 24;
/// Most characters of a search.
pub const QUERY_MAX: usize = 100;

/// A product in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductCard {
    /// Its id.
    pub id: ProductId,
    /// Its name in addresses: `/p/fountain-pen-8f3k2m`.
    pub slug: String,
    /// Its cheapest variant: what costs `price`.
    pub variant: VariantId,
    /// Its title.
    pub title: String,
    /// Who made it; may be empty.
    pub brand: String,
    /// The lowest price of its variants.
    pub price: Money,
    /// What that was before it was lowered.
    pub compare_at: Option<Money>,
    /// Whether its variants differ in price.
    pub price_varies: bool,
    /// Whether any variant can be had now.
    pub in_stock: bool,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// Its first picture.
    pub picture: Option<Picture>,
}

/// A product on its page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductView {
    /// Its id.
    pub id: ProductId,
    /// Its name in addresses.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Who made it; may be empty.
    pub brand: String,
    /// What it is.
    pub description: String,
    /// Its details, in the order they are shown in.
    pub attributes: Vec<Attribute>,
    /// The names of its options: "Colour", "Size"; empty where its variants differ in nothing that has a name.
    pub options: Vec<String>,
    /// What can be put into a basket, in the order it is shown in; never empty.
    pub variants: Vec<VariantView>,
    /// Where it lies in the market's tree, from the root down; empty where it lies nowhere.
    pub trail: Vec<CategoryLink>,
    /// Who sells it.
    pub shop: ShopView,
    /// Its pictures, in the order they are shown in.
    pub pictures: Vec<Picture>,
}

/// A detail of a product: "Weight", "3.4 kg".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attribute {
    /// What it tells.
    pub name: String,
    /// How much or which.
    pub value: String,
}

/// What can be put into a basket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VariantView {
    /// Its id.
    pub id: VariantId,
    /// What tells it from its siblings: "Blue, fine nib"; empty for an only child.
    pub title: String,
    /// What one costs.
    pub price: Money,
    /// What one cost before, where that was more.
    pub compare_at: Option<Money>,
    /// How many can be had now.
    pub available: i64,
}

/// Which products to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListProducts {
    /// Only what these words are in; empty for all.
    pub q: String,
    /// Only of the shop with this handle; empty for all.
    pub shop: String,
    /// Only in or below the category with this slug; empty for all.
    pub category: String,
    /// One of [`SORTS`]; empty for the first of them.
    pub sort: String,
    /// The `next` of the page before; empty for the first.
    pub after: String,
    /// How many rows at most; none for as many as is usual.
    pub limit: Option<usize>,
}

/// The orders that lists of products can be shown in.
pub const SORTS: [&str; 3] = ["newest", "price_low", "price_high"];

/// A category by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryLink {
    /// Its name in addresses: `/c/tableware`.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// A category with its picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryCard {
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its picture, if it has one.
    pub picture: Option<Picture>,
}

/// A category on its page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryView {
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The way to it from the root, without itself.
    pub trail: Vec<CategoryLink>,
    /// What lies right below it.
    pub children: Vec<CategoryLink>,
}

/// What the first page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeView {
    /// The categories that lie in no other.
    pub categories: Vec<CategoryCard>,
    /// What sold best lately; empty where little has.
    pub popular: Vec<ProductCard>,
    /// What came last.
    pub newest: Vec<ProductCard>,
    /// Some of the shops.
    pub shops: Vec<ShopCard>,
}

/// A page of products.
pub type ProductPage = Page<ProductCard>;
