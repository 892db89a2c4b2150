//! Coupons as a table: exported, and imported again with the same columns.

use std::collections::HashSet;

use super::manage::{Owner, create_in_tx, json, of_market, of_shop, save_in_tx};
use crate::{
    Caller, Engine, TxError, bug,
    db::is_unique,
    params, random, rows,
    spreadsheet::{escaped, table, unescaped},
    statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Result,
    field::FieldError,
    id::kinds::*,
    permissions::AdminPermission,
    promotions::{CouponsImported, FILE_BYTES_MAX, FILE_ROWS_MAX, PromotionDraft, PromotionForm, fold_code},
    text,
};

/// The maximum number of errors that are reported at once.
const FAULTS_MAX: usize = 50;
/// The columns that only the market's coupons have.
const OF_MARKET: [&str; 2] = ["shops", "market_percent"];
const DELIMITERS: [char; 3] = [',', ';', '\t'];

statements! {
    COUPONS = "SELECT id, code_folded, currency, form, starts_at, ends_at, version FROM promotions
        WHERE COALESCE(shop_id = $1, $1 IS NULL AND shop_id IS NULL) AND code IS NOT NULL ORDER BY id";
}

rows! {
    struct CouponRow {
        id: PromotionId,
        code_folded: String,
        currency: Currency,
        form: String,
        starts_at: i64,
        ends_at: Option<i64>,
        version: i64,
    }
}

impl Owner {
    fn columns(self) -> impl Iterator<Item = &'static str> {
        let names = PromotionForm::default().fields().map(|(name, _)| name);
        names.into_iter().filter(move |name| self.shop.is_none() || !OF_MARKET.contains(name))
    }
}

/// A shop's coupons as a table, from the oldest one.
pub async fn export(engine: &Engine, caller: &Caller, handle: &str) -> Result<Vec<u8>> {
    export_in(engine, of_shop(engine, caller, handle).await?).await
}

/// The market's coupons as a table.
pub async fn export_of_market(engine: &Engine, caller: &Caller) -> Result<Vec<u8>> {
    export_in(engine, of_market(engine, caller, AdminPermission::SeePromotions)?).await
}

async fn export_in(engine: &Engine, owner: Owner) -> Result<Vec<u8>> {
    let rows: Vec<CouponRow> = engine.db.all(&COUPONS, params![owner.shop]).await?;
    let forms = rows.iter().map(|row| exported(engine, owner, row)).collect::<Result<Vec<_>>>()?;
    let columns: Vec<&str> = owner.columns().collect();
    table(|table| {
        table.write_record(&columns)?;
        forms.iter().try_for_each(|form| {
            let cells = form.fields().into_iter().filter(|(name, _)| columns.contains(name));
            table.write_record(cells.map(|(name, cell)| match (name, cell) {
                ("combines", "") => "no".to_owned(),
                ("combines", _) => "yes".to_owned(),
                (_, cell) => escaped(cell),
            }))
        })
    })
}

/// A coupon as it is exported: with the days on which it begins and ends, even if its form doesn't name them.
fn exported(engine: &Engine, owner: Owner, row: &CouponRow) -> Result<PromotionForm> {
    let form: PromotionForm = serde_json::from_str(&row.form).map_err(|error| bug(error.to_string()))?;
    let draft = form
        .check(row.currency, owner.shop.is_none())
        .map_err(|faults| bug(format!("the form of {} is invalid: {faults:?}", row.id)))?;
    let day = |ms: i64| engine.zone.local(ms).chars().take(10).collect::<String>();
    Ok(draft.form(&day(row.starts_at), &row.ends_at.map(|end| day(end - 1)).unwrap_or_default()))
}

/// Creates the coupons of a table, and updates those whose codes the shop has already: all of them, or none.
///
/// Errors are at `lines.4.percent`, with the line in the file, or at `coupons` if the whole file is wrong.
pub async fn import(engine: &Engine, caller: &Caller, handle: &str, file: &[u8]) -> Result<CouponsImported> {
    import_in(engine, of_shop(engine, caller, handle).await?, file).await
}

/// The same for the market's coupons.
pub async fn import_of_market(engine: &Engine, caller: &Caller, file: &[u8]) -> Result<CouponsImported> {
    import_in(engine, of_market(engine, caller, AdminPermission::ManagePromotions)?, file).await
}

/// A coupon that is written.
struct Change {
    line: u64,
    id: PromotionId,
    /// The version that it had; `None` for a new one.
    version: Option<i64>,
    draft: PromotionDraft,
    form: String,
    times: (Option<i64>, Option<i64>),
}

fn at(line: u64, fault: FieldError) -> FieldError {
    FieldError { field: format!("lines.{line}.{}", fault.field), ..fault }
}

fn invalid(mut faults: Vec<FieldError>) -> Error {
    faults.truncate(FAULTS_MAX);
    Error::Invalid(faults)
}

async fn import_in(engine: &Engine, owner: Owner, file: &[u8]) -> Result<CouponsImported> {
    let now = engine.clock.now_ms();
    let rows = read(file, owner).map_err(invalid)?;
    let known: Vec<CouponRow> = engine.db.all(&COUPONS, params![owner.shop]).await?;
    let (mut changes, mut faults, mut done) = (Vec::new(), Vec::new(), CouponsImported::default());
    let mut codes = HashSet::new();
    for (line, form) in rows {
        let draft = match form.check(owner.currency, owner.shop.is_none()) {
            Ok(draft) => draft,
            Err(wrong) => {
                faults.extend(wrong.into_iter().map(|fault| at(line, fault)));
                continue;
            }
        };
        let code = fold_code(draft.code.as_deref().unwrap_or_default());
        let old = known.iter().find(|row| row.code_folded == code);
        if !codes.insert(code) {
            faults.push(at(line, FieldError::new("code", FieldCode::NotUnique)));
            continue;
        }
        let (mut starts_at, mut ends_at) = (
            draft.starts_on.map(|day| engine.zone.begins(day)),
            draft.ends_on.map(|day| engine.zone.begins(day + 1)),
        );
        let mut form = draft.form(form.starts_on.trim(), form.ends_on.trim());
        match old {
            Some(old) => {
                let before = exported(engine, owner, old)?;
                if form.starts_on.is_empty() || form.starts_on == before.starts_on {
                    form.starts_on.clone_from(&before.starts_on);
                    starts_at = None;
                }
                // One that was ended in the middle of its last day stays ended.
                if form.ends_on == before.ends_on {
                    ends_at = old.ends_at;
                }
                if form == before {
                    done.unchanged += 1;
                    continue;
                }
                done.updated += 1;
            }
            None if starts_at.is_none() && ends_at.is_some_and(|end| end <= now) => {
                faults.push(at(line, FieldError::new("ends_on", FieldCode::TooSmall)));
                continue;
            }
            None => done.created += 1,
        }
        let (id, version) = match old {
            Some(old) => (old.id, Some(old.version)),
            None => (random::id(now), None),
        };
        changes.push(Change { line, id, version, draft, form: json(&form)?, times: (starts_at, ends_at) });
    }
    if !faults.is_empty() {
        return Err(invalid(faults));
    }
    let input = (owner, changes, now);
    let written = engine.db.write("promotions::import", input, |tx, (owner, changes, now)| {
        Box::pin(async move {
            let mut faults = Vec::new();
            for Change { line, id, version, draft, form, times } in changes {
                let written = match version {
                    Some(_) => save_in_tx(tx, *owner, (*id, *version), draft, form, *times, *now).await,
                    None => create_in_tx(tx, *owner, *id, draft, form, *times, *now).await,
                };
                match written {
                    Err(TxError::Rejected(Error::Invalid(wrong))) => {
                        faults.extend(wrong.into_iter().map(|fault| at(*line, fault)));
                    }
                    Err(fault) if is_unique(&fault) => {
                        let taken = at(*line, FieldError::new("code", FieldCode::NotUnique));
                        return Err(Error::Invalid(vec![taken]).into());
                    }
                    written => written?,
                }
            }
            if faults.is_empty() { Ok(()) } else { Err(invalid(faults).into()) }
        })
    });
    written.await?;
    Ok(done)
}

/// The coupons of a file with their lines, or what is wrong with it as a table.
fn read(file: &[u8], owner: Owner) -> std::result::Result<Vec<(u64, PromotionForm)>, Vec<FieldError>> {
    let whole = |code| vec![FieldError::new("coupons", code)];
    if file.len() > FILE_BYTES_MAX {
        return Err(whole(FieldCode::TooMany));
    }
    let file = std::str::from_utf8(file).map_err(|_| whole(FieldCode::NotUtf8))?;
    let file = file.trim_start_matches('\u{feff}');
    let known: Vec<&str> = owner.columns().collect();
    let column = |cell: &str| cell.trim().trim_matches('"').to_lowercase();
    let first = file.lines().next().unwrap_or_default();
    let found = |delimiter: char| {
        first.split(delimiter).filter(|cell| known.contains(&column(cell).as_str())).count()
    };
    let delimiter = DELIMITERS.into_iter().rev().max_by_key(|delimiter| found(*delimiter)).unwrap_or(',');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter as u8)
        .from_reader(file.as_bytes());
    let mut records = reader.records().map(|record| record.map_err(|_| whole(FieldCode::NotARecord)));
    let head = records.next().ok_or_else(|| whole(FieldCode::NoRows))??;
    let mut head: Vec<String> = head.iter().map(column).collect();
    while head.last().is_some_and(String::is_empty) {
        head.pop();
    }
    let mut faults = Vec::new();
    for (i, name) in head.iter().enumerate() {
        let wrong = match known.contains(&name.as_str()) {
            false => FieldCode::UnknownColumn,
            true if head[..i].contains(name) => FieldCode::DuplicateColumn,
            true => continue,
        };
        faults.push(at(1, FieldError::new(text::clip(name, 40), wrong)));
    }
    for needed in ["code", "label", "kind"].into_iter().filter(|needed| !head.iter().any(|n| n == needed)) {
        faults.push(at(1, FieldError::new(needed, FieldCode::Missing)));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut rows = Vec::new();
    // The reader counts neither empty lines before a row nor the second half of CR LF.
    let (mut counted, mut line) = (0, 1);
    for record in records {
        let record = record?;
        let begin = record.position().map_or(0, |at| at.byte() as usize);
        let empty = file[begin..].bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        line += file[counted..begin + empty].matches('\n').count() as u64;
        counted = begin + empty;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if rows.len() == FILE_ROWS_MAX {
            return Err(whole(FieldCode::TooMany));
        }
        // What a spreadsheet adds after the last column is empty.
        if record.len() < head.len() || record.iter().skip(head.len()).any(|cell| !cell.trim().is_empty()) {
            faults.push(at(line, FieldError::new("", FieldCode::CellCount)));
            continue;
        }
        let cell = |name: &str| {
            let cell = head.iter().position(|column| column == name).and_then(|i| record.get(i));
            unescaped(cell.unwrap_or_default().trim()).to_owned()
        };
        let mut form = PromotionForm::read(cell);
        form.kind.make_ascii_lowercase();
        match form.combines.to_lowercase().as_str() {
            "" | "no" | "0" | "false" => form.combines.clear(),
            "yes" | "1" | "true" => "1".clone_into(&mut form.combines),
            _ => faults.push(at(line, FieldError::new("combines", FieldCode::NotAChoice))),
        }
        if form.code.is_empty() {
            faults.push(at(line, FieldError::new("code", FieldCode::Missing)));
        }
        rows.push((line, form));
    }
    match (faults.is_empty(), rows.is_empty()) {
        (false, _) => Err(faults),
        (true, true) => Err(whole(FieldCode::NoRows)),
        (true, false) => Ok(rows),
    }
}
