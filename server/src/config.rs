//! The configuration: defaults, then a TOML file, then environment variables
//! (`HAAT__SERVER__BIND=0.0.0.0:80`).
//!
//! A name that ends in `_FILE` names a file that contains the value, for secrets. Unknown names are errors.

mod check;
mod load;
mod network;
mod secrets;

use std::path::Path;

use axum::http::HeaderName;
use haat_gateways::openid;
use haat_shared::{
    Currency, Money, gift_cards::GiftCardTerms, logins::Provider, payouts::bank_file::Payer,
    reviews::Moderation,
};
use serde::{Deserialize, Serialize};

pub(crate) use network::Network;
use secrets::DEFAULT_SECRET;
pub use secrets::{SecretString, SecretUrl};

/// What `limits.address_header` says where nothing is in front: the other end of the connection is who asks.
const PEER: [&str; 2] = ["peer", "none"];

/// Codes that can be tried per client address and hour. People mistype a few.
const CODES_PER_HOUR: u32 = 60;

/// Stripe's API.
const STRIPE_URL: &str = "https://api.stripe.com";
/// PayPal's API.
const PAYPAL_URL: &str = haat_gateways::paypal::API;
/// Razorpay's API.
const RAZORPAY_URL: &str = haat_gateways::razorpay::API;

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
    /// The search for products.
    pub search: Search,
    /// Product imports.
    pub imports: Imports,
    /// The market.
    pub market: MarketConfig,
    /// Reviews of products.
    pub reviews: Reviews,
    /// Payment methods.
    pub payments: Payments,
    /// Payouts to shops.
    pub payouts: Payouts,
    /// Email.
    pub mail: Mail,
    /// Notifications to browsers.
    pub push: PushConfig,
    /// Signing in with the accounts of others.
    pub sign_in: SignInConfig,
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

/// Notifications to browsers (web push).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushConfig {
    /// The origins of push services besides those of Chromium, Firefox, Safari and Edge, separated by spaces:
    /// `https://push.example`. Browsers name the service, and the market sends requests there.
    pub services: String,
}

/// Signing in with the accounts of others, by OpenID Connect.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInConfig {
    /// The client ID of an app at Google. Without one, nobody can sign in with Google.
    pub google_client_id: String,
    /// Its secret.
    pub google_client_secret: SecretString,
    /// Google's issuer. Tests have a fake.
    pub google_issuer: String,
    /// The client ID of an app at LinkedIn. Without one, nobody can sign in with LinkedIn.
    pub linkedin_client_id: String,
    /// Its secret.
    pub linkedin_client_secret: SecretString,
    /// LinkedIn's issuer. Tests have a fake.
    pub linkedin_issuer: String,
}

impl SignInConfig {
    /// The providers with the names of their settings, IDs of the app, secrets and issuers.
    fn all(&self) -> [(Provider, &str, &SecretString, &str); 2] {
        [
            (Provider::Google, &self.google_client_id, &self.google_client_secret, &self.google_issuer),
            (
                Provider::LinkedIn,
                &self.linkedin_client_id,
                &self.linkedin_client_secret,
                &self.linkedin_issuer,
            ),
        ]
    }

    /// The apps that are configured.
    pub(crate) fn apps(&self) -> Vec<openid::Settings> {
        let there = self.all().into_iter().filter(|(_, client_id, ..)| !client_id.is_empty());
        let app = |(provider, client_id, secret, issuer): (_, &str, &SecretString, &str)| openid::Settings {
            provider,
            client_id: client_id.to_owned(),
            client_secret: secret.reveal().to_owned(),
            issuer: issuer.to_owned(),
        };
        there.map(app).collect()
    }
}

impl Default for SignInConfig {
    fn default() -> Self {
        Self {
            google_client_id: String::new(),
            google_client_secret: SecretString::default(),
            google_issuer: openid::GOOGLE.into(),
            linkedin_client_id: String::new(),
            linkedin_client_secret: SecretString::default(),
            linkedin_issuer: openid::LINKEDIN.into(),
        }
    }
}

/// The search for products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// The folder for search indexes. Nodes that share it have one each in it; it can be deleted at any time. If it is empty,
    /// the index is in memory, and built at each start.
    pub folder: String,
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
    /// The currency of new shops, in which rates are given.
    pub currency: Currency,
    /// Other currencies that shoppers can pay in, separated by spaces.
    pub currencies: String,
    /// Its country (ISO 3166-1), which is that of shops and addresses that name none.
    pub country: String,
    /// The time zone of dates and times that people read, by its IANA name. API clients get UTC.
    pub time_zone: String,
    /// The amounts at which gift cards are suggested, in whole units of the market's currency, separated by spaces. Without any,
    /// gift cards are not sold.
    pub gift_card_amounts: String,
    /// The least that a gift card can have, in whole units of that currency.
    pub gift_card_min: u32,
    /// The most that a gift card can have.
    pub gift_card_max: u32,
    /// How many days after delivery an order can be returned, at least. Until then, its earnings are pending.
    pub return_days: u32,
    /// How many days a shop has to answer a return request, before an admin may decide.
    pub return_answer_days: u32,
    /// Whether the sign-in page offers the demo's accounts, with their password. Not allowed in production.
    pub demo: bool,
}

/// Reviews of products.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reviews {
    /// Which ones an admin reads before they are published: `all`, by the `rules`, or `none`.
    pub moderate: Moderation,
    /// How many days after delivery customers are asked for a review; 0 if they aren't.
    pub invite_days: u32,
}

/// Payment methods.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payments {
    /// Cash on delivery.
    pub cash: bool,
    /// The secret key of a Stripe account, for payments by card. Without one, there are none.
    pub stripe_secret_key: SecretString,
    /// The signing secrets of Stripe's webhooks, separated by spaces: two of each while they are rotated.
    pub stripe_webhook_secrets: SecretString,
    /// The URL of Stripe's API. Tests have a fake.
    pub stripe_url: String,
    /// The publishable key of the Stripe account. With one, shoppers with JavaScript enter their card on the checkout
    /// page, in Stripe's fields; otherwise, everybody pays on Stripe's page.
    pub stripe_publishable_key: String,
    /// Whether payments by card are authorized first, and captured once the order can be placed.
    pub stripe_authorizes: bool,
    /// Whether shops can connect an account at Stripe, to which their payouts are transferred.
    pub stripe_connect: bool,
    /// The client ID of a PayPal app, for payments with PayPal. Without one, there are none.
    pub paypal_client_id: String,
    /// The secret of the app.
    pub paypal_secret: SecretString,
    /// The ID of the app's webhook.
    pub paypal_webhook_id: String,
    /// The URL of PayPal's API. That for tests is `https://api-m.sandbox.paypal.com`.
    pub paypal_url: String,
    /// The ID of a key of a Razorpay account, for payments by UPI, card, net banking and wallet. Without one, there
    /// are none.
    pub razorpay_key_id: String,
    /// The secret of the key.
    pub razorpay_key_secret: SecretString,
    /// The secrets of Razorpay's webhook, separated by spaces: two while they are rotated.
    pub razorpay_webhook_secrets: SecretString,
    /// The URL of Razorpay's API. Tests have a fake.
    pub razorpay_url: String,
    /// The sandbox gateway, for test payments. Not allowed in production.
    pub sandbox: bool,
    /// The URL of the sandbox's own pages, on another host name than the market's.
    pub sandbox_url: String,
    /// The sandbox's response time in milliseconds, to simulate a slow gateway.
    pub sandbox_delay_ms: u64,
}

/// Payouts to shops.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payouts {
    /// The least that a shop can withdraw, in whole units of the market's currency.
    pub minimum: u32,
    /// How many hours a new payout method waits until payouts can use it.
    pub hold_hours: u32,
    /// The name of the holder of the account that payouts are made from.
    pub payer_name: String,
    /// The IBAN or number of that account. Without it, there is no ISO 20022 file for its bank.
    pub payer_account: String,
    /// The BIC of that bank, or the IFSC of its branch. May be empty.
    pub payer_bank: String,
}

impl Payouts {
    /// The terms that the engine applies.
    pub(crate) fn terms(&self) -> haat_engine::payouts::PayoutTerms {
        let payer = Payer {
            name: self.payer_name.clone(),
            account: self.payer_account.clone(),
            bank: self.payer_bank.clone(),
        };
        haat_engine::payouts::PayoutTerms {
            minimum: i64::from(self.minimum),
            hold_ms: i64::from(self.hold_hours) * 3_600_000,
            payer: (!payer.account.is_empty()).then_some(payer),
        }
    }
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
            codes_per_hour: times(CODES_PER_HOUR),
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

impl MarketConfig {
    /// The currencies that shoppers can pay in, the market's first. The error says what to change.
    pub(crate) fn sold_in(&self) -> Result<Vec<Currency>, String> {
        let mut all = vec![self.currency];
        for (at, code) in (1..).zip(self.currencies.split_whitespace()) {
            let currency = code.parse::<Currency>().map_err(|_| {
                format!("market.currencies: entry {at} is not the code of a currency (ISO 4217), such as JPY")
            })?;
            if !all.contains(&currency) {
                all.push(currency);
            }
        }
        Ok(all)
    }
}

impl MarketConfig {
    /// At what amounts gift cards are sold. The error says what to change.
    pub(crate) fn gift_cards(&self) -> Result<Option<GiftCardTerms>, String> {
        let unit = 10i64.saturating_pow(self.currency.decimals());
        let money = |whole: u32| Money::new(i64::from(whole).saturating_mul(unit), self.currency);
        let (least, most) = (self.gift_card_min.max(1), self.gift_card_max);
        let mut suggested = Vec::new();
        for typed in self.gift_card_amounts.split_whitespace() {
            match typed.parse::<u32>() {
                Ok(whole) if (least..=most).contains(&whole) => suggested.push(money(whole)),
                _ => {
                    return Err(format!(
                        "market.gift_card_amounts: {typed} is not a whole number from market.gift_card_min ({least}) to market.gift_card_max ({most})"
                    ));
                }
            }
        }
        let terms = GiftCardTerms { suggested, least: money(least), most: money(most) };
        Ok(Some(terms).filter(|terms| !terms.suggested.is_empty()))
    }
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

impl Default for Search {
    fn default() -> Self {
        Self { folder: "data/search".into() }
    }
}

impl Default for Imports {
    fn default() -> Self {
        Self { readers: 2 }
    }
}

impl Default for MarketConfig {
    fn default() -> Self {
        Self {
            currency: Currency::INR,
            currencies: String::new(),
            country: "IN".into(),
            time_zone: "Asia/Kolkata".into(),
            gift_card_amounts: String::new(),
            gift_card_min: 100,
            gift_card_max: 50_000,
            return_days: 0,
            return_answer_days: 3,
            demo: false,
        }
    }
}

impl Default for Reviews {
    fn default() -> Self {
        Self { moderate: Moderation::Rules, invite_days: 7 }
    }
}

impl Default for Payments {
    fn default() -> Self {
        Self {
            cash: true,
            stripe_secret_key: SecretString::default(),
            stripe_webhook_secrets: SecretString::default(),
            stripe_url: STRIPE_URL.into(),
            stripe_publishable_key: String::new(),
            stripe_authorizes: false,
            stripe_connect: false,
            paypal_client_id: String::new(),
            paypal_secret: SecretString::default(),
            paypal_webhook_id: String::new(),
            paypal_url: PAYPAL_URL.into(),
            razorpay_key_id: String::new(),
            razorpay_key_secret: SecretString::default(),
            razorpay_webhook_secrets: SecretString::default(),
            razorpay_url: RAZORPAY_URL.into(),
            sandbox: false,
            sandbox_url: "http://127.0.0.1:3000".into(),
            sandbox_delay_ms: 0,
        }
    }
}

impl Default for Payouts {
    fn default() -> Self {
        Self {
            minimum: 100,
            hold_hours: 24,
            payer_name: String::new(),
            payer_account: String::new(),
            payer_bank: String::new(),
        }
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

impl Config {
    /// The configuration as TOML, without secrets.
    pub(crate) fn printed(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|e| e.to_string())
    }

    /// Adds what a demo market needs: its data in `folder`, its accounts on the sign-in page, and the sandbox
    /// gateway, whose pages are on another host name than the market's, like those of a real gateway.
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
        if self.search.folder == usual.search.folder {
            self.search.folder = folder.join("search").display().to_string();
        }
        let port = self.server.bind.rsplit(':').next().unwrap_or_default().to_owned();
        if self.server.public_url == usual.server.public_url {
            self.server.public_url = format!("http://localhost:{port}");
        }
        if self.payments.sandbox_url == usual.payments.sandbox_url {
            self.payments.sandbox_url = format!("http://127.0.0.1:{port}");
        }
        self.payments.sandbox = cfg!(feature = "sandbox");
        self.market.demo = true;
        if self.market.gift_card_amounts.is_empty() {
            self.market.gift_card_amounts = "500 1000 2500 5000".into();
        }
        if self.market.currencies.is_empty() {
            self.market.currencies = "EUR USD".into();
        }
        // So that a visitor can follow a payout from the request to the file for the bank.
        self.payouts.hold_hours = 0;
        if self.payouts.payer_account.is_empty() {
            self.payouts.payer_name = "Haat demo market".into();
            self.payouts.payer_account = "000000000000".into();
            self.payouts.payer_bank = "HAAT0000000".into();
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn load(environment: &[(&str, &str)]) -> Result<Config, String> {
        Config::load(None, environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

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
}
