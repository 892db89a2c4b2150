//! Searching one's own conversations.

use super::seat::Seat;
use crate::{Caller, Engine, lists, rows};
use haat_shared::{
    Result,
    chat::{self, MessageHit, Side},
    id::kinds::{ConversationId, MessageId},
    search::SEARCH_MIN,
    text,
};

/// The maximum number of messages found.
const FOUND_MAX: usize = 30;

lists! {
    // In the latest conversations only: the messages of all of them would be too many to read.
    FOUND {
        select: "SELECT c.id AS conversation_id, m.id, m.seq, m.side, m.text, m.created_at, s.name AS shop_name, u.name AS shopper_name
            FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN shops s ON s.id = c.shop_id
            JOIN users u ON u.id = c.user_id",
        base_filter: "TRUE",
        filters: &[
            ("shopper", "c.id IN (SELECT x.id FROM conversations x WHERE x.user_id = {} ORDER BY x.last_at DESC, x.id DESC LIMIT 1000)"),
            ("shop", "c.id IN (SELECT x.id FROM conversations x WHERE x.shop_id = {} ORDER BY x.last_at DESC, x.id DESC LIMIT 1000)"),
            ("word", r"m.text_folded LIKE {} ESCAPE '\'"),
        ],
        sorts: &[("newest", "m.created_at < {}", "m.created_at DESC, m.id DESC")],
    }
}

rows! {
    struct FoundRow {
        conversation_id: ConversationId,
        id: MessageId,
        seq: i64,
        side: Side,
        text: String,
        created_at: i64,
        shop_name: String,
        shopper_name: String,
    }
}

/// The latest messages that contain these words, in the conversations of a shopper, or of a shop with this handle. Fewer than
/// [`SEARCH_MIN`] characters find nothing.
pub async fn search(engine: &Engine, caller: &Caller, shop: &str, q: &str) -> Result<Vec<MessageHit>> {
    let seat = Seat::of(caller, shop)?;
    let mut filters = crate::db::list::words(q)?;
    if q.trim().chars().count() < SEARCH_MIN {
        return Ok(Vec::new());
    }
    filters.push(seat.filter.clone());
    let first = q.split_whitespace().next().map(text::fold).unwrap_or_default();
    let rows: Vec<FoundRow> = engine.db.list(FOUND.bind(filters, "newest", None, FOUND_MAX)).await?;
    let hit = |row: FoundRow| MessageHit {
        conversation: row.conversation_id,
        name: if seat.side == Side::Shopper { row.shop_name } else { row.shopper_name },
        message: row.id,
        seq: row.seq,
        side: row.side,
        excerpt: chat::excerpt_around(&row.text, &first),
        created_at: caller.time(engine, row.created_at),
    };
    Ok(rows.into_iter().map(hit).collect())
}
