//! The WASM entry point: hydrate, and nothing else.

use leptos::{mount::hydrate_from_async, prelude::document};
use wasm_bindgen::prelude::wasm_bindgen;

/// Brings the page that the server rendered to life. Called by the script that Leptos puts into the page.
/// Without its words it stays as it is, and works.
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
