//! What was bought.

use haat_shared::{
    orders::{PurchaseCard, PurchaseView, ShopOrderView},
    page::Page,
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// A purchase. `key` is the signature in the link that a guest was given; empty for the account that bought it.
#[server(prefix = "/api", endpoint = "orders/purchase", input = Json)]
pub async fn purchase(number: String, key: String) -> Result<PurchaseView, ApiError> {
    super::call(async |engine, caller| haat_engine::orders::purchase(&engine, &caller, &number, &key).await)
        .await
}

/// What the account bought, newest first.
#[server(prefix = "/api", endpoint = "orders/history", input = Json)]
pub async fn history(after: String) -> Result<Page<PurchaseCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::orders::history(&engine, &caller, &after).await).await
}

/// What was bought from a shop, newest first.
#[server(prefix = "/api", endpoint = "orders/of_shop", input = Json)]
pub async fn of_shop(handle: String, after: String) -> Result<Page<ShopOrderView>, ApiError> {
    super::call(async |engine, caller| haat_engine::orders::of_shop(&engine, &caller, &handle, &after).await)
        .await
}
