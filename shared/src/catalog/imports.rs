//! Product imports: what is known about a file, and the errors in its lines.

use serde::{Deserialize, Serialize};

use crate::{
    field::FieldCode, id::kinds::ImportId, money::Money, number::DecimalMark, text::is_direction_override,
};

/// Most bytes of a file that a browser sends.
pub const FILE_BYTES_MAX: usize = 50 * 1024 * 1024;
/// How many of a file's faults a page shows; all are in the list that can be downloaded.
pub const FAULTS_SHOWN: i64 = 20;
/// How many of a file's prices are shown before it is imported.
pub const PRICES_SHOWN: usize = 5;

text_enum! {
    /// How a file tells of products.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum Format {
        /// A table with a line for each variant (docs/import.md).
        Csv = "csv",
        /// JSON, a product a line.
        Json = "json",
        /// JSON lines of the Icecat open catalogue.
        Icecat = "icecat",
    }
}

impl Format {
    /// The format of a file that begins with this line.
    pub fn of(first_line: &str) -> Self {
        match first_line.trim_start_matches('\u{feff}').trim_start() {
            json if json.starts_with('{') && json.contains("\"variants\"") => Self::Json,
            json if json.starts_with('{') => Self::Icecat,
            _ => Self::Csv,
        }
    }
}

text_enum! {
    /// How a shop's products are written for others to read.
    pub enum ExportFormat {
        /// A table with a line for each variant (docs/import.md).
        Csv = "csv",
        /// JSON, a product a line.
        Json = "json",
        /// XML.
        Xml = "xml",
    }
}

text_enum! {
    /// Where an import stands.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ImportState {
        /// The file is being read and checked; nothing of it is in the shop.
        Reading = "reading",
        /// The file was read; whoever sent it decides.
        Checked = "checked",
        /// Products go into the shop, a few at a time.
        Applying = "applying",
        /// All that could be is in the shop.
        Done = "done",
        /// It came to an end before its time. What is in the shop stays there.
        Stopped = "stopped",
    }
}

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// What the file is called.
    pub file_name: String,
    /// How it tells of products; none for what its first line looks like.
    pub format: Option<Format>,
    /// What stands before the decimals of its numbers; none for whoever sent it to be asked where that matters.
    pub decimal_mark: Option<DecimalMark>,
    /// Whether the stock of variants that the shop has already becomes what the file says.
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
    /// The number as it was written.
    pub found: String,
    /// The value if the decimal separator is a point.
    pub point: NumberReading,
    /// The value if the decimal separator is a comma.
    pub comma: NumberReading,
    /// The decimal separator that the rest of the file suggests.
    pub likely: DecimalMark,
}

/// One interpretation of an ambiguous number.
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

/// A line of a file that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The line, counted from 1 as editors do. A line of a table may be several lines of the file: then it is the first.
    pub line: i64,
    /// The column, or the beginning of what it is called; empty where it is the line as a whole.
    pub column: String,
    /// What is wrong.
    pub code: FieldCode,
    /// What was read, or the beginning of it.
    pub found: String,
}

impl RowError {
    /// A fault at a column of a line.
    pub fn new(line: i64, column: &str, code: FieldCode, found: &str) -> Self {
        // What turns text around is seen as a mark in its place.
        let shown = |text: &str| {
            let seen = text.chars().map(|c| if is_direction_override(c) { '\u{FFFD}' } else { c });
            seen.take(200).collect()
        };
        Self { line, column: shown(column), code, found: shown(found) }
    }
}

/// A file on its way into a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportView {
    /// Its id.
    pub id: ImportId,
    /// What the file is called.
    pub file_name: String,
    /// How it tells of products.
    pub format: Format,
    /// Where it stands.
    pub state: ImportState,
    /// Whether it sets the stock of what the shop has already.
    pub set_stock: bool,
    /// Products in it that hold.
    pub valid: i64,
    /// How many of those were new to the shop when the file was read.
    pub new: i64,
    /// How many of those differed from what the shop had.
    pub changed: i64,
    /// Products in it that do not hold.
    pub invalid: i64,
    /// What does not hold: a product may have several faults.
    pub faults: i64,
    /// Products that were added.
    pub added: i64,
    /// Products that were brought up to date.
    pub updated: i64,
    /// Products that were so already.
    pub unchanged: i64,
    /// Products that held when the file was read, but not any more when it was their turn.
    pub refused: i64,
    /// Lines that could not be read, so that nobody knows what is on them.
    pub unread: i64,
    /// What stands before the decimals of its numbers, if someone said so.
    pub decimal_mark: Option<DecimalMark>,
    /// The first number that can be read in two ways: to be answered before it goes in.
    pub question: Option<NumberQuestion>,
    /// The first of its prices.
    pub prices: Vec<PriceSample>,
    /// When it was sent: RFC 3339, UTC.
    pub created_at: String,
}

impl ImportView {
    /// How many products have had their turn.
    pub fn turns(&self) -> i64 {
        self.added + self.updated + self.unchanged + self.refused
    }

    /// Whether it goes on by itself.
    pub fn is_moving(&self) -> bool {
        matches!(self.state, ImportState::Reading | ImportState::Applying)
    }
}

/// What the page of imports shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportsView {
    /// The import that was asked for.
    pub open: Option<ImportView>,
    /// The first of its faults.
    pub faults: Vec<RowError>,
    /// The shop's last imports, newest first, where none was asked for.
    pub last: Vec<ImportView>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_tell_of_formats() {
        for (line, format) in [
            ("sku,title,price", Format::Csv),
            ("", Format::Csv),
            ("\u{feff}{\"id\": \"1\"}", Format::Icecat),
            ("{\"title\": \"Bowl\", \"variants\": []}", Format::Json),
        ] {
            assert_eq!(Format::of(line), format, "{line}");
        }
    }
}
