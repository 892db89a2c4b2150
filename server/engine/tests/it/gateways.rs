//! What real gateways do and cash does not: payments in parts, authorization before capture, refunds that
//! take days, fees, several events in a webhook.

use std::{collections::HashMap, sync::Arc};

use haat_engine::{
    Caller, Engine, Parts, checkout,
    db::Scalar,
    dispatch, jobs, orders, params,
    payments::{
        self, Capabilities, EventSubject, GatewayError, GatewayEvent, GatewayPayment, GatewayResult,
        GatewayStatus, PaymentGateway, PaymentRequest, PaymentSession, RefundRequest, RefundStatus, Return,
        Webhook,
    },
    random,
    sandbox::{self, Card},
    statements, webhooks,
};
use haat_gateways::sandbox::Behaviour;
use haat_shared::{
    Conflict, Currency, Error, Money,
    checkout::{CheckoutState, HOLD_MS, PaymentOutcome},
    id::kinds::{CheckoutId, PaymentId},
    orders::{LineQuantity, NewRefund, RefundReason},
    payments::{NextAction, PaymentMethod, PaymentState},
};

use crate::{both, notifications::change, races::at_once, support::*};

statements! {
    ADD_PART = "INSERT INTO payments (id, checkout_id, method, gateway, collected_by, on_page, quote_version, state, currency, amount_minor,
            captured_minor, refunded_minor, refund_pending_minor, fee_minor, check_at, checks, created_at, updated_at)
        SELECT $1, id, 'sandbox', 'sandbox', 'market', FALSE, quote_version, 'created', currency, $3, 0, 0, 0, 0, $4, 0, $4, $4
        FROM checkouts WHERE id = $2";
    REFUNDED = "SELECT refunded_minor AS value FROM payments WHERE id = $1";
    FEES = "SELECT CAST(SUM(amount_minor) AS BIGINT) AS value FROM ledger_entries WHERE account = 'gateway_fees'";
    KINDS = "SELECT kind AS value FROM webhook_events WHERE gateway_ref = 'stub_1' ORDER BY kind";
    MENDED = "UPDATE sandbox_refunds SET state = 'done'";
}

const MEENA: &str = "meena-crafts";
const DELTA: &str = "delta-electronics";

/// A guest's checkout of ₹499 from one shop and ₹1,348 from another.
pub async fn two_shops(market: &Market) -> (Caller, CheckoutId) {
    let bowl = market.product(MEENA, "Clay jug", 45_000, 5).await;
    let lamp = market.product(DELTA, "Desk lamp", 129_900, 5).await;
    let guest = market.guest_with(&[(bowl, 1), (lamp, 1)]).await;
    let id = checkout::begin(&market.engine, &guest).await.unwrap();
    (guest, id)
}

/// Pays ₹300 of a checkout, as a gift card would. Returns the payment.
pub async fn pay_part(market: &Market, checkout: CheckoutId) -> PaymentId {
    let now = market.clock.now_ms();
    let part: PaymentId = random::id(now);
    let added = market.engine.db.write("t", (part, checkout, now), |tx, (part, checkout, now)| {
        Box::pin(async move { Ok(tx.exec(&ADD_PART, params![*part, *checkout, 30_000, *now]).await?) })
    });
    assert_eq!(added.await.unwrap(), 1);
    let request = PaymentRequest {
        attempt: part,
        method: PaymentMethod::Sandbox,
        amount: Money::new(30_000, Currency::INR),
        return_url: String::new(),
        on_page: false,
        customer: None,
        gateway_ref: None,
        locale: "en",
    };
    let session = market.sandbox.create(&request).await.unwrap();
    market.enter(&session.gateway_ref, Card::WebhookNever).await;
    assert_eq!(market.come_back(part).await, Ok(Return::Checkout(checkout, None)), "the rest is due");
    part
}

/// Goes to the gateway's page for the rest. Returns the payment and the gateway's ID of it.
pub async fn pay_rest(market: &Market, guest: &Caller, id: CheckoutId) -> (PaymentId, String) {
    let key = checkout::view(&market.engine, guest, id).await.unwrap().key;
    let next = checkout::pay(&market.engine, guest, id, form("sandbox"), 1, &key).await.unwrap();
    let NextAction::Redirect { url } = next else { panic!("{next:?}") };
    let gateway_ref = url.rsplit('/').next().unwrap().to_owned();
    let payment = sandbox::find(&market.engine.db, &gateway_ref).await.unwrap();
    assert_eq!(payment.amount_minor, 184_700 - 30_000);
    (payment.attempt_id, gateway_ref)
}

async fn refunded(market: &Market, payment: PaymentId) -> i64 {
    market.engine.db.one::<Scalar<i64>>(&REFUNDED, params![payment]).await.unwrap().0
}

/// A gateway under any name that takes yen, does nothing but send webhooks, and has forgotten all payments.
struct Stub(&'static str, Capabilities);

#[async_trait::async_trait]
impl PaymentGateway for Stub {
    fn name(&self) -> &'static str {
        self.0
    }
    fn capabilities(&self) -> Capabilities {
        self.1
    }
    fn supports(&self, currency: Currency) -> bool {
        currency.code() == "JPY"
    }
    fn genuine_return(&self, _: PaymentId, _: Option<&str>, query: &HashMap<String, String>) -> bool {
        !query.contains_key("forged")
    }
    async fn create(&self, _: &PaymentRequest) -> GatewayResult<PaymentSession> {
        Err(GatewayError::Refused("stub".into()))
    }
    async fn retrieve(&self, _: &str) -> GatewayResult<GatewayPayment> {
        Err(GatewayError::Gone("stub".into()))
    }
    async fn capture(&self, _: &str) -> GatewayResult<GatewayStatus> {
        Err(GatewayError::Refused("stub".into()))
    }
    async fn cancel(&self, _: &str) -> GatewayResult<GatewayStatus> {
        Err(GatewayError::Refused("stub".into()))
    }
    async fn refund(&self, _: &RefundRequest) -> GatewayResult<RefundStatus> {
        Err(GatewayError::Refused("stub".into()))
    }
    async fn webhook(&self, webhook: Webhook<'_>, _: i64) -> GatewayResult<Vec<GatewayEvent>> {
        let gateway_ref = webhook.header("stub").to_owned();
        let about = [EventSubject::Dispute, EventSubject::Payout, EventSubject::Account];
        let about = about.map(|about| about(gateway_ref.clone()));
        Ok(about.into_iter().map(|about| GatewayEvent { id: format!("{about:?}"), about }).collect())
    }
}

/// The engine of a market with a stub in place of the sandbox.
fn stubbed(market: &Market) -> Engine {
    let stub: Arc<dyn PaymentGateway> =
        Arc::new(Stub("sandbox", Capabilities { captures: true, refunds: true }));
    Engine::new(Parts { gateways: vec![stub], ..market.parts() }).unwrap()
}

both! {
    async fn two_payments_make_one_purchase_and_each_is_refunded(market) {
        let (guest, id) = two_shops(market).await;
        let part = pay_part(market, id).await;
        market.settle().await;
        let view = checkout::view(&market.engine, &guest, id).await.unwrap();
        assert_eq!((view.state, view.payment), (CheckoutState::Open, Some(PaymentOutcome::UnderWay)));
        // Reported again, it still waits.
        assert_eq!(market.come_back(part).await, Ok(Return::Checkout(id, None)));
        let (card, gateway_ref) = pay_rest(market, &guest, id).await;
        market.enter(&gateway_ref, Card::Approve).await;
        let number = number_in(&market.come_back(card).await.unwrap());
        assert_eq!(number_in(&market.come_back(part).await.unwrap()), number, "both have the purchase");
        market.deliver_webhooks().await;
        market.settle().await;
        let captures = sandbox::captures(&market.engine.db).await.unwrap();
        assert_eq!((captures.captured, captures.kept_minor), (2, 184_700));
        // The first order's ₹499: all of the part, and the rest from the card.
        let (meena, delta) = (market.owner(MEENA).await, market.owner(DELTA).await);
        let orders = orders::purchase(&market.engine, &guest, &number, &market.key(&number)).await.unwrap().orders;
        let of = |shop: &str| orders.iter().find(|order| order.shop_handle == shop).unwrap().number.clone();
        orders::cancel(&market.engine, &meena, MEENA, &of(MEENA), "No").await.unwrap();
        let seen = orders::seller_order(&market.engine, &meena, MEENA, &of(MEENA)).await.unwrap();
        let refunds: Vec<_> = seen.order.order.refunds.iter().map(|refund| (refund.amount.amount(), &refund.completed_at)).collect();
        assert_eq!(refunds, [(49_900, &None)], "one refund, in two parts");
        market.settle().await;
        assert_eq!((refunded(market, part).await, refunded(market, card).await), (30_000, 19_900));
        let seen = orders::seller_order(&market.engine, &meena, MEENA, &of(MEENA)).await.unwrap();
        assert!(seen.order.order.refunds[0].completed_at.is_some());
        assert_eq!(seen.payment, PaymentState::Captured, "the other order is paid by the card");
        orders::cancel(&market.engine, &delta, DELTA, &of(DELTA), "No").await.unwrap();
        market.settle().await;
        assert_eq!((refunded(market, part).await, refunded(market, card).await), (30_000, 154_700));
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 0);
    }

    /// The first payment is used up by the refund of a line, and the rest of the order comes from the second one.
    async fn a_line_is_refunded_from_two_payments(market) {
        let (guest, id) = two_shops(market).await;
        let part = pay_part(market, id).await;
        let (card, gateway_ref) = pay_rest(market, &guest, id).await;
        market.enter(&gateway_ref, Card::WebhookNever).await;
        let number = number_in(&market.come_back(card).await.unwrap());
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let orders = orders::purchase(engine, &guest, &number, &market.key(&number)).await.unwrap().orders;
        let order = orders.iter().find(|order| order.shop_handle == MEENA).unwrap();
        orders::confirm(engine, &owner, MEENA, &order.number).await.unwrap();
        let lines = vec![LineQuantity { position: order.lines[0].position, quantity: 1 }];
        let refund = NewRefund { lines, restock: true, reason: "Chipped".into(), ..NewRefund::default() };
        let refund = orders::refund(engine, &owner, MEENA, &order.number, refund).await.unwrap();
        market.settle().await;
        assert_eq!((refunded(market, part).await, refunded(market, card).await), (30_000, 15_000));
        orders::cancel(engine, &owner, MEENA, &order.number, "No").await.unwrap();
        market.settle().await;
        assert_eq!((refunded(market, part).await, refunded(market, card).await), (30_000, 19_900));
        let seen = orders::seller_order(engine, &owner, MEENA, &order.number).await.unwrap();
        let refunds: Vec<_> = seen.order.order.refunds.iter().map(|refund| (refund.reason, refund.amount.amount())).collect();
        assert_eq!(refunds, [(RefundReason::ByShop, 45_000), (RefundReason::Cancelled, 4_900)]);
        assert!(seen.order.order.refunds[0].id == refund && seen.order.order.refunds.iter().all(|refund| refund.completed_at.is_some()));
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 184_700 - 49_900);
    }

    /// Two cancellations at once take from both payments, never more than was captured.
    async fn two_payments_and_two_cancellations_at_once(market) {
        let (guest, id) = two_shops(market).await;
        pay_part(market, id).await;
        let (card, gateway_ref) = pay_rest(market, &guest, id).await;
        market.enter(&gateway_ref, Card::WebhookNever).await;
        let number = number_in(&market.come_back(card).await.unwrap());
        let orders = orders::purchase(&market.engine, &guest, &number, &market.key(&number)).await.unwrap().orders;
        let owners = [(MEENA, market.owner(MEENA).await), (DELTA, market.owner(DELTA).await)];
        let cancels = (0..8).map(|i| {
            let ((handle, owner), engine) = (owners[i % 2].clone(), market.engine.clone());
            let order = orders.iter().find(|order| order.shop_handle == handle).unwrap().number.clone();
            async move { orders::cancel(&engine, &owner, handle, &order, "No").await.unwrap() }
        });
        at_once(cancels.collect()).await;
        market.settle().await;
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 0);
    }

    async fn a_part_payment_whose_rest_never_comes_is_refunded(market) {
        let (_, id) = two_shops(market).await;
        let part = pay_part(market, id).await;
        market.clock.advance_ms(HOLD_MS + 1);
        checkout::sweep(&market.engine).await.unwrap();
        assert_eq!(payments::reconcile(&market.engine).await.unwrap(), 1);
        assert_eq!(market.come_back(part).await, Ok(Return::Checkout(id, Some(Conflict::CheckoutEnded))));
        market.settle().await;
        let captures = sandbox::captures(&market.engine.db).await.unwrap();
        assert_eq!((captures.captured, captures.kept_minor), (1, 0));
    }

    async fn an_authorized_payment_is_captured(market) {
        let market = &market.behaving(Behaviour { authorizes: true, ..Behaviour::default() });
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, Card::WebhookTwice).await;
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().captured, 0);
        let backs = (0..8).map(|_| { let market = market.clone(); async move { market.come_back(payment).await.unwrap() } });
        let mut numbers: Vec<_> = at_once(backs.collect()).await.iter().map(number_in).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), 1, "{numbers:?}");
        market.deliver_webhooks().await;
        // A late report of the authorization changes nothing.
        let late = GatewayStatus::Authorized(Money::new(49_900, Currency::INR));
        let late = payments::apply_status(&market.engine, payment, &gateway_ref, late).await.unwrap();
        assert_eq!(late, payments::ReportOutcome::Paid(numbers.remove(0)));
        let captures = sandbox::captures(&market.engine.db).await.unwrap();
        assert_eq!((captures.captured, captures.kept_minor), (1, 49_900));
    }

    async fn two_authorized_payments_are_captured_together(market) {
        let market = &market.behaving(Behaviour { authorizes: true, ..Behaviour::default() });
        let (guest, id) = two_shops(market).await;
        pay_part(market, id).await;
        let (card, gateway_ref) = pay_rest(market, &guest, id).await;
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().captured, 0);
        market.enter(&gateway_ref, Card::WebhookNever).await;
        number_in(&market.come_back(card).await.unwrap());
        let captures = sandbox::captures(&market.engine.db).await.unwrap();
        assert_eq!((captures.captured, captures.kept_minor), (2, 184_700));
    }

    /// Nothing can be bought with it, so it is never captured, and needs no refund.
    async fn an_authorized_payment_that_pays_for_nothing_is_cancelled(market) {
        let market = &market.behaving(Behaviour { authorizes: true, ..Behaviour::default() });
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let cancelled = async |gateway_ref: &str| {
            let payment = sandbox::find(&market.engine.db, gateway_ref).await.unwrap();
            assert_eq!((payment.state.as_str(), payment.is_cancelled()), ("declined", true));
        };
        // In a second tab, they paid in cash.
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        let key = checkout::view(&market.engine, &guest, id).await.unwrap().key;
        checkout::pay(&market.engine, &guest, id, form("cash"), 1, &key).await.unwrap();
        market.enter(&gateway_ref, Card::Approve).await;
        market.deliver_webhooks().await;
        number_in(&market.come_back(payment).await.unwrap());
        cancelled(&gateway_ref).await;
        // Another amount was authorized.
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.charge_instead(&gateway_ref, 60_000).await;
        market.enter(&gateway_ref, Card::WebhookNever).await;
        assert_eq!(market.come_back(payment).await, Ok(Return::Checkout(id, Some(Conflict::CheckoutEnded))));
        cancelled(&gateway_ref).await;
        assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().state, CheckoutState::Open);
        // The checkout expired before the rest was paid.
        let (_, id) = two_shops(market).await;
        let part = pay_part(market, id).await;
        market.clock.advance_ms(HOLD_MS + 1);
        checkout::sweep(&market.engine).await.unwrap();
        payments::reconcile(&market.engine).await.unwrap();
        assert_eq!(market.come_back(part).await, Ok(Return::Checkout(id, Some(Conflict::PaymentCancelled))));
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().captured, 0);
    }

    async fn a_webhook_carries_two_events(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let mut events = Vec::new();
        let mut checkouts = Vec::new();
        for i in 0..2 {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
            market.enter(&gateway_ref, Card::WebhookNever).await;
            // One of them doesn't contain our ID of the payment.
            let attempt = if i == 0 { format!(r#","attempt":"{payment}""#) } else { String::new() };
            events.push(format!(r#"{{"id":"evt_{i}","payment":"{gateway_ref}"{attempt}}}"#));
            checkouts.push((guest, id));
        }
        // An event about a payment that isn't known yet is processed again later; the others are processed now.
        let unknown = r#"{"id":"evt_2","payment":"sbx_unknown"}"#;
        market.events(&format!("{unknown},{}", events.join(","))).await.unwrap();
        assert_eq!(jobs::backlog(&market.engine).await.unwrap().queued, 1);
        for (guest, id) in checkouts {
            let view = checkout::view(&market.engine, &guest, id).await.unwrap();
            assert_eq!(view.state, CheckoutState::Completed);
        }
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().captured, 2);
        market.clock.advance_ms(61_000);
        market.settle().await;
    }

    async fn a_fee_is_posted_once(market) {
        let market = &market.behaving(Behaviour { fee_bp: 200, ..Behaviour::default() });
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let (_, payment, gateway_ref) = market.go_to_sandbox(&market.guest_with(&[(bowl, 1)]).await).await;
        market.come_back(payment).await.unwrap();
        market.enter(&gateway_ref, Card::WebhookTwice).await;
        number_in(&market.come_back(payment).await.unwrap());
        while market.deliver_webhooks().await > 0 {}
        assert_eq!(market.engine.db.one::<Scalar<i64>>(&FEES, params![]).await.unwrap().0, 998);
    }

    /// The gateway has accepted a refund, and its outcome comes later: by a webhook, or when it is asked.
    async fn pending_refunds_are_finished(market) {
        let market = &market.behaving(Behaviour { refunds_later: true, ..Behaviour::default() });
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let owner = market.owner(MEENA).await;
        for by_webhook in [true, false] {
            let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
            let order = format!("{number}-1");
            orders::cancel(&market.engine, &owner, MEENA, &order, "No").await.unwrap();
            market.settle().await;
            let refund = async || {
                let seen = orders::seller_order(&market.engine, &owner, MEENA, &order).await.unwrap();
                seen.order.order.refunds[0].completed_at.clone()
            };
            assert_eq!(refund().await, None);
            market.clock.advance_ms(60_000);
            assert_eq!(payments::reconcile_refunds(&market.engine).await.unwrap(), 1);
            assert_eq!((payments::reconcile_refunds(&market.engine).await.unwrap(), refund().await), (0, None));
            assert_eq!(sandbox::end_refunds(&market.engine.db, &market.clock, "done").await.unwrap(), 1);
            if by_webhook {
                assert_eq!(market.deliver_webhooks().await, 1);
            } else {
                market.clock.advance_ms(120_000);
                assert_eq!(payments::reconcile_refunds(&market.engine).await.unwrap(), 1);
            }
            assert!(refund().await.is_some(), "{by_webhook}");
            market.settle().await;
        }
    }

    /// Its job takes it up again, so that operators see that it failed.
    async fn a_pending_refund_that_fails_is_a_failed_job(market) {
        let market = &market.behaving(Behaviour { refunds_later: true, ..Behaviour::default() });
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        let owner = market.owner(MEENA).await;
        orders::cancel(&market.engine, &owner, MEENA, &format!("{number}-1"), "No").await.unwrap();
        market.settle().await;
        sandbox::end_refunds(&market.engine.db, &market.clock, "failed").await.unwrap();
        assert_eq!(market.deliver_webhooks().await, 1);
        dispatch::drain(&market.engine).await.unwrap();
        assert_eq!(haat_engine::jobs::backlog(&market.engine).await.unwrap().queued, 1, "it is tried again");
        change(market, &MENDED).await;
        market.clock.advance_ms(600_000);
        market.settle().await;
        // A refund that was made at the gateway, not by us.
        let refund: haat_shared::id::kinds::RefundId = random::id(0);
        market.events(&format!(r#"{{"id":"evt_r","payment":"x","refund":"{refund}"}}"#)).await.unwrap();
    }

    /// Nobody can pay what its gateway has forgotten, so that the checkout can be paid otherwise. What a gateway
    /// adds to the return must be genuine.
    async fn a_forgotten_payment_is_cancelled(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, _) = market.go_to_sandbox(&guest).await;
        let (engine, anyone, query) = (stubbed(market), Caller::guest(), market.return_query(payment));
        let mut forged = query.clone();
        forged.insert("forged".into(), String::new());
        assert_eq!(payments::returned(&engine, &anyone, payment, &forged).await, Err(Error::NotFound));
        assert_eq!(checkout::view(&engine, &guest, id).await.unwrap().state, CheckoutState::Paying);
        let back = payments::returned(&engine, &anyone, payment, &query).await;
        assert_eq!(back, Ok(Return::Checkout(id, Some(Conflict::PaymentCancelled))));
        assert_eq!(checkout::view(&engine, &guest, id).await.unwrap().state, CheckoutState::Open);
        let paid = checkout::pay(&market.engine, &guest, id, form("cash"), 1, "cash").await.unwrap();
        let number = number_of(&paid);
        // The same return, late.
        assert_eq!(number_in(&payments::returned(&engine, &anyone, payment, &query).await.unwrap()), number);
    }

    async fn a_method_is_offered_in_the_currencies_that_its_gateway_takes(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (engine, yen) = (stubbed(market), "JPY".parse().unwrap());
        assert_eq!(checkout::offered(&engine, Some(yen)), [PaymentMethod::Sandbox]);
        assert_eq!(checkout::offered(&engine, None), [PaymentMethod::Sandbox]);
        assert_eq!(checkout::offered(&engine, Some(Currency::INR)), []);
        let id = checkout::begin(&engine, &guest).await.unwrap();
        assert_eq!(checkout::view(&engine, &guest, id).await.unwrap().payment_methods, []);
        let refused = checkout::pay(&engine, &guest, id, form("sandbox"), 1, "k").await.unwrap_err();
        assert!(refused.at("payment_method").is_some(), "{refused:?}");
    }

    async fn disputes_payouts_and_account_events_are_stored(market) {
        let engine = stubbed(market);
        let headers = [("stub".to_owned(), "stub_1".to_owned())];
        for _ in 0..2 {
            let webhook = Webhook { headers: &headers, body: b"{}" };
            let accepted = webhooks::receive(&engine, &Caller::guest(), "sandbox", webhook).await.unwrap();
            webhooks::handle(&engine, accepted).await.unwrap();
        }
        let kinds: Vec<Scalar<String>> = engine.db.all(&KINDS, params![]).await.unwrap();
        assert_eq!(kinds.into_iter().map(|kind| kind.0).collect::<Vec<_>>(), ["account", "dispute", "payout"]);
    }

    /// A gateway cannot turn a payment that the market collects into cash.
    async fn a_card_cannot_be_booked_as_cash(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        let booked = payments::apply_status(&market.engine, payment, &gateway_ref, GatewayStatus::Accepted).await;
        assert_eq!(booked, Err(Error::Internal));
        let view = checkout::view(&market.engine, &guest, id).await.unwrap();
        assert_eq!((view.state, view.purchase), (CheckoutState::Paying, None));
    }

    async fn gateways_fit_the_declared_methods_or_the_market_does_not_start(market) {
        let start = |stubs: Vec<Stub>| {
            let gateways = stubs.into_iter().map(|stub| Arc::new(stub) as Arc<dyn PaymentGateway>).collect();
            Engine::new(Parts { gateways, ..market.parts() }).map(drop)
        };
        let (takes, leaves) = (Capabilities { captures: true, refunds: true }, Capabilities { captures: false, refunds: false });
        assert_eq!(start(vec![Stub("sandbox", takes), Stub("cash", leaves)]), Ok(()));
        for (stubs, why) in [
            (vec![Stub("acme", takes)], "no payment method is declared for the gateway `acme`"),
            (vec![Stub("cash", takes)], "`cash` is declared as collected by the shop"),
            (vec![Stub("sandbox", leaves)], "`sandbox` is declared as collected by the market"),
            (vec![Stub("cash", leaves), Stub("cash", leaves)], "two payment gateways named `cash`"),
        ] {
            let refused = start(stubs).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        let forms = payments::origins(&market.behaving(Behaviour::default()).engine).forms;
        assert_eq!(forms, ["http://127.0.0.1:1"]);
    }
}
