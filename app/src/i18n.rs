//! The language of a page. It is chosen once a page, by the server, and the browser finds it there: another language is
//! another page. So words are plain text, and none of them costs the browser an effect (docs/decisions/0006-first-load.md).

pub use leptos_i18n::{td_string as t, td_string as tu_string};

pub use crate::locales::i18n::Locale;

use leptos::prelude::*;

/// The language that the page is in.
pub fn use_i18n() -> Locale {
    use_context().unwrap_or_default()
}

/// Puts the language into the context: the first of those that the visitor's browser asks for and that we speak.
#[cfg(feature = "ssr")]
pub(crate) fn provide() -> Locale {
    use leptos_i18n::Locale as _;

    let request = use_context::<http::request::Parts>();
    let asked = request.as_ref().and_then(|r| r.headers.get(http::header::ACCEPT_LANGUAGE)?.to_str().ok());
    let asked = asked.unwrap_or_default().split(',').filter_map(|language| language.split(';').next());
    let chosen = Locale::find_locale(&asked.map(str::trim).collect::<Vec<_>>());
    provide_context(chosen);
    chosen
}

/// Puts the language of the page into the context.
#[cfg(not(feature = "ssr"))]
pub(crate) fn provide() -> Locale {
    let root = document().document_element();
    let found = root.and_then(|root| root.get_attribute("lang")?.parse().ok()).unwrap_or_default();
    provide_context::<Locale>(found);
    found
}
