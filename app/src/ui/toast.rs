//! Short messages that disappear on their own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use leptos::prelude::*;

use super::Icon;
use crate::i18n::{t, tu_string, use_i18n};

const SHOWN_FOR: Duration = Duration::from_secs(6);
/// Longer, because it must be read, decided and reached.
const UNDO_FOR: Duration = Duration::from_secs(12);

/// What a toast offers to do next.
#[derive(Clone)]
enum Next {
    Link(&'static str, String),
    /// Not a `Callback`, which would end with the line of the basket that it brings back.
    Undo(Arc<dyn Fn() + Send + Sync>),
}

#[derive(Clone)]
struct Toast {
    number: u32,
    words: String,
    next: Option<Next>,
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
        self.show(words, link.map(|(href, words)| Next::Link(href, words)), SHOWN_FOR);
    }

    /// Shows what was done, with a button that undoes it.
    pub fn offer_undo(self, words: String, undo: impl Fn() + Send + Sync + 'static) {
        self.show(words, Some(Next::Undo(Arc::new(undo))), UNDO_FOR);
    }

    fn show(self, words: String, next: Option<Next>, shown_for: Duration) {
        // Never one of a toast that has gone, whose timer would take this one away.
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        self.0.set(Some(Toast { number, words, next }));
        let own = move |toast: &Option<Toast>| toast.as_ref().is_some_and(|t| t.number == number);
        set_timeout(
            move || {
                if self.0.with_untracked(own) {
                    self.0.set(None);
                }
            },
            shown_for,
        );
    }
}

/// Shows a toast that stays, for the server, where nothing changes over time.
#[cfg(feature = "ssr")]
pub(crate) fn show_toast(words: &str, (href, link): (&'static str, &str)) {
    let toast = Toast { number: 0, words: words.to_owned(), next: Some(Next::Link(href, link.to_owned())) };
    expect_context::<Toaster>().0.set(Some(toast));
}

/// The place where toasts appear.
#[component]
pub fn Toasts() -> impl IntoView {
    let i18n = use_i18n();
    let toaster = expect_context::<Toaster>().0;
    let shown = move || {
        toaster.get().map(|toast| {
            let next = toast.next.map(|next| match next {
                Next::Link(href, words) => view! { <a href=href>{words}</a> }.into_any(),
                Next::Undo(undo) => {
                    let click = move |_| {
                        toaster.set(None);
                        undo();
                    };
                    view! { <button type="button" class="toast-undo" on:click=click>{t!(i18n, layout.undo)}</button> }
                        .into_any()
                }
            });
            view! {
                <div class="toast">
                    <Icon name="check" />
                    <span>{toast.words}</span>
                    {next}
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
