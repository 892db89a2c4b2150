//! Known devices: browsers that signed in to an account before. A signed cookie says so. It does not sign
//! anyone in, but a known device cannot be locked out by others' guesses (OWASP, "Device cookies").

use axum::http::{HeaderMap, HeaderValue};
use haat_app::cookies;
use haat_engine::random::{self, SigningKey};

/// The maximum number of accounts that a device is known to.
const ACCOUNTS_MAX: usize = 4;
/// The maximum lifetime of cookies (RFC 6265bis): 400 days.
const KEEP_S: i64 = 400 * 24 * 3600;
/// The purpose of the signatures.
const PURPOSE: &str = "known device";

/// The device cookie: `ID.SIGNATURE` for each account.
#[derive(Debug, Clone, Default)]
pub(super) struct Devices(Vec<String>);

impl Devices {
    /// Reads the cookie of a request.
    pub(super) fn of(headers: &HeaderMap, secure: bool) -> Self {
        let cookie = cookies::get(headers, secure, "device").unwrap_or_default();
        Self(cookie.split('!').take(ACCOUNTS_MAX).map(str::to_owned).collect())
    }

    /// The device's ID, if it is known to this account.
    pub(super) fn known(&self, secret: &SigningKey, account: &str) -> Option<&str> {
        self.0.iter().find_map(|entry| {
            let (id, signature) = entry.split_once('.')?;
            secret.verify(PURPOSE, &subject(id, account), signature).then_some(id)
        })
    }

    /// The device with this account added; the oldest account is dropped if there are too many.
    pub(super) fn with(mut self, secret: &SigningKey, account: &str) -> Self {
        if self.known(secret, account).is_none() {
            let id = random::token();
            self.0.retain(|entry| !entry.is_empty());
            self.0.push(format!("{id}.{}", secret.sign(PURPOSE, &subject(&id, account))));
            self.0.drain(..self.0.len().saturating_sub(ACCOUNTS_MAX));
        }
        self
    }

    /// The cookie to set.
    pub(super) fn cookie(&self, secure: bool) -> HeaderValue {
        cookies::set(secure, "device", &self.0.join("!"), KEEP_S)
    }
}

fn subject(id: &str, account: &str) -> String {
    format!("{id}\0{account}")
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    #[test]
    fn a_browser_is_known_to_the_last_few_accounts() {
        let secret = SigningKey::new("key");
        let accounts = ["a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example"];
        let mut devices = Devices::default();
        for account in accounts {
            devices = devices.with(&secret, account);
            let cookie = devices.cookie(true).to_str().unwrap().to_owned();
            assert!(cookie.ends_with("; Max-Age=34560000"), "{cookie}");
            let sent = cookie.split(';').next().unwrap().parse().unwrap();
            devices = Devices::of(&HeaderMap::from_iter([(header::COOKIE, sent)]), true);
        }
        let known: Vec<bool> = accounts.iter().map(|a| devices.known(&secret, a).is_some()).collect();
        assert_eq!(known, [false, true, true, true, true]);
        let id = devices.known(&secret, accounts[4]).unwrap().to_owned();
        assert_eq!(devices.with(&secret, accounts[4]).known(&secret, accounts[4]), Some(id.as_str()));
    }
}
