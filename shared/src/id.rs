//! Typed IDs: a UUIDv7 in the database, a TypeID on the wire (`prod_01h455vb4pex5vsknk084sn02q`).
//!
//! The wire format is that of the TypeID specification 0.3: a prefix, `_`, and the 128 bits as 26
//! characters of Crockford's base 32 in lower case. The ID of a cart cannot be passed where that of a
//! product is expected.

use std::{fmt, hash::Hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// A kind of object that has IDs. Only [`kinds`] implements it.
pub trait IdKind: 'static {
    /// The prefix before the `_` on the wire.
    const PREFIX: &'static str;
}

/// The ID of a `K`.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// An ID from its bits, as stored in the database.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The same from a number, for IDs that browsers make.
    pub const fn from_bits(bits: u128) -> Self {
        Self::from_uuid(Uuid::from_u128(bits))
    }

    /// The bits, as stored in the database.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<K: IdKind> Id<K> {
    /// The last `n` characters of the wire format, which are random, since a UUIDv7 begins with the time.
    pub fn tail(self, n: usize) -> String {
        let text = encode(self.0.as_u128());
        text[26 - n.min(26)..].to_owned()
    }
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn encode(bits: u128) -> String {
    (0..26).rev().map(|place| ALPHABET[(bits >> (place * 5)) as usize & 31] as char).collect()
}

fn decode(text: &str) -> Option<u128> {
    let text = text.as_bytes();
    // 26 characters encode 130 bits, so the first one may only use three.
    if text.len() != 26 || text[0] > b'7' {
        return None;
    }
    text.iter().try_fold(0u128, |bits, c| {
        let digit = ALPHABET.iter().position(|a| a == c)?;
        Some(bits << 5 | digit as u128)
    })
}

/// Text that is not an ID of the expected kind. Reported to users as not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind")]
pub struct BadId;

impl<K: IdKind> FromStr for Id<K> {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let rest = text.strip_prefix(K::PREFIX).and_then(|t| t.strip_prefix('_')).ok_or(BadId)?;
        decode(rest).map(|bits| Self::from_uuid(Uuid::from_u128(bits))).ok_or(BadId)
    }
}

impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, encode(self.0.as_u128()))
    }
}

impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: IdKind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl<K: IdKind> utoipa::PartialSchema for Id<K> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .pattern(Some(format!("^{}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$", K::PREFIX)))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl<K: IdKind> utoipa::ToSchema for Id<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        let kind = std::any::type_name::<K>();
        format!("{}Id", kind.rsplit("::").next().unwrap_or(kind)).into()
    }
}

/// The list of everything that has an ID.
pub mod kinds {
    use super::{Id, IdKind};

    macro_rules! kinds {
        ($($(#[$doc:meta])* $kind:ident $alias:ident $prefix:literal;)*) => {$(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub enum $kind {}
            impl IdKind for $kind {
                const PREFIX: &'static str = $prefix;
            }
            $(#[$doc])*
            pub type $alias = Id<$kind>;
        )*};
    }

    kinds! {
        /// A user.
        User UserId "user";
        /// A browser session.
        Session SessionId "sess";
        /// An API session.
        ApiSession ApiSessionId "apisess";
        /// An API key.
        ApiKey ApiKeyId "key";
        /// A seller's store.
        Shop ShopId "shop";
        /// An invitation to work for a shop.
        Invitation InvitationId "invite";
        /// A part of the world that a shop ships to.
        Zone ZoneId "zone";
        /// A product of a shop.
        Product ProductId "prod";
        /// A category of the marketplace's tree.
        Category CategoryId "cat";
        /// A picture.
        Media MediaId "media";
        /// What goes into a cart.
        Variant VariantId "var";
        /// A capacity: something of limited quantity, such as the stock of a variant.
        Capacity CapacityId "cap";
        /// A coupon or an automatic offer.
        Promotion PromotionId "promo";
        /// Someone who does the services of a shop.
        Provider ProviderId "prov";
        /// A time with a provider that was booked.
        Appointment AppointmentId "appt";
        /// An address under which programs read a calendar.
        CalendarFeed CalendarFeedId "cal";
        /// A gift card.
        GiftCard GiftCardId "gift";
        /// A cart.
        Cart CartId "cart";
        /// A gift card in a cart.
        CartGift CartGiftId "cgift";
        /// A cart line.
        CartLine CartLineId "line";
        /// An item of a wishlist.
        Wish WishId "wish";
        /// One attempt to buy a cart.
        Checkout CheckoutId "chk";
        /// A temporary reservation of capacity.
        Hold HoldId "hold";
        /// A completed checkout.
        Purchase PurchaseId "pur";
        /// One shop's part of a purchase.
        Order OrderId "ord";
        /// An order line.
        OrderLine OrderLineId "item";
        /// An invoice or credit note.
        Invoice InvoiceId "inv";
        /// A part of an order on its way to the customer.
        Shipment ShipmentId "ship";
        /// A part of an order on its way back.
        Return ReturnId "ret";
        /// A review of an item that was bought.
        Review ReviewId "review";
        /// Money requested through a gateway.
        Payment PaymentId "pay";
        /// Money returned.
        Refund RefundId "ref";
        /// A shop's withdrawal of its earnings.
        Payout PayoutId "payout";
        /// Where a shop gets its payouts.
        PayoutMethod PayoutMethodId "method";
        /// A balanced set of ledger entries.
        Posting PostingId "post";
        /// An outbox message, to be published after the commit.
        OutboxMessage OutboxMessageId "outbox";
        /// A job, to be done after the commit.
        Job JobId "job";
        /// Something that many people are told at once.
        Announcement AnnouncementId "announce";
        /// A record that someone must be notified.
        Notification NotificationId "notif";
        /// A browser that shows notifications while no page is open.
        PushSubscription PushSubscriptionId "push";
        /// A typed attribute of products.
        Attribute AttributeId "attr";
        /// A conversation of a shopper with a shop.
        Conversation ConversationId "conv";
        /// A message of a conversation.
        Message MessageId "msg";
        /// A note of a shop on a conversation.
        Note NoteId "note";
        /// A saved answer of a shop.
        QuickReply QuickReplyId "reply";
        /// A report of a conversation to the operator.
        Report ReportId "report";
        /// A message to the marketplace.
        ContactMessage ContactMessageId "contact";
        /// An email.
        Mail EmailId "mail";
        /// An entry of the audit log.
        Audit AuditId "aud";
        /// A product file being imported into a shop.
        Import ImportId "imp";
        /// A stored form, to be shown again with its errors.
        Draft DraftId "draft";
        /// An address that a user has saved.
        SavedAddress SavedAddressId "addr";
        /// A sign-up that awaits confirmation.
        SignUp SignUpId "signup";
        /// A request to choose a new password.
        PasswordReset PasswordResetId "reset";
        /// A code that was emailed for signing in.
        SignInCode SignInCodeId "sic";
        /// A currency's rate, from some moment on.
        CurrencyRate CurrencyRateId "rate";
        /// A sale that a seller planned.
        PlannedSale PlannedSaleId "sale";
        /// A timed event of a shop.
        SaleEvent SaleEventId "event";
        /// A tax rate of a place.
        TaxRate TaxRateId "taxrate";
        /// A dispute of a payment.
        Dispute DisputeId "dp";
        /// A disputed part of an order.
        DisputedOrder DisputedOrderId "dpo";
        /// A transfer of a gateway to the market's bank account.
        Settlement SettlementId "settle";
    }
}

#[cfg(test)]
mod tests {
    use super::{kinds::*, *};
    use proptest::prelude::*;

    #[test]
    fn the_wire_form_is_the_one_of_the_specification() {
        // Test vectors from the TypeID specification's list of valid ids.
        let cases = [
            (0u128, "00000000000000000000000000"),
            (1, "00000000000000000000000001"),
            (10, "0000000000000000000000000a"),
            (16, "0000000000000000000000000g"),
            (32, "00000000000000000000000010"),
            (u128::MAX, "7zzzzzzzzzzzzzzzzzzzzzzzzz"),
            (0x0189_0a5d_ac96_774b_bcce_b302_099a_8057, "01h455vb4pex5vsknk084sn02q"),
        ];
        for (bits, text) in cases {
            assert_eq!(encode(bits), text);
            assert_eq!(decode(text), Some(bits));
        }
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for bad in [
            "",
            "prod",
            "prod_",
            "shop_00000000000000000000000000",
            "prod_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "prod_0000000000000000000000000",
            "prod_0000000000000000000000000O",
            "prod_0000000000000000000000000é",
            "PROD_00000000000000000000000000",
        ] {
            assert_eq!(bad.parse::<ProductId>(), Err(BadId), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_id_survives_the_wire(bits: u128) {
            let id = ProductId::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(id.to_string().parse::<ProductId>(), Ok(id));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            let _ = text.parse::<ProductId>();
            let _ = format!("prod_{text}").parse::<ProductId>();
        }
    }
}
