//! How a shop, or the market, is doing: the pages of analytics.

use haat_shared::{
    Error, Money,
    analytics::{
        CustomerFigures, DayFigures, Funnel, MarketAnalytics as OfMarket, MethodFigures, ProductFigures,
        SalesFigures, ShopAnalytics as OfShop, ShopFigures, SlowProduct, Source, SourceFigures,
    },
    permissions::AdminPermission,
    routes,
    sales::{AskedPeriod, Change, DaySales, average, change},
};
use leptos::prelude::*;

use crate::{
    api::{self, ApiError},
    back_office::figures::{Figure, Periods, Sales, change_words, figure_panels},
    i18n::{t, tn, use_i18n},
    state::{Visitor, param, query},
    ui::{Bars, PageTitle, Table, loaded},
    words::{self, I18n},
};

/// The period that the page's URL asks for.
fn asked() -> impl Fn() -> AskedPeriod + Copy + Send + Sync {
    let (days, from, to) = (query("days"), query("from"), query("to"));
    move || AskedPeriod { days: days.get(), from: from.get(), to: to.get() }
}

/// How a shop is doing.
#[component]
pub(crate) fn ShopAnalytics() -> impl IntoView {
    let (handle, asked) = (param("handle"), asked());
    let found = api::find(
        move || (handle.get(), asked()),
        |(handle, of)| async move {
            match api::analytics::of_shop(handle.clone(), of.clone()).await {
                // The page shows the errors at the fields, and the default period.
                Err(ApiError(error @ Error::Invalid(_))) => {
                    let usual = api::analytics::of_shop(handle.clone(), AskedPeriod::default()).await?;
                    Ok((handle, of, usual, Some(error)))
                }
                found => found.map(|found| (handle, of, found, None)),
            }
        },
    );
    let page = loaded(found, |(handle, of, found, fault)| shop(handle, of, found, fault));
    crate::seller::analytics_page(page.into_any())
}

fn shop(handle: String, of: AskedPeriod, found: OfShop, fault: Option<Error>) -> AnyView {
    let i18n = use_i18n();
    let path = routes::shop_analytics(&handle);
    let here = if fault.is_none() { of.clone() } else { AskedPeriod::default() };
    let orders = orders_of(&routes::shop_orders(&handle), &found.days);
    let (days_csv, products_csv) =
        (file(routes::export_days(&handle), &here), file(routes::export_product_figures(&handle), &here));
    let customers = customer_figures(i18n, found.customers, found.customers_before);
    let days: Vec<DaySales> = found.days.iter().map(day).collect();
    let before: Vec<DaySales> = found.days_before.iter().map(day).collect();
    view! {
        <PageTitle text=t!(i18n, analytics.title) />
        <header class="back-office-head">
            <h1>{t!(i18n, analytics.title)}</h1>
            <div class="actions">
                <a class="button secondary" rel="external" download href=days_csv>{t!(i18n, analytics.days_csv)}</a>
                <a class="button secondary" rel="external" download href=products_csv>{t!(i18n, analytics.products_csv)}</a>
            </div>
        </header>
        <Periods path of fault />
        {sales_figures(i18n, &found.now, &found.before, &found.days, customers)}
        <Sales days before sold=found.now.gross />
        {breakdown(i18n, &found.now, &found.before, None, orders)}
        {funnel(i18n, found.funnel, found.funnel_before, None)}
        {products(i18n, &handle, found.products)}
        {slow(i18n, &handle, found.slow)}
        {sources(i18n, found.sources)}
        {hours(i18n, &found.hours)}
    }
    .into_any()
}

/// How the market is doing.
#[component]
pub(crate) fn MarketAnalytics() -> impl IntoView {
    let visitor = expect_context::<Visitor>().0;
    let found = api::find(asked(), move |of| async move {
        let me = visitor.await?;
        let may = |permission| me.as_ref().is_some_and(|me| me.may(permission));
        let may = (may(AdminPermission::SeeUsers), may(AdminPermission::ManageCatalog));
        match api::analytics::of_market(of.clone()).await {
            Err(ApiError(error @ Error::Invalid(_))) => {
                Ok((of, api::analytics::of_market(AskedPeriod::default()).await?, Some(error), may))
            }
            found => found.map(|found| (of, found, None, may)),
        }
    });
    let page = loaded(found, |(of, found, fault, may)| market(of, found, fault, may));
    crate::admin::analytics_page(page.into_any())
}

fn market(
    of: AskedPeriod,
    found: OfMarket,
    fault: Option<Error>,
    (users, searches): (bool, bool),
) -> AnyView {
    let i18n = use_i18n();
    let here = if fault.is_none() { of.clone() } else { AskedPeriod::default() };
    let orders = orders_of(routes::ALL_ORDERS, &found.days);
    let days_csv = file(routes::EXPORT_MARKET_DAYS.to_owned(), &here);
    let mut more = customer_figures(i18n, found.customers, found.customers_before);
    if users {
        more.push(Figure {
            name: t!(i18n, admin.new_users),
            value: words::number(i18n, found.joined),
            change: change(found.joined, found.joined_before),
            none_before: t!(i18n, admin.no_users_before),
            course: Vec::new(),
        });
    }
    let days: Vec<DaySales> = found.days.iter().map(day).collect();
    let before: Vec<DaySales> = found.days_before.iter().map(day).collect();
    let commission = Some((found.commission, found.commission_before));
    view! {
        <PageTitle text=t!(i18n, analytics.title) />
        <header class="back-office-head">
            <h1>{t!(i18n, analytics.title)}</h1>
            <div class="actions">
                <a class="button secondary" rel="external" download href=days_csv>{t!(i18n, analytics.days_csv)}</a>
            </div>
        </header>
        <Periods path=routes::MARKET_ANALYTICS.to_owned() of fault />
        {sales_figures(i18n, &found.now, &found.before, &found.days, more)}
        <Sales days before sold=found.now.gross />
        {breakdown(i18n, &found.now, &found.before, commission, orders)}
        {funnel(i18n, found.funnel, found.funnel_before, searches.then_some(routes::SEARCHES))}
        {shops(i18n, found.shops)}
        {methods(i18n, found.methods)}
        {sources(i18n, found.sources)}
        {hours(i18n, &found.hours)}
    }
    .into_any()
}

fn day(of: &DayFigures) -> DaySales {
    let SalesFigures { gross, net, orders, units, .. } = of.sales;
    DaySales { day: of.day.clone(), sold: gross, net, orders, units }
}

/// The URL of the orders that were placed on these days.
fn orders_of(path: &str, days: &[DayFigures]) -> String {
    match (days.first(), days.last()) {
        (Some(first), Some(last)) => routes::with(path, &[("from", &first.day), ("to", &last.day)]),
        _ => path.to_owned(),
    }
}

/// The URL of a file with the figures of a period.
fn file(path: String, of: &AskedPeriod) -> String {
    routes::with(&path, &[("days", &of.days), ("from", &of.from), ("to", &of.to)])
}

/// Tenths of a percent, for people.
fn percent(tenths: Option<i64>) -> String {
    tenths.map_or_else(|| "–".to_owned(), |tenths| format!("{}%", words::percent(tenths * 10)))
}

fn sales_figures(
    i18n: I18n,
    now: &SalesFigures,
    before: &SalesFigures,
    days: &[DayFigures],
    more: Vec<Figure>,
) -> AnyView {
    let each = |of: fn(&SalesFigures) -> i64| days.iter().map(|day| of(&day.sales)).collect::<Vec<_>>();
    let mean = |of: &SalesFigures| average(of.gross.amount(), of.orders);
    let none_before = t!(i18n, dashboard.no_sales_before);
    let mut figures = vec![
        Figure {
            name: t!(i18n, dashboard.sold),
            value: words::money(i18n, now.gross),
            change: change(now.gross.amount(), before.gross.amount()),
            none_before,
            course: each(|of| of.gross.amount()),
        },
        Figure {
            name: t!(i18n, dashboard.net),
            value: words::money(i18n, now.net),
            change: change(now.net.amount(), before.net.amount()),
            none_before,
            course: each(|of| of.net.amount()),
        },
        Figure {
            name: t!(i18n, seller_orders.title),
            value: words::number(i18n, now.orders),
            change: change(now.orders, before.orders),
            none_before,
            course: each(|of| of.orders),
        },
        Figure {
            name: t!(i18n, dashboard.average),
            value: words::money(i18n, Money::new(mean(now), now.gross.currency())),
            change: change(mean(now), mean(before)),
            none_before,
            course: days.iter().map(|day| mean(&day.sales)).collect(),
        },
    ];
    figures.extend(more);
    figure_panels(i18n, figures)
}

fn customer_figures(i18n: I18n, now: CustomerFigures, before: CustomerFigures) -> Vec<Figure> {
    let none_before = t!(i18n, dashboard.no_sales_before);
    let figure = |name, now, before| Figure {
        name,
        value: words::number(i18n, now),
        change: change(now, before),
        none_before,
        course: Vec::new(),
    };
    vec![
        figure(t!(i18n, analytics.customers), now.customers, before.customers),
        figure(t!(i18n, analytics.returning), now.returning, before.returning),
    ]
}

/// How net sales come about, and what is part of gross sales.
fn breakdown(
    i18n: I18n,
    now: &SalesFigures,
    before: &SalesFigures,
    commission: Option<(Money, Money)>,
    orders: String,
) -> AnyView {
    let row = |name: AnyView, now: Money, before: Money, minus: bool| {
        let (mark, was) = (if minus && now.amount() != 0 { "−" } else { "" }, words::money(i18n, before));
        let moved = change(now.amount(), before.amount());
        let moved = match moved {
            Change::NothingBefore => "–".to_owned(),
            _ => change_words(i18n, moved, ""),
        };
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="number">{mark} {words::money(i18n, now)}</td>
                <td class="number wide">{was}</td>
                <td class="number wide">{moved}</td>
            </tr>
        }
    };
    let gross = view! { <a href=orders>{t!(i18n, dashboard.sold)}</a> }.into_any();
    let net = view! { <strong>{t!(i18n, dashboard.net)}</strong> }.into_any();
    let rows = view! {
        {row(gross, now.gross, before.gross, false)}
        {row(t!(i18n, analytics.cancelled).into_any(), now.cancelled, before.cancelled, true)}
        {row(t!(i18n, analytics.refunded).into_any(), now.refunded, before.refunded, true)}
        {row(t!(i18n, analytics.lost).into_any(), now.lost, before.lost, true)}
        {row(net, now.net, before.net, false)}
    };
    let parts = view! {
        {row(t!(i18n, analytics.discounts).into_any(), now.discounts, before.discounts, false)}
        {row(t!(i18n, analytics.shipping).into_any(), now.shipping, before.shipping, false)}
        {row(t!(i18n, analytics.taxes).into_any(), now.taxes, before.taxes, false)}
        {commission.map(|(now, before)| row(t!(i18n, analytics.commission).into_any(), now, before, false))}
    };
    let rate = commission.map(|(commission, _)| {
        let rate = percent(OfMarket::take_rate(commission, now));
        view! { <p>{t!(i18n, analytics.take_rate, rate = rate)}</p> }
    });
    let columns = || {
        vec![
            (t!(i18n, analytics.figure), ""),
            (t!(i18n, dashboard.this_period), "number"),
            (t!(i18n, dashboard.previous), "number wide"),
            (t!(i18n, analytics.change), "number wide"),
        ]
    };
    view! {
        <section class="panel" aria-labelledby="breakdown">
            <h2 id="breakdown">{t!(i18n, analytics.breakdown)}</h2>
            <p class="note">{t!(i18n, analytics.breakdown_note)}</p>
            <Table caption=t!(i18n, analytics.breakdown) columns=columns()>{rows}</Table>
            <h3>{t!(i18n, analytics.parts)}</h3>
            <Table caption=t!(i18n, analytics.parts) columns=columns()>{parts}</Table>
            {rate}
        </section>
    }
    .into_any()
}

/// From looking to buying. Those who may see it get a link to the page of searches.
fn funnel(i18n: I18n, now: Funnel, before: Funnel, searches: Option<&'static str>) -> AnyView {
    let names = [
        t!(i18n, analytics.views),
        t!(i18n, analytics.adds),
        t!(i18n, analytics.checkouts),
        t!(i18n, analytics.ordered),
    ];
    let searches = searches.map(|path| view! { <p><a href=path>{t!(i18n, analytics.searches)}</a></p> });
    let most = now.steps().into_iter().max().unwrap_or(0).max(1);
    let rows = names.into_iter().zip(now.steps()).zip(before.steps()).map(|((name, n), before)| {
        let share = percent((now.views > 0).then(|| average(n.saturating_mul(1_000), now.views)));
        view! {
            <tr>
                <th scope="row">
                    {name}
                    <progress aria-hidden="true" max=most.to_string() value=n.to_string()></progress>
                </th>
                <td class="number">{words::number(i18n, n)}</td>
                <td class="number">{share}</td>
                <td class="number wide">{words::number(i18n, before)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = vec![
        (t!(i18n, analytics.step), ""),
        (t!(i18n, analytics.times), "number"),
        (t!(i18n, analytics.of_views), "number"),
        (t!(i18n, dashboard.previous), "number wide"),
    ];
    view! {
        <section class="panel" aria-labelledby="funnel">
            <h2 id="funnel">{t!(i18n, analytics.funnel)}</h2>
            <p class="note">{t!(i18n, analytics.funnel_note)}</p>
            <Table caption=t!(i18n, analytics.funnel) columns>{rows}</Table>
            {searches}
        </section>
    }
    .into_any()
}

/// A table with its heading; nothing without rows.
fn section(
    id: &'static str,
    heading: &'static str,
    note: &'static str,
    columns: Vec<(&'static str, &'static str)>,
    rows: impl Iterator<Item = impl IntoView + 'static>,
) -> Option<AnyView> {
    let rows: Vec<AnyView> = rows.map(IntoAny::into_any).collect();
    let note = (!note.is_empty()).then(|| view! { <p class="note">{note}</p> });
    (!rows.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby=id>
                <h2 id=id>{heading}</h2>
                {note}
                <Table caption=heading columns>{rows}</Table>
            </section>
        }
        .into_any()
    })
}

/// What products did.
fn products(i18n: I18n, handle: &str, products: Vec<ProductFigures>) -> Option<AnyView> {
    let number = |n: i64| words::number(i18n, n);
    let rows = products.into_iter().map(|of| {
        let lasts = of.days_left.map(|days| tn!(i18n, analytics.days, days));
        view! {
            <tr>
                <th scope="row">
                    <a href=routes::seller_product(handle, of.product_id) dir="auto">{of.title}</a>
                </th>
                <td class="number">{words::money(i18n, of.sold)}</td>
                <td class="number spare">{number(of.units)}</td>
                <td class="number wide">{number(of.refunded_units)}</td>
                <td class="number wide">{number(of.funnel.views)}</td>
                <td class="number wide">{percent(of.funnel.conversion())}</td>
                <td class="number wide">{of.available.map(number)}</td>
                <td class="number wide">{lasts}</td>
            </tr>
        }
    });
    let columns = vec![
        (t!(i18n, analytics.product), ""),
        (t!(i18n, analytics.sold), "number"),
        (t!(i18n, analytics.units), "number spare"),
        (t!(i18n, analytics.refunded), "number wide"),
        (t!(i18n, analytics.views), "number wide"),
        (t!(i18n, analytics.conversion), "number wide"),
        (t!(i18n, analytics.stock), "number wide"),
        (t!(i18n, analytics.lasts), "number wide"),
    ];
    section("products", t!(i18n, seller_products.title), "", columns, rows)
}

/// Products that nobody bought.
fn slow(i18n: I18n, handle: &str, products: Vec<SlowProduct>) -> Option<AnyView> {
    let rows = products.into_iter().map(|of| {
        view! {
            <tr>
                <th scope="row">
                    <a href=routes::seller_product(handle, of.product_id) dir="auto">{of.title}</a>
                </th>
                <td class="number">{words::number(i18n, of.views)}</td>
                <td class="number spare">{words::number(i18n, of.available)}</td>
            </tr>
        }
    });
    let columns = vec![
        (t!(i18n, analytics.product), ""),
        (t!(i18n, analytics.views), "number"),
        (t!(i18n, analytics.stock), "number spare"),
    ];
    section("slow", t!(i18n, analytics.slow), t!(i18n, analytics.slow_note), columns, rows)
}

/// The shops that sold most.
fn shops(i18n: I18n, shops: Vec<ShopFigures>) -> Option<AnyView> {
    let number = |n: i64| words::number(i18n, n);
    let rows = shops.into_iter().map(|of| {
        let cancelled = percent((of.orders > 0).then(|| average(of.cancelled_orders * 1_000, of.orders)));
        let rating = of.rating.map_or_else(|| "–".to_owned(), |tenths| words::percent(tenths * 10));
        view! {
            <tr>
                <th scope="row">
                    <a href=routes::any_shop(&of.handle) dir="auto">{of.name}</a>
                </th>
                <td class="number">{words::money(i18n, of.gross)}</td>
                <td class="number spare">{number(of.orders)}</td>
                <td class="number wide">{words::money(i18n, of.refunded)}</td>
                <td class="number wide">{cancelled}</td>
                <td class="number wide">{number(of.waiting)}</td>
                <td class="number wide">{rating}</td>
            </tr>
        }
    });
    let columns = vec![
        (t!(i18n, admin.shop), ""),
        (t!(i18n, dashboard.sold), "number"),
        (t!(i18n, seller_orders.title), "number spare"),
        (t!(i18n, analytics.refunded_since), "number wide"),
        (t!(i18n, analytics.cancelled), "number wide"),
        (t!(i18n, analytics.waiting), "number wide"),
        (t!(i18n, analytics.rating), "number wide"),
    ];
    section("shops", t!(i18n, shops.title), "", columns, rows)
}

/// How payments went.
fn methods(i18n: I18n, methods: Vec<MethodFigures>) -> Option<AnyView> {
    let number = |n: i64| words::number(i18n, n);
    let cash = t!(i18n, payment_method.cash);
    let rows = methods.into_iter().map(|of| {
        let failed = percent((of.begun > 0).then(|| average(of.failed * 1_000, of.begun)));
        view! {
            <tr>
                <th scope="row">{words::method(i18n, of.method, cash)}</th>
                <td class="number">{number(of.begun)}</td>
                <td class="number spare">{number(of.paid)}</td>
                <td class="number spare">{failed}</td>
                <td class="number wide">{words::money(i18n, of.amount)}</td>
            </tr>
        }
    });
    let columns = vec![
        (t!(i18n, analytics.method), ""),
        (t!(i18n, analytics.begun), "number"),
        (t!(i18n, analytics.paid), "number spare"),
        (t!(i18n, analytics.failed), "number spare"),
        (t!(i18n, analytics.amount_paid), "number wide"),
    ];
    section("methods", t!(i18n, analytics.methods), "", columns, rows)
}

/// What a source is called. Names are those of the companies, in every language.
fn source(i18n: I18n, source: Source) -> &'static str {
    match source {
        Source::Direct => t!(i18n, analytics.direct),
        Source::Market => t!(i18n, analytics.market),
        Source::Other => t!(i18n, analytics.other),
        Source::Baidu => "Baidu",
        Source::Bing => "Bing",
        Source::DuckDuckGo => "DuckDuckGo",
        Source::Facebook => "Facebook",
        Source::Google => "Google",
        Source::Instagram => "Instagram",
        Source::LinkedIn => "LinkedIn",
        Source::Pinterest => "Pinterest",
        Source::Reddit => "Reddit",
        Source::Telegram => "Telegram",
        Source::TikTok => "TikTok",
        Source::WhatsApp => "WhatsApp",
        Source::X => "X",
        Source::Yahoo => "Yahoo",
        Source::Yandex => "Yandex",
        Source::YouTube => "YouTube",
    }
}

/// Where people came from who opened product pages.
fn sources(i18n: I18n, sources: Vec<SourceFigures>) -> Option<AnyView> {
    let all: i64 = sources.iter().map(|of| of.views).sum();
    let rows = sources.into_iter().map(|of| {
        view! {
            <tr>
                <th scope="row">{source(i18n, of.source)}</th>
                <td class="number">{words::number(i18n, of.views)}</td>
                <td class="number spare">{percent(Some(average(of.views.saturating_mul(1_000), all)))}</td>
            </tr>
        }
    });
    let columns = vec![
        (t!(i18n, analytics.source), ""),
        (t!(i18n, analytics.views), "number"),
        (t!(i18n, analytics.share), "number spare"),
    ];
    section("sources", t!(i18n, analytics.sources), "", columns, rows)
}

/// When people opened product pages.
fn hours(i18n: I18n, hours: &[i64]) -> Option<AnyView> {
    let most = hours.iter().copied().max().filter(|most| *most > 0)?;
    let bars = hours.iter().enumerate().map(|(hour, n)| {
        let views = words::number(i18n, *n);
        (format!("{hour:02}:00"), *n, vec![views])
    });
    let columns = vec![(t!(i18n, analytics.hour), ""), (t!(i18n, analytics.views), "number")];
    let (bars, says, top) = (bars.collect(), t!(i18n, analytics.hours), words::number(i18n, most));
    Some(
        view! {
            <section class="panel" aria-labelledby="hours">
                <h2 id="hours">{t!(i18n, analytics.hours)}</h2>
                <Bars says columns bars top />
            </section>
        }
        .into_any(),
    )
}
