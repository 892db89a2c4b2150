//! An order: the next actions, then its details.

mod cancel;
mod customer;
mod history;
mod next_step;
mod refund;
mod returns;
mod ship;
mod slips;

pub(crate) use slips::{PackingSlip, PackingSlips};

use haat_shared::{
    admin::PaymentCard,
    disputes::{DisputeState, OrderDispute},
    forms::Draft,
    id::kinds::UserId,
    orders::{OrderEventKind, OrderState, OrderView, RefundReason, SellerOrder, Shipment, ShopOrderView},
    returns::ReturnState,
    routes,
    shipping::ShippingMethod,
};
use leptos::prelude::*;

use self::{
    cancel::{Cancel, NoCancel},
    customer::Customer,
    history::History,
    next_step::NextStep,
    refund::Refund,
    returns::{Answering, Returns},
    ship::{Parcel, ShipPart},
};
use super::{Dashboard, Part};
use crate::{
    api,
    back_office::orders,
    i18n::{t, tu_string, use_i18n},
    state::{param, query},
    storefront::{Timeline, contents, draft_by, invoice_links, no_longer_paid, order_lines},
    ui::{AddressLines, Alert, CodeAlert, LinkButton, PageTitle, Print, Sums, loaded, unbroken},
    words::{self, I18n},
};

/// An order page.
#[component]
pub(crate) fn Order() -> impl IntoView {
    let (handle, number, draft) = (param("handle"), param("number"), query("draft"));
    let found = api::find(
        move || (handle.get(), number.get(), draft.get()),
        |(handle, number, draft)| async move {
            let order = api::orders::seller_order(handle.clone(), number).await?;
            Ok((handle, order, draft_by("order", draft).await?))
        },
    );
    let page =
        loaded(found, |(handle, order, draft)| view! { <OrderDetails handle order draft=Some(draft) /> });
    view! { <Dashboard here=Part::Orders>{page}</Dashboard> }
}

/// An order, with what the shop's members can do about it.
#[component]
pub(crate) fn OrderDetails(
    handle: String,
    order: SellerOrder,
    /// The input of a rejected form; `None` for admins, who only look.
    draft: Option<Draft>,
    /// The input of an admin's rejected form; `None` if they can't decide on returns, or it isn't an admin.
    #[prop(default = None)]
    decides: Option<Draft>,
    /// The same of an admin who may refund it, or not.
    #[prop(default = None)]
    refunds: Option<Draft>,
    /// The payments of the purchase that an admin may see.
    #[prop(default = Vec::new())]
    payments: Vec<PaymentCard>,
    /// The customer's account, for admins who may see users.
    #[prop(default = None)]
    account: Option<UserId>,
) -> impl IntoView {
    let i18n = use_i18n();
    let looks = draft.is_none();
    let may_refund = refunds;
    let draft = draft.unwrap_or_default();
    let SellerOrder {
        order,
        email,
        can_message,
        events,
        commission,
        market_discount,
        earned,
        refundable,
        disputes,
        return_address,
        other_order_count,
        other_orders,
        ..
    } = order;
    let ShopOrderView { mut order, placed_at, address, payment_method: method, .. } = order;
    let left_to_refund = order.totals.total.minus(order.refunded()).unwrap_or(order.totals.total);
    let less = no_longer_paid(i18n, &order);
    let collects = order.to_collect();
    let nothing_left = order.lines.iter().all(|line| line.to_ship() == 0);
    let refunds = std::mem::take(&mut order.refunds);
    let shipments = std::mem::take(&mut order.shipments);
    let returns = std::mem::take(&mut order.returns);
    let partly = order.state == OrderState::Confirmed && !shipments.is_empty();
    let state = words::shop_order_state(i18n, order.state, partly, order.shipping_method);
    let title = tu_string!(i18n, purchase.order, number = order.number.as_str()).to_string();
    let placed = tu_string!(i18n, seller_orders.placed, date = words::moment(i18n, &placed_at)).to_string();
    let pickup = order.shipping_method == ShippingMethod::Pickup;
    let appointment = order.is_appointment();
    let promised = order.shipping_method.is_carried().then(|| view! { <p>{way(i18n, &order)}</p> });
    let to_collect = !method.collected_by_market()
        && order.exchange_of.is_none()
        && !matches!(order.state, OrderState::Delivered | OrderState::Cancelled);
    let payment = match order.state {
        OrderState::Cancelled if order.exchange_of.is_some() => {
            words::cancelled_money(i18n, &order, method.collected_by_market())
        }
        OrderState::Cancelled if refunds.is_empty() || !method.collected_by_market() => {
            t!(i18n, seller_orders.nothing_collected).to_owned()
        }
        // The shop is asked to collect it; admins are told that it will.
        _ if looks && to_collect && order.is_appointment() => {
            t!(i18n, admin.to_collect_appointment, price = collects)
        }
        _ if looks && to_collect => match pickup {
            true => t!(i18n, admin.to_collect_pickup, price = collects),
            false => t!(i18n, admin.to_collect, price = collects),
        },
        _ => words::collected_by(i18n, method, &order, collects),
    };
    let all_refunds = refunds.clone();
    // What an admin has just refunded.
    let latest_refund =
        refunds.last().filter(|_| looks && query("done").with_untracked(|done| done == "refund"));
    let latest_refund = latest_refund
        .map(|refund| t!(i18n, admin.done_refund, price = refund.amount, shop = order.shop_name.as_str()));
    let refunds = refunds.into_iter().map(|refund| {
        let words = match refund.completed_at {
            _ if refund.reason == RefundReason::Unshipped => {
                t!(i18n, seller_orders.items_cancelled, price = refund.amount)
            }
            Some(at) => t!(i18n, seller_orders.refunded, price = refund.amount, date = words::day(i18n, &at)),
            None => t!(i18n, seller_orders.refund_under_way, price = refund.amount),
        };
        view! { <p>{words}</p> }
    });
    let refunds = refunds.collect_view();
    let by_market = (t!(i18n, balance.promotion), market_discount);
    let shares = match method.collected_by_market() {
        _ if order.state == OrderState::Cancelled => Vec::new(),
        true => {
            let words = if looks { t!(i18n, admin.earned) } else { t!(i18n, seller_orders.earned) };
            vec![(t!(i18n, seller_orders.commission), commission), by_market, (words, earned)]
        }
        // The shop collected the money and owes the market its commission.
        false if looks => vec![(t!(i18n, admin.owed), commission), by_market],
        false => vec![(t!(i18n, seller_orders.owed), commission), by_market],
    };
    let shares = shares.into_iter().filter(|share| *share != by_market || market_discount.amount() > 0);
    let shares = shares.map(|(words, sum)| {
        view! { <p class="note">{words} " " <span class="price">{words::money(i18n, sum)}</span></p> }
    });
    let shares = shares.collect_view();
    let action = routes::shop_order(&handle, &order.number);
    let slip = routes::packing_slip(&handle, &order.number);
    let slip_path = slip.clone();
    // What is in a shipment or return goes without saying if there is only one.
    let (several, moves) = (
        shipments.len() > 1 || order.lines.iter().any(|line| line.to_ship() > 0),
        !looks && matches!(order.state, OrderState::Shipped | OrderState::Confirmed),
    );
    let shipped = !shipments.is_empty();
    let shipments = shipments.into_iter().map(|shipment| {
        let contents = several.then(|| contents(&order.lines, &shipment.lines));
        let (moves, action, draft) =
            (moves && shipment.delivered_at.is_none(), action.clone(), draft.clone());
        let slip =
            (several && !looks).then(|| routes::with(&slip_path, &[("shipment", &shipment.id.to_string())]));
        view! { <Parcel shipment contents moves slip action draft /> }
    });
    let shipments = shipments.collect_view();
    let asks = returns.iter().any(|back| back.state == ReturnState::Requested);
    let awaits = returns.iter().any(|back| back.state == ReturnState::Approved);
    let answering = match (looks, decides) {
        (false, _) => Some((action.clone(), draft.clone())),
        (true, decides) => decides.map(|draft| (routes::any_order(&order.number), draft)),
    };
    let answering = answering.map(|(action, draft)| Answering {
        action,
        draft,
        admin: looks,
        address: return_address,
        left: refundable.clone(),
    });
    let order_at: fn(&str, &str) -> String = match looks {
        true => |_, number| routes::any_order(number),
        false => routes::shop_order,
    };
    let returns = view! {
        <Returns returns lines=order.lines.clone() refunds=all_refunds.clone() order_at handle=handle.clone() number=order.number.clone() answering />
    };
    let exchange = order.exchange_of.as_deref().map(|first| {
        let words = t!(i18n, seller_orders.exchange_of, number = first);
        view! { <p class="note"><a href=order_at(&handle, first)>{unbroken(&words, first)}</a></p> }
    });
    let refunding = match looks {
        false => Some((action.clone(), draft.clone())),
        // Only the shop can give back cash.
        true => may_refund
            .filter(|_| method.collected_by_market())
            .map(|draft| (routes::refund_any(&order.number), draft)),
    };
    let refund = refundable.zip(refunding).map(|(left, (action, draft))| {
        view! { <Refund lines=order.lines.clone() left action draft admin=looks /> }
    });
    let several_payments = payments.len() > 1;
    let payments = payments.into_iter().map(|payment| {
        let sum = several_payments.then(|| words::money(i18n, payment.amount));
        view! { <p><a href=routes::payment(payment.id)>{t!(i18n, admin.view_payment)}</a>" "{sum}</p> }
    });
    let payments = payments.collect_view();
    let lines = match order.state {
        _ if appointment => t!(i18n, services.appointments),
        OrderState::Placed | OrderState::Confirmed if !looks && !partly => t!(i18n, seller_orders.pack),
        _ => t!(i18n, seller_orders.items),
    };
    let next = match order.state {
        OrderState::Delivered | OrderState::Cancelled => t!(i18n, seller_orders.state),
        _ if looks => t!(i18n, seller_orders.state),
        _ => t!(i18n, seller_orders.next_step),
    };
    let place = pickup.then(|| {
        view! {
            <div>
                <h3>{t!(i18n, seller_orders.pickup_at)}</h3>
                <p>{order.pickup_at}</p>
            </div>
        }
    });
    let invoice = |id| if looks { routes::any_invoice(id) } else { routes::shop_invoice(&handle, id) };
    let invoices = invoice_links(i18n, &order.invoices, &invoice);
    let shipped_last = match order.state {
        OrderState::Confirmed => None,
        _ => events.iter().rposition(|event| event.kind == OrderEventKind::Shipped),
    };
    // What is ordered for a slot, the shop usually delivers itself.
    let shipment = match order.slot {
        None => Shipment::default(),
        Some(_) => Shipment {
            carrier: order.shop_name.clone(),
            tracking_number: order.number.clone(),
            tracking_url: String::new(),
        },
    };
    let part = (!looks && order.state == OrderState::Confirmed).then(|| {
        let (lines, shipment) = (order.lines.clone(), shipment.clone());
        view! { <ShipPart lines pickup cash=to_collect shipment action=action.clone() draft=draft.clone() /> }
    });
    let total = left_to_refund;
    let cancel = match looks {
        true => None,
        false if partly => {
            let why = match method.collected_by_market() {
                true => t!(i18n, error.partly_shipped),
                false => t!(i18n, seller_orders.cancel_partly_cash),
            };
            Some(view! { <NoCancel why /> }.into_any())
        }
        false if disputes.iter().any(|dispute| dispute.state.is_open()) && is_cancellable(order.state) => {
            Some(view! { <NoCancel why=t!(i18n, seller_orders.cancel_disputed) /> }.into_any())
        }
        false => {
            let (action, draft) = (action.clone(), draft.clone());
            Some(view! { <Cancel state=order.state method total exchange_of=order.exchange_of.clone() action draft /> }.into_any())
        }
    };
    let name = address.parts.name.clone();
    // The list with the filters that led here.
    let list = if looks { routes::ALL_ORDERS.to_owned() } else { Part::Orders.path(&handle) };
    let back = orders::url(&list, &untrack(orders::asked()));
    let shop = looks.then(|| {
        view! { <p class="note"><a href=routes::shop(&handle)>{order.shop_name.clone()}</a></p> }
    });
    let slip = (!looks && order.state != OrderState::Cancelled).then(
        || view! { <LinkButton look="secondary" href=slip>{t!(i18n, seller_orders.slip)}</LinkButton> },
    );
    let disputed = disputes.iter().any(|dispute| dispute.state.is_open());
    let disputed =
        disputed.then(|| view! { <p class="state cancelled">{t!(i18n, seller_orders.disputed)}</p> });
    let disputes = disputes.into_iter().map(|dispute| dispute_note(i18n, dispute)).collect_view();
    let services = routes::shop_services(&handle);
    let step = (!looks).then(|| {
        view! { <NextStep state=order.state method=order.shipping_method services=services.clone() partly nothing_left asks awaits shipment action=action.clone() draft=draft.clone() /> }
    });
    view! {
        <PageTitle text=title.clone() />
        <p class="back"><a href=back>{t!(i18n, seller_orders.back)}</a></p>
        <header class="order-head">
            <div>
                <h1>{unbroken(&title, &order.number)}</h1>
                {shop}
                <p class="note">{placed}</p>
                {exchange}
            </div>
            {disputed}
            <p class=format!("state {}", order.state.as_str())>{state}</p>
        </header>
        <div class="actions paper">
            {slip}
            <Print words=t!(i18n, purchase.print) />
        </div>
        <CodeAlert />
        {match latest_refund {
            Some(words) => view! { <Alert look="good">{words}</Alert> }.into_any(),
            None => view! { <Done what=query("done").get_untracked() state=order.state pickup /> }.into_any(),
        }}
        {disputes}
        <div class="back-office-columns">
            <div>
                <section class="panel order next-step" aria-labelledby="next">
                    <h2 id="next">{next}</h2>
                    <Timeline state=order.state partly way=order.shipping_method news=false />
                    {step}
                    {part}
                </section>
                {returns}
                <section class="panel order" aria-labelledby="lines">
                    <h2 id="lines">{lines}</h2>
                    {order_lines(i18n, order.lines.clone(), true, &all_refunds)}
                    <Sums totals=order.totals taxes=order.taxes discounts=order.discounts less />
                </section>
                {refund}
                {cancel}
            </div>
            <div>
                <Customer handle name email count=other_order_count orders=other_orders number=order.number.clone() looks can_message account />
                <section class="panel order">
                    {place}
                    <div>
                        <h3>{if pickup { t!(i18n, checkout.contact) } else { t!(i18n, seller_orders.goes_to) }}</h3>
                        <AddressLines address />
                        {promised}
                    </div>
                    {shipped.then(|| view! { <div><h3>{t!(i18n, seller_orders.shipment)}</h3>{shipments}</div> })}
                    <div>
                        <h3>{t!(i18n, seller_orders.payment)}</h3>
                        <p class:collect=to_collect>{payment}</p>
                        {refunds}
                        {shares}
                        {payments}
                    </div>
                    {invoices}
                </section>
                <History events shipped_last lines=order.lines.clone() way=order.shipping_method action=action.clone() draft=(!looks).then(|| draft.clone()) />
            </div>
        </div>
    }
}

fn is_cancellable(state: OrderState) -> bool {
    matches!(state, OrderState::Placed | OrderState::Confirmed)
}

/// A dispute, and what it means for the shop.
fn dispute_note(i18n: I18n, dispute: OrderDispute) -> impl IntoView {
    let (price, held) = (words::money(i18n, dispute.amount), words::money(i18n, dispute.held));
    let (look, what) = match dispute.state {
        DisputeState::Inquiry | DisputeState::Open => {
            ("bad", t!(i18n, seller_orders.dispute_open, price = price, held = held))
        }
        DisputeState::Won => ("good", t!(i18n, seller_orders.dispute_is_won, price = price)),
        DisputeState::Lost => ("bad", t!(i18n, seller_orders.dispute_is_lost, price = price, held = held)),
    };
    let reason = (!dispute.reason.is_empty()).then(|| {
        let reason = words::dispute_reason(&dispute.reason);
        view! { <p class="note">{t!(i18n, seller_orders.dispute_reason, reason = reason)}</p> }
    });
    view! {
        <section class="panel" aria-label=t!(i18n, seller_orders.event_disputed)>
            <Alert look>{what}</Alert>
            {reason}
        </section>
    }
}

/// How an order is shipped, and when it should arrive.
fn way(i18n: I18n, order: &OrderView) -> AnyView {
    // Its own name is said with the date.
    let way = words::shipping_name(i18n, order.shipping_method, "");
    view! { <span class="dots"><span>{way}</span> " " <span>{words::estimated_delivery(i18n, order)}</span></span> }.into_any()
}

/// What was done before a redirect. It is not repeated when the order has moved on since.
#[component]
fn Done(what: String, state: OrderState, pickup: bool) -> impl IntoView {
    let i18n = use_i18n();
    let words = match (what.as_str(), state, pickup) {
        ("confirm", OrderState::Confirmed, _) => t!(i18n, seller_orders.done_confirm),
        ("ship", OrderState::Shipped, false) => t!(i18n, seller_orders.done_ship),
        ("ship", OrderState::Shipped, true) => t!(i18n, seller_orders.done_ship_pickup),
        ("ship_part", OrderState::Shipped, false) => t!(i18n, seller_orders.done_ship),
        ("ship_part", OrderState::Shipped, true) => t!(i18n, seller_orders.done_ship_pickup),
        ("ship_part", _, false) => t!(i18n, seller_orders.done_ship_part),
        ("ship_part", _, true) => t!(i18n, seller_orders.done_ready_part),
        ("track", ..) => t!(i18n, seller_orders.done_track),
        ("deliver", OrderState::Delivered, false) => t!(i18n, seller_orders.done_deliver),
        ("deliver", OrderState::Delivered, true) => t!(i18n, seller_orders.done_deliver_pickup),
        ("cancel", OrderState::Cancelled, _) => t!(i18n, seller_orders.done_cancel),
        ("note", ..) => t!(i18n, seller_orders.done_note),
        ("refund" | "return_refund" | "return_refund_now" | "return_receive_refund", ..) => {
            t!(i18n, seller_orders.done_refund)
        }
        ("return_approve", ..) => t!(i18n, seller_orders.done_return_approve),
        ("return_reject", ..) => t!(i18n, seller_orders.done_return_reject),
        ("return_exchange" | "return_receive_exchange", ..) => {
            t!(i18n, seller_orders.done_return_exchange)
        }
        ("return_receive", ..) => t!(i18n, seller_orders.done_return_receive),
        _ => return None,
    };
    Some(view! { <Alert look="good">{words}</Alert> })
}
