//! Passwords: Argon2id with OWASP's parameters (19 MiB, two passes, one lane), off the runtime's threads.
//! They are normalised to NFC (RFC 8265), because keyboards encode `é` differently.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use tokio::sync::{Semaphore, oneshot};

use haat_shared::{Error, Result, accounts::PASSWORD_MAX, text::nfc};

/// How many passwords are hashed at once: each takes a core and 19 MiB.
static TURNS: Semaphore = Semaphore::const_new(2);

/// A hash for addresses without an account, so that rejecting them takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now(&crate::random::token()).unwrap_or_default());

fn hash_now(password: &str) -> Option<String> {
    Argon2::default().hash_password(nfc(password).as_bytes()).ok().map(|hash| hash.to_string())
}

/// Runs `work` on a thread of its own, so that it neither waits for file reads nor delays them. It keeps
/// its turn until the thread ends, even if the client disconnects.
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

/// The hash to store.
pub(super) async fn hash(password: String) -> Result<String> {
    apart(move || hash_now(&password)).await?.ok_or(Error::Internal)
}

/// Whether the password matches `hash`. Without a hash, it takes as long and returns false.
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
