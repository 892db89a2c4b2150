//! Every statement can be prepared on both databases, and was executed on both.

use std::collections::{BTreeSet, HashSet};

use haat_engine::db::statement;

use crate::{buying, support::*};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_statement_prepares_on_both() {
    for on in [On::Sqlite, On::Postgres] {
        let market = Market::open(on).await;
        let prepared = market.engine.db.prepare_all().await.unwrap();
        assert!(prepared > 50, "{prepared}");
        market.close().await;
    }
}

/// A prepared statement may still fail to bind or decode. Tests record what they executed (`Market::close`).
#[test]
#[ignore = "scripts/test runs it after all others"]
fn every_statement_was_executed_on_both() {
    let folder = std::env::var(STATEMENTS).expect("scripts/test sets it");
    let mut executed = HashSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let lines = std::fs::read_to_string(file.unwrap().path()).unwrap();
        executed.extend(lines.lines().map(str::to_owned));
    }
    let missing: BTreeSet<_> = statement::all()
        // Statements of the tests themselves are excluded.
        .filter(|statement| !statement.name.starts_with("it::"))
        .flat_map(|statement| ["sqlite", "postgresql"].map(|on| format!("{on} {}", statement.name)))
        .filter(|line| !executed.contains(line))
        .collect();
    assert_eq!(missing, BTreeSet::new(), "executed by no test");
}

#[test]
fn only_inventory_writes_to_its_tables() {
    let tables = ["capacities", "holds", "line_capacities", "stock_movements"];
    let writes = |sql: &str| {
        let verbs = ["INSERT INTO", "UPDATE", "DELETE FROM"];
        verbs.iter().any(|verb| tables.iter().any(|table| sql.contains(&format!("{verb} {table} "))))
    };
    let found: BTreeSet<_> = statement::all()
        .filter(|statement| writes(statement.sql) && !statement.name.starts_with("it::"))
        .map(|statement| statement.name)
        .collect();
    assert!(found.len() > 5, "{found:?}");
    assert!(found.iter().all(|name| name.starts_with("haat_engine::inventory::")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn columns_hold_what_they_are_declared_for() {
    // Populate all tables.
    let market = Market::open(On::Sqlite).await;
    buying::a_purchase_is_shown_to_its_owner_and_to_holders_of_the_link::run(&market).await;
    market.settle().await;
    types_are_the_declared_ones(&market.folder.join("haat.db"));
    market.close().await;
}

/// SQLite stores any type of value: without `STRICT`, this shows that columns contain their declared types.
fn types_are_the_declared_ones(file: &std::path::Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let mut tables = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let mut checked = 0;
    for table in tables {
        let mut columns =
            connection.prepare(&format!("SELECT name, type FROM pragma_table_info('{table}')")).unwrap();
        let columns: Vec<(String, String)> =
            columns.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap().map(Result::unwrap).collect();
        for (column, declared) in columns {
            let stored = match declared.as_str() {
                "BIGINT" | "BOOLEAN" => "integer",
                "TEXT" => "text",
                "UUID" | "BYTEA" => "blob",
                other => panic!("{table}.{column} is declared as {other}"),
            };
            let sql =
                format!("SELECT COUNT(*) FROM {table} WHERE typeof({column}) NOT IN ('{stored}', 'null')");
            let wrong: i64 = connection.query_row(&sql, [], |r| r.get(0)).unwrap();
            assert_eq!(wrong, 0, "{table}.{column} does not hold {stored}");
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}
