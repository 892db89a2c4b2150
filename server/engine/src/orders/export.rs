//! A shop's orders as a table, for bookkeeping and couriers.

use super::{
    address,
    seller::{CardRow, rows},
};
use crate::{
    Caller, Engine,
    spreadsheet::{Exported, escaped, table},
};
use haat_shared::{Money, Result, orders::ListOrders, page::LIMIT_MAX, permissions::Permission};

const COLUMNS: [&str; 18] = [
    "order",
    "placed_at",
    "status",
    "items",
    "currency",
    "total",
    "payment_method",
    "shipping_method",
    "name",
    "email",
    "phone",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "country",
    "delivery_slot",
];

/// A part of a shop's orders as a table, for members who see orders: those after `ask.after`. Times are those
/// of the market.
pub async fn export(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    ask: &ListOrders,
) -> Result<Exported<String>> {
    let shop = caller.shop(handle, Permission::SeeOrders)?;
    let ask = ListOrders { limit: Some(LIMIT_MAX), ..ask.clone() };
    let page = rows(engine, Some(shop), &ask).await?;
    let lines = page.items.into_iter().map(|row| cells(engine, row)).collect::<Result<Vec<_>>>()?;
    let text = table(|table| {
        if ask.after.is_empty() {
            table.write_record(COLUMNS)?;
        }
        lines.iter().try_for_each(|line| table.write_record(line))
    })?;
    Ok(Exported { text, next: page.next })
}

fn cells(engine: &Engine, row: CardRow) -> Result<[String; 18]> {
    let to = address(&row.address)?;
    // Couriers read it as on a label.
    let region = to.region_on_label().to_owned();
    let texts = [to.name, row.email, to.phone, to.line1, to.line2, to.city, region, to.postal_code];
    let [name, email, phone, line1, line2, city, region, postal_code] = texts.map(|text| escaped(&text));
    Ok([
        row.number,
        engine.zone.cell(row.created_at),
        row.state.as_str().to_owned(),
        row.item_count.to_string(),
        row.currency.to_string(),
        Money::new(row.total_minor, row.currency).plain(),
        row.method.as_str().to_owned(),
        row.delivery.as_str().to_owned(),
        name,
        email,
        phone,
        line1,
        line2,
        city,
        region,
        postal_code,
        to.country,
        row.slot.unwrap_or_default(),
    ])
}
