//! What happens after a commit: outbox messages become notifications, jobs and events; jobs run;
//! notifications are sent.
//!
//! This module depends on all of those, and none of them on it. [`dispatch`] processes a batch of messages
//! in one transaction, so that each takes effect exactly once.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt, future::join_all};
use uuid::Uuid;

use crate::{
    Engine, TxResult, bug,
    bus::{Announcement, Topic},
    db::{BoxFuture, Scalar, Tx},
    events,
    jobs::{self, ATTEMPTS, AddJob, Claimed, JobKind, Queue, refund::Refund},
    notifications::{self, mailbox},
    outbox::{self, Dispatched, OutboxMessage},
    params, rows, statements,
};
use haat_shared::{Id, id::kinds::OutboxMessageId};

/// The number of messages dispatched in one transaction.
const MESSAGES: i64 = 200;
/// How long finished work is kept.
const KEEP_MS: i64 = 7 * 24 * 3_600_000;

statements! {
    DISPATCH = "UPDATE outbox SET dispatched_at = $1
        WHERE dispatched_at IS NULL AND id IN (SELECT id FROM outbox WHERE dispatched_at IS NULL ORDER BY id LIMIT $2)
        RETURNING id, kind, subject, created_at";
    ANY_PENDING = "SELECT id AS value FROM outbox WHERE dispatched_at IS NULL LIMIT 1";
}

rows! {
    struct Pending {
        id: OutboxMessageId,
        kind: String,
        subject: Uuid,
        created_at: i64,
    }
}

/// Dispatches messages, runs due jobs and sends notifications until nothing is due; returns how much that
/// was.
pub async fn drain(engine: &Engine) -> TxResult<usize> {
    let mut total = 0;
    loop {
        let mut done = dispatch(engine).await? + notifications::send_due(engine).await?;
        for queue in Queue::ALL {
            done += run_due(engine, queue).await?;
        }
        if done == 0 {
            return Ok(total);
        }
        total += done;
    }
}

/// All kinds of jobs.
static JOBS: &[JobKind] = &[JobKind::of::<Refund>()];

/// The job for a message, if any.
fn job_of(message: OutboxMessage, subject: Uuid, now: i64) -> TxResult<Option<AddJob>> {
    match message {
        OutboxMessage::RefundQueued => jobs::row(&Refund { refund: Id::from_uuid(subject) }, now).map(Some),
        OutboxMessage::PurchaseMade
        | OutboxMessage::OrderPlaced
        | OutboxMessage::OrderConfirmed
        | OutboxMessage::OrderShipped
        | OutboxMessage::OrderShipmentUpdated
        | OutboxMessage::OrderDelivered
        | OutboxMessage::OrderCancelled => Ok(None),
    }
}

async fn add_jobs_in_tx(tx: &mut Tx, messages: &[Dispatched], now: i64) -> TxResult<Vec<Announcement>> {
    let mut jobs: Vec<AddJob> = Vec::new();
    for of in messages {
        jobs.extend(job_of(of.message, of.subject, now)?);
    }
    let queues =
        Queue::ALL.map(Queue::as_str).into_iter().filter(|queue| jobs.iter().any(|job| job.queue == *queue));
    let announcements = queues.map(|queue| (Topic::Jobs, queue)).collect();
    tx.insert_all(jobs).await?;
    Ok(announcements)
}

/// Writes what follows from messages, in the transaction that dispatches them. Returns what to publish after
/// the commit.
type Consumer = for<'t> fn(&'t mut Tx, &'t [Dispatched], i64) -> BoxFuture<'t, TxResult<Vec<Announcement>>>;

/// All consumers of messages.
static CONSUMERS: &[Consumer] = &[
    |tx, messages, now| Box::pin(notifications::write_in_tx(tx, messages, now)),
    |tx, messages, now| Box::pin(add_jobs_in_tx(tx, messages, now)),
    |tx, messages, now| Box::pin(events::publish_in_tx(tx, messages, now)),
];

/// Dispatches a batch of messages; returns its size.
pub async fn dispatch(engine: &Engine) -> TxResult<usize> {
    let (count, announcements) = engine
        .db
        .write("dispatch::dispatch", engine.clock.now_ms(), |tx, now| {
            Box::pin(async move {
                if tx.opt::<Scalar<OutboxMessageId>>(&ANY_PENDING, params![]).await?.is_none() {
                    return Ok((0, Vec::new()));
                }
                // Taken before messages are read, so that a publisher that waited sees the latest commits.
                events::take_turns_in_tx(tx).await?;
                let mut pending: Vec<Pending> = tx.all(&DISPATCH, params![*now, MESSAGES]).await?;
                pending.sort_by_key(|message| message.id);
                let count = pending.len();
                let known = pending.into_iter().filter_map(|Pending { id, kind, subject, created_at }| {
                    Some(Dispatched { id, message: OutboxMessage::parse(&kind)?, subject, created_at })
                });
                let known: Vec<_> = known.collect();
                let mut announcements = Vec::new();
                for consume in CONSUMERS {
                    announcements.extend(consume(tx, &known, *now).await?);
                }
                Ok((count, announcements))
            })
        })
        .await?;
    for (topic, text) in announcements {
        engine.bus.publish(topic, text);
    }
    Ok(count)
}

/// Claims as many due jobs of a queue as a node runs at once, and runs them concurrently; returns how many.
pub async fn run_due(engine: &Engine, queue: Queue) -> TxResult<usize> {
    let claimed = jobs::claim(engine, queue).await?;
    let count = claimed.len();
    let runs = claimed.into_iter().map(|job| async move {
        let kind = JOBS.iter().find(|kind| kind.name == job.name);
        let outcome = run(engine, queue, kind, &job).await;
        jobs::finish(engine, job, kind.map_or(ATTEMPTS, |kind| kind.attempts), outcome).await
    });
    join_all(runs).await.into_iter().collect::<TxResult<()>>()?;
    Ok(count)
}

/// Runs a job, within the limit of its queue. A panic is a failure.
async fn run(engine: &Engine, queue: Queue, kind: Option<&JobKind>, job: &Claimed) -> TxResult<()> {
    let kind = kind.ok_or_else(|| bug("unknown kind of job"))?;
    if job.attempts > kind.attempts {
        return Err(bug("no attempts left: the program stopped, or the lease expired, during each of them"));
    }
    let run = AssertUnwindSafe((kind.run)(engine, &job.payload)).catch_unwind();
    match tokio::time::timeout(queue.limit(), run).await {
        Ok(outcome) => outcome.unwrap_or_else(|_| Err(bug("the job panicked"))),
        Err(_) => Err(bug(format!("timed out after {} seconds", queue.limit().as_secs()))),
    }
}

/// Deletes old finished work.
pub async fn purge(engine: &Engine) -> TxResult<()> {
    let before = engine.clock.now_ms() - KEEP_MS;
    outbox::purge(engine, before).await?;
    events::purge(engine).await?;
    mailbox::purge(&engine.db, &engine.clock).await?;
    jobs::purge(engine, before).await
}
