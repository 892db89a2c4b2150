//! The searches of the seller dashboard and the admin area.

use haat_shared::search::{MarketSearch, ShopSearch};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The first orders and products of a shop that contain these words.
#[server(name = SearchShop, prefix = "/api", endpoint = "search/of_shop", input = Json)]
pub async fn of_shop(handle: String, q: String) -> Result<ShopSearch, ApiError> {
    super::call(async |engine, caller| haat_engine::search::of_shop(&engine, &caller, &handle, &q).await)
        .await
}

/// The first orders, users and shops that contain these words. Admins only.
#[server(name = SearchMarket, prefix = "/api", endpoint = "search/of_market", input = Json)]
pub async fn of_market(q: String) -> Result<MarketSearch, ApiError> {
    super::call(async |engine, caller| haat_engine::search::of_market(&engine, &caller, &q).await).await
}
