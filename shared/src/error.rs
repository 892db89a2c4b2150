//! The one error type of the program: what went wrong, as a stable code, never as a sentence.
//!
//! Pages and emails turn it into text (`app/locales`), the REST API into problem details. A use case
//! returns it, and a server function passes it to the browser unchanged.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError},
    fulfilment::{Actor, OrderState},
    gift_cards::GiftCardRefusal,
    id::kinds::{CapacityId, VariantId},
    money::{Money, MoneyError},
    promotions::Refusal,
    returns::ReturnState,
};

/// The result of a use case.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{}", self.code())]
#[serde(rename_all = "snake_case")]
pub enum Error {
    /// Not found, or not visible to this caller.
    NotFound,
    /// Invalid input, with the reason for each field.
    Invalid(Vec<FieldError>),
    /// The current state does not allow it.
    Conflict(Conflict),
    /// Only for signed-in users.
    SignInNeeded,
    /// The caller is not allowed to do this.
    Denied,
    /// The request or file is too large.
    TooLarge,
    /// Too many requests. Try again after this many seconds.
    RateLimited {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// An uploaded picture waited too long for others, or too many were on their way. Try again after this
    /// many seconds.
    PicturesBusy {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// Temporarily unavailable. Nothing was lost; the same request may succeed after this many seconds.
    Busy {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// The server could not be reached. Only browsers report this.
    Offline,
    /// The requested events are no longer kept. Carries the number to continue from.
    EventsExpired {
        /// The highest number of an event that is no longer kept.
        after: i64,
    },
    /// An internal error. The log has the details under the request's ID.
    Internal,
}

/// Why the current state does not allow what was requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// There is less stock than requested.
    OutOfStock(Vec<Shortage>),
    /// The cart is empty.
    CartEmpty,
    /// The checkout has ended: it expired, was cancelled, or was superseded by a newer one.
    CheckoutEnded,
    /// The checkout has already been paid.
    AlreadyPaid,
    /// Another payment of this checkout is in progress.
    PaymentInProgress,
    /// The payment was declined; another one may succeed.
    PaymentDeclined,
    /// The shopper cancelled the payment at the gateway. Nothing was charged.
    PaymentCancelled,
    /// The quote is not the one that the shopper saw. Carries the new one.
    TotalChanged {
        /// The total.
        total: Money,
        /// The version of the quote.
        quote_version: i64,
    },
    /// The shop uses another currency than the rest of the cart.
    MixedCurrencies,
    /// The idempotency key was used with another request.
    KeyReused,
    /// The same request is still being processed.
    InFlight,
    /// The order's status does not allow it. Carries the status.
    OrderMoved(OrderState),
    /// The payment's status does not allow it.
    PaymentMoved,
    /// A part of the order was shipped, so it can't be cancelled.
    PartlyShipped,
    /// The order was already cancelled, by someone else or for another reason.
    AlreadyCancelled {
        /// Who cancelled it.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// The return was already received, with another decision about its items.
    ReturnReceived,
    /// The return's status does not allow it. Carries the status.
    ReturnMoved(ReturnState),
    /// The order can't be returned, or not any more.
    NotReturnable,
    /// Someone else has saved it in the meantime. Carries the fields that they changed.
    Edited(Vec<String>),
    /// More than a guest may hold. Carries the maximum for each item.
    GuestLimit(Vec<Shortage>),
    /// Cash on delivery is not available for this guest: the order is too large, or there were too many.
    CashNeedsAccount,
    /// It was sold or is part of a checkout: it can be archived, not deleted.
    WasSold,
    /// The import was stopped or has failed.
    ImportEnded,
    /// The last owner of the market keeps this role.
    LastOwner,
    /// An admin can't do this to their own account.
    OwnAccount,
    /// The account was deleted.
    AccountDeleted,
    /// Something has to be finished before the account can be deleted. The pages of accounts say what.
    AccountInUse,
    /// The payout's status does not allow it.
    PayoutMoved,
    /// Whoever requested a payout can't approve it.
    OwnPayout,
    /// The payment of the order is disputed, so it can't be cancelled.
    Disputed,
    /// The refund's status does not allow it.
    RefundMoved,
    /// The promotion has been used, or is part of a checkout: it can be ended, not deleted.
    PromotionUsed,
    /// A code doesn't apply.
    Code(Refusal),
    /// A code doesn't apply because of its minimum or maximum. Carries which, and the amount.
    CodeLimit(Refusal, Money),
    /// These shops don't ship to the address: their names, each with its items.
    NotShipped(Vec<String>),
    /// A gift card can't pay.
    GiftCard(GiftCardRefusal),
    /// The shop has blocked the customer: nothing can be sent in their conversation.
    ConversationBlocked,
    /// The message can't be edited or deleted any more.
    MessageKept,
    /// The customer of the order has no account.
    CustomerIsGuest,
    /// The time of an appointment is taken, or no longer offered. Carries the titles of the services.
    TimeTaken(Vec<String>),
    /// Customers can't move or cancel this appointment by themselves any more.
    TooLate,
    /// The last units at the price of an event were taken meanwhile. Nothing is held.
    PricesChanged,
}

/// A line that can't be fulfilled completely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shortage {
    /// The ID of the variant.
    pub variant: VariantId,
    /// The product's title.
    pub title: String,
    /// The quantity available.
    pub left: i64,
    /// Whether it is no longer sold at all, and so will not be back.
    #[serde(default)]
    pub discontinued: bool,
    /// The capacity of which there is too little, such as the stock of the variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacityId>,
}

impl Error {
    /// An error at one field.
    pub fn field(field: impl Into<String>, code: FieldCode) -> Self {
        Self::Invalid(vec![FieldError::new(field, code)])
    }

    /// The stable name of the error, for API clients.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Invalid(_) => "invalid",
            Self::Conflict(conflict) => match conflict {
                Conflict::OutOfStock(_) => "out_of_stock",
                Conflict::CartEmpty => "cart_empty",
                Conflict::CheckoutEnded => "checkout_ended",
                Conflict::AlreadyPaid => "already_paid",
                Conflict::PaymentInProgress => "payment_in_progress",
                Conflict::PaymentDeclined => "payment_declined",
                Conflict::PaymentCancelled => "payment_cancelled",
                Conflict::TotalChanged { .. } => "total_changed",
                Conflict::MixedCurrencies => "mixed_currencies",
                Conflict::KeyReused => "key_reused",
                Conflict::InFlight => "in_flight",
                Conflict::OrderMoved(_) => "order_moved",
                Conflict::PaymentMoved => "payment_moved",
                Conflict::PartlyShipped => "partly_shipped",
                Conflict::AlreadyCancelled { .. } => "already_cancelled",
                Conflict::ReturnReceived => "return_received",
                Conflict::ReturnMoved(_) => "return_moved",
                Conflict::NotReturnable => "not_returnable",
                Conflict::Edited(_) => "edited",
                Conflict::GuestLimit(_) => "guest_limit",
                Conflict::CashNeedsAccount => "cash_needs_account",
                Conflict::WasSold => "was_sold",
                Conflict::ImportEnded => "import_ended",
                Conflict::LastOwner => "last_owner",
                Conflict::OwnAccount => "own_account",
                Conflict::AccountDeleted => "account_deleted",
                Conflict::AccountInUse => "account_in_use",
                Conflict::PayoutMoved => "payout_moved",
                Conflict::OwnPayout => "own_payout",
                Conflict::Disputed => "disputed",
                Conflict::RefundMoved => "refund_moved",
                Conflict::PromotionUsed => "promotion_used",
                Conflict::Code(refusal) | Conflict::CodeLimit(refusal, _) => refusal.as_str(),
                Conflict::NotShipped(_) => "not_shipped",
                Conflict::GiftCard(refusal) => refusal.as_str(),
                Conflict::ConversationBlocked => "conversation_blocked",
                Conflict::MessageKept => "message_kept",
                Conflict::CustomerIsGuest => "customer_is_guest",
                Conflict::TimeTaken(_) => "time_taken",
                Conflict::TooLate => "too_late",
                Conflict::PricesChanged => "prices_changed",
            },
            Self::SignInNeeded => "sign_in_needed",
            Self::Denied => "denied",
            Self::TooLarge => "too_large",
            Self::RateLimited { .. } => "rate_limited",
            Self::PicturesBusy { .. } => "pictures_busy",
            Self::Busy { .. } => "busy",
            Self::EventsExpired { .. } => "events_expired",
            Self::Offline => "offline",
            Self::Internal => "internal",
        }
    }

    /// The matching HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Invalid(_) => 422,
            Self::Conflict(_) => 409,
            Self::SignInNeeded => 401,
            Self::Denied => 403,
            Self::EventsExpired { .. } => 410,
            Self::TooLarge => 413,
            Self::RateLimited { .. } | Self::PicturesBusy { .. } => 429,
            Self::Busy { .. } | Self::Offline => 503,
            Self::Internal => 500,
        }
    }

    /// Seconds to wait before the same request may succeed, if waiting helps.
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after_s }
            | Self::PicturesBusy { retry_after_s }
            | Self::Busy { retry_after_s } => Some(*retry_after_s),
            Self::Conflict(Conflict::InFlight | Conflict::PaymentInProgress) => Some(1),
            _ => None,
        }
    }

    /// The code at a field, if that field is invalid.
    pub fn at(&self, field: &str) -> Option<FieldCode> {
        match self {
            Self::Invalid(fields) => fields.iter().find(|f| f.field == field).map(|f| f.code),
            _ => None,
        }
    }
}

impl Conflict {
    /// A code that doesn't apply, with the minimum or maximum for which it doesn't.
    pub fn of_code(refusal: Refusal, limit: Option<Money>) -> Self {
        limit.map_or(Self::Code(refusal), |limit| Self::CodeLimit(refusal, limit))
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl From<crate::id::BadId> for Error {
    fn from(_: crate::id::BadId) -> Self {
        Self::NotFound
    }
}

impl From<MoneyError> for Error {
    fn from(error: MoneyError) -> Self {
        match error {
            MoneyError::MixedCurrencies => Self::Conflict(Conflict::MixedCurrencies),
            _ => Self::Internal,
        }
    }
}
