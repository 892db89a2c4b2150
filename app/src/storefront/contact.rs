//! The contact page.

use haat_shared::{accounts::Me, contact::TEXT_MAX, forms::Draft, routes};
use leptos::prelude::*;

use super::sign_up::draft_of;
use crate::{
    i18n::{t, use_i18n},
    state::{Visitor, query},
    ui::{Alert, Button, CodeAlert, ErrorSummary, Field, PageTitle, TextArea, loaded},
    words::I18n,
};

/// The page. Its form is plain, with and without JavaScript.
#[component]
pub(super) fn Contact() -> impl IntoView {
    let i18n = use_i18n();
    let visitor = expect_context::<Visitor>().0;
    loaded(draft_of("contact"), move |draft| loaded(visitor, move |me| form(i18n, me, &draft)))
}

fn form(i18n: I18n, me: Option<Me>, draft: &Draft) -> AnyView {
    let faults = Signal::stored(draft.error.clone());
    let (name, email) = me.map(|me| (me.name, me.email)).unwrap_or_default();
    let or = |field: &str, known: String| match draft.fields.get(field) {
        Some(typed) => typed.clone(),
        None => known,
    };
    let [name_label, email_label, message_label] =
        [t!(i18n, sign_up.name), t!(i18n, sign_up.email), t!(i18n, contact.message)];
    let labels = vec![
        ("name", name_label.to_owned()),
        ("email", email_label.to_owned()),
        ("message", message_label.to_owned()),
    ];
    let done = (query("done").get_untracked() == "sent")
        .then(|| view! { <Alert look="good">{t!(i18n, contact.sent)}</Alert> });
    view! {
        <PageTitle text=t!(i18n, contact.title) />
        <div class="width page small">
            <h1>{t!(i18n, contact.title)}</h1>
            <p class="lead">{t!(i18n, contact.lead)}</p>
            {done}
            <CodeAlert />
            <form method="post" action=routes::CONTACT class="panel form" novalidate>
                <ErrorSummary faults labels />
                <Field name="name" label=name_label value=or("name", name) autocomplete="name" required=true faults />
                <Field name="email" label=email_label value=or("email", email) kind="email" autocomplete="email" required=true faults />
                <TextArea name="message" label=message_label value=or("message", String::new()) hint=t!(i18n, gifts.message_hint, n = TEXT_MAX as i64) faults />
                // People don't see it.
                <div hidden>
                    <input type="text" name="website" tabindex="-1" autocomplete="off" aria-hidden="true" />
                </div>
                <Button>{t!(i18n, contact.send)}</Button>
            </form>
        </div>
    }
    .into_any()
}
