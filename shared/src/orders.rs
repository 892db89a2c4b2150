//! Purchases and orders: what was bought, and one shop's part of it.

use serde::{Deserialize, Serialize};

use crate::{
    checkout::{Address, CheckoutLineView},
    error::{FieldCode, FieldError},
    id::kinds::{OrderId, PurchaseId},
    money::Money,
    payments::{Method, PaymentState},
    shipping::Delivery,
    text,
};

/// Most characters of a carrier's name, and of a tracking number.
pub const CARRIER_MAX: usize = 80;
/// Most characters of a tracking page's address.
pub const TRACKING_URL_MAX: usize = 500;
/// Most characters of a note or reason.
pub const NOTE_MAX: usize = 300;

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Paid, or to be paid on delivery; the shop has to act.
    Placed,
    /// The shop has said yes.
    Confirmed,
    /// On its way.
    Shipped,
    /// There.
    Delivered,
    /// It will not come.
    Cancelled,
}

/// A change of state that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadTransition;

impl OrderState {
    /// All of them, in the order they are reached in.
    pub const ALL: [Self; 5] =
        [Self::Placed, Self::Confirmed, Self::Shipped, Self::Delivered, Self::Cancelled];

    /// The name it is stored by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Confirmed => "confirmed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state stored by a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }

    /// The next state, if it can follow this one.
    pub fn to(self, next: Self) -> Result<Self, BadTransition> {
        use OrderState::*;
        match (self, next) {
            (Placed, Confirmed | Cancelled) | (Confirmed, Shipped | Cancelled) | (Shipped, Delivered) => {
                Ok(next)
            }
            _ => Err(BadTransition),
        }
    }

    /// The states that `actor` may bring an order to this one from. A shopper may only cancel, and only before the
    /// shop has said yes.
    pub fn reached_from(self, actor: Actor) -> Vec<Self> {
        let by_shopper = |from: Self| from == Self::Placed && self == Self::Cancelled;
        Self::ALL
            .into_iter()
            .filter(|from| from.to(self).is_ok() && (actor != Actor::Shopper || by_shopper(*from)))
            .collect()
    }
}

/// Who brought an order to where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Someone who works for the shop.
    Shop,
    /// The one who bought it.
    Shopper,
    /// The market: its operator, or the program.
    Market,
}

impl Actor {
    /// The name it is stored by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Shopper => "shopper",
            Self::Market => "market",
        }
    }

    /// The actor stored by a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Shop, Self::Shopper, Self::Market].into_iter().find(|a| a.as_str() == name)
    }
}

/// How an order travels: what a seller types when it leaves, and what shopper and seller read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Shipment {
    /// Who carries it.
    pub carrier: String,
    /// What the carrier calls it.
    pub tracking_number: String,
    /// Where it can be followed; may be empty.
    pub tracking_url: String,
}

impl Shipment {
    /// The shipment without blanks around its parts, or all that does not hold.
    pub fn check(&self) -> Result<Self, Vec<FieldError>> {
        let carrier = text::line("carrier", &self.carrier, CARRIER_MAX);
        let tracking_number = text::line("tracking_number", &self.tracking_number, CARRIER_MAX);
        let tracking_url = match self.tracking_url.trim() {
            "" => Ok(String::new()),
            url => text::https_url("tracking_url", url, TRACKING_URL_MAX),
        };
        match (carrier, tracking_number, tracking_url) {
            (Ok(carrier), Ok(tracking_number), Ok(tracking_url)) => {
                Ok(Self { carrier, tracking_number, tracking_url })
            }
            (carrier, number, url) => {
                Err([carrier.err(), number.err(), url.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// Why an order is cancelled, in a line that the other side reads.
pub fn reason(typed: &str) -> Result<String, FieldError> {
    text::line("reason", typed, NOTE_MAX)
}

/// A step of an order's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderEvent {
    /// Where it came to.
    pub state: OrderState,
    /// When: RFC 3339, UTC.
    pub at: String,
    /// Who brought it there.
    pub actor: Actor,
    /// What they said; may be empty.
    pub note: String,
}

/// Which of a shop's orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListOrders {
    /// Only those whose number, e-mail or name has these words; empty for all.
    pub q: String,
    /// Only those in this state, by its name; empty for all.
    pub state: String,
    /// The `next` of the page before; empty for the first.
    pub after: String,
    /// How many rows at most; none for as many as is usual.
    pub limit: Option<usize>,
}

impl ListOrders {
    /// The state that is asked for, if it is one.
    pub fn state(&self) -> Result<Option<OrderState>, FieldError> {
        match self.state.as_str() {
            "" => Ok(None),
            name => OrderState::parse(name).map(Some).ok_or(FieldError::new("state", FieldCode::NotAChoice)),
        }
    }
}

/// An order in its shop's list, or in the operator's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderCard {
    /// Its short number.
    pub number: String,
    /// The handle of its shop.
    pub shop_handle: String,
    /// The name of its shop.
    pub shop_name: String,
    /// When it was placed: RFC 3339, UTC.
    pub placed_at: String,
    /// Where it stands.
    pub state: OrderState,
    /// Who receives it.
    pub name: String,
    /// Their e-mail.
    pub email: String,
    /// How many pieces it has.
    pub pieces: i64,
    /// How it is paid.
    pub method: Method,
    /// Goods and delivery together.
    pub total: Money,
}

/// An order on its page, for those who work for its shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SellerOrder {
    /// The order as its shop sees it.
    pub order: ShopOrderView,
    /// The shopper's e-mail.
    pub email: String,
    /// What became of it, in order; the first is that it was placed.
    pub events: Vec<OrderEvent>,
    /// How the purchase's payment stands.
    pub payment: PaymentState,
    /// What of this order goes or went back to the shopper.
    pub refund: Option<OrderRefund>,
    /// What the shop has of it once the market's part is off; below zero for cash, of which it owes that part.
    pub earned: Money,
}

/// Money of an order that goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderRefund {
    /// How much.
    pub amount: Money,
    /// When it arrived: RFC 3339, UTC; none while it is on its way.
    pub done_at: Option<String>,
}

/// A purchase on its page: what the shopper paid, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurchaseView {
    /// Its id.
    pub id: PurchaseId,
    /// Its short number, for people.
    pub number: String,
    /// When it was made: RFC 3339, UTC.
    pub made_at: String,
    /// Where the confirmation went.
    pub email: String,
    /// Where the goods go.
    pub address: Address,
    /// How it was paid.
    pub method: Method,
    /// What was paid, or is to be paid on delivery.
    pub total: Money,
    /// The orders, one a shop.
    pub orders: Vec<OrderView>,
}

/// One shop's part of a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderView {
    /// Its id.
    pub id: OrderId,
    /// Its short number, for people.
    pub number: String,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// Where it stands.
    pub state: OrderState,
    /// How it travels, once it does.
    pub shipment: Option<Shipment>,
    /// What was bought.
    pub lines: Vec<CheckoutLineView>,
    /// What the goods cost.
    pub subtotal: Money,
    /// What bringing them costs.
    pub delivery: Money,
    /// What of the goods' price is tax.
    pub tax: Money,
    /// How it is brought.
    pub way: Delivery,
    /// The first and the last day that it is expected on: RFC 3339, UTC.
    pub due: (String, String),
    /// Both together.
    pub total: Money,
}

/// A purchase in the shopper's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurchaseCard {
    /// Its short number.
    pub number: String,
    /// Where it is shown.
    pub url: String,
    /// When it was made: RFC 3339, UTC.
    pub made_at: String,
    /// What was paid.
    pub total: Money,
    /// How many orders it has.
    pub orders: i64,
}

/// An order as its shop sees it. The shopper's other orders are none of its business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShopOrderView {
    /// The order.
    pub order: OrderView,
    /// When it was placed: RFC 3339, UTC.
    pub placed_at: String,
    /// Where the goods go.
    pub address: Address,
    /// How it was paid.
    pub method: Method,
    /// What the marketplace keeps of it.
    pub commission: Money,
}

#[cfg(test)]
mod tests {
    use super::{OrderState::*, *};

    #[test]
    fn only_these_transitions_exist() {
        let allowed = [
            (Placed, Confirmed),
            (Placed, Cancelled),
            (Confirmed, Shipped),
            (Confirmed, Cancelled),
            (Shipped, Delivered),
        ];
        for from in OrderState::ALL {
            assert_eq!(OrderState::parse(from.as_str()), Some(from));
            for to in OrderState::ALL {
                let expected = if allowed.contains(&(from, to)) { Ok(to) } else { Err(BadTransition) };
                assert_eq!(from.to(to), expected, "{from:?} to {to:?}");
                assert_eq!(to.reached_from(Actor::Shop).contains(&from), expected.is_ok());
                let shopper = (from, to) == (Placed, Cancelled);
                assert_eq!(to.reached_from(Actor::Shopper).contains(&from), shopper, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn shipments_are_checked() {
        let shipment = |carrier: &str, number: &str, url: &str| Shipment {
            carrier: carrier.into(),
            tracking_number: number.into(),
            tracking_url: url.into(),
        };
        let good = shipment(" Blue Dart ", "AB 1", " https://track.example/AB1?x=1 ").check().unwrap();
        assert_eq!(good, shipment("Blue Dart", "AB 1", "https://track.example/AB1?x=1"));
        assert_eq!(shipment("Post", "1", "").check().unwrap().tracking_url, "");
        let faults = shipment("", "\u{202e}", "javascript:alert(1)").check().unwrap_err();
        let faults: Vec<_> = faults.iter().map(|f| (f.field.as_str(), f.code)).collect();
        assert_eq!(
            faults,
            [
                ("carrier", FieldCode::Missing),
                ("tracking_number", FieldCode::BadCharacters),
                ("tracking_url", FieldCode::NotUrl)
            ]
        );
    }
}
