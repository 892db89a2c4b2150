//! Problems: the answers to invalid requests.

use reqwest::Client;
use serde_json::{Value, json};

use super::{Robot, input};
use crate::program::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_invalid_request_is_answered_with_a_problem() {
    let program = Program::serve(On::Sqlite).await;
    let guest = Robot::new(&program);
    let (holder, cart) = guest.fill_cart("meena-crafts").await;
    let lines = format!("{}/carts/{cart}/lines", holder.home);
    let raw = async |kind: &str, body: &str| {
        let mut request = holder.client.post(&lines).header("content-type", kind).body(body.to_owned());
        for (name, value) in &holder.headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    for (kind, body, status, code, field) in [
        ("application/json", "{", 400, "bad_request", None),
        ("application/json", "", 400, "bad_request", None),
        ("application/json", "{} {}", 400, "bad_request", None),
        (
            "application/json",
            r#"{"variant": "var_00000000000000000000000000", "quantity": 1, "quantity": 2}"#,
            400,
            "bad_request",
            None,
        ),
        ("text/plain", "{}", 415, "unsupported_media_type", None),
        ("application/x-www-form-urlencoded", "a=b", 415, "unsupported_media_type", None),
        (
            "application/json",
            r#"{"variant_id": "prod_1", "quantity": 1}"#,
            422,
            "invalid",
            Some("variant_id"),
        ),
        ("application/json", r#"{"variant_id": 1, "quantity": 1}"#, 422, "invalid", Some("variant_id")),
        (
            "application/json; charset=utf-8",
            r#"{"variant_id": "var_00000000000000000000000000", "quantity": "1"}"#,
            422,
            "invalid",
            Some("quantity"),
        ),
        (
            "application/json",
            r#"{"variant_id": "var_00000000000000000000000000", "quantity": 0}"#,
            422,
            "invalid",
            Some("quantity"),
        ),
        (
            "application/json",
            r#"{"variant_id": "var_00000000000000000000000000", "quantity": 1, "price": 1}"#,
            422,
            "invalid",
            Some("price"),
        ),
        (
            "application/json",
            r#"{"variant_id": "var_00000000000000000000000000", "quantity": 1}"#,
            422,
            "invalid",
            Some("variant_id"),
        ),
    ] {
        let (answered, problem) = raw(kind, body).await;
        assert_eq!((answered, problem["code"].as_str()), (status, Some(code)), "{body}: {problem}");
        let twice = body.matches("quantity").count() == 2;
        assert_eq!(
            problem["detail"].as_str().unwrap().contains("duplicate name \"quantity\""),
            twice,
            "{problem}"
        );
        if let Some(field) = field {
            assert_eq!(problem["fields"][0]["field"], field, "{body}: {problem}");
        }
    }
    let huge = json!({"variant_id": "x".repeat(300_000), "quantity": 1});
    // By somebody else: the server closes a connection that it has not read to its end.
    let stranger = Robot { client: Client::new(), ..holder.clone() };
    stranger.post(&format!("/carts/{cart}/lines"), huge).await.refuses(413, "too_large");

    let made_up = guest.with("haat-cart", "nonsense").get(&format!("/carts/{cart}")).await;
    assert_eq!(made_up.refuses(422, "invalid").text("/fields/0/field"), "Haat-Cart");
    guest.get("/no/such/thing").await.refuses(404, "not_found");
    guest.get("").await.refuses(404, "not_found");
    guest.get("/products/no-such-thing").await.refuses(404, "not_found");
    guest.get("/carts/nonsense").await.refuses(404, "not_found");
    let refused = guest.send("PATCH", "/products", None).await.refuses(405, "method_not_allowed");
    assert!(refused.header("allow").contains("GET"), "{refused:?}");
    for query in [
        "limit=0",
        "limit=101",
        "limit=many",
        "sort=dear",
        "colour=red",
        "after=x",
        "q=%00",
        "limit=1&limit=2",
    ] {
        let refused = guest.get(&format!("/products?{query}")).await.refuses(422, "invalid");
        assert_eq!(refused.body["fields"].as_array().unwrap().len(), 1, "{query}");
    }
    holder.post("/checkouts", input(&cart)).await.refuses(400, "idempotency_key_missing");
    let mut empty = input(&cart);
    (empty["email"], empty["address"]["city"]) = (json!("nowhere"), json!(""));
    let refused = holder.once("/checkouts", empty).await.refuses(422, "invalid");
    let fields: Vec<_> =
        refused.body["fields"].as_array().unwrap().iter().map(|f| f["field"].clone()).collect();
    assert_eq!(fields, ["email", "address.city"]);

    let hindi = guest.with("accept-language", "hi").get("/products/no-such-thing").await;
    assert_eq!(hindi.text("/detail"), "यह नहीं मिला या आपके पास इसका एक्सेस नहीं है।");
    // Whoever reads pages gets a problem here too.
    guest.with("accept", "text/html").get("/products/no-such-thing").await.refuses(404, "not_found");
    program.close();
}
