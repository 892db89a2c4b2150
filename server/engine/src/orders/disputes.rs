//! Disputes as an order shows them. `payments::dispute` opens and decides them.

use std::collections::HashMap;

use uuid::Uuid;

use super::timeline::{self, By};
use crate::{Caller, Engine, TxResult, db::Tx, params, rows, statements};
use haat_shared::{
    Currency, Id, Money, Result,
    disputes::{DisputeState, DisputedPart, OrderDispute},
    id::kinds::{Job, OrderId},
    orders::{Actor, OrderEventData, OrderEventKind},
};

/// The columns of a [`DisputeRow`].
macro_rules! disputes {
    ($rest:literal) => {
        concat!(
            "SELECT p.order_id, d.state, d.reason, d.currency, d.opened_at, d.closed_at, p.amount_minor, p.commission_minor,
                p.market_discount_minor
            FROM dispute_orders p JOIN disputes d ON d.id = p.dispute_id WHERE ",
            $rest,
            " ORDER BY d.opened_at, d.id"
        )
    };
}

statements! {
    OF_ORDER = disputes!("p.order_id = $1");
    NOTIFIED = disputes!("p.order_id IN (SELECT subject FROM notifications WHERE claim = $1
        AND kind IN ('order_disputed', 'dispute_won', 'dispute_lost'))");
}

rows! {
    struct DisputeRow {
        order_id: OrderId,
        state: DisputeState,
        reason: String,
        currency: Currency,
        opened_at: i64,
        closed_at: Option<i64>,
        amount_minor: i64,
        commission_minor: i64,
        market_discount_minor: i64,
    }
}

impl DisputeRow {
    fn shown(self, engine: &Engine, caller: &Caller) -> Result<OrderDispute> {
        let [amount, commission, market_discount] =
            [self.amount_minor, self.commission_minor, self.market_discount_minor]
                .map(|minor| Money::new(minor, self.currency));
        Ok(OrderDispute {
            state: self.state,
            amount,
            commission,
            held: DisputedPart { amount, commission, market_discount }.earned()?,
            reason: self.reason,
            opened_at: caller.time(engine, self.opened_at),
            closed_at: self.closed_at.map(|at| caller.time(engine, at)),
        })
    }
}

/// The disputes of an order's payment, oldest first.
pub(super) async fn of_order(engine: &Engine, caller: &Caller, order: OrderId) -> Result<Vec<OrderDispute>> {
    let rows: Vec<DisputeRow> = engine.db.all(&OF_ORDER, params![order]).await?;
    rows.into_iter().map(|row| row.shown(engine, caller)).collect()
}

/// The latest dispute of each order that a batch of notifications is about.
pub(super) async fn notified(
    engine: &Engine,
    caller: &Caller,
    claim: Id<Job>,
) -> Result<HashMap<Uuid, OrderDispute>> {
    let rows: Vec<DisputeRow> = engine.db.all(&NOTIFIED, params![claim]).await?;
    rows.into_iter().map(|row| Ok((row.order_id.uuid(), row.shown(engine, caller)?))).collect()
}

/// Adds what became of a dispute to the timeline of an order, at the time of its last change.
pub(crate) async fn disputed_in_tx(
    tx: &mut Tx,
    order: OrderId,
    kind: OrderEventKind,
    amount: Money,
    at: i64,
) -> TxResult<()> {
    let data = OrderEventData { amount: Some(amount), ..OrderEventData::default() };
    timeline::add_in_tx(tx, order, kind, By { actor: Actor::Market, user: None }, &data, at).await
}
