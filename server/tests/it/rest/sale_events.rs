//! Timed events over REST.

use haat_engine::clock::rfc3339;
use serde_json::{Value, json};

use super::{MEENA, Robot, product};
use crate::program::*;

fn in_hours(hours: i64) -> String {
    rfc3339(haat_engine::Clock::default().now_ms() + hours * 3_600_000)
}

/// A published product of Meena's for 649 rupees: its ID, its slug and its variant.
async fn published(meena: &Robot, title: &str) -> (String, String, String) {
    let made = meena.once(&format!("/shops/{MEENA}/products"), product(title)).await.is(201);
    let id = made.text("/id");
    meena.post(&format!("/shops/{MEENA}/products/{id}/publish"), json!({})).await.is(204);
    (id, made.text("/slug"), made.text("/product/variants/0/id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timed_event_is_planned_changed_ended_and_deleted_over_rest() {
    on_both(async |on| {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let meena = guest.signed_in("meena@haat.example").await;
        let delta = guest.signed_in("delta@haat.example").await;
        let (bowl, slug, variant) = published(&meena, "Festival bowl").await;
        let list = format!("/shops/{MEENA}/sale-events");
        let listed = async |robot: &Robot, path: &str, id: &str| {
            let events = robot.get(path).await.is(200);
            events.body["items"].as_array().unwrap().iter().any(|event| event["id"] == id)
        };

        // One that will be. Shoppers see it once there is something in it.
        let (begin, end) = (in_hours(48), in_hours(72));
        let new = json!({"title": "Festival of clay", "starts_at": begin, "ends_at": end});
        let id = meena.with("idempotency-key", "new").post(&list, new.clone()).await.is(201).text("/id");
        let again = meena.with("idempotency-key", "new").post(&list, new.clone()).await.is(201);
        assert_eq!(again.text("/id"), id);
        let (own, public) = (format!("{list}/{id}"), format!("/sale-events/{id}"));
        assert!(listed(&meena, &list, &id).await && !listed(&guest, "/sale-events", &id).await);
        guest.get(&public).await.refuses(404, "not_found");
        let price = json!({"variant_id": variant, "price": {"amount": 50_000, "currency": "INR"}});
        let bowls = json!({"product_id": bowl, "prices": [price], "allotment": 3});
        let products = format!("{own}/products");
        let added = meena.once(&products, bowls.clone()).await.is(201);
        let sale = added.text("/items/0/sale_id");
        let event = guest.get(&public).await.is(200);
        assert_eq!(
            (event.text("/status"), event.text("/starts_at"), event.text("/ends_at")),
            ("scheduled".into(), begin, end.clone())
        );
        let item = &event.body["items"][0];
        assert_eq!(
            (&item["product_id"], &item["slug"], &item["allotment"], &item["left"]),
            (&json!(bowl), &json!(slug), &json!(3), &json!(3))
        );
        assert_eq!((&item["price"]["amount"], &item["was"]["amount"]), (&json!(50_000), &json!(64_900)));
        assert!(listed(&guest, "/sale-events", &id).await);

        // What is wrong is named, and nothing is changed.
        let with = |field: &str, value: Value| {
            let mut other = new.clone();
            other[field] = value;
            other
        };
        for (field, value, code) in [
            ("title", json!(" "), "missing"),
            ("title", json!("x".repeat(81)), "too_long"),
            ("starts_at", json!("2026-12-03T10:00:00"), "not_readable"),
            ("ends_at", json!("tomorrow"), "not_readable"),
            ("ends_at", json!("2020-01-01T10:00:00+05:30"), "past"),
            ("ends_at", json!(in_hours(24 * 800)), "too_big"),
        ] {
            for (method, path) in [("POST", &list), ("PUT", &own)] {
                let asks = meena.with("idempotency-key", haat_engine::random::token());
                let refused =
                    asks.send(method, path, Some(with(field, value.clone()))).await.refuses(422, "invalid");
                assert_eq!(
                    (refused.text("/fields/0/field"), refused.text("/fields/0/code")),
                    (field.into(), code.into()),
                    "{method} {value}"
                );
            }
        }
        meena.post(&list, with("discount", json!(1))).await.refuses(422, "invalid");
        meena.post(&list, json!({"title": "Sale"})).await.refuses(422, "invalid");
        let product_of = |field: &str, value: Value| {
            let mut other = json!({"product_id": bowl, "percent_bp": 1_000});
            other[field] = value;
            other
        };
        for (body, field) in [
            (product_of("percent_bp", json!(10_000)), "percent_bp"),
            (product_of("allotment", json!(0)), "allotment"),
            (
                product_of(
                    "prices",
                    json!([{"variant_id": variant, "price": {"amount": 64_900, "currency": "INR"}}]),
                ),
                "prices",
            ),
            (json!({"product_id": bowl}), "percent_bp"),
        ] {
            let refused = meena.once(&products, body.clone()).await.refuses(422, "invalid");
            assert!(refused.text("/fields/0/field").starts_with(field), "{body}: {refused:?}");
        }
        let nothing = json!({"product_id": "prod_00000000000000000000000000", "percent_bp": 1_000});
        meena.once(&products, nothing).await.refuses(404, "not_found");

        // Nobody else's.
        guest.get(&list).await.refuses(401, "sign_in_needed");
        let foreign = format!("/shops/delta-electronics/sale-events/{id}");
        for path in [&own, &foreign] {
            delta.get(path).await.refuses(404, "not_found");
            delta.send("PUT", path, Some(new.clone())).await.refuses(404, "not_found");
            delta.post(&format!("{path}/products"), bowls.clone()).await.refuses(404, "not_found");
            delta.send("DELETE", &format!("{path}/products/{sale}"), None).await.refuses(404, "not_found");
            delta.post(&format!("{path}/end"), json!({})).await.refuses(404, "not_found");
            delta.send("DELETE", path, None).await.refuses(404, "not_found");
        }

        // It is moved; what is taken out of it is gone; it is not on, so it is deleted, not ended.
        let moved = meena.send("PUT", &own, Some(with("ends_at", json!(in_hours(96))))).await.is(200);
        assert!(
            moved.text("/ends_at") > end && moved.body["items"].as_array().unwrap().len() == 1,
            "{moved:?}"
        );
        meena.post(&format!("{own}/end"), json!({})).await.refuses(404, "not_found");
        meena.send("DELETE", &format!("{own}/products/{sale}"), None).await.is(204);
        meena.send("DELETE", &format!("{own}/products/{sale}"), None).await.refuses(404, "not_found");
        assert_eq!(meena.get(&own).await.is(200).body["items"], json!([]));
        meena.send("DELETE", &own, None).await.is(204);
        meena.get(&own).await.refuses(404, "not_found");

        // One that is on: its prices apply, its times stay, and it is ended early.
        let now = json!({"title": "Today only", "ends_at": in_hours(5)});
        let id = meena.post(&list, now).await.is(201).text("/id");
        let (own, public) = (format!("{list}/{id}"), format!("/sale-events/{id}"));
        meena.post(&format!("{own}/products"), bowls).await.is(201);
        let costs = async || {
            guest.get(&format!("/products/{slug}")).await.is(200).body["variants"][0]["price"]["amount"]
                .clone()
        };
        assert_eq!(
            (costs().await, guest.get(&public).await.is(200).text("/status")),
            (json!(50_000), "active".into())
        );
        let changed = json!({"title": "Today only!", "description": "Until five.", "ends_at": in_hours(9)});
        let changed = meena.send("PUT", &own, Some(changed)).await.is(200);
        assert_eq!(
            (changed.text("/title"), changed.text("/description")),
            ("Today only!".into(), "Until five.".into())
        );
        assert!(changed.text("/ends_at") < in_hours(6), "{changed:?}");
        meena.send("DELETE", &own, None).await.refuses(404, "not_found");
        meena.post(&format!("{own}/end"), json!({})).await.is(204);
        assert_eq!(
            (costs().await, meena.get(&own).await.is(200).text("/status")),
            (json!(64_900), "ended".into())
        );
        assert!(!listed(&guest, "/sale-events", &id).await);
        meena.post(&format!("{own}/end"), json!({})).await.refuses(404, "not_found");
        program.close();
    })
    .await;
}
