//! The wishlist of a cart's holder: an account, or a guest with the cart's token.

use haat_engine::wishlist;
use haat_shared::{
    Result,
    id::kinds::{CartId, VariantId, WishId},
    routes::*,
    wishlist::{WishChange, Wishlist},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body},
    reply::Found,
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_WISHLIST, "Retrieves the wishlist that belongs to a cart. When a guest signs in, theirs is joined with that of the account.", view)
        .on(API_ADD_WISH, "Saves a variant to the wishlist, with its current price. Saving it again changes nothing. A list has at most 200 items.", add)
        .on(API_REMOVE_WISH, "Removes an item from the wishlist.", remove)
        .on(API_MOVE_WISH, "Moves an item of the wishlist to the cart.", to_cart)
}

/// What to save.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VariantToSave {
    /// The variant.
    variant_id: VariantId,
}

async fn view(context: RequestContext, At(cart): At<CartId>) -> Result<Found<Wishlist>> {
    wishlist::by_cart(context.engine(), &context.caller, cart).await.map(Found)
}

async fn add(
    context: RequestContext,
    (At(cart), Body(new)): (At<CartId>, Body<VariantToSave>),
) -> Result<Found<Wishlist>> {
    change(&context, cart, WishChange::Add(new.variant_id)).await?;
    view(context, At(cart)).await
}

async fn remove(context: RequestContext, At((cart, item)): At<(CartId, WishId)>) -> Result<()> {
    change(&context, cart, WishChange::Remove(item)).await
}

async fn to_cart(context: RequestContext, At((cart, item)): At<(CartId, WishId)>) -> Result<()> {
    change(&context, cart, WishChange::Move(item)).await
}

async fn change(context: &RequestContext, cart: CartId, change: WishChange) -> Result<()> {
    wishlist::change_by_cart(context.engine(), &context.caller, cart, change).await
}
