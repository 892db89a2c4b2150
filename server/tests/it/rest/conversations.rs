//! Conversations over REST: both sides write, and nothing is sent twice.

use serde_json::json;

use super::{PASSWORD, Robot, png};
use crate::program::*;

/// An ID for a message.
fn id(n: u8) -> String {
    format!("msg_{n:026}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_and_a_shop_write_to_each_other() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let form = [("name", "Asha"), ("email", "asha@haat.example"), ("password", PASSWORD)];
        Shopper::new(&program).post("/sign-up", &form).await;
        let asha = guest.signed_in("asha@haat.example").await;
        let meena = guest.signed_in("meena@haat.example").await;
        let shop = json!({"shop_handle": "meena-crafts"});
        let opened = asha.post("/conversations", shop.clone()).await.is(200);
        assert_eq!(asha.post("/conversations", shop).await.is(200).body, opened.body, "however often");
        assert_eq!(asha.get("/conversations").await.is(200).body["items"], json!([]), "nothing was written");
        asha.post("/conversations", json!({"shop_handle": "none"})).await.refuses(404, "not_found");
        let own = format!("/conversations/{}", opened.text("/id"));
        let of_shop = format!("/shops/meena-crafts{own}");

        let image = asha.bring(&format!("{own}/images"), "image/png", png(9)).await.is(201).text("/id");
        let first =
            json!({"id": id(1), "text": "Is it glazed?", "images": [{"media": image, "alt": "A bowl"}]});
        let sent = asha.post(&format!("{own}/messages"), first.clone()).await.is(201);
        assert_eq!(asha.post(&format!("{own}/messages"), first).await.is(201).body, sent.body, "once");
        let empty = asha.post(&format!("{own}/messages"), json!({"id": id(2)})).await.refuses(422, "invalid");
        assert_eq!(empty.text("/fields/0/field"), "text");
        let listed = meena.get("/shops/meena-crafts/conversations").await.is(200);
        assert_eq!(
            (listed.text("/items/0/name"), &listed.body["items"][0]["unread"]),
            ("Asha".into(), &json!(1))
        );
        let seen = meena.get(&format!("{of_shop}/messages")).await.is(200);
        assert_eq!(seen.text("/items/0/text"), "Is it glazed?");
        assert_eq!((&seen.body["has_earlier"], &seen.body["has_later"]), (&json!(false), &json!(false)));
        meena.get(&format!("{of_shop}/images/{image}")).await.is(200);
        meena.post(&format!("{of_shop}/read"), json!({"seq": 1})).await.is(204);
        assert_eq!(meena.get(&of_shop).await.is(200).body["unread"], json!(0));

        meena.post(&format!("{of_shop}/messages"), json!({"id": id(3), "text": "It is."})).await.is(201);
        let later = asha.get(&format!("{own}/messages?after_seq=1")).await.is(200);
        assert_eq!(
            (later.text("/items/0/text"), &later.body["has_earlier"]),
            ("It is.".into(), &json!(true))
        );
        let earlier = asha.get(&format!("{own}/messages?before_seq=2")).await.is(200);
        assert_eq!((&earlier.body["items"][0]["seq"], &earlier.body["has_later"]), (&json!(1), &json!(true)));
        asha.get(&format!("{own}/messages?before_seq=2&after_seq=1")).await.refuses(422, "invalid");
        asha.send("PATCH", &format!("{own}/messages/{}", id(1)), Some(json!({"text": "Glazed?"})))
            .await
            .is(200);
        asha.send("DELETE", &format!("{own}/messages/{}", id(1)), None).await.is(204);
        meena.get(&format!("{of_shop}/images/{image}")).await.refuses(404, "not_found");
        let changed = meena.get(&format!("{of_shop}/changes?after_change=2")).await.is(200);
        assert_eq!(
            (&changed.body["messages"][0]["deleted"], &changed.body["change_seq"]),
            (&json!(true), &json!(4))
        );
        assert_eq!((&changed.body["own_read_seq"], &changed.body["read_seq"]), (&json!(1), &json!(0)));

        // The shop opens it from an order.
        let (_, number, _) = asha.buy("meena-crafts").await;
        let order = json!({"order_number": format!("{number}-1")});
        let from_order = meena.post("/shops/meena-crafts/conversations", order).await.is(200);
        assert_eq!(from_order.text("/id"), opened.text("/id"));
        program.close();
    }
}
