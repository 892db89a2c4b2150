//! Background jobs: rows in queues, claimed with a lease, retried with backoff and jitter, and dead letters
//! after too many attempts.
//!
//! A job is a type that implements `BackgroundJob`, one file each in `jobs/`; its value is the payload.
//! This module knows only the rows: `dispatch` adds jobs and runs them.

pub(crate) mod invoice;
pub(crate) mod refund;
pub(crate) mod transfer;
pub(crate) mod webhook;

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    Caller, Engine, TxError, TxResult, audit, bug,
    bus::Topic,
    cursor,
    db::{BoxFuture, CountRow, Scalar, Statement, is_unique},
    insert, lists, params, random, rows, statements, subjects,
};
use haat_shared::{
    Conflict, Error, FieldCode,
    audit::JobCard,
    id::kinds::*,
    page::{self, Counted, ListRequest, Page, PageRequest},
    permissions::AdminPermission,
};

haat_shared::text_enum! {
    /// The queues of jobs. A node works on each of them separately, so that one never waits for another.
    pub enum Queue {
        /// Calls to payment gateways.
        Payments = "payments",
        /// All other jobs.
        Default = "default",
    }
}

impl Queue {
    /// How many of its jobs a node runs at once.
    pub const fn concurrency(self) -> i64 {
        match self {
            Self::Payments => 8,
            Self::Default => 4,
        }
    }

    /// How long a job may run; after that it is stopped, and has failed.
    pub(crate) const fn limit(self) -> Duration {
        match self {
            // A call to a gateway takes at most 30 seconds.
            Self::Payments => Duration::from_secs(45),
            Self::Default => Duration::from_secs(60),
        }
    }

    /// How long a claim lasts: longer than its job, so that no other worker claims the job meanwhile.
    pub(crate) const fn lease_ms(self) -> i64 {
        self.limit().as_millis() as i64 + 15_000
    }
}

/// A kind of job. Its value is what one job has to do, stored as JSON: a field that is added later needs
/// `#[serde(default)]`, because jobs that were added before have none.
pub(crate) trait BackgroundJob: Serialize + DeserializeOwned + Send + 'static {
    /// The name in the database. It never changes.
    const NAME: &'static str;
    /// The queue.
    const QUEUE: Queue;
    /// After this many attempts, over about half an hour by default, a job is dead.
    const ATTEMPTS: i64 = ATTEMPTS;

    /// What the job works on, usually an ID. A job is not added while another with its name and key is
    /// queued or running.
    fn key(&self) -> String;

    /// Does the work. It can happen more than once: after a crash, the job runs again.
    fn run(self, engine: &Engine) -> impl Future<Output = TxResult<()>> + Send;
}

/// A kind of job, as the worker sees it.
pub(crate) struct JobKind {
    pub(crate) name: &'static str,
    pub(crate) attempts: i64,
    pub(crate) run: for<'e> fn(&'e Engine, &str) -> BoxFuture<'e, TxResult<()>>,
}

impl JobKind {
    pub(crate) const fn of<J: BackgroundJob>() -> Self {
        Self { name: J::NAME, attempts: J::ATTEMPTS, run: run::<J> }
    }
}

fn run<'e, J: BackgroundJob>(engine: &'e Engine, payload: &str) -> BoxFuture<'e, TxResult<()>> {
    let job = serde_json::from_str::<J>(payload);
    Box::pin(async move {
        job.map_err(|error| bug(format!("the payload cannot be read: {error}")))?.run(engine).await
    })
}

/// After this many attempts, a job is dead, unless its kind says otherwise.
pub(crate) const ATTEMPTS: i64 = 12;

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

lists! {
    JOBS {
        select: "SELECT j.id, j.name, j.dedupe_key, j.state, j.attempts, j.error, j.run_at, j.created_at FROM jobs j",
        base_filter: "j.state <> 'done'",
        filters: &[("state", "j.state = {}")],
        sorts: &[("newest", "j.id < {}", "j.id DESC")],
    }
}

statements! {
    ANY_DUE = "SELECT id AS value FROM jobs
        WHERE queue = $1 AND state = 'queued' AND run_at <= $2 AND lease_until <= $2 LIMIT 1";
    CLAIM = "UPDATE jobs SET claim = $4, lease_until = $3, attempts = attempts + 1, updated_at = $2
        WHERE state = 'queued' AND run_at <= $2 AND lease_until <= $2 AND id IN
            (SELECT id FROM jobs WHERE queue = $1 AND state = 'queued' AND run_at <= $2 AND lease_until <= $2
                ORDER BY run_at LIMIT $5)
        RETURNING id, claim, name, payload, attempts";
    DONE = "UPDATE jobs SET state = 'done', claim = NULL, lease_until = 0, updated_at = $1
        WHERE id = $2 AND claim = $3 AND lease_until > $1";
    FAILED = "UPDATE jobs SET state = $4, claim = NULL, lease_until = 0, run_at = $5, error = $6, updated_at = $1
        WHERE id = $2 AND claim = $3 AND lease_until > $1";
    RETRY = "UPDATE jobs SET state = 'queued', run_at = $2, attempts = 0, updated_at = $2
        WHERE id = $1 AND state <> 'done' AND lease_until <= $2 RETURNING name AS value";
    DISCARD = "UPDATE jobs SET state = 'discarded', updated_at = $2
        WHERE id = $1 AND state NOT IN ('done', 'discarded') AND lease_until <= $2 RETURNING name AS value";
    STATUS = "SELECT state AS value FROM jobs WHERE id = $1 AND state <> 'done'";
    PURGE = "DELETE FROM jobs WHERE state = 'done' AND updated_at < $1";
    COUNT = "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'queued' THEN 1 ELSE 0 END), 0) AS BIGINT) AS queued,
        CAST(COALESCE(SUM(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), 0) AS BIGINT) AS dead FROM jobs
        WHERE state <> 'done'";
}

insert! {
    pub(crate) struct AddJob into jobs {
        id: JobId,
        pub(crate) queue: &'static str,
        name: &'static str,
        payload: String,
        dedupe_key: String,
        run_at: i64,
        created_at: i64,
        updated_at: i64,
        claim: Option<JobId>,
        attempts: i64,
        lease_until: i64;
        state = "'queued'",
        error = "''",
    } "ON CONFLICT (name, dedupe_key) WHERE state = 'queued' DO NOTHING"
}

rows! {
    /// A job that a worker has claimed.
    pub(crate) struct Claimed {
        pub(crate) id: JobId,
        pub(crate) claim: JobId,
        pub(crate) name: String,
        pub(crate) payload: String,
        pub(crate) attempts: i64,
    }

    struct JobRow {
        id: JobId,
        name: String,
        dedupe_key: String,
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

/// The row of a job that is due now.
pub(crate) fn row<J: BackgroundJob>(job: &J, now: i64) -> TxResult<AddJob> {
    Ok(AddJob {
        id: random::id(now),
        queue: J::QUEUE.as_str(),
        name: J::NAME,
        payload: serde_json::to_string(job).map_err(|error| bug(error.to_string()))?,
        dedupe_key: job.key(),
        run_at: now,
        created_at: now,
        updated_at: now,
        claim: None,
        attempts: 0,
        lease_until: 0,
    })
}

/// The row of a job that whoever adds it runs at once. If they don't, it is due when the lease ends.
pub(crate) fn claimed_row<J: BackgroundJob>(job: &J, now: i64) -> TxResult<(AddJob, Claimed)> {
    let lease_until = now + J::QUEUE.lease_ms();
    let row = AddJob { claim: Some(random::id(now)), attempts: 1, lease_until, ..row(job, now)? };
    let claim = row.claim.ok_or_else(|| bug("it was just set"))?;
    let claimed =
        Claimed { id: row.id, claim, name: row.name.to_owned(), payload: row.payload.clone(), attempts: 1 };
    Ok((row, claimed))
}

/// Claims due jobs of a queue, as many as a node runs at once.
pub(crate) async fn claim(engine: &Engine, queue: Queue) -> TxResult<Vec<Claimed>> {
    let now = engine.clock.now_ms();
    if engine.db.opt::<Scalar<JobId>>(&ANY_DUE, params![queue.as_str(), now]).await?.is_none() {
        return Ok(Vec::new());
    }
    let claim: JobId = random::id(now);
    let lease_until = now + queue.lease_ms();
    engine
        .db
        .write("jobs::claim", (queue, now, lease_until, claim), |tx, (queue, now, lease_until, claim)| {
            Box::pin(async move {
                let given = params![queue.as_str(), *now, *lease_until, *claim, queue.concurrency()];
                Ok(tx.all(&CLAIM, given).await?)
            })
        })
        .await
}

/// Records the outcome of a claimed job, unless its lease ran out: then it runs again.
pub(crate) async fn finish(
    engine: &Engine,
    job: Claimed,
    attempts_max: i64,
    outcome: TxResult<()>,
) -> TxResult<()> {
    let failure = outcome.err().map(|fault| fault.to_string());
    if let Some(error) = &failure {
        tracing::warn!(job.name, job.id = %job.id, job.attempts, error, "a job failed");
    }
    let input = (job.id, job.claim, job.attempts, attempts_max, failure, engine.clock.now_ms());
    let recorded = engine
        .db
        .write(("jobs::finish", job.id), input, |tx, (id, claim, attempts, attempts_max, failure, now)| {
            Box::pin(async move {
                Ok(match failure {
                    None => tx.exec(&DONE, params![*now, *id, *claim]).await?,
                    Some(error) => {
                        let state = if attempts >= attempts_max { "dead" } else { "queued" };
                        let run_at = *now + backoff_ms(*attempts);
                        tx.exec(&FAILED, params![*now, *id, *claim, state, run_at, error]).await?
                    }
                })
            })
        })
        .await?;
    if recorded == 0 {
        tracing::warn!(job.name, job.id = %job.id, "the lease of a job expired before it finished");
    }
    Ok(())
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
    caller.admin(AdminPermission::SeeJobs)?;
    let of = of.into();
    let filters = match state {
        "" => Vec::new(),
        "queued" | "dead" | "discarded" => vec![("state", state.into())],
        _ => return Err(Error::field("state", FieldCode::NotAChoice)),
    };
    let (after, size) = (cursor::<Job>(of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let rows: Vec<JobRow> = engine.db.list(JOBS.bind(filters, "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    let about = subjects::about(engine, page.items.iter().filter_map(|row| subject(&row.dedupe_key))).await?;
    Ok(page.map(|row| JobCard {
        id: row.id,
        kind: row.name,
        about: subject(&row.dedupe_key).and_then(|id| about.get(&id)).cloned().unwrap_or_default(),
        subject: row.dedupe_key,
        state: row.state,
        attempts: row.attempts,
        error: row.error,
        run_at: caller.time(engine, row.run_at),
        created_at: caller.time(engine, row.created_at),
    }))
}

/// The object that a job works on, from its key: the ID of a refund, or another ID and a time behind it.
fn subject(key: &str) -> Option<Uuid> {
    let refund = key.parse::<RefundId>().ok().map(RefundId::uuid);
    refund.or_else(|| key.get(..36)?.parse().ok())
}

/// The same with the number of jobs in each state.
pub async fn table(
    engine: &Engine,
    caller: &Caller,
    of: &ListRequest,
) -> haat_shared::Result<Counted<JobCard>> {
    let page = list(engine, caller, &of.state, of).await?;
    Ok(CountRow::with(engine.db.list(JOBS.count_by("state", Vec::new())).await?, page))
}

/// Queues a job again, to run at once, as if it were new.
pub async fn retry(engine: &Engine, caller: &Caller, id: JobId) -> haat_shared::Result<()> {
    decide(engine, caller, id, "jobs::retry", &RETRY).await?;
    engine.bus.publish(Topic::Jobs, "");
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
    caller.admin(AdminPermission::ManageJobs)?;
    let decided = engine
        .db
        .write((action, id), (id, caller.user_id(), engine.clock.now_ms()), move |tx, (id, user, now)| {
            Box::pin(async move {
                let name: Option<Scalar<String>> = tx.opt(change, params![*id, *now]).await?;
                let Some(name) = name else {
                    let status: Option<Scalar<String>> = tx.opt(&STATUS, params![*id]).await?;
                    return match status.as_ref().map(|status| status.0.as_str()) {
                        None => Err(Error::NotFound.into()),
                        // It was already discarded.
                        Some("discarded") => Ok(()),
                        // A worker is running it at the moment.
                        Some(_) => Err(Conflict::InFlight.into()),
                    };
                };
                audit::write(tx, *user, action, *id, &name.0, *now).await
            })
        })
        .await;
    match decided {
        // The same work has been queued again since.
        Err(fault) if is_unique(&fault) => Err(Conflict::InFlight.into()),
        decided => Ok(decided?),
    }
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
