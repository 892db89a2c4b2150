//! Invalid configurations and arguments: the program reports the reason in one line and does not start.

use crate::program::*;

fn one_line(program: &Program, arguments: &[&str], why: &str) {
    let output = program.run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments:?}");
    let last = said.lines().rfind(|l| l.starts_with("haat: ")).unwrap_or_else(|| panic!("{said}"));
    assert!(last.contains(why), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_reported_in_one_line() {
    let mut program = Program::prepare(On::Sqlite).await;
    one_line(&program, &["seed", "--demo", "--without-orders"], "already exists");
    one_line(&program, &["seed"], "--demo");
    one_line(&program, &["import", "products", "no-such-file", "--shop", "meena-crafts"], "no-such-file");
    let folder = program.folder.display().to_string();
    one_line(&program, &["import", "products", &folder, "--shop", "meena-crafts"], "is a folder");
    let file = program.folder.join("products");
    for (text, why) in [
        ("sku,title,price\n", "a header, but no products"),
        ("{\"a\":1}\n", "This looks like JSON, but not like a file of products"),
    ] {
        std::fs::write(&file, text).unwrap();
        let output = program.run(&["import", "products", file.to_str().unwrap(), "--shop", "meena-crafts"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(why), "{said}");
        assert!(said.contains("Nothing was imported"), "{said}");
    }
    one_line(&program, &["admin", "create", "--email", "boss@haat.example"], "HAAT_ADMIN_PASSWORD");
    let url = program.url.clone();
    for (url, why) in [
        ("sqlite:/proc/no/haat.db", "/proc/no"),
        ("postgres://postgres@127.0.0.1:1/x", "cannot be reached"),
        ("mysql://x", "must begin with"),
    ] {
        program.set("HAAT__DATABASE__URL", url);
        one_line(&program, &["serve"], why);
    }
    for file in ["new/haat.db", "new.db"] {
        program.set("HAAT__DATABASE__URL", &format!("sqlite:{}", program.folder.join(file).display()));
        for arguments in [&["serve"][..], &["ledger", "verify"]] {
            one_line(&program, arguments, "doesn't exist: create a market with `haat migrate`");
        }
        assert!(!program.folder.join(file).exists() && !program.folder.join("new").exists(), "{file}");
    }
    std::fs::write(program.folder.join("new.db"), "").unwrap();
    one_line(&program, &["serve"], "the database is empty");
    program.set("HAAT__DATABASE__URL", &url);
    program.set("HAAT__MODE", "production");
    one_line(&program, &["serve"], "production");
    program.set("HAAT__MODE", "development");
    // An address of nobody (RFC 5737), and a name that is none.
    program.set("HAAT__SERVER__BIND", "192.0.2.1:1");
    one_line(&program, &["serve"], "server.bind: ");
    program.set("HAAT__SERVER__BIND", "256.0.0.1:1");
    for arguments in [&["serve"][..], &["config"]] {
        one_line(&program, arguments, "server.bind must be");
    }
    program.set("HAAT__SERVER__BIND", "127.0.0.1:0");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_are_created_and_products_imported() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.set("HAAT_ADMIN_PASSWORD", "a long password");
        assert!(program.run_ok(&["admin", "create", "--email", "boss@haat.example"]).contains("user_"));
        one_line(
            &program,
            &["admin", "create", "--email", "boss@haat.example"],
            "email: This email is already registered.",
        );
        let file = program.folder.join("products.jsonl");
        let lines: Vec<String> = (0..120)
            .map(|i| format!(r#"{{"id":"{i}","title":"Imported lamp {i}","supplier":"Lumo","price":{},"attr_n_weight":1.5}}"#, 1000 + i))
            .chain(["{".to_owned(), r#"{"id":"x","price":1}"#.to_owned()])
            .collect();
        std::fs::write(&file, lines.join("\n")).unwrap();
        let arguments = ["import", "products", file.to_str().unwrap(), "--shop", "meena-crafts"];
        let said = |arguments: &[&str]| {
            let output = program.run(arguments);
            assert_eq!(output.status.code(), Some(2));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let refused = said(&arguments);
        for part in ["line 121, whole line: \"{", "line 122, title: \"\"", "120 new", "Nothing was imported."]
        {
            assert!(refused.contains(part), "{refused}");
        }
        let rest = [&arguments[..], &["--skip-errors"]].concat();
        let first = said(&rest);
        assert!(first.contains("120 added, 0 updated, 0 unchanged, 2 skipped"), "{first}");
        let again = said(&rest);
        assert!(again.contains("0 added, 0 updated, 120 unchanged, 2 skipped"), "{again}");
        one_line(
            &program,
            &["import", "products", file.to_str().unwrap(), "--shop", "no-such-shop"],
            "no-such-shop",
        );
        let shown = program.run_ok(&["config"]);
        assert!(shown.contains("[database]") && !shown.contains("not a secret"), "{shown}");
        program.close();
    }
}

/// A read-only database file is reported in one line, instead of a market where nobody can buy.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_file_is_reported_in_one_line() {
    use std::os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    };

    let program = Program::prepare(On::Sqlite).await;
    // Root can write everywhere, so the program runs as nobody, from a folder that nobody can read.
    let binary = program.folder.join("haat");
    std::fs::copy(env!("CARGO_BIN_EXE_haat"), &binary).unwrap();
    let allow = |file: &str, mode| {
        std::fs::set_permissions(program.folder.join(file), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    allow("haat.db", 0o444);
    allow("", 0o555);
    let mut command = program.command_of(&binary, &["serve"]);
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert!(said.lines().any(|l| l.starts_with("haat: ") && l.contains("cannot write")), "{said}");
    allow("", 0o755);
    allow("haat.db", 0o644);
    program.close();
}
