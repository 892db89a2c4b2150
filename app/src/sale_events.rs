//! Timed events: those that are on or will be, the page of one, and how a shop keeps its own.

mod shop;

pub(crate) use shop::{ShopEventPage, ShopEvents};

use std::time::Duration;

use haat_shared::{
    routes,
    sale_events::{EventCard, EventItem, EventView},
    sale_prices::PlannedSaleState,
};
use leptos::{prelude::*, web_sys};

use crate::{
    api,
    head::{self, About},
    i18n::{t, tn, use_i18n},
    state::param,
    ui::{CodeAlert, EmptyState, PageTitle, Picture, loaded, still},
    words::{self, I18n},
};

/// The events that are on or will be.
#[component]
pub(crate) fn Events() -> impl IntoView {
    let found = api::find(|| (), |()| api::sale_events::list());
    let i18n = use_i18n();
    loaded(found, move |cards| {
        head::describe(|| About {
            title: t!(i18n, sale_events.title).into(),
            description: t!(i18n, sale_events.lead).into(),
            path: routes::EVENTS.into(),
            ..About::default()
        });
        let list = match cards.is_empty() {
            true => {
                let (title, note) = (t!(i18n, sale_events.none), t!(i18n, sale_events.none_note));
                view! { <EmptyState icon="bolt" title note /> }.into_any()
            }
            false => still(move || {
                let cards = cards.into_iter().map(|card| event_card(i18n, card)).collect_view();
                view! { <ul class="service-grid">{cards}</ul> }.into_any()
            }),
        };
        view! {
            <PageTitle text=t!(i18n, sale_events.title) />
            <div class="width page">
                <h1>{t!(i18n, sale_events.title)}</h1>
                <p>{t!(i18n, sale_events.lead)}</p>
                {list}
            </div>
        }
    })
}

fn event_card(i18n: I18n, card: EventCard) -> impl IntoView + use<> {
    view! {
        <li class="service-card">
            <Picture of=card.picture.clone() title=card.title.clone() sizes="(min-width: 768px) 384px, 100vw" />
            <div class="service-words">
                <h2><a href=routes::event(card.id) translate="no">{card.title.clone()}</a></h2>
                <p class="dots">
                    {state(i18n, card.status)}
                    " "
                    <span>{when(i18n, &card)}</span>
                </p>
                <ul class="facts">
                    <li translate="no">{card.shop_name}</li>
                    <li>{tn!(i18n, sale_events.products, card.products)}</li>
                </ul>
            </div>
        </li>
    }
}

/// When an event begins or, once it has begun, when it ends.
fn when(i18n: I18n, card: &EventCard) -> String {
    let [starts, ends] = [&card.starts_at, &card.ends_at].map(|time| words::moment(i18n, time));
    match card.status {
        PlannedSaleState::Scheduled => t!(i18n, sale_events.starts, time = starts),
        PlannedSaleState::Active => t!(i18n, sale_events.ends, time = ends),
        PlannedSaleState::Ended => t!(i18n, sale_events.ended_at, time = ends),
    }
}

fn state(i18n: I18n, status: PlannedSaleState) -> AnyView {
    let (words, look) = match status {
        PlannedSaleState::Scheduled => (t!(i18n, sale_events.soon), "placed"),
        PlannedSaleState::Active => (t!(i18n, sale_events.live), "delivered"),
        PlannedSaleState::Ended => (t!(i18n, sale_events.over), ""),
    };
    view! { <span class=format!("state {look}")>{words}</span> }.into_any()
}

/// The page of an event.
#[component]
pub(crate) fn Event() -> impl IntoView {
    let id = param("id");
    let found = api::find(move || id.get(), |id| async move { api::sale_events::view(api::id(&id)?).await });
    let i18n = use_i18n();
    loaded(found, move |event| {
        let EventView { card, description, seconds, items } = event;
        head::describe(|| About {
            title: card.title.clone(),
            description: description.clone(),
            path: routes::event(card.id),
            ..About::default()
        });
        let paragraphs = description.split('\n').map(str::trim).filter(|p| !p.is_empty());
        let paragraphs = paragraphs.map(|p| view! { <p>{p.to_owned()}</p> }).collect_view();
        let scheduled = card.status == PlannedSaleState::Scheduled;
        let clock = (card.status != PlannedSaleState::Ended)
            .then(|| view! { <Countdown seconds scheduled until=when(i18n, &card) /> });
        let over = card.status == PlannedSaleState::Ended;
        let items = still(move || {
            let items = items.into_iter().map(|of| item(i18n, of, !over)).collect_view();
            view! { <ul class="service-grid">{items}</ul> }.into_any()
        });
        view! {
            <PageTitle text=card.title.clone() />
            <div class="width page">
                <p class="back"><a href=routes::EVENTS>{t!(i18n, sale_events.all)}</a></p>
                <h1 translate="no">{card.title.clone()}</h1>
                <CodeAlert />
                <p class="dots">
                    {state(i18n, card.status)}
                    " "
                    <a href=routes::shop(&card.shop_handle) translate="no">{card.shop_name.clone()}</a>
                    " "
                    <span>{when(i18n, &card)}</span>
                </p>
                {clock}
                <div class="prose" translate="no">{paragraphs}</div>
                {items}
            </div>
        }
    })
}

fn item(i18n: I18n, of: EventItem, is_open: bool) -> impl IntoView + use<> {
    let left = match of.left.filter(|_| is_open) {
        Some(_) if of.is_sold_out() => Some(t!(i18n, sale_events.sold_out).to_owned()),
        Some(left) => Some(tn!(i18n, sale_events.left, left)),
        None => None,
    };
    view! {
        <li class="service-card">
            <Picture of=of.picture title=of.title.clone() sizes="(min-width: 768px) 384px, 100vw" />
            <div class="service-words">
                <h2><a href=routes::product(&of.slug) translate="no">{of.title}</a></h2>
                <p class="dots">
                    <span class="price">{words::money(i18n, of.price)}</span>
                    " "
                    <s class="was"><span class="hidden">{t!(i18n, product.was)} " "</span>{words::money(i18n, of.was)}</s>
                </p>
                {left.map(|words| view! { <p class="note">{words}</p> })}
            </div>
        </li>
    }
}

/// How long it is until the event begins or ends, counted down from what the server said, so that a wrong clock does not
/// matter. Without JavaScript, when that is.
#[component]
fn Countdown(seconds: i64, scheduled: bool, until: String) -> impl IntoView {
    let i18n = use_i18n();
    let left = RwSignal::new(None);
    Effect::new(move || {
        // Timers are paused in background tabs, so each tick looks at the clock, but only at how far it has moved.
        let now = || web_sys::js_sys::Date::now() as i64 / 1000;
        let end = now() + seconds;
        left.set(Some(seconds));
        let tick = move || left.set(Some((end - now()).max(0)));
        if let Ok(timer) = set_interval_with_handle(tick, Duration::from_secs(1)) {
            on_cleanup(move || timer.clear());
        }
    });
    let shown = Memo::new(move |_| match (left.get(), scheduled) {
        (None, _) => until.clone(),
        (Some(0), true) => t!(i18n, sale_events.has_begun).to_owned(),
        (Some(0), false) => t!(i18n, sale_events.is_over).to_owned(),
        (Some(left), true) => t!(i18n, sale_events.starts_in, time = clock(i18n, left)),
        (Some(left), false) => t!(i18n, sale_events.ends_in, time = clock(i18n, left)),
    });
    view! { <p class="countdown" role="timer">{shown}</p> }
}

/// `2 days 03:04:05`
fn clock(i18n: I18n, seconds: i64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let time = format!("{:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60);
    match days {
        0 => time,
        days => format!("{} {time}", tn!(i18n, sale_events.days, days)),
    }
}
