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
};
use haat_shared::{Error, routes};

use super::{RETRY_AFTER, State, back, layers, outcome};

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
    let received = payments::webhook(engine, &Caller::guest(), &gateway, webhook).await;
    let Err(error) = received else { return StatusCode::NO_CONTENT.into_response() };
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, error.code()).into_response();
    if let Some(seconds) = error.retry_after_s() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
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
