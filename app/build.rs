//! Turns `locales/*.json` into the module `locales` (docs/decisions/0009-words.md): a key that is missing or misspelt does
//! not compile. What another language than English lacks is taken from English; a test says what that is.

use std::{collections::BTreeMap, error::Error, fmt::Write, fs, path::Path};

use serde_json::{Map, Value};

/// What is never read in the browser. It stands last, so that browsers load what stands before it.
const SERVER_ONLY: [&str; 3] = ["mail", "dev_mail", "outage"];

type Words = Map<String, Value>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=build.rs");
    let mut locales = BTreeMap::new();
    for file in fs::read_dir("locales")? {
        let path = file?.path();
        let tag = path.file_stem().and_then(|name| name.to_str()).ok_or("a name that is no text")?.to_owned();
        let words: Words = serde_json::from_slice(&fs::read(&path)?)?;
        locales.insert(tag, words);
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
        if section == "country" {
            writeln!(code, "/// Each by its code.\npub const ALL: &[(&str, Key<0>)] = &[")?;
            for code_of in english[section].as_object().into_iter().flat_map(Map::keys) {
                writeln!(code, "({code_of:?}, {code_of}),")?;
            }
            writeln!(code, "];")?;
        }
        writeln!(code, "}}")?;
        if !SERVER_ONLY.contains(&section.as_str()) {
            shared = keys.len();
        }
    }
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
