//! The feed of events: what programs poll to learn what happened to orders. Nothing in it can be missed: numbers are
//! given out after the commit, in order, so nothing ever appears behind a number that was read.

use serde::{Deserialize, Serialize};

use crate::id::kinds::OrderId;

/// What happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EventKind {
    /// It was placed.
    #[serde(rename = "order.placed")]
    OrderPlaced,
    /// The shop confirmed it.
    #[serde(rename = "order.confirmed")]
    OrderConfirmed,
    /// It was shipped.
    #[serde(rename = "order.shipped")]
    OrderShipped,
    /// Its tracking was corrected after it was shipped.
    #[serde(rename = "order.shipment_updated")]
    OrderShipmentUpdated,
    /// It was delivered.
    #[serde(rename = "order.delivered")]
    OrderDelivered,
    /// It was cancelled, by the shop or by the shopper.
    #[serde(rename = "order.cancelled")]
    OrderCancelled,
}

impl EventKind {
    const ALL: [Self; 6] = [
        Self::OrderPlaced,
        Self::OrderConfirmed,
        Self::OrderShipped,
        Self::OrderShipmentUpdated,
        Self::OrderDelivered,
        Self::OrderCancelled,
    ];

    /// The name it is stored and sent by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrderPlaced => "order.placed",
            Self::OrderConfirmed => "order.confirmed",
            Self::OrderShipped => "order.shipped",
            Self::OrderShipmentUpdated => "order.shipment_updated",
            Self::OrderDelivered => "order.delivered",
            Self::OrderCancelled => "order.cancelled",
        }
    }

    /// The kind stored by a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its number in the feed. Numbers grow; some are missing where the events are another shop's.
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

/// A part of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventPage {
    /// The events, oldest first; empty if there is nothing new.
    pub items: Vec<Event>,
    /// How far this answer goes. Send it as `after` to get what comes next, now or later.
    pub next: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_sent_by_the_name_they_are_stored_by() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(EventKind::parse("order_placed"), None);
    }
}
