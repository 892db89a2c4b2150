//! The mailbox in the database: keeps emails for a week if no mail server is configured.

use async_trait::async_trait;

use super::{Mail, Mailer, SendError};
use crate::{
    Caller, Clock, Db, Engine, TxResult,
    db::{CountRow, Value},
    insert, lists, params, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    audit::{self, EmailText},
    id::kinds::EmailId,
    page::{self, Counted, ListRequest, Page, PageRequest},
    permissions::AdminPermission,
};

/// How long emails are kept.
const KEEP_MS: i64 = 7 * 24 * 3_600_000;
/// The number of rows per page.
const PAGE_SIZE: usize = 50;

lists! {
    EMAILS {
        select: "SELECT m.id, m.recipient, m.subject, m.created_at FROM mailbox m",
        base_filter: "TRUE",
        filters: &[],
        sorts: &[("newest", "(m.created_at, m.id) < ({}, {})", "m.created_at DESC, m.id DESC")],
    }
}

statements! {
    FIND = "SELECT id, recipient, subject, text, html, created_at FROM mailbox WHERE id = $1";
    PURGE = "DELETE FROM mailbox WHERE created_at < $1";
}

insert! {
    struct AddEmail<'a> into mailbox {
        id: EmailId,
        recipient: &'a str,
        subject: &'a str,
        text: &'a str,
        html: &'a str,
        created_at: i64,
    } "ON CONFLICT (id) DO NOTHING"
}

rows! {
    /// An email in the list.
    #[derive(Debug)]
    pub struct EmailCard {
        /// The ID.
        pub id: EmailId,
        /// The recipient.
        pub recipient: String,
        /// The subject.
        pub subject: String,
        /// When it was written: milliseconds since 1970, UTC.
        pub created_at: i64,
    }

    struct EmailRow {
        id: EmailId,
        recipient: String,
        subject: String,
        text: String,
        html: String,
        created_at: i64,
    }
}

/// The mailer that stores emails in the database.
pub struct Mailbox(pub Db);

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mails: &[Mail]) -> Vec<std::result::Result<(), SendError>> {
        let put = put(&self.0, mails).await.map_err(|fault| SendError::Unreachable(fault.to_string()));
        vec![put; mails.len()]
    }
}

async fn put(db: &Db, mails: &[Mail]) -> TxResult<()> {
    db.write("mailbox::put", mails.to_vec(), |tx, mails| {
        Box::pin(async move {
            let rows = mails.iter().map(|mail| AddEmail {
                id: mail.id,
                recipient: &mail.to,
                subject: &mail.subject,
                text: &mail.text,
                html: &mail.html,
                created_at: mail.created_at,
            });
            tx.insert_all(rows.collect::<Vec<_>>()).await?;
            Ok(())
        })
    })
    .await
}

/// The latest emails, newest first.
pub async fn latest(db: &Db) -> Result<Vec<EmailCard>> {
    Ok(db.list(EMAILS.bind(Vec::new(), "newest", None, PAGE_SIZE)).await?)
}

/// The emails, newest first. Operators only.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    of: impl Into<PageRequest<'_>>,
) -> Result<Page<audit::EmailCard>> {
    caller.admin(AdminPermission::SeeEmails)?;
    let of = of.into();
    let after = cursor(of.after)?;
    let after = after.into_iter().flat_map(|(at, id)| [Value::from(at), id.into()]);
    let size = page::rows(of.limit, PAGE_SIZE);
    let rows: Vec<EmailCard> = engine.db.list(EMAILS.bind(Vec::new(), "newest", after, size + 1)).await?;
    let page = Page::cut(rows, size, |row| format!("{}.{}", row.created_at, row.id));
    Ok(page.map(|row| audit::EmailCard {
        id: row.id,
        to: row.recipient,
        subject: row.subject,
        created_at: caller.time(engine, row.created_at),
    }))
}

/// The same with the number of emails. Operators only.
pub async fn table(engine: &Engine, caller: &Caller, of: &ListRequest) -> Result<Counted<audit::EmailCard>> {
    let page = list(engine, caller, of).await?;
    Ok(CountRow::with(engine.db.list(EMAILS.count(Vec::new())).await?, page))
}

/// The key from which a page continues: the time of an email and its ID, which does not contain the time.
fn cursor(after: &str) -> Result<Option<(i64, EmailId)>> {
    if after.is_empty() {
        return Ok(None);
    }
    let key = after.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    key.map(Some).ok_or_else(|| Error::field("after", FieldCode::BadCursor))
}

/// An email as it was sent. Operators only.
pub async fn read(engine: &Engine, caller: &Caller, id: EmailId) -> Result<EmailText> {
    caller.admin(AdminPermission::SeeEmails)?;
    let Mail { id, to, subject, text, created_at, .. } = find(&engine.db, id).await?;
    Ok(EmailText {
        card: audit::EmailCard { id, to, subject, created_at: caller.time(engine, created_at) },
        text,
    })
}

/// An email.
pub async fn find(db: &Db, id: EmailId) -> Result<Mail> {
    let EmailRow { id, recipient: to, subject, text, html, created_at } =
        db.opt(&FIND, params![id]).await?.ok_or(Error::NotFound)?;
    Ok(Mail { id, to, subject, text, html, created_at })
}

/// Deletes emails older than a week.
pub async fn purge(db: &Db, clock: &Clock) -> TxResult<()> {
    db.write("mailbox::purge", clock.now_ms() - KEEP_MS, |tx, before| {
        Box::pin(async move {
            tx.exec(&PURGE, params![*before]).await?;
            Ok(())
        })
    })
    .await
}
