//! The part of Stripe that the market uses: sessions of Checkout with their page, payments, charges, fees, refunds,
//! idempotency keys and signed webhooks. The bodies are those of version 2026-09-30.endive of the API; that
//! the SDK can read them is tested by everything that uses them.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State as Extract},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use sha2::Sha256;

/// Card numbers with an outcome of their own; all others succeed.
pub const DECLINED: &str = "4000000000000002";
/// A card that needs 3-D Secure.
pub const CHALLENGED: &str = "4000002500003155";

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Everything is done, but the connection breaks before the response has arrived.
    Lost,
    /// Nothing is done, and no response comes.
    Silent,
    /// Nothing is done, and the response is this error.
    Status(u16),
}

/// How the account behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Behaviour {
    /// Refunds are pending until [`Stripe::end_refunds`].
    pub refunds_later: bool,
    /// Charges are booked, with their fees, by [`Stripe::book`].
    pub books_later: bool,
}

/// A fake of Stripe, which serves until its runtime ends.
#[derive(Clone)]
pub struct Stripe {
    account: Arc<Account>,
    /// Its URL, of API and page.
    pub url: String,
}

struct Account {
    key: String,
    url: String,
    client: reqwest::Client,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    webhook: String,
    secrets: Vec<String>,
    behaviour: Behaviour,
    objects: BTreeMap<String, Value>,
    /// By idempotency key: the request, and the response.
    answered: HashMap<String, (String, StatusCode, Value)>,
    faults: Vec<(String, Fault)>,
    /// Every request: `GET /v1/refunds/re_…`.
    requests: Vec<String>,
    events: Vec<Value>,
    last: usize,
    automatic: bool,
}

type Answer = Result<Value, (StatusCode, Value)>;
type Form = HashMap<String, String>;

fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs().cast_signed()
}

fn refused(kind: &str, code: &str, message: &str) -> (StatusCode, Value) {
    let error = json!({
        "error": {
            "code": code,
            "doc_url": format!("https://docs.stripe.com/error-codes#{code}"),
            "message": message,
            "request_log_url": "https://dashboard.stripe.com/test/logs/req_fake",
            "type": kind,
        }
    });
    let status = match code {
        "resource_missing" => StatusCode::NOT_FOUND,
        "lock_timeout" => StatusCode::CONFLICT,
        "api_key_expired" => StatusCode::UNAUTHORIZED,
        _ => StatusCode::BAD_REQUEST,
    };
    (status, error)
}

fn invalid(code: &str, message: &str) -> (StatusCode, Value) {
    refused("invalid_request_error", code, message)
}

fn number(form: &Form, name: &str) -> Result<i64, (StatusCode, Value)> {
    let value = form.get(name).and_then(|value| value.parse().ok());
    value.ok_or_else(|| invalid("parameter_missing", &format!("Missing required param: {name}.")))
}

/// The fields of `metadata[…]` below this name.
fn metadata(form: &Form, name: &str) -> Value {
    let prefix = format!("{name}[");
    let field = |(key, value): (&String, &String)| {
        Some((key.strip_prefix(&prefix)?.strip_suffix(']')?.to_owned(), Value::from(value.as_str())))
    };
    Value::Object(form.iter().filter_map(field).collect())
}

impl Books {
    fn id(&mut self, prefix: &str) -> String {
        self.last += 1;
        format!("{prefix}_{:0>24}", self.last)
    }

    fn object(&self, id: &str) -> Result<&Value, (StatusCode, Value)> {
        self.objects.get(id).ok_or_else(|| invalid("resource_missing", &format!("No such object: '{id}'")))
    }

    fn set(&mut self, id: &str, name: &str, value: impl Into<Value>) {
        self.objects.get_mut(id).unwrap()[name] = value.into();
    }

    fn text(&self, id: &str, name: &str) -> String {
        self.objects[id][name].as_str().unwrap_or_default().to_owned()
    }

    /// The objects of a kind in which `name` is `value`, newest first.
    fn with(&self, kind: &str, name: &str, value: &str) -> Vec<String> {
        let fits = |object: &&Value| object["object"] == kind && object[name] == value;
        let ids = self.objects.values().filter(fits).map(|object| object["id"].as_str().unwrap().to_owned());
        ids.rev().collect()
    }

    fn event(&mut self, kind: &str, object: &str) {
        let event = json!({
            "id": self.id("evt"),
            "object": "event",
            "api_version": "2026-09-30.endive",
            "created": now_s(),
            "data": { "object": self.objects[object] },
            "livemode": false,
            "pending_webhooks": 1,
            "request": { "id": null, "idempotency_key": null },
            "type": kind,
        });
        self.events.push(event);
    }

    fn create_session(&mut self, form: &Form, url: &str) -> Answer {
        let item = "line_items[0][price_data]";
        let field = |name: &str| form.get(name).cloned();
        let currency = field(&format!("{item}[currency]"))
            .ok_or_else(|| invalid("parameter_missing", "Missing required param: currency."))?;
        if field(&format!("{item}[product_data][name]")).is_none_or(|name| name.is_empty()) {
            return Err(invalid("parameter_missing", "Missing required param: name."));
        }
        let amount =
            number(form, &format!("{item}[unit_amount]"))? * number(form, "line_items[0][quantity]")?;
        let three = ["bhd", "jod", "kwd", "omr", "tnd"].contains(&currency.as_str());
        let whole = ["isk", "ugx"].contains(&currency.as_str());
        if amount < 1 || (three && amount % 10 != 0) || (whole && amount % 100 != 0) {
            return Err(invalid("parameter_invalid_integer", "Invalid amount."));
        }
        let expires_at = number(form, "expires_at")?;
        if !(now_s() + 1_800..=now_s() + 86_400).contains(&expires_at) {
            return Err(invalid(
                "",
                "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
            ));
        }
        if field("mode").as_deref() != Some("payment") || field("success_url").is_none() {
            return Err(invalid("parameter_missing", "Missing required param: success_url."));
        }
        let id = self.id("cs_test");
        let intent = form.iter().filter(|(key, _)| key.starts_with("payment_intent_data["));
        let intent: Form = intent.map(|(key, value)| (key.clone(), value.clone())).collect();
        let session = json!({
            "id": id,
            "object": "checkout.session",
            "adaptive_pricing": { "enabled": field("adaptive_pricing[enabled]").as_deref() == Some("true") },
            "after_expiration": null,
            "allow_promotion_codes": null,
            "allowed_payment_method_types": ["card"],
            "amount_subtotal": amount,
            "amount_total": amount,
            "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
            "billing_address_collection": null,
            "branding_settings": null,
            "cancel_url": field("cancel_url"),
            "client_reference_id": field("client_reference_id"),
            "client_secret": null,
            "collected_information": null,
            "consent": null,
            "consent_collection": null,
            "created": now_s(),
            "currency": currency,
            "currency_conversion": null,
            "custom_fields": [],
            "custom_text": {
                "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
            },
            "customer": null,
            "customer_account": null,
            "customer_creation": "if_required",
            "customer_details": null,
            "customer_email": null,
            "discounts": [],
            "expires_at": expires_at,
            "integration_identifier": null,
            "invoice": null,
            "invoice_creation": {
                "enabled": false,
                "invoice_data": {
                    "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null,
                    "issuer": null, "metadata": {}, "rendering_options": null,
                },
            },
            "livemode": false,
            "locale": null,
            "metadata": metadata(form, "metadata"),
            "mode": "payment",
            "optional_items": null,
            "origin_context": null,
            "payment_intent": null,
            "payment_link": null,
            "payment_method_collection": "if_required",
            "payment_method_configuration_details": null,
            "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
            "payment_method_types": ["card"],
            "payment_status": "unpaid",
            "permissions": null,
            "phone_number_collection": { "enabled": false },
            "presentment_details": null,
            "recovered_from": null,
            "saved_payment_method_options": null,
            "setup_intent": null,
            "shipping_address_collection": null,
            "shipping_cost": null,
            "shipping_options": [],
            "status": "open",
            "submit_type": null,
            "subscription": null,
            "success_url": field("success_url"),
            "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
            "ui_mode": "hosted_page",
            "url": format!("{url}/c/pay/{id}#fid1d2BpamRhQ2prcSc"),
            "wallet_options": null,
        });
        self.objects.insert(id.clone(), session.clone());
        // What the payment will be made of. Not part of the session.
        self.objects.insert(format!("{id} intent"), json!({ "object": "form", "form": intent }));
        Ok(session)
    }

    /// The payment that a session gets when the shopper submits a card for the first time.
    fn intent_of(&mut self, session: &str) -> String {
        if let Some(id) = self.objects[session]["payment_intent"].as_str() {
            return id.to_owned();
        }
        let form = self.objects[&format!("{session} intent")]["form"].clone();
        let form: Form = form
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned()))
            .collect();
        let manual = form.get("payment_intent_data[capture_method]").is_some_and(|how| how == "manual");
        let id = self.id("pi");
        let intent = json!({
            "id": id,
            "object": "payment_intent",
            "amount": self.objects[session]["amount_total"],
            "amount_capturable": 0,
            "amount_details": { "tip": {} },
            "amount_received": 0,
            "application": null,
            "application_fee_amount": null,
            "automatic_payment_methods": null,
            "canceled_at": null,
            "cancellation_reason": null,
            "capture_method": if manual { "manual" } else { "automatic_async" },
            "client_secret": format!("{id}_secret_fake"),
            "confirmation_method": "automatic",
            "created": now_s(),
            "currency": self.objects[session]["currency"],
            "customer": null,
            "description": null,
            "last_payment_error": null,
            "latest_charge": null,
            "livemode": false,
            "metadata": metadata(&form, "payment_intent_data[metadata]"),
            "next_action": null,
            "on_behalf_of": null,
            "payment_method": null,
            "payment_method_configuration_details": null,
            "payment_method_options": {
                "card": {
                    "installments": null, "mandate_options": null, "network": null,
                    "request_three_d_secure": "automatic",
                },
            },
            "payment_method_types": ["card"],
            "processing": null,
            "receipt_email": null,
            "review": null,
            "setup_future_usage": null,
            "shipping": null,
            "source": null,
            "statement_descriptor": null,
            "statement_descriptor_suffix": null,
            "status": "requires_payment_method",
            "transfer_data": null,
            "transfer_group": null,
        });
        self.objects.insert(id.clone(), intent);
        self.set(session, "payment_intent", id.clone());
        self.event("payment_intent.created", &id);
        id
    }

    /// A card is charged, or declined.
    fn charge(&mut self, session: &str, card: &str, succeeds: bool) {
        let intent = self.intent_of(session);
        let manual = self.text(&intent, "capture_method") == "manual";
        let id = self.id("ch");
        let amount = self.objects[&intent]["amount"].clone();
        let taken = succeeds && !manual;
        let charge = json!({
            "id": id,
            "object": "charge",
            "amount": amount,
            "amount_captured": if taken { amount.clone() } else { json!(0) },
            "amount_refunded": 0,
            "application": null,
            "application_fee": null,
            "application_fee_amount": null,
            "balance_transaction": null,
            "billing_details": {
                "address": {
                    "city": null, "country": "IN", "line1": null, "line2": null, "postal_code": null, "state": null,
                },
                "email": "asha@example.com", "name": "Asha Rao", "phone": null, "tax_id": null,
            },
            "calculated_statement_descriptor": "HAAT",
            "captured": taken,
            "created": now_s(),
            "currency": self.objects[&intent]["currency"],
            "customer": null,
            "description": null,
            "disputed": false,
            "failure_balance_transaction": null,
            "failure_code": if succeeds { Value::Null } else { json!("card_declined") },
            "failure_message": if succeeds { Value::Null } else { json!("Your card was declined.") },
            "fraud_details": {},
            "livemode": false,
            "metadata": self.objects[&intent]["metadata"],
            "on_behalf_of": null,
            "outcome": {
                "advice_code": null,
                "network_advice_code": null,
                "network_decline_code": null,
                "network_status": if succeeds { "approved_by_network" } else { "declined_by_network" },
                "reason": if succeeds { Value::Null } else { json!("generic_decline") },
                "risk_level": "normal",
                "risk_score": 20,
                "seller_message": "Payment complete.",
                "type": if succeeds { "authorized" } else { "issuer_declined" },
            },
            "paid": succeeds,
            "payment_intent": intent,
            "payment_method": "pm_fake",
            "payment_method_details": {
                "card": {
                    "amount_authorized": amount,
                    "authorization_code": null,
                    "brand": "visa",
                    "checks": {
                        "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass",
                    },
                    "country": "US",
                    "exp_month": 12,
                    "exp_year": 2034,
                    "extended_authorization": { "status": "disabled" },
                    "fingerprint": "fake",
                    "funding": "credit",
                    "incremental_authorization": { "status": "unavailable" },
                    "installments": null,
                    "last4": &card[card.len().saturating_sub(4)..],
                    "mandate": null,
                    "multicapture": { "status": "unavailable" },
                    "network": "visa",
                    "network_token": { "used": false },
                    "network_transaction_id": "fake",
                    "overcapture": { "maximum_amount_capturable": amount, "status": "unavailable" },
                    "regulated_status": "unregulated",
                    "three_d_secure": null,
                    "wallet": null,
                },
                "type": "card",
            },
            "radar_options": {},
            "receipt_email": null,
            "receipt_number": null,
            "receipt_url": "https://pay.stripe.com/receipts/fake",
            "refunded": false,
            "review": null,
            "shipping": null,
            "source": null,
            "source_transfer": null,
            "statement_descriptor": null,
            "statement_descriptor_suffix": null,
            "status": if succeeds { "succeeded" } else { "failed" },
            "transfer_data": null,
            "transfer_group": null,
        });
        self.objects.insert(id.clone(), charge);
        self.set(&intent, "latest_charge", id.clone());
        if !succeeds {
            self.set(
                &intent,
                "last_payment_error",
                json!({
                    "charge": id, "code": "card_declined", "decline_code": "generic_decline",
                    "doc_url": "https://docs.stripe.com/error-codes#card_declined",
                    "message": "Your card was declined.", "type": "card_error",
                }),
            );
            self.event("charge.failed", &id);
            self.event("payment_intent.payment_failed", &intent);
            return;
        }
        self.set(session, "status", "complete");
        self.set(session, "url", Value::Null);
        self.set(session, "payment_status", if manual { "unpaid" } else { "paid" });
        self.set(&intent, "last_payment_error", Value::Null);
        if manual {
            self.set(&intent, "status", "requires_capture");
            self.set(&intent, "amount_capturable", amount);
            self.event("payment_intent.amount_capturable_updated", &intent);
        } else {
            self.set(&intent, "status", "succeeded");
            self.set(&intent, "amount_received", amount);
            self.event("charge.succeeded", &id);
            self.event("payment_intent.succeeded", &intent);
            self.book_unless_later(&id);
        }
        self.event("checkout.session.completed", session);
    }

    fn book_unless_later(&mut self, charge: &str) {
        if !self.behaviour.books_later {
            self.book(charge);
        }
    }

    fn book(&mut self, charge: &str) {
        let amount = self.objects[charge]["amount_captured"].as_i64().unwrap();
        let (fee, id) = (amount * 3 / 100, self.id("txn"));
        let booked = json!({
            "id": id,
            "object": "balance_transaction",
            "amount": amount,
            "available_on": now_s() + 172_800,
            "balance_type": "payments",
            "created": now_s(),
            "currency": self.objects[charge]["currency"],
            "description": null,
            "exchange_rate": null,
            "fee": fee,
            "fee_details": [{
                "amount": fee, "application": null, "currency": self.objects[charge]["currency"],
                "description": "Stripe processing fees", "type": "stripe_fee",
            }],
            "net": amount - fee,
            "reporting_category": "charge",
            "source": charge,
            "status": "pending",
            "type": "charge",
        });
        self.objects.insert(id.clone(), booked);
        self.set(charge, "balance_transaction", id);
        self.event("charge.updated", charge);
    }

    fn capture(&mut self, intent: &str) -> Answer {
        let found = self.object(intent)?;
        if found["status"] != "requires_capture" {
            return Err(invalid(
                "payment_intent_unexpected_state",
                "This PaymentIntent could not be captured.",
            ));
        }
        let (amount, charge) = (found["amount"].clone(), self.text(intent, "latest_charge"));
        self.set(intent, "status", "succeeded");
        self.set(intent, "amount_capturable", 0);
        self.set(intent, "amount_received", amount.clone());
        self.set(&charge, "captured", true);
        self.set(&charge, "amount_captured", amount);
        self.event("charge.captured", &charge);
        self.event("payment_intent.succeeded", intent);
        self.book_unless_later(&charge);
        Ok(self.objects[intent].clone())
    }

    fn cancel(&mut self, intent: &str) -> Answer {
        let found = self.object(intent)?;
        if found["status"] != "requires_capture" {
            return Err(invalid("payment_intent_unexpected_state", "You cannot cancel this PaymentIntent."));
        }
        self.set(intent, "status", "canceled");
        self.set(intent, "amount_capturable", 0);
        self.set(intent, "canceled_at", now_s());
        self.event("payment_intent.canceled", intent);
        Ok(self.objects[intent].clone())
    }

    fn expire(&mut self, session: &str) -> Answer {
        if self.object(session)?["status"] != "open" {
            return Err(invalid("", "Only Checkout Sessions with a status in [\"open\"] can be expired."));
        }
        self.set(session, "status", "expired");
        self.set(session, "url", Value::Null);
        self.event("checkout.session.expired", session);
        Ok(self.objects[session].clone())
    }

    fn refund(&mut self, form: &Form) -> Answer {
        let intent = form.get("payment_intent").cloned().unwrap_or_default();
        let amount = number(form, "amount")?;
        self.object(&intent)?;
        let charge = self.text(&intent, "latest_charge");
        let found = self.object(&charge)?;
        let left = found["amount_captured"].as_i64().unwrap() - found["amount_refunded"].as_i64().unwrap();
        if amount < 1 || amount > left {
            return Err(invalid(
                "",
                &format!("Refund amount ({amount}) is greater than unrefunded amount ({left})"),
            ));
        }
        let refunded = found["amount_refunded"].as_i64().unwrap() + amount;
        let id = self.id("re");
        let later = self.behaviour.refunds_later;
        let refund = json!({
            "id": id,
            "object": "refund",
            "amount": amount,
            "balance_transaction": null,
            "charge": charge,
            "created": now_s(),
            "currency": self.objects[&intent]["currency"],
            "destination_details": {
                "card": {
                    "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund",
                },
                "type": "card",
            },
            "metadata": metadata(form, "metadata"),
            "payment_intent": intent,
            "reason": null,
            "receipt_number": null,
            "source_transfer_reversal": null,
            "status": if later { "pending" } else { "succeeded" },
            "transfer_reversal": null,
        });
        self.objects.insert(id.clone(), refund.clone());
        self.set(&charge, "amount_refunded", refunded);
        self.event("refund.created", &id);
        self.event("charge.refunded", &charge);
        Ok(refund)
    }

    fn end_refund(&mut self, id: &str, succeeds: bool) {
        if succeeds {
            self.set(id, "status", "succeeded");
            return self.event("refund.updated", id);
        }
        self.set(id, "status", "failed");
        self.set(id, "failure_reason", "lost_or_stolen_card");
        let (charge, amount) = (self.text(id, "charge"), self.objects[id]["amount"].as_i64().unwrap());
        let refunded = self.objects[&charge]["amount_refunded"].as_i64().unwrap() - amount;
        self.set(&charge, "amount_refunded", refunded);
        self.event("refund.failed", id);
    }

    /// An object with the objects on this path in place of their IDs.
    fn expanded(&self, mut object: Value, path: &[&str]) -> Value {
        if let [name, rest @ ..] = path
            && let Some(found) = object[*name].as_str().and_then(|id| self.objects.get(id))
        {
            object[*name] = self.expanded(found.clone(), rest);
        }
        object
    }

    fn list(&self, ids: &[String], form: &Form, url: &str) -> Value {
        let limit = form.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10);
        let after = form.get("starting_after").and_then(|last| ids.iter().position(|id| id == last));
        let rest = &ids[after.map_or(0, |at| at + 1)..];
        let data: Vec<_> = rest.iter().take(limit).map(|id| self.objects[id].clone()).collect();
        json!({ "object": "list", "data": data, "has_more": rest.len() > limit, "url": url })
    }

    fn answer(&mut self, method: &Method, path: &str, form: &Form, url: &str) -> Answer {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let of = form.get("payment_intent").cloned().unwrap_or_default();
        let post = method == Method::POST;
        let found = match parts[..] {
            ["v1", "checkout", "sessions"] if post => self.create_session(form, url)?,
            ["v1", "checkout", "sessions"] => {
                self.list(&self.with("checkout.session", "payment_intent", &of), form, path)
            }
            ["v1", "checkout", "sessions", id, "expire"] if post => self.expire(id)?,
            ["v1", "payment_intents", id, "capture"] if post => self.capture(id)?,
            ["v1", "payment_intents", id, "cancel"] if post => self.cancel(id)?,
            ["v1", "refunds"] if post => self.refund(form)?,
            ["v1", "refunds"] => self.list(&self.with("refund", "payment_intent", &of), form, path),
            ["v1", "checkout", "sessions", id] | ["v1", "refunds", id] if !post => self.object(id)?.clone(),
            _ => {
                return Err(invalid(
                    "resource_missing",
                    &format!("Unrecognized request URL ({method}: {path})."),
                ));
            }
        };
        let paths = form.iter().filter(|(name, _)| name.starts_with("expand["));
        Ok(paths.fold(found, |found, (_, path)| self.expanded(found, &path.split('.').collect::<Vec<_>>())))
    }

    fn answer_once(
        &mut self,
        method: &Method,
        path: &str,
        raw: &str,
        key: Option<&str>,
        url: &str,
    ) -> (StatusCode, Value) {
        let request = format!("{method} {path} {raw}");
        if let Some((before, status, body)) = key.and_then(|key| self.answered.get(key)) {
            if *before == request {
                return (*status, body.clone());
            }
            let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
            return refused("idempotency_error", "", message);
        }
        let form: Form = form_urlencoded::parse(raw.as_bytes()).into_owned().collect();
        let (status, body) = match self.answer(method, path, &form, url) {
            Ok(body) => (StatusCode::OK, body),
            Err(error) => error,
        };
        if let Some(key) = key {
            self.answered.insert(key.to_owned(), (request, status, body.clone()));
        }
        (status, body)
    }
}

impl Account {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }
}

fn signature(secret: &str, at_s: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at_s}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    })
}

impl Stripe {
    /// Starts an account with this secret key, on a free port if it is 0.
    pub async fn start(key: &str, secret: &str, port: u16) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let books = Books { secrets: vec![secret.to_owned()], ..Books::default() };
        let account = Arc::new(Account {
            key: format!("Bearer {key}"),
            url: url.clone(),
            client: reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap(),
            books: Mutex::new(books),
        });
        let stripe = Self { account, url };
        let router = Router::new()
            .route("/c/pay/{session}", get(page).post(pay))
            .route("/c/pay/{session}/challenge", get(page).post(challenge))
            .fallback(api)
            .with_state(stripe.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        stripe
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.account.books()
    }

    /// Where webhooks go.
    pub fn webhooks_to(&self, url: &str) {
        self.books().webhook = url.to_owned();
    }

    /// Webhooks are delivered at once, rather than when a test says so.
    pub fn deliver_automatically(&self) {
        self.books().automatic = true;
    }

    /// The secrets that webhooks are signed with.
    pub fn sign_with(&self, secrets: &[&str]) {
        self.books().secrets = secrets.iter().map(|&secret| secret.to_owned()).collect();
    }

    /// How the account behaves from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.books().behaviour = behaviour;
    }

    /// What goes wrong with the next request that begins like this: `POST /v1/refunds`.
    pub fn fail(&self, request: &str, fault: Fault) {
        self.books().faults.push((request.to_owned(), fault));
    }

    /// How many requests began like this.
    pub fn requests(&self, like: &str) -> usize {
        self.books().requests.iter().filter(|request| request.starts_with(like)).count()
    }

    /// How many faults haven't happened yet.
    pub fn faults_left(&self) -> usize {
        self.books().faults.len()
    }

    /// The objects of a kind: `checkout.session`, `refund`.
    pub fn objects(&self, kind: &str) -> Vec<Value> {
        self.books().objects.values().filter(|object| object["object"] == kind).cloned().collect()
    }

    /// Takes the events that have not been delivered, oldest first. They are lost unless [`Self::send`] sends them.
    pub fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut self.books().events)
    }

    /// Sends an event, and returns the status of the response.
    pub async fn send(&self, event: &Value) -> StatusCode {
        let at_s = now_s();
        self.send_signed(event, |body| {
            let secrets = self.books().secrets.clone();
            let signed = secrets.iter().map(|secret| format!(",v1={}", signature(secret, at_s, body)));
            format!("t={at_s}{}", signed.collect::<String>())
        })
        .await
    }

    /// Sends an event that was signed `age_s` ago, with this secret.
    pub async fn send_old(&self, event: &Value, age_s: i64, secret: &str) -> StatusCode {
        let at_s = now_s() - age_s;
        self.send_signed(event, |body| format!("t={at_s},v1={}", signature(secret, at_s, body))).await
    }

    async fn send_signed(&self, event: &Value, sign: impl Fn(&[u8]) -> String) -> StatusCode {
        let body = serde_json::to_vec_pretty(event).unwrap();
        let webhook = self.books().webhook.clone();
        let request = self.account.client.post(webhook).header("stripe-signature", sign(&body));
        let request = request.header("content-type", "application/json; charset=utf-8").body(body);
        request.send().await.map_or(StatusCode::BAD_GATEWAY, |response| response.status())
    }

    /// Delivers all events in the order in which they happened. Each must be accepted.
    pub async fn deliver(&self) {
        for event in self.take_events() {
            let status = self.send(&event).await;
            assert!(status.is_success(), "{status} {event}");
        }
    }

    /// Ends the pending refunds.
    pub fn end_refunds(&self, succeed: bool) {
        let mut books = self.books();
        for id in books.with("refund", "status", "pending") {
            books.end_refund(&id, succeed);
        }
    }

    /// Books the charges that were not booked yet.
    pub fn book(&self) {
        let mut books = self.books();
        let charges = books.objects.values().filter(|object| {
            object["object"] == "charge"
                && object["captured"] == true
                && object["balance_transaction"].is_null()
        });
        for id in charges.map(|charge| charge["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>() {
            books.book(&id);
        }
    }

    /// Open sessions expire.
    pub fn expire(&self) {
        let mut books = self.books();
        for id in books.with("checkout.session", "status", "open") {
            books.expire(&id).unwrap();
        }
    }

    /// Somebody captures or cancels every authorized payment in the dashboard.
    pub fn in_dashboard(&self, capture: bool) {
        let mut books = self.books();
        for id in books.with("payment_intent", "status", "requires_capture") {
            if capture { books.capture(&id) } else { books.cancel(&id) }.unwrap();
        }
    }

    /// Somebody disputes every payment; a payout is made, and the account changes.
    pub fn dispute(&self) {
        let mut books = self.books();
        let charge =
            books.objects.values().find(|object| object["object"] == "charge").unwrap()["id"].clone();
        for (prefix, object, kind) in [
            ("du", "dispute", "charge.dispute.created"),
            ("po", "payout", "payout.paid"),
            ("acct", "account", "account.updated"),
        ] {
            let id = books.id(prefix);
            books.objects.insert(id.clone(), json!({ "id": id, "object": object, "charge": charge }));
            books.event(kind, &id);
        }
    }

    async fn deliver_if_automatic(&self) {
        if !self.books().automatic {
            return;
        }
        for event in self.take_events() {
            let this = self.clone();
            tokio::spawn(async move {
                for pause in [1, 2, 5] {
                    if this.send(&event).await.is_success() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_secs(pause)).await;
                }
            });
        }
    }
}

/// The API.
async fn api(
    Extract(stripe): Extract<Stripe>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let answer = |(status, body): (StatusCode, Value)| {
        (status, [("request-id", "req_fake")], axum::Json(body)).into_response()
    };
    if header("authorization") != Some(&stripe.account.key) {
        let (_, error) = refused("invalid_request_error", "", "Invalid API Key provided: sk_test_****fake");
        return answer((StatusCode::UNAUTHORIZED, error));
    }
    let fault = {
        let request = format!("{method} {}", uri.path());
        let mut books = stripe.books();
        books.requests.push(request.clone());
        let at = books.faults.iter().position(|(failing, _)| request.starts_with(failing.as_str()));
        at.map(|at| books.faults.remove(at).1)
    };
    match fault {
        Some(Fault::Silent) => return std::future::pending().await,
        Some(Fault::Status(status)) => {
            let (_, error) = refused("api_error", "", "An error occurred.");
            return answer((StatusCode::from_u16(status).unwrap(), error));
        }
        Some(Fault::Lost) | None => {}
    }
    let raw = if method == Method::GET {
        uri.query().unwrap_or_default().to_owned()
    } else {
        String::from_utf8(body.to_vec()).unwrap()
    };
    let done = {
        let url = stripe.account.url.clone();
        stripe.books().answer_once(&method, uri.path(), &raw, header("idempotency-key"), &url)
    };
    stripe.deliver_if_automatic().await;
    if fault == Some(Fault::Lost) {
        let broken = futures::stream::once(async { Err::<Bytes, _>(io::Error::other("lost")) });
        return Body::from_stream(broken).into_response();
    }
    answer(done)
}

/// The page on which shoppers pay.
async fn page(Extract(stripe): Extract<Stripe>, Path(session): Path<String>) -> Response {
    shown(&stripe, &session, "")
}

fn shown(stripe: &Stripe, session: &str, alert: &str) -> Response {
    let books = stripe.books();
    let Ok(found) = books.object(session) else { return StatusCode::NOT_FOUND.into_response() };
    let (amount, currency) = (&found["amount_total"], found["currency"].as_str().unwrap_or_default());
    let back = found["cancel_url"].as_str().unwrap_or_default().replace('&', "&amp;");
    let html = if found["status"] == "open" {
        format!(
            "<!DOCTYPE html><html lang=en><link rel=icon href=data:,><title>Pay</title><h1>Pay {amount} {currency}</h1><p role=alert>{alert}</p>\
             <form method=post action=/c/pay/{session}><label>Card number <input name=card></label>\
             <button>Pay</button></form><a href=\"{back}\">Back</a></html>"
        )
    } else {
        "<!DOCTYPE html><html lang=en><link rel=icon href=data:,><title>Pay</title><h1>You’re all done here</h1></html>".to_owned()
    };
    Html(html).into_response()
}

async fn pay(Extract(stripe): Extract<Stripe>, Path(session): Path<String>, body: String) -> Response {
    let form: Form = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let card: String = form.get("card").map(|card| card.replace(' ', "")).unwrap_or_default();
    if card == CHALLENGED {
        return Html(format!(
            "<!DOCTYPE html><html lang=en><link rel=icon href=data:,><title>3-D Secure</title><h1>Is it you?</h1>\
             <form method=post action=/c/pay/{session}/challenge><button name=answer value=complete>Complete</button>\
             <button name=answer value=fail>Fail</button></form></html>"
        ))
        .into_response();
    }
    charged(&stripe, &session, &card, card != DECLINED).await
}

async fn challenge(Extract(stripe): Extract<Stripe>, Path(session): Path<String>, body: String) -> Response {
    charged(&stripe, &session, CHALLENGED, body == "answer=complete").await
}

async fn charged(stripe: &Stripe, session: &str, card: &str, succeeds: bool) -> Response {
    let open = stripe.books().object(session).is_ok_and(|session| session["status"] == "open");
    if !open {
        return shown(stripe, session, "");
    }
    stripe.books().charge(session, card, succeeds);
    stripe.deliver_if_automatic().await;
    if !succeeds {
        return shown(stripe, session, "Your card was declined.");
    }
    let back = stripe.books().text(session, "success_url");
    Redirect::to(&back).into_response()
}
