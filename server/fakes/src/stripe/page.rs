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
    let body = if found["status"] == "open" {
        format!(
            "<h1>Pay {amount} {currency}</h1><p role=alert>{alert}</p>\
             <form method=post action=/c/pay/{session}><label>Card number <input name=card></label>\
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
    let card: String = fields(&body).get("card").map(|card| card.replace(' ', "")).unwrap_or_default();
    if card == CHALLENGED {
        let body = format!(
            "<h1>Is it you?</h1><form method=post action=/c/pay/{session}/challenge>\
             <button name=answer value=complete>Complete</button>\
             <button name=answer value=fail>Fail</button></form>"
        );
        return html("3-D Secure", &body).into_response();
    }
    charged(&stripe, &session, &card, card != DECLINED).await
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
