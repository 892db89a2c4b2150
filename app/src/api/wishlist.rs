//! The wishlist.

use haat_shared::wishlist::{WishChange, Wishlist, WishlistLink};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The caller's wishlist, or that of a link.
#[server(name = FetchWishlist, prefix = "/api", endpoint = "wishlist/view", input = Json)]
pub async fn view(link: Option<WishlistLink>) -> Result<Wishlist, ApiError> {
    super::call(async |engine, caller| haat_engine::wishlist::view(&engine, &caller, link.as_ref()).await)
        .await
}

/// Changes the caller's wishlist.
#[server(name = ChangeWishlist, prefix = "/api", endpoint = "wishlist/change", input = Json)]
pub async fn change(change: WishChange) -> Result<(), ApiError> {
    let token =
        super::call(async |engine, caller| haat_engine::wishlist::change(&engine, &caller, change).await)
            .await?;
    super::keep_cart(token);
    Ok(())
}
