//! From a file to what it says of products, one product after the other. Pure but for the reading.

use std::{
    cell::Cell,
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    io::{self, BufRead, BufReader, Cursor, Read},
    rc::Rc,
};

use csv::ByteRecord;
use haat_shared::{
    Currency, FieldCode, Money,
    catalog::{
        Attribute,
        edit::VARIANTS_MAX,
        imports::{Format, RowFault},
    },
    number::{DecimalMark, Notation},
    text::{self, is_direction_override},
};
use serde_json::{Map, Value, error::Category};

use super::{
    cells::{self, Columns},
    record::{Item, Record, VariantRecord},
    rows::{Next, ROW_BYTES_MAX, Rows},
};

/// What a file may unpack to: a small file can hold a very large one.
const UNPACKED_MAX: u64 = 512 * 1024 * 1024;
/// How many times its own size a packed file may unpack to, beyond what any file may.
const RATIO_MAX: u64 = 200;
const UNPACKED_FREE: u64 = 8 * 1024 * 1024;
/// Most lines of a file.
const LINES_MAX: usize = 1_000_000;
/// Most bytes of all the lines of a product.
const PRODUCT_MAX: usize = ROW_BYTES_MAX;
/// Most bytes at the beginning that are looked at before anything is read.
const HEAD_BYTES_MAX: u64 = 1024 * 1024;
/// So many lines are looked at for the header of a table: titles and empty lines may stand above it.
const HEADER_WITHIN: usize = 10;
/// How many there are of what the Icecat catalogue lists; it does not say.
const ICECAT_STOCK: &str = "100";

/// The products of a file, one after the other.
pub(super) struct Items<'f> {
    items: Box<dyn Iterator<Item = io::Result<Item>> + 'f>,
    /// The SKUs so far.
    skus: Seen,
    /// How many lines there were.
    lines: usize,
}

/// What was there already. Of each it keeps 64 bits that nobody can foresee: a million long names take as little as short ones.
#[derive(Default)]
struct Seen {
    hashes: HashSet<u64>,
    keyed: RandomState,
}

impl Seen {
    fn has(&self, name: &str) -> bool {
        self.hashes.contains(&self.keyed.hash_one(name))
    }

    /// False if it was there already.
    fn add(&mut self, name: &str) -> bool {
        self.hashes.insert(self.keyed.hash_one(name))
    }
}

/// What a file is like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) format: Format,
    /// How it writes numbers.
    pub(super) notation: Notation,
    /// What probably stands before decimals.
    pub(super) likely: DecimalMark,
}

/// The products of a file, packed by gzip or not, and what the file is like.
pub(super) fn items<'f>(
    file: impl Read + 'f,
    format: Option<Format>,
    currency: Currency,
) -> io::Result<(Kind, Items<'f>)> {
    let came_in = Rc::<Cell<u64>>::default();
    let mut file = BufReader::with_capacity(64 * 1024, Counted { inner: file, bytes: came_in.clone() });
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let plain: Box<dyn Read + 'f> =
        if packed { Box::new(flate2::bufread::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let bounded = BufReader::with_capacity(64 * 1024, Bounded { inner: plain, bytes: 0, came_in });
    let mut plain = utf8(bounded);
    let mut head = Vec::new();
    let cut = (&mut plain).take(HEAD_BYTES_MAX).read_to_end(&mut head).err();
    if head.starts_with(b"\xef\xbb\xbf") {
        head.drain(..3);
    }
    let first = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let first_line = String::from_utf8_lossy(first).into_owned();
    let format = format.unwrap_or_else(|| Format::of(&first_line));
    let mut kind = Kind { format, notation: Notation::Program, likely: DecimalMark::Point };
    let told = of_another_kind(&head);
    let layout = Layout::of(&head);
    // What was read before it broke off is read again, and then it breaks off again.
    let whole = BufReader::new(Cursor::new(head).chain(Cut(cut)).chain(plain));
    let items: Box<dyn Iterator<Item = io::Result<Item>> + 'f> = match (told, format) {
        (Some(name), _) => {
            let item = Item::default().fault(1, "", FieldCode::NotATable, name);
            Box::new(std::iter::once(Ok(item)))
        }
        (None, Format::Csv) => {
            if layout.delimiter != b',' {
                kind.notation = Notation::Unknown;
            }
            if layout.delimiter == b';' {
                kind.likely = DecimalMark::Comma;
            }
            Box::new(Table::new(whole, layout)?)
        }
        (None, Format::Json) => Box::new(lines(whole).map(|line| Ok(line?.read(json)))),
        (None, Format::Icecat) => {
            Box::new(lines(whole).map(move |line| Ok(line?.read(|line| icecat(line, currency)))))
        }
    };
    Ok((kind, Items { items, skus: Seen::default(), lines: 0 }))
}

/// What a file is that cannot be read, by how it begins.
fn of_another_kind(head: &[u8]) -> Option<&'static str> {
    let text = head.trim_ascii_start();
    let begins = |with: &str| text.get(..with.len()).is_some_and(|t| t.eq_ignore_ascii_case(with.as_bytes()));
    Some(match () {
        () if head.starts_with(b"PK\x03\x04") => "XLSX, ODS, ZIP",
        () if head.starts_with(b"\xd0\xcf\x11\xe0") => "XLS",
        () if head.starts_with(b"%PDF-") => "PDF",
        () if head.starts_with(b"{\\rtf") => "RTF",
        () if head.starts_with(b"\xff\xfe\0\0") || head.starts_with(b"\0\0\xfe\xff") => "UTF-32",
        () if begins("<!doctype html") || begins("<html") || begins("<table") => "HTML",
        () if begins("<?xml") => "XML",
        () if text.starts_with(b"[") && text[1..].trim_ascii_start().starts_with(b"{") => "JSON [ … ]",
        () => return None,
    })
}

/// Breaks off once, as the file did.
struct Cut(Option<io::Error>);

impl Read for Cut {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The file in UTF-8, if it is in what spreadsheets call Unicode text: UTF-16.
fn utf8<'f>(mut file: impl Read + 'f) -> Box<dyn Read + 'f> {
    let mut begin = Vec::new();
    let cut = (&mut file).take(4).read_to_end(&mut begin).err();
    let big_endian = match begin.as_slice() {
        [0xff, 0xfe, 0, 0] => None,
        [0xff, 0xfe, ..] => Some(false),
        [0xfe, 0xff, ..] => Some(true),
        // Without a mark: letters of ASCII have a half that is nothing.
        [1..=255, 0, 1..=255, 0] => Some(false),
        [0, 1..=255, 0, 1..=255] => Some(true),
        _ => None,
    };
    let inner = Cursor::new(begin).chain(Cut(cut)).chain(file);
    match big_endian {
        Some(big_endian) => Box::new(Utf16 { inner, big_endian, text: Vec::new(), given: 0, high: None }),
        None => Box::new(inner),
    }
}

/// Text in UTF-16, as UTF-8. What is no text becomes a byte that is none either, and is told at its place.
struct Utf16<R> {
    inner: R,
    big_endian: bool,
    text: Vec<u8>,
    given: usize,
    /// The first half of a character.
    high: Option<u16>,
}

impl<R: Read> Utf16<R> {
    /// Decodes the next part.
    fn decode(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        let mut bytes = Vec::new();
        (&mut self.inner).take(8 * 1024).read_to_end(&mut bytes)?;
        let units = bytes.chunks(2).map(|pair| match *pair {
            [a, b] if self.big_endian => Ok(u16::from_be_bytes([a, b])),
            [a, b] => Ok(u16::from_le_bytes([a, b])),
            // Half of one.
            _ => Err(()),
        });
        let units: Vec<u16> = units.map(|unit| unit.unwrap_or(0xdc00)).collect();
        let at_end = units.is_empty();
        let mut units: Vec<u16> = self.high.take().into_iter().chain(units).collect();
        if !at_end && units.last().is_some_and(|last| (0xd800..0xdc00).contains(last)) {
            self.high = units.pop();
        }
        for letter in char::decode_utf16(units) {
            match letter {
                Ok(letter) => self.text.extend(letter.encode_utf8(&mut [0; 4]).bytes()),
                Err(_) => self.text.push(0xff),
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            self.decode()?;
            if self.text.is_empty() && self.high.is_none() {
                return Ok(0);
            }
        }
        let read = (&self.text[self.given..]).read(buffer)?;
        self.given += read;
        Ok(read)
    }
}

impl Iterator for Items<'_> {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut item = match self.items.next()? {
            Ok(item) => item,
            error => return Some(error),
        };
        self.lines += item.lines.len();
        if self.lines > LINES_MAX {
            return Some(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let Item { record, lines, faults, unread: _, bytes: _ } = &mut item;
        for (variant, line) in record.variants.iter_mut().zip(lines) {
            variant.sku = text::normalized_code(variant.sku.trim()).into_owned();
            let sku = variant.sku.as_str();
            if faults.iter().any(|f| f.line == *line && (f.column.is_empty() || f.column == "sku")) {
                continue;
            }
            if sku.is_empty() {
                faults.push(RowFault::new(*line, "sku", FieldCode::Missing, ""));
            } else if !self.skus.add(sku) {
                faults.push(RowFault::new(*line, "sku", FieldCode::NotUnique, sku));
            }
        }
        Some(Ok(item))
    }
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    bytes: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

/// Refuses to read on when there is more than there may be: in all, or for how little came in.
struct Bounded<R> {
    inner: R,
    bytes: u64,
    came_in: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        if self.bytes > UNPACKED_MAX || self.bytes > UNPACKED_FREE + RATIO_MAX * self.came_in.get() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(read)
    }
}

/// How a table is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Layout {
    delimiter: u8,
    /// How many bytes at the beginning say only that.
    skip: usize,
    /// The line that the names of the columns are on.
    header: i64,
}

impl Layout {
    /// The layout of a table by how it begins.
    fn of(head: &[u8]) -> Self {
        let rest = |skip: usize| &head[skip..];
        // Spreadsheets write this, and read it.
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
                Next::Row(line, row) => Columns::known_in(&row).map(|known| (known, line)),
                Next::Unread { .. } => None,
            });
            known.max_by_key(|(known, line)| (*known, -line)).map(|(known, line)| (known, line, *delimiter))
        });
        // Of those that know as many, the first.
        let best = found.reduce(|best, other| if other.0 > best.0 { other } else { best });
        if let Some((_, header, delimiter)) = best {
            return Self { delimiter, skip, header };
        }
        // Nothing is like a header: then it is the first line that says something.
        let lines = String::from_utf8_lossy(rest(skip));
        let mut lines = lines.split('\n').flat_map(|line| line.trim_end_matches('\r').split('\r'));
        let (above, header) =
            (line..).zip(&mut lines).find(|(_, l)| !l.trim().is_empty()).unwrap_or((line, ""));
        Self { delimiter: said.unwrap_or_else(|| cells::delimiter(header)), skip, header: above }
    }
}

/// A table: a line for each variant, those of a product below one another.
struct Table<R> {
    rows: Rows<R>,
    columns: Columns,
    /// What is wrong with the header of the table.
    head: Option<Item>,
    /// The product whose lines are being read, and what it is called in the table.
    open: Option<(String, Item)>,
    /// What products are called whose lines are behind us.
    closed: Seen,
}

impl<R: BufRead> Table<R> {
    fn new(mut file: R, layout: Layout) -> io::Result<Self> {
        io::copy(&mut (&mut file).take(layout.skip as u64), &mut io::sink())?;
        let mut rows = Rows::new(file, layout.delimiter, if layout.skip > 0 { 2 } else { 1 });
        let (columns, head) = loop {
            match rows.read()? {
                Some(Next::Row(line, row)) if line >= layout.header => {
                    let (columns, faults) = Columns::of(&row, line);
                    break (columns, Item { faults, ..Item::default() });
                }
                // A title above the header.
                Some(Next::Row(..)) => {}
                Some(Next::Unread { line, .. }) if line < layout.header => {}
                Some(unread) => break (Columns::of(&ByteRecord::new(), 1).0, malformed(unread)),
                None => {
                    let (columns, faults) = Columns::of(&ByteRecord::new(), 1);
                    break (columns, Item { faults, ..Item::default() });
                }
            }
        };
        let head = (!head.faults.is_empty()).then_some(head);
        Ok(Self { rows, columns, head, open: None, closed: Seen::default() })
    }

    /// How many lines that say something are left. They cannot be read without columns.
    fn rest(&mut self) -> io::Result<i64> {
        let mut lines = 0;
        while let Some(next) = self.rows.read()? {
            lines += match next {
                Next::Row(_, row) => i64::from(!is_empty(&row)),
                Next::Unread { lines, .. } => lines,
            };
        }
        Ok(lines)
    }

    fn close(&mut self) -> Option<Item> {
        let (called, mut item) = self.open.take()?;
        let names = item.record.options.as_ref().map_or(0, Vec::len);
        for (variant, line) in item.record.variants.iter_mut().zip(&item.lines) {
            let Some(values) = &mut variant.options else { continue };
            for (i, value) in values.iter().enumerate().skip(names).filter(|(_, v)| !v.trim().is_empty()) {
                let column = format!("option{}_name", i + 1);
                item.faults.push(RowFault::new(*line, &column, FieldCode::Missing, value));
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
        if let Some(head) = self.head.take() {
            return Some(Ok(head));
        }
        if !self.columns.any() {
            return match self.rest() {
                Ok(0) => None,
                Ok(unread) => Some(Ok(Item { unread, ..Item::default() })),
                Err(error) => Some(Err(error)),
            };
        }
        loop {
            let (line, row) = match self.rows.read() {
                Ok(Some(Next::Row(_, row))) if is_empty(&row) => continue,
                Ok(Some(Next::Row(line, row))) => (line, row),
                Ok(Some(unread)) => return Some(Ok(malformed(unread))),
                Ok(None) => break,
                Err(error) => return Some(Err(error)),
            };
            let (called, mut item) = self.columns.read(&row, line);
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

/// Lines of a table that cannot be read.
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

/// Adds a further line to a product. What the first line said of the whole it may say again or leave out.
fn merge(first: &mut Item, mut next: Item) {
    let line = next.lines.first().copied().unwrap_or_default();
    let (a, b) = (&first.record, &next.record);
    for ((column, first_says), (_, says)) in a.texts().into_iter().zip(b.texts()) {
        let says = says.unwrap_or_default().trim();
        if !says.is_empty() && says != first_says.unwrap_or_default().trim() {
            next.faults.push(RowFault::new(line, column, FieldCode::Differs, says));
        }
    }
    if b.details.as_ref().is_some_and(|details| !details.is_empty()) && b.details != a.details {
        next.faults.push(RowFault::new(line, "details", FieldCode::Differs, ""));
    }
    if let Some(options) = b.options.as_ref().filter(|o| !o.is_empty() && Some(*o) != a.options.as_ref()) {
        next.faults.push(RowFault::new(line, "option1_name", FieldCode::Differs, &options.join(", ")));
    }
    first.faults.append(&mut next.faults);
    let whole = first.bytes.saturating_add(next.bytes);
    if whole > PRODUCT_MAX {
        if first.bytes <= PRODUCT_MAX {
            first.faults.push(RowFault::new(line, "", FieldCode::LineTooLong, ""));
        }
        first.bytes = whole;
        return;
    }
    first.bytes = whole;
    // More than there can be are not even kept: one too many tells.
    if first.lines.len() <= VARIANTS_MAX {
        first.lines.push(line);
        first.record.variants.append(&mut next.record.variants);
    }
}

/// A line of a file with its number; without its text if that is too long.
struct Line(i64, Option<Vec<u8>>);

impl Line {
    fn read(self, read: impl FnOnce((i64, Vec<u8>)) -> Item) -> Item {
        match self {
            Self(number, Some(text)) => {
                let bytes = text.len();
                Item { bytes, ..read((number, text)) }
            }
            Self(number, None) => {
                Item { unread: 1, ..Item::default() }.fault(number, "", FieldCode::LineTooLong, "")
            }
        }
    }
}

/// The lines of a file that are not empty.
fn lines(mut file: impl BufRead) -> impl Iterator<Item = io::Result<Line>> {
    let mut number = 0;
    let mut next = move || -> io::Result<Option<Line>> {
        loop {
            let mut line = Vec::new();
            if (&mut file).take(ROW_BYTES_MAX as u64).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            number += 1;
            if line.len() == ROW_BYTES_MAX && !line.ends_with(b"\n") {
                skip_line(&mut file)?;
                return Ok(Some(Line(number, None)));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(Line(number, Some(line))));
            }
        }
    };
    std::iter::from_fn(move || next().transpose())
}

/// Goes on behind the end of the line.
fn skip_line(file: &mut impl BufRead) -> io::Result<()> {
    loop {
        let some = file.fill_buf()?;
        let (read, ends) = match some.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (some.len(), some.is_empty()),
        };
        file.consume(read);
        if ends {
            return Ok(());
        }
    }
}

/// A product a line, as `haat export products --format json` writes it.
fn json((number, line): (i64, Vec<u8>)) -> Item {
    let item = Item::at(number);
    let Ok(text) = std::str::from_utf8(&line) else {
        return item.fault(number, "", FieldCode::NotUtf8, &String::from_utf8_lossy(&line));
    };
    match serde_json::from_str::<Record>(text) {
        Ok(record) => Item { lines: vec![number; record.variants.len().max(1)], record, ..Item::default() },
        Err(error) if error.classify() == Category::Data => {
            item.fault(number, "", FieldCode::WrongType, &error.to_string())
        }
        Err(_) => item.fault(number, "", FieldCode::NotARecord, text),
    }
}

/// A product of the Icecat open catalogue. Its price is in minor units of the shop's currency.
fn icecat((number, line): (i64, Vec<u8>), currency: Currency) -> Item {
    let mut item = Item::at(number);
    let Ok(text) = std::str::from_utf8(&line) else {
        return item.fault(number, "", FieldCode::NotUtf8, &String::from_utf8_lossy(&line));
    };
    let Ok(about) = serde_json::from_str::<Map<String, Value>>(text) else {
        return item.fault(number, "", FieldCode::NotARecord, text);
    };
    let mut said = |name: &str, column: &str, one_line: bool| {
        let (text, fault) = match about.get(name) {
            None | Some(Value::Null) => (String::new(), None),
            Some(Value::String(text)) if one_line && cells::is_formula(text) => {
                (String::new(), Some((FieldCode::Formula, text.clone())))
            }
            Some(Value::String(text)) => (clean(text, one_line), None),
            Some(other) => (String::new(), Some((FieldCode::WrongType, other.to_string()))),
        };
        if let Some((code, found)) = fault {
            item.faults.push(RowFault::new(number, column, code, &found));
        }
        text
    };
    let (sku, title) = (said("id", "sku", true), said("title", "title", true));
    let brand = said("supplier", "brand", true);
    let description = said("short_description", "description", false);
    let category = about.contains_key("category").then(|| said("category", "category", true));
    let price = match about.get("price") {
        None | Some(Value::Null) => None,
        Some(Value::Number(price)) if price.is_i64() => price.as_i64(),
        Some(other) => {
            let fault = RowFault::new(number, "price", FieldCode::WrongType, &other.to_string());
            item.faults.push(fault);
            None
        }
    };
    item.record = Record {
        title: Some(title),
        brand: Some(brand),
        category,
        description: Some(description),
        details: Some(about.iter().filter_map(|(name, value)| attribute(name, value)).collect()),
        options: Some(Vec::new()),
        state: Some("published".into()),
        variants: vec![VariantRecord {
            sku,
            price: price.map(|minor| Money::new(minor, currency).plain()),
            stock: Some(ICECAT_STOCK.into()),
            ..VariantRecord::default()
        }],
    };
    item
}

/// What the catalogue says, without characters that would turn or break the text around it.
fn clean(text: &str, one_line: bool) -> String {
    let harmless = |c: &char| (!c.is_control() || *c == '\n') && !is_direction_override(*c);
    let text: String = text.trim().chars().filter(harmless).collect();
    if one_line { text.replace('\n', " ") } else { text }
}

/// `attr_n_weight: 3460.0` as "Weight", "3460".
fn attribute(name: &str, value: &Value) -> Option<Attribute> {
    let name = name.strip_prefix("attr_")?.split_once('_')?.1;
    let words = clean(name, true).split('_').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let mut letters = words.chars();
    let name: String = letters.next()?.to_uppercase().chain(letters).collect();
    let value = match value {
        Value::Bool(true) => "Yes".to_owned(),
        Value::Bool(false) => "No".to_owned(),
        Value::Number(number) => {
            let number = number.to_string();
            number.strip_suffix(".0").unwrap_or(&number).to_owned()
        }
        Value::String(text) => clean(text, true),
        _ => return None,
    };
    (!value.is_empty()).then_some(Attribute { name, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Item {
        icecat((7, line.as_bytes().to_vec()), Currency::INR)
    }

    #[test]
    fn hostile_lines_of_the_catalogue_are_cleaned() {
        let line = serde_json::json!({
            "id": "7", "title": "Lamp \u{202e}pmaL\nnew", "supplier": "A\u{0}b", "price": 1,
            "short_description": "One\r\nTwo\u{2066}", "attr_t_a\u{202e}b": "c\u{202e}d", "attr_t_empty": "",
        });
        let Item { record, faults, .. } = read(&line.to_string());
        assert_eq!(faults, []);
        assert_eq!((record.title.as_deref(), record.brand.as_deref()), (Some("Lamp pmaL new"), Some("Ab")));
        assert_eq!(record.description.as_deref(), Some("One\nTwo"));
        assert_eq!(record.details, Some(vec![Attribute { name: "Ab".into(), value: "cd".into() }]));
    }

    #[test]
    fn what_a_small_file_unpacks_to_is_bounded() {
        let came_in = Rc::new(Cell::new(1));
        let mut bounded = Bounded { inner: io::repeat(b'x'), bytes: 0, came_in: came_in.clone() };
        let mut buffer = vec![0; 512 * 1024];
        let mut read_all = || loop {
            if let Err(error) = bounded.read(&mut buffer) {
                return (error.kind(), bounded.bytes);
            }
        };
        let (kind, bytes) = read_all();
        assert_eq!(kind, io::ErrorKind::FileTooLarge, "more than 200 times what came in");
        assert!(bytes < UNPACKED_FREE + 1024 * 1024, "{bytes}");
        came_in.set(UNPACKED_MAX);
        let (kind, bytes) = read_all();
        assert_eq!(kind, io::ErrorKind::FileTooLarge);
        assert!((UNPACKED_MAX..UNPACKED_MAX + 1024 * 1024).contains(&bytes), "{bytes}");
    }

    #[test]
    fn a_line_that_is_too_long_is_told_and_the_others_are_read() {
        let long = "x".repeat(ROW_BYTES_MAX);
        let line = |sku: &str| format!("{{\"title\":\"Cup\",\"variants\":[{{\"sku\":\"{sku}\"}}]}}\n");
        let icecat = |id: &str| format!("{{\"id\":\"{id}\",\"title\":\"Cup\"}}\n");
        for (file, unread) in [
            (format!("{}{{\"title\":\"{long}\"}}\n{}", line("A"), line("B")), 1),
            (format!("{}\n{{\"id\":\"{long}\"}}\n{}", icecat("A"), icecat("B")), 1),
            (format!("{}{{\"title\":\"{long}", line("A")), 1),
            (format!("sku,title\nA,Cup\nC,{long}\nB,Jug\n"), 1),
            (format!("sku,title\nA,Cup\nC,\"{long}\nB,Jug\n"), 2),
        ] {
            let items = all(file.as_bytes());
            let faults: Vec<_> = items.iter().flat_map(|item| &item.faults).map(|fault| fault.code).collect();
            assert_eq!(faults.first(), Some(&FieldCode::LineTooLong), "{}", &file[..40]);
            assert_eq!(items.iter().map(|item| item.unread).sum::<i64>(), unread, "{}", &file[..40]);
            let read = items.iter().flat_map(|item| &item.record.variants).filter(|v| v.sku.len() == 1);
            assert_eq!(
                read.count(),
                if file.contains("B") && unread == 1 { 2 } else { 1 },
                "{}",
                &file[..40]
            );
        }
    }

    #[test]
    fn what_a_product_takes_is_bounded() {
        let long = "x".repeat(PRODUCT_MAX / 4);
        let lines: String = (0..50).map(|i| format!("p,S{i},{long}\n")).collect();
        let items = all(format!("product,sku,price\n{lines}").as_bytes());
        assert_eq!((items.len(), items[0].lines.len()), (1, 3));
        assert_eq!(items[0].faults.len(), 1, "told once");
        assert_eq!((items[0].faults[0].line, items[0].faults[0].code), (5, FieldCode::LineTooLong));
    }

    #[test]
    fn more_lines_than_there_may_be_are_refused() {
        let (_, mut items) = items(&b"sku\nA\nB\nC\n"[..], None, Currency::INR).unwrap();
        items.lines = LINES_MAX - 2;
        let read: Vec<_> = items.collect();
        assert!(read[0].is_ok() && read[1].is_ok());
        let error = read[2].as_ref().err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_product_of_more_lines_than_it_may_have_is_not_kept_whole() {
        let lines: String = (0..500).map(|i| format!("p,S{i}\n")).collect();
        let file = format!("product,sku\n{lines}");
        let items = all(file.as_bytes());
        assert_eq!((items.len(), items[0].lines.len()), (1, VARIANTS_MAX + 1));
    }

    fn all(file: &[u8]) -> Vec<Item> {
        items(file, None, Currency::INR).unwrap().1.map(Result::unwrap).collect()
    }

    /// The SKU and price of each product, and the faults, of a table.
    type Told = (Vec<(String, String)>, Vec<(i64, String, FieldCode)>);

    fn told(file: &[u8]) -> Told {
        let items = all(file);
        let variants = items.iter().flat_map(|item| &item.record.variants);
        let faults = items.iter().flat_map(|item| &item.faults);
        (
            variants.map(|v| (v.sku.clone(), v.price.clone().unwrap_or_default())).collect(),
            faults.map(|f| (f.line, f.column.clone(), f.code)).collect(),
        )
    }

    fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if big_endian { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    }

    #[test]
    fn tables_are_read_however_they_are_laid_out() {
        let two = [("A-1", "120"), ("A-2", "130")];
        let marked = |text: &str, big| utf16(&format!("\u{feff}{text}"), big);
        let table = "sku,title,price\nA-1,Cup,120\nA-2,Jug,130\n";
        for (name, file) in [
            ("plain", table.as_bytes().to_vec()),
            ("CR LF", table.replace('\n', "\r\n").into_bytes()),
            ("CR alone", table.replace('\n', "\r").into_bytes()),
            ("a byte order mark and CR alone", format!("\u{feff}{}", table.replace('\n', "\r")).into_bytes()),
            ("empty cells beyond the header", b"sku,title,price\nA-1,Cup,120,,,\nA-2,Jug,130, ,\n".to_vec()),
            ("unnamed columns", b"sku,title,price,,,\nA-1,Cup,120\nA-2,Jug,130,,,,,\n,,,,,\n".to_vec()),
            ("an unnamed column in between", b"sku,,title,price\nA-1,,Cup,120\nA-2,,Jug,130\n".to_vec()),
            (
                "a line break in the header",
                b"\"SKU \",\"Title\",\"Price\r\n\"\nA-1,Cup,120\nA-2,Jug,130\n".to_vec(),
            ),
            (
                "spaces in the header",
                " Sku\u{a0},\u{200b}TITLE , Price\nA-1,Cup,120\nA-2,Jug,130\n".as_bytes().to_vec(),
            ),
            ("sep=;", format!("sep=;\r\n{}", table.replace(',', ";")).into_bytes()),
            ("SEP=tab", format!("SEP=\t\n{}", table.replace(',', "\t")).into_bytes()),
            ("a quoted sep=", format!("\u{feff}\"sep=|\"\n{}", table.replace(',', "|")).into_bytes()),
            ("sep= and CR alone", format!("sep=,\n{table}").replace('\n', "\r").into_bytes()),
            ("bars", table.replace(',', "|").into_bytes()),
            ("a title above", format!("Price list, spring; all prices incl. tax\n{table}").into_bytes()),
            ("a title, its cells and an empty line above", format!("Price list,,\n\n{table}").into_bytes()),
            ("a title over two lines above", format!("\"Price\nlist\",,\n,,\n{table}").into_bytes()),
            ("a title of other commas", format!("a,b,c,d,e\n{}", table.replace(',', ";")).into_bytes()),
            ("no last line break", table.trim_end().as_bytes().to_vec()),
            ("UTF-16, little end first", marked(table, false)),
            ("UTF-16, big end first", marked(table, true)),
            ("UTF-16 without a mark", utf16(table, false)),
            ("UTF-16 without a mark, big end first", utf16(table, true)),
            ("UTF-16 with tabs and CR LF", marked(&table.replace(',', "\t").replace('\n', "\r\n"), false)),
        ] {
            let (variants, faults) = told(&file);
            let variants: Vec<_> =
                variants.iter().map(|(sku, price)| (sku.as_str(), price.as_str())).collect();
            assert_eq!((variants.as_slice(), faults.as_slice()), (two.as_slice(), [].as_slice()), "{name}");
        }
    }

    #[test]
    fn tables_that_cannot_be_read_say_why() {
        use FieldCode::*;
        let table: [(&[u8], (i64, &str, FieldCode)); 13] = [
            (b"sku,title,price,price\nA-1,Cup,120,90\n", (1, "price", DuplicateColumn)),
            (b"sku,title,price,Price \nA-1,Cup,120,90\n", (1, "Price", DuplicateColumn)),
            (b"sku,SKU,price\nA-1,A-1,120\n", (1, "SKU", DuplicateColumn)),
            (b"List\n\nsku;price;price\nA-1;120;90\n", (3, "price", DuplicateColumn)),
            (b"title,price\nCup,120\n", (1, "sku", Missing)),
            (b"\"sku,title,price\nA-1,Cup,120\n", (1, "", BadQuotes)),
            (b"PK\x03\x04\x14\0\x06\0xl/workbook.xml", (1, "", NotATable)),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", (1, "", NotATable)),
            (b"\xff\xfe\0\0s\0\0\0k\0\0\0", (1, "", NotATable)),
            (b"%PDF-1.7\nsku", (1, "", NotATable)),
            (b"\n<HTML><table><tr><td>sku</td>", (1, "", NotATable)),
            (b"<?xml version=\"1.0\"?><Workbook/>", (1, "", NotATable)),
            (b"[\n {\"title\": \"Cup\"}\n]", (1, "", NotATable)),
        ];
        for (file, expected) in table {
            let (variants, faults) = told(file);
            let name = String::from_utf8_lossy(file);
            assert!(variants.is_empty(), "{name}");
            let (line, column, code) = expected;
            assert!(faults.contains(&(line, column.to_owned(), code)), "{name}: {faults:?}");
        }
        // What cannot be read is counted.
        let unread = |file: &[u8]| all(file).iter().map(|item| item.unread).sum::<i64>();
        assert_eq!(unread(b"sku,price,price\nA,1,2\n\nB,1,2\n\"C\nD,1"), 4);
        assert_eq!(unread(b"sku,price\nA,1\n\"B\" x,1\nC,1\nD,\"1\nE,1\nF,1\n"), 4);
    }

    #[test]
    fn what_is_no_text_in_utf_16_is_told_at_its_place() {
        let mut file = utf16("\u{feff}sku,title,price\nA-1,🏺 Krug,120\nA-2,Jug", false);
        // Half of a character, and behind it half of a half.
        file.extend([0x3d, 0xd8]);
        file.extend(utf16(",130\nA-3,Pot,140", false));
        file.push(b'x');
        let (variants, faults) = told(&file);
        assert_eq!(variants.len(), 3);
        assert_eq!(all(&file)[0].record.title.as_deref(), Some("🏺 Krug"));
        assert_eq!(
            faults,
            [(3, "title".into(), FieldCode::NotUtf8), (4, "price".into(), FieldCode::NotUtf8)]
        );
        // However it is cut.
        let long = format!("sku,title\n{}", (0..4_000).map(|i| format!("A{i},🏺🏺🏺\n")).collect::<String>());
        assert!(
            all(&utf16(&long, true))
                .iter()
                .all(|i| i.record.title.as_deref() == Some("🏺🏺🏺") && i.faults.is_empty())
        );
    }

    #[test]
    fn numbers_of_json_are_what_they_are() {
        let line = r#"{"title":"Cup","variants":[{"sku":"A","price":1249.5,"stock":3},{"sku":"B","price":12.125,"compare_at":null},{"sku":"C","price":"12,500"}]}"#;
        let items = all(line.as_bytes());
        let prices: Vec<_> = items[0].record.variants.iter().map(|v| v.price.as_deref()).collect();
        assert_eq!(prices, [Some("1249.5"), Some("12.1250"), Some("12,500")]);
        assert_eq!(items[0].record.variants[0].stock.as_deref(), Some("3"));
    }
}
