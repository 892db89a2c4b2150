//! The orders of all shops.

use haat_shared::{
    orders::{ListOrders, OrderCard},
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part};
use crate::{
    api,
    back_office::orders::{asked, disputed, foot, is_filtered, sorted, tools, url},
    i18n::{t, use_i18n},
    ui::loaded,
    words,
};

/// All orders.
#[component]
pub(crate) fn Orders() -> impl IntoView {
    let i18n = use_i18n();
    let found =
        api::find(
            asked(),
            |of| async move { api::orders::list_all(of.clone()).await.map(|table| (of, table)) },
        );
    let list = loaded(found, move |(of, table)| {
        let path = Part::Orders.path();
        let (tools, foot) = (tools(i18n, path, &of, &table), foot(path, &of, &table));
        let columns = vec![
            (t!(i18n, seller_orders.number), "").into(),
            (t!(i18n, admin.shop), "wide").into(),
            (t!(i18n, seller_orders.customer), "wide").into(),
            sorted((t!(i18n, seller_orders.placed_on), "wide"), "-placed", path, &of),
            sorted((t!(i18n, cart.total), "number"), "-total", path, &of),
            (t!(i18n, seller_orders.state), "roomy").into(),
        ];
        List {
            part: Part::Orders,
            filtered: is_filtered(&of),
            zone_of: String::new(),
            foot,
            tools: tools.into_any(),
            columns: columns.into(),
            rows: table.page.items.into_iter().map(|order| row(order, &of).into_any()).collect(),
            none: t!(i18n, admin.no_orders),
        }
        .show()
    });
    view! { <AdminPage here=Part::Orders>{list}</AdminPage> }
}

fn row(order: OrderCard, of: &ListOrders) -> impl IntoView + use<> {
    let i18n = use_i18n();
    let day = words::day(i18n, &order.placed_at);
    let state = words::shop_order_state(i18n, order.state, order.partly_shipped, order.shipping_method);
    let look = format!("state {}", order.state.as_str());
    let (narrow, wide) = (disputed(i18n, &order), disputed(i18n, &order));
    // The page links back to the list as it is.
    let (href, shop) = (url(&routes::any_order(&order.number), of), routes::any_shop(&order.shop_handle));
    view! {
        <tr>
            <th scope="row">
                <a class="row-link whole" href=href>{order.number}</a>
                <span class="note narrow"><span class="dots"><span>{order.shop_name.clone()}</span> " " <span>{order.name.clone()}</span> " " <span>{day.clone()}</span></span></span>
                <span class="cramped"><span class=look.clone()>{state}</span>{narrow}</span>
            </th>
            <td class="wide"><a href=shop>{order.shop_name}</a></td>
            <td class="wide">{order.name}<span class="note below">{order.email}</span></td>
            <td class="wide whole">{day}</td>
            <td class="number">{words::money(i18n, order.total)}</td>
            <td class="roomy"><span class=look>{state}</span>{wide}</td>
        </tr>
    }
}
