//! New passwords: by a link that is emailed, and by who is signed in and knows the present one.
//!
//! The response to a request for a link is the same whether there is an account or not, and so is what is written; only
//! an account gets an email. The token of the link isn't stored: it is a signature of the request's ID, so whoever reads
//! the database can't follow it. A new password ends all sessions and all other links.

use std::collections::BTreeMap;

use super::{AddSession, SESSION_MS, password};
use crate::{
    Caller, Engine, TxResult,
    bus::Topic,
    db::{Scalar, Tx},
    insert, params,
    quotas::{self, DAY_MS, HOUR_MS, QuotaKind},
    random, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    accounts::{SignIn, check_password, mailbox},
    id::kinds::{NotificationId, PasswordResetId, UserId},
    profile::PasswordChange,
};

/// The lifetime of the link in the email.
pub const RESET_MS: i64 = 3_600_000;
/// The purpose that the link is signed for.
const PURPOSE: &str = "password reset";
/// How many links are sent to an address, per hour and per day.
const LINKS: [(QuotaKind, i64); 2] =
    [(("password_resets_per_hour", HOUR_MS), 3), (("password_resets_per_day", DAY_MS), 10)];

statements! {
    OF_RESET = "SELECT u.email AS value FROM password_resets r JOIN users u ON u.id = r.user_id AND u.deactivated_at IS NULL WHERE r.id = $1 AND r.expires_at > $2";
    TAKE = "DELETE FROM password_resets WHERE id = $1 AND expires_at > $2 RETURNING user_id AS value";
    HASH = "SELECT password_hash AS value FROM users WHERE id = $1";
    SET = "UPDATE users SET password_hash = $2 WHERE id = $1";
    // If nobody else has set another one since.
    REPLACE = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    END_SESSIONS = "DELETE FROM sessions WHERE user_id = $1";
    END_API_SESSIONS = "DELETE FROM api_sessions WHERE user_id = $1";
    FORGET = "DELETE FROM password_resets WHERE user_id = $1";
    PURGE = "DELETE FROM password_resets WHERE expires_at < $1";
}

insert! {
    struct AddReset into password_resets {
        id: PasswordResetId,
        expires_at: i64;
        user_id = "u.id",
    } => [email: String] "given JOIN users u ON u.email_folded = given.email AND u.deactivated_at IS NULL"

    /// The email with the link.
    struct AddLink into notifications {
        id: NotificationId,
        created_at: i64;
        event = "r.id",
        recipient = "u.email",
        user_id = "u.id",
        channel = "'email'",
        kind = "'password_reset'",
        subject = "r.id",
        locale = "u.locale",
        state = "'written'",
    } => [reset: PasswordResetId] "given JOIN password_resets r ON r.id = given.reset JOIN users u ON u.id = r.user_id"

    /// The email that says that the password was changed. Nobody can choose not to get it.
    struct AddNotice into notifications {
        id: NotificationId,
        created_at: i64;
        event = "given.id",
        recipient = "u.email",
        user_id = "u.id",
        channel = "'email'",
        kind = "'password_changed'",
        subject = "u.id",
        locale = "u.locale",
        state = "'written'",
    } => [owner: UserId] "given JOIN users u ON u.id = given.owner"
}

/// Emails a link to choose a new password, if the address has an account and hasn't got too many.
pub async fn request(engine: &Engine, _: &Caller, email: &str) -> Result<()> {
    if email.trim().is_empty() {
        return Err(Error::field("email", FieldCode::Missing));
    }
    let account = SignIn { email: email.to_owned(), ..SignIn::default() }.account();
    let subject = quotas::subject(engine, &mailbox(&account));
    let now = engine.clock.now_ms();
    let id: PasswordResetId = random::id(now);
    engine
        .db
        .write("passwords::request", (id, account, subject, now), |tx, (id, account, subject, now)| {
            Box::pin(async move {
                // Counted for whatever address is entered, so that as much is written without an account.
                let what: BTreeMap<_, i64> = LINKS.iter().map(|(kind, _)| ((*kind, *subject), 1)).collect();
                let used = quotas::spend_in_tx(tx, &what, *now).await?;
                let over = LINKS
                    .iter()
                    .any(|((name, _), most)| used.get(&(*name, *subject)).is_some_and(|used| used > most));
                let email = if over { String::new() } else { account.clone() };
                tx.insert(AddReset { id: *id, expires_at: *now + RESET_MS, email }).await?;
                tx.insert(AddLink { id: random::id(*now), created_at: *now, reset: *id }).await?;
                Ok(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Notifications, "");
    Ok(())
}

/// The token of the link in the email: whoever has it has received the email.
pub(crate) fn token(engine: &Engine, id: PasswordResetId) -> String {
    engine.secret.sign(PURPOSE, &id.to_string())
}

fn is_genuine(engine: &Engine, id: PasswordResetId, token: &str) -> bool {
    engine.secret.verify(PURPOSE, &id.to_string(), token)
}

/// The email address of the account that a link is for. None if it was used, has expired, or is not genuine.
pub async fn address(
    engine: &Engine,
    _: &Caller,
    id: PasswordResetId,
    token: &str,
) -> Result<Option<String>> {
    if !is_genuine(engine, id, token) {
        return Ok(None);
    }
    let key = params![id, engine.clock.now_ms()];
    Ok(engine.db.opt::<Scalar<String>>(&OF_RESET, key).await?.map(|email| email.0))
}

/// Sets the password of the account that the link is for, once, and ends all its sessions.
pub async fn reset(
    engine: &Engine,
    caller: &Caller,
    id: PasswordResetId,
    token: &str,
    password: &str,
) -> Result<()> {
    // Hashing is expensive, so that links which can't be used don't get that far.
    address(engine, caller, id, token).await?.ok_or(Error::NotFound)?;
    check_password("password", password).map_err(|fault| Error::Invalid(vec![fault]))?;
    let hash = password::hash(password.to_owned()).await?;
    let input = (id, hash, engine.clock.now_ms());
    engine
        .db
        .write("passwords::reset", input, |tx, (id, hash, now)| {
            Box::pin(async move {
                let user: Option<Scalar<UserId>> = tx.opt(&TAKE, params![*id, *now]).await?;
                let user = user.ok_or(Error::NotFound)?.0;
                tx.exec(&SET, params![user, hash.as_str()]).await?;
                changed_in_tx(tx, user, *now).await
            })
        })
        .await?;
    engine.bus.publish(Topic::Notifications, "");
    Ok(())
}

/// Changes the caller's password, if they know the present one. All their sessions end; returns the token of a new one.
pub async fn change(engine: &Engine, caller: &Caller, form: PasswordChange) -> Result<String> {
    let user = caller.signed_in()?.id;
    form.check().map_err(Error::Invalid)?;
    let before: Scalar<String> = engine.db.opt(&HASH, params![user]).await?.ok_or(Error::SignInNeeded)?;
    if !password::verify(form.current, Some(before.0.clone())).await? {
        return Err(Error::field("current_password", FieldCode::WrongPassword));
    }
    let hash = password::hash(form.new).await?;
    let token = random::token();
    let session = (random::token_hash(&token), caller.device.clone());
    let input = (user, before.0, hash, session, engine.clock.now_ms());
    engine
        .db
        .write("passwords::change", input, |tx, (user, before, hash, (token, device), now)| {
            Box::pin(async move {
                if tx.exec(&REPLACE, params![*user, before.as_str(), hash.as_str()]).await? == 0 {
                    return Err(Error::field("current_password", FieldCode::WrongPassword).into());
                }
                changed_in_tx(tx, *user, *now).await?;
                tx.insert(AddSession {
                    id: random::id(*now),
                    token_hash: *token,
                    user_id: *user,
                    device: device.clone(),
                    created_at: *now,
                    expires_at: *now + SESSION_MS,
                })
                .await?;
                Ok(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Notifications, "");
    Ok(token)
}

/// Whether this is the password of a user. Whoever signs in with a provider only has none.
pub(crate) async fn is_present(engine: &Engine, user: UserId, password: &str) -> Result<bool> {
    let hash: Scalar<String> = engine.db.opt(&HASH, params![user]).await?.ok_or(Error::SignInNeeded)?;
    password::verify(password.to_owned(), Some(hash.0).filter(|hash| !hash.is_empty())).await
}

/// A password was changed: nothing that was begun with the old one goes on, and its owner is told.
async fn changed_in_tx(tx: &mut Tx, user: UserId, now: i64) -> TxResult<()> {
    tx.exec(&END_SESSIONS, params![user]).await?;
    tx.exec(&END_API_SESSIONS, params![user]).await?;
    tx.exec(&FORGET, params![user]).await?;
    tx.insert(AddNotice { id: random::id(now), created_at: now, owner: user }).await?;
    Ok(())
}

pub(super) async fn purge_in_tx(tx: &mut Tx, now: i64) -> TxResult<()> {
    tx.exec(&PURGE, params![now]).await?;
    Ok(())
}
