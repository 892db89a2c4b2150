//! Writing what a few products of a file change: a statement for each table, however many products.

use super::{
    super::{
        edit::{CHANGED_ALL, UPDATE_VARIANTS, add_variants, changed_variant, json, searched, span},
        slug_of, title_key,
    },
    plan::Entry,
};
use crate::{
    Tried,
    db::{DbError, Tx, Value},
    edits, inventory, random, statements,
};
use haat_shared::{catalog::edit::ProductState, id::kinds::*};

statements! {
    ADD = "INSERT INTO products (id, shop_id, slug, title, brand, description, attributes, search_folded, state,
            price_min_minor, price_max_minor, created_at, updated_at, options, title_key, category_id)
        VALUES [($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $15)]";
    UPDATE = "UPDATE products SET title = given.column3, brand = given.column4, description = given.column5,
            attributes = given.column6, options = given.column7, search_folded = given.column8,
            title_key = given.column9, price_min_minor = given.column10, price_max_minor = given.column11,
            updated_at = given.column12, category_id = given.column13, state = given.column14, version = version + 1
        FROM (VALUES [($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)]) AS given
        WHERE products.id = given.column1 AND products.version = given.column2";
}

/// Writes what differs.
pub(super) async fn write(
    tx: &mut Tx,
    shop: ShopId,
    entries: &[&Entry],
    user: Option<UserId>,
    now: i64,
) -> Tried<()> {
    let (mut added, mut updated, mut edits, mut changes) = (vec![], vec![], vec![], vec![]);
    let (mut variants, mut new_variants, mut counts) = (vec![], vec![], vec![]);
    for entry in entries {
        let Entry { id, before, draft, state, category, variants: named, fields } = entry;
        let ((min, max), searched) = (span(named), searched(draft, named));
        changes.push([(*id).into(), now.into(), (*state != ProductState::Published).into()]);
        let (details, options) = (json(&draft.details)?, json(&draft.options)?);
        let (title, brand, description) =
            (draft.title.as_str(), draft.brand.as_str(), draft.description.as_str());
        let title_key = title_key(title);
        match before {
            None => {
                let row: [Value; 15] = [
                    (*id).into(),
                    shop.into(),
                    slug_of(title, *id).into(),
                    title.into(),
                    brand.into(),
                    description.into(),
                    details.into(),
                    searched.into(),
                    state.as_str().into(),
                    min.into(),
                    max.into(),
                    now.into(),
                    options.into(),
                    title_key.into(),
                    (*category).into(),
                ];
                added.push(row);
            }
            Some(before) => {
                let row: [Value; 14] = [
                    (*id).into(),
                    before.version.into(),
                    title.into(),
                    brand.into(),
                    description.into(),
                    details.into(),
                    options.into(),
                    searched.into(),
                    title_key.into(),
                    min.into(),
                    max.into(),
                    now.into(),
                    (*category).into(),
                    state.as_str().into(),
                ];
                updated.push(row);
                edits.push(edits::row(*id, before.version + 1, fields, user, now)?);
            }
        }
        for (position, variant) in (0i64..).zip(named) {
            if variant.is_new {
                new_variants.push((*id, position, variant));
                continue;
            }
            // Their names begin with the SKU: `variants.MC-CUPS.price`.
            let own = format!("variants.{}.", variant.sku);
            if fields.iter().any(|field| field.starts_with(&own)) {
                variants.push(changed_variant(*id, position, variant)?);
                counts.push((variant.id, variant.draft.stock_change));
            }
        }
    }
    tx.exec_many(&ADD, &added).await?;
    if tx.exec_many(&UPDATE, &updated).await? < updated.len() as u64 {
        return Err(meanwhile());
    }
    edits::write_many(tx, &edits).await?;
    tx.exec_many(&UPDATE_VARIANTS, &variants).await?;
    add_variants(tx, shop, &new_variants, now).await?;
    tx.exec_many(&CHANGED_ALL, &changes).await?;
    let refused = inventory::count_in_tx(tx, &counts, random::id::<Job>(now), now).await?;
    if refused.is_empty() { Ok(()) } else { Err(meanwhile()) }
}

/// Someone changed it between looking and writing: the same once more finds it as it is now.
fn meanwhile() -> crate::Fault {
    DbError::Again("a product was changed meanwhile".into()).into()
}
