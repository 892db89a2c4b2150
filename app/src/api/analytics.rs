//! How a shop, or the market, is doing.

use haat_shared::{
    analytics::{MarketAnalytics, ShopAnalytics},
    sales::AskedPeriod,
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// How a shop did in a period.
#[server(name = FetchShopAnalytics, prefix = "/api", endpoint = "analytics/of_shop", input = Json)]
pub async fn of_shop(handle: String, of: AskedPeriod) -> Result<ShopAnalytics, ApiError> {
    super::call(async |engine, caller| haat_engine::analytics::of_shop(&engine, &caller, &handle, &of).await)
        .await
}

/// How the market did in a period. Admins only.
#[server(name = FetchMarketAnalytics, prefix = "/api", endpoint = "analytics/of_market", input = Json)]
pub async fn of_market(of: AskedPeriod) -> Result<MarketAnalytics, ApiError> {
    super::call(async |engine, caller| haat_engine::analytics::of_market(&engine, &caller, &of).await).await
}
