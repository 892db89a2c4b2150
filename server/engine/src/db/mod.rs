//! The database layer. Use cases see [`Db`], [`Tx`], parameters and rows, never a driver.
//!
//! - Reads: [`Db::all`], [`Db::opt`], [`Db::one`], [`Db::list`].
//! - Writes: only [`Db::write`]. Its closure awaits nothing but SQL, reads through its [`Tx`] what it
//!   writes, and may run more than once.

mod error;
mod insert;
pub mod list;
mod lite;
mod migrate;
mod pg;
pub mod statement;
mod tx;
mod value;
mod write_lite;
mod write_pg;

use std::{
    fmt,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use sqlx_core::sql_str::AssertSqlSafe;
use sqlx_postgres::PgPool;
use tracing::Instrument;

use self::lite::Purpose;
pub use self::{
    error::DbError,
    insert::Given,
    list::{BoundQuery, ListQuery, RegisteredList},
    migrate::{Migration, SCHEMA},
    statement::{Registered, Statement},
    tx::{BoxFuture, Stats, Tx},
    value::{Column, FromRow, Row, Scalar, Value},
};
pub(crate) use self::{error::is_unique, value::CountRow};
use crate::TxError;

/// The name of a write in the log: the use case, and the ID of its object if that is known before.
pub struct About {
    use_case: &'static str,
    id: Option<String>,
}

impl From<&'static str> for About {
    fn from(use_case: &'static str) -> Self {
        Self { use_case, id: None }
    }
}

impl<I: fmt::Display> From<(&'static str, I)> for About {
    fn from((use_case, id): (&'static str, I)) -> Self {
        Self { use_case, id: Some(id.to_string()) }
    }
}

/// An open database.
#[derive(Clone)]
pub struct Db {
    arm: Arm,
    stats: Arc<Stats>,
}

#[derive(Clone)]
enum Arm {
    Lite(Arc<write_lite::Lite>),
    Pg(PgPool),
}

impl Db {
    /// Whether a URL is one that can be opened: `sqlite:PATH` or `postgres://…`. The error does not quote it,
    /// since it may contain a password.
    pub fn check_url(url: &str) -> Result<(), &'static str> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return if path.is_empty() { Err("must name a file: sqlite:data/haat.db") } else { Ok(()) };
        }
        if !is_postgres(url) {
            return Err("must begin with sqlite: or postgres://");
        }
        pg::check_url(url).map_err(|_| "is not a URL such as postgres://USER:PASSWORD@HOST/NAME")
    }

    /// Opens `sqlite:PATH` or `postgres://…`. Does not migrate.
    pub async fn open(url: &str, connections: u32) -> Result<Self, DbError> {
        Self::check_url(url).map_err(|why| DbError::Other(format!("the URL {why}")))?;
        let stats = Arc::<Stats>::default();
        let arm = if let Some(path) = url.strip_prefix("sqlite:") {
            Arm::Lite(Arc::new(write_lite::Lite::open(Path::new(path), Purpose::Write, stats.clone())?))
        } else {
            Arm::Pg(pg::open(url, connections).await?)
        };
        Ok(Self { arm, stats })
    }

    /// Creates an embedded database that is filled before anyone uses it: about twice as fast, since nothing in it is
    /// durable. [`Db::copy`] makes a durable database of it.
    pub fn draft(path: &Path) -> Result<Self, DbError> {
        let stats = Arc::<Stats>::default();
        let arm = Arm::Lite(Arc::new(write_lite::Lite::open(path, Purpose::Draft, stats.clone())?));
        Ok(Self { arm, stats })
    }

    /// Writes an embedded database as it is now to a new file, whole and durable.
    pub fn copy(&self, to: &Path) -> Result<(), DbError> {
        match &self.arm {
            Arm::Lite(lite) => lite.copy(to),
            Arm::Pg(_) => Err(DbError::Other("only an embedded database can be copied".into())),
        }
    }

    /// The name of the database engine, for logs: `sqlite` or `postgresql`.
    pub fn engine(&self) -> &'static str {
        match self.arm {
            Arm::Lite(_) => "sqlite",
            Arm::Pg(_) => "postgresql",
        }
    }

    /// Whether all writes go through one writer.
    pub(crate) fn one_writes(&self) -> bool {
        matches!(self.arm, Arm::Lite(_))
    }

    /// The number of statements and transactions executed since it was opened.
    pub fn counts(&self) -> (u64, u64) {
        (self.stats.statements.load(Ordering::Relaxed), self.stats.transactions.load(Ordering::Relaxed))
    }

    /// All rows.
    pub async fn all<T: FromRow>(
        &self,
        statement: &'static Statement,
        params: &[Value],
    ) -> Result<Vec<T>, DbError> {
        self.stats.statement();
        match &self.arm {
            Arm::Lite(lite) => lite.read(|c| lite::query(c, statement.for_lite(), params)),
            Arm::Pg(pool) => pg::query(pool, statement.for_pg(), params).await,
        }
    }

    /// The first row, if any.
    pub async fn opt<T: FromRow>(
        &self,
        statement: &'static Statement,
        params: &[Value],
    ) -> Result<Option<T>, DbError> {
        Ok(self.all(statement, params).await?.into_iter().next())
    }

    /// The only row of an aggregate: a sum, a count.
    pub async fn one<T: FromRow>(
        &self,
        statement: &'static Statement,
        params: &[Value],
    ) -> Result<T, DbError> {
        self.opt(statement, params)
            .await?
            .ok_or_else(|| DbError::Other(format!("{}: no row", statement.name)))
    }

    /// All rows of a statement with a repeated group, for all of `given` at once. Nothing is executed for
    /// no rows.
    pub(crate) async fn all_many<T: FromRow, const N: usize>(
        &self,
        statement: &'static Statement,
        given: &[[Value; N]],
    ) -> Result<Vec<T>, DbError> {
        if given.is_empty() {
            return Ok(Vec::new());
        }
        self.stats.statement();
        let (sql, params) = (statement.expanded(given.len(), N), given.as_flattened());
        match &self.arm {
            Arm::Lite(lite) => {
                statement.for_lite();
                lite.read(|c| lite::query(c, &statement::to_lite(&sql), params))
            }
            Arm::Pg(pool) => {
                statement.for_pg();
                pg::query(pool, AssertSqlSafe(sql), params).await
            }
        }
    }

    /// The rows of a list.
    pub async fn list<T: FromRow>(&self, asked: list::BoundQuery) -> Result<Vec<T>, DbError> {
        self.stats.statement();
        match &self.arm {
            Arm::Lite(lite) => lite.read(|c| lite::ask(c, &asked)),
            Arm::Pg(pool) => {
                let (sql, params) = asked.for_pg();
                pg::query(pool, AssertSqlSafe(sql), params).await
            }
        }
    }

    /// The only way to write. Runs `f` with `input` in a transaction, which is durable when this returns
    /// `Ok` and had no effect when it returns an error, except for [`DbError::Unknown`].
    ///
    /// `f` may run more than once, so it awaits nothing but SQL and takes the time and IDs from `input`.
    ///
    /// The whole call is in the span `use_case` of the log (`docs/logging.md`).
    pub async fn write<I, T, F>(&self, about: impl Into<About>, input: I, f: F) -> Result<T, TxError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx, &'t I) -> BoxFuture<'t, Result<T, TxError>> + Send + Sync + 'static,
    {
        let About { use_case, id } = about.into();
        let id = id.as_ref().map(tracing::field::display);
        let span = tracing::info_span!("use_case", use_case, id);
        let write = async {
            match &self.arm {
                Arm::Lite(lite) => lite.write(use_case, input, f).await,
                Arm::Pg(pool) => write_pg::write(pool, self.stats.clone(), use_case, input, f).await,
            }
        };
        write.instrument(span).await
    }

    /// Refreshes PostgreSQL's statistics. Autovacuum does so a minute after a bulk insert, and until then
    /// the planner may read a whole table for one page of it. SQLite does not need this.
    pub(crate) async fn analyze(&self) -> Result<(), DbError> {
        match &self.arm {
            Arm::Lite(_) => Ok(()),
            Arm::Pg(pool) => {
                self.stats.statement();
                pg::script(&mut *pool.acquire().await?, "ANALYZE").await
            }
        }
    }

    /// Verifies that every statement and list can be prepared: tables, columns and types exist. For
    /// tests.
    ///
    /// PostgreSQL can't infer the types of parameters in a joined VALUES list; those statements are
    /// verified by the test that executes all.
    pub async fn prepare_all(&self) -> Result<usize, String> {
        let joins_values = |sql: &str| sql.contains("(VALUES [") && matches!(self.arm, Arm::Pg(_));
        let mut texts: Vec<(String, String)> = statement::all()
            .filter(|s| !joins_values(s.sql))
            .map(|s| {
                (
                    s.name.to_owned(),
                    if s.takes_many() { s.expanded(2, width(s.sql)) } else { s.sql.to_owned() },
                )
            })
            .collect();
        for list in list::all() {
            for (sort, behind, _) in list.sorts {
                let filters = list.filters.iter().map(|(name, _)| (*name, Value::Text(None))).collect();
                let key = vec![Value::Text(None); behind.matches("{}").count()];
                let asked = list.bind(filters, sort, key, 1);
                texts.push((format!("{} by {sort}", list.name), asked.for_pg().0));
            }
        }
        for (name, sql) in &texts {
            let prepared = match &self.arm {
                Arm::Lite(lite) => {
                    let sql = statement::to_lite(sql);
                    lite.read(|c| Ok(c.prepare(&sql).map(drop)?)).map_err(|e| e.to_string())
                }
                Arm::Pg(pool) => {
                    use sqlx_core::{executor::Executor, sql_str::SqlSafeStr};
                    pool.prepare(AssertSqlSafe(sql.clone()).into_sql_str())
                        .await
                        .map(drop)
                        .map_err(|e| e.to_string())
                }
            };
            prepared.map_err(|e| format!("{name} on {}: {e}\n{sql}", self.engine()))?;
        }
        Ok(texts.len())
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The highest parameter number of a statement.
fn width(sql: &str) -> usize {
    sql.split('$')
        .skip(1)
        .filter_map(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest[..digits].parse().ok()
        })
        .max()
        .unwrap_or(0)
}
