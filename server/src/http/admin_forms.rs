//! The plain forms of the admin area.

use axum::{
    Extension, Form,
    extract::{Path, State as Extract},
    response::{IntoResponse, Response},
};
use haat_engine::{Caller, jobs, notifications};
use haat_shared::{
    Error, FieldCode, Result,
    routes::{HOME, JOBS, MAILS, with},
};

use super::{
    State, Typed, back,
    forms::{clean, field, refused},
};

/// Retries or discards a job.
pub(super) async fn job(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, action) = (&state.runtime.engine, field(&typed, "action"));
    let page = match back::local(&field(&typed, "back")).as_str() {
        HOME => JOBS.to_owned(),
        page => clean(page),
    };
    let done: Result<()> = async {
        caller.operator()?;
        let id = id.parse()?;
        match action.as_str() {
            "retry" => jobs::retry(engine, &caller, id).await,
            "discard" => jobs::discard(engine, &caller, id).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => back::to(&with(&page, &[("done", &action)])).into_response(),
        Err(error) => refused(&page, &error),
    }
}

/// Sends a failed email again.
pub(super) async fn resend(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let done: Result<()> = async {
        caller.operator()?;
        notifications::resend(&state.runtime.engine, &caller, field(&typed, "id").parse()?).await
    }
    .await;
    match done {
        Ok(()) => back::to(&with(MAILS, &[("done", "resend")])).into_response(),
        Err(error) => refused(MAILS, &error),
    }
}
