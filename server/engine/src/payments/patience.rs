//! How long gateways are waited for, and how often they are asked: the same for all of them.

use std::time::Duration;

use super::gateway::{GatewayError, GatewayResult};
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

/// A call of the port within its time limit.
pub async fn limited<T>(call: impl Future<Output = GatewayResult<T>>) -> GatewayResult<T> {
    let late = |_| Err(GatewayError::Unreachable("no response in time".into()));
    tokio::time::timeout(CALL_LIMIT, call).await.unwrap_or_else(late)
}
