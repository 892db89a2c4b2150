use haat_engine::{
    Db, TxError,
    db::{Migration, SCHEMA},
    params, statements,
};

use crate::support::{Market, On};

statements! {
    FUTURE = "INSERT INTO migrations (number, name, checksum, applied_at) VALUES (9999, 'future', 'x', 0)";
    TAMPER = "UPDATE migrations SET checksum = 'x' WHERE number = 1";
    RESTORE = "DELETE FROM migrations WHERE number = 9999";
}

async fn change(db: &Db, statement: &'static haat_engine::db::Statement) {
    db.write("t", (), move |tx, ()| Box::pin(async move { Ok(tx.exec(statement, params![]).await?) }))
        .await
        .unwrap();
}

fn error_of(result: Result<impl std::fmt::Debug, TxError>) -> String {
    result.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_are_taken_once_and_in_order() {
    for on in [On::Sqlite, On::Postgres] {
        let (db, folder, url) = Market::bare(on).await;
        assert!(error_of(db.check_schema().await).contains("haat migrate"));
        // Several nodes start at the same time.
        let nodes: Vec<_> = (0..4)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { db.migrate(1).await.unwrap() })
            })
            .collect();
        let mut taken = 0;
        for node in nodes {
            taken += node.await.unwrap();
        }
        assert_eq!(taken, SCHEMA.len());
        db.check_schema().await.unwrap();
        let again = Db::open(&url, 2).await.unwrap();
        assert_eq!(again.migrate(2).await.unwrap(), 0);
        change(&db, &FUTURE).await;
        assert!(error_of(db.check_schema().await).contains("newer than this program"));
        assert!(error_of(db.migrate(3).await).contains("newer than this program"));
        change(&db, &RESTORE).await;
        change(&db, &TAMPER).await;
        assert!(error_of(db.migrate(3).await).contains("differs from that of this program"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

const FIRST: Migration =
    Migration { number: 1, name: "first", sql: "CREATE TABLE firsts (id BIGINT PRIMARY KEY)" };
const SECOND: Migration = Migration {
    number: 2,
    name: "second",
    sql: "CREATE TABLE seconds (id BIGINT PRIMARY KEY); ALTER TABLE firsts ADD COLUMN name TEXT",
};
/// Fails after its first statement.
const BROKEN: Migration = Migration {
    number: 2,
    name: "broken",
    sql: "CREATE TABLE seconds (id BIGINT PRIMARY KEY); INSERT INTO missing (id) VALUES (1)",
};

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_applies_what_is_missing_or_nothing() {
    for on in [On::Sqlite, On::Postgres] {
        let (db, folder, _) = Market::bare(on).await;
        assert_eq!(db.migrate_to(&[FIRST], 1).await.unwrap(), 1);
        assert!(error_of(db.migrate_to(&[FIRST, BROKEN], 2).await).contains("missing"));
        // The table that the failed one created is gone, and one of several nodes applies the rest.
        let nodes: Vec<_> = (0..4)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { db.migrate_to(&[FIRST, SECOND], 3).await.unwrap() })
            })
            .collect();
        let mut taken = 0;
        for node in nodes {
            taken += node.await.unwrap();
        }
        assert_eq!(taken, 1);
        assert!(error_of(db.migrate_to(&[FIRST], 4).await).contains("newer than this program"));
        assert!(
            error_of(db.migrate_to(&[FIRST, BROKEN], 5).await)
                .contains("migration 2 of the database differs")
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    for (url, why) in [
        ("mysql://x", "must begin with sqlite: or postgres:"),
        ("sqlite:/no/such/folder/haat.db", "cannot be reached"),
        ("postgres://postgres@127.0.0.1:1/x", "cannot be reached"),
    ] {
        let error = Db::open(url, 1).await.err().unwrap().to_string();
        assert!(error.contains(why), "{url}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
