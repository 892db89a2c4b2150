//! What changes while a page is open: in other tabs of the browser, and at the market.
//!
//! Whoever changes the cart, or signs in or out, writes to the browser's storage, and all other tabs are told. The market says
//! over a socket that there is something new for the user. Both only say that it is worth asking.

use haat_shared::{accounts::Me, routes};
use leptos::{
    ev,
    prelude::*,
    web_sys::{self, js_sys},
};
use leptos_router::hooks::use_location;

use crate::{
    socket,
    state::{CartCount, Visitor},
};

const KEY: &str = "haat.tabs";

/// How often something changed elsewhere since this page was opened. What should stay up to date depends on it.
#[derive(Clone, Copy)]
pub(crate) struct Elsewhere(RwSignal<u32>);

impl Elsewhere {
    pub(crate) fn changes(self) -> u32 {
        self.0.get()
    }
}

/// Follows the other tabs and the market, and tells the other tabs what a form has changed on the way to this page.
pub(crate) fn provide() {
    let (cart, visitor) = (expect_context::<CartCount>().0, expect_context::<Visitor>().0);
    let elsewhere = RwSignal::new(0);
    provide_context(Elsewhere(elsewhere));
    let here = move || {
        visitor.found().get().and_then(|found| found.read::<Option<Me>>().ok()).map(|me| me.is_some())
    };
    let ask = move || {
        visitor.refetch();
        if !is_typing() {
            elsewhere.update(|count| *count += 1);
        }
    };
    Effect::new(move || {
        let told = window_event_listener(ev::storage, move |event| {
            if event.key().as_deref() == Some(KEY) {
                cart.refetch();
                ask();
            }
        });
        on_cleanup(move || told.remove());
    });
    // Conversations have a socket of their own, which says the same.
    let at = use_location().pathname;
    let is_signed_in = Memo::new(move |_| here() == Some(true));
    let talking = Memo::new(move |_| at.with(|path| routes::is_conversation(path)));
    let path =
        Signal::derive(move || (is_signed_in.get() && !talking.get()).then(|| routes::LIVE.to_owned()));
    let first = StoredValue::new(true);
    // What was said while there was no socket.
    let opened = move || {
        if !first.get_value() {
            cart.refetch();
            ask();
        }
        first.set_value(false);
    };
    socket::follow(path, opened, move |_| ask());
    Effect::new(move |before: Option<Option<(bool, i64)>>| {
        let count = cart.found().get().and_then(|found| found.read::<i64>().ok());
        let now = here().zip(count);
        match (before.flatten(), now) {
            (None, Some((here, count))) if !told().starts_with(&state(here, count)) => tell(here, count),
            // Signed out elsewhere: what this page shows is for nobody here any more.
            (Some((true, _)), Some((false, _))) => drop(window().location().reload()),
            _ => {}
        }
        now.or(before.flatten())
    });
}

/// Whether the user is in a field of this page, whose content a new view would lose.
fn is_typing() -> bool {
    let fields = ["INPUT", "TEXTAREA", "SELECT"];
    let field =
        document().active_element().is_some_and(|element| fields.contains(&element.tag_name().as_str()));
    field && document().has_focus().unwrap_or_default()
}

impl CartCount {
    /// The cart has been changed here.
    pub(crate) fn changed(self, count: i64) {
        self.0.set(count);
        // Whether someone is signed in was told when the page was opened.
        tell(told().starts_with("in"), count);
    }
}

fn state(here: bool, count: i64) -> String {
    format!("{} {count} ", if here { "in" } else { "out" })
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

fn told() -> String {
    storage().and_then(|storage| storage.get_item(KEY).ok()).flatten().unwrap_or_default()
}

/// The same state twice is another change, so each has a time. Browsers that keep nothing tell nobody.
fn tell(here: bool, count: i64) {
    let Some(storage) = storage() else { return };
    let at = js_sys::Date::now();
    let _ = storage.set_item(KEY, &format!("{}{at}", state(here, count)));
}
