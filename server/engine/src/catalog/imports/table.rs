//! Tables: a header, and one line per variant.

use std::{
    collections::VecDeque,
    io::{self, BufRead, Read},
};

use csv::ByteRecord;
use haat_shared::{
    FieldCode,
    catalog::{edit::VARIANTS_MAX, imports::RowError},
};

use super::{
    cells::{self, Columns},
    record::Item,
    rows::{Next, ROW_BYTES_MAX, Rows},
    seen::Seen,
};

/// The maximum size of all lines of a product.
pub(super) const PRODUCT_MAX: usize = ROW_BYTES_MAX;
/// The number of lines in which the header is looked for: titles and empty lines may precede it.
const HEADER_WITHIN: usize = 10;

/// The layout of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Layout {
    pub(super) delimiter: u8,
    /// The number of leading bytes that only declare the delimiter.
    skip: usize,
    /// The line of the header.
    header: i64,
}

impl Layout {
    /// Detects the layout of a table from its beginning.
    pub(super) fn of(head: &[u8]) -> Self {
        let rest = |skip: usize| &head[skip..];
        // Spreadsheets write and read this line.
        let first = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        let said = String::from_utf8_lossy(first).trim_matches(['"', ' ']).to_ascii_lowercase();
        let said = said.strip_prefix("sep=").map(|said| said.as_bytes().first().copied().unwrap_or(b'\t'));
        let skip = match (said, rest(first.len())) {
            (None, _) => 0,
            (Some(_), [b'\r', b'\n', ..]) => first.len() + 2,
            (Some(_), [_, ..]) => first.len() + 1,
            (Some(_), []) => first.len(),
        };
        let line = if skip > 0 { 2 } else { 1 };
        let begin = |delimiter: u8| {
            let mut rows = Rows::new(rest(skip), delimiter, line);
            std::iter::from_fn(move || rows.read().ok().flatten()).take(HEADER_WITHIN)
        };
        let candidates = said.map_or(vec![b',', b';', b'\t', b'|'], |said| vec![said]);
        let found = candidates.iter().filter_map(|delimiter| {
            let known = begin(*delimiter).filter_map(|next| match next {
                Next::Row { line, cells, .. } => Columns::known_in(&cells).map(|known| (known, line)),
                Next::Unread { .. } => None,
            });
            known.max_by_key(|(known, line)| (*known, -line)).map(|(known, line)| (known, line, *delimiter))
        });
        // Among delimiters that yield as many known columns, the first one wins.
        let best = found.reduce(|best, other| if other.0 > best.0 { other } else { best });
        if let Some((_, header, delimiter)) = best {
            return Self { delimiter, skip, header };
        }
        // Nothing looks like a header, so the first non-empty line is taken.
        let lines = String::from_utf8_lossy(rest(skip));
        let mut lines = lines.split('\n').flat_map(|line| line.trim_end_matches('\r').split('\r'));
        let (above, header) =
            (line..).zip(&mut lines).find(|(_, l)| !l.trim().is_empty()).unwrap_or((line, ""));
        Self { delimiter: said.unwrap_or_else(|| cells::delimiter(header)), skip, header: above }
    }
}

/// A table with one line per variant; the lines of a product are adjacent.
pub(super) struct Table<R> {
    rows: Rows<R>,
    columns: Columns,
    /// What is wrong with no product: errors of the header, warnings.
    notes: VecDeque<Item>,
    /// What was said already: that entities of HTML are decoded, and which columns have no name.
    decodes: bool,
    unnamed: Vec<String>,
    /// The product being read, and its name in the table.
    open: Option<(String, Item)>,
    /// The names of products that were read before.
    closed: Seen,
}

impl<R: BufRead> Table<R> {
    pub(super) fn new(mut file: R, layout: Layout) -> io::Result<Self> {
        io::copy(&mut (&mut file).take(layout.skip as u64), &mut io::sink())?;
        let mut rows = Rows::new(file, layout.delimiter, if layout.skip > 0 { 2 } else { 1 });
        let (columns, head) = loop {
            match rows.read()? {
                Some(Next::Row { line, cells, .. }) if line >= layout.header => {
                    let (columns, faults) = Columns::of(&cells, line);
                    rows.delimiters = columns.delimiters(cells.len());
                    break (columns, Item { faults, ..Item::default() });
                }
                // A title above the header.
                Some(Next::Row { .. }) => {}
                Some(Next::Unread { line, .. }) if line < layout.header => {}
                Some(unread) => break (Columns::of(&ByteRecord::new(), 1).0, malformed(unread)),
                None => {
                    let (columns, faults) = Columns::of(&ByteRecord::new(), 1);
                    break (columns, Item { faults, ..Item::default() });
                }
            }
        };
        let notes = Some(head).filter(|head| !head.faults.is_empty()).into_iter().collect();
        Ok(Self {
            rows,
            columns,
            notes,
            decodes: false,
            unnamed: Vec::new(),
            open: None,
            closed: Seen::default(),
        })
    }

    /// The number of remaining non-empty lines, which cannot be read without columns.
    fn rest(&mut self) -> io::Result<i64> {
        let mut lines = 0;
        while let Some(next) = self.rows.read()? {
            lines += match next {
                Next::Row { cells, .. } => i64::from(!is_empty(&cells)),
                Next::Unread { lines, .. } => lines,
            };
        }
        Ok(lines)
    }

    /// Reports something that may be intended: the seller is asked, and the product stays valid.
    fn warn(&mut self, line: i64, column: &str, code: FieldCode, found: &str) {
        self.notes.push_back(Item::default().fault(line, column, code, found));
    }

    fn close(&mut self) -> Option<Item> {
        let (called, mut item) = self.open.take()?;
        let names = item.record.options.as_ref().map_or(0, Vec::len);
        for (variant, line) in item.record.variants.iter_mut().zip(&item.lines) {
            let Some(values) = &mut variant.options else { continue };
            for (i, value) in values.iter().enumerate().skip(names).filter(|(_, v)| !v.trim().is_empty()) {
                let column = format!("option{}_name", i + 1);
                item.faults.push(RowError::new(*line, &column, FieldCode::Missing, value));
            }
            values.resize(names, String::new());
        }
        if !called.is_empty() {
            self.closed.add(&called);
        }
        Some(item)
    }
}

impl<R: BufRead> Iterator for Table<R> {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(note) = self.notes.pop_front() {
            return Some(Ok(note));
        }
        if !self.columns.any() {
            return match self.rest() {
                Ok(0) => None,
                Ok(unread) => Some(Ok(Item { unread, ..Item::default() })),
                Err(error) => Some(Err(error)),
            };
        }
        loop {
            let (line, row, swallows) = match self.rows.read() {
                Ok(Some(Next::Row { cells, .. })) if is_empty(&cells) => continue,
                Ok(Some(Next::Row { line, cells, swallows })) => (line, cells, swallows),
                Ok(Some(unread)) => return Some(Ok(malformed(unread))),
                Ok(None) => break,
                Err(error) => return Some(Err(error)),
            };
            let (called, mut item, markup) = self.columns.read(&row, line);
            for RowError { line, column, code, found } in markup {
                // Once is enough to know what happens to all of them.
                match code {
                    FieldCode::HtmlDecoded if std::mem::replace(&mut self.decodes, true) => continue,
                    FieldCode::UnknownColumn if self.unnamed.contains(&column) => continue,
                    FieldCode::UnknownColumn => self.unnamed.push(column.clone()),
                    _ => {}
                }
                self.warn(line, &column, code, &found);
            }
            if let Some(opened) = swallows {
                let long = row.iter().find(|cell| cell.contains(&b'\n')).unwrap_or_default();
                let found = String::from_utf8_lossy(long);
                item.warnings.push(RowError::new(opened, "", FieldCode::RowsInQuotes, &found));
            }
            item.bytes = row.as_slice().len();
            match &mut self.open {
                Some((open, first)) if !called.is_empty() && *open == called => merge(first, item),
                _ => {
                    let done = self.close();
                    if self.closed.has(&called) {
                        item = item.fault(line, "product", FieldCode::NotUnique, &called);
                    }
                    self.open = Some((called, item));
                    if done.is_some() {
                        return done.map(Ok);
                    }
                }
            }
        }
        self.close().map(Ok)
    }
}

fn is_empty(row: &ByteRecord) -> bool {
    row.iter().all(|cell| cell.trim_ascii().is_empty())
}

/// Unreadable lines of a table.
fn malformed(next: Next) -> Item {
    let Next::Unread { line, lines, last, code, begin } = next else { return Item::default() };
    let item = Item { unread: lines, ..Item::default() };
    let item = item.fault(line, "", code, String::from_utf8_lossy(&begin).trim());
    match last - line {
        ..=0 => item,
        1 => item.fault(last, "", FieldCode::NotRead, ""),
        _ => item.fault(line + 1, "", FieldCode::NotRead, &format!("{}–{last}", line + 1)),
    }
}

/// Adds a further line to a product. It may repeat or omit the product's fields of the first line.
fn merge(first: &mut Item, mut next: Item) {
    let line = next.lines.first().copied().unwrap_or_default();
    let (a, b) = (&first.record, &next.record);
    for ((column, first_says), (_, says)) in a.texts().into_iter().zip(b.texts()) {
        let says = says.unwrap_or_default().trim();
        if !says.is_empty() && says != first_says.unwrap_or_default().trim() {
            next.faults.push(RowError::new(line, column, FieldCode::Differs, says));
        }
    }
    if b.details.as_ref().is_some_and(|details| !details.is_empty()) && b.details != a.details {
        next.faults.push(RowError::new(line, "specifications", FieldCode::Differs, ""));
    }
    if let Some(options) = b.options.as_ref().filter(|o| !o.is_empty() && Some(*o) != a.options.as_ref()) {
        next.faults.push(RowError::new(line, "option1_name", FieldCode::Differs, &options.join(", ")));
    }
    first.faults.append(&mut next.faults);
    let whole = first.bytes.saturating_add(next.bytes);
    if whole > PRODUCT_MAX {
        if first.bytes <= PRODUCT_MAX {
            first.faults.push(RowError::new(line, "", FieldCode::LineTooLong, ""));
        }
        first.bytes = whole;
        return;
    }
    first.bytes = whole;
    // Lines beyond the limit aren't kept: one too many is enough to report it.
    if first.lines.len() <= VARIANTS_MAX {
        first.lines.push(line);
        first.warnings.append(&mut next.warnings);
        first.record.variants.append(&mut next.record.variants);
    }
}
