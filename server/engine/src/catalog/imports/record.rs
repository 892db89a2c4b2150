//! The product records of a file, before validation.

use haat_shared::{
    FieldCode,
    catalog::{Attribute, imports::RowError},
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;

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
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub price: Option<String>,
    /// What one cost before; empty for nothing.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub compare_at: Option<String>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub stock: Option<String>,
    /// With so many left or fewer the shop is told.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub low_stock: Option<String>,
}

/// What is written as text, or as a number of JSON: of that nobody doubts where the decimals begin.
fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said {
        Text(String),
        Number(Number),
    }
    Ok(Option::<Said>::deserialize(from)?.map(|said| match said {
        Said::Text(text) => text,
        Said::Number(number) => {
            let text = number.to_string();
            // Three decimals could be thousands; four cannot.
            let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            if decimals == 3 { text + "0" } else { text }
        }
    }))
}

/// A product of a file: what is said of it, where, and what of that cannot be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) record: Record,
    /// The line of each variant.
    pub(super) lines: Vec<i64>,
    #[serde(skip)]
    pub(super) faults: Vec<RowError>,
    /// Lines in its place that could not be read.
    #[serde(skip)]
    pub(super) unread: i64,
    /// How much of the file it is.
    #[serde(skip)]
    pub(super) bytes: usize,
}

impl Item {
    /// One of a single line.
    pub(super) fn at(line: i64) -> Self {
        Self { lines: vec![line], ..Self::default() }
    }

    /// The same with one more of what cannot be.
    pub(super) fn fault(mut self, line: i64, column: &str, code: FieldCode, found: &str) -> Self {
        self.faults.push(RowError::new(line, column, code, found));
        self
    }
}
