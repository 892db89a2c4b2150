//! Return requests by customers, the answers to them, and what is refunded.

use haat_engine::{
    Caller, Engine, accounts,
    admin::{self, Grantee},
    audit, ledger,
    notifications::mailbox,
    orders, shops,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    id::kinds::{MediaId, ReturnId, VariantId},
    media::is_private,
    orders::{
        Actor, LineQuantity, ListOrders, NewRefund, OrderEventKind, OrderState, OrderView, SellerOrder,
    },
    permissions::AdminRole,
    returns::{
        ESCALATED, EXPECTED, ExchangeWish, NewReturnRequest, OPEN, OrderReturn, REQUESTED, ReturnApproval,
        ReturnReason, ReturnReceipt, ReturnState,
    },
};

use crate::{both, orders::shipment, races::at_once, support::*};

const MEENA: &str = "meena-crafts";
const DAY_MS: i64 = 86_400_000;

/// A delivered order of Meena's bowls, and what both sides do with it.
#[derive(Clone)]
struct Order {
    engine: Engine,
    owner: Caller,
    purchase: String,
    key: String,
    number: String,
    position: i64,
    bowl: VariantId,
}

impl Order {
    /// An order of `quantity` bowls for ₹450 each, brought to a state.
    async fn of(market: &Market, quantity: i64, card: bool, until: OrderState) -> Self {
        let title = format!("Bowl {}", haat_engine::random::token());
        let bowl = market.product(MEENA, &title, 45_000, quantity + 2).await;
        let guest = market.guest_with(&[(bowl, quantity)]).await;
        let purchase = match card {
            true => market.buy_by_card(&guest).await,
            false => market.buy_in_cash(&guest).await.unwrap(),
        };
        let (engine, owner, key) = (market.engine.clone(), market.owner(MEENA).await, market.key(&purchase));
        let number = format!("{purchase}-1");
        orders::confirm(&engine, &owner, MEENA, &number).await.unwrap();
        if until >= OrderState::Shipped {
            orders::ship(&engine, &owner, MEENA, &number, shipment()).await.unwrap();
        }
        if until >= OrderState::Delivered {
            orders::deliver(&engine, &owner, MEENA, &number).await.unwrap();
        }
        let mut order = Self { engine, owner, purchase, key, number, position: 0, bowl };
        order.position = order.seen().await.order.order.lines[0].position;
        order
    }

    async fn seen(&self) -> SellerOrder {
        orders::seller_order(&self.engine, &self.owner, MEENA, &self.number).await.unwrap()
    }

    async fn back(&self, id: ReturnId) -> OrderReturn {
        self.seen().await.order.order.returns.into_iter().find(|back| back.id == id).unwrap()
    }

    async fn ask(&self, quantity: i64, reason: ReturnReason, once: &str) -> Result<ReturnId> {
        self.ask_for(quantity, reason, once, Vec::new()).await
    }

    async fn ask_for(
        &self,
        quantity: i64,
        reason: ReturnReason,
        once: &str,
        exchange: Vec<ExchangeWish>,
    ) -> Result<ReturnId> {
        let lines = vec![LineQuantity { position: self.position, quantity }];
        let request =
            NewReturnRequest { lines, reason, note: "It leaks".into(), exchange, images: Vec::new() };
        let of = (self.purchase.as_str(), self.key.as_str());
        orders::request_return(&self.engine, &Caller::guest(), of, &self.number, request, once).await
    }

    async fn withdraw(&self, id: ReturnId) -> Result<()> {
        let of = (self.purchase.as_str(), self.key.as_str());
        orders::withdraw_return(&self.engine, &Caller::guest(), of, &self.number, id).await
    }

    async fn approve(&self, id: ReturnId, refund_now: bool) -> Result<()> {
        let approval = ReturnApproval { note: "Kiln Lane 4".into(), refund_now, shipping: false };
        orders::approve_return(&self.engine, &self.owner, MEENA, &self.number, id, approval).await
    }

    async fn reject(&self, id: ReturnId) -> Result<()> {
        orders::reject_return(&self.engine, &self.owner, MEENA, &self.number, id, "Kiln Lane 4").await
    }

    async fn receive(&self, id: ReturnId, restock: bool, refund: bool) -> Result<()> {
        let receipt = ReturnReceipt { restock, refund, shipping: false };
        orders::receive_return(&self.engine, &self.owner, MEENA, &self.number, id, receipt).await
    }

    async fn refund(&self, id: ReturnId) -> Result<()> {
        orders::refund_return(&self.engine, &self.owner, MEENA, &self.number, id, false).await
    }

    async fn exchange(&self, id: ReturnId) -> Result<()> {
        orders::exchange_return(&self.engine, &self.owner, MEENA, &self.number, id).await
    }

    async fn decide(&self, operator: &Caller, id: ReturnId, to: ReturnState) -> Result<()> {
        let approval =
            |refund_now| ReturnApproval { note: "Kiln Lane 4".into(), refund_now, shipping: false };
        let (engine, number) = (&self.engine, self.number.as_str());
        match to {
            ReturnState::Rejected => {
                orders::reject_as_operator(engine, operator, number, id, "Kiln Lane 4").await
            }
            to => {
                let approval = approval(to == ReturnState::Refunded);
                orders::approve_as_operator(engine, operator, number, id, approval).await
            }
        }
    }

    /// A return of one bowl, for the same one, in a state.
    async fn returned(&self, state: ReturnState) -> ReturnId {
        let once = haat_engine::random::token();
        let wish = ExchangeWish { position: self.position, variant_id: self.bowl };
        let id = self.ask_for(1, ReturnReason::Damaged, &once, vec![wish]).await.unwrap();
        match state {
            ReturnState::Requested => {}
            ReturnState::Approved => self.approve(id, false).await.unwrap(),
            ReturnState::Rejected => self.reject(id).await.unwrap(),
            ReturnState::Withdrawn => self.withdraw(id).await.unwrap(),
            ReturnState::Received | ReturnState::Refunded | ReturnState::Exchanged => {
                self.approve(id, false).await.unwrap();
                self.receive(id, false, state == ReturnState::Refunded).await.unwrap();
                if state == ReturnState::Exchanged {
                    self.exchange(id).await.unwrap();
                }
            }
        }
        assert_eq!(self.back(id).await.state, state);
        id
    }
}

fn at(refused: Result<ReturnId>, field: &str) -> Option<FieldCode> {
    refused.unwrap_err().at(field)
}

async fn operator(market: &Market) -> Caller {
    let form = sign_up("operator");
    accounts::create_operator(&market.engine, &Caller::system(), form).await.unwrap();
    market.owner("operator").await
}

both! {
    /// Each step from each state, by each actor: those of the table succeed, repeating one changes nothing, and others are
    /// refused with the state.
    async fn the_engine_keeps_to_the_table(market) {
        use ReturnState::*;
        let market = &market.on(&market.returnable(30));
        let operator = operator(market).await;
        let steps = [
            (Approved, Actor::Shop), (Rejected, Actor::Shop), (Refunded, Actor::Shop), (Received, Actor::Shop),
            (Exchanged, Actor::Shop), (Withdrawn, Actor::Shopper), (Approved, Actor::Market), (Rejected, Actor::Market), (Refunded, Actor::Market),
        ];
        for (to, actor) in steps {
            let order = Order::of(market, 6, true, OrderState::Delivered).await;
            let mut returns = Vec::new();
            for state in ReturnState::ALL {
                returns.push((state, order.returned(state).await));
            }
            if actor == Actor::Market {
                let early = order.decide(&operator, returns[0].1, to).await;
                assert_eq!(early, Err(Conflict::ReturnMoved(Requested).into()), "the shop still has time");
            }
            market.clock.advance_ms(3 * DAY_MS + 1);
            for (from, id) in returns {
                let done = match (to, actor) {
                    (_, Actor::Market) => order.decide(&operator, id, to).await,
                    (Approved, _) => order.approve(id, false).await,
                    (Rejected, _) => order.reject(id).await,
                    (Received, _) => order.receive(id, false, false).await,
                    (Exchanged, _) => order.exchange(id).await,
                    (Withdrawn, _) => order.withdraw(id).await,
                    (Refunded, _) if from == Requested => order.approve(id, true).await,
                    (_, _) => order.refund(id).await,
                };
                let allowed = from == to || from.may(to, actor);
                assert_eq!(done.is_ok(), allowed, "{from:?} to {to:?} by {actor:?}: {done:?}");
                if !allowed {
                    assert_eq!(done, Err(Conflict::ReturnMoved(from).into()));
                }
                assert_eq!(order.back(id).await.state, if allowed { to } else { from });
            }
            market.settle().await;
        }
    }

    /// A request from beginning to end: what both sides see, what is refunded, and who is told.
    async fn a_bowl_is_returned_and_refunded(market) {
        let market = &market.on(&market.returnable(7));
        let order = Order::of(market, 3, true, OrderState::Delivered).await;
        let engine = &market.engine;
        let before = order.seen().await;
        assert_eq!(before.refundable.as_ref().unwrap().lines[0].refundable, 3);
        assert_eq!(at(order.ask(4, ReturnReason::Damaged, "a").await, "lines.0.quantity"), Some(FieldCode::TooBig));
        let id = order.ask(2, ReturnReason::Damaged, "a").await.unwrap();
        assert_eq!(order.ask(2, ReturnReason::Damaged, "a").await, Ok(id), "the same click");
        assert_eq!(order.ask(1, ReturnReason::Damaged, "a").await, Err(Conflict::KeyReused.into()));
        assert_eq!(at(order.ask(2, ReturnReason::Damaged, "b").await, "lines.0.quantity"), Some(FieldCode::TooBig));
        let home = shops::home(engine, &order.owner, MEENA, &Default::default()).await.unwrap();
        assert_eq!(home.to_answer, 1);
        let listed = async |returns: &str| {
            let ask = ListOrders { returns: returns.into(), ..ListOrders::default() };
            let page = orders::seller_list(engine, &order.owner, MEENA, ask).await.unwrap();
            page.items.into_iter().map(|card| card.number).collect::<Vec<_>>()
        };
        assert_eq!((listed(REQUESTED).await, listed(ESCALATED).await), (vec![order.number.clone()], vec![]));
        assert_eq!((listed(OPEN).await, listed(EXPECTED).await), (vec![order.number.clone()], vec![]));
        assert_eq!(order.approve(id, false).await, Ok(()));
        assert_eq!((listed(OPEN).await, listed(EXPECTED).await), (vec![order.number.clone()], vec![order.number.clone()]));
        let home = shops::home(engine, &order.owner, MEENA, &Default::default()).await.unwrap();
        assert_eq!((home.to_answer, home.to_receive), (0, 1));
        assert_eq!(order.approve(id, false).await, Ok(()), "repeated");
        assert_eq!(order.reject(id).await, Err(Conflict::ReturnMoved(ReturnState::Approved).into()));
        let quote = before.refundable.unwrap().quote(&order.back(id).await.lines, false).unwrap();
        order.receive(id, true, true).await.unwrap();
        order.receive(id, true, true).await.unwrap();
        let seen = order.seen().await;
        let refund = &seen.order.order.refunds[0];
        assert_eq!((seen.order.order.refunds.len(), refund.amount, refund.amount.amount()), (1, quote.amount, 90_000));
        assert_eq!(before.earned.minus(seen.earned), Ok(quote.earnings), "as computed before it was confirmed");
        assert_eq!(before.commission.minus(seen.commission), Ok(quote.commission));
        let back = order.back(id).await;
        assert_eq!((back.state, back.restocked, back.refund_id), (ReturnState::Refunded, true, Some(refund.id)));
        let line = &seen.order.order.lines[0];
        assert_eq!((line.returned, line.refunded, line.to_return()), (2, 2, 1));
        let balance = ledger::balance(engine, &order.owner, MEENA, "").await.unwrap();
        assert_eq!(balance.pending, seen.earned);
        use OrderEventKind::*;
        let kinds: Vec<_> = seen.events.iter().map(|event| (event.kind, event.actor)).skip(4).collect();
        let shop = Actor::Shop;
        assert_eq!(kinds, [(ReturnRequested, Actor::Shopper), (ReturnApproved, shop), (ReturnReceived, shop), (Refunded, shop)]);
        assert_eq!((seen.events[4].data.return_reason, seen.events[7].data.return_id), (Some(ReturnReason::Damaged), Some(id)));
        let purchase = orders::purchase(engine, &Caller::guest(), &order.purchase, &order.key).await.unwrap();
        let seen_by_customer = OrderView { exchange_options: Vec::new(), ..purchase.orders[0].clone() };
        assert_eq!(seen_by_customer, seen.order.order, "the customer sees the same");
        market.settle().await;
        let mut mails: Vec<_> = mailbox::latest(&engine.db).await.unwrap().into_iter().map(|mail| mail.subject).collect();
        mails.retain(|subject| subject.contains("return") || subject.contains("refunded"));
        mails.sort();
        let number = &order.number;
        assert_eq!(mails, [
            format!("refunded {number}: 90000"), format!("return approved {number}: Kiln Lane 4"), format!("return of {number}: It leaks"),
        ]);
    }

    /// What is rejected or withdrawn can be asked for again; what the shop refunded without a request can't.
    async fn what_is_left_to_return(market) {
        let market = &market.on(&market.returnable(7));
        let order = Order::of(market, 2, true, OrderState::Delivered).await;
        for end in [ReturnState::Rejected, ReturnState::Withdrawn] {
            order.returned(end).await;
            assert_eq!(order.seen().await.order.order.lines[0].returned, 0, "{end:?}");
        }
        let lines = vec![LineQuantity { position: order.position, quantity: 1 }];
        let refund = NewRefund { lines, reason: "Sorry".into(), ..NewRefund::default() };
        orders::refund(&market.engine, &order.owner, MEENA, &order.number, refund).await.unwrap();
        assert_eq!(at(order.ask(2, ReturnReason::Damaged, "a").await, "lines.0.quantity"), Some(FieldCode::TooBig));
        order.ask(1, ReturnReason::Damaged, "b").await.unwrap();
        market.clock.advance_ms(7 * DAY_MS + 1);
        assert_eq!(at(order.ask(1, ReturnReason::ChangedMind, "c").await, "reason"), Some(FieldCode::NotAChoice), "too late");
        let late = Order::of(market, 1, true, OrderState::Delivered).await;
        assert_eq!(late.seen().await.order.order.returns_days, 7);
        market.clock.advance_ms(7 * DAY_MS + 1);
        assert_eq!(at(late.ask(1, ReturnReason::DoesNotFit, "a").await, "reason"), Some(FieldCode::NotAChoice));
        late.ask(1, ReturnReason::Damaged, "b").await.expect("what is wrong can be reported at any time");
        assert_eq!(order.seen().await.order.order.returnable_until, None);
        for (card, state, reason, expected) in [
            (true, OrderState::Confirmed, ReturnReason::NeverArrived, Conflict::OrderMoved(OrderState::Confirmed)),
            (false, OrderState::Shipped, ReturnReason::NeverArrived, Conflict::NotReturnable),
        ] {
            let order = Order::of(market, 1, card, state).await;
            assert_eq!(order.ask(1, reason, "a").await, Err(expected.into()));
        }
        let other = Order::of(market, 1, true, OrderState::Delivered).await;
        let id = other.ask(1, ReturnReason::Other, "a").await.unwrap();
        // Neither another purchase's key nor another shop's owner reaches it.
        let stolen = Order { key: order.key.clone(), ..other.clone() };
        assert_eq!(stolen.withdraw(id).await, Err(Error::NotFound));
        let foreign = Order { purchase: order.purchase.clone(), key: order.key.clone(), ..other.clone() };
        assert_eq!(foreign.withdraw(id).await, Err(Error::NotFound));
        assert_eq!(order.approve(id, false).await, Err(Error::NotFound), "of another order");
        let delta = market.owner("delta-electronics").await;
        let theirs = orders::reject_return(&market.engine, &delta, "delta-electronics", &other.number, id, "No").await;
        assert_eq!(theirs, Err(Error::NotFound));
    }

    /// What never arrived is refunded at once, with the shipping costs if the shop wants to.
    async fn what_never_arrived_is_refunded_without_a_return(market) {
        let order = Order::of(market, 2, true, OrderState::Shipped).await;
        assert_eq!(at(order.ask(1, ReturnReason::Damaged, "a").await, "reason"), Some(FieldCode::NotAChoice));
        let id = order.ask(2, ReturnReason::NeverArrived, "a").await.unwrap();
        let approval = ReturnApproval { shipping: true, ..ReturnApproval::default() };
        for _ in 0..2 {
            let approval = approval.clone();
            orders::approve_return(&market.engine, &order.owner, MEENA, &order.number, id, approval).await.unwrap();
        }
        let seen = order.seen().await;
        assert_eq!((seen.order.order.refunded().amount(), seen.earned.amount()), (90_000 + 4_900, 0));
        assert_eq!((order.back(id).await.state, seen.refundable), (ReturnState::Refunded, None));
    }

    /// A shop doesn't answer; an operator who may decides, and the audit log says so.
    async fn unanswered_requests_are_escalated(market) {
        let market = &market.on(&market.returnable(30));
        let order = Order::of(market, 2, true, OrderState::Delivered).await;
        let (first, second) = (order.returned(ReturnState::Requested).await, order.returned(ReturnState::Requested).await);
        let operator = operator(market).await;
        market.clock.advance_ms(3 * DAY_MS - 60_000);
        assert!(!order.back(first).await.escalated);
        market.clock.advance_ms(120_000);
        assert!(order.back(first).await.escalated);
        assert_eq!(audit::home(&market.engine, &operator).await.unwrap().escalated_returns, 1);
        let ask = ListOrders { returns: ESCALATED.into(), ..ListOrders::default() };
        assert_eq!(orders::list_all(&market.engine, &operator, ask).await.unwrap().items.len(), 1);
        assert_eq!(order.decide(&order.owner, first, ReturnState::Rejected).await, Err(Error::NotFound));
        assert_eq!(order.decide(&Caller::guest(), first, ReturnState::Rejected).await, Err(Error::SignInNeeded));
        let other = sign_up("finance");
        accounts::sign_up(&market.engine, &Caller::guest(), other.clone()).await.unwrap();
        admin::grant_role(&market.engine, &operator, Grantee::Email(other.email), AdminRole::Finance).await.unwrap();
        let finance = market.owner("finance").await;
        assert_eq!(order.decide(&finance, first, ReturnState::Rejected).await, Err(Error::Denied));
        order.decide(&operator, first, ReturnState::Refunded).await.unwrap();
        order.decide(&operator, second, ReturnState::Rejected).await.unwrap();
        // The shop may still have answered, had it been faster.
        assert_eq!(order.approve(second, false).await, Err(Conflict::ReturnMoved(ReturnState::Rejected).into()));
        let log = audit::list(&market.engine, &operator, "").await.unwrap().items;
        let log: Vec<_> = log.iter().filter(|entry| entry.about.number.as_ref() == Some(&order.number)).map(|entry| entry.action.as_str()).collect();
        assert_eq!(log, ["orders::reject_return", "orders::approve_return"]);
        assert_eq!(audit::home(&market.engine, &operator).await.unwrap().escalated_returns, 0);
        let by: Vec<_> = order.seen().await.events.into_iter().rev().take(3).map(|event| (event.kind, event.actor)).collect();
        use OrderEventKind::*;
        assert_eq!(by, [(ReturnRejected, Actor::Market), (Refunded, Actor::Market), (ReturnApproved, Actor::Market)]);
    }

    /// What the customer shows of it is seen by both sides, used by no other order, and deleted once it is withdrawn.
    async fn pictures_are_private(market) {
        let market = &market.on(&market.returnable(7));
        let order = Order::of(market, 3, true, OrderState::Delivered).await;
        let (engine, guest) = (&market.engine, Caller::guest());
        let of = (order.purchase.as_str(), order.key.as_str());
        let add = |color| orders::add_picture(engine, &guest, of, &order.number, png(8, 8, color));
        let (red, blue) = (add([200, 0, 0]).await.unwrap(), add([0, 0, 200]).await.unwrap());
        assert_eq!(add([200, 0, 0]).await.unwrap().id, red.id, "the same picture again");
        assert!(is_private(red.id) && is_private(blue.id));
        let strange = orders::add_picture(engine, &guest, (of.0, "no-key"), &order.number, png(8, 8, [1, 2, 3])).await;
        assert_eq!(strange, Err(Error::NotFound));
        let ask = |images: Vec<MediaId>, once: &'static str| {
            let lines = vec![LineQuantity { position: order.position, quantity: 1 }];
            let reason = ReturnReason::Damaged;
            let request = NewReturnRequest { lines, reason, note: String::new(), exchange: Vec::new(), images };
            orders::request_return(engine, &guest, of, &order.number, request, once)
        };
        let other = Order::of(market, 1, true, OrderState::Delivered).await;
        let of_other = (other.purchase.as_str(), other.key.as_str());
        let green = orders::add_picture(engine, &guest, of_other, &other.number, png(8, 8, [0, 200, 0])).await.unwrap();
        assert_eq!(ask(vec![red.id, green.id], "a").await, Err(Error::NotFound), "of another order");
        assert_eq!(ask(vec![red.id; 6], "a").await.unwrap_err().at("images"), Some(FieldCode::TooMany));
        let id = ask(vec![blue.id, red.id], "a").await.unwrap();
        let ids = |back: OrderReturn| back.pictures.into_iter().map(|picture| picture.id).collect::<Vec<_>>();
        assert_eq!(ids(order.back(id).await), [blue.id, red.id]);
        let seen = |key: &'static str, id| orders::may_see_picture(engine, &guest, (of.0, key), id);
        assert_eq!(seen("no-key", red.id).await, Err(Error::NotFound));
        assert_eq!(orders::may_see_picture(engine, &guest, of, red.id).await, Ok(()));
        assert_eq!(orders::may_see_picture(engine, &guest, of_other, red.id).await, Err(Error::NotFound));
        let of_shop = |caller: Caller, handle: &'static str| {
            let number = order.number.clone();
            async move { orders::shop_may_see_picture(engine, &caller, handle, &number, red.id).await }
        };
        assert_eq!(of_shop(order.owner.clone(), MEENA).await, Ok(()));
        let delta = market.owner("delta-electronics").await;
        assert_eq!(of_shop(delta.clone(), "delta-electronics").await, Err(Error::NotFound));
        let operator = operator(market).await;
        assert_eq!(orders::operator_may_see_picture(engine, &operator, &order.number, red.id).await, Ok(()));
        assert_eq!(orders::operator_may_see_picture(engine, &delta, &order.number, red.id).await, Err(Error::NotFound));
        order.withdraw(id).await.unwrap();
        assert_eq!(ids(order.back(id).await), []);
        assert_eq!(orders::may_see_picture(engine, &guest, of, red.id).await, Err(Error::NotFound));
        market.clock.advance_ms(DAY_MS + 1);
        market.settle().await;
    }

    /// Sixteen requests for the same three bowls, with one key and with many.
    async fn asked_at_once(market) {
        let market = &market.on(&market.returnable(7));
        let order = Order::of(market, 3, true, OrderState::Delivered).await;
        let asked = (0..16).map(|i| {
            let order = order.clone();
            async move { order.ask(1, ReturnReason::Damaged, if i < 8 { "same" } else { ["a", "b", "c", "d"][i % 4] }).await }
        });
        let mut ids: Vec<_> = at_once(asked.collect()).await.into_iter().flatten().collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 3);
        assert_eq!(order.seen().await.order.order.lines[0].to_return(), 0);
    }

    /// The shop refunds the last bowl by hand while the request for it is approved and while it is withdrawn: it is refunded
    /// once.
    async fn refunded_and_approved_at_once(market) {
        let market = &market.on(&market.returnable(7));
        for _ in 0..4 {
            let order = Order::of(market, 1, true, OrderState::Delivered).await;
            let id = order.returned(ReturnState::Requested).await;
            let turns = (0..8).map(|i| {
                let order = order.clone();
                async move {
                    match i % 3 {
                        0 => order.approve(id, true).await.is_ok(),
                        1 => order.withdraw(id).await.is_ok(),
                        _ => {
                            let lines = vec![LineQuantity { position: order.position, quantity: 1 }];
                            let refund = NewRefund { lines, reason: "Sorry".into(), ..NewRefund::default() };
                            orders::refund(&order.engine, &order.owner, MEENA, &order.number, refund).await.is_ok()
                        }
                    }
                }
            });
            assert!(at_once(turns.collect()).await.contains(&true));
            let seen = order.seen().await;
            assert!(seen.order.order.refunds.len() <= 1);
            market.settle().await;
        }
    }

    /// A refund of another amount than the shop was shown is not made.
    async fn the_amount_is_the_one_that_was_shown(market) {
        let order = Order::of(market, 3, true, OrderState::Delivered).await;
        let lines = vec![LineQuantity { position: order.position, quantity: 1 }];
        let refund = NewRefund { lines, reason: "Sorry".into(), shipping: true, ..NewRefund::default() };
        let quote = order.seen().await.refundable.unwrap().quote(&refund.lines, true).unwrap();
        assert_eq!(quote.amount.amount(), 49_900);
        for (amount, expected) in [(quote.items, Some(FieldCode::NotAChoice)), (quote.amount, None)] {
            let refund = NewRefund { amount: Some(amount), ..refund.clone() };
            let done = orders::refund(&market.engine, &order.owner, MEENA, &order.number, refund).await;
            assert_eq!(done.err().and_then(|error| error.at("amount")), expected);
        }
        assert_eq!(order.seen().await.order.order.refunded(), quote.amount);
    }
}
