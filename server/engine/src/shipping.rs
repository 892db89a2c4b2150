//! How shops ship: their rules, stored and read. What they mean is decided by `haat_shared::shipping`.
//!
//! The zones of a shop are read, checked and saved together, so they are one row.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    Caller, Engine, TxResult, bug,
    clock::Zone as TimeZone,
    db::{Tx, Value},
    inventory, params, random, revisions, rows, statements,
};
use haat_shared::{
    Currency, Error, FieldCode, FieldError, Money, Result,
    checkout::CheckoutUpdate,
    id::kinds::{CapacityId, CartId, CheckoutId, ShopId, UserId, ZoneId},
    money::Rate,
    permissions::Permission,
    shipping::{
        BasketForm, BookedSlot, Calendar, CalendarForm, Moment, Parcel, Place, ShippingMethod,
        ShippingOption, ShippingPreview, ShippingRules, ShippingSettings, Slot, SlotForm, SlotOffer,
        SlotWindow, ZoneForm,
    },
};

statements! {
    ADD = "INSERT INTO shop_shipping (shop_id, rules) VALUES ($1, $2)";
    // With the address of the newest checkout of the cart.
    OF_CART = "SELECT s.id, s.version,
            (SELECT c.form FROM checkouts c WHERE c.cart_id = $1 ORDER BY c.id DESC LIMIT 1) AS form
        FROM shops s WHERE s.id IN (SELECT l.shop_id FROM cart_lines l WHERE l.cart_id = $1)";
    OF_CHECKOUT = "SELECT s.id, s.version, CAST(NULL AS TEXT) AS form FROM shops s
        WHERE s.id IN (SELECT o.shop_id FROM checkout_orders o WHERE o.checkout_id = $1)";
    RULES = "SELECT s.id, s.version, r.rules FROM shops s JOIN shop_shipping r ON r.shop_id = s.id
        WHERE s.id IN (VALUES [($1)])";
    FIND = "SELECT s.version, s.currency, r.rules FROM shops s JOIN shop_shipping r ON r.shop_id = s.id WHERE s.id = $1";
    // Also locks the shop's settings.
    RENEW = "UPDATE shops SET version = version + 1 WHERE id = $1 AND version = $2";
    // The slots of a shop that somebody has chosen.
    SLOTS = "SELECT d.capacity_id, d.slot, c.on_hand, c.held,
            (SELECT COUNT(*) FROM orders o WHERE o.slot_id = d.capacity_id AND o.state <> 'cancelled') AS booked
        FROM delivery_slots d JOIN capacities c ON c.id = d.capacity_id
        WHERE d.shop_id = $1 AND d.day >= $2 ORDER BY d.slot";
    SAVE = "UPDATE shop_shipping SET rules = $2 WHERE shop_id = $1";
}

rows! {
    struct ShopRow {
        id: ShopId,
        version: i64,
        form: Option<String>,
    }

    struct RulesRow {
        id: ShopId,
        version: i64,
        rules: String,
    }

    struct SlotRow {
        capacity_id: CapacityId,
        slot: Slot,
        on_hand: i64,
        held: i64,
        booked: i64,
    }

    struct SettingsRow {
        version: i64,
        currency: Currency,
        rules: String,
    }
}

/// Where something goes with this input of a checkout; within the market's country, `home`, if it names none yet.
pub(crate) fn place(form: &CheckoutUpdate, home: &str) -> Place {
    let country = if form.country.is_empty() { home } else { &form.country };
    Place::new(country, &form.region, &form.postal_code)
}

/// The stored rules of a shop.
pub(crate) fn read(rules: &str) -> TxResult<ShippingRules> {
    serde_json::from_str(rules).map_err(|error| bug(error.to_string()))
}

fn written(rules: &ShippingRules) -> TxResult<String> {
    serde_json::to_string(rules).map_err(|error| bug(error.to_string()))
}

/// The time zone of a shop: its own, or else that of the market.
fn zone_of(calendar: &Calendar, zone: &TimeZone) -> TimeZone {
    let own = Some(&calendar.time_zone).filter(|name| !name.is_empty());
    own.and_then(|name| TimeZone::named(name).ok()).unwrap_or_else(|| zone.clone())
}

/// The time of a shop, in its time zone.
fn moment(calendar: &Calendar, zone: &TimeZone, now: i64) -> Moment {
    let zone = zone_of(calendar, zone);
    Moment { day: zone.day(now), minute: zone.minute(now) }
}

/// The most shops whose rules a node keeps.
const KEPT_SHOPS: usize = 2_000;

/// The rules that this node has read, by shop, each with the version of the shop's settings that it belongs to. The rules of a
/// shop with many zones are tens of kilobytes, and every price of its goods needs them.
#[derive(Debug, Default, Clone)]
pub struct RulesCache(Arc<RwLock<HashMap<ShopId, (i64, Arc<ShippingRules>)>>>);

impl RulesCache {
    fn get(&self, shop: ShopId, version: i64) -> Option<Arc<ShippingRules>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(&shop).filter(|(of, _)| *of == version).map(|(_, rules)| rules.clone())
    }

    fn put(&self, row: &RulesRow) -> TxResult<Arc<ShippingRules>> {
        let rules = Arc::new(read(&row.rules)?);
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_SHOPS {
            kept.clear();
        }
        kept.insert(row.id, (row.version, rules.clone()));
        Ok(rules)
    }
}

/// What reading the rules of shops takes besides a transaction: those that are kept, and the market's time zone.
#[derive(Clone)]
pub(crate) struct Reader {
    kept: RulesCache,
    zone: TimeZone,
}

impl Reader {
    pub(crate) fn of(engine: &Engine) -> Self {
        Self { kept: engine.shipping.clone(), zone: engine.zone.clone() }
    }

    /// The rules of these shops that are kept, and the shops whose rules must be read.
    fn kept(&self, shops: &[ShopRow], now: i64) -> (Rules, Vec<[Value; 1]>) {
        let mut rules = Rules { shops: Vec::with_capacity(shops.len()), zone: self.zone.clone(), now };
        let mut missing = Vec::new();
        for shop in shops {
            match self.kept.get(shop.id, shop.version) {
                Some(kept) => rules.shops.push((shop.id, kept)),
                None => missing.push([shop.id.into()]),
            }
        }
        (rules, missing)
    }

    fn add(&self, rules: &mut Rules, rows: &[RulesRow]) -> TxResult<()> {
        for row in rows {
            rules.shops.push((row.id, self.kept.put(row)?));
        }
        Ok(())
    }

    async fn read_in_tx(&self, tx: &mut Tx, shops: &[ShopRow], now: i64) -> TxResult<Rules> {
        let (mut rules, missing) = self.kept(shops, now);
        self.add(&mut rules, &tx.all_many(&RULES, &missing).await?)?;
        Ok(rules)
    }
}

/// The rules of some shops.
pub(crate) struct Rules {
    shops: Vec<(ShopId, Arc<ShippingRules>)>,
    zone: TimeZone,
    now: i64,
}

impl Rules {
    /// The same with amounts in this currency.
    pub(crate) fn exchanged(mut self, rate: Rate, to: Currency) -> Result<Self> {
        for (_, rules) in &mut self.shops {
            let exchanged = rules.exchanged(rate, to);
            *rules = Arc::new(exchanged.ok_or_else(|| Error::field("currency", FieldCode::TooBig))?);
        }
        Ok(self)
    }

    /// How a shop ships a parcel to a place, standard first. None if it doesn't.
    pub(crate) fn options(&self, shop: ShopId, place: &Place, parcel: &Parcel) -> Vec<ShippingOption> {
        let Some((_, rules)) = self.shops.iter().find(|(id, _)| *id == shop) else { return Vec::new() };
        rules.options(place, parcel, moment(&rules.calendar, &self.zone, self.now))
    }

    /// The slots that a shop offers.
    pub(crate) fn slots(&self, shop: ShopId) -> Vec<SlotOffer> {
        let Some((_, rules)) = self.shops.iter().find(|(id, _)| *id == shop) else { return Vec::new() };
        rules.slots(moment(&rules.calendar, &self.zone, self.now))
    }

    /// What a shop offers of a slot, if it can be booked, and when it closes.
    pub(crate) fn slot(&self, shop: ShopId, slot: Slot) -> Option<(SlotOffer, i64)> {
        let (_, rules) = self.shops.iter().find(|(id, _)| *id == shop)?;
        let zone = zone_of(&rules.calendar, &self.zone);
        let offer = rules.offer(slot, moment(&rules.calendar, &self.zone, self.now))?;
        Some((offer, zone.read(&offer.closes.written())?))
    }
}

/// The rules of the shops of a cart, and where its last checkout goes.
pub(crate) async fn of_cart(engine: &Engine, cart: CartId) -> Result<(Rules, Place)> {
    let reader = Reader::of(engine);
    let shops: Vec<ShopRow> = engine.db.all(&OF_CART, params![cart]).await?;
    let form = shops.first().and_then(|row| serde_json::from_str(row.form.as_deref()?).ok());
    let (mut rules, missing) = reader.kept(&shops, engine.clock.now_ms());
    reader.add(&mut rules, &engine.db.all_many(&RULES, &missing).await?)?;
    Ok((rules, place(&form.unwrap_or_default(), &engine.country)))
}

/// The rules of the shops of a cart.
pub(crate) async fn of_cart_in_tx(tx: &mut Tx, cart: CartId, reader: &Reader, now: i64) -> TxResult<Rules> {
    let shops: Vec<ShopRow> = tx.all(&OF_CART, params![cart]).await?;
    reader.read_in_tx(tx, &shops, now).await
}

/// The rules of the shops of a checkout.
pub(crate) async fn of_checkout(engine: &Engine, checkout: CheckoutId) -> Result<Rules> {
    let reader = Reader::of(engine);
    let shops: Vec<ShopRow> = engine.db.all(&OF_CHECKOUT, params![checkout]).await?;
    let (mut rules, missing) = reader.kept(&shops, engine.clock.now_ms());
    reader.add(&mut rules, &engine.db.all_many(&RULES, &missing).await?)?;
    Ok(rules)
}

/// The rules of the shops of a checkout.
pub(crate) async fn of_checkout_in_tx(
    tx: &mut Tx,
    checkout: CheckoutId,
    reader: &Reader,
    now: i64,
) -> TxResult<Rules> {
    let shops: Vec<ShopRow> = tx.all(&OF_CHECKOUT, params![checkout]).await?;
    reader.read_in_tx(tx, &shops, now).await
}

/// Stores the rules of a new shop.
pub(crate) async fn add_in_tx(tx: &mut Tx, shop: ShopId, rules: &ShippingRules) -> TxResult<()> {
    tx.exec(&ADD, params![shop, written(rules)?]).await?;
    Ok(())
}

/// What a shop page says of shipping to the market's country.
pub(crate) struct Summary {
    /// The lowest price. None if the shop doesn't ship there.
    pub(crate) price: Option<Money>,
    /// Whether other parcels cost more.
    pub(crate) varies: bool,
    /// The subtotal from which it is free.
    pub(crate) free_from: Option<Money>,
    /// The days until it arrives, from today in the market's time zone.
    pub(crate) days: (i64, i64),
}

/// What a shop page says of shipping to the market's country.
pub(crate) fn summary(engine: &Engine, rules: &str) -> TxResult<Summary> {
    let (rules, now) = (read(rules)?, engine.clock.now_ms());
    let zone = rules.zone(&Place::new(&engine.country, "", ""));
    let shipped =
        zone.and_then(|zone| zone.methods.iter().find(|method| method.method != ShippingMethod::Pickup));
    let Some(method) = shipped else {
        return Ok(Summary { price: None, varies: false, free_from: None, days: (0, 0) });
    };
    let (first, last) = rules.calendar.promise(moment(&rules.calendar, &engine.zone, now), method.days);
    let today = engine.zone.day(now);
    Ok(Summary {
        price: method.steps.iter().map(|step| step.price).min_by_key(|price| price.amount()),
        varies: method.steps.len() > 1,
        free_from: method.free_from,
        days: ((first - today).max(0), (last - today).max(0)),
    })
}

/// What is changed in the rules of a shop.
#[derive(Debug, Clone)]
pub enum Change {
    /// A zone is added, or the one with this ID is replaced.
    Zone(Option<ZoneId>, Box<ZoneForm>),
    /// A zone is removed.
    RemoveZone(ZoneId),
    /// The working days.
    Calendar(CalendarForm),
    /// A window of slots is added, or the one at this place is replaced.
    Window(Option<usize>, SlotForm),
    /// A window of slots is removed. What was booked in it stays booked.
    RemoveWindow(usize),
    /// Everything: the zones keep the IDs that they are given with. Windows of slots stay as they are if there are none given.
    All(CalendarForm, Vec<(Option<ZoneId>, ZoneForm)>, Option<Vec<SlotForm>>),
}

/// How a shop ships, for members who may change it.
pub async fn settings(engine: &Engine, caller: &Caller, handle: &str) -> Result<ShippingSettings> {
    let shop = caller.shop(handle, Permission::ManageShop)?;
    let row: SettingsRow = engine.db.one(&FIND, params![shop]).await?;
    let (home, rules, booked) = (engine.country.clone(), read(&row.rules)?, booked(engine, shop).await?);
    Ok(ShippingSettings { version: row.version, currency: row.currency, home, rules, booked })
}

/// Changes how a shop ships if its settings still have this version. Returns the new one. Checkouts keep the prices that
/// they were quoted, until they go to another address.
pub async fn save(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    version: i64,
    change: &Change,
) -> Result<i64> {
    let shop = caller.shop(handle, Permission::ManageShop)?;
    save_for(engine, shop, caller.user_id(), version, change).await
}

async fn save_for(
    engine: &Engine,
    shop: ShopId,
    user: Option<UserId>,
    version: i64,
    change: &Change,
) -> Result<i64> {
    let now = engine.clock.now_ms();
    let new: Vec<ZoneId> = match change {
        Change::All(_, zones, _) => zones.iter().map(|_| random::id(now)).collect(),
        _ => vec![random::id(now)],
    };
    let input = (shop, user, version, change.clone(), new, (now, begun(engine, now)));
    let saved = engine
        .db
        .write(("shipping::save", shop), input, |tx, (shop, user, version, change, new, (now, since))| {
            Box::pin(async move {
                let row: SettingsRow = tx.opt(&FIND, params![*shop]).await?.ok_or(Error::NotFound)?;
                let before = read(&row.rules)?;
                let (rules, field) = changed(&before, change, new, row.currency)?;
                if rules == before {
                    return Ok(row.version);
                }
                if tx.exec(&RENEW, params![*shop, *version]).await? == 0 {
                    return Err(revisions::since(tx, *shop, *version).await?);
                }
                tx.exec(&SAVE, params![*shop, written(&rules)?]).await?;
                if rules.windows != before.windows {
                    resize_in_tx(tx, *shop, &rules, *since, *now).await?;
                }
                revisions::write(tx, *shop, *version + 1, &[field.to_owned()], *user, *now).await?;
                Ok(*version + 1)
            })
        })
        .await?;
    Ok(saved)
}

/// The rules with the change, and the name of what changed.
fn changed(
    before: &ShippingRules,
    change: &Change,
    new: &[ZoneId],
    currency: Currency,
) -> Result<(ShippingRules, &'static str)> {
    let mut rules = before.clone();
    let new_id = || new.first().copied().ok_or(Error::Internal);
    match change {
        Change::Zone(id, form) => {
            let zone = form.check(id.map_or_else(new_id, Ok)?, "", currency).map_err(Error::Invalid)?;
            // Last, so that what is wrong is wrong with this one.
            let at = rules.zones.iter().position(|zone| Some(zone.id) == *id);
            if id.is_some() && at.is_none() {
                return Err(Error::NotFound);
            }
            let mut checked = rules.clone();
            if let Some(at) = at {
                checked.zones.remove(at);
            }
            checked.zones.push(zone.clone());
            checked.check(|_| String::new()).map_err(Error::Invalid)?;
            match at.and_then(|at| rules.zones.get_mut(at)) {
                Some(old) => *old = zone,
                None => rules.zones.push(zone),
            }
            Ok((rules, "zones"))
        }
        Change::RemoveZone(id) => {
            if !rules.zones.iter().any(|zone| zone.id == *id) {
                return Err(Error::NotFound);
            }
            rules.zones.retain(|zone| zone.id != *id);
            Ok((rules, "zones"))
        }
        Change::Calendar(form) => {
            rules.calendar = calendar(form, "")?;
            Ok((rules, "calendar"))
        }
        Change::Window(at, form) => {
            let window = form.check(currency).map_err(Error::Invalid)?;
            match at {
                None => rules.windows.push(window),
                Some(at) => *rules.windows.get_mut(*at).ok_or(Error::NotFound)? = window,
            }
            rules.check_windows().map_err(Error::Invalid)?;
            rules.windows.sort_by_key(|window| (window.from, window.to, window.weekdays.clone()));
            Ok((rules, "slots"))
        }
        Change::RemoveWindow(at) => {
            if *at >= rules.windows.len() {
                return Err(Error::NotFound);
            }
            rules.windows.remove(*at);
            Ok((rules, "slots"))
        }
        Change::All(form, zones, windows) => {
            let calendar = calendar(form, "calendar.");
            let checked = zones.iter().zip(new).enumerate().map(|(n, ((id, form), new))| {
                let known = id.filter(|id| before.zones.iter().any(|zone| zone.id == *id));
                form.check(known.unwrap_or(*new), &format!("zones.{n}."), currency)
            });
            let (mut good, mut faults) = (Vec::new(), Vec::new());
            for zone in checked {
                match zone {
                    Ok(zone) => good.push(zone),
                    Err(wrong) => faults.extend(wrong),
                }
            }
            match calendar {
                Ok(calendar) if faults.is_empty() => {
                    let windows = match windows {
                        None => before.windows.clone(),
                        Some(windows) => self::windows(windows, currency)?,
                    };
                    let rules = ShippingRules { calendar, zones: good, windows };
                    rules.check(|n| format!("zones.{n}.")).map_err(Error::Invalid)?;
                    rules.check_windows().map_err(|faults| at_slots(faults, ""))?;
                    Ok((rules, "zones"))
                }
                Err(Error::Invalid(wrong)) => Err(Error::Invalid(wrong.into_iter().chain(faults).collect())),
                Err(error) => Err(error),
                Ok(_) => Err(Error::Invalid(faults)),
            }
        }
    }
}

/// The windows of slots, each with the faults at its place.
fn windows(forms: &[SlotForm], currency: Currency) -> Result<Vec<SlotWindow>> {
    let read = forms
        .iter()
        .enumerate()
        .map(|(n, form)| form.check(currency).map_err(|faults| at_slots(faults, &format!("{n}."))));
    read.collect()
}

fn at_slots(faults: Vec<FieldError>, at: &str) -> Error {
    let at = |fault: FieldError| FieldError::new(format!("slots.{at}{}", fault.field), fault.code);
    Error::Invalid(faults.into_iter().map(at).collect())
}

fn calendar(form: &CalendarForm, at: &str) -> Result<Calendar> {
    let calendar = form.check(at).map_err(Error::Invalid)?;
    if !calendar.time_zone.is_empty() && TimeZone::named(&calendar.time_zone).is_err() {
        return Err(Error::Invalid(vec![FieldError::new(format!("{at}time_zone"), FieldCode::NotAChoice)]));
    }
    Ok(calendar)
}

/// The same as [`preview`]; none while the zone or the basket is not complete, since both are still being typed.
pub async fn preview_while_typing(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    basket: &BasketForm,
    edited: Option<(Option<ZoneId>, ZoneForm)>,
) -> Result<Option<ShippingPreview>> {
    match preview(engine, caller, handle, basket, edited).await {
        Err(Error::Invalid(_)) => Ok(None),
        found => found.map(Some),
    }
}

/// What shipping of a basket would cost, and when it would arrive: by the rules of the shop, with the zone that is being
/// edited, if it is valid.
pub async fn preview(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    basket: &BasketForm,
    edited: Option<(Option<ZoneId>, ZoneForm)>,
) -> Result<ShippingPreview> {
    let ShippingSettings { currency, rules, .. } = settings(engine, caller, handle).await?;
    let (place, parcel) = basket.check(currency).map_err(Error::Invalid)?;
    let now = engine.clock.now_ms();
    let rules = match edited {
        Some((id, form)) => {
            changed(&rules, &Change::Zone(id, Box::new(form)), &[random::id(now)], currency)?.0
        }
        None => rules,
    };
    let zone = rules.zone(&place).map(|zone| zone.name.clone());
    let options = rules.options(&place, &parcel, moment(&rules.calendar, &engine.zone, now));
    Ok(ShippingPreview { zone, options })
}

/// The day from which on slots may not be over: where the shop is, it may be the day before.
fn begun(engine: &Engine, now: i64) -> i64 {
    engine.zone.day(now) - 1
}

/// The slots of a shop, from today on, that have orders.
async fn booked(engine: &Engine, shop: ShopId) -> Result<Vec<BookedSlot>> {
    let since = begun(engine, engine.clock.now_ms());
    let rows: Vec<SlotRow> = engine.db.all(&SLOTS, params![shop, since]).await?;
    let booked = rows.into_iter().filter(|row| row.booked > 0).map(|row| BookedSlot {
        slot: row.slot,
        booked: row.booked,
        orders: row.on_hand + row.booked,
    });
    Ok(booked.collect())
}

/// Gives the slots of a shop, from today on, the capacity that its rules say now, but never less than is taken or held.
async fn resize_in_tx(
    tx: &mut Tx,
    shop: ShopId,
    rules: &ShippingRules,
    since: i64,
    now: i64,
) -> TxResult<()> {
    let rows: Vec<SlotRow> = tx.all(&SLOTS, params![shop, since]).await?;
    for row in rows {
        let Some(orders) = rules.orders_in(row.slot) else { continue };
        let by = (orders - row.booked - row.on_hand).max(row.held - row.on_hand);
        if by != 0 && !inventory::recount_in_tx(tx, row.capacity_id, by, now).await? {
            // Somebody has held one meanwhile.
            return Err(Error::Busy { retry_after_s: 1 }.into());
        }
    }
    Ok(())
}

/// Sets how a shop ships, whatever it did before.
pub(crate) async fn put(engine: &Engine, shop: ShopId, user: Option<UserId>, change: &Change) -> Result<()> {
    let row: SettingsRow = engine.db.one(&FIND, params![shop]).await?;
    save_for(engine, shop, user, row.version, change).await.map(drop)
}
