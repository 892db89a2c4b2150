//! The outbox, for admins.

use haat_shared::{
    audit::OutboxMessageCard,
    page::{Counted, ListRequest},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The outbox, newest first.
#[server(name = ListOutbox, prefix = "/api", endpoint = "outbox/list", input = Json)]
pub async fn list(of: ListRequest) -> Result<Counted<OutboxMessageCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::outbox::table(&engine, &caller, &of).await).await
}
