//! Turns `locales/*.json` into the module `locales` (docs/decisions/0009-words.md): a key that is missing or misspelt does
//! not compile. What another language than English lacks is taken from English; a test says what that is.

use std::{collections::BTreeMap, error::Error, fmt::Write, fs, path::Path};

use serde_json::{Map, Value};

/// What is never read in the browser. It stands last, so that browsers load what stands before it.
const SERVER_ONLY: [&str; 4] = ["mail", "dev_mail", "outage", "problem"];

type Words = Map<String, Value>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=build.rs");
    let mut locales = BTreeMap::new();
    for file in fs::read_dir("locales")? {
        let path = file?.path();
        let tag = path.file_stem().and_then(|name| name.to_str()).ok_or("a name that is no text")?.to_owned();
        let words: Words = serde_json::from_slice(&fs::read(&path)?)?;
        locales.insert(tag, in_order(words));
    }
    let english = locales.remove("en").ok_or("there is no en.json")?;
    let mut sections: Vec<&String> = english.keys().collect();
    sections.sort_by_key(|section| SERVER_ONLY.contains(&section.as_str()));

    let (mut code, mut keys) = (String::new(), Vec::new());
    let mut shared = 0;
    for section in sections {
        writeln!(code, "pub mod {section} {{ use super::Key;")?;
        for (name, words) in english[section].as_object().ok_or("a section is no object")? {
            let values = placeholders(words.as_str().ok_or("words are no text")?);
            writeln!(
                code,
                "pub const {name}: Key<{}> = Key::new({}, {values:?});",
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
        "/// The words of the first of them.\npub const FIRST_COUNTRY: Key<0> = country::{first};"
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
        let words = keys.iter().map(|(section, name)| match text(words, section, name) {
            "" => text(&english, section, name),
            words => words,
        });
        writeln!(code, "({tag:?}, &{:?}),", words.collect::<Vec<_>>())?;
    }
    writeln!(code, "];")?;
    fs::write(Path::new(&std::env::var("OUT_DIR")?).join("words.rs"), code)?;
    Ok(())
}

/// The words with the codes of the countries, in the order of their names: what the browser would else have to sort.
fn in_order(mut words: Words) -> Words {
    let country = words.get("country").and_then(Value::as_object);
    let mut names: Vec<_> = country.into_iter().flatten().collect();
    // Åland stands with A.
    names.sort_by_key(|(_, name)| {
        name.as_str().unwrap_or_default().replace('Å', "A").replace('ô', "o").replace('ã', "a")
    });
    let codes: String = names.into_iter().map(|(code, _)| code.as_str()).collect();
    words.insert("countries".into(), serde_json::json!({ "in_order": codes }));
    words
}

fn text<'a>(words: &'a Words, section: &str, name: &str) -> &'a str {
    words.get(section).and_then(|section| section.get(name)?.as_str()).unwrap_or_default()
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
