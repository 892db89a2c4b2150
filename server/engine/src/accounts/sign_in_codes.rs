//! Signing in with a code that is emailed, instead of a password.
//!
//! A code counts in the browser that asked for it, which alone has the token, for [`CODE_MS`], for [`TRIES`] guesses, and once.
//! It isn't stored: its digits are derived from a signature of the request's ID, so whoever reads the database can't know it.
//! What is answered and written is the same whether there is an account or not; only an account gets an email.

use std::collections::BTreeMap;

use subtle::ConstantTimeEq;

use super::begin_session;
use crate::{
    Caller, Engine, TxResult,
    bus::Topic,
    db::{Scalar, Tx},
    insert, params,
    quotas::{self, DAY_MS, HOUR_MS, QuotaKind},
    random, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    accounts::{SignIn, mailbox},
    id::kinds::{NotificationId, SignInCodeId, UserId},
};

/// How long a code counts.
pub const CODE_MS: i64 = 600_000;
/// How many guesses a code has.
pub const TRIES: i64 = 5;
/// How many digits a code has.
const DIGITS: usize = 6;
/// The purpose that the ID is signed for.
const PURPOSE: &str = "sign-in code";
/// How many codes are sent to an address, per hour and per day.
const CODES: [(QuotaKind, i64); 2] =
    [(("sign_in_codes_per_hour", HOUR_MS), 5), (("sign_in_codes_per_day", DAY_MS), 10)];

statements! {
    FIND = "SELECT id AS value FROM sign_in_codes WHERE browser_hash = $1";
    MISS = "UPDATE sign_in_codes SET tries = tries + 1 WHERE browser_hash = $1";
    TAKE = "DELETE FROM sign_in_codes WHERE browser_hash = $1 AND expires_at > $2 AND tries < $3 RETURNING user_id AS value";
    // Whoever was deactivated meanwhile has none.
    ACCOUNT = "SELECT id, email_folded FROM users WHERE id = $1 AND deactivated_at IS NULL";
    PURGE = "DELETE FROM sign_in_codes WHERE expires_at < $1";
    END = "DELETE FROM sign_in_codes WHERE user_id = $1";
}

insert! {
    struct AddCode into sign_in_codes {
        id: SignInCodeId,
        browser_hash: [u8; 32],
        expires_at: i64;
        user_id = "(SELECT u.id FROM users u WHERE u.email_folded = given.email AND u.deactivated_at IS NULL)",
        tries = "0",
    } => [email: String] "given"

    /// The email with the code.
    struct AddEmail into notifications {
        id: NotificationId,
        created_at: i64;
        event = "c.id",
        recipient = "u.email",
        user_id = "u.id",
        channel = "'email'",
        kind = "'sign_in_code'",
        subject = "c.id",
        locale = "u.locale",
        state = "'written'",
    } => [code: SignInCodeId] "given JOIN sign_in_codes c ON c.id = given.code JOIN users u ON u.id = c.user_id"
}

rows! {
    struct AccountRow {
        id: UserId,
        email_folded: String,
    }
}

/// Emails a code, if the address has an account and hasn't got too many. Returns the token that the browser keeps.
pub async fn request(engine: &Engine, _: &Caller, email: &str) -> Result<String> {
    if email.trim().is_empty() {
        return Err(Error::field("email", FieldCode::Missing));
    }
    let account = SignIn { email: email.to_owned(), ..SignIn::default() }.account();
    let subject = quotas::subject(engine, &mailbox(&account));
    let (now, token) = (engine.clock.now_ms(), random::token());
    let id: SignInCodeId = random::id(now);
    let input = (id, random::token_hash(&token), account, subject, now);
    engine
        .db
        .write("sign_in_codes::request", input, |tx, (id, browser, account, subject, now)| {
            Box::pin(async move {
                // Counted for whatever address is entered, so that as much is written without an account.
                let what: BTreeMap<_, i64> = CODES.iter().map(|(kind, _)| ((*kind, *subject), 1)).collect();
                let used = quotas::spend_in_tx(tx, &what, *now).await?;
                let over = CODES
                    .iter()
                    .any(|((name, _), most)| used.get(&(*name, *subject)).is_some_and(|used| used > most));
                let email = if over { String::new() } else { account.clone() };
                tx.insert(AddCode { id: *id, browser_hash: *browser, expires_at: *now + CODE_MS, email })
                    .await?;
                tx.insert(AddEmail { id: random::id(*now), created_at: *now, code: *id }).await?;
                Ok(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Notifications, "");
    Ok(token)
}

/// The digits of a code.
pub(crate) fn digits(engine: &Engine, id: SignInCodeId) -> String {
    let hash = random::token_hash(&engine.secret.sign(PURPOSE, &id.to_string()));
    // Of 2^64, so no code is noticeably more likely than another.
    let number = hash[..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{:0DIGITS$}", number % 10_u64.pow(DIGITS as u32))
}

/// A digit, in Devanagari, too.
fn digit(c: char) -> Option<char> {
    let devanagari = u32::from(c).checked_sub(0x966).and_then(|value| char::from_digit(value, 10));
    Some(c).filter(char::is_ascii_digit).or(devanagari)
}

/// Who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// The token of the session.
    pub token: String,
    /// The account's folded email address.
    pub account: String,
}

/// Signs in with a code, in the browser that has the token of the request. Spaces and the like don't matter.
pub async fn enter(engine: &Engine, caller: &Caller, token: &str, typed: &str) -> Result<Entered> {
    let typed: String = typed.chars().filter_map(digit).collect();
    if typed.is_empty() {
        return Err(Error::field("code", FieldCode::Missing));
    }
    let wrong = || Error::field("code", FieldCode::WrongCode);
    let browser = random::token_hash(token);
    let asked: Option<Scalar<SignInCodeId>> = engine.db.opt(&FIND, params![browser]).await?;
    let right = asked.is_some_and(|Scalar(id)| digits(engine, id).as_bytes().ct_eq(typed.as_bytes()).into());
    let input = (browser, right, engine.clock.now_ms());
    let taken = engine.db.write("sign_in_codes::enter", input, |tx, (browser, right, now)| {
        Box::pin(async move {
            if !*right {
                tx.exec(&MISS, params![*browser]).await?;
                return Ok(None);
            }
            let taken: Option<Scalar<Option<UserId>>> = tx.opt(&TAKE, params![*browser, *now, TRIES]).await?;
            Ok(taken.and_then(|Scalar(user)| user))
        })
    });
    let user = taken.await?.ok_or_else(wrong)?;
    let account: Option<AccountRow> = engine.db.opt(&ACCOUNT, params![user]).await?;
    let AccountRow { id, email_folded } = account.ok_or_else(wrong)?;
    Ok(Entered { token: begin_session(engine, caller, id).await?, account: email_folded })
}

pub(super) async fn purge_in_tx(tx: &mut Tx, now: i64) -> TxResult<()> {
    tx.exec(&PURGE, params![now]).await?;
    Ok(())
}

/// Of a user who may not sign in any more.
pub(super) async fn end_in_tx(tx: &mut Tx, user: UserId) -> TxResult<()> {
    tx.exec(&END, params![user]).await?;
    Ok(())
}
