//! Promotions of shops and of the market.

use haat_shared::{
    id::kinds::PromotionId,
    promotions::{PromotionCard, Promotions},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// A shop's promotions, and one of them if it is being edited.
#[server(name = FetchPromotions, prefix = "/api", endpoint = "promotions/of_shop", input = Json)]
pub async fn of_shop(
    handle: String,
    after: String,
    id: Option<PromotionId>,
) -> Result<(Promotions, Option<PromotionCard>), ApiError> {
    super::call(async |engine, caller| {
        haat_engine::promotions::page(&engine, &caller, &handle, &after, id).await
    })
    .await
}

/// The market's promotions, and one of them if it is being edited.
#[server(name = FetchMarketPromotions, prefix = "/api", endpoint = "promotions/of_market", input = Json)]
pub async fn of_market(
    after: String,
    id: Option<PromotionId>,
) -> Result<(Promotions, Option<PromotionCard>), ApiError> {
    super::call(async |engine, caller| {
        haat_engine::promotions::page_of_market(&engine, &caller, &after, id).await
    })
    .await
}
