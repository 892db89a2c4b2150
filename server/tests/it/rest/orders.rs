//! Orders over REST: the feed of events.

use serde_json::{Value, json};

use super::{Robot, png};
use crate::program::*;

/// A program that polls for what happens to a shop's orders.
#[tokio::test(flavor = "multi_thread")]
async fn programs_poll_the_feed_of_events() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let meena = guest.signed_in("meena@haat.example").await;
        let (_, number, _) = guest.buy("meena-crafts").await;
        guest.buy("delta-electronics").await;
        let path = format!("/shops/meena-crafts/orders/{number}-1");
        meena.once(&format!("{path}/confirm"), json!({})).await.is(204);
        for tracking in ["RX1", "RX2", "RX2"] {
            let parcel = json!({"carrier": "India Post", "tracking_number": tracking});
            meena.once(&format!("{path}/ship"), parcel).await.is(204);
        }
        let order = meena.get(&path).await.is(200);
        let steps: Vec<_> = order.body["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["shipment"]["tracking_number"])
            .collect();
        assert_eq!(steps, [&Value::Null, &Value::Null, &json!("RX1"), &json!("RX2")]);
        // By and by, as it is published.
        let (mut after, mut seen) = (0, Vec::new());
        while seen.len() < 4 {
            let page = meena.get(&format!("/shops/meena-crafts/events?after={after}&limit=2")).await.is(200);
            after = page.body["next"].as_i64().unwrap();
            seen.extend(page.body["items"].as_array().unwrap().clone());
        }
        let kinds: Vec<_> = seen.iter().map(|event| event["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["order.placed", "order.confirmed", "order.shipped", "order.shipment_updated"]);
        assert!(
            seen.iter()
                .all(|e| e["order_number"] == format!("{number}-1") && e["shop_handle"] == "meena-crafts"),
            "{seen:?}"
        );
        for (query, field) in [
            ("after=-1", "after"),
            ("after=99999", "after"),
            ("after=x", "after"),
            ("limit=0", "limit"),
            ("before=1", "before"),
        ] {
            let refused =
                meena.get(&format!("/shops/meena-crafts/events?{query}")).await.refuses(422, "invalid");
            assert_eq!(refused.text("/fields/0/field"), field, "{query}");
        }
        meena.get("/events").await.refuses(404, "not_found");
        let nothing = meena.once(&format!("{path}/cancel"), json!({})).await.refuses(422, "invalid");
        assert_eq!(
            (nothing.text("/fields/0/field"), nothing.text("/fields/0/code")),
            ("reason".into(), "missing".into())
        );
        let reason = json!({"reason": "Lost"});
        let moved = meena.once(&format!("{path}/cancel"), reason).await.refuses(409, "order_moved");
        assert_eq!(moved.text("/order_status"), "shipped");
        meena.once(&format!("{path}/deliver"), json!({})).await.is(204);
        let parcel = |tracking: &str| json!({"carrier": "India Post", "tracking_number": tracking});
        meena.once(&format!("{path}/ship"), parcel("RX2")).await.is(204);
        let late = meena.once(&format!("{path}/ship"), parcel("RX3")).await.refuses(409, "order_moved");
        assert!(
            late.text("/detail").contains("“delivered”") && late.text("/detail").contains("Fetch the order"),
            "{late:?}"
        );
        let position = order.body["order"]["order"]["lines"][0]["position"].clone();
        let back = json!({"lines": [{"position": position, "quantity": 1}], "reason": "Too big"});
        let opened = meena.once(&format!("{path}/returns"), back).await.is(201);
        let events = opened.body["events"].as_array().unwrap();
        let id = events.iter().find_map(|event| event["return_id"].as_str()).unwrap();
        let receive = format!("{path}/returns/{id}/receive");
        for _ in 0..2 {
            meena.once(&receive, json!({"restock": false})).await.is(204);
        }
        let other = meena.once(&receive, json!({"restock": true})).await.refuses(409, "return_received");
        assert!(other.text("/detail").contains("stock adjustment"), "{other:?}");

        let (_, number, key) = guest.buy("meena-crafts").await;
        let path = format!("/shops/meena-crafts/orders/{number}-1");
        for _ in 0..2 {
            meena.once(&format!("{path}/cancel"), json!({"reason": "The kiln broke"})).await.is(204);
        }
        let own = format!("/purchases/{number}/orders/{number}-1/cancel?key={key}");
        for late in [
            meena.once(&format!("{path}/cancel"), json!({"reason": "Out of clay"})).await,
            guest.once(&own, json!({"reason": "Changed my mind"})).await,
        ] {
            let late = late.refuses(409, "already_cancelled");
            assert_eq!(
                (late.text("/cancelled_by"), late.text("/reason")),
                ("shop".into(), "The kiln broke".into())
            );
            assert!(late.text("/detail").contains("The kiln broke"), "{late:?}");
        }
        program.close();
    }
}

/// A guest asks for a return with the key of the purchase, the shop answers, and both see the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_return_over_rest() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let meena = guest.signed_in("meena@haat.example").await;
        let (_, number, key) = guest.buy("meena-crafts").await;
        let path = format!("/shops/meena-crafts/orders/{number}-1");
        let own = |step: &str| format!("/purchases/{number}/orders/{number}-1/returns{step}?key={key}");
        meena.once(&format!("{path}/confirm"), json!({})).await.is(204);
        let parcel = json!({"carrier": "India Post", "tracking_number": "RX1"});
        meena.once(&format!("{path}/ship"), parcel).await.is(204);
        let seen = meena.get(&path).await.is(200);
        let line = json!({"position": seen.body["order"]["order"]["lines"][0]["position"], "quantity": 1});
        // Images are uploaded first, by the holder of the key, and are private.
        let images = |key: &str| format!("/purchases/{number}/orders/{number}-1/images?key={key}");
        guest.bring(&images("no"), "image/png", png(9)).await.refuses(404, "not_found");
        meena.bring(&images(""), "image/png", png(9)).await.refuses(404, "not_found");
        guest.bring(&images(&key), "text/plain", png(9)).await.refuses(415, "unsupported_media_type");
        let broken =
            guest.bring(&images(&key), "image/png", b"GIF89a".to_vec()).await.refuses(422, "invalid");
        assert_eq!(broken.text("/fields/0/field"), "picture");
        let image = guest.bring(&images(&key), "image/png", png(9)).await.is(201).text("/id");
        let again = guest.bring(&images(&key), "image/png", png(9)).await.is(201);
        assert_eq!(again.text("/id"), image, "the same one");
        let request = json!({"lines": [line], "reason": "damaged", "note": "A crack", "images": [image]});
        // On its way, and to be paid in cash.
        guest.once(&own(""), request.clone()).await.refuses(409, "not_returnable");
        meena.once(&format!("{path}/deliver"), json!({})).await.is(204);
        let other = json!({"lines": [line], "reason": "other"});
        let refused = guest.once(&own(""), other).await.refuses(422, "invalid");
        assert_eq!(refused.text("/fields/0/field"), "note");
        let asked = guest.once(&own(""), request.clone()).await.is(201);
        assert_eq!(asked.text("/orders/0/returns/0/status"), "requested");
        let id = asked.text("/orders/0/returns/0/id");
        guest.once(&own(""), request).await.refuses(422, "invalid");
        assert_eq!(asked.text("/orders/0/returns/0/images/0/id"), image);
        for (who, at) in [
            (&guest, format!("/purchases/{number}/images/{image}?key={key}")),
            (&meena, format!("{path}/images/{image}")),
        ] {
            let shown = who.get(&at).await.is(200);
            assert_eq!(
                (shown.header("content-type"), shown.header("cache-control")),
                ("image/jpeg", "no-store")
            );
        }
        guest.get(&format!("/purchases/{number}/images/{image}")).await.refuses(404, "not_found");
        let listed = meena.get("/shops/meena-crafts/orders?returns=requested").await.is(200);
        assert_eq!(listed.text("/items/0/number"), format!("{number}-1"));
        let answer = |step: &str| format!("{path}/returns/{id}/{step}");
        meena.once(&answer("approve"), json!({})).await.refuses(422, "invalid");
        let here = json!({"note": "Kiln Lane 4"});
        for _ in 0..2 {
            meena.once(&answer("approve"), here.clone()).await.is(204);
        }
        let late = meena.once(&answer("reject"), json!({"reason": "No"})).await.refuses(409, "return_moved");
        assert_eq!(late.text("/return_status"), "approved");
        let left = meena.get(&path).await.is(200);
        let paid = left.body["refundable"]["lines"][0]["paid"]["amount"].as_i64().unwrap();
        for _ in 0..2 {
            meena.once(&answer("receive"), json!({"restock": true, "refund": true})).await.is(204);
        }
        let mine = guest.get(&format!("/purchases/{number}?key={key}")).await.is(200);
        let order = &mine.body["orders"][0];
        assert_eq!(order["returns"][0]["status"], "refunded");
        assert_eq!(order["refunds"][0]["id"], order["returns"][0]["refund_id"]);
        assert_eq!(order["refunds"][0]["amount"]["amount"], paid);
        let late = guest.once(&own(&format!("/{id}/withdraw")), json!({})).await;
        assert_eq!(late.refuses(409, "return_moved").text("/return_status"), "refunded");
        program.close();
    }
}
