//! The payment gateway Razorpay: shoppers pay by UPI, card, net banking or wallet. With JavaScript, they pay an order in
//! Razorpay's window over our page (its Checkout); without, on the page of a payment link. `docs/payments.md` says how
//! it is set up, and what was never tried against the real Razorpay.

mod signature;
mod units;

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use haat_engine::{
    Clock,
    payments::{
        Capabilities, DisputeStatus, EventSubject, GatewayDispute, GatewayError, GatewayEvent,
        GatewayPayment, GatewayPayout, GatewayResult, GatewayStatus, NextStep, Origins, Patience,
        PaymentGateway, PaymentRequest, PaymentSession, RefundRequest, RefundStatus, Webhook,
    },
};
use haat_shared::{
    Currency, Money,
    id::kinds::{PaymentId, RefundId},
    payments::{PaymentMethod, PaymentWindow},
};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

pub use units::supports;

use crate::api::{Answer, Client, basic, request, segment, with_body, with_json};

/// Razorpay's API.
pub const API: &str = "https://api.razorpay.com";
/// The hosts of Razorpay's page: short links lead on to the others.
const PAGES: [&str; 2] = ["https://rzp.io", "https://*.razorpay.com"];

/// Razorpay's script, which opens its window. It must be loaded from there.
const SCRIPT: &str = "https://checkout.razorpay.com/v1/checkout.js";

/// How long a shopper can pay after the attempt began. Razorpay accepts 15 minutes or more.
const OPEN_S: i64 = 3_600;
/// How much later an order counts as cancelled, because a payment that was begun in time may take as long.
const LATE_S: i64 = 900;
/// The maximum age of a webhook. Razorpay repeats one for a day, as it was.
const TOLERANCE_S: u64 = 26 * 3_600;
/// How many refunds of a payment are on a page of their list.
const PAGE_SIZE: usize = 100;

/// Our IDs in Razorpay's notes.
const ATTEMPT: &str = "haat_attempt";
/// The attempt, in the notes of an order that is paid in the window. A link also has an order, perhaps with its notes.
const ON_PAGE: &str = "haat_on_page";
const REFUND: &str = "haat_refund";

/// The settings of a Razorpay account.
pub struct Settings {
    /// The ID of the API key: `rzp_live_…`.
    pub key_id: String,
    /// Its secret, which also signs the shopper's return.
    pub key_secret: String,
    /// The secrets of the webhook, two while they are rotated.
    pub webhook_secrets: Vec<String>,
    /// The URL of the API. Another one than [`API`] is a fake, which also serves the page for paying.
    pub url: String,
    /// What the market is called, on Razorpay's page.
    pub market: String,
}

/// The gateway.
pub struct Razorpay {
    client: Client,
    credentials: String,
    key_id: String,
    key_secret: String,
    webhook_secrets: Vec<String>,
    url: String,
    market: String,
    patience: Patience,
}

impl Razorpay {
    /// The gateway of an account.
    pub fn new(settings: Settings) -> Self {
        let Settings { key_id, key_secret, webhook_secrets, url, market } = settings;
        Self {
            client: Client::new(),
            credentials: basic(&key_id, &key_secret),
            key_id,
            key_secret,
            webhook_secrets,
            url: url.trim_end_matches('/').to_owned(),
            market,
            patience: Patience::default(),
        }
    }

    async fn get(&self, path: &str) -> GatewayResult<Answer> {
        let ask = request(Method::GET, &format!("{}{path}", self.url));
        self.client.send(&with_body(ask.header("authorization", &self.credentials), "")?).await
    }

    /// Sends a request that may be sent again, with an idempotency key if Razorpay knows any for it.
    async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> GatewayResult<Answer> {
        let ask = request(Method::POST, &format!("{}{path}", self.url));
        let mut ask = ask.header("authorization", &self.credentials);
        if let Some(key) = key {
            ask = ask.header("x-refund-idempotency", key);
        }
        self.client.send(&with_json(ask, body)?).await
    }

    async fn link(&self, id: &str) -> GatewayResult<Link> {
        self.get(&format!("/v1/payment_links/{}", segment(id)?)).await?.read(why)
    }

    async fn asked(&self, id: &str) -> GatewayResult<Asked> {
        Ok(match id.starts_with(signature::ORDER) {
            true => Asked::Order(self.get(&format!("/v1/orders/{}", segment(id)?)).await?.read(why)?),
            false => Asked::Link(self.link(id).await?),
        })
    }

    /// The link that was made for an attempt.
    async fn link_of(&self, attempt: PaymentId) -> GatewayResult<Option<Link>> {
        let ours = attempt.to_string();
        let found: Links = self.get(&format!("/v1/payment_links/?reference_id={ours}")).await?.read(why)?;
        Ok(found.payment_links.into_iter().find(|link| link.reference_id.as_ref() == Some(&ours)))
    }

    /// The payment that took the money, if there is one.
    async fn paid(&self, asked: &Asked) -> GatewayResult<Option<Payment>> {
        let link = match asked {
            Asked::Link(link) => link,
            Asked::Order(order) if order.status == "created" => return Ok(None),
            Asked::Order(order) => return self.paid_of(&order.id).await,
        };
        let paid = link.payments.as_array().map(Vec::as_slice).unwrap_or_default();
        let paid = paid.iter().find(|payment| payment["status"] == "captured");
        if let Some(id) = paid.and_then(|payment| payment["payment_id"].as_str()) {
            let payment: Payment = self.get(&format!("/v1/payments/{}", segment(id)?)).await?.read(why)?;
            return Ok(Some(payment).filter(Payment::is_captured));
        }
        // Some responses leave the payments out, and one may arrive although the link was cancelled.
        let Some(order) = link.order_id.as_deref().filter(|_| link.status != "created") else {
            return Ok(None);
        };
        self.paid_of(order).await
    }

    /// The payment of an order that took the money, if there is one.
    async fn paid_of(&self, order: &str) -> GatewayResult<Option<Payment>> {
        let all: Items<Payment> =
            self.get(&format!("/v1/orders/{}/payments", segment(order)?)).await?.read(why)?;
        Ok(all.items.into_iter().find(Payment::is_captured))
    }

    async fn status(&self, asked: &Asked) -> GatewayResult<(GatewayStatus, Option<Money>)> {
        let paid = self.paid(asked).await?;
        Ok((status(asked, paid.as_ref(), now_s())?, paid.as_ref().and_then(fee)))
    }

    async fn started(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession> {
        let amount = request.amount;
        let Some(units) = units::to_razorpay(amount) else {
            return Err(GatewayError::Refused(format!("Razorpay cannot charge exactly {amount}")));
        };
        match request.on_page {
            true => self.started_here(request, units).await,
            false => self.started_there(request, units).await,
        }
    }

    /// Requests a payment that the shopper makes in the window over our page. Razorpay keeps no idempotency keys for
    /// orders; one whose creation got no response is known to nobody, so it is never paid.
    async fn started_here(&self, request: &PaymentRequest, units: i64) -> GatewayResult<PaymentSession> {
        let currency = request.amount.currency();
        let made = match &request.gateway_ref {
            Some(id) => self.asked(id).await?,
            None => {
                let body = json!({
                    "amount": units,
                    "currency": currency.code(),
                    "receipt": request.attempt.to_string(),
                    "notes": { ON_PAGE: request.attempt.to_string() },
                });
                Asked::Order(self.post("/v1/orders", None, &body).await?.read(why)?)
            }
        };
        let (status, _) = self.status(&made).await?;
        let gateway_ref = made.id().to_owned();
        let next = match status {
            GatewayStatus::Waiting => {
                let left = request.begun_ms() / 1000 + OPEN_S - now_s();
                let parameters = [
                    ("key", self.key_id.clone()),
                    ("order_id", gateway_ref.clone()),
                    ("amount", units.to_string()),
                    ("currency", currency.code().to_owned()),
                    ("name", self.market.clone()),
                    ("timeout", left.max(1).to_string()),
                    ("return_url", request.return_url.clone()),
                ];
                let parameters = parameters.map(|(name, value)| (name.to_owned(), value));
                NextStep::Widget(BTreeMap::from(parameters))
            }
            _ => NextStep::Done,
        };
        Ok(PaymentSession { gateway_ref, status, next })
    }

    /// Requests a payment that the shopper makes on the page of a link.
    async fn started_there(&self, request: &PaymentRequest, units: i64) -> GatewayResult<PaymentSession> {
        let PaymentRequest { attempt, amount, return_url, .. } = request;
        let body = json!({
            "amount": units,
            "currency": amount.currency().code(),
            "accept_partial": false,
            "description": self.market,
            // Razorpay refuses a second link with the same one.
            "reference_id": attempt.to_string(),
            "expire_by": request.begun_ms() / 1000 + OPEN_S,
            "notify": { "sms": false, "email": false },
            "reminder_enable": false,
            "notes": { ATTEMPT: attempt.to_string() },
            "callback_url": return_url,
            "callback_method": "get",
        });
        let answer = self.post("/v1/payment_links", None, &body).await?;
        let link: Link = if answer.status() == 400 {
            // Perhaps made by an earlier request.
            self.link_of(*attempt).await?.ok_or_else(|| answer.failure(why))?
        } else {
            answer.read(why)?
        };
        let (gateway_ref, page) = (link.id.clone(), link.short_url.clone());
        let (status, _) = self.status(&Asked::Link(link)).await?;
        let next = match status {
            GatewayStatus::Waiting => NextStep::Redirect(page),
            _ => NextStep::Done,
        };
        Ok(PaymentSession { gateway_ref, status, next })
    }

    async fn cancelled(&self, id: &str) -> GatewayResult<GatewayStatus> {
        let asked = self.asked(id).await?;
        let (status, _) = self.status(&asked).await?;
        match &asked {
            // Razorpay can't cancel an order. What is paid after all is a late capture.
            Asked::Order(_) if status == GatewayStatus::Waiting => return Ok(GatewayStatus::Cancelled),
            Asked::Link(link) if status == GatewayStatus::Waiting && link.status == "created" => {}
            _ => return Ok(status),
        }
        let ended = self.post(&format!("/v1/payment_links/{}/cancel", segment(id)?), None, &json!({})).await;
        // What it is now, even if it was paid in the meantime.
        match (ended, self.status(&self.asked(id).await?).await?) {
            (Err(error), (GatewayStatus::Waiting, _)) => Err(error),
            (Ok(answer), (GatewayStatus::Waiting, _)) if !answer.is_success() => Err(answer.failure(why)),
            (_, (status, _)) => Ok(status),
        }
    }

    async fn refunded(&self, request: &RefundRequest) -> GatewayResult<RefundStatus> {
        if let Some(id) = &request.refund_ref {
            let found: Refund = self.get(&format!("/v1/refunds/{}", segment(id)?)).await?.read(why)?;
            return refund_status(&found, request);
        }
        let Some(payment) = self.paid(&self.asked(&request.payment_ref).await?).await? else {
            return Err(GatewayError::Refused("nothing was paid".into()));
        };
        let path = format!("/v1/payments/{}", segment(&payment.id)?);
        // Razorpay does not say for how long it keeps idempotency keys; the refund keeps our ID.
        if let Some(found) = self.refund_of(&path, request.refund).await? {
            return refund_status(&found, request);
        }
        let Some(units) = units::to_razorpay(request.amount) else {
            return Err(GatewayError::Refused(format!("Razorpay cannot refund exactly {}", request.amount)));
        };
        let ours = request.refund.to_string();
        let body = json!({ "amount": units, "speed": "normal", "receipt": ours, "notes": { REFUND: ours } });
        let made: Refund = self.post(&format!("{path}/refund"), Some(&ours), &body).await?.read(why)?;
        refund_status(&made, request)
    }

    /// A dispute. Its payment has the notes of the link, and so our ID, or is one of the order that we made.
    async fn disputed(&self, id: &str) -> GatewayResult<GatewayDispute> {
        let found: Dispute = self.get(&format!("/v1/disputes/{}", segment(id)?)).await?.read(why)?;
        let paid: Value =
            self.get(&format!("/v1/payments/{}", segment(&found.payment_id)?)).await?.read(why)?;
        let second = |at: Option<i64>| at.and_then(|at| at.checked_mul(1000));
        let order = paid["order_id"].as_str().map(str::to_owned);
        Ok(GatewayDispute {
            attempt: paid["notes"][ATTEMPT].as_str().and_then(|id| id.parse().ok()),
            payment_ref: order,
            amount: money(found.amount, &found.currency)?,
            // Razorpay doesn't report one.
            fee: None,
            status: dispute_status(&found),
            reason: found.reason_code.unwrap_or_default(),
            evidence_due_ms: second(found.respond_by),
            opened_ms: second(found.created_at),
            reversal: false,
        })
    }

    async fn settled(&self, id: &str) -> GatewayResult<GatewayPayout> {
        let found: Settlement = self.get(&format!("/v1/settlements/{}", segment(id)?)).await?.read(why)?;
        let paid = match found.status.as_str() {
            "processed" => Some(true),
            "failed" => Some(false),
            _ => None,
        };
        // Razorpay settles in rupees, whatever was paid.
        Ok(GatewayPayout { amount: Money::new(found.amount, Currency::INR), paid })
    }

    /// The refund of a payment that was made for ours.
    async fn refund_of(&self, payment: &str, id: RefundId) -> GatewayResult<Option<Refund>> {
        let ours = id.to_string();
        let mut skip = 0;
        loop {
            let path = format!("{payment}/refunds?count={PAGE_SIZE}&skip={skip}");
            let page: Items<Refund> = self.get(&path).await?.read(why)?;
            let is_last = page.items.len() < PAGE_SIZE;
            let is_ours = |refund: &Refund| refund.notes[REFUND] == ours.as_str();
            match page.items.into_iter().find(is_ours) {
                None if !is_last => skip += PAGE_SIZE,
                found => return Ok(found),
            }
        }
    }
}

/// What a shopper was asked to pay.
enum Asked {
    /// On the page of a link.
    Link(Link),
    /// In the window over our page.
    Order(Order),
}

impl Asked {
    fn id(&self) -> &str {
        match self {
            Self::Link(link) => &link.id,
            Self::Order(order) => &order.id,
        }
    }

    /// The attempt that it was made for.
    fn attempt(&self) -> Option<PaymentId> {
        match self {
            Self::Link(link) => link.reference_id.as_ref()?.parse().ok(),
            Self::Order(order) => order.notes[ON_PAGE].as_str()?.parse().ok(),
        }
    }
}

#[derive(Deserialize)]
struct Order {
    id: String,
    status: String,
    created_at: i64,
    /// A list if there are none.
    #[serde(default)]
    notes: Value,
}

#[derive(Deserialize)]
struct Link {
    id: String,
    status: String,
    reference_id: Option<String>,
    order_id: Option<String>,
    #[serde(default)]
    short_url: String,
    /// A list once there are some, and sometimes null before.
    #[serde(default)]
    payments: Value,
}

#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    payment_links: Vec<Link>,
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
struct Payment {
    id: String,
    status: String,
    amount: i64,
    currency: String,
    /// With the tax on it, in the currency of the account.
    fee: Option<i64>,
    /// The currency of the account, if it is another one than that of the payment.
    base_currency: Option<String>,
}

#[derive(Deserialize)]
struct Refund {
    id: String,
    status: String,
    amount: i64,
    currency: String,
    /// A list if there are none.
    #[serde(default)]
    notes: Value,
}

#[derive(Deserialize)]
struct Dispute {
    payment_id: String,
    amount: i64,
    currency: String,
    reason_code: Option<String>,
    respond_by: Option<i64>,
    created_at: Option<i64>,
    status: String,
    #[serde(default)]
    phase: String,
}

#[derive(Deserialize)]
struct Settlement {
    amount: i64,
    status: String,
}

#[derive(Deserialize)]
struct Event {
    event: String,
    created_at: i64,
    payload: Value,
}

impl Payment {
    /// The money has arrived, even if it went back since.
    fn is_captured(&self) -> bool {
        matches!(self.status.as_str(), "captured" | "refunded")
    }
}

/// The reason in an error: its code and cause, which contain nothing of the payment.
fn why(body: &Value) -> String {
    let error = &body["error"];
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    format!("{} {}", text("code"), text("reason"))
}

fn money(units: i64, currency: &str) -> GatewayResult<Money> {
    units::from_razorpay(units, currency).ok_or_else(|| {
        GatewayError::Refused(format!("Razorpay reports {units} {currency}, which is no amount"))
    })
}

fn now_s() -> i64 {
    Clock::default().now_ms() / 1000
}

fn status(asked: &Asked, paid: Option<&Payment>, now_s: i64) -> GatewayResult<GatewayStatus> {
    if let Some(payment) = paid {
        return Ok(GatewayStatus::Captured(money(payment.amount, &payment.currency)?));
    }
    let is_over = match asked {
        Asked::Link(link) => matches!(link.status.as_str(), "cancelled" | "expired"),
        // Orders don't expire, but the window closes.
        Asked::Order(order) => now_s.saturating_sub(order.created_at) > OPEN_S + LATE_S,
    };
    // After a declined payment, the shopper can try again on the same page or in the same window.
    Ok(if is_over { GatewayStatus::Cancelled } else { GatewayStatus::Waiting })
}

/// The fee, if Razorpay charges it in the currency of the payment.
fn fee(payment: &Payment) -> Option<Money> {
    let is_own = payment.base_currency.as_ref().is_none_or(|base| *base == payment.currency);
    units::from_razorpay(payment.fee.filter(|_| is_own)?, &payment.currency)
}

fn dispute_status(dispute: &Dispute) -> DisputeStatus {
    match (dispute.status.as_str(), dispute.phase.as_str()) {
        ("won" | "closed", _) => DisputeStatus::Won,
        ("lost", _) => DisputeStatus::Lost,
        // The bank asks questions.
        (_, "retrieval" | "fraud") => DisputeStatus::Inquiry,
        _ => DisputeStatus::Open,
    }
}

fn refund_status(refund: &Refund, request: &RefundRequest) -> GatewayResult<RefundStatus> {
    if money(refund.amount, &refund.currency)? != request.amount {
        let (id, amount) = (&refund.id, request.amount);
        return Err(GatewayError::Refused(format!("Razorpay's refund {id} is not one of {amount}")));
    }
    let id = refund.id.clone();
    Ok(match refund.status.as_str() {
        "processed" => RefundStatus::Done(id),
        "failed" => RefundStatus::Failed("failed at Razorpay".into()),
        _ => RefundStatus::Pending(id),
    })
}

/// What an event is about. None if it isn't about payments of this market.
fn subject(kind: &str, payload: &Value) -> Option<EventSubject> {
    let entity = |name: &str| &payload[name]["entity"];
    let id = |name: &str| entity(name)["id"].as_str().map(str::to_owned);
    match kind {
        _ if kind.starts_with("payment_link.") => {
            let attempt = entity("payment_link")["reference_id"].as_str()?.parse().ok()?;
            Some(EventSubject::Payment(id("payment_link")?, Some(attempt)))
        }
        "order.paid" => {
            let attempt = entity("order")["notes"][ON_PAGE].as_str()?.parse().ok()?;
            Some(EventSubject::Payment(id("order")?, Some(attempt)))
        }
        // The window gave it the notes of the order. Which attempt the order was made for is read.
        "payment.captured" if entity("payment")["notes"][ON_PAGE].is_string() => {
            let order = entity("payment")["order_id"].as_str()?;
            Some(EventSubject::Payment(order.to_owned(), None))
        }
        _ if kind.starts_with("payment.dispute.") => id("dispute").map(EventSubject::Dispute),
        _ if kind.starts_with("refund.") => {
            let refund = id("refund")?;
            if kind == "refund.failed" {
                tracing::error!(refund, "a refund failed at Razorpay");
            }
            let ours = entity("refund")["notes"][REFUND].as_str().and_then(|id| id.parse().ok());
            Some(EventSubject::Refund(refund, ours))
        }
        _ if kind.starts_with("settlement.") => id("settlement").map(EventSubject::Payout),
        _ if kind.starts_with("account.") => id("account").map(EventSubject::Account),
        _ => None,
    }
}

#[async_trait]
impl PaymentGateway for Razorpay {
    fn name(&self) -> &'static str {
        "razorpay"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { captures: true, refunds: true }
    }

    fn responds(&self) -> bool {
        self.patience.responds()
    }

    fn origins(&self) -> Origins {
        let fake = || vec![self.url.clone()];
        let (forms, scripts, frames, connections) = match self.url == API {
            true => {
                let [short, all] = PAGES.map(str::to_owned);
                let script = "https://checkout.razorpay.com".to_owned();
                (vec![short, all.clone()], vec![script], vec![all.clone()], vec![all])
            }
            false => (fake(), fake(), fake(), vec![]),
        };
        Origins { forms, scripts, frames, connections, windows: true }
    }

    fn window(&self, _: Currency) -> Option<PaymentWindow> {
        let script = match self.url == API {
            true => SCRIPT.to_owned(),
            false => format!("{}/v1/checkout.js", self.url),
        };
        Some(PaymentWindow { method: PaymentMethod::Razorpay, script })
    }

    fn supports(&self, currency: Currency) -> bool {
        supports(currency)
    }

    fn genuine_return(
        &self,
        attempt: PaymentId,
        gateway_ref: Option<&str>,
        query: &HashMap<String, String>,
    ) -> bool {
        signature::genuine_return(&self.key_secret, attempt, gateway_ref, query)
    }

    async fn create(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession> {
        self.patience.call(self.started(request)).await
    }

    async fn retrieve(&self, gateway_ref: &str) -> GatewayResult<GatewayPayment> {
        self.patience
            .call(async {
                let asked = self.asked(gateway_ref).await?;
                let Some(attempt) = asked.attempt() else {
                    return Err(GatewayError::Refused("a payment that the market did not request".into()));
                };
                let (status, fee) = self.status(&asked).await?;
                Ok(GatewayPayment { attempt, status, fee, paid_ref: None })
            })
            .await
    }

    async fn capture(&self, _: &str) -> GatewayResult<GatewayStatus> {
        Err(GatewayError::Refused("Razorpay captures payments by itself".into()))
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
        Some(format!("https://dashboard.razorpay.com/app/disputes/{gateway_ref}"))
    }

    async fn payout(&self, gateway_ref: &str) -> GatewayResult<GatewayPayout> {
        self.patience.call(self.settled(gateway_ref)).await
    }

    async fn webhook(&self, webhook: Webhook<'_>, now_ms: i64) -> GatewayResult<Vec<GatewayEvent>> {
        let forged = || GatewayError::Refused("not signed by Razorpay, or long ago".into());
        let signature = webhook.header(signature::HEADER);
        let is_signed = |secret: &String| signature::verify(secret, webhook.body, signature);
        if !self.webhook_secrets.iter().any(is_signed) {
            return Err(forged());
        }
        let event: Event =
            serde_json::from_slice(webhook.body).map_err(|e| GatewayError::Refused(e.to_string()))?;
        let age = (now_ms / 1000).checked_sub(event.created_at);
        if age.is_none_or(|age| age.unsigned_abs() > TOLERANCE_S) {
            return Err(forged());
        }
        let about = subject(&event.event, &event.payload);
        // The event's ID is in a header that is not signed. The signature is as unique as the body.
        Ok(about.map(|about| GatewayEvent { id: signature.to_owned(), about }).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(status: &str) -> Asked {
        let entity = json!({ "id": "plink_1", "status": status, "customer": [], "notes": [] });
        Asked::Link(serde_json::from_value(entity).unwrap())
    }

    fn order(status: &str) -> Asked {
        let entity = json!({ "id": "order_1", "status": status, "created_at": 1_000, "notes": [] });
        Asked::Order(serde_json::from_value(entity).unwrap())
    }

    fn payment(status: &str, amount: i64, currency: &str) -> Payment {
        let entity = json!({ "id": "pay_1", "status": status, "amount": amount, "currency": currency });
        serde_json::from_value(entity).unwrap()
    }

    fn inr(amount: i64) -> Money {
        Money::new(amount, Currency::INR)
    }

    #[test]
    fn each_state_of_a_link_has_a_status() {
        let paid = payment("captured", 1_000, "INR");
        let (less, dollars) = (payment("captured", 900, "INR"), payment("captured", 1_000, "USD"));
        let usd = Money::new(1_000, "USD".parse().unwrap());
        for (state, paid, expected) in [
            ("created", None, GatewayStatus::Waiting),
            ("partially_paid", None, GatewayStatus::Waiting),
            ("something_new", None, GatewayStatus::Waiting),
            // Razorpay has not captured it yet.
            ("paid", None, GatewayStatus::Waiting),
            ("cancelled", None, GatewayStatus::Cancelled),
            ("expired", None, GatewayStatus::Cancelled),
            ("paid", Some(&paid), GatewayStatus::Captured(inr(1_000))),
            ("cancelled", Some(&paid), GatewayStatus::Captured(inr(1_000))),
            ("expired", Some(&paid), GatewayStatus::Captured(inr(1_000))),
            // What was captured counts, not what was asked for.
            ("paid", Some(&less), GatewayStatus::Captured(inr(900))),
            ("paid", Some(&dollars), GatewayStatus::Captured(usd)),
        ] {
            assert_eq!(status(&link(state), paid, 0), Ok(expected), "{state}");
        }
        let end = 1_000 + OPEN_S + LATE_S;
        for (state, paid, now_s, expected) in [
            ("created", None, 1_000, GatewayStatus::Waiting),
            ("attempted", None, 1_000, GatewayStatus::Waiting),
            ("attempted", None, end, GatewayStatus::Waiting),
            ("attempted", None, end + 1, GatewayStatus::Cancelled),
            ("created", None, end + 1, GatewayStatus::Cancelled),
            ("paid", Some(&paid), end + 1, GatewayStatus::Captured(inr(1_000))),
            ("paid", Some(&less), 1_000, GatewayStatus::Captured(inr(900))),
            // Not yet captured, or the order of a payment that went back.
            ("paid", None, 1_000, GatewayStatus::Waiting),
        ] {
            assert_eq!(status(&order(state), paid, now_s), Ok(expected), "{state} {now_s}");
        }
        for (state, counts) in [
            ("created", false),
            ("authorized", false),
            ("failed", false),
            ("captured", true),
            ("refunded", true),
        ] {
            assert_eq!(payment(state, 1, "INR").is_captured(), counts, "{state}");
        }
        assert!(status(&link("paid"), Some(&payment("captured", 1, "XYZ")), 0).is_err());
    }

    #[test]
    fn a_fee_in_another_currency_is_not_taken() {
        let charged = |currency: &str, base: Option<&str>| {
            fee(&Payment {
                fee: Some(24),
                base_currency: base.map(str::to_owned),
                ..payment("captured", 1, currency)
            })
        };
        assert_eq!(charged("INR", None), Some(inr(24)));
        assert_eq!(charged("INR", Some("INR")), Some(inr(24)));
        assert_eq!(charged("USD", Some("INR")), None);
        assert_eq!(fee(&payment("captured", 1, "INR")), None, "not yet known");
    }

    #[test]
    fn each_state_of_a_refund_has_a_status() {
        let refund = haat_engine::random::id(0);
        let request =
            RefundRequest { payment_ref: "plink_1".into(), refund, refund_ref: None, amount: inr(500) };
        let refund = |status: &str, amount: i64| -> Refund {
            let entity = json!({ "id": "rfnd_1", "status": status, "amount": amount, "currency": "INR" });
            serde_json::from_value(entity).unwrap()
        };
        let seen = |status: &str| refund_status(&refund(status, 500), &request).unwrap();
        assert_eq!(seen("processed"), RefundStatus::Done("rfnd_1".into()));
        assert_eq!(seen("pending"), RefundStatus::Pending("rfnd_1".into()));
        assert_eq!(seen("something_new"), RefundStatus::Pending("rfnd_1".into()));
        assert_eq!(seen("failed"), RefundStatus::Failed("failed at Razorpay".into()));
        assert!(refund_status(&refund("processed", 501), &request).is_err(), "another amount");
    }

    #[test]
    fn events_say_what_to_read_again() {
        let (payment, refund): (PaymentId, RefundId) =
            (haat_engine::random::id(0), haat_engine::random::id(0));
        let entity = |name: &str, entity: Value| json!({ name: { "entity": entity } });
        let link = entity("payment_link", json!({ "id": "plink_1", "reference_id": payment.to_string() }));
        let back = entity("refund", json!({ "id": "rfnd_1", "notes": { REFUND: refund.to_string() } }));
        let order = entity("order", json!({ "id": "order_1", "notes": { ON_PAGE: payment.to_string() } }));
        let in_window =
            json!({ "id": "pay_1", "order_id": "order_1", "notes": { ON_PAGE: payment.to_string() } });
        let in_window = entity("payment", in_window);
        // Of a link, whose own event follows.
        let of_link =
            json!({ "id": "pay_1", "order_id": "order_1", "notes": { ATTEMPT: payment.to_string() } });
        let of_link = entity("payment", of_link);
        let link_order =
            entity("order", json!({ "id": "order_1", "notes": { ATTEMPT: payment.to_string() } }));
        let stranger = entity("payment_link", json!({ "id": "plink_1", "reference_id": "TS1989" }));
        let by_hand = entity("refund", json!({ "id": "rfnd_1", "notes": [] }));
        for (kind, payload, expected) in [
            ("payment_link.paid", &link, Some(format!("Payment(\"plink_1\", Some({payment:?}))"))),
            ("payment_link.expired", &link, Some(format!("Payment(\"plink_1\", Some({payment:?}))"))),
            ("payment_link.cancelled", &link, Some(format!("Payment(\"plink_1\", Some({payment:?}))"))),
            ("refund.processed", &back, Some(format!("Refund(\"rfnd_1\", Some({refund:?}))"))),
            ("refund.failed", &by_hand, Some("Refund(\"rfnd_1\", None)".into())),
            (
                "payment.dispute.created",
                &entity("dispute", json!({ "id": "disp_1" })),
                Some("Dispute(\"disp_1\")".into()),
            ),
            (
                "settlement.processed",
                &entity("settlement", json!({ "id": "setl_1" })),
                Some("Payout(\"setl_1\")".into()),
            ),
            ("order.paid", &order, Some(format!("Payment(\"order_1\", Some({payment:?}))"))),
            ("payment.captured", &in_window, Some("Payment(\"order_1\", None)".into())),
            ("payment.captured", &of_link, None),
            ("payment.failed", &in_window, None),
            ("order.paid", &link_order, None),
            ("payment_link.paid", &stranger, None),
            ("payment.captured", &link, None),
            ("subscription.charged", &link, None),
            ("payment_link.paid", &json!(null), None),
        ] {
            assert_eq!(
                subject(kind, payload).map(|about| format!("{about:?}")),
                expected,
                "{kind} {payload}"
            );
        }
    }

    #[tokio::test]
    async fn only_genuine_recent_webhooks_are_accepted() {
        const NOW_S: i64 = 1_796_000_000;
        let razorpay = Razorpay::new(Settings {
            key_id: "rzp_test_1".into(),
            key_secret: "hush".into(),
            webhook_secrets: vec!["old".into(), "new".into()],
            url: API.into(),
            market: "Haat".into(),
        });
        let attempt: PaymentId = haat_engine::random::id(0);
        let entity = json!({ "entity": { "id": "plink_1", "reference_id": attempt.to_string() } });
        let event = |created_at: i64| {
            let event = json!({ "event": "payment_link.paid", "created_at": created_at, "payload": { "payment_link": entity } });
            event.to_string().into_bytes()
        };
        let read = async |secret: &str, body: &[u8], sent: &[u8]| {
            let headers = [(signature::HEADER.to_owned(), signature::sign(secret, sent))];
            razorpay.webhook(Webhook { headers: &headers, body }, NOW_S * 1000).await
        };
        let body = event(NOW_S);
        for secret in ["old", "new"] {
            assert_eq!(read(secret, &body, &body).await.unwrap().len(), 1, "{secret}");
        }
        assert!(read("older", &body, &body).await.is_err(), "another secret");
        assert!(read("", &body, &body).await.is_err(), "no secret");
        assert!(read("new", &event(NOW_S + 1), &body).await.is_err(), "another body");
        // Repeated as it was, for a day.
        let yesterday = event(NOW_S - 86_400);
        assert!(read("new", &yesterday, &yesterday).await.is_ok());
        for age in [TOLERANCE_S.cast_signed() + 1, -(TOLERANCE_S.cast_signed() + 1), i64::MIN] {
            let body = event(NOW_S.saturating_sub(age));
            assert!(read("new", &body, &body).await.is_err(), "{age}");
        }
        let unsigned = razorpay.webhook(Webhook { headers: &[], body: &body }, NOW_S * 1000).await;
        assert!(unsigned.is_err(), "unsigned");
    }
}
