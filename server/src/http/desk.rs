//! The plain forms of the operator's desk.

use axum::{
    Extension, Form,
    extract::{Path, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use haat_engine::{Caller, jobs};
use haat_shared::{Error, FieldCode, Result, routes::JOBS};

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
