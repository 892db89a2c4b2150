//! The category tree as admins edit it. Every change takes the lock of the tree, so that two of them never make a circle.
//!
//! A category's path is stored with it and with promotions that are for it; when it changes, all of them are changed. The
//! search index is built anew, because it has the names and the paths.

use std::collections::HashMap;

use crate::{
    Caller, Engine, TxResult, audit, bug, catalog,
    db::{Scalar, Tx},
    insert, params, product_search, random, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    categories::{CategoryDraft, CategoryEntry, CategoryForm, DEPTH_MAX, TranslatedName},
    id::kinds::{CategoryId, PromotionId, UserId},
    permissions::AdminPermission,
    promotions::{PromotionForm, Terms},
};

statements! {
    // The row of the usual commission, which is always there.
    LOCK = "UPDATE commission_rates SET rate_bp = rate_bp WHERE category_id IS NULL";
    ALL = "SELECT c.id, c.slug, c.name, c.parent_id, c.path, c.tax_category, c.position,
            (SELECT COUNT(*) FROM products p WHERE p.category_id = c.id AND p.state <> 'archived') AS products
        FROM categories c ORDER BY c.position, c.path";
    NAMES = "SELECT category_id, locale, name FROM category_names ORDER BY locale";
    FIND = "SELECT id, parent_id, path, position FROM categories WHERE slug = $1";
    LAST = "SELECT CAST(COALESCE(MAX(position), -1) AS BIGINT) AS value FROM categories
        WHERE parent_id = $1 OR ($1 IS NULL AND parent_id IS NULL)";
    SIBLINGS = "SELECT id, parent_id, path, position FROM categories
        WHERE parent_id = $1 OR ($1 IS NULL AND parent_id IS NULL) ORDER BY position, path";
    SAVE = "UPDATE categories SET name = $2, tax_category = $3 WHERE id = $1";
    MOVE = "UPDATE categories SET parent_id = $2, position = $3 WHERE id = $1";
    PLACE = "UPDATE categories SET position = $2 WHERE id = $1";
    // SUBSTR counts from 1.
    REPATH = "UPDATE categories SET path = $2 || SUBSTR(path, LENGTH($1) + 1) WHERE path LIKE $1 || '%'";
    LIFT = "UPDATE categories SET parent_id = $2 WHERE parent_id = $1";
    CLEAR_NAMES = "DELETE FROM category_names WHERE category_id = $1";
    CLEAR_RATE = "DELETE FROM commission_rates WHERE category_id = $1";
    CLEAR_ATTRIBUTES = "DELETE FROM category_attributes WHERE category_id = $1";
    RECATEGORISE = "UPDATE products SET category_id = $2, updated_at = $3 WHERE category_id = $1";
    REMOVE = "DELETE FROM categories WHERE id = $1";
    BELOW = "SELECT path AS value FROM categories WHERE path LIKE $1 || '%'";
    // Paths have no quotation marks, so a path in a list is found between two of them.
    PROMOTIONS = r#"SELECT id, terms, form FROM promotions WHERE terms LIKE '%"' || $1 || '%'"#;
    SET_TERMS = "UPDATE promotions SET terms = $2, form = $3, version = version + 1 WHERE id = $1";
    PATH = "SELECT path AS value FROM categories WHERE id = $1";
}

insert! {
    struct Add<'a> into categories {
        id: CategoryId,
        slug: &'a str,
        name: &'a str,
        parent_id: Option<CategoryId>,
        path: &'a str,
        tax_category: &'a str,
        position: i64,
        created_at: i64,
    }

    struct AddName<'a> into category_names {
        category_id: CategoryId,
        locale: &'a str,
        name: &'a str,
    }
}

rows! {
    struct EntryRow {
        id: CategoryId,
        slug: String,
        name: String,
        parent_id: Option<CategoryId>,
        path: String,
        tax_category: String,
        products: i64,
    }

    struct NameRow {
        category_id: CategoryId,
        locale: String,
        name: String,
    }

    struct Node {
        id: CategoryId,
        parent_id: Option<CategoryId>,
        path: String,
        position: i64,
    }

    struct TermsRow {
        id: PromotionId,
        terms: String,
        form: String,
    }
}

/// All categories, each before those below it, in the order in which shoppers see them. Operators only.
pub async fn list(engine: &Engine, caller: &Caller) -> Result<Vec<CategoryEntry>> {
    caller.admin(AdminPermission::ManageCatalog)?;
    let rows: Vec<EntryRow> = engine.db.all(&ALL, params![]).await?;
    let mut names: HashMap<CategoryId, Vec<TranslatedName>> = HashMap::new();
    let translated: Vec<NameRow> = engine.db.all(&NAMES, params![]).await?;
    for NameRow { category_id, locale, name } in translated {
        names.entry(category_id).or_default().push(TranslatedName { language: locale, name });
    }
    let mut below: HashMap<Option<CategoryId>, Vec<EntryRow>> = HashMap::new();
    for row in rows {
        below.entry(row.parent_id).or_default().push(row);
    }
    let slugs: HashMap<CategoryId, String> =
        below.values().flatten().map(|row| (row.id, row.slug.clone())).collect();
    // The last one is the next.
    let mut next = below.remove(&None).unwrap_or_default();
    next.reverse();
    let mut entries = Vec::with_capacity(slugs.len());
    while let Some(row) = next.pop() {
        next.extend(below.remove(&Some(row.id)).unwrap_or_default().into_iter().rev());
        entries.push(CategoryEntry {
            parent: row.parent_id.and_then(|id| slugs.get(&id).cloned()).unwrap_or_default(),
            depth: row.path.matches('/').count().saturating_sub(1),
            names: names.remove(&row.id).unwrap_or_default(),
            slug: row.slug,
            name: row.name,
            tax_category: row.tax_category,
            products: row.products,
        });
    }
    Ok(entries)
}

/// Adds a category as the last one below its parent; returns its slug. Operators only.
pub async fn add(engine: &Engine, caller: &Caller, form: &CategoryForm) -> Result<String> {
    caller.admin(AdminPermission::ManageCatalog)?;
    let draft = form.check().map_err(Error::Invalid)?;
    let (now, slug) = (engine.clock.now_ms(), draft.slug.clone());
    let id: CategoryId = random::id(now);
    let input = (id, draft, caller.user_id(), now);
    engine
        .db
        .write("category_tree::add", input, |tx, (id, draft, user, now)| {
            Box::pin(add_in_tx(tx, *id, draft, *user, *now))
        })
        .await?;
    Ok(slug)
}

async fn add_in_tx(
    tx: &mut Tx,
    id: CategoryId,
    draft: &CategoryDraft,
    user: Option<UserId>,
    now: i64,
) -> TxResult<()> {
    tx.exec(&LOCK, params![]).await?;
    if find_in_tx(tx, &draft.slug).await?.is_some() {
        return Err(Error::field("slug", FieldCode::Taken).into());
    }
    let parent = parent_in_tx(tx, &draft.parent).await?;
    let (parent_id, above) = above(parent.as_ref());
    let path = format!("{above}{}/", draft.slug);
    fits(&path)?;
    let row = Add {
        id,
        slug: &draft.slug,
        name: &draft.name,
        parent_id,
        path: &path,
        tax_category: &draft.tax_category,
        position: next_place_in_tx(tx, parent_id).await?,
        created_at: now,
    };
    tx.insert(row).await?;
    name_in_tx(tx, id, &draft.names).await?;
    changed_in_tx(tx, now).await?;
    audit::write(tx, user, "category_tree::add", id, &path, now).await
}

/// Renames a category, changes its tax category, and moves it below another one, with all that is below it. Its slug stays.
/// Operators only.
pub async fn change(engine: &Engine, caller: &Caller, slug: &str, form: &CategoryForm) -> Result<()> {
    caller.admin(AdminPermission::ManageCatalog)?;
    let form = CategoryForm { slug: slug.to_owned(), ..form.clone() };
    let draft = form.check().map_err(Error::Invalid)?;
    let input = (draft, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write("category_tree::change", input, |tx, (draft, user, now)| {
            Box::pin(change_in_tx(tx, draft, *user, *now))
        })
        .await?;
    Ok(())
}

async fn change_in_tx(tx: &mut Tx, draft: &CategoryDraft, user: Option<UserId>, now: i64) -> TxResult<()> {
    tx.exec(&LOCK, params![]).await?;
    let Node { id, parent_id, path, .. } = find_in_tx(tx, &draft.slug).await?.ok_or(Error::NotFound)?;
    tx.exec(&SAVE, params![id, draft.name.as_str(), draft.tax_category.as_str()]).await?;
    tx.exec(&CLEAR_NAMES, params![id]).await?;
    name_in_tx(tx, id, &draft.names).await?;
    let parent = parent_in_tx(tx, &draft.parent).await?;
    let (below, above) = above(parent.as_ref());
    let mut said = path.clone();
    if below != parent_id {
        if above.starts_with(&path) {
            return Err(Error::field("parent", FieldCode::NotAChoice).into());
        }
        let moved = format!("{above}{}/", draft.slug);
        for Scalar(old) in tx.all::<Scalar<String>>(&BELOW, params![path.as_str()]).await? {
            fits(&format!("{moved}{}", &old[path.len()..]))?;
        }
        let place = next_place_in_tx(tx, below).await?;
        tx.exec(&MOVE, params![id, below, place]).await?;
        repath_in_tx(tx, &path, &moved).await?;
        said = format!("{path} → {moved}");
    }
    changed_in_tx(tx, now).await?;
    audit::write(tx, user, "category_tree::change", id, &said, now).await
}

/// Moves a category before or after the one beside it. Operators only.
pub async fn shift(engine: &Engine, caller: &Caller, slug: &str, up: bool) -> Result<()> {
    caller.admin(AdminPermission::ManageCatalog)?;
    let input = (slug.to_owned(), up, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write("category_tree::shift", input, |tx, (slug, up, user, now)| {
            Box::pin(async move {
                tx.exec(&LOCK, params![]).await?;
                let Node { id, parent_id, path, .. } = find_in_tx(tx, slug).await?.ok_or(Error::NotFound)?;
                let mut siblings: Vec<Node> = tx.all(&SIBLINGS, params![parent_id]).await?;
                let at = siblings.iter().position(|node| node.id == id).unwrap_or_default();
                let other = if *up { at.checked_sub(1) } else { Some(at + 1) };
                // The first and the last one stay where they are.
                let Some(other) = other.filter(|other| *other < siblings.len()) else { return Ok(()) };
                siblings.swap(at, other);
                for (place, node) in (0i64..).zip(&siblings).filter(|(place, node)| node.position != *place) {
                    tx.exec(&PLACE, params![node.id, place]).await?;
                }
                audit::write(tx, *user, "category_tree::shift", id, &path, *now).await
            })
        })
        .await?;
    Ok(())
}

/// Removes a category. What is below it goes below the one above it. Its products go into another category, or into the one
/// above it if none is given. Operators only.
pub async fn remove(engine: &Engine, caller: &Caller, slug: &str, into: &str) -> Result<()> {
    caller.admin(AdminPermission::ManageCatalog)?;
    let input = (slug.to_owned(), into.trim().to_owned(), caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write("category_tree::remove", input, |tx, (slug, into, user, now)| {
            Box::pin(remove_in_tx(tx, slug, into, *user, *now))
        })
        .await?;
    Ok(())
}

async fn remove_in_tx(tx: &mut Tx, slug: &str, into: &str, user: Option<UserId>, now: i64) -> TxResult<()> {
    tx.exec(&LOCK, params![]).await?;
    let Node { id, parent_id, path, .. } = find_in_tx(tx, slug).await?.ok_or(Error::NotFound)?;
    let into = match into {
        "" => None,
        other => match find_in_tx(tx, other).await? {
            Some(node) if node.id != id => Some(node.id),
            _ => return Err(Error::field("into", FieldCode::NotAChoice).into()),
        },
    };
    let above = path.strip_suffix(&format!("{slug}/")).unwrap_or_default().to_owned();
    let target = into.or(parent_id);
    tx.exec(&RECATEGORISE, params![id, target, now]).await?;
    for clear in [&CLEAR_NAMES, &CLEAR_RATE, &CLEAR_ATTRIBUTES] {
        tx.exec(clear, params![id]).await?;
    }
    tx.exec(&LIFT, params![id, parent_id]).await?;
    tx.exec(&REMOVE, params![id]).await?;
    // What was below it first, since its own path is the beginning of theirs.
    let mut below: Vec<Scalar<String>> = tx.all(&BELOW, params![path.as_str()]).await?;
    below.sort_by_key(|Scalar(path)| path.len());
    tx.exec(&REPATH, params![path.as_str(), above.as_str()]).await?;
    for Scalar(old) in &below {
        promotions_in_tx(tx, old, &format!("{above}{}", &old[path.len()..])).await?;
    }
    // A promotion of it is for what has taken its place. Without that, it is for nothing more, rather than for everything.
    if let Some(target) = target {
        let target: Option<Scalar<String>> = tx.opt(&PATH, params![target]).await?;
        if let Some(Scalar(target)) = target {
            promotions_in_tx(tx, &path, &target).await?;
        }
    }
    changed_in_tx(tx, now).await?;
    audit::write(tx, user, "category_tree::remove", id, &path, now).await
}

async fn find_in_tx(tx: &mut Tx, slug: &str) -> TxResult<Option<Node>> {
    Ok(tx.opt(&FIND, params![slug]).await?)
}

/// The category with this slug, or none if it is empty.
async fn parent_in_tx(tx: &mut Tx, slug: &str) -> TxResult<Option<Node>> {
    match slug {
        "" => Ok(None),
        slug => match find_in_tx(tx, slug).await? {
            None => Err(Error::field("parent", FieldCode::NotAChoice).into()),
            found => Ok(found),
        },
    }
}

/// The ID and the path of the category above.
fn above(parent: Option<&Node>) -> (Option<CategoryId>, &str) {
    parent.map_or((None, ""), |node| (Some(node.id), node.path.as_str()))
}

/// Whether the tree has so many levels.
fn fits(path: &str) -> TxResult<()> {
    match path.matches('/').count() > DEPTH_MAX {
        true => Err(Error::field("parent", FieldCode::TooMany).into()),
        false => Ok(()),
    }
}

async fn next_place_in_tx(tx: &mut Tx, parent: Option<CategoryId>) -> TxResult<i64> {
    let last: Option<Scalar<i64>> = tx.opt(&LAST, params![parent]).await?;
    Ok(last.map_or(0, |Scalar(last)| last + 1))
}

async fn name_in_tx(tx: &mut Tx, id: CategoryId, names: &[(String, String)]) -> TxResult<()> {
    let rows = names.iter().map(|(locale, name)| AddName { category_id: id, locale, name });
    tx.insert_all(rows.collect::<Vec<_>>()).await?;
    Ok(())
}

/// Changes the beginning of the paths of a category and of all below it, and of the promotions for them.
async fn repath_in_tx(tx: &mut Tx, from: &str, to: &str) -> TxResult<()> {
    tx.exec(&REPATH, params![from, to]).await?;
    promotions_in_tx(tx, from, to).await
}

/// Changes the beginning of the paths in the terms of promotions; and in what was typed, the slug at their end.
async fn promotions_in_tx(tx: &mut Tx, from: &str, to: &str) -> TxResult<()> {
    let rows: Vec<TermsRow> = tx.all(&PROMOTIONS, params![from]).await?;
    let unread = |error: serde_json::Error| bug(error.to_string());
    let slug = |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    for TermsRow { id, terms, form } in rows {
        let mut terms: Terms = serde_json::from_str(&terms).map_err(unread)?;
        let mut form: PromotionForm = serde_json::from_str(&form).map_err(unread)?;
        let mut paths: Vec<String> = Vec::new();
        for path in &terms.categories {
            let path = path.strip_prefix(from).map_or_else(|| path.clone(), |rest| format!("{to}{rest}"));
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        if paths == terms.categories {
            continue;
        }
        form.categories = paths.iter().map(|path| slug(path)).collect::<Vec<_>>().join(" ");
        terms.categories = paths;
        let terms = serde_json::to_string(&terms).map_err(unread)?;
        let form = serde_json::to_string(&form).map_err(unread)?;
        tx.exec(&SET_TERMS, params![id, terms, form]).await?;
    }
    Ok(())
}

/// What follows from every change: new commissions, and another search index.
async fn changed_in_tx(tx: &mut Tx, now: i64) -> TxResult<()> {
    catalog::spread_rates_in_tx(tx).await?;
    product_search::request_rebuild_in_tx(tx, now).await?;
    Ok(())
}
