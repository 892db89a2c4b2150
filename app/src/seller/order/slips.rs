//! Packing slips.

use haat_shared::{
    checkout::CheckoutLineView,
    orders::{OrderShipment, OrderState, SellerOrder, ShopOrderView},
    routes,
};
use leptos::prelude::*;

use super::{
    super::{Dashboard, Part},
    way,
};
use crate::{
    api,
    i18n::{t, tn, tu_string, use_i18n},
    state::{param, queries, query},
    ui::{AddressLines, EmptyState, PageTitle, Print, loaded, unbroken},
    words,
};

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
    let collects = order.to_collect();
    let number = order.number.as_str();
    let title = unbroken(&tu_string!(i18n, seller_orders.slip_of, number = number), number);
    let of_order = unbroken(&tu_string!(i18n, purchase.order, number = number), number);
    let placed = tu_string!(i18n, seller_orders.placed, date = words::day(i18n, &placed_at)).to_string();
    let pickup = !order.shipping_method.is_carried();
    let promised =
        order.shipping_method.is_carried().then(|| view! { <p class="note">{way(i18n, &order)}</p> });
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
    let collect = (!method.collected_by_market() && order.exchange_of.is_none() && !ended).then(|| match last {
        true => view! {
            <div>
                <p class="collect">
                    <span>{if pickup { t!(i18n, seller_orders.collect_cash_pickup) } else { t!(i18n, seller_orders.collect_cash) }}</span>
                    " "
                    <strong class="price">{words::money(i18n, collects)}</strong>
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
