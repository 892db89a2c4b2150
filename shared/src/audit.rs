//! What operators see: the audit log and background work.

use serde::{Deserialize, Serialize};

use crate::{
    id::kinds::{JobId, NotificationId, PaymentId, PayoutId, UserId},
    money::Money,
    notifications::Channel,
};

/// What needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminHome {
    /// Dead jobs.
    pub dead_jobs: i64,
    /// Outbox messages that have waited for more than a minute.
    pub pending_messages: i64,
    /// Emails that failed for good.
    pub failed_emails: i64,
    /// Emails that have failed several times, or have waited for long, and are still being tried.
    pub delayed_emails: i64,
    /// Orders that their shops have not confirmed for a day.
    pub waiting_orders: i64,
    /// Orders with return requests that their shops have left unanswered for too long.
    pub escalated_returns: i64,
    /// Reports of messages that nobody has decided on.
    pub open_reports: i64,
}

/// What an entry, a message or a job is about, as far as people know it by name or number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subject {
    /// The number of the order or purchase. Null if there is none.
    pub number: Option<String>,
    /// The handle of the shop, if it is about the shop itself, its payouts or its payout methods. Null otherwise.
    pub shop_handle: Option<String>,
    /// The name of that shop.
    pub shop_name: Option<String>,
    /// The ID of the payout. Null otherwise.
    pub payout_id: Option<PayoutId>,
    /// The number of the payout.
    pub payout_number: Option<String>,
    /// The ID of the payment, or of the payment that is refunded. Null otherwise.
    pub payment_id: Option<PaymentId>,
    /// The ID of the user. Null otherwise.
    pub user_id: Option<UserId>,
    /// The amount of the payout, the refund or the payment. Null otherwise.
    pub amount: Option<Money>,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// The action, such as `jobs::retry`.
    pub action: String,
    /// The ID of the affected object.
    pub subject: String,
    /// What it is about.
    pub about: Subject,
    /// Further details. May be empty.
    pub note: String,
    /// The number of products that the action created and updated. Null for other actions.
    pub products: Option<Upserted>,
    /// The email of the user who performed the action. Null for the system.
    pub user_email: Option<String>,
    /// When the action was performed: RFC 3339, UTC.
    pub created_at: String,
}

/// How many products were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Upserted {
    /// The number of products created.
    pub added: i64,
    /// The number of products updated.
    pub updated: i64,
}

/// A background job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobCard {
    /// The job's ID.
    pub id: JobId,
    /// The type of job, such as `refund`.
    pub kind: String,
    /// The ID of the object it works on.
    pub subject: String,
    /// What it is about.
    pub about: Subject,
    /// `queued`, `dead` or `discarded`.
    #[serde(rename = "status")]
    pub state: String,
    /// The number of attempts so far.
    pub attempts: i64,
    /// The error of the last attempt. Empty if none failed.
    pub error: String,
    /// When the next attempt is due: RFC 3339, UTC.
    pub run_at: String,
    /// When the job was created: RFC 3339, UTC.
    pub created_at: String,
}

/// An outbox message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutboxMessageCard {
    /// What happened, such as `order_placed`.
    pub kind: String,
    /// The ID of the affected object.
    pub subject: String,
    /// What it is about.
    pub about: Subject,
    /// When it happened: RFC 3339, UTC.
    pub created_at: String,
    /// When the message was processed. Null if it is still waiting.
    pub dispatched_at: Option<String>,
}

text_enum! {
    /// What has become of a notification.
    pub enum DeliveryState {
        /// It waits to be delivered, for the first time or again.
        Waiting = "written",
        /// It was delivered: handed to the mail server, or shown on the site.
        Delivered = "sent",
        /// It could not be delivered, and is not tried any more.
        Failed = "failed",
        /// It has failed, and was then sent again as another one.
        Resent = "resent",
    }
}

/// Something that somebody was notified of through a channel, in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryCard {
    /// The notification's ID.
    pub id: NotificationId,
    /// What it announces: `order_placed`.
    pub kind: String,
    /// The subject of the email, or the title on the site. Empty until it was first tried.
    pub title: String,
    /// The channel.
    pub channel: Channel,
    /// The email address. For one on the site, that of the user's account; empty if it is gone.
    pub to: String,
    /// The user, if the recipient has an account.
    pub user: Option<UserId>,
    /// What has become of it.
    pub state: DeliveryState,
    /// The number of attempts.
    pub attempts: i64,
    /// The last error. Empty if none failed.
    pub error: String,
    /// When it was written: RFC 3339.
    pub created_at: String,
}

/// A notification, with what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its entry in the list.
    pub card: DeliveryCard,
    /// What it is about.
    pub about: Subject,
    /// The recipient's language.
    pub locale: String,
    /// When it was delivered: RFC 3339. Null if it wasn't.
    pub sent_at: Option<String>,
    /// When it is tried next: RFC 3339. Null if it won't be.
    pub next_at: Option<String>,
    /// The email as plain text, if it is kept: while no mail server is configured, for a week.
    pub text: Option<String>,
    /// The notification that this one repeats.
    pub repeats: Option<NotificationId>,
    /// The notification as which it was sent again.
    pub repeated_as: Option<NotificationId>,
}

impl Delivery {
    /// Whether it can be sent again: once.
    pub fn can_be_resent(&self) -> bool {
        self.repeated_as.is_none()
            && matches!(self.card.state, DeliveryState::Delivered | DeliveryState::Failed)
    }
}
