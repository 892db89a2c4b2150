//! Invoices and credit notes. An order has one invoice, issued once a part of it is shipped, for everything that was not
//! refunded before. Each refund after it has a credit note. Their numbers have no gaps: a number is taken in the
//! transaction that stores what it is for.

use uuid::Uuid;

use crate::{
    Caller, Engine, TxResult, bug,
    db::{Scalar, Tx},
    insert, params, random, rows, statements, taxes,
};
use haat_shared::{
    Currency, Error, Money, Result,
    gift_cards::AppliedGiftCard,
    id::kinds::{InvoiceId, OrderId, RefundId, ShopId},
    invoices::{Invoice, InvoiceDiscount, InvoiceKind, InvoiceLine, InvoicePayments, Seller},
    money::MoneyError,
    payments::PaymentMethod,
    permissions::{AdminPermission, Permission},
    promotions,
    taxes::TaxLine,
};

statements! {
    // Locks the order, and makes every later refund of it later than its invoice. An exchange costs nothing, so it has none.
    LOCK = "UPDATE orders SET updated_at = CASE WHEN updated_at < $2 THEN $2 ELSE updated_at + 1 END
        WHERE id = (SELECT COALESCE((SELECT h.order_id FROM shipments h WHERE h.id = $1),
                (SELECT r.order_id FROM refunds r WHERE r.id = $1), $1))
            AND EXISTS (SELECT 1 FROM shipments h WHERE h.order_id = orders.id) AND paid_order_id IS NULL
        RETURNING id, number, shop_id, purchase_id, currency, total_minor, items_minor, delivery_refunded_minor, delivery_taxes, updated_at";
    PARTIES = "SELECT s.name, s.address, s.town, s.tax_id, COALESCE(p.billing, p.address) AS buyer, p.tax_id AS buyer_tax_id, p.method, p.gift_cards,
            p.total_minor AS purchase_minor, (SELECT CAST(COALESCE(SUM(o.total_minor), 0) AS BIGINT) FROM orders o
                WHERE o.purchase_id = p.id AND o.paid_order_id IS NULL AND o.id < $3) AS before_minor
        FROM shops s, purchases p WHERE s.id = $1 AND p.id = $2";
    DISCOUNTS = "SELECT position, code, label, CAST(-SUM(amount_minor) AS BIGINT) AS amount_minor FROM order_adjustments
        WHERE order_id = $1 GROUP BY position, code, label ORDER BY MIN(number)";
    ISSUED = "SELECT kind, year, sequence, issued_at, content FROM invoices WHERE order_id = $1 AND kind = 'invoice'";
    LINES = "SELECT position, title, variant_title, quantity, refunded, total_minor - discount_minor + added_tax_minor AS paid_minor,
            taxes FROM order_lines WHERE order_id = $1 ORDER BY position";
    // All refunds of the order, in the order in which they took from its lines.
    REFUNDS = "SELECT r.id, r.delivery_minor, r.created_at, l.position, l.quantity,
            CASE WHEN n.id IS NULL THEN FALSE ELSE TRUE END AS credited
        FROM refunds r LEFT JOIN refund_lines l ON l.refund_id = r.id LEFT JOIN invoices n ON n.refund_id = r.id
        WHERE r.order_id = $1 AND r.part_of IS NULL ORDER BY r.created_at, r.id, l.position";
    NEXT = "SELECT COALESCE(MAX(sequence), 0) + 1 AS value FROM invoices WHERE shop_id = $1 AND kind = $2 AND year = $3";
    // One at a time of a shop takes a number.
    LOCK_SHOP = "UPDATE shops SET version = version WHERE id = $1";
    OF_PURCHASE = "SELECT i.content, i.issued_at FROM invoices i JOIN orders o ON o.id = i.order_id
        JOIN purchases p ON p.id = o.purchase_id WHERE i.id = $1 AND p.number = $2";
    OF_SHOP = "SELECT content, issued_at FROM invoices WHERE id = $1 AND shop_id = $2";
    ANY = "SELECT content, issued_at FROM invoices WHERE id = $1";
}

insert! {
    struct AddInvoice<'a> into invoices {
        id: InvoiceId,
        shop_id: ShopId,
        order_id: OrderId,
        refund_id: Option<RefundId>,
        kind: InvoiceKind,
        year: i64,
        sequence: i64,
        currency: Currency,
        total_minor: i64,
        content: &'a str,
        issued_at: i64,
    }
}

rows! {
    struct OrderRow {
        id: OrderId,
        number: String,
        shop_id: ShopId,
        purchase_id: haat_shared::id::kinds::PurchaseId,
        currency: Currency,
        total_minor: i64,
        items_minor: i64,
        delivery_refunded_minor: i64,
        delivery_taxes: String,
        updated_at: i64,
    }

    struct PartiesRow {
        name: String,
        address: String,
        town: String,
        tax_id: String,
        buyer: String,
        buyer_tax_id: String,
        method: PaymentMethod,
        gift_cards: String,
        purchase_minor: i64,
        before_minor: i64,
    }

    struct DiscountRow {
        /// The line; `None` for delivery.
        position: Option<i64>,
        code: String,
        label: String,
        amount_minor: i64,
    }

    struct IssuedRow {
        kind: InvoiceKind,
        year: i64,
        sequence: i64,
        issued_at: i64,
        content: String,
    }

    struct LineRow {
        position: i64,
        title: String,
        variant_title: String,
        quantity: i64,
        refunded: i64,
        paid_minor: i64,
        taxes: String,
    }

    struct RefundRow {
        id: RefundId,
        delivery_minor: i64,
        created_at: i64,
        position: Option<i64>,
        quantity: Option<i64>,
        credited: bool,
    }

    struct StoredRow {
        content: String,
        issued_at: i64,
    }
}

/// Issues what an order lacks: its invoice once a part of it is shipped, and a credit note for each refund since. `of` is
/// the order, or a shipment or refund of it. Repeating it changes nothing.
pub(crate) async fn issue(engine: &Engine, of: Uuid) -> TxResult<()> {
    let zone = engine.zone.clone();
    engine
        .db
        .write(("invoices::issue", of), (of, zone, engine.clock.clone()), |tx, (of, zone, clock)| {
            Box::pin(async move {
                // Nothing is shipped, so that there is nothing to invoice.
                let Some(order) = tx.opt::<OrderRow>(&LOCK, params![*of, clock.now_ms()]).await? else {
                    return Ok(());
                };
                let year = zone.year(order.updated_at);
                issue_in_tx(tx, &order, year).await
            })
        })
        .await
}

async fn issue_in_tx(tx: &mut Tx, order: &OrderRow, year: i64) -> TxResult<()> {
    let parties: Option<PartiesRow> =
        tx.opt(&PARTIES, params![order.shop_id, order.purchase_id, order.id]).await?;
    let mut parties = parties.ok_or(Error::NotFound)?;
    let lines: Vec<LineRow> = tx.all(&LINES, params![order.id]).await?;
    let discounts: Vec<DiscountRow> = tx.all(&DISCOUNTS, params![order.id]).await?;
    let refunds: Vec<RefundRow> = tx.all(&REFUNDS, params![order.id]).await?;
    let issued: Option<IssuedRow> = tx.opt(&ISSUED, params![order.id]).await?;
    let (invoice, since) = match &issued {
        Some(row) => {
            // A credit note is for whom the invoice is for, even if they have deleted their account since.
            let written: Invoice =
                serde_json::from_str(&row.content).map_err(|error| bug(format!("an invoice: {error}")))?;
            parties.buyer = serde_json::to_string(&written.buyer).map_err(|error| bug(error.to_string()))?;
            parties.buyer_tax_id = written.buyer_tax_id;
            (row.kind.number(row.year, row.sequence), row.issued_at)
        }
        None => {
            let left = lines.iter().filter(|line| line.quantity > line.refunded);
            let left = left
                .map(|line| part(order, line, &discounts, line.refunded, line.quantity))
                .collect::<TxResult<_>>()?;
            let shipping = (order.delivery_refunded_minor, order.total_minor - order.items_minor);
            let of = (InvoiceKind::Invoice, None, None);
            (add_in_tx(tx, order, (&parties, &discounts), year, of, left, shipping).await?, order.updated_at)
        }
    };
    let mut delivery_refunded = 0;
    for (id, rows) in crate::group_by(refunds.iter().collect(), |row| row.id) {
        let shipping = (delivery_refunded, delivery_refunded + rows[0].delivery_minor);
        delivery_refunded = shipping.1;
        // What was refunded before the invoice is not on it.
        if rows[0].credited || rows[0].created_at < since {
            continue;
        }
        let mut credited = Vec::new();
        for row in &rows {
            let (Some(position), Some(quantity)) = (row.position, row.quantity) else { continue };
            let line = lines.iter().find(|line| line.position == position);
            let line = line.ok_or_else(|| bug("a refund of a line that is not there"))?;
            let before: i64 = refunds
                .iter()
                .take_while(|other| other.id != id)
                .filter(|other| other.position == Some(position))
                .filter_map(|other| other.quantity)
                .sum();
            credited.push(part(order, line, &discounts, before, before + quantity)?);
        }
        let of = (InvoiceKind::CreditNote, Some(invoice.clone()), Some(id));
        add_in_tx(tx, order, (&parties, &discounts), year, of, credited, shipping).await?;
    }
    Ok(())
}

/// The parts of stored taxes. However a line is divided, those of each tax add up to it.
fn parts_of(
    stored: &str,
    currency: Currency,
    part: impl Fn(Money) -> std::result::Result<Money, MoneyError>,
) -> TxResult<Vec<TaxLine>> {
    let taxes = taxes::read(stored, currency)?.into_iter();
    taxes.map(|tax| Ok(TaxLine { amount: part(tax.amount)?, ..tax })).collect()
}

/// The parts of the discounts on a line, or on delivery.
fn discounts_on(
    discounts: &[DiscountRow],
    position: Option<i64>,
    currency: Currency,
    part: impl Fn(Money) -> std::result::Result<Money, MoneyError>,
) -> TxResult<Vec<InvoiceDiscount>> {
    let here: Vec<&DiscountRow> = discounts.iter().filter(|row| row.position == position).collect();
    if here.is_empty() {
        return Ok(Vec::new());
    }
    let each: Vec<i64> = here.iter().map(|row| row.amount_minor).collect();
    // The part of their sum, so that the document's amounts add up.
    let parts = part(Money::new(each.iter().sum(), currency))?.allocate(&each)?;
    let on = here.iter().zip(parts).filter(|(_, amount)| amount.amount() > 0);
    Ok(on
        .map(|(row, amount)| InvoiceDiscount { name: promotions::name(&row.label, &row.code), amount })
        .collect())
}

/// The part of a line from its `before`th item to its `after`th, as refunds allocate it.
fn part(
    order: &OrderRow,
    line: &LineRow,
    discounts: &[DiscountRow],
    before: i64,
    after: i64,
) -> TxResult<InvoiceLine> {
    let share = |amount: Money| amount.part(line.quantity, before, after);
    let taxes = parts_of(&line.taxes, order.currency, share)?;
    Ok(InvoiceLine {
        title: line.title.clone(),
        variant: line.variant_title.clone(),
        quantity: after - before,
        total: share(Money::new(line.paid_minor, order.currency))?,
        tax: Money::sum(order.currency, taxes.iter().map(|tax| tax.amount))?,
        taxes,
        discounts: discounts_on(discounts, Some(line.position), order.currency, share)?,
    })
}

/// Stores an invoice or credit note with the next number; returns the number.
async fn add_in_tx(
    tx: &mut Tx,
    order: &OrderRow,
    (parties, discounts): (&PartiesRow, &[DiscountRow]),
    year: i64,
    (kind, corrects, refund_id): (InvoiceKind, Option<String>, Option<RefundId>),
    lines: Vec<InvoiceLine>,
    // What of the delivery price was refunded before and after it.
    (before, after): (i64, i64),
) -> TxResult<String> {
    let delivery = order.total_minor - order.items_minor;
    let shipping = Money::new(after - before, order.currency);
    let shipping_taxes =
        parts_of(&order.delivery_taxes, order.currency, |tax| tax.part(delivery, before, after))?;
    tx.exec(&LOCK_SHOP, params![order.shop_id]).await?;
    let next: Option<Scalar<i64>> = tx.opt(&NEXT, params![order.shop_id, kind, year]).await?;
    let sequence = next.map_or(1, |next| next.0);
    let number = kind.number(year, sequence);
    let total = Money::sum(order.currency, lines.iter().map(|line| line.total))?.plus(shipping)?;
    // Delivery that costs nothing is never refunded, so its discount is on the invoice alone.
    let shipping_discounts = discounts_on(discounts, None, order.currency, |amount| match delivery {
        0 if kind == InvoiceKind::Invoice => Ok(amount),
        _ => amount.part(delivery, before, after),
    })?;
    let whole = Money::new(order.total_minor, order.currency);
    // What was refunded before went back to cards first, so that only of a whole order is it clear who paid it.
    let paid = match kind == InvoiceKind::Invoice && total == whole {
        true => payments(parties, whole)?,
        false => None,
    };
    let PartiesRow { name, address, town, tax_id, buyer, buyer_tax_id, .. } = parties;
    let buyer = serde_json::from_str(buyer).map_err(|_| bug("an address that cannot be read"))?;
    let content = Invoice {
        kind,
        number: number.clone(),
        corrects,
        order_number: order.number.clone(),
        seller: Seller {
            name: name.clone(),
            address: address.clone(),
            town: town.clone(),
            tax_id: tax_id.clone(),
        },
        buyer,
        buyer_tax_id: buyer_tax_id.clone(),
        lines,
        shipping,
        shipping_taxes,
        shipping_discounts,
        total,
        paid,
    };
    let content = serde_json::to_string(&content).map_err(|_| bug("an invoice that cannot be written"))?;
    tx.insert(AddInvoice {
        id: random::id(order.updated_at),
        shop_id: order.shop_id,
        order_id: order.id,
        refund_id,
        kind,
        year,
        sequence,
        currency: order.currency,
        total_minor: total.amount(),
        content: &content,
        issued_at: order.updated_at,
    })
    .await?;
    Ok(number)
}

/// How an order was paid, if gift cards paid a part.
fn payments(parties: &PartiesRow, order: Money) -> TxResult<Option<InvoicePayments>> {
    let PartiesRow { method, gift_cards, purchase_minor, before_minor, .. } = parties;
    let cards: Vec<AppliedGiftCard> =
        serde_json::from_str(gift_cards).map_err(|_| bug("gift cards that cannot be read"))?;
    let money = |minor| Money::new(minor, order.currency());
    let orders = (money(*before_minor), order);
    Ok(InvoicePayments::of_order(&cards, *method, money(*purchase_minor), orders)?)
}

/// An invoice of a purchase and when it was issued, for those who may see the purchase.
pub async fn of_purchase(
    engine: &Engine,
    caller: &Caller,
    number: &str,
    key: &str,
    id: InvoiceId,
) -> Result<(Invoice, String)> {
    crate::orders::may_see(engine, caller, number, key).await?;
    stored(engine, caller, engine.db.opt(&OF_PURCHASE, params![id, number]).await?)
}

/// An invoice of a shop and when it was issued, for members who see orders.
pub async fn of_shop(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: InvoiceId,
) -> Result<(Invoice, String)> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    stored(engine, caller, engine.db.opt(&OF_SHOP, params![id, shop]).await?)
}

/// An invoice of any shop and when it was issued. Operators only.
pub async fn any(engine: &Engine, caller: &Caller, id: InvoiceId) -> Result<(Invoice, String)> {
    caller.admin(AdminPermission::SeeOrders)?;
    stored(engine, caller, engine.db.opt(&ANY, params![id]).await?)
}

fn stored(engine: &Engine, caller: &Caller, row: Option<StoredRow>) -> Result<(Invoice, String)> {
    let row = row.ok_or(Error::NotFound)?;
    let invoice = serde_json::from_str(&row.content).map_err(|error| bug(format!("an invoice: {error}")))?;
    Ok((invoice, caller.time(engine, row.issued_at)))
}
