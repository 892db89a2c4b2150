//! What the admin area shows of a user, a shop or a payment: details from several domains.

use serde::{Deserialize, Serialize};

use crate::{
    accounts::{Membership, UserCard},
    disputes::PaymentDispute,
    id::kinds::{PaymentId, RefundId, UserId},
    ledger::CurrencyBalance,
    money::Money,
    orders::{OrderCard, OrderState, RefundReason, SellerOrder},
    page::Counted,
    payments::{CashState, PaymentFailure, PaymentMethod, PaymentState},
    permissions::{AdminRole, Role},
    personal::Obstacle,
    shops::AdminShopCard,
};

/// A user with what an admin may see of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDetails {
    /// The user.
    pub user: UserCard,
    /// When the user last signed in: RFC 3339, UTC. Null if no session is left.
    pub signed_in_at: Option<String>,
    /// The number of browsers in which the user is signed in.
    pub sessions: i64,
    /// When the account was deactivated: RFC 3339, UTC. Null if it wasn't.
    pub deactivated_at: Option<String>,
    /// Why. May be empty.
    pub deactivated_because: String,
    /// What has to be finished before the account can be deleted. Empty for admins who may not do that.
    pub obstacles: Vec<Obstacle>,
    /// The user's roles in the admin area. Empty for admins who may not see the team.
    pub roles: Vec<AdminRole>,
    /// The shops that the user works for. Empty for admins who may not see shops.
    pub shops: Vec<Membership>,
    /// The latest orders of the account. None for admins who may not see orders.
    pub latest: Option<Vec<OrderCard>>,
}

/// A shop with what an admin may see of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopDetails {
    /// The shop.
    pub shop: AdminShopCard,
    /// The number of products that aren't published.
    pub unpublished: i64,
    /// The number of orders in each state, by its name. None for admins who may not see orders.
    pub orders: Option<Counted<OrderCard>>,
    /// The shop's balances: in its own currency, then in others. None for admins who may not see them.
    pub balances: Option<Vec<CurrencyBalance>>,
    /// The staff. Empty for admins who may not see users.
    pub staff: Vec<StaffMember>,
}

/// A user who works for a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    /// The user's ID.
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// The user's email address.
    pub email: String,
    /// The user's role in the shop.
    pub role: Role,
}

/// In the admin's list of payments, those that are, or were, disputed.
pub const DISPUTED: &str = "disputed";

/// The sort orders of the admin's list of payments. The first is the default.
pub const PAYMENT_SORTS: [&str; 2] = ["-created", "created"];

/// A payment in the admin's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentCard {
    /// The payment's ID. Gateways know it, too, as the ID of the attempt.
    pub id: PaymentId,
    /// The payment method.
    pub method: PaymentMethod,
    /// The gateway.
    pub gateway: String,
    /// The gateway's ID of the payment. Null until the gateway has responded.
    pub gateway_ref: Option<String>,
    /// What the gateway's own pages call the payment, if `gateway_ref` is the ID of something else, such as a session.
    pub paid_ref: Option<String>,
    /// The status.
    #[serde(rename = "status")]
    pub state: PaymentState,
    /// What became of the cash, if shops collect it. Null otherwise.
    pub cash: Option<CashState>,
    /// Why it failed. Null if it did not, or if that is unknown.
    pub failure: Option<PaymentFailure>,
    /// The requested amount.
    pub amount: Money,
    /// What the gateway has captured. Zero if the shop collects the money.
    pub captured: Money,
    /// What was refunded.
    pub refunded: Money,
    /// What is being refunded.
    pub being_refunded: Money,
    /// What the gateway charges for it. Zero until it is known.
    pub fee: Money,
    /// The number of the purchase that it pays for.
    pub purchase_number: Option<String>,
    /// The customer's email address, as entered in the checkout. Null if it is unknown.
    pub email: Option<String>,
    /// When the payment was started: RFC 3339, UTC.
    pub created_at: String,
    /// Whether it is disputed now.
    pub disputed: bool,
}

/// A payment with everything that is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentDetails {
    /// The payment.
    pub payment: PaymentCard,
    /// When it last changed: RFC 3339, UTC.
    pub updated_at: String,
    /// When the gateway is read again if no webhook arrives: RFC 3339, UTC. Null if nothing is left to read.
    pub check_at: Option<String>,
    /// The number of times that the gateway was read, besides webhooks.
    pub checks: i64,
    /// The gateway's own words about why it failed. May be empty.
    pub failure_note: String,
    /// The customer's name, as entered in the checkout. Null if it is unknown.
    pub name: Option<String>,
    /// The ID of the customer's account. Null for guests, and for admins who may not see users.
    pub customer_id: Option<UserId>,
    /// The orders of its purchase.
    pub orders: Vec<PaidOrder>,
    /// Its refunds, oldest first.
    pub refunds: Vec<PaymentRefund>,
    /// Its disputes, oldest first.
    pub disputes: Vec<PaymentDispute>,
    /// Whether an admin can act on refunds that failed.
    pub manages_refunds: bool,
    /// The webhooks about it, its refunds and disputes, oldest first.
    pub reports: Vec<PaymentReport>,
    /// The other payments of the same checkout, oldest first.
    pub others: Vec<PaymentCard>,
    /// What an admin can do about it now.
    pub actions: Vec<PaymentAction>,
}

/// An order that a payment pays for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaidOrder {
    /// The order number.
    pub number: String,
    /// The shop's name.
    pub shop_name: String,
    /// The status.
    #[serde(rename = "status")]
    pub state: OrderState,
    /// The order's total.
    pub total: Money,
    /// When it was placed: RFC 3339, UTC.
    pub placed_at: String,
    /// When it was delivered: RFC 3339, UTC. Null if it was not.
    pub delivered_at: Option<String>,
    /// When it was cancelled: RFC 3339, UTC. Null if it was not.
    pub cancelled_at: Option<String>,
}

/// An order in the admin area: what its shop sees, and what leads on from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminOrder {
    /// The order, as its shop sees it.
    pub order: SellerOrder,
    /// The payments of its purchase, oldest first. Empty for admins who may not see them.
    pub payments: Vec<PaymentCard>,
    /// The ID of the customer's account. None for guests, and for admins who may not see users.
    pub customer: Option<UserId>,
}

/// A refund of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentRefund {
    /// The refund's ID.
    pub id: RefundId,
    /// The gateway's ID of the refund. Null until the gateway has responded.
    pub gateway_ref: Option<String>,
    /// The amount.
    pub amount: Money,
    /// The status.
    #[serde(rename = "status")]
    pub state: RefundState,
    /// The reason.
    pub reason: RefundReason,
    /// How it was paid instead, if it failed at the gateway. May be empty.
    pub note: String,
    /// The number of the refunded order. Null if the payment paid for nothing.
    pub order_number: Option<String>,
    /// When it was requested: RFC 3339, UTC.
    pub created_at: String,
    /// When the money was on its way: RFC 3339, UTC. Null while it is not.
    pub completed_at: Option<String>,
}

text_enum! {
    /// The status of a refund at its gateway.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum RefundState {
        /// It will be requested from the gateway.
        Queued = "queued",
        /// The gateway has accepted it.
        Pending = "pending",
        /// The money is on its way, or the shop gave it back itself.
        Done = "done",
        /// It came back after the gateway had reported it as done. The money is still owed.
        Failed = "failed",
        /// It failed, and another refund was requested instead.
        Replaced = "replaced",
        /// It failed, and the money was paid in another way.
        PaidOtherwise = "paid_otherwise",
    }
}

text_enum! {
    /// What an admin can do about a refund that failed.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum RefundAction {
        /// Request it again.
        Retry = "retry",
        /// Record that the money was paid in another way.
        Settle = "settle",
    }
}

/// A webhook about a payment. It only caused the payment to be read from its gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentReport {
    /// What it is about: `payment`, `refund` or `dispute`.
    pub kind: String,
    /// The gateway's ID of the event.
    pub event: String,
    /// When it arrived: RFC 3339, UTC.
    pub received_at: String,
}

text_enum! {
    /// What an admin can do about a payment.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PaymentAction {
        /// Read it from its gateway now, and act on its status.
        Check = "check",
        /// Capture the authorized amount. If there is nothing to buy with it, it is refunded.
        Capture = "capture",
        /// Cancel it at the gateway, before it is captured.
        Cancel = "cancel",
    }
}

impl PaymentAction {
    /// Whether the action makes sense for a payment that a gateway handles, in this state.
    pub fn suits(self, state: PaymentState) -> bool {
        use PaymentState::*;
        match self {
            Self::Check => !matches!(state, Accepted),
            Self::Capture => matches!(state, Authorized),
            Self::Cancel => matches!(state, Pending | Authorized | Superseded),
        }
    }
}
