//! What the items of an order can be exchanged for.

use crate::{
    Engine, TxResult,
    db::{Tx, Value},
    params, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::{OrderId, VariantId},
    orders::OrderView,
    returns::{ExchangeOption, ExchangeWish, ReturnReason, may_repeat},
};

/// The variants for which a line `l` can be exchanged, `v`: of the same product, for sale, and not more expensive than the
/// ordered one is now.
macro_rules! options {
    () => {
        "JOIN variants mine ON mine.id = l.variant_id
            JOIN variants v ON v.product_id = mine.product_id AND NOT v.archived AND v.price_minor <= mine.price_minor
            LEFT JOIN capacities c ON c.id = v.capacity_id"
    };
}

statements! {
    OPTIONS = concat!("SELECT l.order_id, l.position, v.id AS variant_id, v.title, v.id = l.variant_id AS same,
            COALESCE(c.on_hand - c.held >= l.shipped - l.returned, TRUE) AS in_stock
        FROM (VALUES [($1)]) AS given JOIN order_lines l ON l.order_id = given.column1 AND l.kind = 'goods'
        ", options!(), " ORDER BY l.order_id, l.position, v.position, v.id");
    OFFERED = concat!("SELECT l.position, v.id AS variant_id, v.id = l.variant_id AS same
        FROM order_lines l ", options!(), " WHERE l.order_id = $1 AND l.kind = 'goods'");
}

rows! {
    struct OptionRow {
        order_id: OrderId,
        position: i64,
        variant_id: VariantId,
        title: String,
        same: bool,
        in_stock: bool,
    }

    struct OfferedRow {
        position: i64,
        variant_id: VariantId,
        same: bool,
    }
}

/// Adds what the lines of orders that can be returned can be exchanged for.
pub(super) async fn add_options(engine: &Engine, orders: &mut [OrderView]) -> Result<()> {
    let returnable = orders.iter().filter(|order| order.returnable_until.is_some());
    let ids: Vec<[Value; 1]> = returnable.map(|order| [order.id.into()]).collect();
    let options: Vec<OptionRow> = engine.db.all_many(&OPTIONS, &ids).await?;
    for OptionRow { order_id, position, variant_id, title, same, in_stock } in options {
        if let Some(order) = orders.iter_mut().find(|order| order.id == order_id) {
            order.exchange_options.push(ExchangeOption { position, variant_id, title, same, in_stock });
        }
    }
    Ok(())
}

/// Checks that the customer may wish for this.
pub(super) async fn check_in_tx(
    tx: &mut Tx,
    order: OrderId,
    reason: ReturnReason,
    wishes: &[ExchangeWish],
) -> TxResult<()> {
    if wishes.is_empty() {
        return Ok(());
    }
    let offered: Vec<OfferedRow> = tx.all(&OFFERED, params![order]).await?;
    let may = |wish: &ExchangeWish| {
        let of = |row: &&OfferedRow| (row.position, row.variant_id) == (wish.position, wish.variant_id);
        offered.iter().find(of).is_some_and(|row| !row.same || may_repeat(reason))
    };
    match wishes.iter().all(may) {
        true => Ok(()),
        false => Err(Error::field("exchange", FieldCode::NotAChoice).into()),
    }
}
