//! Signing in with the account of a provider, by OpenID Connect.
//!
//! An account is known by the provider's name for it, its subject, and never by its email address: whoever has an account here
//! connects it while they are signed in. State, nonce and PKCE verifier are derived from a token that only the browser has, so
//! whoever reads the database can't complete a sign-in; the row of the attempt makes it happen once.

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use super::{AddUser, begin_session, search_text};
use crate::{Caller, Engine, TxResult, db::Tx, insert, params, random, rows, statements};
use haat_shared::{
    Error, Result,
    accounts::Email,
    id::kinds::UserId,
    logins::{LoginCard, LoginRefusal, Provider},
    routes, text,
};

/// How long a user has at the provider.
pub const ATTEMPT_MS: i64 = 600_000;
/// The maximum length of a subject (OpenID Connect Core 1.0, section 2).
const SUBJECT_MAX: usize = 255;

/// What a provider is given and has to give back: see [OpenID Connect Core 1.0](https://openid.net/specs/openid-connect-core-1_0.html)
/// and [RFC 7636](https://www.rfc-editor.org/rfc/rfc7636).
#[derive(Clone)]
pub struct Exchange {
    /// Where the provider sends the browser.
    pub return_to: String,
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// The PKCE code verifier: 43 characters.
    pub verifier: String,
}

/// Whom a provider has signed in, by a verified ID token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account at the provider.
    pub subject: String,
    /// Its email address. May be empty.
    pub email: String,
    /// Whether the provider has verified that address.
    pub verified: bool,
    /// The name of its owner. May be empty.
    pub name: String,
}

/// Why a provider names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It refuses, or what it says can't be trusted.
    #[error("refused: {0}")]
    Refused(String),
    /// It can't be reached.
    #[error("unreachable: {0}")]
    Unreachable(String),
}

/// A provider with whose accounts users can sign in.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Which one.
    fn provider(&self) -> Provider;
    /// Scheme, host and port of its page, to which a form of ours redirects.
    fn origin(&self) -> String;
    /// The URL of its page for an exchange.
    async fn page(&self, exchange: &Exchange) -> std::result::Result<String, IdentityError>;
    /// Who signed in there, by the code with which it sent the browser back.
    async fn identity(&self, code: &str, exchange: &Exchange)
    -> std::result::Result<Identity, IdentityError>;
}

/// What the provider sent the browser back with.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The state.
    pub state: String,
    /// The code. Empty if there is an error instead.
    pub code: String,
}

/// A sign-in that begins.
#[derive(Debug)]
pub enum Begun {
    /// At this page of the provider. The browser keeps the token.
    At {
        /// The URL.
        page: String,
        /// The token.
        token: String,
    },
    /// Or not.
    Refused(LoginRefusal),
}

/// How a sign-in ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// Signed in.
    SignedIn {
        /// The token of the session.
        token: String,
        /// The folded email address of the account.
        account: String,
        /// Where it leads; may be empty.
        next: String,
    },
    /// The account at the provider is now connected to the caller's.
    Connected,
    /// Nobody was signed in.
    Refused {
        /// Why.
        why: LoginRefusal,
        /// Whether an account was to be connected.
        connecting: bool,
        /// Where it would have led; may be empty.
        next: String,
    },
}

statements! {
    TAKE = "DELETE FROM login_attempts WHERE token_hash = $1 AND provider = $2 AND expires_at > $3 RETURNING user_id, next";
    OF_SUBJECT = "SELECT l.user_id, u.email_folded, u.deactivated_at FROM logins l JOIN users u ON u.id = l.user_id
        WHERE l.provider = $1 AND l.subject = $2";
    OF_USER = "SELECT provider, email FROM logins WHERE user_id = $1 ORDER BY created_at, provider";
    // So that of two at once, the second sees what the first left.
    LOCK = "UPDATE users SET password_hash = password_hash WHERE id = $1";
    DISCONNECT = "DELETE FROM logins WHERE user_id = $1 AND provider = $2 AND
        (EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.password_hash <> '')
            OR EXISTS (SELECT 1 FROM logins o WHERE o.user_id = $1 AND o.provider <> $2))";
    PURGE = "DELETE FROM login_attempts WHERE expires_at < $1";
}

insert! {
    struct AddAttempt into login_attempts {
        token_hash: [u8; 32],
        provider: Provider,
        user_id: Option<UserId>,
        next: String,
        expires_at: i64,
    }

    struct AddLogin<'a> into logins {
        provider: Provider,
        subject: &'a str,
        user_id: UserId,
        email: &'a str,
        created_at: i64,
    } "ON CONFLICT DO NOTHING"
}

rows! {
    struct AttemptRow {
        user_id: Option<UserId>,
        next: String,
    }

    struct OwnerRow {
        user_id: UserId,
        email_folded: String,
        deactivated_at: Option<i64>,
    }

    struct LoginRow {
        provider: Provider,
        email: String,
    }
}

/// The providers of this market.
pub fn providers(engine: &Engine) -> Vec<Provider> {
    engine.providers.iter().map(|it| it.provider()).collect()
}

/// The origins to which the forms that begin a sign-in redirect.
pub fn origins(engine: &Engine) -> Vec<String> {
    engine.providers.iter().map(|it| it.origin()).collect()
}

fn find(engine: &Engine, provider: Provider) -> Result<&dyn IdentityProvider> {
    let found = engine.providers.iter().find(|it| it.provider() == provider);
    found.map(|it| &**it).ok_or(Error::NotFound)
}

/// The exchange of whoever has the token.
fn exchange(engine: &Engine, provider: Provider, token: &str) -> Exchange {
    let derive = |purpose: &str| {
        let mac = engine.secret.mac(&[
            b"sign-in with ",
            provider.as_str().as_bytes(),
            b"\0",
            purpose.as_bytes(),
            b"\0",
            token.as_bytes(),
        ]);
        BASE64_URL_SAFE_NO_PAD.encode(mac)
    };
    Exchange {
        return_to: format!("{}{}", engine.public_url, routes::login_return(provider.as_str())),
        state: derive("state"),
        nonce: derive("nonce"),
        verifier: derive("verifier"),
    }
}

/// Begins to sign in with a provider; `next` is where that leads.
pub async fn begin(engine: &Engine, _: &Caller, provider: Provider, next: &str) -> Result<Begun> {
    attempt(engine, provider, None, next).await
}

/// Begins to connect the caller's account with one at a provider.
pub async fn begin_connecting(engine: &Engine, caller: &Caller, provider: Provider) -> Result<Begun> {
    attempt(engine, provider, Some(caller.signed_in()?.id), "").await
}

async fn attempt(engine: &Engine, provider: Provider, user: Option<UserId>, next: &str) -> Result<Begun> {
    let at = find(engine, provider)?;
    let token = random::token();
    let page = match at.page(&exchange(engine, provider, &token)).await {
        Ok(page) => page,
        Err(error) => return Ok(Begun::Refused(refusal(provider, &error))),
    };
    let until = engine.clock.now_ms() + ATTEMPT_MS;
    let input = (random::token_hash(&token), provider, user, next.to_owned(), until);
    engine
        .db
        .write("logins::begin", input, |tx, (token_hash, provider, user, next, until)| {
            Box::pin(async move {
                tx.insert(AddAttempt {
                    token_hash: *token_hash,
                    provider: *provider,
                    user_id: *user,
                    next: next.clone(),
                    expires_at: *until,
                })
                .await?;
                Ok(())
            })
        })
        .await?;
    Ok(Begun::At { page, token })
}

fn refusal(provider: Provider, error: &IdentityError) -> LoginRefusal {
    tracing::warn!(provider = provider.as_str(), %error, "a provider has signed nobody in");
    match error {
        IdentityError::Refused(_) => LoginRefusal::Failed,
        IdentityError::Unreachable(_) => LoginRefusal::Unreachable,
    }
}

/// Completes what [`begin`] or [`begin_connecting`] began in this browser, once. `token` is what the browser kept.
pub async fn arrive(
    engine: &Engine,
    caller: &Caller,
    provider: Provider,
    token: &str,
    reply: &Reply,
) -> Result<Arrival> {
    let at = find(engine, provider)?;
    let exchange = exchange(engine, provider, token);
    let genuine: bool = exchange.state.as_bytes().ct_eq(reply.state.as_bytes()).into();
    let taken = if genuine && !token.is_empty() { take(engine, provider, token).await? } else { None };
    let Some(AttemptRow { user_id: connecting, next }) = taken else {
        return Ok(Arrival::Refused { why: LoginRefusal::Failed, connecting: false, next: String::new() });
    };
    let refused = |why, next| Ok(Arrival::Refused { why, connecting: connecting.is_some(), next });
    if reply.code.is_empty() {
        return refused(LoginRefusal::Denied, next);
    }
    // Whoever connects an account is still the same.
    if connecting.is_some() && caller.user_id() != connecting {
        return refused(LoginRefusal::Failed, next);
    }
    let identity = match at.identity(&reply.code, &exchange).await {
        Ok(identity) if !identity.subject.is_empty() && identity.subject.len() <= SUBJECT_MAX => identity,
        Ok(_) => return refused(LoginRefusal::Failed, next),
        Err(error) => return refused(refusal(provider, &error), next),
    };
    match connecting {
        Some(user) => match connect(engine, provider, user, identity).await? {
            None => Ok(Arrival::Connected),
            Some(why) => refused(why, next),
        },
        None => match account(engine, caller, provider, identity).await? {
            Ok(OwnerRow { deactivated_at: Some(_), .. }) => refused(LoginRefusal::Deactivated, next),
            Ok(OwnerRow { user_id, email_folded, .. }) => {
                let token = begin_session(engine, caller, user_id).await?;
                Ok(Arrival::SignedIn { token, account: email_folded, next })
            }
            Err(why) => refused(why, next),
        },
    }
}

async fn take(engine: &Engine, provider: Provider, token: &str) -> Result<Option<AttemptRow>> {
    let input = (random::token_hash(token), provider, engine.clock.now_ms());
    let taken = engine.db.write("logins::take", input, |tx, (token, provider, now)| {
        Box::pin(async move { Ok(tx.opt(&TAKE, params![*token, *provider, *now]).await?) })
    });
    Ok(taken.await?)
}

/// The account of an identity: the one that it is connected with, or a new one with its email address, if nobody has that.
async fn account(
    engine: &Engine,
    caller: &Caller,
    provider: Provider,
    identity: Identity,
) -> Result<std::result::Result<OwnerRow, LoginRefusal>> {
    let key = params![provider, identity.subject.as_str()];
    if let Some(owner) = engine.db.opt::<OwnerRow>(&OF_SUBJECT, key).await? {
        return Ok(Ok(owner));
    }
    let email =
        Email::parse("email", &identity.email).and_then(|email| email.reachable("email", engine.smtputf8));
    let email = match email {
        Ok(email) if identity.verified => email,
        _ => return Ok(Err(LoginRefusal::Unverified)),
    };
    let name = Some(text::clip(&identity.name, text::PERSON_MAX)).filter(|name| !text::is_blank(name));
    let name = name.unwrap_or_else(|| text::clip(email.parts().0, text::PERSON_MAX));
    let now = engine.clock.now_ms();
    let input = (
        random::id::<haat_shared::id::kinds::User>(now),
        provider,
        identity.subject,
        name,
        email,
        caller.locale,
        now,
    );
    let write =
        engine.db.write("logins::sign_up", input, |tx, (id, provider, subject, name, email, locale, now)| {
            Box::pin(async move {
                let user = AddUser {
                    id: *id,
                    name,
                    email: email.as_str(),
                    email_folded: email.folded(),
                    search_folded: search_text(name, email),
                    // No password has this hash.
                    password_hash: "",
                    created_at: *now,
                    locale,
                };
                if !tx.insert(user).await? {
                    // Unless the same person has just been faster, in another tab.
                    let owner: Option<OwnerRow> =
                        tx.opt(&OF_SUBJECT, params![*provider, subject.as_str()]).await?;
                    return Ok(owner.ok_or(LoginRefusal::AccountExists));
                }
                let login = AddLogin {
                    provider: *provider,
                    subject,
                    user_id: *id,
                    email: email.as_str(),
                    created_at: *now,
                };
                if !tx.insert(login).await? {
                    // With another address than a moment ago: the account just made is not needed.
                    return Err(Error::Busy { retry_after_s: 1 }.into());
                }
                Ok(Ok(OwnerRow { user_id: *id, email_folded: email.folded(), deactivated_at: None }))
            })
        });
    Ok(write.await?)
}

/// Connects a user's account with an identity. Returns why that can't be.
async fn connect(
    engine: &Engine,
    provider: Provider,
    user: UserId,
    identity: Identity,
) -> Result<Option<LoginRefusal>> {
    // It is only shown.
    let email = text::clip(&identity.email, haat_shared::accounts::EMAIL_MAX);
    let input = (provider, user, identity.subject, email, engine.clock.now_ms());
    let write = engine.db.write("logins::connect", input, |tx, (provider, user, subject, email, now)| {
        Box::pin(async move {
            let login = AddLogin { provider: *provider, subject, user_id: *user, email, created_at: *now };
            if tx.insert(login).await? {
                return Ok(None);
            }
            let owner: Option<OwnerRow> = tx.opt(&OF_SUBJECT, params![*provider, subject.as_str()]).await?;
            Ok(match owner {
                Some(owner) if owner.user_id == *user => None,
                Some(_) => Some(LoginRefusal::Taken),
                None => Some(LoginRefusal::Another),
            })
        })
    });
    Ok(write.await?)
}

/// Disconnects the caller's account at a provider, unless it is their only way to sign in.
pub async fn disconnect(
    engine: &Engine,
    caller: &Caller,
    provider: Provider,
) -> Result<Option<LoginRefusal>> {
    let user = caller.signed_in()?.id;
    let write = engine.db.write("logins::disconnect", (user, provider), |tx, (user, provider)| {
        Box::pin(async move {
            tx.exec(&LOCK, params![*user]).await?;
            if tx.exec(&DISCONNECT, params![*user, *provider]).await? > 0 {
                return Ok(None);
            }
            let left: Vec<LoginRow> = tx.all(&OF_USER, params![*user]).await?;
            Ok(left.iter().any(|row| row.provider == *provider).then_some(LoginRefusal::LastWayIn))
        })
    });
    Ok(write.await?)
}

/// The providers of this market, and those with which the user's account is connected.
pub(super) async fn cards(engine: &Engine, user: UserId) -> Result<Vec<LoginCard>> {
    let rows: Vec<LoginRow> = engine.db.all(&OF_USER, params![user]).await?;
    let offered = providers(engine);
    let email = |provider| rows.iter().find(|row| row.provider == provider).map(|row| row.email.clone());
    let cards = Provider::ALL.into_iter().map(|provider| LoginCard { provider, email: email(provider) });
    Ok(cards.filter(|card| card.email.is_some() || offered.contains(&card.provider)).collect())
}

pub(super) async fn purge_in_tx(tx: &mut Tx, now: i64) -> TxResult<()> {
    tx.exec(&PURGE, params![now]).await?;
    Ok(())
}
