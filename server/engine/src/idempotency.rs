//! Idempotency keys: repeating a command has no further effect and returns the same response.
//!
//! There are two forms. If no gateway is involved, [`begin_in_tx`] and [`end_in_tx`] run in the transaction
//! of the command itself. Otherwise, [`claim`] records who is working on it, the gateway is called with the
//! attempt's ID, and [`settle`] stores the response. If the claimant dies, the next request takes over with
//! the same attempt ID. The work in between must continue even if the client disconnects:
//! [`to_its_end`](crate::to_its_end).

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    Engine, TxError,
    db::{DbError, Scalar, Tx},
    insert, params, random, rows, statements,
};
use haat_shared::{Conflict, Id};

/// How long keys are kept.
pub const KEEP_MS: i64 = 7 * 24 * 3_600_000;
/// How long a claim lasts: as long as the slowest gateway call.
const LEASE_MS: i64 = 30_000;
/// How long a repeated request waits for the one in progress; a request may take twice that.
const PATIENCE: Duration = Duration::from_secs(15);
/// The maximum number of characters of a key.
pub const KEY_MAX: usize = 200;

/// Identifies a command.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    scope: String,
    operation: &'static str,
    key: String,
    body: [u8; 32],
}

impl IdempotencyKey {
    /// A command by its object (the caller or the checkout), its name, the key it came with and its body.
    pub fn new(scope: impl ToString, operation: &'static str, key: &str, body: &str) -> Self {
        let key = key.chars().take(KEY_MAX).collect();
        Self { scope: scope.to_string(), operation, key, body: Sha256::digest(body.as_bytes()).into() }
    }
}

statements! {
    WORKED_ON = "SELECT attempt_id AS value FROM idempotency_keys
        WHERE scope = $1 AND operation = $2 AND idempotency_key = $3 AND answer IS NULL AND lease_until >= $4";
    FIND = "SELECT body_hash, answer FROM idempotency_keys WHERE scope = $1 AND operation = $2 AND idempotency_key = $3";
    ANSWER = "UPDATE idempotency_keys SET answer = $4, lease_until = NULL
        WHERE scope = $1 AND operation = $2 AND idempotency_key = $3";
    GIVE_BACK = "DELETE FROM idempotency_keys
        WHERE scope = $1 AND operation = $2 AND idempotency_key = $3 AND answer IS NULL AND attempt_id = $4";
    PURGE = "DELETE FROM idempotency_keys WHERE created_at < $1";
}

insert! {
    struct AddKey<'a> into idempotency_keys {
        scope: &'a str,
        operation: &'a str,
        idempotency_key: &'a str,
        body_hash: [u8; 32],
        lease_until: i64,
        attempt_id: Uuid,
        created_at: i64,
    } "ON CONFLICT (scope, operation, idempotency_key) DO UPDATE SET lease_until = excluded.lease_until
            WHERE idempotency_keys.answer IS NULL AND idempotency_keys.lease_until < excluded.created_at
                AND idempotency_keys.body_hash = excluded.body_hash
        RETURNING attempt_id"
}

rows! {
    struct Known {
        body_hash: Vec<u8>,
        answer: Option<String>,
    }

    struct Mine {
        attempt_id: Uuid,
    }
}

/// The result of a claim.
pub enum Claim<K> {
    /// The caller must execute the command, with this attempt ID.
    Mine(Id<K>),
    /// The command was already executed, with this response.
    Done(String),
}

/// Claims the command in the transaction that executes it: either it is the first claim, or it waited for
/// the first to commit.
pub async fn begin_in_tx<K>(tx: &mut Tx, key: &IdempotencyKey, now: i64) -> Result<Claim<K>, TxError> {
    let claim = AddKey {
        scope: &key.scope,
        operation: key.operation,
        idempotency_key: &key.key,
        body_hash: key.body,
        lease_until: now + LEASE_MS,
        attempt_id: random::id::<K>(now).uuid(),
        created_at: now,
    };
    if let Some(mine) = tx.insert_returning::<Mine, _>(claim).await? {
        return Ok(Claim::Mine(Id::from_uuid(mine.attempt_id)));
    }
    let known: Option<Known> = tx.opt(&FIND, params![&key.scope, key.operation, &key.key]).await?;
    // Not found: its owner released the key between the two statements.
    let Some(known) = known else { return Err(DbError::Again("idempotency key".into()).into()) };
    if known.body_hash != key.body {
        return Err(Conflict::KeyReused.into());
    }
    known.answer.map(Claim::Done).ok_or_else(|| Conflict::InFlight.into())
}

/// Stores the response, in the transaction that produced it.
pub async fn end_in_tx(tx: &mut Tx, key: &IdempotencyKey, answer: &str) -> Result<(), TxError> {
    tx.exec(&ANSWER, params![&key.scope, key.operation, &key.key, answer]).await?;
    Ok(())
}

/// Claims a command that calls a gateway. Waits for another request that is executing it, and returns its
/// response.
pub async fn claim<K: 'static>(engine: &Engine, key: &IdempotencyKey) -> Result<Claim<K>, TxError> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        let claim = engine
            .db
            .write("idempotency::claim", (key.clone(), engine.clock.now_ms()), |tx, (key, now)| {
                Box::pin(begin_in_tx(tx, key, *now))
            })
            .await;
        if !matches!(claim, Err(TxError::Rejected(haat_shared::Error::Conflict(Conflict::InFlight)))) {
            return claim;
        }
        loop {
            if begun.elapsed() > PATIENCE {
                return claim;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
            let row = params![&key.scope, key.operation, &key.key, engine.clock.now_ms()];
            if engine.db.opt::<Scalar<Uuid>>(&WORKED_ON, row).await?.is_none() {
                break;
            }
        }
    }
}

/// Stores the response of a command that called a gateway. Without one, because of a temporary failure,
/// the claim is released, so that the request can be retried.
pub async fn settle<K: 'static>(
    engine: &Engine,
    key: IdempotencyKey,
    attempt: Id<K>,
    answer: Option<String>,
) -> Result<(), TxError> {
    engine
        .db
        .write("idempotency::settle", (key, attempt, answer), |tx, (key, attempt, answer)| {
            Box::pin(async move {
                match answer {
                    Some(answer) => end_in_tx(tx, key, answer).await?,
                    None => {
                        tx.exec(&GIVE_BACK, params![&key.scope, key.operation, &key.key, *attempt]).await?;
                    }
                }
                Ok(())
            })
        })
        .await
}

/// Deletes old keys.
pub async fn purge(engine: &Engine) -> Result<u64, TxError> {
    engine
        .db
        .write("idempotency::purge", engine.clock.now_ms() - KEEP_MS, |tx, before| {
            Box::pin(async move { Ok(tx.exec(&PURGE, params![*before]).await?) })
        })
        .await
}
