//! The cells of a product table, for import and export alike, so that an exported file can be imported
//! unchanged.

use std::ops::RangeInclusive;

use csv::ByteRecord;
use haat_shared::{
    FieldCode,
    catalog::{
        Attribute,
        edit::OPTIONS_MAX,
        imports::{COLUMNS, RowError},
    },
    text,
};

use super::{
    markup,
    record::{Item, Record, VariantRecord},
};
use crate::spreadsheet::{escaped, unescaped};

/// The positions of the columns.
pub(super) struct Columns {
    at: [Option<usize>; COLUMNS.len()],
    /// The number of named columns: cells after them may be missing or empty.
    named: usize,
    /// The columns without a name in between.
    unnamed: Vec<usize>,
}

impl Columns {
    /// The columns of a header, and its errors. A header without `sku` or with a duplicate column has no
    /// columns, since their meaning would be unclear.
    pub(super) fn of(head: &ByteRecord, line: i64) -> (Self, Vec<RowError>) {
        let mut columns = Self { at: [None; COLUMNS.len()], named: 0, unnamed: Vec::new() };
        let mut faults = Vec::new();
        let mut readable = true;
        for (i, cell) in head.iter().enumerate() {
            let (found, name) = (String::from_utf8_lossy(cell), name_of_column(cell));
            if name.is_empty() {
                columns.unnamed.push(i);
                continue;
            }
            columns.named = i + 1;
            match COLUMNS.iter().position(|column| *column == name) {
                None => faults.push(RowError::new(line, found.trim(), FieldCode::UnknownColumn, "")),
                Some(known) if columns.at[known].is_some() => {
                    readable = false;
                    faults.push(RowError::new(line, found.trim(), FieldCode::DuplicateColumn, ""));
                }
                Some(known) => columns.at[known] = Some(i),
            }
        }
        columns.unnamed.retain(|at| *at < columns.named);
        if columns.place("sku").is_none() {
            readable = false;
            // What the columns are called instead, as far as it can be said.
            let names = head.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned());
            let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
            faults.push(RowError::new(line, "sku", FieldCode::Missing, &names.join(", ")));
        }
        if !readable {
            columns.at = [None; COLUMNS.len()];
        }
        (columns, faults)
    }

    /// The number of known column names, if the required one is among them.
    pub(super) fn known_in(row: &ByteRecord) -> Option<usize> {
        let names: Vec<String> = row.iter().map(name_of_column).collect();
        let known = names.iter().filter(|name| COLUMNS.contains(&name.as_str())).count();
        names.iter().any(|name| name == "sku").then_some(known)
    }

    /// Whether there are any columns.
    pub(super) fn any(&self) -> bool {
        self.at.iter().any(Option::is_some)
    }

    /// How many delimiters a row can have: it ends with the last named column, or with the header.
    pub(super) fn delimiters(&self, all: usize) -> Option<RangeInclusive<usize>> {
        (self.named > 1).then(|| self.named - 1..=all - 1)
    }

    fn place(&self, column: &str) -> Option<usize> {
        COLUMNS.iter().position(|c| *c == column).and_then(|known| self.at[known])
    }

    /// A line of the table: its product's name in it, its content, and the warnings about HTML and cells
    /// without a column in it.
    pub(super) fn read(&self, row: &ByteRecord, line: i64) -> (String, Item, Vec<RowError>) {
        let (mut faults, mut notes) = (Vec::new(), Vec::new());
        let surplus = row.iter().skip(self.named).any(|cell| !text::is_blank(&String::from_utf8_lossy(cell)));
        if row.len() < self.named || surplus {
            let cells: Vec<_> = row.iter().map(String::from_utf8_lossy).collect();
            faults.push(RowError::new(line, "", FieldCode::CellCount, cells.join(" | ").trim()));
        }
        for at in &self.unnamed {
            let found = String::from_utf8_lossy(row.get(*at).unwrap_or_default());
            if !text::is_blank(&found) {
                notes.push(RowError::new(line, &column_name(*at), FieldCode::UnknownColumn, found.trim()));
            }
        }
        let mut cell = |column: &str, is_text: bool| -> Option<String> {
            let at = self.place(column)?;
            let bytes = row.get(at).unwrap_or_default();
            let (text, code) = match std::str::from_utf8(bytes) {
                Err(_) => (String::from_utf8_lossy(bytes).into_owned(), Some(FieldCode::NotUtf8)),
                Ok(text) if !is_text => (text.to_owned(), None),
                Ok(found) => {
                    let text = if may_be_html(column) { markup::decoded(found) } else { found.into() };
                    let html = if may_be_html(column) && markup::is_markup(&text) {
                        Some(FieldCode::Html)
                    } else {
                        (text != found).then_some(FieldCode::HtmlDecoded)
                    };
                    notes.extend(html.map(|code| RowError::new(line, column, code, found)));
                    match computes(&text) {
                        true => (text.into_owned(), Some(FieldCode::Formula)),
                        // Cells often end in an invisible line break.
                        false => (text::nfc(unescaped(&text).trim()).into_owned(), None),
                    }
                }
            };
            faults.extend(code.map(|code| RowError::new(line, column, code, &text)));
            Some(text)
        };
        let mut words = |column: &str| cell(column, true);
        let called = words("product").unwrap_or_default().trim().to_owned();
        let sku = words("sku").unwrap_or_default();
        let (title, brand, category) = (words("title"), words("brand"), words("category"));
        let (description, details) = (words("description"), words("specifications"));
        let options: Vec<_> = (1..=OPTIONS_MAX)
            .map(|i| (words(&format!("option{i}_name")), words(&format!("option{i}_value"))))
            .collect();
        let variant_title = words("variant_title");
        let mut value = |column: &str| cell(column, false);
        let (state, price, compare_at) = (value("state"), value("price"), value("compare_at"));
        let (stock, low_stock) = (value("stock"), value("low_stock"));
        let [weight_g, length_mm, width_mm, height_mm] =
            ["weight_g", "length_mm", "width_mm", "height_mm"].map(value);
        let details = details.map(|details| match read_details(&details) {
            Ok(details) => details,
            Err(found) => {
                faults.push(RowError::new(line, "specifications", FieldCode::NotARecord, found));
                Vec::new()
            }
        });
        let named = options.iter().any(|(name, _)| name.is_some());
        let mut names: Vec<String> =
            options.iter().map(|(name, _)| name.clone().unwrap_or_default().trim().to_owned()).collect();
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        let filled = |cell: Option<String>| cell.filter(|cell| !cell.trim().is_empty());
        let variant = VariantRecord {
            sku,
            options: named.then(|| options.into_iter().map(|(_, value)| value.unwrap_or_default()).collect()),
            title: variant_title,
            price,
            compare_at,
            stock: filled(stock),
            low_stock: filled(low_stock),
            weight_g: filled(weight_g),
            length_mm: filled(length_mm),
            width_mm: filled(width_mm),
            height_mm: filled(height_mm),
        };
        let record = Record {
            title,
            brand,
            category,
            description,
            details,
            options: named.then_some(names),
            state: filled(state),
            variants: vec![variant],
        };
        (called, Item { record, lines: vec![line], faults, ..Item::default() }, notes)
    }
}

/// A column as spreadsheets call it: A to Z, AA …
fn column_name(at: usize) -> String {
    let before = if at < 26 { String::new() } else { column_name(at / 26 - 1) };
    before + &char::from(b'A' + (at % 26) as u8).to_string()
}

/// Whether a column has a single line of text for shoppers.
fn may_be_html(column: &str) -> bool {
    matches!(column, "title" | "brand" | "variant_title") || column.starts_with("option")
}

/// A column's name, ignoring case, white space and line breaks. `details` is an older name of `specifications`.
fn name_of_column(cell: &[u8]) -> String {
    let name = String::from_utf8_lossy(cell).to_ascii_lowercase();
    let name = text::normalized_code(&name).split_whitespace().collect::<Vec<_>>().join("_");
    if name == "details" { "specifications".to_owned() } else { name }
}

/// The delimiter: the candidate that occurs most often.
pub(super) fn delimiter(head: &str) -> u8 {
    let count = |c: char| head.matches(c).count();
    let semicolons = count(';');
    match count('\t') {
        tabs if tabs > count(',') && tabs > semicolons => b'\t',
        _ if semicolons > count(',') => b';',
        _ => b',',
    }
}

/// Whether the text is an actual formula, rather than a list (`- washable`), a temperature or a handle: it
/// begins with `=`, calls a function, refers to a sheet or starts a program. Only these are rejected; exports
/// escape everything that a spreadsheet might interpret as a formula.
pub(super) fn computes(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('=') || (text.starts_with(['+', '-', '@']) && text.contains(['(', '!', '|']))
}

/// A single line of text as a cell: neither formulas nor entities of HTML are read from it that it does not
/// have.
pub(super) fn written(text: &str) -> String {
    escaped(&markup::encoded(text))
}

/// Specifications in a cell: one per line, `Weight: 3 kg`. A colon in a name is escaped with a backslash.
pub(super) fn write_details(details: &[Attribute]) -> String {
    let line = |detail: &Attribute| {
        let name = detail.name.replace('\\', "\\\\").replace(':', "\\:");
        format!("{name}: {}", detail.value)
    };
    details.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The specifications of a cell, or the line that is not one.
fn read_details(cell: &str) -> Result<Vec<Attribute>, &str> {
    let lines = cell.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| read_detail(line).ok_or(line)).collect()
}

fn read_detail(line: &str) -> Option<Attribute> {
    let (mut name, mut chars) = (String::new(), line.char_indices());
    while let Some((at, letter)) = chars.next() {
        match letter {
            ':' => return Some(Attribute { name, value: line[at + 1..].trim().to_owned() }),
            '\\' => name.extend(chars.next().map(|(_, letter)| letter)),
            letter => name.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spreadsheet::is_formula;
    use proptest::prelude::*;

    #[test]
    fn whitespace_around_cells_is_trimmed() {
        let (columns, faults) = Columns::of(&ByteRecord::from(vec!["sku", "title"]), 1);
        assert_eq!(faults, []);
        let (_, item, _) = columns.read(&ByteRecord::from(vec!["A-1\t", " Cup\n"]), 2);
        assert_eq!(
            (item.record.variants[0].sku.as_str(), item.record.title.as_deref()),
            ("A-1", Some("Cup"))
        );
    }

    #[test]
    fn columns_are_called_as_in_spreadsheets() {
        for (at, called) in
            [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
        {
            assert_eq!(column_name(at), called);
        }
    }

    #[test]
    fn specifications_have_an_older_name() {
        for name in ["specifications", "details", "Details"] {
            let (columns, faults) = Columns::of(&ByteRecord::from(vec!["sku", name]), 1);
            assert_eq!(faults, [], "{name}");
            let (_, item, _) = columns.read(&ByteRecord::from(vec!["A-1", "Material: clay"]), 2);
            assert_eq!(item.record.details.map(|found| found.len()), Some(1), "{name}");
        }
    }

    #[test]
    fn only_formulas_that_do_something_are_refused() {
        for bad in ["=1+1", " =1", "\t=cmd", "@SUM(A1)", "-2+3+cmd|' /C calc'!A0", "+Sheet1!A1"] {
            assert!(computes(bad), "{bad:?}");
        }
        for good in ["", "- Cool\n- Washable", "-10 °C bag", "@home mug", "+1 bell", "a=b(c)", "5 (five)"] {
            assert!(!computes(good), "{good:?}");
        }
    }

    #[test]
    fn the_delimiter_is_the_one_that_the_header_has_most_of() {
        for (head, delimiter_is) in [("a,b;c,d", b','), ("a;b;c", b';'), ("a\tb", b'\t'), ("a", b',')] {
            assert_eq!(delimiter(head), delimiter_is);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_and_never_a_formula(text in "[-=+@'\t\r a-c]{0,6}|.{0,12}") {
            let cell = escaped(&text);
            prop_assert!(!is_formula(&cell));
            prop_assert_eq!(unescaped(&cell), text);
        }

        #[test]
        fn details_are_read_again(pairs in prop::collection::vec(("[a-c:\\\\ä]{1,6}", "[a-c:\\\\ ä]{0,8}[a-c]"), 0..4)) {
            let details: Vec<_> =
                pairs.into_iter().map(|(name, value)| Attribute { name, value: value.trim().into() }).collect();
            let cell = write_details(&details);
            prop_assert_eq!(read_details(&cell), Ok(details));
        }
    }
}
