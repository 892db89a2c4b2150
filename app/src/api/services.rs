//! Services and appointments: the catalogue, the calendar of a service, and what shops and shoppers have booked.

use haat_shared::appointments::{
    AppointmentView, AskedCalendar, BookingPage, FindServices, Moving, OwnAppointments, ServiceCard,
    ShopServices,
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The services that were asked for, and the towns of all providers.
#[server(name = ListServices, prefix = "/api", endpoint = "services/list", input = Json)]
pub async fn list(asked: FindServices) -> Result<(Vec<ServiceCard>, Vec<String>), ApiError> {
    super::call(async |engine, caller| haat_engine::services::list(&engine, &caller, &asked).await).await
}

/// The calendar of a service.
#[server(name = FetchBooking, prefix = "/api", endpoint = "services/booking", input = Json)]
pub async fn booking(slug: String, asked: AskedCalendar) -> Result<BookingPage, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::services::booking_page(&engine, &caller, &slug, &asked).await
    })
    .await
}

/// An appointment that is to be moved.
#[server(name = FetchMoving, prefix = "/api", endpoint = "services/moving", input = Json)]
pub async fn moving(of: Moving) -> Result<AppointmentView, ApiError> {
    super::call(async |engine, caller| haat_engine::appointments::moving(&engine, &caller, &of).await).await
}

/// The appointments of a purchase.
#[server(name = FetchPurchaseAppointments, prefix = "/api", endpoint = "services/of_purchase", input = Json)]
pub async fn of_purchase(number: String, key: String) -> Result<Vec<AppointmentView>, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::appointments::of_purchase(&engine, &caller, &number, &key).await
    })
    .await
}

/// The caller's appointments.
#[server(name = FetchAppointments, prefix = "/api", endpoint = "services/appointments", input = Json)]
pub async fn appointments() -> Result<OwnAppointments, ApiError> {
    super::call(async |engine, caller| haat_engine::appointments::own(&engine, &caller).await).await
}

/// A shop's services and providers, and its appointments of a day.
#[server(name = FetchShopServices, prefix = "/api", endpoint = "services/of_shop", input = Json)]
pub async fn of_shop(handle: String, day: String) -> Result<ShopServices, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::appointments::of_shop(&engine, &caller, &handle, &day).await
    })
    .await
}
