//! Carts: what a shopper or guest has picked, across shops.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::Attribute,
    error::FieldError,
    id::kinds::{CartId, CartLineId, ShopId, VariantId},
    media::Picture,
    money::Money,
    text,
};

/// Most pieces of one thing in a cart.
pub const QUANTITY_MAX: i64 = 999;
/// Most lines of a cart.
pub const LINES_MAX: i64 = 200;

/// A quantity as a form sends it: 1 to [`QUANTITY_MAX`] in ASCII digits.
pub fn quantity(field: &str, typed: &str) -> Result<i64, FieldError> {
    text::whole_number(field, typed, 1, QUANTITY_MAX)
}

/// Put something into the cart, on top of what is there of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddLine {
    /// What.
    pub variant: VariantId,
    /// How many, as typed.
    pub quantity: String,
}

/// Change how many of a line there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetQuantity {
    /// Which line.
    pub line: CartLineId,
    /// How many from now on, as typed.
    pub quantity: String,
}

/// A cart on its page: grouped by shop, every cost shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CartView {
    /// Its id; none before anything was put into it.
    pub id: Option<CartId>,
    /// What is in it, by shop.
    pub groups: Vec<CartGroup>,
    /// How many pieces it holds that are still sold, for the badge in the header.
    pub pieces: i64,
    /// What the goods cost; none for an empty cart.
    pub subtotal: Option<Money>,
    /// What bringing them costs.
    pub delivery: Option<Money>,
    /// What will be asked for.
    pub total: Option<Money>,
}

impl CartView {
    /// The cart of someone who has not picked anything yet.
    pub fn empty() -> Self {
        Self { id: None, groups: Vec::new(), pieces: 0, subtotal: None, delivery: None, total: None }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

/// One shop's part of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CartGroup {
    /// The shop.
    pub shop: ShopId,
    /// Its name.
    pub shop_name: String,
    /// Its handle.
    pub shop_handle: String,
    /// What it asks for bringing this.
    pub delivery: Money,
    /// What the goods cost.
    pub subtotal: Money,
    /// The lines.
    pub lines: Vec<CartLineView>,
}

/// One product in a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CartLineView {
    /// Its id.
    pub id: CartLineId,
    /// What it is.
    pub variant: VariantId,
    /// The product's title.
    pub title: String,
    /// What tells the variant from its siblings; may be empty.
    pub variant_title: String,
    /// The variant's value of each of the product's options; empty for a product without options.
    pub options: Vec<Attribute>,
    /// The product's name in addresses; empty once the product is deleted.
    pub slug: String,
    /// Whether it is no longer sold: the product was archived or deleted, or the variant removed. Such a line is not part
    /// of any total, and must be removed before checkout.
    pub discontinued: bool,
    /// What one costs now.
    pub unit_price: Money,
    /// What one cost when it was put in, if that was something else.
    pub price_was: Option<Money>,
    /// How many.
    pub quantity: i64,
    /// Whether two baskets held more than [`QUANTITY_MAX`] of it when they were combined at sign-in, so that some were
    /// left out.
    pub capped: bool,
    /// What they cost together.
    pub total: Money,
    /// How many can be had now; fewer than `quantity` must be mended before checkout.
    pub available: i64,
    /// The product's first picture.
    pub picture: Option<Picture>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FieldCode;

    #[test]
    fn quantities() {
        assert_eq!(quantity("quantity", "3"), Ok(3));
        assert_eq!(quantity("quantity", "0").unwrap_err().code, FieldCode::TooSmall);
        assert_eq!(quantity("quantity", "1000").unwrap_err().code, FieldCode::TooBig);
        assert_eq!(quantity("quantity", "٣").unwrap_err().code, FieldCode::NotNumber);
    }
}
