//! What the marketplace charges for a sale: a rate of its own for a shop, or else for the category of the product, or else the
//! usual one. A category without a rate has that of the nearest category above it that has one.

use serde::{Deserialize, Serialize};

use crate::{field::FieldError, promotions};

/// What a rate is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RateFor {
    /// Everything without a rate of its own.
    Usual,
    /// The products of a category, by its slug, and of all below it.
    Category(String),
    /// All products of a shop, by its handle.
    Shop(String),
}

/// A rate of a category or of a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RateOf {
    /// The slug of the category, or the handle of the shop.
    pub of: String,
    /// Its name.
    pub name: String,
    /// The rate in basis points.
    pub rate_bp: i64,
}

/// All rates of the marketplace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommissionRates {
    /// The usual rate in basis points.
    pub usual_bp: i64,
    /// The categories that have a rate, by name.
    pub categories: Vec<RateOf>,
    /// The shops that have a rate, by name.
    pub shops: Vec<RateOf>,
}

/// A rate as typed, in percent with up to two decimals: basis points.
pub fn read_rate(field: &str, typed: &str) -> Result<i64, FieldError> {
    promotions::percent(field, typed, 0)
}
