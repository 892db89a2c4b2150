//! Checks a configuration. The errors say what to change.

use haat_engine::clock::Zone;
use url::Url;

use super::{Config, Limits, Mail, Mode, Network, PEER, secrets::weakness};

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

impl Config {
    pub(super) fn check(&self) -> Result<(), String> {
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

#[cfg(test)]
mod tests {
    use crate::config::{secrets::DEFAULT_SECRET, tests::load};

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
}
