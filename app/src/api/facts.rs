//! The outbox, for those who run the market.

use haat_shared::{audit::FactCard, page::Page};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// What happened; with `waiting`, only what has not been told.
#[server(name = ListFacts, prefix = "/api", endpoint = "facts/list", input = Json)]
pub async fn list(waiting: bool, after: String) -> Result<Page<FactCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::facts::list(&engine, &caller, waiting, &after).await)
        .await
}
