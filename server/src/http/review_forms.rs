//! The plain forms of reviews: of authors, readers, shops and admins.

use axum::{
    Extension, Form,
    extract::{Path, State as Extract},
    response::{IntoResponse, Response},
};
use haat_engine::{Caller, reviews};
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::ReviewId,
    page::ListRequest,
    permissions::AdminPermission,
    reviews::{NewReview, ReviewAction, ReviewReport},
    routes::{self, ALL_REVIEWS, with},
};

use super::{
    State, Typed, back,
    forms::{back_with_draft, field, refused},
    layers,
    outcome::redirect,
};

/// Writes, changes or deletes the review of an item.
pub(super) async fn write(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((number, position)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let Ok(position) = position.parse::<i64>() else { return layers::plain(&Error::NotFound) };
    let page = routes::write_review(&number, position);
    let action = value("action");
    let done: Result<()> = async {
        // Before anything is said about the form.
        reviews::form(engine, &caller, &number, position).await?;
        match action.as_str() {
            "save" => {
                let new = NewReview::read(value).map_err(Error::Invalid)?;
                reviews::save(engine, &caller, &number, position, new).await.map(drop)
            }
            "delete" => reviews::delete(engine, &caller, &number, position).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            back_with_draft(&state, "review", &page, typed, &error).await
        }
        Err(error) => refused(&state, &page, &error),
    }
}

/// What a reader does with a review: votes for it, takes that back, or reports it.
pub(super) async fn read(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let Ok(id) = id.parse::<ReviewId>() else { return layers::plain(&Error::NotFound) };
    let page = back::local(&value("back"));
    let action = value("action");
    let done: Result<()> = async {
        caller.signed_in()?;
        match action.as_str() {
            "vote" => reviews::vote(engine, &caller, id, true).await,
            "unvote" => reviews::vote(engine, &caller, id, false).await,
            "report" => {
                let new = ReviewReport::read(value).map_err(Error::Invalid)?;
                reviews::report(engine, &caller, id, new).await
            }
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) if action == "report" => redirect(&state, &page, &[("done", "report")]),
        Ok(()) => back::to(&format!("{page}#reviews")).into_response(),
        Err(error @ Error::Invalid(_)) => {
            back_with_draft(&state, "review_report", &page, typed, &error).await
        }
        Err(error) => refused(&state, &page, &error),
    }
}

/// The shop's reply to a review.
pub(super) async fn reply(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    axum::extract::Query(of): axum::extract::Query<ListRequest>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let page = with(&routes::shop_reviews(&handle), &[("state", &of.state), ("after", &of.after)]);
    let action = value("action");
    let done: Result<()> = async {
        let id = || value("review").parse::<ReviewId>();
        match action.as_str() {
            "reply" if value("reply").trim().is_empty() => {
                // Members only are told.
                reviews::of_shop(engine, &caller, &handle, &ListRequest::default()).await?;
                Err(Error::field("reply", FieldCode::Missing))
            }
            "reply" => reviews::reply(engine, &caller, &handle, id()?, &value("reply")).await,
            "unreply" => reviews::reply(engine, &caller, &handle, id()?, "").await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "reply", &page, typed, &error).await,
        Err(error) => refused(&state, &page, &error),
    }
}

/// An admin's decision about a review.
pub(super) async fn moderate(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let action = value("action");
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManageReports)?;
        let of = ReviewAction::parse(&action).ok_or(Error::field("action", FieldCode::NotAChoice))?;
        let version = value("version").parse().unwrap_or_default();
        reviews::moderate(engine, &caller, value("id").parse()?, version, of, &value("note")).await
    }
    .await;
    // The list as it was.
    let page = with(ALL_REVIEWS, &[("state", &value("state"))]);
    match done {
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            back_with_draft(&state, "moderate", &page, typed, &error).await
        }
        Err(error) => refused(&state, &page, &error),
    }
}
