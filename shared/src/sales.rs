//! The home page of a shop's dashboard: the period that a seller looks at, and how its figures compare with the
//! period before.

use serde::{Deserialize, Serialize};

use crate::{FieldCode, Money, field::FieldError, id::kinds::ProductId, media::Picture, orders::OrderCard};

/// The periods to choose from, in days until today.
pub const PERIODS: [i64; 3] = [7, 30, 90];
/// The period if none was chosen.
pub const PERIOD: i64 = 30;
/// The maximum number of days of a custom period.
pub const PERIOD_MAX: i64 = 366;

/// A period as in the URL: a number of days until today, or the first and the last date; empty for the last
/// 30 days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AskedPeriod {
    /// The number of days until today, one of [`PERIODS`]. Dates take precedence.
    pub days: String,
    /// The first date: `2026-11-01`.
    pub from: String,
    /// The last date.
    pub to: String,
}

impl AskedPeriod {
    /// Whether the period is given by dates.
    pub fn is_custom(&self) -> bool {
        !self.from.is_empty() || !self.to.is_empty()
    }

    /// The first and the last day, counted from 1970-01-01.
    pub fn check(&self, today: i64) -> Result<(i64, i64), Vec<FieldError>> {
        if !self.is_custom() {
            let known = PERIODS.into_iter().find(|days| days.to_string() == self.days);
            return match known {
                None if !self.days.is_empty() => Err(vec![FieldError::new("days", FieldCode::NotAChoice)]),
                days => Ok((today - days.unwrap_or(PERIOD) + 1, today)),
            };
        }
        let date = |field: &str, text: &str| match (text, day(text)) {
            ("", _) => Err(FieldError::new(field, FieldCode::Missing)),
            (_, None) => Err(FieldError::new(field, FieldCode::NotDate)),
            (_, Some(day)) if day > today => Err(FieldError::new(field, FieldCode::TooBig)),
            (_, Some(day)) => Ok(day),
        };
        let (from, to) = match (date("from", &self.from), date("to", &self.to)) {
            (Ok(from), Ok(to)) => (from, to),
            (from, to) => return Err([from.err(), to.err()].into_iter().flatten().collect()),
        };
        match to - from + 1 {
            ..=0 => Err(vec![FieldError::new("to", FieldCode::TooSmall)]),
            1..=PERIOD_MAX => Ok((from, to)),
            _ => Err(vec![FieldError::new("to", FieldCode::TooMany)]),
        }
    }
}

pub use crate::text::day;

/// How a figure compares with the period before, in whole percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was nothing before, so that there is no percentage.
    NothingBefore,
    /// Equal, or by less than half a percent.
    Same,
    /// Higher.
    Up(i64),
    /// Lower.
    Down(i64),
}

/// The change from `before` to `now`, rounded half away from zero. Neither is negative.
pub fn change(now: i64, before: i64) -> Change {
    if before <= 0 {
        return Change::NothingBefore;
    }
    let percent = ratio((i128::from(now) - i128::from(before)).abs() * 100, before.into());
    match percent {
        0 => Change::Same,
        percent if now > before => Change::Up(percent),
        percent => Change::Down(percent),
    }
}

/// A total by count, rounded half up; 0 of none.
pub fn average(total: i64, count: i64) -> i64 {
    if count <= 0 { 0 } else { ratio(total.into(), count.into()) }
}

pub(crate) fn ratio(of: i128, by: i128) -> i64 {
    i64::try_from((of * 2 + by).div_euclid(by * 2)).unwrap_or(i64::MAX)
}

/// A shop's dashboard: pending tasks and sales figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShopHome {
    /// The number of orders to confirm.
    pub to_confirm: i64,
    /// The number of orders to ship.
    pub to_ship: i64,
    /// The number of orders with return requests to answer.
    pub to_answer: i64,
    /// The number of orders with approved returns to receive or to refund.
    pub to_receive: i64,
    /// The first few variants that are low on stock, lowest first.
    pub low: Vec<LowVariant>,
    /// The number of variants that are low on stock.
    pub low_count: i64,
    /// The sales of each day of the period, without cancelled orders.
    pub days: Vec<DaySales>,
    /// The sales of each day of the previous period, which has the same number of days.
    pub days_before: Vec<DaySales>,
    /// The gross sales of the period.
    pub sold: Money,
    /// Its net sales: less what was refunded or lost in disputes since.
    pub net: Money,
    /// The number of orders in the period, without exchanges.
    pub orders: i64,
    /// The number of units sold in the period.
    pub units: i64,
    /// The gross sales of the previous period.
    pub sold_before: Money,
    /// Its net sales.
    pub net_before: Money,
    /// The number of orders in the previous period.
    pub orders_before: i64,
    /// The number of units sold in the previous period.
    pub units_before: i64,
    /// The products of which most units were sold in the period.
    pub best: Vec<BestProduct>,
    /// The latest orders.
    pub latest: Vec<OrderCard>,
    /// Whether the shop has any products.
    pub has_products: bool,
    /// Whether the reader manages its products. To others, none are said to be low on stock.
    pub manages_products: bool,
}

/// The home page of the admin area: the sales of all shops and the new users of the last [`PERIOD`] days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketHome {
    /// Each day of the period.
    pub days: Vec<MarketFigures>,
    /// The whole period.
    pub now: MarketFigures,
    /// The period before, which has the same number of days.
    pub before: MarketFigures,
    /// The latest orders.
    pub latest: Vec<OrderCard>,
}

/// The figures of all shops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketFigures {
    /// The total of the orders, including shipping, without cancelled ones.
    pub sold: Money,
    /// The same less what was refunded or lost in disputes since.
    pub net: Money,
    /// The number of orders, without cancelled ones and exchanges.
    pub orders: i64,
    /// The number of users who joined. Zero for admins who may not see users.
    pub joined: i64,
}

/// A product that sold well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BestProduct {
    /// The product's ID.
    pub product_id: ProductId,
    /// The product's title, as it was sold.
    pub title: String,
    /// The product's main image.
    #[serde(rename = "image")]
    pub picture: Option<Picture>,
    /// The number of units sold.
    pub units: i64,
    /// What was paid for them, after discounts and without shipping.
    pub sold: Money,
}

/// A variant that is low on stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LowVariant {
    /// The product's ID.
    pub product_id: ProductId,
    /// The product's title.
    pub title: String,
    /// The variant's title.
    pub variant_title: String,
    /// The product's main image.
    #[serde(rename = "image")]
    pub picture: Option<Picture>,
    /// The quantity available for sale.
    pub available: i64,
}

/// The sales of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DaySales {
    /// The date in the marketplace's time zone: `2026-11-21`.
    pub day: String,
    /// The total of the day's orders, including shipping, without cancelled ones: gross sales.
    pub sold: Money,
    /// The same less what was refunded of these orders, or lost in disputes about them, since: net sales.
    pub net: Money,
    /// The number of orders.
    pub orders: i64,
    /// The number of units sold.
    pub units: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_since_1970() {
        let days = ["1970-01-01", "1970-12-31", "2000-02-29", "2026-11-27"].map(day);
        assert_eq!(days, [Some(0), Some(364), Some(11_016), Some(20_784)]);
        for wrong in [
            "",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "26-04-01",
            "2026-4-1",
            "2026-04-01-",
            "२०२६-04-01",
            "+026-04-01",
        ] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_home_period_is_one_of_three_or_at_most_a_year() {
        let today = day("2026-11-27").unwrap();
        let asked = |days: &str, from: &str, to: &str| {
            AskedPeriod { days: days.into(), from: from.into(), to: to.into() }.check(today)
        };
        assert_eq!(asked("", "", ""), Ok((today - 29, today)));
        assert_eq!(asked("7", "", ""), Ok((today - 6, today)));
        assert_eq!(asked("7", "2026-11-27", "2026-11-27"), Ok((today, today)));
        assert_eq!(asked("", "2025-11-27", "2026-11-27"), Ok((today - 365, today)));
        for (days, from, to, field, code) in [
            ("8", "", "", "days", FieldCode::NotAChoice),
            ("", "2026-11-01", "", "to", FieldCode::Missing),
            ("", "yesterday", "2026-11-02", "from", FieldCode::NotDate),
            ("", "2026-11-02", "2026-11-01", "to", FieldCode::TooSmall),
            ("", "2026-11-02", "2026-11-28", "to", FieldCode::TooBig),
            ("", "2025-11-26", "2026-11-27", "to", FieldCode::TooMany),
        ] {
            assert_eq!(asked(days, from, to), Err(vec![FieldError::new(field, code)]));
        }
    }

    #[test]
    fn home_changes_are_whole_percent_without_overflow() {
        let changes =
            [(0, 0), (5, 0), (100, 100), (1_004, 1_000), (1_005, 1_000), (995, 1_000), (0, 7), (3, 1)];
        use Change::{Down, NothingBefore, Same, Up};
        let expected = [NothingBefore, NothingBefore, Same, Same, Up(1), Down(1), Down(100), Up(200)];
        assert_eq!(changes.map(|(now, before)| change(now, before)), expected);
        assert_eq!(change(i64::MAX, 1), Up(i64::MAX));
        assert_eq!(
            [(10, 4), (9, 4), (0, 4), (7, 0)].map(|(total, count)| average(total, count)),
            [3, 2, 0, 0]
        );
    }
}
