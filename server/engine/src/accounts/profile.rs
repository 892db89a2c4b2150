//! The caller's profile, and the browsers in which they are signed in.

use super::{logins, search_text};
use crate::{Caller, Engine, params, rows, statements};
use haat_shared::{
    Currency, Error, FieldCode, Id, Result,
    accounts::Email,
    id::kinds::SessionId,
    profile::{Profile, ProfileForm, ProfilePage, SessionCard, device},
};

statements! {
    PROFILE = "SELECT name, email, phone, locale, currency, password_hash <> '' AS has_password FROM users WHERE id = $1";
    SAVE = "UPDATE users SET name = $2, search_folded = $3, phone = $4, locale = $5, currency = $6 WHERE id = $1";
    SET_CURRENCY = "UPDATE users SET currency = $2 WHERE id = $1";
    SESSIONS = "SELECT id, device, created_at FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY id DESC";
    END = "DELETE FROM sessions WHERE id = $1 AND user_id = $2";
    END_OTHERS = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";
    END_API_SESSIONS = "DELETE FROM api_sessions WHERE user_id = $1";
}

rows! {
    struct ProfileRow {
        name: String,
        email: String,
        phone: String,
        locale: String,
        currency: Option<String>,
        has_password: bool,
    }

    struct SessionRow {
        id: SessionId,
        device: String,
        created_at: i64,
    }
}

/// What the page of the caller's profile shows.
pub async fn page(engine: &Engine, caller: &Caller) -> Result<ProfilePage> {
    let user = caller.signed_in()?.id;
    let row: ProfileRow = engine.db.opt(&PROFILE, params![user]).await?.ok_or(Error::SignInNeeded)?;
    let rows: Vec<SessionRow> = engine.db.all(&SESSIONS, params![user, engine.clock.now_ms()]).await?;
    let ProfileRow { name, email, phone, locale, currency, has_password } = row;
    let currency = currency.and_then(|code| code.parse().ok());
    let mut sessions: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let (browser, system) = device(&row.device);
            SessionCard {
                id: row.id,
                browser: browser.to_owned(),
                system: system.to_owned(),
                signed_in_at: caller.time(engine, row.created_at),
                current: caller.session == Some(row.id),
            }
        })
        .collect();
    sessions.sort_by_key(|session| !session.current);
    Ok(ProfilePage {
        profile: Profile { name, email, phone, locale, currency },
        sessions,
        has_password,
        logins: logins::cards(engine, user).await?,
    })
}

/// Saves the caller's profile, with the caller's language.
pub async fn save(engine: &Engine, caller: &Caller, form: &ProfileForm) -> Result<()> {
    let user = caller.signed_in()?;
    let new = form.check().map_err(Error::Invalid)?;
    let offered = |currency: Currency| currency == engine.currency || engine.currencies.contains(&currency);
    if new.currency.is_some_and(|currency| !offered(currency)) {
        return Err(Error::field("currency", FieldCode::NotAChoice));
    }
    // The address of an account may be older than today's rules.
    let searched = match Email::parse("email", &user.email) {
        Ok(email) => search_text(&new.name, &email),
        Err(_) => haat_shared::text::fold(&format!("{} {}", new.name, user.email)),
    };
    let input = (user.id, new, searched, caller.locale);
    engine
        .db
        .write("profile::save", input, |tx, (user, new, searched, locale)| {
            Box::pin(async move {
                let row = params![
                    *user,
                    new.name.as_str(),
                    searched.as_str(),
                    new.phone.as_str(),
                    *locale,
                    new.currency
                ];
                tx.exec(&SAVE, row).await?;
                Ok(())
            })
        })
        .await?;
    Ok(())
}

/// Stores the currency that the caller chose with their account, if they have one.
pub async fn keep_currency(engine: &Engine, caller: &Caller, currency: Currency) -> Result<()> {
    let Some(user) = caller.user_id() else { return Ok(()) };
    engine
        .db
        .write("profile::keep_currency", (user, currency), |tx, (user, currency)| {
            Box::pin(async move {
                tx.exec(&SET_CURRENCY, params![*user, *currency]).await?;
                Ok(())
            })
        })
        .await?;
    Ok(())
}

/// Signs the caller out in one of their browsers. Those of others are not found.
pub async fn end_session(engine: &Engine, caller: &Caller, id: SessionId) -> Result<()> {
    let user = caller.signed_in()?.id;
    let write = engine.db.write("profile::end_session", (id, user), |tx, (id, user)| {
        Box::pin(async move { Ok(tx.exec(&END, params![*id, *user]).await?) })
    });
    if write.await? == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Signs the caller out everywhere but here, API clients included. API keys stay.
pub async fn end_other_sessions(engine: &Engine, caller: &Caller) -> Result<()> {
    let user = caller.signed_in()?.id;
    let this = caller.session.unwrap_or(Id::from_bits(0));
    engine
        .db
        .write("profile::end_other_sessions", (user, this), |tx, (user, this)| {
            Box::pin(async move {
                tx.exec(&END_OTHERS, params![*user, *this]).await?;
                tx.exec(&END_API_SESSIONS, params![*user]).await?;
                Ok(())
            })
        })
        .await?;
    Ok(())
}
