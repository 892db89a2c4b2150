//! The parts of orders that views show: shipments, refunds and returns, each with its lines.

use crate::{Caller, Engine, db::Value, group_by, rows, statements};
use haat_shared::{
    Money, Result,
    id::kinds::{InvoiceId, OrderId, PromotionId, RefundId, ReturnId, ShipmentId, VariantId},
    invoices::{InvoiceCard, InvoiceKind},
    media::Picture,
    orders::{
        LineQuantity, OrderRefund, OrderShipment, OrderState, OrderView, RefundReason, Shipment, ShipmentKind,
    },
    promotions::Discount,
    returns::{ExchangeOption, OrderReturn, ReturnReason, ReturnState},
};

statements! {
    // Of the given orders.
    SHIPMENTS = "SELECT h.id, h.order_id, h.kind, h.carrier, h.tracking_number, h.tracking_url, h.created_at, h.delivered_at,
            l.position, l.quantity
        FROM (VALUES [($1)]) AS given JOIN shipments h ON h.order_id = given.column1 JOIN shipment_lines l ON l.shipment_id = h.id
        ORDER BY h.created_at, h.id, l.position";
    // A refund may be done in parts, by several payments; the first one has its lines.
    REFUNDS = "SELECT r.id, r.order_id, r.reason, r.amount_minor, r.card_minor, r.delivery_minor, r.done_at, l.position, l.quantity
        FROM (SELECT x.order_id, COALESCE(x.part_of, x.id) AS id, x.reason, CAST(SUM(CASE WHEN x.state <> 'replaced' THEN x.amount_minor ELSE 0 END) AS BIGINT) AS amount_minor,
                CAST(SUM(CASE WHEN x.state <> 'replaced' AND p.gift_card_id IS NOT NULL THEN x.amount_minor ELSE 0 END) AS BIGINT) AS card_minor,
                CAST(SUM(x.delivery_minor) AS BIGINT) AS delivery_minor, MIN(x.created_at) AS created_at,
                CASE WHEN COUNT(x.done_at) = COUNT(CASE WHEN x.state <> 'replaced' THEN 1 END) THEN MAX(x.done_at) END AS done_at
            FROM (VALUES [($1)]) AS given JOIN refunds x ON x.order_id = given.column1 JOIN payments p ON p.id = x.payment_id
            GROUP BY x.order_id, COALESCE(x.part_of, x.id), x.reason) r
        LEFT JOIN refund_lines l ON l.refund_id = r.id ORDER BY r.created_at, r.id, l.position";
    RETURNS = "SELECT r.id, r.order_id, r.state, r.reason, r.note, r.answer, r.created_at, r.received_at, r.restocked, r.refund_id,
            (SELECT x.number FROM orders x WHERE x.id = r.exchange_order_id) AS exchange_order, l.position, l.quantity,
            l.wished_variant_id, v.title AS wished_title, v.id = o.variant_id AS same,
            NOT v.archived AND COALESCE(c.on_hand - c.held >= l.quantity, TRUE) AS in_stock
        FROM (VALUES [($1)]) AS given JOIN returns r ON r.order_id = given.column1 JOIN return_lines l ON l.return_id = r.id
        JOIN order_lines o ON o.order_id = r.order_id AND o.position = l.position
        LEFT JOIN variants v ON v.id = l.wished_variant_id LEFT JOIN capacities c ON c.id = v.capacity_id
        ORDER BY r.created_at, r.id, l.position";
    PICTURES = "SELECT r.return_id, m.id AS media_id, m.width, m.height, m.color, '' AS alt FROM (VALUES [($1)]) AS given
        JOIN return_pictures r ON r.return_id = given.column1 JOIN media m ON m.id = r.media_id ORDER BY r.return_id, r.position";
    DISCOUNTS = "SELECT a.order_id, a.promotion_id, a.code, a.label, CAST(-SUM(a.amount_minor) AS BIGINT) AS amount_minor,
            COUNT(CASE WHEN a.after_others THEN 1 END) > 0 AS after_others
        FROM (VALUES [($1)]) AS given JOIN order_adjustments a ON a.order_id = given.column1
        GROUP BY a.order_id, a.promotion_id, a.code, a.label ORDER BY a.order_id, MIN(a.number)";
    INVOICES = "SELECT i.id, i.order_id, i.kind, i.year, i.sequence, i.total_minor, i.issued_at
        FROM (VALUES [($1)]) AS given JOIN invoices i ON i.order_id = given.column1 ORDER BY i.issued_at, i.id";
}

rows! {
    struct ShipmentRow {
        id: ShipmentId,
        order_id: OrderId,
        kind: ShipmentKind,
        carrier: String,
        tracking_number: String,
        tracking_url: String,
        created_at: i64,
        delivered_at: Option<i64>,
        position: i64,
        quantity: i64,
    }

    struct RefundRow {
        id: RefundId,
        order_id: OrderId,
        reason: RefundReason,
        amount_minor: i64,
        card_minor: i64,
        delivery_minor: i64,
        done_at: Option<i64>,
        position: Option<i64>,
        quantity: Option<i64>,
    }

    struct PictureRow {
        return_id: ReturnId;
        picture: Option<Picture>
    }

    struct DiscountRow {
        order_id: OrderId,
        promotion_id: Option<PromotionId>,
        code: String,
        label: String,
        amount_minor: i64,
        after_others: bool,
    }

    struct InvoiceRow {
        id: InvoiceId,
        order_id: OrderId,
        kind: InvoiceKind,
        year: i64,
        sequence: i64,
        total_minor: i64,
        issued_at: i64,
    }

    struct ReturnRow {
        id: ReturnId,
        order_id: OrderId,
        state: ReturnState,
        reason: ReturnReason,
        note: String,
        answer: String,
        created_at: i64,
        received_at: Option<i64>,
        restocked: bool,
        refund_id: Option<RefundId>,
        exchange_order: Option<String>,
        position: i64,
        quantity: i64,
        wished_variant_id: Option<VariantId>,
        wished_title: Option<String>,
        same: Option<bool>,
        in_stock: Option<bool>,
    }
}

/// Adds their discounts to orders.
pub(super) async fn add_discounts(engine: &Engine, orders: &mut [&mut OrderView]) -> Result<()> {
    let discounted = orders.iter().filter(|order| order.totals.discount.amount() > 0);
    let discounted: Vec<[Value; 1]> = discounted.map(|order| [order.id.into()]).collect();
    let discounts: Vec<DiscountRow> = engine.db.all_many(&DISCOUNTS, &discounted).await?;
    for row in discounts {
        let Some(order) = find(orders, row.order_id) else { continue };
        let amount = Money::new(row.amount_minor, order.totals.total.currency());
        let DiscountRow { promotion_id, code, label, after_others, .. } = row;
        order.discounts.push(Discount {
            promotion_id,
            code,
            label,
            amount,
            after_others,
            refusal: None,
            limit: None,
        });
    }
    Ok(())
}

/// Adds their discounts, shipments, refunds, returns and invoices to orders. Those that were just placed have
/// nothing but discounts, and refunds of appointments.
pub(super) async fn add(engine: &Engine, caller: &Caller, orders: &mut [&mut OrderView]) -> Result<()> {
    let refunded = |order: &OrderView| order.lines.iter().any(|line| line.refunded > 0);
    let moved = orders.iter().filter(|order| order.state != OrderState::Placed || refunded(order));
    let ids: Vec<[Value; 1]> = moved.map(|order| [order.id.into()]).collect();
    let shipments: Vec<ShipmentRow> = engine.db.all_many(&SHIPMENTS, &ids).await?;
    let refunds: Vec<RefundRow> = engine.db.all_many(&REFUNDS, &ids).await?;
    let returns: Vec<ReturnRow> = engine.db.all_many(&RETURNS, &ids).await?;
    let invoices: Vec<InvoiceRow> = engine.db.all_many(&INVOICES, &ids).await?;
    add_discounts(engine, orders).await?;
    let since = engine.unanswered_since();
    let time = |at: i64| caller.time(engine, at);
    for (id, rows) in group_by(shipments, |row| row.id) {
        let head = &rows[0];
        let Some(order) = find(orders, head.order_id) else { continue };
        order.shipments.push(OrderShipment {
            id,
            kind: head.kind,
            tracking: tracking(&head.carrier, &head.tracking_number, &head.tracking_url),
            shipped_at: time(head.created_at),
            delivered_at: head.delivered_at.map(time),
            lines: rows.iter().map(|row| line(row.position, row.quantity)).collect(),
        });
    }
    for (id, rows) in group_by(refunds, |row| row.id) {
        let head = &rows[0];
        let Some(order) = find(orders, head.order_id) else { continue };
        let currency = order.totals.total.currency();
        order.refunds.push(OrderRefund {
            id,
            reason: head.reason,
            amount: Money::new(head.amount_minor, currency),
            shipping: Money::new(head.delivery_minor, currency),
            to_gift_cards: Money::new(head.card_minor, currency),
            completed_at: head.done_at.map(time),
            lines: rows.iter().filter_map(|row| Some(line(row.position?, row.quantity?))).collect(),
        });
    }
    let mut returned = Vec::new();
    for (id, rows) in group_by(returns, |row| row.id) {
        returned.push(id);
        let head = &rows[0];
        let Some(order) = find(orders, head.order_id) else { continue };
        order.returns.push(OrderReturn {
            id,
            state: head.state,
            reason: head.reason,
            note: head.note.clone(),
            answer: head.answer.clone(),
            opened_at: time(head.created_at),
            answer_by: time(head.created_at + engine.return_answer_days * 86_400_000),
            escalated: head.state == ReturnState::Requested && head.created_at < since,
            refund_id: head.refund_id,
            pictures: Vec::new(),
            received_at: head.received_at.map(time),
            restocked: head.restocked,
            exchange: rows.iter().filter_map(wish).collect(),
            exchange_order: head.exchange_order.clone(),
            lines: rows.iter().map(|row| line(row.position, row.quantity)).collect(),
        });
    }
    let ids: Vec<[Value; 1]> = returned.into_iter().map(|id| [id.into()]).collect();
    let pictures: Vec<PictureRow> = engine.db.all_many(&PICTURES, &ids).await?;
    for PictureRow { return_id, picture } in pictures {
        let mut returns = orders.iter_mut().flat_map(|order| &mut order.returns);
        if let Some(back) = returns.find(|back| back.id == return_id) {
            back.pictures.extend(picture);
        }
    }
    for row in invoices {
        let Some(order) = find(orders, row.order_id) else { continue };
        order.invoices.push(InvoiceCard {
            id: row.id,
            kind: row.kind,
            number: row.kind.number(row.year, row.sequence),
            total: Money::new(row.total_minor, order.totals.total.currency()),
            issued_at: time(row.issued_at),
        });
    }
    Ok(())
}

fn find<'a>(orders: &'a mut [&mut OrderView], id: OrderId) -> Option<&'a mut OrderView> {
    orders.iter_mut().find(|order| order.id == id).map(|order| &mut **order)
}

/// What the customer would like instead of a line.
fn wish(row: &ReturnRow) -> Option<ExchangeOption> {
    Some(ExchangeOption {
        position: row.position,
        variant_id: row.wished_variant_id?,
        title: row.wished_title.clone().unwrap_or_default(),
        same: row.same.unwrap_or_default(),
        in_stock: row.in_stock.unwrap_or_default(),
    })
}

fn line(position: i64, quantity: i64) -> LineQuantity {
    LineQuantity { position, quantity }
}

/// The tracking details of a shipment; `None` if it is not a parcel.
pub(super) fn tracking(carrier: &str, number: &str, url: &str) -> Option<Shipment> {
    (!carrier.is_empty()).then(|| Shipment {
        carrier: carrier.to_owned(),
        tracking_number: number.to_owned(),
        tracking_url: url.to_owned(),
    })
}
