//! What is around lists of orders, of a shop and of the market.

use haat_shared::{
    orders::{ListOrders, ORDER_SORTS, OrderCard, OrderState, PARTLY_SHIPPED},
    page::Counted,
    returns::{ESCALATED, EXPECTED, OPEN, REQUESTED},
    routes,
    shipping::{ShippingMethod, Slot},
};
use leptos::prelude::*;

use crate::{
    i18n::t,
    state::{query, searched},
    ui::{self, Chip, Column, ListFoot, chips, narrow_sorts, search},
    words::{self, I18n},
};

/// What a page's URL asks of a list of orders.
pub(crate) fn asked() -> impl Fn() -> ListOrders + Copy + Send + Sync {
    let (q, state, sort) = (searched(), query("state"), query("sort"));
    let (after, rows) = (query("after"), query("rows"));
    let (overdue, disputed) = (query("overdue"), query("disputed"));
    let (shop, customer, returns) = (query("shop"), query("customer"), query("returns"));
    let (slot, from, to) = (query("slot"), query("from"), query("to"));
    move || ListOrders {
        q: q.get(),
        state: state.get(),
        overdue: overdue.get() == "true",
        disputed: disputed.get() == "true",
        returns: returns.get(),
        slot: slot.get(),
        from: from.get(),
        to: to.get(),
        shop: shop.get(),
        customer: customer.with(|id| id.parse().ok()),
        sort: sort.get(),
        after: after.get(),
        limit: rows.with(|rows| ui::size(rows)),
    }
}

/// The URL of a list of orders.
pub(crate) fn url(path: &str, of: &ListOrders) -> String {
    let rows = of.limit.map(|rows| rows.to_string()).unwrap_or_default();
    let customer = customer(of);
    let asked = [
        ("q", of.q.as_str()),
        ("shop", &of.shop),
        ("customer", &customer),
        ("state", &of.state),
        ("overdue", flag(of.overdue)),
        ("disputed", flag(of.disputed)),
        ("returns", &of.returns),
        ("slot", &of.slot),
        ("from", &of.from),
        ("to", &of.to),
        ("sort", &of.sort),
        ("rows", &rows),
        ("after", &of.after),
    ];
    routes::with(path, &asked)
}

/// A query parameter for orders that have been pending for more than a day, or are disputed. Exports read it as well.
fn flag(only: bool) -> &'static str {
    if only { "true" } else { "" }
}

/// The query parameter for the orders of a user's account.
fn customer(of: &ListOrders) -> String {
    of.customer.map(|id| id.to_string()).unwrap_or_default()
}

/// The number of orders in a state. Those that are partly shipped are confirmed as well.
fn count(table: &Counted<OrderCard>, state: &str) -> i64 {
    let partly = if state == OrderState::Confirmed.as_str() { table.count(PARTLY_SHIPPED) } else { 0 };
    table.count(state) + partly
}

/// Whether a list may have more orders than those requested.
pub(crate) fn is_filtered(of: &ListOrders) -> bool {
    of.overdue
        || of.disputed
        || of.customer.is_some()
        || [&of.q, &of.shop, &of.state, &of.returns, &of.slot, &of.from, &of.to, &of.after]
            .iter()
            .any(|text| !text.is_empty())
}

/// The search and the filters above a list of orders.
pub(crate) fn tools(
    i18n: I18n,
    path: &str,
    of: &ListOrders,
    table: &Counted<OrderCard>,
) -> impl IntoView + use<> {
    let start = ListOrders { after: String::new(), ..of.clone() };
    // What is overdue is pending, and what is returned was shipped, so that these filters replace each other.
    let only = |of: ListOrders| {
        let ListOrders { state, overdue, disputed, returns, .. } = of;
        url(path, &ListOrders { state, overdue, disputed, returns, ..start.clone() })
    };
    let in_state = |state: &str| only(ListOrders { state: state.into(), ..ListOrders::default() });
    let all_states = !of.overdue && !of.disputed && of.returns.is_empty();
    let all = Chip::from((in_state(""), t!(i18n, seller_orders.all), of.state.is_empty() && all_states));
    // With one of them, only what it lets pass is counted.
    let counting = |chip: Chip, name: &str| if all_states { chip.counting(count(table, name)) } else { chip };
    let states = OrderState::ALL.map(|state| {
        let (name, here) = (state.as_str(), of.state == state.as_str());
        let words = words::order_state(i18n, state, ShippingMethod::Standard);
        counting(Chip::filter(in_state(if here { "" } else { name }), words, here), name)
    });
    let partly = of.state == PARTLY_SHIPPED;
    let to_partly = in_state(if partly { "" } else { PARTLY_SHIPPED });
    let partly =
        counting(Chip::filter(to_partly, t!(i18n, seller_orders.partly_shipped), partly), PARTLY_SHIPPED);
    let waits = |words, here: bool, to: String| {
        let chip = Chip::filter(to, words, here);
        if here { chip.counting(table.count("")) } else { chip }
    };
    let to_late = only(ListOrders { overdue: !of.overdue, ..ListOrders::default() });
    let late = waits(t!(i18n, seller_orders.overdue), of.overdue, to_late);
    let to_disputed = only(ListOrders { disputed: !of.disputed, ..ListOrders::default() });
    let disputed = waits(t!(i18n, seller_orders.disputed), of.disputed, to_disputed);
    let of_returns = |which: &str, words| {
        let here = of.returns == which;
        let returns = if here { String::new() } else { which.into() };
        waits(words, here, only(ListOrders { returns, ..ListOrders::default() }))
    };
    let open = of_returns(OPEN, t!(i18n, seller_orders.returns_open));
    let requested = of_returns(REQUESTED, t!(i18n, seller_orders.return_requested));
    let expected = of_returns(EXPECTED, t!(i18n, seller_orders.returns_expected));
    let escalated = (of.returns == ESCALATED)
        .then(|| waits(t!(i18n, seller_orders.return_unanswered), true, in_state("")));
    // Whose orders they are, if only of a shop or of a user.
    let of_shop = (!of.shop.is_empty()).then(|| {
        let href = url(path, &ListOrders { shop: String::new(), ..start.clone() });
        Chip::filter(href, format!("{}: {}", t!(i18n, admin.shop), of.shop), true)
    });
    let of_customer = of.customer.map(|_| {
        let href = url(path, &ListOrders { customer: None, ..start.clone() });
        Chip::filter(href, t!(i18n, admin.one_customer), true)
    });
    let of_slot = of.slot.parse().ok().map(|slot: Slot| {
        let href = url(path, &ListOrders { slot: String::new(), ..start.clone() });
        Chip::filter(href, t!(i18n, seller_orders.slot_only, slot = words::slot(i18n, slot)), true)
    });
    let dates = match (of.from.as_str(), of.to.as_str()) {
        ("", "") => None,
        (from, to) => {
            let [from, to] =
                [(from, to), (to, from)].map(|(date, other)| if date.is_empty() { other } else { date });
            let href = url(path, &ListOrders { from: String::new(), to: String::new(), ..start.clone() });
            Some(Chip::filter(
                href,
                t!(i18n, seller_orders.placed_in, dates = words::days(i18n, from, to)),
                true,
            ))
        }
    };
    let whose = of_shop.into_iter().chain(of_customer).chain(of_slot).chain(dates);
    let chosen: Vec<Chip> = whose
        .chain([counting(all, "")])
        .chain(states)
        .chain([partly, late, open, requested, expected, disputed])
        .chain(escalated)
        .collect();
    let rows = of.limit.map(|rows| rows.to_string()).unwrap_or_default();
    let customer = customer(of);
    let kept = [
        ("state", of.state.as_str()),
        ("shop", of.shop.as_str()),
        ("customer", customer.as_str()),
        ("overdue", flag(of.overdue)),
        ("disputed", flag(of.disputed)),
        ("returns", of.returns.as_str()),
        ("slot", of.slot.as_str()),
        ("from", of.from.as_str()),
        ("to", of.to.as_str()),
        ("rows", rows.as_str()),
        ("sort", of.sort.as_str()),
    ];
    let sorts = ORDER_SORTS.map(|sort| {
        let words = match sort {
            "placed" => t!(i18n, seller_orders.sort_oldest),
            "total" => t!(i18n, seller_orders.sort_total_low),
            "-total" => t!(i18n, seller_orders.sort_total_high),
            _ => t!(i18n, products.sort_newest),
        };
        (sort, words)
    });
    let now = if of.sort.is_empty() { ORDER_SORTS[0] } else { &of.sort };
    view! {
        <div class="list-tools">
            {search(path.to_owned(), &of.q, t!(i18n, seller_orders.search), &kept)}
            {chips(t!(i18n, seller_orders.state), chosen)}
            {narrow_sorts(now, &sorts, &|sort| url(path, &ListOrders { sort, ..start.clone() }))}
        </div>
    }
}

/// That the payment of an order is disputed, beside its status.
pub(crate) fn disputed(i18n: I18n, order: &OrderCard) -> impl IntoView + use<> {
    order
        .disputed
        .then(|| view! { " " <span class="state cancelled">{t!(i18n, seller_orders.disputed)}</span> })
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
    let (total, size, path) = (Some(count(table, &of.state)), of.limit, path.to_owned());
    let at = move |rows: String| url(&path, &ListOrders { limit: ui::size(&rows), ..start.clone() });
    view! { <ListFoot total size at first next /> }.into_any()
}

/// The latest orders, on a page about something else. Admin's name the shop too. `all` is the URL of the whole list.
pub(crate) fn latest(
    i18n: I18n,
    orders: Vec<OrderCard>,
    with_shop: bool,
    href: impl Fn(&OrderCard) -> String,
    all: Option<String>,
) -> AnyView {
    let rows = orders.into_iter().map(|order| {
        let href = href(&order);
        let state = words::shop_order_state(i18n, order.state, order.partly_shipped, order.shipping_method);
        let disputed = disputed(i18n, &order);
        let shop = with_shop.then(|| view! { <span translate="no">{order.shop_name}</span> " " });
        view! {
            <li class="row">
                <div>
                    <a class="row-link unbroken" href=href>{order.number}</a>
                    <p class="note dots">{shop}<span translate="no">{order.name}</span> " " <span>{words::hour(i18n, &order.placed_at)}</span></p>
                </div>
                <div class="row-end">
                    <p class="price">{words::money(i18n, order.total)}</p>
                    <span class=format!("state {}", order.state.as_str())>{state}</span>
                    {disputed}
                </div>
            </li>
        }
    });
    let rows = rows.collect_view();
    let all =
        all.map(|href| view! { <p class="panel-more"><a href=href>{t!(i18n, seller_orders.back)}</a></p> });
    view! {
        <section class="panel" aria-labelledby="latest">
            <h2 id="latest">{t!(i18n, dashboard.latest)}</h2>
            <ul class="rows">{rows}</ul>
            {all}
        </section>
    }
    .into_any()
}
