//! The sales of the whole market.

use haat_shared::sales::MarketHome;
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The market's figures of the last 30 days, and its latest orders. Admins only.
#[server(name = FetchMarket, prefix = "/api", endpoint = "sales/of_market", input = Json)]
pub async fn of_market() -> Result<MarketHome, ApiError> {
    super::call(async |engine, caller| haat_engine::sales::of_market(&engine, &caller).await).await
}
