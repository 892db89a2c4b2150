//! Checks a configuration. The errors say what to change.

use std::ops::RangeInclusive;

use haat_engine::{Db, clock::Zone};
use haat_gateways::{
    nats, openid, paypal, push, razorpay,
    smtp::{self, Sender},
};
use haat_shared::{Currency, addresses};
use url::{Host, Url};

use super::{
    Config, Limits, Mail, Mode, Network, PAYPAL_URL, PEER, Payments, RAZORPAY_URL, STRIPE_URL, SignInConfig,
    secrets::weakness,
};
use crate::log;

/// The most of what is counted.
const COUNT_MAX: u64 = 1_000_000;

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

/// An address or host name, and a port.
fn is_listener(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| Host::parse(host).is_ok() && port.parse::<u16>().is_ok())
}

impl Limits {
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

/// Text without blanks and special characters, as in keys and IDs.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

impl SignInConfig {
    fn check(&self) -> Result<(), String> {
        for (provider, client_id, secret, issuer) in self.all() {
            let name = provider.as_str();
            openid::check(issuer).map_err(|why| format!("sign_in.{name}_issuer: {why}"))?;
            let given = [client_id, secret.reveal()];
            if !given.iter().all(|value| value.is_empty()) && !given.iter().all(|value| is_token(value)) {
                return Err(format!(
                    "sign_in.{name}_client_id and sign_in.{name}_client_secret must be those of an app, or both be empty"
                ));
            }
        }
        Ok(())
    }

    /// Whether all issuers are those of the providers themselves.
    fn are_issuers_themselves(&self) -> bool {
        self.all().into_iter().all(|(provider, _, _, issuer)| issuer == openid::issuer(provider))
    }
}

impl Payments {
    fn takes_paypal(&self) -> bool {
        !self.paypal_client_id.is_empty()
    }

    fn is_paypal_itself(&self) -> bool {
        self.paypal_url.trim_end_matches('/') == PAYPAL_URL
    }

    fn check_paypal(&self) -> Result<(), String> {
        let Self { paypal_client_id, paypal_secret, paypal_webhook_id, .. } = self;
        let given = [paypal_client_id, paypal_secret.reveal(), paypal_webhook_id];
        if given.iter().all(|value| value.is_empty()) {
            return Ok(());
        }
        // A colon would end the ID where it is sent together with the secret.
        if !given.iter().all(|value| is_token(value)) || paypal_client_id.contains(':') {
            return Err("payments.paypal_client_id, payments.paypal_secret and payments.paypal_webhook_id must be those \
                        of an app and its webhook, or all be empty"
                .into());
        }
        Ok(())
    }

    fn takes_razorpay(&self) -> bool {
        !self.razorpay_key_id.is_empty()
    }

    fn is_razorpay_itself(&self) -> bool {
        self.razorpay_url.trim_end_matches('/') == RAZORPAY_URL
    }

    fn check_razorpay(&self) -> Result<(), String> {
        let (key, secret) = (self.razorpay_key_id.as_str(), self.razorpay_key_secret.reveal());
        let secrets: Vec<_> = self.razorpay_webhook_secrets.reveal().split_whitespace().collect();
        if key.is_empty() && secret.is_empty() && secrets.is_empty() {
            return Ok(());
        }
        let is_key = key.starts_with("rzp_") && is_token(key) && !key.contains(':');
        if !is_key || !is_token(secret) {
            return Err("payments.razorpay_key_id and payments.razorpay_key_secret must be those of a key: rzp_… and its \
                        secret"
                .into());
        }
        if !(1..=2).contains(&secrets.len()) || !secrets.into_iter().all(is_token) {
            return Err("payments.razorpay_webhook_secrets must be the secret of the webhook, or two, separated by a space"
                .into());
        }
        if !self.is_razorpay_itself() && key.contains("_live_") {
            return Err("payments.razorpay_url is not Razorpay's, which must not be sent a live key".into());
        }
        Ok(())
    }

    /// Whether one of the enabled payment methods takes a currency.
    fn takes(&self, currency: Currency) -> bool {
        self.cash
            || self.sandbox
            || self.takes_cards()
            || (self.takes_paypal() && paypal::supports(currency))
            || (self.takes_razorpay() && razorpay::supports(currency))
    }

    fn takes_cards(&self) -> bool {
        !self.stripe_secret_key.reveal().is_empty()
    }

    fn is_stripe_itself(&self) -> bool {
        self.stripe_url.trim_end_matches('/') == STRIPE_URL
    }

    fn check_stripe(&self) -> Result<(), String> {
        if !self.takes_cards() {
            return match self.stripe_connect {
                true => Err("payments.stripe_connect needs payments.stripe_secret_key".into()),
                false => Ok(()),
            };
        }
        let has_form = |secret: &str, prefixes: &[&str]| {
            let rest = prefixes.iter().find_map(|prefix| secret.strip_prefix(prefix));
            rest.is_some_and(is_token)
        };
        let key = self.stripe_secret_key.reveal();
        if !has_form(key, &["sk_", "rk_"]) {
            return Err("payments.stripe_secret_key must be a secret or restricted key: sk_… or rk_…".into());
        }
        let secrets: Vec<_> = self.stripe_webhook_secrets.reveal().split_whitespace().collect();
        // Connected accounts have a webhook of their own.
        let most = if self.stripe_connect { 4 } else { 2 };
        if !(1..=most).contains(&secrets.len()) || !secrets.iter().all(|secret| has_form(secret, &["whsec_"]))
        {
            return Err(format!(
                "payments.stripe_webhook_secrets must be the signing secret of the webhook (whsec_…), or up to {most}, \
                 separated by spaces"
            ));
        }
        let publishable = self.stripe_publishable_key.as_str();
        if !publishable.is_empty() {
            if !has_form(publishable, &["pk_"]) {
                return Err("payments.stripe_publishable_key must be a publishable key: pk_…".into());
            }
            if key.contains("_live_") != publishable.contains("_live_") {
                return Err("payments.stripe_publishable_key and payments.stripe_secret_key must both be for tests, or \
                            both be live"
                    .into());
            }
        }
        if !self.is_stripe_itself() && key.contains("_live_") {
            return Err("payments.stripe_url is not Stripe's, which must not be sent a live key".into());
        }
        Ok(())
    }
}

impl Config {
    /// The numbers and what they may be.
    fn numbers(&self) -> [(&'static str, u64, RangeInclusive<u64>); 32] {
        let Self { server, database, market, media, imports, payments, payouts, limits, .. } = self;
        let count = |number: u32| u64::from(number);
        [
            ("server.timeout_s", server.timeout_s, 1..=3_600),
            ("server.body_bytes_max", server.body_bytes_max as u64, 4_096..=1_073_741_824),
            ("server.connections_max", count(server.connections_max), 1..=COUNT_MAX),
            ("server.connections_per_address", count(server.connections_per_address), 1..=COUNT_MAX),
            ("server.header_timeout_s", server.header_timeout_s, 1..=3_600),
            ("server.idle_timeout_s", server.idle_timeout_s, 1..=86_400),
            ("database.connections", count(database.connections), 1..=10_000),
            ("market.gift_card_min", count(market.gift_card_min), 1..=1_000_000_000),
            ("market.gift_card_max", count(market.gift_card_max), 1..=1_000_000_000),
            ("market.return_days", count(market.return_days), 0..=365),
            ("market.return_answer_days", count(market.return_answer_days), 0..=365),
            ("reviews.invite_days", count(self.reviews.invite_days), 0..=365),
            ("media.wait_s", count(media.wait_s), 0..=3_600),
            ("imports.readers", count(imports.readers), 1..=64),
            ("payments.sandbox_delay_ms", payments.sandbox_delay_ms, 0..=600_000),
            ("payouts.minimum", count(payouts.minimum), 1..=1_000_000_000),
            ("payouts.hold_hours", count(payouts.hold_hours), 0..=720),
            ("limits.scale", count(limits.scale), 1..=COUNT_MAX),
            ("limits.changes_per_minute", count(limits.changes_per_minute), 1..=100 * COUNT_MAX),
            ("limits.sign_ins_per_minute", count(limits.sign_ins_per_minute), 1..=COUNT_MAX),
            ("limits.account_sign_ins_per_minute", count(limits.account_sign_ins_per_minute), 1..=COUNT_MAX),
            ("limits.address_sign_ins_per_minute", count(limits.address_sign_ins_per_minute), 1..=COUNT_MAX),
            ("limits.sign_ups_per_hour", count(limits.sign_ups_per_hour), 0..=COUNT_MAX),
            ("limits.sign_ups_per_minute", count(limits.sign_ups_per_minute), 0..=COUNT_MAX),
            ("limits.guest_checkouts", count(limits.guest_checkouts), 0..=COUNT_MAX),
            ("limits.guest_items", count(limits.guest_items), 0..=COUNT_MAX),
            ("limits.guest_stock_percent", count(limits.guest_stock_percent), 0..=100),
            ("limits.guest_cash_orders_per_day", count(limits.guest_cash_orders_per_day), 0..=COUNT_MAX),
            ("limits.address_cash_orders_per_day", count(limits.address_cash_orders_per_day), 0..=COUNT_MAX),
            ("limits.guest_cash_order_max", count(limits.guest_cash_order_max), 0..=1_000_000_000),
            ("limits.emails_per_hour", count(limits.emails_per_hour), 1..=COUNT_MAX),
            ("limits.emails_per_day", count(limits.emails_per_day), 1..=COUNT_MAX),
        ]
    }

    /// Where the program listens, and what it connects to. It refuses the same when it starts.
    fn check_connections(&self) -> Result<(), String> {
        if !is_listener(&self.server.bind) {
            return Err("server.bind must be an address and a port, such as 127.0.0.1:3000".into());
        }
        Db::check_url(self.database.url.reveal()).map_err(|why| format!("database.url {why}"))?;
        match self.bus.nats.reveal() {
            "" => {}
            url => nats::check(url).map_err(|why| format!("bus.nats: {why}"))?,
        }
        push::check(&self.push.services).map_err(|why| format!("push.services: {why}"))?;
        match self.mail.smtp_url.reveal() {
            "" => {}
            url => smtp::check(url).map_err(|why| format!("mail.smtp_url: {why}"))?,
        }
        if self.mail.from.parse::<Sender>().is_err() {
            return Err("mail.from must be a name and an email address: Haat <market@haat.example>".into());
        }
        log::filter(&self.log).map(drop)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        for (name, url) in [
            ("server.public_url", &self.server.public_url),
            ("payments.sandbox_url", &self.payments.sandbox_url),
            ("payments.stripe_url", &self.payments.stripe_url),
            ("payments.paypal_url", &self.payments.paypal_url),
            ("payments.razorpay_url", &self.payments.razorpay_url),
        ] {
            site(name, url)?;
        }
        self.check_connections()?;
        for (name, value, bounds) in self.numbers() {
            if !bounds.contains(&value) {
                return Err(format!("{name} must be between {} and {}", bounds.start(), bounds.end()));
            }
        }
        self.limits.check()?;
        self.sign_in.check()?;
        if Zone::named(&self.market.time_zone).is_err() {
            return Err("market.time_zone must be the IANA name of a time zone, such as Asia/Kolkata".into());
        }
        if !addresses::countries().any(|country| country == self.market.country) {
            return Err("market.country must be the code of a country (ISO 3166-1), such as IN".into());
        }
        let currencies = self.market.sold_in()?;
        self.market.gift_cards()?;
        for (at, origin) in self.server.cors_origins.split_whitespace().enumerate() {
            let host = origin.strip_prefix("https://").or(origin.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.contains('/')) {
                return Err(format!(
                    "server.cors_origins: entry {} is not an origin, such as https://books.example",
                    at + 1
                ));
            }
        }
        self.payments.check_stripe()?;
        self.payments.check_paypal()?;
        self.payments.check_razorpay()?;
        if let Some(currency) = currencies.into_iter().find(|currency| !self.payments.takes(*currency)) {
            return Err(format!(
                "no payment method is enabled that takes {currency}: set payments.cash, payments.stripe_secret_key, \
                 payments.paypal_client_id, payments.razorpay_key_id or payments.sandbox"
            ));
        }
        if self.mode == Mode::Development {
            return Ok(());
        }
        for (name, secret) in [
            ("security.secret", self.security.secret.reveal()),
            ("server.metrics_token", self.server.metrics_token.reveal()),
        ] {
            // Without a token, there are no metrics.
            let weakness = weakness(name, secret).filter(|_| name == "security.secret" || !secret.is_empty());
            if let Some(weakness) = weakness {
                return Err(format!("production: {weakness}"));
            }
        }
        let faults = [
            (self.market.demo, "market.demo must be off: the demo's accounts have a public password"),
            (self.payments.sandbox, "payments.sandbox must be off: it accepts test cards only"),
            (
                self.payments.stripe_secret_key.reveal().contains("_test_"),
                "payments.stripe_secret_key is a key for tests: nobody would be charged",
            ),
            (!self.payments.is_stripe_itself(), "payments.stripe_url must be Stripe's: leave it out"),
            (
                !self.payments.is_paypal_itself(),
                "payments.paypal_url must be PayPal's, and not that for tests: leave it out",
            ),
            (
                self.payments.razorpay_key_id.contains("_test_"),
                "payments.razorpay_key_id is a key for tests: nobody would be charged",
            ),
            (
                !self.sign_in.are_issuers_themselves(),
                "sign_in.google_issuer and sign_in.linkedin_issuer must be Google's and LinkedIn's: leave them out",
            ),
            (!self.payments.is_razorpay_itself(), "payments.razorpay_url must be Razorpay's: leave it out"),
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

#[cfg(test)]
mod tests {
    use crate::config::{Config, secrets::DEFAULT_SECRET, tests::load};

    const PRODUCTION: [(&str, &str); 4] = [
        ("HAAT__LIMITS__ADDRESS_HEADER", "x-forwarded-for"),
        ("HAAT__MODE", "production"),
        ("HAAT__SERVER__PUBLIC_URL", "https://haat.example"),
        ("HAAT__SECURITY__SECRET", "b1946ac92492d2347c6235b4d2611184"),
    ];

    #[test]
    fn mistakes_are_named_in_one_line() {
        for (environment, why) in [
            (&[("HAAT__SERVER__BNID", "x")][..], "bnid"),
            (&[("HAAT__DATABASE__CONNECTIONS", "many")], "connections"),
            (&[("HAAT__MARKET__CURRENCY", "RUPEE")], "ISO 4217"),
            (&[("HAAT__MARKET__COUNTRY", "India")], "market.country must be the code of a country"),
            (&[("HAAT__MARKET__TIME_ZONE", "Asia/Pune")], "market.time_zone must be the IANA name"),
            (&[("HAAT__MARKET__CURRENCIES", "JPY RUPEE")], "market.currencies: entry 2 is not the code"),
            (&[("HAAT__PAYMENTS__CASH", "false")], "no payment method"),
            (
                &[
                    ("HAAT__PAYMENTS__CASH", "false"),
                    ("HAAT__PAYMENTS__PAYPAL_CLIENT_ID", "app"),
                    ("HAAT__PAYMENTS__PAYPAL_SECRET", "hush"),
                    ("HAAT__PAYMENTS__PAYPAL_WEBHOOK_ID", "1AB"),
                ],
                "takes INR",
            ),
            (&[("HAAT__PAYMENTS__PAYPAL_CLIENT_ID", "app")], "payments.paypal_secret"),
            (&[("HAAT__PAYMENTS__PAYPAL_SECRET", "hush")], "payments.paypal_client_id"),
            (
                &[
                    ("HAAT__PAYMENTS__PAYPAL_CLIENT_ID", "a:b"),
                    ("HAAT__PAYMENTS__PAYPAL_SECRET", "hush"),
                    ("HAAT__PAYMENTS__PAYPAL_WEBHOOK_ID", "1AB"),
                ],
                "payments.paypal_client_id",
            ),
            (&[("HAAT__PAYMENTS__RAZORPAY_KEY_ID", "key")], "payments.razorpay_key_id"),
            (&[("HAAT__PAYMENTS__RAZORPAY_KEY_SECRET", "hush")], "payments.razorpay_key_id"),
            (
                &[
                    ("HAAT__PAYMENTS__RAZORPAY_KEY_ID", "rzp_test_x"),
                    ("HAAT__PAYMENTS__RAZORPAY_KEY_SECRET", "hush"),
                ],
                "payments.razorpay_webhook_secrets must",
            ),
            (
                &[
                    ("HAAT__PAYMENTS__RAZORPAY_KEY_ID", "rzp_live_x"),
                    ("HAAT__PAYMENTS__RAZORPAY_KEY_SECRET", "hush"),
                    ("HAAT__PAYMENTS__RAZORPAY_WEBHOOK_SECRETS", "a b"),
                    ("HAAT__PAYMENTS__RAZORPAY_URL", "http://127.0.0.1:1"),
                ],
                "must not be sent a live key",
            ),
            (&[("HAAT__PAYMENTS__PAYPAL_URL", "paypal")], "payments.paypal_url must start with"),
            (&[("HAAT__PAYMENTS__STRIPE_URL", "stripe")], "payments.stripe_url must start with"),
            (&[("HAAT__PAYMENTS__STRIPE_CONNECT", "true")], "needs payments.stripe_secret_key"),
            (&[("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "pk_test_x")], "sk_… or rk_…"),
            (&[("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_a b")], "sk_… or rk_…"),
            (&[("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_x")], "payments.stripe_webhook_secrets must"),
            (
                &[
                    ("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_x"),
                    ("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_a"),
                    ("HAAT__PAYMENTS__STRIPE_PUBLISHABLE_KEY", "sk_test_x"),
                ],
                "pk_…",
            ),
            (
                &[
                    ("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_live_x"),
                    ("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_a"),
                    ("HAAT__PAYMENTS__STRIPE_PUBLISHABLE_KEY", "pk_test_x"),
                ],
                "must both be for tests",
            ),
            (
                &[
                    ("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_x"),
                    ("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_a whsec_b whsec_c"),
                ],
                "payments.stripe_webhook_secrets must",
            ),
            (
                &[
                    ("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_x"),
                    ("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "secret"),
                ],
                "payments.stripe_webhook_secrets must",
            ),
            (
                &[
                    ("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "rk_live_x"),
                    ("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_a"),
                    ("HAAT__PAYMENTS__STRIPE_URL", "http://127.0.0.1:1"),
                ],
                "must not be sent a live key",
            ),
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
            (&[("HAAT__SERVER__BIND", "256.0.0.1:1")], "server.bind must be"),
            (&[("HAAT__SERVER__BIND", "127.0.0.1")], "server.bind must be"),
            (&[("HAAT__SERVER__BIND", "127.0.0.1:65536")], "server.bind must be"),
            (&[("HAAT__SERVER__BIND", ":3000")], "server.bind must be"),
            (&[("HAAT__SERVER__BIND", "http://127.0.0.1:3000")], "server.bind must be"),
            (&[("HAAT__DATABASE__URL", "mysql://x")], "database.url must begin with sqlite: or postgres://"),
            (&[("HAAT__DATABASE__URL", "data/haat.db")], "database.url must begin with"),
            (&[("HAAT__DATABASE__URL", "sqlite:")], "database.url must name a file"),
            (&[("HAAT__DATABASE__URL", "postgres://db:port/haat")], "database.url is not a URL"),
            (&[("HAAT__BUS__NATS", "http://nats.example")], "bus.nats: it is not a URL"),
            (&[("HAAT__MAIL__SMTP_URL", "ftp://mail.example")], "mail.smtp_url: it is not a URL"),
            (&[("HAAT__MAIL__SMTP_URL", "smtp://me:hush@mail.example")], "sent unencrypted"),
            (
                &[("HAAT__PUSH__SERVICES", "https://push.example/path")],
                "push.services: it is not a list of origins",
            ),
            (&[("HAAT__MAIL__FROM", "nobody")], "mail.from must be"),
            (&[("HAAT__MAIL__FROM", "")], "mail.from must be"),
            (&[("HAAT__LOG__FILTER", "haat=loud")], "log.filter: "),
            (
                &[("HAAT__LIMITS__GUEST_STOCK_PERCENT", "300")],
                "limits.guest_stock_percent must be between 0 and 100",
            ),
            (&[("HAAT__LIMITS__SCALE", "0")], "limits.scale must be between 1 and"),
            (&[("HAAT__DATABASE__CONNECTIONS", "0")], "database.connections must be between 1 and"),
            (&[("HAAT__SERVER__TIMEOUT_S", "0")], "server.timeout_s must be between 1 and"),
        ] {
            let error = load(environment).unwrap_err();
            assert!(error.contains(why) && error.lines().count() == 1, "{error}");
        }
    }

    #[test]
    fn what_the_program_can_use_is_accepted() {
        for (name, value) in [
            ("HAAT__SERVER__BIND", "localhost:3000"),
            ("HAAT__SERVER__BIND", "[::]:80"),
            ("HAAT__DATABASE__URL", "sqlite:haat.db"),
            ("HAAT__DATABASE__URL", "postgres://haat:hush@db.example:5432/haat?sslmode=require"),
            ("HAAT__DATABASE__URL", "postgresql:///haat?host=/run/postgresql"),
            ("HAAT__BUS__NATS", "tls://haat:hush@nats.example"),
            ("HAAT__PUSH__SERVICES", "https://push.example http://127.0.0.1:9000"),
            ("HAAT__MAIL__SMTP_URL", "smtps://me:hush@mail.example"),
            ("HAAT__MAIL__SMTP_URL", "smtp://me:hush@mail.example?tls=required"),
            ("HAAT__MAIL__SMTP_URL", "smtp://127.0.0.1:2525"),
            ("HAAT__MAIL__FROM", "market@haat.example"),
        ] {
            assert_eq!(load(&[(name, value)]).err(), None, "{name}={value}");
        }
    }

    #[test]
    fn a_market_takes_cards_alone() {
        for secrets in ["whsec_old", "whsec_old whsec_new"] {
            let environment = [
                ("HAAT__PAYMENTS__CASH", "false"),
                ("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_live_x"),
                ("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", secrets),
            ];
            let config = load(&[&PRODUCTION[..], &environment].concat()).unwrap();
            let printed = config.printed().unwrap();
            assert!(!printed.contains("sk_live_x") && !printed.contains("whsec_"), "{printed}");
        }
    }

    #[test]
    fn a_market_in_dollars_takes_paypal_alone() {
        let environment = [
            ("HAAT__MARKET__CURRENCY", "USD"),
            ("HAAT__MARKET__CURRENCIES", "EUR JPY"),
            ("HAAT__PAYMENTS__CASH", "false"),
            ("HAAT__PAYMENTS__PAYPAL_CLIENT_ID", "app"),
            ("HAAT__PAYMENTS__PAYPAL_SECRET", "hush"),
            ("HAAT__PAYMENTS__PAYPAL_WEBHOOK_ID", "1AB"),
        ];
        let config = load(&[&PRODUCTION[..], &environment].concat()).unwrap();
        assert!(!config.printed().unwrap().contains("hush"));
    }

    #[test]
    fn every_number_has_bounds_and_the_reference_says_which() {
        let reference = include_str!("../../../docs/configuration.md");
        let config = Config::default();
        let sections = toml::Table::try_from(&config).unwrap();
        let settings = sections.values().filter_map(toml::Value::as_table).flat_map(toml::Table::values);
        let numbers = config.numbers();
        assert_eq!(numbers.len(), settings.filter(|value| value.is_integer()).count());
        for (name, value, bounds) in numbers {
            assert!(bounds.contains(&value), "{name}");
            let row = reference.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
            let expected = format!("({} to {})", bounds.start(), bounds.end());
            assert!(row.contains(&expected), "{row} does not say {expected}");
        }
    }

    #[test]
    fn production_refuses_what_is_only_for_development() {
        assert!(load(&PRODUCTION).is_ok());
        for (change, why) in [
            (("HAAT__SECURITY__SECRET", DEFAULT_SECRET), "is the default"),
            (("HAAT__SECURITY__SECRET", "short"), "too short"),
            (
                ("HAAT__SECURITY__SECRET", "passwordpasswordpasswordpassword"),
                "security.secret can be guessed",
            ),
            (("HAAT__SECURITY__SECRET", ""), "security.secret is too short"),
            (("HAAT__SERVER__METRICS_TOKEN", "hush"), "server.metrics_token is too short"),
            (("HAAT__LIMITS__ADDRESS_HEADER", ""), "HAAT__LIMITS__ADDRESS_HEADER="),
            (("HAAT__PAYMENTS__SANDBOX", "true"), "test cards"),
            (("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "sk_test_x"), "a key for tests"),
            (("HAAT__PAYMENTS__STRIPE_SECRET_KEY", "rk_test_x"), "a key for tests"),
            (("HAAT__PAYMENTS__STRIPE_URL", "https://api.stripe.example"), "must be Stripe's"),
            (("HAAT__PAYMENTS__PAYPAL_URL", "https://api-m.sandbox.paypal.com"), "not that for tests"),
            (("HAAT__PAYMENTS__RAZORPAY_KEY_ID", "rzp_test_x"), "a key for tests"),
            (("HAAT__PAYMENTS__RAZORPAY_URL", "https://razorpay.example"), "must be Razorpay's"),
            (("HAAT__SIGN_IN__GOOGLE_ISSUER", "https://google.example"), "must be Google's"),
            (("HAAT__MARKET__DEMO", "true"), "public password"),
            (("HAAT__SERVER__PUBLIC_URL", "http://haat.example"), "https"),
            (("HAAT__MAIL__SMTP_URL", "smtps://mail.example"), "mail.from"),
        ] {
            let mut environment = PRODUCTION.to_vec();
            environment.push(("HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS", "whsec_a"));
            if change.0.contains("RAZORPAY_KEY_ID") {
                environment.push(("HAAT__PAYMENTS__RAZORPAY_KEY_SECRET", "hush"));
                environment.push(("HAAT__PAYMENTS__RAZORPAY_WEBHOOK_SECRETS", "webhook"));
            }
            environment.push(change);
            let error = load(&environment).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
