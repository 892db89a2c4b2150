//! What is stored about people, why, and for how long.

use haat_shared::routes;
use leptos::prelude::*;

use crate::{
    i18n::{t, use_i18n},
    ui::PageTitle,
};

/// The page.
#[component]
pub(super) fn Privacy() -> impl IntoView {
    let i18n = use_i18n();
    macro_rules! part {
        ($title:ident $what:ident $why:ident $long:ident) => {
            [
                t!(i18n, privacy.$title),
                t!(i18n, privacy.$what),
                t!(i18n, privacy.$why),
                t!(i18n, privacy.$long),
            ]
        };
    }
    let parts = [
        part!(account account_what account_why account_long),
        part!(orders orders_what orders_why orders_long),
        part!(payments payments_what payments_why payments_long),
        part!(basket basket_what basket_why basket_long),
        part!(messages messages_what messages_why messages_long),
        part!(searches searches_what searches_why searches_long),
        part!(limits limits_what limits_why limits_long),
    ];
    let parts = parts.map(|[title, what, why, long]| {
        let rows =
            [(t!(i18n, privacy.what), what), (t!(i18n, privacy.why), why), (t!(i18n, privacy.long), long)];
        let rows = rows.map(|(name, words)| view! { <div><dt>{name}</dt><dd>{words}</dd></div> });
        view! {
            <section>
                <h2>{title}</h2>
                <dl class="details">{rows.into_iter().collect_view()}</dl>
            </section>
        }
    });
    view! {
        <PageTitle text=t!(i18n, privacy.title) />
        <div class="width page narrow">
            <h1>{t!(i18n, privacy.title)}</h1>
            <p class="lead">{t!(i18n, privacy.lead)}</p>
            {parts.into_iter().collect_view()}
            <section>
                <h2>{t!(i18n, privacy.yours)}</h2>
                <p>{t!(i18n, privacy.yours_note)}</p>
                <p><a href=routes::PERSONAL_DATA>{t!(i18n, personal.title)}</a></p>
            </section>
            <section>
                <h2>{t!(i18n, privacy.cookies)}</h2>
                <p>{t!(i18n, privacy.cookies_note)}</p>
            </section>
        </div>
    }
}
