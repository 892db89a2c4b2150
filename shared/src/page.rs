//! Keyset pagination: lists are read page by page from the key of the last row, which is fast at any depth
//! and stable while rows are added and removed.

use serde::{Deserialize, Serialize};

/// The maximum number of rows per page.
pub const LIMIT_MAX: usize = 100;

/// Which page of a list is requested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageRequest<'a> {
    /// The `next` cursor of the previous page; empty for the first page.
    pub after: &'a str,
    /// The maximum number of rows; `None` for the default.
    pub limit: Option<usize>,
}

/// The number of rows per page: the requested number within limits, or the default.
pub fn rows(limit: Option<usize>, usual: usize) -> usize {
    limit.map_or(usual, |limit| limit.clamp(1, LIMIT_MAX))
}

impl<'a> From<&'a str> for PageRequest<'a> {
    fn from(after: &'a str) -> Self {
        Self { after, limit: None }
    }
}

impl<'a> From<&'a String> for PageRequest<'a> {
    fn from(after: &'a String) -> Self {
        after.as_str().into()
    }
}

/// Which rows of a list of the admin area are requested. A list supports only some of these fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListRequest {
    /// Only rows that match these words; empty for all.
    pub q: String,
    /// Only rows in this state; empty for all.
    pub state: String,
    /// Only rows of this channel; empty for all.
    pub channel: String,
    /// The sort order, with `-` in front if it is descending; empty for the first.
    pub sort: String,
    /// The `next` cursor of the previous page; empty for the first page.
    pub after: String,
    /// The maximum number of rows; `None` for the default.
    pub limit: Option<usize>,
}

impl ListRequest {
    /// Whether the list may have more rows than those requested.
    pub fn is_filtered(&self) -> bool {
        [&self.q, &self.state, &self.channel, &self.after].iter().any(|text| !text.is_empty())
    }
}

impl<'a> From<&'a ListRequest> for PageRequest<'a> {
    fn from(of: &'a ListRequest) -> Self {
        Self { after: &of.after, limit: of.limit }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items on this page.
    pub items: Vec<T>,
    /// The cursor of the next page. Null on the last page.
    pub next: Option<String>,
}

/// A page of a list, and how many rows the whole list has in each state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted<T> {
    /// The page.
    pub page: Page<T>,
    /// The states that occur, by name, whatever state the list is filtered by. If rows have no state, its name is empty.
    pub counts: Vec<(String, i64)>,
}

impl<T> Counted<T> {
    /// The number of rows in a state; in all states for an empty name.
    pub fn count(&self, state: &str) -> i64 {
        let counted = self.counts.iter().filter(|(name, _)| state.is_empty() || name == state);
        counted.map(|(_, count)| count).sum()
    }
}

#[cfg(feature = "openapi")]
impl<T: utoipa::ToSchema> utoipa::PartialSchema for Page<T> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, Type, schema::SchemaType};
        let items = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        let next =
            ObjectBuilder::new().schema_type([Type::String, Type::Null].into_iter().collect::<SchemaType>());
        ObjectBuilder::new()
            .property("items", items.description(Some("The items on this page.")))
            .required("items")
            .property(
                "next",
                next.description(Some(
                    "The cursor of the next page, to be sent as `after`. Null on the last page.",
                )),
            )
            .required("next")
            .into()
    }
}

// A page is named after what it lists: `OrderCardPage`. A field needs an alias such as `BalanceEntryPage` as
// its type: deriving its schema appends the type's arguments to the name.
#[cfg(feature = "openapi")]
impl<T: utoipa::ToSchema> utoipa::ToSchema for Page<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T> Page<T> {
    /// A page from up to `limit + 1` rows; the extra row only shows that there are more.
    pub fn cut(mut rows: Vec<T>, limit: usize, key: impl FnOnce(&T) -> String) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Self { items: rows, next }
    }

    /// The same page with each row mapped.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}
