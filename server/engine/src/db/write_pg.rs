//! Writes on PostgreSQL: READ COMMITTED, with guards in the statements.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx_postgres::PgPool;
use tracing::Instrument;

use super::{
    DbError,
    tx::{BoxFuture, SLOW, Stats, Tx},
};
use crate::TxError;

/// The maximum number of attempts for a transaction that conflicts with others.
const TRIES: u32 = 3;

/// Runs a transaction, again if it conflicts with others, in a task of its own, so that it completes even
/// if the client disconnects.
#[expect(clippy::disallowed_methods, reason = "it is waited for here")]
pub(super) async fn write<I, T, F>(
    pool: &PgPool,
    stats: Arc<Stats>,
    name: &'static str,
    input: I,
    f: F,
) -> Result<T, TxError>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx, &'t I) -> BoxFuture<'t, Result<T, TxError>> + Send + Sync + 'static,
{
    let pool = pool.clone();
    let run = async move {
        let mut tries = 1;
        loop {
            let outcome = attempt(&pool, &stats, name, &input, &f).await;
            match outcome {
                Err(TxError::Db(DbError::Again(error))) if tries < TRIES => {
                    tracing::debug!(use_case = name, error, tries, "transaction retried");
                    tokio::time::sleep(Duration::from_millis(u64::from(crate::random::small(20 * tries))))
                        .await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    };
    tokio::spawn(run.in_current_span())
        .await
        .unwrap_or_else(|panic| Err(crate::bug(format!("a write panicked: {panic}"))))
}

async fn attempt<I, T, F>(
    pool: &PgPool,
    stats: &Arc<Stats>,
    name: &'static str,
    input: &I,
    f: &F,
) -> Result<T, TxError>
where
    F: for<'t> Fn(&'t mut Tx, &'t I) -> BoxFuture<'t, Result<T, TxError>>,
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
                // The server rejected the commit, so nothing was written.
                again @ DbError::Again(_) => Err(again.into()),
                error => Err(DbError::Unknown(error.to_string()).into()),
            },
        },
        Err(fault) => {
            // Dropping it would also roll back, but only when the connection is next used.
            let _ = transaction.rollback().await;
            Err(fault)
        }
    };
    if begun.elapsed() > SLOW {
        tracing::warn!(use_case = name, elapsed_ms = begun.elapsed().as_millis() as u64, "slow transaction");
    }
    outcome
}
