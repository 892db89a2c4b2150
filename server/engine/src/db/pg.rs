//! PostgreSQL: a pool of connections, and statements on them.

use std::{str::FromStr, time::Duration};

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

use super::{
    DbError,
    value::{FromRow, Row, Value, pg_arguments},
};

/// A transaction of PostgreSQL.
pub(super) type PgTx = Transaction<'static, Postgres>;

pub(super) fn check_url(url: &str) -> Result<(), DbError> {
    PgConnectOptions::from_str(url)?;
    Ok(())
}

pub(super) async fn open(url: &str, connections: u32) -> Result<PgPool, DbError> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("haat")
        .statement_cache_capacity(1000)
        // Our transactions are short; one that takes this long is stuck, and blocks others.
        .options([
            ("statement_timeout", "30s"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "10s"),
        ])
        .disable_statement_logging();
    PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        // The check would cost a round trip per acquire; a dead connection is noticed soon enough.
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
