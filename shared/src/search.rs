//! The search across a shop's orders and products, and across the market's orders, users and shops.

use serde::{Deserialize, Serialize};

use crate::{accounts::UserCard, catalog::edit::SellerProductCard, orders::OrderCard, shops::AdminShopCard};

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

/// The first orders, users and shops of the market that contain some words. Empty where the admin may not see them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketSearch {
    /// Orders, newest first.
    pub orders: Vec<OrderCard>,
    /// Users, newest first.
    pub users: Vec<UserCard>,
    /// Shops, newest first.
    pub shops: Vec<AdminShopCard>,
}
