//! Who may ask for what over REST, from where, and how often.

use haat_shared::{
    access::Scope,
    permissions::AdminRole,
    routes::{
        API_ADD_APPOINTMENT, API_ADD_GIFT, API_ADD_MESSAGE_PICTURE, API_ADD_PICTURE, API_ADD_RETURN_PICTURE,
        API_ADD_SHOP_MESSAGE_PICTURE, API_ADD_TAX_RATE, API_COMPLETE_APPOINTMENT, API_CONNECT_PAYOUTS,
        API_DELETE_MARKET_PROMOTION, API_END_TAX_RATE, API_IMPORT_COUPONS, API_IMPORT_MARKET_COUPONS,
        API_LEAVE_SHOP, API_MISS_APPOINTMENT, API_REFUND_AS_OPERATOR, API_REFUND_GIFT_CARD,
        API_REMOVE_MEMBER, API_REMOVE_TAX_RATE, API_SAVE_MARKET_PROMOTION, API_SEND_IMPORT, Audience, REST,
        Route,
    },
};
use serde_json::{Value, json};

use super::{Answer, PASSWORD, Robot, input, offer_service, png, product};
use crate::program::*;

/// A file with one product.
const TABLE: &str = "sku,title,price\nT-1,Clay lamp,450\n";

/// Routes whose body is an image.
const PICTURES: [Route; 4] =
    [API_ADD_PICTURE, API_ADD_RETURN_PICTURE, API_ADD_MESSAGE_PICTURE, API_ADD_SHOP_MESSAGE_PICTURE];

/// Everyone there is, asking.
struct Cast {
    guest: Robot,
    shopper: Robot,
    meena: Robot,
    delta: Robot,
    operator: Robot,
    finance: Robot,
    reader: Robot,
    /// The slug of a service of Meena's.
    service: String,
}

impl Cast {
    async fn meet(program: &mut Program) -> Self {
        program.set("HAAT_ADMIN_PASSWORD", PASSWORD);
        program.set("HAAT__MARKET__CURRENCIES", "JPY");
        // Admins may decide on returns at once.
        program.set("HAAT__MARKET__RETURN_ANSWER_DAYS", "0");
        program.run_ok(&["admin", "create", "--email", "boss@haat.example"]);
        program.start().await;
        let guest = Robot::new(program);
        for (name, email) in
            [("Asha", "asha@haat.example"), ("Rita", "rita@haat.example"), ("Farah", "farah@haat.example")]
        {
            let form = [("name", name), ("email", email), ("password", PASSWORD)];
            Shopper::new(program).post("/sign-up", &form).await;
        }
        let operator = guest.signed_in("boss@haat.example").await;
        let (finance, reader) =
            (guest.signed_in("farah@haat.example").await, guest.signed_in("rita@haat.example").await);
        for (robot, role) in [(&finance, "finance"), (&reader, "read_only")] {
            let id = robot.get("/me").await.is(200).text("/id");
            operator.send("PUT", &format!("/admin/team/{id}/roles/{role}"), None).await.is(204);
        }
        let meena = guest.signed_in("meena@haat.example").await;
        let service = offer_service(program, "Pottery lesson").await;
        // What is bought below is the latest product.
        let made = meena.once("/shops/meena-crafts/products", jug()).await.is(201);
        let publish = format!("/shops/meena-crafts/products/{}/publish", made.text("/id"));
        meena.post(&publish, json!({})).await.is(204);
        Self {
            shopper: guest.signed_in("asha@haat.example").await,
            meena,
            delta: guest.signed_in("delta@haat.example").await,
            operator,
            finance,
            reader,
            guest,
            service,
        }
    }

    /// A new payout method of Meena's.
    async fn payout_method(&self) -> String {
        self.meena.once("/shops/meena-crafts/payout-methods", account()).await.is(201).text("/id")
    }

    /// Who may ask this.
    fn owner(&self, route: &Route) -> &Robot {
        match route.audience {
            Audience::Member => &self.meena,
            Audience::Operator(_) => &self.operator,
            _ => &self.shopper,
        }
    }

    /// Brings an order of Meena's to its customer; returns one item of its first line.
    async fn deliver(&self, purchase: &str) -> Value {
        let order = format!("/shops/meena-crafts/orders/{purchase}-1");
        self.meena.once(&format!("{order}/confirm"), json!({})).await.is(204);
        let parcel = json!({"carrier": "India Post", "tracking_number": "RX1"});
        self.meena.once(&format!("{order}/ship"), parcel).await.is(204);
        self.meena.once(&format!("{order}/deliver"), json!({})).await.is(204);
        let seen = self.meena.get(&order).await.is(200);
        json!([{"position": seen.body["order"]["order"]["lines"][0]["position"], "quantity": 1}])
    }

    /// An image of a return of a purchase that this customer made.
    async fn picture(&self, customer: &Robot, number: &str, key: &str) -> String {
        let lines = self.deliver(number).await;
        let order = |end: &str| format!("/purchases/{number}/orders/{number}-1/{end}?key={key}");
        let image = customer.bring(&order("images"), "image/png", png(9)).await.is(201).text("/id");
        let request = json!({"lines": lines, "reason": "damaged", "images": [image]});
        customer.once(&order("returns"), request).await.is(201);
        image
    }

    /// A request about a review: of the shopper's own, or else of another customer's.
    async fn about_review(&self, route: &Route, path: &str) -> (String, Option<Value>, Option<String>) {
        let (author, own) = match path.contains("/lines/") {
            true => (&self.shopper, true),
            false => (&self.delta, false),
        };
        let number = author.buy("meena-crafts").await.1;
        let lines = self.deliver(&number).await;
        let item = format!("/purchases/{number}/orders/{number}-1/lines/{}/review", lines[0]["position"]);
        let review = json!({"rating": 4, "title": "Fine", "text": "As described."});
        if own && route.method == "PUT" {
            return (item, Some(review), None);
        }
        let id = author.send("PUT", &item, Some(review)).await.is(200).text("/id");
        if own {
            return (item, None, None);
        }
        let slug = self.guest.get("/products?limit=1").await.is(200).text("/items/0/slug");
        let path = path.replace("{handle}", "meena-crafts").replace("{slug}", &slug).replace("{id}", &id);
        let body = match route.path.rsplit('/').next() {
            Some("reports") => Some(json!({"reason": "spam"})),
            Some("reply") if route.method == "PUT" => Some(json!({"reply": "Thank you."})),
            Some("{action}") => Some(json!({"version": 1, "note": "An advert"})),
            _ => None,
        };
        (path.replace("{action}", "hide"), body, None)
    }

    /// A request about a service, or an appointment of the shopper's.
    async fn about_service(&self, path: &str) -> (String, Option<Value>, Option<String>) {
        let path = path.replace("{slug}", &self.service).replace("{handle}", "meena-crafts");
        if path.starts_with("/services") || !path.contains('{') {
            return (path, None, None);
        }
        if path.starts_with("/carts/") {
            // A time that is over: nothing stays in the cart, which is paid for later.
            let (_, cart) = self.shopper.fill_cart("meena-crafts").await;
            let service = self.guest.get(&format!("/services/{}", self.service)).await.is(200);
            let new = json!({
                "service_slug": self.service,
                "provider_id": service.text("/providers/0/id"),
                "starts_at": "2020-01-01T10:00:00+05:30",
            });
            return (path.replace("{id}", &cart), Some(new), None);
        }
        let free = self.guest.get(&format!("/services/{}/times", self.service)).await.is(200);
        let time = |at: usize| {
            let time = &free.body["items"][at];
            json!({"provider_id": time["provider_id"], "starts_at": time["starts_at"]})
        };
        // So far ahead that customers may move and cancel it for free.
        let (number, _) = self.shopper.book(&self.service, &time(80)).await;
        let of = format!("/purchases/{number}/appointments");
        let id = self.shopper.get(&of).await.is(200).text("/items/0/id");
        let body = match path.rsplit('/').next() {
            Some("move") => time(84),
            Some("cancel") => json!({"refund": null}),
            _ => json!({}),
        };
        (path.replace("{number}", &number).replace("{id}", &id), Some(body), None)
    }

    /// A request for this route that does what its owner wants, about something of theirs that is there: method, path,
    /// body and, where it is asked for, the version.
    async fn request(&self, route: &Route) -> (String, Option<Value>, Option<String>) {
        let path = route.path.trim_start_matches("/api/v1").to_owned();
        let owner = self.owner(route);
        let mut tag = None;
        let (path, body) = match path.as_str() {
            "/keys/{id}" => {
                let key = json!({"name": "Books", "scopes": ["buy"]});
                (path.replace("{id}", &owner.post("/keys", key).await.is(201).text("/key/id")), None)
            }
            p if p.contains("/review") => return self.about_review(route, &path).await,
            p if p.contains("/services") || p.contains("/appointments") => {
                let (path, body, tag) = self.about_service(p).await;
                return (path, body.filter(|_| route.method != "GET"), tag);
            }
            p if p.contains("/conversations") => {
                let open = json!({"shop_handle": "meena-crafts"});
                let conversation =
                    self.shopper.post("/conversations", open.clone()).await.is(200).text("/id");
                let path = path.replace("{handle}", "meena-crafts").replace("{id}", &conversation);
                if !p.contains("{id}") {
                    let body = match route.audience {
                        Audience::Member => {
                            json!({"order_number": format!("{}-1", self.shopper.buy("meena-crafts").await.1)})
                        }
                        _ => open,
                    };
                    return (path, Some(body).filter(|_| route.method == "POST"), None);
                }
                let base = path[..path.find(&conversation).unwrap() + conversation.len()].to_owned();
                let image =
                    owner.bring(&format!("{base}/images"), "image/png", png(8)).await.is(201).text("/id");
                let message = message_id();
                let new = json!({"id": message, "text": "Hi", "images": [{"media": image, "alt": ""}]});
                owner.post(&format!("{base}/messages"), new).await.is(201);
                let path = path.replace("{message}", &message).replace("{image}", &image);
                if p.ends_with("/changes") {
                    return (format!("{path}?after_change=0"), None, None);
                }
                let body = match (route.method, p.rsplit('/').next()) {
                    ("POST", Some("messages")) => Some(json!({"id": message_id(), "text": "Is it glazed?"})),
                    ("POST", Some("read")) => Some(json!({"seq": 1})),
                    ("PATCH", _) => Some(json!({"text": "Hello"})),
                    _ => None,
                };
                (path, body)
            }
            "/countries/{code}" => ("/countries/IN".to_owned(), None),
            "/keys" => (path, Some(json!({"name": "Books", "scopes": ["buy"]}))),
            p if p.starts_with("/addresses") => {
                let address = json!({"name": "Asha Rao", "line1": "12 Lake Road", "city": "Pune", "postal_code": "411001", "country": "IN"});
                let new = json!({"label": "home", "address": address});
                if p == "/addresses" {
                    return (path, (route.method == "POST").then_some(new), None);
                }
                let id = owner.post("/addresses", new.clone()).await.is(201).text("/id");
                (path.replace("{id}", &id), (route.method == "PUT").then_some(new))
            }
            p if p.contains("/wishlist") => {
                let (_, cart) = owner.fill_cart("meena-crafts").await;
                let list = format!("/carts/{cart}/wishlist");
                let variant = json!({"variant_id": self.guest.variant("meena-crafts").await});
                let id = owner.post(&list, variant.clone()).await.is(200).text("/items/0/id");
                let add = p.ends_with("/wishlist") && route.method == "POST";
                (path.replace("{id}", &cart).replace("{item}", &id), add.then_some(variant))
            }
            p if p.starts_with("/carts/") && p.contains("/codes") => {
                let new = settings();
                let code = new["code"].as_str().unwrap().to_owned();
                self.meena.once("/shops/meena-crafts/promotions", new).await.is(201);
                let (_, cart) = owner.fill_cart("meena-crafts").await;
                if route.method == "DELETE" {
                    let entered = json!({"code": code});
                    owner.once(&format!("/carts/{cart}/codes"), entered).await.is(201);
                }
                let path = path.replace("{id}", &cart).replace("{code}", &code);
                (path, (route.method == "POST").then(|| json!({"code": code})))
            }
            "/admin/commission" => (path, (route.method == "PUT").then(|| json!({"rate_bp": 1_000}))),
            "/admin/categories" => {
                let name = settings()["code"].as_str().unwrap().to_owned();
                (path, (route.method == "POST").then(|| json!({"name": name})))
            }
            "/admin/categories/{slug}" => {
                let name = settings()["code"].as_str().unwrap().to_owned();
                let new = json!({"name": name});
                let slug = self.operator.once("/admin/categories", new.clone()).await.is(201).text("/slug");
                (path.replace("{slug}", &slug), (route.method == "PUT").then_some(new))
            }
            "/admin/tax-settings" => {
                let new =
                    json!({"prices_include_tax": true, "based_on": "destination", "shipping_category": ""});
                (path, (route.method == "PUT").then_some(new))
            }
            "/admin/tax-rates/preview" => {
                (path, Some(json!({"price": {"amount": 100, "currency": "INR"}, "tax_category": "standard"})))
            }
            p if p.starts_with("/gift-cards") || p.starts_with("/admin/gift-cards") => {
                let new = json!({"amount": {"amount": 500, "currency": "INR"}, "reason": "A late parcel"});
                let card = self.operator.post("/admin/gift-cards", new.clone()).await.is(201);
                let body = match p.rsplit('/').next() {
                    Some("balance") => Some(json!({"code": card.text("/code")})),
                    Some("gift-cards") if route.method == "POST" => Some(new),
                    _ => None,
                };
                (path.replace("{id}", &card.text("/id")), body)
            }
            p if p.starts_with("/admin/tax-rates") => {
                let category = settings()["code"].as_str().unwrap().to_lowercase();
                let new = json!({"country": "IN", "tax_category": category, "name": "GST", "kind": "gst", "rate_ppm": 180_000});
                let id = self.operator.once("/admin/tax-rates", new.clone()).await.is(201).text("/id");
                let body = (p == "/admin/tax-rates" && route.method == "POST").then(|| {
                    let mut other = new.clone();
                    (other["country"], other["kind"]) = (json!("JP"), json!("plain"));
                    other
                });
                (path.replace("{id}", &id), body)
            }
            p if p.contains("/promotions") => {
                let (list, of) = match p.strip_prefix("/admin") {
                    Some(_) => ("/admin/promotions", &self.operator),
                    None => ("/shops/meena-crafts/promotions", &self.meena),
                };
                let new = settings();
                let id = of.once(list, new.clone()).await.is(201).text("/id");
                let path = path.replace("{handle}", "meena-crafts").replace("{id}", &id);
                if route.method == "PUT" {
                    tag = Some(of.get(&path).await.is(200).header("etag").to_owned());
                }
                let body = route.method == "POST" && !p.ends_with("/end");
                // Sent more than once: only one promotion can have a code, and what stays the same changes no version.
                let body = match route.method {
                    "PUT" => Some(new),
                    _ => body.then(
                        || json!({"label": "Sale", "kind": "percent", "percent_bp": 1_000, "combines": true}),
                    ),
                };
                (path, body)
            }
            p if p.starts_with("/carts/") => {
                let (_, cart) = owner.fill_cart("meena-crafts").await;
                let view = owner.get(&format!("/carts/{cart}")).await.is(200);
                let gift = json!({"amount": {"amount": 50_000, "currency": "INR"}});
                if p.ends_with("/gift-cards/{gift}") {
                    let gifts = format!("/carts/{cart}/gift-cards");
                    let filled = owner.once(&gifts, gift).await.is(201);
                    return (format!("{gifts}/{}", filled.text("/gifts/0/id")), None, None);
                }
                let path = path.replace("{id}", &cart).replace("{line}", &view.text("/groups/0/lines/0/id"));
                let body = match route.method {
                    // Too little: nothing stays in the cart, which is paid in cash later.
                    "POST" if p.ends_with("/gift-cards") => {
                        Some(json!({"amount": {"amount": 1, "currency": "INR"}}))
                    }
                    "POST" => {
                        Some(json!({"variant_id": view.text("/groups/0/lines/0/variant_id"), "quantity": 1}))
                    }
                    "PATCH" => Some(json!({"quantity": 3})),
                    _ => None,
                };
                (path, body)
            }
            "/checkouts" => (path, Some(input(&owner.fill_cart("meena-crafts").await.1))),
            p if p.starts_with("/checkouts/") => {
                let mut input = input(&owner.fill_cart("meena-crafts").await.1);
                let checkout = owner.once("/checkouts", input.clone()).await.is(201).text("/id");
                input.as_object_mut().unwrap().remove("cart_id");
                let body = if p.ends_with("/pay") { json!({}) } else { input };
                (path.replace("{id}", &checkout), Some(body))
            }
            p if p.starts_with("/purchases/") => {
                let (_, number, _) = owner.buy("meena-crafts").await;
                let path = path.replace("{number}", &number).replace("{order}", &format!("{number}-1"));
                if p.contains("/gift-cards/") {
                    return (path.replace("{gift}", "gift_00000000000000000000000000"), None, None);
                }
                if p.ends_with("/images/{image}") {
                    let image = self.picture(owner, &number, "").await;
                    return (path.replace("{image}", &image), None, None);
                }
                if p.ends_with("/images") {
                    return (path, None, None);
                }
                if !p.contains("/returns") {
                    return (path, (route.method != "GET").then(|| json!({"reason": "Too late"})), None);
                }
                let lines = self.deliver(&number).await;
                let request = json!({"lines": lines, "reason": "damaged"});
                if p.ends_with("/returns") {
                    return (path, Some(request), None);
                }
                let asked = owner.once(path.split("/{return}").next().unwrap(), request).await.is(201);
                (path.replace("{return}", &asked.text("/orders/0/returns/0/id")), Some(json!({})))
            }
            "/shops" => {
                let handle = format!("stall-{}", haat_engine::random::number().to_lowercase());
                let settings =
                    self.meena.get("/shops/meena-crafts/settings").await.is(200).body["settings"].clone();
                let price = json!({"amount": 4_900, "currency": "INR"});
                (path, Some(json!({"handle": handle, "settings": settings, "shipping_price": price})))
            }
            // A request of a customer, which the shop or an admin answers.
            p if p.contains("{return}") && !p.ends_with("/receive") => {
                let (holder, number, key) = self.guest.buy("meena-crafts").await;
                let lines = self.deliver(&number).await;
                let mut request = json!({"lines": lines, "reason": "damaged"});
                if p.ends_with("/exchange") {
                    let seen = holder.get(&format!("/purchases/{number}?key={key}")).await.is(200);
                    let same = &seen.body["orders"][0]["exchange_options"][0];
                    request["exchange"] =
                        json!([{"position": same["position"], "variant_id": same["variant_id"]}]);
                }
                let returns = format!("/purchases/{number}/orders/{number}-1/returns?key={key}");
                let id = holder.once(&returns, request).await.is(201).text("/orders/0/returns/0/id");
                let path =
                    path.replace("{handle}", "meena-crafts").replace("{number}", &format!("{number}-1"));
                let path = path.replace("{return}", &id);
                if p.ends_with("/refund") {
                    let approve = path.replace("/refund", "/approve");
                    self.meena.once(&approve, json!({"note": "Kiln Lane 4"})).await.is(204);
                }
                if let Some(back) = path.strip_suffix("/exchange") {
                    self.meena.once(&format!("{back}/approve"), json!({"note": "Kiln Lane 4"})).await.is(204);
                    self.meena.once(&format!("{back}/receive"), json!({"restock": true})).await.is(204);
                }
                let body = match p.rsplit('/').next() {
                    Some("approve") => json!({"note": "Kiln Lane 4"}),
                    Some("exchange") => json!({}),
                    Some("reject") => json!({"reason": "It was used"}),
                    _ => json!({"shipping": true}),
                };
                (path, Some(body))
            }
            p if p.ends_with("/orders/{number}/images/{image}") => {
                let (holder, number, key) = self.guest.buy("meena-crafts").await;
                let image = self.picture(&holder, &number, &key).await;
                let path = path.replace("{handle}", "meena-crafts").replace("{image}", &image);
                (path.replace("{number}", &format!("{number}-1")), None)
            }
            p if p.contains("{number}") => {
                let (_, number, _) = self.guest.buy("meena-crafts").await;
                let path =
                    path.replace("{handle}", "meena-crafts").replace("{number}", &format!("{number}-1"));
                // An object of the order is in the path.
                let (_, step) = path.split_once("/orders/").unwrap();
                let (order, step) = step.split_once('/').unwrap_or((step, ""));
                // Its shop takes the steps before, whoever takes this one.
                let base = format!("/shops/meena-crafts/orders/{order}");
                let at = (base.as_str(), step);
                let confirmed = ["ship", "deliver", "shipments", "refunds"].contains(&step);
                if confirmed || step.contains('{') || step == "returns" {
                    self.meena.once(&format!("{}/confirm", at.0), json!({})).await.is(204);
                }
                if ["deliver", "returns", "refunds"].contains(&step) || step.contains('{') {
                    let parcel = json!({"carrier": "India Post", "tracking_number": "RX1"});
                    self.meena.once(&format!("{}/ship", at.0), parcel).await.is(204);
                }
                // The shop refunds what it collected itself: cash, on delivery.
                if step == "refunds" {
                    self.meena.once(&format!("{}/deliver", at.0), json!({})).await.is(204);
                }
                let seen = self.meena.get(at.0).await.is(200);
                let lines =
                    json!([{"position": seen.body["order"]["order"]["lines"][0]["position"], "quantity": 1}]);
                let mut path = path.clone();
                if step.starts_with("shipments/") {
                    let events = seen.body["events"].as_array().unwrap();
                    let shipment = events.iter().find_map(|event| event["shipment_id"].as_str()).unwrap();
                    path = path.replace("{shipment}", shipment);
                }
                if step.starts_with("returns/") {
                    let new = json!({"lines": lines, "reason": "Too big"});
                    let seen = self.meena.once(&format!("{}/returns", at.0), new).await.is(201);
                    let events = seen.body["events"].as_array().unwrap();
                    let id = events.iter().find_map(|event| event["return_id"].as_str()).unwrap();
                    path = path.replace("{return}", id);
                }
                let body = match step {
                    "ship" => json!({"carrier": "India Post", "tracking_number": "RX1"}),
                    "shipments" => json!({"lines": lines, "carrier": "India Post", "tracking_number": "RX1"}),
                    "shipments/{shipment}" => json!({"carrier": "India Post", "tracking_number": "RX2"}),
                    "refunds" => json!({"lines": lines, "reason": "Chipped"}),
                    "returns" => json!({"lines": lines, "reason": "Too big"}),
                    "returns/{return}/receive" => json!({"restock": true}),
                    _ => json!({"reason": "Broken"}),
                };
                (path, Some(body))
            }
            p if p.contains("/variants/{id}/prices") => {
                let variant = self.guest.variant("meena-crafts").await;
                let path = path.replace("{handle}", "meena-crafts").replace("{id}", &variant);
                (path.replace("{currency}", "JPY"), Some(json!({"amount": 900})))
            }
            "/admin/currencies/{code}/rate" => {
                (path.replace("{code}", "JPY"), Some(json!({"numerator": 9, "denominator": 5})))
            }
            p if p.contains("/variants/{id}") => {
                let variant = self.guest.variant("meena-crafts").await;
                let path = path.replace("{handle}", "meena-crafts").replace("{id}", &variant);
                (path, Some(json!({"change": 1})))
            }
            p if p.contains("/products/{id}/images") && route.method != "GET" && route.method != "PUT" => {
                let made = self.meena.once("/shops/meena-crafts/products", jug()).await.is(201);
                let pictures = format!("/shops/meena-crafts/products/{}/images", made.text("/id"));
                let picture = self.meena.bring(&pictures, "image/png", png(7)).await.is(201).text("/id");
                match route.method {
                    "POST" => (pictures, None),
                    _ => (format!("{pictures}/{picture}"), Some(json!({"alt": "A jug"}))),
                }
            }
            p if p.contains("/sale-events") => {
                let now = haat_engine::Clock::default().now_ms();
                let in_days = |days: i64| haat_engine::clock::rfc3339(now + days * 86_400_000);
                let mut event = json!({"title": "Festival of clay", "ends_at": in_days(600)});
                let list = "/shops/meena-crafts/sale-events";
                if !p.contains("{id}") {
                    let body = (route.method == "POST").then_some(event);
                    return (path.replace("{handle}", "meena-crafts"), body, None);
                }
                if !p.ends_with("/end") {
                    event["starts_at"] = json!(in_days(300));
                }
                let made = self.meena.once("/shops/meena-crafts/products", jug()).await.is(201);
                let product = made.text("/id");
                let publish = format!("/shops/meena-crafts/products/{product}/publish");
                self.meena.post(&publish, json!({})).await.is(204);
                let id = self.meena.once(list, event.clone()).await.is(201).text("/id");
                let new = json!({"product_id": product, "percent_bp": 1_000});
                let products = format!("{list}/{id}/products");
                let adds = p.ends_with("/products");
                let path = path.replace("{handle}", "meena-crafts").replace("{id}", &id);
                if adds {
                    return (path, Some(new), None);
                }
                let sale = self.meena.once(&products, new).await.is(201).text("/items/0/sale_id");
                (path.replace("{sale}", &sale), (route.method == "PUT").then_some(event))
            }
            p if p.contains("/products/{id}/sales") => {
                let made = self.meena.once("/shops/meena-crafts/products", jug()).await.is(201);
                let sales = format!("/shops/meena-crafts/products/{}/sales", made.text("/id"));
                let now = haat_engine::Clock::default().now_ms();
                let in_days = |days: i64| haat_engine::clock::rfc3339(now + days * 86_400_000);
                let mut new = json!({"ends_at": in_days(600), "percent_bp": 1_000});
                if route.method == "POST" && path.ends_with("/sales") || route.method == "GET" {
                    return (sales, (route.method == "POST").then_some(new), None);
                }
                if route.method == "DELETE" {
                    new["starts_at"] = json!(in_days(300));
                }
                let id = self.meena.once(&sales, new).await.is(201).text("/id");
                let end = path.split("{sale}").nth(1).unwrap();
                (format!("{sales}/{id}{end}"), None)
            }
            p if p.contains("/products/{id}") => {
                let made = self.meena.once("/shops/meena-crafts/products", jug()).await.is(201);
                let list = p.ends_with("/images") || p.ends_with("/attributes");
                let path = path.replace("{handle}", "meena-crafts").replace("{id}", &made.text("/id"));
                if route.method == "PUT" && !list {
                    tag = Some(self.meena.get(&path).await.is(200).header("etag").to_owned());
                }
                (path, Some(if list { json!({"items": []}) } else { made.body["product"].clone() }))
            }
            p if p.ends_with("/settings") => {
                let path = path.replace("{handle}", "meena-crafts");
                let read = self.meena.get(&path).await.is(200);
                tag = Some(read.header("etag").to_owned());
                (path, Some(read.body["settings"].clone()))
            }
            "/shops/{handle}/shipping" => {
                let path = path.replace("{handle}", "meena-crafts");
                let read = self.meena.get(&path).await.is(200);
                tag = Some(read.header("etag").to_owned());
                (path, Some(read.body.clone()))
            }
            "/shops/{handle}/shipping/preview" => {
                let value = json!({"amount": 45_000, "currency": "INR"});
                let basket = json!({"country": "IN", "value": value, "items": 1});
                (path.replace("{handle}", "meena-crafts"), Some(basket))
            }
            "/shops/{handle}/products" => ("/shops/meena-crafts/products".into(), Some(jug())),
            p if p.contains("/imports/{id}") => {
                let path = path.replace("{handle}", "meena-crafts");
                let sent = self.meena.bring("/shops/meena-crafts/imports", "text/csv", TABLE.into()).await;
                (path.replace("{id}", &sent.is(201).text("/id")), Some(json!({})))
            }
            p if p.contains("/payments/{id}") => {
                let mut input = input(&self.shopper.fill_cart("meena-crafts").await.1);
                input["payment_method"] = json!("sandbox");
                let checkout = self.shopper.once("/checkouts", input).await.is(201).text("/id");
                self.shopper.once(&format!("/checkouts/{checkout}/pay"), json!({})).await.is(200);
                let id = self.operator.get("/admin/payments?limit=1").await.is(200).text("/items/0/id");
                (path.replace("{id}", &id).replace("{action}", "check"), None)
            }
            p if p.contains("/team/{user}") => {
                let id = self.operator.get("/me").await.is(200).text("/id");
                let path = path.replace("{user}", &id).replace("{role}", "support");
                if route.method == "DELETE" {
                    self.operator.send("PUT", &path, None).await.is(204);
                }
                (path, None)
            }
            p if p.contains("/members/{user}") || p.ends_with("/leave") => {
                let id = self.meena.get("/me").await.is(200).text("/id");
                let path = path.replace("{handle}", "meena-crafts").replace("{user}", &id);
                // The last owner stays one.
                (path, (route.method == "PUT").then(|| json!({"role": "owner"})))
            }
            p if p.starts_with("/shops/{handle}/invitations") => {
                let to = |name: &str| json!({"email": format!("{name}@haat.example"), "role": "support"});
                let all = "/shops/meena-crafts/invitations".to_owned();
                let someone = to(&format!("someone{}", haat_engine::Clock::default().now_ms()));
                if path == "/shops/{handle}/invitations" {
                    return (all, (route.method == "POST").then_some(someone), None);
                }
                let id = self.meena.send("POST", &all, Some(someone)).await.is(201).text("/id");
                (path.replace("{handle}", "meena-crafts").replace("{id}", &id), None)
            }
            // No gateway of this market saves cards.
            "/notifications/{id}/read" => {
                owner.buy("meena-crafts").await;
                let id = loop {
                    let seen = owner.get("/notifications").await.is(200);
                    match seen.body["items"][0]["id"].as_str() {
                        Some(id) => break id.to_owned(),
                        None => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                    }
                };
                (path.replace("{id}", &id), None)
            }
            "/notification-preferences" => {
                let new = json!({"items": [{"topic": "purchases", "email": true, "in_app": true}]});
                (path, (route.method == "PUT").then_some(new))
            }
            "/cards/{id}" => (path.replace("{id}", "pm_00000"), None),
            // Nothing is available to withdraw in this market, so there is no payout either.
            p if p.contains("/payouts/{id}") => {
                let body = match p.rsplit('/').next() {
                    Some("send") => Some(json!({"reference": "UTR1"})),
                    Some("reject" | "return") => Some(json!({"reason": "No"})),
                    _ => None,
                };
                (path.replace("{id}", "payout_00000000000000000000000000"), body)
            }
            p if p.ends_with("/payouts") && route.method == "POST" => {
                let method = self.payout_method().await;
                let amount = json!({"amount": 100_000, "currency": "INR"});
                let path = path.replace("{handle}", "meena-crafts");
                (path, Some(json!({"amount": amount, "method": method})))
            }
            // Connecting accounts is off.
            "/shops/{handle}/payout-methods/stripe" => {
                ("/shops/meena-crafts/payout-methods/stripe".into(), None)
            }
            "/shops/{handle}/payout-methods" => {
                ("/shops/meena-crafts/payout-methods".into(), Some(account()))
            }
            "/shops/{handle}/payout-methods/{id}" => {
                (format!("/shops/meena-crafts/payout-methods/{}", self.payout_method().await), None)
            }
            // No refund came back in this market: to everyone there is no such one.
            p if p.contains("/refunds/{id}") => {
                let note = p.ends_with("/settle").then(|| json!({"note": "UTR1"}));
                (path.replace("{id}", "ref_00000000000000000000000000"), note)
            }
            // No work is given up in this market: to everyone there is no such job.
            p if p.contains("/jobs/{id}") => (path.replace("{id}", "job_00000000000000000000000000"), None),
            "/products/{slug}" | "/products/{slug}/related" | "/products/{slug}/offers" => {
                let slug = self.guest.get("/products?limit=1").await.is(200).text("/items/0/slug");
                (path.replace("{slug}", &slug), None)
            }
            "/admin/attributes/{code}" => {
                (path.replace("{code}", "material"), Some(json!({"name": "Material", "kind": "text"})))
            }
            "/admin/categories/{slug}/attributes" => {
                (path.replace("{slug}", "tableware"), Some(json!({"items": []})))
            }
            "/categories/{slug}" | "/categories/{slug}/attributes" => {
                (path.replace("{slug}", "tableware"), None)
            }
            _ => (path.replace("{handle}", "meena-crafts"), None),
        };
        (path, body.filter(|_| route.method != "GET"), tag)
    }
}

/// An ID for a message.
fn message_id() -> String {
    haat_engine::random::id::<haat_shared::id::kinds::Message>(1_700_000_000_000).to_string()
}

/// A coupon.
fn settings() -> Value {
    let code = haat_engine::random::number();
    json!({"label": "Sale", "code": code, "kind": "percent", "percent_bp": 1_000, "combines": true})
}

/// A payout method.
fn account() -> Value {
    json!({"kind": "bank_account", "holder": "Meena Iyer", "account": "012345678901", "ifsc": "HDFC0001234"})
}

/// What those get who may call a route: nothing can be withdrawn, there are no jobs, payouts and saved cards, and admins can't give back
/// the cash of orders. Whoever is `second` finds what the first has left.
fn expected(route: &Route, path: &str, second: bool) -> std::ops::RangeInclusive<u16> {
    match (path.contains("_00000"), path.ends_with("/payouts") && route.method == "POST") {
        (true, _) => 404..=404,
        (_, true) => 422..=422,
        _ if *route == API_ADD_GIFT => 422..=422,
        // It wasn't bought.
        _ if *route == API_REFUND_GIFT_CARD => 409..=409,
        _ if *route == API_CONNECT_PAYOUTS => 404..=404,
        // The last owner stays.
        _ if [API_REMOVE_MEMBER, API_LEAVE_SHOP].contains(route) => 409..=409,
        _ if *route == API_SAVE_MARKET_PROMOTION && second => 412..=412,
        _ if *route == API_DELETE_MARKET_PROMOTION && second => 404..=404,
        _ if *route == API_ADD_TAX_RATE && second => 422..=422,
        _ if [API_END_TAX_RATE, API_REMOVE_TAX_RATE].contains(route) && second => 404..=404,
        _ if *route == API_REFUND_AS_OPERATOR => 403..=403,
        // It hasn't begun, or is over.
        _ if [API_ADD_APPOINTMENT, API_COMPLETE_APPOINTMENT, API_MISS_APPOINTMENT].contains(route) => {
            409..=409
        }
        _ => 200..=299,
    }
}

/// A product of which every route that needs an order can sell one.
fn jug() -> Value {
    let mut jug = product("Clay jug");
    jug["variants"][0]["stock"] = json!(500);
    jug
}

/// Every route, for objects of a seller, shopper or operator, called by everyone else and with API keys.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_what_belongs_to_others() {
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT__MARKET__GIFT_CARD_AMOUNTS", "500");
    let cast = Cast::meet(&mut program).await;
    let mut asked = 0;
    for route in REST.iter().filter(|r| !r.path.contains("/tokens")) {
        let (path, body, tag) = cast.request(route).await;
        let ask = async |who: &Robot| {
            asked += 1;
            let mut who = who.with("idempotency-key", haat_engine::random::token());
            if let Some(tag) = &tag {
                who = who.with("if-match", tag);
            }
            match *route {
                route if PICTURES.contains(&route) => who.bring(&path, "image/png", png(7)).await,
                route if [API_IMPORT_COUPONS, API_IMPORT_MARKET_COUPONS].contains(&route) => {
                    who.bring(&path, "text/csv", b"code,label,kind\nPOST,Free,free_shipping".to_vec()).await
                }
                route if route == API_SEND_IMPORT => who.bring(&path, "text/csv", TABLE.into()).await,
                route => who.send(route.method, &path, body.clone()).await,
            }
        };
        let mut ask = ask;
        let owner = cast.owner(route).clone();
        let describe = |answer: &Answer, who: &str| format!("{who}: {} {path}: {answer:?}", route.method);
        let mut second = false;
        let others: Vec<(&str, &Robot, u16)> = match route.audience {
            Audience::Anyone => vec![],
            Audience::SignedIn => vec![("a guest", &cast.guest, 401)],
            Audience::Party => vec![
                ("a guest", &cast.guest, 401),
                // Of its shop, which has a path of its own for it.
                ("its seller", &cast.meena, 404),
                ("another seller", &cast.delta, 404),
                ("an operator", &cast.operator, 404),
            ],
            Audience::Holder => vec![
                ("a guest", &cast.guest, 404),
                ("a seller", &cast.meena, 404),
                ("an operator", &cast.operator, 404),
            ],
            Audience::Member => vec![
                ("a guest", &cast.guest, 401),
                ("a shopper", &cast.shopper, 404),
                ("another seller", &cast.delta, 404),
                ("an operator", &cast.operator, 404),
            ],
            Audience::Operator(permission) => {
                let mut others = vec![
                    ("a guest", &cast.guest, 401),
                    ("a shopper", &cast.shopper, 404),
                    ("a seller", &cast.meena, 404),
                ];
                for (robot, role) in
                    [(&cast.finance, AdminRole::Finance), (&cast.reader, AdminRole::ReadOnly)]
                {
                    if role.may(permission) {
                        let answer = ask(robot).await;
                        let expected = expected(route, &path, second);
                        assert!(expected.contains(&answer.status), "{}", describe(&answer, role.as_str()));
                        second = true;
                    } else {
                        others.push((role.as_str(), robot, 403));
                    }
                }
                others
            }
            Audience::Signed => unreachable!(),
        };
        for (name, who, status) in others {
            let answer = ask(who).await;
            assert_eq!(answer.status, status, "{}", describe(&answer, name));
        }
        for token in ["made-up", "haat_key_made-up", "eyJhbGciOiJub25lIn0.e30."] {
            let answer = ask(&cast.guest.bearing(token)).await;
            assert_eq!(answer.status, 401, "{}", describe(&answer, token));
        }
        let key = async |scopes: Vec<Scope>| {
            let made = owner.post("/keys", json!({"name": "Test", "scopes": scopes})).await.is(201);
            (owner.bearing(&made.text("/secret")), made.text("/key/id"))
        };
        let (rest, rest_id) = key(Scope::ALL.into_iter().filter(|s| Some(*s) != route.scope).collect()).await;
        if route.scope.is_some() {
            let answer = ask(&rest).await;
            assert_eq!(answer.status, 403, "{}", describe(&answer, "a key without the scope"));
        }
        let may = match route.scope {
            Some(Scope::Account) | None => owner.clone(),
            Some(scope) => key(vec![scope]).await.0,
        };
        let answer = ask(&may).await;
        assert!(
            expected(route, &path, second).contains(&answer.status),
            "{}",
            describe(&answer, "whose it is")
        );
        owner.send("DELETE", &format!("/keys/{rest_id}"), None).await.is(204);
        let kept = owner.get("/keys").await.is(200);
        for key in kept.body["items"].as_array().unwrap() {
            owner.send("DELETE", &format!("/keys/{}", key["id"].as_str().unwrap()), None).await.is(204);
        }
    }
    assert!(asked > 250, "{asked}");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_sign_in_and_out() {
    let mut program = Program::prepare(On::Sqlite).await;
    let cast = Cast::meet(&mut program).await;
    let guest = &cast.guest;
    let wrong =
        guest.post("/tokens", json!({"email": "meena@haat.example", "password": "wrong-wrong"})).await;
    assert_eq!(wrong.refuses(422, "invalid").text("/fields/0/code"), "wrong_credentials");
    let tokens =
        guest.post("/tokens", json!({"email": "MEENA@haat.example", "password": PASSWORD})).await.is(201);
    assert_eq!((tokens.text("/token_type").as_str(), &tokens.body["expires_in"]), ("Bearer", &json!(900)));
    let old = json!({"refresh_token": tokens.text("/refresh_token")});
    let next = guest.post("/tokens/refresh", old.clone()).await.is(201);
    let meena = guest.bearing(&next.text("/access_token"));
    assert_eq!(meena.get("/me").await.is(200).text("/shops/0/handle"), "meena-crafts");
    // Someone brings the old one: both are out.
    let replayed = guest.post("/tokens/refresh", old).await.refuses(401, "sign_in_needed");
    assert_eq!(replayed.header("www-authenticate"), "Bearer");
    meena.get("/me").await.refuses(401, "sign_in_needed");
    guest
        .post("/tokens/refresh", json!({"refresh_token": next.text("/refresh_token")}))
        .await
        .refuses(401, "sign_in_needed");
    cast.delta.send("DELETE", "/tokens", None).await.is(204);
    cast.delta.get("/me").await.refuses(401, "sign_in_needed");

    // A cookie that signs a browser in is nothing here.
    let browser = Shopper::new(&program);
    browser
        .post("/sign-in", &[("email", "meena@haat.example"), ("password", PASSWORD), ("next", "/account")])
        .await;
    assert_eq!(browser.get("/account").await.0, 200);
    assert_eq!(browser.client.get(program.at("/api/v1/me")).send().await.unwrap().status(), 401);
    // And a token is nothing to the pages.
    let account = cast.shopper.client.get(program.at("/account")).bearer_auth("x").send().await.unwrap();
    assert_eq!(account.status(), 401);
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_say_when_to_retry() {
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT__LIMITS__CHANGES_PER_MINUTE", "3");
    program.set("HAAT__LIMITS__SIGN_INS_PER_MINUTE", "2");
    program.set("HAAT__LIMITS__ACCOUNT_SIGN_INS_PER_MINUTE", "3");
    program.set("HAAT__LIMITS__SCALE", "1");
    program.set("HAAT__LIMITS__ADDRESS_HEADER", "x-forwarded-for");
    program.start().await;
    let from = |address: &str| Robot::new(&program).with("x-forwarded-for", address);
    let guest = from("192.0.2.1");
    for left in [2, 1, 0] {
        let opened = guest.post("/carts", json!({})).await.is(201);
        assert_eq!(opened.header("ratelimit"), format!("\"changes\";r={left}"));
        assert_eq!(opened.header("ratelimit-policy"), "\"changes\";q=3;w=60");
    }
    let refused = guest.post("/carts", json!({})).await.refuses(429, "rate_limited");
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    guest.get("/products").await.is(200);
    // What the client itself says in front of the proxy's word is not believed.
    from("203.0.113.9, 192.0.2.1").post("/carts", json!({})).await.refuses(429, "rate_limited");
    from("192.0.2.2").post("/carts", json!({})).await.is(201);

    // The form and the API count the same tries.
    let wrong = json!({"email": "meena@haat.example", "password": "wrong-wrong"});
    from("192.0.2.3").post("/tokens", wrong.clone()).await.refuses(422, "invalid");
    let form = [("email", "meena@haat.example"), ("password", "wrong-wrong")];
    let typed = Shopper::new(&program).client.post(program.at("/sign-in")).form(&form);
    let typed = typed.header("x-forwarded-for", "192.0.2.3").send().await.unwrap();
    assert!(location(&typed).starts_with("/sign-in?draft="), "{typed:?}");
    from("192.0.2.3").post("/tokens", wrong.clone()).await.refuses(429, "rate_limited");
    // From elsewhere there is one more, and then none to this account.
    from("192.0.2.4").post("/tokens", wrong.clone()).await.refuses(422, "invalid");
    from("192.0.2.5").post("/tokens", wrong).await.refuses(429, "rate_limited");
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_may_ask_only_where_they_are_named() {
    let mut program = Program::prepare(On::Sqlite).await;
    let allowed = |answer: &Answer| answer.header("access-control-allow-origin").to_owned();
    program.start().await;
    let elsewhere =
        Robot::new(&program).with("origin", "https://books.example").with("sec-fetch-site", "cross-site");
    assert_eq!(allowed(&elsewhere.get("/products").await.is(200)), "");
    elsewhere.send("OPTIONS", "/products", None).await.refuses(405, "method_not_allowed");
    program.kill();
    program.set("HAAT__SERVER__CORS_ORIGINS", "https://ledger.example https://books.example");
    program.start().await;
    let listed = elsewhere.get("/products").await.is(200);
    assert_eq!(allowed(&listed), "https://books.example");
    assert_eq!(listed.header("access-control-allow-credentials"), "");
    let preflight =
        elsewhere.with("access-control-request-method", "POST").send("OPTIONS", "/carts", None).await;
    assert_eq!(allowed(&preflight.is(200)), "https://books.example");
    elsewhere.post("/carts", json!({})).await.is(201);
    let other = elsewhere.with("origin", "https://evil.example");
    assert_eq!(allowed(&other.get("/products").await), "");
    // The pages' forms stay closed to it.
    let form = Shopper::new(&program)
        .client
        .post(program.at("/cart/lines"))
        .header("origin", "https://books.example");
    assert_eq!(form.header("sec-fetch-site", "cross-site").send().await.unwrap().status(), 403);
    program.close();
}
