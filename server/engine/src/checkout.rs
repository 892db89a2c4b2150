//! Checkout: one attempt to buy a cart. It has all its holds or none, and becomes at most one purchase.

mod adjustments;
mod begin;
mod complete;
mod expire;
mod pay;
mod update;

pub use begin::{begin, begin_in, current, renew};
pub use complete::complete;
pub(crate) use complete::{FAILED, lock_checkout_in_tx};
pub(crate) use expire::end_of_user_in_tx;
pub use expire::{free, sweep};
pub use pay::{pay, pay_in};
pub use update::{update, use_address};

use crate::{
    Caller, Engine, TxResult, addresses, bug,
    db::Scalar,
    gift_cards, group_by, params,
    payments::methods_of,
    promotions, rows,
    slots::{self, Held},
    statements,
};
use haat_shared::{
    Currency, Error, FieldCode, FieldError, Money, Result,
    addresses::{Address, regions},
    checkout::{
        CheckoutGroup, CheckoutLineView, CheckoutPage, CheckoutQuote, CheckoutState, CheckoutUpdate,
        CheckoutView, PaymentOutcome, SLOT, taken,
    },
    id::kinds::{CapacityId, CheckoutId, ShopId, UserId},
    media::Picture,
    money::Rate,
    payments::{PaymentFields, PaymentMethod, PaymentState, PaymentWindow, PurchaseLink},
    pricing::Totals,
    shipping::{ShippingMethod, ShippingOption, Slot, SlotState, SlotView},
    text,
};

statements! {
    FIND = "SELECT c.id, c.state, c.form, c.hold_until, t.user_id, t.token_hash, p.number AS purchase_number,
            c.currency, c.subtotal_minor, c.discount_minor, c.delivery_minor, c.tax_minor, c.total_minor, c.gift_minor, c.gifts_minor, c.quote_version, c.taxes,
            c.rate_numerator, c.rate_denominator, c.displaced,
            EXISTS (SELECT 1 FROM checkout_orders o WHERE o.checkout_id = c.id) AS has_orders
        FROM checkouts c JOIN carts t ON t.id = c.cart_id LEFT JOIN purchases p ON p.id = c.purchase_id
        WHERE c.id = $1";
    LINES = "SELECT o.shop_id, o.shop_name, o.delivery, o.options, o.slot, o.slot_id, o.slot_closes_at, o.slot_extra_minor, s.town, l.position, l.title, l.variant_title, COALESCE(v.sku, '') AS sku, l.quantity, l.unit_minor, l.total_minor,
            m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM checkout_lines l JOIN checkout_orders o ON o.order_id = l.order_id JOIN shops s ON s.id = o.shop_id
        LEFT JOIN variants v ON v.id = l.variant_id
        LEFT JOIN product_pictures pp ON pp.product_id = l.product_id AND pp.position = 0 LEFT JOIN media m ON m.id = pp.media_id
        WHERE l.checkout_id = $1 ORDER BY o.position, l.position";
    BOUGHT = "SELECT number AS value FROM purchases WHERE checkout_id = $1";
    LAST_ADDRESS = "SELECT address AS value FROM purchases WHERE user_id = $1 AND (gifts_minor = 0 OR total_minor > gifts_minor)
        ORDER BY id DESC LIMIT 1";
    PAYMENTS = "SELECT state, next_action FROM payments WHERE checkout_id = $1 AND gift_card_id IS NULL ORDER BY id DESC";
}

rows! {
    pub(crate) struct CheckoutRow {
        pub(crate) id: CheckoutId,
        pub(crate) state: CheckoutState,
        form: String,
        hold_until: i64,
        user_id: Option<UserId>,
        token_hash: Option<Vec<u8>>,
        pub(crate) purchase_number: Option<String>,
        rate_numerator: i64,
        rate_denominator: i64,
        displaced: String,
        // If not, nothing is shipped.
        has_orders: bool;
        quote: QuoteRow
    }

    struct QuoteRow {
        currency: Currency,
        subtotal_minor: i64,
        discount_minor: i64,
        delivery_minor: i64,
        tax_minor: i64,
        total_minor: i64,
        gift_minor: i64,
        gifts_minor: i64,
        quote_version: i64,
        taxes: String,
    }

    struct LineRow {
        shop_id: ShopId,
        shop_name: String,
        delivery: ShippingMethod,
        options: String,
        slot: Option<Slot>,
        slot_id: Option<CapacityId>,
        slot_closes_at: Option<i64>,
        slot_extra_minor: i64,
        town: String,
        position: i64,
        title: String,
        variant_title: String,
        sku: String,
        quantity: i64,
        unit_minor: i64,
        total_minor: i64;
        picture: Option<Picture>
    }

    struct PaymentRow {
        state: PaymentState,
        next_action: Option<String>,
    }
}

/// The checkout, if it belongs to the caller: to their account, or to whoever holds the token of its
/// cart.
pub(crate) async fn find(engine: &Engine, caller: &Caller, id: CheckoutId) -> Result<CheckoutRow> {
    let row: CheckoutRow = engine.db.opt(&FIND, params![id]).await?.ok_or(Error::NotFound)?;
    let own = match (row.user_id, &row.token_hash) {
        (Some(user), _) => caller.user_id() == Some(user),
        (None, Some(token)) => caller.cart.is_some_and(|t| t.as_slice() == token.as_slice()),
        (None, None) => false,
    };
    if own { Ok(row) } else { Err(Error::NotFound) }
}

/// The link to a purchase. Whoever has it may read the purchase, so that emails can contain it.
pub fn link(engine: &Engine, number: impl Into<String>) -> PurchaseLink {
    let number = number.into();
    PurchaseLink { key: engine.secret.sign("purchase", &number), number }
}

/// The purchase that a checkout became, if any.
pub(crate) async fn bought(engine: &Engine, id: CheckoutId) -> Result<Option<PurchaseLink>> {
    let number: Option<Scalar<String>> = engine.db.opt(&BOUGHT, params![id]).await?;
    Ok(number.map(|number| link(engine, number.0)))
}

/// The payment methods that are available in a currency, or in any. Those whose gateway doesn't respond come last.
pub fn offered(engine: &Engine, currency: Option<Currency>) -> Vec<PaymentMethod> {
    let gateways = engine.gateways.iter();
    let gateways = gateways.filter(|gateway| currency.is_none_or(|currency| gateway.supports(currency)));
    let (up, down): (Vec<_>, Vec<_>) = gateways.partition(|gateway| gateway.responds());
    up.into_iter().chain(down).flat_map(|gateway| methods_of(gateway.name())).collect()
}

/// The methods whose gateway doesn't respond at the moment.
fn unresponsive(engine: &Engine) -> Vec<PaymentMethod> {
    let down = engine.gateways.iter().filter(|gateway| !gateway.responds());
    down.flat_map(|gateway| methods_of(gateway.name())).collect()
}

/// The fields of a gateway that payments in a currency can be made in on our page.
fn fields(engine: &Engine, currency: Currency) -> Option<PaymentFields> {
    let mut gateways = engine.gateways.iter().filter(|gateway| gateway.supports(currency));
    gateways.find_map(|gateway| gateway.fields(currency))
}

/// The window of a gateway over our page for payments in a currency.
fn window(engine: &Engine, currency: Currency) -> Option<PaymentWindow> {
    let mut gateways = engine.gateways.iter().filter(|gateway| gateway.supports(currency));
    gateways.find_map(|gateway| gateway.window(currency))
}

/// Whether our page can take payments by a method: in fields or a window of its gateway.
fn is_on_page(engine: &Engine, currency: Currency, method: PaymentMethod) -> bool {
    fields(engine, currency).is_some_and(|fields| fields.method == method)
        || window(engine, currency).is_some_and(|window| window.method == method)
}

/// The stored input of the caller's checkout, and what it costs.
pub async fn stored(
    engine: &Engine,
    caller: &Caller,
    id: CheckoutId,
) -> Result<(CheckoutUpdate, CheckoutQuote)> {
    let row = find(engine, caller, id).await?;
    Ok((form(&row.form), row.quote.view()))
}

/// The shipping address of the caller's last purchase, if they are signed in and have bought before.
pub async fn last_address(engine: &Engine, caller: &Caller) -> Result<Option<Address>> {
    let Some(user) = caller.user() else { return Ok(None) };
    let last: Option<Scalar<String>> = engine.db.opt(&LAST_ADDRESS, params![user.id]).await?;
    let last = last.and_then(|last| serde_json::from_str::<Address>(&last.0).ok());
    Ok(last.map(Address::with_region_code))
}

/// What the page of a checkout shows.
pub async fn page(engine: &Engine, caller: &Caller, id: CheckoutId) -> Result<CheckoutPage> {
    let (mut checkout, hold_until) = read(engine, caller, id).await?;
    let held_until = caller.time(engine, hold_until);
    let has_orders = !checkout.groups.is_empty();
    let methods = &taken(&checkout.payment_methods, &checkout.groups);
    let form = &mut checkout.form;
    if form.country.is_empty() {
        form.country.clone_from(&engine.country);
    }
    form.payment_method = form.payment_method.filter(|m| methods.contains(m)).or(methods.first().copied());
    let mut faults = form.check(methods, engine.smtputf8, has_orders).err().unwrap_or_default();
    faults.extend(checkout.groups.iter().filter_map(without_slot));
    let country = &checkout.form.country;
    let regions = regions::choices(country, caller.locale);
    let billed = checkout.form.billing.as_ref().map_or(country, |billing| &billing.country);
    let billing_regions = regions::choices(billed, caller.locale);
    if let Some(code) = regions::code(country, &checkout.form.region) {
        code.clone_into(&mut checkout.form.region);
    }
    let saved = addresses::list(engine, caller).await?;
    let here = checkout.form.address();
    let known = match saved.iter().any(|of| of.address.parts == here) {
        true => Some(here),
        false => last_address(engine, caller).await?.filter(|last| *last == here),
    };
    let addresses = caller.user().map(|_| saved);
    let known_address = known.map(|last| Address { line2: String::new(), ..last }.formatted());
    let currency = checkout.quote.totals.total.currency();
    // The method then says that its gateway doesn't respond.
    let down = |fields: &PaymentFields| checkout.unresponsive_methods.contains(&fields.method);
    let due = checkout.quote.to_pay.amount() > 0;
    let fields = fields(engine, currency).filter(|fields| due && !down(fields));
    let window = window(engine, currency).filter(|_| due);
    Ok(CheckoutPage {
        checkout,
        held_until,
        known_address,
        addresses,
        regions,
        billing_regions,
        faults,
        fields,
        window,
    })
}

/// The slot of a shop that is still to be chosen, or to be chosen anew.
fn without_slot(group: &CheckoutGroup) -> Option<FieldError> {
    let code = match group.slot {
        _ if group.shipping_method != ShippingMethod::Slot || group.shipping_options.is_empty() => {
            return None;
        }
        None => FieldCode::Missing,
        Some(slot) => {
            let closed = |view: &&SlotView| view.slot == slot && view.state == SlotState::Closed;
            group.slots.iter().find(closed).map(|_| FieldCode::SlotGone)?
        }
    };
    Some(FieldError::new(format!("{SLOT}{}", group.shop_id), code))
}

/// A checkout, with its holds and the input so far.
pub async fn view(engine: &Engine, caller: &Caller, id: CheckoutId) -> Result<CheckoutView> {
    Ok(read(engine, caller, id).await?.0)
}

/// A checkout, and when its holds end.
async fn read(engine: &Engine, caller: &Caller, id: CheckoutId) -> Result<(CheckoutView, i64)> {
    let row = find(engine, caller, id).await?;
    let lines: Vec<LineRow> = engine.db.all(&LINES, params![id]).await?;
    let payments: Vec<PaymentRow> = engine.db.all(&PAYMENTS, params![id]).await?;
    let money = |amount| Money::new(amount, row.quote.currency);
    let lines = group_by(lines, |l| l.shop_id);
    let held: Vec<_> = lines.iter().map(|(shop, lines)| (*shop, lines[0].held())).collect();
    let mut groups = lines
        .into_iter()
        .map(|(shop_id, lines)| {
            Ok(CheckoutGroup {
                slots: Vec::new(),
                slot: lines[0].slot,
                shop_id,
                shop_name: lines[0].shop_name.clone(),
                shipping_options: options(&lines[0].options)?,
                shipping_method: lines[0].delivery,
                town: lines[0].town.clone(),
                lines: lines
                    .into_iter()
                    .map(|l| CheckoutLineView {
                        position: l.position,
                        title: l.title,
                        variant_title: l.variant_title,
                        sku: l.sku,
                        quantity: l.quantity,
                        shipped: 0,
                        refunded: 0,
                        returned: 0,
                        unit_price: money(l.unit_minor),
                        total: money(l.total_minor),
                        picture: l.picture,
                    })
                    .collect(),
            })
        })
        .collect::<TxResult<Vec<CheckoutGroup>>>()?;
    let in_slots = held.into_iter().zip(&groups);
    let in_slots = in_slots.filter(|(_, group)| slots::among(&group.shipping_options)).map(|(held, _)| held);
    let mut slots =
        slots::offered(engine, id, (row.rate(), row.quote.currency), &in_slots.collect::<Vec<_>>()).await?;
    for group in &mut groups {
        group.slots = slots.remove(&group.shop_id).unwrap_or_default();
    }
    let paid = row.purchase_number.is_some().then_some(PaymentOutcome::Paid);
    let latest = payments.first().map(|p| match p.state {
        // Without a purchase, part of the total is still unpaid.
        PaymentState::Created
        | PaymentState::Pending
        | PaymentState::Authorized
        | PaymentState::Captured
        | PaymentState::Accepted => PaymentOutcome::UnderWay,
        _ => PaymentOutcome::Declined,
    });
    let payment = paid.or(latest);
    let mut discounts = match row.quote.discount_minor {
        0 => Vec::new(),
        _ => promotions::of_checkout(engine, id).await?,
    };
    discounts.extend(promotions::displaced(&row.displaced, row.quote.currency)?);
    let waiting = payments.first().filter(|p| p.state == PaymentState::Pending);
    let next_action = waiting.and_then(|p| serde_json::from_str(p.next_action.as_deref()?).ok());
    let hold_until = row.hold_until;
    // An order is paid to the market or to the shop, not partly to both.
    let mut payment_methods = offered(engine, Some(row.quote.currency));
    let by_market = row.quote.gift_minor > 0 || row.quote.gifts_minor > 0;
    payment_methods.retain(|method| !by_market || method.collected_by_market());
    let gifts = match row.quote.gifts_minor {
        0 => Vec::new(),
        _ => gift_cards::in_checkout(engine, id).await?,
    };
    let gift_cards = match row.quote.gift_minor {
        0 => Vec::new(),
        _ => gift_cards::of_checkout(engine, id).await?,
    };
    let view = CheckoutView {
        id: row.id,
        state: row.state,
        form: known(form(&row.form), caller),
        groups,
        quote: row.quote.view(),
        discounts,
        gift_cards,
        gifts,
        rate: row.rate(),
        seconds_left: (row.hold_until - engine.clock.now_ms()).max(0) / 1000,
        payment_methods,
        unresponsive_methods: unresponsive(engine),
        smtputf8: engine.smtputf8,
        payment,
        next_action,
        purchase: row.purchase_number.map(|number| link(engine, number)),
        // A key of its own for each try, so that a second click is the same try and a second payment is not.
        key: format!("{id}-{}", payments.len()),
    };
    Ok((view, hold_until))
}

impl CheckoutRow {
    pub(crate) fn currency(&self) -> Currency {
        self.quote.currency
    }

    /// The rate at which its prices were converted from the market's currency.
    fn rate(&self) -> Rate {
        Rate { numerator: self.rate_numerator, denominator: self.rate_denominator }
    }
}

impl QuoteRow {
    fn view(&self) -> CheckoutQuote {
        let money = |amount| Money::new(amount, self.currency);
        let totals = Totals {
            subtotal: money(self.subtotal_minor),
            discount: money(self.discount_minor),
            shipping: money(self.delivery_minor),
            tax: money(self.tax_minor),
            total: money(self.total_minor),
        };
        let taxes = crate::taxes::read(&self.taxes, self.currency).unwrap_or_default();
        let to_pay = money(self.total_minor - self.gift_minor);
        CheckoutQuote { version: self.quote_version, totals, taxes, to_pay }
    }
}

/// The form, completed with what is known of a user who has signed in since.
fn known(mut form: CheckoutUpdate, caller: &Caller) -> CheckoutUpdate {
    if let Some(user) = caller.user().filter(|_| form.email.is_empty()) {
        form.email.clone_from(&user.email);
        if form.name.is_empty() {
            form.name.clone_from(&user.name);
        }
    }
    form
}

impl LineRow {
    fn held(&self) -> Option<Held> {
        Held::of(self.slot, self.slot_id, self.slot_closes_at, self.slot_extra_minor)
    }
}

/// The stored input. If it cannot be read, it is entered again.
fn form(json: &str) -> CheckoutUpdate {
    serde_json::from_str(json).unwrap_or_default()
}

/// The selected shipping of an order.
struct Chosen {
    method: ShippingMethod,
    name: String,
    /// The first and the last day on which it should arrive, counted from 1970-01-01.
    arrives: (i64, i64),
}

impl Chosen {
    /// Standard shipping without a date stands for none: then the checkout can't be paid.
    fn of(option: Option<ShippingOption>) -> Self {
        let day = |date: &str| text::day(date).unwrap_or_default();
        match option {
            Some(ShippingOption { shipping_method: method, name, arrives, .. }) => {
                Self { method, name, arrives: (day(&arrives.0), day(&arrives.1)) }
            }
            None => Self { method: ShippingMethod::Standard, name: String::new(), arrives: (0, 0) },
        }
    }
}

/// The stored shipping options of a shop.
fn options(json: &str) -> TxResult<Vec<ShippingOption>> {
    serde_json::from_str(json).map_err(|error| bug(error.to_string()))
}
