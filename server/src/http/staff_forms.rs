//! Plain forms about the staff of shops.

use axum::{
    Extension, Form,
    extract::{Path, State as Extract},
    response::{IntoResponse, Response},
};
use haat_engine::{Caller, staff};
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::{InvitationId, UserId},
    permissions::Permission,
    routes::{self, SELLER_SHOPS, with},
    staff::{InvitationForm, role},
};

use super::{
    State, Typed, back,
    forms::{back_with_draft, field, refused},
    layers,
    limits::too_often,
    outcome::redirect,
};

/// An invitation, or a change of what a member may do. Members leave here, too.
pub(super) async fn of_shop(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let (page, action) = (routes::shop_team(&handle), value("action"));
    if action == "leave" {
        return match staff::leave(engine, &caller, &handle).await {
            Ok(()) => redirect(&state, SELLER_SHOPS, &[("done", &action)]),
            // Owners leave on the page of the staff.
            Err(error @ Error::Conflict(_)) => refused(&state, &page, &error),
            Err(error) => refused(&state, SELLER_SHOPS, &error),
        };
    }
    let done: Result<()> = async {
        // Before anything is said about the form.
        caller.shop(&handle, Permission::ManageShop)?;
        match action.as_str() {
            "invite" => staff::invite(engine, &caller, &handle, &InvitationForm::read(value)).await.map(drop),
            "resend" => staff::resend(engine, &caller, &handle, value("id").parse()?).await,
            "withdraw" => staff::withdraw(engine, &caller, &handle, value("id").parse()?).await,
            "role" => {
                let role = role(&value("role")).map_err(|fault| Error::Invalid(vec![fault]))?;
                staff::change_role(engine, &caller, &handle, value("user").parse()?, role).await
            }
            "remove" => staff::remove(engine, &caller, &handle, value("user").parse()?).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    let own = value("user").parse::<UserId>().ok().is_some_and(|user| caller.user_id() == Some(user));
    match done {
        // Owners who give this role up don't see the page any more.
        Ok(()) if action == "role" && own && value("role") != "owner" => {
            back::to(&routes::dashboard(&handle)).into_response()
        }
        Ok(()) if action == "remove" && own => redirect(&state, SELLER_SHOPS, &[("done", "leave")]),
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "shop_team", &page, typed, &error).await,
        Err(error @ Error::RateLimited { .. }) => too_often(&error, &page, typed),
        Err(error) => refused(&state, &page, &error),
    }
}

/// Accepts an invitation, and leads to the shop's dashboard.
pub(super) async fn accept(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let Ok(id) = id.parse::<InvitationId>() else { return layers::plain(&Error::NotFound) };
    let token = field(&typed, "token");
    let page = with(&routes::invitation(id), &[("token", &token)]);
    match staff::accept(&state.runtime.engine, &caller, id, &token).await {
        Ok(handle) => back::to(&routes::dashboard(&handle)).into_response(),
        // The page says what can be done.
        Err(Error::NotFound | Error::SignInNeeded) => back::to(&page).into_response(),
        Err(error) => refused(&state, &page, &error),
    }
}
