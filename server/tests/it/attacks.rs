//! Attacks over HTTP, bounded in number, against a program on this machine. docs/security.md describes the
//! defences. Attacks in other test files are called `attack_…` too, and `make attack` runs all of them.

use std::{
    io::{Read, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use haat_engine::random;
use haat_shared::routes::{REST, ROUTES, Surface, only_reads};
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use serde_json::{Value, json};

use crate::{arrows, mails, program::*};

const PASSWORD: &str = "market-day-2026";

/// What docs/security.md and docs/reliability.md name exists, and `make attack` runs it.
#[test]
fn the_tests_of_all_attacks_are_run() {
    let read = |file: &str| std::fs::read_to_string(arrows::root().join(file)).unwrap();
    let pages = read("docs/security.md") + &read("docs/reliability.md");
    let (script, sources) = (read("scripts/attack"), arrows::sources("server"));
    let filters = script.split_once("filters=(").unwrap().1.split_once("\n)").unwrap().0;
    let filters = filters.lines().map(|line| line.split('#').next().unwrap());
    let filters: Vec<&str> = filters.flat_map(str::split_whitespace).collect();
    let mut count = 0;
    for row in pages.lines().filter(|line| line.starts_with("| ")) {
        let tests = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap();
        for test in tests.split('`').skip(1).step_by(2).filter(|test| !test.ends_with(".spec.ts")) {
            assert!(filters.iter().any(|filter| test.contains(filter)), "{test} is not run");
            let name = format!("fn {}", test.rsplit("::").next().unwrap().trim_end_matches('*'));
            assert!(sources.iter().any(|(_, text)| text.contains(&name)), "{test} does not exist");
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

/// A market with real limits, behind a proxy that reports the client's address.
async fn guarded(on: On, limits: &[(&str, &str)]) -> Program {
    let mut program = Program::prepare(on).await;
    program.set("HAAT__LIMITS__SCALE", "1");
    program.set("HAAT__LIMITS__ADDRESS_HEADER", "x-forwarded-for");
    for (name, value) in limits {
        program.set(&format!("HAAT__LIMITS__{name}"), value);
    }
    program.start().await;
    program
}

/// A browser at some address.
struct Browser {
    client: Client,
    address: String,
    home: String,
}

impl Browser {
    fn new(program: &Program, address: &str) -> Self {
        let client = Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap();
        Self { client, address: address.into(), home: program.at("") }
    }

    async fn post(&self, path: &str, fields: Fields<'_>) -> Response {
        let request = self.client.post(format!("{}{path}", self.home)).form(fields);
        let request = request.header("x-forwarded-for", &self.address).header(header::ACCEPT, "text/html");
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let request = self.client.get(format!("{}{path}", self.home));
        let response = request.header("x-forwarded-for", &self.address).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn sign_in(&self, email: &str, password: &str) -> Response {
        self.post("/sign-in", &[("email", email), ("password", password), ("next", "/account")]).await
    }

    /// Adds an item to the cart and starts a checkout. Returns the redirect's target.
    async fn begin(&self, variant: &str, quantity: &str) -> String {
        let line = [("variant", variant), ("quantity", quantity), ("back", "/")];
        assert_eq!(location(&self.post("/cart/lines", &line).await), "/cart");
        location(&self.post("/checkout", &[]).await)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_nobody_is_locked_out_of_signing_in() {
    for on in BOTH {
        // A low limit, so that no quota is restored while this runs.
        let program = guarded(on, &[("SIGN_INS_PER_MINUTE", "2")]).await;
        let owner = Browser::new(&program, "192.0.2.2");
        assert_eq!(location(&owner.sign_in("meena@haat.example", PASSWORD).await), "/account");
        owner.post("/sign-out", &[]).await;
        let attacker = Browser::new(&program, "192.0.2.1");
        let mut refused = 0;
        for n in 0..40 {
            let answer = attacker.sign_in("meena@haat.example", &format!("wrong-{n}-wrong")).await;
            refused += u32::from(answer.status() == StatusCode::TOO_MANY_REQUESTS);
        }
        assert!(refused >= 36, "two are let through, not {}", 40 - refused);
        // The owner can sign in from a known device, from elsewhere, and even from the attacker's address.
        assert_eq!(location(&owner.sign_in("meena@haat.example", PASSWORD).await), "/account");
        let elsewhere = Browser::new(&program, "192.0.2.3");
        assert_eq!(location(&elsewhere.sign_in("meena@haat.example", PASSWORD).await), "/account");
        let beside = Browser { address: "192.0.2.1".into(), ..owner };
        assert_eq!(location(&beside.sign_in("meena@haat.example", PASSWORD).await), "/account");
        // An account named like an IP address doesn't lock that address out.
        for _ in 0..40 {
            attacker.sign_in("3.3.3.3", "wrong-wrong").await;
        }
        let there = Browser::new(&program, "3.3.3.3");
        assert_eq!(location(&there.sign_in("delta@haat.example", PASSWORD).await), "/account");
        // API clients share the limit with browsers.
        let wrong = json!({"email": "delta@haat.example", "password": "wrong-wrong"});
        let mut got = Vec::new();
        for _ in 0..12 {
            let request = Client::new().post(program.at("/api/v1/tokens")).json(&wrong);
            got.push(request.header("x-forwarded-for", "192.0.2.7").send().await.unwrap().status().as_u16());
        }
        assert!(got.iter().filter(|status| **status == 422).count() <= 4, "{got:?}");
        let browser = Browser::new(&program, "192.0.2.7");
        let answer = browser.sign_in("delta@haat.example", PASSWORD).await;
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        let wait: u32 = answer.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.contains("form-action 'self'"), "{policy}");
        let page = answer.text().await.unwrap();
        for part in [
            "Too many requests",
            r#"action="/sign-in""#,
            r#"name="email" value="delta@haat.example""#,
            r#"name="next" value="/account""#,
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains(PASSWORD), "{page}");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_redirects_stay_on_this_market() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let shopper = Shopper::new(&program);
        let variant = shopper.variant("meena-crafts", 0).await;
        let seller = Shopper::new(&program);
        seller.post("/sign-in", &[("email", "meena@haat.example"), ("password", PASSWORD)]).await;
        for bad in [
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/%09/evil.example",
            "/\r\n/evil.example",
            "/\r\nSet-Cookie: a=b",
            "/a\0b",
            "/a\u{7f}b",
            "/.//evil.example",
            "https:evil.example",
            "/%5cevil.example",
            "/\u{85}",
        ] {
            let home = |answer: &Response, what: &str| {
                assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{what} {bad:?}");
                let led = location(answer);
                assert!(led == "/" || led.starts_with("/?"), "{what} {bad:?}: {led}");
                assert!(!answer.headers().contains_key("a"), "{what} {bad:?}");
            };
            let answer = shopper.try_post("/language", &[("locale", "en"), ("back", bad)]).await.unwrap();
            home(&answer, "language");
            let line = [("variant", variant.as_str()), ("quantity", "0"), ("back", bad)];
            home(&shopper.try_post("/cart/lines", &line).await.unwrap(), "add to cart");
            let one = Shopper::new(&program);
            let form = [("email", "delta@haat.example"), ("password", PASSWORD), ("next", bad)];
            home(&one.try_post("/sign-in", &form).await.unwrap(), "sign in");
            let form = [("action", "nothing"), ("back", bad)];
            home(&seller.try_post("/seller/meena-crafts/products", &form).await.unwrap(), "products");
        }
        // Redirects that repeat the request's path must cope with encoded control characters.
        for path in [
            "/seller/%00/orders/x",
            "/seller/%7f/orders/x",
            "/seller/%0d%0aa:b/orders/x",
            "/seller/%5c/orders/x",
        ] {
            let answer = seller.try_post(path, &[("action", "nothing")]).await.unwrap();
            assert!(answer.status().as_u16() < 500, "{path}: {}", answer.status());
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_invented_carts_have_no_limit_of_their_own() {
    for on in BOTH {
        let program = guarded(on, &[("CHANGES_PER_MINUTE", "1")]).await;
        let mut through = 0;
        for _ in 0..20 {
            let request = Client::new().post(program.at("/api/v1/carts")).json(&json!({}));
            let request = request.header("x-forwarded-for", "192.0.2.1").header("haat-cart", random::token());
            through += u32::from(request.send().await.unwrap().status() == StatusCode::CREATED);
        }
        assert!(through <= 2, "{through}");
        // Forms and server functions share the limit; form input is kept, and reads are free.
        let shopper = Browser::new(&program, "192.0.2.1");
        let form = [("variant", "var_x"), ("quantity", "<2>"), ("back", "/p/pen")];
        let answer = shopper.post("/cart/lines", &form).await;
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        let page = answer.text().await.unwrap();
        assert!(page.contains("&lt;2&gt;") && page.contains(r#"value="/p/pen""#), "{page}");
        let call = async |path: &str, body: Value| {
            let request = shopper.client.post(program.at(path)).header("x-forwarded-for", "192.0.2.1");
            let answer = request.json(&body).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let (status, got) = call("/api/carts/remove_line", json!({"line": "line_x"})).await;
        assert_eq!(status, 429, "{got}");
        assert!(got.starts_with(r#"{"rate_limited":{"retry_after_s":"#), "{got}");
        assert_eq!(call("/api/carts/view", json!({})).await.0, 200);
        assert_eq!(shopper.get("/cart").await.0, StatusCode::OK);
        // Signed-in users have their own limit.
        let elsewhere = Browser::new(&program, "192.0.2.2");
        assert_eq!(location(&elsewhere.sign_in("meena@haat.example", PASSWORD).await), "/account");
        let beside = Browser { address: "192.0.2.1".into(), ..elsewhere };
        assert_eq!(
            location(&beside.post("/language", &[("locale", "en"), ("back", "/account")]).await),
            "/account"
        );
        program.close();
    }
}

/// Every route that changes something counts towards the limit, before it looks at the request.
#[tokio::test(flavor = "multi_thread")]
async fn attack_no_change_is_unlimited() {
    for on in BOTH {
        let mut program = guarded(on, &[("CHANGES_PER_MINUTE", "1")]).await;
        program.set("HAAT_ADMIN_PASSWORD", PASSWORD);
        program.run_ok(&["admin", "create", "--email", "olga@haat.example", "--name", "Olga"]);
        let guest = Browser::new(&program, "192.0.2.1");
        guest.post("/language", &[("locale", "en")]).await;
        let writes = |method: &str| !["GET", "HEAD"].contains(&method);
        // Gateways have signatures instead, and the sandbox is no part of a real market.
        let counted = ROUTES.iter().filter(|r| {
            writes(r.method)
                && !only_reads(r.path)
                && !matches!(r.surface, Surface::Webhook | Surface::Sandbox)
        });
        for route in counted {
            let answer = guest.post(&route.path.replace(['{', '}'], ""), &[]).await;
            assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS, "{}", route.path);
        }
        let api = |method: &str, path: &str| {
            let url = program.at(&path.replace(['{', '}'], ""));
            Client::new().request(method.parse().unwrap(), url).header("x-forwarded-for", "192.0.2.2")
        };
        let credentials = json!({"email": "olga@haat.example", "password": PASSWORD});
        let tokens: Value =
            api("POST", "/api/v1/tokens").json(&credentials).send().await.unwrap().json().await.unwrap();
        let token = tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}"));
        api("POST", "/api/v1/carts").bearer_auth(token).json(&json!({})).send().await.unwrap();
        for route in REST.iter().filter(|r| writes(r.method)) {
            let answer = api(route.method, route.path).bearer_auth(token).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS, "{} {}", route.method, route.path);
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_sign_ups_are_bounded_and_leave_room_to_sign_in() {
    for on in BOTH {
        let program = guarded(on, &[("SIGN_UPS_PER_HOUR", "6"), ("SIGN_UPS_PER_MINUTE", "10")]).await;
        let sign_up = async |n: usize| {
            let email = format!("robot-{n}@example.com");
            let form = [("name", "Robot"), ("email", email.as_str()), ("password", "long enough")];
            let robot = Browser::new(&program, if n < 24 { "192.0.2.1" } else { "192.0.2.2" });
            robot.post("/sign-up", &form).await.status().as_u16()
        };
        let all = futures::future::join_all((0..48).map(sign_up));
        let shopper = Browser::new(&program, "192.0.2.3");
        let (all, signed_in) = tokio::join!(all, shopper.sign_in("meena@haat.example", PASSWORD));
        assert_eq!(location(&signed_in), "/account");
        let made = all.iter().filter(|status| **status == 303).count();
        assert!((10..=12).contains(&made), "{all:?}");
        assert_eq!(all.iter().filter(|status| **status == 429).count(), 48 - made, "{all:?}");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_guests_hold_and_order_in_bounds() {
    for on in BOTH {
        let program = guarded(on, &[]).await;
        program.fill("meena-crafts");
        let visitor = Shopper::new(&program);
        // A quarter of a hundred items is 25.
        let variant = visitor.variant("meena-crafts", 0).await;
        let greedy = Browser::new(&program, "192.0.2.1");
        let refused = greedy.begin(&variant, "100").await;
        assert!(refused.starts_with("/cart?draft=draft_"), "{refused}");
        let (_, page) = greedy.get(&refused).await;
        assert!(page.contains("Without an account, you can order up to 25 of"), "{page}");
        let other = Browser::new(&program, "192.0.2.2");
        assert!(other.begin(&variant, "25").await.starts_with("/checkout/chk_"));
        // Forty cash orders in a stranger's name: three are placed on each day of UTC.
        let today = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400;
        let (first_day, mut placed, mut refused) = (today(), 0, 0);
        for n in 0..40 {
            let guest = Browser::new(&program, &format!("198.51.100.{n}"));
            let checkout = guest.begin(&variant, "1").await;
            let mut form = details("cash", "k");
            form[0] = ("email", "stranger@example.com");
            let led = location(&guest.post(&checkout, &form).await);
            if led.starts_with("/purchases/") {
                placed += 1;
                continue;
            }
            assert_eq!(led, format!("{checkout}?error=cash_needs_account"));
            refused += 1;
            if refused == 1 {
                let (_, page) = guest.get(&led).await;
                assert!(page.contains("Sign in or choose another payment method"), "{page}");
                assert!(page.contains("12 Lake Road"), "what was typed is kept");
                // The same page can continue with a card, using the same key.
                let led = location(&guest.post(&checkout, &details("sandbox", "k")).await);
                assert!(led.contains("/sandbox/pay/"), "{led}");
            }
        }
        let days = 1 + today() - first_day;
        assert!((3..=3 * days).contains(&placed), "{placed} on {days} days");
        program.close();
    }
}

/// Sends raw bytes and returns the status.
fn raw(program: &Program, request: &str) -> (u16, String) {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", program.port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_hosts_ids_and_policies_are_strict() {
    for on in BOTH {
        let program = Program::serve(on).await;
        let end = "Connection: close\r\n\r\n";
        for (head, expected) in [
            ("GET / HTTP/1.1\r\nHost: localhost\r\n", 200),
            ("GET / HTTP/1.1\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n", 400),
            ("GET / HTTP/1.1\r\nHost:\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: me@localhost\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost, evil.example\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost,evil.example\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost;evil.example\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost:99999\r\n", 400),
            ("GET http://evil.example/healthz HTTP/1.1\r\n", 400),
            ("GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n", 400),
            ("GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n", 200),
            ("GET /healthz HTTP/1.1\r\nHost: [::1]:3000\r\n", 200),
            ("GET /api/v1/products HTTP/1.1\r\n", 400),
            ("GET /healthz HTTP/1.0\r\n", 400),
            ("GET /healthz HTTP/1.0\r\nHost: localhost\r\n", 200),
        ] {
            let (status, answer) = raw(&program, &format!("{head}{end}"));
            assert_eq!(status, expected, "{head}{answer:.300}");
        }
        let client = Client::new();
        let id = async |sent: &str| {
            let request = client.get(program.at("/healthz")).header("x-request-id", sent);
            request.send().await.unwrap().headers()["x-request-id"].to_str().unwrap().to_owned()
        };
        assert_eq!(id("A-proxy_1.2").await, "A-proxy_1.2");
        let long = "x".repeat(65);
        for bad in ["", "a b", "a\"b", "a;b", "<script>", long.as_str()] {
            let given = id(bad).await;
            assert!(given != bad && given.len() == 36, "{bad}: {given}");
        }
        // Every page of the market, with ids that don't exist, and one with an existing product.
        let slugs = Shopper::new(&program).slugs("/shops/meena-crafts", 1).await;
        let pages = ROUTES
            .iter()
            .filter(|r| matches!(r.surface, Surface::Storefront | Surface::Seller | Surface::Admin));
        let pages = pages.map(|r| r.path.replace(['{', '}'], ""));
        for path in pages.chain([format!("/p/{}", slugs[0])]) {
            let answer = client.get(program.at(&path)).send().await.unwrap();
            let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
            assert!(
                policy.contains("connect-src 'self';") && !policy.contains("ws:") && !policy.contains("wss:"),
                "{path}: {policy}"
            );
            let nonce = policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0.to_owned();
            let page = answer.text().await.unwrap();
            let attributes = page.matches(&format!(" nonce=\"{nonce}\"")).count();
            assert!(attributes > 0, "{path}: {page}");
            assert_eq!(page.matches(&nonce).count(), attributes, "{path}: {page}");
            assert!(
                page.contains("import(script)") || page.contains("rel=\"modulepreload\""),
                "{path}: {page}"
            );
        }
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_production_keeps_its_secrets() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        let good = [
            ("HAAT__MODE", "production"),
            ("HAAT__PAYMENTS__SANDBOX", "false"),
            ("HAAT__SECURITY__SECRET", "b1946ac92492d2347c6235b4d2611184"),
            ("HAAT__SERVER__PUBLIC_URL", "https://haat.example"),
            ("HAAT__LIMITS__ADDRESS_HEADER", "x-forwarded-for"),
        ];
        for (name, value) in good {
            program.set(name, value);
        }
        program.run_ok(&["config"]);
        for (name, value, why) in [
            ("HAAT__LIMITS__ADDRESS_HEADER", "", "HAAT__LIMITS__ADDRESS_HEADER=x-forwarded-for"),
            ("HAAT__SERVER__PUBLIC_URL", "https://", "a host"),
            ("HAAT__SECURITY__SECRET", "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "can be guessed"),
        ] {
            program.set(name, value);
            let output = program.run(&["serve"]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && said.contains(why) && said.lines().count() == 1, "{said}");
            assert!(!said.contains("kkkk"), "{said}");
            program.set(name, good.iter().find(|(n, _)| *n == name).unwrap().1);
        }
        let output = program.run(&["seed", "--demo"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("not for production"), "{said}");
        let url = program.url.clone();
        program
            .set("HAAT__DATABASE__URL", "postgres://db.example/haat?user=haat&password=hush&sslmode=require");
        program.set("HAAT__MAIL__SMTP_URL", "smtps://me:hush@mail.example");
        program.set("HAAT__MAIL__FROM", "Haat <hello@haat.example>");
        program.set("HAAT__SERVER__METRICS_TOKEN", "hush://9f86d081884c7d659a2feaa0c55ad015");
        let shown = program.run_ok(&["config"]);
        assert!(
            !shown.contains("hush") && !shown.contains("b1946") && shown.contains("sslmode=require"),
            "{shown}"
        );
        program.set("HAAT__DATABASE__URL", &url);
        program.close();
    }
}

fn signs_in(headers: &header::HeaderMap) -> bool {
    let set = headers.get_all(header::SET_COOKIE).iter();
    set.filter_map(|cookie| cookie.to_str().ok()).any(|cookie| cookie.starts_with("haat_session="))
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_sign_up_answers_everyone_the_same() {
    for on in BOTH {
        let mut program = Program::prepare(on).await;
        program.set("HAAT__MAIL__CONFIRM_SIGN_UPS", "always");
        program.start().await;
        let mut got = Vec::new();
        for email in ["asha@example.com", "meena@haat.example"] {
            let form = [("name", "Asha"), ("email", email), ("password", "long enough")];
            let sender = Shopper::new(&program);
            let answer = sender.try_post("/sign-up", &form).await.unwrap();
            let mut headers = answer.headers().clone();
            headers.remove("x-request-id");
            headers.remove(header::DATE);
            assert!(!signs_in(&headers), "{headers:?}");
            assert!(sender.get("/sign-up?done=sent").await.1.contains("Check your inbox"), "{email}");
            got.push((answer.status(), headers, answer.text().await.unwrap()));
        }
        assert_eq!(got[0], got[1]);
        let reader = Shopper::new(&program);
        mails::until(&reader, "haat_work_done_total{kind=\"mails\"} 2").await;
        let (_, list) = reader.get("/dev/mail").await;
        let html =
            async |to: &str| reader.get(&format!("{}/html", mails::emails_to(&list, to).remove(0))).await.1;
        let taken = html("meena@haat.example").await;
        assert!(taken.contains("You already have an account") && !taken.contains("token="), "{taken}");
        let new = html("asha@example.com").await;
        let link = new.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        let bad = link.replace("token=", "token=x");
        assert_eq!(reader.get(&bad).await.0, StatusCode::NOT_FOUND);
        let answer = reader.client.get(&link).send().await.unwrap();
        assert_eq!(location(&answer), "/sign-in?done=confirmed");
        assert!(!signs_in(answer.headers()));
        assert!(reader.get("/sign-in?done=confirmed").await.1.contains("is confirmed"));
        let form = [("email", "asha@example.com"), ("password", "long enough"), ("next", "/account")];
        assert_eq!(reader.post("/sign-in", &form).await, "/account");
        program.close();
    }
}
