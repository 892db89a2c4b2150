//! Tokens and API keys.

use haat_engine::{accounts, personal};
use haat_shared::{
    Error, Result,
    access::{ApiKeyCard, CreatedApiKey, NewApiKey, Scope, Tokens},
    accounts::{Me, SignIn},
    id::kinds::ApiKeyId,
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext, api_auth,
    extract::{At, Body},
    reply::{Found, Made},
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
        .on(
            API_PERSONAL_DATA,
            "Retrieves everything that the marketplace stores about you, at most 20 times a day.",
            personal_data,
        )
        .on(API_KEYS, "Lists your API keys.", keys)
        .on(API_CREATE_KEY, "Creates an API key. The secret is returned only once.", create_key)
        .on(API_END_KEY, "Revokes an API key.", end_key)
}

/// Sign-in credentials.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// The account's email address, compared in lower case, without invisible characters and with the host in ASCII.
    #[schema(max_length = 254)]
    email: String,
    /// The account's password.
    #[schema(max_length = 128)]
    password: String,
}

async fn sign_in(context: RequestContext, Body(typed): Body<Credentials>) -> Result<Made<Tokens>> {
    let form = SignIn { email: typed.email, password: typed.password };
    // API clients send no cookies, so none of them is a known device.
    context.state.limits.sign_in(context.origin, &form, &Devices::default(), &context.engine().secret)?;
    api_auth::sign_in(context.engine(), &context.caller, form).await.map(Made)
}

/// A refresh token to exchange.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    /// The refresh token returned at sign-in or by the last exchange.
    refresh_token: String,
}

async fn refresh(context: RequestContext, Body(sent): Body<Refresh>) -> Result<Made<Tokens>> {
    api_auth::refresh(context.engine(), &context.caller, &sent.refresh_token).await.map(Made)
}

async fn sign_out(context: RequestContext, (): ()) -> Result<()> {
    api_auth::sign_out(context.engine(), context.credential.as_deref().unwrap_or_default()).await
}

async fn me(context: RequestContext, (): ()) -> Result<Found<Me>> {
    accounts::me(context.engine(), &context.caller).await?.map(Found).ok_or(Error::SignInNeeded)
}

/// Everything that the marketplace stores about a user.
#[derive(Deserialize, Serialize, ToSchema)]
struct PersonalData {
    /// The version of the format.
    version: i64,
    /// The URL of the marketplace.
    market: String,
    /// When it was retrieved: RFC 3339, UTC.
    created_at: String,
    /// Lists of objects by section, such as `profile`, `orders` and `messages`. Amounts are in the minor unit of their currency.
    #[schema(value_type = Object)]
    data: serde_json::Value,
}

async fn personal_data(context: RequestContext, (): ()) -> Result<Found<PersonalData>> {
    let document = personal::export(context.engine(), &context.caller).await?;
    serde_json::from_str(&document).map(Found).map_err(|_| Error::Internal)
}

/// A list of API keys.
#[derive(Serialize, ToSchema)]
struct Keys {
    /// The keys, newest first.
    items: Vec<ApiKeyCard>,
}

async fn keys(context: RequestContext, (): ()) -> Result<Found<Keys>> {
    api_auth::keys(context.engine(), &context.caller).await.map(|items| Found(Keys { items }))
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

async fn create_key(context: RequestContext, Body(key): Body<NewKey>) -> Result<Made<CreatedApiKey>> {
    let key = NewApiKey { name: key.name, scopes: key.scopes };
    api_auth::create_key(context.engine(), &context.caller, &key).await.map(Made)
}

async fn end_key(context: RequestContext, At(id): At<ApiKeyId>) -> Result<()> {
    api_auth::end_key(context.engine(), &context.caller, id).await
}
