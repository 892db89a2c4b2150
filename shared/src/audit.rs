//! What operators see: the audit log and background work.

use serde::{Deserialize, Serialize};

use crate::id::kinds::{JobId, MailId};

/// What needs a hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminHome {
    /// Jobs that were given up.
    pub dead_jobs: i64,
    /// Messages that have waited for a minute.
    pub pending_messages: i64,
    /// Mails that were given up.
    pub failed_mails: i64,
    /// Orders that their shops have not confirmed for a day.
    pub waiting_orders: i64,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// The action, such as `jobs::retry`.
    pub action: String,
    /// The ID of the affected object.
    pub subject: String,
    /// Further details. May be empty.
    pub note: String,
    /// The email of the user who performed the action. Null for the system.
    pub by: Option<String>,
    /// When the action was performed: RFC 3339, UTC.
    pub at: String,
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
    /// `queued`, `dead` or `discarded`.
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
    /// When it happened: RFC 3339, UTC.
    pub at: String,
    /// When the message was processed. Null if it is still waiting.
    pub dispatched_at: Option<String>,
}

/// A mail in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailCard {
    /// Its id.
    pub id: MailId,
    /// Where it went.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// When it was written: RFC 3339, UTC.
    pub at: String,
}

/// A mail that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedMail {
    /// What it tells: `order_placed`.
    pub kind: String,
    /// The id of what it is about.
    pub subject: String,
    /// Where it was to go.
    pub to: String,
    /// Why it did not.
    pub error: String,
    /// When it was written: RFC 3339, UTC.
    pub at: String,
}

/// A mail as it was sent, in plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailText {
    /// What it is in the list.
    pub card: MailCard,
    /// All that it says.
    pub text: String,
}
