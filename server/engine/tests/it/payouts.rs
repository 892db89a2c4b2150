//! Payouts: never above the balance, each step once and by whom it is for, and the ledger says where the money is.

use std::collections::BTreeMap;

use haat_engine::{
    Caller,
    admin::{self, Grantee},
    audit, ledger,
    notifications::mailbox,
    orders,
    payouts::{self, PayoutTerms},
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money,
    id::kinds::{PayoutId, PayoutMethodId},
    ledger::PostingKind,
    orders::{LineQuantity, NewRefund},
    page::ListRequest,
    payouts::{PayoutForm, PayoutMethodForm, PayoutState, bank_file::Payer},
    permissions::AdminRole,
};

use crate::{both, orders::shipment, races::at_once, support::*};

const MEENA: &str = "meena-crafts";

pub fn inr(minor: i64) -> Money {
    Money::new(minor, Currency::INR)
}

pub fn bank() -> PayoutMethodForm {
    PayoutMethodForm {
        kind: "bank_account".into(),
        holder: "Meena Iyer".into(),
        account: "0123 4567 8901".into(),
        ifsc: "HDFC0001234".into(),
        ..PayoutMethodForm::default()
    }
}

/// A request for a payout to a new method of the shop.
pub async fn withdrawal(market: &Market, handle: &str, amount: &str) -> PayoutForm {
    let owner = market.owner(handle).await;
    let method = payouts::add_method(&market.engine, &owner, handle, &bank()).await.unwrap();
    of(amount, method)
}

pub fn of(amount: &str, method: PayoutMethodId) -> PayoutForm {
    PayoutForm { amount: amount.into(), currency: String::new(), method: method.to_string() }
}

/// Sells bowls by card, so that ₹405 less shipping for each are available. Returns the order's number.
pub async fn earn(market: &Market, bowls: i64) -> String {
    let bowl = market.product(MEENA, "Clay bowl", 45_000, bowls).await;
    let number = format!("{}-1", market.buy_by_card(&market.guest_with(&[(bowl, bowls)]).await).await);
    deliver(market, &number).await;
    number
}

async fn deliver(market: &Market, number: &str) {
    let (engine, owner) = (&market.engine, market.owner(MEENA).await);
    orders::confirm(engine, &owner, MEENA, number).await.unwrap();
    orders::ship(engine, &owner, MEENA, number, shipment()).await.unwrap();
    orders::deliver(engine, &owner, MEENA, number).await.unwrap();
    orders::release_due(engine).await.unwrap();
}

/// What Meena can withdraw, and what is in transit.
pub async fn balance(market: &Market) -> (i64, i64) {
    let balance = ledger::balance(&market.engine, &market.owner(MEENA).await, MEENA, "").await.unwrap();
    (balance.available.amount(), balance.in_transit.amount())
}

pub async fn admin_with(market: &Market, name: &str, role: AdminRole) -> Caller {
    let user = market.signed_up(&Caller::guest(), name).await.user_id().unwrap();
    admin::grant_role(&market.engine, &Caller::system(), Grantee::Id(user), role).await.unwrap();
    market.owner(name).await
}

pub async fn state(market: &Market, id: PayoutId) -> PayoutState {
    payouts::any(&market.engine, &Caller::system(), id).await.unwrap().card.payout.state
}

pub fn at(error: Error) -> BTreeMap<String, FieldCode> {
    let Error::Invalid(faults) = error else { panic!("{error:?}") };
    faults.into_iter().map(|fault| (fault.field, fault.code)).collect()
}

both! {
    async fn a_payout_goes_from_the_request_to_the_bank(market) {
        let engine = &market.engine;
        earn(market, 4).await;
        let owner = market.owner(MEENA).await;
        let (earned, _) = balance(market).await;
        assert_eq!(earned, 4 * 40_500 + 4_900);
        let asked = withdrawal(market, MEENA, "₹1,000.50").await;
        let statements = || engine.db.counts().0;
        let before = statements();
        let id = payouts::request(engine, &owner, MEENA, &asked, "k").await.unwrap();
        assert!(statements() - before <= 8, "{}", statements() - before);
        // Again by the same page: nothing more is withdrawn.
        assert_eq!(payouts::request(engine, &owner, MEENA, &asked, "k").await, Ok(id));
        let other = PayoutForm { amount: "200".into(), ..asked.clone() };
        assert_eq!(payouts::request(engine, &owner, MEENA, &other, "k").await, Err(Conflict::KeyReused.into()));
        assert_eq!(balance(market).await, (earned - 100_050, 100_050), "the request moves the money");
        let page = payouts::shop_page(engine, &owner, MEENA, "").await.unwrap();
        assert_eq!((page.minimum, page.methods.len(), page.payouts.items.len()), (inr(10_000), 1, 1));
        assert_eq!(page.methods[0].account, "•••• 8901 · HDFC0001234");
        let listed = &page.payouts.items[0];
        assert_eq!(listed.number, "P-000001");
        assert_eq!((listed.id, listed.state, listed.amount, listed.account.as_str()), (id, PayoutState::Requested, inr(100_050), "•••• 8901 · HDFC0001234"));

        let finance = admin_with(market, "finance", AdminRole::Finance).await;
        let moved = |done| assert_eq!(done, Err(Conflict::PayoutMoved.into()));
        moved(payouts::mark_sent(engine, &finance, id, "UTR1").await);
        moved(payouts::mark_paid(engine, &finance, id).await);
        moved(payouts::mark_returned(engine, &finance, id, "No").await);
        let before = statements();
        payouts::approve(engine, &finance, id).await.unwrap();
        assert!(statements() - before <= 2, "{}", statements() - before);
        moved(payouts::approve(engine, &finance, id).await);
        assert_eq!(at(payouts::mark_sent(engine, &finance, id, " ").await.unwrap_err())["reference"], FieldCode::Missing);
        payouts::mark_sent(engine, &finance, id, " UTR1 ").await.unwrap();
        moved(payouts::reject(engine, &finance, id, "Too late").await);
        assert_eq!(balance(market).await, (earned - 100_050, 100_050));
        let before = statements();
        payouts::mark_paid(engine, &finance, id).await.unwrap();
        assert!(statements() - before <= 4, "{}", statements() - before);
        assert_eq!(balance(market).await, (earned - 100_050, 0));

        let seen = payouts::of_shop(engine, &owner, MEENA, "").await.unwrap().items.remove(0);
        assert_eq!((seen.state, seen.reference.as_str()), (PayoutState::Paid, "UTR1"));
        assert!(seen.approved_at.is_some() && seen.sent_at.is_some() && seen.paid_at.is_some() && seen.ended_at.is_none());
        let details = payouts::any(engine, &finance, id).await.unwrap();
        assert_eq!((details.card.requested_by.as_str(), details.card.approved_by.as_deref(), details.own), ("meena-crafts@haat.example", Some("finance@haat.example"), false));
        let steps = [&details.card.sent_by, &details.card.paid_by, &details.card.ended_by].map(|by| by.as_deref());
        assert_eq!(steps, [Some("finance@haat.example"), Some("finance@haat.example"), None]);
        let log = audit::list(engine, &Caller::system(), "").await.unwrap().items;
        let log: Vec<_> = log.iter().filter(|entry| entry.subject.contains(&id.uuid().to_string()) || entry.action.starts_with("payouts::")).collect();
        let actions: Vec<_> = log.iter().rev().map(|entry| (entry.action.as_str(), entry.note.as_str(), entry.user_email.as_deref())).collect();
        let by = Some("finance@haat.example");
        assert_eq!(actions, [("payouts::approve", "", by), ("payouts::send", "UTR1", by), ("payouts::pay", "", by)]);
        let about = &log[0].about;
        assert_eq!((about.payout_id, about.payout_number.as_deref(), about.amount), (Some(id), Some("P-000001"), Some(inr(100_050))));
        assert_eq!((about.shop_handle.as_deref(), about.number.as_deref()), (Some(MEENA), None));
        let entries = ledger::balance(engine, &owner, MEENA, "").await.unwrap().entries.items;
        assert_eq!((entries[0].kind, entries[0].amount), (PostingKind::PayoutRequested, inr(-100_050)));
        market.settle().await;
        let mails = mailbox::latest(&engine.db).await.unwrap();
        let mut said: Vec<_> = mails.iter().filter(|mail| mail.recipient == "meena-crafts@haat.example").map(|mail| mail.subject.as_str()).collect();
        said.retain(|subject| subject.contains("INR") || subject.contains("••"));
        said.sort_unstable();
        assert_eq!(said, ["added •••• 8901 · HDFC0001234", "sent INR 1000.50 UTR1"]);
    }

    async fn what_is_rejected_or_returned_can_be_withdrawn_again(market) {
        let engine = &market.engine;
        earn(market, 2).await;
        let (owner, finance) = (market.owner(MEENA).await, admin_with(market, "finance", AdminRole::Finance).await);
        let (earned, _) = balance(market).await;
        let all = withdrawal(market, MEENA, &inr(earned).plain()).await;
        let mut keys = (0..).map(|n| n.to_string());
        let mut ask = async || payouts::request(engine, &owner, MEENA, &all, &keys.next().unwrap()).await;
        // Rejected at once, and after its approval; returned on the way, and after it was booked as paid.
        for steps in 0..4 {
            let id = ask().await.unwrap();
            assert_eq!(at(ask().await.unwrap_err())["amount"], FieldCode::AmountTooBig(inr(0)), "nothing is left");
            if steps > 0 {
                payouts::approve(engine, &finance, id).await.unwrap();
            }
            if steps > 1 {
                payouts::mark_sent(engine, &finance, id, "UTR1").await.unwrap();
            }
            if steps > 2 {
                payouts::mark_paid(engine, &finance, id).await.unwrap();
            }
            let end = match steps {
                0 | 1 => payouts::reject(engine, &finance, id, "The name is another one").await,
                _ => payouts::mark_returned(engine, &finance, id, "Account closed").await,
            };
            end.unwrap();
            assert_eq!(balance(market).await, (earned, 0), "{steps}");
            assert_eq!(state(market, id).await, if steps < 2 { PayoutState::Rejected } else { PayoutState::Returned });
            market.settle().await;
        }
        let mails = mailbox::latest(&engine.db).await.unwrap();
        let count = |word: &str| mails.iter().filter(|mail| mail.subject.starts_with(word)).count();
        assert_eq!((count("rejected INR"), count("returned INR"), count("sent INR")), (2, 2, 2));
        let finance = &finance;
        let table = async |state: &str| {
            let of = ListRequest { state: state.into(), ..ListRequest::default() };
            payouts::table(engine, finance, &of).await
        };
        let returned = table("returned").await.unwrap();
        assert_eq!((returned.page.items.len(), returned.count(""), returned.count("rejected")), (2, 4, 2));
        assert_eq!(returned.page.items[0].payout.reason, "Account closed");
        assert_eq!(at(table("lost").await.unwrap_err())["state"], FieldCode::NotAChoice);
        let ended: Vec<_> = returned.page.items.iter().map(|card| card.ended_by.as_deref()).collect();
        assert_eq!(ended, [Some("finance@haat.example"); 2]);
        // By the number, however it is written, the shop and the bank's reference.
        let found = async |q: &str| {
            let of = ListRequest { q: q.into(), ..ListRequest::default() };
            let found = payouts::table(engine, finance, &of).await.unwrap();
            assert_eq!(found.count("") as usize, found.page.items.len());
            found.page.items.into_iter().map(|card| card.payout.number).collect::<Vec<_>>()
        };
        assert_eq!(found("P-000002").await, ["P-000002"]);
        assert_eq!(found("p2").await, ["P-000002"]);
        assert_eq!(found("MEENA utr1").await, ["P-000004", "P-000003"]);
        assert_eq!(found("Meena Crafts").await.len(), 4);
        assert_eq!(found("delta").await, [""; 0]);
        let first = payouts::list(engine, finance, "", haat_shared::page::PageRequest { after: "", limit: Some(3) }).await.unwrap();
        let rest = payouts::list(engine, finance, "", first.next.as_deref().unwrap()).await.unwrap();
        assert_eq!((first.items.len(), rest.items.len()), (3, 1));
    }

    async fn only_what_is_available_can_be_withdrawn(market) {
        let engine = &market.engine;
        let owner = market.owner(MEENA).await;
        let asked = withdrawal(market, MEENA, "100").await;
        let refused = payouts::request(engine, &owner, MEENA, &asked, "k").await.unwrap_err();
        assert_eq!(at(refused)["amount"], FieldCode::AmountTooBig(inr(0)), "nothing was sold");
        let number = earn(market, 2).await;
        let (earned, _) = balance(market).await;
        // The commission on an order in cash is netted.
        let bowl = market.product(MEENA, "Clay jug", 50_000, 1).await;
        let cash = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        deliver(market, &format!("{cash}-1")).await;
        assert_eq!(balance(market).await, (earned - 5_000, 0));
        let ask = async |amount: i64, key: &str| {
            let form = PayoutForm { amount: inr(amount).plain(), ..asked.clone() };
            payouts::request(engine, &owner, MEENA, &form, key).await
        };
        let most = FieldCode::AmountTooBig(inr(earned - 5_000));
        assert_eq!(at(ask(earned, "a").await.unwrap_err())["amount"], most);
        assert_eq!(at(ask(earned - 4_999, "a").await.unwrap_err())["amount"], most);
        assert_eq!(at(ask(9_999, "a").await.unwrap_err())["amount"], FieldCode::TooSmall);
        ask(earned - 5_000, "a").await.unwrap();
        assert_eq!(balance(market).await, (0, earned - 5_000));
        // A refund after that leaves a debt, which is carried and blocks payouts until it is earned back.
        let lines = vec![LineQuantity { position: 0, quantity: 1 }];
        let refund = NewRefund { lines, reason: "Chipped".into(), ..NewRefund::default() };
        orders::refund(engine, &owner, MEENA, &number, refund).await.unwrap();
        assert_eq!(balance(market).await, (-40_500, earned - 5_000));
        assert_eq!(at(ask(10_000, "b").await.unwrap_err())["amount"], FieldCode::AmountTooBig(inr(0)));
        // Nor can another currency be withdrawn than the shop's own.
        let usd = PayoutForm { amount: "500".into(), currency: "USD".into(), ..asked.clone() };
        assert_eq!(at(payouts::request(engine, &owner, MEENA, &usd, "c").await.unwrap_err())["currency"], FieldCode::NotAChoice);
    }

    async fn two_hundred_requests_race_for_one_balance(market) {
        let engine = &market.engine;
        earn(market, 3).await;
        let (earned, _) = balance(market).await;
        // Enough for one request, and not for two.
        let form = withdrawal(market, MEENA, &inr(earned * 2 / 3).plain()).await;
        let owner = market.owner(MEENA).await;
        let [one, two] = market.two_nodes().await;
        let asks = (0..200).map(|n| {
            let (engine, owner, form) = (if n % 2 == 0 { &one } else { &two }.clone(), owner.clone(), form.clone());
            async move { payouts::request(&engine, &owner, MEENA, &form, &n.to_string()).await }
        });
        let outcomes = at_once(asks.collect()).await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Invalid(_)))).count();
        assert_eq!((won, refused), (1, 199), "{:?}", outcomes.iter().find(|o| matches!(o, Err(e) if e.code() != "invalid")));
        assert_eq!(balance(market).await, (earned - earned * 2 / 3, earned * 2 / 3));
        assert_eq!(payouts::of_shop(engine, &owner, MEENA, "").await.unwrap().items.len(), 1);
        // Of a page that was sent many times at once, one payout comes, too.
        let small = PayoutForm { amount: "100".into(), ..form };
        let asks = (0..32).map(|_| {
            let (engine, owner, small) = (engine.clone(), owner.clone(), small.clone());
            async move { payouts::request(&engine, &owner, MEENA, &small, "same").await }
        });
        let mut ids: Vec<_> = at_once(asks.collect()).await.into_iter().flatten().collect();
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(balance(market).await.1, earned * 2 / 3 + 10_000);
        // And of several admins, one decides.
        let finance = admin_with(market, "finance", AdminRole::Finance).await;
        let decide = (0..16).map(|n| {
            let (engine, finance, id) = (engine.clone(), finance.clone(), ids[0]);
            async move {
                match n % 2 {
                    0 => payouts::reject(&engine, &finance, id, "No").await,
                    _ => payouts::approve(&engine, &finance, id).await,
                }
            }
        });
        let done = at_once(decide.collect()).await.into_iter().filter(Result::is_ok).count();
        let rejected = state(market, ids[0]).await == PayoutState::Rejected;
        // An approved payout can still be rejected, once.
        assert!(rejected && (1..=2).contains(&done), "{done}");
    }

    async fn whoever_requested_a_payout_cannot_approve_it(market) {
        let engine = &market.engine;
        earn(market, 2).await;
        let asked = withdrawal(market, MEENA, "200").await;
        let maker = admin_with(market, "maker", AdminRole::Finance).await;
        let checker = admin_with(market, "checker", AdminRole::Owner).await;
        let id = payouts::request_for(engine, &maker, MEENA, &asked, "k").await.unwrap();
        assert!(payouts::any(engine, &maker, id).await.unwrap().own);
        assert_eq!(payouts::approve(engine, &maker, id).await, Err(Conflict::OwnPayout.into()));
        assert_eq!(state(market, id).await, PayoutState::Requested);
        payouts::approve(engine, &checker, id).await.unwrap();
        // Nor can the owner of a shop who is an admin, too.
        let owner = market.owner(MEENA).await;
        admin::grant_role(engine, &Caller::system(), Grantee::Id(owner.user_id().unwrap()), AdminRole::Finance).await.unwrap();
        let owner = market.owner(MEENA).await;
        let id = payouts::request(engine, &owner, MEENA, &asked, "l").await.unwrap();
        assert_eq!(payouts::approve(engine, &owner, id).await, Err(Conflict::OwnPayout.into()));
        payouts::reject(engine, &owner, id, "A mistake").await.unwrap();
        assert_eq!(payouts::request_for(engine, &maker, "no-such-shop", &asked, "k").await.err(), Some(Error::NotFound));
        assert_eq!(payouts::request_for(engine, &Caller::system(), MEENA, &asked, "k").await.err(), Some(Error::SignInNeeded));
    }

    async fn a_new_method_waits_and_belongs_to_its_shop(market) {
        const DAY_MS: i64 = 24 * 3_600_000;
        earn(market, 2).await;
        let engine = &market.paying_out(PayoutTerms { minimum: 100, hold_ms: DAY_MS, payer: None });
        let (owner, delta) = (market.owner(MEENA).await, market.owner("delta-electronics").await);
        let method = payouts::add_method(engine, &owner, MEENA, &bank()).await.unwrap();
        let refused = |error: Error| assert_eq!(at(error)["method"], FieldCode::NotAChoice);
        refused(payouts::request(engine, &owner, MEENA, &of("100", method), "k").await.unwrap_err());
        assert!(!payouts::methods(engine, &owner, MEENA).await.unwrap()[0].usable);
        market.clock.advance_ms(DAY_MS);
        let owner = market.owner(MEENA).await;
        assert!(payouts::methods(engine, &owner, MEENA).await.unwrap()[0].usable);
        payouts::request(engine, &owner, MEENA, &of("100", method), "k").await.unwrap();
        // Another shop's can't be used or removed.
        refused(payouts::request(engine, &delta, "delta-electronics", &of("100", method), "k").await.unwrap_err());
        assert_eq!(payouts::remove_method(engine, &delta, "delta-electronics", method).await, Err(Error::NotFound));
        payouts::remove_method(engine, &owner, MEENA, method).await.unwrap();
        assert_eq!(payouts::remove_method(engine, &owner, MEENA, method).await, Err(Error::NotFound));
        assert_eq!(payouts::methods(engine, &owner, MEENA).await.unwrap(), []);
        refused(payouts::request(engine, &owner, MEENA, &of("100", method), "l").await.unwrap_err());
        // What was requested before still shows where it goes.
        assert_eq!(payouts::of_shop(engine, &owner, MEENA, "").await.unwrap().items[0].account, "•••• 8901 · HDFC0001234");
        let wrong = PayoutMethodForm { account: "12".into(), ..bank() };
        assert_eq!(at(payouts::add_method(engine, &owner, MEENA, &wrong).await.unwrap_err())["account"], FieldCode::NotBankAccount);
        for _ in 0..5 {
            payouts::add_method(engine, &owner, MEENA, &bank()).await.unwrap();
        }
        assert_eq!(at(payouts::add_method(engine, &owner, MEENA, &bank()).await.unwrap_err())["account"], FieldCode::TooMany);
        market.settle().await;
        let mails = mailbox::latest(&market.engine.db).await.unwrap();
        let count = |word: &str| mails.iter().filter(|mail| mail.recipient == "meena-crafts@haat.example" && mail.subject.starts_with(word)).count();
        assert_eq!((count("added ••••"), count("removed ••••")), (6, 1));
    }

    async fn payouts_are_for_members_who_see_money_and_for_finance(market) {
        let engine = &market.engine;
        earn(market, 2).await;
        let (owner, asha) = (market.owner(MEENA).await, market.signed_up(&Caller::guest(), "asha").await);
        let delta = market.owner("delta-electronics").await;
        let asked = withdrawal(market, MEENA, "100").await;
        let method = asked.method.parse().unwrap();
        let id = payouts::request(engine, &owner, MEENA, &asked, "k").await.unwrap();
        for (who, refused) in [(Caller::guest(), Error::SignInNeeded), (asha, Error::NotFound), (delta, Error::NotFound)] {
            assert_eq!(payouts::of_shop(engine, &who, MEENA, "").await.err(), Some(refused.clone()));
            assert_eq!(payouts::shop_page(engine, &who, MEENA, "").await.err(), Some(refused.clone()));
            assert_eq!(payouts::methods(engine, &who, MEENA).await.err(), Some(refused.clone()));
            assert_eq!(payouts::add_method(engine, &who, MEENA, &bank()).await.err(), Some(refused.clone()));
            assert_eq!(payouts::remove_method(engine, &who, MEENA, method).await.err(), Some(refused.clone()));
            assert_eq!(payouts::request(engine, &who, MEENA, &asked, "x").await.err(), Some(refused.clone()));
            assert_eq!(payouts::table(engine, &who, &ListRequest::default()).await.err(), Some(refused.clone()));
            assert_eq!(payouts::any(engine, &who, id).await.err(), Some(refused.clone()));
            for done in [
                payouts::approve(engine, &who, id).await,
                payouts::reject(engine, &who, id, "No").await,
                payouts::mark_sent(engine, &who, id, "1").await,
                payouts::mark_paid(engine, &who, id).await,
                payouts::mark_returned(engine, &who, id, "No").await,
                payouts::request_for(engine, &who, MEENA, &asked, "x").await.map(drop),
                payouts::as_csv(engine, &who).await.map(drop),
                payouts::as_pain_001(engine, &who).await.map(drop),
            ] {
                assert_eq!(done, Err(refused.clone()));
            }
        }
        let reads = admin_with(market, "reader", AdminRole::ReadOnly).await;
        assert!(payouts::any(engine, &reads, id).await.is_ok());
        assert_eq!(payouts::approve(engine, &reads, id).await, Err(Error::Denied));
        assert_eq!(payouts::as_csv(engine, &reads).await.err(), Some(Error::Denied));
        let unknown = haat_engine::random::id(0);
        assert_eq!(payouts::any(engine, &Caller::system(), unknown).await.err(), Some(Error::NotFound));
        assert_eq!(payouts::approve(engine, &Caller::system(), unknown).await.err(), Some(Error::NotFound));
    }

    async fn the_files_for_the_bank_have_the_approved_payouts(market) {
        let payer = Payer { name: "Haat".into(), account: "001122334455".into(), bank: "SBIN0000001".into() };
        let engine = &market.paying_out(PayoutTerms { minimum: 1, hold_ms: 0, payer: Some(payer) });
        earn(market, 3).await;
        let (owner, finance) = (market.owner(MEENA).await, admin_with(market, "finance", AdminRole::Finance).await);
        let formula = PayoutMethodForm { holder: "=cmd()".into(), account: "DE89370400440532013000".into(), ifsc: String::new(), ..bank() };
        let paypal = PayoutMethodForm { kind: "paypal".into(), email: "meena@haat.example".into(), ..bank() };
        for (key, amount, form) in [("a", "100", bank()), ("b", "200.50", formula), ("c", "300", paypal), ("d", "400", bank())] {
            let method = payouts::add_method(engine, &owner, MEENA, &form).await.unwrap();
            let id = payouts::request(engine, &owner, MEENA, &of(amount, method), key).await.unwrap();
            if key != "d" {
                payouts::approve(engine, &finance, id).await.unwrap();
            }
            market.clock.advance_ms(1);
        }
        let file = String::from_utf8(payouts::as_csv(engine, &finance).await.unwrap()).unwrap();
        let lines: Vec<_> = file.lines().collect();
        assert_eq!(lines[0], "payout,shop,type,holder,account,ifsc,amount,currency");
        let after_id = |line: &str| line.split_once(',').unwrap().1.to_owned();
        let rows: Vec<_> = lines[1..].iter().map(|line| after_id(line)).collect();
        assert_eq!(rows, [
            "meena-crafts,bank_account,Meena Iyer,012345678901,HDFC0001234,100.00,INR",
            "meena-crafts,bank_account,'=cmd(),DE89370400440532013000,,200.50,INR",
            "meena-crafts,paypal,Meena Iyer,meena@haat.example,,300.00,INR",
        ]);
        let file = String::from_utf8(payouts::as_pain_001(engine, &finance).await.unwrap()).unwrap();
        assert!(file.contains("<NbOfTxs>2</NbOfTxs>") && file.contains("<CtrlSum>300.50</CtrlSum>") && file.contains("012345678901"));
        assert!(file.contains("<Ustrd>Payout P-000001 meena-crafts</Ustrd>"), "{file}");
        assert!(file.contains("001122334455") && !file.contains("meena@haat.example"));
        let log = audit::list(engine, &Caller::system(), "").await.unwrap().items;
        assert_eq!(log.iter().filter(|entry| entry.action == "payouts::bank_file").count(), 6);
        // Without an account to pay from there is no file for the bank.
        assert_eq!(payouts::as_pain_001(&market.engine, &finance).await.err(), Some(Error::NotFound));
    }
}
