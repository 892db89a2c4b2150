//! Printing.

use leptos::prelude::*;

/// A button that prints the page. It needs scripts, and is not shown without them: browsers print by themselves.
#[component]
pub fn Print(
    /// Its words.
    #[prop(into)]
    words: String,
) -> impl IntoView {
    view! {
        <button type="button" class="button secondary print" on:click=move |_| drop(window().print())>
            {words}
        </button>
    }
}
