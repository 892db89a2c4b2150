//! Buttons.

use leptos::prelude::*;

/// A button that sends its form.
#[component]
pub fn Button(
    /// How it looks: `primary`, `secondary` or `quiet`.
    #[prop(default = "primary")]
    look: &'static str,
    /// Whether it is of no use just now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// Whether something that it began is under way.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Its words.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type="submit"
            class=format!("button {look}")
            disabled=disabled
            aria-busy=move || busy.get().then_some("true")
        >
            {children()}
        </button>
    }
}

/// A link that looks like a button.
#[component]
pub fn LinkButton(
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// How it looks: `primary`, `secondary` or `quiet`.
    #[prop(default = "primary")]
    look: &'static str,
    /// Its words.
    children: Children,
) -> impl IntoView {
    view! { <a class=format!("button {look}") href=href>{children()}</a> }
}
