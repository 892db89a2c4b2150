//! The wishlist: what a shopper or guest wants to keep in mind.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::Attribute,
    id::kinds::{CartId, CartLineId, VariantId, WishId},
    media::Picture,
    money::Money,
    routes,
};

/// The maximum number of items on a wishlist.
pub const WISHES_MAX: i64 = 200;

/// An item of a wishlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Wish {
    /// Its ID.
    pub id: WishId,
    /// The variant.
    pub variant_id: VariantId,
    /// The product's title.
    pub title: String,
    /// The variant's options.
    pub options: Vec<Attribute>,
    /// The variant's title. Empty if it is the only one.
    pub variant_title: String,
    /// The slug of the product. Empty if it is no longer sold.
    pub slug: String,
    /// The name of the shop.
    pub shop_name: String,
    /// The price now.
    pub price: Money,
    /// By how much it is cheaper than when it was saved. Null if it isn't.
    pub cheaper_by: Option<Money>,
    /// Whether it can be bought now.
    pub in_stock: bool,
    /// The product's first image.
    #[serde(rename = "image")]
    pub picture: Option<Picture>,
}

/// A wishlist.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Wishlist {
    /// The items, the latest first.
    pub items: Vec<Wish>,
    /// With which whoever has the link sees it. Null if it is empty.
    pub link: Option<WishlistLink>,
}

/// A change of the caller's wishlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WishChange {
    /// Saves a variant.
    Add(VariantId),
    /// Removes a variant.
    Drop(VariantId),
    /// Removes an item.
    Remove(WishId),
    /// Puts one of an item into the basket, and removes it from the list.
    Move(WishId),
    /// Moves a line of the basket to the list.
    SaveForLater(CartLineId),
}

/// The link to a wishlist: whose, and the key that allows to see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WishlistLink {
    /// The ID of the cart that the list belongs to.
    pub list: CartId,
    /// The key.
    pub key: String,
}

impl WishlistLink {
    /// The page of the wishlist, for whoever has the link.
    pub fn path(&self) -> String {
        routes::with(routes::WISHLIST, &[("list", &self.list.to_string()), ("key", &self.key)])
    }
}
