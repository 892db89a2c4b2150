//! Gift cards: issued or bought, entered in a checkout, spent when it is paid, and given back.
//!
//! A card pays as a payment of its own, captured in the transaction that starts paying, so that whatever follows from payments
//! (the purchase, refunds, the return of what no purchase wants) follows from cards, too. The balance is guarded by its row.

mod entered;
mod gifts;
mod sold;

pub use entered::{apply, remove};
use gifts::{AddCard, code_of};
pub use gifts::{GiftCardNotice, send_due};
pub(crate) use gifts::{in_checkout, issue_in_tx, notification_data, of_cart, of_cart_in_tx, of_purchase};
pub use sold::{add_to_cart, offer, refund, remove_from_cart, resend, terms};

use crate::{
    Caller, Engine, TxResult, audit, bug, cart_codes,
    db::{Scalar, Tx},
    insert, ledger, params, random, rows, statements, update,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    checkout::CheckoutState,
    gift_cards::{
        AppliedGiftCard, CODE_LETTERS, GiftCardRefusal, GiftCardView, IssuedGiftCard, fold_code, grouped,
    },
    id::kinds::{CheckoutId, GiftCardId, PaymentId},
    ledger::{gift_card_issued, gift_card_spent},
    orders::NOTE_MAX,
    payments::{CollectedBy, MethodDeclaration, PaymentMethod},
    permissions::AdminPermission,
    text,
};

/// How long who issued a card can read its code.
const SHOWN_MS: i64 = 10 * 60_000;
/// How many cards an admin sees, newest first.
const LISTED: i64 = 200;

statements! {
    pub(crate) REMOVE = "DELETE FROM checkout_gift_cards WHERE checkout_id = $1 AND gift_card_id = $2";
    FIND = "SELECT id, last4, currency, issued_minor, balance_minor, reason, disabled, expires_at, created_at
        FROM gift_cards WHERE code_hash = $1";
    LIST = "SELECT k.id, k.last4, k.currency, k.issued_minor, k.balance_minor, k.reason, k.disabled, k.expires_at, k.created_at,
            k.refunded_at, u.number
        FROM gift_cards k LEFT JOIN checkout_gifts g ON g.id = k.gift_id LEFT JOIN purchases u ON u.checkout_id = g.checkout_id
        ORDER BY k.id DESC LIMIT $1";
    BY_ID = "SELECT id, last4, currency, issued_minor, balance_minor, reason, disabled, expires_at, created_at
        FROM gift_cards WHERE id = $1";
    ISSUED = "SELECT id AS value FROM gift_cards WHERE id = $1 AND issued_by = $2 AND created_at > $3";
    DISABLE = "UPDATE gift_cards SET disabled = $2, updated_at = $3 WHERE id = $1";
    // From here on, whatever else changes or pays the checkout waits.
    LOCK = "UPDATE checkouts SET updated_at = $2 WHERE id = $1 AND state IN ('open', 'paying')
        RETURNING state, total_minor - gifts_minor AS goods_minor, total_minor, gift_minor";
    DUE = "SELECT currency, total_minor - gifts_minor AS goods_minor, gift_minor FROM checkouts WHERE id = $1";
    OF_CHECKOUT = "SELECT g.id, g.last4, g.currency, g.balance_minor, g.disabled, g.expires_at, a.amount_minor
        FROM checkout_gift_cards a JOIN gift_cards g ON g.id = a.gift_card_id WHERE a.checkout_id = $1 ORDER BY a.created_at, g.id";
    CARRY = "INSERT INTO checkout_gift_cards (checkout_id, gift_card_id, amount_minor, created_at)
        SELECT $2, a.gift_card_id, 0, a.created_at FROM checkout_gift_cards a WHERE a.checkout_id = $1
        ON CONFLICT (checkout_id, gift_card_id) DO NOTHING";
    PLANNED = "UPDATE checkouts SET gift_minor = $2, quote_version = quote_version + $3 WHERE id = $1";
    // What is to be spent, unless an attempt to pay that is still in progress has spent it.
    TO_SPEND = "SELECT g.id, g.last4, g.currency, g.balance_minor, g.disabled, g.expires_at, a.amount_minor
        FROM checkout_gift_cards a JOIN gift_cards g ON g.id = a.gift_card_id
        WHERE a.checkout_id = $1 AND a.amount_minor > 0 AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.checkout_id = $1
            AND p.gift_card_id = g.id AND p.state = 'captured') ORDER BY g.id";
    SPEND = "UPDATE gift_cards SET balance_minor = balance_minor - $2, updated_at = $3
        WHERE id = $1 AND balance_minor >= $2 AND NOT disabled AND COALESCE(expires_at > $3, TRUE)";
    SPENT = "SELECT id AS value FROM payments WHERE checkout_id = $1 AND gift_card_id IS NOT NULL AND state = 'captured'
        ORDER BY id LIMIT 1";
    GIVE_BACK = "UPDATE gift_cards SET balance_minor = balance_minor + $2, updated_at = $3
        WHERE id = (SELECT p.gift_card_id FROM payments p WHERE p.id = $1)";
}

insert! {
    struct AddSpend<'a> into payments {
        id: PaymentId,
        method: PaymentMethod,
        gateway: &'static str,
        gateway_ref: &'a str,
        collected_by: CollectedBy,
        gift_card_id: GiftCardId,
        currency: Currency,
        amount_minor: i64,
        captured_minor: i64,
        check_at: i64,
        created_at: i64,
        updated_at: i64;
        checkout_id = "c.id",
        quote_version = "c.quote_version",
        state = "'captured'",
        on_page = "FALSE",
        refunded_minor = "0",
        refund_pending_minor = "0",
        fee_minor = "0",
        checks = "0",
    } => [checkout: CheckoutId] "given JOIN checkouts c ON c.id = given.checkout"
}

update! {
    struct SetAmount {
        checkout_id: CheckoutId,
        gift_card_id: GiftCardId,
        amount_minor: i64,
    } => "UPDATE checkout_gift_cards SET amount_minor = given.amount_minor FROM given
        WHERE checkout_gift_cards.checkout_id = given.checkout_id AND checkout_gift_cards.gift_card_id = given.gift_card_id"
}

rows! {
    pub(crate) struct CardRow {
        pub(crate) id: GiftCardId,
        last4: String,
        currency: Currency,
        issued_minor: i64,
        balance_minor: i64,
        reason: String,
        disabled: bool,
        expires_at: Option<i64>,
        created_at: i64,
    }

    struct AppliedRow {
        id: GiftCardId,
        last4: String,
        currency: Currency,
        balance_minor: i64,
        disabled: bool,
        expires_at: Option<i64>,
        amount_minor: i64,
    }

    pub(crate) struct Locked {
        state: CheckoutState,
        // What cards can pay: anything but gift cards.
        pub(crate) goods_minor: i64,
        pub(crate) total_minor: i64,
        pub(crate) gift_minor: i64,
    }

    struct DueRow {
        currency: Currency,
        goods_minor: i64,
        gift_minor: i64,
    }

    struct ListedRow {
        refunded_at: Option<i64>,
        number: Option<String>;
        card: CardRow
    }
}

impl CardRow {
    fn view(self, engine: &Engine, caller: &Caller) -> GiftCardView {
        GiftCardView {
            id: self.id,
            last4: self.last4,
            issued: Money::new(self.issued_minor, self.currency),
            balance: Money::new(self.balance_minor, self.currency),
            reason: self.reason,
            disabled: self.disabled,
            expired: self.expires_at.is_some_and(|at| at <= engine.clock.now_ms()),
            expires_at: self.expires_at.map(|at| caller.time(engine, at)),
            created_at: caller.time(engine, self.created_at),
            purchase: None,
            refunded: false,
        }
    }

    /// Why the card can't pay in a currency, if so.
    pub(crate) fn refusal(&self, currency: Currency, now: i64) -> Option<GiftCardRefusal> {
        refusal((self.disabled, self.expires_at), (self.currency, currency), self.balance_minor, now)
    }
}

impl AppliedRow {
    fn view(self) -> AppliedGiftCard {
        let amount = Money::new(self.amount_minor, self.currency);
        AppliedGiftCard { id: self.id, last4: self.last4, amount }
    }

    fn refusal(&self, currency: Currency, now: i64) -> Option<GiftCardRefusal> {
        refusal((self.disabled, self.expires_at), (self.currency, currency), self.balance_minor, now)
    }
}

fn refusal(
    (disabled, expires_at): (bool, Option<i64>),
    (of_card, to_pay): (Currency, Currency),
    balance_minor: i64,
    now: i64,
) -> Option<GiftCardRefusal> {
    match () {
        () if disabled => Some(GiftCardRefusal::Disabled),
        () if expires_at.is_some_and(|at| at <= now) => Some(GiftCardRefusal::Expired),
        () if of_card != to_pay => Some(GiftCardRefusal::OtherCurrency),
        () if balance_minor == 0 => Some(GiftCardRefusal::UsedUp),
        () => None,
    }
}

/// Issues a card by hand: the market gives it away. Only the response contains its code.
pub async fn issue(
    engine: &Engine,
    caller: &Caller,
    amount: Money,
    reason: &str,
    expires_at: Option<i64>,
) -> Result<IssuedGiftCard> {
    caller.admin(AdminPermission::ManagePayments)?;
    let reason = text::line("reason", reason, NOTE_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    if reason.is_empty() {
        return Err(Error::field("reason", FieldCode::Missing));
    }
    let now = engine.clock.now_ms();
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Error::field("expires_on", FieldCode::TooSmall));
    }
    if amount.amount() <= 0 {
        return Err(Error::field("amount", FieldCode::TooSmall));
    }
    if amount.amount() > haat_shared::money::PRICE_MAX {
        return Err(Error::field("amount", FieldCode::TooBig));
    }
    if !engine.currencies.contains(&amount.currency()) {
        return Err(Error::field("currency", FieldCode::NotAChoice));
    }
    let id: GiftCardId = random::id(now);
    let code = code_of(&engine.secret, id);
    let input = (id, code.clone(), (amount, reason, expires_at), caller.user_id(), now);
    engine
        .db
        .write(("gift_cards::issue", id), input, |tx, (id, code, (amount, reason, expires_at), user, now)| {
            Box::pin(async move {
                tx.insert(AddCard {
                    id: *id,
                    code_hash: &random::token_hash(code),
                    last4: &code[CODE_LETTERS - 4..],
                    currency: amount.currency(),
                    issued_minor: amount.amount(),
                    balance_minor: amount.amount(),
                    reason,
                    issued_by: *user,
                    expires_at: *expires_at,
                    gift_id: None,
                    send_at: None,
                    mailed_at: None,
                    mails: 0,
                    created_at: *now,
                    updated_at: *now,
                })
                .await?;
                audit::write(tx, *user, "gift_cards::issue", *id, reason, *now).await?;
                ledger::post(
                    tx,
                    &[(gift_card_issued(*amount)?, ledger::Reference::new(id.uuid(), None))],
                    *now,
                )
                .await
            })
        })
        .await?;
    Ok(IssuedGiftCard { id, code: grouped(&code) })
}

/// When a card expires whose last day is this one, in the market's time zone. Without a day, it doesn't.
pub fn expiry(engine: &Engine, expires_on: &str) -> Result<Option<i64>> {
    match expires_on.trim() {
        "" => Ok(None),
        typed => {
            let day = text::day(typed).ok_or_else(|| Error::field("expires_on", FieldCode::NotDate))?;
            Ok(Some(engine.zone.begins(day + 1)))
        }
    }
}

/// The code of a card, once more: for who issued it, within ten minutes.
pub async fn issued(engine: &Engine, caller: &Caller, id: GiftCardId) -> Result<String> {
    caller.admin(AdminPermission::ManagePayments)?;
    let since = engine.clock.now_ms() - SHOWN_MS;
    let own: Option<Scalar<GiftCardId>> =
        engine.db.opt(&ISSUED, params![id, caller.user_id(), since]).await?;
    let id = own.ok_or(Error::NotFound)?.0;
    Ok(grouped(&code_of(&engine.secret, id)))
}

/// All cards, newest first, without their codes.
pub async fn list(engine: &Engine, caller: &Caller) -> Result<Vec<GiftCardView>> {
    caller.admin(AdminPermission::SeePayments)?;
    let cards: Vec<ListedRow> = engine.db.all(&LIST, params![LISTED]).await?;
    let view = |ListedRow { refunded_at, number, card }| GiftCardView {
        purchase: number,
        refunded: refunded_at.is_some(),
        ..card.view(engine, caller)
    };
    Ok(cards.into_iter().map(view).collect())
}

/// The latest cards, the currencies in which they can be issued, and the code of the one that was just issued.
pub async fn page(
    engine: &Engine,
    caller: &Caller,
    issued: Option<GiftCardId>,
) -> Result<(Vec<GiftCardView>, Vec<Currency>, Option<String>)> {
    let cards = list(engine, caller).await?;
    let code = match issued {
        Some(id) => self::issued(engine, caller, id).await.ok(),
        None => None,
    };
    Ok((cards, engine.currencies.clone(), code))
}

/// Stops a card from paying, or lets it pay again. Its balance stays.
pub async fn disable(engine: &Engine, caller: &Caller, id: GiftCardId, disabled: bool) -> Result<()> {
    caller.admin(AdminPermission::ManagePayments)?;
    let input = (id, disabled, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("gift_cards::disable", id), input, |tx, (id, disabled, user, now)| {
            Box::pin(async move {
                if tx.exec(&DISABLE, params![*id, *disabled, *now]).await? == 0 {
                    return Err(Error::NotFound.into());
                }
                let action = if *disabled { "gift_cards::disable" } else { "gift_cards::enable" };
                audit::write(tx, *user, action, *id, "", *now).await
            })
        })
        .await?;
    Ok(())
}

/// A card by its code. Attempts are counted, so that codes can't be guessed.
pub(crate) async fn by_code(engine: &Engine, caller: &Caller, typed: &str) -> Result<CardRow> {
    let code = fold_code(typed);
    if code.is_empty() {
        return Err(Error::field("code", FieldCode::Missing));
    }
    cart_codes::count_attempt(engine, caller).await?;
    let card = engine.db.opt(&FIND, params![&random::token_hash(&code)[..]]).await?;
    card.ok_or(Error::Conflict(Conflict::GiftCard(GiftCardRefusal::Unknown)))
}

/// The balance of a card, for whoever has its code.
pub async fn balance(engine: &Engine, caller: &Caller, code: &str) -> Result<GiftCardView> {
    Ok(for_holder(by_code(engine, caller, code).await?.view(engine, caller)))
}

// What admins wrote isn't for holders.
fn for_holder(card: GiftCardView) -> GiftCardView {
    GiftCardView { reason: String::new(), ..card }
}

/// What a link to the balance of a card consists of, so that its URL doesn't have the code.
pub async fn link(engine: &Engine, caller: &Caller, code: &str) -> Result<(GiftCardId, String)> {
    let id = by_code(engine, caller, code).await?.id;
    Ok((id, engine.secret.sign("gift_card", &id.to_string())))
}

/// The balance of a card, for whoever has the link to it.
pub async fn by_link(engine: &Engine, caller: &Caller, id: GiftCardId, key: &str) -> Result<GiftCardView> {
    if !engine.secret.verify("gift_card", &id.to_string(), key) {
        return Err(Error::NotFound);
    }
    let card: Option<CardRow> = engine.db.opt(&BY_ID, params![id]).await?;
    Ok(for_holder(card.ok_or(Error::NotFound)?.view(engine, caller)))
}

/// Locks a checkout, for a change. Nothing changes while a payment is in progress.
pub(crate) async fn lock_in_tx(tx: &mut Tx, id: CheckoutId, now: i64) -> TxResult<Locked> {
    let checkout: Locked = tx.opt(&LOCK, params![id, now]).await?.ok_or(Conflict::CheckoutEnded)?;
    match checkout.state {
        CheckoutState::Paying => Err(Conflict::PaymentInProgress.into()),
        _ => Ok(checkout),
    }
}

/// Decides what each card of a checkout will pay: in the order in which they were entered, as much as is left on it and of the
/// total. Cards that can't pay any more are removed. The shopper sees these amounts before paying, so if they change, so does the
/// version of the quote, unless the caller has changed it. The caller has locked the checkout. Returns how many cards there are, and
/// what they pay together.
pub(crate) async fn plan_in_tx(
    tx: &mut Tx,
    id: CheckoutId,
    new_version: bool,
    now: i64,
) -> TxResult<(usize, i64)> {
    let due: DueRow = tx.opt(&DUE, params![id]).await?.ok_or(Error::NotFound)?;
    let cards: Vec<AppliedRow> = tx.all(&OF_CHECKOUT, params![id]).await?;
    let (mut rest, mut planned, mut changed) = (due.goods_minor, Vec::new(), false);
    for card in cards {
        if card.refusal(due.currency, now).is_some() {
            tx.exec(&REMOVE, params![id, card.id]).await?;
            changed |= card.amount_minor > 0;
            continue;
        }
        let amount_minor = rest.min(card.balance_minor);
        rest -= amount_minor;
        changed |= amount_minor != card.amount_minor;
        planned.push(SetAmount { checkout_id: id, gift_card_id: card.id, amount_minor });
    }
    let (count, gift_minor) = (planned.len(), due.goods_minor - rest);
    if changed || gift_minor != due.gift_minor {
        tx.update_all(planned).await?;
        tx.exec(&PLANNED, params![id, gift_minor, i64::from(new_version)]).await?;
    }
    Ok((count, gift_minor))
}

/// After a card could not pay what it had promised: decides anew, so that the shopper sees what it can pay now.
pub(crate) async fn plan_again(engine: &Engine, id: CheckoutId) -> Result<()> {
    let input = (id, engine.clock.now_ms());
    engine
        .db
        .write(("gift_cards::plan", id), input, |tx, (id, now)| {
            Box::pin(async move {
                lock_in_tx(tx, *id, *now).await?;
                plan_in_tx(tx, *id, true, *now).await
            })
        })
        .await?;
    Ok(())
}

/// Enters the cards of a checkout in another one that replaces it.
pub(crate) async fn carry_in_tx(tx: &mut Tx, from: CheckoutId, to: CheckoutId, now: i64) -> TxResult<()> {
    tx.exec(&CARRY, params![from, to]).await?;
    plan_in_tx(tx, to, false, now).await?;
    Ok(())
}

/// The cards of a checkout, and what each will pay.
pub(crate) async fn of_checkout(engine: &Engine, id: CheckoutId) -> Result<Vec<AppliedGiftCard>> {
    let cards: Vec<AppliedRow> = engine.db.all(&OF_CHECKOUT, params![id]).await?;
    Ok(cards.into_iter().map(AppliedRow::view).collect())
}

/// The same as a purchase keeps them: JSON.
pub(crate) async fn paid_in_tx(tx: &mut Tx, id: CheckoutId) -> TxResult<String> {
    let cards: Vec<AppliedRow> = tx.all(&OF_CHECKOUT, params![id]).await?;
    let paid = cards.into_iter().filter(|card| card.amount_minor > 0).map(AppliedRow::view);
    serde_json::to_string(&paid.collect::<Vec<_>>()).map_err(|error| bug(error.to_string()))
}

/// Spends the cards of a checkout that is being paid: what each was to pay, or nothing of any. Returns one of the payments.
pub(crate) async fn spend_in_tx(tx: &mut Tx, id: CheckoutId, check_at: i64, now: i64) -> TxResult<PaymentId> {
    let cards: Vec<AppliedRow> = tx.all(&TO_SPEND, params![id]).await?;
    let (mut spends, mut postings, mut refs) = (Vec::new(), Vec::new(), Vec::new());
    let MethodDeclaration { code, gateway, collected_by } = PaymentMethod::GiftCard.declared();
    for card in &cards {
        if tx.exec(&SPEND, params![card.id, card.amount_minor, now]).await? == 0 {
            let why = card.refusal(card.currency, now).unwrap_or(GiftCardRefusal::Changed);
            return Err(Conflict::GiftCard(why).into());
        }
        let payment: PaymentId = random::id(now);
        refs.push((payment, payment.to_string()));
        postings.push((gift_card_spent(Money::new(card.amount_minor, card.currency))?, payment));
    }
    for (card, (payment, gateway_ref)) in cards.iter().zip(&refs) {
        spends.push(AddSpend {
            id: *payment,
            method: code,
            gateway,
            gateway_ref,
            collected_by,
            gift_card_id: card.id,
            currency: card.currency,
            amount_minor: card.amount_minor,
            captured_minor: card.amount_minor,
            check_at,
            created_at: now,
            updated_at: now,
            checkout: id,
        });
    }
    tx.insert_all(spends).await?;
    ledger::post(tx, &postings, now).await?;
    match refs.first() {
        Some((payment, _)) => Ok(*payment),
        // An earlier attempt to pay has spent them.
        None => {
            let spent: Option<Scalar<PaymentId>> = tx.opt(&SPENT, params![id]).await?;
            Ok(spent.ok_or_else(|| bug("a checkout with gift cards that don't pay"))?.0)
        }
    }
}

/// A refund goes back to the card of its payment. A card that is disabled or has expired gets it, too: the market still owes it.
pub(crate) async fn give_back_in_tx(
    tx: &mut Tx,
    payment: PaymentId,
    amount_minor: i64,
    now: i64,
) -> TxResult<()> {
    match tx.exec(&GIVE_BACK, params![payment, amount_minor, now]).await? {
        1 => Ok(()),
        _ => Err(bug("a refund to a gift card that doesn't exist")),
    }
}
