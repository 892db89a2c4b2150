//! The search across a shop's orders and products.

use crate::{Caller, Engine, catalog, orders};
use haat_shared::{
    Result,
    catalog::edit::ListSellerProducts,
    orders::ListOrders,
    permissions::Permission,
    search::{SEARCH_MIN, ShopSearch},
};

/// The number of results of each kind.
const SHOWN: usize = 5;

/// The first orders and products that contain these words, found in the same way as in the shop's lists.
/// Fewer than [`SEARCH_MIN`] characters find nothing.
pub async fn of_shop(engine: &Engine, caller: &Caller, handle: &str, q: &str) -> Result<ShopSearch> {
    caller.shop(handle, Permission::SeeOrders)?;
    if q.trim().chars().count() < SEARCH_MIN {
        return Ok(ShopSearch::default());
    }
    let of = ListOrders { q: q.to_owned(), limit: Some(SHOWN), ..ListOrders::default() };
    let orders = orders::seller_list(engine, caller, handle, of).await?.items;
    let products = if caller.shop(handle, Permission::ManageCatalog).is_ok() {
        let of = ListSellerProducts { q: q.to_owned(), limit: Some(SHOWN), ..ListSellerProducts::default() };
        catalog::seller_list(engine, caller, handle, of).await?.items
    } else {
        Vec::new()
    };
    Ok(ShopSearch { orders, products })
}
