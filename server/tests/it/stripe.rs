//! Payments by card, through Stripe's SDK, at a fake of Stripe that speaks HTTP.

use std::time::Instant;

use haat_fakes::stripe::{Behaviour, CHALLENGED, DECLINED, Fault, Stripe};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{paying::*, program::*};

const GOOD: &str = "4242424242424242";
const CREATE: &str = "POST /v1/checkout/sessions";

/// A market that takes cards, not yet running, and its account.
async fn prepared(on: On) -> (Program, Stripe) {
    let stripe = Stripe::start("sk_test_fake", "whsec_now", 0).await;
    let mut program = Program::prepare(on).await;
    program.set("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_fake");
    program.set("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_now");
    program.set("HAAT__PAYMENTS__STRIPE_URL", &stripe.url);
    stripe.webhooks_to(&program.at("/webhooks/stripe"));
    (program, stripe)
}

async fn market(on: On) -> (Program, Stripe) {
    let (mut program, stripe) = prepared(on).await;
    program.start().await;
    (program, stripe)
}

/// A checkout with one product of each shop, and Stripe's page.
async fn at_stripe(program: &Program, shops: &[&str]) -> (Shopper, String, String) {
    let (shopper, checkout) = checkout(program, shops).await;
    let page = shopper.post(&checkout, &details("card", "k")).await;
    assert!(page.contains("/c/pay/cs_test_"), "{page}");
    (shopper, checkout, page)
}

/// Pays on Stripe's page; returns where it sends the shopper back to.
async fn pay(shopper: &Shopper, page: &str) -> String {
    shopper.post(page, &[("card", GOOD)]).await
}

/// A paid purchase of one product of each shop, all webhooks of which have been delivered.
async fn bought(program: &Program, stripe: &Stripe, shops: &[&str]) -> (Shopper, String) {
    let (shopper, _, page) = at_stripe(program, shops).await;
    let back = pay(&shopper, &page).await;
    let purchase = come_back(&shopper, &back).await;
    assert!(purchase.starts_with("/purchases/"), "{purchase}");
    stripe.deliver().await;
    (shopper, purchase)
}

fn total(objects: &[Value], name: &str) -> i64 {
    objects.iter().map(|object| object[name].as_i64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_of_several_shops() {
    for on in BOTH {
        let (mut program, stripe) = prepared(on).await;
        program.set("HAAT__LOG__FILTER", "debug");
        program.start().await;
        let (shopper, checkout) = checkout(&program, &SHOPS).await;
        let (_, page) = shopper.get(&checkout).await;
        assert!(page.contains("Credit or debit card") && page.contains("value=\"card\""), "{page}");
        let policy = shopper.client.get(program.at(&checkout)).send().await.unwrap();
        let policy = policy.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains(&format!("form-action 'self' {}", stripe.url)), "{policy}");

        let page = shopper.post(&checkout, &details("card", "k")).await;
        let back = pay(&shopper, &page).await;
        // Without cookies, because the return is a redirect from another site.
        let purchase = come_back(&Shopper::new(&program), &back).await;
        let (status, thanks) = Shopper::new(&program).get(&purchase).await;
        assert_eq!(status, StatusCode::OK);
        assert!(
            thanks.contains("Paid by card") && thanks.contains(&format!("{}-3", number(&purchase))),
            "{thanks}"
        );
        stripe.deliver().await;

        let sessions = stripe.objects("checkout.session");
        let [session] = &sessions[..] else { panic!("{sessions:?}") };
        assert_eq!(
            (session["currency"].as_str(), session["status"].as_str()),
            (Some("inr"), Some("complete"))
        );
        assert!(session["metadata"]["haat_attempt"].as_str().unwrap().starts_with("pay_"), "{session}");
        let paid = &stripe.objects("payment_intent")[0]["amount_received"];
        assert_eq!(*paid, session["amount_total"]);
        // Once more, and from the back button.
        assert_eq!(come_back(&shopper, &back).await, purchase);
        assert_eq!(shopper.post(&checkout, &details("card", "k")).await, purchase);
        assert_eq!(stripe.objects("checkout.session").len(), 1);
        for (name, file) in kept(&program) {
            for secret in ["sk_test_fake", "whsec_now", GOOD] {
                assert!(!file.contains(secret), "{secret} in {name}");
            }
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_a_challenge_and_a_detour() {
    for on in BOTH {
        let (program, stripe) = market(on).await;
        let (shopper, checkout, page) = at_stripe(&program, &SHOPS[..2]).await;
        let declined = shopper.try_post(&page, &[("card", DECLINED)]).await.unwrap().text().await.unwrap();
        assert!(
            declined.contains("Your card was declined.") && declined.contains("Card number"),
            "{declined}"
        );
        stripe.deliver().await;
        // The shopper leaves Stripe's page by its link.
        let link =
            declined.split("<a href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        assert_eq!(come_back(&shopper, &link).await, checkout);
        let (_, waiting) = shopper.get(&checkout).await;
        assert!(waiting.contains("You have a payment in progress.") && waiting.contains(&page), "{waiting}");
        // Paying again goes on with the same payment, by another key too.
        assert_eq!(shopper.post(&checkout, &details("card", "k2")).await, page);

        let challenge = format!("{}/challenge", page.split('#').next().unwrap());
        let asked = shopper.try_post(&page, &[("card", CHALLENGED)]).await.unwrap().text().await.unwrap();
        assert!(asked.contains("3-D Secure"), "{asked}");
        let failed = shopper.try_post(&challenge, &[("answer", "fail")]).await.unwrap().text().await.unwrap();
        assert!(failed.contains("Your card was declined."), "{failed}");
        let back = shopper.post(&challenge, &[("answer", "complete")]).await;
        let purchase = come_back(&shopper, &back).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        stripe.deliver().await;
        assert_eq!(stripe.objects("checkout.session").len(), 1);
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_payment_is_paid_otherwise_and_refunded_if_it_is_paid_too() {
    for on in BOTH {
        let (program, stripe) = market(on).await;
        let (shopper, checkout, page) = at_stripe(&program, &SHOPS[..1]).await;
        let purchase = shopper.post(&checkout, &details("cash", "k2")).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        // In another tab, Stripe's page is still open.
        let back = pay(&shopper, &page).await;
        stripe.deliver().await;
        assert_eq!(come_back(&shopper, &back).await, purchase);
        until("refunded", async || stripe.objects("refund").len() == 1).await;
        until("done", async || program.count("haat_work_done_total", "payments").await > 0).await;
        let paid = total(&stripe.objects("payment_intent"), "amount_received");
        assert_eq!(total(&stripe.objects("refund"), "amount"), paid);
        stripe.deliver().await;

        // Nobody pays, and Stripe closes its page.
        let (shopper, checkout, _) = at_stripe(&program, &SHOPS[1..2]).await;
        stripe.expire();
        stripe.deliver().await;
        let (_, page) = shopper.get(&checkout).await;
        assert!(page.contains("Your payment wasn’t completed and nothing was charged."), "{page}");
        let again = shopper.post(&checkout, &details("card", "k2")).await;
        let purchase = come_back(&shopper, &pay(&shopper, &again).await).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_before_during_and_after_the_return_twice_in_any_order_and_never() {
    on_both(async |on| {
        let (program, stripe) = market(on).await;
        // Before the return, and twice.
        let (shopper, checkout, page) = at_stripe(&program, &SHOPS).await;
        let back = pay(&shopper, &page).await;
        let events = stripe.take_events();
        for event in events.iter().chain(&events) {
            assert_eq!(stripe.send(event).await, StatusCode::NO_CONTENT, "{event}");
        }
        stripe.handled().await;
        assert!(shopper.get(&checkout).await.1.contains("You’ve already placed this order"));
        assert!(come_back(&shopper, &back).await.starts_with("/purchases/"));
        program.verify();
        // During the return, all at once.
        let (shopper, _, page) = at_stripe(&program, &SHOPS).await;
        let back = pay(&shopper, &page).await;
        let events = stripe.take_events();
        let sent = futures::future::join_all(events.iter().map(|event| stripe.send(event)));
        let (sent, purchase) = tokio::join!(sent, come_back(&shopper, &back));
        assert!(sent.iter().all(|status| status.is_success()), "{sent:?}");
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        stripe.handled().await;
        // After the return, the last one first, and long after.
        let (shopper, _, page) = at_stripe(&program, &SHOPS).await;
        let back = pay(&shopper, &page).await;
        let purchase = come_back(&shopper, &back).await;
        for event in stripe.take_events().iter().rev() {
            assert_eq!(stripe.send(event).await, StatusCode::NO_CONTENT, "{event}");
        }
        stripe.handled().await;
        assert_eq!(come_back(&shopper, &back).await, purchase);
        program.verify();
        // Never, and the shopper does not come back: reconciled.
        let (shopper, checkout, page) = at_stripe(&program, &SHOPS).await;
        pay(&shopper, &page).await;
        stripe.take_events();
        until_bought(&shopper, &checkout).await;
        assert_eq!(stripe.objects("refund").len(), 0);
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_creation_got_no_response_is_found_again() {
    for on in BOTH {
        let (program, stripe) = market(on).await;
        // One lost response is hidden by a retry.
        stripe.fail(CREATE, Fault::Lost);
        let (shopper, _, page) = at_stripe(&program, &SHOPS[..1]).await;
        assert_eq!(stripe.faults_left(), 0);
        assert!(come_back(&shopper, &pay(&shopper, &page).await).await.starts_with("/purchases/"));
        assert_eq!(stripe.objects("checkout.session").len(), 1);
        // Three are not: the shopper is told to try again, and gets the same session.
        let (shopper, checkout) = checkout(&program, &SHOPS[..1]).await;
        for _ in 0..3 {
            stripe.fail(CREATE, Fault::Lost);
        }
        let failed = location(&shopper.try_post(&checkout, &details("card", "k")).await.unwrap());
        assert!(failed.starts_with(&checkout) && failed.contains("error="), "{failed}");
        assert_eq!((stripe.faults_left(), stripe.objects("checkout.session").len()), (0, 2));
        let page = shopper.post(&checkout, &details("card", "k")).await;
        assert_eq!(stripe.objects("checkout.session").len(), 2, "the same one");
        // Errors of Stripe pass, too; here while the shopper comes back.
        let back = pay(&shopper, &page).await;
        for status in [500, 429] {
            stripe.fail("GET /v1/checkout/sessions/", Fault::Status(status));
        }
        assert!(come_back(&shopper, &back).await.starts_with("/purchases/"));
        stripe.deliver().await;
        program.close();
    }
}

/// Who pays while Stripe is down need not wait for what has just failed; the page says so, and has other methods.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_down_is_left_alone_for_a_while() {
    let (program, stripe) = market(On::Sqlite).await;
    let (shopper, checkout) = checkout(&program, &SHOPS[..1]).await;
    for _ in 0..16 {
        stripe.fail(CREATE, Fault::Status(500));
    }
    assert!(!shopper.get(&checkout).await.1.contains("responding"));
    // Five calls, each of three requests.
    for _ in 0..6 {
        let failed = location(&shopper.try_post(&checkout, &details("card", "k")).await.unwrap());
        assert!(failed.contains("error="), "{failed}");
    }
    assert_eq!(stripe.faults_left(), 1, "the last call was not made");
    assert!(shopper.get(&checkout).await.1.contains("This payment service isn’t responding"));
    let paid = shopper.post(&checkout, &details("cash", "c")).await;
    assert!(paid.starts_with("/purchases/"), "{paid}");
    program.close();
}

/// A request has a time limit, after which it is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_never_comes_is_not_waited_for() {
    let (program, stripe) = market(On::Sqlite).await;
    stripe.fail(CREATE, Fault::Silent);
    let begun = Instant::now();
    at_stripe(&program, &SHOPS[..1]).await;
    assert!((8..30).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_in_part_and_in_whole() {
    for on in BOTH {
        let (program, stripe) = market(on).await;
        let shopper = Shopper::new(&program);
        shopper.add(&shopper.variant("meena-crafts", 0).await, "2").await;
        let checkout = shopper.post("/checkout", &[]).await;
        let page = shopper.post(&checkout, &details("card", "k")).await;
        let purchase = come_back(&shopper, &pay(&shopper, &page).await).await;
        stripe.deliver().await;
        let paid = total(&stripe.objects("payment_intent"), "amount_received");

        // One of two, whose response is lost more often than the request is repeated: refunded once.
        meena(&program, &purchase, "/confirm", Some(json!({}))).await;
        for _ in 0..3 {
            stripe.fail("POST /v1/refunds", Fault::Lost);
        }
        let seen = meena(&program, &purchase, "", None).await;
        let position = &seen["order"]["order"]["lines"][0]["position"];
        let lines = json!([{"position": position, "quantity": 1}]);
        meena(&program, &purchase, "/refunds", Some(json!({"lines": lines, "reason": "Chipped"}))).await;
        until("one refund", async || refunds(&program, &purchase).await.iter().all(|(_, done)| *done)).await;
        let [(part, true)] = refunds(&program, &purchase).await[..] else { panic!() };
        assert!(part > 0 && part < paid, "{part} of {paid}");
        assert_eq!((stripe.faults_left(), total(&stripe.objects("refund"), "amount")), (0, part));
        stripe.deliver().await;
        program.verify();
        // The rest.
        meena(&program, &purchase, "/cancel", Some(json!({"reason": "Broken"}))).await;
        until("two refunds", async || {
            let all = refunds(&program, &purchase).await;
            all.len() == 2 && all.iter().all(|(_, done)| *done)
        })
        .await;
        assert_eq!(total(&stripe.objects("refund"), "amount"), paid);
        stripe.deliver().await;
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_end_later_and_fail_later() {
    for on in BOTH {
        let (program, stripe) = market(on).await;
        stripe.behave(Behaviour { refunds_later: true, ..Behaviour::default() });
        let (shopper, purchase) = bought(&program, &stripe, &SHOPS[..1]).await;
        cancel(&shopper, &purchase, 1).await;
        until("requested", async || stripe.objects("refund").len() == 1).await;
        stripe.deliver().await;
        assert!(matches!(refunds(&program, &purchase).await[..], [(_, false)]), "pending");
        program.verify();
        stripe.end_refunds(true);
        stripe.deliver().await;
        assert!(matches!(refunds(&program, &purchase).await[..], [(_, true)]), "done");
        program.verify();

        // The card is closed: an admin has to look at it.
        let (shopper, purchase) = bought(&program, &stripe, &SHOPS[..1]).await;
        cancel(&shopper, &purchase, 1).await;
        until("requested", async || stripe.objects("refund").len() == 2).await;
        stripe.deliver().await;
        let failed = stripe.objects("refund")[1]["id"].as_str().unwrap().to_owned();
        let before = stripe.requests(&format!("GET /v1/refunds/{failed}"));
        stripe.end_refunds(false);
        stripe.deliver().await;
        // The webhook asks for it, and then the job.
        until("asked again", async || stripe.requests(&format!("GET /v1/refunds/{failed}")) >= before + 2)
            .await;
        assert!(program.log().contains("lost_or_stolen_card"), "{}", program.log());
        assert!(matches!(refunds(&program, &purchase).await[..], [(_, false)]), "still owed");
        assert_eq!(stripe.objects("refund").len(), 2, "asked about, and not made again");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_old_webhooks_are_refused_and_secrets_are_rotated() {
    on_both(async |on| {
        let (mut program, stripe) = market(on).await;
        let (shopper, checkout, page) = at_stripe(&program, &SHOPS[..1]).await;
        pay(&shopper, &page).await;
        let events = stripe.take_events();
        let event = events.iter().find(|event| event["type"] == "checkout.session.completed").unwrap();
        for (age, secret) in [(0, "whsec_forged"), (0, ""), (400, "whsec_now"), (-400, "whsec_now")] {
            assert_eq!(stripe.send_old(event, age, secret).await, StatusCode::FORBIDDEN, "{age} {secret}");
        }
        // An event that names a session of nobody, or another attempt's, changes nothing.
        let mut stranger = event.clone();
        stranger["data"]["object"]["id"] = json!("cs_test_nobody");
        assert_eq!(stripe.send(&stranger).await, StatusCode::NO_CONTENT);
        stripe.handled().await;
        assert!(!shopper.get(&checkout).await.1.contains("You’ve already placed this order"));
        // Something is new at Stripe that the market does not know.
        let mut new = event.clone();
        new["type"] = json!("checkout.session.teleported");
        new["data"]["object"] = json!({"object": "teleport"});
        assert_eq!(stripe.send(&new).await, StatusCode::NO_CONTENT);
        assert_eq!(stripe.send_old(event, 200, "whsec_now").await, StatusCode::NO_CONTENT, "recent");
        until_bought(&shopper, &checkout).await;

        // Rotation: the market knows both, then Stripe signs with both, then with the new one.
        program.kill();
        program.set("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_now whsec_next");
        program.start().await;
        for secrets in [&["whsec_now"][..], &["whsec_now", "whsec_next"], &["whsec_next"]] {
            stripe.sign_with(secrets);
            bought(&program, &stripe, &SHOPS[..1]).await;
        }
        stripe.sign_with(&["whsec_before"]);
        assert_eq!(stripe.send(event).await, StatusCode::FORBIDDEN);
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorized_payment_is_captured_here_or_in_the_dashboard() {
    on_both(async |on| {
        let (mut program, stripe) = prepared(on).await;
        program.set("HAAT__PAYMENTS__STRIPE_AUTHORIZES", "true");
        program.start().await;
        let captured = || total(&stripe.objects("payment_intent"), "amount_received");
        // The response to the capture is lost more often than it is asked for: reconciled.
        for _ in 0..3 {
            stripe.fail("POST /v1/payment_intents/", Fault::Lost);
        }
        let (shopper, checkout, page) = at_stripe(&program, &SHOPS[..2]).await;
        let back = pay(&shopper, &page).await;
        assert_eq!(captured(), 0);
        come_back(&shopper, &back).await;
        until_bought(&shopper, &checkout).await;
        assert_eq!(captured(), total(&stripe.objects("checkout.session"), "amount_total"));
        stripe.deliver().await;

        // Somebody is faster, in Stripe's dashboard.
        let (shopper, checkout, page) = at_stripe(&program, &SHOPS[..1]).await;
        pay(&shopper, &page).await;
        stripe.in_dashboard(true);
        stripe.deliver().await;
        until_bought(&shopper, &checkout).await;
        // Or cancels it.
        let (shopper, checkout, page) = at_stripe(&program, &SHOPS[..1]).await;
        let back = pay(&shopper, &page).await;
        stripe.in_dashboard(false);
        stripe.deliver().await;
        assert_eq!(come_back(&shopper, &back).await, format!("{checkout}?error=payment_cancelled"));
        // The checkout is bought otherwise while Stripe's page is open: cancelled rather than refunded.
        let (shopper, checkout, page) = at_stripe(&program, &SHOPS[..1]).await;
        let purchase = shopper.post(&checkout, &details("cash", "k2")).await;
        let before = captured();
        let back = pay(&shopper, &page).await;
        assert_eq!(come_back(&shopper, &back).await, purchase);
        stripe.deliver().await;
        assert_eq!((captured(), stripe.objects("refund").len()), (before, 0));
        assert!(stripe.objects("payment_intent").iter().any(|intent| intent["status"] == "canceled"));
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_disputes_and_payouts_are_heard_of() {
    for on in BOTH {
        let (program, stripe) = market(on).await;
        stripe.behave(Behaviour { books_later: true, ..Behaviour::default() });
        bought(&program, &stripe, &SHOPS).await;
        assert_eq!(stripe.objects("balance_transaction").len(), 0);
        program.verify();
        // The fee is known later, and told twice.
        stripe.book();
        let booked = stripe.take_events();
        for event in booked.iter().chain(&booked) {
            assert_eq!(stripe.send(event).await, StatusCode::NO_CONTENT);
        }
        program.verify();
        if on == On::Sqlite {
            let books = rusqlite::Connection::open(program.folder.join("haat.db")).unwrap();
            let fees = "SELECT SUM(fee_minor) FROM payments";
            let posted: i64 = books.query_row(fees, [], |row| row.get(0)).unwrap();
            assert_eq!(posted, total(&stripe.objects("balance_transaction"), "fee"));
        }
        // Disputed, and decided: each is reported twice, and the books agree after each.
        for won in [true, false] {
            let dispute = stripe.dispute();
            stripe.deliver().await;
            program.verify();
            stripe.decide(&dispute, won);
            let decided = stripe.take_events();
            for event in decided.iter().chain(&decided) {
                assert_eq!(stripe.send(event).await, StatusCode::NO_CONTENT);
            }
            program.verify();
        }
        stripe.pay_out(10_000, "inr");
        stripe.fail_refunds();
        stripe.deliver().await;
        program.verify();
        if on == On::Sqlite {
            let books = rusqlite::Connection::open(program.folder.join("haat.db")).unwrap();
            let count = |sql: &str| -> i64 { books.query_row(sql, [], |row| row.get(0)).unwrap() };
            assert_eq!(
                count(
                    "SELECT COUNT(*) FROM disputes WHERE state IN ('won', 'lost') AND unallocated_minor = 0"
                ),
                2
            );
            assert_eq!(count("SELECT COUNT(*) FROM disputes WHERE fee_minor = 1500 AND fee_returned"), 1);
            assert_eq!(
                count("SELECT COUNT(*) FROM settlements WHERE state = 'paid' AND amount_minor = 10000"),
                1
            );
            let failed =
                stripe.objects("refund").iter().filter(|refund| refund["status"] == "failed").count();
            assert_eq!(count("SELECT COUNT(*) FROM refunds WHERE state = 'failed'"), failed as i64);
        }
        // The log is written in the background.
        for _ in 0..400 {
            if program.log().contains("disputed") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        assert!(program.log().contains("disputed"), "{}", program.log());
        program.close();
    }
}

/// Without an account at Stripe, cards are not offered, and nobody can send webhooks.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_there_are_no_cards() {
    let stripe = Stripe::start("sk_test_fake", "whsec_now", 0).await;
    let program = Program::serve(On::Sqlite).await;
    stripe.webhooks_to(&program.at("/webhooks/stripe"));
    let (shopper, checkout) = checkout(&program, &SHOPS[..1]).await;
    assert!(!shopper.get(&checkout).await.1.contains("Credit or debit card"));
    assert!(stripe.send(&json!({"id": "evt_1"})).await.is_client_error());
    program.close();
}

/// A market on whose checkout cards are entered in Stripe's fields.
async fn with_fields(on: On) -> (Program, Stripe) {
    let (mut program, stripe) = prepared(on).await;
    program.set("HAAT__PAYMENTS__STRIPE_PUBLISHABLE_KEY", "pk_test_fake");
    program.start().await;
    (program, stripe)
}

/// Submits a card in the frame of Stripe's fields. Returns what its script is told.
async fn confirm(stripe: &Stripe, next: &Value, card: &str, answer: &str) -> Value {
    confirm_with(stripe, next, &[("card", card), ("answer", answer)]).await
}

/// Submits the frame of Stripe's fields with this in it.
async fn confirm_with(stripe: &Stripe, next: &Value, fields: Fields<'_>) -> Value {
    let amount = stripe.objects("payment_intent").iter().find_map(|intent| {
        (intent["client_secret"] == next["client_secret"]).then(|| intent["amount"].to_string())
    });
    let (secret, amount) = (next["client_secret"].as_str().unwrap(), amount.unwrap());
    let form = [&[("secret", secret), ("amount", &*amount)], fields].concat();
    let at = format!("{}/element/confirm", stripe.url);
    reqwest::Client::new().post(at).form(&form).send().await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_entered_on_our_page_declined_challenged_and_paid() {
    for on in BOTH {
        let (program, stripe) = with_fields(on).await;
        let (shopper, checkout) = checkout(&program, &SHOPS).await;
        let (_, page) = shopper.get(&checkout).await;
        assert!(page.contains("pk_test_fake") && page.contains(&format!("{}/v3/", stripe.url)), "{page}");
        let policy = async |path: &str| {
            let page = shopper.client.get(program.at(path)).send().await.unwrap();
            page.headers()["content-security-policy"].to_str().unwrap().to_owned()
        };
        let (here, elsewhere) = (policy(&checkout).await, policy("/cart").await);
        assert!(here.contains(&format!("'wasm-unsafe-eval' {};", stripe.url)), "{here}");
        assert!(here.contains(&format!("frame-src 'self' {};", stripe.url)), "{here}");
        assert!(elsewhere.contains("'wasm-unsafe-eval'; ") && elsewhere.contains("frame-src 'self';"));

        let next = pay_on_page(&shopper, &checkout, "card", "k").await;
        assert_eq!((&next["type"], &next["gateway"]), (&json!("client_secret"), &json!("stripe")));
        assert_eq!(pay_on_page(&shopper, &checkout, "card", "k").await, next, "the same click");
        let declined = confirm(&stripe, &next, DECLINED, "").await;
        assert_eq!(declined["error"]["message"], "Your card was declined.");
        stripe.deliver().await;
        // The same payment continues, also on a page that was loaded again.
        assert!(shopper.get(&checkout).await.1.contains("You have a payment in progress."));
        let again = pay_on_page(&shopper, &checkout, "card", "k2").await;
        assert_eq!(again["client_secret"], next["client_secret"]);
        assert_eq!(confirm(&stripe, &again, CHALLENGED, "").await["challenge"], true);
        assert!(confirm(&stripe, &again, CHALLENGED, "fail").await["error"].is_object());
        assert_eq!(come_back(&shopper, back(&again)).await, checkout, "nothing is paid yet");
        assert_eq!(confirm(&stripe, &again, CHALLENGED, "complete").await, json!({}));
        let purchase = come_back(&Shopper::new(&program), back(&again)).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        stripe.deliver().await;
        assert!(Shopper::new(&program).get(&purchase).await.1.contains("Paid by card"));
        assert_eq!(pay_on_page(&shopper, &checkout, "card", "k3").await["type"], "done");
        assert_eq!(come_back(&shopper, back(&again)).await, purchase);

        let intents = stripe.objects("payment_intent");
        let [intent] = &intents[..] else { panic!("{intents:?}") };
        assert_eq!(intent["automatic_payment_methods"]["enabled"], true);
        assert_eq!(stripe.objects("checkout.session").len(), 0);
        // Refunded like every other payment.
        cancel(&shopper, &purchase, 1).await;
        until("refunded", async || stripe.objects("refund").len() == 1).await;
        stripe.deliver().await;
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_on_our_page_that_is_left_is_paid_once() {
    on_both(async |on| {
        let (program, stripe) = with_fields(on).await;
        // The shopper pays and closes the tab: the webhooks make the purchase.
        let (shopper, checkout_path) = checkout(&program, &SHOPS[..1]).await;
        let next = pay_on_page(&shopper, &checkout_path, "card", "k").await;
        confirm(&stripe, &next, GOOD, "").await;
        stripe.deliver().await;
        assert!(shopper.get(&checkout_path).await.1.contains("You’ve already placed this order"));
        // Or reconciliation does.
        let (shopper, checkout_path) = checkout(&program, &SHOPS[..1]).await;
        let next = pay_on_page(&shopper, &checkout_path, "card", "k").await;
        confirm(&stripe, &next, GOOD, "").await;
        stripe.take_events();
        until_bought(&shopper, &checkout_path).await;
        program.verify();
        // The creation gets no response three times: the same payment is found again.
        let made = stripe.objects("payment_intent").len();
        let (shopper, checkout_path) = checkout(&program, &SHOPS[..1]).await;
        for _ in 0..3 {
            stripe.fail("POST /v1/payment_intents", Fault::Lost);
        }
        assert!(pay_on_page(&shopper, &checkout_path, "card", "k").await["type"].is_null());
        let next = pay_on_page(&shopper, &checkout_path, "card", "k").await;
        assert_eq!((stripe.faults_left(), stripe.objects("payment_intent").len()), (0, made + 1));
        // Without JavaScript, it continues on Stripe's page; what is paid in the other tab, too, is refunded.
        let page = shopper.post(&checkout_path, &details("card", "k2")).await;
        let purchase = come_back(&shopper, &pay(&shopper, &page).await).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        assert_eq!(confirm(&stripe, &next, GOOD, "").await, json!({}));
        stripe.deliver().await;
        until("refunded", async || stripe.objects("refund").len() == 1).await;
        stripe.deliver().await;
        program.verify();
        // Nobody pays for an hour: cancelled, and the checkout can be paid again.
        let (shopper, checkout_path) = checkout(&program, &SHOPS[1..2]).await;
        let next = pay_on_page(&shopper, &checkout_path, "card", "k").await;
        stripe.age(3_700);
        assert_eq!(
            come_back(&shopper, back(&next)).await,
            format!("{checkout_path}?error=payment_cancelled")
        );
        assert!(confirm(&stripe, &next, GOOD, "").await["error"].is_object());
        let next = pay_on_page(&shopper, &checkout_path, "card", "k2").await;
        confirm(&stripe, &next, GOOD, "").await;
        assert!(come_back(&shopper, back(&next)).await.starts_with("/purchases/"));
        stripe.deliver().await;
        program.close();
    })
    .await;
}

/// Whether cards are entered on Stripe's page or in its fields: nothing that the program keeps contains a number.
#[tokio::test(flavor = "multi_thread")]
async fn card_numbers_are_kept_nowhere() {
    for on in BOTH {
        let (mut program, stripe) = prepared(on).await;
        program.set("HAAT__PAYMENTS__STRIPE_PUBLISHABLE_KEY", "pk_test_fake");
        // Every span and event, of libraries as well.
        program.set("HAAT__LOG__FILTER", "trace");
        program.start().await;
        let (shopper, _, page) = at_stripe(&program, &SHOPS[..1]).await;
        shopper.try_post(&page, &[("card", DECLINED)]).await.unwrap();
        let back_from_page = pay(&shopper, &page).await;
        assert!(come_back(&shopper, &back_from_page).await.starts_with("/purchases/"));
        let (shopper, checkout_path) = checkout(&program, &SHOPS[..1]).await;
        let next = pay_on_page(&shopper, &checkout_path, "card", "k").await;
        confirm(&stripe, &next, DECLINED, "").await;
        confirm(&stripe, &next, CHALLENGED, "").await;
        confirm(&stripe, &next, CHALLENGED, "complete").await;
        // As Stripe's script extends it.
        let secret = next["client_secret"].as_str().unwrap();
        let returned =
            format!("{}&payment_intent_client_secret={secret}&redirect_status=succeeded", back(&next));
        let purchase = come_back(&shopper, &returned).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        stripe.deliver().await;
        cancel(&shopper, &purchase, 1).await;
        until("refunded", async || stripe.objects("refund").len() == 1).await;
        stripe.deliver().await;
        let grouped = |card: &str| {
            let parts: Vec<String> =
                card.as_bytes().chunks(4).map(|part| String::from_utf8_lossy(part).into()).collect();
            [parts.join(" "), parts.join("-"), card.to_owned()]
        };
        let kept = kept_anywhere(&program).await;
        assert!(kept.iter().any(|(_, text)| text.contains("/api/checkout/pay")), "the log was searched");
        assert!(kept.iter().any(|(_, text)| text.contains("asha@example.com")), "the database was searched");
        for (name, text) in kept {
            for number in [GOOD, DECLINED, CHALLENGED].into_iter().flat_map(grouped) {
                assert!(!text.contains(&number), "{number} in {name}");
            }
        }
        program.close();
    }
}

/// A user of the demo, signed in.
async fn signed_in(program: &Program, name: &str) -> Shopper {
    let shopper = Shopper::new(program);
    let email = format!("{name}@haat.example");
    shopper.post("/sign-in", &[("email", &email), ("password", "market-day-2026")]).await;
    shopper
}

/// The same, with a checkout.
async fn with_checkout(shopper: &Shopper) -> String {
    shopper.add(&shopper.variant("malabar-pantry", 0).await, "1").await;
    shopper.post("/checkout", &[]).await
}

/// The IDs of the cards that a user sees, by which they are removed.
async fn cards(shopper: &Shopper) -> Vec<String> {
    let (status, page) = shopper.get("/account/cards").await;
    assert_eq!(status, StatusCode::OK);
    let ids = page.split("name=\"card\" value=\"").skip(1);
    ids.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// Saves a card on Stripe's page, without buying anything.
async fn save(shopper: &Shopper, card: &str) {
    let page = shopper.post("/account/cards", &[("action", "add")]).await;
    let back = shopper.post(&page, &[("card", card)]).await;
    assert_eq!(back, shopper.url("/account/cards"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_saved_in_the_account_and_only_its_owner_sees_and_removes_it() {
    for on in BOTH {
        let (program, stripe) = market(on).await;
        let guest = Shopper::new(&program);
        assert_eq!(guest.get("/account/cards").await.0, StatusCode::UNAUTHORIZED);
        for form in [&[("action", "add")][..], &[("action", "remove"), ("card", "pm_1")]] {
            assert_eq!(
                guest.try_post("/account/cards", form).await.unwrap().status(),
                StatusCode::UNAUTHORIZED
            );
        }
        let (meena, delta) = (signed_in(&program, "meena").await, signed_in(&program, "delta").await);
        assert!(meena.get("/account").await.1.contains("href=\"/account/cards\""));
        assert!(meena.get("/account/cards").await.1.contains("No saved cards"));
        assert_eq!(stripe.objects("customer").len(), 0);

        // A declined card is not saved; Stripe's page has a link back.
        let page = meena.post("/account/cards", &[("action", "add")]).await;
        let declined = meena.try_post(&page, &[("card", DECLINED)]).await.unwrap().text().await.unwrap();
        assert!(
            declined.contains("Your card was declined.") && declined.contains("/account/cards"),
            "{declined}"
        );
        assert!(cards(&meena).await.is_empty());
        save(&meena, GOOD).await;
        save(&meena, "5555555555554444").await;
        save(&delta, GOOD).await;
        stripe.deliver().await;
        let (_, page) = meena.get("/account/cards").await;
        for words in ["Visa ending in 4242", "Mastercard ending in 4444", "Expires 12/2034"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let (own, other) = (cards(&meena).await, cards(&delta).await);
        assert_eq!((own.len(), other.len()), (2, 1));
        assert!(!page.contains(&other[0]), "{page}");
        // Stripe knows our ID of the user, and nothing else.
        let customers = stripe.objects("customer");
        assert_eq!(customers.len(), 2);
        let customer = &customers[0];
        assert!(customer["metadata"]["haat_user"].as_str().unwrap().starts_with("user_"), "{customer}");
        assert!(customer["email"].is_null() && customer["name"].is_null() && customer["phone"].is_null());

        // Nobody removes the card of somebody else, nor finds out whether there is one.
        let remove = async |who: &Shopper, card: &str| {
            let form = [("action", "remove"), ("card", card)];
            who.try_post("/account/cards", &form).await.unwrap()
        };
        for (who, card) in
            [(&delta, &*own[0]), (&delta, "pm_nothing"), (&meena, &*other[0]), (&meena, "../x")]
        {
            assert_eq!(remove(who, card).await.status(), StatusCode::NOT_FOUND, "{card}");
        }
        let gone = remove(&meena, &own[0]).await;
        assert_eq!(location(&gone), "/account/cards?done=remove");
        assert!(meena.get("/account/cards?done=remove").await.1.contains("Card removed."));
        assert_eq!(remove(&meena, &own[0]).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(cards(&meena).await, own[1..]);
        stripe.cards_expire(2020, 1);
        assert!(meena.get("/account/cards").await.1.contains("Expired 01/2020"));

        // The same over REST.
        let client = reqwest::Client::new();
        let at = |path: &str| program.at(&format!("/api/v1{path}"));
        let login = json!({"email": "meena@haat.example", "password": "market-day-2026"});
        let tokens: Value =
            client.post(at("/tokens")).json(&login).send().await.unwrap().json().await.unwrap();
        let token = tokens["access_token"].as_str().unwrap();
        let list = async || -> Value {
            client.get(at("/cards")).bearer_auth(token).send().await.unwrap().json().await.unwrap()
        };
        let card = json!({
            "id": own[1], "brand": "visa", "last4": "4242", "exp_month": 1, "exp_year": 2020, "validity": "expired",
        });
        assert_eq!(list().await, json!({ "items": [card] }));
        let delete = async |card: &str| {
            let request = client.delete(at(&format!("/cards/{card}"))).bearer_auth(token);
            request.send().await.unwrap().status()
        };
        assert_eq!(delete(&other[0]).await, StatusCode::NOT_FOUND);
        assert_eq!(delete(&own[1]).await, StatusCode::NO_CONTENT);
        assert_eq!(delete(&own[1]).await, StatusCode::NOT_FOUND);
        assert_eq!(list().await, json!({ "items": [] }));
        assert_eq!(cards(&delta).await, other);

        // The database has the customer, and nothing of the cards.
        let kept = kept_anywhere(&program).await;
        let customer = customers[0]["id"].as_str().unwrap();
        assert!(kept.iter().any(|(_, file)| file.contains(customer)));
        for (name, file) in kept.iter().filter(|(name, _)| !name.ends_with(".log")) {
            for secret in [GOOD, "5555555555554444", &own[0], &other[0], "mastercard"] {
                assert!(!file.contains(secret), "{secret} in {name}");
            }
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_card_pays_on_stripes_page_and_in_its_fields() {
    for on in BOTH {
        let (program, stripe) = with_fields(on).await;
        let meena = signed_in(&program, "meena").await;
        // Without JavaScript: saved while paying, and offered the next time.
        let checkout = with_checkout(&meena).await;
        let page = meena.post(&checkout, &details("card", "k")).await;
        let shown = meena.get(&page).await.1;
        assert!(shown.contains("Save this card for next time") && !shown.contains("4242"), "{shown}");
        let left = meena.post(&page, &[("card", GOOD), ("save", "true")]).await;
        assert!(come_back(&meena, &left).await.starts_with("/purchases/"));
        let saved = cards(&meena).await;
        assert_eq!(saved.len(), 1);
        let checkout = with_checkout(&meena).await;
        let page = meena.post(&checkout, &details("card", "k")).await;
        assert!(meena.get(&page).await.1.contains("visa ending in 4242"));
        let left = meena.post(&page, &[("saved", &saved[0])]).await;
        assert!(come_back(&meena, &left).await.starts_with("/purchases/"));
        stripe.deliver().await;

        // In the fields: their script is told whose cards to show.
        let offer = async |who: &Shopper| -> Value {
            let request = who.client.post(who.url("/api/cards/offer")).json(&json!({}));
            request.send().await.unwrap().json().await.unwrap()
        };
        let session = offer(&meena).await;
        let frame = |session: &Value| format!("{}/element?session={}", stripe.url, session.as_str().unwrap());
        let shown = meena.get(&frame(&session)).await.1;
        assert!(
            shown.contains("visa ending in 4242") && shown.contains("Save this card for next time"),
            "{shown}"
        );
        let checkout = with_checkout(&meena).await;
        let next = pay_on_page(&meena, &checkout, "card", "k").await;
        let paid =
            confirm_with(&stripe, &next, &[("session", session.as_str().unwrap()), ("saved", &saved[0])])
                .await;
        assert_eq!(paid, json!({}));
        assert!(come_back(&meena, back(&next)).await.starts_with("/purchases/"));
        // Another card is saved only if the shopper says so.
        for (save, count) in [("", 1), ("true", 2)] {
            let session = offer(&meena).await;
            let checkout = with_checkout(&meena).await;
            let next = pay_on_page(&meena, &checkout, "card", "k").await;
            let form = [("session", session.as_str().unwrap()), ("card", "5555555555554444"), ("save", save)];
            assert_eq!(confirm_with(&stripe, &next, &form).await, json!({}));
            assert!(come_back(&meena, back(&next)).await.starts_with("/purchases/"));
            assert_eq!(cards(&meena).await.len(), count);
        }
        let intents = stripe.objects("payment_intent");
        assert_eq!(intents.iter().filter(|intent| intent["setup_future_usage"] == "on_session").count(), 1);

        // A guest has no customer, and is shown nothing of anybody's.
        let (guest, checkout) = crate::paying::checkout(&program, &SHOPS[..1]).await;
        assert_eq!(offer(&guest).await, Value::Null);
        let next = pay_on_page(&guest, &checkout, "card", "k").await;
        let stolen =
            confirm_with(&stripe, &next, &[("session", session.as_str().unwrap()), ("card", GOOD)]).await;
        assert!(stolen["error"].is_object(), "{stolen}");
        let stolen = confirm_with(&stripe, &next, &[("saved", &saved[0])]).await;
        assert_ne!(stolen, json!({}));
        assert_eq!(confirm(&stripe, &next, GOOD, "").await, json!({}));
        assert!(come_back(&guest, back(&next)).await.starts_with("/purchases/"));
        let guests =
            stripe.objects("payment_intent").into_iter().filter(|intent| intent["customer"].is_null());
        assert_eq!(guests.count(), 1);
        stripe.deliver().await;
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_cards_while_stripe_is_down_and_after_it_forgot_them() {
    on_both(async |on| {
        let (program, stripe) = market(on).await;
        let meena = signed_in(&program, "meena").await;
        save(&meena, GOOD).await;
        for _ in 0..3 {
            stripe.fail("GET /v1/customers/", Fault::Status(500));
        }
        let (status, page) = meena.get("/account/cards").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            page.contains("the payment service isn’t responding") && page.contains("Add a card"),
            "{page}"
        );
        assert_eq!(cards(&meena).await.len(), 1);
        // A page is not kept waiting.
        stripe.fail("GET /v1/customers/", Fault::Silent);
        let begun = Instant::now();
        assert_eq!(meena.get("/account/cards").await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
        // A customer whose creation got no response pays all the same, and is created once.
        let delta = signed_in(&program, "delta").await;
        stripe.fail("POST /v1/customers", Fault::Lost);
        let checkout = with_checkout(&delta).await;
        let page = delta.post(&checkout, &details("card", "k")).await;
        assert!(come_back(&delta, &pay(&delta, &page).await).await.starts_with("/purchases/"));
        assert_eq!((stripe.faults_left(), stripe.objects("customer").len()), (0, 2));

        // Somebody deletes the customers in Stripe's dashboard: the next ones are new.
        stripe.delete_customers();
        assert!(cards(&meena).await.is_empty());
        save(&meena, GOOD).await;
        assert_eq!(cards(&meena).await.len(), 1);
        stripe.delete_customers();
        let checkout = with_checkout(&meena).await;
        let declined = meena.post(&checkout, &details("card", "k")).await;
        assert_eq!(declined, format!("{checkout}?error=payment_declined"));
        let page = meena.post(&checkout, &details("card", "k2")).await;
        assert!(come_back(&meena, &pay(&meena, &page).await).await.starts_with("/purchases/"));
        stripe.deliver().await;
        program.close();
    })
    .await;
}
