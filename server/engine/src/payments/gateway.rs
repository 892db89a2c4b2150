//! The port to payment gateways: requests, responses, events and their outcome.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{
    connect::Connect,
    error::{GatewayError, GatewayResult},
};
use haat_shared::{
    Currency, Money,
    id::kinds::{PaymentId, RefundId, UserId},
    payments::{CollectedBy, NextAction, PaymentFields, PaymentMethod, PaymentWindow},
};

/// The status of a payment at its gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayStatus {
    /// The shopper has not finished paying.
    Waiting,
    /// Declined. Nothing was charged.
    Declined,
    /// Cancelled, by the shopper or by us. Nothing was charged.
    Cancelled,
    /// The money is reserved until we capture or cancel the payment.
    Authorized(Money),
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
    /// The payment method. A gateway may handle several.
    pub method: PaymentMethod,
    /// The amount.
    pub amount: Money,
    /// The URL to which the gateway's page redirects the shopper.
    pub return_url: String,
    /// Whether the shopper pays on our page: in the gateway's fields or its window, which [`PaymentGateway::fields`]
    /// or [`PaymentGateway::window`] offered.
    pub on_page: bool,
    /// The gateway's ID of the customer, who can pay with saved cards and save new ones. See [`CardVault`].
    pub customer: Option<String>,
    /// The gateway's ID of the payment, if an earlier request for the same attempt returned one.
    pub gateway_ref: Option<String>,
    /// The shopper's language, for gateways with a page of their own.
    pub locale: &'static str,
}

impl PaymentRequest {
    /// When the attempt began, which is part of its ID.
    pub fn begun_ms(&self) -> i64 {
        i64::try_from(self.attempt.uuid().as_u128() >> 80).unwrap_or(i64::MAX)
    }
}

/// What the shopper does next to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Go to this page of the gateway, which redirects them back to the return URL.
    Redirect(String),
    /// Pay on our page, where the gateway's script confirms the payment with its secret.
    ClientSecret {
        /// The secret of this payment.
        client_secret: String,
        /// Publishable parameters of the script.
        parameters: BTreeMap<String, String>,
    },
    /// Pay in the gateway's widget on our page, which is opened with these publishable parameters.
    Widget(BTreeMap<String, String>),
    /// Nothing.
    Done,
}

impl NextStep {
    /// The step as clients see it; none if nothing is left to do.
    pub(super) fn action(self, gateway: &str) -> Option<NextAction> {
        let gateway = gateway.to_owned();
        match self {
            Self::Redirect(url) => Some(NextAction::Redirect { url }),
            Self::ClientSecret { client_secret, parameters } => {
                Some(NextAction::ClientSecret { gateway, client_secret, parameters })
            }
            Self::Widget(parameters) => Some(NextAction::Widget { gateway, parameters }),
            Self::Done => None,
        }
    }
}

/// A new payment at its gateway.
#[derive(Debug, Clone)]
pub struct PaymentSession {
    /// The gateway's ID of the payment.
    pub gateway_ref: String,
    /// The status.
    pub status: GatewayStatus,
    /// What the shopper does next.
    pub next: NextStep,
}

/// A payment, as its gateway reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayPayment {
    /// The attempt that it was created for.
    pub attempt: PaymentId,
    /// The status.
    pub status: GatewayStatus,
    /// The gateway's fee, once it is known.
    pub fee: Option<Money>,
    /// What the gateway's own pages call the payment, once that is known, if `create` returned the ID of something else, such as a
    /// session.
    pub paid_ref: Option<String>,
}

/// A request for a refund.
#[derive(Debug, Clone)]
pub struct RefundRequest {
    /// The gateway's ID of the payment.
    pub payment_ref: String,
    /// The refund. Requesting the same one again refunds only once, and returns its current status.
    pub refund: RefundId,
    /// The gateway's ID of the refund, if an earlier request returned one.
    pub refund_ref: Option<String>,
    /// The amount.
    pub amount: Money,
}

/// The status of a refund at its gateway, with the gateway's ID of the refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundStatus {
    /// Accepted, but the money is not on its way yet. A webhook or reconciliation reports the outcome.
    Pending(String),
    /// The money is on its way.
    Done(String),
    /// It failed for good; the gateway still has the money. With the reason.
    Failed(String),
}

/// The status of a dispute at its gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeStatus {
    /// The gateway asks questions, and has not taken the money.
    Inquiry,
    /// The gateway has taken the money until it is decided.
    Open,
    /// Decided for us: we have the money.
    Won,
    /// Decided against us: the money is gone.
    Lost,
}

/// A dispute, as its gateway reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayDispute {
    /// The attempt of the disputed payment, if the gateway knows it.
    pub attempt: Option<PaymentId>,
    /// The gateway's ID of the payment, as `create` returned it, if the gateway names it.
    pub payment_ref: Option<String>,
    /// The disputed amount.
    pub amount: Money,
    /// What the gateway charges for the dispute, less what it gave back. `None` if it isn't known.
    pub fee: Option<Money>,
    /// The reason, in the gateway's words. May be empty.
    pub reason: String,
    /// The status.
    pub status: DisputeStatus,
    /// Until when evidence can be submitted.
    pub evidence_due_ms: Option<i64>,
    /// When it was opened.
    pub opened_ms: Option<i64>,
    /// Whether the gateway only reports that it took money back, perhaps because of a dispute that it also reports.
    pub reversal: bool,
}

/// A transfer of a gateway to the market's bank account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayPayout {
    /// The amount. Negative if the gateway took it from the bank account.
    pub amount: Money,
    /// Whether the money arrived. `None` while it is on its way.
    pub paid: Option<bool>,
}

/// A webhook as received: all of its headers, and the raw bytes that its signature covers.
#[derive(Debug, Clone, Copy)]
pub struct Webhook<'a> {
    /// The headers, with names in lower case.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Webhook<'a> {
    /// A header; empty if it is missing.
    pub fn header(&self, name: &str) -> &'a str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// An event of a webhook. It only says what to read from the gateway.
#[derive(Debug, Clone)]
pub struct GatewayEvent {
    /// The gateway's ID of the event.
    pub id: String,
    /// What it is about.
    pub about: EventSubject,
}

/// What an event is about, by the gateway's ID of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventSubject {
    /// A payment, and the attempt that it was created for, if the event contains it.
    Payment(String, Option<PaymentId>),
    /// A refund, and our ID of it, if the event contains it.
    Refund(String, Option<RefundId>),
    /// A payment that its holder disputes.
    Dispute(String),
    /// A payout of the gateway to the market.
    Payout(String),
    /// The market's account, or a shop's, at the gateway.
    Account(String),
    /// A transfer of a payout to a shop's account.
    Transfer(String),
}

impl EventSubject {
    /// The kind that is stored, and the gateway's ID.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Payment(id, _) => ("payment", id),
            Self::Refund(id, _) => ("refund", id),
            Self::Dispute(id) => ("dispute", id),
            Self::Payout(id) => ("payout", id),
            Self::Account(id) => ("account", id),
            Self::Transfer(id) => ("transfer", id),
        }
    }
}

/// The origins that the content security policy must allow for a gateway, besides our own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// Pages to which a form may redirect: the gateway's page.
    pub forms: Vec<String>,
    /// Scripts.
    pub scripts: Vec<String>,
    /// Frames, in which scripts show fields for card numbers.
    pub frames: Vec<String>,
    /// Requests of scripts.
    pub connections: Vec<String>,
    /// Whether a script opens a window over the page: it sets `style` attributes, and opens pages of banks.
    pub windows: bool,
}

/// What a gateway can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Captures money for the market. Otherwise the shop collects it.
    pub captures: bool,
    /// Refunds, in full or in part.
    pub refunds: bool,
}

/// The port to a payment gateway. To add one, see `docs/guides/add-a-payment-gateway.md`.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// Its name, by which methods declare it. It is stored, and part of the webhook's URL.
    fn name(&self) -> &'static str;
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// The origins that pages need to use it: forms on all pages, everything else on that of the checkout.
    fn origins(&self) -> Origins {
        Origins::default()
    }
    /// Whether it takes this currency. Otherwise its methods aren't offered.
    fn supports(&self, _: Currency) -> bool {
        true
    }
    /// Whether it has responded lately, as far as is known. Otherwise its methods come last, with a hint.
    fn responds(&self) -> bool {
        true
    }
    /// What its script needs to take payments in a currency on our page. Otherwise, payments are made on its own
    /// page, as by shoppers without JavaScript.
    fn fields(&self, _: Currency) -> Option<PaymentFields> {
        None
    }
    /// The cards that customers save at this gateway, if they can.
    fn vault(&self) -> Option<&dyn CardVault> {
        None
    }
    /// The window that its script opens over our page for payments in a currency. Otherwise, payments are made on
    /// its own page, as by shoppers without JavaScript.
    fn window(&self, _: Currency) -> Option<PaymentWindow> {
        None
    }
    /// Whether the shopper's return is genuine, by what the gateway added to the query of the return URL. With the
    /// gateway's ID of the payment, if it is known. The status of the payment is read in any case.
    fn genuine_return(&self, _: PaymentId, _: Option<&str>, _: &HashMap<String, String>) -> bool {
        true
    }
    /// Requests a payment.
    async fn create(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession>;
    /// Reads the status of a payment and the attempt that it was created for.
    async fn retrieve(&self, gateway_ref: &str) -> GatewayResult<GatewayPayment>;
    /// Captures an authorized payment; returns its status. Capturing it again changes nothing.
    async fn capture(&self, gateway_ref: &str) -> GatewayResult<GatewayStatus>;
    /// Cancels a payment that isn't captured; returns its status. Cancelling it again changes nothing.
    async fn cancel(&self, gateway_ref: &str) -> GatewayResult<GatewayStatus>;
    /// Refunds an amount, or reads the status of a refund that was requested before.
    async fn refund(&self, request: &RefundRequest) -> GatewayResult<RefundStatus>;
    /// Reads a dispute by the gateway's ID of it.
    async fn dispute(&self, _: &str) -> GatewayResult<GatewayDispute> {
        Err(GatewayError::Refused("this gateway has no disputes".into()))
    }
    /// Where to respond to a dispute: a page of the gateway's dashboard.
    fn dispute_page(&self, _: &str) -> Option<String> {
        None
    }
    /// Reads a transfer to the market's bank account by the gateway's ID of it.
    async fn payout(&self, _: &str) -> GatewayResult<GatewayPayout> {
        Err(GatewayError::Refused("this gateway has no payouts".into()))
    }
    /// How shops get payouts to accounts of their own there, if it can do that and it is enabled.
    fn connect(&self) -> Option<&dyn Connect> {
        None
    }
    /// The events of a webhook, if it is genuine and recent at `now_ms`; otherwise `Refused`.
    async fn webhook(&self, webhook: Webhook<'_>, now_ms: i64) -> GatewayResult<Vec<GatewayEvent>>;
}

/// A saved card, as its gateway reports it: all that we want to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayCard {
    /// The gateway's ID.
    pub id: String,
    /// The brand, as the gateway calls it.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// The month at the end of which it expires.
    pub exp_month: i64,
    /// The year of that month.
    pub exp_year: i64,
}

/// The part of the port for gateways at which customers can save cards. A customer whom the gateway doesn't know is
/// `Gone`.
#[async_trait]
pub trait CardVault: Send + Sync {
    /// Creates a customer; returns the gateway's ID.
    async fn create_customer(&self, user: UserId) -> GatewayResult<String>;
    /// The cards of a customer, newest first.
    async fn cards(&self, customer: &str) -> GatewayResult<Vec<GatewayCard>>;
    /// Removes a card, which is known to be one of the customer who asks. Removing it again is `Refused`.
    async fn remove_card(&self, card: &str) -> GatewayResult<()>;
    /// The URL of the gateway's page on which a customer saves a card. It redirects back to `return_url`.
    async fn new_card_page(&self, customer: &str, return_url: &str) -> GatewayResult<String>;
    /// The secret with which the gateway's script offers the customer's cards in its fields on our page, and to save another
    /// one. Only for this customer, and only for a while.
    async fn offer_cards(&self, customer: &str) -> GatewayResult<String>;
}

/// Checks at start-up that methods and gateways fit together. The error says what to change.
pub(crate) fn check_gateways(
    gateways: &[std::sync::Arc<dyn PaymentGateway>],
) -> std::result::Result<(), String> {
    for (i, gateway) in gateways.iter().enumerate() {
        let name = gateway.name();
        if gateways[..i].iter().any(|other| other.name() == name) {
            return Err(format!("there are two payment gateways named `{name}`"));
        }
        let declared = methods_of(name).collect::<Vec<_>>();
        if declared.is_empty() {
            return Err(format!(
                "no payment method is declared for the gateway `{name}`: add one to `PaymentMethod::declared`"
            ));
        }
        let can = gateway.capabilities();
        for method in declared {
            let code = method.as_str();
            let fits = match method.declared().collected_by {
                CollectedBy::Market => can.captures && can.refunds,
                CollectedBy::Shop => !can.captures,
            };
            if !fits {
                let by = method.declared().collected_by.as_str();
                return Err(format!(
                    "the payment method `{code}` is declared as collected by the {by}, which the gateway \
                     `{name}` cannot do: it {} money and {} it",
                    if can.captures { "captures" } else { "doesn't capture" },
                    if can.refunds { "refunds" } else { "doesn't refund" },
                ));
            }
        }
    }
    Ok(())
}

/// The origins that all gateways of a market need.
pub fn origins(engine: &crate::Engine) -> Origins {
    let mut all = Origins::default();
    for origins in engine.gateways.iter().map(|it| it.origins()) {
        let Origins { forms, scripts, frames, connections, windows } = origins;
        all.forms.extend(forms);
        all.scripts.extend(scripts);
        all.frames.extend(frames);
        all.connections.extend(connections);
        all.windows |= windows;
    }
    all
}

/// The methods that a gateway handles.
pub(crate) fn methods_of(gateway: &str) -> impl Iterator<Item = PaymentMethod> {
    PaymentMethod::ALL.into_iter().filter(move |method| method.declared().gateway == gateway)
}

/// The outcome of a reported payment status.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportOutcome {
    /// The shopper has not finished paying, or not with all payments.
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
pub(crate) fn call(gateway: &str, call: &'static str, id: impl std::fmt::Display) -> tracing::Span {
    tracing::info_span!("gateway", gateway, call, %id)
}
