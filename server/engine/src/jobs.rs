//! Background jobs: rows with a lease, retried with backoff and jitter, and dead letters after too many
//! attempts. `dispatch` runs them.

use uuid::Uuid;

use crate::{Caller, Engine, TxError, audit, cursor, db::Statement, lists, params, random, rows, statements};
use haat_shared::{
    Conflict, Error, FieldCode,
    audit::JobCard,
    id::kinds::*,
    page::{self, Page, PageRequest},
};

haat_shared::text_enum! {
    /// The kinds of jobs.
    pub enum JobKind {
        /// Notify the shopper of their purchase.
        NotifyShopper = "notify_shopper",
        /// Notify the shop's owners of a new order.
        NotifyShop = "notify_shop",
        /// Notify the shopper that an order was shipped.
        NotifyShipped = "notify_shipped",
        /// Notify the shopper that the tracking of an order was corrected.
        NotifyShipmentUpdated = "notify_shipment_updated",
        /// Notify the shopper that an order was cancelled, and the shop if the shopper cancelled it.
        NotifyCancelled = "notify_cancelled",
        /// Refund money through the gateway.
        Refund = "refund",
    }
}

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

lists! {
    JOBS {
        select: "SELECT j.id, j.kind, j.subject, j.state, j.attempts, j.error, j.run_at, j.created_at FROM jobs j",
        base_filter: "j.state <> 'done'",
        filters: &[("state", "j.state = {}")],
        sorts: &[("newest", "j.id < {}", "j.id DESC")],
    }
}

statements! {
    RETRY = "UPDATE jobs SET state = 'queued', run_at = $2, attempts = 0, updated_at = $2
        WHERE id = $1 AND state <> 'done' AND lease_until <= $2 RETURNING kind AS value";
    DISCARD = "UPDATE jobs SET state = 'discarded', updated_at = $2
        WHERE id = $1 AND state NOT IN ('done', 'discarded') AND lease_until <= $2 RETURNING kind AS value";
    STATUS = "SELECT state AS value FROM jobs WHERE id = $1 AND state <> 'done'";
    PURGE = "DELETE FROM jobs WHERE state = 'done' AND updated_at < $1";
    COUNT = "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'queued' THEN 1 ELSE 0 END), 0) AS BIGINT) AS queued,
        CAST(COALESCE(SUM(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), 0) AS BIGINT) AS dead FROM jobs
        WHERE state <> 'done'";
}

rows! {
    struct JobRow {
        id: JobId,
        kind: String,
        subject: Uuid,
        state: String,
        attempts: i64,
        error: String,
        run_at: i64,
        created_at: i64,
    }

    /// The number of jobs by state.
    pub struct Backlog {
        /// Queued jobs.
        pub queued: i64,
        /// Dead jobs.
        pub dead: i64,
    }
}

/// The number of queued and dead jobs.
pub async fn backlog(engine: &Engine) -> Result<Backlog, TxError> {
    Ok(engine.db.one(&COUNT, params![]).await?)
}

/// Unfinished jobs, newest first: all, or those that are `queued`, `dead` or `discarded`.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    state: &str,
    of: impl Into<PageRequest<'_>>,
) -> haat_shared::Result<Page<JobCard>> {
    caller.operator()?;
    let of = of.into();
    let filters = match state {
        "" => Vec::new(),
        "queued" | "dead" | "discarded" => vec![("state", state.into())],
        _ => return Err(Error::field("state", FieldCode::NotAChoice)),
    };
    let (after, size) = (cursor::<Job>(of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let rows: Vec<JobRow> = engine.db.list(JOBS.bind(filters, "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    Ok(page.map(|row| JobCard {
        id: row.id,
        kind: row.kind,
        subject: row.subject.to_string(),
        state: row.state,
        attempts: row.attempts,
        error: row.error,
        run_at: caller.time(engine, row.run_at),
        created_at: caller.time(engine, row.created_at),
    }))
}

/// Queues a job again, to run at once, as if it were new.
pub async fn retry(engine: &Engine, caller: &Caller, id: JobId) -> haat_shared::Result<()> {
    decide(engine, caller, id, "jobs::retry", &RETRY).await?;
    engine.wake.notify_one();
    Ok(())
}

/// Discards a job. It is kept, and can be retried.
pub async fn discard(engine: &Engine, caller: &Caller, id: JobId) -> haat_shared::Result<()> {
    decide(engine, caller, id, "jobs::discard", &DISCARD).await
}

async fn decide(
    engine: &Engine,
    caller: &Caller,
    id: JobId,
    action: &'static str,
    change: &'static Statement,
) -> haat_shared::Result<()> {
    caller.operator()?;
    engine
        .db
        .write((action, id), (id, caller.user_id(), engine.clock.now_ms()), move |tx, (id, user, now)| {
            Box::pin(async move {
                let kind: Option<crate::db::Scalar<String>> = tx.opt(change, params![*id, *now]).await?;
                let Some(kind) = kind else {
                    let status: Option<crate::db::Scalar<String>> = tx.opt(&STATUS, params![*id]).await?;
                    return match status.as_ref().map(|status| status.0.as_str()) {
                        None => Err(Error::NotFound.into()),
                        // The same once more.
                        Some("discarded") => Ok(()),
                        // Someone is working on it just now.
                        Some(_) => Err(Conflict::InFlight.into()),
                    };
                };
                audit::write(tx, *user, action, *id, &kind.0, *now).await
            })
        })
        .await?;
    Ok(())
}

/// The delay after this many attempts: from one second, doubling up to an hour, each with 25 % jitter.
pub(crate) fn backoff_ms(attempts: i64) -> i64 {
    let base = 1000i64 << attempts.clamp(1, 12).saturating_sub(1);
    let base = base.min(3_600_000);
    let spread = u32::try_from(base / 2).unwrap_or(1);
    base - base / 4 + i64::from(random::small(spread))
}

/// Deletes jobs that were done before `before`.
pub(crate) async fn purge(engine: &Engine, before: i64) -> Result<(), TxError> {
    engine
        .db
        .write("jobs::purge", before, |tx, before| {
            Box::pin(async move {
                tx.exec(&PURGE, params![*before]).await?;
                Ok(())
            })
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        for (attempts, base) in [(1, 1_000), (2, 2_000), (5, 16_000), (12, 2_048_000), (99, 2_048_000)] {
            let wait = backoff_ms(attempts);
            assert!(wait >= base * 3 / 4 && wait <= base * 5 / 4, "{attempts}: {wait}");
        }
    }
}
