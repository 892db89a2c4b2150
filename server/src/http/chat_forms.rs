//! The plain forms of conversations.

use axum::{
    Extension, Form,
    extract::{Path, State as Extract},
    response::{IntoResponse, Response},
};
use haat_engine::{Caller, chat};
use haat_shared::{
    Error, FieldCode, Result,
    chat::NewMessage,
    id::kinds::ConversationId,
    routes::{self, SIGN_IN, with},
};

use super::{
    State, Typed, back,
    forms::{back_with_draft, field, refused},
    layers,
};

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

/// Opens a shop's conversation with the customer of an order.
pub(super) async fn open_for_order(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let number = field(&typed, "order");
    match chat::open_for_order(&state.runtime.engine, &caller, &handle, &number).await {
        Ok(id) => {
            back::to(&with(&routes::shop_conversation(&handle, id), &[("about", &number)])).into_response()
        }
        Err(error) => refused(&state, &routes::shop_order(&handle, &number), &error),
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
                let message = NewMessage { id: value("message").parse()?, text, about };
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
