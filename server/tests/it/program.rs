//! The program, started as a user starts it, and an HTTP client that acts as a shopper.

use std::{
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use reqwest::{Client, Response, StatusCode, redirect::Policy};
use sqlx_core::{connection::Connection, raw_sql::raw_sql, sql_str::AssertSqlSafe};
use sqlx_postgres::PgConnection;

#[path = "../../engine/tests/it/template.rs"]
mod template;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum On {
    Sqlite,
    Postgres,
}

pub const BOTH: [On; 2] = [On::Sqlite, On::Postgres];

/// Runs a scenario on both databases at once, because it mostly waits.
#[allow(dead_code, reason = "not for the benchmark")]
pub async fn on_both(scenario: impl AsyncFn(On)) {
    tokio::join!(scenario(On::Sqlite), scenario(On::Postgres));
}

pub struct Program {
    pub folder: PathBuf,
    pub url: String,
    pub port: u16,
    environment: Vec<(String, String)>,
    child: Option<Child>,
}

/// Between two looks at whether something has happened: asking without a pause would slow down what is waited for.
#[allow(dead_code, reason = "not for all benchmarks")]
pub async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// A port that no other test takes before it is listened on, which may be seconds later. It is below those that
/// the system gives out by itself, and each test that runs at the same time has its own hundred.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let slot = std::env::var("NEXTEST_TEST_GLOBAL_SLOT").ok().and_then(|slot| slot.parse::<u16>().ok());
    let first = 10_000 + slot.unwrap_or(80) % 100 * 100;
    let next = || first + TAKEN.fetch_add(1, Ordering::Relaxed) % 100;
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(next).take(100).find(free).expect("no free port")
}

/// What tells this build of the program from others.
fn built() -> (u64, Option<std::time::SystemTime>) {
    let about = std::fs::metadata(env!("CARGO_BIN_EXE_haat")).unwrap();
    (about.len(), about.modified().ok())
}

/// The seeded SQLite database of this build, which may not exist yet. Those of other builds are deleted.
fn template_file() -> PathBuf {
    let name = template::named("haat_seeded", built());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    for entry in std::fs::read_dir(&folder).unwrap().flatten() {
        let old = entry.file_name().to_string_lossy().into_owned();
        if old.starts_with("haat_seeded_") && !old.starts_with(&name) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    folder.join(format!("{name}.db"))
}

fn postgres() -> String {
    std::env::var("HAAT_TEST_POSTGRES")
        .expect("HAAT_TEST_POSTGRES is not set: run `make test`, or scripts/with-postgres around cargo test")
}

impl Program {
    /// A seeded market without pictures, not yet running.
    pub async fn prepare(on: On) -> Self {
        Self::prepare_with(on, &[]).await
    }

    /// The same, with settings that the seed depends on.
    pub async fn prepare_with(on: On, settings: &[(&str, &str)]) -> Self {
        let seed = ["seed", "--demo", "--plain"];
        // What tests change is seeded anew. All others copy what the first one has seeded.
        let mut program = Self::empty(on, settings);
        match on {
            _ if !settings.is_empty() => program.seed(&seed).await,
            On::Sqlite => {
                let file = template_file();
                let lock = std::fs::File::create(file.with_extension("lock")).unwrap();
                lock.lock().unwrap();
                if !file.exists() {
                    program.seed(&seed).await;
                    program.sql("PRAGMA wal_checkpoint(TRUNCATE)").await;
                    std::fs::rename(program.folder.join("haat.db"), &file).unwrap();
                }
                lock.unlock().unwrap();
                std::fs::copy(&file, program.folder.join("haat.db")).unwrap();
            }
            On::Postgres => {
                let own = program.url.rsplit('/').next().unwrap().to_owned();
                let template = template::named("haat_seeded", built());
                let (server, make) = (postgres(), async |url: String| {
                    program.set("HAAT__DATABASE__URL", &url);
                    program.run_ok(&["migrate"]);
                    program.run_ok(&seed);
                });
                let url = template::copy(&server, &own, &template, make).await;
                program.set("HAAT__DATABASE__URL", &url);
            }
        }
        program
    }

    /// Creates the tables and adds data.
    async fn seed(&self, seed: &[&str]) {
        if let Some((server, name)) = self.url.rsplit_once('/').filter(|_| self.url.starts_with("postgres")) {
            let mut connection = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
            let sql = AssertSqlSafe(format!("CREATE DATABASE {name}"));
            raw_sql(sql).execute(&mut connection).await.unwrap();
        }
        self.run_ok(&["migrate"]);
        self.run_ok(seed);
    }

    /// A program without a database.
    fn empty(on: On, settings: &[(&str, &str)]) -> Self {
        let name = format!("haat_{}", haat_engine::random::number().to_lowercase());
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        let url = match on {
            On::Sqlite => format!("sqlite:{}", folder.join("haat.db").display()),
            On::Postgres => format!("{}/{name}", postgres().rsplit_once('/').unwrap().0),
        };
        let mut program = Self { folder, url, port: 0, environment: Vec::new(), child: None };
        program.set("HAAT__DATABASE__URL", &program.url.clone());
        program.listen(free_port());
        program.set("HAAT__PAYMENTS__SANDBOX", "true");
        program.set("HAAT__LOG__FILTER", "warn");
        // All tests send many requests from the same address.
        program.set("HAAT__LIMITS__SCALE", "100000");
        settings.iter().for_each(|(name, value)| program.set(name, value));
        program
    }

    fn listen(&mut self, port: u16) {
        self.port = port;
        self.set("HAAT__SERVER__BIND", &format!("127.0.0.1:{port}"));
        self.set("HAAT__SERVER__PUBLIC_URL", &format!("http://localhost:{port}"));
        self.set("HAAT__PAYMENTS__SANDBOX_URL", &format!("http://127.0.0.1:{port}"));
    }

    /// Another node of the same market, not yet running.
    #[allow(dead_code, reason = "not for the benchmarks")]
    pub fn another_node(&self) -> Self {
        let folder = self.folder.with_extension("node");
        std::fs::create_dir_all(&folder).unwrap();
        let (url, environment) = (self.url.clone(), self.environment.clone());
        let mut node = Self { folder, url, port: 0, environment, child: None };
        node.listen(free_port());
        node
    }

    /// Adds two dozen products to a shop, with a hundred of each in stock.
    pub fn fill(&self, shop: &str) {
        self.stock(shop, 0);
    }

    /// The same, with new products in each round.
    pub fn stock(&self, shop: &str, round: usize) {
        self.import(shop, round, 24);
    }

    /// Adds `count` products to a shop.
    pub fn import(&self, shop: &str, round: usize, count: usize) {
        let file = self.folder.join(format!("{shop}.jsonl"));
        let line = |i| format!(r#"{{"id":"{round}-{i}","title":"Lamp {round} {i}","price":{}}}"#, 1_000 + i);
        let lines: Vec<String> = (0..count).map(line).collect();
        std::fs::write(&file, lines.join("\n")).unwrap();
        self.run_ok(&["import", "products", file.to_str().unwrap(), "--shop", shop]);
    }

    /// Starts with a gateway that takes `delay` to answer, and with the refunds of `purchases` at five shops due.
    #[allow(dead_code, reason = "not for all benchmarks")]
    pub async fn start_with_refunds(&mut self, purchases: usize, delay: Duration) {
        const SHOPS: [&str; 5] =
            ["meena-crafts", "delta-electronics", "malabar-pantry", "kalyani-handlooms", "nilgiri-books"];
        self.start().await;
        let (mut variants, mut paid) = (Vec::new(), Vec::new());
        for shop in SHOPS {
            self.fill(shop);
            variants.push(Shopper::new(self).variant(shop, 0).await);
        }
        for _ in 0..purchases {
            paid.push(Shopper::new(self).buy_by_card(&variants).await);
        }
        self.kill();
        self.set("HAAT__PAYMENTS__SANDBOX_DELAY_MS", &delay.as_millis().to_string());
        self.start().await;
        let shopper = Shopper::new(self);
        for purchase in paid {
            let (page, key) = purchase.split_once("?key=").unwrap();
            for n in 1..=SHOPS.len() {
                let order = format!("{}-{n}", page.rsplit('/').next().unwrap());
                let done =
                    shopper.post(page, &[("key", key), ("order", &order), ("reason", "Too late")]).await;
                assert!(done.contains("done="), "{done}");
            }
        }
    }

    /// A market with pictures.
    #[allow(dead_code, reason = "not for the benchmark")]
    pub async fn with_pictures(on: On) -> Self {
        let mut program = Self::empty(on, &[]);
        program.seed(&["seed", "--demo", "--without-orders"]).await;
        program.start().await;
        program
    }

    pub async fn serve(on: On) -> Self {
        let mut program = Self::prepare(on).await;
        program.start().await;
        program
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(n, _)| n != name);
        self.environment.push((name.into(), value.into()));
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_haat").as_ref(), arguments)
    }

    /// The same, with a copy of the program.
    pub fn command_of(&self, binary: &std::path::Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command.args(arguments).envs(self.environment.iter().cloned()).current_dir(&self.folder);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn run_ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "haat {arguments:?}: {said}");
        said
    }

    pub async fn start(&mut self) -> Duration {
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = self.command(&["serve"]);
        command.stderr(log);
        self.start_by(command).await
    }

    /// Starts the server with this command.
    pub async fn start_by(&mut self, mut command: Command) -> Duration {
        let begun = Instant::now();
        self.child = Some(command.stdin(Stdio::null()).spawn().unwrap());
        self.wait(begun).await
    }

    /// Starts the server with an output that nobody reads: `open` says whether it is kept open or closed.
    #[allow(dead_code, reason = "not for the benchmarks")]
    pub async fn start_unheard(
        &mut self,
        open: bool,
    ) -> Option<(std::process::ChildStdout, std::process::ChildStderr)> {
        let begun = Instant::now();
        let mut command = self.command(&["serve"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pipes = child.stdout.take().zip(child.stderr.take()).filter(|_| open);
        self.child = Some(child);
        self.wait(begun).await;
        pipes
    }

    async fn wait(&mut self, begun: Instant) -> Duration {
        let client = Client::new();
        while begun.elapsed() < Duration::from_secs(120) {
            // Whatever answers then is not this program.
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", self.log());
            if client.get(self.at("/readyz")).send().await.is_ok_and(|r| r.status().is_success()) {
                return begun.elapsed();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("not ready: {}", self.log());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn at(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// The id of its process.
    #[allow(dead_code, reason = "only the benchmarks ask")]
    pub fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// The memory used by the program, in MB; `VmHWM` is the peak.
    #[allow(dead_code, reason = "only the benchmarks ask")]
    pub fn memory_mb(&self, which: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process())).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix(which)?.strip_prefix(':')).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Executes statements, in PostgreSQL some from the maintenance database.
    pub async fn sql(&self, statement: &str) {
        if self.url.starts_with("sqlite:") {
            let database = rusqlite::Connection::open(self.folder.join("haat.db")).unwrap();
            return database.execute_batch(statement).unwrap();
        }
        let about_the_database = statement.starts_with("ALTER DATABASE") || statement.starts_with("SELECT");
        let url = if about_the_database { postgres() } else { self.url.clone() };
        let mut connection = PgConnection::connect(&url).await.unwrap();
        raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    }

    /// Terminates the program's PostgreSQL connections, so that it has to reconnect.
    pub async fn disconnect_everyone(&self) {
        let name = self.url.rsplit('/').next().unwrap();
        let statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ";
        self.sql(&format!("{statement}'{name}'")).await;
    }

    /// The oracle must find no violations.
    pub fn verify(&self) {
        self.run_ok(&["ledger", "verify"]);
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub fn close(mut self) {
        self.kill();
        self.verify();
        let log = self.log();
        // Leptos' rendering tasks may briefly outlive a request and miss its signals (docs/decisions/0004).
        let ours = ["panicked at app/", "panicked at server/", "panicked at shared/", "a handler panicked"];
        assert!(!ours.iter().any(|panic| log.contains(panic)), "{log}");
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

impl Program {
    /// A metric, by kind of work.
    pub async fn count(&self, metric: &str, kind: &str) -> u64 {
        let (_, metrics) = Shopper::new(self).get("/metrics").await;
        let line = format!("{metric}{{kind=\"{kind}\"}} ");
        metrics.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |value| value.parse().unwrap())
    }

    /// How often messages on the bus made this node dispatch. Only use cases publish them, so a node without
    /// shoppers gets them from other nodes only.
    #[allow(dead_code, reason = "not for all benchmarks")]
    pub async fn woken(&self) -> u64 {
        self.count("haat_work_woken_total", "dispatch").await
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            println!("{} on port {} (ended: {ended:?}):\n{}", self.url, self.port, self.log());
        }
        self.kill();
    }
}

/// A NATS server, until it is dropped.
#[allow(dead_code, reason = "not for all benchmarks")]
pub struct NatsServer(Child);

#[allow(dead_code, reason = "not for all benchmarks")]
impl NatsServer {
    pub fn start(port: u16) -> Self {
        // Debian installs it where only root looks for programs.
        let debian = "/usr/sbin/nats-server";
        let program = if std::path::Path::new(debian).exists() { debian } else { "nats-server" };
        let mut command = Command::new(program);
        command.args(["--addr", "127.0.0.1", "--port", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("nats-server is not installed: run scripts/tools --test"))
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A browser without JavaScript: it handles cookies and forms, and doesn't follow redirects by itself.
#[derive(Clone)]
pub struct Shopper {
    pub client: Client,
    home: String,
}

pub type Fields<'a> = &'a [(&'a str, &'a str)];

impl Shopper {
    pub fn new(program: &Program) -> Self {
        let client = Client::builder()
            .cookie_store(true)
            .redirect(Policy::none())
            .timeout(Duration::from_secs(90))
            .build()
            .unwrap();
        Self { client, home: program.at("") }
    }

    pub fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.home) }
    }

    pub async fn get(&self, path: &str) -> (StatusCode, String) {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    pub async fn try_post(&self, path: &str, fields: Fields<'_>) -> reqwest::Result<Response> {
        self.client.post(self.url(path)).form(fields).send().await
    }

    /// Submits a form and returns the redirect's target.
    pub async fn post(&self, path: &str, fields: Fields<'_>) -> String {
        let response = self.try_post(path, fields).await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}: {}", response.text().await.unwrap());
        location(&response)
    }

    /// The variants on a product's page.
    pub async fn variant(&self, shop: &str, nth: usize) -> String {
        self.variant_at(&self.slugs(&format!("/shops/{shop}"), nth + 1).await[nth]).await
    }

    /// The products of a list, page by page until there are `enough`.
    pub async fn slugs(&self, list: &str, enough: usize) -> Vec<String> {
        let (mut slugs, mut path) = (Vec::<String>::new(), list.to_owned());
        loop {
            let (_, page) = self.get(&path).await;
            slugs.extend(page.split("href=\"/p/").skip(1).map(|l| l.split('"').next().unwrap().to_owned()));
            slugs.dedup();
            match page.split("after=prod_").nth(1).map(|rest| &rest[..26]) {
                Some(next) if slugs.len() < enough => path = format!("{list}?after=prod_{next}"),
                _ => return slugs,
            }
        }
    }

    pub async fn variant_at(&self, slug: &str) -> String {
        let (_, page) = self.get(&format!("/p/{slug}")).await;
        let at = page.find("var_").unwrap_or_else(|| panic!("no variant at {slug}: {page}"));
        page[at..at + 30].to_owned()
    }

    /// Adds to the cart, which must succeed.
    pub async fn add(&self, variant: &str, quantity: &str) -> String {
        let page = self.try_add(variant, quantity).await;
        assert_eq!(page, "/cart", "{quantity} of {variant}");
        page
    }

    /// Buys one in cash; returns the number of the purchase.
    pub async fn buy_in_cash(&self, variant: &str) -> String {
        self.add(variant, "1").await;
        let checkout = self.post("/checkout", &[]).await;
        let purchase = self.post(&checkout, &details("cash", "k")).await;
        purchase.strip_prefix("/purchases/").expect("a purchase").split('?').next().unwrap().to_owned()
    }

    /// Pays by card for one of each variant; returns the link to the purchase.
    pub async fn buy_by_card(&self, variants: &[String]) -> String {
        for variant in variants {
            self.add(variant, "1").await;
        }
        let checkout = self.post("/checkout", &[]).await;
        let gateway = self.post(&checkout, &details("sandbox", "k")).await;
        let back = self.post(&gateway, &[("card", "4242424242424242")]).await;
        location(&self.client.get(&back).send().await.unwrap())
    }

    /// Adds to the cart, and returns the page that the shopper is sent to.
    pub async fn try_add(&self, variant: &str, quantity: &str) -> String {
        self.post("/cart/lines", &[("variant", variant), ("quantity", quantity), ("back", "/")]).await
    }
}

pub fn location(response: &Response) -> String {
    response.headers().get("location").map(|l| l.to_str().unwrap().to_owned()).unwrap_or_default()
}

pub fn details<'a>(method: &'a str, key: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("email", "asha@example.com"),
        ("name", "Asha Rao"),
        ("line1", "12 Lake Road"),
        ("city", "Pune"),
        ("postal_code", "411001"),
        ("country", "IN"),
        ("payment_method", method),
        ("quote_version", "1"),
        ("key", key),
    ]
}
