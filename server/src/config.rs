//! The configuration: defaults, then a TOML file, then environment variables
//! (`HAAT__SERVER__BIND=0.0.0.0:80`).
//!
//! A name that ends in `_FILE` names a file that contains the value, for secrets. Unknown names are errors.

use std::{collections::BTreeMap, fmt, net::IpAddr, path::Path};

use axum::http::HeaderName;
use haat_engine::clock::Zone;
use haat_shared::Currency;
use serde::{Deserialize, Deserializer, Serialize};
use toml::{Table, Value};
use url::Url;

/// The default secret, for development. Production rejects it.
const DEFAULT_SECRET: &str = "not a secret: for development only";
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
/// What `limits.address_header` says where nothing is in front: the other end of the connection is who asks.
const PEER: [&str; 2] = ["peer", "none"];
/// URL parameters that are not secret.
const SHOWN_PARAMETERS: [&str; 5] = ["sslmode", "tls", "application_name", "host", "port"];

/// The whole configuration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `development` or `production`.
    pub mode: Mode,
    /// The listener.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// The bus between nodes.
    pub bus: BusConfig,
    /// Picture storage.
    pub media: Media,
    /// Product imports.
    pub imports: Imports,
    /// The market.
    pub market: MarketConfig,
    /// Payment methods.
    pub payments: Payments,
    /// Email.
    pub mail: Mail,
    /// Rate limits and limits on guests.
    pub limits: Limits,
    /// Secrets.
    pub security: Security,
    /// The log.
    pub log: Log,
}

/// How strict the program is with its configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// For a developer's machine: defaults are accepted.
    #[default]
    Development,
    /// For public markets: no default secret, TLS required, no test payments.
    Production,
}

/// The listener.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port to listen on.
    pub bind: String,
    /// The public URL of the market.
    pub public_url: String,
    /// The folder that contains the built site.
    pub site_root: String,
    /// The maximum duration of a request in seconds.
    pub timeout_s: u64,
    /// The maximum size of a request body in bytes.
    pub body_bytes_max: usize,
    /// The maximum number of concurrent connections. It may be lower: some of the available file handles
    /// are reserved for the rest of the program.
    pub connections_max: u32,
    /// The maximum number of concurrent connections per client address, if clients connect directly.
    pub connections_per_address: u32,
    /// The maximum time to receive the headers of a request, in seconds.
    pub header_timeout_s: u64,
    /// The maximum idle time of a connection between two requests, in seconds.
    pub idle_timeout_s: u64,
    /// Whether everyone gets a maintenance page, and background work is paused.
    pub maintenance: bool,
    /// The origins of other sites whose pages may use the REST API, separated by spaces:
    /// `https://books.example`. They receive no cookies.
    pub cors_origins: String,
    /// The token required by `/metrics`; without one, metrics are available in development only.
    pub metrics_token: SecretString,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`.
    pub url: SecretUrl,
    /// The number of connections to PostgreSQL.
    pub connections: u32,
}

/// The bus between nodes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusConfig {
    /// The NATS server: `nats://USER:PASSWORD@HOST` or `tls://…`. Without one, nodes learn of each other's
    /// work by polling.
    pub nats: SecretUrl,
}

/// Picture storage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// The folder for picture files, shared by all nodes of a market.
    pub folder: String,
    /// How long an uploaded picture waits for others to be decoded, in seconds.
    pub wait_s: u32,
}

/// Product imports.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Imports {
    /// How many files are read at once, one per shop. Others wait for their turn.
    pub readers: u32,
}

/// The market.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarketConfig {
    /// The currency of new shops.
    pub currency: Currency,
    /// The time zone of dates and times that people read, by its IANA name. API clients get UTC.
    pub time_zone: String,
    /// How many days after delivery an order can be returned. Until then, its earnings are pending.
    pub return_days: u32,
}

/// Payment methods.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payments {
    /// Cash on delivery.
    pub cash: bool,
    /// The sandbox gateway, for test payments. Not allowed in production.
    pub sandbox: bool,
    /// The URL of the sandbox's own pages, on another host name than the market's.
    pub sandbox_url: String,
    /// The sandbox's response time in milliseconds, to simulate a slow gateway.
    pub sandbox_delay_ms: u64,
}

/// Email.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// The sender of emails: `NAME <ADDRESS>`. Someone must read the replies.
    pub from: String,
    /// The mail server: `smtps://USER:PASSWORD@HOST`, or `smtp://…?tls=required`. Without one, emails
    /// stay in the database for a week; in development, `/dev/mail` shows them.
    pub smtp_url: SecretUrl,
    /// Whether the mail server supports SMTPUTF8 (RFC 6531). Without it, addresses with non-ASCII letters
    /// before the `@` are rejected at the field.
    pub smtputf8: bool,
    /// Whether new accounts are confirmed by a link in an email, so that sign-up does not reveal who has
    /// an account.
    pub confirm_sign_ups: Confirm,
}

/// Whether sign-ups are confirmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// If a mail server is configured.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Rate limits and limits on guests. Limits per minute and hour are counted by each node for itself,
/// except for emails.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Multiplies all limits below. Tests and benchmarks raise it.
    pub scale: u32,
    /// Changes through pages, forms and the REST API: per account, or per client address for guests.
    pub changes_per_minute: u32,
    /// Attempts to sign in to one account from one address, or from one known device.
    pub sign_ins_per_minute: u32,
    /// Attempts to sign in to one account, from all addresses together.
    pub account_sign_ins_per_minute: u32,
    /// Attempts to sign in from one address, to all accounts together.
    pub address_sign_ins_per_minute: u32,
    /// New accounts per address.
    pub sign_ups_per_hour: u32,
    /// New accounts in total.
    pub sign_ups_per_minute: u32,
    /// Open checkouts of guests per address.
    pub guest_checkouts: u32,
    /// Units of a variant that guests of one address can hold, however low its stock.
    pub guest_items: u32,
    /// Or this percentage of its stock, if that is more.
    pub guest_stock_percent: u32,
    /// Cash orders of guests per email address and day.
    pub guest_cash_orders_per_day: u32,
    /// Cash orders of guests per client address and day.
    pub address_cash_orders_per_day: u32,
    /// The maximum cash order of a guest, in whole units of its currency.
    pub guest_cash_order_max: u32,
    /// Emails about purchases per address and hour. Further ones are kept for operators.
    pub emails_per_hour: u32,
    /// The same per day.
    pub emails_per_day: u32,
    /// The header with the client address, set by the proxy, or `peer` if clients connect directly.
    pub address_header: String,
    /// The addresses and networks of the proxies, separated by spaces. Empty if the connecting address is
    /// the only proxy.
    pub trusted_proxies: String,
}

/// A network: `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    first: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (first, bits) = match text.split_once('/') {
            Some((first, bits)) => (first, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let first: IpAddr = first.parse().ok()?;
        let width = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        (bits <= width).then_some(Self { first, bits })
    }

    /// Whether the network contains an address.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        // The top bits, and only those, must match.
        let top = |bits: u128, width: u32| bits.checked_shr(width - self.bits).unwrap_or(0);
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                top(first.to_bits().into(), 32) == top(address.to_bits().into(), 32)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                top(first.to_bits(), 128) == top(address.to_bits(), 128)
            }
            _ => false,
        }
    }
}

impl Limits {
    /// The header with the client address, if there is one.
    pub(crate) fn header(&self) -> Option<HeaderName> {
        let name = self.address_header.as_str();
        if PEER.contains(&name) { None } else { name.parse().ok() }
    }

    /// The networks of the proxies.
    pub(crate) fn networks(&self) -> Vec<Network> {
        self.trusted_proxies.split_whitespace().filter_map(Network::parse).collect()
    }

    /// The limits that the engine enforces.
    pub(crate) fn bounds(&self) -> haat_engine::Bounds {
        let times = |limit: u32| i64::from(limit.saturating_mul(self.scale));
        haat_engine::Bounds {
            guest_checkouts: times(self.guest_checkouts),
            guest_items: times(self.guest_items),
            guest_stock_percent: times(self.guest_stock_percent),
            guest_cash_orders_per_day: times(self.guest_cash_orders_per_day),
            origin_cash_orders_per_day: times(self.address_cash_orders_per_day),
            guest_cash_order_max: times(self.guest_cash_order_max),
            emails_per_hour: times(self.emails_per_hour),
            emails_per_day: times(self.emails_per_day),
        }
    }

    fn check(&self) -> Result<(), String> {
        if !self.address_header.is_empty()
            && !PEER.contains(&self.address_header.as_str())
            && self.header().is_none()
        {
            return Err("limits.address_header must be the name of a header, or \"peer\"".into());
        }
        match self.trusted_proxies.split_whitespace().position(|text| Network::parse(text).is_none()) {
            Some(at) => Err(format!(
                "limits.trusted_proxies: entry {} is not an address or network, such as 10.0.0.0/8",
                at + 1
            )),
            None => Ok(()),
        }
    }
}

/// Secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    /// The key that signs links, webhooks and tokens.
    pub secret: SecretString,
}

/// The log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// The log filter, in the syntax of tracing's `EnvFilter`.
    pub filter: String,
    /// Whether to log one JSON object per line.
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
            connections_max: 1024,
            connections_per_address: 256,
            header_timeout_s: 10,
            idle_timeout_s: 75,
            maintenance: false,
            cors_origins: String::new(),
            metrics_token: SecretString::default(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self { url: SecretUrl("sqlite:data/haat.db".into()), connections: 16 }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self { folder: "data/media".into(), wait_s: 30 }
    }
}

impl Default for Imports {
    fn default() -> Self {
        Self { readers: 2 }
    }
}

impl Default for MarketConfig {
    fn default() -> Self {
        Self { currency: Currency::INR, time_zone: "Asia/Kolkata".into(), return_days: 0 }
    }
}

impl Default for Payments {
    fn default() -> Self {
        Self { cash: true, sandbox: false, sandbox_url: "http://127.0.0.1:3000".into(), sandbox_delay_ms: 0 }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            from: "Haat <market@localhost>".into(),
            smtp_url: SecretUrl::default(),
            smtputf8: false,
            confirm_sign_ups: Confirm::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            scale: 1,
            changes_per_minute: 600,
            sign_ins_per_minute: 10,
            account_sign_ins_per_minute: 60,
            address_sign_ins_per_minute: 60,
            sign_ups_per_hour: 20,
            sign_ups_per_minute: 60,
            guest_checkouts: 20,
            guest_items: 20,
            guest_stock_percent: 25,
            guest_cash_orders_per_day: 3,
            address_cash_orders_per_day: 20,
            guest_cash_order_max: 50_000,
            emails_per_hour: 20,
            emails_per_day: 60,
            address_header: String::new(),
            trusted_proxies: String::new(),
        }
    }
}

impl Default for Security {
    fn default() -> Self {
        Self { secret: SecretString(DEFAULT_SECRET.into()) }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".into(), json: false }
    }
}

/// A value that is never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretString(String);

/// A URL that is shown without its secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretUrl(String);

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
fn weakness(secret: &str) -> Option<&'static str> {
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

/// A URL with a host, and nothing that does not belong in the URL of a site.
fn site(name: &str, url: &str) -> Result<(), String> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(format!("{name} must start with http:// or https://"));
    }
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    // `https:///path` would be parsed as `https://path`, and `/a/..` as `/`.
    let host_only =
        !rest.trim_end_matches('/').contains(['/', '\\', '?', '#', '@']) && !rest.starts_with([':', '/']);
    let named =
        |url: &Url| url.host_str().is_some_and(|host| host.contains(|c: char| c.is_ascii_alphanumeric()));
    match Url::parse(url) {
        Ok(parsed) if host_only && named(&parsed) => Ok(()),
        _ => Err(format!("{name} must name a host and nothing else: https://market.example")),
    }
}

impl Config {
    /// The configuration from an optional file and the environment. The error says what to change.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, String> {
        let mut table = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
                text.parse::<Table>().map_err(|e| {
                    let line = e.span().map_or(0, |span| {
                        text.as_bytes()[..span.start.min(text.len())].iter().filter(|b| **b == b'\n').count()
                    });
                    format!("{}, line {}: {}", path.display(), line + 1, without_values(e.message()))
                })?
            }
            None => Table::new(),
        };
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        for (name, value) in environment {
            let Some(path) = name.strip_prefix("HAAT__") else { continue };
            let (path, value) = match path.strip_suffix("_FILE") {
                Some(path) => {
                    // The error doesn't quote the value, which may be the secret itself.
                    (path, std::fs::read_to_string(&value).map_err(|e| format!("{name}: {e}"))?)
                }
                None => (path, value),
            };
            set(&mut table, &path.to_lowercase(), value.trim());
        }
        let config: Self =
            table.try_into().map_err(|e: toml::de::Error| format!("configuration: {}", one_line(&e)))?;
        config.check()?;
        Ok(config)
    }

    /// The configuration as TOML, without secrets.
    pub(crate) fn printed(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|e| e.to_string())
    }

    /// Adds what a demo market needs: its data in `folder`, and the sandbox gateway, whose pages are on
    /// another host name than the market's, like those of a real gateway.
    pub fn demo(&mut self, folder: &Path) -> Result<(), String> {
        if self.mode == Mode::Production {
            return Err("demo is not for production: its accounts have a public password".into());
        }
        let usual = Self::default();
        if self.database == usual.database {
            self.database.url = SecretUrl(format!("sqlite:{}", folder.join("haat.db").display()));
        }
        if self.media.folder == usual.media.folder {
            self.media.folder = folder.join("media").display().to_string();
        }
        let port = self.server.bind.rsplit(':').next().unwrap_or_default().to_owned();
        if self.server.public_url == usual.server.public_url {
            self.server.public_url = format!("http://localhost:{port}");
        }
        if self.payments.sandbox_url == usual.payments.sandbox_url {
            self.payments.sandbox_url = format!("http://127.0.0.1:{port}");
        }
        self.payments.sandbox = true;
        Ok(())
    }

    /// Whether the market is served over TLS, so that cookies require it.
    pub fn secure(&self) -> bool {
        self.server.public_url.starts_with("https://")
    }

    /// Whether new accounts are confirmed by email.
    pub fn confirms_sign_ups(&self) -> bool {
        match self.mail.confirm_sign_ups {
            Confirm::Auto => !self.mail.smtp_url.reveal().is_empty(),
            Confirm::Always => true,
            Confirm::Never => false,
        }
    }

    fn check(&self) -> Result<(), String> {
        for (name, url) in [
            ("server.public_url", &self.server.public_url),
            ("payments.sandbox_url", &self.payments.sandbox_url),
        ] {
            site(name, url)?;
        }
        self.limits.check()?;
        if Zone::named(&self.market.time_zone).is_err() {
            return Err("market.time_zone must be the IANA name of a time zone, such as Asia/Kolkata".into());
        }
        if self.market.return_days > 365 {
            return Err("market.return_days must be at most 365".into());
        }
        for (at, origin) in self.server.cors_origins.split_whitespace().enumerate() {
            let host = origin.strip_prefix("https://").or(origin.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.contains('/')) {
                return Err(format!(
                    "server.cors_origins: entry {} is not an origin, such as https://books.example",
                    at + 1
                ));
            }
        }
        if !self.payments.cash && !self.payments.sandbox {
            return Err("no payment method is enabled: set payments.cash or payments.sandbox".into());
        }
        if self.mode == Mode::Development {
            return Ok(());
        }
        if let Some(weakness) = weakness(self.security.secret.reveal()) {
            return Err(format!("production: {weakness}"));
        }
        let faults = [
            (self.payments.sandbox, "payments.sandbox must be off: it accepts test cards only"),
            (
                !self.mail.smtp_url.reveal().is_empty() && self.mail.from == Mail::default().from,
                "mail.from is the default: set HAAT__MAIL__FROM to the sender of emails",
            ),
            (!self.secure(), "server.public_url must start with https://"),
            (
                self.limits.address_header.is_empty(),
                "limits.address_header must say where requests come from: the header that your proxy sets, such as \
                 HAAT__LIMITS__ADDRESS_HEADER=x-forwarded-for, or peer if there is no proxy",
            ),
        ];
        match faults.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, fault)) => Err(format!("production: {fault}")),
            None => Ok(()),
        }
    }
}

/// An error in one line, without excerpts of the file and without values.
fn one_line(error: &toml::de::Error) -> String {
    let shown = |line: &&str| {
        !line.trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).starts_with('|')
    };
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).filter(shown).collect();
    without_values(&lines.join(" "))
}

/// A parser's message without the values that it quotes: one may be a misplaced secret.
fn without_values(message: &str) -> String {
    let message = message.lines().collect::<Vec<_>>().join(" ");
    for kind in ["string \"", "integer `", "floating point `", "boolean `", "unknown variant `"] {
        let Some((before, value)) = message.split_once(kind) else { continue };
        let (name, quote) = kind.split_at(kind.len() - 1);
        // The last one, since the value may contain any text.
        let after = value.rsplit_once(&format!("{quote}, expected")).map(|(_, after)| after);
        let expected = after.map(|after| format!(", expected{after}")).unwrap_or_default();
        return format!("{before}{}{expected}", name.trim_end());
    }
    message
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

    const PRODUCTION: [(&str, &str); 4] = [
        ("HAAT__LIMITS__ADDRESS_HEADER", "x-forwarded-for"),
        ("HAAT__MODE", "production"),
        ("HAAT__SERVER__PUBLIC_URL", "https://haat.example"),
        ("HAAT__SECURITY__SECRET", "b1946ac92492d2347c6235b4d2611184"),
    ];

    #[test]
    fn every_name_and_its_default_are_in_the_reference() {
        let reference = include_str!("../../docs/configuration.md");
        let rows = reference.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        let listed = rows.clone().count();
        let mut rows: std::collections::BTreeMap<_, _> = rows.collect();
        assert_eq!(rows.len(), listed, "docs/configuration.md has a name twice");
        let all = toml::Table::try_from(Config::default()).unwrap();
        let mut check = |name: String, value: &toml::Value| {
            let row =
                rows.remove(name.as_str()).unwrap_or_else(|| panic!("docs/configuration.md lacks {name}"));
            let default = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            // Secrets are printed masked.
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

    /// What `haat config` prints where nothing is configured.
    #[test]
    fn the_default_configuration_is_printed() {
        let _in = crate::snapshots();
        insta::assert_snapshot!("config", load(&[]).unwrap().printed().unwrap());
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
            (&[("HAAT__MARKET__RETURN_DAYS", "366")], "market.return_days must be at most 365"),
            (&[("HAAT__MARKET__TIME_ZONE", "Asia/Pune")], "market.time_zone must be the IANA name"),
            (&[("HAAT__PAYMENTS__CASH", "false")], "no payment method"),
            (&[("HAAT__SERVER__CORS_ORIGINS", "https://a.example *")], "entry 2 is not an origin"),
            (&[("HAAT__SERVER__CORS_ORIGINS", "https://a.example/page")], "entry 1 is not an origin"),
            (&[("HAAT__SERVER__PUBLIC_URL", "haat.example")], "http"),
            (
                &[("HAAT__SECURITY__SECRET_FILE", "/no/such/file")],
                "HAAT__SECURITY__SECRET_FILE: No such file",
            ),
            (&[("HAAT__SERVER__PUBLIC_URL", "https://")], "a host"),
            (&[("HAAT__SERVER__PUBLIC_URL", "http:///path")], "a host"),
            (&[("HAAT__SERVER__PUBLIC_URL", "https://:443")], "a host"),
            (&[("HAAT__SERVER__PUBLIC_URL", "https://-")], "a host"),
            (&[("HAAT__SERVER__PUBLIC_URL", "https://haat.example/market")], "a host"),
            (&[("HAAT__SERVER__PUBLIC_URL", "https://me@haat.example")], "a host"),
            (&[("HAAT__SERVER__PUBLIC_URL", "https://@haat.example")], "a host"),
            (&[("HAAT__SERVER__PUBLIC_URL", "https://haat.example/a/..")], "a host"),
            (&[("HAAT__SERVER__PUBLIC_URL", "https://haat.example/#")], "a host"),
            (&[("HAAT__SERVER__PUBLIC_URL", "https://haat.example?")], "a host"),
            (&[("HAAT__SERVER__PUBLIC_URL", "https://haat.example/?a=b")], "a host"),
            (&[("HAAT__LIMITS__ADDRESS_HEADER", "x forwarded for")], "limits.address_header"),
            (&[("HAAT__LIMITS__TRUSTED_PROXIES", "10.0.0.0/8 10.0.0.0/33")], "entry 2"),
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
            (("HAAT__SECURITY__SECRET", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "can be guessed"),
            (("HAAT__SECURITY__SECRET", "changemechangemechangemechangeme!"), "can be guessed"),
            (("HAAT__SECURITY__SECRET", "abcdefghijabcdefghijabcdefghijabcdefghij"), "can be guessed"),
            (("HAAT__SECURITY__SECRET", "0123456789abcdef0123456789abcdef"), "can be guessed"),
            (("HAAT__SECURITY__SECRET", "abcdefghijklmnopqrstuvwxyz0123456789"), "can be guessed"),
            (
                ("HAAT__SECURITY__SECRET", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                "can be guessed",
            ),
            (("HAAT__SECURITY__SECRET", "Password-for-the-market-of-2026-Pune"), "can be guessed"),
            (("HAAT__SECURITY__SECRET", "this is our very own S.E.C.R.E.T, is it not"), "can be guessed"),
            (("HAAT__SECURITY__SECRET", "qwertyuiop[]asdfghjkl;'zxcvbnm,./1470"), "can be guessed"),
            (("HAAT__SECURITY__SECRET", "please-change-me-before-it-is-too-late"), "can be guessed"),
            (("HAAT__SECURITY__SECRET", "8301957426 6150392847 7420918365 52"), "can be guessed"),
            (("HAAT__SECURITY__SECRET", "k3Xv9qk3Xv9qk3Xv9qk3Xv9qk3Xv9qk3Xv9q"), "can be guessed"),
            (("HAAT__LIMITS__ADDRESS_HEADER", ""), "HAAT__LIMITS__ADDRESS_HEADER="),
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
    fn errors_do_not_tell_values_either() {
        for environment in [
            &[("HAAT__SECURITY__SECRET", "48151623421234567")][..],
            &[("HAAT__SECURITY__SECRET", "true")],
            &[("HAAT__SECURITY", "hush\"48151623421234567")],
            &[("HAAT__DATABASE", "postgres://haat:48151623421234567@db/haat")],
            &[("HAAT__DATABASE__CONNECTIONS", "48151623421234567")],
            &[("HAAT__SECURITY__SECRET_FILE", "48151623421234567")],
            &[("HAAT__MODE", "hush4815")],
            &[("HAAT__MODE", "hush4815`, expected `4815")],
            &[("HAAT__MODE", "48151623421234567")],
            &[("HAAT__MAIL__CONFIRM_SIGN_UPS", "hush4815")],
            &[("HAAT__MARKET__CURRENCY", "hush4815")],
            &[("HAAT__PAYMENTS__CASH", "hush4815")],
            &[("HAAT__LIMITS__SCALE", "-4815")],
            &[("HAAT__LIMITS__SCALE", "4815.5")],
        ] {
            let error = load(environment).unwrap_err();
            assert!(!error.contains("4815") && error.lines().count() == 1, "{error}");
        }
        let error = load(&[("HAAT__MODE", "prod")]).unwrap_err();
        assert!(error.contains("unknown variant, expected `development` or `production`"), "{error}");
        assert!(error.contains("mode"), "{error}");
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, line) in [
            ("[security]\nsecret = hush4815", "line 2"),
            ("[security]\n\nsecret = \"hush4815", "line 3"),
            ("[security]\nsecret = 48151623421234567", "security.secret"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = Config::load(Some(file.path()), []).unwrap_err();
            assert!(!error.contains("4815") && error.contains(line), "{error}");
        }
    }

    #[test]
    fn networks_are_as_wide_as_they_say() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("2001:db8::/64", "2001:db8::ffff:1", "2001:db8:0:1::1"),
            ("0.0.0.0/0", "255.1.1.1", "::1"),
            ("::/0", "2001::", "10.0.0.1"),
        ] {
            let network = Network::parse(network).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network:?}");
            assert!(!network.contains(outside.parse().unwrap()), "{network:?}");
        }
    }
}
