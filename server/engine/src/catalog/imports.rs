//! Product imports. A file is read and checked first; nothing of it is in the shop until the import is
//! started. Its products are then written in batches, so that shopping continues. The transaction that
//! writes a batch also removes it from the pending ones, so an interrupted import resumes where it stopped.

mod cells;
mod export;
mod icecat;
mod lines;
mod markup;
mod plan;
mod read;
mod record;
mod rows;
mod seen;
mod table;
mod unpack;
mod write;
mod xml;

use std::{
    future,
    io::{self, Read},
    pin::pin,
    time::{Duration, Instant},
};

use futures::future::{Either, select};

use super::edit;
use crate::{
    Caller, Engine, TxError, TxResult, audit, bug,
    bus::Topic,
    db::{Db, DbError, Scalar, Tx, Value},
    insert, params, random, rows, shops, spreadsheet, statements,
};
pub use export::export;
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Result,
    catalog::imports::{
        FAULTS_SHOWN, Format, ImportOptions, ImportState, ImportView, ImportsView, NumberQuestion,
        PRICES_SHOWN, PriceSample, RowError,
    },
    id::kinds::*,
    number::{DecimalMark, Notation},
    page::{self, Page, PageRequest},
    permissions::Permission,
    text,
};
use plan::{Entry, Hints, ImportPlan, ImportTarget, plan};
use read::Items;
use record::Item;
pub use record::{Record, VariantRecord};

/// The maximum number of products and lines of a batch. A batch takes a few milliseconds, so checkouts
/// never wait long for it.
const PRODUCTS_MAX: usize = 16;
const LINES_MAX: usize = 200;
/// The maximum number of bytes of a file that are checked at once, not counting the last product.
const BYTES_MAX: usize = 2 * 1024 * 1024;
/// The number of batches checked at once; checking writes little besides the batches.
const CHECKED_AT_ONCE: usize = 2;
/// The longest pause between two batches. Waiting transactions go first anyway.
const REST_MAX: Duration = Duration::from_millis(40);
/// The maximum number of errors stored; further ones are only counted.
const FAULTS_KEPT: i64 = 100_000;
/// The number of errors read at once for [`faults_as_table`].
const FAULTS_PAGE: i64 = 1000;
/// The position before the first error.
const FIRST: (i64, i64) = (0, -1);
/// A file that has not been read for this long is abandoned.
const SILENT_MS: i64 = 120_000;
/// How long inactive imports are kept.
const KEEP_MS: i64 = 30 * 24 * 3_600_000;
/// The number of a shop's imports that are listed.
const LISTED: i64 = 10;
/// How often a batch is attempted if other transactions conflict with it.
const TRIES: u32 = 5;

macro_rules! view {
    () => {
        "SELECT i.id, i.file_name, i.format, i.state, i.set_stock, i.valid, i.new, i.changed, i.invalid, i.faults, i.added, i.updated,
            i.unchanged, i.refused, i.unread, i.decimal_mark, i.question, i.prices, i.created_at, i.updated_at FROM imports i"
    };
}

statements! {
    CURRENCY = "SELECT currency AS value FROM shops WHERE id = $1";
    WAIT = "INSERT INTO import_batches (import_id, number, items) VALUES [($1, $2, $3)]";
    READ_ON = "UPDATE imports SET valid = valid + $2, new = new + $3, changed = changed + $4, invalid = invalid + $5, faults = faults + $6,
            updated_at = $7, unread = unread + $8, question = CASE WHEN question = '' THEN $9 ELSE question END,
            prices = CASE WHEN prices = '' THEN $10 ELSE prices END
        WHERE id = $1 AND state = 'reading'";
    CHECKED = "UPDATE imports SET state = 'checked', updated_at = $2 WHERE id = $1 AND state = 'reading'";
    START = "UPDATE imports SET state = 'applying', started_at = $3, updated_at = $3,
            decimal_mark = CASE WHEN decimal_mark = '' THEN $4 ELSE decimal_mark END
        WHERE id = $1 AND shop_id = $2 AND state = 'checked'";
    STOP = "UPDATE imports SET state = 'stopped', updated_at = $2 WHERE id = $1 AND state IN ('reading', 'checked', 'applying')";
    NEXT = "SELECT i.id, i.shop_id, i.user_id, i.format, i.set_stock, i.decimal_mark, s.currency FROM imports i JOIN shops s ON s.id = i.shop_id
        WHERE i.state = 'applying' ORDER BY i.started_at, i.id LIMIT 1";
    BATCH = "SELECT number, items FROM import_batches WHERE import_id = $1 ORDER BY number LIMIT 1";
    LOCK = "UPDATE imports SET updated_at = $2 WHERE id = $1 AND state = 'applying' RETURNING faults AS value";
    TAKE = "DELETE FROM import_batches WHERE import_id = $1 AND number = $2";
    WENT_IN = "UPDATE imports SET added = added + $2, updated = updated + $3, unchanged = unchanged + $4, refused = refused + $5,
            faults = faults + $6
        WHERE id = $1";
    ALL_IN = "UPDATE imports SET state = 'done', updated_at = $2 WHERE id = $1 AND state = 'applying'
            AND NOT EXISTS (SELECT 1 FROM import_batches p WHERE p.import_id = $1)";
    VIEW = concat!(view!(), " WHERE i.id = $1 AND i.shop_id = $2");
    LAST = concat!(view!(), " WHERE i.shop_id = $1 ORDER BY i.id DESC LIMIT $2");
    FAULTS = "SELECT line, number, field, code, found FROM import_errors
        WHERE import_id = $1 AND (line, number) > ($2, $3) ORDER BY line, number LIMIT $4";
    WARNINGS = "SELECT COUNT(*) AS value FROM import_errors WHERE import_id = $1 AND code IN ($2, $3, $4, $5)";
    PURGE = "DELETE FROM imports WHERE id = (SELECT i.id FROM imports i WHERE i.updated_at < $1 ORDER BY i.updated_at LIMIT 1)";
}

insert! {
    struct AddImport<'a> into imports {
        id: ImportId,
        shop_id: ShopId,
        user_id: Option<UserId>,
        file_name: &'a str,
        format: Format,
        set_stock: bool,
        created_at: i64,
        updated_at: i64,
        decimal_mark: &'a str;
        state = "'reading'",
        valid = "0",
        new = "0",
        changed = "0",
        invalid = "0",
        faults = "0",
        added = "0",
        updated = "0",
        unchanged = "0",
        refused = "0",
    }

    #[derive(Clone)]
    struct AddError<'a> into import_errors {
        import_id: ImportId,
        line: i64,
        number: i64,
        field: &'a str,
        code: String,
        found: &'a str,
    }
}

rows! {
    struct ViewRow {
        id: ImportId,
        file_name: String,
        format: Format,
        state: ImportState,
        set_stock: bool,
        valid: i64,
        new: i64,
        changed: i64,
        invalid: i64,
        faults: i64,
        added: i64,
        updated: i64,
        unchanged: i64,
        refused: i64,
        unread: i64,
        decimal_mark: String,
        question: String,
        prices: String,
        created_at: i64,
        updated_at: i64,
    }

    struct ErrorRow {
        line: i64,
        number: i64,
        field: String,
        code: String,
        found: String,
    }

    #[derive(Clone)]
    struct Next {
        id: ImportId,
        shop_id: ShopId,
        user_id: Option<UserId>,
        format: Format,
        set_stock: bool,
        decimal_mark: String,
        currency: Currency,
    }

    struct BatchRow {
        number: i64,
        items: String,
    }
}

/// Reads a file and checks it against the shop, which does not change. `on_progress` receives the number
/// of products read. Reads on the calling thread, so do not call it where others wait.
///
/// A file that is truncated, too large when unpacked or unreadable leaves a stopped import.
pub async fn stage(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    options: ImportOptions,
    file: impl Read,
    on_progress: impl FnMut(usize),
) -> Result<ImportId> {
    stage_until(engine, caller, handle, options, file, on_progress, future::pending()).await
}

/// The same, but the import is stopped if `gone` completes first.
pub async fn stage_until(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    options: ImportOptions,
    file: impl Read,
    on_progress: impl FnMut(usize),
    gone: impl Future<Output = ()>,
) -> Result<ImportId> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let currency: Scalar<Currency> = engine.db.one(&CURRENCY, params![shop]).await?;
    let (kind, items) = read::items(file, options.format, currency.0).map_err(|e| broken(&e))?;
    let notation = options.decimal_mark.map_or(kind.notation, Notation::Said);
    let (set_stock, likely) = (options.set_stock, kind.likely);
    let target = ImportTarget { shop, currency: currency.0, set_stock, notation, likely };
    let format = kind.format;
    let now = engine.clock.now_ms();
    let id: ImportId = random::id(now);
    let name = text::clip(&options.file_name, 200);
    let mark = options.decimal_mark.map_or("", DecimalMark::as_str);
    let row = (id, target, caller.user_id(), name, format, mark, now);
    let about = ("imports::open", id);
    let open = engine.db.write(about, row, |tx, (id, target, user, name, format, mark, now)| {
        Box::pin(async move {
            tx.insert(AddImport {
                id: *id,
                shop_id: target.shop,
                user_id: *user,
                file_name: name,
                format: *format,
                set_stock: target.set_stock,
                created_at: *now,
                updated_at: *now,
                decimal_mark: mark,
            })
            .await?;
            Ok::<_, TxError>(())
        })
    });
    open.await?;
    let reading = pin!(read_all(engine, id, target, format, items, on_progress));
    let read = match select(reading, pin!(gone)).await {
        Either::Left((read, _)) => read,
        Either::Right(_) => Err(Error::Offline),
    };
    if read.is_err() {
        end(engine, id).await?;
    }
    read.map(|()| id)
}

/// Why a file could not be read completely.
fn broken(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Error::TooLarge,
        // The upload's connection was lost.
        io::ErrorKind::ConnectionAborted => Error::Offline,
        _ => {
            tracing::warn!(%error, "a product file cannot be read");
            Error::field("file", FieldCode::NotARecord)
        }
    }
}

async fn read_all(
    engine: &Engine,
    id: ImportId,
    target: ImportTarget,
    format: Format,
    mut items: Items<'_>,
    mut on_progress: impl FnMut(usize),
) -> Result<()> {
    let (mut before, mut products, mut hints) = ((0, 0), 0, Hints::default());
    loop {
        let (batch, at_end) = some(&mut items).map_err(|e| broken(&e))?;
        let now = engine.clock.now_ms();
        products += batch.iter().filter(|item| !item.lines.is_empty()).count();
        if !batch.is_empty() {
            let begun = Instant::now();
            let mut staged = check(engine, target, batch, now).await?;
            hints = hints.and(std::mem::take(&mut staged.hints));
            staged.question = hints.question(staged.question);
            let input = (id, format, before, staged, now);
            before = engine
                .db
                .write(("imports::stage", id), input, |tx, (id, format, before, staged, now)| {
                    Box::pin(stage_in_tx(tx, *id, *format, *before, staged, *now))
                })
                .await?;
            rest(engine, begun).await;
        }
        on_progress(products);
        if at_end {
            let end = engine.db.write(("imports::checked", id), (id, now), |tx, (id, now)| {
                Box::pin(async move { Ok::<_, TxError>(tx.exec(&CHECKED, params![*id, *now]).await?) })
            });
            return if end.await? == 0 { Err(Error::NotFound) } else { Ok(()) };
        }
    }
}

/// Pauses for twice the time that was taken from buyers, or three times with a single writer.
async fn rest(engine: &Engine, begun: Instant) {
    let times = if engine.db.one_writes() { 3 } else { 2 };
    tokio::time::sleep((times * begun.elapsed()).min(REST_MAX)).await;
}

/// The next products, and whether they are the last.
fn some(items: &mut Items<'_>) -> io::Result<(Vec<Item>, bool)> {
    let (mut some, mut lines, mut bytes) = (Vec::new(), 0, 0);
    while some.len() < CHECKED_AT_ONCE * PRODUCTS_MAX
        && lines < CHECKED_AT_ONCE * LINES_MAX
        && bytes < BYTES_MAX
    {
        let Some(item) = items.next().transpose()? else { return Ok((some, true)) };
        lines += item.lines.len();
        bytes += item.bytes;
        some.push(item);
    }
    Ok((some, false))
}

/// Splits products into batches within the limits of products and lines.
fn batches(items: &[Item]) -> Vec<Vec<&Item>> {
    let (mut batches, mut lines) = (Vec::<Vec<&Item>>::new(), 0);
    for item in items {
        match batches.last_mut().filter(|batch| batch.len() < PRODUCTS_MAX && lines < LINES_MAX) {
            Some(batch) => batch.push(item),
            None => {
                lines = 0;
                batches.push(vec![item]);
            }
        }
        lines += item.lines.len();
    }
    batches
}

/// The result of checking some products, before any of them is stored.
struct Staged {
    valid: Vec<Item>,
    invalid: usize,
    new: usize,
    changed: usize,
    faults: Vec<RowError>,
    unread: i64,
    question: Option<NumberQuestion>,
    hints: Hints,
    prices: Vec<PriceSample>,
}

async fn check(engine: &Engine, target: ImportTarget, batch: Vec<Item>, now: i64) -> TxResult<Staged> {
    let (unread, read): (Vec<_>, Vec<_>) =
        batch.into_iter().partition(|item| !item.faults.is_empty() || item.unread > 0);
    let ImportPlan { entries, mut faults, holds, question, hints } =
        plan(&engine.db, target, &read, now).await?;
    let (whole, all) = (unread.iter().filter(|item| !item.lines.is_empty()).count(), read.len());
    let mut valid: Vec<Item> =
        read.into_iter().zip(holds).filter(|(_, holds)| *holds).map(|(item, _)| item).collect();
    let lines = unread.iter().map(|item| item.unread).sum();
    faults.extend(unread.into_iter().flat_map(|item| item.faults));
    faults.extend(valid.iter_mut().flat_map(|item| std::mem::take(&mut item.warnings)));
    faults.sort_by_key(|fault| fault.line);
    // Ambiguous prices are shown with the question instead.
    let certain = entries.iter().filter(|entry| !entry.doubtful);
    let prices = certain.flat_map(|Entry { draft, variants, .. }| {
        variants.iter().map(move |v| PriceSample {
            sku: v.sku.clone(),
            title: draft.title.clone(),
            price: v.draft.price,
        })
    });
    Ok(Staged {
        unread: lines,
        question,
        hints,
        prices: prices.take(PRICES_SHOWN).collect(),
        invalid: whole + all - valid.len(),
        new: entries.iter().filter(|e| e.before.is_none()).count(),
        changed: entries.iter().filter(|e| e.before.is_some() && e.differs()).count(),
        valid,
        faults,
    })
}

/// Stores the valid products as pending. Returns how many there are, and the number of errors including
/// those `before`.
async fn stage_in_tx(
    tx: &mut Tx,
    id: ImportId,
    format: Format,
    before: (i64, i64),
    staged: &Staged,
    now: i64,
) -> TxResult<(i64, i64)> {
    let Staged { valid, invalid, new, changed, faults, unread, question, prices, .. } = staged;
    let found = count(faults.len());
    let question = question.as_ref().map(edit::json).transpose()?.unwrap_or_default();
    let prices = if prices.is_empty() { String::new() } else { edit::json(prices)? };
    let (good_ones, invalid) = (count(valid.len()), count(*invalid));
    let row =
        params![id, good_ones, count(*new), count(*changed), invalid, found, now, *unread, question, prices];
    if tx.exec(&READ_ON, row).await? == 0 {
        return Err(Error::NotFound.into());
    }
    let (mut number, mut waiting) = (before.0, Vec::new());
    for batch in batches(valid) {
        let row: [Value; 3] = [id.into(), number.into(), edit::json(&batch)?.into()];
        waiting.push(row);
        number += count(batch.len());
    }
    tx.exec_many(&WAIT, &waiting).await?;
    note(tx, id, format, before.1, faults).await?;
    Ok((number, before.1 + found))
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Stores errors after the existing ones.
async fn note(tx: &mut Tx, id: ImportId, format: Format, before: i64, faults: &[RowError]) -> TxResult<()> {
    let mut rows = Vec::new();
    for (number, fault) in (before..FAULTS_KEPT).zip(faults) {
        let column = match (format, fault.column.as_str()) {
            (Format::Icecat, "sku") => "id",
            (Format::Icecat, "brand") => "supplier",
            (Format::Icecat, "description") => "short_description",
            (_, column) => column,
        };
        rows.push(AddError {
            import_id: id,
            line: fault.line,
            number,
            field: column,
            code: stored(fault.code),
            found: &fault.found,
        });
    }
    for rows in rows.chunks(1000) {
        tx.insert_all(rows.to_vec()).await?;
    }
    Ok(())
}

/// Starts an import. If there are errors, the caller must agree to skip them; if numbers can be read two
/// ways, the caller must choose.
pub async fn start(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: ImportId,
    skip_faults: bool,
    decimal_mark: Option<DecimalMark>,
) -> Result<()> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let of = view(engine, caller, handle, id).await?;
    if matches!(of.state, ImportState::Stopped | ImportState::Failed) {
        return Err(Conflict::ImportEnded.into());
    }
    if of.faults > 0 && !skip_faults {
        return Err(Error::field("skip_errors", FieldCode::Missing));
    }
    if of.question.is_some() && of.decimal_mark.or(decimal_mark).is_none() {
        return Err(Error::field("decimal_mark", FieldCode::Missing));
    }
    // An answer is ignored if there was no question.
    let mark = decimal_mark.filter(|_| of.question.is_some()).map_or("", DecimalMark::as_str);
    let input = (id, shop, caller.user_id(), of.file_name, mark, engine.clock.now_ms());
    engine
        .db
        .write(("imports::start", id), input, |tx, (id, shop, user, file_name, mark, now)| {
            Box::pin(async move {
                if tx.exec(&START, params![*id, *shop, *now, *mark]).await? == 0 {
                    // Already started.
                    return Ok(());
                }
                match user {
                    Some(_) => Ok(()),
                    None => audit::write(tx, None, "imports::start", *shop, file_name, *now).await,
                }
            })
        })
        .await?;
    engine.bus.publish(Topic::Imports, "");
    Ok(())
}

/// Cancels an import. Imported products stay.
pub async fn stop(engine: &Engine, caller: &Caller, handle: &str, id: ImportId) -> Result<()> {
    view(engine, caller, handle, id).await?;
    Ok(end(engine, id).await?)
}

async fn end(engine: &Engine, id: ImportId) -> TxResult<()> {
    engine
        .db
        .write(("imports::stop", id), (id, engine.clock.now_ms()), |tx, (id, now)| {
            Box::pin(async move {
                tx.exec(&STOP, params![*id, *now]).await?;
                Ok(())
            })
        })
        .await
}

/// Writes the next pending batch to its shop, then pauses. Returns the number of batches written: one, or
/// none if none is pending. Any number of nodes may do this at once.
pub async fn work(engine: &Engine) -> TxResult<usize> {
    let Some(next) = engine.db.opt::<Next>(&NEXT, params![]).await? else { return Ok(0) };
    let begun = Instant::now();
    for tries in 1.. {
        match work_on(engine, next.clone()).await {
            Ok(()) => break,
            // A concurrent change to the same products: try again with its result.
            Err(TxError::Db(DbError::Unique(_) | DbError::Constraint(_) | DbError::Again(_)))
                if tries < TRIES => {}
            Err(error @ TxError::Db(DbError::Away(_) | DbError::Full(_) | DbError::Unknown(_))) => {
                return Err(error);
            }
            Err(error) => {
                tracing::error!(%error, import.id = %next.id, "an import was stopped");
                end(engine, next.id).await?;
                break;
            }
        }
    }
    rest(engine, begun).await;
    Ok(1)
}

/// Writes the next batch, or completes the import if none is pending. The changes are computed outside
/// the transaction; versions and unique keys tell whether they are still valid.
async fn work_on(engine: &Engine, next: Next) -> TxResult<()> {
    let now = engine.clock.now_ms();
    let Some(BatchRow { number, items }) = engine.db.opt(&BATCH, params![next.id]).await? else {
        let end = engine.db.write(("imports::done", next.id), (next.id, now), |tx, (id, now)| {
            Box::pin(async move { Ok::<_, TxError>(tx.exec(&ALL_IN, params![*id, *now]).await?) })
        });
        end.await?;
        return Ok(engine.db.analyze().await?);
    };
    let items: Vec<Item> = serde_json::from_str(&items).map_err(|e| bug(e.to_string()))?;
    // If no separator was chosen, the file has no ambiguous numbers.
    let notation = DecimalMark::parse(&next.decimal_mark).map_or(Notation::Program, Notation::Said);
    let target = ImportTarget {
        shop: next.shop_id,
        currency: next.currency,
        set_stock: next.set_stock,
        notation,
        likely: DecimalMark::Point,
    };
    let plan = plan(&engine.db, target, &items, now).await?;
    let about = ("imports::work", next.id);
    let input = (next, number, items.len(), plan, now);
    let write = engine.db.write(about, input, |tx, (next, number, items, plan, now)| {
        Box::pin(work_in_tx(tx, next, *number, *items, plan, *now))
    });
    write.await
}

/// Writes a batch, unless it was written already.
async fn work_in_tx(
    tx: &mut Tx,
    &Next { id, shop_id, user_id, format, .. }: &Next,
    number: i64,
    items: usize,
    plan: &ImportPlan,
    now: i64,
) -> TxResult<()> {
    let Some(Scalar(faults)) = tx.opt(&LOCK, params![id, now]).await? else { return Ok(()) };
    if tx.exec(&TAKE, params![id, number]).await? == 0 {
        return Ok(());
    }
    let entries: Vec<_> = plan.entries.iter().filter(|entry| entry.differs()).collect();
    write::write(tx, shop_id, &entries, user_id, now).await?;
    note(tx, id, format, faults, &plan.faults).await?;
    let refused = plan.holds.iter().filter(|holds| !**holds).count();
    let added = entries.iter().filter(|entry| entry.before.is_none()).count();
    let updated = entries.len() - added;
    // Several lines may be about the same product.
    let unchanged = items.saturating_sub(added + updated + refused);
    let row =
        params![id, count(added), count(updated), count(unchanged), count(refused), count(plan.faults.len())];
    tx.exec(&WENT_IN, row).await?;
    Ok(())
}

/// An import of a shop, for members who manage its catalogue.
pub async fn view(engine: &Engine, caller: &Caller, handle: &str, id: ImportId) -> Result<ImportView> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let row: ViewRow = engine.db.opt(&VIEW, params![id, shop]).await?.ok_or(Error::NotFound)?;
    Ok(seen(engine, caller, row))
}

/// A shop's latest imports, newest first.
pub async fn list(engine: &Engine, caller: &Caller, handle: &str) -> Result<Vec<ImportView>> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let rows: Vec<ViewRow> = engine.db.all(&LAST, params![shop, LISTED]).await?;
    Ok(rows.into_iter().map(|row| seen(engine, caller, row)).collect())
}

/// The imports page: the import with this ID, or the latest ones if there is none.
pub async fn overview(engine: &Engine, caller: &Caller, handle: &str, id: &str) -> Result<ImportsView> {
    if id.is_empty() {
        let last = list(engine, caller, handle).await?;
        return Ok(ImportsView { open: None, faults: Vec::new(), warnings: 0, last });
    }
    let open = view(engine, caller, handle, id.parse()?).await?;
    let faults = faults_after(&engine.db, open.id, FIRST, FAULTS_SHOWN).await?.0;
    let warnings = if open.faults == 0 { 0 } else { warnings(&engine.db, open.id).await? };
    Ok(ImportsView { open: Some(open), faults, warnings, last: Vec::new() })
}

/// How many of the errors of an import are only warnings.
async fn warnings(db: &Db, id: ImportId) -> std::result::Result<i64, DbError> {
    let [a, b, c, d] = FieldCode::WARNINGS.map(stored);
    let count: Scalar<i64> = db.one(&WARNINGS, params![id, a, b, c, d]).await?;
    Ok(count.0)
}

fn seen(engine: &Engine, caller: &Caller, row: ViewRow) -> ImportView {
    // The process that was reading the file has died.
    let silent = row.state == ImportState::Reading && row.updated_at < engine.clock.now_ms() - SILENT_MS;
    let state = match row.state {
        _ if silent => ImportState::Stopped,
        ImportState::Checked if row.valid == 0 && row.question.is_empty() => ImportState::Failed,
        state => state,
    };
    ImportView {
        id: row.id,
        file_name: row.file_name,
        format: row.format,
        state,
        set_stock: row.set_stock,
        valid: row.valid,
        new: row.new,
        changed: row.changed,
        invalid: row.invalid,
        faults: row.faults,
        added: row.added,
        updated: row.updated,
        unchanged: row.unchanged,
        refused: row.refused,
        unread: row.unread,
        decimal_mark: DecimalMark::parse(&row.decimal_mark),
        question: serde_json::from_str(&row.question).ok(),
        prices: serde_json::from_str(&row.prices).unwrap_or_default(),
        created_at: caller.time(engine, row.created_at),
    }
}

/// The errors of an import in line order, page by page.
pub async fn faults(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: ImportId,
    of: impl Into<PageRequest<'_>>,
) -> Result<Page<RowError>> {
    view(engine, caller, handle, id).await?;
    let of = of.into();
    let after = match of.after {
        "" => FIRST,
        after => cursor(after).ok_or_else(|| Error::field("after", FieldCode::BadCursor))?,
    };
    let limit = page::rows(of.limit, FAULTS_SHOWN as usize);
    let rows: Vec<ErrorRow> = engine.db.all(&FAULTS, params![id, after.0, after.1, count(limit) + 1]).await?;
    Ok(Page::cut(rows, limit, |row| format!("{}.{}", row.line, row.number)).map(RowError::from))
}

/// A position in a list of errors: after this line and number.
fn cursor(after: &str) -> Option<(i64, i64)> {
    let (line, number) = after.split_once('.')?;
    Some((line.parse().ok()?, number.parse().ok()?))
}

/// All errors of an import, as a table: `head`, then one line per error, with the message of `say`. Each
/// part is passed to `to`, which returns whether to continue.
pub async fn faults_as_table(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: ImportId,
    head: [&str; 5],
    say: impl Fn(&RowError) -> String,
    mut to: impl FnMut(Vec<u8>) -> bool,
) -> Result<()> {
    view(engine, caller, handle, id).await?;
    let mut part = spreadsheet::table(|table| table.write_record(head))?;
    let mut after = FIRST;
    loop {
        let (faults, next) = faults_after(&engine.db, id, after, FAULTS_PAGE).await?;
        part.extend(spreadsheet::table(|table| {
            for fault in &faults {
                let (line, found) = (fault.line.to_string(), spreadsheet::escaped(&fault.found));
                let code = name_of(fault.code);
                table.write_record([
                    &line,
                    &spreadsheet::escaped(&fault.column),
                    &code,
                    &found,
                    &say(fault),
                ])?;
            }
            Ok(())
        })?);
        if !to(std::mem::take(&mut part)) || faults.is_empty() {
            return Ok(());
        }
        after = next;
    }
}

/// The stored form of a code: its name, or JSON if it carries a limit or a character.
fn stored(code: FieldCode) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(carrying) => carrying.to_string(),
        Err(_) => String::new(),
    }
}

fn name_of(code: FieldCode) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(carrying)) => carrying.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

async fn faults_after(
    db: &Db,
    id: ImportId,
    after: (i64, i64),
    limit: i64,
) -> std::result::Result<(Vec<RowError>, (i64, i64)), DbError> {
    let rows: Vec<ErrorRow> = db.all(&FAULTS, params![id, after.0, after.1, limit]).await?;
    let next = rows.last().map_or(after, |row| (row.line, row.number));
    Ok((rows.into_iter().map(RowError::from).collect(), next))
}

impl From<ErrorRow> for RowError {
    fn from(row: ErrorRow) -> Self {
        let carrying = serde_json::from_str(&row.code);
        let code = carrying.or_else(|_| serde_json::from_value(row.code.into()));
        let code = code.unwrap_or(FieldCode::NotARecord);
        Self { line: row.line, column: row.field, code, found: row.found }
    }
}

/// Deletes imports that have been inactive for long.
pub async fn purge(engine: &Engine) -> TxResult<()> {
    let before = engine.clock.now_ms() - KEEP_MS;
    // One at a time: imports that were never started still have all their batches.
    while engine
        .db
        .write("imports::purge", before, |tx, before| {
            Box::pin(async move { Ok(tx.exec(&PURGE, params![*before]).await?) })
        })
        .await?
        > 0
    {}
    Ok(())
}
