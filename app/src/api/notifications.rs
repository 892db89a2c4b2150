//! Stored emails, for admins.

use haat_shared::{
    audit::{MailCard, MailText, UnsentMails},
    id::kinds::MailId,
    page::{Counted, ListRequest},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// Stored emails, newest first.
#[server(name = ListMails, prefix = "/api", endpoint = "notifications/list", input = Json)]
pub async fn list(of: ListRequest) -> Result<Counted<MailCard>, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::notifications::mailbox::table(&engine, &caller, &of).await
    })
    .await
}

/// Failed and delayed emails.
#[server(name = ListFailedMails, prefix = "/api", endpoint = "notifications/failed", input = Json)]
pub async fn unsent() -> Result<UnsentMails, ApiError> {
    super::call(async |engine, caller| haat_engine::notifications::unsent(&engine, &caller).await).await
}

/// An email as it was sent.
#[server(name = ReadMail, prefix = "/api", endpoint = "notifications/read", input = Json)]
pub async fn read(id: MailId) -> Result<MailText, ApiError> {
    super::call(async |engine, caller| haat_engine::notifications::mailbox::read(&engine, &caller, id).await)
        .await
}
