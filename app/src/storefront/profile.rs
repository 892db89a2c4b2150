//! The profile of an account, its password, and where it is signed in.

use haat_shared::{
    Currency,
    accounts::PASSWORD_MIN,
    forms::Draft,
    logins::LoginCard,
    profile::{Profile, ProfilePage, SessionCard},
    routes,
};
use leptos::prelude::*;

use super::{logins, sign_up::draft_by};
use crate::{
    api,
    i18n::{t, use_i18n},
    locales::LANGUAGES,
    state::query,
    ui::{Alert, Button, ErrorSummary, Field, PageTitle, Select, email_address, loaded},
    words::{self, I18n},
};

/// The page of the profile. Its forms are plain, with and without JavaScript.
#[component]
pub(super) fn EditProfile() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let (draft, done) = (query("draft"), query("done"));
    let found = api::find(
        move || (draft.get(), done.get()),
        |(draft, _)| async move {
            let page = api::accounts::profile().await?;
            let choices = api::currencies::choices().await?;
            let typed = draft_by("profile", draft.clone()).await?;
            Ok((page, choices, typed, draft_by("password", draft).await?))
        },
    );
    loaded(found, move |(page, choices, typed, secret)| {
        let ProfilePage { profile, sessions, has_password, logins } = page;
        let done = match done.get_untracked().as_str() {
            "profile" => Some(t!(i18n, profile.saved)),
            "password" => Some(t!(i18n, profile.password_saved)),
            "session" => Some(t!(i18n, profile.signed_out)),
            _ => None,
        };
        let done = done.map(str::to_owned).or_else(|| logins::done(i18n));
        let email = profile.email.clone();
        view! {
            <PageTitle text=t!(i18n, profile.title) />
            <div class="width page narrow">
                <p>
                    <a href=routes::ACCOUNT>{t!(i18n, account.title)}</a>
                </p>
                <h1>{t!(i18n, profile.title)}</h1>
                {done.map(|words| view! { <Alert look="good">{words}</Alert> })}
                {logins::alert(i18n)}
                {details(i18n, profile, choices, &typed)}
                {match has_password {
                    true => password(i18n, email, &secret),
                    false => no_password(i18n, email),
                }}
                {methods(i18n, logins)}
                {places(i18n, sessions)}
                <p><a href=routes::PERSONAL_DATA>{t!(i18n, personal.title)}</a></p>
            </div>
        }
    })
}

fn details(i18n: I18n, profile: Profile, choices: Vec<(Currency, bool)>, draft: &Draft) -> AnyView {
    let faults = Signal::stored(draft.error.clone());
    let or = |name: &str, kept: String| match draft.fields.get(name) {
        Some(typed) => typed.clone(),
        None => kept,
    };
    let [name, phone, language, currency] = [
        t!(i18n, sign_up.name),
        t!(i18n, checkout.phone),
        t!(i18n, profile.language),
        t!(i18n, profile.currency),
    ];
    let labels = vec![
        ("name", name.to_owned()),
        ("phone", phone.to_owned()),
        ("locale", language.to_owned()),
        ("currency", currency.to_owned()),
    ];
    let locale = or("locale", t!(i18n, plurals.language).to_owned());
    let chosen = choices.iter().find(|(_, chosen)| *chosen).map_or("", |(currency, _)| currency.listed());
    let kept = profile.currency.map_or(chosen, |currency| currency.listed());
    let options: Vec<_> =
        choices.iter().map(|(currency, _)| (currency.listed(), currency.listed())).collect();
    let currencies = (!options.is_empty()).then(|| {
        view! { <Select name="currency" label=currency value=or("currency", kept.to_owned()) options faults /> }
    });
    view! {
        <form method="post" action=routes::PROFILE class="panel form" novalidate>
            <h2>{t!(i18n, profile.details)}</h2>
            <ErrorSummary faults labels />
            <p class="note">{t!(i18n, sign_in.email)} ": " <span translate="no">{email_address(&profile.email)}</span></p>
            <Field name="name" label=name value=or("name", profile.name) autocomplete="name" required=true faults />
            <Field name="phone" label=phone value=or("phone", profile.phone) kind="tel" autocomplete="tel" optional=true faults />
            <Select name="locale" label=language value=locale options=LANGUAGES.to_vec() faults />
            {currencies}
            <div class="actions"><Button>{t!(i18n, profile.save)}</Button></div>
        </form>
    }
    .into_any()
}

fn password(i18n: I18n, email: String, draft: &Draft) -> AnyView {
    let faults = Signal::stored(draft.error.clone());
    let (current, new) = (t!(i18n, profile.current), t!(i18n, password.new));
    let labels = vec![("current_password", current.to_owned()), ("password", new.to_owned())];
    let hint = t!(i18n, sign_up.password_hint, n = PASSWORD_MIN);
    view! {
        <form method="post" action=routes::FORM_PASSWORD class="panel form" novalidate id="password-form">
            <h2>{t!(i18n, profile.password)}</h2>
            <ErrorSummary faults labels />
            <input type="hidden" name="username" autocomplete="username" value=email />
            <Field name="current_password" label=current kind="password" autocomplete="current-password" required=true faults />
            <Field name="password" label=new kind="password" autocomplete="new-password" required=true hint faults />
            <p class="note">{t!(i18n, profile.password_note)}</p>
            <div class="actions"><Button>{t!(i18n, profile.change_password)}</Button></div>
        </form>
    }
    .into_any()
}

/// For those who sign in with a provider only.
fn no_password(i18n: I18n, email: String) -> AnyView {
    view! {
        <form method="post" action=routes::FORGOT_PASSWORD class="panel form">
            <h2>{t!(i18n, profile.password)}</h2>
            <p class="note">{t!(i18n, logins.no_password)}</p>
            <input type="hidden" name="email" value=email />
            <div class="actions"><Button look="secondary">{t!(i18n, password.send)}</Button></div>
        </form>
    }
    .into_any()
}

/// The providers with which one can sign in.
fn methods(i18n: I18n, logins: Vec<LoginCard>) -> Option<AnyView> {
    if logins.is_empty() {
        return None;
    }
    let rows = logins.into_iter().map(|LoginCard { provider, email }| {
        let (name, text) = (provider.name(), provider.as_str());
        let (look, action, words) = match email {
            Some(_) => ("button quiet", "disconnect", t!(i18n, logins.disconnect)),
            None => ("button secondary", "connect", t!(i18n, logins.connect)),
        };
        let state = match email {
            Some(email) if email.is_empty() => t!(i18n, logins.is_connected).into_any(),
            Some(email) => view! { <span translate="no">{email_address(&email)}</span> }.into_any(),
            None => t!(i18n, logins.not_connected).into_any(),
        };
        view! {
            <li class="row">
                <div>
                    <strong translate="no">{name}</strong>
                    <p class="note">{state}</p>
                </div>
                <button type="submit" class=look name=action value=text>{words}<span class="hidden">" "{name}</span></button>
            </li>
        }
    });
    let rows = rows.collect_view();
    let shown = view! {
        <section aria-labelledby="methods">
            <h2 id="methods">{t!(i18n, logins.title)}</h2>
            <form method="post" action=routes::FORM_LOGINS class="form"><ul class="rows">{rows}</ul></form>
        </section>
    };
    Some(shown.into_any())
}

fn places(i18n: I18n, sessions: Vec<SessionCard>) -> AnyView {
    let others = (sessions.len() > 1).then(|| {
        view! { <div class="actions"><Button look="secondary">{t!(i18n, profile.sign_out_others)}</Button></div> }
    });
    let rows = sessions.into_iter().map(|session| {
        let name = match (session.browser.as_str(), session.system.as_str()) {
            ("", "") => t!(i18n, profile.unknown).to_owned(),
            ("", system) => system.to_owned(),
            (browser, "") => browser.to_owned(),
            (browser, system) => t!(i18n, profile.device, browser = browser, system = system),
        };
        let date = words::moment(i18n, &session.signed_in_at);
        let end = match session.current {
            true => view! { <span class="state placed">{t!(i18n, profile.this)}</span> }.into_any(),
            false => view! {
                <button type="submit" class="button quiet" name="session" value=session.id.to_string()>
                    {t!(i18n, header.sign_out)}<span class="hidden">" "{name.clone()}", "{date.clone()}</span>
                </button>
            }
            .into_any(),
        };
        view! {
            <li class="row">
                <div>
                    <strong>{name.clone()}</strong>
                    <p class="note">{t!(i18n, profile.since, date = date)}</p>
                </div>
                {end}
            </li>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section aria-labelledby="sessions">
            <h2 id="sessions">{t!(i18n, profile.sessions)}</h2>
            <form method="post" action=routes::FORM_SESSIONS class="form">
                <ul class="rows">{rows}</ul>
                {others}
            </form>
        </section>
    }
    .into_any()
}
