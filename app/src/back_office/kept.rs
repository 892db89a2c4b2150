//! How a user likes the back office: settings that the browser keeps, as attributes of `<html>`. The script
//! of the document sets them before the page is painted.

use leptos::{prelude::*, web_sys::js_sys::Reflect};

/// Whether tables have narrow rows.
pub(super) const COMPACT: &str = "data-compact";
/// Whether the navigation shows icons only.
pub(super) const COLLAPSED: &str = "data-collapsed";
/// Whether tables have no keyboard shortcuts.
pub(super) const NO_KEYS: &str = "data-no-keys";

/// A kept setting.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    name: &'static str,
    on: RwSignal<bool>,
}

/// The setting with this name. It is off until the page is hydrated, as on the server.
pub(super) fn kept(name: &'static str) -> Kept {
    let on = RwSignal::new(false);
    Effect::new(move || on.set(document().document_element().is_some_and(|root| root.has_attribute(name))));
    Kept { name, on }
}

impl Kept {
    pub(super) fn get(self) -> bool {
        self.on.get()
    }

    pub(super) fn get_untracked(self) -> bool {
        self.on.get_untracked()
    }

    pub(super) fn flip(self) {
        self.set(!self.on.get_untracked());
    }

    pub(super) fn set(self, on: bool) {
        self.on.set(on);
        if let Some(root) = document().document_element() {
            let _ = root.toggle_attribute_with_force(self.name, on);
        }
        // If the browser blocks storage, the setting lasts until the page is closed.
        if let Ok(storage) = Reflect::get(&window(), &"localStorage".into()) {
            let _ = Reflect::set(&storage, &self.name.into(), &if on { "1" } else { "" }.into());
        }
    }
}
