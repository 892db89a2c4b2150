//! Delivery slots: the times at which a shop delivers, how many orders it can deliver in each, and until when one can be
//! booked. What is listed is what can be booked and paid: [`super::ShippingRules`] decides for all of them.
//!
//! Slots are times of day in the shop's time zone, and so are their cut-offs: a slot from 18:00 that closes two hours before
//! closes at 16:00, whatever the clocks do in between.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    Moment,
    calendar::{clock, minute},
    date,
};
use crate::{
    amounts,
    field::{FieldCode, FieldError, ValidationErrors},
    money::{Currency, Money, Rate, convert_price},
    text,
};

/// For so many days, counting today, slots are offered.
pub const SLOT_DAYS: i64 = 14;
/// The maximum number of windows of a shop.
pub const WINDOWS_MAX: usize = 40;
/// The maximum number of orders in a slot.
const ORDERS_MAX: i64 = 100_000;
/// The maximum number of hours before a slot at which it closes.
const CLOSES_MAX: i64 = 14 * 24;

const DAY: i64 = 24 * 60;

/// A time at which an order is delivered, as it is stored and sent: `2026-12-03T18:00/20:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The day, counted from 1970-01-01.
    pub day: i64,
    /// The minute of the day at which it begins.
    pub from: i64,
    /// The minute of the day at which it ends.
    pub to: i64,
}

/// A time of day, on certain days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotWindow {
    /// The days of the week, from 1 for Monday to 7 for Sunday.
    pub weekdays: Vec<u8>,
    /// The minute of the day at which it begins.
    pub from: i64,
    /// The minute of the day at which it ends, at most 1,440.
    pub to: i64,
    /// How many orders can be delivered in it on each day.
    pub orders: i64,
    /// How many minutes before it begins it can last be booked.
    pub closes: i64,
    /// What it costs besides the shipping method.
    pub extra: Money,
}

/// What a shop offers of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotOffer {
    /// The slot.
    pub slot: Slot,
    /// How many orders can be delivered in it.
    pub orders: i64,
    /// When it closes, in the shop's time zone.
    pub closes: Moment,
    /// What it costs besides the shipping method.
    pub extra: Money,
    /// Whether it is too late to book it.
    pub closed: bool,
}

text_enum! {
    /// Whether a slot can be booked.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum SlotState {
        /// It can be booked.
        Open = "open",
        /// Everything is booked.
        Full = "full",
        /// It is too late.
        Closed = "closed",
    }
}

/// A slot, as offered at checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlotView {
    /// The slot in the shop's time zone, by which it is booked: `2026-12-03T18:00/20:00`.
    pub slot: Slot,
    /// What it costs besides the shipping method.
    pub extra: Money,
    /// Whether it can be booked.
    pub state: SlotState,
}

/// A slot that has orders, for the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BookedSlot {
    /// The slot in the shop's time zone.
    pub slot: Slot,
    /// The number of orders to deliver.
    pub booked: i64,
    /// How many can be delivered.
    pub orders: i64,
}

impl Slot {
    /// The date: `2026-12-03`.
    pub fn date(&self) -> String {
        date(self.day)
    }

    /// From when until when: `18:00–20:00`.
    pub fn hours(&self) -> String {
        format!("{}–{}", clock(self.from), clock(self.to))
    }

    /// When it begins, as a time in the shop's time zone: `2026-12-03T18:00`.
    pub fn begins(&self) -> String {
        format!("{}T{}", self.date(), clock(self.from))
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.begins(), clock(self.to))
    }
}

/// The text is no slot.
#[derive(Debug, PartialEq, Eq)]
pub struct NoSlot;

impl FromStr for Slot {
    type Err = NoSlot;

    fn from_str(written: &str) -> Result<Self, NoSlot> {
        let read = || {
            let (day, hours) = written.split_once('T')?;
            let (from, to) = hours.split_once('/')?;
            let slot = Self { day: text::day(day)?, from: self::time(from)?, to: self::time(to)? };
            (slot.from < slot.to).then_some(slot)
        };
        read().ok_or(NoSlot)
    }
}

/// The minute of a time of day; the day ends with `24:00`.
fn time(written: &str) -> Option<i64> {
    match written {
        "24:00" => Some(DAY),
        _ => minute("", written).ok()?,
    }
}

impl Serialize for Slot {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = String::deserialize(from)?;
        written.parse().map_err(|NoSlot| de::Error::custom("not a slot such as 2026-12-03T18:00/20:00"))
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Slot {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some(
                "A day and hours of it, in the time zone of the shop: `2026-12-03T18:00/20:00`.",
            ))
            .build()
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Slot {}

/// Whether a moment has come.
pub(super) fn is_over(moment: Moment, now: Moment) -> bool {
    (moment.day, moment.minute) <= (now.day, now.minute)
}

impl SlotWindow {
    /// What is offered of it on a day.
    pub(super) fn offer(&self, day: i64, now: Moment) -> SlotOffer {
        let closes = day.saturating_mul(DAY) + self.from - self.closes;
        let closes = Moment { day: closes.div_euclid(DAY), minute: closes.rem_euclid(DAY) };
        let slot = Slot { day, from: self.from, to: self.to };
        SlotOffer { slot, orders: self.orders, closes, extra: self.extra, closed: is_over(closes, now) }
    }

    pub(super) fn exchanged(&self, rate: Rate, to: Currency) -> Option<Self> {
        let extra = match self.extra.currency() == to {
            true => self.extra,
            false => convert_price(self.extra, rate, to)?,
        };
        Some(Self { extra, ..self.clone() })
    }
}

/// A window, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlotForm {
    /// Whether it is on each day of the week, from Monday.
    pub days: [bool; 7],
    /// When it begins: `18:00`.
    pub from: String,
    /// When it ends: `20:00`.
    pub to: String,
    /// How many orders can be delivered in it.
    pub orders: String,
    /// How many hours before it begins it closes. None if empty.
    pub closes: String,
    /// What it costs besides the shipping method. Nothing if empty.
    pub extra: String,
}

impl SlotForm {
    /// A window that is to be added.
    pub fn new() -> Self {
        Self { days: [true; 7], orders: "20".to_owned(), closes: "2".to_owned(), ..Self::default() }
    }

    /// The form from its submitted fields by name.
    pub fn read(field: impl Fn(&str) -> String) -> Self {
        Self {
            days: std::array::from_fn(|day| field(&format!("days.{}", day + 1)) == "true"),
            from: field("from"),
            to: field("to"),
            orders: field("orders"),
            closes: field("closes"),
            extra: field("extra"),
        }
    }

    /// The form of a window.
    pub fn of(window: &SlotWindow) -> Self {
        Self {
            days: std::array::from_fn(|day| window.weekdays.iter().any(|on| usize::from(*on) == day + 1)),
            from: clock(window.from),
            to: clock(window.to),
            orders: window.orders.to_string(),
            closes: (window.closes / 60).to_string(),
            extra: if window.extra.amount() == 0 { String::new() } else { window.extra.plain() },
        }
    }

    /// The validated window, or all errors.
    pub fn check(&self, currency: Currency) -> Result<SlotWindow, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let weekdays = (1..=7).zip(self.days).filter(|(_, on)| *on).map(|(day, _)| day).collect();
        if !self.days.contains(&true) {
            faults.add("days", FieldCode::Missing);
        }
        let at = |field: &str, typed: &str| {
            let code = if typed.trim().is_empty() { FieldCode::Missing } else { FieldCode::NotTime };
            time(typed.trim()).ok_or_else(|| FieldError::new(field, code))
        };
        let from = faults.take(at("from", &self.from));
        // Fields for a time of day have no other way to say that the day ends.
        let to = at("to", &self.to).map(|to| if to == 0 { DAY } else { to });
        let to = to.and_then(|to| match to > from {
            true => Ok(to),
            false => Err(FieldError::new("to", FieldCode::TooSmall)),
        });
        let to = faults.take(to);
        let or = |typed: &str| if typed.trim().is_empty() { "0".to_owned() } else { typed.to_owned() };
        let hours = faults.take(text::whole_number("closes", &or(&self.closes), 0, CLOSES_MAX));
        let window = SlotWindow {
            weekdays,
            from,
            to,
            orders: faults.take(text::whole_number("orders", &self.orders, 1, ORDERS_MAX)),
            closes: hours * 60,
            extra: faults.take_or(amounts::read("extra", &or(&self.extra), currency), Money::zero(currency)),
        };
        faults.finish(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shipping::{Calendar, ShippingRules};
    use proptest::prelude::*;

    const INR: Currency = Currency::INR;

    fn form(from: &str, to: &str) -> SlotForm {
        SlotForm { from: from.into(), to: to.into(), ..SlotForm::new() }
    }

    fn rules(windows: &[(&str, &str, &[u8])]) -> ShippingRules {
        let window = |(from, to, days): &(&str, &str, &[u8])| SlotWindow {
            weekdays: days.to_vec(),
            ..form(from, to).check(INR).unwrap()
        };
        ShippingRules { windows: windows.iter().map(window).collect(), ..ShippingRules::default() }
    }

    fn at(day: &str, minute: i64) -> Moment {
        Moment { day: text::day(day).unwrap(), minute }
    }

    #[test]
    fn slots_are_written_and_read() {
        let slot: Slot = "2026-12-03T18:00/20:00".parse().unwrap();
        assert_eq!((slot.from, slot.to, slot.hours().as_str()), (1_080, 1_200, "18:00–20:00"));
        assert_eq!(slot.to_string(), "2026-12-03T18:00/20:00");
        assert_eq!("2026-12-03T22:00/24:00".parse::<Slot>().unwrap().to_string(), "2026-12-03T22:00/24:00");
        for wrong in
            ["", "2026-12-03", "2026-12-03T18:00", "2026-12-03T20:00/18:00", "2026-02-30T18:00/20:00", "T/"]
        {
            assert_eq!(wrong.parse::<Slot>(), Err(NoSlot), "{wrong}");
        }
    }

    #[test]
    fn slots_close_before_they_begin() {
        // 2026-12-03 is a Thursday. They close two hours before.
        let rules = rules(&[("18:00", "20:00", &[4, 5]), ("08:00", "10:00", &[4])]);
        let listed = |now: Moment| {
            let slots = rules.slots(now).into_iter().map(|o| (o.slot.to_string(), o.closed));
            slots.take(3).collect::<Vec<_>>()
        };
        let slot = |text: &str, closed| (text.to_owned(), closed);
        assert_eq!(
            listed(at("2026-12-02", 600)),
            [
                slot("2026-12-03T08:00/10:00", false),
                slot("2026-12-03T18:00/20:00", false),
                slot("2026-12-04T18:00/20:00", false),
            ]
        );
        // At 16:00, that of 18:00 is closed; at 18:00, it is gone.
        assert_eq!(listed(at("2026-12-03", 959))[0], slot("2026-12-03T18:00/20:00", false));
        assert_eq!(listed(at("2026-12-03", 960))[0], slot("2026-12-03T18:00/20:00", true));
        assert_eq!(listed(at("2026-12-03", 1_080))[0], slot("2026-12-04T18:00/20:00", false));
        let last = rules.slots(at("2026-12-02", 600)).last().unwrap().slot;
        assert_eq!(last.date(), "2026-12-11", "two weeks");
        let wanted = "2026-12-03T18:00/20:00".parse().unwrap();
        assert!(rules.offer(wanted, at("2026-12-03", 959)).is_some());
        assert!(rules.offer(wanted, at("2026-12-03", 960)).is_none(), "what is listed is what can be booked");
        assert_eq!(rules.orders_in(wanted), Some(20));
        assert_eq!(rules.orders_in("2026-12-05T18:00/20:00".parse().unwrap()), None, "a Saturday");
    }

    #[test]
    fn nothing_is_delivered_before_it_is_packed_or_on_holidays() {
        let calendar = Calendar {
            handling_days: 1,
            working_days: vec![1, 2, 3, 4, 5],
            holidays: vec!["2026-12-08".into()],
            ..Calendar::default()
        };
        let rules = ShippingRules { calendar, ..rules(&[("18:00", "20:00", &[1, 2, 3, 4, 5, 6, 7])]) };
        // Ordered on Friday: packed on Monday.
        let days: Vec<_> = rules.slots(at("2026-12-04", 600)).iter().map(|o| o.slot.date()).collect();
        assert_eq!(days[..3], ["2026-12-07", "2026-12-09", "2026-12-10"]);
    }

    #[test]
    fn windows_are_read_and_typed_again_the_same() {
        let typed = SlotForm {
            days: [true, false, true, false, true, false, false],
            extra: "30.00".into(),
            ..form("18:00", "24:00")
        };
        let window = typed.check(INR).unwrap();
        assert_eq!((window.weekdays.as_slice(), window.to, window.closes), (&[1, 3, 5][..], 1_440, 120));
        assert_eq!(SlotForm::of(&window), typed);
        assert_eq!(SlotForm { to: "00:00".into(), ..typed.clone() }.check(INR).unwrap(), window, "midnight");
        for (field, code, change) in [
            ("days", FieldCode::Missing, (|f| f.days = [false; 7]) as fn(&mut SlotForm)),
            ("from", FieldCode::Missing, |f| f.from = " ".into()),
            ("from", FieldCode::NotTime, |f| f.from = "6 pm".into()),
            ("to", FieldCode::NotTime, |f| f.to = "25:00".into()),
            ("to", FieldCode::TooSmall, |f| f.to = "18:00".into()),
            ("orders", FieldCode::TooSmall, |f| f.orders = "0".into()),
            ("closes", FieldCode::TooSmall, |f| f.closes = "-1".into()),
            ("extra", FieldCode::NotMoney, |f| f.extra = "some".into()),
        ] {
            let mut bad = typed.clone();
            change(&mut bad);
            assert_eq!(bad.check(INR).unwrap_err(), [FieldError::new(field, code)], "{field}");
        }
    }

    #[test]
    fn windows_of_one_day_do_not_overlap() {
        for (windows, overlap) in [
            ([("08:00", "10:00", &[1u8][..]), ("10:00", "12:00", &[1][..])], false),
            ([("08:00", "10:00", &[1][..]), ("09:00", "11:00", &[2][..])], false),
            ([("08:00", "10:00", &[1, 2][..]), ("09:59", "12:00", &[2][..])], true),
            ([("08:00", "10:00", &[1][..]), ("08:00", "10:00", &[1][..])], true),
        ] {
            assert_eq!(rules(&windows).check_windows().is_err(), overlap, "{windows:?}");
        }
    }

    proptest! {
        /// Whatever the windows: what is offered has not begun, is listed once, in order, and closes no later than it begins.
        #[test]
        fn offers_keep_their_order(
            windows in proptest::collection::vec((0i64..1_380, 1i64..60, 0i64..3_000, proptest::collection::vec(1u8..=7, 1..7)), 0..6),
            day in 20_000i64..20_030,
            minute in 0i64..1_440,
        ) {
            let windows = windows.into_iter().map(|(from, length, closes, weekdays)| SlotWindow {
                weekdays, from, to: from + length, orders: 1, closes, extra: Money::zero(INR),
            });
            let rules = ShippingRules { windows: windows.collect(), ..ShippingRules::default() };
            let now = Moment { day, minute };
            let slots = rules.slots(now);
            prop_assert!(slots.windows(2).all(|two| two[0].slot <= two[1].slot));
            for offer in slots {
                let begins = (offer.slot.day, offer.slot.from);
                prop_assert!(begins > (day, minute) && offer.slot.day < day + SLOT_DAYS);
                prop_assert!((offer.closes.day, offer.closes.minute) <= begins);
                prop_assert_eq!(rules.offer(offer.slot, now).is_none(), rules.slots(now).iter().filter(|o| o.slot == offer.slot).all(|o| o.closed));
                prop_assert_eq!(offer.slot.to_string().parse::<Slot>(), Ok(offer.slot));
            }
        }
    }
}
