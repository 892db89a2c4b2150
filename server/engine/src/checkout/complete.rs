//! Completes a checkout: the only function that turns a paid checkout into a purchase, exactly once.

use crate::{
    Clock, Engine, TxError, TxResult, bookings,
    bus::Topic,
    cart_codes,
    clock::Zone,
    db::{Scalar, Tx},
    gift_cards, insert,
    inventory::holds,
    ledger::{self, Reference},
    outbox::{self, OutboxMessage},
    params,
    payments::{GatewayStatus, ReportOutcome, queue_orphaned_in_tx},
    random::{self, SigningKey},
    rows, statements,
};
use haat_shared::{
    Currency, Error, Money, Result,
    checkout::ValidCheckout,
    id::kinds::*,
    ledger::{Posting, capture, cash_commission, commission, promotion, sale},
    payments::{CollectedBy, PaymentFailure, PaymentMethod, PaymentState},
    text,
};

/// What was paid for a checkout: the payment `$2`, and all others for the same quote.
macro_rules! paid_minor {
    () => {
        "(SELECT CAST(COALESCE(SUM(p.amount_minor), 0) AS BIGINT) FROM payments p
            WHERE p.checkout_id = checkouts.id AND p.purchase_id IS NULL AND p.state IN ('captured', 'accepted')
                AND (p.id = $2 OR p.quote_version = checkouts.quote_version))"
    };
}

statements! {
    LOCK_CHECKOUT = "UPDATE checkouts SET updated_at = updated_at WHERE id = (SELECT checkout_id FROM payments WHERE id = $1)
        RETURNING id AS value";
    TAKE_PAYMENT = "UPDATE payments SET state = $2, captured_minor = $3, updated_at = $4, check_at = COALESCE(check_at, $4),
            gateway_ref = COALESCE(gateway_ref, $5), currency = COALESCE($6, currency)
        WHERE id = $1 AND state IN ('created', 'pending', 'authorized', 'superseded', 'failed')
            AND COALESCE(gateway_ref, $5, '') = COALESCE($5, gateway_ref, '')
        RETURNING checkout_id, method, collected_by, currency, amount_minor, captured_minor,
            (SELECT c.currency FROM checkouts c WHERE c.id = payments.checkout_id) AS requested_in";
    TAKEN = "SELECT p.checkout_id, p.method, p.collected_by, p.currency, p.amount_minor, p.captured_minor,
            c.currency AS requested_in, p.state, u.number
        FROM payments p JOIN checkouts c ON c.id = p.checkout_id LEFT JOIN purchases u ON u.id = p.purchase_id WHERE p.id = $1";
    TAKE_CHECKOUT = concat!("UPDATE checkouts SET state = 'completed', purchase_id = $3, updated_at = $4
        WHERE id = $1 AND state IN ('open', 'paying', 'expired') AND total_minor = ", paid_minor!(), "
        RETURNING cart_id, holds, details, discount_minor, gift_minor, gifts_minor,
            (SELECT COUNT(*) FROM checkout_bookings b WHERE b.checkout_id = checkouts.id) AS bookings");
    REST_IS_DUE = concat!("SELECT id AS value FROM checkouts WHERE id = $1 AND state IN ('open', 'paying')
        AND quote_version = (SELECT quote_version FROM payments WHERE id = $2) AND total_minor > ", paid_minor!());
    // After the purchase, to which they refer.
    TAKE_PAYMENTS = "UPDATE payments SET purchase_id = $3, check_at = NULL, updated_at = $4
        WHERE checkout_id = $1 AND purchase_id IS NULL AND state IN ('captured', 'accepted')
            AND (id = $2 OR quote_version = (SELECT c.quote_version FROM checkouts c WHERE c.id = $1))
        RETURNING collected_by AS value";
    ORDERS = "SELECT order_id, shop_id, total_minor, market_discount_minor, commission_minor
        FROM checkout_orders WHERE checkout_id = $1 ORDER BY position";
    ADD_LINES = "INSERT INTO order_lines (order_id, position, kind, product_id, variant_id, title, variant_title, quantity,
            unit_minor, total_minor, discount_minor, taxes, tax_minor, added_tax_minor, commission_minor, market_discount_minor)
        SELECT order_id, position, kind, product_id, variant_id, title, variant_title, quantity, unit_minor, total_minor,
            discount_minor, taxes, tax_minor, added_tax_minor, commission_minor, market_discount_minor
        FROM checkout_lines WHERE checkout_id = $1";
    ADD_ADJUSTMENTS = "INSERT INTO order_adjustments (order_id, number, position, promotion_id, code, label, borne_by, amount_minor, after_others)
        SELECT order_id, number, position, promotion_id, code, label, borne_by, amount_minor, after_others FROM checkout_adjustments WHERE checkout_id = $1";
    EMPTY_CART = "DELETE FROM cart_lines WHERE cart_id = $1
        AND variant_id IN (SELECT variant_id FROM checkout_lines WHERE checkout_id = $2)";
    pub(crate) FAILED = "UPDATE payments SET state = 'failed', failure = $3, failure_note = $4, check_at = NULL, updated_at = $2
        WHERE id = $1 AND state IN ('created', 'pending', 'authorized', 'superseded')";
    ORPHANED = "UPDATE payments SET state = 'orphaned', refund_pending_minor = captured_minor, check_at = NULL, updated_at = $2
        WHERE id = $1 AND state = 'captured' AND purchase_id IS NULL RETURNING captured_minor AS value";
}

insert! {
    struct AddPurchase<'a> into purchases {
        id: PurchaseId,
        number: &'a str,
        email: &'a str,
        address: String,
        billing: Option<String>,
        tax_id: &'a str,
        method: PaymentMethod,
        gift_cards: String,
        created_at: i64;
        checkout_id = "c.id",
        user_id = "t.user_id",
        currency = "c.currency",
        total_minor = "c.total_minor",
        gifts_minor = "c.gifts_minor",
        locale = "c.locale",
    } => [checkout: CheckoutId] "given JOIN checkouts c ON c.id = given.checkout JOIN carts t ON t.id = c.cart_id"

    /// The orders of a purchase, one per shop of its checkout.
    struct AddOrders<'a> into orders {
        purchase_id: PurchaseId,
        created_at: i64,
        updated_at: i64;
        id = "o.order_id",
        number = "given.purchase_number || '-' || CAST(o.position AS TEXT)",
        search_folded = "given.number_folded || '-' || CAST(o.position AS TEXT) || ' ' || given.customer_folded",
        shop_id = "o.shop_id",
        shop_name = "o.shop_name",
        state = "'placed'",
        currency = "c.currency",
        rate_numerator = "c.rate_numerator",
        rate_denominator = "c.rate_denominator",
        subtotal_minor = "o.subtotal_minor",
        discount_minor = "o.discount_minor",
        market_discount_minor = "o.market_discount_minor",
        delivery_minor = "o.delivery_minor",
        delivery_taxes = "o.delivery_taxes",
        delivery_tax_minor = "o.delivery_tax_minor",
        tax_minor = "o.tax_minor",
        added_tax_minor = "o.added_tax_minor",
        total_minor = "o.total_minor",
        items_minor = "o.items_minor",
        collected_minor = "CASE WHEN given.collected_by = 'market' THEN o.total_minor ELSE 0 END",
        commission_minor = "o.commission_minor",
        units = "(SELECT CAST(SUM(l.quantity) AS BIGINT) FROM checkout_lines l WHERE l.checkout_id = c.id AND l.order_id = o.order_id)",
        delivery = "o.delivery",
        delivery_name = "o.delivery_name",
        slot = "o.slot",
        slot_id = "o.slot_id",
        // From today; what was promised earlier than that is due.
        days_min = "CASE WHEN o.arrives_min > given.today THEN o.arrives_min - given.today ELSE 0 END",
        days_max = "CASE WHEN o.arrives_max > given.today THEN o.arrives_max - given.today ELSE 0 END",
    } => [
        checkout: CheckoutId,
        purchase_number: &'a str,
        number_folded: String,
        customer_folded: String,
        collected_by: CollectedBy,
        today: i64
    ]
        "given JOIN checkouts c ON c.id = given.checkout JOIN checkout_orders o ON o.checkout_id = c.id"
}

rows! {
    struct Taken {
        checkout_id: CheckoutId,
        method: PaymentMethod,
        collected_by: CollectedBy,
        currency: Currency,
        amount_minor: i64,
        captured_minor: i64,
        requested_in: Currency,
    }

    struct TakenBefore {
        state: PaymentState,
        number: Option<String>;
        payment: Taken
    }

    struct TakenCheckout {
        cart_id: CartId,
        holds: i64,
        details: Option<String>,
        discount_minor: i64,
        gift_minor: i64,
        gifts_minor: i64,
        bookings: i64,
    }

    struct OrderRow {
        order_id: OrderId,
        shop_id: ShopId,
        total_minor: i64,
        market_discount_minor: i64,
        commission_minor: i64,
    }
}

/// The input of the transaction, so that running it again makes the same purchase.
#[derive(Clone)]
struct Input {
    payment: PaymentId,
    gateway_ref: Option<String>,
    status: GatewayStatus,
    purchase: PurchaseId,
    number: String,
    clock: Clock,
    zone: Zone,
    secret: SigningKey,
}

enum Done {
    /// The payment became a purchase, now or earlier.
    Purchase(String),
    /// Part of the total is still unpaid.
    Waiting,
    /// The payment had ended before.
    Nothing,
}

/// The payment is captured, or accepted: makes the purchase that it pays for, exactly once, however often
/// and by whomever it is reported. A part of the total is kept until the rest is paid. If the checkout was
/// already paid or superseded, or its holds and the stock are gone, the money is refunded.
pub async fn complete(
    engine: &Engine,
    payment: PaymentId,
    gateway_ref: &str,
    status: GatewayStatus,
) -> Result<ReportOutcome> {
    let input = Input {
        payment,
        gateway_ref: (!gateway_ref.is_empty()).then(|| gateway_ref.to_owned()),
        status,
        purchase: random::id(engine.clock.now_ms()),
        number: random::number(),
        clock: engine.clock.clone(),
        zone: engine.zone.clone(),
        secret: engine.secret.clone(),
    };
    let outcome = engine
        .db
        .write(("checkout::complete", payment), input.clone(), |tx, input| {
            Box::pin(complete_in_tx(tx, input))
        })
        .await;
    match outcome {
        Ok(Done::Purchase(number)) => {
            engine.bus.publish(Topic::Outbox, "");
            Ok(ReportOutcome::Paid(number))
        }
        Ok(Done::Waiting) => Ok(ReportOutcome::Waiting),
        Ok(Done::Nothing) => Ok(ReportOutcome::Orphaned),
        Err(TxError::Rejected(Error::Conflict(_))) => {
            engine
                .db
                .write(("checkout::orphaned", payment), input, |tx, input| {
                    Box::pin(orphaned_in_tx(tx, input))
                })
                .await?;
            engine.bus.publish(Topic::Outbox, "");
            tracing::info!(payment.id = %payment, "payment captured for a closed checkout; refunding");
            Ok(ReportOutcome::Orphaned)
        }
        Err(fault) => Err(fault.into()),
    }
}

/// Nothing can be bought: rolls back and refunds the money.
fn nothing_to_buy() -> TxError {
    haat_shared::Conflict::CheckoutEnded.into()
}

async fn complete_in_tx(tx: &mut Tx, input: &Input) -> TxResult<Done> {
    let Input { payment, purchase, number, clock, zone, secret, .. } = input;
    let now = clock.now_ms();
    lock_checkout_in_tx(tx, *payment).await?;
    let (taken, mut postings): (_, Vec<(Posting, Reference)>) = match take_in_tx(tx, input, now).await? {
        Some(taken) => {
            let captured = Money::new(taken.captured_minor, taken.currency);
            let posting = (taken.captured_minor > 0).then(|| capture(captured)).transpose()?;
            (taken, posting.map(|posting| (posting, Reference::from(*payment))).into_iter().collect())
        }
        None => match tx.opt::<TakenBefore>(&TAKEN, params![*payment]).await?.ok_or(Error::NotFound)? {
            TakenBefore { number: Some(number), .. } => return Ok(Done::Purchase(number)),
            TakenBefore { state: PaymentState::Captured, payment, .. } => (payment, Vec::new()),
            _ => return Ok(Done::Nothing),
        },
    };
    let by_market = taken.collected_by == CollectedBy::Market;
    if (by_market && taken.captured_minor != taken.amount_minor) || taken.currency != taken.requested_in {
        return Err(nothing_to_buy());
    }
    let id = taken.checkout_id;
    let row = params![id, *payment, *purchase, now];
    let Some(checkout) = tx.opt::<TakenCheckout>(&TAKE_CHECKOUT, row).await? else {
        let due: Option<Scalar<CheckoutId>> = tx.opt(&REST_IS_DUE, params![id, *payment]).await?;
        due.filter(|_| by_market).ok_or_else(nothing_to_buy)?;
        ledger::post(tx, &postings, now).await?;
        return Ok(Done::Waiting);
    };
    // The orders are placed now, not when the wait for the lock began.
    let now = clock.now_ms();
    let details: ValidCheckout = checkout
        .details
        .and_then(|json| serde_json::from_str(&json).ok())
        .ok_or_else(|| crate::bug("a checkout was paid without contact details"))?;
    let written = |address| serde_json::to_string(address).map_err(|e| crate::bug(e.to_string()));
    let address = written(&details.address)?;
    let billing = details.billing.as_ref().map(written).transpose()?;
    let gift_cards = match checkout.gift_minor {
        0 => "[]".to_owned(),
        _ => gift_cards::paid_in_tx(tx, id).await?,
    };
    tx.insert(AddPurchase {
        id: *purchase,
        number,
        email: details.email.as_str(),
        address,
        billing,
        tax_id: &details.tax_id,
        method: taken.method,
        gift_cards,
        created_at: now,
        checkout: id,
    })
    .await?;
    let payments: Vec<Scalar<CollectedBy>> =
        tx.all(&TAKE_PAYMENTS, params![id, *payment, *purchase, now]).await?;
    // An order is paid to the market or to the shop, not partly to both.
    if payments.iter().any(|by| by.0 != taken.collected_by) || (checkout.gifts_minor > 0 && !by_market) {
        return Err(nothing_to_buy());
    }
    let orders: Vec<OrderRow> = tx.all(&ORDERS, params![id]).await?;
    let placed = AddOrders {
        purchase_id: *purchase,
        created_at: now,
        updated_at: now,
        checkout: id,
        purchase_number: number,
        number_folded: text::fold(number),
        customer_folded: text::fold(&format!("{} {}", details.email.as_str(), details.address.name)),
        collected_by: taken.collected_by,
        today: zone.day(now),
    };
    tx.insert_all([placed]).await?;
    tx.exec(&ADD_LINES, params![id]).await?;
    if checkout.discount_minor > 0 {
        tx.exec(&ADD_ADJUSTMENTS, params![id]).await?;
        cart_codes::clear_in_tx(tx, checkout.cart_id).await?;
    }
    if checkout.bookings > 0 && !bookings::book_in_tx(tx, id, now).await? {
        return Err(nothing_to_buy());
    }
    let sale = holds::take_in_tx(tx, id, checkout.holds, *purchase, now).await?;
    postings.extend(sales(&orders, by_market, taken.currency)?);
    let mut messages = vec![outbox::row(OutboxMessage::PurchaseMade, *purchase, now)];
    messages.extend(orders.iter().map(|o| outbox::row(OutboxMessage::OrderPlaced, o.order_id, now)));
    if checkout.gifts_minor > 0 {
        let (sold, sent) = gift_cards::issue_in_tx(tx, (secret, zone), (id, checkout.cart_id), now).await?;
        postings.extend(sold);
        messages.extend(sent);
    }
    ledger::post(tx, &postings, now).await?;
    tx.exec_many(&outbox::WRITE, &messages).await?;
    tx.exec(&EMPTY_CART, params![checkout.cart_id, id]).await?;
    // Last, since others wait for these rows.
    if !holds::sell_in_tx(tx, sale).await? {
        return Err(nothing_to_buy());
    }
    Ok(Done::Purchase(number.clone()))
}

/// Locks the checkout of a payment. Whatever changes a payment locks its checkout first: two that lock them in another
/// order would wait for each other.
pub(crate) async fn lock_checkout_in_tx(tx: &mut Tx, payment: PaymentId) -> TxResult<CheckoutId> {
    let id: Option<Scalar<CheckoutId>> = tx.opt(&LOCK_CHECKOUT, params![payment]).await?;
    Ok(id.ok_or(Error::NotFound)?.0)
}

/// Records that the payment is captured or accepted, unless an earlier report did.
async fn take_in_tx(tx: &mut Tx, input: &Input, now: i64) -> TxResult<Option<Taken>> {
    let (state, captured, paid_in) = match input.status {
        GatewayStatus::Captured(amount) => (PaymentState::Captured, amount.amount(), Some(amount.currency())),
        _ => (PaymentState::Accepted, 0, None),
    };
    let row = params![input.payment, state.as_str(), captured, now, input.gateway_ref.clone(), paid_in];
    let taken: Option<Taken> = tx.opt(&TAKE_PAYMENT, row).await?;
    let collects = state == PaymentState::Captured;
    match taken {
        Some(taken) if collects != (taken.collected_by == CollectedBy::Market) => {
            Err(crate::bug("a gateway reports that the wrong one collects a payment"))
        }
        taken => Ok(taken),
    }
}

/// The postings of the sold orders.
fn sales(orders: &[OrderRow], by_market: bool, currency: Currency) -> TxResult<Vec<(Posting, Reference)>> {
    let mut postings = Vec::new();
    for order in orders {
        let (part, about) = (Money::new(order.commission_minor, currency), Reference::from(order.order_id));
        if by_market {
            postings.push((sale(order.shop_id, Money::new(order.total_minor, currency))?, about));
            postings.push((commission(order.shop_id, part)?, about));
        } else {
            postings.push((cash_commission(order.shop_id, part)?, about));
        }
        if order.market_discount_minor > 0 {
            let discount = Money::new(order.market_discount_minor, currency);
            postings.push((promotion(order.shop_id, discount)?, about));
        }
    }
    Ok(postings)
}

async fn orphaned_in_tx(tx: &mut Tx, input: &Input) -> TxResult<()> {
    let Input { payment, clock, .. } = input;
    let now = clock.now_ms();
    let GatewayStatus::Captured(captured) = input.status else {
        // Cash was only promised, so there is nothing to refund.
        tx.exec(&FAILED, params![*payment, now, PaymentFailure::Abandoned.as_str(), ""]).await?;
        return Ok(());
    };
    // In the currency that was charged, whatever was requested: that amount is refunded.
    if take_in_tx(tx, input, now).await?.is_some() {
        ledger::post(tx, &[(capture(captured)?, *payment)], now).await?;
    }
    let orphaned: Option<Scalar<i64>> = tx.opt(&ORPHANED, params![*payment, now]).await?;
    if let Some(Scalar(minor)) = orphaned {
        let amount = Money::new(minor, captured.currency());
        queue_orphaned_in_tx(tx, random::id(now), *payment, amount, now).await?;
    }
    Ok(())
}
