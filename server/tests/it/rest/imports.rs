//! Product imports over REST: check, start, monitor, cancel.

use std::{io::Write, time::Duration};

use haat_shared::catalog::imports::FILE_BYTES_MAX;
use serde_json::{Value, json};

use super::{Answer, Robot};
use crate::program::*;

const IMPORTS: &str = "/shops/meena-crafts/imports";

/// The SKUs of the shop's products that came from a file, with their prices.
async fn brought(seller: &Robot) -> Vec<String> {
    let table = seller.get("/shops/meena-crafts/products/export").await.is(200).text("");
    let column = |name: &str| table.lines().next().unwrap().split(',').position(|n| n == name).unwrap();
    let (sku, price) = (column("sku"), column("price"));
    let lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let brought = lines.filter(|cells| cells.get(sku).is_some_and(|sku| sku.starts_with("K-")));
    let mut brought: Vec<_> = brought.map(|cells| format!("{} {}", cells[sku], cells[price])).collect();
    brought.sort();
    brought
}

async fn send(seller: &Robot, kind: &str, file: &str) -> Answer {
    seller.bring(IMPORTS, kind, file.into()).await.is(201)
}

async fn start(seller: &Robot, id: &str, how: Value) -> Answer {
    seller.once(&format!("{IMPORTS}/{id}/start"), how).await
}

/// The import, once it has come to its end.
async fn ended(seller: &Robot, id: &str) -> Answer {
    for _ in 0..600 {
        let import = seller.get(&format!("{IMPORTS}/{id}")).await.is(200);
        if import.text("/status") != "applying" {
            return import;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{id} does not come to its end");
}

/// Numbers of an import by their names.
fn counts<const N: usize>(import: &Answer, names: [&str; N]) -> [i64; N] {
    names.map(|name| import.body[name].as_i64().unwrap_or_else(|| panic!("{name}: {import:?}")))
}

const CHECKED: [&str; 6] = ["valid", "new", "changed", "invalid", "lines_not_read", "error_count"];
const DONE: [&str; 4] = ["added", "updated", "unchanged", "rejected"];

/// A list of products, as soon as there are any: the search index takes up to a second to learn of a change.
async fn found(robot: &Robot, path: &str) -> Answer {
    for _ in 0..40 {
        let listed = robot.get(path).await.is(200);
        if listed.body["items"].as_array().is_some_and(|items| !items.is_empty()) {
            return listed;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path}: nothing was found within two seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_checked_started_and_on_sale() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let meena = guest.signed_in("meena@haat.example").await;
        let file = "sku,title,price,stock,state\n\
                    K-1,Clay ocarina,1249.50,5,published\nK-2,Clay whistle,450,3,published\n";
        let sent = meena.bring(&format!("{IMPORTS}?file_name=spring.csv"), "text/csv", file.into()).await;
        let sent = sent.is(201);
        assert_eq!(counts(&sent, CHECKED), [2, 2, 0, 0, 0, 0]);
        assert_eq!((sent.text("/status"), sent.text("/file_name")), ("checked".into(), "spring.csv".into()));
        let price =
            json!({"sku": "K-1", "title": "Clay ocarina", "price": {"amount": 124_950, "currency": "INR"}});
        assert_eq!((&sent.body["prices"][0], &sent.body["errors"]), (&price, &json!([])));
        assert_eq!(brought(&meena).await, [""; 0], "nothing of it is in the shop yet");

        let id = sent.text("/id");
        let path = format!("{IMPORTS}/{id}/start");
        meena.send("POST", &path, Some(json!({}))).await.refuses(400, "idempotency_key_missing");
        start(&meena, &id, json!({})).await.is(200);
        let done = ended(&meena, &id).await;
        assert_eq!((done.text("/status"), counts(&done, DONE)), ("done".into(), [2, 0, 0, 0]));
        let listed = found(&guest, "/products?shop=meena-crafts&q=ocarina").await;
        let view = guest.get(&format!("/products/{}", listed.text("/items/0/slug"))).await.is(200);
        assert_eq!(
            (view.text("/title"), &view.body["variants"][0]["available"]),
            ("Clay ocarina".into(), &json!(5))
        );
        // Once more is no start.
        let again = start(&meena, &id, json!({})).await.is(200);
        assert_eq!((again.text("/status"), counts(&again, DONE)), ("done".into(), [2, 0, 0, 0]));

        // The same and a little more, however it is written.
        let tabs = file.replace(',', "\t") + "K-3\tClay bell\t99\t1\tdraft\n";
        let sent = send(&meena, "text/tab-separated-values; charset=utf-8", &tabs).await;
        assert_eq!(counts(&sent, CHECKED), [3, 1, 0, 0, 0, 0]);
        let lines = r#"{"title":"Clay ocarina","variants":[{"sku":"K-1","price":1300,"stock":9}]}"#;
        assert_eq!(counts(&send(&meena, "application/x-ndjson", lines).await, CHECKED), [1, 0, 1, 0, 0, 0]);
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(lines.as_bytes()).unwrap();
        let packed = packer.finish().unwrap();
        let sent =
            meena.bring(&format!("{IMPORTS}?set_stock=true"), "application/gzip", packed).await.is(201);
        assert_eq!((counts(&sent, CHECKED), &sent.body["set_stock"]), ([1, 0, 1, 0, 0, 0], &json!(true)));
        let id = sent.text("/id");
        start(&meena, &id, json!({})).await.is(200);
        assert_eq!(counts(&ended(&meena, &id).await, DONE), [0, 1, 0, 0]);
        let view = guest.get(&format!("/products/{}", listed.text("/items/0/slug"))).await.is(200);
        assert_eq!(view.body["variants"][0]["available"], 9);
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quotation_mark_that_is_never_closed_is_reported_at_its_line() {
    let program = Program::serve(On::Sqlite).await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let table = "sku,title,price\nK-1,Cup,120\nK-2,Shelf,\"1200\nK-3,Jug,130\nK-4,Pot,140\n";
    let mut last = String::new();
    for (delimiter, kind) in [(",", "text/csv"), (";", "text/csv"), ("\t", "text/tab-separated-values")] {
        let sent = send(&meena, kind, &table.replace(',', delimiter)).await;
        let [valid, _, _, _, unread, errors] = counts(&sent, CHECKED);
        assert_eq!((valid, unread, errors), (1, 3, 2), "{delimiter:?}: {sent:?}");
        assert_eq!(
            (&sent.body["errors"][0]["line"], sent.text("/errors/0/code")),
            (&json!(3), "bad_quotes".into())
        );
        assert!(sent.text("/errors/0/message").contains("quotation mark"), "{sent:?}");
        assert_eq!(sent.text("/errors/1/code"), "not_read");
        last = sent.text("/id");
    }
    // The valid one goes in only for whoever says so.
    let refused = start(&meena, &last, json!({})).await.refuses(422, "invalid");
    assert_eq!(refused.text("/fields/0/field"), "skip_errors");
    start(&meena, &last, json!({"skip_errors": true})).await.is(200);
    assert_eq!(counts(&ended(&meena, &last).await, DONE), [1, 0, 0, 0]);
    assert_eq!(brought(&meena).await, ["K-1 120.00"]);
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_can_be_read_two_ways_is_asked_about() {
    let program = Program::serve(On::Sqlite).await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let table = "sku;title;price\nK-5;Bowl;12,500\nK-6;Pot;12,50\n";
    let sent = send(&meena, "text/csv", table).await;
    let question = json!({
        "line": 2, "column": "price", "found": "12,500",
        "point": {"amount": 1_250_000, "currency": "INR"}, "comma": {"amount": 1_250, "currency": "INR"}, "likely": "comma",
    });
    assert_eq!(sent.body["question"], question);
    let id = sent.text("/id");
    let refused = start(&meena, &id, json!({})).await.refuses(422, "invalid");
    assert_eq!(refused.text("/fields/0/field"), "decimal_mark");
    assert_eq!(brought(&meena).await, [""; 0]);
    // Whoever says it with the file is not asked.
    let said = meena.bring(&format!("{IMPORTS}?decimal_mark=comma"), "text/csv", table.into()).await.is(201);
    assert_eq!((&said.body["question"], &said.body["decimal_mark"]), (&Value::Null, &json!("comma")));
    assert_eq!(said.body["prices"][0]["price"]["amount"], 1_250);
    start(&meena, &id, json!({"decimal_mark": "comma"})).await.is(200);
    assert_eq!(ended(&meena, &id).await.text("/status"), "done");
    assert_eq!(brought(&meena).await, ["K-5 12.50", "K-6 12.50"]);
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_errors_are_listed_and_a_cancelled_import_brings_nothing() {
    let program = Program::serve(On::Sqlite).await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let lines: String = (0..25).map(|i| format!("K-{i},Cup {i},cheap\n")).collect();
    let sent = send(&meena, "text/csv", &format!("sku,title,price\nK-99,Jug,100\n{lines}")).await;
    assert_eq!(counts(&sent, CHECKED), [1, 1, 0, 25, 0, 25]);
    assert_eq!(sent.body["errors"].as_array().unwrap().len(), 20);
    let path = format!("{IMPORTS}/{}", sent.text("/id"));
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = meena.get(&format!("{path}/errors?limit=10&after={after}")).await.is(200);
        for error in page.body["items"].as_array().unwrap() {
            assert_eq!(
                (&error["column"], &error["code"], &error["value"]),
                (&json!("price"), &json!("not_money"), &json!("cheap"))
            );
            seen.push(error["line"].as_i64().unwrap());
        }
        match page.body["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, (3..28).collect::<Vec<_>>());
    let refused = meena.get(&format!("{path}/errors?after=x")).await.refuses(422, "invalid");
    assert_eq!(
        (refused.text("/fields/0/field"), refused.text("/fields/0/code")),
        ("after".into(), "bad_cursor".into())
    );

    for _ in 0..2 {
        let stopped = meena.send("POST", &format!("{path}/cancel"), None).await.is(200);
        assert_eq!(stopped.text("/status"), "stopped");
    }
    start(&meena, &sent.text("/id"), json!({"skip_errors": true})).await.refuses(409, "import_ended");
    assert_eq!(brought(&meena).await, [""; 0]);
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn others_get_what_absent_imports_answer() {
    let program = Program::serve(On::Sqlite).await;
    let guest = Robot::new(&program);
    let meena = guest.signed_in("meena@haat.example").await;
    let delta = guest.signed_in("delta@haat.example").await;
    let table = "sku,title,price\nK-1,Cup,120\n";
    let id = send(&meena, "text/csv", table).await.text("/id");
    let answers = async |seller: &Robot, shop: &str, id: &str| {
        let path = format!("/shops/{shop}/imports");
        let answers = [
            seller.bring(&path, "text/csv", table.into()).await,
            seller.get(&format!("{path}/{id}")).await,
            seller.get(&format!("{path}/{id}/errors")).await,
            seller.once(&format!("{path}/{id}/start"), json!({})).await,
            seller.send("POST", &format!("{path}/{id}/cancel"), None).await,
        ];
        answers.map(|mut answer| {
            answer.body["request_id"] = Value::Null;
            (answer.status, answer.body)
        })
    };
    let nothing = answers(&delta, "no-such-shop", "imp_00000000000000000000000000").await;
    assert!(nothing.iter().all(|(status, _)| *status == 404), "{nothing:?}");
    assert_eq!(answers(&delta, "meena-crafts", &id).await, nothing);
    // Nor under the name of a shop of their own.
    assert_eq!(answers(&delta, "delta-electronics", &id).await[1..], nothing[1..]);
    assert!(answers(&guest, "meena-crafts", &id).await.iter().all(|(status, _)| *status == 401));
    assert_eq!(meena.get(&format!("{IMPORTS}/{id}")).await.is(200).text("/status"), "checked");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_of_products_is_refused() {
    let program = Program::serve(On::Sqlite).await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let table = "sku,title,price\nK-1,Cup,120\n";
    for kind in [
        "application/xml",
        "application/json",
        "text/html",
        "multipart/form-data; boundary=x",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ] {
        let refused = meena.bring(IMPORTS, kind, table.into()).await.refuses(415, "unsupported_media_type");
        for accepted in ["text/csv", "text/tab-separated-values", "application/x-ndjson", "application/gzip"]
        {
            assert!(refused.text("/detail").contains(accepted), "{refused:?}");
        }
    }
    // What it is said to be is one thing, what it is another.
    let sent = send(&meena, "text/csv", "<?xml version=\"1.0\"?><products/>").await;
    assert_eq!((counts(&sent, CHECKED)[0], sent.text("/errors/0/code")), (0, "not_a_table".into()));
    // The dashboard says so in the same word.
    assert_eq!(sent.text("/status"), "failed");
    start(&meena, &sent.text("/id"), json!({"skip_errors": true})).await.refuses(409, "import_ended");
    let sent = send(&meena, "text/csv", "sku,title,price,colour\nK-1,Cup,120,Red\n").await;
    assert_eq!(
        (sent.text("/status"), counts(&sent, ["error_count", "warning_count"])),
        ("checked".into(), [1, 1])
    );
    let broken = meena.bring(IMPORTS, "application/gzip", b"\x1f\x8b\x08 no more than this".to_vec()).await;
    assert_eq!(broken.refuses(422, "invalid").text("/fields/0/field"), "file");
    for (query, field) in [
        ("decimal_mark=dot", "decimal_mark"),
        ("set_stock=maybe", "set_stock"),
        ("format=csv", "format"),
        ("file_name=", "file_name"),
        ("file_name=a%00b", "file_name"),
    ] {
        let refused = meena.bring(&format!("{IMPORTS}?{query}"), "text/csv", table.into()).await;
        assert_eq!(refused.refuses(422, "invalid").text("/fields/0/field"), field, "{query}");
    }
    // By somebody else: the server closes a connection that it has not read to its end.
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    meena.bring(IMPORTS, "text/csv", vec![b'\n'; FILE_BYTES_MAX + 1]).await.refuses(413, "too_large");
    program.close();
}
