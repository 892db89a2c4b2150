//! The timeline of an order: what happened to it, when, and through whom. An order's time increases with
//! every change (`orders.updated_at`), so entries have an order even if the clocks of the nodes differ.

use crate::{TxResult, bug, db::Tx, insert};
use haat_shared::{
    Error, Result,
    id::kinds::{OrderId, UserId},
    orders::{Actor, OrderEventData, OrderEventKind},
};

insert! {
    struct AddEvent into order_events {
        order_id: OrderId,
        created_at: i64,
        kind: OrderEventKind,
        actor: Actor,
        user_id: Option<UserId>,
        data: String,
    }
}

/// Who changes an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    pub(crate) actor: Actor,
    pub(crate) user: Option<UserId>,
}

/// Adds an entry, at the time of the change.
pub(crate) async fn add_in_tx(
    tx: &mut Tx,
    order_id: OrderId,
    kind: OrderEventKind,
    by: By,
    data: &OrderEventData,
    created_at: i64,
) -> TxResult<()> {
    let data = serde_json::to_string(data).map_err(|e| bug(e.to_string()))?;
    let By { actor, user: user_id } = by;
    tx.insert(AddEvent { order_id, created_at, kind, actor, user_id, data }).await?;
    Ok(())
}

/// The data of an entry, as it was stored.
pub(super) fn read(data: &str) -> Result<OrderEventData> {
    serde_json::from_str(data).map_err(|_| Error::Internal)
}
