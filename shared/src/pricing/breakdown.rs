//! The result for a line, a shop or the whole: totals, adjustments by promotions, and commission.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    id::kinds::PromotionId,
    money::{Currency, Money, MoneyError},
};

/// The totals: `total = subtotal − discount + shipping`, plus any tax that prices do not include.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Totals {
    /// The price of the items, before discounts.
    pub subtotal: Money,
    /// The discount on items and shipping.
    pub discount: Money,
    /// The shipping price, before discounts.
    pub shipping: Money,
    /// The tax, both included in prices and added to them.
    pub tax: Money,
    /// The total to pay.
    pub total: Money,
}

impl Totals {
    /// All zero.
    pub const fn zero(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self { subtotal: zero, discount: zero, shipping: zero, tax: zero, total: zero }
    }

    /// The sum of two totals.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self {
            subtotal: self.subtotal.plus(other.subtotal)?,
            discount: self.discount.plus(other.discount)?,
            shipping: self.shipping.plus(other.shipping)?,
            tax: self.tax.plus(other.tax)?,
            total: self.total.plus(other.total)?,
        })
    }

    /// The sum of all totals.
    pub fn sum(currency: Currency, all: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        all.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// The part of the tax that was added to prices. The rest is included in them.
    pub fn added_tax(self) -> Result<Money, MoneyError> {
        self.total.plus(self.discount)?.minus(self.subtotal)?.minus(self.shipping)
    }
}

text_enum! {
    /// Who bears the cost of a discount.
    pub enum Bearer {
        /// The shop, which earns less.
        Shop = "shop",
        /// The marketplace: the shop earns as much as without the discount.
        Market = "market",
    }
}

/// A change of a price by a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// The promotion; `None` for one of the program's own.
    pub promotion: Option<PromotionId>,
    /// The promotion's code. Empty for an automatic offer.
    pub code: Arc<str>,
    /// The name that shoppers see.
    pub label: Arc<str>,
    /// Who bears the cost.
    pub borne_by: Bearer,
    /// The change of the price: negative for a discount.
    pub amount: Money,
    /// Its place in the order in which promotions apply.
    pub place: usize,
    /// Whether it was taken off what other promotions had left of a price.
    pub after_others: bool,
}

/// The label of what customers who are exempt from tax don't pay of prices that include it.
pub const EXEMPTION: &str = "VAT reverse charge";

impl Adjustment {
    /// What is taken off a price for a customer who is exempt from the tax in it. The shop doesn't owe that tax.
    pub(super) fn exemption(amount: Money) -> Self {
        Self {
            promotion: None,
            code: Arc::default(),
            label: EXEMPTION.into(),
            borne_by: Bearer::Shop,
            amount,
            place: usize::MAX,
            after_others: false,
        }
    }

    /// What tells it from the other adjustments of a price, which are sorted by it.
    pub(super) fn key(&self) -> (usize, bool) {
        (self.place, self.borne_by == Bearer::Shop)
    }
}

/// The price of a line, of shipping, of a shop's items with their shipping, or of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakdown {
    /// The totals.
    pub totals: Totals,
    /// The adjustments, in the order in which promotions apply. Their sum is the negative discount.
    pub adjustments: Vec<Adjustment>,
    /// The amount that commission is due on.
    pub commission_base: Money,
    /// The marketplace's commission.
    pub commission: Money,
}

impl Breakdown {
    pub(super) fn zero(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        let (totals, adjustments) = (Totals::zero(currency), Vec::new());
        Self { totals, adjustments, commission_base: zero, commission: zero }
    }

    pub(super) fn plus(mut self, part: &Self) -> Result<Self, MoneyError> {
        self.totals = self.totals.plus(part.totals)?;
        self.commission_base = self.commission_base.plus(part.commission_base)?;
        self.commission = self.commission.plus(part.commission)?;
        part.adjustments
            .iter()
            .try_for_each(|adjustment| adjust(&mut self.adjustments, adjustment.clone()))?;
        Ok(self)
    }
}

/// Inserts an adjustment in order, or adds its amount to that of the same promotion.
pub(super) fn adjust(adjustments: &mut Vec<Adjustment>, new: Adjustment) -> Result<(), MoneyError> {
    match adjustments.binary_search_by(|have| have.key().cmp(&new.key())) {
        Ok(at) => {
            let have = &mut adjustments[at];
            have.amount = have.amount.plus(new.amount)?;
            have.after_others |= new.after_others;
        }
        Err(at) => adjustments.insert(at, new),
    }
    Ok(())
}
