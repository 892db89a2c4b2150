//! Stripe's page, on which shoppers pay.

use axum::{
    extract::{Path, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;

use super::{CHALLENGED, DECLINED, Stripe};
use crate::{
    common::fields,
    page::{escaped, html},
};

/// The page on which shoppers pay.
pub(super) async fn page(Extract(stripe): Extract<Stripe>, Path(session): Path<String>) -> Response {
    shown(&stripe, &session, "")
}

fn shown(stripe: &Stripe, session: &str, alert: &str) -> Response {
    let books = stripe.books();
    let Ok(found) = books.object(session) else { return StatusCode::NOT_FOUND.into_response() };
    let (amount, currency) = (&found["amount_total"], found["currency"].as_str().unwrap_or_default());
    let back = escaped(found["cancel_url"].as_str().unwrap_or_default());
    let body = if found["status"] == "open" && found["mode"] == "setup" {
        format!(
            "<h1>Save a card</h1><p role=alert>{alert}</p>\
             <form method=post action=/c/pay/{session}><label>Card number <input name=card></label>\
             <button>Save card</button></form><a href=\"{back}\">Back</a>"
        )
    } else if found["status"] == "open" {
        let cards = found["customer"].as_str().map(|customer| books.cards_of(customer)).unwrap_or_default();
        let cards: String = cards
            .iter()
            .map(|id| {
                let words = books.card_in_words(id);
                format!("<label><input type=radio name=saved value={id}> {words}</label>")
            })
            .collect();
        let save = match found["saved_payment_method_options"]["payment_method_save"] == "enabled" {
            true => "<label><input type=checkbox name=save value=true> Save this card for next time</label>",
            false => "",
        };
        format!(
            "<h1>Pay {amount} {currency}</h1><p role=alert>{alert}</p>\
             <form method=post action=/c/pay/{session}>{cards}<label>Card number <input name=card></label>{save}\
             <button>Pay</button></form><a href=\"{back}\">Back</a>"
        )
    } else {
        "<h1>You’re all done here</h1>".to_owned()
    };
    html("Pay", &body).into_response()
}

pub(super) async fn pay(
    Extract(stripe): Extract<Stripe>,
    Path(session): Path<String>,
    body: String,
) -> Response {
    let form = fields(&body);
    let found = stripe.books().object(&session).cloned().unwrap_or_default();
    let card = stripe.books().number(&found["customer"], &form).unwrap_or_default();
    let succeeds = !card.is_empty() && card != DECLINED;
    let open = found["status"] == "open";
    if let (true, true, Some(customer)) = (open, succeeds, found["customer"].as_str()) {
        if found["mode"] == "setup" {
            let mut books = stripe.books();
            books.save_card(customer, &card);
            books.set(&session, "status", "complete");
            books.set(&session, "url", serde_json::Value::Null);
            let back = books.text(&session, "success_url");
            return Redirect::to(&back).into_response();
        }
        if form.get("save").is_some_and(|save| save == "true") {
            stripe.books().save_card(customer, &card);
        }
    }
    if found["mode"] == "setup" {
        return shown(&stripe, &session, "Your card was declined.");
    }
    if card == CHALLENGED {
        let body = format!(
            "<h1>Is it you?</h1><form method=post action=/c/pay/{session}/challenge>\
             <button name=answer value=complete>Complete</button>\
             <button name=answer value=fail>Fail</button></form>"
        );
        return html("3-D Secure", &body).into_response();
    }
    charged(&stripe, &session, &card, succeeds).await
}

pub(super) async fn challenge(
    Extract(stripe): Extract<Stripe>,
    Path(session): Path<String>,
    body: String,
) -> Response {
    charged(&stripe, &session, CHALLENGED, body == "answer=complete").await
}

async fn charged(stripe: &Stripe, session: &str, card: &str, succeeds: bool) -> Response {
    let open = stripe.books().object(session).is_ok_and(|session| session["status"] == "open");
    if !open {
        return shown(stripe, session, "");
    }
    stripe.books().charge(session, card, succeeds);
    stripe.deliver_if_automatic();
    if !succeeds {
        return shown(stripe, session, "Your card was declined.");
    }
    let back = stripe.books().text(session, "success_url");
    Redirect::to(&back).into_response()
}
