//! The objects of a Stripe account, and what requests do to them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Answer, Books};
use crate::{
    common::{Fields, fields, now_s},
    idempotency::Before,
};

pub(super) fn refused(kind: &str, code: &str, message: &str) -> (StatusCode, Value) {
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

pub(super) fn invalid(code: &str, message: &str) -> (StatusCode, Value) {
    refused("invalid_request_error", code, message)
}

pub(super) fn number(form: &Fields, name: &str) -> Result<i64, (StatusCode, Value)> {
    let value = form.get(name).and_then(|value| value.parse().ok());
    value.ok_or_else(|| invalid("parameter_missing", &format!("Missing required param: {name}.")))
}

/// The fields of `metadata[…]` below this name.
pub(super) fn metadata(form: &Fields, name: &str) -> Value {
    let prefix = format!("{name}[");
    let field = |(key, value): (&String, &String)| {
        Some((key.strip_prefix(&prefix)?.strip_suffix(']')?.to_owned(), Value::from(value.as_str())))
    };
    Value::Object(form.iter().filter_map(field).collect())
}

impl Books {
    pub(super) fn object(&self, id: &str) -> Result<&Value, (StatusCode, Value)> {
        self.objects.get(id).ok_or_else(|| invalid("resource_missing", &format!("No such object: '{id}'")))
    }

    pub(super) fn event(&mut self, kind: &str, object: &str) {
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

    fn create_session(&mut self, form: &Fields, url: &str) -> Answer {
        let customer = self.customer_in(form)?;
        if form.get("mode").is_some_and(|mode| mode == "setup") {
            let customer =
                customer.ok_or_else(|| invalid("parameter_missing", "Missing required param: customer."))?;
            let intent = self.id("seti");
            let session = self.new_session(form, url, (Value::Null, Value::Null), now_s() + 86_400);
            let id = session["id"].as_str().unwrap().to_owned();
            self.set(&id, "customer", customer);
            self.set(&id, "setup_intent", intent);
            self.set(&id, "payment_status", "no_payment_required");
            self.set(&id, "total_details", Value::Null);
            return Ok(self.objects[&id].clone());
        }
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
        let session = self.new_session(form, url, (amount.into(), currency.into()), expires_at);
        let id = session["id"].as_str().unwrap().to_owned();
        let intent = form.iter().filter(|(key, _)| key.starts_with("payment_intent_data["));
        let intent: Fields = intent.map(|(key, value)| (key.clone(), value.clone())).collect();
        // What the payment will be made of. Not part of the session.
        self.objects.insert(format!("{id} intent"), json!({ "object": "form", "form": intent }));
        Ok(session)
    }

    /// A page for paying, or for saving a card.
    fn new_session(
        &mut self,
        form: &Fields,
        url: &str,
        (amount, currency): (Value, Value),
        expires_at: i64,
    ) -> Value {
        let field = |name: &str| form.get(name).cloned();
        let id = self.id("cs_test");
        let saves = field("saved_payment_method_options[payment_method_save]");
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
            "customer": field("customer"),
            "customer_account": null,
            "customer_creation": if field("customer").is_some() { Value::Null } else { "if_required".into() },
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
            "mode": field("mode"),
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
            "saved_payment_method_options": saves.map(|saves| json!({
                "allow_redisplay_filters": ["always"], "payment_method_remove": "disabled", "payment_method_save": saves,
            })),
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
        self.objects.insert(id, session.clone());
        session
    }

    /// The payment that a session gets when the shopper submits a card for the first time.
    fn intent_of(&mut self, session: &str) -> String {
        if let Some(id) = self.objects[session]["payment_intent"].as_str() {
            return id.to_owned();
        }
        let form = self.objects[&format!("{session} intent")]["form"].clone();
        let form: Fields = form
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned()))
            .collect();
        let manual = form.get("payment_intent_data[capture_method]").is_some_and(|how| how == "manual");
        let (amount, currency) =
            (self.objects[session]["amount_total"].clone(), self.objects[session]["currency"].clone());
        let id = self.new_intent(amount, currency, manual, metadata(&form, "payment_intent_data[metadata]"));
        let customer = self.objects[session]["customer"].clone();
        self.set(&id, "customer", customer);
        self.set(session, "payment_intent", id.clone());
        id
    }

    /// A payment on a page of the shop.
    fn create_intent(&mut self, form: &Fields) -> Answer {
        let customer = self.customer_in(form)?;
        let currency = form.get("currency").cloned();
        let currency =
            currency.ok_or_else(|| invalid("parameter_missing", "Missing required param: currency."))?;
        let amount = number(form, "amount")?;
        if amount < 1 {
            return Err(invalid("parameter_invalid_integer", "Invalid amount."));
        }
        let manual = form.get("capture_method").is_some_and(|how| how == "manual");
        let id = self.new_intent(amount.into(), currency.into(), manual, metadata(form, "metadata"));
        self.set(&id, "customer", customer);
        let automatic = form.get("automatic_payment_methods[enabled]").is_some_and(|on| on == "true");
        self.set(
            &id,
            "automatic_payment_methods",
            json!({ "allow_redirects": "always", "enabled": automatic }),
        );
        Ok(self.objects[&id].clone())
    }

    fn new_intent(&mut self, amount: Value, currency: Value, manual: bool, metadata: Value) -> String {
        let id = self.id("pi");
        let intent = json!({
            "id": id,
            "object": "payment_intent",
            "amount": amount,
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
            "currency": currency,
            "customer": null,
            "description": null,
            "last_payment_error": null,
            "latest_charge": null,
            "livemode": false,
            "metadata": metadata,
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
        self.event("payment_intent.created", &id);
        id
    }

    /// A card is charged on the page of a session, or declined.
    pub(super) fn charge(&mut self, session: &str, card: &str, succeeds: bool) {
        let intent = self.intent_of(session);
        let manual = self.text(&intent, "capture_method") == "manual";
        self.charge_intent(&intent, card, succeeds);
        if succeeds {
            self.set(session, "status", "complete");
            self.set(session, "url", Value::Null);
            self.set(session, "payment_status", if manual { "unpaid" } else { "paid" });
            self.event("checkout.session.completed", session);
        }
    }

    /// A card is charged for a payment, or declined.
    pub(super) fn charge_intent(&mut self, intent: &str, card: &str, succeeds: bool) {
        let intent = intent.to_owned();
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
            "customer": self.objects[&intent]["customer"],
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
    }

    fn book_unless_later(&mut self, charge: &str) {
        if !self.behaviour.books_later {
            self.book(charge);
        }
    }

    pub(super) fn book(&mut self, charge: &str) {
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

    pub(super) fn capture(&mut self, intent: &str) -> Answer {
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

    pub(super) fn cancel(&mut self, intent: &str) -> Answer {
        let found = self.object(intent)?;
        if found["status"] != "requires_capture" && found["status"] != "requires_payment_method" {
            return Err(invalid("payment_intent_unexpected_state", "You cannot cancel this PaymentIntent."));
        }
        self.set(intent, "status", "canceled");
        self.set(intent, "amount_capturable", 0);
        self.set(intent, "canceled_at", now_s());
        self.event("payment_intent.canceled", intent);
        Ok(self.objects[intent].clone())
    }

    pub(super) fn expire(&mut self, session: &str) -> Answer {
        if self.object(session)?["status"] != "open" {
            return Err(invalid("", "Only Checkout Sessions with a status in [\"open\"] can be expired."));
        }
        self.set(session, "status", "expired");
        self.set(session, "url", Value::Null);
        self.event("checkout.session.expired", session);
        Ok(self.objects[session].clone())
    }

    fn refund(&mut self, form: &Fields) -> Answer {
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

    /// A transaction of a dispute.
    fn booked(&mut self, dispute: &str, amount: i64, fee: i64) -> Value {
        let id = self.id("txn");
        json!({
            "id": id,
            "object": "balance_transaction",
            "amount": amount,
            "available_on": now_s(),
            "balance_type": "payments",
            "created": now_s(),
            "currency": self.objects[dispute]["currency"],
            "description": "Chargeback",
            "exchange_rate": null,
            "fee": fee,
            "fee_details": [],
            "net": amount - fee,
            "reporting_category": "dispute",
            "source": dispute,
            "status": "available",
            "type": "adjustment",
        })
    }

    /// The holder of the card disputes the latest charge.
    pub(super) fn dispute(&mut self) -> String {
        let latest = |object: &&Value| {
            object["object"] == "charge" && object["captured"] == true && object["amount_refunded"] == 0
        };
        let charge = self.objects.values().rfind(latest).expect("a charge that can be disputed").clone();
        let id = self.id("du");
        let dispute = json!({
            "id": id,
            "object": "dispute",
            "amount": charge["amount_captured"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": now_s(),
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": { "enhanced_evidence": {} },
            "evidence_details": {
                "due_by": now_s() + 7 * 86_400, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
                "submission_count": 0,
            },
            "is_charge_refundable": false,
            "livemode": false,
            "metadata": {},
            "network_reason_code": "10.4",
            "payment_intent": charge["payment_intent"],
            "reason": "fraudulent",
            "status": "needs_response",
        });
        self.objects.insert(id.clone(), dispute);
        self.set(charge["id"].as_str().expect("an ID"), "disputed", json!(true));
        let taken = self.booked(&id, -charge["amount_captured"].as_i64().unwrap(), 1_500);
        self.set(&id, "balance_transactions", json!([taken]));
        self.event("charge.dispute.created", &id);
        self.event("charge.dispute.funds_withdrawn", &id);
        id
    }

    pub(super) fn decide(&mut self, id: &str, won: bool) {
        self.set(id, "status", if won { "won" } else { "lost" });
        if won {
            let mut booked = self.objects[id]["balance_transactions"].clone();
            let amount = self.objects[id]["amount"].as_i64().unwrap();
            let back = self.booked(id, amount, -1_500);
            booked.as_array_mut().unwrap().push(back);
            self.set(id, "balance_transactions", booked);
        }
        self.event("charge.dispute.closed", id);
    }

    /// Money is transferred to the bank.
    pub(super) fn pay_out(&mut self, amount: i64, currency: &str) -> String {
        let id = self.id("po");
        let payout = json!({
            "id": id,
            "object": "payout",
            "amount": amount,
            "arrival_date": now_s(),
            "automatic": true,
            "balance_transaction": null,
            "created": now_s(),
            "currency": currency,
            "description": "STRIPE PAYOUT",
            "destination": null,
            "livemode": false,
            "metadata": {},
            "method": "standard",
            "reconciliation_status": "completed",
            "source_type": "card",
            "status": "paid",
            "type": "bank_account",
        });
        self.objects.insert(id.clone(), payout);
        self.event("payout.paid", &id);
        id
    }

    pub(super) fn end_refund(&mut self, id: &str, succeeds: bool) {
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

    fn list(&self, ids: &[String], form: &Fields, url: &str) -> Value {
        let limit = form.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10);
        let after = form.get("starting_after").and_then(|last| ids.iter().position(|id| id == last));
        let rest = &ids[after.map_or(0, |at| at + 1)..];
        let data: Vec<_> = rest.iter().take(limit).map(|id| self.objects[id].clone()).collect();
        json!({ "object": "list", "data": data, "has_more": rest.len() > limit, "url": url })
    }

    fn answer(&mut self, method: &Method, path: &str, form: &Fields, url: &str) -> Answer {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let of = form.get("payment_intent").cloned().unwrap_or_default();
        let post = method == Method::POST;
        let found = match parts[..] {
            ["v1", "checkout", "sessions"] if post => self.create_session(form, url)?,
            ["v1", "checkout", "sessions"] => {
                self.list(&self.with("checkout.session", "payment_intent", &of), form, path)
            }
            ["v1", "checkout", "sessions", id, "expire"] if post => self.expire(id)?,
            ["v1", "customers"] if post => self.create_customer(form)?,
            ["v1", "customers", id, "payment_methods"] if !post => {
                self.customer_in(&Fields::from([("customer".into(), id.into())]))?;
                self.list(&self.cards_of(id), form, path)
            }
            ["v1", "customer_sessions"] if post => self.create_customer_session(form)?,
            ["v1", "payment_methods", id, "detach"] if post => self.detach(id)?,
            ["v1", "payment_intents"] if post => self.create_intent(form)?,
            ["v1", "payment_intents", id] if !post => self.object(id)?.clone(),
            ["v1", "payment_intents", id, "capture"] if post => self.capture(id)?,
            ["v1", "payment_intents", id, "cancel"] if post => self.cancel(id)?,
            ["v1", "accounts"] if post => self.create_account(form)?,
            ["v1", "account_links"] if post => self.link_account(form, url)?,
            ["v1", "transfers"] if post => self.transfer(form)?,
            ["v1", "transfers"] => {
                let group = form.get("transfer_group").cloned().unwrap_or_default();
                self.list(&self.with("transfer", "transfer_group", &group), form, path)
            }
            ["v1", "transfers", id, "reversals"] if post => self.reverse(id)?,
            ["v1", "refunds"] if post => self.refund(form)?,
            ["v1", "refunds"] => self.list(&self.with("refund", "payment_intent", &of), form, path),
            ["v1", "checkout", "sessions", id]
            | ["v1", "refunds" | "disputes" | "payouts" | "accounts" | "transfers", id]
                if !post =>
            {
                self.object(id)?.clone()
            }
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

    pub(super) fn answer_once(
        &mut self,
        method: &Method,
        path: &str,
        raw: &str,
        key: Option<&str>,
        url: &str,
    ) -> (StatusCode, Value) {
        let request = format!("{method} {path} {raw}");
        match self.answered.before(key, &request) {
            Before::Same(status, body) => return (status, body),
            Before::Another => {
                let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
                return refused("idempotency_error", "", message);
            }
            Before::Nothing => {}
        }
        let form = fields(raw);
        let (status, body) = match self.answer(method, path, &form, url) {
            Ok(body) => (StatusCode::OK, body),
            Err(error) => error,
        };
        self.answered.keep(key, request, status, &body);
        (status, body)
    }
}
