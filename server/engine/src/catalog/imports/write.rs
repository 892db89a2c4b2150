//! Writes the changes of a batch: one statement per table, whatever the number of products.

use super::{super::edit, plan::Entry};
use crate::{
    TxResult,
    db::{DbError, Tx},
    inventory, random, revisions, sale_prices,
};
use haat_shared::id::kinds::*;

/// Writes the differences.
pub(super) async fn write(
    tx: &mut Tx,
    shop: ShopId,
    entries: &[&Entry],
    user: Option<UserId>,
    now: i64,
) -> TxResult<()> {
    let (mut added, mut updated, mut states, mut revisions) = (vec![], vec![], vec![], vec![]);
    let (mut variants, mut new_variants, mut counts) = (vec![], vec![], vec![]);
    for entry in entries {
        let Entry { id, before, draft, state, category, variants: named, fields, doubtful: _ } = entry;
        match before {
            None => added.push(edit::added(shop, *id, *state, draft, named, *category, now)?),
            Some(before) => {
                updated.push(edit::updated(*id, before.version, draft, named, *category, now)?);
                revisions.push(revisions::row(*id, before.version + 1, fields, user, now)?);
                if before.state != *state {
                    states.push(edit::SetState { id: *id, shop_id: shop, state: *state, updated_at: now });
                }
            }
        }
        for (position, variant) in (0i64..).zip(named) {
            if variant.is_new {
                new_variants.push((*id, position, variant));
                continue;
            }
            // Field names begin with the SKU: `variants.MC-CUPS.price`.
            let own = format!("variants.{}.", variant.sku);
            if fields.iter().any(|field| field.starts_with(&own)) {
                variants.push(edit::changed_variant(*id, position, variant)?);
                counts.push((variant.id, variant.draft.stock_change));
            }
        }
    }
    tx.insert_all(added).await?;
    let count = updated.len() as u64;
    if tx.update_all(updated).await? < count {
        return Err(meanwhile());
    }
    tx.update_all(states).await?;
    tx.insert_all(revisions).await?;
    tx.update_all(variants).await?;
    edit::add_variants(tx, shop, &new_variants, now).await?;
    let products: Vec<ProductId> = entries.iter().map(|entry| entry.id).collect();
    if count > 0 {
        sale_prices::span_in_tx(tx, &products).await?;
    }
    sale_prices::record_in_tx(tx, &products, now).await?;
    let refused = inventory::count_in_tx(tx, &counts, random::id::<Job>(now), now).await?;
    if refused.is_empty() { Ok(()) } else { Err(meanwhile()) }
}

/// Someone changed it after planning; planning again will see the new state.
fn meanwhile() -> crate::TxError {
    DbError::Again("a product was changed in the meantime".into()).into()
}
