//! The event feed that API clients poll.
//!
//! Numbers are assigned in the transaction that dispatches messages, while it holds the lock on the feed's
//! row. They are therefore committed in order, on any number of nodes: a client that has read up to a
//! number has seen everything before it.

use uuid::Uuid;

use crate::{
    Caller, Engine, TxResult,
    bus::Announcement,
    clock::rfc3339,
    db::{Scalar, Tx, Value},
    insert, lists,
    outbox::{Dispatched, OutboxMessage},
    params, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    events::{Event, EventKind, EventPage},
    id::kinds::OrderId,
    page,
    permissions::{AdminPermission, Permission},
};

/// How long events are kept.
pub const KEEP_MS: i64 = 30 * 24 * 3_600_000;

lists! {
    FEED {
        select: "SELECT e.seq, e.kind, e.order_id, o.number, s.handle AS shop_handle, e.created_at
            FROM events e JOIN orders o ON o.id = e.order_id JOIN shops s ON s.id = e.shop_id",
        base_filter: "TRUE",
        filters: &[("shop", "e.shop_id = {}"), ("up_to", "e.seq <= {}")],
        sorts: &[("oldest", "e.seq > {}", "e.seq")],
    }
}

statements! {
    ENDS = "SELECT last_seq, deleted_seq FROM event_feed";
    TAKE_TURNS = "UPDATE event_feed SET last_seq = last_seq";
    ADVANCE = "UPDATE event_feed SET last_seq = last_seq + $1 RETURNING last_seq AS value";
    PURGE = "UPDATE event_feed SET deleted_seq =
        COALESCE((SELECT MAX(e.seq) FROM events e WHERE e.published_at < $1), deleted_seq)";
    DELETE = "DELETE FROM events WHERE seq <= (SELECT deleted_seq FROM event_feed)";
}

insert! {
    /// An event about an order, or about a shipment, refund or return of it.
    struct AddEvent into events {
        seq: i64,
        kind: EventKind,
        created_at: i64,
        published_at: i64;
        order_id = "o.id",
        shop_id = "o.shop_id",
    } => [subject: Uuid] "given LEFT JOIN shipments p ON p.id = given.subject
        LEFT JOIN refunds r ON r.id = given.subject LEFT JOIN returns b ON b.id = given.subject
        JOIN orders o ON o.id = COALESCE(p.order_id, r.order_id, b.order_id, given.subject)"
}

rows! {
    struct Ends {
        last_seq: i64,
        deleted_seq: i64,
    }

    struct EventRow {
        seq: i64,
        kind: EventKind,
        order_id: OrderId,
        number: String,
        shop_handle: String,
        created_at: i64,
    }
}

/// The event for a message, if it is one that API clients read. The message is about an order or a part of it.
fn event_of(message: OutboxMessage) -> Option<EventKind> {
    match message {
        OutboxMessage::PurchaseMade
        | OutboxMessage::GiftCardSent
        | OutboxMessage::RefundQueued
        | OutboxMessage::PayoutSent
        | OutboxMessage::PayoutRejected
        | OutboxMessage::PayoutReturned
        | OutboxMessage::PayoutMethodAdded
        | OutboxMessage::PayoutMethodRemoved
        | OutboxMessage::PayoutMethodRestricted
        | OutboxMessage::PayoutApproved
        | OutboxMessage::StockLow
        | OutboxMessage::ReviewPublished
        | OutboxMessage::ReviewInvited
        | OutboxMessage::ShopperHasUnread
        | OutboxMessage::ShopHasUnread
        | OutboxMessage::AppointmentMoved
        | OutboxMessage::AppointmentMovedByCustomer
        | OutboxMessage::AppointmentCancelled
        | OutboxMessage::AppointmentCancelledByCustomer
        | OutboxMessage::AppointmentReminder => None,
        OutboxMessage::OrderPlaced => Some(EventKind::OrderPlaced),
        OutboxMessage::OrderConfirmed => Some(EventKind::OrderConfirmed),
        OutboxMessage::OrderShipped => Some(EventKind::OrderShipped),
        OutboxMessage::OrderShipmentUpdated => Some(EventKind::OrderShipmentUpdated),
        OutboxMessage::OrderDelivered => Some(EventKind::OrderDelivered),
        OutboxMessage::OrderCancelled => Some(EventKind::OrderCancelled),
        OutboxMessage::OrderRefunded => Some(EventKind::OrderRefunded),
        OutboxMessage::OrderReturnOpened => Some(EventKind::OrderReturnOpened),
        OutboxMessage::OrderReturnRequested => Some(EventKind::OrderReturnRequested),
        OutboxMessage::OrderReturnApproved => Some(EventKind::OrderReturnApproved),
        OutboxMessage::OrderReturnRejected => Some(EventKind::OrderReturnRejected),
        OutboxMessage::OrderReturnWithdrawn => Some(EventKind::OrderReturnWithdrawn),
        OutboxMessage::OrderReturnReceived => Some(EventKind::OrderReturnReceived),
        OutboxMessage::OrderDisputed => Some(EventKind::OrderDisputed),
        OutboxMessage::OrderDisputeWon => Some(EventKind::OrderDisputeWon),
        OutboxMessage::OrderDisputeLost => Some(EventKind::OrderDisputeLost),
        OutboxMessage::OrderReturnExchanged => Some(EventKind::OrderReturnExchanged),
    }
}

/// Takes the publisher's lock until the end of the transaction.
pub(crate) async fn take_turns_in_tx(tx: &mut Tx) -> TxResult<()> {
    tx.exec(&TAKE_TURNS, params![]).await?;
    Ok(())
}

/// Appends the events of messages to the feed, in the given order. The caller holds the lock. Nothing is
/// published, because API clients poll.
pub(crate) async fn publish_in_tx(
    tx: &mut Tx,
    messages: &[Dispatched],
    now: i64,
) -> TxResult<Vec<Announcement>> {
    let news: Vec<_> = messages.iter().filter_map(|of| Some((event_of(of.message)?, of))).collect();
    let count = news.len() as i64;
    if count == 0 {
        return Ok(Vec::new());
    }
    let last: Option<Scalar<i64>> = tx.opt(&ADVANCE, params![count]).await?;
    let last = last.ok_or_else(|| crate::bug("the event feed has no row"))?.0;
    let events = (last - count + 1..).zip(news).map(|(seq, (kind, of))| AddEvent {
        seq,
        kind,
        created_at: of.created_at,
        published_at: now,
        subject: of.subject,
    });
    tx.insert_all(events).await?;
    Ok(Vec::new())
}

/// The events of a shop after `after`, or from the oldest one kept, for members who may see its orders.
pub async fn of_shop(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    after: Option<i64>,
    limit: Option<usize>,
) -> Result<EventPage> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    read(engine, vec![("shop", shop.into())], after, limit).await
}

/// The events of all shops. Operators only.
pub async fn of_market(
    engine: &Engine,
    caller: &Caller,
    after: Option<i64>,
    limit: Option<usize>,
) -> Result<EventPage> {
    caller.admin(AdminPermission::SeeOrders)?;
    read(engine, Vec::new(), after, limit).await
}

async fn read(
    engine: &Engine,
    mut filters: Vec<(&'static str, Value)>,
    after: Option<i64>,
    limit: Option<usize>,
) -> Result<EventPage> {
    // The end of the feed is read first: all events up to it are committed.
    let ends: Ends = engine.db.one(&ENDS, params![]).await?;
    let after = after.unwrap_or(ends.deleted_seq);
    if after < 0 {
        return Err(Error::field("after", FieldCode::TooSmall));
    }
    if after > ends.last_seq {
        return Err(Error::field("after", FieldCode::TooBig));
    }
    filters.push(("up_to", ends.last_seq.into()));
    let size = page::rows(limit, page::LIMIT_MAX);
    let rows: Vec<EventRow> = engine.db.list(FEED.bind(filters, "oldest", Some(after.into()), size)).await?;
    // Events may have been deleted in the meantime.
    let ends_now: Ends = engine.db.one(&ENDS, params![]).await?;
    if after < ends_now.deleted_seq {
        return Err(Error::EventsExpired { after: ends_now.deleted_seq });
    }
    let next = match rows.last() {
        Some(last) if rows.len() == size => last.seq,
        _ => ends.last_seq,
    };
    let items = rows.into_iter().map(|row| Event {
        seq: row.seq,
        kind: row.kind,
        order_id: row.order_id,
        order_number: row.number,
        shop_handle: row.shop_handle,
        created_at: rfc3339(row.created_at),
    });
    Ok(EventPage { items: items.collect(), next })
}

/// Deletes expired events, and records the last number deleted.
pub(crate) async fn purge(engine: &Engine) -> TxResult<()> {
    engine
        .db
        .write("events::purge", engine.clock.now_ms() - KEEP_MS, |tx, before| {
            Box::pin(async move {
                tx.exec(&PURGE, params![*before]).await?;
                tx.exec(&DELETE, params![]).await?;
                Ok(())
            })
        })
        .await
}
