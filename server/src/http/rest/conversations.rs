//! Conversations of shoppers and shops, for both sides: paths under a shop are for its members, the others for the shopper.

use haat_engine::{Caller, chat};
use haat_shared::{
    Result,
    chat::{Changes, ConversationCard, MessagePage, MessageView, NewMessage},
    id::kinds::{ConversationId, MediaId, MessageId},
    media::{NewPicture, Picture},
    permissions::Permission,
    routes::*,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, MessagePictureFile, Paging, Query, page},
    orders::{Image, image},
    reply::{Found, Listed, Made},
};

/// A shop's handle, or none for the shopper, and a conversation.
type Of = (Option<String>, ConversationId);

pub(super) fn routes(api: Api) -> Api {
    api.on(API_CONVERSATIONS, "Lists your conversations with shops, those with the latest messages first.", |c, Query(of)| list(c, None, of))
        .on(API_OPEN_CONVERSATION, "Opens your conversation with a shop: the same one however often. It is listed once something was written.", open)
        .on(API_CONVERSATION, "Returns one of your conversations with shops.", |c, At(id)| conversation(c, (None, id)))
        .on(API_MESSAGES, MESSAGES, |c, (At(id), Query(of))| messages(c, (None, id), of))
        .on(API_CHANGED_MESSAGES, CHANGES, |c, (At(id), Query(of))| changes(c, (None, id), of))
        .on(API_SEND_MESSAGE, SEND, |c, (At(id), Body(new))| send(c, (None, id), new))
        .on(API_EDIT_MESSAGE, EDIT, |c, (At((id, message)), Body(new))| edit(c, (None, id), message, new))
        .on(API_DELETE_MESSAGE, DELETE, |c, At((id, message))| delete(c, (None, id), message))
        .on(API_READ_MESSAGES, READ, |c, (At(id), Body(up_to))| read(c, (None, id), up_to))
        .on(API_ADD_MESSAGE_PICTURE, ADD_PICTURE, |c, (At(id), MessagePictureFile(bytes))| add_picture(c, (None, id), bytes))
        .on(API_MESSAGE_PICTURE, PICTURE, |c, At((id, of))| picture(c, (None, id), of))
        .on(API_SHOP_CONVERSATIONS, "Lists the conversations of a shop with customers, those with the latest messages first.", |c, (At(shop), Query(of))| list(c, Some(shop), of))
        .on(API_OPEN_SHOP_CONVERSATION, "Opens a shop's conversation with the customer of one of its orders: the same one however often.", open_for_order)
        .on(API_SHOP_CONVERSATION, "Returns a conversation of a shop with a customer.", |c, At((shop, id))| conversation(c, (Some(shop), id)))
        .on(API_SHOP_MESSAGES, MESSAGES, |c, (At((shop, id)), Query(of))| messages(c, (Some(shop), id), of))
        .on(API_SHOP_CHANGED_MESSAGES, CHANGES, |c, (At((shop, id)), Query(of))| changes(c, (Some(shop), id), of))
        .on(API_SEND_SHOP_MESSAGE, SEND, |c, (At((shop, id)), Body(new))| send(c, (Some(shop), id), new))
        .on(API_EDIT_SHOP_MESSAGE, EDIT, |c, (At((shop, id, message)), Body(new))| edit(c, (Some(shop), id), message, new))
        .on(API_DELETE_SHOP_MESSAGE, DELETE, |c, At((shop, id, message))| delete(c, (Some(shop), id), message))
        .on(API_READ_SHOP_MESSAGES, READ, |c, (At((shop, id)), Body(up_to))| read(c, (Some(shop), id), up_to))
        .on(API_ADD_SHOP_MESSAGE_PICTURE, ADD_PICTURE, |c, (At((shop, id)), MessagePictureFile(bytes))| add_picture(c, (Some(shop), id), bytes))
        .on(API_SHOP_MESSAGE_PICTURE, PICTURE, |c, At((shop, id, of))| picture(c, (Some(shop), id), of))
}

const MESSAGES: &str = "Lists messages of a conversation, oldest first: the latest ones, those before or those after a message. Reading them doesn't mark them as read.";
const CHANGES: &str = "Lists the messages that were sent, edited or deleted after a change, in the order of these changes. Ask again with the `change_seq` of the response.";
const SEND: &str = "Sends a message. The same ID again returns the message that was sent with it.";
const EDIT: &str = "Changes the text of one of your messages, for 15 minutes.";
const DELETE: &str = "Deletes one of your messages, for 15 minutes. Its place stays.";
const READ: &str = "Marks the messages up to this one as read.";
const ADD_PICTURE: &str =
    "Adds an image for a message. It is deleted after a while unless a message shows it.";
const PICTURE: &str = "Retrieves an image of a message.";

/// Whose conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithShop {
    /// The shop's handle.
    shop_handle: String,
}

/// Whose conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithCustomer {
    /// The number of an order of the customer.
    order_number: String,
}

/// Which messages.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Around {
    /// Those before the message with this `seq`.
    #[schema(minimum = 1)]
    before_seq: Option<i64>,
    /// Those after the message with this `seq`.
    #[schema(minimum = 0)]
    after_seq: Option<i64>,
}

/// Which changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct After {
    /// The `change_seq` of the last change that you have. 0 if you have none.
    #[schema(minimum = 0)]
    after_change: i64,
}

/// A message to send.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMessage)]
struct MessageToSend {
    /// An ID that you generate. Sending a message again with it doesn't send it twice.
    id: MessageId,
    /// The text. It can be empty if there are images.
    #[serde(default)]
    text: String,
    /// The ID of a product, or the number of an order, that it is about.
    #[serde(default)]
    about: Option<String>,
    /// Images that were added to the conversation.
    #[serde(default)]
    images: Vec<NewPicture>,
}

/// What a message says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MessageText {
    /// The text.
    text: String,
}

/// Up to which message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpTo {
    /// The `seq` of the message.
    #[schema(minimum = 0)]
    seq: i64,
}

/// The handle for the use cases, which take an empty one for the shopper's.
fn seat<'a>(caller: &Caller, shop: &'a Option<String>) -> Result<&'a str> {
    match shop {
        None => Ok(""),
        Some(handle) => caller.shop(handle, Permission::AnswerCustomers).map(|_| handle.as_str()),
    }
}

async fn list(context: RequestContext, shop: Option<String>, of: Paging) -> Result<Listed<ConversationCard>> {
    let shop = seat(&context.caller, &shop)?;
    chat::list(context.engine(), &context.caller, shop, "", page(&of.after, of.limit)).await.map(Listed)
}

async fn open(context: RequestContext, Body(with): Body<WithShop>) -> Result<Found<ConversationCard>> {
    let id = chat::open(context.engine(), &context.caller, &with.shop_handle).await?;
    conversation(context, (None, id)).await
}

async fn open_for_order(
    context: RequestContext,
    (At(shop), Body(with)): (At<String>, Body<WithCustomer>),
) -> Result<Found<ConversationCard>> {
    let id = chat::open_for_order(context.engine(), &context.caller, &shop, &with.order_number).await?;
    conversation(context, (Some(shop), id)).await
}

async fn conversation(context: RequestContext, (shop, id): Of) -> Result<Found<ConversationCard>> {
    let shop = seat(&context.caller, &shop)?;
    chat::conversation(context.engine(), &context.caller, shop, id).await.map(Found)
}

async fn messages(context: RequestContext, (shop, id): Of, of: Around) -> Result<Found<MessagePage>> {
    let shop = seat(&context.caller, &shop)?;
    chat::messages(context.engine(), &context.caller, shop, id, of.before_seq, of.after_seq).await.map(Found)
}

async fn changes(context: RequestContext, (shop, id): Of, of: After) -> Result<Found<Changes>> {
    let shop = seat(&context.caller, &shop)?;
    chat::changes(context.engine(), &context.caller, shop, id, of.after_change).await.map(Found)
}

async fn send(context: RequestContext, (shop, id): Of, new: MessageToSend) -> Result<Made<MessageView>> {
    let shop = seat(&context.caller, &shop)?;
    let MessageToSend { id: message, text, about, images } = new;
    let new = NewMessage { id: message, text, about: about.unwrap_or_default(), pictures: images };
    chat::send(context.engine(), &context.caller, shop, id, new).await.map(Made)
}

async fn edit(
    context: RequestContext,
    (shop, id): Of,
    message: MessageId,
    new: MessageText,
) -> Result<Found<MessageView>> {
    let shop = seat(&context.caller, &shop)?;
    chat::edit(context.engine(), &context.caller, shop, id, message, &new.text).await.map(Found)
}

async fn delete(context: RequestContext, (shop, id): Of, message: MessageId) -> Result<()> {
    let shop = seat(&context.caller, &shop)?;
    chat::delete(context.engine(), &context.caller, shop, id, message).await.map(drop)
}

async fn read(context: RequestContext, (shop, id): Of, up_to: UpTo) -> Result<()> {
    let shop = seat(&context.caller, &shop)?;
    chat::read(context.engine(), &context.caller, shop, id, up_to.seq).await
}

async fn add_picture(
    context: RequestContext,
    (shop, id): Of,
    bytes: axum::body::Bytes,
) -> Result<Made<Picture>> {
    let shop = seat(&context.caller, &shop)?;
    chat::add_picture(context.engine(), &context.caller, shop, id, bytes.into()).await.map(Made)
}

async fn picture(context: RequestContext, (shop, id): Of, of: MediaId) -> Result<Image> {
    let shop = seat(&context.caller, &shop)?;
    chat::may_see_picture(context.engine(), &context.caller, shop, id, of).await?;
    image(&context, of).await
}
