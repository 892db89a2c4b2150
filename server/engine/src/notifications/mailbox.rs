//! The mailbox in the database: keeps emails for a week if no mail server is configured.

use async_trait::async_trait;

use super::{Mail, Mailer, SendError};
use crate::{Clock, Db, Engine, TxResult, insert, lists, params, rows, statements};
use haat_shared::{Error, Result, id::kinds::EmailId};

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

/// The text of an email, if it is here.
pub(super) async fn text(engine: &Engine, id: EmailId) -> Result<Option<String>> {
    match find(&engine.db, id).await {
        Ok(mail) => Ok(Some(mail.text)),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An email.
pub async fn find(db: &Db, id: EmailId) -> Result<Mail> {
    let EmailRow { id, recipient: to, subject, text, html, created_at } =
        db.opt(&FIND, params![id]).await?.ok_or(Error::NotFound)?;
    Ok(Mail { id, to, subject, text, html, unsubscribe: None, created_at })
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
