//! The WASM entry point: hydrate, and nothing else.

/// Brings the page that the server rendered to life. Called by the script that Leptos puts into the page.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_lazy(haat_app::App);
}
