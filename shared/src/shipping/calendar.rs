//! When what is ordered arrives: by the working days of the shop, in its time zone.

use serde::{Deserialize, Serialize};

use crate::field::{FieldCode, FieldError};

/// When a shop sends what is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Calendar {
    /// The working days between an order and its shipment.
    pub handling_days: i64,
    /// What is ordered from this minute of the day on counts as ordered on the next one. None for the end of the day.
    pub cutoff: Option<i64>,
    /// The working days of a week, from 1 for Monday to 7 for Sunday.
    pub working_days: Vec<u8>,
    /// The days on which nobody works: `2026-12-25`.
    pub holidays: Vec<String>,
    /// The name of the shop's time zone (IANA). Empty for that of the market.
    pub time_zone: String,
}

/// Every day is a working day.
impl Default for Calendar {
    fn default() -> Self {
        let working_days = (1..=7).collect();
        Self { handling_days: 0, cutoff: None, working_days, holidays: Vec::new(), time_zone: String::new() }
    }
}

/// A time in the time zone of a shop: the day, counted from 1970-01-01, and the minute of the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// The day.
    pub day: i64,
    /// The minute of the day, from 0.
    pub minute: i64,
}

/// The weekday of a day, from 1 for Monday to 7 for Sunday. 1970-01-01 was a Thursday.
pub(super) fn weekday(day: i64) -> i64 {
    day.saturating_add(3).rem_euclid(7) + 1
}

/// The date of a day counted from 1970-01-01: `2026-12-01`. By Howard Hinnant's algorithm, like [`crate::text::day`].
pub fn date(day: i64) -> String {
    let day = day.clamp(0, 2_932_896) + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
}

/// The minute of a time of day: `14:00`.
pub(super) fn minute(field: &str, typed: &str) -> Result<Option<i64>, FieldError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let number = |part: &str, most: i64| {
        let plain = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|n: &i64| plain && *n <= most)
    };
    let read =
        typed.split_once(':').and_then(|(hour, minute)| Some(number(hour, 23)? * 60 + number(minute, 59)?));
    read.map(Some).ok_or(FieldError::new(field, FieldCode::NotTime))
}

/// A minute of a day: `18:00`.
pub(super) fn clock(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl Moment {
    /// The moment as a time of its zone: `2026-12-03T16:00`.
    pub fn written(&self) -> String {
        format!("{}T{}", date(self.day), clock(self.minute))
    }
}

/// So many days in a row without a working day are looked at. No calendar that is checked has as many.
const IDLE_MAX: usize = 3_000;

impl Calendar {
    /// The days on which an order of now should arrive that is on its way for `transit` working days.
    pub fn promise(&self, now: Moment, transit: (i64, i64)) -> (i64, i64) {
        let holidays: Vec<i64> = self.holidays.iter().filter_map(|date| crate::text::day(date)).collect();
        let works = |day: i64| {
            self.working_days.iter().any(|working| i64::from(*working) == weekday(day))
                && !holidays.contains(&day)
        };
        let working_from = |from: i64| (from..).take(IDLE_MAX).find(|day| works(*day)).unwrap_or(from);
        let after = |from: i64, days: i64| (0..days).fold(from, |day, _| working_from(day + 1));
        let late = self.cutoff.is_some_and(|cutoff| now.minute >= cutoff);
        let begins = working_from(now.day + i64::from(late));
        let sent = after(begins, self.handling_days);
        (after(sent, transit.0), after(sent, transit.1.max(transit.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;
    use proptest::prelude::*;

    fn day(date: &str) -> i64 {
        text::day(date).unwrap()
    }

    #[test]
    fn dates_are_promised_by_working_days() {
        let every_day = Calendar::default();
        let office = Calendar {
            handling_days: 1,
            cutoff: Some(14 * 60),
            working_days: vec![1, 2, 3, 4, 5],
            holidays: vec!["2026-12-25".into(), "2026-12-28".into()],
            ..Calendar::default()
        };
        let same_day = Calendar { handling_days: 0, ..office.clone() };
        // 2026-11-28 is a Saturday.
        for (calendar, ordered, transit, from, to) in [
            (&every_day, ("2026-11-28", 0), (2, 5), "2026-11-30", "2026-12-03"),
            (&every_day, ("2026-11-28", 1439), (0, 0), "2026-11-28", "2026-11-28"),
            (&every_day, ("2026-12-30", 0), (2, 5), "2027-01-01", "2027-01-04"),
            // Monday before the cut-off: sent on Tuesday.
            (&office, ("2026-11-30", 839), (1, 2), "2026-12-02", "2026-12-03"),
            // Monday at the cut-off: counts as Tuesday, sent on Wednesday.
            (&office, ("2026-11-30", 840), (1, 2), "2026-12-03", "2026-12-04"),
            // Saturday: counts as Monday, whatever the hour.
            (&office, ("2026-11-28", 60), (1, 2), "2026-12-02", "2026-12-03"),
            (&office, ("2026-11-28", 1200), (1, 2), "2026-12-02", "2026-12-03"),
            // Friday after the cut-off: Monday.
            (&office, ("2026-11-27", 900), (1, 2), "2026-12-02", "2026-12-03"),
            // Christmas is on a Friday, and the Monday after it is free too: 24 → 29 → 30.
            (&office, ("2026-12-24", 600), (1, 3), "2026-12-30", "2027-01-01"),
            (&same_day, ("2026-12-24", 600), (0, 1), "2026-12-24", "2026-12-29"),
            (&same_day, ("2026-12-25", 600), (0, 0), "2026-12-29", "2026-12-29"),
            // What can't be is kept in order.
            (&same_day, ("2026-11-30", 0), (3, 1), "2026-12-03", "2026-12-03"),
        ] {
            let now = Moment { day: day(ordered.0), minute: ordered.1 };
            let (first, last) = calendar.promise(now, transit);
            assert_eq!((date(first).as_str(), date(last).as_str()), (from, to), "{ordered:?} {transit:?}");
        }
        let never = Calendar { working_days: Vec::new(), ..Calendar::default() };
        assert_eq!(never.promise(Moment { day: 5, minute: 0 }, (1, 1)), (6, 6), "it ends");
    }

    proptest! {
        #[test]
        fn dates_are_those_of_days(day in 0i64..200_000) {
            prop_assert_eq!(text::day(&date(day)), Some(day));
        }

        /// Whatever the calendar: never before today, only on working days, later orders never earlier, and a longer
        /// way never shorter.
        #[test]
        fn promises_keep_their_order(
            handling_days in 0i64..5,
            cutoff in proptest::option::of(0i64..1_440),
            working_days in proptest::collection::vec(1u8..=7, 1..7),
            free in proptest::collection::vec(20_000i64..20_040, 0..9),
            today in 20_000i64..20_030,
            minute in 0i64..1_439,
            min in 0i64..9,
            more in 0i64..9,
        ) {
            let holidays: Vec<_> = free.iter().map(|day| date(*day)).collect();
            let calendar = Calendar { handling_days, cutoff, working_days, holidays, ..Calendar::default() };
            let now = Moment { day: today, minute };
            let (from, to) = calendar.promise(now, (min, min + more));
            prop_assert!(today <= from && from <= to);
            for day in [from, to] {
                prop_assert!(calendar.working_days.contains(&(weekday(day) as u8)) && !free.contains(&day));
            }
            let later = calendar.promise(Moment { day: today, minute: minute + 1 }, (min, min + more));
            prop_assert!(from <= later.0 && to <= later.1);
            let longer = calendar.promise(now, (min + 1, min + more + 1));
            prop_assert!(from < longer.0 && to < longer.1);
        }
    }
}
