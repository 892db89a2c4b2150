//! Product imports on the command line and in a browser without scripts, interrupted by `kill -9` and with
//! invalid products.

use std::{
    collections::BTreeSet,
    fmt::Write,
    time::{Duration, Instant},
};

use reqwest::{StatusCode, header};

use crate::program::*;

const SHOP: &str = "meena-crafts";

/// The SKUs of the shop's imported products.
fn skus(program: &Program) -> Vec<String> {
    let table = program.run_ok(&["export", "products", "--shop", SHOP]);
    let lines = table.lines().filter_map(|line| line.split(',').nth(1));
    lines.filter(|sku| sku.starts_with("K-")).map(str::to_owned).collect()
}

async fn killed_again_and_again(on: On) {
    const PRODUCTS: usize = 2_000;
    let mut program = Program::prepare(on).await;
    let mut lines = String::new();
    for i in 0..PRODUCTS {
        writeln!(lines, r#"{{"id":"K-{i}","title":"Lamp {i}","price":{}}}"#, 1_000 + i).unwrap();
    }
    let file = program.folder.join("lamps.jsonl");
    std::fs::write(&file, lines).unwrap();
    let import = ["import", "products", file.to_str().unwrap(), "--shop", SHOP];
    let mut seen = Vec::new();
    // Each way of importing is combined with each moment of the kill.
    for round in 0..6 {
        // Applied by the server and by the command line in turn.
        if round % 2 == 0 {
            program.start().await;
        }
        let mut command = program.command(&import).stdout(std::process::Stdio::null()).spawn().unwrap();
        // Every third run is killed while the file is being checked; the rest once more products are there.
        let (before, begun) = (seen.last().copied().unwrap_or(0), Instant::now());
        while round % 3 != 2 && command.try_wait().unwrap().is_none() && skus(&program).len() == before {
            assert!(begun.elapsed() < Duration::from_secs(120), "nothing was imported for two minutes");
        }
        let _ = command.kill();
        command.wait().unwrap();
        program.kill();
        program.verify();
        seen.push(skus(&program).len());
        if seen.last() == Some(&PRODUCTS) {
            break;
        }
    }
    println!("{on:?}: {seen:?} of {PRODUCTS} products were there after each kill");
    assert!(seen.is_sorted(), "imported products disappeared: {seen:?}");
    assert!(seen.iter().any(|n| (1..PRODUCTS).contains(n)), "no kill hit the middle of an import: {seen:?}");
    program.start().await;
    program.run_ok(&import);
    let there = skus(&program);
    assert_eq!((there.len(), there.iter().collect::<BTreeSet<_>>().len()), (PRODUCTS, PRODUCTS), "each once");
    let again = program.run_ok(&import);
    assert!(again.contains(&format!("(0 new, 0 updated, {PRODUCTS} unchanged)")), "{again}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_survives_crashes_on_sqlite() {
    killed_again_and_again(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_survives_crashes_on_postgres() {
    killed_again_and_again(On::Postgres).await;
}

/// A table with one invalid line in a hundred, in five ways, and the numbers of these lines.
fn broken(lines: usize) -> (Vec<u8>, BTreeSet<usize>) {
    let (mut file, mut bad) = (b"sku,title,category,price,stock,state\r\n".to_vec(), BTreeSet::new());
    for i in 0..lines {
        let title = match i % 500 {
            99 => b"B\xfccher".to_vec(),
            199 => b"=HYPERLINK(1)".to_vec(),
            _ => format!("Bowl {i}").into_bytes(),
        };
        let sku = if i % 500 == 299 { "K-0".to_owned() } else { format!("K-{i}") };
        let category = if i % 500 == 399 { "no-such" } else { "" };
        let price = if i % 500 == 499 { "cheap" } else { "100" };
        file.extend(sku.as_bytes());
        file.push(b',');
        file.extend(title);
        file.extend(format!(",{category},{price},5,published\r\n").as_bytes());
        if i % 100 == 99 {
            bad.insert(i + 2);
        }
    }
    (file, bad)
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_listed_by_line_and_the_rest_is_imported_on_request() {
    for on in BOTH {
        let program = Program::prepare(on).await;
        let (bytes, bad) = broken(1_000);
        let (file, list) = (program.folder.join("bowls.csv"), program.folder.join("errors.csv"));
        std::fs::write(&file, bytes).unwrap();
        let mut arguments = vec!["import", "products", file.to_str().unwrap(), "--shop", SHOP];
        arguments.extend(["--errors", list.to_str().unwrap()]);
        for dry in [&["--dry-run", "--skip-errors"][..], &[]] {
            let output = program.run(&[arguments.as_slice(), dry].concat());
            assert_eq!(output.status.code(), Some(2));
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(said.contains("Valid products: 990") && said.contains("Nothing was imported"), "{said}");
            assert_eq!(skus(&program).len(), 0);
        }
        let listed = std::fs::read_to_string(&list).unwrap();
        let lines = listed.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap());
        assert_eq!(lines.collect::<BTreeSet<usize>>(), bad, "{listed}");
        for code in ["not_utf8", "formula", "not_unique", "not_a_choice", "not_money"] {
            assert_eq!(listed.matches(&format!(",{code},")).count(), 2, "{code}: {listed}");
        }
        let output = program.run(&[arguments.as_slice(), &["--skip-errors"]].concat());
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(skus(&program).len(), 990);
        let missing = program.run(&["import", "products", "no-such-file.csv", "--shop", SHOP]);
        assert_eq!(missing.status.code(), Some(1));
        let nowhere = program.run(&["import", "products", file.to_str().unwrap(), "--shop", "no-such-shop"]);
        assert!(String::from_utf8_lossy(&nowhere.stderr).contains("no shop with the handle no-such-shop"));
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_or_can_be_read_two_ways_ends_with_2() {
    let program = Program::prepare(On::Sqlite).await;
    let file = program.folder.join("table.csv");
    let run = |table: &str, more: &[&str]| {
        std::fs::write(&file, table).unwrap();
        let arguments = ["import", "products", file.to_str().unwrap(), "--shop", SHOP];
        let output = program.run(&[&arguments[..], more].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let quotes = "sku,title,price\nK-1,Cup,120\nK-2,\"27\" stand,900\nK-3,\"Shelf,1200\nK-4,Jug,130\n";
    for delimiter in [",", ";", "\t"] {
        let (code, said) = run(&quotes.replace(',', delimiter), &["--skip-errors"]);
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.contains("line 3") && said.contains("line 4") && said.contains("3 lines couldn’t be read."),
            "{said}"
        );
        assert!(!said.contains("Products with errors"), "none is known to have any: {said}");
        assert!(said.contains("K-1  ₹120.00  Cup"), "{said}");
        assert_eq!(skus(&program), ["K-1"], "{said}");
    }
    let commas = "sku;title;price\nK-5;Bowl;12,500\nK-6;Pot;12,50\n";
    let (code, said) = run(commas, &["--skip-errors"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("--decimal comma") && said.contains("₹12,500.00") && said.contains("₹12.50"),
        "{said}"
    );
    assert_eq!(skus(&program), ["K-1"]);
    let (code, said) = run(commas, &["--decimal", "comma"]);
    assert_eq!((code, skus(&program).len()), (Some(0), 3), "{said}");
    let (code, _) = run(commas, &["--decimal", "dot"]);
    assert!(!matches!(code, Some(0)));
    program.close();
}

/// A form as sent by browsers.
fn form(part: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("--edge\r\nContent-Disposition: form-data; {part}\r\n\r\n");
    [head.as_bytes(), bytes, b"\r\n--edge--\r\n"].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_is_asked_what_a_number_means() {
    let program = Program::serve(On::Sqlite).await;
    let seller = Shopper::new(&program);
    let credentials =
        [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
    seller.post("/sign-in", &credentials).await;
    let page = format!("/seller/{SHOP}/products/import");
    let send = async |form: Vec<u8>| {
        let request = seller.client.post(program.at(&page)).body(form);
        let sent = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge").send().await;
        location(&sent.unwrap())
    };
    let table = "sku;title;price\nK-1;Bowl;12,500\nK-2;Pot;12,50\nK-3;\"Jug;1\n".as_bytes();
    let open = send(form(FILE, table)).await;
    let shown = seller.get(&open).await.1;
    for words in ["name=\"decimal_mark\"", "₹12,500.00", "₹12.50", "1 line couldn’t be read."] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    // Nothing is imported until the question is answered.
    let decide = format!("/seller/{SHOP}/imports/{}", open.split("id=").nth(1).unwrap());
    let back = seller.post(&decide, &[("action", "start")]).await;
    assert!(back.contains("error=invalid"), "{back}");
    assert_eq!(skus(&program), [""; 0]);
    // If the separator is given with the file, there is no question.
    let head = "--edge\r\nContent-Disposition: form-data; name=\"decimal_mark\"\r\n\r\ncomma\r\n";
    let said = send([head.as_bytes(), form(FILE, table).as_slice()].concat()).await;
    let shown = seller.get(&said).await.1;
    assert!(!shown.contains("name=\"decimal_mark\"") && shown.contains("₹12.50"), "{shown}");
    assert_eq!(seller.post(&decide, &[("action", "start"), ("decimal_mark", "comma")]).await, open);
    for _ in 0..200 {
        if seller.get(&open).await.1.contains("Import complete: 2 added") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(skus(&program), ["K-1", "K-2"]);
    assert!(seller.get(&format!("/seller/{SHOP}/products.csv")).await.1.contains(",12.50,"));
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_saves_what_a_file_may_bring_in() {
    let program = Program::serve(On::Sqlite).await;
    let seller = Shopper::new(&program);
    let credentials =
        [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
    seller.post("/sign-in", &credentials).await;
    let value = "क".repeat(10_000);
    let details: Vec<_> =
        (0..30).map(|i| serde_json::json!({"name": format!("Part {i}"), "value": value})).collect();
    let variants = serde_json::json!([{"sku": "K-1", "price": "450", "stock": "1"}]);
    let form = serde_json::json!({"title": "Endless", "attributes": details, "variants": variants});
    let body = serde_json::json!({"handle": SHOP, "form": form, "key": "endless"}).to_string();
    let request = seller.client.post(program.at("/api/catalog/create")).body(body);
    let answer = request.header(header::CONTENT_TYPE, "application/json").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.text().await);
    assert_eq!(skus(&program), ["K-1"]);
    let exported = program.run_ok(&["export", "products", "--shop", SHOP, "--format", "json"]);
    let product = exported.lines().find(|line| line.contains("\"K-1\"")).unwrap();
    let product: serde_json::Value = serde_json::from_str(product).unwrap();
    let kept = product["specifications"].as_array().unwrap();
    assert_eq!((kept.len(), kept[29]["value"].as_str()), (30, Some(value.as_str())));
    program.close();
}

const FILE: &str = "name=\"file\"; filename=\"bowls.csv\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_coupons_says_what_is_wrong_with_it() {
    const COUPONS: &str = "name=\"coupons\"; filename=\"coupons.csv\"";
    let program = Program::serve(On::Sqlite).await;
    let seller = Shopper::new(&program);
    let page = format!("/seller/{SHOP}/promotions");
    let credentials =
        [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
    seller.post("/sign-in", &credentials).await;
    let send = async |file: &[u8]| {
        let request = seller.client.post(program.at(&format!("{page}/import"))).body(form(COUPONS, file));
        let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
        let sent = request.send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::SEE_OTHER);
        seller.get(&location(&sent)).await.1
    };
    let line = |n: usize| format!("C{n},Sale,percent,5\n");
    let table = |lines: &str| format!("code,label,kind,percent\n{lines}");
    let many: String = (0..1_001).map(line).collect();
    for (file, says) in [
        (
            table("TEN,Ten off,percent,10\nHALF,Half off,percent,500\n"),
            "Line 3, Percentage: This is too high.",
        ),
        (
            table("TEN,Ten off,half,10\n"),
            "Line 2, Type: Enter one of: percent, amount, free_shipping, buy_get.",
        ),
        (table("TEN,Ten off\n"), "Line 2: This line has too many or too few cells."),
        (
            "code,label,kind,colour\nTEN,Ten off,percent,red\n".into(),
            "Line 1, colour: This column isn’t recognised.",
        ),
        (String::new(), "This file has no coupons."),
        (table(&many), "You can import up to 1,000 coupons at once."),
        // Larger than what forms usually are.
        (table(&many.repeat(60)), "You can import up to 1,000 coupons at once."),
    ] {
        let page = send(file.as_bytes()).await;
        assert!(page.contains("Nothing was imported.") && page.contains(says), "{says}: {page}");
    }
    let done = send(table("TEN,Ten off,percent,10\n").as_bytes()).await;
    assert!(done.contains("Coupons imported: 1 created, 0 updated, 0 unchanged."), "{done}");
    let (_, exported) = seller.get(&format!("/seller/{SHOP}/coupons.csv")).await;
    assert_eq!(exported.lines().count(), 2, "{exported}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_sends_a_file_without_scripts() {
    let program = Program::serve(On::Sqlite).await;
    let seller = Shopper::new(&program);
    let (page, table) = (format!("/seller/{SHOP}/products/import"), format!("/seller/{SHOP}/products.csv"));
    let send = async |shopper: &Shopper, form: Vec<u8>| {
        let request = shopper.client.post(program.at(&page)).body(form);
        request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge").send().await.unwrap()
    };
    let (bytes, bad) = broken(300);
    // Not allowed without signing in.
    assert_eq!(send(&seller, form(FILE, &bytes)).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(seller.get(&table).await.0, StatusCode::UNAUTHORIZED);
    let credentials =
        [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
    seller.post("/sign-in", &credentials).await;
    assert_eq!(location(&send(&seller, form("name=\"other\"", b"")).await), format!("{page}?error=invalid"));

    let sent = send(&seller, form(FILE, &bytes)).await;
    let open = location(&sent);
    assert!(open.starts_with(&format!("{page}?id=imp_")), "{open}: {}", sent.status());
    let (status, shown) = seller.get(&open).await;
    assert_eq!(status, StatusCode::OK);
    assert!(shown.contains("297 products can be imported") && shown.contains("=HYPERLINK(1)"), "{shown}");
    let id = open.split("id=").nth(1).unwrap();
    let (status, errors) = seller.get(&format!("/seller/{SHOP}/imports/{id}/errors.csv")).await;
    assert_eq!((status, errors.lines().count()), (StatusCode::OK, bad.len() + 1));
    assert!(errors.contains("'=HYPERLINK(1)"), "{errors}");
    // Other shops' users get a 404.
    let other = Shopper::new(&program);
    let credentials =
        [("email", "delta@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
    other.post("/sign-in", &credentials).await;
    for path in [&open, &table, &format!("/seller/{SHOP}/imports/{id}/errors.csv")] {
        assert_eq!(other.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }

    let back = seller.post(&format!("/seller/{SHOP}/imports/{id}"), &[("action", "start")]).await;
    assert_eq!(back, open);
    let mut shown = String::new();
    let begun = Instant::now();
    while !shown.contains("Import complete: 297 added") && begun.elapsed() < Duration::from_secs(120) {
        shown = seller.get(&open).await.1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(shown.contains("Import complete: 297 added"), "{shown}");
    let (_, list) = seller.get(&page).await;
    assert!(list.contains("bowls.csv"), "{list}");
    let (status, all) = seller.get(&table).await;
    assert_eq!((status, all.matches(",K-").count()), (StatusCode::OK, 297));
    // The list's link exports what the list shows.
    let (_, list) = seller.get(&format!("/seller/{SHOP}/products?q=bowl+10&state=published&low=1")).await;
    let link = format!("href=\"{table}?q=bowl%2010&amp;state=published&amp;low=1\"");
    assert!(list.contains(&link), "{list}");
    for (filters, count) in
        [("?q=bowl+10&low=0", 13), ("?state=published&q=no-such", 0), ("?q=%20&rows=25", 297)]
    {
        let (status, some) = seller.get(&format!("{table}{filters}")).await;
        assert_eq!((status, some.matches(",K-").count()), (StatusCode::OK, count), "{filters}");
    }
    assert_eq!(seller.get(&format!("{table}?state=lost")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    // Importing an export changes nothing.
    let again = location(&send(&seller, form(FILE, all.as_bytes())).await);
    let (_, shown) = seller.get(&again).await;
    assert!(shown.contains("0 new, 0 updated"), "{shown}");
    program.close();
}
