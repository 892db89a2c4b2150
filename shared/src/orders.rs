//! Purchases and orders: what was bought, and one shop's part of it.

use serde::{Deserialize, Serialize};

use crate::{
    checkout::{Address, CheckoutLineView},
    id::kinds::{OrderId, PurchaseId},
    money::Money,
    payments::Method,
};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Paid, or to be paid on delivery; the shop has to act.
    Placed,
    /// The shop has said yes.
    Confirmed,
    /// On its way.
    Shipped,
    /// There.
    Delivered,
    /// It will not come.
    Cancelled,
}

/// A change of state that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadTransition;

impl OrderState {
    const ALL: [Self; 5] = [Self::Placed, Self::Confirmed, Self::Shipped, Self::Delivered, Self::Cancelled];

    /// The name it is stored by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Confirmed => "confirmed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state stored by a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }

    /// The next state, if it can follow this one.
    pub fn to(self, next: Self) -> Result<Self, BadTransition> {
        use OrderState::*;
        match (self, next) {
            (Placed, Confirmed | Cancelled) | (Confirmed, Shipped | Cancelled) | (Shipped, Delivered) => {
                Ok(next)
            }
            _ => Err(BadTransition),
        }
    }
}

/// A purchase on its page: what the shopper paid, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseView {
    /// Its id.
    pub id: PurchaseId,
    /// Its short number, for people.
    pub number: String,
    /// When it was made: RFC 3339, UTC.
    pub made_at: String,
    /// Where the confirmation went.
    pub email: String,
    /// Where the goods go.
    pub address: Address,
    /// How it was paid.
    pub method: Method,
    /// What was paid, or is to be paid on delivery.
    pub total: Money,
    /// The orders, one a shop.
    pub orders: Vec<OrderView>,
}

/// One shop's part of a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    /// Its id.
    pub id: OrderId,
    /// Its short number, for people.
    pub number: String,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// Where it stands.
    pub state: OrderState,
    /// What was bought.
    pub lines: Vec<CheckoutLineView>,
    /// What the goods cost.
    pub subtotal: Money,
    /// What bringing them costs.
    pub delivery: Money,
    /// Both together.
    pub total: Money,
}

/// A purchase in the shopper's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseCard {
    /// Its short number.
    pub number: String,
    /// Where it is shown.
    pub url: String,
    /// When it was made: RFC 3339, UTC.
    pub made_at: String,
    /// What was paid.
    pub total: Money,
    /// How many orders it has.
    pub orders: i64,
}

/// An order as its shop sees it. The shopper's other orders are none of its business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopOrderView {
    /// The order.
    pub order: OrderView,
    /// When it was placed: RFC 3339, UTC.
    pub placed_at: String,
    /// Where the goods go.
    pub address: Address,
    /// How it was paid.
    pub method: Method,
    /// What the marketplace keeps of it.
    pub commission: Money,
}

#[cfg(test)]
mod tests {
    use super::{OrderState::*, *};

    #[test]
    fn only_these_transitions_exist() {
        let allowed = [
            (Placed, Confirmed),
            (Placed, Cancelled),
            (Confirmed, Shipped),
            (Confirmed, Cancelled),
            (Shipped, Delivered),
        ];
        for from in OrderState::ALL {
            assert_eq!(OrderState::parse(from.as_str()), Some(from));
            for to in OrderState::ALL {
                let expected = if allowed.contains(&(from, to)) { Ok(to) } else { Err(BadTransition) };
                assert_eq!(from.to(to), expected, "{from:?} to {to:?}");
            }
        }
    }
}
