//! Issues the invoice of an order, and the credit notes of its refunds.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{BackgroundJob, Queue};
use crate::{Engine, TxResult, invoices};

/// Issues what an order lacks. `of` is the order, or a shipment or refund of it; every message about them has a job of its own,
/// since one that runs at the moment may not see the latest refund.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Invoice {
    pub(crate) of: Uuid,
    pub(crate) at: i64,
}

impl BackgroundJob for Invoice {
    const NAME: &'static str = "invoice";
    const QUEUE: Queue = Queue::Default;

    fn key(&self) -> String {
        format!("{}-{}", self.of, self.at)
    }

    async fn run(self, engine: &Engine) -> TxResult<()> {
        invoices::issue(engine, self.of).await
    }
}
