//! Cash on delivery: the shop collects it, so no payment is awaited and nothing is refunded.

use async_trait::async_trait;
use haat_engine::payments::{
    GatewayError, GatewayPayment, GatewayStatus, PaymentGateway, PaymentRequest, PaymentSession, WebhookEvent,
};
use haat_shared::{Money, id::kinds::RefundId, payments::PaymentMethod};

/// The gateway for cash, which never asks for money.
pub struct Cash;

#[async_trait]
impl PaymentGateway for Cash {
    fn method(&self) -> PaymentMethod {
        PaymentMethod::Cash
    }

    async fn create(&self, request: &PaymentRequest) -> Result<PaymentSession, GatewayError> {
        Ok(PaymentSession {
            gateway_ref: request.attempt.to_string(),
            status: GatewayStatus::Accepted,
            next_url: String::new(),
        })
    }

    async fn retrieve(&self, gateway_ref: &str) -> Result<GatewayPayment, GatewayError> {
        let attempt = gateway_ref.parse().map_err(|_| GatewayError::Refused("no such payment".into()))?;
        Ok(GatewayPayment { attempt, status: GatewayStatus::Accepted })
    }

    async fn refund(&self, _: &str, _: RefundId, _: Money) -> Result<(), GatewayError> {
        Err(GatewayError::Refused("the shop refunds cash payments itself".into()))
    }

    fn signature_header(&self) -> &'static str {
        ""
    }

    fn verify(&self, _: &str, _: &[u8], _: i64) -> Option<WebhookEvent> {
        None
    }
}
