//! A shop: figures, the latest orders and the staff.

use haat_shared::{
    admin::ShopDetails,
    orders::{ListOrders, OrderCard, OrderState},
    page::Counted,
    routes,
    shipping::ShippingMethod,
};
use leptos::prelude::*;

use super::{AdminPage, Part, asked, figure, url, user::url_of_orders};
use crate::{
    api,
    back_office::orders,
    i18n::{t, tn, use_i18n},
    state::param,
    ui::{Chip, LinkButton, PageTitle, chips, loaded},
    words,
};

/// A shop's page.
#[component]
pub(crate) fn Shop() -> impl IntoView {
    let handle = param("handle");
    let found = api::find(move || handle.get(), |handle| async move { api::shops::any_shop(handle).await });
    let page = loaded(found, |details| view! { <Shown details /> });
    view! { <AdminPage here=Part::Shops>{page}</AdminPage> }
}

#[component]
fn Shown(details: ShopDetails) -> impl IntoView {
    let i18n = use_i18n();
    let ShopDetails { shop, unpublished, orders, balances, staff } = details;
    // The list with the filters that led here.
    let back = url(Part::Shops.path(), &untrack(asked()));
    let count = orders.as_ref().map(|orders| {
        let pending = orders.count(OrderState::Placed.as_str());
        let pending = (pending > 0).then(|| tn!(i18n, dashboard.confirm, pending));
        figure(t!(i18n, seller_orders.title), words::number(i18n, orders.count("")), pending)
    });
    let balances = balances.into_iter().flatten().map(|balance| {
        let pending = format!("{}: {}", t!(i18n, balance.pending), words::money(i18n, balance.pending));
        figure(t!(i18n, admin.balance), words::money(i18n, balance.available), Some(pending))
    });
    let balances = balances.collect_view();
    let unpublished = (unpublished > 0).then(|| tn!(i18n, admin.unpublished, unpublished));
    let staff: Vec<_> = staff
        .into_iter()
        .map(|member| {
            view! {
                <li class="row">
                    <div>
                        <a class="row-link" translate="no" href=routes::user(member.id)>{member.name}</a>
                        <p class="note" translate="no">{member.email}</p>
                    </div>
                    <p>{words::role(i18n, member.role)}</p>
                </li>
            }
        })
        .collect();
    let staff = (!staff.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="staff">
                <h2 id="staff">{t!(i18n, settings.members)}</h2>
                <ul class="rows">{staff}</ul>
            </section>
        }
    });
    let latest = orders.map(|orders| latest(&shop.handle, orders));
    let about = [&shop.handle, &shop.town, &shop.owner_email];
    let about = about.into_iter().filter(|text| !text.is_empty());
    let about = about.map(|text| view! { <span translate="no">{text.clone()}</span> " " }).collect_view();
    let since = format!("{}: {}", t!(i18n, admin.since), words::day(i18n, &shop.created_at));
    view! {
        <PageTitle text=shop.name.clone() />
        <p class="back"><a href=back>{t!(i18n, admin.all_shops)}</a></p>
        <header class="order-head">
            <div>
                <h1 translate="no">{shop.name.clone()}</h1>
                <p class="note dots">{about} <span>{since}</span></p>
            </div>
            <LinkButton look="secondary" href=routes::shop(&shop.handle)>{t!(i18n, admin.visit)}</LinkButton>
        </header>
        <dl class="figures four">
            {figure(t!(i18n, admin.published), words::number(i18n, shop.products), unpublished)}
            {count}
            {balances}
            {figure(t!(i18n, admin.commission), format!("{}%", words::percent(shop.commission_bp)), None)}
        </dl>
        <div class="home-lists">
            {latest}
            {staff}
        </div>
    }
}

/// The latest orders, below the numbers of those in each state.
fn latest(handle: &str, orders: Counted<OrderCard>) -> AnyView {
    let i18n = use_i18n();
    let at = |state: &str| {
        url_of_orders(&ListOrders {
            shop: handle.to_owned(),
            state: state.to_owned(),
            ..ListOrders::default()
        })
    };
    if orders.page.items.is_empty() {
        return view! {
            <section class="panel" aria-labelledby="latest">
                <h2 id="latest">{t!(i18n, dashboard.latest)}</h2>
                <p class="note">{t!(i18n, seller_orders.none)}</p>
            </section>
        }
        .into_any();
    }
    let states = OrderState::ALL.into_iter().filter(|state| orders.count(state.as_str()) > 0).map(|state| {
        let words = words::order_state(i18n, state, ShippingMethod::Standard);
        Chip::filter(at(state.as_str()), words, false).counting(orders.count(state.as_str()))
    });
    let states = chips(t!(i18n, seller_orders.state), states.collect());
    let order = |order: &OrderCard| routes::any_order(&order.number);
    view! {
        {states}
        {orders::latest(i18n, orders.page.items, false, order, Some(at("")))}
    }
    .into_any()
}
