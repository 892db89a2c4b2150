//! What a database says when it does not do what it was asked.

use std::fmt;

/// Why a statement or a transaction failed.
#[derive(Debug, Clone, PartialEq)]
pub enum DbError {
    /// A unique key exists already. Carries the database's words, which name the key.
    Unique(String),
    /// A CHECK, NOT NULL or FOREIGN KEY does not hold.
    Constraint(String),
    /// Two transactions were in each other's way; the same one may succeed now.
    Again(String),
    /// No room left, or no writing allowed.
    Full(String),
    /// The database cannot be reached, or has too much to do.
    Away(String),
    /// The commit was sent and its outcome is not known.
    Unknown(String),
    /// Anything else: a fault of the program or of the database.
    Other(String),
}

impl DbError {
    /// Whether the transaction could go on after it on SQLite: the statement had no effect and nothing else happened.
    pub(super) fn is_clean(&self) -> bool {
        matches!(self, Self::Unique(_) | Self::Constraint(_))
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, detail) = match self {
            Self::Unique(d) => ("exists already", d),
            Self::Constraint(d) => ("constraint", d),
            Self::Again(d) => ("in another's way", d),
            Self::Full(d) => ("cannot write", d),
            Self::Away(d) => ("cannot be reached", d),
            Self::Unknown(d) => ("outcome unknown", d),
            Self::Other(d) => ("failed", d),
        };
        write!(f, "database {what}: {detail}")
    }
}

impl std::error::Error for DbError {}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{ErrorCode::*, ffi};
        let text = error.to_string();
        let rusqlite::Error::SqliteFailure(failure, _) = &error else { return Self::Other(text) };
        match (failure.code, failure.extended_code) {
            (ConstraintViolation, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
                Self::Unique(text)
            }
            (ConstraintViolation, _) => Self::Constraint(text),
            (DiskFull | ReadOnly | PermissionDenied, _) => Self::Full(text),
            (SystemIoFailure, _) => Self::Full(text),
            (DatabaseBusy | DatabaseLocked, _) => Self::Away(text),
            (CannotOpen | OutOfMemory, _) => Self::Away(text),
            _ => Self::Other(text),
        }
    }
}

impl From<sqlx_core::error::Error> for DbError {
    fn from(error: sqlx_core::error::Error) -> Self {
        use sqlx_core::error::Error as Sqlx;
        let text = error.to_string();
        match &error {
            Sqlx::Database(db) => {
                // https://www.postgresql.org/docs/15/errcodes-appendix.html
                match db.code().as_deref().unwrap_or_default() {
                    "23505" => Self::Unique(text),
                    code if code.starts_with("23") => Self::Constraint(text),
                    "40001" | "40P01" => Self::Again(text),
                    "53100" | "25006" => Self::Full(text),
                    code if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => {
                        Self::Away(text)
                    }
                    // Cancelled, locked out, not accepting connections.
                    "57014" | "55P03" | "55000" => Self::Away(text),
                    _ => Self::Other(text),
                }
            }
            Sqlx::Io(_) | Sqlx::Tls(_) | Sqlx::PoolTimedOut | Sqlx::PoolClosed | Sqlx::WorkerCrashed => {
                Self::Away(text)
            }
            _ => Self::Other(text),
        }
    }
}
