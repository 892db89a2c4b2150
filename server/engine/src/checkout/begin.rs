//! Begins a checkout: fixes the prices, and holds everything in the cart or nothing.

use super::holds::release_in_tx;
use crate::{
    Bounds, Caller, Engine, TxResult, carts,
    db::{Tx, Value},
    group_by, insert, params, random, rows, statements,
};
use haat_shared::{
    Conflict, Currency, Error, Money, Result,
    catalog::options_text,
    checkout::{CheckoutState, CheckoutUpdate, HOLD_MS},
    error::Shortage,
    id::kinds::*,
    pricing::{self, LineItem, LineKind, Shipping, ShopItems, TaxRule, Totals},
    shipping::{ShippingMethod, ShippingRates},
};

/// A checkout of the same cart is continued if it has this much time left.
const WORTH_KEEPING_MS: i64 = 5 * 60 * 1000;

statements! {
    LOCK_CART = "UPDATE carts SET updated_at = $2 WHERE id = $1 AND state = 'open' RETURNING version";
    CURRENT = "SELECT id, state, cart_version, hold_until, form FROM checkouts
        WHERE cart_id = $1 AND state IN ('open', 'paying') ORDER BY id DESC";
    SUPERSEDE = "UPDATE checkouts SET state = 'superseded', updated_at = $2
        WHERE id = $1 AND state IN ('open', 'paying')";
    LINES = "SELECT l.variant_id, l.quantity, COALESCE(v.price_minor, l.price_seen_minor) AS price_minor,
            COALESCE(v.title, l.variant_title) AS variant_title, COALESCE(p.options, '[]') AS option_names,
            COALESCE(v.options, '[]') AS option_values, COALESCE(p.id, l.variant_id) AS product_id,
            COALESCE(p.title, l.title) AS title, CASE WHEN p.state = 'published' AND NOT v.archived THEN FALSE ELSE TRUE END
            AS discontinued, s.id AS shop_id, s.name AS shop_name, s.currency, s.delivery_minor, s.free_delivery_from_minor,
            s.delivery_days_min, s.delivery_days_max, s.express_minor, s.express_days_min, s.express_days_max, s.pickup,
            s.commission_bp, COALESCE(k.tax_bp, 0) AS tax_bp,
            CASE WHEN p.state = 'published' AND NOT v.archived THEN c.on_hand - c.held ELSE 0 END AS available
        FROM cart_lines l JOIN shops s ON s.id = l.shop_id LEFT JOIN variants v ON v.id = l.variant_id
        LEFT JOIN capacities c ON c.id = v.id LEFT JOIN products p ON p.id = v.product_id
        LEFT JOIN categories k ON k.id = p.category_id WHERE l.cart_id = $1 ORDER BY l.id";
    ADD_HOLDS = "INSERT INTO holds (checkout_id, capacity_id, quantity, state) VALUES [($1, $2, $3, 'active')]";
    HOLD = "UPDATE capacities SET held = held + h.quantity FROM holds AS h
        WHERE h.checkout_id = $1 AND capacities.id = h.capacity_id AND on_hand - held >= h.quantity
        RETURNING id AS value";
    OF_ORIGIN = "SELECT h.capacity_id, CAST(SUM(h.quantity) AS BIGINT) AS held, c.on_hand,
            (SELECT COUNT(*) FROM checkouts o WHERE o.origin = $2 AND o.state IN ('open', 'paying')) AS checkouts
        FROM checkouts k JOIN holds h ON h.checkout_id = k.id AND h.state = 'active'
        JOIN holds mine ON mine.capacity_id = h.capacity_id AND mine.checkout_id = $1
        JOIN capacities c ON c.id = h.capacity_id
        WHERE k.origin = $2 AND k.state IN ('open', 'paying') GROUP BY h.capacity_id, c.on_hand";
}

insert! {
    struct AddCheckout<'a> into checkouts {
        id: CheckoutId,
        cart_id: CartId,
        cart_version: i64,
        currency: Currency,
        subtotal_minor: i64,
        delivery_minor: i64,
        total_minor: i64,
        form: &'a str,
        holds: i64,
        hold_until: i64,
        created_at: i64,
        updated_at: i64,
        tax_minor: i64,
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
        delivery_minor: i64,
        commission_minor: i64,
        options: String,
        delivery: ShippingMethod,
        days_min: i64,
        days_max: i64,
        tax_minor: i64,
        total_minor: i64,
    }

    struct AddLine into checkout_lines {
        checkout_id: CheckoutId,
        position: i64,
        order_id: OrderId,
        product_id: ProductId,
        variant_id: VariantId,
        title: String,
        variant_title: String,
        quantity: i64,
        unit_minor: i64,
        total_minor: i64,
        tax_bp: i64,
        tax_minor: i64,
        commission_bp: i64,
    }
}

rows! {
    struct CartVersion {
        version: i64,
    }

    struct Current {
        id: CheckoutId,
        state: CheckoutState,
        cart_version: i64,
        hold_until: i64,
        form: String,
    }

    struct OfOrigin {
        capacity_id: VariantId,
        held: i64,
        on_hand: i64,
        checkouts: i64,
    }

    struct LineRow {
        variant_id: VariantId,
        quantity: i64,
        price_minor: i64,
        variant_title: String,
        option_names: String,
        option_values: String,
        product_id: ProductId,
        title: String,
        shop_id: ShopId,
        shop_name: String,
        currency: Currency,
        delivery_minor: i64,
        free_delivery_from_minor: Option<i64>,
        delivery_days_min: i64,
        delivery_days_max: i64,
        express_minor: Option<i64>,
        express_days_min: i64,
        express_days_max: i64,
        pickup: bool,
        commission_bp: i64,
        tax_bp: i64,
        discontinued: bool,
        available: i64,
    }
}

/// Begins a checkout of the caller's cart, or continues an open checkout of the same items. An older
/// checkout of other items is ended and its holds are released; its input is kept.
pub async fn begin(engine: &Engine, caller: &Caller) -> Result<CheckoutId> {
    let cart = carts::find(engine, caller).await?.ok_or(Conflict::CartEmpty)?;
    let form = caller.user().map_or_else(CheckoutUpdate::default, |user| CheckoutUpdate {
        email: user.email.clone(),
        name: user.name.clone(),
        ..CheckoutUpdate::default()
    });
    let form = serde_json::to_string(&form).map_err(|_| Error::Internal)?;
    // Accounts are known; what a guest holds is counted by where they come from.
    let origin = caller.user().map_or(caller.origin, |_| None);
    let input = (cart, form, origin, engine.bounds, engine.clock.now_ms());
    let checkout = engine
        .db
        .write(("checkout::begin", cart), input, |tx, (cart, form, origin, bounds, now)| {
            Box::pin(begin_in_tx(tx, *cart, form, *origin, bounds, *now))
        })
        .await?;
    Ok(checkout)
}

async fn begin_in_tx(
    tx: &mut Tx,
    cart: CartId,
    form: &str,
    origin: Option<[u8; 32]>,
    bounds: &Bounds,
    now: i64,
) -> TxResult<CheckoutId> {
    // From here on, checkouts of this cart wait for each other.
    let version =
        tx.opt::<CartVersion>(&LOCK_CART, params![cart, now]).await?.ok_or(Conflict::CartEmpty)?.version;
    let current: Vec<Current> = tx.all(&CURRENT, params![cart]).await?;
    let worth_keeping = |c: &&Current| {
        c.state == CheckoutState::Open && c.cart_version == version && c.hold_until > now + WORTH_KEEPING_MS
    };
    if let Some(current) = current.iter().find(worth_keeping) {
        return Ok(current.id);
    }
    for old in &current {
        if tx.exec(&SUPERSEDE, params![old.id, now]).await? == 1 {
            release_in_tx(tx, old.id).await?;
        }
    }
    let form = current.first().map_or(form, |old| old.form.as_str());
    let lines: Vec<LineRow> = tx.all(&LINES, params![cart]).await?;
    let currency = lines.first().ok_or(Conflict::CartEmpty)?.currency;
    // What is no longer sold has none available, though there may be stock that could be held.
    if lines.iter().any(|line| line.available < line.quantity) {
        let short = lines.into_iter().filter(|line| line.available < line.quantity).map(shortage);
        return Err(Conflict::OutOfStock(short.collect()).into());
    }
    let typed = super::form(form);
    let plan = plan(random::id(now), lines, &typed, currency, now)?;
    tx.insert(AddCheckout {
        id: plan.id,
        cart_id: cart,
        cart_version: version,
        currency,
        subtotal_minor: plan.totals.subtotal.amount(),
        delivery_minor: plan.totals.shipping.amount(),
        total_minor: plan.totals.total.amount(),
        form,
        holds: plan.holds.len() as i64,
        hold_until: now + HOLD_MS,
        created_at: now,
        updated_at: now,
        tax_minor: plan.totals.tax.amount(),
        origin,
    })
    .await?;
    tx.insert_all(plan.orders).await?;
    tx.insert_all(plan.lines).await?;
    tx.exec_many(&ADD_HOLDS, &plan.holds).await?;
    let held: Vec<crate::db::Scalar<VariantId>> = tx.all(&HOLD, params![plan.id]).await?;
    if held.len() < plan.holds.len() {
        let short = plan.wanted.into_iter().filter(|w| !held.iter().any(|h| h.0 == w.variant)).collect();
        return Err(Conflict::OutOfStock(short).into());
    }
    if let Some(origin) = origin {
        // Whoever holds the same waits for the rows of the capacities, so what they hold is counted here.
        let held: Vec<OfOrigin> = tx.all(&OF_ORIGIN, params![plan.id, origin]).await?;
        bound_guest(&held, &plan.wanted, bounds)?;
    }
    Ok(plan.id)
}

/// Rejects a guest's checkout if their origin has too many, or holds too much of an item.
fn bound_guest(held: &[OfOrigin], wanted: &[Shortage], bounds: &Bounds) -> Result<()> {
    let checkouts = held.first().map_or(0, |row| row.checkouts);
    if checkouts > bounds.guest_checkouts {
        let retry_after_s = u32::try_from(HOLD_MS / 1000 / 3).unwrap_or(300);
        return Err(Error::RateLimited { retry_after_s });
    }
    let over = held.iter().filter_map(|row| {
        let most = bounds.guest_may_hold(row.on_hand);
        let of = wanted.iter().find(|of| of.variant == row.capacity_id)?;
        (row.held > most).then(|| Shortage { left: most, ..of.clone() })
    });
    let over: Vec<Shortage> = over.collect();
    if over.is_empty() { Ok(()) } else { Err(Conflict::GuestLimit(over).into()) }
}

fn shortage(line: LineRow) -> Shortage {
    let LineRow { variant_id: variant, title, discontinued, available, .. } = line;
    Shortage { variant, title, left: available.max(0), discontinued }
}

fn rates(row: &LineRow) -> ShippingRates {
    let money = |amount| Money::new(amount, row.currency);
    ShippingRates {
        standard: money(row.delivery_minor),
        free_from: row.free_delivery_from_minor.map(money),
        days: (row.delivery_days_min, row.delivery_days_max),
        express: row.express_minor.map(|price| (money(price), (row.express_days_min, row.express_days_max))),
        pickup: row.pickup,
    }
}

fn priced(row: &LineRow) -> LineItem {
    LineItem {
        id: row.variant_id.uuid(),
        kind: LineKind::Goods,
        quantity: row.quantity,
        unit_price: Money::new(row.price_minor, row.currency),
        tax: TaxRule::included(row.tax_bp),
        commission_bp: row.commission_bp,
    }
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
    orders: Vec<AddOrder>,
    lines: Vec<AddLine>,
    holds: Vec<[Value; 3]>,
    wanted: Vec<Shortage>,
}

fn plan(
    id: CheckoutId,
    rows: Vec<LineRow>,
    form: &CheckoutUpdate,
    currency: Currency,
    now: i64,
) -> TxResult<CheckoutPlan> {
    let shops = group_by(rows, |r| r.shop_id);
    let (mut items, mut offers) = (Vec::new(), Vec::new());
    for (shop, rows) in &shops {
        let mut of_shop = ShopItems { shop: *shop, lines: rows.iter().map(priced).collect(), shipping: None };
        let options = rates(&rows[0]).options(of_shop.subtotal(currency)?);
        let wanted = form.shipping_method_of(*shop);
        let chosen = *options.iter().find(|o| o.shipping_method == wanted).unwrap_or(&options[0]);
        of_shop.shipping = Some(Shipping::untaxed(chosen.price));
        items.push(of_shop);
        offers.push((options, chosen));
    }
    let quote = pricing::quote(currency, &items, &[])?;
    let mut plan = CheckoutPlan {
        id,
        totals: quote.price.totals,
        orders: Vec::new(),
        lines: Vec::new(),
        holds: Vec::new(),
        wanted: Vec::new(),
    };
    for (((position, (shop, rows)), (options, chosen)), quote) in
        (1i64..).zip(shops).zip(offers).zip(quote.shops)
    {
        let order: OrderId = random::id(now);
        let (totals, commission) = (quote.price.totals, quote.price.commission);
        plan.orders.push(AddOrder {
            checkout_id: id,
            position,
            order_id: order,
            shop_id: shop,
            shop_name: rows[0].shop_name.clone(),
            subtotal_minor: totals.subtotal.amount(),
            delivery_minor: totals.shipping.amount(),
            commission_minor: commission.amount(),
            options: serde_json::to_string(&options).map_err(|e| crate::bug(e.to_string()))?,
            delivery: chosen.shipping_method,
            days_min: chosen.days.0,
            days_max: chosen.days.1,
            tax_minor: totals.tax.amount(),
            total_minor: totals.total.amount(),
        });
        for (row, quote) in rows.into_iter().zip(quote.lines) {
            plan.holds.push([id.into(), row.variant_id.into(), row.quantity.into()]);
            plan.lines.push(AddLine {
                checkout_id: id,
                position: plan.lines.len() as i64,
                order_id: order,
                product_id: row.product_id,
                variant_id: row.variant_id,
                title: row.title.clone(),
                variant_title: variant_title(&row),
                quantity: row.quantity,
                unit_minor: row.price_minor,
                total_minor: quote.price.totals.subtotal.amount(),
                tax_bp: row.tax_bp,
                tax_minor: quote.price.totals.tax.amount(),
                commission_bp: row.commission_bp,
            });
            plan.wanted.push(shortage(row));
        }
    }
    Ok(plan)
}
