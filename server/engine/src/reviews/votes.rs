//! What readers do with reviews: they find them helpful, or report them.

use crate::{Caller, Engine, TxResult, db::Tx, insert, params, rows, statements};
use haat_shared::{
    Error, Result,
    id::kinds::{ReviewId, UserId},
    reports::ReportReason,
    reviews::ReviewReport,
};

statements! {
    LOCK = "UPDATE reviews SET helpful = helpful WHERE id = $1 AND state = 'published' RETURNING user_id,
        EXISTS (SELECT 1 FROM shop_members w WHERE w.shop_id = reviews.shop_id AND w.user_id = $2) AS own_shop";
    UNVOTE = "DELETE FROM review_votes WHERE review_id = $1 AND user_id = $2";
    COUNT_VOTE = "UPDATE reviews SET helpful = helpful + $2 WHERE id = $1";
    COUNT_REPORT = "UPDATE reviews SET reports = reports + 1 WHERE id = $1";
}

insert! {
    struct AddVote into review_votes {
        review_id: ReviewId,
        user_id: UserId,
        created_at: i64,
    } "ON CONFLICT (review_id, user_id) DO NOTHING"

    struct AddReport<'a> into review_reports {
        review_id: ReviewId,
        user_id: UserId,
        reason: ReportReason,
        details: &'a str,
        created_at: i64,
    } "ON CONFLICT (review_id, user_id) DO NOTHING"
}

rows! {
    struct AuthorRow {
        user_id: UserId,
        own_shop: bool,
    }
}

/// Locks a published review. Nobody votes for their own, or reports it; nor does a shop vote for those of its products.
async fn lock_in_tx(tx: &mut Tx, id: ReviewId, user: UserId, vote: bool) -> TxResult<()> {
    let author: Option<AuthorRow> = tx.opt(&LOCK, params![id, user]).await?;
    let author = author.ok_or(Error::NotFound)?;
    match author.user_id == user || (vote && author.own_shop) {
        true => Err(Error::Denied.into()),
        false => Ok(()),
    }
}

/// The caller finds a published review helpful, or does no longer. Doing so again changes nothing.
pub async fn vote(engine: &Engine, caller: &Caller, id: ReviewId, helpful: bool) -> Result<()> {
    let input = (id, caller.signed_in()?.id, helpful, engine.clock.now_ms());
    engine
        .db
        .write("reviews::vote", input, |tx, (id, user, helpful, now)| {
            Box::pin(async move {
                lock_in_tx(tx, *id, *user, true).await?;
                let change = match helpful {
                    true => i64::from(
                        tx.insert(AddVote { review_id: *id, user_id: *user, created_at: *now }).await?,
                    ),
                    false if tx.exec(&UNVOTE, params![*id, *user]).await? > 0 => -1,
                    false => 0,
                };
                if change != 0 {
                    tx.exec(&COUNT_VOTE, params![*id, change]).await?;
                }
                Ok(())
            })
        })
        .await
        .map_err(Into::into)
}

/// Reports a published review to the operator, once. Doing so again changes nothing.
pub async fn report(engine: &Engine, caller: &Caller, id: ReviewId, new: ReviewReport) -> Result<()> {
    let input = (id, caller.signed_in()?.id, new, engine.clock.now_ms());
    engine
        .db
        .write("reviews::report", input, |tx, (id, user, new, now)| {
            Box::pin(async move {
                lock_in_tx(tx, *id, *user, false).await?;
                let added = tx.insert(AddReport {
                    review_id: *id,
                    user_id: *user,
                    reason: new.reason,
                    details: &new.details,
                    created_at: *now,
                });
                if added.await? {
                    tx.exec(&COUNT_REPORT, params![*id]).await?;
                }
                Ok(())
            })
        })
        .await
        .map_err(Into::into)
}
