//! Deactivated accounts: their owners are signed out everywhere, and can't sign in until an admin activates them again.
//!
//! Everything that finds who makes a request leaves out deactivated users, so that it counts from the next request on. Their
//! shops and orders go on. What they had begun, such as links for a new password, ends; API keys only rest.

use super::sign_in_codes;
use crate::{Caller, Engine, TxResult, admin, audit, bus::Topic, db::Tx, params, rows, statements};
use haat_shared::{
    Conflict, Error, FieldCode, Result, id::kinds::UserId, permissions::AdminPermission,
    personal::REASON_MAX, text,
};

statements! {
    // Also locks the row.
    STATE = "UPDATE users SET locale = locale WHERE id = $1 RETURNING deactivated_at, erased_at";
    DEACTIVATE = "UPDATE users SET deactivated_at = $2, deactivated_because = $3 WHERE id = $1";
    ACTIVATE = "UPDATE users SET deactivated_at = NULL, deactivated_because = '' WHERE id = $1";
    END_SESSIONS = "DELETE FROM sessions WHERE user_id = $1";
    END_API_SESSIONS = "DELETE FROM api_sessions WHERE user_id = $1";
    END_RESETS = "DELETE FROM password_resets WHERE user_id = $1";
    END_ATTEMPTS = "DELETE FROM login_attempts WHERE user_id = $1";
}

rows! {
    struct StateRow {
        deactivated_at: Option<i64>,
        erased_at: Option<i64>,
    }
}

/// Deactivates the account of someone else, for a reason that admins see. Repeating it changes the reason.
pub async fn deactivate(engine: &Engine, caller: &Caller, user: UserId, reason: &str) -> Result<()> {
    caller.admin(AdminPermission::ManageUsers)?;
    if caller.user_id() == Some(user) {
        return Err(Error::Conflict(Conflict::OwnAccount));
    }
    let reason = reason.trim().to_owned();
    if text::is_blank(&reason) {
        return Err(Error::field("reason", FieldCode::Missing));
    }
    if reason.chars().count() > REASON_MAX {
        return Err(Error::field("reason", FieldCode::TooLong(REASON_MAX)));
    }
    let input = (user, reason, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("accounts::deactivate", user), input, |tx, (user, reason, by, now)| {
            Box::pin(async move {
                // First, as where roles are revoked.
                admin::spare_in_tx(tx, *user).await?;
                found_in_tx(tx, *user).await?;
                tx.exec(&DEACTIVATE, params![*user, *now, reason.as_str()]).await?;
                end_all_in_tx(tx, *user).await?;
                audit::write(tx, *by, "accounts::deactivate", *user, reason, *now).await
            })
        })
        .await?;
    tell(engine, user);
    Ok(())
}

/// Activates a deactivated account again.
pub async fn activate(engine: &Engine, caller: &Caller, user: UserId) -> Result<()> {
    caller.admin(AdminPermission::ManageUsers)?;
    let input = (user, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(("accounts::activate", user), input, |tx, (user, by, now)| {
            Box::pin(async move {
                if found_in_tx(tx, *user).await?.deactivated_at.is_none() {
                    return Ok(());
                }
                tx.exec(&ACTIVATE, params![*user]).await?;
                audit::write(tx, *by, "accounts::activate", *user, "", *now).await
            })
        })
        .await?;
    Ok(())
}

async fn found_in_tx(tx: &mut Tx, user: UserId) -> TxResult<StateRow> {
    let state: StateRow = tx.opt(&STATE, params![user]).await?.ok_or(Error::NotFound)?;
    if state.erased_at.is_some() { Err(Conflict::AccountDeleted.into()) } else { Ok(state) }
}

/// Signs a user out everywhere, and ends what they could still sign in with.
pub(crate) async fn end_all_in_tx(tx: &mut Tx, user: UserId) -> TxResult<()> {
    for statement in [&END_SESSIONS, &END_API_SESSIONS, &END_RESETS, &END_ATTEMPTS] {
        tx.exec(statement, params![user]).await?;
    }
    sign_in_codes::end_in_tx(tx, user).await
}

/// Has the user's sockets look at their session again, which has ended.
pub(crate) fn tell(engine: &Engine, user: UserId) {
    engine.bus.publish(Topic::Inbox, &user.to_string());
}
