//! The language of a page. The server chooses it, once a page, and the page loads the words of that language alone: another
//! language is another page (docs/decisions/0009-words.md). So words are plain text, and none costs the browser an effect.

use std::fmt::{self, Display};

use leptos::prelude::*;

#[cfg(feature = "ssr")]
pub(crate) use server::provide;
#[cfg(feature = "ssr")]
pub use server::{Sheet, sheet};
#[cfg(feature = "ssr")]
mod server;

pub use crate::{t, t as tu_string, t as td_string};

/// A language that pages and mails are written in. In the browser there is one: the page's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Locale(#[cfg(feature = "ssr")] u8);

/// Words by their key: `t!(locale, basket.title)`, or with values, `t!(locale, basket.each, price = price)`.
#[macro_export]
macro_rules! t {
    ($locale:expr, $($part:ident).+) => {
        $crate::locales$(::$part)+.of($locale)
    };
    ($locale:expr, $($part:ident).+, $($name:ident = $value:expr),+ $(,)?) => {
        const { $crate::locales$(::$part)+.takes(&[$(stringify!($name)),+]) }
            .with($locale, [$((stringify!($name), &$value as &dyn ::std::fmt::Display)),+])
    };
}

/// Where words stand in their list, and the names of the `N` values that they take.
#[derive(Debug, Clone, Copy)]
pub struct Key<const N: usize> {
    at: usize,
    names: [&'static str; N],
}

impl<const N: usize> Key<N> {
    pub(crate) const fn new(at: usize, names: [&'static str; N]) -> Self {
        Self { at, names }
    }

    /// The same key, if those are the values that it takes. Asked by the compiler.
    pub const fn takes(self, given: &[&str; N]) -> Self {
        let mut i = 0;
        while i < N {
            let mut j = 0;
            while j < N && !same(self.names[i].as_bytes(), given[j].as_bytes()) {
                j += 1;
            }
            assert!(j < N, "the words do not take these values");
            i += 1;
        }
        self
    }

    /// The words with their values.
    pub fn with(self, locale: Locale, values: [(&str, &dyn Display); N]) -> String {
        fill(locale.words(self.at), &values)
    }
}

impl Key<0> {
    /// The key so many places later in the file.
    pub(crate) const fn later(self, places: usize) -> Self {
        Self { at: self.at + places, ..self }
    }

    /// The words.
    pub fn of(self, locale: Locale) -> &'static str {
        locale.words(self.at)
    }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

fn fill(words: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut parts = words.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name.trim()) {
            let _ = fmt::write(&mut text, format_args!("{value}"));
        }
        text.push_str(rest);
    }
    text
}

/// The language that the page is in.
pub fn use_i18n() -> Locale {
    use_context().unwrap_or_default()
}

/// The words of the page's language, as the browser has loaded them.
#[cfg(not(feature = "ssr"))]
static WORDS: std::sync::OnceLock<Vec<&'static str>> = std::sync::OnceLock::new();

#[cfg(not(feature = "ssr"))]
impl Locale {
    fn words(self, at: usize) -> &'static str {
        WORDS.get().and_then(|words| words.get(at)).copied().unwrap_or_default()
    }
}

/// Loads the words of the page's language, from where the page says. Whether they have come.
#[cfg(feature = "hydrate")]
pub async fn load() -> bool {
    use leptos::{wasm_bindgen::JsCast, web_sys::Response};
    use wasm_bindgen_futures::JsFuture;

    let text = async {
        let href = document().get_element_by_id("words")?.get_attribute("href")?;
        let response: Response =
            JsFuture::from(window().fetch_with_str(&href)).await.ok()?.dyn_into().ok()?;
        if !response.ok() {
            return None;
        }
        JsFuture::from(response.text().ok()?).await.ok()?.as_string()
    };
    let Some(text) = text.await else { return false };
    WORDS.set(text.leak().split('\n').collect()).is_ok()
}
