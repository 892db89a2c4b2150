//! Long forms: a warning before unsaved changes are lost, and a save button that stays in view.

use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
    web_sys,
};

use super::Button;
use crate::i18n::{t, tu_string, use_i18n};

/// Asks before leaving a page with unsaved input.
#[component]
pub fn Guard(
    /// Whether there are unsaved changes.
    dirty: RwSignal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    Effect::new(move || {
        let closing = window_event_listener(ev::beforeunload, move |event| {
            if dirty.get_untracked() {
                event.prevent_default();
            }
        });
        // A bubbling click reaches this listener before the router's.
        let clicked = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
            let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
            let link = target
                .and_then(|target| target.closest("a[href]:not([target],[rel=external])").ok())
                .flatten();
            if link.is_none() || event.default_prevented() || !dirty.get_untracked() {
                return;
            }
            match window().confirm_with_message(tu_string!(i18n, form.leave)) {
                Ok(false) => event.prevent_default(),
                _ => dirty.set(false),
            }
        });
        let listener = clicked.as_ref().unchecked_ref::<web_sys::js_sys::Function>().clone();
        let _ = document().add_event_listener_with_callback("click", &listener);
        let kept = StoredValue::new_local((clicked, listener));
        on_cleanup(move || {
            closing.remove();
            let _ = kept.try_update_value(|(_, listener)| {
                let _ = document().remove_event_listener_with_callback("click", listener);
            });
        });
    });
}

/// The button that saves a form, and whether there are unsaved changes.
#[component]
pub fn SaveBar(
    /// Whether there are unsaved changes.
    #[prop(into)]
    dirty: Signal<bool>,
    /// Whether saving is in progress.
    #[prop(into)]
    busy: Signal<bool>,
    /// The label.
    #[prop(into)]
    words: String,
    /// Another submit button.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="save-bar">
            <p class="note" role="status">{move || dirty.get().then(|| t!(i18n, form.unsaved))}</p>
            {children.map(|children| children())}
            <Button busy>{words}</Button>
        </div>
    }
}
