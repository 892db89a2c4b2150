//! What a quote stores of a shop's part of a checkout: its amounts, and how promotions change them.

use crate::{TxResult, insert};
use haat_shared::{
    id::kinds::{CheckoutId, OrderId, PromotionId},
    pricing::{Bearer, Breakdown, ShopQuote},
};

insert! {
    pub(super) struct AddAdjustment into checkout_adjustments {
        checkout_id: CheckoutId,
        number: i64,
        order_id: OrderId,
        position: Option<i64>,
        promotion_id: Option<PromotionId>,
        code: String,
        label: String,
        borne_by: Bearer,
        amount_minor: i64,
        after_others: bool,
    }
}

/// The amounts of a shop's part, in minor units.
pub(super) struct Amounts {
    pub(super) discount: i64,
    /// The part of the discount that the market bears.
    pub(super) market_discount: i64,
    pub(super) delivery: i64,
    pub(super) tax: i64,
    pub(super) added_tax: i64,
    pub(super) total: i64,
    /// The part of the total that is paid for items.
    pub(super) items: i64,
    pub(super) commission: i64,
}

impl Amounts {
    pub(super) fn of(quote: &ShopQuote) -> TxResult<Self> {
        let totals = quote.price.totals;
        Ok(Self {
            discount: totals.discount.amount(),
            market_discount: by_market(&quote.price),
            delivery: totals.shipping.amount(),
            tax: totals.tax.amount(),
            added_tax: totals.added_tax()?.amount(),
            total: totals.total.amount(),
            items: totals.total.minus(quote.shipping.totals.total)?.amount(),
            commission: quote.price.commission.amount(),
        })
    }
}

/// The part of a discount that the market bears, in minor units.
pub(super) fn by_market(price: &Breakdown) -> i64 {
    let by_market = price.adjustments.iter().filter(|a| a.borne_by == Bearer::Market);
    -by_market.map(|a| a.amount.amount()).sum::<i64>()
}

/// The adjustments of an order, whose lines begin at position `first`. Once those of all orders are known, they are
/// [`numbered`].
pub(super) fn rows(
    checkout_id: CheckoutId,
    order_id: OrderId,
    first: i64,
    quote: &ShopQuote,
) -> impl Iterator<Item = AddAdjustment> {
    let of_lines = (first..).zip(&quote.lines).map(|(position, line)| (Some(position), &line.price));
    let parts = of_lines.chain([(None, &quote.shipping)]);
    let all = parts.flat_map(|(position, price)| price.adjustments.iter().map(move |a| (position, a)));
    all.map(move |(position, adjustment)| AddAdjustment {
        checkout_id,
        number: i64::try_from(adjustment.place).unwrap_or(i64::MAX),
        order_id,
        position,
        promotion_id: adjustment.promotion,
        code: adjustment.code.to_string(),
        label: adjustment.label.to_string(),
        borne_by: adjustment.borne_by,
        amount_minor: adjustment.amount.amount(),
        after_others: adjustment.after_others,
    })
}

/// The adjustments of a checkout, numbered in the order in which its promotions apply.
pub(super) fn numbered(mut all: Vec<AddAdjustment>) -> Vec<AddAdjustment> {
    all.sort_by_key(|adjustment| adjustment.number);
    for (number, adjustment) in (0..).zip(&mut all) {
        adjustment.number = number;
    }
    all
}
