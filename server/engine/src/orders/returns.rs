//! Returns: parts of an order that come back. What is refunded for them is up to the shop
//! ([`refund`](super::refund)).

use super::{
    moved_in_tx,
    shipments::take_in_tx,
    timeline::{self, By},
};
use crate::{
    Caller, Clock, Engine, TxResult,
    bus::Topic,
    db::{Scalar, Tx},
    insert,
    inventory::holds,
    outbox::{self, OutboxMessage},
    params, random, rows, statements,
};
use haat_shared::{
    Conflict, Error, Result,
    id::kinds::*,
    orders::{Actor, LineQuantity, OrderEventData, OrderEventKind, lines, reason},
    permissions::Permission,
};

statements! {
    LOCK = "UPDATE orders SET updated_at = CASE WHEN updated_at < $3 THEN $3 ELSE updated_at + 1 END
        WHERE number = $1 AND shop_id = $2 AND (state IN ('shipped', 'delivered') OR partly_shipped AND state = 'confirmed')
        RETURNING id, updated_at";
    // Only what was shipped comes back, and once.
    TAKE = "UPDATE order_lines SET returned = returned + given.column3 FROM (VALUES [($1, $2, $3)]) AS given
        WHERE order_lines.order_id = given.column1 AND order_lines.position = given.column2
            AND order_lines.shipped >= order_lines.returned + given.column3
        RETURNING position, quantity, total_minor - discount_minor + added_tax_minor AS paid_minor, returned AS taken";
    RECEIVE = "UPDATE returns SET state = 'received', restocked = $3, received_at = $4
        WHERE id = $1 AND order_id = $2 AND state = 'open' RETURNING id AS value";
    RECEIVED = "SELECT restocked AS value FROM returns WHERE id = $1 AND order_id = $2";
    LINES = "SELECT position, quantity FROM return_lines WHERE return_id = $1 ORDER BY position";
}

insert! {
    struct AddReturn<'a> into returns {
        id: ReturnId,
        order_id: OrderId,
        reason: &'a str,
        created_at: i64;
        state = "'open'",
        restocked = "FALSE",
    }

    struct AddLine into return_lines {
        return_id: ReturnId,
        position: i64,
        quantity: i64,
    }
}

rows! {
    struct Locked {
        id: OrderId,
        updated_at: i64,
    }

    struct LineRow {
        position: i64,
        quantity: i64,
    }
}

/// An order to be changed by its shop.
#[derive(Clone)]
struct Change {
    number: String,
    shop: ShopId,
    by: By,
    clock: Clock,
}

fn by_shop(engine: &Engine, caller: &Caller, handle: &str, number: &str) -> Result<Change> {
    let shop = caller.shop(handle, Permission::FulfilOrders)?;
    let by = By { actor: Actor::Shop, user: caller.user_id() };
    Ok(Change { number: number.to_owned(), shop, by, clock: engine.clock.clone() })
}

async fn lock_in_tx(tx: &mut Tx, change: &Change) -> TxResult<Locked> {
    let Change { number, shop, clock, .. } = change;
    if let Some(order) = tx.opt(&LOCK, params![number, *shop, clock.now_ms()]).await? {
        return Ok(order);
    }
    moved_in_tx(tx, number, *shop).await
}

/// The shop expects a part of a shipped order back.
pub async fn open_return(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    part: &[LineQuantity],
    why: &str,
) -> Result<ReturnId> {
    let change = by_shop(engine, caller, handle, number)?;
    lines(part).map_err(Error::Invalid)?;
    let why = reason(why).map_err(|fault| Error::Invalid(vec![fault]))?;
    let about = ("orders::open_return", change.number.clone());
    let input = (change, part.to_vec(), why);
    let id = engine
        .db
        .write(about, input, |tx, (change, part, why)| {
            Box::pin(async move {
                let order = lock_in_tx(tx, change).await?;
                let (order_id, now) = (order.id, order.updated_at);
                take_in_tx(tx, &TAKE, order_id, part).await?;
                let id: ReturnId = random::id(now);
                tx.insert(AddReturn { id, order_id, reason: why, created_at: now }).await?;
                let rows = part.iter().map(|&LineQuantity { position, quantity }| AddLine {
                    return_id: id,
                    position,
                    quantity,
                });
                tx.insert_all(rows).await?;
                let data = OrderEventData {
                    note: why.clone(),
                    lines: part.clone(),
                    return_id: Some(id),
                    ..OrderEventData::default()
                };
                timeline::add_in_tx(tx, order_id, OrderEventKind::ReturnOpened, change.by, &data, now)
                    .await?;
                let message = outbox::row(OutboxMessage::OrderReturnOpened, order_id, now);
                tx.exec_many(&outbox::WRITE, &[message]).await?;
                Ok(id)
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(id)
}

/// The shop received a return, and may return its items to stock. Repeating it changes nothing. The first
/// decision about the stock stands, because some of it may have been sold since: another one is refused.
pub async fn receive_return(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    id: ReturnId,
    restock: bool,
) -> Result<()> {
    let change = by_shop(engine, caller, handle, number)?;
    let about = ("orders::receive_return", change.number.clone());
    engine
        .db
        .write(about, (change, id, restock), |tx, (change, id, restock)| {
            Box::pin(async move {
                let order = lock_in_tx(tx, change).await?;
                let now = order.updated_at;
                let received: Option<Scalar<ReturnId>> =
                    tx.opt(&RECEIVE, params![*id, order.id, *restock, now]).await?;
                if received.is_none() {
                    let known: Option<Scalar<bool>> = tx.opt(&RECEIVED, params![*id, order.id]).await?;
                    return match known {
                        None => Err(Error::NotFound.into()),
                        Some(Scalar(stands)) if stands == *restock => Ok(()),
                        Some(_) => Err(Conflict::ReturnReceived.into()),
                    };
                }
                let lines: Vec<LineRow> = tx.all(&LINES, params![*id]).await?;
                let part = lines.into_iter();
                let part: Vec<_> =
                    part.map(|LineRow { position, quantity }| LineQuantity { position, quantity }).collect();
                let data =
                    OrderEventData { lines: part.clone(), return_id: Some(*id), ..OrderEventData::default() };
                timeline::add_in_tx(tx, order.id, OrderEventKind::ReturnReceived, change.by, &data, now)
                    .await?;
                let message = outbox::row(OutboxMessage::OrderReturnReceived, order.id, now);
                tx.exec_many(&outbox::WRITE, &[message]).await?;
                if *restock {
                    holds::return_part_in_tx(tx, order.id, &part, *id, now).await?;
                }
                Ok(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}
