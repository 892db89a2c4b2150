//! Stock.

use haat_shared::id::kinds::VariantId;
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// Adjusts stock by a counted difference. Repeating it with the same `key` adjusts once.
#[server(name = AdjustStock, prefix = "/api", endpoint = "inventory/adjust", input = Json)]
pub async fn adjust(variant: VariantId, change: i64, key: String) -> Result<(), ApiError> {
    super::call(async |engine, caller| {
        haat_engine::inventory::adjust(&engine, &caller, variant, change, &key).await
    })
    .await
}
