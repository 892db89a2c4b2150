//! Work after the commit: rows with a lease, tried again with backoff and jitter, laid aside as dead in the end.

use uuid::Uuid;

use crate::{
    Caller, Engine, Fault, audit, cursor,
    db::{ListQuery, RegisteredList, Statement},
    events, facts, notifications, params, payments, random, rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, Id,
    audit::JobCard,
    id::kinds::*,
    page::{self, Ask, Page},
};

haat_shared::text_enum! {
    /// What is to be done.
    pub enum Kind {
        /// Tell the shopper of their purchase.
        NotifyShopper = "notify_shopper",
        /// Tell the shop's owners of a new order.
        NotifyShop = "notify_shop",
        /// Tell the shopper that an order is on its way.
        TellShipped = "tell_shipped",
        /// Tell the shopper that the tracking of an order was corrected.
        TellShipmentUpdated = "tell_shipment_updated",
        /// Tell the shopper that an order will not come, and the shop if it was the shopper who cancelled it.
        TellCancelled = "tell_cancelled",
        /// Give money back through the gateway.
        Refund = "refund",
    }
}

/// How long a claim lasts. Twice what the slowest gateway call may take.
const LEASE_MS: i64 = 60_000;
/// How many jobs are claimed at once.
const BATCH: i64 = 200;
/// After so many tries a job is laid aside.
const ATTEMPTS_MAX: i64 = 12;
/// Rows of a page.
const PAGE_SIZE: usize = 50;
/// How long what is done is remembered.
const KEEP_MS: i64 = 7 * 24 * 3_600_000;

static JOBS: ListQuery = ListQuery {
    name: "jobs::JOBS",
    select: "SELECT j.id, j.kind, j.subject, j.state, j.attempts, j.error, j.run_at, j.created_at FROM jobs j",
    always: "j.state <> 'done'",
    filters: &[("state", "j.state = {}")],
    sorts: &[("newest", "j.id < {}", "j.id DESC")],
};
::inventory::submit! { RegisteredList(&JOBS) }

statements! {
    RETRY = "UPDATE jobs SET state = 'queued', run_at = $2, attempts = 0, updated_at = $2
        WHERE id = $1 AND state <> 'done' AND lease_until <= $2 RETURNING kind AS value";
    DISCARD = "UPDATE jobs SET state = 'discarded', updated_at = $2
        WHERE id = $1 AND state NOT IN ('done', 'discarded') AND lease_until <= $2 RETURNING kind AS value";
    STANDS = "SELECT state AS value FROM jobs WHERE id = $1 AND state <> 'done'";
    CLAIM = "UPDATE jobs SET claim = $3, lease_until = $2, attempts = attempts + 1, updated_at = $1
        WHERE state = 'queued' AND run_at <= $1 AND lease_until <= $1 AND id IN
            (SELECT id FROM jobs WHERE state = 'queued' AND run_at <= $1 AND lease_until <= $1 ORDER BY run_at LIMIT $4)
        RETURNING id, kind, subject, attempts";
    DONE_ALL = "UPDATE jobs SET state = 'done', claim = NULL, updated_at = $1
        WHERE claim = $2 AND kind = $3 AND state = 'queued'";
    DONE = "UPDATE jobs SET state = 'done', claim = NULL, updated_at = $1 WHERE id = $2 AND claim = $3";
    FAILED = "UPDATE jobs SET state = $4, claim = NULL, lease_until = 0, run_at = $5, error = $6, updated_at = $1
        WHERE id = $2 AND claim = $3";
    NOTIFY_SHOPPERS = "INSERT INTO notifications (kind, subject, recipient, locale, state, created_at)
        SELECT 'purchase_made', p.id, p.email, p.locale, 'written', $1 FROM jobs j JOIN purchases p ON p.id = j.subject
        WHERE j.claim = $2 AND j.kind = 'notify_shopper' AND j.state = 'queued' ON CONFLICT DO NOTHING";
    NOTIFY_SHOPS = "INSERT INTO notifications (kind, subject, recipient, locale, state, created_at)
        SELECT 'order_placed', o.id, u.email, u.locale, 'written', $1 FROM jobs j JOIN orders o ON o.id = j.subject
        JOIN shop_members m ON m.shop_id = o.shop_id AND m.role = 'owner' JOIN users u ON u.id = m.user_id
        WHERE j.claim = $2 AND j.kind = 'notify_shop' AND j.state = 'queued' ON CONFLICT DO NOTHING";
    TELL_SHIPPED = "INSERT INTO notifications (kind, subject, recipient, locale, state, created_at)
        SELECT 'order_shipped', o.id, p.email, p.locale, 'written', $1 FROM jobs j JOIN orders o ON o.id = j.subject
        JOIN purchases p ON p.id = o.purchase_id
        WHERE j.claim = $2 AND j.kind = 'tell_shipped' AND j.state = 'queued' ON CONFLICT DO NOTHING";
    TELL_SHIPMENT_UPDATED = "INSERT INTO notifications (kind, subject, recipient, locale, state, created_at)
        SELECT 'shipment_updated', s.id, p.email, p.locale, 'written', $1
        FROM jobs j JOIN order_shipments s ON s.id = j.subject JOIN orders o ON o.id = s.order_id
        JOIN purchases p ON p.id = o.purchase_id
        WHERE j.claim = $2 AND j.kind = 'tell_shipment_updated' AND j.state = 'queued' ON CONFLICT DO NOTHING";
    TELL_CANCELLED = "INSERT INTO notifications (kind, subject, recipient, locale, state, created_at)
        SELECT 'order_cancelled', o.id, p.email, p.locale, 'written', $1 FROM jobs j JOIN orders o ON o.id = j.subject
        JOIN purchases p ON p.id = o.purchase_id
        WHERE j.claim = $2 AND j.kind = 'tell_cancelled' AND j.state = 'queued' ON CONFLICT DO NOTHING";
    TELL_WITHDRAWN = "INSERT INTO notifications (kind, subject, recipient, locale, state, created_at)
        SELECT 'order_withdrawn', o.id, u.email, u.locale, 'written', $1 FROM jobs j JOIN orders o ON o.id = j.subject
        JOIN order_events e ON e.order_id = o.id AND e.state = 'cancelled' AND e.actor = 'shopper'
        JOIN shop_members m ON m.shop_id = o.shop_id AND m.role = 'owner' JOIN users u ON u.id = m.user_id
        WHERE j.claim = $2 AND j.kind = 'tell_cancelled' AND j.state = 'queued' ON CONFLICT DO NOTHING";
    FORGET = "DELETE FROM jobs WHERE state = 'done' AND updated_at < $1";
    COUNT = "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'queued' THEN 1 ELSE 0 END), 0) AS BIGINT) AS queued,
        CAST(COALESCE(SUM(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), 0) AS BIGINT) AS dead FROM jobs
        WHERE state <> 'done'";
}

rows! {
    #[derive(Debug)]
    struct Claimed {
        id: JobId,
        kind: String,
        subject: Uuid,
        attempts: i64,
    }

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

    /// How much work there is.
    pub struct Backlog {
        /// To be done.
        pub queued: i64,
        /// Laid aside.
        pub dead: i64,
    }
}

/// How much work there is.
pub async fn backlog(engine: &Engine) -> Result<Backlog, Fault> {
    Ok(engine.db.one(&COUNT, params![]).await?)
}

/// The work that is not done, newest first: all, or what is `queued`, `dead` or `discarded`.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    state: &str,
    of: impl Into<Ask<'_>>,
) -> haat_shared::Result<Page<JobCard>> {
    caller.operator()?;
    let of = of.into();
    let filters = match state {
        "" => Vec::new(),
        "queued" | "dead" | "discarded" => vec![("state", state.into())],
        _ => return Err(Error::field("state", FieldCode::NotAChoice)),
    };
    let (after, size) = (cursor::<Job>(of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let rows: Vec<JobRow> = engine.db.list(JOBS.ask(filters, "newest", after, size + 1)).await?;
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

/// Tries a job again at once, as if it were new.
pub async fn retry(engine: &Engine, caller: &Caller, id: JobId) -> haat_shared::Result<()> {
    decide(engine, caller, id, "jobs::retry", &RETRY).await?;
    engine.wake.notify_one();
    Ok(())
}

/// Gives a job up. It is kept, and can be tried again.
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
        .write(action, (id, caller.user_id(), engine.clock.now_ms()), move |tx, (id, user, now)| {
            Box::pin(async move {
                let kind: Option<crate::db::One<String>> = tx.opt(change, params![*id, *now]).await?;
                let Some(kind) = kind else {
                    let stands: Option<crate::db::One<String>> = tx.opt(&STANDS, params![*id]).await?;
                    return match stands.as_ref().map(|stands| stands.0.as_str()) {
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

/// Tells facts, does what is due and sends what is written until there is nothing left that is due now; answers how much that was.
pub async fn drain(engine: &Engine) -> Result<usize, Fault> {
    let mut total = 0;
    loop {
        let done =
            facts::tell(engine).await? + run_due(engine).await? + notifications::send_due(engine).await?;
        if done == 0 {
            return Ok(total);
        }
        total += done;
    }
}

/// Claims a batch of due jobs and does them; answers how many there were.
pub async fn run_due(engine: &Engine) -> Result<usize, Fault> {
    let now = engine.clock.now_ms();
    let claim: Id<Job> = random::id(now);
    let claimed: Vec<Claimed> = engine
        .db
        .write("jobs::claim", (now, claim), |tx, (now, claim)| {
            Box::pin(async move { Ok(tx.all(&CLAIM, params![*now, *now + LEASE_MS, *claim, BATCH]).await?) })
        })
        .await?;
    for kind in Kind::ALL {
        let jobs: Vec<&Claimed> = claimed.iter().filter(|j| j.kind == kind.as_str()).collect();
        if jobs.is_empty() {
            continue;
        }
        match kind {
            Kind::NotifyShopper => notify(engine, kind, claim, vec![&NOTIFY_SHOPPERS]).await?,
            Kind::NotifyShop => notify(engine, kind, claim, vec![&NOTIFY_SHOPS]).await?,
            Kind::TellShipped => notify(engine, kind, claim, vec![&TELL_SHIPPED]).await?,
            Kind::TellShipmentUpdated => notify(engine, kind, claim, vec![&TELL_SHIPMENT_UPDATED]).await?,
            Kind::TellCancelled => {
                notify(engine, kind, claim, vec![&TELL_CANCELLED, &TELL_WITHDRAWN]).await?
            }
            Kind::Refund => {
                for job in jobs {
                    let outcome = payments::refund(engine, Id::from_uuid(job.subject)).await;
                    finish(engine, job, claim, outcome).await?;
                }
            }
        }
    }
    Ok(claimed.len())
}

/// Writes the claimed notifications and marks their jobs done, in one transaction: each is written once.
async fn notify(
    engine: &Engine,
    kind: Kind,
    claim: Id<Job>,
    writes: Vec<&'static Statement>,
) -> Result<(), Fault> {
    engine
        .db
        .write(
            "jobs::notify",
            (engine.clock.now_ms(), kind, claim, writes),
            |tx, (now, kind, claim, writes)| {
                Box::pin(async move {
                    for write in writes.iter() {
                        tx.exec(write, params![*now, *claim]).await?;
                    }
                    tx.exec(&DONE_ALL, params![*now, *claim, kind.as_str()]).await?;
                    Ok(())
                })
            },
        )
        .await
}

async fn finish(
    engine: &Engine,
    job: &Claimed,
    claim: Id<Job>,
    outcome: Result<(), Fault>,
) -> Result<(), Fault> {
    let now = engine.clock.now_ms();
    let (id, attempts) = (job.id, job.attempts);
    let failure = outcome.err().map(|fault| fault.to_string());
    if let Some(error) = &failure {
        tracing::warn!(job.kind, job.id = %id, attempts, error, "a job failed");
    }
    engine
        .db
        .write(
            "jobs::finish",
            (now, id, claim, attempts, failure),
            |tx, (now, id, claim, attempts, failure)| {
                Box::pin(async move {
                    match failure {
                        None => tx.exec(&DONE, params![*now, *id, *claim]).await?,
                        Some(error) => {
                            let state = if *attempts >= ATTEMPTS_MAX { "dead" } else { "queued" };
                            let run_at = *now + backoff_ms(*attempts);
                            tx.exec(&FAILED, params![*now, *id, *claim, state, run_at, error]).await?
                        }
                    };
                    Ok(())
                })
            },
        )
        .await
}

/// How long to wait after so many tries: a second, doubling to an hour, each a quarter more or less.
pub(crate) fn backoff_ms(attempts: i64) -> i64 {
    let base = 1000i64 << attempts.clamp(1, 12).saturating_sub(1);
    let base = base.min(3_600_000);
    let spread = u32::try_from(base / 2).unwrap_or(1);
    base - base / 4 + i64::from(random::small(spread))
}

/// Forgets what was done long ago.
pub async fn forget(engine: &Engine) -> Result<(), Fault> {
    let before = engine.clock.now_ms() - KEEP_MS;
    facts::forget(engine, before).await?;
    events::forget(engine).await?;
    notifications::mailbox::forget(&engine.db, &engine.clock).await?;
    engine
        .db
        .write("jobs::forget", before, |tx, before| {
            Box::pin(async move {
                tx.exec(&FORGET, params![*before]).await?;
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
