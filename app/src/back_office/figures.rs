//! The figures of a period in a back office: their panels, the period that is chosen, and sales by day.

use haat_shared::{
    Error, Money, routes,
    sales::{AskedPeriod, Change, DaySales, PERIOD, PERIODS},
};
use leptos::prelude::*;

use crate::{
    i18n::{t, tn, use_i18n},
    ui::{Field, Table},
    words::{self, I18n},
};

/// A figure of a period, with its change and its course.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) change: Change,
    /// What is said if there was nothing in the period before.
    pub(crate) none_before: &'static str,
    /// Its value on each day, if it has one.
    pub(crate) course: Vec<i64>,
}

/// How a figure compares with the period before, in words.
pub(crate) fn change_words(i18n: I18n, change: Change, none_before: &str) -> String {
    match change {
        Change::NothingBefore => none_before.to_owned(),
        Change::Same => t!(i18n, dashboard.same).to_owned(),
        Change::Up(n) => t!(i18n, dashboard.up, n = words::number(i18n, n)),
        Change::Down(n) => t!(i18n, dashboard.down, n = words::number(i18n, n)),
    }
}

/// Panels beside each other, one for each figure.
pub(crate) fn figure_panels(i18n: I18n, figures: Vec<Figure>) -> AnyView {
    let figures = figures.into_iter().map(|Figure { name, value, change, none_before, course }| {
        let (mark, look) = match change {
            Change::NothingBefore => ("", "note"),
            Change::Same => ("= ", "note"),
            Change::Up(_) => ("↑ ", "good"),
            Change::Down(_) => ("↓ ", "bad"),
        };
        let (words, course) =
            (change_words(i18n, change, none_before), (!course.is_empty()).then(|| spark(&course)));
        view! {
            <div class="panel">
                <dt>{name}</dt>
                <dd>
                    <p class="figure">{value}</p>
                    <p class=format!("change {look}")><span aria-hidden="true">{mark}</span>{words}</p>
                    {course}
                </dd>
            </div>
        }
    });
    view! { <dl class="figures four">{figures.collect_view()}</dl> }.into_any()
}

/// Links to the usual periods, and a form for two dates.
#[component]
pub(crate) fn Periods(
    /// The page's own.
    path: String,
    of: AskedPeriod,
    fault: Option<Error>,
) -> impl IntoView {
    let i18n = use_i18n();
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

/// Sales per day as bars, with marks for the period before, and the table behind them.
#[component]
pub(crate) fn Sales(
    days: Vec<DaySales>,
    /// The days of the period before, as many.
    before: Vec<DaySales>,
    /// The sum of the days.
    sold: Money,
) -> impl IntoView {
    const HEIGHT: i64 = 200;
    const STEP: i64 = 20;
    let i18n = use_i18n();
    let date = |day: &DaySales| words::day(i18n, &day.day);
    let ends = |days: &[DaySales]| match (days.first(), days.last()) {
        (Some(first), Some(last)) => words::days(i18n, &first.day, &last.day),
        _ => String::new(),
    };
    let (dates, dates_before) = (ends(&days), ends(&before));
    let compared = t!(i18n, dashboard.compared, dates = dates, before = dates_before);
    let says = t!(i18n, dashboard.chart, dates = dates, price = words::money(i18n, sold));
    let amounts = days.iter().chain(&before).map(|day| day.sold.amount());
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
    let top = words::money(i18n, Money::new(most, sold.currency()));
    let zero = words::money(i18n, Money::new(0, sold.currency()));
    let best = days.iter().filter(|day| day.orders > 0).max_by_key(|day| day.sold.amount());
    let best = best.map(|day| t!(i18n, dashboard.best, price = day.sold, date = date(day)));
    let pairs = || days.iter().zip(&before);
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
    let (first_day, last_day) = (days.first().map(date), days.last().map(date));
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

/// A value's height in a drawing that begins at zero.
pub(crate) fn height(value: i64, most: i64, of: i64) -> i64 {
    i64::try_from(i128::from(value.max(0)) * i128::from(of) / i128::from(most.max(1))).unwrap_or(of)
}

/// A small line without axes. The figure beside it has the words.
fn spark(course: &[i64]) -> impl IntoView + use<> {
    const HEIGHT: i64 = 28;
    let most = course.iter().copied().max().unwrap_or(0);
    let points = (0i64..).zip(course);
    let points = points.map(|(x, value)| format!("{x},{}", HEIGHT - 2 - height(*value, most, HEIGHT - 4)));
    let points = points.collect::<Vec<_>>().join(" ");
    let width = course.len().saturating_sub(1).max(1);
    view! {
        <svg class="spark" viewBox=format!("0 0 {width} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
            <polyline points=points></polyline>
        </svg>
    }
}
