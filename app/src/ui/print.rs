//! Printing.

use leptos::prelude::*;

/// A button that prints the page. It needs scripts, and is hidden without them: browsers can print by
/// themselves.
#[component]
pub fn Print(
    /// The label.
    #[prop(into)]
    words: String,
) -> impl IntoView {
    view! {
        <button type="button" class="button secondary print" on:click=move |_| drop(window().print())>
            {words}
        </button>
    }
}
