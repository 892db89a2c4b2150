//! Promotions, and how they reduce prices.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    arithmetic::{WHOLE_BP, checked, lesser, shared, within},
    breakdown::{Adjustment, Bearer, adjust},
    charge::{Charge, Order},
    items::{LineItem, LineKind},
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
    pub code: Arc<str>,
    /// The name that shoppers see.
    pub label: Arc<str>,
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

    /// The places of the lines that it covers.
    fn covered(&self, charges: &[Charge], order: &Order) -> Vec<usize> {
        let in_scope: Vec<usize> = match &self.scope {
            Scope::Market => order.all().collect(),
            Scope::Shop(shop) => order.all().filter(|&at| charges[at].items.shop == *shop).collect(),
            Scope::Lines(lines) => order.lines(lines),
        };
        let discounted = |at: &usize| charges[*at].line.is_some_and(|line| line.kind != LineKind::GiftCard);
        in_scope.into_iter().filter(discounted).collect()
    }

    /// Applies it to what it covers, as the one at this `place` among the promotions.
    pub(super) fn apply(
        &self,
        place: usize,
        currency: Currency,
        charges: &mut [Charge],
        order: &Order,
    ) -> Result<(), MoneyError> {
        let checked = |amount| checked(currency, amount);
        let covered = self.covered(charges, order);
        let goods = Money::sum(currency, covered.iter().map(|&at| charges[at].list))?;
        let open = |at: &usize| {
            let charge = &charges[*at];
            !charge.closed && (self.combines || charge.adjustments.is_empty())
        };
        let targets: Vec<usize> = match self.benefit {
            Benefit::FreeShipping => {
                let ships = |at: &usize| {
                    let of = |line: &usize| charges[*line].items.shop == charges[*at].items.shop;
                    charges[*at].line.is_none() && covered.iter().any(of)
                };
                order.all().filter(open).filter(ships).collect()
            }
            _ => covered.into_iter().filter(open).collect(),
        };
        let prices: Vec<Money> = targets.iter().map(|&at| charges[at].discounted).collect();
        let discounted = Money::sum(currency, prices.iter().copied())?;
        // What it would take off, and in proportion to what.
        let (wanted, weights) = match self.benefit {
            Benefit::Percent(rate_bp) => {
                (discounted.rate_bp(within(rate_bp, WHOLE_BP)?, Rounding::HalfUp)?, prices)
            }
            Benefit::Amount(amount) => (checked(amount)?, prices),
            Benefit::FreeShipping => (discounted, prices),
            Benefit::BuyGet { buy, get, off_bp } => {
                let parts = cheapest(currency, (charges, &targets), (buy, get), off_bp)?;
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
        for ((at, part), by_market) in targets.into_iter().zip(parts).zip(by_market) {
            if part.amount() > 0 {
                let charge = &mut charges[at];
                let after_others = !charge.adjustments.is_empty();
                charge.discounted = charge.discounted.minus(part)?;
                charge.closed = !self.combines;
                let borne = [(Bearer::Shop, part.minus(by_market)?), (Bearer::Market, by_market)];
                for (borne_by, part) in borne.into_iter().filter(|(_, part)| part.amount() > 0) {
                    let (code, label, amount) = (self.code.clone(), self.label.clone(), part.times(-1)?);
                    let promotion = self.id;
                    let new = Adjustment { promotion, code, label, borne_by, amount, place, after_others };
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
    (charges, targets): (&[Charge], &[usize]),
    (buy, get): (i64, i64),
    off_bp: i64,
) -> Result<Vec<Money>, MoneyError> {
    let set = within(buy, BUY_GET_MAX)? + within(get, BUY_GET_MAX)?;
    let lines = || targets.iter().filter_map(|&at| charges[at].line);
    let count = lines().try_fold(0i64, |sum, line| sum.checked_add(line.quantity));
    let mut left = count.ok_or(MoneyError::OutOfBounds)? / set.max(1) * get;
    let mut order: Vec<(usize, &LineItem)> = lines().enumerate().collect();
    order.sort_by_key(|(_, line)| (line.unit_price.amount(), line.id));
    let mut parts = vec![Money::zero(currency); targets.len()];
    for (at, line) in order {
        let reduced = left.min(line.quantity);
        if reduced > 0 {
            let price = charges[targets[at]].discounted.part(line.quantity, 0, reduced)?;
            parts[at] = price.rate_bp(within(off_bp, WHOLE_BP)?, Rounding::HalfUp)?;
            left -= reduced;
        }
    }
    Ok(parts)
}
