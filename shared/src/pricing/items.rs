//! What is priced: lines, their tax, and the shipping of each shop.

use uuid::Uuid;

use super::arithmetic::within;
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

/// The most taxes that one price can have, such as CGST and SGST, or a country's and a province's.
pub const TAXES_MAX: usize = 3;

/// 100 % in millionths.
const WHOLE_PPM: i64 = 1_000_000;

/// The taxes on a price: the rate of each, and how they apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxRule {
    /// The rate of each tax in millionths. The rest is zero.
    pub rates_ppm: [i64; TAXES_MAX],
    /// Whether the price includes the taxes. Otherwise they are added.
    pub included: bool,
    /// Whether the customer is exempt: nothing is added, and what the price includes is taken off it.
    pub exempt: bool,
}

impl TaxRule {
    /// No tax.
    pub const NONE: Self = Self::included(0);

    /// One tax of this rate, included in the price.
    pub const fn included(rate_ppm: i64) -> Self {
        Self { rates_ppm: [rate_ppm, 0, 0], included: true, exempt: false }
    }

    /// One tax of this rate, added to the price.
    pub const fn added(rate_ppm: i64) -> Self {
        Self { included: false, ..Self::included(rate_ppm) }
    }

    /// Fails unless the rates are 100 % together at the most, so that what is included never exceeds the price.
    pub(super) fn check(self) -> Result<(), MoneyError> {
        let total = self.rates_ppm.iter().try_fold(0, |sum, rate| Ok(sum + within(*rate, WHOLE_PPM)?))?;
        within(total, WHOLE_PPM).map(|_| ())
    }

    /// The price for those who are exempt: without the taxes that it includes, rounded half up once.
    pub(super) fn exempt(self, price: Money) -> Result<Money, MoneyError> {
        let total: i64 = if self.included { self.rates_ppm.iter().sum() } else { 0 };
        price.minus(price.fraction(total, WHOLE_PPM + total, Rounding::HalfUp)?)
    }

    /// Each tax on a price, rounded half up. Nothing for those who are exempt.
    pub fn on(self, price: Money) -> Result<[Money; TAXES_MAX], MoneyError> {
        let mut taxes = [Money::zero(price.currency()); TAXES_MAX];
        if self.exempt {
            return Ok(taxes);
        }
        let whole = WHOLE_PPM + if self.included { self.rates_ppm.iter().sum() } else { 0 };
        for (tax, rate) in taxes.iter_mut().zip(self.rates_ppm) {
            *tax = price.fraction(rate, whole, Rounding::HalfUp)?;
        }
        Ok(taxes)
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
