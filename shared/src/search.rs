//! The search across a shop's orders and products.

use serde::{Deserialize, Serialize};

use crate::{catalog::edit::SellerProductCard, orders::OrderCard};

/// The minimum number of characters to search for.
pub const SEARCH_MIN: usize = 2;

/// The first orders and products of a shop that contain some words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopSearch {
    /// Orders, newest first.
    pub orders: Vec<OrderCard>,
    /// Products, newest first. Empty for members who may not see them.
    pub products: Vec<SellerProductCard>,
}
