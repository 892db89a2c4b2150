//! The notice while there is no connection.

use leptos::{ev, prelude::*};

use super::Icon;
use crate::i18n::{t, use_i18n};

/// A notice that is shown as long as the browser is offline.
#[component]
pub fn Offline() -> impl IntoView {
    let offline = RwSignal::new(false);
    Effect::new(move || {
        offline.set(!window().navigator().on_line());
        for gone in [
            window_event_listener(ev::offline, move |_| offline.set(true)),
            window_event_listener(ev::online, move |_| offline.set(false)),
        ] {
            on_cleanup(move || gone.remove());
        }
    });
    view! { <div role="status">{move || offline.get().then(notice)}</div> }
}

/// The text of the notice.
pub(crate) fn notice() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <p class="offline">
            <Icon name="alert" />
            <span>{t!(i18n, layout.offline)}</span>
        </p>
    }
}
