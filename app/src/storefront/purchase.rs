//! A purchase: what was bought, how far it has come, and whom to ask. The first thing that is said is thanks; once a
//! shop has acted, it is news that the reader comes for.

use haat_shared::orders::{OrderState, OrderView, PurchaseView, Shipment};
use leptos::prelude::*;

use super::checkout::order_lines;
use crate::{
    api, countries,
    i18n::{t, tu_string, use_i18n},
    state::{param, query},
    ui::{Icon, LinkButton, PageTitle, Sums, loaded},
    words,
};

/// A purchase's page.
#[component]
pub(crate) fn Purchase() -> impl IntoView {
    crate::head::keep_out();
    let (number, key) = (param("number"), query("key"));
    let found =
        api::find(move || (number.get(), key.get()), |(number, key)| api::orders::purchase(number, key));
    loaded(found, |purchase| view! { <Shown purchase /> })
}

#[component]
fn Shown(purchase: PurchaseView) -> impl IntoView {
    let i18n = use_i18n();
    let (number, email) = (purchase.number.as_str(), purchase.email.as_str());
    let new = purchase.orders.iter().all(|order| order.state == OrderState::Placed);
    let (title, lead) = if new {
        let lead = tu_string!(i18n, purchase.lead, number = number, email = email).to_string();
        (tu_string!(i18n, purchase.title), lead)
    } else {
        let lead = tu_string!(i18n, purchase.lead_later, number = number).to_string();
        (tu_string!(i18n, purchase.title_later), lead)
    };
    let ask = tu_string!(i18n, purchase.ask, number = number, email = email).to_string();
    let made = tu_string!(i18n, purchase.made, date = words::moment(i18n, &purchase.made_at)).to_string();
    let collects = purchase.method.collects();
    let orders = purchase.orders.into_iter().map(|order| view! { <Order order collects /> }).collect_view();
    view! {
        <PageTitle text=title />
        <div class="width page narrow">
            <header class="thanks">
                {new.then(|| view! { <span class="thanks-mark" aria-hidden="true"><Icon name="check" /></span> })}
                <h1>{title}</h1>
                <p class="lead">{lead}</p>
                <p class="note">{made}</p>
            </header>
            {orders}
            <section class="panel facts-panel">
                <div>
                    <h2>{t!(i18n, purchase.goes_to)}</h2>
                    <AddressLines address=purchase.address />
                </div>
                <div>
                    <h2>{t!(i18n, purchase.payment)}</h2>
                    <p>{words::paid_by(i18n, purchase.method)}</p>
                    <p class="price big">{purchase.total.to_string()}</p>
                </div>
            </section>
            <section class="panel facts-panel">
                <div>
                    <h2>{t!(i18n, purchase.questions)}</h2>
                    <p>{ask}</p>
                </div>
            </section>
            <p class="page-next">
                <LinkButton href="/" look="secondary">{t!(i18n, purchase.go_on)}</LinkButton>
            </p>
        </div>
    }
}

#[component]
fn Order(order: OrderView, collects: bool) -> impl IntoView {
    let i18n = use_i18n();
    let money = (order.state == OrderState::Cancelled).then(|| match collects {
        true => tu_string!(i18n, purchase.cancelled_refund, total = order.total.to_string()).to_string(),
        false => tu_string!(i18n, purchase.cancelled_nothing).to_owned(),
    });
    let number = tu_string!(i18n, purchase.order, number = order.number.as_str()).to_string();
    let waiting = matches!(order.state, OrderState::Placed | OrderState::Confirmed | OrderState::Shipped);
    let due = waiting.then(|| view! { <p class="order-due">{words::due(i18n, order.way, &order.due)}</p> });
    view! {
        <section class="panel order">
            <header class="order-head">
                <h2>
                    <a href=format!("/shops/{}", order.shop_handle)>{order.shop_name}</a>
                </h2>
                <p class="note">{number}</p>
            </header>
            <Timeline state=order.state />
            {due}
            {money.map(|words| view! { <p class="order-due">{words}</p> })}
            {order.shipment.map(|shipment| view! { <Travels shipment /> })}
            {order_lines(i18n, order.lines)}
            <Sums subtotal=order.subtotal delivery=order.delivery total=order.total tax=order.tax />
        </section>
    }
}

/// Who carries an order, and where it can be followed.
#[component]
fn Travels(shipment: Shipment) -> impl IntoView {
    let i18n = use_i18n();
    let Shipment { carrier, tracking_number, tracking_url } = shipment;
    let words = tu_string!(i18n, purchase.travels, carrier = carrier, number = tracking_number).to_string();
    let link = (!tracking_url.is_empty())
        .then(|| view! { " " <a href=tracking_url rel="external noopener">{t!(i18n, purchase.follow)}</a> });
    view! { <p class="order-due">{words}{link}</p> }
}

/// How far an order has come.
#[component]
pub(crate) fn Timeline(
    state: OrderState,
    /// Whether to say what that means for the one who waits.
    #[prop(default = true)]
    news: bool,
) -> impl IntoView {
    use OrderState::{Cancelled, Confirmed, Delivered, Placed, Shipped};
    let i18n = use_i18n();
    let way: &[OrderState] =
        if state == Cancelled { &[Placed, Cancelled] } else { &[Placed, Confirmed, Shipped, Delivered] };
    let reached = way.iter().position(|s| *s == state).unwrap_or(0);
    let steps = way.iter().enumerate().map(|(i, step)| {
        let (look, said) = match i.cmp(&reached) {
            std::cmp::Ordering::Less => ("done", Some(tu_string!(i18n, purchase.step_done))),
            std::cmp::Ordering::Equal => ("now", Some(tu_string!(i18n, purchase.step_now))),
            std::cmp::Ordering::Greater => ("later", None),
        };
        let said = said.map(|words| view! { <span class="hidden">" ("{words}")"</span> });
        view! { <li class=look>{words::order_state(i18n, *step)}{said}</li> }
    });
    view! {
        <ol class="timeline" class:cancelled=state == Cancelled>{steps.collect_view()}</ol>
        {news.then(|| view! { <p class="timeline-news">{words::order_news(i18n, state)}</p> })}
    }
}

/// Where goods go, as on a label.
#[component]
pub(crate) fn AddressLines(address: haat_shared::checkout::Address) -> impl IntoView {
    let country = countries::name(use_i18n(), &address.country);
    let lines = address.label(country).into_iter().map(|line| view! { <span>{line}</span> }).collect_view();
    view! { <address>{lines}</address> }
}
