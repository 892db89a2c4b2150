//! The payment gateway Stripe: shoppers pay by card on Stripe's own page (Checkout), which also does 3-D Secure.
//!
//! A crate of its own, because its SDK takes long to compile. `docs/payments.md` says how it is set up, and
//! what was never tried against the real Stripe.

mod signature;
mod units;

use std::collections::HashMap;

use async_trait::async_trait;
use haat_engine::{
    Clock,
    payments::{
        self, Capabilities, EventSubject, GatewayError, GatewayEvent, GatewayPayment, GatewayResult,
        GatewayStatus, NextStep, Origins, Patience, PaymentGateway, PaymentRequest, PaymentSession,
        REQUEST_LIMIT, RefundRequest, RefundStatus, Webhook,
    },
};
use haat_shared::{
    Money,
    id::kinds::{PaymentId, RefundId},
};
use serde::Deserialize;
use serde_json::Value;
use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeError, StripeRequest};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAdaptivePricing,
    CreateCheckoutSessionAllowedPaymentMethodTypes, CreateCheckoutSessionLineItems,
    CreateCheckoutSessionLineItemsPriceData, CreateCheckoutSessionPaymentIntentData,
    CreateCheckoutSessionPaymentIntentDataCaptureMethod, ExpireCheckoutSession, ListCheckoutSession,
    ProductData, RetrieveCheckoutSession,
};
use stripe_core::{
    payment_intent::{CancelPaymentIntent, CapturePaymentIntent},
    refund::{CreateRefund, ListRefund, RetrieveRefund},
};
use stripe_shared::{
    CheckoutSession, CheckoutSessionMode, CheckoutSessionStatus, PaymentIntent, PaymentIntentStatus, Refund,
};

/// Stripe's API.
pub const API: &str = "https://api.stripe.com";
/// Stripe's page, on which shoppers pay.
const PAGE: &str = "https://checkout.stripe.com";

/// How long a shopper can pay after the attempt began. Stripe accepts 30 minutes to 24 hours.
const OPEN_S: i64 = 3_600;
/// The age at which a session that `create` returns may be the stored response of an earlier request.
const FRESH_S: i64 = 20;

/// Our IDs in Stripe's metadata.
const ATTEMPT: &str = "haat_attempt";
const REFUND: &str = "haat_refund";

/// The settings of a Stripe account.
pub struct Settings {
    /// The secret key of the API: `sk_…` or `rk_…`.
    pub secret_key: String,
    /// The secrets of the webhook, two while they are rotated: `whsec_…`.
    pub webhook_secrets: Vec<String>,
    /// The URL of the API. Another one than [`API`] is a fake, which also serves the page for paying.
    pub url: String,
    /// Whether payments are authorized first, and captured once the checkout can be bought.
    pub authorizes: bool,
    /// What the market is called, on Stripe's page.
    pub market: String,
}

/// The gateway.
pub struct Stripe {
    client: Client,
    webhook_secrets: Vec<String>,
    page: String,
    authorizes: bool,
    market: String,
    patience: Patience,
}

impl Stripe {
    /// The gateway of an account. The error says what is wrong with the settings, without secrets.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let Settings { secret_key, webhook_secrets, url, authorizes, market } = settings;
        let address = url::Url::parse(&url).map_err(|e| e.to_string())?;
        let page = if url.trim_end_matches('/') == API {
            PAGE.to_owned()
        } else {
            address.origin().ascii_serialization()
        };
        let client = ClientBuilder::new(secret_key)
            .url(url)
            .timeout(REQUEST_LIMIT)
            .app_info("Haat", Some(env!("CARGO_PKG_VERSION").into()), None)
            .build()
            .map_err(|e| e.to_string())?;
        Ok(Self { client, webhook_secrets, page, authorizes, market, patience: Patience::default() })
    }

    /// A session of Stripe's page, with its payment, the charge and the fee.
    async fn session(&self, id: &str) -> GatewayResult<CheckoutSession> {
        let expand = vec!["payment_intent.latest_charge.balance_transaction".to_owned()];
        let request = RetrieveCheckoutSession::new(id).expand(expand);
        repeated(|| request.customize().send(&self.client)).await
    }

    /// The session that a payment of Stripe belongs to. Events about payments don't name it.
    async fn session_of(&self, intent: &str) -> GatewayResult<Option<String>> {
        let request = ListCheckoutSession::new().payment_intent(intent).limit(1);
        let found = repeated(|| request.customize().send(&self.client)).await?;
        Ok(found.data.into_iter().next().map(|session| session.id.to_string()))
    }

    async fn create_session(&self, request: &PaymentRequest) -> GatewayResult<CheckoutSession> {
        let PaymentRequest { attempt, amount, return_url, method: _, locale: _ } = request;
        let Some(units) = units::to_stripe(*amount) else {
            return Err(GatewayError::Refused(format!("Stripe cannot charge exactly {amount}")));
        };
        let metadata = HashMap::from([(ATTEMPT.to_owned(), attempt.to_string())]);
        let item = CreateCheckoutSessionLineItems {
            price_data: Some(CreateCheckoutSessionLineItemsPriceData {
                product_data: Some(ProductData::new(&*self.market)),
                unit_amount: Some(units),
                ..CreateCheckoutSessionLineItemsPriceData::new(stripe_currency(*amount))
            }),
            quantity: Some(1),
            ..CreateCheckoutSessionLineItems::new()
        };
        let intent = CreateCheckoutSessionPaymentIntentData {
            capture_method: self
                .authorizes
                .then_some(CreateCheckoutSessionPaymentIntentDataCaptureMethod::Manual),
            metadata: Some(metadata.clone()),
            ..CreateCheckoutSessionPaymentIntentData::new()
        };
        // Everything depends on the attempt alone: Stripe refuses a key that is used again with something else.
        let create = CreateCheckoutSession::new()
            .mode(CheckoutSessionMode::Payment)
            .allowed_payment_method_types(vec![CreateCheckoutSessionAllowedPaymentMethodTypes::Card])
            // The shopper pays the amount and the currency of the checkout, not what Stripe converts it to.
            .adaptive_pricing(CreateCheckoutSessionAdaptivePricing { enabled: Some(false) })
            .line_items(vec![item])
            .payment_intent_data(intent)
            .metadata(metadata)
            .client_reference_id(attempt.to_string())
            .success_url(return_url)
            .cancel_url(return_url)
            .expires_at(request.begun_ms() / 1000 + OPEN_S);
        let key = key(attempt)?;
        repeated(|| create.customize().request_strategy(key.clone()).send(&self.client)).await
    }

    async fn started(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession> {
        let mut session = self.create_session(request).await?;
        // A repeated request gets the response that the first one got, however long ago.
        if Clock::default().now_ms() / 1000 - session.created > FRESH_S {
            session = self.session(session.id.as_str()).await?;
        }
        let status = status(&session)?;
        let next = match (status, &session.url) {
            (GatewayStatus::Waiting, Some(url)) => NextStep::Redirect(url.clone()),
            _ => NextStep::Done,
        };
        Ok(PaymentSession { gateway_ref: session.id.to_string(), status, next })
    }

    async fn captured(&self, id: &str) -> GatewayResult<GatewayStatus> {
        let session = self.session(id).await?;
        match (intent(&session), status(&session)?) {
            (Some(intent), GatewayStatus::Authorized(_)) => {
                let request = CapturePaymentIntent::new(intent.id.clone());
                match repeated(|| request.customize().send(&self.client)).await {
                    Ok(intent) => intent_status(&intent),
                    // Perhaps captured by an earlier request, whose response was lost.
                    Err(GatewayError::Refused(why)) => match status(&self.session(id).await?)? {
                        GatewayStatus::Authorized(_) => Err(GatewayError::Refused(why)),
                        status => Ok(status),
                    },
                    Err(error) => Err(error),
                }
            }
            (_, status) => Ok(status),
        }
    }

    async fn cancelled(&self, id: &str) -> GatewayResult<GatewayStatus> {
        let session = self.session(id).await?;
        let ended = match (&session.status, intent(&session)) {
            (Some(CheckoutSessionStatus::Open), _) => {
                let request = ExpireCheckoutSession::new(session.id.clone());
                repeated(|| request.customize().send(&self.client)).await.map(drop)
            }
            (_, Some(intent)) if matches!(status(&session)?, GatewayStatus::Authorized(_)) => {
                let request = CancelPaymentIntent::new(intent.id.clone());
                repeated(|| request.customize().send(&self.client)).await.map(drop)
            }
            _ => return status(&session),
        };
        // What it is now, even if it ended otherwise in the meantime.
        match (ended, status(&self.session(id).await?)?) {
            (Err(error), GatewayStatus::Waiting | GatewayStatus::Authorized(_)) => Err(error),
            (_, status) => Ok(status),
        }
    }

    async fn refunded(&self, request: &RefundRequest) -> GatewayResult<RefundStatus> {
        if let Some(id) = &request.refund_ref {
            let retrieve = RetrieveRefund::new(id.as_str());
            let found = repeated(|| retrieve.customize().send(&self.client)).await?;
            return refund_status(&found, request);
        }
        let session = self.session(&request.payment_ref).await?;
        let Some(intent) = session.payment_intent.map(|intent| intent.into_id().to_string()) else {
            return Err(GatewayError::Refused("nothing was paid".into()));
        };
        // Stripe forgets idempotency keys after a day; the refund keeps our ID.
        if let Some(found) = self.refund_of(&intent, request.refund).await? {
            return refund_status(&found, request);
        }
        let Some(units) = units::to_stripe(request.amount) else {
            return Err(GatewayError::Refused(format!("Stripe cannot refund exactly {}", request.amount)));
        };
        let create = CreateRefund::new()
            .payment_intent(intent)
            .amount(units)
            .metadata(HashMap::from([(REFUND.to_owned(), request.refund.to_string())]));
        let key = key(request.refund)?;
        let made = repeated(|| create.customize().request_strategy(key.clone()).send(&self.client)).await?;
        refund_status(&made, request)
    }

    /// The refund of a payment that was made for ours.
    async fn refund_of(&self, intent: &str, id: RefundId) -> GatewayResult<Option<Refund>> {
        let ours = id.to_string();
        let mut request = ListRefund::new().payment_intent(intent).limit(100);
        loop {
            let page = repeated(|| request.customize().send(&self.client)).await?;
            let last = page.data.last().map(|refund| refund.id.to_string());
            let is_ours = |refund: &Refund| {
                refund.metadata.as_ref().and_then(|metadata| metadata.get(REFUND)) == Some(&ours)
            };
            if let Some(found) = page.data.into_iter().find(is_ours) {
                return Ok(Some(found));
            }
            match last.filter(|_| page.has_more) {
                Some(last) => request = request.starting_after(last),
                None => return Ok(None),
            }
        }
    }

    /// What an event is about. None if it isn't about payments of this market.
    async fn subject(&self, kind: &str, object: &Value) -> GatewayResult<Option<EventSubject>> {
        let Some(id) = object["id"].as_str().map(str::to_owned) else { return Ok(None) };
        let ours = |name: &str| object["metadata"][name].as_str();
        let attempt: Option<PaymentId> = ours(ATTEMPT).and_then(|id| id.parse().ok());
        let refund: Option<RefundId> = ours(REFUND).and_then(|id| id.parse().ok());
        Ok(match kind {
            "checkout.session.completed"
            | "checkout.session.expired"
            | "checkout.session.async_payment_succeeded"
            | "checkout.session.async_payment_failed" => attempt.map(|_| EventSubject::Payment(id, attempt)),
            // Captured or cancelled in Stripe's dashboard, or no longer authorized.
            "payment_intent.succeeded" | "payment_intent.canceled" if attempt.is_some() => {
                self.session_of(&id).await?.map(|session| EventSubject::Payment(session, attempt))
            }
            // The fee is known.
            "charge.updated" if attempt.is_some() => match object["payment_intent"].as_str() {
                Some(intent) => {
                    self.session_of(intent).await?.map(|session| EventSubject::Payment(session, attempt))
                }
                None => None,
            },
            "refund.created" | "refund.updated" | "refund.failed" => {
                if kind == "refund.failed" {
                    tracing::error!(refund = id, ours = ?refund, "a refund failed at Stripe");
                }
                Some(EventSubject::Refund(id, refund))
            }
            _ if kind.starts_with("charge.dispute.") => Some(EventSubject::Dispute(id)),
            _ if kind.starts_with("payout.") => Some(EventSubject::Payout(id)),
            _ if kind.starts_with("account.") => Some(EventSubject::Account(id)),
            _ => None,
        })
    }
}

/// The parts of an event that are needed. It may be of another version of the API, in which the SDK's types
/// could not be read; what it is about is read again in any case.
#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

/// The idempotency key for one of our IDs.
fn key(id: impl ToString) -> GatewayResult<RequestStrategy> {
    let key = IdempotencyKey::new(id.to_string()).map_err(|e| GatewayError::Refused(e.to_string()))?;
    Ok(RequestStrategy::Idempotent(key))
}

fn stripe_currency(amount: Money) -> stripe_types::Currency {
    let code = amount.currency().code().to_lowercase();
    code.parse().unwrap_or(stripe_types::Currency::Unknown(code))
}

/// An amount of Stripe as ours.
fn money(units: i64, currency: &stripe_types::Currency) -> GatewayResult<Money> {
    let code = currency.to_string();
    units::from_stripe(units, &code)
        .ok_or_else(|| GatewayError::Refused(format!("Stripe reports {units} {code}, which is no amount")))
}

/// The payment of a session. Until the shopper pays, there is none.
fn intent(session: &CheckoutSession) -> Option<&PaymentIntent> {
    session.payment_intent.as_ref()?.as_object()
}

fn status(session: &CheckoutSession) -> GatewayResult<GatewayStatus> {
    match (&session.status, intent(session)) {
        (Some(CheckoutSessionStatus::Expired), _) => Ok(GatewayStatus::Cancelled),
        (Some(CheckoutSessionStatus::Complete), Some(intent)) => intent_status(intent),
        // After a declined card, the shopper can try another one on the same page.
        _ => Ok(GatewayStatus::Waiting),
    }
}

/// The status of a payment whose page is complete.
fn intent_status(intent: &PaymentIntent) -> GatewayResult<GatewayStatus> {
    Ok(match &intent.status {
        PaymentIntentStatus::Succeeded => {
            GatewayStatus::Captured(money(intent.amount_received, &intent.currency)?)
        }
        PaymentIntentStatus::RequiresCapture => {
            GatewayStatus::Authorized(money(intent.amount_capturable, &intent.currency)?)
        }
        PaymentIntentStatus::Canceled => GatewayStatus::Cancelled,
        PaymentIntentStatus::RequiresPaymentMethod => GatewayStatus::Declined,
        _ => GatewayStatus::Waiting,
    })
}

/// The fee, once Stripe has booked the charge.
fn fee(session: &CheckoutSession) -> Option<Money> {
    let charge = intent(session)?.latest_charge.as_ref()?.as_object()?;
    let booked = charge.balance_transaction.as_ref()?.as_object()?;
    units::from_stripe(booked.fee, &booked.currency.to_string())
}

fn refund_status(refund: &Refund, request: &RefundRequest) -> GatewayResult<RefundStatus> {
    if money(refund.amount, &refund.currency)? != request.amount {
        let (id, amount) = (&refund.id, request.amount);
        return Err(GatewayError::Refused(format!("Stripe's refund {id} is not one of {amount}")));
    }
    let id = refund.id.to_string();
    Ok(match refund.status.as_deref() {
        Some("succeeded") => RefundStatus::Done(id),
        Some("failed" | "canceled") => {
            let why = refund.failure_reason.clone();
            RefundStatus::Failed(why.unwrap_or_else(|| "cancelled at Stripe".into()))
        }
        _ => RefundStatus::Pending(id),
    })
}

/// Sends a request that may be sent again, a few times if that may help.
async fn repeated<T, F>(send: impl Fn() -> F) -> GatewayResult<T>
where
    F: Future<Output = Result<T, StripeError>>,
{
    payments::repeated(send, passes).await.map_err(|error| failed(&error))
}

/// Whether the same request may succeed in a moment.
fn passes(error: &StripeError) -> bool {
    match error {
        StripeError::ClientError(_) | StripeError::Timeout => true,
        StripeError::Stripe(_, status) => matches!(status, 409 | 424 | 429 | 500..=599),
        StripeError::JSONDeserialize(_) | StripeError::ConfigError(_) => false,
    }
}

/// The error of a request. Stripe's own text of it would contain the whole payment.
fn failed(error: &StripeError) -> GatewayError {
    let StripeError::Stripe(about, status) = error else {
        // Also if the response could not be read: the request may have succeeded.
        return GatewayError::Unreachable(error.to_string());
    };
    let code = about.code.as_ref().map_or("", |code| code.as_str());
    let message = about.message.as_deref().unwrap_or_default();
    let text = format!("{status} {} {code}: {message}", about.type_.as_str());
    // A wrong key is the operator's mistake, and no refusal of this payment.
    if passes(error) || matches!(status, 401 | 403 | 408) {
        GatewayError::Unreachable(text)
    } else {
        GatewayError::Refused(text)
    }
}

#[async_trait]
impl PaymentGateway for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
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

    async fn create(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession> {
        self.patience.call(self.started(request)).await
    }

    async fn retrieve(&self, gateway_ref: &str) -> GatewayResult<GatewayPayment> {
        let session = self.patience.call(self.session(gateway_ref)).await?;
        let attempt = session.metadata.as_ref().and_then(|metadata| metadata.get(ATTEMPT)?.parse().ok());
        let Some(attempt) = attempt else {
            return Err(GatewayError::Refused("a payment that the market did not request".into()));
        };
        Ok(GatewayPayment { attempt, status: status(&session)?, fee: fee(&session) })
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

    async fn webhook(&self, webhook: Webhook<'_>, now_ms: i64) -> GatewayResult<Vec<GatewayEvent>> {
        if !signature::verify(webhook.header(signature::HEADER), webhook.body, &self.webhook_secrets, now_ms)
        {
            return Err(GatewayError::Refused("not signed by Stripe, or long ago".into()));
        }
        let event: Event =
            serde_json::from_slice(webhook.body).map_err(|e| GatewayError::Refused(e.to_string()))?;
        let about = self.patience.call(self.subject(&event.kind, &event.data.object)).await?;
        Ok(about.map(|about| GatewayEvent { id: event.id, about }).into_iter().collect())
    }
}
