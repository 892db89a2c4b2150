//! The schema: numbered migrations, forward only, with the same SQL for both databases.

use sha2::{Digest, Sha256};

use super::{
    Arm, Db, DbError, pg,
    tx::{Tx, TxArm},
};
use crate::{TxError, bug, params, rows, statements};

/// A numbered migration.
pub struct Migration {
    /// Its number, which its file name begins with.
    pub number: i64,
    /// Its name.
    pub name: &'static str,
    /// Its statements, for both databases.
    pub sql: &'static str,
}

/// All migrations, in order.
pub const SCHEMA: &[Migration] =
    &[Migration { number: 1, name: "schema", sql: include_str!("../../migrations/0001_schema.sql") }];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";

// Nodes that start at the same time migrate one after another. Only PostgreSQL can have more than one node
// (docs/decisions/0002-databases.md). The lock's key is arbitrary, but unique: the bytes of "haat".
const TAKE_TURNS: &str = "SELECT pg_advisory_xact_lock(1751212404)";

statements! {
    APPLIED = "SELECT number, checksum FROM migrations ORDER BY number";
    BEAT = "INSERT INTO heartbeats (id, beaten_at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET beaten_at = excluded.beaten_at";
    RECORD = "INSERT INTO migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";
}

rows! {
    struct Applied {
        number: i64,
        checksum: String,
    }
}

impl Migration {
    fn checksum(&self) -> String {
        Sha256::digest(self.sql.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
    }
}

impl Tx {
    async fn script(&mut self, sql: &str) -> Result<(), DbError> {
        match &mut self.arm {
            TxArm::Lite(lite) => Ok(lite.connection().execute_batch(sql)?),
            TxArm::Pg(transaction) => pg::script(transaction, sql).await,
        }
    }
}

impl Db {
    /// Applies the missing migrations; returns how many. Rejects a database that is newer than the
    /// program or has other migrations.
    pub async fn migrate(&self, now_ms: i64) -> Result<usize, TxError> {
        self.migrate_to(SCHEMA, now_ms).await
    }

    /// The same for any list of migrations, so that tests can upgrade a schema.
    pub async fn migrate_to(&self, schema: &'static [Migration], now_ms: i64) -> Result<usize, TxError> {
        self.write("migrate", (schema, now_ms), |tx, (schema, now_ms)| {
            Box::pin(async move {
                if matches!(tx.arm, TxArm::Pg(_)) {
                    tx.script(TAKE_TURNS).await?;
                }
                tx.script(TABLE).await?;
                let applied: Vec<Applied> = tx.all(&APPLIED, params![]).await?;
                check(&applied, schema)?;
                let todo = &schema[applied.len()..];
                for migration in todo {
                    tx.script(migration.sql).await?;
                    let row = params![migration.number, migration.name, migration.checksum(), *now_ms];
                    tx.exec(&RECORD, row).await?;
                }
                Ok(todo.len())
            })
        })
        .await
    }

    /// Checks that the schema matches this program. An error says what to do.
    pub async fn check_schema(&self) -> Result<(), TxError> {
        let applied: Vec<Applied> = match self.all(&APPLIED, params![]).await {
            Err(DbError::Other(_)) => Vec::new(),
            applied => applied?,
        };
        check(&applied, SCHEMA)?;
        if applied.is_empty() {
            return Err(bug(
                "the database is empty: create the schema with `haat migrate`, or try the demo with `haat demo`",
            ));
        }
        if applied.len() < SCHEMA.len() {
            return Err(bug("the database schema is older than this program: run `haat migrate`"));
        }
        Ok(())
    }

    /// Writes a row, to check that the market can sell.
    pub async fn check_writes(&self, now_ms: i64) -> Result<(), TxError> {
        self.write("heartbeat", now_ms, |tx, now_ms| {
            Box::pin(async move { Ok(tx.exec(&BEAT, params![*now_ms]).await.map(drop)?) })
        })
        .await
    }

    /// A query that checks whether the database responds.
    pub async fn ping(&self) -> Result<(), DbError> {
        match &self.arm {
            Arm::Lite(lite) => lite.read(|c| Ok(c.execute_batch("SELECT 1")?)),
            Arm::Pg(pool) => {
                let mut connection = pool.acquire().await?;
                pg::script(&mut connection, "SELECT 1").await
            }
        }
    }
}

fn check(applied: &[Applied], schema: &[Migration]) -> Result<(), TxError> {
    for (i, step) in applied.iter().enumerate() {
        let Some(known) = schema.get(i) else {
            return Err(bug(format!(
                "the database schema (version {}) is newer than this program (version {}): upgrade haat",
                step.number,
                schema.len()
            )));
        };
        if known.number != step.number || known.checksum() != step.checksum {
            return Err(bug(format!(
                "migration {} of the database differs from that of this program",
                step.number
            )));
        }
    }
    Ok(())
}
