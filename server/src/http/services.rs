//! Services and appointments: plain forms of shoppers and sellers, and the calendar file of a purchase.

use axum::{
    Extension, Form,
    extract::{Path, Query, State as Extract},
    http::header,
    response::{AppendHeaders, IntoResponse, Response},
};
use haat_app::cookies;
use haat_engine::{Caller, appointments, services};
use haat_shared::{
    Error, FieldCode, Money, Result,
    appointments::{
        AppointmentState, ChosenTime, Moving, ProviderForm, ServiceForm, calendar_feed, calendar_file,
    },
    permissions::Permission,
    routes::{self, APPOINTMENTS, CART, with},
};

use super::{
    State, Typed, back,
    forms::{back_with_draft, field, refused},
    layers,
    outcome::redirect,
};

/// Puts an appointment into the basket.
pub(super) async fn book(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (time, day) = (field(&typed, "time"), field(&typed, "day"));
    let (provider, starts_at) = time.split_once(' ').unwrap_or_default();
    let (provider, starts_at) = (provider.to_owned(), starts_at.to_owned());
    let chosen = ChosenTime { slug, provider, starts_at };
    if let Some(moving) = Moving::read(|name| field(&typed, name)) {
        return move_to(&state, &caller, &moving, &chosen, &day).await;
    }
    match services::add_to_cart(&state.runtime.engine, &caller, &chosen).await {
        Ok(changed) => {
            let secure = state.runtime.config.secure();
            let cookie = changed.token.map(|token| (header::SET_COOKIE, cookies::cart(secure, &token)));
            (AppendHeaders(cookie), back::to(CART)).into_response()
        }
        Err(error) => refused(&state, &with(&routes::book(&chosen.slug), &[("day", &day)]), &error),
    }
}

/// Moves an appointment, and shows where it is now.
async fn move_to(
    state: &State,
    caller: &Caller,
    moving: &Moving,
    chosen: &ChosenTime,
    day: &str,
) -> Response {
    match appointments::move_to(&state.runtime.engine, caller, moving, chosen).await {
        Ok(moved) => {
            let page = match moving.shop.as_str() {
                "" => with(&routes::purchase(&moving.purchase), &[("key", &moving.key)]),
                handle => {
                    let day = moved.starts_at.get(..10).unwrap_or_default();
                    with(&routes::shop_services(handle), &[("day", day)])
                }
            };
            redirect(state, &page, &[("done", "moved")])
        }
        Err(error) => {
            let calendar = with(&routes::book(&chosen.slug), &moving.fields());
            refused(state, &with(&calendar, &[("day", day)]), &error)
        }
    }
}

/// Cancels an appointment, and shows that it is.
pub(super) async fn cancel(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let [shop, purchase, key] = ["shop", "purchase", "key"].map(|name| field(&typed, name));
    let of = Moving { id, shop, purchase, key };
    let page = match of.shop.as_str() {
        "" => with(&routes::purchase(&of.purchase), &[("key", &of.key)]),
        handle => routes::shop_services(handle),
    };
    let engine = &state.runtime.engine;
    let cancelled = async {
        // The currency is that of the appointment: only the amount comes from the form.
        let found = appointments::moving(engine, &caller, &of).await?;
        let seen = field(&typed, "refund").parse().ok();
        let refund = found.cancellation.and_then(|offered| offered.refund);
        let refund = refund.zip(seen).map(|(refund, seen)| Money::new(seen, refund.currency()));
        appointments::cancel(engine, &caller, &of, refund).await
    };
    match cancelled.await {
        Ok(_) => redirect(&state, &page, &[("done", "cancelled")]),
        Err(error) => refused(&state, &of.cancel_link(), &error),
    }
}

/// Makes or ends the address under which programs read the caller's appointments.
pub(super) async fn own(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let wanted = field(&typed, "action") == "feed";
    match appointments::set_feed(&state.runtime.engine, &caller, None, wanted).await {
        Ok(()) => back::to(APPOINTMENTS).into_response(),
        Err(error) => refused(&state, APPOINTMENTS, &error),
    }
}

/// A calendar that programs read again and again.
pub(super) async fn feed(Extract(state): Extract<State>, Path(file): Path<String>) -> Response {
    let engine = &state.runtime.engine;
    let page = |shop: Option<&str>, number: &str| {
        let path = match shop {
            Some(handle) => routes::shop_order(handle, number),
            None => routes::purchase(number),
        };
        format!("{}{path}", engine.public_url)
    };
    match appointments::read_feed(engine, &file, page).await {
        Ok((name, entries)) => {
            let name = if name.is_empty() { "Haat" } else { &name };
            ([CALENDAR, (header::CACHE_CONTROL, "no-store")], calendar_feed(name, &entries)).into_response()
        }
        Err(error) => layers::plain(&error),
    }
}

const CALENDAR: (header::HeaderName, &str) = (header::CONTENT_TYPE, "text/calendar; charset=utf-8");

/// What a shop changes of its services: a provider, a service, or what became of an appointment.
pub(super) async fn of_shop(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let (action, id, product) = (value("action"), value("id"), value("product"));
    let page = routes::shop_services(&handle);
    let done: Result<()> = async {
        // Before anything is said about the form.
        caller.shop(&handle, Permission::FulfilOrders)?;
        match action.as_str() {
            "provider" => {
                let id = if id.is_empty() { None } else { Some(id.parse()?) };
                services::save_provider(engine, &caller, &handle, id, &ProviderForm::read(value)).await?;
            }
            "service" => {
                let form = ServiceForm::read(value, typed.keys());
                services::save_service(engine, &caller, &handle, product.parse()?, &form).await?;
            }
            "mark" => {
                let state = AppointmentState::parse(&value("state"));
                let state = state.ok_or_else(|| Error::field("state", FieldCode::NotAChoice))?;
                appointments::mark(engine, &caller, &handle, id.parse()?, state).await?;
            }
            "feed" | "end_feed" => {
                appointments::set_feed(engine, &caller, Some(&handle), action == "feed").await?;
            }
            _ => return Err(Error::field("action", FieldCode::NotAChoice)),
        }
        Ok(())
    }
    .await;
    let edit = match (action.as_str(), id.as_str()) {
        ("provider", "") => with(&page, &[("edit", "provider")]),
        ("provider", id) => with(&page, &[("edit", id)]),
        // A product that is not a service yet is edited on the page of a new one, which knows it by the draft.
        ("service", _) if value("new") == "true" || product.is_empty() => with(&page, &[("edit", "service")]),
        ("service", _) => with(&page, &[("edit", &product)]),
        _ => with(&page, &[("day", &value("day"))]),
    };
    match done {
        Ok(()) => redirect(&state, &with(&page, &[("day", &value("day"))]), &[("done", &action)]),
        Err(error @ Error::Invalid(_)) if action != "mark" => {
            back_with_draft(&state, "services", &edit, typed, &error).await
        }
        Err(error) => refused(&state, &edit, &error),
    }
}

/// The appointments of a purchase as a file for calendars.
pub(super) async fn calendar(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
    Query(typed): Query<Typed>,
) -> Response {
    let (engine, key) = (&state.runtime.engine, field(&typed, "key"));
    let url = with(&routes::purchase(&number), &[("key", &key)]);
    let url = format!("{}{url}", engine.public_url);
    match appointments::entries(engine, &caller, (&number, &key), &url).await {
        Ok(entries) => {
            let about = [
                (header::CONTENT_TYPE, "text/calendar; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{number}.ics\"")),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ];
            (about, calendar_file(&entries)).into_response()
        }
        Err(error) => layers::plain(&error),
    }
}
