use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::*;

const DAY_MS: i64 = 86_400_000;

/// Zones that change their clocks by an hour, by half an hour, with unusual offsets, over the date line, and not at all.
const ZONES: [&str; 16] = [
    "Asia/Kolkata",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Africa/Casablanca",
    "Antarctica/Troll",
];

fn day(date: &str) -> i64 {
    text::day(date).unwrap()
}

fn ms(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().as_millisecond()
}

fn rules(minutes: i64, step: i64) -> BookingRules {
    BookingRules { minutes, before: 0, after: 0, notice: 0, window_days: 30, step }
}

fn every_day(text: &str) -> Hours {
    let form = HoursForm { weekly: std::array::from_fn(|_| text.to_owned()), exceptions: String::new() };
    form.check().unwrap()
}

/// The wall times of one day, and when they are: `09:00 2026-12-01T03:30:00Z`.
fn offered(
    zone_name: &str,
    hours: &Hours,
    rules: &BookingRules,
    busy: &[Span],
    now: &str,
    date: &str,
) -> Vec<String> {
    let day = day(date);
    let free = free_times(&zone(zone_name).unwrap(), hours, rules, busy, ms(now), day..=day);
    let text = |free: &FreeTime| {
        let at = Timestamp::from_millisecond(free.starts_at).unwrap();
        format!("{:02}:{:02} {at}", free.minute / 60, free.minute % 60)
    };
    free.iter().map(text).collect()
}

#[test]
fn free_times_keep_to_hours_breaks_notice_and_window() {
    let hours = every_day("9-11, 11:30-12:30");
    let long_ago = "2026-11-20T00:00:00Z";
    let kolkata = |rules: &BookingRules, busy: &[Span], now: &str, date: &str| {
        let offered = offered("Asia/Kolkata", &hours, rules, busy, now, date);
        offered.iter().map(|time| time[..5].to_owned()).collect::<Vec<_>>().join(" ")
    };
    let hour = rules(60, 30);
    let date = "2026-12-01";
    assert_eq!(kolkata(&hour, &[], long_ago, date), "09:00 09:30 10:00 11:30");
    assert_eq!(offered("Asia/Kolkata", &hours, &hour, &[], long_ago, date)[0], "09:00 2026-12-01T03:30:00Z");
    // Nothing in the past, and nothing that begins before the notice is over.
    assert_eq!(kolkata(&hour, &[], "2026-12-01T03:30:00Z", date), "09:00 09:30 10:00 11:30");
    assert_eq!(kolkata(&hour, &[], "2026-12-01T03:30:01Z", date), "09:30 10:00 11:30");
    let noticed = BookingRules { notice: 120, ..hour };
    assert_eq!(kolkata(&noticed, &[], "2026-12-01T03:30:00Z", date), "11:30");
    // The last day of the window, and the one after it.
    let soon = BookingRules { window_days: 1, ..hour };
    assert_eq!(kolkata(&soon, &[], "2026-11-30T06:00:00Z", date), "09:00 09:30 10:00 11:30");
    assert_eq!(kolkata(&soon, &[], "2026-11-29T06:00:00Z", date), "");
    // What is booked, and the time around it.
    let busy = [Span { from: ms("2026-12-01T04:30:00Z"), to: ms("2026-12-01T05:00:00Z") }];
    assert_eq!(kolkata(&hour, &busy, long_ago, date), "09:00 11:30");
    let buffered = BookingRules { after: 5, ..hour };
    assert_eq!(kolkata(&buffered, &busy, long_ago, date), "11:30");
    let buffered = BookingRules { before: 65, ..hour };
    assert_eq!(kolkata(&buffered, &busy, long_ago, date), "09:00");
    // Too long for any range, and for the whole day.
    assert_eq!(kolkata(&rules(120, 30), &[], long_ago, date), "09:00");
    assert_eq!(kolkata(&rules(125, 5), &[], long_ago, date), "");
}

#[test]
fn exceptions_replace_the_hours_of_their_day() {
    let form = HoursForm {
        weekly: std::array::from_fn(|at| if at < 5 { "9-10".to_owned() } else { String::new() }),
        exceptions: "2026-12-01\n 2026-12-05 14:00–16:00 \n\n2026-12-02, 8-9".to_owned(),
    };
    let hours = form.check().unwrap();
    let times = |date| {
        let times = offered("UTC", &hours, &rules(60, 60), &[], "2026-11-20T00:00:00Z", date);
        times.iter().map(|time| time[..5].to_owned()).collect::<Vec<_>>().join(" ")
    };
    // 2026-11-30 is a Monday.
    for (date, expected) in [
        ("2026-11-30", "09:00"),
        ("2026-12-01", ""),
        ("2026-12-02", "08:00"),
        ("2026-12-03", "09:00"),
        ("2026-12-05", "14:00 15:00"),
        ("2026-12-06", ""),
    ] {
        assert_eq!(times(date), expected, "{date}");
    }
    assert_eq!(HoursForm::of(&hours).check().unwrap(), hours);
    assert_eq!(HoursForm::of(&hours).exceptions, "2026-12-01\n2026-12-05 14:00-16:00\n2026-12-02 8:00-9:00");
}

#[test]
fn clocks_that_change_skip_times_and_repeat_them() {
    let night = every_day("1-4");
    let half = rules(30, 30);
    let times = |zone: &str, rules: &BookingRules, date: &str| {
        let now = Timestamp::from_millisecond((day(date) - 3) * DAY_MS).unwrap().to_string();
        let times = offered(zone, &night, rules, &[], &now, date);
        times.iter().map(|time| time[..5].to_owned()).collect::<Vec<_>>().join(" ")
    };
    for (zone, rules, date, expected) in [
        // From 2:00 to 3:00, and from 3:00 to 2:00.
        ("Europe/Berlin", half, "2026-03-29", "01:00 01:30 03:00 03:30"),
        ("Europe/Berlin", half, "2026-10-25", "01:00 01:30 02:00 02:30 02:00 02:30 03:00 03:30"),
        // Two hours of work before and after the gap.
        ("Europe/Berlin", super::BookingRules { minutes: 120, ..half }, "2026-03-29", "01:00"),
        ("Europe/Berlin", super::BookingRules { minutes: 240, ..half }, "2026-10-25", "01:00"),
        // By half an hour, from 2:00 to 2:30 and back.
        ("Australia/Lord_Howe", half, "2026-10-04", "01:00 01:30 02:30 03:00 03:30"),
        ("Australia/Lord_Howe", half, "2026-04-05", "01:00 01:30 01:30 02:00 02:30 03:00 03:30"),
        // At midnight.
        ("America/Havana", half, "2026-03-08", "01:00 01:30 02:00 02:30 03:00 03:30"),
        ("Asia/Kathmandu", half, "2026-03-29", "01:00 01:30 02:00 02:30 03:00 03:30"),
        // Samoa had no 30 December 2011.
        ("Pacific/Apia", half, "2011-12-29", "01:00 01:30 02:00 02:30 03:00 03:30"),
        ("Pacific/Apia", half, "2011-12-30", ""),
        ("Pacific/Apia", half, "2011-12-31", "01:00 01:30 02:00 02:30 03:00 03:30"),
    ] {
        assert_eq!(times(zone, &rules, date), expected, "{zone} {date}");
    }
}

#[test]
fn appointments_last_past_midnight_if_it_is_open() {
    let open = every_day("0-24");
    let times = |rules: &BookingRules| {
        offered("Asia/Kolkata", &open, rules, &[], "2026-11-20T00:00:00Z", "2026-12-01").len()
    };
    assert_eq!(times(&rules(120, 60)), 24);
    let closes = every_day("8-24");
    let last = offered("UTC", &closes, &rules(120, 60), &[], "2026-11-20T00:00:00Z", "2026-12-01").pop();
    assert_eq!(last.unwrap(), "22:00 2026-12-01T22:00:00Z");
}

#[test]
fn hours_are_read_as_people_type_them() {
    let range = |from, to| MinuteRange { from, to };
    for (text, expected) in [
        ("", Ok(vec![])),
        ("9-13", Ok(vec![range(540, 780)])),
        (" 14:00 – 18.30 ; 9:00-13:00 ", Ok(vec![range(540, 780), range(840, 1110)])),
        ("22:00-0:00", Ok(vec![range(1320, 1440)])),
        ("0-24", Ok(vec![range(0, 1440)])),
        ("9-13, 13-15", Ok(vec![range(540, 780), range(780, 900)])),
        ("9-13, 12-15", Err(FieldCode::NotHours)),
        ("13-9", Err(FieldCode::NotHours)),
        ("9-9", Err(FieldCode::NotHours)),
        ("9:01-10:00", Err(FieldCode::NotHours)),
        ("9:60-11:00", Err(FieldCode::NotHours)),
        ("9-25", Err(FieldCode::NotHours)),
        ("nine to five", Err(FieldCode::NotHours)),
        ("9:5-10:00", Err(FieldCode::NotHours)),
        ("1-2,3-4,5-6,7-8,9-10,11-12,13-14,15-16,17-18", Err(FieldCode::TooMany)),
    ] {
        assert_eq!(ranges(text), expected, "{text}");
    }
    let form = HoursForm { exceptions: "2026-12-25\n2026-12-25 9-10".into(), ..HoursForm::default() };
    assert_eq!(form.check().unwrap_err(), [FieldError::new(EXCEPTIONS_FIELD, FieldCode::NotUnique)]);
    let form = HoursForm { exceptions: "Christmas".into(), ..HoursForm::default() };
    assert_eq!(form.check().unwrap_err(), [FieldError::new(EXCEPTIONS_FIELD, FieldCode::NotDate)]);
    let weekly = std::array::from_fn(|at| if at == 6 { "?".to_owned() } else { String::new() });
    let form = HoursForm { weekly, exceptions: String::new() };
    assert_eq!(form.check().unwrap_err(), [FieldError::new("sunday", FieldCode::NotHours)]);
}

#[test]
fn spans_touch_cells() {
    let cells = |from, to| Span { from, to }.cells();
    assert_eq!(cells(0, CELL_MS), 0..1);
    assert_eq!(cells(CELL_MS, 4 * CELL_MS), 1..4);
    assert_eq!(cells(1, CELL_MS + 1), 0..2);
    assert_eq!(cells(-CELL_MS, 0), -1..0);
}

/// The same, cell by cell: what is the wall time of each, and is everything open and free until the end?
fn slowly(
    zone: &TimeZone,
    hours: &Hours,
    rules: &BookingRules,
    busy: &[Span],
    now: i64,
    days: std::ops::RangeInclusive<i64>,
) -> Vec<FreeTime> {
    let wall = |at: i64| {
        let time = Timestamp::from_millisecond(at).unwrap().to_zoned(zone.clone());
        let day = text::day(&time.strftime("%Y-%m-%d").to_string()).unwrap();
        (day, i64::from(time.hour()) * 60 + i64::from(time.minute()))
    };
    let today = wall(now).0;
    // One moment at a time.
    let first = (days.start() - 2) * DAY_MS / CELL_MS;
    let cells = first..(days.end() + 4) * DAY_MS / CELL_MS;
    let cells: Vec<_> = cells
        .map(|cell| {
            let (day, minute) = wall(cell * CELL_MS);
            let open = hours.of(day).into_iter().find(|range| (range.from..range.to).contains(&minute));
            (day, minute, open)
        })
        .collect();
    let at = |cell: i64| cells.get(usize::try_from(cell - first).unwrap());
    let mut starts = Vec::new();
    for (cell, (day, minute, open)) in (first..).zip(&cells) {
        let starts_at = cell * CELL_MS;
        let offered = open.is_some_and(|range| (minute - range.from) % rules.step == 0);
        let free = offered
            && days.contains(day)
            && *day <= today + rules.window_days
            && starts_at >= now + rules.notice * 60_000
            && (0..rules.minutes / CELL_MINUTES)
                .all(|later| at(cell + later).is_some_and(|(.., open)| open.is_some()))
            && rules.blocked(starts_at).cells().all(|cell| {
                let at = cell * CELL_MS;
                !busy.iter().any(|taken| taken.from <= at && at < taken.to)
            });
        if free {
            starts.push(FreeTime { starts_at, day: *day, minute: *minute });
        }
    }
    starts
}

/// The changes of a zone's clocks from 2020 to 2037.
fn changes(zone: &TimeZone) -> Vec<i64> {
    let until = ms("2038-01-01T00:00:00Z");
    let changes = zone.following("2020-01-01T00:00:00Z".parse().unwrap());
    changes.map(|change| change.timestamp().as_millisecond()).take_while(|change| *change < until).collect()
}

fn some_ranges() -> impl Strategy<Value = Vec<MinuteRange>> {
    let range = (0..288i64, 1..=120i64)
        .prop_map(|(from, long)| MinuteRange { from: from * 5, to: ((from + long) * 5).min(1440) });
    prop::collection::vec(range, 0..4)
}

fn some_hours() -> impl Strategy<Value = Hours> {
    // Around midnight and in the small hours, since clocks are changed then.
    let night = Just(vec![MinuteRange { from: 0, to: 360 }, MinuteRange { from: 1200, to: 1440 }]);
    let day = prop_oneof![some_ranges(), night];
    prop::array::uniform7(day).prop_map(|weekly| Hours { weekly, exceptions: Vec::new() })
}

fn some_rules() -> impl Strategy<Value = BookingRules> {
    (1..=36i64, 0..=6i64, 0..=6i64, 0..=300i64, 0..=5i64, 1..=24i64).prop_map(
        |(minutes, before, after, notice, window_days, step)| BookingRules {
            minutes: minutes * 5,
            before: before * 5,
            after: after * 5,
            notice,
            window_days,
            step: step * 5,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn free_times_are_those_of_the_obvious_way(
        name in prop::sample::select(ZONES.to_vec()),
        change in any::<prop::sample::Index>(),
        before in -2..=2i64,
        since in 0..4_000i64,
        hours in some_hours(),
        rules in some_rules(),
        busy in prop::collection::vec((-600..600i64, 1..40i64), 0..4),
        off in prop::option::of((-1..=2i64, some_ranges())),
    ) {
        let zone = zone(name).unwrap();
        let changes = changes(&zone);
        let about = match changes.is_empty() {
            true => ms("2026-06-01T00:00:00Z"),
            false => changes[change.index(changes.len())],
        };
        let first = day_in(&zone, about) + before;
        let now = about - since * 60_000;
        let busy: Vec<Span> = busy.into_iter().map(|(from, long)| {
            let from = about.div_euclid(CELL_MS) + from;
            Span { from: from * CELL_MS, to: (from + long) * CELL_MS }
        }).collect();
        let exceptions = off.map(|(at, open)| DayHours { date: date(first + at), open });
        let hours = Hours { exceptions: exceptions.into_iter().collect(), ..hours };
        let fast = free_times(&zone, &hours, &rules, &busy, now, first..=first + 1);
        let slow = slowly(&zone, &hours, &rules, &busy, now, first..=first + 1);
        prop_assert_eq!(&fast, &slow, "{} {}", name, Timestamp::from_millisecond(about).unwrap());
        for free in fast {
            prop_assert!(is_free(&zone, &hours, &rules, &busy, now, free.starts_at));
        }
    }
}

/// Each change of each zone once, with hours around the clock and with those that begin during a usual gap.
#[test]
fn every_change_from_2020_to_2037_agrees_with_the_obvious_way() {
    let mut seen = 0;
    for name in ZONES {
        let zone = zone(name).unwrap();
        for about in changes(&zone) {
            seen += 1;
            let day = day_in(&zone, about);
            let text = ["0-24", "0:30-2:30, 2:45-5"][seen % 2];
            let (hours, rules) = (every_day(text), rules(45, 15));
            let now = about - 2 * DAY_MS;
            let fast = free_times(&zone, &hours, &rules, &[], now, day - 1..=day + 1);
            let slow = slowly(&zone, &hours, &rules, &[], now, day - 1..=day + 1);
            assert_eq!(fast, slow, "{name} {}", Timestamp::from_millisecond(about).unwrap());
        }
    }
    assert!(seen > 300, "{seen}");
}
