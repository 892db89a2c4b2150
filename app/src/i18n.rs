//! The language of a page. The server chooses it, and the browser loads the texts of that language only;
//! switching the language loads another page (docs/decisions/0009-words.md). Texts are therefore plain
//! strings, without effects.

use std::borrow::Cow;

use leptos::prelude::*;

#[cfg(feature = "ssr")]
pub(crate) use server::provide;
#[cfg(feature = "ssr")]
pub use server::{Sheet, sheet};
#[cfg(feature = "ssr")]
mod server;

pub use crate::{t, t as tu_string, t as td_string, tn};

/// A language of pages and emails. In the browser there is only the page's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Locale(#[cfg(feature = "ssr")] u8);

/// A text by its key: `t!(locale, cart.title)`, or with values, `t!(locale, cart.each, price = price)`.
#[macro_export]
macro_rules! t {
    ($locale:expr, $($part:ident).+) => {
        $crate::locales$(::$part)+.of($locale)
    };
    ($locale:expr, $($part:ident).+, $($name:ident = $value:expr),+ $(,)?) => {
        const { $crate::locales$(::$part)+.takes(&[$(stringify!($name)),+]) }
            .with($locale, [$((stringify!($name), &$value as &dyn $crate::i18n::Value)),+])
    };
}

/// A text in the plural form for a number: `tn!(locale, email.items, count)`. The number is inserted as
/// `n`, with further values as in [`t!`].
#[macro_export]
macro_rules! tn {
    ($locale:expr, $($part:ident).+, $n:expr $(, $name:ident = $value:expr)* $(,)?) => {
        const { $crate::locales$(::$part)+.takes(&[$(stringify!($name)),*]) }.with(
            $locale,
            u64::try_from($n).unwrap_or_default(),
            [$((stringify!($name), &$value as &dyn $crate::i18n::Value)),*],
        )
    };
}

/// A value of a text. Numbers and amounts are formatted for the language.
pub trait Value {
    /// The value, formatted for the language.
    fn written(&self, locale: Locale) -> Cow<'_, str>;
}

impl Value for str {
    fn written(&self, _: Locale) -> Cow<'_, str> {
        self.into()
    }
}

impl Value for String {
    fn written(&self, _: Locale) -> Cow<'_, str> {
        self.into()
    }
}

impl Value for char {
    fn written(&self, _: Locale) -> Cow<'_, str> {
        self.to_string().into()
    }
}

impl<T: Value + ?Sized> Value for &T {
    fn written(&self, locale: Locale) -> Cow<'_, str> {
        (**self).written(locale)
    }
}

/// The position of a text in the list, and the names of its `N` values.
#[derive(Debug, Clone, Copy)]
pub struct MessageKey<const N: usize> {
    at: usize,
    names: [&'static str; N],
}

impl<const N: usize> MessageKey<N> {
    pub(crate) const fn new(at: usize, names: [&'static str; N]) -> Self {
        Self { at, names }
    }

    /// The same key, if these are the names of its values. Checked by the compiler.
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

    /// The text with its values.
    pub fn with(self, locale: Locale, values: [(&str, &dyn Value); N]) -> String {
        fill(locale, locale.words(self.at), &values)
    }
}

/// The position of a text with plural forms, and the names of its `N` values besides the number `n`.
#[derive(Debug, Clone, Copy)]
pub struct Plural<const N: usize>(MessageKey<N>);

impl<const N: usize> Plural<N> {
    pub(crate) const fn new(at: usize, names: [&'static str; N]) -> Self {
        Self(MessageKey::new(at, names))
    }

    /// The same key, if these are the names of its values. Checked by the compiler.
    pub const fn takes(self, given: &[&str; N]) -> Self {
        Self(self.0.takes(given))
    }

    /// The text for the number `n`, with its values.
    pub fn with(self, locale: Locale, n: u64, values: [(&str, &dyn Value); N]) -> String {
        let values: Vec<_> = values.into_iter().chain([("n", &n as &dyn Value)]).collect();
        fill(locale, form(locale.words(self.0.at), t!(locale, plurals.language), n), &values)
    }
}

/// The plural form for a number in a language.
fn form<'a>(forms: &'a str, language: &str, n: u64) -> &'a str {
    forms.split('\t').nth(crate::locales::plural_form(language, n)).unwrap_or_default()
}

impl MessageKey<0> {
    /// The key this many positions later in the file.
    pub(crate) const fn later(self, places: usize) -> Self {
        Self { at: self.at + places, ..self }
    }

    /// The text.
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

fn fill(locale: Locale, words: &str, values: &[(&str, &dyn Value)]) -> String {
    let mut parts = words.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name.trim()) {
            text.push_str(&value.written(locale));
        }
        text.push_str(rest);
    }
    text
}

/// The language that the page is in.
pub fn use_i18n() -> Locale {
    use_context().unwrap_or_default()
}

/// The texts of the page's language, once the browser has loaded them.
#[cfg(not(feature = "ssr"))]
static WORDS: std::sync::OnceLock<Vec<&'static str>> = std::sync::OnceLock::new();

#[cfg(not(feature = "ssr"))]
impl Locale {
    fn words(self, at: usize) -> &'static str {
        WORDS.get().and_then(|words| words.get(at)).copied().unwrap_or_default()
    }
}

/// Loads the texts of the page's language, from the URL in the page. Returns whether it succeeded.
#[cfg(feature = "hydrate")]
pub async fn load() -> bool {
    use leptos::{wasm_bindgen::JsCast, web_sys::Response};
    use wasm_bindgen_futures::JsFuture;

    let text = async {
        let href = document().get_element_by_id("words")?.get_attribute("content")?;
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
