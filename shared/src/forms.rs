//! Drafts of rejected forms.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A form that came back: what was typed, never a secret, and why it did not do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What was typed, by field.
    pub fields: BTreeMap<String, String>,
    /// Why it did not do.
    pub error: Option<Error>,
}

impl Draft {
    /// What was typed into a field; nothing if there is no such field.
    pub fn typed(&self, field: &str) -> String {
        self.fields.get(field).cloned().unwrap_or_default()
    }
}
