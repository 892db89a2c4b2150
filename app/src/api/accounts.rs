//! The signed-in user, and stored form drafts.

use haat_shared::{
    Error,
    accounts::{Me, UserCard},
    admin::UserDetails,
    forms::Draft,
    id::kinds::{DraftId, PasswordResetId, UserId},
    logins::WaysIn,
    page::{Counted, ListRequest},
    personal::PersonalDataPage,
    profile::ProfilePage,
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The signed-in user; `None` for a guest.
#[server(name = FetchMe, prefix = "/api", endpoint = "accounts/me", input = Json)]
pub async fn me() -> Result<Option<Me>, ApiError> {
    super::call(async |engine, caller| haat_engine::accounts::me(&engine, &caller).await).await
}

/// The signed-in user, for pages that require one.
pub(crate) async fn me_here() -> Result<Me, ApiError> {
    let me = me().await?;
    #[cfg(feature = "ssr")]
    if me.is_none() {
        super::answer_with(&Error::SignInNeeded);
    }
    me.ok_or(ApiError(Error::SignInNeeded))
}

/// The input of a rejected form.
#[server(name = FetchDraft, prefix = "/api", endpoint = "accounts/draft", input = Json)]
pub async fn draft(form: String, id: DraftId) -> Result<Option<Draft>, ApiError> {
    super::call(async |engine, caller| haat_engine::accounts::find_draft(&engine, &caller, &form, id).await)
        .await
}

/// How one can sign in besides with a password: the providers, and the demo's accounts.
#[server(name = FetchWaysIn, prefix = "/api", endpoint = "accounts/ways_in", input = Json)]
pub async fn ways_in() -> Result<WaysIn, ApiError> {
    let Some(ctx) = use_context::<super::Ctx>() else { return Ok(WaysIn::default()) };
    let providers = haat_engine::accounts::logins::providers(&ctx.engine);
    let demo = ctx.demo.then(|| haat_shared::accounts::DEMO_PASSWORD.to_owned());
    Ok(WaysIn { providers, demo })
}

/// The email address of the account that a link for a new password is for. None if it can't be used any more.
#[server(name = FetchPasswordReset, prefix = "/api", endpoint = "accounts/password_reset", input = Json)]
pub async fn password_reset(id: PasswordResetId, token: String) -> Result<Option<String>, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::accounts::passwords::address(&engine, &caller, id, &token).await
    })
    .await
}

/// The caller's profile, and where they are signed in.
#[server(name = FetchProfile, prefix = "/api", endpoint = "accounts/profile", input = Json)]
pub async fn profile() -> Result<ProfilePage, ApiError> {
    super::call(async |engine, caller| haat_engine::accounts::profile::page(&engine, &caller).await).await
}

/// What the caller can do with their personal data.
#[server(name = FetchPersonalData, prefix = "/api", endpoint = "accounts/personal_data", input = Json)]
pub async fn personal_data() -> Result<PersonalDataPage, ApiError> {
    super::call(async |engine, caller| haat_engine::personal::page(&engine, &caller).await).await
}

/// All users. Admins only.
#[server(name = ListUsers, prefix = "/api", endpoint = "accounts/list", input = Json)]
pub async fn list(of: ListRequest) -> Result<Counted<UserCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::accounts::table(&engine, &caller, &of).await).await
}

/// A user, with what the admin may see of them.
#[server(name = FetchUser, prefix = "/api", endpoint = "accounts/user", input = Json)]
pub async fn user(id: UserId) -> Result<UserDetails, ApiError> {
    super::call(async |engine, caller| haat_engine::users::user(&engine, &caller, id).await).await
}
