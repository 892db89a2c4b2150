//! The order of a list.

use leptos::prelude::*;

use crate::i18n::{t, use_i18n};

/// The sort orders of a list, as links: URL, label, and whether it is the current one.
pub fn sorts(choices: Vec<(String, &'static str, bool)>) -> impl IntoView + use<> {
    let links = choices.into_iter().map(|(href, words, current)| {
        view! { <li><a href=href aria-current=current.then_some("true")>{words}</a></li> }
    });
    view! {
        <nav class="sorts" aria-labelledby="sort-by">
            <span id="sort-by">{t!(use_i18n(), products.sort)}</span>
            <ul>{links.collect_view()}</ul>
        </nav>
    }
}
