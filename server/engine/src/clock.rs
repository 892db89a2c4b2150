//! The time, as a dependency that tests can control.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use jiff::{
    Span, Timestamp, Zoned,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// A day in milliseconds. Days with a change of daylight saving time are longer or shorter.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// The system clock, plus what tests have added to it.
#[derive(Clone, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    /// Milliseconds since 1970, UTC.
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    pub fn now_ms(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        i64::try_from(now).unwrap_or(i64::MAX).saturating_add(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// Moves this clock and its clones forward, or back if `by` is negative.
    pub fn advance_ms(&self, by: i64) {
        self.ahead_ms.fetch_add(by, Ordering::Relaxed);
    }
}

/// A time as RFC 3339 in UTC, to the second.
pub fn rfc3339(ms: i64) -> String {
    Timestamp::from_second(ms.div_euclid(1000)).unwrap_or_default().to_string()
}

/// The moment of a time in RFC 3339, which must have an offset: `2026-12-03T09:30:00+05:30`.
pub fn instant(text: &str) -> Option<i64> {
    // What is in brackets could contradict the offset.
    let plain = text.contains(['T', 't']) && !text.contains('[');
    let time: Timestamp = plain.then(|| text.parse().ok())??;
    Some(time.as_millisecond())
}

/// A time in RFC 9557, as [`Zone::local`] writes it, without what is in brackets.
pub fn without_zone(local: &str) -> String {
    local.split('[').next().unwrap_or_default().to_owned()
}

/// A time zone of the IANA database, which is part of the program.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone with this name: `Asia/Kolkata`.
    pub fn named(name: &str) -> Result<Self, String> {
        TimeZone::get(name).map(Self).map_err(|error| error.to_string())
    }

    /// Its name, if it has one: `Asia/Kolkata`.
    pub fn name(&self) -> Option<String> {
        self.0.iana_name().map(str::to_owned)
    }

    fn at(&self, ms: i64) -> Zoned {
        Timestamp::from_millisecond(ms).unwrap_or_default().to_zoned(self.0.clone())
    }

    /// A time in the zone as spreadsheets read it, and the offset: `2026-11-27 00:30:00 +05:30`.
    pub(crate) fn cell(&self, ms: i64) -> String {
        self.at(ms).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
    }

    /// A time in the zone, in the format of RFC 9557: `2026-11-27T00:30:00+05:30[IST]`. The brackets
    /// contain the zone's abbreviation, or its offset if it has none.
    pub fn local(&self, ms: i64) -> String {
        let time = self.at(ms);
        let info = self.0.to_offset_info(time.timestamp());
        let abbreviation = info.abbreviation();
        let zone = match abbreviation.bytes().all(|b| b.is_ascii_alphabetic()) {
            true => abbreviation.to_owned(),
            false => {
                let minutes = info.offset().seconds().abs() / 60;
                let sign = if info.offset().is_negative() { '-' } else { '+' };
                match (minutes / 60, minutes % 60) {
                    (hours, 0) => format!("UTC{sign}{hours}"),
                    (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
                }
            }
        };
        format!("{}[{zone}]", time.strftime("%Y-%m-%dT%H:%M:%S%:z"))
    }

    /// The same time of day, this many days later.
    pub fn later(&self, ms: i64, days: i64) -> i64 {
        let later = Span::new().try_days(days).and_then(|days| self.at(ms).checked_add(days));
        later.map_or(ms.saturating_add(days.saturating_mul(DAY_MS)), |later| {
            later.timestamp().as_millisecond()
        })
    }

    /// A time as it is entered, `2026-12-01T10:00`, which is one of the zone unless it has an offset. One that the clocks
    /// skip is as much later as they are put forward.
    pub fn read(&self, text: &str) -> Option<i64> {
        let text = text.trim();
        if let Ok(time) = text.parse::<Timestamp>() {
            return Some(time.as_millisecond());
        }
        // Without a time of day, it isn't clear which moment is meant.
        let time: DateTime = text.contains('T').then(|| text.parse().ok())??;
        Some(time.to_zoned(self.0.clone()).ok()?.timestamp().as_millisecond())
    }

    /// The year of a time.
    pub fn year(&self, ms: i64) -> i64 {
        self.at(ms).year().into()
    }

    /// The day of a time, counted from 1970-01-01.
    pub fn day(&self, ms: i64) -> i64 {
        (ms + self.offset_ms(ms)).div_euclid(DAY_MS)
    }

    /// The minute of the day of a time, from 0.
    pub fn minute(&self, ms: i64) -> i64 {
        (ms + self.offset_ms(ms)).rem_euclid(DAY_MS) / 60_000
    }

    /// The beginning of a day counted from 1970-01-01.
    pub fn begins(&self, day: i64) -> i64 {
        let date = Timestamp::from_millisecond(day.saturating_mul(DAY_MS)).unwrap_or_default();
        let date: Date = date.to_zoned(TimeZone::UTC).date();
        date.to_zoned(self.0.clone())
            .map_or(day.saturating_mul(DAY_MS), |day| day.timestamp().as_millisecond())
    }

    /// The times from `from` on as ranges with a constant offset: the beginning and end of each, and its
    /// offset from UTC in milliseconds. The last has no end.
    pub(crate) fn stretches(&self, from: i64, until: i64) -> Vec<(i64, i64, i64)> {
        let (begin, end) = (Timestamp::from_millisecond(from).unwrap_or_default(), until);
        let changes = self.0.following(begin).map(|change| change.timestamp().as_millisecond());
        let mut edges = vec![from];
        edges.extend(changes.take_while(|change| *change < end));
        let ends = edges.iter().skip(1).copied().chain([i64::MAX]);
        edges.iter().zip(ends).map(|(from, to)| (*from, to, self.offset_ms(*from))).collect()
    }

    fn offset_ms(&self, ms: i64) -> i64 {
        let time = Timestamp::from_millisecond(ms).unwrap_or_default();
        i64::from(self.0.to_offset(time).seconds()) * 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    /// 26 Nov 2026, 19:00 UTC.
    const EVENING: i64 = 1_795_719_600_000;

    #[test]
    fn a_moment_has_an_offset() {
        for same in [
            "2026-11-26T19:00:00Z",
            "2026-11-27T00:30:00+05:30",
            "2026-11-26T14:00:00-05:00",
            "2026-11-26t19:00:00z",
        ] {
            assert_eq!(instant(same), Some(EVENING), "{same}");
        }
        for unclear in [
            "",
            "2026-11-26",
            "2026-11-26T19:00:00",
            "2026-11-26 19:00:00Z",
            "2026-11-26T19:00:00+26:00",
            "2026-11-31T19:00:00Z",
            "2026-11-26T19:00:00+09:00[Asia/Kolkata]",
            "1795719600000",
        ] {
            assert_eq!(instant(unclear), None, "{unclear}");
        }
        assert_eq!(without_zone(&zone("Asia/Kolkata").local(EVENING)), "2026-11-27T00:30:00+05:30");
    }

    #[test]
    fn people_read_times_of_their_own_zone() {
        assert_eq!(rfc3339(EVENING), "2026-11-26T19:00:00Z");
        for (name, text) in [
            ("Asia/Kolkata", "2026-11-27T00:30:00+05:30[IST]"),
            ("UTC", "2026-11-26T19:00:00+00:00[UTC]"),
            ("Europe/Berlin", "2026-11-26T20:00:00+01:00[CET]"),
            ("America/New_York", "2026-11-26T14:00:00-05:00[EST]"),
            ("Asia/Kathmandu", "2026-11-27T00:45:00+05:45[UTC+5:45]"),
            ("America/Sao_Paulo", "2026-11-26T16:00:00-03:00[UTC-3]"),
        ] {
            assert_eq!(zone(name).local(EVENING), text);
        }
        for wrong in ["", "IST5", "Asia/Pune", "+05:30", "Local", "../etc/passwd"] {
            assert!(Zone::named(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn days_begin_at_midnight_of_the_zone_whatever_the_clocks_did() {
        let india = zone("Asia/Kolkata");
        let today = india.day(EVENING);
        assert_eq!((india.minute(EVENING), zone("UTC").minute(EVENING)), (30, 19 * 60));
        assert_eq!(rfc3339(india.begins(today)), "2026-11-26T18:30:00Z");
        assert_eq!((india.day(EVENING - 1_800_001), india.day(EVENING - 1_800_000)), (today - 1, today));
        assert_eq!(india.stretches(0, 1).len(), 1);
        // In Berlin, 29 March 2026 has 23 hours and 25 October has 25.
        let berlin = zone("Europe/Berlin");
        let spring = berlin.day(1_774_771_200_000);
        let hours = |day| (berlin.begins(day + 1) - berlin.begins(day)) / 3_600_000;
        assert_eq!((hours(spring), hours(spring + 1), hours(spring + 210)), (23, 24, 25));
        let (from, until) = (berlin.begins(spring - 1), berlin.begins(spring + 2));
        let stretches = berlin.stretches(from, until);
        let [(first, change, winter), (again, end, summer)] = stretches[..] else { panic!("{stretches:?}") };
        assert_eq!((first, change, end), (from, again, i64::MAX));
        assert_eq!(
            (rfc3339(change).as_str(), winter, summer),
            ("2026-03-29T01:00:00Z", 3_600_000, 7_200_000)
        );
        // Three days later, it is the same time of day.
        let noon = berlin.begins(spring - 1) + 12 * 3_600_000;
        assert_eq!(berlin.local(berlin.later(noon, 3)), "2026-03-31T12:00:00+02:00[CEST]");
        // In Havana, there is no midnight on 8 March 2026.
        let havana = zone("America/Havana");
        let day = havana.day(1_772_971_200_000);
        assert_eq!(havana.local(havana.begins(day)), "2026-03-08T01:00:00-04:00[CDT]");
        assert_eq!(havana.day(havana.begins(day)), day);
    }

    #[test]
    fn entered_times_are_of_the_zone_unless_they_have_an_offset() {
        let cases = [
            ("Asia/Kolkata", "2026-11-27T00:30", Some("2026-11-26T19:00:00Z")),
            ("Asia/Kolkata", " 2026-11-27T00:30:00 ", Some("2026-11-26T19:00:00Z")),
            ("Asia/Kolkata", "2026-11-26T19:00:00Z", Some("2026-11-26T19:00:00Z")),
            ("Asia/Kolkata", "2026-11-26T20:00:00+01:00", Some("2026-11-26T19:00:00Z")),
            // In Berlin, 02:30 does not exist on 29 March 2026, and twice on 25 October: the first one counts.
            ("Europe/Berlin", "2026-03-29T02:30", Some("2026-03-29T01:30:00Z")),
            ("Europe/Berlin", "2026-10-25T02:30", Some("2026-10-25T00:30:00Z")),
            ("UTC", "2026-11-26", None),
            ("UTC", "tomorrow", None),
            ("UTC", "2026-13-01T10:00", None),
            ("UTC", "", None),
        ];
        for (name, text, time) in cases {
            assert_eq!(zone(name).read(text).map(rfc3339).as_deref(), time, "{name} {text}");
        }
    }

    #[test]
    fn times_are_written_as_programs_expect() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_164_799_999, "2024-02-28T23:59:59Z"),
            (1_795_219_200_000, "2026-11-21T00:00:00Z"),
        ];
        for (ms, text) in cases {
            assert_eq!(rfc3339(ms), text);
        }
    }
}
