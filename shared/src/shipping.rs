//! Shipping: where a shop ships to, how, for how much, and when it arrives.
//!
//! A shop's [`ShippingRules`] are its zones and its working days. A zone is made of [`Area`]s; what is more
//! exact wins, so every address lies in one zone at most. The zone offers methods, each priced by steps of
//! weight, value or number of items. A method that has no step for a parcel is not offered, and a shop with no
//! method for it does not ship it there.

mod areas;
mod calendar;
mod form;
mod rules;
mod slots;

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money};

pub use areas::{Area, Place};
pub use calendar::{Calendar, Moment, date};
pub use form::{
    AREAS_MAX, BASKET_MAX, BasketForm, CalendarForm, HOLIDAYS_MAX, MethodForm, ShippingPreview,
    ShippingSettings, ZONES_MAX, ZoneForm, without_overlap,
};
pub use rules::{Method, Parcel, PriceBy, ShippingRules, Step, Zone};
pub use slots::{
    BookedSlot, SLOT_DAYS, Slot, SlotForm, SlotOffer, SlotState, SlotView, SlotWindow, WINDOWS_MAX,
};

text_enum! {
    /// A shipping method.
    #[derive(Default, PartialOrd, Ord, Hash)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ShippingMethod {
        /// Standard shipping.
        #[default]
        Standard = "standard",
        /// Express shipping.
        Express = "express",
        /// Local pickup.
        Pickup = "pickup",
        /// Delivery in a slot that the customer chooses.
        Slot = "slot",
        /// Nothing is handed over: the order is appointments.
        Appointment = "appointment",
    }
}

impl ShippingMethod {
    /// Those that shops can offer.
    pub const OFFERED: [Self; 4] = [Self::Standard, Self::Express, Self::Pickup, Self::Slot];

    /// Whether someone carries it to the customer.
    pub fn is_carried(self) -> bool {
        match self {
            Self::Standard | Self::Express | Self::Slot => true,
            Self::Pickup | Self::Appointment => false,
        }
    }
}

/// A shipping method with its price.
// Stored with checkouts as JSON: a field that is added needs a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShippingOption {
    /// The shipping method.
    #[serde(alias = "delivery")]
    pub shipping_method: ShippingMethod,
    /// The shop's own name for it. May be empty.
    #[serde(default)]
    pub name: String,
    /// The shipping price.
    pub price: Money,
    /// The minimum and maximum number of days for delivery, from the day on which it was offered.
    pub days: (i64, i64),
    /// The first and the last day on which it should arrive, if it is ordered by then: `2026-12-01`.
    #[serde(default)]
    pub arrives: (String, String),
    /// Whether what is shipped there can be paid in cash.
    #[serde(default)]
    pub cash: CashTerms,
}

/// Whether a shop takes cash in one of its zones. Usually it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CashTerms {
    /// Whether it takes none.
    pub refused: bool,
    /// The price of the items, before discounts, up to which it takes cash. Null without limit.
    pub most: Option<Money>,
}

impl CashTerms {
    /// Those of the zone that these options are of. Without any, cash is not what stops the order.
    pub fn of(options: &[ShippingOption]) -> Self {
        options.first().map(|option| option.cash).unwrap_or_default()
    }

    /// Whether it takes cash for items of this price.
    pub fn takes(&self, subtotal: i64) -> bool {
        !self.refused && self.most.is_none_or(|most| subtotal <= most.amount())
    }
}

impl ShippingOption {
    /// What replaces shipping in an order of nothing but appointments.
    pub fn appointment(currency: Currency) -> Self {
        Self {
            shipping_method: ShippingMethod::Appointment,
            name: String::new(),
            price: Money::zero(currency),
            days: (0, 0),
            arrives: (String::new(), String::new()),
            cash: CashTerms::default(),
        }
    }
}
