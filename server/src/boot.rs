//! Startup: builds an engine and its gateways from a configuration.

use std::{path::Path, sync::Arc, time::Duration};

use haat_engine::{
    Clock, Db, Engine, Parts,
    accounts::logins::IdentityProvider,
    bus::{Bus, InProcess},
    clock::Zone,
    notifications::{Mailer, mailbox::Mailbox},
    payments::PaymentGateway,
    product_search::ProductSearch,
    random::SigningKey,
};
#[cfg(feature = "sandbox")]
use haat_gateways::sandbox::{Behaviour, Sandbox};
use haat_gateways::{
    cash::Cash,
    nats::Nats,
    openid::OpenId,
    paypal::{self, PayPal},
    pictures::PictureFolder,
    push::WebPush,
    razorpay::{self, Razorpay},
    smtp::{Sender, Smtp},
};
#[cfg(feature = "sandbox")]
use haat_shared::{reviews::ReviewTerms, routes};
use tokio_util::task::TaskTracker;

use crate::{
    config::{Config, Payments},
    emails,
};

/// A market that is ready to serve.
#[derive(Clone)]
pub struct Runtime {
    /// The configuration.
    pub config: Arc<Config>,
    /// The engine.
    pub engine: Engine,
    /// The sandbox gateway, if enabled.
    #[cfg(feature = "sandbox")]
    pub sandbox: Option<Arc<Sandbox>>,
    /// The sender of emails.
    pub sender: Sender,
    /// The picture store.
    pub pictures: Arc<PictureFolder>,
    /// Work that goes on after a response. If it is cut short, its job runs again.
    pub background: TaskTracker,
}

/// Opens the database. The file of an embedded one must exist.
pub async fn database(config: &Config) -> Result<Db, String> {
    if let Some(missing) = embedded(config).and_then(missing) {
        return Err(format!(
            "{missing} doesn't exist: create a market with `haat migrate`, or try the demo with `haat demo`"
        ));
    }
    open(config).await
}

/// Opens the database. Creates the file of an embedded one, and its folder.
pub async fn create_database(config: &Config) -> Result<Db, String> {
    if let Some(folder) = embedded(config).and_then(Path::parent) {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    open(config).await
}

async fn open(config: &Config) -> Result<Db, String> {
    let opened = Db::open(config.database.url.reveal(), config.database.connections).await;
    opened.map_err(|e| format!("database.url: {e}"))
}

/// The file of an embedded database.
pub(crate) fn embedded(config: &Config) -> Option<&Path> {
    config.database.url.reveal().strip_prefix("sqlite:").map(Path::new)
}

/// What is missing of a file: its folder, or the file itself.
fn missing(file: &Path) -> Option<String> {
    // If the path can't be inspected, opening it reports why.
    let is_missing = |path: &Path| matches!(path.try_exists(), Ok(false));
    if !is_missing(file) {
        return None;
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    Some(match folder.filter(|folder| is_missing(folder)) {
        Some(folder) => format!("the folder {}", folder.display()),
        None => format!("the database {}", file.display()),
    })
}

/// What is missing of the built site, without which pages have no styles and scripts.
pub(crate) fn missing_site(site_root: &str) -> Option<String> {
    let root = Path::new(site_root);
    let missing = [root.to_owned(), root.join("pkg")].into_iter().find(|folder| !folder.is_dir())?;
    let missing = std::path::absolute(&missing).unwrap_or(missing);
    Some(format!(
        "server.site_root: the folder {} doesn't exist, so pages have no styles and scripts. Build them with \
         `scripts/build --release`, or set server.site_root to their folder",
        missing.display()
    ))
}

/// The key with which the market signs for push services: one for all nodes, as long as the market's secret stays. Browsers
/// that have subscribed with another one get nothing.
fn push_key(secret: &SigningKey) -> [u8; 32] {
    secret.mac(&[b"web push\0"])
}

/// Connects all parts around an open database, and creates the picture folder. The error says what to
/// change in the configuration.
pub async fn wire(config: Config, db: Db, clock: Clock) -> Result<Runtime, String> {
    let secret = SigningKey::new(config.security.secret.reveal());
    let public_url = config.server.public_url.trim_end_matches('/').to_owned();
    #[cfg(not(feature = "sandbox"))]
    if config.payments.sandbox {
        return Err("payments.sandbox: this program was built without the feature `sandbox`".into());
    }
    #[cfg(feature = "sandbox")]
    let sandbox = config.payments.sandbox.then(|| {
        // The webhook is called on localhost, whatever the public URL is.
        let port = config.server.bind.rsplit(':').next().unwrap_or_default();
        let webhook = format!("http://127.0.0.1:{port}{}", routes::webhook("sandbox"));
        let sandbox =
            Sandbox::new(db.clone(), clock.clone(), secret.clone(), &config.payments.sandbox_url, webhook);
        let delay = Duration::from_millis(config.payments.sandbox_delay_ms);
        Arc::new(sandbox.behaving(Behaviour { delay, ..Behaviour::default() }))
    });
    let sender: Sender = config.mail.from.parse().map_err(|e| format!("mail.from: {e}"))?;
    let mut gateways: Vec<Arc<dyn PaymentGateway>> = Vec::new();
    if !config.payments.stripe_secret_key.reveal().is_empty() {
        gateways.push(stripe(&config.payments, market_name(&sender))?);
    }
    if !config.payments.paypal_client_id.is_empty() {
        let Payments { paypal_client_id, paypal_secret, paypal_webhook_id, paypal_url, .. } =
            config.payments.clone();
        gateways.push(Arc::new(PayPal::new(paypal::Settings {
            client_id: paypal_client_id,
            secret: paypal_secret.reveal().to_owned(),
            webhook_id: paypal_webhook_id,
            url: paypal_url,
            market: market_name(&sender),
        })));
    }
    if !config.payments.razorpay_key_id.is_empty() {
        let Payments { razorpay_key_id, razorpay_key_secret, razorpay_webhook_secrets, razorpay_url, .. } =
            config.payments.clone();
        let secrets = razorpay_webhook_secrets.reveal().split_whitespace();
        gateways.push(Arc::new(Razorpay::new(razorpay::Settings {
            key_id: razorpay_key_id,
            key_secret: razorpay_key_secret.reveal().to_owned(),
            webhook_secrets: secrets.map(str::to_owned).collect(),
            url: razorpay_url,
            market: market_name(&sender),
        })));
    }
    #[cfg(feature = "sandbox")]
    if let Some(sandbox) = &sandbox {
        gateways.push(sandbox.clone());
    }
    if config.payments.cash {
        gateways.push(Arc::new(Cash));
    }
    let mailer: Arc<dyn Mailer> = match config.mail.smtp_url.reveal() {
        "" => Arc::new(Mailbox(db.clone())),
        url => Arc::new(Smtp::new(url, sender.clone()).map_err(|e| format!("mail.smtp_url: {e}"))?),
    };
    let mut providers: Vec<Arc<dyn IdentityProvider>> = Vec::new();
    for app in config.sign_in.apps() {
        let setting = format!("sign_in.{}_issuer", app.provider.as_str());
        let provider = OpenId::new(app, clock.clone()).map_err(|e| format!("{setting}: {e}"))?;
        providers.push(Arc::new(provider));
    }
    let contact = format!("mailto:{}", sender.email);
    let services = config.push.services.split_whitespace().map(str::to_owned).collect();
    let pusher = Arc::new(WebPush::new(&push_key(&secret), &contact, services, clock.clone())?);
    let bus: Arc<dyn Bus> = match config.bus.nats.reveal() {
        "" => Arc::new(InProcess::default()),
        url => Arc::new(Nats::connect(url).await.map_err(|e| format!("bus.nats: {e}"))?),
    };
    let currency = config.market.currency;
    let currencies = config.market.sold_in()?;
    let zone = Zone::named(&config.market.time_zone).map_err(|e| format!("market.time_zone: {e}"))?;
    let wait = Duration::from_secs(config.media.wait_s.into());
    let pictures = Arc::new(PictureFolder::in_folder(Path::new(&config.media.folder), wait)?);
    let engine = Engine::new(Parts {
        taxes: Default::default(),
        shipping: Default::default(),
        activity: Default::default(),
        search: match config.search.folder.as_str() {
            "" => ProductSearch::in_memory(),
            folder => ProductSearch::in_folder(folder),
        },
        db,
        clock,
        gateways,
        mailer,
        providers,
        pusher,
        smtputf8: config.mail.smtputf8,
        support_email: sender.email.to_string(),
        render: emails::render,
        secret,
        public_url,
        bus,
        currency,
        currencies,
        country: config.market.country.clone(),
        zone,
        return_days: i64::from(config.market.return_days),
        return_answer_days: i64::from(config.market.return_answer_days),
        payouts: config.payouts.terms(),
        gift_cards: config.market.gift_cards()?,
        reviews: ReviewTerms {
            moderation: config.reviews.moderate,
            invite_days: i64::from(config.reviews.invite_days),
        },
        promotions: Vec::new(),
        pictures: pictures.clone(),
        bounds: config.limits.bounds(),
    })?;
    Ok(Runtime {
        config: Arc::new(config),
        engine,
        #[cfg(feature = "sandbox")]
        sandbox,
        sender,
        pictures,
        background: TaskTracker::new(),
    })
}

/// What people know the market by in their emails is also what they read on the pages of payment providers.
fn market_name(sender: &Sender) -> String {
    sender.name.clone().unwrap_or_else(|| sender.email.domain().to_owned())
}

#[cfg(feature = "stripe")]
fn stripe(payments: &Payments, market: String) -> Result<Arc<dyn PaymentGateway>, String> {
    let secrets = payments.stripe_webhook_secrets.reveal().split_whitespace();
    let settings = haat_stripe::Settings {
        secret_key: payments.stripe_secret_key.reveal().to_owned(),
        webhook_secrets: secrets.map(str::to_owned).collect(),
        url: payments.stripe_url.clone(),
        authorizes: payments.stripe_authorizes,
        connect: payments.stripe_connect,
        market,
        publishable_key: payments.stripe_publishable_key.clone(),
    };
    let stripe = haat_stripe::Stripe::new(settings).map_err(|e| format!("payments.stripe_url: {e}"))?;
    Ok(Arc::new(stripe))
}

#[cfg(not(feature = "stripe"))]
fn stripe(_: &Payments, _: String) -> Result<Arc<dyn PaymentGateway>, String> {
    Err("payments.stripe_secret_key is set, but this program was built without the feature `stripe`".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let name = |name: &str| path(name).display().to_string();
        assert_eq!(missing(&path("no/haat.db")), Some(format!("the folder {}", name("no"))));
        assert_eq!(missing(&path("haat.db")), Some(format!("the database {}", name("haat.db"))));
        assert_eq!(missing(Path::new("no-such.db")), Some("the database no-such.db".into()));
        assert_eq!(missing(folder.path()), None);

        let why = |root: &str| missing_site(&name(root)).unwrap_or_default();
        assert!(why("site").contains(&format!("the folder {} doesn't exist", name("site"))));
        std::fs::create_dir(path("site")).unwrap();
        assert!(why("site").contains(&format!("the folder {} doesn't exist", name("site/pkg"))));
        std::fs::create_dir(path("site/pkg")).unwrap();
        assert_eq!(why("site"), "");
    }
}
