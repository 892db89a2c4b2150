//! State that pages share while a tab is open: the cart, the signed-in user, and URL parameters.

use haat_shared::{
    accounts::Me,
    carts::CartView,
    catalog::{CategoryCard, QUERY_MAX},
    routes, text,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map, use_url};

use crate::api::{self, ApiResource};

/// The cart: one resource behind the header's count and the cart page.
#[derive(Clone, Copy)]
pub(crate) struct Cart(pub(crate) ApiResource<CartView>);

impl Cart {
    /// Shows the cart as the server just answered it.
    pub(crate) fn show(self, view: CartView) {
        self.0.set(Some(Ok(view)));
    }
}

/// Who is signed in.
#[derive(Clone, Copy)]
pub(crate) struct Visitor(pub(crate) ApiResource<Option<Me>>);

/// The categories that lie in no other, for the way through the market.
#[derive(Clone, Copy)]
pub(crate) struct Roots(pub(crate) ApiResource<Vec<CategoryCard>>);

/// Asks once for what every page shows.
pub(crate) fn provide() {
    provide_context(Cart(api::find(|| (), |()| api::carts::view())));
    provide_context(Visitor(api::find(|| (), |()| api::accounts::me())));
    provide_context(Roots(api::find(|| (), |()| api::catalog::roots())));
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

/// The part of the path with this name.
pub(crate) fn param(name: &'static str) -> Memo<String> {
    let params = use_params_map();
    Memo::new(move |_| params.read().get(name).unwrap_or_default())
}

/// The parameter of the query with this name; empty without one.
pub(crate) fn query(name: &'static str) -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.read().get(name).unwrap_or_default())
}

/// What is looked for: as much of it as a search takes, however long the address is.
pub(crate) fn searched() -> Memo<String> {
    let q = query("q");
    Memo::new(move |_| q.with(|q| text::clip(q, QUERY_MAX)))
}

/// The way to sign in and come back to an address of ours.
pub(crate) fn sign_in_from(address: &str) -> String {
    routes::with(routes::SIGN_IN, &[("next", address)])
}

/// The address of the page, or of the one that is about to be shown: path and query.
pub(crate) fn address() -> String {
    use_url().with_untracked(|url| match url.search().trim_start_matches('?') {
        "" => url.path().to_owned(),
        query => format!("{}?{query}", url.path()),
    })
}
