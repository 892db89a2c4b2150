//! Services: a time is chosen, held, booked and freed, and never given to two.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use haat_engine::{
    Caller, appointments, carts, catalog, checkout, oracle, orders, random, sandbox::Card, schedules,
    services, statements,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money,
    appointments::{
        AppointmentState, AskedCalendar, BookingPage, CalendarEntry, Cancellation, ChosenTime, FindServices,
        Moving, OfferedTime, ProviderForm, ServiceForm, calendar_feed, calendar_file,
    },
    carts::{AddLine, SetQuantity},
    catalog::ListProducts,
    checkout::{CheckoutUpdate, HOLD_MS},
    id::kinds::{AppointmentId, ProductId, ProviderId},
    orders::{LineQuantity, NewRefund, OrderState},
    page::PageRequest,
    payments::NextAction,
    shipping::date,
    text,
};

use crate::{
    both,
    notifications::{change, mails},
    races::at_once,
    support::*,
};

const MEENA: &str = "meena-crafts";

/// A service of an hour, done by one provider every day from nine to five.
pub struct Service {
    pub slug: String,
    pub product: ProductId,
    pub provider: ProviderId,
}

/// The parser of others (PyPI `icalendar`) reads our files: the instants, the versions, and that one vanishes.
#[test]
fn calendars_are_read_by_an_independent_parser() {
    const READ: &str = "import sys, json, icalendar\ncalendar = icalendar.Calendar.from_ical(sys.stdin.read())\n\
        print(json.dumps([[str(e['UID']), int(e['SEQUENCE']), str(e['STATUS']), e.decoded('DTSTART').isoformat(), \
        e.decoded('DTEND').isoformat(), str(e['SUMMARY']), str(e.get('LOCATION', ''))] for e in calendar.walk('VEVENT')]))";
    let entry = CalendarEntry {
        uid: "appt_1@haat.example".into(),
        sequence: 1,
        cancelled: false,
        summary: format!("Haircut; wash, dry{}", " चाय और केक".repeat(9)),
        description: "With Asha\nH1-1".into(),
        location: "12 Lake Road, Pune".into(),
        url: "https://haat.example/purchases/1".into(),
        stamp: "20261129T120000Z".into(),
        span: ("20270328T010000Z".into(), "20270328T023000Z".into()),
    };
    let gone =
        CalendarEntry { uid: "appt_2@haat.example".into(), sequence: 2, cancelled: true, ..entry.clone() };
    let read = |file: &str| -> serde_json::Value {
        let tools = std::env::var("HAAT_CACHE").expect("HAAT_CACHE is set by scripts/env");
        let mut python = Command::new(format!("{tools}/tools/icalendar/bin/python"))
            .args(["-c", READ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("icalendar is not installed: run scripts/tools --test");
        python.stdin.take().unwrap().write_all(file.as_bytes()).unwrap();
        let output = python.wait_with_output().unwrap();
        assert!(output.status.success(), "{file}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let row = |uid: &str, sequence: i64, status: &str| {
        serde_json::json!([
            uid,
            sequence,
            status,
            "2027-03-28T01:00:00+00:00",
            "2027-03-28T02:30:00+00:00",
            entry.summary.trim_end(),
            entry.location
        ])
    };
    let both = serde_json::json!([
        row("appt_1@haat.example", 1, "CONFIRMED"),
        row("appt_2@haat.example", 2, "CANCELLED")
    ]);
    assert_eq!(read(&calendar_file(&[entry.clone(), gone])), both);
    assert_eq!(read(&calendar_feed("Meena", std::slice::from_ref(&entry))), serde_json::json!([both[0]]));
    assert_eq!(read(&calendar_feed("Meena", &[])), serde_json::json!([]));
}

fn every_day(name: &str) -> ProviderForm {
    let weekly = std::array::from_fn(|_| "9-17".to_owned());
    ProviderForm { name: name.into(), town: "Pune".into(), weekly, ..ProviderForm::new("Asia/Kolkata") }
}

fn hour(providers: &[ProviderId]) -> ServiceForm {
    let providers = providers.iter().map(ProviderId::to_string).collect();
    ServiceForm { step: "60".into(), notice_hours: "1".into(), providers, ..ServiceForm::new() }
}

pub async fn service(market: &Market, title: &str) -> Service {
    let engine = &market.engine;
    in_the_morning(market);
    market.product(MEENA, title, 80_000, 0).await;
    let owner = market.owner(MEENA).await;
    let asked = ListProducts { q: title.into(), ..ListProducts::default() };
    let card = catalog::list(engine, &Caller::guest(), asked).await.unwrap().items.remove(0);
    let provider =
        services::save_provider(engine, &owner, MEENA, None, &every_day("Asha Rao")).await.unwrap();
    services::save_service(engine, &owner, MEENA, card.id, &hour(&[provider])).await.unwrap();
    Service { slug: card.slug, product: card.id, provider }
}

/// Waits for the next morning, unless it is morning: no hour that passes in a test is that of midnight.
fn in_the_morning(market: &Market) {
    let (now, zone) = (market.clock.now_ms(), &market.engine.zone);
    if !(9 * 60..12 * 60).contains(&zone.minute(now)) {
        market.clock.advance_ms(zone.begins(zone.day(now) + 1) + 9 * 3_600_000 - now);
    }
}

async fn calendar(market: &Market, slug: &str, asked: &AskedCalendar) -> BookingPage {
    services::booking_page(&market.engine, &Caller::guest(), slug, asked).await.unwrap()
}

/// The calendar of a day on which nothing is too soon.
async fn later(market: &Market, of: &Service) -> BookingPage {
    let today = calendar(market, &of.slug, &AskedCalendar::default()).await.month.today;
    let day = date(text::day(&today).unwrap() + 3);
    calendar(market, &of.slug, &AskedCalendar { day, ..AskedCalendar::default() }).await
}

/// Its first free time.
async fn first(market: &Market, of: &Service) -> OfferedTime {
    later(market, of).await.times.remove(0)
}

fn chosen(of: &Service, time: &OfferedTime) -> ChosenTime {
    ChosenTime {
        slug: of.slug.clone(),
        provider: time.provider.to_string(),
        starts_at: time.starts_at.to_string(),
    }
}

/// A guest who has chosen a time.
pub async fn guest_at(market: &Market, of: &Service, time: &OfferedTime) -> Caller {
    let mut guest = Caller::guest();
    let changed = services::add_to_cart(&market.engine, &guest, &chosen(of, time)).await.unwrap();
    guest.cart = changed.token.map(|token| random::token_hash(&token));
    market.clock.advance_ms(1);
    guest
}

/// What a guest types who pays cash.
fn form_of(i: usize) -> CheckoutUpdate {
    CheckoutUpdate { email: format!("b{i}@example.com"), ..form("cash") }
}

fn taken(title: &str) -> Error {
    Conflict::TimeTaken(vec![title.to_owned()]).into()
}

both! {
    async fn a_service_is_found_booked_and_done(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let of = service(market, "Pottery lesson").await;
        let (cards, towns) = services::list(engine, &Caller::guest(), &FindServices::default()).await.unwrap();
        assert_eq!((cards.len(), cards[0].facts.minutes, towns.as_slice()), (1, 60, &["Pune".to_owned()][..]));
        let page = calendar(market, &of.slug, &AskedCalendar::default()).await;
        assert_eq!((page.day.as_ref(), page.providers.len()), (page.first_free.as_ref(), 1));
        let page = later(market, &of).await;
        let day = page.day.clone().unwrap();
        let find = |town: &str, day: &str| FindServices { town: town.into(), day: day.into() };
        let found = async |asked| services::list(engine, &Caller::guest(), &asked).await.unwrap().0.len();
        assert_eq!(found(find("pune", &day)).await, 1);
        assert_eq!(found(find("Delhi", &day)).await, 0);
        assert_eq!(found(find("", "2020-01-01")).await, 0);
        let days = text::day(&day).unwrap()..=text::day(&day).unwrap() + 1;
        let times = services::times(engine, &of.slug, Some(of.provider), days.clone()).await.unwrap();
        assert_eq!((times.len(), &times[0].starts_at[..10], &times[15].ends_at[10..]), (16, day.as_str(), "T17:00:00+05:30"));
        assert_eq!(times, services::times(engine, &of.slug, None, days.clone()).await.unwrap());
        let nobody = services::times(engine, &of.slug, Some(random::id(0)), days.clone()).await;
        assert_eq!(nobody, Err(Error::field("provider_id", FieldCode::NotAChoice)));
        assert_eq!(services::times(engine, "nothing", None, days).await, Err(Error::NotFound));

        let time = page.times[0].clone();
        let guest = guest_at(market, &of, &time).await;
        let cart = carts::view(engine, &guest).await.unwrap();
        let line = &cart.groups[0].lines[0];
        assert!(line.is_service && line.variant_title.contains(&format!("{} IST, Asha Rao", time.time)), "{line:?}");
        assert_eq!(cart.totals.unwrap().shipping.amount(), 0);
        // There is one of it.
        let cart = carts::set_quantity(engine, &guest, SetQuantity { line: line.id, quantity: "3".into() }).await.unwrap();
        assert_eq!(cart.groups[0].lines[0].quantity, 1);
        let number = market.buy_by_card(&guest).await;
        let page = orders::purchase(engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap();
        assert_eq!(page.appointments, 1);
        assert!(page.orders[0].lines[0].variant_title.ends_with("IST, Asha Rao"));
        let after = calendar(market, &of.slug, &AskedCalendar { day: day.clone(), ..AskedCalendar::default() }).await;
        assert!(after.times.iter().all(|other| other.starts_at != time.starts_at));
        let entries = appointments::entries(engine, &Caller::guest(), (&number, &market.key(&number)), "https://haat.example").await.unwrap();
        let file = calendar_file(&entries);
        assert!(file.contains("METHOD:PUBLISH\r\n") && file.contains("SUMMARY:Pottery lesson\\, "), "{file}");
        assert_eq!(appointments::entries(engine, &Caller::guest(), (&number, "wrong"), "").await, Err(Error::NotFound));

        // The shop sees it, and says what became of it once it has begun.
        let shop = appointments::of_shop(engine, &owner, MEENA, &day).await.unwrap();
        let [appointment] = &shop.appointments[..] else { panic!("{shop:?}") };
        assert_eq!((appointment.state, appointment.begun), (AppointmentState::Booked, false));
        let mark = async |state| appointments::mark(engine, &owner, MEENA, appointment.id, state).await;
        assert!(mark(AppointmentState::Done).await.is_err(), "it has not begun");
        assert_eq!(mark(AppointmentState::Cancelled).await, Err(Error::field("state", FieldCode::NotAChoice)));
        market.clock.advance_ms(time.starts_at - market.clock.now_ms() + 1);
        mark(AppointmentState::Done).await.unwrap();
        mark(AppointmentState::Done).await.unwrap();
        assert!(mark(AppointmentState::NoShow).await.is_err());
        let page = orders::purchase(engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap();
        assert_eq!(page.orders[0].state.as_str(), "delivered");
    }

    async fn a_held_time_is_not_offered_until_the_hold_ends(market) {
        let engine = &market.engine;
        let of = service(market, "Haircut").await;
        let time = first(market, &of).await;
        let (one, two) = (guest_at(market, &of, &time).await, guest_at(market, &of, &time).await);
        let id = checkout::begin(engine, &one).await.unwrap();
        let view = checkout::view(engine, &one, id).await.unwrap();
        assert!(view.groups[0].shipping_options.iter().all(|option| option.price.amount() == 0));
        assert_eq!(checkout::begin(engine, &two).await, Err(taken("Haircut")));
        assert!(first(market, &of).await.starts_at > time.starts_at);
        assert_eq!(services::add_to_cart(engine, &Caller::guest(), &chosen(&of, &time)).await.unwrap_err(), taken("Haircut"));
        // The same cart begins again, and holds it still.
        carts::add_line(engine, &one, AddLine { variant: market.product(MEENA, "Comb", 5_000, 5).await, quantity: "1".into() }).await.unwrap();
        checkout::begin(engine, &one).await.unwrap();
        assert_eq!(checkout::begin(engine, &two).await, Err(taken("Haircut")));
        // Whoever pays late after another took it over gets the money back.
        let (_, payment, gateway_ref) = market.go_to_sandbox(&one).await;
        market.clock.advance_ms(2 * HOLD_MS + 1);
        let number = market.buy_by_card(&two).await;
        market.enter(&gateway_ref, Card::Approve).await;
        assert!(!matches!(market.come_back(payment).await, Ok(back) if format!("{back:?}").contains("Done")));
        market.settle().await;
        assert_eq!(orders::purchase(engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap().appointments, 1);
    }

    async fn who_pays_late_still_gets_a_time_that_nobody_took(market) {
        let engine = &market.engine;
        let of = service(market, "Massage").await;
        let time = first(market, &of).await;
        let guest = guest_at(market, &of, &time).await;
        let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.clock.advance_ms(2 * HOLD_MS + 1);
        checkout::sweep(engine).await.unwrap();
        assert_eq!(first(market, &of).await.starts_at, time.starts_at);
        market.enter(&gateway_ref, Card::Approve).await;
        market.come_back(payment).await.unwrap();
        market.settle().await;
        assert!(first(market, &of).await.starts_at > time.starts_at);
    }

    async fn cancelling_an_order_frees_its_time(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let of = service(market, "Tutoring").await;
        let time = first(market, &of).await;
        let number = market.buy_by_card(&guest_at(market, &of, &time).await).await;
        assert!(first(market, &of).await.starts_at > time.starts_at);
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "Ill").await.unwrap();
        market.settle().await;
        let entries = appointments::entries(engine, &Caller::guest(), (&number, &market.key(&number)), "").await.unwrap();
        assert!((entries[0].cancelled, entries[0].sequence) == (true, 1) && calendar_file(&entries).contains("METHOD:CANCEL"));
        assert_eq!(first(market, &of).await.starts_at, time.starts_at);
        market.buy_by_card(&guest_at(market, &of, &time).await).await;
        assert!(first(market, &of).await.starts_at > time.starts_at);
    }

    async fn an_appointment_is_moved_by_either_side(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let of = service(market, "Pottery lesson").await;
        let time = first(market, &of).await;
        let number = market.buy_by_card(&guest_at(market, &of, &time).await).await;
        let key = market.key(&number);
        let booked = appointments::of_purchase(engine, &Caller::guest(), &number, &key).await.unwrap().remove(0);
        assert_eq!(booked.movable, of.slug);
        let customers = Moving { id: booked.id.to_string(), purchase: number.clone(), key: key.clone(), ..Moving::default() };
        let shops = Moving { id: booked.id.to_string(), shop: MEENA.into(), ..Moving::default() };
        let to = async |caller: &Caller, by: &Moving, to: &OfferedTime| {
            appointments::move_to(engine, caller, by, &chosen(&of, to)).await
        };
        let line = async || {
            let page = orders::purchase(engine, &Caller::guest(), &number, &key).await.unwrap();
            page.orders[0].lines[0].variant_title.clone()
        };
        let told = async || {
            let mails = mails(market).await.into_iter().map(|mail| mail.subject);
            mails.filter(|subject| subject.starts_with("moved")).collect::<Vec<_>>()
        };

        // The customer: the old time is free, the new one is not.
        let second = later(market, &of).await.times[1].clone();
        let moved = to(&Caller::guest(), &customers, &second).await.unwrap();
        assert_eq!(moved.starts_at, second.local);
        market.settle().await;
        assert!(line().await.contains(&second.time), "{}", line().await);
        let free: Vec<i64> = later(market, &of).await.times.iter().map(|time| time.starts_at).collect();
        assert!(free.contains(&time.starts_at) && !free.contains(&second.starts_at), "{free:?}");
        let entry = appointments::entries(engine, &Caller::guest(), (&number, &key), "").await.unwrap().remove(0);
        assert_eq!((entry.sequence, entry.cancelled), (1, false));
        assert_eq!(told().await, [format!("moved by customer {number}-1")]);
        // The shop.
        to(&owner, &shops, &time).await.unwrap();
        market.settle().await;
        assert!(line().await.contains(&time.time), "{}", line().await);
        assert_eq!(told().await.len(), 2);
        assert!(told().await.contains(&format!("moved {number}-1")));

        // Not to a time that is taken, by nobody else, and not to the time of another service.
        market.buy_by_card(&guest_at(market, &of, &second).await).await;
        assert_eq!(to(&owner, &shops, &second).await, Err(taken("Pottery lesson")));
        let stranger = Moving { key: "wrong".into(), ..customers.clone() };
        assert_eq!(to(&Caller::guest(), &stranger, &second).await, Err(Error::NotFound));
        assert_eq!(to(&Caller::guest(), &shops, &second).await, Err(Error::SignInNeeded));
        let other = market.owner("delta-electronics").await;
        let foreign = Moving { shop: "delta-electronics".into(), ..shops.clone() };
        assert_eq!(to(&other, &foreign, &second).await, Err(Error::NotFound));
        let glaze = service(market, "Glazing").await;
        let elsewhere = first(market, &glaze).await;
        let wrong = appointments::move_to(engine, &owner, &shops, &chosen(&glaze, &elsewhere)).await;
        assert_eq!(wrong, Err(Error::field("starts_at", FieldCode::NotAChoice)));

        // A day before it, only the shop moves it; once it has begun, nobody.
        let third = later(market, &of).await.times.pop().unwrap();
        market.clock.advance_ms(time.starts_at - market.clock.now_ms() - 23 * 3_600_000);
        assert_eq!(to(&Caller::guest(), &customers, &third).await, Err(Conflict::TooLate.into()));
        let seen = appointments::moving(engine, &Caller::guest(), &customers).await.unwrap();
        assert_eq!(seen.movable, "");
        to(&owner, &shops, &third).await.unwrap();
        market.clock.advance_ms(third.starts_at - market.clock.now_ms());
        let last = later(market, &of).await.times.remove(0);
        assert_eq!(to(&owner, &shops, &last).await, Err(Conflict::TooLate.into()));
    }

    async fn of_many_who_move_to_one_time_one_gets_it(market) {
        let engine = &market.engine;
        let of = service(market, "Plumber").await;
        let [one, two] = market.two_nodes().await;
        let mut booked = Vec::new();
        for _ in 0..6 {
            let time = first(market, &of).await;
            let number = market.buy_by_card(&guest_at(market, &of, &time).await).await;
            let key = market.key(&number);
            let id = appointments::of_purchase(engine, &Caller::guest(), &number, &key).await.unwrap()[0].id;
            booked.push(Moving { id: id.to_string(), purchase: number, key, ..Moving::default() });
        }
        let to = chosen(&of, &first(market, &of).await);
        let moves = booked.into_iter().enumerate().map(|(n, by)| {
            let (engine, to) = (if n % 2 == 0 { one.clone() } else { two.clone() }, to.clone());
            async move { appointments::move_to(&engine, &Caller::guest(), &by, &to).await }
        });
        let outcomes = at_once(moves.collect()).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|outcome| outcome.is_ok() || *outcome == Err(taken("Plumber"))), "{outcomes:?}");
        // The time of whoever moved is free.
        assert_eq!(later(market, &of).await.times.len(), 2);
    }

    async fn refunding_an_appointment_frees_its_time(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let of = service(market, "Tutoring").await;
        let time = first(market, &of).await;
        let number = market.buy_by_card(&guest_at(market, &of, &time).await).await;
        let order = format!("{number}-1");
        orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
        let position = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap().order.order.lines[0].position;
        let lines = vec![LineQuantity { position, quantity: 1 }];
        let refund = NewRefund { lines, reason: "Ill".into(), ..NewRefund::default() };
        orders::refund(engine, &owner, MEENA, &order, refund).await.unwrap();
        market.settle().await;
        let seen = appointments::of_purchase(engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap();
        assert_eq!(seen[0].state, AppointmentState::Cancelled);
        assert_eq!(first(market, &of).await.starts_at, time.starts_at);
    }

    async fn an_appointment_is_cancelled_within_its_terms(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let of = service(market, "Pottery lesson").await;
        let customer = Caller::guest();
        let times = later(market, &of).await.times;
        let book = async |time: &OfferedTime| {
            let number = market.buy_by_card(&guest_at(market, &of, time).await).await;
            let key = market.key(&number);
            let booked = appointments::of_purchase(engine, &Caller::guest(), &number, &key).await.unwrap().remove(0);
            let by = Moving { id: booked.id.to_string(), purchase: number.clone(), key, ..Moving::default() };
            (number, by, booked)
        };
        let refunded = async |number: &str| {
            let page = orders::seller_order(engine, &market.owner(MEENA).await, MEENA, &format!("{number}-1")).await.unwrap();
            let order = page.order.order;
            (order.state, order.refunds.iter().map(|refund| refund.amount.amount()).sum::<i64>())
        };
        let inr = |amount| Money::new(amount, Currency::INR);

        // In time, all of it, and with it the order that has nothing else, whether it was confirmed or not.
        for confirmed in [false, true] {
            let (number, by, booked) = book(&times[0]).await;
            if confirmed {
                orders::confirm(engine, &owner, MEENA, &format!("{number}-1")).await.unwrap();
            }
            let offered = Some(Cancellation { refund: Some(inr(80_000)), fee: inr(0) });
            assert_eq!(booked.cancellation, offered);
            let less = appointments::cancel(engine, &customer, &by, Some(inr(40_000))).await;
            assert_eq!(less.unwrap_err().at("refund"), Some(FieldCode::Differs));
            let seen = appointments::cancel(engine, &customer, &by, Some(inr(80_000))).await.unwrap();
            assert_eq!((seen.state, seen.cancellation, seen.fee), (AppointmentState::Cancelled, None, None));
            // Whoever clicks twice sees the same.
            assert_eq!(appointments::cancel(engine, &customer, &by, Some(inr(80_000))).await.unwrap(), seen);
            market.settle().await;
            assert_eq!(refunded(&number).await, (OrderState::Cancelled, 80_000));
            assert_eq!(first(market, &of).await.starts_at, times[0].starts_at);
        }

        // Later, the shop keeps half of it; the order is over, not cancelled, so the fee stays.
        let (late, by, _) = book(&times[0]).await;
        let (whole, _, _) = book(&times[1]).await;
        let (shops, _, shops_booked) = book(&times[2]).await;
        let (absent, _, absent_booked) = book(&times[3]).await;
        market.clock.advance_ms(times[0].starts_at - market.clock.now_ms() - 47 * 1_800_000);
        let order = format!("{whole}-1");
        let cancelled = orders::cancel_by_customer(engine, &customer, &whole, &market.key(&whole), &order, "").await;
        assert!(cancelled.is_ok(), "an hour later it can still be cancelled for free: {cancelled:?}");
        let order = format!("{late}-1");
        let all = orders::cancel_by_customer(engine, &customer, &late, &by.key, &order, "").await;
        assert_eq!(all, Err(Conflict::TooLate.into()));
        let seen = appointments::cancel(engine, &customer, &by, Some(inr(40_000))).await.unwrap();
        assert_eq!((seen.state, seen.fee), (AppointmentState::Cancelled, Some(inr(40_000))));
        market.settle().await;
        assert_eq!(refunded(&late).await, (OrderState::Delivered, 40_000));
        let told = async || {
            let mails = mails(market).await.into_iter().map(|mail| mail.subject);
            mails.filter(|subject| subject.contains(&late)).collect::<Vec<_>>()
        };
        for said in ["cancelled", "cancelled by customer"] {
            assert!(told().await.contains(&format!("{said} {late}-1")), "{:?}", told().await);
        }

        // The shop gives back everything, at any time.
        let by = Moving { id: shops_booked.id.to_string(), shop: MEENA.into(), ..Moving::default() };
        assert_eq!(appointments::cancel(engine, &customer, &by, Some(inr(80_000))).await, Err(Error::SignInNeeded));
        market.clock.advance_ms(times[2].starts_at - market.clock.now_ms() - 60_000);
        appointments::cancel(engine, &owner, &by, Some(inr(80_000))).await.unwrap();
        market.settle().await;
        assert_eq!(refunded(&shops).await, (OrderState::Cancelled, 80_000));

        // Who doesn't come gets back what the shop doesn't keep; nobody is absent before it begins.
        let early = appointments::mark(engine, &owner, MEENA, absent_booked.id, AppointmentState::NoShow).await;
        assert_eq!(early, Err(Conflict::OrderMoved(OrderState::Confirmed).into()));
        assert_eq!(refunded(&absent).await, (OrderState::Placed, 0));
        market.clock.advance_ms(times[3].starts_at - market.clock.now_ms());
        let by = Moving { id: absent_booked.id.to_string(), purchase: absent.clone(), key: market.key(&absent), ..Moving::default() };
        assert_eq!(appointments::cancel(engine, &customer, &by, Some(inr(40_000))).await, Err(Conflict::TooLate.into()));
        appointments::mark(engine, &owner, MEENA, absent_booked.id, AppointmentState::NoShow).await.unwrap();
        market.settle().await;
        assert_eq!(refunded(&absent).await, (OrderState::Delivered, 40_000));
    }

    async fn of_several_appointments_each_has_its_own_fee(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let (pottery, glazing) = (service(market, "Pottery lesson").await, service(market, "Glazing").await);
        let (soon, far) = (first(market, &pottery).await, later(market, &glazing).await.times.pop().unwrap());
        let guest = guest_at(market, &pottery, &soon).await;
        services::add_to_cart(engine, &guest, &chosen(&glazing, &far)).await.unwrap();
        let number = market.buy_by_card(&guest).await;
        let key = market.key(&number);
        let seen = async || appointments::of_purchase(engine, &Caller::guest(), &number, &key).await.unwrap();
        let by = |id: AppointmentId| Moving { id: id.to_string(), purchase: number.clone(), key: key.clone(), ..Moving::default() };
        market.settle().await;
        market.clock.advance_ms(soon.starts_at - market.clock.now_ms() - 23 * 3_600_000);
        let booked = seen().await;
        for (at, refund) in [(0, 40_000), (1, 80_000)] {
            let refund = Some(Money::new(refund, Currency::INR));
            appointments::cancel(engine, &Caller::guest(), &by(booked[at].id), refund).await.unwrap();
            market.settle().await;
        }
        let order = orders::seller_order(engine, &owner, MEENA, &format!("{number}-1")).await.unwrap().order;
        // Of one a fee was kept, so the order is not undone by the other.
        assert_eq!(order.order.state, OrderState::Delivered);
        assert_eq!(order.order.refunds.iter().map(|refund| refund.amount.amount()).sum::<i64>(), 120_000);
        assert_eq!(seen().await.iter().filter(|of| of.fee.is_some()).count(), 1);
    }

    async fn a_shop_can_give_back_a_fee(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let (pottery, glazing) = (service(market, "Pottery lesson").await, service(market, "Glazing").await);
        let (soon, far) = (first(market, &pottery).await, later(market, &glazing).await.times.pop().unwrap());
        let guest = guest_at(market, &pottery, &soon).await;
        services::add_to_cart(engine, &guest, &chosen(&glazing, &far)).await.unwrap();
        let number = market.buy_by_card(&guest).await;
        let (key, order) = (market.key(&number), format!("{number}-1"));
        let booked = appointments::of_purchase(engine, &Caller::guest(), &number, &key).await.unwrap();
        market.settle().await;
        market.clock.advance_ms(soon.starts_at - market.clock.now_ms() - 23 * 3_600_000);
        let by = Moving { id: booked[0].id.to_string(), purchase: number.clone(), key: key.clone(), ..Moving::default() };
        appointments::cancel(engine, &Caller::guest(), &by, Some(Money::new(40_000, Currency::INR))).await.unwrap();
        market.settle().await;
        // Not the customer, for whom it would be a way around the fee.
        let undone = orders::cancel_by_customer(engine, &Caller::guest(), &number, &key, &order, "").await;
        assert_eq!(undone, Err(Conflict::TooLate.into()));
        orders::cancel(engine, &owner, MEENA, &order, "Closed for a week").await.unwrap();
        market.settle().await;
        let page = orders::seller_order(engine, &owner, MEENA, &order).await.unwrap().order.order;
        assert_eq!((page.state, page.refunds.iter().map(|refund| refund.amount.amount()).sum::<i64>()), (OrderState::Cancelled, 160_000));
    }

    async fn customers_are_reminded_a_day_and_an_hour_before(market) {
        let of = service(market, "Yoga").await;
        let time = first(market, &of).await;
        market.buy_by_card(&guest_at(market, &of, &time).await).await;
        let reminded = async || {
            market.settle().await;
            let schedule = schedules::SCHEDULES.iter().find(|schedule| schedule.name == "reminders").unwrap();
            schedules::run_if_due(&market.engine, schedule).await.unwrap();
            market.settle().await;
            mails(market).await.iter().filter(|mail| mail.subject.starts_with("reminder")).count()
        };
        assert_eq!(reminded().await, 0);
        for (before_ms, count) in [(86_460_000, 0), (86_400_000, 1), (80_000_000, 1), (3_660_000, 1), (3_600_000, 2), (60_000, 2), (-1, 2)] {
            market.clock.advance_ms(time.starts_at - market.clock.now_ms() - before_ms);
            assert_eq!(reminded().await, count, "{before_ms} ms before");
        }
        // Whoever books at short notice, or cancels, is not reminded.
        let soon = calendar(market, &of.slug, &AskedCalendar::default()).await.times.remove(0);
        let number = market.buy_by_card(&guest_at(market, &of, &soon).await).await;
        market.clock.advance_ms(soon.starts_at - market.clock.now_ms() - 7_000_000);
        assert_eq!(reminded().await, 2, "{number}");
    }

    async fn own_appointments_are_listed_page_by_page(market) {
        let engine = &market.engine;
        let of = service(market, "Yoga").await;
        let shopper = market.signed_up(&Caller::guest(), "asha").await;
        let mut starts = Vec::new();
        for _ in 0..3 {
            let time = first(market, &of).await;
            services::add_to_cart(engine, &shopper, &chosen(&of, &time)).await.unwrap();
            market.buy_by_card(&shopper).await;
            starts.push(time.local);
        }
        let page = async |after: &str| {
            let of = PageRequest { after, limit: Some(2) };
            appointments::list_own(engine, &shopper, of).await
        };
        let (one, all) = (page("").await.unwrap(), appointments::own(engine, &shopper).await.unwrap());
        let two = page(one.next.as_deref().unwrap()).await.unwrap();
        let listed: Vec<_> = one.items.iter().chain(&two.items).cloned().collect();
        assert_eq!((listed.len(), one.items.len(), two.next), (3, 2, None));
        assert!(listed.iter().zip(starts.iter().rev()).all(|(own, start)| own.starts_at == *start), "{starts:?}");
        assert_eq!(listed, all.appointments);
        for wrong in ["x", "1.x", "x.appt_00000000000000000000000001"] {
            assert_eq!(page(wrong).await, Err(Error::field("after", FieldCode::BadCursor)), "{wrong}");
        }
        assert_eq!(appointments::list_own(engine, &Caller::guest(), "").await, Err(Error::SignInNeeded));
    }

    async fn a_calendar_is_read_until_its_address_ends(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let of = service(market, "Yoga").await;
        let time = first(market, &of).await;
        let shopper = market.signed_up(&Caller::guest(), "asha").await;
        services::add_to_cart(engine, &shopper, &chosen(&of, &time)).await.unwrap();
        let number = market.buy_by_card(&shopper).await;
        let address = async || appointments::own(engine, &shopper).await.unwrap().feed;
        assert_eq!(address().await, None);
        appointments::set_feed(engine, &shopper, None, true).await.unwrap();
        appointments::set_feed(engine, &owner, Some(MEENA), true).await.unwrap();
        let own = address().await.unwrap().file;
        appointments::set_feed(engine, &shopper, None, true).await.unwrap();
        assert_eq!(address().await.unwrap().file, own, "asked for twice, it stays the same");
        let shops = appointments::of_shop(engine, &owner, MEENA, "").await.unwrap().feed.unwrap().file;
        let page = |shop: Option<&str>, number: &str| format!("{} {number}", shop.unwrap_or_default());
        let read = async |file: &str| appointments::read_feed(engine, file, page).await;
        let (name, entries) = read(&own).await.unwrap();
        assert_eq!((name.as_str(), entries.len(), entries[0].sequence), ("", 1, 0));
        assert!(entries[0].summary.starts_with("Yoga, ") && entries[0].url.ends_with(&number), "{entries:?}");
        let (name, entries) = read(&shops).await.unwrap();
        assert!(!name.is_empty() && entries[0].summary.starts_with("Yoga, ") && entries[0].url.contains(MEENA), "{entries:?}");
        // What is cancelled vanishes; so does a calendar whose address was ended, or belongs to nobody.
        let id = appointments::own(engine, &shopper).await.unwrap().appointments[0].id;
        let by = Moving { id: id.to_string(), shop: MEENA.into(), ..Moving::default() };
        appointments::cancel(engine, &owner, &by, Some(Money::new(80_000, Currency::INR))).await.unwrap();
        assert!(read(&own).await.unwrap().1.is_empty() && read(&shops).await.unwrap().1.is_empty());
        appointments::set_feed(engine, &shopper, None, false).await.unwrap();
        assert_eq!(read(&own).await, Err(Error::NotFound));
        assert_eq!(address().await, None);
        assert!(read(&shops).await.is_ok());
        for wrong in ["", ".ics", "cal_1", "key.cal_1.ics", &format!("x{shops}")] {
            assert_eq!(read(wrong).await, Err(Error::NotFound), "{wrong}");
        }
        let denied = appointments::set_feed(engine, &shopper, Some(MEENA), true).await;
        assert_eq!(denied, Err(Error::NotFound));
    }

    async fn of_many_who_want_one_time_one_gets_it(market) {
        let of = service(market, "Plumber").await;
        let time = first(market, &of).await;
        let mut buyers = Vec::new();
        for _ in 0..60 {
            let (engine, guest) = (market.engine.clone(), guest_at(market, &of, &time).await);
            buyers.push(async move {
                let id = checkout::begin(&engine, &guest).await?;
                checkout::pay(&engine, &guest, id, form("cash"), 1, "k").await
            });
        }
        let outcomes = at_once(buyers).await;
        let booked = outcomes.iter().filter(|o| matches!(o, Ok(NextAction::Done { .. }))).count();
        let refused = outcomes.iter().filter(|o| **o == Err(taken("Plumber"))).count();
        assert_eq!((booked, refused), (1, 59), "{:?}", outcomes.iter().find(|o| matches!(o, Err(e) if e.code() != "time_taken")));
    }

    /// Bookings of overlapping times while clocks change in three zones, of which some are moved or cancelled at once: ninety, or,
    /// at the size of an attack, 5,000.
    async fn attack_shoppers_book_move_and_cancel_over_changes_of_clocks(market) {
        let whole = std::env::var("HAAT_ATTACK_SCALE").is_ok_and(|percent| percent == "100");
        let wanted = if whole { 5_000 } else { 90 };
        let engine = &market.engine;
        let owner = market.owner(MEENA).await;
        let of = service(market, "Night watch").await;
        let mut providers = Vec::new();
        // In the weeks after 7 March 2027, clocks go forward in New York, then in Berlin, and back on Lord Howe Island.
        for zone in ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"] {
            let weekly = std::array::from_fn(|_| "0-24".to_owned());
            let form = ProviderForm { weekly, ..ProviderForm { name: zone.into(), ..ProviderForm::new(zone) } };
            providers.push(services::save_provider(engine, &owner, MEENA, None, &form).await.unwrap());
        }
        let form = ServiceForm { minutes: "90".into(), step: "30".into(), before: "10".into(), change_hours: "0".into(), ..hour(&providers) };
        services::save_service(engine, &owner, MEENA, of.product, &form).await.unwrap();
        market.clock.advance_ms(text::day("2027-03-07").unwrap() * 86_400_000 - market.clock.now_ms());
        let mut times = Vec::new();
        for (provider, day) in providers.iter().zip(["2027-03-14", "2027-03-28", "2027-04-04"]) {
            let asked = AskedCalendar { provider: provider.to_string(), day: day.into(), ..AskedCalendar::default() };
            let page = calendar(market, &of.slug, &asked).await;
            assert_eq!(page.day.as_deref(), Some(day));
            times.extend(page.times.iter().map(|time| chosen(&of, time)));
        }
        let mut shoppers = Vec::new();
        for i in 0..wanted {
            let (engine, times) = (engine.clone(), times.clone());
            shoppers.push(async move {
                let again = |error: &Error| matches!(error, Error::Busy { .. } | Error::Conflict(Conflict::PaymentInProgress));
                let time = &times[i * 7 % times.len()];
                let mut guest = Caller::guest();
                let changed = loop {
                    match services::add_to_cart(&engine, &guest, time).await {
                        Err(error) if again(&error) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                        outcome => break outcome?,
                    }
                };
                guest.cart = changed.token.map(|token| random::token_hash(&token));
                let number = loop {
                    let bought = async {
                        let id = checkout::begin(&engine, &guest).await?;
                        checkout::pay(&engine, &guest, id, form_of(i), 1, "k").await
                    };
                    match bought.await {
                        Ok(NextAction::Done { purchase }) => break purchase,
                        Ok(other) => panic!("{other:?}"),
                        Err(error) if again(&error) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                        Err(error) => return Err(error),
                    }
                };
                let booked = loop {
                    match appointments::of_purchase(&engine, &guest, &number.number, &number.key).await {
                        Err(error) if again(&error) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                        found => break found?.remove(0),
                    }
                };
                let by = Moving { id: booked.id.to_string(), purchase: number.number, key: number.key, ..Moving::default() };
                loop {
                    let changed = match i % 3 {
                        0 => appointments::cancel(&engine, &guest, &by, None).await.map(drop),
                        1 => appointments::move_to(&engine, &guest, &by, &times[(i * 11 + 5) % times.len()]).await.map(drop),
                        _ => Ok(()),
                    };
                    match changed {
                        Err(error) if again(&error) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                        // Whoever finds the other time taken keeps theirs.
                        Ok(()) | Err(Error::Conflict(Conflict::TimeTaken(_))) => return Ok(i % 3 != 0),
                        Err(error) => return Err(error),
                    }
                }
            });
        }
        let outcomes: Vec<haat_shared::Result<bool>> = at_once(shoppers).await;
        let other: Vec<_> = outcomes.iter().filter(|outcome| !matches!(outcome, Ok(_) | Err(Error::Conflict(Conflict::TimeTaken(_))))).collect();
        assert_eq!(other, Vec::<&haat_shared::Result<bool>>::new());
        market.settle().await;
        let kept = outcomes.iter().filter(|outcome| matches!(outcome, Ok(true))).count();
        let mut listed = 0;
        for day in ["2027-03-13", "2027-03-14", "2027-03-15", "2027-03-27", "2027-03-28", "2027-03-29", "2027-04-03", "2027-04-04", "2027-04-05"] {
            let of_day = appointments::of_shop(engine, &owner, MEENA, day).await.unwrap().appointments;
            listed += of_day.iter().filter(|of| of.state == AppointmentState::Booked).count();
        }
        assert!(kept > 8, "{kept}");
        assert_eq!(listed, kept);
        println!("{kept} of {wanted} booked");
    }

    async fn a_time_that_is_no_longer_offered_is_refused(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let of = service(market, "Yoga").await;
        let time = first(market, &of).await;
        let guest = guest_at(market, &of, &time).await;
        // Services are booked for a time, not added to a cart.
        let variant = carts::view(engine, &guest).await.unwrap().groups[0].lines[0].variant_id;
        let added = carts::add_line(engine, &Caller::guest(), AddLine { variant, quantity: "1".into() }).await;
        assert_eq!(added.unwrap_err(), taken("Yoga"));
        for (wrong, code) in [("soon", "invalid"), ("0", "time_taken"), ("99999999999999", "time_taken")] {
            let chosen = ChosenTime { starts_at: wrong.into(), ..chosen(&of, &time) };
            assert_eq!(services::add_to_cart(engine, &Caller::guest(), &chosen).await.unwrap_err().code(), code, "{wrong}");
        }
        let paused = ProviderForm { active: false, ..every_day("Asha Rao") };
        services::save_provider(engine, &owner, MEENA, Some(of.provider), &paused).await.unwrap();
        assert_eq!(checkout::begin(engine, &guest).await, Err(taken("Yoga")));
        assert_eq!(calendar(market, &of.slug, &AskedCalendar::default()).await.first_free, None);
        services::save_provider(engine, &owner, MEENA, Some(of.provider), &every_day("Asha Rao")).await.unwrap();
        let held = checkout::begin(engine, &guest).await.unwrap();
        // Nothing is paid for a provider who was paused meanwhile.
        services::save_provider(engine, &owner, MEENA, Some(of.provider), &paused).await.unwrap();
        assert_eq!(checkout::pay(engine, &guest, held, form("cash"), 1, "k").await, Err(taken("Yoga")));
        services::save_provider(engine, &owner, MEENA, Some(of.provider), &every_day("Asha Rao")).await.unwrap();
        // Its notice.
        market.clock.advance_ms(time.starts_at - market.clock.now_ms() - 3_599_000);
        assert_eq!(checkout::begin(engine, &guest).await, Err(taken("Yoga")));
    }

    async fn shops_keep_their_own_services(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let other = market.owner("delta-electronics").await;
        let of = service(market, "Repair").await;
        let (kept, providers, _) = services::of_shop(engine, &owner, MEENA).await.unwrap();
        assert_eq!((kept[0].form.clone(), providers[0].form.clone()), (hour(&[of.provider]), {
            let weekly = std::array::from_fn(|_| "9:00-17:00".to_owned());
            ProviderForm { weekly, ..every_day("Asha Rao") }
        }));
        let foreign = services::save_service(engine, &other, "delta-electronics", of.product, &hour(&[of.provider])).await;
        assert_eq!(foreign, Err(Error::NotFound));
        let foreign = services::save_provider(engine, &other, "delta-electronics", Some(of.provider), &every_day("Ravi")).await;
        assert_eq!(foreign, Err(Error::NotFound));
        assert_eq!(services::of_shop(engine, &other, MEENA).await.unwrap_err(), Error::NotFound);
        let stranger = ProviderId::from_bits(7);
        let unknown = services::save_service(engine, &owner, MEENA, of.product, &hour(&[stranger])).await;
        assert_eq!(unknown, Err(Error::field("providers", FieldCode::NotAChoice)));
        let nowhere = ProviderForm { zone: "Asia/Pune".into(), ..every_day("Ravi") };
        let refused = services::save_provider(engine, &owner, MEENA, None, &nowhere).await;
        assert_eq!(refused, Err(Error::field("zone", FieldCode::NotAZone)));
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        assert_eq!(appointments::own(engine, &asha).await.unwrap().appointments, Vec::new());
        assert_eq!(appointments::own(engine, &Caller::guest()).await, Err(Error::SignInNeeded));
    }

    async fn each_check_of_appointments_sees_harm(market) {
        let of = service(market, "Piano lesson").await;
        let time = first(market, &of).await;
        market.buy_by_card(&guest_at(market, &of, &time).await).await;
        let time = first(market, &of).await;
        market.buy_by_card(&guest_at(market, &of, &time).await).await;
        market.settle().await;
        for (harm, mend, said) in [
            (&LONGER, &SHORTER, "two appointments overlap, at "),
            (&UNBOOK, &BOOK, "an appointment has 0 cells of its calendar, at "),
            (&CANCEL, &RESTORE, "a booked cell belongs to no appointment"),
        ] {
            change(market, harm).await;
            let broken = oracle::consult(&market.engine).await.unwrap();
            assert!(broken.iter().any(|line| line.contains(said)), "{said}: {broken:?}");
            change(market, mend).await;
            assert_eq!(oracle::consult(&market.engine).await.unwrap(), Vec::<String>::new(), "{said} is mended");
        }
    }
}

statements! {
    LONGER = "UPDATE appointments SET end_cell = end_cell + 1";
    SHORTER = "UPDATE appointments SET end_cell = end_cell - 1";
    UNBOOK = "UPDATE booking_cells SET expires_at = 1";
    BOOK = "UPDATE booking_cells SET expires_at = NULL";
    CANCEL = "UPDATE appointments SET state = 'cancelled'";
    RESTORE = "UPDATE appointments SET state = 'booked'";
}
