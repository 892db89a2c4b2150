//! The payment links, payments and refunds of a Razorpay account, and what requests do to them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Books;
use crate::{
    common::{fields, hmac, now_s},
    idempotency::Before,
};

pub(super) type Answer = (StatusCode, Value);

/// The shortest time in which a link can expire.
const OPEN_MIN_S: i64 = 900;

pub(super) fn refused(status: StatusCode, code: &str, reason: &str) -> Answer {
    let error = json!({
        "code": code,
        "description": "Something is wrong.",
        "source": "business",
        "step": "payment_initiation",
        "reason": reason,
        "metadata": {},
    });
    (status, json!({ "error": error }))
}

fn invalid(reason: &str) -> Answer {
    refused(StatusCode::BAD_REQUEST, "BAD_REQUEST_ERROR", reason)
}

/// An amount in the smallest units of its currency.
fn units(body: &Value) -> Result<i64, Answer> {
    let units =
        body["amount"].as_i64().filter(|units| *units > 0).ok_or_else(|| invalid("invalid_amount"))?;
    let thousandths = ["BHD", "KWD", "OMR"].iter().any(|code| body["currency"] == *code);
    if thousandths && units % 10 != 0 { Err(invalid("invalid_amount")) } else { Ok(units) }
}

impl Books {
    fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}{:0>14}", self.common.next())
    }

    fn object(&self, id: &str) -> Result<&Value, Answer> {
        self.common.objects.get(id).ok_or_else(|| invalid("id_does_not_exist"))
    }

    pub(super) fn event(&mut self, kind: &str, entities: &[(&str, Value)]) {
        let payload = entities.iter().map(|(name, entity)| ((*name).to_owned(), json!({ "entity": entity })));
        let event = json!({
            "entity": "event",
            "account_id": "acc_fake",
            "event": kind,
            "contains": entities.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "payload": payload.collect::<serde_json::Map<_, _>>(),
            "created_at": now_s(),
        });
        self.common.events.push(event);
    }

    /// The IDs of the objects of a kind in which `name` is `value`, oldest first.
    fn with(&self, prefix: &str, name: &str, value: &str) -> Vec<String> {
        let fits = |(id, object): &(&String, &Value)| id.starts_with(prefix) && object[name] == value;
        self.common.objects.iter().filter(fits).map(|(id, _)| id.clone()).collect()
    }

    fn create(&mut self, body: &Value) -> Result<Answer, Answer> {
        let amount = units(body)?;
        let reference = body["reference_id"].as_str().unwrap_or_default();
        if reference.is_empty()
            || reference.len() > 40
            || !self.with("plink_", "reference_id", reference).is_empty()
        {
            return Err(invalid("input_validation_failed"));
        }
        let expire_by = body["expire_by"].as_i64().unwrap_or_default();
        if expire_by < now_s() + OPEN_MIN_S
            || body["callback_method"] != "get"
            || body["accept_partial"] != false
        {
            return Err(invalid("input_validation_failed"));
        }
        let id = self.id("plink_");
        let link = json!({
            "id": id,
            "accept_partial": false,
            "amount": amount,
            "amount_paid": 0,
            "callback_method": "get",
            "callback_url": body["callback_url"],
            "cancelled_at": 0,
            "created_at": now_s(),
            "currency": body["currency"],
            "customer": [],
            "description": body["description"],
            "expire_by": expire_by,
            "expired_at": 0,
            "notes": body["notes"],
            "notify": body["notify"],
            "payments": null,
            "reference_id": reference,
            "reminder_enable": false,
            "reminders": [],
            "short_url": format!("{}/i/{id}", self.url),
            "status": "created",
            "updated_at": now_s(),
            "user_id": "",
        });
        self.common.objects.insert(id, link.clone());
        Ok((StatusCode::OK, link))
    }

    /// An order. Nothing is idempotent about it, and it can be made without notes.
    fn order(&mut self, body: &Value) -> Result<Answer, Answer> {
        let amount = units(body)?;
        let receipt = body["receipt"].as_str().unwrap_or_default();
        if receipt.len() > 40 || !body["currency"].is_string() {
            return Err(invalid("input_validation_failed"));
        }
        let id = self.id("order_");
        let order = json!({
            "id": id,
            "entity": "order",
            "amount": amount,
            "amount_due": amount,
            "amount_paid": 0,
            "attempts": 0,
            "created_at": now_s(),
            "currency": body["currency"],
            "notes": if body["notes"].is_object() { body["notes"].clone() } else { json!([]) },
            "offer_id": null,
            "receipt": receipt,
            "status": "created",
        });
        self.common.objects.insert(id, order.clone());
        Ok((StatusCode::OK, order))
    }

    pub(super) fn age(&mut self, seconds: i64) {
        for id in self.with("order_", "entity", "order") {
            let made = self.common.objects[&id]["created_at"].as_i64().unwrap();
            self.common.set(&id, "created_at", made - seconds);
        }
    }

    /// A shopper pays an order in the window, or is declined. Returns what the window's handler is told.
    pub(super) fn pay_order(&mut self, order: &str, succeeds: bool) -> Option<Value> {
        let attempts = self.common.objects[order]["attempts"].as_i64().unwrap();
        self.common.set(order, "attempts", attempts + 1);
        self.common.set(order, "status", "attempted");
        let mut found = self.common.objects[order].clone();
        found["order_id"] = found["id"].clone();
        let payment = self.charge(&found, succeeds)?;
        let (id, amount) = (payment["id"].as_str().unwrap().to_owned(), payment["amount"].clone());
        self.common.set(order, "status", "paid");
        self.common.set(order, "amount_paid", amount);
        self.common.set(order, "amount_due", 0);
        let paid = self.common.objects[order].clone();
        self.event("order.paid", &[("payment", payment), ("order", paid)]);
        let signature = hmac(&self.key_secret, &[format!("{order}|{id}").as_bytes()]);
        Some(
            json!({ "razorpay_payment_id": id, "razorpay_order_id": order, "razorpay_signature": signature }),
        )
    }

    /// A shopper pays on the page of a link, or is declined. Returns what is added to the address of the market.
    pub(super) fn pay(&mut self, link: &str, succeeds: bool) -> Option<String> {
        if self.common.objects[link]["order_id"].is_null() {
            let order = self.id("order_");
            self.common.set(link, "order_id", order);
        }
        let found = self.common.objects[link].clone();
        let payment = self.charge(&found, succeeds)?;
        let (id, amount) = (payment["id"].as_str().unwrap().to_owned(), payment["amount"].clone());
        self.common.set(link, "status", "paid");
        self.common.set(link, "amount_paid", amount.clone());
        if !self.behaviour.hides_payments {
            let part = json!([{ "amount": amount, "method": "upi", "payment_id": id, "status": "captured" }]);
            self.common.set(link, "payments", part);
        }
        let paid = self.common.objects[link].clone();
        self.event("payment_link.paid", &[("payment_link", paid), ("payment", payment)]);
        let reference = self.common.text(link, "reference_id");
        let signature = hmac(&self.key_secret, &[format!("{link}|{reference}|paid|{id}").as_bytes()]);
        Some(format!(
            "razorpay_payment_id={id}&razorpay_payment_link_id={link}&razorpay_payment_link_reference_id={reference}\
             &razorpay_payment_link_status=paid&razorpay_signature={signature}"
        ))
    }

    /// A payment of a link or an order. Nothing if it is declined.
    fn charge(&mut self, found: &Value, succeeds: bool) -> Option<Value> {
        let (id, behaviour) = (self.id("pay_"), self.behaviour);
        let amount = found["amount"].as_i64().unwrap() - i64::from(behaviour.charges_less);
        let currency = if behaviour.charges_dollars { json!("USD") } else { found["currency"].clone() };
        let fee = amount * 2 / 100;
        let payment = json!({
            "id": id,
            "entity": "payment",
            "amount": amount,
            "amount_refunded": 0,
            "captured": succeeds,
            "created_at": now_s(),
            "currency": currency,
            "email": "asha@example.com",
            "error_reason": if succeeds { Value::Null } else { json!("payment_failed") },
            "fee": if succeeds { json!(fee) } else { Value::Null },
            "international": behaviour.charges_dollars,
            "method": "upi",
            "notes": found["notes"],
            "order_id": found["order_id"],
            "refund_status": null,
            "status": if succeeds { "captured" } else { "failed" },
            "tax": 0,
        });
        self.common.objects.insert(id, payment.clone());
        if !succeeds {
            self.event("payment.failed", &[("payment", payment)]);
            return None;
        }
        self.event("payment.captured", &[("payment", payment.clone())]);
        Some(payment)
    }

    pub(super) fn end_links(&mut self, state: &str) {
        for id in self.with("plink_", "status", "created") {
            self.common.set(&id, "status", state);
            let link = self.common.objects[&id].clone();
            self.event(&format!("payment_link.{state}"), &[("payment_link", link)]);
        }
    }

    fn cancel(&mut self, id: &str) -> Result<Answer, Answer> {
        if self.object(id)?["status"] != "created" {
            return Err(invalid("input_validation_failed"));
        }
        self.common.set(id, "status", "cancelled");
        let link = self.common.objects[id].clone();
        self.event("payment_link.cancelled", &[("payment_link", link.clone())]);
        Ok((StatusCode::OK, link))
    }

    fn refund(&mut self, id: &str, body: &Value) -> Result<Answer, Answer> {
        let payment = self.object(id)?.clone();
        let asked = units(body)?;
        let refunded = payment["amount_refunded"].as_i64().unwrap() + asked;
        if payment["captured"] != true || refunded > payment["amount"].as_i64().unwrap() {
            return Err(invalid("amount_exceeds_captured"));
        }
        let refund_id = self.id("rfnd_");
        let later = self.behaviour.refunds_later;
        let refund = json!({
            "id": refund_id,
            "entity": "refund",
            "amount": asked,
            "created_at": now_s(),
            "currency": payment["currency"],
            "notes": body["notes"],
            "payment_id": id,
            "receipt": body["receipt"],
            "speed_requested": "normal",
            "status": if later { "pending" } else { "processed" },
        });
        self.common.objects.insert(refund_id, refund.clone());
        self.common.set(id, "amount_refunded", refunded);
        if refunded == payment["amount"].as_i64().unwrap() {
            self.common.set(id, "status", "refunded");
        }
        self.event("refund.created", &[("refund", refund.clone())]);
        if !later {
            self.event("refund.processed", &[("refund", refund.clone())]);
        }
        Ok((StatusCode::OK, refund))
    }

    pub(super) fn end_refunds(&mut self, succeed: bool) {
        for id in self.with("rfnd_", "status", "pending") {
            self.common.set(&id, "status", if succeed { "processed" } else { "failed" });
            let refund = self.common.objects[&id].clone();
            if !succeed {
                let payment = self.common.text(&id, "payment_id");
                let found = &self.common.objects[&payment];
                let back = found["amount_refunded"].as_i64().unwrap() - refund["amount"].as_i64().unwrap();
                self.common.set(&payment, "amount_refunded", back);
                self.common.set(&payment, "status", "captured");
            }
            self.event(if succeed { "refund.processed" } else { "refund.failed" }, &[("refund", refund)]);
        }
    }

    pub(super) fn dispute(&mut self) -> String {
        let kept = |(id, payment): &(&String, &Value)| {
            id.starts_with("pay_") && payment["status"] == "captured" && payment["amount_refunded"] == 0
        };
        let payment =
            self.common.objects.iter().rfind(kept).expect("a payment that can be disputed").1.clone();
        let id = self.id("disp_");
        let dispute = json!({
            "id": id,
            "entity": "dispute",
            "payment_id": payment["id"],
            "amount": payment["amount"],
            "currency": payment["currency"],
            "amount_deducted": payment["amount"],
            "reason_code": "goods_or_services_not_received_or_partially_received",
            "respond_by": now_s() + 7 * 86_400,
            "status": "open",
            "phase": "chargeback",
            "created_at": now_s(),
        });
        self.common.objects.insert(id.clone(), dispute.clone());
        self.event("payment.dispute.created", &[("payment", payment), ("dispute", dispute)]);
        id
    }

    pub(super) fn decide(&mut self, id: &str, won: bool) {
        let state = if won { "won" } else { "lost" };
        self.common.set(id, "status", state);
        let dispute = self.common.objects[id].clone();
        self.event(&format!("payment.dispute.{state}"), &[("dispute", dispute)]);
    }

    pub(super) fn settle(&mut self, amount: i64) {
        let id = self.id("setl_");
        let settlement = json!({
            "id": id,
            "entity": "settlement",
            "amount": amount,
            "status": "processed",
            "fees": 0,
            "tax": 0,
            "utr": "FAKE",
            "created_at": now_s(),
        });
        self.common.objects.insert(id, settlement.clone());
        self.event("settlement.processed", &[("settlement", settlement)]);
    }

    fn list(&self, ids: &[String], query: &str) -> Value {
        let fields = fields(query);
        let number = |name: &str| fields.get(name).and_then(|number| number.parse::<usize>().ok());
        let ids = ids.iter().skip(number("skip").unwrap_or(0)).take(number("count").unwrap_or(10));
        let items: Vec<_> = ids.map(|id| self.common.objects[id].clone()).collect();
        json!({ "entity": "collection", "count": items.len(), "items": items })
    }

    fn answer(&mut self, method: &Method, path: &str, query: &str, raw: &[u8]) -> Result<Answer, Answer> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let post = method == Method::POST;
        let body =
            if post { serde_json::from_slice(raw).map_err(|_| invalid("malformed"))? } else { Value::Null };
        let found = match parts[..] {
            ["v1", "orders"] if post => return self.order(&body),
            ["v1", "payment_links"] if post => return self.create(&body),
            ["v1", "payment_links"] => {
                let reference = fields(query).remove("reference_id").unwrap_or_default();
                let ids = self.with("plink_", "reference_id", &reference);
                let links: Vec<_> = ids.iter().map(|id| self.common.objects[id].clone()).collect();
                json!({ "payment_links": links })
            }
            ["v1", "payment_links", id, "cancel"] if post => return self.cancel(id),
            ["v1", "payments", id, "refund"] if post => return self.refund(id, &body),
            ["v1", "payments", id, "refunds"] => self.list(&self.with("rfnd_", "payment_id", id), query),
            ["v1", "orders", id, "payments"] => self.list(&self.with("pay_", "order_id", id), query),
            ["v1", "payment_links" | "orders" | "payments" | "refunds" | "disputes" | "settlements", id]
                if !post =>
            {
                self.object(id)?.clone()
            }
            _ => return Err(refused(StatusCode::NOT_FOUND, "BAD_REQUEST_ERROR", "url_not_found")),
        };
        Ok((StatusCode::OK, found))
    }

    pub(super) fn answer_once(
        &mut self,
        method: &Method,
        path: &str,
        query: &str,
        raw: &[u8],
        key: Option<&str>,
    ) -> Answer {
        let request = format!("{method} {path} {}", String::from_utf8_lossy(raw));
        match self.common.answered.before(key, &request) {
            Before::Same(status, body) => return (status, body),
            Before::Another => return invalid("idempotency_key_reused"),
            Before::Nothing => {}
        }
        match self.answer(method, path, query, raw) {
            Ok((status, body)) => {
                self.common.answered.keep(key, request, status, &body);
                (status, body)
            }
            Err(error) => error,
        }
    }
}
