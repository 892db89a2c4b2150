//! Sign-ups that are confirmed by email. The response is the same whether there is an account or not; only
//! the email differs.

use std::collections::HashMap;

use uuid::Uuid;

use super::password;
use crate::{
    Caller, Engine, TxResult,
    bus::Topic,
    db::{Scalar, Tx},
    insert, params, random, rows, statements,
};
use haat_shared::{
    Error, Id, Result,
    accounts::SignUp,
    id::kinds::{Job, NotificationId, SignUpId, UserId},
};

/// The lifetime of the link in the email.
pub const CONFIRM_MS: i64 = 24 * 3_600_000;
/// The purpose that the link is signed for.
const PURPOSE: &str = "sign-up";

statements! {
    CONFIRMED = "SELECT u.id AS value FROM sign_ups s JOIN users u ON u.email_folded = s.email_folded WHERE s.id = $1";
    NOTIFIED = "SELECT s.id, s.name FROM notifications n JOIN sign_ups s ON s.id = n.subject WHERE n.claim = $1
        UNION ALL SELECT r.id, u.name FROM notifications n JOIN password_resets r ON r.id = n.subject JOIN users u ON u.id = r.user_id
            WHERE n.claim = $1
        UNION ALL SELECT c.id, u.name FROM notifications n JOIN sign_in_codes c ON c.id = n.subject JOIN users u ON u.id = c.user_id
            WHERE n.claim = $1
        UNION ALL SELECT u.id, u.name FROM notifications n JOIN users u ON u.id = n.subject WHERE n.claim = $1 AND n.kind = 'password_changed'";
    PURGE = "DELETE FROM sign_ups WHERE expires_at < $1";
}

insert! {
    struct AddSignUp<'a> into sign_ups {
        id: SignUpId,
        name: &'a str,
        email: &'a str,
        email_folded: String,
        search_folded: String,
        password_hash: &'a str,
        locale: &'a str,
        expires_at: i64,
    }

    /// The email about a sign-up.
    struct AddNotification into notifications {
        id: NotificationId,
        created_at: i64;
        event = "s.id",
        recipient = "s.email",
        channel = "'email'",
        kind = "CASE WHEN EXISTS (SELECT 1 FROM users u WHERE u.email_folded = s.email_folded) THEN 'account_exists'
            ELSE 'sign_up' END",
        subject = "s.id",
        locale = "s.locale",
        state = "'written'",
    } => [sign_up: SignUpId] "given JOIN sign_ups s ON s.id = given.sign_up"

    /// The user who has confirmed a sign-up in time.
    struct AddUser into users {
        id: UserId,
        created_at: i64;
        name = "s.name",
        email = "s.email",
        email_folded = "s.email_folded",
        search_folded = "s.search_folded",
        password_hash = "s.password_hash",
        locale = "s.locale",
    } => [sign_up: SignUpId] "given JOIN sign_ups s ON s.id = given.sign_up WHERE s.expires_at > given.created_at
        ON CONFLICT (email_folded) DO NOTHING"
}

rows! {
    struct NotifiedRow {
        id: Uuid,
        name: String,
    }
}

/// Requests an account. The address gets an email with a link that creates the account, or one that says
/// that there is one already. Neither the response nor its timing reveals which.
pub async fn ask(engine: &Engine, caller: &Caller, form: SignUp) -> Result<()> {
    let user = form.check(engine.smtputf8).map_err(Error::Invalid)?;
    let hash = password::hash(user.password).await?;
    let now = engine.clock.now_ms();
    let id: SignUpId = random::id(now);
    let input = (id, user.name, user.email, hash, caller.locale, now);
    engine
        .db
        .write("accounts::ask", input, |tx, (id, name, email, hash, locale, now)| {
            Box::pin(async move {
                tx.insert(AddSignUp {
                    id: *id,
                    name,
                    email: email.as_str(),
                    email_folded: email.folded(),
                    search_folded: super::search_text(name, email),
                    password_hash: hash,
                    locale,
                    expires_at: *now + CONFIRM_MS,
                })
                .await?;
                tx.insert(AddNotification { id: random::id(*now), created_at: *now, sign_up: *id }).await?;
                Ok(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Notifications, "");
    Ok(())
}

/// The token of the link in the email: whoever has it has received the email.
pub(crate) fn token(engine: &Engine, id: SignUpId) -> String {
    engine.secret.sign(PURPOSE, &id.to_string())
}

/// Creates the requested account. Following the link again changes nothing.
pub async fn confirm(engine: &Engine, _: &Caller, id: SignUpId, token: &str) -> Result<()> {
    if !engine.secret.verify(PURPOSE, &id.to_string(), token) {
        return Err(Error::NotFound);
    }
    let now = engine.clock.now_ms();
    let user: UserId = random::id(now);
    let write = engine.db.write("accounts::confirm", (id, user, now), |tx, (id, user, now)| {
        Box::pin(async move {
            if !tx.insert(AddUser { id: *user, created_at: *now, sign_up: *id }).await? {
                let there: Option<Scalar<UserId>> = tx.opt(&CONFIRMED, params![*id]).await?;
                there.ok_or(Error::NotFound)?;
            }
            Ok(())
        })
    });
    Ok(write.await?)
}

/// The names of people who signed up, asked for a code or a new password or have one, for a batch of notifications.
pub(crate) async fn notification_data(engine: &Engine, claim: Id<Job>) -> Result<HashMap<Uuid, String>> {
    let rows: Vec<NotifiedRow> = engine.db.all(&NOTIFIED, params![claim]).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

pub(super) async fn purge_in_tx(tx: &mut Tx, now: i64) -> TxResult<()> {
    tx.exec(&PURGE, params![now]).await?;
    Ok(())
}
