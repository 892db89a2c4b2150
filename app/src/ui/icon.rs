//! Icons: one outline set in one sprite.

use leptos::prelude::*;

/// An icon of `public/icons.svg`. It says nothing that the words beside it do not.
#[component]
pub fn Icon(
    /// Its name in the sprite.
    name: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true" focusable="false">
            <use href=format!("/icons.svg#{name}")></use>
        </svg>
    }
}
