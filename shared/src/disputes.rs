//! Disputes (chargebacks): a customer asks their bank, or the payment provider, to take a payment back.

use serde::{Deserialize, Serialize};

use crate::{
    id::kinds::DisputeId,
    money::{Money, MoneyError},
};

text_enum! {
    /// The status of a dispute.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum DisputeState {
        /// The customer's bank asks questions. No money was taken yet.
        Inquiry = "inquiry",
        /// The gateway has taken the money until it is decided.
        Open = "open",
        /// It was decided for the market: the money came back.
        Won = "won",
        /// It was decided for the customer: the money is gone.
        Lost = "lost",
    }
}

impl DisputeState {
    /// Whether nothing is decided yet.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Inquiry | Self::Open)
    }
}

/// A dispute of a payment, as admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentDispute {
    /// The dispute's ID.
    pub id: DisputeId,
    /// The gateway's ID of the dispute.
    pub gateway_ref: String,
    /// The status.
    #[serde(rename = "status")]
    pub state: DisputeState,
    /// The disputed amount.
    pub amount: Money,
    /// What the gateway charges for the dispute. Zero until it is known.
    pub fee: Money,
    /// The part of the amount that no order bears, because it was refunded before.
    pub unallocated: Money,
    /// The reason, in the gateway's words. May be empty.
    pub reason: String,
    /// Until when evidence can be submitted at the gateway: RFC 3339, UTC. Null if it isn't known.
    pub evidence_due_at: Option<String>,
    /// When it was opened: RFC 3339, UTC.
    pub opened_at: String,
    /// When it was decided: RFC 3339, UTC. Null until then.
    pub closed_at: Option<String>,
    /// Where to respond to it. Null if the gateway has no such page.
    pub respond_url: Option<String>,
}

/// The part of a dispute that concerns an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderDispute {
    /// The status.
    #[serde(rename = "status")]
    pub state: DisputeState,
    /// The disputed part of what was paid for the order.
    pub amount: Money,
    /// The part of the commission on it, which the shop gets back if the dispute is lost.
    pub commission: Money,
    /// By how much the shop's earnings are, or were, held.
    pub held: Money,
    /// The reason, in the gateway's words. May be empty.
    pub reason: String,
    /// When it was opened: RFC 3339, UTC.
    pub opened_at: String,
    /// When it was decided: RFC 3339, UTC. Null until then.
    pub closed_at: Option<String>,
}

/// What is left of an order for a dispute: neither refunded nor disputed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disputable {
    /// Of what the market collected.
    pub amount: Money,
    /// Of its commission.
    pub commission: Money,
    /// Of the part of its discount that the market bears.
    pub market_discount: Money,
}

/// A part of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisputedPart {
    /// The disputed amount.
    pub amount: Money,
    /// The commission on it.
    pub commission: Money,
    /// The part of the market's discount on it.
    pub market_discount: Money,
}

impl DisputedPart {
    /// What the shop earned with it.
    pub fn earned(&self) -> Result<Money, MoneyError> {
        self.amount.plus(self.market_discount)?.minus(self.commission)
    }
}

/// Divides a disputed amount among orders, in proportion to what is left of them, exactly to the unit: shares are cumulative,
/// so the last one is the rest. No order bears more than is left of it.
pub fn allocate(amount: Money, orders: &[Disputable]) -> Result<Vec<DisputedPart>, MoneyError> {
    let whole: i64 = orders.iter().map(|order| order.amount.amount().max(0)).sum();
    let amount = Money::new(amount.amount().min(whole), amount.currency());
    let mut before = 0;
    orders
        .iter()
        .map(|order| {
            let left = order.amount.amount().max(0);
            let share = amount.part(whole, before, before + left)?;
            before += left;
            Ok(DisputedPart {
                amount: share,
                commission: order.commission.part(left, 0, share.amount())?,
                market_discount: order.market_discount.part(left, 0, share.amount())?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Currency;

    fn left(amount: i64, commission: i64, market_discount: i64) -> Disputable {
        let [amount, commission, market_discount] =
            [amount, commission, market_discount].map(|minor| Money::new(minor, Currency::INR));
        Disputable { amount, commission, market_discount }
    }

    #[test]
    fn the_last_order_bears_the_rest() {
        let parts =
            allocate(Money::new(100, Currency::INR), &[left(333, 33, 0), left(333, 33, 0), left(334, 34, 1)]);
        let amounts: Vec<_> =
            parts.unwrap().iter().map(|part| (part.amount.amount(), part.commission.amount())).collect();
        assert_eq!(amounts, [(33, 3), (33, 3), (34, 3)]);
        assert_eq!(allocate(Money::new(5, Currency::INR), &[]), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn a_dispute_is_divided_to_the_unit(amount in 1i64..3_000_000, orders in proptest::collection::vec((0i64..1_000_000, 0i64..100), 1..6)) {
            let orders: Vec<_> = orders.into_iter().map(|(amount, percent)| left(amount, amount * percent / 100, amount / 9)).collect();
            let whole: i64 = orders.iter().map(|order| order.amount.amount()).sum();
            let parts = allocate(Money::new(amount, Currency::INR), &orders).unwrap();
            prop_assert_eq!(parts.iter().map(|part| part.amount.amount()).sum::<i64>(), amount.min(whole));
            for (part, order) in parts.iter().zip(&orders) {
                prop_assert!(part.amount.amount() <= order.amount.amount());
                prop_assert!(part.commission.amount() <= order.commission.amount());
                // All of an order takes all that was on it.
                prop_assert!(part.amount != order.amount || part.commission == order.commission || part.amount.amount() == 0);
            }
        }
    }
}
