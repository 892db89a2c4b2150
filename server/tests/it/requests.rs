//! The path of a purchase and all that can be wrong with a request, by plain HTTP.

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
        assert_eq!(shopper.add(&bowl, "2").await, "/basket");
        assert_eq!(shopper.add(&lamp, "1").await, "/basket");
        let (_, basket) = shopper.get("/basket").await;
        assert!(basket.contains("Meena Crafts") && basket.contains("Delta Electronics"));

        let checkout = shopper.post("/checkout", &[]).await;
        let page = shopper.post(&checkout, &details("sandbox", "k")).await;
        assert!(page.starts_with(&format!("http://127.0.0.1:{}/sandbox/pay/", program.port)), "{page}");
        let challenge = shopper.try_post(&page, &[("card", "4000 0025 0000 3155")]).await.unwrap();
        assert!(challenge.text().await.unwrap().contains("Confirm it’s you"));
        let back = shopper.post(&page, &[("action", "confirm")]).await;
        let purchase = {
            // Without cookies: the way back is another site's redirect.
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
        let (status, _) = Shopper::new(&program).get(&format!("/purchases/{number}?key=wrong")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);

        // Each seller reads their own lines, and nobody else's orders exist.
        let seller = Shopper::new(&program);
        let credentials =
            [("email", "meena@haat.example"), ("password", "market-day-2026"), ("next", "/account")];
        assert_eq!(seller.post("/sign-in", &credentials).await, "/account");
        let (_, orders) = seller.get("/seller/meena-crafts/orders").await;
        assert!(orders.contains(&format!("{number}-")), "{orders}");
        assert_eq!(seller.get("/seller/delta-electronics/orders").await.0, StatusCode::NOT_FOUND);
        assert_eq!(shopper.get("/seller/meena-crafts/orders").await.0, StatusCode::UNAUTHORIZED);
        program.close();
    }
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
    assert_eq!((status, &view["pieces"]), (200, &json!(2)), "{view}");
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
            let back = shopper.post("/basket/lines", &fields).await;
            assert!(back.starts_with("/shops/meena-crafts?draft=draft_"), "{quantity}: {back}");
        }
        for variant in
            ["", "var_0", "prod_00000000000000000000000000", "var_00000000000000000000000000", "' OR 1=1"]
        {
            assert_eq!(shopper.add(variant, "1").await, "/?error=not_found", "{variant}");
        }
        // Amounts that a browser sends are nobody's business.
        let fields = [
            ("variant", bowl.as_str()),
            ("quantity", "1"),
            ("price", "1"),
            ("price_minor", "1"),
            ("back", "//evil.example"),
        ];
        assert_eq!(shopper.post("/basket/lines", &fields).await, "/basket");
        let checkout = shopper.post("/checkout", &[]).await;
        let mut form = details("cash", "k");
        form.extend([("total", "1"), ("total_minor", "1"), ("state", "completed")]);
        form[0] = ("email", "not an address");
        assert_eq!(shopper.post(&checkout, &form).await, format!("{checkout}?check=1"));
        let (_, page) = shopper.get(&format!("{checkout}?check=1")).await;
        assert!(page.contains("not an address") && page.contains("12 Lake Road"), "what was typed is kept");
        form[0] = ("email", "asha@example.com");
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
        // By somebody else: the server closes a connection that it has not read to its end.
        let response = Shopper::new(&program).try_post("/sign-up", &[("name", &huge)]).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let response = shopper
            .client
            .post(program.at("/basket/lines"))
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
    assert_eq!(replay.status(), StatusCode::UNAUTHORIZED, "ended on the server too");
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
    assert_eq!(header("cache-control"), "private, no-cache");
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
            [("/", true), ("/products", true), ("/products?q=bowl", false), ("/basket", false)]
        {
            assert_eq!(!robot.get(path).await.1.contains("noindex"), indexed, "{path}");
        }
        assert_eq!(robot.get("/sitemaps/prod_x.xml").await.0, StatusCode::NOT_FOUND);
        program.close();
    }
}
