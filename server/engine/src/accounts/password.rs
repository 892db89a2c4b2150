//! Passwords: Argon2id with OWASP's parameters (19 MiB, two passes, one lane), off the runtime's threads.
//! They are normalised to NFC (RFC 8265), because keyboards encode `é` differently.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use tokio::sync::{Semaphore, oneshot};

use haat_shared::{Error, Result, accounts::PASSWORD_MAX, text::nfc};

/// How many are hashed at once: each takes a core and 19 MiB.
static TURNS: Semaphore = Semaphore::const_new(2);

/// The hash of a password that nobody has, for addresses that nobody has.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now(&crate::random::token()).unwrap_or_default());

fn hash_now(password: &str) -> Option<String> {
    Argon2::default().hash_password(nfc(password).as_bytes()).ok().map(|hash| hash.to_string())
}

/// Runs it on a thread of its own: neither does it wait for those that read files, nor they for it. Its turn lasts as long as
/// the thread, whoever asked may be gone.
async fn apart<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let turn = TURNS.acquire().await.map_err(|_| Error::Internal)?;
    let (answer, answered) = oneshot::channel();
    let run = move || {
        let done = f();
        drop(turn);
        let _ = answer.send(done);
    };
    std::thread::Builder::new().name("haat-hash".into()).spawn(run).map_err(|error| {
        tracing::error!(%error, "failed to start a password hashing thread");
        Error::Busy { retry_after_s: 1 }
    })?;
    answered.await.map_err(|_| Error::Internal)
}

/// What is stored of a password.
pub(super) async fn hash(password: String) -> Result<String> {
    apart(move || hash_now(&password)).await?.ok_or(Error::Internal)
}

/// Whether it is the password behind `hash`. Without one it takes as long and answers no.
pub(super) async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    if password.chars().count() > PASSWORD_MAX {
        return Ok(false);
    }
    apart(move || {
        let known = hash.as_deref().unwrap_or(&NOBODY);
        let Ok(parsed) = PasswordHash::new(known) else { return false };
        let right = Argon2::default().verify_password(nfc(&password).as_bytes(), &parsed).is_ok();
        right && hash.is_some()
    })
    .await
}
