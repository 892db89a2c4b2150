//! Lists with requested filters and sort orders, composed of registered fragments and never of user input.
//! Paginated by the key of the last row.

use haat_shared::{Error, Result, accounts::fold_email, catalog::QUERY_MAX, text};

use super::{Value, statement::to_lite};

/// A list: the source of its rows, its filters and its sort orders.
pub struct ListQuery {
    /// Module and name, for logs and tests.
    pub name: &'static str,
    /// `SELECT … FROM … JOIN …`, without WHERE.
    pub select: &'static str,
    /// The condition for every row; `TRUE` for none.
    pub base_filter: &'static str,
    /// The filters by name. Each `{}` stands for the parameter.
    pub filters: &'static [(&'static str, &'static str)],
    /// The sort orders by name: the condition for rows after a key, with a `{}` for each part of the key,
    /// and the ORDER BY.
    pub sorts: &'static [(&'static str, &'static str, &'static str)],
}

/// An entry of the registry of lists.
pub struct RegisteredList(pub &'static ListQuery);

inventory::collect!(RegisteredList);

/// All lists of the program.
pub fn all() -> impl Iterator<Item = &'static ListQuery> {
    inventory::iter::<RegisteredList>().map(|r| r.0)
}

/// Declares lists and registers them.
#[macro_export]
macro_rules! lists {
    ($($(#[$meta:meta])* $vis:vis $name:ident { $($part:ident: $value:expr),* $(,)? })*) => {$(
        $(#[$meta])*
        $vis static $name: $crate::db::ListQuery = $crate::db::ListQuery {
            name: concat!(module_path!(), "::", stringify!($name)),
            $($part: $value,)*
        };
        ::inventory::submit! { $crate::db::RegisteredList(&$name) }
    )*};
}

/// A list with its filters, sort order and page.
#[derive(Debug, Clone)]
pub struct BoundQuery {
    sql: String,
    params: Vec<Value>,
}

impl BoundQuery {
    pub(super) fn for_lite(&self) -> (String, &[Value]) {
        (to_lite(&self.sql), &self.params)
    }

    pub(super) fn for_pg(&self) -> (String, &[Value]) {
        (self.sql.clone(), &self.params)
    }
}

impl ListQuery {
    /// The first `limit` rows after the key `after` that pass the filters. An unknown filter or sort
    /// order is a bug; the result is then empty.
    pub fn bind(
        &self,
        filters: Vec<(&str, Value)>,
        sort: &str,
        after: impl IntoIterator<Item = Value>,
        limit: usize,
    ) -> BoundQuery {
        let BoundQuery { mut sql, mut params } = self.filtered(filters);
        let (_, after_condition, order) =
            self.sorts.iter().find(|(n, ..)| *n == sort).unwrap_or(&self.sorts[0]);
        let mut after = after.into_iter().peekable();
        if after.peek().is_some() {
            and(&mut sql, &mut params, after_condition, &mut after);
        }
        params.push(Value::Int(Some(i64::try_from(limit).unwrap_or(i64::MAX))));
        sql.push_str(&format!(" ORDER BY {order} LIMIT ${}", params.len()));
        BoundQuery { sql, params }
    }

    /// How many rows pass the filters, by the values of a column: rows of `name` and `count`.
    pub fn count_by(&self, column: &'static str, filters: Vec<(&str, Value)>) -> BoundQuery {
        let BoundQuery { sql, params } = self.filtered(filters);
        let sql =
            format!("SELECT {column} AS name, COUNT(*) AS count FROM ({sql}) AS found GROUP BY {column}");
        BoundQuery { sql, params }
    }

    /// How many rows pass the filters: a row with an empty `name`, and `count`.
    pub fn count(&self, filters: Vec<(&str, Value)>) -> BoundQuery {
        let BoundQuery { sql, params } = self.filtered(filters);
        BoundQuery { sql: format!("SELECT '' AS name, COUNT(*) AS count FROM ({sql}) AS found"), params }
    }

    fn filtered(&self, filters: Vec<(&str, Value)>) -> BoundQuery {
        let mut sql = format!("{} WHERE {}", self.select, self.base_filter);
        let mut params = Vec::new();
        for (name, value) in filters {
            match self.filters.iter().find(|(n, _)| *n == name) {
                Some((_, condition)) => and(&mut sql, &mut params, condition, &mut std::iter::repeat(value)),
                None => {
                    let never = Value::Bool(Some(true));
                    and(&mut sql, &mut params, "{} = FALSE", &mut std::iter::once(never));
                }
            }
        }
        BoundQuery { sql, params }
    }
}

fn and(sql: &mut String, params: &mut Vec<Value>, condition: &str, values: &mut dyn Iterator<Item = Value>) {
    sql.push_str(" AND ");
    for (i, part) in condition.split("{}").enumerate() {
        if i > 0 {
            params.extend(values.next());
            sql.push_str(&format!("${}", params.len()));
        }
        sql.push_str(part);
    }
}

/// A filter `word` for each word of a search in columns that are folded as email addresses are.
pub(crate) fn words(q: &str) -> Result<Vec<(&'static str, Value)>> {
    let q = text::optional_line("q", q, QUERY_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    Ok(q.split_whitespace().take(8).map(fold_email).map(|word| ("word", like(&word).into())).collect())
}

/// The text as a pattern for `LIKE … ESCAPE '\'` that finds it anywhere.
pub fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: ListQuery = ListQuery {
        name: "t",
        select: "SELECT a FROM t",
        base_filter: "TRUE",
        filters: &[("b", "b = {}")],
        sorts: &[("newest", "a < {}", "a DESC"), ("price", "(p, a) > ({}, {})", "p, a")],
    };

    #[test]
    fn parts_are_put_together_with_numbered_parameters() {
        let asked = LIST.bind(vec![("b", 1.into())], "newest", Some(9.into()), 25);
        assert_eq!(asked.sql, "SELECT a FROM t WHERE TRUE AND b = $1 AND a < $2 ORDER BY a DESC LIMIT $3");
        assert_eq!(asked.params, [1.into(), 9.into(), 25.into()]);
        let asked = LIST.bind(vec![], "price", [7.into(), 9.into()], 25);
        assert_eq!(asked.sql, "SELECT a FROM t WHERE TRUE AND (p, a) > ($1, $2) ORDER BY p, a LIMIT $3");
        assert_eq!(asked.params, [7.into(), 9.into(), 25.into()]);
    }

    #[test]
    fn rows_are_counted_as_they_are_listed() {
        let counted = LIST.count_by("a", vec![("b", 1.into())]);
        assert_eq!(
            counted.sql,
            "SELECT a AS name, COUNT(*) AS count FROM (SELECT a FROM t WHERE TRUE AND b = $1) AS found GROUP BY a"
        );
        assert_eq!(counted.params, [1.into()]);
        let counted = LIST.count(vec![]);
        assert_eq!(
            counted.sql,
            "SELECT '' AS name, COUNT(*) AS count FROM (SELECT a FROM t WHERE TRUE) AS found"
        );
    }

    #[test]
    fn wildcards_in_a_search_are_only_characters() {
        assert_eq!(like("50%_\\"), "%50\\%\\_\\\\%");
    }

    impl From<i32> for Value {
        fn from(value: i32) -> Self {
            Self::Int(Some(i64::from(value)))
        }
    }
}
