//! Database errors, classified by what the caller can do about them.

use crate::TxError;

/// Why a statement or a transaction failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DbError {
    /// A unique constraint was violated. Carries the database's message, which names it.
    #[error("unique constraint violated: {0}")]
    Unique(String),
    /// A CHECK, NOT NULL or FOREIGN KEY constraint was violated.
    #[error("database constraint violated: {0}")]
    Constraint(String),
    /// A serialisation failure or deadlock; the same transaction may succeed now.
    #[error("database transaction conflict: {0}")]
    Again(String),
    /// The disk is full or read-only.
    #[error("database cannot write (full or read-only): {0}")]
    Full(String),
    /// The database is unreachable or overloaded.
    #[error("database cannot be reached: {0}")]
    Away(String),
    /// The outcome of the commit is unknown.
    #[error("outcome of the database transaction unknown: {0}")]
    Unknown(String),
    /// Any other error: a bug, or a failure of the database.
    #[error("database error: {0}")]
    Other(String),
}

impl DbError {
    /// Whether a transaction on SQLite can continue after this error: the statement had no effect.
    pub(super) fn is_clean(&self) -> bool {
        matches!(self, Self::Unique(_) | Self::Constraint(_))
    }
}

/// For requests that create the same thing concurrently: the second one finds it.
pub(crate) fn is_unique(fault: &TxError) -> bool {
    matches!(fault, TxError::Db(DbError::Unique(_)))
}

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
                    // Query cancelled, lock timeout, not accepting connections.
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
