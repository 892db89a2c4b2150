//! The navigation of a back office.

use std::sync::Mutex;

use leptos::{prelude::*, task::spawn_local};

use super::kept::{COLLAPSED, kept};
use crate::{
    api,
    i18n::{t, tn, use_i18n},
    ui::Icon,
    words::{self, I18n},
};

/// A link to a section of a back office.
#[derive(Clone)]
pub(crate) struct Place {
    /// The heading of its group; empty for the first group.
    pub(crate) group: &'static str,
    pub(crate) href: String,
    pub(crate) icon: &'static str,
    pub(crate) words: &'static str,
    /// Whether it is the current section.
    pub(crate) here: bool,
    /// What it counts, if anything: the position in [`Due`].
    pub(crate) counts: Option<usize>,
}

/// What waits for a shop: orders to confirm and to ship, and unread messages.
type Due = [i64; 2];

/// The navigation.
#[component]
pub(crate) fn Side(
    /// Its label.
    label: &'static str,
    /// The sections.
    places: Vec<Place>,
    /// What shows the groups behind the first on phones, if they don't fit.
    more: Option<fn(I18n) -> AnyView>,
    /// What waits for the shop.
    #[prop(into)]
    due: Signal<Due>,
) -> impl IntoView {
    let i18n = use_i18n();
    let collapsed = kept(COLLAPSED);
    let groups = places.chunk_by(|a, b| a.group == b.group).map(|group| {
        let title = group[0].group;
        let title = (!title.is_empty()).then(|| view! { <p class="side-title">{title}</p> });
        let links = group.iter().cloned().map(|place| link(place, due)).collect_view();
        view! { <div class="side-group">{title}<ul>{links}</ul></div> }
    });
    view! {
        <nav class="back-office-nav" aria-label=label>
            {groups.collect_view()}
            {more.map(|more| more(i18n))}
            <button
                type="button"
                class="back-office-link side-collapse live-only"
                aria-pressed=move || collapsed.get().to_string()
                on:click=move |_| collapsed.flip()
            >
                <Icon name="side" />
                <span class="side-words">{t!(i18n, office.collapse)}</span>
            </button>
        </nav>
    }
}

fn link(place: Place, due: Signal<Due>) -> impl IntoView {
    let i18n = use_i18n();
    let count = place.counts.map(|of| move || {
        let due = due.get()[of];
        (due > 0).then(|| {
            view! {
                <span class="side-count">
                    <span aria-hidden="true">{words::number(i18n, due)}</span>
                    <span class="hidden">{if of == 0 { tn!(i18n, office.due, due) } else { tn!(i18n, chat.unread, due) }}</span>
                </span>
            }
        })
    });
    view! {
        <li>
            <a class="back-office-link" href=place.href aria-current=place.here.then_some("page")>
                <Icon name=place.icon />
                <span class="side-words">{place.words}</span>
            </a>
            {count}
        </li>
    }
}

/// What waits for a shop. Loaded once the page is hydrated, so that no page
/// waits for it; until then, it is the number on the page before.
pub(super) fn due_orders(shop: Option<String>) -> RwSignal<Due> {
    // Written in the browser only.
    static KNOWN: Mutex<(String, Due)> = Mutex::new((String::new(), [0; 2]));
    let known =
        KNOWN.lock().ok().filter(|known| Some(&known.0) == shop.as_ref()).map_or([0; 2], |known| known.1);
    let due = RwSignal::new(known);
    Effect::new(move || {
        let Some(handle) = shop.clone() else { return };
        spawn_local(async move {
            let Ok(to_do) = api::shops::to_do(handle.clone()).await else { return };
            let count = [to_do.to_confirm + to_do.to_ship, to_do.unread_messages];
            if let Ok(mut known) = KNOWN.lock() {
                *known = (handle, count);
            }
            // The page may be gone by now.
            let _ = due.try_set(count);
        });
    });
    due
}
