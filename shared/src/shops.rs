//! Shops: public profiles, the settings form, and the dashboard's home page.

use serde::{Deserialize, Serialize};

use crate::{
    addresses, amounts,
    commissions::RateOf,
    field::{FieldCode, FieldError, ValidationErrors},
    id::kinds::ShopId,
    media::Picture,
    money::{Currency, Money},
    permissions::Role,
    taxes, text,
};

/// The minimum and maximum number of characters of a handle.
pub const HANDLE_LENGTH: (usize, usize) = (3, 40);
/// The maximum number of characters of a shop's name, and of its town.
pub const NAME_MAX: usize = 80;
/// The maximum number of characters of a shop's description.
pub const DESCRIPTION_MAX: usize = 2_000;
/// The maximum number of characters of a tax ID.
pub const TAX_ID_MAX: usize = 40;
/// The maximum number of characters of a shop's address.
pub const ADDRESS_MAX: usize = 500;
/// The maximum number of days for delivery, and of the return window.
pub const DAYS_MAX: i64 = 365;

/// Reserved handles, which would look like a part of the marketplace.
const RESERVED: [&str; 24] = [
    "about", "account", "admin", "api", "basket", "checkout", "contact", "haat", "help", "home", "market",
    "new", "official", "operator", "orders", "privacy", "search", "security", "seller", "settings", "shop",
    "shops", "support", "terms",
];

/// Products of a shop are counted up to this number, because counting 20,000 would take longer than the
/// rest of a page.
pub const COUNTED_TO: i64 = 1_000;

/// The number of shops per page of the directory.
pub const PAGE_SIZE: usize = 24;

/// A shop in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShopCard {
    /// The handle used in the shop's URL.
    pub handle: String,
    /// The shop's name.
    pub name: String,
    /// The shop's description.
    pub description: String,
    /// The town or city that the shop ships from. May be empty.
    pub town: String,
    /// The number of published products, counted up to 1,000.
    pub products: i64,
    /// The shop's logo, if any.
    pub logo: Option<Picture>,
}

/// A shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShopView {
    /// The shop's ID.
    pub id: ShopId,
    /// The handle used in the shop's URL: `/shops/meena-crafts`.
    pub handle: String,
    /// The shop's name.
    pub name: String,
    /// The shop's description.
    pub description: String,
    /// The town or city that the shop ships from. May be empty.
    pub town: String,
    /// The currency of its prices.
    pub currency: Currency,
    /// The lowest price of shipping to the market's country. None if the shop doesn't ship there.
    pub shipping_price: Option<Money>,
    /// Whether other orders cost more.
    pub shipping_varies: bool,
    /// The order subtotal from which that is free.
    pub free_shipping_from: Option<Money>,
    /// The minimum and maximum number of days for delivery, from today.
    pub delivery_days: (i64, i64),
    /// The return window in days. 0 if the shop doesn't accept returns.
    pub returns_days: i64,
    /// The number of published products, counted up to 1,000. Only present when the shop is retrieved on its own.
    pub products: Option<i64>,
    /// The shop's logo, if any.
    pub logo: Option<Picture>,
}

/// The shop form, as entered by the owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShopForm {
    /// The handle used in the shop's URL. It can't be changed once the shop is open.
    pub handle: String,
    /// The name.
    pub name: String,
    /// The description. May be empty.
    pub description: String,
    /// The town or city that the shop ships from.
    pub town: String,
    /// The postal address. May be empty.
    pub address: String,
    /// The country's code, for taxes. Empty for that of the market.
    #[serde(default)]
    pub country: String,
    /// The region: its code or name. Empty if not known.
    #[serde(default)]
    pub region: String,
    /// Whether prices include tax: `yes`, `no`, or empty if as in the market.
    #[serde(default)]
    pub prices_include_tax: String,
    /// The tax ID, such as a GSTIN, shown on invoices. May be empty.
    pub tax_id: String,
    /// The price of shipping everywhere, of a new shop. May be zero. Open shops have zones.
    pub shipping_price: String,
    /// The subtotal from which that is free; empty for never.
    pub free_shipping_from: String,
    /// The return window in days; 0 for no returns.
    pub returns_days: String,
}

impl Default for ShopForm {
    fn default() -> Self {
        Self {
            handle: String::new(),
            name: String::new(),
            description: String::new(),
            town: String::new(),
            address: String::new(),
            country: String::new(),
            region: String::new(),
            prices_include_tax: String::new(),
            tax_id: String::new(),
            shipping_price: String::new(),
            free_shipping_from: String::new(),
            returns_days: "7".into(),
        }
    }
}

/// A valid [`ShopForm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopDraft {
    /// The handle used in the shop's URL.
    pub handle: String,
    /// The name.
    pub name: String,
    /// The description.
    pub description: String,
    /// The town or city that the shop ships from.
    pub town: String,
    /// The postal address.
    pub address: String,
    /// The country's code. Empty for that of the market.
    pub country: String,
    /// The region's code. Empty if not known.
    pub region: String,
    /// Whether prices include tax; `None` if as in the market.
    pub prices_include_tax: Option<bool>,
    /// The tax ID.
    pub tax_id: String,
    /// The return window in days.
    pub returns_days: i64,
}

/// A handle: lower-case letters and digits, with single hyphens between them.
pub fn handle(typed: &str) -> Result<String, FieldError> {
    let handle = text::line("handle", &text::normalized_code(typed), HANDLE_LENGTH.1)?.to_lowercase();
    let fault = |code| Err(FieldError::new("handle", code));
    let plain = handle
        .split('-')
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    match handle.as_str() {
        _ if !plain => fault(FieldCode::BadCharacters),
        short if short.len() < HANDLE_LENGTH.0 => fault(FieldCode::TooShort),
        taken if RESERVED.contains(&taken) => fault(FieldCode::Reserved),
        _ => Ok(handle),
    }
}

/// A tax ID: letters, digits and the marks between them, and where the country's form is known, of that form. May be
/// empty.
fn tax_id(country: &str, typed: &str) -> Result<String, FieldError> {
    let id = text::code("tax_id", typed, TAX_ID_MAX)?;
    let id = taxes::shop_tax_id("tax_id", country, &id)?;
    match id.chars().all(|c| c.is_ascii_alphanumeric() || " -./".contains(c)) {
        true => Ok(id),
        false => Err(FieldError::new("tax_id", FieldCode::BadCharacters)),
    }
}

/// An optional amount.
fn optional(field: &str, typed: &str, currency: Currency) -> Result<Option<Money>, FieldError> {
    if typed.trim().is_empty() { Ok(None) } else { amounts::read(field, typed, currency).map(Some) }
}

impl ShopForm {
    /// The form from its submitted fields by name.
    pub fn read(field: impl Fn(&str) -> String) -> Self {
        Self {
            handle: field("handle"),
            name: field("name"),
            description: field("description"),
            town: field("town"),
            address: field("address"),
            country: field("country"),
            region: field("region"),
            prices_include_tax: field("prices_include_tax"),
            tax_id: field("tax_id"),
            shipping_price: field("shipping_price"),
            free_shipping_from: field("free_shipping_from"),
            returns_days: field("returns_days"),
        }
    }

    /// The country and the code of the region.
    fn place(&self, faults: &mut ValidationErrors) -> (String, String) {
        let country = match self.country.trim() {
            "" => Ok(String::new()),
            typed => addresses::country_code(typed).ok_or(FieldError::new("country", FieldCode::NotAChoice)),
        };
        let country = faults.take(country);
        let region = taxes::region("region", &country, &self.region);
        (country, faults.take(region))
    }

    /// The validated settings, or all errors.
    pub fn check(&self) -> Result<ShopDraft, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let draft = self.draft(&mut faults);
        faults.finish(draft)
    }

    fn draft(&self, faults: &mut ValidationErrors) -> ShopDraft {
        let (country, region) = self.place(faults);
        ShopDraft {
            handle: faults.take(handle(&self.handle)),
            name: faults.take(text::line("name", &self.name, NAME_MAX)),
            description: faults.take(text::paragraphs("description", &self.description, DESCRIPTION_MAX)),
            town: faults.take(text::line("town", &self.town, NAME_MAX)),
            address: faults.take(text::paragraphs("address", &self.address, ADDRESS_MAX)),
            tax_id: faults.take(tax_id(&country, &self.tax_id)),
            country,
            region,
            prices_include_tax: match self.prices_include_tax.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            returns_days: faults.take(text::whole_number("returns_days", &self.returns_days, 0, DAYS_MAX)),
        }
    }

    /// A new shop, the price of its shipping and the subtotal from which that is free; or all errors.
    pub fn check_new(
        &self,
        currency: Currency,
    ) -> Result<(ShopDraft, Money, Option<Money>), Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let draft = self.draft(&mut faults);
        let price = amounts::read("shipping_price", &self.shipping_price, currency);
        let price = faults.take_or(price, Money::zero(currency));
        let free_from = faults.take(optional("free_shipping_from", &self.free_shipping_from, currency));
        if free_from.is_some_and(|from| from.amount() == 0) {
            faults.add("free_shipping_from", FieldCode::TooSmall);
        }
        faults.finish((draft, price, free_from))
    }

    /// The names of the fields that differ from another form.
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let fields = |form: &Self| {
            [
                ("name", form.name.clone()),
                ("description", form.description.clone()),
                ("town", form.town.clone()),
                ("address", form.address.clone()),
                ("country", form.country.clone()),
                ("region", form.region.clone()),
                ("prices_include_tax", form.prices_include_tax.clone()),
                ("tax_id", form.tax_id.clone()),
                ("returns_days", form.returns_days.clone()),
            ]
        };
        let pairs = fields(self).into_iter().zip(fields(other));
        pairs.filter(|(a, b)| a != b).map(|((name, _), _)| name.to_owned()).collect()
    }
}

impl ShopDraft {
    /// The draft as form input.
    pub fn form(&self) -> ShopForm {
        ShopForm {
            handle: self.handle.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            town: self.town.clone(),
            address: self.address.clone(),
            country: self.country.clone(),
            region: self.region.clone(),
            prices_include_tax: match self.prices_include_tax {
                Some(true) => "yes",
                Some(false) => "no",
                None => "",
            }
            .to_owned(),
            tax_id: self.tax_id.clone(),
            returns_days: self.returns_days.to_string(),
            ..ShopForm::default()
        }
    }
}

/// A shop's settings, as its owner edits them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopSettings {
    /// The version, which must be sent when saving.
    pub version: i64,
    /// The shop's currency.
    pub currency: Currency,
    /// The commission rate, in basis points.
    pub commission_bp: i64,
    /// The categories whose products have another one.
    #[serde(default)]
    pub commissions: Vec<RateOf>,
    /// Everything that can be edited, as form input; and the handle, which can't.
    pub form: ShopForm,
    /// The staff.
    pub members: Vec<Member>,
}

/// A staff member of a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// The member's name.
    pub name: String,
    /// The member's email address.
    pub email: String,
    /// The member's role.
    pub role: Role,
}

/// The orders of a shop that are waiting for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToDo {
    /// The number of orders to confirm.
    pub to_confirm: i64,
    /// The number of orders to ship.
    pub to_ship: i64,
    /// How many messages of customers are unread, for those who answer them.
    pub unread_messages: i64,
}

/// The sort orders of the admin's list of shops. The first is the default.
pub const SHOP_SORTS: [&str; 4] = ["-created", "created", "handle", "-handle"];

/// The filters of the admin's list of shops: those with published products, and those without.
pub const SHOP_STAGES: [&str; 2] = ["selling", "empty"];

/// A shop in the admin's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminShopCard {
    /// The handle used in the shop's URL.
    pub handle: String,
    /// The shop's name.
    pub name: String,
    /// The town or city that the shop ships from.
    pub town: String,
    /// The email of the shop's owner.
    pub owner_email: String,
    /// The commission rate, in basis points.
    pub commission_bp: i64,
    /// The number of published products.
    pub products: i64,
    /// When the shop was opened: RFC 3339, UTC.
    pub created_at: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_plain_and_not_the_markets_own() {
        assert_eq!(handle(" Meena-Crafts2 ").as_deref(), Ok("meena-crafts2"));
        let cases = [
            ("", FieldCode::Missing),
            ("ab", FieldCode::TooShort),
            ("meena crafts", FieldCode::BadCharacters),
            ("-meena", FieldCode::BadCharacters),
            ("meena--crafts", FieldCode::BadCharacters),
            ("मीना", FieldCode::BadCharacters),
            ("a/../b", FieldCode::BadCharacters),
            ("ADMIN", FieldCode::Reserved),
        ];
        for (typed, code) in cases {
            assert_eq!(handle(typed).unwrap_err().code, code, "{typed}");
        }
        assert_eq!(handle(&"x".repeat(41)).unwrap_err().code, FieldCode::TooLong(40));
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn shops_are_checked_and_typed_again_the_same() {
        let form = ShopForm {
            handle: "meena".into(),
            name: "Meena".into(),
            town: "Jaipur".into(),
            shipping_price: "₹1,049".into(),
            free_shipping_from: "2,500".into(),
            ..ShopForm::default()
        };
        let (draft, price, free_from) = form.check_new(Currency::INR).unwrap();
        assert_eq!((price.amount(), free_from.map(Money::amount)), (104_900, Some(250_000)));
        assert_eq!(draft.form().check(), Ok(draft.clone()));
        let other = ShopForm { town: "Pune".into(), returns_days: "0".into(), ..form.clone() };
        assert_eq!(form.differing(&other), ["town", "returns_days"]);
        for (typed, country) in [("UK", "GB"), ("gb", "GB"), (" IN ", "IN"), ("", "")] {
            let form = ShopForm { country: typed.into(), ..form.clone() };
            assert_eq!(form.check().unwrap().country, country);
        }
        let bad = ShopForm {
            tax_id: "XX<1>".into(),
            shipping_price: "soon".into(),
            free_shipping_from: "0".into(),
            returns_days: "366".into(),
            ..form
        };
        let faults = bad.check_new(Currency::INR).unwrap_err();
        let faults: Vec<_> = faults.iter().map(|f| (f.field.as_str(), f.code)).collect();
        assert_eq!(
            faults,
            [
                ("tax_id", FieldCode::BadCharacters),
                ("returns_days", FieldCode::TooBig),
                ("shipping_price", FieldCode::NotMoney),
                ("free_shipping_from", FieldCode::TooSmall)
            ]
        );
        let faults = bad.check().unwrap_err();
        assert_eq!(faults.len(), 2, "an open shop has zones");
    }
}
