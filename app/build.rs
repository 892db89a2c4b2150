//! Turns `locales/*.json` into the module `i18n`: a key that is missing or misspelt does not compile.

use std::{error::Error, fs, path::Path};

use leptos_i18n_parser::parse_locales::{
    options::{Config, ParseOptions},
    parse_locales,
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=build.rs");
    let options = ParseOptions::new().interpolate_display(true);
    let config = Config::new("en").map_err(|e| e.to_string())?.parse_options(options);
    let words = parse_locales(None, config).map_err(|e| e.to_string())?;
    let quiet = "#![allow(missing_docs, unreachable_pub, clippy::all, clippy::expect_used)]".parse()?;
    let code =
        leptos_i18n_codegen::gen_code(&words, None, false, Some(&quiet), false).map_err(|e| e.to_string())?;
    let to = Path::new(&std::env::var("OUT_DIR")?).join("i18n.rs");
    fs::write(to, code.to_string())?;
    Ok(())
}
