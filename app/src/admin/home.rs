//! The first look at the desk: what needs a hand.

use haat_shared::{audit::DeskHome, routes};
use leptos::prelude::*;

use super::{Page, Part};
use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    ui::{EmptyState, Icon, PageTitle, loaded},
};

/// The desk's first page.
#[component]
pub(crate) fn Home() -> impl IntoView {
    let found = api::find(|| (), |()| api::audit::home());
    let page = loaded(found, |home| view! { <Shown home /> });
    view! { <Page here=Part::Home>{page}</Page> }
}

#[component]
fn Shown(home: DeskHome) -> impl IntoView {
    let i18n = use_i18n();
    let jobs = match home.dead_jobs {
        1 => t!(i18n, desk.dead_one).to_owned(),
        n => tu_string!(i18n, desk.dead_many, n = n).to_string(),
    };
    let facts = match home.untold_facts {
        1 => t!(i18n, desk.untold_one).to_owned(),
        n => tu_string!(i18n, desk.untold_many, n = n).to_string(),
    };
    let mails = match home.failed_mails {
        1 => t!(i18n, desk.failed_one).to_owned(),
        n => tu_string!(i18n, desk.failed_many, n = n).to_string(),
    };
    let orders = match home.waiting_orders {
        1 => t!(i18n, desk.waiting_one).to_owned(),
        n => tu_string!(i18n, desk.waiting_many, n = n).to_string(),
    };
    let todo = [
        (home.dead_jobs, Part::Jobs, jobs, &[("state", "dead")][..]),
        (home.untold_facts, Part::Outbox, facts, &[("waiting", "1")]),
        (home.failed_mails, Part::Mails, mails, &[]),
        (home.waiting_orders, Part::Orders, orders, &[("state", "placed")]),
    ];
    let todo = todo.into_iter().filter(|(n, ..)| *n > 0).map(|(_, part, words, asked)| {
        view! {
            <li class="row">
                <Icon name=part.icon() />
                <a class="row-link" href=routes::with(part.path(), asked)>{words}</a>
            </li>
        }
    });
    let todo: Vec<_> = todo.collect();
    let todo = if todo.is_empty() {
        let (title, note) = (t!(i18n, desk.nothing), t!(i18n, desk.nothing_note));
        view! { <EmptyState icon="check" title note /> }.into_any()
    } else {
        view! { <ul class="rows todo">{todo}</ul> }.into_any()
    };
    view! {
        <PageTitle text=t!(i18n, desk.nav) />
        <h1>{t!(i18n, counter.home)}</h1>
        <section class="panel" aria-labelledby="todo">
            <h2 id="todo">{t!(i18n, counter.todo)}</h2>
            {todo}
        </section>
    }
}
