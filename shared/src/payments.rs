//! Payments: payment methods and payment states.

use serde::{Deserialize, Serialize};

text_enum! {
    /// A payment method. Each one is handled by the gateway of the same name.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PaymentMethod {
        /// Cash on delivery, collected by the shop.
        Cash = "cash",
        /// The built-in test gateway. No real money is charged.
        Sandbox = "sandbox",
    }
}

impl PaymentMethod {
    /// Whether the marketplace collects the money and owes the shop its share. Otherwise the shop
    /// collects it and owes the marketplace its commission.
    pub fn collected_by_market(self) -> bool {
        matches!(self, Self::Sandbox)
    }
}

text_enum! {
    /// The state of a payment.
    ///
    /// ```text
    /// created ─► pending ─► captured | accepted      (paid: it belongs to a purchase)
    ///    └────────┴───────► failed | superseded      (unpaid)
    ///             any ────► orphaned ─► refunded     (captured after its checkout had ended)
    /// captured ─► refunded                           (every order of its purchase was cancelled)
    /// ```
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PaymentState {
        /// We are about to ask the gateway.
        Created = "created",
        /// The gateway waits for the shopper.
        Pending = "pending",
        /// The money is with us, and a purchase has it.
        Captured = "captured",
        /// Cash was promised, and a purchase has it.
        Accepted = "accepted",
        /// The gateway refused it.
        Failed = "failed",
        /// The shopper chose another way before it came to an end. It may still be captured, and is then orphaned.
        Superseded = "superseded",
        /// The money is with us, but nothing was there to buy with it; it is on its way back.
        Orphaned = "orphaned",
        /// All of the money went back.
        Refunded = "refunded",
    }
}

impl PaymentState {
    /// Whether a purchase was paid with it.
    pub fn is_paid(self) -> bool {
        matches!(self, Self::Captured | Self::Accepted)
    }

    /// Whether the gateway may still report a change.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::Pending | Self::Superseded)
    }
}

/// A reference to a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurchaseLink {
    /// The purchase number.
    pub number: String,
    /// The key that grants access to the purchase without signing in: `/purchases/{number}?key=…`.
    pub key: String,
}

/// The next step of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum NextAction {
    /// Redirect the customer to the gateway's page.
    Redirect {
        /// The URL of the gateway's page.
        url: String,
    },
    /// The payment is complete.
    Done {
        /// The purchase.
        purchase: PurchaseLink,
    },
}
