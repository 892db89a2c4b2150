//! Payouts to accounts of shops at a gateway: an account is created once, transfers are made once whatever gets lost, and
//! what is refused or reversed comes back.

use std::sync::atomic::Ordering;

use haat_engine::{
    Caller, audit, books, ledger,
    notifications::mailbox,
    payouts::{self, PayoutTerms},
};
use haat_shared::{
    Conflict, Error, FieldCode, Money,
    id::kinds::{PayoutId, PayoutMethodId},
    ledger::{Account, PostingKind},
    payouts::{PayoutForm, PayoutMethodCard, PayoutState},
    permissions::AdminRole,
};

use crate::{
    both,
    payouts::{admin_with, at, balance, earn, inr, of, state},
    races::at_once,
    support::*,
};

const MEENA: &str = "meena-crafts";
const ACCOUNT: &str = "acct_test0";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// What the gateway says of the first account from now on.
fn say(market: &Market, payouts_enabled: bool, requirements: &[&str]) {
    let mut all = market.line.accounts.lock().unwrap();
    let account = &mut all.known[0].1;
    account.details_submitted = true;
    account.payouts_enabled = payouts_enabled;
    account.requirements = requirements.iter().map(|&due| due.to_owned()).collect();
}

fn fate(market: &Market, fates: &[Fate]) {
    market.line.accounts.lock().unwrap().fates.extend(fates);
}

fn transfers(market: &Market) -> Vec<Money> {
    market.line.accounts.lock().unwrap().transfers.iter().map(|transfer| transfer.amount).collect()
}

async fn reported(market: &Market, id: &str, of: &str) -> haat_shared::Result<()> {
    let headers = [("test-connect".to_owned(), format!("{id} {of}"))];
    market.receives("sandbox", &headers, b"{}").await
}

async fn method(market: &Market) -> PayoutMethodCard {
    let all = payouts::methods(&market.engine, &market.owner(MEENA).await, MEENA).await.unwrap();
    let [method] = <[_; 1]>::try_from(all).unwrap();
    method
}

/// A connected account that can get payouts.
async fn connected(market: &Market) -> PayoutMethodId {
    market.line.connects.store(true, Ordering::Relaxed);
    let owner = market.owner(MEENA).await;
    let of = payouts::connect(&market.engine, &owner, MEENA).await.unwrap();
    say(market, true, &[]);
    assert_eq!(payouts::connect_returned(&market.engine, &owner, MEENA, false).await, Ok(None));
    of.method
}

async fn request(
    market: &Market,
    method: PayoutMethodId,
    amount: &str,
    key: &str,
) -> haat_shared::Result<PayoutId> {
    let form: PayoutForm = of(amount, method);
    payouts::request(&market.engine, &market.owner(MEENA).await, MEENA, &form, key).await
}

/// A payout that was approved, and whose transfer was tried.
async fn approved(market: &Market, finance: &Caller, method: PayoutMethodId, key: &str) -> PayoutId {
    let id = request(market, method, "200", key).await.unwrap();
    payouts::approve(&market.engine, finance, id).await.unwrap();
    market.settle().await;
    id
}

/// Some minutes later.
async fn later(market: &Market, ms: i64) {
    market.clock.advance_ms(ms);
    payouts::follow_transfers(&market.engine).await.unwrap();
    market.settle().await;
}

async fn subjects(market: &Market) -> Vec<String> {
    let mails = mailbox::latest(&market.engine.db).await.unwrap();
    let mut said: Vec<_> = mails.into_iter().map(|mail| mail.subject).collect();
    said.retain(|subject| {
        ["added", "removed", "restricted", "sent", "rejected", "returned"]
            .iter()
            .any(|word| subject.starts_with(word))
    });
    said.sort_unstable();
    said
}

async fn held_by_gateway(market: &Market) -> i64 {
    let books = books::trial_balance(&market.engine, &Caller::system()).await.unwrap();
    let of = books.accounts.iter().filter(|of| of.account == Account::GatewayClearing);
    of.map(|of| of.balance.amount()).sum()
}

both! {
    async fn an_account_is_created_once_and_its_state_is_the_gateways(market) {
        let terms = PayoutTerms { hold_ms: DAY_MS, ..market.engine.payouts.clone() };
        let market = &market.on(&market.paying_out(terms));
        let engine = &market.engine;
        earn(market, 2).await;
        let (owner, stranger) = (market.owner(MEENA).await, market.owner("delta-electronics").await);
        assert_eq!(payouts::connect(engine, &owner, MEENA).await, Err(Error::NotFound), "off");
        assert_eq!(payouts::connect_returned(engine, &owner, MEENA, false).await, Err(Error::NotFound), "off");
        assert!(!payouts::shop_page(engine, &owner, MEENA, "").await.unwrap().connects);
        market.line.connects.store(true, Ordering::Relaxed);
        assert!(payouts::shop_page(engine, &owner, MEENA, "").await.unwrap().connects);
        assert_eq!(payouts::connect(engine, &stranger, MEENA).await, Err(Error::NotFound));
        assert_eq!(payouts::connect_returned(engine, &owner, MEENA, false).await, Err(Error::NotFound), "nothing is connected");

        // The response is lost, and two members click at once.
        fate(market, &[Fate::Lost]);
        assert!(matches!(payouts::connect(engine, &owner, MEENA).await, Err(Error::Busy { .. })));
        let clicks = (0..2).map(|_| {
            let (engine, owner) = (engine.clone(), owner.clone());
            async move { payouts::connect(&engine, &owner, MEENA).await.unwrap() }
        });
        let pages = at_once(clicks.collect()).await;
        assert_eq!(market.line.accounts.lock().unwrap().known.len(), 1, "one account");
        let back = format!("http://localhost:1/seller/{MEENA}/balance/stripe");
        let url = format!("https://gateway.example/{ACCOUNT} {back}?expired=1 {back}");
        assert!(pages.iter().all(|page| page.url.as_deref() == Some(&*url)), "{pages:?}");
        assert_eq!(payouts::connect_returned(engine, &owner, MEENA, true).await, Ok(Some(url)));
        assert_eq!(payouts::connect_returned(engine, &stranger, MEENA, false).await, Err(Error::NotFound));
        let id = pages[0].method;
        let card = method(market).await;
        let account = card.connected.unwrap();
        assert_eq!((card.id, card.account.as_str(), card.usable), (id, "acct_•••est0", false));
        assert_eq!((account.details_submitted, account.payouts_enabled, account.requirements.as_slice()), (false, false, &["external_account".to_owned()][..]));
        assert_eq!(at(request(market, id, "200", "a").await.unwrap_err())["method"], FieldCode::NotAChoice);
        market.settle().await;
        assert_eq!(subjects(market).await, [""; 0], "nothing to tell yet");

        // Details were entered, and are checked; then the gateway enables it, as a webhook says, twice.
        say(market, false, &[]);
        assert_eq!(payouts::connect_returned(engine, &owner, MEENA, false).await, Ok(None));
        assert!(method(market).await.connected.unwrap().details_submitted);
        say(market, true, &[]);
        reported(market, "evt_1", "acct_unknown").await.unwrap();
        assert!(!method(market).await.connected.unwrap().payouts_enabled);
        for event in ["evt_3", "evt_4"] {
            reported(market, event, ACCOUNT).await.unwrap();
        }
        // As any new method, it waits.
        let card = method(market).await;
        assert_eq!((card.connected.unwrap().payouts_enabled, card.usable), (true, false));
        assert!(request(market, id, "200", "b").await.is_err());
        market.clock.advance_ms(DAY_MS);
        assert!(method(market).await.usable);
        assert_eq!(payouts::connect(engine, &owner, MEENA).await.unwrap().url, None, "nothing is needed");

        // Restricted, and enabled again, without another wait.
        say(market, false, &["individual.verification.document"]);
        reported(market, "evt_5", ACCOUNT).await.unwrap();
        assert!(!method(market).await.usable);
        assert_eq!(at(request(market, id, "200", "c").await.unwrap_err())["method"], FieldCode::NotAChoice);
        assert!(payouts::connect(engine, &owner, MEENA).await.unwrap().url.is_some());
        say(market, true, &[]);
        reported(market, "evt_6", ACCOUNT).await.unwrap();
        assert!(method(market).await.usable);
        market.line.connects.store(false, Ordering::Relaxed);
        assert!(!method(market).await.usable, "switched off");
        assert_eq!(at(request(market, id, "200", "d").await.unwrap_err())["method"], FieldCode::NotAChoice);
        market.line.connects.store(true, Ordering::Relaxed);
        market.settle().await;
        assert_eq!(subjects(market).await, ["added acct_•••est0", "restricted acct_•••est0"]);

        // Removed and connected again: the same account, which waits again.
        payouts::remove_method(engine, &owner, MEENA, id).await.unwrap();
        let again = payouts::connect(engine, &owner, MEENA).await.unwrap();
        assert!(again.method != id && again.url.is_none());
        assert_eq!((method(market).await.account.as_str(), method(market).await.usable), ("acct_•••est0", false));
        assert_eq!(market.line.accounts.lock().unwrap().known.len(), 1);
        market.settle().await;
        assert_eq!(subjects(market).await.len(), 4);
    }

    async fn a_transfer_is_made_once_whatever_gets_lost(market) {
        let engine = &market.engine;
        earn(market, 5).await;
        let (earned, _) = balance(market).await;
        let (method, finance) = (connected(market).await, admin_with(market, "finance", AdminRole::Finance).await);
        let held = held_by_gateway(market).await;
        let moved = |done| assert_eq!(done, Err(Conflict::PayoutMoved.into()));

        // Nothing gets lost: transferred as soon as it is approved.
        let id = approved(market, &finance, method, "a").await;
        let seen = payouts::any(engine, &finance, id).await.unwrap().card;
        assert_eq!((seen.payout.state, seen.payout.reference.as_str(), seen.unconfirmed), (PayoutState::Paid, "tr_0", false));
        assert_eq!((seen.sent_by, seen.paid_by), (None, None), "the program did it");
        assert_eq!((transfers(market), balance(market).await), (vec![inr(20_000)], (earned - 20_000, 0)));
        assert_eq!(held_by_gateway(market).await, held - 20_000);
        moved(payouts::mark_sent(engine, &finance, id, "UTR1").await);
        moved(payouts::retry_transfer(engine, &finance, id).await);
        // Only the gateway makes it, and no bank.
        let id = request(market, method, "200", "b").await.unwrap();
        moved(payouts::retry_transfer(engine, &finance, id).await);
        payouts::approve(engine, &finance, id).await.unwrap();
        moved(payouts::mark_sent(engine, &finance, id, "UTR1").await);
        let csv = String::from_utf8(payouts::as_csv(engine, &finance).await.unwrap()).unwrap();
        assert_eq!(csv.lines().count(), 1, "{csv}");

        // The response is lost, so the money may be gone: the payout can't be rejected, until it is known.
        fate(market, &[Fate::Lost]);
        market.settle().await;
        assert_eq!(transfers(market).len(), 2);
        let seen = payouts::any(engine, &finance, id).await.unwrap().card;
        assert_eq!((seen.payout.state, seen.payout.reason.as_str(), seen.unconfirmed), (PayoutState::Approved, "gateway_unreachable", true));
        assert_eq!(seen.gateway_note, "gateway unreachable: lost");
        moved(payouts::reject(engine, &finance, id, "No").await);
        later(market, 0).await;
        assert_eq!(state(market, id).await, PayoutState::Approved, "not yet due");
        later(market, MINUTE_MS).await;
        assert_eq!((state(market, id).await, transfers(market).len()), (PayoutState::Paid, 2), "found");

        // Neither request nor response arrive, and where transfers are listed, they appear late: only the key is left.
        fate(market, &[Fate::Silent, Fate::Lost, Fate::Lost]);
        let id = approved(market, &finance, method, "c").await;
        market.line.accounts.lock().unwrap().lags = true;
        later(market, MINUTE_MS).await;
        later(market, 5 * MINUTE_MS).await;
        assert_eq!((state(market, id).await, transfers(market).len()), (PayoutState::Approved, 3));
        payouts::retry_transfer(engine, &finance, id).await.unwrap();
        market.settle().await;
        assert_eq!((state(market, id).await, transfers(market).len()), (PayoutState::Paid, 3));
        market.line.accounts.lock().unwrap().lags = false;

        // A webhook arrives before the response.
        fate(market, &[Fate::Lost]);
        let id = approved(market, &finance, method, "d").await;
        reported(market, "evt_d", "tr_3").await.unwrap();
        market.settle().await;
        assert_eq!((state(market, id).await, transfers(market).len()), (PayoutState::Paid, 4));

        // Many at once, on two nodes.
        let id = request(market, method, "200", "e").await.unwrap();
        payouts::approve(engine, &finance, id).await.unwrap();
        fate(market, &[Fate::NoFunds, Fate::Silent, Fate::Lost, Fate::Lost]);
        let [one, two] = market.two_nodes().await;
        let tries = (0..8).map(|n| {
            let engine = if n % 2 == 0 { one.clone() } else { two.clone() };
            async move { payouts::follow_transfer(&engine, id).await }
        });
        assert!(at_once(tries.collect()).await.iter().all(Result::is_ok));
        market.line.accounts.lock().unwrap().fates.clear();
        later(market, MINUTE_MS).await;
        assert_eq!((state(market, id).await, transfers(market).len()), (PayoutState::Paid, 5));
        assert_eq!(transfers(market), [inr(20_000); 5]);
        assert_eq!((balance(market).await, held_by_gateway(market).await), ((earned - 100_000, 0), held - 100_000));
        assert_eq!(subjects(market).await.iter().filter(|said| said.starts_with("sent INR 200.00 tr_")).count(), 5);
        let entries = ledger::balance(engine, &market.owner(MEENA).await, MEENA, "").await.unwrap().entries.items;
        assert_eq!(entries.iter().filter(|entry| entry.kind == PostingKind::PayoutRequested).count(), 5);
    }

    async fn what_is_refused_or_reversed_comes_back(market) {
        let engine = &market.engine;
        earn(market, 3).await;
        let (earned, _) = balance(market).await;
        let (method, finance) = (connected(market).await, admin_with(market, "finance", AdminRole::Finance).await);
        let held = held_by_gateway(market).await;
        let moved = |done| assert_eq!(done, Err(Conflict::PayoutMoved.into()));
        let card = async |id| payouts::any(engine, &finance, id).await.unwrap().card;

        // For good: back at once, and the account is read again.
        fate(market, &[Fate::Refused]);
        say(market, false, &["external_account"]);
        let id = approved(market, &finance, method, "a").await;
        let seen = card(id).await;
        assert_eq!((seen.payout.state, seen.payout.reason.as_str(), seen.gateway_note.as_str()), (PayoutState::Rejected, "gateway_account", "restricted"));
        assert_eq!((balance(market).await, transfers(market).len()), ((earned, 0), 0));
        assert!(request(market, method, "200", "x").await.is_err(), "restricted");
        say(market, true, &[]);
        reported(market, "evt_a", ACCOUNT).await.unwrap();

        // For now: it waits, and can be rejected, or is made later, for which Stripe needs another key.
        fate(market, &[Fate::NoFunds, Fate::NoFunds]);
        let id = approved(market, &finance, method, "b").await;
        let seen = card(id).await;
        assert_eq!((seen.payout.state, seen.payout.reason.as_str(), seen.unconfirmed), (PayoutState::Approved, "gateway_funds", false));
        later(market, MINUTE_MS).await;
        assert_eq!((state(market, id).await, balance(market).await), (PayoutState::Approved, (earned - 20_000, 20_000)));
        later(market, 2 * MINUTE_MS).await;
        let seen = card(id).await;
        assert_eq!((seen.payout.state, seen.payout.reason.as_str(), seen.gateway_note.as_str()), (PayoutState::Paid, "", ""));
        assert_eq!(transfers(market).len(), 1);
        fate(market, &[Fate::NoFunds]);
        let id = approved(market, &finance, method, "c").await;
        payouts::reject(engine, &finance, id, "Ask again next week").await.unwrap();
        later(market, DAY_MS).await;
        assert_eq!((card(id).await.payout.reason.as_str(), transfers(market).len()), ("Ask again next week", 1));
        assert_eq!(balance(market).await, (earned - 20_000, 0));

        // Reversed in the gateway's dashboard: in part, which is left to an admin, and then the rest. A webhook says so.
        let reverse = |id: usize, minor| market.line.accounts.lock().unwrap().transfers[id].reversed = inr(minor);
        reverse(0, 5_000);
        reported(market, "evt_b", "tr_0").await.unwrap();
        assert_eq!(balance(market).await, (earned - 20_000, 0));
        reverse(0, 20_000);
        reported(market, "evt_c", "tr_0").await.unwrap();
        reported(market, "evt_d", "tr_0").await.unwrap();
        market.settle().await;
        assert_eq!((balance(market).await, held_by_gateway(market).await), ((earned, 0), held));
        // Or no webhook does.
        let id = approved(market, &finance, method, "d").await;
        later(market, DAY_MS).await;
        assert_eq!(state(market, id).await, PayoutState::Paid);
        reverse(1, 20_000);
        later(market, DAY_MS).await;
        let seen = card(id).await;
        assert_eq!((seen.payout.state, seen.payout.reason.as_str(), seen.ended_by), (PayoutState::Returned, "gateway_reversed", None));

        // By an admin: the shop has spent it; then the response is lost, and the reason stays.
        let id = approved(market, &finance, method, "e").await;
        market.line.accounts.lock().unwrap().spent = true;
        moved(payouts::mark_returned(engine, &finance, id, "Sold twice").await);
        let seen = card(id).await;
        assert_eq!((seen.payout.state, seen.payout.reason.as_str(), seen.gateway_note.as_str()), (PayoutState::Paid, "", "nothing left to reverse"));
        market.line.accounts.lock().unwrap().spent = false;
        fate(market, &[Fate::Lost]);
        assert!(matches!(payouts::mark_returned(engine, &finance, id, "Sold twice").await, Err(Error::Busy { .. })));
        later(market, DAY_MS).await;
        let seen = card(id).await;
        assert_eq!((seen.payout.state, seen.payout.reason.as_str(), seen.ended_by.as_deref()), (PayoutState::Returned, "Sold twice", Some("finance@haat.example")));
        let id = approved(market, &finance, method, "f").await;
        payouts::mark_returned(engine, &finance, id, "Sold twice").await.unwrap();
        assert_eq!(state(market, id).await, PayoutState::Returned);
        moved(payouts::mark_returned(engine, &finance, id, "Sold twice").await);
        market.settle().await;
        assert_eq!((balance(market).await, held_by_gateway(market).await), ((earned, 0), held));

        // A month after a transfer, it is no longer read. While the gateway is off, nothing is transferred or lost.
        market.line.connects.store(false, Ordering::Relaxed);
        reported(market, "evt_e", "tr_0").await.unwrap();
        let said = subjects(market).await;
        let count = |word: &str| said.iter().filter(|said| said.starts_with(word)).count();
        assert_eq!((count("sent"), count("rejected"), count("returned")), (4, 2, 4), "{said:?}");
        let log = audit::list(engine, &Caller::system(), "").await.unwrap().items;
        let count = |action: &str, by: Option<&str>| log.iter().filter(|entry| entry.action == action && entry.user_email.as_deref() == by).count();
        let admin = Some("finance@haat.example");
        assert_eq!((count("payouts::transfer", None), count("payouts::reject", None), count("payouts::reject", admin)), (4, 1, 1));
        assert_eq!((count("payouts::return", None), count("payouts::return", admin)), (2, 2));
    }

    async fn a_transfer_waits_while_its_gateway_is_off(market) {
        earn(market, 1).await;
        let (method, finance) = (connected(market).await, admin_with(market, "finance", AdminRole::Finance).await);
        let id = request(market, method, "200", "a").await.unwrap();
        market.line.connects.store(false, Ordering::Relaxed);
        payouts::approve(&market.engine, &finance, id).await.unwrap();
        market.settle().await;
        later(market, MINUTE_MS).await;
        assert_eq!((state(market, id).await, transfers(market).len()), (PayoutState::Approved, 0));
        market.line.connects.store(true, Ordering::Relaxed);
        later(market, 5 * MINUTE_MS).await;
        assert_eq!((state(market, id).await, transfers(market).len()), (PayoutState::Paid, 1));
        // Read daily for a month, in case a webhook was lost.
        for _ in 0..32 {
            market.clock.advance_ms(DAY_MS);
            payouts::follow_transfers(&market.engine).await.unwrap();
        }
        assert_eq!(payouts::follow_transfers(&market.engine).await, Ok(0));
        market.clock.advance_ms(40 * DAY_MS);
        assert_eq!(payouts::follow_transfers(&market.engine).await, Ok(0));
    }
}
