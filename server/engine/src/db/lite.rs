//! SQLite: connections, and statements on them.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    DbError, Statement,
    list::BoundQuery,
    value::{FromRow, Row, Value},
};

/// Above this number of pages in the write-ahead log, the writer itself copies the rest: the log restarts
/// only once it is copied completely, and beside a writer that never pauses, another thread always comes
/// a little late.
const LOG_PAGES_MAX: i64 = 8000;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reads.
    Read,
    /// Writes. What is committed survives a power failure.
    Write,
    /// Writes to a new database that nobody uses yet. A power failure may destroy it.
    Draft,
}

/// Opens the file, with the settings of all connections.
pub(super) fn connect(path: &Path, purpose: Purpose) -> Result<Connection, DbError> {
    let read_only = purpose == Purpose::Read;
    let flags = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX
    };
    let mut connection = Connection::open_with_flags(path, flags)?;
    // SQLite silently opens files without write permission as read-only.
    if !read_only && connection.is_readonly("main")? {
        return Err(DbError::Full(format!("{} is read-only", path.display())));
    }
    connection.busy_handler(Some(wait_a_moment))?;
    connection.set_prepared_statement_cache_capacity(512);
    // Query plans don't depend on parameters. Otherwise, a parameter in a CASE causes re-preparation.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if !read_only {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX)?;
    }
    let synchronous = if purpose == Purpose::Draft { "OFF" } else { "FULL" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    if let Ok(pages) = std::env::var("HAAT_TEST_MAX_PAGES")
        && !read_only
    {
        // Simulates a full disk in tests: SQLite won't let the file grow beyond this number of pages.
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(connection)
}

/// Writes the database as it is now to a new file, whole and durable.
pub(super) fn copy(connection: &Connection, to: &Path) -> Result<(), DbError> {
    let name = to.to_str().ok_or_else(|| DbError::Other(format!("{} is not UTF-8", to.display())))?;
    connection.execute("VACUUM INTO ?1", [name])?;
    let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|e| DbError::Full(format!("{}: {e}", to.display())))
}

/// Waits up to five seconds for a write of another process, such as the command line. SQLite's own busy
/// handler sleeps up to 100 ms at a time, while such a transaction takes one.
fn wait_a_moment(tries: i32) -> bool {
    std::thread::sleep(Duration::from_micros(200));
    tries < 25_000
}

pub(super) fn query<T: FromRow>(
    connection: &Connection,
    sql: &str,
    params: &[Value],
) -> Result<Vec<T>, DbError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(T::from_row(&Row::Lite(row))?);
    }
    Ok(found)
}

pub(super) fn ask<T: FromRow>(connection: &Connection, asked: &BoundQuery) -> Result<Vec<T>, DbError> {
    let (sql, params) = asked.for_lite();
    query(connection, &sql, params)
}

pub(super) fn exec(connection: &Connection, sql: &str, params: &[Value]) -> Result<u64, DbError> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
}

/// A transaction of the writer, which owns the connection as long as it lives.
pub(super) struct LiteTx {
    connection: Connection,
}

impl LiteTx {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn exec(&self, statement: &'static Statement, params: &[Value]) -> Result<u64, DbError> {
        exec(&self.connection, statement.for_lite(), params)
    }

    pub(super) fn exec_text(&self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        exec(&self.connection, sql, params)
    }
}
