//! Carts and checkouts over REST: buying once, keys of repeated requests, addresses.

use std::process::Command;

use serde_json::{Value, json};

use super::{Robot, input, product};
use crate::program::*;

#[tokio::test(flavor = "multi_thread")]
async fn five_calls_buy_once() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let listed = guest.get("/products?shop=meena-crafts&limit=2").await.is(200);
        assert_eq!(listed.body["items"].as_array().unwrap().len(), 2);
        assert_eq!(listed.body["items"][0]["price"]["currency"], "INR");
        let (slug, variant) = (listed.text("/items/0/slug"), listed.text("/items/0/variant_id"));
        let available = async || {
            let view = guest.get(&format!("/products/{slug}")).await.is(200).body;
            let variants = view["variants"].as_array().unwrap().clone();
            variants.into_iter().find(|v| v["id"] == variant.as_str()).unwrap()["available"].as_i64().unwrap()
        };
        let before = available().await;

        let opened = guest.post("/carts", json!({})).await.is(201);
        let (cart, token) = (opened.text("/id"), opened.text("/token"));
        let holder = guest.with("haat-cart", &token);
        let line = json!({"variant_id": variant, "quantity": 2});
        let view = holder.post(&format!("/carts/{cart}/lines"), line.clone()).await.is(201);
        assert_eq!((view.body["id"].as_str(), &view.body["item_count"]), (Some(cart.as_str()), &json!(2)));
        // Without the token there is no such cart.
        guest.get(&format!("/carts/{cart}")).await.refuses(404, "not_found");
        guest.post(&format!("/carts/{cart}/lines"), line).await.refuses(404, "not_found");
        guest.once("/checkouts", input(&cart)).await.refuses(404, "not_found");

        let begin = holder.with("idempotency-key", "begin");
        let begun = begin.post("/checkouts", input(&cart)).await.is(201);
        let again = begin.post("/checkouts", input(&cart)).await.is(201);
        assert_eq!(begun.body, again.body, "the same key, the same answer");
        let mut other = input(&cart);
        other["email"] = json!("other@example.com");
        begin.post("/checkouts", other).await.refuses(409, "key_reused");
        assert_eq!(available().await, before - 2, "held once");

        let (checkout, total) = (begun.text("/id"), begun.body["totals"]["total"].clone());
        let address = format!("/checkouts/{checkout}/pay");
        guest.once(&address, json!({})).await.refuses(404, "not_found");
        // A key that lost one of its quotation marks is not another key.
        let half = holder.with("idempotency-key", "pay\"").post(&address, json!({})).await;
        let half = half.refuses(400, "idempotency_key_missing");
        assert!(half.text("/detail").contains("without quotation marks or with one at each end"), "{half:?}");
        let cheaper = json!({"total": {"amount": 1, "currency": "INR"}});
        let changed = holder.once(&address, cheaper).await.refuses(409, "total_changed");
        assert_eq!((&changed.body["total"], &changed.body["quote_version"]), (&total, &json!(1)));
        let later = json!({"total": total, "quote_version": 2});
        holder.once(&address, later).await.refuses(409, "total_changed");
        let pay = holder.with("idempotency-key", "pay");
        let confirmation = json!({"total": total, "quote_version": begun.body["quote_version"]});
        // A click, and an impatient one at the same time.
        let (first, second) =
            tokio::join!(pay.post(&address, confirmation.clone()), pay.post(&address, confirmation.clone()));
        let (first, second) = (first.is(200), second.is(200));
        assert_eq!(first.body, second.body);
        assert_eq!((first.text("/type").as_str(), &first.body["purchase"]["total"]), ("done", &total));
        let totals = |of: &Value| {
            let fields = ["subtotal", "discount", "shipping", "tax", "total"];
            fields.map(|field| of[field]["amount"].as_i64().unwrap())
        };
        let (cart_view, purchase) = (&view.body, &first.body["purchase"]);
        for shown in [cart_view, &cart_view["groups"][0], purchase, &purchase["orders"][0]] {
            assert_eq!(totals(shown), totals(&begun.body["totals"]), "{shown}");
        }
        assert_eq!(pay.post(&address, confirmation).await.is(200).body, first.body);
        pay.post(&address, json!({})).await.refuses(409, "key_reused");

        let number = first.text("/purchase/number");
        let kept = holder.get(&format!("/purchases/{number}")).await.is(200);
        assert_eq!(kept.body, first.body["purchase"]);
        guest.get(&format!("/purchases/{number}")).await.refuses(404, "not_found");
        guest.get(&format!("/purchases/{number}?key={}", first.text("/key"))).await.is(200);
        let done = holder.get(&format!("/checkouts/{checkout}")).await.is(200);
        assert_eq!((done.text("/status"), done.text("/purchase/number")), ("completed".into(), number));
        assert_eq!(holder.get(&format!("/carts/{cart}")).await.is(200).body["item_count"], 0);
        assert_eq!(available().await, before - 2, "sold once");
        program.close();
    }
}

/// Whoever pays hangs up while the gateway takes its time; asked again, the market answers with what came of that try.
#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_while_paying_loses_no_response() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.set("HAAT__PAYMENTS__SANDBOX_DELAY_MS", "1500");
        program.start().await;
        // On a busy machine, the gateway may be done before anyone could hang up; then again.
        let (holder, paying, pay) = loop {
            let (holder, cart) = Robot::new(&program).fill_cart("meena-crafts").await;
            let mut input = input(&cart);
            input["payment_method"] = json!("sandbox");
            let checkout = holder.once("/checkouts", input).await.is(201).text("/id");
            let pay = format!("/checkouts/{checkout}/pay");
            let paying = holder.with("idempotency-key", "pay");
            let first = tokio::spawn({
                let (paying, pay) = (paying.clone(), pay.clone());
                async move { paying.post(&pay, json!({})).await }
            });
            let view = format!("/checkouts/{checkout}");
            while !first.is_finished() && holder.get(&view).await.is(200).body["payment"] != "under_way" {}
            // The connection goes with it.
            first.abort();
            if first.await.is_err_and(|error| error.is_cancelled()) {
                break (holder, paying, pay);
            }
        };
        let begun = std::time::Instant::now();
        let again = paying.post(&pay, json!({})).await.is(200);
        assert!(begun.elapsed().as_secs() < 29, "it waits for the try, not for the lease of the key");
        let page = again.text("/url");
        let shopper = Shopper::new(&program);
        let back = shopper.post(&page, &[("card", "4242 4242 4242 4242")]).await;
        let purchase = location(&shopper.client.get(&back).send().await.unwrap());
        let number = purchase.strip_prefix("/purchases/").unwrap().split('?').next().unwrap().to_owned();
        // Late ones, with the same key and others, at once: the same purchase.
        let late = (0..8).map(|i| {
            let asks =
                if i % 2 == 0 { paying.clone() } else { holder.with("idempotency-key", format!("late-{i}")) };
            let pay = pay.clone();
            async move { (i, asks.post(&pay, json!({})).await.is(200)) }
        });
        for (i, answer) in futures::future::join_all(late).await {
            match i % 2 {
                0 => assert_eq!(answer.body, again.body, "the answer that there was"),
                _ => assert_eq!(answer.text("/purchase/number"), number),
            }
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_who_pay_at_once_get_one_purchase() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let (holder, cart) = Robot::new(&program).fill_cart("meena-crafts").await;
        let checkout = holder.once("/checkouts", input(&cart)).await.is(201).text("/id");
        let pay = format!("/checkouts/{checkout}/pay");
        let clicks = (0..32).map(|i| {
            let key = if i % 2 == 0 { "\"pay\"".to_owned() } else { format!("pay-{i}") };
            let (asks, pay) = (holder.with("idempotency-key", key), pay.clone());
            tokio::spawn(async move { asks.post(&pay, json!({})).await.is(200).text("/purchase/number") })
        });
        let mut numbers: Vec<String> =
            futures::future::join_all(clicks).await.into_iter().map(Result::unwrap).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), 1, "{numbers:?}");

        // The same by the plain form, as an impatient shopper without scripts sends it.
        let shopper = Shopper::new(&program);
        shopper.add(&shopper.variant("meena-crafts", 0).await, "1").await;
        let checkout = shopper.post("/checkout", &[]).await;
        let clicks = (0..8).map(|_| {
            let (shopper, checkout) = (shopper.clone(), checkout.clone());
            tokio::spawn(async move { shopper.post(&checkout, &details("cash", "k")).await })
        });
        let mut pages: Vec<String> =
            futures::future::join_all(clicks).await.into_iter().map(Result::unwrap).collect();
        pages.dedup();
        assert!(pages.len() == 1 && pages[0].starts_with("/purchases/"), "{pages:?}");
        program.close();
    }
}

/// Two baskets become one at sign-in; what was capped says so until it is changed.
#[tokio::test(flavor = "multi_thread")]
async fn the_basket_says_what_was_capped_when_two_became_one() {
    let program = Program::serve(On::Sqlite).await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let mut many = product("Clay bead");
    many["variants"][0]["stock"] = json!(5_000);
    let made = meena.once("/shops/meena-crafts/products", many).await.is(201);
    meena
        .post(&format!("/shops/meena-crafts/products/{}/publish", made.text("/id")), json!({}))
        .await
        .is(204);
    let bead = made.text("/product/variants/0/id");
    let form =
        [("name", "Asha"), ("email", "asha@example.com"), ("password", "long enough"), ("next", "/cart")];
    let first = Shopper::new(&program);
    first.add(&bead, "998").await;
    first.post("/sign-up", &form).await;
    let shopper = Shopper::new(&program);
    shopper.add(&bead, "2").await;
    let notice = "We combined your baskets. You can order up to 999 of this item.";
    assert!(!shopper.get("/cart").await.1.contains(notice));
    assert_eq!(shopper.post("/sign-in", &form).await, "/cart");
    let (_, cart) = shopper.get("/cart").await;
    assert!(cart.contains(notice) && cart.contains("value=\"999\""), "{cart}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sold_out_is_not_counted_in_the_basket() {
    let program = Program::serve(On::Sqlite).await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let product = meena.once("/shops/meena-crafts/products", product("Clay jug")).await.is(201);
    meena
        .post(&format!("/shops/meena-crafts/products/{}/publish", product.text("/id")), json!({}))
        .await
        .is(204);
    let jug = product.text("/product/variants/0/id");
    let shopper = Shopper::new(&program);
    shopper.add(&jug, "2").await;
    shopper.add(&shopper.variant("delta-electronics", 0).await, "1").await;
    let count = |page: &str| {
        let badge = page.split("cart-count").nth(1).unwrap().split('>').nth(1).unwrap();
        badge.split('<').next().unwrap().to_owned()
    };
    let (_, page) = shopper.get("/cart").await;
    assert!(
        count(&page) == "3" && page.contains("₹1,298.00") && !page.contains("included in the total"),
        "{page}"
    );
    let stock = format!("/shops/meena-crafts/variants/{jug}/stock");
    meena.once(&stock, json!({"change": -5})).await.is(204);
    let (_, page) = shopper.get("/cart").await;
    assert!(page.contains("1 unavailable item isn’t included in the total."), "{page}");
    assert!(count(&page) == "1" && !page.contains("₹1,298.00"), "{page}");
    program.close();
}

/// A key is for a request by what it says, and for lines too.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_good_for_what_a_request_says() {
    let program = Program::serve(On::Sqlite).await;
    let guest = Robot::new(&program);
    let (holder, cart) = guest.fill_cart("meena-crafts").await;
    let variant = guest.variant("meena-crafts").await;
    let lines = format!("/carts/{cart}/lines");
    let raw = async |key: &str, body: String| {
        let request = holder.with("idempotency-key", key).request("POST", &lines);
        holder.answer(request.header("content-type", "application/json").body(body), None).await
    };
    let first = raw("K1", format!(r#"{{"variant_id":"{variant}","quantity":2}}"#)).await.is(201);
    assert_eq!(first.body["item_count"], 3);
    for (key, body) in [
        ("K1", format!(r#"{{"variant_id":"{variant}","quantity":2}}"#)),
        ("K1", format!("{{\n  \"quantity\" : 2.0,\n  \"variant_id\" : \"{variant}\"\n}}")),
        ("\"K1\"", format!(r#"{{"quantity":2,"variant_id":"{variant}"}}"#)),
    ] {
        assert_eq!(raw(key, body).await.is(201).body, first.body);
    }
    let other =
        raw("K1", format!(r#"{{"variant_id":"{variant}","quantity":3}}"#)).await.refuses(409, "key_reused");
    assert!(
        other.text("/detail").contains("Idempotency-Key") && !other.text("/detail").contains("page"),
        "{other:?}"
    );
    for malformed in ["\"K1", "K 1"] {
        raw(malformed, format!(r#"{{"variant_id":"{variant}","quantity":2}}"#))
            .await
            .refuses(400, "idempotency_key_missing");
    }
    assert_eq!(holder.get(&format!("/carts/{cart}")).await.is(200).body["item_count"], 3);
    // Without a key each request counts.
    holder.post(&lines, json!({"variant_id": variant, "quantity": 1})).await.is(201);
    assert_eq!(holder.get(&format!("/carts/{cart}")).await.is(200).body["item_count"], 4);
    let document = guest.get(&program.at("/api/openapi.json")).await.is(200);
    let parameters = document.body.pointer("/paths/~1api~1v1~1carts~1{id}~1lines/post/parameters").unwrap();
    let key = parameters.as_array().unwrap().iter().find(|p| p["name"] == "Idempotency-Key").unwrap();
    assert_eq!(key["required"], false);
    program.close();
}

/// What the README tells, done by the README's own text.
#[tokio::test(flavor = "multi_thread")]
async fn the_readme_buys_with_curl_alone() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("SKIPPED: there is no curl on this machine");
        return;
    }
    let readme = include_str!("../../../../README.md");
    let script = readme.split("<!-- five calls -->\n```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(script.matches("curl -s").count(), 5);
    let program = Program::serve(On::Sqlite).await;
    let script = script.replace("http://localhost:3000", &program.at(""));
    let run = || {
        let output = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let said = run();
    assert!(said.contains(r#"{"type":"done","#) && said.contains(r#""number":"H"#), "{said}");
    program.close();
}

/// What was typed in the field, with the right verdict beside it, and then some.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_those_of_their_country() {
    let program = Program::serve(On::Sqlite).await;
    let (holder, cart) = Robot::new(&program).fill_cart("meena-crafts").await;
    let begin = async |address: Value| {
        let mut input = input(&cart);
        for (part, value) in address.as_object().unwrap() {
            input["address"][part] = value.clone();
        }
        holder.once("/checkouts", input).await
    };
    for (address, field, code) in [
        (json!({"country": "ZZ"}), "address.country", "not_a_choice"),
        (json!({"country": "EU"}), "address.country", "not_a_choice"),
        (json!({"postal_code": ""}), "address.postal_code", "missing"),
        (json!({"postal_code": "!!!!"}), "address.postal_code", "not_postal_code"),
        (json!({"country": "US", "postal_code": "94043"}), "address.region", "missing"),
        (json!({"country": "US", "postal_code": "94043", "region": "Goa"}), "address.region", "not_a_choice"),
        (json!({"phone": "call me"}), "address.phone", "not_phone"),
        (json!({"phone": "---"}), "address.phone", "not_phone"),
        (json!({"phone": "98450@12345"}), "address.phone", "bad_character"),
    ] {
        let refused = begin(address.clone()).await.refuses(422, "invalid");
        assert_eq!(
            (refused.text("/fields/0/field"), refused.text("/fields/0/code")),
            (field.into(), code.into())
        );
        assert_eq!(refused.body["fields"].as_array().unwrap().len(), 1, "{address}");
        if code == "bad_character" {
            assert!(refused.text("/fields/0/message").contains('@'), "{refused:?}");
        }
    }
    for (address, part, kept) in [
        (json!({"country": "in"}), "country", "IN"),
        (json!({"country": "UK", "postal_code": "ls11aa"}), "country", "GB"),
        (json!({"country": "UK", "postal_code": "ls11aa"}), "postal_code", "LS1 1AA"),
        (json!({"country": "XK", "postal_code": "10000"}), "country", "XK"),
        (json!({"country": "IE", "postal_code": ""}), "postal_code", ""),
        (json!({"country": "SG", "city": "", "postal_code": "238857"}), "city", ""),
        (json!({"region": "maharashtra"}), "region", "MH"),
        (json!({"region": "IN-MH"}), "region", "MH"),
        (json!({"country": "DE", "postal_code": "80331", "region": "Bayern"}), "region", "Bayern"),
        (json!({"phone": "९८४५०\u{a0}१२३४५"}), "phone", "98450 12345"),
        (json!({"phone": "(+44) 1234 2553-421 #8"}), "phone", "(+44) 1234 2553-421 #8"),
    ] {
        let begun = begin(address.clone()).await.is(201);
        assert_eq!(begun.text(&format!("/address/{part}")), kept, "{address}");
    }
    let (mut input, begun) =
        (input(&cart), begin(json!({"country": "UK", "postal_code": "ls11aa"})).await.is(201));
    input["email"] = "asha@bücher.example\u{200b}".into();
    input["address"] = begun.body["address"].clone();
    input.as_object_mut().unwrap().remove("cart_id");
    let checkout = format!("/checkouts/{}", begun.text("/id"));
    input["billing_address"] = json!({"name": "Rao GmbH", "line1": "Seestraße 1", "city": "Berlin", "postal_code": "1", "country": "de"});
    let refused = holder.send("PUT", &checkout, Some(input.clone())).await.refuses(422, "invalid");
    assert_eq!(refused.text("/fields/0/field"), "billing_address.postal_code");
    input["billing_address"]["postal_code"] = "10115".into();
    let saved = holder.send("PUT", &checkout, Some(input)).await.is(200);
    assert_eq!(saved.text("/email"), "asha@xn--bcher-kva.example");
    assert_eq!(saved.text("/billing_address/country"), "DE");
    let paid = holder.once(&format!("{checkout}/pay"), json!({})).await.is(200);
    assert_eq!(paid.text("/purchase/billing_address/name"), "Rao GmbH");
    assert_eq!(
        (paid.text("/purchase/address/country"), paid.text("/purchase/email")),
        ("GB".into(), "asha@xn--bcher-kva.example".into())
    );
    let bought = &paid.body["purchase"]["address"];
    assert_eq!(bought["formatted"].as_array().unwrap().last(), Some(&json!("LS1 1AA")), "{bought}");
    assert!(bought["phone_e164"].is_null() && bought["region_code"].is_null(), "{bought}");

    let india = holder.get("/countries/IN").await.is(200);
    assert_eq!((india.text("/region"), india.text("/postal_code")), ("optional".into(), "required".into()));
    let goa = json!({"code": "GA", "name": "Goa"});
    assert!(india.body["regions"].as_array().unwrap().contains(&goa), "{india:?}");
    let emirates = holder.get("/countries/AE").await.is(200);
    assert_eq!(emirates.text("/postal_code"), "absent");
    assert!(emirates.body["postal_code_example"].is_null(), "{emirates:?}");
    holder.get("/countries/ZZ").await.refuses(404, "not_found");
    program.close();
}

/// A market that also sells in yen and dinars: rates, a seller's own price, a purchase in yen.
#[tokio::test(flavor = "multi_thread")]
async fn shoppers_pay_in_another_currency() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.set("HAAT__MARKET__CURRENCIES", "JPY KWD");
        program.set("HAAT_ADMIN_PASSWORD", super::PASSWORD);
        program.run_ok(&["admin", "create", "--email", "boss@haat.example"]);
        program.run_ok(&["currency", "set-rate", "JPY", "2"]);
        assert!(!program.run(&["currency", "set-rate", "USD", "2"]).status.success());
        assert!(!program.run(&["currency", "set-rate", "JPY", "0"]).status.success());
        program.start().await;
        let guest = Robot::new(&program);
        let listed = guest.get("/currencies").await.is(200);
        let rate = |numerator, denominator| json!({"numerator": numerator, "denominator": denominator});
        let card =
            |currency: &str, rate| json!({"currency": currency, "rate": rate, "source": "", "stale": false});
        let items = json!([card("INR", rate(1, 1)), card("JPY", rate(2, 1)), card("KWD", Value::Null)]);
        let mut cards = listed.body["items"].clone();
        let since = cards.as_array_mut().unwrap().iter_mut();
        let since = since.map(|card| card.as_object_mut().unwrap().remove("since").unwrap().is_string());
        assert_eq!(since.collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(cards, items);

        let (holder, cart) = guest.fill_cart("meena-crafts").await;
        let view = holder.get(&format!("/carts/{cart}")).await.is(200);
        let line = &view.body["groups"][0]["lines"][0];
        let variant = line["variant_id"].as_str().unwrap().to_owned();
        let paise = |of: &Value| of["amount"].as_i64().unwrap();
        let (price, shipping) = (paise(&view.body["subtotal"]), paise(&view.body["shipping"]));
        let priced = |currency: &str| {
            let mut input = input(&cart);
            input["currency"] = json!(currency);
            input
        };
        for (code, fault) in [("USD", "not_a_choice"), ("KWD", "no_rate")] {
            let refused = holder.once("/checkouts", priced(code)).await.refuses(422, "invalid");
            assert_eq!(refused.body["fields"][0]["field"], "currency");
            assert_eq!(refused.body["fields"][0]["code"], fault);
        }
        let operator = guest.signed_in("boss@haat.example").await;
        let new = json!({"numerator": 9, "denominator": 5, "source": "The test bank"});
        operator.send("PUT", "/admin/currencies/JPY/rate", Some(new.clone())).await.is(204);
        operator.send("PUT", "/admin/currencies/INR/rate", Some(new.clone())).await.refuses(422, "invalid");
        operator.send("PUT", "/admin/currencies/yen/rate", Some(new)).await.refuses(404, "not_found");
        let begun = holder.once("/checkouts", priced("JPY")).await.is(201);
        // Paise to yen, rounded half up.
        let yen = |paise: i64| (paise * 9 / 5 + 50) / 100;
        assert_eq!(begun.body["rate"], rate(9, 5));
        let total = json!({"amount": yen(price) + yen(shipping), "currency": "JPY"});
        assert_eq!(begun.body["totals"]["total"], total);

        let meena = guest.signed_in("meena@haat.example").await;
        let prices = format!("/shops/meena-crafts/variants/{variant}/prices");
        meena.send("PUT", &format!("{prices}/JPY"), Some(json!({"amount": 900}))).await.is(204);
        meena.send("PUT", &format!("{prices}/USD"), Some(json!({"amount": 9}))).await.refuses(422, "invalid");
        let (holder, cart) = guest.fill_cart("meena-crafts").await;
        let mut priced = input(&cart);
        priced["currency"] = json!("JPY");
        let begun = holder.once("/checkouts", priced).await.is(201);
        assert_eq!(begun.body["totals"]["subtotal"], json!({"amount": 900, "currency": "JPY"}));
        let paid = holder.once(&format!("/checkouts/{}/pay", begun.text("/id")), json!({})).await.is(200);
        assert_eq!(paid.body["purchase"]["total"], begun.body["totals"]["total"]);
        let balance = meena.get("/shops/meena-crafts/balance").await.is(200);
        let owed = json!({"amount": -90, "currency": "JPY"});
        assert_eq!(balance.body["other_currencies"][0]["pending"], owed, "10 % of ¥900");
        meena.send("PUT", &format!("{prices}/JPY"), Some(json!({"amount": null}))).await.is(204);
        program.close();
    }
}

/// What the demo's products, and imported ones with odd prices, cost at the checkout: alone, by three, and
/// together. All but the tax are the figures of before discounts, taxes by destination and other currencies existed; the tax
/// is that of the rates in `demo/taxes.txt`.
#[tokio::test(flavor = "multi_thread")]
async fn prices_stay_what_they_were() {
    let mut program = Program::prepare(On::Sqlite).await;
    let file = program.folder.join("odd.csv");
    let odd = [("odd-1", "11.95"), ("odd-2", "0.01"), ("odd-3", "10386.63")];
    let rows = odd.map(|(sku, price)| format!("{sku},Odd {sku},{price},9,published\n"));
    std::fs::write(&file, format!("sku,title,price,stock,state\n{}", rows.concat())).unwrap();
    program.run_ok(&["import", "products", file.to_str().unwrap(), "--shop", "delta-electronics"]);
    program.start().await;
    let guest = Robot::new(&program);
    let cost = async |items: &[(String, i64)]| {
        let opened = guest.post("/carts", json!({})).await.is(201);
        let (cart, holder) = (opened.text("/id"), guest.with("haat-cart", opened.text("/token")));
        for (variant, quantity) in items {
            let line = json!({"variant_id": variant, "quantity": quantity});
            let added = holder.post(&format!("/carts/{cart}/lines"), line).await;
            if added.status == 409 {
                return "out of stock".to_owned();
            }
            added.is(201);
        }
        let begun = holder.once("/checkouts", input(&cart)).await.is(201);
        let totals = ["subtotal", "discount", "shipping", "tax", "total"];
        let totals = totals.map(|part| begun.body["totals"][part]["amount"].to_string());
        let checkout = begun.text("/id");
        holder.once(&format!("/checkouts/{checkout}/pay"), json!({})).await.is(200);
        totals.map(|amount| format!("{amount:>9}")).concat()
    };
    let (mut rows, mut mixed) = (Vec::new(), Vec::new());
    for shop in [
        "meena-crafts",
        "delta-electronics",
        "malabar-pantry",
        "kalyani-handlooms",
        "nilgiri-books",
        "saathi-home",
    ] {
        let listed = guest.get(&format!("/products?shop={shop}&limit=100")).await.is(200);
        let mut products: Vec<(String, String)> = listed.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| {
                (item["title"].as_str().unwrap().to_owned(), item["variant_id"].as_str().unwrap().to_owned())
            })
            .collect();
        products.sort();
        mixed.push((products[0].1.clone(), 2));
        for (title, variant) in products {
            let (one, three) = (cost(&[(variant.clone(), 1)]).await, cost(&[(variant, 3)]).await);
            rows.push(format!("{shop:<18} {title:<44} {one} | {three}"));
        }
    }
    rows.push(format!("the first of each shop, two of each: {}", cost(&mixed).await));
    let head = "product, and for one | three: subtotal, discount, shipping, tax, total, in paise";
    insta::with_settings!({
        snapshot_path => std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("prices", format!("{head}\n{}", rows.join("\n")));
    });
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_chosen_and_held() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let meena = guest.signed_in("meena@haat.example").await;
        let path = "/shops/meena-crafts/shipping";
        let money = |amount: i64| json!({"amount": amount, "currency": "INR"});
        let read = meena.get(path).await.is(200);
        let mut shipping = read.body.clone();
        let in_slots = json!({"shipping_method": "slot", "price_by": "flat", "steps": [{"up_to": null, "price": money(2_900)}],
            "free_from": null, "days_min": 0, "days_max": 0});
        shipping["zones"][0]["methods"].as_array_mut().unwrap().push(in_slots);
        let pattern = |from: &str, to: &str| json!({"weekdays": [1, 2, 3, 4, 5, 6, 7], "from": from, "to": to, "orders": 1, "closes_hours": 2, "extra": money(3_000)});
        shipping["slots"] = json!([pattern("18:00", "20:00"), pattern("19:00", "21:00")]);
        let save = async |body: &Value| {
            meena.with("if-match", read.header("etag")).send("PUT", path, Some(body.clone())).await
        };
        let refused = save(&shipping).await.refuses(422, "invalid");
        assert_eq!(refused.text("/fields/0/field"), "slots.from");
        shipping["slots"] = json!([pattern("18:00", "25:00")]);
        assert_eq!(save(&shipping).await.refuses(422, "invalid").text("/fields/0/field"), "slots.0.to");
        shipping["slots"] = json!([pattern("18:00", "20:00")]);
        assert_eq!(save(&shipping).await.is(200).body["slots"], shipping["slots"]);

        let variant =
            guest.get("/products?shop=meena-crafts&limit=1").await.is(200).text("/items/0/variant_id");
        let begun = async || {
            let opened = guest.post("/carts", json!({})).await.is(201);
            let (cart, holder) = (opened.text("/id"), guest.with("haat-cart", opened.text("/token")));
            let line = json!({"variant_id": variant, "quantity": 1});
            holder.post(&format!("/carts/{cart}/lines"), line).await.is(201);
            let begun = holder.once("/checkouts", input(&cart)).await.is(201);
            (holder, format!("/checkouts/{}", begun.text("/id")), begun.body)
        };
        let (asha, checkout, view) = begun().await;
        let (shop, slot) = (&view["groups"][0]["shop_id"], &view["groups"][0]["slots"][6]);
        assert_eq!((&slot["state"], &slot["extra"]), (&json!("open"), &money(3_000)));
        let slot = slot["slot"].as_str().unwrap();
        assert!(slot.ends_with("T18:00/20:00"), "{slot}");
        let wanted = |slot: &str| {
            let mut wanted = input("");
            wanted.as_object_mut().unwrap().remove("cart_id");
            wanted["shipping_methods"] = json!({shop.as_str().unwrap(): "slot"});
            wanted["slots"] = json!({shop.as_str().unwrap(): slot});
            wanted
        };
        let wrong = asha.send("PUT", &checkout, Some(wanted("tomorrow"))).await.refuses(422, "invalid");
        assert_eq!(wrong.text("/fields/0/code"), "not_readable");
        let closed = asha.send("PUT", &checkout, Some(wanted("2026-01-01T18:00/20:00"))).await;
        let closed = closed.refuses(422, "invalid");
        let field = format!("slots.{}", shop.as_str().unwrap());
        assert_eq!(
            (closed.text("/fields/0/field"), closed.text("/fields/0/code")),
            (field, "slot_gone".into())
        );
        let chosen = asha.send("PUT", &checkout, Some(wanted(slot))).await.is(200).body;
        assert_eq!(
            (&chosen["groups"][0]["slot"], &chosen["totals"]["shipping"]),
            (&json!(slot), &money(5_900))
        );
        let (ben, theirs, full) = begun().await;
        assert_eq!(full["groups"][0]["slots"][6]["state"], "full");
        ben.send("PUT", &theirs, Some(wanted(slot))).await.refuses(422, "invalid");
        let confirmation =
            json!({"total": chosen["totals"]["total"], "quote_version": chosen["quote_version"]});
        let paid = asha.once(&format!("{checkout}/pay"), confirmation).await.is(200);
        assert_eq!(paid.body["purchase"]["orders"][0]["slot"], slot);
        let of_slot = meena.get(&format!("/shops/meena-crafts/orders?slot={slot}")).await.is(200).body;
        assert_eq!(of_slot["items"].as_array().unwrap().len(), 1);
        let other = meena.get("/shops/meena-crafts/orders?slot=2026-01-01T18:00/20:00").await.is(200).body;
        assert_eq!(other["items"], json!([]));
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gift_cards_pay_first_and_their_balance_is_read() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.set("HAAT_ADMIN_PASSWORD", super::PASSWORD);
        program.run_ok(&["admin", "create", "--email", "boss@haat.example"]);
        program.start().await;
        let guest = Robot::new(&program);
        let operator = guest.signed_in("boss@haat.example").await;
        let inr = |amount: i64| json!({"amount": amount, "currency": "INR"});
        let issue = async |amount: i64| {
            let new = json!({"amount": inr(amount), "reason": "A late parcel", "expires_on": "2199-12-31"});
            operator.post("/admin/gift-cards", new).await.is(201)
        };
        let past = json!({"amount": inr(1), "reason": "A late parcel", "expires_on": "2020-01-01"});
        let refused = operator.post("/admin/gift-cards", past).await.refuses(422, "invalid");
        assert_eq!(refused.body["fields"][0]["field"], "expires_on");
        let (small, large) = (issue(1_000).await, issue(9_000_000).await);
        let (small_code, large_code) = (small.text("/code"), large.text("/code"));
        let balance = async |code: &str| {
            let read = guest.post("/gift-cards/balance", json!({"code": code.to_lowercase()})).await.is(200);
            read.body["balance"]["amount"].as_i64().unwrap()
        };
        let unknown = json!({"code": "AAAA-AAAA-AAAA-AAAA"});
        guest.post("/gift-cards/balance", unknown).await.refuses(409, "gift_card_unknown");

        let (holder, cart) = guest.fill_cart("meena-crafts").await;
        let mut new = input(&cart);
        new["gift_cards"] = json!([small_code]);
        let begun = holder.once("/checkouts", new.clone()).await.is(201);
        let total = begun.body["totals"]["total"]["amount"].as_i64().unwrap();
        let checkout = format!("/checkouts/{}", begun.text("/id"));
        assert_eq!(begun.body["to_pay"], inr(total - 1_000));
        assert!(!begun.body["payment_methods"].as_array().unwrap().contains(&json!("cash")));
        let pay = format!("{checkout}/pay");
        holder.once(&pay, json!({})).await.refuses(409, "gift_card_with_cash");
        // Both cards, and then the other one alone.
        new.as_object_mut().unwrap().remove("cart_id");
        new["gift_cards"] = json!([small_code, large_code]);
        let seen = holder.send("PUT", &checkout, Some(new.clone())).await.is(200);
        assert_eq!(seen.body["to_pay"], inr(0));
        new["gift_cards"] = json!([large_code]);
        let seen = holder.send("PUT", &checkout, Some(new)).await.is(200);
        assert_eq!(seen.body["gift_cards"].as_array().unwrap().len(), 1);
        assert_eq!(seen.body["gift_cards"][0]["last4"], json!(large_code[large_code.len() - 4..]));
        assert_eq!((balance(&small_code).await, balance(&large_code).await), (1_000, 9_000_000));
        let paid = holder.once(&pay, json!({"quote_version": seen.body["quote_version"]})).await.is(200);
        assert_eq!(paid.body["purchase"]["payment_method"], "gift_card");
        assert_eq!(paid.body["purchase"]["gift_cards"][0]["amount"], inr(total));
        assert_eq!((balance(&small_code).await, balance(&large_code).await), (1_000, 9_000_000 - total));

        operator.post(&format!("/admin/gift-cards/{}/disable", small.text("/id")), json!({})).await.is(204);
        let listed = operator.get("/admin/gift-cards").await.is(200);
        assert_eq!(listed.body["items"][1]["disabled"], json!(true));
        assert!(!listed.body.to_string().contains(&small_code));
        let (holder, cart) = guest.fill_cart("meena-crafts").await;
        let mut new = input(&cart);
        new["gift_cards"] = json!([small_code]);
        holder.once("/checkouts", new).await.refuses(409, "gift_card_disabled");
        // Nobody selects them as a method.
        let mut new = input(&cart);
        new["payment_method"] = json!("gift_card");
        holder.once("/checkouts", new).await.refuses(422, "invalid");
        let ledger = program.run(&["ledger", "verify"]);
        assert!(ledger.status.success(), "{ledger:?}");
        program.close();
    }
}

#[tokio::test]
async fn gift_cards_are_bought_sent_and_refunded() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.set("HAAT__MARKET__GIFT_CARD_AMOUNTS", "500 1000");
        program.set("HAAT_ADMIN_PASSWORD", super::PASSWORD);
        program.run_ok(&["admin", "create", "--email", "boss@haat.example"]);
        program.start().await;
        let guest = Robot::new(&program);
        let operator = guest.signed_in("boss@haat.example").await;
        let (holder, cart) = guest.fill_cart("meena-crafts").await;
        let gifts = format!("/carts/{cart}/gift-cards");
        let new = |amount: i64, currency: &str| json!({"amount": {"amount": amount, "currency": currency}, "recipient_name": "Ravi", "recipient_email": "ravi@example.com"});
        for refused in [new(9_999, "INR"), new(50_000, "EUR")] {
            let refused = holder.post(&gifts, refused).await.refuses(422, "invalid");
            assert!(refused.body["fields"][0]["field"].as_str().unwrap().contains("amount"));
        }
        guest.post(&gifts, new(50_000, "INR")).await.refuses(404, "not_found");
        let filled = holder.post(&gifts, new(50_000, "INR")).await.is(201);
        assert_eq!(
            (filled.body["gifts"].as_array().unwrap().len(), filled.body["item_count"].as_i64()),
            (1, Some(2))
        );
        let gift = format!("{gifts}/{}", filled.text("/gifts/0/id"));
        holder.send("DELETE", &gift, None).await.is(200);
        holder.send("DELETE", &gift, None).await.refuses(404, "not_found");
        // Nothing but a gift card, which needs no address.
        let line = format!("/carts/{cart}/lines/{}", filled.text("/groups/0/lines/0/id"));
        holder.send("DELETE", &line, None).await.is(200);
        holder.post(&gifts, new(50_000, "INR")).await.is(201);
        let checkout = json!({"cart_id": cart, "email": "asha@example.com", "payment_method": "cash"});
        let begun = holder.once("/checkouts", checkout).await.is(201);
        let checkout = format!("/checkouts/{}", begun.text("/id"));
        assert_eq!(
            (begun.body["gifts"][0]["recipient_name"].as_str(), begun.body["to_pay"]["amount"].as_i64()),
            (Some("Ravi"), Some(50_000))
        );
        assert!(!begun.body["payment_methods"].as_array().unwrap().contains(&json!("cash")));
        holder.once(&format!("{checkout}/pay"), json!({})).await.refuses(409, "gift_card_bought_in_cash");
        let sandbox = json!({"email": "asha@example.com", "payment_method": "sandbox"});
        holder.send("PUT", &checkout, Some(sandbox)).await.is(200);
        let next = holder.once(&format!("{checkout}/pay"), json!({})).await.is(200);
        let shopper = Shopper::new(&program);
        let back = shopper.post(&next.text("/url"), &[("card", "4242 4242 4242 4242")]).await;
        shopper.client.get(&back).send().await.unwrap();
        let done = holder.get(&checkout).await.is(200);
        let number = done.text("/purchase/number");
        let bought = holder.get(&format!("/purchases/{number}")).await.is(200);
        assert_eq!(
            (bought.body["gifts"][0]["refunded"].as_bool(), bought.body["orders"].as_array().unwrap().len()),
            (Some(false), 0)
        );
        assert!(!bought.body["gifts"][0]["sent_at"].is_null());
        let id = bought.text("/gifts/0/id");
        // It was sent just now.
        let resend = format!("/purchases/{number}/gift-cards/{id}/resend");
        holder.post(&resend, json!({})).await.refuses(409, "gift_card_not_sent_again");
        guest.post(&resend, json!({})).await.refuses(404, "not_found");
        let listed = operator.get("/admin/gift-cards").await.is(200);
        assert_eq!(listed.body["items"][0]["purchase"].as_str(), Some(number.as_str()));
        let refund = format!("/admin/gift-cards/{id}/refund");
        operator.post(&refund, json!({})).await.is(204);
        operator.post(&refund, json!({})).await.refuses(409, "gift_card_not_refundable");
        assert_eq!(
            holder.get(&format!("/purchases/{number}")).await.is(200).body["gifts"][0]["refunded"],
            json!(true)
        );
        program.close();
    }
}
