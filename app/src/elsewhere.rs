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
    // Memos of text, because the first load has the code of such ones anyway. Empty as long as it is not known.
    let here = Memo::new(move |_| {
        let found = visitor.found().get().and_then(|found| found.read::<Option<Me>>().ok());
        found.map_or("", |me| word(me.is_some())).to_owned()
    });
    let ask = move || {
        visitor.refetch();
        if !is_typing() {
            elsewhere.update(|count| *count += 1);
        }
    };
    Effect::new(move |before: Option<String>| {
        let told_there = window_event_listener(ev::storage, move |event| {
            if event.key().as_deref() == Some(KEY) {
                cart.refetch();
                ask();
            }
        });
        on_cleanup(move || told_there.remove());
        let (before, now) = (before.unwrap_or_default(), here.get());
        if now.is_empty() {
            return before;
        }
        if before.is_empty() && !told().starts_with(&now) {
            // A form has signed in or out on the way to this page.
            tell(&now);
        } else if before == word(true) && now == word(false) {
            // Signed out elsewhere: what this page shows is for nobody here any more.
            let _ = window().location().reload();
        }
        now
    });
    // Conversations have a socket of their own, which says the same.
    let at = use_location().pathname;
    let path = Memo::new(move |_| {
        let needed = here.get() == word(true) && !at.with(|path| routes::is_conversation(path));
        if needed { routes::LIVE.to_owned() } else { String::new() }
    });
    let opened_before = StoredValue::new(0_u64);
    // What was said while there was no socket.
    let opened = move || {
        if opened_before.get_value() > 0 {
            cart.refetch();
            ask();
        }
        opened_before.set_value(1);
    };
    socket::follow(path, opened, move |_| ask());
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
        tell(word(told().starts_with(word(true))));
    }
}

/// Whether someone is signed in, as the storage says it.
fn word(here: bool) -> &'static str {
    if here { "in" } else { "out" }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

fn told() -> String {
    storage().and_then(|storage| storage.get_item(KEY).ok()).flatten().unwrap_or_default()
}

/// The same twice is another change, so each has a time. Browsers that keep nothing tell nobody.
fn tell(word: &str) {
    let Some(storage) = storage() else { return };
    // A number would bring the code that writes numbers with fractions, which is larger than all of this.
    let at = String::from(js_sys::Date::new_0().to_iso_string());
    let _ = storage.set_item(KEY, &[word, " ", &at].concat());
}
