//! The admin home page and the audit log.

use haat_shared::{
    audit::{AdminHome, AuditEntry},
    page::{Counted, ListRequest},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// What needs attention.
#[server(name = FetchAdmin, prefix = "/api", endpoint = "audit/home", input = Json)]
pub async fn home() -> Result<AdminHome, ApiError> {
    super::call(async |engine, caller| haat_engine::audit::home(&engine, &caller).await).await
}

/// Privileged actions, newest first.
#[server(name = ListAudit, prefix = "/api", endpoint = "audit/list", input = Json)]
pub async fn list(of: ListRequest) -> Result<Counted<AuditEntry>, ApiError> {
    super::call(async |engine, caller| haat_engine::audit::table(&engine, &caller, &of).await).await
}
