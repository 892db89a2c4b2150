//! The currencies of a market.

use serde::Serialize;

use crate::money::{Currency, Rate};

/// A currency that shoppers can pay in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CurrencyCard {
    /// The currency.
    pub currency: Currency,
    /// What one unit of the marketplace's currency costs in it. Without a rate, it can't be chosen yet.
    pub rate: Option<Rate>,
}
