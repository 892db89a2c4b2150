//! The page of a payment link.

use axum::{
    extract::{Path, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;

use super::Razorpay;
use crate::{common::fields, page::html};

pub(super) async fn page(Extract(razorpay): Extract<Razorpay>, Path(link): Path<String>) -> Response {
    shown(&razorpay, &link, "")
}

fn shown(razorpay: &Razorpay, id: &str, alert: &str) -> Response {
    let link = razorpay.books().common.objects.get(id).filter(|_| id.starts_with("plink_")).cloned();
    let Some(link) = link else { return StatusCode::NOT_FOUND.into_response() };
    let (amount, currency) = (&link["amount"], link["currency"].as_str().unwrap_or_default());
    let body = if link["status"] == "created" {
        format!(
            "<h1>Pay {amount} {currency}</h1><p role=alert>{alert}</p><form method=post action=/i/{id}>\
             <button name=answer value=success>Success</button>\
             <button name=answer value=failure>Failure</button></form>"
        )
    } else {
        "<h1>This link can’t be paid</h1>".to_owned()
    };
    html("Razorpay", &body).into_response()
}

pub(super) async fn answer(
    Extract(razorpay): Extract<Razorpay>,
    Path(link): Path<String>,
    body: String,
) -> Response {
    let is_open = {
        let books = razorpay.books();
        books.common.objects.get(&link).is_some_and(|link| link["status"] == "created")
    };
    if !is_open {
        return shown(&razorpay, &link, "");
    }
    let succeeds = fields(&body).get("answer").is_some_and(|answer| answer == "success");
    let added = razorpay.books().pay(&link, succeeds);
    razorpay.deliver_if_automatic();
    let Some(added) = added else { return shown(&razorpay, &link, "Your payment has failed.") };
    let url = razorpay.books().common.text(&link, "callback_url");
    let separator = if url.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{url}{separator}{added}")).into_response()
}
