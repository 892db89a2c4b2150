//! The sign-up page.

use haat_shared::{FieldCode, accounts::PASSWORD_MIN, forms::Draft, logins::Provider, routes};
use leptos::prelude::*;

use super::logins;
use crate::{
    api::{self, ApiError, ApiResource},
    i18n::{t, tu_string, use_i18n},
    state::{query, sign_in_from},
    ui::{Alert, Button, CodeAlert, ErrorSummary, Field, PageTitle, loaded},
};

/// The stored form before a redirect, if any.
pub(super) fn draft_of(form: &'static str) -> ApiResource<Draft> {
    let id = query("draft");
    api::find(move || id.get(), move |id| draft_by(form, id))
}

/// A stored form by the draft's ID in the URL; empty without one.
pub(crate) async fn draft_by(form: &'static str, id: String) -> Result<Draft, ApiError> {
    let Ok(id) = id.parse() else { return Ok(Draft::default()) };
    api::accounts::draft(form.to_owned(), id).await.map(Option::unwrap_or_default)
}

/// The sign-up page.
#[component]
pub(crate) fn SignUp() -> impl IntoView {
    crate::head::keep_out();
    let next = query("next");
    let ways = api::find(|| (), |()| api::accounts::ways_in());
    loaded(draft_of("sign-up"), move |draft| {
        loaded(ways, move |ways| {
            let providers = ways.providers;
            view! { <Form next=next.get_untracked() draft=draft.clone() providers /> }
        })
    })
}

#[component]
fn Form(next: String, draft: Draft, providers: Vec<Provider>) -> impl IntoView {
    let i18n = use_i18n();
    let taken = draft.error.as_ref().and_then(|error| error.at("email")) == Some(FieldCode::Taken);
    let faults = Signal::stored(draft.error.clone());
    let next = if next.is_empty() { draft.typed("next") } else { next };
    let name = tu_string!(i18n, sign_up.name);
    let (email, password) = (tu_string!(i18n, sign_up.email), tu_string!(i18n, sign_up.password));
    let hint = tu_string!(i18n, sign_up.password_hint, n = PASSWORD_MIN).to_string();
    let labels =
        vec![("name", name.to_owned()), ("email", email.to_owned()), ("password", password.to_owned())];
    let other = sign_in_from(&next);
    let providers = logins::buttons(i18n, &providers, &next);
    let again = other.clone();
    let done = (query("done").get_untracked() == "sent").then(|| {
        view! { <Alert look="good">{t!(i18n, sign_up.sent)}</Alert> }
    });
    view! {
        <PageTitle text=tu_string!(i18n, sign_up.title) />
        <div class="width page small">
            <h1>{t!(i18n, sign_up.title)}</h1>
            <p class="lead">{t!(i18n, sign_up.lead)}</p>
            <form method="post" action=routes::SIGN_UP class="panel form" novalidate>
                {done}
                <CodeAlert />
                {if taken {
                    view! {
                        <Alert>{t!(i18n, field.taken)} " " <a href=again>{t!(i18n, sign_up.sign_in)}</a></Alert>
                    }
                    .into_any()
                } else {
                    view! { <ErrorSummary faults labels /> }.into_any()
                }}
                <input type="hidden" name="next" value=next />
                <Field name="name" label=name value=draft.typed("name") autocomplete="name" required=true faults />
                <Field name="email" label=email kind="email" value=draft.typed("email") autocomplete="username" required=true faults />
                <Field name="password" label=password kind="password" autocomplete="new-password" required=true hint faults />
                <Button>{t!(i18n, sign_up.button)}</Button>
            </form>
            {providers}
            <p>{t!(i18n, sign_up.have_account)} " " <a href=other>{t!(i18n, sign_up.sign_in)}</a></p>
        </div>
    }
}
