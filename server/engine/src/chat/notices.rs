//! Who is notified of messages that they have not read.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Engine, TxResult,
    bus::Topic,
    db::Scalar,
    outbox::{self, OutboxMessage},
    params, rows, statements,
};
use haat_shared::{
    Id, Result,
    chat::{self, Side},
    id::kinds::{ConversationId, Job},
};

/// In how many conversations notifications are published in one transaction.
const NOTIFIED_AT_ONCE: i64 = 200;

/// Takes conversations in which this side is to be notified.
macro_rules! to_notify {
    ($side:literal) => {
        concat!(
            "UPDATE conversations SET ",
            $side,
            "_notify_at = NULL WHERE ",
            $side,
            "_notify_at <= $1 AND id IN
                (SELECT id FROM conversations WHERE ",
            $side,
            "_notify_at <= $1 ORDER BY ",
            $side,
            "_notify_at LIMIT $2)
            RETURNING id AS value"
        )
    };
}

statements! {
    SHOPPERS_TO_NOTIFY = to_notify!("shopper");
    SHOPS_TO_NOTIFY = to_notify!("shop");
    NOTIFIED = "SELECT c.id, s.name AS shop_name, s.handle, u.name AS shopper_name, c.shopper_unread, c.shop_unread,
            (SELECT m.text FROM messages m WHERE m.conversation_id = c.id AND m.side = 'shop' ORDER BY m.seq DESC LIMIT 1) AS by_shop,
            (SELECT m.text FROM messages m WHERE m.conversation_id = c.id AND m.side = 'shopper' ORDER BY m.seq DESC LIMIT 1) AS by_shopper
        FROM conversations c JOIN shops s ON s.id = c.shop_id JOIN users u ON u.id = c.user_id
        WHERE c.id IN (SELECT subject FROM notifications WHERE claim = $1 AND kind IN ('messages_for_shopper', 'messages_for_shop'))";
}

rows! {
    struct NotifiedRow {
        id: ConversationId,
        shop_name: String,
        handle: String,
        shopper_name: String,
        shopper_unread: i64,
        shop_unread: i64,
        by_shop: Option<String>,
        by_shopper: Option<String>,
    }
}

/// What a notification says of the messages that one side of a conversation has not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadMessages {
    /// The conversation.
    pub conversation: ConversationId,
    /// Who reads it.
    pub to: Side,
    /// The name of the other side.
    pub from: String,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// How many are unread.
    pub count: i64,
    /// The beginning of the last one; empty if it was deleted.
    pub excerpt: String,
}

/// Publishes who has had unread messages for a while.
pub async fn notify_due(engine: &Engine) -> TxResult<()> {
    let now = engine.clock.now_ms();
    let due = [
        (&SHOPPERS_TO_NOTIFY, OutboxMessage::ShopperHasUnread),
        (&SHOPS_TO_NOTIFY, OutboxMessage::ShopHasUnread),
    ];
    for (statement, message) in due {
        loop {
            let published = engine.db.write("chat::notify", (now, message), move |tx, (now, message)| {
                Box::pin(async move {
                    let due: Vec<Scalar<ConversationId>> =
                        tx.all(statement, params![*now, NOTIFIED_AT_ONCE]).await?;
                    let rows: Vec<_> = due.iter().map(|id| outbox::row(*message, id.0, *now)).collect();
                    tx.exec_many(&outbox::WRITE, &rows).await?;
                    Ok(rows.len())
                })
            });
            match published.await? {
                0 => break,
                _ => engine.bus.publish(Topic::Outbox, ""),
            }
        }
    }
    Ok(())
}

/// What is unread in the conversations that a batch of notifications is about: the messages of the shop, and those of the shopper.
pub(crate) async fn notification_data(
    engine: &Engine,
    claim: Id<Job>,
) -> Result<HashMap<Uuid, (UnreadMessages, UnreadMessages)>> {
    let rows: Vec<NotifiedRow> = engine.db.all(&NOTIFIED, params![claim]).await?;
    let both = rows.into_iter().map(|row| {
        let of = |to, from: &String, count, text: &Option<String>| UnreadMessages {
            conversation: row.id,
            to,
            from: from.clone(),
            shop_name: row.shop_name.clone(),
            shop_handle: row.handle.clone(),
            count,
            excerpt: chat::excerpt(text.as_deref().unwrap_or_default()),
        };
        let by_shop = of(Side::Shopper, &row.shop_name, row.shopper_unread, &row.by_shop);
        let by_shopper = of(Side::Shop, &row.shopper_name, row.shop_unread, &row.by_shopper);
        (row.id.uuid(), (by_shop, by_shopper))
    });
    Ok(both.collect())
}
