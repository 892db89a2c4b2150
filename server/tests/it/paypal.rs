//! Payments with PayPal, at a fake of it that speaks HTTP.

use haat_fakes::paypal::{Behaviour, Fault, PayPal};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{paying::*, program::*};

const CREATE: &str = "POST /v2/checkout/orders";
/// Captures of orders.
const CAPTURE: &str = "POST /v2/checkout/orders/";
const READ: &str = "GET /v2/checkout/orders/";
const TOKEN: &str = "POST /v1/oauth2/token";

/// A market in dollars that takes PayPal, not yet running, and its account.
async fn prepared(on: On) -> (Program, PayPal) {
    let paypal = PayPal::start("app", "hush-hush", "1WEBHOOK", 0).await;
    let mut program = Program::prepare_with(on, &[("HAAT__MARKET__CURRENCY", "USD")]).await;
    program.set("HAAT__PAYMENTS__PAYPAL_CLIENT_ID", "app");
    program.set("HAAT__PAYMENTS__PAYPAL_SECRET", "hush-hush");
    program.set("HAAT__PAYMENTS__PAYPAL_WEBHOOK_ID", "1WEBHOOK");
    program.set("HAAT__PAYMENTS__PAYPAL_URL", &paypal.url);
    paypal.webhooks_to(&program.at("/webhooks/paypal"));
    (program, paypal)
}

async fn market(on: On) -> (Program, PayPal) {
    let (mut program, paypal) = prepared(on).await;
    program.start().await;
    (program, paypal)
}

/// A checkout with one product of each shop, and PayPal's page.
async fn at_paypal(program: &Program, shops: &[&str]) -> (Shopper, String, String) {
    let (shopper, checkout) = checkout(program, shops).await;
    let page = shopper.post(&checkout, &details("paypal", "k")).await;
    assert!(page.contains("/checkoutnow?token=ORDER"), "{page}");
    (shopper, checkout, page)
}

/// Approves the order on PayPal's page; returns where it sends the shopper back to.
async fn approve(shopper: &Shopper, page: &str) -> String {
    shopper.post(page, &[("answer", "approve")]).await
}

/// A paid purchase of one product of each shop, all webhooks of which have been delivered.
async fn bought(program: &Program, paypal: &PayPal, shops: &[&str]) -> (Shopper, String) {
    let (shopper, _, page) = at_paypal(program, shops).await;
    let purchase = come_back(&shopper, &approve(&shopper, &page).await).await;
    assert!(purchase.starts_with("/purchases/"), "{purchase}");
    paypal.deliver().await;
    (shopper, purchase)
}

/// An amount with two decimals, in its smallest units.
fn units(amount: &Value) -> i64 {
    amount["value"].as_str().unwrap().replace('.', "").parse().unwrap()
}

fn total(objects: &[Value]) -> i64 {
    objects.iter().map(|object| units(&object["amount"])).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_of_several_shops() {
    for on in BOTH {
        let (mut program, paypal) = prepared(on).await;
        program.set("HAAT__LOG__FILTER", "debug");
        program.start().await;
        let (shopper, checkout) = checkout(&program, &SHOPS).await;
        let (_, page) = shopper.get(&checkout).await;
        assert!(page.contains("PayPal’s page") && page.contains("value=\"paypal\""), "{page}");
        let policy = shopper.client.get(program.at(&checkout)).send().await.unwrap();
        let policy = policy.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains(&format!("form-action 'self' {}", paypal.url)), "{policy}");

        let page = shopper.post(&checkout, &details("paypal", "k")).await;
        let back = approve(&shopper, &page).await;
        // PayPal adds a token of its own, and the payer.
        assert!(back.contains("&token=ORDER") && back.contains("&PayerID="), "{back}");
        // Without cookies, because the return is a redirect from another site.
        let purchase = come_back(&Shopper::new(&program), &back).await;
        let (status, thanks) = Shopper::new(&program).get(&purchase).await;
        assert_eq!(status, StatusCode::OK);
        assert!(
            thanks.contains("Paid with PayPal") && thanks.contains(&format!("{}-3", number(&purchase))),
            "{thanks}"
        );
        paypal.deliver().await;
        // The fee is known from the capture.
        program.verify();
        if on == On::Sqlite {
            let books = rusqlite::Connection::open(program.folder.join("haat.db")).unwrap();
            let fees = "SELECT SUM(fee_minor) FROM payments";
            let posted: i64 = books.query_row(fees, [], |row| row.get(0)).unwrap();
            assert_eq!(posted, units(&paypal.captures()[0]["seller_receivable_breakdown"]["paypal_fee"]));
        }

        let orders = paypal.orders();
        let [order] = &orders[..] else { panic!("{orders:?}") };
        let unit = &order["purchase_units"][0];
        assert_eq!(
            (order["status"].as_str(), unit["amount"]["currency_code"].as_str()),
            (Some("COMPLETED"), Some("USD"))
        );
        assert!(
            unit["custom_id"].as_str().unwrap().starts_with("pay_") && unit["amount"]["breakdown"].is_null()
        );
        assert_eq!(paypal.captures()[0]["amount"], unit["amount"]);
        // Once more, and from the back button.
        assert_eq!(come_back(&shopper, &back).await, purchase);
        assert_eq!(shopper.post(&checkout, &details("paypal", "k")).await, purchase);
        assert_eq!((paypal.orders().len(), paypal.captures().len(), paypal.requests(TOKEN)), (1, 1, 1));
        for (name, file) in kept(&program) {
            for secret in ["hush-hush", "A21AA"] {
                assert!(!file.contains(secret), "{secret} in {name}");
            }
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_wallet_and_a_detour() {
    for on in BOTH {
        let (program, paypal) = market(on).await;
        let (shopper, checkout, page) = at_paypal(&program, &SHOPS[..2]).await;
        let declined = shopper.try_post(&page, &[("answer", "decline")]).await.unwrap().text().await.unwrap();
        assert!(declined.contains("This card was declined."), "{declined}");
        // The shopper leaves PayPal's page by its link.
        let link = declined.split("<a href=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(come_back(&shopper, &link.replace("&amp;", "&")).await, checkout);
        let (_, waiting) = shopper.get(&checkout).await;
        assert!(waiting.contains("You have a payment in progress.") && waiting.contains(&page), "{waiting}");
        // Paying again goes on with the same order, by another key too.
        assert_eq!(shopper.post(&checkout, &details("paypal", "k2")).await, page);
        let purchase = come_back(&shopper, &approve(&shopper, &page).await).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        paypal.deliver().await;
        assert_eq!(paypal.orders().len(), 1);

        // The bank declines only when the order is captured. The next attempt is another order.
        paypal.behave(Behaviour { captures_decline: true, ..Behaviour::default() });
        let (shopper, checkout, page) = at_paypal(&program, &SHOPS[..1]).await;
        let back = approve(&shopper, &page).await;
        assert_eq!(come_back(&shopper, &back).await, format!("{checkout}?error=payment_declined"));
        paypal.behave(Behaviour::default());
        paypal.take_events();
        let again = shopper.post(&checkout, &details("paypal", "k2")).await;
        assert_ne!(again, page);
        let purchase = come_back(&shopper, &approve(&shopper, &again).await).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        paypal.deliver().await;
        assert_eq!((paypal.orders().len(), paypal.captures().len()), (3, 2));
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_order_is_not_captured() {
    on_both(async |on| {
        let (program, paypal) = market(on).await;
        let (shopper, checkout, page) = at_paypal(&program, &SHOPS[..1]).await;
        let purchase = shopper.post(&checkout, &details("cash", "k2")).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        // In another tab, PayPal's page is still open.
        let back = approve(&shopper, &page).await;
        paypal.deliver().await;
        assert_eq!(come_back(&shopper, &back).await, purchase);
        assert_eq!(paypal.captures().len(), 0);

        // Nobody approves, and PayPal forgets the order: reconciled.
        let (shopper, checkout, _) = at_paypal(&program, &SHOPS[1..2]).await;
        paypal.expire();
        let not_paid = "Your payment wasn’t completed and nothing was charged.";
        until("cancelled", async || shopper.get(&checkout).await.1.contains(not_paid)).await;
        let again = shopper.post(&checkout, &details("paypal", "k2")).await;
        let purchase = come_back(&shopper, &approve(&shopper, &again).await).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_before_during_and_after_the_return_twice_in_any_order_and_never() {
    on_both(async |on| {
        let (program, paypal) = market(on).await;
        // Before the return, and twice: the first one captures.
        let (shopper, checkout, page) = at_paypal(&program, &SHOPS).await;
        let back = approve(&shopper, &page).await;
        let mut events = paypal.take_events();
        assert_eq!(paypal.send(&events[0]).await, StatusCode::NO_CONTENT);
        paypal.handled().await;
        events.extend(paypal.take_events());
        for event in events.iter().chain(&events) {
            assert_eq!(paypal.send(event).await, StatusCode::NO_CONTENT, "{event}");
        }
        paypal.handled().await;
        assert!(shopper.get(&checkout).await.1.contains("You’ve already placed this order"));
        assert!(come_back(&shopper, &back).await.starts_with("/purchases/"));
        program.verify();
        // During the return, all at once.
        let (shopper, _, page) = at_paypal(&program, &SHOPS).await;
        let back = approve(&shopper, &page).await;
        let events = [paypal.take_events(), events].concat();
        let sent = futures::future::join_all(events.iter().map(|event| paypal.send(event)));
        let (sent, purchase) = tokio::join!(sent, come_back(&shopper, &back));
        assert!(sent.iter().all(|status| status.is_success()), "{sent:?}");
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        paypal.deliver().await;
        // After the return, the last one first, and long after.
        let (shopper, _, page) = at_paypal(&program, &SHOPS).await;
        let back = approve(&shopper, &page).await;
        let purchase = come_back(&shopper, &back).await;
        for event in paypal.take_events().iter().rev() {
            assert_eq!(paypal.send(event).await, StatusCode::NO_CONTENT, "{event}");
        }
        paypal.handled().await;
        assert_eq!(come_back(&shopper, &back).await, purchase);
        program.verify();
        // Never, and the shopper does not come back: reconciled.
        let (shopper, checkout, page) = at_paypal(&program, &SHOPS).await;
        approve(&shopper, &page).await;
        paypal.take_events();
        until_bought(&shopper, &checkout).await;
        assert_eq!((paypal.captures().len(), paypal.refunds().len()), (4, 0));
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_response_is_repeated_and_captures_once() {
    on_both(async |on| {
        let (program, paypal) = market(on).await;
        // One lost response is hidden by a retry.
        paypal.fail(CREATE, Fault::Lost);
        let (shopper, _, page) = at_paypal(&program, &SHOPS[..1]).await;
        assert!(come_back(&shopper, &approve(&shopper, &page).await).await.starts_with("/purchases/"));
        assert_eq!((paypal.faults_left(), paypal.orders().len()), (0, 1));
        // Three are not: the shopper is told to try again, and gets the same order.
        let (shopper, checkout) = checkout(&program, &SHOPS[..1]).await;
        for _ in 0..3 {
            paypal.fail(CREATE, Fault::Lost);
        }
        let failed = location(&shopper.try_post(&checkout, &details("paypal", "k")).await.unwrap());
        assert!(failed.starts_with(&checkout) && failed.contains("error="), "{failed}");
        assert_eq!((paypal.faults_left(), paypal.orders().len()), (0, 2));
        let page = shopper.post(&checkout, &details("paypal", "k")).await;
        assert_eq!(paypal.orders().len(), 2, "the same one");
        // Errors of PayPal pass, too; here while the shopper comes back.
        let back = approve(&shopper, &page).await;
        for status in [500, 429] {
            paypal.fail(READ, Fault::Status(status));
        }
        paypal.fail(CAPTURE, Fault::Lost);
        assert!(come_back(&shopper, &back).await.starts_with("/purchases/"));
        // The response to the capture is lost more often than it is asked for: reconciled.
        let (shopper, checkout, page) = at_paypal(&program, &SHOPS[..2]).await;
        let back = approve(&shopper, &page).await;
        for _ in 0..3 {
            paypal.fail(CAPTURE, Fault::Lost);
        }
        come_back(&shopper, &back).await;
        until_bought(&shopper, &checkout).await;
        paypal.deliver().await;
        assert_eq!((paypal.faults_left(), paypal.captures().len(), paypal.refunds().len()), (0, 3, 0));
        program.close();
    })
    .await;
}

/// A request has a time limit, after which it is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_never_comes_is_not_waited_for() {
    let (program, paypal) = market(On::Sqlite).await;
    let (shopper, _, page) = at_paypal(&program, &SHOPS[..1]).await;
    let back = approve(&shopper, &page).await;
    paypal.fail(CAPTURE, Fault::Silent);
    let begun = std::time::Instant::now();
    assert!(come_back(&shopper, &back).await.starts_with("/purchases/"));
    assert!((8..30).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(paypal.captures().len(), 1);
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_amount_or_currency_buys_nothing_and_is_refunded() {
    for on in BOTH {
        let (program, paypal) = market(on).await;
        let less = Behaviour { captures_less: true, ..Behaviour::default() };
        let euros = Behaviour { captures_euros: true, ..Behaviour::default() };
        for (behaviour, so_far) in [(less, 1), (euros, 2)] {
            paypal.behave(behaviour);
            let (shopper, checkout, page) = at_paypal(&program, &SHOPS[..1]).await;
            let back = approve(&shopper, &page).await;
            assert_eq!(come_back(&shopper, &back).await, format!("{checkout}?error=checkout_ended"));
            until("refunded", async || paypal.refunds().len() == so_far).await;
            let (captures, refunds) = (paypal.captures(), paypal.refunds());
            assert_eq!(captures[so_far - 1]["amount"], refunds[so_far - 1]["amount"]);
            paypal.deliver().await;
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_is_pending_and_ends_later() {
    for on in BOTH {
        let (program, paypal) = market(on).await;
        paypal.behave(Behaviour { captures_later: true, ..Behaviour::default() });
        let (shopper, checkout, page) = at_paypal(&program, &SHOPS[..1]).await;
        let back = approve(&shopper, &page).await;
        assert_eq!(come_back(&shopper, &back).await, checkout);
        paypal.deliver().await;
        assert_eq!(come_back(&shopper, &back).await, checkout, "still pending");
        paypal.end_captures(true);
        paypal.deliver().await;
        assert!(come_back(&shopper, &back).await.starts_with("/purchases/"));

        let (shopper, checkout, page) = at_paypal(&program, &SHOPS[..1]).await;
        let back = approve(&shopper, &page).await;
        assert_eq!(come_back(&shopper, &back).await, checkout);
        paypal.end_captures(false);
        paypal.deliver().await;
        assert_eq!(come_back(&shopper, &back).await, format!("{checkout}?error=payment_declined"));
        assert!(shopper.post(&checkout, &details("cash", "k2")).await.starts_with("/purchases/"));
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_in_part_and_in_whole() {
    for on in BOTH {
        let (program, paypal) = market(on).await;
        let shopper = Shopper::new(&program);
        shopper.add(&shopper.variant("meena-crafts", 0).await, "2").await;
        let checkout = shopper.post("/checkout", &[]).await;
        let page = shopper.post(&checkout, &details("paypal", "k")).await;
        let purchase = come_back(&shopper, &approve(&shopper, &page).await).await;
        paypal.deliver().await;
        let paid = total(&paypal.captures());

        // One of two, whose response is lost more often than the request is repeated: refunded once.
        meena(&program, &purchase, "/confirm", Some(json!({}))).await;
        for _ in 0..3 {
            paypal.fail("POST /v2/payments/captures/", Fault::Lost);
        }
        let seen = meena(&program, &purchase, "", None).await;
        let position = &seen["order"]["order"]["lines"][0]["position"];
        let lines = json!([{"position": position, "quantity": 1}]);
        meena(&program, &purchase, "/refunds", Some(json!({"lines": lines, "reason": "Chipped"}))).await;
        until("one refund", async || refunds(&program, &purchase).await.iter().all(|(_, done)| *done)).await;
        let [(part, true)] = refunds(&program, &purchase).await[..] else { panic!() };
        assert!(part > 0 && part < paid, "{part} of {paid}");
        assert_eq!((paypal.faults_left(), total(&paypal.refunds())), (0, part));
        paypal.deliver().await;
        program.verify();
        // The rest.
        meena(&program, &purchase, "/cancel", Some(json!({"reason": "Broken"}))).await;
        until("two refunds", async || {
            let all = refunds(&program, &purchase).await;
            all.len() == 2 && all.iter().all(|(_, done)| *done)
        })
        .await;
        assert_eq!(total(&paypal.refunds()), paid);
        paypal.deliver().await;
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_end_later_and_fail_later() {
    for on in BOTH {
        let (program, paypal) = market(on).await;
        paypal.behave(Behaviour { refunds_later: true, ..Behaviour::default() });
        let (shopper, purchase) = bought(&program, &paypal, &SHOPS[..1]).await;
        cancel(&shopper, &purchase, 1).await;
        until("requested", async || paypal.refunds().len() == 1).await;
        assert!(matches!(refunds(&program, &purchase).await[..], [(_, false)]), "pending");
        program.verify();
        paypal.end_refunds(true);
        paypal.deliver().await;
        assert!(matches!(refunds(&program, &purchase).await[..], [(_, true)]), "done");
        program.verify();

        // The bank account is closed: an admin has to look at it.
        let (shopper, purchase) = bought(&program, &paypal, &SHOPS[..1]).await;
        cancel(&shopper, &purchase, 1).await;
        until("requested", async || paypal.refunds().len() == 2).await;
        // Until the market has written down the ID of its refund, a webhook finds it by ours, and what this
        // waits for would come minutes later.
        let failed = paypal.refunds()[1]["id"].as_str().unwrap().to_owned();
        until("written down", async || {
            kept_anywhere(&program).await.iter().any(|(_, it)| it.contains(&failed))
        })
        .await;
        let asked = format!("GET /v2/payments/refunds/{failed}");
        paypal.end_refunds(false);
        paypal.deliver().await;
        // The webhook asks for it, and then the job.
        until("asked again", async || paypal.requests(&asked) >= 2).await;
        until("logged", async || program.log().contains("a pending refund failed")).await;
        assert!(matches!(refunds(&program, &purchase).await[..], [(_, false)]), "still owed");
        assert_eq!(paypal.refunds().len(), 2, "asked about, and not made again");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_old_webhooks_are_refused() {
    on_both(async |on| {
        let (program, paypal) = market(on).await;
        let (shopper, checkout, page) = at_paypal(&program, &SHOPS[..1]).await;
        approve(&shopper, &page).await;
        let events = paypal.take_events();
        let event = &events[0];
        for (age, webhook) in [(0, "2WEBHOOK"), (0, ""), (400, "1WEBHOOK"), (-400, "1WEBHOOK")] {
            assert_eq!(paypal.send_old(event, age, webhook).await, StatusCode::FORBIDDEN, "{age} {webhook}");
        }
        // PayPal is asked only about those that are recent.
        let verify = "POST /v1/notifications/verify-webhook-signature";
        assert_eq!(paypal.requests(verify), 2);
        let unsigned =
            reqwest::Client::new().post(program.at("/webhooks/paypal")).json(event).send().await.unwrap();
        assert_eq!((unsigned.status(), paypal.requests(verify)), (StatusCode::FORBIDDEN, 2));
        // PayPal cannot say whether it is genuine: it has to deliver the webhook again.
        for _ in 0..3 {
            paypal.fail(verify, Fault::Status(503));
        }
        assert_eq!(paypal.send(event).await, StatusCode::SERVICE_UNAVAILABLE);
        // An event that names an order of nobody changes nothing.
        let mut stranger = event.clone();
        stranger["resource"]["id"] = json!("ORDER99999999999999");
        assert_eq!(paypal.send(&stranger).await, StatusCode::NO_CONTENT);
        paypal.handled().await;
        // Something is new at PayPal that the market does not know.
        let mut new = event.clone();
        new["event_type"] = json!("TELEPORT.ORDER.ARRIVED");
        assert_eq!(paypal.send(&new).await, StatusCode::NO_CONTENT);
        assert_eq!(paypal.captures().len(), 0);
        assert_eq!(paypal.send_old(event, 200, "1WEBHOOK").await, StatusCode::NO_CONTENT, "recent");
        until_bought(&shopper, &checkout).await;
        let dispute = paypal.dispute();
        paypal.deliver().await;
        program.verify();
        paypal.decide(&dispute, true);
        paypal.deliver().await;
        program.verify();
        paypal.reverse();
        paypal.deliver().await;
        program.verify();
        until("logged", async || program.log().contains("disputed")).await;
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_replaced_when_they_end_or_are_revoked() {
    let (program, paypal) = market(On::Sqlite).await;
    bought(&program, &paypal, &SHOPS[..1]).await;
    assert_eq!(paypal.requests(TOKEN), 1);
    paypal.revoke_tokens();
    bought(&program, &paypal, &SHOPS[..1]).await;
    assert_eq!(paypal.requests(TOKEN), 2);
    // Those that end within two minutes are used once.
    paypal.behave(Behaviour { token_s: 100, ..Behaviour::default() });
    paypal.revoke_tokens();
    bought(&program, &paypal, &SHOPS[..1]).await;
    assert!(paypal.requests(TOKEN) > 4, "{}", paypal.requests(TOKEN));
    program.close();
}

/// PayPal doesn't take rupees: a market that sells in them does not offer it, and refuses it.
#[tokio::test(flavor = "multi_thread")]
async fn where_paypal_cannot_charge_it_is_not_offered() {
    let paypal = PayPal::start("app", "hush-hush", "1WEBHOOK", 0).await;
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT__PAYMENTS__PAYPAL_CLIENT_ID", "app");
    program.set("HAAT__PAYMENTS__PAYPAL_SECRET", "hush-hush");
    program.set("HAAT__PAYMENTS__PAYPAL_WEBHOOK_ID", "1WEBHOOK");
    program.set("HAAT__PAYMENTS__PAYPAL_URL", &paypal.url);
    program.start().await;
    let (shopper, checkout) = checkout(&program, &SHOPS[..1]).await;
    assert!(!shopper.get(&checkout).await.1.contains("PayPal"));
    let refused = shopper.try_post(&checkout, &details("paypal", "k")).await.unwrap();
    assert!(!location(&refused).contains(&paypal.url), "{}", location(&refused));
    assert_eq!(paypal.requests("POST"), 0);
    program.close();
}
