//! Cards that customers saved at a payment gateway.

use haat_shared::cards::SavedCard;
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// Whether cards can be saved in this market.
#[server(name = SavesCards, prefix = "/api", endpoint = "cards/enabled", input = Json)]
pub async fn enabled() -> Result<bool, ApiError> {
    super::call(async |engine, caller| Ok(haat_engine::cards::enabled(&engine, &caller))).await
}

/// The saved cards of the signed-in user.
#[server(name = ListCards, prefix = "/api", endpoint = "cards/list", input = Json)]
pub async fn list() -> Result<Vec<SavedCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::cards::list(&engine, &caller).await).await
}

/// The secret with which the gateway's script offers the saved cards on the checkout page (`public/card.js`). None for guests.
#[server(name = OfferCards, prefix = "/api", endpoint = "cards/offer", input = Json)]
pub async fn offer() -> Result<Option<String>, ApiError> {
    super::call(async |engine, caller| haat_engine::cards::offer(&engine, &caller).await).await
}
