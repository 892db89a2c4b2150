//! Checkout: begin, view, update, pay.

use haat_shared::{
    checkout::{CheckoutQuote, CheckoutUpdate, CheckoutView},
    id::kinds::CheckoutId,
    payments::NextAction,
};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::ApiError;

/// Begins a checkout of the cart.
#[server(prefix = "/api", endpoint = "checkout/begin", input = Json)]
pub async fn begin() -> Result<CheckoutId, ApiError> {
    super::call(async |engine, caller| haat_engine::checkout::begin(&engine, &caller).await).await
}

/// What the page of a checkout shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckoutPage {
    /// The checkout, with its input so far.
    pub checkout: CheckoutView,
    /// When its holds end.
    pub held_until: String,
    /// Whether it goes to the address of the customer's last purchase.
    pub known_address: bool,
}

/// A checkout page.
#[server(prefix = "/api", endpoint = "checkout/view", input = Json)]
pub async fn view(id: CheckoutId) -> Result<CheckoutPage, ApiError> {
    use haat_engine::checkout;

    super::call(async |engine, caller| {
        let view = checkout::view(&engine, &caller, id).await?;
        let held_until = checkout::held_until(&engine, &caller, view.seconds_left);
        let last = checkout::last_address(&engine, &caller).await?;
        let known_address = last.is_some_and(|last| last == view.form.address());
        Ok(CheckoutPage { checkout: view, held_until, known_address })
    })
    .await
}

/// Stores the input. Returns what the checkout costs now.
#[server(prefix = "/api", endpoint = "checkout/update", input = Json)]
pub async fn update(id: CheckoutId, update: CheckoutUpdate) -> Result<CheckoutQuote, ApiError> {
    super::call(async |engine, caller| haat_engine::checkout::update(&engine, &caller, id, update).await)
        .await
}

/// Stores the input and pays, if the quote is still the one that was shown. Repeating it with the same `key`
/// pays once.
#[server(prefix = "/api", endpoint = "checkout/pay", input = Json)]
pub async fn pay(
    id: CheckoutId,
    update: CheckoutUpdate,
    quote_version: i64,
    key: String,
) -> Result<NextAction, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::checkout::pay(&engine, &caller, id, update, quote_version, &key).await
    })
    .await
}
