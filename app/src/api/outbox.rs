//! The outbox, for admins.

use haat_shared::{audit::OutboxMessageCard, page::Page};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The outbox; with `waiting`, only messages that have not been dispatched.
#[server(name = ListOutbox, prefix = "/api", endpoint = "outbox/list", input = Json)]
pub async fn list(waiting: bool, after: String) -> Result<Page<OutboxMessageCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::outbox::list(&engine, &caller, waiting, &after).await)
        .await
}
