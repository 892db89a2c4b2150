//! Drafts of rejected forms.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A rejected form: its input without secrets, and the error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The input, by field.
    pub fields: BTreeMap<String, String>,
    /// The error.
    pub error: Option<Error>,
}

impl Draft {
    /// The input of a field; empty if there is no such field.
    pub fn typed(&self, field: &str) -> String {
        self.fields.get(field).cloned().unwrap_or_default()
    }
}
