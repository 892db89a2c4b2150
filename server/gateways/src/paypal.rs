//! The payment gateway PayPal: shoppers approve an order (Orders v2) on PayPal's own page, and the market captures
//! it once it can be bought. `docs/payments.md` says how it is set up, and what was never tried against the real
//! PayPal.

mod units;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use haat_engine::{
    Clock,
    payments::{
        Capabilities, DisputeStatus, EventSubject, GatewayDispute, GatewayError, GatewayEvent,
        GatewayPayment, GatewayResult, GatewayStatus, NextStep, Origins, Patience, PaymentGateway,
        PaymentRequest, PaymentSession, RefundRequest, RefundStatus, Webhook,
    },
};
use haat_shared::{
    Currency, Money,
    id::kinds::{PaymentId, RefundId},
};
use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use tokio::sync::{Mutex, Semaphore};

pub use units::supports;

use crate::api::{Answer, Client, Outgoing, basic, request, segment, with_body, with_json};

/// PayPal's API.
pub const API: &str = "https://api-m.paypal.com";
/// PayPal's API for tests.
pub const SANDBOX: &str = "https://api-m.sandbox.paypal.com";

/// How long before its end a token is replaced.
const MARGIN_S: u64 = 120;
/// The longest that a token is kept.
const TOKEN_MAX_S: u64 = 86_400;
/// The age of an attempt from which the response to a repeated request may be outdated.
const FRESH_MS: i64 = 20_000;
/// The maximum age of a webhook.
const TOLERANCE_MS: i64 = 300_000;
/// How many webhooks are verified at a time. Each is a request to PayPal, whoever sent it.
const VERIFIED_AT_ONCE: usize = 8;
/// How the IDs of disputes begin. Other IDs are those of reversals.
const DISPUTE: &str = "PP-";
/// PayPal's limit on the name of a market.
const NAME_MAX: usize = 127;

/// The settings of a PayPal app.
pub struct Settings {
    /// The client ID of the app.
    pub client_id: String,
    /// Its secret.
    pub secret: String,
    /// The ID of the webhook, for which PayPal signs.
    pub webhook_id: String,
    /// The URL of the API. Another one than [`API`] and [`SANDBOX`] is a fake, which also serves the page for paying.
    pub url: String,
    /// What the market is called, on PayPal's page.
    pub market: String,
}

/// The gateway.
pub struct PayPal {
    client: Client,
    credentials: String,
    token: Mutex<Option<Token>>,
    webhook_id: String,
    url: String,
    page: String,
    market: String,
    verifying: Semaphore,
    patience: Patience,
}

struct Token {
    value: String,
    until: Instant,
}

impl PayPal {
    /// The gateway of an app.
    pub fn new(settings: Settings) -> Self {
        let Settings { client_id, secret, webhook_id, url, market } = settings;
        let url = url.trim_end_matches('/').to_owned();
        let page = match url.as_str() {
            API => "https://www.paypal.com".to_owned(),
            SANDBOX => "https://www.sandbox.paypal.com".to_owned(),
            fake => fake.to_owned(),
        };
        Self {
            client: Client::new(),
            credentials: basic(&client_id, &secret),
            token: Mutex::default(),
            webhook_id,
            url,
            page,
            market: market.chars().take(NAME_MAX).collect(),
            verifying: Semaphore::new(VERIFIED_AT_ONCE),
            patience: Patience::default(),
        }
    }

    /// A token for the API. It is kept until shortly before its end, unless it is the one that was `refused`.
    async fn token(&self, refused: Option<&str>) -> GatewayResult<String> {
        // Those who need a token at the same time wait for the same one.
        let mut known = self.token.lock().await;
        let usable = |token: &&Token| Some(token.value.as_str()) != refused && Instant::now() < token.until;
        if let Some(token) = known.as_ref().filter(usable) {
            return Ok(token.value.clone());
        }
        let ask = request(Method::POST, &format!("{}/v1/oauth2/token", self.url))
            .header("authorization", &self.credentials)
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = self.client.send(&with_body(ask, "grant_type=client_credentials")?).await?;
        if answer.status() == 400 {
            // Unknown credentials, in the words of OAuth: the operator's mistake.
            return Err(GatewayError::Unreachable(format!("no token: {}", why(&answer.json()))));
        }
        let Granted { access_token, expires_in } = answer.read(why)?;
        let lasts = Duration::from_secs(expires_in.saturating_sub(MARGIN_S).min(TOKEN_MAX_S));
        *known = Some(Token { value: access_token.clone(), until: Instant::now() + lasts });
        Ok(access_token)
    }

    /// Sends a request with a token, and once more with another one if that was revoked.
    async fn call(&self, build: impl Fn(&str) -> GatewayResult<Outgoing>) -> GatewayResult<Answer> {
        let token = self.token(None).await?;
        let answer = self.client.send(&build(&format!("Bearer {token}"))?).await?;
        if answer.status() != 401 {
            return Ok(answer);
        }
        let token = self.token(Some(&token)).await?;
        self.client.send(&build(&format!("Bearer {token}"))?).await
    }

    async fn get(&self, path: &str) -> GatewayResult<Answer> {
        let url = format!("{}{path}", self.url);
        self.call(|token| with_body(request(Method::GET, &url).header("authorization", token), "")).await
    }

    /// Sends a request with an idempotency key: PayPal does it once.
    async fn post(&self, path: &str, key: &str, body: &Value) -> GatewayResult<Answer> {
        let url = format!("{}{path}", self.url);
        self.call(|token| {
            let ask = request(Method::POST, &url).header("authorization", token);
            with_json(ask.header("paypal-request-id", key).header("prefer", "return=representation"), body)
        })
        .await
    }

    async fn order(&self, id: &str) -> GatewayResult<Order> {
        self.get(&format!("/v2/checkout/orders/{}", segment(id)?)).await?.read(why)
    }

    async fn started(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession> {
        let PaymentRequest {
            attempt,
            amount,
            return_url,
            method: _,
            on_page: _,
            gateway_ref: _,
            customer: _,
            locale: _,
        } = request;
        let Some(value) = units::to_paypal(*amount) else {
            return Err(GatewayError::Refused(format!("PayPal cannot charge exactly {amount}")));
        };
        // PayPal refuses a second capture for the same invoice, should it forget the idempotency key. The amount
        // has no breakdown, so that nothing has to add up.
        let body = json!({
            "intent": "CAPTURE",
            "purchase_units": [{
                "custom_id": attempt.to_string(),
                "invoice_id": attempt.to_string(),
                "amount": { "currency_code": amount.currency().code(), "value": value },
            }],
            "payment_source": { "paypal": { "experience_context": {
                "brand_name": self.market,
                "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
                "shipping_preference": "NO_SHIPPING",
                "user_action": "PAY_NOW",
                "return_url": return_url,
                "cancel_url": return_url,
            } } },
        });
        let mut order: Order =
            self.post("/v2/checkout/orders", &attempt.to_string(), &body).await?.read(why)?;
        if Clock::default().now_ms() - request.begun_ms() > FRESH_MS {
            order = self.order(&order.id).await?;
        }
        let status = status(&order)?;
        let page =
            order.links.into_iter().find(|link| matches!(link.rel.as_str(), "payer-action" | "approve"));
        let next = match (status, page) {
            (GatewayStatus::Waiting, Some(page)) => NextStep::Redirect(page.href),
            _ => NextStep::Done,
        };
        Ok(PaymentSession { gateway_ref: order.id, status, next })
    }

    async fn captured(&self, id: &str) -> GatewayResult<GatewayStatus> {
        let path = format!("/v2/checkout/orders/{}/capture", segment(id)?);
        let answer = self.post(&path, &format!("capture-{id}"), &json!({})).await?;
        if answer.is_success() {
            return status(&answer.read(why)?);
        }
        // Perhaps captured by an earlier request, whose response was lost.
        match status(&self.order(id).await?)? {
            GatewayStatus::Authorized(_) if answer.status() == 422 => {
                tracing::info!(why = why(&answer.json()), "PayPal declined a payment");
                Ok(GatewayStatus::Declined)
            }
            GatewayStatus::Authorized(_) => Err(answer.failure(why)),
            status => Ok(status),
        }
    }

    /// An order that nobody captures charges nothing, and PayPal has no request to end it.
    async fn cancelled(&self, id: &str) -> GatewayResult<GatewayStatus> {
        match self.order(id).await {
            Ok(order) if order.status == "COMPLETED" => status(&order),
            Ok(_) | Err(GatewayError::Gone(_)) => Ok(GatewayStatus::Cancelled),
            Err(error) => Err(error),
        }
    }

    async fn refunded(&self, request: &RefundRequest) -> GatewayResult<RefundStatus> {
        if let Some(id) = &request.refund_ref {
            let found: Refund =
                self.get(&format!("/v2/payments/refunds/{}", segment(id)?)).await?.read(why)?;
            return refund_status(&found, request);
        }
        let order = self.order(&request.payment_ref).await?;
        let Payments { captures, refunds } =
            order.purchase_units.into_iter().next().map(|unit| unit.payments).unwrap_or_default();
        // PayPal forgets idempotency keys after some weeks; the refund keeps our ID.
        let ours = request.refund.to_string();
        if let Some(found) = refunds.iter().find(|refund| refund.custom_id.as_ref() == Some(&ours)) {
            return refund_status(found, request);
        }
        let Some(capture) = captures.into_iter().find(Capture::is_done) else {
            return Err(GatewayError::Refused("nothing was captured".into()));
        };
        let Some(value) = units::to_paypal(request.amount) else {
            return Err(GatewayError::Refused(format!("PayPal cannot refund exactly {}", request.amount)));
        };
        let currency = request.amount.currency();
        let body =
            json!({ "amount": { "currency_code": currency.code(), "value": value }, "custom_id": ours });
        let path = format!("/v2/payments/captures/{}/refund", segment(&capture.id)?);
        let made: Refund = self.post(&path, &ours, &body).await?.read(why)?;
        refund_status(&made, request)
    }

    /// A dispute, or money that PayPal took back without one.
    async fn disputed(&self, id: &str) -> GatewayResult<GatewayDispute> {
        if !id.starts_with(DISPUTE) {
            return self.reversed(id).await;
        }
        let found: Dispute = self.get(&format!("/v1/customer/disputes/{}", segment(id)?)).await?.read(why)?;
        let capture = found.disputed_transactions.first().and_then(|of| of.seller_transaction_id.as_deref());
        let (attempt, payment_ref) = self.paid_by(capture).await?;
        Ok(GatewayDispute {
            attempt,
            payment_ref,
            amount: money(&found.dispute_amount)?,
            // PayPal doesn't report it with the dispute.
            fee: None,
            status: dispute_status(&found),
            reason: found.reason,
            evidence_due_ms: found.seller_response_due_date.as_deref().and_then(millisecond),
            opened_ms: found.create_time.as_deref().and_then(millisecond),
            reversal: false,
        })
    }

    /// PayPal took a capture back. What it reports looks like a refund.
    async fn reversed(&self, id: &str) -> GatewayResult<GatewayDispute> {
        let found: Reversal = self.get(&format!("/v2/payments/refunds/{}", segment(id)?)).await?.read(why)?;
        let up = found.links.iter().find(|link| link.rel == "up");
        let capture = up.and_then(|link| link.href.rsplit('/').next());
        let (attempt, payment_ref) = self.paid_by(capture).await?;
        Ok(GatewayDispute {
            attempt,
            payment_ref,
            amount: money(&found.amount)?,
            fee: None,
            status: DisputeStatus::Lost,
            reason: "reversed".into(),
            evidence_due_ms: None,
            opened_ms: found.create_time.as_deref().and_then(millisecond),
            reversal: true,
        })
    }

    /// Our payment and PayPal's order that a capture belongs to, if there is one.
    async fn paid_by(&self, capture: Option<&str>) -> GatewayResult<(Option<PaymentId>, Option<String>)> {
        let Some(capture) = capture else { return Ok((None, None)) };
        let found = self.get(&format!("/v2/payments/captures/{}", segment(capture)?)).await?;
        if found.status() == 404 {
            // A payment of another app of the same account.
            return Ok((None, None));
        }
        let found: Value = found.read(why)?;
        let order = found["supplementary_data"]["related_ids"]["order_id"].as_str().map(str::to_owned);
        Ok((found["custom_id"].as_str().and_then(|id| id.parse().ok()), order))
    }

    /// The events of a webhook that PayPal confirms to have signed.
    async fn verified(&self, webhook: Webhook<'_>, now_ms: i64) -> GatewayResult<Vec<GatewayEvent>> {
        let forged = || GatewayError::Refused("not signed by PayPal, or long ago".into());
        let header =
            |name: &str| Some(webhook.header(name)).filter(|value| !value.is_empty()).ok_or_else(forged);
        let transmission_time = header("paypal-transmission-time")?;
        let signed: Timestamp = transmission_time.parse().map_err(|_| forged())?;
        let age = now_ms.checked_sub(signed.as_millisecond());
        if age.is_none_or(|age| age.unsigned_abs() > TOLERANCE_MS.unsigned_abs()) {
            return Err(forged());
        }
        // As it was sent: what PayPal signs are its bytes.
        let webhook_event: &RawValue = serde_json::from_slice(webhook.body).map_err(|_| forged())?;
        let event: Event = serde_json::from_slice(webhook.body).map_err(|_| forged())?;
        let verification = Verification {
            auth_algo: header("paypal-auth-algo")?,
            cert_url: header("paypal-cert-url")?,
            transmission_id: header("paypal-transmission-id")?,
            transmission_sig: header("paypal-transmission-sig")?,
            transmission_time,
            webhook_id: &self.webhook_id,
            webhook_event,
        };
        let body = serde_json::to_vec(&verification).map_err(|e| GatewayError::Refused(e.to_string()))?;
        let url = format!("{}/v1/notifications/verify-webhook-signature", self.url);
        let answer = self
            .call(|token| {
                let ask = request(Method::POST, &url).header("authorization", token);
                with_body(ask.header("content-type", "application/json"), body.clone())
            })
            .await?;
        let Verified { verification_status } = answer.read(why)?;
        if verification_status != "SUCCESS" {
            return Err(forged());
        }
        let about = subject(&event.event_type, &event.resource);
        Ok(about.map(|about| GatewayEvent { id: event.id, about }).into_iter().collect())
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Order {
    id: String,
    status: String,
    #[serde(default)]
    purchase_units: Vec<PurchaseUnit>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct PurchaseUnit {
    amount: Amount,
    custom_id: Option<String>,
    #[serde(default)]
    payments: Payments,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payments {
    captures: Vec<Capture>,
    refunds: Vec<Refund>,
}

#[derive(Deserialize)]
struct Capture {
    id: String,
    status: String,
    amount: Amount,
    seller_receivable_breakdown: Option<Breakdown>,
}

#[derive(Deserialize)]
struct Breakdown {
    paypal_fee: Option<Amount>,
}

#[derive(Deserialize)]
struct Refund {
    id: String,
    status: String,
    amount: Amount,
    custom_id: Option<String>,
    status_details: Option<Details>,
}

#[derive(Deserialize)]
struct Dispute {
    #[serde(default)]
    reason: String,
    status: String,
    dispute_amount: Amount,
    dispute_outcome: Option<Outcome>,
    #[serde(default)]
    dispute_life_cycle_stage: String,
    seller_response_due_date: Option<String>,
    create_time: Option<String>,
    #[serde(default)]
    disputed_transactions: Vec<Disputed>,
}

#[derive(Deserialize)]
struct Outcome {
    outcome_code: Option<String>,
}

#[derive(Deserialize)]
struct Disputed {
    seller_transaction_id: Option<String>,
}

#[derive(Deserialize)]
struct Reversal {
    amount: Amount,
    create_time: Option<String>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Details {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Amount {
    currency_code: String,
    value: String,
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    href: String,
}

#[derive(Serialize)]
struct Verification<'a> {
    auth_algo: &'a str,
    cert_url: &'a str,
    transmission_id: &'a str,
    transmission_sig: &'a str,
    transmission_time: &'a str,
    webhook_id: &'a str,
    webhook_event: &'a RawValue,
}

#[derive(Deserialize)]
struct Verified {
    verification_status: String,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    event_type: String,
    resource: Value,
}

impl Capture {
    /// The money has arrived, even if it went back since.
    fn is_done(&self) -> bool {
        matches!(self.status.as_str(), "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED")
    }
}

/// The reason in an error: its name and issue, which contain nothing of the payment.
fn why(body: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = [&body["name"], &body["error"]].into_iter().find(|name| name.is_string());
    format!("{} {}", name.map(text).unwrap_or_default(), text(&body["details"][0]["issue"]))
}

fn money(amount: &Amount) -> GatewayResult<Money> {
    let Amount { currency_code, value } = amount;
    units::from_paypal(value, currency_code).ok_or_else(|| {
        GatewayError::Refused(format!("PayPal reports {value} {currency_code}, which is no amount"))
    })
}

fn status(order: &Order) -> GatewayResult<GatewayStatus> {
    let unit = order.purchase_units.first();
    Ok(match (order.status.as_str(), unit) {
        ("VOIDED", _) => GatewayStatus::Cancelled,
        // The shopper agrees that we capture it.
        ("APPROVED", Some(unit)) => GatewayStatus::Authorized(money(&unit.amount)?),
        ("COMPLETED", Some(unit)) => {
            let captures = &unit.payments.captures;
            if let Some(capture) = captures.iter().find(|capture| capture.is_done()) {
                GatewayStatus::Captured(money(&capture.amount)?)
            } else if captures.iter().any(|capture| matches!(capture.status.as_str(), "DECLINED" | "FAILED"))
            {
                GatewayStatus::Declined
            } else {
                // PayPal, or the shopper's bank, takes its time.
                GatewayStatus::Waiting
            }
        }
        // CREATED, SAVED, PAYER_ACTION_REQUIRED: the shopper is still on PayPal's page.
        _ => GatewayStatus::Waiting,
    })
}

/// What was captured of an order: PayPal calls that the transaction.
fn capture(order: &Order) -> Option<&Capture> {
    order.purchase_units.first()?.payments.captures.iter().find(|capture| capture.is_done())
}

/// The fee, if PayPal charges it in the currency of the payment.
fn fee(order: &Order) -> Option<Money> {
    let capture = capture(order)?;
    let fee = money(capture.seller_receivable_breakdown.as_ref()?.paypal_fee.as_ref()?).ok()?;
    (fee.currency().code() == capture.amount.currency_code).then_some(fee)
}

fn dispute_status(dispute: &Dispute) -> DisputeStatus {
    let outcome = dispute.dispute_outcome.as_ref().and_then(|outcome| outcome.outcome_code.as_deref());
    match (dispute.status.as_str(), outcome) {
        ("RESOLVED", Some("RESOLVED_BUYER_FAVOUR" | "ACCEPTED")) => DisputeStatus::Lost,
        // Also if PayPal pays the buyer itself, or the buyer takes it back.
        ("RESOLVED", _) => DisputeStatus::Won,
        // Buyer and market talk to each other.
        _ if dispute.dispute_life_cycle_stage == "INQUIRY" => DisputeStatus::Inquiry,
        _ => DisputeStatus::Open,
    }
}

/// A time of PayPal's.
fn millisecond(time: &str) -> Option<i64> {
    time.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

fn refund_status(refund: &Refund, request: &RefundRequest) -> GatewayResult<RefundStatus> {
    if money(&refund.amount)? != request.amount {
        let (id, amount) = (&refund.id, request.amount);
        return Err(GatewayError::Refused(format!("PayPal's refund {id} is not one of {amount}")));
    }
    let id = refund.id.clone();
    Ok(match refund.status.as_str() {
        "COMPLETED" => RefundStatus::Done(id),
        "FAILED" | "CANCELLED" => {
            let reason = refund.status_details.as_ref().and_then(|details| details.reason.clone());
            RefundStatus::Failed(
                reason.unwrap_or_else(|| format!("{} at PayPal", refund.status.to_lowercase())),
            )
        }
        _ => RefundStatus::Pending(id),
    })
}

/// What an event is about. None if it isn't about payments of this market.
fn subject(kind: &str, resource: &Value) -> Option<EventSubject> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let id = text(&resource["id"]);
    let attempt = |value: &Value| value.as_str().and_then(|id| id.parse::<PaymentId>().ok());
    match kind {
        // PayPal took the money back, for the payer's bank or after a dispute.
        "PAYMENT.CAPTURE.REVERSED" => id.map(EventSubject::Dispute),
        "PAYMENT.CAPTURE.REFUNDED" => refund_event(id, resource),
        _ if kind.starts_with("PAYMENT.REFUND.") => {
            if kind.ends_with(".FAILED") {
                tracing::error!(refund = id, "a refund failed at PayPal");
            }
            refund_event(id, resource)
        }
        _ if kind.starts_with("CHECKOUT.ORDER.") => {
            let attempt = attempt(&resource["purchase_units"][0]["custom_id"])?;
            Some(EventSubject::Payment(id?, Some(attempt)))
        }
        _ if kind.starts_with("PAYMENT.CAPTURE.") => {
            let attempt = attempt(&resource["custom_id"])?;
            let order = text(&resource["supplementary_data"]["related_ids"]["order_id"])?;
            Some(EventSubject::Payment(order, Some(attempt)))
        }
        _ if kind.starts_with("CUSTOMER.DISPUTE.") => {
            text(&resource["dispute_id"]).map(EventSubject::Dispute)
        }
        _ => None,
    }
}

fn refund_event(id: Option<String>, resource: &Value) -> Option<EventSubject> {
    let ours: Option<RefundId> = resource["custom_id"].as_str().and_then(|id| id.parse().ok());
    id.map(|id| EventSubject::Refund(id, ours))
}

#[async_trait]
impl PaymentGateway for PayPal {
    fn name(&self) -> &'static str {
        "paypal"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { captures: true, refunds: true }
    }

    fn responds(&self) -> bool {
        self.patience.responds()
    }

    fn origins(&self) -> Origins {
        Origins { forms: vec![self.page.clone()], ..Origins::default() }
    }

    fn supports(&self, currency: Currency) -> bool {
        supports(currency)
    }

    async fn create(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession> {
        self.patience.call(self.started(request)).await
    }

    async fn retrieve(&self, gateway_ref: &str) -> GatewayResult<GatewayPayment> {
        let order = self.patience.call(self.order(gateway_ref)).await?;
        let attempt = order.purchase_units.first().and_then(|unit| unit.custom_id.as_ref()?.parse().ok());
        let Some(attempt) = attempt else {
            return Err(GatewayError::Refused("an order that the market did not request".into()));
        };
        let paid_ref = capture(&order).map(|capture| capture.id.clone());
        Ok(GatewayPayment { attempt, status: status(&order)?, fee: fee(&order), paid_ref })
    }

    async fn capture(&self, gateway_ref: &str) -> GatewayResult<GatewayStatus> {
        self.patience.call(self.captured(gateway_ref)).await
    }

    async fn cancel(&self, gateway_ref: &str) -> GatewayResult<GatewayStatus> {
        self.patience.call(self.cancelled(gateway_ref)).await
    }

    async fn refund(&self, request: &RefundRequest) -> GatewayResult<RefundStatus> {
        self.patience.call(self.refunded(request)).await
    }

    async fn dispute(&self, gateway_ref: &str) -> GatewayResult<GatewayDispute> {
        self.patience.call(self.disputed(gateway_ref)).await
    }

    fn dispute_page(&self, gateway_ref: &str) -> Option<String> {
        let is_dispute = gateway_ref.starts_with(DISPUTE);
        is_dispute.then(|| format!("{}/resolutioncenter/{gateway_ref}", self.page))
    }

    async fn webhook(&self, webhook: Webhook<'_>, now_ms: i64) -> GatewayResult<Vec<GatewayEvent>> {
        // Not a call that fails: whoever sends many webhooks must not break the circuit.
        let busy = |_| GatewayError::Unreachable("too many webhooks at once".into());
        let _permit = self.verifying.try_acquire().map_err(busy)?;
        self.patience.call(self.verified(webhook, now_ms)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(status: &str, captures: &Value) -> Order {
        serde_json::from_value(json!({
            "id": "5O190127TN364715T",
            "status": status,
            "purchase_units": [{
                "custom_id": "x",
                "amount": { "currency_code": "USD", "value": "10.00" },
                "payments": { "captures": captures },
            }],
        }))
        .unwrap()
    }

    fn capture(status: &str, value: &str, code: &str) -> Value {
        json!([{ "id": "C", "status": status, "amount": { "currency_code": code, "value": value } }])
    }

    fn usd(amount: i64) -> Money {
        Money::new(amount, "USD".parse().unwrap())
    }

    #[test]
    fn each_state_of_an_order_has_a_status() {
        let none = json!([]);
        for (state, captures, expected) in [
            ("CREATED", &none, GatewayStatus::Waiting),
            ("SAVED", &none, GatewayStatus::Waiting),
            ("PAYER_ACTION_REQUIRED", &none, GatewayStatus::Waiting),
            ("SOMETHING_NEW", &none, GatewayStatus::Waiting),
            ("VOIDED", &none, GatewayStatus::Cancelled),
            ("APPROVED", &none, GatewayStatus::Authorized(usd(1_000))),
            ("COMPLETED", &none, GatewayStatus::Waiting),
            ("COMPLETED", &capture("PENDING", "10.00", "USD"), GatewayStatus::Waiting),
            ("COMPLETED", &capture("DECLINED", "10.00", "USD"), GatewayStatus::Declined),
            ("COMPLETED", &capture("FAILED", "10.00", "USD"), GatewayStatus::Declined),
            ("COMPLETED", &capture("COMPLETED", "10.00", "USD"), GatewayStatus::Captured(usd(1_000))),
            ("COMPLETED", &capture("REFUNDED", "10.00", "USD"), GatewayStatus::Captured(usd(1_000))),
            (
                "COMPLETED",
                &capture("PARTIALLY_REFUNDED", "10.00", "USD"),
                GatewayStatus::Captured(usd(1_000)),
            ),
            // What was captured counts, not what was asked for.
            ("COMPLETED", &capture("COMPLETED", "9.00", "USD"), GatewayStatus::Captured(usd(900))),
            (
                "COMPLETED",
                &capture("COMPLETED", "10.00", "EUR"),
                GatewayStatus::Captured(Money::new(1_000, "EUR".parse().unwrap())),
            ),
        ] {
            assert_eq!(status(&order(state, captures)), Ok(expected), "{state} {captures}");
        }
        assert!(status(&order("COMPLETED", &capture("COMPLETED", "ten", "USD"))).is_err());
    }

    #[test]
    fn a_fee_in_another_currency_is_not_taken() {
        let charged = |code: &str| {
            let mut captures = capture("COMPLETED", "10.00", "USD");
            captures[0]["seller_receivable_breakdown"] =
                json!({ "paypal_fee": { "currency_code": code, "value": "0.84" } });
            fee(&order("COMPLETED", &captures))
        };
        assert_eq!(charged("USD"), Some(usd(84)));
        assert_eq!(charged("EUR"), None);
        assert_eq!(fee(&order("COMPLETED", &capture("COMPLETED", "10.00", "USD"))), None, "not yet known");
    }

    #[test]
    fn each_state_of_a_refund_has_a_status() {
        let request = RefundRequest {
            payment_ref: "O".into(),
            refund: haat_engine::random::id(0),
            refund_ref: None,
            amount: usd(500),
        };
        let refund = |status: &str, value: &str| -> Refund {
            let amount = json!({ "currency_code": "USD", "value": value });
            serde_json::from_value(json!({ "id": "R", "status": status, "amount": amount })).unwrap()
        };
        let seen = |status: &str| refund_status(&refund(status, "5.00"), &request).unwrap();
        assert_eq!(seen("COMPLETED"), RefundStatus::Done("R".into()));
        assert_eq!(seen("PENDING"), RefundStatus::Pending("R".into()));
        assert_eq!(seen("SOMETHING_NEW"), RefundStatus::Pending("R".into()));
        assert_eq!(seen("FAILED"), RefundStatus::Failed("failed at PayPal".into()));
        assert_eq!(seen("CANCELLED"), RefundStatus::Failed("cancelled at PayPal".into()));
        assert!(refund_status(&refund("COMPLETED", "5.01"), &request).is_err(), "another amount");
    }

    #[test]
    fn events_say_what_to_read_again() {
        let (payment, refund): (PaymentId, RefundId) =
            (haat_engine::random::id(0), haat_engine::random::id(0));
        let order = json!({ "id": "O", "purchase_units": [{ "custom_id": payment.to_string() }] });
        let related = json!({ "related_ids": { "order_id": "O" } });
        let capture = json!({ "id": "C", "custom_id": payment.to_string(), "supplementary_data": related });
        let back = json!({ "id": "R", "custom_id": refund.to_string() });
        let dispute = json!({ "dispute_id": "PP-D-1" });
        let stranger = json!({ "id": "C", "custom_id": "order 7", "supplementary_data": related });
        for (kind, resource, expected) in [
            ("CHECKOUT.ORDER.APPROVED", &order, Some(format!("Payment(\"O\", Some({payment:?}))"))),
            ("CHECKOUT.ORDER.COMPLETED", &order, Some(format!("Payment(\"O\", Some({payment:?}))"))),
            ("PAYMENT.CAPTURE.COMPLETED", &capture, Some(format!("Payment(\"O\", Some({payment:?}))"))),
            ("PAYMENT.CAPTURE.PENDING", &capture, Some(format!("Payment(\"O\", Some({payment:?}))"))),
            ("PAYMENT.CAPTURE.DENIED", &capture, Some(format!("Payment(\"O\", Some({payment:?}))"))),
            ("PAYMENT.CAPTURE.REFUNDED", &back, Some(format!("Refund(\"R\", Some({refund:?}))"))),
            ("PAYMENT.REFUND.FAILED", &back, Some(format!("Refund(\"R\", Some({refund:?}))"))),
            ("PAYMENT.CAPTURE.REVERSED", &back, Some("Dispute(\"R\")".into())),
            ("CUSTOMER.DISPUTE.CREATED", &dispute, Some("Dispute(\"PP-D-1\")".into())),
            ("PAYMENT.CAPTURE.COMPLETED", &stranger, None),
            ("CHECKOUT.ORDER.APPROVED", &stranger, None),
            ("BILLING.PLAN.CREATED", &order, None),
            ("CHECKOUT.ORDER.APPROVED", &json!(null), None),
        ] {
            assert_eq!(
                subject(kind, resource).map(|about| format!("{about:?}")),
                expected,
                "{kind} {resource}"
            );
        }
    }
}
