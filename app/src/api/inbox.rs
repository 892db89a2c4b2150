//! The user's notifications on the page of them, and through which channels they get them.

use haat_shared::notifications::{NotificationPreference, Notifications, PushBrowser, PushSubscription};
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

/// What a browser needs to subscribe, and whether the one with this address gets the user's notifications.
#[server(name = FetchPushBrowser, prefix = "/api", endpoint = "inbox/browser", input = Json)]
pub async fn browser(endpoint: String) -> Result<PushBrowser, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::notifications::push::browser(&engine, &caller, &endpoint).await
    })
    .await
}

/// Subscribes a browser until the user signs out there.
#[server(name = SubscribeBrowser, prefix = "/api", endpoint = "inbox/subscribe", input = Json)]
pub async fn subscribe(subscription: PushSubscription) -> Result<(), ApiError> {
    let session = super::session();
    super::call(async |engine, caller| {
        haat_engine::notifications::push::subscribe(&engine, &caller, &session, &subscription).await
    })
    .await
}

/// Ends the subscription of a browser.
#[server(name = UnsubscribeBrowser, prefix = "/api", endpoint = "inbox/unsubscribe", input = Json)]
pub async fn unsubscribe(endpoint: String) -> Result<(), ApiError> {
    super::call(async |engine, caller| {
        haat_engine::notifications::push::unsubscribe(&engine, &caller, &endpoint).await
    })
    .await
}
