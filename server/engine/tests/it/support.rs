//! A market for tests: two shops, a few products, every gateway; on either database, dropped afterwards.

use std::{
    collections::{HashMap, VecDeque},
    io::Write,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use haat_engine::{
    Bounds, Caller, Clock, Db, Engine, Parts, Who, accounts,
    bus::InProcess,
    carts, catalog, checkout,
    db::{Statement, statement},
    dispatch, jobs,
    notifications::{
        self, EmailContent, Mail, Mailer, RenderedEmail, SendError,
        mailbox::Mailbox,
        push::{Push, Pusher},
    },
    oracle, outbox, params,
    payments::{
        self, Capabilities, Connect, DisputeStatus, EventSubject, GatewayDispute, GatewayError, GatewayEvent,
        GatewayPayment, GatewayPayout, GatewayResult, GatewayStatus, PaymentGateway, PaymentRequest,
        PaymentSession, RefundRequest, RefundStatus, Return, Transfer, TransferOutcome, TransferRequest,
        Webhook,
    },
    payouts::PayoutTerms,
    random::{self, SigningKey},
    sandbox::{self, Card},
    shops, webhooks,
};
use haat_gateways::{
    cash::Cash,
    pictures::PictureFolder,
    sandbox::{Behaviour, SIGNATURE_HEADER, Sandbox},
};
use haat_shared::{
    Currency, Money,
    accounts::SignUp,
    carts::AddLine,
    checkout::CheckoutUpdate,
    gift_cards::GiftCardTerms,
    id::kinds::{CheckoutId, EmailId, PaymentId, PayoutId, PayoutMethodId, VariantId},
    page::ListRequest,
    payments::{NextAction, PaymentMethod, PurchaseLink},
    payouts::{ConnectedAccount, PayoutProblem},
    pricing::Promotion,
    reviews::{Moderation, ReviewTerms},
};
use sqlx_core::{connection::Connection, raw_sql::raw_sql, row::Row as _, sql_str::AssertSqlSafe};
use sqlx_postgres::PgConnection;

#[path = "template.rs"]
mod template;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum On {
    Sqlite,
    Postgres,
}

static CHARGE_INSTEAD: Statement = Statement::new(
    "support::CHARGE_INSTEAD",
    "UPDATE sandbox_payments SET amount_minor = $2 WHERE gateway_ref = $1",
);

static CHARGE_IN: Statement =
    Statement::new("support::CHARGE_IN", "UPDATE sandbox_payments SET currency = $2 WHERE gateway_ref = $1");

/// The sandbox gateway, with a connection that can be cut and requests that can be held up.
pub struct TestGateway {
    sandbox: Arc<Sandbox>,
    pub cut: AtomicBool,
    /// Requests that create a payment.
    pub starts: Gate,
    /// Requests that retrieve a payment.
    pub reads: Gate,
    /// Requests for refunds.
    pub refunds: Gate,
    /// What its own pages call the payments that it retrieves.
    pub paid_as: Mutex<Option<String>>,
    /// The transfers to the bank that it knows.
    pub payouts: Mutex<HashMap<String, GatewayPayout>>,
    /// Whether shops can have accounts there.
    pub connects: AtomicBool,
    pub accounts: Mutex<Accounts>,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate {
    /// It is done, but the response is lost.
    Lost,
    /// It never arrives.
    Silent,
    /// The market's balance is too low.
    NoFunds,
    /// The account can't receive it.
    Refused,
}

/// The accounts of shops at the gateway, and the transfers to them.
#[derive(Default)]
pub struct Accounts {
    pub known: Vec<(PayoutMethodId, ConnectedAccount)>,
    pub transfers: Vec<Transfer>,
    /// The responses to keys of transfers.
    answers: HashMap<(PayoutId, i64), TransferOutcome>,
    /// What becomes of the next requests for accounts and transfers; all others succeed.
    pub fates: VecDeque<Fate>,
    /// Transfers that were just made are not found yet, so that only their keys can prevent a second one.
    pub lags: bool,
    /// The shops have spent what they got.
    pub spent: bool,
}

impl Accounts {
    fn at(&mut self, account: &str) -> GatewayResult<&mut ConnectedAccount> {
        let index: Option<usize> = account.strip_prefix("acct_test").and_then(|n| n.parse().ok());
        let found = index.and_then(|index| self.known.get_mut(index));
        found.map(|(_, account)| account).ok_or_else(|| GatewayError::Refused("no such account".into()))
    }

    fn transfer(&mut self, id: &str) -> GatewayResult<&mut Transfer> {
        let found = self.transfers.iter_mut().find(|transfer| transfer.id == id);
        found.ok_or_else(|| GatewayError::Refused("no such transfer".into()))
    }
}

fn lost<T>() -> GatewayResult<T> {
    Err(GatewayError::Unreachable("lost".into()))
}

#[async_trait::async_trait]
impl Connect for TestGateway {
    async fn open_account(&self, method: PayoutMethodId) -> GatewayResult<String> {
        let mut all = self.accounts.lock().unwrap();
        let fate = all.fates.pop_front();
        if fate == Some(Fate::Silent) {
            return lost();
        }
        let known = all.known.iter().position(|(of, _)| *of == method);
        let index = known.unwrap_or(all.known.len());
        if known.is_none() {
            let requirements = vec!["external_account".to_owned()];
            let new = ConnectedAccount { details_submitted: false, payouts_enabled: false, requirements };
            all.known.push((method, new));
        }
        if fate == Some(Fate::Lost) { lost() } else { Ok(format!("acct_test{index}")) }
    }
    async fn onboarding_page(&self, account: &str, again: &str, back: &str) -> GatewayResult<String> {
        self.accounts.lock().unwrap().at(account)?;
        Ok(format!("https://gateway.example/{account} {again} {back}"))
    }
    async fn account(&self, account: &str) -> GatewayResult<ConnectedAccount> {
        self.up()?;
        self.accounts.lock().unwrap().at(account).cloned()
    }
    async fn transfer(&self, request: &TransferRequest) -> GatewayResult<TransferOutcome> {
        let mut all = self.accounts.lock().unwrap();
        let fate = all.fates.pop_front();
        if fate == Some(Fate::Silent) {
            return lost();
        }
        let TransferRequest { payout, refusals, amount, .. } = *request;
        all.at(&request.account)?;
        let found = all.transfers.iter().find(|transfer| transfer.payout == Some(payout)).cloned();
        let found = found.filter(|_| !all.lags).map(TransferOutcome::Made);
        let before = found.or_else(|| all.answers.get(&(payout, refusals)).cloned());
        let answer = before.unwrap_or_else(|| {
            let answer = match fate {
                Some(Fate::NoFunds) => TransferOutcome::NoFunds("too little".into()),
                Some(Fate::Refused) => TransferOutcome::Refused(PayoutProblem::Account, "restricted".into()),
                _ => {
                    let reversed = Money::zero(amount.currency());
                    let id = format!("tr_{}", all.transfers.len());
                    let made = Transfer { id, payout: Some(payout), amount, reversed };
                    all.transfers.push(made.clone());
                    TransferOutcome::Made(made)
                }
            };
            all.answers.insert((payout, refusals), answer.clone());
            answer
        });
        if fate == Some(Fate::Lost) { lost() } else { Ok(answer) }
    }
    async fn read_transfer(&self, id: &str) -> GatewayResult<Transfer> {
        self.up()?;
        self.accounts.lock().unwrap().transfer(id).cloned()
    }
    async fn reverse(&self, id: &str) -> GatewayResult<Transfer> {
        let mut all = self.accounts.lock().unwrap();
        let (fate, spent) = (all.fates.pop_front(), all.spent);
        let transfer = all.transfer(id)?;
        if spent || transfer.is_reversed() {
            return Err(GatewayError::Refused("nothing left to reverse".into()));
        }
        transfer.reversed = transfer.amount;
        if fate == Some(Fate::Lost) { lost() } else { Ok(transfer.clone()) }
    }
}

/// A gate that calls pass one at a time, in the order of arrival, unless it is held.
#[derive(Default)]
pub struct Gate {
    turn: tokio::sync::Mutex<()>,
    arrivals: AtomicUsize,
    arrival: tokio::sync::Notify,
}

impl Gate {
    /// From now on, calls wait until the returned guard is dropped.
    pub async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// How many calls have arrived.
    pub fn arrivals(&self) -> usize {
        self.arrivals.load(Ordering::SeqCst)
    }

    /// Returns once that many calls have arrived.
    pub async fn reached(&self, arrivals: usize) {
        while self.arrivals() < arrivals {
            self.arrival.notified().await;
        }
    }

    async fn pass(&self) -> tokio::sync::MutexGuard<'_, ()> {
        let mut turn = Box::pin(self.turn.lock());
        // Takes its place in the queue before its arrival is announced.
        let taken = futures::poll!(&mut turn);
        self.arrivals.fetch_add(1, Ordering::SeqCst);
        self.arrival.notify_one();
        match taken {
            std::task::Poll::Ready(turn) => turn,
            std::task::Poll::Pending => turn.await,
        }
    }
}

impl TestGateway {
    fn up(&self) -> GatewayResult<&Sandbox> {
        if self.cut.load(Ordering::Relaxed) {
            Err(GatewayError::Unreachable("cut".into()))
        } else {
            Ok(&self.sandbox)
        }
    }
}

#[async_trait::async_trait]
impl PaymentGateway for TestGateway {
    fn name(&self) -> &'static str {
        self.sandbox.name()
    }
    fn capabilities(&self) -> Capabilities {
        self.sandbox.capabilities()
    }
    async fn create(&self, ask: &PaymentRequest) -> GatewayResult<PaymentSession> {
        let _turn = self.starts.pass().await;
        // Only the response is lost: the gateway received the request.
        let session = self.sandbox.create(ask).await;
        self.up()?;
        session
    }
    async fn retrieve(&self, gateway_ref: &str) -> GatewayResult<GatewayPayment> {
        drop(self.reads.pass().await);
        let found = self.up()?.retrieve(gateway_ref).await?;
        let paid_ref = self.paid_as.lock().unwrap().clone();
        Ok(GatewayPayment { paid_ref, ..found })
    }
    async fn capture(&self, gateway_ref: &str) -> GatewayResult<GatewayStatus> {
        self.up()?.capture(gateway_ref).await
    }
    async fn cancel(&self, gateway_ref: &str) -> GatewayResult<GatewayStatus> {
        self.up()?.cancel(gateway_ref).await
    }
    async fn refund(&self, ask: &RefundRequest) -> GatewayResult<RefundStatus> {
        let _turn = self.refunds.pass().await;
        self.up()?.refund(ask).await
    }
    async fn dispute(&self, gateway_ref: &str) -> GatewayResult<GatewayDispute> {
        // What it took back because of a dispute, as another object.
        if let Some(because) = gateway_ref.strip_prefix("rev_") {
            let of = self.up()?.dispute(because).await?;
            return Ok(GatewayDispute { status: DisputeStatus::Lost, reversal: true, ..of });
        }
        self.up()?.dispute(gateway_ref).await
    }
    fn dispute_page(&self, gateway_ref: &str) -> Option<String> {
        Some(format!("https://gateway.example/disputes/{gateway_ref}"))
    }
    async fn payout(&self, gateway_ref: &str) -> GatewayResult<GatewayPayout> {
        self.up()?;
        let known = self.payouts.lock().unwrap().get(gateway_ref).copied();
        known.ok_or_else(|| GatewayError::Gone("no such payout".into()))
    }
    fn connect(&self) -> Option<&dyn Connect> {
        self.connects.load(Ordering::Relaxed).then_some(self)
    }
    async fn webhook(&self, webhook: Webhook<'_>, now_ms: i64) -> GatewayResult<Vec<GatewayEvent>> {
        if let Some((id, of)) = webhook.header("test-connect").split_once(' ') {
            let about = match of.starts_with("tr_") {
                true => EventSubject::Transfer(of.into()),
                false => EventSubject::Account(of.into()),
            };
            return Ok(vec![GatewayEvent { id: id.into(), about }]);
        }
        if let Some(payout) = webhook.header("test-payout").split_once(' ') {
            let about = EventSubject::Payout(payout.1.into());
            return Ok(vec![GatewayEvent { id: payout.0.into(), about }]);
        }
        self.sandbox.webhook(webhook, now_ms).await
    }
}

/// The mailbox, with a connection that can be cut and can lose emails.
pub struct Post {
    mailbox: Mailbox,
    pub road: Mutex<Road>,
    /// The ids of all emails handed over, in order.
    pub handed: Mutex<Vec<EmailId>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Road {
    Open,
    /// Delivery fails for now.
    Cut,
    /// Emails are rejected permanently.
    Closed,
    /// Emails are delivered, but the sender gets no confirmation.
    OneWay,
}

/// The push services of all browsers.
#[derive(Default)]
pub struct Browsers {
    /// What they were given, in order.
    pub given: Mutex<Vec<Push>>,
    /// The addresses of subscriptions that have ended.
    pub gone: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl Pusher for Browsers {
    fn public_key(&self) -> &str {
        "key"
    }

    fn knows(&self, endpoint: &str) -> bool {
        endpoint.starts_with("https://push.example/")
    }

    async fn send(&self, pushes: &[Push]) -> Vec<Result<(), SendError>> {
        self.given.lock().unwrap().extend(pushes.iter().cloned());
        let gone = self.gone.lock().unwrap();
        let answer = |push: &Push| match gone.contains(&push.endpoint) {
            true => Err(SendError::Gone("status 410".into())),
            false => Ok(()),
        };
        pushes.iter().map(answer).collect()
    }
}

#[async_trait::async_trait]
impl Mailer for Post {
    async fn send(&self, mails: &[Mail]) -> Vec<Result<(), SendError>> {
        self.handed.lock().unwrap().extend(mails.iter().map(|m| m.id));
        let road = *self.road.lock().unwrap();
        match road {
            Road::Cut => mails.iter().map(|_| Err(SendError::Unreachable("cut".into()))).collect(),
            Road::Closed => mails.iter().map(|_| Err(SendError::Refused("no such address".into()))).collect(),
            Road::Open => self.mailbox.send(mails).await,
            Road::OneWay => {
                self.mailbox.send(mails).await;
                std::future::pending().await
            }
        }
    }
}

/// Minimal texts: tests of the engine check the content of emails, not the wording.
fn in_words(
    content: &EmailContent,
    locale: &str,
    market: &str,
) -> Result<RenderedEmail, haat_engine::TxError> {
    let shown = |link: &PurchaseLink| format!("{} {}", link.number, link.key);
    let (subject, leads_to) = match content {
        EmailContent::OrderConfirmed { purchase, link } => {
            (format!("purchase {}", purchase.number), shown(link))
        }
        EmailContent::GiftCard(of) => (format!("gift card {}", of.gift.amount), of.code.clone()),
        EmailContent::OrderReceived { order } => (format!("order {}", order.order.number), String::new()),
        EmailContent::OrderShipped { order, link, .. } => {
            (format!("shipped {}", order.order.number), shown(link))
        }
        EmailContent::ShipmentUpdated { order, link, .. } => {
            (format!("tracking {}", order.order.number), shown(link))
        }
        EmailContent::OrderCancelled { order, reason, link, .. } => {
            (format!("cancelled {}: {reason}", order.order.number), shown(link))
        }
        EmailContent::Appointment { news, order, link, .. } => {
            let news = format!("{news:?}").to_lowercase();
            match link {
                Some(link) => (format!("{news} {}", order.order.number), shown(link)),
                None => (format!("{news} by customer {}", order.order.number), String::new()),
            }
        }
        EmailContent::ReturnRequested { order, back } => {
            (format!("return of {}: {}", order.order.number, back.note), String::new())
        }
        EmailContent::ReturnApproved { order, back, link } => {
            (format!("return approved {}: {}", order.order.number, back.answer), shown(link))
        }
        EmailContent::ReturnRejected { order, back, link } => {
            (format!("return rejected {}: {}", order.order.number, back.answer), shown(link))
        }
        EmailContent::ReturnExchanged { order, back, link } => {
            let other = back.exchange_order.clone().unwrap_or_default();
            (format!("exchanged {}: {other}", order.order.number), shown(link))
        }
        EmailContent::OrderRefunded { order, refund, link, .. } => {
            (format!("refunded {}: {}", order.order.number, refund.amount.amount()), shown(link))
        }
        EmailContent::ConfirmSignUp { name, id, token } => {
            (format!("confirm {name}"), format!("{id} {token}"))
        }
        EmailContent::PasswordReset { name, id, token } => (format!("reset {name}"), format!("{id} {token}")),
        EmailContent::ShopInvitation(of) => {
            (format!("invited by {} for {}", of.shop, of.role.as_str()), format!("{} {}", of.id, of.token))
        }
        EmailContent::ContactReceived(of) => (format!("contact {}", of.name), of.message.clone()),
        EmailContent::ContactAnswered(of) => (format!("answer {}", of.name), of.answer.clone()),
        EmailContent::SignInCode { name, code } => (format!("code for {name}"), code.clone()),
        EmailContent::PasswordChanged { name } => (format!("password of {name} changed"), String::new()),
        EmailContent::AccountExists { name } => (format!("exists {name}"), String::new()),
        EmailContent::OrderWithdrawn { order, reason } => {
            (format!("withdrawn {}: {reason}", order.order.number), String::new())
        }
        EmailContent::OrderDisputed { order, dispute } => {
            (format!("disputed {}: {}", order.order.number, dispute.amount), String::new())
        }
        EmailContent::DisputeWon { order, dispute } => {
            (format!("dispute won {}: {}", order.order.number, dispute.held), String::new())
        }
        EmailContent::DisputeLost { order, dispute } => {
            (format!("dispute lost {}: {}", order.order.number, dispute.held), String::new())
        }
        EmailContent::Announcement(of) => {
            let ends = of.unsubscribe.as_ref();
            (of.title.clone(), ends.map(|(user, token)| format!("{user} {token}")).unwrap_or_default())
        }
        EmailContent::ReviewPublished(of) => {
            (format!("{} stars for {}: {}", of.rating, of.product_title, of.excerpt), String::new())
        }
        EmailContent::ReviewInvited { order, link } => {
            (format!("review {}", order.order.number), shown(link))
        }
        EmailContent::StockLow(of) => (format!("{} left of {}", of.available, of.title), String::new()),
        EmailContent::UnreadMessages(of) => {
            let to = if of.from == of.shop_name { String::new() } else { format!(" to {}", of.shop_name) };
            (format!("{} messages from {}{to}: {}", of.count, of.from, of.excerpt), String::new())
        }
        EmailContent::PayoutSent(of) => (format!("sent {} {}", of.amount, of.reference), String::new()),
        EmailContent::PayoutRejected(of) => (format!("rejected {}: {}", of.amount, of.reason), String::new()),
        EmailContent::PayoutReturned(of) => (format!("returned {}: {}", of.amount, of.reason), String::new()),
        EmailContent::PayoutMethodAdded(of) => (format!("added {}", of.account), String::new()),
        EmailContent::OrderRefundedByMarket { order, refund, reason } => (
            format!("refunded by the market {} {} {reason}", order.order.number, refund.amount),
            String::new(),
        ),
        EmailContent::PayoutMethodRestricted(of) => (format!("restricted {}", of.account), String::new()),
        EmailContent::PayoutMethodRemoved(of) => (format!("removed {}", of.account), String::new()),
    };
    let path = format!("/page of {subject}");
    Ok(RenderedEmail {
        subject,
        text: format!("{market} {leads_to}"),
        html: format!("{locale} {content:?}"),
        path,
        note: String::new(),
        unsubscribe: None,
    })
}

/// The two values of an email's link, after the market's URL.
pub fn link_in(text: &str) -> (&str, &str) {
    text.strip_prefix("http://localhost:1 ").and_then(|link| link.split_once(' ')).unwrap()
}

#[derive(Clone)]
pub struct Market {
    pub line: Arc<TestGateway>,
    pub post: Arc<Post>,
    pub browsers: Arc<Browsers>,
    pub engine: Engine,
    pub clock: Clock,
    pub sandbox: Arc<Sandbox>,
    pub folder: PathBuf,
    url: String,
}

/// Runs a test on both databases. Afterwards, the books must balance and no jobs may be left.
#[macro_export]
macro_rules! both {
    ($($(#[$meta:meta])* async fn $name:ident($market:ident) $body:block)*) => {$(
        $(#[$meta])*
        pub mod $name {
            #[allow(unused_imports)]
            use super::*;
            pub async fn run($market: &$crate::support::Market) $body
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                let market = $crate::support::Market::open($crate::support::On::Sqlite).await;
                run(&market).await;
                market.close().await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                let market = $crate::support::Market::open($crate::support::On::Postgres).await;
                run(&market).await;
                market.close().await;
            }
        }
    )*};
}

const WITHOUT_POSTGRES: &str =
    "HAAT_TEST_POSTGRES is not set: run `make test`, or scripts/with-postgres around cargo test";

async fn admin(sql: String) {
    let url = std::env::var("HAAT_TEST_POSTGRES").expect(WITHOUT_POSTGRES);
    let mut connection = PgConnection::connect(&url).await.unwrap();
    raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}

impl Market {
    /// An empty database.
    pub async fn bare(on: On) -> (Db, PathBuf, String) {
        let (name, folder) = Self::named();
        let url = match on {
            On::Sqlite => format!("sqlite:{}", folder.join("haat.db").display()),
            On::Postgres => {
                admin(format!("CREATE DATABASE {name}")).await;
                let url = std::env::var("HAAT_TEST_POSTGRES").unwrap();
                format!("{}/{name}", url.rsplit_once('/').unwrap().0)
            }
        };
        (Db::open(&url, 16).await.unwrap(), folder, url)
    }

    /// A database with all tables, and without rows.
    async fn with_tables(on: On, now: i64) -> (Db, PathBuf, String) {
        if on == On::Sqlite {
            let bare = Self::bare(on).await;
            bare.0.migrate(now).await.unwrap();
            return bare;
        }
        let (name, folder) = Self::named();
        let template = template::named("haat_tables", include_str!("../../migrations/0001_schema.sql"));
        let server = std::env::var("HAAT_TEST_POSTGRES").expect(WITHOUT_POSTGRES);
        let url = template::copy(&server, &name, &template, async |url| {
            let db = Db::open(&url, 1).await.unwrap();
            db.migrate(now).await.unwrap();
            drop(db);
        });
        let url = url.await;
        (Db::open(&url, 16).await.unwrap(), folder, url)
    }

    /// A name that no other market has, and a folder of that name.
    fn named() -> (String, PathBuf) {
        let name = format!("haat_{}", random::number().to_lowercase());
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        (name, folder)
    }

    pub async fn open(on: On) -> Self {
        let clock = Clock::default();
        let (db, folder, url) = Self::with_tables(on, clock.now_ms()).await;
        let secret = SigningKey::new("a secret of the tests");
        let sandbox = Arc::new(Sandbox::new(
            db.clone(),
            clock.clone(),
            secret.clone(),
            "http://127.0.0.1:1",
            String::new(),
        ));
        let line = Arc::new(TestGateway {
            sandbox: sandbox.clone(),
            cut: AtomicBool::new(false),
            starts: Gate::default(),
            reads: Gate::default(),
            refunds: Gate::default(),
            paid_as: Mutex::default(),
            payouts: Mutex::default(),
            connects: AtomicBool::new(false),
            accounts: Mutex::default(),
        });
        let mailbox = Mailbox(db.clone());
        let post = Arc::new(Post { mailbox, road: Mutex::new(Road::Open), handed: Mutex::default() });
        let browsers = Arc::new(Browsers::default());
        let engine = Engine::new(Parts {
            taxes: Default::default(),
            shipping: Default::default(),
            activity: Default::default(),
            search: Default::default(),
            db,
            clock: clock.clone(),
            gateways: vec![line.clone(), Arc::new(Cash)],
            mailer: post.clone(),
            providers: Vec::new(),
            pusher: browsers.clone(),
            smtputf8: false,
            support_email: "support@haat.example".into(),
            render: in_words,
            secret,
            public_url: "http://localhost:1".into(),
            bus: Arc::new(InProcess::default()),
            currency: Currency::INR,
            currencies: vec![Currency::INR],
            country: "IN".into(),
            zone: haat_engine::clock::Zone::named("Asia/Kolkata").unwrap(),
            return_days: 0,
            return_answer_days: 3,
            payouts: PayoutTerms { minimum: 100, hold_ms: 0, payer: None },
            gift_cards: Some(gift_card_terms()),
            reviews: ReviewTerms { moderation: Moderation::Rules, invite_days: 0 },
            promotions: Vec::new(),
            pictures: Arc::new(
                PictureFolder::in_folder(&folder.join("media"), Duration::from_secs(600)).unwrap(),
            ),
            bounds: Bounds::NONE,
        })
        .unwrap();
        let market = Self { line, post, browsers, engine, clock, sandbox, folder, url };
        market.open_shop("meena-crafts", 1_000).await;
        market.open_shop("delta-electronics", 800).await;
        market
    }

    /// The parts of the market's engine.
    pub fn parts(&self) -> Parts {
        let parts = &self.engine;
        Parts {
            taxes: Default::default(),
            shipping: Default::default(),
            activity: Default::default(),
            search: Default::default(),
            db: parts.db.clone(),
            clock: parts.clock.clone(),
            gateways: parts.gateways.clone(),
            mailer: parts.mailer.clone(),
            providers: parts.providers.clone(),
            pusher: parts.pusher.clone(),
            smtputf8: parts.smtputf8,
            support_email: parts.support_email.clone(),
            render: parts.render,
            secret: parts.secret.clone(),
            public_url: parts.public_url.clone(),
            bus: parts.bus.clone(),
            currency: parts.currency,
            currencies: parts.currencies.clone(),
            country: parts.country.clone(),
            zone: parts.zone.clone(),
            return_days: parts.return_days,
            return_answer_days: parts.return_answer_days,
            payouts: parts.payouts.clone(),
            gift_cards: parts.gift_cards.clone(),
            reviews: parts.reviews,
            promotions: parts.promotions.clone(),
            pictures: parts.pictures.clone(),
            bounds: parts.bounds,
        }
    }

    /// The same market with limits.
    pub fn bounded(&self, bounds: Bounds) -> Engine {
        Engine::new(Parts { bounds, ..self.parts() }).unwrap()
    }

    /// The same market, where orders can be returned for some days.
    pub fn returnable(&self, return_days: i64) -> Engine {
        Engine::new(Parts { return_days, ..self.parts() }).unwrap()
    }

    /// The same market with other terms of payouts.
    pub fn paying_out(&self, payouts: PayoutTerms) -> Engine {
        Engine::new(Parts { payouts, ..self.parts() }).unwrap()
    }

    /// The same market with these promotions.
    pub fn promoting(&self, promotions: Vec<Promotion>) -> Self {
        Self { engine: Engine::new(Parts { promotions, ..self.parts() }).unwrap(), ..self.clone() }
    }

    /// The same market, which doesn't sell gift cards.
    pub fn without_gift_cards(&self) -> Engine {
        Engine::new(Parts { gift_cards: None, ..self.parts() }).unwrap()
    }

    /// The same market, where shoppers can also pay in these currencies.
    pub fn selling_in(&self, currencies: &[&str]) -> Engine {
        let others = currencies.iter().map(|code| code.parse().unwrap());
        let currencies = [Currency::INR].into_iter().chain(others).collect();
        Engine::new(Parts { currencies, ..self.parts() }).unwrap()
    }

    /// The same market with a sandbox that behaves like this.
    pub fn behaving(&self, behaviour: Behaviour) -> Self {
        let (db, clock, secret) = (self.engine.db.clone(), self.clock.clone(), self.engine.secret.clone());
        let sandbox = Sandbox::new(db, clock, secret, "http://127.0.0.1:1", String::new());
        let sandbox = Arc::new(sandbox.behaving(behaviour));
        let gateways: Vec<Arc<dyn PaymentGateway>> = vec![sandbox.clone(), Arc::new(Cash)];
        let engine = Engine::new(Parts { gateways, ..self.parts() }).unwrap();
        Self { engine, sandbox, ..self.clone() }
    }

    /// Another node of the market: the same database, bus and clock, with its own connections.
    pub async fn second_node(&self) -> Engine {
        let db = Db::open(&self.url, 16).await.unwrap();
        Engine::new(Parts { db, bounds: Bounds::NONE, ..self.parts() }).unwrap()
    }

    /// The market's node and a second one. With SQLite there is a single node, which is returned twice.
    pub async fn two_nodes(&self) -> [Engine; 2] {
        let second = match self.engine.db.engine() {
            "sqlite" => self.engine.clone(),
            _ => self.second_node().await,
        };
        [self.engine.clone(), second]
    }

    /// The market as seen by one of its nodes.
    pub fn on(&self, node: &Engine) -> Self {
        Self { engine: node.clone(), ..self.clone() }
    }

    async fn open_shop(&self, handle: &str, commission_bp: i64) {
        let system = Caller::system();
        let form = sign_up(handle);
        let owner = accounts::create(&self.engine, &system, form).await.unwrap();
        let shop = shops::NewShop {
            handle: handle.into(),
            name: handle.replace('-', " "),
            description: "A shop of the tests".into(),
            shipping_price: Money::new(4_900, Currency::INR),
            commission_bp: Some(commission_bp),
            // No return period: earnings are available as soon as an order is delivered.
            terms: shops::Terms { returns_days: 0, ..shops::Terms::default() },
            owner,
        };
        shops::open(&self.engine, &system, shop).await.unwrap();
    }

    /// A shop with express delivery for ₹99, local pickup, and free delivery from ₹1,000; with a product in a
    /// category whose prices include 18 % tax.
    pub async fn generous_shop(&self) -> VariantId {
        self.generous_shop_in(Currency::INR, "generous").await
    }

    /// The same, with the same numbers in another currency.
    pub async fn generous_shop_in(&self, currency: Currency, handle: &str) -> VariantId {
        let system = Caller::system();
        let owner = accounts::create(&self.engine, &system, sign_up(handle)).await.unwrap();
        let shop = shops::NewShop {
            handle: handle.into(),
            name: "Generous".into(),
            description: String::new(),
            shipping_price: Money::new(4_900, currency),
            commission_bp: Some(1_000),
            terms: shops::Terms {
                town: "Ooty".into(),
                free_delivery_from_minor: Some(100_000),
                express: Some((9_900, (1, 2))),
                pickup: true,
                returns_days: 0,
                ..shops::Terms::default()
            },
            owner,
        };
        shops::open(&self.engine, &system, shop).await.unwrap();
        let tree = vec![catalog::NewCategory {
            slug: "tea".into(),
            name: "Tea".into(),
            parent: None,
            tax_category: "t1800".into(),
            ..Default::default()
        }];
        catalog::put_categories(&self.engine, &system, tree).await.unwrap();
        self.taxed("t1800", "18").await;
        let category = catalog::category_ids(&self.engine).await.unwrap().get("tea").copied();
        let variant =
            catalog::NewVariant { sku: "TEA".into(), price_minor: 59_000, stock: 9, ..Default::default() };
        let product = catalog::NewProduct {
            title: "Nilgiri tea".into(),
            category,
            variants: vec![variant],
            ..Default::default()
        };
        catalog::upsert_products(&self.engine, &system, handle, vec![product]).await.unwrap();
        let of = haat_shared::catalog::ListProducts { shop: handle.into(), ..Default::default() };
        let page = catalog::list(&self.engine, &Caller::guest(), of).await.unwrap();
        let slug = page.items[0].slug.clone();
        catalog::product(&self.engine, &Caller::guest(), &slug).await.unwrap().variants[0].id
    }

    /// The market's country taxes what is of a category at this rate.
    pub async fn taxed(&self, category: &str, percent: &str) {
        let rate = haat_shared::taxes::TaxRateForm {
            country: "IN".into(),
            tax_category: category.into(),
            name: "GST".into(),
            kind: "plain".into(),
            percent: percent.into(),
            ..Default::default()
        };
        match haat_engine::taxes::add(&self.engine, &Caller::system(), &rate).await {
            // A second shop of the same kind.
            Err(error) if error.at("tax_category").is_some() => {}
            added => drop(added.unwrap()),
        }
    }

    /// A product with one variant and `stock` units of it.
    pub async fn product(&self, shop: &str, title: &str, price_minor: i64, stock: i64) -> VariantId {
        let variant = catalog::NewVariant { sku: title.into(), price_minor, stock, ..Default::default() };
        let product = catalog::NewProduct {
            title: title.into(),
            variants: vec![variant],
            ..catalog::NewProduct::default()
        };
        catalog::upsert_products(&self.engine, &Caller::system(), shop, vec![product]).await.unwrap();
        let page = catalog::list(
            &self.engine,
            &Caller::guest(),
            haat_shared::catalog::ListProducts { q: title.into(), ..Default::default() },
        )
        .await
        .unwrap();
        let view = catalog::product(&self.engine, &Caller::guest(), &page.items[0].slug).await.unwrap();
        view.variants[0].id
    }

    /// The quantity available now.
    pub async fn available(&self, variant: VariantId) -> i64 {
        let mut after = String::new();
        loop {
            let ask = haat_shared::catalog::ListProducts { after, ..Default::default() };
            let page = catalog::list(&self.engine, &Caller::guest(), ask).await.unwrap();
            for card in &page.items {
                let view = catalog::product(&self.engine, &Caller::guest(), &card.slug).await.unwrap();
                if let Some(found) = view.variants.iter().find(|v| v.id == variant) {
                    return found.available.expect("it has a limit");
                }
            }
            after = page.next.expect("the product is listed");
        }
    }

    /// A guest with these lines in their cart.
    pub async fn guest_with(&self, lines: &[(VariantId, i64)]) -> Caller {
        let mut caller = Caller::guest();
        for (variant, quantity) in lines {
            self.add(&mut caller, *variant, *quantity).await.unwrap();
            // Lines are ordered by the time when they were added, so no two may be added at the same time.
            self.clock.advance_ms(1);
        }
        caller
    }

    pub async fn add(
        &self,
        caller: &mut Caller,
        variant: VariantId,
        quantity: i64,
    ) -> haat_shared::Result<()> {
        let add = AddLine { variant, quantity: quantity.to_string() };
        let changed = carts::add_line(&self.engine, caller, add).await?;
        if let Some(token) = changed.token {
            caller.cart = Some(random::token_hash(&token));
        }
        Ok(())
    }

    /// The caller after signing up.
    pub async fn signed_up(&self, caller: &Caller, name: &str) -> Caller {
        let token = accounts::sign_up(&self.engine, caller, sign_up(name)).await.unwrap();
        accounts::caller(&self.engine, Some(&token), None).await.unwrap()
    }

    /// The owner of a shop, signed in.
    pub async fn owner(&self, handle: &str) -> Caller {
        let form = haat_shared::accounts::SignIn { email: sign_up(handle).email, password: PASSWORD.into() };
        let token = accounts::sign_in(&self.engine, &Caller::guest(), form).await.unwrap();
        accounts::caller(&self.engine, Some(&token), None).await.unwrap()
    }

    /// Checks out and pays in cash. Returns the purchase's number.
    pub async fn buy_in_cash(&self, caller: &Caller) -> haat_shared::Result<String> {
        let id = checkout::begin(&self.engine, caller).await?;
        let next = checkout::pay(&self.engine, caller, id, form("cash"), 1, "a key").await?;
        Ok(number_of(&next))
    }

    /// Checks out and goes to the sandbox's page. Returns the checkout, our payment and the sandbox's id.
    pub async fn go_to_sandbox(&self, caller: &Caller) -> (CheckoutId, PaymentId, String) {
        let id = checkout::begin(&self.engine, caller).await.unwrap();
        let view = checkout::view(&self.engine, caller, id).await.unwrap();
        let seen = view.quote.version;
        let next = checkout::pay(&self.engine, caller, id, form("sandbox"), seen, &view.key).await.unwrap();
        let NextAction::Redirect { url } = next else { panic!("{next:?}") };
        let gateway_ref = url.rsplit('/').next().unwrap().to_owned();
        let payment = sandbox::find(&self.engine.db, &gateway_ref).await.unwrap().attempt_id;
        (id, payment, gateway_ref)
    }

    /// Makes the gateway charge a different amount than requested.
    pub async fn charge_instead(&self, gateway_ref: &str, amount_minor: i64) {
        let input = (gateway_ref.to_owned(), amount_minor);
        let charged = self.engine.db.write("test", input, |tx, (gateway_ref, amount_minor)| {
            Box::pin(async move { Ok(tx.exec(&CHARGE_INSTEAD, params![gateway_ref, *amount_minor]).await?) })
        });
        assert_eq!(charged.await.unwrap(), 1);
    }

    /// Makes the gateway charge in a different currency than requested.
    pub async fn charge_in(&self, gateway_ref: &str, currency: Currency) {
        let input = (gateway_ref.to_owned(), currency);
        let charged = self.engine.db.write("test", input, |tx, (gateway_ref, currency)| {
            Box::pin(async move { Ok(tx.exec(&CHARGE_IN, params![gateway_ref, *currency]).await?) })
        });
        assert_eq!(charged.await.unwrap(), 1);
    }

    /// Checks out and pays with a card that is approved. Returns the purchase's number.
    pub async fn buy_by_card(&self, caller: &Caller) -> String {
        let (_, payment, gateway_ref) = self.go_to_sandbox(caller).await;
        self.enter(&gateway_ref, Card::WebhookNever).await;
        number_in(&self.come_back(payment).await.unwrap())
    }

    /// The key of a purchase's link.
    pub fn key(&self, number: &str) -> String {
        self.engine.secret.sign("purchase", number)
    }

    pub async fn enter(&self, gateway_ref: &str, card: Card) {
        sandbox::enter_card(&self.engine.db, &self.clock, gateway_ref, card).await.unwrap();
    }

    /// The shopper's browser returns from the gateway. Returns where it is redirected.
    pub async fn come_back(&self, payment: PaymentId) -> haat_shared::Result<Return> {
        payments::returned(&self.engine, &Caller::guest(), payment, &self.return_query(payment)).await
    }

    /// The query of a payment's return URL.
    pub fn return_query(&self, payment: PaymentId) -> HashMap<String, String> {
        [("key".to_owned(), self.engine.secret.sign("return", &payment.to_string()))].into()
    }

    /// Delivers the webhooks that are due, as the sandbox does over HTTP.
    pub async fn deliver_webhooks(&self) -> usize {
        let due = sandbox::due_events(&self.engine.db, &self.clock).await.unwrap();
        for event in &due {
            let of = match (event.refund_id, &event.dispute_ref) {
                (Some(refund), _) => format!(r#","refund":"{refund}""#),
                (None, Some(dispute)) => format!(r#","dispute":"{dispute}""#),
                (None, None) => format!(r#","attempt":"{}""#, event.attempt_id),
            };
            let (id, gateway_ref) = (event.event_id_text(), &event.gateway_ref);
            self.events(&format!(r#"{{"id":"{id}","payment":"{gateway_ref}"{of}}}"#)).await.unwrap();
            sandbox::delivered(&self.engine.db, &self.clock, event.event_id, true).await.unwrap();
        }
        due.len()
    }

    pub async fn webhook(&self, id: &str, gateway_ref: &str, attempt: PaymentId) -> haat_shared::Result<()> {
        self.events(&format!(r#"{{"id":"{id}","payment":"{gateway_ref}","attempt":"{attempt}"}}"#)).await
    }

    /// A webhook with these events.
    pub async fn events(&self, events: &str) -> haat_shared::Result<()> {
        let body = format!(r#"{{"events":[{events}]}}"#);
        let signature = self.sandbox.sign(self.clock.now_ms(), body.as_bytes());
        self.received("sandbox", &signature, &body).await
    }

    /// A webhook as it is received.
    pub async fn received(&self, gateway: &str, signature: &str, body: &str) -> haat_shared::Result<()> {
        let headers = [(SIGNATURE_HEADER.to_owned(), signature.to_owned())];
        self.receives(gateway, &headers, body.as_bytes()).await
    }

    pub async fn receives(
        &self,
        gateway: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> haat_shared::Result<()> {
        let webhook = Webhook { headers, body };
        let accepted = webhooks::receive(&self.engine, &Caller::guest(), gateway, webhook).await?;
        webhooks::handle(&self.engine, accepted).await.unwrap();
        Ok(())
    }

    /// Every value of every column of every table, as text: the table, the column and the value.
    pub async fn cells(&self) -> Vec<(String, String, String)> {
        if self.engine.db.engine() == "sqlite" {
            self.cells_of_sqlite()
        } else {
            self.cells_of_postgres().await
        }
    }

    fn cells_of_sqlite(&self) -> Vec<(String, String, String)> {
        let connection = rusqlite::Connection::open(self.folder.join("haat.db")).unwrap();
        let mut tables = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
        let tables: Vec<String> = tables.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
        let mut cells = Vec::new();
        for table in tables {
            let mut all = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns: Vec<String> = all.column_names().map(str::to_owned).collect();
            let mut rows = all.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                for (i, column) in columns.iter().enumerate() {
                    use rusqlite::types::ValueRef;
                    let value = match row.get_ref(i).unwrap() {
                        ValueRef::Null => continue,
                        ValueRef::Integer(n) => n.to_string(),
                        ValueRef::Real(n) => n.to_string(),
                        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                            String::from_utf8_lossy(bytes).into_owned()
                        }
                    };
                    cells.push((table.clone(), column.clone(), value));
                }
            }
        }
        cells
    }

    async fn cells_of_postgres(&self) -> Vec<(String, String, String)> {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let columns =
            "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
            WHERE table_schema = 'public'";
        let columns = raw_sql(AssertSqlSafe(columns.to_owned())).fetch_all(&mut connection).await.unwrap();
        let mut cells = Vec::new();
        for column in columns {
            let [table, name, kind]: [String; 3] = [0, 1, 2].map(|i| column.try_get(i).unwrap());
            let value = match kind.as_str() {
                "bytea" => format!("encode({name}, 'escape')"),
                _ => format!("CAST({name} AS TEXT)"),
            };
            let all = format!("SELECT {value} FROM {table} WHERE {name} IS NOT NULL");
            for row in raw_sql(AssertSqlSafe(all)).fetch_all(&mut connection).await.unwrap() {
                cells.push((table.clone(), name.clone(), row.try_get::<String, _>(0).unwrap()));
            }
        }
        cells
    }

    /// Runs all jobs, then the oracle, and compares the sandbox's records with ours.
    pub async fn settle(&self) {
        dispatch::drain(&self.engine).await.unwrap();
        assert_eq!(oracle::consult(&self.engine).await.unwrap(), Vec::<String>::new());
        let backlog = jobs::backlog(&self.engine).await.unwrap();
        assert_eq!((backlog.queued, backlog.dead), (0, 0), "work is left");
        assert_eq!(outbox::pending(&self.engine).await.unwrap(), 0);
        let backlog = notifications::backlog(&self.engine).await.unwrap();
        assert_eq!((backlog.queued, backlog.dead), (0, 0), "mails are left");
    }

    pub async fn close(self) {
        self.settle().await;
        write_down_what_ran();
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

/// The variable with the folder where each process records the statements that it executed, for `statements`.
pub const STATEMENTS: &str = "HAAT_TEST_STATEMENTS";

fn write_down_what_ran() {
    let Some(folder) = std::env::var_os(STATEMENTS) else { return };
    let mut lines = String::new();
    for statement in statement::all() {
        let (sqlite, postgresql) = statement.ran();
        for (ran, on) in [(sqlite, "sqlite"), (postgresql, "postgresql")] {
            if ran {
                lines += &format!("{on} {}\n", statement.name);
            }
        }
    }
    let file = PathBuf::from(folder).join(std::process::id().to_string());
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    file.write_all(lines.as_bytes()).unwrap();
}

/// A PNG of this size in a single colour.
pub fn png(width: u32, height: u32, color: [u8; 3]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb(color));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

pub const PASSWORD: &str = "market-day-2026";

pub fn sign_up(name: &str) -> SignUp {
    SignUp { name: name.into(), email: format!("{name}@haat.example"), password: PASSWORD.into() }
}

pub fn form(method: &str) -> CheckoutUpdate {
    CheckoutUpdate {
        email: "asha@example.com".into(),
        name: "Asha Rao".into(),
        line1: "12 Lake Road".into(),
        city: "Pune".into(),
        postal_code: "411001".into(),
        country: "IN".into(),
        payment_method: PaymentMethod::parse(method),
        ..CheckoutUpdate::default()
    }
}

/// The number of the purchase created by paying.
pub fn number_of(next: &NextAction) -> String {
    let NextAction::Done { purchase } = next else { panic!("not paid: {next:?}") };
    purchase.number.clone()
}

/// The number of the purchase that the shopper returned to.
pub fn number_in(back: &Return) -> String {
    let Return::Purchase(link) = back else { panic!("not a purchase: {back:?}") };
    link.number.clone()
}

/// Whether the caller isn't signed in.
pub fn is_guest(caller: &Caller) -> bool {
    matches!(caller.who, Who::Guest)
}

/// Gift cards of ₹100 to ₹10,000.
fn gift_card_terms() -> GiftCardTerms {
    let inr = |minor| Money::new(minor, Currency::INR);
    GiftCardTerms { suggested: vec![inr(50_000), inr(100_000)], least: inr(10_000), most: inr(1_000_000) }
}

/// The notifications that have failed, the latest first.
pub async fn failed(engine: &Engine) -> Vec<haat_shared::audit::DeliveryCard> {
    let of = ListRequest { state: "failed".into(), limit: Some(100), ..ListRequest::default() };
    notifications::log::table(engine, &Caller::system(), &of).await.unwrap().page.items
}
