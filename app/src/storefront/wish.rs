//! The heart of a product page, which saves the chosen variant to the wishlist.

use haat_shared::{catalog::VariantView, id::kinds::VariantId, routes, wishlist::WishChange};
use leptos::{ev::MouseEvent, prelude::*};

use crate::{
    api,
    i18n::{t, use_i18n},
    ui::{Icon, Toaster},
};

/// The heart. It is a button of the form that puts the variant into the basket, so that it works without JavaScript.
#[component]
pub(super) fn Heart(
    /// The variants that are on the wishlist.
    saved: Vec<VariantId>,
    chosen: RwSignal<VariantView>,
) -> impl IntoView {
    let i18n = use_i18n();
    let toaster = expect_context::<Toaster>();
    let saved = RwSignal::new(saved);
    let is_saved = Memo::new(move |_| saved.with(|saved| saved.contains(&chosen.with(|v| v.id))));
    let toggle = move |event: MouseEvent| {
        event.prevent_default();
        let (variant, drop) = (chosen.with_untracked(|v| v.id), is_saved.get_untracked());
        let change = if drop { WishChange::Drop(variant) } else { WishChange::Add(variant) };
        leptos::task::spawn_local(async move {
            if api::wishlist::change(change).await.is_err() {
                return;
            }
            saved.try_update(|saved| {
                saved.retain(|id| *id != variant);
                if !drop {
                    saved.push(variant);
                }
            });
            let words = if drop { t!(i18n, wishlist.removed) } else { t!(i18n, wishlist.added) };
            let link = (routes::WISHLIST, t!(i18n, wishlist.see).to_owned());
            toaster.say(words.to_owned(), Some(link));
        });
    };
    view! {
        <button
            type="submit"
            class="button quiet heart"
            formaction=routes::WISHLIST
            aria-pressed=move || if is_saved.get() { "true" } else { "false" }
            on:click=toggle
        >
            <Icon name="heart" />
            {t!(i18n, wishlist.add)}
        </button>
    }
}
