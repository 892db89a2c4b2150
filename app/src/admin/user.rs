//! A user: roles, shops and the latest orders.

use haat_shared::{
    admin::UserDetails,
    orders::{ListOrders, OrderCard},
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, Part, asked, figure, url};
use crate::{
    api,
    back_office::orders,
    i18n::{t, tn, use_i18n},
    state::param,
    ui::{PageTitle, loaded},
    words,
};

/// A user's page.
#[component]
pub(crate) fn User() -> impl IntoView {
    let id = param("id");
    let found = api::find(move || id.get(), |id| async move { api::accounts::user(api::id(&id)?).await });
    let page = loaded(found, |details| view! { <Shown details /> });
    view! { <AdminPage here=Part::Users>{page}</AdminPage> }
}

#[component]
fn Shown(details: UserDetails) -> impl IntoView {
    let i18n = use_i18n();
    let UserDetails { user, signed_in_at, sessions, roles, shops, latest } = details;
    // The list with the filters that led here.
    let back = url(Part::Users.path(), &untrack(asked()));
    let mark = user.admin.then(|| view! { <p class="state confirmed">{t!(i18n, admin.operator)}</p> });
    let signed_in = match signed_in_at {
        Some(at) => words::day(i18n, &at),
        None => t!(i18n, admin.not_signed_in).to_owned(),
    };
    let browsers = (sessions > 0).then(|| tn!(i18n, admin.sessions, sessions));
    let shops: Vec<_> = shops
        .into_iter()
        .map(|shop| {
            view! {
                <li class="row">
                    <div>
                        <a class="row-link" translate="no" href=routes::any_shop(&shop.handle)>{shop.name}</a>
                        <p class="note" translate="no">{shop.handle}</p>
                    </div>
                    <p>{words::role(i18n, shop.role)}</p>
                </li>
            }
        })
        .collect();
    let shops = (!shops.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="shops">
                <h2 id="shops">{t!(i18n, shops.title)}</h2>
                <ul class="rows">{shops}</ul>
            </section>
        }
    });
    let roles = roles.into_iter().map(|role| words::admin_role(i18n, role)).collect::<Vec<_>>().join(", ");
    let roles = (!roles.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="roles">
                <h2 id="roles">{t!(i18n, admin.roles)}</h2>
                <p>{roles}</p>
                <p class="panel-more"><a href=Part::Team.path()>{t!(i18n, admin.team)}</a></p>
            </section>
        }
    });
    let all = url_of_orders(&ListOrders { customer: Some(user.id), ..ListOrders::default() });
    let latest = latest.map(|latest| match latest.is_empty() {
        true => view! {
            <section class="panel" aria-labelledby="latest">
                <h2 id="latest">{t!(i18n, dashboard.latest)}</h2>
                <p class="note">{t!(i18n, seller_orders.none)}</p>
            </section>
        }
        .into_any(),
        false => {
            let order = |order: &OrderCard| routes::any_order(&order.number);
            orders::latest(i18n, latest, true, order, Some(all))
        }
    });
    let mail = format!("mailto:{}", user.email);
    view! {
        <PageTitle text=user.name.clone() />
        <p class="back"><a href=back>{t!(i18n, admin.all_users)}</a></p>
        <header class="order-head">
            <div>
                <h1 translate="no">{user.name}</h1>
                <p class="note" translate="no"><a href=mail>{user.email}</a></p>
            </div>
            {mark}
        </header>
        <dl class="figures four">
            {figure(t!(i18n, admin.purchases), words::number(i18n, user.purchases), None)}
            {figure(t!(i18n, admin.joined), words::day(i18n, &user.created_at), None)}
            {figure(t!(i18n, admin.last_sign_in), signed_in, browsers)}
        </dl>
        <div class="home-lists">
            {latest}
            {shops}
            {roles}
        </div>
    }
}

/// The URL of Admin's list of orders.
pub(super) fn url_of_orders(of: &ListOrders) -> String {
    orders::url(Part::Orders.path(), of)
}
