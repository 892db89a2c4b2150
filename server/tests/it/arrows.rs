//! The arrows between the crates, and what each must not know (docs/ARCHITECTURE.md).

use std::{fs, path::Path};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder}");
    found
}

fn knows(crate_folder: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(crate_folder).join("Cargo.toml")).unwrap();
    let normal = manifest.split("[dev-dependencies]").next().unwrap();
    let mut names: Vec<String> = normal
        .lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| l.split(['.', ' ', '=']).next())
        .filter(|n| n.starts_with("haat-"))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn arrows_are_never_reversed() {
    assert_eq!(knows("shared"), Vec::<String>::new());
    assert_eq!(knows("server/engine"), ["haat-shared"]);
    assert_eq!(knows("server/gateways"), ["haat-engine", "haat-shared"]);
    assert_eq!(knows("app"), ["haat-engine", "haat-shared"]);
    assert_eq!(knows("frontend"), ["haat-app"]);
    assert_eq!(knows("server"), ["haat-app", "haat-engine", "haat-gateways", "haat-shared"]);
}

#[test]
fn each_crate_keeps_to_its_own() {
    let forbidden: [(&str, &[&str]); 6] = [
        // Pure: no time, no randomness, no files, no database.
        ("shared/src", &["SystemTime", "getrandom", "std::fs", "tokio", "sqlx", "rusqlite"]),
        ("server/engine/src", &["reqwest", "lettre", "axum::", "leptos", "hyper"]),
        ("server/gateways/src", &["statements!", "sqlx", "rusqlite", "leptos", "axum::"]),
        ("app/src", &["statements!", "sqlx", "rusqlite", "reqwest", "lettre"]),
        ("server/src", &["statements!", "sqlx", "rusqlite", "reqwest", "lettre"]),
        ("frontend/src", &["haat_engine", "haat_shared"]),
    ];
    for (folder, words) in forbidden {
        for (path, text) in sources(folder) {
            for word in words {
                assert!(!text.contains(word), "{path} knows {word}");
            }
        }
    }
}

/// A server function speaks, it does not decide: at most five lines.
#[test]
fn server_functions_are_thin() {
    for (path, text) in sources("app/src/api") {
        for function in text.split("#[server").skip(1) {
            let body = function.split_once("{\n").map_or("", |(_, b)| b).split("\n}").next().unwrap();
            assert!(body.lines().count() <= 8, "{path}: {body}");
            assert!(!body.contains("if ") && !body.contains("match "), "{path}: {body}");
        }
    }
}
