//! Promotions, and how they reduce prices.

use uuid::Uuid;

use super::{
    arithmetic::{WHOLE_BP, checked, lesser, shared, within},
    breakdown::{Adjustment, Bearer, adjust},
    charge::Charge,
    items::{LineItem, LineKind, ShopItems},
};
use crate::{
    id::kinds::ShopId,
    money::{Currency, Money, MoneyError, Rounding},
};

/// A promotion that may reduce prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// The code entered by the shopper, or an internal one.
    pub code: String,
    /// The name that shoppers see.
    pub label: String,
    /// Who bears the cost.
    pub borne_by: Bearer,
    /// What it applies to.
    pub scope: Scope,
    /// What it reduces, and by how much.
    pub benefit: Benefit,
    /// The minimum list price of the lines in scope.
    pub minimum: Option<Money>,
    /// The maximum discount.
    pub cap: Option<Money>,
}

/// What a promotion applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Market,
    /// The items of one shop.
    Shop(ShopId),
    /// The lines with these IDs.
    Lines(Vec<Uuid>),
}

/// The benefit of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Benefit {
    /// A discount on the items, in basis points.
    Percent(i64),
    /// A fixed discount on all items together, at most their price.
    Amount(Money),
    /// Free shipping.
    FreeShipping,
}

impl Promotion {
    /// Those of the promotions whose amounts, if they have any, are in this currency.
    pub fn of_currency(promotions: &[Self], currency: Currency) -> Vec<Self> {
        let fits = |promotion: &&Self| {
            let amount = match promotion.benefit {
                Benefit::Amount(amount) => Some(amount),
                Benefit::Percent(_) | Benefit::FreeShipping => None,
            };
            let mut amounts = [amount, promotion.minimum, promotion.cap].into_iter().flatten();
            amounts.all(|amount| amount.currency() == currency)
        };
        promotions.iter().filter(fits).cloned().collect()
    }

    /// Whether it covers a line of a shop.
    fn covers(&self, items: &ShopItems, line: &LineItem) -> bool {
        let in_scope = match &self.scope {
            Scope::Market => true,
            Scope::Shop(shop) => *shop == items.shop,
            Scope::Lines(lines) => lines.contains(&line.id),
        };
        in_scope && line.kind != LineKind::GiftCard
    }

    /// Applies it to what it covers.
    pub(super) fn apply(&self, currency: Currency, charges: &mut [Charge]) -> Result<(), MoneyError> {
        let checked = |amount| checked(currency, amount);
        let covered = |charge: &Charge| charge.line.is_some_and(|line| self.covers(charge.items, line));
        let ships = |charge: &Charge| {
            charge.line.is_none() && charge.items.lines.iter().any(|line| self.covers(charge.items, line))
        };
        let goods = charges.iter().filter(|charge| covered(charge)).map(|charge| charge.list);
        let goods = Money::sum(currency, goods)?;
        let free_shipping = self.benefit == Benefit::FreeShipping;
        let target = |charge: &Charge| if free_shipping { ships(charge) } else { covered(charge) };
        let mut targets: Vec<&mut Charge> = charges.iter_mut().filter(|charge| target(charge)).collect();
        targets.sort_by_key(|charge| (charge.items.shop, charge.line.map(|line| line.id)));
        let prices: Vec<Money> = targets.iter().map(|charge| charge.discounted).collect();
        let discounted = Money::sum(currency, prices.iter().copied())?;
        let wanted = match self.benefit {
            Benefit::Percent(rate_bp) => discounted.rate_bp(within(rate_bp, WHOLE_BP)?, Rounding::HalfUp)?,
            Benefit::Amount(amount) => checked(amount)?,
            Benefit::FreeShipping => discounted,
        };
        let most = lesser(discounted, self.cap.map_or(Ok(discounted), checked)?);
        if checked(self.minimum.unwrap_or(Money::zero(currency)))?.amount() > goods.amount() {
            return Ok(());
        }
        for (charge, part) in targets.into_iter().zip(shared(lesser(wanted, most), &prices)?) {
            if part.amount() > 0 {
                charge.discounted = charge.discounted.minus(part)?;
                let (code, label, borne_by) = (self.code.clone(), self.label.clone(), self.borne_by);
                let amount = part.times(-1)?;
                adjust(&mut charge.adjustments, Adjustment { code, label, borne_by, amount })?;
            }
        }
        Ok(())
    }
}
