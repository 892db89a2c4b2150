//! The home page of the admin area: what needs attention, then the market's figures and the latest orders.

use haat_shared::{
    Money,
    accounts::Me,
    audit::AdminHome,
    orders::OrderCard,
    permissions::AdminPermission,
    returns::ESCALATED,
    routes,
    sales::{MarketFigures, MarketHome, PERIOD, average, change},
};
use leptos::prelude::*;

use super::{AdminPage, Part};
use crate::{
    api,
    back_office::{
        figures::{Figure, figure_panels},
        orders,
    },
    i18n::{t, tn, use_i18n},
    state::Visitor,
    ui::{EmptyState, Icon, PageTitle, loaded},
    words::{self, I18n},
};

/// The home page of the admin area.
#[component]
pub(crate) fn Home() -> impl IntoView {
    let visitor = expect_context::<Visitor>().0;
    let found = api::find(
        || (),
        move |()| async move {
            let (home, me) = (api::audit::home().await?, visitor.await?);
            let market = match me.as_ref().is_some_and(|me| me.may(AdminPermission::SeeOrders)) {
                true => Some(api::sales::of_market().await?),
                false => None,
            };
            Ok((home, market, me))
        },
    );
    let page = loaded(found, |(home, market, me)| view! { <Shown home market me /> });
    view! { <AdminPage here=Part::Home>{page}</AdminPage> }
}

#[component]
fn Shown(home: AdminHome, market: Option<MarketHome>, me: Option<Me>) -> impl IntoView {
    let i18n = use_i18n();
    let jobs = tn!(i18n, admin.dead_jobs, home.dead_jobs);
    let outbox = tn!(i18n, admin.pending_messages, home.pending_messages);
    let mails = tn!(i18n, admin.failed_emails, home.failed_emails);
    let delayed = tn!(i18n, admin.delayed_emails, home.delayed_emails);
    let orders = tn!(i18n, admin.waiting_orders, home.waiting_orders);
    let returns = tn!(i18n, admin.escalated_returns, home.escalated_returns);
    let reports = tn!(i18n, reports.open_reports, home.open_reports);
    let todo = [
        (home.dead_jobs, Part::Jobs, jobs, &[("state", "dead")][..]),
        (home.pending_messages, Part::Outbox, outbox, &[("state", "waiting")]),
        (home.failed_emails, Part::Deliveries, mails, &[("state", "failed"), ("channel", "email")]),
        (home.delayed_emails, Part::Deliveries, delayed, &[("state", "written"), ("channel", "email")]),
        (home.waiting_orders, Part::Orders, orders, &[("overdue", "true")]),
        (home.escalated_returns, Part::Orders, returns, &[("returns", ESCALATED)]),
        (home.open_reports, Part::Reports, reports, &[("state", "open")]),
    ];
    let sees = |part: Part| me.as_ref().is_some_and(|me| me.may(part.needs()));
    let todo =
        todo.into_iter().filter(|(n, part, ..)| *n > 0 && sees(*part)).map(|(_, part, words, asked)| {
            view! {
                <li class="row">
                    <Icon name=part.icon() />
                    <a class="row-link" href=routes::with(part.path(), asked)>{words}</a>
                </li>
            }
        });
    let todo: Vec<_> = todo.collect();
    let todo = if todo.is_empty() {
        let (title, note) = (t!(i18n, admin.nothing), t!(i18n, admin.nothing_note));
        view! { <EmptyState icon="check" title note /> }.into_any()
    } else {
        view! { <ul class="rows todo">{todo}</ul> }.into_any()
    };
    let market = market.map(|market| {
        let figures = figures(i18n, &market, sees(Part::Users));
        let order = |order: &OrderCard| routes::any_order(&order.number);
        let latest = (!market.latest.is_empty())
            .then(|| orders::latest(i18n, market.latest, true, order, Some(Part::Orders.path().to_owned())));
        view! {
            <section class="period" aria-labelledby="period">
                <h2 id="period">{tn!(i18n, dashboard.last, PERIOD)}</h2>
                <p class="note">{t!(i18n, admin.compared)}</p>
                {figures}
            </section>
            {latest}
        }
    });
    view! {
        <PageTitle text=t!(i18n, admin.nav) />
        <h1>{t!(i18n, dashboard.home)}</h1>
        <section class="panel" aria-labelledby="todo">
            <h2 id="todo">{t!(i18n, dashboard.todo)}</h2>
            {todo}
        </section>
        {market}
    }
}

/// The figures of the last 30 days, each with its change and its course.
fn figures(i18n: I18n, market: &MarketHome, users: bool) -> AnyView {
    let MarketHome { days, now, before, .. } = market;
    let each = |of: fn(&MarketFigures) -> i64| days.iter().map(of).collect::<Vec<_>>();
    let mean = |of: &MarketFigures| average(of.sold.amount(), of.orders);
    let no_sales = t!(i18n, dashboard.no_sales_before);
    let mut figures = vec![
        Figure {
            name: t!(i18n, dashboard.sold),
            value: words::money(i18n, now.sold),
            change: change(now.sold.amount(), before.sold.amount()),
            none_before: no_sales,
            course: each(|day| day.sold.amount()),
        },
        Figure {
            name: t!(i18n, dashboard.net),
            value: words::money(i18n, now.net),
            change: change(now.net.amount(), before.net.amount()),
            none_before: no_sales,
            course: each(|day| day.net.amount()),
        },
        Figure {
            name: t!(i18n, seller_orders.title),
            value: words::number(i18n, now.orders),
            change: change(now.orders, before.orders),
            none_before: no_sales,
            course: each(|day| day.orders),
        },
        Figure {
            name: t!(i18n, dashboard.average),
            value: words::money(i18n, Money::new(mean(now), now.sold.currency())),
            change: change(mean(now), mean(before)),
            none_before: no_sales,
            course: days.iter().map(mean).collect(),
        },
    ];
    if users {
        figures.push(Figure {
            name: t!(i18n, admin.new_users),
            value: words::number(i18n, now.joined),
            change: change(now.joined, before.joined),
            none_before: t!(i18n, admin.no_users_before),
            course: each(|day| day.joined),
        });
    }
    figure_panels(i18n, figures)
}
