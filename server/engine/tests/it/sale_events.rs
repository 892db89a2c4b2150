//! Timed events: their prices apply by themselves while they are on and units are left, and no more units are sold at them
//! than the shop allotted.

use std::time::Duration;

use haat_engine::{Caller, carts, catalog, checkout, clock::rfc3339, orders, sale_events, sale_prices};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    carts::SetQuantity,
    catalog::{ListProducts, VariantView},
    checkout::{CheckoutUpdate, HOLD_MS},
    id::kinds::{ProductId, SaleEventId, VariantId},
    payments::NextAction,
    sale_events::{EventForm, EventProductForm, EventView},
    sale_prices::{PlannedSaleState, SaleForm},
};

use crate::{both, races::at_once, support::*};

const MEENA: &str = "meena-crafts";
const DELTA: &str = "delta-electronics";
const HOUR: i64 = 3_600_000;
/// What a bowl costs, and what it costs in an event of 20 %.
const PRICE: i64 = 45_000;
const REDUCED: i64 = 36_000;

struct Bowl {
    slug: String,
    product: ProductId,
    variant: VariantId,
}

async fn bowl(market: &Market, title: &str, stock: i64) -> Bowl {
    let variant = market.product(MEENA, title, PRICE, stock).await;
    let asked = ListProducts { q: title.into(), ..ListProducts::default() };
    let card = catalog::list(&market.engine, &Caller::guest(), asked).await.unwrap().items.remove(0);
    Bowl { slug: card.slug, product: card.id, variant }
}

/// An event that begins and ends so many hours from now.
fn between(market: &Market, from: i64, until: i64) -> EventForm {
    let now = market.clock.now_ms();
    EventForm {
        title: "Festival of clay".into(),
        description: "Two days only.".into(),
        starts_at: rfc3339(now + from * HOUR),
        ends_at: rfc3339(now + until * HOUR),
    }
}

fn percent(percent: &str, units: &str) -> EventProductForm {
    let sale = SaleForm { percent: percent.into(), ..SaleForm::default() };
    EventProductForm { sale, allotment: units.into() }
}

/// An event with so many units of a bowl.
async fn event(market: &Market, form: &EventForm, bowl: &Bowl, units: &str) -> SaleEventId {
    let owner = market.owner(MEENA).await;
    let id = sale_events::create(&market.engine, &owner, MEENA, form).await.unwrap();
    sale_events::add(&market.engine, &owner, MEENA, id, bowl.product, &percent("20", units)).await.unwrap();
    id
}

async fn seen(market: &Market, id: SaleEventId) -> Result<EventView> {
    sale_events::view(&market.engine, &Caller::guest(), id).await
}

async fn left(market: &Market, id: SaleEventId) -> Option<i64> {
    seen(market, id).await.unwrap().items[0].left
}

async fn shown(market: &Market, bowl: &Bowl) -> VariantView {
    catalog::product(&market.engine, &Caller::guest(), &bowl.slug).await.unwrap().variants.remove(0)
}

/// What a bowl costs on its page, and how many are left at that price.
async fn price(market: &Market, bowl: &Bowl) -> (i64, Option<i64>) {
    let variant = shown(market, bowl).await;
    (variant.price.amount(), variant.sale_left)
}

async fn subtotal(market: &Market, caller: &Caller) -> i64 {
    carts::view(&market.engine, caller).await.unwrap().totals.unwrap().subtotal.amount()
}

/// Whether it is so many hours until it begins or ends, less what the test has taken so far.
fn counts_down(view: &EventView, hours: i64) -> bool {
    (hours * 3_600 - 60..=hours * 3_600).contains(&view.seconds)
}

/// What a list says that the bowl costs.
async fn listed(market: &Market) -> i64 {
    sale_prices::apply_due(&market.engine).await.unwrap();
    let page = catalog::list(&market.engine, &Caller::guest(), ListProducts::default()).await.unwrap();
    page.items[0].price.amount()
}

both! {
    async fn an_event_is_announced_begins_is_sold_out_and_ends(market) {
        let engine = &market.engine;
        let bowl = bowl(market, "Clay bowl", 50).await;
        let id = event(market, &between(market, 1, 3), &bowl, "2").await;
        let list = async || sale_events::list(engine, &Caller::guest()).await.unwrap();
        let cards = list().await;
        assert_eq!((cards.len(), cards[0].id, cards[0].products), (1, id, 1));
        assert_eq!(cards[0].status, PlannedSaleState::Scheduled);
        let view = seen(market, id).await.unwrap();
        assert_eq!(view.description, "Two days only.");
        assert!(counts_down(&view, 1), "{}", view.seconds);
        let item = &view.items[0];
        assert_eq!((item.price.amount(), item.was.amount(), item.left, item.allotment), (REDUCED, PRICE, Some(2), Some(2)));
        assert_eq!(price(market, &bowl).await, (PRICE, None));

        market.clock.advance_ms(HOUR);
        assert_eq!(list().await[0].status, PlannedSaleState::Active);
        assert!(counts_down(&seen(market, id).await.unwrap(), 2));
        assert_eq!(price(market, &bowl).await, (REDUCED, Some(2)));
        assert_eq!(listed(market).await, REDUCED);

        // A line has one price: that of the event if there are as many units of it.
        let first = market.guest_with(&[(bowl.variant, 1)]).await;
        let many = market.guest_with(&[(bowl.variant, 3)]).await;
        assert_eq!((subtotal(market, &first).await, subtotal(market, &many).await), (REDUCED, 3 * PRICE));
        let two = market.guest_with(&[(bowl.variant, 2)]).await;
        assert_eq!(subtotal(market, &two).await, 2 * REDUCED);
        let number = market.buy_in_cash(&first).await.unwrap();
        assert_eq!(left(market, id).await, Some(1));
        // Their two units are no longer there.
        assert_eq!(subtotal(market, &two).await, 2 * PRICE);
        let line = carts::view(engine, &two).await.unwrap().groups[0].lines[0].id;
        let one = SetQuantity { line, quantity: "1".into() };
        carts::set_quantity(engine, &two, one).await.unwrap();
        let held = checkout::begin(engine, &two).await.unwrap();
        let of_two = checkout::view(engine, &two, held).await.unwrap();
        assert_eq!(of_two.quote.totals.subtotal.amount(), REDUCED);
        // What they hold is theirs, and nobody else's.
        assert_eq!(subtotal(market, &two).await, REDUCED);
        assert_eq!(price(market, &bowl).await, (PRICE, None));
        assert_eq!((left(market, id).await, listed(market).await), (Some(0), PRICE));
        let other = market.guest_with(&[(bowl.variant, 1)]).await;
        assert_eq!(subtotal(market, &other).await, PRICE);
        assert!(carts::view(engine, &other).await.unwrap().groups[0].lines[0].price_was.is_none());

        // Whoever cancels gives the unit back.
        let owner = market.owner(MEENA).await;
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "The kiln broke").await.unwrap();
        market.settle().await;
        assert_eq!((price(market, &bowl).await, listed(market).await), ((REDUCED, Some(1)), REDUCED));
        assert_eq!(subtotal(market, &other).await, REDUCED);

        // The event ends during a checkout, which keeps what was seen.
        sale_events::end(engine, &owner, MEENA, id).await.unwrap();
        assert_eq!(sale_events::end(engine, &owner, MEENA, id).await, Err(Error::NotFound));
        assert_eq!((price(market, &bowl).await, listed(market).await), ((PRICE, None), PRICE));
        assert!(list().await.is_empty());
        assert_eq!(seen(market, id).await.unwrap().card.status, PlannedSaleState::Ended);
        let next = checkout::pay(engine, &two, held, form("cash"), of_two.quote.version, "k").await.unwrap();
        assert!(matches!(next, NextAction::Done { .. }), "{next:?}");
        market.settle().await;
    }

    async fn a_hold_of_an_event_that_runs_out_returns_its_units(market) {
        let engine = &market.engine;
        let bowl = bowl(market, "Clay bowl", 50).await;
        let id = event(market, &between(market, 0, 9), &bowl, "1").await;
        let guest = market.guest_with(&[(bowl.variant, 1)]).await;
        checkout::begin(engine, &guest).await.unwrap();
        assert_eq!(left(market, id).await, Some(0));
        // Another checkout of the same cart holds it in its place.
        market.add(&mut guest.clone(), bowl.variant, 1).await.unwrap();
        assert_eq!(subtotal(market, &guest).await, 2 * PRICE);
        let line = carts::view(engine, &guest).await.unwrap().groups[0].lines[0].id;
        carts::set_quantity(engine, &guest, SetQuantity { line, quantity: "1".into() }).await.unwrap();
        let again = checkout::begin(engine, &guest).await.unwrap();
        let quote = checkout::view(engine, &guest, again).await.unwrap().quote;
        assert_eq!((quote.totals.subtotal.amount(), left(market, id).await), (REDUCED, Some(0)));
        market.clock.advance_ms(HOLD_MS + 1);
        assert_eq!(checkout::sweep(engine).await.unwrap(), 1);
        assert_eq!(left(market, id).await, Some(1));
    }

    async fn an_event_is_changed_until_it_begins_and_deleted_with_its_allotments(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = bowl(market, "Clay bowl", 50).await;
        let refused = async |form: &EventForm| {
            let error = sale_events::create(engine, &owner, MEENA, form).await.unwrap_err();
            ["title", "starts_at", "ends_at"].map(|field| error.at(field))
        };
        assert_eq!(refused(&EventForm::default()).await, [Some(FieldCode::Missing), None, Some(FieldCode::Missing)]);
        let backwards = between(market, 3, 1);
        assert_eq!(refused(&backwards).await, [None, None, Some(FieldCode::NotAfterStart)]);
        let no_date = EventForm { starts_at: "soon".into(), ..between(market, 0, 1) };
        assert_eq!(refused(&no_date).await, [None, Some(FieldCode::NotDate), None]);

        // Without a product, nobody is told of it.
        let id = sale_events::create(engine, &owner, MEENA, &between(market, 1, 3)).await.unwrap();
        assert!(sale_events::list(engine, &Caller::guest()).await.unwrap().is_empty());
        assert_eq!(seen(market, id).await, Err(Error::NotFound));
        let page = sale_events::edit(engine, &owner, MEENA, id, Some(bowl.product)).await.unwrap();
        assert_eq!((page.products.len(), page.adding.map(|(_, title, _)| title)), (1, Some("Clay bowl".into())));
        let add = async |form: EventProductForm| sale_events::add(engine, &owner, MEENA, id, bowl.product, &form).await;
        let wrong = add(percent("0", "none")).await.unwrap_err();
        assert_eq!((wrong.at("percent"), wrong.at("allotment")), (Some(FieldCode::TooSmall), Some(FieldCode::NotNumber)));
        add(percent("20", "7")).await.unwrap();
        assert_eq!(add(percent("30", "")).await.unwrap_err().at("product"), Some(FieldCode::SaleExists));
        assert_eq!(sale_events::of_shop(engine, &owner, MEENA).await.unwrap().len(), 1);

        // Nobody else sees or changes it.
        let delta = market.owner(DELTA).await;
        assert_eq!(sale_events::of_shop(engine, &delta, MEENA).await.unwrap_err(), Error::NotFound);
        let form = between(market, 2, 5);
        for handle in [MEENA, DELTA] {
            assert_eq!(sale_events::edit(engine, &delta, handle, id, None).await.unwrap_err(), Error::NotFound);
            assert_eq!(sale_events::save(engine, &delta, handle, id, &form).await, Err(Error::NotFound));
            assert_eq!(sale_events::end(engine, &delta, handle, id).await, Err(Error::NotFound));
            assert_eq!(sale_events::delete(engine, &delta, handle, id).await, Err(Error::NotFound));
        }

        // Times move with all prices, unless one of them is in another sale then.
        let sale = SaleForm { starts_at: rfc3339(market.clock.now_ms() + 6 * HOUR), ends_at: rfc3339(market.clock.now_ms() + 8 * HOUR), percent: "10".into(), prices: Vec::new() };
        sale_prices::plan(engine, &owner, MEENA, bowl.product, &sale).await.unwrap();
        let clash = sale_events::save(engine, &owner, MEENA, id, &between(market, 2, 7)).await.unwrap_err();
        assert_eq!(clash.at("starts_at"), Some(FieldCode::SaleExists));
        let renamed = EventForm { title: "Later".into(), ..form };
        sale_events::save(engine, &owner, MEENA, id, &renamed).await.unwrap();
        market.clock.advance_ms(HOUR);
        assert_eq!(price(market, &bowl).await, (PRICE, None));
        market.clock.advance_ms(HOUR);
        assert_eq!(price(market, &bowl).await, (REDUCED, Some(7)));
        assert_eq!(seen(market, id).await.unwrap().card.title, "Later");
        // Once it has begun, only its texts change, and it ends rather than vanishes.
        sale_events::save(engine, &owner, MEENA, id, &EventForm { title: "On".into(), ..between(market, 1, 2) }).await.unwrap();
        let view = seen(market, id).await.unwrap();
        assert_eq!(view.card.title, "On");
        assert!(counts_down(&view, 3), "{}", view.seconds);
        assert_eq!(sale_events::delete(engine, &owner, MEENA, id).await, Err(Error::NotFound));
        sale_events::remove(engine, &owner, MEENA, id, bowl.product, view.items[0].sale).await.unwrap();
        assert_eq!(price(market, &bowl).await, (PRICE, None));
        assert!(seen(market, id).await.unwrap().items.is_empty());

        let next = event(market, &between(market, 20, 30), &bowl, "5").await;
        let other = event(market, &between(market, 40, 50), &bowl, "5").await;
        let sale = seen(market, other).await.unwrap().items[0].sale;
        sale_events::remove(engine, &owner, MEENA, other, bowl.product, sale).await.unwrap();
        sale_events::delete(engine, &owner, MEENA, next).await.unwrap();
        assert_eq!(seen(market, next).await, Err(Error::NotFound));
        market.settle().await;
    }

    async fn no_more_is_left_than_there_is(market) {
        let bowl = bowl(market, "Clay bowl", 3).await;
        let id = event(market, &between(market, 0, 9), &bowl, "5").await;
        assert_eq!((left(market, id).await, price(market, &bowl).await), (Some(3), (REDUCED, None)));
        let guest = market.guest_with(&[(bowl.variant, 3)]).await;
        market.buy_in_cash(&guest).await.unwrap();
        assert_eq!(left(market, id).await, Some(0));
        let owner = market.owner(MEENA).await;
        let jug = self::bowl(market, "Clay jug", 1).await;
        sale_events::add(&market.engine, &owner, MEENA, id, jug.product, &percent("20", "")).await.unwrap();
        assert_eq!(seen(market, id).await.unwrap().items[1].left, None);
        let guest = market.guest_with(&[(jug.variant, 1)]).await;
        market.buy_in_cash(&guest).await.unwrap();
        assert!(seen(market, id).await.unwrap().items[1].is_sold_out());
    }

    /// Sixty for an allotment of 8, or, at the size of an attack, 1,000 for one of 50.
    async fn attack_buyers_race_for_the_allotment_of_an_event(market) {
        let whole = std::env::var("HAAT_ATTACK_SCALE").is_ok_and(|percent| percent == "100");
        let (wanted, units) = if whole { (1_000, 50) } else { (60, 8) };
        let bowl = bowl(market, "Clay bowl", 2 * wanted as i64).await;
        let id = event(market, &between(market, 0, 9), &bowl, &units.to_string()).await;
        let mut buyers = Vec::new();
        for i in 0..wanted {
            let (engine, guest) = (market.engine.clone(), market.guest_with(&[(bowl.variant, 1)]).await);
            buyers.push(async move {
                let buy = async || {
                    let id = checkout::begin(&engine, &guest).await?;
                    let quote = checkout::view(&engine, &guest, id).await?.quote;
                    let form = CheckoutUpdate { email: format!("b{i}@example.com"), ..form("cash") };
                    checkout::pay(&engine, &guest, id, form, quote.version, "k").await?;
                    Ok(quote.totals.subtotal.amount())
                };
                loop {
                    match buy().await {
                        // Clients come again, as they are told.
                        Err(Error::Busy { .. } | Error::Conflict(Conflict::PricesChanged)) => {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                        outcome => break outcome,
                    }
                }
            });
        }
        let outcomes: Vec<Result<i64>> = at_once(buyers).await;
        let paid = |price: i64| outcomes.iter().filter(|outcome| **outcome == Ok(price)).count();
        assert_eq!((paid(REDUCED), paid(PRICE)), (units, wanted - units), "{:?}", outcomes.iter().find(|o| o.is_err()));
        assert_eq!(left(market, id).await, Some(0));
        market.settle().await;
    }
}
