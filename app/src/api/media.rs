//! Product pictures. Their files are uploaded through a form (`POST /seller/{handle}/media`).

use haat_shared::{
    id::kinds::ProductId,
    media::{NewPicture, Picture},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The pictures of a shop's product, for its members.
#[server(prefix = "/api", endpoint = "media/seller_pictures", input = Json)]
pub async fn seller_pictures(handle: String, product: ProductId) -> Result<Vec<Picture>, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::media::seller_pictures(&engine, &caller, &handle, product).await
    })
    .await
}

/// Sets the pictures of a product, in this order.
#[server(prefix = "/api", endpoint = "media/set_pictures", input = Json)]
pub async fn set_pictures(
    handle: String,
    product: ProductId,
    pictures: Vec<NewPicture>,
) -> Result<(), ApiError> {
    super::call(async |engine, caller| {
        haat_engine::media::set_pictures(&engine, &caller, &handle, product, pictures).await
    })
    .await
}
