//! Shops, as shoppers see them.

use serde::{Deserialize, Serialize};

use crate::{id::kinds::ShopId, money::Money};

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
    /// What it asks for bringing an order, whatever is in it.
    pub delivery: Money,
    /// How many products it has on sale.
    pub products: i64,
}
