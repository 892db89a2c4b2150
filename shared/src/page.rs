//! Lists are read page by page, by the key of the last row: cheap at any depth, and steady while rows come and go.

use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to ask for to get the rows after these; nothing at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page from rows of which one more than `limit` was asked for: the extra one only tells that there are more.
    pub fn cut(mut rows: Vec<T>, limit: usize, key: impl FnOnce(&T) -> String) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Self { items: rows, next }
    }

    /// The same page with each row turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}
