//! The sign-in page.

use std::time::Duration;

use haat_shared::{FieldCode, accounts::DEMO_ACCOUNTS, forms::Draft, logins::WaysIn, routes};
use leptos::prelude::*;

use super::{logins, sign_up::draft_of};
use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    state::{Visitor, address, is_live, query},
    ui::{Alert, Button, EmptyState, ErrorSummary, Field, LinkButton, PageTitle, loaded},
};

/// The sign-in page.
#[component]
pub(crate) fn SignIn() -> impl IntoView {
    crate::head::keep_out();
    let (next, visitor) = (query("next"), expect_context::<Visitor>().0);
    let ways = api::find(|| (), |()| api::accounts::ways_in());
    // By a link, that is. When the page is loaded, the server leads on those who are signed in.
    let by_link = !cfg!(feature = "ssr") && is_live();
    loaded(draft_of("sign-in"), move |draft| {
        loaded(visitor, move |me| match me {
            Some(_) => {
                if by_link {
                    let here = address();
                    set_timeout(move || drop(window().location().replace(&here)), Duration::ZERO);
                }
                signed_in()
            }
            None => {
                let draft = draft.clone();
                loaded(ways, move |ways| {
                    view! { <Form next=next.get_untracked() draft=draft.clone() ways /> }
                })
            }
        })
    })
}

/// For those who are signed in already, until they are led on.
fn signed_in() -> AnyView {
    let i18n = use_i18n();
    let (title, note) = (tu_string!(i18n, sign_in.signed_in), tu_string!(i18n, sign_in.signed_in_note));
    view! {
        <PageTitle text=tu_string!(i18n, sign_in.title) />
        <div class="width page">
            <EmptyState icon="person" title note page=true>
                <LinkButton href=routes::ACCOUNT>{t!(i18n, sign_in.account)}</LinkButton>
            </EmptyState>
        </div>
    }
    .into_any()
}

#[component]
fn Form(next: String, draft: Draft, ways: WaysIn) -> impl IntoView {
    let i18n = use_i18n();
    let WaysIn { providers, demo } = ways;
    // The message doesn't say which of the two is wrong.
    let wrong = match draft.error.as_ref().and_then(|error| error.at("password")) {
        Some(FieldCode::WrongCredentials) => Some(tu_string!(i18n, field.wrong_credentials)),
        Some(FieldCode::Deactivated) => Some(t!(i18n, sign_in.deactivated)),
        _ => None,
    };
    let faults = Signal::stored(draft.error.clone().filter(|_| wrong.is_none()));
    let next = if next.is_empty() { draft.typed("next") } else { next };
    let chosen = query("demo").get_untracked();
    let chosen = DEMO_ACCOUNTS.iter().find(|(name, _)| demo.is_some() && *name == chosen);
    let known = chosen.map_or_else(|| draft.typed("email"), |(_, email)| (*email).to_owned());
    let secret = demo.clone().filter(|_| chosen.is_some()).unwrap_or_default();
    let accounts = demo.map(|_| demo_accounts(&next));
    let providers = logins::buttons(i18n, &providers, &next);
    let (email, password) = (tu_string!(i18n, sign_in.email), tu_string!(i18n, sign_in.password));
    let labels = vec![("email", email.to_owned()), ("password", password.to_owned())];
    let other = routes::with(routes::SIGN_UP, &[("next", &next)]);
    let by_code = routes::with(routes::SIGN_IN_CODE, &[("next", &next)]);
    let done = match query("done").get_untracked().as_str() {
        "confirmed" => Some(t!(i18n, sign_in.confirmed)),
        "password" => Some(t!(i18n, password.done)),
        "deleted" => Some(t!(i18n, personal.deleted)),
        _ => None,
    };
    let done = done.map(|words| view! { <Alert look="good">{words}</Alert> });
    view! {
        <PageTitle text=tu_string!(i18n, sign_in.title) />
        <div class="width page small">
            <h1>{t!(i18n, sign_in.title)}</h1>
            <p class="lead">{t!(i18n, sign_in.lead)}</p>
            <form method="post" action=routes::SIGN_IN class="panel form" novalidate>
                {done}
                {logins::alert(i18n)}
                {wrong.map(|words| view! { <Alert>{words}</Alert> })}
                <ErrorSummary faults labels />
                <input type="hidden" name="next" value=next />
                <Field name="email" label=email kind="email" value=known autocomplete="username" required=true faults />
                <Field name="password" label=password kind="password" value=secret autocomplete="current-password" required=true faults />
                <Button>{t!(i18n, sign_in.button)}</Button>
                <p class="dots">
                    <span><a href=routes::FORGOT_PASSWORD>{t!(i18n, password.link)}</a></span>
                    " "
                    <span><a href=by_code>{t!(i18n, sign_in_code.link)}</a></span>
                </p>
            </form>
            {providers}
            <p>{t!(i18n, sign_in.no_account)} " " <a href=other>{t!(i18n, sign_in.create)}</a></p>
            {accounts}
        </div>
    }
}

/// Links that fill in the form. They load the page anew, so that they work alike with and without JavaScript.
fn demo_accounts(next: &str) -> AnyView {
    let i18n = use_i18n();
    let links = DEMO_ACCOUNTS.map(|(name, email)| {
        let href = routes::with(routes::SIGN_IN, &[("demo", name), ("next", next)]);
        let who = match name {
            "customer" => tu_string!(i18n, sign_in.demo_customer),
            "admin" => tu_string!(i18n, sign_in.demo_admin),
            _ => tu_string!(i18n, sign_in.demo_seller),
        };
        view! { <li class="row"><a class="row-link" href=href rel="external">{who}</a> <bdi class="note">{email}</bdi></li> }
    });
    view! {
        <section class="panel" aria-labelledby="demo">
            <h2 id="demo">{t!(i18n, sign_in.demo)}</h2>
            <p class="note">{t!(i18n, sign_in.demo_hint)}</p>
            <ul class="rows">{links.into_iter().collect_view()}</ul>
        </section>
    }
    .into_any()
}
