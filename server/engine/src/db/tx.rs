//! A transaction, on whichever database it runs.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx_core::sql_str::AssertSqlSafe;

use super::{
    DbError, lite, pg,
    statement::{self, Statement},
    value::{FromRow, Value},
};
use crate::{Fault, fault};

/// A future that a transaction runs.
pub type BoxFuture<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// How long a transaction may take before the log mentions it.
pub(super) const SLOW: Duration = Duration::from_millis(250);

/// What was asked of a database since it was opened.
#[derive(Default)]
pub struct Stats {
    pub(super) statements: AtomicU64,
    pub(super) transactions: AtomicU64,
}

impl Stats {
    pub(super) fn committed(&self, transactions: usize) {
        self.transactions.fetch_add(transactions as u64, Ordering::Relaxed);
    }

    pub(super) fn statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
}

/// A transaction.
pub struct Tx {
    pub(super) arm: TxArm,
    stats: Arc<Stats>,
}

pub(super) enum TxArm {
    Lite(lite::LiteTx),
    Pg(pg::PgTx),
}

impl Tx {
    pub(super) fn lite(lite: lite::LiteTx, stats: Arc<Stats>) -> Self {
        Self { arm: TxArm::Lite(lite), stats }
    }

    pub(super) fn pg(transaction: pg::PgTx, stats: Arc<Stats>) -> Self {
        Self { arm: TxArm::Pg(transaction), stats }
    }

    pub(super) fn as_lite(&self) -> Result<&lite::LiteTx, DbError> {
        match &self.arm {
            TxArm::Lite(lite) => Ok(lite),
            TxArm::Pg(_) => Err(DbError::Other("not a transaction of SQLite".into())),
        }
    }

    pub(super) fn into_pg(self) -> Result<pg::PgTx, Fault> {
        match self.arm {
            TxArm::Pg(transaction) => Ok(transaction),
            TxArm::Lite(_) => Err(fault("not a transaction of PostgreSQL")),
        }
    }

    /// Executes a statement; answers how many rows it touched. That number is how a guard speaks.
    pub async fn exec(&mut self, statement: &'static Statement, params: &[Value]) -> Result<u64, DbError> {
        self.stats.statement();
        match &mut self.arm {
            TxArm::Lite(lite) => lite.exec(statement, params),
            TxArm::Pg(transaction) => pg::exec(transaction, statement.for_pg(), params).await,
        }
    }

    /// Executes a statement that takes many rows, for all of `rows` at once. No rows, no statement.
    pub async fn exec_many<const N: usize>(
        &mut self,
        statement: &'static Statement,
        rows: &[[Value; N]],
    ) -> Result<u64, DbError> {
        if rows.is_empty() {
            return Ok(0);
        }
        self.stats.statement();
        let sql = statement.expanded(rows.len(), N);
        let params = rows.as_flattened();
        match &mut self.arm {
            TxArm::Lite(lite) => {
                statement.for_lite();
                lite.exec_text(&statement::to_lite(&sql), params)
            }
            TxArm::Pg(transaction) => {
                statement.for_pg();
                pg::exec(transaction, AssertSqlSafe(sql), params).await
            }
        }
    }

    /// All rows of a statement that takes many rows, for all of `given` at once. No rows, no statement.
    pub async fn all_many<T: FromRow, const N: usize>(
        &mut self,
        statement: &'static Statement,
        given: &[[Value; N]],
    ) -> Result<Vec<T>, DbError> {
        if given.is_empty() {
            return Ok(Vec::new());
        }
        self.stats.statement();
        let sql = statement.expanded(given.len(), N);
        let params = given.as_flattened();
        match &mut self.arm {
            TxArm::Lite(lite) => {
                statement.for_lite();
                lite::query(lite.connection(), &statement::to_lite(&sql), params)
            }
            TxArm::Pg(transaction) => {
                statement.for_pg();
                pg::query(&mut **transaction, AssertSqlSafe(sql), params).await
            }
        }
    }

    /// All rows, as this transaction sees them. Also for statements that write and return.
    pub async fn all<T: FromRow>(
        &mut self,
        statement: &'static Statement,
        params: &[Value],
    ) -> Result<Vec<T>, DbError> {
        self.stats.statement();
        match &mut self.arm {
            TxArm::Lite(lite) => lite::query(lite.connection(), statement.for_lite(), params),
            TxArm::Pg(transaction) => pg::query(&mut **transaction, statement.for_pg(), params).await,
        }
    }

    /// The first row, if there is one.
    pub async fn opt<T: FromRow>(
        &mut self,
        statement: &'static Statement,
        params: &[Value],
    ) -> Result<Option<T>, DbError> {
        Ok(self.all(statement, params).await?.into_iter().next())
    }
}
