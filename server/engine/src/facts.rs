//! Facts: what happened, told after the commit that made it happen, at least once, to whoever wants to know.
//!
//! A use case writes its facts in its own transaction. [`tell`] turns each into the jobs of those who want to know,
//! in one transaction of its own: a crash tells it again, and a job exists once for each fact. What happened to orders
//! is also appended to the feed of events there.

use uuid::Uuid;

use crate::{
    Caller, Engine, Fault, cursor,
    db::{ListQuery, One, RegisteredList, Value},
    events, params, random, rows, statements,
};
use haat_shared::{
    Id,
    audit::FactCard,
    events::EventKind,
    id::kinds::*,
    page::{self, Ask, Page},
};

haat_shared::text_enum! {
    /// What happened.
    pub enum Fact {
        /// A checkout became a purchase. Subject: the purchase.
        PurchaseMade = "purchase_made",
        /// A shop has a new order. Subject: the order.
        OrderPlaced = "order_placed",
        /// Money must go back. Subject: the refund.
        RefundQueued = "refund_queued",
        /// A shop has said yes. Subject: the order.
        OrderConfirmed = "order_confirmed",
        /// It is on its way. Subject: the order.
        OrderShipped = "order_shipped",
        /// Its tracking was corrected. Subject: the new row of its shipment.
        OrderShipmentUpdated = "order_shipment_updated",
        /// It has arrived. Subject: the order.
        OrderDelivered = "order_delivered",
        /// It will not come. Subject: the order.
        OrderCancelled = "order_cancelled",
    }
}

impl Fact {
    /// The jobs that it makes; none where nobody listens.
    fn jobs(self) -> &'static [crate::jobs::Kind] {
        use crate::jobs::Kind::*;
        match self {
            Self::PurchaseMade => &[NotifyShopper],
            Self::OrderPlaced => &[NotifyShop],
            Self::RefundQueued => &[Refund],
            Self::OrderShipped => &[TellShipped],
            Self::OrderShipmentUpdated => &[TellShipmentUpdated],
            Self::OrderCancelled => &[TellCancelled],
            Self::OrderConfirmed | Self::OrderDelivered => &[],
        }
    }

    /// The event that programs read of it, if it is one.
    fn event(self) -> Option<EventKind> {
        match self {
            Self::PurchaseMade | Self::RefundQueued => None,
            Self::OrderPlaced => Some(EventKind::OrderPlaced),
            Self::OrderConfirmed => Some(EventKind::OrderConfirmed),
            Self::OrderShipped => Some(EventKind::OrderShipped),
            Self::OrderShipmentUpdated => Some(EventKind::OrderShipmentUpdated),
            Self::OrderDelivered => Some(EventKind::OrderDelivered),
            Self::OrderCancelled => Some(EventKind::OrderCancelled),
        }
    }
}

/// How many facts are told in one transaction.
const BATCH: i64 = 200;

/// Rows of a page.
const PAGE_SIZE: usize = 50;

static OUTBOX: ListQuery = ListQuery {
    name: "facts::OUTBOX",
    select: "SELECT f.id, f.kind, f.subject, f.created_at, f.told_at FROM outbox f",
    always: "TRUE",
    filters: &[("waiting", "f.told_at IS NULL AND {} = TRUE")],
    sorts: &[("newest", "f.id < {}", "f.id DESC")],
};
::inventory::submit! { RegisteredList(&OUTBOX) }

statements! {
    pub(crate) WRITE = "INSERT INTO outbox (id, kind, subject, created_at) VALUES [($1, $2, $3, $4)]";
    TELL = "UPDATE outbox SET told_at = $1
        WHERE told_at IS NULL AND id IN (SELECT id FROM outbox WHERE told_at IS NULL ORDER BY id LIMIT $2)
        RETURNING id, kind, subject, created_at";
    ANY_UNTOLD = "SELECT id AS value FROM outbox WHERE told_at IS NULL LIMIT 1";
    ENQUEUE = "INSERT INTO jobs (id, kind, subject, state, run_at, attempts, lease_until, error, created_at, updated_at)
        VALUES [($1, $2, $3, 'queued', $4, 0, 0, '', $4, $4)] ON CONFLICT (kind, subject) DO NOTHING";
    UNTOLD = "SELECT COUNT(*) AS value FROM outbox WHERE told_at IS NULL";
    FORGET = "DELETE FROM outbox WHERE told_at < $1";
}

rows! {
    struct FactRow {
        id: FactId,
        kind: String,
        subject: Uuid,
        created_at: i64,
        told_at: Option<i64>,
    }

    struct Untold {
        id: FactId,
        kind: String,
        subject: Uuid,
        created_at: i64,
    }
}

/// The row of a fact, for [`WRITE`].
pub(crate) fn row<K>(fact: Fact, subject: Id<K>, now: i64) -> [Value; 4] {
    let id: FactId = random::id(now);
    [id.into(), fact.as_str().into(), subject.into(), now.into()]
}

/// How many facts are still to be told.
pub async fn untold(engine: &Engine) -> Result<i64, Fault> {
    Ok(engine.db.one::<crate::db::One<i64>>(&UNTOLD, params![]).await?.0)
}

/// Tells a batch of facts; answers how many there were.
pub async fn tell(engine: &Engine) -> Result<usize, Fault> {
    engine
        .db
        .write("facts::tell", engine.clock.now_ms(), |tx, now| {
            Box::pin(async move {
                if tx.opt::<One<FactId>>(&ANY_UNTOLD, params![]).await?.is_none() {
                    return Ok(0);
                }
                // Before facts are read: whoever waited here reads what was committed meanwhile.
                events::take_turns_in_tx(tx).await?;
                let mut untold: Vec<Untold> = tx.all(&TELL, params![*now, BATCH]).await?;
                untold.sort_by_key(|fact| fact.id);
                let (mut jobs, mut news) = (Vec::new(), Vec::new());
                for fact in &untold {
                    let Some(known) = Fact::parse(&fact.kind) else { continue };
                    news.extend(known.event().map(|event| (event, fact.subject, fact.created_at)));
                    for kind in known.jobs() {
                        let id: JobId = random::id(*now);
                        jobs.push([id.into(), kind.as_str().into(), fact.subject.into(), (*now).into()]);
                    }
                }
                tx.exec_many(&ENQUEUE, &jobs).await?;
                events::publish_in_tx(tx, &news, *now).await?;
                Ok(untold.len())
            })
        })
        .await
}

/// Forgets what was told before `before`.
pub(crate) async fn forget(engine: &Engine, before: i64) -> Result<u64, Fault> {
    engine
        .db
        .write("facts::forget", before, |tx, before| {
            Box::pin(async move { Ok(tx.exec(&FORGET, params![*before]).await?) })
        })
        .await
}

/// The outbox, newest first, for those who run the market: all, or only what waits to be told.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    waiting: bool,
    of: impl Into<Ask<'_>>,
) -> haat_shared::Result<Page<FactCard>> {
    caller.operator()?;
    let of = of.into();
    let filters = if waiting { vec![("waiting", true.into())] } else { Vec::new() };
    let after = cursor::<haat_shared::id::kinds::Fact>(of.after)?.map(Into::into);
    let size = page::rows(of.limit, PAGE_SIZE);
    let rows: Vec<FactRow> = engine.db.list(OUTBOX.ask(filters, "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    Ok(page.map(|row| FactCard {
        kind: row.kind,
        subject: row.subject.to_string(),
        at: caller.time(engine, row.created_at),
        told_at: row.told_at.map(|at| caller.time(engine, at)),
    }))
}
