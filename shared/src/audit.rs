//! What operators see: the audit log and background work.

use serde::{Deserialize, Serialize};

use crate::{
    id::kinds::{EmailId, JobId, NotificationId, PaymentId, PayoutId, UserId},
    money::Money,
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

/// An email in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailCard {
    /// The email's ID.
    pub id: EmailId,
    /// The recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// When it was written: RFC 3339, UTC.
    pub created_at: String,
}

/// Emails that were not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsentEmails {
    /// Those that failed for good.
    pub failed: Vec<FailedEmail>,
    /// Those that are late, and still being tried.
    pub delayed: Vec<FailedEmail>,
}

/// An email that was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedEmail {
    /// The notification's ID.
    pub id: NotificationId,
    /// What it announces: `order_placed`.
    pub kind: String,
    /// The ID of the object that it is about.
    pub subject: String,
    /// The recipient.
    pub to: String,
    /// The last error. Empty if there was no attempt.
    pub error: String,
    /// When it was written: RFC 3339, UTC.
    pub created_at: String,
}

/// An email as it was sent, as plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailText {
    /// Its entry in the list.
    pub card: EmailCard,
    /// The text.
    pub text: String,
}
