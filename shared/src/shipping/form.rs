//! How sellers type what they ship where.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Area, BookedSlot, Calendar, CashTerms, Method, Parcel, Place, PriceBy, ShippingMethod, ShippingOption,
    ShippingRules, Step, Zone,
    calendar::{clock, minute},
    date,
};
use crate::{
    amounts,
    field::{FieldCode, FieldError, ValidationErrors},
    id::kinds::ZoneId,
    money::{Currency, Money},
    number::{self, Notation},
    text,
};

/// The maximum number of zones of a shop.
pub const ZONES_MAX: usize = 50;
/// The maximum number of areas of a zone.
pub const AREAS_MAX: usize = 500;
/// The maximum number of steps of a price.
const STEPS_MAX: usize = 30;
/// The maximum number of characters of a zone's name, and of a method's.
const NAME_MAX: usize = 60;
/// The maximum number of days on the way.
const DAYS_MAX: i64 = 120;
/// The maximum number of handling days.
const HANDLING_MAX: i64 = 60;
/// The maximum number of holidays.
pub const HOLIDAYS_MAX: usize = 200;
/// The heaviest step in grams: 100 t.
const GRAMS_MAX: i64 = 100_000_000;
/// The maximum number of items, and the value and weight, of a basket that is tried.
pub const BASKET_MAX: i64 = 10_000;

/// A method of a zone, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MethodForm {
    /// Whether it is offered.
    pub offered: bool,
    /// The shop's own name for it. May be empty.
    pub name: String,
    /// What the price depends on.
    pub by: String,
    /// The price; or a line for each step: `0.5: 40`, `2: 70`, `*: 120`.
    pub rates: String,
    /// The value from which it is free. May be empty.
    pub free_from: String,
    /// The minimum number of working days on the way.
    pub days_min: String,
    /// The maximum.
    pub days_max: String,
}

/// A zone, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ZoneForm {
    /// The name.
    pub name: String,
    /// The areas, one a line.
    pub areas: String,
    /// Standard shipping, express shipping, local pickup and slots.
    pub methods: [MethodForm; 4],
    /// Whether the shop takes no cash there.
    pub no_cash: bool,
    /// The price of the items up to which it takes cash. May be empty.
    pub cash_max: String,
}

/// When a shop sends orders, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CalendarForm {
    /// The number of handling days.
    pub handling_days: String,
    /// The time from which orders count as those of the next day: `14:00`. May be empty.
    pub cutoff: String,
    /// Whether it works on each day of the week, from Monday.
    pub works: [bool; 7],
    /// The holidays, one date a line.
    pub holidays: String,
    /// The name of the time zone. May be empty.
    pub time_zone: String,
}

/// How a shop ships, as its dashboard shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingSettings {
    /// The version of the shop's settings, which must be sent when saving.
    pub version: i64,
    /// The shop's currency.
    pub currency: Currency,
    /// The market's country.
    pub home: String,
    /// Its rules.
    pub rules: ShippingRules,
    /// The slots that have orders, from today on.
    pub booked: Vec<BookedSlot>,
}

/// A basket that a seller tries the rules with, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BasketForm {
    /// The country's code.
    pub country: String,
    /// The state or province. May be empty.
    pub region: String,
    /// The postal code. May be empty.
    pub postal_code: String,
    /// The price of the items.
    pub value: String,
    /// Their weight in kilograms. May be empty.
    pub weight: String,
    /// The number of items. One if empty.
    pub items: String,
}

/// What shipping of a basket would cost, and when it would arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShippingPreview {
    /// The name of the zone. Null if the shop doesn't ship there.
    pub zone: Option<String>,
    /// The methods that are offered; empty if it can't be shipped.
    pub options: Vec<ShippingOption>,
}

/// A weight in grams from kilograms, as people write them.
pub(crate) fn grams(field: &str, typed: &str) -> Result<i64, FieldError> {
    let plain: String = typed.chars().map(text::plain).collect();
    let typed = plain.trim().trim_end_matches("kg").trim_end();
    if typed.is_empty() {
        return Err(FieldError::new(field, FieldCode::Missing));
    }
    match number::exact(typed, 3, Notation::Form) {
        Ok(grams) if grams > GRAMS_MAX => Err(FieldError::new(field, FieldCode::TooBig)),
        Ok(grams) => Ok(grams),
        Err(FieldCode::TooManyDecimals | FieldCode::NotNumber) => {
            Err(FieldError::new(field, FieldCode::NotDecimal(3)))
        }
        Err(code) => Err(FieldError::new(field, code)),
    }
}

/// A weight in kilograms: `0.5`.
pub(crate) fn kilograms(grams: i64) -> String {
    let text = format!("{}.{:03}", grams / 1_000, grams % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl MethodForm {
    /// The method, from the fields with these names.
    fn read(of: ShippingMethod, field: &impl Fn(&str) -> String) -> Self {
        let part = |part: &str| field(&format!("{}.{part}", of.as_str()));
        Self {
            offered: part("offered") == "true",
            name: part("name"),
            by: part("by"),
            rates: part("rates"),
            free_from: part("free_from"),
            days_min: part("days_min"),
            days_max: part("days_max"),
        }
    }

    fn of(method: &Method) -> Self {
        let measure = |measure: i64| match method.by {
            PriceBy::Weight => kilograms(measure),
            PriceBy::Value => {
                let currency = method.steps.first().map(|step| step.price.currency());
                currency.map(|currency| Money::new(measure, currency).plain()).unwrap_or_default()
            }
            PriceBy::Flat | PriceBy::Items => measure.to_string(),
        };
        let line = |step: &Step| match (method.by, step.up_to) {
            (PriceBy::Flat, _) => step.price.plain(),
            (_, Some(up_to)) => format!("{}: {}", measure(up_to), step.price.plain()),
            (_, None) => format!("*: {}", step.price.plain()),
        };
        Self {
            offered: true,
            name: method.name.clone(),
            by: method.by.as_str().to_owned(),
            rates: method.steps.iter().map(line).collect::<Vec<_>>().join("\n"),
            free_from: method.free_from.map(Money::plain).unwrap_or_default(),
            days_min: method.days.0.to_string(),
            days_max: method.days.1.to_string(),
        }
    }

    /// The method at `at`, if it is offered.
    fn check(
        &self,
        of: ShippingMethod,
        at: &str,
        currency: Currency,
        faults: &mut ValidationErrors,
    ) -> Option<Method> {
        if !self.offered {
            return None;
        }
        let at = |part: &str| format!("{at}{}.{part}", of.as_str());
        let by = PriceBy::parse(&self.by).or(self.by.is_empty().then_some(PriceBy::Flat));
        let by = faults.take(by.ok_or(FieldError::new(at("by"), FieldCode::NotAChoice)));
        let steps = faults.take(steps(&at("rates"), &self.rates, by, currency));
        let free_from = match self.free_from.trim() {
            "" => None,
            typed => match amounts::read(&at("free_from"), typed, currency) {
                Ok(from) if from.amount() == 0 => {
                    faults.add(at("free_from"), FieldCode::TooSmall);
                    None
                }
                read => faults.take_or(read.map(Some), None),
            },
        };
        let days = match of {
            // The customer chooses.
            ShippingMethod::Slot => (0, 0),
            _ => {
                let min = faults.take(text::whole_number(&at("days_min"), &self.days_min, 0, DAYS_MAX));
                (min, faults.take(text::whole_number(&at("days_max"), &self.days_max, min, DAYS_MAX)))
            }
        };
        let name = faults.take(text::optional_line(&at("name"), &self.name, NAME_MAX));
        Some(Method { method: of, name, by, steps, free_from, days })
    }
}

/// The steps of a price, from its lines.
fn steps(field: &str, typed: &str, by: PriceBy, currency: Currency) -> Result<Vec<Step>, FieldError> {
    let fault = |code| FieldError::new(field, code);
    let lines: Vec<&str> = typed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let price = |typed: &str| amounts::read(field, typed, currency);
    match lines.as_slice() {
        [] => return Err(fault(FieldCode::Missing)),
        [only] if by == PriceBy::Flat => return Ok(vec![Step { up_to: None, price: price(only)? }]),
        _ if by == PriceBy::Flat => return Err(fault(FieldCode::NotMoney)),
        lines if lines.len() > STEPS_MAX => return Err(fault(FieldCode::TooMany)),
        _ => {}
    }
    let mut steps: Vec<Step> = Vec::new();
    for line in lines {
        let (measure, amount) = line.split_once(':').ok_or(fault(FieldCode::NotSteps))?;
        let up_to = match (measure.trim(), by) {
            ("*", _) => None,
            (typed, PriceBy::Weight) => Some(grams(field, typed).map_err(|_| fault(FieldCode::NotSteps))?),
            (typed, PriceBy::Value) => {
                let value = amounts::read(field, typed, currency).map_err(|_| fault(FieldCode::NotSteps))?;
                Some(value.amount())
            }
            (typed, _) => {
                let items = text::whole_number(field, typed, 1, i64::MAX);
                Some(items.map_err(|_| fault(FieldCode::NotSteps))?)
            }
        };
        // Ascending, and nothing after the step without an end.
        let ascends = match steps.last().map(|last| last.up_to) {
            None => true,
            Some(None) => false,
            Some(Some(last)) => up_to.is_none_or(|up_to| up_to > last),
        };
        if !ascends {
            return Err(fault(FieldCode::NotSteps));
        }
        steps.push(Step { up_to, price: price(amount)? });
    }
    Ok(steps)
}

impl ZoneForm {
    /// A zone that is to be added.
    pub fn new() -> Self {
        let method = |offered, min: &str, max: &str| MethodForm {
            offered,
            by: PriceBy::Flat.as_str().to_owned(),
            days_min: min.to_owned(),
            days_max: max.to_owned(),
            ..MethodForm::default()
        };
        let methods = [
            method(true, "2", "5"),
            method(false, "1", "2"),
            method(false, "0", "1"),
            method(false, "0", "0"),
        ];
        Self { methods, ..Self::default() }
    }

    /// The form from its submitted fields by name.
    pub fn read(field: impl Fn(&str) -> String) -> Self {
        Self {
            name: field("name"),
            areas: field("areas"),
            methods: ShippingMethod::OFFERED.map(|method| MethodForm::read(method, &field)),
            no_cash: field("no_cash") == "true",
            cash_max: field("cash_max"),
        }
    }

    /// The form of a zone.
    pub fn of(zone: &Zone) -> Self {
        let method = |of: ShippingMethod| {
            let found = zone.methods.iter().find(|method| method.method == of);
            let [standard, express, pickup, slot] = Self::new().methods;
            found.map(MethodForm::of).unwrap_or(MethodForm {
                offered: false,
                ..match of {
                    ShippingMethod::Standard | ShippingMethod::Appointment => standard,
                    ShippingMethod::Express => express,
                    ShippingMethod::Pickup => pickup,
                    ShippingMethod::Slot => slot,
                }
            })
        };
        let areas: Vec<String> = zone.areas.iter().map(Area::to_string).collect();
        Self {
            name: zone.name.clone(),
            areas: areas.join("\n"),
            methods: ShippingMethod::OFFERED.map(method),
            no_cash: zone.cash.refused,
            cash_max: zone.cash.most.map(|most| most.plain()).unwrap_or_default(),
        }
    }

    /// The areas, with the lines that are none.
    pub fn areas(&self) -> Vec<Result<Area, FieldCode>> {
        let lines = self.areas.split(['\n', ',', ';']).map(str::trim).filter(|line| !line.is_empty());
        lines.map(Area::parse).collect()
    }

    /// The validated zone, or all errors. Their fields begin with `at`.
    pub fn check(&self, id: ZoneId, at: &str, currency: Currency) -> Result<Zone, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let name = faults.take(text::line(&format!("{at}name"), &self.name, NAME_MAX));
        let mut areas: Vec<Area> = Vec::new();
        let mut wrong = None;
        for area in self.areas() {
            match area {
                Ok(area) if areas.iter().any(|other| other.overlaps(&area)) => {
                    wrong = wrong.or(Some(FieldCode::NotUnique));
                }
                Ok(area) => areas.push(area),
                Err(code) => wrong = wrong.or(Some(code)),
            }
        }
        let empty = areas.is_empty().then_some(FieldCode::Missing);
        let many = (areas.len() > AREAS_MAX).then_some(FieldCode::TooMany);
        if let Some(code) = wrong.or(empty).or(many) {
            faults.add(format!("{at}areas"), code);
        }
        let methods = ShippingMethod::OFFERED.into_iter().zip(&self.methods);
        let methods: Vec<Method> =
            methods.filter_map(|(of, form)| form.check(of, at, currency, &mut faults)).collect();
        // Where a shop ships by no method, it has no zone.
        if methods.is_empty() {
            faults.add(format!("{at}methods"), FieldCode::Missing);
        }
        let field = format!("{at}cash_max");
        let most = match self.cash_max.trim() {
            "" => None,
            typed => match amounts::read(&field, typed, currency) {
                Ok(most) if most.amount() > 0 => Some(most),
                Ok(_) => {
                    faults.add(field, FieldCode::TooSmall);
                    None
                }
                Err(fault) => {
                    faults.add(fault.field, fault.code);
                    None
                }
            },
        };
        let cash = CashTerms { refused: self.no_cash, most };
        faults.finish(Zone { id, name, areas, methods, cash })
    }
}

/// What a zone shares with another one, if it does: the area and the other zone.
pub fn without_overlap<'a>(
    areas: &[Area],
    others: &'a [Zone],
    id: Option<ZoneId>,
) -> Result<(), (Area, &'a Zone)> {
    let others = others.iter().filter(|other| Some(other.id) != id);
    for other in others {
        let shared = areas.iter().find(|area| other.areas.iter().any(|of_other| area.overlaps(of_other)));
        if let Some(shared) = shared {
            return Err((shared.clone(), other));
        }
    }
    Ok(())
}

impl ShippingRules {
    /// Rejects zones that overlap, or have the same name, at the fields of the form of each: `at` is what they begin with.
    pub fn check(&self, at: impl Fn(usize) -> String) -> Result<(), Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        if self.zones.len() > ZONES_MAX {
            faults.add("zones", FieldCode::TooMany);
        }
        let mut names = BTreeSet::new();
        for (n, zone) in self.zones.iter().enumerate() {
            if !names.insert(text::fold(&zone.name)) {
                faults.add(format!("{}name", at(n)), FieldCode::NotUnique);
            }
            let before = self.zones.get(..n).unwrap_or_default();
            if without_overlap(&zone.areas, before, None).is_err() {
                faults.add(format!("{}areas", at(n)), FieldCode::Overlaps);
            }
        }
        faults.finish(())
    }
}

impl CalendarForm {
    /// The form from its submitted fields by name.
    pub fn read(field: impl Fn(&str) -> String) -> Self {
        Self {
            handling_days: field("handling_days"),
            cutoff: field("cutoff"),
            works: std::array::from_fn(|day| field(&format!("works.{}", day + 1)) == "true"),
            holidays: field("holidays"),
            time_zone: field("time_zone"),
        }
    }

    /// The form of a calendar.
    pub fn of(calendar: &Calendar) -> Self {
        let cutoff = calendar.cutoff.map(clock);
        Self {
            handling_days: calendar.handling_days.to_string(),
            cutoff: cutoff.unwrap_or_default(),
            works: std::array::from_fn(|day| {
                calendar.working_days.iter().any(|working| usize::from(*working) == day + 1)
            }),
            holidays: calendar.holidays.join("\n"),
            time_zone: calendar.time_zone.clone(),
        }
    }

    /// The validated calendar, or all errors. Whether there is such a time zone is left to the server.
    pub fn check(&self, at: &str) -> Result<Calendar, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let at = |field: &str| format!("{at}{field}");
        let working_days = (1..=7).zip(self.works).filter(|(_, works)| *works).map(|(day, _)| day).collect();
        if !self.works.contains(&true) {
            faults.add(at("works"), FieldCode::Missing);
        }
        let mut holidays = BTreeSet::new();
        for line in self.holidays.split(['\n', ',', ';']).map(str::trim).filter(|line| !line.is_empty()) {
            match text::day(line) {
                Some(day) => drop(holidays.insert(day)),
                None => {
                    faults.add(at("holidays"), FieldCode::NotDate);
                    break;
                }
            }
        }
        if holidays.len() > HOLIDAYS_MAX {
            faults.add(at("holidays"), FieldCode::TooMany);
        }
        let calendar = Calendar {
            handling_days: faults.take(text::whole_number(
                &at("handling_days"),
                &self.handling_days,
                0,
                HANDLING_MAX,
            )),
            cutoff: faults.take(minute(&at("cutoff"), &self.cutoff)),
            working_days,
            holidays: holidays.into_iter().map(date).collect(),
            time_zone: self.time_zone.trim().to_owned(),
        };
        faults.finish(calendar)
    }
}

impl BasketForm {
    /// The place and the parcel, or all errors.
    pub fn check(&self, currency: Currency) -> Result<(Place, Parcel), Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let or = |typed: &str, otherwise: &str| {
            let typed = typed.trim();
            if typed.is_empty() { otherwise.to_owned() } else { typed.to_owned() }
        };
        let place = Place::new(&self.country, &self.region, &self.postal_code);
        if place.country().is_empty() {
            faults.add("country", FieldCode::NotAChoice);
        }
        let parcel = Parcel {
            subtotal: faults
                .take_or(amounts::read("value", &or(&self.value, "0"), currency), Money::zero(currency)),
            grams: faults.take(grams("weight", &or(&self.weight, "0"))),
            items: faults.take(text::whole_number("items", &or(&self.items, "1"), 1, BASKET_MAX)),
        };
        faults.finish((place, parcel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const INR: Currency = Currency::INR;

    fn id(n: u128) -> ZoneId {
        ZoneId::from_uuid(Uuid::from_u128(n))
    }

    fn form(by: &str, rates: &str) -> ZoneForm {
        let mut form = ZoneForm { name: "India".into(), areas: "IN\nNP".into(), ..ZoneForm::new() };
        (form.methods[0].by, form.methods[0].rates) = (by.into(), rates.into());
        form
    }

    fn faults(form: &ZoneForm) -> Vec<(String, FieldCode)> {
        let faults = form.check(id(1), "", INR).err().unwrap_or_default();
        faults.into_iter().map(|fault| (fault.field, fault.code)).collect()
    }

    #[test]
    fn zones_are_read_and_typed_again_the_same() {
        for (by, rates) in [
            ("flat", "49.00"),
            ("weight", "0.5: 40.00\n2: 70.00\n*: 120.00"),
            ("value", "999.99: 99.00\n*: 0.00"),
            ("items", "1: 30.00\n3: 50.00"),
        ] {
            let mut typed = form(by, rates);
            typed.methods[0].free_from = "999.00".into();
            typed.methods[1] = MethodForm {
                offered: true,
                name: "Courier".into(),
                rates: "99.00".into(),
                ..typed.methods[1].clone()
            };
            let zone = typed.check(id(1), "", INR).unwrap();
            assert_eq!(ZoneForm::of(&zone), typed);
            assert_eq!(zone.methods.len(), 2);
        }
        let zone = form("weight", " 0,5 kg : ₹40 \n\n2kg: 70").check(id(1), "", INR).unwrap();
        let steps: Vec<_> = zone.methods[0].steps.iter().map(|s| (s.up_to, s.price.amount())).collect();
        assert_eq!(steps, [(Some(500), 4_000), (Some(2_000), 7_000)]);
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        for (by, rates, code) in [
            ("flat", "", FieldCode::Missing),
            ("flat", "soon", FieldCode::NotMoney),
            ("flat", "49\n50", FieldCode::NotMoney),
            ("weight", "49", FieldCode::NotSteps),
            ("weight", "2: 49\n1: 50", FieldCode::NotSteps),
            ("weight", "1: 49\n1: 50", FieldCode::NotSteps),
            ("weight", "*: 49\n1: 50", FieldCode::NotSteps),
            ("weight", "1.2345: 49", FieldCode::NotSteps),
            ("items", "0: 49", FieldCode::NotSteps),
            ("items", "1: -4", FieldCode::TooSmall),
        ] {
            assert_eq!(faults(&form(by, rates)), [("standard.rates".to_owned(), code)], "{by} {rates}");
        }
        let good = form("flat", "49");
        for (field, code, change) in [
            ("areas", FieldCode::Missing, (|f| f.areas = " ".into()) as fn(&mut ZoneForm)),
            ("areas", FieldCode::NotAChoice, |f| f.areas = "IN\nIndia".into()),
            ("areas", FieldCode::NotPostalCode, |f| f.areas = "IN 12345678901".into()),
            ("areas", FieldCode::NotAfterStart, |f| f.areas = "IN 560100-560001".into()),
            ("areas", FieldCode::NotAfterStart, |f| f.areas = "IN 560100 – 560001".into()),
            ("areas", FieldCode::NotUnique, |f| f.areas = "IN 40*\nIN 400001".into()),
            ("name", FieldCode::Missing, |f| f.name = String::new()),
            ("standard.by", FieldCode::NotAChoice, |f| f.methods[0].by = "mood".into()),
            ("standard.free_from", FieldCode::TooSmall, |f| f.methods[0].free_from = "0".into()),
            ("standard.days_max", FieldCode::TooSmall, |f| f.methods[0].days_max = "1".into()),
            ("express.rates", FieldCode::Missing, |f| f.methods[1].offered = true),
            ("methods", FieldCode::Missing, |f| f.methods[0].offered = false),
        ] {
            let mut bad = good.clone();
            change(&mut bad);
            assert_eq!(faults(&bad), [(field.to_owned(), code)], "{field}");
        }
        assert_eq!(faults(&good), []);
    }

    #[test]
    fn overlapping_zones_are_named() {
        let zone = |n, name: &str, areas: &str| {
            ZoneForm { name: name.into(), areas: areas.into(), ..form("flat", "49") }
                .check(id(n), "", INR)
                .unwrap()
        };
        let zones = vec![zone(1, "India", "IN"), zone(2, "Mumbai", "IN 400001-400104"), zone(3, "Rest", "*")];
        let check = |zones: Vec<Zone>| {
            let rules = ShippingRules { zones, ..ShippingRules::default() };
            let faults = rules.check(|n| format!("zones.{n}.")).err().unwrap_or_default();
            faults.into_iter().map(|fault| (fault.field, fault.code)).collect::<Vec<_>>()
        };
        assert_eq!(check(zones.clone()), []);
        for (name, areas, fault) in [
            ("New", "IN-MH\nNP", None),
            ("New", "NP, IN", Some(("zones.3.areas", FieldCode::Overlaps))),
            ("New", "IN 4000*", Some(("zones.3.areas", FieldCode::Overlaps))),
            ("New", "*", Some(("zones.3.areas", FieldCode::Overlaps))),
            (" mumbai", "NP", Some(("zones.3.name", FieldCode::NotUnique))),
        ] {
            let new = zone(4, name, areas);
            let wrong = check(zones.iter().cloned().chain([new]).collect());
            let fault = fault.map(|(field, code)| (field.to_owned(), code));
            assert_eq!(wrong, fault.into_iter().collect::<Vec<_>>(), "{name} {areas}");
        }
        let new = zone(4, "New", "NP\nIN 400104");
        let (area, other) = without_overlap(&new.areas, &zones, None).unwrap_err();
        assert_eq!((area.to_string().as_str(), other.name.as_str()), ("IN 400104*", "Mumbai"));
        assert!(without_overlap(&zones[1].areas, &zones, Some(id(2))).is_ok(), "not with itself");
    }

    #[test]
    fn calendars_are_read_and_typed_again_the_same() {
        let typed = CalendarForm {
            handling_days: "1".into(),
            cutoff: "14:30".into(),
            works: [true, true, true, true, true, false, false],
            holidays: "2026-12-25\n2027-01-26".into(),
            time_zone: "Asia/Kolkata".into(),
        };
        let calendar = typed.check("").unwrap();
        assert_eq!((calendar.cutoff, calendar.working_days.as_slice()), (Some(870), &[1, 2, 3, 4, 5][..]));
        assert_eq!(CalendarForm::of(&calendar), typed);
        assert_eq!(CalendarForm::of(&Calendar::default()).check("").unwrap(), Calendar::default());
        for (field, code, bad) in [
            (
                "handling_days",
                FieldCode::TooBig,
                CalendarForm { handling_days: "61".into(), ..typed.clone() },
            ),
            ("cutoff", FieldCode::NotTime, CalendarForm { cutoff: "24:00".into(), ..typed.clone() }),
            ("cutoff", FieldCode::NotTime, CalendarForm { cutoff: "2 pm".into(), ..typed.clone() }),
            ("works", FieldCode::Missing, CalendarForm { works: [false; 7], ..typed.clone() }),
            ("holidays", FieldCode::NotDate, CalendarForm { holidays: "25 Dec".into(), ..typed.clone() }),
        ] {
            let faults = bad.check("").unwrap_err();
            assert_eq!(faults, [FieldError::new(field, code)]);
        }
    }
}
