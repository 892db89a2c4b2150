//! The search field of the header.

use haat_shared::routes;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::Icon;
use crate::{
    i18n::{t, tu_string, use_i18n},
    state::searched,
};

/// A search for products.
#[component]
pub fn SearchForm() -> impl IntoView {
    let i18n = use_i18n();
    let (q, path) = (searched(), use_location().pathname);
    // The messages have a search of their own.
    let q =
        move || if path.with(|path| path.starts_with(routes::MESSAGES)) { String::new() } else { q.get() };
    view! {
        <search class="search">
            <form method="get" action=routes::PRODUCTS class="search-form">
                <label class="hidden" for="search">{t!(i18n, search.label)}</label>
                <input
                    id="search"
                    type="search"
                    name="q"
                    maxlength=haat_shared::catalog::QUERY_MAX.to_string()
                    placeholder=tu_string!(i18n, search.hint)
                    value=q
                    autocomplete="off"
                    enterkeyhint="search"
                    data-words=t!(i18n, search.kinds)
                />
                <button type="submit" class="search-button" aria-label=tu_string!(i18n, search.button)>
                    <Icon name="search" />
                </button>
            </form>
        </search>
    }
}
