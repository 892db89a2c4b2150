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
        /// It was shipped.
        OrderShipped = "order.shipped",
        /// Its tracking was corrected after it was shipped.
        OrderShipmentUpdated = "order.shipment_updated",
        /// It was delivered.
        OrderDelivered = "order.delivered",
        /// It was cancelled, by the shop or by the shopper.
        OrderCancelled = "order.cancelled",
    }
}

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// The event's sequence number. It increases, with gaps where events belong to other shops.
    pub seq: i64,
    /// What happened.
    pub kind: EventKind,
    /// The order's id.
    pub order: OrderId,
    /// The order's number.
    pub number: String,
    /// The handle of the order's shop.
    pub shop: String,
    /// When it happened: RFC 3339, UTC.
    pub at: String,
}

/// A page of the event feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventPage {
    /// The events, oldest first; empty if there is nothing new.
    pub items: Vec<Event>,
    /// The sequence number of the last event returned. Send it as `after` to get the events that follow.
    pub next: i64,
}
