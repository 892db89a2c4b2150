//! The command line.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{CommandFactory, Parser, Subcommand};
use haat_app::{i18n::Locale, words};
use haat_engine::{Caller, Clock, accounts, currencies, oracle, product_search, seals, shops};
use haat_shared::{
    Currency,
    accounts::{DEMO_PASSWORD, SignUp},
    catalog::imports::{ExportFormat, Format},
    money::Rate,
    number::DecimalMark,
    routes::{DEV_MAILS, SELLER_SHOPS},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    boot::{self, Runtime},
    config::{Config, Mode},
    demo,
    http::{
        self,
        connections::{self, Bounds},
    },
    imports, log, worker,
};

/// A multi-seller marketplace in a single binary.
#[derive(Parser)]
#[command(name = "haat", version)]
struct Cli {
    /// Path of the configuration file (TOML). Environment variables (HAAT__SECTION__NAME) override it.
    #[arg(long, env = "HAAT_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Start the web server and the background worker.
    Serve,
    /// Run a demo marketplace: create a folder with an embedded database, six shops and their products, and start the server.
    Demo {
        /// Folder for the database and the images.
        #[arg(long, default_value = "data")]
        folder: PathBuf,
    },
    /// Create or upgrade the database schema.
    Migrate,
    /// Fill an empty database with sample data.
    Seed {
        /// Add the demo shops and products.
        #[arg(long)]
        demo: bool,
        /// Without the orders of the last ninety days.
        #[arg(long)]
        without_orders: bool,
        /// Without orders and images, which take a few seconds.
        #[arg(long)]
        plain: bool,
    },
    /// Import data from a file.
    Import {
        #[command(subcommand)]
        what: Import,
    },
    /// Export data to standard output.
    Export {
        #[command(subcommand)]
        what: Export,
    },
    /// Manage admin accounts.
    Admin {
        #[command(subcommand)]
        what: Admin,
    },
    /// Manage exchange rates.
    Currency {
        #[command(subcommand)]
        what: CurrencyCommand,
    },
    /// Manage the search indexes.
    Search {
        #[command(subcommand)]
        what: SearchCommand,
    },
    /// Check the ledger.
    Ledger {
        #[command(subcommand)]
        what: Ledger,
    },
    /// Print the effective configuration, with secrets redacted.
    Config,
}

#[derive(Subcommand)]
enum Import {
    /// Import products from CSV, from the output of `haat export`, or from JSON Lines of the Icecat open catalogue,
    /// optionally compressed with gzip. The whole file is validated first. Products with a matching SKU are updated. Exits
    /// with status 2 if there are errors.
    Products {
        /// Path of the file.
        file: PathBuf,
        /// Handle of the shop to import into.
        #[arg(long)]
        shop: String,
        /// Format of the file: csv, json or icecat. Detected from the first line by default.
        #[arg(long, value_parser = format)]
        format: Option<Format>,
        /// Decimal separator of the numbers in the file: point (1,249.50) or comma (1.249,50). Needed if a number can be
        /// read two ways.
        #[arg(long, value_parser = decimal_mark)]
        decimal: Option<DecimalMark>,
        /// Validate the file without importing anything.
        #[arg(long)]
        dry_run: bool,
        /// Import the valid products even if others have errors.
        #[arg(long)]
        skip_errors: bool,
        /// Also update the stock of existing products.
        #[arg(long)]
        set_stock: bool,
        /// Write all errors to this CSV file.
        #[arg(long)]
        errors: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum Export {
    /// Export the products of a shop as CSV or JSON Lines, which `haat import products` can read, or as XML.
    Products {
        /// Handle of the shop.
        #[arg(long)]
        shop: String,
        /// Output format: csv, json or xml.
        #[arg(long, value_parser = export_format, default_value = "csv")]
        format: ExportFormat,
    },
}

fn format(name: &str) -> Result<Format, String> {
    Format::parse(name).ok_or_else(|| "expected csv, json or icecat".to_owned())
}

fn decimal_mark(name: &str) -> Result<DecimalMark, String> {
    DecimalMark::parse(name).ok_or_else(|| "expected point or comma".to_owned())
}

fn export_format(name: &str) -> Result<ExportFormat, String> {
    ExportFormat::parse(name).ok_or_else(|| "expected csv, json or xml".to_owned())
}

#[derive(Subcommand)]
enum Admin {
    /// Create an admin account. Reads its password from HAAT_ADMIN_PASSWORD.
    Create {
        /// Email address of the account.
        #[arg(long)]
        email: String,
        /// Name of the account's owner.
        #[arg(long, default_value = "Admin")]
        name: String,
    },
}

#[derive(Subcommand)]
enum CurrencyCommand {
    /// Set what one unit of the marketplace's currency costs in another currency: NUMERATOR / DENOMINATOR.
    SetRate {
        /// Code of the currency (ISO 4217).
        currency: Currency,
        /// Numerator of the rate.
        numerator: i64,
        /// Denominator of the rate.
        #[arg(default_value_t = 1)]
        denominator: i64,
        /// Where the rate is from.
        #[arg(long, default_value = "")]
        source: String,
        /// Set it even if it is very different from the current rate.
        #[arg(long)]
        force: bool,
    },
    /// Set exchange rates from a file, for example once a day: a currency and a rate in each line, or the table of reference
    /// rates of the European Central Bank (eurofxref.csv or eurofxref-daily.xml).
    Import {
        /// The file.
        file: PathBuf,
        /// Where the rates are from.
        #[arg(long, default_value = "")]
        source: String,
        /// Set them even if one is very different from the current rate.
        #[arg(long)]
        force: bool,
    },
}

#[derive(Subcommand)]
enum SearchCommand {
    /// Have all nodes build their search indexes anew. Until they are done, the old ones answer.
    Rebuild,
}

#[derive(Subcommand)]
enum Ledger {
    /// Verify the invariants of money and stock and the seals of the ledger, and report violations.
    Verify,
}

/// Runs the command line. The error is a single readable line.
pub fn run() -> Result<ExitCode, String> {
    let cli = Cli::parse();
    let mut config = Config::load(cli.config.as_deref(), std::env::vars())?;
    let command = match cli.command {
        Some(command) => command,
        // `cargo leptos watch` starts the program without arguments, and this says where it expects it.
        None if std::env::var_os("LEPTOS_SITE_ADDR").is_some() => {
            let from_environment =
                |name, setting: &mut String| std::env::var(name).into_iter().for_each(|v| *setting = v);
            from_environment("LEPTOS_SITE_ADDR", &mut config.server.bind);
            from_environment("LEPTOS_SITE_ROOT", &mut config.server.site_root);
            Command::Demo { folder: "data".into() }
        }
        None => {
            print(Cli::command().render_help());
            return Ok(ExitCode::from(2));
        }
    };
    if let Command::Demo { folder } = &command {
        config.demo(folder)?;
    }
    log::start(&config.log)?;
    if matches!(command, Command::Config) {
        print(config.printed()?.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        match command {
            Command::Serve => serve(config).await,
            Command::Demo { folder } => {
                let runtime = prepare_demo(&config, &folder).await?;
                let mut drawing = JoinSet::new();
                drawing.spawn(async move {
                    if let Err(error) = demo::draw(&runtime.engine).await {
                        tracing::error!(%error, "the demo's images could not be drawn");
                    }
                });
                serve(config).await
            }
            command => once(config, command).await,
        }
    })
}

fn print(text: impl std::fmt::Display) {
    // The reader of the pipe may have exited.
    let _ = writeln!(std::io::stdout(), "{text}");
}

async fn open(config: Config) -> Result<Runtime, String> {
    let db = boot::database(&config).await?;
    // During maintenance, the database may be between two schema versions.
    if !config.server.maintenance {
        db.check_schema().await.map_err(|e| e.to_string())?;
    }
    boot::wire(config, db, Clock::default()).await
}

async fn once(config: Config, command: Command) -> Result<ExitCode, String> {
    match command {
        Command::Migrate => {
            let db = boot::create_database(&config).await?;
            let steps = db.migrate(Clock::default().now_ms()).await.map_err(|e| e.to_string())?;
            print(format!("{}: migrations applied: {steps}", db.engine()));
        }
        Command::Seed { demo: true, .. } if config.mode == Mode::Production => {
            return Err("seed --demo is not for production: its accounts have a public password".into());
        }
        Command::Seed { demo: true, without_orders, plain } => {
            let runtime = open(config).await?;
            let owners = demo::add(
                &runtime.config,
                runtime.engine.db.clone(),
                Clock::default(),
                without_orders || plain,
            )
            .await?;
            if !plain {
                demo::draw(&runtime.engine).await.map_err(|e| e.to_string())?;
            }
            print(format!("Demo shop owners (password: {DEMO_PASSWORD}): {}", owners.join(", ")));
        }
        Command::Seed { demo: false, .. } => {
            return Err("nothing to seed: use --demo to add the demo data".into());
        }
        Command::Import {
            what: Import::Products { file, shop, format, decimal, dry_run, skip_errors, set_stock, errors },
        } => {
            let runtime = open(config).await?;
            let (file, errors) = (file.as_path(), errors.as_deref());
            let arguments = imports::Arguments {
                file,
                shop: &shop,
                format,
                decimal_mark: decimal,
                dry_run,
                skip_errors,
                set_stock,
                errors,
            };
            return imports::import(&runtime.engine, arguments).await;
        }
        Command::Export { what: Export::Products { shop, format } } => {
            let runtime = open(config).await?;
            return imports::export(&runtime.engine, &shop, format).await;
        }
        Command::Admin { what: Admin::Create { email, name } } => {
            let runtime = open(config).await?;
            let password = std::env::var("HAAT_ADMIN_PASSWORD").map_err(|_| {
                "HAAT_ADMIN_PASSWORD is not set: set it to the password of the new account".to_owned()
            })?;
            let form = SignUp { name, email, password };
            let id = accounts::create_operator(&runtime.engine, &Caller::system(), form)
                .await
                .map_err(one_line)?;
            print(id);
        }
        Command::Currency {
            what: CurrencyCommand::SetRate { currency, numerator, denominator, source, force },
        } => {
            let runtime = open(config).await?;
            let rate = Rate { numerator, denominator };
            currencies::set_rate(&runtime.engine, &Caller::system(), currency, rate, &source, force)
                .await
                .map_err(one_line)?;
        }
        Command::Currency { what: CurrencyCommand::Import { file, source, force } } => {
            let runtime = open(config).await?;
            let rates =
                std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let set = currencies::import(&runtime.engine, &Caller::system(), &rates, &source, force)
                .await
                .map_err(one_line)?;
            print(format!("Exchange rates set: {set}."));
        }
        Command::Search { what: SearchCommand::Rebuild } => {
            let runtime = open(config).await?;
            product_search::request_rebuild(&runtime.engine).await.map_err(|e| e.to_string())?;
            print("Every running node builds its search index anew.");
        }
        Command::Ledger { what: Ledger::Verify } => {
            let runtime = open(config).await?;
            let broken = oracle::consult(&runtime.engine).await.map_err(|e| e.to_string())?;
            let seals = seals::verify(&runtime.engine).await.map_err(|e| e.to_string())?;
            broken.iter().chain(&seals.broken).for_each(print);
            let sealed = seals
                .last
                .map_or(String::new(), |(batch, seal)| format!(" The seal of batch {batch} is {seal}."));
            print(format!("{} postings are sealed, {} are not yet.{sealed}", seals.sealed, seals.unsealed));
            if !broken.is_empty() || !seals.broken.is_empty() {
                return Ok(ExitCode::FAILURE);
            }
            print("The ledger is consistent.");
        }
        Command::Serve | Command::Demo { .. } | Command::Config => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// An error with all its fields.
fn one_line(error: haat_shared::Error) -> String {
    match error {
        haat_shared::Error::Invalid(faults) => {
            let said = |f: &haat_shared::FieldError| {
                format!("{}: {}", f.field, words::fault(Locale::default(), &f.field, f.code))
            };
            faults.iter().map(said).collect::<Vec<_>>().join(" ")
        }
        error => error.to_string(),
    }
}

const ADDING: &str = "Adding the demo shops and their orders. Their images are added in the background…";

/// Creates and seeds the demo's database unless it exists; prints the market's URL and the accounts.
async fn prepare_demo(config: &Config, folder: &Path) -> Result<Runtime, String> {
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    if let Some(file) = boot::embedded(config).filter(|file| !file.exists()) {
        print(ADDING);
        demo::create(config, file, Clock::default()).await?;
    }
    let db = boot::create_database(config).await?;
    db.migrate(Clock::default().now_ms()).await.map_err(|e| e.to_string())?;
    let runtime = boot::wire(config.clone(), db, Clock::default()).await?;
    let open = shops::list(&runtime.engine, &Caller::system(), "").await.map_err(|e| e.to_string())?;
    if open.items.is_empty() {
        print(ADDING);
        demo::add(&runtime.config, runtime.engine.db.clone(), Clock::default(), false).await?;
    }
    let url = &config.server.public_url;
    print(format!("Haat is running at {url} (press Ctrl-C to stop). Emails are shown at {url}{DEV_MAILS}."));
    print(format!(
        "Seller dashboard: {url}{SELLER_SHOPS}. The sign-in page offers the demo's accounts; their password is {DEMO_PASSWORD}."
    ));
    Ok(runtime)
}

/// How long open requests may take to end when the program is asked to stop.
const GRACE: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "it waits for the end of the program")]
async fn serve(config: Config) -> Result<ExitCode, String> {
    let begun = Instant::now();
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|e| e.to_string())?;
    let runtime = open(config).await?;
    let bind = runtime.config.server.bind.clone();
    let listener = tokio::net::TcpListener::bind(&bind).await.map_err(|e| format!("server.bind: {e}"))?;
    log::catch_output().map_err(|e| format!("cannot capture standard output and error: {e}"))?;
    let bounds = Bounds::of(&runtime.config);
    if runtime.config.mode == Mode::Production && runtime.config.mail.smtp_url.reveal().is_empty() {
        tracing::warn!("mail.smtp_url is not set: emails are stored in the database and not sent");
    }
    if let Some(missing) = boot::missing_site(&runtime.config.server.site_root) {
        tracing::warn!("{missing}");
    }
    let stop = CancellationToken::new();
    let mut workers = match runtime.config.server.maintenance {
        true => Default::default(),
        false => worker::start(&runtime, &stop),
    };
    let (engine, background) = (runtime.engine.clone(), runtime.background.clone());
    let router = http::router(runtime, metrics);
    tracing::info!(
        bind,
        database = engine.db.engine(),
        connections_max = bounds.all,
        ready_ms = begun.elapsed().as_millis() as u64,
        "serving"
    );
    let signal = stop.clone();
    tokio::spawn(async move {
        asked_to_stop().await;
        tracing::info!("stopping");
        signal.cancel();
    });
    tokio::select! {
        () = connections::serve(listener, router, bounds, stop.clone()) => {}
        () = after(&stop, GRACE) => tracing::warn!("some requests did not finish in time"),
    }
    background.close();
    let rest = async {
        while workers.join_next().await.is_some() {}
        background.wait().await;
    };
    if tokio::time::timeout(GRACE, rest).await.is_err() {
        tracing::warn!("the worker did not finish in time; its leases will expire");
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn after(stop: &CancellationToken, grace: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(grace).await;
}

/// Ctrl-C or SIGTERM.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
