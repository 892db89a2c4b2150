//! State that pages share while a tab is open: the size of the cart, the signed-in user, and URL parameters.

use haat_shared::{
    Currency,
    accounts::Me,
    catalog::{CategoryCard, QUERY_MAX},
    routes, text,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map, use_url};

use crate::api::{self, ApiResource};

/// The number of items in the cart, for the header. Only pages that show the cart load more of it.
#[derive(Clone, Copy)]
pub(crate) struct CartCount(pub(crate) ApiResource<i64>);

/// The signed-in user.
#[derive(Clone, Copy)]
pub(crate) struct Visitor(pub(crate) ApiResource<Option<Me>>);

/// The top-level categories, for the navigation.
#[derive(Clone, Copy)]
pub(crate) struct Roots(pub(crate) ApiResource<Vec<CategoryCard>>);

/// The currencies that shoppers can choose from, and which one they chose.
#[derive(Clone, Copy)]
pub(crate) struct Choices(pub(crate) ApiResource<Vec<(Currency, bool)>>);

/// Loads, once, what every page shows. The server leaves out what only those of the storefront show from other
/// pages; browsers load it when they come to one of them.
pub(crate) fn provide(storefront: Memo<bool>) {
    let here = move || storefront.get();
    #[cfg(feature = "ssr")]
    let cart = async |shown| if shown { api::carts::item_count().await } else { Ok(0) };
    #[cfg(feature = "ssr")]
    let roots = async |shown| if shown { api::catalog::roots().await } else { Ok(Vec::new()) };
    #[cfg(feature = "ssr")]
    let choices = async |shown| if shown { api::currencies::choices().await } else { Ok(Vec::new()) };
    #[cfg(not(feature = "ssr"))]
    let (cart, roots, choices) =
        (|_| api::carts::item_count(), |_| api::catalog::roots(), |_| api::currencies::choices());
    provide_context(CartCount(api::find(here, cart)));
    provide_context(Visitor(api::find(|| (), |()| api::accounts::me())));
    provide_context(Roots(api::find(here, roots)));
    provide_context(Choices(api::find(here, choices)));
}

const LIVE: &str = "data-live";

/// Marks the page as hydrated, for styles and tests.
pub fn mark_as_live() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute(LIVE, "");
    }
}

/// Whether the page is hydrated.
pub(crate) fn is_live() -> bool {
    document().document_element().is_some_and(|root| root.has_attribute(LIVE))
}

/// Shows that the code of a page is loaded, or no longer. Only in browsers.
pub(crate) fn set_loading(loading: bool) {
    mark(if cfg!(feature = "ssr") { None } else { Some("data-loading") }, loading);
}

/// Leaves the page's links to the browser: this page is not hydrated.
pub(crate) fn leave_links() {
    set_loading(false);
    mark(Some("data-plain"), true);
}

fn mark(name: Option<&str>, on: bool) {
    let Some((name, root)) = name.and_then(|name| Some((name, document().document_element()?))) else {
        return;
    };
    let _ = if on { root.set_attribute(name, "") } else { root.remove_attribute(name) };
}

/// The path segment with this name.
pub(crate) fn param(name: &'static str) -> Memo<String> {
    let params = use_params_map();
    Memo::new(move |_| params.read().get(name).unwrap_or_default())
}

/// The query parameter with this name; empty if there is none.
pub(crate) fn query(name: &'static str) -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.read().get(name).unwrap_or_default())
}

/// All values of the query parameter with this name.
pub(crate) fn queries(name: &'static str) -> Memo<Vec<String>> {
    let query = use_query_map();
    Memo::new(move |_| query.read().get_all(name).unwrap_or_default())
}

/// The search words, truncated to the maximum length of a search.
pub(crate) fn searched() -> Memo<String> {
    let q = query("q");
    Memo::new(move |_| q.with(|q| text::clip(q, QUERY_MAX)))
}

/// The URL to sign in and return to a path of ours.
pub(crate) fn sign_in_from(address: &str) -> String {
    routes::with(routes::SIGN_IN, &[("next", address)])
}

/// The path and query of the current page, or of the one about to be shown, without the outcome of the form that led
/// there.
pub(crate) fn address() -> String {
    use_url().with_untracked(|url| routes::without_outcome(&with_query(url.path(), url.search())))
}

/// A path with its query, if there is one.
pub(crate) fn with_query(path: &str, query: &str) -> String {
    match query.trim_start_matches('?') {
        "" => path.to_owned(),
        query => [path, "?", query].concat(),
    }
}
