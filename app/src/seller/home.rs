//! The home page of the seller dashboard: open tasks first, then sales.

use haat_shared::{
    routes,
    shops::{LowVariant, ShopHome},
};
use leptos::prelude::*;

use super::{Dashboard, Part};
use crate::{
    api,
    i18n::{t, tn, tu_string, use_i18n},
    state::param,
    ui::{Bars, EmptyState, Icon, LinkButton, PageTitle, loaded},
    words,
};

/// The home page of the dashboard.
#[component]
pub(crate) fn Home() -> impl IntoView {
    let handle = param("handle");
    let found = api::find(
        move || handle.get(),
        |handle| async move { api::shops::home(handle.clone()).await.map(|home| (handle, home)) },
    );
    let page = loaded(found, |(handle, home)| view! { <Shown handle home /> });
    view! { <Dashboard here=Part::Home>{page}</Dashboard> }
}

#[component]
fn Shown(handle: String, home: ShopHome) -> impl IntoView {
    let i18n = use_i18n();
    let orders = Part::Orders.path(&handle);
    let confirm = tn!(i18n, dashboard.confirm, home.to_confirm);
    let ship = tn!(i18n, dashboard.ship, home.to_ship);
    let low = tn!(i18n, dashboard.low, home.low_count);
    let todo = [
        (home.to_confirm, "check", confirm, routes::with(&orders, &[("state", "placed")])),
        (home.to_ship, "truck", ship, routes::with(&orders, &[("state", "confirmed")])),
        (home.low_count, "box", low, routes::with(&Part::Products.path(&handle), &[("low", "1")])),
    ];
    let todo = todo.into_iter().filter(|(n, ..)| *n > 0).map(|(_, icon, words, href)| {
        view! {
            <li class="row">
                <Icon name=icon />
                <a class="row-link" href=href>{words}</a>
            </li>
        }
    });
    let todo: Vec<_> = todo.collect();
    let todo = if todo.is_empty() {
        let new = routes::new_product(&handle);
        let (title, note) = (tu_string!(i18n, dashboard.nothing), tu_string!(i18n, dashboard.nothing_note));
        view! {
            <EmptyState icon="check" title note>
                <LinkButton look="secondary" href=new>{t!(i18n, seller_products.add)}</LinkButton>
            </EmptyState>
        }
        .into_any()
    } else {
        view! { <ul class="rows todo">{todo}</ul> }.into_any()
    };
    view! {
        <PageTitle text=tu_string!(i18n, dashboard.home) />
        <h1>{t!(i18n, dashboard.home)}</h1>
        <section class="panel" aria-labelledby="todo">
            <h2 id="todo">{t!(i18n, dashboard.todo)}</h2>
            {todo}
        </section>
        <Sales home=home.clone() />
        <Low handle low=home.low />
    }
}

/// Recent sales, compared with the previous period.
#[component]
fn Sales(home: ShopHome) -> impl IntoView {
    let i18n = use_i18n();
    let before = tn!(i18n, dashboard.before, home.orders_before, price = home.sold_before);
    let orders = tn!(i18n, dashboard.orders, home.orders);
    let sold = words::money(i18n, home.sold);
    let says = t!(i18n, dashboard.chart, price = sold);
    let best = home.days.iter().max_by_key(|day| day.sold.amount());
    let top = best.map(|day| t!(i18n, dashboard.best, price = day.sold, date = words::day(i18n, &day.day)));
    let bars = home.days.iter().map(|day| {
        (
            words::day(i18n, &day.day),
            day.sold.amount(),
            vec![words::money(i18n, day.sold), words::number(i18n, day.orders)],
        )
    });
    let bars = bars.collect();
    let columns = vec![
        (t!(i18n, dashboard.day), ""),
        (t!(i18n, dashboard.sold), "number"),
        (t!(i18n, seller_orders.title), "number"),
    ];
    let chart = (home.orders > 0).then(|| view! { <Bars says columns bars top=top.unwrap_or_default() /> });
    view! {
        <section class="panel" aria-labelledby="sales">
            <h2 id="sales">{t!(i18n, dashboard.sales)}</h2>
            <p><span class="figure">{sold}</span> " " {orders}</p>
            <p class="note">{before}</p>
            {chart}
        </section>
    }
}

/// Variants that are low on stock.
#[component]
fn Low(handle: String, low: Vec<LowVariant>) -> impl IntoView {
    let i18n = use_i18n();
    let rows = low.into_iter().map(|variant| {
        let left = match variant.available {
            ..=0 => t!(i18n, products.sold_out).to_owned(),
            n => tu_string!(i18n, dashboard.left, n = n).to_string(),
        };
        view! {
            <li class="row">
                <div>
                    <a class="row-link" href=routes::seller_product(&handle, variant.product_id)>{variant.title}</a>
                    <p class="note">{variant.variant_title}</p>
                </div>
                <p>{left}</p>
            </li>
        }
    });
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="low">
                <h2 id="low">{t!(i18n, seller_products.low)}</h2>
                <ul class="rows">{rows}</ul>
            </section>
        }
    })
}
