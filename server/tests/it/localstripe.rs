//! The simple flow of a card, at our fake of Stripe and at localstripe (PyPI), which others wrote from Stripe's
//! documentation: our client must read the same from both. What localstripe cannot do is in `docs/payments.md`.

use std::{
    process::{Child, Command, Stdio},
    time::Instant,
};

use axum::{Router, body::Bytes, extract::State, http::Request, response::IntoResponse};
use haat_engine::payments::{
    GatewayError, GatewayStatus, NextStep, PaymentGateway, PaymentRequest, RefundRequest, RefundStatus,
};
use haat_shared::{Currency, Money, payments::PaymentMethod};
use serde_json::{Value, json};

use crate::program::{free_port, pause};

const KEY: &str = "sk_test_fake";
const GOOD: &str = "4242424242424242";
/// Can be entered, and is declined when it is charged; our fake knows the other one.
const DECLINED: &str = "4000000000000341";
const DECLINED_BY_FAKE: &str = "4000000000000002";

/// A running localstripe, and a proxy of it.
struct LocalStripe {
    child: Child,
    direct: String,
    url: String,
}

impl Drop for LocalStripe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl LocalStripe {
    async fn start() -> Self {
        let port = free_port();
        let child = Command::new("localstripe")
            .args(["--from-scratch", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("localstripe is not installed: run scripts/tools --test");
        let direct = format!("http://127.0.0.1:{port}");
        let mut this = Self { child, direct: direct.clone(), url: proxy(direct.clone()).await };
        let begun = Instant::now();
        while reqwest::get(&direct).await.is_err() {
            assert!(this.child.try_wait().unwrap().is_none(), "localstripe ended");
            assert!(begun.elapsed().as_secs() < 60, "localstripe does not listen");
            pause().await;
        }
        this
    }

    /// The shopper submits a card, of which only the provider knows the number. Returns the status of the response.
    async fn submit(&self, intent: &str, card: &str) -> u16 {
        let post = async |path: &str, form: &[(&str, &str)]| {
            let at = format!("{}/v1/{path}", self.direct);
            reqwest::Client::new().post(at).basic_auth(KEY, Some("")).form(form).send().await.unwrap()
        };
        let card = [
            ("type", "card"),
            ("card[number]", card),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2040"),
            ("card[cvc]", "123"),
        ];
        let card: Value = post("payment_methods", &card).await.json().await.unwrap();
        let chosen = [("payment_method", card["id"].as_str().unwrap())];
        post(&format!("payment_intents/{intent}"), &chosen).await.error_for_status().unwrap();
        post(&format!("payment_intents/{intent}/confirm"), &[]).await.status().as_u16()
    }
}

/// Between our client and localstripe: leaves out the one parameter that localstripe doesn't know, and adds what Stripe
/// always sends, which the SDK requires.
async fn proxy(to: String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(passed_on).with_state(to);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn passed_on(State(to): State<String>, request: Request<axum::body::Body>) -> impl IntoResponse {
    let (head, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let known = |pair: &&str| !pair.starts_with("automatic_payment_methods");
    let body = body.split('&').filter(known).collect::<Vec<_>>().join("&");
    let response = reqwest::Client::new()
        .request(head.method, format!("{to}{}", head.uri))
        .header("authorization", &head.headers["authorization"])
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap();
    let (status, mut answer) = (response.status(), response.json::<Value>().await.unwrap());
    complete(&mut answer);
    (status, axum::Json(answer))
}

fn complete(object: &mut Value) {
    let amount = object["amount"].clone();
    let added = match object["object"].as_str() {
        Some("payment_intent") => json!({
            "amount_received": if object["status"] == "succeeded" { amount.clone() } else { json!(0) },
            "amount_capturable": if object["status"] == "requires_capture" { amount } else { json!(0) },
            "confirmation_method": "automatic",
            "payment_method_types": ["card"],
            "last_payment_error": match object["last_payment_error"].clone() {
                Value::Object(mut error) => {
                    error.insert("type".into(), json!("card_error"));
                    error.into()
                }
                none => none,
            },
        }),
        Some("charge") => json!({
            "amount_captured": if object["captured"] == true { amount } else { json!(0) },
            "billing_details": {},
            "disputed": false,
        }),
        Some("balance_transaction") => json!({ "balance_type": "payments" }),
        _ => json!({}),
    };
    match object {
        Value::Object(fields) => {
            fields.values_mut().for_each(complete);
            fields.extend(added.as_object().unwrap().clone());
        }
        Value::Array(items) => items.iter_mut().for_each(complete),
        _ => {}
    }
}

fn client(url: &str, authorizes: bool) -> haat_stripe::Stripe {
    haat_stripe::Stripe::new(haat_stripe::Settings {
        secret_key: KEY.into(),
        webhook_secrets: vec!["whsec_fake".into()],
        url: url.into(),
        authorizes,
        market: "Haat".into(),
        publishable_key: "pk_test_fake".into(),
        connect: false,
    })
    .unwrap()
}

fn request(amount: Money) -> PaymentRequest {
    PaymentRequest {
        attempt: haat_engine::random::id(0),
        method: PaymentMethod::Card,
        amount,
        return_url: "http://localhost/back".into(),
        on_page: true,
        gateway_ref: None,
        customer: None,
        locale: "",
    }
}

/// A card pays and is refunded in parts; another one is declined; one payment is cancelled, and one is authorized and
/// captured. `submit` is what the shopper does, with a card that has money or doesn't; returns whether it was charged.
async fn simple_flow(url: &str, submit: impl AsyncFn(&str, bool) -> bool) {
    let stripe = client(url, false);
    let inr = |amount| Money::new(amount, Currency::INR);
    let wanted = request(inr(1_000));
    let made = stripe.create(&wanted).await.unwrap();
    assert_eq!(made.status, GatewayStatus::Waiting);
    let NextStep::ClientSecret { client_secret, .. } = &made.next else { panic!("{made:?}") };
    assert!(client_secret.starts_with(&made.gateway_ref), "{made:?}");
    let read = async |stripe: &haat_stripe::Stripe, id: &str| stripe.retrieve(id).await.unwrap();
    let found = read(&stripe, &made.gateway_ref).await;
    assert_eq!((found.attempt, found.status), (wanted.attempt, GatewayStatus::Waiting));
    let refund = |refund, amount: i64| RefundRequest {
        payment_ref: made.gateway_ref.clone(),
        refund,
        refund_ref: None,
        amount: inr(amount),
    };

    assert!(submit(&made.gateway_ref, true).await, "paid");
    let found = read(&stripe, &made.gateway_ref).await;
    assert_eq!((found.attempt, found.status), (wanted.attempt, GatewayStatus::Captured(inr(1_000))));

    let [first, rest] = [haat_engine::random::id(1), haat_engine::random::id(2)];
    let RefundStatus::Done(id) = stripe.refund(&refund(first, 300)).await.unwrap() else { panic!("pending") };
    // Asked for again, it is found by our ID, and by Stripe's.
    assert_eq!(stripe.refund(&refund(first, 300)).await, Ok(RefundStatus::Done(id.clone())));
    let known = RefundRequest { refund_ref: Some(id.clone()), ..refund(first, 300) };
    assert_eq!(stripe.refund(&known).await, Ok(RefundStatus::Done(id.clone())));
    let RefundStatus::Done(second) = stripe.refund(&refund(rest, 700)).await.unwrap() else {
        panic!("pending")
    };
    assert_ne!(second, id);

    // localstripe takes no second card for the same payment.
    let declined = stripe.create(&request(inr(1_000))).await.unwrap();
    assert!(!submit(&declined.gateway_ref, false).await, "declined");
    assert_eq!(read(&stripe, &declined.gateway_ref).await.status, GatewayStatus::Waiting, "for another card");

    let abandoned = stripe.create(&request(inr(500))).await.unwrap();
    assert_eq!(stripe.cancel(&abandoned.gateway_ref).await, Ok(GatewayStatus::Cancelled));
    assert_eq!(read(&stripe, &abandoned.gateway_ref).await.status, GatewayStatus::Cancelled);
    assert_eq!(stripe.cancel(&abandoned.gateway_ref).await, Ok(GatewayStatus::Cancelled), "again");
    assert!(matches!(stripe.retrieve("pi_nobody").await, Err(GatewayError::Refused(_))));

    let manual = client(url, true);
    let held = manual.create(&request(inr(2_500))).await.unwrap();
    assert!(submit(&held.gateway_ref, true).await, "authorized");
    assert_eq!(read(&manual, &held.gateway_ref).await.status, GatewayStatus::Authorized(inr(2_500)));
    assert_eq!(manual.capture(&held.gateway_ref).await, Ok(GatewayStatus::Captured(inr(2_500))));
    assert_eq!(read(&manual, &held.gateway_ref).await.status, GatewayStatus::Captured(inr(2_500)));
}

#[tokio::test(flavor = "multi_thread")]
async fn localstripe_agrees_with_our_fake_on_the_simple_flow() {
    let local = LocalStripe::start().await;
    simple_flow(&local.url, async |intent, good| {
        let status = local.submit(intent, if good { GOOD } else { DECLINED }).await;
        assert!([200, 402].contains(&status), "{status}");
        status == 200
    })
    .await;

    let fake = haat_fakes::stripe::Stripe::start(KEY, "whsec_fake", 0).await;
    simple_flow(&fake.url, async |intent, good| {
        let card = if good { GOOD } else { DECLINED_BY_FAKE };
        let intents = fake.objects("payment_intent");
        let found = intents.iter().find(|found| found["id"] == intent).unwrap();
        let (secret, amount) = (found["client_secret"].as_str().unwrap(), found["amount"].to_string());
        let form = [("secret", secret), ("amount", &*amount), ("card", card), ("answer", "")];
        let at = format!("{}/element/confirm", fake.url);
        let told: Value =
            reqwest::Client::new().post(at).form(&form).send().await.unwrap().json().await.unwrap();
        told["error"].is_null()
    })
    .await;
}
