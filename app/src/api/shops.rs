//! The shops, as shoppers see them.

use haat_shared::{
    page::Page,
    shops::{ShopCard, ShopView},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// A shop by its handle.
#[server(prefix = "/api", endpoint = "shops/shop", input = Json)]
pub async fn shop(handle: String) -> Result<ShopView, ApiError> {
    super::call(async |engine, caller| haat_engine::shops::shop(&engine, &caller, &handle).await).await
}

/// A page of the directory of shops.
#[server(name = ListShops, prefix = "/api", endpoint = "shops/list", input = Json)]
pub async fn list(after: String) -> Result<Page<ShopCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::shops::list(&engine, &caller, &after).await).await
}
