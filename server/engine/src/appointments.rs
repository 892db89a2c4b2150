//! Appointments that were booked: those of a purchase, of a shopper and of a shop, their calendar entries, and what became of
//! them. An order that is cancelled cancels its appointments; see `bookings`.

use crate::{
    Caller, Engine,
    bookings::{self, Seen},
    bus::Topic,
    checkout,
    clock::{self, Zone},
    db::Scalar,
    orders::{
        self,
        timeline::{self, By},
    },
    outbox::{self, OutboxMessage},
    params, rows, services, statements,
};
use haat_shared::{
    Conflict, Error, Result,
    addresses::Address,
    appointments::{
        AppointmentState, AppointmentView, CalendarEntry, ChosenTime, Moving, ServicePlace, ShopServices,
    },
    fulfilment::OrderState,
    id::kinds::{AppointmentId, CheckoutId, OrderId, ProductId, ShopId},
    orders::{Actor, OrderEventData, OrderEventKind},
    permissions::Permission,
    shipping::date,
    text,
};

/// So many appointments of a day, or of a shopper, are listed.
const LISTED: i64 = 200;

macro_rules! appointments {
    () => {
        "SELECT a.id, l.title, a.provider_name, a.place, a.state, a.starts_at, a.ends_at, a.zone, a.sequence, a.updated_at,
            o.number AS order_number, o.shop_name, u.number, u.address, a.order_id, a.position, a.shop_id, u.checkout_id,
            COALESCE(s.change_minutes, 0) AS change_minutes, COALESCE(p.slug, '') AS slug, l.product_id, l.variant_title
        FROM appointments a JOIN orders o ON o.id = a.order_id JOIN purchases u ON u.id = o.purchase_id
        JOIN order_lines l ON l.order_id = a.order_id AND l.position = a.position
        LEFT JOIN services s ON s.product_id = l.product_id
        LEFT JOIN products p ON p.id = s.product_id AND p.state = 'published' "
    };
}

statements! {
    OF_PURCHASE = concat!(appointments!(), "WHERE u.number = $1 ORDER BY a.starts_at, a.id");
    OF_USER = concat!(appointments!(), "WHERE u.user_id = $1 ORDER BY a.starts_at DESC, a.id LIMIT $2");
    OF_DAY = concat!(appointments!(), "WHERE a.shop_id = $1 AND a.starts_at >= $2 AND a.starts_at < $3 ORDER BY a.starts_at, a.id LIMIT $4");
    FIND = concat!(appointments!(), "WHERE a.id = $1");
    MARK = "UPDATE appointments SET state = $3, updated_at = $4
        WHERE id = $1 AND shop_id = $2 AND state = 'booked' AND starts_at <= $4
        RETURNING (SELECT o.number FROM orders o WHERE o.id = appointments.order_id) AS value";
    STATE = "SELECT state AS value FROM appointments WHERE id = $1 AND shop_id = $2";
    // All lines of the order are appointments, and none is to come.
    OVER = "SELECT o.state AS value FROM orders o WHERE o.number = $1 AND o.state IN ('placed', 'confirmed', 'shipped')
        AND NOT EXISTS (SELECT 1 FROM order_lines l LEFT JOIN appointments a ON a.order_id = l.order_id AND a.position = l.position
            WHERE l.order_id = o.id AND (a.id IS NULL OR a.state = 'booked'))";
}

rows! {
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
        number: String,
        address: String,
        order_id: OrderId,
        position: i64,
        shop_id: ShopId,
        checkout_id: CheckoutId,
        change_minutes: i64,
        slug: String,
        product_id: ProductId,
        variant_title: String,
    }
}

impl Row {
    /// Whether the shop, or the customer, may still move or cancel it.
    fn may_change(&self, by_shop: bool, now: i64) -> bool {
        let until = if by_shop { self.starts_at } else { self.starts_at - self.change_minutes * 60_000 };
        self.state == AppointmentState::Booked && now < self.starts_at && now <= until
    }

    fn view(self, engine: &Engine, for_shop: bool) -> AppointmentView {
        let now = engine.clock.now_ms();
        let may_change = self.may_change(for_shop, now);
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
        }
    }
}

/// The appointments of the signed-in caller, the latest first.
pub async fn own(engine: &Engine, caller: &Caller) -> Result<Vec<AppointmentView>> {
    let user = caller.signed_in()?;
    let rows: Vec<Row> = engine.db.all(&OF_USER, params![user.id, LISTED]).await?;
    Ok(rows.into_iter().map(|row| row.view(engine, false)).collect())
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
        return Err(Error::field("starts_at", haat_shared::FieldCode::NotAChoice));
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
                tx.exec_many(&outbox::WRITE, &[outbox::row(message, seen.order, now)]).await?;
                Ok(())
            })
        })
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    moving(engine, caller, of).await
}

/// A shop's services and providers, and its appointments of a day, for its staff.
pub async fn of_shop(engine: &Engine, caller: &Caller, handle: &str, day: &str) -> Result<ShopServices> {
    let shop: ShopId = caller.shop(handle, Permission::SeeOrders)?;
    let (services, providers, products) = services::of_shop(engine, caller, handle).await?;
    let today = engine.zone.day(engine.clock.now_ms());
    let day = text::day(day).unwrap_or(today);
    let (from, to) = (engine.zone.begins(day), engine.zone.begins(day + 1));
    let rows: Vec<Row> = engine.db.all(&OF_DAY, params![shop, from, to, LISTED]).await?;
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
    })
}

/// The shop says what became of an appointment that has begun. Once none of an order of nothing but appointments is to come,
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
        return Err(Error::field("state", haat_shared::FieldCode::NotAChoice));
    }
    let input = (id, shop, state, engine.clock.now_ms());
    let marked: Option<Scalar<String>> = engine
        .db
        .write(("appointments::mark", id), input, |tx, (id, shop, state, now)| {
            Box::pin(async move { Ok(tx.opt(&MARK, params![*id, *shop, *state, *now]).await?) })
        })
        .await?;
    let Some(Scalar(order)) = marked else {
        let now: Option<Scalar<AppointmentState>> = engine.db.opt(&STATE, params![id, shop]).await?;
        return match now.ok_or(Error::NotFound)?.0 {
            same if same == state => Ok(()),
            AppointmentState::Cancelled => Err(Conflict::OrderMoved(OrderState::Cancelled).into()),
            _ => Err(Conflict::OrderMoved(OrderState::Confirmed).into()),
        };
    };
    let over: Option<Scalar<OrderState>> = engine.db.opt(&OVER, params![&order]).await?;
    if let Some(Scalar(at)) = over {
        if at == OrderState::Placed {
            orders::confirm(engine, caller, handle, &order).await?;
        }
        if at != OrderState::Shipped {
            orders::ship(engine, caller, handle, &order, haat_shared::orders::Shipment::default()).await?;
        }
        orders::deliver(engine, caller, handle, &order).await?;
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
    let host = engine.public_url.split("//").nth(1).unwrap_or("haat");
    let utc =
        |ms: i64| -> String { clock::rfc3339(ms).chars().filter(|c| !matches!(c, '-' | ':')).collect() };
    let entry = |row: Row| CalendarEntry {
        uid: format!("{}@{host}", row.id),
        sequence: row.sequence,
        cancelled: row.state == AppointmentState::Cancelled,
        summary: format!("{}, {}", row.title, row.shop_name),
        description: format!("{}\n{}", row.provider_name, row.order_number),
        location: String::new(),
        url: url.to_owned(),
        stamp: utc(row.updated_at),
        span: (utc(row.starts_at), utc(row.ends_at)),
    };
    Ok(rows.into_iter().map(entry).collect())
}
