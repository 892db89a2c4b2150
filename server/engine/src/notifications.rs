//! Notifications: what to tell whom through which channel, once per event, and whether it was delivered.
//!
//! They are written in the transaction that dispatches a message, one for each channel that the recipient wants.
//! [`deliver_due`] delivers those of a channel in a step of its own, so that a slow mail server delays nothing else. The
//! engine describes what happened as an [`EmailContent`]; the host renders it. The page of notifications shows the
//! subjects of emails, so a kind has its words once.

pub mod announced;
pub mod announcements;
mod fault;
pub mod inbox;
pub mod log;
pub mod mailbox;
pub mod push;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use tracing::Instrument;
use uuid::Uuid;

use self::announced::AnnouncementNotice;
pub use self::fault::SendError;
use crate::{
    Engine, TxResult, accounts, bug,
    bus::{Announcement, Topic},
    chat::UnreadMessages,
    checkout,
    contact::ContactNotice,
    db::{Statement, Tx, Value},
    gift_cards::GiftCardNotice,
    insert,
    inventory::StockNotice,
    jobs::{Backlog, backoff_ms},
    orders::{self, NotificationData, Parcel},
    outbox::{Dispatched, OutboxMessage},
    params,
    payouts::PayoutNotice,
    quotas, random,
    reviews::ReviewNotice,
    rows,
    staff::InvitationNotice,
    statements,
};
use haat_shared::{
    Id,
    accounts::mailbox,
    announcements::AnnouncementDraft,
    disputes::OrderDispute,
    id::kinds::{EmailId, Job, NotificationId, PasswordResetId, SignUpId, UserId},
    notifications::{
        Channel, NotificationPreference,
        NotificationTopic::{self, *},
    },
    orders::{Actor, OrderRefund, PurchaseView, ShopOrderView},
    payments::PurchaseLink,
    returns::OrderReturn,
    text,
};

/// The content of an email.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailContent {
    /// To the shopper: an order confirmation.
    OrderConfirmed {
        /// The purchase.
        purchase: Box<PurchaseView>,
        /// The link to the purchase, readable by whoever has it.
        link: PurchaseLink,
    },
    /// To whoever gets a gift card: the card.
    GiftCard(Box<GiftCardNotice>),
    /// To the shop's owners: a new order.
    OrderReceived {
        /// The order.
        order: Box<ShopOrderView>,
    },
    /// To the shopper: an order was shipped, or a part of it.
    OrderShipped {
        /// The order.
        order: Box<ShopOrderView>,
        /// The shipment.
        parcel: Parcel,
        /// The link to the purchase, readable by whoever has it.
        link: PurchaseLink,
    },
    /// To the shopper: the tracking of a shipped order was corrected.
    ShipmentUpdated {
        /// The order.
        order: Box<ShopOrderView>,
        /// The shipment, with its current tracking.
        parcel: Parcel,
        /// The link to the purchase, readable by whoever has it.
        link: PurchaseLink,
    },
    /// To the shopper: what arrived some days ago can be reviewed.
    ReviewInvited {
        /// The order.
        order: Box<ShopOrderView>,
        /// The link to the purchase, readable by whoever has it.
        link: PurchaseLink,
    },
    /// To the shopper: an order was cancelled.
    OrderCancelled {
        /// The order.
        order: Box<ShopOrderView>,
        /// Who cancelled it.
        by: Actor,
        /// The reason.
        reason: String,
        /// The link to the purchase, readable by whoever has it.
        link: PurchaseLink,
    },
    /// To the shopper, or to the shop's owners: an appointment has changed, or is to come soon.
    Appointment {
        /// What about it.
        news: AppointmentNews,
        /// What was booked, when, and with whom.
        when: String,
        /// Its order.
        order: Box<ShopOrderView>,
        /// For the shopper: the link to the purchase, readable by whoever has it.
        link: Option<PurchaseLink>,
    },
    /// To the shop's owners: the customer asks to return a part of an order, or to be refunded.
    ReturnRequested {
        /// The order.
        order: Box<ShopOrderView>,
        /// The return.
        back: OrderReturn,
    },
    /// To the shopper: a return was approved, and the items are expected back.
    ReturnApproved {
        /// The order.
        order: Box<ShopOrderView>,
        /// The return.
        back: OrderReturn,
        /// The link to the purchase, readable by whoever has it.
        link: PurchaseLink,
    },
    /// To the shopper: a return was rejected.
    ReturnRejected {
        /// The order.
        order: Box<ShopOrderView>,
        /// The return.
        back: OrderReturn,
        /// The link to the purchase, readable by whoever has it.
        link: PurchaseLink,
    },
    /// To the shopper: the shop sends other items for a return.
    ReturnExchanged {
        /// The order.
        order: Box<ShopOrderView>,
        /// The return.
        back: OrderReturn,
        /// The link to the purchase, readable by whoever has it.
        link: PurchaseLink,
    },
    /// To the shopper: a part of an order is refunded.
    OrderRefunded {
        /// The order.
        order: Box<ShopOrderView>,
        /// The refund.
        refund: OrderRefund,
        /// Why, in the words of the shop. May be empty.
        reason: String,
        /// The link to the purchase, readable by whoever has it.
        link: PurchaseLink,
    },
    /// To the shop's owners: the marketplace refunds a part of an order.
    OrderRefundedByMarket {
        /// The order.
        order: Box<ShopOrderView>,
        /// The refund.
        refund: OrderRefund,
        /// Why, in the words of the marketplace.
        reason: String,
    },
    /// To the shop's owners: the payment of an order is disputed, and its earnings are held.
    OrderDisputed {
        /// The order.
        order: Box<ShopOrderView>,
        /// The dispute.
        dispute: OrderDispute,
    },
    /// To the shop's owners: the dispute was won, and the earnings are theirs again.
    DisputeWon {
        /// The order.
        order: Box<ShopOrderView>,
        /// The dispute.
        dispute: OrderDispute,
    },
    /// To the shop's owners: the dispute was lost, and the earnings are gone.
    DisputeLost {
        /// The order.
        order: Box<ShopOrderView>,
        /// The dispute.
        dispute: OrderDispute,
    },
    /// To an address that someone has signed up with.
    ConfirmSignUp {
        /// The name entered at sign-up.
        name: String,
        /// The sign-up that the link confirms.
        id: SignUpId,
        /// The token of the link.
        token: String,
    },
    /// To an address that someone has signed up with, if it already has an account.
    AccountExists {
        /// The name entered at sign-up.
        name: String,
    },
    /// To the owner of an account: the link with which they choose a new password.
    PasswordReset {
        /// The user's name.
        name: String,
        /// The request.
        id: PasswordResetId,
        /// The token of the link.
        token: String,
    },
    /// To the owner of an account: the code with which they sign in.
    SignInCode {
        /// The user's name.
        name: String,
        /// The digits.
        code: String,
    },
    /// To the owner of an account: the password was changed.
    PasswordChanged {
        /// The user's name.
        name: String,
    },
    /// To the shop's owners: the customer cancelled an order.
    OrderWithdrawn {
        /// The order.
        order: Box<ShopOrderView>,
        /// The reason.
        reason: String,
    },
    /// To the shop's owners: an order has left few of a variant.
    StockLow(StockNotice),
    /// To the members of the shop who answer customers: a product has a new review.
    ReviewPublished(ReviewNotice),
    /// To the shopper, or to the members of the shop who answer customers: messages are unread.
    UnreadMessages(UnreadMessages),
    /// To whoever an owner of a shop has invited to its staff.
    ShopInvitation(InvitationNotice),
    /// To the market's support address: a message from the contact page.
    ContactReceived(Box<ContactNotice>),
    /// To whoever has written to the market: the answer.
    ContactAnswered(Box<ContactNotice>),
    /// To many people: something about the market.
    Announcement(Box<AnnouncementNotice>),
    /// To the shop's owners: a payout is on its way.
    PayoutSent(Box<PayoutNotice>),
    /// To the shop's owners: a payout was rejected.
    PayoutRejected(Box<PayoutNotice>),
    /// To the shop's owners: the bank returned a payout.
    PayoutReturned(Box<PayoutNotice>),
    /// To the shop's owners: a payout method was added.
    PayoutMethodAdded(Box<PayoutNotice>),
    /// To the shop's owners: a payout method was removed.
    PayoutMethodRemoved(Box<PayoutNotice>),
    /// To the shop's owners: the gateway has stopped payouts to the shop's account.
    PayoutMethodRestricted(Box<PayoutNotice>),
}

/// An email, rendered in a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedEmail {
    /// The subject.
    pub subject: String,
    /// The plain text, as complete as the HTML.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// The path of the page about it, for those who are signed in.
    pub path: String,
    /// What the site shows below the subject; empty if that says everything.
    pub note: String,
    /// The URL that ends such emails by a POST (RFC 8058), if the recipient can choose not to get them.
    pub unsubscribe: Option<String>,
}

/// Renders an email in a language, or in the default language if there is no translation. The last argument
/// is the URL of the market, for links.
pub type EmailRenderer = fn(&EmailContent, &str, &str) -> TxResult<RenderedEmail>;

/// An email, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// That of the notification: if it is sent again, the repeated email can be recognised.
    pub id: EmailId,
    /// The recipient's address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The URL that ends such emails by a POST (RFC 8058).
    pub unsubscribe: Option<String>,
    /// When it was written: milliseconds since 1970, UTC.
    pub created_at: i64,
}

/// The port to the mail server.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends emails, each under its ID. Returns a result for each, in order, within half a minute.
    async fn send(&self, mails: &[Mail]) -> Vec<std::result::Result<(), SendError>>;
}

/// How long a claim lasts: twice what a mailer may take.
const LEASE_MS: i64 = 60_000;
/// The number of emails sent at once. Those not marked when the program dies are sent again.
const BATCH: i64 = 25;
/// After this many attempts, over about a day, an email has failed.
const ATTEMPTS_MAX: i64 = 50;

/// The roles of those who answer customers.
macro_rules! answering {
    () => {
        "'owner', 'manager', 'support'"
    };
}

statements! {
    // Whom to notify of messages, given by their IDs and subjects.
    BUYER = "SELECT m.column1 AS event, p.id AS subject, p.email AS recipient, p.user_id, p.locale
        FROM (VALUES [($1, $2)]) AS m JOIN purchases p ON p.id = m.column2";
    // The buyer's own address, if there is no other.
    GIFTED = "SELECT m.column1 AS event, g.id AS subject, COALESCE(NULLIF(g.recipient_email, ''), p.email) AS recipient,
            k.issued_by AS user_id, g.locale
        FROM (VALUES [($1, $2)]) AS m JOIN checkout_gifts g ON g.id = m.column2 JOIN gift_cards k ON k.gift_id = g.id
        JOIN purchases p ON p.checkout_id = g.checkout_id WHERE NOT k.disabled";
    SHOPPER = "SELECT m.column1 AS event, o.id AS subject, p.email AS recipient, p.user_id, p.locale
        FROM (VALUES [($1, $2)]) AS m JOIN orders o ON o.id = m.column2 JOIN purchases p ON p.id = o.purchase_id";
    SHOPPER_OF_SHIPMENT = "SELECT m.column1 AS event, s.id AS subject, p.email AS recipient, p.user_id, p.locale
        FROM (VALUES [($1, $2)]) AS m JOIN shipments s ON s.id = m.column2 AND s.kind <> 'appointment'
        JOIN orders o ON o.id = s.order_id JOIN purchases p ON p.id = o.purchase_id";
    OWNERS = "SELECT m.column1 AS event, o.id AS subject, u.email AS recipient, u.id AS user_id, u.locale
        FROM (VALUES [($1, $2)]) AS m JOIN orders o ON o.id = m.column2
        JOIN shop_members w ON w.shop_id = o.shop_id AND w.role = 'owner' JOIN users u ON u.id = w.user_id";
    SHOPPER_OF_RETURN = "SELECT m.column1 AS event, b.id AS subject, p.email AS recipient, p.user_id, p.locale
        FROM (VALUES [($1, $2)]) AS m JOIN returns b ON b.id = m.column2
        JOIN orders o ON o.id = b.order_id JOIN purchases p ON p.id = o.purchase_id";
    SHOPPER_OF_REFUND = "SELECT m.column1 AS event, r.id AS subject, p.email AS recipient, p.user_id, p.locale
        FROM (VALUES [($1, $2)]) AS m JOIN refunds r ON r.id = m.column2
        JOIN orders o ON o.id = r.order_id JOIN purchases p ON p.id = o.purchase_id";
    SHOPPER_OF_APPOINTMENT = "SELECT m.column1 AS event, a.id AS subject, p.email AS recipient, p.user_id, p.locale
        FROM (VALUES [($1, $2)]) AS m JOIN appointments a ON a.id = m.column2
        JOIN orders o ON o.id = a.order_id JOIN purchases p ON p.id = o.purchase_id";
    OWNERS_OF_APPOINTMENT = "SELECT m.column1 AS event, a.id AS subject, u.email AS recipient, u.id AS user_id, u.locale
        FROM (VALUES [($1, $2)]) AS m JOIN appointments a ON a.id = m.column2
        JOIN shop_members w ON w.shop_id = a.shop_id AND w.role = 'owner' JOIN users u ON u.id = w.user_id";
    OWNERS_OF_RETURN = "SELECT m.column1 AS event, b.id AS subject, u.email AS recipient, u.id AS user_id, u.locale
        FROM (VALUES [($1, $2)]) AS m JOIN returns b ON b.id = m.column2 JOIN orders o ON o.id = b.order_id
        JOIN shop_members w ON w.shop_id = o.shop_id AND w.role = 'owner' JOIN users u ON u.id = w.user_id";
    OWNERS_IF_BY_MARKET = "SELECT m.column1 AS event, r.id AS subject, u.email AS recipient, u.id AS user_id, u.locale
        FROM (VALUES [($1, $2)]) AS m JOIN refunds r ON r.id = m.column2 AND r.reason = 'by_market' JOIN orders o ON o.id = r.order_id
        JOIN shop_members w ON w.shop_id = o.shop_id AND w.role = 'owner' JOIN users u ON u.id = w.user_id";
    OWNERS_IF_WITHDRAWN = "SELECT m.column1 AS event, o.id AS subject, u.email AS recipient, u.id AS user_id, u.locale
        FROM (VALUES [($1, $2)]) AS m JOIN orders o ON o.id = m.column2
        JOIN order_events e ON e.order_id = o.id AND e.kind = 'cancelled' AND e.actor = 'shopper'
        JOIN shop_members w ON w.shop_id = o.shop_id AND w.role = 'owner' JOIN users u ON u.id = w.user_id";
    OWNERS_OF_PAYOUT = "SELECT m.column1 AS event, p.id AS subject, u.email AS recipient, u.id AS user_id, u.locale
        FROM (VALUES [($1, $2)]) AS m JOIN payouts p ON p.id = m.column2
        JOIN shop_members w ON w.shop_id = p.shop_id AND w.role = 'owner' JOIN users u ON u.id = w.user_id";
    OWNERS_OF_PAYOUT_METHOD = "SELECT m.column1 AS event, p.id AS subject, u.email AS recipient, u.id AS user_id, u.locale
        FROM (VALUES [($1, $2)]) AS m JOIN payout_methods p ON p.id = m.column2
        JOIN shop_members w ON w.shop_id = p.shop_id AND w.role = 'owner' JOIN users u ON u.id = w.user_id";
    OWNERS_OF_VARIANT = "SELECT m.column1 AS event, v.id AS subject, u.email AS recipient, u.id AS user_id, u.locale
        FROM (VALUES [($1, $2)]) AS m JOIN variants v ON v.id = m.column2
        JOIN shop_members w ON w.shop_id = v.shop_id AND w.role = 'owner' JOIN users u ON u.id = w.user_id";
    SHOPPER_OF_CONVERSATION = "SELECT m.column1 AS event, c.id AS subject, u.email AS recipient, u.id AS user_id, u.locale
        FROM (VALUES [($1, $2)]) AS m JOIN conversations c ON c.id = m.column2 AND c.shopper_unread > 0 JOIN users u ON u.id = c.user_id";
    MEMBERS_OF_REVIEW = concat!("SELECT m.column1 AS event, r.id AS subject, u.email AS recipient, u.id AS user_id, u.locale
        FROM (VALUES [($1, $2)]) AS m JOIN reviews r ON r.id = m.column2 AND r.state = 'published'
        JOIN shop_members w ON w.shop_id = r.shop_id AND w.role IN (", answering!(), ") JOIN users u ON u.id = w.user_id");
    // Those who answer customers.
    MEMBERS_OF_CONVERSATION = concat!("SELECT m.column1 AS event, c.id AS subject, u.email AS recipient, u.id AS user_id, u.locale
        FROM (VALUES [($1, $2)]) AS m JOIN conversations c ON c.id = m.column2 AND c.shop_unread > 0
        JOIN shop_members w ON w.shop_id = c.shop_id AND w.role IN (", answering!(), ") JOIN users u ON u.id = w.user_id");
    CLAIM = "UPDATE notifications SET claim = $3, lease_until = $2, attempts = attempts + 1
        WHERE state = 'written' AND run_at <= $1 AND lease_until <= $1 AND id IN
            (SELECT id FROM notifications
                WHERE channel = $5 AND state = 'written' AND run_at <= $1 AND lease_until <= $1
                ORDER BY run_at LIMIT $4)
        RETURNING id, kind, subject, recipient, user_id, locale, attempts, created_at";
    SETTLED = "UPDATE notifications SET state = done.column3, title = done.column4, run_at = done.column5, error = done.column6,
            sent_at = CASE WHEN done.column3 = 'sent' THEN done.column5 END, claim = NULL, lease_until = 0
        FROM (VALUES [($1, $2, $3, $4, $5, $6)]) AS done WHERE id = done.column1 AND claim = done.column2";
    TOO_MANY = "UPDATE notifications SET state = 'failed', error = $3, claim = NULL, lease_until = 0
        WHERE id = $1 AND claim = $2";
    COUNT = "SELECT (SELECT COUNT(*) FROM notifications WHERE channel = 'email' AND state = 'written') AS queued,
        (SELECT COUNT(*) FROM notifications WHERE channel = 'email' AND state = 'failed') AS dead";
}

insert! {
    struct AddNotification into notifications {
        id: NotificationId,
        event: Uuid,
        recipient: String,
        user_id: Option<UserId>,
        channel: Channel,
        kind: &'static str,
        subject: Uuid,
        locale: String,
        created_at: i64;
        state = "'written'",
    } "ON CONFLICT (event, recipient, channel) DO NOTHING"
}

rows! {
    struct Recipient {
        event: Uuid,
        subject: Uuid,
        recipient: String,
        user_id: Option<UserId>,
        locale: String,
    }

    #[derive(Debug)]
    struct Claimed {
        id: NotificationId,
        kind: String,
        subject: Uuid,
        recipient: String,
        user_id: Option<UserId>,
        locale: String,
        attempts: i64,
        created_at: i64,
    }
}

/// What an email about an appointment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppointmentNews {
    /// The other side moved it.
    Moved,
    /// It was cancelled.
    Cancelled,
    /// It is to come soon.
    Reminder,
}

/// Which notifications are written for which message, about which topic, and to whom.
static NOTICES: &[(OutboxMessage, &str, NotificationTopic, &Statement)] = &[
    (OutboxMessage::PurchaseMade, "purchase_made", Purchases, &BUYER),
    (OutboxMessage::GiftCardSent, "gift_card", Purchases, &GIFTED),
    (OutboxMessage::OrderPlaced, "order_placed", Sales, &OWNERS),
    (OutboxMessage::OrderShipped, "order_shipped", Purchases, &SHOPPER_OF_SHIPMENT),
    (OutboxMessage::OrderShipmentUpdated, "shipment_updated", Purchases, &SHOPPER_OF_SHIPMENT),
    (OutboxMessage::OrderCancelled, "order_cancelled", Purchases, &SHOPPER),
    (OutboxMessage::OrderCancelled, "order_withdrawn", Sales, &OWNERS_IF_WITHDRAWN),
    (OutboxMessage::AppointmentMoved, "appointment_moved", Purchases, &SHOPPER_OF_APPOINTMENT),
    (
        OutboxMessage::AppointmentMovedByCustomer,
        "appointment_moved_by_customer",
        Sales,
        &OWNERS_OF_APPOINTMENT,
    ),
    (OutboxMessage::AppointmentCancelled, "appointment_cancelled", Purchases, &SHOPPER_OF_APPOINTMENT),
    (
        OutboxMessage::AppointmentCancelledByCustomer,
        "appointment_cancelled",
        Purchases,
        &SHOPPER_OF_APPOINTMENT,
    ),
    (
        OutboxMessage::AppointmentCancelledByCustomer,
        "appointment_cancelled_by_customer",
        Sales,
        &OWNERS_OF_APPOINTMENT,
    ),
    (OutboxMessage::AppointmentReminder, "appointment_reminder", Purchases, &SHOPPER_OF_APPOINTMENT),
    (OutboxMessage::OrderReturnRequested, "return_requested", Sales, &OWNERS_OF_RETURN),
    (OutboxMessage::OrderReturnApproved, "return_approved", Purchases, &SHOPPER_OF_RETURN),
    (OutboxMessage::OrderReturnRejected, "return_rejected", Purchases, &SHOPPER_OF_RETURN),
    (OutboxMessage::OrderReturnExchanged, "return_exchanged", Purchases, &SHOPPER_OF_RETURN),
    (OutboxMessage::OrderRefunded, "order_refunded", Purchases, &SHOPPER_OF_REFUND),
    (OutboxMessage::OrderRefunded, "order_refunded_by_market", Sales, &OWNERS_IF_BY_MARKET),
    (OutboxMessage::PayoutSent, "payout_sent", Payouts, &OWNERS_OF_PAYOUT),
    (OutboxMessage::PayoutRejected, "payout_rejected", Payouts, &OWNERS_OF_PAYOUT),
    (OutboxMessage::PayoutReturned, "payout_returned", Payouts, &OWNERS_OF_PAYOUT),
    (OutboxMessage::PayoutMethodAdded, "payout_method_added", Payouts, &OWNERS_OF_PAYOUT_METHOD),
    (OutboxMessage::PayoutMethodRemoved, "payout_method_removed", Payouts, &OWNERS_OF_PAYOUT_METHOD),
    (OutboxMessage::PayoutMethodRestricted, "payout_method_restricted", Payouts, &OWNERS_OF_PAYOUT_METHOD),
    (OutboxMessage::ReviewPublished, "review_published", Sales, &MEMBERS_OF_REVIEW),
    (OutboxMessage::ReviewInvited, "review_invited", Reviews, &SHOPPER),
    (OutboxMessage::StockLow, "stock_low", Stock, &OWNERS_OF_VARIANT),
    (OutboxMessage::ShopperHasUnread, "messages_for_shopper", Messages, &SHOPPER_OF_CONVERSATION),
    (OutboxMessage::ShopHasUnread, "messages_for_shop", Messages, &MEMBERS_OF_CONVERSATION),
    (OutboxMessage::OrderDisputed, "order_disputed", Sales, &OWNERS),
    (OutboxMessage::OrderDisputeWon, "dispute_won", Sales, &OWNERS),
    (OutboxMessage::OrderDisputeLost, "dispute_lost", Sales, &OWNERS),
];

/// Emails that are sent whatever the recipient has chosen: the law demands the confirmation of an order, whoever has an appointment
/// must know when it is, and whoever
/// takes over an account must not be able to hide that money will go elsewhere.
fn essential(kind: &str) -> bool {
    matches!(
        kind,
        "purchase_made"
            | "gift_card"
            | "payout_method_added"
            | "payout_method_removed"
            | "payout_method_restricted"
            | "appointment_moved"
            | "appointment_cancelled"
    )
}

/// Writes the notifications for messages: one per message, recipient and channel.
pub(crate) async fn write_in_tx(
    tx: &mut Tx,
    messages: &[Dispatched],
    now: i64,
) -> TxResult<Vec<Announcement>> {
    let mut found = Vec::new();
    for &(message, kind, topic, recipients) in NOTICES {
        let of = messages.iter().filter(|of| of.message == message);
        let of: Vec<[Value; 2]> = of.map(|of| [of.id.into(), of.subject.into()]).collect();
        let recipients: Vec<Recipient> = tx.all_many(recipients, &of).await?;
        // Whoever has deleted their account has no address.
        let recipients = recipients.into_iter().filter(|of| !of.recipient.is_empty());
        found.extend(recipients.map(|recipient| (kind, topic, recipient)));
    }
    let users = found.iter().filter_map(|(_, _, recipient)| recipient.user_id);
    let chosen = inbox::chosen_in_tx(tx, users.clone()).await?;
    let browsers = push::of_users_in_tx(tx, users).await?;
    let mut rows = Vec::new();
    for (kind, topic, of) in found {
        let Recipient { event, subject, recipient, user_id, locale } = of;
        let add = |recipient, channel| AddNotification {
            id: random::id(now),
            event,
            recipient,
            user_id,
            channel,
            kind,
            subject,
            locale: locale.clone(),
            created_at: now,
        };
        let set = chosen.iter().find(|(user, set)| Some(*user) == user_id && set.topic == topic);
        let wants = set.map_or(NotificationPreference::new(topic), |(_, set)| *set);
        if essential(kind) || wants.email {
            rows.push(add(recipient, Channel::Email));
        }
        if let Some(user) = user_id.filter(|_| wants.in_app) {
            rows.push(add(user.to_string(), Channel::InApp));
        }
        for (_, browser) in browsers.iter().filter(|(user, _)| wants.push && Some(*user) == user_id) {
            rows.push(add(browser.to_string(), Channel::Push));
        }
    }
    let written = tx.insert_all(rows).await?;
    Ok(if written > 0 { vec![(Topic::Notifications, "")] } else { Vec::new() })
}

/// The number of emails to send, and of failed ones.
pub async fn backlog(engine: &Engine) -> TxResult<Backlog> {
    Ok(engine.db.one(&COUNT, params![]).await?)
}

/// Delivers a batch of due notifications through a channel; returns its size.
pub async fn deliver_due(engine: &Engine, channel: Channel) -> TxResult<usize> {
    let now = engine.clock.now_ms();
    let claim: Id<Job> = random::id(now);
    let claimed: Vec<Claimed> = engine
        .db
        .write("notifications::claim", (now, claim, channel), |tx, (now, claim, channel)| {
            Box::pin(async move {
                Ok(tx.all(&CLAIM, params![*now, *now + LEASE_MS, *claim, BATCH, *channel]).await?)
            })
        })
        .await?;
    if claimed.is_empty() {
        return Ok(0);
    }
    let count = claimed.len();
    let claimed = match channel {
        Channel::Email => bound(engine, claim, claimed, now).await?,
        Channel::InApp | Channel::Push => claimed,
    };
    let data = orders::notification_data(engine, claim).await?;
    let announced = match claimed.iter().any(|notice| notice.kind == announced::NOTICE) {
        true => announced::notification_data(engine, claim).await?,
        false => HashMap::new(),
    };
    let (mut ready, mut outcomes) = (Vec::new(), Vec::new());
    for notice in claimed {
        match render(engine, &notice, &data, &announced) {
            Ok(rendered) => ready.push((notice, rendered)),
            Err(fault) => {
                let fault = Err(SendError::Unreachable(fault.to_string()));
                outcomes.push(Outcome { notice, title: String::new(), fault });
            }
        }
    }
    let (mut answers, mut shown) = (Vec::new(), Vec::new());
    match channel {
        Channel::Email => answers = send(engine, &ready).await,
        Channel::InApp => shown.extend(ready.iter().filter_map(|(notice, of)| show(notice, of))),
        Channel::Push => answers = push::send(engine, ready.iter().map(pushed).collect()).await?,
    }
    let mut answers = answers.into_iter();
    outcomes.extend(ready.into_iter().map(|(notice, of)| {
        let fault = answers.next().unwrap_or(Ok(()));
        Outcome { notice, title: of.subject, fault }
    }));
    settle(engine, claim, outcomes, shown).await?;
    Ok(count)
}

/// What has become of a claimed notification.
struct Outcome {
    notice: Claimed,
    title: String,
    fault: std::result::Result<(), SendError>,
}

/// Sends emails; returns a result for each.
async fn send(
    engine: &Engine,
    ready: &[(Claimed, RenderedEmail)],
) -> Vec<std::result::Result<(), SendError>> {
    let mail = |(notice, of): &(Claimed, RenderedEmail)| Mail {
        id: Id::from_uuid(notice.id.uuid()),
        to: notice.recipient.clone(),
        subject: of.subject.clone(),
        text: of.text.clone(),
        html: of.html.clone(),
        unsubscribe: of.unsubscribe.clone(),
        created_at: notice.created_at,
    };
    let mails: Vec<Mail> = ready.iter().map(mail).collect();
    let span = tracing::info_span!("gateway", gateway = "mail", call = "send", mails = mails.len());
    engine.mailer.send(&mails).instrument(span).await
}

/// What a browser shows of it.
fn pushed((notice, of): &(Claimed, RenderedEmail)) -> push::Note {
    let content = serde_json::json!({"id": notice.id, "title": of.subject, "text": of.note, "path": of.path});
    push::Note { id: notice.id, browser: notice.recipient.parse().ok(), content: content.to_string() }
}

/// What the recipient sees on the page of notifications.
fn show(notice: &Claimed, of: &RenderedEmail) -> Option<inbox::AddToInbox> {
    Some(inbox::AddToInbox {
        id: notice.id,
        user_id: notice.recipient.parse().ok()?,
        kind: notice.kind.clone(),
        title: of.subject.clone(),
        text: of.note.clone(),
        path: of.path.clone(),
        created_at: notice.created_at,
    })
}

/// The counters of an address per hour and per day.
type Counters = [quotas::QuotaKind; 2];
const ABOUT_PURCHASES: Counters = [("emails_per_hour", quotas::HOUR_MS), ("emails_per_day", quotas::DAY_MS)];
const ABOUT_SIGN_UPS: Counters =
    [("sign_up_emails_per_hour", quotas::HOUR_MS), ("sign_up_emails_per_day", quotas::DAY_MS)];

/// What counts an email that its recipient may not have asked for: anyone can enter an address at checkout
/// and at sign-up. Signing up costs nothing, so it must not use up what purchases need.
fn counters(kind: &str) -> Option<Counters> {
    match kind {
        "purchase_made"
        | "order_shipped"
        | "shipment_updated"
        | "order_cancelled"
        | "appointment_moved"
        | "appointment_cancelled"
        | "return_approved"
        | "return_rejected"
        | "return_exchanged"
        | "order_refunded" => Some(ABOUT_PURCHASES),
        "sign_up" | "account_exists" => Some(ABOUT_SIGN_UPS),
        _ => None,
    }
}

/// Fails emails above the limit of an address and returns the others. An email is counted once, at the
/// first attempt; what an operator sends again is not limited.
async fn bound(engine: &Engine, claim: Id<Job>, claimed: Vec<Claimed>, now: i64) -> TxResult<Vec<Claimed>> {
    let of = |notice: &Claimed| quotas::subject(engine, &mailbox(&text::fold(&notice.recipient)));
    let counted = |notice: &Claimed| counters(&notice.kind).filter(|_| notice.attempts == 1);
    let mut what = BTreeMap::new();
    for notice in &claimed {
        for quota in counted(notice).into_iter().flatten() {
            *what.entry((quota, of(notice))).or_insert(0) += 1;
        }
    }
    if what.is_empty() {
        return Ok(claimed);
    }
    let mut used = engine
        .db
        .write("notifications::count", (what, now), |tx, (what, now)| {
            Box::pin(quotas::spend_in_tx(tx, what, *now))
        })
        .await?;
    let (mut sending, mut over_limit) = (Vec::new(), Vec::new());
    // In reverse order, so that the latest emails are the ones over the limit.
    for notice in claimed.into_iter().rev() {
        let mut over = false;
        let most = [engine.bounds.emails_per_hour, engine.bounds.emails_per_day];
        for ((name, _), most) in counted(&notice).into_iter().flatten().zip(most) {
            if let Some(used) = used.get_mut(&(name, of(&notice))) {
                over |= *used > most;
                *used -= 1;
            }
        }
        if over { &mut over_limit } else { &mut sending }.push(notice);
    }
    sending.reverse();
    if over_limit.is_empty() {
        return Ok(sending);
    }
    tracing::warn!(count = over_limit.len(), "emails failed: too many to one address");
    engine
        .db
        .write("notifications::too_many", (claim, over_limit), |tx, (claim, over_limit)| {
            Box::pin(async move {
                for Claimed { id, .. } in over_limit {
                    let why = "too many emails to this address; send it again if it is wanted";
                    tx.exec(&TOO_MANY, params![*id, *claim, why]).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(sending)
}

/// The content of a notification; `None` if its subject is missing.
fn content(engine: &Engine, notice: &Claimed, data: &NotificationData) -> Option<EmailContent> {
    if notice.kind == "purchase_made" {
        let purchase = data.purchases.get(&notice.subject)?.clone();
        let link = checkout::link(engine, &purchase.number);
        return Some(EmailContent::OrderConfirmed { purchase: Box::new(purchase), link });
    }
    if let Some(name) = data.people.get(&notice.subject) {
        let (name, id) = (name.clone(), Id::from_uuid(notice.subject));
        return match notice.kind.as_str() {
            "password_reset" => {
                let id = Id::from_uuid(notice.subject);
                let token = accounts::passwords::token(engine, id);
                Some(EmailContent::PasswordReset { name, id, token })
            }
            "sign_in_code" => {
                let code = accounts::sign_in_codes::digits(engine, Id::from_uuid(notice.subject));
                Some(EmailContent::SignInCode { name, code })
            }
            "password_changed" => Some(EmailContent::PasswordChanged { name }),
            "sign_up" => {
                let token = accounts::sign_ups::token(engine, id);
                Some(EmailContent::ConfirmSignUp { name, id, token })
            }
            "account_exists" => Some(EmailContent::AccountExists { name }),
            _ => None,
        };
    }
    if let Some(of) = data.contact.get(&notice.subject) {
        let of = Box::new(of.clone());
        return match notice.kind.as_str() {
            "contact_received" => Some(EmailContent::ContactReceived(of)),
            "contact_answered" => Some(EmailContent::ContactAnswered(of)),
            _ => None,
        };
    }
    if let Some(of) = data.invitations.get(&notice.subject) {
        return Some(EmailContent::ShopInvitation(of.clone()));
    }
    if let Some(card) = data.gifts.get(&notice.subject) {
        return Some(EmailContent::GiftCard(Box::new(card.clone())));
    }
    if let Some(of) = data.stock.get(&notice.subject) {
        return Some(EmailContent::StockLow(of.clone()));
    }
    if let Some(of) = data.reviews.get(&notice.subject) {
        return Some(EmailContent::ReviewPublished(of.clone()));
    }
    if let Some(of) = data.messages.get(&notice.subject) {
        let (by_shop, by_shopper) = of.clone();
        return match notice.kind.as_str() {
            "messages_for_shopper" => Some(EmailContent::UnreadMessages(by_shop)),
            "messages_for_shop" => Some(EmailContent::UnreadMessages(by_shopper)),
            _ => None,
        };
    }
    if let Some(payout) = data.payouts.get(&notice.subject) {
        let payout = Box::new(payout.clone());
        return match notice.kind.as_str() {
            "payout_sent" => Some(EmailContent::PayoutSent(payout)),
            "payout_rejected" => Some(EmailContent::PayoutRejected(payout)),
            "payout_returned" => Some(EmailContent::PayoutReturned(payout)),
            "payout_method_added" => Some(EmailContent::PayoutMethodAdded(payout)),
            "payout_method_removed" => Some(EmailContent::PayoutMethodRemoved(payout)),
            "payout_method_restricted" => Some(EmailContent::PayoutMethodRestricted(payout)),
            _ => None,
        };
    }
    let shipment = data.shipments.get(&notice.subject);
    let of_part = shipment.map(|(order, _)| order).or_else(|| data.parts.get(&notice.subject));
    let order = Box::new(data.orders.get(of_part.unwrap_or(&notice.subject))?.clone());
    let back = order.order.returns.iter().find(|back| back.id.uuid() == notice.subject).cloned();
    let parcel = shipment.map(|(_, parcel)| parcel.clone());
    // An order's number is the purchase's number and a position.
    let link = checkout::link(engine, order.order.number.rsplit_once('-')?.0);
    Some(match notice.kind.as_str() {
        "order_placed" => EmailContent::OrderReceived { order },
        "review_invited" => EmailContent::ReviewInvited { order, link },
        "order_shipped" => EmailContent::OrderShipped { order, parcel: parcel?, link },
        "shipment_updated" => EmailContent::ShipmentUpdated { order, parcel: parcel?, link },
        "order_cancelled" => {
            let (by, reason) = data.ends.get(&notice.subject)?.clone();
            EmailContent::OrderCancelled { order, by, reason, link }
        }
        "appointment_moved"
        | "appointment_moved_by_customer"
        | "appointment_cancelled"
        | "appointment_cancelled_by_customer"
        | "appointment_reminder" => {
            let news = match notice.kind.as_str() {
                "appointment_moved" | "appointment_moved_by_customer" => AppointmentNews::Moved,
                "appointment_reminder" => AppointmentNews::Reminder,
                _ => AppointmentNews::Cancelled,
            };
            let when = data.reasons.get(&notice.subject)?.clone();
            let link = (!notice.kind.ends_with("_by_customer")).then_some(link);
            EmailContent::Appointment { news, when, order, link }
        }
        "return_requested" => EmailContent::ReturnRequested { order, back: back? },
        "return_approved" => EmailContent::ReturnApproved { order, back: back?, link },
        "return_rejected" => EmailContent::ReturnRejected { order, back: back?, link },
        "return_exchanged" => EmailContent::ReturnExchanged { order, back: back?, link },
        "order_refunded" => {
            let refund =
                order.order.refunds.iter().find(|refund| refund.id.uuid() == notice.subject)?.clone();
            let reason = data.reasons.get(&notice.subject)?.clone();
            EmailContent::OrderRefunded { order, refund, reason, link }
        }
        "order_refunded_by_market" => {
            let refund =
                order.order.refunds.iter().find(|refund| refund.id.uuid() == notice.subject)?.clone();
            let reason = data.reasons.get(&notice.subject)?.clone();
            EmailContent::OrderRefundedByMarket { order, refund, reason }
        }
        "order_disputed" | "dispute_won" | "dispute_lost" => {
            let dispute = data.disputes.get(&notice.subject)?.clone();
            match notice.kind.as_str() {
                "order_disputed" => EmailContent::OrderDisputed { order, dispute },
                "dispute_won" => EmailContent::DisputeWon { order, dispute },
                _ => EmailContent::DisputeLost { order, dispute },
            }
        }
        "order_withdrawn" => {
            let (_, reason) = data.ends.get(&notice.subject)?.clone();
            EmailContent::OrderWithdrawn { order, reason }
        }
        _ => return None,
    })
}

fn render(
    engine: &Engine,
    notice: &Claimed,
    data: &NotificationData,
    announced: &HashMap<Uuid, AnnouncementDraft>,
) -> TxResult<RenderedEmail> {
    let announced = announced.get(&notice.subject);
    let announced = announced.and_then(|of| announced::notice(engine, of, notice.user_id, &notice.locale));
    let content = announced
        .map(|of| EmailContent::Announcement(Box::new(of)))
        .or_else(|| content(engine, notice, data))
        .ok_or_else(|| bug("no email content for this kind of notification"))?;
    (engine.render)(&content, &notice.locale, &engine.public_url)
}

/// Records what has become of each, and shows those on the site.
async fn settle(
    engine: &Engine,
    claim: Id<Job>,
    outcomes: Vec<Outcome>,
    shown: Vec<inbox::AddToInbox>,
) -> TxResult<()> {
    let now = engine.clock.now_ms();
    let recipients: BTreeSet<UserId> = shown.iter().map(|of| of.user_id).collect();
    let settled = outcomes.into_iter().map(|Outcome { notice, title, fault }| {
        let (kind, attempts) = (notice.kind, notice.attempts);
        let (state, at, error) = match fault {
            Ok(()) => ("sent", now, String::new()),
            Err(error) => {
                let dead = attempts >= ATTEMPTS_MAX || !matches!(error, SendError::Unreachable(_));
                let error = error.to_string();
                tracing::warn!(kind, subject = %notice.subject, attempts, dead, error, "failed to deliver a notification");
                (if dead { "failed" } else { "written" }, now + backoff_ms(attempts), error)
            }
        };
        [notice.id.into(), claim.into(), state.into(), title.into(), at.into(), error.into()]
    });
    engine
        .db
        .write(
            "notifications::settle",
            (settled.collect::<Vec<[Value; 6]>>(), shown),
            |tx: &mut Tx, (settled, shown)| {
                Box::pin(async move {
                    tx.exec_many(&SETTLED, settled).await?;
                    tx.insert_all(shown.iter().cloned()).await?;
                    Ok(())
                })
            },
        )
        .await?;
    for recipient in recipients {
        engine.bus.publish(Topic::Inbox, &recipient.to_string());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use haat_shared::permissions::{Permission, Role};

    #[test]
    fn who_answers_customers_is_notified_of_their_messages() {
        for role in Role::ALL {
            let told = answering!().contains(&format!("'{}'", role.as_str()));
            assert_eq!(told, role.may(Permission::AnswerCustomers), "{role:?}");
        }
    }
}
