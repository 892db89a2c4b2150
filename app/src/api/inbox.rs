//! The user's notifications on the page of them, and through which channels they get them.

use haat_shared::notifications::{NotificationPreference, Notifications};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// A page of them, the latest first.
#[server(name = FetchNotifications, prefix = "/api", endpoint = "inbox/list", input = Json)]
pub async fn list(after: String) -> Result<Notifications, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::notifications::inbox::list(&engine, &caller, &after).await
    })
    .await
}

/// Through which channels the user gets them.
#[server(name = FetchNotificationPreferences, prefix = "/api", endpoint = "inbox/preferences", input = Json)]
pub async fn preferences() -> Result<Vec<NotificationPreference>, ApiError> {
    super::call(async |engine, caller| haat_engine::notifications::inbox::preferences(&engine, &caller).await)
        .await
}
