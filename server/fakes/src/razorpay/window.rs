//! Razorpay's script, and the window that it opens over the page of a shop: a frame, as with Razorpay itself, whose content
//! the page cannot read.

use axum::{
    Json,
    extract::{RawQuery, State as Extract},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde_json::json;

use super::Razorpay;
use crate::{
    common::fields,
    page::{escaped, html},
};

/// A stand-in for Razorpay's script: the part that the shop uses. It asks for what Razorpay asks for, and sets style
/// attributes.
const SCRIPT: &str = r"{
const origin = new URL(document.currentScript.src).origin;
window.Razorpay = function (options) {
  const { key, amount, currency, order_id, name, handler, prefill, theme, modal, timeout } = options;
  if (!/^rzp_/.test(key) || !/^order_/.test(order_id) || !(amount > 0) || !/^[A-Z]{3}$/.test(currency) || !name) throw new Error('invalid options');
  if (typeof handler !== 'function' || !/^#[0-9a-f]{6}$/i.test(theme.color) || !(timeout > 0)) throw new Error('invalid options');
  const listeners = {};
  this.on = (event, listener) => { listeners[event] = listener; };
  this.open = () => {
    const around = document.createElement('div');
    around.className = 'razorpay-container';
    around.setAttribute('style', 'position: fixed; inset: 0; z-index: 2147483647; background: rgb(0 0 0 / 60%)');
    const frame = document.createElement('iframe');
    const query = new URLSearchParams({ key, order_id, amount, currency, name, email: prefill.email, contact: prefill.contact });
    frame.src = `${origin}/window?${query}`;
    frame.title = 'Razorpay Checkout';
    frame.setAttribute('style', 'position: absolute; inset: 10% 0 auto; margin: 0 auto; width: min(344px, 100%); height: 420px; border: 0; background: #fff');
    const close = () => { removeEventListener('message', heard); around.remove(); };
    const heard = ({ source, data }) => {
      if (source !== frame.contentWindow) return;
      if (data.paid) { close(); handler(data.paid); }
      if (data.error) listeners['payment.failed']?.({ error: data.error });
      if (data.closed) { close(); modal.ondismiss(); }
    };
    addEventListener('message', heard);
    around.append(frame);
    document.body.append(around);
  };
};
}
";

/// What is in the frame.
const ASKS: &str = r"<script>
document.querySelector('div').onclick = async ({ target: { value } }) => {
  if (!value) return;
  if (value === 'close') return parent.postMessage({ closed: true }, '*');
  const body = new URLSearchParams(location.search);
  body.set('answer', value);
  const told = await (await fetch('/window/pay', { method: 'POST', body })).json();
  document.querySelector('[role=alert]').textContent = told.error?.description ?? '';
  parent.postMessage(told, '*');
};
</script>";

pub(super) async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

pub(super) async fn page(RawQuery(query): RawQuery) -> Response {
    let asked = fields(&query.unwrap_or_default());
    let field = |name: &str| escaped(asked.get(name).map_or("", String::as_str));
    let body = format!(
        "<meta name=color-scheme content=light><h1>{}</h1><p>Pay {} {}</p><p>{} {}</p><p role=alert></p>\
         <div><button value=success>Success</button> <button value=failure>Failure</button> \
         <button value=close>Close</button></div>{ASKS}",
        field("name"),
        field("amount"),
        field("currency"),
        field("email"),
        field("contact"),
    );
    html("Razorpay Checkout", &body).into_response()
}

/// The shopper pays in the window.
pub(super) async fn answer(Extract(razorpay): Extract<Razorpay>, body: String) -> Response {
    let asked = fields(&body);
    let field = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let id = field("order_id");
    let answer = {
        let mut books = razorpay.books();
        let Some(order) = books.common.objects.get(id).filter(|_| id.starts_with("order_")).cloned() else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let error = |description: &str| json!({ "error": { "code": "BAD_REQUEST_ERROR", "description": description, "reason": "payment_failed" } });
        if field("key") != books.key_id
            || order["amount"].as_i64() != field("amount").parse().ok()
            || order["currency"] != field("currency")
        {
            error("The order is of another amount or account.")
        } else if order["status"] == "paid" {
            error("The order has been paid.")
        } else {
            let paid = books.pay_order(id, field("answer") == "success");
            paid.map_or_else(
                || error("Your payment was declined by the bank."),
                |paid| json!({ "paid": paid }),
            )
        }
    };
    razorpay.deliver_if_automatic();
    Json(answer).into_response()
}
