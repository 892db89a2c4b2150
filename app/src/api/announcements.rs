//! Announcements of the market.

use haat_shared::{announcements::Announcements, id::kinds::AnnouncementId};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The announcements, and one of them if it is shown.
#[server(name = FetchAnnouncements, prefix = "/api", endpoint = "announcements/list", input = Json)]
pub async fn list(after: String, id: Option<AnnouncementId>) -> Result<Announcements, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::notifications::announcements::page(&engine, &caller, &after, id).await
    })
    .await
}
