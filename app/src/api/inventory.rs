//! Stock.

use haat_shared::id::kinds::VariantId;
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The shelf was counted: so many more, or fewer, are there. `key` makes a repeated try the same one.
#[server(name = AdjustStock, prefix = "/api", endpoint = "inventory/adjust", input = Json)]
pub async fn adjust(variant: VariantId, change: i64, key: String) -> Result<(), ApiError> {
    super::call(async |engine, caller| {
        haat_engine::inventory::adjust(&engine, &caller, variant, change, &key).await
    })
    .await
}
