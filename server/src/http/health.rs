//! Health probes and metrics.

use std::time::{Duration, Instant};

use axum::{
    extract::State as Extract,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use haat_engine::{Engine, jobs, notifications, outbox};

use super::State;
use crate::config::Mode;

/// Responds as long as the process does.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// How long a result of [`ready`] is reused, so that the database is checked once however many ask.
const HOLDS: Duration = Duration::from_secs(1);
/// The time limit of the check.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last result of [`ready`], and its time.
pub(super) type Readiness = tokio::sync::Mutex<Option<(Instant, Result<(), String>)>>;

/// Whether the database responds, has this program's schema, and accepts writes.
pub(super) async fn ready(Extract(state): Extract<State>) -> Response {
    let mut last = state.readiness.lock().await;
    let known = last.as_ref().filter(|(asked, _)| asked.elapsed() < HOLDS).map(|(_, known)| known.clone());
    let answer = match known {
        Some(known) => known,
        None => {
            let asked = tokio::time::timeout(PATIENCE, look(&state.runtime.engine)).await;
            let answer = asked.unwrap_or_else(|_| Err("the database did not respond in time".into()));
            *last = Some((Instant::now(), answer.clone()));
            answer
        }
    };
    match answer {
        Ok(()) => "ready".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

async fn look(engine: &Engine) -> Result<(), String> {
    engine.db.ping().await.map_err(|error| error.to_string())?;
    engine.db.check_schema().await.map_err(|fault| fault.to_string())?;
    engine.db.check_writes(engine.clock.now_ms()).await.map_err(|fault| fault.to_string())
}

/// Metrics in the text format of Prometheus.
pub(super) async fn metrics(Extract(state): Extract<State>, headers: HeaderMap) -> Response {
    let config = &state.runtime.config;
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
    let (statements, transactions) = state.runtime.engine.db.counts();
    metrics::counter!("haat_statements_total").absolute(statements);
    metrics::counter!("haat_transactions_total").absolute(transactions);
    metrics::counter!("haat_log_lines_lost_total").absolute(crate::log::lost());
    if let Ok(backlog) = jobs::backlog(&state.runtime.engine).await {
        metrics::gauge!("haat_jobs", "state" => "queued").set(backlog.queued as f64);
        metrics::gauge!("haat_jobs", "state" => "dead").set(backlog.dead as f64);
    }
    if let Ok(pending) = outbox::pending(&state.runtime.engine).await {
        metrics::gauge!("haat_outbox", "state" => "pending").set(pending as f64);
    }
    if let Ok(backlog) = notifications::backlog(&state.runtime.engine).await {
        metrics::gauge!("haat_emails", "state" => "queued").set(backlog.queued as f64);
        metrics::gauge!("haat_emails", "state" => "failed").set(backlog.dead as f64);
    }
    state.metrics.render().into_response()
}
