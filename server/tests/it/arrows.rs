//! The dependencies between crates and between the modules of a crate, and what each must not know
//! (docs/ARCHITECTURE.md).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use haat_shared::routes::{ROUTES, Surface};

/// As told when a test runs: clones of the project may share what was compiled.
pub fn root() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).parent().unwrap().to_owned()
}

pub fn sources(folder: &str) -> Vec<(String, String)> {
    files(folder, "rs")
}

fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
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
fn dependencies_are_never_reversed() {
    assert_eq!(knows("shared"), Vec::<String>::new());
    assert_eq!(knows("server/engine"), ["haat-recommend", "haat-search", "haat-shared"]);
    assert_eq!(knows("server/recommend"), Vec::<String>::new());
    assert_eq!(knows("server/search"), Vec::<String>::new());
    assert_eq!(knows("server/gateways"), ["haat-engine", "haat-shared"]);
    assert_eq!(knows("server/stripe"), ["haat-engine", "haat-shared"]);
    assert_eq!(knows("server/fakes"), Vec::<String>::new());
    assert_eq!(knows("app"), ["haat-engine", "haat-shared"]);
    assert_eq!(knows("frontend"), ["haat-app"]);
    assert_eq!(knows("server"), ["haat-app", "haat-engine", "haat-gateways", "haat-shared", "haat-stripe"]);
}

#[test]
fn each_crate_keeps_to_its_own() {
    let forbidden: [(&str, &[&str]); 9] = [
        // Pure: no clock, no randomness, no files, no database.
        ("shared/src", &["SystemTime", "getrandom", "std::fs", "tokio", "sqlx", "rusqlite"]),
        (
            "server/engine/src",
            &["reqwest", "lettre", "async_nats::", "axum::", "leptos", "hyper", "stripe::"],
        ),
        // Plain data in, plain data out.
        ("server/recommend/src", &["SystemTime", "getrandom", "tokio", "sqlx", "rusqlite", "axum", "leptos"]),
        ("server/search/src", &["SystemTime", "getrandom", "tokio", "sqlx", "rusqlite", "axum", "leptos"]),
        ("server/gateways/src", &["statements!", "sqlx", "rusqlite", "leptos", "axum::", "stripe"]),
        // The SDK of Stripe, and no client of anything else.
        ("server/stripe/src", &["statements!", "sqlx", "rusqlite", "leptos", "axum::", "reqwest", "lettre"]),
        ("app/src", &["statements!", "sqlx", "rusqlite", "reqwest", "lettre", "async_nats::", "stripe_core"]),
        (
            "server/src",
            &[
                "statements!",
                "sqlx",
                "rusqlite",
                "reqwest",
                "lettre",
                "async_nats::",
                "stripe_shared",
                "stripe_core",
            ],
        ),
        ("frontend/src", &["haat_engine", "haat_shared"]),
    ];
    for (folder, words) in forbidden {
        for (path, text) in sources(folder) {
            for word in words {
                assert!(!text.contains(word), "{path} must not use {word}");
            }
        }
    }
}

/// Links are built by `shared::routes`; no other file has a page's path as a literal. The exception is `Path`
/// in the router of pages, which `every_page_is_on_the_list` compares with the list.
#[test]
fn no_path_of_a_page_is_a_literal() {
    let pages = ROUTES.iter().filter(|route| route.surface != Surface::Function);
    let first: BTreeSet<&str> = pages
        .filter_map(|route| route.path.split('/').nth(1))
        .filter(|part| !["", "api"].contains(part))
        .collect();
    let begins_a_path = |text: &str| {
        text.strip_prefix('/').is_some_and(|path| {
            let end = path.find(['/', '?', '"', '{', '\'', '#', ' ']).unwrap_or(path.len());
            first.contains(&path[..end])
        })
    };
    let mut found = Vec::new();
    let rust = ["app/src", "server/src", "server/engine/src", "server/gateways/src", "server/stripe/src"]
        .map(sources)
        .concat();
    for (path, text) in rust.into_iter().chain(files("server/templates", "html")) {
        // Unit tests at the end of a file may spell out the expected paths.
        let code = text.split("#[cfg(test)]\nmod").next().unwrap();
        let code = code.split("#[cfg(all(test").next().unwrap();
        for line in
            code.lines().filter(|line| !line.trim_start().starts_with("//") && !line.contains("(Path("))
        {
            // At the start of a literal, after a host (`{url}/…`), or in a selector.
            let texts = ["\"", "}", "'"].into_iter().flat_map(|before| line.split(before).skip(1));
            let home = ["href", "action"].iter().any(|name| line.contains(&format!("{name}=\"/\"")));
            if home || texts.into_iter().any(&begins_a_path) {
                found.push(format!("{path}: {}", line.trim()));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// The engine knows no addresses, except for two that are signed with the market's secret (docs/decisions/0022-payments.md),
/// and those to which Stripe sends a shop back (docs/decisions/0041-connect.md) and a provider someone who signs in
/// (docs/decisions/0059-openid.md).
#[test]
fn the_engine_builds_four_addresses() {
    let knows = |text: &str| text.contains("routes::") || text.contains("routes,");
    let found = sources("server/engine/src").into_iter().filter(|(_, text)| knows(text));
    let names: BTreeSet<String> =
        found.map(|(path, _)| path.rsplit("engine/src/").next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        names,
        ["accounts/api_auth.rs", "accounts/logins.rs", "payments.rs", "payouts/connect.rs"]
            .map(str::to_owned)
            .into()
    );
}

/// Server functions contain no logic: at most five lines.
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

/// Modules may depend on each other in one direction only. The root of a folder is exempt: the engine's
/// contains the engine, which is passed to everything and composed of all the ports. In the app, a folder counts
/// as one module: its root has what its pages share, and names them.
#[test]
fn modules_have_no_circular_dependencies() {
    for folder in ["shared/src", "server/engine/src", "app/src", "server/src/http", "server/src/http/rest"] {
        let mut modules = Modules::read(folder);
        // A folder of its own, below.
        modules.text.retain(|module, _| folder != "server/src/http" || !module.starts_with("rest"));
        let known: usize = modules.text.keys().map(|module| modules.known_to(module).len()).sum();
        assert!(known > modules.text.len(), "{folder}: no dependencies were found");
        let mut arrows = modules.arrows();
        if folder == "app/src" {
            arrows = folded(&arrows);
        }
        assert_eq!(circle(&arrows), None, "{folder}: modules depend on each other in a cycle");
    }
}

#[test]
fn cycles_are_found_through_imports_aliases_and_reexports() {
    let found = |files: &[(&str, &str)]| {
        let files =
            [&[("", "")], files].concat().into_iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
        circle(&Modules::of(files.collect()).arrows())
    };
    let port = ("a::port", "pub struct Port;");
    assert_eq!(found(&[("a", "mod port; pub use port::Port;"), port, ("b", "use crate::a::Port;")]), None);
    assert_eq!(
        found(&[("a", "use crate::b::B; mod port; pub use port::Port;"), port, ("b", "use crate::a::Port;")]),
        None,
        "a re-exported item belongs to the module that defines it"
    );
    for (a, b) in [
        ("use crate::b::{C, B};", "use crate::{x, a::A as Other};"),
        ("use crate::b; fn f() { b::g() }", "fn g() { super::a::f() }"),
        ("fn f() { crate::b::g() }", "use crate::a::*;"),
    ] {
        assert_eq!(found(&[("a", a), ("b", b)]).as_deref(), Some("a → b → a"), "{a} {b}");
    }
    assert_eq!(found(&[("a", "// crate::b::g()"), ("b", "use crate::a::A;")]), None);
}

/// The modules of a crate that are files, by path: `payments::refund`.
struct Modules {
    /// Their source, without comments and tests.
    text: BTreeMap<String, String>,
    /// The names that they import or re-export, and what those refer to.
    names: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// An item of `use`, or a path in code.
struct Named {
    path: Vec<String>,
    name: String,
    is_use: bool,
    is_exported: bool,
}

impl Modules {
    fn read(folder: &str) -> Self {
        let top = root().join(folder).display().to_string();
        let name = |path: &str| {
            let path = path.trim_start_matches(&top).trim_matches('/').trim_end_matches(".rs");
            if matches!(path, "lib" | "mod") {
                String::new()
            } else {
                path.trim_end_matches("/mod").replace('/', "::")
            }
        };
        Self::of(sources(folder).into_iter().map(|(path, text)| (name(&path), text)).collect())
    }

    fn of(files: BTreeMap<String, String>) -> Self {
        let code = |text: String| {
            let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
        };
        let text: BTreeMap<_, _> = files.into_iter().map(|(name, text)| (name, code(text))).collect();
        let uses = |text| paths(text).into_iter().filter(|n| n.is_use).map(|n| (n.name, n.path)).collect();
        let names = text.iter().map(|(module, text)| (module.clone(), uses(text))).collect();
        Self { text, names }
    }

    /// The modules that each one uses.
    fn arrows(&self) -> Arrows<'_> {
        self.text.keys().map(|module| (module.as_str(), self.known_to(module))).collect()
    }

    /// The modules whose items a module uses.
    fn known_to(&self, module: &str) -> BTreeSet<&str> {
        let named = paths(&self.text[module]).into_iter().filter(|named| !named.is_exported);
        let known = named.filter_map(|named| self.home(module, &named.path, 0));
        known.filter(|home| *home != module && !home.is_empty()).collect()
    }

    /// The module that defines the item at `path` in `module`; none for other crates and for modules.
    fn home(&self, module: &str, path: &[String], depth: usize) -> Option<&str> {
        let below =
            |module: &str, name: &str| format!("{module}::{name}").trim_start_matches("::").to_owned();
        let above =
            |module: &str| module.rsplit_once("::").map_or(String::new(), |(above, _)| above.to_owned());
        let (mut at, mut rest) = (module.to_owned(), path);
        match path.first()?.as_str() {
            "crate" => (at, rest) = (String::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {}
            first if self.text.contains_key(&below(module, first)) => {}
            first if self.names[module].contains_key(first) => {}
            _ => return None,
        }
        while let Some((name, behind)) = rest.split_first() {
            if name == "super" {
                at = above(&at);
            } else if self.text.contains_key(&below(&at, name)) {
                at = below(&at, name);
            } else {
                return match self.names[&at].get(name) {
                    // An import from another crate, possibly renamed.
                    Some(_) if depth > 9 => None,
                    Some(path) => self.home(&at, &[path, behind].concat(), depth + 1),
                    None => self.text.get_key_value(&at).map(|(home, _)| home.as_str()),
                };
            }
            rest = behind;
        }
        None
    }
}

/// The modules that each module uses.
type Arrows<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The same for folders, each of which counts as one module.
fn folded<'a>(arrows: &Arrows<'a>) -> Arrows<'a> {
    let top = |module: &'a str| module.split("::").next().unwrap_or_default();
    let mut folded = Arrows::new();
    for (module, known) in arrows {
        let others = known.iter().map(|known| top(known)).filter(|known| *known != top(module));
        folded.entry(top(module)).or_default().extend(others);
    }
    folded
}

/// A cycle, from a module back to itself.
fn circle(arrows: &Arrows) -> Option<String> {
    fn behind<'a>(
        arrows: &Arrows<'a>,
        module: &'a str,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<String> {
        if let Some(at) = way.iter().position(|passed| *passed == module) {
            return Some([&way[at..], &[module]].concat().join(" → "));
        }
        if !done.insert(module) {
            return None;
        }
        way.push(module);
        let found = arrows[module].iter().find_map(|next| behind(arrows, next, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|module| behind(arrows, module, &mut Vec::new(), &mut done))
}

/// All paths with several segments in a text; those in `use` are listed one by one.
fn paths(text: &str) -> Vec<Named> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        tokens.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let is_use = tokens[at] == "use";
        let is_exported = is_use && at > 0 && matches!(tokens[at - 1], "pub" | ")");
        at += usize::from(is_use);
        for (path, name) in tree(&tokens, &mut at, &[]) {
            if path.len() > 1 {
                found.push(Named { path, name, is_use, is_exported });
            }
        }
    }
    found
}

/// The paths of `a::{b, c as d}`, each with the name that it is bound to.
fn tree(tokens: &[&str], at: &mut usize, before: &[String]) -> Vec<(Vec<String>, String)> {
    let mut path = before.to_vec();
    loop {
        let token = tokens.get(*at).copied().unwrap_or_default();
        *at += 1;
        if token == "{" && !path.is_empty() {
            let mut all = Vec::new();
            while tokens.get(*at).is_some_and(|token| *token != "}") {
                all.extend(tree(tokens, at, &path));
            }
            *at += 1;
            return all;
        }
        let is_word = token.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if !is_word && token != "*" {
            return Vec::new();
        }
        if token != "self" || before.is_empty() || path.len() > before.len() {
            path.push(token.to_owned());
        }
        if tokens.get(*at) == Some(&"::") && is_word {
            *at += 1;
            continue;
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if tokens.get(*at) == Some(&"as") {
            name = tokens.get(*at + 1).copied().unwrap_or_default().to_owned();
            *at += 2;
        }
        return vec![(path, name)];
    }
}

/// `docs/requirements.md` counts its rows, and names tests that exist.
#[test]
fn requirements_name_their_tests() {
    let text = fs::read_to_string(root().join("docs/requirements.md")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| {
            line.strip_prefix("| R").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
        .map(|line| line.trim_matches('|').split(" |").map(str::trim).collect())
        .collect();
    let mut wrong = Vec::new();
    for status in ["done", "partial", "open"] {
        let count = rows.iter().filter(|row| row[2] == status).count();
        if !text.contains(&format!("\n| {status} | {count} |\n")) {
            wrong.push(format!("{count} rows are {status}"));
        }
    }
    for row in &rows {
        let [id, _, status, _, tests, _] = row[..] else { panic!("six cells: {row:?}") };
        if status == "done" && tests.is_empty() {
            wrong.push(format!("{id} is done, and no test verifies it"));
        }
        // A name without a kind, or without a file, has that of the one before.
        let (mut kind, mut file) = ("", String::new());
        for code in tests.split('`').skip(1).step_by(2) {
            let name = match code.split_once(' ') {
                Some((named, name)) if ["engine", "server", "unit", "browser"].contains(&named) => {
                    kind = named;
                    name
                }
                _ => code,
            };
            let test = match (kind, name.rsplit_once("::"), name.split_once(" \"")) {
                ("engine", Some((module, test)), _) => {
                    file = format!("server/engine/tests/it/{}.rs", module.replace("::", "/"));
                    format!("fn {test}(")
                }
                ("server", Some((module, test)), _) => {
                    file = format!("server/tests/it/{}.rs", module.replace("::", "/"));
                    format!("fn {test}(")
                }
                ("unit", Some((path, test)), _) => {
                    file = path.to_owned();
                    format!("fn {test}(")
                }
                ("unit", None, _) => format!("fn {name}("),
                ("browser", _, Some((spec, test))) => {
                    file = format!("end2end/tests/{spec}.spec.ts");
                    format!("test('{}'", test.trim_end_matches('"'))
                }
                _ => format!("a kind of test: {code}"),
            };
            // Names with values in them are templates.
            let template = test.replace('\'', "`");
            let found = fs::read_to_string(root().join(&file))
                .is_ok_and(|text| text.contains(&test) || text.contains(&template));
            if !found {
                wrong.push(format!("{id}: {test} is not in {file}"));
            }
        }
    }
    assert!(rows.len() > 90 && wrong.is_empty(), "{wrong:#?}");
}
