//! The reviews that admins decide on: those that a rule holds back, and those that were reported.

use std::collections::HashMap;

use super::{news, ratings};
use crate::{Caller, Engine, audit, bus::Topic, cursor, db::CountRow, lists, params, rows, statements};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    id::kinds::{ProductId, Review, ReviewId, UserId},
    page::{self, Counted, ListRequest, Page},
    permissions::AdminPermission,
    reports::ReportReason,
    reviews::{HoldReason, ModeratedReview, NOTE_MAX, ReviewAction, ReviewReportView, ReviewState},
    text,
};

/// The number of reviews per page.
const PAGE_SIZE: usize = 20;
/// What a list can be filtered by.
const LISTED: [&str; 4] = ["held", "reported", "published", "hidden"];

macro_rules! listed {
    () => {
        "CASE WHEN r.state = 'published' AND r.reports > 0 THEN 'reported' ELSE r.state END"
    };
}

lists! {
    REVIEWS {
        select: concat!("SELECT r.id, r.state, ", listed!(), " AS listed, r.held_because, r.note, r.rating, r.title, r.body, r.user_id, r.anonymous,
            r.reply, r.version, r.created_at, u.name AS author, p.title AS product_title, p.slug AS product_slug, s.name AS shop_name,
            s.handle AS shop_handle
            FROM reviews r JOIN users u ON u.id = r.user_id JOIN products p ON p.id = r.product_id JOIN shops s ON s.id = r.shop_id"),
        base_filter: "r.state <> 'deleted'",
        filters: &[("listed", concat!(listed!(), " = {}"))],
        sorts: &[("newest", "r.id < {}", "r.id DESC")],
    }
}

statements! {
    REPORTS = "SELECT x.review_id, x.reason, x.details, x.created_at FROM (VALUES [($1)]) AS given
        JOIN review_reports x ON x.review_id = given.column1 WHERE x.closed_at IS NULL ORDER BY x.created_at, x.user_id";
    LOCK = "UPDATE reviews SET version = version WHERE id = $1 AND state <> 'deleted' RETURNING product_id, state, rating, version";
    DECIDE = "UPDATE reviews SET state = $2, was_hidden = $3, note = $4, held_because = NULL, reports = 0 WHERE id = $1";
    CLOSE = "UPDATE review_reports SET closed_at = $2 WHERE review_id = $1 AND closed_at IS NULL";
}

rows! {
    struct ReviewRow {
        id: ReviewId,
        state: ReviewState,
        held_because: Option<HoldReason>,
        note: String,
        rating: i64,
        title: String,
        body: String,
        user_id: UserId,
        anonymous: bool,
        reply: String,
        version: i64,
        created_at: i64,
        author: String,
        product_title: String,
        product_slug: String,
        shop_name: String,
        shop_handle: String,
    }

    struct ReportRow {
        review_id: ReviewId,
        reason: ReportReason,
        details: String,
        created_at: i64,
    }

    struct Locked {
        product_id: ProductId,
        state: ReviewState,
        rating: i64,
        version: i64,
    }
}

/// The reviews, newest first: all, or those that are `held`, `reported`, `published` or `hidden`; with the number of each.
pub async fn queue(engine: &Engine, caller: &Caller, of: &ListRequest) -> Result<Counted<ModeratedReview>> {
    caller.admin(AdminPermission::SeeReports)?;
    let filters = match of.state.as_str() {
        "" => Vec::new(),
        state if LISTED.contains(&state) => vec![("listed", state.into())],
        _ => return Err(Error::field("state", FieldCode::NotAChoice)),
    };
    let (after, size) = (cursor::<Review>(&of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let rows: Vec<ReviewRow> = engine.db.list(REVIEWS.bind(filters, "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    let ids: Vec<_> = page.items.iter().map(|row| [row.id.into()]).collect();
    let mut reports: HashMap<ReviewId, Vec<ReviewReportView>> = HashMap::new();
    for row in engine.db.all_many::<ReportRow, 1>(&REPORTS, &ids).await? {
        reports.entry(row.review_id).or_default().push(ReviewReportView {
            reason: row.reason,
            details: row.details,
            created_at: caller.time(engine, row.created_at),
        });
    }
    let sees_users = caller.admin(AdminPermission::SeeUsers).is_ok();
    let page = page.map(|row| ModeratedReview {
        reports: reports.remove(&row.id).unwrap_or_default(),
        id: row.id,
        state: row.state,
        held_because: row.held_because,
        note: row.note,
        rating: row.rating,
        title: row.title,
        text: row.body,
        pictures: Vec::new(),
        author: row.author,
        user_id: sees_users.then_some(row.user_id),
        anonymous: row.anonymous,
        product_title: row.product_title,
        product_slug: row.product_slug,
        shop_name: row.shop_name,
        shop_handle: row.shop_handle,
        reply: row.reply,
        version: row.version,
        created_at: caller.time(engine, row.created_at),
    });
    Ok(CountRow::with(engine.db.list(REVIEWS.count_by("listed", Vec::new())).await?, page))
}

/// Publishes or hides a review, unless its author has changed the version that the admin has read. Whoever hides one says why,
/// and the author reads it.
pub async fn moderate(
    engine: &Engine,
    caller: &Caller,
    id: ReviewId,
    version: i64,
    action: ReviewAction,
    note: &str,
) -> Result<()> {
    caller.admin(AdminPermission::ManageReports)?;
    let note = text::paragraphs("note", note, NOTE_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    if action == ReviewAction::Hide && note.is_empty() {
        return Err(Error::field("note", FieldCode::Missing));
    }
    let input = (id, version, action, note, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("reviews::moderate", id), input, |tx, (id, version, action, note, by, now)| {
            Box::pin(async move {
                let old: Option<Locked> = tx.opt(&LOCK, params![*id]).await?;
                let old = old.ok_or(Error::NotFound)?;
                if old.version != *version {
                    return Err(Conflict::Edited(Vec::new()).into());
                }
                let (state, name, shown) = match action {
                    ReviewAction::Publish => (ReviewState::Published, "reviews::publish", ""),
                    ReviewAction::Hide => (ReviewState::Hidden, "reviews::hide", note.as_str()),
                };
                tx.exec(&DECIDE, params![*id, state, state == ReviewState::Hidden, shown]).await?;
                tx.exec(&CLOSE, params![*id, *now]).await?;
                audit::write(tx, *by, name, *id, note, *now).await?;
                news::tell_in_tx(tx, *id, Some(old.state), state, *now).await?;
                let (before, after) = ((old.state, old.rating), (state, old.rating));
                ratings::change_in_tx(tx, old.product_id, Some(before), after).await
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}
