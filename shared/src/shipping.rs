//! Shipping methods, their rates and their estimates.

use serde::{Deserialize, Serialize};

use crate::money::Money;

text_enum! {
    /// A shipping method.
    #[derive(Default, PartialOrd, Ord, Hash)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ShippingMethod {
        /// Standard shipping.
        #[default]
        Standard = "standard",
        /// Express shipping.
        Express = "express",
        /// Local pickup.
        Pickup = "pickup",
    }
}

/// A shop's shipping rates and estimates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippingRates {
    /// The price of standard shipping.
    pub standard: Money,
    /// Standard shipping is free from this subtotal.
    pub free_from: Option<Money>,
    /// The minimum and maximum number of days of standard shipping.
    pub days: (i64, i64),
    /// The price and days of express shipping, if offered.
    pub express: Option<(Money, (i64, i64))>,
    /// Whether local pickup is offered.
    pub pickup: bool,
}

/// The minimum and maximum number of days until an order can be picked up.
const PICKUP_DAYS: (i64, i64) = (0, 1);

/// A shipping method with its price.
// Stored with checkouts as JSON: a field that is added needs a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShippingOption {
    /// The shipping method.
    #[serde(alias = "delivery")]
    pub shipping_method: ShippingMethod,
    /// The shipping price.
    pub price: Money,
    /// The minimum and maximum number of days for delivery.
    pub days: (i64, i64),
}

/// The price of standard shipping for a `subtotal`: free from `free_from`.
pub fn standard_price(standard: Money, free_from: Option<Money>, subtotal: Money) -> Money {
    let free = free_from.is_some_and(|from| from.amount() <= subtotal.amount());
    if free { Money::zero(standard.currency()) } else { standard }
}

impl ShippingRates {
    /// The methods that are offered for a `subtotal`, standard first.
    pub fn options(&self, subtotal: Money) -> Vec<ShippingOption> {
        let standard_price = ShippingOption {
            shipping_method: ShippingMethod::Standard,
            price: standard_price(self.standard, self.free_from, subtotal),
            days: self.days,
        };
        let express = self.express.map(|(price, days)| ShippingOption {
            shipping_method: ShippingMethod::Express,
            price,
            days,
        });
        let pickup = self.pickup.then(|| ShippingOption {
            shipping_method: ShippingMethod::Pickup,
            price: Money::zero(self.standard.currency()),
            days: PICKUP_DAYS,
        });
        [Some(standard_price), express, pickup].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn standard_shipping_is_free_from_a_threshold() {
        let inr = |amount| Money::new(amount, Currency::INR);
        let rates = ShippingRates {
            standard: inr(4_900),
            free_from: Some(inr(50_000)),
            days: (2, 5),
            express: Some((inr(9_900), (1, 2))),
            pickup: true,
        };
        for (subtotal, price) in [(0, 4_900), (49_999, 4_900), (50_000, 0), (90_000, 0)] {
            assert_eq!(
                standard_price(rates.standard, rates.free_from, inr(subtotal)),
                inr(price),
                "{subtotal}"
            );
        }
        let ways: Vec<_> =
            rates.options(inr(60_000)).iter().map(|o| (o.shipping_method, o.price.amount())).collect();
        assert_eq!(
            ways,
            [(ShippingMethod::Standard, 0), (ShippingMethod::Express, 9_900), (ShippingMethod::Pickup, 0)]
        );
        let plain = ShippingRates { free_from: None, express: None, pickup: false, ..rates };
        assert_eq!(plain.options(inr(1)).len(), 1);
    }
}
