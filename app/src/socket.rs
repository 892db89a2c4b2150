//! The socket of a page.

use std::time::Duration;

use haat_shared::chat::SIGNED_OUT;
use leptos::prelude::*;

#[cfg(feature = "hydrate")]
pub(crate) use browser::Socket;

/// Where a page keeps its socket. Sockets of browsers stay on their thread; what the server has in their place is dropped on
/// any of its threads.
#[cfg(feature = "hydrate")]
pub(crate) type Kept = StoredValue<Option<Socket>, LocalStorage>;
#[cfg(not(feature = "hydrate"))]
pub(crate) type Kept = StoredValue<Option<Socket>>;

/// The place of a socket that will be opened.
#[cfg(feature = "hydrate")]
pub(crate) fn keep() -> Kept {
    StoredValue::new_local(None)
}
#[cfg(not(feature = "hydrate"))]
pub(crate) fn keep() -> Kept {
    StoredValue::new(None)
}

/// How long a page is shown before its socket is opened.
const BEGIN: Duration = Duration::from_millis(700);
/// The pause before the socket is opened again, doubled with each attempt up to the second one.
const PAUSE_S: (u64, u64) = (2, 60);

/// What keeps a socket open.
#[derive(Clone, Copy)]
struct Following<O, H> {
    path: Memo<String>,
    opened: O,
    heard: H,
    socket: Kept,
    pause_s: StoredValue<u64>,
}

/// Keeps a socket open at a path, unless it is empty, while someone looks at the page: from a moment after now until the page is
/// left. `opened` is called each time, and `heard` with each frame, and with nothing when the session has ended.
pub(crate) fn follow(
    path: Memo<String>,
    opened: impl Fn() + Copy + 'static,
    heard: impl Fn(String) + Copy + 'static,
) {
    let following = Following { path, opened, heard, socket: keep(), pause_s: StoredValue::new(PAUSE_S.0) };
    // Again for another path.
    Effect::new(move || {
        // Read, not only tracked: a memo is computed when it is first read, and tells whoever tracks it.
        if path.get().is_empty() {
            return;
        }
        // Whoever only passes by needs none.
        let begun = set_timeout_with_handle(move || following.look(), BEGIN);
        let seen = window_event_listener_untyped("visibilitychange", move |_| following.look());
        on_cleanup(move || {
            if let Ok(begun) = begun {
                begun.clear();
            }
            seen.remove();
            let _ = following.socket.try_set_value(None);
        });
    });
}

impl<O: Fn() + Copy + 'static, H: Fn(String) + Copy + 'static> Following<O, H> {
    /// Nobody looks at a hidden page. A page with a socket is not kept for the Back button, either.
    fn look(self) {
        if document().hidden() {
            self.socket.set_value(None);
        } else if self.socket.with_value(Option::is_none) {
            self.open();
        }
    }

    fn open(self) {
        let Some(path) = self.path.try_get_untracked() else { return };
        let opened = move || {
            self.pause_s.set_value(PAUSE_S.0);
            (self.opened)();
        };
        // Not within the listener that it drops.
        let closed = move |code| match code {
            // Another one would be refused.
            SIGNED_OUT => (self.heard)(String::new()),
            _ => set_timeout(move || self.closed(), Duration::ZERO),
        };
        self.socket.set_value(Socket::open(&path, opened, self.heard, closed));
    }

    fn closed(self) {
        if self.pause_s.is_disposed() || self.socket.try_set_value(None).is_some() {
            return;
        }
        let pause = self.pause_s.get_value();
        self.pause_s.set_value(PAUSE_S.1.min(2 * pause));
        let again = move || {
            if !self.pause_s.is_disposed() {
                self.look();
            }
        };
        set_timeout(again, Duration::from_secs(pause));
    }
}

/// Only browsers open sockets.
#[cfg(not(feature = "hydrate"))]
pub(crate) struct Socket;

#[cfg(not(feature = "hydrate"))]
impl Socket {
    pub(crate) fn open(
        _: &str,
        _: impl Fn() + 'static,
        _: impl Fn(String) + 'static,
        _: impl Fn(u16) + 'static,
    ) -> Option<Self> {
        None
    }

    pub(crate) fn send(&self, _: &str) {}
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::{
        prelude::window,
        wasm_bindgen::{JsCast, closure::Closure},
        web_sys::{CloseEvent, MessageEvent, WebSocket},
    };

    /// A socket, with its listeners. It is closed when it is dropped.
    pub(crate) struct Socket {
        socket: WebSocket,
        _opened: Closure<dyn Fn()>,
        _heard: Closure<dyn Fn(MessageEvent)>,
        _closed: Closure<dyn Fn(CloseEvent)>,
    }

    impl Socket {
        /// Opens a socket at a path: `heard` gets its frames, `closed` the code with which it ends.
        pub(crate) fn open(
            path: &str,
            opened: impl Fn() + 'static,
            heard: impl Fn(String) + 'static,
            closed: impl Fn(u16) + 'static,
        ) -> Option<Self> {
            let location = window().location();
            let secure = location.protocol().is_ok_and(|protocol| protocol == "https:");
            let host = location.host().unwrap_or_default();
            let address = format!("{}://{host}{path}", if secure { "wss" } else { "ws" });
            let socket = WebSocket::new(&address).ok()?;
            let opened = Closure::<dyn Fn()>::new(opened);
            let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
                heard(event.data().as_string().unwrap_or_default());
            });
            let closed = Closure::<dyn Fn(CloseEvent)>::new(move |event: CloseEvent| closed(event.code()));
            socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
            socket.set_onmessage(Some(heard.as_ref().unchecked_ref()));
            socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
            Some(Self { socket, _opened: opened, _heard: heard, _closed: closed })
        }

        pub(crate) fn send(&self, text: &str) {
            // If it fails, the socket is about to be closed.
            let _ = self.socket.send_with_str(text);
        }
    }

    impl Drop for Socket {
        fn drop(&mut self) {
            self.socket.set_onopen(None);
            self.socket.set_onmessage(None);
            self.socket.set_onclose(None);
            let _ = self.socket.close();
        }
    }
}
