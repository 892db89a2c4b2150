//! Pictures of a fixed shape, and what stands in for those that are missing.

use leptos::prelude::*;

/// A picture, or a calm drawing with the first letter of what it would show.
#[component]
pub fn Picture(
    /// The address of the picture; empty without one.
    #[prop(into)]
    src: String,
    /// What it shows. The words beside it say the same, so it is not read out.
    #[prop(into)]
    title: String,
    /// Whether it is among the first things seen.
    #[prop(optional)]
    eager: bool,
) -> impl IntoView {
    if src.is_empty() {
        let letter = title.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().to_string());
        return view! {
            <span class=format!("picture drawn tone-{}", tone(&title)) aria-hidden="true">
                <span class="picture-letter">{letter.unwrap_or_default()}</span>
            </span>
        }
        .into_any();
    }
    let loading = if eager { "eager" } else { "lazy" };
    view! {
        <span class="picture">
            <img src=src alt="" width="600" height="600" loading=loading decoding="async" />
        </span>
    }
    .into_any()
}

/// One of five tones, always the same for the same title.
fn tone(title: &str) -> u32 {
    title.bytes().fold(7u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(b))) % 5
}
