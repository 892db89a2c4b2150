//! A shop's orders: search, filters, and links to each order.

use haat_shared::{
    orders::{ListOrders, OrderCard, OrderState},
    routes,
    shipping::ShippingMethod,
};
use leptos::prelude::*;

use super::{Dashboard, Part, chips, search};
use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    state::{param, query, searched},
    ui::{EmptyState, LinkButton, PageTitle, Pager, Table, loaded},
    words,
};

/// A shop's orders.
#[component]
pub(crate) fn Orders() -> impl IntoView {
    let i18n = use_i18n();
    let (handle, q, state, after) = (param("handle"), searched(), query("state"), query("after"));
    let found = api::find(
        move || {
            let of =
                ListOrders { q: q.get(), state: state.get(), after: after.get(), ..ListOrders::default() };
            (handle.get(), of)
        },
        |(handle, of)| async move {
            api::orders::seller_list(handle.clone(), of.clone()).await.map(|page| (handle, of, page))
        },
    );
    let list = loaded(found, move |(handle, of, page)| {
        let path = Part::Orders.path(&handle);
        let next = page
            .next
            .map(|next| routes::with(&path, &[("q", &of.q), ("state", &of.state), ("after", &next)]));
        let first =
            (!of.after.is_empty()).then(|| routes::with(&path, &[("q", &of.q), ("state", &of.state)]));
        let all = std::iter::once(("", t!(i18n, seller_orders.all)));
        let states = all.chain(
            OrderState::ALL
                .map(|state| (state.as_str(), words::order_state(i18n, state, ShippingMethod::Standard))),
        );
        let states = states.map(|(state, words)| {
            (routes::with(&path, &[("q", &of.q), ("state", state)]), words, of.state == state)
        });
        let states = states.collect();
        let list = if page.items.is_empty() {
            none(&handle, &of)
        } else {
            let rows = page.items.into_iter().map(|order| row(&handle, order)).collect_view();
            let columns = vec![
                (t!(i18n, seller_orders.number), ""),
                (t!(i18n, seller_orders.customer), "wide"),
                (t!(i18n, seller_orders.placed_on), "wide"),
                (t!(i18n, seller_orders.items_count), "number wide"),
                (t!(i18n, cart.total), "number"),
                (t!(i18n, seller_orders.state), ""),
            ];
            view! { <Table caption=tu_string!(i18n, seller_orders.title) columns>{rows}</Table> }.into_any()
        };
        view! {
            <PageTitle text=tu_string!(i18n, seller_orders.title) />
            <h1>{t!(i18n, seller_orders.title)}</h1>
            <div class="list-tools">
                {search(path, &of.q, t!(i18n, seller_orders.search), &[("state", &of.state)])}
                {chips(t!(i18n, seller_orders.state), states)}
            </div>
            {list}
            <Pager first next next_words=tu_string!(i18n, seller_orders.next) />
        }
    });
    view! { <Dashboard here=Part::Orders>{list}</Dashboard> }
}

fn none(handle: &str, of: &ListOrders) -> AnyView {
    let i18n = use_i18n();
    if *of == ListOrders::default() {
        let (title, note) = (tu_string!(i18n, seller_orders.none), tu_string!(i18n, seller_orders.none_note));
        let visit = routes::shop(handle);
        return view! {
            <EmptyState icon="box" title note>
                <LinkButton href=visit look="secondary">{t!(i18n, seller_orders.visit)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let (title, note) = (tu_string!(i18n, products.none), tu_string!(i18n, seller_orders.no_matches));
    let all = Part::Orders.path(handle);
    view! {
        <EmptyState icon="search" title note>
            <LinkButton href=all look="secondary">{t!(i18n, seller_orders.show_all)}</LinkButton>
        </EmptyState>
    }
    .into_any()
}

fn row(handle: &str, order: OrderCard) -> impl IntoView + use<> {
    let i18n = use_i18n();
    let href = routes::shop_order(handle, &order.number);
    let day = words::day(i18n, &order.placed_at);
    view! {
        <tr>
            <th scope="row">
                <a class="row-link whole" href=href>{order.number}</a>
                <span class="note narrow"><span translate="no">{order.name.clone()}</span>" · "{day.clone()}</span>
            </th>
            <td class="wide" translate="no">{order.name}</td>
            <td class="wide whole">{day}</td>
            <td class="number wide">{words::number(i18n, order.item_count)}</td>
            <td class="number">{words::money(i18n, order.total)}</td>
            <td><span class=format!("state {}", order.state.as_str())>{words::order_state(i18n, order.state, order.shipping_method)}</span></td>
        </tr>
    }
}
