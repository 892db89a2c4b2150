//! Pays for a checkout: stores the input, inserts the payment, calls the gateway and applies its response.

use super::{QuoteRow, find, link, offered, update::store};
use crate::{
    Bounds, Caller, Engine, TxResult, addresses, bookings, cards,
    db::{Scalar, Tx},
    gift_cards, group_by,
    idempotency::{self, Claim, IdempotencyKey},
    insert,
    inventory::holds,
    params,
    payments::{self, FIRST_CHECK_MS, PaymentRow, ReportOutcome, payment_columns},
    promotions::{self, Person},
    quotas, rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, FieldError, Money, Result,
    accounts::mailbox,
    checkout::{CheckoutState, CheckoutUpdate, HOLD_MS, SLOT, ValidCheckout},
    gift_cards::GiftCardRefusal,
    id::kinds::{CapacityId, CheckoutId, PaymentId, ShopId},
    money::{Rate, convert},
    payments::{CollectedBy, MethodDeclaration, NextAction, PaymentMethod},
    promotions::Refusal,
};

statements! {
    PAYING = "UPDATE checkouts SET state = 'paying', details = $2, updated_at = $3, locale = $5, form = $7,
            extended = TRUE, hold_until = CASE WHEN extended THEN hold_until ELSE $4 END
        WHERE id = $1 AND state IN ('open', 'paying') AND hold_until > $3 AND quote_version = $6
            AND NOT EXISTS (SELECT 1 FROM checkout_orders o WHERE o.checkout_id = checkouts.id AND (o.options = '[]'
                OR ($8 AND NOT o.takes_cash) OR (o.delivery = 'slot' AND (o.slot_closes_at IS NULL OR o.slot_closes_at <= $3))))
        RETURNING (SELECT COUNT(*) FROM checkout_bookings b WHERE b.checkout_id = checkouts.id) AS value";
    NOT_SHIPPED = "SELECT o.shop_id, o.shop_name, l.title FROM checkout_orders o
        JOIN checkout_lines l ON l.checkout_id = o.checkout_id AND l.order_id = o.order_id
        WHERE o.checkout_id = $1 AND o.options = '[]' ORDER BY o.position, l.position";
    WITHOUT_SLOT = "SELECT shop_id, slot_id FROM checkout_orders WHERE checkout_id = $1 AND delivery = 'slot' AND options <> '[]'
        AND (slot_closes_at IS NULL OR slot_closes_at <= $2) ORDER BY position";
    NO_CASH = "SELECT position AS value FROM checkout_orders WHERE checkout_id = $1 AND NOT takes_cash ORDER BY position LIMIT 1";
    QUOTE = "SELECT currency, subtotal_minor, discount_minor, delivery_minor, tax_minor, total_minor, gift_minor, gifts_minor, quote_version, taxes
        FROM checkouts WHERE id = $1 AND state IN ('open', 'paying') AND hold_until > $2";
    OPEN_ONE = concat!("SELECT ", payment_columns!(), " FROM payments
        WHERE checkout_id = $1 AND state IN ('created', 'pending')");
    SUPERSEDE = "UPDATE payments SET state = 'superseded', updated_at = $2
        WHERE id = $1 AND state IN ('created', 'pending')";
}

rows! {
    struct NotShippedRow {
        shop_id: ShopId,
        shop_name: String,
        title: String,
    }
}

insert! {
    /// Requests the part of the total that other payments leave unpaid.
    struct AddPayment<'a> into payments {
        id: PaymentId,
        method: PaymentMethod,
        gateway: &'static str,
        collected_by: CollectedBy,
        on_page: bool,
        customer_ref: Option<&'a str>,
        check_at: i64,
        created_at: i64,
        updated_at: i64;
        checkout_id = "c.id",
        quote_version = "c.quote_version",
        state = "'created'",
        currency = "c.currency",
        amount_minor = "c.total_minor - covered.minor",
        captured_minor = "0",
        refunded_minor = "0",
        refund_pending_minor = "0",
        fee_minor = "0",
        checks = "0",
    } => [checkout: CheckoutId] "given JOIN checkouts c ON c.id = given.checkout
        CROSS JOIN (SELECT CAST(COALESCE(SUM(p.amount_minor), 0) AS BIGINT) AS minor
            FROM given JOIN checkouts k ON k.id = given.checkout
            JOIN payments p ON p.checkout_id = k.id AND p.quote_version = k.quote_version
            WHERE p.purchase_id IS NULL AND p.state IN ('authorized', 'captured')) AS covered
        WHERE covered.minor = 0 OR c.total_minor > covered.minor
        RETURNING id, checkout_id, method, gateway, gateway_ref, paid_ref, quote_version, state, currency, amount_minor, on_page, checks, created_at, customer_ref"
}

rows! {
    struct WithoutSlot {
        shop_id: ShopId,
        slot_id: Option<CapacityId>,
    }
}

/// Pays the caller's checkout if `quote_version` is still the version of its quote, so that what is charged is
/// what the shopper saw. Repeating it with the same `key` is the same attempt, with the same response. A
/// checkout that was bought in the meantime, by any attempt, returns its purchase.
///
/// It continues if the client disconnects.
pub async fn pay(
    engine: &Engine,
    caller: &Caller,
    id: CheckoutId,
    update: CheckoutUpdate,
    quote_version: i64,
    key: &str,
) -> Result<NextAction> {
    pay_in(engine, caller, id, update, quote_version, key, false).await
}

/// The same, from a page that may show the gateway's fields or open its window. If so, the payment is made there,
/// `on_page`.
pub async fn pay_in(
    engine: &Engine,
    caller: &Caller,
    id: CheckoutId,
    update: CheckoutUpdate,
    quote_version: i64,
    key: &str,
    on_page: bool,
) -> Result<NextAction> {
    let (engine, caller, key) = (engine.clone(), caller.clone(), key.to_owned());
    crate::to_its_end(async move {
        let paid = pay_once(&engine, &caller, id, update, (quote_version, on_page), &key).await;
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
    update: CheckoutUpdate,
    (quote_version, on_page): (i64, bool),
    key: &str,
) -> Result<NextAction> {
    let checkout = find(engine, caller, id).await?;
    match (checkout.state, &checkout.purchase_number) {
        (_, Some(number)) => return Ok(NextAction::Done { purchase: link(engine, number) }),
        (CheckoutState::Open | CheckoutState::Paying, None) => {}
        _ => return Err(Conflict::CheckoutEnded.into()),
    }
    let update = update.bounded();
    let discounted = store(engine, id, &update, true).await?.totals.discount.amount() > 0;
    let gift = Gift::of(&checkout.quote);
    let (update, methods) = match gift {
        Gift::All => (
            CheckoutUpdate { payment_method: Some(PaymentMethod::GiftCard), ..update },
            vec![PaymentMethod::GiftCard],
        ),
        _ => (update, offered(engine, Some(checkout.quote.currency))),
    };
    let mut details = update.check(&methods, engine.smtputf8, checkout.has_orders).map_err(Error::Invalid)?;
    if checkout.quote.gifts_minor > 0 && !details.payment_method.collected_by_market() {
        return Err(Conflict::GiftCard(GiftCardRefusal::BoughtInCash).into());
    }
    if !checkout.has_orders {
        // Emails to the buyer begin with it.
        let gifts = gift_cards::in_checkout(engine, id).await?;
        details.address.name =
            gifts.into_iter().map(|gift| gift.sender_name).find(|name| !name.is_empty()).unwrap_or_default();
    }
    if gift == Gift::Part && !details.payment_method.collected_by_market() {
        return Err(Conflict::GiftCard(GiftCardRefusal::WithCash).into());
    }
    if update.save_address && checkout.has_orders {
        addresses::keep(engine, caller, &details.address).await?;
    }
    let on_page = on_page && super::is_on_page(engine, checkout.quote.currency, details.payment_method);
    let customer = cards::customer_for(engine, caller, details.payment_method).await?;
    let how = (quote_version, on_page);
    let person = discounted.then(|| Person::of(engine, caller, Some(details.email.as_str())));
    let body = serde_json::to_string(&(&update, how)).map_err(|_| Error::Internal)?;
    let key = IdempotencyKey::new(id, "checkout::pay", key, &body);
    let attempt = match idempotency::claim::<haat_shared::id::kinds::Payment>(engine, &key).await? {
        Claim::Mine(attempt) => attempt,
        Claim::Done(answer) => return serde_json::from_str(&answer).unwrap_or(Err(Error::Internal)),
    };
    let agreed = (details, update);
    let agreed = (agreed, person);
    let answer =
        attempt_payment(engine, caller, (id, checkout.rate(), gift), attempt, agreed, (how, customer)).await;
    if let Err(Error::Conflict(Conflict::GiftCard(_))) = &answer {
        gift_cards::plan_again(engine, id).await?;
    }
    let answer = or_bought(engine, id, answer).await;
    // A failure that may succeed later is not stored as the response.
    let keep = !matches!(
        answer,
        Err(Error::Busy { .. }
            | Error::Internal
            | Error::Invalid(_)
            | Error::Conflict(
                Conflict::PaymentInProgress
                    | Conflict::CashNeedsAccount
                    | Conflict::TotalChanged { .. }
                    | Conflict::NotShipped(_)
                    | Conflict::Code(_)
                    | Conflict::CodeLimit(..)
                    | Conflict::GiftCard(_)
            ))
    );
    let stored = if keep { serde_json::to_string(&answer).ok() } else { None };
    idempotency::settle(engine, key, attempt, stored).await?;
    answer
}

async fn attempt_payment(
    engine: &Engine,
    caller: &Caller,
    (id, rate, gift): (CheckoutId, Rate, Gift),
    attempt: PaymentId,
    ((details, form), person): ((ValidCheckout, CheckoutUpdate), Option<Person>),
    ((quote_version, on_page), customer): ((i64, bool), Option<String>),
) -> Result<NextAction> {
    let (method, locale) = (details.payment_method, caller.locale);
    let in_cash = !method.collected_by_market();
    let cash = (in_cash && caller.user().is_none()).then(|| GuestCash {
        bounds: engine.bounds,
        rate,
        email: quotas::subject(engine, &mailbox(&details.email.folded())),
        origin: caller.origin,
    });
    let details = serde_json::to_string(&details).map_err(|_| Error::Internal)?;
    let form = serde_json::to_string(&form).map_err(|_| Error::Internal)?;
    let payment = engine
        .db
        .write(
            ("checkout::pay", id),
            (
                id,
                attempt,
                (method, on_page, customer),
                (details, form, in_cash),
                quote_version,
                locale,
                (cash, person, gift),
                engine.clock.now_ms(),
            ),
            |tx, (id, attempt, how, agreed, quote_version, locale, (cash, person, gift), now)| {
                Box::pin(async move {
                    agree_in_tx(tx, *id, agreed, *quote_version, locale, *now).await?;
                    if let Some(person) = person {
                        let uses = promotions::uses_in_tx(tx, *id, person).await?;
                        if !holds::hold_uses_in_tx(tx, *id, uses, *now).await? {
                            return Err(Conflict::Code(Refusal::UsedByYou).into());
                        }
                    }
                    // The version of the quote is that of the cards, too.
                    if *gift != Gift::None {
                        let spent = gift_cards::spend_in_tx(tx, *id, *now + FIRST_CHECK_MS, *now).await?;
                        if *gift == Gift::All {
                            return Ok(Due::Nothing(spent));
                        }
                    }
                    let (payment, new) = open_in_tx(tx, *id, *attempt, how, *now).await?;
                    if let (Some(cash), true) = (cash, new) {
                        let amount = Money::new(payment.amount_minor, payment.currency);
                        cash.bound_in_tx(tx, amount, *now).await?;
                    }
                    Ok(Due::Rest(payment))
                })
            },
        )
        .await?;
    let (reported, next) = match payment {
        Due::Rest(payment) => payments::start(engine, &payment, locale).await?,
        Due::Nothing(spent) => (payments::buy_with_cards(engine, spent).await?, None),
    };
    match reported {
        ReportOutcome::Paid(number) => Ok(NextAction::Done { purchase: link(engine, number) }),
        // Unless another attempt completed the purchase in the meantime.
        ReportOutcome::Waiting => {
            let bought = super::bought(engine, id).await?;
            let bought = bought.map(|purchase| NextAction::Done { purchase });
            bought.or(next).ok_or_else(|| Conflict::PaymentInProgress.into())
        }
        ReportOutcome::Declined => Err(Conflict::PaymentDeclined.into()),
        ReportOutcome::Cancelled => Err(Conflict::PaymentCancelled.into()),
        ReportOutcome::Orphaned => Err(Conflict::CheckoutEnded.into()),
    }
}

/// How much of a checkout gift cards pay.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gift {
    None,
    Part,
    All,
}

impl Gift {
    fn of(quote: &QuoteRow) -> Self {
        match quote.gift_minor {
            0 => Self::None,
            all if all == quote.total_minor => Self::All,
            _ => Self::Part,
        }
    }
}

/// What is left to pay once gift cards have paid.
enum Due {
    /// Another payment.
    Rest(PaymentRow),
    /// Nothing. This is one of the cards' payments.
    Nothing(PaymentId),
}

/// Checks a guest's cash order. Nobody has paid or proved anything, so the orders per origin and per
/// email address are counted.
#[derive(Clone, Copy)]
struct GuestCash {
    bounds: Bounds,
    rate: Rate,
    email: [u8; 32],
    origin: Option<[u8; 32]>,
}

const CASH_TO_EMAIL: quotas::QuotaKind = ("cash_to_email", quotas::DAY_MS);
const CASH_OF_ORIGIN: quotas::QuotaKind = ("cash_of_origin", quotas::DAY_MS);

impl GuestCash {
    async fn bound_in_tx(&self, tx: &mut Tx, amount: Money, now: i64) -> TxResult<()> {
        let Self { bounds, rate, email, origin } = self;
        // Every caller but the program itself has an origin.
        let Some(origin) = origin else { return Ok(()) };
        let what = [((CASH_TO_EMAIL, *email), 1), ((CASH_OF_ORIGIN, *origin), 1)].into();
        let used = quotas::spend_in_tx(tx, &what, now).await?;
        let times = |kind: quotas::QuotaKind, subject| used.get(&(kind.0, subject)).copied().unwrap_or(0);
        let currency = amount.currency();
        let unit = 10i64.saturating_pow(currency.decimals());
        // The limit is in the currency of the prices before they were converted.
        let most = Money::new(bounds.guest_cash_order_max.saturating_mul(unit), currency);
        let most = convert(most, *rate, currency).map_or(i64::MAX, Money::amount);
        if times(CASH_TO_EMAIL, *email) > bounds.guest_cash_orders_per_day
            || times(CASH_OF_ORIGIN, *origin) > bounds.origin_cash_orders_per_day
            || amount.amount() > most
        {
            return Err(Conflict::CashNeedsAccount.into());
        }
        Ok(())
    }
}

/// Fixes what is paid, and for whom, if the quote is still the one that the shopper saw. From here on,
/// updates and other payments of this checkout wait. The input is stored once more, because an update that was
/// sent before may have been stored since.
async fn agree_in_tx(
    tx: &mut Tx,
    id: CheckoutId,
    (details, form, in_cash): &(String, String, bool),
    quote_version: i64,
    locale: &str,
    now: i64,
) -> TxResult<()> {
    let row =
        params![id, details.as_str(), now, now + HOLD_MS, locale, quote_version, form.as_str(), *in_cash];
    if let Some(Scalar(bookings)) = tx.opt::<Scalar<i64>>(&PAYING, row).await? {
        if bookings > 0 {
            bookings::extend_in_tx(tx, id).await?;
        }
        return Ok(());
    }
    let quote: QuoteRow = tx.opt(&QUOTE, params![id, now]).await?.ok_or(Conflict::CheckoutEnded)?;
    let not_shipped: Vec<NotShippedRow> = tx.all(&NOT_SHIPPED, params![id]).await?;
    if !not_shipped.is_empty() {
        let shops = group_by(not_shipped, |row| row.shop_id).into_iter().map(|(_, rows)| {
            let mut titles: Vec<&str> = rows.iter().map(|row| row.title.as_str()).collect();
            titles.dedup();
            format!("{} ({})", rows[0].shop_name, titles.join(", "))
        });
        return Err(Conflict::NotShipped(shops.collect()).into());
    }
    if *in_cash && tx.opt::<Scalar<i64>>(&NO_CASH, params![id]).await?.is_some() {
        return Err(Error::field("payment_method", FieldCode::NotAChoice).into());
    }
    let without: Vec<WithoutSlot> = tx.all(&WITHOUT_SLOT, params![id, now]).await?;
    if !without.is_empty() {
        let fault = |order: &WithoutSlot| {
            let code = if order.slot_id.is_none() { FieldCode::Missing } else { FieldCode::SlotGone };
            FieldError::new(format!("{SLOT}{}", order.shop_id), code)
        };
        return Err(Error::Invalid(without.iter().map(fault).collect()).into());
    }
    let total = quote.view().totals.total;
    Err(Conflict::TotalChanged { total, quote_version: quote.quote_version }.into())
}

/// Inserts the payment, or finds the one in progress with the same method, on the same page, of the same customer (who may
/// have signed in since). Another one is superseded: if it is captured after all, it is refunded.
async fn open_in_tx(
    tx: &mut Tx,
    checkout: CheckoutId,
    attempt: PaymentId,
    (method, on_page, customer): &(PaymentMethod, bool, Option<String>),
    now: i64,
) -> TxResult<(PaymentRow, bool)> {
    let open: Option<PaymentRow> = tx.opt(&OPEN_ONE, params![checkout]).await?;
    match open {
        Some(payment)
            if (payment.method, payment.on_page) == (*method, *on_page)
                && payment.customer_ref == *customer =>
        {
            return Ok((payment, false));
        }
        Some(payment) => {
            tx.exec(&SUPERSEDE, params![payment.id, now]).await?;
        }
        None => {}
    }
    let MethodDeclaration { code, gateway, collected_by } = method.declared();
    let row = AddPayment {
        id: attempt,
        method: code,
        gateway,
        collected_by,
        on_page: *on_page,
        customer_ref: customer.as_deref(),
        check_at: now + FIRST_CHECK_MS,
        created_at: now,
        updated_at: now,
        checkout,
    };
    Ok((tx.insert_returning(row).await?.ok_or(Conflict::PaymentInProgress)?, true))
}
