//! The staff of shops: members and invitations. Whatever changes it needs an access token: no key can make an owner.

use haat_engine::staff;
use haat_shared::{
    Error, Result,
    id::kinds::{InvitationId, UserId},
    permissions::Role,
    routes::*,
    staff::{Invitation, InvitationForm, ShopMember},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body},
    reply::{Found, Made},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_MEMBERS, "Lists the staff of a shop: owners first, then by name.", members)
        .on(API_CHANGE_MEMBER, "Changes the role of a member. The last owner keeps theirs.", change)
        .on(API_REMOVE_MEMBER, "Removes a member from the staff of a shop. The last owner stays.", remove)
        .on(API_LEAVE_SHOP, "Removes you from the staff of a shop. The last owner stays.", leave)
        .on(API_INVITATIONS, "Lists the pending invitations of a shop, by email address.", invitations)
        .on(
            API_INVITE,
            "Invites someone by email. A pending invitation to the same address is sent again, with this role.",
            invite,
        )
        .on(API_RESEND_INVITATION, "Sends a pending invitation again, also one that has expired.", resend)
        .on(API_WITHDRAW_INVITATION, "Withdraws a pending invitation.", withdraw)
}

/// The staff of a shop.
#[derive(Serialize, ToSchema)]
struct Members {
    /// The members: owners first, then by name.
    items: Vec<ShopMember>,
}

/// The pending invitations of a shop.
#[derive(Serialize, ToSchema)]
struct Invitations {
    /// The invitations, by email address.
    items: Vec<Invitation>,
}

/// The role of a member.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MemberRole {
    /// The role.
    role: Role,
}

/// The parameters of an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInvitation {
    /// The email address to invite.
    #[schema(format = "email-address", max_length = 254)]
    email: String,
    /// The role that they will have.
    role: Role,
}

async fn members(context: RequestContext, At(handle): At<String>) -> Result<Found<Members>> {
    let team = staff::team(context.engine(), &context.caller, &handle).await?;
    Ok(Found(Members { items: team.members }))
}

async fn change(
    context: RequestContext,
    (At((handle, user)), Body(new)): (At<(String, UserId)>, Body<MemberRole>),
) -> Result<()> {
    staff::change_role(context.engine(), &context.caller, &handle, user, new.role).await
}

async fn remove(context: RequestContext, At((handle, user)): At<(String, UserId)>) -> Result<()> {
    staff::remove(context.engine(), &context.caller, &handle, user).await
}

async fn leave(context: RequestContext, At(handle): At<String>) -> Result<()> {
    staff::leave(context.engine(), &context.caller, &handle).await
}

async fn invitations(context: RequestContext, At(handle): At<String>) -> Result<Found<Invitations>> {
    let team = staff::team(context.engine(), &context.caller, &handle).await?;
    Ok(Found(Invitations { items: team.invitations }))
}

async fn invite(
    context: RequestContext,
    (At(handle), Body(new)): (At<String>, Body<NewInvitation>),
) -> Result<Made<Invitation>> {
    let form = InvitationForm { email: new.email, role: new.role.as_str().to_owned() };
    let id = staff::invite(context.engine(), &context.caller, &handle, &form).await?;
    let team = staff::team(context.engine(), &context.caller, &handle).await?;
    team.invitations.into_iter().find(|of| of.id == id).map(Made).ok_or(Error::NotFound)
}

async fn resend(context: RequestContext, At((handle, id)): At<(String, InvitationId)>) -> Result<()> {
    staff::resend(context.engine(), &context.caller, &handle, id).await
}

async fn withdraw(context: RequestContext, At((handle, id)): At<(String, InvitationId)>) -> Result<()> {
    staff::withdraw(context.engine(), &context.caller, &handle, id).await
}
