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
    events, inventory,
    jobs::{
        self, ATTEMPTS, AddJob, Claimed, JobKind, Queue, invoice::Invoice, refund::Refund,
        transfer::Transfer, webhook::Webhook,
    },
    notifications::{self, inbox, mailbox},
    outbox::{self, Dispatched, OutboxMessage},
    params, rows, statements,
};
use haat_shared::{Id, id::kinds::OutboxMessageId, notifications::Channel};

/// The number of messages dispatched in one transaction.
const MESSAGES: i64 = 200;
/// How long finished work is kept.
const KEEP_MS: i64 = 7 * 24 * 3_600_000;

/// Messages that wait and that this version knows. Those of a newer version are left to its nodes.
macro_rules! pending {
    () => {
        "dispatched_at IS NULL AND kind IN ('purchase_made', 'gift_card_sent', 'order_placed', 'refund_queued', 'order_confirmed', 'order_shipped',
            'order_shipment_updated', 'order_delivered', 'order_cancelled', 'appointment_moved', 'appointment_moved_by_customer',
            'appointment_cancelled', 'appointment_cancelled_by_customer', 'appointment_reminder',
            'order_refunded', 'order_return_opened',
            'order_return_requested', 'order_return_approved', 'order_return_rejected', 'order_return_withdrawn',
            'order_return_received', 'order_return_exchanged', 'payout_sent', 'payout_rejected', 'payout_returned', 'payout_method_added',
            'payout_method_removed', 'payout_method_restricted', 'payout_approved', 'stock_low',
            'review_published', 'review_invited', 'shopper_has_unread', 'shop_has_unread', 'order_disputed', 'order_dispute_won', 'order_dispute_lost')"
    };
}

statements! {
    DISPATCH = concat!("UPDATE outbox SET dispatched_at = $1
        WHERE dispatched_at IS NULL AND id IN (SELECT id FROM outbox WHERE ", pending!(), " ORDER BY id LIMIT $2)
        RETURNING id, kind, subject, created_at");
    ANY_PENDING = concat!("SELECT id AS value FROM outbox WHERE ", pending!(), " LIMIT 1");
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
        let mut done = dispatch(engine).await?;
        for channel in Channel::ALL {
            done += notifications::deliver_due(engine, channel).await?;
        }
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
static JOBS: &[JobKind] =
    &[JobKind::of::<Refund>(), JobKind::of::<Invoice>(), JobKind::of::<Webhook>(), JobKind::of::<Transfer>()];

/// The job for a message, if any.
fn job_of(message: OutboxMessage, subject: Uuid, now: i64) -> TxResult<Option<AddJob>> {
    match message {
        OutboxMessage::RefundQueued => jobs::row(&Refund { refund: Id::from_uuid(subject) }, now).map(Some),
        OutboxMessage::PayoutApproved => {
            jobs::row(&Transfer { payout: Id::from_uuid(subject) }, now).map(Some)
        }
        OutboxMessage::OrderShipped | OutboxMessage::OrderRefunded => {
            jobs::row(&Invoice { of: subject, at: now }, now).map(Some)
        }
        OutboxMessage::PurchaseMade
        | OutboxMessage::GiftCardSent
        | OutboxMessage::OrderPlaced
        | OutboxMessage::OrderConfirmed
        | OutboxMessage::OrderShipmentUpdated
        | OutboxMessage::OrderDelivered
        | OutboxMessage::OrderCancelled
        | OutboxMessage::AppointmentMoved
        | OutboxMessage::AppointmentMovedByCustomer
        | OutboxMessage::AppointmentCancelled
        | OutboxMessage::AppointmentCancelledByCustomer
        | OutboxMessage::AppointmentReminder
        | OutboxMessage::OrderReturnOpened
        | OutboxMessage::OrderReturnRequested
        | OutboxMessage::OrderReturnApproved
        | OutboxMessage::OrderReturnRejected
        | OutboxMessage::OrderReturnWithdrawn
        | OutboxMessage::OrderReturnReceived
        | OutboxMessage::OrderReturnExchanged
        | OutboxMessage::PayoutSent
        | OutboxMessage::PayoutRejected
        | OutboxMessage::PayoutReturned
        | OutboxMessage::PayoutMethodAdded
        | OutboxMessage::PayoutMethodRemoved
        | OutboxMessage::PayoutMethodRestricted
        | OutboxMessage::StockLow
        | OutboxMessage::ReviewPublished
        | OutboxMessage::ReviewInvited
        | OutboxMessage::ShopperHasUnread
        | OutboxMessage::ShopHasUnread
        | OutboxMessage::OrderDisputed
        | OutboxMessage::OrderDisputeWon
        | OutboxMessage::OrderDisputeLost => Ok(None),
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
    |tx, messages, now| Box::pin(inventory::low::tell_in_tx(tx, messages, now)),
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
                let messages = pending.into_iter().map(|Pending { id, kind, subject, created_at }| {
                    let message = OutboxMessage::parse(&kind).ok_or_else(|| bug("an unknown message"))?;
                    Ok(Dispatched { id, message, subject, created_at })
                });
                let messages = messages.collect::<TxResult<Vec<_>>>()?;
                let mut announcements = Vec::new();
                for consume in CONSUMERS {
                    announcements.extend(consume(tx, &messages, *now).await?);
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
    let runs = claimed.into_iter().map(|job| run_claimed(engine, queue, job));
    join_all(runs).await.into_iter().collect::<TxResult<()>>()?;
    Ok(count)
}

/// Runs a claimed job and records its outcome.
pub(crate) async fn run_claimed(engine: &Engine, queue: Queue, job: Claimed) -> TxResult<()> {
    let kind = JOBS.iter().find(|kind| kind.name == job.name);
    let outcome = run(engine, queue, kind, &job).await;
    jobs::finish(engine, job, kind.map_or(ATTEMPTS, |kind| kind.attempts), outcome).await
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
    inbox::purge(engine).await?;
    jobs::purge(engine, before).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_dispatched() {
        for message in OutboxMessage::ALL {
            assert!(pending!().contains(&format!("'{}'", message.as_str())), "{message:?}");
        }
        assert_eq!(pending!().matches(',').count() + 1, OutboxMessage::ALL.len());
    }
}
