//! The one error type of the program: what went wrong, as a stable code, never as a sentence.
//!
//! Pages and emails turn it into text (`app/locales`), the REST API into problem details. A use case
//! returns it, and a server function passes it to the browser unchanged.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError},
    id::kinds::VariantId,
    money::{Money, MoneyError},
    orders::{Actor, OrderState},
};

/// The result of a use case.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{}", self.code())]
#[serde(rename_all = "snake_case")]
pub enum Error {
    /// There is no such thing, or none that this caller may know of.
    NotFound,
    /// What was sent does not hold; each field says why.
    Invalid(Vec<FieldError>),
    /// The state of things forbids it just now.
    Conflict(Conflict),
    /// Only for those who are signed in.
    SignInNeeded,
    /// Not allowed to this caller.
    Denied,
    /// More than we take.
    TooLarge,
    /// Too often; try again after so many seconds.
    RateLimited {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// Not now, and nothing was lost; the same request may succeed after so many seconds.
    Busy {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// The market could not be reached. Said by browsers alone.
    Offline,
    /// The events that were asked for are not kept any more. Carries the number to go on after.
    EventsExpired {
        /// The greatest number of an event that is not kept.
        after: i64,
    },
    /// A fault of ours. The log has it under the request's id.
    Internal,
}

/// Why the state of things forbids what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// Less is left than was asked for.
    OutOfStock(Vec<Shortage>),
    /// Nothing in the cart.
    CartEmpty,
    /// The checkout ended: it ran out of time, was cancelled, or a newer one took its place.
    CheckoutEnded,
    /// The checkout is paid already.
    AlreadyPaid,
    /// A payment of this checkout is under way.
    PaymentInProgress,
    /// The payment was refused; another one may succeed.
    PaymentDeclined,
    /// The total is not the one that was agreed to. Carries the new one.
    TotalChanged(Money),
    /// The shop takes another currency than the rest of the cart.
    MixedCurrencies,
    /// The same idempotency key came with another request.
    KeyReused,
    /// The same request is being worked on.
    InFlight,
    /// The order has moved on, or has not come so far. Carries where it stands.
    OrderMoved(OrderState),
    /// The order was cancelled before, by someone else or for another reason.
    AlreadyCancelled {
        /// Who cancelled it.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// Someone else saved it meanwhile. Carries the fields that they changed.
    Edited(Vec<String>),
    /// More than a guest may hold: of each thing, how many they may.
    GuestLimit(Vec<Shortage>),
    /// Cash is not for this order of a guest: it is too large, or there were too many.
    CashNeedsAccount,
    /// It was sold, or someone is buying it: it can be archived, not deleted.
    WasSold,
    /// The import was cancelled or failed.
    ImportEnded,
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
}

impl Error {
    /// An error at one field.
    pub fn field(field: impl Into<String>, code: FieldCode) -> Self {
        Self::Invalid(vec![FieldError::new(field, code)])
    }

    /// The stable name of what went wrong, for programs.
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
                Conflict::TotalChanged(_) => "total_changed",
                Conflict::MixedCurrencies => "mixed_currencies",
                Conflict::KeyReused => "key_reused",
                Conflict::InFlight => "in_flight",
                Conflict::OrderMoved(_) => "order_moved",
                Conflict::AlreadyCancelled { .. } => "already_cancelled",
                Conflict::Edited(_) => "edited",
                Conflict::GuestLimit(_) => "guest_limit",
                Conflict::CashNeedsAccount => "cash_needs_account",
                Conflict::WasSold => "was_sold",
                Conflict::ImportEnded => "import_ended",
            },
            Self::SignInNeeded => "sign_in_needed",
            Self::Denied => "denied",
            Self::TooLarge => "too_large",
            Self::RateLimited { .. } => "rate_limited",
            Self::Busy { .. } => "busy",
            Self::EventsExpired { .. } => "events_expired",
            Self::Offline => "offline",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status that says so.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Invalid(_) => 422,
            Self::Conflict(_) => 409,
            Self::SignInNeeded => 401,
            Self::Denied => 403,
            Self::EventsExpired { .. } => 410,
            Self::TooLarge => 413,
            Self::RateLimited { .. } => 429,
            Self::Busy { .. } | Self::Offline => 503,
            Self::Internal => 500,
        }
    }

    /// Seconds to wait before the same request may succeed, where waiting helps.
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after_s } | Self::Busy { retry_after_s } => Some(*retry_after_s),
            Self::Conflict(Conflict::InFlight | Conflict::PaymentInProgress) => Some(1),
            _ => None,
        }
    }

    /// The code at a field, if that field is among what does not hold.
    pub fn at(&self, field: &str) -> Option<FieldCode> {
        match self {
            Self::Invalid(fields) => fields.iter().find(|f| f.field == field).map(|f| f.code),
            _ => None,
        }
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
