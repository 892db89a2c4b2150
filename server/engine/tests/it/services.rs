//! Services: a time is chosen, held, booked and freed, and never given to two.

use haat_engine::{
    Caller, appointments, carts, catalog, checkout, oracle, orders, random, sandbox::Card, services,
    statements,
};
use haat_shared::{
    Conflict, Error, FieldCode,
    appointments::{
        AppointmentState, AskedCalendar, BookingPage, ChosenTime, FindServices, Moving, OfferedTime,
        ProviderForm, ServiceForm, calendar_file,
    },
    carts::{AddLine, SetQuantity},
    catalog::ListProducts,
    checkout::HOLD_MS,
    id::kinds::{ProductId, ProviderId},
    orders::{LineQuantity, NewRefund},
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
    market.product(MEENA, title, 80_000, 0).await;
    let owner = market.owner(MEENA).await;
    let asked = ListProducts { q: title.into(), ..ListProducts::default() };
    let card = catalog::list(engine, &Caller::guest(), asked).await.unwrap().items.remove(0);
    let provider =
        services::save_provider(engine, &owner, MEENA, None, &every_day("Asha Rao")).await.unwrap();
    services::save_service(engine, &owner, MEENA, card.id, &hour(&[provider])).await.unwrap();
    Service { slug: card.slug, product: card.id, provider }
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
        checkout::begin(engine, &guest).await.unwrap();
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
        assert_eq!(appointments::own(engine, &asha).await, Ok(Vec::new()));
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
