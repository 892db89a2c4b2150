//! Services that are booked for a time, and their free times.

use haat_engine::services;
use haat_shared::{
    Money, Result,
    appointments::{
        AskedCalendar, BookingPage, FindServices, ProviderView, ServiceCard, ServicePlace, ServiceTime,
    },
    id::kinds::ProviderId,
    media::Picture,
    routes::*,
    shipping::date,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Day, Query},
    reply::Found,
};

/// Of so many days free times are listed at once, at most.
const DAYS_MAX: i64 = 31;
/// Of so many days, if nothing else is asked for.
const DAYS: i64 = 7;

pub(super) fn routes(api: Api) -> Api {
    api.on(API_SERVICES, "Lists the latest 60 services that can be booked, newest first.", list)
        .on(API_SERVICE, "Retrieves a service with its providers and the terms for changing plans.", view)
        .on(
            API_SERVICE_TIMES,
            "Lists the free times of a service in order: those of one provider, or of any. A time is free until somebody's checkout holds it.",
            times,
        )
}

/// Which services.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichServices {
    /// Only services of providers in this town. Upper and lower case are the same.
    town: Option<String>,
    /// Only services with a free time on this day: `2026-12-03`.
    #[schema(value_type = Option<String>, format = "date")]
    day: Option<Day>,
}

/// Services.
#[derive(Serialize, ToSchema)]
struct ServiceList {
    /// The services, newest first.
    items: Vec<ServiceSummary>,
    /// The towns of all providers.
    towns: Vec<String>,
}

/// A service in a list.
#[derive(Serialize, ToSchema)]
struct ServiceSummary {
    /// The slug of the product.
    slug: String,
    /// The title.
    title: String,
    /// The beginning of the description.
    summary: String,
    /// The price of an appointment.
    price: Money,
    /// How long an appointment takes, in minutes.
    minutes: i64,
    /// Where it takes place.
    place: ServicePlace,
    /// The shop's name.
    shop_name: String,
    /// The shop's handle.
    shop_handle: String,
    /// The towns of its providers.
    towns: Vec<String>,
    /// The product's first image.
    image: Option<Picture>,
}

impl From<ServiceCard> for ServiceSummary {
    fn from(card: ServiceCard) -> Self {
        let ServiceCard { slug, title, lead, price, facts, shop_name, shop_handle, towns, picture } = card;
        let (minutes, place) = (facts.minutes, facts.place);
        Self {
            slug,
            title,
            summary: lead,
            price,
            minutes,
            place,
            shop_name,
            shop_handle,
            towns,
            image: picture,
        }
    }
}

/// A service.
#[derive(Serialize, ToSchema)]
struct Service {
    /// The slug of the product, which has the description and the images.
    slug: String,
    /// The title.
    title: String,
    /// The price of an appointment.
    price: Money,
    /// How long an appointment takes, in minutes.
    minutes: i64,
    /// Where it takes place.
    place: ServicePlace,
    /// Until how many minutes before an appointment customers move it, or cancel it for free.
    change_minutes: i64,
    /// What the shop keeps of the price, in percent, if they cancel later, or don't come.
    fee_percent: i64,
    /// The shop's name.
    shop_name: String,
    /// All who do it.
    providers: Vec<ProviderView>,
    /// The first day with a free time: `2026-12-03`. Null if there is none.
    first_free: Option<String>,
}

impl From<BookingPage> for Service {
    fn from(page: BookingPage) -> Self {
        let BookingPage { slug, title, price, facts, terms, shop_name, providers, first_free, .. } = page;
        Self {
            slug,
            title,
            price,
            minutes: facts.minutes,
            place: facts.place,
            change_minutes: terms.change_minutes,
            fee_percent: terms.fee_percent,
            shop_name,
            providers,
            first_free,
        }
    }
}

/// How many days.
#[derive(Clone, Copy)]
struct DayCount(i64);

impl<'de> Deserialize<'de> for DayCount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let days = i64::deserialize(deserializer)?;
        if (1..=DAYS_MAX).contains(&days) {
            return Ok(Self(days));
        }
        Err(serde::de::Error::custom(format_args!("must be between 1 and {DAYS_MAX}")))
    }
}

/// Which free times.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichTimes {
    /// The first day, in the time zone of each provider: `2026-12-03`. By default, today in the time zone of the marketplace.
    #[schema(value_type = Option<String>, format = "date")]
    from: Option<Day>,
    /// Of how many days. Default: 7.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 31)]
    days: Option<DayCount>,
    /// Only times of this provider. Otherwise, each time is listed once, with one of the providers who are free.
    provider_id: Option<ProviderId>,
}

/// Free times.
#[derive(Serialize, ToSchema)]
struct FreeTimes {
    /// The times, in order.
    items: Vec<ServiceTime>,
}

async fn list(context: RequestContext, Query(of): Query<WhichServices>) -> Result<Found<ServiceList>> {
    let day = of.day.map(|Day(day)| date(day)).unwrap_or_default();
    let asked = FindServices { town: of.town.unwrap_or_default(), day };
    let (items, towns) = services::list(context.engine(), &context.caller, &asked).await?;
    Ok(Found(ServiceList { items: items.into_iter().map(ServiceSummary::from).collect(), towns }))
}

async fn view(context: RequestContext, At(slug): At<String>) -> Result<Found<Service>> {
    let first = AskedCalendar::default();
    let page = services::booking_page(context.engine(), &context.caller, &slug, &first).await?;
    Ok(Found(page.into()))
}

async fn times(
    context: RequestContext,
    (At(slug), Query(of)): (At<String>, Query<WhichTimes>),
) -> Result<Found<FreeTimes>> {
    let engine = context.engine();
    let from = of.from.map_or_else(|| engine.zone.day(engine.clock.now_ms()), |Day(day)| day);
    let DayCount(days) = of.days.unwrap_or(DayCount(DAYS));
    let items = services::times(engine, &slug, of.provider_id, from..=from + days - 1).await?;
    Ok(Found(FreeTimes { items }))
}
