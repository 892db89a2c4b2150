//! The timed events of the demo: one that is on, and one that is announced.

use haat_engine::{Caller, Engine, catalog, clock::rfc3339, sale_events};
use haat_shared::{
    Result,
    catalog::ListProducts,
    sale_events::{EventForm, EventProductForm},
    sale_prices::SaleForm,
};

const DAY_MS: i64 = 24 * 3_600_000;

struct DemoEvent {
    shop: &'static str,
    title: &'static str,
    description: &'static str,
    /// In days from now.
    begins: i64,
    ends: i64,
    percent: &'static str,
    products: usize,
    units: &'static str,
}

const EVENTS: [DemoEvent; 2] = [
    DemoEvent {
        shop: "kalyani-handlooms",
        title: "Loom to home week",
        description: "Straight from the looms of Kalyani: a few pieces of each, at the price that our weavers’ families pay.",
        begins: 0,
        ends: 6,
        percent: "25",
        products: 4,
        units: "12",
    },
    DemoEvent {
        shop: "malabar-pantry",
        title: "New harvest weekend",
        description: "The new harvest is in. What is left of the old one goes for less, as long as it lasts.",
        begins: 2,
        ends: 5,
        percent: "15",
        products: 3,
        units: "40",
    },
];

/// Adds the events of the demo.
pub(super) async fn add(engine: &Engine) -> Result<()> {
    let system = Caller::system();
    for event in EVENTS {
        let after = |days: i64| rfc3339(engine.clock.now_ms() + days * DAY_MS);
        let form = EventForm {
            title: event.title.into(),
            description: event.description.into(),
            starts_at: if event.begins == 0 { String::new() } else { after(event.begins) },
            ends_at: after(event.ends),
        };
        let id = sale_events::create(engine, &system, event.shop, &form).await?;
        let asked =
            ListProducts { shop: event.shop.into(), sort: "price_high".into(), ..ListProducts::default() };
        let found = catalog::list(engine, &system, asked).await?.items;
        let sale = SaleForm { percent: event.percent.into(), ..SaleForm::default() };
        let form = EventProductForm { sale, allotment: event.units.into() };
        for card in found.iter().take(event.products) {
            sale_events::add(engine, &system, event.shop, id, card.id, &form).await?;
        }
    }
    Ok(())
}
