//! The home page of the seller dashboard: open tasks first, then the figures of a period.

use haat_shared::{
    Error, Money,
    orders::OrderCard,
    returns::{EXPECTED, REQUESTED},
    routes,
    sales::{AskedPeriod, BestProduct, DaySales, LowVariant, ShopHome, average, change},
};
use leptos::prelude::*;

use super::{Dashboard, Part};
use crate::{
    api::{self, ApiError},
    back_office::{
        figures::{Figure, Periods, Sales, figure_panels},
        orders,
    },
    elsewhere::Elsewhere,
    i18n::{t, tn, tu_string, use_i18n},
    state::{param, query},
    ui::{EmptyState, Icon, LinkButton, PageTitle, Picture, loaded},
    words,
};

/// The home page of the dashboard. The period is in the URL.
#[component]
pub(crate) fn Home() -> impl IntoView {
    let (handle, days, from, to) = (param("handle"), query("days"), query("from"), query("to"));
    let elsewhere = expect_context::<Elsewhere>();
    let found = api::find(
        move || {
            (
                handle.get(),
                AskedPeriod { days: days.get(), from: from.get(), to: to.get() },
                elsewhere.changes(),
            )
        },
        |(handle, of, _)| async move {
            match api::shops::home(handle.clone(), of.clone()).await {
                // The page shows the errors at the fields, and the default period.
                Err(ApiError(error @ Error::Invalid(_))) => {
                    let home = api::shops::home(handle.clone(), AskedPeriod::default()).await?;
                    Ok((handle, of, home, Some(error)))
                }
                home => home.map(|home| (handle, of, home, None)),
            }
        },
    );
    let page = loaded(found, |(handle, of, home, fault)| view! { <Shown handle of home fault /> });
    view! { <Dashboard here=Part::Home>{page}</Dashboard> }
}

#[component]
fn Shown(handle: String, of: AskedPeriod, home: ShopHome, fault: Option<Error>) -> impl IntoView {
    let i18n = use_i18n();
    // Whoever doesn't is led nowhere where they are refused.
    let manages = home.manages_products;
    let list = Part::Orders.path(&handle);
    let confirm = tn!(i18n, dashboard.confirm, home.to_confirm);
    let ship = tn!(i18n, dashboard.ship, home.to_ship);
    let answer = tn!(i18n, dashboard.answer, home.to_answer);
    let receive = tn!(i18n, dashboard.receive, home.to_receive);
    let low = tn!(i18n, dashboard.low, home.low_count);
    let todo = [
        (home.to_confirm, "check", confirm, routes::with(&list, &[("state", "placed")])),
        (home.to_ship, "truck", ship, routes::with(&list, &[("state", "confirmed")])),
        (home.to_answer, "box", answer, routes::with(&list, &[("returns", REQUESTED)])),
        (home.to_receive, "box", receive, routes::with(&list, &[("returns", EXPECTED)])),
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
    // A shop that has never sold has nothing to compare, and is not done: it has to start.
    let new = home.latest.is_empty();
    let has_tasks = !todo.is_empty() || !new;
    let todo = if todo.is_empty() {
        let add = manages.then(|| {
            view! {
                <LinkButton look="secondary" href=routes::new_product(&handle)>
                    {t!(i18n, seller_products.add)}
                </LinkButton>
            }
        });
        let (title, note) = (tu_string!(i18n, dashboard.nothing), tu_string!(i18n, dashboard.nothing_note));
        view! {
            <EmptyState icon="check" title note>
                {add}
            </EmptyState>
        }
        .into_any()
    } else {
        view! { <ul class="rows todo">{todo}</ul> }.into_any()
    };
    let todo = has_tasks.then(|| {
        view! {
            <section class="panel" aria-labelledby="todo">
                <h2 id="todo">{t!(i18n, dashboard.todo)}</h2>
                {todo}
            </section>
        }
    });
    let start =
        (new && manages).then(|| view! { <Start handle=handle.clone() has_products=home.has_products /> });
    let figures = (!new || of != AskedPeriod::default()).then(|| {
        view! {
            <Periods path=Part::Home.path(&handle) of fault />
            <Figures home=home.clone() />
            <Sales days=home.days.clone() before=home.days_before.clone() sold=home.sold />
        }
    });
    let order = |order: &OrderCard| routes::shop_order(&handle, &order.number);
    let latest = (!new).then(|| orders::latest(i18n, home.latest, false, order, None));
    view! {
        <PageTitle text=tu_string!(i18n, dashboard.home) />
        <h1>{t!(i18n, dashboard.home)}</h1>
        {todo}
        {start}
        {figures}
        <div class="home-lists">
            {latest}
            <Best handle=handle.clone() best=home.best manages />
            {manages.then(|| view! { <Low handle low=home.low /> })}
        </div>
    }
}

/// The figures of the period, each with its change and its course.
#[component]
fn Figures(home: ShopHome) -> impl IntoView {
    let i18n = use_i18n();
    let each = |of: fn(&DaySales) -> i64| home.days.iter().map(of).collect::<Vec<_>>();
    let mean =
        (average(home.sold.amount(), home.orders), average(home.sold_before.amount(), home.orders_before));
    let figures = [
        (
            t!(i18n, dashboard.sold),
            words::money(i18n, home.sold),
            change(home.sold.amount(), home.sold_before.amount()),
            each(|day| day.sold.amount()),
        ),
        (
            t!(i18n, dashboard.net),
            words::money(i18n, home.net),
            change(home.net.amount(), home.net_before.amount()),
            each(|day| day.net.amount()),
        ),
        (
            t!(i18n, seller_orders.title),
            words::number(i18n, home.orders),
            change(home.orders, home.orders_before),
            each(|day| day.orders),
        ),
        (
            t!(i18n, dashboard.average),
            words::money(i18n, Money::new(mean.0, home.sold.currency())),
            change(mean.0, mean.1),
            each(|day| average(day.sold.amount(), day.orders)),
        ),
        (
            t!(i18n, dashboard.units),
            words::number(i18n, home.units),
            change(home.units, home.units_before),
            each(|day| day.units),
        ),
    ];
    let figures = figures.map(|(name, value, change, course)| Figure {
        name,
        value,
        change,
        none_before: t!(i18n, dashboard.no_sales_before),
        course,
    });
    figure_panels(i18n, figures.into())
}

/// The first steps of a shop without orders.
#[component]
fn Start(handle: String, has_products: bool) -> impl IntoView {
    let i18n = use_i18n();
    let product = match has_products {
        false => ("box", t!(i18n, dashboard.step_product), routes::new_product(&handle)),
        true => ("box", t!(i18n, dashboard.step_product_done), Part::Products.path(&handle)),
    };
    let steps = [
        product,
        ("truck", t!(i18n, dashboard.step_delivery), Part::Shipping.path(&handle)),
        ("awning", t!(i18n, seller_orders.visit), routes::shop(&handle)),
    ];
    let steps = steps.map(|(icon, words, href)| {
        view! {
            <li class="row">
                <Icon name=icon />
                <a class="row-link" href=href>{words}</a>
            </li>
        }
    });
    view! {
        <section class="panel" aria-labelledby="start">
            <h2 id="start">{t!(i18n, dashboard.start)}</h2>
            <ol class="rows todo">{steps.collect_view()}</ol>
        </section>
    }
}

/// The products that sold best in the period.
#[component]
fn Best(handle: String, best: Vec<BestProduct>, manages: bool) -> impl IntoView {
    let i18n = use_i18n();
    let rows = best.into_iter().map(|product| {
        let href = manages.then(|| routes::seller_product(&handle, product.product_id));
        view! {
            <li class="row">
                <span class="row-picture"><Picture of=product.picture title=product.title.clone() sizes="56px" /></span>
                <div class="row-main">
                    <a class="row-link" href=href>{product.title}</a>
                    <p class="note">{tn!(i18n, dashboard.units_sold, product.units)}</p>
                </div>
                <p class="price">{words::money(i18n, product.sold)}</p>
            </li>
        }
    });
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="best">
                <h2 id="best">{t!(i18n, dashboard.best_products)}</h2>
                <ul class="rows">{rows}</ul>
            </section>
        }
    })
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
                <span class="row-picture"><Picture of=variant.picture title=variant.title.clone() sizes="56px" /></span>
                <div class="row-main">
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
