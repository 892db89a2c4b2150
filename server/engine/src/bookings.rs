//! Bookings: what a checkout takes of the calendars of providers. A calendar is divided into cells of five minutes, and the
//! primary key of a cell keeps two appointments from overlapping, on either database and whatever the callers checked before.
//! A cell is held until its checkout ends, taken over once that time is over, and booked for good by the payment, which must
//! own exactly the cells that were held.

use crate::{
    Engine, TxResult, bug,
    clock::Zone,
    db::{Scalar, Tx},
    insert, params, random, rows, statements,
};
use haat_shared::{
    Conflict, Currency, Result,
    appointments::{ChangeTerms, ServicePlace},
    availability::{BookingRules, CELL_MS, Hours, Span, is_free, zone},
    id::kinds::*,
    shipping::ShippingOption,
};

/// How long the longest appointment can have begun before it, with its buffers.
const LONGEST_CELLS: i64 = 3 * 12 * 12;

statements! {
    OF_CART = "SELECT l.variant_id, l.title, b.provider_id, b.starts_at, r.name AS provider_name, r.zone, r.hours,
            s.minutes, s.before_minutes, s.after_minutes, s.notice_minutes, s.step_minutes, s.window_days, s.change_minutes, s.fee_percent,
            CASE WHEN r.active AND x.provider_id IS NOT NULL THEN TRUE ELSE FALSE END AS offered
        FROM cart_lines l JOIN variants v ON v.id = l.variant_id JOIN services s ON s.product_id = v.product_id
        LEFT JOIN cart_bookings b ON b.line_id = l.id LEFT JOIN providers r ON r.id = b.provider_id
        LEFT JOIN provider_services x ON x.product_id = s.product_id AND x.provider_id = r.id
        WHERE l.cart_id = $1";
    // Cells are locked in their order. `$6` is NULL once they are booked.
    TAKE = "WITH RECURSIVE cells (cell) AS
            (SELECT CAST($4 AS BIGINT) UNION ALL SELECT cell + 1 FROM cells WHERE cell + 1 < CAST($5 AS BIGINT))
        INSERT INTO booking_cells (provider_id, cell, seat, checkout_id, position, expires_at)
        SELECT r.id, cells.cell, 0, c.id, CAST($2 AS BIGINT), CAST($6 AS BIGINT)
        FROM cells CROSS JOIN providers r CROSS JOIN checkouts c WHERE r.id = $3 AND c.id = $1 ORDER BY cells.cell
        ON CONFLICT (provider_id, cell, seat) DO UPDATE SET checkout_id = excluded.checkout_id, position = excluded.position,
            expires_at = excluded.expires_at
        WHERE (booking_cells.checkout_id = excluded.checkout_id AND booking_cells.position = excluded.position)
            OR booking_cells.expires_at <= $7";
    EXTEND = "UPDATE booking_cells SET expires_at = (SELECT c.hold_until FROM checkouts c WHERE c.id = $1)
        WHERE checkout_id = $1 AND expires_at IS NOT NULL";
    // Of a provider who was paused, or does it no longer, since the time was held.
    WITHDRAWN = "SELECT l.title AS value FROM checkout_bookings b
        JOIN checkout_lines l ON l.checkout_id = b.checkout_id AND l.position = b.position
        JOIN providers r ON r.id = b.provider_id
        LEFT JOIN provider_services x ON x.provider_id = b.provider_id AND x.product_id = l.product_id
        WHERE b.checkout_id = $1 AND (NOT r.active OR x.provider_id IS NULL) ORDER BY b.position";
    RELEASE = "DELETE FROM booking_cells WHERE checkout_id = $1 AND expires_at IS NOT NULL";
    OF_CHECKOUT = "SELECT b.position, b.provider_id, b.starts_at, b.ends_at, b.first_cell, b.end_cell, l.order_id, o.shop_id,
            r.name AS provider_name, r.zone, s.place, s.change_minutes, s.fee_percent
        FROM checkout_bookings b
        JOIN checkout_lines l ON l.checkout_id = b.checkout_id AND l.position = b.position
        JOIN checkout_orders o ON o.order_id = l.order_id JOIN providers r ON r.id = b.provider_id
        JOIN services s ON s.product_id = l.product_id
        WHERE b.checkout_id = $1 ORDER BY b.provider_id, b.first_cell";
    CANCEL = "UPDATE appointments SET state = 'cancelled', sequence = sequence + 1, updated_at = $2
        WHERE order_id = $1 AND state = 'booked'";
    // The line of an order whose units are all refunded.
    CANCEL_REFUNDED = "UPDATE appointments SET state = 'cancelled', sequence = sequence + 1, updated_at = $2
        WHERE order_id = $1 AND state = 'booked' AND starts_at > $2 AND EXISTS (SELECT 1 FROM order_lines l
            WHERE l.order_id = appointments.order_id AND l.position = appointments.position AND l.refunded = l.quantity)";
    // Only as it was seen. Its line may be refunded by then.
    CANCEL_ONE = "UPDATE appointments SET state = 'cancelled', fee_minor = $3, updated_at = $4,
            sequence = CASE WHEN state = 'booked' THEN sequence + 1 ELSE sequence END
        WHERE id = $1 AND starts_at = $2 AND starts_at > $4 AND state IN ('booked', 'cancelled') AND fee_minor = 0";
    // Only from the time that was seen: of two who move it, one is told that it was moved.
    MOVE = "UPDATE appointments SET provider_id = $3, provider_name = $4, zone = $5, starts_local = $6, starts_at = $7, ends_at = $8,
            first_cell = $9, end_cell = $10, sequence = sequence + 1, updated_at = $11, reminded = $12
        WHERE id = $1 AND state = 'booked' AND starts_at = $2";
    MOVE_BOOKING = "UPDATE checkout_bookings SET provider_id = $3, starts_at = $4, ends_at = $5, first_cell = $6, end_cell = $7
        WHERE checkout_id = $1 AND position = $2";
    FREE_OLD = "DELETE FROM booking_cells WHERE checkout_id = $1 AND position = $2
        AND (provider_id <> $3 OR cell < $4 OR cell >= $5)";
    RENAME = "UPDATE order_lines SET variant_title = $3 WHERE order_id = $1 AND position = $2";
    FREE = "DELETE FROM booking_cells WHERE (checkout_id, position) IN (SELECT p.checkout_id, a.position
        FROM appointments a JOIN orders o ON o.id = a.order_id JOIN purchases p ON p.id = o.purchase_id
        WHERE a.order_id = $1 AND a.state = 'cancelled')";
    // What is taken of the calendars of those who do a service, or of one of them: bookings whose first cell is theirs. CROSS JOIN keeps
    // the order on SQLite, which would begin with all cells.
    BUSY = "SELECT b.provider_id, b.first_cell, b.end_cell
        FROM provider_services x CROSS JOIN checkout_bookings b CROSS JOIN booking_cells c
        WHERE x.product_id = $1 AND x.provider_id = COALESCE($5, x.provider_id)
            AND b.provider_id = x.provider_id AND b.first_cell >= $2 AND b.first_cell < $3
            AND c.provider_id = b.provider_id AND c.cell = b.first_cell AND c.seat = 0
            AND c.checkout_id = b.checkout_id AND c.position = b.position AND (c.expires_at IS NULL OR c.expires_at > $4)";
}

insert! {
    struct AddBooking into checkout_bookings {
        checkout_id: CheckoutId,
        position: i64,
        provider_id: ProviderId,
        starts_at: i64,
        ends_at: i64,
        first_cell: i64,
        end_cell: i64,
    }

    struct AddAppointment into appointments {
        id: AppointmentId,
        order_id: OrderId,
        position: i64,
        shop_id: ShopId,
        provider_id: ProviderId,
        provider_name: String,
        place: ServicePlace,
        starts_at: i64,
        ends_at: i64,
        starts_local: String,
        zone: String,
        first_cell: i64,
        end_cell: i64,
        change_minutes: i64,
        fee_percent: i64,
        reminded: i64,
        created_at: i64,
        updated_at: i64;
        state = "'booked'",
        sequence = "0",
    }
}

rows! {
    struct CartRow {
        variant_id: VariantId,
        title: String,
        provider_id: Option<ProviderId>,
        starts_at: Option<i64>,
        provider_name: Option<String>,
        zone: Option<String>,
        hours: Option<String>,
        offered: bool;
        rules: RulesRow
    }

    /// The columns of a service that say how it is booked.
    pub(crate) struct RulesRow {
        minutes: i64,
        before_minutes: i64,
        after_minutes: i64,
        notice_minutes: i64,
        step_minutes: i64,
        window_days: i64,
        change_minutes: i64,
        fee_percent: i64,
    }

    struct BookedRow {
        position: i64,
        provider_id: ProviderId,
        starts_at: i64,
        ends_at: i64,
        first_cell: i64,
        end_cell: i64,
        order_id: OrderId,
        shop_id: ShopId,
        provider_name: String,
        zone: String,
        place: ServicePlace,
        change_minutes: i64,
        fee_percent: i64,
    }

    struct BusyRow {
        provider_id: ProviderId,
        first_cell: i64,
        end_cell: i64,
    }
}

impl RulesRow {
    pub(crate) fn terms(&self) -> ChangeTerms {
        ChangeTerms { change_minutes: self.change_minutes, fee_percent: self.fee_percent }
    }

    pub(crate) fn rules(&self) -> BookingRules {
        BookingRules {
            minutes: self.minutes,
            before: self.before_minutes,
            after: self.after_minutes,
            notice: self.notice_minutes,
            window_days: self.window_days,
            step: self.step_minutes,
        }
    }
}

/// The stored hours of a provider.
pub(crate) fn hours(json: &str) -> TxResult<Hours> {
    serde_json::from_str(json).map_err(|error| bug(error.to_string()))
}

/// When an appointment starts, and with whom, as lines of carts and orders say it: `2026-12-03 10:00 IST, Asha Rao`.
pub(crate) fn when(starts_at: i64, zone: &str, provider: &str) -> String {
    let local = Zone::named(zone).map(|zone| zone.local(starts_at)).unwrap_or_default();
    let (time, abbreviation) = local.split_once('[').unwrap_or((local.as_str(), ""));
    let time = time.get(..16).unwrap_or_default().replace('T', " ");
    format!("{time} {}, {provider}", abbreviation.trim_end_matches(']'))
}

/// Of which reminders whoever books a time now has no need: it is too soon.
fn reminded(starts_at: i64, now: i64) -> i64 {
    let hours = (starts_at - now) / 3_600_000;
    if hours < 2 {
        2
    } else if hours < 25 {
        1
    } else {
        0
    }
}

/// What replaces shipping in an order of nothing but appointments.
pub(crate) fn no_shipping(currency: Currency) -> Vec<ShippingOption> {
    vec![ShippingOption::appointment(currency)]
}

/// The appointment that a line of a cart is for.
pub(crate) struct Booking {
    pub(crate) variant: VariantId,
    /// As orders say it.
    pub(crate) when: String,
    provider: ProviderId,
    starts_at: i64,
    ends_at: i64,
    cells: std::ops::Range<i64>,
}

/// The appointments of a cart. Fails if a time isn't chosen or offered any more. Whether it is still free is known once it is
/// held.
pub(crate) async fn of_cart_in_tx(tx: &mut Tx, cart: CartId, now: i64) -> TxResult<Vec<Booking>> {
    let rows: Vec<CartRow> = tx.all(&OF_CART, params![cart]).await?;
    let (mut bookings, mut refused) = (Vec::new(), Vec::new());
    for row in rows {
        match booking(&row, now)? {
            Some(booking) => bookings.push(booking),
            None => refused.push(row.title),
        }
    }
    if refused.is_empty() { Ok(bookings) } else { Err(Conflict::TimeTaken(refused).into()) }
}

/// The appointment of a line, if its time is offered.
fn booking(row: &CartRow, now: i64) -> TxResult<Option<Booking>> {
    let (Some(provider), Some(starts_at), Some(name), Some(zone_name), Some(json)) =
        (row.provider_id, row.starts_at, &row.provider_name, &row.zone, &row.hours)
    else {
        return Ok(None);
    };
    let (rules, hours) = (row.rules.rules(), hours(json)?);
    let zone = zone(zone_name).ok_or_else(|| bug("a provider has an unknown zone"))?;
    if !row.offered || !is_free(&zone, &hours, &rules, &[], now, starts_at) {
        return Ok(None);
    }
    Ok(Some(Booking {
        variant: row.variant_id,
        when: when(starts_at, zone_name, name),
        provider,
        starts_at,
        ends_at: rules.end(starts_at),
        cells: rules.blocked(starts_at).cells(),
    }))
}

/// Holds the times of a checkout until then. Each booking comes with the position and the title of its line. If a time is
/// taken, the caller must roll back.
pub(crate) async fn hold_in_tx(
    tx: &mut Tx,
    checkout: CheckoutId,
    mut bookings: Vec<(i64, String, Booking)>,
    until: i64,
    now: i64,
) -> TxResult<()> {
    // Whoever holds several locks their cells in the same order.
    bookings.sort_by_key(|(_, _, booking)| (booking.provider, booking.cells.start));
    let mut taken = Vec::new();
    for (position, title, booking) in &bookings {
        let cells = (booking.provider, booking.cells.clone());
        if !take_in_tx(tx, (checkout, *position), cells, Some(until), now).await? {
            taken.push(title.clone());
        }
    }
    if !taken.is_empty() {
        return Err(Conflict::TimeTaken(taken).into());
    }
    let rows = bookings.into_iter().map(|(position, _, booking)| AddBooking {
        checkout_id: checkout,
        position,
        provider_id: booking.provider,
        starts_at: booking.starts_at,
        ends_at: booking.ends_at,
        first_cell: booking.cells.start,
        end_cell: booking.cells.end,
    });
    tx.insert_all(rows.collect::<Vec<_>>()).await?;
    Ok(())
}

/// Takes cells of a provider's calendar, until then or for good; returns whether all of them were free, or the line's own.
async fn take_in_tx(
    tx: &mut Tx,
    (checkout, position): (CheckoutId, i64),
    (provider, cells): (ProviderId, std::ops::Range<i64>),
    until: Option<i64>,
    now: i64,
) -> TxResult<bool> {
    let taken =
        tx.exec(&TAKE, params![checkout, position, provider, cells.start, cells.end, until, now]).await?;
    Ok(i64::try_from(taken).ok() == Some(cells.end - cells.start))
}

/// A payment has begun: what a checkout holds lasts as long as the checkout now does. Fails if a provider can't be booked any more, so
/// that nothing is paid for what can't be had.
pub(crate) async fn extend_in_tx(tx: &mut Tx, checkout: CheckoutId) -> TxResult<()> {
    let withdrawn: Vec<Scalar<String>> = tx.all(&WITHDRAWN, params![checkout]).await?;
    if !withdrawn.is_empty() {
        return Err(Conflict::TimeTaken(withdrawn.into_iter().map(|title| title.0).collect()).into());
    }
    tx.exec(&EXTEND, params![checkout]).await?;
    Ok(())
}

/// Frees what is held by a checkout that has just ended.
pub(crate) async fn release_in_tx(tx: &mut Tx, checkout: CheckoutId) -> TxResult<()> {
    tx.exec(&RELEASE, params![checkout]).await?;
    Ok(())
}

/// Books the times of a checkout that was paid. Returns false, and the caller must roll back, if one of them was taken after
/// the checkout's time had run out.
pub(crate) async fn book_in_tx(tx: &mut Tx, checkout: CheckoutId, now: i64) -> TxResult<bool> {
    let rows: Vec<BookedRow> = tx.all(&OF_CHECKOUT, params![checkout]).await?;
    let mut appointments = Vec::with_capacity(rows.len());
    for row in rows {
        let cells = (row.provider_id, row.first_cell..row.end_cell);
        if !take_in_tx(tx, (checkout, row.position), cells, None, now).await? {
            return Ok(false);
        }
        let local = Zone::named(&row.zone).map(|zone| zone.local(row.starts_at)).unwrap_or_default();
        appointments.push(AddAppointment {
            id: random::id(now),
            order_id: row.order_id,
            position: row.position,
            shop_id: row.shop_id,
            provider_id: row.provider_id,
            provider_name: row.provider_name,
            place: row.place,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            starts_local: local.get(..16).unwrap_or_default().to_owned(),
            zone: row.zone,
            first_cell: row.first_cell,
            end_cell: row.end_cell,
            change_minutes: row.change_minutes,
            fee_percent: row.fee_percent,
            reminded: reminded(row.starts_at, now),
            created_at: now,
            updated_at: now,
        });
    }
    tx.insert_all(appointments).await?;
    Ok(true)
}

/// Cancels the appointments of an order that was cancelled, and frees their times.
pub(crate) async fn cancel_in_tx(tx: &mut Tx, order: OrderId, now: i64) -> TxResult<()> {
    tx.exec(&CANCEL, params![order, now]).await?;
    tx.exec(&FREE, params![order]).await?;
    Ok(())
}

/// Cancels the appointments of an order whose lines are refunded, and frees their times. What has begun stays as it is.
pub(crate) async fn cancel_refunded_in_tx(tx: &mut Tx, order: OrderId, now: i64) -> TxResult<()> {
    if tx.exec(&CANCEL_REFUNDED, params![order, now]).await? > 0 {
        tx.exec(&FREE, params![order]).await?;
    }
    Ok(())
}

/// Cancels an appointment that begins at this time, and frees it; returns false, and the caller must roll back, if it has changed
/// since. `fee` is what the shop keeps of its price.
pub(crate) async fn cancel_one_in_tx(
    tx: &mut Tx,
    (id, starts_at): (AppointmentId, i64),
    order: OrderId,
    fee: i64,
    now: i64,
) -> TxResult<bool> {
    if tx.exec(&CANCEL_ONE, params![id, starts_at, fee, now]).await? == 0 {
        return Ok(false);
    }
    tx.exec(&FREE, params![order]).await?;
    Ok(true)
}

/// A time in a provider's calendar.
#[derive(Debug, Clone)]
pub(crate) struct NewTime {
    pub(crate) provider: ProviderId,
    pub(crate) provider_name: String,
    /// The name of the provider's zone.
    pub(crate) zone: String,
    /// When it starts and ends.
    pub(crate) span: (i64, i64),
    /// The first cell, and that after the last one.
    pub(crate) cells: (i64, i64),
}

impl NewTime {
    /// As orders say it.
    pub(crate) fn when(&self) -> String {
        when(self.span.0, &self.zone, &self.provider_name)
    }
}

/// An appointment as it was seen by whoever moves it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) id: AppointmentId,
    pub(crate) order: OrderId,
    pub(crate) position: i64,
    pub(crate) checkout: CheckoutId,
    pub(crate) title: String,
    pub(crate) starts_at: i64,
}

/// Moves an appointment to another time, which is taken before the old one is free.
pub(crate) async fn move_in_tx(tx: &mut Tx, seen: &Seen, to: &NewTime, now: i64) -> TxResult<()> {
    let local = Zone::named(&to.zone).map(|zone| zone.local(to.span.0)).unwrap_or_default();
    let ((starts_at, ends_at), (first, end)) = (to.span, to.cells);
    let row = params![
        seen.id,
        seen.starts_at,
        to.provider,
        &to.provider_name,
        &to.zone,
        local.get(..16).unwrap_or_default(),
        starts_at,
        ends_at,
        first,
        end,
        now,
        reminded(starts_at, now)
    ];
    let line = (seen.checkout, seen.position);
    let moved = tx.exec(&MOVE, row).await? == 1;
    if !moved || !take_in_tx(tx, line, (to.provider, first..end), None, now).await? {
        return Err(Conflict::TimeTaken(vec![seen.title.clone()]).into());
    }
    tx.exec(&FREE_OLD, params![seen.checkout, seen.position, to.provider, first, end]).await?;
    let row = params![seen.checkout, seen.position, to.provider, starts_at, ends_at, first, end];
    tx.exec(&MOVE_BOOKING, row).await?;
    tx.exec(&RENAME, params![seen.order, seen.position, to.when()]).await?;
    Ok(())
}

/// What is taken of the calendars of those who do a service, or of one of them, between two moments.
pub(crate) async fn busy(
    engine: &Engine,
    product: ProductId,
    provider: Option<ProviderId>,
    Span { from, to }: Span,
) -> Result<Vec<(ProviderId, Span)>> {
    let now = engine.clock.now_ms();
    let (from, to) = (from.div_euclid(CELL_MS) - LONGEST_CELLS, to.div_euclid(CELL_MS) + LONGEST_CELLS);
    let rows: Vec<BusyRow> = engine.db.all(&BUSY, params![product, from, to, now, provider]).await?;
    let span =
        |row: BusyRow| (row.provider_id, Span { from: row.first_cell * CELL_MS, to: row.end_cell * CELL_MS });
    Ok(rows.into_iter().map(span).collect())
}
