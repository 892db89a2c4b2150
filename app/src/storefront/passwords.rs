//! New passwords: asking for a link by email, and choosing one by that link.

use haat_shared::{accounts::PASSWORD_MIN, forms::Draft, id::kinds::PasswordResetId, routes};
use leptos::prelude::*;

use super::sign_up::{draft_by, draft_of};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::{param, query},
    ui::{Alert, Button, CodeAlert, EmptyState, ErrorSummary, Field, LinkButton, PageTitle, loaded},
    words::I18n,
};

/// Asks for a link.
#[component]
pub(super) fn Forgot() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    loaded(draft_of("forgot-password"), move |draft| {
        let faults = Signal::stored(draft.error.clone());
        let email = t!(i18n, sign_in.email);
        let done = (query("done").get_untracked() == "sent").then(|| {
            view! { <Alert look="good">{t!(i18n, password.sent)}</Alert> }
        });
        view! {
            <PageTitle text=t!(i18n, password.forgot) />
            <div class="width page small">
                <h1>{t!(i18n, password.forgot)}</h1>
                <p class="lead">{t!(i18n, password.lead)}</p>
                <form method="post" action=routes::FORGOT_PASSWORD class="panel form" novalidate>
                    {done}
                    <CodeAlert />
                    <ErrorSummary faults labels=vec![("email", email.to_owned())] />
                    <Field name="email" label=email kind="email" value=draft.typed("email") autocomplete="username" required=true faults />
                    <Button>{t!(i18n, password.send)}</Button>
                </form>
                <p><a href=routes::SIGN_IN>{t!(i18n, password.back)}</a></p>
            </div>
        }
    })
}

/// Chooses a new password.
#[component]
pub(super) fn Reset() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let (id, token, draft) = (param("id"), query("token"), query("draft"));
    let found = api::find(
        move || (id.get(), token.get(), draft.get()),
        |(id, token, draft)| async move {
            let id: PasswordResetId = api::id(&id)?;
            let email = api::accounts::password_reset(id, token.clone()).await?;
            if email.is_none() {
                api::page_not_found();
            }
            let draft = draft_by("reset-password", draft).await?;
            Ok((email.map(|email| (email, id, token)), draft))
        },
    );
    loaded(found, move |(found, draft)| match found {
        Some((email, id, token)) => form(i18n, email, routes::reset_password(id), token, &draft),
        None => {
            let (title, note) = (t!(i18n, password.expired), t!(i18n, password.expired_note));
            view! {
                <PageTitle text=t!(i18n, password.new_title) />
                <div class="width page">
                    <EmptyState icon="clock" title note page=true>
                        <LinkButton href=routes::FORGOT_PASSWORD>{t!(i18n, password.again)}</LinkButton>
                    </EmptyState>
                </div>
            }
            .into_any()
        }
    })
}

fn form(i18n: I18n, email: String, action: String, token: String, draft: &Draft) -> AnyView {
    let faults = Signal::stored(draft.error.clone());
    let label = t!(i18n, password.new);
    let hint = t!(i18n, sign_up.password_hint, n = PASSWORD_MIN);
    view! {
        <PageTitle text=t!(i18n, password.new_title) />
        <div class="width page small">
            <h1>{t!(i18n, password.new_title)}</h1>
            <p class="lead">{t!(i18n, password.new_lead)}</p>
            <form method="post" action=action class="panel form" novalidate>
                <CodeAlert />
                <ErrorSummary faults labels=vec![("password", label.to_owned())] />
                <input type="hidden" name="token" value=token />
                // For password managers, which store the new password with it.
                <Field name="email" label=t!(i18n, sign_in.email) kind="email" value=email autocomplete="username" readonly=true />
                <Field name="password" label kind="password" autocomplete="new-password" required=true hint faults />
                <Button>{t!(i18n, password.save)}</Button>
            </form>
        </div>
    }
    .into_any()
}
