//! How quickly pages and data are read, with 1,000 and 20,000 products, on both databases: eight clients, each with one
//! connection that it keeps, ask for one thing after another, nothing cached. Beside it a bare axum that answers the same
//! bytes from memory: what the machine, the client and the protocol cost by themselves.
//!
//! `make bench`. The load comes from the same machine, so figures are floors.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a benchmark"
)]

#[path = "../tests/it/program.rs"]
mod program;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use program::{BOTH, Program, Shopper};

const CLIENTS: usize = 8;
const SECONDS: u64 = 5;

/// One connection that is kept.
async fn connect(port: u16) -> http1::SendRequest<Empty<Bytes>> {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Asks for a path; answers how many bytes came.
async fn get(sender: &mut http1::SendRequest<Empty<Bytes>>, port: u16, path: &str) -> usize {
    let request = Request::get(path).header("host", format!("localhost:{port}"));
    let mut response = sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    let mut bytes = 0;
    while let Some(frame) = response.frame().await {
        bytes += frame.unwrap().data_ref().map_or(0, Bytes::len);
    }
    bytes
}

/// Seconds of processor time that a process has used.
fn processor_s(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // After the name, which may hold spaces: utime and stime are the 12th and 13th, in hundredths.
    let ticks = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    ticks.map(|t| t.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// Loads the paths in turn for a while, and prints a row of what it saw.
async fn measure(what: &str, port: u16, process: u32, paths: &[String]) {
    let worked = processor_s(process);
    let begun = Instant::now();
    let until = begun + Duration::from_secs(SECONDS);
    let clients = (0..CLIENTS).map(|client| {
        let paths = paths.to_vec();
        tokio::spawn(async move {
            let (mut sender, mut times, mut bytes) = (connect(port).await, Vec::new(), 0);
            for path in paths.iter().cycle().skip(client * paths.len() / CLIENTS) {
                let asked = Instant::now();
                if asked > until {
                    break;
                }
                bytes += get(&mut sender, port, path).await;
                times.push(asked.elapsed());
            }
            (times, bytes)
        })
    });
    let clients: Vec<_> = clients.collect();
    let (mut times, mut bytes) = (Vec::new(), 0);
    for client in clients {
        let (t, b) = client.await.unwrap();
        times.extend(t);
        bytes += b;
    }
    let (count, passed) = (times.len() as f64, begun.elapsed().as_secs_f64());
    times.sort();
    let ms = |of_hundred: usize| times[(times.len() - 1) * of_hundred / 100].as_secs_f64() * 1e3;
    println!(
        "{what:<32} {:>7.0}/s  p50 {:>6.2} ms  p95 {:>6.2} ms  {:>7.0} per CPU-second  {:>7.1} kB",
        count / passed,
        ms(50),
        ms(95),
        count / (processor_s(process) - worked),
        bytes as f64 / count / 1e3
    );
}

/// A bare axum that answers `/N` with N bytes from memory, in a process of its own.
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
        measure(&format!("bare axum, {n} bytes"), port, server.id(), &[format!("/{n}")]).await;
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
            program.start().await;
            let scout = Shopper::new(&program);
            let slugs = scout.slugs("/products", 200).await;
            let (_, home) = scout.get("/").await;
            let category = home.split("href=\"").find(|l| l.starts_with("/c/")).expect("a category");
            let category = category.split('"').next().unwrap().to_owned();
            println!("{on:?}, {products} products");
            let rows = [
                ("home page", vec!["/".to_owned()]),
                ("category page", vec![category]),
                ("list page", vec!["/products".to_owned()]),
                ("search page", vec!["/products?q=lamp+17".to_owned()]),
                ("product page", slugs.iter().map(|slug| format!("/p/{slug}")).collect()),
                ("list as JSON", vec!["/api/v1/products".to_owned()]),
                ("product as JSON", slugs.iter().map(|slug| format!("/api/v1/products/{slug}")).collect()),
            ];
            for (what, paths) in rows {
                measure(what, program.port, program.process(), &paths).await;
            }
            println!("{:<32} {} MB at most", "memory", program.memory_mb("VmHWM"));
            program.close();
        }
    }
}
