//! Timed events: a shop sells some of its products at prices of their own, from a start to an end. Each product of an event
//! has a planned sale in it ([`crate::sale_prices`]), and may have an allotment: so many units are sold at that price.

use serde::{Deserialize, Serialize};

use crate::{
    FieldCode, Money,
    field::{FieldError, ValidationErrors},
    id::kinds::{PlannedSaleId, ProductId, SaleEventId},
    media::Picture,
    sale_prices::{PlannedSaleState, SaleForm, SaleVariant},
    text,
};

/// The most characters of a title.
const TITLE_MAX: usize = 80;
/// The most characters of a description.
const DESCRIPTION_MAX: usize = 2_000;
/// The most units of an allotment.
const ALLOTMENT_MAX: i64 = 1_000_000;

/// An event as it was entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventForm {
    /// The title.
    pub title: String,
    /// What is said about it, in lines.
    pub description: String,
    /// When it begins, in the market's time zone: `2026-12-01T10:00`. Empty for now.
    pub starts_at: String,
    /// When it ends.
    pub ends_at: String,
}

impl EventForm {
    /// The names of its fields.
    pub const FIELDS: [&'static str; 4] = ["title", "description", "starts_at", "ends_at"];

    /// The form from its fields.
    pub fn read(field: impl Fn(&str) -> String) -> Self {
        let [title, description, starts_at, ends_at] = Self::FIELDS.map(field);
        Self { title, description, starts_at, ends_at }
    }

    /// The title and the description. What the times are depends on the market's time zone.
    pub fn check(&self) -> Result<(String, String), Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let title = faults.take(text::line("title", &self.title, TITLE_MAX));
        let description = faults.take(text::paragraphs("description", &self.description, DESCRIPTION_MAX));
        if self.ends_at.trim().is_empty() {
            faults.add("ends_at", FieldCode::Missing);
        }
        faults.finish((title, description))
    }
}

/// A product that is put into an event, as it was entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventProductForm {
    /// The reduction in percent, and the prices of variants. Its times are those of the event.
    pub sale: SaleForm,
    /// How many units are sold at these prices, of all variants together. Empty for any number.
    pub allotment: String,
}

impl EventProductForm {
    /// How many units are sold.
    pub fn units(&self) -> Result<Option<i64>, FieldError> {
        match self.allotment.trim() {
            "" => Ok(None),
            typed => text::whole_number("allotment", typed, 1, ALLOTMENT_MAX).map(Some),
        }
    }
}

/// An event in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventCard {
    /// Its ID.
    pub id: SaleEventId,
    /// Its title.
    pub title: String,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// Whether it is on.
    pub status: PlannedSaleState,
    /// When it begins: RFC 3339.
    pub starts_at: String,
    /// When it ends: RFC 3339.
    pub ends_at: String,
    /// How many products are in it.
    pub products: i64,
    /// The image of one of them.
    #[serde(rename = "image")]
    pub picture: Option<Picture>,
}

/// A product of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventItem {
    /// The ID of its sale.
    #[serde(rename = "sale_id")]
    pub sale: PlannedSaleId,
    /// Its ID.
    #[serde(rename = "product_id")]
    pub product: ProductId,
    /// Its slug.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Whether it can be bought.
    pub published: bool,
    /// Its price in the event, or the lowest one of its variants.
    pub price: Money,
    /// Its ordinary price, or the lowest one of these variants.
    pub was: Money,
    /// How many units are sold at this price; none if there is no limit.
    pub allotment: Option<i64>,
    /// How many of them are left.
    pub left: Option<i64>,
    /// Whether it is in the event no longer.
    pub ended: bool,
    /// Its image.
    #[serde(rename = "image")]
    pub picture: Option<Picture>,
}

impl EventItem {
    /// Whether all units at this price are sold.
    pub fn is_sold_out(&self) -> bool {
        self.left.is_some_and(|left| left <= 0)
    }
}

/// The page of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventView {
    /// What lists say of it.
    #[serde(flatten)]
    pub card: EventCard,
    /// What is said about it.
    pub description: String,
    /// How many seconds are left until it begins or, once it has begun, until it ends: by the server's clock.
    pub seconds: i64,
    /// Its products.
    pub items: Vec<EventItem>,
}

/// An event as its shop sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopEvent {
    /// The event.
    pub event: EventView,
    /// The event as a form.
    pub form: EventForm,
    /// The shop's products that are not in it: their titles and IDs.
    pub products: Vec<(String, ProductId)>,
    /// The product that is about to be put into it, with its title and its variants.
    pub adding: Option<(ProductId, String, Vec<SaleVariant>)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_ends_and_units_are_checked() {
        let form = EventForm {
            title: " Diwali ".into(),
            ends_at: "2026-12-01T10:00".into(),
            ..EventForm::default()
        };
        assert_eq!(form.check(), Ok(("Diwali".into(), String::new())));
        let missing = EventForm::default().check().unwrap_err();
        let missing: Vec<_> = missing.iter().map(|fault| (fault.field.as_str(), fault.code)).collect();
        assert_eq!(missing, [("title", FieldCode::Missing), ("ends_at", FieldCode::Missing)]);
        let units =
            |typed: &str| EventProductForm { allotment: typed.into(), ..EventProductForm::default() }.units();
        assert_eq!(units(" "), Ok(None));
        assert_eq!(units("50"), Ok(Some(50)));
        for (typed, code) in
            [("0", FieldCode::TooSmall), ("many", FieldCode::NotNumber), ("1000001", FieldCode::TooBig)]
        {
            assert_eq!(units(typed).map_err(|fault| fault.code), Err(code), "{typed}");
        }
    }
}
