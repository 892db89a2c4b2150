//! Conversations of shoppers and shops. `shop` is the handle of the shop for its members, and empty for the shopper.

use haat_shared::{
    chat::{Changes, Inbox, InboxRequest, MessageView, NewMessage},
    id::kinds::{ConversationId, MessageId},
    page::{Counted, ListRequest},
    reports::ReportCard,
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The list of conversations, and the one that is open, which is then read.
#[server(name = FetchInbox, prefix = "/api", endpoint = "chat/inbox", input = Json)]
pub async fn inbox(asked: InboxRequest) -> Result<Inbox, ApiError> {
    super::call(async |engine, caller| haat_engine::chat::inbox(&engine, &caller, &asked).await).await
}

/// What changed after this number.
#[server(name = FetchChanges, prefix = "/api", endpoint = "chat/changes", input = Json)]
pub async fn changes(shop: String, id: ConversationId, after: i64) -> Result<Changes, ApiError> {
    super::call(async |engine, caller| haat_engine::chat::changes(&engine, &caller, &shop, id, after).await)
        .await
}

/// Sends a message, once.
#[server(name = SendMessage, prefix = "/api", endpoint = "chat/send", input = Json)]
pub async fn send(shop: String, id: ConversationId, message: NewMessage) -> Result<MessageView, ApiError> {
    super::call(async |engine, caller| haat_engine::chat::send(&engine, &caller, &shop, id, message).await)
        .await
}

/// Changes the text of a message.
#[server(name = EditMessage, prefix = "/api", endpoint = "chat/edit", input = Json)]
pub async fn edit(
    shop: String,
    id: ConversationId,
    message: MessageId,
    text: String,
) -> Result<MessageView, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::chat::edit(&engine, &caller, &shop, id, message, &text).await
    })
    .await
}

/// Deletes a message.
#[server(name = DeleteMessage, prefix = "/api", endpoint = "chat/delete", input = Json)]
pub async fn delete(shop: String, id: ConversationId, message: MessageId) -> Result<MessageView, ApiError> {
    super::call(async |engine, caller| haat_engine::chat::delete(&engine, &caller, &shop, id, message).await)
        .await
}

/// The messages up to this one were read.
#[server(name = ReadMessages, prefix = "/api", endpoint = "chat/read", input = Json)]
pub async fn read(shop: String, id: ConversationId, seq: i64) -> Result<(), ApiError> {
    super::call(async |engine, caller| haat_engine::chat::read(&engine, &caller, &shop, id, seq).await).await
}

/// What shoppers and shops reported, for admins.
#[server(name = ListReports, prefix = "/api", endpoint = "chat/reports", input = Json)]
pub async fn reports(of: ListRequest) -> Result<Counted<ReportCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::chat::reports(&engine, &caller, &of).await).await
}
