//! The mailbox in the database: where mails go while no server is named to send them, kept for a week.

use async_trait::async_trait;

use super::{Mail, Mailer};
use crate::{Clock, Db, Tried, params, payments::GatewayError, rows, statements};
use haat_shared::{Error, Result, id::kinds::MailId};

/// How long mails are kept.
const KEEP_MS: i64 = 7 * 24 * 3_600_000;
/// How many are listed.
const LISTED: i64 = 100;

statements! {
    PUT = "INSERT INTO mailbox (id, recipient, subject, text, html, created_at) VALUES [($1, $2, $3, $4, $5, $6)]
        ON CONFLICT (id) DO NOTHING";
    LIST = "SELECT id, recipient, subject, created_at FROM mailbox ORDER BY created_at DESC, id LIMIT $1";
    FIND = "SELECT id, recipient, subject, text, html, created_at FROM mailbox WHERE id = $1";
    FORGET = "DELETE FROM mailbox WHERE created_at < $1";
}

rows! {
    /// A mail in the list.
    #[derive(Debug)]
    pub struct MailCard {
        /// Its id.
        pub id: MailId,
        /// Where it went.
        pub recipient: String,
        /// What it is about.
        pub subject: String,
        /// When it was written: milliseconds since 1970, UTC.
        pub created_at: i64,
    }

    struct MailRow {
        id: MailId,
        recipient: String,
        subject: String,
        text: String,
        html: String,
        created_at: i64,
    }
}

/// The mailer that keeps what it is given.
pub struct Mailbox(pub Db);

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mails: &[Mail]) -> Vec<std::result::Result<(), GatewayError>> {
        let put = put(&self.0, mails).await.map_err(|fault| GatewayError::Unreachable(fault.to_string()));
        vec![put; mails.len()]
    }
}

async fn put(db: &Db, mails: &[Mail]) -> Tried<()> {
    let rows = mails.iter().map(|m| {
        [
            m.id.into(),
            (&m.to).into(),
            (&m.subject).into(),
            (&m.text).into(),
            (&m.html).into(),
            m.created_at.into(),
        ]
    });
    db.write("mailbox::put", rows.collect::<Vec<_>>(), |tx, rows| {
        Box::pin(async move {
            tx.exec_many(&PUT, rows).await?;
            Ok(())
        })
    })
    .await
}

/// The latest mails, newest first.
pub async fn list(db: &Db) -> Result<Vec<MailCard>> {
    Ok(db.all(&LIST, params![LISTED]).await?)
}

/// A mail.
pub async fn find(db: &Db, id: MailId) -> Result<Mail> {
    let MailRow { id, recipient: to, subject, text, html, created_at } =
        db.opt(&FIND, params![id]).await?.ok_or(Error::NotFound)?;
    Ok(Mail { id, to, subject, text, html, created_at })
}

/// Forgets mails that are older than a week.
pub async fn forget(db: &Db, clock: &Clock) -> Tried<()> {
    db.write("mailbox::forget", clock.now_ms() - KEEP_MS, |tx, before| {
        Box::pin(async move {
            tx.exec(&FORGET, params![*before]).await?;
            Ok(())
        })
    })
    .await
}
