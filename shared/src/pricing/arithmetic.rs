//! Bounds of prices, quantities and rates, and the allocation of amounts.

use crate::money::{Currency, Money, MoneyError};

/// 100 % in basis points.
pub(super) const WHOLE_BP: i64 = 10_000;

/// Allocates an amount in proportion to prices. An amount of zero is zero for each, whatever the prices.
pub(super) fn shared(amount: Money, prices: &[Money]) -> Result<Vec<Money>, MoneyError> {
    let weights: Vec<i64> = prices.iter().map(|price| price.amount()).collect();
    if amount.amount() == 0 { Ok(vec![amount; weights.len()]) } else { amount.allocate(&weights) }
}

pub(super) fn within(number: i64, most: i64) -> Result<i64, MoneyError> {
    if (0..=most).contains(&number) { Ok(number) } else { Err(MoneyError::OutOfBounds) }
}

pub(super) fn checked(currency: Currency, price: Money) -> Result<Money, MoneyError> {
    if price.currency() != currency {
        return Err(MoneyError::MixedCurrencies);
    }
    within(price.amount(), i64::MAX).map(|_| price)
}

pub(super) fn lesser(a: Money, b: Money) -> Money {
    if b.amount() < a.amount() { b } else { a }
}
