//! Does what follows from an event that a gateway reported.

use serde::{Deserialize, Serialize};

use super::{BackgroundJob, Queue};
use crate::{Engine, TxResult, payments, payments::EventSubject};
use haat_shared::Error;

/// How long what an event is about may still be unknown here: a payment is stored with the gateway's ID only after
/// the gateway has responded, and its webhook may be faster.
const UNKNOWN_MS: i64 = 60_000;

/// Does what follows from an event that a gateway reported.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) gateway: String,
    pub(crate) event: String,
    pub(crate) about: EventSubject,
    pub(crate) at: i64,
}

impl BackgroundJob for Webhook {
    const NAME: &'static str = "webhook";
    const QUEUE: Queue = Queue::Payments;

    fn key(&self) -> String {
        format!("{}:{}", self.gateway, self.event)
    }

    async fn run(self, engine: &Engine) -> TxResult<()> {
        match payments::act_on(engine, &self.gateway, &self.about).await {
            // Why was logged.
            Err(Error::Denied) => Ok(()),
            Err(Error::NotFound) if engine.clock.now_ms() - self.at >= UNKNOWN_MS => {
                tracing::info!(
                    gateway = self.gateway,
                    event = self.event,
                    "an event about something that the market doesn't know"
                );
                Ok(())
            }
            done => Ok(done?),
        }
    }
}
