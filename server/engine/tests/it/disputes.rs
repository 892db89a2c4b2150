//! Disputes: what gateways take is posted, held and charged back, whatever is reported in whichever order. Refunds that come
//! back, and what gateways transfer to the bank.

use haat_engine::{
    Caller, Engine, accounts, audit, books, jobs, ledger,
    notifications::mailbox,
    orders,
    payments::{self, GatewayPayout},
    payouts, sales,
    sandbox::{self, NewDispute},
    shops,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money,
    admin::{DISPUTED, PaymentDetails, RefundState},
    disputes::DisputeState,
    id::kinds::{PaymentId, RefundId},
    ledger::{Account, PostingKind},
    orders::{
        LineQuantity, ListOrders, NewRefund, OrderEventKind, OrderState, RefundReason, SellerOrder,
        cancelled_units,
    },
    page::ListRequest,
    returns::{NewReturnRequest, ReturnReason},
    sales::AskedPeriod,
};

use crate::{both, orders::shipment, payouts::withdrawal, support::*};

const MEENA: &str = "meena-crafts";
const DELTA: &str = "delta-electronics";
const DAY_MS: i64 = 86_400_000;

fn inr(minor: i64) -> Money {
    Money::new(minor, Currency::INR)
}

/// Buys by card. Returns the purchase, our payment and the sandbox's ID of it.
pub async fn bought(market: &Market, guest: &Caller) -> (String, PaymentId, String) {
    let (_, payment, gateway_ref) = market.go_to_sandbox(guest).await;
    market.enter(&gateway_ref, sandbox::Card::WebhookNever).await;
    (number_in(&market.come_back(payment).await.unwrap()), payment, gateway_ref)
}

/// A dispute, which is reported. Returns the sandbox's ID of it.
pub async fn disputed(market: &Market, gateway_ref: &str, amount: Option<i64>, fee: i64) -> String {
    let new = NewDispute { gateway_ref, amount, fee, state: "open" };
    let id = sandbox::dispute(&market.engine.db, &market.clock, new).await.unwrap();
    market.deliver_webhooks().await;
    id
}

pub async fn decide(market: &Market, dispute: &str, state: &'static str) {
    sandbox::decide(&market.engine.db, &market.clock, dispute, state).await.unwrap();
    market.deliver_webhooks().await;
}

async fn seen(market: &Market, handle: &str, number: &str) -> SellerOrder {
    orders::seller_order(&market.engine, &market.owner(handle).await, handle, number).await.unwrap()
}

/// What is pending, available and held.
async fn balance(market: &Market, handle: &str) -> (i64, i64, i64) {
    let of = ledger::balance(&market.engine, &market.owner(handle).await, handle, "").await.unwrap();
    (of.pending.amount(), of.available.amount(), of.disputed.amount())
}

async fn account(engine: &Engine, account: Account) -> i64 {
    let books = books::trial_balance(engine, &Caller::system()).await.unwrap();
    books.accounts.iter().filter(|of| of.account == account).map(|of| of.balance.amount()).sum()
}

async fn confirm(market: &Market, handle: &str, number: &str) {
    let owner = market.owner(handle).await;
    orders::confirm(&market.engine, &owner, handle, number).await.unwrap();
}

async fn deliver(market: &Market, handle: &str, number: &str) {
    let (engine, owner) = (&market.engine, market.owner(handle).await);
    orders::confirm(engine, &owner, handle, number).await.unwrap();
    orders::ship(engine, &owner, handle, number, shipment()).await.unwrap();
    orders::deliver(engine, &owner, handle, number).await.unwrap();
}

async fn refund(market: &Market, number: &str, quantity: i64) -> Result<RefundId, Error> {
    let owner = market.owner(MEENA).await;
    let position = seen(market, MEENA, number).await.order.order.lines[0].position;
    let refund = NewRefund {
        lines: vec![LineQuantity { position, quantity }],
        reason: "Chipped".into(),
        ..NewRefund::default()
    };
    orders::refund(&market.engine, &owner, MEENA, number, refund).await
}

async fn details(market: &Market, payment: PaymentId) -> PaymentDetails {
    payments::details(&market.engine, &Caller::system(), payment).await.unwrap()
}

async fn subjects(market: &Market) -> Vec<String> {
    let mails = mailbox::latest(&market.engine.db).await.unwrap();
    mails.into_iter().map(|mail| mail.subject).filter(|subject| subject.contains("dispute")).collect()
}

both! {
    /// Orders whose payment is disputed say so in each list until that is decided. What was refunded or lost is no net sale.
    async fn disputed_orders_are_listed_and_what_is_lost_is_no_net_sale(market) {
        let (engine, system) = (&market.engine, Caller::system());
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let asha = market.signed_up(&market.guest_with(&[(bowl, 1)]).await, "asha").await;
        let (first, _, gateway_ref) = bought(market, &asha).await;
        market.clock.advance_ms(1_000);
        let second = market.buy_by_card(&market.guest_with(&[(bowl, 2)]).await).await;
        let (owner, delta) = (market.owner(MEENA).await, market.owner(DELTA).await);
        let only = ListOrders { disputed: true, ..ListOrders::default() };
        let net = async || {
            let home = shops::home(engine, &owner, MEENA, &AskedPeriod::default()).await.unwrap();
            let of_market = sales::of_market(engine, &system).await.unwrap().now;
            assert_eq!((home.sold.amount(), home.orders), (49_900 + 94_900, 2));
            assert_eq!((of_market.sold, of_market.net, of_market.orders), (home.sold, home.net, home.orders));
            assert_eq!(home.days.last().unwrap().net, home.net);
            home.net.amount()
        };
        let flags = async || {
            let of_shop = orders::seller_table(engine, &owner, MEENA, only.clone()).await.unwrap();
            let of_all = orders::table_of_all(engine, &system, only.clone()).await.unwrap();
            assert_eq!(of_shop.count(""), of_shop.page.items.len() as i64);
            assert_eq!((&of_all.counts, &of_all.page), (&of_shop.counts, &of_shop.page));
            let listed = orders::seller_list(engine, &owner, MEENA, ListOrders::default()).await.unwrap().items;
            let marked = listed.into_iter().filter(|order| order.disputed);
            assert_eq!(marked.collect::<Vec<_>>(), of_shop.page.items, "the others aren't");
            let exported = orders::export(engine, &owner, MEENA, &only).await.unwrap().text;
            assert_eq!(exported.iter().filter(|byte| **byte == b'\n').count() as i64, 1 + of_shop.count(""));
            let history = orders::history(engine, &asha, "").await.unwrap().items;
            assert_eq!(history[0].disputed, of_shop.count("") == 1);
            of_shop.page.items.into_iter().map(|order| order.number).collect::<Vec<_>>()
        };
        assert_eq!((flags().await, net().await), (Vec::new(), 49_900 + 94_900));
        let dispute = disputed(market, &gateway_ref, None, 0).await;
        market.settle().await;
        assert_eq!(flags().await, [format!("{first}-1")]);
        assert_eq!(net().await, 49_900 + 94_900, "an open dispute takes nothing yet");
        let theirs = orders::seller_table(engine, &delta, DELTA, only.clone()).await.unwrap();
        assert_eq!((theirs.count(""), theirs.page.items), (0, Vec::new()));
        decide(market, &dispute, "lost").await;
        market.settle().await;
        assert_eq!((flags().await, net().await), (Vec::new(), 94_900));
        deliver(market, MEENA, &format!("{second}-1")).await;
        refund(market, &format!("{second}-1"), 1).await.unwrap();
        assert_eq!(net().await, 94_900 - 45_000);
        let home = shops::home(engine, &owner, MEENA, &AskedPeriod { days: "7".into(), ..AskedPeriod::default() }).await.unwrap();
        assert_eq!((home.net.amount(), home.net_before.amount()), (49_900, 0));
    }

    /// A purchase from two shops: each bears its share, which is held and comes back when the dispute is won.
    async fn a_dispute_holds_each_shops_share_and_gives_it_back(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay jug", 45_000, 5).await;
        let lamp = market.product(DELTA, "Desk lamp", 129_900, 5).await;
        let guest = market.guest_with(&[(bowl, 1), (lamp, 1)]).await;
        let (number, payment, gateway_ref) = bought(market, &guest).await;
        let shops: Vec<_> = [MEENA, DELTA].into_iter().collect();
        let mut before = Vec::new();
        let mut of = Vec::new();
        for i in 1..=2 {
            let order = orders::any_order(engine, &Caller::system(), &format!("{number}-{i}")).await.unwrap();
            of.push((order.order.order.shop_handle.clone(), order.order.order.number.clone(), order.earned.amount(), order.order.order.totals.total));
        }
        for shop in &shops {
            before.push(balance(market, shop).await);
        }
        let clearing = account(engine, Account::GatewayClearing).await;
        let dispute = disputed(market, &gateway_ref, None, 1_500).await;
        market.settle().await;
        let whole: i64 = of.iter().map(|(.., total)| total.amount()).sum();
        assert_eq!(account(engine, Account::Disputes).await, whole);
        assert_eq!(account(engine, Account::GatewayClearing).await, clearing - whole - 1_500);
        assert_eq!(account(engine, Account::GatewayFees).await, 1_500);
        for (handle, number, earned, total) in &of {
            assert_eq!(balance(market, handle).await, (0, 0, *earned));
            let seen = seen(market, handle, number).await;
            assert_eq!((seen.disputes.len(), seen.disputes[0].state, seen.disputes[0].amount, seen.disputes[0].held.amount()), (1, DisputeState::Open, *total, *earned));
            assert_eq!((seen.earned.amount(), seen.commission.amount(), seen.refundable.is_none()), (0, 0, true));
            assert_eq!(seen.events.last().unwrap().kind, OrderEventKind::Disputed);
        }
        let shown = details(market, payment).await;
        let of_payment = &shown.disputes[0];
        assert_eq!((of_payment.amount.amount(), of_payment.fee.amount(), of_payment.unallocated.amount()), (whole, 1_500, 0));
        assert_eq!(of_payment.respond_url.as_deref(), Some(format!("https://gateway.example/disputes/{dispute}").as_str()));
        assert!(of_payment.evidence_due_at.is_some() && shown.payment.disputed && of_payment.closed_at.is_none());
        assert_eq!(shown.reports.iter().map(|report| report.kind.as_str()).collect::<Vec<_>>(), ["dispute"]);
        for (q, state) in [("", DISPUTED), (dispute.as_str(), "")] {
            let ask = ListRequest { q: q.into(), state: state.into(), ..ListRequest::default() };
            let found = payments::list(engine, &Caller::system(), &ask).await.unwrap();
            assert_eq!((found.page.items.len(), found.count(DISPUTED)), (1, 1));
        }
        assert_eq!(subjects(market).await.len(), 2, "{:?}", subjects(market).await);

        decide(market, &dispute, "won").await;
        market.settle().await;
        for (shop, before) in shops.iter().zip(&before) {
            assert_eq!(balance(market, shop).await, *before);
        }
        assert_eq!((account(engine, Account::Disputes).await, account(engine, Account::GatewayFees).await), (0, 0), "the fee came back");
        assert_eq!(account(engine, Account::GatewayClearing).await, clearing);
        let (handle, number, earned, _) = &of[0];
        let seen = seen(market, handle, number).await;
        assert_eq!((seen.disputes[0].state, seen.earned.amount(), seen.refundable.is_none()), (DisputeState::Won, *earned, true));
        assert_eq!(seen.events.last().unwrap().kind, OrderEventKind::DisputeWon);
        assert!(!details(market, payment).await.payment.disputed);
        // The statement has what was held, and that it came back.
        let owner = market.owner(handle).await;
        let entries = ledger::balance(engine, &owner, handle, "").await.unwrap().entries.items;
        let lines: Vec<_> = entries.iter().map(|entry| (entry.kind, entry.amount.amount())).take(2).collect();
        assert_eq!(lines, [(PostingKind::DisputeReleased, *earned), (PostingKind::DisputeHeld, -earned)]);
        let file = books::statement(engine, &owner, handle, &AskedPeriod::default(), None).await.unwrap();
        let file = String::from_utf8(file.text).unwrap();
        assert!(file.contains("dispute_held") && file.trim_end().ends_with(&inr(*earned).plain()), "{file}");
        assert_eq!(subjects(market).await.len(), 4);
    }

    /// What was paid out is gone: the debt is carried, and blocks payouts until later earnings cover it.
    async fn a_lost_dispute_is_charged_back_after_a_payout(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let (number, payment, gateway_ref) = bought(market, &market.guest_with(&[(bowl, 2)]).await).await;
        let order = format!("{number}-1");
        deliver(market, MEENA, &order).await;
        orders::release_due(engine).await.unwrap();
        let earned = 2 * 40_500 + 4_900;
        assert_eq!(balance(market, MEENA).await, (0, earned, 0));
        let owner = market.owner(MEENA).await;
        payouts::request(engine, &owner, MEENA, &withdrawal(market, MEENA, "800").await, "k").await.unwrap();
        let dispute = disputed(market, &gateway_ref, None, 0).await;
        market.settle().await;
        assert_eq!(balance(market, MEENA).await, (0, -80_000, earned), "it owes what it withdrew");
        decide(market, &dispute, "lost").await;
        market.settle().await;
        assert_eq!(balance(market, MEENA).await, (0, -80_000, 0));
        assert_eq!(account(engine, Account::Disputes).await, 0);
        assert_eq!(account(engine, Account::MarketplaceCommission).await, 0, "the commission went back");
        let entries = ledger::balance(engine, &owner, MEENA, "").await.unwrap().entries.items;
        let lines: Vec<_> = entries.iter().map(|entry| (entry.kind, entry.amount.amount())).take(4).collect();
        assert_eq!(lines[0], (PostingKind::CommissionReversed, 9_000));
        assert_eq!(lines[1..3], [(PostingKind::Chargeback, -94_900), (PostingKind::DisputeReleased, earned)]);
        let refused = payouts::request(engine, &owner, MEENA, &withdrawal(market, MEENA, "1").await, "k2").await;
        assert!(refused.unwrap_err().at("amount").is_some());
        assert_eq!(details(market, payment).await.disputes[0].state, DisputeState::Lost);
        let seen = seen(market, MEENA, &order).await;
        assert_eq!((seen.earned.amount(), seen.commission.amount(), seen.refundable.is_none()), (0, 0, true));
        assert_eq!(refund(market, &order, 1).await.unwrap_err().at("lines"), Some(FieldCode::TooBig));
        // What is earned later pays the debt.
        let (number, ..) = bought(market, &market.guest_with(&[(bowl, 3)]).await).await;
        deliver(market, MEENA, &format!("{number}-1")).await;
        orders::release_due(engine).await.unwrap();
        assert_eq!(balance(market, MEENA).await, (0, 3 * 40_500 + 4_900 - 80_000, 0));
    }

    /// Refunds and disputes together never take more than was captured; what was refunded before is the market's loss.
    async fn refunds_and_disputes_share_what_was_captured(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        let (number, payment, gateway_ref) = bought(market, &market.guest_with(&[(bowl, 3)]).await).await;
        let order = format!("{number}-1");
        confirm(market, MEENA, &order).await;
        refund(market, &order, 1).await.unwrap();
        market.settle().await;
        let (paid, left) = (3 * 33_335 + 4_900, 2 * 33_335 + 4_900);
        // Of a part: half of what is left, with half of the commission that is left.
        let half = disputed(market, &gateway_ref, Some(left / 2), 0).await;
        market.settle().await;
        let now = seen(market, MEENA, &order).await;
        let limit = now.refundable.as_ref().unwrap().limit.amount();
        assert_eq!((now.disputes[0].amount.amount(), limit), (left / 2, left - left / 2));
        assert_eq!(refund(market, &order, 2).await.unwrap_err().at("lines"), Some(FieldCode::TooBig));
        refund(market, &order, 1).await.unwrap();
        market.settle().await;
        assert_eq!(orders::cancel(engine, &market.owner(MEENA).await, MEENA, &order, "No").await, Err(Conflict::Disputed.into()));
        decide(market, &half, "lost").await;
        market.settle().await;
        // The bank disputes all of it, of which little is left.
        let all = disputed(market, &gateway_ref, Some(paid), 0).await;
        market.settle().await;
        let rest = left - left / 2 - 33_335;
        let of = details(market, payment).await.disputes;
        assert_eq!(of.iter().find(|of| of.gateway_ref == all).unwrap().unallocated.amount(), paid - rest);
        decide(market, &all, "lost").await;
        market.settle().await;
        assert_eq!(account(engine, Account::DisputeLosses).await, paid - rest);
        assert_eq!((balance(market, MEENA).await, account(engine, Account::MarketplaceCommission).await), ((0, 0, 0), 0));
        // Nothing is left to refund, so the order can be cancelled, and its items are sold again.
        orders::cancel(engine, &market.owner(MEENA).await, MEENA, &order, "Charged back").await.unwrap();
        market.settle().await;
        assert_eq!((market.available(bowl).await, balance(market, MEENA).await), (7, (0, 0, 0)));
        assert_eq!(seen(market, MEENA, &order).await.order.order.state, OrderState::Cancelled);
    }

    async fn reports_may_be_repeated_late_unknown_or_out_of_order(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let (number, payment, gateway_ref) = bought(market, &market.guest_with(&[(bowl, 1)]).await).await;
        let order = format!("{number}-1");
        let event = |id: &str, dispute: &str| format!(r#"{{"id":"{id}","payment":"{gateway_ref}","dispute":"{dispute}"}}"#);
        let reported = async |id: &str, dispute: &str| market.events(&event(id, dispute)).await;
        // An inquiry takes no money, and is closed without any.
        let new = |state| NewDispute { gateway_ref: &gateway_ref, amount: None, fee: 0, state };
        let asks = sandbox::dispute(&engine.db, &market.clock, new("inquiry")).await.unwrap();
        market.deliver_webhooks().await;
        assert_eq!(details(market, payment).await.disputes[0].state, DisputeState::Inquiry);
        assert_eq!((account(engine, Account::Disputes).await, seen(market, MEENA, &order).await.disputes.len()), (0, 0));
        decide(market, &asks, "won").await;
        market.settle().await;
        // The gateway can't be reached: it is asked again later.
        let dispute = sandbox::dispute(&engine.db, &market.clock, new("open")).await.unwrap();
        market.line.cut.store(true, std::sync::atomic::Ordering::Relaxed);
        reported("evt_cut", &dispute).await.unwrap();
        assert_eq!(jobs::backlog(engine).await.unwrap().queued, 1);
        market.line.cut.store(false, std::sync::atomic::Ordering::Relaxed);
        // The report of its loss comes first.
        sandbox::decide(&engine.db, &market.clock, &dispute, "lost").await.unwrap();
        reported("evt_lost", &dispute).await.unwrap();
        market.clock.advance_ms(60_000);
        market.settle().await;
        for id in ["evt_lost", "evt_open", "evt_again"] {
            reported(id, &dispute).await.unwrap();
        }
        assert!(market.deliver_webhooks().await > 0);
        market.settle().await;
        assert_eq!((account(engine, Account::Disputes).await, balance(market, MEENA).await), (0, (0, 0, 0)));
        let kinds: Vec<_> = seen(market, MEENA, &order).await.events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [OrderEventKind::Placed, OrderEventKind::Disputed, OrderEventKind::DisputeLost]);
        // What the gateway took back because of it is not another dispute; without one, it is.
        let reversal = format!("rev_{dispute}");
        reported("evt_reversal", &reversal).await.unwrap();
        assert_eq!(details(market, payment).await.disputes.len(), 2);
        let (_, reversed, of) = bought(market, &market.guest_with(&[(bowl, 1)]).await).await;
        let new = NewDispute { gateway_ref: &of, amount: None, fee: 0, state: "open" };
        let back = sandbox::dispute(&engine.db, &market.clock, new).await.unwrap();
        reported("evt_alone", &format!("rev_{back}")).await.unwrap();
        market.settle().await;
        assert_eq!(details(market, reversed).await.disputes[0].state, DisputeState::Lost);
        let waiting = sandbox::due_events(&engine.db, &market.clock).await.unwrap();
        for event in waiting.iter().filter(|event| event.gateway_ref == of) {
            sandbox::delivered(&engine.db, &market.clock, event.event_id, true).await.unwrap();
        }
        // What was decided is not decided otherwise without somebody who looks.
        sandbox::decide(&engine.db, &market.clock, &dispute, "won").await.unwrap();
        market.deliver_webhooks().await;
        market.settle().await;
        assert_eq!(details(market, payment).await.disputes.last().unwrap().state, DisputeState::Lost);
        // Of another account, or of nothing.
        reported("evt_unknown", "sbd_unknown").await.unwrap();
        market.settle().await;
        // Before we know of the capture: the payment is read first.
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (_, early, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, sandbox::Card::WebhookNever).await;
        let dispute = disputed(market, &gateway_ref, None, 0).await;
        market.settle().await;
        let of = details(market, early).await;
        assert_eq!((of.disputes[0].state, of.disputes[0].unallocated.amount()), (DisputeState::Open, 0));
        assert_eq!(balance(market, MEENA).await, (0, 0, 45_000 - 4_500 + 4_900));
        // The report of the decision is lost: open disputes are read now and then.
        sandbox::decide(&engine.db, &market.clock, &dispute, "won").await.unwrap();
        assert_eq!(payments::reconcile_disputes(engine).await.unwrap(), 0);
        market.clock.advance_ms(DAY_MS / 2);
        assert_eq!(payments::reconcile_disputes(engine).await.unwrap(), 1);
        market.settle().await;
        assert_eq!((payments::reconcile_disputes(engine).await.unwrap(), balance(market, MEENA).await), (0, (45_000 - 4_500 + 4_900, 0, 0)));
    }

    /// Both at once: exactly one of the refund and the dispute takes the money.
    async fn a_refund_and_a_dispute_at_once(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        for i in 0..4 {
            let (number, _, gateway_ref) = bought(market, &market.guest_with(&[(bowl, 1)]).await).await;
            let order = format!("{number}-1");
            confirm(market, MEENA, &order).await;
            let new = NewDispute { gateway_ref: &gateway_ref, amount: None, fee: 0, state: "open" };
            let dispute = sandbox::dispute(&market.engine.db, &market.clock, new).await.unwrap();
            let event = format!(r#"{{"id":"evt_{i}","payment":"{gateway_ref}","dispute":"{dispute}"}}"#);
            let again = event.replace("evt_", "evt_x");
            let (refunded, first, second) =
                futures::join!(refund(market, &order, 1), market.events(&event), market.events(&again));
            first.unwrap();
            second.unwrap();
            assert!(refunded.is_ok() || refunded.unwrap_err().at("lines") == Some(FieldCode::TooBig));
            market.settle().await;
        }
    }

    async fn earnings_wait_for_open_disputes_and_returns(market) {
        let market = &market.on(&market.returnable(7));
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let earned = 45_000 - 4_500 + 4_900;
        let (number, _, gateway_ref) = bought(market, &market.guest_with(&[(bowl, 1)]).await).await;
        deliver(market, MEENA, &format!("{number}-1")).await;
        let (returned, ..) = bought(market, &market.guest_with(&[(bowl, 1)]).await).await;
        let order = format!("{returned}-1");
        deliver(market, MEENA, &order).await;
        let dispute = disputed(market, &gateway_ref, None, 0).await;
        let position = seen(market, MEENA, &order).await.order.order.lines[0].position;
        let request = NewReturnRequest {
            lines: vec![LineQuantity { position, quantity: 1 }],
            reason: ReturnReason::Damaged,
            note: String::new(),
            exchange: Vec::new(),
            images: Vec::new(),
        };
        let key = market.key(&returned);
        let of = (returned.as_str(), key.as_str());
        let back = orders::request_return(engine, &Caller::guest(), of, &order, request, "1").await.unwrap();
        market.clock.advance_ms(8 * DAY_MS);
        assert_eq!(orders::release_due(engine).await, Ok(0));
        assert_eq!(balance(market, MEENA).await, (earned, 0, earned));
        decide(market, &dispute, "won").await;
        assert_eq!(orders::release_due(engine).await, Ok(1));
        assert_eq!(balance(market, MEENA).await, (earned, earned, 0));
        let approval = haat_shared::returns::ReturnApproval { note: "Kiln Lane".into(), ..Default::default() };
        orders::approve_return(engine, &market.owner(MEENA).await, MEENA, &order, back, approval).await.unwrap();
        assert_eq!(orders::release_due(engine).await, Ok(0));
        // The items never come.
        market.clock.advance_ms(53 * DAY_MS);
        assert_eq!(orders::release_due(engine).await, Ok(1));
        assert_eq!(balance(market, MEENA).await, (0, 2 * earned, 0));
    }

    /// Days after it was reported as done: the money is owed again, and an admin decides how it is paid.
    async fn a_refund_that_comes_back_is_owed_again(market) {
        let engine = &market.engine;
        accounts::create_operator(engine, &Caller::system(), sign_up("operator")).await.unwrap();
        let operator = market.owner("operator").await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let (number, payment, _) = bought(market, &market.guest_with(&[(bowl, 1)]).await).await;
        let order = format!("{number}-1");
        orders::cancel(engine, &market.owner(MEENA).await, MEENA, &order, "No").await.unwrap();
        market.settle().await;
        let clearing = account(engine, Account::GatewayClearing).await;
        let first = details(market, payment).await.refunds[0].id;
        assert_eq!(payments::payment_of_refund(engine, &operator, first).await, Ok(payment));
        let refused = payments::retry_refund(engine, &operator, first).await;
        assert_eq!(refused, Err(Conflict::RefundMoved.into()));
        sandbox::fail_refund(&engine.db, &market.clock, first).await.unwrap();
        assert_eq!(market.deliver_webhooks().await, 1);
        market.settle().await;
        let states = async || -> Vec<_> { details(market, payment).await.refunds.iter().map(|refund| refund.state).collect() };
        assert_eq!(states().await, [RefundState::Failed]);
        assert_eq!(account(engine, Account::ShopperPayable).await, -49_900, "it is owed again");
        assert_eq!(account(engine, Account::GatewayClearing).await, clearing + 49_900);
        assert_eq!(details(market, payment).await.payment.being_refunded.amount(), 49_900);
        let seen_refund = async || seen(market, MEENA, &order).await.order.order.refunds.remove(0);
        assert_eq!((seen_refund().await.amount.amount(), seen_refund().await.completed_at), (49_900, None));
        // Another attempt, which comes back as well; then it is paid otherwise.
        payments::retry_refund(engine, &operator, first).await.unwrap();
        assert_eq!(payments::retry_refund(engine, &operator, first).await, Err(Conflict::RefundMoved.into()));
        market.settle().await;
        assert_eq!(states().await, [RefundState::Replaced, RefundState::Done]);
        assert_eq!((seen_refund().await.amount.amount(), seen_refund().await.completed_at.is_some()), (49_900, true));
        assert_eq!(account(engine, Account::GatewayClearing).await, clearing);
        let second = details(market, payment).await.refunds[1].id;
        sandbox::fail_refund(&engine.db, &market.clock, second).await.unwrap();
        market.deliver_webhooks().await;
        market.settle().await;
        assert_eq!(payments::settle_refund(engine, &operator, second, " ").await.unwrap_err().at("note"), Some(FieldCode::Missing));
        payments::settle_refund(engine, &operator, second, "By bank transfer, HDFC 123").await.unwrap();
        market.settle().await;
        assert_eq!(states().await, [RefundState::Replaced, RefundState::PaidOtherwise]);
        assert_eq!((account(engine, Account::ShopperPayable).await, account(engine, Account::Bank).await), (0, -49_900));
        assert_eq!(payments::settle_refund(engine, &operator, second, "Again").await, Err(Conflict::RefundMoved.into()));
        assert_eq!(details(market, payment).await.refunds[1].note, "By bank transfer, HDFC 123");
        let log = audit::list(engine, &operator, "").await.unwrap().items;
        assert_eq!((log[0].action.as_str(), log[0].note.as_str()), ("payments::settle_refund", "By bank transfer, HDFC 123"));
        assert_eq!((log[1].action.as_str(), log[1].about.number.as_deref()), ("payments::retry_refund", Some(number.as_str())));
        let owner = market.owner(MEENA).await;
        assert_eq!(payments::retry_refund(engine, &owner, second).await, Err(Error::NotFound));
        assert_eq!(payments::settle_refund(engine, &owner, second, "x").await, Err(Error::NotFound));
        // A refund that nobody knows.
        let none: RefundId = haat_engine::random::id(0);
        assert_eq!(payments::retry_refund(engine, &operator, none).await, Err(Error::NotFound));
    }

    /// What can't be shipped of a cash order is taken off what is collected.
    async fn the_unshipped_rest_of_a_cash_order_is_cancelled(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 3)]).await).await.unwrap();
        let (order, owner) = (format!("{number}-1"), market.owner(MEENA).await);
        orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
        let position = seen(market, MEENA, &order).await.order.order.lines[0].position;
        let line = |quantity| LineQuantity { position, quantity };
        orders::ship_part(engine, &owner, MEENA, &order, &[line(1)], shipment()).await.unwrap();
        assert_eq!(orders::cancel(engine, &owner, MEENA, &order, "No").await, Err(Conflict::PartlyShipped.into()));
        let rest = NewRefund { lines: vec![line(2)], restock: true, reason: "The kiln broke".into(), ..NewRefund::default() };
        let more = NewRefund { lines: vec![line(3)], ..rest.clone() };
        assert_eq!(orders::refund(engine, &owner, MEENA, &order, more).await.unwrap_err().at("lines.0.quantity"), Some(FieldCode::TooBig));
        orders::refund(engine, &owner, MEENA, &order, rest).await.unwrap();
        market.settle().await;
        let now = seen(market, MEENA, &order).await;
        assert_eq!(now.order.order.to_collect().amount(), 45_000 + 4_900);
        assert_eq!(now.order.order.refunds[0].reason, RefundReason::Unshipped);
        // Nobody has paid for them.
        assert_eq!((now.order.order.cancelled(), cancelled_units(&now.order.order.refunds, position)), (inr(90_000), 2));
        assert_eq!(now.events.last().unwrap().kind, OrderEventKind::ItemsCancelled);
        assert_eq!((now.commission.amount(), market.available(bowl).await), (4_500, 8));
        let slips = orders::packing_slips(engine, &owner, MEENA, vec![order.clone()]).await.unwrap();
        assert_eq!(slips[0].order.to_collect().amount(), 45_000 + 4_900);
        orders::ship(engine, &owner, MEENA, &order, shipment()).await.unwrap();
        assert_eq!(refund(market, &order, 1).await, Err(Conflict::OrderMoved(OrderState::Shipped).into()), "it is on its way");
        orders::deliver(engine, &owner, MEENA, &order).await.unwrap();
        orders::release_due(engine).await.unwrap();
        assert_eq!(balance(market, MEENA).await, (0, -4_500, 0), "the commission on what was collected");
        // One of which nothing was shipped: first a line, then the rest.
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        let order = format!("{number}-1");
        confirm(market, MEENA, &order).await;
        let position = seen(market, MEENA, &order).await.order.order.lines[0].position;
        let one = NewRefund { lines: vec![LineQuantity { position, quantity: 1 }], reason: "Broken".into(), ..NewRefund::default() };
        orders::refund(engine, &owner, MEENA, &order, one).await.unwrap();
        orders::cancel(engine, &owner, MEENA, &order, "All broken").await.unwrap();
        market.settle().await;
        assert_eq!((balance(market, MEENA).await, market.available(bowl).await), ((0, -4_500, 0), 7));
    }

    async fn what_gateways_transfer_to_the_bank_is_posted(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        bought(market, &market.guest_with(&[(bowl, 2)]).await).await;
        let clearing = account(engine, Account::GatewayClearing).await;
        let known = |paid| market.line.payouts.lock().unwrap().insert("po_1".into(), GatewayPayout { amount: inr(50_000), paid });
        let reported = async |id: &str, payout: &str| {
            let headers = [("test-payout".to_owned(), format!("{id} {payout}"))];
            market.receives("sandbox", &headers, b"{}").await.unwrap();
            market.settle().await;
            (account(engine, Account::GatewayClearing).await - clearing, account(engine, Account::Bank).await)
        };
        assert_eq!(reported("evt_0", "po_0").await, (0, 0), "unknown to the gateway");
        known(None);
        assert_eq!(reported("evt_1", "po_1").await, (0, 0), "on its way");
        known(Some(true));
        for id in ["evt_2", "evt_2", "evt_3"] {
            assert_eq!(reported(id, "po_1").await, (-50_000, 50_000));
        }
        known(Some(false));
        for id in ["evt_4", "evt_5"] {
            assert_eq!(reported(id, "po_1").await, (0, 0), "the bank returned it");
        }
        known(Some(true));
        assert_eq!(reported("evt_6", "po_1").await, (0, 0), "a late report");
    }
}
