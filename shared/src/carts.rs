//! Carts: selected items of a shopper or guest, across shops.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::Attribute,
    field::FieldError,
    gift_cards::CartGift,
    id::kinds::{CartId, CartLineId, ShopId, VariantId},
    media::Picture,
    money::Money,
    pricing::Totals,
    promotions::Discount,
    shipping::ShippingOption,
    text,
};

/// The maximum quantity of a line.
pub const QUANTITY_MAX: i64 = 999;
/// The maximum number of lines in a cart.
pub const LINES_MAX: i64 = 200;

/// A quantity from a form: 1 to [`QUANTITY_MAX`] in ASCII digits.
pub fn quantity(field: &str, typed: &str) -> Result<i64, FieldError> {
    text::whole_number(field, typed, 1, QUANTITY_MAX)
}

/// The name of a line's quantity in the basket's form.
pub fn quantity_field(line: CartLineId) -> String {
    format!("quantity.{line}")
}

/// Adds a quantity of a variant to the cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddLine {
    /// The variant.
    pub variant: VariantId,
    /// The quantity, as entered.
    pub quantity: String,
}

/// Changes the quantity of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetQuantity {
    /// The line.
    pub line: CartLineId,
    /// The new quantity, as entered.
    pub quantity: String,
}

/// A cart, grouped by shop, with all totals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartView {
    /// The cart's ID. Null until the first item is added.
    pub id: Option<CartId>,
    /// The items, grouped by shop.
    pub groups: Vec<CartGroup>,
    /// The number of items that can still be bought, for the badge in the header.
    pub item_count: i64,
    /// The totals. `None` if the cart is empty, or if its prices are in two currencies.
    pub totals: Option<Totals>,
    /// The discounts, and the codes that don't apply.
    #[serde(default)]
    pub discounts: Vec<Discount>,
    /// The gift cards that are bought.
    #[serde(default)]
    pub gifts: Vec<CartGift>,
}

impl CartView {
    /// A cart without items.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Whether the cart is empty.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.gifts.is_empty()
    }
}

/// The items of one shop in a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartGroup {
    /// The shop's ID.
    pub shop_id: ShopId,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// The totals of these items.
    pub totals: Totals,
    /// The line items.
    pub lines: Vec<CartLineView>,
    /// The shipping that the totals contain, to where the shopper's last checkout goes. Null if the shop doesn't ship
    /// these items there, or nothing can be bought.
    pub shipping: Option<ShippingOption>,
}

/// A line item of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CartLineView {
    /// The line's ID.
    pub id: CartLineId,
    /// The ID of the variant.
    pub variant_id: VariantId,
    /// The product's title.
    pub title: String,
    /// The variant's title. May be empty.
    pub variant_title: String,
    /// The variant's value for each of the product's options. Empty for a product without options.
    pub options: Vec<Attribute>,
    /// Whether it is an appointment, whose time the variant's title tells. There is one of it.
    #[serde(default)]
    pub is_service: bool,
    /// The slug used in the product's URL. Empty if the product was deleted.
    pub slug: String,
    /// Whether it is no longer sold: the product was archived or deleted, or the variant was removed. None is
    /// available then.
    pub discontinued: bool,
    /// The current price per unit.
    pub unit_price: Money,
    /// The price per unit when the item was added, if it has changed.
    pub price_was: Option<Money>,
    /// The quantity.
    pub quantity: i64,
    /// Whether the quantity was reduced to the maximum when two carts were merged at sign-in.
    pub capped: bool,
    /// The price of the whole line.
    pub total: Money,
    /// The quantity available to this cart, including what its checkout has reserved. If it is less than
    /// `quantity`, the line must be corrected before checkout. If it is 0, the line is not part of any total,
    /// and must be removed. `null` if it is sold without limit.
    pub available: Option<i64>,
    /// The product's first image.
    #[serde(rename = "image")]
    pub picture: Option<Picture>,
}

impl CartLineView {
    /// Whether it can be bought, at least in part. All other lines are not part of any total.
    pub fn is_available(&self) -> bool {
        self.available.is_none_or(|available| available > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::FieldCode;

    #[test]
    fn quantities() {
        assert_eq!(quantity("quantity", "3"), Ok(3));
        assert_eq!(quantity("quantity", "0").unwrap_err().code, FieldCode::TooSmall);
        assert_eq!(quantity("quantity", "1000").unwrap_err().code, FieldCode::TooBig);
        assert_eq!(quantity("quantity", "٣").unwrap_err().code, FieldCode::NotNumber);
    }
}
