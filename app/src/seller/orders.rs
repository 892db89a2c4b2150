//! A shop's orders: search, filters, and links to each order.

use haat_shared::{
    orders::{ListOrders, OrderCard, OrderState},
    routes,
};
use leptos::prelude::*;

use super::{Dashboard, Part};
use crate::{
    api,
    back_office::orders,
    i18n::{t, tu_string, use_i18n},
    state::param,
    ui::{EmptyState, LinkButton, PageTitle, Table, loaded},
    words,
};

/// A shop's orders.
#[component]
pub(crate) fn Orders() -> impl IntoView {
    let i18n = use_i18n();
    let (handle, asked) = (param("handle"), orders::asked());
    let found = api::find(
        move || (handle.get(), asked()),
        |(handle, of)| async move {
            api::orders::seller_list(handle.clone(), of.clone()).await.map(|table| (handle, of, table))
        },
    );
    let list = loaded(found, move |(handle, of, table)| {
        let path = Part::Orders.path(&handle);
        let export =
            orders::url(&routes::export_orders(&handle), &ListOrders { after: String::new(), ..of.clone() });
        let export = (!table.page.items.is_empty()).then(|| {
            view! { <a class="button secondary" rel="external" download href=export>{t!(i18n, imports.export)}</a> }
        });
        let tools = orders::tools(i18n, &path, &of, &table);
        let foot = orders::foot(&path, &of, &table);
        let list = if table.page.items.is_empty() {
            none(&handle, &of)
        } else {
            let rows = table.page.items.into_iter().map(|order| row(&handle, order)).collect_view();
            let columns = vec![
                (t!(i18n, seller_orders.number), "").into(),
                (t!(i18n, seller_orders.customer), "wide").into(),
                orders::sorted((t!(i18n, seller_orders.placed_on), "wide"), "-placed", &path, &of),
                (t!(i18n, seller_orders.items_count), "number wide").into(),
                orders::sorted((t!(i18n, cart.total), "number"), "-total", &path, &of),
                (t!(i18n, seller_orders.state), "").into(),
            ];
            view! {
                <Table caption=tu_string!(i18n, seller_orders.title) columns>{rows}</Table>
                {foot}
            }
            .into_any()
        };
        view! {
            <PageTitle text=tu_string!(i18n, seller_orders.title) />
            <header class="back-office-head">
                <h1>{t!(i18n, seller_orders.title)}</h1>
                <div class="actions">{export}</div>
            </header>
            {tools}
            {list}
        }
    });
    view! { <Dashboard here=Part::Orders>{list}</Dashboard> }
}

fn none(handle: &str, of: &ListOrders) -> AnyView {
    let i18n = use_i18n();
    if of.q.is_empty() && of.state.is_empty() && of.after.is_empty() {
        let (title, note) = (tu_string!(i18n, seller_orders.none), tu_string!(i18n, seller_orders.none_note));
        let visit = routes::shop(handle);
        return view! {
            <EmptyState icon="box" title note>
                <LinkButton href=visit look="secondary">{t!(i18n, seller_orders.visit)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let pending = of.q.is_empty() && of.state == OrderState::Placed.as_str();
    let (icon, title, note) = match pending {
        true => {
            ("check", t!(i18n, seller_orders.none_pending), t!(i18n, seller_orders.none_pending_note))
        }
        false => ("search", t!(i18n, products.none), t!(i18n, seller_orders.no_matches)),
    };
    let all = Part::Orders.path(handle);
    view! {
        <EmptyState icon title note>
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
