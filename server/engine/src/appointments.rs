//! Appointments that were booked: those of a purchase, of a shopper and of a shop, their calendar entries, and what became of
//! them. An order that is cancelled cancels its appointments; see `bookings`.

use crate::{
    Caller, Clock, Engine, TxError, TxResult,
    bookings::{self, Seen},
    bus::Topic,
    checkout,
    clock::{self, Zone},
    db::{Scalar, Tx},
    insert, lists,
    orders::{
        self, RefundOf,
        timeline::{self, By},
    },
    outbox::{self, OutboxMessage},
    params, random, rows, services, statements,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    addresses::Address,
    appointments::{
        AppointmentState, AppointmentView, CalendarEntry, Cancellation, ChangeTerms, ChosenTime, FeedLink,
        Moving, OwnAppointments, ServicePlace, ShopServices,
    },
    fulfilment::OrderState,
    id::kinds::{AppointmentId, CalendarFeedId, CheckoutId, OrderId, ProductId, ShopId, UserId},
    orders::{Actor, LineQuantity, NewRefund, OrderEventData, OrderEventKind},
    page::{self, Page, PageRequest},
    permissions::Permission,
    shipping::date,
    text,
};

/// So many appointments of a day, or of a shopper, are listed.
const LISTED: usize = 200;
/// So many are on a page, unless more are asked for.
const PAGE_SIZE: usize = 20;
/// So many are in a feed, from so many days ago on.
const FEED_LISTED: i64 = 1_000;
const FEED_DAYS: i64 = 30;

macro_rules! appointments {
    () => {
        "SELECT a.id, l.title, a.provider_name, a.place, a.state, a.starts_at, a.ends_at, a.zone, a.sequence, a.updated_at,
            o.number AS order_number, o.shop_name, h.handle AS shop_handle, u.number, u.address, a.order_id, a.position, a.shop_id, u.checkout_id,
            a.change_minutes, a.fee_percent, a.fee_minor, COALESCE(p.slug, '') AS slug, l.product_id, l.variant_title, o.currency, o.collected_minor,
            l.total_minor - l.discount_minor + l.added_tax_minor AS paid_minor, o.state AS order_state
        FROM appointments a JOIN orders o ON o.id = a.order_id JOIN purchases u ON u.id = o.purchase_id JOIN shops h ON h.id = a.shop_id
        JOIN order_lines l ON l.order_id = a.order_id AND l.position = a.position
        LEFT JOIN services s ON s.product_id = l.product_id
        LEFT JOIN products p ON p.id = s.product_id AND p.state = 'published' "
    };
}

lists! {
    OWN {
        select: appointments!(),
        base_filter: "TRUE",
        filters: &[("user", "u.user_id = {}")],
        sorts: &[("latest", "(a.starts_at, a.id) < ({}, {})", "a.starts_at DESC, a.id DESC")],
    }
}

statements! {
    OF_PURCHASE = concat!(appointments!(), "WHERE u.number = $1 ORDER BY a.starts_at, a.id");
    OF_DAY = concat!(appointments!(), "WHERE a.shop_id = $1 AND a.starts_at >= $2 AND a.starts_at < $3 ORDER BY a.starts_at, a.id LIMIT $4");
    FIND = concat!(appointments!(), "WHERE a.id = $1");
    MARK = "UPDATE appointments SET state = $3, updated_at = $4
        WHERE id = $1 AND shop_id = $2 AND state = 'booked' AND starts_at <= $4";
    UPCOMING_OF_USER = concat!(appointments!(), "WHERE u.user_id = $1 AND a.state <> 'cancelled' AND a.starts_at >= $2 ORDER BY a.starts_at, a.id LIMIT $3");
    UPCOMING_OF_SHOP = concat!(appointments!(), "WHERE a.shop_id = $1 AND a.state <> 'cancelled' AND a.starts_at >= $2 ORDER BY a.starts_at, a.id LIMIT $3");
    FEED = "SELECT id AS value FROM calendar_feeds WHERE user_id = $1 AND shop_id IS NULL";
    FEED_OF_SHOP = "SELECT id AS value FROM calendar_feeds WHERE user_id = $1 AND shop_id = $2";
    // Whoever is no longer a member reads nothing.
    READ_FEED = "SELECT f.user_id, f.shop_id, COALESCE(s.name, '') AS name FROM calendar_feeds f JOIN users u ON u.id = f.user_id AND u.deactivated_at IS NULL
        LEFT JOIN shops s ON s.id = f.shop_id
        WHERE f.id = $1 AND (f.shop_id IS NULL
            OR EXISTS (SELECT 1 FROM shop_members m WHERE m.shop_id = f.shop_id AND m.user_id = f.user_id))";
    END_FEED = "DELETE FROM calendar_feeds WHERE user_id = $1 AND COALESCE(shop_id, user_id) = COALESCE($2, user_id)";
    // A day before, and an hour before.
    REMIND = "UPDATE appointments SET reminded = CASE WHEN starts_at <= $1 + 3600000 THEN 2 ELSE 1 END
        WHERE id IN (SELECT id FROM appointments WHERE state = 'booked' AND reminded < 2 AND starts_at > $1
            AND starts_at <= $1 + CASE WHEN reminded = 0 THEN 86400000 ELSE 3600000 END ORDER BY starts_at, id LIMIT 100)
        RETURNING id AS value";
    // What is kept of an appointment to which the customer didn't come.
    KEEP = "UPDATE appointments SET fee_minor = $2 WHERE id = $1";
    // All lines of the order are appointments, and none is to come.
    OVER = "SELECT o.state AS value FROM orders o WHERE o.number = $1 AND o.state IN ('placed', 'confirmed', 'shipped')
        AND NOT EXISTS (SELECT 1 FROM order_lines l LEFT JOIN appointments a ON a.order_id = l.order_id AND a.position = l.position
            WHERE l.order_id = o.id AND (a.id IS NULL OR a.state = 'booked'))";
}

insert! {
    struct AddFeed into calendar_feeds {
        id: CalendarFeedId,
        user_id: UserId,
        shop_id: Option<ShopId>,
        created_at: i64,
    } "ON CONFLICT DO NOTHING"
}

rows! {
    struct FeedRow {
        user_id: UserId,
        shop_id: Option<ShopId>,
        name: String,
    }

    #[derive(Clone)]
    struct Row {
        id: AppointmentId,
        title: String,
        provider_name: String,
        place: ServicePlace,
        state: AppointmentState,
        starts_at: i64,
        ends_at: i64,
        zone: String,
        sequence: i64,
        updated_at: i64,
        order_number: String,
        shop_name: String,
        shop_handle: String,
        number: String,
        address: String,
        order_id: OrderId,
        position: i64,
        shop_id: ShopId,
        checkout_id: CheckoutId,
        change_minutes: i64,
        fee_percent: i64,
        fee_minor: i64,
        slug: String,
        product_id: ProductId,
        variant_title: String,
        currency: Currency,
        collected_minor: i64,
        paid_minor: i64,
        order_state: OrderState,
    }
}

impl Row {
    /// Whether it is still to come.
    fn is_to_come(&self, now: i64) -> bool {
        self.state == AppointmentState::Booked && now < self.starts_at
    }

    fn terms(&self) -> ChangeTerms {
        ChangeTerms { change_minutes: self.change_minutes, fee_percent: self.fee_percent }
    }

    /// Whether the shop, or the customer, may still move it, and the customer cancel it for free.
    fn may_change(&self, by_shop: bool, now: i64) -> bool {
        self.is_to_come(now) && (by_shop || self.terms().is_free(self.starts_at, now))
    }

    /// What the shop keeps of its price, in percent, if it is cancelled now. Who pays cash pays nothing.
    fn kept_percent(&self, by_shop: bool, now: i64) -> i64 {
        if self.collected_minor == 0 || self.may_change(by_shop, now) { 0 } else { self.fee_percent }
    }

    /// What was paid for it, and what the shop keeps of that.
    fn kept(&self, percent: i64) -> Result<(Money, Money)> {
        let paid = Money::new(if self.collected_minor == 0 { 0 } else { self.paid_minor }, self.currency);
        let fee = ChangeTerms { fee_percent: percent, ..self.terms() }.fee(paid)?;
        Ok((paid, fee))
    }

    /// What becomes of what was paid if it is cancelled now.
    fn cancellation(&self, by_shop: bool, now: i64) -> Option<Cancellation> {
        if !self.is_to_come(now) || self.order_state == OrderState::Cancelled {
            return None;
        }
        let (paid, fee) = self.kept(self.kept_percent(by_shop, now)).ok()?;
        let refund = paid.minus(fee).ok()?;
        Some(Cancellation { refund: (paid.amount() > 0).then_some(refund), fee })
    }

    fn view(self, engine: &Engine, for_shop: bool) -> AppointmentView {
        let now = engine.clock.now_ms();
        let may_change = self.may_change(for_shop, now);
        let cancellation = self.cancellation(for_shop, now);
        let zone = Zone::named(&self.zone).unwrap_or_else(|_| engine.zone.clone());
        let address: Option<Address> = serde_json::from_str(&self.address).ok().filter(|_| for_shop);
        let at_customer = self.place == ServicePlace::Customer;
        let customer = address.as_ref().map(|address| address.name.clone()).unwrap_or_default();
        let key = if for_shop { String::new() } else { checkout::link(engine, self.number.as_str()).key };
        AppointmentView {
            id: self.id,
            title: self.title,
            provider: self.provider_name,
            place: self.place,
            state: self.state,
            starts_at: zone.local(self.starts_at),
            ends_at: zone.local(self.ends_at),
            zone: self.zone,
            order: self.order_number,
            purchase: (self.number, key),
            customer,
            address: address
                .filter(|_| at_customer)
                .map(|address| address.formatted().join(", "))
                .unwrap_or_default(),
            begun: self.starts_at <= now,
            movable: if may_change { self.slug } else { String::new() },
            cancellation,
            fee: (self.fee_minor > 0).then(|| Money::new(self.fee_minor, self.currency)),
        }
    }
}

/// The appointments of the signed-in caller, the latest first.
pub async fn own(engine: &Engine, caller: &Caller) -> Result<OwnAppointments> {
    let user = caller.signed_in()?;
    let asked = OWN.bind(vec![("user", user.id.into())], "latest", None, LISTED);
    let rows: Vec<Row> = engine.db.list(asked).await?;
    let appointments = rows.into_iter().map(|row| row.view(engine, false)).collect();
    Ok(OwnAppointments { appointments, feed: feed(engine, user.id, None).await? })
}

/// A page of the appointments of the signed-in caller, the latest first.
pub async fn list_own(
    engine: &Engine,
    caller: &Caller,
    of: impl Into<PageRequest<'_>>,
) -> Result<Page<AppointmentView>> {
    let (user, of) = (caller.signed_in()?.id, of.into());
    let after = cursor(of.after)?.into_iter().flat_map(|(starts_at, id)| [starts_at.into(), id.into()]);
    let size = page::rows(of.limit, PAGE_SIZE);
    let asked = OWN.bind(vec![("user", user.into())], "latest", after, size + 1);
    let rows: Vec<Row> = engine.db.list(asked).await?;
    let page = Page::cut(rows, size, |row| format!("{}.{}", row.starts_at, row.id));
    Ok(page.map(|row| row.view(engine, false)))
}

/// The start and the ID of the last appointment of a page.
fn cursor(after: &str) -> Result<Option<(i64, AppointmentId)>> {
    if after.is_empty() {
        return Ok(None);
    }
    let key = after.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    key.map(Some).ok_or_else(|| Error::field("after", FieldCode::BadCursor))
}

/// The purpose of the keys of feeds.
const FEED_KEY: &str = "calendar_feed";

/// The address of a user's calendar, if there is one.
async fn feed(engine: &Engine, user: UserId, shop: Option<ShopId>) -> Result<Option<FeedLink>> {
    let id: Option<Scalar<CalendarFeedId>> = match shop {
        None => engine.db.opt(&FEED, params![user]).await?,
        Some(shop) => engine.db.opt(&FEED_OF_SHOP, params![user, shop]).await?,
    };
    Ok(id.map(|Scalar(id)| {
        let id = id.to_string();
        // Some programs accept only addresses that end like this.
        let file = format!("{}.{id}.ics", engine.secret.sign(FEED_KEY, &id));
        FeedLink { market: engine.public_url.clone(), file }
    }))
}

/// Gives the caller an address under which programs read the appointments that they booked, or those of their shop; or ends it.
pub async fn set_feed(engine: &Engine, caller: &Caller, handle: Option<&str>, wanted: bool) -> Result<()> {
    let user = caller.signed_in()?.id;
    let shop = handle.map(|handle| caller.shop(handle, Permission::SeeOrders)).transpose()?;
    let input = (user, shop, wanted, engine.clock.now_ms());
    engine
        .db
        .write(("appointments::set_feed", user), input, |tx, (user, shop, wanted, now)| {
            Box::pin(async move {
                if *wanted {
                    let id = random::id(*now);
                    let row = AddFeed { id, user_id: *user, shop_id: *shop, created_at: *now };
                    tx.insert(row).await?;
                } else {
                    tx.exec(&END_FEED, params![*user, *shop]).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(())
}

/// The calendar in a file of this name: the name of its shop, which may be empty, and its entries. `page` makes the URL of the page of an
/// order from the handle of its shop, or of a purchase without one, and its number.
pub async fn read_feed(
    engine: &Engine,
    file: &str,
    page: impl Fn(Option<&str>, &str) -> String,
) -> Result<(String, Vec<CalendarEntry>)> {
    let (key, id) = file.trim_end_matches(".ics").rsplit_once('.').ok_or(Error::NotFound)?;
    let feed: CalendarFeedId = id.parse().map_err(|_| Error::NotFound)?;
    if !engine.secret.verify(FEED_KEY, id, key) {
        return Err(Error::NotFound);
    }
    let feed: FeedRow = engine.db.opt(&READ_FEED, params![feed]).await?.ok_or(Error::NotFound)?;
    let since = engine.clock.now_ms() - FEED_DAYS * clock::DAY_MS;
    let rows: Vec<Row> = match feed.shop_id {
        None => engine.db.all(&UPCOMING_OF_USER, params![feed.user_id, since, FEED_LISTED]).await?,
        Some(shop) => engine.db.all(&UPCOMING_OF_SHOP, params![shop, since, FEED_LISTED]).await?,
    };
    let entry = |row: Row| match feed.shop_id {
        None => {
            let url = page(None, &row.number);
            entry(engine, row, url)
        }
        Some(_) => {
            // Its shop wants to know who comes.
            let url = page(Some(&row.shop_handle), &row.order_number);
            let summary = format!("{}, {}", row.title, row.clone().view(engine, true).customer);
            CalendarEntry { summary, ..entry(engine, row, url) }
        }
    };
    Ok((feed.name, rows.into_iter().map(entry).collect()))
}

/// The appointments of a purchase, for those who may see it.
pub async fn of_purchase(
    engine: &Engine,
    caller: &Caller,
    purchase: &str,
    key: &str,
) -> Result<Vec<AppointmentView>> {
    orders::may_see(engine, caller, purchase, key).await?;
    let rows: Vec<Row> = engine.db.all(&OF_PURCHASE, params![purchase]).await?;
    Ok(rows.into_iter().map(|row| row.view(engine, false)).collect())
}

/// An appointment, for whoever may move it.
async fn find(engine: &Engine, caller: &Caller, of: &Moving) -> Result<Row> {
    let id: AppointmentId = of.id.parse().map_err(|_| Error::NotFound)?;
    let shop = match of.shop.as_str() {
        "" => {
            orders::may_see(engine, caller, &of.purchase, &of.key).await?;
            None
        }
        handle => Some(caller.shop(handle, Permission::FulfilOrders)?),
    };
    let row: Option<Row> = engine.db.opt(&FIND, params![id]).await?;
    let own = |row: &Row| shop.map_or(row.number == of.purchase, |shop| row.shop_id == shop);
    row.filter(own).ok_or(Error::NotFound)
}

/// An appointment that is to be moved, as its shop or its customer sees it.
pub async fn moving(engine: &Engine, caller: &Caller, of: &Moving) -> Result<AppointmentView> {
    let row = find(engine, caller, of).await?;
    Ok(row.view(engine, !of.shop.is_empty()))
}

/// Moves an appointment to another time, or another provider, of the same service: by the shop until it begins, by the customer as
/// long before it as the service says. The other side is told.
pub async fn move_to(
    engine: &Engine,
    caller: &Caller,
    of: &Moving,
    to: &ChosenTime,
) -> Result<AppointmentView> {
    let row = find(engine, caller, of).await?;
    let by_shop = !of.shop.is_empty();
    if !row.may_change(by_shop, engine.clock.now_ms()) {
        return Err(Conflict::TooLate.into());
    }
    let (product, time) = services::offered_time(engine, to).await?;
    if product != row.product_id {
        return Err(Error::field("starts_at", FieldCode::NotAChoice));
    }
    let seen = Seen {
        id: row.id,
        order: row.order_id,
        position: row.position,
        checkout: row.checkout_id,
        title: row.title,
        starts_at: row.starts_at,
    };
    let data = OrderEventData {
        note: format!("{} → {}", row.variant_title, time.when()),
        ..OrderEventData::default()
    };
    let by = By { actor: if by_shop { Actor::Shop } else { Actor::Shopper }, user: caller.user_id() };
    let input = (seen, time, data, by, engine.clock.clone());
    engine
        .db
        .write(("appointments::move", row.id), input, |tx, (seen, time, data, by, clock)| {
            Box::pin(async move {
                let now = clock.now_ms();
                bookings::move_in_tx(tx, seen, time, now).await?;
                timeline::add_in_tx(tx, seen.order, OrderEventKind::AppointmentMoved, *by, data, now).await?;
                let message = match by.actor {
                    Actor::Shop => OutboxMessage::AppointmentMoved,
                    _ => OutboxMessage::AppointmentMovedByCustomer,
                };
                tx.exec_many(&outbox::WRITE, &[outbox::row(message, seen.id, now)]).await?;
                Ok(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    moving(engine, caller, of).await
}

/// Cancels an appointment that is to come, and frees its time. Its shop gives back all of its price; customers get all of it as long before
/// it as the service says, and later what is left after the fee. If it was all of its order, the order is cancelled with it.
/// The other side is told. `refund` is what is expected back: if it would be less by now, nothing is done.
pub async fn cancel(
    engine: &Engine,
    caller: &Caller,
    of: &Moving,
    refund: Option<Money>,
) -> Result<AppointmentView> {
    let row = find(engine, caller, of).await?;
    let by_shop = !of.shop.is_empty();
    if row.state == AppointmentState::Cancelled {
        return Ok(row.view(engine, by_shop));
    }
    let Some(offered) = row.cancellation(by_shop, engine.clock.now_ms()) else {
        return Err(Conflict::TooLate.into());
    };
    if offered.refund != refund {
        return Err(Error::field("refund", FieldCode::Differs));
    }
    let percent = row.kept_percent(by_shop, engine.clock.now_ms());
    let by = By { actor: if by_shop { Actor::Shop } else { Actor::Shopper }, user: caller.user_id() };
    let (id, number) = (row.id, row.order_number.clone());
    let input = (row, offered, percent, by, engine.clock.clone());
    engine
        .db
        .write(("appointments::cancel", id), input, |tx, (row, offered, percent, by, clock)| {
            Box::pin(cancel_in_tx(tx, row, *offered, *percent, *by, clock))
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    end_if_over(engine, &number, By { actor: Actor::Market, user: None }).await?;
    moving(engine, caller, of).await
}

async fn cancel_in_tx(
    tx: &mut Tx,
    row: &Row,
    offered: Cancellation,
    percent: i64,
    by: By,
    clock: &Clock,
) -> TxResult<()> {
    let fee = offered.fee.amount();
    if fee == 0 && orders::is_all_in_tx(tx, row.order_id, row.position).await? {
        // Its appointments are cancelled with it.
        return orders::cancel_all_in_tx(tx, &row.order_number, by, clock).await.map(drop);
    }
    if offered.refund.is_none_or(|refund| refund.amount() > 0) && row.paid_minor > 0 {
        refund_in_tx(tx, row, percent, by, clock).await?;
    }
    let now = clock.now_ms();
    if !bookings::cancel_one_in_tx(tx, (row.id, row.starts_at), row.order_id, fee, now).await? {
        return Err(Conflict::TooLate.into());
    }
    let data = OrderEventData { note: row.variant_title.clone(), ..OrderEventData::default() };
    timeline::add_in_tx(tx, row.order_id, OrderEventKind::AppointmentCancelled, by, &data, now).await?;
    let message = match by.actor {
        Actor::Shop => OutboxMessage::AppointmentCancelled,
        _ => OutboxMessage::AppointmentCancelledByCustomer,
    };
    tx.exec_many(&outbox::WRITE, &[outbox::row(message, row.id, now)]).await?;
    Ok(())
}

/// Refunds what was paid for an appointment that doesn't take place, less so many percent.
async fn refund_in_tx(tx: &mut Tx, row: &Row, percent: i64, by: By, clock: &Clock) -> TxResult<()> {
    let lines = vec![LineQuantity { position: row.position, quantity: 1 }];
    let refund = NewRefund { lines, reason: row.variant_title.clone(), ..NewRefund::default() };
    let of = RefundOf::Appointment(percent);
    orders::refund_in_tx(tx, &row.order_number, row.shop_id, by, &refund, of, clock).await.map(drop)
}

/// An order of nothing but appointments of which none is to come is delivered.
async fn end_if_over(engine: &Engine, number: &str, by: By) -> Result<()> {
    let over: Option<Scalar<OrderState>> = engine.db.opt(&OVER, params![number]).await?;
    match over {
        Some(Scalar(at)) => orders::end(engine, number, at, by).await,
        None => Ok(()),
    }
}

/// A shop's services and providers, and its appointments of a day, for its staff.
pub async fn of_shop(engine: &Engine, caller: &Caller, handle: &str, day: &str) -> Result<ShopServices> {
    let shop: ShopId = caller.shop(handle, Permission::SeeOrders)?;
    let (services, providers, products) = services::of_shop(engine, caller, handle).await?;
    let today = engine.zone.day(engine.clock.now_ms());
    let day = text::day(day).unwrap_or(today);
    let (from, to) = (engine.zone.begins(day), engine.zone.begins(day + 1));
    let rows: Vec<Row> =
        engine.db.all(&OF_DAY, params![shop, from, to, i64::try_from(LISTED).unwrap_or(i64::MAX)]).await?;
    let zone = providers.first().map(|provider| provider.form.zone.clone());
    Ok(ShopServices {
        services,
        providers,
        products,
        zone: zone.or_else(|| engine.zone.name()).unwrap_or_default(),
        day: date(day),
        around: (date(day - 1), date(day + 1)),
        today: date(today),
        appointments: rows.into_iter().map(|row| row.view(engine, true)).collect(),
        feed: match caller.user_id() {
            Some(user) => feed(engine, user, Some(shop)).await?,
            None => None,
        },
    })
}

/// The shop says what became of an appointment that has begun. Who didn't come gets back what is left after the fee. Once none of an order of nothing but appointments is to come,
/// the order is delivered.
pub async fn mark(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: AppointmentId,
    state: AppointmentState,
) -> Result<()> {
    let shop = caller.shop(handle, Permission::FulfilOrders)?;
    if !matches!(state, AppointmentState::Done | AppointmentState::NoShow) {
        return Err(Error::field("state", FieldCode::NotAChoice));
    }
    let row: Option<Row> = engine.db.opt(&FIND, params![id]).await?;
    let row = row.filter(|row| row.shop_id == shop).ok_or(Error::NotFound)?;
    match row.state {
        same if same == state => return Ok(()),
        AppointmentState::Booked => {}
        AppointmentState::Cancelled => return Err(Conflict::OrderMoved(OrderState::Cancelled).into()),
        _ => return Err(Conflict::OrderMoved(OrderState::Confirmed).into()),
    }
    let number = row.order_number.clone();
    let by = By { actor: Actor::Shop, user: caller.user_id() };
    let input = (row, state, by, engine.clock.clone());
    engine
        .db
        .write(("appointments::mark", id), input, |tx, (row, state, by, clock)| {
            Box::pin(mark_in_tx(tx, row, *state, *by, clock))
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    end_if_over(engine, &number, by).await
}

async fn mark_in_tx(tx: &mut Tx, row: &Row, state: AppointmentState, by: By, clock: &Clock) -> TxResult<()> {
    let percent = if row.collected_minor == 0 { 0 } else { row.fee_percent };
    let (paid, fee) = row.kept(percent)?;
    if state == AppointmentState::NoShow && paid.amount() > fee.amount() {
        refund_in_tx(tx, row, percent, by, clock).await?;
    }
    if tx.exec(&MARK, params![row.id, row.shop_id, state, clock.now_ms()]).await? == 0 {
        // It hasn't begun, or somebody was faster: what was refunded above is rolled back.
        return Err(Conflict::OrderMoved(OrderState::Confirmed).into());
    }
    if state == AppointmentState::NoShow && fee.amount() > 0 {
        tx.exec(&KEEP, params![row.id, fee.amount()]).await?;
    }
    Ok(())
}

/// Reminds customers of what is to come: a day before, and an hour before.
pub(crate) async fn remind_due(engine: &Engine) -> TxResult<()> {
    let now = engine.clock.now_ms();
    let told = engine
        .db
        .write("appointments::remind_due", now, |tx, now| {
            Box::pin(async move {
                let due: Vec<Scalar<AppointmentId>> = tx.all(&REMIND, params![*now]).await?;
                let message = |Scalar(id): &Scalar<AppointmentId>| {
                    outbox::row(OutboxMessage::AppointmentReminder, *id, *now)
                };
                tx.exec_many(&outbox::WRITE, &due.iter().map(message).collect::<Vec<_>>()).await?;
                Ok::<_, TxError>(due.len())
            })
        })
        .await?;
    if told > 0 {
        engine.bus.publish(Topic::Outbox, "");
    }
    Ok(())
}

/// The calendar entries of the appointments of a purchase, for those who may see it. `url` is its page.
pub async fn entries(
    engine: &Engine,
    caller: &Caller,
    (purchase, key): (&str, &str),
    url: &str,
) -> Result<Vec<CalendarEntry>> {
    orders::may_see(engine, caller, purchase, key).await?;
    let rows: Vec<Row> = engine.db.all(&OF_PURCHASE, params![purchase]).await?;
    if rows.is_empty() {
        return Err(Error::NotFound);
    }
    Ok(rows.into_iter().map(|row| entry(engine, row, url.to_owned())).collect())
}

/// An appointment in the calendar of whoever booked it.
fn entry(engine: &Engine, row: Row, url: String) -> CalendarEntry {
    let host = engine.public_url.split("//").nth(1).unwrap_or("haat");
    let utc =
        |ms: i64| -> String { clock::rfc3339(ms).chars().filter(|c| !matches!(c, '-' | ':')).collect() };
    let address: Option<Address> = serde_json::from_str(&row.address).ok();
    let address = address.filter(|_| row.place == ServicePlace::Customer);
    let location = address.map(|address| address.formatted().join(", ")).unwrap_or_default();
    CalendarEntry {
        uid: format!("{}@{host}", row.id),
        sequence: row.sequence,
        cancelled: row.state == AppointmentState::Cancelled,
        summary: format!("{}, {}", row.title, row.shop_name),
        description: format!("{}\n{}", row.provider_name, row.order_number),
        location,
        url,
        stamp: utc(row.updated_at),
        span: (utc(row.starts_at), utc(row.ends_at)),
    }
}
