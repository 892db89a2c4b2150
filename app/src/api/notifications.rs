//! Stored emails, for admins.

use haat_shared::{
    audit::{EmailCard, EmailText, UnsentEmails},
    id::kinds::EmailId,
    page::{Counted, ListRequest},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// Stored emails, newest first.
#[server(name = ListEmails, prefix = "/api", endpoint = "notifications/list", input = Json)]
pub async fn list(of: ListRequest) -> Result<Counted<EmailCard>, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::notifications::mailbox::table(&engine, &caller, &of).await
    })
    .await
}

/// Failed and delayed emails.
#[server(name = ListFailedEmails, prefix = "/api", endpoint = "notifications/failed", input = Json)]
pub async fn unsent() -> Result<UnsentEmails, ApiError> {
    super::call(async |engine, caller| haat_engine::notifications::unsent(&engine, &caller).await).await
}

/// An email as it was sent.
#[server(name = ReadEmail, prefix = "/api", endpoint = "notifications/read", input = Json)]
pub async fn read(id: EmailId) -> Result<EmailText, ApiError> {
    super::call(async |engine, caller| haat_engine::notifications::mailbox::read(&engine, &caller, id).await)
        .await
}
