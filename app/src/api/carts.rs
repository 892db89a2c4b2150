//! The cart.

use haat_shared::{
    carts::{AddLine, CartView, SetQuantity},
    id::kinds::CartLineId,
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The caller's cart.
#[server(prefix = "/api", endpoint = "carts/view", input = Json)]
pub async fn view() -> Result<CartView, ApiError> {
    super::call(async |engine, caller| haat_engine::carts::view(&engine, &caller).await).await
}

/// The number of items in the caller's cart that can still be bought.
#[server(name = CountItems, prefix = "/api", endpoint = "carts/item_count", input = Json)]
pub async fn item_count() -> Result<i64, ApiError> {
    super::call(async |engine, caller| haat_engine::carts::item_count(&engine, &caller).await).await
}

/// Adds to the cart.
#[server(name = PutLine, prefix = "/api", endpoint = "carts/add_line", input = Json)]
pub async fn add_line(line: AddLine) -> Result<CartView, ApiError> {
    let changed =
        super::call(async |engine, caller| haat_engine::carts::add_line(&engine, &caller, line).await)
            .await?;
    super::keep_cart(changed.token);
    Ok(changed.view)
}

/// Changes the quantity of a line.
#[server(name = ChangeQuantity, prefix = "/api", endpoint = "carts/set_quantity", input = Json)]
pub async fn set_quantities(changes: Vec<SetQuantity>) -> Result<CartView, ApiError> {
    super::call(async |engine, caller| haat_engine::carts::set_quantities(&engine, &caller, changes).await)
        .await
}

/// Removes a line from the cart.
#[server(prefix = "/api", endpoint = "carts/remove_line", input = Json)]
pub async fn remove_line(line: CartLineId) -> Result<CartView, ApiError> {
    super::call(async |engine, caller| haat_engine::carts::remove_line(&engine, &caller, line).await).await
}
