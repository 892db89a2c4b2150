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
