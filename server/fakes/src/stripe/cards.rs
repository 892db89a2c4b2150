//! Customers and their saved cards.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Answer, Books,
    books::{invalid, metadata},
};
use crate::common::{Fields, now_s};

impl Books {
    pub(super) fn create_customer(&mut self, form: &Fields) -> Answer {
        let id = self.id("cus");
        let customer = json!({
            "id": id,
            "object": "customer",
            "address": null,
            "balance": 0,
            "created": now_s(),
            "currency": null,
            "default_source": null,
            "delinquent": false,
            "description": null,
            "discount": null,
            "email": form.get("email"),
            "invoice_prefix": "FAKE",
            "invoice_settings": {
                "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null,
            },
            "livemode": false,
            "metadata": metadata(form, "metadata"),
            "name": null,
            "next_invoice_sequence": 1,
            "phone": null,
            "preferred_locales": [],
            "shipping": null,
            "tax_exempt": "none",
            "test_clock": null,
        });
        self.objects.insert(id.clone(), customer.clone());
        self.event("customer.created", &id);
        Ok(customer)
    }

    /// The customer that a request names, if it does.
    pub(super) fn customer_in(&self, form: &Fields) -> Result<Option<String>, (StatusCode, Value)> {
        let Some(id) = form.get("customer") else { return Ok(None) };
        match self.object(id) {
            Ok(found) if found["object"] == "customer" => Ok(Some(id.clone())),
            _ => Err(invalid("resource_missing", &format!("No such customer: '{id}'"))),
        }
    }

    /// Access of the script in a browser to what a customer saved.
    pub(super) fn create_customer_session(&mut self, form: &Fields) -> Answer {
        let customer = self.customer_in(form)?;
        let customer =
            customer.ok_or_else(|| invalid("parameter_missing", "Missing required param: customer."))?;
        let element = "components[payment_element]";
        let on = |name: &str| form.get(&format!("{element}[{name}]")).map(String::as_str);
        if on("enabled") != Some("true") {
            return Err(invalid("parameter_missing", "One component must be enabled."));
        }
        let feature = |name: &str| on(&format!("features][{name}")).unwrap_or("disabled");
        let (save, usage) = (feature("payment_method_save"), on("features][payment_method_save_usage"));
        if (save == "enabled") != usage.is_some() {
            return Err(invalid("parameter_missing", "payment_method_save needs payment_method_save_usage."));
        }
        let secret = self.id("cuss_secret");
        let off = json!({ "enabled": false });
        let off_with_features = json!({ "enabled": false, "features": null });
        let session = json!({
            "object": "customer_session",
            "client_secret": secret,
            "components": {
                "active_entitlements": off,
                "buy_button": off,
                "customer_portal": off,
                "customer_sheet": off_with_features,
                "mobile_payment_element": off_with_features,
                "payment_element": {
                    "enabled": true,
                    "features": {
                        "payment_method_allow_redisplay_filters": ["always"],
                        "payment_method_redisplay": feature("payment_method_redisplay"),
                        "payment_method_redisplay_limit":
                            on("features][payment_method_redisplay_limit").and_then(|most| most.parse::<i64>().ok()),
                        "payment_method_remove": feature("payment_method_remove"),
                        "payment_method_save": save,
                        "payment_method_save_usage": usage,
                    },
                },
                "pricing_table": off,
            },
            "created": now_s(),
            "customer": customer,
            "expires_at": now_s() + 1_800,
            "livemode": false,
        });
        self.objects.insert(secret, session.clone());
        Ok(session)
    }

    /// Saves a card for a customer who agreed to see it again.
    pub(super) fn save_card(&mut self, customer: &str, number: &str) -> String {
        let id = self.id("pm");
        let brand = match number.as_bytes() {
            [b'4', ..] => "visa",
            [b'5', ..] => "mastercard",
            [b'3', ..] => "amex",
            _ => "unknown",
        };
        let method = json!({
            "id": id,
            "object": "payment_method",
            "allow_redisplay": "always",
            "billing_details": {
                "address": {
                    "city": null, "country": "IN", "line1": null, "line2": null, "postal_code": null, "state": null,
                },
                "email": null, "name": null, "phone": null, "tax_id": null,
            },
            "card": {
                "brand": brand,
                "checks": {
                    "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass",
                },
                "country": "US",
                "display_brand": brand,
                "exp_month": 12,
                "exp_year": 2034,
                "fingerprint": "fake",
                "funding": "credit",
                "generated_from": null,
                "last4": &number[number.len().saturating_sub(4)..],
                "networks": { "available": [brand], "preferred": null },
                "regulated_status": "unregulated",
                "three_d_secure_usage": { "supported": true },
                "wallet": null,
            },
            "created": now_s(),
            "customer": customer,
            "customer_account": null,
            "livemode": false,
            "metadata": {},
            "type": "card",
        });
        self.objects.insert(id.clone(), method);
        // What Stripe knows, and says to nobody.
        self.objects.insert(format!("{id} number"), json!({ "object": "number", "number": number }));
        self.event("payment_method.attached", &id);
        id
    }

    /// The cards of a customer, newest first.
    pub(super) fn cards_of(&self, customer: &str) -> Vec<String> {
        self.with("payment_method", "customer", customer)
    }

    /// A saved card in the words of Stripe's fields.
    pub(super) fn card_in_words(&self, id: &str) -> String {
        let card = &self.objects[id]["card"];
        format!("{} ending in {}", card["brand"].as_str().unwrap(), card["last4"].as_str().unwrap())
    }

    /// The number that pays: as it was entered, or of a saved card, which must be one of the customer.
    pub(super) fn number(&self, customer: &Value, form: &Fields) -> Option<String> {
        match form.get("saved").filter(|id| !id.is_empty()) {
            Some(id) => {
                let own = customer.is_string() && self.objects.get(id)?["customer"] == *customer;
                own.then(|| self.text(&format!("{id} number"), "number"))
            }
            None => Some(form.get("card")?.replace(' ', "")),
        }
    }

    /// Removes a card from its customer, for good.
    pub(super) fn detach(&mut self, id: &str) -> Answer {
        if self.object(id)?["customer"].is_null() {
            return Err(invalid("", "The payment method you provided is not attached to a customer."));
        }
        self.set(id, "customer", Value::Null);
        self.event("payment_method.detached", id);
        Ok(self.objects[id].clone())
    }
}
