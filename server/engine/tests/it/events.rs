//! The event feed: a client that polls it sees each event once and misses none, whoever publishes and
//! however long payments take.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use haat_engine::{Caller, Engine, dispatch, events, orders, sandbox::Card};
use haat_shared::{
    Error, FieldCode,
    events::{Event, EventKind},
    orders::{LineQuantity, ListOrders, NewRefund, Shipment},
    returns::ReturnReceipt,
};

use crate::{both, races::at_once, support::*};

const MEENA: &str = "meena-crafts";

/// Reads the feed to the end, a few events at a time.
async fn poll(engine: &Engine, caller: &Caller, shop: Option<&str>, after: &mut i64) -> Vec<Event> {
    let mut all = Vec::new();
    loop {
        let page = match shop {
            Some(shop) => events::of_shop(engine, caller, shop, Some(*after), Some(3)).await.unwrap(),
            None => events::of_market(engine, caller, Some(*after), Some(3)).await.unwrap(),
        };
        assert!(page.next >= *after);
        *after = page.next;
        if page.items.is_empty() {
            return all;
        }
        all.extend(page.items);
    }
}

/// Sixteen buyers make five purchases each. Half of them pay slowly: others buy between their redirect to the
/// gateway and their return. Every node publishes and is polled.
async fn sixteen_buy_while_programs_poll(market: &Market, nodes: Vec<Engine>) {
    const BUYERS: usize = 16;
    const EACH: usize = 5;
    let bowl = market.product(MEENA, "Clay bowl", 45_000, 500).await;
    let (bought, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut workers = Vec::new();
    let mut pollers = Vec::new();
    for node in &nodes {
        for _ in 0..2 {
            let (node, over) = (node.clone(), over.clone());
            workers.push(tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    dispatch::dispatch(&node).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }));
        }
        let (node, over, owner) = (node.clone(), over.clone(), market.owner(MEENA).await);
        pollers.push(tokio::spawn(async move {
            let (mut after, mut seen) = (0, Vec::new());
            loop {
                let last = over.load(Ordering::SeqCst);
                seen.extend(poll(&node, &owner, Some(MEENA), &mut after).await);
                if last {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        }));
    }
    let buyers = (0..BUYERS).map(|i| {
        let (market, node, bought) =
            (market.on(&nodes[i % nodes.len()]), nodes[i % nodes.len()].clone(), bought.clone());
        async move {
            for _ in 0..EACH {
                let guest = market.guest_with(&[(bowl, 1)]).await;
                if i % 2 == 0 {
                    market.buy_in_cash(&guest).await.unwrap();
                } else {
                    let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
                    // They stay at the gateway until somebody else has bought something, if anybody is left.
                    let before = bought.load(Ordering::SeqCst);
                    while bought.load(Ordering::SeqCst) == before && before < BUYERS / 2 * EACH {
                        tokio::task::yield_now().await;
                    }
                    haat_engine::sandbox::enter_card(&node.db, &node.clock, &gateway_ref, Card::WebhookNever)
                        .await
                        .unwrap();
                    number_in(&market.come_back(payment).await.unwrap());
                }
                bought.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    at_once(buyers.collect()).await;
    for node in &nodes {
        while dispatch::dispatch(node).await.unwrap() > 0 {}
    }
    over.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }
    let mut all = BTreeSet::new();
    let owner = market.owner(MEENA).await;
    let mut after = String::new();
    loop {
        let ask = ListOrders { after, ..ListOrders::default() };
        let page = orders::seller_list(&market.engine, &owner, MEENA, ask).await.unwrap();
        all.extend(page.items.into_iter().map(|order| order.number));
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(all.len(), BUYERS * EACH);
    let whole = poll(&market.engine, &Caller::system(), None, &mut 0).await;
    for poller in pollers {
        let seen = poller.await.unwrap();
        assert_eq!(seen, whole, "polled during the writes, and read afterwards");
        assert!(seen.windows(2).all(|pair| pair[0].seq < pair[1].seq));
        let placed: Vec<_> = seen
            .iter()
            .filter(|e| e.kind == EventKind::OrderPlaced)
            .map(|e| e.order_number.clone())
            .collect();
        assert_eq!(placed.len(), all.len(), "no duplicates");
        assert_eq!(placed.into_iter().collect::<BTreeSet<_>>(), all, "none missing");
    }
}

both! {
    async fn sixteen_buyers_and_a_poller(market) {
        sixteen_buy_while_programs_poll(market, vec![market.engine.clone()]).await;
    }

    async fn events_of_an_order_are_published_in_order(market) {
        let engine = &market.engine;
        let (meena, delta) = (market.owner(MEENA).await, market.owner("delta-electronics").await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 9).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1), (lamp, 1)]).await).await.unwrap();
        let (sent, ended) = (format!("{number}-1"), format!("{number}-2"));
        let parcel = |number: &str| Shipment { carrier: "Blue Dart".into(), tracking_number: number.into(), ..Shipment::default() };
        orders::confirm(engine, &meena, MEENA, &sent).await.unwrap();
        orders::ship(engine, &meena, MEENA, &sent, parcel("BD 1")).await.unwrap();
        for _ in 0..2 {
            orders::ship(engine, &meena, MEENA, &sent, parcel("BD 2")).await.unwrap();
        }
        orders::ship(engine, &meena, MEENA, &sent, parcel("BD 3")).await.unwrap();
        orders::deliver(engine, &meena, MEENA, &sent).await.unwrap();
        let part = vec![LineQuantity { position: orders::seller_order(engine, &meena, MEENA, &sent).await.unwrap().order.order.lines[0].position, quantity: 1 }];
        let back = orders::open_return(engine, &meena, MEENA, &sent, &part, "Chipped").await.unwrap();
        for _ in 0..2 {
            orders::receive_return(engine, &meena, MEENA, &sent, back, ReturnReceipt::only(false)).await.unwrap();
        }
        let refund = NewRefund { lines: part, reason: "Chipped".into(), ..NewRefund::default() };
        orders::refund(engine, &meena, MEENA, &sent, refund).await.unwrap();
        orders::cancel(engine, &delta, "delta-electronics", &ended, "Broken").await.unwrap();
        assert!(events::of_shop(engine, &meena, MEENA, None, None).await.unwrap().items.is_empty(), "nothing is published yet");
        market.settle().await;
        let kinds = |events: &[Event]| {
            let mut of = BTreeMap::<String, Vec<&str>>::new();
            for event in events {
                of.entry(event.order_number.clone()).or_default().push(event.kind.as_str());
            }
            of
        };
        let way = vec!["order.placed", "order.confirmed", "order.shipped", "order.shipment_updated", "order.shipment_updated", "order.delivered",
            "order.return_opened", "order.return_received", "order.refunded"];
        let whole = poll(engine, &Caller::system(), None, &mut 0).await;
        assert_eq!(kinds(&whole), BTreeMap::from([(sent.clone(), way.clone()), (ended.clone(), vec!["order.placed", "order.cancelled"])]));
        let mut after = 0;
        let own = poll(engine, &meena, Some(MEENA), &mut after).await;
        assert_eq!(kinds(&own), BTreeMap::from([(sent, way)]));
        assert!(own.iter().all(|e| e.shop_handle == MEENA && e.order_id == own[0].order_id));
        // A reader of the whole feed has also passed the other shop's events.
        assert_eq!(after, 11);
        assert_eq!(events::of_shop(engine, &meena, MEENA, Some(after), None).await.unwrap().items, []);

        assert_eq!(events::of_shop(engine, &delta, MEENA, None, None).await, Err(Error::NotFound));
        assert_eq!(events::of_shop(engine, &Caller::guest(), MEENA, None, None).await, Err(Error::SignInNeeded));
        assert_eq!(events::of_market(engine, &meena, None, None).await, Err(Error::NotFound));
        for (wrong, code) in [(-1, FieldCode::TooSmall), (12, FieldCode::TooBig), (i64::MAX, FieldCode::TooBig)] {
            let refused = events::of_shop(engine, &meena, MEENA, Some(wrong), None).await.unwrap_err();
            assert_eq!(refused.at("after"), Some(code), "{wrong}");
        }
    }

    async fn events_are_kept_for_thirty_days_and_then_refused_by_name(market) {
        let (engine, meena) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        for _ in 0..2 {
            market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        }
        market.settle().await;
        market.clock.advance_ms(events::KEEP_MS - 60_000);
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        market.settle().await;
        dispatch::purge(engine).await.unwrap();
        let page = events::of_shop(engine, &meena, MEENA, Some(0), None).await.unwrap();
        assert_eq!((page.items.len(), page.next), (3, 3));
        market.clock.advance_ms(120_000);
        dispatch::purge(engine).await.unwrap();
        for old in [0, 1] {
            let refused = events::of_shop(engine, &meena, MEENA, Some(old), None).await;
            assert_eq!(refused, Err(Error::EventsExpired { after: 2 }), "{old}");
        }
        // With the number given in the error, and without any.
        for after in [Some(2), None] {
            let page = events::of_shop(engine, &meena, MEENA, after, None).await.unwrap();
            assert_eq!(page.items.iter().map(|e| e.order_number.clone()).collect::<Vec<_>>(), [format!("{number}-1")]);
        }
        // Numbers continue even after all events have been purged.
        market.clock.advance_ms(events::KEEP_MS + 1);
        dispatch::purge(engine).await.unwrap();
        let empty = events::of_shop(engine, &meena, MEENA, None, None).await.unwrap();
        assert_eq!((empty.items, empty.next), (Vec::new(), 3));
        market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        market.settle().await;
        let page = events::of_shop(engine, &meena, MEENA, Some(3), None).await.unwrap();
        assert_eq!((page.items[0].seq, page.next), (4, 4));
    }

    /// An order that was first at the gateway and paid last is listed as the last one.
    async fn orders_are_listed_by_when_they_were_placed(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 99).await;
        let mut placed = Vec::new();
        let mut slow = Vec::new();
        for _ in 0..4 {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            slow.push(market.go_to_sandbox(&guest).await);
            market.clock.advance_ms(60_000);
            placed.push(market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap());
            market.clock.advance_ms(60_000);
        }
        for (_, payment, gateway_ref) in slow.into_iter().rev() {
            market.enter(&gateway_ref, Card::WebhookNever).await;
            placed.push(number_in(&market.come_back(payment).await.unwrap()));
            market.clock.advance_ms(1);
        }
        let expected: Vec<_> = placed.iter().rev().map(|number| format!("{number}-1")).collect();
        for shop in [true, false] {
            let (mut listed, mut after) = (Vec::new(), String::new());
            loop {
                let ask = ListOrders { after, limit: Some(3), ..ListOrders::default() };
                let page = match shop {
                    true => orders::seller_list(engine, &owner, MEENA, ask).await.unwrap(),
                    false => orders::list_all(engine, &Caller::system(), ask).await.unwrap(),
                };
                assert!(page.items.windows(2).all(|pair| pair[0].placed_at >= pair[1].placed_at));
                listed.extend(page.items.into_iter().map(|order| order.number));
                match page.next {
                    Some(next) => after = next,
                    None => break,
                }
            }
            assert_eq!(listed, expected);
        }
    }
}

/// Two nodes publish into the same feed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_buyers_on_two_nodes() {
    let market = Market::open(On::Postgres).await;
    let second = market.second_node().await;
    sixteen_buy_while_programs_poll(&market, vec![market.engine.clone(), second]).await;
    market.close().await;
}
