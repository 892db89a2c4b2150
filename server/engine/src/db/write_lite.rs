//! Reads and writes on SQLite: reads run inline on the calling thread, one thread writes, and another
//! copies the write-ahead log into the database file.
//!
//! The writer runs whole transactions on its thread. Those that queue up in the meantime share a commit:
//! each runs in a savepoint of its own, and none is acknowledged before the commit. If a transaction of the
//! group fails with more than a clean rejection, the group is rolled back and its members run one by one.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex, PoisonError, mpsc},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::oneshot;
use tracing::Span;

use super::{
    DbError,
    lite::{LiteTx, Purpose, connect, copy, exec},
    tx::{BoxFuture, SLOW, Stats, Tx},
};
use crate::{TxError, bug};

/// The oldest SQLite version that does not corrupt a write-ahead log when it is reset (3.51.3).
const OLDEST: i32 = 3_051_003;
/// The maximum number of transactions per commit.
const GROUP_MAX: usize = 64;
/// The maximum number of transactions that wait for the writer; further ones are rejected as busy.
const QUEUE_MAX: usize = 4096;
/// The number of pages in the write-ahead log from which it is copied to the file.
const LOG_PAGES: i64 = 1000;
/// How often the log's size is checked during writes.
const LOG_PAUSE: Duration = Duration::from_millis(50);

/// An open database file.
pub(super) struct Lite {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    queue: mpsc::SyncSender<Box<dyn Job>>,
}

impl Lite {
    /// Opens the file for writes, creating it if necessary, and starts the writer.
    pub(super) fn open(path: &Path, purpose: Purpose, stats: Arc<Stats>) -> Result<Self, DbError> {
        if rusqlite::version_number() < OLDEST {
            return Err(DbError::Other(format!("SQLite {} is too old", rusqlite::version())));
        }
        let (writer, copier) = (connect(path, purpose)?, connect(path, purpose)?);
        let (queue, jobs) = mpsc::sync_channel(QUEUE_MAX);
        let (written, news) = mpsc::sync_channel(1);
        let file = path.to_owned();
        let thread = |name: &str| std::thread::Builder::new().name(name.into());
        thread("haat-writer")
            .spawn(move || write_all(&file, purpose, writer, &jobs, &stats, &written))
            .and_then(|_| thread("haat-log").spawn(move || copy_log(&copier, &news)))
            .map_err(|e| DbError::Away(e.to_string()))?;
        Ok(Self { path: path.to_owned(), readers: Mutex::default(), queue })
    }

    /// Reads with a pooled connection, on the calling thread.
    pub(super) fn read<T>(&self, f: impl FnOnce(&Connection) -> Result<T, DbError>) -> Result<T, DbError> {
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => connect(&self.path, Purpose::Read)?,
        };
        let result = f(&connection)?;
        // After an error, the connection is dropped rather than reused, in case it is broken.
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(result)
    }

    /// Writes the database as it is now to a new file.
    pub(super) fn copy(&self, to: &Path) -> Result<(), DbError> {
        copy(&connect(&self.path, Purpose::Read)?, to)
    }

    /// Has the writer run a transaction and waits until it is durable.
    pub(super) async fn write<I, T, F>(&self, name: &'static str, input: I, f: F) -> Result<T, TxError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx, &'t I) -> BoxFuture<'t, Result<T, TxError>> + Send + Sync + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work = Work { name, span: Span::current(), input, f, outcome: None, reply };
        self.queue.try_send(Box::new(work)).map_err(|_| DbError::Away("the writer is overloaded".into()))?;
        answer.await.map_err(|_| DbError::Unknown("the writer stopped".into()))?
    }
}

/// The effect of a member of a commit group on the transaction.
#[derive(PartialEq)]
enum Ran {
    /// Keeps what it wrote.
    Keep,
    /// Rolls back its own writes; the rest of the transaction is kept.
    Undo,
    /// The transaction is no longer usable.
    Broken,
}

trait Job: Send {
    fn name(&self) -> &'static str;
    fn run(&mut self, tx: &mut Tx) -> Ran;
    /// Replies with the result, or with `error` if the surrounding transaction failed.
    fn answer(self: Box<Self>, error: Option<DbError>);
}

struct Work<I, T, F> {
    name: &'static str,
    span: Span,
    input: I,
    f: F,
    outcome: Option<Result<T, TxError>>,
    reply: oneshot::Sender<Result<T, TxError>>,
}

impl<I, T, F> Job for Work<I, T, F>
where
    I: Send + Sync,
    T: Send,
    F: for<'t> Fn(&'t mut Tx, &'t I) -> BoxFuture<'t, Result<T, TxError>> + Send + Sync,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self, tx: &mut Tx) -> Ran {
        let _in = self.span.enter();
        let run = AssertUnwindSafe(|| now(&mut (self.f)(tx, &self.input)));
        let outcome = std::panic::catch_unwind(run)
            .unwrap_or_else(|_| Some(Err(bug("a write panicked"))))
            .unwrap_or_else(|| Err(bug("a write awaited something other than SQL")));
        let ran = match &outcome {
            Ok(_) => Ran::Keep,
            Err(TxError::Db(error)) if !error.is_clean() => Ran::Broken,
            Err(_) => Ran::Undo,
        };
        self.outcome = Some(outcome);
        ran
    }

    fn answer(self: Box<Self>, error: Option<DbError>) {
        let outcome = match (self.outcome, error) {
            // A rejection holds whether or not the commit succeeded, since it wrote nothing.
            (Some(Err(fault)), _) => Err(fault),
            (_, Some(error)) => Err(error.into()),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(bug("a write was never run")),
        };
        // The caller may be gone; the write is durable all the same.
        let _ = self.reply.send(outcome);
    }
}

/// The result of a future that never waits; `None` if it does.
fn now<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Copies the write-ahead log to the file, so that writers need not.
fn copy_log(connection: &Connection, news: &mpsc::Receiver<()>) {
    let step = |mode| {
        let pages = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
        connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], pages)
    };
    while news.recv().is_ok() {
        let _ = guarded("the checkpoint thread", || {
            let copied =
                step("NOOP").and_then(|left| if left < LOG_PAGES { Ok(left) } else { step("PASSIVE") });
            if let Err(error) = copied {
                tracing::warn!(%error, "cannot checkpoint the write-ahead log");
            }
        });
        std::thread::sleep(LOG_PAUSE);
    }
}

/// Runs a step of a thread that must not die. `None` if it panicked.
fn guarded<T>(who: &str, step: impl FnOnce() -> T) -> Option<T> {
    let done = std::panic::catch_unwind(AssertUnwindSafe(step));
    if done.is_err() {
        tracing::error!(who, "panicked; continuing");
    }
    done.ok()
}

fn write_all(
    path: &Path,
    purpose: Purpose,
    connection: Connection,
    jobs: &mpsc::Receiver<Box<dyn Job>>,
    stats: &Arc<Stats>,
    written: &mpsc::SyncSender<()>,
) {
    let mut tx = Some(Tx::lite(LiteTx::new(connection), stats.clone()));
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        while group.len() < GROUP_MAX
            && let Ok(job) = jobs.try_recv()
        {
            group.push(job);
        }
        let turn = guarded("the writer", || {
            if tx.is_none() {
                match connect(path, purpose) {
                    Ok(connection) => tx = Some(Tx::lite(LiteTx::new(connection), stats.clone())),
                    Err(error) => {
                        tracing::error!(%error, "cannot reopen the database");
                        answer(group, Some(&error));
                        return false;
                    }
                }
            }
            let Some(tx) = &mut tx else { return false };
            let begun = Instant::now();
            let names = if group.len() == 1 { group[0].name() } else { "a group" };
            let trusted = run_group(tx, group, stats);
            // If the channel is full, a notification is already pending.
            let _ = written.try_send(());
            if begun.elapsed() > SLOW {
                tracing::warn!(
                    tx = names,
                    elapsed_ms = begun.elapsed().as_millis() as u64,
                    "slow transaction"
                );
            }
            trusted
        });
        if turn != Some(true) {
            // After a failed commit or a panic, the connection's state is unknown: open a new one next time.
            tx = None;
        }
    }
}

/// Replies to all of them, even if dropping one of their inputs panics.
fn answer(group: Vec<Box<dyn Job>>, error: Option<&DbError>) {
    for job in group {
        let _ = guarded("the caller of a write", || job.answer(error.cloned()));
    }
}

/// Runs the group in one transaction, or one by one if that fails. Returns false if the connection must
/// be replaced.
fn run_group(tx: &mut Tx, mut group: Vec<Box<dyn Job>>, stats: &Stats) -> bool {
    if group.len() > 1 {
        match try_group(tx, &mut group, stats) {
            Ok(()) => {
                answer(group, None);
                return true;
            }
            Err(Failed::AtCommit(error)) => {
                answer(group, Some(&error));
                return false;
            }
            Err(Failed::Before) => {}
        }
    }
    let mut trusted = true;
    for job in group {
        let mut alone = vec![job];
        let error = match try_group(tx, &mut alone, stats) {
            Ok(()) => None,
            Err(Failed::AtCommit(error)) => {
                trusted = false;
                Some(error)
            }
            Err(Failed::Before) => Some(DbError::Away("the transaction could not run".into())),
        };
        answer(alone, error.as_ref());
    }
    trusted
}

enum Failed {
    /// Rolled back; nothing was written.
    Before,
    /// The outcome is unknown.
    AtCommit(DbError),
}

fn try_group(tx: &mut Tx, group: &mut [Box<dyn Job>], stats: &Stats) -> Result<(), Failed> {
    let alone = group.len() == 1;
    let step = |tx: &mut Tx, sql| exec(tx.as_lite()?.connection(), sql, &[]).map(drop);
    if let Err(error) = step(tx, "BEGIN IMMEDIATE") {
        tracing::error!(%error, "cannot begin a transaction");
        return Err(Failed::Before);
    }
    for job in group.iter_mut() {
        if !alone && step(tx, "SAVEPOINT job").is_err() {
            return Err(roll_back(tx));
        }
        let ran = job.run(tx);
        let gone = tx.as_lite().map_or(true, |lite| lite.connection().is_autocommit());
        let undone = match ran {
            _ if gone => false,
            Ran::Broken => false,
            Ran::Keep if alone => true,
            Ran::Undo if alone => {
                roll_back(tx);
                return Ok(());
            }
            Ran::Keep => step(tx, "RELEASE job").is_ok(),
            Ran::Undo => step(tx, "ROLLBACK TO job").is_ok() && step(tx, "RELEASE job").is_ok(),
        };
        if !undone {
            return Err(roll_back(tx));
        }
    }
    if let Err(error) = step(tx, "COMMIT") {
        tracing::error!(%error, "commit failed");
        roll_back(tx);
        return Err(Failed::AtCommit(DbError::Unknown(error.to_string())));
    }
    stats.committed(group.len());
    Ok(())
}

fn roll_back(tx: &mut Tx) -> Failed {
    if let Ok(lite) = tx.as_lite()
        && !lite.connection().is_autocommit()
        && let Err(error) = lite.connection().execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "cannot roll back");
    }
    Failed::Before
}
