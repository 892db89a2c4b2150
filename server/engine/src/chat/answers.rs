//! How a shop answers by itself and with a click: its away message, and its quick replies.

use crate::{Caller, Engine, db::Scalar, insert, params, random, rows, statements};
use haat_shared::{
    Error, FieldCode, Result,
    chat::{self, AnswerSettings, AwayMessage, QuickReply, REPLIES_MAX},
    id::kinds::{QuickReplyId, ShopId},
    permissions::Permission,
};

statements! {
    AWAY_MESSAGE = "SELECT message AS value FROM away_messages WHERE shop_id = $1";
    REPLIES = "SELECT id, name, text FROM quick_replies WHERE shop_id = $1 ORDER BY name, id";
    COUNT_REPLIES = "SELECT COUNT(*) AS value FROM quick_replies WHERE shop_id = $1";
    SAVE_REPLY = "UPDATE quick_replies SET name = $3, text = $4 WHERE id = $1 AND shop_id = $2";
    DELETE_REPLY = "DELETE FROM quick_replies WHERE id = $1 AND shop_id = $2";
}

insert! {
    struct SetAway<'a> into away_messages {
        shop_id: ShopId,
        message: &'a str,
    } "ON CONFLICT (shop_id) DO UPDATE SET message = excluded.message"

    struct AddReply<'a> into quick_replies {
        id: QuickReplyId,
        shop_id: ShopId,
        name: &'a str,
        text: &'a str,
    }
}

rows! {
    struct ReplyRow {
        id: QuickReplyId,
        name: String,
        text: String,
    }
}

/// How a shop answers. Members only.
pub async fn settings(engine: &Engine, caller: &Caller, handle: &str) -> Result<AnswerSettings> {
    let shop = caller.shop(handle, Permission::AnswerCustomers)?;
    let away: Option<Scalar<String>> = engine.db.opt(&AWAY_MESSAGE, params![shop]).await?;
    let away = away_message(away.as_ref().map(|away| away.0.as_str()))?;
    Ok(AnswerSettings { replies: replies(engine, shop).await?, away })
}

pub(super) fn away_message(stored: Option<&str>) -> Result<AwayMessage> {
    let read = |stored| serde_json::from_str(stored).map_err(|_| Error::Internal);
    stored.map_or(Ok(AwayMessage::default()), read)
}

pub(super) async fn replies(engine: &Engine, shop: ShopId) -> Result<Vec<QuickReply>> {
    let rows: Vec<ReplyRow> = engine.db.all(&REPLIES, params![shop]).await?;
    Ok(rows.into_iter().map(|ReplyRow { id, name, text }| QuickReply { id, name, text }).collect())
}

/// Sets what a shop answers by itself. Members only.
pub async fn set_away(engine: &Engine, caller: &Caller, handle: &str, away: &AwayMessage) -> Result<()> {
    let shop = caller.shop(handle, Permission::AnswerCustomers)?;
    let message = serde_json::to_string(away).map_err(|_| Error::Internal)?;
    engine
        .db
        .write(("chat::set_away", shop), (shop, message), |tx, (shop_id, message)| {
            Box::pin(async move {
                tx.insert(SetAway { shop_id: *shop_id, message }).await?;
                Ok(())
            })
        })
        .await
        .map_err(Into::into)
}

/// Saves an answer of a shop, as a new one without an ID. Members only.
pub async fn save_reply(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: Option<QuickReplyId>,
    name: &str,
    text: &str,
) -> Result<()> {
    let shop = caller.shop(handle, Permission::AnswerCustomers)?;
    let (name, text) = chat::quick_reply(name, text).map_err(Error::Invalid)?;
    if id.is_none()
        && engine.db.one::<Scalar<i64>>(&COUNT_REPLIES, params![shop]).await?.0 >= REPLIES_MAX as i64
    {
        return Err(Error::field("name", FieldCode::TooMany));
    }
    let input = (shop, id, random::id(engine.clock.now_ms()), name, text);
    engine
        .db
        .write(("chat::save_reply", shop), input, |tx, (shop_id, id, fresh, name, text)| {
            Box::pin(async move {
                let saved = match id {
                    Some(id) => tx.exec(&SAVE_REPLY, params![*id, *shop_id, name, text]).await? > 0,
                    None => tx.insert(AddReply { id: *fresh, shop_id: *shop_id, name, text }).await?,
                };
                if saved { Ok(()) } else { Err(Error::NotFound.into()) }
            })
        })
        .await
        .map_err(Into::into)
}

/// Deletes a saved answer of a shop. Members only.
pub async fn delete_reply(engine: &Engine, caller: &Caller, handle: &str, id: QuickReplyId) -> Result<()> {
    let shop = caller.shop(handle, Permission::AnswerCustomers)?;
    let deleted = engine.db.write(("chat::delete_reply", shop), (shop, id), |tx, (shop, id)| {
        Box::pin(async move { Ok(tx.exec(&DELETE_REPLY, params![*id, *shop]).await?) })
    });
    if deleted.await? == 0 { Err(Error::NotFound) } else { Ok(()) }
}
