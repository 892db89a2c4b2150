//! An order: the next actions, then its details.

use haat_shared::{
    Error, Money,
    checkout::CheckoutLineView,
    forms::Draft,
    orders::{
        Actor, OrderEvent, OrderEventKind, OrderShipment, OrderState, OrderView, OtherOrder, SellerOrder,
        Shipment, ShipmentKind, ShopOrderView, part_field,
    },
    payments::PaymentMethod,
    routes,
    shipping::ShippingMethod,
};
use leptos::prelude::*;

use super::{Dashboard, Part};
use crate::{
    api,
    back_office::orders,
    i18n::{t, tn, tu_string, use_i18n},
    state::{param, queries, query},
    storefront::{AddressLines, Timeline, contents, draft_by, invoice_links, order_lines},
    ui::{
        Alert, Button, CodeAlert, EmptyState, Field, LinkButton, PageTitle, Print, Sums, error_summary,
        loaded, unbroken,
    },
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
) -> impl IntoView {
    let i18n = use_i18n();
    let looks = draft.is_none();
    let draft = draft.unwrap_or_default();
    let SellerOrder { order, email, events, commission, earned, other_order_count, other_orders, .. } = order;
    let ShopOrderView { mut order, placed_at, address, payment_method: method, .. } = order;
    let refunded = order.refunded();
    let left_to_refund = order.totals.total.minus(refunded).unwrap_or(order.totals.total);
    let nothing_left = order.lines.iter().all(|line| line.to_ship() == 0);
    let refunds = std::mem::take(&mut order.refunds);
    let shipments = std::mem::take(&mut order.shipments);
    let returns = std::mem::take(&mut order.returns);
    let partly = order.state == OrderState::Confirmed && !shipments.is_empty();
    let state = words::shop_order_state(i18n, order.state, partly, order.shipping_method);
    let title = tu_string!(i18n, purchase.order, number = order.number.as_str()).to_string();
    let placed = tu_string!(i18n, seller_orders.placed, date = words::moment(i18n, &placed_at)).to_string();
    let pickup = order.shipping_method == ShippingMethod::Pickup;
    let promised = (!pickup).then(|| view! { <p>{way(i18n, &order)}</p> });
    let to_collect = !method.collected_by_market()
        && !matches!(order.state, OrderState::Delivered | OrderState::Cancelled);
    let payment = match order.state {
        OrderState::Cancelled if refunds.is_empty() || !method.collected_by_market() => {
            t!(i18n, seller_orders.nothing_collected).to_owned()
        }
        // The shop is asked to collect it; admins are told that it will.
        _ if looks && to_collect => match pickup {
            true => t!(i18n, admin.to_collect_pickup, price = order.totals.total),
            false => t!(i18n, admin.to_collect, price = order.totals.total),
        },
        _ => words::collected_by(i18n, method, &order),
    };
    let refunds = refunds.into_iter().map(|refund| {
        let words = match refund.completed_at {
            Some(at) => t!(i18n, seller_orders.refunded, price = refund.amount, date = words::day(i18n, &at)),
            None => t!(i18n, seller_orders.refund_under_way, price = refund.amount),
        };
        view! { <p>{words}</p> }
    });
    let refunds = refunds.collect_view();
    let shares = match method.collected_by_market() {
        _ if order.state == OrderState::Cancelled => Vec::new(),
        true => {
            let words = if looks { t!(i18n, admin.earned) } else { t!(i18n, seller_orders.earned) };
            vec![(t!(i18n, seller_orders.commission), commission), (words, earned)]
        }
        // The shop collected the money and owes the market its commission.
        false if looks => vec![(t!(i18n, admin.owed), commission)],
        false => vec![(t!(i18n, seller_orders.owed), commission)],
    };
    let shares = shares.into_iter().map(|(words, sum)| {
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
    let returns = returns.into_iter().map(|back| {
        let state = match &back.received_at {
            Some(at) => t!(i18n, seller_orders.received_on, date = words::day(i18n, at)),
            None => t!(i18n, seller_orders.return_opened).to_owned(),
        };
        view! {
            <p>{contents(&order.lines, &back.lines)}</p>
            <p class="note dots"><span>{state}</span> " " <span>{back.reason}</span></p>
        }
    });
    let returns = returns.collect_view();
    let returned = !returns.is_empty();
    let lines = match order.state {
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
    let part = (!looks && order.state == OrderState::Confirmed).then(|| {
        let lines = order.lines.clone();
        view! { <ShipPart lines pickup cash=!method.collected_by_market() action=action.clone() draft=draft.clone() /> }
    });
    let total = left_to_refund;
    let cancel = match looks {
        true => None,
        false if partly => Some(view! { <NoCancel /> }.into_any()),
        false => {
            let (action, draft) = (action.clone(), draft.clone());
            Some(view! { <Cancel state=order.state method total action draft /> }.into_any())
        }
    };
    let name = address.name.clone();
    // The list with the filters that led here.
    let list = if looks { routes::ALL_ORDERS.to_owned() } else { Part::Orders.path(&handle) };
    let back = orders::url(&list, &untrack(orders::asked()));
    let shop = looks.then(|| {
        view! { <p class="note"><a href=routes::shop(&handle)>{order.shop_name.clone()}</a></p> }
    });
    let slip = (!looks && order.state != OrderState::Cancelled).then(
        || view! { <LinkButton look="secondary" href=slip>{t!(i18n, seller_orders.slip)}</LinkButton> },
    );
    let step = (!looks).then(|| {
        view! { <NextStep state=order.state pickup partly nothing_left action=action.clone() draft=draft.clone() /> }
    });
    view! {
        <PageTitle text=title.clone() />
        <p class="back"><a href=back>{t!(i18n, seller_orders.back)}</a></p>
        <header class="order-head">
            <div>
                <h1>{unbroken(&title, &order.number)}</h1>
                {shop}
                <p class="note">{placed}</p>
            </div>
            <p class=format!("state {}", order.state.as_str())>{state}</p>
        </header>
        <div class="actions paper">
            {slip}
            <Print words=t!(i18n, purchase.print) />
        </div>
        <CodeAlert />
        <Done what=query("done").get_untracked() state=order.state pickup />
        <div class="back-office-columns">
            <div>
                <section class="panel order next-step" aria-labelledby="next">
                    <h2 id="next">{next}</h2>
                    <Timeline state=order.state partly way=order.shipping_method news=false />
                    {step}
                    {part}
                </section>
                <section class="panel order" aria-labelledby="lines">
                    <h2 id="lines">{lines}</h2>
                    {order_lines(i18n, order.lines.clone(), true)}
                    <Sums totals=order.totals refunded=Some(refunded) />
                </section>
            </div>
            <div>
                <Customer handle name email count=other_order_count orders=other_orders looks />
                <section class="panel order">
                    {place}
                    <div>
                        <h3>{if pickup { t!(i18n, checkout.contact) } else { t!(i18n, seller_orders.goes_to) }}</h3>
                        <AddressLines address />
                        {promised}
                    </div>
                    {shipped.then(|| view! { <div><h3>{t!(i18n, seller_orders.shipment)}</h3>{shipments}</div> })}
                    {returned.then(|| view! { <div><h3>{t!(i18n, seller_orders.returns)}</h3>{returns}</div> })}
                    <div>
                        <h3>{t!(i18n, seller_orders.payment)}</h3>
                        <p class:collect=to_collect>{payment}</p>
                        {refunds}
                        {shares}
                    </div>
                    {invoices}
                </section>
                <History events shipped_last lines=order.lines.clone() way=order.shipping_method action=action.clone() draft=(!looks).then(|| draft.clone()) />
                {cancel}
            </div>
        </div>
    }
}

/// How an order is shipped, and when it should arrive.
fn way(i18n: I18n, order: &OrderView) -> AnyView {
    let way = match order.shipping_method {
        ShippingMethod::Express => t!(i18n, delivery.express),
        ShippingMethod::Standard | ShippingMethod::Pickup => t!(i18n, delivery.standard),
    };
    view! { <span class="dots"><span>{way}</span> " " <span>{words::estimated_delivery(i18n, order)}</span></span> }.into_any()
}

/// The packing slip: contents and address, without prices except for the cash to collect.
#[component]
pub(crate) fn PackingSlip() -> impl IntoView {
    let (handle, number, shipment) = (param("handle"), param("number"), query("shipment"));
    let found = api::find(
        move || (handle.get(), number.get()),
        |(handle, number)| async move { Ok((handle.clone(), api::orders::seller_order(handle, number).await?)) },
    );
    let page = loaded(found, move |(handle, SellerOrder { order, .. })| {
        let i18n = use_i18n();
        let number = order.order.number.clone();
        let asked = shipment.get();
        let parcel = order.order.shipments.iter().find(|parcel| parcel.id.to_string() == asked).cloned();
        let slips = match parcel {
            Some(parcel) => view! { <Slip order parcel=Some(parcel) alone=true /> }.into_any(),
            None => slips(order, true),
        };
        view! {
            <PageTitle text=tu_string!(i18n, seller_orders.slip_of, number = number.as_str()).to_string() />
            <p class="back"><a href=routes::shop_order(&handle, &number)>{t!(i18n, seller_orders.slip_back)}</a></p>
            {slips}
        }
    });
    view! { <Dashboard here=Part::Orders>{page}</Dashboard> }
}

/// The packing slips of several orders, each on a sheet of its own.
#[component]
pub(crate) fn PackingSlips() -> impl IntoView {
    let (handle, numbers, back) = (param("handle"), queries("id"), query("back"));
    let found = api::find(
        move || (handle.get(), numbers.get()),
        |(handle, numbers)| async move {
            Ok((handle.clone(), api::orders::packing_slips(handle, numbers).await?))
        },
    );
    let page = loaded(found, move |(handle, orders)| {
        let i18n = use_i18n();
        let list = Part::Orders.path(&handle);
        // The list as it was left.
        let back = back.get_untracked();
        let back = if back.starts_with(&list) { back } else { list };
        let title = t!(i18n, seller_orders.slips);
        let slips = if orders.is_empty() {
            let (title, note) = (t!(i18n, seller_orders.slips_none), t!(i18n, seller_orders.slips_none_note));
            view! { <EmptyState icon="box" title note page=true /> }.into_any()
        } else {
            let slips = orders.into_iter().map(|order| slips(order, false)).collect_view();
            view! {
                <div class="actions paper"><Print words=t!(i18n, purchase.print) /></div>
                {slips}
            }
            .into_any()
        };
        view! {
            <PageTitle text=title />
            <p class="back"><a href=back>{t!(i18n, seller_orders.back)}</a></p>
            {slips}
        }
    });
    view! { <Dashboard here=Part::Orders>{page}</Dashboard> }
}

/// The packing slips of an order: of what is left to ship; if that is nothing, of each of its shipments.
fn slips(order: ShopOrderView, alone: bool) -> AnyView {
    let left = order.order.lines.iter().any(|line| line.to_ship() > 0);
    if left || order.order.shipments.len() < 2 {
        return view! { <Slip order parcel=None alone /> }.into_any();
    }
    let parcels = order.order.shipments.clone().into_iter().enumerate();
    let parcels = parcels.map(|(i, parcel)| {
        view! { <Slip order=order.clone() parcel=Some(parcel) alone=alone && i == 0 /> }
    });
    parcels.collect_view().into_any()
}

#[component]
fn Slip(
    order: ShopOrderView,
    /// One of several shipments of the order; `None` for what is left to ship, or all that was shipped.
    parcel: Option<OrderShipment>,
    /// Whether it is the only one of the page, and has the button that prints the page.
    alone: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let ShopOrderView { order, placed_at, address, payment_method: method, .. } = order;
    let number = order.number.as_str();
    let title = unbroken(&tu_string!(i18n, seller_orders.slip_of, number = number), number);
    let of_order = unbroken(&tu_string!(i18n, purchase.order, number = number), number);
    let placed = tu_string!(i18n, seller_orders.placed, date = words::day(i18n, &placed_at)).to_string();
    let pickup = order.shipping_method == ShippingMethod::Pickup;
    let promised = (!pickup).then(|| view! { <p class="note">{way(i18n, &order)}</p> });
    let last = parcel.as_ref().is_none_or(|parcel| order.is_last(parcel.id));
    let (to, from, sender) = match pickup {
        true => (t!(i18n, seller_orders.customer), t!(i18n, seller_orders.pickup_at), order.pickup_at),
        false => (t!(i18n, seller_orders.ship_to), t!(i18n, seller_orders.ship_from), order.shop_name),
    };
    let ended = matches!(order.state, OrderState::Delivered | OrderState::Cancelled);
    // What is refunded or on its way already isn't packed again. If nothing is left, the slip is a copy for what was shipped.
    let left: i64 = order.lines.iter().map(CheckoutLineView::to_ship).sum();
    // Shipping everything that is left makes the last part of it.
    let splits = parcel.is_none() && left > 1 && order.state != OrderState::Shipped;
    let collect = (!method.collected_by_market() && !ended).then(|| match last {
        true => view! {
            <div>
                <p class="collect">
                    <span>{if pickup { t!(i18n, seller_orders.collect_cash_pickup) } else { t!(i18n, seller_orders.collect_cash) }}</span>
                    " "
                    <strong class="price">{words::money(i18n, order.totals.total)}</strong>
                </p>
                {splits.then(|| view! { <p class="note paper">{t!(i18n, seller_orders.cash_if_all)}</p> })}
            </div>
        }
        .into_any(),
        false => view! {
            <p class="collect">
                {t!(i18n, seller_orders.no_cash)}
                <span class="note">{t!(i18n, seller_orders.no_cash_note)}</span>
            </p>
        }
        .into_any(),
    });
    let cancelled = (order.state == OrderState::Cancelled).then(|| {
        view! { <p class="state cancelled">{words::order_state(i18n, order.state, order.shipping_method)}</p> }
    });
    let to_pack = move |line: &CheckoutLineView| match &parcel {
        Some(parcel) => {
            parcel.lines.iter().filter(|part| part.position == line.position).map(|part| part.quantity).sum()
        }
        None if left > 0 => line.to_ship(),
        None => line.quantity - line.refunded,
    };
    let item_count: i64 = order.lines.iter().map(&to_pack).sum();
    let lines = order.lines.into_iter().filter(|line| to_pack(line) > 0).map(|line| {
        let count = to_pack(&line);
        let variant = (!line.variant_title.is_empty()).then(|| view! { <span>{line.variant_title}</span> });
        let sku = (!line.sku.is_empty()).then(|| {
            view! { <span>{tu_string!(i18n, seller_orders.sku, sku = line.sku.as_str()).to_string()}</span> }
        });
        view! {
            <li>
                <span class="packed-box" aria-hidden="true"></span>
                <span class="slip-count">{tu_string!(i18n, checkout.quantity, n = count).to_string()}</span>
                <span class="slip-what"><strong>{line.title}</strong> {variant} {sku}</span>
            </li>
        }
    });
    let lines = lines.collect_view();
    let print = alone.then(|| view! { <Print words=t!(i18n, purchase.print) /> });
    view! {
        <article class="panel slip">
            <header class="order-head">
                <div>
                    <h1>{title}</h1>
                    <p class="note">{placed}</p>
                </div>
                {cancelled}
                {print}
            </header>
            <div class="slip-sides">
                <section>
                    <h2>{to}</h2>
                    <AddressLines address />
                    {promised}
                </section>
                <section>
                    <h2>{from}</h2>
                    <p>{sender}</p>
                    <p class="note">{of_order}</p>
                </section>
            </div>
            {collect}
            <section>
                <h2>{t!(i18n, seller_orders.pack)}</h2>
                <ul class="slip-lines">{lines}</ul>
                <p class="note">{tn!(i18n, seller_orders.slip_items, item_count)}</p>
            </section>
        </article>
    }
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
        _ => return None,
    };
    Some(view! { <Alert look="good">{words}</Alert> })
}

/// The next action.
#[component]
fn NextStep(
    state: OrderState,
    pickup: bool,
    /// Whether a part of it is shipped.
    partly: bool,
    /// Whether everything is shipped or refunded.
    nothing_left: bool,
    action: String,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    let (note, todo) = match (state, pickup) {
        (OrderState::Placed, _) => {
            (t!(i18n, seller_orders.placed_note), Some(("confirm", t!(i18n, seller_orders.confirm))))
        }
        (OrderState::Confirmed, _) if nothing_left => {
            (t!(i18n, seller_orders.nothing_left_note), Some(("ship", t!(i18n, seller_orders.ship))))
        }
        (OrderState::Confirmed, false) if partly => {
            (t!(i18n, seller_orders.rest_note), Some(("ship", t!(i18n, seller_orders.ship_rest))))
        }
        (OrderState::Confirmed, false) => {
            (t!(i18n, seller_orders.confirmed_note), Some(("ship", t!(i18n, seller_orders.ship))))
        }
        (OrderState::Confirmed, true) => (
            t!(i18n, seller_orders.confirmed_note_pickup),
            Some(("ship", t!(i18n, seller_orders.ship_pickup))),
        ),
        (OrderState::Shipped, false) => {
            (t!(i18n, seller_orders.shipped_note), Some(("deliver", t!(i18n, seller_orders.deliver))))
        }
        (OrderState::Shipped, true) => (
            t!(i18n, seller_orders.shipped_note_pickup),
            Some(("deliver", t!(i18n, seller_orders.deliver_pickup))),
        ),
        (OrderState::Delivered, false) => (t!(i18n, seller_orders.delivered_note), None),
        (OrderState::Delivered, true) => (t!(i18n, seller_orders.delivered_note_pickup), None),
        (OrderState::Cancelled, _) => (t!(i18n, seller_orders.cancelled_note), None),
    };
    let form = todo.map(|(step, words)| {
        let typed = Some(draft).filter(|draft| draft.typed("action") == "ship");
        let fields = (step == "ship" && !pickup && !nothing_left)
            .then(|| view! { <ShipFields typed shipment=Shipment::default() of=String::new() /> });
        view! {
            <form method="post" action=action class="form" novalidate>
                <input type="hidden" name="action" value=step />
                {fields}
                <div><Button>{words}</Button></div>
            </form>
        }
    });
    view! {
        <p>{note}</p>
        {form}
    }
}

/// The carrier and tracking fields of one of the page's forms.
#[component]
fn ShipFields(
    /// What was typed into this form, and its errors.
    typed: Option<Draft>,
    shipment: Shipment,
    /// Distinguishes the fields of several forms.
    of: String,
    /// Whether to list the errors above.
    #[prop(default = true)]
    summary: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let faults: Signal<Option<Error>> = Signal::stored(typed.as_ref().and_then(|draft| draft.error.clone()));
    let labels = [
        ("carrier", t!(i18n, seller_orders.carrier)),
        ("tracking_number", t!(i18n, seller_orders.tracking_number)),
        ("tracking_url", t!(i18n, seller_orders.tracking_url)),
    ];
    let [carrier, number, url] = labels;
    let values = match typed {
        Some(draft) => labels.map(|(name, _)| draft.typed(name)),
        None => [shipment.carrier, shipment.tracking_number, shipment.tracking_url],
    };
    let [carrier_value, number_value, url_value] = values;
    let id = |name: &str| format!("{name}{of}");
    let error = faults.get_untracked();
    let summary = error.filter(|_| summary).map(|error| {
        let at = labels
            .into_iter()
            .filter_map(|(name, label)| Some((id(name), label.to_owned(), error.at(name)?)));
        error_summary(i18n, &error, at.collect())
    });
    view! {
        {summary}
        <div class="field-row">
            <Field name=carrier.0 id=id(carrier.0) label=carrier.1 value=carrier_value required=true faults />
            <Field name=number.0 id=id(number.0) label=number.1 value=number_value required=true faults />
        </div>
        <Field name=url.0 id=id(url.0) label=url.1 kind="url" optional=true value=url_value hint=t!(i18n, seller_orders.tracking_hint).to_owned() faults />
    }
}

/// Ships a part of a confirmed order, if there is more than one item to ship.
#[component]
fn ShipPart(
    lines: Vec<CheckoutLineView>,
    pickup: bool,
    /// Whether the shop collects cash.
    cash: bool,
    action: String,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    if lines.iter().map(CheckoutLineView::to_ship).sum::<i64>() < 2 {
        return None;
    }
    let typed = Some(draft).filter(|draft| draft.typed("action") == "ship_part");
    let error = typed.as_ref().and_then(|draft| draft.error.clone());
    let faults: Signal<Option<Error>> = Signal::stored(error.clone());
    let (mut at_fields, mut rows) = (Vec::new(), Vec::new());
    for line in lines.into_iter().filter(|line| line.to_ship() > 0) {
        let name = part_field(line.position);
        let title = match line.variant_title.as_str() {
            "" => line.title.clone(),
            variant => format!("{}, {variant}", line.title),
        };
        let label = t!(i18n, seller_orders.part_line, title = title, n = line.to_ship());
        if let Some(code) = error.as_ref().and_then(|error| error.at(&name)) {
            at_fields.push((name.clone(), label.clone(), code));
        }
        let value = typed.as_ref().map(|draft| draft.typed(&name)).unwrap_or_default();
        rows.push(view! { <Field name label value keys="numeric" faults /> });
    }
    let labels = [
        ("carrier", t!(i18n, seller_orders.carrier)),
        ("tracking_number", t!(i18n, seller_orders.tracking_number)),
        ("tracking_url", t!(i18n, seller_orders.tracking_url)),
    ];
    let of = "-part";
    let summary = error.as_ref().map(|error| {
        let others = labels
            .into_iter()
            .filter_map(|(name, label)| Some((format!("{name}{of}"), label.to_owned(), error.at(name)?)));
        at_fields.extend(others);
        match error.at("lines") {
            Some(_) => view! { <Alert>{t!(i18n, seller_orders.part_missing)}</Alert> }.into_any(),
            None => error_summary(i18n, error, at_fields),
        }
    });
    let open = typed.is_some();
    let fields = (!pickup)
        .then(|| view! { <ShipFields typed shipment=Shipment::default() of=of.to_owned() summary=false /> });
    Some(view! {
        <details class="more-of" open=open>
            <summary>{if pickup { t!(i18n, seller_orders.ready_part) } else { t!(i18n, seller_orders.ship_part) }}</summary>
            <form method="post" action=action class="form" novalidate>
                <input type="hidden" name="action" value="ship_part" />
                {summary}
                <p class="note">{t!(i18n, seller_orders.part_note)} {cash.then(|| view! { " " {t!(i18n, seller_orders.part_cash_note)} })}</p>
                <div class="field-row">{rows}</div>
                {fields}
                <div><Button look="secondary">{if pickup { t!(i18n, seller_orders.ready_part) } else { t!(i18n, seller_orders.ship_part) }}</Button></div>
            </form>
        </details>
    })
}

/// A shipment, and the form that corrects its tracking until it is delivered.
#[component]
fn Parcel(
    shipment: OrderShipment,
    /// What is in it, if that has to be said.
    contents: Option<String>,
    /// Whether its tracking can be corrected.
    moves: bool,
    /// The URL of its own packing slip, if there is one.
    slip: Option<String>,
    action: String,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    let when = match &shipment.delivered_at {
        Some(at) if shipment.kind == ShipmentKind::Pickup => {
            t!(i18n, seller_orders.picked_up_on, date = words::day(i18n, at))
        }
        Some(at) => t!(i18n, seller_orders.delivered_on, date = words::day(i18n, at)),
        None if shipment.kind == ShipmentKind::Pickup => {
            t!(i18n, seller_orders.ready_since, date = words::day(i18n, &shipment.shipped_at))
        }
        None => t!(i18n, seller_orders.shipped_on, date = words::day(i18n, &shipment.shipped_at)),
    };
    let id = shipment.id.to_string();
    let tracking = shipment.tracking.map(|tracking| {
        let typed = Some(draft).filter(|draft| draft.typed("action") == "track" && draft.typed("shipment") == id);
        let open = typed.is_some();
        let update = moves.then(|| view! {
            <details class="more-of" open=open>
                <summary>{t!(i18n, seller_orders.update_tracking)}</summary>
                <form method="post" action=action class="form" novalidate>
                    <input type="hidden" name="action" value="track" />
                    <input type="hidden" name="shipment" value=id.clone() />
                    <p class="note">{t!(i18n, seller_orders.tracking_note)}</p>
                    <ShipFields typed shipment=tracking.clone() of=format!("-{id}") />
                    <div><Button look="secondary">{t!(i18n, seller_orders.save_tracking)}</Button></div>
                </form>
            </details>
        });
        let number = match tracking.tracking_url.as_str() {
            "" => view! { <span>{tracking.tracking_number}</span> }.into_any(),
            url => {
                view! { <a href=url.to_owned() rel="external noopener" target="_blank">{tracking.tracking_number}</a> }
                    .into_any()
            }
        };
        view! {
            <p class="dots"><span>{tracking.carrier}</span> " " <span>{number}</span></p>
            {update}
        }
    });
    view! {
        <div class="parcel">
            {contents.map(|words| view! { <p>{words}</p> })}
            <p class="note">{when}</p>
            {tracking}
            {slip.map(|href| view! { <p class="paper"><a href=href>{t!(i18n, seller_orders.slip)}</a></p> })}
        </div>
    }
}

/// The customer, with their other orders in this shop.
#[component]
fn Customer(
    handle: String,
    name: String,
    email: String,
    count: i64,
    orders: Vec<OtherOrder>,
    looks: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let mail = format!("mailto:{email}");
    let shown = orders.len() as i64;
    let rows = orders.into_iter().map(|order| {
        let href = match looks {
            true => routes::any_order(&order.number),
            false => routes::shop_order(&handle, &order.number),
        };
        view! {
            <li class="row">
                <div>
                    <a class="row-link unbroken" href=href>{order.number}</a>
                    <p class="note dots">
                        <span>{words::day(i18n, &order.placed_at)}</span> " " <span>{words::order_state(i18n, order.state, ShippingMethod::Standard)}</span>
                    </p>
                </div>
                <p class="price">{words::money(i18n, order.total)}</p>
            </li>
        }
    });
    let rows = rows.collect_view();
    let words = match count {
        0 if looks => t!(i18n, admin.first_order).to_owned(),
        0 => t!(i18n, seller_orders.first_order).to_owned(),
        _ if looks => tn!(i18n, admin.other_orders, count),
        _ => tn!(i18n, seller_orders.other_orders, count),
    };
    let more = (count > shown).then(|| {
        view! { <p class="note">{tu_string!(i18n, seller_orders.latest_shown, n = shown).to_string()}</p> }
    });
    view! {
        <section class="panel" aria-labelledby="customer">
            <h3 id="customer">{t!(i18n, seller_orders.customer)}</h3>
            <p translate="no">{name}</p>
            <p><a href=mail>{email}</a></p>
            <p class="note">{words}</p>
            {(count > 0).then(|| view! { <ul class="rows">{rows}</ul> })}
            {more}
        </section>
    }
}

/// The order's timeline, with the form for a note.
#[component]
fn History(
    events: Vec<OrderEvent>,
    /// The entry with which all of the order was shipped, if it was.
    shipped_last: Option<usize>,
    /// The lines of the order, of which entries name some.
    lines: Vec<CheckoutLineView>,
    way: ShippingMethod,
    action: String,
    draft: Option<Draft>,
) -> impl IntoView {
    let i18n = use_i18n();
    let form = draft.map(|draft| {
        let mine = draft.typed("action") == "note";
        let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone().filter(|_| mine));
        view! {
            <form method="post" action=action class="form" novalidate>
                <input type="hidden" name="action" value="note" />
                <Field name="note" label=t!(i18n, seller_orders.note) value=draft.typed("note") hint=t!(i18n, seller_orders.note_hint).to_owned() faults />
                <div><Button look="secondary">{t!(i18n, seller_orders.add_note)}</Button></div>
            </form>
        }
    });
    let steps = events.into_iter().enumerate().map(|(i, event)| {
        let what = words::order_event(i18n, event.kind, shipped_last != Some(i), way);
        let by = match event.actor {
            Actor::Shop => t!(i18n, seller_orders.by_shop),
            Actor::Shopper => t!(i18n, seller_orders.by_shopper),
            Actor::Market => t!(i18n, seller_orders.by_market),
        };
        let note = (!event.data.note.is_empty()).then(|| view! { <p>{event.data.note}</p> });
        let amount = event.data.amount.map(|sum| view! { <p>{words::money(i18n, sum)}</p> });
        let tracking = event.data.shipment.map(|s| view! { <p class="dots"><span>{s.carrier}</span> " " <span>{s.tracking_number}</span></p> });
        let part =
            (!event.data.lines.is_empty()).then(|| view! { <p>{contents(&lines, &event.data.lines)}</p> });
        view! {
            <li>
                <strong>{what}</strong>
                <p class="note dots"><span>{words::hour(i18n, &event.created_at)}</span> " " <span>{by}</span></p>
                {part}
                {tracking}
                {amount}
                {note}
            </li>
        }
    });
    view! {
        <section class="panel" aria-labelledby="history">
            <h3 id="history">{t!(i18n, seller_orders.history)}</h3>
            <ol class="history">{steps.collect_view()}</ol>
            {form}
        </section>
    }
}

/// Why a partly shipped order can't be cancelled, and what to do instead.
#[component]
fn NoCancel() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <section class="panel" aria-labelledby="cancel">
            <h3 id="cancel">{t!(i18n, seller_orders.cancel)}</h3>
            <p>{t!(i18n, error.partly_shipped)}</p>
            <p class="note">
                {t!(i18n, seller_orders.refund_rest)} " " <a href=routes::API_DOCS rel="external">{t!(i18n, office.help)}</a>
            </p>
        </section>
    }
}

/// Cancelling the order, with its consequences.
#[component]
fn Cancel(
    state: OrderState,
    method: PaymentMethod,
    total: Money,
    action: String,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    if !matches!(state, OrderState::Placed | OrderState::Confirmed) {
        return None;
    }
    let mine = draft.typed("action") == "cancel";
    let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone().filter(|_| mine));
    let what = if method.collected_by_market() {
        t!(i18n, seller_orders.cancel_paid, price = total)
    } else {
        t!(i18n, seller_orders.cancel_cash).to_owned()
    };
    Some(view! {
        <details class="panel more-of" open=mine>
            <summary>{t!(i18n, seller_orders.cancel)}</summary>
            <form method="post" action=action class="form" novalidate>
                <input type="hidden" name="action" value="cancel" />
                <p>{what}</p>
                <Field name="reason" label=t!(i18n, seller_orders.reason) value=draft.typed("reason") hint=t!(i18n, seller_orders.reason_hint).to_owned() required=true faults />
                <div><Button look="danger">{t!(i18n, seller_orders.cancel)}</Button></div>
            </form>
        </details>
    })
}
