//! The plain forms of conversations, and the pictures of messages.

use axum::{
    Extension, Form, Json,
    extract::{Multipart, Path, State as Extract, multipart::MultipartRejection},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use haat_engine::{Caller, chat};
use haat_shared::{
    Error, FieldCode, Result,
    chat::{AwayMessage, NewMessage},
    id::kinds::ConversationId,
    media::{BYTES_MAX, NewPicture},
    permissions::AdminPermission,
    reports::{NewReport, ReportAction},
    routes::{self, REPORTS, SIGN_IN, with},
};

use super::{
    State, Typed, back,
    form_pictures::{self, PicturesOf},
    forms::{KEPT, back_with_draft, field, refused},
    layers,
    media::refusal,
    outcome::redirect,
};

/// The maximum size of a message with pictures.
pub(super) const PICTURES_BYTES_MAX: usize = 10 * BYTES_MAX + 256 * 1024;

/// Opens the conversation with a shop. Guests sign in first.
pub(super) async fn open(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let page = back::local(&field(&typed, "back"));
    match chat::open(&state.runtime.engine, &caller, &field(&typed, "shop")).await {
        Ok(id) => {
            back::to(&with(&routes::conversation(id), &[("about", &field(&typed, "about"))])).into_response()
        }
        Err(Error::SignInNeeded) => back::to(&with(SIGN_IN, &[("next", &page)])).into_response(),
        Err(error) => refused(&state, &page, &error),
    }
}

/// Opens a shop's conversation with the customer of an order, or changes how the shop answers.
pub(super) async fn open_for_order(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    if !field(&typed, "action").is_empty() {
        return settings(&state, &caller, &handle, typed).await;
    }
    let number = field(&typed, "order");
    match chat::open_for_order(&state.runtime.engine, &caller, &handle, &number).await {
        Ok(id) => {
            back::to(&with(&routes::shop_conversation(&handle, id), &[("about", &number)])).into_response()
        }
        Err(error) => refused(&state, &routes::shop_order(&handle, &number), &error),
    }
}

async fn settings(state: &State, caller: &Caller, handle: &str, typed: Typed) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let page = routes::shop_messages(handle);
    let done: Result<()> = async {
        let id = |text: String| text.parse().map_err(|_| Error::NotFound);
        match value("action").as_str() {
            "add" => chat::save_reply(engine, caller, handle, None, &value("name"), &value("text")).await,
            "save" => {
                let id = Some(id(value("reply"))?);
                chat::save_reply(engine, caller, handle, id, &value("name"), &value("text")).await
            }
            "delete" => chat::delete_reply(engine, caller, handle, id(value("reply"))?).await,
            "away" => {
                let away = AwayMessage::read(value).map_err(Error::Invalid)?;
                chat::set_away(engine, caller, handle, &away).await
            }
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => redirect(state, &page, &[("done", &value("action"))]),
        Err(error @ Error::Invalid(_)) => back_with_draft(state, "message", &page, typed, &error).await,
        Err(error) => refused(state, &page, &error),
    }
}

/// A message of the shopper, or a change of one.
pub(super) async fn by_shopper(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let Ok(id) = id.parse() else { return layers::plain(&Error::NotFound) };
    done(&state, &caller, "", id, &routes::conversation(id), typed).await
}

/// A message of the shop, or a change of one, or of whether the shopper is blocked.
pub(super) async fn by_shop(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((handle, id)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    let Ok(id) = id.parse() else { return layers::plain(&Error::NotFound) };
    done(&state, &caller, &handle, id, &routes::shop_conversation(&handle, id), typed).await
}

async fn done(
    state: &State,
    caller: &Caller,
    shop: &str,
    id: ConversationId,
    page: &str,
    typed: Typed,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let done: Result<()> = async {
        match value("action").as_str() {
            "send" => {
                let (text, about) = (value("text"), value("about"));
                let pictures = value(KEPT);
                let pictures = pictures
                    .split_whitespace()
                    .map(|id| Ok(NewPicture { media: id.parse()?, alt: value("alt") }));
                let pictures = pictures.collect::<Result<_>>()?;
                let message = NewMessage { id: value("message").parse()?, text, about, pictures };
                chat::send(engine, caller, shop, id, message).await.map(drop)
            }
            "edit" => {
                let message = value("message").parse()?;
                chat::edit(engine, caller, shop, id, message, &value("text")).await.map(drop)
            }
            "delete" => chat::delete(engine, caller, shop, id, value("message").parse()?).await.map(drop),
            "report" => {
                let new = NewReport::read(value).map_err(Error::Invalid)?;
                chat::report(engine, caller, shop, id, new).await
            }
            "note" => chat::add_note(engine, caller, shop, id, &value("note")).await,
            "delete_note" => chat::delete_note(engine, caller, shop, id, value("id").parse()?).await,
            "labels" => chat::set_labels(engine, caller, shop, id, &value("labels")).await,
            action @ ("block" | "unblock") => chat::block(engine, caller, shop, id, action == "block").await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) if value("action") == "report" => redirect(state, page, &[("done", "report")]),
        Ok(()) => back::to(page).into_response(),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            let page = with(page, &[("about", &value("about")), ("report", &value("report"))]);
            back_with_draft(state, "message", &page, typed, &error).await
        }
        Err(error) => refused(state, page, &error),
    }
}

/// An admin's decision on a report.
pub(super) async fn decide(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let action = value("action");
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManageReports)?;
        let id = value("id").parse()?;
        match action.as_str() {
            "unblock" => chat::unblock_sender(engine, &caller, id).await,
            name => {
                let action =
                    ReportAction::parse(name).ok_or(Error::field("action", FieldCode::NotAChoice))?;
                chat::close_report(engine, &caller, id, action, &value("note")).await
            }
        }
    }
    .await;
    match done {
        Ok(()) => redirect(&state, REPORTS, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "report", REPORTS, typed, &error).await,
        Err(error) => refused(&state, REPORTS, &error),
    }
}

/// A message of the shopper with pictures, or pictures for one.
pub(super) async fn with_pictures_by_shopper(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    about: Parts,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    let Ok(id) = id.parse() else { return layers::plain(&Error::NotFound) };
    with_pictures(&state, &caller, ("", id), &routes::conversation(id), &about, form).await
}

/// A message of the shop with pictures, or pictures for one.
pub(super) async fn with_pictures_by_shop(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((handle, id)): Path<(String, String)>,
    about: Parts,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    let Ok(id) = id.parse() else { return layers::plain(&Error::NotFound) };
    let page = routes::shop_conversation(&handle, id);
    with_pictures(&state, &caller, (&handle, id), &page, &about, form).await
}

/// Scripts upload pictures one by one, and send the message when all are there. Without them, it is all one form.
async fn with_pictures(
    state: &State,
    caller: &Caller,
    (shop, id): (&str, ConversationId),
    page: &str,
    about: &Parts,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    let mut typed = Typed::new();
    let read =
        form_pictures::read(state, caller, PicturesOf::Message(shop, id), about, form, &mut typed).await;
    // Browsers ask for a page; if they may not write, their form isn't read.
    let by_script =
        !about.headers.get(header::ACCEPT).is_some_and(|kinds| kinds.as_bytes().starts_with(b"text/html"));
    if by_script && !typed.contains_key("action") {
        return match read {
            Ok(Some(picture)) => (StatusCode::CREATED, Json(picture)).into_response(),
            Ok(None) => refusal(&Error::field("picture", FieldCode::Missing)),
            Err(error) => refusal(&error),
        };
    }
    match read {
        Ok(_) => done(state, caller, shop, id, page, typed).await,
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            back_with_draft(state, "message", page, typed, &error).await
        }
        Err(error) => refused(state, page, &error),
    }
}
