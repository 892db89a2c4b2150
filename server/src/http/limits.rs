//! Rate limits on changes, sign-ins and sign-ups, and the client address of a request.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State as Extract},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};
use haat_app::api::ApiError;
use haat_engine::{Caller, accounts, random::SigningKey};
use haat_shared::{Error, accounts::SignIn, id::kinds::UserId, routes};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{State, Typed, devices::Devices, layers};
use crate::config;

/// The client address as limits count it: an IPv4 address, or the /64 network of an IPv6 address, since
/// that is what one customer gets. `None` if the connection has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Origin(Option<IpAddr>);

impl Origin {
    pub(super) fn of(address: IpAddr) -> Self {
        Self(Some(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            v4 => v4,
        }))
    }

    /// The hash that is stored of it, never the address itself.
    pub(super) fn hashed(self, secret: &SigningKey) -> Option<[u8; 32]> {
        self.0.map(|address| secret.mac(&[b"origin\0", address.to_string().as_bytes()]))
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("nowhere"),
        }
    }
}

/// Whom a change is counted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    User(UserId),
    Origin(Origin),
}

/// The limits of a market. Each node counts for itself.
pub(super) struct RateLimits {
    changes: Bucket<Who>,
    // Separate counters with different key types, so an account named like an IP address can't affect it.
    sign_ins: Bucket<(String, Origin)>,
    sign_ins_by_account: Bucket<String>,
    sign_ins_by_address: Bucket<Origin>,
    sign_ins_by_device: Bucket<(String, String)>,
    sign_ups: Bucket<Origin>,
    sign_ups_in_all: Bucket<()>,
    password_resets: Bucket<Origin>,
    /// Hashing a password takes a core. Sign-ups take turns, which leaves the other cores to sign-ins.
    signing_up: Semaphore,
    address_header: Option<HeaderName>,
    trusted_proxies: Vec<config::Network>,
}

/// What remains of a limit after a request.
pub(super) struct Remaining {
    bucket: &'static str,
    limit: u32,
    left: u32,
}

struct Bucket<K: Hash + Eq + Clone> {
    name: &'static str,
    limit: NonZeroU32,
    limiter: DefaultKeyedRateLimiter<K, StateInformationMiddleware>,
    asked: AtomicU32,
}

impl<K: Hash + Eq + Clone> Bucket<K> {
    fn per_minute(name: &'static str, limit: u32) -> Self {
        Self::new(name, limit, Quota::per_minute)
    }

    fn per_hour(name: &'static str, limit: u32) -> Self {
        Self::new(name, limit, Quota::per_hour)
    }

    fn new(name: &'static str, limit: u32, quota: fn(NonZeroU32) -> Quota) -> Self {
        let limit = NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN);
        let limiter = RateLimiter::keyed(quota(limit)).with_middleware();
        Self { name, limit, limiter, asked: AtomicU32::new(0) }
    }

    fn check(&self, who: &K) -> Result<Remaining, Error> {
        // Periodically drop the keys whose quota is full again.
        if self.asked.fetch_add(1, Ordering::Relaxed) % 10_000 == 9_999 {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(who) {
            Ok(state) => {
                let (limit, left) = (self.limit.get(), state.remaining_burst_capacity());
                Ok(Remaining { bucket: self.name, limit, left })
            }
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
                Err(Error::RateLimited { retry_after_s: u32::try_from(wait).unwrap_or(60) })
            }
        }
    }
}

impl RateLimits {
    pub(super) fn new(config: &config::Limits) -> Self {
        let times = |limit: u32| limit.saturating_mul(config.scale);
        Self {
            changes: Bucket::per_minute("changes", times(config.changes_per_minute)),
            sign_ins: Bucket::per_minute("sign-ins", times(config.sign_ins_per_minute)),
            sign_ins_by_account: Bucket::per_minute("sign-ins", times(config.account_sign_ins_per_minute)),
            sign_ins_by_address: Bucket::per_minute("sign-ins", times(config.address_sign_ins_per_minute)),
            sign_ins_by_device: Bucket::per_minute("sign-ins", times(config.sign_ins_per_minute)),
            sign_ups: Bucket::per_hour("sign-ups", times(config.sign_ups_per_hour)),
            sign_ups_in_all: Bucket::per_minute("sign-ups", times(config.sign_ups_per_minute)),
            password_resets: Bucket::per_hour("password-resets", times(config.sign_ups_per_hour)),
            signing_up: Semaphore::new(1),
            address_header: config.header(),
            trusted_proxies: config.networks(),
        }
    }

    /// Counts a change. Only an authenticated account has a limit of its own: everything else in a
    /// request, such as a cart token, can be invented.
    pub(super) fn change(&self, caller: &Caller, origin: Origin) -> Result<Remaining, Error> {
        self.changes.check(&caller.user_id().map_or(Who::Origin(origin), Who::User))
    }

    /// Counts an attempt to sign in. A device that signed in to this account before has a limit of its
    /// own, so that nobody else can exhaust it. Other attempts count for the account and address, for the
    /// address, and for the account; rejected ones count for nothing else, so that one address cannot
    /// lock an account.
    pub(super) fn sign_in(
        &self,
        origin: Origin,
        form: &SignIn,
        devices: &Devices,
        secret: &SigningKey,
    ) -> Result<(), Error> {
        let account = form.account();
        if let Some(device) = devices.known(secret, &account) {
            return self.sign_ins_by_device.check(&(account, device.to_owned())).map(drop);
        }
        let pair = (account, origin);
        self.sign_ins.check(&pair)?;
        self.sign_ins_by_address.check(&origin)?;
        self.sign_ins_by_account.check(&pair.0).map(drop)
    }

    /// Counts a new account from an address. Returns the turn to create it.
    pub(super) async fn sign_up(&self, origin: Origin) -> Result<SemaphorePermit<'_>, Error> {
        self.sign_ups.check(&origin)?;
        self.sign_ups_in_all.check(&())?;
        self.signing_up.acquire().await.map_err(|_| Error::Internal)
    }

    /// Counts a request for a new password from an address, as many as sign-ups. Those to an account are counted by the engine.
    pub(super) fn password_reset(&self, origin: Origin) -> Result<(), Error> {
        self.password_resets.check(&origin).map(drop)
    }

    /// The client address: the other end of the connection; behind proxies, the last address in the
    /// header that is not one of theirs. Addresses that a client adds to the header come before that.
    pub(super) fn origin(&self, headers: &HeaderMap, extensions: &Extensions) -> Origin {
        let peer =
            extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
        let Some(name) = &self.address_header else { return Origin(peer).canonical() };
        let trusted = |address: IpAddr| self.trusted_proxies.iter().any(|network| network.contains(address));
        // If no trusted proxies are configured, the connecting peer is taken to be the only proxy.
        let named = !self.trusted_proxies.is_empty();
        if named && !peer.is_some_and(trusted) {
            return Origin(peer).canonical();
        }
        let values: Vec<&str> =
            headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        let mut last = peer;
        for part in values.iter().rev().flat_map(|value| value.rsplit(',')) {
            // Anything to the left of an invalid address may have been forged.
            let Some(address) = address(part) else { break };
            last = Some(address);
            if !(named && trusted(address)) {
                break;
            }
        }
        Origin(last).canonical()
    }
}

impl Origin {
    fn canonical(self) -> Self {
        self.0.map_or(self, Self::of)
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let parsed = text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    parsed.or_else(bare).map(|address: IpAddr| address.to_canonical())
}

impl Remaining {
    /// The rate-limit headers (draft-ietf-httpapi-ratelimit-headers).
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let Self { bucket, limit, left } = self;
        let fields = [
            ("ratelimit-policy", format!("\"{bucket}\";q={limit};w=60")),
            ("ratelimit", format!("\"{bucket}\";r={left}")),
        ];
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// A form that was rejected by a rate limit, with what is needed to submit it again.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    /// Its action.
    pub(super) action: String,
    /// Its input, without secrets.
    pub(super) fields: Vec<(String, String)>,
}

/// The response to a rate-limited form. `outage::cover` turns it into a page from which the form can be
/// submitted again.
pub(super) fn too_often(error: &Error, action: &str, typed: Typed) -> Response {
    refuse(error, action, typed.into_iter().collect())
}

fn refuse(error: &Error, action: &str, fields: Vec<(String, String)>) -> Response {
    let mut response = layers::plain(error);
    let fields = fields.into_iter().filter(|(name, _)| !accounts::is_secret(name)).collect();
    response.extensions_mut().insert(Refused { action: action.to_owned(), fields });
    response
}

/// Counts changes through pages and forms. Reads by hydrated pages are not changes, although they use
/// POST.
pub(super) async fn bound(
    Extract(state): Extract<State>,
    axum::Extension(caller): axum::Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if request.method() != Method::POST || routes::only_reads(path) {
        return next.run(request).await;
    }
    let origin = state.limits.origin(request.headers(), request.extensions());
    let Err(error) = state.limits.change(&caller, origin) else { return next.run(request).await };
    if path.starts_with("/api/") {
        let mut response = layers::plain(&error);
        let Ok(body) = serde_json::to_string(&ApiError(error)) else { return response };
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Body::from(body);
        return response;
    }
    let action = path.to_owned();
    let urlencoded = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if !urlencoded {
        return layers::plain(&error);
    }
    let most = state.runtime.config.server.body_bytes_max;
    match to_bytes(request.into_body(), most).await {
        Ok(body) => refuse(&error, &action, form_urlencoded::parse(&body).into_owned().collect()),
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(change: impl FnOnce(&mut config::Limits)) -> RateLimits {
        let mut config = config::Limits::default();
        change(&mut config);
        RateLimits::new(&config)
    }

    fn from(address: &str) -> Origin {
        Origin::of(address.parse().unwrap())
    }

    fn form(email: &str) -> SignIn {
        SignIn { email: email.into(), password: "a guess".into() }
    }

    #[test]
    fn guesses_lock_neither_the_owner_elsewhere_nor_their_device_nor_an_address() {
        let limits = limits(|config| {
            config.sign_ins_per_minute = 3;
            config.address_sign_ins_per_minute = 6;
            config.account_sign_ins_per_minute = 8;
        });
        let (secret, nobody) = (SigningKey::new("key"), Devices::default());
        let attempt =
            |address: &str, email: &str| limits.sign_in(from(address), &form(email), &nobody, &secret);
        let known = Devices::default().with(&secret, "asha@haat.example");
        // However often one address tries, it gets three attempts; the owner can sign in from elsewhere.
        let through = (0..40).filter(|_| attempt("192.0.2.1", "asha@haat.example").is_ok()).count();
        assert_eq!(through, 3);
        assert!(attempt("192.0.2.2", " ASHA@haat.example ").is_ok());
        // Other accounts can sign in from that address until it reaches its own limit.
        assert!(attempt("192.0.2.1", "ravi@haat.example").is_ok());
        // Accounts named like IP addresses don't affect those addresses.
        for _ in 0..40 {
            let _ = attempt("192.0.2.9", "3.3.3.3");
        }
        assert!(attempt("3.3.3.3", "ravi@haat.example").is_ok());
        // Attempts from many addresses can lock the account, but never for its owner's known devices.
        let through = (10..30).filter(|n| attempt(&format!("198.51.100.{n}"), "asha@haat.example").is_ok());
        assert_eq!(through.count(), 4);
        assert!(attempt("203.0.113.1", "asha@haat.example").is_err());
        let mine = |address: &str| limits.sign_in(from(address), &form("asha@haat.example"), &known, &secret);
        assert!(mine("203.0.113.1").is_ok());
        // Even from the attacker's address.
        assert!(mine("192.0.2.1").is_ok() && mine("192.0.2.1").is_ok());
        assert!(mine("192.0.2.1").is_err(), "a stolen cookie is no way around the limit");
        // A device cookie is worthless for other accounts, and a forged one for any.
        let other = form("ravi@haat.example");
        let through = (0..9).filter(|_| limits.sign_in(from("203.0.113.7"), &other, &known, &secret).is_ok());
        assert_eq!(through.count(), 3);
        let forged = Devices::default().with(&SigningKey::new("another key"), "asha@haat.example");
        assert!(limits.sign_in(from("203.0.113.8"), &form("asha@haat.example"), &forged, &secret).is_err());
    }

    #[test]
    fn an_invented_cart_has_no_limit_of_its_own() {
        let limits = limits(|config| config.changes_per_minute = 5);
        let change = |n: u8, address: &str| {
            let caller = Caller { cart: Some([n; 32]), ..Caller::guest() };
            limits.change(&caller, from(address)).is_ok()
        };
        assert_eq!((0..50).filter(|n| change(*n, "192.0.2.1")).count(), 5);
        assert!(change(0, "192.0.2.2"));
        assert_eq!(
            (0..50).filter(|n| change(*n, &format!("2001:db8::{n}"))).count(),
            5,
            "one network of IPv6"
        );
    }

    #[tokio::test]
    async fn sign_ups_are_bounded_by_address_and_in_all() {
        let limits = limits(|config| (config.sign_ups_per_hour, config.sign_ups_per_minute) = (3, 10));
        let mut made = 0;
        for n in 0..48 {
            made += u32::from(limits.sign_up(from(&format!("192.0.2.{}", n % 2))).await.is_ok());
        }
        assert_eq!(made, 6);
        for n in 0..48 {
            made += u32::from(limits.sign_up(from(&format!("198.51.100.{n}"))).await.is_ok());
        }
        assert_eq!(made, 10);
        // Sign-ups are processed one at a time, which leaves a core for signing in.
        let elsewhere = RateLimits::new(&config::Limits::default());
        let turn = elsewhere.sign_up(from("192.0.2.1")).await.unwrap();
        assert!(elsewhere.signing_up.try_acquire().is_err());
        drop(turn);
        assert!(elsewhere.signing_up.try_acquire().is_ok());
    }

    #[test]
    fn the_address_is_the_last_that_no_proxy_of_ours_wrote() {
        let ask = |header: &str, proxies: &str, peer: &str, values: &[&str]| {
            let limits = limits(|config| {
                config.address_header = header.into();
                config.trusted_proxies = proxies.into();
            });
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
            limits.origin(&headers, &extensions).to_string()
        };
        let header = "X-Forwarded-For";
        for (header, proxies, peer, values, expected) in [
            // No proxy: forwarding headers from the client are ignored.
            ("peer", "", "192.0.2.1", &["1.1.1.1"][..], "192.0.2.1"),
            ("", "", "192.0.2.1", &["1.1.1.1"], "192.0.2.1"),
            // One proxy, which isn't listed: the last address counts, since the proxy added it.
            (header, "", "10.0.0.1", &["1.1.1.1, 192.0.2.1"], "192.0.2.1"),
            (header, "", "10.0.0.1", &["1.1.1.1", "192.0.2.1"], "192.0.2.1"),
            (header, "", "10.0.0.1", &["192.0.2.1:4711"], "192.0.2.1"),
            (header, "", "10.0.0.1", &[], "10.0.0.1"),
            (header, "", "10.0.0.1", &["1.1.1.1, unknown"], "10.0.0.1"),
            // Trusted proxies: the last address that isn't one of them; ignored if the peer isn't trusted.
            (header, "10.0.0.0/8", "10.0.0.1", &["1.1.1.1, 192.0.2.1, 10.9.9.9"], "192.0.2.1"),
            (header, "10.0.0.0/8", "::ffff:10.0.0.1", &["1.1.1.1, 192.0.2.1"], "192.0.2.1"),
            (header, "10.0.0.0/8", "192.0.2.7", &["1.1.1.1"], "192.0.2.7"),
            (header, "10.0.0.0/8 fd00::/8", "fd00::1", &["192.0.2.1, fd00::2, 10.1.1.1"], "192.0.2.1"),
            (header, "10.0.0.0/8", "10.0.0.1", &["1.1.1.1, x, 10.9.9.9"], "10.9.9.9"),
            (header, "10.0.0.0/8", "10.0.0.1", &["10.2.2.2, 10.3.3.3"], "10.2.2.2"),
            (header, "", "10.0.0.1", &["[2001:db8:1:2:3::1]:80"], "2001:db8:1:2::"),
            (header, "", "10.0.0.1", &["\"[2001:db8:1:2::9]\""], "2001:db8:1:2::"),
        ] {
            assert_eq!(ask(header, proxies, peer, values), expected, "{header} {proxies} {peer} {values:?}");
        }
    }
}
