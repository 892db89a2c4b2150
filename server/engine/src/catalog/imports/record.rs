//! The product records of a file, before validation.

use haat_shared::{
    FieldCode,
    catalog::{Attribute, imports::RowError},
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;

/// A product in a file, as entered. Fields that are missing stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Record {
    /// The title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The brand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The slug of the category; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The specifications. `details` is their older name.
    #[serde(rename = "specifications", alias = "details", skip_serializing_if = "Option::is_none")]
    pub details: Option<Vec<Attribute>>,
    /// The names of the options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<String>>,
    /// `draft`, `published` or `archived`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// All or some of the variants.
    pub variants: Vec<VariantRecord>,
}

impl Record {
    /// The single-text fields, by column name.
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

/// A variant in a file, as entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VariantRecord {
    /// The SKU, which identifies the variant.
    pub sku: String,
    /// The values of the product's options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<String>>,
    /// The title, for products without options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The price.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub price: Option<String>,
    /// The compare-at price; empty for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub compare_at: Option<String>,
    /// The stock.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub stock: Option<String>,
    /// The low-stock threshold.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub low_stock: Option<String>,
    /// The weight for shipping, in grams; empty if unknown.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub weight_g: Option<String>,
    /// The length of the parcel, in millimetres; empty if unknown.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub length_mm: Option<String>,
    /// Its width.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub width_mm: Option<String>,
    /// Its height.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub height_mm: Option<String>,
}

/// A text, or a JSON number, whose decimal point is unambiguous.
fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said {
        Text(String),
        Number(Number),
    }
    Ok(Option::<Said>::deserialize(from)?.map(|said| match said {
        Said::Text(text) => text,
        Said::Number(number) => unambiguous(number.to_string()),
    }))
}

/// A number with a decimal point, in digits that have no other reading: three decimals could be thousands,
/// four can't.
pub(super) fn unambiguous(text: String) -> String {
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if decimals == 3 { text + "0" } else { text }
}

/// A product of a file: its record, position and errors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) record: Record,
    /// The line of each variant.
    pub(super) lines: Vec<i64>,
    #[serde(skip)]
    pub(super) faults: Vec<RowError>,
    /// Warnings that only apply if it is valid.
    #[serde(skip)]
    pub(super) warnings: Vec<RowError>,
    /// Unreadable lines in its place.
    #[serde(skip)]
    pub(super) unread: i64,
    /// Its size in the file.
    #[serde(skip)]
    pub(super) bytes: usize,
}

impl Item {
    /// A product on a single line.
    pub(super) fn at(line: i64) -> Self {
        Self { lines: vec![line], ..Self::default() }
    }

    /// Adds an error.
    pub(super) fn fault(mut self, line: i64, column: &str, code: FieldCode, found: &str) -> Self {
        self.faults.push(RowError::new(line, column, code, found));
        self
    }
}
