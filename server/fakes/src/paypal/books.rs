//! The orders, captures and refunds of a PayPal account, and what requests do to them.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::Books;
use crate::{
    common::{hmac, now_s},
    idempotency::Before,
};

pub(super) type Answer = (StatusCode, Value);

/// The currencies that PayPal counts in whole units.
const WHOLE: [&str; 3] = ["HUF", "JPY", "TWD"];
const HUNDREDTHS: &str =
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN SEK SGD THB USD";

pub(super) fn refused(status: StatusCode, name: &str, issue: &str) -> Answer {
    let details = json!([{ "issue": issue, "description": "Something is wrong." }]);
    let error = json!({
        "name": name,
        "message": "The request could not be done.",
        "debug_id": "fake",
        "details": if issue.is_empty() { json!([]) } else { details },
        "links": [],
    });
    (status, error)
}

fn unprocessable(issue: &str) -> Answer {
    refused(StatusCode::UNPROCESSABLE_ENTITY, "UNPROCESSABLE_ENTITY", issue)
}

fn missing() -> Answer {
    refused(StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
}

/// A time as PayPal writes it: `2026-11-28T07:38:31Z`.
pub(super) fn moment(at_s: i64) -> String {
    Timestamp::from_second(at_s).unwrap().to_string()
}

/// An amount in its smallest units, if PayPal takes it.
fn units(amount: &Value) -> Result<i64, Answer> {
    let currency = amount["currency_code"].as_str().unwrap_or_default();
    let value = amount["value"].as_str().ok_or_else(|| unprocessable("MISSING_REQUIRED_PARAMETER"))?;
    let decimals = match () {
        () if WHOLE.contains(&currency) => 0,
        () if HUNDREDTHS.split(' ').any(|code| code == currency) => 2,
        () => return Err(unprocessable("CURRENCY_NOT_SUPPORTED")),
    };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if decimals == 0 && !fraction.is_empty() {
        return Err(unprocessable("DECIMALS_NOT_SUPPORTED"));
    }
    let fraction = format!("{fraction:0<decimals$}");
    let units = if fraction.len() > decimals { None } else { format!("{whole}{fraction}").parse().ok() };
    units.filter(|units| *units > 0).ok_or_else(|| unprocessable("INVALID_PARAMETER_VALUE"))
}

/// An amount like another one, in its currency.
fn amount(like: &Value, units: i64) -> Value {
    let currency = like["currency_code"].as_str().unwrap_or_default();
    let value = match WHOLE.contains(&currency) {
        true => units.to_string(),
        false => format!("{}.{:02}", units / 100, units % 100),
    };
    json!({ "currency_code": currency, "value": value })
}

#[derive(Deserialize)]
struct Verification<'a> {
    auth_algo: String,
    cert_url: String,
    transmission_id: String,
    transmission_sig: String,
    transmission_time: String,
    webhook_id: String,
    #[serde(borrow)]
    webhook_event: &'a RawValue,
}

impl Books {
    fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}{:0>14}", self.common.next())
    }

    fn object(&self, id: &str) -> Result<&Value, Answer> {
        self.common.objects.get(id).ok_or_else(missing)
    }

    pub(super) fn event(&mut self, kind: &str, resource: Value) {
        let event = json!({
            "id": format!("WH-{}", self.common.next()),
            "event_version": "1.0",
            "create_time": moment(now_s()),
            "resource_type": kind.split('.').nth(1).unwrap_or_default().to_lowercase(),
            "resource_version": "2.0",
            "event_type": kind,
            "summary": "Something happened.",
            "resource": resource,
            "links": [],
        });
        self.common.events.push(event);
    }

    fn create(&mut self, body: &Value, key: Option<&str>) -> Result<Answer, Answer> {
        let unit = &body["purchase_units"][0];
        units(&unit["amount"])?;
        let context = &body["payment_source"]["paypal"]["experience_context"];
        if key.is_none() || body["intent"] != "CAPTURE" || !context["return_url"].is_string() {
            return Err(unprocessable("MISSING_REQUIRED_PARAMETER"));
        }
        let id = self.id("ORDER");
        let order = json!({
            "id": id,
            "intent": "CAPTURE",
            "status": "PAYER_ACTION_REQUIRED",
            "payment_source": { "paypal": {} },
            "purchase_units": [{
                "reference_id": "default",
                "amount": unit["amount"],
                "payee": { "email_address": "market@business.example", "merchant_id": "FAKE" },
                "custom_id": unit["custom_id"],
                "invoice_id": unit["invoice_id"],
            }],
            "create_time": moment(now_s()),
            "links": [
                { "href": format!("{}/v2/checkout/orders/{id}", self.url), "rel": "self", "method": "GET" },
                {
                    "href": format!("{}/checkoutnow?token={id}", self.url),
                    "rel": "payer-action", "method": "GET",
                },
            ],
        });
        self.common.objects.insert(id.clone(), order.clone());
        // Where its page leads. Not part of the order that the API returns.
        self.common.objects.insert(format!("PAGE {id}"), context.clone());
        Ok((StatusCode::CREATED, order))
    }

    /// Whoever pays agrees.
    pub(super) fn approve(&mut self, id: &str) {
        self.common.set(id, "status", "APPROVED");
        let order = self.common.objects[id].clone();
        self.event("CHECKOUT.ORDER.APPROVED", order);
    }

    fn capture(&mut self, id: &str) -> Result<Answer, Answer> {
        let order = self.object(id)?.clone();
        match order["status"].as_str() {
            Some("APPROVED") => {}
            Some("COMPLETED") => return Err(unprocessable("ORDER_ALREADY_CAPTURED")),
            _ => return Err(unprocessable("ORDER_NOT_APPROVED")),
        }
        let unit = &order["purchase_units"][0];
        let twice =
            |object: &Value| object["invoice_id"] == unit["invoice_id"] && object["final_capture"] == true;
        if self.common.objects.values().any(twice) {
            return Err(unprocessable("DUPLICATE_INVOICE_ID"));
        }
        let behaviour = self.behaviour;
        if behaviour.captures_decline {
            return Err(unprocessable("INSTRUMENT_DECLINED"));
        }
        let asked = units(&unit["amount"])?;
        let mut captured = amount(&unit["amount"], asked - i64::from(behaviour.captures_less));
        if behaviour.captures_euros {
            captured["currency_code"] = "EUR".into();
        }
        let capture_id = self.id("CAPTURE");
        let state = if behaviour.captures_later { "PENDING" } else { "COMPLETED" };
        let capture = json!({
            "id": capture_id,
            "status": state,
            "amount": captured,
            "final_capture": true,
            "custom_id": unit["custom_id"],
            "invoice_id": unit["invoice_id"],
            "supplementary_data": { "related_ids": { "order_id": id } },
            "create_time": moment(now_s()),
        });
        self.common.objects.insert(capture_id.clone(), capture);
        self.common.set(id, "status", "COMPLETED");
        if state == "PENDING" {
            let capture = self.common.objects[&capture_id].clone();
            self.event("PAYMENT.CAPTURE.PENDING", capture);
        } else {
            self.complete(&capture_id);
        }
        Ok((StatusCode::CREATED, self.shown(id)))
    }

    fn complete(&mut self, capture: &str) {
        let gross = self.common.objects[capture]["amount"].clone();
        let all = units(&gross).unwrap_or_default();
        let fee = all * 3 / 100;
        let breakdown = json!({
            "gross_amount": gross,
            "paypal_fee": amount(&gross, fee),
            "net_amount": amount(&gross, all - fee),
        });
        self.common.set(capture, "status", "COMPLETED");
        self.common.set(capture, "seller_receivable_breakdown", breakdown);
        let capture = self.common.objects[capture].clone();
        self.event("PAYMENT.CAPTURE.COMPLETED", capture);
    }

    /// An order with its captures and refunds.
    fn shown(&self, id: &str) -> Value {
        let mut order = self.common.objects[id].clone();
        let of = |prefix: &str, of: &dyn Fn(&Value) -> bool| {
            let all =
                self.common.objects.iter().filter(|(key, object)| key.starts_with(prefix) && of(object));
            all.map(|(_, object)| object.clone()).collect::<Vec<_>>()
        };
        let captures =
            of("CAPTURE", &|capture| capture["supplementary_data"]["related_ids"]["order_id"] == id);
        let refunds =
            of("REFUND", &|refund| captures.iter().any(|capture| refund["capture"] == capture["id"]));
        if !captures.is_empty() {
            order["purchase_units"][0]["payments"] = json!({ "captures": captures });
        }
        if !refunds.is_empty() {
            order["purchase_units"][0]["payments"]["refunds"] = refunds.into();
        }
        order
    }

    fn refund(&mut self, id: &str, body: &Value) -> Result<Answer, Answer> {
        let capture = self.object(id)?.clone();
        let asked = units(&body["amount"])?;
        if capture["amount"]["currency_code"] != body["amount"]["currency_code"] {
            return Err(unprocessable("CURRENCY_MISMATCH"));
        }
        let given = |refund: &&Value| refund["capture"] == id && refund["status"] != "FAILED";
        let before: i64 = self
            .common
            .objects
            .values()
            .filter(given)
            .map(|refund| units(&refund["amount"]).unwrap_or_default())
            .sum();
        let all = units(&capture["amount"])?;
        if before + asked > all {
            return Err(unprocessable("REFUND_AMOUNT_EXCEEDED"));
        }
        let refund_id = self.id("REFUND");
        let later = self.behaviour.refunds_later;
        let refund = json!({
            "id": refund_id,
            "amount": body["amount"],
            "capture": id,
            "custom_id": body["custom_id"],
            "status": if later { "PENDING" } else { "COMPLETED" },
            "status_details": if later { json!({ "reason": "ECHECK" }) } else { Value::Null },
            "create_time": moment(now_s()),
        });
        self.common.objects.insert(refund_id, refund.clone());
        if !later {
            let state = if before + asked == all { "REFUNDED" } else { "PARTIALLY_REFUNDED" };
            self.common.set(id, "status", state);
            self.event("PAYMENT.CAPTURE.REFUNDED", refund.clone());
        }
        Ok((StatusCode::CREATED, refund))
    }

    fn pending(&self, prefix: &str) -> Vec<String> {
        let pending =
            |(id, object): &(&String, &Value)| id.starts_with(prefix) && object["status"] == "PENDING";
        self.common.objects.iter().filter(pending).map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn end_captures(&mut self, succeed: bool) {
        for id in self.pending("CAPTURE") {
            if succeed {
                self.complete(&id);
                continue;
            }
            self.common.set(&id, "status", "DECLINED");
            let capture = self.common.objects[&id].clone();
            self.event("PAYMENT.CAPTURE.DENIED", capture);
        }
    }

    pub(super) fn end_refunds(&mut self, succeed: bool) {
        for id in self.pending("REFUND") {
            self.common.set(&id, "status", if succeed { "COMPLETED" } else { "FAILED" });
            let refund = self.common.objects[&id].clone();
            self.event(if succeed { "PAYMENT.CAPTURE.REFUNDED" } else { "PAYMENT.REFUND.FAILED" }, refund);
        }
    }

    /// The latest capture that nothing was refunded of.
    fn latest(&self) -> Value {
        let captures = self.common.objects.iter().filter(|(id, _)| id.starts_with("CAPTURE"));
        let mut kept = captures.filter(|(_, capture)| capture["status"] == "COMPLETED");
        kept.next_back().expect("a capture that can be disputed").1.clone()
    }

    pub(super) fn dispute(&mut self) -> String {
        let capture = self.latest();
        let id = format!("PP-D-{}", self.common.next());
        let dispute = json!({
            "dispute_id": id,
            "create_time": moment(now_s()),
            "update_time": moment(now_s()),
            "disputed_transactions": [{
                "buyer_transaction_id": "FAKE",
                "seller_transaction_id": capture["id"],
                "custom": capture["custom_id"],
                "gross_amount": capture["amount"],
            }],
            "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
            "status": "WAITING_FOR_SELLER_RESPONSE",
            "dispute_amount": capture["amount"],
            "dispute_life_cycle_stage": "CHARGEBACK",
            "dispute_channel": "INTERNAL",
            "seller_response_due_date": moment(now_s() + 7 * 86_400),
            "links": [],
        });
        self.common.objects.insert(id.clone(), dispute.clone());
        self.event("CUSTOMER.DISPUTE.CREATED", dispute);
        id
    }

    pub(super) fn decide(&mut self, id: &str, won: bool) {
        let outcome = if won { "RESOLVED_SELLER_FAVOUR" } else { "RESOLVED_BUYER_FAVOUR" };
        self.common.set(id, "status", "RESOLVED");
        self.common.set(id, "dispute_outcome", json!({ "outcome_code": outcome }));
        let dispute = self.common.objects[id].clone();
        self.event("CUSTOMER.DISPUTE.RESOLVED", dispute);
    }

    pub(super) fn reverse(&mut self) {
        let (id, capture) = (self.id("REVERSAL"), self.latest());
        let of = capture["id"].as_str().unwrap_or_default();
        let reversal = json!({
            "id": id,
            "amount": capture["amount"],
            "status": "COMPLETED",
            "create_time": moment(now_s()),
            "links": [
                { "href": format!("{}/v2/payments/refunds/{id}", self.url), "rel": "self", "method": "GET" },
                { "href": format!("{}/v2/payments/captures/{of}", self.url), "rel": "up", "method": "GET" },
            ],
        });
        self.common.objects.insert(id, reversal.clone());
        self.event("PAYMENT.CAPTURE.REVERSED", reversal);
    }

    /// Whether a webhook was signed by this account, for its webhook.
    fn verify(&self, body: &[u8]) -> Result<Answer, Answer> {
        let malformed = |_| refused(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", "INVALID_PARAMETER");
        let Verification {
            auth_algo,
            cert_url,
            transmission_id,
            transmission_sig,
            transmission_time,
            webhook_id,
            webhook_event,
        } = serde_json::from_slice(body).map_err(malformed)?;
        let event = webhook_event.get().as_bytes();
        let expected =
            hmac(&self.webhook_id, &[transmission_id.as_bytes(), b"|", transmission_time.as_bytes(), event]);
        let genuine = transmission_sig == expected
            && webhook_id == self.webhook_id
            && auth_algo == "SHA256withRSA"
            && cert_url.starts_with(&self.url);
        let status = if genuine { "SUCCESS" } else { "FAILURE" };
        Ok((StatusCode::OK, json!({ "verification_status": status })))
    }

    fn answer(
        &mut self,
        method: &Method,
        path: &str,
        raw: &[u8],
        key: Option<&str>,
    ) -> Result<Answer, Answer> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let malformed = |_| refused(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "MALFORMED_REQUEST_JSON");
        let post = method == Method::POST;
        let body = if post { serde_json::from_slice(raw).map_err(malformed)? } else { Value::Null };
        match parts[..] {
            ["v1", "notifications", "verify-webhook-signature"] if post => self.verify(raw),
            ["v2", "checkout", "orders"] if post => self.create(&body, key),
            ["v2", "checkout", "orders", id, "capture"] if post => self.capture(id),
            ["v2", "checkout", "orders", id] if !post => {
                self.object(id)?;
                Ok((StatusCode::OK, self.shown(id)))
            }
            ["v2", "payments", "captures", id, "refund"] if post => self.refund(id, &body),
            ["v1", "customer", "disputes", id] | ["v2", "payments", "captures", id] if !post => {
                Ok((StatusCode::OK, self.object(id)?.clone()))
            }
            ["v2", "payments", "refunds", id] if !post => Ok((StatusCode::OK, self.object(id)?.clone())),
            _ => Err(missing()),
        }
    }

    pub(super) fn answer_once(
        &mut self,
        method: &Method,
        path: &str,
        raw: &[u8],
        key: Option<&str>,
    ) -> Answer {
        let request = format!("{method} {path} {}", String::from_utf8_lossy(raw));
        match self.common.answered.before(key, &request) {
            Before::Same(_, body) => return (StatusCode::OK, body),
            Before::Another => return unprocessable("DUPLICATE_REQUEST_ID"),
            Before::Nothing => {}
        }
        match self.answer(method, path, raw, key) {
            Ok((status, body)) => {
                self.common.answered.keep(key, request, status, &body);
                (status, body)
            }
            Err(error) => error,
        }
    }
}
