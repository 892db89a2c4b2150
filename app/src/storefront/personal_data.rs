//! The personal data of an account: a copy of it to download, and its deletion.

use haat_shared::{
    Error,
    forms::Draft,
    personal::{Obstacle, PersonalDataPage},
    routes,
};
use leptos::prelude::*;

use super::sign_up::draft_by;
use crate::{
    api,
    i18n::{t, use_i18n},
    state::query,
    ui::{Alert, Button, Check, ErrorSummary, Field, PageTitle, loaded},
    words::{self, I18n},
};

/// The page. Its forms are plain, with and without JavaScript.
#[component]
pub(super) fn PersonalData() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let draft = query("draft");
    let found = api::find(
        move || draft.get(),
        |draft| async move { Ok((api::accounts::personal_data().await?, draft_by("erase", draft).await?)) },
    );
    loaded(found, move |(page, draft)| {
        let PersonalDataPage { email, has_password, obstacles } = page;
        let delete = match (obstacles.is_empty(), has_password) {
            (false, _) => open_things(i18n, &obstacles),
            (true, false) => set_password(i18n, email),
            (true, true) => delete(i18n, email, &draft),
        };
        view! {
            <PageTitle text=t!(i18n, personal.title) />
            <div class="width page narrow">
                <p>
                    <a href=routes::ACCOUNT>{t!(i18n, account.title)}</a>
                </p>
                <h1>{t!(i18n, personal.title)}</h1>
                <p class="lead">{t!(i18n, personal.lead)} " " <a href=routes::PRIVACY>{t!(i18n, privacy.title)}</a></p>
                <form method="post" action=routes::FORM_EXPORT_DATA class="panel form">
                    <h2>{t!(i18n, personal.copy)}</h2>
                    <p>{t!(i18n, personal.copy_note)}</p>
                    <div class="actions"><Button look="secondary">{t!(i18n, personal.download)}</Button></div>
                </form>
                <section class="panel form" aria-labelledby="delete">
                    <h2 id="delete">{t!(i18n, personal.delete)}</h2>
                    <p>{t!(i18n, personal.goes)}</p>
                    <p>{t!(i18n, personal.stays)}</p>
                    <p>{t!(i18n, personal.shops)}</p>
                    {delete}
                </section>
            </div>
        }
    })
}

/// What has to be finished before.
fn open_things(i18n: I18n, obstacles: &[Obstacle]) -> AnyView {
    let all = obstacles.iter().map(|obstacle| {
        view! { <li><a href=link(*obstacle)>{words::obstacle(i18n, *obstacle)}</a></li> }
    });
    let all = all.collect_view();
    view! {
        <Alert look="info">
            <p>{t!(i18n, personal.not_yet)}</p>
            <ul>{all}</ul>
        </Alert>
    }
    .into_any()
}

/// Where it can be finished.
fn link(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::OwnsShop => routes::SELLER_SHOPS,
        Obstacle::LastOwner => routes::TEAM,
        _ => routes::ACCOUNT,
    }
}

/// For those who sign in with a provider only: whoever reads their emails is asked, like everyone, for a password.
fn set_password(i18n: I18n, email: String) -> AnyView {
    view! {
        <form method="post" action=routes::FORGOT_PASSWORD class="form">
            <p>{t!(i18n, personal.no_password)}</p>
            <input type="hidden" name="email" value=email />
            <div class="actions"><Button look="secondary">{t!(i18n, password.send)}</Button></div>
        </form>
    }
    .into_any()
}

fn delete(i18n: I18n, email: String, draft: &Draft) -> AnyView {
    let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone());
    let (password, confirm) = (t!(i18n, profile.current), t!(i18n, personal.confirm));
    let labels = vec![("password", password.to_owned()), ("confirm", confirm.to_owned())];
    view! {
        <form method="post" action=routes::PERSONAL_DATA class="form" novalidate>
            <ErrorSummary faults labels />
            <input type="hidden" name="username" autocomplete="username" value=email />
            <Field name="password" label=password kind="password" autocomplete="current-password" required=true faults />
            <Check name="confirm" label=confirm checked=!draft.typed("confirm").is_empty() />
            <div class="actions"><Button look="danger">{t!(i18n, personal.delete_now)}</Button></div>
        </form>
    }
    .into_any()
}
