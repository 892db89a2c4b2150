//! Payments on the page of Razorpay's payment links and in its window, at a fake of it that speaks HTTP.

use std::time::Instant;

use haat_fakes::razorpay::{Behaviour, Fault, Razorpay};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{paying::*, program::*};

const CREATE: &str = "POST /v1/payment_links";

/// A market that takes payments through Razorpay, not yet running, and its account.
async fn prepared(on: On) -> (Program, Razorpay) {
    let razorpay = Razorpay::start("rzp_test_fake", "hush-hush", "webhook-now", 0).await;
    let mut program = Program::prepare(on).await;
    program.set("HAAT__PAYMENTS__RAZORPAY_KEY_ID", "rzp_test_fake");
    program.set("HAAT__PAYMENTS__RAZORPAY_KEY_SECRET", "hush-hush");
    program.set("HAAT__PAYMENTS__RAZORPAY_WEBHOOK_SECRETS", "webhook-now");
    program.set("HAAT__PAYMENTS__RAZORPAY_URL", &razorpay.url);
    razorpay.webhooks_to(&program.at("/webhooks/razorpay"));
    (program, razorpay)
}

async fn market(on: On) -> (Program, Razorpay) {
    let (mut program, razorpay) = prepared(on).await;
    program.start().await;
    (program, razorpay)
}

/// A checkout with one product of each shop, and Razorpay's page.
async fn at_razorpay(program: &Program, shops: &[&str]) -> (Shopper, String, String) {
    let (shopper, checkout) = checkout(program, shops).await;
    let page = shopper.post(&checkout, &details("razorpay", "k")).await;
    assert!(page.contains("/i/plink_"), "{page}");
    (shopper, checkout, page)
}

/// Pays on Razorpay's page; returns where it sends the shopper back to.
async fn pay(shopper: &Shopper, page: &str) -> String {
    shopper.post(page, &[("answer", "success")]).await
}

/// A paid purchase of one product of each shop, all webhooks of which have been delivered.
async fn bought(program: &Program, razorpay: &Razorpay, shops: &[&str]) -> (Shopper, String) {
    let (shopper, _, page) = at_razorpay(program, shops).await;
    let purchase = come_back(&shopper, &pay(&shopper, &page).await).await;
    assert!(purchase.starts_with("/purchases/"), "{purchase}");
    razorpay.deliver().await;
    (shopper, purchase)
}

fn total(objects: &[Value], name: &str) -> i64 {
    objects.iter().map(|object| object[name].as_i64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_of_several_shops() {
    for on in BOTH {
        let (mut program, razorpay) = prepared(on).await;
        program.set("HAAT__LOG__FILTER", "debug");
        program.start().await;
        let (shopper, checkout) = checkout(&program, &SHOPS).await;
        let (_, page) = shopper.get(&checkout).await;
        assert!(
            page.contains("UPI, cards, net banking and wallets") && page.contains("value=\"razorpay\""),
            "{page}"
        );
        let policy = shopper.client.get(program.at(&checkout)).send().await.unwrap();
        let policy = policy.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains(&format!("form-action 'self' {}", razorpay.url)), "{policy}");

        let page = shopper.post(&checkout, &details("razorpay", "k")).await;
        let back = pay(&shopper, &page).await;
        assert!(back.contains("&razorpay_signature="), "{back}");
        // Without cookies, because the return is a redirect from another site.
        let purchase = come_back(&Shopper::new(&program), &back).await;
        let (status, thanks) = Shopper::new(&program).get(&purchase).await;
        assert_eq!(status, StatusCode::OK);
        assert!(
            thanks.contains("Paid through Razorpay") && thanks.contains(&format!("{}-3", number(&purchase))),
            "{thanks}"
        );
        razorpay.deliver().await;
        program.verify();
        let (links, payments) = (razorpay.objects("plink_"), razorpay.objects("pay_"));
        let [link] = &links[..] else { panic!("{links:?}") };
        assert_eq!((link["currency"].as_str(), link["status"].as_str()), (Some("INR"), Some("paid")));
        assert!(link["reference_id"].as_str().unwrap().starts_with("pay_"), "{link}");
        assert_eq!(payments[0]["amount"], link["amount"]);
        if on == On::Sqlite {
            let books = rusqlite::Connection::open(program.folder.join("haat.db")).unwrap();
            let fees = "SELECT SUM(fee_minor) FROM payments";
            let posted: i64 = books.query_row(fees, [], |row| row.get(0)).unwrap();
            assert_eq!(posted, total(&payments, "fee"));
        }
        // Once more, and from the back button.
        assert_eq!(come_back(&shopper, &back).await, purchase);
        assert_eq!(shopper.post(&checkout, &details("razorpay", "k")).await, purchase);
        assert_eq!((razorpay.objects("plink_").len(), razorpay.objects("pay_").len()), (1, 1));
        for (name, file) in kept(&program) {
            for secret in ["hush-hush", "webhook-now"] {
                assert!(!file.contains(secret), "{secret} in {name}");
            }
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_payment_and_a_detour() {
    for on in BOTH {
        let (program, razorpay) = market(on).await;
        let (shopper, checkout, page) = at_razorpay(&program, &SHOPS[..2]).await;
        let failed = shopper.try_post(&page, &[("answer", "failure")]).await.unwrap().text().await.unwrap();
        assert!(failed.contains("Your payment has failed."), "{failed}");
        razorpay.deliver().await;
        let (_, waiting) = shopper.get(&checkout).await;
        assert!(waiting.contains("You have a payment in progress.") && waiting.contains(&page), "{waiting}");
        // Paying again goes on with the same link, by another key too.
        assert_eq!(shopper.post(&checkout, &details("razorpay", "k2")).await, page);
        let purchase = come_back(&shopper, &pay(&shopper, &page).await).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        razorpay.deliver().await;
        assert_eq!(razorpay.objects("plink_").len(), 1);
        // A link that doesn't name its payment.
        razorpay.behave(Behaviour { hides_payments: true, ..Behaviour::default() });
        bought(&program, &razorpay, &SHOPS[..1]).await;
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_payment_is_paid_otherwise_and_refunded_if_it_is_paid_too() {
    for on in BOTH {
        let (program, razorpay) = market(on).await;
        let (shopper, checkout, page) = at_razorpay(&program, &SHOPS[..1]).await;
        let purchase = shopper.post(&checkout, &details("cash", "k2")).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        // In another tab, Razorpay's page is still open.
        let back = pay(&shopper, &page).await;
        razorpay.deliver().await;
        assert_eq!(come_back(&shopper, &back).await, purchase);
        until("refunded", async || razorpay.objects("rfnd_").len() == 1).await;
        assert_eq!(total(&razorpay.objects("rfnd_"), "amount"), total(&razorpay.objects("pay_"), "amount"));
        razorpay.deliver().await;

        // Nobody pays, and the link expires.
        let (shopper, checkout, _) = at_razorpay(&program, &SHOPS[1..2]).await;
        razorpay.expire();
        razorpay.deliver().await;
        let (_, page) = shopper.get(&checkout).await;
        assert!(page.contains("Your payment wasn’t completed and nothing was charged."), "{page}");
        let again = shopper.post(&checkout, &details("razorpay", "k2")).await;
        let purchase = come_back(&shopper, &pay(&shopper, &again).await).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_before_during_and_after_the_return_twice_in_any_order_and_never() {
    on_both(async |on| {
        let (program, razorpay) = market(on).await;
        // Before the return, and twice.
        let (shopper, checkout, page) = at_razorpay(&program, &SHOPS).await;
        let back = pay(&shopper, &page).await;
        let events = razorpay.take_events();
        for event in events.iter().chain(&events) {
            assert_eq!(razorpay.send(event).await, StatusCode::NO_CONTENT, "{event}");
        }
        razorpay.handled().await;
        assert!(shopper.get(&checkout).await.1.contains("You’ve already placed this order"));
        assert!(come_back(&shopper, &back).await.starts_with("/purchases/"));
        program.verify();
        // During the return, all at once.
        let (shopper, _, page) = at_razorpay(&program, &SHOPS).await;
        let back = pay(&shopper, &page).await;
        let events = razorpay.take_events();
        let sent = futures::future::join_all(events.iter().map(|event| razorpay.send(event)));
        let (sent, purchase) = tokio::join!(sent, come_back(&shopper, &back));
        assert!(sent.iter().all(|status| status.is_success()), "{sent:?}");
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        razorpay.handled().await;
        // After the return, the last one first, and long after.
        let (shopper, _, page) = at_razorpay(&program, &SHOPS).await;
        let back = pay(&shopper, &page).await;
        let purchase = come_back(&shopper, &back).await;
        for event in razorpay.take_events().iter().rev() {
            assert_eq!(razorpay.send(event).await, StatusCode::NO_CONTENT, "{event}");
        }
        razorpay.handled().await;
        assert_eq!(come_back(&shopper, &back).await, purchase);
        program.verify();
        // Never, and the shopper does not come back: reconciled.
        let (shopper, checkout, page) = at_razorpay(&program, &SHOPS).await;
        pay(&shopper, &page).await;
        razorpay.take_events();
        until_bought(&shopper, &checkout).await;
        assert_eq!(razorpay.objects("rfnd_").len(), 0);
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_whose_creation_got_no_response_is_found_again() {
    for on in BOTH {
        let (program, razorpay) = market(on).await;
        // One lost response is hidden by a retry, which finds the link by our reference.
        razorpay.fail(CREATE, Fault::Lost);
        let (shopper, _, page) = at_razorpay(&program, &SHOPS[..1]).await;
        assert!(come_back(&shopper, &pay(&shopper, &page).await).await.starts_with("/purchases/"));
        assert_eq!((razorpay.faults_left(), razorpay.objects("plink_").len()), (0, 1));
        // Errors are not: the shopper is told to try again, and gets the link that was made before.
        let (shopper, checkout) = checkout(&program, &SHOPS[..1]).await;
        razorpay.fail(CREATE, Fault::Lost);
        for status in [500, 429] {
            razorpay.fail(CREATE, Fault::Status(status));
        }
        let failed = location(&shopper.try_post(&checkout, &details("razorpay", "k")).await.unwrap());
        assert!(failed.starts_with(&checkout) && failed.contains("error="), "{failed}");
        assert_eq!((razorpay.faults_left(), razorpay.objects("plink_").len()), (0, 2));
        let page = shopper.post(&checkout, &details("razorpay", "k")).await;
        assert_eq!(razorpay.objects("plink_").len(), 2, "the same one");
        // They pass, too; here while the shopper comes back.
        let back = pay(&shopper, &page).await;
        for status in [500, 429] {
            razorpay.fail("GET /v1/payment_links/", Fault::Status(status));
        }
        assert!(come_back(&shopper, &back).await.starts_with("/purchases/"));
        razorpay.deliver().await;
        program.close();
    }
}

/// A request has a time limit, after which it is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_never_comes_is_not_waited_for() {
    let (program, razorpay) = market(On::Sqlite).await;
    razorpay.fail(CREATE, Fault::Silent);
    let begun = Instant::now();
    at_razorpay(&program, &SHOPS[..1]).await;
    assert!((8..30).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_amount_or_currency_buys_nothing_and_is_refunded() {
    for on in BOTH {
        let (program, razorpay) = market(on).await;
        let less = Behaviour { charges_less: true, ..Behaviour::default() };
        let dollars = Behaviour { charges_dollars: true, ..Behaviour::default() };
        for (behaviour, so_far) in [(less, 1), (dollars, 2)] {
            razorpay.behave(behaviour);
            let (shopper, checkout, page) = at_razorpay(&program, &SHOPS[..1]).await;
            let back = pay(&shopper, &page).await;
            assert_eq!(come_back(&shopper, &back).await, format!("{checkout}?error=checkout_ended"));
            until("refunded", async || razorpay.objects("rfnd_").len() == so_far).await;
            let (payments, refunds) = (razorpay.objects("pay_"), razorpay.objects("rfnd_"));
            for name in ["amount", "currency"] {
                assert_eq!(payments[so_far - 1][name], refunds[so_far - 1][name]);
            }
            razorpay.deliver().await;
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_in_part_and_in_whole() {
    for on in BOTH {
        let (program, razorpay) = market(on).await;
        let shopper = Shopper::new(&program);
        shopper.add(&shopper.variant("meena-crafts", 0).await, "2").await;
        let checkout = shopper.post("/checkout", &[]).await;
        let page = shopper.post(&checkout, &details("razorpay", "k")).await;
        let purchase = come_back(&shopper, &pay(&shopper, &page).await).await;
        razorpay.deliver().await;
        let paid = total(&razorpay.objects("pay_"), "amount");

        // One of two, whose response is lost more often than the request is repeated: refunded once.
        meena(&program, &purchase, "/confirm", Some(json!({}))).await;
        for _ in 0..3 {
            razorpay.fail("POST /v1/payments/", Fault::Lost);
        }
        let seen = meena(&program, &purchase, "", None).await;
        let position = &seen["order"]["order"]["lines"][0]["position"];
        let lines = json!([{"position": position, "quantity": 1}]);
        meena(&program, &purchase, "/refunds", Some(json!({"lines": lines, "reason": "Chipped"}))).await;
        until("one refund", async || refunds(&program, &purchase).await.iter().all(|(_, done)| *done)).await;
        let [(part, true)] = refunds(&program, &purchase).await[..] else { panic!() };
        assert!(part > 0 && part < paid, "{part} of {paid}");
        assert_eq!((razorpay.faults_left(), total(&razorpay.objects("rfnd_"), "amount")), (0, part));
        razorpay.deliver().await;
        program.verify();
        // The rest.
        meena(&program, &purchase, "/cancel", Some(json!({"reason": "Broken"}))).await;
        until("two refunds", async || {
            let all = refunds(&program, &purchase).await;
            all.len() == 2 && all.iter().all(|(_, done)| *done)
        })
        .await;
        assert_eq!(total(&razorpay.objects("rfnd_"), "amount"), paid);
        razorpay.deliver().await;
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_end_later_and_fail_later() {
    for on in BOTH {
        let (program, razorpay) = market(on).await;
        razorpay.behave(Behaviour { refunds_later: true, ..Behaviour::default() });
        let (shopper, purchase) = bought(&program, &razorpay, &SHOPS[..1]).await;
        cancel(&shopper, &purchase, 1).await;
        until("requested", async || razorpay.objects("rfnd_").len() == 1).await;
        razorpay.deliver().await;
        assert!(matches!(refunds(&program, &purchase).await[..], [(_, false)]), "pending");
        program.verify();
        razorpay.end_refunds(true);
        razorpay.deliver().await;
        assert!(matches!(refunds(&program, &purchase).await[..], [(_, true)]), "done");
        program.verify();

        // The bank account is closed: an admin has to look at it.
        let (shopper, purchase) = bought(&program, &razorpay, &SHOPS[..1]).await;
        cancel(&shopper, &purchase, 1).await;
        until("requested", async || razorpay.objects("rfnd_").len() == 2).await;
        razorpay.deliver().await;
        let failed = razorpay.objects("rfnd_")[1]["id"].as_str().unwrap().to_owned();
        let asked = format!("GET /v1/refunds/{failed}");
        let before = razorpay.requests(&asked);
        razorpay.end_refunds(false);
        razorpay.deliver().await;
        // The webhook asks for it, and then the job.
        until("asked again", async || razorpay.requests(&asked) >= before + 2).await;
        assert!(matches!(refunds(&program, &purchase).await[..], [(_, false)]), "still owed");
        assert_eq!(razorpay.objects("rfnd_").len(), 2, "asked about, and not made again");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_webhooks_and_returns_are_refused_and_secrets_are_rotated() {
    for on in BOTH {
        let (mut program, razorpay) = market(on).await;
        let (shopper, checkout, page) = at_razorpay(&program, &SHOPS[..1]).await;
        let back = pay(&shopper, &page).await;
        // A return that Razorpay didn't sign, and one of another payment.
        let (_, _, other) = at_razorpay(&program, &SHOPS[1..2]).await;
        let other = pay(&shopper, &other).await;
        let (ours, theirs) =
            (back.split_once("&razorpay_").unwrap(), other.split_once("&razorpay_").unwrap());
        for forged in [
            back.replace("status=paid", "status=partially_paid"),
            format!("{}0", back.trim_end_matches(|c: char| c.is_ascii_hexdigit())),
            format!("{}&razorpay_{}", ours.0, theirs.1),
        ] {
            let response = shopper.client.get(&forged).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{forged}");
        }
        assert!(!shopper.get(&checkout).await.1.contains("You’ve already placed this order"));

        let events = razorpay.take_events();
        let event = events.iter().find(|event| event["event"] == "payment_link.paid").unwrap();
        for secret in ["forged", ""] {
            assert_eq!(razorpay.send_old(event, 0, secret).await, StatusCode::FORBIDDEN, "{secret}");
        }
        let mut old = event.clone();
        old["created_at"] = json!(event["created_at"].as_i64().unwrap() - 100_000);
        assert_eq!(razorpay.send(&old).await, StatusCode::FORBIDDEN);
        // An event that names a link of nobody changes nothing.
        let mut stranger = event.clone();
        stranger["payload"]["payment_link"]["entity"]["id"] = json!("plink_nobody");
        assert_eq!(razorpay.send(&stranger).await, StatusCode::NO_CONTENT);
        razorpay.handled().await;
        assert!(!shopper.get(&checkout).await.1.contains("You’ve already placed this order"));
        // Something is new at Razorpay that the market does not know.
        let mut new = event.clone();
        new["event"] = json!("teleport.arrived");
        assert_eq!(razorpay.send(&new).await, StatusCode::NO_CONTENT);
        // Repeated hours later.
        old["created_at"] = json!(event["created_at"].as_i64().unwrap() - 80_000);
        assert_eq!(razorpay.send(&old).await, StatusCode::NO_CONTENT);
        until_bought(&shopper, &checkout).await;
        assert!(come_back(&shopper, &back).await.starts_with("/purchases/"));
        let dispute = razorpay.dispute();
        razorpay.deliver().await;
        program.verify();
        razorpay.decide(&dispute, false);
        razorpay.deliver().await;
        program.verify();
        razorpay.settle(10_000);
        razorpay.deliver().await;
        program.verify();
        until("logged", async || program.log().contains("disputed")).await;

        // Rotation: the market knows both, then Razorpay signs with the new one.
        program.kill();
        program.set("HAAT__PAYMENTS__RAZORPAY_WEBHOOK_SECRETS", "webhook-now webhook-next");
        program.start().await;
        for secret in ["webhook-now", "webhook-next"] {
            razorpay.sign_with(secret);
            bought(&program, &razorpay, &SHOPS[..1]).await;
        }
        razorpay.sign_with("webhook-before");
        assert_eq!(razorpay.send(event).await, StatusCode::FORBIDDEN);
        program.close();
    }
}

/// An admin follows up a payment.
async fn follow_up(program: &mut Program, payment: &str, action: &str) {
    program.set("HAAT_ADMIN_PASSWORD", "market-day-2026");
    program.run_ok(&["admin", "create", "--email", "olga@haat.example", "--name", "Olga"]);
    let admin = Shopper::new(program);
    admin.post("/sign-in", &[("email", "olga@haat.example"), ("password", "market-day-2026")]).await;
    let page = format!("/admin/payments/{payment}");
    let done = admin.post(&page, &[("action", action)]).await;
    assert_eq!(done, format!("{page}?done={action}"));
}

/// Answers in Razorpay's window as a shopper does. Returns what its script tells the page.
async fn in_window(razorpay: &Razorpay, next: &Value, answer: &str) -> Value {
    let parameter = |name: &str| next["parameters"][name].as_str().unwrap();
    let mut form: Vec<_> =
        ["key", "order_id", "amount", "currency"].map(|name| (name, parameter(name))).into();
    form.push(("answer", answer));
    let at = format!("{}/window/pay", razorpay.url);
    reqwest::Client::new().post(at).form(&form).send().await.unwrap().json().await.unwrap()
}

/// Where our script sends the shopper after that.
fn signed(next: &Value, told: &Value) -> String {
    let added = told["paid"].as_object().unwrap().iter();
    added
        .fold(back(next).to_owned(), |url, (name, value)| format!("{url}&{name}={}", value.as_str().unwrap()))
}

fn order(next: &Value) -> &str {
    next["parameters"]["order_id"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_paid_after_a_failure_and_refunded() {
    for on in BOTH {
        let (program, razorpay) = market(on).await;
        let (shopper, checkout) = checkout(&program, &SHOPS).await;
        let (_, page) = shopper.get(&checkout).await;
        assert!(page.contains(&format!("data-script=\"{}/v1/checkout.js\"", razorpay.url)), "{page}");
        let policy = async |path: &str| {
            let page = shopper.client.get(program.at(path)).send().await.unwrap();
            let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
            (header("content-security-policy"), header("cross-origin-opener-policy"))
        };
        let ((here, popups), (elsewhere, none)) = (policy(&checkout).await, policy("/cart").await);
        assert_eq!((&*popups, &*none), ("same-origin-allow-popups", "same-origin"));
        for part in
            [format!("'wasm-unsafe-eval' {};", razorpay.url), format!("frame-src 'self' {};", razorpay.url)]
        {
            assert!(here.contains(&part) && !elsewhere.contains(&part), "{here} {elsewhere}");
        }
        assert!(here.contains("style-src 'self'; style-src-attr 'unsafe-inline';"), "{here}");
        assert!(!elsewhere.contains("unsafe-inline"), "{elsewhere}");

        let next = pay_on_page(&shopper, &checkout, "razorpay", "k").await;
        assert_eq!((&next["type"], &next["gateway"]), (&json!("widget"), &json!("razorpay")));
        assert_eq!(pay_on_page(&shopper, &checkout, "razorpay", "k").await, next, "the same click");
        let orders = razorpay.objects("order_");
        let [made] = &orders[..] else { panic!("{orders:?}") };
        for name in ["amount", "currency"] {
            assert_eq!(next["parameters"][name].as_str().unwrap(), made[name].to_string().trim_matches('"'));
        }
        assert_eq!(next["parameters"]["key"], "rzp_test_fake");
        assert_eq!(made["receipt"], made["notes"]["haat_on_page"]);
        let failed = in_window(&razorpay, &next, "failure").await;
        assert_eq!(failed["error"]["description"], "Your payment was declined by the bank.");
        razorpay.deliver().await;
        // The shopper closes the window and comes back, or pays in another tab: the same order.
        assert!(shopper.get(&checkout).await.1.contains("You have a payment in progress."));
        assert_eq!(come_back(&shopper, back(&next)).await, checkout, "nothing is paid yet");
        let again = pay_on_page(&shopper, &checkout, "razorpay", "k2").await;
        assert_eq!((order(&again), razorpay.objects("order_").len()), (order(&next), 1));
        // An amount that the browser changed.
        let mut less = again.clone();
        less["parameters"]["amount"] = json!("100");
        assert!(in_window(&razorpay, &less, "success").await["error"].is_object());

        let told = in_window(&razorpay, &again, "success").await;
        let returned = signed(&again, &told);
        let purchase = come_back(&Shopper::new(&program), &returned).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        razorpay.deliver().await;
        assert!(Shopper::new(&program).get(&purchase).await.1.contains("Paid through Razorpay"));
        assert_eq!(pay_on_page(&shopper, &checkout, "razorpay", "k3").await["type"], "done");
        assert_eq!(come_back(&shopper, &returned).await, purchase);
        assert_eq!(razorpay.objects("plink_").len(), 0);
        cancel(&shopper, &purchase, 1).await;
        until("refunded", async || razorpay.objects("rfnd_").len() == 1).await;
        razorpay.deliver().await;
        // Disputes name the payment, and it names the order.
        razorpay.take_events();
        bought(&program, &razorpay, &SHOPS[..1]).await;
        let (shopper, checkout) = crate::paying::checkout(&program, &SHOPS[..1]).await;
        let next = pay_on_page(&shopper, &checkout, "razorpay", "k").await;
        come_back(&shopper, &signed(&next, &in_window(&razorpay, &next, "success").await)).await;
        razorpay.deliver().await;
        let dispute = razorpay.dispute();
        razorpay.deliver().await;
        razorpay.decide(&dispute, false);
        razorpay.deliver().await;
        if on == On::Sqlite {
            let books = rusqlite::Connection::open(program.folder.join("haat.db")).unwrap();
            let disputed = "SELECT gateway_ref FROM payments WHERE disputed_minor > 0";
            let disputed: String = books.query_row(disputed, [], |row| row.get(0)).unwrap();
            assert_eq!(disputed, order(&next));
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_whose_page_is_gone_is_paid_once() {
    on_both(async |on| {
        let (program, razorpay) = market(on).await;
        // The shopper pays and closes the tab: the webhooks make the purchase, in any order and repeatedly.
        for events in
            [&["order.paid", "order.paid"][..], &["payment.captured"], &["order.paid", "payment.captured"]]
        {
            let (shopper, checkout) = checkout(&program, &SHOPS[..1]).await;
            let next = pay_on_page(&shopper, &checkout, "razorpay", "k").await;
            in_window(&razorpay, &next, "success").await;
            let told = razorpay.take_events();
            for kind in events {
                let mut event = told.iter().find(|event| event["event"] == *kind).unwrap().clone();
                if *kind == "payment.captured" {
                    // As the window passes them on.
                    event["payload"]["payment"]["entity"]["notes"] = json!({"haat_on_page": "ours"});
                }
                assert_eq!(razorpay.send(&event).await, StatusCode::NO_CONTENT, "{event}");
            }
            razorpay.handled().await;
            assert!(
                shopper.get(&checkout).await.1.contains("You’ve already placed this order"),
                "{events:?}"
            );
        }
        program.verify();
        // Or reconciliation does.
        let (shopper, checkout_path) = checkout(&program, &SHOPS[..1]).await;
        let next = pay_on_page(&shopper, &checkout_path, "razorpay", "k").await;
        in_window(&razorpay, &next, "success").await;
        razorpay.take_events();
        until_bought(&shopper, &checkout_path).await;
        // Clicks in two tabs at once open the window for the same order.
        let (shopper, checkout_path) = checkout(&program, &SHOPS[..1]).await;
        let clicks = ["a", "b", "c", "d"].map(|key| pay_on_page(&shopper, &checkout_path, "razorpay", key));
        let clicked = futures::future::join_all(clicks).await;
        let opened: Vec<&str> = clicked.iter().filter(|next| next["type"] == "widget").map(order).collect();
        assert!(!opened.is_empty() && opened.iter().all(|id| *id == opened[0]), "{clicked:?}");
        // One whose creation got no response was shown to nobody.
        let (shopper, checkout_path) = checkout(&program, &SHOPS[..1]).await;
        let made = razorpay.objects("order_").len();
        razorpay.fail("POST /v1/orders", Fault::Lost);
        let next = pay_on_page(&shopper, &checkout_path, "razorpay", "k").await;
        assert_eq!((razorpay.faults_left(), razorpay.objects("order_").len()), (0, made + 2));
        // Without JavaScript, or if Razorpay's script is blocked, it continues on the page of a link; what is paid in the
        // window, too, is refunded.
        let page = shopper.post(&checkout_path, &details("razorpay", "k2")).await;
        assert!(page.contains("/i/plink_"), "{page}");
        let purchase = come_back(&shopper, &pay(&shopper, &page).await).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        let told = in_window(&razorpay, &next, "success").await;
        assert_eq!(come_back(&shopper, &signed(&next, &told)).await, purchase);
        razorpay.deliver().await;
        until("refunded", async || razorpay.objects("rfnd_").len() == 1).await;
        razorpay.deliver().await;
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_of_other_orders_and_other_amounts_buy_nothing() {
    for on in BOTH {
        let (program, razorpay) = market(on).await;
        let (shopper, checkout_path) = checkout(&program, &SHOPS[..1]).await;
        let next = pay_on_page(&shopper, &checkout_path, "razorpay", "k").await;
        let (stranger, their_checkout) = checkout(&program, &SHOPS[1..2]).await;
        let theirs = pay_on_page(&stranger, &their_checkout, "razorpay", "k").await;
        let told = in_window(&razorpay, &theirs, "success").await;
        // Paid by somebody else, and then with our order's ID.
        let mut with_ours = told.clone();
        with_ours["paid"]["razorpay_order_id"] = json!(order(&next));
        let mut unsigned = with_ours.clone();
        unsigned["paid"]["razorpay_signature"] = json!("");
        for forged in [&told, &with_ours, &unsigned] {
            let response = shopper.client.get(signed(&next, forged)).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{forged}");
        }
        assert!(!shopper.get(&checkout_path).await.1.contains("You’ve already placed this order"));
        assert!(come_back(&stranger, &signed(&theirs, &told)).await.starts_with("/purchases/"));
        // Razorpay charges another amount or currency than was asked for.
        let less = Behaviour { charges_less: true, ..Behaviour::default() };
        let dollars = Behaviour { charges_dollars: true, ..Behaviour::default() };
        for (behaviour, so_far) in [(less, 1), (dollars, 2)] {
            razorpay.behave(behaviour);
            let (shopper, checkout_path) = checkout(&program, &SHOPS[..1]).await;
            let next = pay_on_page(&shopper, &checkout_path, "razorpay", "k").await;
            let told = in_window(&razorpay, &next, "success").await;
            let at = come_back(&shopper, &signed(&next, &told)).await;
            assert_eq!(at, format!("{checkout_path}?error=checkout_ended"));
            until("refunded", async || razorpay.objects("rfnd_").len() == so_far).await;
            razorpay.deliver().await;
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_cancels_a_window_and_a_late_payment_in_it_is_refunded() {
    for on in BOTH {
        let (mut program, razorpay) = market(on).await;
        let (shopper, checkout_path) = checkout(&program, &SHOPS[..1]).await;
        let next = pay_on_page(&shopper, &checkout_path, "razorpay", "k").await;
        let payment = razorpay.objects("order_")[0]["receipt"].as_str().unwrap().to_owned();
        follow_up(&mut program, &payment, "cancel").await;
        let (_, page) = shopper.get(&checkout_path).await;
        assert!(page.contains("Your payment wasn’t completed and nothing was charged."), "{page}");
        let purchase = shopper.post(&checkout_path, &details("cash", "k2")).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        // The window is still open.
        in_window(&razorpay, &next, "success").await;
        razorpay.deliver().await;
        until("refunded", async || razorpay.objects("rfnd_").len() == 1).await;
        razorpay.deliver().await;
        program.verify();
        // Nobody pays for long: the checkout can be paid again.
        let (shopper, checkout_path) = checkout(&program, &SHOPS[1..2]).await;
        let next = pay_on_page(&shopper, &checkout_path, "razorpay", "k").await;
        razorpay.age(4_600);
        let at = come_back(&shopper, back(&next)).await;
        assert_eq!(at, format!("{checkout_path}?error=payment_cancelled"));
        let again = pay_on_page(&shopper, &checkout_path, "razorpay", "k2").await;
        assert_ne!(order(&again), order(&next));
        let told = in_window(&razorpay, &again, "success").await;
        assert!(come_back(&shopper, &signed(&again, &told)).await.starts_with("/purchases/"));
        razorpay.deliver().await;
        program.close();
    }
}
