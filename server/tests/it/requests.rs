//! A purchase over plain HTTP, and everything that can be wrong with a request.

use haat_shared::routes;
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::program::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_by_plain_forms() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let shopper = Shopper::new(&program);
        let bowl = shopper.variant("meena-crafts", 0).await;
        let lamp = shopper.variant("delta-electronics", 0).await;
        assert_eq!(shopper.add(&bowl, "2").await, "/cart");
        assert_eq!(shopper.add(&lamp, "1").await, "/cart");
        let (_, cart) = shopper.get("/cart").await;
        assert!(cart.contains("Meena Crafts") && cart.contains("Delta Electronics"));

        let checkout = shopper.post("/checkout", &[]).await;
        let page = shopper.post(&checkout, &details("sandbox", "k")).await;
        assert!(page.starts_with(&format!("http://127.0.0.1:{}/sandbox/pay/", program.port)), "{page}");
        // On a host name of its own, without the cookies of the market, and still in the language of the checkout.
        let hindi = Shopper::new(&program);
        hindi.add(&bowl, "1").await;
        let in_hindi = hindi.post("/checkout", &[]).await;
        let paid = hindi.client.post(program.at(&in_hindi)).form(&details("sandbox", "k"));
        let in_hindi = location(&paid.header("accept-language", "hi").send().await.unwrap());
        for (page, language, title) in [(&page, "en", "Sandbox payment"), (&in_hindi, "hi", "सैंडबॉक्स पेमेंट")]
        {
            let other = if language == "hi" { "en" } else { "hi" };
            let asked = Shopper::new(&program).client.get(page).header("accept-language", other);
            let shown = asked.send().await.unwrap().text().await.unwrap();
            assert!(
                shown.contains(&format!("<html lang=\"{language}\"")) && shown.contains(title),
                "{shown}"
            );
        }
        let challenge = shopper.try_post(&page, &[("card", "4000 0025 0000 3155")]).await.unwrap();
        assert!(challenge.text().await.unwrap().contains("Confirm it’s you"));
        let back = shopper.post(&page, &[("action", "confirm")]).await;
        let purchase = {
            // Without cookies, because the return is a redirect from another site.
            let stranger = Shopper::new(&program);
            let response = stranger.client.get(&back).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::SEE_OTHER);
            location(&response)
        };
        let (status, thanks) = Shopper::new(&program).get(&purchase).await;
        assert_eq!(status, StatusCode::OK);
        let number = purchase.strip_prefix("/purchases/").unwrap().split('?').next().unwrap();
        assert!(
            thanks.contains(&format!("{number}-1")) && thanks.contains(&format!("{number}-2")),
            "{thanks}"
        );
        assert!(thanks.contains("SKU MC-") && thanks.contains("SKU DE-"), "{thanks}");
        let (status, _) = Shopper::new(&program).get(&format!("/purchases/{number}?key=wrong")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);

        // Sellers see only their own lines, and get a 404 for others' orders.
        let seller = Shopper::new(&program);
        let credentials =
            [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
        assert_eq!(seller.post("/sign-in", &credentials).await, "/account");
        assert_eq!(seller.post("/sign-in", &credentials[..2]).await, "/seller/meena-crafts");
        let (_, orders) = seller.get("/seller/meena-crafts/orders").await;
        assert!(orders.contains(&format!("{number}-")), "{orders}");
        assert_eq!(seller.get("/seller/delta-electronics/orders").await.0, StatusCode::NOT_FOUND);
        let (status, page) = seller.get("/seller/meena-crafts/nowhere").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(
            page.contains("Page not found") && page.contains("\"/seller/meena-crafts/orders\""),
            "{page}"
        );
        let (status, page) = seller.get("/admin/nowhere").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(page.contains("Page not found") && !page.contains("\"/admin/users\""), "{page}");
        assert_eq!(shopper.get("/seller/meena-crafts/orders").await.0, StatusCode::UNAUTHORIZED);
        program.close();
    }
}

/// Without scripts, too: the button stores an incomplete form before it leads away.
#[tokio::test(flavor = "multi_thread")]
async fn signing_in_at_the_checkout_keeps_what_was_typed() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let shopper = Shopper::new(&program);
        let bowl = shopper.variant("meena-crafts", 0).await;
        shopper.add(&bowl, "1").await;
        let checkout = shopper.post("/checkout", &[]).await;
        let button = r#"name="action" value="sign_in""#;
        let (_, page) = shopper.get(&checkout).await;
        assert!(page.contains(button), "{page}");
        let mut form = details("cash", "k");
        (form[0], form[3]) = (("email", "not an address"), ("city", ""));
        form.push(("action", "sign_in"));
        let led = shopper.post(&checkout, &form).await;
        assert_eq!(led, routes::with("/sign-in", &[("next", &checkout)]));
        let (_, page) = shopper.get(&led).await;
        assert!(page.contains(&format!(r#"name="next" value="{checkout}""#)), "{page}");
        let credentials =
            [("email", "delta@haat.example"), ("password", "market-day-2026"), ("next", checkout.as_str())];
        assert_eq!(shopper.post("/sign-in", &credentials).await, checkout);
        let (_, page) = shopper.get(&checkout).await;
        assert!(page.contains("not an address") && page.contains("12 Lake Road"), "{page}");
        assert!(!page.contains(button), "{page}");
        // Nobody else's checkout is written to.
        let stranger = Shopper::new(&program);
        assert_eq!(stranger.try_post(&checkout, &form).await.unwrap().status(), StatusCode::NOT_FOUND);
        program.close();
    }
}

/// The value of the first field with this name on a page.
fn value_of(page: &str, name: &str) -> String {
    let behind = page
        .split(&format!("name=\"{name}\" value=\""))
        .nth(1)
        .unwrap_or_else(|| panic!("no {name}: {page}"));
    behind.split('"').next().unwrap().to_owned()
}

/// The dashboard's form for a part of an order: what is wrong is told at its line, with the input; then the
/// part is shipped, and both sides see what is in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_seller_ships_an_order_in_parts() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    shopper.add(&shopper.variant("meena-crafts", 0).await, "3").await;
    let checkout = shopper.post("/checkout", &[]).await;
    let purchase = shopper.post(&checkout, &details("cash", "k")).await;
    let number = purchase.strip_prefix("/purchases/").unwrap().split('?').next().unwrap();
    let seller = Shopper::new(&program);
    let credentials =
        [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
    seller.post("/sign-in", &credentials).await;
    let page = format!("/seller/meena-crafts/orders/{number}-1");
    assert_eq!(seller.post(&page, &[("action", "confirm")]).await, format!("{page}?done=confirm"));
    let (_, shown) = seller.get(&page).await;
    let line = shown.split("name=\"line.").nth(1).unwrap().split('"').next().unwrap();
    let line = format!("line.{line}");
    let part = async |quantity: &str, tracking: &str| {
        let form = [
            ("action", "ship_part"),
            (line.as_str(), quantity),
            ("carrier", "India Post"),
            ("tracking_number", tracking),
        ];
        seller.post(&page, &form).await
    };
    for (quantity, tracking, error) in [
        ("4", "RX-1", "4"),
        ("one", "RX-1", "one"),
        ("1", " ", "India Post"),
        ("", "RX-1", "Enter the quantity of at least one item"),
    ] {
        let back = part(quantity, tracking).await;
        assert!(back.starts_with(&format!("{page}?draft=")), "{back}");
        let (_, shown) = seller.get(&back).await;
        let form = shown.split("value=\"ship_part\"").nth(1).unwrap().split("</form>").next().unwrap();
        assert!(form.contains(error) && form.contains("alert"), "{quantity:?} {tracking:?}: {form}");
    }
    assert_eq!(part("1", "RX-1").await, format!("{page}?done=ship_part"));
    let (_, shown) = seller.get(&format!("{page}?done=ship_part")).await;
    assert!(shown.contains("Part of the order marked as shipped."), "{shown}");
    // The part has a slip of its own, without cash; that of the rest asks for all of it.
    let list = "/seller/meena-crafts/orders";
    let slip_link = shown.split(&format!("href=\"{page}/packing-slip?")).nth(1).expect("a slip of the part");
    let slip_link = format!("{page}/packing-slip?{}", slip_link.split('"').next().unwrap());
    let slips = async |path: &str| -> Vec<String> {
        let (_, slips) = seller.get(path).await;
        slips
            .split("<article")
            .skip(1)
            .map(|slip| slip.split("</article>").next().unwrap().to_owned())
            .collect()
    };
    let (of_part, of_rest) = (slips(&slip_link).await, slips(&format!("{page}/packing-slip")).await);
    assert!(of_part.len() == 1 && of_part[0].contains("No cash to collect with this part"), "{of_part:?}");
    assert!(of_part[0].contains("1 item<") && !of_part[0].contains("Collect on delivery"), "{of_part:?}");
    assert!(of_rest.len() == 1 && of_rest[0].contains("Collect on delivery"), "{of_rest:?}");
    assert!(of_rest[0].contains("2 items<") && of_rest[0].contains("don’t collect cash"), "{of_rest:?}");
    let (_, orders) = seller.get(&format!("{list}?state=partly_shipped")).await;
    let orders = orders.split("<tbody").nth(1).expect("a list");
    assert!(orders.contains(&format!("{number}-1")) && orders.contains("Partly shipped"), "{orders}");
    assert!(
        shown.contains("(of 2)") && shown.contains("RX-1") && !shown.contains("value=\"cancel\""),
        "{shown}"
    );
    assert_eq!(
        seller.post(&page, &[("action", "cancel"), ("reason", "No")]).await,
        format!("{page}?error=partly_shipped")
    );
    let (_, shown) = shopper.get(&purchase).await;
    assert!(shown.contains("1 × ") && shown.contains("RX-1"), "{shown}");
    let form = [("action", "ship"), ("carrier", "India Post"), ("tracking_number", "RX-2")];
    assert_eq!(seller.post(&page, &form).await, format!("{page}?done=ship"));
    let (_, shown) = shopper.get(&purchase).await;
    assert!(["2 × ", "RX-1", "RX-2"].iter().all(|words| shown.contains(words)), "{shown}");
    for path in [format!("{page}/packing-slip"), format!("/seller/meena-crafts/packing-slips?id={number}-1")]
    {
        let cash: Vec<_> =
            slips(&path).await.iter().map(|slip| slip.contains("Collect on delivery")).collect();
        assert_eq!(cash, [false, true], "only with the last parcel: {path}");
    }
    program.close();
}

/// The dashboard's forms: tracking can be corrected, and form input is never lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_seller_corrects_tracking_and_hears_who_cancelled() {
    let program = Program::serve(On::Sqlite).await;
    let buy = async || {
        let shopper = Shopper::new(&program);
        shopper.add(&shopper.variant("meena-crafts", 0).await, "1").await;
        let checkout = shopper.post("/checkout", &[]).await;
        let purchase = shopper.post(&checkout, &details("cash", "k")).await;
        format!("{}-1", purchase.strip_prefix("/purchases/").unwrap().split('?').next().unwrap())
    };
    let seller = Shopper::new(&program);
    let credentials =
        [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
    seller.post("/sign-in", &credentials).await;
    let page = format!("/seller/meena-crafts/orders/{}", buy().await);
    assert_eq!(seller.post(&page, &[("action", "confirm")]).await, format!("{page}?done=confirm"));
    let form = [("action", "ship"), ("carrier", "India Post"), ("tracking_number", "RX-1001")];
    let done = seller.post(&page, &form).await;
    assert_eq!(done, format!("{page}?done=ship"));
    let (_, shown) = seller.get(&done).await;
    assert!(shown.contains("Order marked as shipped."), "{shown}");
    let id = value_of(&shown, "shipment");
    for number in ["RX-1002", "RX-1002"] {
        let form =
            [("action", "track"), ("shipment", &id), ("carrier", "India Post"), ("tracking_number", number)];
        let done = seller.post(&page, &form).await;
        assert_eq!(done, format!("{page}?done=track"));
        assert!(seller.get(&done).await.1.contains("Tracking updated."));
    }
    let (_, shown) = seller.get(&page).await;
    let timeline = shown.split("id=\"history\"").nth(1).unwrap().split("</ol>").next().unwrap();
    assert_eq!(
        (timeline.matches("RX-1001").count(), timeline.matches("RX-1002").count()),
        (1, 1),
        "{timeline}"
    );
    // The form for another correction shows the current values, and keeps the input if it is rejected.
    assert!(shown.contains("value=\"RX-1002\""), "{shown}");
    let form = [("action", "track"), ("shipment", &id), ("carrier", "Speed Post"), ("tracking_number", " ")];
    let back = seller.post(&page, &form).await;
    assert!(back.starts_with(&format!("{page}?draft=")), "{back}");
    assert!(seller.get(&back).await.1.contains("value=\"Speed Post\""));
    assert_eq!(seller.post(&page, &[("action", "deliver")]).await, format!("{page}?done=deliver"));
    let (_, later) = seller.get(&format!("{page}?done=ship")).await;
    assert!(!later.contains("Order marked as shipped."), "it has moved on since: {later}");
    let late = [("action", "ship"), ("carrier", "India Post"), ("tracking_number", "RX-1003")];
    assert_eq!(seller.post(&page, &late).await, format!("{page}?error=order_moved"));

    let page = format!("/seller/meena-crafts/orders/{}", buy().await);
    for _ in 0..2 {
        let done = seller.post(&page, &[("action", "cancel"), ("reason", "The kiln broke")]).await;
        assert_eq!(done, format!("{page}?done=cancel"));
    }
    let other = [("action", "cancel"), ("reason", "Out of clay")];
    let refused = seller.post(&page, &other).await;
    assert_eq!(refused, format!("{page}?error=already_cancelled"));
    let (_, shown) = seller.get(&refused).await;
    assert!(shown.contains("already been cancelled") && shown.contains("The kiln broke"), "{shown}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn server_functions_carry_errors_with_their_status() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    let call = async |path: &str, body: Value| {
        let response = shopper.client.post(program.at(path)).json(&body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<Value>().await.unwrap_or_default())
    };
    let variant = shopper.variant("meena-crafts", 0).await;
    let (status, view) =
        call("/api/carts/add_line", json!({"line": {"variant": variant, "quantity": "2"}})).await;
    assert_eq!((status, &view["item_count"]), (200, &json!(2)), "{view}");
    let (status, refusal) =
        call("/api/carts/add_line", json!({"line": {"variant": variant, "quantity": "-1"}})).await;
    assert_eq!(status, 422, "{refusal}");
    assert!(refusal.to_string().contains("quantity"), "{refusal}");
    let (status_missing, _) = call("/api/catalog/product", json!({"slug": "no-such-thing"})).await;
    assert_eq!(status_missing, 404);
    let (status_history, _) = call("/api/orders/history", json!({"after": ""})).await;
    assert_eq!(status_history, 401);
    let (status_garbage, _) = call("/api/catalog/product", json!([1, 2])).await;
    assert_eq!(status_garbage, 422);
    let (status_unknown, _) = call("/api/no/such/function", json!({})).await;
    assert_eq!(status_unknown, 404);
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_where_they_are_wrong() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let shopper = Shopper::new(&program);
        let bowl = shopper.variant("meena-crafts", 0).await;
        for quantity in ["0", "-1", "1000", "٣", "1e9", "", "99999999999999999999"] {
            let fields =
                [("variant", bowl.as_str()), ("quantity", quantity), ("back", "/shops/meena-crafts")];
            let back = shopper.post("/cart/lines", &fields).await;
            assert!(back.starts_with("/shops/meena-crafts?draft=draft_"), "{quantity}: {back}");
        }
        for variant in
            ["", "var_0", "prod_00000000000000000000000000", "var_00000000000000000000000000", "' OR 1=1"]
        {
            assert_eq!(shopper.try_add(variant, "1").await, "/?error=not_found", "{variant}");
        }
        // Amounts sent by the browser are ignored.
        let fields = [
            ("variant", bowl.as_str()),
            ("quantity", "1"),
            ("price", "1"),
            ("price_minor", "1"),
            ("back", "//evil.example"),
        ];
        assert_eq!(shopper.post("/cart/lines", &fields).await, "/cart");
        let checkout = shopper.post("/checkout", &[]).await;
        let mut form = details("cash", "k");
        form.extend([("total", "1"), ("total_minor", "1"), ("state", "completed")]);
        form[0] = ("email", "not an address");
        assert_eq!(shopper.post(&checkout, &form).await, format!("{checkout}?check=1"));
        let (_, page) = shopper.get(&format!("{checkout}?check=1")).await;
        assert!(page.contains("not an address") && page.contains("12 Lake Road"), "what was typed is kept");
        form[0] = ("email", "asha@example.com");
        assert!(page.contains(r#"name="quote_version" value="1""#), "{page}");
        let unseen: Vec<_> = form.iter().filter(|(name, _)| *name != "quote_version").copied().collect();
        assert_eq!(shopper.post(&checkout, &unseen).await, format!("{checkout}?error=total_changed"));
        let purchase = shopper.post(&checkout, &form).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");

        for path in [
            "/p/no-such-thing",
            "/shops/no-such-shop",
            "/checkout/chk_00000000000000000000000000",
            "/checkout/x",
            "/purchases/H0",
            "/no/such/page",
            "/pay/return/x",
            "/sandbox/pay/x",
        ] {
            assert_eq!(shopper.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(
            Shopper::new(&program).get(&checkout).await.0,
            StatusCode::NOT_FOUND,
            "another's checkout"
        );

        let huge = "x".repeat(300_000);
        // From another client: the server closes a connection whose request it has not read completely.
        let response = Shopper::new(&program).try_post("/sign-up", &[("name", &huge)]).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let response = shopper
            .client
            .post(program.at("/cart/lines"))
            .body("{")
            .header(header::CONTENT_TYPE, "application/json")
            .send()
            .await
            .unwrap();
        assert!(response.status().is_client_error(), "{}", response.status());

        // A form on another site.
        for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
            let response =
                shopper.client.post(program.at("/checkout")).header(name, value).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{name}");
        }
        let response = shopper
            .client
            .post(program.at("/webhooks/sandbox"))
            .header("haat-sandbox-signature", "t=1,v1=00")
            .body("{}")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_over_http() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    let back = shopper
        .post("/sign-up", &[("name", "Asha"), ("email", "nowhere"), ("password", "long enough")])
        .await;
    let (_, page) = shopper.get(&back).await;
    assert!(page.contains("Asha") && page.contains("nowhere") && !page.contains("long enough"));
    let form = [
        ("name", "Asha"),
        ("email", "asha@example.com"),
        ("password", "long enough"),
        ("next", "https://evil.example"),
    ];
    let response = shopper.try_post("/sign-up", &form).await.unwrap();
    assert_eq!(location(&response), "/");
    let cookie = response.headers().get(header::SET_COOKIE).unwrap().to_str().unwrap();
    assert!(
        cookie.starts_with("haat_session=") && cookie.contains("HttpOnly; SameSite=Lax; Path=/"),
        "{cookie}"
    );
    let token = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    assert_eq!(shopper.get("/account").await.0, StatusCode::OK);
    assert_eq!(shopper.post("/sign-out", &[]).await, "/");
    let replay = Shopper::new(&program)
        .client
        .get(program.at("/account"))
        .header(header::COOKIE, format!("haat_session={token}"))
        .send()
        .await
        .unwrap();
    assert_eq!(replay.status(), StatusCode::UNAUTHORIZED, "the session was ended on the server too");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_safe_and_measured() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    let response = shopper.client.get(program.at("/")).send().await.unwrap();
    let header =
        |name: &str| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    let policy = header("content-security-policy");
    for part in [
        "default-src 'self'",
        "'nonce-",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self' http://127.0.0.1:",
    ] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "same-origin");
    assert_eq!(header("cache-control"), "no-store");
    assert!(!header("x-request-id").is_empty());
    for (path, text) in [("/healthz", "ok"), ("/readyz", "ready"), ("/metrics", "haat_requests_total")] {
        let (status, body) = shopper.get(path).await;
        assert!(status == StatusCode::OK && body.contains(text), "{path}: {body}");
    }
    let compressed =
        shopper.client.get(program.at("/")).header(header::ACCEPT_ENCODING, "br").send().await.unwrap();
    assert_eq!(compressed.headers().get(header::CONTENT_ENCODING).unwrap(), "br");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn search_engines_find_what_there_is() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let robot = Shopper::new(&program);
        let (_, robots) = robot.get("/robots.txt").await;
        assert!(robots.contains("Disallow: /checkout\n"), "{robots}");
        let map = robots.lines().find_map(|line| line.strip_prefix("Sitemap: ")).unwrap();
        let (status, index) = robot.get(map).await;
        assert_eq!(status, StatusCode::OK);
        let locations = |xml: &str| -> Vec<String> {
            xml.split("<loc>").skip(1).map(|l| l.split('<').next().unwrap().to_owned()).collect()
        };
        let mut found = Vec::new();
        for file in locations(&index) {
            found.extend(locations(&robot.get(&file).await.1));
        }
        for path in ["/", "/c/tableware", "/shops/meena-crafts"] {
            assert!(found.contains(&program.at(path)), "{path}: {found:?}");
        }
        let product = found.iter().find(|url| url.contains("/p/terracotta-serving-bowl")).unwrap();
        let (status, page) = robot.get(product).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains(&format!(r#"<link href="{product}" rel="canonical">"#)), "{page}");
        assert_eq!(page.matches("canonical").count(), 1);
        assert!(page.contains(r#"<meta name="description" content="Thrown on the wheel"#), "{page}");
        let facts = page
            .split(r#"application/ld+json">"#)
            .skip(1)
            .map(|rest| rest.split("</script>").next().unwrap());
        let facts: Vec<Value> = facts.map(|fact| serde_json::from_str(fact).unwrap()).collect();
        assert_eq!(facts[0]["@type"], "Product");
        assert_eq!(facts[0]["offers"][0]["price"], "649.00");
        assert_eq!(facts[1]["itemListElement"][1]["name"], "Home & Kitchen");
        for (path, indexed) in
            [("/", true), ("/products", true), ("/products?q=bowl", false), ("/cart", false)]
        {
            assert_eq!(!robot.get(path).await.1.contains("noindex"), indexed, "{path}");
        }
        assert_eq!(robot.get("/sitemaps/prod_x.xml").await.0, StatusCode::NOT_FOUND);
        program.close();
    }
}

/// Going back after signing out or paying requests the page again: no page with personal data is stored.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_is_stored() {
    let program = Program::serve(On::Sqlite).await;
    let seller = Shopper::new(&program);
    seller.post("/sign-in", &[("email", "meena@haat.example"), ("password", "market-day-2026")]).await;
    let bowl = seller.variant("delta-electronics", 0).await;
    seller.add(&bowl, "1").await;
    let checkout = seller.post("/checkout", &[]).await;
    let purchase = seller.post(&checkout, &details("cash", "k")).await;
    // Public pages too, since their header shows who is signed in and how many items are in the cart.
    for path in [
        "/",
        "/products",
        "/cart",
        &checkout,
        &purchase,
        "/account",
        "/sign-in",
        "/no/such/page",
        "/seller",
        "/seller/meena-crafts/orders",
        "/seller/meena-crafts/products.csv",
        "/admin",
        "/api/v1/products",
    ] {
        let response = seller.client.get(program.at(path)).send().await.unwrap();
        let stored = response.headers().get(header::CACHE_CONTROL).map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(stored.as_deref(), Some("no-store"), "{path}");
    }
    // Pages in the back-forward cache are evicted by the responses to the forms that make them outdated.
    let guest = Shopper::new(&program);
    for (path, form) in [(checkout.as_str(), details("cash", "k")), ("/sign-out", Vec::new())] {
        let who = if path == "/sign-out" { &guest } else { &seller };
        let answer = who.try_post(path, &form).await.unwrap();
        assert_eq!(answer.headers()["clear-site-data"], "\"cache\"", "{path}");
        let set: Vec<_> = answer.headers().get_all(header::SET_COOKIE).iter().collect();
        let turns = |value: &&header::HeaderValue| value.to_str().unwrap().starts_with("haat_turn=");
        assert!(
            set.iter().any(|value| turns(value) && value.to_str().unwrap().contains("HttpOnly")),
            "{set:?}"
        );
    }
    let (_, page) = seller.get(&checkout).await;
    assert!(
        page.contains("You’ve already placed this order") && page.contains(&purchase.replace('&', "&amp;")),
        "{page}"
    );
    let (_, page) = seller.get("/cart").await;
    assert!(page.contains("Your basket is empty") && page.contains("Basket, 0 items"), "{page}");
    // A page restored from the back-forward cache reloads itself too.
    let nonce = page.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(page.contains(&format!("<script nonce=\"{nonce}\">onpageshow=")), "{page}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn back_from_the_gateway_the_payment_goes_on_or_begins_again() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let shopper = Shopper::new(&program);
        let bowl = shopper.variant("meena-crafts", 0).await;
        shopper.add(&bowl, "1").await;
        let checkout = shopper.post("/checkout", &[]).await;
        let gateway = shopper.post(&checkout, &details("sandbox", "k")).await;
        let (_, page) = shopper.get(&checkout).await;
        assert!(
            page.contains("You have a payment in progress.") && page.contains(&format!("href=\"{gateway}\"")),
            "{page}"
        );
        assert!(page.contains("Start checkout again"), "{page}");
        // Nothing is stored in the meantime, so nothing can be entered or left behind by signing in.
        let input = |page: &str, name: &str| {
            let named = format!("name=\"{name}\"");
            let mut inputs =
                page.split("<input").map(|rest| rest.split('>').next().unwrap_or_default().to_owned());
            inputs.find(|tag| tag.contains(&named)).unwrap_or_else(|| panic!("{name}: {page}"))
        };
        let typed = ["email", "phone", "name", "line1", "line2", "city", "postal_code"];
        for name in typed {
            assert!(input(&page, name).contains("readonly"), "{name}: {page}");
        }
        let nepal =
            |page: &str| page.split("<option").find(|tag| tag.contains("value=\"NP\"")).unwrap().to_owned();
        assert!(nepal(&page).contains("disabled"), "{page}");
        assert!(!page.contains(r#"value="update""#), "{page}");
        assert!(!input(&page, "payment_method").contains("disabled"), "{page}");
        assert!(!page.contains(r#"value="sign_in""#), "{page}");
        let anew = shopper.post("/checkout", &[]).await;
        assert_ne!(anew, checkout);
        let (_, page) = shopper.get(&anew).await;
        for name in typed {
            assert!(!input(&page, name).contains("readonly"), "{name}: {page}");
        }
        assert!(!nepal(&page).contains("disabled") && page.contains(r#"value="sign_in""#), "{page}");
        assert!(page.contains("12 Lake Road") && !page.contains("You have a payment in progress."), "{page}");
        let purchase = shopper.post(&anew, &details("cash", "k2")).await;
        assert!(purchase.starts_with("/purchases/"), "{purchase}");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_at_the_gateway_leads_back_to_the_checkout() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    shopper.add(&shopper.variant("meena-crafts", 0).await, "1").await;
    let checkout = shopper.post("/checkout", &[]).await;
    let gateway = shopper.post(&checkout, &details("sandbox", "k")).await;
    assert!(shopper.get(&gateway).await.1.contains("Cancel and return"));
    let back = shopper.post(&gateway, &[("action", "cancel"), ("card", "")]).await;
    let back = location(&shopper.client.get(&back).send().await.unwrap());
    assert_eq!(back, format!("{checkout}?error=payment_cancelled"));
    let (_, page) = shopper.get(&back).await;
    assert!(
        page.contains("Payment cancelled. Nothing was charged.") && page.contains("12 Lake Road"),
        "{page}"
    );
    assert!(!page.contains("Your payment wasn’t completed"), "said once: {page}");
    let (_, page) = shopper.get(&checkout).await;
    assert!(page.contains("Your payment wasn’t completed and nothing was charged."), "{page}");
    let purchase = shopper.post(&checkout, &details("cash", "k2")).await;
    assert!(purchase.starts_with("/purchases/"), "{purchase}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_cancels_by_a_plain_form() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let shopper = Shopper::new(&program);
        let (bowl, lamp) =
            (shopper.variant("meena-crafts", 0).await, shopper.variant("delta-electronics", 0).await);
        shopper.add(&bowl, "1").await;
        shopper.add(&lamp, "1").await;
        let checkout = shopper.post("/checkout", &[]).await;
        let purchase = shopper.post(&checkout, &details("cash", "k")).await;
        let (path, key) = purchase.split_once("?key=").unwrap();
        let number = path.strip_prefix("/purchases/").unwrap();
        let (first, second) = (format!("{number}-1"), format!("{number}-2"));
        // From another browser, with the link in the email.
        let guest = Shopper::new(&program);
        let (_, page) = guest.get(&purchase).await;
        assert_eq!(page.matches("Cancel this order").count(), 2, "{page}");
        assert!(page.contains("there’s nothing to refund"), "{page}");
        let cancel = async |who: &Shopper, order: &str, key: &str, reason: &str| {
            who.try_post(path, &[("order", order), ("key", key), ("reason", reason)]).await.unwrap()
        };
        assert_eq!(cancel(&guest, &first, "wrong", "No").await.status(), StatusCode::NOT_FOUND);
        let back = location(&cancel(&guest, &first, key, &"x".repeat(301)).await);
        assert!(back.starts_with(&format!("{purchase}&draft=")), "{back}");
        let (_, page) = guest.get(&back).await;
        assert!(page.contains(&format!("id=\"reason-{first}-error\"")), "{page}");
        assert!(!page.contains(&format!("id=\"reason-{second}-error\"")), "only next to its own field");
        let done = location(&cancel(&guest, &first, key, "").await);
        assert_eq!(done, format!("{purchase}&done={first}"));
        let (_, page) = guest.get(&done).await;
        // The number is in an element of its own, which keeps it on one line.
        let told = page.replace("<span class=\"unbroken\">", "").replace("</span>", "").replace("<!>", "");
        assert!(told.contains(&format!("Order {first} has been cancelled.")), "{page}");
        assert_eq!(page.matches("Cancel this order").count(), 1, "the other order can still be cancelled");
        // The shop has handled the other one first.
        let seller = Shopper::new(&program);
        for (email, handle) in
            [("meena@haat.example", "meena-crafts"), ("delta@haat.example", "delta-electronics")]
        {
            seller.post("/sign-in", &[("email", email), ("password", "market-day-2026")]).await;
            let form = [("action", "confirm")];
            let _ = seller.try_post(&format!("/seller/{handle}/orders/{second}"), &form).await.unwrap();
        }
        let late = location(&cancel(&guest, &second, key, "Too late").await);
        assert_eq!(late, format!("{purchase}&error=order_moved"));
        let (_, page) = guest.get(&late).await;
        assert!(page.contains("role=\"alert\"") && !page.contains("Cancel this order"), "{page}");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn archiving_several_products_can_be_undone() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let seller = Shopper::new(&program);
        seller.post("/sign-in", &[("email", "meena@haat.example"), ("password", "market-day-2026")]).await;
        let path = "/seller/meena-crafts/products";
        let published = format!("{path}?state=published");
        let (_, list) = seller.get(&published).await;
        let ids = list.split("name=\"id\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let ids: Vec<&str> = ids.take(2).collect();
        let form = [("id", ids[0]), ("id", ids[1]), ("action", "archive"), ("back", published.as_str())];
        let done = seller.post(path, &form).await;
        assert!(done.starts_with(&format!("{published}&done=archive&n=2&undo=")), "{done}");
        let (_, page) = seller.get(&done).await;
        assert!(page.contains("2 products archived.") && page.contains("value=\"undo\""), "{page}");
        assert!(!page.contains(ids[0]) && !page.contains(ids[1]), "{page}");
        let undo = done.rsplit('=').next().unwrap();
        let form = [("action", "undo"), ("undo", undo), ("back", done.as_str())];
        // Nobody else can.
        let other = Shopper::new(&program);
        other.post("/sign-in", &[("email", "delta@haat.example"), ("password", "market-day-2026")]).await;
        for path in [path, "/seller/delta-electronics/products"] {
            let refused = other.try_post(path, &form).await.unwrap();
            assert_eq!(refused.status(), StatusCode::NOT_FOUND, "{path}");
        }
        let done = seller.post(path, &form).await;
        assert_eq!(done, format!("{published}&done=undo&n=2"));
        let (_, page) = seller.get(&done).await;
        assert!(page.contains("2 products restored."), "{page}");
        assert!(page.contains(ids[0]) && page.contains(ids[1]), "{page}");
        let done = seller.post(path, &[("action", "archive"), ("back", path)]).await;
        assert!(seller.get(&done).await.1.contains("Select at least one product first."));
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cart_says_which_lines_cannot_be_bought() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    let bowl = shopper.variant("meena-crafts", 0).await;
    let refused = shopper.try_add(&bowl, "999").await;
    assert!(refused.starts_with("/?draft="), "{refused}");
    shopper.add(&bowl, "1").await;
    let (_, cart) = shopper.get("/cart").await;
    let field = cart.split('"').find(|part| part.starts_with("quantity.line_")).expect("the line's field");
    // The checkout button also submits the quantities.
    let back = shopper.post("/checkout", &[(field, "999")]).await;
    assert!(back.starts_with("/cart?draft="), "{back}");
    let (_, page) = shopper.get(&back).await;
    let alert = page.split("role=\"alert\"").nth(1).expect("an alert");
    assert!(alert.split("</div>").next().unwrap().contains(": only "), "{alert:.400}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_back_to_the_checkout() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    let lamp = shopper.variant("delta-electronics", 0).await;
    shopper.add(&lamp, "1").await;
    let checkout = shopper.post("/checkout", &[]).await;
    let (_, page) = shopper.get(&checkout).await;
    let links: Vec<&str> =
        page.split("href=\"/sign-in?next=").skip(1).map(|l| l.split('"').next().unwrap()).collect();
    // The one next to the email field is a button, which keeps what was typed.
    let [link] = links[..] else { panic!("not one link, in the header: {links:?}") };
    let (_, form) = shopper.get(&format!("/sign-in?next={link}")).await;
    assert!(form.contains(&format!("name=\"next\" value=\"{checkout}\"")), "{form}");
    let fields =
        [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", checkout.as_str())];
    assert_eq!(shopper.post("/sign-in", &fields).await, checkout);
    let (status, page) = shopper.get(&checkout).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("meena@haat.example") && !page.contains("href=\"/sign-in"), "{page}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packing_slip_says_what_goes_where() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    let bowl = shopper.variant("meena-crafts", 0).await;
    shopper.add(&bowl, "2").await;
    let checkout = shopper.post("/checkout", &[]).await;
    let purchase = shopper.post(&checkout, &details("cash", "k")).await;
    let number = purchase.strip_prefix("/purchases/").unwrap().split('?').next().unwrap();
    let seller = Shopper::new(&program);
    seller.post("/sign-in", &[("email", "meena@haat.example"), ("password", "market-day-2026")]).await;
    let order = format!("/seller/meena-crafts/orders/{number}-1");
    let (_, page) = seller.get(&order).await;
    assert!(page.contains(&format!("href=\"{order}/packing-slip\"")) && page.contains("SKU MC-"), "{page}");
    let (status, slip) = seller.get(&format!("{order}/packing-slip")).await;
    assert_eq!(status, StatusCode::OK);
    let slip = slip.split("<article").nth(1).unwrap().split("</article>").next().unwrap();
    for part in ["class=\"packed-box\"", "SKU MC-", "12 Lake Road", "Collect on delivery", "2 items"] {
        assert!(slip.contains(part), "{part}: {slip}");
    }
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn several_orders_are_confirmed_and_printed_at_once() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    let bowl = shopper.variant("meena-crafts", 0).await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(format!("{}-1", shopper.buy_in_cash(&bowl).await));
    }
    let [first, cancelled, last] = &orders[..] else { unreachable!() };
    let seller = Shopper::new(&program);
    seller.post("/sign-in", &[("email", "meena@haat.example"), ("password", "market-day-2026")]).await;
    let list = "/seller/meena-crafts/orders";
    let (_, page) = seller.get(list).await;
    for order in &orders {
        assert!(page.contains(&format!("name=\"id\" value=\"{order}\"")), "{order}: {page}");
    }
    // While the list was open.
    seller.post(&format!("{list}/{cancelled}"), &[("action", "cancel"), ("reason", "Broken")]).await;
    let confirm = |of: &[&String], back| {
        let chosen = of.iter().map(|order| ("id", order.to_string()));
        let rest = [("action", "confirm".to_owned()), ("back", format!("{list}{back}"))];
        rest.into_iter().chain(chosen).collect::<Vec<_>>()
    };
    let post = async |fields: Vec<(&'static str, String)>| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        seller.post(list, &fields).await
    };
    let back = post(confirm(&[first, cancelled, last], "?state=placed")).await;
    assert!(back.starts_with(&format!("{list}?state=placed&draft=")), "{back}");
    let (_, page) = seller.get(&back).await;
    let main = page.split("<main").nth(1).unwrap();
    for part in
        ["2 orders confirmed.", "1 order couldn’t be confirmed:", cancelled, "Its status is “Cancelled”."]
    {
        assert!(main.contains(part), "{part}: {main}");
    }
    assert!(!main.contains(first.as_str()) && !main.contains(last.as_str()), "{main}");
    // Confirming again changes nothing, and says so.
    let back = post(confirm(&[first, last, first], "")).await;
    assert!(back.starts_with(&format!("{list}?draft=")) && !back.contains("done="), "{back}");
    let (_, page) = seller.get(&back).await;
    for part in ["2 orders couldn’t be confirmed:", first, last, "Its status is “Confirmed”."] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("orders confirmed."), "{page}");
    let strange = seller.try_post(list, &[("action", "confirm"), ("id", "H0-1")]).await.unwrap();
    assert_eq!(strange.status(), StatusCode::NOT_FOUND);

    let slips = "/seller/meena-crafts/packing-slips";
    let (status, page) =
        seller.get(&format!("{slips}?back={list}?state=confirmed&id={last}&id={first}")).await;
    assert_eq!(status, StatusCode::OK);
    let found: Vec<_> = page.split("<article").skip(1).collect();
    assert!(
        found.len() == 2 && found[0].contains(last.as_str()) && found[1].contains(first.as_str()),
        "{page}"
    );
    assert!(page.contains(&format!("href=\"{list}?state=confirmed\"")), "{page}");
    let (_, page) = seller.get(&format!("{slips}?back=https://evil.example/")).await;
    assert!(page.contains("No orders selected") && !page.contains("href=\"https://evil.example"), "{page}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_look_at_an_order_and_change_nothing() {
    let mut program = Program::serve(On::Sqlite).await;
    program.set("HAAT_ADMIN_PASSWORD", "market-day-2026");
    program.run_ok(&["admin", "create", "--email", "olga@haat.example", "--name", "Olga"]);
    let shopper = Shopper::new(&program);
    let number = shopper.buy_in_cash(&shopper.variant("meena-crafts", 0).await).await;
    let admin = Shopper::new(&program);
    admin.post("/sign-in", &[("email", "olga@haat.example"), ("password", "market-day-2026")]).await;
    let order = format!("/admin/orders/{number}-1");
    for (filters, link) in [("", ""), ("?q=h&state=placed&rows=25", "?q=h&amp;state=placed&amp;rows=25")] {
        let (_, list) = admin.get(&format!("/admin/orders{filters}")).await;
        assert!(list.contains(&format!("href=\"{order}{link}\"")), "{list}");
        let (_, page) = admin.get(&format!("{order}{filters}")).await;
        assert!(page.contains(&format!("href=\"/admin/orders{link}\">All orders")), "{page}");
    }
    // Phones, which show no headings, sort by links that keep the filters.
    let (_, list) = admin.get("/admin/orders?q=h&state=placed&sort=total").await;
    let sorts = list.split("class=\"narrow-sorts\"").nth(1).unwrap().split("</nav>").next().unwrap();
    assert!(sorts.contains("href=\"/admin/orders?q=h&amp;state=placed&amp;sort=-total\""), "{sorts}");
    assert_eq!(sorts.matches("aria-current").count(), 1, "{sorts}");
    let (_, list) = admin.get("/admin/orders?overdue=true").await;
    assert!(list.contains("No results") && list.contains("href=\"/admin/orders?state=placed\""), "{list}");
    let (_, list) = admin.get("/admin/orders?disputed=true&sort=total").await;
    let chip = "href=\"/admin/orders?sort=total\" aria-current=\"true\"";
    assert!(list.contains("No results") && list.contains(chip), "{list}");
    // A filter that doesn't exist leads to the list without it.
    for (asked, led) in [
        ("/admin/orders?state=pending", "/admin/orders"),
        ("/admin/orders?q=h&returns=some", "/admin/orders?q=h"),
        ("/admin/payments?sort=id", "/admin/payments"),
        ("/admin/payouts?state=lost", "/admin/payouts"),
        ("/admin/shops?state=lost", "/admin/shops"),
        ("/admin/users?after=here", "/admin/users"),
        ("/admin/jobs?state=lost", "/admin/jobs"),
        ("/admin/outbox?state=lost", "/admin/outbox"),
        ("/products?sort=oldest&q=pen", "/products?q=pen"),
    ] {
        let response = admin.client.get(program.at(asked)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{asked}");
        assert_eq!(location(&response), led);
        assert_eq!(admin.get(led).await.0, StatusCode::OK, "{led}");
    }
    let (status, page) = admin.get(&order).await;
    assert_eq!(status, StatusCode::OK);
    let main = page.split("<main").nth(1).unwrap();
    for part in
        ["Meena Crafts", "12 Lake Road", "Cash on delivery", "from the shop’s balance", "in this shop"]
    {
        assert!(main.contains(part), "{part}: {main}");
    }
    for part in ["method=\"post\"", "/packing-slip", "/seller/meena-crafts/orders"] {
        assert!(!main.contains(part), "{part}: {main}");
    }
    program.close();
}

/// Nobody who follows a link is told that something has happened, and whoever sent a form is told so once.
#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_told_once_and_by_no_link() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    let number = shopper.buy_in_cash(&shopper.variant("meena-crafts", 0).await).await;
    let visitor = Shopper::new(&program);
    let seller = Shopper::new(&program);
    seller.post("/sign-in", &[("email", "meena@haat.example"), ("password", "market-day-2026")]).await;
    let list = "/seller/meena-crafts/orders";
    let leads =
        async |who: &Shopper, path: &str| location(&who.client.get(program.at(path)).send().await.unwrap());
    for (who, link, page) in [
        (&seller, format!("{list}?done=999"), list),
        (&seller, format!("{list}?state=placed&%64one=999"), &format!("{list}?state=placed")),
        (&visitor, "/sign-in?done=confirmed&next=/account".to_owned(), "/sign-in?next=/account"),
        (&visitor, "/sign-up?done=sent".to_owned(), "/sign-up"),
        (&visitor, "/cart?error=payment_declined".to_owned(), "/cart"),
    ] {
        assert_eq!(leads(who, &link).await, page, "{link}");
    }
    let page = format!("{list}/{number}-1");
    let done = seller.post(&page, &[("action", "confirm")]).await;
    // The outcome of one page is not that of another one.
    assert_eq!(leads(&seller, &format!("{list}?done=999")).await, list);
    let (status, shown) = seller.get(&done).await;
    assert!(status == StatusCode::OK && shown.contains("Order confirmed."), "{status}: {shown}");
    assert_eq!(leads(&seller, &done).await, page, "not again");
    // Nor can the way back from signing in claim one.
    let next = format!("{list}?done=999");
    let form = [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", next.as_str())];
    assert_eq!(visitor.post("/sign-in", &form).await, list);
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_is_not_asked_to_sign_in() {
    let program = Program::serve(On::Sqlite).await;
    let visitor = Shopper::new(&program);
    for path in ["/sign-in", "/sign-up"] {
        assert_eq!(visitor.get(path).await.0, StatusCode::OK, "{path}");
    }
    let customer = Shopper::new(&program);
    let form = [("name", "Asha"), ("email", "asha@example.com"), ("password", "long enough")];
    customer.post("/sign-up", &form).await;
    let seller = Shopper::new(&program);
    seller.post("/sign-in", &[("email", "meena@haat.example"), ("password", "market-day-2026")]).await;
    for (who, path, place) in [
        (&customer, "/sign-in", "/"),
        (&customer, "/sign-up", "/"),
        (&seller, "/sign-in", "/seller/meena-crafts"),
        (&seller, "/sign-up?next=/cart", "/cart"),
        (&seller, "/sign-in?next=/products%3Fq%3Dbowl%26done%3D9", "/products?q=bowl"),
        (&seller, "/sign-in?next=https://evil.example/", "/"),
        (&seller, "/sign-in?next=/sign-up%3Fnext%3D/cart", "/seller/meena-crafts"),
    ] {
        let answer = who.client.get(program.at(path)).send().await.unwrap();
        assert_eq!((answer.status(), location(&answer).as_str()), (StatusCode::SEE_OTHER, place), "{path}");
    }
    program.close();
}

/// Without scripts, the labels follow the country when the form comes back.
#[tokio::test(flavor = "multi_thread")]
async fn address_fields_are_named_as_in_the_country() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    shopper.add(&shopper.variant("meena-crafts", 0).await, "1").await;
    let checkout = shopper.post("/checkout", &[]).await;
    let label = |page: &str, field: &str| {
        let label = page.split(&format!("<label for=\"{field}\">")).nth(1).unwrap();
        // Behind a text that changes is a marker for hydration.
        label.split("</label>").next().unwrap().replace("<!>", "")
    };
    for (country, postal, region) in [
        ("IN", "PIN code", Some("State (optional)")),
        ("US", "ZIP code", Some("State")),
        ("AE", "Postal code", Some("Emirate")),
        ("GB", "Postcode", None),
    ] {
        let form = [("country", country), ("postal_code", "?"), ("key", "k"), ("quote_version", "1")];
        let back = shopper.post(&checkout, &form).await;
        let (_, page) = shopper.get(&back).await;
        assert_eq!(label(&page, "postal_code"), postal, "{country}");
        let is_hidden = |field: &str| {
            let before = page.split(&format!("<label for=\"{field}\">")).next().unwrap();
            let bare = before.rsplit("<fieldset").next().unwrap().split('>').next().unwrap();
            bare.contains("hidden") && bare.contains("disabled")
        };
        assert_eq!(is_hidden("region"), region.is_none(), "{country}");
        assert_eq!(is_hidden("postal_code"), country == "AE", "{country}");
        if let Some(region) = region {
            assert_eq!(label(&page, "region"), region, "{country}");
        }
    }
    program.close();
}

/// A button shows the form as the new country needs it; what was entered stays, except for what only the country before
/// has.
#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_the_address_form_follows_the_country() {
    let program = Program::serve(On::Sqlite).await;
    let shopper = Shopper::new(&program);
    shopper.add(&shopper.variant("meena-crafts", 0).await, "1").await;
    let checkout = shopper.post("/checkout", &[]).await;
    let with = |changes: &[(&'static str, &'static str)]| {
        let mut form = details("cash", "k");
        form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        form.extend(changes);
        form
    };
    let region = |page: &str| {
        let control = page.split("id=\"region\"").nth(1).unwrap().split("</div>").next().unwrap().to_owned();
        let chosen = control.split("<option").find(|option| option.contains(" selected")).map(str::to_owned);
        (control, chosen)
    };

    let (_, page) = shopper.get(&checkout).await;
    let (control, chosen) = region(&page);
    assert!(control.contains(">Maharashtra<") && chosen.is_none(), "{control}");
    assert!(page.contains(r#"value="update""#) && page.contains("For example, 110034"), "{page}");

    // `GA` is Goa, and would be Georgia.
    let form = with(&[("region", "GA"), ("country", "US"), ("fields_of", "IN"), ("action", "update")]);
    assert_eq!(shopper.post(&checkout, &form).await, checkout);
    let (_, page) = shopper.get(&checkout).await;
    let (control, chosen) = region(&page);
    assert!(control.contains(">California<") && chosen.is_none(), "{control}");
    assert!(page.contains("12 Lake Road") && !page.contains("field-error"), "{page}");

    // Without the button, the form comes back likewise, and asks for what is missing.
    let form = with(&[("region", "GA"), ("country", "US"), ("fields_of", "IN")]);
    let back = shopper.post(&checkout, &form).await;
    let (_, page) = shopper.get(&back).await;
    let (control, chosen) = region(&page);
    assert!(chosen.is_none() && control.contains("This field is required."), "{control}");

    // Texts are still read, as browsers fill them in and earlier versions stored them.
    let form = with(&[
        ("region", "georgia"),
        ("country", "US"),
        ("postal_code", "30303"),
        ("city", "Atlanta"),
        ("fields_of", "US"),
        ("action", "update"),
    ]);
    shopper.post(&checkout, &form).await;
    let (_, page) = shopper.get(&checkout).await;
    assert!(region(&page).1.unwrap().contains(r#"value="GA""#), "{page}");
    let mut form = form;
    form.retain(|(name, _)| *name != "action");
    form.push(("phone", "(404)\u{a0}555-0123 ext. 8"));
    // What is beside the box counts if it is checked, and comes back if it is wrong.
    form.extend([("billing.country", "DE"), ("billing.name", "Rao GmbH"), ("billing.line1", "Seestraße 1")]);
    form.extend([("billing.city", "Berlin"), ("billing", "true")]);
    let back = shopper.post(&checkout, &form).await;
    let (_, page) = shopper.get(&back).await;
    assert!(page.contains(r#"id="billing.postal_code-error""#) && page.contains("Seestraße 1"), "{page}");
    form.push(("billing.postal_code", "10115"));
    let purchase = shopper.post(&checkout, &form).await;
    let (status, page) = shopper.get(&purchase).await;
    assert_eq!(status, 200);
    assert!(page.contains("Atlanta, GA 30303") && page.contains("10115 Berlin"), "{page}");
    assert!(page.contains(r#"<a href="tel:+14045550123;ext=8">(404) 555-0123 ext. 8<"#), "{page}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_chosen_before_signing_in_stays() {
    let program = Program::serve(On::Sqlite).await;
    let browser = Shopper::new(&program);
    let form = [("name", "Asha"), ("email", "asha@example.com"), ("password", "long enough")];
    browser.post("/sign-up", &form).await;
    let elsewhere = Shopper::new(&program);
    assert!(elsewhere.get("/sign-in").await.1.contains("<html lang=\"en\""));
    elsewhere.post("/language", &[("locale", "hi"), ("back", "/sign-in")]).await;
    elsewhere.post("/sign-in", &[("email", "asha@example.com"), ("password", "long enough")]).await;
    let (status, account) = elsewhere.get("/account").await;
    assert_eq!(status, StatusCode::OK);
    assert!(account.contains("<html lang=\"hi\""), "{account:.300}");
    program.close();
}

/// Connections that are closed while their page is being rendered cause no errors in the log.
#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_logs_nothing() {
    use std::{
        io::{Read, Write},
        net::TcpStream,
        time::{Duration, Instant},
    };

    const TIMES: u32 = 400;
    for on in BOTH {
        let program = Program::serve(on).await;
        let shopper = Shopper::new(&program);
        let path = format!("/p/{}", shopper.slugs("/shops/meena-crafts", 1).await.remove(0));
        let begun = Instant::now();
        for _ in 0..20 {
            assert_eq!(shopper.get(&path).await.0, StatusCode::OK);
        }
        // Each disconnects at a different point of the rendering.
        let longest = begun.elapsed() / 20 * 8 / 5;
        let hang_up = &|round: u32| {
            let mut stream = TcpStream::connect(("127.0.0.1", program.port)).unwrap();
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: localhost:{}\r\nAccept: text/html\r\n\r\n",
                program.port
            );
            stream.write_all(request.as_bytes()).unwrap();
            let after = longest * (round * 37 % 100) / 100;
            stream.set_read_timeout(Some(after.max(Duration::from_micros(300)))).unwrap();
            let _ = stream.read(&mut [0; 1]);
        };
        std::thread::scope(|scope| {
            for thread in 0..8 {
                scope.spawn(move || (0..TIMES).for_each(|round| hang_up(thread * TIMES + round)));
            }
        });
        assert_eq!(shopper.get(&path).await.0, StatusCode::OK);
        let log = program.log();
        assert!(!log.contains("ServerMetaContext") && !log.contains("already been disposed"), "{log:.4000}");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_market_offers_its_accounts() {
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT__MARKET__DEMO", "true");
    program.start().await;
    let visitor = Shopper::new(&program);
    let (_, page) = visitor.get("/sign-in?next=/account").await;
    assert!(page.contains("/sign-in?demo=seller") && !page.contains("value=\"market-day-2026\""), "{page}");
    for (query, shown) in [("demo=seller", true), ("demo=nobody", false)] {
        let (_, page) = visitor.get(&format!("/sign-in?{query}")).await;
        for value in ["meena@haat.example", "market-day-2026"] {
            assert_eq!(page.contains(&format!("value=\"{value}\"")), shown, "{query}: {page}");
        }
    }
    program.set("HAAT__MARKET__DEMO", "false");
    program.kill();
    program.start().await;
    let (_, page) = visitor.get("/sign-in?demo=seller").await;
    assert!(!page.contains("haat.example") && !page.contains("market-day-2026"), "{page}");
    program.close();
}
