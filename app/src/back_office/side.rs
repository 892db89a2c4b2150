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
    /// Whether it shows the number of orders to confirm and to ship.
    pub(crate) counts: bool,
}

/// The navigation.
#[component]
pub(crate) fn Side(
    /// Its label.
    label: &'static str,
    /// The sections.
    places: Vec<Place>,
    /// What shows the groups behind the first on phones, if they don't fit.
    more: Option<fn(I18n) -> AnyView>,
    /// The number of orders to confirm and to ship.
    #[prop(into)]
    due: Signal<i64>,
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

fn link(place: Place, due: Signal<i64>) -> impl IntoView {
    let i18n = use_i18n();
    let count = place.counts.then_some(move || {
        let due = due.get();
        (due > 0).then(|| {
            view! {
                <span class="side-count">
                    <span aria-hidden="true">{words::number(i18n, due)}</span>
                    <span class="hidden">{tn!(i18n, office.due, due)}</span>
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

/// The number of a shop's orders to confirm and to ship. Loaded once the page is hydrated, so that no page
/// waits for it; until then, it is the number on the page before.
pub(super) fn due_orders(shop: Option<String>) -> RwSignal<i64> {
    // Written in the browser only.
    static KNOWN: Mutex<(String, i64)> = Mutex::new((String::new(), 0));
    let known = KNOWN.lock().ok().filter(|known| Some(&known.0) == shop.as_ref()).map_or(0, |known| known.1);
    let due = RwSignal::new(known);
    Effect::new(move || {
        let Some(handle) = shop.clone() else { return };
        spawn_local(async move {
            let Ok(to_do) = api::shops::to_do(handle.clone()).await else { return };
            let count = to_do.to_confirm + to_do.to_ship;
            if let Ok(mut known) = KNOWN.lock() {
                *known = (handle, count);
            }
            // The page may be gone by now.
            let _ = due.try_set(count);
        });
    });
    due
}
