//! The search of the seller dashboard.

use haat_shared::search::ShopSearch;
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The first orders and products of a shop that contain these words.
#[server(name = SearchShop, prefix = "/api", endpoint = "search/of_shop", input = Json)]
pub async fn of_shop(handle: String, q: String) -> Result<ShopSearch, ApiError> {
    super::call(async |engine, caller| haat_engine::search::of_shop(&engine, &caller, &handle, &q).await)
        .await
}
