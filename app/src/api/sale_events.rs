//! Timed events of shops.

use haat_shared::{
    id::kinds::{ProductId, SaleEventId},
    sale_events::{EventCard, EventView, ShopEvent},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The events that are on or will be.
#[server(name = ListEvents, prefix = "/api", endpoint = "sale_events/list", input = Json)]
pub async fn list() -> Result<Vec<EventCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::sale_events::list(&engine, &caller).await).await
}

/// An event with its products.
#[server(name = FetchEvent, prefix = "/api", endpoint = "sale_events/view", input = Json)]
pub async fn view(id: SaleEventId) -> Result<EventView, ApiError> {
    super::call(async |engine, caller| haat_engine::sale_events::view(&engine, &caller, id).await).await
}

/// The events of a shop.
#[server(name = ListShopEvents, prefix = "/api", endpoint = "sale_events/of_shop", input = Json)]
pub async fn of_shop(handle: String) -> Result<Vec<EventCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::sale_events::of_shop(&engine, &caller, &handle).await)
        .await
}

/// An event as its shop edits it, and the product that is about to be put into it.
#[server(name = EditShopEvent, prefix = "/api", endpoint = "sale_events/edit", input = Json)]
pub async fn edit(handle: String, id: SaleEventId, adding: Option<ProductId>) -> Result<ShopEvent, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::sale_events::edit(&engine, &caller, &handle, id, adding).await
    })
    .await
}
