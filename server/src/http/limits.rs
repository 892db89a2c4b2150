//! How often one may ask: so many changes, and so many tries to sign in, within a minute.

use std::{
    net::SocketAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue},
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};
use haat_shared::Error;

use crate::config;

type Limiter = DefaultKeyedRateLimiter<String, StateInformationMiddleware>;

/// The bounds of a market. Each node counts for itself.
pub(in crate::http) struct Limits {
    changes: Bucket,
    sign_ins: Bucket,
    address_header: String,
}

/// What is left to someone after they asked.
pub(super) struct Left {
    bucket: &'static str,
    limit: u32,
    left: u32,
}

struct Bucket {
    name: &'static str,
    limit: NonZeroU32,
    limiter: Limiter,
    asked: AtomicU32,
}

impl Bucket {
    fn new(name: &'static str, a_minute: u32) -> Self {
        let limit = NonZeroU32::new(a_minute).unwrap_or(NonZeroU32::MIN);
        let limiter = RateLimiter::keyed(Quota::per_minute(limit)).with_middleware();
        Self { name, limit, limiter, asked: AtomicU32::new(0) }
    }

    fn spend(&self, who: String) -> Result<Left, Error> {
        // Now and then those are forgotten who have not asked for a minute.
        if self.asked.fetch_add(1, Ordering::Relaxed) % 10_000 == 9_999 {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(&who) {
            Ok(state) => {
                let (limit, left) = (self.limit.get(), state.remaining_burst_capacity());
                Ok(Left { bucket: self.name, limit, left })
            }
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
                Err(Error::RateLimited { retry_after_s: u32::try_from(wait).unwrap_or(60) })
            }
        }
    }
}

impl Limits {
    pub(in crate::http) fn new(config: &config::Limits) -> Self {
        Self {
            changes: Bucket::new("changes", config.changes_a_minute),
            sign_ins: Bucket::new("sign-ins", config.sign_ins_a_minute),
            address_header: config.address_header.clone(),
        }
    }

    /// One more change by someone.
    pub(super) fn change(&self, who: String) -> Result<Left, Error> {
        self.changes.spend(who)
    }

    /// One more try to sign in, from an address and to an account.
    pub(in crate::http) fn sign_in(&self, address: &str, email: &str) -> Result<(), Error> {
        self.sign_ins.spend(address.to_owned())?;
        self.sign_ins.spend(haat_shared::text::fold(email))?;
        Ok(())
    }

    /// Where a request comes from: the connection's other end, or what the proxy in front says last, where there is one.
    pub(in crate::http) fn address(&self, headers: &HeaderMap, extensions: &Extensions) -> String {
        let told = Some(self.address_header.as_str()).filter(|name| !name.is_empty());
        let told = told.and_then(|name| headers.get_all(name).iter().next_back()?.to_str().ok());
        if let Some(last) = told.and_then(|told| told.rsplit(',').next()) {
            return last.trim().to_owned();
        }
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        peer.map(|ConnectInfo(peer)| peer.ip().to_string()).unwrap_or_default()
    }
}

impl Left {
    /// The headers that say so (draft-ietf-httpapi-ratelimit-headers).
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let Self { bucket, limit, left } = self;
        let told = [
            ("ratelimit-policy", format!("\"{bucket}\";q={limit};w=60")),
            ("ratelimit", format!("\"{bucket}\";r={left}")),
        ];
        for (name, value) in told {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}
