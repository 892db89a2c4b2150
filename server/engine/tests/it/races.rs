//! Races, on both databases. SQLite hides most of them; PostgreSQL reveals them.

use std::sync::Arc;

use haat_engine::{
    Caller, checkout, orders, payments,
    sandbox::{self, Card},
};
use haat_shared::{
    Conflict, Error,
    checkout::{CheckoutUpdate, HOLD_MS},
    orders::ListOrders,
    payments::NextAction,
    shipping::ShippingMethod,
};
use tokio::sync::Barrier;

use crate::{both, support::*};

/// Runs all futures concurrently and collects their results.
pub async fn at_once<T: Send + 'static>(futures: Vec<impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let barrier = Arc::new(Barrier::new(futures.len()));
    let tasks: Vec<_> = futures
        .into_iter()
        .map(|future| {
            let barrier = barrier.clone();
            tokio::spawn(async move {
                barrier.wait().await;
                future.await
            })
        })
        .collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

async fn purchases(market: &Market, shop: &str) -> usize {
    let owner = market.owner(shop).await;
    let (mut count, mut after) = (0, String::new());
    loop {
        let ask = ListOrders { after, ..ListOrders::default() };
        let page = orders::seller_list(&market.engine, &owner, shop, ask).await.unwrap();
        count += page.items.len();
        match page.next {
            Some(next) => after = next,
            None => return count,
        }
    }
}

both! {
    async fn two_hundred_buyers_race_for_five_items(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let mut buyers = Vec::new();
        for _ in 0..200 {
            let (engine, guest) = (market.engine.clone(), market.guest_with(&[(bowl, 1)]).await);
            buyers.push(async move {
                let id = checkout::begin(&engine, &guest).await?;
                checkout::pay(&engine, &guest, id, form("cash"), 1, "k").await
            });
        }
        let outcomes = at_once(buyers).await;
        let sold = outcomes.iter().filter(|o| matches!(o, Ok(NextAction::Done { .. }))).count();
        let refused = outcomes.iter().filter(|o| matches!(o, Err(Error::Conflict(Conflict::OutOfStock(_))))).count();
        assert_eq!((sold, refused), (5, 195), "{:?}", outcomes.iter().find(|o| matches!(o, Err(e) if e.code() != "out_of_stock")));
        assert_eq!(market.available(bowl).await, 0);
        assert_eq!(purchases(market, "meena-crafts").await, 5);
    }

    async fn thirty_two_clicks_on_pay_are_one_purchase_and_one_capture(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 100).await;
        // Half with the same key, as in a double click; half with their own keys, as in several tabs.
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(&market.engine, &guest).await.unwrap();
        let clicks = (0..32).map(|i| {
            let (engine, guest) = (market.engine.clone(), guest.clone());
            let key = if i % 2 == 0 { "k".to_owned() } else { format!("k{i}") };
            async move { checkout::pay(&engine, &guest, id, form("sandbox"), 1, &key).await }
        });
        let outcomes = at_once(clicks.collect()).await;
        let mut pages: Vec<String> = outcomes.iter().map(|o| match o {
            Ok(NextAction::Redirect { url }) => url.clone(),
            other => panic!("{other:?}"),
        }).collect();
        pages.sort();
        pages.dedup();
        assert_eq!(pages.len(), 1, "one payment at the gateway");
        let gateway_ref = pages[0].rsplit('/').next().unwrap().to_owned();
        let payment = sandbox::find(&market.engine.db, &gateway_ref).await.unwrap().attempt_id;
        let cards = (0..8).map(|_| { let (db, clock, r) = (market.engine.db.clone(), market.clock.clone(), gateway_ref.clone());
            async move { sandbox::enter_card(&db, &clock, &r, Card::WebhookTwice).await.unwrap(); } });
        at_once(cards.collect()).await;
        // The browser, the webhook, its duplicate and reconciliation, concurrently and repeatedly.
        market.clock.advance_ms(20_000);
        let amount = haat_shared::Money::new(49_900, haat_shared::Currency::INR);
        let reports = (0..32).map(|i| {
            let (engine, query, r) = (market.engine.clone(), market.return_query(payment), gateway_ref.clone());
            async move {
                match i % 3 {
                    0 => { payments::returned(&engine, &Caller::guest(), payment, &query).await.unwrap(); }
                    1 => { payments::apply_status(&engine, payment, &r, payments::GatewayStatus::Captured(amount)).await.unwrap(); }
                    _ => { payments::reconcile(&engine).await.unwrap(); }
                }
            }
        });
        at_once(reports.collect()).await;
        while market.deliver_webhooks().await > 0 {}
        assert_eq!(purchases(market, "meena-crafts").await, 1);
        let captures = sandbox::captures(&market.engine.db).await.unwrap();
        assert_eq!((captures.captured, captures.kept_minor), (1, 49_900));
        assert_eq!(market.available(bowl).await, 99);
    }

    async fn thirty_two_payments_in_cash_are_one_purchase(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 100).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(&market.engine, &guest).await.unwrap();
        let clicks = (0..32).map(|i| {
            let (engine, guest) = (market.engine.clone(), guest.clone());
            // Half of them have their own keys; all get the same purchase.
            let key = if i % 2 == 0 { "k".to_owned() } else { format!("k{i}") };
            async move { checkout::pay(&engine, &guest, id, form("cash"), 1, &key).await }
        });
        let mut numbers: Vec<String> = at_once(clicks.collect()).await.into_iter().map(|o| match o {
            Ok(NextAction::Done { purchase }) => purchase.number,
            other => panic!("{other:?}"),
        }).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), 1);
        assert_eq!(purchases(market, "meena-crafts").await, 1);
    }

    /// Some pay in cash and some by card, concurrently: the losers get the purchase, or the gateway's page.
    async fn cash_and_card_at_once(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 100).await;
        for _ in 0..5 {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let id = checkout::begin(&market.engine, &guest).await.unwrap();
            let clicks = (0..12).map(|i| {
                let (engine, guest) = (market.engine.clone(), guest.clone());
                let (method, key) = (if i % 3 == 0 { "sandbox" } else { "cash" }, format!("k{i}"));
                async move { checkout::pay(&engine, &guest, id, form(method), 1, &key).await }
            });
            let mut numbers: Vec<String> = at_once(clicks.collect()).await.into_iter().filter_map(|o| match o {
                Ok(NextAction::Done { purchase }) => Some(purchase.number),
                Ok(NextAction::Redirect { .. }) => None,
                other => panic!("{other:?}"),
            }).collect();
            numbers.dedup();
            assert_eq!(numbers.len(), 1, "{numbers:?}");
        }
    }

    /// One tab selects another shipping method while another tab pays: what is charged is what the latter showed.
    async fn two_tabs_of_one_checkout_at_once(market) {
        let tea = market.generous_shop().await;
        let nodes = market.two_nodes().await;
        for _ in 0..8 {
            let guest = market.guest_with(&[(tea, 1)]).await;
            let id = checkout::begin(&market.engine, &guest).await.unwrap();
            let view = checkout::view(&market.engine, &guest, id).await.unwrap();
            let ship = |method| CheckoutUpdate { shipping_methods: [(view.groups[0].shop_id, method)].into(), ..form("cash") };
            let tabs = [ShippingMethod::Express, ShippingMethod::Standard].map(|method| {
                let node = usize::from(method == ShippingMethod::Express);
                let (engine, guest, typed) = (nodes[node].clone(), guest.clone(), ship(method));
                async move {
                    match method {
                        ShippingMethod::Express => checkout::update(&engine, &guest, id, typed).await.map(|_| None),
                        _ => checkout::pay(&engine, &guest, id, typed, 1, "k").await.map(Some),
                    }
                }
            });
            let [selected, paid] = at_once(Vec::from(tabs)).await.try_into().unwrap();
            let (paid, total) = match paid {
                Ok(paid) => {
                    assert!(selected.is_err(), "{selected:?}");
                    (paid.unwrap(), view.quote.totals.total)
                }
                Err(Error::Conflict(Conflict::TotalChanged { total, quote_version })) => {
                    assert!(selected.is_ok() && quote_version > 1, "{selected:?} {quote_version}");
                    let (stored, quote) = checkout::stored(&market.engine, &guest, id).await.unwrap();
                    assert_eq!((quote.totals.total, quote.version), (total, quote_version));
                    let paid = checkout::pay(&market.engine, &guest, id, stored, quote_version, "k").await;
                    (paid.unwrap(), total)
                }
                other => panic!("{other:?}"),
            };
            let number = number_of(&paid);
            let purchase = orders::purchase(&market.engine, &guest, &number, &market.key(&number)).await.unwrap();
            assert_eq!(purchase.totals.total, total);
        }
    }

    /// Updates that were sent before the payment and arrive with it don't replace what was paid with.
    async fn late_updates_and_a_payment_keep_what_was_entered_last(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 100).await;
        let last = CheckoutUpdate { phone: "+91 20 5550 1234".into(), ..form("sandbox") };
        for round in 0..10 {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let id = checkout::begin(&market.engine, &guest).await.unwrap();
            let requests = (0..12).map(|i| {
                let (engine, guest, last) = (market.engine.clone(), guest.clone(), last.clone());
                async move {
                    if i == round {
                        checkout::pay(&engine, &guest, id, last, 1, "k").await.map(drop)
                    } else {
                        checkout::update(&engine, &guest, id, form("sandbox")).await.map(drop)
                    }
                }
            });
            let outcomes = at_once(requests.collect()).await;
            assert_eq!(outcomes[round], Ok(()));
            assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().form, last);
        }
    }

    /// The sweeper, a payment and a new checkout run concurrently: exactly one wins.
    async fn sweeper_payment_and_a_new_checkout_at_once(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 100).await;
        for round in 0..10 {
            let mut guest = market.guest_with(&[(bowl, 3)]).await;
            let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
            market.enter(&gateway_ref, Card::WebhookNever).await;
            market.clock.advance_ms(HOLD_MS + 1);
            if round % 2 == 0 {
                market.add(&mut guest, bowl, 1).await.unwrap();
            }
            let moves = (0..12).map(|i| {
                let (engine, guest) = (market.engine.clone(), guest.clone());
                let query = market.return_query(payment);
                async move {
                    match i % 3 {
                        0 => drop(checkout::sweep(&engine).await.unwrap()),
                        1 => drop(payments::returned(&engine, &Caller::guest(), payment, &query).await.unwrap()),
                        // The cart may be empty, or the stock too low.
                        _ => drop(checkout::begin(&engine, &guest).await),
                    }
                }
            });
            at_once(moves.collect()).await;
            market.settle().await;
        }
    }

    /// Carts that contain the same products in a different order don't deadlock.
    async fn carts_of_the_same_things_in_any_order(market) {
        let mut things = Vec::new();
        for i in 0..6 {
            things.push(market.product(if i % 2 == 0 { "meena-crafts" } else { "delta-electronics" }, &format!("Thing {i}"), 10_000, 60).await);
        }
        let mut buyers = Vec::new();
        for i in 0..40 {
            let mut lines: Vec<_> = things.iter().map(|t| (*t, 1)).collect();
            lines.rotate_left(i % 6);
            if i % 2 == 0 { lines.reverse(); }
            let (engine, guest) = (market.engine.clone(), market.guest_with(&lines).await);
            buyers.push(async move {
                let id = checkout::begin(&engine, &guest).await?;
                checkout::pay(&engine, &guest, id, form("cash"), 1, "k").await
            });
        }
        let outcomes = at_once(buyers).await;
        let busy = outcomes.iter().filter(|o| matches!(o, Err(Error::Busy { .. }))).count();
        let done = outcomes.iter().filter(|o| o.is_ok()).count();
        assert_eq!((done, busy), (40, 0), "{:?}", outcomes.iter().find(|o| o.is_err()));
        assert_eq!(market.available(things[0]).await, 20);
    }
}
