//! Pays for a checkout: stores the input, inserts the payment, calls the gateway and applies its response.

use super::{CheckoutRow, find, link, offered, totals};
use crate::{
    Bounds, Caller, Engine, TxResult,
    db::{Tx, Value},
    group_by,
    idempotency::{self, Claim, IdempotencyKey},
    params,
    payments::{self, FIRST_CHECK_MS, PaymentRow, ReportOutcome},
    quotas, rows, statements,
};
use haat_shared::{
    Conflict, Currency, Error, Money, Result,
    accounts::mailbox,
    checkout::{CheckoutForm, CheckoutState, HOLD_MS, ValidCheckout},
    id::kinds::{CheckoutId, OrderId, PaymentId, ShopId, VariantId},
    payments::{Method, NextAction},
    pricing::{self, Line, LineKind, Shipping, ShopItems, TaxRule, Totals},
    shipping::{ShippingMethod, ShippingOption},
};

statements! {
    LOCK_OPEN = "UPDATE checkouts SET updated_at = updated_at WHERE id = $1 AND state = 'open'";
    LINES = "SELECT o.order_id, o.shop_id, o.options, o.delivery, l.variant_id, l.quantity, l.unit_minor, l.tax_bp, l.commission_bp
        FROM checkout_lines l JOIN checkout_orders o ON o.order_id = l.order_id
        WHERE l.checkout_id = $1 ORDER BY o.position, l.position";
    CHOOSE = "UPDATE checkout_orders SET delivery = given.column2, delivery_minor = given.column3,
            days_min = given.column4, days_max = given.column5, tax_minor = given.column6, total_minor = given.column7
        FROM (VALUES [($1, $2, $3, $4, $5, $6, $7)]) AS given WHERE checkout_orders.order_id = given.column1";
    SAVE = "UPDATE checkouts SET form = $2, updated_at = $3 WHERE id = $1";
    SAVE_QUOTE = "UPDATE checkouts SET form = $2, updated_at = $3, delivery_minor = $4, tax_minor = $5, total_minor = $6
        WHERE id = $1";
    PAYING = "UPDATE checkouts SET state = 'paying', details = $2, updated_at = $3, locale = $5, extended = TRUE,
            hold_until = CASE WHEN extended THEN hold_until ELSE $4 END
        WHERE id = $1 AND state IN ('open', 'paying') AND hold_until > $3";
    OPEN_ONE = "SELECT id, checkout_id, method, gateway_ref, state, currency, amount_minor, checks, created_at
        FROM payments WHERE checkout_id = $1 AND state IN ('created', 'pending')";
    SUPERSEDE = "UPDATE payments SET state = 'superseded', updated_at = $2
        WHERE id = $1 AND state IN ('created', 'pending')";
    ADD = "INSERT INTO payments (id, checkout_id, method, state, currency, amount_minor, captured_minor, refunded_minor,
            next_url, check_at, checks, created_at, updated_at)
        SELECT $1, id, $3, 'created', currency, total_minor, 0, 0, '', $4, 0, $5, $5 FROM checkouts WHERE id = $2
        RETURNING id, checkout_id, method, gateway_ref, state, currency, amount_minor, checks, created_at";
}

rows! {
    struct LineRow {
        order_id: OrderId,
        shop_id: ShopId,
        options: String,
        delivery: ShippingMethod,
        variant_id: VariantId,
        quantity: i64,
        unit_minor: i64,
        tax_bp: i64,
        commission_bp: i64,
    }
}

/// Stores the input of the caller's checkout without validating it or paying. Returns the current totals.
pub async fn save(engine: &Engine, caller: &Caller, id: CheckoutId, form: CheckoutForm) -> Result<Totals> {
    let checkout = find(engine, caller, id).await?;
    Ok(store(engine, &checkout, &form.bounded()).await?.0)
}

/// Stores the form and, if the shipping method has changed, the new quote. Also returns whether the method
/// could still be changed.
async fn store(engine: &Engine, checkout: &CheckoutRow, form: &CheckoutForm) -> Result<(Totals, bool)> {
    let json = |form: &CheckoutForm| serde_json::to_string(form).map_err(|_| Error::Internal);
    let before = super::form(&checkout.form).delivery;
    // An unchanged shipping method needs no new quote.
    let choice = (form.delivery != before).then(|| (checkout.currency, form.clone()));
    let unchosen = json(&CheckoutForm { delivery: before, ..form.clone() })?;
    let input = (checkout.id, json(form)?, unchosen, choice, engine.clock.now_ms());
    let (quoted, done) = engine
        .db
        .write(("checkout::save", checkout.id), input, |tx, (id, json, unchosen, choice, now)| {
            Box::pin(async move {
                let Some((currency, form)) = choice else {
                    tx.exec(&SAVE, params![*id, json, *now]).await?;
                    return Ok((None, true));
                };
                let Some(totals) = choose_in_tx(tx, *id, *currency, form).await? else {
                    tx.exec(&SAVE, params![*id, unchosen, *now]).await?;
                    return Ok((None, false));
                };
                let Totals { shipping, tax, total, .. } = totals;
                let row = params![*id, json, *now, shipping.amount(), tax.amount(), total.amount()];
                tx.exec(&SAVE_QUOTE, row).await?;
                Ok((Some(totals), true))
            })
        })
        .await?;
    Ok((quoted.unwrap_or_else(|| totals(checkout)), done))
}

/// Sets the shipping method of each shop and quotes the checkout again, at the prices offered when it began.
/// Nothing changes while a payment is in progress: the shopper pays what they were shown.
async fn choose_in_tx(
    tx: &mut Tx,
    id: CheckoutId,
    currency: Currency,
    form: &CheckoutForm,
) -> TxResult<Option<Totals>> {
    if tx.exec(&LOCK_OPEN, params![id]).await? == 0 {
        return Ok(None);
    }
    let rows: Vec<LineRow> = tx.all(&LINES, params![id]).await?;
    let (mut items, mut chosen) = (Vec::new(), Vec::new());
    for (order, rows) in group_by(rows, |row| row.order_id) {
        let option = choice(&rows[0], form)?;
        let shipping = Some(Shipping::untaxed(option.price));
        let lines = rows.iter().map(|row| priced(row, currency)).collect();
        items.push(ShopItems { shop: rows[0].shop_id, lines, shipping });
        chosen.push((order, option));
    }
    let quote = pricing::quote(currency, &items, &[])?;
    let chosen: Vec<[Value; 7]> = chosen
        .into_iter()
        .zip(&quote.shops)
        .map(|((order, option), quote)| {
            let Totals { shipping, tax, total, .. } = quote.price.totals;
            [
                order.into(),
                option.delivery.as_str().into(),
                shipping.amount().into(),
                option.days.0.into(),
                option.days.1.into(),
                tax.amount().into(),
                total.amount().into(),
            ]
        })
        .collect();
    tx.exec_many(&CHOOSE, &chosen).await?;
    Ok(Some(quote.price.totals))
}

/// The offered option that the form selects, or else the one selected before.
fn choice(order: &LineRow, form: &CheckoutForm) -> TxResult<ShippingOption> {
    let options: Vec<ShippingOption> =
        serde_json::from_str(&order.options).map_err(|e| crate::bug(e.to_string()))?;
    let find = |wanted| options.iter().find(|option| option.delivery == wanted).copied();
    find(form.delivery_of(order.shop_id))
        .or_else(|| find(order.delivery))
        .ok_or_else(|| crate::bug("a checkout's shipping method was never offered"))
}

fn priced(row: &LineRow, currency: Currency) -> Line {
    Line {
        id: row.variant_id.uuid(),
        kind: LineKind::Goods,
        quantity: row.quantity,
        unit_price: Money::new(row.unit_minor, currency),
        tax: TaxRule::included(row.tax_bp),
        commission_bp: row.commission_bp,
    }
}

/// Pays the caller's checkout. Repeating it with the same `key` is the same attempt, with the same response. A
/// checkout that was bought in the meantime, by any attempt, returns its purchase.
///
/// It continues if the client disconnects.
pub async fn pay(
    engine: &Engine,
    caller: &Caller,
    id: CheckoutId,
    form: CheckoutForm,
    key: &str,
) -> Result<NextAction> {
    let (engine, caller, key) = (engine.clone(), caller.clone(), key.to_owned());
    crate::to_its_end(async move {
        let paid = pay_once(&engine, &caller, id, form, &key).await;
        or_bought(&engine, id, paid).await
    })
    .await?
}

/// The result of a payment: the purchase, if another attempt has made it in the meantime.
async fn or_bought(engine: &Engine, id: CheckoutId, paid: Result<NextAction>) -> Result<NextAction> {
    match paid {
        Err(Error::Conflict(conflict)) if conflict != Conflict::KeyReused => {
            let bought = super::bought(engine, id).await?;
            bought.map(|purchase| NextAction::Done { purchase }).ok_or(conflict.into())
        }
        paid => paid,
    }
}

async fn pay_once(
    engine: &Engine,
    caller: &Caller,
    id: CheckoutId,
    form: CheckoutForm,
    key: &str,
) -> Result<NextAction> {
    let checkout = find(engine, caller, id).await?;
    match (checkout.state, &checkout.purchase_number) {
        (_, Some(number)) => return Ok(NextAction::Done { purchase: link(engine, number) }),
        (CheckoutState::Open | CheckoutState::Paying, None) => {}
        _ => return Err(Conflict::CheckoutEnded.into()),
    }
    let form = form.bounded();
    let (totals, chosen) = store(engine, &checkout, &form).await?;
    if !chosen {
        return Err(Conflict::PaymentInProgress.into());
    }
    if form.seen.parse().is_ok_and(|seen: i64| seen != totals.total.amount()) {
        return Err(Conflict::TotalChanged(totals.total).into());
    }
    let details = form.check(&offered(engine), engine.smtputf8).map_err(Error::Invalid)?;
    let body = serde_json::to_string(&form).map_err(|_| Error::Internal)?;
    let key = IdempotencyKey::new(id, "checkout::pay", key, &body);
    let attempt = match idempotency::claim::<haat_shared::id::kinds::Payment>(engine, &key).await? {
        Claim::Mine(attempt) => attempt,
        Claim::Done(answer) => return serde_json::from_str(&answer).unwrap_or(Err(Error::Internal)),
    };
    let answer = attempt_payment(engine, caller, id, attempt, details).await;
    let answer = or_bought(engine, id, answer).await;
    // What may succeed later is not an answer to keep.
    let keep = !matches!(
        answer,
        Err(Error::Busy { .. }
            | Error::Internal
            | Error::Conflict(Conflict::PaymentInProgress | Conflict::CashNeedsAccount))
    );
    let stored = if keep { serde_json::to_string(&answer).ok() } else { None };
    idempotency::settle(engine, key, attempt, stored).await?;
    answer
}

async fn attempt_payment(
    engine: &Engine,
    caller: &Caller,
    id: CheckoutId,
    attempt: PaymentId,
    details: ValidCheckout,
) -> Result<NextAction> {
    let (method, locale) = (details.method, caller.locale);
    let cash = (method == Method::Cash && caller.user().is_none()).then(|| GuestCash {
        bounds: engine.bounds,
        email: quotas::subject(engine, &mailbox(&details.email.folded())),
        origin: caller.origin,
    });
    let details = serde_json::to_string(&details).map_err(|_| Error::Internal)?;
    let payment = engine
        .db
        .write(
            ("checkout::pay", id),
            (id, attempt, method, details, locale, cash, engine.clock.now_ms()),
            |tx, (id, attempt, method, details, locale, cash, now)| {
                Box::pin(async move {
                    let (payment, new) =
                        open_in_tx(tx, *id, *attempt, *method, details, locale, *now).await?;
                    if let (Some(cash), true) = (cash, new) {
                        let amount = Money::new(payment.amount_minor, payment.currency);
                        cash.bound_in_tx(tx, amount, *now).await?;
                    }
                    Ok(payment)
                })
            },
        )
        .await?;
    let (reported, next_url) = payments::start(engine, &payment).await?;
    match reported {
        ReportOutcome::Paid(number) => Ok(NextAction::Done { purchase: link(engine, number) }),
        // Unless another try has bought it while we asked.
        ReportOutcome::Waiting => {
            let bought = super::bought(engine, id).await?;
            Ok(match bought {
                Some(purchase) => NextAction::Done { purchase },
                None => NextAction::Redirect { url: next_url },
            })
        }
        ReportOutcome::Declined => Err(Conflict::PaymentDeclined.into()),
        ReportOutcome::Cancelled => Err(Conflict::PaymentCancelled.into()),
        ReportOutcome::Orphaned => Err(Conflict::CheckoutEnded.into()),
    }
}

/// Checks a guest's cash order. Nobody has paid or proved anything, so the orders per origin and per
/// email address are counted.
#[derive(Clone, Copy)]
struct GuestCash {
    bounds: Bounds,
    email: [u8; 32],
    origin: Option<[u8; 32]>,
}

const CASH_TO_EMAIL: quotas::QuotaKind = ("cash_to_email", quotas::DAY_MS);
const CASH_OF_ORIGIN: quotas::QuotaKind = ("cash_of_origin", quotas::DAY_MS);

impl GuestCash {
    async fn bound_in_tx(&self, tx: &mut Tx, amount: Money, now: i64) -> TxResult<()> {
        let Self { bounds, email, origin } = self;
        // Where someone comes from is known of all but the callers of the program itself.
        let Some(origin) = origin else { return Ok(()) };
        let what = [((CASH_TO_EMAIL, *email), 1), ((CASH_OF_ORIGIN, *origin), 1)].into();
        let used = quotas::spend_in_tx(tx, &what, now).await?;
        let times = |kind: quotas::QuotaKind, subject| used.get(&(kind.0, subject)).copied().unwrap_or(0);
        let unit = 10i64.saturating_pow(amount.currency().decimals());
        if times(CASH_TO_EMAIL, *email) > bounds.guest_cash_orders
            || times(CASH_OF_ORIGIN, *origin) > bounds.guest_cash_orders_of_origin
            || amount.amount() > bounds.guest_cash_max.saturating_mul(unit)
        {
            return Err(Conflict::CashNeedsAccount.into());
        }
        Ok(())
    }
}

/// Inserts the payment, or finds the one in progress with the same method. One with another method is
/// superseded: if it is captured after all, it is refunded.
async fn open_in_tx(
    tx: &mut Tx,
    checkout: CheckoutId,
    attempt: PaymentId,
    method: Method,
    details: &str,
    locale: &str,
    now: i64,
) -> TxResult<(PaymentRow, bool)> {
    // From here on, payments of this checkout wait for each other.
    if tx.exec(&PAYING, params![checkout, details, now, now + HOLD_MS, locale]).await? == 0 {
        return Err(Conflict::CheckoutEnded.into());
    }
    let open: Option<PaymentRow> = tx.opt(&OPEN_ONE, params![checkout]).await?;
    match open {
        Some(payment) if payment.method == method => return Ok((payment, false)),
        Some(payment) => {
            tx.exec(&SUPERSEDE, params![payment.id, now]).await?;
        }
        None => {}
    }
    let row = params![attempt, checkout, method.as_str(), now + FIRST_CHECK_MS, now];
    Ok((tx.opt(&ADD, row).await?.ok_or(Error::NotFound)?, true))
}
