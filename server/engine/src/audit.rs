//! What those who run the market did: a row for each privileged action, in the transaction of the action itself.

use uuid::Uuid;

use crate::{
    Caller, Engine, Tried,
    clock::rfc3339,
    cursor,
    db::{ListQuery, RegisteredList, Tx},
    params, rows, statements,
};
use haat_shared::{
    Id, Result,
    audit::AuditEntry,
    id::kinds::{Audit, AuditId, UserId},
    page::{self, Ask, Page},
};

/// Rows of a page.
const PAGE_SIZE: usize = 50;

static AUDIT: ListQuery = ListQuery {
    name: "audit::AUDIT",
    select: "SELECT a.id, a.action, a.subject, a.note, a.created_at, u.email FROM audit a LEFT JOIN users u ON u.id = a.user_id",
    always: "TRUE",
    filters: &[],
    sorts: &[("newest", "a.id < {}", "a.id DESC")],
};
::inventory::submit! { RegisteredList(&AUDIT) }

statements! {
    WRITE = "INSERT INTO audit (id, user_id, action, subject, note, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
}

rows! {
    struct AuditRow {
        id: AuditId,
        action: String,
        subject: Uuid,
        note: String,
        created_at: i64,
        email: Option<String>,
    }
}

/// Writes down what an operator, or the program itself, does to `subject`.
pub(crate) async fn write<K>(
    tx: &mut Tx,
    user: Option<UserId>,
    action: &str,
    subject: Id<K>,
    note: &str,
    now: i64,
) -> Tried<()> {
    let id: AuditId = crate::random::id(now);
    tx.exec(&WRITE, params![id, user, action, subject, note, now]).await?;
    Ok(())
}

/// What was done, newest first.
pub async fn list(engine: &Engine, caller: &Caller, of: impl Into<Ask<'_>>) -> Result<Page<AuditEntry>> {
    caller.operator()?;
    let of = of.into();
    let (after, size) = (cursor::<Audit>(of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let rows: Vec<AuditRow> = engine.db.list(AUDIT.ask(Vec::new(), "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    Ok(page.map(|row| AuditEntry {
        action: row.action,
        subject: row.subject.to_string(),
        note: row.note,
        by: row.email,
        at: rfc3339(row.created_at),
    }))
}
