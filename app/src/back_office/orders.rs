//! What is around lists of orders, of a shop and of the market.

use haat_shared::{
    orders::{ListOrders, ORDER_SORTS, OrderCard, OrderState},
    page::Counted,
    routes,
    shipping::ShippingMethod,
};
use leptos::prelude::*;

use crate::{
    i18n::t,
    state::{query, searched},
    ui::{self, Chip, Column, ListFoot, chips, search},
    words::{self, I18n},
};

/// What a page's URL asks of a list of orders.
pub(crate) fn asked() -> impl Fn() -> ListOrders + Copy + Send + Sync {
    let (q, state, sort) = (searched(), query("state"), query("sort"));
    let (after, rows) = (query("after"), query("rows"));
    move || ListOrders {
        q: q.get(),
        state: state.get(),
        sort: sort.get(),
        after: after.get(),
        limit: rows.with(|rows| ui::size(rows)),
    }
}

/// The URL of a list of orders.
pub(crate) fn url(path: &str, of: &ListOrders) -> String {
    let rows = of.limit.map(|rows| rows.to_string()).unwrap_or_default();
    let asked =
        [("q", &of.q), ("state", &of.state), ("sort", &of.sort), ("rows", &rows), ("after", &of.after)];
    routes::with(path, &asked.map(|(name, value)| (name, value.as_str())))
}

/// The search and the filters above a list of orders.
pub(crate) fn tools(
    i18n: I18n,
    path: &str,
    of: &ListOrders,
    table: &Counted<OrderCard>,
) -> impl IntoView + use<> {
    let start = ListOrders { after: String::new(), ..of.clone() };
    let in_state = |state: &str| url(path, &ListOrders { state: state.into(), ..start.clone() });
    let all = Chip::from((in_state(""), t!(i18n, seller_orders.all), of.state.is_empty()));
    let states = OrderState::ALL.map(|state| {
        let (name, here) = (state.as_str(), of.state == state.as_str());
        let words = words::order_state(i18n, state, ShippingMethod::Standard);
        Chip::filter(in_state(if here { "" } else { name }), words, here).counting(table.count(name))
    });
    let chosen: Vec<Chip> = std::iter::once(all.counting(table.count(""))).chain(states).collect();
    let rows = of.limit.map(|rows| rows.to_string()).unwrap_or_default();
    let kept = [("state", of.state.as_str()), ("sort", of.sort.as_str()), ("rows", rows.as_str())];
    view! {
        <div class="list-tools">
            {search(path.to_owned(), &of.q, t!(i18n, seller_orders.search), &kept)}
            {chips(t!(i18n, seller_orders.state), chosen)}
        </div>
    }
}

/// A column by which a list of orders can be sorted.
pub(crate) fn sorted(column: (&'static str, &'static str), by: &str, path: &str, of: &ListOrders) -> Column {
    let now = if of.sort.is_empty() { ORDER_SORTS[0] } else { &of.sort };
    let at = |sort| url(path, &ListOrders { sort, after: String::new(), ..of.clone() });
    Column::from(column).sorted(by, now, at)
}

/// What is below a list of orders.
pub(crate) fn foot(path: &str, of: &ListOrders, table: &Counted<OrderCard>) -> AnyView {
    let start = ListOrders { after: String::new(), ..of.clone() };
    let next = table.page.next.as_ref();
    let next = next.map(|after| url(path, &ListOrders { after: after.clone(), ..start.clone() }));
    let first = (!of.after.is_empty()).then(|| url(path, &start));
    let (total, size, path) = (Some(table.count(&of.state)), of.limit, path.to_owned());
    let at = move |rows: String| url(&path, &ListOrders { limit: ui::size(&rows), ..start.clone() });
    view! { <ListFoot total size at first next /> }.into_any()
}
