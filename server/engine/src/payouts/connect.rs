//! Accounts of shops at a gateway (Stripe Connect): a shop creates one, enters its details on the gateway's pages, and
//! the gateway says whether it can get payouts. Whatever a webhook or the shop's return says, the account is read again.

use tracing::Instrument;

use crate::{
    Caller, Engine, TxResult, bug,
    bus::Topic,
    db::{Scalar, Tx},
    insert,
    outbox::{self, OutboxMessage},
    params,
    payments::{Connect, GatewayError, GatewayResult, call},
    random, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::{PayoutMethodId, ShopId, UserId},
    payouts::{ConnectedAccount, METHODS_MAX, PayoutAccount},
    permissions::Permission,
    routes,
};

/// The parameter of the URL to which a page that has expired leads.
pub const EXPIRED: &str = "expired";

statements! {
    pub(super) COUNT = "SELECT COUNT(*) AS value FROM payout_methods WHERE shop_id = $1 AND removed_at IS NULL";
    SHOP = "SELECT name AS value FROM shops WHERE id = $1";
    FIND = "SELECT id, account_ref FROM payout_methods WHERE shop_id = $1 AND kind = 'stripe' AND removed_at IS NULL";
    KNOWN = "SELECT id AS value FROM payout_methods WHERE account_ref = $1 AND removed_at IS NULL";
    // That of a method that was removed.
    FORMER = "SELECT account_ref AS value FROM payout_methods WHERE shop_id = $1 AND kind = 'stripe' AND account_ref IS NOT NULL
        ORDER BY id DESC LIMIT 1";
    LINK = "UPDATE payout_methods SET account_ref = $2, masked = $3, details = $4 WHERE id = $1 AND account_ref IS NULL";
    // Locks it for the rest of the transaction.
    LOCK = "UPDATE payout_methods SET kind = kind WHERE account_ref = $1 AND removed_at IS NULL
        RETURNING id, payouts_enabled, enabled_at";
    REPORT = "UPDATE payout_methods SET details_submitted = $2, payouts_enabled = $3, requirements = $4 WHERE id = $1";
    ENABLE = "UPDATE payout_methods SET enabled_at = $2, usable_at = $3 WHERE id = $1";
}

insert! {
    struct AddConnected<'a> into payout_methods {
        id: PayoutMethodId,
        shop_id: ShopId,
        holder: &'a str,
        created_by: UserId,
        created_at: i64,
        usable_at: i64;
        kind = "'stripe'",
        masked = "''",
        details = "'{}'",
    } "ON CONFLICT (shop_id) WHERE kind = 'stripe' AND removed_at IS NULL DO NOTHING"
}

rows! {
    struct ConnectedRow {
        id: PayoutMethodId,
        account_ref: Option<String>,
    }

    struct LockedRow {
        id: PayoutMethodId,
        payouts_enabled: bool,
        enabled_at: Option<i64>,
    }
}

/// A shop's account at a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onboarding {
    /// The payout method.
    pub method: PayoutMethodId,
    /// The gateway's page on which the shop enters its details. None if the gateway needs nothing.
    pub url: Option<String>,
}

/// Whether shops can connect an account.
pub fn connects(engine: &Engine) -> bool {
    engine.connect().is_some()
}

/// Creates the shop's account at the gateway, once, and returns the page on which its details are entered.
pub async fn connect(engine: &Engine, caller: &Caller, handle: &str) -> Result<Onboarding> {
    let (shop, by) = (caller.shop(handle, Permission::SeeMoney)?, caller.signed_in()?.id);
    let (name, gateway) = engine.connect().ok_or(Error::NotFound)?;
    let found: Option<ConnectedRow> = engine.db.opt(&FIND, params![shop]).await?;
    let row = match found {
        Some(row) => row,
        None => add(engine, shop, by).await?,
    };
    let account = match row.account_ref {
        Some(account) => account,
        None => {
            let span = call(name, "open_account", row.id);
            let account = answered(name, gateway.open_account(row.id).instrument(span).await)?;
            link(engine, row.id, &account).await?;
            account
        }
    };
    let state = refresh(engine, gateway, name, &account).await?;
    let url = match state.payouts_enabled && state.requirements.is_empty() {
        true => None,
        false => Some(page(engine, gateway, name, handle, &account).await?),
    };
    Ok(Onboarding { method: row.id, url })
}

/// The shop comes back from the gateway's page, or the page has expired. Returns a new page in that case.
pub async fn connect_returned(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    expired: bool,
) -> Result<Option<String>> {
    let shop = caller.shop(handle, Permission::SeeMoney)?;
    let (name, gateway) = engine.connect().ok_or(Error::NotFound)?;
    let found: Option<ConnectedRow> = engine.db.opt(&FIND, params![shop]).await?;
    let account = found.and_then(|row| row.account_ref).ok_or(Error::NotFound)?;
    if expired {
        return page(engine, gateway, name, handle, &account).await.map(Some);
    }
    refresh(engine, gateway, name, &account).await?;
    Ok(None)
}

/// A gateway reports that an account changed.
pub(crate) async fn account_reported(engine: &Engine, reporter: &str, account: &str) -> Result<()> {
    let Some((name, gateway)) = engine.connect().filter(|(name, _)| *name == reporter) else { return Ok(()) };
    // It may be the market's own, or belong to another business of the operator.
    if engine.db.opt::<Scalar<PayoutMethodId>>(&KNOWN, params![account]).await?.is_none() {
        return Ok(());
    }
    refresh(engine, gateway, name, account).await.map(drop)
}

/// Reads an account again because a transfer to it was refused.
pub(super) async fn doubt(engine: &Engine, account: &str) {
    if let Some((name, gateway)) = engine.connect()
        && let Err(error) = refresh(engine, gateway, name, account).await
    {
        tracing::warn!(gateway = name, %error, "an account could not be read");
    }
}

async fn add(engine: &Engine, shop: ShopId, by: UserId) -> Result<ConnectedRow> {
    let input = (shop, by, engine.clock.now_ms());
    let row = engine
        .db
        .write(("payouts::connect", shop), input, |tx, (shop, by, now)| {
            Box::pin(add_in_tx(tx, *shop, *by, *now))
        })
        .await?;
    Ok(row)
}

async fn add_in_tx(tx: &mut Tx, shop: ShopId, by: UserId, now: i64) -> TxResult<ConnectedRow> {
    let holder: Option<Scalar<String>> = tx.opt(&SHOP, params![shop]).await?;
    let holder = holder.ok_or(Error::NotFound)?.0;
    let former: Option<Scalar<String>> = tx.opt(&FORMER, params![shop]).await?;
    let id: PayoutMethodId = random::id(now);
    let row =
        AddConnected { id, shop_id: shop, holder: &holder, created_by: by, created_at: now, usable_at: now };
    if tx.insert(row).await? {
        let count: Option<Scalar<i64>> = tx.opt(&COUNT, params![shop]).await?;
        if count.is_some_and(|count| count.0 > METHODS_MAX) {
            return Err(Error::field("kind", FieldCode::TooMany).into());
        }
        if let Some(Scalar(account)) = former {
            link_in_tx(tx, id, &account).await?;
        }
    }
    // Someone else of the shop may have been faster.
    tx.opt(&FIND, params![shop]).await?.ok_or_else(|| bug("a method that was added is missing"))
}

async fn link(engine: &Engine, method: PayoutMethodId, account: &str) -> TxResult<()> {
    engine
        .db
        .write(("payouts::link", method), (method, account.to_owned()), |tx, (method, account)| {
            Box::pin(link_in_tx(tx, *method, account))
        })
        .await
}

async fn link_in_tx(tx: &mut Tx, method: PayoutMethodId, account: &str) -> TxResult<()> {
    let of = PayoutAccount::Stripe { account: account.to_owned() };
    let details = serde_json::to_string(&of).map_err(|e| bug(format!("an account: {e}")))?;
    tx.exec(&LINK, params![method, account, of.masked(), details]).await?;
    Ok(())
}

async fn page(
    engine: &Engine,
    gateway: &dyn Connect,
    name: &'static str,
    handle: &str,
    account: &str,
) -> Result<String> {
    let back = format!("{}{}", engine.public_url, routes::connect_return(handle));
    let again = routes::with(&back, &[(EXPIRED, "1")]);
    let page = gateway.onboarding_page(account, &again, &back);
    answered(name, page.instrument(call(name, "onboarding", account)).await)
}

/// Reads an account, and stores what the gateway says of it.
async fn refresh(
    engine: &Engine,
    gateway: &dyn Connect,
    name: &'static str,
    account: &str,
) -> Result<ConnectedAccount> {
    let read = gateway.account(account).instrument(call(name, "account", account));
    let found = answered(name, read.await)?;
    let input = (account.to_owned(), found.clone(), engine.clock.now_ms(), engine.payouts.hold_ms);
    engine
        .db
        .write("payouts::account", input, |tx, (account, found, now, hold)| {
            Box::pin(report_in_tx(tx, account, found, *now, *hold))
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(found)
}

async fn report_in_tx(
    tx: &mut Tx,
    account: &str,
    found: &ConnectedAccount,
    now: i64,
    hold_ms: i64,
) -> TxResult<()> {
    let Some(before) = tx.opt::<LockedRow>(&LOCK, params![account]).await? else { return Ok(()) };
    let ConnectedAccount { details_submitted, payouts_enabled, requirements } = found;
    let requirements = requirements.join(" ");
    tx.exec(&REPORT, params![before.id, *details_submitted, *payouts_enabled, requirements]).await?;
    let message = match (before.payouts_enabled, *payouts_enabled) {
        (false, true) if before.enabled_at.is_none() => {
            // From now on, as of any method that was added, so that its owners have time to object.
            tx.exec(&ENABLE, params![before.id, now, now + hold_ms]).await?;
            OutboxMessage::PayoutMethodAdded
        }
        (true, false) => OutboxMessage::PayoutMethodRestricted,
        _ => return Ok(()),
    };
    tx.exec_many(&outbox::WRITE, &[outbox::row(message, before.id, now)]).await?;
    Ok(())
}

/// The response of a gateway to a seller who waits for it.
fn answered<T>(name: &str, response: GatewayResult<T>) -> Result<T> {
    response.map_err(|error| match error {
        GatewayError::Unreachable(why) => {
            tracing::warn!(gateway = name, error = why, "the gateway of payouts did not respond");
            Error::Busy { retry_after_s: 2 }
        }
        error => {
            tracing::error!(gateway = name, %error, "the gateway of payouts refused a request about an account");
            Error::Internal
        }
    })
}
