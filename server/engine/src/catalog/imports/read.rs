//! From a file to what it says of products, one product after the other. Pure but for the reading.

use std::{
    collections::{HashMap, HashSet},
    io::{self, BufRead, BufReader, Cursor, Read},
};

use haat_shared::{
    Currency, FieldCode, Money,
    catalog::{
        Attribute,
        edit::VARIANTS_MAX,
        imports::{Format, RowFault},
    },
    text::is_direction_override,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, error::Category};

use super::cells::{self, Columns};

/// What a file may unpack to: a small file can hold a very large one.
const UNPACKED_MAX: u64 = 512 * 1024 * 1024;
/// Most bytes that the first line is looked for in.
const FIRST_LINE_MAX: u64 = 1024 * 1024;
/// How many there are of what the Icecat catalogue lists; it does not say.
const ICECAT_STOCK: &str = "100";

/// What a file says of a product, as it was typed. Where it says nothing, the product stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Record {
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The slug of its category; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Vec<Attribute>>,
    /// What its variants differ in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<String>>,
    /// `draft`, `published` or `archived`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its variants, or some of them.
    pub variants: Vec<VariantRecord>,
}

impl Record {
    /// What it says in one text each, by the names of the columns.
    pub(super) fn texts(&self) -> [(&'static str, Option<&str>); 5] {
        let Self { title, brand, category, description, state, details: _, options: _, variants: _ } = self;
        let texts = [
            ("title", title),
            ("brand", brand),
            ("category", category),
            ("description", description),
            ("state", state),
        ];
        texts.map(|(column, text)| (column, text.as_deref()))
    }
}

/// What a file says of a variant, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VariantRecord {
    /// What the shop calls it: by this it is known again.
    pub sku: String,
    /// Its values of the product's options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<String>>,
    /// What tells it from its siblings where the product names no options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What one costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// What one cost before; empty for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<String>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock: Option<String>,
    /// With so many left or fewer the shop is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_stock: Option<String>,
}

/// A product of a file: what is said of it, where, and what of that cannot be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) record: Record,
    /// The line of each variant.
    pub(super) lines: Vec<i64>,
    #[serde(skip)]
    pub(super) faults: Vec<RowFault>,
}

impl Item {
    fn at(line: i64) -> Self {
        Self { lines: vec![line], ..Self::default() }
    }

    fn fault(mut self, line: i64, column: &str, code: FieldCode, found: &str) -> Self {
        self.faults.push(RowFault::new(line, column, code, found));
        self
    }
}

/// The products of a file, one after the other.
pub(super) struct Items<'f> {
    items: Box<dyn Iterator<Item = io::Result<Item>> + 'f>,
    /// Where each SKU was first.
    skus: HashMap<String, i64>,
}

/// The products of a file, packed by gzip or not, and what format they are in.
pub(super) fn items<'f>(
    file: impl Read + 'f,
    format: Option<Format>,
    currency: Currency,
) -> io::Result<(Format, Items<'f>)> {
    let mut file = BufReader::with_capacity(64 * 1024, file);
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let plain: Box<dyn Read + 'f> =
        if packed { Box::new(flate2::bufread::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut plain = BufReader::with_capacity(64 * 1024, Bounded { inner: plain, left: UNPACKED_MAX });
    let mut first = Vec::new();
    (&mut plain).take(FIRST_LINE_MAX).read_until(b'\n', &mut first)?;
    if first.starts_with(b"\xef\xbb\xbf") {
        first.drain(..3);
    }
    let first_line = String::from_utf8_lossy(&first).into_owned();
    let format = format.unwrap_or_else(|| Format::of(&first_line));
    let whole = BufReader::new(Cursor::new(first).chain(plain));
    let items: Box<dyn Iterator<Item = io::Result<Item>> + 'f> = match format {
        Format::Csv => Box::new(Table::new(whole, cells::delimiter(&first_line))?),
        Format::Json => Box::new(lines(whole).map(|line| Ok(json(line?)))),
        Format::Icecat => Box::new(lines(whole).map(move |line| Ok(icecat(line?, currency)))),
    };
    Ok((format, Items { items, skus: HashMap::new() }))
}

impl Iterator for Items<'_> {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut item = match self.items.next()? {
            Ok(item) => item,
            error => return Some(error),
        };
        let Item { record, lines, faults } = &mut item;
        for (variant, line) in record.variants.iter().zip(lines) {
            let sku = variant.sku.trim();
            if faults.iter().any(|f| f.line == *line && (f.column.is_empty() || f.column == "sku")) {
                continue;
            }
            if sku.is_empty() {
                faults.push(RowFault::new(*line, "sku", FieldCode::Missing, ""));
            } else if self.skus.contains_key(sku) {
                faults.push(RowFault::new(*line, "sku", FieldCode::NotUnique, sku));
            } else {
                self.skus.insert(sku.to_owned(), *line);
            }
        }
        Some(Ok(item))
    }
}

/// Refuses to read on when there is more than there may be.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

/// A table: a line for each variant, those of a product below one another.
struct Table<R> {
    rows: csv::Reader<R>,
    columns: Columns,
    /// What is wrong with the head of the table.
    head: Option<Item>,
    /// The product whose lines are being read, and what it is called in the table.
    open: Option<(String, Item)>,
    /// What products are called whose lines are behind us.
    closed: HashSet<String>,
}

impl<R: Read> Table<R> {
    fn new(file: R, delimiter: u8) -> io::Result<Self> {
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            // It counts lines wrong where they end with CR LF: then the CR is in the last cell.
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(file);
        let mut head = csv::ByteRecord::new();
        rows.read_byte_record(&mut head).map_err(cause)?;
        let (columns, faults) = Columns::of(&head);
        let head = (!faults.is_empty()).then(|| Item { faults, ..Item::default() });
        Ok(Self { rows, columns, head, open: None, closed: HashSet::new() })
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
            self.closed.insert(called);
        }
        Some(item)
    }
}

impl<R: Read> Iterator for Table<R> {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(head) = self.head.take() {
            return Some(Ok(head));
        }
        let mut row = csv::ByteRecord::new();
        while self.columns.any() {
            match self.rows.read_byte_record(&mut row) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Some(Err(cause(error))),
            }
            if row.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            let line = row.position().map_or(0, |p| i64::try_from(p.line()).unwrap_or(i64::MAX));
            let (called, mut item) = self.columns.read(&row, line);
            match &mut self.open {
                Some((open, first)) if !called.is_empty() && *open == called => merge(first, item),
                _ => {
                    let done = self.close();
                    if self.closed.contains(&called) {
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

/// What kept a table from being read.
fn cause(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
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
    // More than there can be are not even kept: one too many tells.
    if first.lines.len() <= VARIANTS_MAX {
        first.lines.push(line);
        first.record.variants.append(&mut next.record.variants);
    }
}

/// The lines of a file that are not empty, with their numbers.
fn lines(mut file: impl BufRead) -> impl Iterator<Item = io::Result<(i64, Vec<u8>)>> {
    let mut number = 0;
    std::iter::from_fn(move || {
        loop {
            let mut line = Vec::new();
            match file.read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) => number += 1,
                Err(error) => return Some(Err(error)),
            }
            if !line.trim_ascii().is_empty() {
                return Some(Ok((number, line)));
            }
        }
    })
}

/// A product a line, as `haat export products --format json` writes it.
fn json((number, line): (i64, Vec<u8>)) -> Item {
    let item = Item::at(number);
    let Ok(text) = std::str::from_utf8(&line) else {
        return item.fault(number, "", FieldCode::NotUtf8, &String::from_utf8_lossy(&line));
    };
    match serde_json::from_str::<Record>(text) {
        Ok(record) => Item { lines: vec![number; record.variants.len().max(1)], record, faults: Vec::new() },
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
        let mut bounded = Bounded { inner: io::repeat(b'x'), left: 10 };
        let mut buffer = [0; 6];
        assert_eq!(bounded.read(&mut buffer).unwrap(), 6);
        assert_eq!(bounded.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_product_of_more_lines_than_it_may_have_is_not_kept_whole() {
        let lines: String = (0..500).map(|i| format!("p,S{i}\n")).collect();
        let file = format!("product,sku\n{lines}");
        let (_, items) = items(file.as_bytes(), None, Currency::INR).unwrap();
        let items: Vec<_> = items.map(Result::unwrap).collect();
        assert_eq!((items.len(), items[0].lines.len()), (1, VARIANTS_MAX + 1));
    }
}
