//! Previews of forms without JavaScript: a button sends the form with the page's address, and the page shows the form as it was
//! typed, with its preview. With JavaScript, previews follow what is typed.

use std::collections::BTreeMap;

use haat_shared::forms::Draft;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::i18n::{t, use_i18n};

/// The name of the button, which the address has if a preview is asked for.
const BUTTON: &str = "preview";

/// The fields of the form whose preview is asked for; none otherwise.
pub(crate) fn asked() -> Memo<BTreeMap<String, String>> {
    let query = use_query_map();
    Memo::new(move |_| {
        let query = query.read();
        match query.get(BUTTON) {
            Some(_) => query.clone().into_iter().map(|(name, typed)| (name.into_owned(), typed)).collect(),
            None => BTreeMap::new(),
        }
    })
}

/// What was typed: in a form that was refused, or else in one whose preview is asked for.
pub(crate) fn typed(draft: Draft, asked: BTreeMap<String, String>) -> Draft {
    match draft.error {
        Some(_) => draft,
        None => Draft { fields: asked, error: None },
    }
}

/// The field of a form, or what it begins with.
pub(crate) fn or(draft: &Draft, name: &str, first: &str) -> String {
    draft.fields.get(name).map_or(first, String::as_str).to_owned()
}

/// A field of the basket that a preview is about, and the preview, which changes with what is typed.
pub(crate) fn preview(
    name: &'static str,
    label: &'static str,
    keys: &'static str,
    value: String,
    shown: impl Fn() -> AnyView + Send + 'static,
) -> AnyView {
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input id=name name=name type="text" inputmode=keys value=value />
        </div>
        <div class="summary" aria-live="polite">{shown}</div>
    }
    .into_any()
}

/// The button. It comes after that which saves the form, which Enter in a field presses.
#[component]
pub(crate) fn PreviewButton() -> impl IntoView {
    view! {
        <button type="submit" class="button secondary plain-only" formmethod="get" name=BUTTON value="1">
            {t!(use_i18n(), promotions.preview_show)}
        </button>
    }
}
