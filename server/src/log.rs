//! The log. A thread of its own writes lines to standard error, so that nothing waits for them; lines that
//! cannot be written (because of a full disk, or a full or closed pipe) are dropped and counted.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, Write},
    panic::PanicHookInfo,
    sync::{
        OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use tracing_subscriber::EnvFilter;

use crate::config;

/// The maximum number of bytes of lines waiting to be written; further lines are dropped.
const WAITING_MAX: usize = 1024 * 1024;
/// How long the program waits for the last lines at its end.
const LAST_LINES: Duration = Duration::from_secs(1);

static LINES: OnceLock<mpsc::Sender<Command>> = OnceLock::new();
static WAITING: AtomicUsize = AtomicUsize::new(0);
static LOST: AtomicU64 = AtomicU64::new(0);

enum Command {
    Line(Vec<u8>),
    /// Acknowledged when all lines before it are written.
    Flush(mpsc::SyncSender<()>),
}

/// The number of lines dropped since the program started.
pub(crate) fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Which events are logged.
pub(crate) fn filter(log: &config::Log) -> Result<EnvFilter, String> {
    // The NATS client logs every attempt to connect. The gateway logs whether there is a connection.
    // What the SDK of Stripe logs of a failed request names the page where a shopper pays. The gateway logs why it failed.
    EnvFilter::try_new(format!("async_nats=warn,stripe=off,{}", log.filter))
        .map_err(|e| format!("log.filter: {e}"))
}

/// Starts the log. Panics are logged too.
pub(crate) fn start(log: &config::Log) -> Result<(), String> {
    let filter = filter(log)?;
    start_writer().map_err(|e| format!("the log cannot start: {e}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // They would be printed to standard error, with a panic if that can't be written to.
        .log_internal_errors(false)
        .with_writer(|| Line);
    if log.json {
        builder.json().init()
    } else {
        builder.with_ansi(false).init()
    }
    std::panic::set_hook(Box::new(panicked));
    Ok(())
}

fn start_writer() -> io::Result<()> {
    let mut out = standard_error()?;
    let (lines, commands) = mpsc::channel();
    thread::Builder::new().name("haat-stderr".into()).spawn(move || write_all(&mut out, &commands))?;
    // A second call would set up a second subscriber, which `init` refuses.
    let _ = LINES.set(lines);
    Ok(())
}

/// The original standard error, before [`catch_output`].
fn standard_error() -> io::Result<Box<dyn Write + Send>> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        Ok(Box::new(std::fs::File::from(io::stderr().as_fd().try_clone_to_owned()?)))
    }
    #[cfg(not(unix))]
    Ok(Box::new(io::stderr()))
}

fn write_all(out: &mut dyn Write, commands: &mpsc::Receiver<Command>) {
    for command in commands {
        match command {
            Command::Line(line) => {
                if out.write_all(&line).is_err() {
                    LOST.fetch_add(1, Ordering::Relaxed);
                }
                WAITING.fetch_sub(line.len(), Ordering::Relaxed);
            }
            Command::Flush(done) => {
                let _ = done.try_send(());
            }
        }
    }
}

fn queue(line: &[u8]) {
    let fits = WAITING.fetch_add(line.len(), Ordering::Relaxed) + line.len() <= WAITING_MAX;
    let sent = fits && LINES.get().is_some_and(|lines| lines.send(Command::Line(line.to_vec())).is_ok());
    if !sent {
        WAITING.fetch_sub(line.len(), Ordering::Relaxed);
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

/// Accepts one line, and never fails.
struct Line;

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        queue(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn panicked(panic: &PanicHookInfo<'_>) {
    let what = panic.payload_as_str().unwrap_or("?");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let trace = Backtrace::capture();
    match trace.status() {
        BacktraceStatus::Captured => tracing::error!("panicked at {place}: {what}\n{trace}"),
        _ => tracing::error!("panicked at {place}: {what}"),
    }
}

/// Redirects what libraries print to the log: printing to a full pipe would block, and printing to a
/// closed one would panic.
#[cfg(unix)]
pub(crate) fn catch_output() -> io::Result<()> {
    use std::io::{BufRead, BufReader};

    /// The maximum length of a printed line in bytes.
    const LINE_MAX: u64 = 64 * 1024;

    let (printed, printer) = io::pipe()?;
    thread::Builder::new().name("haat-printed".into()).spawn(move || {
        let (mut printed, mut line) = (BufReader::new(printed), Vec::new());
        while io::Read::take(&mut printed, LINE_MAX).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            queue(&line);
            line.clear();
        }
    })?;
    rustix::stdio::dup2_stdout(&printer)?;
    rustix::stdio::dup2_stderr(&printer)?;
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn catch_output() -> io::Result<()> {
    Ok(())
}

/// Writes the program's last message after all lines of the log, with a short time limit.
pub fn last_word(line: &str) {
    let line = format!("{line}\n");
    match LINES.get() {
        Some(_) => queue(line.as_bytes()),
        // The reader of the pipe may have exited.
        None => drop(io::stderr().write_all(line.as_bytes())),
    }
    flush();
}

/// Waits until all lines are written, with a short time limit.
pub fn flush() {
    let (done, written) = mpsc::sync_channel(1);
    if LINES.get().is_some_and(|lines| lines.send(Command::Flush(done)).is_ok()) {
        let _ = written.recv_timeout(LAST_LINES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_of_the_documentation_are_understood() {
        let page = include_str!("../../docs/logging.md");
        let (_, filters) = page.split_once("## Filters").unwrap();
        let filters: Vec<_> =
            filters.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).collect();
        assert!(filters.len() > 4, "{filters:?}");
        for (filter, _) in filters {
            assert!(EnvFilter::try_new(filter).is_ok(), "{filter}");
        }
    }
}
