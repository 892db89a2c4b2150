//! Keyboard shortcuts for rows of tables: j and k move between them, x selects. Enter opens a row's link, as
//! everywhere.
//!
//! They can be switched off, for those who speak to their computer or hit keys by accident (WCAG 2.1.4).

use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{Element, HtmlElement, KeyboardEvent},
};

use super::kept::Kept;

/// Listens as long as the page is shown. `off` switches it off.
pub(super) fn row_keys(off: Kept) {
    Effect::new(move || {
        let pressed = window_event_listener(ev::keydown, move |event| {
            if !off.get_untracked() && press(&event).is_some() {
                event.prevent_default();
            }
        });
        on_cleanup(move || pressed.remove());
    });
}

/// What a key does; `None` if it does nothing.
fn press(event: &KeyboardEvent) -> Option<()> {
    let key = event.key();
    let chord = event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented();
    if chord || !["j", "k", "x"].contains(&key.as_str()) {
        return None;
    }
    let here = document().active_element();
    let elsewhere = "input:not([type=checkbox]), textarea, select, dialog, dialog *";
    if here.as_ref().is_some_and(|here| here.matches(elsewhere).unwrap_or(true)) {
        return None;
    }
    let links = document().query_selector_all(".table .row-link").ok()?;
    let link = |at: u32| links.get(at)?.dyn_into::<HtmlElement>().ok();
    let row = |element: &Element| element.closest("tr").ok().flatten();
    let at = here.as_ref().and_then(row);
    let at = at.and_then(|at| {
        (0..links.length()).find(|i| link(*i).and_then(|link| row(&link)).as_ref() == Some(&at))
    });
    match (key.as_str(), at) {
        ("x", Some(at)) => {
            let tick = row(&link(at)?.into())?.query_selector("input[type=checkbox]").ok()??;
            tick.dyn_into::<HtmlElement>().ok()?.click();
            Some(())
        }
        ("x", None) => None,
        // From outside, j begins with the first row and k with the last.
        ("j", at) => link(at.map_or(0, |at| at + 1))?.focus().ok(),
        (_, at) => link(at.unwrap_or(links.length()).checked_sub(1)?)?.focus().ok(),
    }
}
