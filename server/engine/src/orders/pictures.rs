//! Pictures of returns: private to those who may see the purchase, the shop's order, or all orders.

use haat_shared::{
    Error, Result,
    id::kinds::MediaId,
    media::Picture,
    orders::OrderState,
    permissions::{AdminPermission, Permission},
};

use super::{STATE, may_see, of_purchase};
use crate::{Caller, Engine, db::Scalar, media, params};

/// Adds a picture of what is wrong with a part of an order, for those who may see its purchase. It is deleted after a while
/// unless a return shows it.
pub async fn add_picture(
    engine: &Engine,
    caller: &Caller,
    (purchase, key): (&str, &str),
    number: &str,
    bytes: Vec<u8>,
) -> Result<Picture> {
    let order = of_purchase(engine, caller, purchase, key, number).await?;
    media::add_to_order(engine, order, bytes).await
}

/// Whose the pictures of an order are, for those who may see its purchase.
pub async fn picture_owner(
    engine: &Engine,
    caller: &Caller,
    (purchase, key): (&str, &str),
    number: &str,
) -> Result<media::Owner> {
    of_purchase(engine, caller, purchase, key, number).await.map(media::Owner::Order)
}

/// Succeeds if the caller may see this picture of a return of a purchase.
pub async fn may_see_picture(
    engine: &Engine,
    caller: &Caller,
    (purchase, key): (&str, &str),
    picture: MediaId,
) -> Result<()> {
    may_see(engine, caller, purchase, key).await?;
    media::is_in_return(engine, picture, purchase, "").await
}

/// Succeeds if the caller may see this picture of a return of an order: as a member of its shop.
pub async fn shop_may_see_picture(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    picture: MediaId,
) -> Result<()> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    let order: Option<Scalar<OrderState>> = engine.db.opt(&STATE, params![number, shop]).await?;
    order.ok_or(Error::NotFound)?;
    media::is_in_return(engine, picture, "", number).await
}

/// Succeeds if the caller may see this picture of a return of an order: as an operator.
pub async fn operator_may_see_picture(
    engine: &Engine,
    caller: &Caller,
    number: &str,
    picture: MediaId,
) -> Result<()> {
    caller.admin(AdminPermission::SeeOrders)?;
    media::is_in_return(engine, picture, "", number).await
}
