//! What shops are told about reviews.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Engine, TxResult,
    db::Tx,
    outbox::{self, OutboxMessage},
    params, rows, statements,
};
use haat_shared::{
    Id, Result,
    id::kinds::{Job, ReviewId},
    reviews::ReviewState,
};

statements! {
    NOTIFIED = "SELECT r.id, r.rating, r.title, r.body, p.title AS product_title, s.name AS shop_name, s.handle AS shop_handle
        FROM reviews r JOIN products p ON p.id = r.product_id JOIN shops s ON s.id = r.shop_id
        WHERE r.id IN (SELECT subject FROM notifications WHERE claim = $1 AND kind = 'review_published')";
}

rows! {
    struct NotifiedRow {
        id: ReviewId,
        rating: i64,
        title: String,
        body: String,
        product_title: String,
        shop_name: String,
        shop_handle: String,
    }
}

/// What a notification says of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewNotice {
    /// From 1 to 5 stars.
    pub rating: i64,
    /// The title, or else the beginning of the text. May be empty.
    pub excerpt: String,
    /// The product's title.
    pub product_title: String,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
}

/// Tells the shop of a review that wasn't seen before.
pub(super) async fn tell_in_tx(
    tx: &mut Tx,
    id: ReviewId,
    before: Option<ReviewState>,
    after: ReviewState,
    now: i64,
) -> TxResult<()> {
    let unseen = matches!(before, None | Some(ReviewState::Held | ReviewState::Deleted));
    if unseen && after == ReviewState::Published {
        tx.exec_many(&outbox::WRITE, &[outbox::row(OutboxMessage::ReviewPublished, id, now)]).await?;
    }
    Ok(())
}

/// The reviews that a batch of notifications is about.
pub(crate) async fn notification_data(
    engine: &Engine,
    claim: Id<Job>,
) -> Result<HashMap<Uuid, ReviewNotice>> {
    let rows: Vec<NotifiedRow> = engine.db.all(&NOTIFIED, params![claim]).await?;
    let notice = |row: NotifiedRow| {
        let excerpt = if row.title.is_empty() { excerpt(&row.body) } else { row.title };
        let of = ReviewNotice {
            rating: row.rating,
            excerpt,
            product_title: row.product_title,
            shop_name: row.shop_name,
            shop_handle: row.shop_handle,
        };
        (row.id.uuid(), of)
    };
    Ok(rows.into_iter().map(notice).collect())
}

/// The beginning of a text, on one line.
fn excerpt(text: &str) -> String {
    const LENGTH: usize = 120;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line,
    }
}
