//! Shops, as shoppers see them.

use serde::{Deserialize, Serialize};

use crate::{id::kinds::ShopId, media::Picture, money::Money};

/// Shops on a page of the directory.
pub const PAGE_SIZE: usize = 24;

/// A shop in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopCard {
    /// Its name in addresses.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// What it says about itself.
    pub description: String,
    /// The town it sends from; may be empty.
    pub town: String,
    /// How many products it has on sale.
    pub products: i64,
    /// Its sign, if it has one.
    pub logo: Option<Picture>,
}

/// A shop's public face.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopView {
    /// Its id.
    pub id: ShopId,
    /// Its name in addresses: `/shops/meena-crafts`.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// What it says about itself.
    pub description: String,
    /// The town it sends from; may be empty.
    pub town: String,
    /// What it asks for bringing an order, whatever is in it.
    pub delivery: Money,
    /// From this much on it asks nothing for that.
    pub free_delivery_from: Option<Money>,
    /// How many days it takes at least and at most until an order is there.
    pub delivery_days: (i64, i64),
    /// For how many days things may come back; 0 for not at all.
    pub returns_days: i64,
    /// How many products it has on sale.
    pub products: i64,
    /// Its sign, if it has one.
    pub logo: Option<Picture>,
}
