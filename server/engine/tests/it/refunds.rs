//! Refunds and returns by line, and the release of earnings to shops.

use haat_engine::{
    Caller, Engine,
    admin::{self, Grantee},
    audit, ledger,
    notifications::mailbox,
    orders, sandbox, schedules, shops,
};
use haat_shared::{
    Conflict, Error, FieldCode,
    orders::{
        Actor, LineQuantity, NewRefund, OrderEventKind, OrderState, RefundReason, SellerOrder, Shipment,
    },
    payments::PaymentState,
    permissions::AdminRole,
    returns::ReturnReceipt,
    shops::ShopForm,
};

use crate::{both, orders::shipment, races::at_once, support::*};

const MEENA: &str = "meena-crafts";
const DAY_MS: i64 = 86_400_000;

/// An order of Meena's, and how to change it.
#[derive(Clone)]
struct Order {
    engine: Engine,
    owner: Caller,
    number: String,
    positions: Vec<i64>,
}

impl Order {
    async fn of(market: &Market, purchase: &str) -> Self {
        let (engine, owner) = (market.engine.clone(), market.owner(MEENA).await);
        let mut order = Self { engine, owner, number: format!("{purchase}-1"), positions: Vec::new() };
        order.positions = order.seen().await.order.order.lines.iter().map(|line| line.position).collect();
        order
    }

    async fn seen(&self) -> SellerOrder {
        orders::seller_order(&self.engine, &self.owner, MEENA, &self.number).await.unwrap()
    }

    fn part(&self, line: usize, quantity: i64) -> LineQuantity {
        LineQuantity { position: self.positions[line], quantity }
    }

    async fn confirm(&self) {
        orders::confirm(&self.engine, &self.owner, MEENA, &self.number).await.unwrap();
    }

    async fn ship(&self) {
        orders::ship(&self.engine, &self.owner, MEENA, &self.number, shipment()).await.unwrap();
    }

    async fn deliver(&self) {
        orders::deliver(&self.engine, &self.owner, MEENA, &self.number).await.unwrap();
    }

    async fn refund(&self, lines: &[LineQuantity], shipping: bool, restock: bool) -> Result<(), Error> {
        let refund = NewRefund {
            lines: lines.to_vec(),
            shipping,
            restock,
            reason: "Chipped".into(),
            ..NewRefund::default()
        };
        orders::refund(&self.engine, &self.owner, MEENA, &self.number, refund).await.map(drop)
    }

    /// Pending and available.
    async fn balance(&self) -> (i64, i64) {
        let balance = ledger::balance(&self.engine, &self.owner, MEENA, "").await.unwrap();
        (balance.pending.amount(), balance.available.amount())
    }
}

fn at(refused: Result<(), Error>, field: &str) -> Option<FieldCode> {
    refused.unwrap_err().at(field)
}

fn moved(stands: OrderState) -> Result<(), Error> {
    Err(Conflict::OrderMoved(stands).into())
}

both! {
    /// One item before it is shipped, one after it, the shipping, and the last one: to the unit what was paid.
    async fn an_order_is_refunded_in_parts(market) {
        let engine = &market.engine;
        // The commission on a single item is not a whole number of units.
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        let jug = market.product(MEENA, "Clay jug", 65_000, 9).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 3), (jug, 1)]).await).await;
        let order = Order::of(market, &number).await;
        let (bowls, paid) = (|quantity| [order.part(0, quantity)], 3 * 33_335 + 65_000 + 4_900);
        let earned = order.seen().await.earned.amount();
        let commission = paid - earned;
        assert_eq!(order.refund(&bowls(1), false, true).await, moved(OrderState::Placed));
        order.confirm().await;
        order.refund(&bowls(1), false, true).await.unwrap();
        assert_eq!(market.available(bowl).await, 7, "it is sold again");
        assert_eq!(order.balance().await, (order.seen().await.earned.amount(), 0));
        order.ship().await;
        assert_eq!(at(order.refund(&bowls(1), false, true).await, "restock"), Some(FieldCode::NotAChoice));
        order.refund(&bowls(1), false, false).await.unwrap();
        // More than is left, and all or nothing.
        let more = [order.part(1, 1), order.part(0, 2)];
        assert_eq!(at(order.refund(&more, true, false).await, "lines.1.quantity"), Some(FieldCode::TooBig));
        assert_eq!(at(order.refund(&[], false, false).await, "lines"), Some(FieldCode::Missing));
        order.refund(&[], true, false).await.unwrap();
        assert_eq!(at(order.refund(&bowls(1), true, false).await, "shipping"), Some(FieldCode::NotAChoice));
        let seen = order.seen().await;
        let amounts: Vec<i64> = seen.order.order.refunds.iter().map(|refund| refund.amount.amount()).collect();
        assert_eq!(amounts, [33_335, 33_335, 4_900]);
        let shipping: Vec<i64> = seen.order.order.refunds.iter().map(|refund| refund.shipping.amount()).collect();
        assert_eq!((shipping, seen.order.order.refunded().amount()), (vec![0, 0, 4_900], 2 * 33_335 + 4_900));
        assert_eq!((&seen.order.order.refunds[0].lines[..], &seen.order.order.refunds[2].lines[..]), (&bowls(1)[..], &[][..]));
        // The parts of what is left are what was earned and what the commission is now.
        let left = seen.order.order.totals.total.amount() - seen.order.order.refunded().amount();
        assert_eq!(seen.earned.amount() + seen.commission.amount(), left);
        assert!(seen.order.order.refunds.iter().all(|refund| refund.reason == RefundReason::ByShop && refund.completed_at.is_none()));
        market.settle().await;
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 33_335 + 65_000);
        let seen = order.seen().await;
        assert_eq!(seen.payment, PaymentState::Captured, "part of it is kept");
        assert!(seen.order.order.refunds.iter().all(|refund| refund.completed_at.is_some()));
        let kept = seen.earned.amount();
        assert!(kept > earned - 33_335 * 2 - 4_900 && kept < earned, "{kept} of {earned}, {commission} of commission");
        order.refund(&[order.part(0, 1), order.part(1, 1)], false, false).await.unwrap();
        let seen = order.seen().await;
        assert_eq!((seen.earned.amount(), seen.order.order.state), (0, OrderState::Shipped));
        assert_eq!(order.balance().await, (0, 0));
        market.settle().await;
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 0);
        let seen = order.seen().await;
        assert_eq!(seen.payment, PaymentState::Refunded);
        assert_eq!(market.available(bowl).await, 7, "what was shipped does not come back by itself");
        let refunded: Vec<_> = seen.events.iter().filter(|event| event.kind == OrderEventKind::Refunded).collect();
        assert_eq!(refunded.len(), 4);
        assert_eq!((refunded[1].data.note.as_str(), &refunded[1].data.lines[..]), ("Chipped", &bowls(1)[..]));
        assert_eq!(refunded[2].data.amount.unwrap().amount(), 4_900);
        let delta = market.owner("delta-electronics").await;
        let refund = NewRefund { shipping: true, reason: "x".into(), ..NewRefund::default() };
        let other = orders::refund(engine, &delta, "delta-electronics", &order.number, refund).await;
        assert_eq!(other.map(drop), Err(Error::NotFound));
    }

    async fn only_unshipped_items_are_refunded_until_all_are_shipped(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 3)]).await).await;
        let order = Order::of(market, &number).await;
        order.confirm().await;
        let (engine, owner) = (&market.engine, &order.owner);
        orders::ship_part(engine, owner, MEENA, &order.number, &[order.part(0, 1)], shipment()).await.unwrap();
        let line = async || {
            let line = order.seen().await.order.order.lines.remove(0);
            (line.quantity, line.shipped, line.refunded, line.to_ship())
        };
        assert_eq!(line().await, (3, 1, 0, 2));
        assert_eq!(at(order.refund(&[order.part(0, 3)], false, false).await, "lines.0.quantity"), Some(FieldCode::TooBig));
        order.refund(&[order.part(0, 2)], false, true).await.unwrap();
        assert_eq!(line().await, (3, 1, 2, 0), "nothing is left to pack");
        let more = orders::ship_part(engine, owner, MEENA, &order.number, &[order.part(0, 1)], shipment()).await;
        assert_eq!(at(more.map(drop), "lines.0.quantity"), Some(FieldCode::TooBig), "it was refunded");
        // What arrived can be returned already.
        orders::open_return(engine, owner, MEENA, &order.number, &[order.part(0, 1)], "Chipped").await.unwrap();
        // Nothing is left: the order is shipped without another parcel, and so without tracking. Repeating that
        // changes nothing of the parcel that was sent before.
        for tracking in ["", "", "none"] {
            let none = Shipment { carrier: tracking.into(), tracking_number: tracking.into(), ..Shipment::default() };
            let moved = orders::ship(engine, owner, MEENA, &order.number, none).await;
            moved.unwrap();
        }
        let seen = order.seen().await;
        assert_eq!(seen.order.order.state, OrderState::Shipped);
        let tracking: Vec<_> = seen.order.order.shipments.iter().map(|parcel| parcel.tracking.clone().unwrap()).collect();
        assert_eq!(tracking, [shipment()]);
        market.settle().await;
        let mails = haat_engine::notifications::mailbox::latest(&engine.db).await.unwrap();
        assert_eq!(mails.iter().filter(|mail| mail.subject.starts_with("shipped")).count(), 1);
    }

    async fn a_cancellation_refunds_the_rest(market) {
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 3)]).await).await;
        let order = Order::of(market, &number).await;
        order.confirm().await;
        // One is broken, so it does not go back to stock.
        order.refund(&[order.part(0, 1)], true, false).await.unwrap();
        orders::cancel(&market.engine, &order.owner, MEENA, &order.number, "The kiln broke").await.unwrap();
        assert_eq!(market.available(bowl).await, 8);
        let seen = order.seen().await;
        let refunds: Vec<_> = seen.order.order.refunds.iter().map(|refund| (refund.reason, refund.amount.amount())).collect();
        assert_eq!(refunds, [(RefundReason::ByShop, 33_335 + 4_900), (RefundReason::Cancelled, 2 * 33_335)]);
        assert_eq!(order.refund(&[order.part(0, 1)], false, false).await, moved(OrderState::Cancelled));
        market.settle().await;
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 0);
        assert_eq!(order.balance().await, (0, 0));
    }

    /// Of an order whose items were all refunded before anything was shipped, nothing comes, even once it is closed.
    async fn nothing_comes_of_what_was_refunded_before(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 3)]).await).await;
        let order = Order::of(market, &number).await;
        order.confirm().await;
        let nothing_comes = async || order.seen().await.order.order.is_refunded_unshipped();
        order.refund(&[order.part(0, 2)], false, true).await.unwrap();
        assert!(!nothing_comes().await, "one is to be shipped");
        order.refund(&[order.part(0, 1)], true, true).await.unwrap();
        assert!(nothing_comes().await);
        orders::ship(&market.engine, &order.owner, MEENA, &order.number, Shipment::default()).await.unwrap();
        order.deliver().await;
        assert!(nothing_comes().await);
    }

    /// Refunds of single items run concurrently: each item is refunded once.
    async fn refunded_at_once(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 3)]).await).await;
        let order = Order::of(market, &number).await;
        order.confirm().await;
        order.ship().await;
        let refunds = (0..8).map(|_| {
            let order = order.clone();
            async move { order.refund(&[order.part(0, 1)], false, false).await }
        });
        let outcomes = at_once(refunds.collect()).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
        assert!(!order.seen().await.order.order.is_refunded_unshipped(), "they were shipped");
        market.settle().await;
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 4_900);
    }

    /// The shop gives back cash itself, and gets back the commission.
    async fn cash_is_refunded_by_the_shop(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        let order = Order::of(market, &number).await;
        order.confirm().await;
        order.ship().await;
        assert_eq!(order.refund(&[order.part(0, 1)], false, false).await, moved(OrderState::Shipped), "nothing was collected");
        order.deliver().await;
        assert_eq!(order.balance().await, (-9_000, 0));
        orders::release_due(&market.engine).await.unwrap();
        order.refund(&[order.part(0, 1)], false, false).await.unwrap();
        assert_eq!(order.balance().await, (0, -4_500));
        let seen = order.seen().await;
        assert_eq!((seen.order.order.refunds[0].amount.amount(), seen.earned.amount()), (45_000, -4_500));
        assert!(seen.order.order.refunds[0].completed_at.is_some());
        assert_eq!(seen.payment, PaymentState::Accepted);
    }

    /// Two nodes look for what is due, before and after the time has come. Each order is released once.
    async fn earnings_are_released_once(market) {
        let market = &market.on(&market.returnable(7));
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 20).await;
        let mut released = Vec::new();
        for by_card in [true, true, false] {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let number = match by_card {
                true => market.buy_by_card(&guest).await,
                false => market.buy_in_cash(&guest).await.unwrap(),
            };
            let order = Order::of(market, &number).await;
            order.confirm().await;
            order.ship().await;
            released.push(order);
        }
        // A refund before the release reduces what is pending.
        released[1].refund(&[], true, false).await.unwrap();
        let earned = (49_900 - 4_500) + (45_000 - 4_500) - 4_500;
        for order in &released {
            order.deliver().await;
        }
        assert_eq!(released[0].balance().await, (earned, 0));
        market.clock.advance_ms(7 * DAY_MS - 60_000);
        assert_eq!(orders::release_due(&market.engine).await, Ok(0), "it can still be returned");
        market.clock.advance_ms(120_000);
        let nodes = market.two_nodes().await;
        let schedule = schedules::SCHEDULES.iter().find(|schedule| schedule.name == "release").unwrap();
        let runs = (0..4).map(|i| {
            let node = nodes[i % 2].clone();
            async move { schedules::run_if_due(&node, schedule).await.unwrap(); orders::release_due(&node).await.unwrap() }
        });
        at_once(runs.collect()).await;
        assert_eq!(released[0].balance().await, (0, earned));
        market.clock.advance_ms(120_000);
        assert!(schedules::run_if_due(&market.engine, schedule).await.unwrap());
        assert_eq!(released[0].balance().await, (0, earned));
        // A refund after it reduces what is available, and the transactions do not show the release.
        released[0].refund(&[released[0].part(0, 1)], false, false).await.unwrap();
        assert_eq!(released[0].balance().await, (0, earned - 45_000 + 4_500));
        let entries = ledger::balance(&market.engine, &released[0].owner, MEENA, "").await.unwrap().entries;
        let shown: i64 = entries.items.iter().map(|entry| entry.amount.amount()).sum();
        assert_eq!((shown, entries.items.len()), (earned - 45_000 + 4_500, 8));
        assert_eq!(entries.items[0].order_number.as_deref(), Some(released[0].number.as_str()), "a refund names its order");
    }

    /// What the shop promises counts if it is longer than the market's return period, and only then.
    async fn earnings_wait_for_the_longer_return_period(market) {
        for (of_market, of_shop, days) in [(7, 3, 7), (7, 10, 10)] {
            let market = &market.on(&market.returnable(of_market));
            let owner = market.owner(MEENA).await;
            let settings = shops::settings(&market.engine, &owner, MEENA).await.unwrap();
            let form = ShopForm { town: "Pune".into(), returns_days: of_shop.to_string(), ..settings.form };
            shops::save_settings(&market.engine, &owner, MEENA, settings.version, &form).await.unwrap();
            let bowl = market.product(MEENA, &format!("Bowl {days}"), 45_000, 9).await;
            let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
            let order = Order::of(market, &number).await;
            order.confirm().await;
            order.ship().await;
            order.deliver().await;
            market.clock.advance_ms(days * DAY_MS - 60_000);
            assert_eq!(orders::release_due(&market.engine).await, Ok(0), "{of_market} {of_shop}");
            market.clock.advance_ms(120_000);
            assert_eq!(orders::release_due(&market.engine).await, Ok(1), "{of_market} {of_shop}");
        }
    }

    async fn a_part_of_an_order_is_returned(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 3)]).await).await;
        let order = Order::of(market, &number).await;
        order.confirm().await;
        let open = |quantity, why: &str| {
            let (order, why) = (order.clone(), why.to_owned());
            async move {
                let part = [order.part(0, quantity)];
                orders::open_return(&order.engine, &order.owner, MEENA, &order.number, &part, &why).await
            }
        };
        assert_eq!(open(1, "Too big").await.map(drop), moved(OrderState::Confirmed));
        order.ship().await;
        order.deliver().await;
        assert_eq!(at(open(1, " ").await.map(drop), "reason"), Some(FieldCode::Missing));
        assert_eq!(at(open(4, "Too big").await.map(drop), "lines.0.quantity"), Some(FieldCode::TooBig));
        let first = open(2, "Too big").await.unwrap();
        assert_eq!(at(open(2, "Too big").await.map(drop), "lines.0.quantity"), Some(FieldCode::TooBig));
        let second = open(1, "Chipped").await.unwrap();
        assert_eq!(market.available(bowl).await, 6, "not yet");
        let receive = |id, restock| {
            let order = order.clone();
            async move { orders::receive_return(&order.engine, &order.owner, MEENA, &order.number, id, ReturnReceipt::only(restock)).await }
        };
        for restock in [true, true] {
            receive(first, restock).await.unwrap();
        }
        // Another decision is never taken in silence.
        assert_eq!(receive(first, false).await, Err(Conflict::ReturnReceived.into()));
        assert_eq!(market.available(bowl).await, 8);
        for restock in [false, false] {
            receive(second, restock).await.unwrap();
        }
        assert_eq!(receive(second, true).await, Err(Conflict::ReturnReceived.into()));
        assert_eq!(market.available(bowl).await, 8, "a chipped bowl is not for sale");
        let unknown = haat_engine::random::id(market.clock.now_ms());
        assert_eq!(receive(unknown, true).await, Err(Error::NotFound));
        let delta = market.owner("delta-electronics").await;
        let other = orders::receive_return(engine, &delta, "delta-electronics", &order.number, first, ReturnReceipt::only(true)).await;
        assert_eq!(other, Err(Error::NotFound));
        order.refund(&[order.part(0, 3)], false, false).await.unwrap();
        let seen = order.seen().await;
        use OrderEventKind::*;
        let returns: Vec<_> = seen.order.order.returns.iter().map(|back| (back.id, back.note.as_str(), &back.lines[..], back.restocked)).collect();
        assert_eq!(returns, [(first, "Too big", &[order.part(0, 2)][..], true), (second, "Chipped", &[order.part(0, 1)][..], false)]);
        assert!(seen.order.order.returns.iter().all(|back| back.received_at.is_some()));
        assert_eq!((seen.order.order.lines[0].returned, &seen.order.order.refunds[0].lines[..]), (3, &[order.part(0, 3)][..]));
        let key = engine.secret.sign("purchase", &number);
        let shopper = orders::purchase(engine, &Caller::guest(), &number, &key).await.unwrap();
        assert_eq!(shopper.orders[0], seen.order.order, "the customer sees the same");
        let kinds: Vec<_> = seen.events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [Placed, Confirmed, Shipped, Delivered, ReturnOpened, ReturnOpened, ReturnReceived, ReturnReceived, Refunded]);
        assert_eq!((seen.events[4].data.note.as_str(), &seen.events[6].data.lines[..]), ("Too big", &[order.part(0, 2)][..]));
    }
    async fn an_operator_refunds_what_the_market_has_collected(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 2)]).await).await;
        let order = Order::of(market, &number).await;
        order.confirm().await;
        order.ship().await;
        let with = async |name: &str, role: AdminRole| {
            let user = market.signed_up(&Caller::guest(), name).await.user_id().unwrap();
            admin::grant_role(engine, &Caller::system(), Grantee::Id(user), role).await.unwrap();
            market.owner(name).await
        };
        let (orders_admin, support) = (with("orders", AdminRole::Orders).await, with("support", AdminRole::Support).await);
        let refund = |quantity, reason: &str| NewRefund { lines: vec![order.part(0, quantity)], reason: reason.into(), ..NewRefund::default() };
        for (who, refused) in [(&support, Error::Denied), (&order.owner, Error::NotFound), (&Caller::guest(), Error::SignInNeeded)] {
            assert_eq!(orders::refund_as_operator(engine, who, &order.number, refund(1, "Never arrived")).await.err(), Some(refused));
        }
        let unknown = orders::refund_as_operator(engine, &orders_admin, "H0-1", refund(1, "Never arrived")).await;
        assert_eq!(unknown.err(), Some(Error::NotFound));
        let wrong = orders::refund_as_operator(engine, &orders_admin, &order.number, refund(3, " ")).await.unwrap_err();
        assert_eq!(wrong.at("reason"), Some(FieldCode::Missing));
        let id = orders::refund_as_operator(engine, &orders_admin, &order.number, refund(1, "Never arrived")).await.unwrap();
        let much = orders::refund_as_operator(engine, &orders_admin, &order.number, refund(2, "Again")).await.unwrap_err();
        assert_eq!(much.at("lines.0.quantity"), Some(FieldCode::TooBig));
        market.settle().await;
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 45_000 + 4_900);
        let seen = order.seen().await;
        let refunds: Vec<_> = seen.order.order.refunds.iter().map(|refund| (refund.id, refund.reason, refund.amount.amount())).collect();
        assert_eq!(refunds, [(id, RefundReason::ByMarket, 45_000)]);
        let last = seen.events.last().unwrap();
        assert_eq!((last.kind, last.actor, last.data.note.as_str()), (OrderEventKind::Refunded, Actor::Market, "Never arrived"));
        // Who did it is in the audit log, and the shop's owner and the customer are told.
        let log = audit::list(engine, &Caller::system(), "").await.unwrap().items.remove(0);
        assert_eq!((log.action.as_str(), log.note.as_str(), log.user_email.as_deref()), ("orders::refund", "Never arrived", Some("orders@haat.example")));
        assert_eq!((log.about.number.as_deref(), log.about.amount.map(|sum| sum.amount())), (Some(order.number.as_str()), Some(45_000)));
        let mails = mailbox::latest(&engine.db).await.unwrap();
        let to: Vec<_> = mails.iter().filter(|mail| mail.subject.starts_with("refunded")).map(|mail| (mail.recipient.as_str(), mail.subject.as_str())).collect();
        assert_eq!(to.len(), 2, "{to:?}");
        let by_market = format!("refunded by the market {} INR 450.00 Never arrived", order.number);
        assert!(to.contains(&("meena-crafts@haat.example", by_market.as_str())), "{to:?}");
        assert!(to.iter().any(|(recipient, _)| *recipient == "asha@example.com"), "{to:?}");
        // Cash is with the shop: nobody else can give it back.
        let cash = Order::of(market, &market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap()).await;
        cash.confirm().await;
        cash.ship().await;
        cash.deliver().await;
        let lines = NewRefund { lines: vec![cash.part(0, 1)], reason: "Chipped".into(), ..NewRefund::default() };
        let refused = orders::refund_as_operator(engine, &orders_admin, &cash.number, lines).await;
        assert_eq!(refused.err(), Some(Error::Denied));
    }
}
