//! The audit log: a row for each privileged action, in the transaction of the action itself.

use uuid::Uuid;

use crate::{
    Caller, Engine, TxResult, cursor,
    db::{CountRow, Tx},
    insert, lists, params, rows, statements, subjects,
};
use haat_shared::{
    Id, Result,
    audit::{AdminHome, AuditEntry},
    id::kinds::{Audit, AuditId, UserId},
    page::{self, Counted, ListRequest, Page, PageRequest},
    permissions::AdminPermission,
};

/// The action whose note is the number of products written, as JSON ([`haat_shared::audit::Upserted`]).
pub(crate) const UPSERT: &str = "catalog::upsert_products";

/// The number of rows per page.
const PAGE_SIZE: usize = 50;
/// A message that has waited longer is overdue.
const PENDING_MS: i64 = 60_000;
/// An unconfirmed order this old may have been overlooked.
pub(crate) const ORDER_MS: i64 = 24 * 3_600_000;
/// An email that has waited longer is delayed.
const MAIL_MS: i64 = 15 * 60_000;

lists! {
    AUDIT {
        select: "SELECT a.id, a.action, a.subject, a.note, a.created_at, u.email AS user_email
            FROM audit a LEFT JOIN users u ON u.id = a.user_id",
        base_filter: "TRUE",
        filters: &[],
        sorts: &[("newest", "a.id < {}", "a.id DESC")],
    }
}

statements! {
    // An email is delayed if it has failed three times, within seconds if the mail server is down, or waits since `$1`.
    HOME = "SELECT (SELECT COUNT(*) FROM jobs WHERE state = 'dead') AS dead_jobs,
        (SELECT COUNT(*) FROM outbox WHERE dispatched_at IS NULL AND created_at < $2) AS pending_messages,
        (SELECT COUNT(*) FROM notifications WHERE channel = 'email' AND state = 'failed') AS failed_emails,
        (SELECT COUNT(*) FROM notifications WHERE channel = 'email' AND state = 'written'
            AND (attempts >= 3 OR (created_at < $1 AND run_at < $1))) AS delayed_emails,
        (SELECT COUNT(*) FROM orders WHERE state = 'placed' AND created_at < $3) AS waiting_orders,
        (SELECT COUNT(DISTINCT order_id) FROM returns WHERE state = 'requested' AND created_at < $4) AS escalated_returns,
        (SELECT COUNT(*) FROM message_reports WHERE state = 'open') AS open_reports";
}

insert! {
    struct AddEntry<'a> into audit {
        id: AuditId,
        user_id: Option<UserId>,
        action: &'a str,
        subject: Uuid,
        note: &'a str,
        created_at: i64,
    }
}

rows! {
    struct HomeRow {
        dead_jobs: i64,
        pending_messages: i64,
        failed_emails: i64,
        delayed_emails: i64,
        waiting_orders: i64,
        escalated_returns: i64,
        open_reports: i64,
    }

    struct AuditRow {
        id: AuditId,
        action: String,
        subject: Uuid,
        note: String,
        created_at: i64,
        user_email: Option<String>,
    }
}

/// Records an action of an operator, or of the program itself, on `subject`.
pub(crate) async fn write<K>(
    tx: &mut Tx,
    user: Option<UserId>,
    action: &str,
    subject: Id<K>,
    note: &str,
    now: i64,
) -> TxResult<()> {
    write_each(tx, user, action, &[subject], note, now).await
}

/// Records the same action on several subjects.
pub(crate) async fn write_each<K>(
    tx: &mut Tx,
    user: Option<UserId>,
    action: &str,
    subjects: &[Id<K>],
    note: &str,
    now: i64,
) -> TxResult<()> {
    let entry = |subject: &Id<K>| {
        let (id, subject) = (crate::random::id(now), subject.uuid());
        AddEntry { id, user_id: user, action, subject, note, created_at: now }
    };
    tx.insert_all(subjects.iter().map(entry)).await?;
    Ok(())
}

/// What needs attention.
pub async fn home(engine: &Engine, caller: &Caller) -> Result<AdminHome> {
    caller.admin(AdminPermission::SeeHome)?;
    let now = engine.clock.now_ms();
    let since = engine.unanswered_since();
    let row: HomeRow =
        engine.db.one(&HOME, params![now - MAIL_MS, now - PENDING_MS, now - ORDER_MS, since]).await?;
    Ok(AdminHome {
        dead_jobs: row.dead_jobs,
        pending_messages: row.pending_messages,
        failed_emails: row.failed_emails,
        delayed_emails: row.delayed_emails,
        waiting_orders: row.waiting_orders,
        escalated_returns: row.escalated_returns,
        open_reports: row.open_reports,
    })
}

/// The audit log, newest first.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    of: impl Into<PageRequest<'_>>,
) -> Result<Page<AuditEntry>> {
    caller.admin(AdminPermission::SeeAudit)?;
    let of = of.into();
    let (after, size) = (cursor::<Audit>(of.after)?.map(Into::into), page::rows(of.limit, PAGE_SIZE));
    let rows: Vec<AuditRow> = engine.db.list(AUDIT.bind(Vec::new(), "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| row.id.to_string());
    let about = subjects::about(engine, page.items.iter().map(|row| row.subject)).await?;
    Ok(page.map(|row| {
        let products = (row.action == UPSERT).then(|| serde_json::from_str(&row.note).ok()).flatten();
        AuditEntry {
            action: row.action,
            subject: row.subject.to_string(),
            about: about.get(&row.subject).cloned().unwrap_or_default(),
            note: if products.is_some() { String::new() } else { row.note },
            products,
            user_email: row.user_email,
            created_at: caller.time(engine, row.created_at),
        }
    }))
}

/// The same with the number of entries.
pub async fn table(engine: &Engine, caller: &Caller, of: &ListRequest) -> Result<Counted<AuditEntry>> {
    let page = list(engine, caller, of).await?;
    Ok(CountRow::with(engine.db.list(AUDIT.count(Vec::new())).await?, page))
}
