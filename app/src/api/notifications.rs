//! The delivery log of notifications, for admins.

use haat_shared::{
    audit::{Delivery, DeliveryCard},
    id::kinds::NotificationId,
    page::{Counted, ListRequest},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// Who was notified of what, the latest first.
#[server(name = ListDeliveries, prefix = "/api", endpoint = "notifications/list", input = Json)]
pub async fn list(of: ListRequest) -> Result<Counted<DeliveryCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::notifications::log::table(&engine, &caller, &of).await)
        .await
}

/// A notification, with what happened to it.
#[server(name = ReadDelivery, prefix = "/api", endpoint = "notifications/read", input = Json)]
pub async fn read(id: NotificationId) -> Result<Delivery, ApiError> {
    super::call(async |engine, caller| haat_engine::notifications::log::read(&engine, &caller, id).await)
        .await
}
