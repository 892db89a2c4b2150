//! Authentication of API clients: with a short-lived access token, obtained with a password, or with an API
//! key.
//!
//! An access token is a JWT (RFC 7519) that only Haat issues and reads, with one algorithm and one header,
//! compared byte for byte. It names an API session, a row that says whether the token is still valid, so
//! revocation takes effect immediately (docs/decisions/0010-access.md).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{WhoRow, check_password, signed_in};
use crate::{Caller, Engine, Who, carts, db::Tx, insert, params, random, rows, statements};
use haat_shared::{
    Error, FieldCode, Result,
    access::{ApiKeyCard, CreatedApiKey, KEYS_MAX, NewApiKey, Scope, Tokens},
    accounts::SignIn,
    id::kinds::{ApiKeyId, ApiSessionId, UserId},
    routes::API,
};

/// The lifetime of an access token.
pub const ACCESS_MS: i64 = 15 * 60_000;
/// The lifetime of a refresh token.
pub const REFRESH_MS: i64 = 30 * 24 * 3_600_000;
/// The prefix of API keys, by which people and secret scanners recognise them.
const KEY_PREFIX: &str = "haat_key_";
/// The accuracy with which the last use of a key is stored, so that not every use writes.
const USED_MS: i64 = 5 * 60_000;
/// `{"alg":"HS256","typ":"JWT"}`
const JWT_HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

statements! {
    ROTATE = "UPDATE api_sessions SET token_hash = $3, expires_at = $5 WHERE id = $1 AND token_hash = $2 AND expires_at > $4
            AND EXISTS (SELECT 1 FROM users u WHERE u.id = api_sessions.user_id AND u.deactivated_at IS NULL)
        RETURNING user_id";
    END = "DELETE FROM api_sessions WHERE id = $1";
    PURGE = "DELETE FROM api_sessions WHERE expires_at < $1";
    WHO_HAS_SESSION = super::who!("api_sessions e", "e.id = $1 AND e.expires_at > $2");
    WHO_HAS_KEY = super::who!("api_keys e", "e.secret_hash = $1", ", e.id AS key_id, e.scopes, e.last_used_at");
    USED = "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $3)";
    KEYS = "SELECT id, name, scopes, created_at, last_used_at FROM api_keys WHERE user_id = $1 ORDER BY id DESC";
    END_KEY = "DELETE FROM api_keys WHERE id = $1 AND user_id = $2";
}

insert! {
    struct AddApiSession into api_sessions {
        id: ApiSessionId,
        user_id: UserId,
        token_hash: [u8; 32],
        created_at: i64,
        expires_at: i64,
    }

    struct AddKey<'a> into api_keys {
        id: ApiKeyId,
        user_id: UserId,
        name: &'a str,
        scopes: &'a str,
        secret_hash: [u8; 32],
        created_at: i64,
    } => [keys_max: i64] "given JOIN users u ON u.id = given.user_id
        WHERE (SELECT COUNT(*) FROM api_keys k WHERE k.user_id = u.id) < given.keys_max"
}

rows! {
    struct SessionRow {
        user_id: UserId,
    }

    struct KeyWhoRow {
        key_id: ApiKeyId,
        scopes: String,
        last_used_at: Option<i64>;
        who: WhoRow
    }

    struct KeyRow {
        id: ApiKeyId,
        name: String,
        scopes: String,
        created_at: i64,
        last_used_at: Option<i64>,
    }
}

/// The claims of an access token. Times are in seconds, as the specification requires.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: ApiSessionId,
    iat: i64,
    exp: i64,
}

fn audience(engine: &Engine) -> String {
    format!("{}{API}", engine.public_url)
}

fn signature(engine: &Engine, payload: &str) -> String {
    // The prefix states the purpose, so that no other signature of this market is accepted as a token.
    let mac = engine.secret.mac(&[b"access token\0", JWT_HEADER.as_bytes(), b".", payload.as_bytes()]);
    URL_SAFE_NO_PAD.encode(mac)
}

fn mint(engine: &Engine, user: UserId, session: ApiSessionId, now: i64) -> Result<String> {
    let claims = Claims {
        iss: engine.public_url.clone(),
        aud: audience(engine),
        sub: user,
        sid: session,
        iat: now / 1000,
        exp: (now + ACCESS_MS) / 1000,
    };
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).map_err(|_| Error::Internal)?);
    Ok(format!("{JWT_HEADER}.{payload}.{}", signature(engine, &payload)))
}

/// The claims of a token, if it was signed for this market and has not expired.
fn read(engine: &Engine, token: &str) -> Option<Claims> {
    let (payload, mac) = token.strip_prefix(JWT_HEADER)?.strip_prefix('.')?.split_once('.')?;
    if !bool::from(signature(engine, payload).as_bytes().ct_eq(mac.as_bytes())) {
        return None;
    }
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let ours = claims.iss == engine.public_url && claims.aud == audience(engine);
    (ours && claims.exp > engine.clock.now_ms() / 1000).then_some(claims)
}

/// The caller with this token or key and this cart token, if it has the `scope`. An invalid token or key
/// is rejected even if none is required.
pub async fn caller(
    engine: &Engine,
    credential: Option<&str>,
    cart: Option<&str>,
    scope: Option<Scope>,
) -> Result<Caller> {
    let mut caller = Caller { cart: cart.map(random::token_hash), ..Caller::guest() };
    let Some(credential) = credential else { return Ok(caller) };
    let user = if credential.starts_with(KEY_PREFIX) {
        by_key(engine, credential, scope).await?
    } else {
        let claims = read(engine, credential).ok_or(Error::SignInNeeded)?;
        let key = params![claims.sid, engine.clock.now_ms()];
        signed_in(engine.db.all(&WHO_HAS_SESSION, key).await?)
    };
    caller.who = Who::User(user.ok_or(Error::SignInNeeded)?);
    Ok(caller)
}

async fn by_key(
    engine: &Engine,
    secret: &str,
    scope: Option<Scope>,
) -> Result<Option<crate::caller::SignedIn>> {
    let rows: Vec<KeyWhoRow> = engine.db.all(&WHO_HAS_KEY, params![random::token_hash(secret)]).await?;
    let Some(key) = rows.first() else { return Ok(None) };
    let scopes = scopes(&key.scopes);
    if scope.is_some_and(|scope| !scopes.contains(&scope)) {
        return Err(Error::Denied);
    }
    let now = engine.clock.now_ms();
    if key.last_used_at.is_none_or(|at| at < now - USED_MS) {
        let input = (key.key_id, now);
        let write = engine.db.write("api_auth::used", input, |tx, (key, now)| {
            Box::pin(async move { Ok(tx.exec(&USED, params![*key, *now, *now - USED_MS]).await?) })
        });
        write.await?;
    }
    let mut user = signed_in(rows.into_iter().map(|row| row.who).collect());
    if let Some(user) = &mut user
        && !scopes.contains(&Scope::Operator)
    {
        user.admin_roles.clear();
    }
    Ok(user)
}

fn scopes(stored: &str) -> Vec<Scope> {
    stored.split(' ').filter_map(Scope::parse).collect()
}

/// Signs an API client in; the guest's cart is merged into the account's.
pub async fn sign_in(engine: &Engine, caller: &Caller, form: SignIn) -> Result<Tokens> {
    let user = check_password(engine, form).await?;
    let now = engine.clock.now_ms();
    let session: ApiSessionId = random::id(now);
    let token = signed_token(engine, session);
    let input = (session, user, random::token_hash(&token), caller.cart, now);
    engine
        .db
        .write("api_auth::sign_in", input, |tx, (session, user, token, cart, now)| {
            Box::pin(async move {
                tx.insert(AddApiSession {
                    id: *session,
                    user_id: *user,
                    token_hash: *token,
                    created_at: *now,
                    expires_at: *now + REFRESH_MS,
                })
                .await?;
                if let Some(cart) = cart {
                    carts::join_in_tx(tx, *cart, *user, *now).await?;
                }
                Ok(())
            })
        })
        .await?;
    tokens(engine, user, session, &token, now)
}

fn tokens(engine: &Engine, user: UserId, session: ApiSessionId, token: &str, now: i64) -> Result<Tokens> {
    Ok(Tokens {
        access_token: mint(engine, user, session, now)?,
        token_type: "Bearer".into(),
        expires_in: ACCESS_MS / 1000,
        refresh_token: format!("{session}.{token}"),
        refresh_expires_in: REFRESH_MS / 1000,
    })
}

/// A signed token, so that neither a session's ID nor an invented token can end the session.
fn signed_token(engine: &Engine, session: ApiSessionId) -> String {
    let token = random::token();
    let mac = engine.secret.sign("refresh token", &format!("{session}\0{token}"));
    format!("{token}.{mac}")
}

/// Exchanges a refresh token for new tokens. A token that was used before has been copied, so the whole
/// session is revoked. A token that was never issued revokes nothing.
pub async fn refresh(engine: &Engine, _: &Caller, token: &str) -> Result<Tokens> {
    let (session, token) = token.split_once('.').ok_or(Error::SignInNeeded)?;
    let session: ApiSessionId = session.parse().map_err(|_| Error::SignInNeeded)?;
    // `TOKEN.SIGNATURE`. Tokens issued before signatures were introduced still work, once.
    let genuine = token.split_once('.').is_some_and(|(token, mac)| {
        engine.secret.verify("refresh token", &format!("{session}\0{token}"), mac)
    });
    let next = signed_token(engine, session);
    let now = engine.clock.now_ms();
    let input = (session, random::token_hash(token), random::token_hash(&next), genuine, now);
    let granted: Option<SessionRow> = engine
        .db
        .write("api_auth::refresh", input, |tx, (session, token, next, genuine, now)| {
            Box::pin(async move {
                let rotated =
                    tx.opt(&ROTATE, params![*session, *token, *next, *now, *now + REFRESH_MS]).await?;
                if rotated.is_none() && *genuine {
                    tx.exec(&END, params![*session]).await?;
                }
                Ok(rotated)
            })
        })
        .await?;
    tokens(engine, granted.ok_or(Error::SignInNeeded)?.user_id, session, &next, now)
}

/// Ends the API session of this access token, including its refresh token.
pub async fn sign_out(engine: &Engine, token: &str) -> Result<()> {
    let session = read(engine, token).ok_or(Error::SignInNeeded)?.sid;
    let write = engine.db.write("api_auth::sign_out", session, |tx, session| {
        Box::pin(async move { Ok(tx.exec(&END, params![*session]).await?) })
    });
    write.await?;
    Ok(())
}

/// Creates an API key for the caller.
pub async fn create_key(engine: &Engine, caller: &Caller, key: &NewApiKey) -> Result<CreatedApiKey> {
    let user = caller.signed_in()?.id;
    let NewApiKey { name, scopes } = key.check().map_err(Error::Invalid)?;
    let now = engine.clock.now_ms();
    let id: ApiKeyId = random::id(now);
    let secret = format!("{KEY_PREFIX}{}", random::token());
    let names: Vec<&str> = scopes.iter().map(|s| s.as_str()).collect();
    let input = (id, user, name.clone(), names.join(" "), random::token_hash(&secret), now);
    let added = engine
        .db
        .write("api_auth::create_key", input, |tx, (id, user, name, scopes, secret, now)| {
            Box::pin(async move {
                let row = AddKey {
                    id: *id,
                    user_id: *user,
                    name,
                    scopes,
                    secret_hash: *secret,
                    created_at: *now,
                    keys_max: KEYS_MAX,
                };
                Ok(tx.insert(row).await?)
            })
        })
        .await?;
    if !added {
        return Err(Error::field("name", FieldCode::TooMany));
    }
    let key = ApiKeyCard { id, name, scopes, created_at: caller.time(engine, now), last_used_at: None };
    Ok(CreatedApiKey { key, secret })
}

/// The caller's API keys, newest first. There are never many.
pub async fn keys(engine: &Engine, caller: &Caller) -> Result<Vec<ApiKeyCard>> {
    let rows: Vec<KeyRow> = engine.db.all(&KEYS, params![caller.signed_in()?.id]).await?;
    let card = |row: KeyRow| ApiKeyCard {
        id: row.id,
        name: row.name,
        scopes: scopes(&row.scopes),
        created_at: caller.time(engine, row.created_at),
        last_used_at: row.last_used_at.map(|at| caller.time(engine, at)),
    };
    Ok(rows.into_iter().map(card).collect())
}

/// Revokes an API key of the caller.
pub async fn end_key(engine: &Engine, caller: &Caller, id: ApiKeyId) -> Result<()> {
    let write = engine.db.write("api_auth::end_key", (id, caller.signed_in()?.id), |tx, (id, user)| {
        Box::pin(async move { Ok(tx.exec(&END_KEY, params![*id, *user]).await?) })
    });
    if write.await? == 0 { Err(Error::NotFound) } else { Ok(()) }
}

pub(super) async fn purge_in_tx(tx: &mut Tx, now: i64) -> crate::TxResult<()> {
    tx.exec(&PURGE, params![now]).await?;
    Ok(())
}
