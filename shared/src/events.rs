//! The event feed, which API clients poll for changes of orders. Numbers are assigned after the commit, in
//! order, so no event appears behind a number that was already read.

use serde::{Deserialize, Serialize};

use crate::id::kinds::OrderId;

text_enum! {
    /// What happened to an order.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum EventKind {
        /// It was placed.
        OrderPlaced = "order.placed",
        /// The shop confirmed it.
        OrderConfirmed = "order.confirmed",
        /// It was shipped, or a part of it.
        OrderShipped = "order.shipped",
        /// Its tracking was corrected after it was shipped.
        OrderShipmentUpdated = "order.shipment_updated",
        /// It was delivered.
        OrderDelivered = "order.delivered",
        /// It was cancelled, by the shop or by the shopper.
        OrderCancelled = "order.cancelled",
        /// A part of it is refunded by the shop.
        OrderRefunded = "order.refunded",
        /// The shop expects a part of it back.
        OrderReturnOpened = "order.return_opened",
        /// The customer asks to return a part of it, or to be refunded.
        OrderReturnRequested = "order.return_requested",
        /// The request was approved, and the items are expected back.
        OrderReturnApproved = "order.return_approved",
        /// The request was rejected.
        OrderReturnRejected = "order.return_rejected",
        /// The customer withdrew a return.
        OrderReturnWithdrawn = "order.return_withdrawn",
        /// The shop received a part of it back.
        OrderReturnReceived = "order.return_received",
        /// The customer disputes its payment.
        OrderDisputed = "order.disputed",
        /// The dispute was decided for the shop.
        OrderDisputeWon = "order.dispute_won",
        /// The dispute was decided for the customer.
        OrderDisputeLost = "order.dispute_lost",
        /// The shop sends other items for a return, with an order of their own.
        OrderReturnExchanged = "order.return_exchanged",
    }
}

/// A change of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// The event's number in the feed. Numbers increase, with gaps for events of other shops.
    pub seq: i64,
    /// What happened.
    pub kind: EventKind,
    /// The order's ID.
    pub order_id: OrderId,
    /// The order's number.
    pub order_number: String,
    /// The handle of the order's shop.
    pub shop_handle: String,
    /// When it happened: RFC 3339, UTC.
    pub created_at: String,
}

/// A page of the event feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventPage {
    /// The events, oldest first. Empty if there are no new ones.
    pub items: Vec<Event>,
    /// The sequence number to continue from, to be sent as `after`, now or later. Never null.
    pub next: i64,
}
