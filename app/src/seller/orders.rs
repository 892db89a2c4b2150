//! A shop's orders: search, filters, links to each order, and actions on several.

use haat_shared::{
    Conflict, Error,
    forms::Draft,
    orders::{ListOrders, OrderCard, OrderState},
    routes,
    shipping::ShippingMethod,
};
use leptos::prelude::*;

use super::{Dashboard, Part};
use crate::{
    api,
    back_office::{Bulk, orders, tick},
    i18n::{t, tn, tu_string, use_i18n},
    state::{param, query},
    storefront::draft_by,
    ui::{Alert, CodeAlert, EmptyState, LinkButton, PageTitle, loaded},
    words,
};

/// A shop's orders.
#[component]
pub(crate) fn Orders() -> impl IntoView {
    let i18n = use_i18n();
    let (handle, asked) = (param("handle"), orders::asked());
    let (draft, done) = (query("draft"), query("done"));
    let found = api::find(
        move || (handle.get(), asked(), draft.get()),
        |(handle, of, draft)| async move {
            let table = api::orders::seller_list(handle.clone(), of.clone()).await?;
            Ok((handle, of, table, draft_by("orders", draft).await?))
        },
    );
    let list = loaded(found, move |(handle, of, table, draft)| {
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
            let rows = table.page.items.into_iter().map(|order| row(&handle, order, &of)).collect_view();
            let columns = vec![
                (t!(i18n, seller_orders.number), "").into(),
                (t!(i18n, seller_orders.customer), "wide").into(),
                orders::sorted((t!(i18n, seller_orders.placed_on), "wide"), "-placed", &path, &of),
                (t!(i18n, seller_orders.items_count), "number wide").into(),
                orders::sorted((t!(i18n, cart.total), "number"), "-total", &path, &of),
                (t!(i18n, seller_orders.state), "roomy").into(),
            ];
            let slips = routes::packing_slips(&handle);
            let actions = view! {
                <button class="button secondary" formmethod="get" formaction=slips>{t!(i18n, seller_orders.print_slips)}</button>
                <button class="button secondary" name="action" value="confirm">{t!(i18n, seller_orders.confirm_chosen)}</button>
            };
            let (back, caption) = (orders::url(&path, &of), tu_string!(i18n, seller_orders.title));
            view! {
                <Bulk path=path.clone() back caption columns=columns.into() actions=actions.into_any()>{rows}</Bulk>
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
            <CodeAlert />
            <Confirmed handle=handle.clone() done=done.get_untracked() draft />
            {tools}
            {list}
        }
    });
    view! { <Dashboard here=Part::Orders>{list}</Dashboard> }
}

/// The outcome of confirming the selected orders: how many were, and why the others were left as they were.
#[component]
fn Confirmed(handle: String, done: String, draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let done = done.parse().ok().filter(|done: &i64| *done > 0);
    let done = done
        .map(|done| view! { <Alert look="good">{tn!(i18n, seller_orders.orders_confirmed, done)}</Alert> });
    let failed = draft.fields.iter().filter_map(|(number, error)| {
        let words = match serde_json::from_slice(error.as_bytes()).ok()? {
            Error::Conflict(Conflict::OrderMoved(state)) => {
                let state = words::order_state(i18n, state, ShippingMethod::Standard);
                tu_string!(i18n, seller_orders.status_is, state = state).to_string()
            }
            error => words::error(i18n, &error),
        };
        let href = routes::shop_order(&handle, number);
        Some(view! { <li class="dots"><a class="unbroken" href=href>{number.clone()}</a> " " <span>{words}</span></li> })
    });
    let failed: Vec<_> = failed.collect();
    let failed = (!failed.is_empty()).then(|| {
        let count = failed.len() as i64;
        view! {
            <Alert>
                <p>{tn!(i18n, seller_orders.not_confirmed, count)}</p>
                <ul>{failed}</ul>
            </Alert>
        }
    });
    view! {
        {done}
        {failed}
    }
}

fn none(handle: &str, of: &ListOrders) -> AnyView {
    let i18n = use_i18n();
    if !orders::is_filtered(of) {
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
        true => ("check", t!(i18n, seller_orders.none_pending), t!(i18n, seller_orders.none_pending_note)),
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

fn row(handle: &str, order: OrderCard, of: &ListOrders) -> impl IntoView + use<> {
    let i18n = use_i18n();
    // The page links back to the list as it is.
    let href = orders::url(&routes::shop_order(handle, &order.number), of);
    let day = words::day(i18n, &order.placed_at);
    let tick = tick(order.number.clone(), &order.number);
    let state = words::shop_order_state(i18n, order.state, order.partly_shipped, order.shipping_method);
    let look = format!("state {}", order.state.as_str());
    // When it is to be delivered matters more than when it was placed.
    let slot = order.slot.as_deref().and_then(|slot| slot.parse().ok());
    let slot = slot.map(|slot| view! { <span class="note below">{words::slot(i18n, slot)}</span> });
    let (narrow, wide) = (orders::disputed(i18n, &order), orders::disputed(i18n, &order));
    view! {
        <tr>
            {tick}
            <th scope="row">
                <a class="row-link whole" href=href>{order.number}</a>
                {slot}
                <span class="note narrow"><span class="dots"><span translate="no">{order.name.clone()}</span> " " <span>{day.clone()}</span></span></span>
                <span class="cramped"><span class=look.clone()>{state}</span>{narrow}</span>
            </th>
            <td class="wide" translate="no">{order.name}</td>
            <td class="wide whole">{day}</td>
            <td class="number wide">{words::number(i18n, order.item_count)}</td>
            <td class="number">{words::money(i18n, order.total)}</td>
            <td class="roomy"><span class=look>{state}</span>{wide}</td>
        </tr>
    }
}
