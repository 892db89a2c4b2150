//! The socket of a page.

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
