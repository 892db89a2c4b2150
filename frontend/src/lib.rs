//! The WASM entry point: hydrate, and nothing else.

use leptos::{mount::hydrate_from_async, prelude::document};
use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the page rendered by the server. Called by the script that Leptos adds to the page. If the locale
/// can't be loaded, the page stays as it is and works without JavaScript.
#[wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    let Some(body) = document().body() else { return };
    if !haat_app::i18n::load().await {
        return;
    }
    hydrate_from_async(body, haat_app::App).await.forget();
    haat_app::mark_as_live();
}

/// Room in the segment of constants, of which each chunk gets an aligned part. Nothing refers to it, so it is in none. A segment
/// that is longer after it was split stays whole, in the module that every page loads: about 50 kB more.
#[cfg(feature = "split")]
#[used]
static ROOM: [u8; 4096] = [1; 4096];
