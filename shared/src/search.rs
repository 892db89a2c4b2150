//! The search across a shop's orders and products, and across the market's orders, users and shops.

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

/// The first orders, users and shops of the market that contain some words. Empty where the admin may not see them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketSearch {
    /// Orders, newest first, by number.
    pub orders: Vec<SearchHit>,
    /// Users, newest first, by ID.
    pub users: Vec<SearchHit>,
    /// Shops, newest first, by handle.
    pub shops: Vec<SearchHit>,
}

/// Something found. Only what the palette shows, because every page of the admin area loads the code to read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    /// What identifies it in URLs.
    pub key: String,
    /// Its name.
    pub title: String,
    /// More about it.
    pub note: String,
}
