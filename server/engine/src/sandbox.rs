//! The sandbox gateway's records, in tables of its own, so that they survive a crash. Only
//! `haat_gateways::sandbox` uses them, and the oracle, which compares them with the market's; no use case
//! does.

use crate::{
    Clock, Db, TxResult,
    db::{Scalar, Tx},
    insert, params,
    payments::{PaymentRequest, RefundRequest},
    random, rows, statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result,
    id::kinds::{PaymentId, RefundId},
};
use uuid::Uuid;

statements! {
    BY_ATTEMPT = "SELECT gateway_ref, attempt_id, currency, amount_minor, state, card, return_url, locale
        FROM sandbox_payments WHERE attempt_id = $1";
    BY_REF = "SELECT gateway_ref, attempt_id, currency, amount_minor, state, card, return_url, locale
        FROM sandbox_payments WHERE gateway_ref = $1";
    MOVE = "UPDATE sandbox_payments SET card = $3,
            state = CASE WHEN authorizes AND $2 = 'captured' THEN 'authorized' ELSE CAST($2 AS TEXT) END
        WHERE gateway_ref = $1 AND state IN ('waiting', 'challenged')";
    CAPTURE = "UPDATE sandbox_payments SET state = 'captured' WHERE gateway_ref = $1 AND state = 'authorized'";
    VOID = "UPDATE sandbox_payments SET state = 'declined', card = $2
        WHERE gateway_ref = $1 AND state IN ('waiting', 'challenged', 'authorized')";
    ADD_REFUND = "INSERT INTO sandbox_refunds (attempt_id, gateway_ref, amount_minor, state) VALUES ($1, $2, $3, $4)
        ON CONFLICT (attempt_id) DO NOTHING";
    REFUND_STATE = "SELECT state AS value FROM sandbox_refunds WHERE attempt_id = $1";
    END_REFUNDS = "UPDATE sandbox_refunds SET state = $1 WHERE state = 'pending' RETURNING attempt_id, gateway_ref";
    REFUND = "UPDATE sandbox_payments SET refunded_minor = refunded_minor + $2
        WHERE gateway_ref = $1 AND state = 'captured' AND refunded_minor + $2 <= amount_minor";
    FAIL_REFUND = "UPDATE sandbox_refunds SET state = 'failed' WHERE attempt_id = $1 AND state = 'done'
        RETURNING gateway_ref, amount_minor";
    TAKE_BACK = "UPDATE sandbox_payments SET refunded_minor = refunded_minor - $2 WHERE gateway_ref = $1";
    DISPUTE = "INSERT INTO sandbox_disputes (dispute_ref, gateway_ref, amount_minor, fee_minor, state, opened_at)
        SELECT $1, gateway_ref, COALESCE(CAST($3 AS BIGINT), amount_minor), CAST($4 AS BIGINT), $5, CAST($6 AS BIGINT)
        FROM sandbox_payments
        WHERE gateway_ref = $2 AND state = 'captured'";
    DECIDE = "UPDATE sandbox_disputes SET state = $2, fee_minor = CASE WHEN $2 = 'won' THEN 0 ELSE fee_minor END
        WHERE dispute_ref = $1 RETURNING gateway_ref AS value";
    FIND_DISPUTE = "SELECT d.dispute_ref, d.gateway_ref, p.attempt_id, p.currency, d.amount_minor, d.fee_minor, d.state, d.opened_at
        FROM sandbox_disputes d JOIN sandbox_payments p ON p.gateway_ref = d.gateway_ref WHERE d.dispute_ref = $1";
    DUE = "SELECT e.event_id, e.gateway_ref, p.attempt_id, e.refund_id, e.dispute_ref FROM sandbox_events e
        JOIN sandbox_payments p ON p.gateway_ref = e.gateway_ref
        WHERE e.deliveries_left > 0 AND e.deliver_at <= $1 ORDER BY e.deliver_at LIMIT 100";
    DELIVERED = "UPDATE sandbox_events SET deliveries_left = deliveries_left - 1 WHERE event_id = $1";
    NOT_DELIVERED = "UPDATE sandbox_events SET deliver_at = $2, failures = failures + 1,
            deliveries_left = CASE WHEN failures >= 19 THEN 0 ELSE deliveries_left END
        WHERE event_id = $1";
    CAPTURES = "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'captured' THEN 1 ELSE 0 END), 0) AS BIGINT) AS captured,
            CAST(COALESCE(SUM(CASE WHEN state = 'captured' THEN amount_minor - refunded_minor ELSE 0 END), 0) AS BIGINT) AS kept_minor
        FROM sandbox_payments";
}

insert! {
    struct AddPayment<'a> into sandbox_payments {
        gateway_ref: &'a str,
        attempt_id: PaymentId,
        currency: Currency,
        amount_minor: i64,
        authorizes: bool,
        return_url: &'a str,
        locale: &'a str,
        created_at: i64;
        refunded_minor = "0",
        state = "'waiting'",
        card = "''",
    } "ON CONFLICT (attempt_id) DO NOTHING"

    struct AddEvent<'a> into sandbox_events {
        event_id: Uuid,
        gateway_ref: &'a str,
        refund_id: Option<RefundId>,
        dispute_ref: Option<&'a str>,
        deliver_at: i64,
        deliveries_left: i64;
        failures = "0",
    }
}

rows! {
    /// A payment in the sandbox's records.
    #[derive(Debug, Clone)]
    pub struct SandboxPayment {
        /// The sandbox's ID.
        pub gateway_ref: String,
        /// Our ID.
        pub attempt_id: PaymentId,
        /// The currency.
        pub currency: Currency,
        /// The amount in minor units.
        pub amount_minor: i64,
        /// `waiting`, `challenged`, `authorized`, `captured` or `declined`.
        pub state: String,
        /// The behaviour of the entered card; `cancelled` if the shopper entered none and went back.
        pub card: String,
        /// The URL to which the shopper returns.
        pub return_url: String,
        /// The shopper's language.
        pub locale: String,
    }

    /// A webhook to be delivered.
    #[derive(Debug, Clone)]
    pub struct DueEvent {
        /// The webhook's ID.
        pub event_id: Uuid,
        /// The sandbox's ID of the payment.
        pub gateway_ref: String,
        /// Our ID of the payment.
        pub attempt_id: PaymentId,
        /// Our ID of the refund that it is about, if it is about one.
        pub refund_id: Option<RefundId>,
        /// The sandbox's ID of the dispute that it is about, if it is about one.
        pub dispute_ref: Option<String>,
    }

    /// A dispute in the sandbox's records.
    #[derive(Debug, Clone)]
    pub struct SandboxDispute {
        /// The sandbox's ID.
        pub dispute_ref: String,
        /// The sandbox's ID of the payment.
        pub gateway_ref: String,
        /// Our ID of the payment.
        pub attempt_id: PaymentId,
        /// The currency.
        pub currency: Currency,
        /// The disputed amount in minor units.
        pub amount_minor: i64,
        /// The fee in minor units; given back when the dispute is won.
        pub fee_minor: i64,
        /// `inquiry`, `open`, `won` or `lost`.
        pub state: String,
        /// When it was opened.
        pub opened_at: i64,
    }

    struct CameBack {
        gateway_ref: String,
        amount_minor: i64,
    }

    struct EndedRefund {
        attempt_id: RefundId,
        gateway_ref: String,
    }

    /// The sandbox's totals.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Captures {
        /// Payments captured.
        pub captured: i64,
        /// Minor units captured and not refunded.
        pub kept_minor: i64,
    }
}

impl SandboxPayment {
    /// The amount.
    pub fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }

    /// Whether the shopper cancelled it.
    pub fn is_cancelled(&self) -> bool {
        self.card == CANCELLED
    }
}

/// The placeholder for the card of a cancelled payment.
const CANCELLED: &str = "cancelled";
/// When and how often a webhook is sent: at once, and once.
const AT_ONCE: Option<(i64, i64)> = Some((0, 1));

impl DueEvent {
    /// The ID in the format of the API.
    pub fn event_id_text(&self) -> String {
        format!("evt_{}", self.event_id.simple())
    }
}

/// The behaviour of a test card. The first three have Stripe's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Card {
    /// 4242 4242 4242 4242: approves, and the webhook comes at once.
    Approve,
    /// 4000 0000 0000 0002: declines.
    Decline,
    /// 4000 0025 0000 3155: asks the shopper to confirm first.
    Challenge,
    /// 4000 0000 0000 0077: approves; the webhook comes after five seconds.
    WebhookLate,
    /// 4000 0000 0000 0093: approves; the webhook comes twice.
    WebhookTwice,
    /// 4000 0000 0000 0101: approves; the webhook never comes.
    WebhookNever,
    /// 4000 0000 0000 0259: approves; the shopper disputes the payment five seconds later.
    Dispute,
}

impl Card {
    /// All cards with their numbers.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Approve, "4242 4242 4242 4242"),
        (Self::Decline, "4000 0000 0000 0002"),
        (Self::Challenge, "4000 0025 0000 3155"),
        (Self::WebhookLate, "4000 0000 0000 0077"),
        (Self::WebhookTwice, "4000 0000 0000 0093"),
        (Self::WebhookNever, "4000 0000 0000 0101"),
        (Self::Dispute, "4000 0000 0000 0259"),
    ];

    /// The card with this number, with or without spaces.
    pub fn parse(typed: &str) -> Result<Self> {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let typed = digits(typed);
        let card = Self::ALL.into_iter().find(|(_, number)| digits(number) == typed);
        card.map(|(card, _)| card).ok_or_else(|| Error::field("card", FieldCode::NotAChoice))
    }

    /// When and how often the webhook is sent: milliseconds from now, and times.
    fn webhook(self) -> Option<(i64, i64)> {
        match self {
            Self::WebhookNever => None,
            Self::WebhookLate => Some((5_000, 1)),
            Self::WebhookTwice => Some((0, 2)),
            Self::Approve | Self::Decline | Self::Challenge | Self::Dispute => AT_ONCE,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Decline => "decline",
            Self::Challenge => "challenge",
            Self::WebhookLate => "webhook_late",
            Self::WebhookTwice => "webhook_twice",
            Self::WebhookNever => "webhook_never",
            Self::Dispute => "dispute",
        }
    }
}

/// Creates a payment, or finds the one of the same attempt. With `authorizes`, it is captured only by
/// [`capture`].
pub async fn start(
    db: &Db,
    clock: &Clock,
    ask: &PaymentRequest,
    authorizes: bool,
) -> TxResult<SandboxPayment> {
    let gateway_ref = format!("sbx_{}", random::token());
    let input = (gateway_ref, ask.clone(), authorizes, clock.now_ms());
    db.write("sandbox::start", input, |tx, (gateway_ref, ask, authorizes, now)| {
        Box::pin(async move {
            tx.insert(AddPayment {
                gateway_ref,
                attempt_id: ask.attempt,
                currency: ask.amount.currency(),
                amount_minor: ask.amount.amount(),
                authorizes: *authorizes,
                return_url: &ask.return_url,
                locale: ask.locale,
                created_at: *now,
            })
            .await?;
            Ok(tx.opt(&BY_ATTEMPT, params![ask.attempt]).await?.ok_or(Error::NotFound)?)
        })
    })
    .await
}

/// A payment by the sandbox's ID.
pub async fn find(db: &Db, gateway_ref: &str) -> Result<SandboxPayment> {
    db.opt(&BY_REF, params![gateway_ref]).await?.ok_or(Error::NotFound)
}

/// The shopper enters a card. A completed payment does not change.
pub async fn enter_card(db: &Db, clock: &Clock, gateway_ref: &str, card: Card) -> Result<SandboxPayment> {
    let state = match card {
        Card::Challenge => "challenged",
        Card::Decline => "declined",
        _ => "captured",
    };
    move_to(db, clock, gateway_ref, (state, card.name(), card.webhook())).await
}

/// The shopper returns to the market without paying. A completed payment does not change.
pub async fn cancel(db: &Db, clock: &Clock, gateway_ref: &str) -> Result<SandboxPayment> {
    move_to(db, clock, gateway_ref, ("declined", CANCELLED, AT_ONCE)).await
}

/// The shopper confirms their identity.
pub async fn confirm(db: &Db, clock: &Clock, gateway_ref: &str) -> Result<SandboxPayment> {
    if find(db, gateway_ref).await?.state != "challenged" {
        return Err(Error::NotFound);
    }
    let card = Card::Challenge;
    move_to(db, clock, gateway_ref, ("captured", card.name(), card.webhook())).await
}

/// The state that a payment moves to, its card, and when and how often the webhook is sent.
type Move = (&'static str, &'static str, Option<(i64, i64)>);

async fn move_to(db: &Db, clock: &Clock, gateway_ref: &str, to: Move) -> Result<SandboxPayment> {
    let input = (gateway_ref.to_owned(), to, clock.now_ms());
    let payment = db
        .write("sandbox::move", input, |tx, (gateway_ref, to, now)| {
            Box::pin(move_in_tx(tx, gateway_ref, *to, *now))
        })
        .await?;
    Ok(payment)
}

async fn move_in_tx(
    tx: &mut Tx,
    gateway_ref: &str,
    (state, card, webhook): Move,
    now: i64,
) -> TxResult<SandboxPayment> {
    let moved = tx.exec(&MOVE, params![gateway_ref, state, card]).await? == 1;
    if moved && card == Card::Dispute.name() {
        dispute_in_tx(tx, &NewDispute { gateway_ref, amount: None, fee: 0, state: "open" }, now, 5_000)
            .await?;
    }
    if let (true, true, Some((wait, times))) = (moved, state != "challenged", webhook) {
        tx.insert(AddEvent {
            event_id: random::id::<()>(now).uuid(),
            gateway_ref,
            refund_id: None,
            dispute_ref: None,
            deliver_at: now + wait,
            deliveries_left: times,
        })
        .await?;
    }
    Ok(tx.opt(&BY_REF, params![gateway_ref]).await?.ok_or(Error::NotFound)?)
}

/// Captures an authorized payment.
pub async fn capture(db: &Db, gateway_ref: &str) -> TxResult<SandboxPayment> {
    db.write("sandbox::capture", gateway_ref.to_owned(), |tx, gateway_ref| {
        Box::pin(async move {
            tx.exec(&CAPTURE, params![gateway_ref]).await?;
            Ok(tx.opt(&BY_REF, params![gateway_ref]).await?.ok_or(Error::NotFound)?)
        })
    })
    .await
}

/// The market cancels a payment that isn't captured.
pub async fn void(db: &Db, gateway_ref: &str) -> TxResult<SandboxPayment> {
    db.write("sandbox::void", gateway_ref.to_owned(), |tx, gateway_ref| {
        Box::pin(async move {
            tx.exec(&VOID, params![gateway_ref, CANCELLED]).await?;
            Ok(tx.opt(&BY_REF, params![gateway_ref]).await?.ok_or(Error::NotFound)?)
        })
    })
    .await
}

/// Refunds an amount, once per refund; `state` is that of a new one. Returns its state, or none if there is
/// not enough money.
pub async fn refund(db: &Db, ask: &RefundRequest, state: &'static str) -> TxResult<Option<String>> {
    let refunded = db.write("sandbox::refund", (ask.clone(), state), |tx, (ask, state)| {
        Box::pin(async move {
            let (gateway_ref, amount) = (&ask.payment_ref, ask.amount.amount());
            if tx.exec(&ADD_REFUND, params![ask.refund, gateway_ref, amount, *state]).await? == 1
                && tx.exec(&REFUND, params![gateway_ref, amount]).await? == 0
            {
                return Err(Error::Denied.into());
            }
            let state: Option<Scalar<String>> = tx.opt(&REFUND_STATE, params![ask.refund]).await?;
            Ok(state.map(|state| state.0))
        })
    });
    refunded.await.or_else(|fault| if fault == Error::Denied.into() { Ok(None) } else { Err(fault) })
}

/// Ends all pending refunds in a state, `done` or `failed`, and reports them by webhooks.
pub async fn end_refunds(db: &Db, clock: &Clock, state: &'static str) -> TxResult<usize> {
    db.write("sandbox::end_refunds", (state, clock.now_ms()), |tx, (state, now)| {
        Box::pin(async move {
            let ended: Vec<EndedRefund> = tx.all(&END_REFUNDS, params![*state]).await?;
            let events = ended.iter().map(|EndedRefund { attempt_id, gateway_ref }| AddEvent {
                event_id: random::id::<()>(*now).uuid(),
                gateway_ref,
                refund_id: Some(*attempt_id),
                dispute_ref: None,
                deliver_at: *now,
                deliveries_left: 1,
            });
            tx.insert_all(events.collect::<Vec<_>>()).await?;
            Ok(ended.len())
        })
    })
    .await
}

/// A refund that was done comes back, as from a closed card, and is reported by a webhook.
pub async fn fail_refund(db: &Db, clock: &Clock, refund: RefundId) -> TxResult<()> {
    db.write("sandbox::fail_refund", (refund, clock.now_ms()), |tx, (refund, now)| {
        Box::pin(async move {
            let back: Option<CameBack> = tx.opt(&FAIL_REFUND, params![*refund]).await?;
            let CameBack { gateway_ref, amount_minor } = back.ok_or(Error::NotFound)?;
            tx.exec(&TAKE_BACK, params![&gateway_ref, amount_minor]).await?;
            tx.insert(AddEvent {
                event_id: random::id::<()>(*now).uuid(),
                gateway_ref: &gateway_ref,
                refund_id: Some(*refund),
                dispute_ref: None,
                deliver_at: *now,
                deliveries_left: 1,
            })
            .await?;
            Ok(())
        })
    })
    .await
}

/// A dispute of a captured payment.
#[derive(Debug, Clone, Copy)]
pub struct NewDispute<'a> {
    /// The sandbox's ID of the payment.
    pub gateway_ref: &'a str,
    /// The disputed amount in minor units; `None` for all of it.
    pub amount: Option<i64>,
    /// The fee in minor units.
    pub fee: i64,
    /// `inquiry` or `open`.
    pub state: &'static str,
}

/// The holder of a card disputes a payment. Returns the sandbox's ID of the dispute, which is reported by a webhook.
pub async fn dispute(db: &Db, clock: &Clock, new: NewDispute<'_>) -> TxResult<String> {
    let NewDispute { gateway_ref, amount, fee, state } = new;
    let input = (gateway_ref.to_owned(), amount, fee, state, clock.now_ms());
    db.write("sandbox::dispute", input, |tx, (gateway_ref, amount, fee, state, now)| {
        Box::pin(async move {
            let new = NewDispute { gateway_ref, amount: *amount, fee: *fee, state };
            dispute_in_tx(tx, &new, *now, 0).await
        })
    })
    .await
}

async fn dispute_in_tx(tx: &mut Tx, new: &NewDispute<'_>, now: i64, wait: i64) -> TxResult<String> {
    let dispute_ref = format!("sbd_{}", random::id::<()>(now).uuid().simple());
    let row = params![&dispute_ref, new.gateway_ref, new.amount, new.fee, new.state, now];
    if tx.exec(&DISPUTE, row).await? == 1 {
        report_in_tx(tx, new.gateway_ref, &dispute_ref, now + wait).await?;
    }
    Ok(dispute_ref)
}

async fn report_in_tx(tx: &mut Tx, gateway_ref: &str, dispute_ref: &str, at: i64) -> TxResult<()> {
    tx.insert(AddEvent {
        event_id: random::id::<()>(at).uuid(),
        gateway_ref,
        refund_id: None,
        dispute_ref: Some(dispute_ref),
        deliver_at: at,
        deliveries_left: 1,
    })
    .await?;
    Ok(())
}

/// A dispute moves on, to `open`, `won` or `lost`, which is reported by a webhook.
pub async fn decide(db: &Db, clock: &Clock, dispute_ref: &str, state: &'static str) -> TxResult<()> {
    db.write(
        "sandbox::decide",
        (dispute_ref.to_owned(), state, clock.now_ms()),
        |tx, (dispute_ref, state, now)| {
            Box::pin(async move {
                let of: Option<Scalar<String>> = tx.opt(&DECIDE, params![dispute_ref, *state]).await?;
                let gateway_ref = of.ok_or(Error::NotFound)?.0;
                report_in_tx(tx, &gateway_ref, dispute_ref, *now).await
            })
        },
    )
    .await
}

/// A dispute by the sandbox's ID.
pub async fn find_dispute(db: &Db, dispute_ref: &str) -> Result<SandboxDispute> {
    db.opt(&FIND_DISPUTE, params![dispute_ref]).await?.ok_or(Error::NotFound)
}

/// The webhooks that are due.
pub async fn due_events(db: &Db, clock: &Clock) -> TxResult<Vec<DueEvent>> {
    Ok(db.all(&DUE, params![clock.now_ms()]).await?)
}

/// A webhook was delivered, or is retried in two seconds.
pub async fn delivered(db: &Db, clock: &Clock, event: Uuid, arrived: bool) -> TxResult<()> {
    db.write("sandbox::delivered", (event, arrived, clock.now_ms()), |tx, (event, arrived, now)| {
        Box::pin(async move {
            if *arrived {
                tx.exec(&DELIVERED, params![*event]).await?;
            } else {
                tx.exec(&NOT_DELIVERED, params![*event, *now + 2_000]).await?;
            }
            Ok(())
        })
    })
    .await
}

/// The sandbox's totals, for tests that compare them with the market's.
pub async fn captures(db: &Db) -> TxResult<Captures> {
    Ok(db.one(&CAPTURES, params![]).await?)
}
