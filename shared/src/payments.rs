//! Payments: payment methods and payment states.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

text_enum! {
    /// A payment method: what a customer selects.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PaymentMethod {
        /// A card, on the page of Stripe or in its fields on ours.
        Card = "card",
        /// A PayPal account, on the page of PayPal.
        PayPal = "paypal",
        /// UPI, a card, net banking or a wallet, on the page of Razorpay or in its window over ours.
        Razorpay = "razorpay",
        /// Cash on delivery, collected by the shop.
        Cash = "cash",
        /// A gift card, beside another method or in place of one. It is entered, never selected.
        GiftCard = "gift_card",
        /// The built-in test gateway. No real money is charged.
        Sandbox = "sandbox",
    }
}

text_enum! {
    /// Who receives the money of a payment.
    pub enum CollectedBy {
        /// The marketplace, through a gateway. It owes the shop its share.
        Market = "market",
        /// The shop. It owes the marketplace its commission.
        Shop = "shop",
    }
}

/// The declaration of a payment method: everything in which methods differ, except their texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodDeclaration {
    /// The method.
    pub code: PaymentMethod,
    /// The name of the gateway that handles it. A gateway may handle several methods.
    pub gateway: &'static str,
    /// Who receives the money.
    pub collected_by: CollectedBy,
}

impl PaymentMethod {
    /// The declaration of this method. A method without one doesn't compile.
    pub const fn declared(self) -> MethodDeclaration {
        let (gateway, collected_by) = match self {
            Self::Card => ("stripe", CollectedBy::Market),
            Self::PayPal => ("paypal", CollectedBy::Market),
            Self::Razorpay => ("razorpay", CollectedBy::Market),
            Self::Cash => ("cash", CollectedBy::Shop),
            Self::Sandbox => ("sandbox", CollectedBy::Market),
            // No gateway: the engine moves the money between accounts of the ledger.
            Self::GiftCard => ("gift_card", CollectedBy::Market),
        };
        MethodDeclaration { code: self, gateway, collected_by }
    }

    /// Whether the marketplace receives the money. Otherwise, the shop does.
    pub fn collected_by_market(self) -> bool {
        self.declared().collected_by == CollectedBy::Market
    }
}

text_enum! {
    /// The state of a payment.
    ///
    /// ```text
    /// created ─► pending ─► authorized ─► captured         (accepted, if the shop collects)
    ///    └────────┴────────────┴────────► failed | superseded      (unpaid)
    ///             any ──────────────────► orphaned ─► refunded     (captured, but nothing to buy)
    /// captured ─► refunded                                     (every order of its purchase was cancelled)
    /// ```
    ///
    /// A purchase is made once its payments that are captured or accepted sum to its total.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PaymentState {
        /// We are about to ask the gateway.
        Created = "created",
        /// The gateway waits for the shopper.
        Pending = "pending",
        /// The money is reserved; we are about to capture or cancel it.
        Authorized = "authorized",
        /// The money is with us. A purchase has it, or will have it once the rest is paid.
        Captured = "captured",
        /// Cash was promised, and a purchase has it.
        Accepted = "accepted",
        /// The gateway refused it.
        Failed = "failed",
        /// The shopper chose another method before it ended. It may still be captured, and is then orphaned.
        Superseded = "superseded",
        /// The money is with us, but nothing was there to buy with it; it is on its way back.
        Orphaned = "orphaned",
        /// All of the money went back.
        Refunded = "refunded",
    }
}

text_enum! {
    /// Why a payment failed.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PaymentFailure {
        /// The gateway, or the customer's bank, declined it.
        Declined = "declined",
        /// The gateway refused the request itself.
        Refused = "refused",
        /// The customer, or an admin, cancelled it.
        Cancelled = "cancelled",
        /// The customer did not finish paying in time.
        Abandoned = "abandoned",
    }
}

text_enum! {
    /// What became of a payment that shops collect.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum CashState {
        /// No order was delivered yet.
        ToCollect = "to_collect",
        /// Some of its orders were delivered, others are on their way.
        PartlyCollected = "partly_collected",
        /// Every order that was not cancelled was delivered, and paid for then.
        Collected = "collected",
        /// Every order was cancelled: there is nothing to collect.
        Cancelled = "nothing_to_collect",
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

/// What the script of a gateway needs to show its fields for a payment method on our page. All of it may be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFields {
    /// The method.
    pub method: PaymentMethod,
    /// The URL of the script.
    pub script: String,
    /// The publishable key of the account.
    pub key: String,
    /// The decimals with which the gateway counts the currency.
    pub decimals: u32,
    /// Whether payments are authorized first, and captured later.
    pub authorizes: bool,
}

/// A window of a gateway over our page, in which a payment method is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentWindow {
    /// The method.
    pub method: PaymentMethod,
    /// The URL of the script that opens it.
    pub script: String,
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
    /// Let the gateway's script confirm the payment on our page.
    ClientSecret {
        /// The gateway.
        gateway: String,
        /// The secret with which the script confirms this payment, and no other.
        client_secret: String,
        /// What else the script needs, such as the publishable key.
        parameters: BTreeMap<String, String>,
    },
    /// Open the gateway's widget on our page.
    Widget {
        /// The gateway.
        gateway: String,
        /// The parameters of the widget.
        parameters: BTreeMap<String, String>,
    },
    /// The payment is complete.
    Done {
        /// The purchase.
        purchase: PurchaseLink,
    },
}
