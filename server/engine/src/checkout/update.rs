//! Updates a checkout: stores the input and, if another shipping method is selected, quotes it again.

use std::sync::Arc;

use super::{
    Chosen, QuoteRow,
    adjustments::{self, Amounts},
    find, form, options,
};
use crate::{
    Caller, Engine, TxError, TxResult, addresses, bug,
    db::Tx,
    gift_cards, group_by, params, promotions, rows, shipping,
    slots::{self, Held, NewSlot},
    statements,
    taxes::{self, Taxed},
    update,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    checkout::{CheckoutQuote, CheckoutState, CheckoutUpdate, SLOT},
    gift_cards::Gift,
    id::kinds::{CapacityId, CheckoutId, OrderId, ProductId, SavedAddressId, ShopId, VariantId},
    money::Rate,
    pricing::{self, LineItem, LineKind, Promotion, ShopItems, TaxRule, Totals},
    promotions::{LineFacts, choose},
    shipping::{CashTerms, Parcel, ShippingMethod, ShippingOption, Slot},
    taxes::{Sale, TaxLine, TaxTable},
};

statements! {
    LOCK = "UPDATE checkouts SET updated_at = $2 WHERE id = $1 AND state IN ('open', 'paying')
        RETURNING state, form,
            currency, subtotal_minor, discount_minor, delivery_minor, tax_minor, total_minor, gift_minor, gifts_minor, quote_version, taxes,
            rate_numerator, rate_denominator";
    LINES = "SELECT o.order_id, o.shop_id, o.options, o.delivery, o.slot, o.slot_id, o.slot_closes_at, o.slot_extra_minor, l.kind, l.variant_id, l.quantity, l.unit_minor, l.tax_category,
            l.taxes, l.commission_bp, l.product_id, COALESCE(k.path, '') AS category, COALESCE(v.weight_g, 0) AS weight_g,
            s.country, s.region, s.prices_include_tax
        FROM checkout_lines l JOIN checkout_orders o ON o.order_id = l.order_id JOIN shops s ON s.id = o.shop_id
        LEFT JOIN variants v ON v.id = l.variant_id
        LEFT JOIN products p ON p.id = l.product_id LEFT JOIN categories k ON k.id = p.category_id
        WHERE l.checkout_id = $1 ORDER BY o.position, l.position";
    SAVE = "UPDATE checkouts SET form = $2, discount_minor = $3, delivery_minor = $4, tax_minor = $5, added_tax_minor = $6,
            total_minor = $7, quote_version = $8, taxes = $9, displaced = COALESCE($10, displaced), gift_minor = CASE WHEN gift_minor > $7 - gifts_minor THEN $7 - gifts_minor
                ELSE gift_minor END
        WHERE id = $1";
    CLEAR = "DELETE FROM checkout_adjustments WHERE checkout_id = $1";
}

update! {
    struct SetOrder {
        order_id: OrderId,
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
    } => "UPDATE checkout_orders SET options = given.options, takes_cash = given.takes_cash, delivery = given.delivery, delivery_name = given.delivery_name,
            arrives_min = given.arrives_min, arrives_max = given.arrives_max,
            slot = given.slot, slot_id = given.slot_id, slot_closes_at = given.slot_closes_at, slot_extra_minor = given.slot_extra_minor,
            discount_minor = given.discount_minor, market_discount_minor = given.market_discount_minor,
            delivery_minor = given.delivery_minor, delivery_taxes = given.delivery_taxes,
            delivery_tax_minor = given.delivery_tax_minor, tax_minor = given.tax_minor, added_tax_minor = given.added_tax_minor,
            total_minor = given.total_minor, items_minor = given.items_minor, commission_minor = given.commission_minor
        FROM given WHERE checkout_orders.order_id = given.order_id"

    struct SetLine {
        checkout_id: CheckoutId,
        position: i64,
        discount_minor: i64,
        taxes: String,
        tax_minor: i64,
        added_tax_minor: i64,
        commission_minor: i64,
        market_discount_minor: i64,
    } => "UPDATE checkout_lines SET discount_minor = given.discount_minor, taxes = given.taxes, tax_minor = given.tax_minor,
            added_tax_minor = given.added_tax_minor, commission_minor = given.commission_minor,
            market_discount_minor = given.market_discount_minor
        FROM given WHERE checkout_lines.checkout_id = given.checkout_id AND checkout_lines.position = given.position"
}

rows! {
    struct Stored {
        state: CheckoutState,
        form: String,
        rate_numerator: i64,
        rate_denominator: i64;
        quote: QuoteRow
    }

    struct LineRow {
        order_id: OrderId,
        shop_id: ShopId,
        options: String,
        delivery: ShippingMethod,
        slot: Option<Slot>,
        slot_id: Option<CapacityId>,
        slot_closes_at: Option<i64>,
        slot_extra_minor: i64,
        kind: LineKind,
        variant_id: VariantId,
        quantity: i64,
        unit_minor: i64,
        tax_category: String,
        taxes: String,
        commission_bp: i64,
        product_id: ProductId,
        category: String,
        weight_g: i64,
        country: String,
        region: String,
        prices_include_tax: Option<bool>,
    }
}

/// What the price of a checkout depends on.
fn priced_by(u: &CheckoutUpdate) -> impl PartialEq + '_ {
    (&u.shipping_methods, &u.slots, &u.country, &u.region, &u.postal_code, &u.tax_id)
}

/// Stores the input of the caller's checkout, complete or not, and returns what the checkout costs now.
/// Rejected while a payment is in progress.
pub async fn update(
    engine: &Engine,
    caller: &Caller,
    id: CheckoutId,
    update: CheckoutUpdate,
) -> Result<CheckoutQuote> {
    find(engine, caller, id).await?;
    store(engine, id, &update.bounded(), false).await
}

/// Stores the input with one of the caller's saved addresses in it.
pub async fn use_address(
    engine: &Engine,
    caller: &Caller,
    id: CheckoutId,
    update: CheckoutUpdate,
    address: SavedAddressId,
) -> Result<CheckoutQuote> {
    let address = addresses::find(engine, caller, address).await?.address.parts;
    let CheckoutUpdate { email, tax_id, billing, payment_method, shipping_methods, slots, .. } = update;
    let with = CheckoutUpdate {
        email,
        tax_id,
        billing,
        payment_method,
        shipping_methods,
        slots,
        ..CheckoutUpdate::to(address)
    };
    self::update(engine, caller, id, with).await
}

/// Stores the input of a checkout. `to_pay` allows it while a payment is in progress, if that payment would
/// still be for the same quote.
pub(super) async fn store(
    engine: &Engine,
    id: CheckoutId,
    update: &CheckoutUpdate,
    to_pay: bool,
) -> Result<CheckoutQuote> {
    let json = serde_json::to_string(update).map_err(|_| Error::Internal)?;
    let terms = (engine.promotions.clone(), taxes::table(engine).await?, shipping::Reader::of(engine));
    let input = (id, update.clone(), json, to_pay, terms, engine.clock.now_ms());
    let stored = engine
        .db
        .write(("checkout::update", id), input, |tx, (id, update, json, to_pay, terms, now)| {
            Box::pin(update_in_tx(tx, *id, update, json, *to_pay, terms, *now))
        })
        .await
        .map_err(Error::from);
    if let Err(Error::Invalid(faults)) = &stored {
        // A slot that is gone doesn't lose what else was typed.
        let mut rest = update.clone();
        rest.slots.retain(|shop, _| !faults.iter().any(|fault| fault.field == format!("{SLOT}{shop}")));
        if rest.slots.len() < update.slots.len() {
            Box::pin(store(engine, id, &rest, to_pay)).await?;
        }
    }
    stored
}

async fn update_in_tx(
    tx: &mut Tx,
    id: CheckoutId,
    update: &CheckoutUpdate,
    json: &str,
    to_pay: bool,
    (promotions, taxes, reader): &(Vec<Promotion>, Arc<TaxTable>, shipping::Reader),
    now: i64,
) -> TxResult<CheckoutQuote> {
    // From here on, other updates and payments of this checkout wait.
    let stored: Stored = tx.opt(&LOCK, params![id, now]).await?.ok_or(Conflict::CheckoutEnded)?;
    let before = form(&stored.form);
    let unchanged = priced_by(update) == priced_by(&before);
    if stored.state == CheckoutState::Paying && !(to_pay && unchanged) {
        return Err(Conflict::PaymentInProgress.into());
    }
    let mut quote = stored.quote.view();
    let (mut swapped, mut displaced) = (Swapped::default(), None);
    if !unchanged {
        let moved = shipping::place(update, &taxes.home) != shipping::place(&before, &taxes.home);
        let shipping = match moved || !update.slots.is_empty() {
            true => Some(shipping::of_checkout_in_tx(tx, id, reader, now).await?),
            false => None,
        };
        let old = (quote.totals, stored.rate());
        let terms = (promotions.as_slice(), taxes.as_ref(), now);
        let (totals, taxes, (slots, now_displaced)) =
            quote_in_tx(tx, id, old, update, terms, (shipping, moved)).await?;
        (swapped, displaced) = (slots, Some(now_displaced));
        let totals = totals.plus(Gift::totals(totals.total.currency(), stored.quote.gifts_minor))?;
        // Tax that prices include changes nothing that is paid.
        let paid = |totals: Totals| Totals { tax: totals.total, ..totals };
        quote.version += i64::from(paid(totals) != paid(quote.totals));
        (quote.totals, quote.taxes) = (totals, taxes);
    }
    let Totals { discount, shipping, tax, total, .. } = quote.totals;
    let row = params![
        id,
        json,
        discount.amount(),
        shipping.amount(),
        tax.amount(),
        quote.totals.added_tax()?.amount(),
        total.amount(),
        quote.version,
        taxes::stored(&quote.taxes)?,
        displaced,
    ];
    tx.exec(&SAVE, row).await?;
    if stored.quote.gift_minor > 0 && quote.version != stored.quote.quote_version {
        let (_, gift_minor) = gift_cards::plan_in_tx(tx, id, false, now).await?;
        quote.to_pay = Money::new(quote.totals.total.amount() - gift_minor, total.currency());
    } else if stored.quote.gift_minor == 0 {
        quote.to_pay = total;
    }
    slots::swap_in_tx(tx, id, &swapped.old, &swapped.new).await?;
    Ok(quote)
}

/// The slots that a checkout no longer holds, and those that it holds from now on.
#[derive(Default)]
struct Swapped {
    old: Vec<CapacityId>,
    new: Vec<NewSlot>,
}

/// Sets the shipping method of each shop and quotes the checkout again, at the prices offered when it began, or by the
/// `shipping` of today if it goes to another address, and with the coupons that it holds and the offers of today. Returns
/// the totals, the taxes, and the offers that others displace.
async fn quote_in_tx(
    tx: &mut Tx,
    id: CheckoutId,
    (before, rate): (Totals, Rate),
    update: &CheckoutUpdate,
    (own, table, now): (&[Promotion], &TaxTable, i64),
    (shipping, moved): (Option<shipping::Rules>, bool),
) -> TxResult<(Totals, Vec<TaxLine>, (Swapped, String))> {
    let currency = before.total.currency();
    let shipping = shipping.map(|rules| rules.exchanged(rate, currency)).transpose()?;
    let place = shipping::place(update, &table.home);
    let rows: Vec<LineRow> = tx.all(&LINES, params![id]).await?;
    let facts = rows.iter().map(|row| facts(row, currency)).collect::<Result<Vec<_>>>()?;
    let offers = promotions::of_checkout_in_tx(tx, id, now).await?;
    let to = taxes::buyer(&place);
    let tax_id = haat_shared::taxes::tax_id("tax_id", &update.tax_id).unwrap_or_default();
    let (mut items, mut chosen, mut swapped) = (Vec::new(), Vec::new(), Swapped::default());
    let before_taxes: Vec<String> = rows.iter().map(|row| row.taxes.clone()).collect();
    let orders = group_by(rows, |row| row.order_id);
    let asked = update.shipping_methods.keys().chain(update.slots.keys());
    let unknown = { asked }.find(|shop| !orders.iter().any(|(_, rows)| rows[0].shop_id == **shop));
    if let Some(shop) = unknown {
        return Err(not_offered(*shop));
    }
    for (order, rows) in orders {
        let lines = rows.iter().map(|row| priced(row, currency)).collect();
        let mut of_shop = ShopItems { shop: rows[0].shop_id, lines, shipping: None };
        let before = options(&rows[0].options)?;
        let options = match &shipping {
            None => before.clone(),
            Some(_) if rows.iter().all(|row| row.kind == LineKind::Service) => before.clone(),
            Some(_) if !moved => before.clone(),
            Some(rules) => {
                let parcel = Parcel {
                    grams: rows.iter().map(|row| row.weight_g.saturating_mul(row.quantity)).sum(),
                    subtotal: of_shop.subtotal(currency)?,
                    items: rows.iter().map(|row| row.quantity).sum(),
                };
                rules.options(of_shop.shop, &place, &parcel)
            }
        };
        let option = choice(&rows[0], update, &options, &before)?;
        let held = rows[0].held();
        let in_slot = option.is_some_and(|option| option.shipping_method == ShippingMethod::Slot);
        let slot = match update.slots.get(&of_shop.shop).filter(|_| in_slot) {
            None => None,
            Some(slot) if held.is_some_and(|held| held.slot == *slot) => held,
            Some(slot) => {
                let new = shipping.as_ref().and_then(|rules| slots::offer(rules, of_shop.shop, *slot));
                let new = new.ok_or_else(|| slots::gone(of_shop.shop))?;
                swapped.new.push(new);
                Some(new.held)
            }
        };
        if held != slot {
            swapped.old.extend(held.map(|held| held.capacity));
        }
        let option = option.cloned().map(|option| slots::option(option, slot.as_ref())).transpose()?;
        let from = taxes::seller(&rows[0].country, &rows[0].region, &table.home);
        let included = rows[0].prices_include_tax;
        let sale = Sale { seller: &from, included, buyer: &to, tax_id: &tax_id, at: now };
        let categories = rows.iter().map(|row| row.tax_category.as_str());
        let taxed = Taxed::set(&mut of_shop, option.as_ref(), table, &sale, categories);
        items.push(of_shop);
        let stored = serde_json::to_string(&options).map_err(|e| bug(e.to_string()))?;
        chosen.push((order, (stored, CashTerms::of(&options)), (Chosen::of(option), slot), taxed));
    }
    let choice = choose(currency, &items, &facts, own, offers.read(rate, currency)?, now)?;
    let quote = pricing::quote(currency, &items, &choice.promotions)?;
    let (mut orders, mut lines, mut rows) = (Vec::new(), Vec::<SetLine>::new(), Vec::new());
    let mut due = Vec::new();
    for ((order, (options, cash), (chosen, slot), taxed), quote) in chosen.into_iter().zip(&quote.shops) {
        let amounts = Amounts::of(quote)?;
        let of_shop = taxed.due(quote)?;
        rows.extend(adjustments::rows(id, order, lines.len() as i64, quote));
        orders.push(SetOrder {
            order_id: order,
            options,
            takes_cash: cash.takes(quote.price.totals.subtotal.amount()),
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
        for (line, of_line) in quote.lines.iter().zip(&of_shop.lines) {
            let totals = line.price.totals;
            lines.push(SetLine {
                checkout_id: id,
                position: lines.len() as i64,
                discount_minor: totals.discount.amount(),
                taxes: taxes::stored(of_line)?,
                tax_minor: totals.tax.amount(),
                added_tax_minor: totals.added_tax()?.amount(),
                commission_minor: line.price.commission.amount(),
                market_discount_minor: adjustments::by_market(&line.price),
            });
        }
        due.extend(of_shop.all());
    }
    slots::open_in_tx(tx, &swapped.new, now).await?;
    tx.update_all(orders).await?;
    // Without discounts, then and now, and with the same taxes, lines and adjustments stay as they are.
    let discounted = before.discount.amount() != 0 || !rows.is_empty();
    if discounted || lines.iter().map(|line| &line.taxes).ne(&before_taxes) {
        tx.update_all(lines).await?;
    }
    if discounted {
        tx.exec(&CLEAR, params![id]).await?;
        tx.insert_all(adjustments::numbered(rows)).await?;
    }
    let displaced = promotions::stored(&choice.displaced)?;
    Ok((quote.price.totals, haat_shared::taxes::sums(due)?, (swapped, displaced)))
}

/// The selected option, which must be offered; or else standard shipping, or the one selected before, or the first. One
/// that was offered `before`, at another address, needn't be. None if the shop doesn't ship there.
fn choice<'a>(
    order: &LineRow,
    update: &CheckoutUpdate,
    options: &'a [ShippingOption],
    before: &[ShippingOption],
) -> TxResult<Option<&'a ShippingOption>> {
    let find = |wanted| options.iter().find(|option| option.shipping_method == wanted);
    if let Some(&selected) = update.shipping_methods.get(&order.shop_id) {
        match find(selected) {
            None if before.iter().any(|option| option.shipping_method == selected) || options.is_empty() => {}
            None => return Err(not_offered(order.shop_id)),
            found => return Ok(found),
        }
    }
    let first = || options.first();
    Ok(find(update.shipping_method_of(order.shop_id)).or_else(|| find(order.delivery)).or_else(first))
}

fn not_offered(shop: ShopId) -> TxError {
    Error::field(format!("shipping_methods.{shop}"), FieldCode::NotAChoice).into()
}

impl LineRow {
    /// The slot that its order holds.
    fn held(&self) -> Option<Held> {
        Held::of(self.slot, self.slot_id, self.slot_closes_at, self.slot_extra_minor)
    }
}

impl Stored {
    fn rate(&self) -> Rate {
        Rate { numerator: self.rate_numerator, denominator: self.rate_denominator }
    }
}

/// What promotions depend on.
fn facts(row: &LineRow, currency: Currency) -> Result<LineFacts> {
    let (id, list) = (row.variant_id.uuid(), priced(row, currency).list_price()?);
    Ok(LineFacts { id, shop: row.shop_id, product: row.product_id, category: row.category.clone(), list })
}

fn priced(row: &LineRow, currency: Currency) -> LineItem {
    LineItem {
        id: row.variant_id.uuid(),
        kind: row.kind,
        quantity: row.quantity,
        unit_price: Money::new(row.unit_minor, currency),
        tax: TaxRule::NONE,
        commission_bp: row.commission_bp,
    }
}
