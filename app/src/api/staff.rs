//! The staff of shops.

use haat_shared::{
    id::kinds::InvitationId,
    staff::{InvitationPage, ShopTeam},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The members of a shop, and its pending invitations.
#[server(name = FetchShopTeam, prefix = "/api", endpoint = "staff/of_shop", input = Json)]
pub async fn of_shop(handle: String) -> Result<ShopTeam, ApiError> {
    super::call(async |engine, caller| haat_engine::staff::team(&engine, &caller, &handle).await).await
}

/// An invitation by its link; nothing if the link doesn't work.
#[server(name = FetchInvitation, prefix = "/api", endpoint = "staff/invitation", input = Json)]
pub async fn invitation(id: InvitationId, token: String) -> Result<Option<InvitationPage>, ApiError> {
    super::call(async |engine, caller| haat_engine::staff::invitation(&engine, &caller, id, &token).await)
        .await
}
