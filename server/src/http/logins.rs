//! Signing in with the account of a provider: the forms that begin it, and where the provider sends the browser.

use axum::{
    Extension, Form,
    extract::{Path, Query, State as Extract},
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use haat_app::cookies;
use haat_engine::{
    Caller,
    accounts::logins::{self, Arrival, Begun, Reply},
};
use haat_shared::{
    Error, Result,
    logins::{LoginRefusal, Provider},
    routes::{PROFILE, SIGN_IN, with},
};

use super::{
    State, Typed, back,
    devices::Devices,
    forms::{clean, field, next_of, signed_in},
    layers::plain,
    outcome::redirect,
};

/// The cookie with the token of the attempt.
const COOKIE: &str = "login";

/// Leads to the provider's page, or to `page` with the reason why not.
fn led(state: &State, provider: Provider, page: &str, begun: Result<Begun>) -> Response {
    match begun {
        Ok(Begun::At { page, token }) => {
            let secure = state.runtime.config.secure();
            let kept = cookies::set(secure, COOKIE, &token, logins::ATTEMPT_MS / 1_000);
            // To the page of a provider that the operator has configured.
            (AppendHeaders([(header::SET_COOKIE, kept)]), Redirect::to(&page)).into_response()
        }
        Ok(Begun::Refused(why)) => refused(state, provider, page, why),
        Err(error) => plain(&error),
    }
}

fn refused(state: &State, provider: Provider, page: &str, why: LoginRefusal) -> Response {
    redirect(state, page, &[("error", why.as_str()), ("n", provider.as_str())])
}

/// The sign-in page, from which one gets to `next`.
fn sign_in_page(next: &str) -> String {
    match next {
        "" => SIGN_IN.to_owned(),
        next => with(SIGN_IN, &[("next", &back::local(next))]),
    }
}

/// Begins to sign in.
pub(super) async fn begin(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(provider): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let Some(provider) = Provider::parse(&provider) else { return plain(&Error::NotFound) };
    let next = match field(&typed, "next") {
        none if none.is_empty() => none,
        next => back::local(&clean(&next)),
    };
    let begun = logins::begin(&state.runtime.engine, &caller, provider, &next).await;
    led(&state, provider, &sign_in_page(&next), begun)
}

/// Connects the caller's account with one at a provider, or disconnects it.
pub(super) async fn of_account(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    if let Err(error) = caller.signed_in() {
        return plain(&error);
    }
    let named = |name: &str| Provider::parse(&field(&typed, name));
    match (named("connect"), named("disconnect")) {
        (Some(provider), _) => {
            let begun = logins::begin_connecting(engine, &caller, provider).await;
            led(&state, provider, PROFILE, begun)
        }
        (None, Some(provider)) => match logins::disconnect(engine, &caller, provider).await {
            Ok(None) => redirect(&state, PROFILE, &[("done", "disconnected"), ("n", provider.as_str())]),
            Ok(Some(why)) => refused(&state, provider, PROFILE, why),
            Err(error) => plain(&error),
        },
        _ => plain(&Error::NotFound),
    }
}

/// The browser comes back from the provider.
pub(super) async fn returned(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    Query(query): Query<Typed>,
) -> Response {
    let (engine, secure) = (&state.runtime.engine, state.runtime.config.secure());
    let Some(provider) = Provider::parse(&provider) else { return plain(&Error::NotFound) };
    let token = cookies::get(&headers, secure, COOKIE).unwrap_or_default();
    let of = |name: &str| field(&query, name);
    let code = if of("error").is_empty() { of("code") } else { String::new() };
    let reply = Reply { state: of("state"), code };
    let mut response = match logins::arrive(engine, &caller, provider, token, &reply).await {
        Ok(Arrival::SignedIn { token, account, next }) => {
            let next = next_of(&state, &next, &token).await;
            signed_in(&state, Devices::of(&headers, secure), &account, &next, &token)
        }
        Ok(Arrival::Connected) => {
            redirect(&state, PROFILE, &[("done", "connected"), ("n", provider.as_str())])
        }
        Ok(Arrival::Refused { why, connecting: true, .. }) => refused(&state, provider, PROFILE, why),
        Ok(Arrival::Refused { why, connecting: false, next }) => {
            refused(&state, provider, &sign_in_page(&next), why)
        }
        Err(error) => plain(&error),
    };
    // The token is of no more use.
    response.headers_mut().append(header::SET_COOKIE, cookies::remove(secure, COOKIE));
    response
}
