//! How a shop ships, for its members.

use haat_engine::shipping::{self, Change};
use haat_shared::{
    Currency, Error, FieldCode, FieldError, Money, Result,
    id::kinds::ZoneId,
    routes::*,
    shipping::{
        BasketForm, Calendar, CalendarForm, CashTerms, Method, MethodForm, PriceBy, ShippingMethod,
        ShippingPreview, ShippingSettings, SlotForm, SlotWindow, Step, Zone, ZoneForm,
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, IfMatch},
    reply::{Found, Version},
    shops::{Fee, Price, typed},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(
        API_SHIPPING,
        "Retrieves how a shop ships: its zones with their methods and prices, its working days, and its delivery slots.",
        find,
    )
    .on(
        API_SAVE_SHIPPING,
        "Replaces how a shop ships. Fails if the shop's settings have changed since the version in If-Match.",
        save,
    )
    .on(
        API_PREVIEW_SHIPPING,
        "Calculates what shipping of a basket would cost, and when it would arrive.",
        preview,
    )
}

/// How a shop ships.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShopShipping {
    /// When it sends orders, from which delivery dates are calculated.
    calendar: ShippingCalendar,
    /// Its zones. An address lies in the zone that names it most exactly; elsewhere, the shop doesn't ship.
    #[schema(max_items = 50)]
    zones: Vec<ShippingZone>,
    /// When it delivers orders with the method `slot`. Left out or null, they stay as they are.
    #[serde(default)]
    #[schema(max_items = 40)]
    slots: Option<Vec<SlotPattern>>,
}

/// A time of day at which a shop delivers orders. Those of one weekday don't overlap.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SlotPattern {
    /// The days of the week, from 1 for Monday to 7 for Sunday.
    #[schema(min_items = 1)]
    weekdays: Vec<u8>,
    /// When it begins, in the time zone of the shop: `18:00`.
    #[schema(format = "line", max_length = 5)]
    from: String,
    /// When it ends: `20:00`, at most `24:00`.
    #[schema(format = "line", max_length = 5)]
    to: String,
    /// How many orders can be delivered in it.
    #[schema(minimum = 1, maximum = 100000)]
    orders: i64,
    /// How many hours before it begins it can last be chosen and paid for.
    #[schema(minimum = 0, maximum = 336)]
    closes_hours: i64,
    /// What it costs besides the shipping method.
    #[schema(value_type = Fee)]
    extra: Money,
}

impl SlotPattern {
    fn of(window: SlotWindow) -> Self {
        let SlotForm { from, to, .. } = SlotForm::of(&window);
        let SlotWindow { weekdays, orders, closes, extra, .. } = window;
        Self { weekdays, from, to, orders, closes_hours: closes / 60, extra }
    }

    fn form(&self) -> SlotForm {
        SlotForm {
            days: on_days(&self.weekdays),
            from: self.from.clone(),
            to: self.to.clone(),
            orders: self.orders.to_string(),
            closes: self.closes_hours.to_string(),
            extra: typed(self.extra),
        }
    }
}

/// The weekdays of a form, from Monday.
fn on_days(days: &[u8]) -> [bool; 7] {
    std::array::from_fn(|day| days.iter().any(|on| usize::from(*on) == day + 1))
}

/// When a shop sends orders.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShippingCalendar {
    /// The working days between an order and its shipment.
    #[schema(minimum = 0, maximum = 60)]
    handling_days: i64,
    /// Later orders count as those of the next day: `14:00`. Null for midnight.
    cutoff: Option<String>,
    /// The working days of a week, from 1 for Monday to 7 for Sunday.
    #[schema(min_items = 1)]
    working_days: Vec<u8>,
    /// The dates on which it doesn't work: `2026-12-25`.
    #[serde(default)]
    #[schema(max_items = 200)]
    holidays: Vec<String>,
    /// The shop's time zone (IANA): `Asia/Kolkata`. Null for that of the marketplace.
    time_zone: Option<String>,
}

/// A part of the world, and how a shop ships there.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShippingZone {
    /// The zone's ID. Null for a new one.
    id: Option<ZoneId>,
    /// Its name, for the shop.
    #[schema(format = "line", max_length = 60)]
    name: String,
    /// Its areas: a country (`IN`), a state (`IN-MH`), postal codes (`IN 400001-400104`, `IN 56*`), or `*` for everywhere
    /// else. No other zone may have the same.
    #[schema(min_items = 1, max_items = 500)]
    areas: Vec<String>,
    /// The methods that are offered, each once.
    #[schema(min_items = 1, max_items = 4)]
    methods: Vec<ZoneMethod>,
    /// Whether orders there can be paid in cash.
    #[serde(default)]
    cash: CashTerms,
}

/// A shipping method of a zone.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ZoneMethod {
    /// The method.
    shipping_method: ShippingMethod,
    /// The shop's own name for it. May be empty.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 60)]
    name: String,
    /// What the price depends on.
    price_by: PriceBy,
    /// The steps of the price, in ascending order. A flat price has one.
    #[schema(min_items = 1, max_items = 30)]
    steps: Vec<PriceStep>,
    /// The value of the items from which it is free.
    #[schema(value_type = Option<Price>)]
    free_from: Option<Money>,
    /// The minimum number of working days on the way.
    #[schema(minimum = 0, maximum = 120)]
    days_min: i64,
    /// The maximum number of working days on the way.
    #[schema(minimum = 0, maximum = 120)]
    days_max: i64,
}

/// A step of a price.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PriceStep {
    /// Up to this weight in grams, value in minor units, or number of items. Null for all above, and for a flat price.
    #[schema(minimum = 0)]
    up_to: Option<i64>,
    /// The price.
    #[schema(value_type = Fee)]
    price: Money,
}

impl ZoneMethod {
    fn of(method: Method) -> Self {
        let Method { method: shipping_method, name, by: price_by, steps, free_from, days } = method;
        let steps = steps.into_iter().map(|Step { up_to, price }| PriceStep { up_to, price }).collect();
        Self { shipping_method, name, price_by, steps, free_from, days_min: days.0, days_max: days.1 }
    }

    fn form(&self, currency: Currency) -> MethodForm {
        let measure = |measure: i64| match self.price_by {
            PriceBy::Weight => format!("{}.{:03}", measure / 1_000, measure % 1_000),
            PriceBy::Value => Money::new(measure, currency).plain(),
            PriceBy::Flat | PriceBy::Items => measure.to_string(),
        };
        let line = |step: &PriceStep| match (self.price_by, step.up_to) {
            (PriceBy::Flat, None) => typed(step.price),
            (_, None) => format!("*: {}", typed(step.price)),
            (_, Some(up_to)) => format!("{}: {}", measure(up_to), typed(step.price)),
        };
        MethodForm {
            offered: true,
            name: self.name.clone(),
            by: self.price_by.as_str().to_owned(),
            rates: self.steps.iter().map(line).collect::<Vec<_>>().join("\n"),
            free_from: self.free_from.map(typed).unwrap_or_default(),
            days_min: self.days_min.to_string(),
            days_max: self.days_max.to_string(),
        }
    }
}

impl ShopShipping {
    fn of(settings: ShippingSettings) -> Self {
        let Calendar { handling_days, cutoff, working_days, holidays, time_zone } = settings.rules.calendar;
        let cutoff = cutoff.map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60));
        let time_zone = Some(time_zone).filter(|zone| !zone.is_empty());
        let zone = |Zone { id, name, areas, methods, cash }| ShippingZone {
            id: Some(id),
            name,
            areas: areas.iter().map(ToString::to_string).collect(),
            methods: methods.into_iter().map(ZoneMethod::of).collect(),
            cash,
        };
        Self {
            calendar: ShippingCalendar { handling_days, cutoff, working_days, holidays, time_zone },
            zones: settings.rules.zones.into_iter().map(zone).collect(),
            slots: Some(settings.rules.windows.into_iter().map(SlotPattern::of).collect()),
        }
    }

    fn change(&self, currency: Currency) -> Result<Change> {
        let mut faults = Vec::new();
        for (n, zone) in self.zones.iter().enumerate() {
            let mut methods: Vec<&str> =
                zone.methods.iter().map(|method| method.shipping_method.as_str()).collect();
            methods.sort_unstable();
            if methods.windows(2).any(|two| two[0] == two[1]) {
                faults.push(FieldError::new(format!("zones.{n}.methods"), FieldCode::NotUnique));
            }
            for (m, method) in zone.methods.iter().enumerate() {
                if !ShippingMethod::OFFERED.contains(&method.shipping_method) {
                    let field = format!("zones.{n}.methods.{m}.shipping_method");
                    faults.push(FieldError::new(field, FieldCode::NotAChoice));
                }
            }
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let calendar = CalendarForm {
            handling_days: self.calendar.handling_days.to_string(),
            cutoff: self.calendar.cutoff.clone().unwrap_or_default(),
            works: on_days(&self.calendar.working_days),
            holidays: self.calendar.holidays.join("\n"),
            time_zone: self.calendar.time_zone.clone().unwrap_or_default(),
        };
        let zone = |zone: &ShippingZone| {
            let method = |of: ShippingMethod| {
                let found = zone.methods.iter().find(|method| method.shipping_method == of);
                found.map(|method| method.form(currency)).unwrap_or_default()
            };
            let methods = ShippingMethod::OFFERED.map(method);
            let form = ZoneForm {
                name: zone.name.clone(),
                areas: zone.areas.join("\n"),
                methods,
                no_cash: zone.cash.refused,
                cash_max: zone.cash.most.map(typed).unwrap_or_default(),
            };
            (zone.id, form)
        };
        let slots = self.slots.as_ref().map(|slots| slots.iter().map(SlotPattern::form).collect());
        Ok(Change::All(calendar, self.zones.iter().map(zone).collect(), slots))
    }
}

async fn find(context: RequestContext, At(handle): At<String>) -> Result<Version<ShopShipping>> {
    let settings = shipping::settings(context.engine(), &context.caller, &handle).await?;
    Ok(Version(settings.version, ShopShipping::of(settings)))
}

async fn save(
    context: RequestContext,
    (At(handle), Body(new), IfMatch(version)): (At<String>, Body<ShopShipping>, IfMatch),
) -> Result<Version<ShopShipping>> {
    let currency = shipping::settings(context.engine(), &context.caller, &handle).await?.currency;
    shipping::save(context.engine(), &context.caller, &handle, version, &new.change(currency)?).await?;
    find(context, At(handle)).await
}

/// A basket that is to be shipped somewhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShippingBasket {
    /// The country's code (ISO 3166-1).
    #[schema(format = "line", max_length = 2)]
    country: String,
    /// The state or province.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    region: String,
    /// The postal code.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 20)]
    postal_code: String,
    /// The price of the items.
    #[schema(value_type = Fee)]
    value: Money,
    /// Their weight in grams.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100000000)]
    weight_grams: i64,
    /// The number of items.
    #[schema(minimum = 1, maximum = 10000)]
    items: i64,
}

async fn preview(
    context: RequestContext,
    (At(handle), Body(basket)): (At<String>, Body<ShippingBasket>),
) -> Result<Found<ShippingPreview>> {
    if basket.weight_grams < 0 {
        return Err(Error::field("weight_grams", FieldCode::TooSmall));
    }
    let form = BasketForm {
        country: basket.country,
        region: basket.region,
        postal_code: basket.postal_code,
        value: typed(basket.value),
        weight: format!("{}.{:03}", basket.weight_grams / 1_000, basket.weight_grams % 1_000),
        items: basket.items.to_string(),
    };
    let named = |fault: FieldError| match fault.field.as_str() {
        "weight" => FieldError::new("weight_grams", fault.code),
        _ => fault,
    };
    match shipping::preview(context.engine(), &context.caller, &handle, &form, None).await {
        Err(Error::Invalid(faults)) => Err(Error::Invalid(faults.into_iter().map(named).collect())),
        found => found.map(Found),
    }
}
