//! For those who run the program: is it alive, is it ready, how does it do.

use axum::{
    extract::State as Extract,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use haat_engine::{facts, jobs, notifications};

use super::State;
use crate::config::Mode;

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// The database answers and has the program's schema.
pub(super) async fn ready(Extract(state): Extract<State>) -> Response {
    let db = &state.booted.engine.db;
    if let Err(error) = db.ping().await {
        return (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response();
    }
    match db.check_schema().await {
        Ok(()) => "ready".into_response(),
        Err(fault) => (StatusCode::SERVICE_UNAVAILABLE, fault.to_string()).into_response(),
    }
}

/// Measures, in the text format of Prometheus.
pub(super) async fn metrics(Extract(state): Extract<State>, headers: HeaderMap) -> Response {
    let config = &state.booted.config;
    let token = config.server.metrics_token.reveal();
    let brought = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let allowed = if token.is_empty() {
        config.mode == Mode::Development
    } else {
        brought == format!("Bearer {token}")
    };
    if !allowed {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (statements, transactions) = state.booted.engine.db.counts();
    metrics::counter!("haat_statements_total").absolute(statements);
    metrics::counter!("haat_transactions_total").absolute(transactions);
    if let Ok(backlog) = jobs::backlog(&state.booted.engine).await {
        metrics::gauge!("haat_jobs", "state" => "queued").set(backlog.queued as f64);
        metrics::gauge!("haat_jobs", "state" => "dead").set(backlog.dead as f64);
    }
    if let Ok(untold) = facts::untold(&state.booted.engine).await {
        metrics::gauge!("haat_facts", "state" => "untold").set(untold as f64);
    }
    if let Ok(backlog) = notifications::backlog(&state.booted.engine).await {
        metrics::gauge!("haat_mails", "state" => "queued").set(backlog.queued as f64);
        metrics::gauge!("haat_mails", "state" => "failed").set(backlog.dead as f64);
    }
    state.metrics.render().into_response()
}
