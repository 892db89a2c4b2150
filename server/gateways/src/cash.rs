//! Cash on delivery: the shop collects it, so no payment is awaited and nothing is refunded.

use async_trait::async_trait;
use haat_engine::payments::{
    Capabilities, GatewayError, GatewayEvent, GatewayPayment, GatewayResult, GatewayStatus, NextStep,
    PaymentGateway, PaymentRequest, PaymentSession, RefundRequest, RefundStatus, Webhook,
};

/// The gateway for cash, which never asks for money.
pub struct Cash;

fn refused<T>(why: &str) -> GatewayResult<T> {
    Err(GatewayError::Refused(why.into()))
}

#[async_trait]
impl PaymentGateway for Cash {
    fn name(&self) -> &'static str {
        "cash"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { captures: false, refunds: false }
    }

    async fn create(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession> {
        Ok(PaymentSession {
            gateway_ref: request.attempt.to_string(),
            status: GatewayStatus::Accepted,
            next: NextStep::Done,
        })
    }

    async fn retrieve(&self, gateway_ref: &str) -> GatewayResult<GatewayPayment> {
        let Ok(attempt) = gateway_ref.parse() else { return refused("no such payment") };
        Ok(GatewayPayment { attempt, status: GatewayStatus::Accepted, fee: None, paid_ref: None })
    }

    async fn capture(&self, _: &str) -> GatewayResult<GatewayStatus> {
        refused("cash is collected by the shop")
    }

    async fn cancel(&self, _: &str) -> GatewayResult<GatewayStatus> {
        refused("cash is collected by the shop")
    }

    async fn refund(&self, _: &RefundRequest) -> GatewayResult<RefundStatus> {
        refused("cash is given back by the shop")
    }

    async fn webhook(&self, _: Webhook<'_>, _: i64) -> GatewayResult<Vec<GatewayEvent>> {
        refused("cash sends no webhooks")
    }
}
