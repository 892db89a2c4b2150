//! What people search for, and the words that mean the same.

use haat_shared::{
    Error,
    catalog::synonyms::{SearchReport, SearchedTerm},
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, Part};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::query,
    storefront::draft_by,
    ui::{Alert, Button, CodeAlert, ErrorSummary, PageTitle, Table, TextArea, loaded},
    words::{self, I18n},
};

/// The search report with the form of synonyms.
#[component]
pub(crate) fn Searches() -> impl IntoView {
    let i18n = use_i18n();
    let (done, draft) = (query("done"), query("draft"));
    let found = api::find(
        move || (draft.get(), done.get()),
        |(draft, done)| async move {
            let report = api::catalog::searches().await?;
            Ok((report, draft_by("synonyms", draft).await?, done))
        },
    );
    let page = loaded(found, move |(report, draft, done)| {
        let SearchReport { days, searches, misses, frequent, missed, synonyms } = report;
        let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone());
        let written = if draft.error.is_some() { draft.typed("synonyms") } else { synonyms };
        let done =
            (!done.is_empty()).then(|| view! { <Alert look="good">{t!(i18n, searches.saved)}</Alert> });
        let number = |n| words::number(i18n, n);
        let sum = t!(i18n, searches.sum, days = number(days), n = number(searches), misses = number(misses));
        view! {
            <PageTitle text=t!(i18n, searches.title) />
            <h1>{t!(i18n, searches.title)}</h1>
            <CodeAlert />
            {done}
            <ErrorSummary faults labels=vec![("synonyms", t!(i18n, searches.synonyms).to_owned())] />
            <div class="panel form"><p>{sum}</p></div>
            {terms(i18n, t!(i18n, searches.missed), missed, t!(i18n, searches.none_missed))}
            {terms(i18n, t!(i18n, searches.frequent), frequent, t!(i18n, searches.none))}
            <form method="post" action=routes::SEARCHES class="panel form" novalidate>
                <h2>{t!(i18n, searches.synonyms)}</h2>
                <TextArea name="synonyms" label=t!(i18n, searches.same) value=written rows=8 hint=t!(i18n, searches.hint) faults />
                <div class="actions"><Button>{t!(i18n, searches.save)}</Button></div>
            </form>
        }
    });
    view! { <AdminPage here=Part::Searches>{page}</AdminPage> }
}

/// A table of what is searched for. Each term leads to its results.
fn terms(i18n: I18n, title: &'static str, terms: Vec<SearchedTerm>, none: &'static str) -> AnyView {
    if terms.is_empty() {
        return view! {
            <section class="panel form">
                <h2>{title}</h2>
                <p class="note">{none}</p>
            </section>
        }
        .into_any();
    }
    let row = |SearchedTerm { term, searches, misses }| {
        let href = routes::with(routes::PRODUCTS, &[("q", &term)]);
        view! {
            <tr>
                <th scope="row">
                    <a href=href dir="auto" translate="no">{term}</a>
                </th>
                <td class="number">{words::number(i18n, searches)}</td>
                <td class="number">{words::number(i18n, misses)}</td>
            </tr>
        }
    };
    let rows = terms.into_iter().map(row).collect_view();
    let columns = vec![
        (t!(i18n, searches.term), ""),
        (t!(i18n, searches.count), "number"),
        (t!(i18n, searches.without), "number"),
    ];
    view! {
        <section class="panel form">
            <h2>{title}</h2>
            <Table caption=title columns>{rows}</Table>
        </section>
    }
    .into_any()
}
