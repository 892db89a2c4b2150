//! Ordering the same once more.

use super::of_purchase;
use crate::{
    Caller, Engine,
    carts::{self, Changed},
    params, rows, statements,
};
use haat_shared::{Result, id::kinds::VariantId};

statements! {
    // Services are booked for a time.
    LINES = "SELECT l.variant_id, l.quantity FROM order_lines l WHERE l.order_id = $1
        AND NOT EXISTS (SELECT 1 FROM variants v JOIN services s ON s.product_id = v.product_id WHERE v.id = l.variant_id)
        ORDER BY l.position";
}

rows! {
    struct LineRow {
        variant_id: VariantId,
        quantity: i64,
    }
}

/// Puts what was ordered into the caller's cart once more, as far as the shop has it. Returns how many of the items are missing
/// there, or some of them. For those who may see the purchase.
pub async fn order_again(
    engine: &Engine,
    caller: &Caller,
    purchase: &str,
    key: &str,
    number: &str,
) -> Result<(Changed, i64)> {
    let order = of_purchase(engine, caller, purchase, key, number).await?;
    let lines: Vec<LineRow> = engine.db.all(&LINES, params![order]).await?;
    let lines = lines.into_iter().map(|line| (line.variant_id, line.quantity));
    carts::add_all(engine, caller, lines.collect()).await
}
