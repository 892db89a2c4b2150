//! Startup: builds an engine and its gateways from a configuration.

use std::{path::Path, sync::Arc, time::Duration};

use haat_engine::{
    Clock, Db, Engine, Parts,
    bus::{Bus, InProcess},
    clock::Zone,
    notifications::{Mailer, mailbox::Mailbox},
    payments::PaymentGateway,
    random::SigningKey,
};
use haat_gateways::{
    cash::Cash,
    nats::Nats,
    pictures::PictureFolder,
    sandbox::{Behaviour, Sandbox},
    smtp::{Sender, Smtp},
};
use haat_shared::routes;

use crate::{config::Config, emails};

/// A market that is ready to serve.
#[derive(Clone)]
pub struct Runtime {
    /// The configuration.
    pub config: Arc<Config>,
    /// The engine.
    pub engine: Engine,
    /// The sandbox gateway, if enabled.
    pub sandbox: Option<Arc<Sandbox>>,
    /// The sender of emails.
    pub sender: Sender,
    /// The picture store.
    pub pictures: Arc<PictureFolder>,
}

/// Opens the database, and creates the folder of an embedded one.
pub async fn database(config: &Config) -> Result<Db, String> {
    let url = config.database.url.reveal();
    if let Some(folder) = url.strip_prefix("sqlite:").and_then(|path| Path::new(path).parent()) {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    Db::open(url, config.database.connections).await.map_err(|e| e.to_string())
}

/// Connects all parts around an open database, and creates the picture folder. The error says what to
/// change in the configuration.
pub async fn wire(config: Config, db: Db, clock: Clock) -> Result<Runtime, String> {
    let secret = SigningKey::new(config.security.secret.reveal());
    let public_url = config.server.public_url.trim_end_matches('/').to_owned();
    let sandbox = config.payments.sandbox.then(|| {
        // The webhook is called on localhost, whatever the public URL is.
        let port = config.server.bind.rsplit(':').next().unwrap_or_default();
        let webhook = format!("http://127.0.0.1:{port}{}", routes::webhook("sandbox"));
        let sandbox =
            Sandbox::new(db.clone(), clock.clone(), secret.clone(), &config.payments.sandbox_url, webhook);
        let delay = Duration::from_millis(config.payments.sandbox_delay_ms);
        Arc::new(sandbox.behaving(Behaviour { delay, ..Behaviour::default() }))
    });
    let mut gateways: Vec<Arc<dyn PaymentGateway>> = Vec::new();
    if let Some(sandbox) = &sandbox {
        gateways.push(sandbox.clone());
    }
    if config.payments.cash {
        gateways.push(Arc::new(Cash));
    }
    let sender: Sender = config.mail.from.parse().map_err(|e| format!("mail.from: {e}"))?;
    let mailer: Arc<dyn Mailer> = match config.mail.smtp_url.reveal() {
        "" => Arc::new(Mailbox(db.clone())),
        url => Arc::new(Smtp::new(url, sender.clone()).map_err(|e| format!("mail.smtp_url: {e}"))?),
    };
    let bus: Arc<dyn Bus> = match config.bus.nats.reveal() {
        "" => Arc::new(InProcess::default()),
        url => Arc::new(Nats::connect(url).await.map_err(|e| format!("bus.nats: {e}"))?),
    };
    let currency = config.market.currency;
    let zone = Zone::named(&config.market.time_zone).map_err(|e| format!("market.time_zone: {e}"))?;
    let wait = Duration::from_secs(config.media.wait_s.into());
    let pictures = Arc::new(PictureFolder::in_folder(Path::new(&config.media.folder), wait)?);
    let engine = Engine::new(Parts {
        db,
        clock,
        gateways,
        mailer,
        smtputf8: config.mail.smtputf8,
        render: emails::render,
        secret,
        public_url,
        bus,
        currency,
        zone,
        return_days: i64::from(config.market.return_days),
        pictures: pictures.clone(),
        bounds: config.limits.bounds(),
    })?;
    Ok(Runtime { config: Arc::new(config), engine, sandbox, sender, pictures })
}
