//! A transaction on either database.

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
    DbError,
    insert::{self, Given},
    lite, pg,
    statement::{self, Statement},
    value::{FromRow, Value},
};
use crate::{TxError, bug};

/// A future that a transaction runs.
pub type BoxFuture<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// Transactions that take longer are logged.
pub(super) const SLOW: Duration = Duration::from_millis(250);

/// Counts of what was executed since the database was opened.
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

    pub(super) fn into_pg(self) -> Result<pg::PgTx, TxError> {
        match self.arm {
            TxArm::Pg(transaction) => Ok(transaction),
            TxArm::Lite(_) => Err(bug("not a transaction of PostgreSQL")),
        }
    }

    /// Executes a statement; returns the number of affected rows, which says whether its guard was met.
    pub async fn exec(&mut self, statement: &'static Statement, params: &[Value]) -> Result<u64, DbError> {
        self.stats.statement();
        match &mut self.arm {
            TxArm::Lite(lite) => lite.exec(statement, params),
            TxArm::Pg(transaction) => pg::exec(transaction, statement.for_pg(), params).await,
        }
    }

    /// Executes a statement with a repeated group, for all of `rows` at once. Nothing is executed for no
    /// rows.
    pub async fn exec_many<const N: usize>(
        &mut self,
        statement: &'static Statement,
        rows: &[[Value; N]],
    ) -> Result<u64, DbError> {
        self.exec_rows(statement, rows.len(), rows.as_flattened()).await
    }

    /// Inserts a row; returns whether it did.
    pub async fn insert<R: Given>(&mut self, row: R) -> Result<bool, DbError> {
        Ok(self.insert_all([row]).await? == 1)
    }

    /// Inserts rows, all at once; returns how many. Nothing is executed for no rows.
    pub async fn insert_all<R: Given>(&mut self, rows: impl IntoIterator<Item = R>) -> Result<u64, DbError> {
        let (count, values) = insert::given(rows);
        self.exec_rows(R::statement(), count, &values).await
    }

    /// Updates rows, all at once; returns how many. Nothing is executed for no rows.
    pub async fn update_all<R: Given>(&mut self, rows: impl IntoIterator<Item = R>) -> Result<u64, DbError> {
        self.insert_all(rows).await
    }

    /// Inserts a row; returns what its statement returns.
    pub async fn insert_returning<T: FromRow, R: Given>(&mut self, row: R) -> Result<Option<T>, DbError> {
        Ok(self.insert_all_returning([row]).await?.into_iter().next())
    }

    /// Inserts rows, all at once; returns what their statement returns. Nothing is executed for no rows.
    pub async fn insert_all_returning<T: FromRow, R: Given>(
        &mut self,
        rows: impl IntoIterator<Item = R>,
    ) -> Result<Vec<T>, DbError> {
        let (count, values) = insert::given(rows);
        self.all_rows(R::statement(), count, &values).await
    }

    async fn exec_rows(
        &mut self,
        statement: &'static Statement,
        count: usize,
        values: &[Value],
    ) -> Result<u64, DbError> {
        if count == 0 {
            return Ok(0);
        }
        self.stats.statement();
        let sql = statement.expanded(count, values.len() / count);
        match &mut self.arm {
            TxArm::Lite(lite) => {
                statement.for_lite();
                lite.exec_text(&statement::to_lite(&sql), values)
            }
            TxArm::Pg(transaction) => {
                statement.for_pg();
                pg::exec(transaction, AssertSqlSafe(sql), values).await
            }
        }
    }

    /// All rows of a statement with a repeated group, for all of `given` at once. Nothing is executed for
    /// no rows.
    pub async fn all_many<T: FromRow, const N: usize>(
        &mut self,
        statement: &'static Statement,
        given: &[[Value; N]],
    ) -> Result<Vec<T>, DbError> {
        self.all_rows(statement, given.len(), given.as_flattened()).await
    }

    async fn all_rows<T: FromRow>(
        &mut self,
        statement: &'static Statement,
        count: usize,
        values: &[Value],
    ) -> Result<Vec<T>, DbError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        self.stats.statement();
        let sql = statement.expanded(count, values.len() / count);
        match &mut self.arm {
            TxArm::Lite(lite) => {
                statement.for_lite();
                lite::query(lite.connection(), &statement::to_lite(&sql), values)
            }
            TxArm::Pg(transaction) => {
                statement.for_pg();
                pg::query(&mut **transaction, AssertSqlSafe(sql), values).await
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

    /// The first row, if any.
    pub async fn opt<T: FromRow>(
        &mut self,
        statement: &'static Statement,
        params: &[Value],
    ) -> Result<Option<T>, DbError> {
        Ok(self.all(statement, params).await?.into_iter().next())
    }
}
