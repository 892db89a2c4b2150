//! The countries of ISO 3166, by name, for a choice of where goods go.

use crate::{i18n::Locale, locales::country::ALL};

/// Code and name of each, in the order of the names.
pub fn all(locale: Locale) -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<_> = ALL.iter().map(|(code, name)| (*code, name.of(locale))).collect();
    all.sort_by_key(|(_, name)| sorted(name));
    all
}

/// The name of a country; its code when there is no such country.
pub fn name(locale: Locale, code: &str) -> &str {
    ALL.iter().find(|(known, _)| *known == code).map_or(code, |(_, name)| name.of(locale))
}

/// How a name is put in order: Åland stands with A.
fn sorted(name: &str) -> String {
    let plain = name.chars().map(|c| match c {
        'Å' => 'A',
        'é' => 'e',
        'ô' => 'o',
        'ã' => 'a',
        'í' => 'i',
        'ü' => 'u',
        c => c,
    });
    plain.collect()
}
