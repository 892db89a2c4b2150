//! PayPal's page, on which shoppers approve an order.

use std::collections::HashMap;

use axum::{
    extract::{Query, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;

use super::PayPal;
use crate::{
    common::fields,
    page::{escaped, html},
};

pub(super) async fn page(
    Extract(paypal): Extract<PayPal>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let id = query.get("token").map(String::as_str).unwrap_or_default();
    shown(&paypal, id, "")
}

/// Where the page leads, with what PayPal adds to the address.
fn back(paypal: &PayPal, id: &str, name: &str, payer: &str) -> String {
    let url = paypal.books().common.text(&format!("PAGE {id}"), name);
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}token={id}{payer}")
}

fn shown(paypal: &PayPal, id: &str, alert: &str) -> Response {
    let order =
        paypal.books().common.objects.get(id).filter(|order| order["purchase_units"].is_array()).cloned();
    let Some(order) = order else { return StatusCode::NOT_FOUND.into_response() };
    if order["status"] != "PAYER_ACTION_REQUIRED" {
        return html("PayPal", "<h1>You’ve already paid</h1>").into_response();
    }
    let amount = &order["purchase_units"][0]["amount"];
    let text = |name: &str| amount[name].as_str().unwrap_or_default().to_owned();
    let cancel = escaped(&back(paypal, id, "cancel_url", ""));
    let body = format!(
        "<h1>Pay {} {}</h1><p role=alert>{alert}</p>\
         <form method=post action=\"/checkoutnow?token={id}\"><button name=answer value=approve>Pay now</button>\
         <button name=answer value=decline>Pay with an expired card</button></form>\
         <a href=\"{cancel}\">Cancel and return</a>",
        text("value"),
        text("currency_code"),
    );
    html("PayPal", &body).into_response()
}

pub(super) async fn answer(
    Extract(paypal): Extract<PayPal>,
    Query(query): Query<HashMap<String, String>>,
    body: String,
) -> Response {
    let id = query.get("token").map(String::as_str).unwrap_or_default();
    let waits = {
        let books = paypal.books();
        books.common.objects.get(id).is_some_and(|order| order["status"] == "PAYER_ACTION_REQUIRED")
    };
    if !waits {
        return shown(&paypal, id, "");
    }
    if fields(&body).get("answer").is_none_or(|answer| answer != "approve") {
        return shown(&paypal, id, "This card was declined.");
    }
    paypal.books().approve(id);
    paypal.deliver_if_automatic();
    Redirect::to(&back(&paypal, id, "return_url", "&PayerID=FAKEPAYER")).into_response()
}
