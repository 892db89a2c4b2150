//! The sign-in page.

use haat_shared::{FieldCode, forms::Draft, routes};
use leptos::prelude::*;

use super::sign_up::draft_of;
use crate::{
    i18n::{t, tu_string, use_i18n},
    state::{Visitor, query},
    ui::{Alert, Button, CodeAlert, EmptyState, ErrorSummary, Field, LinkButton, PageTitle, loaded},
};

/// The sign-in page.
#[component]
pub(crate) fn SignIn() -> impl IntoView {
    crate::head::keep_out();
    let (next, visitor) = (query("next"), expect_context::<Visitor>().0);
    loaded(draft_of("sign-in"), move |draft| {
        loaded(visitor, move |me| match me {
            Some(_) => signed_in(),
            None => view! { <Form next=next.get_untracked() draft=draft.clone() /> }.into_any(),
        })
    })
}

/// For those who are signed in already.
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
fn Form(next: String, draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    // The message doesn't say which of the two is wrong.
    let wrong =
        draft.error.as_ref().and_then(|error| error.at("password")) == Some(FieldCode::WrongCredentials);
    let faults = Signal::stored(draft.error.clone().filter(|_| !wrong));
    let next = if next.is_empty() { draft.typed("next") } else { next };
    let (email, password) = (tu_string!(i18n, sign_in.email), tu_string!(i18n, sign_in.password));
    let labels = vec![("email", email.to_owned()), ("password", password.to_owned())];
    let other = routes::with(routes::SIGN_UP, &[("next", &next)]);
    let done = (query("done").get_untracked() == "confirmed").then(|| {
        view! { <Alert look="good">{t!(i18n, sign_in.confirmed)}</Alert> }
    });
    view! {
        <PageTitle text=tu_string!(i18n, sign_in.title) />
        <div class="width page small">
            <h1>{t!(i18n, sign_in.title)}</h1>
            <p class="lead">{t!(i18n, sign_in.lead)}</p>
            <form method="post" action=routes::SIGN_IN class="panel form" novalidate>
                {done}
                <CodeAlert />
                {wrong.then(|| view! { <Alert>{t!(i18n, field.wrong_credentials)}</Alert> })}
                <ErrorSummary faults labels />
                <input type="hidden" name="next" value=next />
                <Field name="email" label=email kind="email" value=draft.typed("email") autocomplete="username" required=true faults />
                <Field name="password" label=password kind="password" autocomplete="current-password" required=true faults />
                <Button>{t!(i18n, sign_in.button)}</Button>
            </form>
            <p>{t!(i18n, sign_in.no_account)} " " <a href=other>{t!(i18n, sign_in.create)}</a></p>
        </div>
    }
}
