//! Invoices and credit notes as pages to print, or to save as PDF from the browser's print dialog. They need no script.

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query, State as Extract},
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use haat_app::{
    countries,
    i18n::{Locale, t, td_string},
    words,
};
use haat_engine::{Caller, invoices, random};
use haat_shared::{
    Error, Result,
    invoices::{Invoice, InvoiceKind},
};

use super::{State, Typed, caller, forms::field, layers};

#[derive(Template)]
#[template(path = "page/invoice.html")]
struct Page {
    locale: Locale,
    nonce: String,
    title: String,
    date: String,
    corrects: Option<String>,
    order: String,
    seller: Vec<String>,
    tax_id: String,
    buyer: Vec<String>,
    lines: Vec<Line>,
    shipping: Option<String>,
    taxes: Vec<Tax>,
    total: String,
}

struct Line {
    what: String,
    variant: String,
    quantity: String,
    rate: String,
    tax: String,
    total: String,
}

struct Tax {
    rate: String,
    net: String,
    tax: String,
}

/// An invoice of a purchase.
pub(super) async fn of_purchase(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path((number, id)): Path<(String, String)>,
    Query(typed): Query<Typed>,
) -> Response {
    let found = async {
        let key = field(&typed, "key");
        invoices::of_purchase(&state.runtime.engine, &caller, &number, &key, id.parse()?).await
    };
    answer(&state, &headers, found.await)
}

/// An invoice of a shop.
pub(super) async fn of_shop(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path((handle, id)): Path<(String, String)>,
) -> Response {
    let found = async { invoices::of_shop(&state.runtime.engine, &caller, &handle, id.parse()?).await };
    answer(&state, &headers, found.await)
}

/// An invoice of any shop.
pub(super) async fn any(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let found = async { invoices::any(&state.runtime.engine, &caller, id.parse()?).await };
    answer(&state, &headers, found.await)
}

fn answer(state: &State, headers: &HeaderMap, found: Result<(Invoice, String)>) -> Response {
    let (invoice, issued_at) = match found {
        Ok(found) => found,
        Err(error) => return layers::plain(&error),
    };
    let locale = caller::language(state, headers);
    let nonce = random::token();
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let page =
        page(locale, nonce, invoice, &issued_at).and_then(|page| page.render().map_err(|_| Error::Internal));
    match (page, HeaderValue::from_str(&policy)) {
        (Ok(html), Ok(policy)) => {
            let headers = [
                (header::CONTENT_SECURITY_POLICY, policy),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, Html(html)).into_response()
        }
        _ => layers::plain(&Error::Internal),
    }
}

fn page(locale: Locale, nonce: String, invoice: Invoice, issued_at: &str) -> Result<Page> {
    let number = invoice.number.as_str();
    let title = match invoice.kind {
        InvoiceKind::Invoice => td_string!(locale, invoice.title, number = number).to_string(),
        InvoiceKind::CreditNote => td_string!(locale, invoice.credit_title, number = number).to_string(),
    };
    let percent = |bp| format!("{}%", words::percent(bp));
    let money = |amount| words::money(locale, amount);
    let taxes = invoice.taxes()?.into_iter().map(|sum| Tax {
        rate: percent(sum.tax_bp),
        net: money(sum.net),
        tax: money(sum.tax),
    });
    let seller = std::iter::once(invoice.seller.name.as_str())
        .chain(invoice.seller.address.lines())
        // Most addresses have it.
        .chain(Some(invoice.seller.town.as_str()).filter(|town| !invoice.seller.address.contains(town)))
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect();
    let country = countries::name(locale, &invoice.buyer.country);
    Ok(Page {
        taxes: taxes.collect(),
        corrects: invoice
            .corrects
            .map(|number| td_string!(locale, invoice.corrects, number = number).to_string()),
        order: td_string!(locale, purchase.order, number = invoice.order_number.as_str()).to_string(),
        date: words::day(locale, issued_at),
        seller,
        tax_id: invoice.seller.tax_id,
        buyer: invoice.buyer.label(country),
        lines: invoice
            .lines
            .into_iter()
            .map(|line| Line {
                what: line.title,
                variant: line.variant,
                quantity: words::number(locale, line.quantity),
                rate: percent(line.tax_bp),
                tax: money(line.tax),
                total: money(line.total),
            })
            .collect(),
        shipping: (invoice.shipping.amount() > 0).then(|| money(invoice.shipping)),
        total: money(invoice.total),
        title,
        nonce,
        locale,
    })
}
