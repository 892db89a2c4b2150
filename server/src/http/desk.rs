//! The plain forms of the operator's desk.

use axum::{
    Extension, Form,
    extract::{Path, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use haat_engine::{Caller, jobs, notifications};
use haat_shared::{
    Error, FieldCode, Result,
    routes::{JOBS, MAILS},
};

use super::{
    State,
    forms::{Typed, clean, field, local, refused, with},
};

/// A job is tried again, or given up.
pub(super) async fn job(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, action) = (&state.booted.engine, field(&typed, "action"));
    let back = match local(&field(&typed, "back")) {
        "/" => JOBS.to_owned(),
        back => clean(back),
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
        Ok(()) => Redirect::to(&with(&back, "done", &action)).into_response(),
        Err(error) => refused(&back, &error),
    }
}

/// A mail that was laid aside is sent again.
pub(super) async fn resend(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let (kind, subject, to) = (field(&typed, "kind"), field(&typed, "subject"), field(&typed, "to"));
    match notifications::resend(&state.booted.engine, &caller, &kind, &subject, &to).await {
        Ok(()) => Redirect::to(&with(MAILS, "done", "resend")).into_response(),
        Err(error) => refused(MAILS, &error),
    }
}
