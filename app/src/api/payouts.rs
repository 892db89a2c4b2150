//! Payouts and payout methods.

use haat_shared::{
    id::kinds::PayoutId,
    page::ListRequest,
    payouts::{AdminPayouts, PayoutDetails, ShopPayouts},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// A shop's payouts, and what it needs to request one.
#[server(name = FetchShopPayouts, prefix = "/api", endpoint = "payouts/shop_page", input = Json)]
pub async fn shop_page(handle: String, after: String) -> Result<ShopPayouts, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::payouts::shop_page(&engine, &caller, &handle, &after).await
    })
    .await
}

/// The payouts of all shops.
#[server(name = FetchPayouts, prefix = "/api", endpoint = "payouts/admin_page", input = Json)]
pub async fn admin_page(of: ListRequest) -> Result<AdminPayouts, ApiError> {
    super::call(async |engine, caller| haat_engine::payouts::admin_page(&engine, &caller, &of).await).await
}

/// A payout of any shop.
#[server(name = FetchPayout, prefix = "/api", endpoint = "payouts/any", input = Json)]
pub async fn any(id: PayoutId) -> Result<PayoutDetails, ApiError> {
    super::call(async |engine, caller| haat_engine::payouts::any(&engine, &caller, id).await).await
}
