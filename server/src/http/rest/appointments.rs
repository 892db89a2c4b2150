//! Appointments: a customer's own, those of a purchase, and those of a shop.

use haat_engine::{appointments, clock::without_zone};
use haat_shared::{
    Conflict, Error, Money, Result,
    appointments::{AppointmentState, AppointmentView, ChosenTime, Moving, ServicePlace},
    id::kinds::{AppointmentId, ProviderId},
    routes::*,
    shipping::date,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, Day, Moment, Once, Paging, Query, page},
    reply::{Found, Listed},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_APPOINTMENTS, "Lists your appointments, the latest first.", own)
        .on(
            API_PURCHASE_APPOINTMENTS,
            "Lists the appointments of a purchase in order. Requires the customer's token or the purchase key.",
            of_purchase,
        )
        .on(
            API_APPOINTMENT,
            "Retrieves an appointment of a purchase. Its `cancellation` says what would be refunded if you cancelled it now.",
            view,
        )
        .on(
            API_MOVE_APPOINTMENT,
            "Moves one of your appointments to another free time of the same service, as long before it as the terms of the service say.",
            move_by_customer,
        )
        .on(
            API_CANCEL_APPOINTMENT,
            "Cancels one of your appointments. You get back what its `cancellation` says. Cancelling it again changes nothing.",
            cancel_by_customer,
        )
        .on(API_SHOP_APPOINTMENTS, "Lists a shop's appointments of a day in order, at most 200.", of_shop)
        .on(
            API_MOVE_SHOP_APPOINTMENT,
            "Moves an appointment of a shop to another free time of the same service, until it begins. The customer is told.",
            move_by_shop,
        )
        .on(
            API_CANCEL_SHOP_APPOINTMENT,
            "Cancels an appointment of a shop. The customer gets back all that was paid. Cancelling it again changes nothing.",
            cancel_by_shop,
        )
        .on(
            API_COMPLETE_APPOINTMENT,
            "Marks an appointment that has begun as done. Doing so again changes nothing.",
            |c, (at, once)| mark(c, at, once, AppointmentState::Done),
        )
        .on(
            API_MISS_APPOINTMENT,
            "Says that the customer didn't come to an appointment. What was paid is refunded, except for the fee of the service's terms. Doing so again changes nothing.",
            |c, (at, once)| mark(c, at, once, AppointmentState::NoShow),
        )
}

/// An appointment, for whoever booked it and for its shop.
#[derive(Serialize, ToSchema)]
struct Appointment {
    /// The ID.
    id: AppointmentId,
    /// The service.
    title: String,
    /// The name of the provider.
    provider_name: String,
    /// Where it takes place.
    place: ServicePlace,
    /// Whether it is to take place, and what became of it.
    status: AppointmentState,
    /// When it starts: RFC 3339, with the offset of the provider's time zone.
    starts_at: String,
    /// When it ends: RFC 3339.
    ends_at: String,
    /// The name of the provider's time zone: `Asia/Kolkata`.
    zone: String,
    /// The number of its purchase.
    purchase_number: String,
    /// The number of its order.
    order_number: String,
    /// The customer's name. Only for the shop.
    customer_name: Option<String>,
    /// The customer's address. Only for the shop, if the appointment takes place there.
    customer_address: Option<String>,
    /// The slug of the service to whose free times you can move it. Null if you can't move it.
    service_slug: Option<String>,
    /// What becomes of what was paid if you cancel it now. Null if you can't cancel it.
    cancellation: Option<AppointmentCancellation>,
    /// What the shop kept of its price. Null if it kept nothing.
    fee: Option<Money>,
}

/// What becomes of what was paid for an appointment that is cancelled.
#[derive(Serialize, ToSchema)]
struct AppointmentCancellation {
    /// What is refunded. Null if nothing was paid yet.
    refund: Option<Money>,
    /// What the shop keeps.
    fee: Money,
}

fn present(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl From<AppointmentView> for Appointment {
    fn from(view: AppointmentView) -> Self {
        Self {
            id: view.id,
            title: view.title,
            provider_name: view.provider,
            place: view.place,
            status: view.state,
            starts_at: without_zone(&view.starts_at),
            ends_at: without_zone(&view.ends_at),
            zone: view.zone,
            purchase_number: view.purchase.0,
            order_number: view.order,
            customer_name: present(view.customer),
            customer_address: present(view.address),
            service_slug: present(view.movable),
            cancellation: view
                .cancellation
                .map(|of| AppointmentCancellation { refund: of.refund, fee: of.fee }),
            fee: view.fee,
        }
    }
}

/// The appointments of a purchase.
#[derive(Serialize, ToSchema)]
struct PurchaseAppointments {
    /// The appointments, in order.
    items: Vec<Appointment>,
}

/// The appointments of a shop on a day.
#[derive(Serialize, ToSchema)]
struct ShopAppointments {
    /// The day, in the time zone of the marketplace: `2026-12-03`.
    day: String,
    /// The appointments, in order.
    items: Vec<Appointment>,
}

/// The key of the purchase.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithKey {
    /// The purchase key returned by the payment. Required if you are neither signed in nor using the cart's token.
    key: Option<String>,
}

/// Which appointments of a shop.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OfDay {
    /// The day, in the time zone of the marketplace: `2026-12-03`. By default, today.
    #[schema(value_type = Option<String>, format = "date")]
    day: Option<Day>,
}

/// The time to which an appointment is moved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAppointmentTime {
    /// The ID of the provider, who may be another one.
    provider_id: ProviderId,
    /// When it starts, which must be one of the free times of the service: RFC 3339, with any offset.
    #[schema(value_type = String)]
    starts_at: Moment,
}

/// The cancellation of an appointment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CancelAppointment {
    /// What you expect to be refunded: the `refund` of the appointment's `cancellation`. If it is another amount by now,
    /// nothing is done. Null if nothing was paid yet.
    refund: Option<Money>,
}

type AtAppointment = At<(String, AppointmentId)>;

fn of_customer((number, id): (String, AppointmentId), with: WithKey) -> Moving {
    let key = with.key.unwrap_or_default();
    Moving { id: id.to_string(), purchase: number, key, ..Moving::default() }
}

fn of_member((handle, id): (String, AppointmentId)) -> Moving {
    Moving { id: id.to_string(), shop: handle, ..Moving::default() }
}

async fn own(context: RequestContext, Query(of): Query<Paging>) -> Result<Listed<Appointment>> {
    let page = page(&of.after, of.limit);
    let found = appointments::list_own(context.engine(), &context.caller, page).await?;
    Ok(Listed(found.map(Appointment::from)))
}

async fn of_purchase(
    context: RequestContext,
    (At(number), Query(with)): (At<String>, Query<WithKey>),
) -> Result<Found<PurchaseAppointments>> {
    let key = with.key.unwrap_or_default();
    let found = appointments::of_purchase(context.engine(), &context.caller, &number, &key).await?;
    Ok(Found(PurchaseAppointments { items: found.into_iter().map(Appointment::from).collect() }))
}

async fn view(
    context: RequestContext,
    (At(at), Query(with)): (AtAppointment, Query<WithKey>),
) -> Result<Found<Appointment>> {
    let of = of_customer(at, with);
    appointments::moving(context.engine(), &context.caller, &of).await.map(|view| Found(view.into()))
}

async fn move_to(context: RequestContext, of: Moving, to: NewAppointmentTime) -> Result<Found<Appointment>> {
    let (engine, caller) = (context.engine(), &context.caller);
    let slug = appointments::moving(engine, caller, &of).await?.movable;
    if slug.is_empty() {
        return Err(Error::Conflict(Conflict::TooLate));
    }
    let NewAppointmentTime { provider_id, starts_at: Moment(starts_at) } = to;
    let chosen = ChosenTime { slug, provider: provider_id.to_string(), starts_at: starts_at.to_string() };
    appointments::move_to(engine, caller, &of, &chosen).await.map(|view| Found(view.into()))
}

async fn move_by_customer(
    context: RequestContext,
    (At(at), Query(with), Body(to), _): (AtAppointment, Query<WithKey>, Body<NewAppointmentTime>, Once),
) -> Result<Found<Appointment>> {
    move_to(context, of_customer(at, with), to).await
}

async fn move_by_shop(
    context: RequestContext,
    (At(at), Body(to), _): (AtAppointment, Body<NewAppointmentTime>, Once),
) -> Result<Found<Appointment>> {
    move_to(context, of_member(at), to).await
}

async fn cancel(
    context: RequestContext,
    of: Moving,
    expected: CancelAppointment,
) -> Result<Found<Appointment>> {
    appointments::cancel(context.engine(), &context.caller, &of, expected.refund)
        .await
        .map(|view| Found(view.into()))
}

async fn cancel_by_customer(
    context: RequestContext,
    (At(at), Query(with), Body(expected), _): (AtAppointment, Query<WithKey>, Body<CancelAppointment>, Once),
) -> Result<Found<Appointment>> {
    cancel(context, of_customer(at, with), expected).await
}

async fn cancel_by_shop(
    context: RequestContext,
    (At(at), Body(expected), _): (AtAppointment, Body<CancelAppointment>, Once),
) -> Result<Found<Appointment>> {
    cancel(context, of_member(at), expected).await
}

async fn of_shop(
    context: RequestContext,
    (At(handle), Query(of)): (At<String>, Query<OfDay>),
) -> Result<Found<ShopAppointments>> {
    let day = of.day.map(|Day(day)| date(day)).unwrap_or_default();
    let found = appointments::of_shop(context.engine(), &context.caller, &handle, &day).await?;
    let items = found.appointments.into_iter().map(Appointment::from).collect();
    Ok(Found(ShopAppointments { day: found.day, items }))
}

async fn mark(
    context: RequestContext,
    At((handle, id)): AtAppointment,
    _: Once,
    state: AppointmentState,
) -> Result<()> {
    appointments::mark(context.engine(), &context.caller, &handle, id, state).await
}
