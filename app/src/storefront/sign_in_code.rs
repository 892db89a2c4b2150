//! Signing in with a code that is emailed: asking for it, and entering it.

use haat_shared::routes;
use leptos::prelude::*;

use super::sign_up::draft_of;
use crate::{
    i18n::{t, use_i18n},
    state::query,
    ui::{Button, CodeAlert, ErrorSummary, Field, PageTitle, loaded},
};

/// The page of both steps. The browser keeps what the code counts with in a cookie.
#[component]
pub(super) fn SignInCode() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let (next, step) = (query("next"), query("step"));
    loaded(draft_of("sign-in-code"), move |draft| {
        let faults = Signal::stored(draft.error.clone());
        let next = match next.get_untracked() {
            none if none.is_empty() => draft.typed("next"),
            next => next,
        };
        let enters = step.get_untracked() == "enter";
        let (email, code) = (t!(i18n, sign_in.email), t!(i18n, sign_in_code.code));
        let again = routes::with(routes::SIGN_IN_CODE, &[("next", &next)]);
        let password = routes::with(routes::SIGN_IN, &[("next", &next)]);
        let fields = match enters {
            true => view! {
                <p>{t!(i18n, sign_in_code.sent)}</p>
                <Field name="code" label=code autocomplete="one-time-code" keys="numeric" required=true faults />
                <Button>{t!(i18n, sign_in.button)}</Button>
                <p><a href=again>{t!(i18n, sign_in_code.again)}</a></p>
            }
            .into_any(),
            false => view! {
                <input type="hidden" name="action" value="send" />
                <Field name="email" label=email kind="email" value=draft.typed("email") autocomplete="username" required=true faults />
                <Button>{t!(i18n, sign_in_code.send)}</Button>
            }
            .into_any(),
        };
        view! {
            <PageTitle text=t!(i18n, sign_in_code.title) />
            <div class="width page small">
                <h1>{t!(i18n, sign_in_code.title)}</h1>
                {(!enters).then(|| view! { <p class="lead">{t!(i18n, sign_in_code.lead)}</p> })}
                <form method="post" action=routes::SIGN_IN_CODE class="panel form" novalidate>
                    <CodeAlert />
                    <ErrorSummary faults labels=vec![("email", email.to_owned()), ("code", code.to_owned())] />
                    <input type="hidden" name="next" value=next />
                    {fields}
                </form>
                <p><a href=password>{t!(i18n, sign_in_code.password)}</a></p>
            </div>
        }
    })
}
