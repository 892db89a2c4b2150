//! The sandbox gateway: a simulated payment provider inside the program, for tests and demos. No real money
//! is charged. It has its own records, host name and page, and sends signed webhooks over HTTP, so that the
//! market treats it like a real gateway.

use std::{fmt::Write, time::Duration};

use async_trait::async_trait;
use haat_engine::{
    Clock, Db, TxError,
    payments::{
        Capabilities, DisputeStatus, EventSubject, GatewayDispute, GatewayError, GatewayEvent,
        GatewayPayment, GatewayResult, GatewayStatus, NextStep, Origins, PaymentGateway, PaymentRequest,
        PaymentSession, RefundRequest, RefundStatus, Webhook,
    },
    random::SigningKey,
    sandbox,
};
use haat_shared::{
    Error, Money,
    id::kinds::{PaymentId, RefundId},
    routes,
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// The header that carries the signature of its webhooks.
pub const SIGNATURE_HEADER: &str = "haat-sandbox-signature";
/// The maximum age of a webhook.
const TOLERANCE_MS: i64 = 300_000;
/// How long evidence can be submitted.
const EVIDENCE_MS: i64 = 7 * 24 * 3_600_000;

/// The sandbox gateway.
pub struct Sandbox {
    db: Db,
    clock: Clock,
    secret: SigningKey,
    /// The URL of its own page, on another host name than the market's.
    page_url: String,
    webhook_url: String,
    client: reqwest::Client,
    behaviour: Behaviour,
}

/// How a sandbox behaves. By default, it does everything at once and free of charge.
#[derive(Debug, Clone, Copy, Default)]
pub struct Behaviour {
    /// How long it takes to respond.
    pub delay: Duration,
    /// Payments are authorized, and captured when the market asks for it.
    pub authorizes: bool,
    /// Refunds are pending until `haat_engine::sandbox::end_refunds` ends them.
    pub refunds_later: bool,
    /// Its fee, in basis points of the amount.
    pub fee_bp: i64,
}

/// The body of a webhook.
#[derive(Serialize, Deserialize)]
struct Body {
    events: Vec<Event>,
}

#[derive(Serialize, Deserialize)]
struct Event {
    id: String,
    payment: String,
    attempt: Option<PaymentId>,
    refund: Option<RefundId>,
    #[serde(default)]
    dispute: Option<String>,
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
            behaviour: Behaviour::default(),
        }
    }

    /// The same sandbox with another behaviour, to test what real gateways do.
    pub fn behaving(self, behaviour: Behaviour) -> Self {
        Self { behaviour, ..self }
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

    async fn respond_slowly(&self) {
        tokio::time::sleep(self.behaviour.delay).await;
    }

    /// Delivers the webhooks that are due, and returns how many were delivered.
    pub async fn deliver_due(&self) -> Result<usize, TxError> {
        let mut arrived = 0;
        for event in sandbox::due_events(&self.db, &self.clock).await? {
            let payload = Event {
                id: event.event_id_text(),
                payment: event.gateway_ref.clone(),
                attempt: Some(event.attempt_id),
                refund: event.refund_id,
                dispute: event.dispute_ref,
            };
            let body = serde_json::to_vec(&Body { events: vec![payload] })
                .map_err(|e| haat_engine::bug(e.to_string()))?;
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
        "authorized" => GatewayStatus::Authorized(payment.amount()),
        "captured" => GatewayStatus::Captured(payment.amount()),
        "declined" if payment.is_cancelled() => GatewayStatus::Cancelled,
        "declined" => GatewayStatus::Declined,
        _ => GatewayStatus::Waiting,
    }
}

#[async_trait]
impl PaymentGateway for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { captures: true, refunds: true }
    }

    fn origins(&self) -> Origins {
        let page = reqwest::Url::parse(&self.page_url).map(|url| url.origin().ascii_serialization());
        Origins { forms: page.into_iter().collect(), ..Origins::default() }
    }

    async fn create(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession> {
        self.respond_slowly().await;
        let authorizes = self.behaviour.authorizes;
        let payment =
            sandbox::start(&self.db, &self.clock, request, authorizes).await.map_err(unreachable)?;
        let url = format!("{}{}", self.page_url, routes::sandbox_page(&payment.gateway_ref));
        let status = status(&payment);
        Ok(PaymentSession { status, gateway_ref: payment.gateway_ref, next: NextStep::Redirect(url) })
    }

    async fn retrieve(&self, gateway_ref: &str) -> GatewayResult<GatewayPayment> {
        self.respond_slowly().await;
        let payment = sandbox::find(&self.db, gateway_ref).await.map_err(unreachable)?;
        let fee = payment.amount_minor.saturating_mul(self.behaviour.fee_bp) / 10_000;
        let fee = (fee > 0).then(|| Money::new(fee, payment.currency));
        Ok(GatewayPayment { attempt: payment.attempt_id, status: status(&payment), fee, paid_ref: None })
    }

    async fn capture(&self, gateway_ref: &str) -> GatewayResult<GatewayStatus> {
        self.respond_slowly().await;
        sandbox::capture(&self.db, gateway_ref).await.map(|payment| status(&payment)).map_err(unreachable)
    }

    async fn cancel(&self, gateway_ref: &str) -> GatewayResult<GatewayStatus> {
        self.respond_slowly().await;
        sandbox::void(&self.db, gateway_ref).await.map(|payment| status(&payment)).map_err(unreachable)
    }

    async fn refund(&self, request: &RefundRequest) -> GatewayResult<RefundStatus> {
        self.respond_slowly().await;
        let state = if self.behaviour.refunds_later { "pending" } else { "done" };
        let gateway_ref = format!("sbr_{}", request.refund.uuid().simple());
        match sandbox::refund(&self.db, request, state).await.map_err(unreachable)?.as_deref() {
            Some("done") => Ok(RefundStatus::Done(gateway_ref)),
            Some("pending") => Ok(RefundStatus::Pending(gateway_ref)),
            Some(_) => Ok(RefundStatus::Failed("the card is closed".into())),
            None => Err(GatewayError::Refused("more than was captured".into())),
        }
    }

    async fn dispute(&self, gateway_ref: &str) -> GatewayResult<GatewayDispute> {
        self.respond_slowly().await;
        let found = sandbox::find_dispute(&self.db, gateway_ref).await.map_err(|error| match error {
            Error::NotFound => GatewayError::Refused("no such dispute".into()),
            error => unreachable(error),
        })?;
        let money = |minor| Money::new(minor, found.currency);
        Ok(GatewayDispute {
            attempt: Some(found.attempt_id),
            payment_ref: Some(found.gateway_ref),
            amount: money(found.amount_minor),
            fee: Some(money(found.fee_minor)),
            reason: "product_not_received".into(),
            status: match found.state.as_str() {
                "inquiry" => DisputeStatus::Inquiry,
                "won" => DisputeStatus::Won,
                "lost" => DisputeStatus::Lost,
                _ => DisputeStatus::Open,
            },
            evidence_due_ms: Some(found.opened_at + EVIDENCE_MS),
            opened_ms: Some(found.opened_at),
            reversal: false,
        })
    }

    async fn webhook(&self, webhook: Webhook<'_>, now_ms: i64) -> GatewayResult<Vec<GatewayEvent>> {
        let forged = || GatewayError::Refused("not signed by the sandbox, or long ago".into());
        let (signature, body) = (webhook.header(SIGNATURE_HEADER), webhook.body);
        let at_ms = signature.strip_prefix("t=").and_then(|rest| rest.split_once(',')?.0.parse().ok());
        let at_ms: i64 = at_ms.ok_or_else(forged)?;
        let genuine: bool = self.sign(at_ms, body).as_bytes().ct_eq(signature.as_bytes()).into();
        let fresh = now_ms.checked_sub(at_ms).is_some_and(|age| age.abs() <= TOLERANCE_MS);
        if !genuine || !fresh {
            return Err(forged());
        }
        let body: Body = serde_json::from_slice(body).map_err(|e| GatewayError::Refused(e.to_string()))?;
        let events =
            body.events.into_iter().map(|Event { id, payment, attempt, refund, dispute }| GatewayEvent {
                id,
                about: match (refund, dispute) {
                    (Some(refund), _) => {
                        EventSubject::Refund(format!("sbr_{}", refund.uuid().simple()), Some(refund))
                    }
                    (None, Some(dispute)) => EventSubject::Dispute(dispute),
                    (None, None) => EventSubject::Payment(payment, attempt),
                },
            });
        Ok(events.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_genuine_recent_webhooks_are_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("t.db").display()), 1).await.unwrap();
        let (clock, secret) = (Clock::default(), SigningKey::new("key"));
        let sandbox = Sandbox::new(db, clock, secret, "http://127.0.0.1", String::new());
        let attempt: PaymentId = haat_engine::random::id(0);
        let payload = Event {
            id: "evt".into(),
            payment: "sbx".into(),
            attempt: Some(attempt),
            refund: None,
            dispute: None,
        };
        let body = serde_json::to_vec(&Body { events: vec![payload] }).unwrap();
        let signature = sandbox.sign(1_000, &body);
        let read = async |signature: &str, body: &[u8], now_ms| {
            let headers = [(SIGNATURE_HEADER.to_owned(), signature.to_owned())];
            sandbox.webhook(Webhook { headers: &headers, body }, now_ms).await
        };
        let events = read(&signature, &body, 1_000 + TOLERANCE_MS).await.unwrap();
        assert_eq!((events.len(), events[0].id.as_str()), (1, "evt"));
        assert!(read(&signature, &body, 1_001 + TOLERANCE_MS).await.is_err(), "old");
        assert!(read(&signature, b"{}", 1_000).await.is_err(), "another body");
        assert!(read("", &body, 1_000).await.is_err(), "unsigned");
        assert!(read("t=9223372036854775807,v1=00", &body, -2).await.is_err(), "absurd time");
        let mut changed = body.clone();
        changed.push(b' ');
        assert!(read(&signature, &changed, 1_000).await.is_err(), "a blank more");
        for i in 0..signature.len() {
            let mut forged = signature.clone().into_bytes();
            forged[i] ^= 1;
            let forged = String::from_utf8_lossy(&forged).into_owned();
            assert!(read(&forged, &body, 1_000).await.is_err(), "byte {i} changed");
        }
    }
}
