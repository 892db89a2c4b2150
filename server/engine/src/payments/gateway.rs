//! The port to payment gateways: requests, responses and their outcome.

use async_trait::async_trait;

use haat_shared::{
    Money,
    id::kinds::{PaymentId, RefundId},
    payments::PaymentMethod,
};

/// The status of a payment at its gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayStatus {
    /// The shopper has not finished paying.
    Waiting,
    /// Declined. Nothing was charged.
    Declined,
    /// Cancelled by the shopper. Nothing was charged.
    Cancelled,
    /// The gateway has the money.
    Captured(Money),
    /// The shopper will pay the shop; no payment is awaited.
    Accepted,
}

/// A request for a payment.
#[derive(Debug, Clone)]
pub struct PaymentRequest {
    /// The payment attempt. Requesting the same attempt again returns the same payment.
    pub attempt: PaymentId,
    /// The amount.
    pub amount: Money,
    /// The URL to which the gateway's page redirects the shopper.
    pub return_url: String,
}

/// A new payment at its gateway.
#[derive(Debug, Clone)]
pub struct PaymentSession {
    /// The gateway's ID of the payment.
    pub gateway_ref: String,
    /// The status.
    pub status: GatewayStatus,
    /// The URL of the gateway's page for the shopper; empty if there is none.
    pub next_url: String,
}

/// A payment, as its gateway reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayPayment {
    /// The attempt that it was created for.
    pub attempt: PaymentId,
    /// The status.
    pub status: GatewayStatus,
}

/// The content of a webhook. It only says which payment to read from the gateway.
#[derive(Debug, Clone)]
pub struct WebhookEvent {
    /// The gateway's ID of the event.
    pub event_id: String,
    /// The gateway's ID of the payment.
    pub gateway_ref: String,
    /// Our ID of the payment, which was passed to the gateway.
    pub attempt: PaymentId,
}

/// Why a call to a gateway failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// No response, or not in time. The request may have succeeded.
    #[error("gateway unreachable: {0}")]
    Unreachable(String),
    /// The gateway refused, and would refuse again.
    #[error("gateway refused: {0}")]
    Refused(String),
}

/// The port to a payment gateway. To add one, see `docs/guides/add-a-payment-gateway.md`.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// The payment method that it implements.
    fn method(&self) -> PaymentMethod;
    /// Requests a payment.
    async fn create(&self, request: &PaymentRequest) -> std::result::Result<PaymentSession, GatewayError>;
    /// Reads the status of a payment and the attempt that it was created for.
    async fn retrieve(&self, gateway_ref: &str) -> std::result::Result<GatewayPayment, GatewayError>;
    /// Refunds an amount. Calling it again with the same `refund` refunds only once.
    async fn refund(
        &self,
        gateway_ref: &str,
        refund: RefundId,
        amount: Money,
    ) -> std::result::Result<(), GatewayError>;
    /// The header with the signature of its webhooks.
    fn signature_header(&self) -> &'static str;
    /// The content of a webhook, if the signature over the raw `body` is valid and recent at `now_ms`.
    fn verify(&self, signature: &str, body: &[u8], now_ms: i64) -> Option<WebhookEvent>;
}

/// The outcome of a reported payment status.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportOutcome {
    /// The shopper has not finished paying.
    Waiting,
    /// Nothing was charged; the shopper may try again.
    Declined,
    /// The shopper cancelled it; nothing was charged.
    Cancelled,
    /// The payment paid for the purchase with this number.
    Paid(String),
    /// The checkout can no longer be completed; captured money is refunded.
    Orphaned,
}

/// The span of a call to a gateway (`docs/logging.md`), without the gateway's own reference, which opens
/// the page where the shopper pays.
pub(super) fn call(method: PaymentMethod, call: &'static str, id: impl std::fmt::Display) -> tracing::Span {
    tracing::info_span!("gateway", gateway = method.as_str(), call, %id)
}
