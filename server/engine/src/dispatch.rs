//! What happens after a commit: outbox messages become jobs and events, jobs run, notifications are sent.
//!
//! This module knows all of those, and none of them knows it. [`dispatch`] turns each message into jobs in
//! a transaction of its own. After a crash, the message is dispatched again; a job exists once per message.
//! Changes of orders are also appended to the event feed there.

use uuid::Uuid;

use crate::{
    Engine, TxError,
    db::{Scalar, Statement},
    events,
    jobs::{self, JobKind},
    notifications::{self, mailbox},
    outbox::{self, OutboxMessage},
    params, payments, random, rows, statements,
};
use haat_shared::{
    Id,
    events::EventKind,
    id::kinds::{Job, JobId, OutboxMessageId},
};

/// The number of messages dispatched in one transaction.
const MESSAGES: i64 = 200;
/// How long a claim lasts: twice what the slowest gateway call may take.
const LEASE_MS: i64 = 60_000;
/// The number of jobs claimed at once.
const JOBS: i64 = 200;
/// After this many attempts, a job is dead.
const ATTEMPTS_MAX: i64 = 12;
/// How long finished work is kept.
const KEEP_MS: i64 = 7 * 24 * 3_600_000;

statements! {
    DISPATCH = "UPDATE outbox SET dispatched_at = $1
        WHERE dispatched_at IS NULL AND id IN (SELECT id FROM outbox WHERE dispatched_at IS NULL ORDER BY id LIMIT $2)
        RETURNING id, kind, subject, created_at";
    ANY_PENDING = "SELECT id AS value FROM outbox WHERE dispatched_at IS NULL LIMIT 1";
    ENQUEUE = "INSERT INTO jobs (id, kind, subject, state, run_at, attempts, lease_until, error, created_at, updated_at)
        VALUES [($1, $2, $3, 'queued', $4, 0, 0, '', $4, $4)] ON CONFLICT (kind, subject) DO NOTHING";
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
    NOTIFY_SHIPPED = "INSERT INTO notifications (kind, subject, recipient, locale, state, created_at)
        SELECT 'order_shipped', o.id, p.email, p.locale, 'written', $1 FROM jobs j JOIN orders o ON o.id = j.subject
        JOIN purchases p ON p.id = o.purchase_id
        WHERE j.claim = $2 AND j.kind = 'notify_shipped' AND j.state = 'queued' ON CONFLICT DO NOTHING";
    NOTIFY_SHIPMENT_UPDATED = "INSERT INTO notifications (kind, subject, recipient, locale, state, created_at)
        SELECT 'shipment_updated', s.id, p.email, p.locale, 'written', $1
        FROM jobs j JOIN order_shipments s ON s.id = j.subject JOIN orders o ON o.id = s.order_id
        JOIN purchases p ON p.id = o.purchase_id
        WHERE j.claim = $2 AND j.kind = 'notify_shipment_updated' AND j.state = 'queued' ON CONFLICT DO NOTHING";
    NOTIFY_CANCELLED = "INSERT INTO notifications (kind, subject, recipient, locale, state, created_at)
        SELECT 'order_cancelled', o.id, p.email, p.locale, 'written', $1 FROM jobs j JOIN orders o ON o.id = j.subject
        JOIN purchases p ON p.id = o.purchase_id
        WHERE j.claim = $2 AND j.kind = 'notify_cancelled' AND j.state = 'queued' ON CONFLICT DO NOTHING";
    NOTIFY_WITHDRAWN = "INSERT INTO notifications (kind, subject, recipient, locale, state, created_at)
        SELECT 'order_withdrawn', o.id, u.email, u.locale, 'written', $1 FROM jobs j JOIN orders o ON o.id = j.subject
        JOIN order_events e ON e.order_id = o.id AND e.state = 'cancelled' AND e.actor = 'shopper'
        JOIN shop_members m ON m.shop_id = o.shop_id AND m.role = 'owner' JOIN users u ON u.id = m.user_id
        WHERE j.claim = $2 AND j.kind = 'notify_cancelled' AND j.state = 'queued' ON CONFLICT DO NOTHING";
}

rows! {
    struct Pending {
        id: OutboxMessageId,
        kind: String,
        subject: Uuid,
        created_at: i64,
    }

    #[derive(Debug)]
    struct Claimed {
        id: JobId,
        kind: String,
        subject: Uuid,
        attempts: i64,
    }
}

/// Dispatches messages, runs due jobs and sends notifications until nothing is due; returns how much that
/// was.
pub async fn drain(engine: &Engine) -> Result<usize, TxError> {
    let mut total = 0;
    loop {
        let done = dispatch(engine).await? + run_due(engine).await? + notifications::send_due(engine).await?;
        if done == 0 {
            return Ok(total);
        }
        total += done;
    }
}

/// The jobs for a message, if any.
fn jobs_of(message: OutboxMessage) -> &'static [JobKind] {
    use JobKind::*;
    match message {
        OutboxMessage::PurchaseMade => &[NotifyShopper],
        OutboxMessage::OrderPlaced => &[NotifyShop],
        OutboxMessage::RefundQueued => &[Refund],
        OutboxMessage::OrderShipped => &[NotifyShipped],
        OutboxMessage::OrderShipmentUpdated => &[NotifyShipmentUpdated],
        OutboxMessage::OrderCancelled => &[NotifyCancelled],
        OutboxMessage::OrderConfirmed | OutboxMessage::OrderDelivered => &[],
    }
}

/// The event for a message, if it is one that API clients read.
fn event_of(message: OutboxMessage) -> Option<EventKind> {
    match message {
        OutboxMessage::PurchaseMade | OutboxMessage::RefundQueued => None,
        OutboxMessage::OrderPlaced => Some(EventKind::OrderPlaced),
        OutboxMessage::OrderConfirmed => Some(EventKind::OrderConfirmed),
        OutboxMessage::OrderShipped => Some(EventKind::OrderShipped),
        OutboxMessage::OrderShipmentUpdated => Some(EventKind::OrderShipmentUpdated),
        OutboxMessage::OrderDelivered => Some(EventKind::OrderDelivered),
        OutboxMessage::OrderCancelled => Some(EventKind::OrderCancelled),
    }
}

/// Dispatches a batch of messages; returns its size.
pub async fn dispatch(engine: &Engine) -> Result<usize, TxError> {
    engine
        .db
        .write("dispatch::dispatch", engine.clock.now_ms(), |tx, now| {
            Box::pin(async move {
                if tx.opt::<Scalar<OutboxMessageId>>(&ANY_PENDING, params![]).await?.is_none() {
                    return Ok(0);
                }
                // Before messages are read: whoever waited here reads what was committed meanwhile.
                events::take_turns_in_tx(tx).await?;
                let mut pending: Vec<Pending> = tx.all(&DISPATCH, params![*now, MESSAGES]).await?;
                pending.sort_by_key(|message| message.id);
                let (mut jobs, mut news) = (Vec::new(), Vec::new());
                for message in &pending {
                    let Some(known) = OutboxMessage::parse(&message.kind) else { continue };
                    news.extend(event_of(known).map(|event| (event, message.subject, message.created_at)));
                    for kind in jobs_of(known) {
                        let id: JobId = random::id(*now);
                        jobs.push([id.into(), kind.as_str().into(), message.subject.into(), (*now).into()]);
                    }
                }
                tx.exec_many(&ENQUEUE, &jobs).await?;
                events::publish_in_tx(tx, &news, *now).await?;
                Ok(pending.len())
            })
        })
        .await
}

/// Claims and runs a batch of due jobs; returns its size.
pub async fn run_due(engine: &Engine) -> Result<usize, TxError> {
    let now = engine.clock.now_ms();
    let claim: Id<Job> = random::id(now);
    let claimed: Vec<Claimed> = engine
        .db
        .write("dispatch::claim", (now, claim), |tx, (now, claim)| {
            Box::pin(async move { Ok(tx.all(&CLAIM, params![*now, *now + LEASE_MS, *claim, JOBS]).await?) })
        })
        .await?;
    for kind in JobKind::ALL {
        let jobs: Vec<&Claimed> = claimed.iter().filter(|j| j.kind == kind.as_str()).collect();
        if jobs.is_empty() {
            continue;
        }
        match kind {
            JobKind::NotifyShopper => notify(engine, kind, claim, vec![&NOTIFY_SHOPPERS]).await?,
            JobKind::NotifyShop => notify(engine, kind, claim, vec![&NOTIFY_SHOPS]).await?,
            JobKind::NotifyShipped => notify(engine, kind, claim, vec![&NOTIFY_SHIPPED]).await?,
            JobKind::NotifyShipmentUpdated => {
                notify(engine, kind, claim, vec![&NOTIFY_SHIPMENT_UPDATED]).await?
            }
            JobKind::NotifyCancelled => {
                notify(engine, kind, claim, vec![&NOTIFY_CANCELLED, &NOTIFY_WITHDRAWN]).await?
            }
            JobKind::Refund => {
                for job in jobs {
                    let outcome = payments::refund(engine, Id::from_uuid(job.subject)).await;
                    finish(engine, job, claim, outcome).await?;
                }
            }
        }
    }
    Ok(claimed.len())
}

/// Writes the claimed notifications and marks their jobs as done, in one transaction, so that each is
/// written once.
async fn notify(
    engine: &Engine,
    kind: JobKind,
    claim: Id<Job>,
    writes: Vec<&'static Statement>,
) -> Result<(), TxError> {
    engine
        .db
        .write(
            "dispatch::notify",
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
    outcome: Result<(), TxError>,
) -> Result<(), TxError> {
    let now = engine.clock.now_ms();
    let (id, attempts) = (job.id, job.attempts);
    let failure = outcome.err().map(|fault| fault.to_string());
    if let Some(error) = &failure {
        tracing::warn!(job.kind, job.id = %id, attempts, error, "a job failed");
    }
    engine
        .db
        .write(
            ("dispatch::finish", id),
            (now, id, claim, attempts, failure),
            |tx, (now, id, claim, attempts, failure)| {
                Box::pin(async move {
                    match failure {
                        None => tx.exec(&DONE, params![*now, *id, *claim]).await?,
                        Some(error) => {
                            let state = if *attempts >= ATTEMPTS_MAX { "dead" } else { "queued" };
                            let run_at = *now + jobs::backoff_ms(*attempts);
                            tx.exec(&FAILED, params![*now, *id, *claim, state, run_at, error]).await?
                        }
                    };
                    Ok(())
                })
            },
        )
        .await
}

/// Deletes old finished work.
pub async fn purge(engine: &Engine) -> Result<(), TxError> {
    let before = engine.clock.now_ms() - KEEP_MS;
    outbox::purge(engine, before).await?;
    events::purge(engine).await?;
    mailbox::purge(&engine.db, &engine.clock).await?;
    jobs::purge(engine, before).await
}
