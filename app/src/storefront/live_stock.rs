//! The stock of the product that a page shows, while someone looks at it.

use haat_shared::{
    catalog::VariantStock,
    id::kinds::{ProductId, VariantId},
    routes,
};
use leptos::prelude::*;

use crate::socket;

/// Keeps the stock up to date in the browser, from now until the page is left. Without a socket, it stays as it is.
pub(super) fn follow(product: ProductId, stock: RwSignal<Vec<VariantStock>>) {
    let path = Memo::new(move |_| routes::live_stock(product));
    let heard = move |text: String| {
        if let Ok(now) = serde_json::from_slice(text.as_bytes()) {
            stock.set(now);
        }
    };
    socket::follow(path, || (), heard);
}

/// How many of a variant are left; nothing if it is sold without limit. A variant that is no longer offered has none.
pub(super) fn left(stock: RwSignal<Vec<VariantStock>>, variant: VariantId) -> Option<i64> {
    stock.with(|stock| stock.iter().find(|of| of.id == variant).map_or(Some(0), |of| of.available))
}
