//! Generates the module `locales` from `locales/*.json` (docs/decisions/0009-words.md). A missing or
//! misspelt key does not compile. Texts that a language lacks are taken from English; a test lists them.

use std::{collections::BTreeMap, error::Error, fmt::Write, fs, path::Path};

use serde_json::{Map, Value};

/// Sections that the browser never needs. They come last, so that browsers load only what precedes them.
const SERVER_ONLY: [&str; 5] = ["email", "dev_email", "outage", "problem", "sandbox"];

/// The plural rules for cardinal numbers, as written in the Unicode CLDR's `common/supplemental/plurals.xml`
/// (<https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html>): the categories of
/// each language with their conditions, except `other`, which covers all remaining numbers. A language that
/// is added to `locales` needs its row copied from there. Rows of other languages are only compiled for
/// tests.
const PLURALS: [(&str, &[(&str, &str)]); 4] = [
    ("en", &[("one", "i = 1 and v = 0")]),
    ("hi", &[("one", "i = 0 or n = 1")]),
    (
        "ar",
        &[
            ("zero", "n = 0"),
            ("one", "n = 1"),
            ("two", "n = 2"),
            ("few", "n % 100 = 3..10"),
            ("many", "n % 100 = 11..99"),
        ],
    ),
    (
        "pl",
        &[
            ("one", "i = 1 and v = 0"),
            ("few", "v = 0 and i % 10 = 2..4 and i % 100 != 12..14"),
            (
                "many",
                "v = 0 and i != 1 and i % 10 = 0..1 or v = 0 and i % 10 = 5..9 or v = 0 and i % 100 = 12..14",
            ),
        ],
    ),
];

type Words = Map<String, Value>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=build.rs");
    let mut locales = BTreeMap::new();
    for file in fs::read_dir("locales")? {
        let path = file?.path();
        let tag = path.file_stem().and_then(|name| name.to_str()).ok_or("a name that is no text")?.to_owned();
        let words: Words = serde_json::from_slice(&fs::read(&path)?)?;
        let words = completed(&tag, words);
        locales.insert(tag, words);
    }
    let english = locales.remove("en").ok_or("there is no en.json")?;
    let mut sections: Vec<&String> = english.keys().collect();
    sections.sort_by_key(|section| SERVER_ONLY.contains(&section.as_str()));

    let (mut code, mut keys) = (String::new(), Vec::new());
    let mut shared = 0;
    for section in sections {
        writeln!(code, "pub mod {section} {{ use super::*;")?;
        for (name, words) in english[section].as_object().ok_or("a section is no object")? {
            let (kind, values) = match words {
                Value::Object(forms) => ("Plural", values_of(forms)),
                words => ("MessageKey", placeholders(words.as_str().ok_or("words are no text")?)),
            };
            writeln!(
                code,
                "pub const {name}: {kind}<{}> = {kind}::new({}, {values:?});",
                values.len(),
                keys.len()
            )?;
            keys.push((section.as_str(), name.as_str()));
        }
        writeln!(code, "}}")?;
        if !SERVER_ONLY.contains(&section.as_str()) {
            shared = keys.len();
        }
    }
    let countries = english["country"].as_object().ok_or("countries are no object")?;
    let codes: String = countries.keys().map(String::as_str).collect();
    writeln!(
        code,
        "/// The codes of the countries, in the order of their words.\npub const COUNTRIES: &str = {codes:?};"
    )?;
    let first = countries.keys().next().ok_or("there are no countries")?;
    writeln!(
        code,
        "/// The words of the first of them.\npub const FIRST_COUNTRY: MessageKey<0> = country::{first};"
    )?;
    writeln!(code, "#[cfg(feature = \"ssr\")] pub(crate) const SHARED: usize = {shared};")?;
    let all =
        || [("en", &english)].into_iter().chain(locales.iter().map(|(tag, words)| (tag.as_str(), words)));
    let names: Vec<_> = all().map(|(tag, words)| (tag, text(words, "language", "name"))).collect();
    writeln!(
        code,
        "/// The languages: tag and own name.\npub const LANGUAGES: &[(&str, &str)] = &{names:?};"
    )?;
    writeln!(code, "#[cfg(feature = \"ssr\")] pub(crate) const WORDS: &[(&str, &[&str])] = &[")?;
    for (tag, words) in all() {
        let words = keys.iter().map(|(section, name)| {
            let own = words.get(*section).and_then(|section| section.get(*name));
            written(tag, own, &english[*section][*name])
                .map_err(|fault| format!("{tag}.json: {section}.{name} {fault}").into())
        });
        writeln!(code, "({tag:?}, &{:?}),", words.collect::<Result<Vec<_>>>()?)?;
    }
    writeln!(code, "];")?;
    let tags: Vec<&str> = all().map(|(tag, _)| tag).collect();
    code.push_str(&plural_rules(&tags)?);
    fs::write(Path::new(&std::env::var("OUT_DIR")?).join("words.rs"), code)?;
    Ok(())
}

/// The texts of a language, and what else the browser must know about it: which language's plural rule it
/// follows, and the country codes sorted by name, which spares the browser the sorting.
fn completed(tag: &str, mut words: Words) -> Words {
    let country = words.get("country").and_then(Value::as_object);
    let mut names: Vec<_> = country.into_iter().flatten().collect();
    // Åland is sorted under A.
    names.sort_by_key(|(_, name)| {
        name.as_str().unwrap_or_default().chars().map(unaccented).collect::<String>()
    });
    let codes: String = names.into_iter().map(|(code, _)| code.as_str()).collect();
    words.insert("countries".into(), serde_json::json!({ "in_order": codes }));
    words.insert("plurals".into(), serde_json::json!({ "language": tag }));
    words
}

/// A letter of the languages in `locales` without its accent, as used for sorting.
fn unaccented(letter: char) -> char {
    match letter {
        'À'..='Å' => 'A',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        other => other,
    }
}

fn text<'a>(words: &'a Words, section: &str, name: &str) -> &'a str {
    words.get(section).and_then(|section| section.get(name)?.as_str()).unwrap_or_default()
}

/// The entry of a key in a language's list: its own text, or the English one. Plural forms are in the order
/// of the language's categories, separated by tabs.
fn written(tag: &str, own: Option<&Value>, english: &Value) -> std::result::Result<String, String> {
    let Value::Object(english) = english else {
        let words = own.filter(|words| words.as_str() != Some("")).unwrap_or(english);
        return words.as_str().map(str::to_owned).ok_or("is a plural, but not in English".into());
    };
    let categories = categories(tag)?;
    let forms = match own {
        None => {
            let other = english.get("other");
            categories.iter().map(|category| english.get(*category).or(other)).collect::<Vec<_>>()
        }
        Some(Value::Object(own)) => {
            if let Some(odd) = own.keys().find(|name| !categories.contains(&name.as_str())) {
                return Err(format!("has the form {odd:?}, which is no plural category of the language"));
            }
            categories.iter().map(|category| own.get(*category)).collect()
        }
        Some(_) => return Err("is a plural in English and needs its forms".into()),
    };
    let forms = categories.iter().zip(forms).map(|(category, form)| {
        let form = form.and_then(Value::as_str).ok_or(format!("lacks its plural form {category:?}"))?;
        if form.contains(['\t', '\n']) {
            return Err(format!("has a tab or a line break in its form {category:?}"));
        }
        let other = english.get("other").and_then(Value::as_str).unwrap_or_default();
        match placeholders(form) == placeholders(other) {
            true => Ok(form),
            false => Err(format!("takes other values in its form {category:?} than in English")),
        }
    });
    Ok(forms.collect::<std::result::Result<Vec<_>, _>>()?.join("\t"))
}

/// The values of a plural other than its number `n`.
fn values_of(forms: &Words) -> Vec<&str> {
    let mut values = placeholders(forms.get("other").and_then(Value::as_str).unwrap_or_default());
    values.retain(|name| *name != "n");
    values
}

/// The plural categories of a language.
fn categories(tag: &str) -> std::result::Result<Vec<&'static str>, String> {
    let (_, rules) =
        PLURALS.iter().find(|(language, _)| *language == tag).ok_or("needs the language's row in PLURALS")?;
    Ok(rules.iter().map(|(category, _)| *category).chain(["other"]).collect())
}

/// The function that selects the plural form for a number.
fn plural_rules(tags: &[&str]) -> Result<String> {
    let mut code = String::from(
        "/// Which of the forms of a plural a number takes in a language.\n\
         pub(crate) fn plural_form(language: &str, n: u64) -> usize { match language {\n",
    );
    for (tag, rules) in PLURALS.iter().filter(|(tag, _)| *tag != "en") {
        let test = if tags.contains(tag) { "" } else { "#[cfg(test)] " };
        writeln!(code, "{test}{tag:?} => {},", rule(rules)?)?;
    }
    let (_, english) = PLURALS.iter().find(|(tag, _)| *tag == "en").ok_or("English has no row in PLURALS")?;
    writeln!(code, "_ => {}, }} }}", rule(english)?)?;
    Ok(code)
}

fn rule(rules: &[(&str, &str)]) -> Result<String> {
    let mut code = String::new();
    for (form, (_, cldr)) in rules.iter().enumerate() {
        let condition = condition(cldr).ok_or_else(|| format!("{cldr:?} is not understood"))?;
        write!(code, "if {condition} {{ {form} }} else ")?;
    }
    write!(code, "{{ {} }}", rules.len())?;
    Ok(code)
}

/// A CLDR condition as Rust. All numbers are integers, so `i` is `n`, and the operands for decimals (`v`,
/// `w`, `f`, `t`, `c`, `e`) are 0.
fn condition(cldr: &str) -> Option<String> {
    let relation = |relation: &str| {
        let (not, (value, ranges)) = match relation.split_once(" != ") {
            Some(parts) => ("!", parts),
            None => ("", relation.split_once(" = ")?),
        };
        let (operand, modulus) = value.split_at_checked(1)?;
        let value = match operand {
            "n" | "i" => "n",
            "v" | "w" | "f" | "t" | "c" | "e" => "0",
            _ => return None,
        };
        let ranges = ranges.replace("..", "..=").replace(',', " | ");
        Some(format!("{not}matches!({value}{modulus}, {ranges})"))
    };
    let all = |all: &str| Some(all.split(" and ").map(relation).collect::<Option<Vec<_>>>()?.join(" && "));
    Some(cldr.split(" or ").map(all).collect::<Option<Vec<_>>>()?.join(" || "))
}

/// The names between `{{` and `}}`.
fn placeholders(words: &str) -> Vec<&str> {
    let mut names: Vec<&str> = words
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .map(|(name, _)| name.trim())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
