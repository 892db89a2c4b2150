//! The port to payment gateways: requests, responses and their outcome.

use async_trait::async_trait;

use haat_shared::{
    Money,
    id::kinds::{PaymentId, RefundId},
    payments::Method,
};

/// How a payment stands at its gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayStatus {
    /// The shopper has not finished.
    Waiting,
    /// Refused. Nothing was charged.
    Declined,
    /// The gateway has the money.
    Captured(Money),
    /// The shopper will pay the shop; nothing to wait for.
    Accepted,
}

/// Money that is asked for.
#[derive(Debug, Clone)]
pub struct PaymentRequest {
    /// Which attempt this is. Asked again with the same one, a gateway answers with the same payment.
    pub attempt: PaymentId,
    /// How much.
    pub amount: Money,
    /// Where the gateway's page sends the shopper afterwards.
    pub return_url: String,
}

/// A payment at its gateway.
#[derive(Debug, Clone)]
pub struct PaymentSession {
    /// The gateway's own id of it.
    pub gateway_ref: String,
    /// How it stands.
    pub status: GatewayStatus,
    /// The gateway's page, where the shopper goes on; empty if there is nothing to do there.
    pub next_url: String,
}

/// A payment as its gateway knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayPayment {
    /// The attempt that it was made for.
    pub attempt: PaymentId,
    /// How it stands.
    pub status: GatewayStatus,
}

/// What a gateway reports by itself. It only says where to look: the payment is read from the gateway again.
#[derive(Debug, Clone)]
pub struct WebhookEvent {
    /// The gateway's id of the report.
    pub event_id: String,
    /// The gateway's id of the payment.
    pub gateway_ref: String,
    /// Our id of the payment, which the gateway was given.
    pub attempt: PaymentId,
}

/// Why a gateway did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// It did not answer, or not in time. It may have done it.
    #[error("gateway unreachable: {0}")]
    Unreachable(String),
    /// It said no, and will say no again.
    #[error("gateway refused: {0}")]
    Refused(String),
}

/// The port to a payment gateway. To add one, see `docs/ARCHITECTURE.md`, "a payment gateway".
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// The way to pay that it serves.
    fn method(&self) -> Method;
    /// Asks for money.
    async fn create(&self, request: &PaymentRequest) -> std::result::Result<PaymentSession, GatewayError>;
    /// How a payment stands now, and which attempt it was made for.
    async fn retrieve(&self, gateway_ref: &str) -> std::result::Result<GatewayPayment, GatewayError>;
    /// Gives money back. Asked again with the same `refund`, it gives it back once.
    async fn refund(
        &self,
        gateway_ref: &str,
        refund: RefundId,
        amount: Money,
    ) -> std::result::Result<(), GatewayError>;
    /// The header that carries the signature of its reports.
    fn signature_header(&self) -> &'static str;
    /// What a report says, if its signature over the raw `body` is the gateway's and fresh at `now_ms`.
    fn verify(&self, signature: &str, body: &[u8], now_ms: i64) -> Option<WebhookEvent>;
}

/// What a report led to.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportOutcome {
    /// The shopper has not finished.
    Waiting,
    /// Nothing was charged; another payment may be tried.
    Declined,
    /// A purchase was paid with it; this is its number.
    Paid(String),
    /// Nothing was there to buy; if money came, it is on its way back.
    Orphaned,
}

/// The span of a call to a gateway (`docs/logging.md`). A gateway's own reference is not in it: it opens the page where the
/// shopper pays.
pub(super) fn call(method: Method, call: &'static str, id: impl std::fmt::Display) -> tracing::Span {
    tracing::info_span!("gateway", gateway = method.as_str(), call, %id)
}
