//! Web push: notifications that a browser shows while no page of the market is open (RFC 8030). A browser that wants them has a
//! subscription, which lasts as long as the session in which it was made.

use std::collections::HashMap;

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::fault::SendError;
use crate::{
    Caller, Engine, TxResult,
    db::{Scalar, Tx, Value},
    insert, params, random, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::{NotificationId, PushSubscriptionId, SessionId, UserId},
    notifications::{PushBrowser, PushSubscription},
};

/// How many browsers of a user get notifications. Another one replaces the oldest.
const BROWSERS_MAX: i64 = 20;
/// The maximum length of the address of a subscription.
const ENDPOINT_MAX: usize = 1_000;
/// The length of a browser's public key: a point of P-256, uncompressed (SEC 1, 2.3.3).
const PUBLIC_KEY_BYTES: usize = 65;
/// The length of a browser's secret (RFC 8291, 3.2).
const AUTH_BYTES: usize = 16;

statements! {
    SESSION = "SELECT id AS value FROM sessions WHERE token_hash = $1 AND user_id = $2 AND expires_at > $3";
    // All but the latest ones.
    DROP_OLDEST = "DELETE FROM push_subscriptions WHERE user_id = $1 AND id NOT IN
        (SELECT p.id FROM push_subscriptions p WHERE p.user_id = $1 ORDER BY p.created_at DESC, p.id DESC LIMIT $2)";
    KNOWN = "SELECT id AS value FROM push_subscriptions WHERE user_id = $1 AND endpoint = $2";
    UNSUBSCRIBE = "DELETE FROM push_subscriptions WHERE user_id = $1 AND endpoint = $2";
    OF_USERS = "SELECT id, user_id FROM push_subscriptions WHERE user_id IN (VALUES [($1)])";
    FIND = "SELECT id, endpoint, public_key, auth FROM push_subscriptions WHERE id IN (VALUES [($1)])";
    GONE = "DELETE FROM push_subscriptions WHERE id IN (VALUES [($1)])";
}

insert! {
    struct Subscribe into push_subscriptions {
        id: PushSubscriptionId,
        session_id: SessionId,
        user_id: UserId,
        endpoint: String,
        public_key: Vec<u8>,
        auth: Vec<u8>,
        created_at: i64,
    } "ON CONFLICT (endpoint) DO UPDATE SET session_id = excluded.session_id, user_id = excluded.user_id,
        public_key = excluded.public_key, auth = excluded.auth, created_at = excluded.created_at"
}

rows! {
    struct OfUser {
        id: PushSubscriptionId,
        user_id: UserId,
    }

    #[derive(Debug, Clone)]
    struct Known {
        id: PushSubscriptionId,
        endpoint: String,
        public_key: Vec<u8>,
        auth: Vec<u8>,
    }
}

/// What a browser is to show.
#[derive(Debug, Clone)]
pub struct Push {
    /// The ID, so that a browser shows it once.
    pub id: NotificationId,
    /// Where the browser's push service takes it.
    pub endpoint: String,
    /// The browser's public key.
    pub public_key: Vec<u8>,
    /// The browser's secret.
    pub auth: Vec<u8>,
    /// JSON: the title, the text and the path of the page that it leads to.
    pub content: String,
}

/// The port to the push services of browsers.
#[async_trait]
pub trait Pusher: Send + Sync {
    /// The public key of the market (RFC 8292), in base64url.
    fn public_key(&self) -> &str;

    /// Whether an address is one of a push service: browsers name it, and requests go there.
    fn knows(&self, endpoint: &str) -> bool;

    /// Sends some, and returns a result for each, in order, within half a minute.
    async fn send(&self, pushes: &[Push]) -> Vec<std::result::Result<(), SendError>>;
}

/// What a browser needs to subscribe, and whether the one with this address gets the caller's notifications.
pub async fn browser(engine: &Engine, caller: &Caller, endpoint: &str) -> Result<PushBrowser> {
    let user = caller.signed_in()?.id;
    let known: Option<Scalar<PushSubscriptionId>> = engine.db.opt(&KNOWN, params![user, endpoint]).await?;
    Ok(PushBrowser { key: engine.pusher.public_key().to_owned(), subscribed: known.is_some() })
}

/// Subscribes a browser to the caller's notifications, as long as the session lasts whose token is given.
pub async fn subscribe(
    engine: &Engine,
    caller: &Caller,
    session: &str,
    PushSubscription { endpoint, keys }: &PushSubscription,
) -> Result<()> {
    let user = caller.signed_in()?.id;
    let decode = |field: &str, text: &str, bytes: usize| {
        // Some browsers pad it.
        let decoded = BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        decoded.filter(|key| key.len() == bytes).ok_or_else(|| Error::field(field, FieldCode::NotAChoice))
    };
    let public_key = decode("p256dh", &keys.p256dh, PUBLIC_KEY_BYTES)?;
    let auth = decode("auth", &keys.auth, AUTH_BYTES)?;
    if endpoint.len() > ENDPOINT_MAX || !engine.pusher.knows(endpoint) {
        return Err(Error::field("endpoint", FieldCode::NotAChoice));
    }
    let input =
        ((user, random::token_hash(session)), (endpoint.to_owned(), public_key, auth), engine.clock.now_ms());
    engine
        .db
        .write("push::subscribe", input, |tx, ((user, session), (endpoint, public_key, auth), now)| {
            Box::pin(async move {
                let session: Option<Scalar<SessionId>> =
                    tx.opt(&SESSION, params![*session, *user, *now]).await?;
                let session_id = session.ok_or(Error::SignInNeeded)?.0;
                tx.insert(Subscribe {
                    id: random::id(*now),
                    session_id,
                    user_id: *user,
                    endpoint: endpoint.clone(),
                    public_key: public_key.clone(),
                    auth: auth.clone(),
                    created_at: *now,
                })
                .await?;
                tx.exec(&DROP_OLDEST, params![*user, BROWSERS_MAX]).await?;
                Ok(())
            })
        })
        .await
        .map_err(Into::into)
}

/// Ends a subscription of the caller, if there is one with this address.
pub async fn unsubscribe(engine: &Engine, caller: &Caller, endpoint: &str) -> Result<()> {
    let input = (caller.signed_in()?.id, endpoint.to_owned());
    engine
        .db
        .write("push::unsubscribe", input, |tx, (user, endpoint)| {
            Box::pin(async move { Ok(tx.exec(&UNSUBSCRIBE, params![*user, endpoint.as_str()]).await?) })
        })
        .await?;
    Ok(())
}

/// The subscriptions of users.
pub(super) async fn of_users_in_tx(
    tx: &mut Tx,
    users: impl Iterator<Item = UserId>,
) -> TxResult<Vec<(UserId, PushSubscriptionId)>> {
    let users: Vec<[Value; 1]> = users.map(|user| [user.into()]).collect();
    let rows: Vec<OfUser> = tx.all_many(&OF_USERS, &users).await?;
    Ok(rows.into_iter().map(|row| (row.user_id, row.id)).collect())
}

/// A notification for a browser, whose subscription it names.
pub(super) struct Note {
    pub(super) id: NotificationId,
    /// None if the recipient is no subscription.
    pub(super) browser: Option<PushSubscriptionId>,
    pub(super) content: String,
}

/// Sends notifications to browsers. Subscriptions that are gone are forgotten.
pub(super) async fn send(
    engine: &Engine,
    notes: Vec<Note>,
) -> TxResult<Vec<std::result::Result<(), SendError>>> {
    let ids: Vec<[Value; 1]> = notes.iter().filter_map(|note| Some([note.browser?.into()])).collect();
    let known: Vec<Known> = engine.db.all_many(&FIND, &ids).await?;
    let known: HashMap<_, _> = known.into_iter().map(|of| (of.id, of)).collect();
    let push = |note: &Note| {
        let Known { endpoint, public_key, auth, .. } = known.get(&note.browser?)?.clone();
        Some(Push { id: note.id, endpoint, public_key, auth, content: note.content.clone() })
    };
    let pushes: Vec<Option<Push>> = notes.iter().map(push).collect();
    let sent: Vec<Push> = pushes.iter().flatten().cloned().collect();
    let mut answers = engine.pusher.send(&sent).await.into_iter();
    let ended = || Err(SendError::Refused("the browser wants no notifications any more".into()));
    let answers: Vec<_> = pushes
        .iter()
        .map(|push| push.as_ref().map_or_else(ended, |_| answers.next().unwrap_or_else(ended)))
        .collect();
    let gone = notes.iter().zip(&answers).filter(|(_, answer)| matches!(answer, Err(SendError::Gone(_))));
    let gone: Vec<[Value; 1]> = gone.filter_map(|(note, _)| Some([note.browser?.into()])).collect();
    if !gone.is_empty() {
        engine
            .db
            .write("push::gone", gone, |tx, gone| {
                Box::pin(async move { Ok(tx.exec_many(&GONE, gone).await?) })
            })
            .await?;
    }
    Ok(answers)
}
