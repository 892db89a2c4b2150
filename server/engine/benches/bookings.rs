//! How long the calendar of a service takes: the free times of a month, of a service that 50 providers do and that has 5,000
//! appointments to come. Fails if the 95th percentile exceeds 10 ms. Run it on an otherwise idle machine.
//!
//! `cargo bench -p haat-engine --bench bookings`, under `scripts/with-postgres`.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark"
)]

#[path = "../tests/it/support.rs"]
mod support;

use std::time::{Duration, Instant};

use haat_engine::{Caller, appointments, catalog, checkout, random, services};
use haat_shared::{
    appointments::{AskedCalendar, ChosenTime, FindServices, ProviderForm, ServiceForm},
    catalog::ListProducts,
    checkout::CheckoutUpdate,
    shipping::date,
    text,
};
use support::{Market, On, form};

const MEENA: &str = "meena-crafts";
const PROVIDERS: usize = 50;
const APPOINTMENTS: usize = 5_000;
const TRIES: usize = 60;
const MOST: Duration = Duration::from_millis(10);

/// A service of many providers in four zones, with appointments of an hour on the next 60 days. Returns its slug.
async fn fill(market: &Market) -> String {
    let engine = &market.engine;
    market.product(MEENA, "Massage", 80_000, 0).await;
    let owner = market.owner(MEENA).await;
    let asked = ListProducts { q: "Massage".into(), ..ListProducts::default() };
    let card = catalog::list(engine, &Caller::guest(), asked).await.unwrap().items.remove(0);
    let mut providers = Vec::new();
    for i in 0..PROVIDERS {
        let zone = ["Asia/Kolkata", "Europe/Berlin", "America/New_York", "Asia/Tokyo"][i % 4];
        let weekly = std::array::from_fn(|_| "9-13, 14-18".to_owned());
        let name = format!("Provider {i}");
        let form = ProviderForm { name, town: "Pune".into(), weekly, ..ProviderForm::new(zone) };
        providers.push(services::save_provider(engine, &owner, MEENA, None, &form).await.unwrap());
    }
    let all = providers.iter().map(ToString::to_string).collect();
    let form_of = ServiceForm { notice_hours: "1".into(), providers: all, ..ServiceForm::new() };
    services::save_service(engine, &owner, MEENA, card.id, &form_of).await.unwrap();
    let mut booked = 0;
    let today = text::day(&date(market.clock.now_ms() / 86_400_000)).unwrap();
    'filled: for ahead in 1..59 {
        for provider in &providers {
            let asked = AskedCalendar {
                provider: provider.to_string(),
                day: date(today + ahead),
                ..AskedCalendar::default()
            };
            let page = services::booking_page(engine, &Caller::guest(), &card.slug, &asked).await.unwrap();
            for time in page.times.iter().step_by(5).take(2) {
                let mut guest = Caller::guest();
                let chosen = ChosenTime {
                    slug: card.slug.clone(),
                    provider: provider.to_string(),
                    starts_at: time.starts_at.to_string(),
                };
                let changed = services::add_to_cart(engine, &guest, &chosen).await.unwrap();
                guest.cart = changed.token.map(|token| random::token_hash(&token));
                let id = checkout::begin(engine, &guest).await.unwrap();
                let typed = CheckoutUpdate { email: format!("b{booked}@example.com"), ..form("cash") };
                checkout::pay(engine, &guest, id, typed, 1, "k").await.unwrap();
                booked += 1;
                if booked == APPOINTMENTS {
                    break 'filled;
                }
            }
        }
    }
    assert!(booked > APPOINTMENTS * 9 / 10, "{booked}");
    card.slug
}

/// Prints the 50th and the 95th percentile of what is asked, and returns whether the latter is within the limit.
async fn timed<T>(name: &str, ask: impl AsyncFn() -> T) -> bool {
    let mut times = Vec::with_capacity(TRIES);
    for _ in 0..TRIES {
        let begun = Instant::now();
        ask().await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let (half, most) = (times[TRIES / 2], times[TRIES * 95 / 100]);
    println!("{name:<44} p50 {half:>10.2?} p95 {most:>10.2?}");
    most <= MOST
}

async fn run(on: On, name: &str) -> bool {
    let market = Market::open(on).await;
    let slug = fill(&market).await;
    let engine = &market.engine;
    let ask = async |asked: AskedCalendar| {
        services::booking_page(engine, &Caller::guest(), &slug, &asked).await.unwrap()
    };
    let page = ask(AskedCalendar::default()).await;
    let next = page.month.next.clone().unwrap();
    let one = page.providers[7].id.to_string();
    let mut held = timed(&format!("{name}: month of anyone"), async || {
        ask(AskedCalendar { month: next.clone(), ..AskedCalendar::default() }).await
    })
    .await;
    held &= timed(&format!("{name}: month of one provider"), async || {
        ask(AskedCalendar { month: next.clone(), provider: one.clone(), ..AskedCalendar::default() }).await
    })
    .await;
    let owner = market.owner(MEENA).await;
    timed(&format!("{name}: a shop's day"), async || {
        appointments::of_shop(engine, &owner, MEENA, "").await.unwrap()
    })
    .await;
    timed(&format!("{name}: services of a town on a day"), async || {
        let asked = FindServices { town: "Pune".into(), day: format!("{next}-05") };
        services::list(engine, &Caller::guest(), &asked).await.unwrap()
    })
    .await;
    held
}

#[tokio::main]
async fn main() {
    let mut held = run(On::Sqlite, "SQLite").await;
    held &= run(On::Postgres, "PostgreSQL").await;
    assert!(held, "the month takes longer than {MOST:?}");
}
