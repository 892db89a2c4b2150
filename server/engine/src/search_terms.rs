//! What people search for, and the words that an admin says mean the same.
//!
//! A node counts searches in memory and adds them to the market's counts every few seconds. Only words and numbers of searches
//! are kept, never who searched; what was searched for only once is forgotten after a week, and all of it after 90 days.

use crate::{Caller, Engine, TxResult, audit, db::Value, params, product_search::Counted, rows, statements};
use haat_shared::{
    Error, Result,
    catalog::synonyms::{self, SearchReport, SearchedTerm},
    id::kinds::JobId,
    permissions::AdminPermission,
};

/// How long counts wait in memory.
const EVERY_MS: i64 = 3_000;
/// How many days the report counts, today included, and how many terms it has.
const DAYS: i64 = 28;
const TERMS: i64 = 25;
/// After how many days a term is forgotten, and one that was searched for once a day at most.
const KEPT_DAYS: i64 = 90;
const RARE_DAYS: i64 = 7;

statements! {
    ADD = "INSERT INTO search_terms (day, term, searches, misses) VALUES [($1, $2, $3, $4)] ON CONFLICT (day, term)
        DO UPDATE SET searches = search_terms.searches + excluded.searches, misses = search_terms.misses + excluded.misses";
    SUM = "SELECT CAST(COALESCE(SUM(searches), 0) AS BIGINT) AS searches, CAST(COALESCE(SUM(misses), 0) AS BIGINT) AS misses FROM search_terms WHERE day >= $1";
    FREQUENT = "SELECT term, CAST(SUM(searches) AS BIGINT) AS searches, CAST(SUM(misses) AS BIGINT) AS misses FROM search_terms WHERE day >= $1
        GROUP BY term ORDER BY 2 DESC, term LIMIT $2";
    MISSED = "SELECT term, CAST(SUM(searches) AS BIGINT) AS searches, CAST(SUM(misses) AS BIGINT) AS misses FROM search_terms WHERE day >= $1 AND misses > 0
        GROUP BY term ORDER BY 3 DESC, term LIMIT $2";
    FORGET = "DELETE FROM search_terms WHERE day < $1 OR (day < $2 AND searches = 1)";
    SYNONYMS = "SELECT synonyms AS value FROM search_settings WHERE id = 1";
    SET_SYNONYMS = "INSERT INTO search_settings (id, rebuild_at, synonyms) VALUES (1, 0, $1)
        ON CONFLICT (id) DO UPDATE SET synonyms = excluded.synonyms";
}

rows! {
    struct SumRow {
        searches: i64,
        misses: i64,
    }

    struct TermRow {
        term: String,
        searches: i64,
        misses: i64,
    }
}

/// Adds what this node has counted to the market's counts, every few seconds.
pub async fn flush(engine: &Engine) -> TxResult<()> {
    let now = engine.clock.now_ms();
    let Some(counted) = engine.search.take_counted(now - EVERY_MS) else { return Ok(()) };
    let day = engine.zone.day(now);
    // In one order on all nodes: none waits for another that waits for it.
    let row = |(term, Counted { searches, misses }): (String, Counted)| -> [Value; 4] {
        [day.into(), term.into(), searches.into(), misses.into()]
    };
    let rows: Vec<[Value; 4]> = counted.into_iter().map(row).collect();
    engine
        .db
        .write("search_terms::flush", rows, |tx, rows| {
            Box::pin(async move { Ok(tx.exec_many(&ADD, rows).await.map(drop)?) })
        })
        .await
}

/// Forgets old and rare searches.
pub(crate) async fn purge(engine: &Engine) -> TxResult<()> {
    let today = engine.zone.day(engine.clock.now_ms());
    engine
        .db
        .write("search_terms::purge", today, |tx, today| {
            Box::pin(async move {
                Ok(tx.exec(&FORGET, params![*today - KEPT_DAYS, *today - RARE_DAYS]).await.map(drop)?)
            })
        })
        .await
}

/// What people searched for lately, and the synonyms. Admins only.
pub async fn report(engine: &Engine, caller: &Caller) -> Result<SearchReport> {
    caller.admin(AdminPermission::ManageCatalog)?;
    let since = engine.zone.day(engine.clock.now_ms()) - DAYS + 1;
    let sum: Option<SumRow> = engine.db.opt(&SUM, params![since]).await?;
    let term = |TermRow { term, searches, misses }| SearchedTerm { term, searches, misses };
    let frequent: Vec<TermRow> = engine.db.all(&FREQUENT, params![since, TERMS]).await?;
    let missed: Vec<TermRow> = engine.db.all(&MISSED, params![since, TERMS]).await?;
    let synonyms: Option<crate::db::Scalar<String>> = engine.db.opt(&SYNONYMS, params![]).await?;
    Ok(SearchReport {
        days: DAYS,
        searches: sum.as_ref().map_or(0, |sum| sum.searches),
        misses: sum.as_ref().map_or(0, |sum| sum.misses),
        frequent: frequent.into_iter().map(term).collect(),
        missed: missed.into_iter().map(term).collect(),
        synonyms: synonyms.map_or_else(String::new, |row| row.0),
    })
}

/// Replaces the synonyms. Nodes use them within a second; nothing is indexed anew. Admins only.
pub async fn set_synonyms(engine: &Engine, caller: &Caller, text: &str) -> Result<()> {
    caller.admin(AdminPermission::ManageCatalog)?;
    let groups = synonyms::read(text).map_err(|fault| Error::Invalid(vec![fault]))?;
    let lines: Vec<String> = groups.iter().map(|group| group.join(", ")).collect();
    let input = (lines, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write("search_terms::set_synonyms", input, |tx, (lines, user, now)| {
            Box::pin(async move {
                tx.exec(&SET_SYNONYMS, params![lines.join("\n").as_str()]).await?;
                let none = JobId::from_uuid(uuid::Uuid::nil());
                audit::write(tx, *user, "search_terms::set_synonyms", none, &lines.len().to_string(), *now)
                    .await
            })
        })
        .await?;
    Ok(())
}
