//! Deletes what has expired: sessions, API sessions, counters, sign-ups, sign-ins with providers, codes, links for new passwords,
//! invitations and drafts.

use crate::{Engine, TxResult, params, quotas, staff, statements};

use super::{api_auth, drafts, logins, passwords, sign_in_codes, sign_ups};

statements! {
    FORGET_SESSIONS = "DELETE FROM sessions WHERE expires_at < $1";
}

/// Deletes expired sessions, API sessions and drafts.
pub async fn purge(engine: &Engine) -> TxResult<()> {
    engine
        .db
        .write("accounts::purge", engine.clock.now_ms(), |tx, now| {
            Box::pin(async move {
                tx.exec(&FORGET_SESSIONS, params![*now]).await?;
                api_auth::purge_in_tx(tx, *now).await?;
                quotas::purge_in_tx(tx, *now).await?;
                sign_ups::purge_in_tx(tx, *now).await?;
                passwords::purge_in_tx(tx, *now).await?;
                sign_in_codes::purge_in_tx(tx, *now).await?;
                logins::purge_in_tx(tx, *now).await?;
                staff::purge_in_tx(tx, *now).await?;
                drafts::purge_in_tx(tx, *now).await
            })
        })
        .await
}
