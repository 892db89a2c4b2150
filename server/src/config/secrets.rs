//! Values that are never shown, and secrets that are easy to guess.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use toml::Value;
use url::Url;

/// The default secret, for development. Production rejects it.
pub(super) const DEFAULT_SECRET: &str = "not a secret: for development only";
/// The minimum length of a secret in production. 256 bits are 64 hexadecimal digits, or 43 characters of
/// base 64.
const SECRET_MIN: usize = 32;
/// The minimum number of different characters of a secret. Random hexadecimal digits have fewer once in
/// billions of times.
const SECRET_VARIETY: usize = 8;
/// Words that people put into secrets. A random secret contains one of them less than once in a million
/// times, which is why none is shorter.
const COMMON_WORDS: [&str; 14] = [
    "password",
    "passphrase",
    "qwerty",
    "azerty",
    "asdfgh",
    "secret",
    "changeme",
    "changethis",
    "replaceme",
    "letmein",
    "default",
    "example",
    "iloveyou",
    "administrator",
];
/// URL parameters that are not secret.
const SHOWN_PARAMETERS: [&str; 5] = ["sslmode", "tls", "application_name", "host", "port"];

/// A value that is never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretString(pub(super) String);

/// A URL that is shown without its secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretUrl(pub(super) String);

impl SecretString {
    fn hidden(&self) -> String {
        if self.0.is_empty() { String::new() } else { "…".into() }
    }
}

impl SecretUrl {
    fn hidden(&self) -> String {
        let text = self.0.as_str();
        if text.is_empty() || (text.starts_with("sqlite:") && !text.contains(['@', '?'])) {
            return text.to_owned();
        }
        // If the URL can't be parsed, only its scheme is shown.
        let Some((scheme, _)) = text.split_once("://") else { return "…".into() };
        let scheme = if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) { scheme } else { "…" };
        let url = Url::parse(text).ok().filter(|url| url.has_host() && url.fragment().is_none());
        // An @ after the host: the password contained a character that ended it too early.
        let url = url
            .filter(|url| !url.path().contains('@') && !url.query().is_some_and(|query| query.contains('@')));
        let Some(url) = url else { return format!("{scheme}://…") };
        let user = if url.username().is_empty() && url.password().is_none() { "" } else { "…@" };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let (host, path) = (url.host_str().unwrap_or_default(), url.path());
        let parameters: Vec<String> = url
            .query_pairs()
            .map(|(name, value)| match SHOWN_PARAMETERS.contains(&&*name) {
                true => format!("{name}={value}"),
                false => format!("{name}=…"),
            })
            .collect();
        let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
        format!("{scheme}://{user}{host}{port}{path}{query}")
    }
}

macro_rules! secrets {
    ($($name:ident)+) => {$(
        impl $name {
            /// The value.
            pub fn reveal(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.hidden())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.hidden())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match Value::deserialize(deserializer)? {
                    Value::String(text) => Ok(Self(text)),
                    // The error must not reveal the value.
                    _ => Err(serde::de::Error::custom("a secret must be text, and not digits alone")),
                }
            }
        }
    )+};
}
secrets!(SecretString SecretUrl);

/// Why a secret is easy to guess, if it is.
pub(super) fn weakness(secret: &str) -> Option<&'static str> {
    let chars: Vec<char> = secret.chars().collect();
    let mut different = chars.clone();
    different.sort_unstable();
    different.dedup();
    // Most characters repeat the one `n` places before.
    let repeats = |n: usize| {
        let same = chars.iter().zip(chars.iter().skip(n)).filter(|(one, next)| one == next).count();
        same * 4 >= chars.len().saturating_sub(n) * 3
    };
    let letters: String =
        secret.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let common =
        COMMON_WORDS.iter().any(|word| letters.contains(word)) || letters.bytes().all(|b| b.is_ascii_digit());
    // Runs of consecutive characters, such as the alphabet or digits.
    let in_order = chars.windows(2).filter(|w| (w[0] as u32).abs_diff(w[1] as u32) == 1).count();
    if secret == DEFAULT_SECRET {
        Some("security.secret is the default: set HAAT__SECURITY__SECRET or HAAT__SECURITY__SECRET_FILE")
    } else if chars.len() < SECRET_MIN {
        Some(
            "security.secret is too short: use at least 32 characters, for example from `openssl rand -hex 32`",
        )
    } else if different.len() < SECRET_VARIETY
        || (1..=chars.len() / 2).any(repeats)
        || in_order * 2 >= chars.len()
        || common
    {
        Some("security.secret can be guessed: use a random one, for example from `openssl rand -hex 32`")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::load;

    #[test]
    fn secrets_are_not_shown() {
        let config = load(&[
            ("HAAT__DATABASE__URL", "postgres://haat:hush@db/haat"),
            ("HAAT__SECURITY__SECRET", "hush"),
            ("HAAT__MAIL__SMTP_URL", "smtps://me@haat.example:hush@mail.example"),
            ("HAAT__BUS__NATS", "nats://hush@nats.example:4222"),
        ])
        .unwrap();
        let shown = config.printed().unwrap() + &format!("{config:?}");
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("postgres://…@db/haat"), "{shown}");
        assert!(shown.contains("nats://…@nats.example:4222"), "{shown}");
        assert!(shown.contains("smtps://…@mail.example") && !shown.contains("me@"), "{shown}");
        for (url, expected) in [
            (
                "postgres://db/haat?user=haat&password=hush&sslmode=require",
                "postgres://db/haat?user=…&password=…&sslmode=require",
            ),
            ("postgres://haat:hu@sh@db:5432/haat", "postgres://…@db:5432/haat"),
            ("postgres://haat:hu/sh@db/haat", "postgres://…"),
            ("postgres://haat:hush?@db/haat", "postgres://…"),
            ("postgres://haat:hu#sh@db/haat", "postgres://…"),
            ("postgres://db/haat?password=hu@sh", "postgres://…"),
            ("postgres://haat:12/3hush@db/haat", "postgres://…"),
            ("postgres://haat:12?3hush@db/haat", "postgres://…"),
            ("sqlite:data/haat.db", "sqlite:data/haat.db"),
            ("sqlite:data/haat.db?key=hush", "…"),
            ("hush", "…"),
        ] {
            assert_eq!(SecretUrl(url.into()).hidden(), expected, "{url}");
        }
        assert_eq!(SecretString("key://hush".into()).hidden(), "…");
    }
}
