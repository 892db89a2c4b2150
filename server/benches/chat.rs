//! Conversations over sockets: what an open one takes, how soon a message arrives, and how many are sent and delivered.
//!
//! `make bench-chat`. Clients run on the same machine, so the figures are lower bounds.

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

#[path = "../tests/it/crowd.rs"]
mod crowd;
#[path = "../tests/it/program.rs"]
mod program;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use crowd::{SHOP, Talker, changes, gather, owner, send, watch};
use haat_engine::random;
use program::{BOTH, On, Program};
use reqwest::Client;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How many sockets are open.
const STEPS: [usize; 3] = [100, 1_000, 5_000];
/// How many conversations are written to, if there are so many.
const BUSY: usize = 1_000;
/// How many messages a second are sent at a steady rate.
const RATE: u32 = 200;
const SECONDS: u64 = 10;
/// How many requests are open at a time when as many messages are sent as possible.
const CLIENTS: usize = 16;

/// Keeps a conversation open; says when which message has arrived.
async fn read(
    node: String,
    talker: Talker,
    ready: UnboundedSender<()>,
    arrived: UnboundedSender<(usize, Instant)>,
) {
    let mut socket = watch(&node, &talker.cookie, "", talker.conversation, 0).await.expect("a connection");
    while let Some(changes) = changes(&mut socket).await {
        let now = Instant::now();
        for message in changes["messages"].as_array().unwrap() {
            arrived.send((message["text"].as_str().unwrap().parse().unwrap(), now)).unwrap();
        }
        // The first says what there is.
        let _ = ready.send(());
    }
}

fn percentile(sorted: &[Duration], of_thousand: usize) -> f64 {
    sorted[(sorted.len() - 1) * of_thousand / 1_000].as_secs_f64() * 1e3
}

/// When each message was sent, by its number, and what to send with.
struct Writer {
    node: String,
    cookie: String,
    client: Client,
    talkers: Arc<[Talker]>,
    begun: Mutex<Vec<Instant>>,
}

impl Writer {
    /// The shop writes to the next of those who are connected.
    async fn write(&self, connected: usize) {
        let number = {
            let mut begun = self.begun.lock().unwrap();
            begun.push(Instant::now());
            begun.len() - 1
        };
        let to = self.talkers[number % connected.min(BUSY)].conversation;
        let (id, text) = (random::id(0), number.to_string());
        assert!(send(&self.client, &self.node, &self.cookie, SHOP, to, id, &text).await, "sent");
    }

    /// How long messages took to arrive, sorted.
    async fn delivered(
        &self,
        from: usize,
        arrived: &mut UnboundedReceiver<(usize, Instant)>,
    ) -> Vec<Duration> {
        let begun = self.begun.lock().unwrap().clone();
        let mut times = Vec::new();
        while times.len() < begun.len() - from {
            let (number, at) = arrived.recv().await.unwrap();
            times.push(at - begun[number]);
        }
        times.sort();
        times
    }
}

async fn talk(on: On) {
    let mut program = Program::prepare(on).await;
    program.set("HAAT__SERVER__CONNECTIONS_MAX", "20000");
    // As behind a proxy: one address may have a quarter of all connections otherwise.
    program.set("HAAT__LIMITS__ADDRESS_HEADER", "x-forwarded-for");
    let talkers: Arc<[Talker]> = gather(&program, STEPS[STEPS.len() - 1]).await.into();
    program.start().await;
    let node = program.at("").trim_end_matches('/').to_owned();
    let cookie = owner(&program).await;
    let writer =
        Writer { node, cookie, client: Client::new(), talkers: talkers.clone(), begun: Mutex::default() };
    let writer = Arc::new(writer);
    let (say, mut arrived) = unbounded_channel();
    let mut connected = 0;
    for step in STEPS {
        let (before, had) = (program.memory_mb("VmRSS"), connected);
        let (say_ready, mut ready) = unbounded_channel();
        // So many connect at a time.
        for group in talkers[connected..step].chunks(50) {
            for talker in group {
                tokio::spawn(read(writer.node.clone(), talker.clone(), say_ready.clone(), say.clone()));
            }
            for _ in group {
                ready.recv().await.unwrap();
            }
        }
        connected = step;
        let memory = (program.memory_mb("VmRSS") as f64 - before as f64) * 1_024.0 / (connected - had) as f64;

        let from = writer.begun.lock().unwrap().len();
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
        let mut requests = Vec::new();
        for _ in 0..u64::from(RATE) * SECONDS {
            ticks.tick().await;
            let writer = writer.clone();
            requests.push(tokio::spawn(async move { writer.write(connected).await }));
        }
        for request in requests {
            request.await.unwrap();
        }
        let steady = writer.delivered(from, &mut arrived).await;

        let (from, begun, count) =
            (writer.begun.lock().unwrap().len(), Instant::now(), Arc::new(AtomicUsize::new(0)));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (writer, count) = (writer.clone(), count.clone());
                tokio::spawn(async move {
                    while begun.elapsed().as_secs() < SECONDS {
                        writer.write(connected).await;
                        count.fetch_add(1, Relaxed);
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
        let busy = writer.delivered(from, &mut arrived).await;
        let rate = count.load(Relaxed) as f64 / begun.elapsed().as_secs_f64();
        println!(
            "{on:?}: {connected} sockets, {memory:.1} kB each; {RATE} messages/s in {} conversations arrive after {:.1} ms (p50), {:.1} ms (p99); \
             {CLIENTS} clients send {rate:.0}/s, which arrive after {:.1} ms (p50), {:.1} ms (p99)",
            connected.min(BUSY),
            percentile(&steady, 500),
            percentile(&steady, 990),
            percentile(&busy, 500),
            percentile(&busy, 990),
        );
    }
    program.close();
}

#[tokio::main]
async fn main() {
    for on in BOTH {
        talk(on).await;
    }
}
