//! The notifications of an account.

use haat_engine::notifications::inbox;
use haat_shared::{
    Result,
    id::kinds::NotificationId,
    notifications::{Notification, NotificationPreference},
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, Paging, Query, page},
    reply::{Found, Listed},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_NOTIFICATIONS, "Lists your notifications, newest first.", list)
        .on(API_READ_NOTIFICATION, "Marks one of your notifications as read.", read)
        .on(API_READ_NOTIFICATIONS, "Marks all your notifications as read.", read_all)
        .on(API_NOTIFICATION_PREFERENCES, "Retrieves through which channels you get notifications.", preferences)
        .on(
            API_CHOOSE_NOTIFICATIONS,
            "Chooses through which channels you get notifications. Topics that are left out stay as they are. Order confirmations and changes of payout methods are emailed anyway.",
            choose,
        )
}

/// Through which channels you get notifications.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NotificationPreferences {
    /// An entry for each topic.
    items: Vec<NotificationPreference>,
}

async fn list(context: RequestContext, Query(of): Query<Paging>) -> Result<Listed<Notification>> {
    let page = page(&of.after, of.limit);
    inbox::list(context.engine(), &context.caller, page).await.map(|found| Listed(found.page))
}

async fn read(context: RequestContext, At(id): At<NotificationId>) -> Result<()> {
    inbox::open(context.engine(), &context.caller, id).await.map(drop)
}

async fn read_all(context: RequestContext, (): ()) -> Result<()> {
    inbox::read_all(context.engine(), &context.caller).await
}

async fn preferences(context: RequestContext, (): ()) -> Result<Found<NotificationPreferences>> {
    let items = inbox::preferences(context.engine(), &context.caller).await?;
    Ok(Found(NotificationPreferences { items }))
}

async fn choose(
    context: RequestContext,
    Body(new): Body<NotificationPreferences>,
) -> Result<Found<NotificationPreferences>> {
    inbox::choose(context.engine(), &context.caller, &new.items).await?;
    preferences(context, ()).await
}
