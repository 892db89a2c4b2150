//! Pictures with a fixed aspect ratio, and placeholders for missing ones.

use haat_shared::media::{self, Format};
use leptos::prelude::*;

/// The number of pictures of a page's first list that load at once: its first row, at any width.
const FIRST_ROW: usize = 4;

/// A picture in the width that the screen needs, on its dominant colour until it has loaded; or a
/// placeholder with the first letter of the title.
#[component]
pub fn Picture(
    /// The picture, if there is one.
    of: Option<media::Picture>,
    /// The title of what it shows.
    #[prop(into)]
    title: String,
    /// The value of the attribute `sizes`.
    sizes: &'static str,
    /// The alt text; empty if the text beside it says the same.
    #[prop(optional, into)]
    alt: String,
    /// Its place in the page's first list of pictures, which is visible without scrolling. Those elsewhere
    /// load when they come near.
    #[prop(default = usize::MAX)]
    place: usize,
) -> impl IntoView {
    let Some(picture) = of else {
        // No Unicode properties and no uppercasing: their tables would add 4 kB to every visitor's download.
        let letter = title.chars().find(|c| !c.is_whitespace() && !c.is_ascii_punctuation());
        return view! {
            <span class=format!("picture drawn tone-{}", tone(&title)) aria-hidden="true">
                <span class="picture-letter">{letter.map(String::from)}</span>
            </span>
        }
        .into_any();
    };
    let loading = if place < FIRST_ROW { "eager" } else { "lazy" };
    // Only one is first: several urgent pictures would share the bandwidth.
    let priority = if place == 0 { "high" } else { "auto" };
    // The page's CSP forbids inline styles, but not the attributes of an SVG.
    view! {
        <span class="picture">
            <svg class="picture-color" aria-hidden="true">
                <rect width="100%" height="100%" fill=picture.color.clone()></rect>
            </svg>
            <picture>
                <source type=Format::Webp.mime() srcset=picture.srcset(Format::Webp) sizes=sizes />
                <img
                    src=picture.src()
                    srcset=picture.srcset(Format::Jpeg)
                    sizes=sizes
                    alt=alt
                    width=picture.width.to_string()
                    height=picture.height.to_string()
                    loading=loading
                    fetchpriority=priority
                    decoding="async"
                />
            </picture>
        </span>
    }
    .into_any()
}

/// One of five tones, always the same for the same title.
fn tone(title: &str) -> u32 {
    title.bytes().fold(7u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(b))) % 5
}
