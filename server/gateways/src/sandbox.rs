//! The sandbox gateway: a simulated payment provider inside the program, for tests and demos. No real money
//! is charged. It has its own records, host name and page, and sends signed webhooks over HTTP, so that the
//! market treats it like a real gateway.

use std::{fmt::Write, time::Duration};

use async_trait::async_trait;
use haat_engine::{
    Clock, Db, TxError,
    payments::{
        GatewayError, GatewayPayment, GatewayStatus, PaymentGateway, PaymentRequest, PaymentSession,
        WebhookEvent,
    },
    random::SigningKey,
    sandbox,
};
use haat_shared::{
    Money,
    id::kinds::{PaymentId, RefundId},
    payments::PaymentMethod,
    routes,
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// The header that carries the signature of its webhooks.
pub const SIGNATURE_HEADER: &str = "haat-sandbox-signature";
/// The maximum age of a webhook.
const TOLERANCE_MS: i64 = 300_000;

/// The sandbox gateway.
pub struct Sandbox {
    db: Db,
    clock: Clock,
    secret: SigningKey,
    /// The URL of its own page, on another host name than the market's.
    page_url: String,
    webhook_url: String,
    client: reqwest::Client,
    /// How long it takes to respond when a payment is created.
    delay: Duration,
}

#[derive(Serialize, Deserialize)]
struct Body {
    id: String,
    payment: String,
    attempt: PaymentId,
}

impl Sandbox {
    /// A sandbox with its page below `page_url`, which sends webhooks to `webhook_url`.
    pub fn new(db: Db, clock: Clock, secret: SigningKey, page_url: &str, webhook_url: String) -> Self {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap_or_default();
        Self {
            db,
            clock,
            secret,
            page_url: page_url.trim_end_matches('/').to_owned(),
            webhook_url,
            client,
            delay: Duration::ZERO,
        }
    }

    /// The same sandbox with a delay, to test slow gateways.
    pub fn slow(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The signature of a webhook: the time, and the HMAC-SHA-256 of time and raw body.
    pub fn sign(&self, at_ms: i64, body: &[u8]) -> String {
        let mac = self.secret.mac(&[b"sandbox webhook\0", at_ms.to_string().as_bytes(), b".", body]);
        let mut signature = format!("t={at_ms},v1=");
        for byte in mac {
            // Writing to a string cannot fail.
            let _ = write!(signature, "{byte:02x}");
        }
        signature
    }

    /// Delivers the webhooks that are due, and returns how many were delivered.
    pub async fn deliver_due(&self) -> Result<usize, TxError> {
        let mut arrived = 0;
        for event in sandbox::due_events(&self.db, &self.clock).await? {
            let body = Body {
                id: event.event_id_text(),
                payment: event.gateway_ref.clone(),
                attempt: event.attempt_id,
            };
            let body = serde_json::to_vec(&body).map_err(|e| haat_engine::bug(e.to_string()))?;
            let sent = self
                .client
                .post(&self.webhook_url)
                .header(SIGNATURE_HEADER, self.sign(self.clock.now_ms(), &body))
                .header("content-type", "application/json")
                .body(body)
                .send()
                .await;
            let ok = sent.as_ref().is_ok_and(|answer| answer.status().is_success());
            if !ok {
                tracing::debug!(?sent, "a sandbox webhook did not arrive");
            }
            sandbox::delivered(&self.db, &self.clock, event.event_id, ok).await?;
            arrived += usize::from(ok);
        }
        Ok(arrived)
    }
}

fn unreachable(fault: impl ToString) -> GatewayError {
    GatewayError::Unreachable(fault.to_string())
}

fn status(payment: &sandbox::SandboxPayment) -> GatewayStatus {
    match payment.state.as_str() {
        "captured" => GatewayStatus::Captured(payment.amount()),
        "declined" if payment.is_cancelled() => GatewayStatus::Cancelled,
        "declined" => GatewayStatus::Declined,
        _ => GatewayStatus::Waiting,
    }
}

#[async_trait]
impl PaymentGateway for Sandbox {
    fn method(&self) -> PaymentMethod {
        PaymentMethod::Sandbox
    }

    async fn create(&self, request: &PaymentRequest) -> Result<PaymentSession, GatewayError> {
        tokio::time::sleep(self.delay).await;
        let payment = sandbox::start(&self.db, &self.clock, request).await.map_err(unreachable)?;
        let next_url = format!("{}{}", self.page_url, routes::sandbox_page(&payment.gateway_ref));
        Ok(PaymentSession { status: status(&payment), gateway_ref: payment.gateway_ref, next_url })
    }

    async fn retrieve(&self, gateway_ref: &str) -> Result<GatewayPayment, GatewayError> {
        let payment = sandbox::find(&self.db, gateway_ref).await.map_err(unreachable)?;
        Ok(GatewayPayment { attempt: payment.attempt_id, status: status(&payment) })
    }

    async fn refund(&self, gateway_ref: &str, refund: RefundId, amount: Money) -> Result<(), GatewayError> {
        match sandbox::refund(&self.db, gateway_ref, refund, amount).await.map_err(unreachable)? {
            true => Ok(()),
            false => Err(GatewayError::Refused("more than was captured".into())),
        }
    }

    fn signature_header(&self) -> &'static str {
        SIGNATURE_HEADER
    }

    fn verify(&self, signature: &str, body: &[u8], now_ms: i64) -> Option<WebhookEvent> {
        let at_ms: i64 = signature.strip_prefix("t=")?.split_once(',')?.0.parse().ok()?;
        let genuine: bool = self.sign(at_ms, body).as_bytes().ct_eq(signature.as_bytes()).into();
        let fresh = now_ms.checked_sub(at_ms)?.abs() <= TOLERANCE_MS;
        if !genuine || !fresh {
            return None;
        }
        let body: Body = serde_json::from_slice(body).ok()?;
        Some(WebhookEvent { event_id: body.id, gateway_ref: body.payment, attempt: body.attempt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_its_own_fresh_and_unchanged_reports_are_believed() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("t.db").display()), 1).await.unwrap();
        let (clock, secret) = (Clock::default(), SigningKey::new("key"));
        let sandbox = Sandbox::new(db, clock, secret, "http://127.0.0.1", String::new());
        let attempt: PaymentId = haat_engine::random::id(0);
        let body = serde_json::to_vec(&Body { id: "evt".into(), payment: "sbx".into(), attempt }).unwrap();
        let signature = sandbox.sign(1_000, &body);
        assert_eq!(sandbox.verify(&signature, &body, 1_000 + TOLERANCE_MS).unwrap().gateway_ref, "sbx");
        assert!(sandbox.verify(&signature, &body, 1_001 + TOLERANCE_MS).is_none(), "old");
        assert!(sandbox.verify(&signature, b"{}", 1_000).is_none(), "another body");
        assert!(sandbox.verify("", &body, 1_000).is_none(), "unsigned");
        assert!(sandbox.verify("t=9223372036854775807,v1=00", &body, -2).is_none(), "absurd time");
        let mut changed = body.clone();
        changed.push(b' ');
        assert!(sandbox.verify(&signature, &changed, 1_000).is_none(), "a blank more");
        for i in 0..signature.len() {
            let mut forged = signature.clone().into_bytes();
            forged[i] ^= 1;
            let forged = String::from_utf8_lossy(&forged).into_owned();
            assert!(sandbox.verify(&forged, &body, 1_000).is_none(), "byte {i} changed");
        }
    }
}
