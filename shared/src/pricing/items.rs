//! What is priced: lines, their tax, and the shipping of each shop.

use uuid::Uuid;

use crate::{
    id::kinds::ShopId,
    money::{Currency, Money, MoneyError, Rounding},
};

text_enum! {
    /// The kind of a line.
    pub enum LineKind {
        /// Goods that are shipped or handed over.
        Goods = "goods",
        /// A service at a given time.
        Service = "service",
        /// A download.
        Digital = "digital",
        /// A gift card: never discounted.
        GiftCard = "gift_card",
    }
}

/// A tax rate, and how it applies to a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxRule {
    /// The rate in basis points.
    pub rate_bp: i64,
    /// Whether the price includes the tax. Otherwise it is added.
    pub included: bool,
}

impl TaxRule {
    /// No tax.
    pub const NONE: Self = Self::included(0);

    /// Tax of this rate, included in the price.
    pub const fn included(rate_bp: i64) -> Self {
        Self { rate_bp, included: true }
    }

    /// Tax of this rate, added to the price.
    pub const fn added(rate_bp: i64) -> Self {
        Self { rate_bp, included: false }
    }

    /// The tax on a price.
    pub(super) fn on(self, price: Money) -> Result<Money, MoneyError> {
        match self.included {
            true => price.included_bp(self.rate_bp, Rounding::HalfUp),
            false => price.rate_bp(self.rate_bp, Rounding::HalfUp),
        }
    }
}

/// A line item to be priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineItem {
    /// Identifies the line within the quote.
    pub id: Uuid,
    /// The kind.
    pub kind: LineKind,
    /// The quantity.
    pub quantity: i64,
    /// The list price per unit.
    pub unit_price: Money,
    /// The tax on it.
    pub tax: TaxRule,
    /// The marketplace's commission on it, in basis points.
    pub commission_bp: i64,
}

impl LineItem {
    /// The price of the quantity, before discounts.
    pub fn list_price(&self) -> Result<Money, MoneyError> {
        self.unit_price.times(self.quantity)
    }
}

/// The shipping of a shop's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipping {
    /// The price of the chosen option.
    pub price: Money,
    /// The tax on it.
    pub tax: TaxRule,
}

impl Shipping {
    /// Shipping without tax.
    pub const fn untaxed(price: Money) -> Self {
        Self { price, tax: TaxRule::NONE }
    }
}

/// The items of one shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopItems {
    /// The shop.
    pub shop: ShopId,
    /// The lines.
    pub lines: Vec<LineItem>,
    /// The shipping; `None` if nothing is shipped.
    pub shipping: Option<Shipping>,
}

impl ShopItems {
    /// The list price of the lines, on which shipping prices depend.
    pub fn subtotal(&self, currency: Currency) -> Result<Money, MoneyError> {
        self.lines.iter().try_fold(Money::zero(currency), |sum, line| sum.plus(line.list_price()?))
    }
}
