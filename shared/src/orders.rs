//! Purchases and orders: what was bought, and one shop's part of it.

use serde::{Deserialize, Serialize};

use crate::{
    addresses::AddressView,
    checkout::CheckoutLineView,
    disputes::OrderDispute,
    field::{FieldCode, FieldError},
    gift_cards::{AppliedGiftCard, BoughtGift},
    id::kinds::{OrderId, PurchaseId, RefundId, ReturnId, ShipmentId, UserId},
    invoices::InvoiceCard,
    media::Picture,
    money::Money,
    payments::{PaymentMethod, PaymentState},
    pricing::Totals,
    promotions::Discount,
    refunds::Refundable,
    returns::{ExchangeOption, OrderReturn, ReturnReason},
    shipping::{ShippingMethod, Slot},
    taxes::TaxLine,
    text,
};

pub use crate::fulfilment::{Actor, BadTransition, LineQuantity, NOTE_MAX, OrderState, lines};

/// The maximum number of characters of a carrier's name, and of a tracking number.
pub const CARRIER_MAX: usize = 80;
/// The maximum number of characters of a tracking URL.
pub const TRACKING_URL_MAX: usize = 500;
/// The tracking details of a shipment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Shipment {
    /// The carrier's name.
    pub carrier: String,
    /// The tracking number.
    pub tracking_number: String,
    /// The tracking URL. May be empty.
    pub tracking_url: String,
}

impl Shipment {
    /// The shipment with its parts trimmed, or all errors.
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

text_enum! {
    /// How a part of an order reaches the customer.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ShipmentKind {
        /// A carrier delivers it.
        Parcel = "parcel",
        /// The customer collects it from the shop.
        Pickup = "pickup",
        /// The customer downloads it.
        Digital = "digital",
        /// The customer comes to an appointment.
        Appointment = "appointment",
    }
}

text_enum! {
    /// Why money is refunded.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum RefundReason {
        /// It was captured for a checkout that could no longer be completed.
        Orphaned = "orphaned",
        /// The order was cancelled.
        Cancelled = "cancelled",
        /// The shop refunds a part of the order.
        ByShop = "by_shop",
        /// An admin of the marketplace refunds a part of the order.
        ByMarket = "by_market",
        /// Items of a cash order won't be shipped: there is less to collect.
        Unshipped = "unshipped",
        /// A gift card that was bought and not used.
        GiftCard = "gift_card",
    }
}

/// A refund of a part of an order by its shop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRefund {
    /// The lines to refund, with quantities.
    #[serde(default)]
    pub lines: Vec<LineQuantity>,
    /// Whether to refund the shipping costs as well.
    #[serde(default)]
    pub shipping: bool,
    /// Whether to return the items to stock. Only for items that have not been shipped.
    #[serde(default)]
    pub restock: bool,
    /// A short explanation, which the customer sees.
    #[cfg_attr(feature = "openapi", schema(format = "line", max_length = 300))]
    pub reason: String,
    /// The amount that you expect. If it would be another one, nothing is refunded, and the error is at this field.
    #[serde(default)]
    pub amount: Option<Money>,
}

impl NewRefund {
    /// The refund with its reason trimmed, or all errors.
    pub fn check(self) -> Result<Self, Vec<FieldError>> {
        let lines = if self.shipping && self.lines.is_empty() { Ok(()) } else { lines(&self.lines) };
        match (lines, reason(&self.reason)) {
            (Ok(()), Ok(reason)) => Ok(Self { reason, ..self }),
            (lines, reason) => Err(lines.err().into_iter().flatten().chain(reason.err()).collect()),
        }
    }
}

/// The field of a line's quantity in the form that ships a part of an order.
pub fn part_field(position: i64) -> String {
    format!("line.{position}")
}

/// The reason for a cancellation, which the other side reads.
pub fn reason(typed: &str) -> Result<String, FieldError> {
    text::line("reason", typed, NOTE_MAX)
}

/// The reason that a customer may give for a cancellation.
pub fn optional_reason(typed: &str) -> Result<String, FieldError> {
    text::optional_line("reason", typed, NOTE_MAX)
}

/// A note on an order, which only the shop's members read.
pub fn note(typed: &str) -> Result<String, FieldError> {
    text::line("note", typed, NOTE_MAX)
}

text_enum! {
    /// What happened to an order.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum OrderEventKind {
        /// It was placed.
        Placed = "placed",
        /// The shop confirmed it.
        Confirmed = "confirmed",
        /// A shipment left, or is ready for pickup.
        Shipped = "shipped",
        /// The tracking details of a shipment were corrected.
        TrackingUpdated = "tracking_updated",
        /// It was delivered, or picked up.
        Delivered = "delivered",
        /// It was cancelled.
        Cancelled = "cancelled",
        /// A part of it is refunded.
        Refunded = "refunded",
        /// Items of a cash order were cancelled before they were shipped, so that no cash is collected for them.
        ItemsCancelled = "items_cancelled",
        /// An appointment was moved to another time.
        AppointmentMoved = "appointment_moved",
        /// An appointment was cancelled.
        AppointmentCancelled = "appointment_cancelled",
        /// The shop expects a part of it back.
        ReturnOpened = "return_opened",
        /// The customer asks to return a part of it, or to be refunded.
        ReturnRequested = "return_requested",
        /// A request was approved.
        ReturnApproved = "return_approved",
        /// A request was rejected.
        ReturnRejected = "return_rejected",
        /// The customer withdrew a return.
        ReturnWithdrawn = "return_withdrawn",
        /// The shop received a part of it back.
        ReturnReceived = "return_received",
        /// The shop sends other items for a return.
        ReturnExchanged = "return_exchanged",
        /// A member of the shop wrote a note, which only the shop's members see.
        Noted = "noted",
        /// The customer disputes the payment with their bank or the payment provider.
        Disputed = "disputed",
        /// The dispute was decided for the shop.
        DisputeWon = "dispute_won",
        /// The dispute was decided for the customer.
        DisputeLost = "dispute_lost",
    }
}

impl OrderEventKind {
    /// The change of an order's status to `state`.
    pub fn of(state: OrderState) -> Self {
        match state {
            OrderState::Placed => Self::Placed,
            OrderState::Confirmed => Self::Confirmed,
            OrderState::Shipped => Self::Shipped,
            OrderState::Delivered => Self::Delivered,
            OrderState::Cancelled => Self::Cancelled,
        }
    }
}

/// What else there is to know about an entry of an order's timeline, depending on its kind. It is stored as
/// JSON, so every field has a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct OrderEventData {
    /// A note, such as the reason of a cancellation. May be empty.
    pub note: String,
    /// The tracking details of the shipment as of this entry.
    pub shipment: Option<Shipment>,
    /// The lines that were shipped, refunded, cancelled or returned. Empty if the entry is about all that is left.
    pub lines: Vec<LineQuantity>,
    /// The amount that was refunded or cancelled, or that is disputed.
    pub amount: Option<Money>,
    /// The shipment that it is about.
    pub shipment_id: Option<ShipmentId>,
    /// The return that it is about.
    pub return_id: Option<ReturnId>,
    /// Why the customer asks for the return.
    pub return_reason: Option<ReturnReason>,
    /// The number of the order that replaces items of this one, or whose items this one replaces.
    pub other_order: Option<String>,
}

/// An entry of an order's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderEvent {
    /// What happened.
    pub kind: OrderEventKind,
    /// When it happened: RFC 3339, UTC.
    pub created_at: String,
    /// Who did it.
    pub actor: Actor,
    /// What else there is to know.
    #[serde(flatten)]
    pub data: OrderEventData,
}

/// The sort orders of lists of orders: by when they were placed and by their totals, ascending or, with `-`,
/// descending.
pub const ORDER_SORTS: [&str; 4] = ["-placed", "placed", "total", "-total"];

/// In a list of orders, those confirmed orders of which parts were shipped.
pub const PARTLY_SHIPPED: &str = "partly_shipped";

/// Which of a shop's orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListOrders {
    /// Only orders whose number, email address or name contains these words; empty for all.
    pub q: String,
    /// Only orders in this state, by its name, or [`PARTLY_SHIPPED`]; empty for all.
    pub state: String,
    /// Only orders that have been pending for more than a day.
    pub overdue: bool,
    /// Only orders whose payment is disputed and not decided yet.
    pub disputed: bool,
    /// Only orders with return requests that wait for an answer ([`REQUESTED`](crate::returns::REQUESTED)) or have waited for
    /// too long ([`ESCALATED`](crate::returns::ESCALATED)), with approved returns ([`EXPECTED`](crate::returns::EXPECTED)), or
    /// with either ([`OPEN`](crate::returns::OPEN)); empty for all.
    pub returns: String,
    /// Only orders for this delivery slot, such as `2026-12-03T18:00/20:00`; empty for all.
    pub slot: String,
    /// Only orders that were placed on this date or later, such as `2026-12-03`, in the marketplace's time zone; empty for all.
    pub from: String,
    /// Only orders that were placed on this date or before; empty for all.
    pub to: String,
    /// Only orders of the shop with this handle; empty for all. For admins only.
    pub shop: String,
    /// Only orders of this user's account. For admins only.
    pub customer: Option<UserId>,
    /// One of [`ORDER_SORTS`]; empty for the first.
    pub sort: String,
    /// The `next` cursor of the previous page; empty for the first page.
    pub after: String,
    /// The maximum number of rows; `None` for the default.
    pub limit: Option<usize>,
}

impl ListOrders {
    /// The requested state, if it is valid.
    pub fn state(&self) -> Result<Option<OrderState>, FieldError> {
        match self.state.as_str() {
            "" => Ok(None),
            name => OrderState::parse(name).map(Some).ok_or(FieldError::new("state", FieldCode::NotAChoice)),
        }
    }
}

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderCard {
    /// The order number.
    pub number: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// The shop's name.
    pub shop_name: String,
    /// When the order was placed: RFC 3339, UTC.
    pub placed_at: String,
    /// The order's status.
    #[serde(rename = "status")]
    pub state: OrderState,
    /// Whether parts of it were shipped while others have not been.
    pub partly_shipped: bool,
    /// Whether its payment is disputed and that isn't decided yet.
    pub disputed: bool,
    /// The shipping method.
    pub shipping_method: ShippingMethod,
    /// When it is delivered, in the shop's time zone, if the customer chose a slot: `2026-12-03T18:00/20:00`.
    // As text, because the dashboard's home loads it without showing it.
    #[serde(default)]
    pub slot: Option<String>,
    /// The recipient's name.
    pub name: String,
    /// The customer's email address.
    pub email: String,
    /// The number of items.
    pub item_count: i64,
    /// The payment method.
    pub payment_method: PaymentMethod,
    /// The order total, including shipping.
    pub total: Money,
}

/// An order with all the details its shop can see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SellerOrder {
    /// The order.
    pub order: ShopOrderView,
    /// The customer's email address.
    pub email: String,
    /// Whether the caller can message the customer: the customer has an account, and the caller answers customers.
    pub can_message: bool,
    /// The order's timeline, oldest entry first.
    pub events: Vec<OrderEvent>,
    /// The status of the payment.
    pub payment: PaymentState,
    /// The marketplace's commission, less what was returned with refunds.
    pub commission: Money,
    /// What the marketplace adds for the discounts that it bears, less what was returned with refunds.
    pub market_discount: Money,
    /// The shop's earnings after commission. Negative for cash orders, where the shop owes the commission.
    pub earned: Money,
    /// What is left to refund. Null if nothing can be refunded.
    pub refundable: Option<Refundable>,
    /// The disputes of its payment, oldest first.
    pub disputes: Vec<OrderDispute>,
    /// Where customers send returns: the shop's name and address.
    pub return_address: String,
    /// How many other orders this customer placed in the shop, by their email address.
    pub other_order_count: i64,
    /// The latest of these orders, newest first.
    pub other_orders: Vec<OtherOrder>,
}

/// Another order of the same customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OtherOrder {
    /// The order number.
    pub number: String,
    /// When the order was placed: RFC 3339, UTC.
    pub placed_at: String,
    /// The order's status.
    #[serde(rename = "status")]
    pub state: OrderState,
    /// The order total, including shipping.
    pub total: Money,
}

/// A part of an order on its way to the customer, or delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderShipment {
    /// The shipment's ID.
    pub id: ShipmentId,
    /// How it reaches the customer.
    pub kind: ShipmentKind,
    /// The tracking details. Null if it is not a parcel.
    pub tracking: Option<Shipment>,
    /// What is in it.
    pub lines: Vec<LineQuantity>,
    /// When it was shipped, or became ready for pickup: RFC 3339, UTC.
    pub shipped_at: String,
    /// When it was delivered, or picked up: RFC 3339, UTC. Null until then.
    pub delivered_at: Option<String>,
}

/// A refund of an order, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderRefund {
    /// The refund's ID.
    pub id: RefundId,
    /// Why it was made.
    pub reason: RefundReason,
    /// The refunded amount.
    pub amount: Money,
    /// The part of it that was paid for shipping.
    pub shipping: Money,
    /// The part of it that goes back to gift cards. The rest goes to the payment method.
    pub to_gift_cards: Money,
    /// The refunded items. May be empty.
    pub lines: Vec<LineQuantity>,
    /// When the refund was completed: RFC 3339, UTC. Null while it is in progress.
    pub completed_at: Option<String>,
}

/// How many units of a line were cancelled before cash was collected for them, rather than refunded.
pub fn cancelled_units(refunds: &[OrderRefund], position: i64) -> i64 {
    let cancelled = refunds.iter().filter(|refund| refund.reason == RefundReason::Unshipped);
    let lines = cancelled.flat_map(|refund| &refund.lines).filter(|line| line.position == position);
    lines.map(|line| line.quantity).sum()
}

/// A purchase: one payment for one order per shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurchaseView {
    /// The purchase's ID.
    pub id: PurchaseId,
    /// The purchase number.
    pub number: String,
    /// When the purchase was made: RFC 3339, UTC.
    pub created_at: String,
    /// The email address of the order confirmation.
    pub email: String,
    /// The shipping address.
    pub address: AddressView,
    /// The billing address, if it isn't the shipping address.
    #[serde(default)]
    pub billing_address: Option<AddressView>,
    /// The payment method.
    pub payment_method: PaymentMethod,
    /// The gift cards that paid a part of the total, or all of it. The payment method paid the rest.
    #[serde(default)]
    pub gift_cards: Vec<AppliedGiftCard>,
    /// The totals that were paid, or are to be paid on delivery.
    #[serde(flatten)]
    pub totals: Totals,
    /// The taxes in them, or added to them, by name and rate.
    #[serde(default)]
    pub taxes: Vec<TaxLine>,
    /// The orders, one per shop.
    pub orders: Vec<OrderView>,
    /// The gift cards that were bought.
    #[serde(default)]
    pub gifts: Vec<BoughtGift>,
    /// How many appointments were bought.
    #[serde(default)]
    pub appointments: i64,
}

impl PurchaseView {
    /// What the payment method paid, if gift cards paid the rest.
    pub fn paid_otherwise(&self) -> Money {
        let cards = self.gift_cards.iter();
        cards.fold(self.totals.total, |rest, card| rest.minus(card.amount).unwrap_or(rest))
    }

    /// What cancelling one of its orders refunds: to gift cards, which come first, and to the payment method. `None` if nothing
    /// is left to refund.
    pub fn if_cancelled(&self, order: &OrderView) -> Option<[Money; 2]> {
        let sum = |amounts: &mut dyn Iterator<Item = Money>| amounts.map(Money::amount).sum::<i64>();
        let refunds = self.orders.iter().flat_map(|order| &order.refunds);
        let on_cards = sum(&mut self.gift_cards.iter().map(|card| card.amount))
            - sum(&mut refunds.map(|refund| refund.to_gift_cards));
        let left = order.totals.total.amount() - order.refunded().amount();
        let to_cards = left.min(on_cards).max(0);
        (left > 0).then(|| {
            [to_cards, left - to_cards].map(|amount| Money::new(amount, order.totals.total.currency()))
        })
    }

    /// The cash that the couriers collect: that of each order that isn't cancelled.
    pub fn in_cash(&self) -> Money {
        let due = self.orders.iter().filter(|order| order.state != OrderState::Cancelled);
        let due = due.map(|order| order.to_collect().amount()).sum();
        Money::new(due, self.totals.total.currency())
    }

    /// The discounts of all orders, each promotion once.
    pub fn discounts(&self) -> Vec<Discount> {
        Discount::merged(self.orders.iter().map(|order| order.discounts.clone()))
    }

    /// Whether the whole purchase is appointments, so that nothing is handed over.
    pub fn is_appointment(&self) -> bool {
        !self.orders.is_empty() && self.orders.iter().all(OrderView::is_appointment)
    }

    /// Whether the whole purchase is picked up, so that nothing is shipped.
    pub fn is_pickup(&self) -> bool {
        !self.orders.is_empty()
            && self.orders.iter().all(|order| order.shipping_method == ShippingMethod::Pickup)
    }
}

/// An order: the items of one shop in a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderView {
    /// The order's ID.
    pub id: OrderId,
    /// The order number.
    pub number: String,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// The order's status.
    #[serde(rename = "status")]
    pub state: OrderState,
    /// The line items.
    pub lines: Vec<CheckoutLineView>,
    /// The shipments, oldest first.
    pub shipments: Vec<OrderShipment>,
    /// The refunds, oldest first.
    pub refunds: Vec<OrderRefund>,
    /// The returns, oldest first.
    pub returns: Vec<OrderReturn>,
    /// The invoice and credit notes, oldest first.
    #[serde(default)]
    pub invoices: Vec<InvoiceCard>,
    /// The number of the order whose items this one replaces. Such an exchange costs nothing. Null for all others.
    pub exchange_of: Option<String>,
    /// What its lines can be exchanged for, if it can be returned. Only on the purchase's own page.
    #[serde(default)]
    pub exchange_options: Vec<ExchangeOption>,
    /// Until when a delivered order can be returned: RFC 3339, UTC. Null if it can't. Damaged and wrong items can be
    /// reported later as well.
    pub returnable_until: Option<String>,
    /// For how many days after delivery the shop takes returns; 0 if it doesn't.
    pub returns_days: i64,
    /// The totals.
    #[serde(flatten)]
    pub totals: Totals,
    /// The taxes in them, or added to them, by name and rate.
    #[serde(default)]
    pub taxes: Vec<TaxLine>,
    /// The discounts.
    #[serde(default)]
    pub discounts: Vec<Discount>,
    /// The shipping method.
    pub shipping_method: ShippingMethod,
    /// The shop's own name for it. May be empty.
    #[serde(default)]
    pub shipping_name: String,
    /// The earliest and latest estimated delivery dates: RFC 3339, UTC.
    pub estimated_delivery: (String, String),
    /// The same as dates, as they were promised: `2026-12-01`.
    #[serde(default)]
    pub arrives: (String, String),
    /// When it is delivered, in the shop's time zone, if the customer chose a slot.
    #[serde(default)]
    pub slot: Option<Slot>,
    /// Where an order for local pickup is collected: the shop's name and address. Empty for orders that are shipped.
    pub pickup_at: String,
}

/// A purchase in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurchaseCard {
    /// The purchase number.
    pub number: String,
    /// When the purchase was made: RFC 3339, UTC.
    pub created_at: String,
    /// The total of the purchase.
    pub total: Money,
    /// The number of orders.
    pub orders: i64,
    /// The number of gift cards that were bought.
    #[serde(default)]
    pub gifts: i64,
    /// The status of the orders, if all have the same. Null otherwise.
    #[serde(rename = "status")]
    pub state: Option<OrderState>,
    /// The shipping method that all its orders have. None if they have different ones, or there are none.
    pub shipping_method: Option<ShippingMethod>,
    /// Whether the payment is disputed and that isn't decided yet.
    pub disputed: bool,
    /// The first items, at most [`PurchaseCard::ITEMS`].
    pub items: Vec<PurchaseItem>,
    /// The number of items, each with its quantity.
    pub items_total: i64,
}

impl PurchaseCard {
    /// How many items are listed.
    pub const ITEMS: usize = 4;
}

/// An item of a purchase in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurchaseItem {
    /// The product's title at the time of purchase.
    pub title: String,
    /// The product's first picture.
    pub picture: Option<Picture>,
}

impl OrderView {
    /// Whether it is appointments, so that nothing is handed over.
    pub fn is_appointment(&self) -> bool {
        self.shipping_method == ShippingMethod::Appointment
    }

    /// Whether parts of it were shipped while others have not been.
    pub fn is_partly_shipped(&self) -> bool {
        self.state == OrderState::Confirmed && !self.shipments.is_empty()
    }

    /// Whether all its items were refunded before anything was shipped, so that nothing is on its way or was delivered.
    pub fn is_refunded_unshipped(&self) -> bool {
        let cancelled = matches!(self.state, OrderState::Placed | OrderState::Cancelled);
        let refunded = self.lines.iter().all(|line| line.refunded >= line.quantity);
        !cancelled && refunded && self.shipments.is_empty() && !self.is_appointment()
    }

    /// Whether nothing of the order follows this one of its shipments. Cash is collected with the last one.
    pub fn is_last(&self, shipment: ShipmentId) -> bool {
        self.state != OrderState::Confirmed && self.shipments.last().is_some_and(|last| last.id == shipment)
    }

    /// The cash that is left to collect, or was collected: the total without the items that were cancelled before, rounded to
    /// what there is in coins.
    pub fn to_collect(&self) -> Money {
        let total = self.totals.total;
        Money::new(total.amount() - self.cancelled().amount(), total.currency()).in_cash()
    }

    /// The part of its refunds that was never paid: cash for items that were cancelled before they were shipped.
    pub fn cancelled(&self) -> Money {
        let cancelled = self.refunds.iter().filter(|refund| refund.reason == RefundReason::Unshipped);
        Money::new(cancelled.map(|refund| refund.amount.amount()).sum(), self.totals.total.currency())
    }

    /// The sum of its refunds, whether completed or in progress.
    pub fn refunded(&self) -> Money {
        let refunds = self.refunds.iter().map(|refund| refund.amount.amount());
        Money::new(refunds.sum(), self.totals.total.currency())
    }
}

/// An order as its shop sees it, without the customer's other orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShopOrderView {
    /// The order.
    pub order: OrderView,
    /// When the order was placed: RFC 3339, UTC.
    pub placed_at: String,
    /// The shipping address.
    pub address: AddressView,
    /// The payment method.
    pub payment_method: PaymentMethod,
    /// The marketplace's commission.
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
    fn refunds_are_checked() {
        let line = LineQuantity { position: 1, quantity: 1 };
        let refund = |lines: &[LineQuantity], shipping, reason: &str| {
            let lines = lines.to_vec();
            NewRefund { lines, shipping, reason: reason.into(), ..NewRefund::default() }.check()
        };
        assert_eq!(refund(&[line], false, " Chipped ").unwrap().reason, "Chipped");
        assert_eq!(refund(&[], true, "Late").unwrap().lines, []);
        let faults = |checked: Result<NewRefund, Vec<FieldError>>| -> Vec<(String, FieldCode)> {
            checked.unwrap_err().into_iter().map(|f| (f.field, f.code)).collect()
        };
        let missing = |field: &str| (field.to_owned(), FieldCode::Missing);
        assert_eq!(faults(refund(&[], false, " ")), [missing("lines"), missing("reason")]);
        let none = LineQuantity { position: 2, quantity: 0 };
        assert_eq!(
            faults(refund(&[line, line, none], true, "Late")),
            [
                ("lines.1.position".to_owned(), FieldCode::NotUnique),
                ("lines.2.quantity".to_owned(), FieldCode::TooSmall)
            ]
        );
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
