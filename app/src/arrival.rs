//! Focus and scroll position after a navigation within the app: the title gets the focus, so that screen
//! readers announce it, and going back restores the scroll position.

use crate::state;
use haat_shared::routes;
use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

#[derive(Clone, Copy)]
struct Arrivals(StoredValue<Visit>);

#[derive(Default)]
struct Visit {
    /// The URL of the current page; empty before the first.
    address: String,
    /// Whether the next navigation is by the browser's Back or Forward button.
    back: bool,
    /// The scroll positions of pages. There are few, so a list is faster than a map.
    places: Vec<(String, f64)>,
}

impl Visit {
    fn keep_place(&mut self, place: f64) {
        match self.places.iter_mut().find(|(address, _)| *address == self.address) {
            Some((_, kept)) => *kept = place,
            None => self.places.push((self.address.clone(), place)),
        }
    }

    fn place(&self) -> Option<f64> {
        self.places.iter().find(|(address, _)| *address == self.address).map(|(_, place)| *place)
    }
}

/// Follows navigations.
pub(crate) fn provide() {
    let visit = StoredValue::<Visit>::default();
    provide_context(Arrivals(visit));
    Effect::new(move || {
        let went_back = window_event_listener(ev::popstate, move |_| visit.update_value(|v| v.back = true));
        let scrolled = window_event_listener(ev::scroll, move |_| {
            visit.update_value(|visit| {
                // While navigating to another page, scroll events don't come from the user.
                if visit.address == address() {
                    visit.keep_place(place());
                }
            });
        });
        on_cleanup(move || {
            went_back.remove();
            scrolled.remove();
        });
    });
}

/// Reports that the page with this URL is ready.
pub(crate) fn arrived() {
    let Some(Arrivals(visit)) = use_context() else { return };
    // The browser's address bar may still show the previous URL.
    let here = state::address();
    Effect::new(move || {
        let here = here.clone();
        let place = visit.try_update_value(|visit| {
            let first = visit.address.is_empty();
            let (known, back) = (visit.address == here, std::mem::take(&mut visit.back));
            visit.address = here;
            if first {
                forget_outcome();
                visit.keep_place(place());
            }
            let place = if back { visit.place() } else { None };
            (!first && !known).then(|| place.unwrap_or_default())
        });
        if let Some(place) = place.flatten() {
            request_animation_frame(move || begin_at(place));
        }
    });
}

/// Takes the outcome of a form off the address bar once the page shows it, so that going back doesn't show it again.
fn forget_outcome() {
    let (here, Ok(history)) = (address(), window().history()) else { return };
    let plain = routes::without_outcome(&here);
    if plain != here {
        let _ = history.replace_state_with_url(&history.state().unwrap_or_default(), "", Some(&plain));
    }
}

fn begin_at(place: f64) {
    let title = document().query_selector("main h1").ok().flatten();
    if let Some(title) = title.and_then(|title| title.dyn_into::<HtmlElement>().ok()) {
        let _ = title.set_attribute("tabindex", "-1");
        let _ = title.focus();
    }
    window().scroll_to_with_x_and_y(0.0, place);
}

fn address() -> String {
    let here = window().location();
    here.pathname().unwrap_or_default() + &here.search().unwrap_or_default()
}

fn place() -> f64 {
    window().scroll_y().unwrap_or_default()
}
