//! How search engines may show the product, as its title and description are typed.

use haat_shared::{routes, text};
use leptos::prelude::*;

use crate::i18n::{t, use_i18n};

/// The characters of a title and of a description that search engines show.
const SHOWN: (usize, usize) = (60, 155);

#[component]
pub(super) fn SearchPreview(
    /// The title as typed.
    title: RwSignal<String>,
    /// The description as typed.
    description: RwSignal<String>,
    /// The slug, which is made from the title when the product is first saved.
    slug: Option<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let path = slug.map_or_else(|| routes::PRODUCTS.to_owned(), |slug| routes::product(&slug));
    let begun = Memo::new(move |_| title.with(|title| !title.trim().is_empty()));
    let shown = move || match begun.get() {
        false => view! { <p class="note">{t!(i18n, seller_products.preview_hint)}</p> }.into_any(),
        true => view! {
            <div class="search-preview">
                <p class="note" translate="no">{path.clone()}</p>
                <p class="search-preview-title">{move || title.with(|title| begin(title, SHOWN.0))}</p>
                <p class="note">{move || description.with(|text| begin(text, SHOWN.1))}</p>
            </div>
        }
        .into_any(),
    };
    view! {
        <section class="panel form" aria-labelledby="preview-title">
            <h2 id="preview-title">{t!(i18n, seller_products.preview)}</h2>
            {shown}
        </section>
    }
}

/// The beginning of a text, up to the end of a word.
fn begin(whole: &str, max: usize) -> String {
    // Typed texts may be long; what is shown is short.
    let start: String = whole.chars().take(4 * max).collect();
    let line = text::clip(&start, 4 * max).split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = line.char_indices().nth(max) else { return line };
    let kept = line[..end].rsplit_once(' ').map_or(&line[..end], |(kept, _)| kept);
    format!("{kept} …")
}

#[cfg(test)]
mod tests {
    use super::begin;

    #[test]
    fn long_texts_end_with_a_word() {
        assert_eq!(begin(" Clay\n bowl ", 20), "Clay bowl");
        assert_eq!(begin("Clay bowl with a lid", 11), "Clay bowl …");
        assert_eq!(begin("Claybowl", 4), "Clay …");
    }
}
