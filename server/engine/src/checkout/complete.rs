//! Completes a checkout: the only function that turns a paid checkout into a purchase, exactly once.

use crate::{
    Clock, Engine, TxError, TxResult,
    bus::Topic,
    db::{DbError, Scalar, Tx},
    insert,
    inventory::holds,
    ledger,
    outbox::{self, OutboxMessage},
    params,
    payments::{GatewayStatus, ReportOutcome, queue_orphaned_in_tx},
    random, rows, statements,
};
use haat_shared::{
    Currency, Error, Money, Result,
    checkout::ValidCheckout,
    id::kinds::*,
    ledger::{Posting, cash_commission, commission, orphaned_capture, sale},
    payments::{PaymentMethod, PaymentState},
    text,
};

statements! {
    LOCK_CHECKOUT = "UPDATE checkouts SET updated_at = updated_at WHERE id = (SELECT checkout_id FROM payments WHERE id = $1)
        RETURNING id AS value";
    TAKE_PAYMENT = "UPDATE payments SET state = $2, captured_minor = $3, purchase_id = $4, check_at = NULL, updated_at = $5,
            gateway_ref = COALESCE(gateway_ref, $6)
        WHERE id = $1 AND state IN ('created', 'pending', 'superseded', 'failed')
            AND COALESCE(gateway_ref, $6, '') = COALESCE($6, gateway_ref, '')
        RETURNING checkout_id, method, currency, amount_minor";
    TAKE_CHECKOUT = "UPDATE checkouts SET state = 'completed', purchase_id = $2, updated_at = $3
        WHERE id = $1 AND state IN ('open', 'paying', 'expired')
        RETURNING cart_id, total_minor, holds, details";
    ORDERS = "SELECT order_id, shop_id, total_minor, commission_minor
        FROM checkout_orders WHERE checkout_id = $1 ORDER BY position";
    ADD_LINES = "INSERT INTO order_lines (order_id, position, product_id, variant_id, title, variant_title, quantity,
            unit_minor, total_minor, tax_bp, tax_minor)
        SELECT order_id, position, product_id, variant_id, title, variant_title, quantity, unit_minor, total_minor, tax_bp, tax_minor
        FROM checkout_lines WHERE checkout_id = $1";
    EMPTY_CART = "DELETE FROM cart_lines WHERE cart_id = $1
        AND variant_id IN (SELECT variant_id FROM checkout_lines WHERE checkout_id = $2)";
    PURCHASE_OF = "SELECT u.number FROM payments p LEFT JOIN purchases u ON u.id = p.purchase_id WHERE p.id = $1";
    ORPHANED = "UPDATE payments SET state = $2, captured_minor = $3, refund_pending_minor = $3, check_at = NULL, updated_at = $4,
            gateway_ref = COALESCE(gateway_ref, $5), currency = COALESCE($6, currency)
        WHERE id = $1 AND state IN ('created', 'pending', 'superseded', 'failed')
            AND COALESCE(gateway_ref, $5, '') = COALESCE($5, gateway_ref, '')";
}

insert! {
    struct AddPurchase<'a> into purchases {
        id: PurchaseId,
        number: &'a str,
        email: &'a str,
        address: String,
        method: PaymentMethod,
        created_at: i64;
        checkout_id = "c.id",
        user_id = "t.user_id",
        currency = "c.currency",
        total_minor = "c.total_minor",
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
        subtotal_minor = "o.subtotal_minor",
        delivery_minor = "o.delivery_minor",
        tax_minor = "o.tax_minor",
        total_minor = "o.total_minor",
        commission_minor = "o.commission_minor",
        delivery = "o.delivery",
        days_min = "o.days_min",
        days_max = "o.days_max",
    } => [checkout: CheckoutId, purchase_number: &'a str, number_folded: String, customer_folded: String]
        "given JOIN checkouts c ON c.id = given.checkout JOIN checkout_orders o ON o.checkout_id = c.id"
}

rows! {
    struct Taken {
        checkout_id: CheckoutId,
        method: PaymentMethod,
        currency: Currency,
        amount_minor: i64,
    }

    struct TakenCheckout {
        cart_id: CartId,
        total_minor: i64,
        holds: i64,
        details: Option<String>,
    }

    struct OrderRow {
        order_id: OrderId,
        shop_id: ShopId,
        total_minor: i64,
        commission_minor: i64,
    }

    struct PurchaseOf {
        number: Option<String>,
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
}

enum Done {
    /// The payment became a purchase, now or earlier.
    Purchase(String),
    /// The payment had ended before.
    Nothing,
}

/// The payment is captured, or accepted: makes the purchase that it pays for, exactly once, however often
/// and by whomever it is reported. If the checkout was already paid or superseded, or its holds and the
/// stock are gone, the money is refunded.
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
    let Input { payment, purchase, number, clock, .. } = input;
    let now = clock.now_ms();
    let (state, captured, paid_in) = match input.status {
        GatewayStatus::Captured(amount) => (PaymentState::Captured, amount.amount(), Some(amount.currency())),
        _ => (PaymentState::Accepted, 0, None),
    };
    lock_checkout_in_tx(tx, *payment).await?;
    let row = params![*payment, state.as_str(), captured, *purchase, now, input.gateway_ref.clone()];
    let Some(taken) = tx.opt::<Taken>(&TAKE_PAYMENT, row).await? else { return found(tx, *payment).await };
    let id = taken.checkout_id;
    let checkout: TakenCheckout =
        tx.opt(&TAKE_CHECKOUT, params![id, *purchase, now]).await?.ok_or_else(nothing_to_buy)?;
    // The orders are placed now, not when we began to wait for the lock.
    let now = clock.now_ms();
    if taken.amount_minor != checkout.total_minor
        || (state == PaymentState::Captured && captured != taken.amount_minor)
        || paid_in.is_some_and(|currency| currency != taken.currency)
    {
        return Err(nothing_to_buy());
    }
    let details: ValidCheckout = checkout
        .details
        .and_then(|json| serde_json::from_str(&json).ok())
        .ok_or_else(|| crate::bug("a checkout was paid without contact details"))?;
    let address = serde_json::to_string(&details.address).map_err(|e| crate::bug(e.to_string()))?;
    let method = taken.method;
    tx.insert(AddPurchase {
        id: *purchase,
        number,
        email: details.email.as_str(),
        address,
        method,
        created_at: now,
        checkout: id,
    })
    .await?;
    let orders: Vec<OrderRow> = tx.all(&ORDERS, params![id]).await?;
    let placed = AddOrders {
        purchase_id: *purchase,
        created_at: now,
        updated_at: now,
        checkout: id,
        purchase_number: number,
        number_folded: text::fold(number),
        customer_folded: text::fold(&format!("{} {}", details.email.as_str(), details.address.name)),
    };
    tx.insert_all([placed]).await?;
    tx.exec(&ADD_LINES, params![id]).await?;
    let sale = holds::take_in_tx(tx, id, checkout.holds, *purchase, now).await?;
    ledger::post(tx, &postings(&orders, method, taken.currency)?, now).await?;
    let mut messages = vec![outbox::row(OutboxMessage::PurchaseMade, *purchase, now)];
    messages.extend(orders.iter().map(|o| outbox::row(OutboxMessage::OrderPlaced, o.order_id, now)));
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

/// The result of an earlier report of the payment.
async fn found(tx: &mut Tx, payment: PaymentId) -> TxResult<Done> {
    let row: PurchaseOf =
        tx.opt(&PURCHASE_OF, params![payment]).await?.ok_or(DbError::Other("no payment".into()))?;
    Ok(row.number.map_or(Done::Nothing, Done::Purchase))
}

fn postings(
    orders: &[OrderRow],
    method: PaymentMethod,
    currency: Currency,
) -> TxResult<Vec<(Posting, OrderId)>> {
    let mut postings = Vec::new();
    for order in orders {
        let part = Money::new(order.commission_minor, currency);
        if method.collected_by_market() {
            postings.push((sale(order.shop_id, Money::new(order.total_minor, currency))?, order.order_id));
            postings.push((commission(order.shop_id, part)?, order.order_id));
        } else {
            postings.push((cash_commission(order.shop_id, part)?, order.order_id));
        }
    }
    Ok(postings)
}

async fn orphaned_in_tx(tx: &mut Tx, input: &Input) -> TxResult<()> {
    let Input { payment, clock, .. } = input;
    let now = clock.now_ms();
    let (state, captured) = match input.status {
        GatewayStatus::Captured(amount) => (PaymentState::Orphaned, amount),
        // Cash that was only promised: there is nothing to give back.
        _ => {
            let row = params![
                *payment,
                PaymentState::Failed.as_str(),
                0,
                now,
                input.gateway_ref.clone(),
                None::<Currency>
            ];
            tx.exec(&ORPHANED, row).await?;
            return Ok(());
        }
    };
    // In the currency that was charged, whatever was asked for: that is what goes back.
    let currency = Some(captured.currency());
    let row = params![*payment, state.as_str(), captured.amount(), now, input.gateway_ref.clone(), currency];
    if tx.exec(&ORPHANED, row).await? == 0 {
        return Ok(());
    }
    ledger::post(tx, &[(orphaned_capture(captured)?, *payment)], now).await?;
    queue_orphaned_in_tx(tx, random::id(now), *payment, captured, now).await
}
