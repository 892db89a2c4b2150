//! Metadata for search engines and link previews. Rendered on the server only; browsers don't load this
//! code.

use haat_shared::{catalog::CategoryLink, routes};
use serde_json::{Value, json};

/// The metadata of a page.
#[cfg_attr(not(feature = "ssr"), expect(dead_code, reason = "read by the server alone"))]
#[derive(Default)]
pub(crate) struct About {
    /// The title, without the market's name.
    pub(crate) title: String,
    /// A description of a sentence or two; truncated if it is long.
    pub(crate) description: String,
    /// The canonical path. Empty for pages that search engines should not index.
    pub(crate) path: String,
    /// The path of a picture. May be empty.
    pub(crate) picture: String,
    /// Structured data (<https://schema.org>).
    pub(crate) facts: Vec<Value>,
}

/// The maximum number of characters of a description that search engines show.
#[cfg(feature = "ssr")]
const DESCRIPTION_MAX: usize = 160;

/// Adds the metadata to the head of the page. In the browser, it does nothing, and its texts are not even
/// loaded.
pub(crate) fn describe(about: impl FnOnce() -> About) {
    #[cfg(feature = "ssr")]
    write(about());
    #[cfg(not(feature = "ssr"))]
    let _ = about;
}

/// Keeps search engines from indexing a page.
pub(crate) fn keep_out() {
    describe(About::default);
}

/// Whether the page already has metadata: Leptos renders parts that wait for data more than once.
#[cfg(feature = "ssr")]
#[derive(Clone, Default)]
pub(crate) struct Described(std::sync::Arc<std::sync::atomic::AtomicBool>);

#[cfg(feature = "ssr")]
fn write(about: About) {
    use leptos::prelude::{RenderHtml, use_context, view};
    use leptos_meta::{Link, Meta, Script};

    let described = use_context::<Described>().unwrap_or_default().0;
    if described.swap(true, std::sync::atomic::Ordering::Relaxed) {
        return;
    }
    if about.path.is_empty() {
        view! { <Meta name="robots" content="noindex" /> }.to_html();
        return;
    }
    let market =
        use_context::<crate::api::Ctx>().map(|ctx| ctx.engine.public_url.clone()).unwrap_or_default();
    let address = format!("{market}{}", about.path);
    let description = cut(&about.description);
    if !description.is_empty() {
        view! { <Meta name="description" content=description.clone() /> }.to_html();
        view! { <Meta property="og:description" content=description /> }.to_html();
    }
    view! { <Link rel="canonical" href=address.clone() /> }.to_html();
    view! { <Meta property="og:type" content="website" /> }.to_html();
    view! { <Meta property="og:site_name" content="Haat" /> }.to_html();
    view! { <Meta property="og:title" content=about.title /> }.to_html();
    view! { <Meta property="og:url" content=address /> }.to_html();
    if !about.picture.is_empty() {
        view! { <Meta property="og:image" content=format!("{market}{}", about.picture) /> }.to_html();
    }
    for fact in about.facts {
        // Leptos does not escape the content of a script; without `<`, nothing can close it early.
        let text = fact.to_string().replace("market:/", &format!("{market}/")).replace('<', "\\u003c");
        view! { <Script type_="application/ld+json">{text}</Script> }.to_html();
    }
}

/// The beginning of a text, up to the end of a word.
#[cfg(feature = "ssr")]
fn cut(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = text.char_indices().nth(DESCRIPTION_MAX) else { return text };
    let kept = text[..end].rsplit_once(' ').map_or(&text[..end], |(kept, _)| kept);
    format!("{kept} …")
}

/// A URL of the market in structured data; the origin is added when it is rendered.
pub(crate) fn ours(path: &str) -> String {
    format!("market:{path}")
}

/// Breadcrumbs as structured data.
pub(crate) fn breadcrumbs(home: &str, trail: &[CategoryLink], here: Option<(&str, &str)>) -> Value {
    let way = [(home.to_owned(), routes::HOME.to_owned())].into_iter();
    let way = way.chain(trail.iter().map(|link| (link.name.clone(), routes::category(&link.slug))));
    let way = way.chain(here.map(|(name, path)| (name.to_owned(), path.to_owned())));
    let items = (1..).zip(way).map(|(position, (name, path))| {
        json!({ "@type": "ListItem", "position": position, "name": name, "item": ours(&path) })
    });
    json!({
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": items.collect::<Vec<_>>(),
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn descriptions_end_with_a_word() {
        assert_eq!(cut("  Short\n and  plain. "), "Short and plain.");
        let long = "wörter ".repeat(40);
        let cut = cut(&long);
        assert!(cut.chars().count() <= DESCRIPTION_MAX + 2 && cut.ends_with("wörter …"), "{cut}");
        assert!(super::cut(&"x".repeat(500)).chars().count() <= DESCRIPTION_MAX + 2);
    }
}
