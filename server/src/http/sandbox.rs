//! The sandbox gateway's own pages, on their own host name, so that browsers treat them as another site.
//! They work without JavaScript and look different from the market.

use std::collections::BTreeMap;

use axum::{
    Form,
    extract::{Path, State as Extract},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use haat_app::i18n::{Locale, t};
use haat_engine::sandbox::{self, Card, SandboxPayment};
use haat_shared::{Error, Result};
use html_escape::encode_double_quoted_attribute;

use super::{State, caller, layers, origin};

/// Whether the sandbox is enabled and the request is for its host name.
fn is_here(state: &State, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let own = origin(&state.runtime.config.payments.sandbox_url);
    state.runtime.sandbox.is_some() && own.split_once("://").is_some_and(|(_, authority)| authority == host)
}

pub(super) async fn page(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    if !is_here(&state, &headers) {
        return layers::plain(&Error::NotFound);
    }
    match sandbox::find(&state.runtime.engine.db, &id).await {
        Ok(payment) => show(&state, &headers, &payment, "", |_| ""),
        Err(error) => layers::plain(&error),
    }
}

pub(super) async fn pay(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Form(typed): Form<BTreeMap<String, String>>,
) -> Response {
    if !is_here(&state, &headers) {
        return layers::plain(&Error::NotFound);
    }
    let (db, clock) = (&state.runtime.engine.db, &state.runtime.engine.clock);
    let card = typed.get("card").map(String::as_str).unwrap_or_default();
    let moved: Result<SandboxPayment> = async {
        match typed.get("action").map(String::as_str) {
            Some("confirm") => sandbox::confirm(db, clock, &id).await,
            Some("cancel") => sandbox::cancel(db, clock, &id).await,
            _ => sandbox::enter_card(db, clock, &id, Card::parse(card)?).await,
        }
    }
    .await;
    match moved {
        Ok(payment) if payment.state == "challenged" => show(&state, &headers, &payment, "", |_| ""),
        Ok(payment) => Redirect::to(&payment.return_url).into_response(),
        Err(Error::Invalid(_)) => match sandbox::find(db, &id).await {
            Ok(payment) => show(&state, &headers, &payment, card, |locale| t!(locale, sandbox.unknown_card)),
            Err(error) => layers::plain(&error),
        },
        Err(error) => layers::plain(&error),
    }
}

fn what(locale: Locale, card: Card) -> &'static str {
    match card {
        Card::Approve => t!(locale, sandbox.approve),
        Card::Decline => t!(locale, sandbox.decline),
        Card::Challenge => t!(locale, sandbox.challenge),
        Card::WebhookLate => t!(locale, sandbox.webhook_late),
        Card::WebhookTwice => t!(locale, sandbox.webhook_twice),
        Card::WebhookNever => t!(locale, sandbox.webhook_never),
        Card::Dispute => t!(locale, sandbox.dispute),
    }
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#eef1f4;color:#14202b}\
main{max-width:26rem;margin:0 auto;padding:2rem 1rem}\
h1{font-size:1.4rem;margin:0 0 .25rem}.note{background:#fff3d6;border:1px solid #c98a00;padding:.75rem 1rem;border-radius:.5rem}\
form{background:#fff;padding:1.25rem;border-radius:.75rem;margin:1rem 0;display:grid;gap:.75rem}\
label{font-weight:600}input{font:inherit;padding:.65rem .75rem;border:1px solid #6b7885;border-radius:.4rem;width:100%;box-sizing:border-box}\
button{font:inherit;font-weight:600;padding:.75rem 1rem;min-height:44px;border:0;border-radius:.4rem;background:#0b5c4d;color:#fff;cursor:pointer}\
form .quiet{background:none;color:inherit;text-decoration:underline}\
:focus-visible{outline:3px solid #c98a00;outline-offset:2px}.error{color:#a4161a;margin:0}\
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem .75rem;font-size:.9rem}dt{font-variant-numeric:tabular-nums}dd{margin:0}\
@media(prefers-color-scheme:dark){body{background:#10161c;color:#e6edf3}form{background:#1b242d}\
input{background:#10161c;color:#e6edf3}.note{background:#3a2c05;border-color:#c98a00}.error{color:#ff9b9b}button{background:#2c8f7b;color:#04130f}}";

/// The page of a payment, in the language of its checkout: the cookie with that is the market's.
fn show(
    state: &State,
    headers: &HeaderMap,
    payment: &SandboxPayment,
    typed: &str,
    error: fn(Locale) -> &'static str,
) -> Response {
    let locale = caller::language_or(state, headers, Some(&payment.locale));
    let error = error(locale);
    // Leads back to the checkout; the browser doesn't ask for a card first.
    let cancel = format!(
        "<button class=\"quiet\" name=\"action\" value=\"cancel\" formnovalidate>{}</button>",
        t!(locale, sandbox.cancel)
    );
    let cards: String = Card::ALL
        .into_iter()
        .map(|(card, number)| format!("<dt>{number}</dt><dd>{}</dd>", what(locale, card)))
        .collect();
    let (title, body) = match payment.state.as_str() {
        "waiting" => {
            let invalid =
                if error.is_empty() { "" } else { "aria-invalid=\"true\" aria-describedby=\"error\"" };
            let error = match error {
                "" => String::new(),
                error => format!("<p class=\"error\" id=\"error\" role=\"alert\">{error}</p>"),
            };
            let form = format!(
                "<form method=\"post\"><label for=\"card\">{}</label>{error}<input id=\"card\" name=\"card\" \
                 inputmode=\"numeric\" autocomplete=\"off\" required value=\"{}\" {invalid}>\
                 <button>{}</button>{cancel}</form><h2>{}</h2><dl>{cards}</dl>",
                t!(locale, sandbox.card),
                encode_double_quoted_attribute(typed),
                t!(locale, sandbox.pay, price = payment.amount()),
                t!(locale, sandbox.cards)
            );
            (t!(locale, sandbox.title), form)
        }
        "challenged" => (
            t!(locale, sandbox.confirm_title),
            format!(
                "<form method=\"post\"><p>{}</p>\
                 <button name=\"action\" value=\"confirm\">{}</button>{cancel}</form>",
                t!(locale, sandbox.confirm_note, price = payment.amount()),
                t!(locale, sandbox.confirm)
            ),
        ),
        _ => (
            t!(locale, sandbox.title),
            format!(
                "<p>{} <a href=\"{}\">{}</a></p>",
                t!(locale, sandbox.done),
                encode_double_quoted_attribute(&payment.return_url),
                t!(locale, sandbox.back)
            ),
        ),
    };
    let (tag, direction, note) = (locale.tag(), locale.direction(), t!(locale, sandbox.note));
    let page = format!(
        "<!DOCTYPE html><html lang=\"{tag}\" dir=\"{direction}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body><main><h1>{title}</h1>\
         <p class=\"note\">{note}</p>{body}</main></body></html>"
    );
    // The form is submitted to us, which redirects to the market.
    let market = origin(&state.runtime.engine.public_url);
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self' {market}"
    );
    let mut response = (StatusCode::OK, Html(page)).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
