//! The price of a line or of shipping on its way from the list price to the total.

use uuid::Uuid;

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

/// The places of charges in an order that doesn't depend on that of the basket, in which amounts are allocated: by shop, its
/// shipping first, and by line.
pub(super) struct Order {
    places: Vec<usize>,
    /// The lines by ID, with their position in `places`.
    lines: Vec<(u128, usize)>,
}

impl Order {
    pub(super) fn of(charges: &[Charge]) -> Self {
        let mut places: Vec<usize> = (0..charges.len()).collect();
        places.sort_by_key(|&at| (charges[at].items.shop, charges[at].line.map(|line| line.id)));
        let lines = places.iter().enumerate();
        let lines = lines.filter_map(|(position, &at)| Some((charges[at].line?.id.as_u128(), position)));
        let mut lines: Vec<(u128, usize)> = lines.collect();
        lines.sort_unstable();
        Self { places, lines }
    }

    /// The places of all charges.
    pub(super) fn all(&self) -> impl Iterator<Item = usize> {
        self.places.iter().copied()
    }

    /// The places of lines with these IDs.
    pub(super) fn lines(&self, ids: &[Uuid]) -> Vec<usize> {
        let with = |id: u128| {
            let first = self.lines.partition_point(|(line, _)| *line < id);
            self.lines[first..].iter().take_while(move |(line, _)| *line == id).map(|(_, position)| *position)
        };
        let mut positions: Vec<usize> = ids.iter().map(Uuid::as_u128).flat_map(with).collect();
        positions.sort_unstable();
        positions.dedup();
        positions.into_iter().map(|position| self.places[position]).collect()
    }
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

    /// What is paid in the end.
    pub(super) fn total(&self) -> Result<Money, MoneyError> {
        let price = if self.tax.exempt { self.tax.exempt(self.discounted)? } else { self.discounted };
        match self.tax.included {
            true => Ok(price),
            false => price.plus(Money::sum(price.currency(), self.tax.on(price)?)?),
        }
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
