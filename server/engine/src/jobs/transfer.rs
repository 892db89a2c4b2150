//! Transfers an approved payout through its gateway.

use serde::{Deserialize, Serialize};

use super::{BackgroundJob, Queue};
use crate::{Engine, TxResult, payouts};
use haat_shared::id::kinds::PayoutId;

/// Transfers an approved payout through its gateway. The payout's ID makes repeating it harmless. What does not succeed
/// now is tried again by a schedule, because a balance that is too low may stay so for days.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transfer {
    pub(crate) payout: PayoutId,
}

impl BackgroundJob for Transfer {
    const NAME: &'static str = "transfer";
    const QUEUE: Queue = Queue::Payments;

    fn key(&self) -> String {
        self.payout.to_string()
    }

    async fn run(self, engine: &Engine) -> TxResult<()> {
        payouts::follow_transfer(engine, self.payout).await
    }
}
