//! The plain forms of conversations, and the pictures of messages.

use axum::{
    Extension, Form, Json,
    extract::{Multipart, Path, State as Extract, multipart::MultipartRejection},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use haat_engine::{Caller, chat};
use haat_shared::{
    Error, FieldCode, Result,
    chat::{AwayMessage, NewMessage},
    id::kinds::ConversationId,
    media::{BYTES_MAX, NewPicture, Picture, Purpose},
    routes::{self, SIGN_IN, with},
};

use super::{
    State, Typed, back,
    forms::{KEPT, back_with_draft, field, refused},
    imports::{Pace, whole},
    layers,
    media::{FORM_BYTES_MAX, broken, enter, refusal},
    outcome::redirect,
};

/// The maximum size of a message with pictures.
pub(super) const PICTURES_BYTES_MAX: usize = 10 * BYTES_MAX + 256 * 1024;
/// The maximum number of bytes of a field that is not a picture, and of fields.
const TEXT_BYTES_MAX: usize = 16 * 1024;
const FIELDS_MAX: usize = 30;

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
            action @ ("block" | "unblock") => chat::block(engine, caller, shop, id, action == "block").await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => back::to(page).into_response(),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            let page = with(page, &[("about", &value("about"))]);
            back_with_draft(state, "message", &page, typed, &error).await
        }
        Err(error) => refused(state, page, &error),
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
    let read = read(state, caller, (shop, id), about, form, &mut typed).await;
    if !typed.contains_key("action") {
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

/// Reads the fields of a message, and stores each picture as it arrives; returns the last one. The caller is checked first, so
/// that no picture of a stranger is read.
async fn read(
    state: &State,
    caller: &Caller,
    (shop, id): (&str, ConversationId),
    about: &Parts,
    form: std::result::Result<Multipart, MultipartRejection>,
    typed: &mut Typed,
) -> Result<Option<Picture>> {
    let engine = &state.runtime.engine;
    let owner = chat::picture_owner(engine, caller, shop, id).await?;
    let mut form = form.map_err(|_| Error::field("pictures", FieldCode::PictureBroken))?;
    let address = state.limits.origin(&about.headers, &about.extensions).to_string();
    let (mut pace, mut last, mut fault) = (Pace::default(), None, None);
    let most = Purpose::ChatPicture.upload();
    let mut count = 0;
    for _ in 0..FIELDS_MAX {
        let Some(part) = pace.next(form.next_field()).await?.map_err(broken)? else { break };
        let name = part.name().unwrap_or_default().to_owned();
        if name != "pictures" {
            let text = whole(part, Pace::default(), TEXT_BYTES_MAX, broken).await?;
            typed.insert(name, String::from_utf8_lossy(&text).into_owned());
            continue;
        }
        // Browsers send an empty file if none is chosen.
        if part.file_name().is_none_or(str::is_empty) {
            continue;
        }
        let _ticket = enter(state, &address, caller, owner)?;
        let bytes = whole(part, Pace::default(), FORM_BYTES_MAX, broken).await?;
        count += 1;
        if fault.is_some() {
            continue;
        }
        if let Err(code) = most.check_count(count) {
            fault = Some(code);
            continue;
        }
        match chat::add_picture(engine, caller, shop, id, bytes).await {
            Ok(picture) => {
                let kept = typed.entry(KEPT.into()).or_default();
                kept.push_str(&format!(" {}", picture.id));
                last = Some(picture);
            }
            // The other fields are read all the same, so that nothing that was typed is lost.
            Err(Error::Invalid(faults)) => fault = faults.into_iter().next().map(|fault| fault.code),
            Err(error) => return Err(error),
        }
    }
    match fault {
        Some(code) => Err(Error::field("pictures", code)),
        None => Ok(last),
    }
}
