//! PostgreSQL: a pool, READ COMMITTED, guards in the statements.

use std::{
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::TryStreamExt;
use sqlx_core::{
    connection::ConnectOptions,
    pool::PoolOptions,
    query::query_with,
    raw_sql::raw_sql,
    sql_str::{AssertSqlSafe, SqlSafeStr},
    transaction::Transaction,
};
use sqlx_postgres::{PgConnectOptions, PgConnection, PgPool, Postgres};

use super::{BoxFuture, DbError, FromRow, Row, SLOW, Stats, Tx, Value, value::pg_arguments};
use crate::Fault;

/// How often a transaction is run when others are in its way.
const TRIES: u32 = 3;

/// A transaction of PostgreSQL.
pub(super) type PgTx = Transaction<'static, Postgres>;

pub(super) async fn open(url: &str, connections: u32) -> Result<PgPool, DbError> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("haat")
        .statement_cache_capacity(1000)
        // Nothing of ours takes long in a transaction; what does is stuck, and stands in others' way.
        .options([
            ("statement_timeout", "30s"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "10s"),
        ])
        .disable_statement_logging();
    PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        // A round trip for each acquire; a dead connection shows soon enough.
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(Into::into)
}

/// Runs a statement whose text is one of ours.
pub(super) async fn query<'e, T, E>(
    executor: E,
    sql: impl SqlSafeStr,
    params: &[Value],
) -> Result<Vec<T>, DbError>
where
    T: FromRow,
    E: sqlx_core::executor::Executor<'e, Database = Postgres>,
{
    let query = query_with(sql, pg_arguments(params)?);
    let mut rows = query.fetch(executor);
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await? {
        found.push(T::from_row(&Row::Pg(&row))?);
    }
    Ok(found)
}

pub(super) async fn exec(
    connection: &mut PgConnection,
    sql: impl SqlSafeStr,
    params: &[Value],
) -> Result<u64, DbError> {
    Ok(query_with(sql, pg_arguments(params)?).execute(connection).await?.rows_affected())
}

/// A script of several statements without parameters: a migration.
pub(super) async fn script(connection: &mut PgConnection, sql: &str) -> Result<(), DbError> {
    raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await?;
    Ok(())
}

/// Runs a transaction, again if others were in its way, in a task of its own: whoever asked may go, it goes on.
pub(super) async fn write<I, T, F>(
    pool: &PgPool,
    stats: Arc<Stats>,
    name: &'static str,
    input: I,
    f: F,
) -> Result<T, Fault>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx, &'t I) -> BoxFuture<'t, Result<T, Fault>> + Send + Sync + 'static,
{
    let pool = pool.clone();
    let task = tokio::spawn(async move {
        let mut tries = 1;
        loop {
            let outcome = attempt(&pool, &stats, name, &input, &f).await;
            match outcome {
                Err(Fault::Db(DbError::Again(error))) if tries < TRIES => {
                    tracing::debug!(tx = name, error, tries, "again");
                    tokio::time::sleep(Duration::from_millis(u64::from(crate::random::small(20 * tries))))
                        .await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    });
    task.await.unwrap_or_else(|panic| Err(crate::fault(format!("a write panicked: {panic}"))))
}

async fn attempt<I, T, F>(
    pool: &PgPool,
    stats: &Arc<Stats>,
    name: &'static str,
    input: &I,
    f: &F,
) -> Result<T, Fault>
where
    F: for<'t> Fn(&'t mut Tx, &'t I) -> BoxFuture<'t, Result<T, Fault>>,
{
    let transaction = pool.begin().await.map_err(DbError::from)?;
    let begun = Instant::now();
    let mut tx = Tx::pg(transaction, stats.clone());
    let outcome = f(&mut tx, input).await;
    let transaction = tx.into_pg()?;
    let outcome = match outcome {
        Ok(value) => match transaction.commit().await {
            Ok(()) => {
                stats.committed(1);
                Ok(value)
            }
            Err(error) => match DbError::from(error) {
                // The server said no: nothing was written.
                again @ DbError::Again(_) => Err(again.into()),
                error => Err(DbError::Unknown(error.to_string()).into()),
            },
        },
        Err(fault) => {
            // Dropping it would roll back too, but only when the connection is used next.
            let _ = transaction.rollback().await;
            Err(fault)
        }
    };
    if begun.elapsed() > SLOW {
        tracing::warn!(tx = name, elapsed_ms = begun.elapsed().as_millis() as u64, "slow transaction");
    }
    outcome
}
