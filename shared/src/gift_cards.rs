//! Gift cards: their codes, and what pages and the API show of them.

use serde::{Deserialize, Serialize};

use crate::{
    accounts::Email,
    amounts,
    field::{FieldCode, FieldError},
    id::kinds::{CartGiftId, GiftCardId},
    money::{Currency, Money},
    pricing::Totals,
    text,
};

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
        /// It was entered as a discount: it pays at the checkout.
        AtCheckout = "gift_card_at_checkout",
        /// Gift cards are bought, which gift cards can't pay.
        ForGiftCards = "gift_card_for_gift_cards",
        /// Gift cards are bought, which can't be paid in cash.
        BoughtInCash = "gift_card_bought_in_cash",
        /// The market doesn't sell gift cards, or not at the moment.
        NotSold = "gift_card_not_sold",
        /// The cart has as many gift cards as it can have.
        TooManyInCart = "gift_card_too_many_in_cart",
        /// It was sent a moment ago, or often enough, or not yet.
        NotSentAgain = "gift_card_not_sent_again",
        /// It can't be refunded: it wasn't bought, a part of it was spent, its payment is disputed, or it was refunded before.
        NotRefundable = "gift_card_not_refundable",
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
    /// The number of the purchase that it was bought in. Null if it wasn't bought, and for holders.
    #[serde(default)]
    pub purchase: Option<String>,
    /// Whether its buyer got the money back.
    #[serde(default)]
    pub refunded: bool,
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

/// The maximum number of characters of the message on a bought card.
pub const MESSAGE_MAX: usize = 500;
/// The maximum number of gift cards in a cart.
pub const IN_CART_MAX: i64 = 20;
/// How many days ahead the day can be on which a card is sent.
pub const DAYS_AHEAD: i64 = 366;
/// The maximum number of characters of the names on a card.
const NAME_MAX: usize = 100;

/// The amounts at which the market sells gift cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GiftCardTerms {
    /// The amounts that it suggests.
    pub suggested: Vec<Money>,
    /// The least that a card can have.
    pub least: Money,
    /// The most that a card can have.
    pub most: Money,
}

impl GiftCardTerms {
    /// The currency of the cards.
    pub fn currency(&self) -> Currency {
        self.least.currency()
    }
}

/// A gift card to buy, as entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GiftCardForm {
    /// One of the suggested amounts, or empty.
    pub amount: String,
    /// Another amount, which counts if it is entered.
    pub own_amount: String,
    /// The name of the recipient. May be empty.
    pub recipient_name: String,
    /// The email address that the card is sent to. If it is empty, it is sent to the buyer.
    pub recipient_email: String,
    /// The name of the giver. May be empty.
    pub sender_name: String,
    /// The message. May be empty.
    pub message: String,
    /// The day on which it is sent. If it is empty, it is sent at once.
    pub send_on: String,
    /// The tag of the language of the email.
    pub locale: String,
}

impl GiftCardForm {
    /// The names of its fields.
    pub const FIELDS: [&str; 8] = [
        "amount",
        "own_amount",
        "recipient_name",
        "recipient_email",
        "sender_name",
        "message",
        "send_on",
        "locale",
    ];

    /// The form with these values.
    pub fn read(value: impl Fn(&str) -> String) -> Self {
        let [amount, own_amount, recipient_name, recipient_email, sender_name, message, send_on, locale] =
            Self::FIELDS.map(value);
        Self { amount, own_amount, recipient_name, recipient_email, sender_name, message, send_on, locale }
    }

    /// The gift card, or all errors. `today` is counted from 1970-01-01, in the market's time zone.
    pub fn check(&self, terms: &GiftCardTerms, today: i64, smtputf8: bool) -> Result<Gift, Vec<FieldError>> {
        let mut faults = Vec::new();
        let mut kept = |read: Result<String, FieldError>| {
            read.unwrap_or_else(|fault| {
                faults.push(fault);
                String::new()
            })
        };
        let recipient_name = kept(text::optional_line("recipient_name", &self.recipient_name, NAME_MAX));
        let recipient_email = kept(match self.recipient_email.trim() {
            "" => Ok(String::new()),
            typed => Email::parse("recipient_email", typed)
                .and_then(|email| email.reachable("recipient_email", smtputf8))
                .map(|email| email.as_str().to_owned()),
        });
        let sender_name = kept(text::optional_line("sender_name", &self.sender_name, NAME_MAX));
        let message = kept(text::paragraphs("message", &self.message, MESSAGE_MAX));
        let send_on = kept(match self.send_on.trim() {
            "" => Ok(String::new()),
            typed => match text::day(typed) {
                None => Err(FieldError::new("send_on", FieldCode::NotDate)),
                Some(day) if day < today => Err(FieldError::new("send_on", FieldCode::Past)),
                Some(day) if day > today + DAYS_AHEAD => Err(FieldError::new("send_on", FieldCode::TooBig)),
                Some(_) => Ok(typed.to_owned()),
            },
        });
        let amount = self.amount_of(terms);
        match amount {
            Ok(amount) if faults.is_empty() => Ok(Gift {
                amount,
                recipient_name,
                recipient_email,
                sender_name,
                message,
                send_on,
                locale: self.locale.clone(),
            }),
            amount => Err(amount.err().into_iter().chain(faults).collect()),
        }
    }

    fn amount_of(&self, terms: &GiftCardTerms) -> Result<Money, FieldError> {
        let (field, typed) = match self.own_amount.trim() {
            "" => ("amount", self.amount.as_str()),
            typed => ("own_amount", typed),
        };
        let amount = amounts::read(field, typed, terms.currency())?;
        match amount.amount() {
            minor if minor < terms.least.amount() => Err(FieldError::new(field, FieldCode::TooSmall)),
            minor if minor > terms.most.amount() => {
                Err(FieldError::new(field, FieldCode::AmountTooBig(terms.most)))
            }
            _ => Ok(amount),
        }
    }
}

/// A gift card that is bought: how much, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gift {
    /// The amount.
    pub amount: Money,
    /// The name of the recipient. May be empty.
    pub recipient_name: String,
    /// The email address that the card is sent to. Empty if it is the buyer's.
    pub recipient_email: String,
    /// The name of the giver. May be empty.
    pub sender_name: String,
    /// The message. May be empty.
    pub message: String,
    /// The day on which it is sent: `2026-12-24`. Empty if it is sent at once.
    pub send_on: String,
    /// The tag of the language of the email.
    pub locale: String,
}

impl Gift {
    /// Whom the card is for: by name, or else by address. Empty if it is the buyer.
    pub fn recipient(&self) -> &str {
        if self.recipient_name.is_empty() { &self.recipient_email } else { &self.recipient_name }
    }

    /// What these cards cost: neither shipping nor tax.
    pub fn totals(currency: Currency, minor: i64) -> Totals {
        let amount = Money::new(minor, currency);
        Totals { subtotal: amount, total: amount, ..Totals::zero(currency) }
    }
}

/// A gift card in a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CartGift {
    /// Its ID in the cart.
    pub id: CartGiftId,
    /// The card.
    #[serde(flatten)]
    pub gift: Gift,
}

/// A gift card that was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoughtGift {
    /// The ID.
    pub id: GiftCardId,
    /// The card.
    #[serde(flatten)]
    pub gift: Gift,
    /// When it was last sent. Null until then.
    pub sent_at: Option<String>,
    /// Whether the buyer got the money back, so that it can't be used.
    pub refunded: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> GiftCardTerms {
        let inr = |minor| Money::new(minor, Currency::INR);
        GiftCardTerms { suggested: vec![inr(50_000)], least: inr(10_000), most: inr(1_000_000) }
    }

    #[test]
    fn a_gift_card_is_read_from_its_form() {
        let form = GiftCardForm { amount: "500".into(), ..GiftCardForm::default() };
        let gift = form.check(&terms(), 20_000, false).unwrap();
        assert_eq!((gift.amount.amount(), gift.recipient(), gift.send_on.as_str()), (50_000, "", ""));
        let form = GiftCardForm {
            own_amount: " 1,234.50 ".into(),
            recipient_email: " Ravi@Example.com ".into(),
            message: "Happy\r\nbirthday".into(),
            send_on: "2024-10-04".into(),
            ..form
        };
        // 2024-10-04 is day 20,000.
        let gift = form.check(&terms(), 20_000, false).unwrap();
        assert_eq!((gift.amount.amount(), gift.recipient()), (123_450, "Ravi@example.com"));
        assert_eq!((gift.message.as_str(), gift.send_on.as_str()), ("Happy\nbirthday", "2024-10-04"));
        let form = GiftCardForm { recipient_name: "Ravi".into(), ..form };
        assert_eq!(form.check(&terms(), 20_000, false).unwrap().recipient(), "Ravi");
    }

    #[test]
    fn every_fault_of_a_gift_card_is_at_its_field() {
        let full = GiftCardForm { amount: "500".into(), ..GiftCardForm::default() };
        let cases: [(&str, &str, &str); 13] = [
            ("amount", "", "amount"),
            ("amount", "99.99", "amount"),
            ("amount", "10000.01", "amount"),
            ("own_amount", "5", "own_amount"),
            ("own_amount", "many", "own_amount"),
            ("own_amount", "-500", "own_amount"),
            ("recipient_email", "ravi", "recipient_email"),
            ("recipient_name", &"x".repeat(101), "recipient_name"),
            ("sender_name", &"x".repeat(101), "sender_name"),
            ("message", &"x".repeat(501), "message"),
            ("send_on", "soon", "send_on"),
            ("send_on", "2024-10-03", "send_on"),
            ("send_on", "2025-10-06", "send_on"),
        ];
        for (name, value, at) in cases {
            let form = GiftCardForm::read(|field| match field {
                field if field == name => value.to_owned(),
                "amount" => full.amount.clone(),
                _ => String::new(),
            });
            let faults = form.check(&terms(), 20_000, false).unwrap_err();
            assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), [at], "{value}");
        }
        let last = GiftCardForm { send_on: "2025-10-05".into(), message: "x".repeat(500), ..full };
        assert!(last.check(&terms(), 20_000, false).is_ok());
    }

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
