//! Cards that customers saved at a payment gateway.

use serde::{Deserialize, Serialize};

text_enum! {
    /// How long a card is still valid.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum CardValidity {
        /// Longer than the next month.
        Valid = "valid",
        /// Until the end of this month or of the next one.
        ExpiresSoon = "expires_soon",
        /// No longer.
        Expired = "expired",
    }
}

impl CardValidity {
    /// The validity, now, of a card that expires at the end of a month. Both are a year and a month.
    pub fn of(expires: (i64, i64), now: (i64, i64)) -> Self {
        let months = |(year, month): (i64, i64)| year.saturating_mul(12).saturating_add(month);
        match months(expires).saturating_sub(months(now)) {
            ..0 => Self::Expired,
            0 | 1 => Self::ExpiresSoon,
            _ => Self::Valid,
        }
    }
}

/// A saved card. The gateway has everything else of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedCard {
    /// The gateway's ID of the card.
    pub id: String,
    /// The brand, as the gateway calls it: `visa`, `mastercard`, `amex`, …
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// The month at the end of which it expires: 1 to 12.
    pub exp_month: i64,
    /// The year of that month, with four digits.
    pub exp_year: i64,
    /// Whether it has expired, or will soon.
    pub validity: CardValidity,
}

#[cfg(test)]
mod tests {
    use super::CardValidity::{self, *};

    #[test]
    fn a_card_is_valid_until_the_end_of_its_month() {
        for (expires, now, validity) in [
            ((2026, 11), (2026, 11), ExpiresSoon),
            ((2026, 12), (2026, 11), ExpiresSoon),
            ((2027, 1), (2026, 12), ExpiresSoon),
            ((2027, 1), (2026, 11), Valid),
            ((2034, 12), (2026, 11), Valid),
            ((2026, 10), (2026, 11), Expired),
            ((2025, 12), (2026, 1), Expired),
            ((2020, 12), (2026, 1), Expired),
            ((i64::MAX, 1), (1, 1), Valid),
        ] {
            assert_eq!(CardValidity::of(expires, now), validity, "{expires:?} in {now:?}");
        }
    }
}
