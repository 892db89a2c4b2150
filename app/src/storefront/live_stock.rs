//! The stock of the product that a page shows, while someone looks at it.

use std::time::Duration;

use haat_shared::{
    catalog::VariantStock,
    id::kinds::{ProductId, VariantId},
    routes,
};
use leptos::prelude::*;

use crate::socket::{self, Socket};

/// How long a page is shown before its socket is opened.
const BEGIN: Duration = Duration::from_millis(700);
/// The pause before the socket is opened again, doubled with each attempt up to the second one.
const PAUSE_S: (u64, u64) = (2, 60);

/// What keeps the stock of a page up to date.
#[derive(Clone, Copy)]
struct Following {
    stock: RwSignal<Vec<VariantStock>>,
    path: StoredValue<String>,
    socket: socket::Kept,
    pause_s: StoredValue<u64>,
}

/// Keeps the stock up to date in the browser, from now until the page is left. Without a socket, it stays as it is.
pub(super) fn follow(product: ProductId, stock: RwSignal<Vec<VariantStock>>) {
    let path = StoredValue::new(routes::live_stock(product));
    let following = Following { stock, path, socket: socket::keep(), pause_s: StoredValue::new(PAUSE_S.0) };
    Effect::new(move || {
        // Whoever only passes by needs none.
        let begun = set_timeout_with_handle(move || following.look(), BEGIN);
        let seen = window_event_listener_untyped("visibilitychange", move |_| following.look());
        on_cleanup(move || {
            if let Ok(begun) = begun {
                begun.clear();
            }
            seen.remove();
        });
    });
}

/// How many of a variant are left; nothing if it is sold without limit. A variant that is no longer offered has none.
pub(super) fn left(stock: RwSignal<Vec<VariantStock>>, variant: VariantId) -> Option<i64> {
    stock.with(|stock| stock.iter().find(|of| of.id == variant).map_or(Some(0), |of| of.available))
}

impl Following {
    /// Nobody looks at a hidden page. A page with a socket is not kept for the Back button, either.
    fn look(self) {
        if document().hidden() {
            self.socket.set_value(None);
        } else if self.socket.with_value(Option::is_none) {
            self.open();
        }
    }

    fn open(self) {
        let heard = move |text: String| {
            if let Ok(stock) = serde_json::from_slice(text.as_bytes()) {
                self.pause_s.set_value(PAUSE_S.0);
                self.stock.set(stock);
            }
        };
        // Not within the listener that it drops.
        let closed = move |_| set_timeout(move || self.closed(), Duration::ZERO);
        self.socket.set_value(Socket::open(&self.path.get_value(), || (), heard, closed));
    }

    fn closed(self) {
        if self.stock.is_disposed() || self.socket.try_set_value(None).is_some() {
            return;
        }
        let pause = self.pause_s.get_value();
        self.pause_s.set_value(PAUSE_S.1.min(2 * pause));
        let again = move || {
            if !self.stock.is_disposed() {
                self.look();
            }
        };
        set_timeout(again, Duration::from_secs(pause));
    }
}
