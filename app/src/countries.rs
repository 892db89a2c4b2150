//! The countries of ISO 3166 by name, for address forms.

use crate::{
    i18n::Locale,
    locales::{COUNTRIES, FIRST_COUNTRY},
    t,
};

/// The code and name of each country, sorted by name.
pub fn all(locale: Locale) -> Vec<(&'static str, &'static str)> {
    codes(t!(locale, countries.in_order)).map(|code| (code, name(locale, code))).collect()
}

/// The name of a country; its code if there is no such country.
pub fn name(locale: Locale, code: &str) -> &str {
    match codes(COUNTRIES).position(|known| known == code) {
        Some(place) => FIRST_COUNTRY.later(place).of(locale),
        None => code,
    }
}

/// Two letters each, without separators.
fn codes(all: &'static str) -> impl Iterator<Item = &'static str> {
    (0..all.len()).step_by(2).filter_map(|at| all.get(at..at + 2))
}
