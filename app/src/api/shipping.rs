//! How a shop ships.

use haat_shared::{
    id::kinds::ZoneId,
    shipping::{BasketForm, ShippingPreview, ShippingSettings, ZoneForm},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The zones and working days of a shop.
#[server(name = FetchShipping, prefix = "/api", endpoint = "shipping/settings", input = Json)]
pub async fn settings(handle: String) -> Result<ShippingSettings, ApiError> {
    super::call(async |engine, caller| haat_engine::shipping::settings(&engine, &caller, &handle).await).await
}

/// What shipping of a basket would cost, with the zone that is being edited. None while that or the basket is not complete.
#[server(name = PreviewShipping, prefix = "/api", endpoint = "shipping/preview", input = Json)]
pub async fn preview(
    handle: String,
    basket: BasketForm,
    #[server(default)] edited: Option<(Option<ZoneId>, ZoneForm)>,
) -> Result<Option<ShippingPreview>, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::shipping::preview_while_typing(&engine, &caller, &handle, &basket, edited).await
    })
    .await
}
