//! Sales that sellers plan: for some time, variants of a product cost less. What a variant costs at a time, and the lowest
//! price before a reduction (Directive 98/6/EC, Article 6a), are decided here, whoever asks.

use serde::{Deserialize, Serialize};

use crate::{
    FieldCode, Money, amounts,
    field::FieldError,
    id::kinds::{PlannedSaleId, VariantId},
    number, text,
};

#[cfg(test)]
mod tests;

/// How long before a reduction its lowest price is looked for.
const LOOK_BACK_MS: i64 = 30 * 24 * 3_600_000;

/// A variant's price in a sale, from its beginning until before its end. Amounts are minor units, times milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SalePrice {
    /// The price.
    pub price: i64,
    /// When the sale begins.
    pub starts_at: i64,
    /// When it ends.
    pub ends_at: i64,
}

/// What a variant costs, and the higher price that is struck through beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prices {
    /// The price.
    pub price: i64,
    /// The compare-at price.
    pub compare_at: Option<i64>,
}

impl Prices {
    /// What it costs at a time, in the sale of that time. A sale that is not below the ordinary price has no effect.
    pub fn at(self, sales: &[SalePrice], at: i64) -> Self {
        let on = sales.iter().find(|sale| sale.starts_at <= at && at < sale.ends_at);
        match on {
            Some(sale) if sale.price < self.price => Self { price: sale.price, compare_at: Some(self.price) },
            _ => self,
        }
    }
}

/// A price that a seller set in another currency, reduced as the ordinary one is. Half a unit is rounded up.
pub fn in_proportion(own: i64, ordinary: i64, now: i64) -> i64 {
    if ordinary <= 0 || now >= ordinary {
        return own;
    }
    let (own, ordinary, now) = (i128::from(own), i128::from(ordinary), i128::from(now));
    i64::try_from((2 * own * now + ordinary) / (2 * ordinary)).unwrap_or(i64::MAX)
}

/// The lowest price of the 30 days before the reduction that a variant has at a time; `None` if it has none. If it has
/// never cost anything else, that is its price.
///
/// `history` is what its ordinary prices were changed to, and when. A reduction that follows another one at once and goes
/// further continues it, so the lowest price is that before the first of them.
pub fn lowest_before(history: &[(i64, Prices)], sales: &[SalePrice], at: i64) -> Option<i64> {
    let mut times: Vec<i64> = history.iter().map(|(from, _)| *from).collect();
    times.extend(sales.iter().flat_map(|sale| [sale.starts_at, sale.ends_at]));
    times.retain(|time| *time <= at);
    times.sort_unstable();
    times.dedup();
    let ordinary = |at: i64| history.iter().filter(|(from, _)| *from <= at).max_by_key(|(from, _)| *from);
    // From when on it cost how much.
    let steps: Vec<(i64, Prices)> =
        times.iter().filter_map(|time| Some((*time, ordinary(*time)?.1.at(sales, *time)))).collect();
    let (mut begin, now) = (steps.len().checked_sub(1)?, steps.last()?.1);
    now.compare_at?;
    while begin > 0 {
        let (before, first) = (steps[begin - 1].1, steps[begin].1);
        if before.compare_at.is_none() || before.price < first.price {
            break;
        }
        begin -= 1;
    }
    let from = steps[begin].0 - LOOK_BACK_MS;
    // Each step lasts until the next one begins.
    let before = (0..begin).filter(|step| steps[step + 1].0 > from).map(|step| steps[step].1.price);
    Some(before.min().unwrap_or(now.price))
}

/// What would be the lowest price of 30 days if a reduction began at a time; `None` if nothing is known.
pub fn lowest_if_reduced(history: &[(i64, Prices)], sales: &[SalePrice], at: i64) -> Option<i64> {
    let over = sales.iter().map(|sale| SalePrice { ends_at: sale.ends_at.min(at), ..*sale });
    let any = SalePrice { price: i64::MIN, starts_at: at, ends_at: i64::MAX };
    let sales: Vec<SalePrice> = over.chain([any]).collect();
    lowest_before(history, &sales, at).filter(|lowest| *lowest > i64::MIN)
}

text_enum! {
    /// Whether a sale is on.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PlannedSaleState {
        /// It will begin.
        Scheduled = "scheduled",
        /// It is on.
        Active = "active",
        /// It is over.
        Ended = "ended",
    }
}

impl PlannedSaleState {
    /// That of a sale between these times.
    pub fn of(starts_at: i64, ends_at: i64, now: i64) -> Self {
        match () {
            () if ends_at <= now => Self::Ended,
            () if starts_at > now => Self::Scheduled,
            () => Self::Active,
        }
    }
}

/// A variant in a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedPrice {
    /// The variant's ID.
    pub variant_id: VariantId,
    /// The variant's title. Empty if it is the only one.
    pub title: String,
    /// Its price in the sale.
    pub sale_price: Money,
}

/// A sale of a product, as its shop sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedSale {
    /// The sale's ID.
    pub id: PlannedSaleId,
    /// Whether it is on.
    pub status: PlannedSaleState,
    /// When it begins: RFC 3339, UTC.
    pub starts_at: String,
    /// When it ends: RFC 3339, UTC.
    pub ends_at: String,
    /// The variants that are in it.
    pub prices: Vec<PlannedPrice>,
}

/// A variant that can be put into a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleVariant {
    /// Its ID.
    pub id: VariantId,
    /// Its title. Empty if it is the only one.
    pub title: String,
    /// Its ordinary price.
    pub price: Money,
    /// What would be the lowest price of 30 days if a sale began now.
    pub lowest: Money,
}

/// A product's sales, and its variants for another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSales {
    /// The product's title.
    pub title: String,
    /// The product's slug, if it can be bought.
    pub slug: Option<String>,
    /// Its variants.
    pub variants: Vec<SaleVariant>,
    /// The sales, the latest first.
    pub sales: Vec<PlannedSale>,
}

/// A sale as it was entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleForm {
    /// When it begins, in the market's time zone: `2026-12-01T10:00`; or with an offset. Empty for now.
    pub starts_at: String,
    /// When it ends.
    pub ends_at: String,
    /// The reduction in percent, for all variants without a price.
    pub percent: String,
    /// The prices of variants.
    pub prices: Vec<(VariantId, String)>,
}

/// The name of the field of a variant's price.
pub fn price_field(variant: VariantId) -> String {
    format!("prices.{variant}")
}

impl SaleForm {
    /// The form from its fields.
    pub fn read(variants: impl IntoIterator<Item = VariantId>, field: impl Fn(&str) -> String) -> Self {
        let prices = variants.into_iter().map(|id| (id, field(&price_field(id)))).collect();
        let [starts_at, ends_at, percent] = ["starts_at", "ends_at", "percent"].map(field);
        Self { starts_at, ends_at, percent, prices }
    }

    /// The prices of the variants that are in the sale. Each is below the ordinary price.
    pub fn check(&self, variants: &[SaleVariant]) -> Result<Vec<(VariantId, Money)>, Vec<FieldError>> {
        let (mut prices, mut faults) = (Vec::new(), Vec::new());
        let percent = match self.percent.trim().trim_end_matches('%').trim_end() {
            "" => None,
            typed if text::is_negative(typed) => Some(Err(FieldCode::TooSmall)),
            typed => match number::exact(typed, 2, number::Notation::Form) {
                Ok(..=0) => Some(Err(FieldCode::TooSmall)),
                Ok(10_000..) => Some(Err(FieldCode::TooBig)),
                Err(FieldCode::TooManyDecimals | FieldCode::NotNumber) => Some(Err(FieldCode::NotDecimal(2))),
                read => Some(read),
            },
        };
        if let Some(Err(code)) = percent {
            faults.push(FieldError::new("percent", code));
        }
        for (id, typed) in &self.prices {
            if !typed.trim().is_empty() && !variants.iter().any(|variant| variant.id == *id) {
                faults.push(FieldError::new(price_field(*id), FieldCode::NotAChoice));
            }
        }
        for SaleVariant { id, price, .. } in variants {
            let typed = self.prices.iter().find(|(of, typed)| of == id && !typed.trim().is_empty());
            match (typed, percent) {
                (Some((_, typed)), _) => match amounts::read(&price_field(*id), typed, price.currency()) {
                    Ok(sale) if sale.amount() < price.amount() => prices.push((*id, sale)),
                    Ok(_) => faults.push(FieldError::new(price_field(*id), FieldCode::NotReduced)),
                    Err(fault) => faults.push(fault),
                },
                (None, Some(Ok(bp))) => {
                    let sale = in_proportion(price.amount(), 10_000, 10_000 - bp);
                    // Of the smallest prices, nothing may be left to take off.
                    if sale < price.amount() {
                        prices.push((*id, Money::new(sale, price.currency())));
                    }
                }
                _ => {}
            }
        }
        if prices.is_empty() && faults.is_empty() {
            faults.push(FieldError::new("percent", FieldCode::Missing));
        }
        if self.ends_at.trim().is_empty() {
            faults.push(FieldError::new("ends_at", FieldCode::Missing));
        }
        if faults.is_empty() { Ok(prices) } else { Err(faults) }
    }
}
