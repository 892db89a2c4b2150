//! The command palette: pages, actions, and the shop's orders and products or the market's orders, users and shops, by
//! keyboard.

use std::{pin::Pin, time::Duration};

use haat_shared::{catalog::QUERY_MAX, routes, search::SEARCH_MIN, text};
use leptos::{
    ev, html,
    prelude::*,
    task::spawn_local,
    wasm_bindgen::JsCast,
    web_sys::{Element, HtmlElement},
};

use super::{Office, bar::SIGN_OUT};
use crate::{
    api::ApiError,
    i18n::{t, tn, tu_string, use_i18n},
    ui::Icon,
    words::{self, I18n},
};

const LIST: &str = "palette-list";
/// The pause in typing after which the server is asked.
const PAUSE: Duration = Duration::from_millis(200);

/// Something to choose.
#[derive(Clone, PartialEq)]
pub(crate) struct Entry {
    /// The heading of its group.
    pub(crate) group: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) words: String,
    /// More about it.
    pub(crate) note: String,
    /// Where it leads; `None` signs out.
    pub(crate) href: Option<String>,
}

/// Asks the server for what contains some words, in the shop with a handle if the back office is a shop's. Each back
/// office has a function of its own, so that its pages don't load the code for what another one finds.
pub(crate) type Find = fn(I18n, String, String) -> Finding;
/// The answer, once it is there.
pub(crate) type Finding = Pin<Box<dyn Future<Output = Result<Vec<Entry>, ApiError>>>>;

/// The words to search for; empty if there are too few characters.
fn wanted(typed: &str) -> String {
    let words = text::clip(typed, QUERY_MAX);
    if words.chars().count() < SEARCH_MIN { String::new() } else { words }
}

/// The palette. It is shown as long as `opened` is set.
#[component]
pub(super) fn Palette(office: Office, opened: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let dialog = NodeRef::<html::Dialog>::new();
    let (typed, active) = (RwSignal::new(String::new()), RwSignal::new(0));
    // What the server found.
    let found = RwSignal::new(Vec::<Entry>::new());
    let failed = RwSignal::new(None::<String>);
    let (find, shop) = (office.find, StoredValue::new(office.shop.clone()));
    let office = StoredValue::new(office);
    let entries = Memo::new(move |_| {
        if !opened.get() {
            return Vec::new();
        }
        let mut entries = office.with_value(|office| fixed(i18n, office));
        let part = typed.with(|typed| typed.trim().to_lowercase());
        entries.retain(|entry| entry.words.to_lowercase().contains(&part));
        let wanted = typed.with(|typed| wanted(typed));
        if !wanted.is_empty() {
            entries.extend(found.get());
            office.with_value(|office| entries.extend(lists(i18n, office, &wanted)));
        }
        entries
    });
    let count = move || entries.with(Vec::len);
    let at = Memo::new(move |_| active.get().min(count().saturating_sub(1)));

    let search = move || {
        active.set(0);
        failed.set(None);
        let words = typed.with_untracked(|typed| wanted(typed));
        if words.is_empty() {
            found.set(Vec::new());
            return;
        }
        let shop = shop.get_value();
        set_timeout(
            move || {
                // Not if another letter was typed, or the page was left.
                let current = move |words: &str| {
                    typed.try_with_untracked(|typed| wanted(typed)).is_some_and(|current| current == words)
                };
                if !current(&words) {
                    return;
                }
                spawn_local(async move {
                    let answer = find(i18n, shop.unwrap_or_default(), words.clone()).await;
                    if !current(&words) {
                        return;
                    }
                    match answer {
                        Ok(answer) => found.set(answer),
                        Err(error) => failed.set(Some(words::error(i18n, &error.0))),
                    }
                });
            },
            PAUSE,
        );
    };
    let press = move |event: ev::KeyboardEvent| {
        let (at, count) = (at.get_untracked(), untrack(count));
        match event.key().as_str() {
            "ArrowDown" if count > 0 => active.set((at + 1) % count),
            "ArrowUp" if count > 0 => active.set((at + count - 1) % count),
            // Enter may also end the input of a composed letter.
            "Enter" if !event.is_composing() => {
                if let Some(option) = option(at) {
                    option.click();
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    Effect::new(move || {
        if let (true, Some(option)) = (count() > 0, option(at.get())) {
            show(&option);
        }
    });
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        match (opened.get(), dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    Effect::new(move || {
        let pressed = window_event_listener(ev::keydown, move |event| {
            let chord = (event.ctrl_key() || event.meta_key()) && !event.alt_key() && !event.shift_key();
            if chord && event.key().eq_ignore_ascii_case("k") {
                event.prevent_default();
                opened.update(|opened| *opened = !*opened);
            }
        });
        on_cleanup(move || pressed.remove());
    });

    let list = move || {
        entries.with(|entries| {
            let mut next = 0;
            let groups = entries.chunk_by(|a, b| a.group == b.group).map(|group| {
                let title = format!("palette-group-{next}");
                let label = title.clone();
                let options = group.iter().cloned().map(|entry| {
                    let number = next;
                    next += 1;
                    choice(entry, number, at, active, opened)
                });
                let options = options.collect_view();
                view! {
                    <div role="group" aria-labelledby=label>
                        <p class="palette-group" role="presentation" id=title>{group[0].group}</p>
                        {options}
                    </div>
                }
            });
            groups.collect_view()
        })
    };
    let none = move || {
        let typed = opened.get() && typed.with(|typed| !typed.trim().is_empty());
        let words =
            failed.get().or_else(|| (typed && count() == 0).then(|| t!(i18n, products.none).into()))?;
        Some(view! { <p class="palette-none">{words}</p> })
    };
    let status =
        move || (opened.get() && !typed.read().is_empty()).then(|| tn!(i18n, office.results, count()));
    view! {
        <dialog
            node_ref=dialog
            class="palette"
            aria-label=tu_string!(i18n, office.palette)
            on:close=move |_| {
                opened.set(false);
                typed.set(String::new());
                found.set(Vec::new());
                failed.set(None);
                active.set(0);
            }
            // Beside the palette.
            on:click=move |event| {
                let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
                if target.is_some_and(|target| target.tag_name() == "DIALOG") {
                    opened.set(false);
                }
            }
        >
            <div class="palette-box">
                <div class="palette-head">
                    <Icon name="search" />
                    <input
                        type="text"
                        role="combobox"
                        aria-label=tu_string!(i18n, office.palette)
                        aria-expanded="true"
                        aria-controls=LIST
                        aria-autocomplete="list"
                        aria-activedescendant=move || (count() > 0).then(|| option_id(at.get()))
                        placeholder=tu_string!(i18n, office.hint)
                        maxlength=QUERY_MAX.to_string()
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                        enterkeyhint="go"
                        prop:value=move || typed.get()
                        on:input=move |event| {
                            typed.set(event_target_value(&event));
                            search();
                        }
                        on:keydown=press
                    />
                    <button type="button" class="icon-button" aria-label=tu_string!(i18n, layout.close) on:click=move |_| opened.set(false)>
                        <Icon name="close" />
                    </button>
                </div>
                <div id=LIST class="palette-list" role="listbox" aria-label=tu_string!(i18n, office.palette)>{list}</div>
                {none}
                <p class="hidden" role="status">{status}</p>
            </div>
        </dialog>
    }
}

fn option_id(number: usize) -> String {
    format!("palette-{number}")
}

fn option(number: usize) -> Option<HtmlElement> {
    document().get_element_by_id(&option_id(number))?.dyn_into().ok()
}

/// Scrolls an option of the list into view, and the page not at all.
fn show(option: &HtmlElement) {
    let Some(list) = document().get_element_by_id(LIST) else { return };
    let (top, bottom) = (option.offset_top(), option.offset_top() + option.offset_height());
    if top < list.scroll_top() {
        // The first heading is visible again.
        list.set_scroll_top(if option.id() == option_id(0) { 0 } else { top });
    } else if bottom > list.scroll_top() + list.client_height() {
        list.set_scroll_top(bottom - list.client_height());
    }
}

/// A choice in the list. It is a link, or the button of a form, so that choosing it does what a click on
/// one does anywhere, including the question before unsaved changes are lost.
fn choice(
    entry: Entry,
    number: usize,
    at: Memo<usize>,
    active: RwSignal<usize>,
    opened: RwSignal<bool>,
) -> AnyView {
    let selected = move || (at.get() == number).to_string();
    let point = move |_| active.set(number);
    let note = (!entry.note.is_empty()).then(|| view! { <span class="note">{entry.note}</span> });
    let inside = view! {
        <Icon name=entry.icon />
        <span class="palette-words">{entry.words}</span>
        {note}
    };
    match entry.href {
        Some(href) => view! {
            <a
                id=option_id(number)
                class="palette-option"
                role="option"
                tabindex="-1"
                href=href
                aria-selected=selected
                on:mousemove=point
                on:click=move |_| opened.set(false)
            >
                {inside}
            </a>
        }
        .into_any(),
        None => view! {
            <button
                id=option_id(number)
                class="palette-option"
                role="option"
                tabindex="-1"
                type="submit"
                form=SIGN_OUT
                aria-selected=selected
                on:mousemove=point
                on:click=move |_| opened.set(false)
            >
                {inside}
            </button>
        }
        .into_any(),
    }
}

/// The pages and actions.
fn fixed(i18n: I18n, office: &Office) -> Vec<Entry> {
    let pages = office.places.iter().map(|place| Entry {
        group: t!(i18n, office.pages),
        icon: place.icon,
        words: place.words.to_owned(),
        note: String::new(),
        href: Some(place.href.clone()),
    });
    let action = |icon, words: &str, href| Entry {
        group: t!(i18n, office.actions),
        icon,
        words: words.to_owned(),
        note: String::new(),
        href,
    };
    let own = office.actions.iter().map(|(href, words)| action("up", words, Some(href.clone())));
    let visit = office
        .shop
        .as_deref()
        .map(|handle| action("awning", t!(i18n, seller_orders.visit), Some(routes::shop(handle))));
    let account = action("person", t!(i18n, header.account), Some(routes::ACCOUNT.into()));
    let sign_out = action("back", t!(i18n, header.sign_out), None);
    pages.chain(own).chain(visit).chain([account, sign_out]).collect()
}

/// The lists, filtered by these words.
fn lists(i18n: I18n, office: &Office, q: &str) -> Vec<Entry> {
    let lists = office.lists.iter().map(|(path, list)| Entry {
        group: t!(i18n, office.in_lists),
        icon: "search",
        words: t!(i18n, office.in_list, list = *list, q = q),
        note: String::new(),
        href: Some(routes::with(path, &[("q", q)])),
    });
    lists.collect()
}
