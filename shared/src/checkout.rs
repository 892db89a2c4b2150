//! Checkout: one attempt to buy a cart. Its input, its states and its quote.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    accounts::{EMAIL_MAX, Email},
    address_book::SavedAddress,
    addresses::{self, Address},
    field::{FieldCode, FieldError},
    gift_cards::{AppliedGiftCard, Gift},
    id::kinds::{CheckoutId, ShopId},
    media::Picture,
    money::{Money, Rate},
    payments::{NextAction, PaymentFields, PaymentMethod, PaymentWindow, PurchaseLink},
    pricing::Totals,
    promotions::Discount,
    shipping::{CashTerms, ShippingMethod, ShippingOption, Slot, SlotView},
    taxes::{self, TaxLine},
    text,
};

/// How long a checkout holds its stock.
pub const HOLD_MS: i64 = 15 * 60 * 1000;

text_enum! {
    /// The state of a checkout.
    ///
    /// ```text
    /// open ──► paying ──► completed
    ///  │  ◄──────┘ (declined)   ▲
    ///  ├──► expired ────────────┤ a late capture is honoured if there is stock
    ///  └──► superseded            a newer checkout of the cart took its place
    /// ```
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum CheckoutState {
        /// The shopper is entering details; everything is held.
        Open = "open",
        /// A payment is in progress; everything is held.
        Paying = "paying",
        /// It became a purchase.
        Completed = "completed",
        /// It expired, and its holds were released.
        Expired = "expired",
        /// It was superseded by a newer checkout of the same cart.
        Superseded = "superseded",
    }
}

impl CheckoutState {
    /// Whether it still has its holds.
    pub fn holds(self) -> bool {
        matches!(self, Self::Open | Self::Paying)
    }
}

/// What a shopper enters at checkout, complete or not: the command that updates a checkout. Stored with the
/// checkout, so that no input is lost.
///
/// It is stored as JSON, as is [`ValidCheckout`]. Fields may be added, with a default, but not renamed: what
/// an earlier version has stored must remain readable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckoutUpdate {
    /// The email address for the confirmation.
    pub email: String,
    /// The recipient's name.
    pub name: String,
    /// The street address.
    pub line1: String,
    /// Flat, floor or landmark. May be empty.
    pub line2: String,
    /// The town or city.
    pub city: String,
    /// The state or province. Required in some countries.
    pub region: String,
    /// The postal code. Required in most countries.
    pub postal_code: String,
    /// The country code (ISO 3166-1).
    pub country: String,
    /// A phone number for the courier. May be empty.
    pub phone: String,
    /// The customer's tax ID. May be empty.
    pub tax_id: String,
    /// The billing address, if it isn't the shipping address. It has no phone number.
    pub billing: Option<Address>,
    /// Whether to save the shipping address with the account.
    pub save_address: bool,
    /// The payment method.
    #[serde(alias = "method", deserialize_with = "stored_method")]
    pub payment_method: Option<PaymentMethod>,
    /// The shipping method of each shop; standard shipping if missing.
    #[serde(alias = "delivery", deserialize_with = "stored_choices")]
    pub shipping_methods: BTreeMap<ShopId, ShippingMethod>,
    /// The slot of each shop that delivers in slots, if that is its shipping method.
    #[serde(deserialize_with = "stored_slots")]
    pub slots: BTreeMap<ShopId, Slot>,
}

/// Reads a payment method. One that no longer exists is none.
fn stored_method<'de, D: Deserializer<'de>>(stored: D) -> Result<Option<PaymentMethod>, D::Error> {
    let text: Option<String> = Deserialize::deserialize(stored)?;
    Ok(text.as_deref().and_then(PaymentMethod::parse))
}

/// Reads the selected shipping methods. One that no longer exists is not selected.
fn stored_choices<'de, D: Deserializer<'de>>(
    stored: D,
) -> Result<BTreeMap<ShopId, ShippingMethod>, D::Error> {
    let texts: BTreeMap<String, String> = Deserialize::deserialize(stored)?;
    Ok(texts.iter().filter_map(|(shop, method)| choice(shop, method)).collect())
}

/// Reads the selected slots. What is none is not selected.
fn stored_slots<'de, D: Deserializer<'de>>(stored: D) -> Result<BTreeMap<ShopId, Slot>, D::Error> {
    let texts: BTreeMap<String, String> = Deserialize::deserialize(stored)?;
    Ok(texts.iter().filter_map(|(shop, slot)| slot_choice(shop, slot)).collect())
}

/// A shop and its shipping method, from text.
pub fn choice(shop: &str, method: &str) -> Option<(ShopId, ShippingMethod)> {
    Some((shop.parse().ok()?, ShippingMethod::parse(method)?))
}

/// A shop and its slot, from text.
pub fn slot_choice(shop: &str, slot: &str) -> Option<(ShopId, Slot)> {
    Some((shop.parse().ok()?, slot.parse().ok()?))
}

/// What the names of the fields of slots begin with, before the ID of the shop.
pub const SLOT: &str = "slots.";

/// What the names of the fields of the billing address begin with.
pub const BILLING: &str = "billing.";

/// The maximum number of shops whose shipping method is stored.
const CHOICES_MAX: usize = 100;

/// A valid [`CheckoutUpdate`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidCheckout {
    /// The email address for the confirmation.
    pub email: Email,
    /// The shipping address.
    pub address: Address,
    /// The tax ID. May be empty.
    #[serde(default)]
    pub tax_id: String,
    /// The billing address, if it isn't the shipping address.
    #[serde(default)]
    pub billing: Option<Address>,
    /// The payment method.
    #[serde(alias = "method")]
    pub payment_method: PaymentMethod,
}

impl CheckoutUpdate {
    /// The input with every field truncated to what can be stored, for a draft.
    pub fn bounded(mut self) -> Self {
        let most = EMAIL_MAX + 1;
        text::truncate(&mut self.email, most);
        text::truncate(&mut self.tax_id, most);
        self.billing = self.billing.map(|address| address.bounded(most));
        let Address { name, line1, line2, city, region, postal_code, country, phone } =
            self.address().bounded(most);
        self = Self { name, line1, line2, city, region, postal_code, country, phone, ..self };
        while self.shipping_methods.len() > CHOICES_MAX {
            self.shipping_methods.pop_last();
        }
        while self.slots.len() > CHOICES_MAX {
            self.slots.pop_last();
        }
        self
    }

    /// The shipping method of a shop.
    pub fn shipping_method_of(&self, shop: ShopId) -> ShippingMethod {
        self.shipping_methods.get(&shop).copied().unwrap_or_default()
    }

    /// The input in a form, without the shipping methods, which are those of its shops. For `foreign`, see [`Address::read`].
    pub fn read(field: &impl Fn(&str) -> String, foreign: impl Fn(&str, &str) -> bool) -> Self {
        let billing = !field("billing").is_empty();
        Self {
            email: field("email"),
            tax_id: field("tax_id"),
            save_address: !field("save_address").is_empty(),
            billing: billing.then(|| Address::read(field, BILLING, &foreign)),
            payment_method: PaymentMethod::parse(&field("payment_method")),
            ..Self::to(Address::read(field, "", &foreign))
        }
    }

    /// The input of an order to an address that is already known.
    pub fn to(address: Address) -> Self {
        let Address { name, line1, line2, city, region, postal_code, country, phone } = address;
        Self { name, line1, line2, city, region, postal_code, country, phone, ..Self::default() }
    }

    /// The shipping address, as entered.
    pub fn address(&self) -> Address {
        let Self { name, line1, line2, city, region, postal_code, country, phone, .. } = self.clone();
        Address { name, line1, line2, city, region, postal_code, country, phone }
    }

    /// The validated input, with one of the `offered` payment methods, or all errors. `smtputf8` is
    /// whether the mail server supports SMTPUTF8. Without an order, as of gift cards, the address may be empty, and isn't used.
    pub fn check(
        &self,
        offered: &[PaymentMethod],
        smtputf8: bool,
        has_orders: bool,
    ) -> Result<ValidCheckout, Vec<FieldError>> {
        let (email, mut faults) =
            match Email::parse("email", &self.email).and_then(|email| email.reachable("email", smtputf8)) {
                Ok(email) => (Some(email), Vec::new()),
                Err(fault) => (None, vec![fault]),
            };
        let (address, wrong) = match has_orders {
            true => addresses::check(self.address()),
            false => (Address::default(), Vec::new()),
        };
        faults.extend(wrong);
        let tax_id = taxes::tax_id("tax_id", &self.tax_id).unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        });
        let billing = self.billing.clone().filter(|_| has_orders).map(|typed| {
            let (address, wrong) = addresses::check(typed);
            let wrong = wrong.into_iter();
            faults
                .extend(wrong.map(|fault| FieldError::new(format!("{BILLING}{}", fault.field), fault.code)));
            address
        });
        let payment_method = self.payment_method.filter(|m| offered.contains(m));
        if payment_method.is_none() {
            let code = if self.payment_method.is_none() { FieldCode::Missing } else { FieldCode::NotAChoice };
            faults.push(FieldError::new("payment_method", code));
        }
        match (email, payment_method) {
            (Some(email), Some(payment_method)) if faults.is_empty() => {
                Ok(ValidCheckout { email, address, tax_id, billing, payment_method })
            }
            _ => Err(faults),
        }
    }
}

/// What a checkout costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutQuote {
    /// Increases whenever the totals change, from 1. A payment names the version that the shopper saw.
    pub version: i64,
    /// The totals.
    pub totals: Totals,
    /// The taxes in them, or added to them.
    #[serde(default)]
    pub taxes: Vec<TaxLine>,
    /// What the payment method pays: the total, less what gift cards pay.
    pub to_pay: Money,
}

/// A checkout, as shown on its page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutView {
    /// The checkout's ID.
    pub id: CheckoutId,
    /// The state.
    pub state: CheckoutState,
    /// The input so far.
    pub form: CheckoutUpdate,
    /// The items, by shop.
    pub groups: Vec<CheckoutGroup>,
    /// What it costs.
    pub quote: CheckoutQuote,
    /// The discounts.
    #[serde(default)]
    pub discounts: Vec<Discount>,
    /// The gift cards that pay for it, in this order. The payment method pays the rest.
    #[serde(default)]
    pub gift_cards: Vec<AppliedGiftCard>,
    /// The gift cards that are bought.
    #[serde(default)]
    pub gifts: Vec<Gift>,
    /// The rate at which prices were converted from the market's currency: 1/1 if they were not.
    pub rate: Rate,
    /// The seconds until the holds expire.
    pub seconds_left: i64,
    /// The payment methods of the market. Those that all shops take are [`taken`].
    pub payment_methods: Vec<PaymentMethod>,
    /// Those of them whose gateway doesn't respond at the moment.
    pub unresponsive_methods: Vec<PaymentMethod>,
    /// Whether the mail server supports non-ASCII letters before the `@` of an email address.
    pub smtputf8: bool,
    /// The outcome of the last payment attempt, if any.
    pub payment: Option<PaymentOutcome>,
    /// The next step of the payment in progress, if any.
    pub next_action: Option<NextAction>,
    /// The purchase, once the checkout is completed.
    pub purchase: Option<PurchaseLink>,
    /// The idempotency key of the next payment attempt, to be sent with the form.
    pub key: String,
}

/// The outcome of the last payment attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PaymentOutcome {
    /// Not known yet.
    UnderWay,
    /// Declined or cancelled. Nothing was charged.
    Declined,
    /// Paid.
    Paid,
}

/// The items of one shop in a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckoutGroup {
    /// The shop's ID.
    pub shop_id: ShopId,
    /// The shop's name.
    pub shop_name: String,
    /// The line items.
    pub lines: Vec<CheckoutLineView>,
    /// The shipping methods that the shop offers, standard first.
    pub shipping_options: Vec<ShippingOption>,
    /// The selected shipping method.
    pub shipping_method: ShippingMethod,
    /// The slots of the next days, if the shop offers delivery in slots.
    #[serde(default)]
    pub slots: Vec<SlotView>,
    /// The selected slot. It is held like the items.
    #[serde(default)]
    pub slot: Option<Slot>,
    /// The town or city that the shop ships from. May be empty.
    pub town: String,
}

impl CheckoutGroup {
    /// Whether its shop takes cash for its items at the address.
    pub fn takes_cash(&self) -> bool {
        let subtotal = self.lines.iter().map(|line| line.total.amount()).sum();
        CashTerms::of(&self.shipping_options).takes(subtotal)
    }
}

/// Those of the payment methods that all shops take.
pub fn taken(methods: &[PaymentMethod], groups: &[CheckoutGroup]) -> Vec<PaymentMethod> {
    let cash = groups.iter().all(CheckoutGroup::takes_cash);
    methods.iter().copied().filter(|method| cash || method.collected_by_market()).collect()
}

/// A line item of a checkout or order, at the price charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckoutLineView {
    /// The line's position, which identifies it.
    pub position: i64,
    /// The product's title at the time of purchase.
    pub title: String,
    /// The variant's options when bought (`Colour: Red, Size: M`), or its title. May be empty.
    pub variant_title: String,
    /// The variant's current SKU.
    pub sku: String,
    /// The quantity.
    pub quantity: i64,
    /// How many of them have been shipped.
    #[serde(default)]
    pub shipped: i64,
    /// How many of them have been refunded while the order stood.
    #[serde(default)]
    pub refunded: i64,
    /// How many of them come back, or have come back.
    #[serde(default)]
    pub returned: i64,
    /// The price per unit.
    pub unit_price: Money,
    /// The price of the whole line.
    pub total: Money,
    /// The product's current first image.
    #[serde(rename = "image")]
    pub picture: Option<Picture>,
}

impl CheckoutLineView {
    /// How many the shop still has to ship.
    pub fn to_ship(&self) -> i64 {
        self.quantity.saturating_sub(self.shipped).saturating_sub(self.refunded).max(0)
    }

    /// How many the customer can still ask to return.
    pub fn to_return(&self) -> i64 {
        let (shipped, kept) =
            (self.shipped.saturating_sub(self.returned), self.quantity.saturating_sub(self.refunded));
        shipped.min(kept).max(0)
    }
}

/// What the page of a checkout shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutPage {
    /// The checkout, with its input so far.
    pub checkout: CheckoutView,
    /// When its holds end, as a time for the customer.
    pub held_until: String,
    /// If it goes to an address that the customer has saved or bought to last, that address as on its label.
    pub known_address: Option<Vec<String>>,
    /// The addresses that the customer has saved; `None` for a guest.
    #[serde(default)]
    pub addresses: Option<Vec<SavedAddress>>,
    /// The code and name of each region of the country that is entered so far, where there is a table of them.
    pub regions: Vec<(String, String)>,
    /// The same for the billing address, or else for that country.
    pub billing_regions: Vec<(String, String)>,
    /// What is still missing or invalid in the input.
    pub faults: Vec<FieldError>,
    /// The fields of a gateway on this page, in which its script takes payments.
    pub fields: Option<PaymentFields>,
    /// The window of a gateway over this page.
    pub window: Option<PaymentWindow>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn form() -> CheckoutUpdate {
        CheckoutUpdate {
            email: "asha@example.com".into(),
            name: "Asha Rao".into(),
            line1: "12 Lake Road".into(),
            city: "Pune".into(),
            postal_code: "411 001".into(),
            country: "in".into(),
            payment_method: Some(PaymentMethod::Cash),
            ..CheckoutUpdate::default()
        }
    }

    #[test]
    fn a_full_form_holds() {
        let details = form().check(&[PaymentMethod::Cash], false, true).unwrap();
        assert_eq!(details.address.label("India"), ["Asha Rao", "12 Lake Road", "Pune 411001", "India"]);
        assert_eq!(details.address.country, "IN");
        assert_eq!(details.payment_method, PaymentMethod::Cash);
    }

    #[test]
    fn what_is_sent_by_email_needs_no_address() {
        let form = CheckoutUpdate {
            email: "asha@example.com".into(),
            payment_method: Some(PaymentMethod::Sandbox),
            ..CheckoutUpdate::default()
        };
        assert_eq!(form.check(&[PaymentMethod::Sandbox], false, false).unwrap().address, Address::default());
        let faults = CheckoutUpdate::default().check(&[PaymentMethod::Sandbox], false, false).unwrap_err();
        assert_eq!(faults.into_iter().map(|f| f.field).collect::<Vec<_>>(), ["email", "payment_method"]);
    }

    #[test]
    fn every_fault_is_named_at_its_field() {
        let fields = |form: CheckoutUpdate| -> Vec<String> {
            form.check(&[PaymentMethod::Cash], false, true)
                .unwrap_err()
                .into_iter()
                .map(|f| f.field)
                .collect()
        };
        assert_eq!(
            fields(CheckoutUpdate::default()),
            ["email", "name", "line1", "city", "country", "payment_method"]
        );
        assert_eq!(
            fields(CheckoutUpdate { payment_method: Some(PaymentMethod::Sandbox), ..form() }),
            ["payment_method"]
        );
        assert_eq!(fields(CheckoutUpdate { country: "India".into(), ..form() }), ["country"]);
        assert_eq!(fields(CheckoutUpdate { phone: "call me".into(), ..form() }), ["phone"]);
        assert_eq!(fields(CheckoutUpdate { line1: "x".repeat(201), ..form() }), ["line1"]);
    }

    #[test]
    fn what_earlier_versions_have_stored_is_read() {
        let [near, far] = [1, 2].map(|n| ShopId::from_uuid(uuid::Uuid::from_u128(n)));
        let stored = format!(
            r#"{{"email":"asha@example.com","name":"Asha Rao","line1":"12 Lake Road","line2":"","city":"Pune",
                "region":"","postal_code":"411 001","country":"in","phone":"","method":"cash",
                "delivery":{{"{near}":"express","{far}":"drone","shop_nobody":"pickup"}},"seen":"94900"}}"#
        );
        let read: CheckoutUpdate = serde_json::from_str(&stored).unwrap();
        assert_eq!(
            read,
            CheckoutUpdate { shipping_methods: [(near, ShippingMethod::Express)].into(), ..form() }
        );
        for nothing in ["{}", r#"{"method":""}"#, r#"{"method":"bitcoin"}"#, r#"{"method":null}"#] {
            assert_eq!(serde_json::from_str::<CheckoutUpdate>(nothing).unwrap(), CheckoutUpdate::default());
        }
        let again = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<CheckoutUpdate>(&again).unwrap(), read);

        let details = r#"{"email":"asha@example.com","address":{"name":"Asha Rao","line1":"12 Lake Road",
            "line2":"","city":"Pune","region":"","postal_code":"411001","country":"IN","phone":""},"method":"cash"}"#;
        let read: ValidCheckout = serde_json::from_str(details).unwrap();
        assert_eq!(read, form().check(&[PaymentMethod::Cash], false, true).unwrap());
        let option = r#"{"delivery":"express","price":{"amount":9900,"currency":"INR"},"days":[1,2]}"#;
        let read: ShippingOption = serde_json::from_str(option).unwrap();
        assert_eq!((read.shipping_method, read.price.amount()), (ShippingMethod::Express, 9_900));
    }

    proptest! {
        #[test]
        fn a_draft_is_kept_whatever_was_typed(text in ".{0,600}") {
            let draft = CheckoutUpdate { line1: text.clone(), email: text, ..form() }.bounded();
            prop_assert!(draft.line1.chars().count() <= EMAIL_MAX + 1);
            let _ = draft.check(&[PaymentMethod::Cash], false, true);
        }
    }
}
