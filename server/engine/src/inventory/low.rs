//! Low stock: a shop is told once when an order leaves few of a variant, and again only after it was refilled. What unpaid
//! checkouts hold doesn't count as sold, so whoever begins and abandons them causes no notification.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Engine, TxResult,
    bus::{Announcement, Topic},
    db::{Scalar, Tx, Value},
    outbox::{self, Dispatched, OutboxMessage},
    params, rows, statements,
};
use haat_shared::{
    Id, Result,
    id::kinds::{Job, ProductId, VariantId},
};

statements! {
    TELL = "INSERT INTO low_stock (variant_id, told_at) SELECT DISTINCT v.id, given.column2
        FROM (VALUES [($1, $2)]) AS given JOIN order_lines l ON l.order_id = given.column1
        JOIN variants v ON v.id = l.variant_id JOIN capacities c ON c.id = v.capacity_id
        WHERE NOT v.archived AND c.on_hand <= v.low_stock
        ON CONFLICT (variant_id) DO NOTHING RETURNING variant_id AS value";
    FORGET = "DELETE FROM low_stock WHERE variant_id IN (SELECT t.variant_id FROM low_stock t
        JOIN variants v ON v.id = t.variant_id LEFT JOIN capacities c ON c.id = v.capacity_id
        WHERE c.id IS NULL OR c.on_hand > v.low_stock)";
    NOTIFIED = "SELECT v.id, v.title AS variant_title, p.id AS product_id, p.title, s.name, s.handle,
            COALESCE(c.on_hand, 0) AS left_over
        FROM variants v JOIN products p ON p.id = v.product_id JOIN shops s ON s.id = v.shop_id
        LEFT JOIN capacities c ON c.id = v.capacity_id
        WHERE v.id IN (SELECT subject FROM notifications WHERE claim = $1 AND kind = 'stock_low')";
}

rows! {
    struct NotifiedRow {
        id: VariantId,
        variant_title: String,
        product_id: ProductId,
        title: String,
        name: String,
        handle: String,
        left_over: i64,
    }
}

/// What a notification says of a variant of which there is little.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockNotice {
    /// The product.
    pub product: ProductId,
    /// The product's title, and the variant's if there are several.
    pub title: String,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// How many are left, including those that checkouts hold.
    pub available: i64,
}

/// Publishes of which variants orders have left few.
pub(crate) async fn tell_in_tx(
    tx: &mut Tx,
    messages: &[Dispatched],
    now: i64,
) -> TxResult<Vec<Announcement>> {
    let placed = messages.iter().filter(|of| of.message == OutboxMessage::OrderPlaced);
    let placed: Vec<[Value; 2]> = placed.map(|of| [of.subject.into(), now.into()]).collect();
    let low: Vec<Scalar<VariantId>> = tx.all_many(&TELL, &placed).await?;
    if low.is_empty() {
        return Ok(Vec::new());
    }
    let messages: Vec<_> =
        low.into_iter().map(|variant| outbox::row(OutboxMessage::StockLow, variant.0, now)).collect();
    tx.exec_many(&outbox::WRITE, &messages).await?;
    Ok(vec![(Topic::Outbox, "")])
}

/// Forgets that shops were told of variants that were refilled.
pub(crate) async fn forget(engine: &Engine) -> TxResult<()> {
    engine
        .db
        .write("inventory::forget_low", (), |tx, ()| {
            Box::pin(async move { Ok(tx.exec(&FORGET, params![]).await?) })
        })
        .await?;
    Ok(())
}

/// The variants that a batch of notifications is about.
pub(crate) async fn notification_data(engine: &Engine, claim: Id<Job>) -> Result<HashMap<Uuid, StockNotice>> {
    let rows: Vec<NotifiedRow> = engine.db.all(&NOTIFIED, params![claim]).await?;
    let notice = |row: NotifiedRow| {
        let title = match row.variant_title.as_str() {
            "" => row.title,
            variant => format!("{} ({variant})", row.title),
        };
        let (shop_name, shop_handle) = (row.name, row.handle);
        let of = StockNotice {
            product: row.product_id,
            title,
            shop_name,
            shop_handle,
            available: row.left_over.max(0),
        };
        (row.id.uuid(), of)
    };
    Ok(rows.into_iter().map(notice).collect())
}
