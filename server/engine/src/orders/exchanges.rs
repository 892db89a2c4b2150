//! Exchanges: instead of money, the customer gets other items for a return, as an order of its own that costs nothing. It
//! belongs to the same purchase and checkout, so its stock is taken, and returned, like that of any other order.
//!
//! A line that was paid counts how many of its items are exchanged; they are not refunded there. A refund of an exchange is one
//! of the order that was paid, which it names, however often its items were exchanged since.

use super::{
    returns::{Change, Locked, by_shop, find_in_tx, lines_in_tx, lock_in_tx, tell_in_tx},
    shipments::take_in_tx,
    timeline,
};
use crate::{
    Caller, Engine, TxResult, bug,
    bus::Topic,
    carts,
    db::Tx,
    insert,
    inventory::holds,
    outbox::{self, OutboxMessage},
    params, random, rows, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    catalog::options_text,
    error::Shortage,
    id::kinds::*,
    orders::{OrderEventData, OrderEventKind},
    returns::ReturnState,
    text,
};

statements! {
    WISHES = "SELECT r.position, r.quantity, v.id AS variant_id, v.product_id, v.capacity_id, v.title AS variant_title,
            v.options AS option_values, v.archived, p.title, p.options AS option_names, l.paid_position
        FROM return_lines r JOIN order_lines l ON l.order_id = $2 AND l.position = r.position
        JOIN variants v ON v.id = r.wished_variant_id JOIN products p ON p.id = v.product_id
        WHERE r.return_id = $1 ORDER BY r.position";
    CLAIM = "UPDATE order_lines SET exchanged = exchanged + given.column3 FROM (VALUES [($1, $2, $3)]) AS given
        WHERE order_lines.order_id = given.column1 AND order_lines.position = given.column2
            AND order_lines.quantity >= order_lines.refunded + order_lines.exchanged + given.column3
        RETURNING position, quantity, total_minor - discount_minor + added_tax_minor AS paid_minor,
            commission_minor, market_discount_minor, exchanged AS taken";
    // Locks the checkout, so that two exchanges don't take the same positions.
    EXTEND = "UPDATE checkouts SET holds = holds + $2 WHERE id = (SELECT checkout_id FROM checkout_orders WHERE order_id = $1)
        RETURNING id, (SELECT MAX(o.position) + 1 FROM checkout_orders o WHERE o.checkout_id = checkouts.id) AS order_position,
            (SELECT MAX(l.position) + 1 FROM checkout_lines l WHERE l.checkout_id = checkouts.id) AS line_position";
    ADD_QUOTE = "INSERT INTO checkout_orders (checkout_id, position, order_id, shop_id, shop_name, subtotal_minor, discount_minor,
            market_discount_minor, delivery_minor, tax_minor, added_tax_minor, total_minor, items_minor, commission_minor, options,
            takes_cash, delivery, delivery_name, arrives_min, arrives_max)
        SELECT checkout_id, $2, $3, shop_id, shop_name, 0, 0, 0, 0, 0, 0, 0, 0, 0, '[]', takes_cash, delivery, delivery_name, arrives_min,
            arrives_max
        FROM checkout_orders WHERE order_id = $1";
    // The shop sends it, so it is confirmed.
    ADD_ORDER = "INSERT INTO orders (id, number, purchase_id, shop_id, shop_name, search_folded, state, currency, rate_numerator,
            rate_denominator, subtotal_minor, discount_minor, market_discount_minor, delivery_minor, tax_minor, added_tax_minor,
            total_minor, items_minor, commission_minor, units, delivery, delivery_name, days_min, days_max, created_at, updated_at, replaces, paid_order_id)
        SELECT $2, $3, purchase_id, shop_id, shop_name, REPLACE(search_folded, $4, $5), 'confirmed', currency, rate_numerator,
            rate_denominator, 0, 0, 0, 0, 0, 0, 0, 0, 0, $7, delivery, delivery_name, days_min, days_max, $6, $6, id, COALESCE(paid_order_id, id)
        FROM orders WHERE id = $1";
    EXCHANGED = "UPDATE returns SET state = 'exchanged', exchange_order_id = $2 WHERE id = $1 AND state = 'received'";
}

insert! {
    struct AddQuoteLine<'a> into checkout_lines {
        checkout_id: CheckoutId,
        position: i64,
        order_id: OrderId,
        product_id: ProductId,
        variant_id: VariantId,
        title: &'a str,
        variant_title: &'a str,
        quantity: i64;
        kind = "'goods'",
        unit_minor = "0",
        total_minor = "0",
        discount_minor = "0",
        tax_minor = "0",
        added_tax_minor = "0",
        commission_bp = "0",
        commission_minor = "0",
        market_discount_minor = "0",
    }

    struct AddLine<'a> into order_lines {
        order_id: OrderId,
        position: i64,
        product_id: ProductId,
        variant_id: VariantId,
        title: &'a str,
        variant_title: &'a str,
        quantity: i64,
        paid_position: i64;
        kind = "'goods'",
        unit_minor = "0",
        total_minor = "0",
        discount_minor = "0",
        tax_minor = "0",
        added_tax_minor = "0",
        commission_minor = "0",
        market_discount_minor = "0",
    }
}

rows! {
    struct WishRow {
        position: i64,
        quantity: i64,
        variant_id: VariantId,
        product_id: ProductId,
        capacity_id: Option<CapacityId>,
        variant_title: String,
        option_values: String,
        archived: bool,
        title: String,
        option_names: String,
        paid_position: Option<i64>,
    }

    struct Places {
        id: CheckoutId,
        order_position: i64,
        line_position: i64,
    }

}

impl WishRow {
    /// What the order calls the variant.
    fn named(&self) -> String {
        match carts::options(&self.option_names, &self.option_values).as_slice() {
            [] => self.variant_title.clone(),
            options => options_text(options),
        }
    }
}

/// The shop sends what the customer wishes for, instead of a return that it has received. Fails if there is too little of it:
/// the return can then be refunded. Repeating it changes nothing.
pub async fn exchange_return(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    number: &str,
    id: ReturnId,
) -> Result<()> {
    let change = by_shop(engine, caller, handle, number)?;
    let about = ("orders::exchange_return", change.number.clone());
    engine
        .db
        .write(about, (change, id), |tx, (change, id)| Box::pin(exchange_in_tx(tx, change, *id)))
        .await?;
    engine.bus.publish(Topic::Outbox, "");
    Ok(())
}

async fn exchange_in_tx(tx: &mut Tx, change: &Change, id: ReturnId) -> TxResult<()> {
    let order = lock_in_tx(tx, change).await?;
    match find_in_tx(tx, id, order.id).await?.state {
        ReturnState::Received => {}
        ReturnState::Exchanged => return Ok(()),
        state => return Err(Conflict::ReturnMoved(state).into()),
    }
    let wishes: Vec<WishRow> = tx.all(&WISHES, params![id, order.id]).await?;
    if wishes.is_empty() {
        return Err(Error::field("exchange", FieldCode::Missing).into());
    }
    if wishes.iter().any(|wish| wish.archived) {
        return Err(short(wishes.iter().filter(|wish| wish.archived), |_| 0));
    }
    let lines = lines_in_tx(tx, id).await?;
    // What was refunded meanwhile is not exchanged as well.
    take_in_tx(tx, &CLAIM, order.id, &lines).await?;
    let (other, number, claims) = add_in_tx(tx, change, &order, &wishes).await?;
    if tx.exec(&EXCHANGED, params![id, other]).await? == 0 {
        return Err(bug("a return that was received is not any more"));
    }
    let data = |lines, other_order: &str| OrderEventData {
        lines,
        other_order: Some(other_order.to_owned()),
        ..OrderEventData::default()
    };
    let what = (OrderEventKind::ReturnExchanged, Some(OutboxMessage::OrderReturnExchanged));
    tell_in_tx(tx, &order, id, change, what, data(lines, &number)).await?;
    let (now, first) = (order.updated_at, data(Vec::new(), &change.number));
    timeline::add_in_tx(tx, other, OrderEventKind::Confirmed, change.by, &first, now).await?;
    tx.exec_many(&outbox::WRITE, &[outbox::row(OutboxMessage::OrderConfirmed, other, now)]).await?;
    // Last, because other transactions wait for these rows.
    let left = holds::take_at_once_in_tx(tx, claims, other, now).await?;
    if left.is_empty() {
        return Ok(());
    }
    let of = |wish: &WishRow| left.iter().find(|left| Some(left.capacity_id) == wish.capacity_id);
    Err(short(wishes.iter().filter(|wish| of(wish).is_some()), |wish| {
        of(wish).map_or(0, |left| left.available)
    }))
}

/// There is too little of these variants.
fn short<'a>(wishes: impl Iterator<Item = &'a WishRow>, left: impl Fn(&WishRow) -> i64) -> crate::TxError {
    let shortages = wishes.map(|wish| Shortage {
        variant: wish.variant_id,
        title: wish.title.clone(),
        left: left(wish),
        discontinued: wish.archived,
        capacity: wish.capacity_id,
    });
    Conflict::OutOfStock(shortages.collect()).into()
}

/// Adds the order with what the customer gets instead. Returns it with its number and with what it takes of capacities.
async fn add_in_tx(
    tx: &mut Tx,
    change: &Change,
    order: &Locked,
    wishes: &[WishRow],
) -> TxResult<(OrderId, String, Vec<holds::Claim>)> {
    let now = order.updated_at;
    let (other, limited): (OrderId, _) =
        (random::id(now), wishes.iter().filter(|wish| wish.capacity_id.is_some()));
    let places: Option<Places> = tx.opt(&EXTEND, params![order.id, limited.count() as i64]).await?;
    let places = places.ok_or_else(|| bug("an order without a checkout"))?;
    let purchase = change.number.rsplit_once('-').map(|(purchase, _)| purchase);
    let purchase = purchase.ok_or_else(|| bug("an order's number without its position"))?;
    let number = format!("{purchase}-{}", places.order_position);
    tx.exec(&ADD_QUOTE, params![order.id, places.order_position, other]).await?;
    let units: i64 = wishes.iter().map(|wish| wish.quantity).sum();
    let row = params![order.id, other, &number, text::fold(&change.number), text::fold(&number), now, units];
    tx.exec(&ADD_ORDER, row).await?;
    let names: Vec<String> = wishes.iter().map(WishRow::named).collect();
    let each = || (places.line_position..).zip(wishes.iter().zip(&names));
    let quoted = each().map(|(position, (wish, name))| AddQuoteLine {
        checkout_id: places.id,
        position,
        order_id: other,
        product_id: wish.product_id,
        variant_id: wish.variant_id,
        title: &wish.title,
        variant_title: name,
        quantity: wish.quantity,
    });
    tx.insert_all(quoted.collect::<Vec<_>>()).await?;
    let lines = each().map(|(position, (wish, name))| AddLine {
        order_id: other,
        position,
        product_id: wish.product_id,
        variant_id: wish.variant_id,
        title: &wish.title,
        variant_title: name,
        quantity: wish.quantity,
        paid_position: wish.paid_position.unwrap_or(wish.position),
    });
    tx.insert_all(lines.collect::<Vec<_>>()).await?;
    let claims = each().filter_map(|(position, (wish, _))| {
        Some(holds::Claim {
            checkout_id: places.id,
            position: Some(position),
            capacity_id: wish.capacity_id?,
            quantity: wish.quantity,
        })
    });
    Ok((other, number, claims.collect()))
}
