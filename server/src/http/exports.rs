//! Tables and other files to download.

use axum::{
    Extension,
    body::Body,
    extract::{Path, Query, State as Extract},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use haat_engine::{Caller, Engine, Exported, books, catalog::imports, orders, payouts};
use haat_shared::{
    Error, Result,
    catalog::{edit::ListSellerProducts, imports::ExportFormat},
    orders::ListOrders,
    sales::AskedPeriod,
};

use super::{State, Typed, forms::field};

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
