//! Quotas: how often something may happen per hour or day, counted in the database for all nodes together.

use std::collections::BTreeMap;

use crate::{
    Engine, TxResult,
    db::{Tx, Value},
    params, rows, statements,
};

/// An hour in milliseconds.
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// A day in milliseconds.
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

statements! {
    SPEND = "INSERT INTO quotas (kind, subject, ends_at, used) VALUES [($1, $2, $3, $4)]
        ON CONFLICT (kind, subject, ends_at) DO UPDATE SET used = quotas.used + excluded.used
        RETURNING kind, subject, used";
    PURGE = "DELETE FROM quotas WHERE ends_at < $1";
}

rows! {
    struct Used {
        kind: String,
        subject: Vec<u8>,
        used: i64,
    }
}

/// What is counted: its name, and the length of its period.
pub(crate) type QuotaKind = (&'static str, i64);

/// Whom something is counted for. The stored key cannot be reversed.
pub(crate) fn subject(engine: &Engine, of: &str) -> [u8; 32] {
    engine.secret.mac(&[b"quota\0", of.as_bytes()])
}

/// Increments a counter and returns its value in the current period. A caller who finds it above the
/// limit fails, and nothing is counted.
pub(crate) async fn spend_in_tx(
    tx: &mut Tx,
    what: &BTreeMap<(QuotaKind, [u8; 32]), i64>,
    now: i64,
) -> TxResult<BTreeMap<(&'static str, [u8; 32]), i64>> {
    let rows = what.iter().map(|(((kind, span), subject), count)| {
        let ends_at = (now / span + 1) * span;
        [(*kind).into(), (*subject).into(), ends_at.into(), (*count).into()]
    });
    let rows: Vec<[Value; 4]> = rows.collect();
    let used: Vec<Used> = tx.all_many(&SPEND, &rows).await?;
    let name = |kind: &str| what.keys().map(|((name, _), _)| *name).find(|name| *name == kind);
    let used = used
        .into_iter()
        .filter_map(|row| Some(((name(&row.kind)?, <[u8; 32]>::try_from(row.subject).ok()?), row.used)));
    Ok(used.collect())
}

pub(crate) async fn purge_in_tx(tx: &mut Tx, now: i64) -> TxResult<()> {
    tx.exec(&PURGE, params![now]).await?;
    Ok(())
}
