//! Checkout: begin, view, save, pay.

use haat_shared::{
    checkout::{CheckoutForm, CheckoutView},
    id::kinds::CheckoutId,
    payments::NextAction,
    pricing::Totals,
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// Begins a checkout of the cart.
#[server(prefix = "/api", endpoint = "checkout/begin", input = Json)]
pub async fn begin() -> Result<CheckoutId, ApiError> {
    super::call(async |engine, caller| haat_engine::checkout::begin(&engine, &caller).await).await
}

/// A checkout, with its input so far.
#[server(prefix = "/api", endpoint = "checkout/view", input = Json)]
pub async fn view(id: CheckoutId) -> Result<CheckoutView, ApiError> {
    super::call(async |engine, caller| haat_engine::checkout::view(&engine, &caller, id).await).await
}

/// Stores the input. Returns the current totals.
#[server(prefix = "/api", endpoint = "checkout/save", input = Json)]
pub async fn save(id: CheckoutId, form: CheckoutForm) -> Result<Totals, ApiError> {
    super::call(async |engine, caller| haat_engine::checkout::save(&engine, &caller, id, form).await).await
}

/// Stores the input and pays. Repeating it with the same `key` pays once.
#[server(prefix = "/api", endpoint = "checkout/pay", input = Json)]
pub async fn pay(id: CheckoutId, form: CheckoutForm, key: String) -> Result<NextAction, ApiError> {
    super::call(async |engine, caller| haat_engine::checkout::pay(&engine, &caller, id, form, &key).await)
        .await
}
