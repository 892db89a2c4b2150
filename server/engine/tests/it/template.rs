//! PostgreSQL databases that are copied: that takes a fraction of the time in which they are made.

use std::hash::{DefaultHasher, Hash, Hasher};

use sqlx_core::{connection::Connection, executor::Executor, raw_sql::raw_sql, sql_str::AssertSqlSafe};
use sqlx_postgres::PgConnection;

/// A name that says what a template was made of.
pub fn named(prefix: &str, of: impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{prefix}_{:016x}", hasher.finish())
}

/// Creates the database `name` of a server as a copy of `template`, and returns its URL. Whoever comes first makes the template,
/// in an empty database whose URL `make` gets, while the others wait.
pub async fn copy(server: &str, name: &str, template: &str, make: impl AsyncFnOnce(String)) -> String {
    let mut admin = PgConnection::connect(server).await.unwrap();
    let url = |name: &str| format!("{}/{name}", server.rsplit_once('/').unwrap().0);
    if !exists(&mut admin, template).await {
        // One process at a time.
        run(&mut admin, "SELECT pg_advisory_lock(43117)".into()).await;
        if !exists(&mut admin, template).await {
            let new = format!("{template}_new");
            run(&mut admin, format!("DROP DATABASE IF EXISTS {new}")).await;
            run(&mut admin, format!("CREATE DATABASE {new}")).await;
            make(url(&new)).await;
            run(&mut admin, format!("ALTER DATABASE {new} RENAME TO {template}")).await;
        }
        run(&mut admin, "SELECT pg_advisory_unlock(43117)".into()).await;
    }
    run(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    url(name)
}

async fn exists(admin: &mut PgConnection, name: &str) -> bool {
    let sql = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    admin.fetch_optional(raw_sql(AssertSqlSafe(sql))).await.unwrap().is_some()
}

async fn run(admin: &mut PgConnection, sql: String) {
    raw_sql(AssertSqlSafe(sql)).execute(admin).await.unwrap();
}
