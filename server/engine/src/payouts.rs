//! Payouts: shops withdraw what they have earned to a bank account, to PayPal or to an account at a gateway.
//!
//! A request moves the money in the ledger at once, under the guard of the shop's balance, so that nothing can be
//! withdrawn twice. Admins approve it. Then a gateway transfers it, or they hand it to the bank and book what became of it.

mod admin;
mod bank_file;
mod connect;
mod methods;
mod transfer;

pub use admin::{
    admin_page, any, approve, list, mark_paid, mark_returned, mark_sent, reject, request_for, table,
};
pub use bank_file::{as_csv, as_pain_001};
pub(crate) use connect::account_reported;
pub use connect::{EXPIRED, Onboarding, connect, connect_returned, connects};
pub use methods::{add_method, methods, remove_method};
pub(crate) use transfer::transfer_reported;
pub use transfer::{follow_transfer, follow_transfers, retry_transfer};

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Caller, Engine, TxResult, cursor,
    db::{Scalar, Tx},
    idempotency::{self, Claim, IdempotencyKey},
    insert,
    ledger::{self, available_in_tx, take_in_tx},
    lists, params, random, rows, statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Id, Money, Result,
    id::kinds::{Job, Payout, PayoutId, PayoutMethodId, ShopId, UserId},
    ledger::payout_requested,
    page::{self, Page, PageRequest},
    payouts::{
        NewPayout, PayoutCard, PayoutForm, PayoutMethodKind, PayoutState, ShopPayouts, bank_file::Payer,
        number,
    },
    permissions::Permission,
};

/// The terms of payouts.
#[derive(Debug, Clone)]
pub struct PayoutTerms {
    /// The least that can be withdrawn, in whole units of the market's currency.
    pub minimum: i64,
    /// How long a new payout method has to wait until payouts can use it.
    pub hold_ms: i64,
    /// The bank account that payouts are made from; `None` if there is no file for its bank.
    pub payer: Option<Payer>,
}

/// The number of rows per page.
const PAGE_SIZE: usize = 20;

lists! {
    OF_SHOP {
        select: "SELECT p.id, p.number, p.state, p.currency, p.amount_minor, m.kind, m.masked, p.reference, p.reason, p.requested_at,
                p.approved_at, p.sent_at, p.paid_at, p.ended_at
            FROM payouts p JOIN payout_methods m ON m.id = p.method_id",
        base_filter: "TRUE",
        filters: &[("shop", "p.shop_id = {}")],
        sorts: &[("newest", "p.id < {}", "p.id DESC")],
    }
}

statements! {
    CURRENCY = "SELECT currency AS value FROM shops WHERE id = $1";
    // Those who request payouts at once wait here, so that numbers have no gaps.
    NEXT_NUMBER = "INSERT INTO payout_numbers (id, last) VALUES (1, 1)
        ON CONFLICT (id) DO UPDATE SET last = payout_numbers.last + 1 RETURNING last AS value";
    NOTIFIED = "SELECT p.id, p.number, s.name, s.handle, m.masked, p.currency, p.amount_minor, p.reference, p.reason, m.usable_at
        FROM payouts p JOIN payout_methods m ON m.id = p.method_id JOIN shops s ON s.id = p.shop_id
        WHERE p.id IN (SELECT subject FROM notifications WHERE claim = $1 AND kind LIKE 'payout%')
        UNION ALL SELECT m.id, '' AS number, s.name, s.handle, m.masked, s.currency, 0 AS amount_minor, '' AS reference, '' AS reason, m.usable_at
        FROM payout_methods m JOIN shops s ON s.id = m.shop_id
        WHERE m.id IN (SELECT subject FROM notifications WHERE claim = $1 AND kind LIKE 'payout_method%')";
}

insert! {
    struct AddPayout into payouts {
        id: PayoutId,
        number: String,
        shop_id: ShopId,
        method_id: PayoutMethodId,
        currency: Currency,
        amount_minor: i64,
        requested_by: UserId,
        requested_at: i64;
        state = "'requested'",
        gateway = "CASE WHEN m.kind = 'stripe' THEN given.connect END",
    } => [connect: &'static str] "given JOIN payout_methods m ON m.id = given.method_id AND m.shop_id = given.shop_id AND m.removed_at IS NULL
            AND m.usable_at <= given.requested_at AND (m.kind <> 'stripe' OR (m.payouts_enabled AND given.connect <> ''))"
}

rows! {
    struct PayoutRow {
        id: PayoutId,
        number: String,
        state: PayoutState,
        currency: Currency,
        amount_minor: i64,
        kind: PayoutMethodKind,
        masked: String,
        reference: String,
        reason: String,
        requested_at: i64,
        approved_at: Option<i64>,
        sent_at: Option<i64>,
        paid_at: Option<i64>,
        ended_at: Option<i64>,
    }

    struct NotifiedRow {
        id: Uuid,
        number: String,
        name: String,
        handle: String,
        masked: String,
        currency: Currency,
        amount_minor: i64,
        reference: String,
        reason: String,
        usable_at: i64,
    }
}

impl PayoutRow {
    fn shown(self, engine: &Engine, caller: &Caller) -> PayoutCard {
        let time = |at: Option<i64>| at.map(|at| caller.time(engine, at));
        PayoutCard {
            id: self.id,
            number: self.number,
            state: self.state,
            amount: Money::new(self.amount_minor, self.currency),
            kind: self.kind,
            account: self.masked,
            reference: self.reference,
            reason: self.reason,
            requested_at: caller.time(engine, self.requested_at),
            approved_at: time(self.approved_at),
            sent_at: time(self.sent_at),
            paid_at: time(self.paid_at),
            ended_at: time(self.ended_at),
        }
    }
}

/// The least that can be withdrawn, in the market's currency.
fn minimum(engine: &Engine) -> Result<Money> {
    let unit = 10i64.pow(engine.currency.decimals());
    Ok(Money::new(engine.payouts.minimum, engine.currency).times(unit)?)
}

/// A shop's payouts, newest first, for members who may see its money.
pub async fn of_shop(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    of: impl Into<PageRequest<'_>>,
) -> Result<Page<PayoutCard>> {
    let (shop, of) = (caller.shop(handle, Permission::SeeMoney)?, of.into());
    let (after, size) = (cursor::<Payout>(of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let filters = vec![("shop", shop.into())];
    let rows: Vec<PayoutRow> = engine.db.list(OF_SHOP.bind(filters, "newest", after, size + 1)).await?;
    Ok(Page::cut(rows, size, |row| row.id.to_string()).map(|row| row.shown(engine, caller)))
}

/// The same with what the page needs to request a payout.
pub async fn shop_page(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    of: impl Into<PageRequest<'_>>,
) -> Result<ShopPayouts> {
    Ok(ShopPayouts {
        minimum: minimum(engine)?,
        key: random::token(),
        methods: methods(engine, caller, handle).await?,
        connects: connects(engine),
        payouts: of_shop(engine, caller, handle, of).await?,
    })
}

/// Requests a payout: the money is in transit from now on. Repeating it with the same key changes nothing. For
/// members who may see the shop's money.
pub async fn request(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    form: &PayoutForm,
    key: &str,
) -> Result<PayoutId> {
    let (shop, by) = (caller.shop(handle, Permission::SeeMoney)?, caller.signed_in()?.id);
    request_by(engine, shop, by, form, key).await
}

async fn request_by(
    engine: &Engine,
    shop: ShopId,
    by: UserId,
    form: &PayoutForm,
    key: &str,
) -> Result<PayoutId> {
    let own: Scalar<Currency> = engine.db.opt(&CURRENCY, params![shop]).await?.ok_or(Error::NotFound)?;
    let new = form.check(own.0, minimum(engine)?).map_err(Error::Invalid)?;
    let body = format!("{} {}", new.amount, new.method);
    // The shop's, so that a second click by someone else of its members is no second payout either.
    let key = IdempotencyKey::new(shop, "payouts::request", key, &body);
    let connect = engine.connect().map_or("", |(name, _)| name);
    let input = (shop, by, new, key, (connect, engine.clock.now_ms()));
    let id = engine
        .db
        .write(("payouts::request", shop), input, |tx, (shop, by, new, key, (connect, now))| {
            Box::pin(request_in_tx(tx, *shop, *by, new, key, (connect, *now)))
        })
        .await?;
    Ok(id)
}

async fn request_in_tx(
    tx: &mut Tx,
    shop: ShopId,
    by: UserId,
    new: &NewPayout,
    key: &IdempotencyKey,
    (connect, now): (&'static str, i64),
) -> TxResult<PayoutId> {
    let id: PayoutId = match idempotency::begin_in_tx(tx, key, now).await? {
        Claim::Mine(id) => id,
        Claim::Done(id) => return Ok(id.parse::<PayoutId>().map_err(Error::from)?),
    };
    let NewPayout { amount, method } = *new;
    let last: Option<Scalar<i64>> = tx.opt(&NEXT_NUMBER, params![]).await?;
    let row = AddPayout {
        id,
        number: number(last.map_or(1, |last| last.0)),
        shop_id: shop,
        method_id: method,
        currency: amount.currency(),
        amount_minor: amount.amount(),
        requested_by: by,
        requested_at: now,
        connect,
    };
    if !tx.insert(row).await? {
        // Of another shop, removed, too new, or restricted by the gateway.
        return Err(Error::field("method", FieldCode::NotAChoice).into());
    }
    ledger::post(tx, &[(payout_requested(shop, amount)?, id)], now).await?;
    idempotency::end_in_tx(tx, key, &id.to_string()).await?;
    // Last, because other requests wait for this row. If there is too little, nothing of this stays.
    if !take_in_tx(tx, shop, amount).await? {
        let available = available_in_tx(tx, shop, amount.currency()).await?;
        let most = Money::new(available.amount().max(0), amount.currency());
        return Err(Error::field("amount", FieldCode::AmountTooBig(most)).into());
    }
    Ok(id)
}

/// What an email says of a payout or a payout method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutNotice {
    /// The payout's number; empty for a method.
    pub number: String,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// The amount; zero for a method.
    pub amount: Money,
    /// The account, masked.
    pub account: String,
    /// The bank's reference. May be empty.
    pub reference: String,
    /// Why it was rejected or returned. May be empty.
    pub reason: String,
    /// When payouts can use the method: RFC 3339.
    pub usable_at: String,
}

/// The payouts and methods that a batch of notifications is about.
pub(crate) async fn notification_data(
    engine: &Engine,
    reader: &Caller,
    claim: Id<Job>,
) -> Result<HashMap<Uuid, PayoutNotice>> {
    let rows: Vec<NotifiedRow> = engine.db.all(&NOTIFIED, params![claim]).await?;
    let notice = |row: NotifiedRow| {
        let notice = PayoutNotice {
            number: row.number,
            shop_name: row.name,
            shop_handle: row.handle,
            amount: Money::new(row.amount_minor, row.currency),
            account: row.masked,
            reference: row.reference,
            reason: row.reason,
            usable_at: reader.time(engine, row.usable_at),
        };
        (row.id, notice)
    };
    Ok(rows.into_iter().map(notice).collect())
}
