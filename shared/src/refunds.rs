//! What is left of an order to refund, and what a refund of a part of it moves. The page computes a refund
//! before it is confirmed with the same function as the engine, so both agree to the unit.

use serde::{Deserialize, Serialize};

use crate::{
    Currency, Error, FieldCode, Result,
    field::FieldError,
    fulfilment::{LineQuantity, OrderState, lines},
    money::Money,
};

/// What is left of an order to refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refundable {
    /// The lines of the order.
    pub lines: Vec<RefundableLine>,
    /// The shipping costs that can still be refunded.
    pub shipping: Money,
    /// Whether the items may be returned to stock with the refund. Only items that have not been shipped.
    pub restock: bool,
    /// Whether the marketplace refunds the money. Otherwise the shop gives back the cash itself.
    pub by_marketplace: bool,
    /// What was paid for the items of the order.
    pub items_total: Money,
    /// What was refunded of that before.
    pub items_refunded: Money,
    /// What is left of the commission on the whole order.
    pub commission: Money,
    /// What is left of the order's discount that the marketplace bears.
    pub marketplace_discount: Money,
    /// The part of that discount on shipping.
    pub shipping_marketplace_discount: Money,
    /// Whether commission and discount are shared in proportion to what was paid, because a part of the order is, or was,
    /// disputed. Otherwise each line has its own share.
    pub in_proportion: bool,
    /// The most that can be refunded: less than the lines and shipping together if the payment is, or was, disputed.
    pub limit: Money,
}

/// What is left of a line to refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundableLine {
    /// The line's `position` in the order.
    pub position: i64,
    /// The quantity of the whole line.
    pub quantity: i64,
    /// How many of them were refunded before.
    pub refunded: i64,
    /// How many of them can be refunded now.
    pub refundable: i64,
    /// What was paid for the whole line.
    pub paid: Money,
    /// The commission on the whole line.
    pub commission: Money,
    /// The part of its discount that the marketplace bears.
    pub marketplace_discount: Money,
}

/// What a refund moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundQuote {
    /// What is refunded for each line.
    pub lines: Vec<(LineQuantity, Money)>,
    /// What is refunded for the items.
    pub items: Money,
    /// What is refunded for shipping.
    pub shipping: Money,
    /// The whole refund.
    pub amount: Money,
    /// The commission that the shop gets back.
    pub commission: Money,
    /// The part of the marketplace's discount that the shop gives back.
    pub marketplace_discount: Money,
    /// By how much the shop's earnings fall. Negative if they rise: of a cash order, the shop gives back the money
    /// itself, and gets back the commission.
    pub earnings: Money,
}

impl RefundQuote {
    /// The same for items of which the shop keeps a part of the price, in percent: the customer gets less back, and the shop
    /// so much less of the commission.
    pub fn keeping(self, percent: i64) -> Result<Self> {
        let zero = Money::zero(self.items.currency());
        let (mut items, mut lines) = (zero, Vec::with_capacity(self.lines.len()));
        for (taken, share) in self.lines {
            let returned = share.minus(share.part(100, 0, percent)?)?;
            items = items.plus(returned)?;
            lines.push((taken, returned));
        }
        let in_proportion = |whole: Money| whole.part(self.items.amount(), 0, items.amount());
        let commission = in_proportion(self.commission)?;
        let marketplace_discount = in_proportion(self.marketplace_discount)?;
        let kept = self.items.minus(items)?;
        let less = self.commission.minus(commission)?;
        let less_discount = self.marketplace_discount.minus(marketplace_discount)?;
        Ok(Self {
            lines,
            items,
            amount: self.amount.minus(kept)?,
            commission,
            marketplace_discount,
            earnings: self.earnings.minus(kept)?.minus(less_discount)?.plus(less)?,
            ..self
        })
    }
}

/// How many of a line can be refunded: of a confirmed order, only what has not been shipped, because the rest is on its way.
pub fn refundable(state: OrderState, quantity: i64, shipped: i64, refunded: i64) -> i64 {
    match state {
        OrderState::Placed | OrderState::Cancelled => 0,
        OrderState::Confirmed => (quantity - shipped - refunded).max(0),
        OrderState::Shipped | OrderState::Delivered => (quantity - refunded).max(0),
    }
}

/// Whether a part of an order in this state can be refunded. What the shop collects in cash can be taken off before it is
/// shipped, and given back once it was collected.
pub fn is_refundable(state: OrderState, by_marketplace: bool) -> bool {
    match state {
        OrderState::Placed | OrderState::Cancelled => false,
        OrderState::Shipped => by_marketplace,
        OrderState::Confirmed | OrderState::Delivered => true,
    }
}

impl Refundable {
    /// What a refund of these lines, and of the shipping costs, moves. Lines are shares of what was paid, up to the last
    /// unit less what was refunded before, so the last refund is the rest, however an order is divided.
    pub fn quote(&self, part: &[LineQuantity], shipping: bool) -> Result<RefundQuote> {
        if !(shipping && part.is_empty()) {
            lines(part).map_err(Error::Invalid)?;
        }
        let zero = Money::zero(self.currency());
        let (mut faults, mut quoted, mut items) = (Vec::new(), Vec::new(), zero);
        let (mut commission, mut discount) = (zero, zero);
        for (i, taken) in part.iter().enumerate() {
            match self.lines.iter().find(|line| line.position == taken.position) {
                None => faults.push(FieldError::new(format!("lines.{i}.position"), FieldCode::NotAChoice)),
                Some(line) if taken.quantity > line.refundable => {
                    faults.push(FieldError::new(format!("lines.{i}.quantity"), FieldCode::TooBig));
                }
                Some(line) => {
                    let until = line.refunded + taken.quantity;
                    let share_of = |whole: Money| whole.part(line.quantity, line.refunded, until);
                    let share = share_of(line.paid)?;
                    items = items.plus(share)?;
                    commission = commission.plus(share_of(line.commission)?)?;
                    discount = discount.plus(share_of(line.marketplace_discount)?)?;
                    quoted.push((*taken, share));
                }
            }
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let of_shipping = if shipping { self.shipping } else { zero };
        if shipping && of_shipping.amount() == 0 {
            return Err(Error::field("shipping", FieldCode::NotAChoice));
        }
        let amount = items.plus(of_shipping)?;
        if amount.amount() == 0 {
            return Err(Error::field("lines", FieldCode::TooSmall));
        }
        if amount.amount() > self.limit.amount() {
            return Err(Error::field("lines", FieldCode::TooBig));
        }
        if shipping {
            discount = discount.plus(self.shipping_marketplace_discount)?;
        }
        if self.in_proportion {
            let left = self.items_total.minus(self.items_refunded)?.amount();
            commission = self.commission.part(left, 0, items.amount())?;
            discount = self.marketplace_discount.part(left, 0, items.amount())?;
        }
        // A dispute that was won may have had other shares than the lines.
        let commission = lesser(commission, self.commission);
        let marketplace_discount = lesser(discount, self.marketplace_discount);
        let collected = if self.by_marketplace { amount } else { zero };
        let earnings = collected.plus(marketplace_discount)?.minus(commission)?;
        Ok(RefundQuote {
            lines: quoted,
            items,
            shipping: of_shipping,
            amount,
            commission,
            marketplace_discount,
            earnings,
        })
    }

    /// The same for an order of which a part is disputed, or was charged back: shares of what is left, since the dispute took
    /// its own share of commission and discount, so that both together never take more than there was. `left` are what is
    /// left of both and of the amount.
    pub fn less_disputed(self, left: crate::disputes::Disputable) -> Result<Self> {
        Ok(Self {
            in_proportion: true,
            commission: left.commission,
            marketplace_discount: left.market_discount,
            limit: left.amount,
            ..self
        })
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.limit.amount() <= 0
            || (self.shipping.amount() == 0
                && self.lines.iter().all(|line| line.refundable == 0 || line.paid.amount() == 0))
    }

    fn currency(&self) -> Currency {
        self.shipping.currency()
    }
}

fn lesser(a: Money, b: Money) -> Money {
    if b.amount() < a.amount() { b } else { a }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inr(amount: i64) -> Money {
        Money::new(amount, Currency::INR)
    }

    fn order() -> Refundable {
        let line = |position, quantity, paid, commission, discount| RefundableLine {
            position,
            quantity,
            refunded: 0,
            refundable: quantity,
            paid: inr(paid),
            commission: inr(commission),
            marketplace_discount: inr(discount),
        };
        Refundable {
            lines: vec![line(1, 3, 100_000, 10_001, 700), line(2, 1, 65_000, 6_500, 100)],
            shipping: inr(4_900),
            restock: false,
            by_marketplace: true,
            items_total: inr(165_000),
            items_refunded: inr(0),
            commission: inr(16_501),
            marketplace_discount: inr(1_000),
            shipping_marketplace_discount: inr(200),
            in_proportion: false,
            limit: inr(169_900),
        }
    }

    /// The order after a refund.
    fn after(mut left: Refundable, quote: &RefundQuote) -> Refundable {
        for (taken, _) in &quote.lines {
            for line in left.lines.iter_mut().filter(|line| line.position == taken.position) {
                line.refunded += taken.quantity;
                line.refundable -= taken.quantity;
            }
        }
        left.items_refunded = left.items_refunded.plus(quote.items).unwrap();
        left.shipping = left.shipping.minus(quote.shipping).unwrap();
        left.commission = left.commission.minus(quote.commission).unwrap();
        left.marketplace_discount = left.marketplace_discount.minus(quote.marketplace_discount).unwrap();
        left.limit = left.limit.minus(quote.amount).unwrap();
        left
    }

    #[test]
    fn what_is_not_left_is_refused() {
        let line = |position, quantity| LineQuantity { position, quantity };
        let fault = |part: &[LineQuantity], shipping, field: &str| {
            order().quote(part, shipping).unwrap_err().at(field)
        };
        assert_eq!(fault(&[], false, "lines"), Some(FieldCode::Missing));
        assert_eq!(fault(&[line(1, 4)], false, "lines.0.quantity"), Some(FieldCode::TooBig));
        assert_eq!(fault(&[line(1, 1), line(3, 1)], false, "lines.1.position"), Some(FieldCode::NotAChoice));
        let none = Refundable { shipping: inr(0), ..order() };
        assert_eq!(none.quote(&[], true).unwrap_err().at("shipping"), Some(FieldCode::NotAChoice));
    }

    #[test]
    fn a_part_of_the_price_can_be_kept() {
        let whole = order().quote(&[LineQuantity { position: 2, quantity: 1 }], false).unwrap();
        let part = whole.clone().keeping(30).unwrap();
        assert_eq!((part.amount, part.items, part.lines[0].1), (inr(45_500), inr(45_500), inr(45_500)));
        assert_eq!((part.commission, part.marketplace_discount), (inr(4_550), inr(70)));
        assert_eq!(part.earnings, inr(45_500 + 70 - 4_550));
        assert_eq!(whole.clone().keeping(0).unwrap(), whole);
        let none = whole.keeping(100).unwrap();
        assert_eq!((none.amount, none.commission, none.earnings), (inr(0), inr(0), inr(0)));
    }

    #[test]
    fn the_shop_gives_back_cash_and_gets_back_its_commission() {
        let cash = Refundable { by_marketplace: false, marketplace_discount: inr(0), ..order() };
        let quote = cash.quote(&[LineQuantity { position: 2, quantity: 1 }], false).unwrap();
        assert_eq!((quote.amount, quote.commission, quote.earnings), (inr(65_000), inr(6_500), inr(-6_500)));
    }

    #[test]
    fn which_orders_can_be_refunded() {
        use OrderState::*;
        let table = [
            // state, of a card payment, of cash, of 5 of which 2 were shipped and 1 was refunded
            (Placed, false, false, 0),
            (Confirmed, true, true, 2),
            (Shipped, true, false, 4),
            (Delivered, true, true, 4),
            (Cancelled, false, false, 0),
        ];
        for (state, card, cash, left) in table {
            assert_eq!((is_refundable(state, true), is_refundable(state, false)), (card, cash), "{state:?}");
            assert_eq!(refundable(state, 5, 2, 1), left, "{state:?}");
        }
    }

    proptest! {
        /// However an order is refunded, the parts add up to what was paid, and the shop ends with nothing.
        #[test]
        fn parts_add_up(first in 0i64..4, second in 0i64..4, other in 0usize..3, shipping in 0usize..3) {
            let counts = [first, second.min(3 - first.min(3)), 3];
            let (mut left, mut sums) = (order(), [0i64; 5]);
            for (step, count) in counts.into_iter().enumerate() {
                let mut part = Vec::new();
                let count = count.min(left.lines[0].refundable);
                if count > 0 {
                    part.push(LineQuantity { position: 1, quantity: count });
                }
                if step == other {
                    part.push(LineQuantity { position: 2, quantity: 1 });
                }
                let Ok(quote) = left.quote(&part, step == shipping) else { continue };
                let parts: i64 = quote.lines.iter().map(|(_, share)| share.amount()).sum();
                prop_assert_eq!(parts, quote.items.amount());
                let moved = [quote.amount, quote.commission, quote.marketplace_discount, quote.earnings, quote.items];
                for (sum, moved) in sums.iter_mut().zip(moved) {
                    *sum += moved.amount();
                }
                left = after(left, &quote);
            }
            prop_assert!(left.is_empty());
            prop_assert_eq!(sums, [169_900, 16_501, 1_000, 169_900 - 16_501 + 1_000, 165_000]);
        }
    }
}
