//! Placeholders for content that is loading.

use leptos::prelude::*;

/// A grid of placeholders for cards or blocks.
#[component]
pub fn Skeleton(
    /// The number of placeholders.
    #[prop(default = 8)]
    count: usize,
) -> impl IntoView {
    let blocks = (0..count).map(|_| view! { <span class="skeleton-card"></span> });
    view! { <div class="grid skeleton" aria-hidden="true">{blocks.collect_view()}</div> }
}
