//! Sellers create and edit products. A form states the version that it is based on; if the product has
//! changed since, nothing is saved, and the seller learns which fields have changed.

use super::{
    seller::{FIND, SellerProductRow, SellerVariantRow, VARIANTS, editable, seller_product},
    slug_of, title_key,
};
use crate::{
    Caller, Engine, TxError, TxResult, bug,
    db::{DbError, Scalar, Tx, Value, is_unique},
    idempotency::{self, Claim, IdempotencyKey},
    insert,
    inventory::{self, NewStock},
    media, params, random, revisions, rows, sale_prices, statements, update,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, FieldError, Result,
    catalog::edit::{Measures, ProductDraft, ProductForm, ProductState, VariantDraft, VariantForm},
    id::kinds::*,
    permissions::Permission,
    text,
};

statements! {
    CURRENCY = "SELECT currency AS value FROM shops WHERE id = $1";
    CATEGORY = "SELECT id AS value FROM categories WHERE slug = $1";
    TAKEN = "SELECT v.sku FROM variants v JOIN (VALUES [($1, $2, $3)]) AS given
        ON v.shop_id = given.column1 AND v.sku = given.column2 AND v.product_id <> given.column3 WHERE NOT v.archived";
    TAKE_AWAY = "UPDATE products SET state = 'archived' WHERE id = $1 AND shop_id = $2
        AND NOT EXISTS (SELECT 1 FROM checkout_lines l WHERE l.product_id = $1)";
    STATES = "SELECT p.id, p.state FROM products p JOIN (VALUES [($1, $2)]) AS given
        ON p.shop_id = given.column1 AND p.id = given.column2";
    IS_THERE = "SELECT id AS value FROM products WHERE id = $1 AND shop_id = $2";
    DELETE_VARIANTS = "DELETE FROM variants WHERE product_id = $1 RETURNING capacity_id";
    DELETE = "DELETE FROM products WHERE id = $1";
}

/// The maximum number of products that are published or archived at once.
const STATES_MAX: usize = 500;

rows! {
    struct Sku {
        sku: String,
    }

    struct StateRow {
        id: ProductId,
        state: ProductState,
    }

    struct Deleted {
        capacity_id: Option<CapacityId>,
    }
}

/// The input of this module's transactions.
#[derive(Debug, Clone)]
struct Input {
    shop: ShopId,
    user: Option<UserId>,
    key: IdempotencyKey,
    draft: ProductDraft,
    category: Option<CategoryId>,
    now: i64,
}

async fn input<S: ToString>(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    (scope, operation, key): (impl FnOnce(ShopId) -> S, &'static str, &str),
    form: &ProductForm,
) -> Result<Input> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let currency: Scalar<Currency> = engine.db.one(&CURRENCY, params![shop]).await?;
    let draft = form.check(currency.0).map_err(Error::Invalid)?;
    let category = match draft.category.as_str() {
        "" => None,
        slug => {
            let found: Option<Scalar<CategoryId>> = engine.db.opt(&CATEGORY, params![slug]).await?;
            Some(found.ok_or(Error::field("category", FieldCode::NotAChoice))?.0)
        }
    };
    let body = serde_json::to_string(form).map_err(|_| Error::Internal)?;
    let key = IdempotencyKey::new(scope(shop), operation, key, &body);
    Ok(Input { shop, user: caller.user_id(), key, draft, category, now: engine.clock.now_ms() })
}

/// Two sellers use one SKU at the same time: the second gets an error.
fn sku_error(fault: TxError) -> Error {
    if is_unique(&fault) { Error::field("variants", FieldCode::NotUnique) } else { fault.into() }
}

insert! {
    pub(super) struct AddProduct<'a> into products {
        pub(super) id: ProductId,
        pub(super) shop_id: ShopId,
        pub(super) state: ProductState,
        pub(super) slug: String,
        pub(super) category_id: Option<CategoryId>,
        pub(super) price_min_minor: i64,
        pub(super) price_max_minor: i64,
        pub(super) search_folded: String,
        pub(super) title_key: String,
        pub(super) created_at: i64,
        pub(super) updated_at: i64,
        pub(super) title: &'a str,
        pub(super) brand: &'a str,
        pub(super) description: &'a str,
        pub(super) attributes: String,
        pub(super) options: String,
    }

    #[derive(Clone)]
    pub(super) struct AddVariant<'a> into variants {
        pub(super) id: VariantId,
        pub(super) product_id: ProductId,
        pub(super) shop_id: ShopId,
        pub(super) capacity_id: Option<CapacityId>,
        pub(super) sku: &'a str,
        pub(super) title: &'a str,
        pub(super) options: String,
        pub(super) price_minor: i64,
        pub(super) compare_at_minor: Option<i64>,
        pub(super) low_stock: i64,
        pub(super) weight_g: i64,
        pub(super) length_mm: i64,
        pub(super) width_mm: i64,
        pub(super) height_mm: i64,
        pub(super) position: i64,
    }
}

update! {
    /// Saves a product that still has this version.
    pub(super) struct UpdateProduct<'a> {
        id: ProductId,
        version: i64,
        category_id: Option<CategoryId>,
        search_folded: String,
        title_key: String,
        updated_at: i64,
        title: &'a str,
        brand: &'a str,
        description: &'a str,
        attributes: String,
        options: String,
    } => "UPDATE products SET category_id = given.category_id, search_folded = given.search_folded, title_key = given.title_key,
            updated_at = given.updated_at, title = given.title, brand = given.brand, description = given.description,
            attributes = given.attributes, options = given.options, version = products.version + 1
        FROM given WHERE products.id = given.id AND products.version = given.version"

    pub(super) struct UpdateVariant<'a> {
        id: VariantId,
        product_id: ProductId,
        sku: &'a str,
        title: &'a str,
        options: String,
        price_minor: i64,
        compare_at_minor: Option<i64>,
        low_stock: i64,
        weight_g: i64,
        length_mm: i64,
        width_mm: i64,
        height_mm: i64,
        position: i64,
    } => "UPDATE variants SET sku = given.sku, title = given.title, options = given.options,
            price_minor = given.price_minor, compare_at_minor = given.compare_at_minor, low_stock = given.low_stock,
            weight_g = given.weight_g, length_mm = given.length_mm, width_mm = given.width_mm, height_mm = given.height_mm,
            position = given.position
        FROM given WHERE variants.id = given.id AND variants.product_id = given.product_id"

    struct ArchiveVariant {
        id: VariantId,
        product_id: ProductId,
    } => "UPDATE variants SET archived = TRUE
        FROM given WHERE variants.id = given.id AND variants.product_id = given.product_id"

    pub(super) struct SetState {
        pub(super) id: ProductId,
        pub(super) shop_id: ShopId,
        pub(super) state: ProductState,
        pub(super) updated_at: i64,
    } => "UPDATE products SET state = given.state, updated_at = given.updated_at
        FROM given WHERE products.id = given.id AND products.shop_id = given.shop_id"
}

/// Creates a product, as a draft that only the shop sees. Repeating it with the same `key` returns the
/// same product.
pub async fn create(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    form: &ProductForm,
    key: &str,
) -> Result<ProductId> {
    let input = input(engine, caller, handle, (|shop| shop, "catalog::create", key), form).await?;
    let write = engine.db.write("catalog::create", input, |tx, input| Box::pin(create_in_tx(tx, input)));
    write.await.map_err(sku_error)
}

async fn create_in_tx(tx: &mut Tx, input: &Input) -> TxResult<ProductId> {
    let Input { shop, key, draft, category, now, .. } = input;
    let id: ProductId = match idempotency::begin_in_tx::<Product>(tx, key, *now).await? {
        Claim::Mine(id) => id,
        Claim::Done(id) => return id.parse().map_err(|_| bug("a stored response is not an ID")),
    };
    idempotency::end_in_tx(tx, key, &id.to_string()).await?;
    let variants = named(&draft.variants, *now);
    refuse_taken(tx, *shop, id, &variants).await?;
    tx.insert(added(*shop, id, ProductState::Draft, draft, &variants, *category, *now)?).await?;
    let all: Vec<_> = (0i64..).zip(&variants).map(|(position, variant)| (id, position, variant)).collect();
    add_variants(tx, *shop, &all, *now).await?;
    sale_prices::record_in_tx(tx, &[id], *now).await?;
    Ok(id)
}

/// A new product.
pub(super) fn added<'a>(
    shop: ShopId,
    id: ProductId,
    state: ProductState,
    draft: &'a ProductDraft,
    variants: &[Named],
    category: Option<CategoryId>,
    now: i64,
) -> TxResult<AddProduct<'a>> {
    let (price_min_minor, price_max_minor) = span(variants);
    Ok(AddProduct {
        id,
        shop_id: shop,
        state,
        slug: slug_of(&draft.title, id),
        category_id: category,
        price_min_minor,
        price_max_minor,
        search_folded: searched(draft, variants),
        title_key: title_key(&draft.title),
        created_at: now,
        updated_at: now,
        title: &draft.title,
        brand: &draft.brand,
        description: &draft.description,
        attributes: json(&draft.attributes)?,
        options: json(&draft.options)?,
    })
}

/// The row of an existing product.
pub(super) fn updated<'a>(
    id: ProductId,
    version: i64,
    draft: &'a ProductDraft,
    variants: &[Named],
    category: Option<CategoryId>,
    now: i64,
) -> TxResult<UpdateProduct<'a>> {
    Ok(UpdateProduct {
        id,
        version,
        category_id: category,
        search_folded: searched(draft, variants),
        title_key: title_key(&draft.title),
        updated_at: now,
        title: &draft.title,
        brand: &draft.brand,
        description: &draft.description,
        attributes: json(&draft.attributes)?,
        options: json(&draft.options)?,
    })
}

/// A variant to be written, with an ID and a SKU, which are generated if missing.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) id: VariantId,
    pub(super) is_new: bool,
    pub(super) sku: String,
    pub(super) draft: VariantDraft,
}

pub(super) fn named(variants: &[VariantDraft], now: i64) -> Vec<Named> {
    let named = variants.iter().map(|draft| {
        let id = draft.id.unwrap_or_else(|| random::id(now));
        let sku = if draft.sku.is_empty() { id.tail(8).to_uppercase() } else { draft.sku.clone() };
        Named { id, is_new: draft.id.is_none(), sku, draft: draft.clone() }
    });
    named.collect()
}

/// Refuses SKUs that other products of the shop have, each at its field.
async fn refuse_taken(tx: &mut Tx, shop: ShopId, product: ProductId, variants: &[Named]) -> TxResult<()> {
    let given: Vec<[Value; 3]> =
        variants.iter().map(|v| [shop.into(), v.sku.as_str().into(), product.into()]).collect();
    let taken: Vec<Sku> = tx.all_many(&TAKEN, &given).await?;
    let faults = variants.iter().enumerate().filter(|(_, v)| taken.iter().any(|t| t.sku == v.sku));
    let faults: Vec<_> =
        faults.map(|(i, _)| FieldError::new(format!("variants.{i}.sku"), FieldCode::NotUnique)).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults).into()) }
}

/// Adds variants, each to its product, at its place there.
pub(super) async fn add_variants(
    tx: &mut Tx,
    shop: ShopId,
    variants: &[(ProductId, i64, &Named)],
    now: i64,
) -> TxResult<()> {
    let (mut stock, mut rows) = (vec![], vec![]);
    for (product, position, Named { id, sku, draft, .. }) in variants {
        let received = (!draft.unlimited).then(|| NewStock::of(*product, draft.stock_change, now));
        rows.push(AddVariant {
            id: *id,
            product_id: *product,
            shop_id: shop,
            capacity_id: received.as_ref().map(|stock| stock.id),
            sku,
            title: &draft.title,
            options: json(&draft.options)?,
            price_minor: draft.price.amount(),
            compare_at_minor: draft.compare_at.map(|before| before.amount()),
            low_stock: draft.low_stock,
            weight_g: draft.measures.weight_g,
            length_mm: draft.measures.length_mm,
            width_mm: draft.measures.width_mm,
            height_mm: draft.measures.height_mm,
            position: *position,
        });
        stock.extend(received);
    }
    inventory::open_in_tx(tx, shop, &stock, now).await?;
    tx.insert_all(rows).await?;
    Ok(())
}

/// Saves a product if it still has the version that the form was based on. Returns the new version. Repeating
/// the request with the same `key` returns the same.
pub async fn update(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: ProductId,
    version: i64,
    form: &ProductForm,
    key: &str,
) -> Result<i64> {
    let input = input(engine, caller, handle, (|_| id, "catalog::update", key), form).await?;
    let write = engine.db.write(("catalog::update", id), (input, id, version), |tx, (input, id, version)| {
        Box::pin(update_in_tx(tx, input, *id, *version))
    });
    write.await.map_err(sku_error)
}

async fn update_in_tx(tx: &mut Tx, input: &Input, id: ProductId, version: i64) -> TxResult<i64> {
    let Input { shop, user, key, draft, category, now } = input;
    if let Claim::Done(version) = idempotency::begin_in_tx::<Product>(tx, key, *now).await? {
        return version.parse().map_err(|_| bug("a stored response is not a version"));
    }
    let row: SellerProductRow = tx.opt(&FIND, params![id, *shop]).await?.ok_or(Error::NotFound)?;
    if row.version != version {
        return Err(revisions::since(tx, id, version).await?);
    }
    let known: Vec<SellerVariantRow> = tx.all(&VARIANTS, params![id]).await?;
    let before = editable(row, known).form;
    let variants = named(&draft.variants, *now);
    refuse_foreign(&before, &variants)?;
    refuse_taken(tx, *shop, id, &variants).await?;
    let fields = changed(&before, draft, &variants);
    let now_version = if fields.is_empty() { version } else { version + 1 };
    idempotency::end_in_tx(tx, key, &now_version.to_string()).await?;
    if fields.is_empty() {
        return Ok(version);
    }
    let row = updated(id, version, draft, &variants, *category, *now)?;
    if tx.update_all([row]).await? == 0 {
        return Err(revisions::since(tx, id, version).await?);
    }
    revisions::write(tx, id, now_version, &fields, *user, *now).await?;
    write_variants(tx, *shop, id, &before, &variants, *now).await?;
    if repriced(&before, &variants) {
        sale_prices::span_in_tx(tx, &[id]).await?;
        sale_prices::record_in_tx(tx, &[id], *now).await?;
    }
    let changes: Vec<_> =
        variants.iter().filter(|v| !v.is_new).map(|v| (v.id, v.draft.stock_change)).collect();
    let refused = inventory::count_in_tx(tx, &changes, random::id::<Job>(*now), *now).await?;
    let faults: Vec<_> = variants
        .iter()
        .enumerate()
        .filter(|(_, v)| refused.contains(&v.id))
        .map(|(i, _)| FieldError::new(format!("variants.{i}.stock"), FieldCode::TooSmall))
        .collect();
    if faults.is_empty() { Ok(now_version) } else { Err(Error::Invalid(faults).into()) }
}

/// Whether a save changes what lists or the history of prices say.
fn repriced(before: &ProductForm, variants: &[Named]) -> bool {
    let same = |v: &Named| {
        let old = before.variants.iter().find(|old| old.id == Some(v.id));
        let compare_at = v.draft.compare_at.map(|money| money.plain()).unwrap_or_default();
        old.is_some_and(|old| old.price == v.draft.price.plain() && old.compare_at == compare_at)
    };
    before.variants.len() != variants.len() || !variants.iter().all(same)
}

/// Refuses variants that are not of this product, or not any more.
fn refuse_foreign(before: &ProductForm, variants: &[Named]) -> TxResult<()> {
    let known = |v: &Named| v.is_new || before.variants.iter().any(|b| b.id == Some(v.id));
    let mut seen = std::collections::HashSet::new();
    let faults = variants.iter().enumerate().filter(|(_, v)| !known(v) || !seen.insert(v.id));
    let faults: Vec<_> =
        faults.map(|(i, _)| FieldError::new(format!("variants.{i}"), FieldCode::NotAChoice)).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults).into()) }
}

/// Archives removed variants first, which frees their SKUs; then updates existing variants and adds new ones.
async fn write_variants(
    tx: &mut Tx,
    shop: ShopId,
    product: ProductId,
    before: &ProductForm,
    variants: &[Named],
    now: i64,
) -> TxResult<()> {
    let stays = |b: &&VariantForm| variants.iter().any(|v| Some(v.id) == b.id);
    let gone = before.variants.iter().filter(|b| !stays(b)).filter_map(|b| b.id);
    tx.update_all(gone.map(|id| ArchiveVariant { id, product_id: product })).await?;
    let (mut rows, mut new) = (Vec::new(), Vec::new());
    for (position, variant) in (0i64..).zip(variants) {
        if variant.is_new {
            new.push((product, position, variant));
        } else {
            rows.push(changed_variant(product, position, variant)?);
        }
    }
    tx.update_all(rows).await?;
    add_variants(tx, shop, &new, now).await
}

/// The row of an existing variant.
pub(super) fn changed_variant(
    product: ProductId,
    position: i64,
    variant: &Named,
) -> TxResult<UpdateVariant<'_>> {
    let draft = &variant.draft;
    Ok(UpdateVariant {
        id: variant.id,
        product_id: product,
        sku: &variant.sku,
        title: &draft.title,
        options: json(&draft.options)?,
        price_minor: draft.price.amount(),
        compare_at_minor: draft.compare_at.map(|before| before.amount()),
        low_stock: draft.low_stock,
        weight_g: draft.measures.weight_g,
        length_mm: draft.measures.length_mm,
        width_mm: draft.measures.width_mm,
        height_mm: draft.measures.height_mm,
        position,
    })
}

/// The names of the fields that a save changes; those of variants carry its SKU: `variants.MC-CUPS.price`.
pub(super) fn changed(before: &ProductForm, draft: &ProductDraft, variants: &[Named]) -> Vec<String> {
    let mut fields = Vec::new();
    let mut note = |changed: bool, field: &str| {
        if changed {
            fields.push(field.to_owned());
        }
    };
    let ProductDraft { title, brand, category, description, attributes, options, variants: _ } = draft;
    note(before.title != *title, "title");
    note(before.brand != *brand, "brand");
    note(before.category != *category, "category");
    note(before.description != *description, "description");
    note(before.attributes != *attributes, "attributes");
    note(before.options != *options, "options");
    for old in before.variants.iter().filter(|b| !variants.iter().any(|v| Some(v.id) == b.id)) {
        note(true, &format!("variants.{}", old.sku));
    }
    let stayed = before.variants.iter().filter(|b| variants.iter().any(|v| Some(v.id) == b.id)).map(|b| b.id);
    let kept = variants.iter().filter(|v| !v.is_new).map(|v| Some(v.id));
    note(!stayed.eq(kept), "variants");
    for variant in variants {
        let Named { id, sku, draft, .. } = variant;
        let Some(old) = before.variants.iter().find(|b| b.id == Some(*id)) else {
            note(true, &format!("variants.{sku}"));
            continue;
        };
        note(old.sku != *sku, &format!("variants.{}.sku", old.sku));
        note(old.title != draft.title || old.options != draft.options, &format!("variants.{sku}.options"));
        note(old.price != draft.price.plain(), &format!("variants.{sku}.price"));
        let compare_at = draft.compare_at.map(|money| money.plain()).unwrap_or_default();
        note(old.compare_at != compare_at, &format!("variants.{sku}.compare_at"));
        note(old.low_stock != draft.low_stock.to_string(), &format!("variants.{sku}.low_stock"));
        let measures = draft.measures;
        for (part, typed, measure) in [
            ("weight_g", &old.weight_g, measures.weight_g),
            ("length_mm", &old.length_mm, measures.length_mm),
            ("width_mm", &old.width_mm, measures.width_mm),
            ("height_mm", &old.height_mm, measures.height_mm),
        ] {
            note(*typed != Measures::typed(measure), &format!("variants.{sku}.{part}"));
        }
        note(draft.stock_change != 0, &format!("variants.{sku}.stock"));
    }
    fields
}

/// Puts a product on sale.
pub async fn publish(engine: &Engine, caller: &Caller, handle: &str, id: ProductId) -> Result<()> {
    set_states(engine, caller, handle, &[id], ProductState::Published).await
}

/// Archives a product. Existing orders of it are unaffected.
pub async fn archive(engine: &Engine, caller: &Caller, handle: &str, id: ProductId) -> Result<()> {
    set_states(engine, caller, handle, &[id], ProductState::Archived).await
}

/// Publishes or archives products; all or none.
pub async fn set_states(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    ids: &[ProductId],
    state: ProductState,
) -> Result<()> {
    let states: Vec<_> = ids.iter().map(|id| (*id, state)).collect();
    set_each_state(engine, caller, handle, &states).await
}

/// The states of a shop's products, in the order of their IDs.
pub async fn states(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    ids: &[ProductId],
) -> Result<Vec<(ProductId, ProductState)>> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let rows: Vec<[Value; 2]> =
        unique(ids, |id| *id)?.into_iter().map(|id| [shop.into(), id.into()]).collect();
    let found: Vec<StateRow> = engine.db.all_many(&STATES, &rows).await?;
    let mut states: Vec<_> = found.into_iter().map(|row| (row.id, row.state)).collect();
    states.sort_unstable_by_key(|(id, _)| *id);
    Ok(states)
}

/// Sets the state of each product; all or none.
pub async fn set_each_state(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    states: &[(ProductId, ProductState)],
) -> Result<()> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let states = unique(states, |(id, _)| *id)?;
    engine
        .db
        .write("catalog::set_states", (shop, states, engine.clock.now_ms()), |tx, (shop, states, now)| {
            Box::pin(async move {
                let rows = states.iter().map(|(id, state)| SetState {
                    id: *id,
                    shop_id: *shop,
                    state: *state,
                    updated_at: *now,
                });
                if tx.update_all(rows).await? < states.len() as u64 {
                    return Err(Error::NotFound.into());
                }
                Ok(())
            })
        })
        .await?;
    Ok(())
}

/// Each product once, in the order of their IDs.
fn unique<T: Copy>(products: &[T], id: impl Fn(&T) -> ProductId) -> Result<Vec<T>> {
    if products.len() > STATES_MAX {
        return Err(Error::TooLarge);
    }
    let mut products = products.to_vec();
    products.sort_by_key(&id);
    products.dedup_by_key(|product| id(product));
    Ok(products)
}

/// Makes a draft like this product, without stock and with SKUs of its own.
pub async fn duplicate(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: ProductId,
    key: &str,
) -> Result<ProductId> {
    let mut form = seller_product(engine, caller, handle, id).await?.form;
    for variant in &mut form.variants {
        (variant.id, variant.stock_was) = (None, 0);
        variant.sku.clear();
        variant.stock = "0".into();
    }
    create(engine, caller, handle, &form, key).await
}

/// Deletes a product that was never part of a checkout. Carts keep their lines, marked as no longer sold.
pub async fn delete(engine: &Engine, caller: &Caller, handle: &str, id: ProductId) -> Result<()> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let deleted = engine
        .db
        .write(("catalog::delete", id), (shop, id, engine.clock.now_ms()), |tx, (shop, id, now)| {
            Box::pin(delete_in_tx(tx, *shop, *id, *now))
        })
        .await;
    match deleted {
        // A shopper started to buy it in the meantime.
        Err(TxError::Db(DbError::Constraint(_))) => Err(Conflict::WasSold.into()),
        deleted => Ok(deleted?),
    }
}

async fn delete_in_tx(tx: &mut Tx, shop: ShopId, id: ProductId, now: i64) -> TxResult<()> {
    if tx.exec(&TAKE_AWAY, params![id, shop]).await? == 0 {
        let there: Option<Scalar<ProductId>> = tx.opt(&IS_THERE, params![id, shop]).await?;
        return Err(there.map_or(Error::NotFound, |_| Conflict::WasSold.into()).into());
    }
    media::clear_in_tx(tx, id, now).await?;
    let variants: Vec<Deleted> = tx.all(&DELETE_VARIANTS, params![id]).await?;
    let stock: Vec<CapacityId> = variants.into_iter().filter_map(|variant| variant.capacity_id).collect();
    inventory::delete_in_tx(tx, &stock).await?;
    tx.exec(&DELETE, params![id]).await?;
    Ok(())
}

/// What plain search looks through: title and brand, and the SKUs that people copy from invoices.
fn searched(draft: &ProductDraft, variants: &[Named]) -> String {
    let skus: Vec<&str> = variants.iter().map(|v| v.sku.as_str()).collect();
    text::fold(&format!("{} {} {}", draft.title, draft.brand, skus.join(" ")))
}

fn span(variants: &[Named]) -> (i64, i64) {
    let prices = variants.iter().map(|v| v.draft.price.amount());
    (prices.clone().min().unwrap_or(0), prices.max().unwrap_or(0))
}

pub(super) fn json(value: &impl serde::Serialize) -> TxResult<String> {
    serde_json::to_string(value).map_err(|e| bug(e.to_string()))
}
