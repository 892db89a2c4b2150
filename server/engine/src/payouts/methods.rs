//! Payout methods. The shop's owners are told of each change, and a new method can't be used at once.

use crate::{
    Caller, Engine, TxError, bug,
    bus::Topic,
    db::Scalar,
    insert,
    outbox::{self, OutboxMessage},
    params, random, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::{PayoutMethodId, ShopId, UserId},
    payouts::{ConnectedAccount, METHODS_MAX, PayoutMethodCard, PayoutMethodForm, PayoutMethodKind},
    permissions::Permission,
};

statements! {
    METHODS = "SELECT id, kind, holder, masked, created_at, usable_at, details_submitted, payouts_enabled, requirements FROM payout_methods
        WHERE shop_id = $1 AND removed_at IS NULL ORDER BY id";
    REMOVE = "UPDATE payout_methods SET removed_at = $3 WHERE id = $2 AND shop_id = $1 AND removed_at IS NULL";
}

insert! {
    struct AddMethod<'a> into payout_methods {
        id: PayoutMethodId,
        shop_id: ShopId,
        kind: PayoutMethodKind,
        holder: &'a str,
        masked: String,
        details: &'a str,
        created_by: UserId,
        created_at: i64,
        usable_at: i64,
    }
}

rows! {
    struct MethodRow {
        id: PayoutMethodId,
        kind: PayoutMethodKind,
        holder: String,
        masked: String,
        created_at: i64,
        usable_at: i64,
        details_submitted: bool,
        payouts_enabled: bool,
        requirements: String,
    }
}

/// Where a shop's payouts can go, oldest first, for members who may see its money.
pub async fn methods(engine: &Engine, caller: &Caller, handle: &str) -> Result<Vec<PayoutMethodCard>> {
    let (shop, now) = (caller.shop(handle, Permission::SeeMoney)?, engine.clock.now_ms());
    let rows: Vec<MethodRow> = engine.db.all(&METHODS, params![shop]).await?;
    let connects = super::connects(engine);
    let card = |row: MethodRow| {
        let connected = (row.kind == PayoutMethodKind::Stripe).then(|| ConnectedAccount {
            details_submitted: row.details_submitted,
            payouts_enabled: row.payouts_enabled,
            requirements: row.requirements.split_whitespace().map(str::to_owned).collect(),
        });
        let enabled = connected.as_ref().is_none_or(|account| account.payouts_enabled && connects);
        PayoutMethodCard {
            id: row.id,
            kind: row.kind,
            holder: row.holder,
            account: row.masked,
            created_at: caller.time(engine, row.created_at),
            usable_at: caller.time(engine, row.usable_at),
            usable: row.usable_at <= now && enabled,
            connected,
        }
    };
    Ok(rows.into_iter().map(card).collect())
}

/// Adds a payout method.
pub async fn add_method(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    form: &PayoutMethodForm,
) -> Result<PayoutMethodId> {
    let (shop, by) = (caller.shop(handle, Permission::SeeMoney)?, caller.signed_in()?.id);
    let new = form.check().map_err(Error::Invalid)?;
    let details = serde_json::to_string(&new.account).map_err(|e| bug(format!("an account: {e}")))?;
    let (now, hold) = (engine.clock.now_ms(), engine.payouts.hold_ms);
    let input = (shop, by, new, details, now, now + hold);
    let id = engine
        .db
        .write(("payouts::add_method", shop), input, |tx, (shop, by, new, details, now, usable_at)| {
            Box::pin(async move {
                let id: PayoutMethodId = random::id(*now);
                let row = AddMethod {
                    id,
                    shop_id: *shop,
                    kind: new.account.kind(),
                    holder: &new.holder,
                    masked: new.account.masked(),
                    details,
                    created_by: *by,
                    created_at: *now,
                    usable_at: *usable_at,
                };
                tx.insert(row).await?;
                let count: Option<Scalar<i64>> = tx.opt(&super::connect::COUNT, params![*shop]).await?;
                if count.is_some_and(|count| count.0 > METHODS_MAX) {
                    return Err(Error::field("account", FieldCode::TooMany).into());
                }
                let message = outbox::row(OutboxMessage::PayoutMethodAdded, id, *now);
                tx.exec_many(&outbox::WRITE, &[message]).await?;
                Ok::<_, TxError>(id)
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(id)
}

/// Removes a payout method. Payouts that were requested still go there.
pub async fn remove_method(engine: &Engine, caller: &Caller, handle: &str, id: PayoutMethodId) -> Result<()> {
    let shop = caller.shop(handle, Permission::SeeMoney)?;
    let input = (shop, id, engine.clock.now_ms());
    engine
        .db
        .write(("payouts::remove_method", id), input, |tx, (shop, id, now)| {
            Box::pin(async move {
                if tx.exec(&REMOVE, params![*shop, *id, *now]).await? == 0 {
                    return Err(Error::NotFound.into());
                }
                let message = outbox::row(OutboxMessage::PayoutMethodRemoved, *id, *now);
                tx.exec_many(&outbox::WRITE, &[message]).await?;
                Ok::<_, TxError>(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}
