//! What those who run the market see of its inside: what was done, and the work behind it.

use serde::{Deserialize, Serialize};

use crate::id::kinds::JobId;

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
