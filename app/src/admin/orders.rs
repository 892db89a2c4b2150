//! The orders of all shops.

use haat_shared::{
    orders::{ListOrders, OrderCard, OrderState},
    routes,
    shipping::ShippingMethod,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::{query, searched},
    ui::{chips, loaded, search},
    words,
};

/// All orders.
#[component]
pub(crate) fn Orders() -> impl IntoView {
    let i18n = use_i18n();
    let (q, state, after) = (searched(), query("state"), query("after"));
    let found = api::find(
        move || ListOrders { q: q.get(), state: state.get(), after: after.get(), ..ListOrders::default() },
        |of| async move { api::orders::list_all(of.clone()).await.map(|page| (of, page)) },
    );
    let list = loaded(found, move |(of, page)| {
        let path = Part::Orders.path();
        let all = std::iter::once(("", t!(i18n, seller_orders.all)));
        let states = all.chain(
            OrderState::ALL
                .map(|state| (state.as_str(), words::order_state(i18n, state, ShippingMethod::Standard))),
        );
        let states = states.map(|(state, words)| {
            (routes::with(path, &[("q", &of.q), ("state", state)]), words, of.state == state)
        });
        let tools = view! {
            <div class="list-tools">
                {search(path.into(), &of.q, t!(i18n, seller_orders.search), &[("state", &of.state)])}
                {chips(t!(i18n, seller_orders.state), states.collect())}
            </div>
        };
        List {
            part: Part::Orders,
            asked: vec![("q", of.q), ("state", of.state)],
            after: of.after,
            next: page.next,
            tools: tools.into_any(),
            columns: vec![
                (t!(i18n, seller_orders.number), ""),
                (t!(i18n, admin.shop), "wide"),
                (t!(i18n, seller_orders.customer), "wide"),
                (t!(i18n, seller_orders.placed_on), "wide"),
                (t!(i18n, cart.total), "number"),
                (t!(i18n, seller_orders.state), ""),
            ],
            rows: page.items.into_iter().map(|order| row(order).into_any()).collect(),
            none: t!(i18n, admin.no_orders),
        }
        .show()
    });
    view! { <AdminPage here=Part::Orders>{list}</AdminPage> }
}

fn row(order: OrderCard) -> impl IntoView {
    let i18n = use_i18n();
    let day = words::day(i18n, &order.placed_at);
    let shop = routes::shop(&order.shop_handle);
    view! {
        <tr>
            <th scope="row">
                <strong class="whole">{order.number}</strong>
                <span class="note narrow">{order.shop_name.clone()}" · "{order.name.clone()}" · "{day.clone()}</span>
            </th>
            <td class="wide"><a href=shop>{order.shop_name}</a></td>
            <td class="wide">{order.name}<span class="note below">{order.email}</span></td>
            <td class="wide whole">{day}</td>
            <td class="number">{words::money(i18n, order.total)}</td>
            <td><span class=format!("state {}", order.state.as_str())>{words::order_state(i18n, order.state, order.shipping_method)}</span></td>
        </tr>
    }
}
