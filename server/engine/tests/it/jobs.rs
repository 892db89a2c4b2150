use std::sync::atomic::Ordering;

use futures::{FutureExt, StreamExt, stream};
use haat_engine::{
    Caller, Engine, accounts,
    bus::Topic,
    db::Scalar,
    dispatch, idempotency,
    jobs::{self, Queue},
    notifications::{self, mailbox},
    orders, params, random,
    sandbox::{self, Card},
    schedules::{self, SCHEDULES, Schedule},
    statements,
};
use haat_shared::{Conflict, audit::JobCard, id::kinds::OutboxMessageId, notifications::Channel};
use tokio::task::JoinHandle;

use crate::{both, notifications::change, races::at_once, support::*};

statements! {
    NOTIFIED = "SELECT kind || ' ' || channel || CASE WHEN channel = 'email' THEN ' ' || recipient ELSE '' END AS value
        FROM notifications ORDER BY kind, channel, recipient";
    BREAK_PAYMENT = "UPDATE sandbox_payments SET state = 'waiting'";
    MEND_PAYMENT = "UPDATE sandbox_payments SET state = 'captured'";
    REQUEUE = "UPDATE jobs SET state = 'queued', run_at = 0, attempts = 0 WHERE state = 'dead'";
    ONCE_MORE = "INSERT INTO outbox (id, kind, subject, created_at)
        SELECT $1, kind, subject, created_at FROM outbox WHERE kind = 'refund_queued' ORDER BY id LIMIT 1";
    COUNT = "SELECT COUNT(*) AS value FROM jobs";
    BURY = "UPDATE jobs SET state = 'dead'";
    UNREFUND = "UPDATE refunds SET state = 'queued'";
    REREFUND = "UPDATE refunds SET state = 'done'";
    RENAME = "UPDATE jobs SET name = 'a job of another version'";
    GARBLE = "UPDATE jobs SET name = 'refund', payload = 'x'";
    EXHAUST = "UPDATE jobs SET attempts = 12";
    LEFT = "SELECT (SELECT COUNT(*) FROM jobs) + (SELECT COUNT(*) FROM outbox) + (SELECT COUNT(*) FROM idempotency_keys) AS value";
}

/// Makes `purchases` purchases from two shops by card and cancels all orders; their refunds are queued.
async fn cancelled(market: &Market, purchases: i64) {
    let engine = &market.engine;
    let bowl = market.product("meena-crafts", "Clay bowl", 45_000, purchases).await;
    let lamp = market.product("delta-electronics", "Desk lamp", 129_900, purchases).await;
    let owners = [market.owner("meena-crafts").await, market.owner("delta-electronics").await];
    let orders = (0..purchases).map(|_| async {
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 1), (lamp, 1)]).await).await;
        let view = orders::purchase(engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap();
        for order in view.orders {
            let owner = &owners[usize::from(order.shop_handle != "meena-crafts")];
            orders::cancel(engine, owner, &order.shop_handle, &order.number, "No").await.unwrap();
        }
    });
    // No more at once than there are connections: on a slow machine, the others would be told that it is busy.
    stream::iter(orders).buffer_unordered(8).for_each(|()| async {}).await;
    while dispatch::dispatch(engine).await.unwrap() > 0 {}
}

/// A job for the refund of an order.
async fn one_refund(market: &Market) {
    let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
    let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
    let owner = market.owner("meena-crafts").await;
    orders::cancel(&market.engine, &owner, "meena-crafts", &format!("{number}-1"), "No").await.unwrap();
    dispatch::dispatch(&market.engine).await.unwrap();
}

/// Repeats the message that a refund is queued.
async fn once_more(market: &Market) {
    let id: OutboxMessageId = random::id(market.clock.now_ms());
    let write = market
        .engine
        .db
        .write("t", id, |tx, id| Box::pin(async move { Ok(tx.exec(&ONCE_MORE, params![*id]).await?) }));
    assert_eq!(write.await.unwrap(), 1);
    assert_eq!(dispatch::dispatch(&market.engine).await.unwrap(), 1);
}

fn pay_back(node: &Engine) -> JoinHandle<usize> {
    let node = node.clone();
    tokio::spawn(async move { dispatch::run_due(&node, Queue::Payments).await.unwrap() })
}

async fn unfinished(market: &Market) -> Vec<JobCard> {
    jobs::list(&market.engine, &Caller::system(), "", "").await.unwrap().items
}

both! {
    async fn a_job_is_not_added_again_until_it_is_done(market) {
        let count = async || market.engine.db.one::<Scalar<i64>>(&COUNT, params![]).await.unwrap().0;
        one_refund(market).await;
        once_more(market).await;
        assert_eq!(count().await, 1, "it is queued");
        let gate = market.line.refunds.hold().await;
        let worker = pay_back(&market.engine);
        market.line.refunds.reached(1).await;
        once_more(market).await;
        assert_eq!(count().await, 1, "it is running");
        drop(gate);
        worker.await.unwrap();
        assert!(unfinished(market).await.is_empty());
        // Completed jobs are kept for a week, and don't block new ones.
        once_more(market).await;
        assert_eq!((count().await, unfinished(market).await.len()), (2, 1));
        assert_eq!(pay_back(&market.engine).await.unwrap(), 1);
        assert_eq!(market.line.refunds.arrivals(), 1, "the second job finds nothing to refund");
    }

    async fn a_dead_job_is_not_retried_beside_its_successor(market) {
        let system = Caller::system();
        one_refund(market).await;
        change(market, &BURY).await;
        once_more(market).await;
        let [new, dead] = unfinished(market).await.try_into().unwrap();
        assert_eq!((new.state.as_str(), dead.state.as_str(), &new.subject), ("queued", "dead", &dead.subject));
        assert_eq!(jobs::retry(&market.engine, &system, dead.id).await, Err(Conflict::InFlight.into()));
        pay_back(&market.engine).await.unwrap();
        jobs::retry(&market.engine, &system, dead.id).await.unwrap();
        pay_back(&market.engine).await.unwrap();
        assert_eq!(market.line.refunds.arrivals(), 1);
    }

    async fn workers_never_share_a_job(market) {
        cancelled(market, 10).await;
        let nodes = market.two_nodes().await;
        let workers = (0..8).map(|i| {
            let node = nodes[i % 2].clone();
            async move {
                let mut done = 0;
                loop {
                    match dispatch::run_due(&node, Queue::Payments).await.unwrap() {
                        0 => return done,
                        some => done += some,
                    }
                }
            }
        });
        let done: usize = at_once(workers.collect()).await.into_iter().sum();
        assert_eq!((done, market.line.refunds.arrivals()), (20, 20));
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 0);
    }

    async fn a_worker_whose_lease_expired_cannot_complete_its_job(market) {
        let (system, line) = (Caller::system(), &market.line);
        let [first, second] = market.two_nodes().await;
        one_refund(market).await;
        let gate = line.refunds.hold().await;
        let late = pay_back(&first);
        line.refunds.reached(1).await;
        // Queued after the late worker, and before its successor.
        let mut gate_between = Box::pin(line.refunds.hold());
        assert!(futures::poll!(&mut gate_between).is_pending());
        assert_eq!(pay_back(&second).await.unwrap(), 0, "it is claimed");
        market.clock.advance_ms(60_000);
        let successor = pay_back(&second);
        line.refunds.reached(2).await;
        drop(gate);
        let gate = gate_between.await;
        assert_eq!(late.await.unwrap(), 1);
        let job = unfinished(market).await.remove(0);
        assert_eq!((job.state.as_str(), job.attempts), ("queued", 2), "the refund is made, the job is the successor's");
        assert_eq!(jobs::discard(&market.engine, &system, job.id).await, Err(Conflict::InFlight.into()));
        drop(gate);
        assert_eq!(successor.await.unwrap(), 1);
        assert!(unfinished(market).await.is_empty());

        // Nor if nobody else has claimed it yet; and a failure isn't recorded either.
        once_more(market).await;
        change(market, &UNREFUND).await;
        line.cut.store(true, Ordering::Relaxed);
        let gate = line.refunds.hold().await;
        let late = pay_back(&first);
        line.refunds.reached(3).await;
        market.clock.advance_ms(60_000);
        drop(gate);
        late.await.unwrap();
        line.cut.store(false, Ordering::Relaxed);
        let job = unfinished(market).await.remove(0);
        assert_eq!((job.attempts, job.error.as_str()), (1, ""));
        change(market, &REREFUND).await;
        assert_eq!(pay_back(&second).await.unwrap(), 1, "at once");
        assert!(unfinished(market).await.is_empty());
    }

    async fn a_slow_gateway_delays_no_email(market) {
        cancelled(market, 100).await;
        while notifications::deliver_due(&market.engine, Channel::Email).await.unwrap() > 0 {}
        let gate = market.line.refunds.hold().await;
        let worker = pay_back(&market.engine);
        market.line.refunds.reached(8).await;
        let bowl = market.product("meena-crafts", "Clay jug", 45_000, 5).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        // The worker's other tasks in the meantime.
        dispatch::dispatch(&market.engine).await.unwrap();
        dispatch::run_due(&market.engine, Queue::Default).await.unwrap();
        notifications::deliver_due(&market.engine, Channel::Email).await.unwrap();
        let latest = mailbox::latest(&market.engine.db).await.unwrap();
        assert!(latest.iter().any(|mail| mail.subject == format!("purchase {number}")));
        assert_eq!(jobs::backlog(&market.engine).await.unwrap().queued, 200, "not one refund is done");
        assert_eq!(market.line.refunds.arrivals(), 8, "the gateway is asked for a few at a time");
        assert!(!worker.is_finished());
        drop(gate);
        assert_eq!(worker.await.unwrap(), 8);
        market.settle().await;
        assert_eq!(market.line.refunds.arrivals(), 200);
    }

    async fn jobs_that_cannot_run_are_kept_for_inspection(market) {
        let system = Caller::system();
        one_refund(market).await;
        for (damage, why) in [(&RENAME, "unknown kind"), (&GARBLE, "cannot be read"), (&EXHAUST, "no attempts left")] {
            change(market, damage).await;
            pay_back(&market.engine).await.unwrap();
            let job = unfinished(market).await.remove(0);
            assert!(job.error.contains(why), "{}", job.error);
            market.clock.advance_ms(3_600_000);
        }
        let job = unfinished(market).await.remove(0);
        assert_eq!(job.state, "dead");
        jobs::discard(&market.engine, &system, job.id).await.unwrap();
        assert_eq!(market.line.refunds.arrivals(), 0);
        once_more(market).await;
    }

    async fn each_schedule_is_run_by_one_node_at_a_time(market) {
        let nodes = market.two_nodes().await;
        let run = async || {
            let mut runs = Vec::new();
            for schedule in SCHEDULES {
                let all = (0..8).map(|i| {
                    let node = nodes[i % 2].clone();
                    async move { schedules::run_if_due(&node, schedule).await.unwrap() }
                });
                runs.push((schedule.name, at_once(all.collect()).await.into_iter().filter(|ran| *ran).count()));
            }
            runs
        };
        let runs = |due: fn(&Schedule) -> bool| SCHEDULES.iter().map(|s| (s.name, usize::from(due(s)))).collect::<Vec<_>>();
        assert_eq!(run().await, runs(|_| true));
        assert_eq!(run().await, runs(|_| false));
        market.clock.advance_ms(60_000);
        assert_eq!(run().await, runs(|schedule| schedule.every.as_secs() <= 60));

        // A slow run isn't repeated until its lease has expired, and then doesn't end its successor's lease.
        let reconcile = SCHEDULES.iter().find(|schedule| schedule.name == "reconcile").unwrap();
        let start = |node: &Engine| {
            let node = node.clone();
            tokio::spawn(async move { schedules::run_if_due(&node, reconcile).await.unwrap() })
        };
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        market.go_to_sandbox(&market.guest_with(&[(bowl, 1)]).await).await;
        market.clock.advance_ms(30_000);
        let line = &market.line;
        let gate = line.reads.hold().await;
        let slow = start(&nodes[0]);
        line.reads.reached(1).await;
        market.clock.advance_ms(30_000);
        assert!(!start(&nodes[1]).await.unwrap(), "it is running");
        let mut gate_between = Box::pin(line.reads.hold());
        assert!(futures::poll!(&mut gate_between).is_pending());
        market.clock.advance_ms(30_000);
        let successor = start(&nodes[1]);
        line.reads.reached(2).await;
        drop(gate);
        let gate = gate_between.await;
        assert!(slow.await.unwrap());
        market.clock.advance_ms(10_000);
        assert!(!start(&nodes[0]).await.unwrap(), "the successor is running");
        drop(gate);
        assert!(successor.await.unwrap());
    }

    async fn other_nodes_learn_what_was_written_and_dispatched(market) {
        let [first, second] = market.two_nodes().await;
        let news_of = |topic| second.bus.subscribe(topic);
        let (mut outbox, mut jobs, mut notifications) =
            (news_of(Topic::Outbox), news_of(Topic::Jobs), news_of(Topic::Notifications));
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        assert_eq!(outbox.next().await.as_deref(), Some(""));
        assert_eq!(dispatch::dispatch(&first).await.unwrap(), 2);
        assert_eq!(notifications.next().await.as_deref(), Some(""));
        let owner = market.owner("meena-crafts").await;
        orders::cancel(&first, &owner, "meena-crafts", &format!("{number}-1"), "No").await.unwrap();
        assert_eq!(dispatch::dispatch(&first).await.unwrap(), 2);
        assert_eq!(jobs.next().await.as_deref(), Some("payments"), "and nothing about the purchase");
        // A dispatch without effect is not announced.
        notifications.clear();
        assert_eq!(dispatch::dispatch(&first).await.unwrap(), 0);
        assert!(notifications.next().now_or_never().is_none());
    }

    async fn outbox_messages_become_notifications_once(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 50).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 30).await;
        market.buy_in_cash(&market.guest_with(&[(bowl, 1), (lamp, 1)]).await).await.unwrap();
        // Four concurrent workers.
        let workers: Vec<_> = (0..4).map(|_| { let engine = market.engine.clone(); tokio::spawn(async move { dispatch::drain(&engine).await.unwrap() }) }).collect();
        for worker in workers { worker.await.unwrap(); }
        let notified: Vec<Scalar<String>> = market.engine.db.all(&NOTIFIED, params![]).await.unwrap();
        let notified: Vec<_> = notified.into_iter().map(|n| n.0).collect();
        assert_eq!(notified, [
            "order_placed email delta-electronics@haat.example",
            "order_placed email meena-crafts@haat.example",
            "order_placed in_app",
            "order_placed in_app",
            "purchase_made email asha@example.com",
        ]);
    }

    async fn a_refund_that_fails_is_retried_until_it_is_dead(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        let key = haat_engine::checkout::view(&market.engine, &guest, id).await.unwrap().key;
        haat_engine::checkout::pay(&market.engine, &guest, id, form("cash"), 1, &key).await.unwrap();
        market.enter(&gateway_ref, Card::Approve).await;
        market.come_back(payment).await.unwrap();
        // The gateway rejects the refund, because it never captured this payment.
        market.engine.db.write("t", (), |tx, ()| Box::pin(async move { tx.exec(&BREAK_PAYMENT, params![]).await?; Ok(()) })).await.unwrap();
        for _ in 0..20 {
            dispatch::drain(&market.engine).await.unwrap();
            market.clock.advance_ms(3_600_000);
        }
        let backlog = jobs::backlog(&market.engine).await.unwrap();
        assert_eq!((backlog.queued, backlog.dead), (0, 1));
        market.engine.db.write("t", (), |tx, ()| Box::pin(async move {
            tx.exec(&MEND_PAYMENT, params![]).await?;
            tx.exec(&REQUEUE, params![]).await?;
            Ok(())
        })).await.unwrap();
        market.settle().await;
        assert_eq!(haat_engine::sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 0);
    }

    async fn finished_rows_are_purged(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        market.settle().await;
        market.clock.advance_ms(8 * 24 * 3_600_000);
        dispatch::purge(&market.engine).await.unwrap();
        idempotency::purge(&market.engine).await.unwrap();
        accounts::purge(&market.engine).await.unwrap();
        let left: Scalar<i64> = market.engine.db.one(&LEFT, params![]).await.unwrap();
        assert_eq!(left.0, 0);
    }
}
