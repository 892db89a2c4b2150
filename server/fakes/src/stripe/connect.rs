//! Stripe Connect: accounts of shops with the pages on which they enter their details, and transfers to them.

use axum::{
    extract::{Path, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Answer, Books, Stripe,
    books::{invalid, metadata, number, refused},
};
use crate::{
    common::{Fields, fields, now_s},
    page::{escaped, html},
};

/// What Stripe asks of a new account.
const DUE: [&str; 2] = ["external_account", "individual.first_name"];

fn text(form: &Fields, name: &str) -> Result<String, (StatusCode, Value)> {
    let missing = || invalid("parameter_missing", &format!("Missing required param: {name}."));
    form.get(name).filter(|value| !value.is_empty()).cloned().ok_or_else(missing)
}

impl Books {
    pub(super) fn create_account(&mut self, form: &Fields) -> Answer {
        if text(form, "type")? != "express" || text(form, "capabilities[transfers][requested]")? != "true" {
            return Err(invalid("", "Only Express accounts with transfers are supported by this fake."));
        }
        let id = self.id("acct");
        let account = json!({
            "id": id,
            "object": "account",
            "business_profile": null,
            "business_type": null,
            "capabilities": { "transfers": "inactive" },
            "charges_enabled": false,
            "country": "US",
            "created": now_s(),
            "default_currency": "usd",
            "details_submitted": false,
            "email": null,
            "external_accounts": { "object": "list", "data": [], "has_more": false, "url": format!("/v1/accounts/{id}/external_accounts") },
            "metadata": metadata(form, "metadata"),
            "payouts_enabled": false,
            "requirements": self.due(&DUE),
            "settings": null,
            "tos_acceptance": { "date": null },
            "type": "express",
        });
        self.objects.insert(id, account.clone());
        Ok(account)
    }

    fn due(&self, due: &[&str]) -> Value {
        json!({
            "alternatives": [],
            "current_deadline": null,
            "currently_due": due,
            "disabled_reason": if due.is_empty() { Value::Null } else { "requirements.past_due".into() },
            "errors": [],
            "eventually_due": due,
            "past_due": due,
            "pending_verification": [],
        })
    }

    /// A shop has entered its details, or Stripe wants to know more.
    pub(super) fn onboard(&mut self, account: &str, due: &[&str]) {
        let enabled = due.is_empty();
        let due = self.due(due);
        self.set(account, "requirements", due);
        self.set(account, "details_submitted", true);
        self.set(account, "payouts_enabled", enabled);
        let capability = if enabled { "active" } else { "inactive" };
        self.set(account, "capabilities", json!({ "transfers": capability }));
        self.event("account.updated", account);
    }

    pub(super) fn link_account(&mut self, form: &Fields, url: &str) -> Answer {
        let account = text(form, "account")?;
        self.object(&account)?;
        let (refresh_url, return_url) = (text(form, "refresh_url")?, text(form, "return_url")?);
        if text(form, "type")? != "account_onboarding" {
            return Err(invalid("", "Invalid type."));
        }
        let id = self.id("link");
        let link = json!({
            "id": id, "object": "link", "account": account, "refresh_url": refresh_url, "return_url": return_url,
        });
        self.objects.insert(id.clone(), link);
        let url = format!("{url}/setup/e/{id}");
        Ok(json!({ "object": "account_link", "created": now_s(), "expires_at": now_s() + 300, "url": url }))
    }

    pub(super) fn transfer(&mut self, form: &Fields) -> Answer {
        let (amount, currency) = (number(form, "amount")?, text(form, "currency")?);
        let (destination, group) = (text(form, "destination")?, text(form, "transfer_group")?);
        let account = self.object(&destination)?;
        if account["capabilities"]["transfers"] != "active" {
            return Err(refused(
                "invalid_request_error",
                "insufficient_capabilities_for_transfer",
                "Your destination account needs to have at least one of the following capabilities enabled: transfers.",
            ));
        }
        if amount < 1 {
            return Err(invalid("parameter_invalid_integer", "Invalid positive integer."));
        }
        if self.poor {
            return Err(refused(
                "invalid_request_error",
                "balance_insufficient",
                "You have insufficient available funds in your Stripe account.",
            ));
        }
        let id = self.id("tr");
        let transfer = json!({
            "id": id,
            "object": "transfer",
            "amount": amount,
            "amount_reversed": 0,
            "balance_transaction": null,
            "created": now_s(),
            "currency": currency,
            "description": null,
            "destination": destination,
            "destination_payment": null,
            "livemode": false,
            "metadata": metadata(form, "metadata"),
            "reversals": { "object": "list", "data": [], "has_more": false, "url": format!("/v1/transfers/{id}/reversals") },
            "reversed": false,
            "source_transaction": null,
            "source_type": "card",
            "transfer_group": group,
        });
        self.objects.insert(id.clone(), transfer.clone());
        self.event("transfer.created", &id);
        Ok(transfer)
    }

    pub(super) fn reverse(&mut self, transfer: &str) -> Answer {
        let found = self.object(transfer)?;
        let (amount, back) = (found["amount"].as_i64().unwrap(), found["amount_reversed"].as_i64().unwrap());
        let currency = found["currency"].clone();
        if amount == back {
            return Err(invalid("", &format!("Transfer {transfer} is already fully reversed.")));
        }
        if self.spent {
            return Err(refused(
                "invalid_request_error",
                "balance_insufficient",
                "The connected account has insufficient funds to reverse this transfer.",
            ));
        }
        self.set(transfer, "amount_reversed", amount);
        self.set(transfer, "reversed", true);
        self.event("transfer.reversed", transfer);
        let id = self.id("trr");
        Ok(json!({
            "id": id,
            "object": "transfer_reversal",
            "amount": amount - back,
            "balance_transaction": null,
            "created": now_s(),
            "currency": currency,
            "destination_payment_refund": null,
            "metadata": {},
            "source_refund": null,
            "transfer": transfer,
        }))
    }
}

impl Stripe {
    /// Whether the market's balance is too low for transfers.
    pub fn without_funds(&self, poor: bool) {
        self.books().poor = poor;
    }

    /// Whether the shops have paid out what was transferred to them, so that nothing can be reversed.
    pub fn shops_spend(&self, spent: bool) {
        self.books().spent = spent;
    }

    /// What Stripe still needs to know about all accounts; nothing enables them.
    pub fn ask_accounts(&self, due: &[&str]) {
        let mut books = self.books();
        for id in books.with("account", "type", "express") {
            books.onboard(&id, due);
        }
    }

    /// Somebody reverses all transfers in the dashboard.
    pub fn reverse_transfers(&self) {
        let mut books = self.books();
        for id in books.with("transfer", "object", "transfer") {
            let _ = books.reverse(&id);
        }
    }
}

/// The page on which a shop enters its details.
pub(super) async fn page(Extract(stripe): Extract<Stripe>, Path(link): Path<String>) -> Response {
    let books = stripe.books();
    let Ok(found) = books.object(&link) else { return StatusCode::NOT_FOUND.into_response() };
    let (back, again) = (&found["return_url"], &found["refresh_url"]);
    let [back, again] = [back, again].map(|url| escaped(url.as_str().unwrap_or_default()));
    let body = format!(
        "<h1>Get paid by Haat</h1><form method=post action=/setup/e/{link}>\
         <button name=answer value=complete>Complete</button><button name=answer value=later>Save for later</button></form>\
         <a href=\"{back}\">Leave</a> <a href=\"{again}\">Expired</a>"
    );
    html("Stripe", &body).into_response()
}

pub(super) async fn submit(
    Extract(stripe): Extract<Stripe>,
    Path(link): Path<String>,
    body: String,
) -> Response {
    let back = {
        let mut books = stripe.books();
        if books.object(&link).is_err() {
            return StatusCode::NOT_FOUND.into_response();
        }
        let (account, back) = (books.text(&link, "account"), books.text(&link, "return_url"));
        let complete = fields(&body).get("answer").is_some_and(|answer| answer == "complete");
        if complete {
            books.onboard(&account, &[]);
        }
        back
    };
    stripe.deliver_if_automatic();
    Redirect::to(&back).into_response()
}
