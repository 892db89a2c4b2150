//! Two nodes of a market on PostgreSQL, connected by a NATS server.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::program::*;

/// Buys in cash at a node, which causes two emails. Returns the number of the purchase.
async fn buy(node: &Program) -> String {
    let shopper = Shopper::new(node);
    let variant = shopper.variant("meena-crafts", 0).await;
    shopper.buy_in_cash(&variant).await
}

/// Buys at one node until a message wakes the other; returns how often. Messages are lost until both are
/// connected.
async fn buy_until_woken(one: &Program, other: &Program) -> u64 {
    let (begun, before) = (Instant::now(), other.woken().await);
    let mut purchases = 0;
    while other.woken().await == before {
        assert!(begun.elapsed().as_secs() < 120, "no message arrived: {} {}", one.log(), other.log());
        buy(one).await;
        purchases += 1;
    }
    purchases
}

/// Waits until every email of the purchases has been sent by one of the nodes.
async fn until_notified(nodes: [&Program; 2], purchases: u64) {
    let begun = Instant::now();
    loop {
        let mut sent = 0;
        for node in nodes {
            sent += node.count("haat_work_done_total", "mails").await;
        }
        if sent >= 2 * purchases {
            return assert_eq!(sent, 2 * purchases, "each once");
        }
        assert!(begun.elapsed().as_secs() < 120, "{sent} emails of {purchases} purchases");
        pause().await;
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

    // Down for ten seconds.
    drop(server);
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        buy(&one).await;
        purchases += 1;
        for node in [&one, &other] {
            let (status, why) = Shopper::new(node).get("/readyz").await;
            assert_eq!(status, StatusCode::OK, "{why}");
        }
    }
    until_notified([&one, &other], purchases).await;

    let server = NatsServer::start(port);
    purchases += buy_until_woken(&one, &other).await;
    until_notified([&one, &other], purchases).await;
    drop(server);
    other.close();
    one.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_without_a_bus_share_the_work_and_lose_nothing() {
    let mut one = Program::prepare(On::Postgres).await;
    one.fill("meena-crafts");
    let mut other = one.another_node();
    one.start().await;
    other.start().await;
    for _ in 0..10 {
        buy(&one).await;
        buy(&other).await;
    }
    until_notified([&one, &other], 20).await;
    // What one node leaves behind, the other does unasked.
    let number = buy(&one).await;
    one.kill();
    crate::mails::until_mailed(&Shopper::new(&other), &format!("Thank you for your order {number}")).await;
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
