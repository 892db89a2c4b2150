//! Checkout: begin, view, update, pay.

use haat_shared::{
    checkout::{CheckoutPage, CheckoutQuote, CheckoutUpdate},
    id::kinds::CheckoutId,
    payments::NextAction,
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// Begins a checkout of the cart.
#[server(prefix = "/api", endpoint = "checkout/begin", input = Json)]
pub async fn begin() -> Result<CheckoutId, ApiError> {
    super::call(async |engine, caller| haat_engine::checkout::begin(&engine, &caller).await).await
}

/// A checkout page.
#[server(prefix = "/api", endpoint = "checkout/view", input = Json)]
pub async fn view(id: CheckoutId) -> Result<CheckoutPage, ApiError> {
    super::call(async |engine, caller| haat_engine::checkout::page(&engine, &caller, id).await).await
}

/// Stores the input. Returns what the checkout costs now.
#[server(prefix = "/api", endpoint = "checkout/update", input = Json)]
pub async fn update(id: CheckoutId, update: CheckoutUpdate) -> Result<CheckoutQuote, ApiError> {
    super::call(async |engine, caller| haat_engine::checkout::update(&engine, &caller, id, update).await)
        .await
}

/// Stores the input and pays, if the quote is still the one that was shown: in the gateway's fields `on_page`, if it
/// has such fields. Repeating it with the same `key` pays once.
#[server(prefix = "/api", endpoint = "checkout/pay", input = Json)]
pub async fn pay(
    id: CheckoutId,
    update: CheckoutUpdate,
    quote_version: i64,
    key: String,
    #[server(default)] on_page: bool,
) -> Result<NextAction, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::checkout::pay_in(&engine, &caller, id, update, quote_version, &key, on_page).await
    })
    .await
}
