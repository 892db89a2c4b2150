//! Icons: one outline set in one sprite.

use leptos::prelude::*;

/// An icon of `public/icons.svg`, always decorative: the text beside it says the same.
#[component]
pub fn Icon(
    /// The name in the sprite.
    name: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true" focusable="false">
            <use href=["/icons.svg#", name].concat()></use>
        </svg>
    }
}
