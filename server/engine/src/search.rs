//! The search across a shop's orders and products, and across the market's orders, users and shops.

use crate::{Caller, Engine, accounts, catalog, orders, shops};
use haat_shared::{
    Result,
    catalog::edit::ListSellerProducts,
    orders::ListOrders,
    page::PageRequest,
    permissions::{AdminPermission, Permission},
    search::{MarketSearch, SEARCH_MIN, SearchHit, ShopSearch},
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

/// The first orders, users and shops that contain these words, found in the same way as in the lists of the admin area,
/// as far as the caller may see them. Fewer than [`SEARCH_MIN`] characters find nothing. Operators only.
pub async fn of_market(engine: &Engine, caller: &Caller, q: &str) -> Result<MarketSearch> {
    caller.admin(AdminPermission::SeeHome)?;
    let mut found = MarketSearch::default();
    if q.trim().chars().count() < SEARCH_MIN {
        return Ok(found);
    }
    let may = |permission| caller.admin(permission).is_ok();
    let first = PageRequest { after: "", limit: Some(SHOWN) };
    if may(AdminPermission::SeeOrders) {
        let of = ListOrders { q: q.to_owned(), limit: Some(SHOWN), ..ListOrders::default() };
        let orders = orders::list_all(engine, caller, of).await?.items.into_iter();
        found.orders = orders
            .map(|order| SearchHit {
                key: order.number.clone(),
                title: order.number,
                note: format!("{} · {}", order.name, order.shop_name),
            })
            .collect();
    }
    if may(AdminPermission::SeeUsers) {
        let users = accounts::list(engine, caller, q, first).await?.items.into_iter();
        found.users = users
            .map(|user| SearchHit { key: user.id.to_string(), title: user.name, note: user.email })
            .collect();
    }
    if may(AdminPermission::SeeShops) {
        let shops = shops::list_all(engine, caller, q, first).await?.items.into_iter();
        found.shops = shops
            .map(|shop| SearchHit { key: shop.handle.clone(), title: shop.name, note: shop.handle })
            .collect();
    }
    Ok(found)
}
