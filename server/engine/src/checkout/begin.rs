//! Begins a checkout: fixes the prices, and holds everything in the cart or nothing.

use std::sync::Arc;

use super::{
    Chosen,
    adjustments::{self, AddAdjustment, Amounts},
};
use crate::{
    Bounds, Caller, Engine, TxResult, addresses,
    bookings::{self, Booking},
    carts,
    currencies::{self, Shown},
    db::{Scalar, Tx},
    gift_cards, group_by, insert,
    inventory::holds::{self, Claim, Left, Need, OfOrigin, Released},
    params, payments,
    promotions::{self, AddUse, Offers, Person},
    random, rows,
    sale_prices::{Allotments, LineAllotment, SaleNow, join_sale, on_sale},
    shipping,
    slots::{self, NewSlot},
    statements,
    taxes::{self, Taxed},
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    catalog::options_text,
    checkout::{CheckoutState, CheckoutUpdate, HOLD_MS},
    error::Shortage,
    gift_cards::Gift,
    id::kinds::*,
    money::{Rate, convert_price},
    pricing::{self, LineItem, LineKind, Promotion, ShopItems, TaxRule, Totals},
    promotions::{LineFacts, Refusal, choose},
    sale_prices::in_proportion,
    shipping::{CashTerms, Parcel, ShippingMethod, Slot},
    taxes::{Sale, TaxTable},
};

/// A checkout of the same cart is continued if it has this much time left.
const WORTH_KEEPING_MS: i64 = 5 * 60 * 1000;

statements! {
    LOCK_CART = "UPDATE carts SET updated_at = $2 WHERE id = $1 AND state = 'open' RETURNING version,
            (SELECT COUNT(*) FROM cart_gifts g WHERE g.cart_id = carts.id) AS gifts";
    CURRENT = "SELECT c.id, c.state, c.cart_version, c.hold_until, c.form, c.currency, COALESCE((SELECT s.currency
            FROM cart_lines l JOIN shops s ON s.id = l.shop_id WHERE l.cart_id = c.cart_id ORDER BY l.id LIMIT 1),
            (SELECT g.currency FROM cart_gifts g WHERE g.cart_id = c.cart_id ORDER BY g.id LIMIT 1), c.currency) AS own_currency
        FROM checkouts c WHERE c.cart_id = $1 AND c.state IN ('open', 'paying') ORDER BY c.id DESC";
    IN_PROGRESS = "SELECT id AS value FROM checkouts WHERE cart_id = $1 AND state IN ('open', 'paying') AND hold_until > $2
        ORDER BY id DESC LIMIT 1";
    SUPERSEDE = "UPDATE checkouts SET state = 'superseded', updated_at = $2
        WHERE id = $1 AND state IN ('open', 'paying') RETURNING gift_minor,
            (SELECT COUNT(*) FROM checkout_bookings b WHERE b.checkout_id = checkouts.id) AS bookings";
    LINES = concat!("SELECT l.variant_id, l.quantity, COALESCE(v.price_minor, l.price_seen_minor) AS price_minor,
            o.amount_minor AS own_minor, COALESCE(v.title, l.variant_title) AS variant_title, COALESCE(p.options, '[]') AS option_names,
            COALESCE(v.options, '[]') AS option_values, COALESCE(p.id, l.variant_id) AS product_id,
            COALESCE(p.title, l.title) AS title, CASE WHEN p.state = 'published' AND NOT v.archived THEN FALSE ELSE TRUE END
            AS discontinued, s.id AS shop_id, s.name AS shop_name, s.currency, COALESCE(v.weight_g, 0) AS weight_g,
            COALESCE(s.commission_bp, k.commission_bp, (SELECT r.rate_bp FROM commission_rates r WHERE r.category_id IS NULL)) AS commission_bp,
            s.country, s.region, s.prices_include_tax, COALESCE(k.tax_category, '') AS tax_category, COALESCE(k.path, '') AS category,
            CASE WHEN sv.product_id IS NULL THEN FALSE ELSE TRUE END AS is_service, ",
            on_sale!(), "
        FROM cart_lines l JOIN shops s ON s.id = l.shop_id LEFT JOIN variants v ON v.id = l.variant_id
        LEFT JOIN services sv ON sv.product_id = v.product_id
        LEFT JOIN products p ON p.id = v.product_id LEFT JOIN categories k ON k.id = p.category_id
        LEFT JOIN variant_prices o ON o.variant_id = l.variant_id AND o.currency = $2 ",
        join_sale!("v.id", "$3"), "WHERE l.cart_id = $1 ORDER BY l.id");
}

insert! {
    struct AddCheckout<'a> into checkouts {
        id: CheckoutId,
        cart_id: CartId,
        cart_version: i64,
        currency: Currency,
        rate_numerator: i64,
        rate_denominator: i64,
        subtotal_minor: i64,
        discount_minor: i64,
        delivery_minor: i64,
        total_minor: i64,
        form: &'a str,
        taxes: String,
        displaced: String,
        holds: i64,
        gifts_minor: i64,
        hold_until: i64,
        created_at: i64,
        updated_at: i64,
        tax_minor: i64,
        added_tax_minor: i64,
        origin: Option<[u8; 32]>;
        state = "'open'",
        extended = "FALSE",
    }

    struct AddOrder into checkout_orders {
        checkout_id: CheckoutId,
        position: i64,
        order_id: OrderId,
        shop_id: ShopId,
        shop_name: String,
        subtotal_minor: i64,
        options: String,
        takes_cash: bool,
        delivery: ShippingMethod,
        delivery_name: String,
        arrives_min: i64,
        arrives_max: i64,
        slot: Option<Slot>,
        slot_id: Option<CapacityId>,
        slot_closes_at: Option<i64>,
        slot_extra_minor: i64,
        discount_minor: i64,
        market_discount_minor: i64,
        delivery_minor: i64,
        delivery_taxes: String,
        delivery_tax_minor: i64,
        tax_minor: i64,
        added_tax_minor: i64,
        total_minor: i64,
        items_minor: i64,
        commission_minor: i64,
    }

    struct AddLine into checkout_lines {
        checkout_id: CheckoutId,
        position: i64,
        order_id: OrderId,
        kind: LineKind,
        product_id: ProductId,
        variant_id: VariantId,
        title: String,
        variant_title: String,
        quantity: i64,
        unit_minor: i64,
        total_minor: i64,
        discount_minor: i64,
        tax_category: String,
        taxes: String,
        tax_minor: i64,
        added_tax_minor: i64,
        commission_bp: i64,
        commission_minor: i64,
        market_discount_minor: i64,
    }
}

rows! {
    struct CartVersion {
        version: i64,
        gifts: i64,
    }

    struct Current {
        id: CheckoutId,
        state: CheckoutState,
        cart_version: i64,
        hold_until: i64,
        form: String,
        currency: Currency,
        own_currency: Currency,
    }

    struct Superseded {
        gift_minor: i64,
        bookings: i64,
    }

    struct LineRow {
        variant_id: VariantId,
        quantity: i64,
        price_minor: i64,
        own_minor: Option<i64>,
        variant_title: String,
        option_names: String,
        option_values: String,
        product_id: ProductId,
        title: String,
        shop_id: ShopId,
        shop_name: String,
        currency: Currency,
        weight_g: i64,
        commission_bp: i64,
        country: String,
        region: String,
        prices_include_tax: Option<bool>,
        tax_category: String,
        category: String,
        discontinued: bool,
        is_service: bool;
        sale: SaleNow
    }
}

/// The caller's checkout in progress, if there is one.
pub async fn current(engine: &Engine, caller: &Caller) -> Result<Option<CheckoutId>> {
    let Some(cart) = carts::find(engine, caller).await? else { return Ok(None) };
    let now = engine.clock.now_ms();
    let found: Option<Scalar<CheckoutId>> = engine.db.opt(&IN_PROGRESS, params![cart, now]).await?;
    Ok(found.map(|id| id.0))
}

/// Begins a checkout of the caller's cart in the currency that they chose or that of its shops, or continues an open checkout of the
/// same items. An older checkout of other items is ended and its holds are released; its input is kept.
pub async fn begin(engine: &Engine, caller: &Caller) -> Result<CheckoutId> {
    let chosen = currencies::shown(engine, caller).await?.map(Shown::currency);
    match begin_in(engine, caller, chosen).await {
        // Shops with another currency than the market's are paid in theirs.
        Err(Error::Conflict(Conflict::MixedCurrencies)) if chosen.is_some() => {
            begin_in(engine, caller, None).await
        }
        begun => begun,
    }
}

/// Begins a checkout anew after the codes of its cart have changed: with the input and in the currency of this one.
pub async fn renew(engine: &Engine, caller: &Caller, id: CheckoutId) -> Result<CheckoutId> {
    let checkout = super::find(engine, caller, id).await?;
    let currency = (checkout.rate() != Rate::ONE).then_some(checkout.quote.currency);
    begin_in(engine, caller, currency).await
}

/// The same in a chosen currency of the market: prices are those that sellers set in it, or are converted at
/// the rate of the moment, which the checkout keeps.
pub async fn begin_in(engine: &Engine, caller: &Caller, currency: Option<Currency>) -> Result<CheckoutId> {
    if currency.is_some_and(|currency| !engine.currencies.contains(&currency)) {
        return Err(Error::field("currency", FieldCode::NotAChoice));
    }
    let cart = carts::find(engine, caller).await?.ok_or(Conflict::CartEmpty)?;
    let mut form = CheckoutUpdate::default();
    if let Some(user) = caller.user() {
        let last = match addresses::default_of(engine, user.id).await? {
            None => super::last_address(engine, caller).await?,
            default => default,
        };
        form = last.map_or_else(|| CheckoutUpdate { name: user.name.clone(), ..form }, CheckoutUpdate::to);
        form.email.clone_from(&user.email);
    }
    let form = serde_json::to_string(&form).map_err(|_| Error::Internal)?;
    // Users are identified by their account; what guests hold is counted by client address.
    let origin = caller.user().map_or(caller.origin, |_| None);
    let person = Person::of(engine, caller, None);
    let taxes = taxes::table(engine).await?;
    let terms = (engine.bounds, (engine.promotions.clone(), person, taxes), (engine.currency, currency));
    let input = (cart, form, origin, (terms, shipping::Reader::of(engine)), engine.clock.now_ms());
    let (checkout, begun) = engine
        .db
        .write(("checkout::begin", cart), input, |tx, (cart, form, origin, terms, now)| {
            Box::pin(begin_in_tx(tx, *cart, form, *origin, terms, *now))
        })
        .await?;
    engine.activity.checked_out(begun);
    Ok(checkout)
}

/// The limits on guests; the program's promotions, who buys, and the tax rates; the market's currency and the chosen one.
type BeginTerms = (Bounds, (Vec<Promotion>, Person, Arc<TaxTable>), (Currency, Option<Currency>));

/// Returns the checkout, and what comes to one that did not replace another.
async fn begin_in_tx(
    tx: &mut Tx,
    cart: CartId,
    form: &str,
    origin: Option<[u8; 32]>,
    ((bounds, (own, person, taxes), currencies), reader): &(BeginTerms, shipping::Reader),
    now: i64,
) -> TxResult<(CheckoutId, Vec<VariantId>)> {
    let (base, chosen) = *currencies;
    // From here on, checkouts of this cart wait for each other.
    let CartVersion { version, gifts } =
        tx.opt(&LOCK_CART, params![cart, now]).await?.ok_or(Conflict::CartEmpty)?;
    let current: Vec<Current> = tx.all(&CURRENT, params![cart]).await?;
    let worth_keeping = |c: &&Current| {
        c.state == CheckoutState::Open
            && c.cart_version == version
            && c.hold_until > now + WORTH_KEEPING_MS
            && chosen.unwrap_or(c.own_currency) == c.currency
    };
    if let Some(current) = current.iter().find(worth_keeping) {
        return Ok((current.id, Vec::new()));
    }
    let (mut released, mut with_cards) = (Released::default(), None);
    for old in &current {
        if let Some(ended) = tx.opt::<Superseded>(&SUPERSEDE, params![old.id, now]).await? {
            released.add_in_tx(tx, old.id).await?;
            if ended.bookings > 0 {
                bookings::release_in_tx(tx, old.id).await?;
            }
            if ended.gift_minor > 0 {
                payments::release_cards_in_tx(tx, old.id, now).await?;
                with_cards = Some(old.id);
            }
        }
    }
    let form = current.first().map_or(form, |old| old.form.as_str());
    let mut lines: Vec<LineRow> = tx.all(&LINES, params![cart, chosen, now]).await?;
    let mut allotments = Allotments::default();
    for line in &mut lines {
        let own = line.sale.allotment().map_or(0, |id| released.of(id));
        let wants = LineAllotment { variant: line.variant_id, quantity: line.quantity, own };
        let ordinary = line.price_minor;
        let price = line.sale.price_of_line(ordinary, now, wants, &mut allotments);
        line.price_minor = price;
        line.own_minor = line.own_minor.map(|own| in_proportion(own, ordinary, price));
    }
    let gifts = match gifts {
        0 => Vec::new(),
        _ => gift_cards::of_cart_in_tx(tx, cart).await?,
    };
    let usual =
        lines.first().map(|line| line.currency).or(gifts.first().map(|gift| gift.amount().currency()));
    let currency = chosen.or(usual).ok_or(Conflict::CartEmpty)?;
    // Gift cards have the amount that was chosen, so they are not converted.
    if gifts.iter().any(|gift| gift.amount().currency() != currency) {
        return Err(Conflict::MixedCurrencies.into());
    }
    let mut rate = Rate::ONE;
    let mut shipping = shipping::of_cart_in_tx(tx, cart, reader, now).await?;
    // Rates are those of the market's currency; shops of any other one can't be combined with this one.
    if lines.iter().any(|line| line.currency == base && currency != base) && chosen.is_some() {
        rate = currencies::rate_in_tx(tx, currency, now).await?;
        for line in lines.iter_mut().filter(|line| line.currency == base) {
            exchange(line, rate, currency)?;
        }
        shipping = shipping.exchanged(rate, currency)?;
    }
    let mut needs = holds::needs_in_tx(tx, cart, &released).await?;
    let of_event = |&(variant_id, capacity_id, quantity)| Need {
        variant_id,
        capacity_id,
        per_unit: 1,
        quantity,
        available: quantity,
    };
    needs.extend(allotments.needs.iter().map(of_event));
    let short = needs.iter().filter(|need| need.quantity > need.available);
    let short = short.map(|need| Left { capacity_id: need.capacity_id, available: need.available });
    let short = shortages(&lines, &needs, &short.collect::<Vec<_>>());
    if !short.is_empty() {
        return Err(Conflict::OutOfStock(short).into());
    }
    let appointments = match lines.iter().any(|line| line.is_service) {
        true => bookings::of_cart_in_tx(tx, cart, now).await?,
        false => Vec::new(),
    };
    for line in &mut lines {
        let of_line = appointments.iter().find(|booking| booking.variant == line.variant_id);
        line.variant_title = of_line.map_or_else(|| variant_title(line), |booking| booking.when.clone());
    }
    let mut typed = super::form(form);
    let slots = slots::carry_in_tx(tx, &mut typed, &shipping, &released).await?;
    let form = serde_json::to_string(&typed).map_err(|e| crate::bug(e.to_string()))?;
    slots::open_in_tx(tx, &slots, now).await?;
    let offers = promotions::of_cart_in_tx(tx, cart, person, &released, now).await?;
    let terms = Terms { own, offers: &offers, taxes, rate, currency, shipping: &shipping, slots: &slots };
    let plan = plan(random::id(now), &lines, &needs, &typed, &terms, now)?;
    let gifts_minor = gifts.iter().map(|gift| gift.amount().amount()).sum();
    let totals = plan.totals.plus(Gift::totals(currency, gifts_minor))?;
    tx.insert(AddCheckout {
        id: plan.id,
        cart_id: cart,
        cart_version: version,
        currency,
        rate_numerator: rate.numerator,
        rate_denominator: rate.denominator,
        subtotal_minor: totals.subtotal.amount(),
        discount_minor: totals.discount.amount(),
        delivery_minor: totals.shipping.amount(),
        total_minor: totals.total.amount(),
        form: &form,
        taxes: plan.taxes,
        displaced: plan.displaced,
        holds: plan.claims.len() as i64,
        gifts_minor,
        hold_until: now + HOLD_MS,
        created_at: now,
        updated_at: now,
        tax_minor: totals.tax.amount(),
        added_tax_minor: totals.added_tax()?.amount(),
        origin,
    })
    .await?;
    tx.insert_all(plan.orders).await?;
    let booked = of_lines(&plan.lines, appointments);
    tx.insert_all(plan.lines).await?;
    tx.insert_all(adjustments::numbered(plan.adjustments)).await?;
    tx.insert_all(plan.uses).await?;
    tx.insert_all((0..).zip(&gifts).map(|(at, gift)| gift.of_checkout(plan.id, at, now)).collect::<Vec<_>>())
        .await?;
    if let Some(old) = with_cards {
        gift_cards::carry_in_tx(tx, old, plan.id, now).await?;
    }
    // Before the capacities, as in a purchase.
    if !booked.is_empty() {
        bookings::hold_in_tx(tx, plan.id, booked, now + HOLD_MS, now).await?;
    }
    let short = holds::hold_in_tx(tx, plan.claims, &released).await?;
    if !short.is_empty() {
        let of_slot = |left: &Left| slots.iter().any(|new| new.held.capacity == left.capacity_id);
        if short.iter().any(of_slot) {
            // The next attempt sees that it is full, and goes on without it.
            return Err(Error::Busy { retry_after_s: 1 }.into());
        }
        let of_event = |left: &Left| allotments.needs.iter().any(|need| need.1 == left.capacity_id);
        if short.iter().any(of_event) {
            return Err(Conflict::PricesChanged.into());
        }
        let short = shortages(&lines, &needs, &short);
        // If no line lacks anything, it is the uses of a coupon.
        let conflict = match short.is_empty() {
            true => Conflict::Code(Refusal::UsedUp),
            false => Conflict::OutOfStock(short),
        };
        return Err(conflict.into());
    }
    if let Some(origin) = origin {
        // Other checkouts of the same capacities have waited for their rows, so their holds are counted here.
        let held = holds::of_origin_in_tx(tx, plan.id, origin).await?;
        let over = bound_guest(&held, bounds)?;
        if !over.is_empty() {
            return Err(Conflict::GuestLimit(shortages(&lines, &needs, &over)).into());
        }
    }
    let begun = lines.iter().filter(|_| current.is_empty()).map(|line| line.variant_id);
    Ok((plan.id, begun.collect()))
}

/// The appointments with the positions and titles of their lines.
fn of_lines(lines: &[AddLine], bookings: Vec<Booking>) -> Vec<(i64, String, Booking)> {
    let of_line = |booking: Booking| {
        let line = lines.iter().find(|line| line.variant_id == booking.variant)?;
        Some((line.position, line.title.clone(), booking))
    };
    bookings.into_iter().filter_map(of_line).collect()
}

/// Rejects a guest's checkout if their origin has too many. Returns the capacities of which it holds too
/// much, and how much it may hold.
fn bound_guest(held: &[OfOrigin], bounds: &Bounds) -> Result<Vec<Left>> {
    let checkouts = held.first().map_or(0, |row| row.checkouts);
    if checkouts > bounds.guest_checkouts {
        let retry_after_s = u32::try_from(HOLD_MS / 1000 / 3).unwrap_or(300);
        return Err(Error::RateLimited { retry_after_s });
    }
    let over = held.iter().filter_map(|row| {
        let available = bounds.guest_may_hold(row.on_hand?);
        (row.held? > available).then_some(Left { capacity_id: row.capacity_id?, available })
    });
    Ok(over.collect())
}

/// The lines that are no longer sold, though there may be stock of them, and those that need one of the
/// capacities of which only so much is `left`.
fn shortages(lines: &[LineRow], needs: &[Need], left: &[Left]) -> Vec<Shortage> {
    let shortage = |line: &LineRow| {
        let needs = needs.iter().filter(|need| need.variant_id == line.variant_id);
        let units = needs.filter_map(|need| {
            let left = left.iter().find(|left| left.capacity_id == need.capacity_id)?;
            Some((left.available.max(0) / need.per_unit, need.capacity_id))
        });
        let (left, capacity) = match units.min() {
            _ if line.discontinued => (0, None),
            Some((left, capacity)) => (left, Some(capacity)),
            None => return None,
        };
        let LineRow { variant_id: variant, discontinued, .. } = *line;
        Some(Shortage { variant, title: line.title.clone(), left, discontinued, capacity })
    };
    lines.iter().filter_map(shortage).collect()
}

/// Puts the prices of a line into another currency. Only what fits the bounds of prices is sold.
fn exchange(line: &mut LineRow, rate: Rate, currency: Currency) -> Result<()> {
    let from = line.currency;
    let exchanged = |minor| {
        let exchanged = convert_price(Money::new(minor, from), rate, currency).map(Money::amount);
        exchanged.ok_or_else(|| Error::field("currency", FieldCode::TooBig))
    };
    line.price_minor = line.own_minor.map_or_else(|| exchanged(line.price_minor), Ok)?;
    line.currency = currency;
    Ok(())
}

fn priced(row: &LineRow) -> LineItem {
    LineItem {
        id: row.variant_id.uuid(),
        kind: if row.is_service { LineKind::Service } else { LineKind::Goods },
        quantity: row.quantity,
        unit_price: Money::new(row.price_minor, row.currency),
        tax: TaxRule::NONE,
        commission_bp: row.commission_bp,
    }
}

/// What promotions depend on.
fn facts(row: &LineRow) -> Result<LineFacts> {
    let (id, list) = (row.variant_id.uuid(), priced(row).list_price()?);
    Ok(LineFacts { id, shop: row.shop_id, product: row.product_id, category: row.category.clone(), list })
}

/// What the order calls the variant: its options with their names, which may change later, or else its title.
fn variant_title(row: &LineRow) -> String {
    match carts::options(&row.option_names, &row.option_values).as_slice() {
        [] => row.variant_title.clone(),
        options => options_text(options),
    }
}

/// All rows of a checkout.
struct CheckoutPlan {
    id: CheckoutId,
    totals: Totals,
    taxes: String,
    displaced: String,
    orders: Vec<AddOrder>,
    lines: Vec<AddLine>,
    adjustments: Vec<AddAdjustment>,
    uses: Vec<AddUse>,
    claims: Vec<Claim>,
}

/// The promotions of a checkout, and the currency that its amounts are converted to.
struct Terms<'a> {
    own: &'a [Promotion],
    offers: &'a Offers,
    taxes: &'a TaxTable,
    rate: Rate,
    currency: Currency,
    shipping: &'a shipping::Rules,
    slots: &'a [NewSlot],
}

fn plan(
    id: CheckoutId,
    rows: &[LineRow],
    needs: &[Need],
    form: &CheckoutUpdate,
    &Terms { own, offers, taxes: table, rate, currency, shipping, slots }: &Terms,
    now: i64,
) -> TxResult<CheckoutPlan> {
    let shops = group_by(rows.iter().collect(), |r| r.shop_id);
    let tax_id = haat_shared::taxes::tax_id("tax_id", &form.tax_id).unwrap_or_default();
    let (mut items, mut offered, place) = (Vec::new(), Vec::new(), shipping::place(form, &table.home));
    let to = taxes::buyer(&place);
    for (shop, rows) in &shops {
        let mut of_shop =
            ShopItems { shop: *shop, lines: rows.iter().map(|row| priced(row)).collect(), shipping: None };
        let parcel = Parcel {
            grams: rows.iter().map(|row| row.weight_g.saturating_mul(row.quantity)).sum(),
            subtotal: of_shop.subtotal(currency)?,
            items: rows.iter().map(|row| row.quantity).sum(),
        };
        let options = match rows.iter().all(|row| row.is_service) {
            true => bookings::no_shipping(currency),
            false => shipping.options(*shop, &place, &parcel),
        };
        let wanted = form.shipping_method_of(*shop);
        let chosen = options.iter().find(|o| o.shipping_method == wanted).or(options.first()).cloned();
        let in_slot = chosen.as_ref().is_some_and(|option| option.shipping_method == ShippingMethod::Slot);
        let slot = slots.iter().find(|new| in_slot && new.shop == *shop).map(|new| new.held);
        let chosen = chosen.map(|option| slots::option(option, slot.as_ref())).transpose()?;
        let from = taxes::seller(&rows[0].country, &rows[0].region, &table.home);
        let included = rows[0].prices_include_tax;
        let sale = Sale { seller: &from, included, buyer: &to, tax_id: &tax_id, at: now };
        let categories = rows.iter().map(|row| row.tax_category.as_str());
        let taxed = Taxed::set(&mut of_shop, chosen.as_ref(), table, &sale, categories);
        items.push(of_shop);
        offered.push((options, (chosen, slot), taxed));
    }
    let facts = rows.iter().map(facts).collect::<Result<Vec<_>>>()?;
    let choice = choose(currency, &items, &facts, own, offers.read(rate, currency)?, now)?;
    let quote = pricing::quote(currency, &items, &choice.promotions)?;
    let (mut uses, mut coupons) = (Vec::new(), Vec::new());
    for (number, code) in (0..).zip(choice.codes) {
        // Without it, the total would rise without a word.
        if let Some(refusal) = code.refusal {
            return Err(Conflict::of_code(refusal, code.limit).into());
        }
        let promotion_id = code.id;
        uses.push(AddUse { checkout_id: id, promotion_id, number });
        coupons.extend(offers.capacity(promotion_id).map(|capacity_id| Claim {
            checkout_id: id,
            position: None,
            capacity_id,
            quantity: 1,
        }));
    }
    let mut plan = CheckoutPlan {
        id,
        totals: quote.price.totals,
        taxes: String::new(),
        displaced: String::new(),
        orders: Vec::new(),
        lines: Vec::new(),
        adjustments: Vec::new(),
        uses,
        claims: coupons,
    };
    let mut due = Vec::new();
    for (((position, (shop, rows)), (options, (chosen, slot), taxed)), quote) in
        (1i64..).zip(shops).zip(offered).zip(quote.shops)
    {
        let (order, chosen): (OrderId, _) = (random::id(now), Chosen::of(chosen));
        let amounts = Amounts::of(&quote)?;
        let of_shop = taxed.due(&quote)?;
        let first = plan.lines.len() as i64;
        plan.adjustments.extend(adjustments::rows(id, order, first, &quote));
        plan.orders.push(AddOrder {
            checkout_id: id,
            position,
            order_id: order,
            shop_id: shop,
            shop_name: rows[0].shop_name.clone(),
            subtotal_minor: quote.price.totals.subtotal.amount(),
            options: serde_json::to_string(&options).map_err(|e| crate::bug(e.to_string()))?,
            takes_cash: CashTerms::of(&options).takes(quote.price.totals.subtotal.amount()),
            delivery: chosen.method,
            delivery_name: chosen.name,
            arrives_min: chosen.arrives.0,
            arrives_max: chosen.arrives.1,
            slot: slot.map(|held| held.slot),
            slot_id: slot.map(|held| held.capacity),
            slot_closes_at: slot.map(|held| held.closes_at),
            slot_extra_minor: slot.map_or(0, |held| held.extra),
            discount_minor: amounts.discount,
            market_discount_minor: amounts.market_discount,
            delivery_minor: amounts.delivery,
            delivery_taxes: taxes::stored(&of_shop.shipping)?,
            delivery_tax_minor: quote.shipping.totals.tax.amount(),
            tax_minor: amounts.tax,
            added_tax_minor: amounts.added_tax,
            total_minor: amounts.total,
            items_minor: amounts.items,
            commission_minor: amounts.commission,
        });
        plan.claims.extend(slot.map(|held| Claim {
            checkout_id: id,
            position: None,
            capacity_id: held.capacity,
            quantity: 1,
        }));
        for ((row, quote), of_line) in rows.into_iter().zip(quote.lines).zip(&of_shop.lines) {
            let position = plan.lines.len() as i64;
            let needs = needs.iter().filter(|need| need.variant_id == row.variant_id);
            plan.claims.extend(needs.map(|need| Claim {
                checkout_id: id,
                position: Some(position),
                capacity_id: need.capacity_id,
                quantity: need.quantity,
            }));
            plan.lines.push(AddLine {
                checkout_id: id,
                position,
                order_id: order,
                kind: quote.line.kind,
                product_id: row.product_id,
                variant_id: row.variant_id,
                title: row.title.clone(),
                variant_title: row.variant_title.clone(),
                quantity: row.quantity,
                unit_minor: row.price_minor,
                total_minor: quote.price.totals.subtotal.amount(),
                discount_minor: quote.price.totals.discount.amount(),
                tax_category: row.tax_category.clone(),
                taxes: taxes::stored(of_line)?,
                tax_minor: quote.price.totals.tax.amount(),
                added_tax_minor: quote.price.totals.added_tax()?.amount(),
                commission_bp: row.commission_bp,
                commission_minor: quote.price.commission.amount(),
                market_discount_minor: adjustments::by_market(&quote.price),
            });
        }
        due.extend(of_shop.all());
    }
    plan.taxes = taxes::stored(&haat_shared::taxes::sums(due)?)?;
    plan.displaced = promotions::stored(&choice.displaced)?;
    Ok(plan)
}
