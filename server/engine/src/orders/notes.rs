//! Notes on orders, which only the shop's members see.

use super::timeline::{self, By};
use crate::{Caller, Engine, params, rows, statements};
use haat_shared::{
    Error, Result,
    id::kinds::OrderId,
    orders::{self, Actor, OrderEventData, OrderEventKind},
    permissions::Permission,
};

statements! {
    CHANGE = "UPDATE orders SET updated_at = CASE WHEN updated_at < $3 THEN $3 ELSE updated_at + 1 END
        WHERE number = $1 AND shop_id = $2 RETURNING id, updated_at";
}

rows! {
    struct Changed {
        id: OrderId,
        updated_at: i64,
    }
}

/// Adds a note to an order's timeline, in any state of the order.
pub async fn add_note(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    note: &str,
) -> Result<()> {
    let shop = caller.shop(handle, Permission::FulfilOrders)?;
    let note = orders::note(note).map_err(|fault| Error::Invalid(vec![fault]))?;
    let by = By { actor: Actor::Shop, user: caller.user_id() };
    let about = ("orders::add_note", number.to_owned());
    let row =
        (number.to_owned(), shop, OrderEventData { note, ..OrderEventData::default() }, engine.clock.clone());
    let write = engine.db.write(about, row, move |tx, (number, shop, data, clock)| {
        Box::pin(async move {
            let changed: Option<Changed> = tx.opt(&CHANGE, params![&*number, *shop, clock.now_ms()]).await?;
            let Changed { id, updated_at } = changed.ok_or(Error::NotFound)?;
            timeline::add_in_tx(tx, id, OrderEventKind::Noted, by, data, updated_at).await
        })
    });
    write.await?;
    Ok(())
}
