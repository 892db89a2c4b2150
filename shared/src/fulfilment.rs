//! What orders, refunds and returns have in common: the status of an order, who changes it, and quantities of its lines.

use serde::{Deserialize, Serialize};

use crate::{
    carts::QUANTITY_MAX,
    field::{FieldCode, FieldError},
};

/// The maximum number of characters of a note or reason.
pub const NOTE_MAX: usize = 300;

text_enum! {
    /// The status of an order.
    #[derive(PartialOrd, Ord)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum OrderState {
        /// Placed. The shop has to confirm it.
        Placed = "placed",
        /// Confirmed by the shop.
        Confirmed = "confirmed",
        /// Handed to the carrier, or ready for pickup.
        Shipped = "shipped",
        /// Delivered, or picked up.
        Delivered = "delivered",
        /// Cancelled.
        Cancelled = "cancelled",
    }
}

/// A transition that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadTransition;

impl OrderState {
    /// The next state, if the transition is allowed.
    pub fn to(self, next: Self) -> Result<Self, BadTransition> {
        use OrderState::*;
        match (self, next) {
            (Placed, Confirmed | Cancelled) | (Confirmed, Shipped | Cancelled) | (Shipped, Delivered) => {
                Ok(next)
            }
            _ => Err(BadTransition),
        }
    }

    /// The states from which `actor` may bring an order to this one. A shopper may only cancel, and only
    /// before the shop has confirmed the order.
    pub fn reached_from(self, actor: Actor) -> Vec<Self> {
        let by_shopper = |from: Self| from == Self::Placed && self == Self::Cancelled;
        Self::ALL
            .into_iter()
            .filter(|from| from.to(self).is_ok() && (actor != Actor::Shopper || by_shopper(*from)))
            .collect()
    }
}

text_enum! {
    /// Who changed the status of an order.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum Actor {
        /// A staff member of the shop.
        Shop = "shop",
        /// The customer.
        Shopper = "shopper",
        /// The marketplace: an admin or the system.
        Market = "market",
    }
}

/// A quantity of an order line: what is shipped, refunded or returned of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LineQuantity {
    /// The line's `position` in the order.
    pub position: i64,
    /// The quantity.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 999))]
    pub quantity: i64,
}

/// The selected lines, if there are any, each once and with a quantity that an order can have; or all errors.
pub fn lines(selected: &[LineQuantity]) -> Result<(), Vec<FieldError>> {
    if selected.is_empty() {
        return Err(vec![FieldError::new("lines", FieldCode::Missing)]);
    }
    let mut faults = Vec::new();
    for (i, line) in selected.iter().enumerate() {
        let field = || format!("lines.{i}.quantity");
        if line.quantity < 1 {
            faults.push(FieldError::new(field(), FieldCode::TooSmall));
        } else if line.quantity > QUANTITY_MAX {
            faults.push(FieldError::new(field(), FieldCode::TooBig));
        }
        if selected[..i].iter().any(|earlier| earlier.position == line.position) {
            faults.push(FieldError::new(format!("lines.{i}.position"), FieldCode::NotUnique));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
