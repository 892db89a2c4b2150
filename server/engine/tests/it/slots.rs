//! Delivery slots: chosen and held at checkout, taken by the payment, given back, and never more orders than places.

use std::time::Duration;

use haat_engine::{
    Caller, carts, checkout, orders,
    shipping::{self, Change},
    shops,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    checkout::{CheckoutGroup, CheckoutQuote, CheckoutUpdate},
    id::kinds::{CheckoutId, VariantId},
    orders::ListOrders,
    promotions::PromotionForm,
    shipping::{BookedSlot, CalendarForm, MethodForm, ShippingMethod, Slot, SlotForm, SlotState, ZoneForm},
};

use crate::{both, races::at_once, support::*};

const MEENA: &str = "meena-crafts";
const MINUTE: i64 = 60_000;
const SLOT_PRICE: i64 = 2_900;

fn window(from: &str, to: &str, orders: usize) -> SlotForm {
    SlotForm { from: from.into(), to: to.into(), orders: orders.to_string(), ..SlotForm::new() }
}

/// The shop ships for 49 rupees, or delivers what is ordered for 29 in these windows; in the evening, for 30 more.
async fn delivers(market: &Market, windows: Vec<SlotForm>) {
    let mut zone = ZoneForm { name: "India".into(), areas: "IN".into(), ..ZoneForm::new() };
    zone.methods[0].rates = "49".into();
    zone.methods[3] = MethodForm { offered: true, rates: "29".into(), ..zone.methods[3].clone() };
    let calendar = CalendarForm {
        handling_days: "0".into(),
        works: [true; 7],
        time_zone: "Asia/Kolkata".into(),
        ..CalendarForm::default()
    };
    let change = Change::All(calendar, vec![(None, zone)], Some(windows));
    shops::set_shipping(&market.engine, &Caller::system(), MEENA, &change).await.unwrap();
}

async fn bowl(market: &Market) -> VariantId {
    market.product(MEENA, "Clay bowl", 45_000, 5_000).await
}

async fn group(market: &Market, caller: &Caller, id: CheckoutId) -> CheckoutGroup {
    checkout::view(&market.engine, caller, id).await.unwrap().groups.remove(0)
}

/// A checkout of one bowl, and the slots that it is offered.
async fn begun(market: &Market, bowl: VariantId) -> (Caller, CheckoutId, CheckoutGroup) {
    let guest = market.guest_with(&[(bowl, 1)]).await;
    let id = checkout::begin(&market.engine, &guest).await.unwrap();
    let group = group(market, &guest, id).await;
    (guest, id, group)
}

fn in_slot(group: &CheckoutGroup, slot: Option<Slot>) -> CheckoutUpdate {
    CheckoutUpdate {
        shipping_methods: [(group.shop_id, ShippingMethod::Slot)].into(),
        slots: slot.map(|slot| (group.shop_id, slot)).into_iter().collect(),
        ..form("cash")
    }
}

async fn choose(
    market: &Market,
    (caller, id, group): &(Caller, CheckoutId, CheckoutGroup),
    slot: Option<Slot>,
) -> Result<CheckoutQuote> {
    checkout::update(&market.engine, caller, *id, in_slot(group, slot)).await
}

/// Pays in cash what was chosen; returns the number of the purchase.
async fn pay(
    market: &Market,
    (caller, id, group): &(Caller, CheckoutId, CheckoutGroup),
    slot: Slot,
    key: &str,
) -> Result<String> {
    let quote = checkout::view(&market.engine, caller, *id).await?.quote;
    let typed = in_slot(group, Some(slot));
    Ok(number_of(&checkout::pay(&market.engine, caller, *id, typed, quote.version, key).await?))
}

async fn booked(market: &Market) -> Vec<BookedSlot> {
    let meena = market.owner(MEENA).await;
    shipping::settings(&market.engine, &meena, MEENA).await.unwrap().booked
}

fn state(group: &CheckoutGroup, slot: Slot) -> Option<SlotState> {
    group.slots.iter().find(|view| view.slot == slot).map(|view| view.state)
}

fn shipped(quote: &CheckoutQuote) -> i64 {
    quote.totals.shipping.amount()
}

both! {
    async fn a_slot_is_held_paid_and_given_back(market) {
        let (engine, bowl) = (&market.engine, bowl(market).await);
        let evening = SlotForm { extra: "30".into(), ..window("18:00", "20:00", 1) };
        delivers(market, vec![window("08:00", "10:00", 2), evening]).await;
        let asha = begun(market, bowl).await;
        let ways: Vec<_> = asha.2.shipping_options.iter().map(|o| (o.shipping_method, o.price.amount())).collect();
        assert_eq!(ways, [(ShippingMethod::Standard, 4_900), (ShippingMethod::Slot, SLOT_PRICE)]);
        assert!(asha.2.slots.len() >= 26, "two a day for two weeks: {}", asha.2.slots.len());
        // A slot in some days, so that nothing closes meanwhile.
        let slot = asha.2.slots.iter().rev().map(|view| view.slot).find(|slot| slot.from == 18 * 60).unwrap();
        // Without one, it can't be paid.
        let quote = choose(market, &asha, None).await.unwrap();
        assert_eq!(shipped(&quote), SLOT_PRICE);
        let field = format!("slots.{}", asha.2.shop_id);
        let refused = checkout::pay(engine, &asha.0, asha.1, in_slot(&asha.2, None), quote.version, "k").await;
        assert_eq!(refused.unwrap_err().at(&field), Some(FieldCode::Missing));
        // Its extra price is part of the total, and whoever comes later sees that it is full.
        let quote = choose(market, &asha, Some(slot)).await.unwrap();
        assert_eq!(shipped(&quote), SLOT_PRICE + 3_000);
        let mine = group(market, &asha.0, asha.1).await;
        assert_eq!((mine.slot, state(&mine, slot)), (Some(slot), Some(SlotState::Open)));
        let ben = begun(market, bowl).await;
        assert_eq!(state(&ben.2, slot), Some(SlotState::Full));
        assert_eq!(choose(market, &ben, Some(slot)).await.unwrap_err().at(&field), Some(FieldCode::SlotGone));
        assert_eq!(group(market, &ben.0, ben.1).await.slot, None, "and nothing is held");
        // Another method gives it back, and it can be chosen again.
        checkout::update(engine, &asha.0, asha.1, form("cash")).await.unwrap();
        assert_eq!(state(&group(market, &ben.0, ben.1).await, slot), Some(SlotState::Open));
        choose(market, &asha, Some(slot)).await.unwrap();
        // An address outside of the zone, and back.
        let away = CheckoutUpdate { country: "NP".into(), ..in_slot(&asha.2, Some(slot)) };
        checkout::update(engine, &asha.0, asha.1, away).await.unwrap();
        assert_eq!(state(&group(market, &ben.0, ben.1).await, slot), Some(SlotState::Open), "not delivered there");
        choose(market, &asha, Some(slot)).await.unwrap();
        let number = pay(market, &asha, slot, "k2").await.unwrap();
        let purchase = orders::purchase(engine, &asha.0, &number, &market.key(&number)).await.unwrap();
        let order = &purchase.orders[0];
        assert_eq!((order.slot, order.shipping_method), (Some(slot), ShippingMethod::Slot));
        assert_eq!(order.arrives, (slot.date(), slot.date()));
        assert_eq!(order.totals.shipping.amount(), SLOT_PRICE + 3_000);
        // The shop sees what it has to bring, and when.
        let meena = market.owner(MEENA).await;
        let booked = booked(market).await;
        assert_eq!(booked.iter().map(|b| (b.slot, b.booked, b.orders)).collect::<Vec<_>>(), [(slot, 1, 1)]);
        let ask = ListOrders { slot: slot.to_string(), ..ListOrders::default() };
        let listed = orders::seller_list(engine, &meena, MEENA, ask).await.unwrap();
        assert_eq!(listed.items.iter().map(|card| card.slot.clone()).collect::<Vec<_>>(), [Some(slot.to_string())]);
        // A cancelled order gives its place to the next one.
        assert_eq!(state(&group(market, &ben.0, ben.1).await, slot), Some(SlotState::Full));
        orders::cancel_by_customer(engine, &asha.0, &number, &market.key(&number), &order.number, "").await.unwrap();
        choose(market, &ben, Some(slot)).await.unwrap();
        pay(market, &ben, slot, "k").await.unwrap();
        assert_eq!(state(&begun(market, bowl).await.2, slot), Some(SlotState::Full));
    }

    async fn a_slot_closes_while_the_shopper_hesitates(market) {
        let bowl = bowl(market).await;
        // Each hour of the day, so that the next one to close is near.
        let hours = (0..24).map(|hour| window(&format!("{hour:02}:00"), &format!("{:02}:00", hour + 1), 9));
        delivers(market, hours.collect()).await;
        // Five minutes before one closes, which is less than a checkout lasts.
        let of_hour = (market.clock.now_ms() + 330 * MINUTE) / MINUTE % 60;
        market.clock.advance_ms((115 - of_hour) % 60 * MINUTE);
        let asha = begun(market, bowl).await;
        let open = asha.2.slots.iter().find(|view| view.state == SlotState::Open).unwrap().slot;
        choose(market, &asha, Some(open)).await.unwrap();
        market.clock.advance_ms(6 * MINUTE);
        let field = format!("slots.{}", asha.2.shop_id);
        assert_eq!(pay(market, &asha, open, "k").await.unwrap_err().at(&field), Some(FieldCode::SlotGone));
        let now = group(market, &asha.0, asha.1).await;
        assert_eq!(state(&now, open), Some(SlotState::Closed));
        // With the next one, the same attempt goes on.
        let next = now.slots.iter().find(|view| view.state == SlotState::Open).unwrap().slot;
        let closed = choose(market, &begun(market, bowl).await, Some(open)).await;
        assert_eq!(closed.unwrap_err().at(&field), Some(FieldCode::SlotGone));
        choose(market, &asha, Some(next)).await.unwrap();
        pay(market, &asha, next, "k").await.unwrap();
    }

    async fn a_code_does_not_lose_the_slot(market) {
        let (engine, bowl) = (&market.engine, bowl(market).await);
        delivers(market, vec![window("08:00", "10:00", 1)]).await;
        let asha = begun(market, bowl).await;
        let slot = asha.2.slots[5].slot;
        choose(market, &asha, Some(slot)).await.unwrap();
        let meena = market.owner(MEENA).await;
        let code = PromotionForm { label: "Clay".into(), code: "CLAY".into(), combines: "1".into(), kind: "percent".into(), percent: "10".into(), ..PromotionForm::default() };
        haat_engine::promotions::create(engine, &meena, MEENA, &code).await.unwrap();
        haat_engine::cart_codes::add_code(engine, &asha.0, "CLAY").await.unwrap();
        let renewed = checkout::renew(engine, &asha.0, asha.1).await.unwrap();
        assert_ne!(renewed, asha.1);
        let now = group(market, &asha.0, renewed).await;
        assert_eq!((now.slot, now.shipping_method), (Some(slot), ShippingMethod::Slot));
        // If the shop no longer offers it, the shopper chooses anew, and loses nothing else.
        delivers(market, vec![window("12:00", "14:00", 1)]).await;
        let code = carts::view(engine, &asha.0).await.unwrap().discounts[0].promotion_id.unwrap();
        haat_engine::cart_codes::remove_code(engine, &asha.0, code).await.unwrap();
        let again = checkout::renew(engine, &asha.0, renewed).await.unwrap();
        let now = checkout::view(engine, &asha.0, again).await.unwrap();
        assert_eq!((now.groups[0].slot, now.form.slots.len()), (None, 0));
        assert_eq!((now.groups[0].shipping_method, now.form.name), (ShippingMethod::Slot, form("cash").name));
    }

    async fn windows_are_managed_by_the_shop(market) {
        let (engine, meena, bowl) = (&market.engine, market.owner(MEENA).await, bowl(market).await);
        delivers(market, vec![window("08:00", "10:00", 2)]).await;
        let version = async || shipping::settings(engine, &meena, MEENA).await.unwrap().version;
        let save = async |change: Change| shipping::save(engine, &meena, MEENA, version().await, &change).await;
        let add = |form| Change::Window(None, form);
        save(add(window("18:00", "20:00", 9))).await.unwrap();
        for (form, field, code) in [
            (window("09:00", "11:00", 9), "from", FieldCode::Overlaps),
            (window("20:00", "19:00", 9), "to", FieldCode::TooSmall),
            (window("20:00", "21:00", 0), "orders", FieldCode::TooSmall),
        ] {
            assert_eq!(save(add(form)).await.unwrap_err().at(field), Some(code));
        }
        for change in [Change::Window(Some(9), window("20:00", "21:00", 9)), Change::RemoveWindow(9)] {
            assert_eq!(save(change).await, Err(Error::NotFound));
        }
        // One is held and one is sold, so no less than two are left.
        let (asha, ben) = (begun(market, bowl).await, begun(market, bowl).await);
        let slot = asha.2.slots.iter().rev().map(|view| view.slot).find(|slot| slot.from == 8 * 60).unwrap();
        choose(market, &asha, Some(slot)).await.unwrap();
        pay(market, &asha, slot, "k").await.unwrap();
        choose(market, &ben, Some(slot)).await.unwrap();
        save(Change::Window(Some(0), window("08:00", "10:00", 1))).await.unwrap();
        let places = async || booked(market).await[0].orders;
        assert_eq!(places().await, 2);
        save(Change::Window(Some(0), window("08:00", "10:00", 5))).await.unwrap();
        assert_eq!(places().await, 5);
        assert_eq!(state(&begun(market, bowl).await.2, slot), Some(SlotState::Open));
        // What is booked stays booked when its window goes.
        save(Change::RemoveWindow(0)).await.unwrap();
        assert_eq!(state(&begun(market, bowl).await.2, slot), None);
        assert_eq!(state(&group(market, &ben.0, ben.1).await, slot), Some(SlotState::Open), "still theirs");
        pay(market, &ben, slot, "k").await.unwrap();
        let booked = booked(market).await;
        assert_eq!((booked[0].slot, booked[0].booked), (slot, 2));
        let rules = shipping::settings(engine, &meena, MEENA).await.unwrap().rules;
        assert_eq!(rules.windows.len(), 1);
    }

    /// Forty for a slot of 6, or, at the size of an attack, 500 for one of 20.
    async fn attack_shoppers_race_for_the_places_of_a_slot(market) {
        let whole = std::env::var("HAAT_ATTACK_SCALE").is_ok_and(|percent| percent == "100");
        let (wanted, places) = if whole { (500, 20) } else { (40, 6) };
        let bowl = bowl(market).await;
        delivers(market, vec![window("18:00", "20:00", places)]).await;
        let mut shoppers = Vec::new();
        for i in 0..wanted {
            let (engine, guest) = (market.engine.clone(), market.guest_with(&[(bowl, 1)]).await);
            shoppers.push(async move {
                let buy = async || {
                    let id = checkout::begin(&engine, &guest).await?;
                    let group = checkout::view(&engine, &guest, id).await?.groups.remove(0);
                    let slot = group.slots.last().map(|view| view.slot);
                    let typed = CheckoutUpdate { email: format!("b{i}@example.com"), ..in_slot(&group, slot) };
                    let quote = checkout::update(&engine, &guest, id, typed.clone()).await?;
                    checkout::pay(&engine, &guest, id, typed, quote.version, "k").await.map(drop)
                };
                loop {
                    match buy().await {
                        // Clients come again, as they are told.
                        Err(Error::Busy { .. } | Error::Conflict(Conflict::PaymentInProgress)) => {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                        outcome => break outcome,
                    }
                }
            });
        }
        let outcomes: Vec<Result<()>> = at_once(shoppers).await;
        let bought = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        let other: Vec<_> = refused.filter(|error| !matches!(error, Error::Invalid(faults) if faults[0].code == FieldCode::SlotGone)).collect();
        assert_eq!((bought, other), (places, Vec::new()));
        market.settle().await;
        let booked = booked(market).await;
        assert_eq!(booked.iter().map(|b| (b.booked, b.orders)).collect::<Vec<_>>(), [(places as i64, places as i64)]);
    }
}
