//! Two nodes of a market on PostgreSQL, connected by a NATS server.

use std::{
    process::{Child, Command, Stdio},
    time::Instant,
};

use reqwest::StatusCode;

use crate::program::*;

/// A NATS server, until it is dropped.
struct NatsServer(Child);

impl NatsServer {
    fn start(port: u16) -> Self {
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

/// A counter of a node, by kind of work.
async fn count(node: &Program, counter: &str, kind: &str) -> u64 {
    let (_, metrics) = Shopper::new(node).get("/metrics").await;
    let line = format!("{counter}{{kind=\"{kind}\"}} ");
    metrics.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |value| value.parse().unwrap())
}

/// How often messages on the bus made a node dispatch. Only use cases publish them, so a node without shoppers
/// gets them from other nodes only.
async fn woken(node: &Program) -> u64 {
    count(node, "haat_work_woken_total", "dispatch").await
}

/// Buys in cash at a node, which causes two emails.
async fn buy(node: &Program) {
    let shopper = Shopper::new(node);
    let variant = shopper.variant("meena-crafts", 0).await;
    shopper.add(&variant, "1").await;
    let checkout = shopper.post("/checkout", &[]).await;
    let purchase = shopper.post(&checkout, &details("cash", "k")).await;
    assert!(purchase.starts_with("/purchases/"), "{purchase}");
}

/// Buys at one node until a message wakes the other; returns how often. Messages are lost until both are
/// connected.
async fn buy_until_woken(one: &Program, other: &Program) -> u64 {
    let (begun, before) = (Instant::now(), woken(other).await);
    let mut purchases = 0;
    while woken(other).await == before {
        assert!(begun.elapsed().as_secs() < 120, "no message arrived: {} {}", one.log(), other.log());
        buy(one).await;
        purchases += 1;
    }
    purchases
}

/// Waits until every email of the purchases has been sent by one of the nodes.
async fn until_told(nodes: [&Program; 2], purchases: u64) {
    let begun = Instant::now();
    loop {
        let mut sent = 0;
        for node in nodes {
            sent += count(node, "haat_work_done_total", "mails").await;
        }
        if sent >= 2 * purchases {
            return assert_eq!(sent, 2 * purchases, "each once");
        }
        assert!(begun.elapsed().as_secs() < 120, "{sent} emails of {purchases} purchases");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_wake_each_other_and_lose_nothing_without_nats() {
    let port = free_port();
    let server = NatsServer::start(port);
    let mut one = Program::prepare(On::Postgres).await;
    one.fill("meena-crafts");
    one.set("HAAT__BUS__NATS", &format!("nats://127.0.0.1:{port}"));
    let mut other = one.another_node();
    one.start().await;
    other.start().await;
    let mut purchases = buy_until_woken(&one, &other).await;

    drop(server);
    for _ in 0..3 {
        buy(&one).await;
        purchases += 1;
        for node in [&one, &other] {
            let (status, why) = Shopper::new(node).get("/readyz").await;
            assert_eq!(status, StatusCode::OK, "{why}");
        }
    }
    until_told([&one, &other], purchases).await;

    let server = NatsServer::start(port);
    purchases += buy_until_woken(&one, &other).await;
    until_told([&one, &other], purchases).await;
    drop(server);
    other.close();
    one.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_starts_while_nats_is_down() {
    let mut program = Program::prepare(On::Sqlite).await;
    program.set("HAAT__BUS__NATS", &format!("nats://127.0.0.1:{}", free_port()));
    program.start().await;
    buy(&program).await;
    crate::mails::until(&Shopper::new(&program), "haat_work_done_total{kind=\"mails\"} 2").await;
    program.close();
}
