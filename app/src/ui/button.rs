//! Buttons.

use leptos::prelude::*;

/// A button that submits its form.
#[component]
pub fn Button(
    /// The variant: `primary`, `secondary` or `quiet`.
    #[prop(default = "primary")]
    look: &'static str,
    /// Whether it is disabled.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// Whether its action is in progress.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// The label.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type="submit"
            class=["button ", look].concat()
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
    /// The URL.
    #[prop(into)]
    href: String,
    /// The variant: `primary`, `secondary` or `quiet`.
    #[prop(default = "primary")]
    look: &'static str,
    /// The label.
    children: Children,
) -> impl IntoView {
    view! { <a class=["button ", look].concat() href=href>{children()}</a> }
}
