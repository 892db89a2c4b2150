//! Services: products that are booked for a time. Their catalogue, the calendar on which a time is chosen, and how sellers
//! keep services and providers. When someone is free is decided by `haat_shared::availability`; what is booked, by `bookings`.

use std::collections::BTreeMap;

use crate::{
    Caller, Engine, TxResult,
    bookings::{self, NewTime, RulesRow},
    bug,
    carts::{self, Changed},
    clock::{DAY_MS, Zone, without_zone},
    currencies,
    db::Scalar,
    insert, params, random, rows, shops, statements,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    appointments::{
        AskedCalendar, BookingPage, CalendarDay, CalendarMonth, ChosenTime, FindServices, OfferedTime,
        PROVIDERS_MAX, ProviderForm, ProviderView, ServiceCard, ServiceFacts, ServiceForm, ServicePlace,
        ServiceTime, ShopProvider, ShopService,
    },
    availability::{BookingRules, FreeTime, Hours, HoursForm, Span, day_in, free_times, is_free, zone},
    carts::LINES_MAX,
    id::kinds::{CartId, CartLineId, ProductId, ProviderId, ShopId, VariantId},
    media::Picture,
    permissions::Permission,
    shipping::date,
    text,
};

/// So many services are listed.
const LISTED: i64 = 60;
/// So many characters of a description are shown in the list.
const LEAD: usize = 160;

macro_rules! rules {
    () => {
        "s.minutes, s.before_minutes, s.after_minutes, s.notice_minutes, s.step_minutes, s.window_days, s.change_minutes, s.fee_percent"
    };
}

statements! {
    LIST = concat!("SELECT s.product_id, p.slug, p.title, p.description, p.price_min_minor, h.currency, s.place, h.name AS shop_name, h.handle AS shop_handle, ", rules!(), ",
            m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM services s JOIN products p ON p.id = s.product_id AND p.state = 'published' JOIN shops h ON h.id = s.shop_id
        LEFT JOIN product_pictures pp ON pp.product_id = p.id AND pp.position = 0 LEFT JOIN media m ON m.id = pp.media_id
        WHERE EXISTS (SELECT 1 FROM provider_services x JOIN providers r ON r.id = x.provider_id
            WHERE x.product_id = s.product_id AND r.active)
        ORDER BY s.product_id DESC LIMIT $1");
    ALL_PROVIDERS = "SELECT x.product_id, r.id, r.name, r.bio, r.town, r.zone, r.hours FROM provider_services x
        JOIN providers r ON r.id = x.provider_id WHERE r.active ORDER BY r.created_at, r.id";
    SERVICE = concat!("SELECT p.id, p.slug, p.title, p.price_min_minor, h.currency, h.name AS shop_name, s.place, ", rules!(), "
        FROM products p JOIN services s ON s.product_id = p.id JOIN shops h ON h.id = p.shop_id
        WHERE p.slug = $1 AND p.state = 'published'");
    PROVIDERS = "SELECT x.product_id, r.id, r.name, r.bio, r.town, r.zone, r.hours FROM provider_services x
        JOIN providers r ON r.id = x.provider_id WHERE x.product_id = $1 AND r.active ORDER BY r.created_at, r.id";
    VARIANT = "SELECT id AS value FROM variants WHERE product_id = $1 AND NOT archived ORDER BY position, id LIMIT 1";
    CHOOSE = "INSERT INTO cart_bookings (line_id, provider_id, starts_at) VALUES ($1, $2, $3)
        ON CONFLICT (line_id) DO UPDATE SET provider_id = excluded.provider_id, starts_at = excluded.starts_at";
    OF_SHOP = concat!("SELECT s.product_id, p.title, s.place, ", rules!(), " FROM services s JOIN products p ON p.id = s.product_id
        WHERE s.shop_id = $1 ORDER BY p.title_key, s.product_id");
    WHO = "SELECT x.product_id, x.provider_id FROM services s JOIN provider_services x ON x.product_id = s.product_id
        WHERE s.shop_id = $1 ORDER BY x.product_id, x.provider_id";
    GOODS = "SELECT p.id, p.title FROM products p WHERE p.shop_id = $1 AND p.state <> 'archived'
            AND NOT EXISTS (SELECT 1 FROM services s WHERE s.product_id = p.id) ORDER BY p.id DESC LIMIT 100";
    PROVIDERS_OF_SHOP = "SELECT id, name, bio, town, zone, hours, active FROM providers WHERE shop_id = $1 ORDER BY created_at, id";
    OWN_PRODUCT = "SELECT id AS value FROM products WHERE id = $1 AND shop_id = $2";
    SAVE_PROVIDER = "UPDATE providers SET name = $3, bio = $4, town = $5, town_folded = $6, zone = $7, hours = $8, active = $9, updated_at = $10
        WHERE id = $1 AND shop_id = $2";
    FORGET = "DELETE FROM provider_services WHERE product_id = $1";
    // A service is sold without limit: its providers' time is what is scarce.
    UNLIMITED = "UPDATE variants SET capacity_id = NULL WHERE product_id = $1";
}

insert! {
    struct AddLine into cart_lines {
        id: CartLineId,
        cart_id: CartId,
        created_at: i64;
        variant_id = "v.id",
        shop_id = "v.shop_id",
        title = "p.title",
        variant_title = "v.title",
        quantity = "1",
        price_seen_minor = "COALESCE((SELECT x.price_minor FROM sale_prices x WHERE x.variant_id = v.id
            AND x.starts_at <= given.created_at AND x.ends_at > given.created_at AND x.price_minor < v.price_minor
            AND COALESCE((SELECT a.on_hand - a.held FROM capacities a WHERE a.id = x.capacity_id), 1) > 0), v.price_minor)",
    } => [variant: VariantId, lines_max: i64] "given JOIN variants v ON v.id = given.variant JOIN products p ON p.id = v.product_id
        WHERE p.state = 'published' AND NOT v.archived
            AND (SELECT COUNT(*) FROM cart_lines l WHERE l.cart_id = given.cart_id) < given.lines_max
        ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = 1, title = excluded.title RETURNING id AS value"

    struct AddProvider<'a> into providers {
        id: ProviderId,
        name: &'a str,
        bio: &'a str,
        town: &'a str,
        town_folded: String,
        zone: &'a str,
        hours: String,
        active: bool,
        created_at: i64,
        updated_at: i64;
        shop_id = "given.shop",
    } => [shop: ShopId, most: i64] "given WHERE (SELECT COUNT(*) FROM providers p WHERE p.shop_id = given.shop) < given.most"

    struct AddService into services {
        product_id: ProductId,
        shop_id: ShopId,
        place: ServicePlace,
        minutes: i64,
        before_minutes: i64,
        after_minutes: i64,
        notice_minutes: i64,
        step_minutes: i64,
        window_days: i64,
        change_minutes: i64,
        fee_percent: i64,
        updated_at: i64,
    } "ON CONFLICT (product_id) DO UPDATE SET place = excluded.place, minutes = excluded.minutes, before_minutes = excluded.before_minutes,
        after_minutes = excluded.after_minutes, notice_minutes = excluded.notice_minutes, step_minutes = excluded.step_minutes,
        window_days = excluded.window_days, change_minutes = excluded.change_minutes, fee_percent = excluded.fee_percent,
        updated_at = excluded.updated_at"

    struct AddWho into provider_services {
        product_id: ProductId;
        provider_id = "r.id",
    } => [shop: ShopId, provider: ProviderId] "given JOIN providers r ON r.id = given.provider AND r.shop_id = given.shop"
}

rows! {
    struct CardRow {
        product_id: ProductId,
        slug: String,
        title: String,
        description: String,
        price_min_minor: i64,
        currency: Currency,
        place: ServicePlace,
        shop_name: String,
        shop_handle: String;
        rules: RulesRow,
        picture: Option<Picture>
    }

    struct ProviderRow {
        product_id: ProductId,
        id: ProviderId,
        name: String,
        bio: String,
        town: String,
        zone: String,
        hours: String,
    }

    struct ServiceRow {
        id: ProductId,
        slug: String,
        title: String,
        price_min_minor: i64,
        currency: Currency,
        shop_name: String,
        place: ServicePlace;
        rules: RulesRow
    }

    struct ShopServiceRow {
        product_id: ProductId,
        title: String,
        place: ServicePlace;
        rules: RulesRow
    }

    struct WhoRow {
        product_id: ProductId,
        provider_id: ProviderId,
    }

    struct GoodsRow {
        id: ProductId,
        title: String,
    }

    struct ShopProviderRow {
        id: ProviderId,
        name: String,
        bio: String,
        town: String,
        zone: String,
        hours: String,
        active: bool,
    }
}

/// The services that someone does, the newest first: all, those of providers of a town, those that are free on a day. Returns
/// the towns of all providers, too.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    asked: &FindServices,
) -> Result<(Vec<ServiceCard>, Vec<String>)> {
    let rows: Vec<CardRow> = engine.db.all(&LIST, params![LISTED]).await?;
    let providers: Vec<ProviderRow> = engine.db.all(&ALL_PROVIDERS, params![]).await?;
    let mut towns: Vec<String> =
        providers.iter().map(|row| row.town.clone()).filter(|town| !town.is_empty()).collect();
    towns.sort_unstable();
    towns.dedup();
    let shown = currencies::shown(engine, caller).await?;
    let (town, day) = (text::fold(&asked.town), text::day(&asked.day));
    let mut cards = Vec::new();
    for row in rows {
        let of_service = providers.iter().filter(|provider| provider.product_id == row.product_id);
        let here: Vec<&ProviderRow> =
            of_service.filter(|provider| town.is_empty() || text::fold(&provider.town) == town).collect();
        if here.is_empty() {
            continue;
        }
        if let Some(day) = day {
            let days = day..=day;
            let free =
                Calendars::of(engine, row.product_id, row.rules.rules(), here.iter().copied(), days.clone())
                    .await?;
            if free.times(days).is_empty() {
                continue;
            }
        }
        let mut towns: Vec<String> =
            here.iter().map(|row| row.town.clone()).filter(|town| !town.is_empty()).collect();
        towns.sort_unstable();
        towns.dedup();
        let price = Money::new(row.price_min_minor, row.currency);
        cards.push(ServiceCard {
            slug: row.slug,
            title: row.title,
            lead: lead(&row.description),
            price: shown_price(engine, shown, price),
            facts: ServiceFacts { minutes: row.rules.rules().minutes, place: row.place },
            shop_name: row.shop_name,
            shop_handle: row.shop_handle,
            towns,
            picture: row.picture,
        });
    }
    Ok((cards, towns))
}

fn shown_price(engine: &Engine, shown: Option<currencies::Shown>, price: Money) -> Money {
    match shown {
        Some(shown) if price.currency() == engine.currency => shown.price(price),
        _ => price,
    }
}

/// The first line of a description, or as much of it as fits.
fn lead(description: &str) -> String {
    let line = description.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(LEAD) {
        None => line.to_owned(),
        Some((at, _)) => {
            let kept = &line[..at];
            format!("{}…", kept.rsplit_once(' ').map_or(kept, |(words, _)| words))
        }
    }
}

/// The calendars of some providers of a service.
struct Calendars {
    rules: BookingRules,
    now: i64,
    providers: Vec<(ProviderView, jiff::tz::TimeZone, Hours, Vec<Span>)>,
}

impl Calendars {
    async fn of<'r>(
        engine: &Engine,
        product: ProductId,
        rules: BookingRules,
        rows: impl Iterator<Item = &'r ProviderRow> + Send,
        days: std::ops::RangeInclusive<i64>,
    ) -> Result<Self> {
        // Wherever the providers are, their days begin and end less than a day apart.
        let span = Span { from: (days.start() - 1) * DAY_MS, to: (days.end() + 2) * DAY_MS };
        let rows: Vec<&ProviderRow> = rows.collect();
        let only = if let [one] = rows.as_slice() { Some(one.id) } else { None };
        let busy = bookings::busy(engine, product, only, span).await?;
        let mut providers = Vec::new();
        for row in rows {
            let zone = zone(&row.zone).ok_or_else(|| bug("a provider has an unknown zone"))?;
            let own = busy.iter().filter(|(of, _)| *of == row.id).map(|(_, span)| *span).collect();
            providers.push((row.view(), zone, bookings::hours(&row.hours)?, own));
        }
        Ok(Self { rules, now: engine.clock.now_ms(), providers })
    }

    /// The free times of these days, with the provider of each.
    fn times(&self, days: std::ops::RangeInclusive<i64>) -> Vec<(FreeTime, &ProviderView)> {
        let mut times = Vec::new();
        for (view, zone, hours, busy) in &self.providers {
            let free = free_times(zone, hours, &self.rules, busy, self.now, days.clone());
            times.extend(free.into_iter().map(|free| (free, view)));
        }
        times
    }
}

impl ProviderRow {
    fn view(&self) -> ProviderView {
        let Self { id, name, bio, town, zone, .. } = self;
        ProviderView { id: *id, name: name.clone(), bio: bio.clone(), town: town.clone(), zone: zone.clone() }
    }
}

/// The first day of the month of a day, and the first one of the next month.
fn month_of(day: i64) -> (i64, i64) {
    let first = |day: i64| text::day(&format!("{}-01", &date(day)[..7])).unwrap_or(day);
    let begin = first(day);
    (begin, first(begin + 31))
}

/// The calendar of a service: a month with its free days, and the free times of one of them.
pub async fn booking_page(
    engine: &Engine,
    caller: &Caller,
    slug: &str,
    asked: &AskedCalendar,
) -> Result<BookingPage> {
    let row: ServiceRow = engine.db.opt(&SERVICE, params![slug]).await?.ok_or(Error::NotFound)?;
    let rows: Vec<ProviderRow> = engine.db.all(&PROVIDERS, params![row.id]).await?;
    let providers: Vec<ProviderView> = rows.iter().map(ProviderRow::view).collect();
    let provider = asked.provider.parse().ok().filter(|id| rows.iter().any(|row| row.id == *id));
    let (rules, now) = (row.rules.rules(), engine.clock.now_ms());
    let zone = rows.iter().find(|row| provider.is_none_or(|id| row.id == id)).and_then(|row| zone(&row.zone));
    let today = zone.map_or_else(|| engine.zone.day(now), |zone| day_in(&zone, now));
    let last = today + rules.window_days;
    let chosen: Vec<&ProviderRow> =
        rows.iter().filter(|row| provider.is_none_or(|id| row.id == id)).collect();
    let calendars = async |days| Calendars::of(engine, row.id, rules, chosen.iter().copied(), days).await;
    // Mostly within some days, of which little has to be read. What is fully booked takes a few more looks.
    let (mut first_free, mut from, mut ahead) = (None, today - 1, 4);
    while first_free.is_none() && from <= last + 1 {
        let days = from..=from + ahead - 1;
        first_free = calendars(days.clone()).await?.times(days).iter().map(|(free, _)| free.day).min();
        (from, ahead) = (from + ahead, ahead * 3);
    }
    let wanted_day = text::day(&asked.day).filter(|day| (today - 1..=last + 1).contains(day));
    let month = text::day(&format!("{}-01", asked.month)).map(|month| month.max(month_of(today).0));
    let month = month.filter(|month| *month <= last);
    let (begin, end) = month_of(month.or(wanted_day).or(first_free).unwrap_or(today));
    let of_month = calendars(begin..=end - 1).await?;
    let times = of_month.times(begin..=end - 1);
    let mut free: BTreeMap<i64, usize> = BTreeMap::new();
    for (time, _) in &times {
        *free.entry(time.day).or_default() += 1;
    }
    let day = wanted_day.filter(|day| (begin..end).contains(day)).or_else(|| free.keys().next().copied());
    let mut of_day: Vec<OfferedTime> = times
        .iter()
        .filter(|(time, _)| Some(time.day) == day)
        .map(|(time, view)| offered(time, view))
        .collect();
    of_day.sort_by_key(|time| time.starts_at);
    // Whoever takes anyone chooses a time, not a provider.
    of_day.dedup_by_key(|time| time.starts_at);
    let shown = currencies::shown(engine, caller).await?;
    let price = Money::new(row.price_min_minor, row.currency);
    Ok(BookingPage {
        slug: row.slug,
        title: row.title,
        price: shown_price(engine, shown, price),
        facts: ServiceFacts { minutes: rules.minutes, place: row.place },
        terms: row.rules.terms(),
        shop_name: row.shop_name,
        providers,
        provider,
        month: CalendarMonth {
            month: date(begin)[..7].to_owned(),
            previous: (begin > today).then(|| date(begin - 1)[..7].to_owned()),
            next: (end <= last).then(|| date(end)[..7].to_owned()),
            today: date(today),
            weeks: weeks(begin, end, &free),
        },
        day: day.map(date),
        times: of_day,
        first_free: first_free.map(date),
    })
}

/// The free times of a service on some days of its providers, in order: those of one provider, or of any.
pub async fn times(
    engine: &Engine,
    slug: &str,
    provider: Option<ProviderId>,
    days: std::ops::RangeInclusive<i64>,
) -> Result<Vec<ServiceTime>> {
    let row: ServiceRow = engine.db.opt(&SERVICE, params![slug]).await?.ok_or(Error::NotFound)?;
    let rows: Vec<ProviderRow> = engine.db.all(&PROVIDERS, params![row.id]).await?;
    if provider.is_some_and(|id| rows.iter().all(|row| row.id != id)) {
        return Err(Error::field("provider_id", FieldCode::NotAChoice));
    }
    let (rules, chosen) =
        (row.rules.rules(), rows.iter().filter(|row| provider.is_none_or(|id| row.id == id)));
    let calendars = Calendars::of(engine, row.id, rules, chosen, days.clone()).await?;
    let mut times = calendars.times(days);
    times.sort_by_key(|(time, _)| time.starts_at);
    // As on the page: whoever takes anyone chooses a time, not a provider.
    times.dedup_by_key(|(time, _)| time.starts_at);
    let times = times.into_iter().map(|(time, view)| {
        let zone = Zone::named(&view.zone).unwrap_or_else(|_| engine.zone.clone());
        ServiceTime {
            provider_id: view.id,
            provider_name: view.name.clone(),
            starts_at: without_zone(&zone.local(time.starts_at)),
            ends_at: without_zone(&zone.local(rules.end(time.starts_at))),
            zone: view.zone.clone(),
        }
    });
    Ok(times.collect())
}

/// The weeks of a month, from Monday to Sunday.
fn weeks(begin: i64, end: i64, free: &BTreeMap<i64, usize>) -> Vec<[Option<CalendarDay>; 7]> {
    // 1970-01-01 was a Thursday.
    let monday = begin - (begin + 3).rem_euclid(7);
    let day = |day: i64| {
        let free = free.get(&day).copied().unwrap_or_default();
        (begin..end).contains(&day).then(|| CalendarDay { date: date(day), free })
    };
    let mondays = (0..6).map(|week| monday + week * 7).take_while(|monday| *monday < end);
    mondays
        .map(|monday| std::array::from_fn(|at| day(monday + i64::try_from(at).unwrap_or_default())))
        .collect()
}

fn offered(time: &FreeTime, provider: &ProviderView) -> OfferedTime {
    let local = Zone::named(&provider.zone).map(|zone| zone.local(time.starts_at)).unwrap_or_default();
    let abbreviation = local.split_once('[').map(|(_, zone)| zone.trim_end_matches(']')).unwrap_or_default();
    OfferedTime {
        provider: provider.id,
        provider_name: provider.name.clone(),
        starts_at: time.starts_at,
        time: format!("{:02}:{:02}", time.minute / 60, time.minute % 60),
        zone: abbreviation.to_owned(),
        local,
    }
}

/// The service and the time that were chosen, if the time is offered.
async fn choose(engine: &Engine, chosen: &ChosenTime) -> Result<(ServiceRow, ProviderRow, i64)> {
    let row: ServiceRow = engine.db.opt(&SERVICE, params![&chosen.slug]).await?.ok_or(Error::NotFound)?;
    let (provider, starts_at): (ProviderId, i64) = (
        chosen.provider.parse().map_err(|_| Error::field("starts_at", FieldCode::Missing))?,
        chosen.starts_at.parse().map_err(|_| Error::field("starts_at", FieldCode::Missing))?,
    );
    let rows: Vec<ProviderRow> = engine.db.all(&PROVIDERS, params![row.id]).await?;
    let taken = || Error::Conflict(Conflict::TimeTaken(vec![row.title.clone()]));
    let own = rows.into_iter().find(|row| row.id == provider).ok_or_else(taken)?;
    let zone = zone(&own.zone).ok_or(Error::Internal)?;
    let day = day_in(&zone, starts_at);
    let calendars =
        Calendars::of(engine, row.id, row.rules.rules(), std::iter::once(&own), day..=day).await?;
    let free = calendars
        .providers
        .iter()
        .all(|(_, zone, hours, busy)| is_free(zone, hours, &calendars.rules, busy, calendars.now, starts_at));
    if !free {
        return Err(taken());
    }
    Ok((row, own, starts_at))
}

/// The place of an appointment of a service in a provider's calendar, if it is offered.
pub(crate) async fn offered_time(engine: &Engine, chosen: &ChosenTime) -> Result<(ProductId, NewTime)> {
    let (row, provider, starts_at) = choose(engine, chosen).await?;
    let rules = row.rules.rules();
    let cells = rules.blocked(starts_at).cells();
    let time = NewTime {
        provider: provider.id,
        provider_name: provider.name,
        zone: provider.zone,
        span: (starts_at, rules.end(starts_at)),
        cells: (cells.start, cells.end),
    };
    Ok((row.id, time))
}

/// Puts an appointment into the caller's cart, which is created if necessary. A service is in a cart once: another time
/// replaces the one before. Nothing is held before the checkout.
pub async fn add_to_cart(engine: &Engine, caller: &Caller, chosen: &ChosenTime) -> Result<Changed> {
    let (row, provider, starts_at) = choose(engine, chosen).await?;
    let provider = provider.id;
    let variant: Scalar<VariantId> =
        engine.db.opt(&VARIANT, params![row.id]).await?.ok_or(Error::NotFound)?;
    let Changed { view, token } = carts::open(engine, caller).await?;
    let cart = view.id.ok_or(Error::Internal)?;
    let input = (cart, variant.0, provider, starts_at, engine.clock.now_ms());
    engine
        .db
        .write(("services::add_to_cart", cart), input, |tx, (cart, variant, provider, starts_at, now)| {
            Box::pin(async move {
                let line = AddLine {
                    id: random::id(*now),
                    cart_id: *cart,
                    created_at: *now,
                    variant: *variant,
                    lines_max: LINES_MAX,
                };
                let line: Option<Scalar<CartLineId>> = tx.insert_returning(line).await?;
                let Scalar(line) = line.ok_or_else(|| Error::field("quantity", FieldCode::TooBig))?;
                tx.exec(&CHOOSE, params![line, *provider, *starts_at]).await?;
                carts::touch_in_tx(tx, *cart, *now).await
            })
        })
        .await?;
    engine.activity.added(variant.0);
    Ok(Changed { view: carts::view_of(engine, caller, cart).await?, token })
}

/// The services of a shop, the products that could be some, and its providers. For its staff.
pub async fn of_shop(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
) -> Result<(Vec<ShopService>, Vec<ShopProvider>, Vec<(String, ProductId)>)> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    let services: Vec<ShopServiceRow> = engine.db.all(&OF_SHOP, params![shop]).await?;
    let who: Vec<WhoRow> = engine.db.all(&WHO, params![shop]).await?;
    let goods: Vec<GoodsRow> = engine.db.all(&GOODS, params![shop]).await?;
    let providers: Vec<ShopProviderRow> = engine.db.all(&PROVIDERS_OF_SHOP, params![shop]).await?;
    let services = services.into_iter().map(|row| {
        let own = who.iter().filter(|who| who.product_id == row.product_id);
        let own: Vec<ProviderId> = own.map(|who| who.provider_id).collect();
        let form = ServiceForm::of(row.place, &row.rules.rules(), row.rules.terms(), &own);
        ShopService { product: row.product_id, title: row.title, form }
    });
    let providers = providers.into_iter().map(|row| {
        let HoursForm { weekly, exceptions } = HoursForm::of(&bookings::hours(&row.hours)?);
        let ShopProviderRow { id, name, bio, town, zone, active, .. } = row;
        Ok(ShopProvider { id, form: ProviderForm { name, bio, town, zone, weekly, exceptions, active } })
    });
    let goods = goods.into_iter().map(|row| (row.title, row.id)).collect();
    Ok((services.collect(), providers.collect::<TxResult<_>>()?, goods))
}

/// Saves a provider of a shop, or adds one.
pub async fn save_provider(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: Option<ProviderId>,
    form: &ProviderForm,
) -> Result<ProviderId> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let valid = form.check();
    let wrong_zone = !form.zone.trim().is_empty() && zone(form.zone.trim()).is_none();
    let valid = match (valid, wrong_zone) {
        (Ok(valid), false) => valid,
        (valid, wrong_zone) => {
            let mut faults = valid.err().unwrap_or_default();
            if wrong_zone {
                faults.push(haat_shared::FieldError::new("zone", FieldCode::NotAZone));
            }
            return Err(Error::Invalid(faults));
        }
    };
    let hours = serde_json::to_string(&valid.hours).map_err(|_| Error::Internal)?;
    let now = engine.clock.now_ms();
    let new: ProviderId = random::id(now);
    let input = (shop, id, new, valid, hours, now);
    let saved = engine
        .db
        .write(("services::save_provider", shop), input, |tx, (shop, id, new, valid, hours, now)| {
            Box::pin(async move {
                let folded = text::fold(&valid.town);
                if let Some(id) = id {
                    let row = params![
                        *id,
                        *shop,
                        &valid.name,
                        &valid.bio,
                        &valid.town,
                        folded,
                        &valid.zone,
                        hours.as_str(),
                        valid.active,
                        *now
                    ];
                    return match tx.exec(&SAVE_PROVIDER, row).await? {
                        0 => Err(Error::NotFound.into()),
                        _ => Ok(*id),
                    };
                }
                let added = tx.insert(AddProvider {
                    id: *new,
                    name: &valid.name,
                    bio: &valid.bio,
                    town: &valid.town,
                    town_folded: folded,
                    zone: &valid.zone,
                    hours: hours.clone(),
                    active: valid.active,
                    created_at: *now,
                    updated_at: *now,
                    shop: *shop,
                    most: PROVIDERS_MAX,
                });
                match added.await? {
                    true => Ok(*new),
                    false => Err(Error::field("name", FieldCode::TooMany).into()),
                }
            })
        })
        .await?;
    Ok(saved)
}

/// Makes a product of a shop a service, or changes how it is booked. What is booked already stays as it is.
pub async fn save_service(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
    form: &ServiceForm,
) -> Result<()> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let valid = form.check().map_err(Error::Invalid)?;
    let input = (shop, product, valid, engine.clock.now_ms());
    engine
        .db
        .write(("services::save_service", product), input, |tx, (shop, product, valid, now)| {
            Box::pin(async move {
                let own: Option<Scalar<ProductId>> = tx.opt(&OWN_PRODUCT, params![*product, *shop]).await?;
                own.ok_or(Error::NotFound)?;
                let rules = valid.rules;
                tx.insert(AddService {
                    product_id: *product,
                    shop_id: *shop,
                    place: valid.place,
                    minutes: rules.minutes,
                    before_minutes: rules.before,
                    after_minutes: rules.after,
                    notice_minutes: rules.notice,
                    step_minutes: rules.step,
                    window_days: rules.window_days,
                    change_minutes: valid.terms.change_minutes,
                    fee_percent: valid.terms.fee_percent,
                    updated_at: *now,
                })
                .await?;
                tx.exec(&UNLIMITED, params![*product]).await?;
                tx.exec(&FORGET, params![*product]).await?;
                let who = valid.providers.iter().map(|provider| AddWho {
                    product_id: *product,
                    shop: *shop,
                    provider: *provider,
                });
                let who: Vec<AddWho> = who.collect();
                let wanted = who.len() as u64;
                match tx.insert_all(who).await? == wanted {
                    true => Ok::<_, crate::TxError>(()),
                    false => Err(Error::field("providers", FieldCode::NotAChoice).into()),
                }
            })
        })
        .await?;
    Ok(())
}
