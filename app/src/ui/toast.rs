//! Short messages that disappear on their own.

use std::time::Duration;

use leptos::prelude::*;

use super::Icon;
use crate::i18n::{tu_string, use_i18n};

const SHOWN_FOR: Duration = Duration::from_secs(6);

#[derive(Clone)]
struct Toast {
    number: u32,
    words: String,
    link: Option<(&'static str, String)>,
}

/// Shows toasts.
#[derive(Clone, Copy)]
pub struct Toaster(RwSignal<Option<Toast>>);

/// Provides the [`Toaster`] to the pages below.
pub fn provide_toasts() {
    provide_context(Toaster(RwSignal::new(None)));
}

impl Toaster {
    /// Takes away what was said of something before.
    pub fn clear(self) {
        self.0.set(None);
    }

    /// Shows a message, with an optional link.
    pub fn say(self, words: String, link: Option<(&'static str, String)>) {
        let number = self.0.with_untracked(|t| t.as_ref().map_or(0, |t| t.number.wrapping_add(1)));
        self.0.set(Some(Toast { number, words, link }));
        let own = move |toast: &Option<Toast>| toast.as_ref().is_some_and(|t| t.number == number);
        set_timeout(
            move || {
                if self.0.with_untracked(own) {
                    self.0.set(None);
                }
            },
            SHOWN_FOR,
        );
    }
}

/// Shows a toast that stays, for the server, where nothing changes over time.
#[cfg(feature = "ssr")]
pub(crate) fn show_toast(words: &str, (href, link): (&'static str, &str)) {
    let toast = Toast { number: 0, words: words.to_owned(), link: Some((href, link.to_owned())) };
    expect_context::<Toaster>().0.set(Some(toast));
}

/// The place where toasts appear.
#[component]
pub fn Toasts() -> impl IntoView {
    let i18n = use_i18n();
    let toaster = expect_context::<Toaster>().0;
    let shown = move || {
        toaster.get().map(|toast| {
            let link = toast.link.map(|(href, words)| view! { <a href=href>{words}</a> });
            view! {
                <div class="toast">
                    <Icon name="check" />
                    <span>{toast.words}</span>
                    {link}
                    <button
                        type="button"
                        class="toast-close"
                        aria-label=tu_string!(i18n, layout.close)
                        on:click=move |_| toaster.set(None)
                    >
                        <Icon name="close" />
                    </button>
                </div>
            }
        })
    };
    view! { <div class="toasts" role="status">{shown}</div> }
}
