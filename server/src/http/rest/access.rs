//! Tokens and keys of programs, and whose they are.

use haat_engine::accounts;
use haat_shared::{
    Error, Result,
    access::{ApiKeyCard, MadeApiKey, NewApiKey, Scope, Tokens},
    accounts::{Me, SignIn},
    id::kinds::ApiKeyId,
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, Ask,
    parts::{At, Body, Found, Made},
    programs,
};
use crate::http::devices::Devices;

pub(super) fn routes(api: Api) -> Api {
    api.on(API_SIGN_IN, "Signs in with an email address and password. Returns a pair of tokens.", sign_in)
        .on(
            API_REFRESH,
            "Exchanges a refresh token for a new pair of tokens. Each refresh token works once.",
            refresh,
        )
        .on(API_SIGN_OUT, "Revokes the access token of this request and its refresh token.", sign_out)
        .on(API_ME, "Retrieves the current account.", me)
        .on(API_KEYS, "Lists your API keys.", keys)
        .on(API_CREATE_KEY, "Creates an API key. The secret is returned only once.", create_key)
        .on(API_END_KEY, "Revokes an API key.", end_key)
}

/// Sign-in credentials.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// The account's email address.
    #[schema(max_length = 254)]
    email: String,
    /// The account's password.
    #[schema(max_length = 128)]
    password: String,
}

async fn sign_in(ask: Ask, Body(typed): Body<Credentials>) -> Result<Made<Tokens>> {
    let form = SignIn { email: typed.email, password: typed.password };
    // Programs bring no cookies: none of them is a known device.
    ask.state.limits.sign_in(ask.origin, &form, &Devices::default(), &ask.engine().secret)?;
    programs::sign_in(ask.engine(), &ask.caller, form).await.map(Made)
}

/// A refresh token to exchange.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    /// The refresh token returned at sign-in or by the last exchange.
    refresh_token: String,
}

async fn refresh(ask: Ask, Body(sent): Body<Refresh>) -> Result<Made<Tokens>> {
    programs::refresh(ask.engine(), &ask.caller, &sent.refresh_token).await.map(Made)
}

async fn sign_out(ask: Ask, (): ()) -> Result<()> {
    programs::sign_out(ask.engine(), ask.credential.as_deref().unwrap_or_default()).await
}

async fn me(ask: Ask, (): ()) -> Result<Found<Me>> {
    accounts::me(ask.engine(), &ask.caller).await?.map(Found).ok_or(Error::SignInNeeded)
}

/// A list of API keys.
#[derive(Serialize, ToSchema)]
struct Keys {
    /// The keys, newest first.
    items: Vec<ApiKeyCard>,
}

async fn keys(ask: Ask, (): ()) -> Result<Found<Keys>> {
    programs::keys(ask.engine(), &ask.caller).await.map(|items| Found(Keys { items }))
}

/// The parameters of a new API key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// A name that helps you recognise the key.
    #[schema(format = "line", max_length = 80)]
    name: String,
    /// The scopes granted to the key.
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
}

async fn create_key(ask: Ask, Body(key): Body<NewKey>) -> Result<Made<MadeApiKey>> {
    let key = NewApiKey { name: key.name, scopes: key.scopes };
    programs::create_key(ask.engine(), &ask.caller, &key).await.map(Made)
}

async fn end_key(ask: Ask, At(id): At<ApiKeyId>) -> Result<()> {
    programs::end_key(ask.engine(), &ask.caller, id).await
}
