//! Plain forms of the pages of an account: passwords, profile and sessions.

use axum::{
    Extension, Form,
    extract::{Path, State as Extract},
    http::{Extensions, HeaderMap, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use haat_app::{cookies, i18n::Locale};
use haat_engine::{
    Caller,
    accounts::{
        self, passwords, profile,
        sign_in_codes::{self, Entered},
    },
    addresses, contact, personal, recommendations, wishlist,
};
use haat_shared::{
    Error, FieldCode, FieldError, Result,
    accounts::SignIn,
    address_book::AddressForm,
    addresses::regions,
    contact::ContactForm,
    id::kinds::{PasswordResetId, SavedAddressId},
    personal::ErasureForm,
    profile::{PasswordChange, ProfileForm},
    routes::{
        self, ACCOUNT, ADDRESSES, CONTACT, FORGOT_PASSWORD, PERSONAL_DATA, PROFILE, SIGN_IN, SIGN_IN_CODE,
        WISHLIST, with,
    },
    wishlist::WishChange,
};

use super::{
    State, Typed,
    devices::Devices,
    forms::{CHOICE_S, back_with_draft, come_back, field, next_of, refused, signed_in},
    limits::too_often,
    outcome::redirect,
};

/// Emails a link to choose a new password. The response is the same whether there is an account or not.
pub(super) async fn forgot_password(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    extensions: Extensions,
    Form(typed): Form<Typed>,
) -> Response {
    let origin = state.limits.origin(&headers, &extensions);
    // An empty field costs nothing to reject, so it doesn't count towards the limits.
    if !field(&typed, "email").trim().is_empty()
        && let Err(error) = state.limits.password_reset(origin)
    {
        return too_often(&error, FORGOT_PASSWORD, typed);
    }
    match passwords::request(&state.runtime.engine, &caller, &field(&typed, "email")).await {
        Ok(()) => redirect(&state, FORGOT_PASSWORD, &[("done", "sent")]),
        Err(error) => come_back(&state, "forgot-password", FORGOT_PASSWORD, typed, error).await,
    }
}

/// The cookie with the token of a code that was asked for.
const CODE_COOKIE: &str = "code";

/// Emails a code to sign in with, or signs in with it.
pub(super) async fn sign_in_code(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    extensions: Extensions,
    Form(mut typed): Form<Typed>,
) -> Response {
    let (engine, secure) = (&state.runtime.engine, state.runtime.config.secure());
    let next = field(&typed, "next");
    let enter = with(SIGN_IN_CODE, &[("step", "enter"), ("next", &next)]);
    if field(&typed, "action") == "send" {
        let origin = state.limits.origin(&headers, &extensions);
        // An empty field costs nothing to reject, so it doesn't count towards the limits.
        if !field(&typed, "email").trim().is_empty()
            && let Err(error) = state.limits.password_reset(origin)
        {
            return too_often(&error, SIGN_IN_CODE, typed);
        }
        return match sign_in_codes::request(engine, &caller, &field(&typed, "email")).await {
            Ok(token) => {
                let kept = cookies::set(secure, CODE_COOKIE, &token, sign_in_codes::CODE_MS / 1_000);
                (AppendHeaders([(header::SET_COOKIE, kept)]), super::back::to(&enter)).into_response()
            }
            Err(error) => come_back(&state, "sign-in-code", SIGN_IN_CODE, typed, error).await,
        };
    }
    // The draft must not have it.
    let code = typed.remove("code").unwrap_or_default();
    let token = cookies::get(&headers, secure, CODE_COOKIE).unwrap_or_default();
    match sign_in_codes::enter(engine, &caller, token, &code).await {
        Ok(Entered { token, account }) => {
            let next = next_of(&state, &next, &token).await;
            let devices = Devices::of(&headers, secure);
            let mut response = signed_in(&state, devices, &account, &next, &token);
            response.headers_mut().append(header::SET_COOKIE, cookies::remove(secure, CODE_COOKIE));
            response
        }
        Err(error) => {
            let enter = with(SIGN_IN_CODE, &[("step", "enter")]);
            come_back(&state, "sign-in-code", &enter, typed, error).await
        }
    }
}

/// Sets a new password by the link of the email. It signs nobody in.
pub(super) async fn reset_password(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Response {
    let Ok(id) = id.parse::<PasswordResetId>() else { return super::layers::plain(&Error::NotFound) };
    // The draft must not have it.
    let token = typed.remove("token").unwrap_or_default();
    let page = with(&routes::reset_password(id), &[("token", &token)]);
    match passwords::reset(&state.runtime.engine, &caller, id, &token, &field(&typed, "password")).await {
        Ok(()) => redirect(&state, SIGN_IN, &[("done", "password")]),
        Err(error @ Error::Invalid(_)) => {
            back_with_draft(&state, "reset-password", &page, typed, &error).await
        }
        // The page says what can be done.
        Err(Error::NotFound) => super::back::to(&page).into_response(),
        Err(error) => super::layers::plain(&error),
    }
}

/// Saves the profile. Language and currency count in this browser at once.
pub(super) async fn save_profile(
    Extract(state): Extract<State>,
    Extension(mut caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let form = ProfileForm {
        name: field(&typed, "name"),
        phone: field(&typed, "phone"),
        currency: field(&typed, "currency"),
    };
    let locale = field(&typed, "locale").parse::<Locale>().ok();
    if let Some(locale) = locale {
        caller.locale = locale.tag();
    }
    let saved = match (locale, form.check()) {
        (None, checked) => {
            let fault = FieldError::new("locale", FieldCode::NotAChoice);
            Err(Error::Invalid(checked.err().into_iter().flatten().chain([fault]).collect()))
        }
        _ => profile::save(&state.runtime.engine, &caller, &form).await,
    };
    // Whoever isn't signed in is told so first.
    let saved = if caller.user().is_none() { Err(Error::SignInNeeded) } else { saved };
    match saved {
        Ok(()) => {
            let secure = state.runtime.config.secure();
            let language = cookies::set(secure, "language", caller.locale, CHOICE_S);
            let currency = (!form.currency.is_empty())
                .then(|| cookies::set(secure, "currency", &form.currency, CHOICE_S));
            let kept = [Some(language), currency].into_iter().flatten();
            let kept = AppendHeaders(kept.map(|cookie| (header::SET_COOKIE, cookie)).collect::<Vec<_>>());
            (kept, redirect(&state, PROFILE, &[("done", "profile")])).into_response()
        }
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "profile", PROFILE, typed, &error).await,
        Err(error) => refused(&state, PROFILE, &error),
    }
}

/// Changes the password. Guesses of the present one count as attempts to sign in.
pub(super) async fn change_password(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    extensions: Extensions,
    Form(typed): Form<Typed>,
) -> Response {
    let Some(user) = caller.user() else { return super::layers::plain(&Error::SignInNeeded) };
    let form = PasswordChange { current: field(&typed, "current_password"), new: field(&typed, "password") };
    let secure = state.runtime.config.secure();
    if form.check().is_ok() {
        let attempt = SignIn { email: user.email.clone(), password: form.current.clone() };
        let (origin, devices) = (state.limits.origin(&headers, &extensions), Devices::of(&headers, secure));
        let secret = &state.runtime.engine.secret;
        if let Err(error) = state.limits.sign_in(origin, &attempt, &devices, secret) {
            return super::layers::plain(&error);
        }
    }
    match passwords::change(&state.runtime.engine, &caller, form).await {
        Ok(token) => {
            let session = cookies::set(secure, "session", &token, accounts::SESSION_MS / 1000);
            let done = redirect(&state, PROFILE, &[("done", "password")]);
            (AppendHeaders([(header::SET_COOKIE, session)]), done).into_response()
        }
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "password", PROFILE, typed, &error).await,
        Err(error) => refused(&state, PROFILE, &error),
    }
}

/// Signs out in another browser, or in all others.
pub(super) async fn end_sessions(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    let ended = match field(&typed, "session").as_str() {
        "" => profile::end_other_sessions(engine, &caller).await,
        id => match id.parse() {
            Ok(id) => profile::end_session(engine, &caller, id).await,
            Err(_) => Err(Error::NotFound),
        },
    };
    match ended {
        // It may have ended meanwhile.
        Ok(()) | Err(Error::NotFound) => redirect(&state, PROFILE, &[("done", "session")]),
        Err(error) => refused(&state, PROFILE, &error),
    }
}

/// Saves a new address, changes or removes one, or makes it the default. Without JavaScript, another country leads back to
/// the form, which then has its fields.
pub(super) async fn addresses(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    let action = field(&typed, "action");
    let id = field(&typed, "id");
    let page = with(ADDRESSES, &[("edit", &id)]);
    if action == "update" && caller.user().is_some() {
        return match accounts::keep_draft(engine, "address", typed, None).await {
            Ok(draft) => super::back::to(&with(&page, &[("draft", &draft.to_string())])).into_response(),
            Err(error) => super::layers::plain(&error),
        };
    }
    let foreign = |before: &str, country: &str| regions::known(before) || regions::known(country);
    let form = AddressForm::read(&|name: &str| field(&typed, name), foreign);
    let done: Result<&str> = async {
        caller.signed_in()?;
        let known = || id.parse::<SavedAddressId>();
        match action.as_str() {
            "remove" => addresses::remove(engine, &caller, known()?).await.map(|()| "remove"),
            "default" => addresses::make_default(engine, &caller, known()?).await.map(|()| "default"),
            _ if id.is_empty() => addresses::add(engine, &caller, &form).await.map(|_| "save"),
            _ => addresses::save(engine, &caller, known()?, &form).await.map(|()| "save"),
        }
    }
    .await;
    match done {
        Ok(done) => redirect(&state, ADDRESSES, &[("done", done)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "address", &page, typed, &error).await,
        Err(error) => refused(&state, ADDRESSES, &error),
    }
}

/// Adds to the wishlist, removes from it, or moves between it and the basket.
pub(super) async fn wishlist(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let of = |name: &str| field(&typed, name);
    let read = || -> Result<(WishChange, &str)> {
        Ok(match of("action").as_str() {
            "move" => (WishChange::Move(of("id").parse()?), "move"),
            "remove" => (WishChange::Remove(of("id").parse()?), "remove"),
            _ if !of("later").is_empty() => (WishChange::SaveForLater(of("later").parse()?), "later"),
            _ => (WishChange::Add(of("variant").parse()?), "add"),
        })
    };
    let changed: Result<_> = async {
        let (change, done) = read()?;
        Ok((wishlist::change(&state.runtime.engine, &caller, change).await?, done))
    }
    .await;
    match changed {
        Ok((token, done)) => {
            let secure = state.runtime.config.secure();
            let cookie = token.map(|token| (header::SET_COOKIE, cookies::cart(secure, &token)));
            (AppendHeaders(cookie), redirect(&state, WISHLIST, &[("done", done)])).into_response()
        }
        Err(error) => refused(&state, WISHLIST, &error),
    }
}

/// Dismisses a recommendation, or turns them off or on.
pub(super) async fn recommendations(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    let action = field(&typed, "action");
    let changed: Result<&str> = async {
        match action.as_str() {
            "off" | "on" => {
                recommendations::set_enabled(engine, &caller, action == "on").await?;
                Ok(if action == "on" { "on" } else { "off" })
            }
            _ => {
                recommendations::dismiss(engine, &caller, field(&typed, "product").parse()?).await?;
                Ok("dismissed")
            }
        }
    }
    .await;
    match changed {
        Ok(done) => redirect(&state, ACCOUNT, &[("done", done)]),
        Err(error) => refused(&state, ACCOUNT, &error),
    }
}

/// Takes a message from the contact page.
pub(super) async fn contact(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let of = |name: &str| field(&typed, name);
    let form =
        ContactForm { name: of("name"), email: of("email"), message: of("message"), website: of("website") };
    match contact::send(&state.runtime.engine, &caller, &form).await {
        Ok(()) => redirect(&state, CONTACT, &[("done", "sent")]),
        Err(error @ Error::RateLimited { .. }) => too_often(&error, CONTACT, typed),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "contact", CONTACT, typed, &error).await,
        Err(error) => refused(&state, CONTACT, &error),
    }
}

/// Everything that the market holds of the caller, as a file.
pub(super) async fn export_data(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
) -> Response {
    match personal::export(&state.runtime.engine, &caller).await {
        Ok(document) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"personal-data.json\""),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, document).into_response()
        }
        Err(error) => super::layers::plain(&error),
    }
}

/// Deletes the caller's account. Guesses of the password count as attempts to sign in.
pub(super) async fn delete_account(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    extensions: Extensions,
    Form(typed): Form<Typed>,
) -> Response {
    let Some(user) = caller.user() else { return super::layers::plain(&Error::SignInNeeded) };
    let form =
        ErasureForm { password: field(&typed, "password"), confirmed: !field(&typed, "confirm").is_empty() };
    let (engine, secure) = (&state.runtime.engine, state.runtime.config.secure());
    if form.check().is_ok() {
        let attempt = SignIn { email: user.email.clone(), password: form.password.clone() };
        let (origin, devices) = (state.limits.origin(&headers, &extensions), Devices::of(&headers, secure));
        if let Err(error) = state.limits.sign_in(origin, &attempt, &devices, &engine.secret) {
            return super::layers::plain(&error);
        }
    }
    match personal::erase(engine, &caller, &form).await {
        Ok(()) => {
            let ended = cookies::remove(secure, "session");
            let done = redirect(&state, SIGN_IN, &[("done", "deleted")]);
            (AppendHeaders([(header::SET_COOKIE, ended)]), done).into_response()
        }
        Err(error @ Error::Invalid(_)) => {
            back_with_draft(&state, "erase", PERSONAL_DATA, typed, &error).await
        }
        // The page says what is not finished.
        Err(error) => refused(&state, PERSONAL_DATA, &error),
    }
}
