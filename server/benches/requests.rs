//! The throughput of requests over HTTP, with 1,000 and 20,000 products, on both databases: eight clients
//! with one keep-alive connection each send one request at a time, without caching. As a baseline, a bare
//! axum server responds with the same bytes from memory: the cost of the machine, the client and the
//! protocol.
//!
//! `make bench`. Clients run on the same machine, so the figures are lower bounds.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a benchmark"
)]

mod load;
#[path = "../tests/it/program.rs"]
mod program;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
};

use load::{CLIENTS, Line, SECONDS, measure};
use program::{BOTH, Program, Shopper};
use serde_json::{Value, json};

/// How many carts a client fills in turn.
const CARTS: usize = 200;

/// Requests the paths in turn; each client starts with a different one.
async fn read(what: &str, port: u16, process: u32, paths: Vec<String>) {
    let paths = Arc::new(paths);
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        clients.push((Line::open(port).await, client * paths.len() / CLIENTS));
    }
    measure(what, process, clients, move |(mut line, next)| {
        let paths = paths.clone();
        async move {
            let came = line.get(&paths[next % paths.len()]).await.len();
            ((line, next + 1), came)
        }
    })
    .await;
}

fn any(variants: &[String]) -> &str {
    &variants[haat_engine::random::small(variants.len() as u32) as usize]
}

/// A new cart: its path, its id and its token.
async fn open_cart(line: &mut Line) -> (String, String, String) {
    let opened = line.post("/api/v1/carts", &[], &Value::Null).await;
    let [id, token] = ["id", "token"].map(|name| opened[name].as_str().unwrap().to_owned());
    (format!("/api/v1/carts/{id}/lines"), id, token)
}

/// Adds lines to carts that already contain a few.
async fn add_to_carts(port: u16, process: u32, variants: Arc<Vec<String>>) {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let (mut line, mut carts) = (Line::open(port).await, Vec::new());
        for _ in 0..CARTS {
            carts.push(open_cart(&mut line).await);
        }
        clients.push((line, carts, 0));
    }
    measure("add to cart", process, clients, move |(mut line, carts, next)| {
        let variants = variants.clone();
        async move {
            let (path, _, token): &(String, String, String) = &carts[next % CARTS];
            let add = json!({ "variant_id": any(&variants), "quantity": 1 });
            let cart = line.post(path, &[("haat-cart", token)], &add).await;
            ((line, carts, next + 1), cart.to_string().len())
        }
    })
    .await;
}

/// The five calls: a list, a cart, a line, a checkout, the payment.
async fn buy(line: &mut Line, variant: &str) -> Value {
    line.get("/api/v1/products?limit=20").await;
    let (lines, cart, token) = open_cart(line).await;
    let token = ("haat-cart", token.as_str());
    line.post(&lines, &[token], &json!({ "variant_id": variant, "quantity": 1 })).await;
    let begin = json!({
        "cart_id": cart, "email": "asha@example.com", "payment_method": "cash",
        "address": { "name": "Asha Rao", "line1": "12 Lake Road", "city": "Pune", "postal_code": "411001", "country": "IN" },
    });
    let key = format!("begin-{cart}");
    let checkout = line.post("/api/v1/checkouts", &[token, ("idempotency-key", &key)], &begin).await;
    let (pay, key) =
        (format!("/api/v1/checkouts/{}/pay", checkout["id"].as_str().unwrap()), format!("pay-{cart}"));
    line.post(&pay, &[token, ("idempotency-key", &key)], &json!({})).await
}

async fn checkouts(port: u16, process: u32, variants: Arc<Vec<String>>) {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Line::open(port).await);
    }
    measure("whole checkout, five calls", process, clients, move |mut line| {
        let variants = variants.clone();
        async move {
            let bought = buy(&mut line, any(&variants)).await;
            assert!(bought["purchase"]["number"].is_string(), "{bought}");
            (line, bought.to_string().len())
        }
    })
    .await;
}

/// A bare axum server that responds to `/N` with N bytes from memory, in its own process.
async fn bytes_from_memory() {
    let answer = |axum::extract::Path(n): axum::extract::Path<usize>| async move {
        static BYTES: [u8; 1 << 18] = [b'x'; 1 << 18];
        ([("content-type", "text/html")], &BYTES[..n])
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| stream.set_nodelay(true).unwrap());
    axum::serve(listener, axum::Router::new().route("/{n}", axum::routing::get(answer))).await.unwrap();
}

async fn baseline() {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .arg("--bytes-from-memory")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let port = port.trim().parse().unwrap();
    for n in [1_000, 30_000] {
        read(&format!("bare axum, {n} bytes"), port, server.id(), vec![format!("/{n}")]).await;
    }
    server.kill().unwrap();
    server.wait().unwrap();
}

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "--bytes-from-memory") {
        return bytes_from_memory().await;
    }
    println!("{CLIENTS} clients, {SECONDS} s each; clients and server on one machine");
    baseline().await;
    for on in BOTH {
        for products in [1_000, 20_000] {
            let mut program = Program::prepare(on).await;
            program.import("meena-crafts", 0, products);
            // No limit for eight clients.
            program.set("HAAT__LIMITS__CHANGES_PER_MINUTE", "100000000");
            let start = program.start().await.as_millis();
            println!("{on:?}, {products} products: start to first answer {start} ms");
            let scout = Shopper::new(&program);
            let slugs = scout.slugs("/products", 200).await;
            let (_, home) = scout.get("/").await;
            let category = home.split("href=\"").find(|l| l.starts_with("/c/")).expect("a category");
            let category = category.split('"').next().unwrap().to_owned();
            let rows = [
                ("home page", vec!["/".to_owned()]),
                ("category page", vec![category]),
                ("list page", vec!["/products".to_owned()]),
                ("search page", vec!["/products?q=lamp+17".to_owned()]),
                ("product page", slugs.iter().map(|slug| format!("/p/{slug}")).collect()),
                ("list of 20 as JSON", vec!["/api/v1/products?limit=20".to_owned()]),
                ("product as JSON", slugs.iter().map(|slug| format!("/api/v1/products/{slug}")).collect()),
            ];
            for (what, paths) in rows {
                read(what, program.port, program.process(), paths).await;
            }
            let (port, process) = (program.port, program.process());
            let mut variants = Vec::new();
            for slug in &slugs {
                variants.push(scout.variant_at(slug).await);
            }
            let variants = Arc::new(variants);
            println!("{:<32} {} MB at most", "memory, reading", program.memory_mb("VmHWM"));
            add_to_carts(port, process, variants.clone()).await;
            checkouts(port, process, variants).await;
            println!("{:<32} {} MB at most", "memory, all of it", program.memory_mb("VmHWM"));
            program.close();
        }
    }
}
