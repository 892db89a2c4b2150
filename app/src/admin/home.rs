//! The home page of the admin area: what needs attention.

use haat_shared::{accounts::Me, audit::AdminHome, routes};
use leptos::prelude::*;

use super::{AdminPage, Part};
use crate::{
    api,
    i18n::{t, tn, use_i18n},
    state::Visitor,
    ui::{EmptyState, Icon, PageTitle, loaded},
};

/// The home page of the admin area.
#[component]
pub(crate) fn Home() -> impl IntoView {
    let visitor = expect_context::<Visitor>().0;
    let found = api::find(|| (), move |()| async move { Ok((api::audit::home().await?, visitor.await?)) });
    let page = loaded(found, |(home, me)| view! { <Shown home me /> });
    view! { <AdminPage here=Part::Home>{page}</AdminPage> }
}

#[component]
fn Shown(home: AdminHome, me: Option<Me>) -> impl IntoView {
    let i18n = use_i18n();
    let jobs = tn!(i18n, admin.dead_jobs, home.dead_jobs);
    let outbox = tn!(i18n, admin.pending_messages, home.pending_messages);
    let mails = tn!(i18n, admin.failed_mails, home.failed_mails);
    let delayed = tn!(i18n, admin.delayed_mails, home.delayed_mails);
    let orders = tn!(i18n, admin.waiting_orders, home.waiting_orders);
    let todo = [
        (home.dead_jobs, Part::Jobs, jobs, &[("state", "dead")][..]),
        (home.pending_messages, Part::Outbox, outbox, &[("state", "waiting")]),
        (home.failed_mails, Part::Mails, mails, &[]),
        (home.delayed_mails, Part::Mails, delayed, &[]),
        (home.waiting_orders, Part::Orders, orders, &[("overdue", "true")]),
    ];
    let sees = |part: Part| me.as_ref().is_some_and(|me| me.may(part.needs()));
    let todo =
        todo.into_iter().filter(|(n, part, ..)| *n > 0 && sees(*part)).map(|(_, part, words, asked)| {
            view! {
                <li class="row">
                    <Icon name=part.icon() />
                    <a class="row-link" href=routes::with(part.path(), asked)>{words}</a>
                </li>
            }
        });
    let todo: Vec<_> = todo.collect();
    let todo = if todo.is_empty() {
        let (title, note) = (t!(i18n, admin.nothing), t!(i18n, admin.nothing_note));
        view! { <EmptyState icon="check" title note /> }.into_any()
    } else {
        view! { <ul class="rows todo">{todo}</ul> }.into_any()
    };
    view! {
        <PageTitle text=t!(i18n, admin.nav) />
        <h1>{t!(i18n, dashboard.home)}</h1>
        <section class="panel" aria-labelledby="todo">
            <h2 id="todo">{t!(i18n, dashboard.todo)}</h2>
            {todo}
        </section>
    }
}
