//! Sharing a page: with what the device offers, or else by copying its link.

use leptos::prelude::*;

use crate::{
    i18n::{t, tu_string, use_i18n},
    ui::Toaster,
};

/// A button that shares the page at this path. Browsers that can neither share nor copy don't show it.
#[component]
pub(super) fn Share(path: String, title: String) -> impl IntoView {
    let i18n = use_i18n();
    let toaster = expect_context::<Toaster>();
    let possible = RwSignal::new(false);
    Effect::new(move || possible.set(can("share") || can("clipboard")));
    move || {
        let (path, title) = (path.clone(), title.clone());
        let click = move |_| {
            let (path, title) = (path.clone(), title.clone());
            leptos::task::spawn_local(async move {
                let address = format!("{}{path}", window().location().origin().unwrap_or_default());
                if copied(title, address).await {
                    toaster.say(tu_string!(i18n, product.link_copied).to_owned(), None);
                }
            });
        };
        possible.get().then(|| {
            view! {
                <button type="button" class="button quiet share" on:click=click>
                    {t!(i18n, product.share)}
                </button>
            }
        })
    }
}

/// Whether the browser has this part of `navigator`, which depends on the connection, too.
fn can(name: &str) -> bool {
    web_sys::js_sys::Reflect::get(&window().navigator(), &name.into())
        .is_ok_and(|part| !part.is_undefined() && !part.is_null())
}

/// Shares the address, and returns whether it was copied instead.
#[cfg(feature = "hydrate")]
async fn copied(title: String, address: String) -> bool {
    use wasm_bindgen_futures::JsFuture;

    let navigator = window().navigator();
    if can("share") {
        let what = web_sys::ShareData::new();
        what.set_title(&title);
        what.set_url(&address);
        // It fails if the person decides otherwise.
        let _ = JsFuture::from(navigator.share_with_data(&what)).await;
        return false;
    }
    JsFuture::from(navigator.clipboard().write_text(&address)).await.is_ok()
}

#[cfg(not(feature = "hydrate"))]
async fn copied(_: String, _: String) -> bool {
    false
}
