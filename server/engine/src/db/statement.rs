//! Every statement is a constant in a list, so that one test can prepare all of them on both databases, and
//! another can verify that each was executed on both. There is no other way to run SQL.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

/// A statement in the common subset of SQL of SQLite and PostgreSQL, with `$1…$n` as parameters.
///
/// A group in square brackets is repeated for each row:
/// `INSERT INTO holds (id, quantity) VALUES [($1, $2)]`.
pub struct Statement {
    /// Module and name, for logs and tests.
    pub name: &'static str,
    /// The text.
    pub sql: &'static str,
    lite: OnceLock<String>,
    ran_on_lite: AtomicBool,
    ran_on_pg: AtomicBool,
}

/// An entry of the registry of statements.
pub struct Registered(pub &'static Statement);

inventory::collect!(Registered);

/// All statements of the program.
pub fn all() -> impl Iterator<Item = &'static Statement> {
    inventory::iter::<Registered>().map(|r| r.0)
}

/// Declares statements and registers them.
#[macro_export]
macro_rules! statements {
    ($($(#[$meta:meta])* $vis:vis $name:ident = $sql:expr;)*) => {$(
        $(#[$meta])*
        $vis static $name: $crate::db::Statement =
            $crate::db::Statement::new(concat!(module_path!(), "::", stringify!($name)), $sql);
        ::inventory::submit! { $crate::db::Registered(&$name) }
    )*};
}

impl Statement {
    /// A statement; [`statements!`](crate::statements) makes them.
    pub const fn new(name: &'static str, sql: &'static str) -> Self {
        Self {
            name,
            sql,
            lite: OnceLock::new(),
            ran_on_lite: AtomicBool::new(false),
            ran_on_pg: AtomicBool::new(false),
        }
    }

    /// Whether it has a repeated group.
    pub fn takes_many(&self) -> bool {
        self.sql.contains('[')
    }

    /// The text for SQLite, which reads `$1` as a name and `?1` as a number.
    pub(super) fn for_lite(&self) -> &str {
        self.ran_on_lite.store(true, Ordering::Relaxed);
        self.lite.get_or_init(|| to_lite(self.sql))
    }

    /// The text for PostgreSQL.
    pub(super) fn for_pg(&self) -> &'static str {
        self.ran_on_pg.store(true, Ordering::Relaxed);
        self.sql
    }

    /// On which databases this process has executed it: SQLite, PostgreSQL.
    pub fn ran(&self) -> (bool, bool) {
        (self.ran_on_lite.load(Ordering::Relaxed), self.ran_on_pg.load(Ordering::Relaxed))
    }

    /// The text with its group repeated for this many rows of `width` parameters.
    pub fn expanded(&self, rows: usize, width: usize) -> String {
        let (head, rest) = self.sql.split_once('[').unwrap_or((self.sql, "]"));
        let (group, tail) = rest.split_once(']').unwrap_or((rest, ""));
        let mut sql = head.to_owned();
        for row in 0..rows {
            if row > 0 {
                sql.push_str(", ");
            }
            renumber(group, row * width, &mut sql);
        }
        sql.push_str(tail);
        sql
    }
}

/// Appends `text` with `by` added to the number of each parameter.
fn renumber(text: &str, by: usize, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = rest[at + 1..at + 1 + digits].parse().unwrap_or(0);
        out.push_str(&rest[..=at]);
        out.push_str(&(number + by).to_string());
        rest = &rest[at + 1 + digits..];
    }
    out.push_str(rest);
}

/// Replaces `$1` with `?1`. Statements contain no other dollar signs, which a test verifies.
pub(super) fn to_lite(sql: &str) -> String {
    sql.replace('$', "?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_for_many_rows_numbers_them_on() {
        let many = Statement::new(
            "t",
            "INSERT INTO t (a, b) VALUES [($1, CAST($2 AS BIGINT))] ON CONFLICT DO NOTHING",
        );
        assert_eq!(
            many.expanded(2, 2),
            "INSERT INTO t (a, b) VALUES ($1, CAST($2 AS BIGINT)), ($3, CAST($4 AS BIGINT)) ON CONFLICT DO NOTHING"
        );
        assert!(many.takes_many());
    }

    #[test]
    fn dollars_stand_for_parameters_only() {
        for statement in all() {
            let mut rest = statement.sql;
            while let Some(at) = rest.find('$') {
                rest = &rest[at + 1..];
                assert!(rest.starts_with(|c: char| c.is_ascii_digit()), "{}", statement.name);
            }
        }
    }
}
