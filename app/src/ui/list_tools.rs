//! What is above a list of the seller dashboard and the admin area: search and filter chips.

use leptos::prelude::*;

use crate::i18n::{t, use_i18n};

/// The search above a list. It keeps the list's other filters.
pub fn search(
    path: String,
    q: &str,
    label: &'static str,
    kept: &[(&'static str, &str)],
) -> impl IntoView + use<> {
    let i18n = use_i18n();
    let kept = kept.iter().filter(|(_, value)| !value.is_empty());
    let kept =
        kept.map(|(name, value)| view! { <input type="hidden" name=*name value=(*value).to_owned() /> });
    view! {
        <search>
            <form method="get" action=path class="list-search">
                <label class="hidden" for="q">{label}</label>
                <input id="q" type="search" name="q" value=q.to_owned() placeholder=label autocomplete="off" maxlength=haat_shared::catalog::QUERY_MAX.to_string() />
                {kept.collect_view()}
                <button type="submit" class="button secondary">{t!(i18n, search.button)}</button>
            </form>
        </search>
    }
}

/// Filter chips above a list, as links: URL, label, and whether the filter is active.
pub fn chips(label: &'static str, choices: Vec<(String, &'static str, bool)>) -> impl IntoView + use<> {
    let links = choices.into_iter().map(|(href, words, current)| {
        view! { <a class="chip" href=href aria-current=current.then_some("true")>{words}</a> }
    });
    view! { <nav class="chips" aria-label=label>{links.collect_view()}</nav> }
}
