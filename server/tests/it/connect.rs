//! Payouts to accounts of shops at Stripe, through Stripe's SDK, at a fake of Stripe that speaks HTTP.

use haat_fakes::stripe::{Fault, Stripe};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{paying::*, program::*};

const BALANCE: &str = "/seller/meena-crafts/balance";
const TRANSFER: &str = "POST /v1/transfers";
const PASSWORD: &str = "market-day-2026";

/// A client of the REST API.
struct Api {
    home: String,
    token: String,
}

impl Api {
    async fn of(program: &Program, email: &str) -> Self {
        let home = program.at("/api/v1");
        let login = json!({"email": email, "password": PASSWORD});
        let answer = reqwest::Client::new().post(format!("{home}/tokens")).json(&login).send().await.unwrap();
        let tokens: Value = answer.json().await.unwrap();
        Self { home, token: tokens["access_token"].as_str().unwrap().to_owned() }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.home));
        let request =
            request.bearer_auth(&self.token).header("idempotency-key", haat_engine::random::token());
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None).await.1
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }
}

/// Changes the database of a program that runs.
async fn change(program: &Program, sql: &str) {
    if program.url.starts_with("postgres") {
        return program.sql(sql).await;
    }
    let database = rusqlite::Connection::open(program.folder.join("haat.db")).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    database.execute(sql, []).unwrap();
}

/// A market whose shops can connect an account, with Meena's and the admin's APIs.
async fn market(on: On) -> (Program, Stripe, Api, Api) {
    let stripe = Stripe::start("sk_test_fake", "whsec_now", 0).await;
    let mut program = Program::prepare(on).await;
    for (name, value) in [
        ("HAAT_ADMIN_PASSWORD", PASSWORD),
        ("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_fake"),
        // Those of the webhook for the market's account, and of that for connected accounts.
        ("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_a whsec_b whsec_now"),
        ("HAAT__PAYMENTS__STRIPE_CONNECT", "true"),
        ("HAAT__PAYMENTS__STRIPE_URL", &stripe.url),
        ("HAAT__PAYOUTS__HOLD_HOURS", "0"),
        ("HAAT__PAYOUTS__MINIMUM", "1"),
        ("HAAT__MARKET__RETURN_DAYS", "0"),
    ] {
        program.set(name, value);
    }
    stripe.webhooks_to(&program.at("/webhooks/stripe"));
    program.run_ok(&["admin", "create", "--email", "boss@haat.example"]);
    change(&program, "UPDATE shops SET returns_days = 0").await;
    program.start().await;
    let meena = Api::of(&program, "meena@haat.example").await;
    let boss = Api::of(&program, "boss@haat.example").await;
    (program, stripe, meena, boss)
}

/// Meena sells something, and has the money.
async fn earn(program: &Program, stripe: &Stripe, meena_api: &Api) {
    let (shopper, checkout) = checkout(program, &SHOPS[..1]).await;
    let page = shopper.post(&checkout, &details("card", "k")).await;
    let back = shopper.post(&page, &[("card", "4242424242424242")]).await;
    let purchase = come_back(&shopper, &back).await;
    stripe.deliver().await;
    meena(program, &purchase, "/confirm", Some(json!({}))).await;
    meena(program, &purchase, "/ship", Some(json!({"carrier": "Blue Dart", "tracking_number": "BD-7"})))
        .await;
    meena(program, &purchase, "/deliver", Some(json!({}))).await;
    // Rather than a minute after the last time.
    change(program, "UPDATE schedules SET next_run_at = 0 WHERE name = 'release'").await;
    until("released", async || available(meena_api).await > 2_000).await;
}

async fn available(meena: &Api) -> i64 {
    let balance = meena.get("/shops/meena-crafts/balance").await;
    balance["available"]["amount"].as_i64().unwrap()
}

/// The browser of the shop's owner.
async fn signed_in(program: &Program) -> Shopper {
    let seller = Shopper::new(program);
    seller.post("/sign-in", &[("email", "meena@haat.example"), ("password", PASSWORD)]).await;
    seller
}

/// Goes through Stripe's onboarding page, and comes back.
async fn onboard(seller: &Shopper, page: &str) {
    let back = seller.post(page, &[("answer", "complete")]).await;
    assert_eq!(come_back(seller, &back).await, format!("{BALANCE}?done=connect"));
}

/// A payout of ₹5 that is approved. Returns its path in the API of admins.
async fn approved(meena: &Api, boss: &Api) -> String {
    let methods = meena.get("/shops/meena-crafts/payout-methods").await;
    let method =
        methods["items"].as_array().unwrap().iter().find(|method| method["kind"] == "stripe").unwrap();
    let body = json!({"amount": {"amount": 500, "currency": "INR"}, "method": method["id"]});
    let id = meena.post("/shops/meena-crafts/payouts", body).await["id"].as_str().unwrap().to_owned();
    let payout = format!("/admin/payouts/{id}");
    boss.post(&format!("{payout}/approve"), json!({})).await;
    payout
}

/// Waits until a payout is as it should be.
async fn until_it(boss: &Api, payout: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    until(payout, async || is_so(&boss.get(payout).await)).await;
    boss.get(payout).await
}

fn has_state(state: &'static str) -> impl Fn(&Value) -> bool {
    move |seen| seen["payout"]["status"] == state
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_on_stripes_pages() {
    for on in BOTH {
        let (program, stripe, meena, _) = market(on).await;
        let seller = signed_in(&program).await;
        let (_, page) = seller.get(BALANCE).await;
        assert!(page.contains("value=\"stripe\""), "offered: {page}");
        let choose = [("action", "add_method"), ("kind", "stripe")];
        // The response to the creation is lost more often than it is asked for: no second account.
        for _ in 0..3 {
            stripe.fail("POST /v1/accounts", Fault::Lost);
        }
        let failed = seller.try_post(BALANCE, &choose).await.unwrap();
        assert_eq!(failed.status(), StatusCode::SERVICE_UNAVAILABLE);
        let at_stripe = seller.post(BALANCE, &choose).await;
        assert!(at_stripe.starts_with(&format!("{}/setup/e/", stripe.url)), "{at_stripe}");
        assert_eq!((stripe.faults_left(), stripe.objects("account").len()), (0, 1));
        let policy = seller.client.get(program.at(BALANCE)).send().await.unwrap();
        let policy = policy.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains(&format!("form-action 'self' {}", stripe.url)), "{policy}");

        // The seller leaves, the page expires, and they go on with a new one.
        let link = |page: &str, nth: usize| {
            page.split("<a href=\"").nth(nth).unwrap().split('"').next().unwrap().replace("&amp;", "&")
        };
        let (_, page) = seller.get(&at_stripe).await;
        assert_eq!(come_back(&seller, &link(&page, 1)).await, format!("{BALANCE}?done=connect"));
        let (_, unfinished) = seller.get(&format!("{BALANCE}?done=connect")).await;
        assert!(
            unfinished.contains("Not set up yet.") && unfinished.contains("Continue with Stripe"),
            "{unfinished}"
        );
        assert!(!unfinished.contains("value=\"stripe\""), "one account is enough");
        let again = come_back(&seller, &link(&page, 2)).await;
        assert!(again.starts_with(&format!("{}/setup/e/", stripe.url)) && again != at_stripe, "{again}");
        let stranger = Shopper::new(&program);
        assert_eq!(stranger.get(&link(&page, 1)).await.0, StatusCode::UNAUTHORIZED);

        onboard(&seller, &again).await;
        let (_, page) = seller.get(BALANCE).await;
        assert!(page.contains("acct_•••") && !page.contains("Continue with Stripe"), "{page}");
        // Over REST: nothing is needed. Then Stripe asks for more, as its webhook says.
        let (status, done) =
            meena.send(Method::POST, "/shops/meena-crafts/payout-methods/stripe", None).await;
        assert_eq!((status, &done["url"]), (StatusCode::OK, &Value::Null), "{done}");
        stripe.take_events();
        stripe.ask_accounts(&["individual.verification.document"]);
        stripe.deliver().await;
        let methods = meena.get("/shops/meena-crafts/payout-methods").await;
        let connected = &methods["items"][0]["connected"];
        assert_eq!(
            *connected,
            json!({"details_submitted": true, "payouts_enabled": false, "requirements": ["individual.verification.document"]})
        );
        assert_eq!(methods["items"][0]["usable"], false);
        assert!(seller.get(BALANCE).await.1.contains("Stripe needs more information before it can pay you."));
        assert!(seller.post(BALANCE, &[("action", "connect")]).await.contains("/setup/e/"));
        let kept = kept(&program);
        assert!(!kept.iter().any(|(_, text)| text.contains("/setup/e/")), "links are not kept");
        program.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_is_transferred_once_and_comes_back() {
    for on in BOTH {
        let (program, stripe, meena, boss) = market(on).await;
        earn(&program, &stripe, &meena).await;
        let seller = signed_in(&program).await;
        onboard(&seller, &seller.post(BALANCE, &[("action", "connect")]).await).await;
        stripe.deliver().await;
        let had = available(&meena).await;
        let transfers = || stripe.objects("transfer");

        // Transferred once it is approved.
        let payout = approved(&meena, &boss).await;
        let seen = until_it(&boss, &payout, has_state("paid")).await;
        let [transfer] = &transfers()[..] else { panic!("{:?}", transfers()) };
        assert_eq!(seen["payout"]["reference"], transfer["id"]);
        assert_eq!((&transfer["amount"], &transfer["currency"]), (&json!(500), &json!("inr")));
        assert_eq!(transfer["destination"], stripe.objects("account")[0]["id"]);
        stripe.deliver().await;
        program.verify();

        // The response is lost as often as it is asked for. It may have been made, so it can't be rejected.
        for _ in 0..3 {
            stripe.fail(TRANSFER, Fault::Lost);
        }
        let payout = approved(&meena, &boss).await;
        until_it(&boss, &payout, |seen| {
            seen["unconfirmed"] == true && seen["payout"]["reason"] == "gateway_unreachable"
        })
        .await;
        stripe.take_events();
        let no = json!({"reason": "No"});
        let (status, _) = boss.send(Method::POST, &format!("{payout}/reject"), Some(no.clone())).await;
        assert_eq!(status, StatusCode::CONFLICT);
        boss.post(&format!("{payout}/retry"), json!({})).await;
        until_it(&boss, &payout, has_state("paid")).await;
        assert_eq!((stripe.faults_left(), transfers().len()), (0, 2));

        // The market's balance at Stripe is too low, which Stripe repeats to whoever uses the same key again.
        stripe.without_funds(true);
        let payout = approved(&meena, &boss).await;
        until_it(&boss, &payout, |seen| seen["payout"]["reason"] == "gateway_funds").await;
        assert!(seller.get(BALANCE).await.1.contains("Waiting for Haat’s balance at Stripe."));
        stripe.without_funds(false);
        boss.post(&format!("{payout}/retry"), json!({})).await;
        until_it(&boss, &payout, has_state("paid")).await;
        assert_eq!(transfers().len(), 3);

        // Reversed by an admin, unless the shop has spent it; and in Stripe's dashboard.
        stripe.shops_spend(true);
        let (status, _) = boss.send(Method::POST, &format!("{payout}/return"), Some(no.clone())).await;
        assert_eq!(status, StatusCode::CONFLICT);
        let seen = boss.get(&payout).await;
        assert!(seen["gateway_note"].as_str().unwrap().contains("insufficient funds"), "{seen}");
        stripe.shops_spend(false);
        boss.post(&format!("{payout}/return"), no).await;
        assert_eq!(boss.get(&payout).await["payout"]["reason"], "No");
        stripe.deliver().await;
        program.verify();
        stripe.reverse_transfers();
        stripe.deliver().await;
        assert_eq!(available(&meena).await, had, "everything came back");

        // An account that Stripe has restricted in the meantime.
        let methods = meena.get("/shops/meena-crafts/payout-methods").await;
        let body = json!({"amount": {"amount": 500, "currency": "INR"}, "method": methods["items"][0]["id"]});
        let id = meena.post("/shops/meena-crafts/payouts", body).await["id"].as_str().unwrap().to_owned();
        stripe.ask_accounts(&["external_account"]);
        stripe.take_events();
        let payout = format!("/admin/payouts/{id}");
        boss.post(&format!("{payout}/approve"), json!({})).await;
        let seen = until_it(&boss, &payout, has_state("rejected")).await;
        assert_eq!(seen["payout"]["reason"], "gateway_account");
        assert_eq!((available(&meena).await, transfers().len()), (had, 3));
        until("the account was read", async || {
            let methods = meena.get("/shops/meena-crafts/payout-methods").await;
            methods["items"][0]["connected"]["payouts_enabled"] == false
        })
        .await;
        program.close();
    }
}
