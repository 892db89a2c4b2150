//! IDs, tokens and signatures: everything that must be unique or unguessable.

use std::sync::{Mutex, PoisonError};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use haat_shared::Id;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Builder;

/// Random bytes that cannot be guessed. Without a source of them nothing is safe, so the program then
/// stops.
fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::expect_used, reason = "an operating system without randomness cannot run a market")]
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// The millisecond of the last ID, and its counter.
static LAST: Mutex<(i64, u16)> = Mutex::new((0, 0));

/// A new ID: a UUID version 7 (RFC 9562), which sorts by creation time. IDs that this process creates in the
/// same millisecond increment the twelve bits after the time (method 1 of section 6.2).
// `ContextV7` of `uuid` keeps this order, too, but its counter takes 42 bits: whoever knows one ID would have to
// guess only 32 bits of the others of that millisecond, and drafts of forms rely on IDs that cannot be guessed.
// Here 62 bits stay random. It would also give the IDs of a clock that is behind the time of another clock.
pub fn id<K>(now_ms: i64) -> Id<K> {
    let mut rest = bytes::<10>();
    let count = {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        // In a new millisecond, the counter continues while there is room, so that a process with several
        // clocks, as in tests, keeps the order of each.
        let start_anew = last.0 != now_ms && last.1 >= 0x800;
        *last = (now_ms, if start_anew { 0 } else { last.1.wrapping_add(1) });
        last.1
    };
    rest[..2].copy_from_slice(&count.to_be_bytes());
    Id::from_uuid(Builder::from_unix_timestamp_millis(now_ms.cast_unsigned(), &rest).into_uuid())
}

/// An ID before all others of this time and later, to find those of a period.
pub(crate) fn first_id<K>(at_ms: i64) -> Id<K> {
    Id::from_uuid(Builder::from_unix_timestamp_millis(at_ms.cast_unsigned(), &[0; 10]).into_uuid())
}

/// A number below `below`, for spreading things out. Not for secrets.
pub fn small(below: u32) -> u32 {
    u32::from_be_bytes(bytes()) % below.max(1)
}

/// A token of 256 bits for a cookie or a link, in characters that need no escaping.
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// The hash of a token to store. Tokens are random, so a fast hash is enough.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// A short number for people: nine unambiguous characters, 45 bits.
pub fn number() -> String {
    format!("H{}", letters(&bytes::<9>()))
}

/// An unambiguous character of five bits for each byte.
pub fn letters(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    bytes.iter().map(|b| ALPHABET[usize::from(b & 31)] as char).collect()
}

/// A key that is never shown, neither in logs nor in debug output.
#[derive(Clone)]
pub struct SigningKey(Vec<u8>);

impl SigningKey {
    /// A key from its bytes.
    pub fn new(key: impl Into<Vec<u8>>) -> Self {
        Self(key.into())
    }

    /// The signature of `parts` for one purpose, as part of a link. HMAC-SHA-256 (RFC 2104), 128 bits of it.
    pub fn sign(&self, purpose: &str, subject: &str) -> String {
        URL_SAFE_NO_PAD.encode(&self.mac(&[purpose.as_bytes(), b"\0", subject.as_bytes()])[..16])
    }

    /// Whether `signature` is the one from [`sign`](Self::sign), in constant time.
    pub fn verify(&self, purpose: &str, subject: &str, signature: &str) -> bool {
        self.sign(purpose, subject).as_bytes().ct_eq(signature.as_bytes()).into()
    }

    /// HMAC-SHA-256 of all parts after one another.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // HMAC accepts keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_are_version_7() {
        let (a, b, c) = (id::<()>(1_000), id::<()>(1_000), id::<()>(1_001));
        assert!(a < b && b < c);
        assert_eq!(a.uuid().get_version_num(), 7);
    }

    #[test]
    fn a_signature_is_for_one_purpose_and_one_subject() {
        let secret = SigningKey::new("key");
        let signature = secret.sign("purchase", "pur_1");
        assert!(secret.verify("purchase", "pur_1", &signature));
        assert!(!secret.verify("purchase", "pur_2", &signature));
        assert!(!secret.verify("return", "pur_1", &signature));
        assert!(!SigningKey::new("other").verify("purchase", "pur_1", &signature));
        assert!(!secret.verify("purchase", "pur_1", ""));
        assert_eq!(format!("{secret:?}"), "SigningKey(…)");
    }
}
