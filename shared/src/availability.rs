//! When a provider of services is free: by their weekly hours, days off, and what is booked already.
//!
//! Hours are wall times of the provider's zone. A moment is open if its wall time is within the hours of its day, so a time that
//! the clocks skip is never offered, and one that they repeat is offered twice. An appointment takes as long as it says, whatever
//! the clocks do meanwhile.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError, ValidationErrors},
    shipping::date,
    text,
};

/// The calendar of a provider is divided into cells of this many minutes.
pub const CELL_MINUTES: i64 = 5;
/// The same in milliseconds.
pub const CELL_MS: i64 = CELL_MINUTES * 60_000;
/// The longest appointment, and the longest buffer before or after one.
pub const MINUTES_MAX: i64 = 12 * 60;
/// How far ahead appointments can be booked.
pub const WINDOW_DAYS_MAX: i64 = 365;
/// So many ranges of a day can be open.
const RANGES_MAX: usize = 8;
/// So many days can be exceptions.
const EXCEPTIONS_MAX: usize = 400;

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// A part of a day, in minutes from midnight. The end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MinuteRange {
    /// The first minute.
    pub from: i64,
    /// The minute after the last one: 1440 for midnight.
    pub to: i64,
}

/// When a provider works.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hours {
    /// The hours of each weekday, from Monday to Sunday. What is between two ranges of a day is a break.
    pub weekly: [Vec<MinuteRange>; 7],
    /// Days with other hours. Without any, it is a day off.
    pub exceptions: Vec<DayHours>,
}

/// The hours of one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DayHours {
    /// The day: `2026-12-25`.
    pub date: String,
    /// When it is open.
    pub open: Vec<MinuteRange>,
}

/// How a service can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingRules {
    /// How long an appointment takes.
    pub minutes: i64,
    /// How long the provider needs before it.
    pub before: i64,
    /// How long the provider needs after it.
    pub after: i64,
    /// How long before its start it must be booked, in minutes.
    pub notice: i64,
    /// How many days ahead it can be booked. 0 for today only.
    pub window_days: i64,
    /// Starts are offered at this interval, in minutes from the beginning of the open hours.
    pub step: i64,
}

impl BookingRules {
    /// The times that an appointment takes of its provider's calendar, with its buffers, in milliseconds.
    pub fn blocked(&self, start: i64) -> Span {
        Span { from: start - self.before * MINUTE_MS, to: start + (self.minutes + self.after) * MINUTE_MS }
    }

    /// When an appointment ends.
    pub fn end(&self, start: i64) -> i64 {
        start + self.minutes * MINUTE_MS
    }
}

/// A range of moments, in milliseconds since 1970. The end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The first moment.
    pub from: i64,
    /// The moment after the last one.
    pub to: i64,
}

impl Span {
    /// The cells that it touches.
    pub fn cells(self) -> std::ops::Range<i64> {
        self.from.div_euclid(CELL_MS)..(self.to + CELL_MS - 1).div_euclid(CELL_MS)
    }
}

#[cfg(not(target_family = "wasm"))]
impl Hours {
    /// The hours of a day counted from 1970-01-01, in order; what touches or overlaps is one range.
    fn of(&self, day: i64) -> Vec<MinuteRange> {
        let exception = match self.exceptions.is_empty() {
            true => None,
            false => {
                let of = date(day);
                self.exceptions.iter().find(|exception| exception.date == of).map(|day| &day.open)
            }
        };
        // 1970-01-01 was a Thursday.
        let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default();
        let mut open = exception.unwrap_or(&self.weekly[weekday]).clone();
        open.retain(|range| range.from < range.to);
        open.sort_unstable();
        let mut joined: Vec<MinuteRange> = Vec::with_capacity(open.len());
        for range in open {
            match joined.last_mut() {
                Some(last) if last.to >= range.from => last.to = last.to.max(range.to),
                _ => joined.push(range),
            }
        }
        joined
    }
}

/// What a form says about the hours of a provider: a line of ranges for each weekday, and a line for each exception.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HoursForm {
    /// From Monday to Sunday: `9:00-13:00, 14:00-18:00`. Empty for a day off.
    pub weekly: [String; 7],
    /// `2026-12-25`, or with other hours: `2026-12-26 10:00-14:00`.
    pub exceptions: String,
}

/// The fields of the weekdays, from Monday to Sunday.
pub const WEEKDAY_FIELDS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// The field of the exceptions.
pub const EXCEPTIONS_FIELD: &str = "exceptions";

impl HoursForm {
    /// The hours, or what is wrong with each field.
    pub fn check(&self) -> Result<Hours, Vec<FieldError>> {
        let (mut faults, mut hours) = (ValidationErrors::default(), Hours::default());
        for ((field, text), open) in WEEKDAY_FIELDS.iter().zip(&self.weekly).zip(&mut hours.weekly) {
            match ranges(text) {
                Ok(found) => *open = found,
                Err(code) => faults.add(*field, code),
            }
        }
        for line in self.exceptions.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (of, open) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            // Written as it is compared.
            let of = text::day(of.trim_end_matches([':', ','])).map(date);
            match (of, ranges(open)) {
                (None, _) => faults.add(EXCEPTIONS_FIELD, FieldCode::NotDate),
                (_, Err(code)) => faults.add(EXCEPTIONS_FIELD, code),
                (Some(of), Ok(_)) if hours.exceptions.iter().any(|day| day.date == of) => {
                    faults.add(EXCEPTIONS_FIELD, FieldCode::NotUnique);
                }
                (Some(date), Ok(open)) => hours.exceptions.push(DayHours { date, open }),
            }
        }
        if hours.exceptions.len() > EXCEPTIONS_MAX {
            faults.add(EXCEPTIONS_FIELD, FieldCode::TooMany);
        }
        faults.finish(hours)
    }

    /// The form of these hours.
    pub fn of(hours: &Hours) -> Self {
        let mut form = Self::default();
        for (text, open) in form.weekly.iter_mut().zip(&hours.weekly) {
            *text = ranges_text(open);
        }
        let lines = hours
            .exceptions
            .iter()
            .map(|day| format!("{} {}", day.date, ranges_text(&day.open)).trim().to_owned());
        form.exceptions = lines.collect::<Vec<_>>().join("\n");
        form
    }
}

/// `9:00-13:00, 14:00-18:00`, in minutes.
fn ranges(text: &str) -> Result<Vec<MinuteRange>, FieldCode> {
    let mut found = Vec::new();
    for part in text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once(['-', '–', '—']).ok_or(FieldCode::NotHours)?;
        let (from, to) = (minute(from).ok_or(FieldCode::NotHours)?, minute(to).ok_or(FieldCode::NotHours)?);
        // Until midnight is the end of the day.
        let to = if to == 0 { DAY_MINUTES } else { to };
        if from >= to || from % CELL_MINUTES != 0 || to % CELL_MINUTES != 0 {
            return Err(FieldCode::NotHours);
        }
        found.push(MinuteRange { from, to });
    }
    found.sort_unstable();
    if found.windows(2).any(|two| two[0].to > two[1].from) {
        return Err(FieldCode::NotHours);
    }
    if found.len() > RANGES_MAX { Err(FieldCode::TooMany) } else { Ok(found) }
}

/// `9`, `9:30` or `24:00`.
fn minute(text: &str) -> Option<i64> {
    let text = text.trim();
    let (hours, minutes) = text.split_once([':', '.']).unwrap_or((text, "00"));
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        let fits = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| text.parse::<i64>().ok())?
    };
    let (hours, minutes) = (number(hours, 1..=2)?, number(minutes, 2..=2)?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY_MINUTES).then_some(minute)
}

fn ranges_text(open: &[MinuteRange]) -> String {
    let time = |minute: i64| format!("{}:{:02}", minute / 60, minute % 60);
    open.iter().map(|range| format!("{}-{}", time(range.from), time(range.to))).collect::<Vec<_>>().join(", ")
}

#[cfg(not(target_family = "wasm"))]
pub use zones::*;

/// What needs the database of time zones, which browsers do without.
#[cfg(not(target_family = "wasm"))]
mod zones {
    use std::ops::RangeInclusive;

    use jiff::{Timestamp, tz::TimeZone};

    use super::{BookingRules, Hours, MINUTE_MS, Span};

    const DAY_MS: i64 = 86_400_000;

    /// A time at which an appointment can begin.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub struct FreeTime {
        /// The moment, in milliseconds since 1970.
        pub starts_at: i64,
        /// The day in the provider's zone, counted from 1970-01-01.
        pub day: i64,
        /// The wall time in the provider's zone, as the minute of the day.
        pub minute: i64,
    }

    /// The zone with this name of the IANA database.
    pub fn zone(name: &str) -> Option<TimeZone> {
        TimeZone::get(name).ok()
    }

    fn offset_ms(zone: &TimeZone, ms: i64) -> i64 {
        i64::from(zone.to_offset(Timestamp::from_millisecond(ms).unwrap_or_default()).seconds()) * 1000
    }

    /// The day of a moment in a zone, counted from 1970-01-01.
    pub fn day_in(zone: &TimeZone, ms: i64) -> i64 {
        (ms + offset_ms(zone, ms)).div_euclid(DAY_MS)
    }

    /// The minute of the day of a moment in a zone.
    pub fn minute_in(zone: &TimeZone, ms: i64) -> i64 {
        (ms + offset_ms(zone, ms)).rem_euclid(DAY_MS) / MINUTE_MS
    }

    /// The times at which an appointment can begin on these `days` of the provider's zone, in order. `busy` is what is taken of
    /// the provider's time, with buffers, in any order.
    pub fn free_times(
        zone: &TimeZone,
        hours: &Hours,
        rules: &BookingRules,
        busy: &[Span],
        now: i64,
        days: RangeInclusive<i64>,
    ) -> Vec<FreeTime> {
        if rules.minutes <= 0 || rules.step <= 0 {
            return Vec::new();
        }
        let last = (*days.end()).min(day_in(zone, now) + rules.window_days);
        let first = (*days.start()).max(day_in(zone, now));
        if first > last {
            return Vec::new();
        }
        let earliest = now + rules.notice * MINUTE_MS;
        let mut busy = busy.to_vec();
        busy.sort_unstable();
        let (open, mut starts) = (Open::of(zone, hours, first, last), Vec::new());
        for piece in &open.pieces {
            if !(first..=last).contains(&piece.day) {
                continue;
            }
            // The first start that is not before the piece: hours may have begun before the clocks were put forward.
            let late = (piece.from - piece.grid).max(0);
            let step = rules.step * MINUTE_MS;
            let mut start = piece.grid + (late + step - 1) / step * step;
            while start < piece.to {
                let free = start >= earliest
                    && open.covers(Span { from: start, to: rules.end(start) })
                    && !overlaps(&busy, rules.blocked(start));
                if free {
                    let minute = (start + piece.offset).rem_euclid(DAY_MS) / MINUTE_MS;
                    starts.push(FreeTime { starts_at: start, day: piece.day, minute });
                }
                start += step;
            }
        }
        starts.sort_unstable();
        starts
    }

    /// Whether an appointment can begin at this moment.
    pub fn is_free(
        zone: &TimeZone,
        hours: &Hours,
        rules: &BookingRules,
        busy: &[Span],
        now: i64,
        start: i64,
    ) -> bool {
        let day = day_in(zone, start);
        free_times(zone, hours, rules, busy, now, day..=day).iter().any(|free| free.starts_at == start)
    }

    /// Whether a span overlaps any of these, which are sorted by their beginnings and may overlap each other.
    fn overlaps(busy: &[Span], span: Span) -> bool {
        let begun = busy.partition_point(|taken| taken.from < span.to);
        busy[..begun].iter().any(|taken| taken.to > span.from)
    }

    /// A range of the hours of a day while the clocks are not changed.
    struct Piece {
        from: i64,
        to: i64,
        /// Where the range begins, even if the clocks were changed since: starts are counted from there.
        grid: i64,
        day: i64,
        offset: i64,
    }

    /// When it is open.
    struct Open {
        pieces: Vec<Piece>,
        /// The same, with what touches joined.
        spans: Vec<Span>,
    }

    impl Open {
        /// The hours of these days, and of the next ones, into which an appointment may last.
        fn of(zone: &TimeZone, hours: &Hours, first: i64, last: i64) -> Self {
            // No zone is further from UTC than a day, and none skips more than one.
            let (from, until) = ((first - 2) * DAY_MS, (last + 4) * DAY_MS);
            let begin = Timestamp::from_millisecond(from).unwrap_or_default();
            let changes = zone.following(begin).map(|change| change.timestamp().as_millisecond());
            let mut edges = vec![from];
            edges.extend(changes.take_while(|change| *change < until));
            edges.push(until);
            let mut pieces = Vec::new();
            for edge in edges.windows(2) {
                let (begin, end) = (edge[0], edge[1]);
                let offset = offset_ms(zone, begin);
                let days = (begin + offset).div_euclid(DAY_MS)..=(end + offset).div_euclid(DAY_MS);
                for day in days.filter(|day| (first - 1..=last + 2).contains(day)) {
                    for range in hours.of(day) {
                        let at = |minute: i64| day * DAY_MS + minute * MINUTE_MS - offset;
                        let (grid, end) = (at(range.from), at(range.to).min(end));
                        let from = grid.max(begin);
                        if from < end {
                            pieces.push(Piece { from, to: end, grid, day, offset });
                        }
                    }
                }
            }
            pieces.sort_unstable_by_key(|piece| piece.from);
            let mut spans: Vec<Span> = Vec::new();
            for piece in &pieces {
                match spans.last_mut() {
                    Some(last) if last.to >= piece.from => last.to = last.to.max(piece.to),
                    _ => spans.push(Span { from: piece.from, to: piece.to }),
                }
            }
            Self { pieces, spans }
        }

        fn covers(&self, span: Span) -> bool {
            let at = self.spans.partition_point(|open| open.to <= span.from);
            self.spans.get(at).is_some_and(|open| open.from <= span.from && open.to >= span.to)
        }
    }
}

#[cfg(test)]
mod tests;
