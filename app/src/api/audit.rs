//! What those who run the market did.

use haat_shared::{audit::AuditEntry, page::Page};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// Privileged actions, newest first.
#[server(name = ListAudit, prefix = "/api", endpoint = "audit/list", input = Json)]
pub async fn list(after: String) -> Result<Page<AuditEntry>, ApiError> {
    super::call(async |engine, caller| haat_engine::audit::list(&engine, &caller, &after).await).await
}
