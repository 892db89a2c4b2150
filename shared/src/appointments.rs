//! Services that are booked for a time: what sellers say of them, who does them, and what shoppers see.

use serde::{Deserialize, Serialize};

use crate::{
    availability::{
        BookingRules, CELL_MINUTES, EXCEPTIONS_FIELD, Hours, HoursForm, MINUTES_MAX, WEEKDAY_FIELDS,
        WINDOW_DAYS_MAX,
    },
    field::{FieldCode, FieldError, ValidationErrors},
    id::kinds::{AppointmentId, ProductId, ProviderId},
    media::Picture,
    money::{Money, MoneyError},
    routes, text,
};

/// The beginning of the names of the checkboxes of providers, before their IDs.
pub const PROVIDER_FIELD: &str = "provider.";
/// The most characters of a provider's name and town.
pub const NAME_MAX: usize = 80;
/// The most characters of a provider's introduction.
pub const BIO_MAX: usize = 600;
/// So many providers a shop can have.
pub const PROVIDERS_MAX: i64 = 50;
/// The longest notice, in hours.
pub const NOTICE_HOURS_MAX: i64 = 30 * 24;

text_enum! {
    /// Where a service takes place.
    #[derive(Default)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ServicePlace {
        /// At the customer's.
        Customer = "customer",
        /// Where the provider works.
        #[default]
        Provider = "provider",
        /// By video or phone.
        Online = "online",
    }
}

text_enum! {
    /// What became of an appointment.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum AppointmentState {
        /// It is to take place.
        Booked = "booked",
        /// It took place.
        Done = "done",
        /// The customer didn't come.
        NoShow = "no_show",
        /// It was cancelled, and its time is free again.
        Cancelled = "cancelled",
    }
}

/// What customers who change their plans can expect. An appointment has the terms of its service when it was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeTerms {
    /// Until how many minutes before an appointment customers move it, or cancel it for free.
    pub change_minutes: i64,
    /// What the shop keeps of the price, in percent, if they cancel later, or don't come.
    pub fee_percent: i64,
}

impl ChangeTerms {
    /// Whether the customer may still move an appointment that starts then, or cancel it for free. Times are milliseconds since 1970.
    pub fn is_free(&self, starts_at: i64, now: i64) -> bool {
        now < starts_at && now <= starts_at - self.change_minutes * 60_000
    }

    /// What the shop keeps of what was paid, rounded down.
    pub fn fee(&self, paid: Money) -> Result<Money, MoneyError> {
        paid.part(100, 0, self.fee_percent)
    }
}

/// What becomes of what was paid if an appointment is cancelled now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// What is refunded. None if nothing was paid yet.
    pub refund: Option<Money>,
    /// What the shop keeps.
    pub fee: Money,
}

/// How a product is booked, as typed. Numbers are minutes unless they say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceForm {
    /// One of [`ServicePlace`].
    pub place: String,
    /// How long an appointment takes.
    pub minutes: String,
    /// The buffer before it.
    pub before: String,
    /// The buffer after it.
    pub after: String,
    /// The notice, in hours.
    pub notice_hours: String,
    /// How many days ahead it can be booked.
    pub window_days: String,
    /// The interval of starts.
    pub step: String,
    /// Until how many hours before it customers move an appointment, or cancel it for free.
    pub change_hours: String,
    /// What the shop keeps of the price, in percent, if they cancel later, or don't come.
    pub fee_percent: String,
    /// Who does it.
    pub providers: Vec<String>,
}

/// A form that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidService {
    /// Where it takes place.
    pub place: ServicePlace,
    /// How it is booked.
    pub rules: BookingRules,
    /// What customers who change their plans can expect.
    pub terms: ChangeTerms,
    /// Who does it.
    pub providers: Vec<ProviderId>,
}

impl ServiceForm {
    /// The fields, in the order of the form.
    pub const FIELDS: [&'static str; 10] = [
        "place",
        "minutes",
        "before",
        "after",
        "notice_hours",
        "window_days",
        "step",
        "change_hours",
        "fee_percent",
        "providers",
    ];

    /// The form as it was sent: the providers are the names of its checkboxes.
    pub fn read<'t>(value: impl Fn(&str) -> String, names: impl Iterator<Item = &'t String>) -> Self {
        let mut providers: Vec<String> =
            names.filter_map(|name| name.strip_prefix(PROVIDER_FIELD)).map(str::to_owned).collect();
        providers.sort_unstable();
        Self {
            place: value("place"),
            minutes: value("minutes"),
            before: value("before"),
            after: value("after"),
            notice_hours: value("notice_hours"),
            window_days: value("window_days"),
            step: value("step"),
            change_hours: value("change_hours"),
            fee_percent: value("fee_percent"),
            providers,
        }
    }

    /// What a new service begins with.
    pub fn new() -> Self {
        let text = str::to_owned;
        Self {
            place: ServicePlace::Provider.as_str().to_owned(),
            minutes: text("60"),
            before: text("0"),
            after: text("0"),
            notice_hours: text("2"),
            window_days: text("60"),
            step: text("30"),
            change_hours: text("24"),
            fee_percent: text("50"),
            providers: Vec::new(),
        }
    }

    /// The service, or what is wrong with each field.
    pub fn check(&self) -> Result<ValidService, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let place = ServicePlace::parse(&self.place).unwrap_or_else(|| {
            faults.add("place", FieldCode::NotAChoice);
            ServicePlace::Provider
        });
        // Calendars are divided into cells.
        let in_cells = |field: &str, text: &str, least: i64, most: i64| {
            let minutes = text::whole_number(field, text, least, most)?;
            match minutes % CELL_MINUTES {
                0 => Ok(minutes),
                _ => Err(FieldError::new(field, FieldCode::NotFiveMinutes)),
            }
        };
        let rules = BookingRules {
            minutes: faults.take(in_cells("minutes", &self.minutes, CELL_MINUTES, MINUTES_MAX)),
            before: faults.take(in_cells("before", &self.before, 0, MINUTES_MAX)),
            after: faults.take(in_cells("after", &self.after, 0, MINUTES_MAX)),
            notice: faults.take(text::whole_number("notice_hours", &self.notice_hours, 0, NOTICE_HOURS_MAX))
                * 60,
            window_days: faults.take(text::whole_number(
                "window_days",
                &self.window_days,
                0,
                WINDOW_DAYS_MAX,
            )),
            step: faults.take(in_cells("step", &self.step, CELL_MINUTES, MINUTES_MAX)),
        };
        let change = text::whole_number("change_hours", &self.change_hours, 0, NOTICE_HOURS_MAX);
        let terms = ChangeTerms {
            change_minutes: faults.take(change) * 60,
            fee_percent: faults.take(text::whole_number("fee_percent", &self.fee_percent, 0, 100)),
        };
        let mut providers = Vec::new();
        for id in &self.providers {
            match id.parse() {
                Ok(id) => providers.push(id),
                Err(_) => faults.add("providers", FieldCode::NotAChoice),
            }
        }
        if self.providers.is_empty() {
            faults.add("providers", FieldCode::Missing);
        }
        faults.finish(ValidService { place, rules, terms, providers })
    }

    /// The form of a service.
    pub fn of(
        place: ServicePlace,
        rules: &BookingRules,
        terms: ChangeTerms,
        providers: &[ProviderId],
    ) -> Self {
        Self {
            place: place.as_str().to_owned(),
            minutes: rules.minutes.to_string(),
            before: rules.before.to_string(),
            after: rules.after.to_string(),
            notice_hours: (rules.notice / 60).to_string(),
            window_days: rules.window_days.to_string(),
            step: rules.step.to_string(),
            change_hours: (terms.change_minutes / 60).to_string(),
            fee_percent: terms.fee_percent.to_string(),
            providers: providers.iter().map(ProviderId::to_string).collect(),
        }
    }
}

/// A provider as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProviderForm {
    /// The name.
    pub name: String,
    /// A short introduction. May be empty.
    pub bio: String,
    /// Where they work. May be empty.
    pub town: String,
    /// The name of their time zone.
    pub zone: String,
    /// The hours of each weekday, from Monday to Sunday.
    pub weekly: [String; 7],
    /// Days with other hours, one a line.
    pub exceptions: String,
    /// Whether they can be booked.
    pub active: bool,
}

/// A provider whose form was checked. Whether the zone exists is known to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidProvider {
    /// The name.
    pub name: String,
    /// A short introduction. May be empty.
    pub bio: String,
    /// Where they work. May be empty.
    pub town: String,
    /// The name of their time zone.
    pub zone: String,
    /// When they work.
    pub hours: Hours,
    /// Whether they can be booked.
    pub active: bool,
}

impl ProviderForm {
    /// The form as it was sent.
    pub fn read(value: impl Fn(&str) -> String) -> Self {
        Self {
            name: value("name"),
            bio: value("bio"),
            town: value("town"),
            zone: value("zone"),
            weekly: WEEKDAY_FIELDS.map(&value),
            exceptions: value(EXCEPTIONS_FIELD),
            active: value("active") == "true",
        }
    }

    /// What a new provider begins with.
    pub fn new(zone: &str) -> Self {
        let weekly =
            std::array::from_fn(
                |at| if at < 5 { "9:00-13:00, 14:00-18:00".to_owned() } else { String::new() },
            );
        Self { zone: zone.to_owned(), weekly, active: true, ..Self::default() }
    }

    /// The provider, or what is wrong with each field.
    pub fn check(&self) -> Result<ValidProvider, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let name = faults.take(text::line("name", &self.name, NAME_MAX));
        let bio = faults.take(text::paragraphs("bio", &self.bio, BIO_MAX));
        let town = faults.take(text::optional_line("town", &self.town, NAME_MAX));
        let zone = faults.take(text::line("zone", &self.zone, NAME_MAX));
        let form = HoursForm { weekly: self.weekly.clone(), exceptions: self.exceptions.clone() };
        let hours = form.check().unwrap_or_else(|wrong| {
            for fault in wrong {
                faults.add(fault.field, fault.code);
            }
            Hours::default()
        });
        faults.finish(ValidProvider { name, bio, town, zone, hours, active: self.active })
    }
}

/// What a product page says of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceFacts {
    /// How long an appointment takes, in minutes.
    pub minutes: i64,
    /// Where it takes place.
    pub place: ServicePlace,
}

/// A service in the catalogue of services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceCard {
    /// The slug of its product.
    pub slug: String,
    /// The title.
    pub title: String,
    /// The beginning of its description.
    pub lead: String,
    /// The price of an appointment.
    pub price: Money,
    /// How long it takes, and where.
    pub facts: ServiceFacts,
    /// The shop.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// The towns of its providers.
    pub towns: Vec<String>,
    /// Its cover.
    pub picture: Option<Picture>,
}

/// Which services are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FindServices {
    /// Only services of providers in this town. Empty for all.
    pub town: String,
    /// Only services that are free on this day: `2026-12-01`. Empty for all.
    pub day: String,
}

/// Someone who does a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderView {
    /// The ID.
    pub id: ProviderId,
    /// The name.
    pub name: String,
    /// A short introduction. May be empty.
    pub bio: String,
    /// Where they work. May be empty.
    pub town: String,
    /// The name of their time zone.
    pub zone: String,
}

/// What is asked of a calendar.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AskedCalendar {
    /// The ID of a provider. Empty for any.
    pub provider: String,
    /// A month: `2026-12`. Empty for that of the first free time.
    pub month: String,
    /// A day: `2026-12-03`. Empty for the first free one of the month.
    pub day: String,
}

/// The page on which a time is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingPage {
    /// The slug of the product.
    pub slug: String,
    /// The title.
    pub title: String,
    /// The price of an appointment.
    pub price: Money,
    /// How long it takes, and where.
    pub facts: ServiceFacts,
    /// What customers who change their plans can expect.
    pub terms: ChangeTerms,
    /// The shop.
    pub shop_name: String,
    /// All who do it.
    pub providers: Vec<ProviderView>,
    /// The one that was chosen; none for any.
    pub provider: Option<ProviderId>,
    /// The month.
    pub month: CalendarMonth,
    /// The day that is shown, if it has free times: `2026-12-03`.
    pub day: Option<String>,
    /// The free times of that day, in order.
    pub times: Vec<OfferedTime>,
    /// The first day from now on with free times, if there is any.
    pub first_free: Option<String>,
}

/// A month as a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarMonth {
    /// `2026-12`.
    pub month: String,
    /// The month before, unless it is over.
    pub previous: Option<String>,
    /// The next one, unless nothing can be booked so far ahead.
    pub next: Option<String>,
    /// Today, for the providers: `2026-11-29`.
    pub today: String,
    /// The weeks, from Monday to Sunday. None for days of other months.
    pub weeks: Vec<[Option<CalendarDay>; 7]>,
}

/// A day of a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarDay {
    /// `2026-12-03`.
    pub date: String,
    /// How many times are free.
    pub free: usize,
}

/// A time that can be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedTime {
    /// With whom.
    pub provider: ProviderId,
    /// Their name.
    pub provider_name: String,
    /// In milliseconds since 1970.
    pub starts_at: i64,
    /// The time of day in the provider's zone: `09:30`.
    pub time: String,
    /// Which of two equal times it is, when clocks are put back: the abbreviation or the offset of the zone.
    pub zone: String,
    /// When it starts, as other times are shown: `2026-12-03T09:30:00+05:30[IST]`.
    pub local: String,
}

/// A free time of a service, for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceTime {
    /// The ID of the provider.
    pub provider_id: ProviderId,
    /// Their name.
    pub provider_name: String,
    /// When an appointment would start: RFC 3339, with the offset of the provider's time zone.
    pub starts_at: String,
    /// When it would end: RFC 3339.
    pub ends_at: String,
    /// The name of the provider's time zone: `Asia/Kolkata`.
    pub zone: String,
}

/// A time that was chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenTime {
    /// The slug of the product.
    pub slug: String,
    /// The ID of the provider.
    pub provider: String,
    /// In milliseconds since 1970.
    pub starts_at: String,
}

/// An appointment that is to be moved or cancelled, and who asks for it: its shop, or whoever may see its purchase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Moving {
    /// The ID of the appointment.
    pub id: String,
    /// The shop's handle. Empty for the customer.
    pub shop: String,
    /// The number of the purchase. Empty for the shop.
    pub purchase: String,
    /// The key of the page of the purchase. May be empty.
    pub key: String,
}

impl Moving {
    /// Reads it from the fields of a form or an address; `None` if nothing is moved.
    pub fn read(value: impl Fn(&str) -> String) -> Option<Self> {
        let of =
            Self { id: value("move"), shop: value("shop"), purchase: value("purchase"), key: value("key") };
        (!of.id.is_empty()).then_some(of)
    }

    /// The link to the page on which it is cancelled.
    pub fn cancel_link(&self) -> String {
        let fields = self.fields();
        routes::with(&routes::cancel_appointment(&self.id), &fields[1..])
    }

    /// The fields.
    pub fn fields(&self) -> [(&'static str, &str); 4] {
        [("move", &self.id), ("shop", &self.shop), ("purchase", &self.purchase), ("key", &self.key)]
    }
}

/// An appointment, for whoever booked it and for its shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentView {
    /// The ID.
    pub id: AppointmentId,
    /// The service.
    pub title: String,
    /// With whom.
    pub provider: String,
    /// Where it takes place.
    pub place: ServicePlace,
    /// The state.
    pub state: AppointmentState,
    /// When it starts, in the provider's zone: `2026-12-03T09:30:00+05:30[IST]`.
    pub starts_at: String,
    /// When it ends.
    pub ends_at: String,
    /// The name of the zone.
    pub zone: String,
    /// The number of its order.
    pub order: String,
    /// The number of its purchase, and the key of its page.
    pub purchase: (String, String),
    /// The customer's name. Only for the shop.
    pub customer: String,
    /// Where the customer lives. Only for the shop, if it takes place there.
    pub address: String,
    /// Whether it has begun.
    pub begun: bool,
    /// The slug of the service on whose calendar whoever sees this may move it. Empty if it can't be moved by them.
    pub movable: String,
    /// What becomes of what was paid if whoever sees this cancels it now. None if it can't be cancelled by them.
    pub cancellation: Option<Cancellation>,
    /// What the shop kept of its price.
    pub fee: Option<Money>,
}

/// The services of a shop, for its staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopServices {
    /// Its services.
    pub services: Vec<ShopService>,
    /// Its providers.
    pub providers: Vec<ShopProvider>,
    /// The products that could be services: title and ID.
    pub products: Vec<(String, ProductId)>,
    /// The time zone of new providers.
    pub zone: String,
    /// The day whose appointments are listed: `2026-12-01`.
    pub day: String,
    /// The day before and the next one.
    pub around: (String, String),
    /// Today.
    pub today: String,
    /// The appointments of that day, in the order of their starts.
    pub appointments: Vec<AppointmentView>,
    /// The address of the caller's calendar of all of them. None if there is none.
    pub feed: Option<FeedLink>,
}

/// An address under which programs read a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedLink {
    /// The URL of the market.
    pub market: String,
    /// The name of the file, which has the key.
    pub file: String,
}

impl FeedLink {
    /// The whole address.
    pub fn address(&self) -> String {
        format!("{}{}", self.market, routes::calendar_feed(&self.file))
    }
}

/// What a shopper has booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnAppointments {
    /// The appointments, the latest first.
    pub appointments: Vec<AppointmentView>,
    /// The address of the calendar that has them. None if there is none.
    pub feed: Option<FeedLink>,
}

/// A service of a shop, for its staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopService {
    /// The product.
    pub product: ProductId,
    /// The title.
    pub title: String,
    /// The form.
    pub form: ServiceForm,
}

/// A provider of a shop, for its staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopProvider {
    /// The ID.
    pub id: ProviderId,
    /// The form.
    pub form: ProviderForm,
}

/// A calendar entry (RFC 5545), for the file of an appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEntry {
    /// The same for all versions.
    pub uid: String,
    /// The version.
    pub sequence: i64,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// What it is called.
    pub summary: String,
    /// More about it. May be empty.
    pub description: String,
    /// Where it is. May be empty.
    pub location: String,
    /// The page of the purchase.
    pub url: String,
    /// When this version was written, in UTC: `20261203T040000Z`.
    pub stamp: String,
    /// When it starts and ends, in UTC.
    pub span: (String, String),
}

/// How often programs look at a feed again, at least: an hour.
const FEED_REFRESH: &str = "REFRESH-INTERVAL;VALUE=DURATION:PT1H";

/// A calendar that programs read again and again: what is no longer in it vanishes from theirs.
pub fn calendar_feed(name: &str, entries: &[CalendarEntry]) -> String {
    // Outlook and Google know the name only by the older property.
    let name = escaped(name);
    let about = [format!("NAME:{name}"), format!("X-WR-CALNAME:{name}"), FEED_REFRESH.to_owned()];
    calendar(&about, entries)
}

/// A file of calendar entries: an invitation, or if all of them were cancelled, their cancellation.
pub fn calendar_file(entries: &[CalendarEntry]) -> String {
    let method = if entries.iter().all(|entry| entry.cancelled) { "CANCEL" } else { "PUBLISH" };
    calendar(&[format!("METHOD:{method}")], entries)
}

fn calendar(about: &[String], entries: &[CalendarEntry]) -> String {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Haat//Appointments//EN".to_owned(),
    ];
    lines.extend_from_slice(about);
    for entry in entries {
        lines.extend([
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{}", entry.uid),
            format!("SEQUENCE:{}", entry.sequence),
            format!("STATUS:{}", if entry.cancelled { "CANCELLED" } else { "CONFIRMED" }),
            format!("DTSTAMP:{}", entry.stamp),
            format!("DTSTART:{}", entry.span.0),
            format!("DTEND:{}", entry.span.1),
            format!("SUMMARY:{}", escaped(&entry.summary)),
        ]);
        for (name, text) in [("DESCRIPTION", &entry.description), ("LOCATION", &entry.location)] {
            if !text.is_empty() {
                lines.push(format!("{name}:{}", escaped(text)));
            }
        }
        if !entry.url.is_empty() {
            lines.push(format!("URL:{}", entry.url));
        }
        lines.push("END:VEVENT".to_owned());
    }
    lines.push("END:VCALENDAR".to_owned());
    lines.iter().map(|line| folded(line)).collect()
}

/// Text of a calendar entry.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A line of at most 75 bytes, continued on the next ones, which begin with a space.
fn folded(line: &str) -> String {
    let (mut folded, mut room) = (String::with_capacity(line.len() + 2), 75);
    for c in line.chars() {
        if c.len_utf8() > room {
            folded.push_str("\r\n ");
            room = 74;
        }
        room -= c.len_utf8();
        folded.push(c);
    }
    folded + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider() -> String {
        ProviderId::from_bits(1).to_string()
    }

    #[test]
    fn services_are_checked() {
        let form = ServiceForm { providers: vec![provider()], ..ServiceForm::new() };
        let valid = form.check().unwrap();
        assert_eq!((valid.rules.minutes, valid.rules.notice, valid.place), (60, 120, ServicePlace::Provider));
        assert_eq!(ServiceForm::of(valid.place, &valid.rules, valid.terms, &valid.providers), form);
        let cases: [(&str, fn(&mut ServiceForm), FieldCode); 9] = [
            ("place", |form| form.place = "moon".into(), FieldCode::NotAChoice),
            ("minutes", |form| form.minutes = "0".into(), FieldCode::TooSmall),
            ("minutes", |form| form.minutes = "725".into(), FieldCode::TooBig),
            ("minutes", |form| form.minutes = "42".into(), FieldCode::NotFiveMinutes),
            ("step", |form| form.step = "7".into(), FieldCode::NotFiveMinutes),
            ("notice_hours", |form| form.notice_hours = "soon".into(), FieldCode::NotNumber),
            ("window_days", |form| form.window_days = "366".into(), FieldCode::TooBig),
            ("fee_percent", |form| form.fee_percent = "101".into(), FieldCode::TooBig),
            ("providers", |form| form.providers.clear(), FieldCode::Missing),
        ];
        for (field, change, code) in cases {
            let mut wrong = form.clone();
            change(&mut wrong);
            assert_eq!(wrong.check().unwrap_err(), [FieldError::new(field, code)]);
        }
    }

    #[test]
    fn a_fee_is_kept_of_what_is_cancelled_late() {
        let terms = ChangeTerms { change_minutes: 60, fee_percent: 50 };
        let minutes = |minutes: i64| minutes * 60_000;
        let table = [
            (0, true),
            (minutes(39), true),
            (minutes(40), true),
            (minutes(40) + 1, false),
            (minutes(101), false),
        ];
        for (now, free) in table {
            assert_eq!(terms.is_free(minutes(100), now), free, "{now}");
        }
        assert!(!ChangeTerms { change_minutes: 0, ..terms }.is_free(minutes(100), minutes(100)));
        let of = |percent, paid| {
            let terms = ChangeTerms { fee_percent: percent, ..terms };
            terms.fee(Money::new(paid, crate::Currency::INR)).unwrap().amount()
        };
        assert_eq!([of(0, 999), of(50, 999), of(100, 999), of(33, 100), of(1, 99)], [0, 499, 999, 33, 0]);
    }

    #[test]
    fn providers_are_checked() {
        let form = ProviderForm { name: "Asha".into(), ..ProviderForm::new("Asia/Kolkata") };
        let valid = form.check().unwrap();
        assert_eq!(
            (valid.name.as_str(), valid.hours.weekly[0].len(), valid.hours.weekly[6].len()),
            ("Asha", 2, 0)
        );
        let mut wrong = ProviderForm { name: " ".into(), zone: String::new(), ..form };
        wrong.weekly[2] = "all day".into();
        let fields: Vec<_> = wrong.check().unwrap_err().into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["name", "zone", "wednesday"]);
    }

    #[test]
    fn calendar_entries_follow_the_standard() {
        let entry = CalendarEntry {
            uid: "appt_1@haat.example".into(),
            sequence: 0,
            cancelled: false,
            summary: "Haircut; wash, dry".into(),
            description: format!("With Asha\n{}", "ü".repeat(60)),
            location: String::new(),
            url: "https://haat.example/purchases/1".into(),
            stamp: "20261129T120000Z".into(),
            span: ("20261203T043000Z".into(), "20261203T053000Z".into()),
        };
        let file = calendar_file(std::slice::from_ref(&entry));
        assert!(file.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"), "{file}");
        assert!(file.ends_with("END:VEVENT\r\nEND:VCALENDAR\r\n"));
        assert!(file.contains("\r\nMETHOD:PUBLISH\r\n"));
        assert!(file.contains("\r\nSUMMARY:Haircut\\; wash\\, dry\r\n"));
        assert!(!file.contains("LOCATION"));
        assert!(file.split("\r\n").all(|line| line.len() <= 75));
        let whole = file.replace("\r\n ", "");
        assert!(whole.contains(&format!("DESCRIPTION:With Asha\\n{}", "ü".repeat(60))));
        let feed = calendar_feed("Meena Crafts, Pune", std::slice::from_ref(&entry));
        assert!(
            feed.contains("\r\nX-WR-CALNAME:Meena Crafts\\, Pune\r\n") && !feed.contains("METHOD"),
            "{feed}"
        );
        let gone = CalendarEntry { sequence: 1, cancelled: true, ..entry.clone() };
        assert!(calendar_file(&[gone.clone(), entry]).contains("METHOD:PUBLISH\r\n"));
        let gone = calendar_file(&[gone]);
        assert!(
            gone.contains("METHOD:CANCEL\r\n")
                && gone.contains("STATUS:CANCELLED\r\n")
                && gone.contains("SEQUENCE:1\r\n")
        );
    }
}
