//! Webhooks of gateways, and the return from their pages. Neither needs a cookie of the market.

use std::collections::HashMap;

use axum::{
    body::Bytes,
    extract::{Path, Query, State as Extract},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use haat_engine::{
    Caller,
    payments::{self, Return, Webhook},
    webhooks,
};
use haat_shared::{Error, routes};
use tracing::Instrument;

use super::{RETRY_AFTER, State, back, layers, outcome};

/// The gauge of webhooks that were accepted and are being handled.
const WORKING: &str = "haat_webhooks_in_progress";

/// A webhook, accepted only with the gateway's signature over its raw bytes.
pub(super) async fn receive(
    Extract(state): Extract<State>,
    Path(gateway): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let engine = &state.runtime.engine;
    let text = |value: &HeaderValue| Some(value.to_str().ok()?.to_owned());
    let headers: Vec<_> =
        headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?))).collect();
    let webhook = Webhook { headers: &headers, body: &body };
    let error = match webhooks::receive(engine, &Caller::guest(), &gateway, webhook).await {
        Ok(accepted) => {
            handle(&state, accepted);
            return StatusCode::NO_CONTENT.into_response();
        }
        Err(error) => error,
    };
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, error.code()).into_response();
    if let Some(seconds) = error.retry_after_s() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Handles what was accepted, without making the gateway wait for it.
#[expect(clippy::disallowed_methods, reason = "the program waits for the tracker before it ends")]
fn handle(state: &State, accepted: webhooks::Accepted) {
    let engine = state.runtime.engine.clone();
    metrics::gauge!(WORKING).increment(1.0);
    let work = async move {
        if let Err(error) = webhooks::handle(&engine, accepted).await {
            tracing::error!(%error, "a webhook was not handled; its job runs again");
        }
        metrics::gauge!(WORKING).decrement(1.0);
    };
    tokio::spawn(state.runtime.background.track_future(work.in_current_span()));
}

/// The shopper's return from a gateway's page.
pub(super) async fn returned(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let Ok(id) = id.parse() else { return layers::plain(&Error::NotFound) };
    match payments::returned(&state.runtime.engine, &Caller::guest(), id, &query).await {
        Ok(Return::Purchase(link)) => back::to(&routes::purchase_by_link(&link)).into_response(),
        Ok(Return::Checkout(id, why)) => {
            let page = routes::checkout(id);
            match why.map(Error::from) {
                Some(error) => outcome::redirect(&state, &page, &[("error", error.code())]),
                None => back::to(&page).into_response(),
            }
        }
        Err(error) => layers::plain(&error),
    }
}
