//! Pricing: the one function that calculates every price that is shown or charged.
//!
//! [`quote`] takes the items of each shop, the shipping that was chosen for them, and the promotions that
//! may apply. It returns a [`Breakdown`] for each line, for each shop's shipping, for each shop and for the
//! whole. Amounts are whole minor units of one currency; each level is the exact sum of the level below.
//!
//! For each line, and for the shipping of each shop:
//!
//! ```text
//! list       = unit price × quantity                      shipping: the price of the chosen option
//! discounted = list − its discounts
//! tax        = Σ discounted × rate ÷ (1 + Σ rates), each half up    if the price includes it
//!            = Σ discounted × rate, each half up                    if it is added
//! total      = discounted + tax that is added
//! ```
//!
//! A line can have several **taxes**, such as CGST and SGST. Each is rounded once, on the line, and never again: the tax
//! of a shop or of the whole is the sum. For customers who are **exempt**, nothing is added, and what a price includes
//! is taken off it, which is an adjustment like a discount.
//!
//! **Promotions** apply one after another, in the given order, each to the prices that the previous ones
//! left. So a discount never exceeds the price. One that can't be combined leaves alone what an earlier one has
//! lowered, and no later one lowers what it has.
//!
//! ```text
//! covered  = the lines in scope, except gift cards;
//!            for free shipping, the shipping of the shops that have such lines
//! applies  if Σ list of the covered lines ≥ minimum
//! wanted   = Σ discounted × percent, half up  |  the fixed amount  |  Σ discounted, of shipping  |
//!            of every (buy + get) items, the cheapest `get`: their share of their line, × percent, half up
//! discount = min(wanted, Σ discounted, cap), allocated in proportion to the discounted prices,
//!            or to the reduced items
//! market   = discount × the share that the marketplace bears, half up, allocated in proportion
//! ```
//!
//! Units left over by an allocation ([`Money::allocate`]) go to the largest remainders and, among equals, to
//! the first by shop and line ID. So the order in which shops and lines are given changes nothing.
//!
//! **Commission** is due on what the shop sold its goods for: a discount borne by the marketplace does not
//! reduce it, and neither shipping nor added tax is part of it. It is rounded once per rate of a shop, in
//! the shop's favour.
//!
//! ```text
//! base       = list − discounts borne by the shop     of a line
//! commission = ⌊ Σ base × rate ⌋                      per rate, allocated in proportion to the bases
//! ```

mod arithmetic;
mod breakdown;
mod charge;
mod items;
mod promotions;

use std::collections::BTreeMap;

use crate::{
    id::kinds::ShopId,
    money::{Currency, Money, MoneyError, Rounding},
};

use arithmetic::{WHOLE_BP, checked, shared, within};
use charge::{Charge, Order};

pub use breakdown::{Adjustment, Bearer, Breakdown, EXEMPTION, Totals};
pub use items::{LineItem, LineKind, Shipping, ShopItems, TAXES_MAX, TaxRule};
pub use promotions::{BUY_GET_MAX, Benefit, Promotion, Scope};

/// A line with its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineQuote {
    /// The line.
    pub line: LineItem,
    /// Its price.
    pub price: Breakdown,
}

/// The items of one shop with their prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopQuote {
    /// The shop.
    pub shop: ShopId,
    /// The lines, in the given order.
    pub lines: Vec<LineQuote>,
    /// The price of shipping.
    pub shipping: Breakdown,
    /// The price of the lines and shipping.
    pub price: Breakdown,
}

/// A quote: what a cart or checkout costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The shops, in the given order.
    pub shops: Vec<ShopQuote>,
    /// The price of everything.
    pub price: Breakdown,
}

/// Calculates all prices by the rules of this [module](self). Fails if currencies are mixed, if a price,
/// quantity or rate is out of bounds, and on overflow.
pub fn quote(currency: Currency, shops: &[ShopItems], promotions: &[Promotion]) -> Result<Quote, MoneyError> {
    let mut charges = charged(currency, shops, promotions)?.into_iter();
    let mut quote = Quote { shops: Vec::new(), price: Breakdown::zero(currency) };
    for items in shops {
        let mut lines = Vec::new();
        for (line, charge) in items.lines.iter().zip(&mut charges) {
            lines.push(LineQuote { line: *line, price: charge.price()? });
        }
        share_commission(currency, &mut lines)?;
        let shipping = match items.shipping.and_then(|_| charges.next()) {
            Some(charge) => charge.price()?,
            None => Breakdown::zero(currency),
        };
        let goods = lines.iter().try_fold(Breakdown::zero(currency), |sum, line| sum.plus(&line.price))?;
        let price = goods.plus(&shipping)?;
        quote.price = quote.price.plus(&price)?;
        quote.shops.push(ShopQuote { shop: items.shop, lines, shipping, price });
    }
    Ok(quote)
}

/// The total of a [`quote`], without what it consists of.
pub(crate) fn total(
    currency: Currency,
    shops: &[ShopItems],
    promotions: &[Promotion],
) -> Result<Money, MoneyError> {
    let charges = charged(currency, shops, promotions)?;
    charges.iter().try_fold(Money::zero(currency), |sum, charge| sum.plus(charge.total()?))
}

/// The charges of a basket after promotions, in the given order.
fn charged<'a>(
    currency: Currency,
    shops: &'a [ShopItems],
    promotions: &[Promotion],
) -> Result<Vec<Charge<'a>>, MoneyError> {
    let mut charges = Vec::new();
    for items in shops {
        for line in &items.lines {
            within(line.quantity, i64::MAX)?;
            within(line.commission_bp, WHOLE_BP)?;
            checked(currency, line.unit_price)?;
            charges.push(Charge::new(items, Some(line), line.tax, line.list_price()?)?);
        }
        if let Some(shipping) = items.shipping {
            charges.push(Charge::new(items, None, shipping.tax, checked(currency, shipping.price)?)?);
        }
    }
    let order = Order::of(&charges);
    for (place, promotion) in promotions.iter().enumerate() {
        promotion.apply(place, currency, &mut charges, &order)?;
    }
    Ok(charges)
}

/// Sets the commission of a shop's lines, rounded once per rate.
fn share_commission(currency: Currency, lines: &mut [LineQuote]) -> Result<(), MoneyError> {
    let mut by_rate: BTreeMap<i64, Vec<&mut LineQuote>> = BTreeMap::new();
    for line in lines {
        by_rate.entry(line.line.commission_bp).or_default().push(line);
    }
    for (rate_bp, mut lines) in by_rate {
        lines.sort_by_key(|line| line.line.id);
        let bases: Vec<Money> = lines.iter().map(|line| line.price.commission_base).collect();
        let commission = Money::sum(currency, bases.iter().copied())?.rate_bp(rate_bp, Rounding::Down)?;
        for (line, part) in lines.into_iter().zip(shared(commission, &bases)?) {
            line.price.commission = part;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod worked;
