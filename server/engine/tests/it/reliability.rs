//! Attacks on what changes while a shopper pays. docs/reliability.md lists them.

use haat_engine::{
    Caller, carts, checkout, orders, payments,
    sandbox::{self, Card},
};
use haat_shared::{
    Conflict, Error,
    carts::{AddLine, SetQuantity},
    checkout::{CheckoutState, HOLD_MS},
};

use crate::{both, races::at_once, support::*};

const MEENA: &str = "meena-crafts";

both! {
    /// Two tabs add the same thing again and again: it stays one line, and no two lines can hold its last units twice.
    async fn attack_a_basket_with_one_thing_twice(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 10).await;
        let nodes = market.two_nodes().await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let adds = (0..32).map(|n| {
            let (engine, guest) = (nodes[n % 2].clone(), guest.clone());
            async move { carts::add_line(&engine, &guest, AddLine { variant: bowl, quantity: "1".into() }).await.map(drop) }
        });
        let added = at_once(adds.collect()).await.into_iter().filter(Result::is_ok).count();
        let cart = carts::view(&market.engine, &guest).await.unwrap();
        assert_eq!((cart.groups.len(), cart.groups[0].lines.len()), (1, 1));
        assert_eq!(cart.item_count, 1 + added as i64);
        let begun = checkout::begin(&market.engine, &guest).await;
        match begun {
            Ok(_) => assert!(cart.item_count <= 10),
            Err(Error::Conflict(Conflict::OutOfStock(short))) => assert!(cart.item_count > 10 && short.len() == 1),
            other => panic!("{other:?}"),
        }
        let held = 10 - market.available(bowl).await;
        assert!(held == 0 || held == cart.item_count, "{held}");
    }

    /// The basket changes in a second tab, and is checked out there, while the first one pays: what was charged is what the
    /// first one showed, or nothing is.
    async fn attack_a_basket_that_changes_while_it_is_paid(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 1_000).await;
        let nodes = market.two_nodes().await;
        let (mut bought, mut ended) = (0, 0);
        for round in 0..24 {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let id = checkout::begin(&market.engine, &guest).await.unwrap();
            let total = checkout::view(&market.engine, &guest, id).await.unwrap().quote.totals.total;
            let line = carts::view(&market.engine, &guest).await.unwrap().groups[0].lines[0].id;
            let moves = (0..6).map(|n| {
                let (engine, guest) = (nodes[(n + round) % 2].clone(), guest.clone());
                async move {
                    match n {
                        0 => Some(checkout::pay(&engine, &guest, id, form("cash"), 1, "k").await),
                        1 | 2 => {
                            let quantity = (2 + n).to_string();
                            drop(carts::set_quantity(&engine, &guest, SetQuantity { line, quantity }).await);
                            None
                        }
                        // A checkout of what is in the basket now ends the first one, unless it was bought.
                        _ => {
                            drop(checkout::begin(&engine, &guest).await);
                            None
                        }
                    }
                }
            });
            match at_once(moves.collect()).await.into_iter().flatten().next().unwrap() {
                Ok(paid) => {
                    let number = number_of(&paid);
                    let purchase = orders::purchase(&market.engine, &guest, &number, &market.key(&number)).await.unwrap();
                    assert_eq!((purchase.totals.total, purchase.orders[0].lines[0].quantity), (total, 1));
                    bought += 1;
                }
                Err(Error::Conflict(Conflict::CheckoutEnded)) => {
                    let view = checkout::view(&market.engine, &guest, id).await.unwrap();
                    assert_eq!((view.state, view.purchase), (CheckoutState::Superseded, None));
                    ended += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        println!("{bought} bought, {ended} ended");
        assert_eq!(bought + ended, 24);
        // In turn: the first tab pays after the second one has begun.
        let mut guest = market.guest_with(&[(bowl, 1)]).await;
        let first = checkout::begin(&market.engine, &guest).await.unwrap();
        market.add(&mut guest, bowl, 1).await.unwrap();
        let second = checkout::begin(&market.engine, &guest).await.unwrap();
        let paid = checkout::pay(&market.engine, &guest, first, form("cash"), 1, "k").await;
        assert_eq!(paid, Err(Conflict::CheckoutEnded.into()));
        checkout::pay(&market.engine, &guest, second, form("cash"), 1, "k").await.unwrap();
    }

    /// The hold of the last unit ends while its shopper confirms the payment at the bank, and others want it: one gets it, and
    /// whoever paid and does not is refunded.
    async fn attack_the_last_unit_while_its_hold_ends_during_three_d_secure(market) {
        let nodes = market.two_nodes().await;
        let (mut kept, mut lost) = (0, 0);
        for round in 0..12 {
            let bowl = market.product(MEENA, &format!("Bowl {round}"), 45_000, 1).await;
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
            market.enter(&gateway_ref, Card::Challenge).await;
            let rivals = [market.guest_with(&[(bowl, 1)]).await, market.guest_with(&[(bowl, 1)]).await];
            market.clock.advance_ms(HOLD_MS + 1);
            sandbox::confirm(&market.engine.db, &market.clock, &gateway_ref).await.unwrap();
            let moves = (0..8).map(|n| {
                let (engine, rival, query) = (nodes[n % 2].clone(), rivals[n / 2 % 2].clone(), market.return_query(payment));
                async move {
                    match (n + round) % 4 {
                        0 => drop(checkout::sweep(&engine).await.unwrap()),
                        1 => drop(payments::returned(&engine, &Caller::guest(), payment, &query).await.unwrap()),
                        _ => {
                            let Ok(id) = checkout::begin(&engine, &rival).await else { return };
                            drop(checkout::pay(&engine, &rival, id, form("cash"), 1, "k").await);
                        }
                    }
                }
            });
            at_once(moves.collect()).await;
            drop(market.come_back(payment).await);
            market.settle().await;
            let view = checkout::view(&market.engine, &guest, id).await.unwrap();
            match view.purchase {
                Some(_) => kept += 1,
                None => lost += 1,
            }
            let sold = sandbox::captures(&market.engine.db).await.unwrap().kept_minor;
            assert_eq!(sold, kept * 49_900, "who did not get it has their money back");
            assert_eq!(market.available(bowl).await, 0, "and somebody got it");
        }
        println!("{kept} kept, {lost} lost to others");
    }
}
