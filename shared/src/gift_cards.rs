//! Gift cards: their codes, and what pages and the API show of them.

use serde::{Deserialize, Serialize};

use crate::{id::kinds::GiftCardId, money::Money};

/// The letters of a code, without the dashes between them: 80 bits.
pub const CODE_LETTERS: usize = 16;

text_enum! {
    /// Why a gift card can't pay.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum GiftCardRefusal {
        /// No card has this code.
        Unknown = "gift_card_unknown",
        /// Nothing is left on it.
        UsedUp = "gift_card_used_up",
        /// The marketplace has disabled it.
        Disabled = "gift_card_disabled",
        /// It has expired.
        Expired = "gift_card_expired",
        /// It is in another currency than the checkout.
        OtherCurrency = "gift_card_other_currency",
        /// The checkout has as many cards as it can have.
        TooMany = "gift_card_too_many",
        /// The total is already covered by other cards.
        Unneeded = "gift_card_unneeded",
        /// Less is left on it than the shopper was shown.
        Changed = "gift_card_changed",
        /// Cash pays to the shop, and a card to the marketplace: an order is paid to one of them.
        WithCash = "gift_card_with_cash",
    }
}

/// A code as it is compared: people type it in lower case, with and without dashes, and take O for 0 and I or L for 1.
pub fn fold_code(typed: &str) -> String {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric).take(CODE_LETTERS + 1);
    let letters = letters.map(|letter| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        letter => letter,
    });
    letters.collect()
}

/// Whether what was typed may be a gift card's code; in groups with dashes, it is hardly a coupon's.
pub fn is_card_code(typed: &str) -> bool {
    fold_code(typed).len() == CODE_LETTERS
}

/// A code as people read it: `ABCD-EFGH-JKMN-PQRS`.
pub fn grouped(code: &str) -> String {
    let mut grouped = String::new();
    for (at, letter) in code.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            grouped.push('-');
        }
        grouped.push(letter);
    }
    grouped
}

/// A gift card, for admins and for whoever has its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GiftCardView {
    /// The ID.
    pub id: GiftCardId,
    /// The last four characters of its code.
    pub last4: String,
    /// What it was issued with.
    pub issued: Money,
    /// What is left.
    pub balance: Money,
    /// Why it was issued. Empty for holders.
    pub reason: String,
    /// Whether it can't pay because an admin disabled it.
    pub disabled: bool,
    /// Whether it has expired.
    pub expired: bool,
    /// When it expires, if it does.
    pub expires_at: Option<String>,
    /// When it was issued.
    pub created_at: String,
}

/// A card that was just issued. Its code is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuedGiftCard {
    /// The ID.
    pub id: GiftCardId,
    /// The code.
    pub code: String,
}

/// A card that was entered in a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppliedGiftCard {
    /// The ID.
    pub id: GiftCardId,
    /// The last four characters of its code.
    pub last4: String,
    /// What it pays.
    pub amount: Money,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        for (typed, folded) in [
            ("abcd-efgh-jkmn-pqrs", "ABCDEFGHJKMNPQRS"),
            (" ABCD EFGH\tJKMN PQRS ", "ABCDEFGHJKMNPQRS"),
            ("oOiI-lL01-0000-0000", "0011110100000000"),
            ("", ""),
            ("₹–…", ""),
        ] {
            assert_eq!(fold_code(typed), folded, "{typed}");
        }
        assert_eq!(grouped("ABCDEFGHJKMNPQRS"), "ABCD-EFGH-JKMN-PQRS");
        assert_eq!(fold_code(&grouped("ABCDEFGHJKMNPQRS")), "ABCDEFGHJKMNPQRS");
        for (typed, is) in [
            ("abcd-efgh-jkmn-pqrs", true),
            ("ABCD EFGH JKMN PQRS", true),
            ("abcdefghjkmnpqrs", true),
            ("TEN", false),
            ("ABCD-EFGH-JKMN-PQRST", false),
            ("", false),
        ] {
            assert_eq!(is_card_code(typed), is, "{typed}");
        }
        // Longer text is never a code, rather than one with something after it.
        assert_eq!(fold_code(&"A".repeat(900)).len(), CODE_LETTERS + 1);
    }
}
