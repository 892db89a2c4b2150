//! Tables and other files to download.

use axum::{
    Extension,
    body::Body,
    extract::{Path, Query, State as Extract},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use haat_app::{
    i18n::{Locale, t, td_string},
    words,
};
use haat_engine::{
    Caller, Engine, Exported, analytics,
    books::{self, Statement},
    catalog::imports,
    orders, payouts,
};
use haat_shared::{
    Error, Result,
    catalog::{edit::ListSellerProducts, imports::ExportFormat},
    orders::ListOrders,
    sales::AskedPeriod,
};

use super::{State, Typed, caller, forms::field, invoices};
use crate::pdf::{Column, NORMAL, Row, Sheet};

/// A byte order mark, by which spreadsheets recognise UTF-8.
pub(super) const BYTE_ORDER_MARK: [u8; 3] = *b"\xef\xbb\xbf";

pub(super) fn as_table(name: &str) -> [(header::HeaderName, String); 3] {
    [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".into()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".into()),
    ]
}

/// The products of a shop that its list shows with these filters, as a table.
pub(super) async fn products(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Query(typed): Query<Typed>,
) -> Response {
    let name = format!("{handle}-products.csv");
    let of = ListSellerProducts {
        q: field(&typed, "q"),
        state: field(&typed, "state"),
        low: field(&typed, "low") == "1",
        ..ListSellerProducts::default()
    };
    match parts(&state.runtime.engine, caller, handle, ExportFormat::Csv, of, &BYTE_ORDER_MARK).await {
        Ok(table) => (as_table(&name), table).into_response(),
        Err(error) => super::layers::plain(&error),
    }
}

/// The orders of a shop that its list shows with these filters, as a table.
pub(super) async fn orders(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Query(of): Query<ListOrders>,
) -> Response {
    let name = format!("{handle}-orders.csv");
    match parts_of_orders(&state.runtime.engine, caller, handle, of).await {
        Ok(table) => (as_table(&name), table).into_response(),
        Err(error) => super::layers::plain(&error),
    }
}

/// The sales of a shop by day in a period, as a table.
pub(super) async fn days(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Query(of): Query<AskedPeriod>,
) -> Response {
    let table = analytics::days_of_shop(&state.runtime.engine, &caller, &handle, &of).await;
    whole(&format!("{handle}-sales-by-day.csv"), table)
}

/// What the products of a shop did in a period, as a table.
pub(super) async fn product_figures(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Query(of): Query<AskedPeriod>,
) -> Response {
    let table = analytics::products_of_shop(&state.runtime.engine, &caller, &handle, &of).await;
    whole(&format!("{handle}-product-figures.csv"), table)
}

/// The sales of the market by day in a period, as a table.
pub(super) async fn market_days(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Query(of): Query<AskedPeriod>,
) -> Response {
    whole("sales-by-day.csv", analytics::days_of_market(&state.runtime.engine, &caller, &of).await)
}

/// A table that is there as a whole.
fn whole(name: &str, table: Result<Vec<u8>>) -> Response {
    match table {
        Ok(table) => (as_table(name), [&BYTE_ORDER_MARK[..], &table].concat()).into_response(),
        Err(error) => super::layers::plain(&error),
    }
}

/// The statement of a shop: its transactions in a period, or all of them, as a table.
pub(super) async fn statement(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Query(of): Query<AskedPeriod>,
) -> Response {
    let dates = if of.is_custom() { format!("-{}-{}", of.from, of.to) } else { String::new() };
    let name = format!("{handle}-statement{dates}.csv");
    let engine = state.runtime.engine.clone();
    let table = streamed(&BYTE_ORDER_MARK, move |after| {
        let (engine, caller, handle, of) = (engine.clone(), caller.clone(), handle.clone(), of.clone());
        async move { books::statement(&engine, &caller, &handle, &of, after).await }
    });
    match table.await {
        Ok(table) => (as_table(&name), table).into_response(),
        Err(error) => super::layers::plain(&error),
    }
}

/// The statement of a shop as PDF.
pub(super) async fn statement_pdf(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(handle): Path<String>,
    Query(of): Query<AskedPeriod>,
) -> Response {
    let dates = if of.is_custom() { format!("-{}-{}", of.from, of.to) } else { String::new() };
    let name = format!("{handle}-statement{dates}.pdf");
    let locale = caller::language(&state, &headers);
    match books::whole_statement(&state.runtime.engine, &caller, &handle, &of).await {
        Ok(statement) => invoices::send(&name, move || statement_file(locale, &statement)).await,
        Err(error) => super::layers::plain(&error),
    }
}

fn statement_file(locale: Locale, of: &Statement) -> Result<Vec<u8>> {
    let title = td_string!(locale, balance.statement_of, shop = of.shop_name.as_str()).to_string();
    let period = match &of.period {
        Some((from, to)) => {
            let (from, to) = (words::day(locale, from), words::day(locale, to));
            td_string!(locale, balance.statement_from, from = from, to = to).to_string()
        }
        None => td_string!(locale, balance.statement_all).to_string(),
    };
    let mut sheet = Sheet::new(&title, locale.tag());
    sheet.head("", &[period]);
    let column = |title: &str, number| Column { title: title.to_owned(), number };
    let columns = [
        column(t!(locale, balance.what), false),
        column(t!(locale, dashboard.day), true),
        column(t!(locale, seller_orders.number), true),
        column(t!(locale, balance.amount), true),
        column(t!(locale, balance.balance_after), true),
    ];
    let opening = of.opening.iter().map(|total| Row {
        cells: vec![
            t!(locale, balance.opening).to_owned(),
            String::new(),
            String::new(),
            String::new(),
            words::money(locale, *total),
        ],
        ..Row::default()
    });
    let lines = of.lines.iter().map(|line| Row {
        cells: vec![
            words::posting(locale, line.kind).to_owned(),
            words::day(locale, &line.at),
            line.order.clone(),
            words::money(locale, line.amount),
            words::money(locale, line.balance),
        ],
        ..Row::default()
    });
    sheet.table(&columns, &opening.chain(lines).collect::<Vec<_>>());
    if of.cut {
        let n = words::number(locale, books::STATEMENT_MAX);
        sheet.paragraph(&td_string!(locale, balance.statement_cut, n = n).to_string(), NORMAL, false);
    }
    sheet.finish(|page, pages| words::page_of(locale, page, pages))
}

/// The trial balance as a table.
pub(super) async fn ledger(Extract(state): Extract<State>, Extension(caller): Extension<Caller>) -> Response {
    match books::trial_balance_table(&state.runtime.engine, &caller).await {
        Ok(table) => (as_table("trial-balance.csv"), [&BYTE_ORDER_MARK[..], &table].concat()).into_response(),
        Err(error) => super::layers::plain(&error),
    }
}

/// The approved payouts, as a table.
pub(super) async fn payouts_csv(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
) -> Response {
    match payouts::as_csv(&state.runtime.engine, &caller).await {
        Ok(table) => (as_table("payouts.csv"), [&BYTE_ORDER_MARK[..], &table].concat()).into_response(),
        Err(error) => super::layers::plain(&error),
    }
}

/// The approved payouts, as a file of ISO 20022 for the bank.
pub(super) async fn payouts_xml(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
) -> Response {
    match payouts::as_pain_001(&state.runtime.engine, &caller).await {
        Ok(file) => {
            let headers = [
                (header::CONTENT_TYPE, "application/xml; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"payouts-pain.001.xml\""),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, file).into_response()
        }
        Err(error) => super::layers::plain(&error),
    }
}

/// Streams products of a shop, preceded by the given bytes.
pub(super) async fn parts(
    engine: &Engine,
    caller: Caller,
    handle: String,
    format: ExportFormat,
    of: ListSellerProducts,
    begin: &[u8],
) -> Result<Body> {
    let engine = engine.clone();
    streamed(begin, move |after| {
        let (engine, caller, handle, of) = (engine.clone(), caller.clone(), handle.clone(), of.clone());
        async move { imports::export(&engine, &caller, &handle, format, &of, after).await }
    })
    .await
}

async fn parts_of_orders(engine: &Engine, caller: Caller, handle: String, of: ListOrders) -> Result<Body> {
    let engine = engine.clone();
    streamed(&BYTE_ORDER_MARK, move |after| {
        let (engine, caller, handle) = (engine.clone(), caller.clone(), handle.clone());
        let of = ListOrders { after: after.unwrap_or_default(), ..of.clone() };
        async move { orders::export(&engine, &caller, &handle, &of).await }
    })
    .await
}

/// Streams an export part by part, while it is read. If the first part fails, nothing is sent.
async fn streamed<Next, F>(
    begin: &[u8],
    read: impl Fn(Option<Next>) -> F + Clone + Send + 'static,
) -> Result<Body>
where
    Next: Send + 'static,
    F: Future<Output = Result<Exported<Next>>> + Send,
{
    let mut first = read(None).await?;
    first.text.splice(..0, begin.iter().copied());
    let parts = stream::try_unfold(Some(first), move |part| {
        let read = read.clone();
        async move {
            let Some(part) = part else { return Ok::<_, Error>(None) };
            let next = match part.next {
                Some(next) => Some(read(Some(next)).await?),
                None => None,
            };
            Ok(Some((Bytes::from(part.text), next)))
        }
    });
    Ok(Body::from_stream(parts))
}
