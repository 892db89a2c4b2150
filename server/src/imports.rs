//! `haat import products` and `haat export products`.

use std::{
    fs::File,
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use haat_app::{i18n::Locale, words};
use haat_engine::{Caller, Engine, catalog::imports};
use haat_shared::{
    Error,
    catalog::{
        edit::ListSellerProducts,
        imports::{
            ExportFormat, Format, ImportOptions, ImportState, ImportView, NumberQuestion, NumberReading,
            RowError,
        },
    },
    number::DecimalMark,
};

/// How long a running server has to take over an import before the command line does it itself.
const PATIENCE: Duration = Duration::from_millis(700);
/// The number of errors printed; the file of `--errors` has all of them.
const PRINTED: usize = 20;

/// The arguments of an import.
pub(crate) struct Arguments<'a> {
    pub(crate) file: &'a Path,
    pub(crate) shop: &'a str,
    pub(crate) format: Option<Format>,
    pub(crate) decimal_mark: Option<DecimalMark>,
    pub(crate) dry_run: bool,
    pub(crate) skip_errors: bool,
    pub(crate) set_stock: bool,
    pub(crate) errors: Option<&'a Path>,
}

/// Reads and checks a file, and imports its valid products. Returns 2 if there were errors.
pub(crate) async fn import(engine: &Engine, arguments: Arguments<'_>) -> Result<ExitCode, String> {
    let (begun, system, shop) = (Instant::now(), Caller::system(), arguments.shop);
    let in_words = |error| match error {
        Error::NotFound => format!("no shop with the handle {shop}"),
        error => words::error(Locale::default(), &error),
    };
    let name = arguments.file.display().to_string();
    // It could be opened, but not read.
    if arguments.file.is_dir() {
        return Err(format!("{name} is a folder: name a file in it"));
    }
    let file = File::open(arguments.file).map_err(|e| format!("{name}: {e}"))?;
    let options = ImportOptions {
        file_name: arguments.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        format: arguments.format,
        decimal_mark: arguments.decimal_mark,
        set_stock: arguments.set_stock,
    };
    let on_progress = |products| progress(&format!("Products checked: {products}"));
    let id = imports::stage(engine, &system, shop, options, file, on_progress).await;
    progress("");
    let id = id.map_err(|e| format!("{name}: {}", in_words(e)))?;
    let read = imports::view(engine, &system, shop, id).await.map_err(in_words)?;
    if let Some(path) = arguments.errors {
        write_faults(engine, shop, &read, path).await?;
    }
    let faults = imports::faults(engine, &system, shop, id, "").await.map_err(in_words)?.items;
    for fault in faults.iter().take(PRINTED) {
        let (line, column, found) = (fault.line, &fault.column, &fault.found);
        let why = words::import_problem(Locale::default(), fault);
        print(format!(
            "line {line}, {}: {found:?} {why}",
            if column.is_empty() { "whole line" } else { column }
        ));
    }
    if read.faults > PRINTED as i64 {
        let more = read.faults - PRINTED as i64;
        let errors = if more == 1 { "error" } else { "errors" };
        print(format!("… and {more} more {errors}{}", see(arguments.errors)));
    }
    let unchanged = read.valid - read.new - read.changed;
    // No product is known to have errors if the errors are in lines that couldn't be read.
    let invalid = match (read.invalid, read.unread) {
        (0, 1..) => String::new(),
        (invalid, _) => format!(" Products with errors: {invalid}."),
    };
    print(format!(
        "Valid products: {} ({} new, {} updated, {unchanged} unchanged).{invalid}",
        read.valid, read.new, read.changed
    ));
    match read.unread {
        0 => {}
        1 => print("1 line couldn’t be read."),
        unread => print(format!("{unread} lines couldn’t be read.")),
    }
    if !read.prices.is_empty() {
        print("The first prices, as customers will see them:");
        for sample in &read.prices {
            let price = words::money(Locale::default(), sample.price);
            print(format!("  {}  {price}  {}", sample.sku, sample.title));
        }
    }
    if let Some(NumberQuestion { line, column, found, point, comma, .. }) = &read.question {
        imports::stop(engine, &system, shop, id).await.map_err(in_words)?;
        print(format!(
            "line {line}, {column}: {found:?} could mean two different amounts. Import the file again with"
        ));
        for (mark, reading) in [("point", point), ("comma", comma)] {
            let reading = match reading {
                NumberReading::Price(price) => words::money(Locale::default(), *price),
                NumberReading::Other(text) => text.clone(),
            };
            print(format!("  --decimal {mark}  if it means {reading}"));
        }
        print("Nothing was imported.");
        return Ok(ExitCode::from(2));
    }
    if read.state == ImportState::Failed {
        print("Nothing was imported: the file has no valid products.");
        return Ok(ended(read.faults));
    }
    let stops = arguments.dry_run || (read.faults > 0 && !arguments.skip_errors);
    if stops {
        imports::stop(engine, &system, shop, id).await.map_err(in_words)?;
        print(match arguments.dry_run {
            true => "Nothing was imported: this was a dry run.",
            false if read.valid == 0 => "Nothing was imported.",
            false => "Nothing was imported. Use --skip-errors to import the valid products.",
        });
        return Ok(ended(read.faults));
    }
    imports::start(engine, &system, shop, id, arguments.skip_errors, None).await.map_err(in_words)?;
    let done = follow(engine, shop, read).await.map_err(in_words)?;
    if let Some(path) = arguments.errors.filter(|_| done.refused > 0) {
        write_faults(engine, shop, &done, path).await?;
    }
    print(format!(
        "{} added, {} updated, {} unchanged, {} skipped in {} ms",
        done.added,
        done.updated,
        done.unchanged,
        done.invalid + done.refused,
        begun.elapsed().as_millis()
    ));
    match done.state {
        ImportState::Done => Ok(ended(done.faults)),
        _ => Err("the import was stopped before it finished".into()),
    }
}

fn ended(faults: i64) -> ExitCode {
    if faults == 0 { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

fn see(errors: Option<&Path>) -> String {
    match errors {
        Some(path) => format!(": see {}", path.display()),
        None => ": use --errors FILE to list them".into(),
    }
}

/// Waits for an import to complete. A running server does the work, because two writers would slow each
/// other down; otherwise it is done here.
async fn follow(engine: &Engine, shop: &str, mut seen: ImportView) -> Result<ImportView, Error> {
    tokio::time::sleep(PATIENCE).await;
    loop {
        let now = imports::view(engine, &Caller::system(), shop, seen.id).await?;
        progress(&format!("{} of {} products imported", now.turns(), now.valid));
        if now.state != ImportState::Applying {
            progress("");
            return Ok(now);
        }
        if now.turns() == seen.turns() {
            imports::work(engine).await.map_err(Error::from)?;
            seen = imports::view(engine, &Caller::system(), shop, seen.id).await?;
        } else {
            tokio::time::sleep(PATIENCE / 2).await;
            seen = now;
        }
    }
}

async fn write_faults(engine: &Engine, shop: &str, of: &ImportView, path: &Path) -> Result<(), String> {
    let in_file = |e: io::Error| format!("{}: {e}", path.display());
    let mut file = File::create(path).map_err(in_file)?;
    let mut wrote = Ok(());
    let say = |fault: &RowError| words::import_problem(Locale::default(), fault);
    let head = ["line", "column", "code", "value", "problem"];
    imports::faults_as_table(engine, &Caller::system(), shop, of.id, head, say, |part| {
        wrote = file.write_all(&part);
        wrote.is_ok()
    })
    .await
    .map_err(|e| e.to_string())?;
    wrote.map_err(in_file)
}

/// Prints a shop's products.
pub(crate) async fn export(engine: &Engine, shop: &str, format: ExportFormat) -> Result<ExitCode, String> {
    let (all, mut after) = (ListSellerProducts::default(), None);
    loop {
        let part = imports::export(engine, &Caller::system(), shop, format, &all, after).await;
        let part = part.map_err(|error| match error {
            Error::NotFound => format!("no shop with the handle {shop}"),
            error => error.to_string(),
        })?;
        io::stdout().write_all(&part.text).map_err(|e| e.to_string())?;
        after = part.next;
        if after.is_none() {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// A progress line that is overwritten, for interactive use.
fn progress(text: &str) {
    let mut out = io::stderr();
    if out.is_terminal() {
        let _ = write!(out, "\r\x1b[K{text}");
    }
}

fn print(text: impl std::fmt::Display) {
    let _ = writeln!(io::stdout(), "{text}");
}
