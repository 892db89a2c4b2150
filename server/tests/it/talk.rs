//! Conversations while two processes of a market share the work, and one of them is killed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use haat_engine::random;
use haat_shared::id::kinds::MessageId;
use reqwest::Client;

use crate::{
    crowd::{SHOP, Talker, changes, gather, owner, send, watch},
    program::*,
    reliability::scaled,
};

/// Reads a conversation at one node, and at the other one when that is gone, until there are `count` messages: their numbers and IDs.
async fn read(
    nodes: [String; 2],
    first: usize,
    who: (String, &'static str),
    of: Talker,
    count: usize,
) -> Vec<(i64, MessageId)> {
    let (mut heard, mut after, mut turn) = (Vec::new(), 0, first);
    let begun = Instant::now();
    while heard.len() < count {
        assert!(begun.elapsed().as_secs() < 300, "{} of {count} in {}", heard.len(), of.conversation);
        let Some(mut socket) = watch(&nodes[turn % 2], &who.0, who.1, of.conversation, after).await else {
            turn += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        while heard.len() < count
            && let Some(changes) = changes(&mut socket).await
        {
            for message in changes["messages"].as_array().unwrap() {
                heard.push((
                    message["seq"].as_i64().unwrap(),
                    message["id"].as_str().unwrap().parse().unwrap(),
                ));
            }
            after = changes["change_seq"].as_i64().unwrap();
        }
    }
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_talk_while_a_process_is_killed() {
    let (people, rounds) = (scaled(1_000, 30), 12);
    let per_second = scaled(200, 30);
    let port = free_port();
    let _nats = NatsServer::start(port);
    let mut one = Program::prepare(On::Postgres).await;
    one.set("HAAT__BUS__NATS", &format!("nats://127.0.0.1:{port}"));
    one.set("HAAT__SERVER__CONNECTIONS_MAX", "10000");
    one.set("HAAT__SERVER__CONNECTIONS_PER_ADDRESS", "10000");
    let mut other = one.another_node();
    other.set("HAAT__SERVER__PUBLIC_URL", &one.at(""));
    let talkers = gather(&one, people).await;
    one.start().await;
    other.start().await;
    let meena = owner(&one).await;
    let nodes = [one.at(""), other.at("")];

    // Every shopper has a tab open, and the shop those of every tenth conversation, at the other process.
    let mut readers = Vec::new();
    for (place, talker) in talkers.iter().enumerate() {
        let shopper = (talker.cookie.clone(), "");
        readers.push((place, tokio::spawn(read(nodes.clone(), place, shopper, talker.clone(), rounds))));
        if place % 10 == 0 {
            let shop = (meena.clone(), SHOP);
            readers.push((place, tokio::spawn(read(nodes.clone(), place + 1, shop, talker.clone(), rounds))));
        }
    }
    // Both sides write in turns, to the process that the shopper isn't connected to, again until it is acknowledged.
    let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let (begun, failed) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(per_second).unwrap());
    let writing = tokio::spawn({
        let (talkers, nodes, failed) = (talkers.clone(), nodes.clone(), failed.clone());
        async move {
            let mut sent = Vec::new();
            for round in 0..rounds {
                for (place, talker) in talkers.iter().cloned().enumerate() {
                    ticks.tick().await;
                    let (client, nodes, meena, failed) =
                        (client.clone(), nodes.clone(), meena.clone(), failed.clone());
                    sent.push(tokio::spawn(async move {
                        let id: MessageId = random::id(i64::try_from(round).unwrap());
                        let (cookie, shop) =
                            if round % 2 == 0 { (&meena, SHOP) } else { (&talker.cookie, "") };
                        let mut turn = place + 1;
                        while !send(&client, &nodes[turn % 2], cookie, shop, talker.conversation, id, "Hello")
                            .await
                        {
                            assert!(begun.elapsed().as_secs() < 300);
                            failed.store(true, Relaxed);
                            turn += 1;
                            tokio::time::sleep(Duration::from_millis(100)).await;
                        }
                        (place, id)
                    }));
                }
            }
            join_all(sent).await
        }
    });
    tokio::time::sleep(Duration::from_secs(people as u64 * rounds as u64 / per_second as u64 / 3)).await;
    one.kill();
    tokio::time::sleep(Duration::from_secs(2)).await;
    one.start().await;
    let mut written = vec![Vec::new(); people];
    for sent in writing.await.unwrap() {
        let (place, id) = sent.unwrap();
        written[place].push(id);
    }
    assert!(failed.load(Relaxed), "the process was killed while it was written to");
    let took = begun.elapsed();
    let mut count = 0;
    for (place, reader) in readers {
        let heard = reader.await.unwrap();
        let seqs: Vec<i64> = heard.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(seqs, (1..=rounds as i64).collect::<Vec<_>>(), "in order, without gaps, each once");
        let mut ids: Vec<_> = heard.into_iter().map(|(_, id)| id).collect();
        count += ids.len();
        ids.sort();
        written[place].sort();
        assert_eq!(ids, written[place]);
    }
    println!(
        "{people} shoppers: {} messages in {:.0} s, {count} received",
        people * rounds,
        took.as_secs_f64()
    );
    other.kill();
    one.kill();
    std::fs::remove_dir_all(&other.folder).unwrap();
    one.close();
}
