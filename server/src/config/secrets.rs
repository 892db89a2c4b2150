//! Values that are never shown, and secrets that are easy to guess.

use std::{collections::BTreeSet, fmt};

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
const COMMON_WORDS: [&str; 25] = [
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
    "zxcvbn",
    "welcome",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "dragon",
    "monkey",
    "trustno",
    "whatever",
];
/// The keys of a keyboard, without signs.
const KEYBOARD: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];
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
                    _ => Err(serde::de::Error::custom("a secret must be text, in quotes")),
                }
            }
        }
    )+};
}
secrets!(SecretString SecretUrl);

/// Why a secret is not good enough for production, if it isn't. `setting` is its name.
pub(super) fn weakness(setting: &str, secret: &str) -> Option<String> {
    let why = if secret == DEFAULT_SECRET {
        "is the default: set HAAT__SECURITY__SECRET or HAAT__SECURITY__SECRET_FILE"
    } else if secret.chars().count() < SECRET_MIN {
        "is too short: use at least 32 characters, for example from `openssl rand -hex 32`"
    } else if is_guessable(secret) {
        "can be guessed: use a random one, for example from `openssl rand -hex 32`"
    } else {
        return None;
    };
    Some(format!("{setting} {why}"))
}

/// Whether a secret has few different characters, repeats itself, follows the alphabet or the keyboard, is a
/// number, or contains a common word. Upper and lower case make it no harder to guess.
fn is_guessable(secret: &str) -> bool {
    let chars: Vec<char> = secret.chars().flat_map(char::to_lowercase).collect();
    let characters: Vec<char> = chars.iter().copied().filter(|c| c.is_alphanumeric()).collect();
    let different = |parts: Vec<&[char]>| parts.into_iter().collect::<BTreeSet<_>>().len();
    // Most characters repeat the one `n` places before.
    let repeats = |n: usize| {
        let same = chars.iter().zip(chars.iter().skip(n)).filter(|(one, next)| one == next).count();
        same * 4 >= chars.len().saturating_sub(n) * 3
    };
    // The same words again, at any distance. Three random letters hardly ever occur twice.
    let threes = characters.windows(3).count();
    let repeats_words = different(characters.windows(3).collect()) * 5 < threes * 3;
    let in_order = chars.windows(2).filter(|w| (w[0] as u32).abs_diff(w[1] as u32) == 1).count();
    let side_by_side = characters.windows(2).filter(|w| are_neighbours(w[0], w[1])).count();
    let text = String::from_iter(&characters);
    let plain: String = chars.iter().map(|c| spelled(*c)).filter(|c| c.is_alphanumeric()).collect();
    different(chars.chunks(1).collect()) < SECRET_VARIETY
        || (1..=chars.len() / 2).any(repeats)
        || repeats_words
        || in_order * 2 >= chars.len()
        || side_by_side * 2 >= chars.len()
        || characters.iter().all(char::is_ascii_digit)
        || COMMON_WORDS.iter().any(|word| text.contains(word) || plain.contains(word))
}

/// Whether two keys touch each other on a keyboard, where each row is shifted to the right of the one above.
fn are_neighbours(one: char, other: char) -> bool {
    let place = |key: char| KEYBOARD.iter().enumerate().find_map(|(row, keys)| Some((row, keys.find(key)?)));
    let (Some(one), Some(other)) = (place(one), place(other)) else { return false };
    let ((row, column), (next_row, next_column)) = (one.min(other), one.max(other));
    match next_row - row {
        0 => next_column - column == 1,
        1 => column == next_column || column == next_column + 1,
        _ => false,
    }
}

/// The letter that a digit or sign stands for in `p4$$w0rd`.
fn spelled(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
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

    #[test]
    fn what_is_easy_to_guess_is_a_weakness() {
        let why = |secret: &str| weakness("x", secret).unwrap_or_default();
        assert!(why(DEFAULT_SECRET).contains("x is the default"));
        assert!(why("short").contains("too short"));
        for secret in [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "passwordpasswordpasswordpassword",
            "changemechangemechangemechangeme!",
            "secretsecretsecretsecretsecretsecret",
            "abcdefghijabcdefghijabcdefghijabcdefghij",
            "0123456789abcdef0123456789abcdef",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "Password-for-the-market-of-2026-Pune",
            "My-P4$$w0rd-for-the-market-of-Pune-2026",
            "this is our very own S.E.C.R.E.T, is it not",
            "please-change-me-before-it-is-too-late",
            "8301957426 6150392847 7420918365 52",
            "12345678901234567890123456789012",
            "k3Xv9qk3Xv9qk3Xv9qk3Xv9qk3Xv9qk3Xv9q",
            // One word, written differently each time.
            "Tiruvannamalai tiruvannamalai TIRUVANNAMALAI",
            "bazaar1 bazaar22 bazaar333 bazaar4444",
            "market-haat-market-market-haat-haat-market",
            // Rows and columns of the keyboard, in either direction.
            "qwertyuiop[]asdfghjkl;'zxcvbnm,./1470",
            "1q2w3e4r5t6y7u8i9o0p1q2w3e4r5t6y",
            "qazwsxedcrfvtgbyhnujmikolp192837",
            "mnbvcxzlkjhgfdsapoiuytrewq098765",
        ] {
            assert!(why(secret).contains("x can be guessed"), "{secret}");
        }
        for secret in [
            "correct horse battery staple every morning",
            "b1946ac92492d2347c6235b4d2611184",
            "uH7+xP0c/2mWq9ZkR4vTsEoYbL1nJfDgA6iV8hQyXKM=",
        ] {
            assert_eq!(why(secret), "", "{secret}");
        }
        // Random ones are not refused by mistake.
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 32
        };
        for _ in 0..5_000 {
            let secret: String = (0..4).map(|_| format!("{:08x}", random())).collect();
            assert_eq!(why(&secret), "", "{secret}");
        }
    }
}
