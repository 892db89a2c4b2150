//! Metadata for search engines and link previews. Rendered on the server only; browsers don't load this
//! code.

use haat_shared::{catalog::CategoryLink, routes};
use serde_json::{Value, json};

/// What a page is about.
#[cfg_attr(not(feature = "ssr"), expect(dead_code, reason = "read by the server alone"))]
#[derive(Default)]
pub(crate) struct About {
    /// Its title, without the market's name.
    pub(crate) title: String,
    /// What it is, in a sentence or two; cut where it is long.
    pub(crate) description: String,
    /// Its one address, without the market's. Empty for pages that are nobody's to find.
    pub(crate) path: String,
    /// The address of a picture of it, without the market's; may be empty.
    pub(crate) picture: String,
    /// Facts for machines, in the words of <https://schema.org>.
    pub(crate) facts: Vec<Value>,
}

/// Longest description that search engines show, in characters.
#[cfg(feature = "ssr")]
const DESCRIPTION_MAX: usize = 160;

/// Writes what the page is about into its head. In the browser it does nothing, and the words for it are not even loaded.
pub(crate) fn describe(about: impl FnOnce() -> About) {
    #[cfg(feature = "ssr")]
    write(about());
    #[cfg(not(feature = "ssr"))]
    let _ = about;
}

/// A page that is for one person, or that there are too many of: search engines leave it out.
pub(crate) fn keep_out() {
    describe(About::default);
}

/// Whether the page said already what it is about: Leptos builds what waits for data more than once.
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
        // Leptos does not escape what stands in a script; without this sign nothing can end it.
        let text = fact.to_string().replace("market:/", &format!("{market}/")).replace('<', "\\u003c");
        view! { <Script type_="application/ld+json">{text}</Script> }.to_html();
    }
}

/// The beginning of a text, to the end of a word.
#[cfg(feature = "ssr")]
fn cut(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = text.char_indices().nth(DESCRIPTION_MAX) else { return text };
    let kept = text[..end].rsplit_once(' ').map_or(&text[..end], |(kept, _)| kept);
    format!("{kept} …")
}

/// An address of ours in a fact; the market's own is put before it when it is written.
pub(crate) fn ours(path: &str) -> String {
    format!("market:{path}")
}

/// The way to a page, as a fact.
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
