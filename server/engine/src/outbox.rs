//! The outbox: what happened, published at least once after the commit.
//!
//! A use case writes its messages in its own transaction; `dispatch` publishes them.

use uuid::Uuid;

use crate::{
    Caller, Engine, TxError, cursor,
    db::{CountRow, Value},
    lists, params, random, rows, statements, subjects,
};
use haat_shared::{
    Error, FieldCode, Id,
    audit::OutboxMessageCard,
    id::kinds::*,
    page::{self, Counted, ListRequest, Page, PageRequest},
    permissions::AdminPermission,
};

haat_shared::text_enum! {
    /// What happened.
    pub enum OutboxMessage {
        /// A checkout became a purchase. Subject: the purchase.
        PurchaseMade = "purchase_made",
        /// A shop has a new order. Subject: the order.
        OrderPlaced = "order_placed",
        /// A gift card that was bought is to be sent, or sent again. Subject: the card.
        GiftCardSent = "gift_card_sent",
        /// Money must be refunded. Subject: the refund.
        RefundQueued = "refund_queued",
        /// The shop confirmed an order. Subject: the order.
        OrderConfirmed = "order_confirmed",
        /// An order, or a part of it, was shipped. Subject: the shipment, or the order if nothing was left to ship.
        OrderShipped = "order_shipped",
        /// The tracking of a shipment was corrected. Subject: the shipment.
        OrderShipmentUpdated = "order_shipment_updated",
        /// An order was delivered. Subject: the order.
        OrderDelivered = "order_delivered",
        /// An order was cancelled. Subject: the order.
        OrderCancelled = "order_cancelled",
        /// A shop moved an appointment. Subject: the appointment.
        AppointmentMoved = "appointment_moved",
        /// A customer moved an appointment. Subject: the appointment.
        AppointmentMovedByCustomer = "appointment_moved_by_customer",
        /// A shop cancelled an appointment. Subject: the appointment.
        AppointmentCancelled = "appointment_cancelled",
        /// A customer cancelled an appointment. Subject: the appointment.
        AppointmentCancelledByCustomer = "appointment_cancelled_by_customer",
        /// An appointment is to come soon. Subject: the appointment.
        AppointmentReminder = "appointment_reminder",
        /// A part of an order is refunded. Subject: the refund.
        OrderRefunded = "order_refunded",
        /// A shop expects a part of an order back. Subject: the order.
        OrderReturnOpened = "order_return_opened",
        /// A customer asks to return a part of an order, or to be refunded. Subject: the return.
        OrderReturnRequested = "order_return_requested",
        /// A request was approved, and the items are expected back. Subject: the return.
        OrderReturnApproved = "order_return_approved",
        /// A request was rejected. Subject: the return.
        OrderReturnRejected = "order_return_rejected",
        /// A customer withdrew a return. Subject: the return.
        OrderReturnWithdrawn = "order_return_withdrawn",
        /// A shop received a part of an order back. Subject: the order.
        OrderReturnReceived = "order_return_received",
        /// A shop sends other items for a return. Subject: the return.
        OrderReturnExchanged = "order_return_exchanged",
        /// A payout that a gateway transfers was approved, or is to be tried again. Subject: the payout.
        PayoutApproved = "payout_approved",
        /// A payout was handed to the bank, or transferred by a gateway. Subject: the payout.
        PayoutSent = "payout_sent",
        /// A payout was rejected. Subject: the payout.
        PayoutRejected = "payout_rejected",
        /// The bank returned a payout. Subject: the payout.
        PayoutReturned = "payout_returned",
        /// A shop has a new payout method. Subject: the method.
        PayoutMethodAdded = "payout_method_added",
        /// A shop removed a payout method. Subject: the method.
        PayoutMethodRemoved = "payout_method_removed",
        /// The gateway has stopped payouts to a shop's account. Subject: the method.
        PayoutMethodRestricted = "payout_method_restricted",
        /// An order has left few of a variant. Subject: the variant.
        StockLow = "stock_low",
        /// A review of a shop's product was published. Subject: the review.
        ReviewPublished = "review_published",
        /// The customer of an order that arrived some days ago is asked for reviews. Subject: the order.
        ReviewInvited = "review_invited",
        /// A shopper has unread messages. Subject: the conversation.
        ShopperHasUnread = "shopper_has_unread",
        /// A shop has unread messages. Subject: the conversation.
        ShopHasUnread = "shop_has_unread",
        /// The payment of an order is disputed. Subject: the order.
        OrderDisputed = "order_disputed",
        /// The dispute was decided for the shop. Subject: the order.
        OrderDisputeWon = "order_dispute_won",
        /// The dispute was decided for the customer. Subject: the order.
        OrderDisputeLost = "order_dispute_lost",
    }
}

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

lists! {
    OUTBOX {
        select: "SELECT f.id, f.kind, f.subject, f.created_at, f.dispatched_at,
                CASE WHEN f.dispatched_at IS NULL THEN 'waiting' ELSE 'dispatched' END AS state FROM outbox f",
        base_filter: "TRUE",
        filters: &[("waiting", "f.dispatched_at IS NULL AND {} = TRUE")],
        sorts: &[("newest", "f.id < {}", "f.id DESC")],
    }
}

statements! {
    pub(crate) WRITE = "INSERT INTO outbox (id, kind, subject, created_at) VALUES [($1, $2, $3, $4)]";
    PENDING = "SELECT COUNT(*) AS value FROM outbox WHERE dispatched_at IS NULL";
    PURGE = "DELETE FROM outbox WHERE dispatched_at < $1";
}

rows! {
    struct MessageRow {
        id: OutboxMessageId,
        kind: String,
        subject: Uuid,
        created_at: i64,
        dispatched_at: Option<i64>,
    }
}

/// A message that is being dispatched.
pub(crate) struct Dispatched {
    pub(crate) id: OutboxMessageId,
    pub(crate) message: OutboxMessage,
    pub(crate) subject: Uuid,
    pub(crate) created_at: i64,
}

/// The row of a message, for [`WRITE`].
pub(crate) fn row<K>(message: OutboxMessage, subject: Id<K>, now: i64) -> [Value; 4] {
    let id: OutboxMessageId = random::id(now);
    [id.into(), message.as_str().into(), subject.into(), now.into()]
}

/// How many messages are waiting to be dispatched.
pub async fn pending(engine: &Engine) -> Result<i64, TxError> {
    Ok(engine.db.one::<crate::db::Scalar<i64>>(&PENDING, params![]).await?.0)
}

/// Deletes messages that were dispatched before `before`.
pub(crate) async fn purge(engine: &Engine, before: i64) -> Result<u64, TxError> {
    engine
        .db
        .write("outbox::purge", before, |tx, before| {
            Box::pin(async move { Ok(tx.exec(&PURGE, params![*before]).await?) })
        })
        .await
}

/// The outbox, newest first: all messages, or only those waiting to be dispatched. Operators only.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    waiting: bool,
    of: impl Into<PageRequest<'_>>,
) -> haat_shared::Result<Page<OutboxMessageCard>> {
    caller.admin(AdminPermission::SeeJobs)?;
    let of = of.into();
    let filters = if waiting { vec![("waiting", true.into())] } else { Vec::new() };
    let after = cursor::<haat_shared::id::kinds::OutboxMessage>(of.after)?.map(Into::into);
    let size = page::rows(of.limit, PAGE_SIZE);
    let rows: Vec<MessageRow> = engine.db.list(OUTBOX.bind(filters, "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    let about = subjects::about(engine, page.items.iter().map(|row| row.subject)).await?;
    Ok(page.map(|row| OutboxMessageCard {
        kind: row.kind,
        subject: row.subject.to_string(),
        about: about.get(&row.subject).cloned().unwrap_or_default(),
        created_at: caller.time(engine, row.created_at),
        dispatched_at: row.dispatched_at.map(|at| caller.time(engine, at)),
    }))
}

/// The same with the number of messages that are `waiting` and of those that were `dispatched`. The state is empty
/// for all, or `waiting`.
pub async fn table(
    engine: &Engine,
    caller: &Caller,
    of: &ListRequest,
) -> haat_shared::Result<Counted<OutboxMessageCard>> {
    let waiting = match of.state.as_str() {
        "" => false,
        "waiting" => true,
        _ => return Err(Error::field("state", FieldCode::NotAChoice)),
    };
    let page = list(engine, caller, waiting, of).await?;
    Ok(CountRow::with(engine.db.list(OUTBOX.count_by("state", Vec::new())).await?, page))
}
