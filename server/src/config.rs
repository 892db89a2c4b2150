//! The configuration: defaults, then a TOML file, then the environment (`HAAT__SERVER__BIND=0.0.0.0:80`).
//!
//! A name that ends in `_FILE` gives the file that holds the value, for secrets. Unknown names are errors.

use std::{collections::BTreeMap, fmt, path::Path};

use haat_shared::Currency;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// The secret of a market that nobody relies on. Production refuses to start on it.
const DEFAULT_SECRET: &str = "not a secret: for development only";
/// Fewest characters of a secret in production: 256 bits as hexadecimal digits are 64, as base 64 they are 43.
const SECRET_MIN: usize = 32;

/// Everything that can be configured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `development` or `production`.
    pub mode: Mode,
    /// The listener.
    pub server: Server,
    /// Where data is kept.
    pub database: Database,
    /// Where pictures are kept.
    pub media: Media,
    /// The market.
    pub market: Market,
    /// The ways to pay.
    pub payments: Payments,
    /// Mails.
    pub mail: Mail,
    /// How often one may ask.
    pub limits: Limits,
    /// Keys.
    pub security: Security,
    /// The log.
    pub log: Log,
}

/// How strict the program is with its configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// On one's own machine: defaults will do.
    #[default]
    Development,
    /// For others: no default secret, TLS in front, no play money.
    Production,
}

/// The listener.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port to listen on.
    pub bind: String,
    /// The address that shoppers know this market by.
    pub public_url: String,
    /// The folder that cargo-leptos built the site into.
    pub site_root: String,
    /// Seconds that a request may take.
    pub timeout_s: u64,
    /// Most bytes of a request's body.
    pub body_bytes_max: usize,
    /// Whether the market is being worked on: everyone gets a page that says so, and no work is done behind it.
    pub maintenance: bool,
    /// The origins of other sites whose pages may use the REST API, with blanks between them: `https://books.example`. They
    /// get no cookies.
    pub cors_origins: String,
    /// Whoever asks for `/metrics` must bring this token; without one, metrics are shown in development only.
    pub metrics_token: Secret,
}

/// Where data is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`.
    pub url: Secret,
    /// Connections to PostgreSQL.
    pub connections: u32,
}

/// Where pictures are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// The folder of their files. Nodes of one market share it.
    pub folder: String,
}

/// The market.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Market {
    /// The currency of its shops.
    pub currency: Currency,
}

/// The ways to pay.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payments {
    /// Cash on delivery.
    pub cash: bool,
    /// The sandbox gateway: play money. Never in production.
    pub sandbox: bool,
    /// Where the sandbox's own pages are: another host name than the market's.
    pub sandbox_url: String,
}

/// Mails.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// Who mails come from: `NAME <ADDRESS>`. Someone must read the replies.
    pub from: String,
    /// The server that sends them: `smtps://USER:PASSWORD@HOST`, or `smtp://…?tls=required`. Without one they stay in
    /// the database for a week; in development they are shown at `/dev/mail`.
    pub smtp_url: Secret,
}

/// How often one may ask, in a minute. Who asks more often is told when to come back. Each node counts for itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Changes through the REST API: of an account, of a guest's cart, or of an address.
    pub changes_a_minute: u32,
    /// Tries to sign in: from an address, and to an account.
    pub sign_ins_a_minute: u32,
    /// The header in which the proxy in front says where a request comes from; empty where there is none. Only its last
    /// part is believed.
    pub address_header: String,
}

/// Keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    /// What links and webhooks are signed with.
    pub secret: Secret,
}

/// The log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// What is logged, in the syntax of tracing's `EnvFilter`.
    pub filter: String,
    /// One JSON object a line, for machines.
    pub json: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:3000".into(),
            public_url: "http://localhost:3000".into(),
            site_root: "target/site".into(),
            timeout_s: 30,
            body_bytes_max: 256 * 1024,
            maintenance: false,
            cors_origins: String::new(),
            metrics_token: Secret::default(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self { url: Secret("sqlite:data/haat.db".into()), connections: 16 }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self { folder: "data/media".into() }
    }
}

impl Default for Market {
    fn default() -> Self {
        Self { currency: Currency::INR }
    }
}

impl Default for Payments {
    fn default() -> Self {
        Self { cash: true, sandbox: false, sandbox_url: "http://127.0.0.1:3000".into() }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self { from: "Haat <market@localhost>".into(), smtp_url: Secret::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { changes_a_minute: 600, sign_ins_a_minute: 30, address_header: String::new() }
    }
}

impl Default for Security {
    fn default() -> Self {
        Self { secret: Secret(DEFAULT_SECRET.into()) }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".into(), json: false }
    }
}

/// A value that is not shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The value.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn hidden(&self) -> String {
        match self.0.split_once("://") {
            // Of a URL only the password is secret.
            Some((scheme, rest)) => match rest.rsplit_once('@') {
                Some((_, host)) => format!("{scheme}://…@{host}"),
                None => self.0.clone(),
            },
            None if self.0.is_empty() || self.0.starts_with("sqlite:") => self.0.clone(),
            None => "…".into(),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hidden())
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hidden())
    }
}

impl Config {
    /// The configuration from a file, if there is one, and an environment. The error says what to change.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, String> {
        let mut table = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
                text.parse::<Table>().map_err(|e| format!("{}: {}", path.display(), one_line(e)))?
            }
            None => Table::new(),
        };
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        for (name, value) in environment {
            let Some(path) = name.strip_prefix("HAAT__") else { continue };
            let (path, value) = match path.strip_suffix("_FILE") {
                Some(path) => {
                    (path, std::fs::read_to_string(&value).map_err(|e| format!("{name}={value}: {e}"))?)
                }
                None => (path, value),
            };
            set(&mut table, &path.to_lowercase(), value.trim());
        }
        let config: Self =
            table.try_into().map_err(|e: toml::de::Error| format!("configuration: {}", one_line(e)))?;
        config.check()?;
        Ok(config)
    }

    /// Whether the market is reached over TLS, so that cookies must be too.
    pub fn secure(&self) -> bool {
        self.server.public_url.starts_with("https://")
    }

    fn check(&self) -> Result<(), String> {
        for (name, url) in [
            ("server.public_url", &self.server.public_url),
            ("payments.sandbox_url", &self.payments.sandbox_url),
        ] {
            if !url.starts_with("http://") && !url.starts_with("https://") {
                return Err(format!("{name} must start with http:// or https://"));
            }
        }
        for origin in self.server.cors_origins.split_whitespace() {
            let host = origin.strip_prefix("https://").or(origin.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.contains('/')) {
                return Err(format!(
                    "server.cors_origins: {origin} is not an origin, such as https://books.example"
                ));
            }
        }
        if !self.payments.cash && !self.payments.sandbox {
            return Err("no payment method is enabled: set payments.cash or payments.sandbox".into());
        }
        if self.mode == Mode::Development {
            return Ok(());
        }
        let secret = self.security.secret.reveal();
        let faults = [
            (
                secret == DEFAULT_SECRET,
                "security.secret is the default: set HAAT__SECURITY__SECRET or HAAT__SECURITY__SECRET_FILE",
            ),
            (secret.len() < SECRET_MIN, "security.secret is too short: use at least 32 characters"),
            (self.payments.sandbox, "payments.sandbox must be off: it accepts test cards only"),
            (
                !self.mail.smtp_url.reveal().is_empty() && self.mail.from == Mail::default().from,
                "mail.from is the default: set HAAT__MAIL__FROM to the sender of emails",
            ),
            (!self.secure(), "server.public_url must start with https://"),
        ];
        match faults.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, fault)) => Err(format!("production: {fault}")),
            None => Ok(()),
        }
    }
}

fn one_line(error: impl fmt::Display) -> String {
    error
        .to_string()
        .lines()
        .filter(|l| !l.trim_matches([' ', '|', '^']).is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn set(table: &mut Table, path: &str, value: &str) {
    let value = match (value.parse::<bool>(), value.parse::<i64>()) {
        (Ok(b), _) => Value::Boolean(b),
        (_, Ok(n)) => Value::Integer(n),
        _ => Value::String(value.to_owned()),
    };
    match path.split_once("__") {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, name)) => {
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(name.to_owned(), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)]) -> Result<Config, String> {
        Config::load(None, environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    const PRODUCTION: [(&str, &str); 3] = [
        ("HAAT__MODE", "production"),
        ("HAAT__SERVER__PUBLIC_URL", "https://haat.example"),
        ("HAAT__SECURITY__SECRET", "0123456789abcdef0123456789abcdef"),
    ];

    #[test]
    fn every_name_and_its_default_are_in_the_reference() {
        let reference = include_str!("../../docs/configuration.md");
        let rows = reference.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        let mut rows: std::collections::BTreeMap<_, _> = rows.collect();
        let all = toml::Table::try_from(Config::default()).unwrap();
        let mut check = |name: String, value: &toml::Value| {
            let row =
                rows.remove(name.as_str()).unwrap_or_else(|| panic!("docs/configuration.md lacks {name}"));
            let default = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            // Secrets are printed as none.
            if !matches!(default.as_str(), "" | "[]" | "…") {
                assert!(row.starts_with(&format!("`{default}` |")), "{name} is {default}, not {row}");
            }
        };
        for (section, values) in &all {
            match values {
                toml::Value::Table(values) => {
                    values.iter().for_each(|(name, value)| check(format!("{section}.{name}"), value));
                }
                value => check(section.clone(), value),
            }
        }
        assert!(rows.is_empty(), "docs/configuration.md has what is not there: {rows:?}");
    }

    #[test]
    fn the_environment_wins() {
        let config =
            load(&[("HAAT__SERVER__BIND", "0.0.0.0:80"), ("HAAT__PAYMENTS__SANDBOX", "true"), ("PATH", "/")])
                .unwrap();
        assert_eq!(config.server.bind, "0.0.0.0:80");
        assert!(config.payments.sandbox);
        assert!(!config.secure());
    }

    #[test]
    fn mistakes_are_named_in_one_line() {
        for (environment, why) in [
            (&[("HAAT__SERVER__BNID", "x")][..], "bnid"),
            (&[("HAAT__DATABASE__CONNECTIONS", "many")], "connections"),
            (&[("HAAT__MARKET__CURRENCY", "RUPEE")], "ISO 4217"),
            (&[("HAAT__PAYMENTS__CASH", "false")], "no payment method"),
            (&[("HAAT__SERVER__CORS_ORIGINS", "https://a.example *")], "* is not an origin"),
            (&[("HAAT__SERVER__CORS_ORIGINS", "https://a.example/page")], "is not an origin"),
            (&[("HAAT__SERVER__PUBLIC_URL", "haat.example")], "http"),
            (&[("HAAT__SECURITY__SECRET_FILE", "/no/such/file")], "/no/such/file"),
        ] {
            let error = load(environment).unwrap_err();
            assert!(error.contains(why) && error.lines().count() == 1, "{error}");
        }
    }

    #[test]
    fn production_refuses_what_is_only_for_development() {
        assert!(load(&PRODUCTION).is_ok());
        for (change, why) in [
            (("HAAT__SECURITY__SECRET", DEFAULT_SECRET), "is the default"),
            (("HAAT__SECURITY__SECRET", "short"), "too short"),
            (("HAAT__PAYMENTS__SANDBOX", "true"), "test cards"),
            (("HAAT__SERVER__PUBLIC_URL", "http://haat.example"), "https"),
            (("HAAT__MAIL__SMTP_URL", "smtps://mail.example"), "mail.from"),
        ] {
            let mut environment = PRODUCTION.to_vec();
            environment.push(change);
            let error = load(&environment).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = load(&[
            ("HAAT__DATABASE__URL", "postgres://haat:hush@db/haat"),
            ("HAAT__SECURITY__SECRET", "hush"),
            ("HAAT__MAIL__SMTP_URL", "smtps://me@haat.example:hush@mail.example"),
        ])
        .unwrap();
        let shown = toml::to_string(&config).unwrap() + &format!("{config:?}");
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("postgres://…@db/haat"), "{shown}");
        assert!(shown.contains("smtps://…@mail.example") && !shown.contains("me@"), "{shown}");
    }
}
