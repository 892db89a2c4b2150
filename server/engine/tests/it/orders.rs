//! Order transitions: each once, by those who are allowed to, with stock and money returned on
//! cancellation.

use haat_engine::{Caller, checkout, notifications::mailbox, orders, sandbox};
use haat_shared::{
    Conflict, Error, FieldCode,
    orders::{
        Actor, LineQuantity, ListOrders, ORDER_SORTS, OrderEventKind, OrderState, OrderView, RefundReason,
        Shipment,
    },
    payments::PaymentState,
    shipping::ShippingMethod,
};

use crate::{both, races::at_once, support::*};

const MEENA: &str = "meena-crafts";

pub fn shipment() -> Shipment {
    Shipment {
        carrier: "Blue Dart".into(),
        tracking_number: "BD 1".into(),
        tracking_url: "https://track.example/BD1".into(),
    }
}

/// The tracking of the latest shipment.
fn latest(order: &OrderView) -> Option<Shipment> {
    order.shipments.last()?.tracking.clone()
}

fn moved(stands: OrderState) -> Result<(), Error> {
    Err(Conflict::OrderMoved(stands).into())
}

both! {
    async fn an_order_goes_from_placed_to_delivered_step_by_step(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        let order = format!("{number}-1");
        assert_eq!(orders::ship(engine, &owner, MEENA, &order, shipment()).await, moved(OrderState::Placed));
        assert_eq!(orders::deliver(engine, &owner, MEENA, &order).await, moved(OrderState::Placed));
        let selected = async || orders::confirm_pending(engine, &owner, MEENA, &order).await;
        assert_eq!((selected().await, selected().await), (Ok(()), moved(OrderState::Confirmed)));
        for _ in 0..2 {
            orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
        }
        let fault = orders::ship(engine, &owner, MEENA, &order, Shipment::default()).await.unwrap_err();
        assert_eq!(fault.at("carrier"), Some(FieldCode::Missing));
        for _ in 0..2 {
            orders::ship(engine, &owner, MEENA, &order, shipment()).await.unwrap();
        }
        assert_eq!(orders::cancel(engine, &owner, MEENA, &order, "too late").await, moved(OrderState::Shipped));
        assert_eq!(orders::confirm(engine, &owner, MEENA, &order).await, moved(OrderState::Shipped));
        for _ in 0..2 {
            orders::deliver(engine, &owner, MEENA, &order).await.unwrap();
        }
        let seen = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap();
        let way: Vec<_> = seen.events.iter().map(|e| (e.kind, e.actor)).collect();
        assert_eq!(way, [
            (OrderEventKind::Placed, Actor::Shopper),
            (OrderEventKind::Confirmed, Actor::Shop),
            (OrderEventKind::Shipped, Actor::Shop),
            (OrderEventKind::Delivered, Actor::Shop),
        ]);
        assert_eq!((seen.payment, &seen.order.order.refunds[..], seen.earned.amount()), (PaymentState::Accepted, &[][..], -9_000));
        assert_eq!(latest(&seen.order.order), Some(shipment()));
        assert_eq!(seen.email, "asha@example.com");
        assert_eq!(seen.order.order.lines[0].sku, "Clay bowl", "the SKU for picking the item");
        let shopper = orders::purchase(engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap();
        assert_eq!((shopper.orders[0].state, latest(&shopper.orders[0])), (OrderState::Delivered, Some(shipment())));
    }

    async fn an_order_that_is_picked_up_needs_no_carrier(market) {
        let engine = &market.engine;
        let tea = market.generous_shop().await;
        let (owner, guest) = (market.owner("generous").await, market.guest_with(&[(tea, 1)]).await);
        let id = checkout::begin(engine, &guest).await.unwrap();
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert!((890..=900).contains(&view.seconds_left), "{}", view.seconds_left);
        let mut typed = form("cash");
        typed.shipping_methods.insert(view.groups[0].shop_id, ShippingMethod::Pickup);
        let quote = checkout::update(engine, &guest, id, typed.clone()).await.unwrap();
        let paid = checkout::pay(engine, &guest, id, typed, quote.version, "k").await;
        let number = number_of(&paid.unwrap());
        let order = format!("{number}-1");
        orders::confirm(engine, &owner, "generous", &order).await.unwrap();
        for _ in 0..2 {
            orders::ship(engine, &owner, "generous", &order, Shipment::default()).await.unwrap();
        }
        let card = orders::seller_list(engine, &owner, "generous", ListOrders::default()).await.unwrap().items.remove(0);
        assert_eq!((card.state, card.shipping_method), (OrderState::Shipped, ShippingMethod::Pickup));
        let seen = orders::seller_order(engine, &owner, "generous", &order).await.unwrap();
        let steps: Vec<_> = seen.events.iter().map(|e| (e.kind, e.data.shipment.as_ref())).collect();
        use OrderEventKind::*;
        assert_eq!(steps, [Placed, Confirmed, Shipped].map(|kind| (kind, None)));
        assert_eq!((latest(&seen.order.order), seen.order.order.pickup_at.as_str()), (None, "Generous, Ooty"));
    }

    async fn a_shop_cancels_and_stock_and_money_are_returned(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 3).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 2), (lamp, 1)]).await).await;
        assert_eq!((market.available(bowl).await, market.available(lamp).await), (3, 2));
        let page = orders::seller_list(engine, &owner, MEENA, ListOrders::default()).await.unwrap();
        let order = page.items[0].number.clone();
        orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
        let fault = orders::cancel(engine, &owner, MEENA, &order, " ").await.unwrap_err();
        assert_eq!(fault.at("reason"), Some(FieldCode::Missing));
        for _ in 0..2 {
            orders::cancel(engine, &owner, MEENA, &order, "The kiln broke").await.unwrap();
        }
        assert_eq!((market.available(bowl).await, market.available(lamp).await), (5, 2), "only this order's stock is returned");
        let seen = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap();
        let refund = &seen.order.order.refunds[0];
        assert_eq!((refund.reason, refund.amount.amount(), &refund.completed_at, seen.earned.amount()), (RefundReason::Cancelled, 94_900, &None, 0));
        assert_eq!(seen.events.last().unwrap().data.note, "The kiln broke");
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 94_900 + 134_800, "not yet");
        market.settle().await;
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 134_800);
        let seen = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap();
        assert_eq!(seen.payment, PaymentState::Captured, "part of it is still in use");
        assert!(seen.order.order.refunds[0].completed_at.is_some());
        // Cancelling the rest refunds the whole payment, and its page still shows the purchase.
        let delta = market.owner("delta-electronics").await;
        let page = orders::seller_list(engine, &delta, "delta-electronics", ListOrders::default()).await.unwrap();
        orders::cancel(engine, &delta, "delta-electronics", &page.items[0].number, "Sold by mistake").await.unwrap();
        market.settle().await;
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 0);
        let seen = orders::seller_order(engine, &delta, "delta-electronics", &page.items[0].number).await.unwrap();
        assert_eq!(seen.payment, PaymentState::Refunded);
        let purchase = orders::purchase(engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap();
        assert!(purchase.orders.iter().all(|o| o.state == OrderState::Cancelled));
    }

    async fn a_late_report_of_a_refunded_payment_finds_its_purchase(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, sandbox::Card::WebhookNever).await;
        let number = number_in(&market.come_back(payment).await.unwrap());
        let key = market.key(&number);
        let order = format!("{number}-1");
        orders::cancel_by_customer(&market.engine, &guest, &number, &key, &order, "Changed my mind").await.unwrap();
        market.settle().await;
        market.webhook("evt_late", &gateway_ref, payment).await.unwrap();
        assert_eq!(number_in(&market.come_back(payment).await.unwrap()), number);
        let view = haat_engine::checkout::view(&market.engine, &guest, id).await.unwrap();
        assert_eq!(view.payment, Some(haat_shared::checkout::PaymentOutcome::Paid));
    }

    async fn tracking_is_corrected_until_the_order_has_arrived(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        let order = format!("{number}-1");
        orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
        let (first, second) = (shipment(), Shipment { tracking_number: "BD 2".into(), ..shipment() });
        let third = Shipment { carrier: "India Post".into(), tracking_url: String::new(), ..second.clone() };
        // Each twice: repeating it changes nothing, whatever whitespace surrounds it.
        for shipment in [&first, &second, &third, &first] {
            for carrier in [shipment.carrier.clone(), format!(" {} ", shipment.carrier)] {
                orders::ship(engine, &owner, MEENA, &order, Shipment { carrier, ..shipment.clone() }).await.unwrap();
            }
            let seen = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap();
            assert_eq!(latest(&seen.order.order).as_ref(), Some(shipment));
        }
        let refused = orders::ship(engine, &owner, MEENA, &order, Shipment { tracking_number: " ".into(), ..first.clone() }).await;
        assert_eq!(refused.unwrap_err().at("tracking_number"), Some(FieldCode::Missing));
        let delta = market.owner("delta-electronics").await;
        assert_eq!(orders::ship(engine, &delta, "delta-electronics", &order, second.clone()).await, Err(Error::NotFound));
        orders::deliver(engine, &owner, MEENA, &order).await.unwrap();
        assert_eq!(orders::ship(engine, &owner, MEENA, &order, second.clone()).await, moved(OrderState::Delivered));
        assert_eq!(orders::ship(engine, &owner, MEENA, &order, first.clone()).await, Ok(()));
        let seen = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap();
        let steps: Vec<_> = seen.events.iter().map(|e| (e.kind, e.data.shipment.as_ref())).collect();
        use OrderEventKind::*;
        assert_eq!(steps, [
            (Placed, None),
            (Confirmed, None),
            (Shipped, Some(&first)),
            (TrackingUpdated, Some(&second)),
            (TrackingUpdated, Some(&third)),
            (TrackingUpdated, Some(&first)),
            (Delivered, None),
        ]);
        let shopper = orders::purchase(engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap();
        assert_eq!(latest(&shopper.orders[0]), Some(first));
        market.settle().await;
        let mails = mailbox::latest(&engine.db).await.unwrap();
        let about = |what: &str| mails.iter().filter(|mail| mail.subject.starts_with(what)).count();
        assert_eq!((about("shipped"), about("tracking")), (1, 3), "an email for each correction");
    }

    /// Notes may be written in any state, and only the shop's members may.
    async fn a_shop_notes_something_and_sees_what_else_the_customer_bought(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 99).await;
        let cable = market.product("delta-electronics", "Cable", 9_900, 9).await;
        let mut numbers = Vec::new();
        for _ in 0..7 {
            numbers.push(market.buy_in_cash(&market.guest_with(&[(bowl, 1), (cable, 1)]).await).await.unwrap());
        }
        let [order, .., last] = &numbers[..] else { unreachable!() };
        let (order, last) = (format!("{order}-1"), format!("{last}-1"));
        orders::cancel(engine, &owner, MEENA, &order, "Broken").await.unwrap();
        for note in [" Called twice ", "No answer"] {
            orders::add_note(engine, &owner, MEENA, &order, note).await.unwrap();
        }
        let fault = orders::add_note(engine, &owner, MEENA, &order, " ").await.unwrap_err();
        assert_eq!(fault.at("note"), Some(FieldCode::Missing));
        let delta = market.owner("delta-electronics").await;
        for (caller, shop) in [(&delta, "delta-electronics"), (&delta, MEENA), (&Caller::guest(), MEENA)] {
            let refused = orders::add_note(engine, caller, shop, &order, "Mine").await;
            assert!(matches!(refused, Err(Error::NotFound | Error::SignInNeeded)), "{refused:?}");
        }
        let seen = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap();
        let notes: Vec<_> = seen.events.iter().map(|e| (e.kind, e.data.note.as_str())).collect();
        use OrderEventKind::*;
        assert_eq!(notes, [(Placed, ""), (Cancelled, "Broken"), (Noted, "Called twice"), (Noted, "No answer")]);
        // Only this shop's orders count, and the page lists five of them.
        assert_eq!((seen.other_order_count, seen.other_orders.len()), (6, 5));
        assert_eq!(seen.other_orders[0].number, last);
        assert_eq!(seen.order.order.state, OrderState::Cancelled);
        // The market's admins see the same, without the notes.
        let theirs = orders::any_order(engine, &Caller::system(), &order).await.unwrap();
        let kinds: Vec<_> = theirs.events.iter().map(|e| e.kind).collect();
        assert_eq!(kinds, [Placed, Cancelled]);
        assert_eq!((&theirs.order, &theirs.email, theirs.earned), (&seen.order, &seen.email, seen.earned));
        assert_eq!(orders::any_order(engine, &Caller::system(), "H0-1").await, Err(Error::NotFound));
        for caller in [&owner, &delta] {
            assert_eq!(orders::any_order(engine, caller, &order).await, Err(Error::NotFound), "not even the shop");
        }
        market.settle().await;
    }

    /// A part is shipped, and its tracking corrected twice; then the rest is shipped.
    async fn an_order_in_two_parcels(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let jug = market.product(MEENA, "Clay jug", 65_000, 9).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 3), (jug, 1)]).await).await;
        let order = format!("{number}-1");
        let seen = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap();
        let at: Vec<i64> = seen.order.order.lines.iter().map(|line| line.position).collect();
        let part = |i: usize, quantity| LineQuantity { position: at[i], quantity };
        let parcel = |number: &str| Shipment { tracking_number: number.into(), ..shipment() };
        let ship = |part: Vec<LineQuantity>, number: &str| {
            let (owner, order, parcel) = (owner.clone(), order.clone(), parcel(number));
            async move { orders::ship_part(engine, &owner, MEENA, &order, &part, parcel).await }
        };
        assert_eq!(ship(vec![part(0, 1)], "P 1").await.map(drop), moved(OrderState::Placed));
        orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
        assert_eq!(ship(vec![], "P 1").await.unwrap_err().at("lines"), Some(FieldCode::Missing));
        assert_eq!(ship(vec![part(0, 0)], "P 1").await.unwrap_err().at("lines.0.quantity"), Some(FieldCode::TooSmall));
        let twice = ship(vec![part(0, 1), part(0, 1)], "P 1").await;
        assert_eq!(twice.unwrap_err().at("lines.1.position"), Some(FieldCode::NotUnique));
        let more = ship(vec![part(1, 1), part(0, 4)], "P 1").await.unwrap_err();
        assert_eq!((more.at("lines.0.quantity"), more.at("lines.1.quantity")), (None, Some(FieldCode::TooBig)));
        let nothing = ship(vec![part(0, 1)], " ").await.unwrap_err();
        assert_eq!(nothing.at("tracking_number"), Some(FieldCode::Missing), "nothing was shipped so far");
        let first = ship(vec![part(0, 2)], "P 1").await.unwrap();
        assert_eq!(orders::cancel(engine, &owner, MEENA, &order, "No").await, Err(Conflict::PartlyShipped.into()));
        let elsewhere = ship(vec![part(0, 1), LineQuantity { position: 99, quantity: 1 }], "P 2").await.unwrap_err();
        assert_eq!((elsewhere.at("lines.0.quantity"), elsewhere.at("lines.1.position")), (None, Some(FieldCode::NotAChoice)));
        assert_eq!(ship(vec![part(0, 2)], "P 2").await.unwrap_err().at("lines.0.quantity"), Some(FieldCode::TooBig));
        for number in ["P 1a", "P 1a", "P 1b"] {
            orders::track(engine, &owner, MEENA, &order, first, parcel(number)).await.unwrap();
        }
        let delta = market.owner("delta-electronics").await;
        assert_eq!(orders::track(engine, &delta, "delta-electronics", &order, first, parcel("X")).await, Err(Error::NotFound));
        let unknown = haat_engine::random::id(market.clock.now_ms());
        assert_eq!(orders::track(engine, &owner, MEENA, &order, unknown, parcel("X")).await, Err(Error::NotFound));
        let seen = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap();
        assert_eq!(seen.order.order.state, OrderState::Confirmed, "a part is not the whole");
        orders::ship(engine, &owner, MEENA, &order, parcel("P 2")).await.unwrap();
        orders::track(engine, &owner, MEENA, &order, first, parcel("P 1c")).await.unwrap();
        assert_eq!(ship(vec![part(0, 1)], "P 3").await.map(drop), moved(OrderState::Shipped));
        let seen = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap();
        let steps: Vec<_> = seen.events[2..].iter().map(|e| (e.kind, e.data.shipment.as_ref().unwrap().tracking_number.as_str(), e.data.lines.clone())).collect();
        use OrderEventKind::*;
        assert_eq!(steps, [
            (Shipped, "P 1", vec![part(0, 2)]),
            (TrackingUpdated, "P 1a", vec![]),
            (TrackingUpdated, "P 1b", vec![]),
            (Shipped, "P 2", vec![]),
            (TrackingUpdated, "P 1c", vec![]),
        ]);
        assert_eq!(seen.order.order.state, OrderState::Shipped);
        let parcels: Vec<_> = seen.order.order.shipments.iter().map(|s| (s.tracking.clone().unwrap().tracking_number, s.lines.clone(), &s.delivered_at)).collect();
        assert_eq!(parcels, [("P 1c".into(), vec![part(0, 2)], &None), ("P 2".into(), vec![part(0, 1), part(1, 1)], &None)]);
        orders::deliver(engine, &owner, MEENA, &order).await.unwrap();
        market.settle().await;
        let key = engine.secret.sign("purchase", &number);
        let shopper = orders::purchase(engine, &Caller::guest(), &number, &key).await.unwrap();
        assert!(shopper.orders[0].shipments.len() == 2 && shopper.orders[0].shipments.iter().all(|s| s.delivered_at.is_some()));
        let mut mails = Vec::new();
        for card in mailbox::latest(&engine.db).await.unwrap() {
            mails.push(mailbox::find(&engine.db, card.id).await.unwrap());
        }
        let about = |what: &str| mails.iter().filter(|mail| mail.subject.starts_with(what)).collect::<Vec<_>>();
        let (shipped, tracking) = (about("shipped"), about("tracking"));
        assert_eq!((shipped.len(), tracking.len()), (2, 3), "an email for each parcel and each correction");
        assert!(tracking.iter().all(|mail| mail.html.contains("P 1c") && !mail.html.contains("P 2")), "about its own parcel");
    }

    /// The customer pays with the last parcel, so no other email asks for cash: neither one that was written after
    /// that was shipped, nor a correction.
    async fn the_last_parcel_alone_asks_for_cash(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        let order = format!("{number}-1");
        orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
        let seen = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap();
        let part = [LineQuantity { position: seen.order.order.lines[0].position, quantity: 1 }];
        let parcel = |number: &str| Shipment { tracking_number: number.into(), ..shipment() };
        let first = orders::ship_part(engine, &owner, MEENA, &order, &part, parcel("P 1")).await.unwrap();
        orders::ship(engine, &owner, MEENA, &order, parcel("P 2")).await.unwrap();
        market.settle().await;
        orders::track(engine, &owner, MEENA, &order, first, parcel("P 1a")).await.unwrap();
        market.settle().await;
        let mut mails = Vec::new();
        for card in mailbox::latest(&engine.db).await.unwrap() {
            mails.push(mailbox::find(&engine.db, card.id).await.unwrap().html);
        }
        let of = |number: &str, said: &str| mails.iter().filter(|mail| mail.contains(&format!("{number}\"")) && mail.contains(said)).count();
        assert_eq!((of("P 1", "last: false, only: false"), of("P 1a", "last: false, only: false")), (1, 1), "{mails:?}");
        assert_eq!(of("P 2", "last: true, only: false"), 1, "{mails:?}");
    }

    /// Parts are shipped concurrently: never more than was ordered.
    async fn parts_shipped_at_once(market) {
        let owner = market.owner(MEENA).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 50).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 5)]).await).await.unwrap();
        let order = format!("{number}-1");
        orders::confirm(&market.engine, &owner, MEENA, &order).await.unwrap();
        let seen = orders::seller_order(&market.engine, &owner, MEENA, &order).await.unwrap();
        let part = [LineQuantity { position: seen.order.order.lines[0].position, quantity: 2 }];
        let moves = (0..8).map(|i| {
            let (engine, owner, order) = (market.engine.clone(), owner.clone(), order.clone());
            let shipment = Shipment { tracking_number: format!("BD {i}"), ..shipment() };
            async move {
                match i {
                    7 => orders::cancel(&engine, &owner, MEENA, &order, "No").await.is_ok().then_some(()),
                    _ => orders::ship_part(&engine, &owner, MEENA, &order, &part, shipment).await.is_ok().then_some(()),
                }
            }
        });
        let outcomes = at_once(moves.collect()).await;
        let cancelled = outcomes[7].is_some();
        let shipped = outcomes[..7].iter().flatten().count();
        assert_eq!(shipped, if cancelled { 0 } else { 2 });
    }

    /// Of concurrent shipments with different numbers, the first ships and the rest correct it; none is lost.
    async fn concurrent_shipments_with_different_tracking(market) {
        let owner = market.owner(MEENA).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 50).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        let order = format!("{number}-1");
        orders::confirm(&market.engine, &owner, MEENA, &order).await.unwrap();
        let moves = (0..9).map(|i| {
            let (engine, owner, order) = (market.engine.clone(), owner.clone(), order.clone());
            let shipment = Shipment { tracking_number: format!("BD {i}"), ..shipment() };
            async move { orders::ship(&engine, &owner, MEENA, &order, shipment).await }
        });
        for outcome in at_once(moves.collect()).await {
            outcome.unwrap();
        }
        let seen = orders::seller_order(&market.engine, &owner, MEENA, &order).await.unwrap();
        let mut numbers: Vec<_> = seen.events.iter().filter_map(|e| Some(e.data.shipment.as_ref()?.tracking_number.clone())).collect();
        assert_eq!(numbers.last(), latest(&seen.order.order).map(|s| s.tracking_number).as_ref());
        numbers.sort();
        assert_eq!(numbers, (0..9).map(|i| format!("BD {i}")).collect::<Vec<_>>());
    }

    async fn a_second_cancellation_reports_the_first(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 50).await;
        let cancelled = |by, reason: &str| -> Result<(), Error> {
            Err(Conflict::AlreadyCancelled { by, reason: reason.into() }.into())
        };
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let number = market.buy_by_card(&guest).await;
        let (order, key) = (format!("{number}-1"), market.key(&number));
        for same in ["The kiln broke", " The kiln broke "] {
            orders::cancel(engine, &owner, MEENA, &order, same).await.unwrap();
        }
        assert_eq!(orders::cancel(engine, &owner, MEENA, &order, "Out of clay").await, cancelled(Actor::Shop, "The kiln broke"));
        let mine = orders::cancel_by_customer(engine, &guest, &number, &key, &order, "The kiln broke").await;
        assert_eq!(mine, cancelled(Actor::Shop, "The kiln broke"), "another actor, though the same reason");
        // Customers need not say why.
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let number = market.buy_in_cash(&guest).await.unwrap();
        let (order, key) = (format!("{number}-1"), market.key(&number));
        for _ in 0..2 {
            orders::cancel_by_customer(engine, &guest, &number, &key, &order, " ").await.unwrap();
        }
        let shop = orders::cancel(engine, &owner, MEENA, &order, "Out of clay").await;
        assert_eq!(shop, cancelled(Actor::Shopper, ""));
        // Both sides cancel concurrently with different reasons: one succeeds, the other learns who won.
        for _ in 0..6 {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let number = market.buy_in_cash(&guest).await.unwrap();
            let (order, key) = (format!("{number}-1"), market.key(&number));
            let moves = (0..2).map(|i| {
                let (engine, owner, guest) = (engine.clone(), owner.clone(), guest.clone());
                let (number, order, key) = (number.clone(), order.clone(), key.clone());
                async move {
                    match i {
                        0 => orders::cancel(&engine, &owner, MEENA, &order, "Out of clay").await,
                        _ => orders::cancel_by_customer(&engine, &guest, &number, &key, &order, "Changed my mind").await,
                    }
                }
            });
            let outcomes = at_once(moves.collect()).await;
            let last = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap().events.pop().unwrap();
            let expected = match last.actor {
                Actor::Shop => [Ok(()), cancelled(Actor::Shop, "Out of clay")],
                _ => [cancelled(Actor::Shopper, "Changed my mind"), Ok(())],
            };
            assert_eq!(outcomes, expected);
        }
    }

    async fn cash_that_was_never_paid_needs_no_refund(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        let order = format!("{number}-1");
        orders::cancel(engine, &owner, MEENA, &order, "Out of clay").await.unwrap();
        let seen = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap();
        assert_eq!((seen.order.order.refunds, seen.payment), (vec![], PaymentState::Accepted));
        assert_eq!(market.available(bowl).await, 5);
    }

    async fn customers_cancel_until_the_shop_confirms(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let (first, second) = (market.guest_with(&[(bowl, 1)]).await, market.guest_with(&[(bowl, 1)]).await);
        let (a, b) = (market.buy_by_card(&first).await, market.buy_by_card(&second).await);
        let (order_a, order_b) = (format!("{a}-1"), format!("{b}-1"));
        let nobody = Caller::guest();
        let why = "Changed my mind";
        assert_eq!(orders::cancel_by_customer(engine, &nobody, &a, "", &order_a, why).await, Err(Error::NotFound));
        assert_eq!(orders::cancel_by_customer(engine, &owner, &a, "", &order_a, why).await, Err(Error::NotFound));
        let other = orders::cancel_by_customer(engine, &first, &a, "", &order_b, why).await;
        assert_eq!(other, Err(Error::NotFound), "another purchase's order");
        orders::cancel_by_customer(engine, &first, &a, "", &order_a, why).await.unwrap();
        assert_eq!(orders::confirm(engine, &owner, MEENA, &order_a).await, moved(OrderState::Cancelled));
        orders::confirm(engine, &owner, MEENA, &order_b).await.unwrap();
        let late = orders::cancel_by_customer(engine, &nobody, &b, &market.key(&b), &order_b, why).await;
        assert_eq!(late, moved(OrderState::Confirmed));
        let seen = orders::seller_order(engine, &owner, MEENA, &order_a).await.unwrap();
        assert_eq!(seen.events.last().map(|e| (e.actor, e.data.note.as_str())), Some((Actor::Shopper, why)));
    }

    async fn others_orders_do_not_exist(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        let order = format!("{number}-1");
        let delta = market.owner("delta-electronics").await;
        // By the handle of the shop that owns the order, and by their own.
        for handle in [MEENA, "delta-electronics"] {
            assert_eq!(orders::seller_order(engine, &delta, handle, &order).await, Err(Error::NotFound));
            assert_eq!(orders::confirm(engine, &delta, handle, &order).await, Err(Error::NotFound));
            assert_eq!(orders::ship(engine, &delta, handle, &order, shipment()).await, Err(Error::NotFound));
            assert_eq!(orders::deliver(engine, &delta, handle, &order).await, Err(Error::NotFound));
            assert_eq!(orders::cancel(engine, &delta, handle, &order, "x").await, Err(Error::NotFound));
        }
        assert_eq!(orders::confirm(engine, &Caller::guest(), MEENA, &order).await, Err(Error::SignInNeeded));
        assert_eq!(orders::list_all(engine, &delta, ListOrders::default()).await, Err(Error::NotFound));
    }

    async fn packing_slips_are_printed_for_the_shops_own_orders(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let jug = market.product(MEENA, "Clay jug", 65_000, 9).await;
        let cable = market.product("delta-electronics", "Cable", 9_900, 9).await;
        let mut numbers = Vec::new();
        for lines in [&[(bowl, 1), (jug, 2)][..], &[(bowl, 1)], &[(cable, 1)]] {
            let number = market.buy_in_cash(&market.guest_with(lines).await).await.unwrap();
            numbers.push(format!("{number}-1"));
        }
        let [first, second, theirs] = &numbers[..] else { unreachable!() };
        let wanted = [second, "H0-1", theirs, first, second].map(ToOwned::to_owned).to_vec();
        let slips = orders::packing_slips(engine, &owner, MEENA, wanted.clone()).await.unwrap();
        let seen: Vec<_> = slips.iter().map(|slip| (slip.order.number.as_str(), slip.order.lines.len())).collect();
        assert_eq!(seen, [(second.as_str(), 1), (first.as_str(), 2)]);
        assert_eq!(orders::packing_slips(engine, &owner, MEENA, Vec::new()).await.unwrap(), []);
        let delta = market.owner("delta-electronics").await;
        assert_eq!(orders::packing_slips(engine, &delta, MEENA, wanted).await, Err(Error::NotFound));
    }

    async fn orders_are_found_by_state_and_words(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 99).await;
        let mut numbers = Vec::new();
        for _ in 0..52 {
            numbers.push(market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap());
        }
        orders::confirm(engine, &owner, MEENA, &format!("{}-1", numbers[7])).await.unwrap();
        let list = |q: &str, state: &str, after: &str| {
            let ask = ListOrders { q: q.into(), state: state.into(), after: after.into(), ..ListOrders::default() };
            let owner = owner.clone();
            async move { orders::seller_list(engine, &owner, MEENA, ask).await }
        };
        let first = list("", "", "").await.unwrap();
        assert_eq!((first.items.len(), first.items[0].item_count, first.items[0].name.as_str()), (50, 1, "Asha Rao"));
        let rest = list("", "", &first.next.unwrap()).await.unwrap();
        assert_eq!((rest.items.len(), rest.next), (2, None));
        let found = list("", "confirmed", "").await.unwrap();
        assert_eq!(found.items.iter().map(|o| o.number.clone()).collect::<Vec<_>>(), [format!("{}-1", numbers[7])]);
        for (q, count) in [(numbers[3].to_lowercase().as_str(), 1), ("ASHA rao", 50), ("asha@example.com nobody", 0), ("%", 0)] {
            assert_eq!(list(q, "", "").await.unwrap().items.len(), count, "{q}");
        }
        assert_eq!(list("", "lost", "").await.unwrap_err().at("state"), Some(FieldCode::NotAChoice));
        assert_eq!(list("", "", "nonsense").await.unwrap_err().at("after"), Some(FieldCode::BadCursor));
        let all = orders::list_all(engine, &Caller::system(), ListOrders::default()).await.unwrap();
        assert_eq!(all.items.len(), 50);
        let table = orders::seller_table(engine, &owner, MEENA, ListOrders { state: "confirmed".into(), ..ListOrders::default() }).await.unwrap();
        assert_eq!((table.page.items.len(), table.count("confirmed"), table.count("placed"), table.count("")), (1, 1, 51, 52));
        // One that is partly shipped is still confirmed, and found by that as well.
        let double = market.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        let double = format!("{double}-1");
        orders::confirm(engine, &owner, MEENA, &double).await.unwrap();
        let part = [LineQuantity { position: 0, quantity: 1 }];
        orders::ship_part(engine, &owner, MEENA, &double, &part, shipment()).await.unwrap();
        for (state, listed) in [("confirmed", 2), ("partly_shipped", 1)] {
            let found = list("", state, "").await.unwrap().items;
            let partly: Vec<_> = found.iter().filter(|o| o.partly_shipped).map(|o| o.number.clone()).collect();
            assert_eq!((found.len(), partly), (listed, vec![double.clone()]), "{state}");
        }
        let table = orders::seller_table(engine, &owner, MEENA, ListOrders::default()).await.unwrap();
        assert_eq!((table.count("confirmed"), table.count("partly_shipped"), table.count("")), (1, 1, 53));
        orders::ship(engine, &owner, MEENA, &double, shipment()).await.unwrap();
        assert_eq!(list("", "partly_shipped", "").await.unwrap().items, []);
        let of_one = ListOrders { q: numbers[3].clone(), ..ListOrders::default() };
        let table = orders::table_of_all(engine, &Caller::system(), of_one).await.unwrap();
        assert_eq!(table.counts, [("placed".to_owned(), 1)]);
        assert_eq!(orders::table_of_all(engine, &owner, ListOrders::default()).await, Err(Error::NotFound));
    }

    async fn orders_that_have_been_pending_for_more_than_a_day_are_listed(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let cable = market.product("delta-electronics", "Cable", 9_900, 9).await;
        let mut numbers = Vec::new();
        for variant in [bowl, bowl, cable] {
            numbers.push(market.buy_in_cash(&market.guest_with(&[(variant, 1)]).await).await.unwrap());
        }
        orders::confirm(engine, &owner, MEENA, &format!("{}-1", numbers[0])).await.unwrap();
        market.clock.advance_ms(24 * 3_600_000 + 10);
        market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        let overdue = ListOrders { overdue: true, ..ListOrders::default() };
        let table = orders::table_of_all(engine, &Caller::system(), overdue.clone()).await.unwrap();
        let listed: Vec<_> = table.page.items.iter().map(|order| order.number.clone()).collect();
        assert_eq!(listed, [format!("{}-1", numbers[2]), format!("{}-1", numbers[1])]);
        assert_eq!(table.counts, [("placed".to_owned(), 2)]);
        let home = haat_engine::audit::home(engine, &Caller::system()).await.unwrap();
        assert_eq!(home.waiting_orders, 2, "as Admin's home page counts them");
        let table = orders::seller_table(engine, &owner, MEENA, overdue.clone()).await.unwrap();
        assert_eq!((table.count(""), table.page.items.len()), (1, 1));
        let exported = orders::export(engine, &owner, MEENA, &overdue).await.unwrap().text;
        let exported = String::from_utf8(exported).unwrap();
        assert!(exported.lines().count() == 2 && exported.contains(&numbers[1]), "{exported}");
    }

    async fn orders_are_sorted_by_date_and_total(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let mut numbers = Vec::new();
        for price in [45_000, 9_000, 45_000, 120_000, 9_000] {
            let bowl = market.product(MEENA, "Clay bowl", price, 9).await;
            numbers.push(market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap());
            market.clock.advance_ms(1_000);
        }
        for sort in ORDER_SORTS {
            let mut listed = Vec::new();
            let mut ask = ListOrders { sort: sort.into(), limit: Some(2), ..ListOrders::default() };
            loop {
                let page = orders::seller_list(engine, &owner, MEENA, ask.clone()).await.unwrap();
                listed.extend(page.items);
                let Some(next) = page.next else { break };
                ask.after = next;
            }
            if sort.starts_with('-') {
                listed.reverse();
            }
            match sort.ends_with("placed") {
                true => assert!(listed.iter().map(|o| &o.number[..10]).eq(numbers.iter().map(|n| &n[..10])), "{sort}"),
                false => assert!(listed.is_sorted_by_key(|o| o.total.amount()) && listed.len() == 5, "{sort}"),
            }
        }
        let bad = ListOrders { sort: "name".into(), ..ListOrders::default() };
        let refused = orders::seller_list(engine, &owner, MEENA, bad).await.unwrap_err();
        assert_eq!(refused.at("sort"), Some(FieldCode::NotAChoice));
    }

    async fn orders_are_exported_as_they_are_listed(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 999).await;
        let mut numbers = Vec::new();
        for _ in 0..103 {
            numbers.push(market.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap());
        }
        orders::confirm(engine, &owner, MEENA, &format!("{}-1", numbers[7])).await.unwrap();
        let export = async |mut ask: ListOrders| {
            let mut text = Vec::new();
            loop {
                let part = orders::export(engine, &owner, MEENA, &ask).await.unwrap();
                text.extend(part.text);
                match part.next {
                    Some(next) => ask.after = next,
                    None => return String::from_utf8(text).unwrap(),
                }
            }
        };
        let all = export(ListOrders { sort: "placed".into(), ..ListOrders::default() }).await;
        let lines: Vec<&str> = all.lines().collect();
        assert!(lines[0].starts_with("order,placed_at,status,items,currency,total,"), "{}", lines[0]);
        assert_eq!(lines.len(), 104);
        for (line, number) in lines[1..].iter().zip(&numbers) {
            let status = if *number == numbers[7] { "confirmed" } else { "placed" };
            let (order, rest) = line.split_once(',').unwrap();
            assert_eq!(order, format!("{number}-1"));
            assert!(rest.contains(&format!(",{status},2,INR,")) && rest.contains(",Asha Rao,asha@example.com,"), "{line}");
        }
        let confirmed = export(ListOrders { state: "confirmed".into(), ..ListOrders::default() }).await;
        assert_eq!(confirmed.lines().count(), 2, "{confirmed}");
        let delta = market.owner("delta-electronics").await;
        assert!(matches!(orders::export(engine, &delta, MEENA, &ListOrders::default()).await, Err(Error::NotFound)));
    }

    /// The shop ships, the shop cancels and a colleague cancels too, concurrently: exactly one wins.
    async fn cancel_and_ship_at_once(market) {
        let owner = market.owner(MEENA).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 50).await;
        let mut left = 50;
        for round in 0..12 {
            let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
            let order = format!("{number}-1");
            // In every other round, the shopper cancels while the shop confirms.
            if round % 2 == 0 {
                orders::confirm(&market.engine, &owner, MEENA, &order).await.unwrap();
            }
            let moves = (0..9).map(|i| {
                let (engine, owner, number, order) = (market.engine.clone(), owner.clone(), number.clone(), order.clone());
                let key = market.key(&number);
                async move {
                    match (round % 2, i % 3) {
                        (0, 0) => orders::ship(&engine, &owner, MEENA, &order, shipment()).await.map(|()| OrderState::Shipped),
                        (0, _) => orders::cancel(&engine, &owner, MEENA, &order, "No").await.map(|()| OrderState::Cancelled),
                        (_, 0) => orders::confirm(&engine, &owner, MEENA, &order).await.map(|()| OrderState::Confirmed),
                        _ => orders::cancel_by_customer(&engine, &Caller::guest(), &number, &key, &order, "No").await.map(|()| OrderState::Cancelled),
                    }
                }
            });
            let outcomes = at_once(moves.collect()).await;
            let seen = orders::seller_order(&market.engine, &owner, MEENA, &order).await.unwrap();
            let stands = seen.order.order.state;
            for outcome in &outcomes {
                match outcome {
                    Ok(state) => assert_eq!(*state, stands),
                    Err(error) => assert_eq!(*error, Conflict::OrderMoved(stands).into()),
                }
            }
            assert!(outcomes.iter().any(|o| o.is_ok()));
            left -= i64::from(stands != OrderState::Cancelled);
        }
        market.settle().await;
        assert_eq!(market.available(bowl).await, left);
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, (50 - left) * 49_900);
    }

    /// Both orders of a purchase are cancelled concurrently: both are refunded, never more than was captured.
    async fn both_orders_of_a_purchase_cancelled_at_once(market) {
        let shops = [(MEENA, market.owner(MEENA).await), ("delta-electronics", market.owner("delta-electronics").await)];
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 20).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 20).await;
        for _ in 0..6 {
            let number = market.buy_by_card(&market.guest_with(&[(bowl, 1), (lamp, 2)]).await).await;
            let purchase = orders::purchase(&market.engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap();
            let moves = (0..8).map(|i| {
                let (handle, owner) = shops[i % 2].clone();
                let order = purchase.orders.iter().find(|o| o.shop_handle == handle).unwrap().number.clone();
                let engine = market.engine.clone();
                async move { orders::cancel(&engine, &owner, handle, &order, "No").await }
            });
            for outcome in at_once(moves.collect()).await {
                outcome.unwrap();
            }
            // Two workers process the refund concurrently.
            let workers = (0..2).map(|_| { let engine = market.engine.clone(); async move { haat_engine::dispatch::drain(&engine).await.unwrap() } });
            at_once(workers.collect()).await;
        }
        market.settle().await;
        assert_eq!((market.available(bowl).await, market.available(lamp).await), (20, 20));
        let captures = sandbox::captures(&market.engine.db).await.unwrap();
        assert_eq!((captures.captured, captures.kept_minor), (6, 0));
    }
}
