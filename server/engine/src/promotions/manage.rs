//! How shops and the market manage their promotions.

use crate::{
    Caller, Engine, TxResult, audit, bug, cursor,
    db::{Scalar, Tx, Value, is_unique},
    insert,
    inventory::{drop_uses_in_tx, open_uses_in_tx, recount_in_tx},
    lists, params, random, rows, statements,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    id::kinds::*,
    page::{self, Page, PageRequest},
    permissions::{AdminPermission, Permission},
    promotions::{
        PromotionCard, PromotionDraft, PromotionForm, PromotionKind, PromotionState, Promotions, Terms,
        fold_code,
    },
    shipping::date,
};

/// The number of rows per page.
const PAGE_SIZE: usize = 50;

/// What lists and pages show of a promotion.
macro_rules! cards {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.code, p.currency, p.terms, p.form, p.starts_at, p.ends_at, p.uses_max, p.version, p.capacity_id,
            c.on_hand - c.held AS left_over,
            (SELECT COUNT(DISTINCT o.purchase_id) FROM order_adjustments a JOIN orders o ON o.id = a.order_id
                WHERE a.promotion_id = p.id AND o.state <> 'cancelled') AS uses,
            NOT EXISTS (SELECT 1 FROM promotion_uses u WHERE u.promotion_id = p.id)
                AND NOT EXISTS (SELECT 1 FROM checkout_adjustments a WHERE a.promotion_id = p.id) AS unused
        FROM promotions p LEFT JOIN capacities c ON c.id = p.capacity_id",
            $rest
        )
    };
}

lists! {
    LIST {
        select: cards!(""),
        base_filter: "TRUE",
        filters: &[("shop", "p.shop_id = {}"), ("market", "(p.shop_id IS NULL) = {}")],
        sorts: &[("newest", "p.id < {}", "p.id DESC")],
    }
}

statements! {
    FIND = cards!(" WHERE p.id = $1 AND (p.shop_id = $2 OR (p.shop_id IS NULL AND $2 IS NULL))");
    // What the promotions of a page gave, by the currencies of the orders.
    GIVEN = "SELECT a.promotion_id, o.currency, CAST(-SUM(a.amount_minor) AS BIGINT) AS amount_minor
        FROM order_adjustments a JOIN orders o ON o.id = a.order_id
        WHERE a.promotion_id IN (VALUES [($1)]) AND o.state <> 'cancelled'
        GROUP BY a.promotion_id, o.currency ORDER BY o.currency";
    LOCK = "UPDATE promotions SET version = version + 1, updated_at = $4
        WHERE id = $1 AND COALESCE(shop_id = $2, $2 IS NULL AND shop_id IS NULL) AND version = COALESCE($3, version)
        RETURNING starts_at, uses_max, capacity_id";
    SAVE = "UPDATE promotions SET code = $2, code_folded = $3, terms = $4, form = $5, starts_at = $6, ends_at = $7, uses_max = $8,
            capacity_id = $9, uses_per_person = $10 WHERE id = $1";
    END = "UPDATE promotions SET ends_at = CASE WHEN starts_at > $3 THEN starts_at ELSE $3 END, version = version + 1, updated_at = $3
        WHERE id = $1 AND COALESCE(shop_id = $2, $2 IS NULL AND shop_id IS NULL) AND COALESCE(ends_at > $3, TRUE)";
    DELETE = "DELETE FROM promotions WHERE id = $1 AND COALESCE(shop_id = $2, $2 IS NULL AND shop_id IS NULL)
        AND NOT EXISTS (SELECT 1 FROM promotion_uses u WHERE u.promotion_id = promotions.id)
        AND NOT EXISTS (SELECT 1 FROM checkout_adjustments a WHERE a.promotion_id = promotions.id) RETURNING capacity_id AS value";
    CURRENCY = "SELECT currency AS value FROM shops WHERE id = $1";
    PRODUCTS = "SELECT id, slug AS name, shop_id FROM products WHERE slug IN (VALUES [($1)])";
    CATEGORIES = "SELECT id, slug AS name, path FROM categories WHERE slug IN (VALUES [($1)])";
    SHOPS = "SELECT id, handle AS name FROM shops WHERE handle IN (VALUES [($1)])";
}

insert! {
    struct AddPromotion<'a> into promotions {
        id: PromotionId,
        shop_id: Option<ShopId>,
        code: Option<&'a str>,
        code_folded: Option<String>,
        currency: Currency,
        terms: String,
        form: String,
        starts_at: i64,
        ends_at: Option<i64>,
        uses_max: Option<i64>,
        capacity_id: Option<CapacityId>,
        uses_per_person: Option<i64>,
        created_at: i64,
        updated_at: i64,
    }
}

rows! {
    struct CardRow {
        id: PromotionId,
        code: Option<String>,
        currency: Currency,
        terms: String,
        form: String,
        starts_at: i64,
        ends_at: Option<i64>,
        uses_max: Option<i64>,
        version: i64,
        left_over: Option<i64>,
        uses: i64,
        unused: bool,
    }

    struct GivenRow {
        promotion_id: PromotionId,
        currency: Currency,
        amount_minor: i64,
    }

    struct Locked {
        starts_at: i64,
        uses_max: Option<i64>,
        capacity_id: Option<CapacityId>,
    }

    struct ProductRow {
        id: ProductId,
        name: String,
        shop_id: ShopId,
    }

    struct CategoryRow {
        name: String,
        path: String,
    }

    struct ShopRow {
        id: ShopId,
        name: String,
    }
}

/// Whose promotions: a shop's, or the market's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) shop: Option<ShopId>,
    pub(super) currency: Currency,
    by: Option<UserId>,
}

pub(super) async fn of_shop(engine: &Engine, caller: &Caller, handle: &str) -> Result<Owner> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let currency: Option<Scalar<Currency>> = engine.db.opt(&CURRENCY, params![shop]).await?;
    Ok(Owner { shop: Some(shop), currency: currency.ok_or(Error::NotFound)?.0, by: None })
}

pub(super) fn of_market(engine: &Engine, caller: &Caller, permission: AdminPermission) -> Result<Owner> {
    caller.admin(permission)?;
    Ok(Owner { shop: None, currency: engine.currency, by: caller.user_id() })
}

/// A shop's promotions, newest first.
pub async fn list<'a>(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    page: impl Into<PageRequest<'a>>,
) -> Result<Promotions> {
    list_in(engine, caller, of_shop(engine, caller, handle).await?, page.into()).await
}

/// The market's promotions, newest first.
pub async fn list_of_market<'a>(
    engine: &Engine,
    caller: &Caller,
    page: impl Into<PageRequest<'a>>,
) -> Result<Promotions> {
    list_in(engine, caller, of_market(engine, caller, AdminPermission::SeePromotions)?, page.into()).await
}

async fn list_in(
    engine: &Engine,
    caller: &Caller,
    owner: Owner,
    page: PageRequest<'_>,
) -> Result<Promotions> {
    let limit = page::rows(page.limit, PAGE_SIZE);
    let after = cursor::<Promotion>(page.after)?.map(Value::from);
    let filter = owner.shop.map_or(("market", true.into()), |shop| ("shop", shop.into()));
    let mut rows: Vec<CardRow> = engine.db.list(LIST.bind(vec![filter], "newest", after, limit + 1)).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let items = cards(engine, caller, rows).await?;
    let today = engine.zone.day(engine.clock.now_ms());
    Ok(Promotions { currency: owner.currency, today, page: Page { items, next } })
}

/// A shop's promotions, and one of them if it is being edited.
pub async fn page(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    after: &str,
    id: Option<PromotionId>,
) -> Result<(Promotions, Option<PromotionCard>)> {
    page_in(engine, caller, of_shop(engine, caller, handle).await?, after, id).await
}

/// The market's promotions, and one of them if it is being edited.
pub async fn page_of_market(
    engine: &Engine,
    caller: &Caller,
    after: &str,
    id: Option<PromotionId>,
) -> Result<(Promotions, Option<PromotionCard>)> {
    page_in(engine, caller, of_market(engine, caller, AdminPermission::SeePromotions)?, after, id).await
}

async fn page_in(
    engine: &Engine,
    caller: &Caller,
    owner: Owner,
    after: &str,
    id: Option<PromotionId>,
) -> Result<(Promotions, Option<PromotionCard>)> {
    let list = list_in(engine, caller, owner, after.into()).await?;
    let card = match id {
        Some(id) => Some(find_in(engine, caller, owner, id).await?),
        None => None,
    };
    Ok((list, card))
}

/// A promotion of a shop.
pub async fn find(engine: &Engine, caller: &Caller, handle: &str, id: PromotionId) -> Result<PromotionCard> {
    find_in(engine, caller, of_shop(engine, caller, handle).await?, id).await
}

/// A promotion of the market.
pub async fn find_of_market(engine: &Engine, caller: &Caller, id: PromotionId) -> Result<PromotionCard> {
    find_in(engine, caller, of_market(engine, caller, AdminPermission::SeePromotions)?, id).await
}

async fn find_in(engine: &Engine, caller: &Caller, owner: Owner, id: PromotionId) -> Result<PromotionCard> {
    let row: Option<CardRow> = engine.db.opt(&FIND, params![id, owner.shop]).await?;
    let rows = vec![row.ok_or(Error::NotFound)?];
    cards(engine, caller, rows).await?.pop().ok_or(Error::Internal)
}

/// Promotions with what they gave: in their own currency first, then in the others that customers paid in.
async fn cards(engine: &Engine, caller: &Caller, rows: Vec<CardRow>) -> Result<Vec<PromotionCard>> {
    let ids: Vec<[Value; 1]> = rows.iter().map(|row| [row.id.into()]).collect();
    let all: Vec<GivenRow> = engine.db.all_many(&GIVEN, &ids).await?;
    let card = |row: CardRow| {
        let of = all.iter().filter(|given| given.promotion_id == row.id);
        let (own, other): (Vec<_>, Vec<_>) = of.partition(|given| given.currency == row.currency);
        let own = own.first().map_or(0, |given| given.amount_minor);
        let other = other.into_iter().map(|given| Money::new(given.amount_minor, given.currency));
        let given = std::iter::once(Money::new(own, row.currency)).chain(other).collect();
        card(engine, caller, row, given)
    };
    rows.into_iter().map(card).collect()
}

fn card(engine: &Engine, caller: &Caller, row: CardRow, given: Vec<Money>) -> Result<PromotionCard> {
    let now = engine.clock.now_ms();
    let terms: Terms = serde_json::from_str(&row.terms).map_err(|error| bug(error.to_string()))?;
    let state = match () {
        () if row.ends_at.is_some_and(|end| end <= now) => PromotionState::Ended,
        () if row.left_over.is_some_and(|left| left <= 0) => PromotionState::UsedUp,
        () if row.starts_at > now => PromotionState::Scheduled,
        () => PromotionState::Active,
    };
    Ok(PromotionCard {
        id: row.id,
        code: row.code,
        label: terms.label,
        kind: PromotionKind::of(terms.benefit),
        state,
        starts_at: caller.time(engine, row.starts_at),
        ends_at: row.ends_at.map(|end| caller.time(engine, end)),
        uses_max: row.uses_max,
        uses: row.uses,
        currency: row.currency,
        given,
        unused: row.unused,
        version: row.version,
        // It may have been ended since it was saved.
        form: PromotionForm {
            starts_on: date(engine.zone.day(row.starts_at)),
            ends_on: last_day(engine, row.starts_at, row.ends_at).map(date).unwrap_or_default(),
            ..serde_json::from_str(&row.form).unwrap_or_default()
        },
    })
}

/// Creates a promotion of a shop.
pub async fn create(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    form: &PromotionForm,
) -> Result<PromotionId> {
    create_in(engine, of_shop(engine, caller, handle).await?, form).await
}

/// Creates a promotion of the market.
pub async fn create_of_market(engine: &Engine, caller: &Caller, form: &PromotionForm) -> Result<PromotionId> {
    create_in(engine, of_market(engine, caller, AdminPermission::ManagePromotions)?, form).await
}

async fn create_in(engine: &Engine, owner: Owner, form: &PromotionForm) -> Result<PromotionId> {
    let draft = form.check(owner.currency, owner.shop.is_none()).map_err(Error::Invalid)?;
    let now = engine.clock.now_ms();
    let id: PromotionId = random::id(now);
    let input = (owner, id, draft, json(form)?, times(engine, form, now)?, now);
    let made = engine
        .db
        .write(("promotions::create", id), input, |tx, (owner, id, draft, form, times, now)| {
            Box::pin(create_in_tx(tx, *owner, *id, draft, form, *times, *now))
        })
        .await;
    unique(made)?;
    Ok(id)
}

pub(super) async fn create_in_tx(
    tx: &mut Tx,
    owner: Owner,
    id: PromotionId,
    draft: &PromotionDraft,
    form: &str,
    (starts_at, ends_at): (Option<i64>, Option<i64>),
    now: i64,
) -> TxResult<()> {
    let terms = json(&terms_in_tx(tx, owner, draft).await?)?;
    let capacity_id = match draft.uses {
        Some(uses) => Some(open_in_tx(tx, id, uses, now).await?),
        None => None,
    };
    tx.insert(AddPromotion {
        id,
        shop_id: owner.shop,
        code: draft.code.as_deref(),
        code_folded: draft.code.as_deref().map(fold_code),
        currency: owner.currency,
        terms,
        form: form.to_owned(),
        starts_at: starts_at.unwrap_or(now),
        ends_at,
        uses_max: draft.uses,
        capacity_id,
        uses_per_person: draft.uses_per_person,
        created_at: now,
        updated_at: now,
    })
    .await?;
    note_in_tx(tx, owner, "promotions::create", id, draft, now).await
}

async fn open_in_tx(tx: &mut Tx, id: PromotionId, uses: i64, now: i64) -> TxResult<CapacityId> {
    let capacity: CapacityId = random::id(now);
    open_uses_in_tx(tx, capacity, id, uses, now).await?;
    Ok(capacity)
}

/// What admins do to the market's promotions is in the audit log.
async fn log_in_tx(
    tx: &mut Tx,
    owner: Owner,
    action: &str,
    id: PromotionId,
    name: &str,
    now: i64,
) -> TxResult<()> {
    match owner.shop {
        None => audit::write(tx, owner.by, action, id, name, now).await,
        Some(_) => Ok(()),
    }
}

async fn note_in_tx(
    tx: &mut Tx,
    owner: Owner,
    action: &'static str,
    id: PromotionId,
    draft: &PromotionDraft,
    now: i64,
) -> TxResult<()> {
    let name = draft.code.as_deref().unwrap_or(&draft.terms.label);
    log_in_tx(tx, owner, action, id, name, now).await
}

/// Changes a promotion of a shop, if it still has this version; any, if there is none.
pub async fn save(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: PromotionId,
    version: Option<i64>,
    form: &PromotionForm,
) -> Result<()> {
    save_in(engine, of_shop(engine, caller, handle).await?, id, version, form).await
}

/// Changes a promotion of the market.
pub async fn save_of_market(
    engine: &Engine,
    caller: &Caller,
    id: PromotionId,
    version: Option<i64>,
    form: &PromotionForm,
) -> Result<()> {
    save_in(engine, of_market(engine, caller, AdminPermission::ManagePromotions)?, id, version, form).await
}

async fn save_in(
    engine: &Engine,
    owner: Owner,
    id: PromotionId,
    version: Option<i64>,
    form: &PromotionForm,
) -> Result<()> {
    let draft = form.check(owner.currency, owner.shop.is_none()).map_err(Error::Invalid)?;
    let found: Option<CardRow> = engine.db.opt(&FIND, params![id, owner.shop]).await?;
    let CardRow { starts_at, ends_at, .. } = found.ok_or(Error::NotFound)?;
    let now = engine.clock.now_ms();
    let mut times = times(engine, form, now)?;
    // What has ended in the course of its last day doesn't go on until the day is over.
    if draft.ends_on.is_some() && draft.ends_on == last_day(engine, starts_at, ends_at) {
        times.1 = ends_at.filter(|end| *end <= now).or(times.1);
    }
    let input = (owner, (id, version), draft, json(form)?, times, now);
    let saved = engine
        .db
        .write(("promotions::save", id), input, |tx, (owner, of, draft, form, times, now)| {
            Box::pin(save_in_tx(tx, *owner, *of, draft, form, *times, *now))
        })
        .await;
    unique(saved)
}

pub(super) async fn save_in_tx(
    tx: &mut Tx,
    owner: Owner,
    (id, version): (PromotionId, Option<i64>),
    draft: &PromotionDraft,
    form: &str,
    (starts_at, ends_at): (Option<i64>, Option<i64>),
    now: i64,
) -> TxResult<()> {
    let locked: Option<Locked> = tx.opt(&LOCK, params![id, owner.shop, version, now]).await?;
    let Locked { starts_at: before, uses_max, capacity_id } =
        locked.ok_or_else(|| Conflict::Edited(Vec::new()))?;
    let terms = json(&terms_in_tx(tx, owner, draft).await?)?;
    let starts_at = starts_at.unwrap_or(before);
    if ends_at.is_some_and(|end| end < starts_at) {
        return Err(Error::field("ends_on", FieldCode::NotAfterStart).into());
    }
    let capacity = match (draft.uses, capacity_id) {
        (None, _) => None,
        (Some(uses), None) => Some(open_in_tx(tx, id, uses, now).await?),
        (Some(uses), Some(capacity)) => {
            let by = uses - uses_max.unwrap_or(uses);
            if by != 0 && !recount_in_tx(tx, capacity, by, now).await? {
                return Err(Error::field("uses", FieldCode::TooSmall).into());
            }
            Some(capacity)
        }
    };
    let row = params![
        id,
        draft.code.as_deref(),
        draft.code.as_deref().map(fold_code),
        terms,
        form,
        starts_at,
        ends_at,
        draft.uses,
        capacity,
        draft.uses_per_person,
    ];
    tx.exec(&SAVE, row).await?;
    note_in_tx(tx, owner, "promotions::save", id, draft, now).await
}

/// Ends a promotion of a shop. Checkouts that use it still can.
pub async fn end(engine: &Engine, caller: &Caller, handle: &str, id: PromotionId) -> Result<()> {
    end_in(engine, of_shop(engine, caller, handle).await?, id).await
}

/// Ends a promotion of the market.
pub async fn end_of_market(engine: &Engine, caller: &Caller, id: PromotionId) -> Result<()> {
    end_in(engine, of_market(engine, caller, AdminPermission::ManagePromotions)?, id).await
}

async fn end_in(engine: &Engine, owner: Owner, id: PromotionId) -> Result<()> {
    let row: Option<CardRow> = engine.db.opt(&FIND, params![id, owner.shop]).await?;
    let name = row.ok_or(Error::NotFound)?.code.unwrap_or_default();
    let input = (owner, id, name, engine.clock.now_ms());
    let ended = engine.db.write(("promotions::end", id), input, |tx, (owner, id, name, now)| {
        Box::pin(async move {
            let ended = tx.exec(&END, params![*id, owner.shop, *now]).await?;
            if ended == 0 {
                return Ok(());
            }
            log_in_tx(tx, *owner, "promotions::end", *id, name, *now).await
        })
    });
    Ok(ended.await?)
}

/// Deletes a promotion of a shop that nobody has begun to use.
pub async fn delete(engine: &Engine, caller: &Caller, handle: &str, id: PromotionId) -> Result<()> {
    delete_in(engine, of_shop(engine, caller, handle).await?, id).await
}

/// Deletes a promotion of the market that nobody has begun to use.
pub async fn delete_of_market(engine: &Engine, caller: &Caller, id: PromotionId) -> Result<()> {
    delete_in(engine, of_market(engine, caller, AdminPermission::ManagePromotions)?, id).await
}

async fn delete_in(engine: &Engine, owner: Owner, id: PromotionId) -> Result<()> {
    let row: Option<CardRow> = engine.db.opt(&FIND, params![id, owner.shop]).await?;
    let name = row.ok_or(Error::NotFound)?.code.unwrap_or_default();
    let input = (owner, id, name, engine.clock.now_ms());
    let deleted = engine.db.write(("promotions::delete", id), input, |tx, (owner, id, name, now)| {
        Box::pin(async move {
            let deleted: Option<Scalar<Option<CapacityId>>> =
                tx.opt(&DELETE, params![*id, owner.shop]).await?;
            let capacity = deleted.ok_or(Conflict::PromotionUsed)?.0;
            drop_uses_in_tx(tx, capacity).await?;
            log_in_tx(tx, *owner, "promotions::delete", *id, name, *now).await
        })
    });
    Ok(deleted.await?)
}

/// The last day of a promotion, if it has an end.
fn last_day(engine: &Engine, starts_at: i64, ends_at: Option<i64>) -> Option<i64> {
    ends_at.map(|end| engine.zone.day((end - 1).max(starts_at)))
}

/// When a promotion begins and ends: at the beginning of its first day, and at the end of its last.
fn times(engine: &Engine, form: &PromotionForm, now: i64) -> Result<(Option<i64>, Option<i64>)> {
    let day = |typed: &str| haat_shared::sales::day(typed.trim());
    let (starts_at, ends_at) = (
        day(&form.starts_on).map(|day| engine.zone.begins(day)),
        day(&form.ends_on).map(|day| engine.zone.begins(day + 1)),
    );
    if starts_at.is_none() && ends_at.is_some_and(|end| end <= now) {
        return Err(Error::field("ends_on", FieldCode::Past));
    }
    Ok((starts_at, ends_at))
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::Internal)
}

/// A code that the shop, or the market, has already.
pub(super) fn unique(done: TxResult<()>) -> Result<()> {
    match done {
        Err(fault) if is_unique(&fault) => Err(Error::field("code", FieldCode::NotUnique)),
        done => Ok(done?),
    }
}

/// The terms with the products, categories and shops that the form names.
async fn terms_in_tx(tx: &mut Tx, owner: Owner, draft: &PromotionDraft) -> TxResult<Terms> {
    let given = |names: &[String]| -> Vec<[Value; 1]> { names.iter().map(|name| [name.into()]).collect() };
    let mut terms = draft.terms.clone();
    let unknown =
        |field: &str, names: &[String], known: &[String]| match names.iter().all(|name| known.contains(name))
        {
            true => Ok(()),
            false => Err(Error::field(field, FieldCode::NotAChoice)),
        };
    if !draft.products.is_empty() {
        let mut found: Vec<ProductRow> = tx.all_many(&PRODUCTS, &given(&draft.products)).await?;
        found.retain(|product| owner.shop.is_none_or(|shop| shop == product.shop_id));
        let names: Vec<String> = found.iter().map(|product| product.name.clone()).collect();
        unknown("products", &draft.products, &names)?;
        terms.products = found.into_iter().map(|product| product.id).collect();
    }
    if !draft.categories.is_empty() {
        let found: Vec<CategoryRow> = tx.all_many(&CATEGORIES, &given(&draft.categories)).await?;
        let names: Vec<String> = found.iter().map(|category| category.name.clone()).collect();
        unknown("categories", &draft.categories, &names)?;
        terms.categories = found.into_iter().map(|category| category.path).collect();
    }
    if !draft.shops.is_empty() {
        let found: Vec<ShopRow> = tx.all_many(&SHOPS, &given(&draft.shops)).await?;
        let names: Vec<String> = found.iter().map(|shop| shop.name.clone()).collect();
        unknown("shops", &draft.shops, &names)?;
        terms.shops = found.into_iter().map(|shop| shop.id).collect();
    }
    Ok(terms)
}
