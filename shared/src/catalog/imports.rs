//! Product imports: what is known about a file, and the errors in its lines.

use serde::{Deserialize, Serialize};

use crate::{
    field::FieldCode, id::kinds::ImportId, money::Money, number::DecimalMark, text::is_direction_override,
};

/// The maximum size of an uploaded file in bytes.
pub const FILE_BYTES_MAX: usize = 50 * 1024 * 1024;
/// The number of errors that a page shows; the list for download has all of them.
pub const FAULTS_SHOWN: i64 = 20;
/// The number of prices that are shown before the import.
pub const PRICES_SHOWN: usize = 5;

text_enum! {
    /// The format of a product file.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum Format {
        /// A table with one line per variant (docs/import.md).
        Csv = "csv",
        /// JSON, one product per line.
        Json = "json",
        /// JSON Lines of the Icecat open catalogue.
        Icecat = "icecat",
    }
}

text_enum! {
    /// The export formats of a shop's products.
    pub enum ExportFormat {
        /// A table with one line per variant (docs/import.md).
        Csv = "csv",
        /// JSON, one product per line.
        Json = "json",
        /// XML.
        Xml = "xml",
    }
}

text_enum! {
    /// The state of an import.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ImportState {
        /// The file is being read and checked; the shop is unchanged.
        Reading = "reading",
        /// The file was checked; the seller decides.
        Checked = "checked",
        /// Products are being written, in batches.
        Applying = "applying",
        /// Every valid product was imported.
        Done = "done",
        /// The file was checked, and nothing in it can be imported.
        Failed = "failed",
        /// The import was cancelled or interrupted. Imported products stay.
        Stopped = "stopped",
    }
}

/// The columns of a table, in export order (docs/import.md).
pub const COLUMNS: [&str; 23] = [
    "product",
    "sku",
    "title",
    "brand",
    "category",
    "description",
    "specifications",
    "state",
    "option1_name",
    "option1_value",
    "option2_name",
    "option2_value",
    "option3_name",
    "option3_value",
    "variant_title",
    "price",
    "compare_at",
    "stock",
    "low_stock",
    "weight_g",
    "length_mm",
    "width_mm",
    "height_mm",
];

/// Names that other programs give to columns.
const OTHER_NAMES: [(&str, &str); 23] = [
    ("handle", "product"),
    ("parent_sku", "product"),
    ("item_code", "sku"),
    ("product_code", "sku"),
    ("name", "title"),
    ("product_name", "title"),
    ("manufacturer", "brand"),
    ("vendor", "brand"),
    ("product_type", "category"),
    ("type", "category"),
    ("body", "description"),
    ("body_(html)", "description"),
    ("attributes", "specifications"),
    ("status", "state"),
    ("sale_price", "price"),
    ("selling_price", "price"),
    ("list_price", "compare_at"),
    ("mrp", "compare_at"),
    ("inventory", "stock"),
    ("qty", "stock"),
    ("quantity", "stock"),
    ("grams", "weight_g"),
    ("variant_grams", "weight_g"),
];

/// The column that is probably meant by a name that none has.
pub fn similar_column(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_");
    if let Some((_, column)) = OTHER_NAMES.iter().find(|(other, _)| *other == name) {
        return Some(*column);
    }
    let near = COLUMNS.into_iter().map(|column| (edits(&name, column), column)).min()?;
    let most = if name.chars().count() < 6 { 1 } else { 2 };
    (near.0 <= most).then_some(near.1)
}

/// How many letters must be added, left out or replaced to make one name the other.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    // Long names are unlike any column, and comparing them takes time.
    for (i, a) in one.chars().take(40).enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let replaced = before + usize::from(a != *b);
            before = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(before + 1);
        }
    }
    row[other.len()]
}

/// How to read a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// The name of the file.
    pub file_name: String,
    /// The format; `None` to detect it from the first line.
    pub format: Option<Format>,
    /// The decimal separator; `None` to ask if a number can be read two ways.
    pub decimal_mark: Option<DecimalMark>,
    /// Whether to set the stock of existing variants to the value in the file.
    pub set_stock: bool,
}

/// An ambiguous number in a file. Your answer applies to the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NumberQuestion {
    /// The line number.
    pub line: i64,
    /// The column name.
    pub column: String,
    /// The number, as written in the file.
    pub found: String,
    /// The value if the decimal separator is a point.
    pub point: NumberReading,
    /// The value if the decimal separator is a comma.
    pub comma: NumberReading,
    /// The decimal separator that the rest of the file suggests.
    pub likely: DecimalMark,
}

/// One of the two readings of a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum NumberReading {
    /// An amount of money.
    Price(Money),
    /// Any other number.
    Other(String),
}

/// A price from a file, as customers will see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceSample {
    /// The variant's SKU.
    pub sku: String,
    /// The product's title.
    pub title: String,
    /// The price.
    pub price: Money,
}

/// An error in a line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The line number, from 1. A table row may span several lines of the file; this is the first.
    pub line: i64,
    /// The column, or the beginning of its name; empty for the whole line.
    pub column: String,
    /// The error.
    pub code: FieldCode,
    /// The value that was found, or the beginning of it.
    pub found: String,
}

impl RowError {
    /// An error in a column of a line.
    pub fn new(line: i64, column: &str, code: FieldCode, found: &str) -> Self {
        // Characters that override the text direction are replaced with a visible mark.
        let shown = |text: &str| {
            let seen = text.chars().map(|c| if is_direction_override(c) { '\u{FFFD}' } else { c });
            seen.take(200).collect()
        };
        Self { line, column: shown(column), code, found: shown(found) }
    }
}

/// A product import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportView {
    /// The import's ID.
    pub id: ImportId,
    /// The name of the file.
    pub file_name: String,
    /// The format.
    pub format: Format,
    /// The state.
    pub state: ImportState,
    /// Whether the stock of existing variants is set.
    pub set_stock: bool,
    /// The number of valid products.
    pub valid: i64,
    /// The number of valid products that were new when the file was checked.
    pub new: i64,
    /// The number of valid products that differed from the shop's.
    pub changed: i64,
    /// The number of invalid products.
    pub invalid: i64,
    /// The number of errors; a product may have several.
    pub faults: i64,
    /// The number of products added.
    pub added: i64,
    /// The number of products updated.
    pub updated: i64,
    /// The number of products that were up to date.
    pub unchanged: i64,
    /// The number of products that were valid when the file was checked, but no longer when they were
    /// written.
    pub refused: i64,
    /// The number of lines that could not be read.
    pub unread: i64,
    /// The decimal separator, if one was chosen.
    pub decimal_mark: Option<DecimalMark>,
    /// The first number that can be read two ways, to be decided before the import starts.
    pub question: Option<NumberQuestion>,
    /// The first prices.
    pub prices: Vec<PriceSample>,
    /// When the file was uploaded: RFC 3339, UTC.
    pub created_at: String,
}

impl ImportView {
    /// The number of products processed so far.
    pub fn turns(&self) -> i64 {
        self.added + self.updated + self.unchanged + self.refused
    }

    /// Whether the import is in progress, without waiting for the seller.
    pub fn is_moving(&self) -> bool {
        matches!(self.state, ImportState::Reading | ImportState::Applying)
    }
}

/// The contents of the imports page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportsView {
    /// The requested import.
    pub open: Option<ImportView>,
    /// Its first errors.
    pub faults: Vec<RowError>,
    /// How many of its errors are only warnings.
    pub warnings: i64,
    /// The shop's latest imports, newest first, if none was requested.
    pub last: Vec<ImportView>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_by_a_similar_name() {
        for (name, column) in [
            ("status", Some("state")),
            ("Product  name", Some("title")),
            ("MRP", Some("compare_at")),
            ("Qty", Some("stock")),
            ("tittle", Some("title")),
            ("descriptions", Some("description")),
            ("option1value", Some("option1_value")),
            ("compare-at", Some("compare_at")),
            ("lowstock", Some("low_stock")),
            ("colour", None),
            ("cost", None),
            ("size", None),
            ("weight", Some("weight_g")),
            ("Variant Grams", Some("weight_g")),
            ("weight_gr", Some("weight_g")),
            ("", None),
            ("निशान", None),
        ] {
            assert_eq!(similar_column(name), column, "{name}");
        }
        assert_eq!(similar_column(&"sku".repeat(1_000)), None);
        for (other, column) in OTHER_NAMES {
            assert!(COLUMNS.contains(&column) && !COLUMNS.contains(&other), "{other}");
        }
    }
}
