//! Purchases and orders. The shopper sees the whole purchase, each shop only its own order.

/// Order lines, with what views show of their order.
macro_rules! lines_of {
    ($orders:literal, $rest:literal) => {
        concat!(
            "SELECT o.id, o.purchase_id, o.number, o.shop_name, s.handle AS shop_handle, s.town, s.address AS shop_address, s.returns_days, o.state,
            o.currency, o.subtotal_minor, o.discount_minor, o.delivery_minor, o.tax_minor, o.delivery_taxes, l.taxes, o.delivery, o.delivery_name, o.slot,
            o.days_min, o.days_max, o.total_minor, o.commission_minor, o.created_at, p.address, p.method, l.title,
            l.position, l.variant_title, COALESCE(v.sku, '') AS sku, l.quantity, l.shipped, l.refunded, l.returned, l.exchanged, l.unit_minor,
            (SELECT x.number FROM orders x WHERE x.id = o.replaces) AS exchange_of, o.paid_order_id, l.paid_position,
            l.total_minor AS line_minor, l.total_minor - l.discount_minor + l.added_tax_minor AS paid_minor,
            l.commission_minor AS line_commission_minor, l.market_discount_minor AS line_discount_minor,
            o.items_minor, o.market_discount_minor, o.collected_minor, o.refunded_minor, o.delivery_refunded_minor, o.disputed_minor,
            o.disputed_commission_minor, o.disputed_discount_minor, o.release_at, m.id AS media_id, m.width, m.height, m.color, pp.alt FROM ",
            $orders,
            " AS o JOIN shops s ON s.id = o.shop_id JOIN purchases p ON p.id = o.purchase_id
            JOIN order_lines l ON l.order_id = o.id LEFT JOIN variants v ON v.id = l.variant_id
            LEFT JOIN product_pictures pp ON pp.product_id = l.product_id AND pp.position = 0
            LEFT JOIN media m ON m.id = pp.media_id ",
            $rest
        )
    };
}

mod again;
mod disputes;
mod exchange_options;
mod exchanges;
mod export;
mod notes;
mod parts;
mod pictures;
mod refunds;
mod release;
mod returns;
mod seller;
mod shipments;
pub(crate) mod timeline;
mod transitions;

pub use again::order_again;
pub(crate) use disputes::disputed_in_tx;
pub use exchanges::exchange_return;
pub use export::export;
pub use notes::add_note;
pub use pictures::{
    add_picture, may_see_picture, operator_may_see_picture, picture_owner, shop_may_see_picture,
};
pub(crate) use refunds::{RefundOf, is_all_in_tx, refund_in_tx};
pub use refunds::{refund, refund_as_operator};
pub use release::release_due;
pub use returns::{
    approve_as_operator, approve_return, open_return, receive_return, refund_return, reject_as_operator,
    reject_return, request_return, withdraw_return,
};
pub use seller::{
    any_order, any_order_page, list_all, packing_slips, seller_list, seller_order, seller_table, table_of_all,
};
pub use shipments::{ship_part, track};
pub use transitions::{cancel, cancel_by_customer, confirm, confirm_pending, deliver, ship};
pub(crate) use transitions::{cancel_all_in_tx, end};

use crate::{
    Caller, Engine, TxResult,
    chat::{self, UnreadMessages},
    contact::{self, ContactNotice},
    cursor,
    db::{Scalar, Tx},
    gift_cards::{self, GiftCardNotice},
    group_by,
    inventory::{self, StockNotice},
    lists, params,
    payouts::{self, PayoutNotice},
    reviews::{self, ReviewNotice},
    rows,
    staff::{self, InvitationNotice},
    statements, taxes,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Id, Money, Result,
    addresses::Address,
    checkout::CheckoutLineView,
    disputes::OrderDispute,
    gift_cards::{BoughtGift, Gift},
    id::kinds::{Job, OrderId, Purchase, PurchaseId, ShopId, UserId},
    media::Picture,
    orders::{
        Actor, LineQuantity, OrderState, OrderView, PurchaseCard, PurchaseItem, PurchaseView, Shipment,
        ShopOrderView,
    },
    page::{self, Page, PageRequest},
    payments::PaymentMethod,
    pricing::Totals,
    shipping::{ShippingMethod, Slot, date},
    taxes::TaxLine,
};
use std::collections::HashMap;
use uuid::Uuid;

/// The number of rows per page.
const PAGE_SIZE: usize = 20;

lists! {
    HISTORY {
        select: "SELECT p.id, p.number, p.currency, p.total_minor, p.created_at,
            CAST((SELECT COALESCE(SUM(l.quantity), 0) FROM orders o JOIN order_lines l ON l.order_id = o.id
                WHERE o.purchase_id = p.id) AS BIGINT) AS items_total,
            (SELECT COUNT(*) FROM orders o WHERE o.purchase_id = p.id) AS orders,
            (SELECT MIN(o.state) FROM orders o WHERE o.purchase_id = p.id
                AND NOT EXISTS (SELECT 1 FROM orders x WHERE x.purchase_id = p.id AND x.state <> o.state)) AS state,
            (SELECT MIN(o.delivery) FROM orders o WHERE o.purchase_id = p.id
                AND NOT EXISTS (SELECT 1 FROM orders x WHERE x.purchase_id = p.id AND x.delivery <> o.delivery)) AS delivery,
            CASE WHEN p.gifts_minor = 0 THEN 0 ELSE (SELECT COUNT(*) FROM checkout_gifts g WHERE g.checkout_id = p.checkout_id) END AS gifts,
            EXISTS (SELECT 1 FROM orders o WHERE o.purchase_id = p.id AND o.open_disputes > 0) AS disputed FROM purchases p",
        base_filter: "TRUE",
        filters: &[("user", "p.user_id = {}")],
        sorts: &[("newest", "p.id < {}", "p.id DESC")],
    }
}

statements! {
    IN_PURCHASE = "SELECT id AS value FROM orders WHERE number = $1 AND purchase_id = $2";
    STATE = "SELECT state AS value FROM orders WHERE number = $1 AND shop_id = COALESCE($2, shop_id)";
    FIND = "SELECT p.id, p.number, p.user_id, p.email, p.address, p.billing, p.method, p.gift_cards, p.gifts_minor, p.currency, p.created_at,
            t.token_hash, (SELECT COUNT(*) FROM orders o JOIN appointments a ON a.order_id = o.id WHERE o.purchase_id = p.id) AS appointments
        FROM purchases p JOIN checkouts c ON c.id = p.checkout_id JOIN carts t ON t.id = c.cart_id
        WHERE p.number = $1";
    LINES = lines_of!("orders", "WHERE o.purchase_id = $1 ORDER BY o.number, l.position");
    HISTORY_ITEMS = "SELECT o.purchase_id, l.title, m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM (VALUES [($1)]) AS given JOIN orders o ON o.purchase_id = given.column1
        JOIN order_lines l ON l.order_id = o.id
        LEFT JOIN product_pictures pp ON pp.product_id = l.product_id AND pp.position = 0
        LEFT JOIN media m ON m.id = pp.media_id ORDER BY o.purchase_id, o.number, l.position";
    NOTIFIED_PURCHASES = "SELECT p.id, p.number, p.user_id, p.email, p.address, p.billing, p.method, p.gift_cards, p.gifts_minor, p.currency,
            p.created_at, t.token_hash,
            (SELECT COUNT(*) FROM orders o JOIN appointments a ON a.order_id = o.id WHERE o.purchase_id = p.id) AS appointments
        FROM purchases p JOIN checkouts c ON c.id = p.checkout_id JOIN carts t ON t.id = c.cart_id
        WHERE p.id IN (SELECT subject FROM notifications WHERE claim = $1 AND kind = 'purchase_made')";
    NOTIFIED_LINES = lines_of!(
        "orders",
        "WHERE o.purchase_id IN (SELECT subject FROM notifications WHERE claim = $1 AND kind = 'purchase_made')
        ORDER BY o.number, l.position"
    );
    // Joined rather than asked with IN, for which PostgreSQL would read all orders.
    NOTIFIED_ORDERS = lines_of!(
        "orders",
        "JOIN (SELECT DISTINCT COALESCE(x.order_id, b.order_id, f.order_id, a.order_id, n.subject) AS id FROM notifications n
            LEFT JOIN shipments x ON x.id = n.subject LEFT JOIN returns b ON b.id = n.subject
            LEFT JOIN refunds f ON f.id = n.subject LEFT JOIN appointments a ON a.id = n.subject WHERE n.claim = $1 AND n.kind <> 'purchase_made') told ON told.id = o.id
        ORDER BY o.number, l.position"
    );
    NOTIFIED_SHIPMENTS = "SELECT h.id, h.order_id, h.carrier, h.tracking_number, h.tracking_url, l.position, l.quantity,
            o.state <> 'confirmed' AND NOT EXISTS (SELECT 1 FROM shipments y WHERE y.order_id = h.order_id
                AND (y.created_at, y.id) > (h.created_at, h.id)) AS is_last,
            EXISTS (SELECT 1 FROM shipments y WHERE y.order_id = h.order_id AND y.id <> h.id) AS has_others
        FROM shipments h JOIN orders o ON o.id = h.order_id JOIN shipment_lines l ON l.shipment_id = h.id WHERE h.id IN
            (SELECT subject FROM notifications WHERE claim = $1 AND kind IN ('order_shipped', 'shipment_updated'))
        ORDER BY h.id, l.position";
    NOTIFIED_PARTS = "SELECT b.id, b.order_id, '' AS note FROM returns b
            WHERE b.id IN (SELECT subject FROM notifications WHERE claim = $1 AND kind IN ('return_requested', 'return_approved',
                'return_rejected', 'return_exchanged'))
        UNION ALL SELECT r.id, r.order_id, r.note FROM refunds r
            WHERE r.id IN (SELECT subject FROM notifications WHERE claim = $1 AND kind IN ('order_refunded', 'order_refunded_by_market'))
        UNION ALL SELECT a.id, a.order_id, l.title || ': ' || l.variant_title AS note
            FROM appointments a JOIN order_lines l ON l.order_id = a.order_id AND l.position = a.position
            WHERE a.id IN (SELECT subject FROM notifications WHERE claim = $1 AND kind LIKE 'appointment%')";
    NOTIFIED_CANCELLATIONS = "SELECT order_id, actor, data FROM order_events WHERE kind = 'cancelled' AND order_id IN
        (SELECT subject FROM notifications WHERE claim = $1 AND kind IN ('order_cancelled', 'order_withdrawn'))";
}

rows! {
    struct PurchaseRow {
        id: PurchaseId,
        number: String,
        user_id: Option<UserId>,
        email: String,
        address: String,
        billing: Option<String>,
        method: PaymentMethod,
        gift_cards: String,
        gifts_minor: i64,
        currency: Currency,
        created_at: i64,
        token_hash: Option<Vec<u8>>,
        appointments: i64,
    }

    struct LineRow {
        id: OrderId,
        purchase_id: PurchaseId,
        number: String,
        shop_name: String,
        shop_handle: String,
        town: String,
        shop_address: String,
        returns_days: i64,
        state: OrderState,
        currency: Currency,
        subtotal_minor: i64,
        discount_minor: i64,
        delivery_minor: i64,
        tax_minor: i64,
        delivery_taxes: String,
        taxes: String,
        delivery: ShippingMethod,
        delivery_name: String,
        slot: Option<Slot>,
        days_min: i64,
        days_max: i64,
        total_minor: i64,
        commission_minor: i64,
        created_at: i64,
        address: String,
        method: PaymentMethod,
        position: i64,
        title: String,
        variant_title: String,
        sku: String,
        quantity: i64,
        shipped: i64,
        refunded: i64,
        returned: i64,
        exchanged: i64,
        exchange_of: Option<String>,
        paid_order_id: Option<OrderId>,
        paid_position: Option<i64>,
        unit_minor: i64,
        line_minor: i64,
        paid_minor: i64,
        line_commission_minor: i64,
        line_discount_minor: i64,
        items_minor: i64,
        market_discount_minor: i64,
        collected_minor: i64,
        refunded_minor: i64,
        delivery_refunded_minor: i64,
        disputed_minor: i64,
        disputed_commission_minor: i64,
        disputed_discount_minor: i64,
        release_at: Option<i64>;
        picture: Option<Picture>
    }

    struct ShipmentRow {
        id: Uuid,
        order_id: OrderId,
        carrier: String,
        tracking_number: String,
        tracking_url: String,
        position: i64,
        quantity: i64,
        is_last: bool,
        has_others: bool,
    }

    struct PartRow {
        id: Uuid,
        order_id: OrderId,
        note: String,
    }

    struct EndRow {
        order_id: OrderId,
        actor: Actor,
        data: String,
    }

    struct HistoryRow {
        id: PurchaseId,
        number: String,
        currency: Currency,
        total_minor: i64,
        created_at: i64,
        orders: i64,
        items_total: i64,
        state: Option<String>,
        delivery: Option<ShippingMethod>,
        gifts: i64,
        disputed: bool,
    }

    struct HistoryItemRow {
        purchase_id: PurchaseId,
        title: String;
        picture: Option<Picture>
    }
}

/// Fails with the state of an order that does not allow a change.
async fn moved_in_tx<T>(tx: &mut Tx, number: &str, shop: Option<ShopId>) -> TxResult<T> {
    let state: Option<Scalar<OrderState>> = tx.opt(&STATE, params![number, shop]).await?;
    Err(Conflict::OrderMoved(state.ok_or(Error::NotFound)?.0).into())
}

/// The key of an order in lists: what they are sorted by, and its ID.
fn key(sorted_by: i64, id: OrderId) -> String {
    format!("{id}.{sorted_by}")
}

/// The key from which a page continues; `None` for the first page.
fn behind(after: &str) -> Result<Option<(i64, OrderId)>> {
    if after.is_empty() {
        return Ok(None);
    }
    let read = after
        .split_once('.')
        .and_then(|(id, placed)| Some((placed.parse::<i64>().ok()?, id.parse::<OrderId>().ok()?)));
    read.map(Some).ok_or_else(|| Error::field("after", FieldCode::BadCursor))
}

fn address(json: &str) -> Result<Address> {
    let address: Address = serde_json::from_str(json).map_err(|_| Error::Internal)?;
    Ok(address.with_region_code())
}

/// Where an order is picked up, on one line.
fn pickup_at(order: &LineRow) -> String {
    let place = if order.shop_address.is_empty() { &order.town } else { &order.shop_address };
    let parts = [order.shop_name.as_str()].into_iter().chain(place.lines());
    parts.map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The sums of an order's taxes.
fn taxes_of(rows: &[LineRow]) -> Result<Vec<TaxLine>> {
    let head = &rows[0];
    let all = rows.iter().map(|row| &row.taxes).chain([&head.delivery_taxes]);
    let read = all.map(|json| taxes::read(json, head.currency)).collect::<TxResult<Vec<_>>>()?;
    Ok(haat_shared::taxes::sums(read.into_iter().flatten())?)
}

/// Groups rows of order lines into orders, without their [`parts`].
fn shop_orders(engine: &Engine, caller: &Caller, rows: Vec<LineRow>) -> Result<Vec<ShopOrderView>> {
    let now = engine.clock.now_ms();
    group_by(rows, |r| r.id)
        .into_iter()
        .map(|(id, rows)| {
            let head = &rows[0];
            let money = |amount| Money::new(amount, head.currency);
            let order = OrderView {
                id,
                number: head.number.clone(),
                shop_name: head.shop_name.clone(),
                shop_handle: head.shop_handle.clone(),
                state: head.state,
                lines: rows
                    .iter()
                    .map(|l| CheckoutLineView {
                        position: l.position,
                        title: l.title.clone(),
                        variant_title: l.variant_title.clone(),
                        sku: l.sku.clone(),
                        quantity: l.quantity,
                        shipped: l.shipped,
                        refunded: l.refunded,
                        returned: l.returned,
                        unit_price: money(l.unit_minor),
                        total: money(l.line_minor),
                        picture: l.picture.clone(),
                    })
                    .collect(),
                shipments: Vec::new(),
                refunds: Vec::new(),
                returns: Vec::new(),
                invoices: Vec::new(),
                exchange_of: head.exchange_of.clone(),
                exchange_options: Vec::new(),
                returnable_until: head
                    .release_at
                    .filter(|until| head.state == OrderState::Delivered && *until > now)
                    .map(|until| caller.time(engine, until)),
                returns_days: head.returns_days.max(engine.return_days),
                totals: Totals {
                    subtotal: money(head.subtotal_minor),
                    discount: money(head.discount_minor),
                    shipping: money(head.delivery_minor),
                    tax: money(head.tax_minor),
                    total: money(head.total_minor),
                },
                taxes: taxes_of(&rows)?,
                discounts: Vec::new(),
                shipping_method: head.delivery,
                shipping_name: head.delivery_name.clone(),
                estimated_delivery: (
                    caller.time(engine, engine.zone.later(head.created_at, head.days_min)),
                    caller.time(engine, engine.zone.later(head.created_at, head.days_max)),
                ),
                arrives: {
                    let placed = engine.zone.day(head.created_at);
                    (date(placed + head.days_min), date(placed + head.days_max))
                },
                slot: head.slot,
                pickup_at: match head.delivery {
                    ShippingMethod::Pickup => pickup_at(head),
                    _ => String::new(),
                },
            };
            Ok(ShopOrderView {
                placed_at: caller.time(engine, head.created_at),
                address: address(&head.address)?.into(),
                payment_method: head.method,
                commission: money(head.commission_minor),
                order,
            })
        })
        .collect()
}

/// The purchase, for its owner, for the guest who holds the cart that it was made from, or for whoever
/// has the signed link from the email.
async fn find(engine: &Engine, caller: &Caller, number: &str, key: &str) -> Result<PurchaseRow> {
    let row: PurchaseRow = engine.db.opt(&FIND, params![number]).await?.ok_or(Error::NotFound)?;
    let own = match row.user_id {
        Some(user) => caller.user_id() == Some(user),
        None => {
            row.token_hash.is_some()
                && row.token_hash.as_deref() == caller.cart.as_ref().map(|t| t.as_slice())
        }
    };
    if !own && !engine.secret.verify("purchase", number, key) {
        return Err(Error::NotFound);
    }
    Ok(row)
}

/// Fails for those who may not see a purchase.
pub async fn may_see(engine: &Engine, caller: &Caller, number: &str, key: &str) -> Result<()> {
    find(engine, caller, number, key).await.map(drop)
}

/// An order of a purchase, for those who may see it.
async fn of_purchase(
    engine: &Engine,
    caller: &Caller,
    purchase: &str,
    key: &str,
    number: &str,
) -> Result<OrderId> {
    let purchase = find(engine, caller, purchase, key).await?;
    let order: Option<Scalar<OrderId>> = engine.db.opt(&IN_PURCHASE, params![number, purchase.id]).await?;
    Ok(order.ok_or(Error::NotFound)?.0)
}

/// A purchase page, for those who may see it.
pub async fn purchase(engine: &Engine, caller: &Caller, number: &str, key: &str) -> Result<PurchaseView> {
    let row = find(engine, caller, number, key).await?;
    let lines: Vec<LineRow> = engine.db.all(&LINES, params![row.id]).await?;
    let gifts = match row.gifts_minor {
        0 => Vec::new(),
        _ => gift_cards::of_purchase(engine, caller, row.id).await?,
    };
    let mut purchase = view(engine, caller, row, lines, gifts)?;
    parts::add(engine, caller, &mut purchase.orders.iter_mut().collect::<Vec<_>>()).await?;
    exchange_options::add_options(engine, &mut purchase.orders).await?;
    Ok(purchase)
}

fn view(
    engine: &Engine,
    caller: &Caller,
    row: PurchaseRow,
    lines: Vec<LineRow>,
    gifts: Vec<BoughtGift>,
) -> Result<PurchaseView> {
    let of_gifts = Gift::totals(row.currency, row.gifts_minor);
    let orders: Vec<OrderView> = shop_orders(engine, caller, lines)?.into_iter().map(|o| o.order).collect();
    Ok(PurchaseView {
        id: row.id,
        number: row.number,
        created_at: caller.time(engine, row.created_at),
        email: row.email,
        billing_address: row.billing.as_deref().map(address).transpose()?.map(Into::into),
        address: address(&row.address)?.into(),
        payment_method: row.method,
        gift_cards: serde_json::from_str(&row.gift_cards).map_err(|_| Error::Internal)?,
        totals: Totals::sum(row.currency, orders.iter().map(|order| order.totals).chain([of_gifts]))?,
        taxes: haat_shared::taxes::sums(orders.iter().flat_map(|order| order.taxes.clone()))?,
        orders,
        gifts,
        appointments: row.appointments,
    })
}

/// What an email about a shipment says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The tracking details; `None` if it is picked up.
    pub tracking: Option<Shipment>,
    /// What is in it.
    pub lines: Vec<LineQuantity>,
    /// Whether nothing of the order follows it.
    pub last: bool,
    /// Whether it is the only one of the order.
    pub only: bool,
}

/// The objects of a batch of notifications, by the IDs of their subjects.
pub(crate) struct NotificationData {
    /// Purchases, for their buyers.
    pub(crate) purchases: HashMap<Uuid, PurchaseView>,
    /// Orders, for their buyers and shops. Those that were cancelled, refunded in part or returned come with their refunds and
    /// returns.
    pub(crate) orders: HashMap<Uuid, ShopOrderView>,
    /// Shipments, with their orders.
    pub(crate) shipments: HashMap<Uuid, (Uuid, Parcel)>,
    /// The orders of returns, refunds and appointments.
    pub(crate) parts: HashMap<Uuid, Uuid>,
    /// Why refunds were made, in the words of the shop, and when appointments are.
    pub(crate) reasons: HashMap<Uuid, String>,
    /// Who cancelled an order, and why.
    pub(crate) ends: HashMap<Uuid, (Actor, String)>,
    /// The names of people who signed up, or whose passwords change.
    pub(crate) people: HashMap<Uuid, String>,
    /// Messages from the contact page.
    pub(crate) contact: HashMap<Uuid, ContactNotice>,
    /// Invitations to the staff of shops.
    pub(crate) invitations: HashMap<Uuid, InvitationNotice>,
    /// The latest disputes of orders.
    pub(crate) disputes: HashMap<Uuid, OrderDispute>,
    /// Variants of which there is little.
    pub(crate) stock: HashMap<Uuid, StockNotice>,
    /// Reviews, for their shops.
    pub(crate) reviews: HashMap<Uuid, ReviewNotice>,
    /// Payouts and payout methods, for their shops.
    pub(crate) payouts: HashMap<Uuid, PayoutNotice>,
    /// Gift cards, for their recipients.
    pub(crate) gifts: HashMap<Uuid, GiftCardNotice>,
    /// What is unread in conversations: the messages of the shop, and those of the shopper.
    pub(crate) messages: HashMap<Uuid, (UnreadMessages, UnreadMessages)>,
}

/// Loads the objects of a batch of notifications.
pub(crate) async fn notification_data(engine: &Engine, claim: Id<Job>) -> Result<NotificationData> {
    let reader = &Caller { reads: true, ..Caller::system() };
    let purchases: Vec<PurchaseRow> = engine.db.all(&NOTIFIED_PURCHASES, params![claim]).await?;
    let lines: Vec<LineRow> = engine.db.all(&NOTIFIED_LINES, params![claim]).await?;
    let orders: Vec<LineRow> = engine.db.all(&NOTIFIED_ORDERS, params![claim]).await?;
    let shipments: Vec<ShipmentRow> = engine.db.all(&NOTIFIED_SHIPMENTS, params![claim]).await?;
    let of_parts: Vec<PartRow> = engine.db.all(&NOTIFIED_PARTS, params![claim]).await?;
    let ends: Vec<EndRow> = engine.db.all(&NOTIFIED_CANCELLATIONS, params![claim]).await?;
    let mut orders = shop_orders(engine, reader, orders)?;
    // Emails about parcels are not about the order's other parts, except for what there is to pay in cash.
    let (whole, other): (Vec<_>, Vec<_>) = orders.iter_mut().partition(|of| {
        let by_shop = !of.payment_method.collected_by_market();
        by_shop
            || of.order.state == OrderState::Cancelled
            || of_parts.iter().any(|part| part.order_id == of.order.id)
    });
    let whole = whole.into_iter().map(|of| &mut of.order);
    parts::add(engine, reader, &mut whole.collect::<Vec<_>>()).await?;
    let other = other.into_iter().map(|of| &mut of.order);
    parts::add_discounts(engine, &mut other.collect::<Vec<_>>()).await?;
    let (sent_gifts, mut bought_gifts) = gift_cards::notification_data(engine, reader, claim).await?;
    let mut lines: HashMap<_, _> = group_by(lines, |l| l.purchase_id).into_iter().collect();
    let purchases = purchases.into_iter().map(|row| {
        let lines = lines.remove(&row.id).unwrap_or_default();
        let gifts =
            bought_gifts.extract_if(.., |(purchase, _)| *purchase == row.id).map(|(_, gift)| gift).collect();
        Ok((row.id.uuid(), view(engine, reader, row, lines, gifts)?))
    });
    let mut purchases = purchases.collect::<Result<HashMap<Uuid, PurchaseView>>>()?;
    let bought = purchases.values_mut().flat_map(|purchase| &mut purchase.orders);
    parts::add_discounts(engine, &mut bought.collect::<Vec<_>>()).await?;
    Ok(NotificationData {
        purchases,
        orders: orders.into_iter().map(|order| (order.order.id.uuid(), order)).collect(),
        shipments: group_by(shipments, |row| row.id)
            .into_iter()
            .map(|(id, rows)| {
                let head = &rows[0];
                let tracking = parts::tracking(&head.carrier, &head.tracking_number, &head.tracking_url);
                let line =
                    |row: &ShipmentRow| LineQuantity { position: row.position, quantity: row.quantity };
                let (last, only) = (head.is_last, head.is_last && !head.has_others);
                let lines = rows.iter().map(line).collect();
                (id, (head.order_id.uuid(), Parcel { tracking, lines, last, only }))
            })
            .collect(),
        parts: of_parts.iter().map(|part| (part.id, part.order_id.uuid())).collect(),
        reasons: of_parts.into_iter().map(|part| (part.id, part.note)).collect(),
        ends: ends
            .into_iter()
            .map(|end| Ok((end.order_id.uuid(), (end.actor, timeline::read(&end.data)?.note))))
            .collect::<Result<_>>()?,
        people: crate::accounts::sign_ups::notification_data(engine, claim).await?,
        contact: contact::notification_data(engine, claim).await?,
        invitations: staff::notification_data(engine, claim).await?,
        disputes: disputes::notified(engine, reader, claim).await?,
        stock: inventory::low::notification_data(engine, claim).await?,
        reviews: reviews::notification_data(engine, claim).await?,
        payouts: payouts::notification_data(engine, reader, claim).await?,
        gifts: sent_gifts.into_iter().collect(),
        messages: chat::notification_data(engine, claim).await?,
    })
}

/// The caller's purchases, newest first.
pub async fn history(
    engine: &Engine,
    caller: &Caller,
    of: impl Into<PageRequest<'_>>,
) -> Result<Page<PurchaseCard>> {
    let (user, of) = (caller.signed_in()?.id, of.into());
    let (after, size) = (cursor::<Purchase>(of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let asked = HISTORY.bind(vec![("user", user.into())], "newest", after, size + 1);
    let rows: Vec<HistoryRow> = engine.db.list(asked).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    let ids: Vec<[crate::db::Value; 1]> = page.items.iter().map(|row| [row.id.into()]).collect();
    let mut items: HashMap<PurchaseId, Vec<PurchaseItem>> = HashMap::new();
    for row in engine.db.all_many::<HistoryItemRow, 1>(&HISTORY_ITEMS, &ids).await? {
        let of = items.entry(row.purchase_id).or_default();
        if of.len() < PurchaseCard::ITEMS {
            of.push(PurchaseItem { title: row.title, picture: row.picture });
        }
    }
    Ok(page.map(|row| PurchaseCard {
        items: items.remove(&row.id).unwrap_or_default(),
        items_total: row.items_total,
        number: row.number,
        created_at: caller.time(engine, row.created_at),
        total: Money::new(row.total_minor, row.currency),
        orders: row.orders,
        state: row.state.as_deref().and_then(OrderState::parse),
        shipping_method: row.delivery,
        gifts: row.gifts,
        disputed: row.disputed,
    }))
}
