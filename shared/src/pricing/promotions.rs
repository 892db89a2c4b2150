//! Promotions, and how they reduce prices.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    arithmetic::{WHOLE_BP, checked, lesser, shared, within},
    breakdown::{Adjustment, Bearer, adjust},
    charge::Charge,
    items::{LineItem, LineKind, ShopItems},
};
use crate::{
    id::kinds::{PromotionId, ShopId},
    money::{Currency, Money, MoneyError, Rounding},
};

/// A promotion that may reduce prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// Its ID; `None` for one of the program's own.
    pub id: Option<PromotionId>,
    /// The code that the shopper entered. Empty for an automatic offer.
    pub code: String,
    /// The name that shoppers see.
    pub label: String,
    /// The share of its cost that the marketplace bears, in basis points. The shops bear the rest.
    pub market_bp: i64,
    /// Whether it can be combined with others. One that can't be is the only one on each line that it lowers.
    pub combines: bool,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Benefit {
    /// A discount on the items, in basis points.
    Percent(i64),
    /// A fixed discount on all items together, at most their price.
    Amount(Money),
    /// Free shipping.
    FreeShipping,
    /// Of every `buy` + `get` items, the cheapest `get` are reduced.
    BuyGet {
        /// How many are bought at the full price.
        buy: i64,
        /// How many are reduced.
        get: i64,
        /// By how much, in basis points.
        off_bp: i64,
    },
}

/// The maximum of the numbers of [`Benefit::BuyGet`].
pub const BUY_GET_MAX: i64 = 100;

impl Promotion {
    /// Those of the promotions whose amounts, if they have any, are in this currency.
    pub fn of_currency(promotions: &[Self], currency: Currency) -> Vec<Self> {
        let fits = |promotion: &&Self| {
            let amount = match promotion.benefit {
                Benefit::Amount(amount) => Some(amount),
                Benefit::Percent(_) | Benefit::FreeShipping | Benefit::BuyGet { .. } => None,
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
        let open = |charge: &Charge| !charge.closed && (self.combines || charge.adjustments.is_empty());
        let target =
            |charge: &Charge| open(charge) && if free_shipping { ships(charge) } else { covered(charge) };
        let mut targets: Vec<&mut Charge> = charges.iter_mut().filter(|charge| target(charge)).collect();
        targets.sort_by_key(|charge| (charge.items.shop, charge.line.map(|line| line.id)));
        let prices: Vec<Money> = targets.iter().map(|charge| charge.discounted).collect();
        let discounted = Money::sum(currency, prices.iter().copied())?;
        // What it would take off, and in proportion to what.
        let (wanted, weights) = match self.benefit {
            Benefit::Percent(rate_bp) => {
                (discounted.rate_bp(within(rate_bp, WHOLE_BP)?, Rounding::HalfUp)?, prices)
            }
            Benefit::Amount(amount) => (checked(amount)?, prices),
            Benefit::FreeShipping => (discounted, prices),
            Benefit::BuyGet { buy, get, off_bp } => {
                let parts = cheapest(currency, &targets, (buy, get), off_bp)?;
                (Money::sum(currency, parts.iter().copied())?, parts)
            }
        };
        let most = lesser(discounted, self.cap.map_or(Ok(discounted), checked)?);
        if checked(self.minimum.unwrap_or(Money::zero(currency)))?.amount() > goods.amount() {
            return Ok(());
        }
        let parts = shared(lesser(wanted, most), &weights)?;
        // Who bears it is decided for the whole, rounded once.
        let by_market = Money::sum(currency, parts.iter().copied())?
            .rate_bp(within(self.market_bp, WHOLE_BP)?, Rounding::HalfUp)?;
        let by_market = shared(by_market, &parts)?;
        for ((charge, part), by_market) in targets.into_iter().zip(parts).zip(by_market) {
            if part.amount() > 0 {
                charge.discounted = charge.discounted.minus(part)?;
                charge.closed = !self.combines;
                let borne = [(Bearer::Shop, part.minus(by_market)?), (Bearer::Market, by_market)];
                for (borne_by, part) in borne.into_iter().filter(|(_, part)| part.amount() > 0) {
                    let (code, label, amount) = (self.code.clone(), self.label.clone(), part.times(-1)?);
                    let new = Adjustment { promotion: self.id, code, label, borne_by, amount };
                    adjust(&mut charge.adjustments, new)?;
                }
            }
        }
        Ok(())
    }
}

/// What the cheapest items are reduced by: of every `buy` + `get` items of all lines, `get`. Among equal list prices, those of
/// the first lines.
fn cheapest(
    currency: Currency,
    targets: &[&mut Charge],
    (buy, get): (i64, i64),
    off_bp: i64,
) -> Result<Vec<Money>, MoneyError> {
    let set = within(buy, BUY_GET_MAX)? + within(get, BUY_GET_MAX)?;
    let lines = || targets.iter().filter_map(|charge| charge.line);
    let count = lines().try_fold(0i64, |sum, line| sum.checked_add(line.quantity));
    let mut left = count.ok_or(MoneyError::OutOfBounds)? / set.max(1) * get;
    let mut order: Vec<(usize, &LineItem)> = lines().enumerate().collect();
    order.sort_by_key(|(_, line)| (line.unit_price.amount(), line.id));
    let mut parts = vec![Money::zero(currency); targets.len()];
    for (at, line) in order {
        let reduced = left.min(line.quantity);
        if reduced > 0 {
            let price = targets[at].discounted.part(line.quantity, 0, reduced)?;
            parts[at] = price.rate_bp(within(off_bp, WHOLE_BP)?, Rounding::HalfUp)?;
            left -= reduced;
        }
    }
    Ok(parts)
}
