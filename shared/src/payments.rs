//! Payments: the ways to pay, and where a payment stands.

use serde::{Deserialize, Serialize};

/// A payment method. Each one is handled by the gateway of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Cash on delivery, collected by the shop.
    Cash,
    /// The built-in test gateway. No real money is charged.
    Sandbox,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Sandbox, Self::Cash];

    /// The name it is stored by; also its gateway's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Sandbox => "sandbox",
        }
    }

    /// The method stored by a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.as_str() == name)
    }

    /// Whether the marketplace receives the money, and owes the shop its part; otherwise the shop receives it, and
    /// owes the marketplace its commission.
    pub fn collects(self) -> bool {
        matches!(self, Self::Sandbox)
    }
}

/// Where a payment stands.
///
/// ```text
/// created ─► pending ─► captured | accepted      (paid: a purchase has it)
///    └────────┴───────► failed | superseded      (unpaid)
///             any ────► unwanted ─► refunded     (captured, but nothing was there to buy)
/// captured ─► refunded                           (every order of its purchase was cancelled)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// We are about to ask the gateway.
    Created,
    /// The gateway waits for the shopper.
    Pending,
    /// The money is with us, and a purchase has it.
    Captured,
    /// Cash was promised, and a purchase has it.
    Accepted,
    /// The gateway refused it.
    Failed,
    /// The shopper chose another way before it came to an end. It may still be captured, and is then unwanted.
    Superseded,
    /// The money is with us, but nothing was there to buy with it; it is on its way back.
    Unwanted,
    /// All of the money went back.
    Refunded,
}

impl PaymentState {
    const ALL: [Self; 8] = [
        Self::Created,
        Self::Pending,
        Self::Captured,
        Self::Accepted,
        Self::Failed,
        Self::Superseded,
        Self::Unwanted,
        Self::Refunded,
    ];

    /// The name it is stored by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Captured => "captured",
            Self::Accepted => "accepted",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
            Self::Unwanted => "unwanted",
            Self::Refunded => "refunded",
        }
    }

    /// The state stored by a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }

    /// Whether a purchase was paid with it.
    pub fn is_paid(self) -> bool {
        matches!(self, Self::Captured | Self::Accepted)
    }

    /// Whether the gateway may still have news of it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::Pending | Self::Superseded)
    }
}

/// The next step of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum NextAction {
    /// Redirect the customer to the gateway's page.
    Redirect {
        /// Its address.
        url: String,
    },
    /// The payment is complete.
    Done {
        /// The address of the purchase's page.
        url: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable() {
        for state in PaymentState::ALL {
            assert_eq!(PaymentState::parse(state.as_str()), Some(state));
        }
        for method in Method::ALL {
            assert_eq!(Method::parse(method.as_str()), Some(method));
        }
        assert_eq!(Method::parse("card"), None);
    }
}
