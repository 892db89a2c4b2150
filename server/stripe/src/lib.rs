//! The payment gateway Stripe. With JavaScript, shoppers enter their card in Stripe's fields on our page (the Payment
//! Element); without, on Stripe's own page (Checkout). Both also do 3-D Secure.
//!
//! A crate of its own, because its SDK takes long to compile. `docs/payments.md` says how it is set up, and
//! what was never tried against the real Stripe.

mod cards;
mod connect;
mod signature;
mod units;

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use haat_engine::{
    Clock,
    payments::{
        self, Capabilities, CardVault, DisputeStatus, EventSubject, GatewayDispute, GatewayError,
        GatewayEvent, GatewayPayment, GatewayPayout, GatewayResult, GatewayStatus, NextStep, Origins,
        Patience, PaymentGateway, PaymentRequest, PaymentSession, REQUEST_LIMIT, RefundRequest, RefundStatus,
        Webhook,
    },
};
use haat_shared::{
    Currency, Money,
    id::kinds::{PaymentId, RefundId},
    payments::{PaymentFields, PaymentMethod},
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
    dispute::RetrieveDispute,
    payment_intent::{
        CancelPaymentIntent, CapturePaymentIntent, CreatePaymentIntent,
        CreatePaymentIntentAutomaticPaymentMethods, RetrievePaymentIntent,
    },
    payout::RetrievePayout,
    refund::{CreateRefund, ListRefund, RetrieveRefund},
};
use stripe_shared::{
    CheckoutSession, CheckoutSessionMode, CheckoutSessionStatus, Dispute, DisputeStatus as StripeStatus,
    PaymentIntent, PaymentIntentCaptureMethod, PaymentIntentStatus, Refund,
};

/// Stripe's API.
pub const API: &str = "https://api.stripe.com";
/// Stripe's page, on which shoppers pay.
const PAGE: &str = "https://checkout.stripe.com";
/// Stripe's page, on which shops enter their details.
const CONNECT_PAGE: &str = "https://connect.stripe.com";
/// Stripe's script, which shows its fields on our page. It must be loaded from there.
const SCRIPT: &str = "https://js.stripe.com/v3/";

/// How long a shopper can pay after the attempt began. Stripe accepts 30 minutes to 24 hours.
const OPEN_S: i64 = 3_600;
/// The age at which a session that `create` returns may be the stored response of an earlier request.
const FRESH_S: i64 = 20;

/// Our IDs in Stripe's metadata.
const ATTEMPT: &str = "haat_attempt";
/// The attempt, in the metadata of a payment that is made on our page and so has no session.
const ON_PAGE: &str = "haat_on_page";
/// How references to such payments begin.
const INTENT: &str = "pi_";
const REFUND: &str = "haat_refund";

/// The settings of a Stripe account.
pub struct Settings {
    /// The secret key of the API: `sk_…` or `rk_…`.
    pub secret_key: String,
    /// The secrets of the webhook, two while they are rotated: `whsec_…`.
    pub webhook_secrets: Vec<String>,
    /// The URL of the API. Another one than [`API`] is a fake, which also serves the page for paying and
    /// the script.
    pub url: String,
    /// Whether payments are authorized first, and captured once the checkout can be bought.
    pub authorizes: bool,
    /// What the market is called, on Stripe's page.
    pub market: String,
    /// Whether shops can connect an account, to which payouts are transferred.
    pub connect: bool,
    /// The publishable key: `pk_…`. Empty if payments are only made on Stripe's page.
    pub publishable_key: String,
}

/// The gateway.
pub struct Stripe {
    client: Client,
    webhook_secrets: Vec<String>,
    authorizes: bool,
    market: String,
    connect: bool,
    publishable_key: String,
    script: String,
    origins: Origins,
    patience: Patience,
}

/// A payment at Stripe.
enum Payment {
    /// On Stripe's page.
    Session(Box<CheckoutSession>),
    /// On ours.
    Intent(Box<PaymentIntent>),
}

impl Payment {
    /// On Stripe's page, there is none until the shopper pays.
    fn intent(&self) -> Option<&PaymentIntent> {
        match self {
            Self::Session(session) => session.payment_intent.as_ref()?.as_object(),
            Self::Intent(intent) => Some(intent),
        }
    }

    fn id(&self) -> String {
        match self {
            Self::Session(session) => session.id.to_string(),
            Self::Intent(intent) => intent.id.to_string(),
        }
    }

    fn created_s(&self) -> i64 {
        match self {
            Self::Session(session) => session.created,
            Self::Intent(intent) => intent.created,
        }
    }

    /// The attempt that it was created for.
    fn attempt(&self) -> Option<PaymentId> {
        let ours = match self {
            Self::Session(session) => session.metadata.as_ref()?.get(ATTEMPT),
            Self::Intent(intent) => intent.metadata.get(ON_PAGE),
        };
        ours?.parse().ok()
    }

    fn status(&self) -> GatewayResult<GatewayStatus> {
        match self {
            Self::Session(session) => match (&session.status, self.intent()) {
                (Some(CheckoutSessionStatus::Expired), _) => Ok(GatewayStatus::Cancelled),
                (Some(CheckoutSessionStatus::Complete), Some(intent)) => intent_status(intent),
                // After a declined card, the shopper can try another one on the same page.
                _ => Ok(GatewayStatus::Waiting),
            },
            Self::Intent(intent) => match intent_status(intent)? {
                GatewayStatus::Declined => Ok(GatewayStatus::Waiting),
                status => Ok(status),
            },
        }
    }

    /// Whether nobody has paid yet, and it can still be ended.
    fn is_open(&self) -> bool {
        match self {
            Self::Session(session) => matches!(session.status, Some(CheckoutSessionStatus::Open)),
            Self::Intent(intent) => matches!(
                intent.status,
                PaymentIntentStatus::RequiresPaymentMethod
                    | PaymentIntentStatus::RequiresConfirmation
                    | PaymentIntentStatus::RequiresAction
            ),
        }
    }

    /// The fee, once Stripe has booked the charge.
    fn fee(&self) -> Option<Money> {
        let charge = self.intent()?.latest_charge.as_ref()?.as_object()?;
        let booked = charge.balance_transaction.as_ref()?.as_object()?;
        units::from_stripe(booked.fee, &booked.currency.to_string())
    }
}

impl Stripe {
    /// The gateway of an account. The error says what is wrong with the settings, without secrets.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let Settings { secret_key, webhook_secrets, url, authorizes, market, connect, publishable_key } =
            settings;
        let address = url::Url::parse(&url).map_err(|e| e.to_string())?;
        let (page, script) = if url.trim_end_matches('/') == API {
            (PAGE.to_owned(), SCRIPT.to_owned())
        } else {
            let fake = address.origin().ascii_serialization();
            (fake.clone(), format!("{fake}/v3/"))
        };
        let mut origins = origins(&page, &publishable_key);
        if connect && page == PAGE {
            origins.forms.push(CONNECT_PAGE.to_owned());
        }
        let client = ClientBuilder::new(secret_key)
            .url(url)
            .timeout(REQUEST_LIMIT)
            .app_info("Haat", Some(env!("CARGO_PKG_VERSION").into()), None)
            .build()
            .map_err(|e| e.to_string())?;
        let patience = Patience::default();
        Ok(Self {
            client,
            webhook_secrets,
            authorizes,
            market,
            connect,
            publishable_key,
            script,
            origins,
            patience,
        })
    }

    /// A payment with its charge and the fee.
    async fn payment(&self, id: &str) -> GatewayResult<Payment> {
        let expand = "latest_charge.balance_transaction";
        if id.starts_with(INTENT) {
            let request = RetrievePaymentIntent::new(id).expand(vec![expand.to_owned()]);
            let intent = repeated(|| request.customize().send(&self.client)).await?;
            return Ok(Payment::Intent(Box::new(intent)));
        }
        let request = RetrieveCheckoutSession::new(id).expand(vec![format!("payment_intent.{expand}")]);
        let session = repeated(|| request.customize().send(&self.client)).await?;
        Ok(Payment::Session(Box::new(session)))
    }

    /// The session that a payment of Stripe belongs to. Events about payments don't name it.
    async fn session_of(&self, intent: &str) -> GatewayResult<Option<String>> {
        let request = ListCheckoutSession::new().payment_intent(intent).limit(1);
        let found = repeated(|| request.customize().send(&self.client)).await?;
        Ok(found.data.into_iter().next().map(|session| session.id.to_string()))
    }

    /// Requests a payment that the shopper makes on our page. All methods that are enabled in Stripe's dashboard may
    /// be used.
    async fn create_intent(&self, request: &PaymentRequest) -> GatewayResult<PaymentIntent> {
        let (attempt, amount) = (request.attempt, request.amount);
        // One entry: the order of several would differ from request to request, and Stripe might refuse the key.
        let metadata = HashMap::from([(ON_PAGE.to_owned(), attempt.to_string())]);
        // As for sessions, everything depends on the attempt alone.
        let mut create = CreatePaymentIntent::new(to_stripe(amount)?, stripe_currency(amount))
            .automatic_payment_methods(CreatePaymentIntentAutomaticPaymentMethods::new(true))
            .metadata(metadata);
        if self.authorizes {
            create = create.capture_method(PaymentIntentCaptureMethod::Manual);
        }
        // With a customer, the fields may offer saved cards, and say themselves whether to save another one.
        if let Some(customer) = &request.customer {
            create = create.customer(customer);
        }
        let key = key(attempt)?;
        let send = || create.customize().request_strategy(key.clone()).send(&self.client);
        payments::repeated(send, passes).await.map_err(|error| cards::customer_failed(&error))
    }

    async fn create_session(&self, request: &PaymentRequest) -> GatewayResult<CheckoutSession> {
        let PaymentRequest {
            attempt,
            amount,
            return_url,
            method: _,
            on_page: _,
            gateway_ref: _,
            customer,
            locale: _,
        } = request;
        let units = to_stripe(*amount)?;
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
        let mut create = CreateCheckoutSession::new()
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
        if let Some(customer) = customer {
            create = create.customer(customer).saved_payment_method_options(cards::on_stripes_page());
        }
        let key = key(attempt)?;
        let send = || create.customize().request_strategy(key.clone()).send(&self.client);
        payments::repeated(send, passes).await.map_err(|error| cards::customer_failed(&error))
    }

    async fn started(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession> {
        let on_page = request.on_page && !self.publishable_key.is_empty();
        let mut payment = match on_page {
            true => Payment::Intent(Box::new(self.create_intent(request).await?)),
            false => Payment::Session(Box::new(self.create_session(request).await?)),
        };
        // A repeated request gets the response that the first one got, however long ago.
        if Clock::default().now_ms() / 1000 - payment.created_s() > FRESH_S {
            payment = self.payment(&payment.id()).await?;
        }
        let status = payment.status()?;
        let next = match (status, &payment) {
            (GatewayStatus::Waiting, Payment::Session(session)) => {
                session.url.clone().map_or(NextStep::Done, NextStep::Redirect)
            }
            (GatewayStatus::Waiting, Payment::Intent(intent)) => {
                let parameters = BTreeMap::from([("return_url".to_owned(), request.return_url.clone())]);
                let secret = intent.client_secret.clone();
                secret.map_or(NextStep::Done, |client_secret| NextStep::ClientSecret {
                    client_secret,
                    parameters,
                })
            }
            _ => NextStep::Done,
        };
        Ok(PaymentSession { gateway_ref: payment.id(), status, next })
    }

    async fn captured(&self, id: &str) -> GatewayResult<GatewayStatus> {
        let payment = self.payment(id).await?;
        match (payment.intent(), payment.status()?) {
            (Some(intent), GatewayStatus::Authorized(_)) => {
                let request = CapturePaymentIntent::new(intent.id.clone());
                match repeated(|| request.customize().send(&self.client)).await {
                    Ok(intent) => intent_status(&intent),
                    // Perhaps captured by an earlier request, whose response was lost.
                    Err(GatewayError::Refused(why)) => match self.payment(id).await?.status()? {
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
        let payment = self.payment(id).await?;
        let is_authorized = matches!(payment.status()?, GatewayStatus::Authorized(_));
        let ended = match (&payment, payment.intent()) {
            (Payment::Session(session), _) if payment.is_open() => {
                let request = ExpireCheckoutSession::new(session.id.clone());
                repeated(|| request.customize().send(&self.client)).await.map(drop)
            }
            (_, Some(intent)) if is_authorized || payment.is_open() => {
                let request = CancelPaymentIntent::new(intent.id.clone());
                repeated(|| request.customize().send(&self.client)).await.map(drop)
            }
            _ => return payment.status(),
        };
        // What it is now, even if it ended otherwise in the meantime.
        match (ended, self.payment(id).await?.status()?) {
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
        let payment = self.payment(&request.payment_ref).await?;
        let Some(intent) = payment.intent().map(|intent| intent.id.to_string()) else {
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

    /// A dispute. It names the payment, and the payment's session has our ID.
    async fn disputed(&self, id: &str) -> GatewayResult<GatewayDispute> {
        let retrieve = RetrieveDispute::new(id);
        let found = repeated(|| retrieve.customize().send(&self.client)).await?;
        let intent = found.payment_intent.as_ref().map(|intent| intent.id().to_string());
        let payment_ref = match intent {
            // Without a session, the shopper paid on our page.
            Some(intent) => self.session_of(&intent).await?.or(Some(intent)),
            None => None,
        };
        Ok(GatewayDispute {
            attempt: None,
            payment_ref,
            amount: money(found.amount, &found.currency)?,
            fee: dispute_fee(&found),
            reason: found.reason.clone(),
            status: match found.status {
                StripeStatus::WarningNeedsResponse | StripeStatus::WarningUnderReview => {
                    DisputeStatus::Inquiry
                }
                // No money was taken, or it came back.
                StripeStatus::WarningClosed | StripeStatus::Won | StripeStatus::Prevented => {
                    DisputeStatus::Won
                }
                StripeStatus::Lost => DisputeStatus::Lost,
                _ => DisputeStatus::Open,
            },
            evidence_due_ms: found.evidence_details.due_by.and_then(|at| at.checked_mul(1000)),
            opened_ms: found.created.checked_mul(1000),
            reversal: false,
        })
    }

    async fn paid_out(&self, id: &str) -> GatewayResult<GatewayPayout> {
        let retrieve = RetrievePayout::new(id);
        let found = repeated(|| retrieve.customize().send(&self.client)).await?;
        let paid = match found.status.as_str() {
            "paid" => Some(true),
            "failed" | "canceled" => Some(false),
            _ => None,
        };
        Ok(GatewayPayout { amount: money(found.amount, &found.currency)?, paid })
    }

    /// What an event is about. None if it isn't about payments of this market.
    async fn subject(&self, kind: &str, object: &Value) -> GatewayResult<Option<EventSubject>> {
        let Some(id) = object["id"].as_str().map(str::to_owned) else { return Ok(None) };
        let ours = |name: &str| object["metadata"][name].as_str();
        let attempt: Option<PaymentId> = ours(ATTEMPT).and_then(|id| id.parse().ok());
        let on_page: Option<PaymentId> = ours(ON_PAGE).and_then(|id| id.parse().ok());
        let refund: Option<RefundId> = ours(REFUND).and_then(|id| id.parse().ok());
        Ok(match kind {
            "checkout.session.completed"
            | "checkout.session.expired"
            | "checkout.session.async_payment_succeeded"
            | "checkout.session.async_payment_failed" => attempt.map(|_| EventSubject::Payment(id, attempt)),
            // Paid on our page; its charge has the same metadata.
            "payment_intent.succeeded"
            | "payment_intent.canceled"
            | "payment_intent.amount_capturable_updated"
                if on_page.is_some() =>
            {
                Some(EventSubject::Payment(id, on_page))
            }
            "charge.updated" if on_page.is_some() => {
                let intent = object["payment_intent"].as_str();
                intent.map(|intent| EventSubject::Payment(intent.to_owned(), on_page))
            }
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
            _ if kind.starts_with("transfer.") => Some(EventSubject::Transfer(id)),
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

/// An amount in Stripe's units.
fn to_stripe(amount: Money) -> GatewayResult<i64> {
    let units = units::to_stripe(amount);
    units.ok_or_else(|| GatewayError::Refused(format!("Stripe cannot charge exactly {amount}")))
}

/// The origins that pages need for Stripe's page and, with a publishable key, for its script
/// (<https://docs.stripe.com/security/guide#content-security-policy>).
fn origins(page: &str, publishable_key: &str) -> Origins {
    let all = |origins: &[&str]| origins.iter().map(|&origin| origin.to_owned()).collect();
    let forms = all(&[page]);
    let scripts = ["https://js.stripe.com", "https://*.js.stripe.com"];
    match page {
        _ if publishable_key.is_empty() => Origins { forms, ..Origins::default() },
        PAGE => Origins {
            forms,
            scripts: all(&scripts),
            frames: all(&[scripts[0], scripts[1], "https://hooks.stripe.com"]),
            connections: all(&[API]),
            windows: false,
        },
        // The fake's script asks its frame, which connects to where it is from.
        fake => Origins { forms, scripts: all(&[fake]), frames: all(&[fake]), ..Origins::default() },
    }
}

/// The status of a payment that the shopper has submitted.
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

/// What Stripe charges for a dispute, less what it gave back, if it charges it in the currency of the payment.
fn dispute_fee(dispute: &Dispute) -> Option<Money> {
    let booked = &dispute.balance_transactions;
    if booked.iter().any(|each| each.currency != dispute.currency) {
        return None;
    }
    units::from_stripe(booked.iter().map(|each| each.fee).sum(), &dispute.currency.to_string())
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
        self.origins.clone()
    }

    fn fields(&self, currency: Currency) -> Option<PaymentFields> {
        (!self.publishable_key.is_empty()).then(|| PaymentFields {
            method: PaymentMethod::Card,
            script: self.script.clone(),
            key: self.publishable_key.clone(),
            decimals: units::decimals(currency),
            authorizes: self.authorizes,
        })
    }

    fn vault(&self) -> Option<&dyn CardVault> {
        Some(self)
    }

    async fn create(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession> {
        self.patience.call(self.started(request)).await
    }

    async fn retrieve(&self, gateway_ref: &str) -> GatewayResult<GatewayPayment> {
        let payment = self.patience.call(self.payment(gateway_ref)).await?;
        let Some(attempt) = payment.attempt() else {
            return Err(GatewayError::Refused("a payment that the market did not request".into()));
        };
        let status = match payment.status()? {
            // Sessions close by themselves; a payment on our page would wait for ever.
            GatewayStatus::Waiting
                if gateway_ref.starts_with(INTENT)
                    && payment.is_open()
                    && Clock::default().now_ms() / 1000 - payment.created_s() > OPEN_S =>
            {
                self.patience.call(self.cancelled(gateway_ref)).await?
            }
            status => status,
        };
        let paid_ref = payment.intent().map(|intent| intent.id.to_string()).filter(|id| id != gateway_ref);
        Ok(GatewayPayment { attempt, status, fee: payment.fee(), paid_ref })
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

    fn connect(&self) -> Option<&dyn payments::Connect> {
        self.connect.then_some(self)
    }

    async fn dispute(&self, gateway_ref: &str) -> GatewayResult<GatewayDispute> {
        self.patience.call(self.disputed(gateway_ref)).await
    }

    fn dispute_page(&self, gateway_ref: &str) -> Option<String> {
        Some(format!("https://dashboard.stripe.com/disputes/{gateway_ref}"))
    }

    async fn payout(&self, gateway_ref: &str) -> GatewayResult<GatewayPayout> {
        self.patience.call(self.paid_out(gateway_ref)).await
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
