//! Stripe's script, and its fields for a card on the page of a shop: a frame, as with Stripe itself, whose content the
//! page cannot read.

use axum::{
    Json,
    extract::State as Extract,
    response::{Html, IntoResponse, Response},
};
use http::{StatusCode, Uri, header};
use serde_json::json;

use super::{CHALLENGED, DECLINED, Stripe};
use crate::common::fields as form_fields;

/// A stand-in for Stripe's script: the part that the shop uses. It asks for what Stripe asks for.
const SCRIPT: &str = r"{
const origin = new URL(document.currentScript.src).origin;
let last = 0;
window.Stripe = (key) => {
  if (!/^pk_/.test(key)) throw new Error('not a publishable key');
  return {
    elements: ({ mode, amount, currency, customerSessionClientSecret: session = '' }) => {
      if (mode !== 'payment' || !(amount > 0) || !/^[a-z]{3}$/.test(currency)) throw new Error('invalid options');
      const frame = document.createElement('iframe');
      frame.src = origin + '/element?session=' + session;
      frame.title = 'Secure payment input frame';
      frame.width = '100%';
      frame.height = session ? '260' : '160';
      frame.setAttribute('frameborder', '0');
      const ask = (question) => new Promise((resolve) => {
        const id = ++last;
        const answered = (event) => {
          if (event.source !== frame.contentWindow || event.data.id !== id) return;
          removeEventListener('message', answered);
          resolve(event.data.answer);
        };
        addEventListener('message', answered);
        frame.contentWindow.postMessage({ id, ...question }, origin);
      });
      const listeners = {};
      frame.onload = () => listeners.ready?.();
      return {
        ask,
        update: (changed) => { if (!(changed.amount > 0)) throw new Error('invalid amount'); amount = changed.amount; },
        create: () => ({
          mount: (at) => at.append(frame),
          on: (name, listener) => { listeners[name] = listener; },
          unmount: () => frame.remove(),
        }),
        submit: () => ask({ what: 'submit' }),
        amount: () => amount,
      };
    },
    confirmPayment: async ({ elements, clientSecret, confirmParams }) => {
      const { error } = await elements.ask({ what: 'confirm', secret: clientSecret, amount: elements.amount() });
      if (error) return { error };
      const back = new URL(confirmParams.return_url);
      back.searchParams.set('payment_intent', clientSecret.split('_secret')[0]);
      back.searchParams.set('payment_intent_client_secret', clientSecret);
      back.searchParams.set('redirect_status', 'succeeded');
      location.assign(back);
      return new Promise(() => {});
    },
  };
};
}
";

/// What is in the frame, below the saved cards. It answers questions of the page around it, but never says what was entered.
const FIELDS: &str = r#"<label>Card number <input name=card inputmode=numeric autocomplete=cc-number></label><p role=alert></p>
<div hidden><p>Is it you?</p><button value=complete>Complete</button> <button value=fail>Fail</button></div>
<script>
const card = document.querySelector('[name=card]'), save = document.querySelector('[name=save]');
const saved = () => document.querySelector('[name=saved]:checked')?.value ?? '';
const session = new URLSearchParams(location.search).get('session');
const alert = document.querySelector('p'), challenge = document.querySelector('div');
const confirm = async (secret, amount, answer) => {
  const body = new URLSearchParams({ secret, amount, session, saved: saved(), card: card.value, save: save?.checked ?? '', answer });
  return (await fetch('/element/confirm', { method: 'POST', body })).json();
};
addEventListener('message', async ({ data, source, origin }) => {
  if (!data.what) return;
  const reply = (answer) => source.postMessage({ id: data.id, answer }, origin);
  const entered = saved() || card.value;
  alert.textContent = entered ? '' : 'Your card number is incomplete.';
  if (!entered) return reply({ error: { type: 'validation_error', message: 'Your card number is incomplete.' } });
  if (data.what === 'submit') return reply({});
  let result = await confirm(data.secret, data.amount, '');
  if (result.challenge) {
    challenge.hidden = false;
    const answer = await new Promise((resolve) => { challenge.onclick = (event) => event.target.value && resolve(event.target.value); });
    challenge.hidden = true;
    result = await confirm(data.secret, data.amount, answer);
  }
  reply(result);
});
</script></html>
"#;

pub(super) async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

/// With a session, the cards of its customer, and whether to save another one.
pub(super) async fn fields(Extract(stripe): Extract<Stripe>, uri: Uri) -> Html<String> {
    let form = form_fields(uri.query().unwrap_or_default());
    let books = stripe.books();
    let mut page =
        "<!DOCTYPE html><html lang=en><title>Card</title><meta name=color-scheme content=\"light dark\">"
            .to_owned();
    if let Some(session) = form.get("session").and_then(|secret| books.objects.get(secret)) {
        let features = &session["components"]["payment_element"]["features"];
        if features["payment_method_redisplay"] == "enabled" {
            let cards = books.cards_of(session["customer"].as_str().unwrap());
            for (n, id) in cards.iter().enumerate() {
                let (words, checked) = (books.card_in_words(id), if n == 0 { "checked" } else { "" });
                page +=
                    &format!("<label><input type=radio name=saved value={id} {checked}> {words}</label><br>");
            }
            if !cards.is_empty() {
                page += "<label><input type=radio name=saved value=\"\"> New card</label><br>";
            }
        }
        if features["payment_method_save"] == "enabled" {
            page += "<label><input type=checkbox name=save> Save this card for next time</label><br>";
        }
    }
    Html(page + FIELDS)
}

/// The shopper submits a card in the frame.
pub(super) async fn confirm(Extract(stripe): Extract<Stripe>, body: String) -> Response {
    let form = form_fields(&body);
    let field = |name: &str| form.get(name).cloned().unwrap_or_default();
    let answer = {
        let mut books = stripe.books();
        let Some(intent) = books.with("payment_intent", "client_secret", &field("secret")).into_iter().next()
        else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let found = &books.objects[&intent];
        let customer = found["customer"].clone();
        let session = books.objects.get(&field("session"));
        let card = books.number(&customer, &form).unwrap_or_default();
        if found["status"] != "requires_payment_method" {
            let message = "This payment can no longer be confirmed.";
            json!({ "error": { "type": "invalid_request_error", "message": message } })
        } else if found["amount"].as_i64() != field("amount").parse().ok() {
            let message = "The amount of the fields is not that of the payment.";
            json!({ "error": { "type": "invalid_request_error", "message": message } })
        } else if session.is_some_and(|session| session["customer"] != customer) {
            let message = "The customer of the fields is not that of the payment.";
            json!({ "error": { "type": "invalid_request_error", "message": message } })
        } else if card == CHALLENGED && field("answer").is_empty() {
            json!({ "challenge": true })
        } else {
            let succeeds = !card.is_empty() && card != DECLINED && field("answer") != "fail";
            let usage = session
                .map(|s| s["components"]["payment_element"]["features"]["payment_method_save_usage"].clone());
            books.charge_intent(&intent, &card, succeeds);
            if let (true, "true", "", Some(customer)) =
                (succeeds, &*field("save"), &*field("saved"), customer.as_str())
            {
                books.set(&intent, "setup_future_usage", usage);
                books.save_card(customer, &card);
            }
            match succeeds {
                true => json!({}),
                false => json!({ "error": { "type": "card_error", "message": "Your card was declined." } }),
            }
        }
    };
    stripe.deliver_if_automatic();
    Json(answer).into_response()
}
