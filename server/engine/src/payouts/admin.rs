//! What admins do with payouts. Each step begins with a guarded change of the payout's row, so that one of several
//! concurrent admins wins, and is in the audit log.

use super::{
    PayoutRow, request_by,
    transfer::{CHECK_MS, take_back},
};
use crate::{
    Caller, Engine, TxResult, audit,
    bus::Topic,
    cursor,
    db::{CountRow, Scalar, Tx, Value, list::words},
    ledger, lists, outbox,
    outbox::OutboxMessage,
    params, rows, statements,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    id::kinds::{Payout, PayoutId, ShopId, UserId},
    ledger::{payout_paid, payout_rejected, payout_returned},
    page::{self, Counted, ListRequest, Page, PageRequest},
    payouts::{
        AdminPayoutCard, AdminPayouts, PayoutDetails, PayoutForm, PayoutState, number_searched, reason,
        reference,
    },
    permissions::AdminPermission,
};

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

lists! {
    ALL {
        select: "SELECT p.id, p.number, p.state, p.currency, p.amount_minor, m.kind, m.masked, p.reference, p.reason, p.requested_at,
                p.approved_at, p.sent_at, p.paid_at, p.ended_at, s.handle, s.name, m.holder, p.gateway_note, p.transfer_open, p.requested_by AS requester,
                u.email AS requested_by, a.email AS approved_by, b.email AS sent_by, c.email AS paid_by, e.email AS ended_by
            FROM payouts p JOIN payout_methods m ON m.id = p.method_id JOIN shops s ON s.id = p.shop_id
            JOIN users u ON u.id = p.requested_by LEFT JOIN users a ON a.id = p.approved_by
            LEFT JOIN users b ON b.id = p.sent_by LEFT JOIN users c ON c.id = p.paid_by LEFT JOIN users e ON e.id = p.ended_by",
        base_filter: "TRUE",
        filters: &[
            ("state", "p.state = {}"),
            ("id", "p.id = {}"),
            ("word", r"s.search_folded || ' ' || LOWER(p.number || ' ' || p.reference) LIKE {} ESCAPE '\'"),
        ],
        sorts: &[("newest", "p.id < {}", "p.id DESC")],
    }
}

statements! {
    SHOP = "SELECT id AS value FROM shops WHERE handle = $1";
    // Whoever requested a payout can't approve it.
    APPROVE = "UPDATE payouts SET state = 'approved', approved_by = $3, approved_at = $2,
            transfer_at = CASE WHEN gateway IS NULL THEN transfer_at ELSE $4 END
        WHERE id = $1 AND state = 'requested' AND COALESCE(requested_by <> $3, TRUE)
        RETURNING shop_id, currency, amount_minor, paid_at, gateway";
    // Only the gateway can say what becomes of what it transfers.
    SEND = "UPDATE payouts SET state = 'sent', reference = $4, sent_by = $3, sent_at = $2
        WHERE id = $1 AND state = 'approved' AND gateway IS NULL
        RETURNING shop_id, currency, amount_minor, paid_at, gateway";
    PAY = "UPDATE payouts SET state = 'paid', paid_by = $3, paid_at = $2 WHERE id = $1 AND state = 'sent'
        RETURNING shop_id, currency, amount_minor, paid_at, gateway";
    REJECT = "UPDATE payouts SET state = 'rejected', reason = $4, ended_by = $3, ended_at = $2, transfer_at = NULL
        WHERE id = $1 AND state IN ('requested', 'approved') AND NOT transfer_open
        RETURNING shop_id, currency, amount_minor, paid_at, gateway";
    RETURN = "UPDATE payouts SET state = 'returned', reason = $4, ended_by = $3, ended_at = $2
        WHERE id = $1 AND state IN ('sent', 'paid') AND gateway IS NULL
        RETURNING shop_id, currency, amount_minor, paid_at, gateway";
    STATE = "SELECT state AS value FROM payouts WHERE id = $1";
}

rows! {
    struct AdminRow {
        handle: String,
        name: String,
        holder: String,
        gateway_note: String,
        transfer_open: bool,
        requester: UserId,
        requested_by: String,
        approved_by: Option<String>,
        sent_by: Option<String>,
        paid_by: Option<String>,
        ended_by: Option<String>;
        payout: PayoutRow
    }

    struct Moved {
        shop_id: ShopId,
        currency: Currency,
        amount_minor: i64,
        paid_at: Option<i64>,
        gateway: Option<String>,
    }
}

impl AdminRow {
    fn shown(self, engine: &Engine, caller: &Caller) -> AdminPayoutCard {
        AdminPayoutCard {
            payout: self.payout.shown(engine, caller),
            shop_handle: self.handle,
            shop_name: self.name,
            holder: self.holder,
            requested_by: self.requested_by,
            approved_by: self.approved_by,
            sent_by: self.sent_by,
            paid_by: self.paid_by,
            ended_by: self.ended_by,
            gateway_note: self.gateway_note,
            unconfirmed: self.transfer_open,
        }
    }
}

/// The payouts of all shops, newest first, or those in one state.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    state: &str,
    of: impl Into<PageRequest<'_>>,
) -> Result<Page<AdminPayoutCard>> {
    found(engine, caller, Vec::new(), state, of.into()).await
}

async fn found(
    engine: &Engine,
    caller: &Caller,
    words: Vec<(&'static str, Value)>,
    state: &str,
    of: PageRequest<'_>,
) -> Result<Page<AdminPayoutCard>> {
    caller.admin(AdminPermission::SeePayouts)?;
    let mut filters = words;
    match (state, PayoutState::parse(state)) {
        ("", _) => {}
        (_, Some(state)) => filters.push(("state", state.as_str().into())),
        _ => return Err(Error::field("state", FieldCode::NotAChoice)),
    }
    let (after, size) = (cursor::<Payout>(of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let rows: Vec<AdminRow> = engine.db.list(ALL.bind(filters, "newest", after, size + 1)).await?;
    Ok(Page::cut(rows, size, |row| row.payout.id.to_string()).map(|row| row.shown(engine, caller)))
}

/// The same by the name or handle of the shop, the number of the payout or the bank's reference, with the number of payouts
/// in each state among those found.
pub async fn table(engine: &Engine, caller: &Caller, of: &ListRequest) -> Result<Counted<AdminPayoutCard>> {
    caller.admin(AdminPermission::SeePayouts)?;
    let asked: Vec<_> = of.q.split_whitespace().collect();
    let asked = asked.into_iter().map(|word| number_searched(word).unwrap_or_else(|| word.to_owned()));
    let words = words(&asked.collect::<Vec<_>>().join(" "))?;
    let page = found(engine, caller, words.clone(), &of.state, of.into()).await?;
    Ok(CountRow::with(engine.db.list(ALL.count_by("state", words)).await?, page))
}

/// The same with what else the page shows.
pub async fn admin_page(engine: &Engine, caller: &Caller, of: &ListRequest) -> Result<AdminPayouts> {
    let table = table(engine, caller, of).await?;
    Ok(AdminPayouts { table, has_bank_file: engine.payouts.payer.is_some() })
}

/// A payout of any shop.
pub async fn any(engine: &Engine, caller: &Caller, id: PayoutId) -> Result<PayoutDetails> {
    caller.admin(AdminPermission::SeePayouts)?;
    let rows: Vec<AdminRow> = engine.db.list(ALL.bind(vec![("id", id.into())], "newest", None, 1)).await?;
    let row = rows.into_iter().next().ok_or(Error::NotFound)?;
    let own = caller.user_id() == Some(row.requester);
    Ok(PayoutDetails { card: row.shown(engine, caller), own })
}

/// Requests a payout on behalf of a shop. Another admin has to approve it.
pub async fn request_for(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    form: &PayoutForm,
    key: &str,
) -> Result<PayoutId> {
    caller.admin(AdminPermission::ManagePayouts)?;
    let by = caller.signed_in()?.id;
    let shop: Scalar<ShopId> = engine.db.opt(&SHOP, params![handle]).await?.ok_or(Error::NotFound)?;
    request_by(engine, shop.0, by, form, key).await
}

/// What an admin does with a payout.
#[derive(Debug, Clone)]
enum Step {
    Approve,
    Send(String),
    Pay,
    Reject(String),
    Return(String),
}

/// Approves a payout. Only someone else than who requested it can do so.
pub async fn approve(engine: &Engine, caller: &Caller, id: PayoutId) -> Result<()> {
    step(engine, caller, id, Step::Approve).await
}

/// Records that a payout was handed to the bank, with the bank's reference.
pub async fn mark_sent(engine: &Engine, caller: &Caller, id: PayoutId, typed: &str) -> Result<()> {
    caller.admin(AdminPermission::ManagePayouts)?;
    let reference = reference(typed).map_err(|fault| Error::Invalid(vec![fault]))?;
    step(engine, caller, id, Step::Send(reference)).await
}

/// Records that the shop received a payout.
pub async fn mark_paid(engine: &Engine, caller: &Caller, id: PayoutId) -> Result<()> {
    step(engine, caller, id, Step::Pay).await
}

/// Rejects a payout that was not sent: the shop can withdraw the money again.
pub async fn reject(engine: &Engine, caller: &Caller, id: PayoutId, why: &str) -> Result<()> {
    caller.admin(AdminPermission::ManagePayouts)?;
    let reason = reason(why).map_err(|fault| Error::Invalid(vec![fault]))?;
    step(engine, caller, id, Step::Reject(reason)).await
}

/// Records that the bank returned a payout, or has the gateway take its transfer back: the shop can withdraw the money again.
pub async fn mark_returned(engine: &Engine, caller: &Caller, id: PayoutId, why: &str) -> Result<()> {
    caller.admin(AdminPermission::ManagePayouts)?;
    let reason = reason(why).map_err(|fault| Error::Invalid(vec![fault]))?;
    if take_back(engine, caller.user_id(), id, &reason).await? {
        return Ok(());
    }
    step(engine, caller, id, Step::Return(reason)).await
}

async fn step(engine: &Engine, caller: &Caller, id: PayoutId, step: Step) -> Result<()> {
    caller.admin(AdminPermission::ManagePayouts)?;
    let input = (id, caller.user_id(), step, engine.clock.now_ms());
    engine
        .db
        .write(("payouts::step", id), input, |tx, (id, by, step, now)| {
            Box::pin(step_in_tx(tx, *id, *by, step, *now))
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

async fn step_in_tx(tx: &mut Tx, id: PayoutId, by: Option<UserId>, step: &Step, now: i64) -> TxResult<()> {
    let moved: Option<Moved> = match step {
        Step::Approve => tx.opt(&APPROVE, params![id, now, by, now + CHECK_MS]).await?,
        Step::Send(reference) => tx.opt(&SEND, params![id, now, by, reference]).await?,
        Step::Pay => tx.opt(&PAY, params![id, now, by]).await?,
        Step::Reject(reason) => tx.opt(&REJECT, params![id, now, by, reason]).await?,
        Step::Return(reason) => tx.opt(&RETURN, params![id, now, by, reason]).await?,
    };
    let Some(Moved { shop_id, currency, amount_minor, paid_at, gateway }) = moved else {
        let state: Option<Scalar<PayoutState>> = tx.opt(&STATE, params![id]).await?;
        let state = state.ok_or(Error::NotFound)?.0;
        return Err(match (step, state) {
            (Step::Approve, PayoutState::Requested) => Conflict::OwnPayout.into(),
            _ => Conflict::PayoutMoved.into(),
        });
    };
    let amount = Money::new(amount_minor, currency);
    let (action, note, message, posting) = match step {
        Step::Approve => ("payouts::approve", "", gateway.map(|_| OutboxMessage::PayoutApproved), None),
        Step::Send(reference) => ("payouts::send", reference.as_str(), Some(OutboxMessage::PayoutSent), None),
        Step::Pay => ("payouts::pay", "", None, Some(payout_paid(amount)?)),
        Step::Reject(reason) => (
            "payouts::reject",
            reason.as_str(),
            Some(OutboxMessage::PayoutRejected),
            Some(payout_rejected(shop_id, amount)?),
        ),
        Step::Return(reason) => (
            "payouts::return",
            reason.as_str(),
            Some(OutboxMessage::PayoutReturned),
            Some(payout_returned(shop_id, amount, paid_at.is_some())?),
        ),
    };
    audit::write(tx, by, action, id, note, now).await?;
    let messages: Vec<_> = message.into_iter().map(|message| outbox::row(message, id, now)).collect();
    tx.exec_many(&outbox::WRITE, &messages).await?;
    let postings: Vec<_> = posting.into_iter().map(|posting| (posting, id)).collect();
    ledger::post(tx, &postings, now).await
}
