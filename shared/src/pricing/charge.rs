//! The price of a line or of shipping on its way from the list price to the total.

use super::{
    breakdown::{Adjustment, Bearer, Breakdown, Totals, adjust},
    items::{LineItem, ShopItems, TaxRule},
};
use crate::money::{Money, MoneyError};

/// The price of a line or of a shop's shipping while promotions are applied to it.
pub(super) struct Charge<'a> {
    pub(super) items: &'a ShopItems,
    pub(super) line: Option<&'a LineItem>,
    pub(super) tax: TaxRule,
    pub(super) list: Money,
    pub(super) discounted: Money,
    pub(super) adjustments: Vec<Adjustment>,
    /// Whether a promotion that can't be combined has lowered it.
    pub(super) closed: bool,
}

impl<'a> Charge<'a> {
    pub(super) fn new(
        items: &'a ShopItems,
        line: Option<&'a LineItem>,
        tax: TaxRule,
        list: Money,
    ) -> Result<Self, MoneyError> {
        tax.check()?;
        Ok(Self { items, line, tax, list, discounted: list, adjustments: Vec::new(), closed: false })
    }

    pub(super) fn price(self) -> Result<Breakdown, MoneyError> {
        let Self { line, tax: rule, list, mut discounted, mut adjustments, .. } = self;
        let zero = Money::zero(list.currency());
        if rule.exempt {
            let net = rule.exempt(discounted)?;
            if net != discounted {
                adjust(&mut adjustments, Adjustment::exemption(net.minus(discounted)?))?;
            }
            discounted = net;
        }
        let tax = Money::sum(list.currency(), rule.on(discounted)?)?;
        let total = if rule.included { discounted } else { discounted.plus(tax)? };
        let (subtotal, shipping) = if line.is_some() { (list, zero) } else { (zero, list) };
        let totals = Totals { subtotal, discount: list.minus(discounted)?, shipping, tax, total };
        let borne_by_shop = adjustments.iter().filter(|a| a.borne_by == Bearer::Shop).map(|a| a.amount);
        let commission_base = match line {
            Some(_) => Money::sum(list.currency(), borne_by_shop)?.plus(list)?,
            None => zero,
        };
        Ok(Breakdown { totals, adjustments, commission_base, commission: zero })
    }
}
