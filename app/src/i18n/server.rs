//! Languages on the server: the texts of all of them, which language a request gets, and the file of texts
//! that browsers load.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    str::FromStr,
    sync::LazyLock,
};

use haat_shared::routes;
use leptos::prelude::{provide_context, use_context};

use super::Locale;
use crate::{
    locales::{SHARED, WORDS, countries, language, plurals},
    t,
};

struct Language {
    tag: &'static str,
    words: Vec<&'static str>,
    sheet: Sheet,
}

/// The texts of a language as browsers load them: one per line, only those that the interface shows.
pub struct Sheet {
    /// The path, which changes with the content.
    pub path: String,
    /// The texts.
    pub text: String,
}

/// The languages, then two pseudo-languages for tests: English that reveals untranslated text, left to
/// right and right to left.
static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let real = WORDS.iter().map(|(tag, words)| Language::new(tag, words.to_vec()));
    let pseudo = [("en-XA", "ltr"), ("ar-XB", "rtl")].map(|(tag, direction)| {
        let english = WORDS[0].1.iter();
        let stretched = |words: &&str| words.split('\t').map(stretched).collect::<Vec<_>>().join("\t");
        let mut words: Vec<&str> = english.map(|words| stretched(words).leak() as &str).collect();
        for kept in [language::grouping.at, language::money.at, plurals::language.at, countries::in_order.at]
        {
            words[kept] = WORDS[0].1[kept];
        }
        words[language::direction.at] = direction;
        Language::new(tag, words)
    });
    real.chain(pseudo).collect()
});

impl Language {
    fn new(tag: &'static str, words: Vec<&'static str>) -> Self {
        let text = words[..SHARED].join("\n");
        let mut hash = DefaultHasher::new();
        text.hash(&mut hash);
        let path = routes::words(&format!("{tag}.{:016x}.txt", hash.finish()));
        Self { tag, words, sheet: Sheet { path, text } }
    }
}

/// The text in brackets, with accents, and a third longer; the names of values stay as they are.
fn stretched(words: &str) -> String {
    let mut depth = 0;
    let accented = words.chars().map(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth > 0 {
            return c;
        }
        match c {
            'a' => 'á',
            'e' => 'é',
            'i' => 'í',
            'o' => 'ó',
            'u' => 'ú',
            c => c,
        }
    });
    let accented: String = accented.collect();
    format!("[{accented}{}]", "·".repeat(words.chars().count().div_ceil(3)))
}

impl Locale {
    fn language(self) -> &'static Language {
        &LANGUAGES[usize::from(self.0)]
    }

    pub(super) fn words(self, at: usize) -> &'static str {
        self.language().words[at]
    }

    /// Its tag, as in `lang`.
    pub fn tag(self) -> &'static str {
        self.language().tag
    }

    /// The text direction: `ltr` or `rtl`.
    pub fn direction(self) -> &'static str {
        t!(self, language.direction)
    }

    /// The language of a page: the selected one, or the first available one that the browser requests, or
    /// English. Pseudo-languages exist in development only.
    pub fn of_request(chosen: Option<&str>, asked: &str, development: bool) -> Self {
        let known = |tag: &str| tag.parse().ok().filter(|locale: &Self| development || locale.is_real());
        let mut asked: Vec<(&str, f32)> = asked
            .split(',')
            .map(|part| {
                let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
                (tag.trim(), weight.trim().parse().unwrap_or(0.0))
            })
            .filter(|(_, weight)| *weight > 0.0)
            .collect();
        asked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let nearest = |tag: &str| known(tag).or_else(|| known(tag.split('-').next()?));
        let asked = || asked.iter().find_map(|(tag, _)| nearest(tag));
        chosen.and_then(known).or_else(asked).unwrap_or_default()
    }

    fn is_real(self) -> bool {
        usize::from(self.0) < WORDS.len()
    }
}

impl FromStr for Locale {
    type Err = ();

    fn from_str(tag: &str) -> Result<Self, ()> {
        let place = LANGUAGES.iter().position(|language| language.tag.eq_ignore_ascii_case(tag)).ok_or(())?;
        u8::try_from(place).map(Self).map_err(|_| ())
    }
}

/// Puts the caller's language into the context.
pub(crate) fn provide() -> Locale {
    let locale =
        use_context::<crate::api::Ctx>().and_then(|ctx| ctx.caller.locale.parse().ok()).unwrap_or_default();
    provide_context::<Locale>(locale);
    locale
}

/// The file that browsers load for a language.
pub fn sheet(locale: Locale) -> &'static Sheet {
    &locale.language().sheet
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::i18n::{fill, form, tn};

    type Words = BTreeMap<String, BTreeMap<String, serde_json::Value>>;

    /// The texts as they are in the file; plural forms, which the build checks, are joined.
    fn text(words: &serde_json::Value) -> String {
        words.as_str().map_or_else(|| words.to_string(), str::to_owned)
    }

    fn names(words: &str) -> Vec<&str> {
        let mut names: Vec<_> =
            words.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What is missing is read in English until someone translates it; this test is how they know.
    #[test]
    fn every_language_has_every_word_with_its_values() {
        let read = |path| serde_json::from_slice::<Words>(&std::fs::read(path).unwrap()).unwrap();
        let english = read(std::path::PathBuf::from("locales/en.json"));
        let mut faults = Vec::new();
        for file in std::fs::read_dir("locales").unwrap() {
            let path = file.unwrap().path();
            let other = read(path.clone());
            let of = |section: &str, name: &str| other.get(section).and_then(|s| s.get(name)).map(text);
            for (section, words) in &english {
                for (name, words) in words {
                    let there = of(section, name).unwrap_or_default();
                    if there.is_empty() || names(&there) != names(&text(words)) || there.contains('\n') {
                        faults.push(format!("{}: {section}.{name}", path.display()));
                    }
                }
            }
            for (section, words) in &other {
                let extra =
                    words.keys().filter(|name| english.get(section).is_none_or(|e| !e.contains_key(*name)));
                faults.extend(
                    extra.map(|name| format!("{}: {section}.{name} is nowhere used", path.display())),
                );
            }
        }
        assert!(faults.is_empty(), "{faults:#?}");
    }

    #[test]
    fn the_chosen_language_wins_then_the_one_asked_for() {
        let tag = |chosen, asked| Locale::of_request(chosen, asked, false).tag();
        assert_eq!(tag(None, ""), "en");
        assert_eq!(tag(None, "de, hi-IN;q=0.8, en;q=0.9"), "en");
        assert_eq!(tag(None, "de, hi-IN;q=0.9, en;q=0.8"), "hi");
        assert_eq!(tag(None, "hi;q=0, *"), "en");
        assert_eq!(tag(Some("hi"), "en"), "hi");
        assert_eq!(tag(Some("tlh"), "HI"), "hi");
        assert_eq!(tag(Some("en-XA"), "hi"), "hi", "for tests alone");
        assert_eq!(Locale::of_request(Some("ar-XB"), "", true).direction(), "rtl");
    }

    #[test]
    fn values_are_put_in_by_name() {
        assert_eq!(
            fill(Locale::default(), "{{ n }} of {{ shop }}, {{n}}", &[("shop", &"a {{ n }}"), ("n", &2)]),
            "2 of a {{ n }}, 2"
        );
        assert_eq!(stretched("Was {{ price }}"), "[Wás {{ price }}·····]");
        let hindi: Locale = "hi".parse().unwrap();
        assert!(t!(hindi, cart.each, price = "₹1").contains("₹1"));
        assert_ne!(t!(hindi, cart.title), t!(Locale::default(), cart.title));
    }

    /// By the samples that CLDR gives for each category.
    #[test]
    fn plurals_follow_the_rules_of_their_language() {
        let is = |language, category: &'static str, numbers: &[u64]| {
            let forms = match language {
                "ar" => "zero\tone\ttwo\tfew\tmany\tother",
                "pl" => "one\tfew\tmany\tother",
                _ => "one\tother",
            };
            for n in numbers {
                assert_eq!(form(forms, language, *n), category, "{n} in {language}");
            }
        };
        is("en", "one", &[1]);
        is("en", "other", &[0, 2, 11, 21, 101]);
        is("hi", "one", &[0, 1]);
        is("hi", "other", &[2, 10, 11, 100, 101]);
        is("pl", "one", &[1]);
        is("pl", "few", &[2, 3, 4, 22, 104, 1_002]);
        is("pl", "many", &[0, 5, 11, 12, 14, 19, 21, 111, 112, 1_000]);
        is("ar", "zero", &[0]);
        is("ar", "one", &[1]);
        is("ar", "two", &[2]);
        is("ar", "few", &[3, 10, 103, 1_010]);
        is("ar", "many", &[11, 99, 111, 1_011]);
        is("ar", "other", &[100, 102, 200, 1_002]);
    }

    #[test]
    fn a_count_takes_its_form_and_is_grouped() {
        let (english, hindi): (Locale, Locale) = (Locale::default(), "hi".parse().unwrap());
        let items = |locale, n: i64| tn!(locale, email.items, n);
        assert_eq!([0, 1, 2].map(|n| items(english, n)), ["0 items", "1 item", "2 items"]);
        assert_eq!(items(english, 100_000), "1,00,000 items");
        let shops = |n: usize| tn!(hindi, account.orders, n);
        assert_eq!([0, 1, 2].map(shops), ["0 दुकान", "1 दुकान", "2 दुकानें"]);
        let counted = tn!(english, imports.counted, 1, new = 0, changed = 1, same = 0);
        assert_eq!(counted, "1 product can be imported: 0 new, 1 updated, 0 unchanged.");
        // The pseudo-locales for tests are English with modified letters.
        let stretched: Locale = "en-XA".parse().unwrap();
        assert_eq!([1, 2].map(|n| items(stretched, n)), ["[1 ítém····]", "[2 ítéms·····]"]);
    }

    #[test]
    fn countries_are_called_and_ordered_by_the_language() {
        let hindi: Locale = "hi".parse().unwrap();
        let english = crate::countries::all(Locale::default());
        assert_eq!((english.len(), english[1]), (250, ("AX", "Åland Islands")));
        assert_eq!(
            (crate::countries::name(hindi, "ZW"), crate::countries::name(hindi, "XX")),
            ("ज़िम्बाब्वे", "XX")
        );
        assert_eq!(crate::countries::all("ar-XB".parse().unwrap()).len(), 250);
        // A form offers exactly the countries that it accepts.
        let mut offered: Vec<_> = english.iter().map(|(code, _)| *code).collect();
        offered.sort_unstable();
        assert_eq!(offered, haat_shared::addresses::countries().collect::<Vec<_>>());
    }

    #[test]
    fn browsers_load_what_they_may_show_alone() {
        let sheet = sheet(Locale::default());
        assert_eq!(sheet.text.lines().nth(crate::locales::cart::title.at), Some("Your basket"));
        assert!(!sheet.text.contains("Sent emails"));
        assert!(sheet.path.starts_with("/words/en."));
    }
}
