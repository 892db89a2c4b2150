//! The home page of the seller dashboard: open tasks first, then the figures of a period.

use haat_shared::{
    Error, Money,
    orders::OrderCard,
    returns::{EXPECTED, REQUESTED},
    routes,
    sales::{AskedPeriod, BestProduct, DaySales, LowVariant, PERIOD, PERIODS, ShopHome, average, change},
};
use leptos::prelude::*;

use super::{Dashboard, Part};
use crate::{
    api::{self, ApiError},
    back_office::{
        figures::{Figure, figure_panels, height},
        orders,
    },
    elsewhere::Elsewhere,
    i18n::{t, tn, tu_string, use_i18n},
    state::{param, query},
    ui::{EmptyState, Field, Icon, LinkButton, PageTitle, Picture, Table, loaded},
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
    let todo = has_tasks.then(|| {
        view! {
            <section class="panel" aria-labelledby="todo">
                <h2 id="todo">{t!(i18n, dashboard.todo)}</h2>
                {todo}
            </section>
        }
    });
    let start = new.then(|| view! { <Start handle=handle.clone() has_products=home.has_products /> });
    let figures = (!new || of != AskedPeriod::default()).then(|| {
        view! {
            <Periods handle=handle.clone() of fault />
            <Figures home=home.clone() />
            <Sales home=home.clone() />
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
            <Best handle=handle.clone() best=home.best />
            <Low handle low=home.low />
        </div>
    }
}

/// Links to the usual periods, and a form for two dates.
#[component]
fn Periods(handle: String, of: AskedPeriod, fault: Option<Error>) -> impl IntoView {
    let i18n = use_i18n();
    let path = Part::Home.path(&handle);
    let custom = of.is_custom();
    let links = PERIODS.map(|days| {
        let days_text = days.to_string();
        let here = !custom && (of.days == days_text || (days == PERIOD && of.days.is_empty()));
        let href = routes::with(&path, &[("days", &days_text)]);
        let words = tn!(i18n, dashboard.last, days);
        view! { <a class="chip" href=href aria-current=here.then_some("true")>{words}</a> }
    });
    let open = custom;
    let faults = Signal::stored(fault);
    view! {
        <div class="periods">
            <nav class="chips" aria-label=t!(i18n, dashboard.period)>{links.collect_view()}</nav>
            <details class="more-of" open=open>
                <summary>{t!(i18n, dashboard.custom)}</summary>
                <form method="get" action=path class="period-form">
                    <Field name="from" kind="date" label=t!(i18n, dashboard.from) value=of.from required=true faults />
                    <Field name="to" kind="date" label=t!(i18n, dashboard.to) value=of.to required=true faults />
                    <button type="submit" class="button secondary">{t!(i18n, dashboard.apply)}</button>
                </form>
            </details>
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

/// Sales per day as bars, with marks for the period before, and the table behind them.
#[component]
fn Sales(home: ShopHome) -> impl IntoView {
    const HEIGHT: i64 = 200;
    const STEP: i64 = 20;
    let i18n = use_i18n();
    let date = |day: &DaySales| words::day(i18n, &day.day);
    let ends = |days: &[DaySales]| match (days.first(), days.last()) {
        (Some(first), Some(last)) => words::days(i18n, &first.day, &last.day),
        _ => String::new(),
    };
    let (dates, dates_before) = (ends(&home.days), ends(&home.days_before));
    let compared = t!(i18n, dashboard.compared, dates = dates, before = dates_before);
    let says = t!(i18n, dashboard.chart, dates = dates, price = words::money(i18n, home.sold));
    let amounts = home.days.iter().chain(&home.days_before).map(|day| day.sold.amount());
    let most = amounts.max().unwrap_or(0);
    if most == 0 {
        return view! {
            <section class="panel" aria-labelledby="sales">
                <h2 id="sales">{t!(i18n, dashboard.sales)}</h2>
                <p class="note">{compared}</p>
                <p>{t!(i18n, dashboard.no_sales)}</p>
            </section>
        }
        .into_any();
    }
    let top = words::money(i18n, Money::new(most, home.sold.currency()));
    let zero = words::money(i18n, Money::new(0, home.sold.currency()));
    let best = home.days.iter().filter(|day| day.orders > 0).max_by_key(|day| day.sold.amount());
    let best = best.map(|day| t!(i18n, dashboard.best, price = day.sold, date = date(day)));
    let pairs = || home.days.iter().zip(&home.days_before);
    let labels: Vec<String> = pairs()
        .map(|(day, before)| {
            let before = t!(i18n, dashboard.previous_of, price = words::money(i18n, before.sold));
            format!("{}: {}, {before}", date(day), words::money(i18n, day.sold))
        })
        .collect();
    let last = labels.len().saturating_sub(1);
    let read = RwSignal::new(last);
    let bars = (0i64..).zip(pairs()).zip(labels.clone()).enumerate().map(|(n, ((i, (day, before)), label))| {
        // A small value must still be distinguishable from zero.
        let tall = |day: &DaySales| match day.sold.amount() {
            ..=0 => 0,
            amount => height(amount, most, HEIGHT).max(2),
        };
        let (high, mark) = (tall(day), tall(before));
        let mark = (mark > 0).then(|| {
            view! {
                <rect class="bar-before" x=(i * STEP + 1).to_string() y=(HEIGHT - mark).to_string() width=(STEP - 2).to_string() height="3"></rect>
            }
        });
        view! {
            <g class:read=move || read.get() == n on:pointerenter=move |_| read.set(n)>
                <title>{label}</title>
                <rect class="bar-back" x=(i * STEP).to_string() y="0" width=STEP.to_string() height=HEIGHT.to_string()></rect>
                <rect
                    class="bar"
                    x=(i * STEP + 3).to_string()
                    y=(HEIGHT - high).to_string()
                    width=(STEP - 6).to_string()
                    height=high.to_string()
                ></rect>
                {mark}
            </g>
        }
    });
    let bars = bars.collect_view();
    let rows = pairs().rev().map(|(day, before)| {
        view! {
            <tr>
                <th scope="row">{date(day)}</th>
                <td class="number">{words::money(i18n, day.sold)}</td>
                <td class="number">{words::money(i18n, day.net)}</td>
                <td class="number">{words::number(i18n, day.orders)}</td>
                <td class="number wide">{words::number(i18n, day.units)}</td>
                <td class="number wide">{words::money(i18n, before.sold)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = vec![
        (t!(i18n, dashboard.day), ""),
        (t!(i18n, dashboard.sold), "number"),
        (t!(i18n, dashboard.net), "number"),
        (t!(i18n, seller_orders.title), "number"),
        (t!(i18n, dashboard.units), "number wide"),
        (t!(i18n, dashboard.previous), "number wide"),
    ];
    let width = i64::try_from(labels.len()).unwrap_or(1).max(1) * STEP;
    let (first_day, last_day) = (home.days.first().map(date), home.days.last().map(date));
    let labels = StoredValue::new(labels);
    let label = move || labels.with_value(|labels| labels.get(read.get()).cloned().unwrap_or_default());
    view! {
        <section class="panel" aria-labelledby="sales">
            <h2 id="sales">{t!(i18n, dashboard.sales)}</h2>
            <p class="note">{compared}</p>
            <figure class="chart sales-chart">
                <p class="chart-key note">
                    <span class="key-now">{t!(i18n, dashboard.this_period)}</span>
                    <span class="key-before">{t!(i18n, dashboard.previous)}</span>
                    <span>{best}</span>
                </p>
                <p class="chart-top note" aria-hidden="true">{top}</p>
                <svg viewBox=format!("0 0 {width} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=says.clone()>{bars}</svg>
                <p class="chart-ends note" aria-hidden="true"><span>{zero} " · " {first_day}</span><span>{last_day}</span></p>
                <div class="chart-read live-only">
                    <input
                        type="range"
                        min="0"
                        max=last.to_string()
                        value=last.to_string()
                        prop:value=move || read.get().to_string()
                        aria-label=t!(i18n, dashboard.choose_day)
                        aria-valuetext=label
                        on:input=move |event| read.set(event_target_value(&event).parse().unwrap_or(last))
                    />
                    <p class="note" aria-hidden="true">{label}</p>
                </div>
                <details class="more-of">
                    <summary>{t!(i18n, form.as_table)}</summary>
                    <Table caption=says columns>{rows}</Table>
                </details>
            </figure>
        </section>
    }
    .into_any()
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
fn Best(handle: String, best: Vec<BestProduct>) -> impl IntoView {
    let i18n = use_i18n();
    let rows = best.into_iter().map(|product| {
        view! {
            <li class="row">
                <span class="row-picture"><Picture of=product.picture title=product.title.clone() sizes="56px" /></span>
                <div class="row-main">
                    <a class="row-link" href=routes::seller_product(&handle, product.product_id)>{product.title}</a>
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
