//! Refunds money through its gateway.

use serde::{Deserialize, Serialize};

use super::{BackgroundJob, Queue};
use crate::{Engine, TxResult, payments};
use haat_shared::id::kinds::RefundId;

/// Refunds money through its gateway. The refund's ID makes repeating it harmless.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) refund: RefundId,
}

impl BackgroundJob for Refund {
    const NAME: &'static str = "refund";
    const QUEUE: Queue = Queue::Payments;

    fn key(&self) -> String {
        self.refund.to_string()
    }

    async fn run(self, engine: &Engine) -> TxResult<()> {
        payments::refund(engine, self.refund).await
    }
}
