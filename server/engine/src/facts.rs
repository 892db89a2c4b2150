//! Facts: what happened, told after the commit that made it happen, at least once, to whoever wants to know.
//!
//! A use case writes its facts in its own transaction; `dispatch` tells them.

use uuid::Uuid;

use crate::{Caller, Engine, Fault, cursor, db::Value, lists, params, random, rows, statements};
use haat_shared::{
    Id,
    audit::FactCard,
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

/// Rows of a page.
const PAGE_SIZE: usize = 50;

lists! {
    OUTBOX {
        select: "SELECT f.id, f.kind, f.subject, f.created_at, f.told_at FROM outbox f",
        always: "TRUE",
        filters: &[("waiting", "f.told_at IS NULL AND {} = TRUE")],
        sorts: &[("newest", "f.id < {}", "f.id DESC")],
    }
}

statements! {
    pub(crate) WRITE = "INSERT INTO outbox (id, kind, subject, created_at) VALUES [($1, $2, $3, $4)]";
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
