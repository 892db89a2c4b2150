//! Products over REST: creating, editing, pictures, exports, and an order of what was listed.

use serde_json::{Value, json};

use super::{PASSWORD, Robot, png, product};
use crate::program::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_product_may_have_as_much_text_as_a_file_may_bring() {
    let program = Program::serve(On::Sqlite).await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let with = |details: usize| {
        let value = "क".repeat(10_000);
        let mut long = product("Long story");
        long["attributes"] =
            (0..details).map(|i| json!({"name": format!("Part {i}"), "value": value})).collect();
        long
    };
    let made = meena.once("/shops/meena-crafts/products", with(10)).await.is(201);
    let path = format!("/shops/meena-crafts/products/{}", made.text("/id"));
    let tag = made.header("etag").to_owned();
    let tag = if tag.is_empty() { meena.get(&path).await.header("etag").to_owned() } else { tag };
    meena.with("if-match", tag).send("PUT", &path, Some(with(30))).await.is(200);
    let refused = meena.once("/shops/meena-crafts/products", with(40)).await.refuses(422, "invalid");
    assert!(refused.text("/fields/0/message").contains("1 MB"), "{refused:?}");
    let mut many = product("Many");
    many["variants"] =
        (0..101).map(|i| json!({"title": i.to_string(), "price": many["variants"][0]["price"]})).collect();
    let refused = meena.once("/shops/meena-crafts/products", many).await.refuses(422, "invalid");
    assert!(refused.text("/fields/0/message").contains("up to 100 variants"), "{refused:?}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_concurrent_edits_is_saved() {
    let program = Program::serve(On::Sqlite).await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let made = meena.once("/shops/meena-crafts/products", product("Clay jug")).await.is(201);
    let id = made.text("/id");
    for path in [format!("/shops/meena-crafts/products/{id}"), "/shops/meena-crafts/settings".to_owned()] {
        let read = meena.get(&path).await.is(200);
        let (tag, inner) =
            (read.header("etag").to_owned(), if path.ends_with("settings") { "settings" } else { "product" });
        let name = if inner == "settings" { "name" } else { "title" };
        let mut form = read.body[inner].clone();
        let as_read = form.clone();
        form[name] = json!("Another name");
        meena.send("PUT", &path, Some(form.clone())).await.refuses(428, "precondition_required");
        for old in ["\"0\"", "\"99\"", "\"nonsense\"", "W/\"1\""] {
            meena
                .with("if-match", old)
                .send("PUT", &path, Some(form.clone()))
                .await
                .refuses(412, "precondition_failed");
        }
        let saved = meena.with("if-match", &tag).send("PUT", &path, Some(form)).await.is(200);
        assert_eq!(saved.body[inner][name], "Another name");
        assert_ne!(saved.header("etag"), tag);
        let mut theirs = as_read;
        theirs[name] = json!("A third name");
        let late = meena.with("if-match", &tag).send("PUT", &path, Some(theirs)).await;
        assert_eq!(late.refuses(412, "precondition_failed").body["changed"], json!([name]));
    }
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_ships_by_zones() {
    let program = Program::serve(On::Sqlite).await;
    let guest = Robot::new(&program);
    let meena = guest.signed_in("meena@haat.example").await;
    let path = "/shops/meena-crafts/shipping";
    let read = meena.get(path).await.is(200);
    assert_eq!(read.body["zones"][0]["areas"], json!(["*"]));
    let money = |amount: i64| json!({"amount": amount, "currency": "INR"});
    let method = |by: &str, steps: serde_json::Value| json!({"shipping_method": "standard", "price_by": by, "steps": steps, "free_from": null, "days_min": 2, "days_max": 4});
    let step = |up_to: Option<i64>, amount| json!({"up_to": up_to, "price": money(amount)});
    let zone = |name: &str, areas: &[&str], method: serde_json::Value| json!({"id": null, "name": name, "areas": areas, "methods": [method]});
    let mut new = json!({
        "calendar": {"handling_days": 1, "cutoff": "14:00", "working_days": [1, 2, 3, 4, 5], "holidays": ["2026-12-25"], "time_zone": "Asia/Kolkata"},
        "zones": [
            zone("India", &["IN"], method("weight", json!([step(Some(500), 4_000), step(None, 7_000)]))),
            zone("Mumbai", &["IN 400001-400104"], method("flat", json!([step(None, 2_900)]))),
        ],
    });
    let with = |tag: &str| meena.with("if-match", tag);
    let saved = with(read.header("etag")).send("PUT", path, Some(new.clone())).await.is(200);
    assert_eq!(saved.body["calendar"], new["calendar"]);
    let (zones, tag) = (&saved.body["zones"], saved.header("etag"));
    assert_eq!(
        (&zones[0]["methods"][0]["steps"], &zones[1]["areas"]),
        (&new["zones"][0]["methods"][0]["steps"], &new["zones"][1]["areas"])
    );
    // As it was read, it is saved again, and is the same.
    let same = with(tag).send("PUT", path, Some(saved.body.clone())).await.is(200);
    assert_eq!((&same.body, same.header("etag")), (&saved.body, tag));
    new["zones"][1]["areas"] = json!(["IN 400001", "NP"]);
    new["zones"][0]["areas"] = json!(["IN", "NP"]);
    let refused = with(tag).send("PUT", path, Some(new)).await.refuses(422, "invalid");
    assert_eq!(refused.text("/fields/0/field"), "zones.1.areas");
    let basket = |country: &str, postal_code: &str, grams: i64| json!({"country": country, "postal_code": postal_code, "value": money(45_000), "weight_grams": grams, "items": 1});
    let preview = format!("{path}/preview");
    for (basket, zone, price) in [
        (basket("IN", "411001", 500), json!("India"), json!(money(4_000))),
        (basket("IN", "411001", 501), json!("India"), json!(money(7_000))),
        (basket("IN", "400005", 501), json!("Mumbai"), json!(money(2_900))),
        (basket("DE", "10115", 1), json!(null), json!(null)),
    ] {
        let there = meena.post(&preview, basket).await.is(200).body;
        assert_eq!((&there["zone"], &there["options"][0]["price"]), (&zone, &price));
    }
    let refused = meena.post(&preview, basket("IN", "411001", -1)).await.refuses(422, "invalid");
    assert_eq!(
        (refused.text("/fields/0/field"), refused.text("/fields/0/code")),
        ("weight_grams".into(), "too_small".into())
    );
    let refused = meena.post(&preview, basket("IN", "411001", 100_000_001)).await.refuses(422, "invalid");
    assert_eq!(
        (refused.text("/fields/0/field"), refused.text("/fields/0/code")),
        ("weight_grams".into(), "too_big".into())
    );
    // What no zone can be.
    let flat = || method("flat", json!([step(None, 4_900)]));
    let mut none = zone("Nepal", &["NP"], flat());
    none["methods"] = json!([]);
    let mut twice = zone("Nepal", &["NP"], flat());
    twice["methods"] = json!([flat(), flat()]);
    for (zone, field, code, words) in [
        (none, "zones.0.methods", "missing", "Offer at least one shipping method"),
        (twice, "zones.0.methods", "not_unique", ""),
        (
            zone("Bengaluru", &["IN 560100-560001"], flat()),
            "zones.0.areas",
            "not_after_start",
            "from the lower postal code",
        ),
    ] {
        let new = json!({"calendar": saved.body["calendar"], "zones": [zone]});
        let refused = with(tag).send("PUT", path, Some(new)).await.refuses(422, "invalid");
        assert_eq!(
            (refused.text("/fields/0/field"), refused.text("/fields/0/code")),
            (field.into(), code.into())
        );
        assert!(refused.text("/fields/0/message").contains(words), "{refused:?}");
    }
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_promotions_and_taxes_cannot_be_is_said_at_its_field() {
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT_ADMIN_PASSWORD", PASSWORD);
    program.run_ok(&["admin", "create", "--email", "boss@haat.example"]);
    program.start().await;
    let guest = Robot::new(&program);
    let (meena, boss) =
        (guest.signed_in("meena@haat.example").await, guest.signed_in("boss@haat.example").await);
    let of_shop = "/shops/meena-crafts/promotions";
    let new = |name: &str, value: Value| {
        let mut new = json!({"label": "Sale", "kind": "percent", "percent_bp": 1_000, "combines": true});
        new[name] = value;
        new
    };
    for (path, robot, new, field, code) in [
        (of_shop, &meena, new("shops", json!(["kiran-tea"])), "shops", "not_a_choice"),
        (of_shop, &meena, new("market_bp", json!(5_000)), "market_bp", "too_big"),
        (of_shop, &meena, new("percent_bp", json!(0)), "percent_bp", "too_small"),
        ("/admin/promotions", &boss, new("market_bp", json!(10_001)), "market_bp", "too_big"),
    ] {
        let refused = robot.once(path, new.clone()).await.refuses(422, "invalid");
        assert_eq!(
            (refused.text("/fields/0/field"), refused.text("/fields/0/code")),
            (field.into(), code.into()),
            "{new}"
        );
    }
    let made = meena.once(of_shop, new("market_bp", json!(0))).await.is(201);
    let path = format!("{of_shop}/{}", made.text("/id"));
    let read = meena.get(&path).await.is(200);
    assert_eq!(read.body["given"], json!([{"amount": 0, "currency": "INR"}]));
    // As it was read, it is saved again.
    meena
        .with("if-match", read.header("etag"))
        .send("PUT", &path, Some(read.body["settings"].clone()))
        .await
        .is(200);
    for (file, message) in [
        (&b"code,label,kind,percent\r\n"[..], "This file has no coupons."),
        (b"", "This file has no coupons."),
        (b"code,label,kind,percent\r\nTEN,Ten,percent,abc\r\n", "Enter a number. Maximum decimal places: 2."),
    ] {
        let refused = meena.bring(&format!("{of_shop}/import"), "text/csv", file.to_vec()).await.is(422);
        assert!(refused.text("/fields/0/message").starts_with(message), "{refused:?}");
    }
    let settings = |category: &str| {
        Some(json!({"prices_include_tax": true, "based_on": "destination", "shipping_category": category}))
    };
    let refused = boss.send("PUT", "/admin/tax-settings", settings("nope")).await.refuses(422, "invalid");
    assert_eq!(
        (refused.text("/fields/0/field"), refused.text("/fields/0/code")),
        ("shipping_category".into(), "not_a_choice".into())
    );
    assert!(refused.text("/fields/0/message").starts_with("No tax rate has this category."), "{refused:?}");
    let rate =
        json!({"country": "UK", "tax_category": "books", "name": "VAT", "kind": "plain", "rate_ppm": 50_000});
    boss.once("/admin/tax-rates", rate).await.is(201);
    let rates = boss.get("/admin/tax-rates").await.is(200);
    assert!(
        rates.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|rate| rate["country"] == "GB" && rate["tax_category"] == "books")
    );
    boss.send("PUT", "/admin/tax-settings", settings("books")).await.is(200);
    let item = |amount: i64| json!({"country": "uk", "tax_category": "books", "price": {"amount": amount, "currency": "INR"}});
    let tax = boss.post("/admin/tax-rates/preview", item(10_500)).await.is(200);
    assert_eq!(tax.body["items"][0]["amount"]["amount"], 500);
    let refused = boss.post("/admin/tax-rates/preview", item(-1)).await.refuses(422, "invalid");
    assert_eq!(refused.text("/fields/0/field"), "price");
    program.close();
}

/// Without JavaScript, a button sends the form with the page's address, and the page shows it with its preview.
#[tokio::test(flavor = "multi_thread")]
async fn previews_need_no_javascript() {
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT_ADMIN_PASSWORD", PASSWORD);
    program.set("HAAT__MARKET__CURRENCIES", "EUR");
    program.run_ok(&["admin", "create", "--email", "boss@haat.example"]);
    program.start().await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let made = meena.once("/shops/meena-crafts/products", product("Clay jug")).await.is(201);
    let (seller, boss) = (Shopper::new(&program), Shopper::new(&program));
    seller.post("/sign-in", &[("email", "meena@haat.example"), ("password", PASSWORD)]).await;
    boss.post("/sign-in", &[("email", "boss@haat.example"), ("password", PASSWORD)]).await;
    let product = |page: &str| format!("/seller/meena-crafts/products/{}/{page}", made.text("/id"));
    let (sales, prices) = (product("sales"), product("prices"));
    let price = format!("prices.{}=7&preview_quantity=3", made.text("/product/variants/0/id"));
    for (who, path, typed, shown) in [
        (
            &seller,
            "/seller/meena-crafts/promotions",
            "edit=new&label=Sale&kind=percent&percent=10&preview_quantity=3&preview_price=150",
            // Shipping costs 10.
            ["₹415.00", "value=\"Sale\""],
        ),
        (
            &seller,
            "/seller/meena-crafts/promotions",
            "edit=new&label=Sale&kind=free_shipping&minimum=500&preview_quantity=3&preview_price=150&preview_shipping=49",
            ["₹499.00", "because the items cost less than ₹500.00"],
        ),
        (
            &seller,
            "/seller/meena-crafts/promotions",
            "edit=new&label=Sale&kind=free_shipping&preview_quantity=3&preview_price=150&preview_shipping=49",
            ["−₹49.00", "₹450.00"],
        ),
        (&seller, prices.as_str(), &price, ["3 × ", "€21.00"]),
        (
            &boss,
            "/admin/promotions",
            "edit=new&label=Sale&kind=buy_get&buy=2&get=1&preview_quantity=3&preview_price=150&preview_shipping=0",
            ["₹300.00", "value=\"Sale\""],
        ),
        (
            &seller,
            "/seller/meena-crafts/shipping",
            "edit=new&name=South&areas=IN-KA&standard.offered=true&standard.by=flat&standard.rates=77&standard.days_min=1&standard.days_max=2&preview_country=IN&preview_region=Karnataka&preview_value=100",
            ["₹77.00", "value=\"South\""],
        ),
        (
            &seller,
            "/seller/meena-crafts/shipping",
            "preview_country=IN&preview_postal_code=560001&preview_value=1000",
            ["Zone: ", "value=\"560001\""],
        ),
        (
            &seller,
            sales.as_str(),
            "percent=50&preview_quantity=4",
            ["₹1,298.00 instead of ₹2,596.00", "value=\"50\""],
        ),
        (
            &boss,
            "/admin/gift-cards",
            "amount=500&currency=INR&preview_total=1200",
            ["₹700.00", "value=\"500\""],
        ),
        (
            &boss,
            "/admin/taxes",
            "country=GB&tax_category=books&name=VAT&percent=10&kind=plain&from_country=GB&to_country=&price=110",
            // The buyer is where the rate is, unless they are said to be elsewhere.
            ["<dd>₹10.00", "value=\"VAT\""],
        ),
        (
            &boss,
            "/admin/taxes",
            "country=GB&tax_category=boks&name=VAT&percent=0&kind=plain&to_country=GB&price=110",
            ["At 0%, no tax is charged.", "No category of products has this tax category."],
        ),
        (
            &boss,
            "/admin/currencies",
            "action=set&currency=EUR&rate=0.011&preview_price=2000",
            ["<p>€22.00", "value=\"0.011\""],
        ),
    ] {
        let (status, page) = who.get(&format!("{path}?{typed}&preview=1")).await;
        assert_eq!(status, 200);
        for shown in shown {
            assert!(page.contains(shown), "{path} {shown}: {page}");
        }
    }
    // A list of rates is filtered by a form as well.
    let operator = Robot::new(&program).signed_in("boss@haat.example").await;
    for (country, name) in [("BR", "Brazilian tax"), ("ZA", "South African tax")] {
        let rate = json!({"country": country, "tax_category": "books", "name": name, "kind": "plain", "rate_ppm": 50_000});
        operator.once("/admin/tax-rates", rate).await.is(201);
    }
    for (of, shown) in
        [("", (true, true)), ("BR", (true, false)), ("ZA", (false, true)), ("FR", (false, false))]
    {
        let (_, page) = boss.get(&format!("/admin/taxes?of={of}")).await;
        assert_eq!((page.contains("Brazilian tax 5%"), page.contains("South African tax 5%")), shown, "{of}");
    }
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_lists_sells_and_sends() {
    let program = Program::serve(On::Sqlite).await;
    let guest = Robot::new(&program);
    let meena = guest.signed_in("meena@haat.example").await;
    let create = meena.with("idempotency-key", "jug");
    let made = create.post("/shops/meena-crafts/products", product("Clay jug")).await.is(201);
    assert_eq!(
        create.post("/shops/meena-crafts/products", product("Clay jug")).await.is(201).body,
        made.body
    );
    create.post("/shops/meena-crafts/products", product("Clay pot")).await.refuses(409, "key_reused");
    assert_eq!(
        (made.text("/status"), &made.body["product"]["variants"][0]["stock"]),
        ("draft".into(), &json!(5))
    );
    let (id, slug) = (made.text("/id"), made.text("/slug"));
    let variant = made.text("/product/variants/0/id");
    guest.get(&format!("/products/{slug}")).await.refuses(404, "not_found");
    meena.post(&format!("/shops/meena-crafts/products/{id}/publish"), json!({})).await.is(204);
    guest.get(&format!("/products/{slug}")).await.is(200);

    let stock = format!("/shops/meena-crafts/variants/{variant}/stock");
    let more = meena.with("idempotency-key", "delivery-7");
    for _ in 0..2 {
        more.post(&stock, json!({"change": 3})).await.is(204);
    }
    more.post(&stock, json!({"change": 4})).await.refuses(409, "key_reused");
    let few = meena.once(&stock, json!({"change": -9})).await.refuses(422, "invalid");
    assert_eq!(few.body["fields"][0]["field"], "change");
    assert_eq!(guest.get(&format!("/products/{slug}")).await.body["variants"][0]["available"], 8);

    let mut dollars = product("Clay cup");
    dollars["variants"][0]["price"]["currency"] = json!("USD");
    let refused = meena.once("/shops/meena-crafts/products", dollars).await.refuses(422, "invalid");
    assert_eq!(refused.body["fields"][0]["field"], "variants.0.price");

    let (_, number, key) = guest.buy("meena-crafts").await;
    let order = format!("{number}-1");
    let listed = meena.get(&format!("/shops/meena-crafts/orders?q={number}&status=placed")).await.is(200);
    assert_eq!(listed.text("/items/0/number"), order);
    let path = format!("/shops/meena-crafts/orders/{order}");
    let parcel = json!({"carrier": "India Post", "tracking_number": "RX1"});
    let early = meena.once(&format!("{path}/ship"), parcel.clone()).await.refuses(409, "order_moved");
    assert_eq!(early.text("/order_status"), "placed");
    meena.once(&format!("{path}/confirm"), json!({})).await.is(204);
    let ship = meena.with("idempotency-key", "parcel");
    ship.post(&format!("{path}/ship"), parcel.clone()).await.is(204);
    ship.post(&format!("{path}/ship"), parcel).await.is(204);
    let other = json!({"carrier": "India Post", "tracking_number": "RX2"});
    ship.post(&format!("{path}/ship"), other).await.refuses(409, "key_reused");
    meena.once(&format!("{path}/deliver"), json!({})).await.is(204);
    let delivered = guest.get(&format!("/purchases/{number}?key={key}")).await.is(200);
    assert_eq!(delivered.text("/orders/0/status"), "delivered");
    assert_eq!(delivered.text("/orders/0/shipments/0/tracking/tracking_number"), "RX1");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn images_of_a_product_are_added_and_removed() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let guest = Robot::new(&program);
        let meena = guest.signed_in("meena@haat.example").await;
        let made = meena.once("/shops/meena-crafts/products", product("Clay bowl")).await.is(201);
        let path = format!("/shops/meena-crafts/products/{}/images", made.text("/id"));
        let front = meena.bring(&path, "image/png", png(1)).await.is(201);
        assert_eq!((&front.body["width"], front.text("/alt")), (&json!(90), String::new()));
        let again = meena.bring(&format!("{path}?alt=The%20front"), "image/png", png(1)).await.is(201);
        assert_eq!((again.text("/id"), again.text("/alt")), (front.text("/id"), "The front".into()));
        let back = meena.bring(&path, "application/octet-stream", png(2)).await.is(201);
        let (front, back) = (format!("{path}/{}", front.text("/id")), format!("{path}/{}", back.text("/id")));
        meena.send("PATCH", &back, Some(json!({"alt": "The back"}))).await.is(204);
        let shown = meena.get(&path).await.is(200);
        assert_eq!(
            (shown.text("/items/0/alt"), shown.text("/items/1/alt")),
            ("The front".into(), "The back".into())
        );
        let file = program.at(&format!("/media/{}-320.webp", shown.text("/items/0/id")));
        assert_eq!(guest.client.get(file).send().await.unwrap().status(), 200);
        meena.send("DELETE", &front, None).await.is(204);
        meena.send("DELETE", &front, None).await.refuses(404, "not_found");
        meena.send("PATCH", &front, Some(json!({"alt": ""}))).await.refuses(404, "not_found");
        assert_eq!(meena.get(&path).await.is(200).text("/items/0/alt"), "The back");

        for (bytes, code) in [
            (b"GIF89a".to_vec(), "not_a_picture"),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), "not_a_picture"),
            (png(3)[..60].to_vec(), "picture_broken"),
            (Vec::new(), "missing"),
        ] {
            let refused = meena.bring(&path, "image/png", bytes).await.refuses(422, "invalid");
            assert_eq!(
                (refused.text("/fields/0/field"), refused.text("/fields/0/code")),
                ("picture".into(), code.into())
            );
        }
        let long = format!("{path}?alt={}", "x".repeat(301));
        let refused = meena.bring(&long, "image/png", png(4)).await.refuses(422, "invalid");
        assert_eq!(refused.text("/fields/0/field"), "alt");
        for kind in ["application/json", "image/gif", "multipart/form-data; boundary=x"] {
            meena.bring(&path, kind, png(4)).await.refuses(415, "unsupported_media_type");
        }
        let heic = include_bytes!("../../../gateways/fixtures/phone.heic").to_vec();
        for (kind, bytes, says) in [
            ("image/gif", b"GIF89a".to_vec(), "JPEG, PNG or WebP"),
            ("image/heic", heic.clone(), "Most Compatible"),
            ("image/whatever", heic.clone(), "Most Compatible"),
        ] {
            let refused = meena.bring(&path, kind, bytes).await.refuses(415, "unsupported_media_type");
            assert!(refused.text("/detail").contains(says), "{refused:?}");
        }
        let refused = meena.bring(&path, "image/jpeg", heic).await.refuses(422, "invalid");
        assert_eq!(refused.text("/fields/0/code"), "picture_heic");
        let moves = include_bytes!("../../../gateways/fixtures/animated.webp").to_vec();
        let first = meena.bring(&path, "image/webp", moves).await.is(201);
        assert_eq!(first.body["animated"], true, "{first:?}");
        let front = format!("{path}/{}", first.text("/id"));
        assert_eq!(meena.get(&path).await.is(200).body["items"][0].get("animated"), None);
        meena.send("DELETE", &front, None).await.is(204);
        // More than any other route takes is fine here, up to what a picture may weigh.
        let padded = |size: usize| [png(5), vec![0; size]].concat();
        meena.bring(&path, "image/png", padded(1_000_000)).await.is(201);
        meena
            .bring(&path, "image/png", padded(haat_shared::media::BYTES_MAX))
            .await
            .refuses(413, "too_large");
        for red in 10..16 {
            meena.bring(&path, "image/png", png(red)).await.is(201);
        }
        let full = meena.bring(&path, "image/png", png(99)).await.refuses(422, "invalid");
        assert_eq!(
            (full.text("/fields/0/field"), full.text("/fields/0/code")),
            ("pictures".into(), "too_many".into())
        );
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_editor_names_variants_and_values_where_there_are_options() {
    let program = Program::serve(On::Sqlite).await;
    let meena = Robot::new(&program).signed_in("meena@haat.example").await;
    let seller = Shopper::new(&program);
    seller.post("/sign-in", &[("email", "meena@haat.example"), ("password", PASSWORD)]).await;
    let editor = async |product: Value| {
        let made = meena.once("/shops/meena-crafts/products", product).await.is(201);
        seller.get(&format!("/seller/meena-crafts/products/{}", made.text("/id"))).await.1
    };
    let simple = editor(product("Clay jug")).await;
    assert!(simple.contains("name=\"variants.") && !simple.contains("Variant 1"), "{simple}");
    let mut shirts = product("Shirt");
    let price = shirts["variants"][0]["price"].clone();
    shirts["options"] = json!(["Size"]);
    shirts["variants"] =
        ["Small", "Large"].map(|size| json!({"options": [size], "price": price, "stock": 1})).into();
    let made = meena.once("/shops/meena-crafts/products", shirts).await.is(201);
    let path = format!("/meena-crafts/products/{}", made.text("/id"));
    let editor = seller.get(&format!("/seller{path}")).await.1;
    for shown in ["Variant 1", "Variant 2", "value=\"Size\"", "Remove Small", "value=\"Large\""] {
        assert!(editor.contains(shown), "{shown}: {editor}");
    }
    // Shoppers see what is chosen by the option's name, too.
    meena.post(&format!("/shops{path}/publish"), json!({})).await.is(204);
    let slugs = seller.slugs("/shops/meena-crafts", 99).await;
    let slug = slugs.iter().find(|slug| slug.starts_with("shirt")).unwrap();
    let (_, page) = seller.get(&format!("/p/{slug}")).await;
    for shown in ["<legend>Size<", "<span>Small<", "<span>Large<"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn coupons_are_exported_and_imported_as_csv() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let meena = Robot::new(&program).signed_in("meena@haat.example").await;
        let path = "/shops/meena-crafts/promotions";
        let table =
            b"code,label,kind,percent\r\nTEN,Ten % off,percent,10\r\nHALF,\"=Half\",percent,50\r\n".to_vec();
        let import = async |kind, table| meena.bring(&format!("{path}/import"), kind, table).await;
        let done = import("text/csv", table.clone()).await.is(200);
        assert_eq!(done.body, json!({"created": 2, "updated": 0, "unchanged": 0}));
        let exported = meena.get(&format!("{path}/export")).await.is(200);
        assert_eq!(exported.header("content-type"), "text/csv");
        let exported = exported.text("");
        assert!(exported.contains("HALF,'=Half,percent,50,"), "{exported}");
        let again = import("text/csv", exported.clone().into_bytes()).await.is(200);
        assert_eq!(again.body, json!({"created": 0, "updated": 0, "unchanged": 2}));
        // With the line and the column.
        let wrong = exported.replace("HALF,'=Half,percent,50,", "HALF,Half,percent,500,");
        let refused = import("text/csv", wrong.into_bytes()).await.is(422);
        assert_eq!(refused.text("/fields/0/field"), "lines.3.percent");
        assert_eq!(refused.text("/fields/0/code"), "too_big");
        import("application/json", table).await.is(415);
        assert_eq!(meena.get(&format!("{path}/export")).await.text(""), exported);
        // What needs no code is shown with the product; what needs one isn't.
        let offer =
            json!({"label": "Three for two", "kind": "buy_get", "buy": 2, "get": 1, "combines": false});
        meena.once(path, offer).await.is(201);
        let slug = meena.get("/products?shop=meena-crafts&limit=1").await.is(200).text("/items/0/slug");
        let offers = meena.get(&format!("/products/{slug}/offers")).await.is(200).body;
        assert_eq!(offers["items"].as_array().unwrap().len(), 1, "{offers}");
        let expected =
            json!({"label": "Three for two", "kind": "buy_get", "percent_bp": 10_000, "buy": 2, "get": 1});
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&offers["items"][0][key], value, "{key}: {offers}");
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_exported_in_the_requested_format() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let meena = Robot::new(&program).signed_in("meena@haat.example").await;
        let hostile = "</title>]]><!-- & \u{fffe}=1+1";
        meena.once("/shops/meena-crafts/products", product(hostile)).await.is(201);
        // More than are read at once.
        program.import("meena-crafts", 0, 450);
        let path = "/shops/meena-crafts/products/export";
        let table = meena.get(path).await.is(200);
        assert_eq!(table.header("content-type"), "text/csv");
        let lines = meena.with("accept", "application/x-ndjson").get(path).await.is(200);
        assert_eq!(lines.header("content-type"), "application/x-ndjson");
        let lines = lines.text("");
        let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(records.len() > 450 && records.iter().any(|record| record["title"] == hostile), "{lines}");
        let variants: usize = records.iter().map(|record| record["variants"].as_array().unwrap().len()).sum();
        assert!(table.text("").starts_with("product,sku,title") && table.text("").lines().count() > variants);

        let xml = meena.with("accept", "text/html, application/xml;q=0.9").get(path).await.is(200);
        assert_eq!(xml.header("content-type"), "application/xml");
        let xml = xml.text("");
        assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<products>\n"), "{xml}");
        assert!(xml.ends_with("</product>\n</products>\n"), "{xml}");
        let count = |what: &str| xml.matches(what).count();
        assert_eq!((count("<product>"), count("<variant>"), count("<?xml")), (records.len(), variants, 1));
        assert!(xml.contains("<title>&lt;/title&gt;]]&gt;&lt;!-- &amp; \u{fffd}=1+1</title>"), "{xml}");
        assert_eq!(xml, program.run_ok(&["export", "products", "--shop", "meena-crafts", "--format", "xml"]));

        meena.with("accept", "application/json").get(path).await.refuses(406, "not_acceptable");
        let delta = Robot::new(&program).signed_in("delta@haat.example").await;
        delta.with("accept", "application/json").get(path).await.refuses(406, "not_acceptable");
        delta.get(path).await.refuses(404, "not_found");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_asks_for_what_its_products_say() {
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT_ADMIN_PASSWORD", PASSWORD);
    program.run_ok(&["admin", "create", "--email", "boss@haat.example"]);
    program.start().await;
    let guest = Robot::new(&program);
    let boss = guest.signed_in("boss@haat.example").await;
    let meena = guest.signed_in("meena@haat.example").await;
    let capacity = json!({"name": "Capacity", "kind": "number", "unit": "ml", "decimals": 1});
    boss.send("PUT", "/admin/attributes/capacity_ml", Some(capacity)).await.is(204);
    let options = json!([{"code": "clay", "name": "Clay"}, {"code": "glass", "name": "Glass"}]);
    let material = json!({"name": "Material", "kind": "choice", "options": options});
    boss.send("PUT", "/admin/attributes/made_of", Some(material)).await.is(204);
    let odd = json!({"name": "Odd", "kind": "number", "decimals": 7});
    let refused = boss.send("PUT", "/admin/attributes/odd", Some(odd)).await.refuses(422, "invalid");
    assert_eq!(refused.text("/fields/0/field"), "decimals");
    let asked = json!({"items": [{"code": "made_of", "required": true}, {"code": "capacity_ml"}]});
    boss.send("PUT", "/admin/categories/tableware/attributes", Some(asked)).await.is(204);
    let listed = guest.get("/categories/tableware/attributes").await.is(200);
    let codes: Vec<_> = listed.body["items"].as_array().unwrap().iter().map(|a| &a["code"]).collect();
    assert!(codes.ends_with(&[&json!("made_of"), &json!("capacity_ml")]), "{codes:?}");
    guest.get("/categories/lost/attributes").await.refuses(404, "not_found");

    let mut jug = product("Measured jug");
    jug["category"] = json!("tableware");
    let made = meena.once("/shops/meena-crafts/products", jug).await.is(201);
    let path = format!("/shops/meena-crafts/products/{}", made.text("/id"));
    let set = async |items: Value| {
        meena.send("PUT", &format!("{path}/attributes"), Some(json!({"items": items}))).await
    };
    let refused = set(json!([{"code": "capacity_ml", "value": "2.55"}])).await.refuses(422, "invalid");
    let errors = [("attributes.capacity_ml", "not_decimal"), ("attributes.made_of", "missing")];
    for (i, (field, code)) in errors.into_iter().enumerate() {
        assert_eq!(refused.text(&format!("/fields/{i}/field")), field, "{refused:?}");
        assert_eq!(refused.text(&format!("/fields/{i}/code")), code, "{refused:?}");
    }
    assert!(refused.text("/fields/0/message").contains("decimal places: 1"), "{refused:?}");
    let values = json!([{"code": "made_of", "value": "clay"}, {"code": "capacity_ml", "value": "750.50"}]);
    let kept = set(values).await.is(200);
    let shown = json!([{"code": "made_of", "value": "clay"}, {"code": "capacity_ml", "value": "750.5"}]);
    assert_eq!(kept.body["items"], shown);
    assert_eq!(meena.get(&format!("{path}/attributes")).await.is(200).body["items"], shown);
    meena.once(&format!("{path}/publish"), json!({})).await.is(204);
    let seen = guest.get(&format!("/products/{}", made.text("/slug"))).await.is(200);
    assert_eq!(seen.text("/typed_attributes/0/value"), "Clay");
    assert_eq!(seen.text("/typed_attributes/1/unit"), "ml");
    program.close();
}
