//! Services: their catalogue, the calendar on which a time is chosen, and a shopper's appointments. Everything is links and
//! plain forms, with and without JavaScript.

mod shop;

pub(crate) use shop::ServicesOfShop;

use haat_shared::{
    appointments::{
        AppointmentState, AppointmentView, AskedCalendar, BookingPage, CalendarDay, CalendarMonth,
        Cancellation, ChangeTerms, FeedLink, FindServices, Moving, OwnAppointments, ProviderView,
        ServiceCard, ServiceFacts, ServicePlace,
    },
    id::kinds::ProviderId,
    routes::{self, with},
};
use leptos::prelude::*;

use crate::{
    api,
    head::{self, About},
    i18n::{t, tn, use_i18n},
    state::{param, query},
    ui::{Alert, Button, CodeAlert, EmptyState, LinkButton, PageTitle, Picture, loaded, still},
    words::{self, I18n},
};

/// `60 minutes · At the provider’s`
fn facts_words(i18n: I18n, facts: &ServiceFacts) -> String {
    format!("{} · {}", tn!(i18n, services.minutes, facts.minutes), place_words(i18n, facts.place))
}

fn place_words(i18n: I18n, place: ServicePlace) -> &'static str {
    match place {
        ServicePlace::Customer => t!(i18n, services.at_customer),
        ServicePlace::Provider => t!(i18n, services.at_provider),
        ServicePlace::Online => t!(i18n, services.online),
    }
}

fn state_words(i18n: I18n, state: AppointmentState) -> &'static str {
    match state {
        AppointmentState::Booked => t!(i18n, services.booked),
        AppointmentState::Done => t!(i18n, services.done),
        AppointmentState::NoShow => t!(i18n, services.no_show),
        AppointmentState::Cancelled => t!(i18n, services.cancelled),
    }
}

/// The name of a month: `December 2026`.
fn month_words(i18n: I18n, month: &str) -> String {
    // Without the day, which is the first part.
    let first = words::day(i18n, &format!("{month}-01"));
    first.split_once('\u{a0}').map_or(first.clone(), |(_, rest)| rest.to_owned())
}

/// The catalogue of services, by place and day.
#[component]
pub(crate) fn Services() -> impl IntoView {
    let (town, day) = (query("town"), query("day"));
    let found = api::find(
        move || FindServices { town: town.get(), day: day.get() },
        |asked| async move {
            let (cards, towns) = api::services::list(asked.clone()).await?;
            Ok((asked, cards, towns))
        },
    );
    let i18n = use_i18n();
    loaded(found, move |(asked, cards, towns)| {
        head::describe(|| About {
            title: t!(i18n, services.title).into(),
            description: t!(i18n, services.lead).into(),
            path: if asked == FindServices::default() { routes::SERVICES.into() } else { String::new() },
            ..About::default()
        });
        let list = match cards.is_empty() {
            true => {
                let (title, note) = (t!(i18n, services.none), t!(i18n, services.none_note));
                view! { <EmptyState icon="clock" title note /> }.into_any()
            }
            false => still(move || grid(i18n, cards)),
        };
        let options = towns.into_iter().map(|town| {
            let chosen = town == asked.town;
            view! { <option value=town.clone() selected=chosen>{town.clone()}</option> }
        });
        view! {
            <PageTitle text=t!(i18n, services.title) />
            <div class="width page">
                <h1>{t!(i18n, services.title)}</h1>
                <p>{t!(i18n, services.lead)}</p>
                <form method="get" action=routes::SERVICES class="service-search" aria-label=t!(i18n, services.find)>
                    <div class="field">
                        <label for="town">{t!(i18n, services.town)}</label>
                        <select id="town" name="town">
                            <option value="">{t!(i18n, services.any_town)}</option>
                            {options.collect_view()}
                        </select>
                    </div>
                    <div class="field">
                        <label for="day">{t!(i18n, services.day)}</label>
                        <input id="day" name="day" type="date" value=asked.day.clone() />
                    </div>
                    <Button>{t!(i18n, services.find)}</Button>
                </form>
                <h2 class="hidden">{t!(i18n, services.title)}</h2>
                {list}
            </div>
        }
    })
}

fn grid(i18n: I18n, cards: Vec<ServiceCard>) -> AnyView {
    let cards = cards.into_iter().map(|card| {
        let towns = (!card.towns.is_empty()).then(|| view! { <li>{card.towns.join(", ")}</li> });
        view! {
            <li class="service-card">
                <Picture of=card.picture title=card.title.clone() sizes="(min-width: 768px) 384px, 100vw" />
                <div class="service-words">
                    <h3><a href=routes::product(&card.slug)>{card.title}</a></h3>
                    <p>{card.lead}</p>
                    <ul class="facts">
                        <li>{facts_words(i18n, &card.facts)}</li>
                        {towns}
                        <li>{card.shop_name}</li>
                    </ul>
                    <p class="dots">
                        <span class="price">{words::money(i18n, card.price)}</span>
                        " "
                        <a href=routes::book(&card.slug)>{t!(i18n, services.choose)}</a>
                    </p>
                </div>
            </li>
        }
    });
    view! { <ul class="service-grid">{cards.collect_view()}</ul> }.into_any()
}

/// The page on which a time is chosen: for the basket, or for an appointment that is moved.
#[component]
pub(crate) fn Book() -> impl IntoView {
    crate::head::keep_out();
    let (slug, provider, month, day) = (param("slug"), query("provider"), query("month"), query("day"));
    let moving = ["move", "shop", "purchase", "key"].map(query);
    let moving = move || {
        let [id, shop, purchase, key] = moving.map(|field| field.get());
        (!id.is_empty()).then_some(Moving { id, shop, purchase, key })
    };
    let asked = move || AskedCalendar { provider: provider.get(), month: month.get(), day: day.get() };
    let found = api::find(
        move || (slug.get(), asked(), moving()),
        |(slug, asked, moving)| async move {
            let page = api::services::booking(slug, asked).await?;
            match moving {
                None => Ok((page, None)),
                Some(of) => Ok((page, Some((of.clone(), api::services::moving(of).await?)))),
            }
        },
    );
    loaded(found, |(page, moving)| view! { <Booking page moving /> })
}

/// The calendar of a service, and what is moved on it.
#[derive(Clone)]
struct Calendar {
    slug: String,
    moving: Option<Moving>,
}

impl Calendar {
    /// The link to it with another provider, month or day.
    fn link(&self, provider: Option<ProviderId>, month: &str, day: &str) -> String {
        let provider = provider.map(|id| id.to_string()).unwrap_or_default();
        let mut asked = vec![("provider", provider.as_str()), ("month", month), ("day", day)];
        asked.extend(self.moving.iter().flat_map(Moving::fields));
        with(&routes::book(&self.slug), &asked)
    }
}

#[component]
fn Booking(page: BookingPage, moving: Option<(Moving, AppointmentView)>) -> impl IntoView {
    let i18n = use_i18n();
    let slug = page.slug.clone();
    let (moving, moved) = moving.unzip();
    let title = match moved {
        Some(_) => t!(i18n, services.move_title, title = page.title),
        None => t!(i18n, services.book, title = page.title),
    };
    let now = moved.map(|of| {
        let time = words::moment(i18n, &of.starts_at);
        view! { <p>{t!(i18n, services.move_lead, time = time, provider = of.provider)}</p> }
    });
    let at = Calendar { slug: slug.clone(), moving };
    let alert = match query("error").get_untracked().as_str() {
        "too_late" => view! { <Alert>{t!(i18n, error.too_late)}</Alert> }.into_any(),
        _ => view! { <CodeAlert /> }.into_any(),
    };
    let who = providers(i18n, &at, &page);
    let bookable = !page.providers.is_empty() && page.first_free.is_some();
    let times = times(i18n, &at, &page);
    let first = page.first_free.as_ref().filter(|first| page.day.as_ref() != Some(*first)).map(|first| {
        let href = at.link(page.provider, "", first);
        view! { <p><a href=href>{t!(i18n, services.first_free, day = words::day(i18n, first))}</a></p> }
    });
    let calendar = match bookable {
        true => view! {
            <div class="booking">
                <section class="panel" aria-labelledby="month">{calendar(i18n, &at, page.provider, &page.month, page.day.as_deref())} {first}</section>
                <section class="panel" aria-labelledby="times">{times}</section>
            </div>
        }
        .into_any(),
        false => {
            let (title, note) = (t!(i18n, services.no_times), t!(i18n, services.no_times_note));
            view! { <EmptyState icon="clock" title note /> }.into_any()
        }
    };
    view! {
        <PageTitle text=title.clone() />
        <div class="width page">
            <p><a href=routes::product(&slug)>{page.title.clone()}</a></p>
            <h1>{title}</h1>
            <p class="dots">
                <span class="price">{words::money(i18n, page.price)}</span>
                " "
                <span>{facts_words(i18n, &page.facts)}</span>
                " "
                <span>{page.shop_name}</span>
            </p>
            <p class="note">{terms_words(i18n, page.terms)}</p>
            {alert}
            {now}
            {who}
            {calendar}
        </div>
    }
}

/// Who does it: any of them, or one.
fn providers(i18n: I18n, at: &Calendar, page: &BookingPage) -> Option<AnyView> {
    if page.providers.is_empty() {
        return None;
    }
    let month = page.month.month.as_str();
    let any = (page.providers.len() > 1).then(|| {
        let here = page.provider.is_none().then_some("true");
        view! { <li><a class="provider" href=at.link(None, month, "") aria-current=here>{t!(i18n, services.anyone)}</a></li> }
    });
    let one = page.providers.iter().map(|provider| {
        let ProviderView { id, name, bio, town, .. } = provider;
        let here = (page.provider == Some(*id)).then_some("true");
        let town = (!town.is_empty()).then(|| view! { <span class="note">{town.clone()}</span> });
        let bio = (!bio.is_empty()).then(|| view! { <span class="note">{bio.clone()}</span> });
        view! {
            <li>
                <a class="provider" href=at.link(Some(*id), month, "") aria-current=here>
                    <strong>{name.clone()}</strong>
                    {town}
                    {bio}
                </a>
            </li>
        }
    });
    let one = one.collect_view();
    Some(
        view! {
            <section aria-labelledby="who">
                <h2 id="who">{t!(i18n, services.who)}</h2>
                <ul class="providers">{any} {one}</ul>
            </section>
        }
        .into_any(),
    )
}

/// A month, whose days with free times are links.
fn calendar(
    i18n: I18n,
    at: &Calendar,
    provider: Option<ProviderId>,
    month: &CalendarMonth,
    shown: Option<&str>,
) -> AnyView {
    let step = |to: &Option<String>, sign: &'static str, label: String| {
        match to {
        Some(to) => view! {
            <a class="button quiet" href=at.link(provider, to, "") aria-label=label><span aria-hidden="true">{sign}</span></a>
        }
        .into_any(),
        // Keeps its place.
        None => view! { <span class="button quiet" aria-hidden="true"></span> }.into_any(),
    }
    };
    let name = month_words(i18n, &month.month);
    let named = |to: &Option<String>| to.as_deref().map(|month| month_words(i18n, month)).unwrap_or_default();
    let previous = step(&month.previous, "‹", t!(i18n, services.previous, month = named(&month.previous)));
    let next = step(&month.next, "›", t!(i18n, services.next, month = named(&month.next)));
    let day = |day: &Option<CalendarDay>| {
        let Some(CalendarDay { date, free }) = day else { return view! { <td></td> }.into_any() };
        let number = date.get(8..).unwrap_or_default().trim_start_matches('0').to_owned();
        let today = (*date == month.today).then_some("date");
        if *free == 0 {
            return view! { <td><span class="calendar-day" aria-current=today>{number}</span></td> }
                .into_any();
        }
        let label = format!("{}, {}", words::day(i18n, date), tn!(i18n, services.free_times, *free));
        let here = (shown == Some(date.as_str())).then_some("true");
        view! {
            <td>
                <a class="calendar-day" class:today=today.is_some() href=format!("{}#times", at.link(provider, &month.month, date)) aria-label=label aria-current=here>
                    {number}
                </a>
            </td>
        }
        .into_any()
    };
    let weeks = month.weeks.iter().map(|week| view! { <tr>{week.iter().map(day).collect_view()}</tr> });
    let weeks = weeks.collect_view();
    let names = weekdays(i18n).into_iter().map(|weekday| {
        view! { <th scope="col"><abbr title=weekday>{short(weekday)}</abbr></th> }
    });
    let today = at.link(provider, &month.today[..7], "");
    view! {
        <div class="calendar-head">
            {previous}
            <h2 id="month">{name}</h2>
            {next}
        </div>
        <table class="calendar" aria-labelledby="month">
            <thead><tr>{names.collect_view()}</tr></thead>
            <tbody>{weeks}</tbody>
        </table>
        <p><a href=today>{t!(i18n, services.today)}</a></p>
    }
    .into_any()
}

/// The weekdays, from Monday.
fn weekdays(i18n: I18n) -> [&'static str; 7] {
    [
        t!(i18n, services.monday),
        t!(i18n, services.tuesday),
        t!(i18n, services.wednesday),
        t!(i18n, services.thursday),
        t!(i18n, services.friday),
        t!(i18n, services.saturday),
        t!(i18n, services.sunday),
    ]
}

/// The beginning of a weekday's name. In Hindi, a vowel sign belongs to the letter before it.
fn short(weekday: &str) -> String {
    let end = weekday.char_indices().nth(3).map_or(weekday.len(), |(at, _)| at);
    weekday[..end].to_owned()
}

/// The free times of a day, each a button of a form.
fn times(i18n: I18n, at: &Calendar, page: &BookingPage) -> AnyView {
    let Some(day) = page.day.as_ref().filter(|_| !page.times.is_empty()) else {
        return view! {
            <h2 id="times">{t!(i18n, services.times)}</h2>
            <p>{t!(i18n, services.none_in_month)}</p>
        }
        .into_any();
    };
    let zones: Vec<&str> = page.times.iter().map(|time| time.zone.as_str()).collect();
    let one_zone = zones.windows(2).all(|two| two[0] == two[1]);
    let note = t!(i18n, services.zone_note, zone = zones.first().copied().unwrap_or_default());
    let note = one_zone.then(|| view! { <p class="note">{note}</p> });
    let choose = page.provider.is_none() && page.providers.len() > 1;
    let buttons = page.times.iter().map(|time| {
        let zone = (!one_zone).then(|| format!(" {}", time.zone));
        let who = choose.then(|| view! { <span class="note">{time.provider_name.clone()}</span> });
        let label = format!("{}, {}", words::moment(i18n, &time.local), time.provider_name);
        view! {
            <li>
                <button type="submit" class="button secondary time" name="time" value=format!("{} {}", time.provider, time.starts_at) aria-label=label>
                    <span>{time.time.clone()} {zone}</span>
                    {who}
                </button>
            </li>
        }
    });
    let buttons = buttons.collect_view();
    let hold = at.moving.is_none().then(|| view! { <p class="note">{t!(i18n, services.hold_note)}</p> });
    let moving = at.moving.iter().flat_map(Moving::fields).map(|(name, value)| {
        view! { <input type="hidden" name=name value=value.to_owned() /> }
    });
    view! {
        <h2 id="times">{t!(i18n, services.times_of, day = words::day(i18n, day))}</h2>
        {note}
        <form method="post" action=routes::book(&page.slug)>
            {moving.collect_view()}
            <input type="hidden" name="day" value=day.clone() />
            <ul class="times">{buttons}</ul>
        </form>
        {hold}
    }
    .into_any()
}

/// A shopper's appointments.
#[component]
pub(crate) fn Appointments() -> impl IntoView {
    crate::head::keep_out();
    let found = api::find(|| (), |()| async move { api::services::appointments().await });
    let i18n = use_i18n();
    loaded(found, move |OwnAppointments { appointments, feed }| {
        let list = match appointments.is_empty() {
            true => {
                let (title, note) =
                    (t!(i18n, services.no_appointments), t!(i18n, services.no_appointments_note));
                view! {
                    <EmptyState icon="clock" title note>
                        <LinkButton href=routes::SERVICES>{t!(i18n, services.title)}</LinkButton>
                    </EmptyState>
                }
                .into_any()
            }
            false => {
                let rows = appointments.into_iter().map(|appointment| row(i18n, appointment));
                view! { <ul class="rows">{rows.collect_view()}</ul> }.into_any()
            }
        };
        view! {
            <PageTitle text=t!(i18n, services.appointments) />
            <div class="width page narrow">
                <p><a href=routes::ACCOUNT>{t!(i18n, account.title)}</a></p>
                <h1>{t!(i18n, services.appointments)}</h1>
                {list}
                {calendar_feed(i18n, routes::APPOINTMENTS, feed)}
            </div>
        }
    })
}

/// The page on which an appointment is cancelled, by its customer or its shop.
#[component]
pub(crate) fn CancelAppointment() -> impl IntoView {
    crate::head::keep_out();
    let id = param("id");
    let [shop, purchase, key] = ["shop", "purchase", "key"].map(query);
    let found = api::find(
        move || Moving { id: id.get(), shop: shop.get(), purchase: purchase.get(), key: key.get() },
        |of| async move { api::services::moving(of.clone()).await.map(|found| (of, found)) },
    );
    let i18n = use_i18n();
    loaded(found, move |(of, found)| {
        let time = words::moment(i18n, &found.starts_at);
        let lead =
            t!(i18n, services.cancel_lead, title = found.title, time = time, provider = found.provider);
        let back = match of.shop.as_str() {
            "" => with(&routes::purchase(&of.purchase), &[("key", &of.key)]),
            shop => {
                with(&routes::shop_services(shop), &[("day", found.starts_at.get(..10).unwrap_or_default())])
            }
        };
        let differs = query("error").get_untracked() == "invalid";
        let form = match found.cancellation {
            None => view! {
                <p>{t!(i18n, services.cannot_cancel)}</p>
                <p class="actions"><LinkButton href=back.clone() look="secondary">{t!(i18n, services.keep_it)}</LinkButton></p>
            }
            .into_any(),
            Some(Cancellation { refund, fee }) => {
                let money = match refund {
                    None => t!(i18n, services.cancel_unpaid).to_owned(),
                    Some(refund) if fee.amount() == 0 => t!(i18n, services.cancel_free, price = refund),
                    Some(refund) if refund.amount() == 0 => t!(i18n, services.cancel_kept, fee = fee),
                    Some(refund) => t!(i18n, services.cancel_part, price = refund, fee = fee),
                };
                let fields = of.fields().into_iter().skip(1).map(|(name, value)| {
                    view! { <input type="hidden" name=name value=value.to_owned() /> }
                });
                let refund = refund.map(|refund| refund.amount().to_string()).unwrap_or_default();
                view! {
                    <p>{money}</p>
                    <form method="post" action=routes::cancel_appointment(&of.id) class="actions">
                        {fields.collect_view()}
                        <input type="hidden" name="refund" value=refund />
                        <Button>{t!(i18n, services.cancel_button)}</Button>
                        <LinkButton href=back.clone() look="secondary">{t!(i18n, services.keep_it)}</LinkButton>
                    </form>
                }
                .into_any()
            }
        };
        let alert = match differs {
            true => view! { <Alert>{t!(i18n, services.refund_differs)}</Alert> }.into_any(),
            false => view! { <CodeAlert /> }.into_any(),
        };
        view! {
            <PageTitle text=t!(i18n, services.cancel_title) />
            <div class="width page narrow">
                <h1>{t!(i18n, services.cancel_title)}</h1>
                {alert}
                <section class="panel form">
                    <p>{lead}</p>
                    {form}
                </section>
            </div>
        }
    })
}

/// The link to the page on which an appointment is cancelled.
fn cancel_link(i18n: I18n, of: &AppointmentView, moving: &Moving) -> AnyView {
    let label =
        format!("{}: {}, {}", t!(i18n, services.cancel_it), of.title, words::moment(i18n, &of.starts_at));
    view! { <a href=moving.cancel_link() aria-label=label>{t!(i18n, services.cancel_it)}</a> }.into_any()
}

/// What customers who change their plans can expect.
fn terms_words(i18n: I18n, terms: ChangeTerms) -> String {
    match (terms.fee_percent, terms.change_minutes) {
        (0, _) => t!(i18n, services.terms_free).to_owned(),
        (percent, minutes) => tn!(i18n, services.terms, minutes / 60, percent = words::number(i18n, percent)),
    }
}

/// The link to the calendar on which an appointment is moved.
fn move_link(i18n: I18n, of: &AppointmentView, moving: Moving) -> AnyView {
    let label =
        format!("{}: {}, {}", t!(i18n, services.move_it), of.title, words::moment(i18n, &of.starts_at));
    let href = Calendar { slug: of.movable.clone(), moving: Some(moving) }.link(None, "", "");
    view! { <a href=href aria-label=label>{t!(i18n, services.move_it)}</a> }.into_any()
}

fn row(i18n: I18n, of: AppointmentView) -> AnyView {
    let (number, key) = of.purchase.clone();
    let page = with(&routes::purchase(&number), &[("key", &key)]);
    let calendar = (of.state == AppointmentState::Booked).then(|| {
        let href = with(&routes::purchase_calendar(&number), &[("key", &key)]);
        view! { <a href=href rel="external">{t!(i18n, services.add_to_calendar)}</a> }
    });
    let moving =
        Moving { id: of.id.to_string(), purchase: number.clone(), key: key.clone(), ..Moving::default() };
    let cancel = of.cancellation.map(|_| cancel_link(i18n, &of, &moving));
    let change = (!of.movable.is_empty()).then(|| move_link(i18n, &of, moving));
    let fee = of.fee.map(|fee| view! { <span>{t!(i18n, services.fee_kept, fee = fee)}</span> });
    view! {
        <li class="row purchase-row">
            <div class="purchase-what">
                <a class="row-link" href=page>{of.title}</a>
                <p class="dots"><span>{words::moment(i18n, &of.starts_at)}</span> " " <span>{of.provider}</span> " " <span>{place_words(i18n, of.place)}</span></p>
                <p class="dots"><span>{state_words(i18n, of.state)}</span> " " {fee} " " {calendar} " " {change} " " {cancel}</p>
            </div>
        </li>
    }
    .into_any()
}

/// The address of a calendar that programs read, and the form that makes or ends it.
fn calendar_feed(i18n: I18n, action: &str, feed: Option<FeedLink>) -> AnyView {
    let (wanted, words) = match feed {
        None => ("feed", t!(i18n, services.feed_make)),
        Some(_) => ("end_feed", t!(i18n, services.feed_end)),
    };
    let address = feed.map(|feed| {
        view! {
            <div class="field">
                <label for="feed">{t!(i18n, services.feed_address)}</label>
                <input id="feed" type="url" readonly value=feed.address() />
                <p class="field-hint">{t!(i18n, services.feed_hint)}</p>
            </div>
        }
    });
    view! {
        <section class="panel form" aria-labelledby="feed-title">
            <h2 id="feed-title">{t!(i18n, services.feed)}</h2>
            <p>{t!(i18n, services.feed_lead)}</p>
            {address}
            <form method="post" action=action.to_owned()>
                <input type="hidden" name="action" value=wanted />
                <button type="submit" class="button secondary">{words}</button>
            </form>
        </section>
    }
    .into_any()
}

/// Whether there is something to say above a page.
pub(crate) fn told(words: Option<&'static str>) -> Option<AnyView> {
    words.map(|words| view! { <Alert look="good">{words}</Alert> }.into_any())
}
