//! Payments: whatever is reported, by whom, in which order and how often, there is one purchase and one
//! capture.

use haat_engine::{
    Caller, checkout,
    db::{Scalar, statement},
    dispatch, jobs, oracle, params,
    payments::{self, Return},
    sandbox::{self, Card},
    statements,
};
use haat_shared::{
    Conflict, Error,
    checkout::{CheckoutState, HOLD_MS, PaymentOutcome},
    id::kinds::{CheckoutId, PaymentId},
    payments::NextAction,
};

use crate::{both, notifications::change, support::*};

statements! {
    LATEST = "SELECT id AS value FROM payments WHERE checkout_id = $1 ORDER BY id DESC LIMIT 1";
    KNOWN_BY_ANOTHER_NAME = "UPDATE payments SET gateway_ref = 'sbx_another' WHERE state = 'pending'";
    NEVER_CAPTURED = "UPDATE sandbox_payments SET state = 'waiting' WHERE gateway_ref = (SELECT MIN(gateway_ref) FROM sandbox_payments)";
    CAPTURED = "UPDATE sandbox_payments SET state = 'captured'";
    CHARGED_LESS = "UPDATE sandbox_payments SET amount_minor = amount_minor - 1 WHERE gateway_ref = (SELECT MIN(gateway_ref) FROM sandbox_payments)";
    CHARGED = "UPDATE sandbox_payments SET amount_minor = 49900";
    CHECKOUTS = "SELECT checkout_id AS value FROM purchases ORDER BY id";
    PAY_FOR = "UPDATE payments SET checkout_id = $2 WHERE purchase_id = (SELECT id FROM purchases WHERE checkout_id = $1)";
}

both! {
    async fn a_challenge_is_confirmed_and_webhooks_are_processed_once(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, Card::Challenge).await;
        let waiting = checkout::view(&market.engine, &guest, id).await.unwrap();
        assert_eq!(waiting.payment, Some(PaymentOutcome::UnderWay));
        assert!(matches!(waiting.next_action, Some(NextAction::Redirect { .. })));
        assert_eq!(market.deliver_webhooks().await, 0);
        assert_eq!(market.come_back(payment).await, Ok(Return::Checkout(id, None)), "not finished");
        sandbox::confirm(&market.engine.db, &market.clock, &gateway_ref).await.unwrap();
        let number = number_in(&market.come_back(payment).await.unwrap());
        assert_eq!(market.deliver_webhooks().await, 1);
        market.webhook("evt_again", &gateway_ref, payment).await.unwrap();
        market.webhook("evt_again", &gateway_ref, payment).await.unwrap();
        assert_eq!(number_in(&market.come_back(payment).await.unwrap()), number);
        let view = checkout::view(&market.engine, &guest, id).await.unwrap();
        assert_eq!((view.state, view.payment), (CheckoutState::Completed, Some(PaymentOutcome::Paid)));
        assert_eq!(view.purchase.unwrap(), checkout::link(&market.engine, number));
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 49_900);
    }

    async fn a_webhook_before_the_browser_makes_the_purchase(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, Card::WebhookTwice).await;
        assert_eq!(market.deliver_webhooks().await, 1);
        assert_eq!(market.deliver_webhooks().await, 1);
        assert_eq!(market.deliver_webhooks().await, 0);
        number_in(&market.come_back(payment).await.unwrap());
        assert_eq!(market.available(bowl).await, 4);
    }

    async fn a_declined_card_leaves_everything_as_it_was(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, Card::Decline).await;
        assert_eq!(market.come_back(payment).await, Ok(Return::Checkout(id, Some(Conflict::PaymentDeclined))));
        let view = checkout::view(&market.engine, &guest, id).await.unwrap();
        assert_eq!((view.state, view.payment), (CheckoutState::Open, Some(PaymentOutcome::Declined)));
        assert_eq!(view.form, form("sandbox"));
        assert_eq!(market.available(bowl).await, 4, "still held");
        // The same page with a different key is a new attempt.
        let next = checkout::pay(&market.engine, &guest, id, form("sandbox"), 1, &view.key).await.unwrap();
        let NextAction::Redirect { url } = next else { panic!() };
        market.enter(url.rsplit('/').next().unwrap(), Card::Approve).await;
        assert_eq!(market.deliver_webhooks().await, 2, "one for each payment");
        assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().state, CheckoutState::Completed);
    }

    async fn a_cancelled_payment_charges_nothing(market) {
        let engine = &market.engine;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        sandbox::cancel(&engine.db, &market.clock, &gateway_ref).await.unwrap();
        // The payment has ended and accepts no more cards.
        market.enter(&gateway_ref, Card::Approve).await;
        for _ in 0..2 {
            let back = market.come_back(payment).await;
            assert_eq!(back, Ok(Return::Checkout(id, Some(Conflict::PaymentCancelled))));
            market.deliver_webhooks().await;
        }
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!((view.state, view.payment), (CheckoutState::Open, Some(PaymentOutcome::Declined)));
        assert_eq!((view.form, market.available(bowl).await), (form("sandbox"), 4));
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().captured, 0);
        // A completed payment can't be cancelled.
        let next = checkout::pay(engine, &guest, id, form("sandbox"), 1, &view.key).await.unwrap();
        let NextAction::Redirect { url } = next else { panic!() };
        let gateway_ref = url.rsplit('/').next().unwrap();
        market.enter(gateway_ref, Card::Approve).await;
        assert!(!sandbox::cancel(&engine.db, &market.clock, gateway_ref).await.unwrap().is_cancelled());
        market.deliver_webhooks().await;
        assert_eq!(checkout::view(engine, &guest, id).await.unwrap().state, CheckoutState::Completed);
    }

    async fn reconciliation_replaces_a_missing_webhook(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, _, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, Card::WebhookNever).await;
        assert_eq!(market.deliver_webhooks().await, 0);
        assert_eq!(payments::reconcile(&market.engine).await.unwrap(), 0, "not yet");
        market.clock.advance_ms(60_000);
        assert_eq!(payments::reconcile(&market.engine).await.unwrap(), 1);
        assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().state, CheckoutState::Completed);
        market.clock.advance_ms(60_000);
        assert_eq!(payments::reconcile(&market.engine).await.unwrap(), 0, "there is nothing left to reconcile");
    }

    async fn who_pays_late_without_a_webhook_has_bought_within_a_minute(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        for minutes in [0, 4, 13, 25] {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let (id, _, gateway_ref) = market.go_to_sandbox(&guest).await;
            let wait = async || {
                market.clock.advance_ms(5_000);
                payments::reconcile(&market.engine).await.unwrap();
            };
            for _ in 0..minutes * 12 {
                wait().await;
            }
            market.enter(&gateway_ref, Card::WebhookNever).await;
            assert_eq!(market.deliver_webhooks().await, 0);
            for _ in 0..12 {
                wait().await;
            }
            let state = checkout::view(&market.engine, &guest, id).await.unwrap().state;
            assert_eq!(state, CheckoutState::Completed, "after {minutes} minutes");
        }
    }

    async fn two_nodes_ask_for_each_due_payment_once(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 50).await;
        for _ in 0..20 {
            market.go_to_sandbox(&market.guest_with(&[(bowl, 1)]).await).await;
        }
        market.clock.advance_ms(60_000);
        let [first, second] = market.two_nodes().await;
        let line = market.line.clone();
        let gate = line.reads.hold().await;
        let asking = tokio::spawn({ let first = first.clone(); async move { payments::reconcile(&first).await.unwrap() } });
        line.reads.reached(16).await;
        // The other node checks the rest while the first one waits for the gateway.
        let other = tokio::spawn({ let second = second.clone(); async move { payments::reconcile(&second).await.unwrap() } });
        line.reads.reached(20).await;
        assert_eq!(payments::reconcile(&second).await.unwrap(), 0, "all are being asked for");
        drop(gate);
        assert_eq!((asking.await.unwrap(), other.await.unwrap(), line.reads.arrivals()), (16, 4, 20));
        assert_eq!(payments::reconcile(&first).await.unwrap(), 0, "not again at once");
        // If a node stops during a check, others take over its payments after a while.
        market.clock.advance_ms(60_000);
        let gate = line.reads.hold().await;
        let stopped = tokio::spawn(async move { payments::reconcile(&first).await });
        line.reads.reached(36).await;
        stopped.abort();
        assert!(stopped.await.unwrap_err().is_cancelled());
        drop(gate);
        assert_eq!(payments::reconcile(&second).await.unwrap(), 4, "those of the other node are not due");
        market.clock.advance_ms(60_000);
        assert_eq!(payments::reconcile(&second).await.unwrap(), 20);
    }

    async fn a_late_capture_is_honoured_if_there_is_stock(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 2)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.clock.advance_ms(HOLD_MS + 1);
        assert_eq!(checkout::sweep(&market.engine).await.unwrap(), 1);
        assert_eq!(market.available(bowl).await, 5);
        market.enter(&gateway_ref, Card::Approve).await;
        number_in(&market.come_back(payment).await.unwrap());
        assert_eq!(market.available(bowl).await, 3);
        assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().state, CheckoutState::Completed);
    }

    async fn a_late_capture_without_stock_is_refunded(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 2).await;
        let guest = market.guest_with(&[(bowl, 2)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.clock.advance_ms(HOLD_MS + 1);
        checkout::sweep(&market.engine).await.unwrap();
        let faster = market.guest_with(&[(bowl, 1)]).await;
        market.buy_in_cash(&faster).await.unwrap();
        market.enter(&gateway_ref, Card::Approve).await;
        assert_eq!(market.come_back(payment).await, Ok(Return::Checkout(id, Some(Conflict::CheckoutEnded))));
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 94_900, "not yet");
        market.settle().await;
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 0);
        assert_eq!(market.available(bowl).await, 1);
    }

    async fn a_second_capture_is_refunded(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        // In a second tab they choose cash instead, then complete the card payment in the first.
        let key = checkout::view(&market.engine, &guest, id).await.unwrap().key;
        checkout::pay(&market.engine, &guest, id, form("cash"), 1, &key).await.unwrap();
        market.enter(&gateway_ref, Card::Approve).await;
        // They return to the page of their purchase, although this payment did not create it.
        number_in(&market.come_back(payment).await.unwrap());
        market.deliver_webhooks().await;
        market.settle().await;
        let captures = sandbox::captures(&market.engine.db).await.unwrap();
        assert_eq!((captures.captured, captures.kept_minor), (1, 0));
        assert_eq!(market.available(bowl).await, 4, "sold once");
    }

    async fn a_capture_of_another_amount_is_refunded(market) {
        for other in [44_999, 60_000] {
            let bowl = market.product("meena-crafts", &format!("Clay bowl {other}"), 45_000, 5).await;
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
            market.charge_instead(&gateway_ref, other).await;
            market.enter(&gateway_ref, Card::Approve).await;
            assert_eq!(market.come_back(payment).await, Ok(Return::Checkout(id, Some(Conflict::CheckoutEnded))), "{other}");
            market.deliver_webhooks().await;
            market.settle().await;
            assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 0, "{other}");
            assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().purchase, None);
            assert_eq!(market.available(bowl).await, 4, "still held for another attempt");
        }
    }

    async fn a_capture_of_a_superseded_checkout_is_refunded(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let mut guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.add(&mut guest, bowl, 1).await.unwrap();
        market.buy_in_cash(&guest).await.unwrap();
        market.enter(&gateway_ref, Card::Approve).await;
        assert_eq!(market.come_back(payment).await, Ok(Return::Checkout(id, Some(Conflict::CheckoutEnded))));
        market.settle().await;
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 0);
    }

    /// A report with a valid signature names one payment with the capture of another: a capture pays for the
    /// checkout that it was made for, and for nothing else.
    async fn one_capture_buys_one_checkout(market) {
        use std::sync::atomic::Ordering;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 50).await;
        let go = async || {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
            (guest, id, payment, gateway_ref)
        };
        let open = async |guest: &Caller, id| {
            let view = checkout::view(&market.engine, guest, id).await.unwrap();
            assert_eq!((view.state, view.purchase), (CheckoutState::Paying, None));
        };
        for paid_first in [true, false] {
            let (_, _, payer, capture) = go().await;
            market.enter(&capture, Card::WebhookNever).await;
            let (thief, id, free, own_ref) = go().await;
            if paid_first {
                number_in(&market.come_back(payer).await.unwrap());
            }
            for event in ["evt_a", "evt_b"] {
                let event = format!("{event}_{paid_first}");
                market.webhook(&event, &capture, free).await.unwrap();
            }
            // And vice versa.
            market.webhook(&format!("evt_c_{paid_first}"), &own_ref, payer).await.unwrap();
            open(&thief, id).await;
            number_in(&market.come_back(payer).await.unwrap());
            open(&thief, id).await;
        }
        // The gateway's id for the second payment isn't known yet.
        let (_, _, payer, capture) = go().await;
        market.enter(&capture, Card::WebhookNever).await;
        let thief = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(&market.engine, &thief).await.unwrap();
        market.line.cut.store(true, Ordering::Relaxed);
        checkout::pay(&market.engine, &thief, id, form("sandbox"), 1, "k").await.unwrap_err();
        market.line.cut.store(false, Ordering::Relaxed);
        let free: Scalar<PaymentId> = market.engine.db.one(&LATEST, params![id]).await.unwrap();
        market.webhook("evt_d", &capture, free.0).await.unwrap();
        open(&thief, id).await;
        number_in(&market.come_back(payer).await.unwrap());
        // Even if the report is trusted, the database rejects it.
        let amount = haat_shared::Money::new(49_900, haat_shared::Currency::INR);
        let (thief, id, free, _) = go().await;
        let forced = payments::apply_status(&market.engine, free, &capture, payments::GatewayStatus::Captured(amount)).await;
        assert_eq!(forced, Ok(payments::ReportOutcome::Orphaned));
        open(&thief, id).await;
        let captures = sandbox::captures(&market.engine.db).await.unwrap();
        assert_eq!((captures.captured, captures.kept_minor), (3, 3 * 49_900));
    }

    async fn a_capture_in_another_currency_is_refunded(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.charge_in(&gateway_ref, "USD".parse().unwrap()).await;
        market.enter(&gateway_ref, Card::Approve).await;
        assert_eq!(market.come_back(payment).await, Ok(Return::Checkout(id, Some(Conflict::CheckoutEnded))));
        market.deliver_webhooks().await;
        market.settle().await;
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 0);
        assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().purchase, None);
    }

    /// The gateway captures a second payment for the same attempt: it is refunded, and the first is kept.
    async fn a_second_capture_of_one_attempt_is_refunded(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        change(market, &KNOWN_BY_ANOTHER_NAME).await;
        market.enter(&gateway_ref, Card::WebhookNever).await;
        for event in ["evt_1", "evt_2"] {
            market.webhook(event, &gateway_ref, payment).await.unwrap();
        }
        market.settle().await;
        let captures = sandbox::captures(&market.engine.db).await.unwrap();
        assert_eq!((captures.captured, captures.kept_minor), (1, 0));
        market.buy_in_cash(&guest).await.unwrap();
        assert_eq!(market.available(bowl).await, 4, "sold once");
    }

    /// The oracle detects the result of a capture that was used for two purchases.
    async fn the_oracle_sees_a_purchase_without_a_capture(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        for _ in 0..2 {
            market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        }
        market.settle().await;
        for (harm, mend, said) in [
            (&NEVER_CAPTURED, &CAPTURED, "was paid with a capture that its gateway does not have"),
            (&CHARGED_LESS, &CHARGED, "was paid with a capture that its gateway does not have"),
        ] {
            change(market, harm).await;
            let broken = oracle::consult(&market.engine).await.unwrap();
            assert!(broken.iter().any(|line| line.contains(said)), "{said}: {broken:?}");
            change(market, mend).await;
            assert_eq!(oracle::consult(&market.engine).await.unwrap(), Vec::<String>::new());
        }
        let bought: Vec<Scalar<CheckoutId>> = market.engine.db.all(&CHECKOUTS, params![]).await.unwrap();
        for (to, broken) in [(bought[1].0, true), (bought[0].0, false)] {
            let input = (bought[0].0, to);
            let paid = market.engine.db.write("t", input, |tx, (of, to)| Box::pin(async move { Ok(tx.exec(&PAY_FOR, params![*of, *to]).await?) }));
            assert_eq!(paid.await.unwrap(), 1);
            let said = oracle::consult(&market.engine).await.unwrap();
            assert_eq!(said.iter().any(|line| line.contains("was paid with a payment of another checkout")), broken, "{said:?}");
        }
    }

    /// A client disconnects while the gateway is slow. A repeated request waits for that attempt's result.
    async fn hanging_up_while_paying_leaves_nothing_locked(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 50).await;
        for again in [1, 8] {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let id = checkout::begin(&market.engine, &guest).await.unwrap();
            let pay = || {
                let (engine, guest) = (market.engine.clone(), guest.clone());
                async move { checkout::pay(&engine, &guest, id, form("sandbox"), 1, "k").await }
            };
            let (line, before) = (market.line.clone(), sandbox::captures(&market.engine.db).await.unwrap().captured);
            let (gate, begun) = (line.starts.hold().await, line.starts.arrivals());
            let first = tokio::spawn(pay());
            line.starts.reached(begun + 1).await;
            first.abort();
            assert!(first.await.unwrap_err().is_cancelled());
            let waiting: Vec<_> = (0..again).map(|_| tokio::spawn(pay())).collect();
            // Wait until another request has found the key in use.
            while !statement::all().any(|s| s.name.ends_with("::WORKED_ON") && if market.engine.db.engine() == "sqlite" { s.ran().0 } else { s.ran().1 }) {
                tokio::task::yield_now().await;
            }
            drop(gate);
            let mut answers = Vec::new();
            for task in waiting {
                answers.push(task.await.unwrap());
            }
            answers.dedup();
            let [Ok(NextAction::Redirect { url })] = answers.as_slice() else { panic!("{answers:?}") };
            let gateway_ref = url.rsplit('/').next().unwrap();
            let payment = sandbox::find(&market.engine.db, gateway_ref).await.unwrap().attempt_id;
            market.enter(gateway_ref, Card::WebhookNever).await;
            let number = number_in(&market.come_back(payment).await.unwrap());
            for key in ["k", "another"] {
                let late = checkout::pay(&market.engine, &guest, id, form("sandbox"), 1, key).await.unwrap();
                assert_eq!(number_of(&late), number);
            }
            assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().captured, before + 1);
        }
    }

    async fn forged_reports_do_nothing(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        let body = format!(r#"{{"events":[{{"id":"e","payment":"{gateway_ref}","attempt":"{payment}"}}]}}"#);
        let anyone = Caller::guest();
        for (gateway, signature, expected) in [("sandbox", "t=1,v1=00", Error::Denied), ("sandbox", "", Error::Denied), ("cash", "", Error::Denied), ("paypal", "", Error::NotFound)] {
            let refused = market.received(gateway, signature, &body).await;
            assert_eq!(refused, Err(expected), "{gateway}");
        }
        // A genuine report for a pending payment changes nothing, because the gateway is asked again.
        market.webhook("e", &gateway_ref, payment).await.unwrap();
        assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().state, CheckoutState::Paying);
        assert_eq!(payments::returned(&market.engine, &anyone, payment, &[].into()).await, Err(Error::NotFound));
        // It may be known a moment later; after a minute it is none of ours.
        market.webhook("e2", &gateway_ref, haat_engine::random::id(0)).await.unwrap();
        assert_eq!(jobs::backlog(&market.engine).await.unwrap().queued, 1);
        market.clock.advance_ms(61_000);
        dispatch::drain(&market.engine).await.unwrap();
        let backlog = jobs::backlog(&market.engine).await.unwrap();
        assert_eq!((backlog.queued, backlog.dead), (0, 0));
    }

    async fn paying_twice_with_one_key_is_paying_once(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(&market.engine, &guest).await.unwrap();
        let first = checkout::pay(&market.engine, &guest, id, form("sandbox"), 1, "k").await.unwrap();
        assert_eq!(checkout::pay(&market.engine, &guest, id, form("sandbox"), 1, "k").await.unwrap(), first);
        let other = checkout::pay(&market.engine, &guest, id, form("cash"), 1, "k").await;
        assert_eq!(other, Err(Conflict::KeyReused.into()));
        let again = checkout::pay(&market.engine, &guest, id, form("sandbox"), 1, "k2").await.unwrap();
        assert_eq!(again, first, "the pending payment is continued");
        dispatch::drain(&market.engine).await.unwrap();
    }

    async fn an_unreachable_gateway_causes_delays_only(market) {
        use std::sync::atomic::Ordering;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(&market.engine, &guest).await.unwrap();
        market.line.cut.store(true, Ordering::Relaxed);
        let refused = checkout::pay(&market.engine, &guest, id, form("sandbox"), 1, "k").await;
        assert_eq!(refused, Err(Error::Busy { retry_after_s: 2 }));
        market.clock.advance_ms(60_000);
        payments::reconcile(&market.engine).await.unwrap();
        market.line.cut.store(false, Ordering::Relaxed);
        // The same key again: the gateway received the first request and has a single payment.
        let NextAction::Redirect { url } = checkout::pay(&market.engine, &guest, id, form("sandbox"), 1, "k").await.unwrap() else { panic!() };
        market.enter(url.rsplit('/').next().unwrap(), Card::Approve).await;
        // The first delivery of its webhook fails.
        assert_eq!(market.sandbox.deliver_due().await.unwrap(), 0);
        market.clock.advance_ms(3_000);
        assert_eq!(market.deliver_webhooks().await, 1);
        assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().state, CheckoutState::Completed);
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().captured, 1);
    }
}
