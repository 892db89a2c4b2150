//! What a shop ships where, and for how much.

use serde::{Deserialize, Serialize};

use super::{
    Area, Calendar, CashTerms, Moment, Place, ShippingMethod, ShippingOption, Slot, SlotWindow,
    calendar::weekday,
    date,
    slots::{SLOT_DAYS, SlotOffer, WINDOWS_MAX, is_over},
};
use crate::{
    field::{FieldCode, FieldError, ValidationErrors},
    id::kinds::ZoneId,
    money::{Currency, Money, Rate, convert, convert_price},
};

text_enum! {
    /// What the price of a shipping method depends on.
    #[derive(Default)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PriceBy {
        /// Nothing: one price.
        #[default]
        Flat = "flat",
        /// The weight of the parcel, in grams.
        Weight = "weight",
        /// The price of the items, in minor units.
        Value = "value",
        /// The number of items.
        Items = "items",
    }
}

/// A step of a price: up to this measure, at this price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The last measure of the step. None if it has no end.
    pub up_to: Option<i64>,
    /// The price.
    pub price: Money,
}

/// A shipping method of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// The method.
    pub method: ShippingMethod,
    /// The shop's own name for it. May be empty.
    pub name: String,
    /// What the price depends on.
    pub by: PriceBy,
    /// The steps, in ascending order. Beyond the last one, the method isn't offered.
    pub steps: Vec<Step>,
    /// It is free from this value of the items.
    pub free_from: Option<Money>,
    /// The minimum and maximum number of working days on the way.
    pub days: (i64, i64),
}

/// A part of the world, and how a shop ships there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its ID.
    pub id: ZoneId,
    /// Its name, for the shop.
    pub name: String,
    /// Where it is.
    pub areas: Vec<Area>,
    /// The methods that are offered there, standard first.
    pub methods: Vec<Method>,
    /// Whether what is shipped there can be paid in cash.
    #[serde(default)]
    pub cash: CashTerms,
}

/// How a shop ships. Stored as JSON: a field that is added needs a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingRules {
    /// Its working days.
    #[serde(default)]
    pub calendar: Calendar,
    /// Its zones.
    #[serde(default)]
    pub zones: Vec<Zone>,
    /// When it delivers what is ordered for a slot.
    #[serde(default)]
    pub windows: Vec<SlotWindow>,
}

/// What is shipped, as far as its price depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parcel {
    /// The weight in grams.
    pub grams: i64,
    /// The price of the items before discounts.
    pub subtotal: Money,
    /// The number of items.
    pub items: i64,
}

impl Method {
    /// The price for a parcel. None if the method isn't offered for it.
    pub fn price(&self, parcel: &Parcel) -> Option<Money> {
        let measure = match self.by {
            PriceBy::Flat => 0,
            PriceBy::Weight => parcel.grams,
            PriceBy::Value => parcel.subtotal.amount(),
            PriceBy::Items => parcel.items,
        };
        let step = self.steps.iter().find(|step| step.up_to.is_none_or(|up_to| measure <= up_to))?;
        let free = self.free_from.is_some_and(|from| from.amount() <= parcel.subtotal.amount());
        Some(if free { Money::zero(step.price.currency()) } else { step.price })
    }

    fn exchanged(&self, rate: Rate, to: Currency) -> Option<Self> {
        if self.steps.iter().all(|step| step.price.currency() == to) {
            return Some(self.clone());
        }
        let step = |step: &Step| {
            let up_to = match (self.by, step.up_to) {
                (PriceBy::Value, Some(up_to)) => {
                    Some(convert(Money::new(up_to, step.price.currency()), rate, to)?.amount())
                }
                (_, up_to) => up_to,
            };
            Some(Step { up_to, price: convert_price(step.price, rate, to)? })
        };
        let steps = self.steps.iter().map(step).collect::<Option<_>>()?;
        let free_from = self.free_from.map_or(Some(None), |from| convert_price(from, rate, to).map(Some))?;
        Some(Self { steps, free_from, ..self.clone() })
    }
}

impl ShippingRules {
    /// One zone everywhere, with a flat price.
    pub fn flat(
        id: ZoneId,
        name: impl Into<String>,
        price: Money,
        free_from: Option<Money>,
        days: (i64, i64),
    ) -> Self {
        let standard = Method {
            method: ShippingMethod::Standard,
            name: String::new(),
            by: PriceBy::Flat,
            steps: vec![Step { up_to: None, price }],
            free_from,
            days,
        };
        let (areas, methods, cash) = (vec![Area::Everywhere], vec![standard], CashTerms::default());
        let zone = Zone { id, name: name.into(), areas, methods, cash };
        Self { zones: vec![zone], ..Self::default() }
    }

    /// The zone that a place lies in: that of the most exact area. While only the country is known, a zone in that
    /// country will do.
    pub fn zone(&self, place: &Place) -> Option<&Zone> {
        let areas = || self.zones.iter().flat_map(|zone| zone.areas.iter().map(move |area| (zone, area)));
        let found = areas().filter(|(_, area)| area.contains(place)).max_by_key(|(_, area)| area.exactness());
        let near = || areas().find(|(_, area)| area.country() == Some(place.country()));
        let found = match found {
            None if place.is_country() => near(),
            found => found,
        };
        found.map(|(zone, _)| zone)
    }

    /// The methods that are offered for a parcel to a place, standard first; none if it isn't shipped there.
    pub fn options(&self, place: &Place, parcel: &Parcel, now: Moment) -> Vec<ShippingOption> {
        let Some(zone) = self.zone(place) else { return Vec::new() };
        let option = |method: &Method| {
            let price = method.price(parcel)?;
            let (first, last) = match method.method {
                ShippingMethod::Slot => self.first_slot(now).map(|day| (day, day))?,
                _ => self.calendar.promise(now, method.days),
            };
            Some(ShippingOption {
                shipping_method: method.method,
                name: method.name.clone(),
                price,
                days: (first - now.day, last - now.day),
                arrives: (date(first), date(last)),
                cash: zone.cash,
            })
        };
        zone.methods.iter().filter_map(option).collect()
    }

    /// The same with amounts in another currency. None if one is out of bounds.
    pub fn exchanged(&self, rate: Rate, to: Currency) -> Option<Self> {
        let zone = |zone: &Zone| {
            let methods =
                zone.methods.iter().map(|method| method.exchanged(rate, to)).collect::<Option<_>>()?;
            let most = match zone.cash.most.filter(|most| most.currency() != to) {
                Some(most) => Some(convert(most, rate, to)?),
                None => zone.cash.most,
            };
            Some(Zone { methods, cash: CashTerms { most, ..zone.cash }, ..zone.clone() })
        };
        let zones = self.zones.iter().map(zone).collect::<Option<_>>()?;
        let windows = self.windows.iter().map(|window| window.exchanged(rate, to)).collect::<Option<_>>()?;
        Some(Self { zones, windows, ..self.clone() })
    }
}

impl ShippingRules {
    /// The slots of the next [`SLOT_DAYS`] days that begin after `now`, the first to begin first. None on holidays, and none
    /// before an order of now can be on its way.
    pub fn slots(&self, now: Moment) -> Vec<SlotOffer> {
        let (ready, _) = self.calendar.promise(now, (0, 0));
        let days = now.day.max(ready)..now.day.saturating_add(SLOT_DAYS);
        let days = days.filter(|day| !self.calendar.holidays.contains(&date(*day)));
        let of_day = |day: i64| {
            let windows = self.windows.iter();
            let windows = windows.filter(move |w| w.weekdays.iter().any(|on| i64::from(*on) == weekday(day)));
            windows.map(move |window| window.offer(day, now))
        };
        let mut slots: Vec<SlotOffer> = days.flat_map(of_day).collect();
        slots.retain(|offer| !is_over(Moment { day: offer.slot.day, minute: offer.slot.from }, now));
        slots.sort_by_key(|offer| offer.slot);
        slots
    }

    /// What is offered of a slot, if it can be booked.
    pub fn offer(&self, slot: Slot, now: Moment) -> Option<SlotOffer> {
        self.slots(now).into_iter().find(|offer| offer.slot == slot && !offer.closed)
    }

    /// How many orders can be delivered in a slot, whether or not it can be booked.
    pub fn orders_in(&self, slot: Slot) -> Option<i64> {
        let window = self.windows.iter().find(|window| {
            (window.from, window.to) == (slot.from, slot.to)
                && window.weekdays.iter().any(|on| i64::from(*on) == weekday(slot.day))
        });
        window.map(|window| window.orders)
    }

    /// Rejects windows that begin at the same time on one day, since each is a slot of its own.
    pub fn check_windows(&self) -> Result<(), Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        if self.windows.len() > WINDOWS_MAX {
            faults.add("from", FieldCode::TooMany);
        }
        let clash = |window: &SlotWindow, other: &SlotWindow| {
            window.from < other.to
                && other.from < window.to
                && window.weekdays.iter().any(|day| other.weekdays.contains(day))
        };
        let mut windows = self.windows.as_slice();
        while let [window, others @ ..] = windows {
            if others.iter().any(|other| clash(window, other)) {
                faults.add("from", FieldCode::Overlaps);
                break;
            }
            windows = others;
        }
        faults.finish(())
    }

    /// The first day with a slot that can be booked. Whether it is full is not known here.
    fn first_slot(&self, now: Moment) -> Option<i64> {
        self.slots(now).iter().find(|offer| !offer.closed).map(|offer| offer.slot.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn inr(amount: i64) -> Money {
        Money::new(amount, Currency::INR)
    }

    fn method(by: PriceBy, steps: &[(Option<i64>, i64)]) -> Method {
        Method {
            method: ShippingMethod::Standard,
            name: String::new(),
            by,
            steps: steps.iter().map(|(up_to, price)| Step { up_to: *up_to, price: inr(*price) }).collect(),
            free_from: None,
            days: (2, 5),
        }
    }

    fn zone(n: u128, areas: &[&str]) -> Zone {
        let areas = areas.iter().map(|area| Area::parse(area).unwrap()).collect();
        let methods = vec![method(PriceBy::Flat, &[(None, n as i64)])];
        let (id, cash) = (ZoneId::from_uuid(Uuid::from_u128(n)), CashTerms::default());
        Zone { id, name: n.to_string(), areas, methods, cash }
    }

    #[test]
    fn prices_go_by_steps() {
        let parcel = |grams, subtotal, items| Parcel { grams, subtotal: inr(subtotal), items };
        let flat = method(PriceBy::Flat, &[(None, 4_900)]);
        let free = Method { free_from: Some(inr(50_000)), ..flat.clone() };
        let weight = method(PriceBy::Weight, &[(Some(500), 4_000), (Some(2_000), 7_000), (None, 12_000)]);
        let light = method(PriceBy::Weight, &[(Some(500), 4_000), (Some(2_000), 7_000)]);
        let light_free = Method { free_from: Some(inr(1)), ..light.clone() };
        let value = method(PriceBy::Value, &[(Some(99_999), 9_900), (None, 0)]);
        let items = method(PriceBy::Items, &[(Some(1), 3_000), (Some(3), 5_000), (None, 9_000)]);
        for (method, parcel, price) in [
            (&flat, parcel(0, 0, 1), Some(4_900)),
            (&flat, parcel(99_999, 9_999_999, 99), Some(4_900)),
            (&free, parcel(0, 49_999, 1), Some(4_900)),
            (&free, parcel(0, 50_000, 1), Some(0)),
            (&weight, parcel(0, 1, 1), Some(4_000)),
            (&weight, parcel(500, 1, 1), Some(4_000)),
            (&weight, parcel(501, 1, 1), Some(7_000)),
            (&weight, parcel(2_000, 1, 1), Some(7_000)),
            (&weight, parcel(2_001, 1, 1), Some(12_000)),
            (&light, parcel(2_000, 1, 1), Some(7_000)),
            (&light, parcel(2_001, 1, 1), None),
            // Free is what is offered, not what is too heavy.
            (&light_free, parcel(2_000, 1, 1), Some(0)),
            (&light_free, parcel(2_001, 1, 1), None),
            (&value, parcel(1, 99_999, 1), Some(9_900)),
            (&value, parcel(1, 100_000, 1), Some(0)),
            (&items, parcel(1, 1, 1), Some(3_000)),
            (&items, parcel(1, 1, 3), Some(5_000)),
            (&items, parcel(1, 1, 4), Some(9_000)),
        ] {
            assert_eq!(method.price(&parcel).map(Money::amount), price, "{method:?} {parcel:?}");
        }
    }

    #[test]
    fn the_most_exact_zone_wins() {
        let rules = ShippingRules {
            zones: vec![
                zone(1, &["*"]),
                zone(2, &["IN", "NP"]),
                zone(3, &["IN-MH", "IN-KA"]),
                zone(4, &["IN 400001-400104"]),
                zone(5, &["US-CA"]),
            ],
            ..ShippingRules::default()
        };
        for (country, region, postal_code, found) in [
            ("DE", "", "10115", 1),
            ("IN", "", "", 2),
            ("IN", "Kerala", "682036", 2),
            ("NP", "", "44600", 2),
            ("IN", "Maharashtra", "411001", 3),
            ("IN", "", "411001", 3),
            ("IN", "", "560001", 3),
            ("IN", "Maharashtra", "400 005", 4),
            ("US", "California", "94105", 5),
            ("US", "TX", "73301", 1),
            ("", "", "", 1),
        ] {
            let place = Place::new(country, region, postal_code);
            let zone = rules.zone(&place).unwrap();
            assert_eq!(zone.name, found.to_string(), "{place:?}");
        }
        let only = ShippingRules { zones: vec![zone(3, &["IN-MH"])], ..ShippingRules::default() };
        assert!(only.zone(&Place::new("IN", "", "")).is_some(), "the rest of the address may lie there");
        assert!(only.zone(&Place::new("IN", "Kerala", "")).is_none());
        assert!(only.zone(&Place::new("US", "", "")).is_none());
    }

    #[test]
    fn amounts_are_exchanged_and_nothing_becomes_free() {
        let eur: Currency = "EUR".parse().unwrap();
        let rate = Rate { numerator: 1, denominator: 90 };
        let mut rules = ShippingRules { zones: vec![zone(1, &["*"])], ..ShippingRules::default() };
        let by_value = Method {
            free_from: Some(inr(90_000)),
            ..method(PriceBy::Value, &[(Some(18_000), 9_000), (None, 0)])
        };
        let by_weight = method(PriceBy::Weight, &[(Some(500), 9_000)]);
        rules.zones[0].methods.extend([by_value, by_weight]);
        let there = rules.exchanged(rate, eur).unwrap();
        let [tiny, value, weight] = &there.zones[0].methods[..] else { panic!("{there:?}") };
        assert_eq!(tiny.steps[0].price, Money::new(1, eur), "₹0.01");
        assert_eq!(value.steps[0], Step { up_to: Some(200), price: Money::new(100, eur) });
        assert_eq!((value.steps[1].price.amount(), value.free_from), (0, Some(Money::new(1_000, eur))));
        assert_eq!(weight.steps[0], Step { up_to: Some(500), price: Money::new(100, eur) });
        let huge = Rate { numerator: i64::MAX, denominator: 1 };
        assert_eq!(rules.exchanged(huge, eur), None);
    }

    #[test]
    fn rules_are_stored_and_read_again() {
        let rules = ShippingRules::flat(zone(1, &[]).id, "Everywhere", inr(4_900), Some(inr(99_900)), (2, 5));
        let json = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<ShippingRules>(&json).unwrap(), rules);
        assert_eq!(serde_json::from_str::<ShippingRules>("{}").unwrap(), ShippingRules::default());
        let now = Moment { day: 20_784, minute: 0 };
        let parcel = Parcel { grams: 0, subtotal: inr(100), items: 1 };
        let [option] = &rules.options(&Place::new("DE", "", ""), &parcel, now)[..] else { panic!() };
        assert_eq!((option.price.amount(), option.days), (4_900, (2, 5)));
        assert_eq!(option.arrives, ("2026-11-29".into(), "2026-12-02".into()));
    }

    proptest! {
        /// The order of zones changes nothing, since areas of one kind never overlap.
        #[test]
        fn the_order_of_zones_is_of_no_importance(n in 0usize..5, code in 400_000u32..400_300, state in 0usize..4) {
            let mut zones = vec![
                zone(1, &["*"]), zone(2, &["IN"]), zone(3, &["IN-MH"]), zone(4, &["IN 400001-400104"]), zone(5, &["IN 4002*"]),
            ];
            let state = ["MH", "KL", "", "KA"][state];
            let place = Place::new("IN", state, &code.to_string());
            let rules = |zones| ShippingRules { zones, ..ShippingRules::default() };
            let before = rules(zones.clone()).zone(&place).map(|zone| zone.id);
            zones.rotate_left(n);
            prop_assert_eq!(rules(zones.clone()).zone(&place).map(|zone| zone.id), before);
            zones.reverse();
            prop_assert_eq!(rules(zones).zone(&place).map(|zone| zone.id), before);
        }
    }
}
