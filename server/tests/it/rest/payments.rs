//! Payments over REST, as admins look after them.

use haat_fakes::stripe::Stripe;
use serde_json::json;

use super::{PASSWORD, Robot};
use crate::{
    paying::{cancel, checkout, come_back, until},
    program::*,
};

/// A payment on Stripe's page has two IDs there. Its refund comes back twice: it is tried again, then paid otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_came_back_is_tried_again_or_settled() {
    for on in BOTH {
        let stripe = Stripe::start("sk_test_fake", "whsec_now", 0).await;
        let mut program = Program::prepare(on).await;
        program.set("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_fake");
        program.set("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_now");
        program.set("HAAT__PAYMENTS__STRIPE_URL", &stripe.url);
        program.set("HAAT_ADMIN_PASSWORD", PASSWORD);
        program.run_ok(&["admin", "create", "--email", "boss@haat.example"]);
        stripe.webhooks_to(&program.at("/webhooks/stripe"));
        program.start().await;
        let (shopper, checkout) = checkout(&program, &["meena-crafts"]).await;
        let page = shopper.post(&checkout, &details("card", "k")).await;
        let back = shopper.post(&page, &[("card", "4242424242424242")]).await;
        let purchase = come_back(&shopper, &back).await;
        stripe.deliver().await;
        let admin = Robot::new(&program).signed_in("boss@haat.example").await;
        let id_of = |kind: &str| stripe.objects(kind)[0]["id"].as_str().unwrap().to_owned();
        let (session, intent) = (id_of("checkout.session"), id_of("payment_intent"));
        assert!(session.starts_with("cs_") && intent.starts_with("pi_"), "{session} {intent}");
        let mut payment = String::new();
        for reference in [&session, &intent] {
            let found = admin.get(&format!("/admin/payments?q={reference}")).await.is(200);
            assert_eq!(
                (found.text("/items/0/gateway_ref"), found.text("/items/0/paid_ref")),
                (session.clone(), intent.clone())
            );
            assert_eq!(found.body["items"].as_array().unwrap().len(), 1, "{reference}");
            payment = format!("/admin/payments/{}", found.text("/items/0/id"));
        }

        cancel(&shopper, &purchase, 1).await;
        let refund = async |n: usize| admin.get(&payment).await.is(200).body["refunds"][n].clone();
        let is = async |n: usize, status: &str| refund(n).await["status"] == status;
        let act = async |n: usize, action: &str, body| {
            let id = refund(n).await["id"].as_str().unwrap().to_owned();
            admin.once(&format!("/admin/refunds/{id}/{action}"), body).await
        };
        until("refunded", async || is(0, "done").await).await;
        act(0, "retry", json!({})).await.refuses(409, "refund_moved");
        stripe.fail_refunds();
        stripe.deliver().await;
        assert!(is(0, "failed").await, "{}", refund(0).await);
        // One key, one refund.
        let id = refund(0).await["id"].as_str().unwrap().to_owned();
        let same = admin.with("idempotency-key", "again");
        for _ in 0..2 {
            same.post(&format!("/admin/refunds/{id}/retry"), json!({})).await.is(204);
        }
        assert!(is(0, "replaced").await);
        act(0, "settle", json!({"note": "UTR1"})).await.refuses(409, "refund_moved");
        until("refunded again", async || is(1, "done").await).await;
        stripe.fail_refunds();
        stripe.deliver().await;
        let refused = act(1, "settle", json!({"note": " "})).await.refuses(422, "invalid");
        assert_eq!(refused.text("/fields/0/field"), "note");
        act(1, "settle", json!({"note": "UTR1"})).await.is(204);
        let settled = refund(1).await;
        assert_eq!((&settled["status"], &settled["note"]), (&json!("paid_otherwise"), &json!("UTR1")));
        assert_eq!(refund(2).await, json!(null), "no other one was made");
        let log = admin.get("/admin/audit").await.is(200);
        assert_eq!(log.text("/items/0/action"), "payments::settle_refund");
        program.verify();
        let none = "/admin/refunds/ref_00000000000000000000000000/retry";
        admin.once(none, json!({})).await.refuses(404, "not_found");
        program.close();
    }
}
