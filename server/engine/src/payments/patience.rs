//! How long gateways are waited for, and how often they are asked: the same for all of them.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::error::{GatewayError, GatewayResult};
use crate::random;

/// The time limit of one request to a gateway.
pub const REQUEST_LIMIT: Duration = Duration::from_secs(8);
/// The time limit of one call of the port, with all its requests and retries.
const CALL_LIMIT: Duration = Duration::from_secs(25);
/// How often a request is sent that got no response, or a response that promises a better one.
const ATTEMPTS: u32 = 3;
/// The longest pause before the first retry. It doubles with each one, and at least half of it is waited.
const PAUSE_MS: u32 = 400;

/// Sends a request that may be sent again: one that only reads, that has an idempotency key, or that is refused
/// the second time. It is repeated while its failure `passes`.
pub async fn repeated<T, E, F>(send: impl Fn() -> F, passes: impl Fn(&E) -> bool) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut pause_ms = PAUSE_MS;
    for _ in 1..ATTEMPTS {
        match send().await {
            Err(error) if passes(&error) => {
                let wait = pause_ms / 2 + random::small(pause_ms / 2);
                tokio::time::sleep(Duration::from_millis(wait.into())).await;
                pause_ms *= 2;
            }
            result => return result,
        }
    }
    send().await
}

/// After how many calls in a row without a response a gateway is left alone.
const FAILURES: u32 = 5;
/// How long it is left alone, before one call is let through to see whether it responds again.
const REST: Duration = Duration::from_secs(15);

/// The calls to a gateway: each within its time limit, and none while the gateway doesn't respond, so that
/// nobody waits for what has just failed (a circuit breaker).
#[derive(Default)]
pub struct Patience(Mutex<Failures>);

#[derive(Default)]
struct Failures {
    in_a_row: u32,
    next_try: Option<Instant>,
}

impl Patience {
    /// Makes a call of the port. Fails at once while the gateway is left alone.
    pub async fn call<T>(&self, call: impl Future<Output = GatewayResult<T>>) -> GatewayResult<T> {
        if !self.lets_through(Instant::now()) {
            return Err(GatewayError::Unreachable("not asked, since it did not respond".into()));
        }
        let late = |_| Err(GatewayError::Unreachable("no response in time".into()));
        let result = tokio::time::timeout(CALL_LIMIT, call).await.unwrap_or_else(late);
        self.note(matches!(result, Err(GatewayError::Unreachable(_))), Instant::now());
        result
    }

    /// Whether the gateway has responded lately, as far as is known.
    pub fn responds(&self) -> bool {
        self.failures().in_a_row < FAILURES
    }

    /// Whether a call may be made now. While the gateway is left alone, one at a time.
    fn lets_through(&self, now: Instant) -> bool {
        let mut failures = self.failures();
        if failures.in_a_row < FAILURES {
            return true;
        }
        if failures.next_try.is_some_and(|at| now < at) {
            return false;
        }
        failures.next_try = Some(now + REST);
        true
    }

    fn note(&self, failed: bool, now: Instant) {
        let mut failures = self.failures();
        if !failed {
            *failures = Failures::default();
            return;
        }
        failures.in_a_row = failures.in_a_row.saturating_add(1);
        failures.next_try = Some(now + REST);
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(patience: &Patience, times: u32, now: Instant) {
        for _ in 0..times {
            assert!(patience.lets_through(now));
            patience.note(true, now);
        }
    }

    #[test]
    fn a_gateway_that_does_not_respond_is_left_alone_for_a_while() {
        let (patience, start) = (Patience::default(), Instant::now());
        fail(&patience, FAILURES - 1, start);
        assert!(patience.responds());
        fail(&patience, 1, start);
        assert!(!patience.responds());
        assert!(!patience.lets_through(start));
        assert!(!patience.lets_through(start + REST - Duration::from_millis(1)));

        // After the rest, one call sees that it is still down.
        let later = start + REST;
        assert!(patience.lets_through(later));
        assert!(!patience.lets_through(later));
        patience.note(true, later + Duration::from_secs(8));
        assert!(!patience.lets_through(later + REST));

        // The next one sees that it is up.
        let later = later + Duration::from_secs(8) + REST;
        assert!(patience.lets_through(later));
        patience.note(false, later);
        assert!(patience.responds());
        fail(&patience, FAILURES - 1, later);
        assert!(patience.lets_through(later));
    }

    #[tokio::test]
    async fn answers_of_every_kind_show_that_it_responds() {
        let patience = Patience::default();
        let down = || Err::<u8, _>(GatewayError::Unreachable("down".into()));
        let gone = || Err(GatewayError::Gone("404".into()));
        for answer in [Ok(1), Err(GatewayError::Refused("400".into())), gone()] {
            for _ in 1..FAILURES {
                assert_eq!(patience.call(async { down() }).await, down());
            }
            assert_eq!(patience.call(async { answer.clone() }).await, answer);
            assert!(patience.responds());
        }
        for _ in 0..FAILURES {
            assert_eq!(patience.call(async { down() }).await, down());
        }
        let refused = patience.call(async { panic!("it was asked") }).await;
        assert!(
            matches!(refused, Err::<u8, _>(GatewayError::Unreachable(why)) if why.starts_with("not asked"))
        );
    }
}
