//! Payments as admins find them and follow them up.

use haat_engine::{
    Caller, accounts, audit, checkout, orders,
    payments::{self, Return},
    sandbox::{self, Card},
};
use haat_gateways::sandbox::Behaviour;
use haat_shared::{
    Conflict, Error, FieldCode,
    admin::{PAYMENT_SORTS, PaymentAction},
    checkout::{CheckoutState, PaymentOutcome},
    page::ListRequest,
    payments::{CashState, PaymentFailure, PaymentState},
    permissions::AdminRole,
};

use crate::{
    both,
    gateways::{pay_part, pay_rest, two_shops},
    support::*,
};

const MEENA: &str = "meena-crafts";

fn asking(q: &str, state: &str) -> ListRequest {
    ListRequest { q: q.into(), state: state.into(), ..ListRequest::default() }
}

async fn operator(market: &Market) -> Caller {
    accounts::create_operator(&market.engine, &Caller::system(), sign_up("operator")).await.unwrap();
    market.owner("operator").await
}

both! {
    async fn payments_are_found_by_everything_known_of_them(market) {
        let engine = &market.engine;
        let operator = operator(market).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        let cash = market.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        let (_, waiting, gateway_ref) = market.go_to_sandbox(&market.guest_with(&[(bowl, 1)]).await).await;
        let owner = market.owner(MEENA).await;
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "No").await.unwrap();
        market.settle().await;

        let all = payments::list(engine, &operator, &asking("", "")).await.unwrap();
        let mut counts = all.counts.clone();
        counts.sort();
        let expected = [("pending", 1), ("refunded", 1), ("to_collect", 1)].map(|(state, n)| (state.to_owned(), n));
        assert_eq!(counts, expected);
        assert_eq!(all.page.items.iter().map(|payment| payment.state).collect::<Vec<_>>(), [PaymentState::Pending, PaymentState::Accepted, PaymentState::Refunded]);
        let paid = all.page.items[2].clone();
        assert_eq!((paid.captured, paid.refunded, paid.being_refunded.amount()), (paid.amount, paid.amount, 0));
        assert_eq!((paid.purchase_number.as_deref(), paid.email.as_deref()), (Some(number.as_str()), Some("asha@example.com")));
        let details = payments::details(engine, &operator, paid.id).await.unwrap();
        assert_eq!((details.orders.len(), details.refunds.len(), details.others.len()), (1, 1, 0));
        assert_eq!((&details.orders[0].number, details.orders[0].cancelled_at.is_some()), (&format!("{number}-1"), true));
        assert_eq!((details.name.as_deref(), details.customer_id), (Some("Asha Rao"), None), "a guest");
        assert_eq!(details.refunds[0].order_number, Some(format!("{number}-1")));
        assert!(details.refunds[0].completed_at.is_some());
        assert!(details.reports.is_empty(), "the browser came first, and the webhook was not delivered");
        market.webhook("evt_late", paid.gateway_ref.as_deref().unwrap(), paid.id).await.unwrap();
        let details = payments::details(engine, &operator, paid.id).await.unwrap();
        assert_eq!(details.reports.iter().map(|report| report.kind.as_str()).collect::<Vec<_>>(), ["payment"]);

        let paid_ref = paid.gateway_ref.unwrap();
        let refund_ref = details.refunds[0].gateway_ref.clone().unwrap();
        for (q, found) in [
            (paid_ref.as_str(), vec![paid.id]),
            (refund_ref.as_str(), vec![paid.id]),
            (paid.id.to_string().as_str(), vec![paid.id]),
            (number.to_lowercase().as_str(), vec![paid.id]),
            (format!(" {number}-1 ").as_str(), vec![paid.id]),
            (gateway_ref.as_str(), vec![waiting]),
            ("499", vec![waiting, paid.id]),
            ("499.00", vec![waiting, paid.id]),
            ("499.01", vec![]),
            ("asha@example.com", all.page.items[1..].iter().map(|payment| payment.id).collect()),
            ("nothing", vec![]),
        ] {
            let page = payments::list(engine, &operator, &asking(q, "")).await.unwrap().page;
            assert_eq!(page.items.iter().map(|payment| payment.id).collect::<Vec<_>>(), found, "{q}");
        }
        let accepted = payments::list(engine, &operator, &asking("", "accepted")).await.unwrap();
        assert_eq!((accepted.page.items[0].purchase_number.as_deref(), accepted.count("pending")), (Some(cash.as_str()), 1));
        let to_collect = payments::list(engine, &operator, &asking("", "to_collect")).await.unwrap();
        assert_eq!(to_collect.page.items, accepted.page.items);
        let one = ListRequest { limit: Some(1), sort: PAYMENT_SORTS[1].into(), ..ListRequest::default() };
        let first = payments::list(engine, &operator, &one).await.unwrap().page;
        assert_eq!(first.items[0].id, paid.id);
        let next = ListRequest { after: first.next.unwrap(), ..one };
        assert_eq!(payments::list(engine, &operator, &next).await.unwrap().page.items[0].state, PaymentState::Accepted);

        for (ask, field) in [(asking("", "lost"), "state"), (ListRequest { sort: "id".into(), ..ListRequest::default() }, "sort")] {
            let refused = payments::list(engine, &operator, &ask).await.unwrap_err();
            assert_eq!(refused.at(field), Some(FieldCode::NotAChoice));
        }
        assert_eq!(payments::list(engine, &Caller::guest(), &asking("", "")).await.unwrap_err(), Error::SignInNeeded);
        assert_eq!(payments::details(engine, &owner, paid.id).await.unwrap_err(), Error::NotFound);
    }

    async fn lost_webhooks_are_made_up_for_by_hand(market) {
        let engine = &market.engine;
        let operator = operator(market).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, Card::WebhookNever).await;
        let details = payments::details(engine, &operator, payment).await.unwrap();
        assert_eq!(details.actions, [PaymentAction::Check, PaymentAction::Cancel]);
        // The gateway's own pages call it otherwise.
        *market.line.paid_as.lock().unwrap() = Some("paid_1".into());
        payments::follow_up(engine, &operator, payment, PaymentAction::Check).await.unwrap();
        for reference in [&*gateway_ref, "paid_1"] {
            let found = payments::list(engine, &operator, &asking(reference, "")).await.unwrap().page.items;
            assert_eq!(found.iter().map(|found| found.id).collect::<Vec<_>>(), [payment], "{reference}");
            assert_eq!(found[0].paid_ref.as_deref(), Some("paid_1"));
        }
        assert_eq!(checkout::view(engine, &guest, id).await.unwrap().state, CheckoutState::Completed);
        // What is captured can't be cancelled.
        let late = payments::follow_up(engine, &operator, payment, PaymentAction::Cancel).await;
        assert_eq!(late, Err(Conflict::PaymentMoved.into()));
        let log = audit::list(engine, &operator, "").await.unwrap().items;
        let number = checkout::view(engine, &guest, id).await.unwrap().purchase.unwrap().number;
        assert_eq!((log[0].action.as_str(), log[0].about.number.as_deref()), ("payments::check", Some(number.as_str())));
        assert_eq!(log[0].user_email.as_deref(), Some("operator@haat.example"));
    }

    async fn a_payment_is_cancelled_at_its_gateway(market) {
        let engine = &market.engine;
        let operator = operator(market).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (id, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        payments::follow_up(engine, &operator, payment, PaymentAction::Cancel).await.unwrap();
        market.enter(&gateway_ref, Card::Approve).await;
        assert!(sandbox::find(&engine.db, &gateway_ref).await.unwrap().is_cancelled());
        assert_eq!(market.come_back(payment).await, Ok(Return::Checkout(id, Some(Conflict::PaymentCancelled))));
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!((view.state, view.payment), (CheckoutState::Open, Some(PaymentOutcome::Declined)));
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().captured, 0);
    }

    async fn an_authorized_part_is_captured_by_hand(market) {
        let market = &market.behaving(Behaviour { authorizes: true, ..Behaviour::default() });
        let engine = &market.engine;
        let operator = operator(market).await;
        let (guest, id) = two_shops(market).await;
        let part = pay_part(market, id).await;
        payments::follow_up(engine, &operator, part, PaymentAction::Capture).await.unwrap();
        let captures = sandbox::captures(&engine.db).await.unwrap();
        assert_eq!((captures.captured, captures.kept_minor), (1, 30_000));
        let again = payments::follow_up(engine, &operator, part, PaymentAction::Capture).await;
        assert_eq!(again, Err(Conflict::PaymentMoved.into()));
        let (card, gateway_ref) = pay_rest(market, &guest, id).await;
        let others = payments::details(engine, &operator, card).await.unwrap().others;
        assert_eq!(others.iter().map(|other| (other.id, other.state)).collect::<Vec<_>>(), [(part, PaymentState::Captured)]);
        market.enter(&gateway_ref, Card::WebhookNever).await;
        number_in(&market.come_back(card).await.unwrap());
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 184_700);
    }

    async fn a_failed_payment_says_why_and_whose_it_is(market) {
        let engine = &market.engine;
        let operator = operator(market).await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let (_, declined, gateway_ref) = market.go_to_sandbox(&market.guest_with(&[(bowl, 1)]).await).await;
        market.enter(&gateway_ref, Card::Decline).await;
        market.come_back(declined).await.unwrap();
        let (_, cancelled, _) = market.go_to_sandbox(&market.guest_with(&[(bowl, 1)]).await).await;
        payments::follow_up(engine, &operator, cancelled, PaymentAction::Cancel).await.unwrap();
        let failed = payments::list(engine, &operator, &asking("", "failed")).await.unwrap();
        let why: Vec<_> = failed.page.items.iter().map(|payment| (payment.id, payment.failure, payment.email.as_deref())).collect();
        let asha = Some("asha@example.com");
        assert_eq!(why, [(cancelled, Some(PaymentFailure::Cancelled), asha), (declined, Some(PaymentFailure::Declined), asha)]);
        let details = payments::details(engine, &operator, declined).await.unwrap();
        assert_eq!((details.name.as_deref(), details.customer_id, details.orders.len()), (Some("Asha Rao"), None, 0));
    }

    async fn cash_is_to_collect_until_the_orders_arrive(market) {
        let engine = &market.engine;
        let operator = operator(market).await;
        let (bowl, lamp) = (market.product(MEENA, "Clay bowl", 45_000, 9).await, market.product("delta-electronics", "Lamp", 99_000, 9).await);
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1), (lamp, 1)]).await).await.unwrap();
        let payment = payments::list(engine, &operator, &asking(&number, "")).await.unwrap().page.items.remove(0).id;
        let cash = async || {
            let payment = payments::details(engine, &operator, payment).await.unwrap().payment;
            let status = payment.cash.unwrap();
            let found = payments::list(engine, &operator, &asking("", status.as_str())).await.unwrap();
            assert_eq!((&found.page.items[..], found.count(status.as_str())), (&[payment][..], 1));
            status
        };
        assert_eq!(cash().await, CashState::ToCollect);
        let by_shop = async |handle: &str| {
            let seen = orders::table_of_all(engine, &operator, haat_shared::orders::ListOrders { shop: handle.into(), ..Default::default() }).await.unwrap();
            seen.page.items[0].number.clone()
        };
        let (owner, order) = (market.owner(MEENA).await, by_shop(MEENA).await);
        orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
        orders::ship(engine, &owner, MEENA, &order, crate::orders::shipment()).await.unwrap();
        orders::deliver(engine, &owner, MEENA, &order).await.unwrap();
        assert_eq!(cash().await, CashState::PartlyCollected);
        let (delta, other) = (market.owner("delta-electronics").await, by_shop("delta-electronics").await);
        orders::cancel(engine, &delta, "delta-electronics", &other, "No").await.unwrap();
        assert_eq!(cash().await, CashState::Collected);
        let details = payments::details(engine, &operator, payment).await.unwrap();
        let mut ends: Vec<_> = details.orders.iter().map(|order| (order.shop_name.as_str(), order.delivered_at.is_some(), order.cancelled_at.is_some())).collect();
        ends.sort_unstable();
        assert_eq!(ends.iter().map(|end| (end.1, end.2)).filter(|end| end.0 != end.1).count(), 2, "{ends:?}");
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "No").await.unwrap();
        let page = orders::any_order_page(engine, &operator, &format!("{number}-1")).await.unwrap();
        assert_eq!(page.payments.iter().map(|payment| payment.cash).collect::<Vec<_>>(), [Some(CashState::Cancelled)]);
    }

    async fn an_order_leads_to_its_payment_and_customer(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let asha = market.signed_up(&market.guest_with(&[(bowl, 1)]).await, "asha").await;
        let number = format!("{}-1", market.buy_by_card(&asha).await);
        let operator = operator(market).await;
        let page = orders::any_order_page(engine, &operator, &number).await.unwrap();
        assert_eq!((page.payments.len(), page.customer), (1, asha.user_id()));
        let details = payments::details(engine, &operator, page.payments[0].id).await.unwrap();
        assert_eq!(details.customer_id, asha.user_id());
        let user = market.signed_up(&Caller::guest(), "orders").await.user_id().unwrap();
        haat_engine::admin::grant_role(engine, &Caller::system(), haat_engine::admin::Grantee::Id(user), AdminRole::Orders).await.unwrap();
        let page = orders::any_order_page(engine, &market.owner("orders").await, &number).await.unwrap();
        assert_eq!((page.payments.len(), page.customer), (1, None), "only for those who see users");
        assert_eq!(orders::any_order_page(engine, &asha, &number).await.err(), Some(Error::NotFound));
    }

    async fn who_sees_payments_may_not_manage_them(market) {
        let engine = &market.engine;
        let support = market.signed_up(&Caller::guest(), "helper").await;
        let user = support.user_id().unwrap();
        haat_engine::admin::grant_role(engine, &Caller::system(), haat_engine::admin::Grantee::Id(user), AdminRole::Support).await.unwrap();
        let support = market.owner("helper").await;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let (_, payment, _) = market.go_to_sandbox(&market.guest_with(&[(bowl, 1)]).await).await;
        assert!(payments::details(engine, &support, payment).await.unwrap().actions.is_empty());
        let refused = payments::follow_up(engine, &support, payment, PaymentAction::Cancel).await;
        assert_eq!(refused, Err(Error::Denied));
    }
}
