//! What those who run the market see of its inside: what was done, and the work behind it.

use serde::{Deserialize, Serialize};

use crate::id::kinds::{JobId, MailId};

/// What needs a hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskHome {
    /// Jobs that were laid aside.
    pub dead_jobs: i64,
    /// Facts that nobody was told of for a minute.
    pub untold_facts: i64,
    /// Mails that were laid aside.
    pub failed_mails: i64,
    /// Orders that their shops have not confirmed for a day.
    pub waiting_orders: i64,
}

/// A privileged action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// What was done: `jobs::retry`.
    pub action: String,
    /// The id of what it was done to.
    pub subject: String,
    /// What else there is to know; may be empty.
    pub note: String,
    /// The e-mail of who did it; none for the program itself.
    pub by: Option<String>,
    /// When: RFC 3339, UTC.
    pub at: String,
}

/// A piece of work in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobCard {
    /// Its id.
    pub id: JobId,
    /// What is to be done: `refund`.
    pub kind: String,
    /// The id of what it is about.
    pub subject: String,
    /// `queued`, `dead` or `discarded`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// Why the last try failed; empty before.
    pub error: String,
    /// When it is tried next: RFC 3339, UTC.
    pub run_at: String,
    /// When it came up: RFC 3339, UTC.
    pub created_at: String,
}

/// A fact in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FactCard {
    /// What happened: `order_placed`.
    pub kind: String,
    /// The id of what it happened to.
    pub subject: String,
    /// When: RFC 3339, UTC.
    pub at: String,
    /// When it was told to those who listen; none while it waits.
    pub told_at: Option<String>,
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

/// A mail that was laid aside.
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
